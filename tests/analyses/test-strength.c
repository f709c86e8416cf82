/* SPDX-License-Identifier: MIT
 * Profiles over hops and what maps say of heads, against closed forms and numbers worked
 * out by hand; random tokens twice over, on the shipped model. */
#include "analysis/hl-probe.h"
#include "analysis/hl-strength.h"
#include "backend/cpu/hl-cpu.h"
#include "base/hl-error.h"
#include "synthetic.h"

#include <math.h>

static void
near (double found, double wanted, double allowed)
{
  if (!(fabs (found - wanted) <= allowed))
    g_error ("%.9g expected, %.9g found", wanted, found);
}

/* Scores of one head whose map is @map (T, T); @tokens (transfer full). */
static HlHeadScores *
score (gint64 T, const float *map, gboolean is_causal, HlTokenTable *tokens)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlTrace) trace = synthetic_trace_new (1, 1, is_causal, tokens);
  synthetic_trace_set_maps (trace, 0, 1, T, T, map);
  g_autoptr (HlAttentionSource) source = hl_attention_source_new (trace);
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, 1);
  HlHeadScores *scores = hl_head_scores_new (hl_model_info_get_stack (trace->model, 0));
  hl_head_scores_begin_input (scores, "map", "");
  hl_strength_score (scores, source, backend, NULL, &error);
  g_assert_no_error (error);
  return scores;
}

static double
get (const HlHeadScores *s, HlScore score)
{
  return hl_head_scores_get (s, score, 0, 0, 0);
}

static float *
uniform_map (gint64 T, gboolean is_causal)
{
  float *map = g_new0 (float, (gsize) (T * T));
  for (gint64 i = 0; i < T; i++)
    for (gint64 j = 0; j < (is_causal ? i + 1 : T); j++)
      map[i * T + j] = (float) (1.0 / (double) (is_causal ? i + 1 : T));
  return map;
}

static float *
identity_map (gint64 T)
{
  float *map = g_new0 (float, (gsize) (T * T));
  for (gint64 i = 0; i < T; i++)
    map[i * T + i] = 1;
  return map;
}

static void
test_uniform_grid (void)
{
  static const int grids[][2] = { { 14, 14 }, { 4, 4 }, { 3, 5 }, { 1, 6 } };
  for (guint g = 0; g < G_N_ELEMENTS (grids); g++)
    {
      int rows = grids[g][0], columns = grids[g][1], T = 1 + rows * columns;
      g_autofree float *map = uniform_map (T, FALSE);
      g_autoptr (HlHeadScores) s =
          score (T, map, FALSE, synthetic_cls_and_grid (rows, columns));
      g_assert_cmpint (s->n_hops, ==, MAX (rows, columns));
      near (get (s, HL_SCORE_HOP_ENTROPY), log (s->n_hops), 1e-6);
      double mass = 0;
      for (int i = 0; i < s->n_hops; i++)
        {
          near (s->hops[i], 1.0 / T, 1e-8);
          near (s->hop_uniform[i], 1.0 / T, 1e-12);
          mass += s->hop_mass[i];
        }
      near (mass, 1, 1e-12);
    }
}

static void
test_identity (void)
{
  g_autofree float *map = identity_map (17);
  g_autoptr (HlHeadScores) s = score (17, map, FALSE, synthetic_cls_and_grid (4, 4));
  near (s->hops[0], 1, 0);
  for (int i = 1; i < s->n_hops; i++)
    near (s->hops[i], 0, 0);
  near (get (s, HL_SCORE_HOP_ENTROPY), 0, 0);
  near (get (s, HL_SCORE_MEAN_DISTANCE), 0, 0);
  near (get (s, HL_SCORE_CONFIDENCE), 1, 0);
  near (get (s, HL_SCORE_POSITIONAL), 0, 0);
}

/* S[d] = (H_T - H_d) / (T - d); the bins of a text pool several distances. */
static void
test_uniform_causal (void)
{
  enum
  {
    T = 37
  };
  static const int edges[] = { 0, 1, 2, 3, 5, 9, 17, 33, 37 };
  g_autofree float *map = uniform_map (T, TRUE);
  g_autoptr (HlHeadScores) s = score (T, map, TRUE, synthetic_text (T));
  double H[T + 1];
  H[0] = 0;
  for (int n = 1; n <= T; n++)
    H[n] = H[n - 1] + 1.0 / n;
  g_assert_cmpint (s->n_hops, ==, 8);
  for (int b = 0; b < 8; b++)
    {
      double sum = 0, pairs = 0;
      for (int d = edges[b]; d < edges[b + 1]; d++)
        {
          sum += H[T] - H[d];
          pairs += T - d;
        }
      near (s->hops[b], sum / pairs, 1e-7);
      near (s->hop_uniform[b], sum / pairs, 1e-12);
      g_assert_cmpint (s->hop_edges[b], ==, edges[b]);
    }
  near (get (s, HL_SCORE_ROW_ENTROPY), 1, 1e-6);
}

