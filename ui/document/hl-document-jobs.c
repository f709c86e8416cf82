/* SPDX-License-Identifier: MIT
 * The work of a document: opening, running, summarising, saving. Every job carries the
 * generation that asked for it. */
#include "config.h"

#include "base/hl-error.h"
#include "base/hl-paths.h"
#include "document/hl-document-private.h"
#include "trace/hl-tracer.h"

#include <glib/gi18n.h>

/* What a job takes along; every field is its own reference. */
typedef struct
{
  HlDocument *document; /* only touched on the main thread */
  guint generation;
  char *path;
  HlModel *model;
  HlInput *input;
  HlAttentionSource *source;
  GPtrArray *interventions;
  HlSession *session;
  int layer;
  guint n_changes;     /* of the document when it was saved */
  char *backend_words; /* found on the engine's thread */
} Job;

static Job *
job_new (HlDocument *self)
{
  Job *job = g_new0 (Job, 1);
  job->document = g_object_ref (self);
  job->generation = self->generation;
  return job;
}

static void
job_free (Job *job)
{
  g_object_unref (job->document);
  g_free (job->path);
  hl_model_unref (job->model);
  hl_input_unref (job->input);
  hl_attention_source_unref (job->source);
  g_clear_pointer (&job->interventions, g_ptr_array_unref);
  hl_session_unref (job->session);
  g_free (job->backend_words);
  g_free (job);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Job, job_free)

static void
progress_cb (double fraction, const char *what, gpointer data)
{
  Job *job = data;
  HlDocument *self = job->document;
  if (job->generation != self->generation)
    return;
  self->fraction = fraction;
  hl_document_emit (self, HL_DOCUMENT_BUSY);
}

static void
begin (HlDocument *self, const char *what)
{
  self->n_jobs++;
  self->fraction = 0;
  g_free (self->what);
  self->what = g_strdup (what);
  hl_document_emit (self, HL_DOCUMENT_BUSY);
}

/* Ends a job on the main thread: its result where it is still wanted, else NULL. */
static gpointer
end (Job *job,
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

static void
submit (Job *job,
        HlEngine *engine,
        HlJobFunc func,
        GDestroyNotify result_free,
        GAsyncReadyCallback callback)
{
  HlDocument *self = job->document;
  hl_engine_submit (engine, HL_JOB_BACKGROUND, func, job, NULL, result_free,
                    self->cancellable, progress_cb, job, callback, job);
}

/* ---- model --------------------------------------------------------------------------- */

static gpointer
model_job (gpointer data, HlBackend *backend, const HlProgress *progress, GError **error)
{
  Job *job = data;
  g_autofree char *path = hl_path_model (job->path);
  job->backend_words = backend->klass->describe (backend);
  return hl_model_open (path, error);
}

static void
model_opened_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (Job) job = data;
  HlDocument *self = job->document;
  HlModel *model = end (job, self->engine, result, (GDestroyNotify) hl_model_unref,
                        _ ("The model could not be opened"));
  if (model == NULL)
    return;
  g_free (self->backend_words);
  self->backend_words = g_steal_pointer (&job->backend_words);
  g_autofree char *input = g_strdup (self->input != NULL ? self->input->path
                                                         : self->wanted_input);
  g_clear_pointer (&self->model, hl_model_unref);
  g_clear_pointer (&self->input, hl_input_unref);
  g_clear_pointer (&self->baseline, hl_trace_unref);
  self->model = model;
  hl_selection_reset (self->selection, FALSE);
  hl_document_take_trace (self, NULL, FALSE);
  hl_document_emit (self, HL_DOCUMENT_MODEL);
  hl_document_emit (self, HL_DOCUMENT_INPUT);
  hl_document_set_status (
      self, g_strdup_printf (_ ("Opened %s"), hl_model_get_info (model)->name));
  if (input != NULL && input[0] != '\0')
    hl_document_open_input (self, input);
}

void
hl_document_open_model (HlDocument *self, const char *path)
{
  hl_document_restart (self);
  Job *job = job_new (self);
  job->path = g_strdup (path);
  begin (self, _ ("Opening the model"));
  submit (job, self->engine, model_job, (GDestroyNotify) hl_model_unref, model_opened_cb);
}

/* ---- input --------------------------------------------------------------------------- */

static gpointer
input_job (gpointer data, HlBackend *backend, const HlProgress *progress, GError **error)
{
  Job *job = data;
  return hl_model_open_image (job->model, job->path, 0, 0, error);
}

