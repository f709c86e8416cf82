/* SPDX-License-Identifier: MIT
 * One head's map made small, row by row: the thumbnail of the grid. */
#pragma once

#include "model/hl-model-info.h"
#include "trace/hl-token-table.h"

G_BEGIN_DECLS

/**
 * HlHeadPicture: a map made small by its maximum, so that a thin line stays.
 * @values: (n_rows, n_columns), each over @row_pool x @pool entries; NaN where causal
 *   attention forbids every entry
 * @max: largest entry of the map
 * @p99: 99th percentile of the entries (of a million of them, evenly taken, in a map
 *   that has more)
 */
typedef struct
{
  int n_rows;
  int n_columns;
  int pool;
  int row_pool;
  float *values;
  double max;
  double p99;
} HlHeadPicture;

/** hl_token_is_left_out: whether a token counts as special or padding. */
gboolean hl_token_is_left_out (const HlTokenTable *tokens, gint64 index);

typedef struct _HlHeadPictureMaker HlHeadPictureMaker;

/** hl_head_picture_maker_new: for the heads of one layer, one after another. @tokens may
 * be NULL. */
HlHeadPictureMaker *hl_head_picture_maker_new (const HlTokenTable *tokens,
                                               const HlTokenTable *key_tokens,
                                               gint64 Tq,
                                               gint64 Tk,
                                               gboolean leave_out_special);
void hl_head_picture_maker_free (HlHeadPictureMaker *maker);

/** hl_head_picture_maker_begin: the next head; @picture is filled until end. */
void hl_head_picture_maker_begin (HlHeadPictureMaker *maker, HlHeadPicture *picture);

/** hl_head_picture_maker_add_row: @row: of @query; the entries of @seen. */
void hl_head_picture_maker_add_row (HlHeadPictureMaker *maker,
                                    const float *row,
                                    gint64 query,
                                    HlKeySpan seen);

/** hl_head_picture_maker_end: a row of cells that no query was added to takes over the
 * one above it (an estimate leaves queries out). */
void hl_head_picture_maker_end (HlHeadPictureMaker *maker);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlHeadPictureMaker, hl_head_picture_maker_free)

G_END_DECLS
