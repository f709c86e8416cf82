/* SPDX-License-Identifier: MIT
 * What generation_config.json says of generating: the decoder's first tokens by language
 * and task, tokens that may not be said at all, or not first, and one that must be. */
#include "backend/cpu/hl-cpu.h"
#include "base/hl-error.h"
#include "io/hl-safetensors.h"
#include "model/hl-generation-rules.h"
#include "model/hl-language.h"
#include "model/hl-model-source.h"
#include "trace/hl-generate.h"

#include <glib/gstdio.h>
#include <string.h>

/* As a multilingual Whisper is published. */
#define LANGUAGES                                                                        \
  "\"lang_to_id\": {\"<|en|>\": 50259, \"<|de|>\": 50261}, \"task_to_id\": "             \
  "{\"transcribe\": 50359, \"translate\": 50358}"
#define START "\"decoder_start_token_id\": 50258"

typedef struct
{
  char *folder;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->folder = g_dir_make_tmp ("hl-rules-XXXXXX", NULL);
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
  g_free (f->folder);
}

static void
write_rules (Fixture *f, const char *text)
{
  g_autofree char *path = g_build_filename (f->folder, "generation_config.json", NULL);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

/* ---- what a decoder begins with ------------------------------------------------------
 */

static const struct
{
  const char *rules;
  const char *language;
  const char *task;
  const char *start; /* NULL: refused */
} begins[] = {
  { "{" START ", " LANGUAGES ", \"no_timestamps_token_id\": 50363}", NULL, NULL,
    "50258 50259 50359 50363" },
  { "{" START ", " LANGUAGES ", \"no_timestamps_token_id\": 50363}", "de", "translate",
    "50258 50261 50358 50363" },
  { "{" START ", " LANGUAGES ", \"no_timestamps_token_id\": 50363}", "<|de|>", NULL,
    "50258 50261 50359 50363" },
  { "{" START ", " LANGUAGES "}", "xx", NULL, NULL },
  { "{" START ", " LANGUAGES "}", "de", "sing", NULL },
  { "{" START ", \"forced_decoder_ids\": [[1, 50362]]}", NULL, NULL, "50258 50362" },
  { "{" START "}", "de", NULL, NULL },
  { "{" START "}", NULL, "translate", NULL },
  { "{\"decoder_start_token_id\": [1, 2]}", NULL, NULL, "1 2" },
};

static void
test_begins (Fixture *f, gconstpointer data)
{
  g_autoptr (json_t) config = json_object ();
  for (guint i = 0; i < G_N_ELEMENTS (begins); i++)
    {
      g_autoptr (GError) error = NULL;
      write_rules (f, begins[i].rules);
      g_autoptr (HlGenerationRules) rules = hl_generation_rules_new (f->folder, config);
      g_autoptr (GArray) start = hl_generation_rules_get_start (rules, begins[i].language,
                                                                begins[i].task, &error);
      if (begins[i].start == NULL)
        {
          g_assert_null (start);
          /* Not one of its own, or none to choose from. */
          gboolean has_choice = strstr (begins[i].rules, "lang_to_id") != NULL;
          int code = has_choice ? HL_ERROR_RANGE : HL_ERROR_UNSUPPORTED;
          g_assert_error (error, HL_ERROR, code);
          continue;
        }
      g_assert_no_error (error);
      g_autoptr (GString) found = g_string_new (NULL);
      for (guint k = 0; k < start->len; k++)
        g_string_append_printf (found, "%s%d", k > 0 ? " " : "",
                                g_array_index (start, gint32, k));
      g_assert_cmpstr (found->str, ==, begins[i].start);
    }
}

/* ---- what may be said ----------------------------------------------------------------
 */

static void
copy (Fixture *f, const char *model, const char *name)
{
  g_autofree char *from =
      g_test_build_filename (G_TEST_DIST, "golden", "models", model, name, NULL);
  g_autofree char *to = g_build_filename (f->folder, name, NULL);
  g_autofree char *data = NULL;
  gsize size;
  g_assert_true (g_file_get_contents (from, &data, &size, NULL));
  g_assert_true (g_file_set_contents (to, data, (gssize) size, NULL));
}

static gboolean
hear_cb (const HlGenerated *token, gpointer data)
{
  g_array_append_val ((GArray *) data, token->id);
  return TRUE;
}

/* (transfer full): six tokens that T5 goes on with under these rules. */
static GArray *
say (Fixture *f, const char *rules)
{
  static const gint32 ids[] = { 5, 6, 7, 8, 9 };
  g_autoptr (GError) error = NULL;
  const HlTextOptions plain = { 0 };
  const HlGenerateOptions options = { .n_tokens = 6, .top_p = 1, .goes_on = TRUE };
  GArray *said = g_array_new (FALSE, FALSE, sizeof (gint32));
  write_rules (f, rules);
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, 1);
  g_autoptr (HlModel) model = hl_model_open (f->folder, &error);
  g_assert_no_error (error);
  g_autoptr (HlInput) input =
      hl_model_open_source_ids (model, ids, G_N_ELEMENTS (ids), &plain, &error);
  g_assert_no_error (error);
  g_assert_cmpint (
      hl_generate (model, input, backend, &options, NULL, hear_cb, said, &error), ==, 6);
  g_assert_no_error (error);
  return said;
}

