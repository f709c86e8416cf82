/* SPDX-License-Identifier: MIT
 * The work of a document: what analyses say of every head. They run in the engine's last
 * queue, so that runs and looks go before them; what they know is shown as it comes, and
 * a stop keeps it. */
#include "config.h"

#include "analysis/hl-result-reader.h"
#include "analysis/hl-probe.h"
#include "analysis/hl-scores-result.h"
#include "analysis/hl-survey.h"
#include "document/hl-document-private.h"
#include "trace/hl-head-mask.h"

#include <glib/gi18n.h>
#include <jansson.h>
#include <string.h>

/* Between two times that a job tells what it knows. */
#define TELL_US 100000

/* What a job takes along; every field is its own reference. */
typedef struct
{
  HlDocument *document; /* only touched on the main thread */
  HlScoreScope scope;
  guint epoch;
  HlModel *model;
  HlInput *input;
  HlDataset *dataset;
  HlInput *reference;
  GPtrArray *interventions;
  HlScoreChoices choices;
  gboolean with_importance;
  int label;
  char *path;
  gint64 told_us; /* on the engine's thread: when it last told what it knows */
} Job;

static void
job_free (Job *job)
{
  g_object_unref (job->document);
  hl_model_unref (job->model);
  hl_input_unref (job->input);
  hl_input_unref (job->reference);
  hl_dataset_unref (job->dataset);
  g_clear_pointer (&job->interventions, g_ptr_array_unref);
  g_free (job->path);
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
  if (self->model != NULL)
    {
      job->model = hl_model_ref (self->model);
      job->interventions =
          hl_head_mask_interventions (hl_model_get_info (self->model), ablated, n);
    }
  return job;
}

/* ---- state ---------------------------------------------------------------------------
 */

void
hl_document_init_scores (HlDocument *self)
{
  for (int i = 0; i < HL_N_SCOPES; i++)
    self->analyses.cancellable[i] = g_cancellable_new ();
  self->analyses.choices = (HlScoreChoices){ .target = HL_TARGET_AUTO, .against = -1 };
  self->analyses.label = -1;
  self->analyses.what = g_strdup ("");
  hl_document_init_patterns (self);
  hl_document_init_overview (self);
  hl_document_init_saliency (self);
}

void
hl_document_clear_scores (HlDocument *self)
{
  HlDocumentScores *a = &self->analyses;
  for (int i = 0; i < HL_N_SCOPES; i++)
    {
      g_clear_pointer (&a->scores[i], hl_head_scores_unref);
      g_clear_object (&a->cancellable[i]);
    }
  hl_document_clear_patterns (self);
  hl_document_clear_overview (self);
  hl_document_clear_saliency (self);
  hl_document_clear_pruning (self);
  g_clear_pointer (&a->reference, hl_input_unref);
  g_clear_pointer (&a->dataset, hl_dataset_unref);
  g_free (a->what);
  g_free (a->wanted);
}

static void
stop_scope (HlDocument *self, int scope)
{
  GCancellable **cancellable = &self->analyses.cancellable[scope];
  g_cancellable_cancel (*cancellable);
  g_object_unref (*cancellable);
  *cancellable = g_cancellable_new ();
}

void
hl_document_forget_scores (HlDocument *self, gboolean of_everything)
{
  HlDocumentScores *a = &self->analyses;
  int n = of_everything ? HL_N_SCOPES : HL_SCOPE_INPUT + 1;
  for (int i = 0; i < n; i++)
    {
      a->epoch[i]++;
      stop_scope (self, i);
      g_clear_pointer (&a->scores[i], hl_head_scores_unref);
    }
  g_clear_pointer (&a->partial, hl_partial_free);
  hl_document_forget_saliency (self);
  a->label = -1;
  if (of_everything)
    {
      g_clear_pointer (&a->curve, hl_pruning_curve_free);
      g_clear_pointer (&a->dataset, hl_dataset_unref);
      g_clear_pointer (&a->reference, hl_input_unref);
      a->choices = (HlScoreChoices){ .target = HL_TARGET_AUTO, .against = -1 };
      hl_document_forget_patterns (self);
      hl_document_forget_overview (self);
      hl_document_emit (self, HL_DOCUMENT_DATASET);
    }
  hl_document_emit (self, HL_DOCUMENT_SCORES);
  g_autofree char *wanted = self->model != NULL ? g_steal_pointer (&a->wanted) : NULL;
  if (wanted != NULL)
    hl_document_open_dataset (self, wanted);
}

HlDataset *
hl_document_get_dataset (HlDocument *self)
{
  return self->analyses.dataset;
}

const HlScoreChoices *
hl_document_get_score_choices (HlDocument *self)
{
  return &self->analyses.choices;
}

