/* SPDX-License-Identifier: MIT
 * headlight embed MODEL --text S [--text2 S2] | --image P [--json] */
#include "config.h"

#include "cli-input.h"

#include "analysis/hl-sentence.h"
#include "model/hl-model-text.h"

#include <glib/gi18n.h>
#include <jansson.h>
#include <stdio.h>

typedef struct
{
  CliInput input;
  HlBackendChoice backend;
  gboolean as_json;
} Options;

typedef struct
{
  HlModel *model;
  HlTextPooling *pooling;
  gboolean has_modules;
  HlBackend *backend;
  const HlProgress *progress;
} Embedder;

/* Of one text, cut to what the folder says; (transfer full). */
static HlTensor *
embed (const Embedder *e, CliInput *from, char **words, gint64 *n_tokens, GError **error)
{
  int max_tokens = hl_text_pooling_get_max_tokens (e->pooling);
  if (from->n_tokens == 0)
    from->n_tokens = max_tokens;
  g_autoptr (HlInput) input = cli_input_open (from, e->model, error);
  if (input == NULL)
    return NULL;
  *n_tokens = input->ids != NULL ? hl_tensor_count (input->ids) : 0;
  return hl_sentence_embed (e->model, e->pooling, e->has_modules, input, e->backend,
                            e->progress, words, error);
}

static json_t *
numbers_of (const HlTensor *x)
{
  json_t *list = json_array ();
  for (gint64 i = 0; i < hl_tensor_count (x); i++)
    json_array_append_new (list, json_real ((double) hl_tensor_f32 (x)[i]));
  return list;
}

static void
print_json (const HlTensor *const vectors[2], const gint64 n_tokens[2], const char *words)
{
  json_t *list = json_array ();
  for (int i = 0; i < 2 && vectors[i] != NULL; i++)
    json_array_append_new (list,
                           json_pack ("{s:I, s:o}", "tokens", (json_int_t) n_tokens[i],
                                      "embedding", numbers_of (vectors[i])));
  json_t *root = json_pack ("{s:s, s:i, s:o}", "pooling", words, "width",
                            (int) hl_tensor_count (vectors[0]), "embeddings", list);
  if (vectors[1] != NULL)
    json_object_set_new (root, "cosine",
                         json_real (hl_sentence_cosine (vectors[0], vectors[1])));
  json_dumpf (root, stdout, JSON_INDENT (1) | JSON_REAL_PRECISION (9));
  printf ("\n");
  json_decref (root);
}

/* The first few numbers are for the eye alone; --json has all of them. */
static void
print_text (const HlTensor *const vectors[2], const gint64 n_tokens[2], const char *words)
{
  for (int i = 0; i < 2 && vectors[i] != NULL; i++)
    {
      if (n_tokens[i] > 0)
        printf (_ ("%d tokens, %d numbers:"), (int) n_tokens[i],
                (int) hl_tensor_count (vectors[i]));
      else
        printf (_ ("%d numbers:"), (int) hl_tensor_count (vectors[i]));
      for (gint64 k = 0; k < MIN (hl_tensor_count (vectors[i]), 5); k++)
        printf (" %.4f", (double) hl_tensor_f32 (vectors[i])[k]);
      printf (" …\n");
    }
  if (vectors[1] != NULL)
    printf (_ ("cosine %.4f\n"), hl_sentence_cosine (vectors[0], vectors[1]));
  printf (_ ("pooling: %s\n"), words);
}

static gboolean
run (const char *name, Options *o, const HlProgress *progress, GError **error)
{
  g_autoptr (HlBackend) backend = hl_backend_open (&o->backend, error);
  g_autoptr (HlModel) model =
      backend != NULL ? cli_model_open (name, &o->input, error) : NULL;
  if (model == NULL)
    return FALSE;
  Embedder e = { .model = model, .backend = backend, .progress = progress };
  g_autoptr (HlTextPooling) pooling =
      hl_text_pooling_open (hl_model_get_info (model)->path, &e.has_modules, error);
  if (pooling == NULL)
    return FALSE;
  e.pooling = pooling;
  g_autofree char *second = g_steal_pointer (&o->input.second);
  g_autofree char *words = NULL, *again = NULL;
  gint64 n_tokens[2] = { 0 };
  g_autoptr (HlTensor) a = embed (&e, &o->input, &words, &n_tokens[0], error);
  g_autoptr (HlTensor) b = NULL;
  if (a != NULL && second != NULL)
    {
      CliInput other = { .text = second, .no_bos = o->input.no_bos };
      b = embed (&e, &other, &again, &n_tokens[1], error);
    }
  if (a == NULL || (second != NULL && b == NULL))
    return FALSE;
  const HlTensor *vectors[2] = { a, b };
  if (o->as_json)
    print_json (vectors, n_tokens, words);
  else
    print_text (vectors, n_tokens, words);
  return TRUE;
}

CliStatus
cli_embed (int argc, char **argv)
{
  Options o = { 0 };
  gboolean done;
  const GOptionEntry own[] = { CLI_BACKEND_ENTRIES (&o.backend),
                               { "json", 0, 0, G_OPTION_ARG_NONE, &o.as_json,
                                 N_ ("Print all numbers, as JSON"), NULL },
                               G_OPTION_ENTRY_NULL };
  g_autofree GOptionEntry *entries =
      cli_input_entries (&o.input, own, CLI_INPUT_IMAGE | CLI_INPUT_PAIR);
  CliStatus status = cli_parse ("embed", entries, &argc, &argv, &done);
  if (!done && argc != 2)
    status = cli_usage ("embed", _ ("one model expected"));
  else if (!done && (status = cli_input_check (&o.input, "embed")) == CLI_OK)
    {
      GError *error = NULL;
      CliProgress bar;
      cli_progress_start (&bar);
      gboolean ok = run (argv[1], &o, &bar.progress, &error);
      cli_progress_end (&bar);
      if (!ok)
        status = cli_fail (error);
    }
  cli_input_clear (&o.input);
  cli_backend_clear (&o.backend);
  return status;
}
