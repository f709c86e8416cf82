/* SPDX-License-Identifier: MIT
 * The "post_processor" of a tokenizer file: which tokens stand before and behind a text,
 * and whether places leave out white space. Private to compute/text. */
#pragma once

#include "io/hl-json.h"

G_BEGIN_DECLS

/**
 * HlPostProcessor:
 * @before, @behind: ids (gint32) added around the text
 * @trims: each token's place in the text leaves out the spaces it begins and ends with
 * @keeps_first_space: but not the one that the pre-tokenizer added
 */
typedef struct
{
  GArray *before;
  GArray *behind;
  gboolean trims;
  gboolean keeps_first_space;
} HlPostProcessor;

/** hl_post_processor_read: as hl_normalizer_read(), for the field "post_processor". */
HlPostProcessor *
hl_post_processor_read (const json_t *json, const char *where, GError **error);
void hl_post_processor_free (HlPostProcessor *post);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlPostProcessor, hl_post_processor_free)

G_END_DECLS
