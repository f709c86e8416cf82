/* SPDX-License-Identifier: MIT
 * Estimates of long maps: a few queries of each row of cells, and what the others take
 * over. */
#include "backend/cpu/hl-cpu.h"
#include "presenters/hl-summary.h"
#include "scene/hl-scene.h"
#include "synthetic.h"

#include <math.h>

/* Rows of cells without any query take over those above; cells that no query may see stay
 * empty, and so does the first row. */
static void
test_rows_left_out (void)
{
  const gint64 T = 4 * HL_THUMB_SIDE_MAX;
  const int side = HL_THUMB_SIDE_MAX;
  g_autofree float *row = g_new (float, (gsize) T);
  HlHeadPicture picture;
  HlHeadPictureMaker *maker = hl_head_picture_maker_new (NULL, NULL, T, T, FALSE);
  for (gint64 j = 0; j < T; j++)
    row[j] = (float) (j + 1) / 1024;
  hl_head_picture_maker_begin (maker, &picture);
  hl_head_picture_maker_add_row (maker, row, 4 * 2 + 1,
                                 (HlKeySpan){ 0, 4 * 2 + 2 }); /* cells of row 2 */
  hl_head_picture_maker_add_row (maker, row, 4 * 5, (HlKeySpan){ 0, 4 * 5 + 1 });
  hl_head_picture_maker_end (maker);
  g_assert_cmpint (picture.pool, ==, 4);
  g_assert_cmpint (picture.n_rows, ==, side);
  for (int r = 0; r < side; r++)
    for (int c = 0; c < side; c++)
      {
        float found = picture.values[r * side + c];
        gint64 seen = r < 2 ? 0 : r < 5 ? 10 : 21; /* keys of the row that counts */
        gint64 last = MIN (4 * (c + 1), seen);
        if (4 * c >= seen)
          g_assert_true (isnan (found));
        else
          g_assert_cmpfloat (found, ==, row[last - 1]);
      }
  g_assert_cmpfloat (picture.max, ==, (double) row[20]);
  g_free (picture.values);
  hl_head_picture_maker_free (maker);
}

/* One head; its largest entry lies where an estimate does not look, a smaller one where
 * it does. */
static HlTrace *
long_trace (gint64 T)
{
  g_autofree float *map = g_new (float, (gsize) (T * T));
  HlTrace *trace = synthetic_trace_new (1, 1, FALSE, synthetic_text ((int) T));
  for (gint64 i = 0; i < T * T; i++)
    map[i] = 1 / (float) T;
  map[5 * T + 3] = 0.9F;
  map[9 * T + 7] = 0.5F;
  synthetic_trace_set_maps (trace, 0, 1, T, T, map);
  return trace;
}

static void
test_guess (void)
{
  const gint64 T = 20 * HL_THUMB_SIDE_MAX; /* 20 queries a row of cells, 8 to 11 read */
  const int side = HL_THUMB_SIDE_MAX;
  g_autoptr (GError) error = NULL;
  g_autoptr (HlTrace) trace = long_trace (T);
  g_autoptr (HlAttentionSource) source = hl_attention_source_new (trace);
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, 1);
  g_autoptr (HlLayerSummary) guess =
      hl_layer_summary_new (source, backend, 0, 0, TRUE, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (HlLayerSummary) exact =
      hl_layer_summary_new (source, backend, 0, 0, FALSE, NULL, &error);
  g_assert_no_error (error);
  const HlHeadSummary *a = &guess->heads[0], *b = &exact->heads[0];
  g_assert_false (a->is_exact);
  g_assert_true (b->is_exact);
  g_assert_cmpfloat (a->whole.max, ==, (double) 0.5F);
  g_assert_cmpfloat (b->whole.max, ==, (double) 0.9F);
  g_assert_cmpint (a->whole.n_rows, ==, side);
  g_assert_cmpfloat (a->whole.values[0], ==, 0.5F);
  g_assert_cmpfloat (b->whole.values[0], ==, 0.9F);
  for (int i = 1; i < side * side; i++)
    {
      g_assert_cmpfloat (a->whole.values[i], ==, 1 / (float) T);
      g_assert_cmpfloat (b->whole.values[i], ==, 1 / (float) T);
    }
  g_assert_cmpint (a->stats.max_query, ==, 9);
  g_assert_cmpint (b->stats.max_query, ==, 5);
  g_assert_cmpfloat_with_epsilon (a->stats.sink_share, 1 / (double) T, 1e-9);
}

/* What counts is the work of all heads: of a few a long map is quick, of many it is not.
 */
static void
test_is_slow (void)
{
  g_autoptr (HlTrace) trace = long_trace (20 * HL_THUMB_SIDE_MAX);
  g_autoptr (HlAttentionSource) source = hl_attention_source_new (trace);
  HlLayerInfo *layer = &hl_model_info_get_stack (trace->model, 0)->layers[0];
  g_assert_false (hl_summary_is_slow (source, 0));
  layer->n_heads = 100;
  g_assert_true (hl_summary_is_slow (source, 0));
  layer->n_heads = 1;
}

/* A map that is small enough is read whole; then an estimate has nothing to guess. */
static void
test_small_guess (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlTrace) trace = long_trace (HL_THUMB_SIDE_MAX + 1);
  g_autoptr (HlAttentionSource) source = hl_attention_source_new (trace);
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, 1);
  g_autoptr (HlLayerSummary) guess =
      hl_layer_summary_new (source, backend, 0, 0, TRUE, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpfloat (guess->heads[0].whole.max, ==, (double) 0.9F);
  for (int i = 0; i < guess->heads[0].whole.n_rows * guess->heads[0].whole.n_columns; i++)
    g_assert_false (isnan (guess->heads[0].whole.values[i]));
  g_assert_false (hl_summary_is_slow (source, 0));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/present-guess/rows-left-out", test_rows_left_out);
  g_test_add_func ("/present-guess/guess", test_guess);
  g_test_add_func ("/present-guess/small-guess", test_small_guess);
  g_test_add_func ("/present-guess/is-slow", test_is_slow);
  return g_test_run ();
}
