/* SPDX-License-Identifier: MIT
 * The work of a document: an overview of the data set, made in the engine's last queue;
 * the input somebody points at. */
#include "config.h"

#include "analysis/hl-overview-result.h"
#include "document/hl-document-private.h"
#include "trace/hl-head-mask.h"

#include <glib/gi18n.h>

/* What a job takes along; every field is its own reference. */
typedef struct
{
  HlDocument *document; /* only touched on the main thread */
  guint epoch;
  HlModel *model;
  HlDataset *dataset;
  GPtrArray *interventions;
  int item;  /* of the data set, of a look */
  int input; /* of the overview */
} Job;

static void
job_free (Job *job)
{
  g_object_unref (job->document);
  hl_model_unref (job->model);
  hl_dataset_unref (job->dataset);
  g_clear_pointer (&job->interventions, g_ptr_array_unref);
  g_free (job);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Job, job_free)

static Job *
job_new (HlDocument *self)
{
  Job *job = g_new0 (Job, 1);
  job->document = g_object_ref (self);
  job->epoch = self->overview.epoch;
  job->model = hl_model_ref (self->model);
  return job;
}

/* ---- state ---------------------------------------------------------------------------
 */

static void
clear_all (HlDocument *self)
{
  g_clear_pointer (&self->overview.made, hl_overview_unref);
  g_clear_pointer (&self->overview.peeked, hl_input_unref);
  self->overview.peek = self->overview.wanted_peek = -1;
}

void
hl_document_init_overview (HlDocument *self)
{
  self->overview.cancellable = g_cancellable_new ();
  self->overview.peek = self->overview.wanted_peek = -1;
}

void
hl_document_clear_overview (HlDocument *self)
{
  clear_all (self);
  g_cancellable_cancel (self->overview.cancellable);
  g_clear_object (&self->overview.cancellable);
}

void
hl_document_stop_overview (HlDocument *self)
{
  g_cancellable_cancel (self->overview.cancellable);
  g_object_unref (self->overview.cancellable);
  self->overview.cancellable = g_cancellable_new ();
}

void
hl_document_forget_overview (HlDocument *self)
{
  self->overview.epoch++;
  hl_document_stop_overview (self);
  clear_all (self);
  hl_document_emit (self, HL_DOCUMENT_OVERVIEW);
}

HlOverview *
hl_document_get_overview (HlDocument *self)
{
  return self->overview.made;
}

int
hl_document_get_overviewed (HlDocument *self)
{
  const HlOverview *o = self->overview.made;
  const HlTrace *trace = self->trace;
  for (int i = 0; o != NULL && trace != NULL && i < hl_overview_get_n (o); i++)
    {
      const HlOverviewInput *x = hl_overview_get_input (o, i);
      if (g_strcmp0 (x->name, trace->input_name) == 0 &&
          g_strcmp0 (x->path, trace->input_path) == 0)
        return i;
    }
  return -1;
}

/* ---- results in the session ----------------------------------------------------------
 */

void
hl_document_take_overview (HlDocument *self)
{
  for (guint i = 0; i < hl_session_get_n_results (self->session); i++)
    {
      const HlSessionResult *result = hl_session_get_result (self->session, i);
      g_autoptr (GError) error = NULL;
      if (!g_str_equal (result->id, HL_RESULT_OVERVIEW))
        continue;
      HlOverview *o = hl_overview_from_result (result, &error);
      if (o == NULL)
        {
          hl_document_fail (self, _ ("A result of this session could not be read"),
                            error);
          continue;
        }
      g_clear_pointer (&self->overview.made, hl_overview_unref);
      self->overview.made = o;
    }
  hl_document_emit (self, HL_DOCUMENT_OVERVIEW);
}

/* ---- making one ----------------------------------------------------------------------
 */

static void
progress_cb (double fraction, const char *what, gpointer data)
{
  gboolean has_words = what != NULL && what[0] != '\0';
  hl_document_step_analysis (((Job *) data)->document, fraction,
                             has_words ? g_strdup_printf (_ ("Overview: %s"), what)
                                       : NULL);
}

static gpointer
make_job (gpointer data, HlBackend *backend, const HlProgress *progress, GError **error)
{
  Job *job = data;
  const HlOverviewOptions options = { .interventions = job->interventions };
  return hl_overview_make (job->model, job->dataset, backend, &options, progress, error);
}

