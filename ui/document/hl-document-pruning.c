/* SPDX-License-Identifier: MIT
 * The work of a document: parts of a head pruned, and more and more heads; what is left
 * is kept in the session. */
#include "config.h"

#include "analysis/hl-result-reader.h"
#include "analysis/hl-pruning-result.h"
#include "document/hl-document-private.h"
#include "trace/hl-head-mask.h"

#include <glib/gi18n.h>

/* What a job takes along; every field is its own reference. */
typedef struct
{
  HlDocument *document; /* only touched on the main thread */
  HlScoreScope scope;
  guint epoch;
  HlModel *model;
  HlInput *input;
  HlDataset *dataset;
  HlHeadScores *scores;
  GPtrArray *interventions;
  HlScoreChoices choices;
  HlPruningCurveOptions options;
  HlHeadKey head;
  int label;
} Job;

static void
job_free (Job *job)
{
  g_object_unref (job->document);
  hl_model_unref (job->model);
  hl_input_unref (job->input);
  hl_dataset_unref (job->dataset);
  g_clear_pointer (&job->scores, hl_head_scores_unref);
  g_clear_pointer (&job->interventions, g_ptr_array_unref);
  g_free (job);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Job, job_free)

static Job *
job_new (HlDocument *self, HlScoreScope scope)
{
  guint n;
  Job *job = g_new0 (Job, 1);
  const HlHeadKey *ablated = hl_selection_get_ablated (self->selection, &n);
  job->document = g_object_ref (self);
  job->scope = scope;
  job->epoch = self->analyses.epoch[scope];
  job->choices = self->analyses.choices;
  job->label = self->analyses.label;
  job->model = hl_model_ref (self->model);
  job->interventions =
      hl_head_mask_interventions (hl_model_get_info (self->model), ablated, n);
  return job;
}

static void
progress_cb (double fraction, const char *what, gpointer data)
{
  hl_document_step_analysis (((Job *) data)->document, fraction, NULL);
}

static void
submit (Job *job,
        HlJobFunc func,
        GDestroyNotify result_free,
        GAsyncReadyCallback callback,
        const char *what)
{
  HlDocument *self = job->document;
  hl_document_begin_analysis (self, what);
  hl_engine_submit (self->engine, HL_JOB_ANALYSIS, func, job, NULL, result_free,
                    self->analyses.cancellable[job->scope], progress_cb, job, callback,
                    job);
  hl_document_emit (self, HL_DOCUMENT_SCORES);
}

/* (transfer full) (nullable): the result where it is still wanted; a failure is told. */
static gpointer
end (Job *job, GAsyncResult *result, GDestroyNotify result_free, const char *failure)
{
  gboolean is_wanted = job->epoch == job->document->analyses.epoch[job->scope];
  return hl_document_end_analysis (job->document, result, is_wanted, result_free,
                                   failure);
}

/* ---- state ---------------------------------------------------------------------------
 */

void
hl_document_clear_pruning (HlDocument *self)
{
  g_clear_pointer (&self->analyses.partial, hl_partial_free);
  g_clear_pointer (&self->analyses.curve, hl_pruning_curve_free);
}

HlPartial *
hl_document_get_partial (HlDocument *self)
{
  const HlPlace *place = hl_selection_get_place (self->selection);
  HlPartial *partial = self->analyses.partial;
  return partial != NULL && partial->layer == place->layer && partial->head == place->head
             ? partial
             : NULL;
}

HlPruningCurve *
hl_document_get_curve (HlDocument *self)
{
  return self->analyses.curve;
}

void
hl_document_take_pruning (HlDocument *self)
{
  const HlStack *stack = hl_model_info_get_stack (self->trace->model, 0);
  g_autoptr (HlHeadScores) heads = hl_head_scores_new (stack);
  hl_document_clear_pruning (self);
  for (guint i = hl_session_get_n_results (self->session); i > 0; i--)
    {
      const HlSessionResult *result = hl_session_get_result (self->session, i - 1);
      g_autoptr (GError) error = NULL;
      if (g_str_equal (result->id, HL_RESULT_CURVE) && self->analyses.curve == NULL)
        self->analyses.curve =
            hl_pruning_curve_from_result (result, heads->n_heads, &error);
      else if (g_str_equal (result->id, HL_RESULT_PARTIAL) &&
               self->analyses.partial == NULL &&
               hl_result_is_of_trace (result, self->trace))
        self->analyses.partial = hl_partial_from_result (result, stack, &error);
      if (error != NULL)
        hl_document_fail (self, _ ("A result of this session could not be read"), error);
    }
}

