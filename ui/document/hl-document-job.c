/* SPDX-License-Identifier: MIT
 * A job of a document: what it takes along, and how it begins, goes on and ends. */
#include "config.h"

#include "document/hl-document-private.h"

HlDocumentJob *
hl_document_job_new (HlDocument *self)
{
  HlDocumentJob *job = g_new0 (HlDocumentJob, 1);
  job->document = g_object_ref (self);
  job->generation = self->generation;
  job->label = -1;
  return job;
}

void
hl_document_take_options (HlTextOptions *own, const HlTextOptions *options)
{
  HlTextOptions before = *own;
  *own = *options;
  own->second = g_strdup (options->second);
  own->target = g_strdup (options->target);
  own->language = g_strdup (options->language);
  own->task = g_strdup (options->task);
  hl_document_clear_options (&before);
}

void
hl_document_clear_options (HlTextOptions *own)
{
  g_free ((char *) own->second);
  g_free ((char *) own->target);
  g_free ((char *) own->language);
  g_free ((char *) own->task);
  own->second = own->target = own->language = own->task = NULL;
}

void
hl_document_job_free (HlDocumentJob *job)
{
  g_object_unref (job->document);
  g_free (job->path);
  g_free (job->text);
  hl_document_clear_options (&job->text_options);
  hl_model_unref (job->model);
  hl_input_unref (job->input);
  hl_dataset_unref (job->dataset);
  hl_attention_source_unref (job->source);
  g_clear_pointer (&job->interventions, g_ptr_array_unref);
  hl_session_unref (job->session);
  g_free (job->backend_words);
  g_free (job);
}

static void
progress_cb (double fraction, const char *what, gpointer data)
{
  HlDocumentJob *job = data;
  HlDocument *self = job->document;
  if (job->generation != self->generation)
    return;
  self->fraction = fraction;
  hl_document_emit (self, HL_DOCUMENT_BUSY);
}

void
hl_document_begin (HlDocument *self, const char *what)
{
  self->n_jobs++;
  self->fraction = 0;
  g_free (self->what);
  self->what = g_strdup (what);
  hl_document_emit (self, HL_DOCUMENT_BUSY);
}

/* Ends a job on the main thread: its result where it is still wanted, else NULL. */
gpointer
hl_document_end (HlDocumentJob *job,
                 HlEngine *engine,
                 GAsyncResult *result,
                 GDestroyNotify result_free,
                 const char *failure)
{
  HlDocument *self = job->document;
  g_autoptr (GError) error = NULL;
  gpointer value = hl_engine_finish (engine, result, &error);
  self->n_jobs--;
  if (self->n_jobs == 0)
    {
      self->fraction = 0;
      g_free (self->what);
      self->what = g_strdup ("");
    }
  if (job->generation != self->generation && value != NULL)
    {
      result_free (value);
      value = NULL;
    }
  else if (value == NULL && job->generation == self->generation)
    hl_document_fail (self, failure, error);
  hl_document_emit (self, HL_DOCUMENT_BUSY);
  return value;
}

void
hl_document_submit (HlDocumentJob *job,
                    HlEngine *engine,
                    HlJobFunc func,
                    GDestroyNotify result_free,
                    GAsyncReadyCallback callback)
{
  HlDocument *self = job->document;
  hl_engine_submit (engine, HL_JOB_BACKGROUND, func, job, NULL, result_free,
                    self->cancellable, progress_cb, job, callback, job);
}
