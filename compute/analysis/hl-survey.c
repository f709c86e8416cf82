/* SPDX-License-Identifier: MIT
 * Scores of every head on one input, or on each of a data set. */
#include "analysis/hl-survey.h"

#include "analysis/hl-embedding.h"
#include "base/hl-error.h"
#include "trace/hl-tracer.h"

typedef struct
{
  const HlModel *model;
  const HlDataset *dataset; /* NULL for one input */
  HlBackend *backend;
  const HlSurveyOptions *options;
  const HlProgress *progress;
  HlHeadScores *scores;
  HlMeanZ *mean;
  HlTensor *reference; /* (1, D) double; NULL for none */
  GRand *rand;
  int index, n; /* the input in hand */
  int part;     /* of its parts, below */
  int n_layers; /* scored of it */
} Work;

/* ---- progress ------------------------------------------------------------------------
 */

static int
count_parts (const HlSurveyOptions *o)
{
  return o->with_importance + o->with_strength;
}

static void
part_cb (double fraction, const char *what, gpointer data)
{
  Work *w = data;
  double parts = MAX (count_parts (w->options), 1);
  double done = ((double) w->index + (w->part + fraction) / parts) / MAX (w->n, 1);
  if (w->progress != NULL && w->progress->func != NULL)
    w->progress->func (done, what, w->progress->func_data);
}

static HlProgress
part_progress (Work *w)
{
  HlProgress progress = w->progress != NULL ? *w->progress : (HlProgress){ 0 };
  progress.func = part_cb;
  progress.func_data = w;
  return progress;
}

/* ---- one input -----------------------------------------------------------------------
 */

static void
layer_done_cb (const HlHeadScores *scores, int layer, gpointer data)
{
  Work *w = data;
  w->n_layers++;
  if (w->options->done != NULL && w->dataset == NULL)
    w->options->done (scores, w->options->done_data);
}

/* (transfer full) (nullable): another input of the data set. */
static HlInput *
draw_other (Work *w)
{
  int n = w->dataset != NULL ? hl_dataset_get_n_items (w->dataset) : 0, label;
  for (int tries = 0; tries < 16 && n > 1; tries++)
    {
      int i = g_rand_int_range (w->rand, 0, n - 1);
      i += i >= w->index;
      HlInput *other = hl_dataset_open_input (w->dataset, w->model, i, &label, NULL);
      if (other != NULL)
        return other;
    }
  return NULL;
}

int
hl_survey_target (int target, const HlDataset *dataset)
{
  if (target != HL_TARGET_AUTO)
    return target;
  return dataset != NULL && dataset->kind == HL_DATASET_LINES ? HL_TARGET_EVERY
                                                              : HL_TARGET_LABEL;
}

static gboolean
score_importance (Work *w, const HlInput *input, int label, GError **error)
{
  GError *failure = NULL;
  const HlSurveyOptions *o = w->options;
  HlProgress progress = part_progress (w), quiet = progress;
  quiet.func = NULL;
  g_autoptr (HlInput) other = o->ablation == HL_ABLATION_RESAMPLE ? draw_other (w) : NULL;
  g_autoptr (GPtrArray) replacements = hl_ablation_replace (
      o->ablation, w->model, input, other, w->mean, w->backend, &quiet, &failure);
  if (failure != NULL)
    {
      g_propagate_error (error, failure);
      return FALSE;
    }
  const HlImportanceOptions importance = {
    .target = hl_survey_target (o->target, w->dataset),
    .against = o->against,
    .label = label,
    .ablation = o->ablation,
    .replacements = replacements,
    .interventions = o->interventions,
    .reference = w->reference != NULL ? w->reference->data : NULL,
    .layer_done = layer_done_cb,
    .layer_done_data = w
  };
  return hl_importance_score (w->scores, w->model, input, w->backend, &importance,
                              &progress, error);
}

static gboolean
score_strength (Work *w, const HlInput *input, GError **error)
{
  HlProgress progress = part_progress (w), quiet = progress;
  quiet.func = NULL;
  const HlTraceOptions options = { .interventions = w->options->interventions,
                                   .no_predictions = TRUE };
  g_autoptr (HlTrace) trace =
      hl_tracer_run (w->model, input, w->backend, &options, &quiet, error);
  if (trace == NULL)
    return FALSE;
  g_autoptr (HlAttentionSource) source = hl_attention_source_new (trace);
  return hl_strength_score (w->scores, source, w->backend, &progress, error);
}

static gboolean
score_input (Work *w, const HlInput *input, int label, GError **error)
{
  const HlSurveyOptions *o = w->options;
  HlScoredInput *about = hl_head_scores_begin_input (w->scores, input->name, input->path);
  about->label = label;
  w->part = 0;
  if (o->with_importance && !score_importance (w, input, label, error))
    return FALSE;
  w->part += o->with_importance;
  if (o->with_strength && !score_strength (w, input, error))
    return FALSE;
  if (o->done != NULL)
    o->done (w->scores, o->done_data);
  return TRUE;
}

static void
work_init (Work *w,
           const HlModel *model,
           const HlDataset *dataset,
           HlBackend *backend,
           const HlSurveyOptions *options,
           const HlProgress *progress)
{
  *w = (Work){ model, dataset, backend, options, progress };
  w->n = dataset != NULL ? hl_dataset_get_n_items (dataset) : 1;
  w->rand = g_rand_new_with_seed (options->seed);
  w->scores = hl_head_scores_new (hl_model_info_get_stack (hl_model_get_info (model), 0));
}

