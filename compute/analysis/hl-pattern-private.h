/* SPDX-License-Identifier: MIT
 * One map, read row by row, as a picture and its traits. */
#pragma once

#include "analysis/hl-pattern-maps.h"

G_BEGIN_DECLS

typedef struct _HlPatternMaker HlPatternMaker;

/** hl_pattern_maker_new: (transfer full): @tokens is borrowed. */
HlPatternMaker *hl_pattern_maker_new (HlPatternKind kind,
                                      int height,
                                      int width,
                                      int side,
                                      const HlTokenTable *tokens,
                                      gboolean is_causal);

/** hl_pattern_maker_rows: how many of the first rows are needed, of @T. */
gint64 hl_pattern_maker_rows (const HlPatternMaker *maker, gint64 T);

/** hl_pattern_maker_add_row: @row (T) of @query; each once. */
void hl_pattern_maker_add_row (HlPatternMaker *maker, const float *row, gint64 query);

/** hl_pattern_maker_end: (transfer full): mean attention of each cell, then what stands
 * beside; frees @maker. @traits (HL_N_TRAITS) (nullable) */
double *hl_pattern_maker_end (HlPatternMaker *maker, float *traits);

G_END_DECLS
