/* SPDX-License-Identifier: MIT
 * What the window shows: model, input, trace, what is known of its heads, the session and
 * the work in hand. No toolkit. Nothing here waits: work goes to the engine or the io
 * thread and comes back as a signal; a result that came too late is dropped.
 * Thread: main. */
#pragma once

#include "document/hl-head-notes.h"
#include "document/hl-selection.h"
#include "engine/hl-engine.h"
#include "model/hl-model-text.h"
#include "presenters/hl-present.h"
#include "session/hl-session.h"
#include "trace/hl-generate.h"

G_BEGIN_DECLS

#define HL_TYPE_DOCUMENT (hl_document_get_type ())
G_DECLARE_FINAL_TYPE (HlDocument, hl_document, HL, DOCUMENT, GObject)

/* Signals
 * "model-changed" (): another model, or none
 * "input-changed" (): another input, or none
 * "trace-changed" (): another trace, or none; the selection was reset before
 * "layer-ready" (int layer): its heads are summarised; -1 when the last one is
 * "view-changed" (): colours, range, what is left out
 * "busy-changed" (): work began, went on or ended
 * "session-changed" (): path, saved or not, notes
 * "scores-changed" (): what analyses know of heads, or that one began, went on or ended
 * "patterns-changed" (): a summary of patterns, where maps lie in it, or its training
 * "head-notes-changed" (): what is written of some head
 * "overview-changed" (): of the data set, or the input of it that is pointed at
 * "saliency-changed" (): what is known of it, or whose map stands beside it
 * "dataset-changed" (): another data set, or none
 * "token-generated" (): one more token of the text that is being generated
 * "failed" (char *summary, char *details): for a person */

HlDocument *hl_document_new (void);

HlSelection *hl_document_get_selection (HlDocument *self);
HlEngine *hl_document_get_engine (HlDocument *self);
/** hl_document_get_io: (transfer none): the thread for files. */
HlEngine *hl_document_get_io (HlDocument *self);

/** hl_document_open_model: a folder or a name that ships; then runs, if there is an
 * input. */
void hl_document_open_model (HlDocument *self, const char *path);

/** hl_document_open_input: a picture or a text file, as the model takes; then runs.
 * Before a model is there the path waits for one. */
void hl_document_open_input (HlDocument *self, const char *path);

/** hl_document_open_text: what was typed, for a model that takes text; then runs. Its
 * options are those of text files from then on. */
void
hl_document_open_text (HlDocument *self, const char *text, const HlTextOptions *options);
const HlTextOptions *hl_document_get_text_options (HlDocument *self);

/** hl_document_open_recording: the recording that is looked at, once more: another of its
 * windows, or with another language or task in @options; then runs. Nothing where the
 * input is no recording, or it is not known where it lay. */
void hl_document_open_recording (HlDocument *self,
                                 gint64 window,
                                 const HlTextOptions *options);

/** hl_document_generate: lets the model go on with the text; each token is told, and in
 * the end prompt and generated text are traced as one. A stop keeps what there is. */
void hl_document_generate (HlDocument *self, const HlGenerateOptions *options);
gboolean hl_document_can_generate (HlDocument *self);

/** hl_document_get_generated: (transfer none) (nullable): ids so far, and their
 * log-probabilities; only while generating. */
const gint32 *
hl_document_get_generated (HlDocument *self, guint *n, const double **log_probs);

/** hl_document_dup_generated_input: (transfer full) (nullable): prompt and generated
 * tokens so far. */
HlInput *hl_document_dup_generated_input (HlDocument *self);

/** hl_document_dup_generated_row: (transfer full) (nullable): what the row that emitted
 * the latest token attended to: (*@n) weights; free with g_free(). */
float *hl_document_dup_generated_row (HlDocument *self, HlHeadKey head, gint64 *n);

/** hl_document_run: traces model and input with the ablated heads. */
void hl_document_run (HlDocument *self);

/** hl_document_stop: cancels the work in hand; what is known stays. */
void hl_document_stop (HlDocument *self);

void hl_document_open_session (HlDocument *self, const char *path);
void hl_document_save (HlDocument *self, const char *path);

/** hl_document_can_run: there is a model (or a path to one) and an input. */
gboolean hl_document_can_run (HlDocument *self);