/* ---- parts of a head -----------------------------------------------------------------
 */

static gpointer
parts_job (gpointer data, HlBackend *backend, const HlProgress *progress, GError **error)
{
  Job *job = data;
  const HlImportanceOptions options = { .target = job->choices.target,
                                        .against = -1,
                                        .label = job->label,
                                        .interventions = job->interventions };
  return hl_partial_compute (job->model, job->input, backend, job->head.layer,
                             job->head.head, FALSE, &options, progress, error);
}

static void
parts_done_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (Job) job = data;
  HlDocument *self = job->document;
  HlPartial *partial = end (job, result, (GDestroyNotify) hl_partial_free,
                            _ ("Parts of the head could not be pruned"));
  if (partial != NULL)
    {
      g_autofree char *origin =
          hl_document_describe_origin (self, job->model, job->input, NULL);
      g_clear_pointer (&self->analyses.partial, hl_partial_free);
      self->analyses.partial = partial;
      hl_document_keep_result (self, hl_partial_to_result (partial, FALSE, origin), NULL);
    }
  hl_document_emit (self, HL_DOCUMENT_SCORES);
  hl_document_emit (self, HL_DOCUMENT_BUSY);
  hl_document_emit (self, HL_DOCUMENT_SESSION);
}

void
hl_document_prune_parts (HlDocument *self)
{
  if (!hl_document_can_score (self, HL_SCOPE_INPUT))
    return;
  Job *job = job_new (self, HL_SCOPE_INPUT);
  job->input = hl_input_ref (self->input);
  job->head = hl_selection_get_head (self->selection);
  submit (job, parts_job, (GDestroyNotify) hl_partial_free, parts_done_cb,
          _ ("Pruning parts of a head"));
}

/* ---- more and more heads -------------------------------------------------------------
 */

static gpointer
curve_job (gpointer data, HlBackend *backend, const HlProgress *progress, GError **error)
{
  Job *job = data;
  g_autoptr (HlDataset) some = hl_dataset_sample (job->dataset, job->choices.n_inputs, 0);
  return hl_pruning_curve_compute (job->model, some, backend, job->scores, &job->options,
                                   progress, error);
}

static void
curve_done_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (Job) job = data;
  HlDocument *self = job->document;
  HlPruningCurve *curve = end (job, result, (GDestroyNotify) hl_pruning_curve_free,
                               _ ("The pruning curve could not be computed"));
  if (curve != NULL)
    {
      g_autofree char *origin =
          hl_document_describe_origin (self, job->model, NULL, job->dataset);
      g_clear_pointer (&self->analyses.curve, hl_pruning_curve_free);
      self->analyses.curve = curve;
      hl_document_keep_result (
          self, hl_pruning_curve_to_result (curve, &job->options, origin), NULL);
    }
  hl_document_emit (self, HL_DOCUMENT_SCORES);
  hl_document_emit (self, HL_DOCUMENT_BUSY);
  hl_document_emit (self, HL_DOCUMENT_SESSION);
}

void
hl_document_prune_more (HlDocument *self, HlScore score, gboolean with_greedy)
{
  HlHeadScores *scores = hl_document_find_scores (self, HL_SCOPE_DATASET, score);
  if (!hl_document_can_score (self, HL_SCOPE_DATASET) || scores == NULL)
    return;
  Job *job = job_new (self, HL_SCOPE_DATASET);
  job->dataset = hl_dataset_ref (self->analyses.dataset);
  job->scores = hl_head_scores_ref (scores);
  job->options = (HlPruningCurveOptions){
    .score = score,
    .n_random = 3,
    .with_greedy = with_greedy,
    .every_token =
        hl_survey_target (job->choices.target, job->dataset) == HL_TARGET_EVERY,
  };
  submit (job, curve_job, (GDestroyNotify) hl_pruning_curve_free, curve_done_cb,
          _ ("Pruning more and more heads"));
}