void
hl_document_set_score_choices (HlDocument *self, const HlScoreChoices *choices)
{
  self->analyses.choices = *choices;
  hl_document_emit (self, HL_DOCUMENT_SCORES);
}

void
hl_document_set_reference (HlDocument *self, gboolean is_this)
{
  HlInput *input = is_this ? self->input : NULL;
  g_clear_pointer (&self->analyses.reference, hl_input_unref);
  self->analyses.reference = input != NULL ? hl_input_ref (input) : NULL;
  hl_document_emit (self, HL_DOCUMENT_SCORES);
}

HlInput *
hl_document_get_reference (HlDocument *self)
{
  return self->analyses.reference;
}

void
hl_document_set_label (HlDocument *self, int label)
{
  if (self->analyses.label == label)
    return;
  self->analyses.label = label;
  hl_document_emit (self, HL_DOCUMENT_SCORES);
}

int
hl_document_get_label (HlDocument *self)
{
  return self->analyses.label;
}

gboolean
hl_document_can_score (HlDocument *self, HlScoreScope scope)
{
  if (self->model == NULL)
    return FALSE;
  if (scope == HL_SCOPE_PROBE)
    return g_str_equal (hl_model_get_info (self->model)->input_kind, "text") &&
           hl_model_get_info (self->model)->readout_stack == 0;
  return scope == HL_SCOPE_DATASET ? self->analyses.dataset != NULL : self->input != NULL;
}

gboolean
hl_document_can_ablate (HlDocument *self, HlScoreScope scope)
{
  return hl_document_can_score (self, scope) &&
         hl_model_get_info (self->model)->readout_stack == 0;
}

HlHeadScores *
hl_document_get_scores (HlDocument *self, HlScoreScope scope)
{
  return self->analyses.scores[scope];
}

HlHeadScores *
hl_document_find_scores (HlDocument *self, HlScoreScope scope, HlScore score)
{
  HlHeadScores *own = self->analyses.scores[scope];
  HlHeadScores *probe = self->analyses.scores[HL_SCOPE_PROBE];
  if (own != NULL && hl_head_scores_has (own, score))
    return own;
  return probe != NULL && hl_head_scores_has (probe, score) ? probe : NULL;
}

const char *
hl_document_get_analysis (HlDocument *self, double *fraction)
{
  *fraction = self->analyses.fraction;
  return self->analyses.n_jobs > 0 ? self->analyses.what : NULL;
}

void
hl_document_stop_analysis (HlDocument *self)
{
  for (int i = 0; i < HL_N_SCOPES; i++)
    stop_scope (self, i);
  hl_document_stop_patterns (self);
  hl_document_stop_overview (self);
  hl_document_stop_saliency (self);
}

/* ---- jobs ----------------------------------------------------------------------------
 */

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

static void
take_scores (HlDocument *self, HlScoreScope scope, HlHeadScores *scores)
{
  HlHeadScores **place = &self->analyses.scores[scope];
  g_autoptr (HlHeadScores) before = g_steal_pointer (place);
  *place = hl_head_scores_ref (scores);
  hl_document_emit (self, HL_DOCUMENT_SCORES);
}

/* What a job knows so far, on its way to the main thread. */
typedef struct
{
  HlDocument *document;
  HlScoreScope scope;
  guint epoch;
  HlHeadScores *scores;
} Known;

static void
known_free (gpointer data)
{
  Known *known = data;
  hl_head_scores_unref (known->scores);
  g_object_unref (known->document);
  g_free (known);
}

static gboolean
known_cb (gpointer data)
{
  Known *known = data;
  if (known->epoch == known->document->analyses.epoch[known->scope])
    take_scores (known->document, known->scope, known->scores);
  return G_SOURCE_REMOVE;
}

/* On the engine's thread. Its copy is of what is known now; the job goes on. Of the same
 * priority as the job's end, so that it comes before it; and not for every small input.
 */
static void
tell_cb (const HlHeadScores *scores, gpointer data)
{
  Job *job = data;
  gint64 now_us = g_get_monotonic_time ();
  if (now_us - job->told_us < TELL_US)
    return;
  job->told_us = now_us;
  Known *known = g_new0 (Known, 1);
  *known = (Known){ g_object_ref (job->document), job->scope, job->epoch,
                    hl_head_scores_copy (scores) };
  g_idle_add_full (G_PRIORITY_DEFAULT, known_cb, known, known_free);
}

static gpointer
score_job (gpointer data, HlBackend *backend, const HlProgress *progress, GError **error)
{
  Job *job = data;
  if (job->scope == HL_SCOPE_PROBE)
    return hl_probe_scores (job->model, backend, NULL, progress, error);
  const HlSurveyOptions options = { .with_importance = job->with_importance,
                                    .with_strength = TRUE,
                                    .target = job->choices.target,
                                    .against = job->choices.against,
                                    .ablation = job->choices.ablation,
                                    .interventions = job->interventions,
                                    .reference = job->reference,
                                    .done = tell_cb,
                                    .done_data = job };
  if (job->scope == HL_SCOPE_INPUT)
    return hl_survey_input (job->model, job->input, job->label, backend, &options,
                            progress, error);
  g_autoptr (HlDataset) some = hl_dataset_sample (job->dataset, job->choices.n_inputs, 0);
  return hl_survey_dataset (job->model, some, backend, &options, progress, error);
}

