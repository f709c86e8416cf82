/* SPDX-License-Identifier: MIT
 * What the window shows: the state of a document. Its work is in hl-document-jobs.c. */
#include "config.h"

#include "document/hl-document-private.h"

#include <glib/gi18n.h>

G_DEFINE_FINAL_TYPE (HlDocument, hl_document, G_TYPE_OBJECT)

static guint signals[HL_DOCUMENT_N_SIGNALS];

void
hl_document_emit (HlDocument *self, HlDocumentSignal which)
{
  g_signal_emit (self, signals[which], 0);
}

void
hl_document_emit_layer (HlDocument *self, int layer)
{
  g_signal_emit (self, signals[HL_DOCUMENT_LAYER], 0, layer);
}

void
hl_document_fail (HlDocument *self, const char *summary, const GError *error)
{
  if (error != NULL && g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  g_signal_emit (self, signals[HL_DOCUMENT_FAILED], 0, summary,
                 error != NULL ? error->message : "");
}

void
hl_document_set_status (HlDocument *self, char *status)
{
  g_free (self->status);
  self->status = status;
  hl_document_emit (self, HL_DOCUMENT_BUSY);
}

void
hl_document_touch (HlDocument *self)
{
  self->is_modified = TRUE;
  self->n_changes++;
}

int
hl_document_get_stack (HlDocument *self)
{
  return hl_selection_get_place (self->selection)->stack;
}

HlHeadKey
hl_document_get_scored_head (HlDocument *self)
{
  HlHeadKey head = hl_selection_get_head (self->selection);
  return head.stack == 0 ? head : (HlHeadKey){ 0 };
}

const HlTokenTable *
hl_document_get_tokens (HlDocument *self)
{
  return self->trace != NULL
             ? hl_trace_get_tokens (self->shown, hl_document_get_stack (self))
             : NULL;
}

const HlTokenTable *
hl_document_get_key_tokens (HlDocument *self)
{
  return self->trace != NULL
             ? hl_trace_get_key_tokens (self->shown, hl_document_get_stack (self))
             : NULL;
}

/* Another stack is looked at, by a choice or its undoing: views begin anew with it. */
static void
follow_stack (HlDocument *self)
{
  int stack = hl_document_get_stack (self);
  if (self->summary == NULL || self->summary->stack == stack ||
      hl_model_info_get_stack (self->trace->model, stack) == NULL)
    return;
  g_clear_pointer (&self->summary, hl_trace_summary_free);
  self->summary = hl_trace_summary_new (self->shown, stack);
  gboolean had_slice = self->view.end_token > 0;
  self->view.first_token = self->view.end_token = 0;
  if (had_slice)
    hl_document_emit (self, HL_DOCUMENT_VIEW);
  hl_document_emit (self, HL_DOCUMENT_TRACE);
  hl_document_summarise (self);
}

/* Ablating, or undoing it, runs the model again; looking at something else does not. */
static void
selection_changed_cb (HlSelection *selection, guint parts, HlDocument *self)
{
  /* What a trace begins with leaves no history; what a person chooses does. */
  if ((parts & HL_SELECTION_HEAD) != 0 && hl_selection_can_undo (selection))
    self->head_is_chosen = TRUE;
  if ((parts & HL_SELECTION_HEAD) != 0)
    follow_stack (self);
  if ((parts & HL_SELECTION_HEAD) != 0)
    hl_document_emit (self, HL_DOCUMENT_SCORES); /* parts are those of one head */
  if ((parts & HL_SELECTION_ABLATED) != 0)
    hl_document_touch (self);
  if ((parts & HL_SELECTION_ABLATED) != 0 && self->trace != NULL &&
      hl_document_can_run (self))
    hl_document_run (self);
}

static void
hl_document_dispose (GObject *object)
{
  HlDocument *self = HL_DOCUMENT (object);
  if (self->cancellable != NULL)
    g_cancellable_cancel (self->cancellable);
  if (self->layers_cancellable != NULL)
    g_cancellable_cancel (self->layers_cancellable);
  hl_document_stop_analysis (self);
  g_clear_signal_handler (&self->selection_handler, self->selection);
  if (self->engine != NULL)
    hl_engine_stop (self->engine);
  if (self->io != NULL)
    hl_engine_stop (self->io);
  g_clear_object (&self->engine);
  g_clear_object (&self->io);
  g_clear_object (&self->cancellable);
  g_clear_object (&self->layers_cancellable);
  g_clear_object (&self->selection);
  G_OBJECT_CLASS (hl_document_parent_class)->dispose (object);
}

static void
hl_document_finalize (GObject *object)
{
  HlDocument *self = HL_DOCUMENT (object);
  hl_model_unref (self->model);
  hl_input_unref (self->input);
  hl_trace_unref (self->trace);
  hl_trace_unref (self->shown);
  hl_trace_unref (self->baseline);
  hl_trace_unref (self->shown_baseline);
  hl_attention_source_unref (self->source);
  hl_attention_source_unref (self->shown_source);
  hl_trace_summary_free (self->summary);
  hl_session_unref (self->session);
  hl_head_notes_free (self->head_notes);
  hl_document_clear_scores (self);
  hl_document_forget_generation (self);
  hl_document_clear_options (&self->text_options);
  g_free (self->wanted_input);
  g_free (self->wanted_place);
  g_free (self->page);
  g_free (self->wanted_page);
  g_free (self->what);
  g_free (self->status);
  g_free (self->backend_words);
  G_OBJECT_CLASS (hl_document_parent_class)->finalize (object);
}

static void
hl_document_class_init (HlDocumentClass *klass)
{
  static const char *const plain[] = {
    [HL_DOCUMENT_MODEL] = "model-changed",
    [HL_DOCUMENT_INPUT] = "input-changed",
    [HL_DOCUMENT_TRACE] = "trace-changed",
    [HL_DOCUMENT_VIEW] = "view-changed",
    [HL_DOCUMENT_BUSY] = "busy-changed",
    [HL_DOCUMENT_SESSION] = "session-changed",
    [HL_DOCUMENT_GENERATED] = "token-generated",
    [HL_DOCUMENT_SCORES] = "scores-changed",
    [HL_DOCUMENT_PATTERNS] = "patterns-changed",
    [HL_DOCUMENT_OVERVIEW] = "overview-changed",
    [HL_DOCUMENT_SALIENCY] = "saliency-changed",
    [HL_DOCUMENT_HEAD_NOTES] = "head-notes-changed",
    [HL_DOCUMENT_DATASET] = "dataset-changed",
    [HL_DOCUMENT_N_SIGNALS] = NULL,
  };
  G_OBJECT_CLASS (klass)->dispose = hl_document_dispose;
  G_OBJECT_CLASS (klass)->finalize = hl_document_finalize;
  for (int i = 0; i < HL_DOCUMENT_N_SIGNALS; i++)
    if (plain[i] != NULL)
      signals[i] = g_signal_new (plain[i], HL_TYPE_DOCUMENT, G_SIGNAL_RUN_LAST, 0, NULL,
                                 NULL, NULL, G_TYPE_NONE, 0);
  signals[HL_DOCUMENT_LAYER] =
      g_signal_new ("layer-ready", HL_TYPE_DOCUMENT, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                    NULL, G_TYPE_NONE, 1, G_TYPE_INT);
  signals[HL_DOCUMENT_FAILED] =
      g_signal_new ("failed", HL_TYPE_DOCUMENT, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                    G_TYPE_NONE, 2, G_TYPE_STRING, G_TYPE_STRING);
}

static void
hl_document_init (HlDocument *self)
{
  self->engine = hl_engine_new ("engine");
  self->io = hl_engine_new_io ();
  self->selection = hl_selection_new ();
  self->selection_handler = g_signal_connect (self->selection, "changed",
                                              G_CALLBACK (selection_changed_cb), self);
  self->session = hl_session_new ();
  self->head_notes = hl_head_notes_new ();
  self->cancellable = g_cancellable_new ();
  self->layers_cancellable = g_cancellable_new ();
  self->what = g_strdup ("");
  self->status = g_strdup ("");
  self->backend_words = g_strdup ("");
  hl_document_init_scores (self);
}

HlDocument *
hl_document_new (void)
{
  return g_object_new (HL_TYPE_DOCUMENT, NULL);
}

HlSelection *
hl_document_get_selection (HlDocument *self)
{
  return self->selection;
}

HlEngine *
hl_document_get_engine (HlDocument *self)
{
  return self->engine;
}

HlEngine *
hl_document_get_io (HlDocument *self)
{
  return self->io;
}

gboolean
hl_document_can_run (HlDocument *self)
{
  return self->model != NULL && self->input != NULL;
}

gboolean
hl_document_is_busy (HlDocument *self)
{
  return self->n_jobs > 0;
}

const char *
hl_document_get_busy (HlDocument *self, double *fraction)
{
  *fraction = self->fraction;
  return self->what;
}

const char *
hl_document_get_status (HlDocument *self)
{
  return self->status;
}

const char *
hl_document_get_backend (HlDocument *self)
{
  return self->backend_words;
}

const HlModelInfo *
hl_document_get_model_info (HlDocument *self)
{
  if (self->model != NULL)
    return hl_model_get_info (self->model);
  return self->trace != NULL ? self->trace->model : NULL;
}

HlModel *
hl_document_get_model (HlDocument *self)
{
  return self->model;
}

gboolean
hl_document_has_model (HlDocument *self)
{
  return self->model != NULL;
}

HlInput *
hl_document_get_input (HlDocument *self)
{
  return self->input;
}

HlTraceSummary *
hl_document_get_summary (HlDocument *self)
{
  return self->summary;
}

HlAttentionSource *
hl_document_get_source (HlDocument *self)
{
  return self->shown_source;
}

const HlViewOptions *
hl_document_get_view (HlDocument *self)
{
  return &self->view;
}

void
hl_document_set_view (HlDocument *self, const HlViewOptions *view)
{
  if (view->colormap == self->view.colormap && view->range == self->view.range &&
      view->leave_out_special == self->view.leave_out_special &&
      view->by_words == self->view.by_words &&
      view->first_token == self->view.first_token &&
      view->end_token == self->view.end_token && view->is_from == self->view.is_from)
    return;
  gboolean is_renamed = view->by_words != self->view.by_words;
  self->view = *view;
  if (is_renamed)
    hl_document_follow_words (self);
  hl_document_emit (self, HL_DOCUMENT_VIEW);
}

const char *
hl_document_get_notes (HlDocument *self)
{
  return hl_session_get_notes (self->session);
}

void
hl_document_set_notes (HlDocument *self, const char *notes)
{
  if (g_strcmp0 (notes, hl_session_get_notes (self->session)) == 0)
    return;
  hl_session_set_notes (self->session, notes);
  hl_document_touch (self);
  hl_document_emit (self, HL_DOCUMENT_SESSION);
}

const HlHeadNotes *
hl_document_get_head_notes (HlDocument *self)
{
  return self->head_notes;
}

void
hl_document_set_head_note (HlDocument *self, const char *tags, const char *text)
{
  HlHeadKey key = hl_selection_get_head (self->selection);
  if (self->trace == NULL || !hl_head_notes_set (self->head_notes, key, tags, text))
    return;
  hl_document_touch (self);
  hl_document_emit (self, HL_DOCUMENT_HEAD_NOTES);
  hl_document_emit (self, HL_DOCUMENT_SESSION);
}

void
hl_document_take_head_notes (HlDocument *self)
{
  GVariant *kept = hl_session_get_view (self->session, "head-notes");
  gboolean is_text = kept != NULL && g_variant_is_of_type (kept, G_VARIANT_TYPE_STRING);
  hl_head_notes_take_json (self->head_notes,
                           is_text ? g_variant_get_string (kept, NULL) : "{}");
  hl_document_emit (self, HL_DOCUMENT_HEAD_NOTES);
}

const char *
hl_document_get_session_path (HlDocument *self)
{
  return hl_session_get_path (self->session);
}

gboolean
hl_document_is_modified (HlDocument *self)
{
  return self->is_modified;
}

gboolean
hl_document_has_work (HlDocument *self)
{
  return self->is_modified && (hl_session_get_notes (self->session)[0] != '\0' ||
                               !hl_head_notes_is_empty (self->head_notes) ||
                               hl_session_get_n_results (self->session) > 0);
}

static void
show_wanted_place (HlDocument *self)
{
  g_autofree HlPlace *place = g_steal_pointer (&self->wanted_place);
  int at = hl_document_get_stack (self);
  const HlStack *stack = hl_model_info_get_stack (self->trace->model, at);
  const HlTokenTable *tokens = hl_document_get_tokens (self);
  const HlTokenTable *keys = hl_document_get_key_tokens (self);
  gboolean has_head = place->stack == at && place->layer >= 0 &&
                      place->layer < stack->n_layers && place->head >= 0 &&
                      place->head < stack->layers[place->layer].n_heads;
  gboolean has_cell = place->stack == at && tokens != NULL && keys != NULL &&
                      place->query < tokens->n_tokens && place->key < keys->n_tokens;
  self->head_is_chosen = self->head_is_chosen || has_head;
  hl_selection_begin_at (self->selection, has_head ? place->layer : 0,
                         has_head ? place->head : 0, has_cell ? place->query : -1,
                         has_cell ? place->key : -1);
}

/* A slice stays with the text that it is of. */
static void
check_slice (HlDocument *self)
{
  const HlTokenTable *tokens = hl_document_get_tokens (self);
  HlViewOptions *view = &self->view;
  gboolean is_good = tokens != NULL && tokens == hl_document_get_key_tokens (self) &&
                     view->first_token >= 0 && view->first_token < view->end_token &&
                     view->end_token <= tokens->n_tokens;
  if (!is_good)
    view->first_token = view->end_token = 0;
}

/* What an encoder-decoder is opened for is what its decoder looks at. */
static int
first_stack (const HlTrace *trace)
{
  int n = (int) trace->model->stacks->len;
  return hl_model_info_get_stack (trace->model, n - 1)->is_cross ? n - 1 : 0;
}

/* Where a new trace is looked at first; a place that waits knows better. */
static int
wanted_stack (HlDocument *self)
{
  const HlPlace *place = self->wanted_place;
  if (self->trace == NULL)
    return 0;
  if (place != NULL && hl_model_info_get_stack (self->trace->model, place->stack) != NULL)
    return place->stack;
  return first_stack (self->trace);
}

void
hl_document_drop_trace (HlDocument *self)
{
  self->summary_id++; /* layers on their way are of what was */
  g_cancellable_cancel (self->layers_cancellable);
  g_clear_pointer (&self->summary, hl_trace_summary_free);
  g_clear_pointer (&self->source, hl_attention_source_unref);
  g_clear_pointer (&self->trace, hl_trace_unref);
  hl_document_show_trace (self);
}

void
hl_document_take_trace (HlDocument *self, HlTrace *trace, gboolean keep_selection)
{
  hl_document_drop_trace (self);
  hl_document_forget_spots (self);
  if (trace != NULL)
    {
      self->trace = hl_trace_ref (trace);
      self->source = hl_attention_source_new (trace);
      hl_document_show_trace (self);
    }
  if (!keep_selection)
    hl_selection_reset (self->selection, wanted_stack (self), TRUE);
  if (trace != NULL)
    self->summary = hl_trace_summary_new (self->shown, hl_document_get_stack (self));
  check_slice (self);
  if (trace != NULL && self->wanted_place != NULL)
    show_wanted_place (self);
  hl_document_emit (self, HL_DOCUMENT_TRACE);
  hl_document_emit (self, HL_DOCUMENT_SESSION);
  if (trace != NULL)
    hl_document_summarise (self);
}

guint
hl_document_restart (HlDocument *self)
{
  g_cancellable_cancel (self->cancellable);
  g_cancellable_cancel (self->layers_cancellable);
  g_object_unref (self->cancellable);
  self->cancellable = g_cancellable_new ();
  hl_document_forget_generation (self);
  return ++self->generation;
}

void
hl_document_stop (HlDocument *self)
{
  HlGeneration *generating = g_steal_pointer (&self->generating);
  hl_document_restart (self);
  hl_document_stop_analysis (self);
  self->generating = generating;
  hl_document_end_generation (self);
  hl_document_set_status (self, g_strdup (_ ("Stopped; what was known is kept")));
}