static void
input_opened_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (Job) job = data;
  HlDocument *self = job->document;
  HlInput *input = end (job, self->engine, result, (GDestroyNotify) hl_input_unref,
                        _ ("The picture could not be opened"));
  if (input == NULL)
    return;
  g_clear_pointer (&self->input, hl_input_unref);
  g_clear_pointer (&self->baseline, hl_trace_unref);
  g_clear_pointer (&self->wanted_input, g_free);
  self->input = input;
  hl_document_emit (self, HL_DOCUMENT_INPUT);
  hl_document_run (self);
}

void
hl_document_open_input (HlDocument *self, const char *path)
{
  if (self->model == NULL)
    {
      g_free (self->wanted_input);
      self->wanted_input = g_strdup (path);
      hl_document_set_status (
          self, g_strdup (self->n_jobs > 0
                              ? _ ("The picture is read when the model is there")
                              : _ ("Open a model to look at the picture with")));
      return;
    }
  hl_document_restart (self);
  Job *job = job_new (self);
  job->path = g_strdup (path);
  job->model = hl_model_ref (self->model);
  begin (self, _ ("Reading the picture"));
  submit (job, self->engine, input_job, (GDestroyNotify) hl_input_unref, input_opened_cb);
}

/* ---- run ----------------------------------------------------------------------------- */

static gpointer
run_job (gpointer data, HlBackend *backend, const HlProgress *progress, GError **error)
{
  Job *job = data;
  const HlTraceOptions options = { .interventions = job->interventions };
  return hl_tracer_run (job->model, job->input, backend, &options, progress, error);
}

static gboolean
is_same_question (const HlTrace *a, const HlTrace *b)
{
  return a != NULL && b != NULL && g_str_equal (a->input_hash, b->input_hash)
         && g_str_equal (a->model->identity, b->model->identity);
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

static void
run_done_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (Job) job = data;
  HlDocument *self = job->document;
  g_autoptr (HlTrace) trace = end (job, self->engine, result,
                                   (GDestroyNotify) hl_trace_unref,
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
  self->chooses_head = !is_same;
  hl_document_take_trace (self, trace, is_same);
  hl_document_set_status (
      self, g_strdup_printf (_ ("Trace done in %.2f s · %.1f MB of maps"),
                             trace->duration_ms / 1e3,
                             (double) hl_trace_attention_bytes (trace) / 1e6));
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
  Job *job = job_new (self);
  job->model = hl_model_ref (self->model);
  job->input = hl_input_ref (self->input);
  job->interventions
      = g_ptr_array_new_with_free_func ((GDestroyNotify) hl_intervention_unref);
  guint n;
  const HlHeadKey *ablated = hl_selection_get_ablated (self->selection, &n);
  const HlModelInfo *info = hl_model_get_info (self->model);
  for (guint i = 0; i < n; i++)
    g_ptr_array_add (job->interventions,
                     hl_intervention_new_scale_head (info, ablated[i].stack,
                                                     ablated[i].layer, ablated[i].head,
                                                     0));
  begin (self, _ ("Running the model"));
  submit (job, self->engine, run_job, (GDestroyNotify) hl_trace_unref, run_done_cb);
}

/* ---- summaries ----------------------------------------------------------------------- */

static gpointer
layer_job (gpointer data, HlBackend *backend, const HlProgress *progress, GError **error)
{
  Job *job = data;
  if (job->layer == 0)
    job->backend_words = backend->klass->describe (backend);
  return hl_layer_summary_new (job->source, backend, 0, job->layer, progress, error);
}

/* The patch in the middle, so that the overlays have something to say. */
static gint64
centre_token (HlDocument *self)
{
  const HlTokenTable *tokens = hl_trace_get_tokens (self->trace, 0);
  return tokens != NULL && tokens->n_columns > 0
             ? hl_token_table_find_patch (tokens, tokens->n_rows / 2,
                                          tokens->n_columns / 2)
             : -1;
}

/* Nobody chose a head yet: begin with the most selective one, not with whatever is
 * first, which is often close to uniform. */
static void
choose_head (HlDocument *self)
{
  int best_layer = 0, best_head = 0;
  double lowest = G_MAXDOUBLE;
  for (int l = 0; l < self->summary->n_layers; l++)
    for (int h = 0; h < self->summary->layers[l]->n_heads; h++)
      {
        double entropy = self->summary->layers[l]->heads[h].stats.row_entropy;
        if (!(entropy < lowest))
          continue;
        lowest = entropy;
        best_layer = l;
        best_head = h;
      }
  hl_selection_begin_at (self->selection, best_layer, best_head, centre_token (self));
}

static void
layer_done_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (Job) job = data;
  HlDocument *self = job->document;
  HlLayerSummary *layer
      = end (job, self->engine, result, (GDestroyNotify) hl_layer_summary_unref,
             _ ("A layer could not be summarised"));
  if (layer == NULL)
    return;
  if (job->backend_words != NULL)
    {
      g_free (self->backend_words);
      self->backend_words = g_steal_pointer (&job->backend_words);
    }
  int index = layer->layer;
  hl_trace_summary_take_layer (self->summary, layer);
  self->n_layers_left--;
  self->fraction = 1 - (double) self->n_layers_left / MAX (self->summary->n_layers, 1);
  hl_document_emit_layer (self, index);
  if (self->n_layers_left > 0)
    return;
  hl_document_emit_layer (self, -1);
  if (self->chooses_head && !hl_selection_can_undo (self->selection))
    choose_head (self);
  self->chooses_head = FALSE;
}