/* ---- results in the session ----------------------------------------------------------
 */

char *
hl_document_describe_origin (HlDocument *self,
                             const HlModel *model,
                             const HlInput *input,
                             const HlDataset *dataset)
{
  const HlModelInfo *info = hl_model_get_info (model);
  const char *precision;
  const char *backend = hl_engine_get_backend (self->engine, &precision);
  json_t *origin = json_pack (
      "{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "program", "Headlight " HL_VERSION, "model",
      info->name, "model_identity", info->identity, "dataset",
      dataset != NULL ? dataset->path : "", "input_hash",
      input != NULL ? input->hash : "", "backend", backend, "precision", precision);
  if (info->revision[0] != '\0')
    json_object_set_new (origin, "model_revision", json_string (info->revision));
  char *text = json_dumps (origin, JSON_COMPACT);
  char *copy = g_strdup (text != NULL ? text : "{}");
  free (text);
  json_decref (origin);
  return copy;
}

/* One result of a kind and scope. */
static void
keep_result (HlDocument *self, const Job *job, const HlHeadScores *scores)
{
  const char *id = job->scope == HL_SCOPE_PROBE ? HL_RESULT_PROBE
                   : job->with_importance       ? HL_RESULT_IMPORTANCE
                                                : HL_RESULT_STRENGTH;
  g_autofree char *origin =
      hl_document_describe_origin (self, job->model, job->input, job->dataset);
  g_autofree char *params =
      g_strdup_printf ("{\"ablation\": \"%s\", \"scope\": \"%s\", \"n_ablated\": %u}",
                       hl_ablation_name (job->choices.ablation),
                       job->scope == HL_SCOPE_DATASET ? "dataset" : "input",
                       job->interventions != NULL ? job->interventions->len : 0);
  hl_document_keep_result (self, hl_scores_to_result (scores, id, params, origin),
                           job->scope == HL_SCOPE_DATASET ? "\"scope\":\"dataset\""
                                                          : "\"scope\":\"input\"");
}

void
hl_document_take_results (HlDocument *self)
{
  const HlStack *stack = hl_model_info_get_stack (self->trace->model, 0);
  for (guint i = 0; i < hl_session_get_n_results (self->session); i++)
    {
      const HlSessionResult *result = hl_session_get_result (self->session, i);
      g_autoptr (HlHeadScores) scores = hl_scores_from_result (result, stack, NULL);
      if (scores == NULL || !hl_result_is_of_trace (result, self->trace))
        continue;
      gboolean is_set = hl_head_scores_get_n_inputs (scores) > 1;
      HlScoreScope scope = g_str_equal (result->id, HL_RESULT_PROBE) ? HL_SCOPE_PROBE
                           : is_set                                  ? HL_SCOPE_DATASET
                                                                     : HL_SCOPE_INPUT;
      HlHeadScores **place = &self->analyses.scores[scope];
      /* Of strength and importance, importance has both. */
      if (*place != NULL && g_str_equal (result->id, HL_RESULT_STRENGTH))
        continue;
      g_clear_pointer (place, hl_head_scores_unref);
      *place = g_steal_pointer (&scores);
    }
  hl_document_take_pruning (self);
  hl_document_take_patterns (self);
  hl_document_take_overview (self);
  hl_document_take_saliency (self);
  hl_document_emit (self, HL_DOCUMENT_SCORES);
}

static void
scored_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (Job) job = data;
  HlDocument *self = job->document;
  g_autoptr (HlHeadScores) scores =
      end (job, result, (GDestroyNotify) hl_head_scores_unref,
           _ ("The heads could not be scored"));
  if (scores != NULL)
    {
      take_scores (self, job->scope, scores);
      keep_result (self, job, scores);
      int n = hl_head_scores_get_n_inputs (scores);
      hl_document_set_status (
          self, scores->n_skipped > 0
                    ? g_strdup_printf (_ ("Scored %d inputs; %d could not be read: %s"),
                                       n, scores->n_skipped,
                                       (char *) g_ptr_array_index (scores->skipped, 0))
                    : g_strdup_printf (ngettext ("Scored %d heads on %d input",
                                                 "Scored %d heads on %d inputs", n),
                                       scores->n_heads, n));
    }
  hl_document_emit (self, HL_DOCUMENT_SCORES);
  hl_document_emit (self, HL_DOCUMENT_BUSY);
  hl_document_emit (self, HL_DOCUMENT_SESSION);
}

