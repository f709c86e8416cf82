/* SPDX-License-Identifier: MIT
 * What is known of a head, against numbers worked out by hand or in closed form. */
#include "analysis/hl-head-stats.h"
#include "analysis/hl-hops.h"
#include "backend/cpu/hl-cpu.h"
#include "base/hl-error.h"
#include "synthetic.h"

#include <math.h>
#include <string.h>

static void
assert_close (double found, double wanted, double limit)
{
  if (!(fabs (found - wanted) <= limit))
    g_error ("%.9g expected, %.9g found, %.2g allowed", wanted, found, limit);
}

/* @map (T, T) of the only head; @tokens (transfer full). */
static HlHeadStats
stats_of (gint64 T, const float *map, gboolean is_causal, HlTokenTable *tokens)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlTrace) trace = synthetic_trace_new (1, 1, is_causal, tokens);
  synthetic_trace_set_maps (trace, 0, 1, T, T, map);
  g_autoptr (HlAttentionSource) source = hl_attention_source_new (trace);
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, 1);
  HlHeadStats stats;
  gboolean ok = hl_head_stats_compute (source, backend, (HlHeadKey){ 0, 0, 0 }, &stats,
                                       NULL, &error);
  g_assert_no_error (error);
  g_assert_true (ok);
  return stats;
}

/* Every row spreads evenly over the keys that it may see. */
static float *
uniform_map (gint64 T, gboolean is_causal)
{
  float *map = g_new0 (float, (gsize) (T * T));
  for (gint64 i = 0; i < T; i++)
    for (gint64 j = 0; j < (is_causal ? i + 1 : T); j++)
      map[i * T + j] = (float) (1.0 / (double) (is_causal ? i + 1 : T));
  return map;
}

/* The mean distance of two cells of a grid drawn at random, by counting offsets. */
static double
mean_grid_distance (int n_rows, int n_columns)
{
  double sum = 0, cells = n_rows * n_columns;
  for (int dr = 1 - n_rows; dr < n_rows; dr++)
    for (int dc = 1 - n_columns; dc < n_columns; dc++)
      sum += (n_rows - abs (dr)) * (n_columns - abs (dc)) * sqrt (dr * dr + dc * dc);
  return sum / (cells * cells);
}

static void
test_uniform_grid (void)
{
  static const int grids[][2] = { { 2, 2 }, { 4, 4 }, { 3, 5 }, { 18, 16 } };
  assert_close (mean_grid_distance (2, 2), (2 + sqrt (2)) / 4, 1e-12);
  for (guint g = 0; g < G_N_ELEMENTS (grids); g++)
    {
      int n_rows = grids[g][0], n_columns = grids[g][1];
      gint64 T = 1 + n_rows * n_columns;
      g_autofree float *map = uniform_map (T, FALSE);
      HlHeadStats s =
          stats_of (T, map, FALSE, synthetic_cls_and_grid (n_rows, n_columns));
      assert_close (s.row_entropy, 1, 1e-6);
      assert_close (s.mean_distance, mean_grid_distance (n_rows, n_columns), 1e-5);
      assert_close (s.sink_share, 1.0 / (double) T, 1e-6);
      assert_close (s.max, 1.0 / (double) T, 1e-8);
      g_assert_cmpint (s.max_query, ==, 0);
      g_assert_cmpint (s.max_key, ==, 0);
    }
}

static void
test_identity (void)
{
  float map[10 * 10] = { 0 };
  for (int i = 0; i < 10; i++)
    map[i * 10 + i] = 1;
  HlHeadStats s = stats_of (10, map, FALSE, synthetic_cls_and_grid (3, 3));
  assert_close (s.row_entropy, 0, 0);
  assert_close (s.mean_distance, 0, 0);
  assert_close (s.sink_share, 0, 0);
  assert_close (s.max, 1, 0);
}

