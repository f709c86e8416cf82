/* SPDX-License-Identifier: MIT
 * A trained model, from a text to a text: the story that the reference implementation
 * tells, and generation with a cache against one whole pass for every token. The model is
 * looked for in $HEADLIGHT_TEST_DATA/models. */
#include "backend/cpu/hl-cpu.h"
#include "model/hl-model-text.h"
#include "trace/hl-generate.h"
#include "trace/hl-tracer.h"

#include <math.h>
#include <string.h>

#define N_COMPARED 200

typedef struct
{
  HlModel *model;
  HlBackend *backend;
  HlInput *input;
} Story;

/* What was told: ids, and the log-probability of each. */
typedef struct
{
  GArray *ids;
  GArray *log_probs;
} Heard;

static char *
find_folder (void)
{
  const char *data = g_getenv ("HEADLIGHT_TEST_DATA");
  if (data == NULL)
    {
      g_test_skip ("HEADLIGHT_TEST_DATA is not set: no trained model");
      return NULL;
    }
  g_autofree char *folder = g_build_filename (data, "models", "stories260K", NULL);
  if (g_file_test (folder, G_FILE_TEST_IS_DIR))
    return g_steal_pointer (&folder);
  g_test_skip ("HEADLIGHT_TEST_DATA has no models/stories260K");
  return NULL;
}

static gboolean
story_open (Story *story, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = find_folder ();
  if (folder == NULL)
    return FALSE;
  story->model = hl_model_open (folder, &error);
  g_assert_no_error (error);
  story->backend = hl_cpu_backend_new (HL_DTYPE_F32, 2);
  story->input = hl_model_open_text (story->model, NULL, "", text, -1, NULL, &error);
  g_assert_no_error (error);
  return TRUE;
}

static void
story_clear (Story *story)
{
  hl_model_unref (story->model);
  hl_backend_unref (story->backend);
  hl_input_unref (story->input);
}

static gboolean
hear_cb (const HlGenerated *token, gpointer data)
{
  Heard *heard = data;
  g_array_append_val (heard->ids, token->id);
  g_array_append_val (heard->log_probs, token->log_prob);
  return TRUE;
}

static void
generate (const Story *story, int n, gboolean goes_on, Heard *heard)
{
  g_autoptr (GError) error = NULL;
  const HlGenerateOptions options = { .n_tokens = n, .goes_on = goes_on };
  heard->ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  heard->log_probs = g_array_new (FALSE, FALSE, sizeof (double));
  int found = hl_generate (story->model, story->input, story->backend, &options, NULL,
                           hear_cb, heard, &error);
  g_assert_no_error (error);
  g_assert_cmpint (found, ==, (int) heard->ids->len);
}

static void
heard_clear (Heard *heard)
{
  g_array_unref (heard->ids);
  g_array_unref (heard->log_probs);
}

/* The empty text is the token before every text, alone; it is no part of what is read. */
static void
test_told (void)
{
  static const char *const wanted =
      "Once upon a time, there was a little girl named Lily. She loved to play outside "
      "in the park. One day, she saw a big, red ball. She wanted to play with it, but "
      "it was too high";
  g_autoptr (GError) error = NULL;
  Story story;
  Heard heard;
  gsize length = 0;
  if (!story_open (&story, ""))
    return;
  g_assert_cmpint (story.input->ids->shape.dim[1], ==, 1);
  g_assert_cmpint (((const gint32 *) story.input->ids->data)[0], ==, 1);
  g_assert_cmpint (story.input->tokens->tokens[0].role, ==, HL_ROLE_SPECIAL);
  generate (&story, 100, FALSE, &heard);
  HlTokenizer *tokenizer = hl_model_get_tokenizer (story.model, &error);
  g_assert_no_error (error);
  g_autofree char *text =
      hl_tokenizer_decode (tokenizer, (const gint32 *) (gpointer) heard.ids->data,
                           heard.ids->len, TRUE, &length, &error);
  g_assert_no_error (error);
  g_strchug (text);
  if (!g_str_has_prefix (text, wanted))
    g_error ("\"%s\" expected, \"%s\" found", wanted, text);
  heard_clear (&heard);
  story_clear (&story);
}

/* Its trace says the same of every token: the input with what was told is one text. */
static void
test_traced (void)
{
  g_autoptr (GError) error = NULL;
  Story story;
  Heard heard;
  if (!story_open (&story, "Once upon a time"))
    return;
  gint64 T = story.input->ids->shape.dim[1];
  generate (&story, 40, TRUE, &heard);
  g_autoptr (HlInput) whole = hl_model_extend_text (
      story.model, story.input, (const gint32 *) (gpointer) heard.ids->data, 40, &error);
  g_assert_no_error (error);
  g_autoptr (HlTrace) trace =
      hl_tracer_run (story.model, whole, story.backend, NULL, NULL, &error);
  g_assert_no_error (error);
  const HlPredictions *p = trace->predictions;
  for (int i = 0; i < 40; i++)
    {
      gint64 at = T - 1 + i;
      g_assert_cmpint (((const gint32 *) p->next_ranks->data)[at], ==, 0);
      g_assert_cmpfloat_with_epsilon ((double) hl_tensor_f32 (p->next_log_probs)[at],
                                      g_array_index (heard.log_probs, double, i), 1e-4);
      g_assert_cmpint (whole->tokens->tokens[T + i].role, ==, HL_ROLE_GENERATED);
    }
  heard_clear (&heard);
  story_clear (&story);
}

static gint32
most_probable (const HlTensor *logits, double *log_prob)
{
  const float *x = hl_tensor_f32 (logits);
  gint64 best = 0, V = hl_tensor_count (logits);
  double sum = 0;
  for (gint64 v = 1; v < V; v++)
    if (x[v] > x[best])
      best = v;
  for (gint64 v = 0; v < V; v++)
    sum += exp ((double) x[v] - (double) x[best]);
  *log_prob = -log (sum);
  return (gint32) best;
}

/* A whole pass for every token, without a cache, tells the same story. */
static void
test_uncached (void)
{
  const HlTraceOptions plain = { .maps = HL_MAPS_NONE, .no_predictions = TRUE };
  Story story;
  Heard heard;
  if (!story_open (&story, ""))
    return;
  generate (&story, N_COMPARED, TRUE, &heard);
  g_assert_cmpint (heard.ids->len, ==, N_COMPARED);
  g_autoptr (GArray) text = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_array_append_vals (text, story.input->ids->data, 1);
  for (guint i = 0; i < N_COMPARED; i++)
    {
      g_autoptr (GError) error = NULL;
      double log_prob = 0;
      g_autoptr (HlInput) input = hl_model_open_ids (
          story.model, (const gint32 *) (gpointer) text->data, text->len, &error);
      g_assert_no_error (error);
      g_autoptr (HlTrace) trace =
          hl_tracer_run (story.model, input, story.backend, &plain, NULL, &error);
      g_assert_no_error (error);
      gint32 id = most_probable (trace->logits, &log_prob);
      g_assert_cmpint (g_array_index (heard.ids, gint32, i), ==, id);
      g_assert_cmpfloat_with_epsilon (g_array_index (heard.log_probs, double, i),
                                      log_prob, 1e-4);
      g_array_append_val (text, id);
    }
  heard_clear (&heard);
  story_clear (&story);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/golden-stories/told", test_told);
  g_test_add_func ("/golden-stories/traced", test_traced);
  g_test_add_func ("/golden-stories/uncached", test_uncached);
  return g_test_run ();
}
