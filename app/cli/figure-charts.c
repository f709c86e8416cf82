/* SPDX-License-Identifier: MIT
 * headlight figure --view chart: what results say. */
#include "config.h"

#include "figure.h"

#include "analysis/hl-cross-compare.h"
#include "analysis/hl-overview-result.h"
#include "analysis/hl-pattern-survey.h"
#include "analysis/hl-patterns-result.h"
#include "analysis/hl-result-reader.h"
#include "analysis/hl-scores-result.h"
#include "base/hl-error.h"
#include "presenters/hl-present-agreement.h"
#include "presenters/hl-present-overview.h"
#include "presenters/hl-present-patterns.h"
#include "presenters/hl-present-saliency.h"
#include "presenters/hl-present-scores.h"

#include <glib/gi18n.h>

/* ---- scores --------------------------------------------------------------------------
 */

/* (transfer full): the newest result of the session that has the score, or any profile
 * where none is asked for; NULL with @error. */
static HlHeadScores *
find_scores (const HlSession *session,
             const HlTrace *trace,
             HlScore score,
             GError **error)
{
  const HlStack *stack = hl_model_info_get_stack (trace->model, 0);
  for (guint i = hl_session_get_n_results (session); i > 0; i--)
    {
      g_autoptr (HlHeadScores) scores =
          hl_scores_from_result (hl_session_get_result (session, i - 1), stack, NULL);
      if (scores != NULL && (score != HL_N_SCORES ? hl_head_scores_has (scores, score)
                                                  : scores->n_hop_inputs > 0))
        return g_steal_pointer (&scores);
    }
  g_set_error (error, HL_ERROR, HL_ERROR_MISSING,
               "no result in this session has the score \"%s\": headlight analyze "
               "makes them",
               score != HL_N_SCORES ? hl_score_get_info (score)->name : "hop_strength");
  return NULL;
}

static gboolean
make_scores (
    Figure *m, HlTrace *trace, HlHeadKey head, const HlProgress *progress, GError **error)
{
  const char *kind = m->o->chart != NULL ? m->o->chart : "bars";
  gboolean is_hops = g_str_equal (kind, "hops");
  HlScore score =
      is_hops ? HL_N_SCORES
              : hl_score_from_name (m->o->score != NULL ? m->o->score : "loss_change");
  if (!is_hops && score == HL_N_SCORES)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                   "--score: a score of headlight analyze expected, \"%s\" found",
                   m->o->score);
      return FALSE;
    }
  g_autoptr (HlHeadScores) scores = find_scores (m->session, trace, score, error);
  g_autofree int *order = NULL;
  HlChartScene *chart = NULL;
  if (scores == NULL)
    return FALSE;
  int n = hl_head_scores_get_n_inputs (scores);
  if (n > 1)
    m->of = g_strdup_printf (ngettext ("%d input", "%d inputs", n), n);
  if (g_str_equal (kind, "map"))
    m->score_map = hl_present_score_map (scores, score, head);
  else if (g_str_equal (kind, "dots"))
    chart = hl_present_layer_dots (scores, score, head);
  else if (is_hops)
    chart = hl_present_hops (scores, head, HL_HOPS_STRENGTH,
                             g_strcmp0 (trace->input_kind, "text") != 0);
  else
    chart =
        hl_present_head_bars (scores, score, g_str_equal (kind, "sorted"), head, &order);
  if (chart != NULL)
    g_ptr_array_add (m->charts, chart);
  return TRUE;
}

/* ---- patterns ------------------------------------------------------------------------
 */

/* (transfer full): of the kind asked for; NULL with @error. */
static HlPatterns *
find_patterns (const Figure *m, const HlTrace *trace, GError **error)
{
  gboolean is_cls = g_str_equal (m->o->chart, "cls-patterns");
  const HlStack *stack = hl_model_info_get_stack (trace->model, 0);
  for (guint i = hl_session_get_n_results (m->session); i > 0; i--)
    {
      HlSessionResult *result = hl_session_get_result (m->session, i - 1);
      if (!g_str_equal (result->id, HL_RESULT_PATTERNS))
        continue;
      g_autoptr (HlPatterns) p = hl_patterns_from_result (result, stack, error);
      if (p == NULL)
        return NULL;
      if ((p->kind == HL_PATTERN_CLS) == is_cls)
        return g_steal_pointer (&p);
    }
  g_set_error (error, HL_ERROR, HL_ERROR_MISSING,
               "no result in this session has such patterns: headlight analyze patterns "
               "finds them");
  return NULL;
}

/* All maps of the summary, and the heads of this trace before them. */
static gboolean
make_patterns (
    Figure *m, HlTrace *trace, HlHeadKey head, const HlProgress *progress, GError **error)
{
  const HlPatternView view = { .as_contours = m->o->with_contours };
  g_autoptr (HlPatterns) p = find_patterns (m, trace, error);
  HlPatternMaps *maps = p != NULL ? hl_pattern_maps_of_trace (m->source, p->kind, p->side,
                                                              m->backend, progress, error)
                                  : NULL;
  g_autoptr (HlPatternSpots) spots =
      maps != NULL ? hl_patterns_place (p, maps, m->backend, progress, error) : NULL;
  if (spots != NULL)
    g_ptr_array_add (m->charts, hl_present_patterns (p, spots, head, &view));
  return spots != NULL;
}

/* ---- a data set ----------------------------------------------------------------------
 */

