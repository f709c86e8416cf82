/* SPDX-License-Identifier: MIT
 * The engine: one thread that owns the backend and everything that runs on it, with four
 * queues. What a person is looking at goes before its refinement, that before runs and
 * files, and those before analyses that may take minutes; each gives way to the ones
 * before between its steps. A second instance without a
 * backend is the io thread. */
#pragma once

#include "backend/hl-backend-list.h"
#include "base/hl-progress.h"
#include "trace/hl-attention-source.h"

G_BEGIN_DECLS

#define HL_TYPE_ENGINE (hl_engine_get_type ())
G_DECLARE_FINAL_TYPE (HlEngine, hl_engine, HL, ENGINE, GObject)

typedef enum
{
  HL_JOB_FOREGROUND, /* somebody waits and looks: tiles, rows */
  HL_JOB_REFINE,     /* somebody looks and has an estimate meanwhile */
  HL_JOB_BACKGROUND, /* runs, files: may take its time */
  HL_JOB_ANALYSIS,   /* many runs: whoever opens another input does not wait for it */
  HL_N_JOB_KINDS,
} HlJobKind;

/**
 * HlJobFunc:
 * @backend: (nullable): the engine's, NULL on the io thread
 * @progress: to be stepped at least every 100 ms
 * Runs on the engine's thread.
 * Returns: (transfer full): the result; NULL with @error set, or without for a job that
 *   gives nothing
 */
typedef gpointer (*HlJobFunc) (gpointer data,
                               HlBackend *backend,
                               const HlProgress *progress,
                               GError **error);

/** hl_engine_new: (transfer full): @name is the thread's; the thread starts at once, the
 * backend, which is the best there is, is opened on it when first needed. */
HlEngine *hl_engine_new (const char *name);

/** hl_engine_set_backend: @choice is copied; jobs that begin from now on run on it. Where
 * its device fails later the CPU takes its place. Thread: any. */
void hl_engine_set_backend (HlEngine *engine, const HlBackendChoice *choice);

/** hl_engine_get_backend: what the latest job ran on. Thread: any.
 * @precision: (out): "float32"
 * Returns: "cpu", "cuda"; "" before the first job */
const char *hl_engine_get_backend (HlEngine *engine, const char **precision);

/** hl_engine_new_io: (transfer full): a thread without a backend. */
HlEngine *hl_engine_new_io (void);

/**
 * hl_engine_submit:
 * @data: (transfer full): freed with @data_free (nullable) on the engine's thread before
 *   the callback; for a job that never ran where the engine is stopped
 * @result_free: (nullable): for a result that nobody took
 * @on_progress: (nullable): called on the submitting thread's main context, coalesced:
 *   only the latest figure is delivered
 * @callback: called on the submitting thread's main context; always, also when cancelled
 * Thread: any with a main context.
 */
void hl_engine_submit (HlEngine *engine,
                       HlJobKind kind,
                       HlJobFunc func,
                       gpointer data,
                       GDestroyNotify data_free,
                       GDestroyNotify result_free,
                       GCancellable *cancellable,
                       HlProgressFunc on_progress,
                       gpointer progress_data,
                       GAsyncReadyCallback callback,
                       gpointer user_data);

/** hl_engine_finish: (transfer full) (nullable): the job's result, or NULL with @error.
 */
gpointer hl_engine_finish (HlEngine *engine, GAsyncResult *result, GError **error);

/** hl_engine_get_n_waiting: jobs that wait or run; thread: any. */
int hl_engine_get_n_waiting (HlEngine *engine);

/** hl_engine_stop: cancels nothing; lets the job in hand end, drops the rest (their
 * callbacks get G_IO_ERROR_CANCELLED) and joins the thread. Called by dispose too. */
void hl_engine_stop (HlEngine *engine);

/**
 * hl_engine_read_tile_async: the asynchronous face of an attention source.
 * @is_guess: the best that can be had at once; see hl_attention_source_guess_tile()
 * Foreground, but for slow tiles that have to be exact. Finish with hl_engine_finish(),
 * which gives an HlAttentionTile.
 */
void hl_engine_read_tile_async (HlEngine *engine,
                                HlAttentionSource *source,
                                HlHeadKey head,
                                int level,
                                int row,
                                int column,
                                gboolean is_guess,
                                GCancellable *cancellable,
                                GAsyncReadyCallback callback,
                                gpointer user_data);

/**
 * hl_engine_read_lines_async: a row and a column at once.
 * @query, @key: -1 for neither
 * Finish with hl_engine_finish(), which gives an HlAttentionLines.
 */
void hl_engine_read_lines_async (HlEngine *engine,
                                 HlAttentionSource *source,
                                 HlHeadKey head,
                                 gint64 query,
                                 gint64 key,
                                 GCancellable *cancellable,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data);

/** HlAttentionLines: @row (n_keys) of the query, @column (n_queries) of the key; NULL
 * where it was not asked for. */
typedef struct
{
  gint64 n_keys;
  gint64 n_queries;
  float *row;
  float *column;
} HlAttentionLines;

void hl_attention_lines_free (HlAttentionLines *lines);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlAttentionLines, hl_attention_lines_free)

G_END_DECLS
