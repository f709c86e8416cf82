/* SPDX-License-Identifier: MIT
 * Keys and values of earlier tokens. */
#include "trace/hl-kv-cache.h"

struct _HlKvCache
{
  GHashTable *tensors; /* ((stack * 2^20 + layer) * 2 + is_value) + 1 -> HlTensor */
  gint64 length;
};

HlKvCache *
hl_kv_cache_new (void)
{
  HlKvCache *cache = g_new0 (HlKvCache, 1);
  cache->tensors
      = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) hl_tensor_unref);
  return cache;
}

void
hl_kv_cache_free (HlKvCache *cache)
{
  if (cache == NULL)
    return;
  g_hash_table_unref (cache->tensors);
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

static void
extend (HlKvCache *cache, HlExec *exec, gpointer key, HlTensor **x)
{
  g_autoptr (HlTensor) added = g_steal_pointer (x);
  if (added == NULL || !hl_exec_ok (exec))
    return;
  g_autoptr (HlTensor) plain = hl_tensor_convert (added, added->dtype, &exec->error);
  if (plain == NULL)
    return;
  HlShape shape = plain->shape; /* (B, T, Hkv, K) */
  HlTensor *before = g_hash_table_lookup (cache->tensors, key);
  g_autoptr (HlTensor) all = NULL;
  if (before != NULL)
    {
      g_autoptr (HlTensor) first = hl_join_heads (exec, before);
      g_autoptr (HlTensor) second = hl_join_heads (exec, plain);
      g_autoptr (HlTensor) joined = hl_concat (exec, first, second);
      if (joined == NULL)
        return;
      shape.dim[1] = joined->shape.dim[1];
      all = hl_tensor_view (joined, 0, shape, NULL);
    }
  else
    all = g_steal_pointer (&plain);
  g_hash_table_replace (cache->tensors, key, hl_tensor_ref (all));
  *x = g_steal_pointer (&all);
}

void
hl_kv_cache_extend (HlKvCache *cache,
                    HlExec *exec,
                    int stack,
                    int layer,
                    HlTensor **k,
                    HlTensor **v)
{
  gsize place = (((gsize) stack << 20) + (gsize) layer) * 2 + 1;
  extend (cache, exec, GSIZE_TO_POINTER (place), k);
  extend (cache, exec, GSIZE_TO_POINTER (place + 1), v);
}
