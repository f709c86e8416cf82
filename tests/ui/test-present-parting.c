/* SPDX-License-Identifier: MIT
 * Where attention and saliency part: differences, dots, captions, copies. */
#include "synthetic.h"

#include "presenters/hl-present-compare.h"

#include <math.h>
#include <string.h>

#define N 2 /* outputs */
#define M 4 /* tokens; the last does not count */

static const double attention[N * M] = { 0.1, 0.2, 0.6, NAN, 0.5, 0.3, 0.1, NAN };
static const double others[N * M] = { 0.7, 0.1, 0.1, NAN, 0.2, 0.2, 0.5, NAN };
static const double saliency[N * M] = { 3, 1, 2, NAN, 9, 1, 5, NAN };
static const char *const names[N] = { "K", "Æ" };
static const char *const letters[M] = { "k", "a", "t", "</s>" };

/* ---- what is compared ----------------------------------------------------------------
 */

static double *
copy (const double *x, int n)
{
  return g_memdup2 (x, sizeof *x * (gsize) n);
}

static HlSaliencySet *
make_set (void)
{
  HlSaliencySet *set = g_new0 (HlSaliencySet, 1);
  set->options = (HlSaliencyOptions){ .method = HL_SALIENCY_INTEGRATED,
                                      .baseline = HL_BASELINE_MEAN };
  set->rows = g_ptr_array_new ();
  set->names = g_ptr_array_new ();
  set->tokens = hl_token_table_new (M);
  for (int i = 0; i < N; i++)
    g_ptr_array_add (set->names, (gpointer) names[i]);
  for (int j = 0; j < M; j++)
    {
      g_free (set->tokens->tokens[j].text);
      set->tokens->tokens[j].text = g_strdup (letters[j]);
    }
  return set;
}

/* r of all heads is 0.3, r of the outputs 0.4 and 0.5. */
static HlCrossResult *
make_result (gboolean is_raw)
{
  const double r[N] = { 0.4, 0.5 };
  HlCrossResult *result = g_new0 (HlCrossResult, 1);
  g_atomic_ref_count_init (&result->refs);
  result->set = make_set ();
  result->options.is_raw = is_raw;
  result->comparison = g_new0 (HlCrossComparison, 1);
  *result->comparison = (HlCrossComparison){
    .n_layers = 1,
    .n_heads = 2,
    .n_targets = N,
    .n_keys = M,
    .pearson_all = 0.3,
    .by_target = copy (r, N),
    .attention = copy (attention, N * M),
    .saliency = copy (saliency, N * M),
  };
  result->checks = g_array_new (FALSE, FALSE, sizeof (HlSpesCheck));
  return result;
}

/* Of other heads: r is -0.25. */
static HlCrossMap *
make_map (void)
{
  const double r[N] = { -0.1, -0.2 };
  HlCrossMap *map = g_new0 (HlCrossMap, 1);
  *map = (HlCrossMap){ N, M, copy (others, N * M), -0.25, -0.3, copy (r, N) };
  return map;
}

static HlCompare
see (HlCrossResult *result, HlCrossMap *map)
{
  return (HlCompare){ .trace = synthetic_trace_new (1, 2, FALSE, synthetic_text (M)),
                      .result = result,
                      .map = map,
                      .target = -1,
                      .heads = map != NULL ? "head 0.1" : NULL };
}

static void
forget (const HlCompare *c)
{
  hl_trace_unref ((HlTrace *) c->trace);
  hl_cross_result_unref ((HlCrossResult *) c->result);
  hl_cross_map_free ((HlCrossMap *) c->map);
}

static double
z_of (const double *row, int j)
{
  double mean = 0, squares = 0;
  for (int k = 0; k < M - 1; k++)
    mean += row[k] / (M - 1);
  for (int k = 0; k < M - 1; k++)
    squares += (row[k] - mean) * (row[k] - mean) / (M - 1);
  return (row[j] - mean) / sqrt (squares);
}

/* ---- as a map ------------------------------------------------------------------------
 */

/* z-scored, however the maps were correlated; of whose attention stands above. */
static void
test_disagreement (void)
{
  for (int of_heads = 0; of_heads < 2; of_heads++)
    {
      HlCompare c = see (make_result (TRUE), of_heads ? make_map () : NULL);
      const double *shown = of_heads ? others : attention;
      g_autoptr (HlMatrixScene) scene = hl_compare_disagreement (&c);
      double most = 0;
      /* The last token counts in no row. */
      g_assert_cmpint (scene->columns.n, ==, M - 1);
      g_assert_cmpint (scene->n_values_columns, ==, M - 1);
      for (int i = 0; i < N; i++)
        for (int j = 0; j < M - 1; j++)
          {
            double wanted = z_of (shown + i * M, j) - z_of (saliency + i * M, j);
            double found = (double) scene->values[i * (M - 1) + j];
            g_assert_cmpfloat_with_epsilon (found, wanted, 1e-6);
            most = fmax (most, fabs (wanted));
          }
      g_assert_cmpint (scene->scale.colormap, ==, HL_COLORMAP_DIVERGING);
      g_assert_cmpfloat_with_epsilon (scene->scale.high, most, 1e-6);
      g_assert_cmpfloat_with_epsilon (scene->scale.low, -most, 1e-6);
      g_assert_cmpstr (scene->rows.labels[1], ==, "Æ");
      g_assert_cmpstr (scene->columns.labels[2], ==, "t");
      const char *const says[] = { "The last token (1), which does not count",
                                   "Positive: attention says more",
                                   "the size of saliency (Integrated gradients, baseline "
                                   "mean)",
                                   of_heads ? "attention (head 0.1)"
                                            : "attention (mean of all 2 heads)" };
      for (guint i = 0; i < G_N_ELEMENTS (says); i++)
        g_assert_nonnull (strstr (scene->caption, says[i]));
      forget (&c);
    }
}

