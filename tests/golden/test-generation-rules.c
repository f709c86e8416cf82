/* SPDX-License-Identifier: MIT
 * What generation_config.json says of generating: the decoder's first tokens by language
 * and task, tokens that may not be said at all, or not first, and one that must be. */
#include "backend/cpu/hl-cpu.h"
#include "base/hl-error.h"
#include "model/hl-generation-rules.h"
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
copy (Fixture *f, const char *name)
{
  g_autofree char *from =
      g_test_build_filename (G_TEST_DIST, "golden", "models", "t5-tiny", name, NULL);
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
  copy (f, "config.json");
  copy (f, "model.safetensors");
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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/generation-rules/begins", Fixture, NULL, set_up, test_begins, tear_down);
  g_test_add ("/generation-rules/says", Fixture, NULL, set_up, test_says, tear_down);
  return g_test_run ();
}