/** hl_document_is_busy: loads, runs, summarises or saves. */
gboolean hl_document_is_busy (HlDocument *self);
/** hl_document_get_busy: @fraction 0..1; @what in words. (transfer none) */
const char *hl_document_get_busy (HlDocument *self, double *fraction);
/** hl_document_get_status: what was done last, in words. (transfer none) */
const char *hl_document_get_status (HlDocument *self);
/** hl_document_get_backend: (transfer none): in words; "" until it is open. */
const char *hl_document_get_backend (HlDocument *self);

/** hl_document_list_backends: asks what could compute here; finish gives (transfer full)
 * (element-type HlBackendStatus) (nullable): NULL when the document went. */
void hl_document_list_backends (HlDocument *self,
                                GAsyncReadyCallback callback,
                                gpointer user_data);
GPtrArray *hl_document_list_backends_finish (GObject *source, GAsyncResult *result);

/** hl_document_set_backend: as in HlBackendChoice; where it cannot be used the CPU takes
 * its place. What is shown is run again on it. */
void hl_document_set_backend (HlDocument *self, const char *id, const char *precision);

/** hl_document_get_model_info: (nullable): of the model, or of the trace's. */
const HlModelInfo *hl_document_get_model_info (HlDocument *self);
/** hl_document_get_model: (transfer none) (nullable) */
HlModel *hl_document_get_model (HlDocument *self);
/** hl_document_has_model: weights are at hand, not only a trace. */
gboolean hl_document_has_model (HlDocument *self);
HlInput *hl_document_get_input (HlDocument *self);
/** hl_document_get_trace: (nullable): as it is shown: in words where the view is by
 * words; its hash and what was run are the same in both. */
HlTrace *hl_document_get_trace (HlDocument *self);
/** hl_document_get_baseline: (nullable): the latest trace of the same model and input
 * without interventions, to compare with; as it is shown. */
HlTrace *hl_document_get_baseline (HlDocument *self);
/** hl_document_get_stack: the one that is looked at. */
int hl_document_get_stack (HlDocument *self);
/** hl_document_get_scored_head: of the first stack, which scores and patterns are of: the
 * selected one, or 0.0 while another stack is looked at. */
HlHeadKey hl_document_get_scored_head (HlDocument *self);
/** hl_document_get_tokens, _get_key_tokens: (nullable): queries and keys of its maps. */
const HlTokenTable *hl_document_get_tokens (HlDocument *self);
const HlTokenTable *hl_document_get_key_tokens (HlDocument *self);
/** hl_document_get_summary: (nullable): of that stack. */
HlTraceSummary *hl_document_get_summary (HlDocument *self);
HlAttentionSource *hl_document_get_source (HlDocument *self);

/** hl_document_save_mask, _load_mask: the ablated heads, as a file (hl-head-mask.h). */
void hl_document_save_mask (HlDocument *self, const char *path);
void hl_document_load_mask (HlDocument *self, const char *path);

const HlViewOptions *hl_document_get_view (HlDocument *self);
void hl_document_set_view (HlDocument *self, const HlViewOptions *view);

/** hl_document_set_page: the page of the window that is in sight, which a session keeps.
 * hl_document_take_page: (transfer full) (nullable): that of the session that was just
 * opened; once. */
void hl_document_set_page (HlDocument *self, const char *page);
char *hl_document_take_page (HlDocument *self);

const char *hl_document_get_notes (HlDocument *self);
void hl_document_set_notes (HlDocument *self, const char *notes);
/** hl_document_get_head_notes: (transfer none): tags and notes on heads.
 * hl_document_set_head_note: of the selected head (hl_head_notes_set()). */
const HlHeadNotes *hl_document_get_head_notes (HlDocument *self);
void hl_document_set_head_note (HlDocument *self, const char *tags, const char *text);

const char *hl_document_get_session_path (HlDocument *self);
gboolean hl_document_is_modified (HlDocument *self);
/** hl_document_has_work: something that a person wrote or waited for is not saved. */
gboolean hl_document_has_work (HlDocument *self);

G_END_DECLS

/* What analyses say has a header of its own. */
#include "document/hl-document-analyses.h"
#include "document/hl-document-saliency.h"
