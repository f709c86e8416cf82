/* SPDX-License-Identifier: MIT
 * The CPU backend's threads: a range of items is cut among them. */
#pragma once

#include "base/hl-progress.h"

G_BEGIN_DECLS

typedef struct _CpuPool CpuPool;

/** CpuPoolFunc: works on items @begin up to @end; @thread is 0..n_threads - 1. */
typedef void (*CpuPoolFunc) (gpointer data, gint64 begin, gint64 end, int thread);

CpuPool *cpu_pool_new (int n_threads);
void cpu_pool_free (CpuPool *pool);
int cpu_pool_n_threads (const CpuPool *pool);

/**
 * cpu_pool_run:
 * @grain: items handed out at a time; some 10-30 ms of work at most
 * The calling thread works too; returns when every item is done or @cancellable is
 * cancelled (then some items may be left undone).
 */
void cpu_pool_run (CpuPool *pool,
                   gint64 n_items,
                   gint64 grain,
                   CpuPoolFunc func,
                   gpointer data,
                   GCancellable *cancellable);

/**
 * cpu_pool_run_in_parts: the same for long work of which others may want the pool in
 * between.
 * @part: items between two pauses
 * @progress: (nullable): paused in, and looked at for cancelling
 */
void cpu_pool_run_in_parts (CpuPool *pool,
                            gint64 n_items,
                            gint64 grain,
                            gint64 part,
                            CpuPoolFunc func,
                            gpointer data,
                            const HlProgress *progress);

G_END_DECLS
