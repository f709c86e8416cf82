/* SPDX-License-Identifier: MIT
 * Saliency of several targets of one input. */
#include "analysis/hl-saliency-set.h"

#include "analysis/hl-result-reader.h"
#include "analysis/hl-spes.h"
#include "base/hl-error.h"
#include "io/hl-csv.h"
#include "model/hl-model-text.h"

#include <math.h>

void
hl_saliency_set_free (HlSaliencySet *set)
{
  if (set == NULL)
    return;
  g_ptr_array_unref (set->rows);
  g_ptr_array_unref (set->names);
  hl_token_table_unref (set->tokens);
  hl_spes_maps_free (set->spes);
  g_free (set->interventions);
  g_free (set);
}

/* ---- targets -------------------------------------------------------------------------
 */

typedef struct
{
  const HlModel *model;
  HlInput *input;
  HlBackend *backend;
  const HlSaliencyOptions *options;
  const HlProgress *progress;
} Asking;

static gint64
count_tokens (const Asking *a)
{
  return a->input->ids != NULL ? a->input->ids->shape.dim[1] : 0;
}

/* Each token behind the first, at the row before it. */
static gboolean
list_every (const Asking *a, int against, GArray *targets, GError **error)
{
  const HlModelInfo *info = hl_model_get_info (a->model);
  if (info->predicts != HL_PREDICTS_NEXT || count_tokens (a) < 2)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                   "target \"every\": a text of two tokens and a model that predicts the "
                   "next one expected, %s with %d found",
                   info->name, (int) count_tokens (a));
      return FALSE;
    }
  const gint32 *ids = a->input->ids->data;
  const HlToken *tokens = a->input->tokens->tokens;
  gboolean has_source = info->n_source_context > 0, is_start = has_source;
  for (gint64 i = 1; i < count_tokens (a); i++)
    {
      /* What a decoder is told before it begins is no prediction of its. */
      is_start = is_start && tokens[i].role == HL_ROLE_SPECIAL;
      if (is_start)
        continue;
      HlSaliencyTarget target = { i - 1, ids[i], against };
      g_array_append_val (targets, target);
    }
  if (targets->len > 0)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_MISSING,
               "target \"every\": the decoder has said nothing");
  return FALSE;
}

/* The most probable class or token at @row; -1 with @error. */
static int
predict (const Asking *a, gint64 row, GError **error)
{
  const char *none[] = { NULL };
  g_auto (HlGradientPass) pass = { 0 };
  g_autoptr (HlInput) part = hl_saliency_input (a->model, a->input, row);
  HlSaliencyTarget any = { row, 0, -1 };
  if (!hl_gradient_pass_run (&pass, a->model, part, a->backend, any, HL_SITE_EMBED, NULL,
                             none, a->options->interventions, a->progress, error))
    return -1;
  const double *z = (const double *) pass.logits->data;
  int best = 0;
  for (int i = 1; i < pass.logits->shape.dim[1]; i++)
    if (z[i] > z[best])
      best = i;
  return best;
}

/* Where the tower pools: of a text its last token, of a picture CLS. */
static gboolean
list_pair (const Asking *a, GArray *targets, GError **error)
{
  if (hl_saliency_is_of_sets (a->options->method))
    {
      g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                   "%s: a prediction expected, a pair of two towers found",
                   hl_saliency_name (a->options->method));
      return FALSE;
    }
  gint64 own = hl_model_get_readout_row (a->model, a->input);
  HlSaliencyTarget pair = { a->input->ids != NULL ? own : -1, 0, -1, a->options->pair };
  g_array_append_val (targets, pair);
  return TRUE;
}

static gboolean
list_one (const Asking *a,
          int target,
          int against,
          gint64 position,
          GArray *targets,
          GError **error)
{
  gboolean is_text = hl_model_get_info (a->model)->predicts != HL_PREDICTS_NOTHING &&
                     a->input->ids != NULL;
  gint64 own = hl_model_get_readout_row (a->model, a->input);
  gint64 row = !is_text ? -1 : position >= 0 ? position : own;
  if (is_text && row >= count_tokens (a))
    {
      g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                   "position: 0 to %d expected, %d found", (int) count_tokens (a) - 1,
                   (int) row);
      return FALSE;
    }
  HlSaliencyTarget one = { row, target, against, NULL };
  if (target < 0)
    one.index = predict (a, row, error);
  g_array_append_val (targets, one);
  return one.index >= 0;
}

