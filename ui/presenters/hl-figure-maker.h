/* SPDX-License-Identifier: MIT
 * A figure of what a trace holds, the same from the window and from the command. */
#pragma once

#include "presenters/hl-present-compare.h"
#include "presenters/hl-present.h"

G_BEGIN_DECLS

typedef enum
{
  HL_FIGURE_GRID,    /* all heads */
  HL_FIGURE_HEATMAP, /* a map of each chosen head */
  HL_FIGURE_OVERLAY, /* of each chosen head, where patches look and who looks at them */
  HL_FIGURE_TOKENS,  /* the text, with what the chosen tokens attend to in each head */
  HL_FIGURE_ARCS,    /* one token below the other, with the arcs of all chosen heads */
  HL_FIGURE_COMPARISON, /* attention and saliency of a comparison that is given */
  HL_FIGURE_CHART,      /* charts and a map of scores that are given */
  HL_N_FIGURE_KINDS,
} HlFigureKind;

/** hl_figure_kind_name: "grid", "heatmap", ..., as the command says it. */
const char *hl_figure_kind_name (HlFigureKind kind);
/** hl_figure_kind_from_name: FALSE, with @kind untouched, for an unknown name. */
gboolean hl_figure_kind_from_name (const char *name, HlFigureKind *kind);
/** hl_figure_kind_is_of_result: of what was computed of a trace, not of its maps. */
gboolean hl_figure_kind_is_of_result (HlFigureKind kind);
/** hl_figure_kind_fits: overlays need patches on a picture, tokens and arcs a text;
 * charts and comparisons do not come from a trace alone: FALSE. */
gboolean hl_figure_kind_fits (HlFigureKind kind, const HlTrace *trace, int stack);

/**
 * HlFigurePlan: borrowed throughout.
 * @heads, @n_heads: of maps, overlays and texts; several become panels a, b, c
 * @selected: of a grid: the blue head; layer -1 for none
 * @tokens, @n_tokens: ascending: the chosen tokens. Of patches the mean is shown, of the
 *   tokens of a text the sum. None: overlays take the first token, a text is tinted by
 *   how unlikely each token was, and arcs are those of every query
 * @query, @key: marked in maps; -1 for none
 * @of: (nullable): what was looked at, in place of the trace's input, for the caption
 * @compare: (nullable): of comparisons
 * @charts: (nullable) (element-type HlChartScene), @score_map: (nullable): of charts
 */
typedef struct
{
  HlFigureKind kind;
  const HlTraceSummary *summary;
  const HlAttentionSource *source;
  HlBackend *backend;
  HlViewOptions view;
  const HlHeadKey *heads;
  guint n_heads;
  HlHeadKey selected;
  const gint64 *tokens;
  guint n_tokens;
  gint64 query;
  gint64 key;
  const char *of;
  const HlCompare *compare;
  const GPtrArray *charts;
  HlMatrixScene *score_map;
} HlFigurePlan;

/**
 * hl_figure_make: (transfer full): with title and provenance.
 * Thread: engine, or the one of @plan's backend. Returns: NULL with @error
 * (HL_ERROR_RANGE: no such head; HL_ERROR_UNSUPPORTED: the trace has nothing of the kind;
 * HL_ERROR_MEMORY; G_IO_ERROR_CANCELLED)
 */
HlFigure *
hl_figure_make (const HlFigurePlan *plan, const HlProgress *progress, GError **error);

G_END_DECLS
