/* SPDX-License-Identifier: MIT
 * headlight analyze importance MODEL (--image F | --text S | ...) [--target T] [-o S.h5]
 */
#include "config.h"

#include "cli-input.h"

#include "analysis/hl-importance.h"
#include "base/hl-error.h"
#include "base/hl-paths.h"
#include "trace/hl-tracer.h"

#include <glib/gi18n.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>

/* Rows of the table that is printed: the heads that matter most. */
#define N_PRINTED 10

typedef struct
{
  CliInput input;
  char *target;
  char *output;
  char *backend;
  gboolean as_json;
} Options;

static void
options_clear (Options *o)
{
  cli_input_clear (&o->input);
  g_free (o->target);
  g_free (o->output);
  g_free (o->backend);
}

/* The name of a class or token; (transfer full). */
static char *
name_of (const HlModel *model, int target)
{
  const HlModelInfo *info = hl_model_get_info (model);
  if (info->labels != NULL && target < (int) g_strv_length (info->labels))
    return g_strdup (info->labels[target]);
  HlTokenizer *tokenizer = hl_model_get_tokenizer (model, NULL);
  char *text = tokenizer != NULL ? hl_tokenizer_get_token_text (tokenizer, target) : NULL;
  return text != NULL ? text : g_strdup_printf ("%d", target);
}

/* A number, or the name of a class. */
static gboolean
parse_target (const Options *o, const HlModel *model, int *target, GError **error)
{
  gint64 number;
  char **labels = hl_model_get_info (model)->labels;
  *target = HL_IMPORTANCE_PREDICTED;
  if (o->target == NULL)
    return TRUE;
  if (g_ascii_string_to_signed (o->target, 10, 0, G_MAXINT, &number, NULL))
    {
      *target = (int) number;
      return TRUE;
    }
  for (int i = 0; labels != NULL && labels[i] != NULL; i++)
    if (g_ascii_strcasecmp (labels[i], o->target) == 0)
      {
        *target = i;
        return TRUE;
      }
  g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
               "--target: a number or the name of a class expected, \"%s\" found",
               o->target);
  return FALSE;
}

/* ---- what is printed -----------------------------------------------------------------
 */

typedef struct
{
  int layer;
  int head;
  const HlHeadEffect *effect;
} Row;

static int
by_loss (gconstpointer a, gconstpointer b)
{
  double x = ((const Row *) a)->effect->loss_change;
  double y = ((const Row *) b)->effect->loss_change;
  return (x < y) - (x > y);
}

/* (element-type Row): every head, the one that hurts most first. */
static GArray *
list_rows (const HlImportance *found)
{
  GArray *rows = g_array_new (FALSE, FALSE, sizeof (Row));
  for (int l = 0; l < found->n_layers; l++)
    for (int h = 0; h < found->first[l + 1] - found->first[l]; h++)
      {
        Row row = { l, h, hl_importance_get (found, l, h) };
        g_array_append_val (rows, row);
      }
  g_array_sort (rows, by_loss);
  return rows;
}

static void
print_table (const HlModel *model, const HlImportance *found)
{
  g_autoptr (GArray) rows = list_rows (found);
  g_autofree char *target = name_of (model, found->target);
  g_autofree char *predicted = name_of (model, found->predicted);
  printf (_ ("target %s (%d): probability %.4f; predicted: %s\n"), target, found->target,
          found->prob, predicted);
  printf ("%8s %12s %12s %12s %12s  %s\n", _ ("head"), _ ("p without"), _ ("loss change"),
          _ ("Taylor"), _ ("divergence"), _ ("then predicted"));
  for (guint i = 0; i < MIN (rows->len, N_PRINTED); i++)
    {
      const Row *row = &g_array_index (rows, Row, i);
      const HlHeadEffect *e = row->effect;
      g_autofree char *head = g_strdup_printf ("%d.%d", row->layer, row->head);
      g_autofree char *then =
          e->predicted != found->predicted ? name_of (model, e->predicted) : NULL;
      printf ("%8s %12.4f %12.4f %12.4f %12.5f  %s\n", head, e->prob_after,
              e->loss_change, e->taylor, e->divergence, then != NULL ? then : "");
    }
}

static json_t *
number_or_null (double x)
{
  return isfinite (x) ? json_real (x) : json_null ();
}

static void
print_json (const HlImportance *found)
{
  json_t *heads = json_array ();
  for (int l = 0; l < found->n_layers; l++)
    for (int h = 0; h < found->first[l + 1] - found->first[l]; h++)
      {
        const HlHeadEffect *e = hl_importance_get (found, l, h);
        json_array_append_new (
            heads,
            json_pack ("{s:i, s:i, s:f, s:f, s:f, s:o, s:f, s:i, s:f}", "layer", l,
                       "head", h, "probability_after", e->prob_after,
                       "probability_change", e->prob_change, "loss_change",
                       e->loss_change, "margin_change", number_or_null (e->margin_change),
                       "divergence", e->divergence, "predicted", e->predicted, "taylor",
                       e->taylor));
      }
  json_t *root = json_pack ("{s:i, s:i, s:f, s:s, s:o}", "target", found->target,
                            "predicted", found->predicted, "probability", found->prob,
                            "ablation", "zero", "heads", heads);
  json_dumpf (root, stdout, JSON_INDENT (2));
  printf ("\n");
  json_decref (root);
}

/* ---- what is kept --------------------------------------------------------------------
 */

static int
most_heads (const HlImportance *found)
{
  int most = 0;
  for (int l = 0; l < found->n_layers; l++)
    most = MAX (most, found->first[l + 1] - found->first[l]);
  return most;
}