/* The i-th row sees i + 1 keys, i/2 away on average; the sink gets 1/(i + 1) of it. */
static void
test_causal_uniform (void)
{
  static const int lengths[] = { 2, 17, 300 };
  for (guint n = 0; n < G_N_ELEMENTS (lengths); n++)
    {
      int T = lengths[n];
      double sink = 0;
      for (int i = 1; i < T; i++)
        sink += 1.0 / (i + 1) / (T - 1);
      g_autofree float *map = uniform_map (T, TRUE);
      HlHeadStats s = stats_of (T, map, TRUE, synthetic_text (T));
      assert_close (s.row_entropy, 1, 1e-6);
      assert_close (s.mean_distance, (T - 1) / 4.0, 1e-4);
      assert_close (s.sink_share, sink, 1e-6);
      assert_close (s.max, 1, 0);
    }
}

/* A causal head that looks at the token before. */
/* With a window a row is even over the keys in it: by hand for every length and width, of
 * rows of the map and of the profile over hops. */
static void
check_window (int T, int window, gboolean is_causal)
{
  g_autofree float *map = g_new0 (float, (gsize) (T * T));
  g_autoptr (GError) error = NULL;
  g_autoptr (HlTokenTable) tokens = synthetic_text (T);
  g_autoptr (HlTrace) trace =
      synthetic_trace_new (1, 1, is_causal, hl_token_table_ref (tokens));
  HlStack *stack = g_ptr_array_index (trace->model->stacks, 0);
  stack->layers[0].window = window;
  HlHopMaker *hops = hl_hop_maker_new_for (tokens, &stack->layers[0]);
  for (int i = 0; i < T; i++)
    {
      int n = 0;
      for (int j = 0; j < T; j++)
        n += abs (i - j) < window && (j <= i || !is_causal);
      for (int j = 0; j < T; j++)
        if (abs (i - j) < window && (j <= i || !is_causal))
          map[i * T + j] = 1 / (float) n;
      hl_hop_maker_add_row (hops, map + i * T, i);
    }
  synthetic_trace_set_maps (trace, 0, 1, T, T, map);
  g_autoptr (HlAttentionSource) source = hl_attention_source_new (trace);
  HlHeadStats s;
  hl_head_stats_compute (source, NULL, (HlHeadKey){ 0, 0, 0 }, &s, NULL, &error);
  g_assert_no_error (error);
  if (T > 1 && window > 1)
    assert_close (s.row_entropy, 1, 1e-6);
  g_autoptr (HlHopProfile) profile = hl_hop_maker_end (hops);
  for (int b = 0; b < profile->n_hops; b++)
    if (profile->edges[b] < window)
      assert_close (profile->strength[b], profile->uniform[b], 1e-6);
    else
      g_assert_true (isnan (profile->strength[b]));
}

static void
test_window_uniform (void)
{
  static const int lengths[] = { 2, 5, 17, 70 };
  static const int windows[] = { 1, 2, 4, 16, 100 };
  for (guint n = 0; n < G_N_ELEMENTS (lengths); n++)
    for (guint w = 0; w < G_N_ELEMENTS (windows); w++)
      {
        check_window (lengths[n], windows[w], TRUE);
        check_window (lengths[n], windows[w], FALSE);
      }
}

static void
test_previous_token (void)
{
  float map[8 * 8] = { 0 };
  map[0] = 1;
  for (int i = 1; i < 8; i++)
    map[i * 8 + i - 1] = 1;
  HlHeadStats s = stats_of (8, map, TRUE, synthetic_text (8));
  assert_close (s.row_entropy, 0, 0);
  assert_close (s.mean_distance, 7 / 8.0, 1e-9);
  assert_close (s.sink_share, 1 / 7.0, 1e-9);
}

/* CLS and two patches side by side. Entropies of the rows 0.946395, 0.817346 and
 * 0.864974 (of ln 3); distances 0.3/0.9 and 0.2/0.8; sinks 0.1 and 0.2. */
