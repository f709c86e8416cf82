/* SPDX-License-Identifier: MIT
 * The encoder-decoder that ships: how it says held-out words, and that heads of its
 * cross-attention follow the letters. The language model that ships: what its card says
 * of its heads and of its loss is what this program finds, on other random tokens and on
 * the held-out sample. */
#include "backend/cpu/hl-cpu.h"
#include "io/hl-json.h"
#include "model/hl-model-source.h"
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
open_model (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = data_path (path);
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
  g_autoptr (HlModel) model = open_model ("models/gpt-kjv");
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
  g_autoptr (HlModel) model = open_model ("models/gpt-kjv");
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

/* ---- letters to sounds ---------------------------------------------------------------
 */

/* (transfer full): the word with what the decoder makes of it. */
static HlInput *
speak (const HlModel *model, HlBackend *backend, const char *word)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlInput) begun =
      hl_model_open_text (model, NULL, "", word, -1, NULL, &error);
  g_assert_no_error (error);
  HlInput *said = hl_model_complete (model, begun, backend, 46, NULL, &error);
  g_assert_no_error (error);
  return said;
}

/* (transfer full): what tokens say, a phoneme each: gint32. */
static GArray *
phonemes_of (const HlTokenTable *tokens)
{
  GArray *ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  for (int i = 0; i < tokens->n_tokens; i++)
    if (tokens->tokens[i].role != HL_ROLE_SPECIAL)
      g_array_append_val (ids, tokens->tokens[i].id);
  return ids;
}

/* Levenshtein's. */
static int
distance (const GArray *a, const GArray *b)
{
  g_autofree int *row = g_new (int, b->len + 1);
  for (guint j = 0; j <= b->len; j++)
    row[j] = (int) j;
  for (guint i = 1; i <= a->len; i++)
    {
      int last = row[0];
      row[0] = (int) i;
      for (guint j = 1; j <= b->len; j++)
        {
          int same = last + (g_array_index (a, gint32, i - 1) !=
                             g_array_index (b, gint32, j - 1));
          last = row[j];
          row[j] = MIN (same, 1 + MIN (last, row[j - 1]));
        }
    }
  return row[b->len];
}

/* Edits to the nearest of the pronunciations, "a / b"; @n: phonemes of that. */
static int
edits_of (const HlModel *model, const GArray *said, const char *sounds, int *n)
{
  g_auto (GStrv) each = g_strsplit (sounds, " / ", -1);
  int least = G_MAXINT;
  for (int i = 0; each[i] != NULL; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (HlInput) read =
          hl_model_open_text (model, NULL, "", each[i], -1, NULL, &error);
      g_assert_no_error (error);
      g_autoptr (GArray) wanted = phonemes_of (read->source_tokens);
      int edits = distance (said, wanted);
      if (edits < least)
        *n = (int) wanted->len;
      least = MIN (least, edits);
    }
  return least;
}

static void
test_words (void)
{
  g_autoptr (HlModel) model = open_model ("models/g2p-cmu");
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, 2);
  g_autofree char *path = data_path ("samples/words-held-out.tsv");
  g_autofree char *text = NULL;
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  int n_edits = 0, n_sounds = 0, n_words = 0;
  for (int i = 0; lines[i] != NULL && lines[i][0] != '\0'; i++)
    {
      g_auto (GStrv) word = g_strsplit (lines[i], "\t", 2);
      g_autoptr (HlInput) said = speak (model, backend, word[0]);
      g_autoptr (GArray) sounds = phonemes_of (said->tokens);
      int n = 0;
      n_edits += edits_of (model, sounds, word[1], &n);
      n_sounds += n;
      n_words++;
    }
  g_test_message ("%d words, %.1f %% of %d phonemes wrong", n_words,
                  100.0 * n_edits / n_sounds, n_sounds);
  g_assert_cmpint (n_words, >=, 100);
  g_assert_cmpfloat ((double) n_edits / n_sounds, <, 0.12);
}

/* Head 1.2 of the cross-attention goes through a word's letters from the first to the
 * last. */
static void
test_alignment (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlModel) model = open_model ("models/g2p-cmu");
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, 2);
  g_autoptr (HlInput) said = speak (model, backend, "transformations");
  g_autoptr (HlTrace) trace = hl_tracer_run (model, said, backend, NULL, NULL, &error);
  g_assert_no_error (error);
  const HlTensor *maps =
      hl_trace_get_site (trace, "decoder.blocks.1.cross_attn.hook_pattern");
  gint64 Tq = maps->shape.dim[1], Tk = maps->shape.dim[2], last = -1;
  const float *map = hl_tensor_f32 (maps) + 2 * Tq * Tk;
  g_assert_cmpint (Tk, ==, 16);
  for (gint64 i = 0; i < Tq; i++, map += Tk)
    {
      gint64 best = 0;
      for (gint64 j = 1; j < Tk; j++)
        if (map[j] > map[best])
          best = j;
      g_assert_cmpint (best, >, last);
      g_assert_cmpfloat ((double) map[best], >, 0.5);
      last = best;
    }
  g_assert_cmpint (last, >=, Tk - 2);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/shipped/heads", test_heads);
  g_test_add_func ("/shipped/loss", test_loss);
  g_test_add_func ("/shipped/words", test_words);
  g_test_add_func ("/shipped/alignment", test_alignment);
  return g_test_run ();
}
