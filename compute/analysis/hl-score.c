/* SPDX-License-Identifier: MIT
 * The scores that a head can have. */
#include "analysis/hl-score.h"

#define N_(text) text

static const HlScoreInfo scores[HL_N_SCORES] = {
#define HL_SCORE(ENUM, name, title, unit, group, is_signed, formula)                     \
  { name, title, unit, HL_SCORES_##group, is_signed, formula },
#include "analysis/hl-score-table.def"
#undef HL_SCORE
};

const HlScoreInfo *
hl_score_get_info (HlScore score)
{
  g_return_val_if_fail (score < HL_N_SCORES, NULL);
  return &scores[score];
}

HlScore
hl_score_from_name (const char *name)
{
  for (int i = 0; i < HL_N_SCORES; i++)
    if (g_strcmp0 (scores[i].name, name) == 0)
      return (HlScore) i;
  return HL_N_SCORES;
}
