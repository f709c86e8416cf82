/* SPDX-License-Identifier: MIT
 * Keys and values of the tokens a run has already seen, layer by layer, so that the next
 * token costs one row and not the whole text again. It belongs to one generation and to
 * the backend's thread. */
#pragma once

#include "ops/hl-exec.h"

G_BEGIN_DECLS

typedef struct _HlKvCache HlKvCache;

HlKvCache *hl_kv_cache_new (void);
void hl_kv_cache_free (HlKvCache *cache);

/** hl_kv_cache_get_length: tokens whose keys and values every layer has. */
gint64 hl_kv_cache_get_length (const HlKvCache *cache);

/** hl_kv_cache_advance: after a whole pass over @n_tokens more. */
void hl_kv_cache_advance (HlKvCache *cache, gint64 n_tokens);

/**
 * hl_kv_cache_extend:
 * @k, @v: (inout): (B, T, Hkv, K) of the new tokens, with positions already in @k;
 *   replaced by those of all tokens so far. NULL after a failure
 */
void hl_kv_cache_extend (
    HlKvCache *cache, HlExec *exec, int stack, int layer, HlTensor **k, HlTensor **v);

/** hl_kv_cache_get: what is kept of a layer, for keys and values that do not grow; FALSE
 * where there is nothing yet. @k, @v: (transfer full). */
gboolean
hl_kv_cache_get (HlKvCache *cache, int stack, int layer, HlTensor **k, HlTensor **v);

/** hl_kv_cache_put: keys and values that do not grow, made elsewhere, for a layer that
 * has none yet; takes references. */
void hl_kv_cache_put (HlKvCache *cache, int stack, int layer, HlTensor *k, HlTensor *v);

/** hl_kv_cache_get_memory: (transfer none) (nullable): the encoder's features, once they
 * are made; hl_kv_cache_set_memory() takes a reference. */
HlTensor *hl_kv_cache_get_memory (HlKvCache *cache);
void hl_kv_cache_set_memory (HlKvCache *cache, HlTensor *memory);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlKvCache, hl_kv_cache_free)

G_END_DECLS
