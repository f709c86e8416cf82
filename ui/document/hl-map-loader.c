/* SPDX-License-Identifier: MIT
 * The whole map of a head, or sums of its lines, read on the engine's thread, or copied.
 */
#include "document/hl-map-loader.h"

#include "base/hl-error.h"
#include "trace/hl-word-trace.h"

typedef struct
{
  HlAttentionSource *source;
  HlHeadKey head;
  gint64 *tokens;
  guint n_tokens;
} Request;

static void
request_free (gpointer data)
{
  Request *request = data;
  hl_attention_source_unref (request->source);
  g_free (request->tokens);
  g_free (request);
}

static HlTensor *
read_map (HlAttentionSource *source,
          HlBackend *backend,
          HlHeadKey head,
          GCancellable *cancellable,
          GError **error)
{
  gint64 Tq = 0, Tk = 0;
  if (!hl_attention_source_get_size (source, head, &Tq, &Tk))
    {
      g_set_error (error, HL_ERROR, HL_ERROR_MISSING,
                   "head %d.%d: no attention in this trace", head.layer, head.head);
      return NULL;
    }
  g_autoptr (HlTensor) map = hl_tensor_new (HL_DTYPE_F32, HL_SHAPE (Tq, Tk), error);
  if (map == NULL || !hl_attention_source_read_rect (source, backend, head, 0, Tq, 0, Tk,
                                                     map->data, cancellable, error))
    return NULL;
  return g_steal_pointer (&map);
}

static gpointer
map_job (gpointer data, HlBackend *backend, const HlProgress *progress, GError **error)
{
  const Request *r = data;
  return read_map (r->source, backend, r->head, progress->cancellable, error);
}

/* Joining maps of more tokens than this takes longer than a frame has. */
#define QUICK_TOKENS 1024

static gboolean
is_quick_side (const HlWords *words)
{
  return words == NULL || words->n_tokens <= QUICK_TOKENS;
}

HlTensor *
hl_map_load_stored (HlAttentionSource *source, HlHeadKey head)
{
  const HlTrace *trace = hl_attention_source_get_trace (source);
  gboolean is_quick = is_quick_side (hl_trace_get_words (trace, head.stack)) &&
                      is_quick_side (hl_trace_get_key_words (trace, head.stack));
  return is_quick && hl_attention_source_is_stored (source, head)
             ? read_map (source, NULL, head, NULL, NULL)
             : NULL;
}

void
hl_map_load_async (HlEngine *engine,
                   HlAttentionSource *source,
                   HlHeadKey head,
                   GCancellable *cancellable,
                   GAsyncReadyCallback callback,
                   gpointer user_data)
{
  Request *request = g_new0 (Request, 1);
  request->source = hl_attention_source_ref (source);
  request->head = head;
  hl_engine_submit (engine, HL_JOB_FOREGROUND, map_job, request, request_free,
                    (GDestroyNotify) hl_tensor_unref, cancellable, NULL, NULL, callback,
                    user_data);
}

void
hl_line_sums_free (HlLineSums *sums)
{
  if (sums == NULL)
    return;
  g_free (sums->tokens);
  g_free (sums->to);
  g_free (sums->from);
  g_free (sums->rows);
  g_free (sums);
}

static void
add (float *sum, const float *line, gint64 n)
{
  for (gint64 i = 0; i < n; i++)
    sum[i] += line[i];
}

static gboolean
add_lines (const Request *r,
           HlBackend *backend,
           const HlProgress *progress,
           HlLineSums *sums,
           GError **error)
{
  g_autofree float *column = g_new (float, (gsize) MAX (sums->Tq, 1));
  for (guint i = 0; i < r->n_tokens; i++)
    {
      gint64 token = r->tokens[i];
      float *row = sums->rows + (gsize) i * (gsize) sums->Tk;
      gboolean is_query = token < sums->Tq, is_key = token < sums->Tk;
      if (!hl_progress_step (progress, (double) i / r->n_tokens, NULL, error) ||
          (is_query &&
           !hl_attention_source_read_row (r->source, backend, r->head, token, row,
                                          progress->cancellable, error)) ||
          (is_key &&
           !hl_attention_source_read_column (r->source, backend, r->head, token, column,
                                             progress->cancellable, error)))
        return FALSE;
      if (is_query)
        add (sums->to, row, sums->Tk);
      if (is_key)
        add (sums->from, column, sums->Tq);
    }
  return TRUE;
}

static gpointer
lines_job (gpointer data, HlBackend *backend, const HlProgress *progress, GError **error)
{
  const Request *r = data;
  g_autoptr (HlLineSums) sums = g_new0 (HlLineSums, 1);
  if (!hl_attention_source_get_size (r->source, r->head, &sums->Tq, &sums->Tk))
    {
      g_set_error (error, HL_ERROR, HL_ERROR_MISSING,
                   "head %d.%d: no attention in this trace", r->head.layer, r->head.head);
      return NULL;
    }
  sums->n_tokens = r->n_tokens;
  sums->tokens = g_memdup2 (r->tokens, sizeof (gint64) * r->n_tokens);
  sums->to = g_new0 (float, (gsize) MAX (sums->Tk, 1));
  sums->from = g_new0 (float, (gsize) MAX (sums->Tq, 1));
  sums->rows = g_try_new0 (float, (gsize) MAX (sums->Tk, 1) * MAX (r->n_tokens, 1));
  if (sums->rows == NULL)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_MEMORY, "out of memory for %u rows",
                   r->n_tokens);
      return NULL;
    }
  return add_lines (r, backend, progress, sums, error) ? g_steal_pointer (&sums) : NULL;
}

void
hl_lines_load_async (HlEngine *engine,
                     HlAttentionSource *source,
                     HlHeadKey head,
                     const gint64 *tokens,
                     guint n_tokens,
                     GCancellable *cancellable,
                     GAsyncReadyCallback callback,
                     gpointer user_data)
{
  Request *request = g_new0 (Request, 1);
  request->source = hl_attention_source_ref (source);
  request->head = head;
  request->tokens = g_memdup2 (tokens, sizeof (gint64) * n_tokens);
  request->n_tokens = n_tokens;
  hl_engine_submit (engine, HL_JOB_FOREGROUND, lines_job, request, request_free,
                    (GDestroyNotify) hl_line_sums_free, cancellable, NULL, NULL, callback,
                    user_data);
}
