/* SPDX-License-Identifier: MIT
 * The work of a document: sessions. */
#include "config.h"

#include "base/hl-error.h"
#include "base/hl-paths.h"
#include "document/hl-document-private.h"

#include <glib/gi18n.h>

static gpointer
load_job (gpointer data, HlBackend *backend, const HlProgress *progress, GError **error)
{
  HlDocumentJob *job = data;
  g_autofree char *checker = hl_path_program ("headlight");
  return hl_session_load_guarded (job->path, checker, progress, error);
}

static gint64
view_int (HlSession *session, const char *key, gint64 fallback)
{
  GVariant *value = hl_session_get_view (session, key);
  return value != NULL && g_variant_is_of_type (value, G_VARIANT_TYPE_INT64)
             ? g_variant_get_int64 (value)
             : fallback;
}

static void
read_view (HlDocument *self)
{
  HlSession *s = self->session;
  HlPlace place = { .stack = (int) view_int (s, "stack", 0),
                    .layer = (int) view_int (s, "layer", 0),
                    .head = (int) view_int (s, "head", 0),
                    .query = view_int (s, "query", -1),
                    .key = view_int (s, "key", -1) };
  place.query = MAX (place.query, -1);
  place.key = MAX (place.key, -1);
  g_clear_pointer (&self->wanted_place, g_free);
  /* A session that no window has saved begins as a run does: at a telling head. */
  self->chooses_head = hl_session_get_view (s, "layer") == NULL;
  if (!self->chooses_head)
    self->wanted_place = g_memdup2 (&place, sizeof place);
  GVariant *page = hl_session_get_view (s, "page");
  g_free (self->wanted_page);
  self->wanted_page = page != NULL && g_variant_is_of_type (page, G_VARIANT_TYPE_STRING)
                          ? g_variant_dup_string (page, NULL)
                          : NULL;
  self->saliency.heads =
      (HlCrossHeads) CLAMP (view_int (s, "cross-heads", 0), 0, HL_N_CROSS_HEADS - 1);
  gint64 colormap = view_int (s, "colormap", 0), range = view_int (s, "range", 0);
  self->view.colormap = (HlColormap) CLAMP (colormap, 0, HL_N_COLORMAPS - 1);
  self->view.range = (HlRangeMode) CLAMP (range, 0, HL_N_RANGES - 1);
  self->view.leave_out_special = view_int (s, "leave-out-special", 0) != 0;
  self->view.by_words = view_int (s, "by-words", 0) != 0;
  self->view.is_from = view_int (s, "attended-from", 0) != 0;
  self->view.first_token = view_int (s, "first-token", 0);
  self->view.end_token = view_int (s, "end-token", 0);
}

/* The model of a session is opened if it is still where it was; the trace needs none. */
static void
session_loaded_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (HlDocumentJob) job = data;
  HlDocument *self = job->document;
  HlSession *session =
      hl_document_end (job, self->io, result, (GDestroyNotify) hl_session_unref,
                       _ ("The session could not be opened"));
  if (session == NULL)
    return;
  if (hl_session_get_n_traces (session) == 0)
    {
      g_autoptr (GError) error = g_error_new (HL_ERROR, HL_ERROR_MISSING,
                                              "%s: no trace in this session", job->path);
      hl_document_fail (self, _ ("The session could not be opened"), error);
      hl_session_unref (session);
      return;
    }
  hl_session_unref (self->session);
  self->session = session;
  g_clear_pointer (&self->model, hl_model_unref);
  g_clear_pointer (&self->input, hl_input_unref);
  g_clear_pointer (&self->baseline, hl_trace_unref);
  hl_document_drop_trace (self);
  hl_selection_reset (self->selection, 0, FALSE);
  hl_document_clear_options (&self->text_options); /* they were of another input */
  read_view (self);
  hl_document_take_interventions (self, hl_session_get_trace (session, 0));
  hl_document_forget_scores (self, TRUE);
  hl_document_take_trace (self, hl_session_get_trace (session, 0), FALSE);
  hl_document_take_results (self);
  hl_document_take_head_notes (self);
  self->is_modified = FALSE;
  hl_document_emit (self, HL_DOCUMENT_MODEL);
  hl_document_emit (self, HL_DOCUMENT_INPUT);
  hl_document_emit (self, HL_DOCUMENT_VIEW);
  hl_document_emit (self, HL_DOCUMENT_SESSION);
  g_autofree char *name = g_path_get_basename (job->path);
  hl_document_set_status (self, g_strdup_printf (_ ("Opened session %s"), name));
  hl_document_attach_model (self, NULL);
}