/* ---- as dots -------------------------------------------------------------------------
 */

static void
check_dots (const HlChartSeries *dots, const double *shown, gboolean is_raw)
{
  g_assert_cmpint (dots->n, ==, N * M);
  g_assert_false (dots->is_cloud);
  for (int i = 0; i < N * M; i++)
    {
      const double *a = shown + i / M * M, *s = saliency + i / M * M;
      int j = i % M;
      g_assert_true (isnan (dots->y[i]) == (j == M - 1));
      if (j == M - 1)
        continue;
      g_assert_cmpfloat_with_epsilon (dots->y[i], is_raw ? a[j] : z_of (a, j), 1e-9);
      g_assert_cmpfloat_with_epsilon (dots->x[i], is_raw ? s[j] : z_of (s, j), 1e-9);
    }
  g_assert_true (g_str_has_prefix (dots->names[4], "k of Æ: saliency "));
}

static void
test_scatter (void)
{
  for (int kind = 0; kind < 4; kind++)
    {
      gboolean is_raw = kind % 2, of_heads = kind / 2;
      HlCompare c = see (make_result (is_raw), of_heads ? make_map () : NULL);
      c.target = 1; /* which changes nothing: all outputs are dots */
      g_autoptr (HlChartScene) scene = hl_compare_scatter (&c);
      g_assert_cmpuint (scene->series->len, ==, is_raw ? 1 : 2);
      check_dots (hl_chart_scene_get (scene, 0), of_heads ? others : attention, is_raw);
      g_assert_nonnull (strstr (scene->title, of_heads ? "r = -0.250" : "r = 0.300"));
      g_assert_nonnull (strstr (scene->caption, of_heads ? "r -0.250, r² 0.062, n = 6"
                                                         : "r 0.300, r² 0.090, n = 6"));
      forget (&c);
    }
}

/* ---- words ---------------------------------------------------------------------------
 */

/* r is that of what is looked at: the output's row, or all of them. */
static void
test_caption (void)
{
  for (int kind = 0; kind < 4; kind++)
    {
      gboolean of_one = kind % 2, of_heads = kind / 2;
      HlCompare c = see (make_result (FALSE), of_heads ? make_map () : NULL);
      c.target = of_one ? 1 : -1;
      g_autofree char *caption = hl_compare_caption (&c);
      const char *const says[] = { of_one ? "Of “Æ”: " : "Of all outputs: ",
                                   of_heads ? "head 0.1" : "mean of all 2 heads",
                                   of_one && of_heads ? "r -0.200, r² 0.040"
                                   : of_one           ? "r 0.500, r² 0.250"
                                   : of_heads         ? "r -0.250, r² 0.062"
                                                      : "r 0.300, r² 0.090",
                                   "Integrated gradients, baseline mean" };
      for (guint i = 0; i < G_N_ELEMENTS (says); i++)
        g_assert_nonnull (strstr (caption, says[i]));
      forget (&c);
    }
}

/* ---- a copy --------------------------------------------------------------------------
 */

/* It says the same when what it was made of is gone. */
static void
test_copy (void)
{
  HlCompare c = see (make_result (FALSE), make_map ());
  gboolean region[M] = { FALSE, TRUE, FALSE, FALSE };
  c.region = region;
  c.of_region = 1;
  HlCompare *kept = hl_compare_copy (&c);
  g_autofree char *before = hl_compare_caption (&c);
  double share = hl_compare_region_share (&c, HL_COMPARE_SALIENCY, 0);
  forget (&c);
  memset (region, 0, sizeof region);
  g_autofree char *after = hl_compare_caption (kept);
  g_assert_cmpstr (after, ==, before);
  g_assert_cmpfloat_with_epsilon (share, 1.0 / 6, 1e-12);
  g_assert_cmpfloat (hl_compare_region_share (kept, HL_COMPARE_SALIENCY, 0), ==, share);
  hl_compare_free (kept);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/present-parting/disagreement", test_disagreement);
  g_test_add_func ("/present-parting/scatter", test_scatter);
  g_test_add_func ("/present-parting/caption", test_caption);
  g_test_add_func ("/present-parting/copy", test_copy);
  return g_test_run ();
}
