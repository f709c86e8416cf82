/* SPDX-License-Identifier: MIT
 * headlight info MODEL [--json] | --backends */
#include "config.h"

#include "cli.h"

#include "backend/hl-backend-list.h"
#include "base/hl-paths.h"
#include "model/hl-model-facts.h"

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
      json_array_append_new (layers,
                             json_pack ("{s:i, s:i, s:i, s:b, s:i}", "heads",
                                        layer->n_heads, "kv_heads", layer->n_kv_heads,
                                        "head_width", layer->head_width, "is_causal",
                                        layer->is_causal, "window", layer->window));
    }
  return json_pack ("{s:s, s:o}", "name", stack->name, "layers", layers);
}

static json_t *
labels_json (const HlModelInfo *info)
{
  json_t *labels = json_array ();
  for (int i = 0; info->labels != NULL && info->labels[i] != NULL; i++)
    json_array_append_new (labels, json_string (info->labels[i]));
  return labels;
}

static json_t *
types_json (const HlModelFacts *facts)
{
  json_t *types = json_object ();
  for (guint i = 0; i < facts->types->len; i++)
    {
      const HlTypeShare *share = g_ptr_array_index (facts->types, i);
      json_object_set_new (types, share->dtype, json_integer (share->n_numbers));
    }
  return types;
}

static json_t *
files_json (const HlModelFacts *facts)
{
  json_t *files = json_array ();
  for (guint i = 0; i < facts->files->len; i++)
    {
      const HlModelFile *file = g_ptr_array_index (facts->files, i);
      g_autofree char *name = g_filename_display_name (file->name);
      json_array_append_new (files, json_pack ("{s:s, s:I}", "name", name, "size_bytes",
                                               (json_int_t) file->size_bytes));
    }
  return files;
}

static json_t *
tokenizer_json (const HlModelFacts *facts)
{
  if (facts->tokenizer_kind[0] == '\0' && facts->tokenizer_error == NULL)
    return json_null ();
  json_t *reason = facts->tokenizer_error != NULL ? json_string (facts->tokenizer_error)
                                                  : json_null ();
  return json_pack ("{s:s, s:I, s:o}", "kind", facts->tokenizer_kind, "tokens",
                    (json_int_t) facts->n_tokens, "reason", reason);
}

static void
print_json (const HlModelInfo *info, const HlModelFacts *facts)
{
  json_t *stacks = json_array ();
  for (guint i = 0; i < info->stacks->len; i++)
    json_array_append_new (stacks, stack_json (g_ptr_array_index (info->stacks, i)));
  json_t *root = json_pack (
      "{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:i, s:i, s:i, s:i, s:o, s:o}", "name",
      info->name, "path", info->path, "family", info->family, "identity", info->identity,
      "input", info->input_kind, "dtype", info->dtype, "parameters",
      (json_int_t) info->n_params, "width", info->width, "vocabulary", info->n_vocab,
      "context", info->n_context, "heads", hl_model_info_count_heads (info), "stacks",
      stacks, "labels", labels_json (info));
  json_t *more = json_pack (
      "{s:s, s:s, s:s, s:o, s:n, s:o, s:o, s:I}", "family_title", info->family_title,
      "model_type", facts->model_type, "revision", info->revision, "dtypes",
      types_json (facts), "quantisation", "tokenizer", tokenizer_json (facts), "files",
      files_json (facts), "size_bytes", (json_int_t) facts->size_bytes);
  json_object_update (root, more);
  if (facts->recording_rate > 0)
    json_object_set_new (root, "recordings",
                         json_pack ("{s:i, s:i, s:i}", "rate", facts->recording_rate,
                                    "window_s", facts->recording_window_s, "bands",
                                    facts->recording_bands));
  json_dumpf (root, stdout, JSON_INDENT (2));
  printf ("\n");
  json_decref (more);
  json_decref (root);
}

static void
print_stack (const HlModelInfo *info, const HlStack *stack)
{
  if (stack->n_layers == 0)
    return;
  printf (_ ("  %s%s%d layers, %d heads of width %d, model width %d\n"), stack->name,
          stack->name[0] != '\0' ? ": " : "", stack->n_layers, stack->layers[0].n_heads,
          stack->layers[0].head_width, info->width);
  if (stack->layers[0].n_kv_heads < stack->layers[0].n_heads)
    printf (_ ("  keys and values of %d heads, each for %d queries\n"),
            stack->layers[0].n_kv_heads,
            stack->layers[0].n_heads / stack->layers[0].n_kv_heads);
}

static void
print_tokenizer (const HlModelFacts *facts)
{
  if (facts->tokenizer_error != NULL && facts->tokenizer_kind[0] == '\0')
    printf (_ ("  no tokenizer: %s\n"), facts->tokenizer_error);
  else if (facts->tokenizer_error != NULL)
    printf (_ ("  tokenizer %s, which cannot be read: %s\n"), facts->tokenizer_kind,
            facts->tokenizer_error);
  else if (facts->tokenizer_kind[0] != '\0')
    printf (_ ("  tokenizer %s of %u tokens\n"), facts->tokenizer_kind,
            (guint) facts->n_tokens);
}

static void
print_files (const HlModelFacts *facts)
{
  g_autofree char *size = g_format_size (facts->size_bytes);
  g_autoptr (GString) types = g_string_new (NULL);
  for (guint i = 0; i < facts->types->len; i++)
    {
      const HlTypeShare *share = g_ptr_array_index (facts->types, i);
      g_string_append_printf (types, "%s%s", i > 0 ? ", " : "", share->dtype);
    }
  const HlModelFile *first = g_ptr_array_index (facts->files, 0);
  printf (ngettext ("  weights %s, not quantised, in %u file of %s: %s%s\n",
                    "  weights %s, not quantised, in %u files of %s: %s%s\n",
                    facts->files->len),
          types->str, facts->files->len, size, first->name,
          facts->files->len > 1 ? ", …" : "");
}

static void
print_text (const HlModelInfo *info, const HlModelFacts *facts)
{
  if (info->n_params < 100000)
    printf (_ ("%s: %s, %d parameters, %s\n"), info->name, info->family_title,
            (int) info->n_params, info->dtype);
  else
    printf (_ ("%s: %s, %.1f million parameters, %s\n"), info->name, info->family_title,
            (double) info->n_params / 1e6, info->dtype);
  printf (_ ("  family %s, model type %s\n"), info->family, facts->model_type);
  for (guint i = 0; i < info->stacks->len; i++)
    print_stack (info, g_ptr_array_index (info->stacks, i));
  if (info->n_vocab > 0)
    printf (_ ("  vocabulary of %d tokens, context of %d\n"), info->n_vocab,
            info->n_context);
  if (info->labels != NULL)
    printf (_ ("  %u classes\n"), g_strv_length (info->labels));
  if (facts->recording_rate > 0)
    printf (_ ("  recordings of %d Hz, in windows of %d s, as %d bands\n"),
            facts->recording_rate, facts->recording_window_s, facts->recording_bands);
  print_tokenizer (facts);
  print_files (facts);
  if (info->revision[0] != '\0')
    printf (_ ("  revision %s\n"), info->revision);
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
  g_autoptr (HlModelFacts) facts = hl_model_facts_new (model);
  if (as_json)
    print_json (hl_model_get_info (model), facts);
  else
    print_text (hl_model_get_info (model), facts);
  return CLI_OK;
}