void
hl_document_summarise (HlDocument *self)
{
  self->n_layers_left = self->summary->n_layers;
  for (int l = 0; l < self->summary->n_layers; l++)
    {
      Job *job = job_new (self);
      job->source = hl_attention_source_ref (self->source);
      job->layer = l;
      begin (self, _ ("Summarising heads"));
      hl_engine_submit (self->engine, HL_JOB_BACKGROUND, layer_job, job, NULL,
                        (GDestroyNotify) hl_layer_summary_unref, self->cancellable, NULL,
                        NULL, layer_done_cb, job);
    }
}

/* ---- sessions ------------------------------------------------------------------------ */

static gpointer
load_job (gpointer data, HlBackend *backend, const HlProgress *progress, GError **error)
{
  Job *job = data;
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
  HlPlace place = { .layer = (int) view_int (s, "layer", 0),
                    .head = (int) view_int (s, "head", 0),
                    .query = view_int (s, "query", -1),
                    .key = view_int (s, "key", -1) };
  place.query = MAX (place.query, -1);
  place.key = MAX (place.key, -1);
  g_free (self->wanted_place);
  self->wanted_place = g_memdup2 (&place, sizeof place);
  gint64 colormap = view_int (s, "colormap", 0), range = view_int (s, "range", 0);
  self->view.colormap = (HlColormap) CLAMP (colormap, 0, HL_N_COLORMAPS - 1);
  self->view.range = (HlRangeMode) CLAMP (range, 0, HL_N_RANGES - 1);
  self->view.leave_out_special = view_int (s, "leave-out-special", 0) != 0;
}

/* The model of a session is opened if it is still where it was; the trace needs none. */
static void
session_loaded_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (Job) job = data;
  HlDocument *self = job->document;
  HlSession *session = end (job, self->io, result, (GDestroyNotify) hl_session_unref,
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
  hl_selection_reset (self->selection, FALSE);
  read_view (self);
  hl_document_take_trace (self, hl_session_get_trace (session, 0), FALSE);
  self->is_modified = FALSE;
  hl_document_emit (self, HL_DOCUMENT_MODEL);
  hl_document_emit (self, HL_DOCUMENT_INPUT);
  hl_document_emit (self, HL_DOCUMENT_VIEW);
  hl_document_emit (self, HL_DOCUMENT_SESSION);
  g_autofree char *name = g_path_get_basename (job->path);
  hl_document_set_status (self, g_strdup_printf (_ ("Opened session %s"), name));
}

void
hl_document_open_session (HlDocument *self, const char *path)
{
  hl_document_restart (self);
  Job *job = job_new (self);
  job->path = g_strdup (path);
  begin (self, _ ("Opening the session"));
  submit (job, self->io, load_job, (GDestroyNotify) hl_session_unref, session_loaded_cb);
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
    { "layer", place->layer },
    { "head", place->head },
    { "query", place->query },
    { "key", place->key },
    { "colormap", self->view.colormap },
    { "range", self->view.range },
    { "leave-out-special", self->view.leave_out_special },
  };
  for (guint i = 0; i < G_N_ELEMENTS (items); i++)
    hl_session_set_view (self->session, items[i].key,
                         g_variant_new_int64 (items[i].value));
}

static gpointer
save_job (gpointer data, HlBackend *backend, const HlProgress *progress, GError **error)
{
  Job *job = data;
  return hl_session_save (job->session, job->path, progress, error)
             ? g_strdup (job->path)
             : NULL;
}

static void
saved_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (Job) job = data;
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
  Job *job = job_new (self);
  job->path = g_strdup (path);
  job->session = hl_session_copy (self->session);
  job->n_changes = self->n_changes;
  begin (self, _ ("Saving"));
  hl_engine_submit (self->io, HL_JOB_BACKGROUND, save_job, job, NULL, g_free, NULL, NULL,
                    NULL, saved_cb, job);
}
