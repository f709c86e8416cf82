/* SPDX-License-Identifier: MIT
 * headlight trace MODEL (FILE | --image F | --audio F | --text S | --text-file F | --ids JSON)
 * -o S.h5 */
#include "config.h"

#include "cli-heads.h"
#include "cli-input.h"

#include "base/hl-error.h"
#include "presenters/hl-present.h"
#include "trace/hl-tracer.h"

#include <glib/gi18n.h>
#include <jansson.h>
#include <stdio.h>

typedef struct
{
  CliInput input;
  char *output;
  char *maps;
  HlBackendChoice backend;
  char **capture;
  CliHeads heads;
  gboolean half;
  gboolean as_json;
} Options;

static void
options_clear (Options *o)
{
  cli_input_clear (&o->input);
  g_free (o->output);
  g_free (o->maps);
  cli_backend_clear (&o->backend);
  g_strfreev (o->capture);
  cli_heads_clear (&o->heads);
}

static gboolean
parse_maps (const char *text, HlMaps *maps)
{
  static const char *const names[] = { "auto", "stored", "recomputed", "none" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (text == NULL || g_str_equal (text, names[i]))
      {
        *maps = (HlMaps) i;
        return TRUE;
      }
  return FALSE;
}

static void
print_result (const HlTrace *trace, const char *path, gboolean as_json)
{
  g_autoptr (GPtrArray) top = hl_present_predictions (trace, 5);
  json_t *list = json_array ();
  for (guint i = 0; i < top->len; i++)
    {
      const HlPrediction *p = g_ptr_array_index (top, i);
      json_array_append_new (list, json_pack ("{s:i, s:s, s:f, s:f}", "class", p->index,
                                              "label", p->label, "prob", p->prob, "logit",
                                              p->logit));
      if (!as_json)
        printf ("  %s%*s %.4f\n", p->label,
                (int) MAX (24 - g_utf8_strlen (p->label, -1), 0), "", p->prob);
    }
  const HlTokenTable *tokens = hl_trace_get_tokens (trace, trace->model->readout_stack);
  double mb = (double) hl_trace_attention_bytes (trace) / 1e6;
  if (as_json)
    {
      json_t *root =
          json_pack ("{s:s, s:i, s:i, s:f, s:f, s:s, s:O}", "session", path, "tokens",
                     tokens->n_tokens, "heads", hl_model_info_count_heads (trace->model),
                     "duration_ms", trace->duration_ms, "attention_mb", mb, "hash",
                     trace->hash, "predictions", list);
      json_dumpf (root, stdout, JSON_INDENT (2));
      printf ("\n");
      json_decref (root);
    }
  else
    printf (_ ("%d tokens, %d heads, %.0f ms, %.1f MB of attention; wrote %s\n"),
            tokens->n_tokens, hl_model_info_count_heads (trace->model),
            trace->duration_ms, mb, path);
  json_decref (list);
}

static gboolean
run (const char *model_name, const Options *o, const HlProgress *progress, GError **error)
{
  HlTraceOptions options = { .capture = (const char *const *) o->capture };
  parse_maps (o->maps, &options.maps);
  g_autoptr (HlBackend) backend = hl_backend_open (&o->backend, error);
  if (backend == NULL)
    return FALSE;
  g_autoptr (HlModel) model = cli_model_open (model_name, &o->input, error);
  if (model == NULL)
    return FALSE;
  g_autoptr (HlInput) input =
      cli_input_complete (&o->input, model, cli_input_open (&o->input, model, error),
                          backend, progress, error);
  if (input == NULL)
    return FALSE;
  g_autoptr (GPtrArray) pruned =
      cli_heads_interventions (&o->heads, hl_model_get_info (model), error);
  if (pruned == NULL)
    return FALSE;
  options.interventions = pruned;
  g_autoptr (HlTrace) trace =
      hl_tracer_run (model, input, backend, &options, progress, error);
  if (trace == NULL)
    return FALSE;
  g_autoptr (HlSession) session = hl_session_new ();
  HlSessionOptions saving = { .half_maps = o->half };
  hl_session_add_trace (session, trace);
  if (!hl_session_save_with_options (session, o->output, &saving, progress, error))
    return FALSE;
  print_result (trace, o->output, o->as_json);
  return TRUE;
}

static CliStatus
check_usage (Options *o, int argc, char **argv)
{
  HlMaps maps;
  CliStatus status = CLI_OK;
  if (argc != 2 && argc != 3)
    return cli_usage ("trace", _ ("one model expected"));
  if (argc == 3)
    status = cli_input_take_file (&o->input, argv[2], "trace");
  if (status == CLI_OK)
    status = cli_input_check (&o->input, "trace");
  if (status != CLI_OK)
    return status;
  if (o->output == NULL)
    return cli_usage ("trace", _ ("-o SESSION expected"));
  if (!parse_maps (o->maps, &maps))
    return cli_usage ("trace", _ ("--maps: auto, stored, recomputed or none expected"));
  return CLI_OK;
}

CliStatus
cli_trace (int argc, char **argv)
{
  Options o = { 0 };
  gboolean done;
  const GOptionEntry own[] = {
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &o.output, N_ ("The session to write"),
      "FILE" },
    { "maps", 0, 0, G_OPTION_ARG_STRING, &o.maps,
      N_ ("auto, stored, recomputed (keep Q and K) or none"), "HOW" },
    { "capture", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o.capture,
      N_ ("Keep sites of this name too, such as \"blocks.*.hook_resid_post\""), "GLOB" },
    CLI_HEADS_ENTRIES (o.heads),
    { "half-maps", 0, 0, G_OPTION_ARG_NONE, &o.half,
      N_ ("Store maps as float16: half the size, rounded"), NULL },
    CLI_BACKEND_ENTRIES (&o.backend),
    { "json", 0, 0, G_OPTION_ARG_NONE, &o.as_json, N_ ("Print the summary as JSON"),
      NULL },
    G_OPTION_ENTRY_NULL
  };
  g_autofree GOptionEntry *entries = cli_input_entries (
      &o.input, own,
      CLI_INPUT_IMAGE | CLI_INPUT_AUDIO | CLI_INPUT_TARGET | CLI_INPUT_PAIR);
  CliStatus status = cli_parse ("trace", entries, &argc, &argv, &done);
  if (!done)
    {
      status = check_usage (&o, argc, argv);
      if (status == CLI_OK)
        {
          GError *error = NULL;
          CliProgress bar;
          cli_progress_start (&bar);
          gboolean ok = run (argv[1], &o, &bar.progress, &error);
          cli_progress_end (&bar);
          if (!ok)
            status = cli_fail (error);
        }
    }
  options_clear (&o);
  return status;
}
