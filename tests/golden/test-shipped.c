/* SPDX-License-Identifier: MIT
 * The language model that ships: what its card says of its heads and of its loss is what
 * this program finds, on other random tokens and on the held-out sample. */
#include "backend/cpu/hl-cpu.h"
#include "io/hl-json.h"
#include "model/hl-model-text.h"
#include "trace/hl-tracer.h"

#include <math.h>
#include <string.h>

#define N_REPEATED 64
#define N_SEQUENCES 16
#define T (1 + 2 * N_REPEATED)

static char *
data_path (const char *relative)
{
  return g_test_build_filename (G_TEST_DIST, "..", "data", relative, NULL);
}

static HlModel *
open_model (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = data_path ("models/gpt-kjv");
  HlModel *model = hl_model_open (folder, &error);
  g_assert_no_error (error);
  return model;
}

/* BOS, then random tokens without specials, twice. */
static HlTrace *
trace_repeated (const HlModel *model, HlBackend *backend, GRand *rand)
{
  g_autoptr (GError) error = NULL;
  gint32 ids[T] = { 0 };
  int V = hl_model_get_info (model)->n_vocab;
  for (int i = 0; i < N_REPEATED; i++)
    ids[1 + i] = ids[1 + N_REPEATED + i] = g_rand_int_range (rand, 1, V);
  g_autoptr (HlInput) input = hl_model_open_ids (model, ids, T, &error);
  g_assert_no_error (error);
  const HlTraceOptions options = { .maps = HL_MAPS_STORED, .no_predictions = TRUE };
  HlTrace *trace = hl_tracer_run (model, input, backend, &options, NULL, &error);
  g_assert_no_error (error);
  return trace;
}

typedef struct
{
  double previous;
  double induction;
} Scores;

/* Definitions of the card: mean of A[i, i-1] over i >= 1; mean of A[i, i-n+1] over the
 * second copy without its first token. */
static Scores
scores_of (const float *map)
{
  Scores s = { 0 };
  for (int i = 1; i < T; i++)
    s.previous += (double) map[i * T + i - 1] / (T - 1);
  for (int i = N_REPEATED + 2; i < T; i++)
    s.induction += (double) map[i * T + i - N_REPEATED + 1] / (T - N_REPEATED - 2);
  return s;
}

static void
add_scores (const HlTrace *trace, int L, int H, Scores *sums)
{
  for (int l = 0; l < L; l++)
    {
      g_autofree char *site = g_strdup_printf ("blocks.%d.attn.hook_pattern", l);
      const float *maps = hl_tensor_f32 (hl_trace_get_site (trace, site));
      for (int h = 0; h < H; h++)
        {
          Scores s = scores_of (maps + h * T * T);
          sums[l * H + h].previous += s.previous / N_SEQUENCES;
          sums[l * H + h].induction += s.induction / N_SEQUENCES;
        }
    }
}

static void
compare (const json_t *card, const char *what, const Scores *found, int L, int H)
{
  const json_t *rows = json_object_get (card, what);
  g_assert_cmpint (json_array_size (rows), ==, L);
  for (int l = 0; l < L; l++)
    for (int h = 0; h < H; h++)
      {
        double stated = json_number_value (
            json_array_get (json_array_get (rows, (gsize) l), (gsize) h));
        const Scores *s = &found[l * H + h];
        double here = strcmp (what, "induction") == 0 ? s->induction : s->previous;
        if (fabs (here - stated) > 0.05)
          g_error ("%s of head %d.%d: %.4f on the card, %.4f found", what, l, h, stated,
                   here);
      }
}

static void
test_heads (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlModel) model = open_model ();
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, 2);
  g_autofree char *path = data_path ("models/gpt-kjv/scores.json");
  g_autoptr (json_t) card = hl_json_load_file (path, &error);
  g_assert_no_error (error);
  const HlStack *stack = hl_model_info_get_stack (hl_model_get_info (model), 0);
  int L = stack->n_layers, H = stack->layers[0].n_heads;
  g_autofree Scores *sums = g_new0 (Scores, (gsize) (L * H));
  g_autoptr (GRand) rand = g_rand_new_with_seed (7);
  for (int i = 0; i < N_SEQUENCES; i++)
    {
      g_autoptr (HlTrace) trace = trace_repeated (model, backend, rand);
      add_scores (trace, L, H, sums);
    }
  compare (card, "previous_token", sums, L, H);
  compare (card, "induction", sums, L, H);
  /* What the card promises: heads of both kinds. */
  Scores best = { 0 };
  for (int i = 0; i < L * H; i++)
    {
      best.previous = fmax (best.previous, sums[i].previous);
      best.induction = fmax (best.induction, sums[i].induction);
    }
  g_assert_cmpfloat (best.previous, >, 0.3);
  g_assert_cmpfloat (best.induction, >, 0.3);
}

/* One chapter is not the held-out set: it may be easier or harder by a nat. */
static void
test_loss (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlModel) model = open_model ();
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, 2);
  g_autofree char *path = data_path ("models/gpt-kjv/scores.json");
  g_autofree char *sample = data_path ("samples/ecclesiastes-1.txt");
  g_autoptr (json_t) card = hl_json_load_file (path, &error);
  g_assert_no_error (error);
  g_autoptr (HlInput) input = hl_model_open_text_file (model, sample, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (HlTrace) trace = hl_tracer_run (model, input, backend, NULL, NULL, &error);
  g_assert_no_error (error);
  const HlPredictions *p = trace->predictions;
  double sum = 0;
  gint64 n = hl_predictions_get_length (p) - 1;
  for (gint64 t = 0; t < n; t++)
    sum -= (double) hl_tensor_f32 (p->next_log_probs)[t] / (double) n;
  double stated = json_number_value (
      json_object_get (card, "held_out_nats_per_token_float16_weights"));
  g_test_message ("%.3f nats a token here, %.3f on the held-out set", sum, stated);
  g_assert_cmpfloat (fabs (sum - stated), <, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/shipped/heads", test_heads);
  g_test_add_func ("/shipped/loss", test_loss);
  return g_test_run ();
}
