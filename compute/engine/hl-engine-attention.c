/* SPDX-License-Identifier: MIT
 * The asynchronous face of an attention source: tiles, rows and columns as jobs. */
#include "engine/hl-engine.h"

typedef struct
{
  HlAttentionSource *source;
  HlHeadKey head;
  int level, row, column;
  gint64 query, key;
} Request;

static void
request_free (gpointer data)
{
  Request *request = data;
  hl_attention_source_unref (request->source);
  g_free (request);
}

static gpointer
tile_job (gpointer data, HlBackend *backend, const HlProgress *progress, GError **error)
{
  const Request *r = data;
  return hl_attention_source_read_tile (r->source, backend, r->head, r->level, r->row,
                                        r->column, progress, error);
}

static gpointer
guess_job (gpointer data, HlBackend *backend, const HlProgress *progress, GError **error)
{
  const Request *r = data;
  return hl_attention_source_guess_tile (r->source, backend, r->head, r->level, r->row,
                                         r->column, progress, error);
}

void
hl_engine_read_tile_async (HlEngine *engine,
                           HlAttentionSource *source,
                           HlHeadKey head,
                           int level,
                           int row,
                           int column,
                           gboolean is_guess,
                           GCancellable *cancellable,
                           GAsyncReadyCallback callback,
                           gpointer user_data)
{
  gboolean is_slow = !is_guess && hl_attention_source_is_slow (source, head, level);
  Request *request = g_new0 (Request, 1);
  *request = (Request){ .source = hl_attention_source_ref (source),
                        .head = head,
                        .level = level,
                        .row = row,
                        .column = column };
  hl_engine_submit (engine, is_slow ? HL_JOB_REFINE : HL_JOB_FOREGROUND,
                    is_guess ? guess_job : tile_job, request, request_free,
                    (GDestroyNotify) hl_attention_tile_free, cancellable, NULL, NULL,
                    callback, user_data);
}

void
hl_attention_lines_free (HlAttentionLines *lines)
{
  if (lines == NULL)
    return;
  g_free (lines->row);
  g_free (lines->column);
  g_free (lines);
}

static gpointer
lines_job (gpointer data, HlBackend *backend, const HlProgress *progress, GError **error)
{
  const Request *r = data;
  g_autoptr (HlAttentionLines) lines = g_new0 (HlAttentionLines, 1);
  gint64 Tq = 0, Tk = 0;
  hl_attention_source_get_size (r->source, r->head, &Tq, &Tk);
  lines->n_keys = Tk;
  lines->n_queries = Tq;
  if (r->query >= 0)
    {
      lines->row = g_new0 (float, (gsize) MAX (Tk, 1));
      if (!hl_attention_source_read_row (r->source, backend, r->head, r->query,
                                         lines->row, progress->cancellable, error))
        return NULL;
    }
  if (r->key >= 0)
    {
      lines->column = g_new0 (float, (gsize) MAX (Tq, 1));
      if (!hl_attention_source_read_column (r->source, backend, r->head, r->key,
                                            lines->column, progress->cancellable, error))
        return NULL;
    }
  return g_steal_pointer (&lines);
}

void
hl_engine_read_lines_async (HlEngine *engine,
                            HlAttentionSource *source,
                            HlHeadKey head,
                            gint64 query,
                            gint64 key,
                            GCancellable *cancellable,
                            GAsyncReadyCallback callback,
                            gpointer user_data)
{
  Request *request = g_new0 (Request, 1);
  *request = (Request){
    .source = hl_attention_source_ref (source), .head = head, .query = query, .key = key
  };
  hl_engine_submit (engine, HL_JOB_FOREGROUND, lines_job, request, request_free,
                    (GDestroyNotify) hl_attention_lines_free, cancellable, NULL, NULL,
                    callback, user_data);
}