/* (transfer full): the newest one; NULL with @error. */
static HlOverview *
find_overview (const Figure *m, GError **error)
{
  for (guint i = hl_session_get_n_results (m->session); i > 0; i--)
    {
      HlSessionResult *result = hl_session_get_result (m->session, i - 1);
      if (g_str_equal (result->id, HL_RESULT_OVERVIEW))
        return hl_overview_from_result (result, error);
    }
  g_set_error (error, HL_ERROR, HL_ERROR_MISSING,
               "no overview of a data set in this session: headlight analyze overview "
               "makes one");
  return NULL;
}

static gboolean
make_overview (
    Figure *m, HlTrace *trace, HlHeadKey head, const HlProgress *progress, GError **error)
{
  HlOverviewView view = { .label = -1, .predicted = -1 };
  g_autoptr (HlOverview) overview = find_overview (m, error);
  if (overview == NULL)
    return FALSE;
  int n = hl_overview_get_n (overview);
  view.color = hl_overview_telling_color (overview);
  m->of = g_strdup_printf (ngettext ("%d input", "%d inputs", (gulong) n), n);
  if (g_str_equal (m->o->chart, "confusion"))
    m->score_map = hl_present_confusion (overview, NULL);
  else
    g_ptr_array_add (m->charts, hl_present_overview (overview, &view, -1, NULL));
  return TRUE;
}

/* ---- saliency ------------------------------------------------------------------------
 */

/* (transfer none): the newest of this trace that is @id, or @other (nullable), and has
 * @array (nullable); NULL with @error, which names @what makes one. */
static HlSessionResult *
find_result (const Figure *m,
             const HlTrace *trace,
             const char *id,
             const char *other,
             const char *array,
             const char *what,
             GError **error)
{
  for (guint i = hl_session_get_n_results (m->session); i > 0; i--)
    {
      HlSessionResult *result = hl_session_get_result (m->session, i - 1);
      gboolean is_one =
          g_str_equal (result->id, id) || g_strcmp0 (result->id, other) == 0;
      if (is_one && hl_result_is_of_trace (result, trace) &&
          (array == NULL || hl_session_result_get_array (result, array) != NULL))
        return result;
    }
  g_set_error (error, HL_ERROR, HL_ERROR_MISSING,
               "no such result of this trace in this session: headlight analyze %s makes "
               "one",
               what);
  return NULL;
}

static gboolean
make_saliency (
    Figure *m, HlTrace *trace, HlHeadKey head, const HlProgress *progress, GError **error)
{
  const char *kind = m->o->chart;
  gboolean is_own = g_str_equal (kind, "saliency");
  HlSessionResult *result =
      is_own
          ? find_result (m, trace, HL_RESULT_SALIENCY, HL_RESULT_CROSS, NULL,
                         HL_RESULT_SALIENCY, error)
          : find_result (m, trace, HL_RESULT_CROSS, NULL, NULL, HL_RESULT_CROSS, error);
  if (result == NULL)
    return FALSE;
  m->score_map = g_str_equal (kind, "agreement")
                     ? hl_present_agreement (result, error)
                     : hl_present_saliency (result, kind, &m->view, error);
  return m->score_map != NULL;
}

/* Both ways side by side. */
static gboolean
make_left (
    Figure *m, HlTrace *trace, HlHeadKey head, const HlProgress *progress, GError **error)
{
  HlSessionResult *result =
      find_result (m, trace, HL_RESULT_CROSS, NULL, "deletion_curve",
                   HL_RESULT_CROSS " --deletion", error);
  for (int inserts = 0; inserts < 2 && result != NULL; inserts++)
    {
      HlChartScene *chart = hl_present_left (result, inserts, error);
      if (chart == NULL)
        return FALSE;
      g_ptr_array_add (m->charts, chart);
    }
  return result != NULL;
}

static gboolean
make_beside (
    Figure *m, HlTrace *trace, HlHeadKey head, const HlProgress *progress, GError **error)
{
  if (!figure_take_comparison (m, trace, progress, error))
    return FALSE;
  if (g_str_equal (m->o->chart, "disagreement"))
    m->score_map = hl_compare_disagreement (&m->compare);
  else
    g_ptr_array_add (m->charts, hl_compare_scatter (&m->compare));
  return TRUE;
}

/* ---- all -----------------------------------------------------------------------------
 */

static const struct
{
  const char *name;
  gboolean (*make) (Figure *m,
                    HlTrace *trace,
                    HlHeadKey head,
                    const HlProgress *progress,
                    GError **error);
} makers[] = {
  { "bars", make_scores },           { "sorted", make_scores },
  { "dots", make_scores },           { "map", make_scores },
  { "hops", make_scores },           { "patterns", make_patterns },
  { "cls-patterns", make_patterns }, { "overview", make_overview },
  { "confusion", make_overview },    { "saliency", make_saliency },
  { "attention", make_saliency },    { "agreement", make_saliency },
  { "curves", make_left },           { "disagreement", make_beside },
  { "scatter", make_beside },
};

gboolean
figure_knows_chart (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (makers); i++)
    if (g_str_equal (makers[i].name, name))
      return TRUE;
  return FALSE;
}

gboolean
figure_make_chart (
    Figure *m, HlTrace *trace, HlHeadKey head, const HlProgress *progress, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (makers); i++)
    if (g_str_equal (makers[i].name, m->o->chart != NULL ? m->o->chart : "bars"))
      return makers[i].make (m, trace, head, progress, error);
  g_return_val_if_reached (FALSE);
}
