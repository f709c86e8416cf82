/* SPDX-License-Identifier: MIT
 * headlight info MODEL [--json] | --backends */
#include "config.h"

#include "cli.h"

#include "backend/hl-backend-list.h"
#include "base/hl-paths.h"
#include "model/hl-model.h"

#include <glib/gi18n.h>
#include <jansson.h>
#include <stdio.h>

static void
print_status (const HlBackendStatus *s)
{
  const char *state = s->is_automatic   ? _ ("automatic")
                      : s->is_available ? _ ("available")
                                        : _ ("not used");
  printf ("%-5s %-10s %s\n", s->id, state, s->text);
  if (s->unproven == NULL)
    return;
  g_autofree char *names = g_strjoinv (", ", s->unproven);
  gboolean is_all = g_strv_length (s->unproven) == HL_N_OPS;
  printf (_ ("                 kernels that have never run on a GPU: %s\n"),
          is_all ? _ ("all of them") : names);
}

static CliStatus
list_backends (gboolean as_json)
{
  g_autoptr (GPtrArray) list = hl_backend_list ();
  json_t *array = json_array ();
  for (guint i = 0; i < list->len; i++)
    {
      const HlBackendStatus *s = g_ptr_array_index (list, i);
      json_t *unproven = json_array ();
      for (int k = 0; s->unproven != NULL && s->unproven[k] != NULL; k++)
        json_array_append_new (unproven, json_string (s->unproven[k]));
      json_array_append_new (array, json_pack ("{s:s, s:b, s:b, s:s, s:o}", "id", s->id,
                                               "available", s->is_available, "automatic",
                                               s->is_automatic, "text", s->text,
                                               "unproven", unproven));
      if (!as_json)
        print_status (s);
    }
  if (as_json)
    {
      json_dumpf (array, stdout, JSON_INDENT (2));
      printf ("\n");
    }
  json_decref (array);
  return CLI_OK;
}

static json_t *
stack_json (const HlStack *stack)
{
  json_t *layers = json_array ();
  for (int l = 0; l < stack->n_layers; l++)
    {
      const HlLayerInfo *layer = &stack->layers[l];
      json_array_append_new (
          layers, json_pack ("{s:i, s:i, s:i, s:b}", "heads", layer->n_heads, "kv_heads",
                             layer->n_kv_heads, "head_width", layer->head_width,
                             "is_causal", layer->is_causal));
    }
  return json_pack ("{s:s, s:o}", "name", stack->name, "layers", layers);
}

static void
print_json (const HlModelInfo *info)
{
  json_t *stacks = json_array ();
  for (guint i = 0; i < info->stacks->len; i++)
    json_array_append_new (stacks, stack_json (g_ptr_array_index (info->stacks, i)));
  json_t *labels = json_array ();
  for (int i = 0; info->labels != NULL && info->labels[i] != NULL; i++)
    json_array_append_new (labels, json_string (info->labels[i]));
  json_t *root = json_pack (
      "{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:i, s:i, s:i, s:i, s:o, s:o}", "name",
      info->name, "path", info->path, "family", info->family, "identity", info->identity,
      "input", info->input_kind, "dtype", info->dtype, "parameters",
      (json_int_t) info->n_params, "width", info->width, "vocabulary", info->n_vocab,
      "context", info->n_context, "heads", hl_model_info_count_heads (info), "stacks",
      stacks, "labels", labels);
  json_dumpf (root, stdout, JSON_INDENT (2));
  printf ("\n");
  json_decref (root);
}

static void
print_text (const HlModelInfo *info)
{
  printf (_ ("%s: %s, %.1f million parameters, %s\n"), info->name, info->family_title,
          (double) info->n_params / 1e6, info->dtype);
  for (guint i = 0; i < info->stacks->len; i++)
    {
      const HlStack *stack = g_ptr_array_index (info->stacks, i);
      if (stack->n_layers == 0)
        continue;
      printf (_ ("  %s%s%d layers, %d heads of width %d, model width %d\n"), stack->name,
              stack->name[0] != '\0' ? ": " : "", stack->n_layers,
              stack->layers[0].n_heads, stack->layers[0].head_width, info->width);
      if (stack->layers[0].n_kv_heads < stack->layers[0].n_heads)
        printf (_ ("  keys and values of %d heads, each for %d queries\n"),
                stack->layers[0].n_kv_heads,
                stack->layers[0].n_heads / stack->layers[0].n_kv_heads);
    }
  if (info->n_vocab > 0)
    printf (_ ("  vocabulary of %d tokens, context of %d\n"), info->n_vocab,
            info->n_context);
  if (info->labels != NULL)
    printf (_ ("  %u classes\n"), g_strv_length (info->labels));
  printf (_ ("  path %s\n  identity %s\n"), info->path, info->identity);
}

CliStatus
cli_info (int argc, char **argv)
{
  gboolean as_json = FALSE, backends = FALSE, done;
  const GOptionEntry entries[] = {
    { "json", 0, 0, G_OPTION_ARG_NONE, &as_json, N_ ("Print JSON"), NULL },
    { "backends", 0, 0, G_OPTION_ARG_NONE, &backends,
      N_ ("List the compute backends and why one is not used"), NULL },
    G_OPTION_ENTRY_NULL
  };
  CliStatus status = cli_parse ("info", entries, &argc, &argv, &done);
  if (done)
    return status;
  if (backends)
    return argc == 1 ? list_backends (as_json)
                     : cli_usage ("info", _ ("--backends takes no model"));
  if (argc != 2)
    return cli_usage ("info", _ ("one model expected"));
  GError *error = NULL;
  g_autofree char *path = hl_path_model (argv[1]);
  g_autoptr (HlModel) model = hl_model_open (path, &error);
  if (model == NULL)
    return cli_fail (error);
  if (as_json)
    print_json (hl_model_get_info (model));
  else
    print_text (hl_model_get_info (model));
  return CLI_OK;
}
