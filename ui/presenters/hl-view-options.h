/* SPDX-License-Identifier: MIT
 * How a person wants to see numbers: the same choices in every view and figure. */
#pragma once

#include "scene/hl-scene.h"

G_BEGIN_DECLS

/**
 * HlViewOptions:
 * @leave_out_special: special and padding tokens are "not applicable" and count for no
 *   range; rows are not renormalised
 * @by_words: tokens that are pieces of a word are shown as one (hl-word-trace.h); token
 *   numbers are then of words
 * @first_token, @end_token: the slice of a text that is shown as tokens; @end_token 0 for
 *   all of it
 * @row_high: of single rows and columns: where the range ends at least, so that several
 *   share it; 0 for each one's own largest
 * @is_from: tokens are coloured by who attends to the chosen ones, not by what they
 *   attend to
 */
typedef struct
{
  HlColormap colormap;
  HlRangeMode range;
  gboolean leave_out_special;
  gboolean by_words;
  gint64 first_token;
  gint64 end_token;
  gboolean is_from;
  double row_high;
} HlViewOptions;

/** hl_range_mode_name: "shared", "per-head", "percentile", "log". */
const char *hl_range_mode_name (HlRangeMode mode);

/** hl_range_mode_from_name: FALSE, with @mode untouched, for an unknown name. */
gboolean hl_range_mode_from_name (const char *name, HlRangeMode *mode);

G_END_DECLS