static void
made_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (Job) job = data;
  HlDocument *self = job->document;
  g_autoptr (HlOverview) made = hl_document_end_analysis (
      self, result, job->epoch == self->overview.epoch,
      (GDestroyNotify) hl_overview_unref, _ ("The overview could not be made"));
  if (made != NULL)
    {
      g_autofree char *origin =
          hl_document_describe_origin (self, job->model, NULL, job->dataset);
      int n = hl_overview_get_n (made);
      clear_all (self);
      self->overview.made = hl_overview_ref (made);
      hl_document_keep_result (self, hl_overview_to_result (made, origin), NULL);
      hl_document_set_status (
          self,
          made->skipped->len > 0
              ? g_strdup_printf (_ ("Overview of %d inputs; %u could not be read: %s"), n,
                                 made->skipped->len,
                                 (char *) g_ptr_array_index (made->skipped, 0))
              : g_strdup_printf (
                    ngettext ("Overview of %d input", "Overview of %d inputs", n), n));
    }
  hl_document_emit (self, HL_DOCUMENT_OVERVIEW);
  hl_document_emit (self, HL_DOCUMENT_BUSY);
  hl_document_emit (self, HL_DOCUMENT_SESSION);
}

void
hl_document_make_overview (HlDocument *self)
{
  guint n;
  const HlHeadKey *ablated = hl_selection_get_ablated (self->selection, &n);
  if (!hl_document_can_score (self, HL_SCOPE_DATASET))
    return;
  self->overview.epoch++;
  hl_document_stop_overview (self);
  Job *job = job_new (self);
  job->dataset =
      hl_dataset_sample (self->analyses.dataset, self->analyses.choices.n_inputs, 0);
  job->interventions =
      hl_head_mask_interventions (hl_model_get_info (self->model), ablated, n);
  hl_document_begin_analysis (self, _ ("Making an overview"));
  hl_engine_submit (self->engine, HL_JOB_ANALYSIS, make_job, job, NULL,
                    (GDestroyNotify) hl_overview_unref, self->overview.cancellable,
                    progress_cb, job, made_cb, job);
  hl_document_emit (self, HL_DOCUMENT_OVERVIEW);
}

/* ---- one of its inputs ---------------------------------------------------------------
 */

void
hl_document_open_overviewed (HlDocument *self, int input)
{
  const HlOverview *o = self->overview.made;
  if (o == NULL || input < 0 || input >= hl_overview_get_n (o))
    return;
  const HlOverviewInput *about = hl_overview_get_input (o, input);
  hl_document_open_item (self, about->name, about->path);
}

static gpointer
peek_job (gpointer data, HlBackend *backend, const HlProgress *progress, GError **error)
{
  Job *job = data;
  int label;
  return hl_dataset_open_input (job->dataset, job->model, job->item, &label, error);
}

static void
peek_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (Job) job = data;
  HlDocument *self = job->document;
  g_autoptr (GError) error = NULL;
  g_autoptr (HlInput) input = hl_engine_finish (self->engine, result, &error);
  if (job->epoch != self->overview.epoch || job->input != self->overview.wanted_peek)
    return;
  if (input == NULL)
    hl_document_set_status (self, g_strdup (error->message));
  g_clear_pointer (&self->overview.peeked, hl_input_unref);
  self->overview.peeked = g_steal_pointer (&input);
  self->overview.peek = job->input;
  hl_document_emit (self, HL_DOCUMENT_OVERVIEW);
}

void
hl_document_peek (HlDocument *self, int input)
{
  const HlOverview *o = self->overview.made;
  HlDataset *dataset = self->analyses.dataset;
  if (input == self->overview.wanted_peek)
    return;
  self->overview.wanted_peek = input;
  if (o == NULL || dataset == NULL || self->model == NULL || input < 0 ||
      input >= hl_overview_get_n (o))
    return;
  const HlOverviewInput *about = hl_overview_get_input (o, input);
  int item = hl_dataset_find (dataset, about->name, about->path);
  if (item < 0)
    return;
  Job *job = job_new (self);
  job->dataset = hl_dataset_ref (dataset);
  job->item = item;
  job->input = input;
  hl_engine_submit (self->engine, HL_JOB_FOREGROUND, peek_job, job, NULL,
                    (GDestroyNotify) hl_input_unref, NULL, NULL, NULL, peek_cb, job);
}

HlInput *
hl_document_get_peek (HlDocument *self, int *input)
{
  *input = self->overview.peek;
  return self->overview.peeked;
}