static void
test_by_hand (void)
{
  static const float map[] = { 0.5f, 0.25f, 0.25f, 0.1f, 0.6f, 0.3f, 0.2f, 0.2f, 0.6f };
  HlHeadStats s = stats_of (3, map, FALSE, synthetic_cls_and_grid (1, 2));
  assert_close (s.row_entropy, (0.946395 + 0.817346 + 0.864974) / 3, 2e-6);
  assert_close (s.mean_distance, (1 / 3.0 + 0.25) / 2, 1e-6);
  assert_close (s.sink_share, 0.15, 1e-6);
  assert_close (s.max, 0.6, 1e-7);
  g_assert_cmpint (s.max_query, ==, 1);
  g_assert_cmpint (s.max_key, ==, 1);
}

/* The whole row on CLS: a query that says nothing of distance is left out. */
static void
test_all_on_cls (void)
{
  static const float map[] = { 1, 0, 0, 1, 0, 0, 0.5f, 0.5f, 0 };
  HlHeadStats s = stats_of (3, map, FALSE, synthetic_cls_and_grid (1, 2));
  assert_close (s.mean_distance, 1, 0);
  assert_close (s.sink_share, 0.75, 0);
}

static void
test_nothing_to_measure (void)
{
  static const float one[] = { 1 };
  static const float sinks[] = { 1, 0, 0, 1, 0, 0, 1, 0, 0 };
  HlHeadStats s = stats_of (1, one, FALSE, NULL);
  g_assert_true (isnan (s.row_entropy));
  g_assert_true (isnan (s.mean_distance));
  g_assert_true (isnan (s.sink_share));
  assert_close (s.max, 1, 0);
  s = stats_of (3, sinks, FALSE, synthetic_cls_and_grid (1, 2));
  g_assert_true (isnan (s.mean_distance));
}

/* The largest entry beyond the first band of rows, and of two equal ones the first. */
static void
test_largest (void)
{
  gint64 T = 601;
  g_autofree float *map = uniform_map (T, FALSE);
  map[290 * T + 31] = 0.25f;
  map[290 * T + 600] = 0.25f;
  map[577 * T + 2] = 0.25f;
  HlHeadStats s = stats_of (T, map, FALSE, synthetic_text ((int) T));
  assert_close (s.max, 0.25, 0);
  g_assert_cmpint (s.max_query, ==, 290);
  g_assert_cmpint (s.max_key, ==, 31);
}

static void
test_errors (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree float *map = uniform_map (4, FALSE);
  g_autoptr (HlTrace) trace = synthetic_trace_new (1, 1, FALSE, NULL);
  synthetic_trace_set_maps (trace, 0, 1, 4, 4, map);
  g_autoptr (HlAttentionSource) source = hl_attention_source_new (trace);
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, 1);
  HlHeadStats s;
  g_assert_false (
      hl_head_stats_compute (source, backend, (HlHeadKey){ 0, 0, 1 }, &s, NULL, &error));
  g_assert_error (error, HL_ERROR, HL_ERROR_MISSING);
  g_assert_nonnull (strstr (error->message, "head 0.1"));
  g_clear_error (&error);
  g_autoptr (GCancellable) cancelled = g_cancellable_new ();
  g_cancellable_cancel (cancelled);
  g_assert_false (hl_head_stats_compute (source, backend, (HlHeadKey){ 0, 0, 0 }, &s,
                                         cancelled, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/head-stats/uniform-grid", test_uniform_grid);
  g_test_add_func ("/head-stats/identity", test_identity);
  g_test_add_func ("/head-stats/causal-uniform", test_causal_uniform);
  g_test_add_func ("/head-stats/window-uniform", test_window_uniform);
  g_test_add_func ("/head-stats/previous-token", test_previous_token);
  g_test_add_func ("/head-stats/by-hand", test_by_hand);
  g_test_add_func ("/head-stats/all-on-cls", test_all_on_cls);
  g_test_add_func ("/head-stats/nothing-to-measure", test_nothing_to_measure);
  g_test_add_func ("/head-stats/largest", test_largest);
  g_test_add_func ("/head-stats/errors", test_errors);
  return g_test_run ();
}
