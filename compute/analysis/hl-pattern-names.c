/* SPDX-License-Identifier: MIT
 * What a cluster of patterns is called until somebody names it. */
#include "analysis/hl-pattern-names.h"

static const char *
name_patches (const double *t, int n_rows, int n_columns)
{
  double in_row = 1.0 / MAX (n_rows, 1), in_column = 1.0 / MAX (n_columns, 1);
  if (t[HL_TRAIT_ROW_ENTROPY] > 0.95)
    return "Uniform";
  if (t[HL_TRAIT_FIRST] > 0.5)
    return "CLS only";
  if (t[HL_TRAIT_SELF] > 0.5)
    return "Self";
  if (t[HL_TRAIT_TOP_TENTH] > 0.5)
    return "Few keys";
  if (t[HL_TRAIT_SELF] + t[HL_TRAIT_NEIGHBOURS] > 0.5)
    return "Neighbours";
  if (t[HL_TRAIT_ROW] > MAX (0.5, 2 * in_row))
    return "Row stripes";
  if (t[HL_TRAIT_COLUMN] > MAX (0.5, 2 * in_column))
    return "Column stripes";
  return "Content";
}

static const char *
name_cls (const double *t)
{
  if (t[HL_TRAIT_ROW_ENTROPY] > 0.95)
    return "Even";
  if (t[HL_TRAIT_SELF] > 0.5)
    return "CLS itself";
  return t[HL_TRAIT_TOP_KEY] > 0.3 ? "Few patches" : "Parts of the picture";
}

static const char *
name_text (const double *t)
{
  if (t[HL_TRAIT_FIRST] > 0.5)
    return "First token";
  if (t[HL_TRAIT_PREVIOUS] > 0.4)
    return "Previous token";
  if (t[HL_TRAIT_SELF] > 0.4)
    return "Same token";
  if (t[HL_TRAIT_TOP_TENTH] > 0.6)
    return "Few tokens";
  if (t[HL_TRAIT_NEIGHBOURS] > 0.5)
    return "Recent tokens";
  return t[HL_TRAIT_ROW_ENTROPY] > 0.9 ? "Uniform" : "Content";
}

const char *
hl_pattern_name (HlPatternKind kind, const double *traits, int n_rows, int n_columns)
{
  if (kind == HL_PATTERN_PATCHES)
    return name_patches (traits, n_rows, n_columns);
  return kind == HL_PATTERN_CLS ? name_cls (traits) : name_text (traits);
}
