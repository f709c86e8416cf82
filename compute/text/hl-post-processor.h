/* SPDX-License-Identifier: MIT
 * The "post_processor" of a tokenizer file: which tokens stand around a text or two,
 * and whether places leave out white space. Private to compute/text. */
#pragma once

#include "io/hl-json.h"

G_BEGIN_DECLS

/** HL_TEMPLATE_FIRST, HL_TEMPLATE_SECOND: in place of an id, a whole text. */
#define HL_TEMPLATE_FIRST (-1)
#define HL_TEMPLATE_SECOND (-2)

/** HlTemplateItem: a token or a text, and the segment that it belongs to. */
typedef struct
{
  gint32 id;
  guint8 segment;
} HlTemplateItem;

/**
 * HlPostProcessor:
 * @single: HlTemplateItem: what is around one text; HL_TEMPLATE_FIRST is there once
 * @pair: around two; HL_TEMPLATE_FIRST and HL_TEMPLATE_SECOND are there once each
 * @trims: each token's place in the text leaves out the spaces it begins and ends with
 * @keeps_first_space: but not the one that the pre-tokenizer added
 */
typedef struct
{
  GArray *single;
  GArray *pair;
  gboolean trims;
  gboolean keeps_first_space;
} HlPostProcessor;

/** hl_post_processor_read: as hl_normalizer_read(), for the field "post_processor". */
HlPostProcessor *
hl_post_processor_read (const json_t *json, const char *where, GError **error);
void hl_post_processor_free (HlPostProcessor *post);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlPostProcessor, hl_post_processor_free)

G_END_DECLS
