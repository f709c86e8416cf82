/* SPDX-License-Identifier: MIT
 * The inside of a document, shared by its state and its jobs. */
#pragma once

#include "document/hl-document-analyses-private.h"

G_BEGIN_DECLS

typedef enum
{
  HL_DOCUMENT_MODEL,
  HL_DOCUMENT_INPUT,
  HL_DOCUMENT_TRACE,
  HL_DOCUMENT_LAYER,
  HL_DOCUMENT_VIEW,
  HL_DOCUMENT_BUSY,
  HL_DOCUMENT_SESSION,
  HL_DOCUMENT_FAILED,
  HL_DOCUMENT_GENERATED,
  HL_DOCUMENT_SCORES,
  HL_DOCUMENT_PATTERNS,
  HL_DOCUMENT_OVERVIEW,
  HL_DOCUMENT_SALIENCY,
  HL_DOCUMENT_HEAD_NOTES,
  HL_DOCUMENT_DATASET,
  HL_DOCUMENT_N_SIGNALS,
} HlDocumentSignal;

/* A text that is being generated; see hl-document-text.c. */
typedef struct _HlGeneration HlGeneration;

struct _HlDocument
{
  GObject parent_instance;
  HlEngine *engine;
  HlEngine *io;
  HlSelection *selection;
  gulong selection_handler;

  HlModel *model;
  HlInput *input;
  char *wanted_input; /* a path that waits for a model */
  HlTextOptions text_options;
  HlGeneration *generating; /* (nullable) */
  HlDocumentScores analyses;
  HlDocumentPatterns patterns;
  HlDocumentOverview overview;
  HlDocumentSaliency saliency;
  HlTrace *trace; /* in tokens, as all of these: what is shown may be in words */
  HlTrace *baseline;
  HlAttentionSource *source;
  HlTrace *shown;
  HlTrace *shown_baseline; /* (nullable): made when it is asked for */
  HlAttentionSource *shown_source;
  HlTraceSummary *summary;
  HlViewOptions view;

  HlSession *session;
  HlHeadNotes *head_notes;
  gboolean is_modified;
  guint n_changes; /* counts up; a save clears is_modified if nothing came after it */
  HlPlace *wanted_place; /* of a session's view, until its trace is shown */
  char *page;            /* in sight */
  char *wanted_page;     /* of a session, until the window has taken it */

  /* Counts up with every model, input, run or session that is asked for; a result that
   * carries an older number is dropped. */
  guint generation;
  GCancellable *cancellable;
  int n_jobs;
  GCancellable *layers_cancellable; /* of the stack that is looked at */
  guint summary_id; /* counts up with every summary; layers of an older one are dropped */
  int n_layers_left;
  int n_guesses_left;
  gboolean head_is_chosen; /* by a person, since the model was opened */
  gboolean chooses_head;   /* a new trace, at which nobody has chosen yet */
  double fraction;
  char *what;
  char *status;
  char *backend_words;
};

/* What a job takes along; every field is its own reference. */
typedef struct _HlDocumentJob
{
  HlDocument *document; /* only touched on the main thread */
  guint generation;
  char *path;
  const char *kind; /* (nullable): of a model: the tower that takes this; static */
  char *text;
  HlTextOptions text_options;
  HlGenerateOptions generate_options;
  HlModel *model;
  HlInput *input;
  HlAttentionSource *source;
  GPtrArray *interventions;
  HlSession *session;
  int layer;
  HlHeadKey head; /* one head of the layer's stack */
  guint summary_id;
  HlDataset *dataset; /* (nullable): the input is opened from */
  int item;
  gint64 window;       /* of a recording */
  int label;           /* of the input: -1 for not known */
  gboolean is_guess;   /* of a layer: an estimate */
  guint n_changes;     /* of the document when it was saved */
  char *backend_words; /* found on the engine's thread */
} HlDocumentJob;

