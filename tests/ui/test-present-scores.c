/* SPDX-License-Identifier: MIT
 * From scores to charts: order, colours, intervals, marks, words. */
#include "presenters/hl-present-scores.h"

#include <math.h>
#include <string.h>

/* Two layers of 2 and 3 heads; input i: LOSS_CHANGE of head h (among all) = sign * h + i
 * with the sign of even heads negative; TAYLOR is 2 h. */
static HlHeadScores *
make (HlModelInfo *info, int n_inputs)
{
  HlStack *stack = hl_model_info_add_stack (info, "", 2);
  for (int l = 0; l < 2; l++)
    stack->layers[l] = (HlLayerInfo){ HL_ATTENTION_SELF, 2 + l, 2 + l, 4, FALSE };
  HlHeadScores *s = hl_head_scores_new (stack);
  for (int i = 0; i < n_inputs; i++)
    {
      hl_head_scores_begin_input (s, "x", "");
      for (int h = 0; h < 5; h++)
        {
          int l = h >= 2, head = h - 2 * l;
          hl_head_scores_set (s, HL_SCORE_LOSS_CHANGE, l, head,
                              (h % 2 == 0 ? -h : h) + 0.1 * i);
          hl_head_scores_set (s, HL_SCORE_TAYLOR, l, head, 2 * h);
          hl_head_scores_set (s, HL_SCORE_HOP_ENTROPY, l, head, i);
        }
    }
  return s;
}

static void
test_bars (void)
{
  g_autoptr (HlModelInfo) info = hl_model_info_new ();
  g_autoptr (HlHeadScores) s = make (info, 3);
  g_autofree int *order = NULL;
  g_autoptr (HlChartScene) scene = hl_present_head_bars (s, HL_SCORE_LOSS_CHANGE, FALSE,
                                                         (HlHeadKey){ 0, 1, 1 }, &order);
  const HlChartSeries *bars = hl_chart_scene_get (scene, 0);
  g_assert_cmpint (bars->n, ==, 5);
  g_assert_cmpint (scene->selected, ==, 3);
  g_assert_cmpint (scene->colormap, ==, HL_COLORMAP_DIVERGING);
  g_assert_cmpint (scene->ticks->len, ==, 2);
  g_assert_cmpfloat (g_array_index (scene->ticks, HlChartTick, 1).at, ==, 3);
  for (int i = 0; i < 5; i++)
    {
      double mean = (i % 2 == 0 ? -i : i) + 0.1;
      g_assert_cmpint (order[i], ==, i);
      g_assert_cmpfloat (fabs (bars->y[i] - mean), <, 1e-12);
      g_assert_cmpfloat (bars->low[i], <, mean);
      g_assert_cmpfloat (bars->high[i], >, mean);
      g_assert_true (mean >= 0 ? bars->shades[i] > 0.5 : bars->shades[i] < 0.5);
    }
  g_assert_nonnull (strstr (bars->names[3], "1.1: 3.1 (95 %: "));
  g_assert_nonnull (strstr (bars->names[3], "n = 3"));
  g_assert_cmpfloat (fabs (scene->rule - (-0 + 1 - 2 + 3 - 4 + 0.5) / 5.0), <, 1e-12);
  g_assert_nonnull (strstr (scene->x_title, "3 inputs"));
}

static void
test_sorted (void)
{
  static const int wanted[] = { 3, 1, 0, 2, 4 };
  g_autoptr (HlModelInfo) info = hl_model_info_new ();
  g_autoptr (HlHeadScores) s = make (info, 1);
  g_autofree int *order = NULL;
  g_autoptr (HlChartScene) scene = hl_present_head_bars (s, HL_SCORE_LOSS_CHANGE, TRUE,
                                                         (HlHeadKey){ 0, 0, 1 }, &order);
  for (int i = 0; i < 5; i++)
    g_assert_cmpint (order[i], ==, wanted[i]);
  g_assert_cmpint (scene->selected, ==, 1);
  g_assert_null (hl_chart_scene_get (scene, 0)->low);
}

static void
test_map (void)
{
  g_autoptr (HlModelInfo) info = hl_model_info_new ();
  g_autoptr (HlHeadScores) s = make (info, 1);
  g_autoptr (HlMatrixScene) map =
      hl_present_score_map (s, HL_SCORE_LOSS_CHANGE, (HlHeadKey){ 0, 1, 2 });
  g_assert_cmpint (map->n_values_rows, ==, 2);
  g_assert_cmpint (map->n_values_columns, ==, 3);
  g_assert_true (isnan (map->values[2])); /* layer 0 has two heads */
  g_assert_cmpfloat (map->values[5], ==, -4);
  g_assert_cmpfloat (map->scale.low, ==, -4); /* symmetric about 0 */
  g_assert_cmpfloat (map->scale.high, ==, 4);
  g_assert_cmpint (map->selected_row, ==, 1);
  g_assert_cmpint (map->selected_column, ==, 2);
}

