/* SPDX-License-Identifier: MIT
 * The document with a recording: its parts, and what the model is told of it. The tiny
 * Whisper, whose 52 frames are a second here, with four languages and two tasks. */
#include "document-settle.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#define RATE 16000
#define SECONDS 3
#define START 5
#define NO_TIMES 12

typedef struct
{
  HlDocument *document;
  char *folder;
  char *recording;
  char *details;
} Fixture;

static void
failed_cb (HlDocument *document, const char *summary, const char *details, Fixture *f)
{
  g_free (f->details);
  f->details = g_strdup (details);
}

static void
write_file (Fixture *f, const char *name, gconstpointer data, gssize size)
{
  g_autofree char *path = g_build_filename (f->folder, name, NULL);
  g_assert_true (g_file_set_contents (path, data, size, NULL));
}

static void
copy_file (Fixture *f, const char *name)
{
  g_autofree char *from =
      g_test_build_filename (G_TEST_DIST, "golden", "models", "whisper-tiny", name, NULL);
  g_autofree char *data = NULL;
  gsize size;
  g_assert_true (g_file_get_contents (from, &data, &size, NULL));
  write_file (f, name, data, (gssize) size);
}

/* Each second sounds other than the one before. */
static void
write_recording (Fixture *f)
{
  g_autoptr (GByteArray) wav = g_byte_array_new ();
  const guint32 n = 2 * RATE * SECONDS;
  const guint32 numbers[] = { 36 + n, 16, 0x10001, RATE, 2 * RATE, 0x100002, n };
  g_byte_array_append (wav, (const guint8 *) "RIFF", 4);
  g_byte_array_append (wav, (const guint8 *) &numbers[0], 4);
  g_byte_array_append (wav, (const guint8 *) "WAVEfmt ", 8);
  g_byte_array_append (wav, (const guint8 *) &numbers[1], 20);
  g_byte_array_append (wav, (const guint8 *) "data", 4);
  g_byte_array_append (wav, (const guint8 *) &numbers[6], 4);
  for (int i = 0; i < RATE * SECONDS; i++)
    {
      gint16 x = (gint16) (9000 * sin (0.02 * (1 + i / RATE) * i));
      g_byte_array_append (wav, (const guint8 *) &x, 2);
    }
  write_file (f, "r.wav", wav->data, (gssize) wav->len);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  static const char processor[] =
      "{\"feature_extractor_type\": \"WhisperFeatureExtractor\", \"feature_size\": 16, "
      "\"sampling_rate\": 16000, \"hop_length\": 307, \"chunk_length\": 1, "
      "\"n_fft\": 400, \"padding_value\": 0.0}";
  static const char rules[] =
      "{\"decoder_start_token_id\": 5, \"no_timestamps_token_id\": 12, \"lang_to_id\": "
      "{\"<|en|>\": 20, \"<|de|>\": 31, \"<|fr|>\": 42, \"<|ja|>\": 53}, \"task_to_id\": "
      "{\"transcribe\": 60, \"translate\": 61}}";
  memset (f, 0, sizeof *f);
  f->folder = g_dir_make_tmp ("hl-recording-XXXXXX", NULL);
  f->recording = g_build_filename (f->folder, "r.wav", NULL);
  copy_file (f, "config.json");
  copy_file (f, "model.safetensors");
  write_file (f, "preprocessor_config.json", processor, -1);
  write_file (f, "generation_config.json", rules, -1);
  write_recording (f);
  f->document = hl_document_new ();
  g_signal_connect (f->document, "failed", G_CALLBACK (failed_cb), f);
  hl_document_open_model (f->document, f->folder);
  document_settle (f->document);
  hl_document_open_input (f->document, f->recording);
  document_settle (f->document);
  g_assert_cmpstr (f->details, ==, NULL);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_autoptr (GDir) dir = g_dir_open (f->folder, 0, NULL);
  const char *name;
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (f->folder, name, NULL);
      g_unlink (path);
    }
  g_rmdir (f->folder);
  g_assert_finalize_object (f->document);
  g_free (f->folder);
  g_free (f->recording);
  g_free (f->details);
}

/* The decoder's first tokens: start, language, task, no times. */
static void
assert_told (Fixture *f, int language, int task)
{
  const gint32 *ids = hl_document_get_input (f->document)->ids->data;
  g_assert_cmpint (ids[0], ==, START);
  g_assert_cmpint (ids[1], ==, language);
  g_assert_cmpint (ids[2], ==, task);
  g_assert_cmpint (ids[3], ==, NO_TIMES);
}

static int
token_of (const char *code)
{
  return g_str_equal (code, "en")   ? 20
         : g_str_equal (code, "de") ? 31
         : g_str_equal (code, "fr") ? 42
                                    : 53;
}

static void
test_parts (Fixture *f, gconstpointer data)
{
  const HlTextOptions plain = { 0 };
  const HlInput *first = hl_document_get_input (f->document);
  g_assert_cmpint (first->window, ==, 0);
  g_assert_cmpint (first->n_windows, ==, SECONDS);
  g_assert_cmpfloat_with_epsilon (first->seconds, SECONDS, 1e-6);
  g_autofree char *hash = g_strdup (first->hash);
  hl_document_open_recording (f->document, 2, &plain);
  document_settle (f->document);
  const HlInput *last = hl_document_get_input (f->document);
  g_assert_cmpint (last->window, ==, 2);
  g_assert_cmpint (last->n_windows, ==, SECONDS);
  g_assert_cmpstr (last->hash, !=, hash);
  g_assert_cmpfloat_with_epsilon (last->source_tokens->tokens[0].start, 2, 1e-6);
  g_assert_cmpstr (hl_document_get_trace (f->document)->input_hash, ==, last->hash);
  /* There is no fourth: what is shown stays. */
  hl_document_open_recording (f->document, 3, &plain);
  document_settle (f->document);
  g_assert_nonnull (strstr (f->details, "window"));
  g_assert_cmpint (hl_document_get_input (f->document)->window, ==, 2);
  hl_document_open_input (f->document, f->recording);
  document_settle (f->document);
  g_assert_cmpint (hl_document_get_input (f->document)->window, ==, 0);
  g_assert_cmpstr (hl_document_get_input (f->document)->hash, ==, hash);
}