/** hl_document_job_new: (transfer full): of the generation that is now. */
HlDocumentJob *hl_document_job_new (HlDocument *self);
void hl_document_job_free (HlDocumentJob *job);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlDocumentJob, hl_document_job_free)

/** hl_document_take_options: @own is a copy of @options, which may be the same, with its
 * own strings; hl_document_clear_options() frees them. */
void hl_document_take_options (HlTextOptions *own, const HlTextOptions *options);
void hl_document_clear_options (HlTextOptions *own);

/** hl_document_begin: one more job is under way. */
void hl_document_begin (HlDocument *self, const char *what);

/** hl_document_submit: in the background, with the document's progress. */
void hl_document_submit (HlDocumentJob *job,
                         HlEngine *engine,
                         HlJobFunc func,
                         GDestroyNotify result_free,
                         GAsyncReadyCallback callback);

/** hl_document_end: (transfer full) (nullable): ends a job on the main thread: its result
 * where it is still wanted; a failure is told. */
gpointer hl_document_end (HlDocumentJob *job,
                          HlEngine *engine,
                          GAsyncResult *result,
                          GDestroyNotify result_free,
                          const char *failure);

/** hl_document_input_opened_cb: the end of a job that opens an input; then runs. */
void hl_document_input_opened_cb (GObject *source, GAsyncResult *result, gpointer job);

/** hl_document_complete: (transfer full) (nullable): @input (transfer full) (nullable);
 * of an encoder-decoder without a target with what the decoder goes on with. On the
 * engine's thread; NULL with @error. */
HlInput *hl_document_complete (const HlDocumentJob *job,
                               HlInput *input,
                               HlBackend *backend,
                               const HlProgress *progress,
                               GError **error);

/** hl_document_take_head_notes: of the opened session; none for another model. */
void hl_document_take_head_notes (HlDocument *self);

/** hl_document_open_item: makes an input of the data set the input; then runs. */
void hl_document_open_item (HlDocument *self, const char *name, const char *path);

/** hl_document_forget_generation: without keeping anything of it. */
void hl_document_forget_generation (HlDocument *self);

/** hl_document_end_generation: on a stop: keeps and traces what was generated. */
void hl_document_end_generation (HlDocument *self);

/** hl_document_attach_model: to the session that was just opened: @model (nullable), or
 * the one at the path it names, where that is the same; and its input. */
void hl_document_attach_model (HlDocument *self, HlModel *model);

/** hl_document_attach_dataset: (nullable): likewise the data set, unless another was
 * opened since, and the input's @label: what is known of it stays. */
void hl_document_attach_dataset (HlDocument *self, HlDataset *dataset, int label);

/** hl_document_take_interventions: heads that were set to zero in an opened trace are
 * ablated, so that what is in force is seen. */
void hl_document_take_interventions (HlDocument *self, const HlTrace *trace);

void hl_document_emit (HlDocument *self, HlDocumentSignal which);
void hl_document_emit_layer (HlDocument *self, int layer);
void hl_document_fail (HlDocument *self, const char *summary, const GError *error);
void hl_document_set_status (HlDocument *self, char *status);

/** hl_document_touch: something that a session keeps is not as it was saved. */
void hl_document_touch (HlDocument *self);

/** hl_document_drop_trace: and what is known of it; tells nobody. */
void hl_document_drop_trace (HlDocument *self);

/** hl_document_take_trace: shows @trace; forgets what was known of the one before. */
void hl_document_take_trace (HlDocument *self, HlTrace *trace, gboolean keep_selection);
void hl_document_summarise (HlDocument *self);

/** hl_document_show_trace: makes what is shown of the trace, in tokens or words; tells
 * nobody. */
void hl_document_show_trace (HlDocument *self);

/** hl_document_follow_words: the view changed from tokens to words or back: what is
 * chosen is called by its new names. */
void hl_document_follow_words (HlDocument *self);

/** hl_document_restart: cancels what runs and forgets a text that is being generated;
 * returns the new generation. */
guint hl_document_restart (HlDocument *self);

G_END_DECLS
