/* SPDX-License-Identifier: MIT
 * headlight generate MODEL --text S --tokens N [--json] */
#include "config.h"

#include "cli-heads.h"
#include "cli-input.h"

#include "base/hl-error.h"
#include "trace/hl-generate.h"

#include <glib/gi18n.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct
{
  CliInput input;
  CliHeads heads;
  int n_tokens;
  double temperature;
  double top_p;
  int seed;
  gboolean goes_on;
  gboolean as_json;
  HlBackendChoice backend;
} Options;

/* What has been generated so far, and how much of its text is printed. */
typedef struct
{
  const HlModel *model;
  const HlInput *input;
  gboolean as_json;
  GArray *ids;       /* gint32 */
  GArray *log_probs; /* double */
  gsize n_printed;
} Heard;

static char *
text_of (const Heard *heard, gboolean with_prompt, gsize *length)
{
  HlTokenizer *tokenizer = hl_model_get_tokenizer (heard->model, NULL);
  g_autoptr (GArray) all = g_array_new (FALSE, FALSE, sizeof (gint32));
  if (tokenizer == NULL)
    return NULL;
  if (with_prompt)
    g_array_append_vals (all, heard->input->ids->data,
                         (guint) heard->input->ids->shape.dim[1]);
  g_array_append_vals (all, heard->ids->data, heard->ids->len);
  return hl_tokenizer_decode (tokenizer, (gint32 *) (gpointer) all->data, all->len, TRUE,
                              length, NULL);
}

/* The decoded text grows; its end may still change while a character is incomplete. */
static void
print_more (Heard *heard, gboolean is_over)
{
  gsize length = 0;
  g_autofree char *text = text_of (heard, TRUE, &length);
  if (text == NULL)
    return;
  /* The text may hold NUL. */
  gboolean is_whole =
      is_over || length < 3 || memcmp (text + length - 3, "\xEF\xBF\xBD", 3) != 0;
  if (!is_whole || length <= heard->n_printed)
    return;
  fwrite (text + heard->n_printed, 1, length - heard->n_printed, stdout);
  fflush (stdout);
  heard->n_printed = length;
}

/* Without a tokenizer there are numbers to read. */
static void
print_ids (const Heard *heard)
{
  printf ("[");
  for (guint i = 0; i < heard->ids->len; i++)
    printf ("%s%d", i > 0 ? ", " : "", g_array_index (heard->ids, gint32, i));
  printf ("]\n");
}

static gboolean
hear_cb (const HlGenerated *token, gpointer data)
{
  Heard *heard = data;
  g_array_append_val (heard->ids, token->id);
  g_array_append_val (heard->log_probs, token->log_prob);
  if (!heard->as_json)
    print_more (heard, FALSE);
  return TRUE;
}

static json_t *
text_json (const Heard *heard, gboolean with_prompt)
{
  gsize length = 0;
  g_autofree char *text = text_of (heard, with_prompt, &length);
  return text != NULL ? json_stringn (text, length) : json_null ();
}

static void
print_json (const Heard *heard, double seconds)
{
  json_t *tokens = json_array ();
  HlTokenizer *tokenizer = hl_model_get_tokenizer (heard->model, NULL);
  for (guint i = 0; i < heard->ids->len; i++)
    {
      gint32 id = g_array_index (heard->ids, gint32, i);
      g_autofree char *text =
          tokenizer != NULL ? hl_tokenizer_get_token_text (tokenizer, id) : NULL;
      json_array_append_new (
          tokens, json_pack ("{s:i, s:s?, s:f}", "id", id, "text", text, "log_prob",
                             g_array_index (heard->log_probs, double, i)));
    }
  json_t *root = json_pack ("{s:i, s:o, s:o, s:o, s:f}", "prompt_tokens",
                            (int) heard->input->ids->shape.dim[1], "tokens", tokens,
                            "text", text_json (heard, FALSE), "whole_text",
                            text_json (heard, TRUE), "seconds", seconds);
  json_dumpf (root, stdout, JSON_INDENT (2));
  printf ("\n");
  json_decref (root);
}

