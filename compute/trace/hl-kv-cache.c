/* SPDX-License-Identifier: MIT
 * Keys and values of earlier tokens. */
#include "trace/hl-kv-cache.h"

#include <string.h>

/* Room is made for this many tokens at first, and for half as many again as there are
 * when it is full. */
#define LEAST_TOKENS 64

/* @room: (B, capacity, Hkv, K), of which the first @length tokens are filled. They never
 * change: views of them that a run holds stay right. */
typedef struct
{
  HlTensor *room;
  gint64 length;
} Kept;

struct _HlKvCache
{
  GHashTable *kept; /* ((stack * 2^20 + layer) * 2 + is_value) + 1 -> Kept */
  gint64 length;
};

static void
kept_free (gpointer data)
{
  Kept *kept = data;
  hl_tensor_unref (kept->room);
  g_free (kept);
}

HlKvCache *
hl_kv_cache_new (void)
{
  HlKvCache *cache = g_new0 (HlKvCache, 1);
  cache->kept = g_hash_table_new_full (NULL, NULL, NULL, kept_free);
  return cache;
}

void
hl_kv_cache_free (HlKvCache *cache)
{
  if (cache == NULL)
    return;
  g_hash_table_unref (cache->kept);
  g_free (cache);
}

gint64
hl_kv_cache_get_length (const HlKvCache *cache)
{
  return cache->length;
}

void
hl_kv_cache_advance (HlKvCache *cache, gint64 n_tokens)
{
  cache->length += n_tokens;
}

/* Copies @n tokens of every example to token @at of @room. */
static void
put (HlTensor *room, gint64 at, const HlTensor *from, gint64 n)
{
  gsize token = (gsize) room->stride[1] * hl_dtype_size (room->dtype);
  gsize example = token * (gsize) room->shape.dim[1];
  gsize step = (gsize) from->stride[0] * hl_dtype_size (room->dtype);
  for (gint64 b = 0; b < room->shape.dim[0]; b++)
    memcpy ((char *) room->data + (gsize) b * example + (gsize) at * token,
            (const char *) from->data + (gsize) b * step, (gsize) n * token);
}

/* Makes room for @n more tokens. */
static gboolean
reserve (Kept *kept, const HlTensor *added, gint64 n, GError **error)
{
  if (kept->room != NULL && kept->length + n <= kept->room->shape.dim[1])
    return TRUE;
  HlShape shape = added->shape; /* (B, T, Hkv, K) */
  gint64 length = kept->length;
  shape.dim[1] = MAX (length + n, MAX (length + length / 2, LEAST_TOKENS));
  HlTensor *room = hl_tensor_new (added->dtype, shape, error);
  if (room == NULL)
    return FALSE;
  if (kept->room != NULL)
    put (room, 0, kept->room, length);
  hl_tensor_unref (kept->room);
  kept->room = room;
  return TRUE;
}

static void
extend (HlKvCache *cache, HlExec *exec, gpointer key, HlTensor **x)
{
  g_autoptr (HlTensor) added = g_steal_pointer (x);
  if (added == NULL || !hl_exec_ok (exec))
    return;
  g_autoptr (HlTensor) plain = hl_tensor_convert (added, added->dtype, &exec->error);
  if (plain == NULL)
    return;
  Kept *kept = g_hash_table_lookup (cache->kept, key);
  if (kept == NULL)
    {
      kept = g_new0 (Kept, 1);
      g_hash_table_insert (cache->kept, key, kept);
    }
  HlShape shape = plain->shape; /* (B, T, Hkv, K) */
  if (!reserve (kept, plain, shape.dim[1], &exec->error))
    return;
  put (kept->room, kept->length, plain, shape.dim[1]);
  kept->length += shape.dim[1];
  shape.dim[1] = kept->length;
  *x = hl_tensor_view (kept->room, 0, shape, kept->room->stride);
}

void
hl_kv_cache_extend (
    HlKvCache *cache, HlExec *exec, int stack, int layer, HlTensor **k, HlTensor **v)
{
  gsize place = (((gsize) stack << 20) + (gsize) layer) * 2 + 1;
  extend (cache, exec, GSIZE_TO_POINTER (place), k);
  extend (cache, exec, GSIZE_TO_POINTER (place + 1), v);
}