GArray *
hl_saliency_set_list (const HlModel *model,
                      HlInput *input,
                      HlBackend *backend,
                      int target,
                      int against,
                      gint64 position,
                      const HlSaliencyOptions *options,
                      const HlProgress *progress,
                      GError **error)
{
  const Asking a = { model, input, backend, options, progress };
  g_autoptr (GArray) targets = g_array_new (FALSE, FALSE, sizeof (HlSaliencyTarget));
  gboolean ok = options->pair != NULL ? list_pair (&a, targets, error)
                : target == HL_TARGET_EVERY
                    ? list_every (&a, against, targets, error)
                    : list_one (&a, target, against, position, targets, error);
  return ok ? g_steal_pointer (&targets) : NULL;
}

/* ---- scores --------------------------------------------------------------------------
 */

/* All targets from the same runs: (transfer full); NULL with @error. */
static HlSaliencySet *
score_at_once (const Asking *a, const GArray *targets, GError **error)
{
  g_autoptr (HlSpes) spes = hl_spes_new_for (a->model, a->input, a->backend, targets,
                                             a->options, a->progress, error);
  return spes != NULL && hl_spes_run (spes, 0, a->progress, error) ? hl_spes_to_set (spes)
                                                                   : NULL;
}

/* (transfer full): "Bag − Shirt" where it is held against another. */
static char *
name_target (const HlModel *model, const HlSaliencyTarget *target)
{
  g_autofree char *name = hl_model_dup_class_name (model, target->index);
  if (target->against < 0)
    return g_steal_pointer (&name);
  g_autofree char *other = hl_model_dup_class_name (model, target->against);
  return g_strdup_printf ("%s − %s", name, other);
}

static int
count_samples (const HlSaliencyOptions *o)
{
  return o->n_samples > 0 ? o->n_samples : 32;
}

static double
noise_of (const HlSaliencyOptions *o)
{
  return o->noise > 0 ? o->noise : 0.1;
}

gboolean
hl_saliency_set_is_like (const HlSaliencySet *set, const HlSaliencyOptions *options)
{
  const HlSaliencyOptions *o = &set->options;
  g_autofree char *words = hl_interventions_describe (options->interventions);
  return o->method == options->method && o->baseline == options->baseline &&
         !o->at_features == !options->at_features && o->seed == options->seed &&
         count_samples (o) == count_samples (options) &&
         noise_of (o) == noise_of (options) && o->n_steps == options->n_steps &&
         o->n_steps_max == options->n_steps_max &&
         g_strcmp0 (set->interventions, words) == 0;
}

/* (transfer full) (nullable): what is known of @target. */
static HlSaliencyRow *
find_known (const Asking *a, const HlSaliencyTarget *target, int n_tokens)
{
  const GPtrArray *known = a->options->known;
  for (guint i = 0; known != NULL && target->pair == NULL && i < known->len; i++)
    {
      const HlSaliencyRow *row = g_ptr_array_index (known, i);
      if (row->target.row == target->row && row->target.index == target->index &&
          row->target.against == target->against && row->n_tokens == n_tokens)
        return hl_saliency_row_copy (row);
    }
  return NULL;
}

static HlSaliencySet *
set_new (const Asking *a)
{
  HlSaliencySet *set = g_new0 (HlSaliencySet, 1);
  set->options = *a->options;
  set->options.interventions = NULL;
  set->options.known = NULL;
  set->interventions = hl_interventions_describe (a->options->interventions);
  set->rows = g_ptr_array_new_with_free_func ((GDestroyNotify) hl_saliency_row_free);
  set->names = g_ptr_array_new_with_free_func (g_free);
  set->tokens = hl_model_get_tokens (a->model, a->input, 0);
  return set;
}

/* One target after the other: (transfer full); NULL with @error. When it is stopped, what
 * is known of the others still comes along. */
