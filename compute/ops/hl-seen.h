/* SPDX-License-Identifier: MIT
 * Which keys a query sees: plain arithmetic that shape rules, costs and kernels share. */
#pragma once

#include "ops/hl-op.h"

G_BEGIN_DECLS

/** HlKeyRange: keys @first up to @end, which is not one of them. */
typedef struct
{
  gint64 first, end;
} HlKeyRange;

/** hl_keys_seen: of @n_keys keys those that query @row sees, by causal attention and by a
 * window (hl-op.h); none where @end is @first. */
static inline HlKeyRange
hl_keys_seen (const HlOpParams *p, gint64 row, gint64 n_keys)
{
  gint64 at = row + p->query_start - p->key_start;
  gint64 end = p->is_causal ? at + 1 : p->window > 0 ? at + p->window : n_keys;
  HlKeyRange r = { 0, CLAMP (end, 0, n_keys) };
  if (p->window > 0)
    r.first = CLAMP (at - p->window + 1, 0, r.end);
  return r;
}

/** hl_keys_seen_by: those that one of @n_rows queries from @row on sees. */
static inline HlKeyRange
hl_keys_seen_by (const HlOpParams *p, gint64 row, gint64 n_rows, gint64 n_keys)
{
  HlKeyRange first = hl_keys_seen (p, row, n_keys);
  HlKeyRange last = hl_keys_seen (p, row + MAX (n_rows, 1) - 1, n_keys);
  return (HlKeyRange){ MIN (first.first, last.end), last.end };
}

/** hl_sees_all: every query sees every key. */
static inline gboolean
hl_sees_all (const HlOpParams *p)
{
  return !p->is_causal && p->window <= 0;
}

/* Sum of first + i for i from 0 to @n - 1, each of them held within 0 and @most. */
static inline double
hl_sum_within (gint64 first, gint64 n, gint64 most)
{
  gint64 begin = CLAMP (-first, 0, n);         /* below are zeros */
  gint64 end = CLAMP (most - first, begin, n); /* from here on they are @most */
  double rising = (double) (end - begin) * ((double) (2 * first + begin + end - 1)) / 2;
  return rising + (double) (n - end) * (double) most;
}

/** hl_entries_seen: of a @Tq x @Tk map. */
static inline double
hl_entries_seen (const HlOpParams *p, gint64 Tq, gint64 Tk)
{
  gint64 at = p->query_start - p->key_start;
  gint64 end = p->is_causal ? at + 1 : at + p->window;
  if (hl_sees_all (p))
    return (double) Tq * (double) Tk;
  double n = hl_sum_within (end, Tq, Tk);
  return p->window > 0 ? n - hl_sum_within (at - p->window + 1, Tq, Tk) : n;
}

G_END_DECLS
