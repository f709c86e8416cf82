/* SPDX-License-Identifier: MIT
 * The work of a document: opening a model and an input, and running. */
#include "config.h"

#include "base/hl-paths.h"
#include "document/hl-document-private.h"
#include "model/hl-language.h"
#include "model/hl-model-source.h"
#include "trace/hl-tracer.h"

#include <glib/gi18n.h>

/* ---- model ---------------------------------------------------------------------------
 */

static gpointer
model_job (gpointer data, HlBackend *backend, const HlProgress *progress, GError **error)
{
  HlDocumentJob *job = data;
  g_autofree char *path = hl_path_model (job->path);
  job->backend_words = backend->klass->describe (backend);
  return hl_model_open_for (path, job->kind, error);
}

/* An input of the model before is looked at with the new one, if it takes such. */
static char *
input_for (HlDocument *self, const HlModel *model)
{
  if (self->input == NULL || self->wanted_input != NULL)
    return g_steal_pointer (&self->wanted_input);
  gboolean is_taken =
      g_str_equal (self->input->kind, hl_model_get_info (model)->input_kind);
  return is_taken ? g_strdup (self->input->path) : NULL;
}

/* What was typed, but for a second text, which is of the model before. */
static char *
dup_typed (HlDocument *self)
{
  const char *second = self->text_options.second;
  return second != NULL ? hl_input_dup_first_text (self->input, second)
                        : g_strdup (self->input->text);
}

static void open_path (HlDocument *self, const char *path, gint64 window);

static void
model_opened_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (HlDocumentJob) job = data;
  HlDocument *self = job->document;
  HlModel *model =
      hl_document_end (job, self->engine, result, (GDestroyNotify) hl_model_unref,
                       _ ("The model could not be opened"));
  if (model == NULL)
    return;
  g_free (self->backend_words);
  self->backend_words = g_steal_pointer (&job->backend_words);
  /* The model of the session that is open goes with it. */
  if (self->model == NULL && self->trace != NULL &&
      hl_session_get_n_traces (self->session) > 0 &&
      g_str_equal (self->trace->model->identity, hl_model_get_info (model)->identity))
    {
      hl_document_attach_model (self, model);
      hl_model_unref (model);
      return;
    }
  g_autofree char *input = input_for (self, model);
  gint64 window = self->input != NULL ? self->input->window : 0;
  /* What was typed has no path to be read from again. */
  g_autofree char *typed =
      input != NULL && input[0] == '\0' && self->input != NULL ? dup_typed (self) : NULL;
  g_clear_pointer (&self->model, hl_model_unref);
  g_clear_pointer (&self->input, hl_input_unref);
  g_clear_pointer (&self->baseline, hl_trace_unref);
  hl_document_clear_options (&self->text_options); /* of the model before */
  self->model = model;
  hl_document_forget_scores (self, TRUE);
  self->head_is_chosen = FALSE;
  /* A session that is open is of the model before: saving asks for a name. */
  hl_session_set_path (self->session, NULL);
  hl_session_set_view (self->session, "head-notes", NULL);
  hl_document_take_head_notes (self);
  hl_document_drop_trace (self);
  hl_selection_reset (self->selection, 0, FALSE);
  hl_document_take_trace (self, NULL, FALSE);
  hl_document_emit (self, HL_DOCUMENT_MODEL);
  hl_document_emit (self, HL_DOCUMENT_INPUT);
  hl_document_set_status (
      self, g_strdup_printf (_ ("Opened %s"), hl_model_get_info (model)->name));
  if (input != NULL && input[0] != '\0')
    open_path (self, input, window); /* the same part of a recording */
  else if (typed != NULL)
    hl_document_open_text (self, typed, &self->text_options);
}

/* @kind: of a model with two towers which one; NULL for the first. */
static void
open_model (HlDocument *self, const char *path, const char *kind)
{
  hl_document_restart (self);
  HlDocumentJob *job = hl_document_job_new (self);
  job->path = g_strdup (path);
  job->kind = kind;
  hl_document_begin (self, _ ("Opening the model"));
  hl_document_submit (job, self->engine, model_job, (GDestroyNotify) hl_model_unref,
                      model_opened_cb);
}

void
hl_document_open_model (HlDocument *self, const char *path)
{
  open_model (self, path, NULL);
}

/* ---- input ---------------------------------------------------------------------------
 */

/* An encoder-decoder goes on by itself, so that there is something to look at. */
#define COMPLETED_TOKENS 128

HlInput *
hl_document_complete (const HlDocumentJob *job,
                      HlInput *input,
                      HlBackend *backend,
                      const HlProgress *progress,
                      GError **error)
{
  gboolean is_begun =
      input != NULL && (input->source_ids != NULL || input->features != NULL);
  if (!is_begun)
    return input;
  g_autoptr (HlInput) opened = input;
  g_autoptr (HlInput) begun = hl_model_detect_language (
      job->model, opened, &job->text_options, backend, progress, error);
  if (begun == NULL || job->text_options.target != NULL)
    return g_steal_pointer (&begun);
  return hl_model_complete (job->model, begun, backend, COMPLETED_TOKENS, progress,
                            error);
}