/* One number of every head, (L, H); NaN where a layer has fewer heads than another. */
static void
add_array (HlSessionResult *result,
           const HlImportance *found,
           const char *name,
           gsize offset,
           const char *unit)
{
  static const char *const axes[] = { "layer", "head", NULL };
  int L = found->n_layers, H = most_heads (found);
  g_autoptr (HlTensor) array = hl_tensor_new (HL_DTYPE_F64, HL_SHAPE (L, H), NULL);
  for (int i = 0; array != NULL && i < L * H; i++)
    {
      int l = i / H, h = i % H;
      gboolean is_there = h < found->first[l + 1] - found->first[l];
      const HlHeadEffect *e = is_there ? hl_importance_get (found, l, h) : NULL;
      ((double *) array->data)[i] =
          is_there ? *(const double *) (gconstpointer) ((const char *) e + offset) : NAN;
    }
  if (array != NULL)
    hl_session_result_add_array (result, name, array, axes, unit);
}

static HlSessionResult *
make_result (const HlImportance *found, const HlTrace *trace)
{
  g_autofree char *params =
      g_strdup_printf ("{\"ablation\": \"zero\", \"target\": %d, \"predicted\": %d}",
                       found->target, found->predicted);
  json_t *origin = json_pack ("{s:s, s:s, s:s, s:s, s:s}", "program",
                              "Headlight " HL_VERSION, "model_identity",
                              trace->model->identity, "input_hash", trace->input_hash,
                              "backend", trace->backend, "precision", trace->precision);
  char *provenance = json_dumps (origin, JSON_COMPACT);
  HlSessionResult *result = hl_session_result_new ("importance", params, provenance);
  free (provenance);
  json_decref (origin);
  const struct
  {
    const char *name;
    gsize offset;
    const char *unit;
  } arrays[] = {
    { "probability_after", offsetof (HlHeadEffect, prob_after), "" },
    { "probability_change", offsetof (HlHeadEffect, prob_change), "" },
    { "loss_change", offsetof (HlHeadEffect, loss_change), "nats" },
    { "margin_change", offsetof (HlHeadEffect, margin_change), "logits" },
    { "divergence", offsetof (HlHeadEffect, divergence), "nats" },
    { "taylor", offsetof (HlHeadEffect, taylor), "nats" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (arrays); i++)
    add_array (result, found, arrays[i].name, arrays[i].offset, arrays[i].unit);
  return result;
}

static gboolean
save (const Options *o,
      const HlModel *model,
      const HlInput *input,
      HlBackend *backend,
      const HlImportance *found,
      const HlProgress *progress,
      GError **error)
{
  g_autoptr (HlTrace) trace =
      hl_tracer_run (model, input, backend, NULL, progress, error);
  if (trace == NULL)
    return FALSE;
  g_autoptr (HlSession) session = hl_session_new ();
  HlSessionResult *result = make_result (found, trace);
  hl_session_add_trace (session, trace);
  hl_session_add_result (session, result);
  hl_session_result_unref (result);
  return hl_session_save (session, o->output, progress, error);
}

/* ---- the command ---------------------------------------------------------------------
 */

static gboolean
run (const char *model_name, const Options *o, const HlProgress *progress, GError **error)
{
  int target;
  g_autoptr (HlBackend) backend = hl_backend_open (o->backend, error);
  g_autofree char *path = hl_path_model (model_name);
  g_autoptr (HlModel) model = backend != NULL ? hl_model_open (path, error) : NULL;
  if (model == NULL || !parse_target (o, model, &target, error))
    return FALSE;
  g_autoptr (HlInput) input = cli_input_open (&o->input, model, error);
  if (input == NULL)
    return FALSE;
  g_autoptr (HlImportance) found =
      hl_importance_compute (model, input, backend, target, progress, error);
  if (found == NULL)
    return FALSE;
  if (o->output != NULL && !save (o, model, input, backend, found, progress, error))
    return FALSE;
  if (o->as_json)
    print_json (found);
  else
    print_table (model, found);
  return TRUE;
}

CliStatus
cli_analyze (int argc, char **argv)
{
  Options o = { 0 };
  gboolean done;
  const GOptionEntry own[] = {
    { "target", 0, 0, G_OPTION_ARG_STRING, &o.target,
      N_ ("Class or token that is explained: a number or a class name; else what is "
          "predicted"),
      "T" },
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &o.output,
      N_ ("A session to write: the trace, and the scores under /results"), "FILE" },
    { "backend", 0, 0, G_OPTION_ARG_STRING, &o.backend, N_ ("cpu or cuda"), "NAME" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &o.as_json, N_ ("Print every head as JSON"),
      NULL },
    G_OPTION_ENTRY_NULL
  };
  g_autofree GOptionEntry *entries = cli_input_entries (&o.input, own, TRUE);
  CliStatus status = cli_parse ("analyze", entries, &argc, &argv, &done);
  if (!done)
    {
      if (argc != 3 || !g_str_equal (argv[1], "importance"))
        status = cli_usage ("analyze", _ ("\"importance\" and one model expected"));
      else
        status = cli_input_check (&o.input, "analyze");
      if (status == CLI_OK)
        {
          GError *error = NULL;
          CliProgress bar;
          cli_progress_start (&bar);
          gboolean ok = run (argv[2], &o, &bar.progress, &error);
          cli_progress_end (&bar);
          if (!ok)
            status = cli_fail (error);
        }
    }
  options_clear (&o);
  return status;
}
