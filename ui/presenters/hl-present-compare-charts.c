/* SPDX-License-Identifier: MIT
 * Attention and saliency beside each other: charts and the map of heads. */
#include "config.h"

#include "presenters/hl-present-compare.h"

#include <glib/gi18n-lib.h>
#include <math.h>

/* Keys up to which the axis has their words. */
#define WORDS_MOST 24

/* ---- rows ----------------------------------------------------------------------------
 */

static double
place_of (const HlCompare *c, gint64 key)
{
  return hl_compare_kind (c) == HL_COMPARE_RECORDING
             ? hl_compare_get_keys (c)->tokens[key].start
             : (double) key;
}

static void
add_row (HlChartScene *scene, const HlCompare *c, HlCompareSide side, gint64 n)
{
  g_autofree float *shares = hl_compare_shares (c, side);
  HlChartSeries *line = hl_chart_scene_add (scene, HL_CHART_LINE, (int) n);
  line->color = side == HL_COMPARE_SALIENCY ? 1 : 0;
  line->label = g_strdup (side == HL_COMPARE_SALIENCY ? _ ("saliency") : _ ("attention"));
  for (gint64 j = 0; j < n; j++)
    {
      line->x[j] = place_of (c, j);
      line->y[j] = (double) shares[j];
    }
}

HlChartScene *
hl_compare_rows (const HlCompare *c)
{
  const HlTokenTable *keys = hl_compare_get_keys (c);
  gint64 n = hl_compare_n_shown (c);
  g_autofree char *name = hl_compare_name (c, c->target);
  HlChartScene *scene = hl_chart_scene_new ();
  scene->title = c->target < 0 ? g_strdup (_ ("What all outputs rest on"))
                               : g_strdup_printf (_ ("What %s rests on"), name);
  scene->x_title =
      g_strdup (hl_compare_kind (c) == HL_COMPARE_RECORDING ? _ ("time (s)")
                                                            : _ ("token of the input"));
  scene->y_title = g_strdup (_ ("share of the row"));
  scene->y_low = 0;
  scene->caption = hl_compare_describe (c);
  add_row (scene, c, HL_COMPARE_ATTENTION, n);
  add_row (scene, c, HL_COMPARE_SALIENCY, n);
  for (gint64 j = 0; n <= WORDS_MOST && j < n; j++)
    hl_chart_scene_add_tick (scene, (double) j, keys->tokens[j].text);
  return scene;
}

/* ---- by output -----------------------------------------------------------------------
 */

HlChartScene *
hl_compare_by_output (const HlCompare *c)
{
  const HlCrossComparison *all = c->result->comparison;
  const double *r = c->map != NULL ? c->map->by_target : all->by_target;
  int n = all->n_targets;
  HlChartScene *scene = hl_chart_scene_new ();
  HlChartSeries *bars = hl_chart_scene_add (scene, HL_CHART_BARS, n);
  hl_chart_series_add_names (bars);
  for (int t = 0; t < n; t++)
    {
      g_autofree char *name = hl_compare_name (c, t);
      g_autofree char *number = hl_format_number (r[t]);
      bars->x[t] = t;
      bars->y[t] = r[t];
      bars->names[t] = g_strdup_printf (_ ("%s: r %s"), name, number);
      if (n <= WORDS_MOST)
        hl_chart_scene_add_tick (scene, t, hl_cross_result_get_name (c->result, t));
    }
  scene->title = g_strdup (_ ("Agreement by output"));
  scene->x_title = g_strdup (_ ("output"));
  scene->y_title = g_strdup (_ ("Pearson's r"));
  scene->selected = c->target;
  scene->caption = hl_compare_describe (c);
  scene->rule = c->map != NULL ? c->map->pearson : all->pearson_all;
  return scene;
}

/* ---- heads ---------------------------------------------------------------------------
 */

HlMatrixScene *
hl_compare_heads (const HlCompare *c, HlHeadKey head)
{
  const HlCrossComparison *all = c->result->comparison;
  gsize n = (gsize) all->n_layers * (gsize) all->n_heads;
  HlMatrixScene *scene = hl_matrix_scene_new ();
  scene->title = g_strdup (_ ("Agreement of each head"));
  scene->rows = (HlAxis){ .title = g_strdup (_ ("layer")), .n = all->n_layers };
  scene->columns = (HlAxis){ .title = g_strdup (_ ("head")), .n = all->n_heads };
  scene->n_values_rows = all->n_layers;
  scene->n_values_columns = all->n_heads;
  scene->values = g_new (float, n + 1);
  for (gsize i = 0; i < n; i++)
    scene->values[i] = (float) all->pearson[i];
  scene->scale = (HlScale){ HL_COLORMAP_DIVERGING, HL_RANGE_OWN, -1, 1, FALSE, FALSE };
  scene->selected_row = scene->selected_column = -1;
  if (head.stack == all->stack)
    {
      scene->selected_row = head.layer;
      scene->selected_column = head.head;
    }
  return scene;
}

/* ---- convergence ---------------------------------------------------------------------
 */

HlChartScene *
hl_compare_convergence (const GArray *checks, double stable_at)
{
  HlChartScene *scene = hl_chart_scene_new ();
  HlChartSeries *line = hl_chart_scene_add (scene, HL_CHART_LINE, (int) checks->len);
  HlChartSeries *ceiling = hl_chart_scene_add (scene, HL_CHART_LINE, (int) checks->len);
  line->label = g_strdup (_ ("reliability"));
  ceiling->label = g_strdup (_ ("ceiling of r"));
  ceiling->color = HL_CHART_FOREGROUND;
  ceiling->is_dashed = TRUE;
  for (guint i = 0; i < checks->len; i++)
    {
      const HlSpesCheck *check = &g_array_index (checks, HlSpesCheck, i);
      line->x[i] = ceiling->x[i] = check->n_masks;
      line->y[i] = check->reliability;
      ceiling->y[i] = sqrt (fmax (check->reliability, 0));
    }
  scene->title = g_strdup (_ ("Convergence"));
  scene->x_title = g_strdup (_ ("masks"));
  scene->y_title = g_strdup (_ ("of two halves"));
  scene->y_low = 0;
  scene->y_high = 1;
  scene->rule = stable_at > 0 ? stable_at : NAN;
  scene->rule_label = g_strdup (_ ("stable"));
  return scene;
}