static HlInput *
open_file (const HlDocumentJob *job, const HlProgress *progress, GError **error)
{
  const char *kind = hl_model_get_info (job->model)->input_kind;
  if (g_str_equal (kind, "text"))
    return hl_model_open_text_file (job->model, job->path, &job->text_options, error);
  if (g_str_equal (kind, "audio"))
    return hl_model_open_audio (job->model, job->path, job->window, &job->text_options,
                                progress, error);
  return hl_model_open_image (job->model, job->path, 0, 0, error);
}

static gpointer
input_job (gpointer data, HlBackend *backend, const HlProgress *progress, GError **error)
{
  HlDocumentJob *job = data;
  HlInput *input = job->dataset != NULL
                       ? hl_dataset_open_input (job->dataset, job->model, job->item,
                                                &job->label, error)
                       : open_file (job, progress, error);
  return hl_document_complete (job, input, backend, progress, error);
}

void
hl_document_input_opened_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (HlDocumentJob) job = data;
  HlDocument *self = job->document;
  HlInput *input =
      hl_document_end (job, self->engine, result, (GDestroyNotify) hl_input_unref,
                       _ ("The input could not be opened"));
  if (input == NULL)
    return;
  g_clear_pointer (&self->input, hl_input_unref);
  g_clear_pointer (&self->baseline, hl_trace_unref);
  g_clear_pointer (&self->wanted_input, g_free);
  self->input = input;
  if (job->dataset == NULL)
    hl_document_take_options (&self->text_options, &job->text_options);
  hl_document_forget_scores (self, FALSE);
  hl_document_set_label (self, job->label);
  self->view.first_token = self->view.end_token = 0;
  hl_document_emit (self, HL_DOCUMENT_INPUT);
  hl_document_run (self);
}

/* Of a model that takes pictures and texts, each in its own tower: whether a file is for
 * the tower that is not open. */
static const char *
other_tower_for (HlDocument *self, const char *path)
{
  g_autofree char *type = g_content_type_guess (path, NULL, 0, NULL);
  const char *kind = g_content_type_is_a (type, "image/*") ? "image" : "text";
  const HlModelInfo *info = hl_model_get_info (self->model);
  return g_str_equal (info->other_kind, kind) ? kind : NULL;
}

void
hl_document_open_input (HlDocument *self, const char *path)
{
  open_path (self, path, 0);
}

/* @window: of a recording. */
static void
open_path (HlDocument *self, const char *path, gint64 window)
{
  if (self->model == NULL)
    {
      g_free (self->wanted_input);
      self->wanted_input = g_strdup (path);
      hl_document_set_status (
          self,
          g_strdup (self->n_jobs > 0 ? _ ("The input is read when the model is there")
                                     : _ ("Open a model to look at the input with")));
      return;
    }
  const char *other = other_tower_for (self, path);
  if (other != NULL)
    {
      g_free (self->wanted_input);
      self->wanted_input = g_strdup (path);
      g_autofree char *model = g_strdup (hl_model_get_info (self->model)->path);
      open_model (self, model, other);
      return;
    }
  hl_document_restart (self);
  HlDocumentJob *job = hl_document_job_new (self);
  job->path = g_strdup (path);
  job->window = window;
  hl_document_clear_options (&self->text_options); /* they were of what was typed */
  job->text_options = self->text_options;
  job->model = hl_model_ref (self->model);
  hl_document_begin (self, _ ("Reading the input"));
  hl_document_submit (job, self->engine, input_job, (GDestroyNotify) hl_input_unref,
                      hl_document_input_opened_cb);
}

void
hl_document_open_recording (HlDocument *self, gint64 window, const HlTextOptions *options)
{
  const HlInput *input = self->input;
  if (self->model == NULL || input == NULL || input->features == NULL ||
      input->path[0] == '\0')
    return;
  g_autofree char *path = g_strdup (input->path);
  hl_document_restart (self);
  HlDocumentJob *job = hl_document_job_new (self);
  job->path = g_steal_pointer (&path);
  job->window = window;
  hl_document_take_options (&job->text_options, options);
  job->model = hl_model_ref (self->model);
  hl_document_begin (self, _ ("Reading the input"));
  hl_document_submit (job, self->engine, input_job, (GDestroyNotify) hl_input_unref,
                      hl_document_input_opened_cb);
}

/* ---- run -----------------------------------------------------------------------------
 */

static gpointer
run_job (gpointer data, HlBackend *backend, const HlProgress *progress, GError **error)
{
  HlDocumentJob *job = data;
  const HlTraceOptions options = { .interventions = job->interventions };
  return hl_tracer_run (job->model, job->input, backend, &options, progress, error);
}