/* It is heard where nobody says which, and again when nobody does. */
static void
test_language (Fixture *f, gconstpointer data)
{
  const HlTextOptions plain = { 0 }, french = { .language = "fr" };
  const HlInput *heard = hl_document_get_input (f->document);
  g_assert_nonnull (heard->language);
  g_assert_true (heard->language_prob > 0.25 && heard->language_prob <= 1);
  int language = token_of (heard->language);
  assert_told (f, language, 60);
  hl_document_open_recording (f->document, 1, &french);
  document_settle (f->document);
  assert_told (f, 42, 60);
  g_assert_cmpstr (hl_document_get_input (f->document)->language, ==, "fr");
  g_assert_true (isnan (hl_document_get_input (f->document)->language_prob));
  g_assert_cmpstr (hl_document_get_text_options (f->document)->language, ==, "fr");
  hl_document_open_recording (f->document, 0, &plain);
  document_settle (f->document);
  assert_told (f, language, 60);
  g_assert_null (hl_document_get_text_options (f->document)->language);
  g_assert_cmpstr (f->details, ==, NULL);
}

static void
test_task (Fixture *f, gconstpointer data)
{
  const HlTextOptions english = { .language = "de", .task = "translate" };
  hl_document_open_recording (f->document, 0, &english);
  document_settle (f->document);
  assert_told (f, 31, 61);
  /* Its own options, as the window gives them. */
  hl_document_open_recording (f->document, 1, hl_document_get_text_options (f->document));
  document_settle (f->document);
  assert_told (f, 31, 61);
  g_assert_cmpint (hl_document_get_input (f->document)->window, ==, 1);
  /* Another recording is heard anew. */
  hl_document_open_input (f->document, f->recording);
  document_settle (f->document);
  g_assert_null (hl_document_get_text_options (f->document)->language);
  g_assert_false (isnan (hl_document_get_input (f->document)->language_prob));
}

/* A session knows its part and what was told; stopping leaves what there is. */
static void
test_session (Fixture *f, gconstpointer data)
{
  const HlTextOptions told = { .language = "de", .task = "translate" };
  const HlTextOptions french = { .language = "fr" };
  g_autofree char *path = g_build_filename (f->folder, "s.h5", NULL);
  hl_document_open_recording (f->document, 2, &told);
  document_settle (f->document);
  hl_document_save (f->document, path);
  document_settle (f->document);
  hl_document_open_recording (f->document, 1, &french);
  hl_document_stop (f->document);
  document_settle (f->document);
  g_assert_cmpstr (hl_document_get_text_options (f->document)->language, ==, "de");
  g_assert_cmpint (hl_document_get_input (f->document)->window, ==, 2);
  hl_document_open_recording (f->document, 1, &french);
  document_settle (f->document);
  hl_document_open_session (f->document, path);
  document_settle (f->document);
  g_assert_cmpstr (f->details, ==, NULL);
  const HlInput *input = hl_document_get_input (f->document);
  g_assert_nonnull (input);
  g_assert_cmpint (input->window, ==, 2);
  g_assert_cmpint (input->n_windows, ==, SECONDS);
  g_assert_cmpstr (input->language, ==, "de");
  g_assert_true (isnan (input->language_prob));
  const HlTextOptions *options = hl_document_get_text_options (f->document);
  g_assert_cmpstr (options->language, ==, "de");
  g_assert_cmpstr (options->task, ==, "translate");
  g_autofree char *hash = g_strdup (input->hash);
  hl_document_open_recording (f->document, input->window, options);
  document_settle (f->document);
  g_assert_cmpfloat_with_epsilon (
      hl_document_get_input (f->document)->source_tokens->tokens[0].start, 2, 1e-6);
  assert_told (f, 31, 61);
}

/* The same model once more looks at the same part. */
static void
test_other_model (Fixture *f, gconstpointer data)
{
  const HlTextOptions plain = { 0 };
  hl_document_open_recording (f->document, 1, &plain);
  document_settle (f->document);
  hl_document_open_model (f->document, f->folder);
  document_settle (f->document);
  g_assert_cmpint (hl_document_get_input (f->document)->window, ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* The program that reads sessions first, as a child. */
  g_setenv ("HEADLIGHT_PROGRAMS", PROGRAMS_FOLDER, TRUE);
  g_test_add ("/document-recording/parts", Fixture, NULL, set_up, test_parts, tear_down);
  g_test_add ("/document-recording/language", Fixture, NULL, set_up, test_language,
              tear_down);
  g_test_add ("/document-recording/task", Fixture, NULL, set_up, test_task, tear_down);
  g_test_add ("/document-recording/session", Fixture, NULL, set_up, test_session,
              tear_down);
  g_test_add ("/document-recording/other-model", Fixture, NULL, set_up, test_other_model,
              tear_down);
  return g_test_run ();
}