/* What the model makes of the reference, with the same heads pruned. */
static gboolean
look_at_reference (Work *w, GError **error)
{
  const HlSurveyOptions *o = w->options;
  if (o->reference == NULL || !o->with_importance)
    return TRUE;
  g_autoptr (HlTensor) row = hl_embedding_of (w->model, o->reference, o->interventions,
                                              w->backend, w->progress, NULL, error);
  w->reference = row != NULL ? hl_tensor_convert (row, HL_DTYPE_F64, error) : NULL;
  return w->reference != NULL;
}

/* (transfer full): the scores, or NULL. */
static HlHeadScores *
work_end (Work *w, gboolean ok)
{
  g_rand_free (w->rand);
  hl_mean_z_free (w->mean);
  g_clear_pointer (&w->reference, hl_tensor_unref);
  if (!ok)
    g_clear_pointer (&w->scores, hl_head_scores_unref);
  return w->scores;
}

HlHeadScores *
hl_survey_input (const HlModel *model,
                 const HlInput *input,
                 int label,
                 HlBackend *backend,
                 const HlSurveyOptions *options,
                 const HlProgress *progress,
                 GError **error)
{
  Work w;
  GError *failure = NULL;
  work_init (&w, model, NULL, backend, options, progress);
  gboolean ok =
      look_at_reference (&w, &failure) && score_input (&w, input, label, &failure);
  if (!ok && w.n_layers > 0 &&
      g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      w.scores->is_partial = ok = TRUE;
      g_clear_error (&failure);
    }
  if (failure != NULL)
    g_propagate_error (error, failure);
  return work_end (&w, ok);
}

/* ---- a data set ----------------------------------------------------------------------
 */

/* Bytes that the scores of every input would take, all groups counted. */
static gboolean
check_size (const Work *w, GError **error)
{
  double bytes = (double) w->n * w->scores->n_heads * HL_N_SCORES * sizeof (double);
  if (bytes <= (double) HL_SCORES_MAX_BYTES)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_MEMORY,
               "%s: %d inputs of %d heads would take %.1f GB of scores; %.1f GB at most "
               "expected: take a sample",
               w->dataset->name, w->n, w->scores->n_heads, bytes / 1e9,
               (double) HL_SCORES_MAX_BYTES / 1e9);
  return FALSE;
}

static gboolean
is_cancelled (const GError *error)
{
  return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

/* An input's own fault, not that of what was asked for. */
static gboolean
is_bad_input (const GError *error)
{
  return error->domain != HL_ERROR ||
         (error->code != HL_ERROR_MEMORY && error->code != HL_ERROR_UNSUPPORTED);
}

/* Means of z over every input that can be read; @error only where it must end. */
static gboolean
collect_means (Work *w, GError **error)
{
  w->mean = hl_mean_z_new ();
  for (w->index = 0; w->index < w->n; w->index++)
    {
      int label;
      HlProgress quiet = part_progress (w);
      quiet.func = NULL;
      if (!hl_progress_step (w->progress, 0, "mean over the data set", error))
        return FALSE;
      g_autoptr (HlInput) input =
          hl_dataset_open_input (w->dataset, w->model, w->index, &label, NULL);
      if (input != NULL &&
          !hl_mean_z_add (w->mean, w->model, input, w->backend, &quiet, error))
        return FALSE;
    }
  return TRUE;
}

/* FALSE with @error where the whole is to end. */
static gboolean
score_item (Work *w, GError **error)
{
  int label = -1;
  GError *failure = NULL;
  const HlDatasetItem *item = hl_dataset_get_item (w->dataset, w->index);
  g_autoptr (HlInput) input =
      hl_dataset_open_input (w->dataset, w->model, w->index, &label, &failure);
  gboolean ok = input != NULL && score_input (w, input, label, &failure);
  if (ok)
    return TRUE;
  if (input != NULL)
    hl_head_scores_drop_input (w->scores);
  if (input != NULL && (is_cancelled (failure) || !is_bad_input (failure)))
    {
      g_propagate_error (error, failure);
      return FALSE;
    }
  g_autofree char *why = g_strdup_printf ("%s: %s", item->name, failure->message);
  hl_head_scores_skip (w->scores, why);
  g_error_free (failure);
  return TRUE;
}

static gboolean
score_items (Work *w, GError **error)
{
  for (w->index = 0; w->index < w->n; w->index++)
    if (!hl_progress_step (w->progress, (double) w->index / w->n, NULL, error) ||
        !score_item (w, error))
      return FALSE;
  if (w->scores->inputs->len > 0)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_FORMAT,
               "%s: none of %d inputs could be read; the first: %s", w->dataset->name,
               w->n, (const char *) g_ptr_array_index (w->scores->skipped, 0));
  return FALSE;
}

HlHeadScores *
hl_survey_dataset (const HlModel *model,
                   const HlDataset *dataset,
                   HlBackend *backend,
                   const HlSurveyOptions *options,
                   const HlProgress *progress,
                   GError **error)
{
  Work w;
  GError *failure = NULL;
  work_init (&w, model, dataset, backend, options, progress);
  gboolean wants_means =
      options->with_importance && options->ablation == HL_ABLATION_MEAN;
  gboolean ok = check_size (&w, &failure) && look_at_reference (&w, &failure) &&
                (!wants_means || collect_means (&w, &failure)) &&
                score_items (&w, &failure);
  if (!ok && is_cancelled (failure) && w.scores->inputs->len > 0)
    {
      w.scores->is_partial = ok = TRUE;
      g_clear_error (&failure);
    }
  if (failure != NULL)
    g_propagate_error (error, failure);
  return work_end (&w, ok);
}
