/* SPDX-License-Identifier: MIT
 * The whole map of a head, read on the engine's thread, or copied. */
#include "document/hl-map-loader.h"

#include "base/hl-error.h"

typedef struct
{
  HlAttentionSource *source;
  HlHeadKey head;
} Request;

static void
request_free (gpointer data)
{
  Request *request = data;
  hl_attention_source_unref (request->source);
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
  if (map == NULL
      || !hl_attention_source_read_rect (source, backend, head, 0, Tq, 0, Tk, map->data,
                                         cancellable, error))
    return NULL;
  return g_steal_pointer (&map);
}

static gpointer
map_job (gpointer data, HlBackend *backend, const HlProgress *progress, GError **error)
{
  const Request *r = data;
  return read_map (r->source, backend, r->head, progress->cancellable, error);
}

HlTensor *
hl_map_load_stored (HlAttentionSource *source, HlHeadKey head)
{
  return hl_attention_source_is_stored (source, head)
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
