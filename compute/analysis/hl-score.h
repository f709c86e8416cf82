/* SPDX-License-Identifier: MIT
 * The scores that a head can have: names, titles, units, formulas. The rows are those of
 * hl-score-table.def. Thread: any. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
#define HL_SCORE(ENUM, name, title, unit, group, is_signed, formula) HL_SCORE_##ENUM,
#include "analysis/hl-score-table.def"
#undef HL_SCORE
  HL_N_SCORES,
} HlScore;

/** HlScoreGroup: where a score comes from. */
typedef enum
{
  HL_SCORES_PRUNING,  /* each head ablated: what comes out of the model */
  HL_SCORES_LAYER,    /* each head ablated: what comes out of its block */
  HL_SCORES_GRADIENT, /* one pass forward and back */
  HL_SCORES_STRENGTH, /* the maps */
  HL_SCORES_PROBE,    /* random tokens twice over */
} HlScoreGroup;

/**
 * HlScoreInfo:
 * @name: in files and commands
 * @title, @formula: English; whoever shows them translates
 * @unit: "" where there is none
 * @is_signed: coloured around 0; positive: removing the head hurts
 */
typedef struct
{
  const char *name;
  const char *title;
  const char *unit;
  HlScoreGroup group;
  gboolean is_signed;
  const char *formula;
} HlScoreInfo;

const HlScoreInfo *hl_score_get_info (HlScore score);

/** hl_score_from_name: HL_N_SCORES for an unknown one. */
HlScore hl_score_from_name (const char *name);

G_END_DECLS