static gboolean
is_same_question (const HlTrace *a, const HlTrace *b)
{
  return a != NULL && b != NULL && g_str_equal (a->input_hash, b->input_hash) &&
         g_str_equal (a->model->identity, b->model->identity);
}

/* The session keeps one trace: the one that is shown. */
static void
put_into_session (HlDocument *self, HlTrace *trace)
{
  while (hl_session_get_n_traces (self->session) > 0)
    hl_session_remove_trace (self->session, 0);
  hl_session_add_trace (self->session, trace);
  hl_document_touch (self);
}

/* Another input of the same model is looked at through the head that somebody chose; a
 * head that nobody chose gives way to a telling one. */
static gboolean
is_same_recording (const HlTrace *a, const HlTrace *b)
{
  return a != NULL && g_strcmp0 (b->input_kind, "audio") == 0 &&
         b->input_path[0] != '\0' && g_str_equal (a->input_path, b->input_path);
}

static void
keep_head (HlDocument *self, const HlTrace *trace, gboolean is_same)
{
  gboolean is_same_model =
      self->trace != NULL &&
      g_str_equal (self->trace->model->identity, trace->model->identity);
  gboolean stays = self->head_is_chosen || is_same_recording (self->trace, trace);
  self->chooses_head = !is_same && !(is_same_model && stays);
  if (is_same || self->chooses_head)
    return;
  HlPlace place = *hl_selection_get_place (self->selection);
  if (g_strcmp0 (trace->input_kind, "image") != 0)
    place.query = place.key = -1; /* another text's tokens; patches stay where they are */
  g_free (self->wanted_place);
  self->wanted_place = g_memdup2 (&place, sizeof place);
}

static void
run_done_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (HlDocumentJob) job = data;
  HlDocument *self = job->document;
  g_autoptr (HlTrace) trace =
      hl_document_end (job, self->engine, result, (GDestroyNotify) hl_trace_unref,
                       _ ("The model could not be run"));
  if (trace == NULL)
    return;
  gboolean is_same = is_same_question (self->trace, trace);
  if (trace->interventions->len == 0)
    {
      g_clear_pointer (&self->baseline, hl_trace_unref);
      self->baseline = hl_trace_ref (trace);
    }
  put_into_session (self, trace);
  keep_head (self, trace, is_same);
  hl_document_take_trace (self, trace, is_same);
  hl_document_check_saliency (self);
  hl_document_set_status (
      self, g_strdup_printf (
                _ ("Trace done in %.2f s · %.1f MB of maps · %.0f MB in use"),
                trace->duration_ms / 1e3, (double) hl_trace_attention_bytes (trace) / 1e6,
                (double) hl_memory_resident () / 1e6));
}

void
hl_document_run (HlDocument *self)
{
  if (!hl_document_can_run (self))
    {
      hl_document_set_status (self, g_strdup (_ ("A model and an input are needed")));
      return;
    }
  hl_document_restart (self);
  HlDocumentJob *job = hl_document_job_new (self);
  job->model = hl_model_ref (self->model);
  job->input = hl_input_ref (self->input);
  job->interventions =
      g_ptr_array_new_with_free_func ((GDestroyNotify) hl_intervention_unref);
  guint n;
  const HlHeadKey *ablated = hl_selection_get_ablated (self->selection, &n);
  const HlModelInfo *info = hl_model_get_info (self->model);
  for (guint i = 0; i < n; i++)
    g_ptr_array_add (job->interventions,
                     hl_intervention_new_scale_head (
                         info, ablated[i].stack, ablated[i].layer, ablated[i].head, 0));
  hl_document_begin (self, _ ("Running the model"));
  hl_document_submit (job, self->engine, run_job, (GDestroyNotify) hl_trace_unref,
                      run_done_cb);
}

void
hl_document_open_item (HlDocument *self, const char *name, const char *path)
{
  HlDataset *dataset = hl_document_get_dataset (self);
  int item = dataset != NULL ? hl_dataset_find (dataset, name, path) : -1;
  if (self->model == NULL || item < 0)
    return;
  hl_document_restart (self);
  HlDocumentJob *job = hl_document_job_new (self);
  job->model = hl_model_ref (self->model);
  job->dataset = hl_dataset_ref (dataset);
  job->item = item;
  hl_document_begin (self, _ ("Opening the input"));
  hl_document_submit (job, self->engine, input_job, (GDestroyNotify) hl_input_unref,
                      hl_document_input_opened_cb);
}

void
hl_document_open_scored (HlDocument *self, int input)
{
  HlHeadScores *scores = hl_document_get_scores (self, HL_SCOPE_DATASET);
  if (scores == NULL || input < 0 || input >= hl_head_scores_get_n_inputs (scores))
    return;
  const HlScoredInput *about = hl_head_scores_get_input (scores, input);
  hl_document_open_item (self, about->name, about->path);
}