/* Both ways: a text that is not causal has twice the pairs at each distance. */
static void
test_uniform_text (void)
{
  g_autofree float *map = uniform_map (12, FALSE);
  g_autoptr (HlHeadScores) s = score (12, map, FALSE, synthetic_text (12));
  double mass = 0;
  for (int i = 0; i < s->n_hops; i++)
    {
      near (s->hops[i], 1.0 / 12, 1e-8);
      mass += s->hop_mass[i];
    }
  near (mass, 1, 1e-12);
  near (s->hop_mass[1], 2 * 11 / 144.0, 1e-7);
}

/* Every patch looks at the one to its right, those of the last column at themselves. */
static void
test_right_neighbour (void)
{
  enum
  {
    N = 4,
    T = 1 + N * N
  };
  float map[T * T] = { 0 };
  map[0] = 1;
  for (int i = 0; i < N * N; i++)
    map[(1 + i) * T + 1 + i + (i % N < N - 1)] = 1;
  g_autoptr (HlHeadScores) s = score (T, map, FALSE, synthetic_cls_and_grid (N, N));
  near (get (s, HL_SCORE_POSITIONAL), 12.0 / 16, 1e-12);
  near (get (s, HL_SCORE_CONFIDENCE), 1, 0);
  near (get (s, HL_SCORE_MEAN_DISTANCE), 12.0 / 16, 1e-12); /* no pixels: in patches */
  near (s->hop_mass[0], 4.0 / 16, 1e-12);
  near (s->hop_mass[1], 12.0 / 16, 1e-12);
}

/* Diagonal neighbours are at hop 1, a knight's move away at hop 2. */
static void
test_rings (void)
{
  enum
  {
    N = 4,
    T = 1 + N * N
  };
  float map[T * T] = { 0 };
  for (int i = 0; i < T; i++)
    map[i * T] = 1;
  map[(1 + 5) * T] = 0;
  map[(1 + 5) * T + 1 + 10] = 0.75F;    /* (1, 1) to (2, 2) */
  map[(1 + 5) * T + 1 + 5 + 6] = 0.25F; /* to (2, 3) */
  g_autoptr (HlHeadScores) s = score (T, map, FALSE, synthetic_cls_and_grid (N, N));
  near (s->hop_mass[1], 0.75, 1e-12);
  near (s->hop_mass[2], 0.25, 1e-12);
  near (s->hop_mass[3], 0, 0);
  /* 84 ordered pairs of a 4 x 4 grid are neighbours: 24 beside, 18 diagonal, both ways.
   */
  near (s->hops[1], 0.75 / 84, 1e-12);
  /* Every other patch looks at CLS, which is left out: only one has a distance. */
  near (get (s, HL_SCORE_MEAN_DISTANCE), 0.75 * sqrt (2) + 0.25 * sqrt (5), 1e-7);
}

/* a b c a b: what each place sees of the same token, and of what followed it. */
static void
test_text (void)
{
  enum
  {
    T = 5
  };
  static const int ids[T] = { 7, 8, 9, 7, 8 };
  const float map[T * T] = { 1,    0,    0,    0,    0, /* */
                             0.6F, 0.4F, 0,    0,    0, /* */
                             0.2F, 0.3F, 0.5F, 0,    0, /* */
                             0.1F, 0.7F, 0.1F, 0.1F, 0, /* */
                             0.2F, 0.1F, 0.3F, 0.3F, 0.1F };
  HlTokenTable *tokens = synthetic_text (T);
  for (int i = 0; i < T; i++)
    tokens->tokens[i].id = ids[i];
  g_autoptr (HlHeadScores) s = score (T, map, TRUE, tokens);
  near (get (s, HL_SCORE_TEXT_PREVIOUS), (0.6 + 0.3 + 0.1 + 0.3) / 4, 1e-7);
  near (get (s, HL_SCORE_TEXT_DUPLICATE), (0.1 + 0.1) / 2, 1e-7);
  near (get (s, HL_SCORE_TEXT_INDUCTION), (0.7 + 0.3) / 2, 1e-7);
  near (get (s, HL_SCORE_SINK_SHARE), (0.6 + 0.2 + 0.1 + 0.2) / 4, 1e-7);
  /* Without the first token: largest of 0.4 | 0.3 0.5 | 0.7 ... | 0.3 (the first). */
  near (get (s, HL_SCORE_CONFIDENCE), (0.4 + 0.5 + 0.7 + 0.3) / 4, 1e-7);
  near (get (s, HL_SCORE_POSITIONAL), 0, 0);
}