static HlSaliencySet *
score_each (const Asking *a, const GArray *targets, GError **error)
{
  g_autoptr (HlSaliencySet) set = set_new (a);
  g_autoptr (GError) stop = NULL;
  for (guint i = 0; i < targets->len; i++)
    {
      HlSaliencyTarget one = g_array_index (targets, HlSaliencyTarget, i);
      HlSaliencyRow *row = find_known (a, &one, set->tokens->n_tokens);
      if (row == NULL && stop == NULL &&
          hl_progress_step (a->progress, (double) i / targets->len, NULL, &stop))
        row = hl_saliency_score (a->model, a->input, a->backend, one, a->options,
                                 a->progress, &stop);
      if (row == NULL && !g_error_matches (stop, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        break;
      if (row == NULL)
        continue;
      g_ptr_array_add (set->rows, row);
      g_ptr_array_add (set->names, one.pair != NULL ? g_strdup (one.pair->name)
                                                    : name_target (a->model, &one));
    }
  set->is_partial = g_error_matches (stop, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  if (stop != NULL && !(set->is_partial && set->rows->len > 0))
    {
      g_propagate_error (error, g_steal_pointer (&stop));
      return NULL;
    }
  return g_steal_pointer (&set);
}

HlSaliencySet *
hl_saliency_set_score (const HlModel *model,
                       HlInput *input,
                       HlBackend *backend,
                       int target,
                       int against,
                       gint64 position,
                       const HlSaliencyOptions *options,
                       const HlProgress *progress,
                       GError **error)
{
  const Asking a = { model, input, backend, options, progress };
  g_autoptr (GArray) targets = hl_saliency_set_list (
      model, input, backend, target, against, position, options, progress, error);
  if (targets == NULL)
    return NULL;
  return hl_saliency_is_of_sets (options->method) ? score_at_once (&a, targets, error)
                                                  : score_each (&a, targets, error);
}

/* ---- a session -----------------------------------------------------------------------
 */

static const HlSaliencyRow *
row_at (const HlSaliencySet *set, guint i)
{
  return g_ptr_array_index (set->rows, i);
}

/* What a pair is worth, in words. */
static json_t *
describe_pair (const HlPair *pair)
{
  return json_pack ("{s:s, s:f, s:f, s:s}", "name", pair->name, "scale", pair->scale,
                    "offset", pair->offset, "explains",
                    "scale times the cosine of what both towers pool, plus offset");
}

json_t *
hl_saliency_set_describe (const HlSaliencySet *set)
{
  const HlSaliencyOptions *o = &set->options;
  json_t *tokens = json_array (), *targets = json_array ();
  for (int i = 0; i < set->tokens->n_tokens; i++)
    {
      const char *text = set->tokens->tokens[i].text;
      json_array_append_new (tokens, json_string (text != NULL ? text : ""));
    }
  for (guint i = 0; i < set->rows->len; i++)
    json_array_append_new (targets,
                           json_pack ("{s:s, s:i, s:i}", "name",
                                      (const char *) g_ptr_array_index (set->names, i),
                                      "position", (int) row_at (set, i)->target.row,
                                      "steps", row_at (set, i)->n_steps));
  json_t *about = json_pack (
      "{s:s, s:s, s:b, s:i, s:f, s:I, s:o, s:o, s:s}", "method",
      hl_saliency_name (o->method), "baseline", hl_baseline_name (o->baseline),
      "at_encoder", o->at_features, "samples", count_samples (o), "noise", noise_of (o),
      "seed", (json_int_t) o->seed, "tokens", tokens, "targets", targets, "explains",
      set->spes != NULL
          ? "the whole distribution at the target's row, by its divergence where parts "
            "of "
            "the input are hidden"
          : "the logit before the softmax, less that of \"against\" where it is not -1");
  if (set->interventions != NULL)
    json_object_set_new (about, "interventions", json_string (set->interventions));
  if (set->spes != NULL)
    json_object_set_new (about, "spes", hl_spes_maps_describe (set->spes));
  if (o->pair != NULL)
    {
      json_object_del (about, "explains");
      json_object_set_new (about, "pair", describe_pair (o->pair));
    }
  return about;
}

void
hl_saliency_set_add_targets (const HlSaliencySet *set, HlSessionResult *result)
{
  gsize n = set->rows->len;
  HlShape shape = HL_SHAPE ((gint64) n);
  g_autofree double *value = g_new (double, n + 1);
  g_autofree gint32 *position = g_new (gint32, n + 1);
  g_autofree gint32 *index = g_new (gint32, n + 1);
  g_autofree gint32 *against = g_new (gint32, n + 1);
  for (guint i = 0; i < n; i++)
    {
      const HlSaliencyRow *row = row_at (set, i);
      value[i] = row->z;
      position[i] = (gint32) row->target.row;
      index[i] = row->target.index;
      against[i] = row->target.against;
    }
  hl_result_add_array (result, "value", HL_DTYPE_F64, shape, value, "target", NULL);
  hl_result_add_array (result, "position", HL_DTYPE_I32, shape, position, "target", NULL);
  hl_result_add_array (result, "class", HL_DTYPE_I32, shape, index, "target", NULL);
  hl_result_add_array (result, "against", HL_DTYPE_I32, shape, against, "target", NULL);
}

/* How far the numbers are what they should add up to. */
static void
add_sums (HlSessionResult *result, const HlSaliencySet *set)
{
  gsize n = set->rows->len;
  HlShape shape = HL_SHAPE ((gint64) n);
  g_autofree double *difference = g_new (double, n + 1);
  g_autofree double *completeness = g_new (double, n + 1);
  for (guint i = 0; i < n; i++)
    {
      difference[i] = row_at (set, i)->difference;
      completeness[i] = row_at (set, i)->completeness;
    }
  hl_result_add_array (result, "difference", HL_DTYPE_F64, shape, difference, "target",
                       NULL);
  hl_result_add_array (result, "completeness", HL_DTYPE_F64, shape, completeness,
                       "target", NULL);
}

/* What of the decoder's own tokens is said; rows are of different lengths. */
static void
add_own (HlSessionResult *result, const HlSaliencySet *set)
{
  gint64 n = set->rows->len, most = 0;
  for (guint i = 0; i < n; i++)
    most = MAX (most, row_at (set, i)->n_own);
  g_autofree double *own = g_new (double, (gsize) (n * most) + 1);
  for (gint64 i = 0; i < n * most; i++)
    {
      const HlSaliencyRow *row = row_at (set, (guint) (i / most));
      own[i] = i % most < row->n_own ? row->own[i % most] : NAN;
    }
  if (most > 0)
    hl_result_add_array (result, "own", HL_DTYPE_F64, HL_SHAPE (n, most), own, "target",
                         "token");
}

HlSessionResult *
hl_saliency_set_to_result (const HlSaliencySet *set, const char *provenance)
{
  json_t *about = hl_saliency_set_describe (set);
  char *params = json_dumps (about, JSON_COMPACT);
  HlSessionResult *result =
      hl_session_result_new (HL_RESULT_SALIENCY, params, provenance);
  json_decref (about);
  gint64 n = set->rows->len, T = set->tokens->n_tokens;
  g_autofree double *saliency = g_new (double, (gsize) (n * T) + 1);
  free (params);
  for (guint i = 0; i < n; i++)
    for (gint64 t = 0; t < T; t++)
      saliency[i * T + t] = row_at (set, i)->scores[t];
  hl_result_add_array (result, "saliency", HL_DTYPE_F64, HL_SHAPE (n, T), saliency,
                       "target", "token");
  hl_saliency_set_add_targets (set, result);
  add_sums (result, set);
  add_own (result, set);
  if (set->spes != NULL)
    hl_spes_maps_add_to (set->spes, result);
  return result;
}

/* ---- a table -------------------------------------------------------------------------
 */

char *
hl_saliency_set_to_csv (const HlSaliencySet *set)
{
  GString *csv = g_string_new ("position,target,value,token,text,saliency\n");
  for (guint i = 0; i < set->rows->len; i++)
    for (int t = 0; t < set->tokens->n_tokens; t++)
      {
        const HlSaliencyRow *row = row_at (set, i);
        g_string_append_printf (csv, "%d,", (int) row->target.row);
        hl_csv_append_text (csv, g_ptr_array_index (set->names, i));
        hl_csv_append_number (csv, row->z, 0);
        g_string_append_printf (csv, ",%d,", t);
        hl_csv_append_text (
            csv, set->tokens->tokens[t].text != NULL ? set->tokens->tokens[t].text : "");
        hl_csv_append_number (csv, row->scores[t], 0);
        g_string_append_c (csv, '\n');
      }
  return g_string_free (csv, FALSE);
}