void
hl_document_score (HlDocument *self, HlScoreScope scope, gboolean with_importance)
{
  if (!hl_document_can_score (self, scope))
    return;
  self->analyses.epoch[scope]++;
  stop_scope (self, scope);
  Job *job = job_new (self, scope);
  job->with_importance = with_importance;
  if (self->analyses.reference != NULL)
    job->reference = hl_input_ref (self->analyses.reference);
  if (scope == HL_SCOPE_INPUT)
    job->input = hl_input_ref (self->input);
  if (scope == HL_SCOPE_DATASET)
    job->dataset = hl_dataset_ref (self->analyses.dataset);
  submit (job, score_job, (GDestroyNotify) hl_head_scores_unref, scored_cb,
          scope == HL_SCOPE_PROBE ? _ ("Probing with random tokens")
          : with_importance       ? _ ("Ablating each head")
                                  : _ ("Reading every map"));
}

/* ---- data set ------------------------------------------------------------------------
 */

static gpointer
dataset_job (gpointer data,
             HlBackend *backend,
             const HlProgress *progress,
             GError **error)
{
  Job *job = data;
  return hl_dataset_open (job->path, hl_model_get_info (job->model), error);
}

static void
dataset_opened_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (Job) job = data;
  HlDocument *self = job->document;
  HlDataset *dataset = end (job, result, (GDestroyNotify) hl_dataset_unref,
                            _ ("The data set could not be opened"));
  if (dataset != NULL)
    {
      g_clear_pointer (&self->analyses.dataset, hl_dataset_unref);
      g_clear_pointer (&self->analyses.scores[HL_SCOPE_DATASET], hl_head_scores_unref);
      g_clear_pointer (&self->analyses.curve, hl_pruning_curve_free);
      hl_document_forget_overview (self);
      self->analyses.dataset = dataset;
      int n = hl_dataset_get_n_items (dataset);
      hl_document_set_status (
          self, dataset->warning != NULL
                    ? g_strdup (dataset->warning)
                    : g_strdup_printf (
                          ngettext ("Data set %s: %d input", "Data set %s: %d inputs", n),
                          dataset->name, n));
    }
  hl_document_emit (self, HL_DOCUMENT_DATASET);
  hl_document_emit (self, HL_DOCUMENT_SCORES);
  hl_document_emit (self, HL_DOCUMENT_BUSY);
}

void
hl_document_attach_dataset (HlDocument *self, HlDataset *dataset, int label)
{
  if (dataset == NULL || self->analyses.dataset != NULL)
    return;
  self->analyses.dataset = hl_dataset_ref (dataset);
  if (self->input != NULL && self->analyses.label < 0)
    self->analyses.label = label;
  hl_document_emit (self, HL_DOCUMENT_DATASET);
  hl_document_emit (self, HL_DOCUMENT_SCORES);
}

void
hl_document_open_dataset (HlDocument *self, const char *path)
{
  if (self->model == NULL)
    {
      g_free (self->analyses.wanted);
      self->analyses.wanted = g_strdup (path);
      hl_document_set_status (self, g_strdup (_ ("A data set needs a model")));
      return;
    }
  self->analyses.epoch[HL_SCOPE_DATASET]++;
  stop_scope (self, HL_SCOPE_DATASET);
  Job *job = job_new (self, HL_SCOPE_DATASET);
  job->path = g_strdup (path);
  submit (job, dataset_job, (GDestroyNotify) hl_dataset_unref, dataset_opened_cb,
          _ ("Opening the data set"));
}

/* ---- masks ---------------------------------------------------------------------------
 */

void
hl_document_save_mask (HlDocument *self, const char *path)
{
  guint n;
  g_autoptr (GError) error = NULL;
  const HlModelInfo *info = hl_document_get_model_info (self);
  const HlHeadKey *heads = hl_selection_get_ablated (self->selection, &n);
  if (info == NULL)
    return;
  if (!hl_head_mask_save (path, info, heads, n, &error))
    hl_document_fail (self, _ ("The mask was not saved"), error);
  else
    hl_document_set_status (
        self,
        g_strdup_printf (
            ngettext ("Saved a mask of %u head", "Saved a mask of %u heads", n), n));
}

void
hl_document_load_mask (HlDocument *self, const char *path)
{
  g_autoptr (GError) error = NULL;
  const HlModelInfo *info = hl_document_get_model_info (self);
  if (info == NULL)
    return;
  g_autoptr (GArray) heads = hl_head_mask_load (path, info, &error);
  if (heads == NULL)
    hl_document_fail (self, _ ("The mask could not be opened"), error);
  else
    hl_selection_set_ablated (self->selection, (const HlHeadKey *) (gpointer) heads->data,
                              heads->len);
}