/* Longer inputs have more bins: sums of the shorter ones stay where they were. */
static void
test_growing (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, 1);
  g_autoptr (HlHeadScores) s = NULL;
  static const int lengths[] = { 6, 20, 3 };
  for (int i = 0; i < 3; i++)
    {
      int T = lengths[i];
      g_autofree float *map = uniform_map (T, TRUE);
      g_autoptr (HlTrace) trace = synthetic_trace_new (1, 1, TRUE, synthetic_text (T));
      synthetic_trace_set_maps (trace, 0, 1, T, T, map);
      g_autoptr (HlAttentionSource) source = hl_attention_source_new (trace);
      if (s == NULL)
        s = hl_head_scores_new (hl_model_info_get_stack (trace->model, 0));
      hl_head_scores_begin_input (s, "", "");
      g_assert_true (hl_strength_score (s, source, backend, NULL, &error));
      g_assert_no_error (error);
    }
  g_assert_cmpint (s->n_hop_inputs, ==, 3);
  g_assert_cmpint (s->n_hops, ==, 7);
  for (int b = 0; b < s->n_hops; b++)
    near (s->hops[b], s->hop_uniform[b], 1e-6);
  near (s->hops[2],
        ((11.0 / 6 + 0) * 0 + (1 / 3.0 + 1 / 4.0 + 1 / 5.0 + 1 / 6.0) / 4) + (1 / 3.0) +
            ({
              double sum = 0;
              for (int n = 3; n <= 20; n++)
                sum += 1.0 / n;
              sum / 18;
            }),
        1e-6);
}

static void
test_probe (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path =
      g_test_build_filename (G_TEST_DIST, "..", "data", "models", "gpt-kjv", NULL);
  g_autoptr (HlModel) model = hl_model_open (path, &error);
  g_assert_no_error (error);
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, 2);
  const HlProbeOptions options = { .seed = 3, .n_sequences = 4 };
  g_autoptr (HlHeadScores) s = hl_probe_scores (model, backend, &options, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (hl_head_scores_get_n_inputs (s), ==, 4);
  /* What the card says of the best two, measured with other tokens by its own script. */
  near (hl_head_scores_interval (s, HL_SCORE_PREVIOUS, 1, 1).mean, 0.985, 0.01);
  near (hl_head_scores_interval (s, HL_SCORE_INDUCTION, 1, 7).mean, 0.814, 0.05);
  g_autofree char *vit =
      g_test_build_filename (G_TEST_DIST, "..", "data", "models", "vit-fashion", NULL);
  g_autoptr (HlModel) other = hl_model_open (vit, &error);
  g_assert_no_error (error);
  g_assert_null (hl_probe_scores (other, backend, NULL, NULL, &error));
  g_assert_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED);
}

static void
test_cancelling (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree float *map = uniform_map (17, FALSE);
  g_autoptr (HlTrace) trace =
      synthetic_trace_new (1, 1, FALSE, synthetic_cls_and_grid (4, 4));
  synthetic_trace_set_maps (trace, 0, 1, 17, 17, map);
  g_autoptr (HlAttentionSource) source = hl_attention_source_new (trace);
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, 1);
  g_autoptr (HlHeadScores) s =
      hl_head_scores_new (hl_model_info_get_stack (trace->model, 0));
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  const HlProgress progress = { .cancellable = cancellable };
  hl_head_scores_begin_input (s, "", "");
  g_cancellable_cancel (cancellable);
  g_assert_false (hl_strength_score (s, source, backend, &progress, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpint (s->n_hop_inputs, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/strength/uniform-grid", test_uniform_grid);
  g_test_add_func ("/strength/identity", test_identity);
  g_test_add_func ("/strength/uniform-causal", test_uniform_causal);
  g_test_add_func ("/strength/uniform-text", test_uniform_text);
  g_test_add_func ("/strength/right-neighbour", test_right_neighbour);
  g_test_add_func ("/strength/rings", test_rings);
  g_test_add_func ("/strength/text", test_text);
  g_test_add_func ("/strength/growing", test_growing);
  g_test_add_func ("/strength/probe", test_probe);
  g_test_add_func ("/strength/cancelling", test_cancelling);
  return g_test_run ();
}