static gint32
at (const GArray *said, guint i)
{
  return g_array_index (said, gint32, i);
}

static void
test_says (Fixture *f, gconstpointer data)
{
  copy (f, "t5-tiny", "config.json");
  copy (f, "t5-tiny", "model.safetensors");
  g_autoptr (GArray) free_said = say (f, "{\"decoder_start_token_id\": 0}");
  gint32 first = at (free_said, 0);
  g_autofree char *never = g_strdup_printf (
      "{\"decoder_start_token_id\": 0, \"suppress_tokens\": [%d]}", first);
  g_autofree char *not_first = g_strdup_printf (
      "{\"decoder_start_token_id\": 0, \"begin_suppress_tokens\": [%d]}", first);
  g_autofree char *must =
      g_strdup ("{\"decoder_start_token_id\": 0, \"forced_bos_token_id\": 17}");
  g_autoptr (GArray) other = say (f, never);
  for (guint i = 0; i < other->len; i++)
    g_assert_cmpint (at (other, i), !=, first);
  g_autoptr (GArray) later = say (f, not_first);
  g_assert_cmpint (at (later, 0), ==, at (other, 0)); /* the best of the others */
  /* From there on as if that one had been asked for. */
  g_autofree char *same = g_strdup_printf (
      "{\"decoder_start_token_id\": 0, \"forced_bos_token_id\": %d}", at (other, 0));
  g_autoptr (GArray) asked = say (f, same);
  g_assert_cmpmem (asked->data, asked->len * sizeof (gint32), later->data,
                   later->len * sizeof (gint32));
  g_autoptr (GArray) forced = say (f, must);
  g_assert_cmpint (first, !=, 17);
  g_assert_cmpint (at (forced, 0), ==, 17);
}

/* ---- what language is heard
 * ------------------------------------------------------------
 */

#define N_LANGUAGES 4

/* (transfer full): of the tiny Whisper, languages "l0" to "l3" with these tokens. */
static HlModel *
open_with_languages (Fixture *f, const gint32 *ids)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *rules = g_strdup_printf (
      "{\"decoder_start_token_id\": 5, \"no_timestamps_token_id\": 12, \"lang_to_id\": "
      "{\"<|l0|>\": %d, \"<|l1|>\": %d, \"<|l2|>\": %d, \"<|l3|>\": %d, \"<|en|>\": "
      "999}}",
      ids[0], ids[1], ids[2], ids[3]);
  write_rules (f, rules);
  HlModel *model = hl_model_open (f->folder, &error);
  g_assert_no_error (error);
  return model;
}

