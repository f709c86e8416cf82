/* SPDX-License-Identifier: MIT
 * A set of heads that are pruned, as a file that any command and the window take:
 *   {"headlight_mask": 1, "model": "gpt-kjv", "heads": ["0.3", "5.1"]}
 * Thread: any. */
#pragma once

#include "trace/hl-attention-source.h"
#include "trace/hl-run.h"

G_BEGIN_DECLS

/** HL_HEAD_MASK_FORMAT: of the file. */
#define HL_HEAD_MASK_FORMAT 1

/** hl_head_mask_save: FALSE with @error (IO; UNSUPPORTED for a head of another stack than
 * the first). */
gboolean hl_head_mask_save (const char *path,
                            const HlModelInfo *model,
                            const HlHeadKey *heads,
                            guint n_heads,
                            GError **error);

/**
 * hl_head_mask_load:
 * @model: every head of the mask must be one of its first stack
 * Returns: (transfer full) (element-type HlHeadKey): each head once; NULL with @error
 *   (MISSING, FORMAT, RANGE)
 */
GArray *hl_head_mask_load (const char *path, const HlModelInfo *model, GError **error);

/** hl_head_mask_interventions: (transfer full) (element-type HlIntervention): that prune
 * these heads. */
GPtrArray *hl_head_mask_interventions (const HlModelInfo *model,
                                       const HlHeadKey *heads,
                                       guint n_heads);

/** hl_head_key_parse: "5.1" of stack 0; FALSE for anything else. */
gboolean hl_head_key_parse (const char *text, HlHeadKey *key);

G_END_DECLS