static gboolean
run (const char *model_name, const Options *o, const HlProgress *progress, GError **error)
{
  g_autoptr (HlBackend) backend = hl_backend_open (&o->backend, error);
  if (backend == NULL)
    return FALSE;
  g_autoptr (HlModel) model = cli_model_open (model_name, &o->input, error);
  g_autoptr (HlInput) input =
      model != NULL
          ? cli_input_detect (&o->input, model, cli_input_open (&o->input, model, error),
                              backend, progress, error)
          : NULL;
  if (input == NULL)
    return FALSE;
  g_autoptr (GPtrArray) pruned =
      cli_heads_interventions (&o->heads, hl_model_get_info (model), error);
  if (pruned == NULL)
    return FALSE;
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GArray) log_probs = g_array_new (FALSE, FALSE, sizeof (double));
  Heard heard = { model, input, o->as_json, ids, log_probs, 0 };
  const HlGenerateOptions options = { .n_tokens = o->n_tokens,
                                      .temperature = o->temperature,
                                      .top_p = o->top_p,
                                      .seed = (guint32) o->seed,
                                      .goes_on = o->goes_on,
                                      .interventions = pruned };
  gint64 began_us = g_get_monotonic_time ();
  int n = hl_generate (model, input, backend, &options, progress, hear_cb, &heard, error);
  double seconds = (double) (g_get_monotonic_time () - began_us) / 1e6;
  if (n < 0)
    return FALSE;
  if (o->as_json)
    print_json (&heard, seconds);
  else if (hl_model_get_tokenizer (model, NULL) == NULL)
    print_ids (&heard);
  else
    {
      print_more (&heard, TRUE);
      printf ("\n");
    }
  if (n < o->n_tokens &&
      input->ids->shape.dim[1] + n > hl_model_get_info (model)->n_context)
    fprintf (stderr, _ ("headlight: the model's context of %d tokens is full\n"),
             hl_model_get_info (model)->n_context);
  return TRUE;
}

static CliStatus
check_usage (const Options *o, int argc)
{
  if (argc != 2)
    return cli_usage ("generate", _ ("one model expected"));
  if (o->n_tokens < 1)
    return cli_usage ("generate", _ ("--tokens: a number above 0 expected"));
  if (o->temperature < 0 || !isfinite (o->temperature))
    return cli_usage ("generate", _ ("--temperature: 0 or more expected"));
  if (!(o->top_p >= 0 && o->top_p <= 1)) /* nor no number at all */
    return cli_usage ("generate", _ ("--top-p: a number from 0 to 1 expected"));
  return cli_input_check (&o->input, "generate");
}

CliStatus
cli_generate (int argc, char **argv)
{
  Options o = { .n_tokens = 64 };
  gboolean done;
  const GOptionEntry own[] = {
    { "tokens", 0, 0, G_OPTION_ARG_INT, &o.n_tokens, N_ ("Generate so many at most (64)"),
      "N" },
    { "temperature", 0, 0, G_OPTION_ARG_DOUBLE, &o.temperature,
      N_ ("Draw with this temperature; 0 takes the most probable token"), "X" },
    { "top-p", 0, 0, G_OPTION_ARG_DOUBLE, &o.top_p,
      N_ ("Draw among the most probable tokens that make up this share"), "P" },
    { "seed", 0, 0, G_OPTION_ARG_INT, &o.seed, N_ ("Of the draws"), "N" },
    { "go-on", 0, 0, G_OPTION_ARG_NONE, &o.goes_on, N_ ("Past the end-of-text token"),
      NULL },
    CLI_HEADS_ENTRIES (o.heads),
    CLI_BACKEND_ENTRIES (&o.backend),
    { "json", 0, 0, G_OPTION_ARG_NONE, &o.as_json,
      N_ ("Print tokens and log-probabilities as JSON"), NULL },
    G_OPTION_ENTRY_NULL
  };
  g_autofree GOptionEntry *entries =
      cli_input_entries (&o.input, own, CLI_INPUT_AUDIO | CLI_INPUT_TARGET);
  CliStatus status = cli_parse ("generate", entries, &argc, &argv, &done);
  if (!done)
    status = check_usage (&o, argc);
  if (!done && status == CLI_OK)
    {
      GError *error = NULL;
      CliProgress bar;
      cli_progress_start (&bar);
      if (!o.as_json)
        bar.progress.func = NULL; /* the text itself shows how far it is */
      gboolean ok = run (argv[1], &o, &bar.progress, &error);
      cli_progress_end (&bar);
      if (!ok)
        status = cli_fail (error);
    }
  cli_input_clear (&o.input);
  cli_heads_clear (&o.heads);
  cli_backend_clear (&o.backend);
  return status;
}
