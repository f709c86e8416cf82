/* SPDX-License-Identifier: MIT
 * Attention beside saliency as scenes: means and intervals, words. */
#include "presenters/hl-present-agreement.h"

#include "analysis/hl-faithfulness.h"
#include "analysis/hl-result-reader.h"
#include "base/hl-error.h"

#include <string.h>

#define N 2 /* targets */

static HlSessionResult *
make_result (const char *maps, const char *weights)
{
  json_t *params = json_pack (
      "{s:b, s:s, s:s, s:s, s:s, s:s, s:[s, s, s, s], s:[{s:s}, {s:s}]}", "at_encoder",
      g_str_equal (weights, "norm"), "method", "gradient-input", "baseline", "mean",
      "maps", maps, "weights", weights, "saliency", "by its size", "tokens", "k", "a",
      "t", "</s>", "targets", "name", "K", "name", "Æ");
  char *text = json_dumps (params, JSON_COMPACT);
  HlSessionResult *result = hl_session_result_new (HL_RESULT_CROSS, text, "{}");
  free (text);
  json_decref (params);
  return result;
}

static double
value_at (int order, int target, int share)
{
  return 0.9 - 0.05 * share - 0.1 * order + 0.2 * target;
}

/* Areas are 0.1, 0.2, 0.3, of insertion half more. */
static void
add_faithfulness (HlSessionResult *result, HlFaithfulnessMetric metric, int n)
{
  HlFaithfulness f = { .metric = metric, .n_random = 7, .n_targets = n };
  g_autofree double *curves = g_new (double, 3 * (gsize) n * HL_FAITHFULNESS_SHARES);
  for (int o = 0; o < HL_N_ORDERS; o++)
    {
      for (int t = 0; t < n; t++)
        for (int k = 0; k < HL_FAITHFULNESS_SHARES; k++)
          curves[(o * n + t) * HL_FAITHFULNESS_SHARES + k] = value_at (o, t, k);
      f.deletion_area[o].mean = 0.1 * (o + 1);
      f.insertion_area[o].mean = 0.1 * (o + 1) + 0.5;
    }
  f.deletion = f.insertion = curves;
  hl_faithfulness_add_to (&f, result);
}

static void
test_left (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlSessionResult) result = make_result ("z-scored by row", "map");
  add_faithfulness (result, HL_METRIC_PROBABILITY, N);
  g_autoptr (HlChartScene) scene = hl_present_left (result, FALSE, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (scene->series->len, ==, 3);
  for (guint o = 0; o < 3; o++)
    {
      const HlChartSeries *line = hl_chart_scene_get (scene, o);
      g_assert_cmpint (line->kind, ==, HL_CHART_LINE);
      g_assert_true (line->is_dashed == (o == HL_ORDER_RANDOM));
      for (int k = 0; k < line->n; k++)
        {
          double mean = (value_at ((int) o, 0, k) + value_at ((int) o, 1, k)) / 2;
          g_assert_cmpfloat_with_epsilon (line->x[k], 10 * k, 1e-9);
          g_assert_cmpfloat_with_epsilon (line->y[k], mean, 1e-9);
          g_assert_cmpfloat (line->low[k], <, mean);
          g_assert_cmpfloat (line->high[k], >, mean);
        }
    }
  g_assert_cmpstr (hl_chart_scene_get (scene, 1)->label, ==, "saliency: area 0.200");
  g_assert_cmpstr (scene->y_title, ==, "probability of the target");
  g_assert_cmpfloat (scene->y_high, ==, 1);
  static const char *const says[] = {
    "Mean of 2 targets",      "95 %",
    "chance (mean of 7)",     "lower under deletion",
    "higher under insertion", "Gradient × input, baseline mean"
  };
  for (guint i = 0; i < G_N_ELEMENTS (says); i++)
    g_assert_nonnull (strstr (scene->caption, says[i]));
}

/* One sentence has no interval; the more errors the better the order. */
static void
test_left_of_a_sentence (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlSessionResult) result = make_result ("z-scored by row", "norm");
  add_faithfulness (result, HL_METRIC_WER, 1);
  g_autoptr (HlChartScene) scene = hl_present_left (result, TRUE, &error);
  g_assert_no_error (error);
  g_assert_null (hl_chart_scene_get (scene, 0)->low);
  g_assert_cmpstr (hl_chart_scene_get (scene, 2)->label, ==, "chance: area 0.800");
  g_assert_cmpstr (scene->title, ==, "Insertion");
  g_assert_cmpstr (scene->y_title, ==, "word error rate");
  g_assert_nonnull (strstr (scene->caption, "higher under deletion"));
  g_assert_nonnull (strstr (scene->caption, "norm of A v W_O"));
  g_assert_null (strstr (scene->caption, "bootstrap"));
  g_assert_nonnull (strstr (scene->caption, "at the encoder's output"));
}

static void
test_lacking (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlSessionResult) plain = make_result ("raw", "map");
  g_assert_null (hl_present_left (plain, FALSE, &error));
  g_assert_error (error, HL_ERROR, HL_ERROR_FORMAT);
  g_assert_nonnull (strstr (error->message, "deletion_curve"));
  g_clear_error (&error);
  /* Curves of other shares than there are. */
  const char *const axes[] = { "order", "target", "share", NULL };
  const double some[HL_N_ORDERS * 5] = { 0 }, areas[HL_N_ORDERS * 3] = { 0 };
  g_autoptr (HlTensor) curves =
      hl_tensor_new_copy (HL_DTYPE_F64, HL_SHAPE (HL_N_ORDERS, 1, 5), some);
  hl_session_result_add_array (plain, "deletion_curve", curves, axes, "");
  hl_result_add_array (plain, "deletion_area", HL_DTYPE_F64, HL_SHAPE (HL_N_ORDERS, 3),
                       areas, "order", "interval");
  g_assert_null (hl_present_left (plain, FALSE, &error));
  g_assert_error (error, HL_ERROR, HL_ERROR_FORMAT);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/present-agreement/left", test_left);
  g_test_add_func ("/present-agreement/left-of-a-sentence", test_left_of_a_sentence);
  g_test_add_func ("/present-agreement/lacking", test_lacking);
  return g_test_run ();
}