/* (transfer full): the recording of the expected numbers. */
static HlInput *
open_features (const HlModel *model,
               HlSafetensors *expected,
               const HlTextOptions *options)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlTensor) features = hl_safetensors_get (expected, "input_features", &error);
  g_assert_no_error (error);
  g_autoptr (HlTokenTable) frames = hl_token_table_new ((int) features->shape.dim[2] / 2);
  HlTextOptions told = *options;
  told.language = told.language != NULL ? told.language : "l0";
  HlInput *input = hl_model_new_target (model, "r", "", NULL, &told, &error);
  g_assert_no_error (error);
  hl_input_set_source (input, NULL, features, frames);
  input->n_real_frames = 17;
  return input;
}

static void
check_heard (Fixture *f,
             HlSafetensors *expected,
             const gint32 *ids,
             const float *wanted,
             HlBackend *backend)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlModel) model = open_with_languages (f, ids);
  const HlTextOptions plain = { 0 }, told = { .language = "l1" };
  g_autoptr (HlInput) input = open_features (model, expected, &plain);
  g_autoptr (HlInput) heard =
      hl_model_detect_language (model, input, &plain, backend, NULL, &error);
  g_assert_no_error (error);
  const gint32 *start = heard->ids->data;
  g_assert_cmpint (heard->ids->shape.dim[1], ==, 3); /* start, language, no times */
  g_assert_cmpint (start[0], ==, 5);
  g_assert_cmpint (start[1], ==, (int) wanted[0]);
  g_assert_cmpint (start[2], ==, 12);
  int which = heard->language[1] - '0';
  g_assert_true (which >= 0 && which < N_LANGUAGES);
  g_assert_cmpint (ids[which], ==, start[1]);
  g_assert_cmpfloat_with_epsilon (heard->language_prob, (double) wanted[1], 1e-4);
  g_assert_cmpint (heard->n_real_frames, ==, 17);
  /* Who says which is not asked. */
  g_autoptr (HlInput) own = open_features (model, expected, &told);
  g_autoptr (HlInput) same =
      hl_model_detect_language (model, own, &told, backend, NULL, &error);
  g_assert_true (same == own);
}

static void
test_hears (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_test_build_filename (
      G_TEST_DIST, "golden", "models", "whisper-tiny", "expected.safetensors", NULL);
  copy (f, "whisper-tiny", "config.json");
  copy (f, "whisper-tiny", "model.safetensors");
  g_autoptr (HlSafetensors) expected = hl_safetensors_open (path, &error);
  g_assert_no_error (error);
  g_autoptr (HlTensor) ids = hl_safetensors_get (expected, "languages", &error);
  g_autoptr (HlTensor) heard = hl_safetensors_get (expected, "detected", &error);
  g_assert_no_error (error);
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, 1);
  for (int i = 0; i < ids->shape.dim[0]; i++)
    check_heard (f, expected, (const gint32 *) ids->data + i * N_LANGUAGES,
                 hl_tensor_f32 (heard) + i * 2, backend);
}

static void
test_languages (Fixture *f, gconstpointer data)
{
  static const gint32 ids[] = { 9, 8, 7, 6 };
  copy (f, "whisper-tiny", "config.json");
  copy (f, "whisper-tiny", "model.safetensors");
  g_autoptr (HlModel) model = open_with_languages (f, ids);
  g_auto (GStrv) codes = hl_model_list_languages (model);
  g_autofree char *joined = g_strjoinv (" ", codes);
  g_assert_cmpstr (joined, ==, "en l0 l1 l2 l3");
  g_assert_false (hl_model_has_tasks (model));
  g_autofree char *german = hl_language_dup_name ("de");
  g_autofree char *nothing = hl_language_dup_name ("l0");
  g_assert_cmpstr (german, ==, "German");
  g_assert_cmpstr (nothing, ==, "l0");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/generation-rules/begins", Fixture, NULL, set_up, test_begins, tear_down);
  g_test_add ("/generation-rules/says", Fixture, NULL, set_up, test_says, tear_down);
  g_test_add ("/generation-rules/hears", Fixture, NULL, set_up, test_hears, tear_down);
  g_test_add ("/generation-rules/languages", Fixture, NULL, set_up, test_languages,
              tear_down);
  return g_test_run ();
}