void
hl_document_open_session (HlDocument *self, const char *path)
{
  hl_document_restart (self);
  HlDocumentJob *job = hl_document_job_new (self);
  job->path = g_strdup (path);
  hl_document_begin (self, _ ("Opening the session"));
  hl_document_submit (job, self->io, load_job, (GDestroyNotify) hl_session_unref,
                      session_loaded_cb);
}

void
hl_document_set_page (HlDocument *self, const char *page)
{
  g_free (self->page);
  self->page = g_strdup (page);
}

char *
hl_document_take_page (HlDocument *self)
{
  return g_steal_pointer (&self->wanted_page);
}

static void
write_view (HlDocument *self)
{
  const HlPlace *place = hl_selection_get_place (self->selection);
  const struct
  {
    const char *key;
    gint64 value;
  } items[] = {
    { "stack", place->stack },
    { "layer", place->layer },
    { "head", place->head },
    { "query", place->query },
    { "key", place->key },
    { "colormap", self->view.colormap },
    { "range", self->view.range },
    { "leave-out-special", self->view.leave_out_special },
    { "by-words", self->view.by_words },
    { "first-token", self->view.first_token },
    { "end-token", self->view.end_token },
    { "attended-from", self->view.is_from },
    { "cross-heads", self->saliency.heads },
  };
  for (guint i = 0; i < G_N_ELEMENTS (items); i++)
    hl_session_set_view (self->session, items[i].key,
                         g_variant_new_int64 (items[i].value));
  hl_session_set_view (self->session, "page",
                       self->page != NULL ? g_variant_new_string (self->page) : NULL);
  g_autofree char *notes = hl_head_notes_to_json (self->head_notes);
  hl_session_set_view (
      self->session, "head-notes",
      hl_head_notes_is_empty (self->head_notes) ? NULL : g_variant_new_string (notes));
  const HlDataset *dataset = self->analyses.dataset;
  hl_session_set_view (self->session, "dataset",
                       dataset != NULL ? g_variant_new_string (dataset->path) : NULL);
}

static gpointer
save_job (gpointer data, HlBackend *backend, const HlProgress *progress, GError **error)
{
  HlDocumentJob *job = data;
  return hl_session_save (job->session, job->path, progress, error) ? g_strdup (job->path)
                                                                    : NULL;
}

static void
saved_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (HlDocumentJob) job = data;
  HlDocument *self = job->document;
  g_autoptr (GError) error = NULL;
  g_autofree char *path = hl_engine_finish (self->io, result, &error);
  self->n_jobs--;
  if (path == NULL)
    hl_document_fail (self, _ ("The session was not saved"), error);
  else
    {
      hl_session_set_path (self->session, path);
      self->is_modified = self->is_modified && job->n_changes != self->n_changes;
      g_autofree char *name = g_path_get_basename (path);
      hl_document_set_status (self, g_strdup_printf (_ ("Saved %s"), name));
      hl_document_emit (self, HL_DOCUMENT_SESSION);
    }
  hl_document_emit (self, HL_DOCUMENT_BUSY);
}

/* A save is not dropped by a newer run: what was asked for is written. */
void
hl_document_save (HlDocument *self, const char *path)
{
  write_view (self);
  HlDocumentJob *job = hl_document_job_new (self);
  job->path = g_strdup (path);
  job->session = hl_session_copy (self->session);
  job->n_changes = self->n_changes;
  hl_document_begin (self, _ ("Saving"));
  hl_engine_submit (self->io, HL_JOB_BACKGROUND, save_job, job, NULL, g_free, NULL, NULL,
                    NULL, saved_cb, job);
}
