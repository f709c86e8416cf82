/* SPDX-License-Identifier: MIT
 * Which keys a query sees, and how a product becomes a score, on the device: what
 * ops/hl-seen.h is on the host. */
#pragma once

#include "backend/cuda/cuda-kernel.cuh"

/* @offset: position of the first query less that of the first key */
struct Seen
{
  float scale, cap;
  bool is_causal;
  gint64 offset, window;
};

static inline Seen
seen_of (const HlOpParams *p)
{
  Seen seen = { (float) p->scale, (float) p->soft_cap, p->is_causal != FALSE,
                p->query_start - p->key_start, p->window };
  return seen;
}

static __device__ __forceinline__ bool
sees (const Seen &seen, gint64 query, gint64 key)
{
  gint64 behind = query + seen.offset - key;
  return !(seen.is_causal && behind < 0) &&
         !(seen.window > 0 && (behind >= seen.window || behind <= -seen.window));
}

static __device__ __forceinline__ float
score_of (const Seen &seen, float product)
{
  float s = product * seen.scale;
  return seen.cap > 0 ? seen.cap * tanhf (s / seen.cap) : s;
}

static __device__ __forceinline__ int
within (gint64 x, int n)
{
  return x < 0 ? 0 : x > n ? n : (int) x;
}

/* Keys that one of @n_rows queries from @query on sees: the first, and behind the last.
 */
static __device__ __forceinline__ int
first_seen (const Seen &seen, gint64 query, int n_keys)
{
  return seen.window > 0 ? within (query + seen.offset - seen.window + 1, n_keys) : 0;
}

static __device__ __forceinline__ int
end_seen (const Seen &seen, gint64 query, int n_rows, int n_keys)
{
  gint64 last = query + n_rows - 1 + seen.offset;
  if (seen.is_causal)
    return within (last + 1, n_keys);
  return seen.window > 0 ? within (last + seen.window, n_keys) : n_keys;
}
