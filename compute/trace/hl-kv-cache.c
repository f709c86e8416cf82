/* SPDX-License-Identifier: MIT
 * Keys and values of earlier tokens. */
#include "trace/hl-kv-cache.h"

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
  HlTensor *memory;
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
  hl_tensor_unref (cache->memory);
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

/* Tokens @first up to @first + @n of (B, T, Hkv, K). */
static HlTensor *
tokens_of (HlTensor *x, gint64 first, gint64 n)
{
  HlShape shape = x->shape;
  shape.dim[1] = n;
  return hl_tensor_view (x, first * x->stride[1], shape, x->stride);
}

/* Copies the first @n tokens of every example to token @at of @room. */
static gboolean
put (HlBackend *backend,
     HlTensor *room,
     gint64 at,
     HlTensor *from,
     gint64 n,
     GError **error)
{
  g_autoptr (HlTensor) into = tokens_of (room, at, n);
  g_autoptr (HlTensor) taken = tokens_of (from, 0, n);
  return hl_backend_copy (backend, into, taken, error);
}

/* Makes room for @n more tokens. */
static gboolean
reserve (Kept *kept, HlBackend *backend, const HlTensor *added, gint64 n, GError **error)
{
  if (kept->room != NULL && kept->length + n <= kept->room->shape.dim[1])
    return TRUE;
  HlShape shape = added->shape; /* (B, T, Hkv, K) */
  gint64 length = kept->length;
  shape.dim[1] = MAX (length + n, MAX (length + length / 2, LEAST_TOKENS));
  g_autoptr (HlTensor) room = hl_backend_new_zeros (backend, shape, error);
  if (room == NULL ||
      (kept->room != NULL && !put (backend, room, 0, kept->room, length, error)))
    return FALSE;
  hl_tensor_unref (kept->room);
  kept->room = g_steal_pointer (&room);
  return TRUE;
}

static void
extend (HlKvCache *cache, HlExec *exec, gpointer key, HlTensor **x)
{
  g_autoptr (HlTensor) added = g_steal_pointer (x);
  if (added == NULL || !hl_exec_ok (exec))
    return;
  Kept *kept = g_hash_table_lookup (cache->kept, key);
  if (kept == NULL)
    {
      kept = g_new0 (Kept, 1);
      g_hash_table_insert (cache->kept, key, kept);
    }
  HlShape shape = added->shape; /* (B, T, Hkv, K) */
  if (!reserve (kept, exec->backend, added, shape.dim[1], &exec->error) ||
      !put (exec->backend, kept->room, kept->length, added, shape.dim[1], &exec->error))
    return;
  kept->length += shape.dim[1];
  shape.dim[1] = kept->length;
  *x = hl_tensor_view (kept->room, 0, shape, kept->room->stride);
}

static gsize
place_of (int stack, int layer)
{
  return (((gsize) stack << 20) + (gsize) layer) * 2 + 1;
}

void
hl_kv_cache_extend (
    HlKvCache *cache, HlExec *exec, int stack, int layer, HlTensor **k, HlTensor **v)
{
  gsize place = place_of (stack, layer);
  extend (cache, exec, GSIZE_TO_POINTER (place), k);
  extend (cache, exec, GSIZE_TO_POINTER (place + 1), v);
}

static void
put_all (HlKvCache *cache, gsize place, HlTensor *x)
{
  Kept *kept = g_new0 (Kept, 1);
  kept->room = hl_tensor_ref (x);
  kept->length = x->shape.dim[1];
  g_hash_table_insert (cache->kept, GSIZE_TO_POINTER (place), kept);
}

void
hl_kv_cache_put (HlKvCache *cache, int stack, int layer, HlTensor *k, HlTensor *v)
{
  gsize place = place_of (stack, layer);
  put_all (cache, place, k);
  put_all (cache, place + 1, v);
}

static HlTensor *
get (HlKvCache *cache, gsize place)
{
  const Kept *kept = g_hash_table_lookup (cache->kept, GSIZE_TO_POINTER (place));
  if (kept == NULL)
    return NULL;
  HlShape shape = kept->room->shape;
  shape.dim[1] = kept->length;
  return hl_tensor_view (kept->room, 0, shape, kept->room->stride);
}

gboolean
hl_kv_cache_get (HlKvCache *cache, int stack, int layer, HlTensor **k, HlTensor **v)
{
  gsize place = place_of (stack, layer);
  *k = get (cache, place);
  *v = *k != NULL ? get (cache, place + 1) : NULL;
  return *k != NULL;
}

HlTensor *
hl_kv_cache_get_memory (HlKvCache *cache)
{
  return cache->memory;
}

void
hl_kv_cache_set_memory (HlKvCache *cache, HlTensor *memory)
{
  g_clear_pointer (&cache->memory, hl_tensor_unref);
  cache->memory = hl_tensor_ref (memory);
}