static void
test_scatter (void)
{
  g_autoptr (HlModelInfo) info = hl_model_info_new ();
  g_autoptr (HlHeadScores) s = make (info, 1);
  g_autoptr (HlChartScene) scene =
      hl_present_scatter (s, HL_SCORE_TAYLOR, s, HL_SCORE_TAYLOR, (HlHeadKey){ 0, 0, 0 });
  g_assert_nonnull (strstr (scene->title, "Spearman 1.00"));
  g_assert_cmpfloat (hl_chart_scene_get (scene, 0)->x[4], ==, 8);
  g_assert_cmpint (scene->selected, ==, 0);
}

static void
test_density (void)
{
  g_autoptr (HlModelInfo) info = hl_model_info_new ();
  g_autoptr (HlHeadScores) s = make (info, 10);
  g_autoptr (HlChartScene) scene =
      hl_present_density (s, HL_SCORE_HOP_ENTROPY, (HlHeadKey){ 0, 0, 0 }, 9);
  const HlChartSeries *steps = hl_chart_scene_get (scene, 0);
  double sum = 0;
  for (int i = 0; i < steps->n; i += 2)
    sum += steps->y[i];
  g_assert_cmpfloat (sum, ==, 10);
  g_assert_cmpfloat (scene->marker, ==, 9);
  g_assert_nonnull (strstr (scene->marker_label, "95 %")); /* nine below, one equal */
  g_autoptr (HlChartScene) none =
      hl_present_density (s, HL_SCORE_FLIP, (HlHeadKey){ 0, 0, 0 }, NAN);
  g_assert_cmpint (none->series->len, ==, 0);
}

static void
test_hops (void)
{
  g_autoptr (HlModelInfo) info = hl_model_info_new ();
  g_autoptr (HlHeadScores) s = make (info, 2);
  g_assert_null (hl_present_hops (s, (HlHeadKey){ 0, 1, 0 }, HL_HOPS_LIFT, TRUE));
  s->n_hops = 2;
  s->n_hop_inputs = 2;
  s->hops = g_new0 (double, 10);
  s->hop_mass = g_new0 (double, 10);
  s->hop_uniform = g_new0 (double, 2);
  s->hop_edges = g_new0 (int, 3);
  s->hop_edges[1] = 3;
  s->hop_edges[2] = 5;
  s->hops[5] = 0.4;
  s->hop_mass[5] = 1;
  s->hop_uniform[0] = s->hop_uniform[1] = 0.1;
  static const double wanted[] = { 0.2, 4, 0.5 };
  for (int mode = 0; mode < HL_N_HOPS_MODES; mode++)
    {
      g_autoptr (HlChartScene) scene =
          hl_present_hops (s, (HlHeadKey){ 0, 1, 0 }, (HlHopsMode) mode, FALSE);
      g_assert_cmpfloat (fabs (hl_chart_scene_get (scene, 0)->y[1] - wanted[mode]), <,
                         1e-12);
      g_assert_cmpstr (g_array_index (scene->ticks, HlChartTick, 1).label, ==, "3–4");
    }
}

static void
test_parts (void)
{
  static const char *const names[] = { "cat", "dog", NULL };
  HlPartial p = { .layer = 1, .head = 2, .target = 1, .V = 2 };
  double log_probs[HL_N_PARTS * 2];
  for (int i = 0; i < HL_N_PARTS; i++)
    {
      p.parts[i] = (HlPart) i;
      log_probs[2 * i] = log (0.1 * (i + 1));
      log_probs[2 * i + 1] = log (1 - 0.1 * (i + 1));
    }
  p.log_probs = log_probs;
  g_autoptr (HlChartScene) scene = hl_present_parts (&p, names);
  const HlChartSeries *bars = hl_chart_scene_get (scene, 0);
  g_assert_cmpfloat (fabs (bars->y[2] - 0.7), <, 1e-12);
  const char *dog = strstr (bars->names[0], "dog 0.900");
  g_assert_nonnull (dog);
  g_assert_true (dog < strstr (bars->names[0], "cat 0.100"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/present-scores/bars", test_bars);
  g_test_add_func ("/present-scores/sorted", test_sorted);
  g_test_add_func ("/present-scores/map", test_map);
  g_test_add_func ("/present-scores/scatter", test_scatter);
  g_test_add_func ("/present-scores/density", test_density);
  g_test_add_func ("/present-scores/hops", test_hops);
  g_test_add_func ("/present-scores/parts", test_parts);
  return g_test_run ();
}
