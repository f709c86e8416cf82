/* SPDX-License-Identifier: MIT
 * The CPU backend's threads. Items are handed out from one atomic counter, so a thread
 * that was slowed down by something else on the machine does less of them. */
#include "backend/cpu/cpu-pool.h"

typedef struct
{
  CpuPool *pool;
  int index;
} Worker;

struct _CpuPool
{
  GMutex lock; /* guards generation, n_busy, stop */
  GCond wake;
  GCond done;
  guint generation;
  int n_busy;
  gboolean stop;
  int n_threads;
  GThread **threads; /* n_threads - 1 */
  Worker *workers;
  /* The job in hand, written before the generation counts up. */
  CpuPoolFunc func;
  gpointer data;
  gint64 n_items;
  gint64 grain;
  gint64 next; /* atomic */
  GCancellable *cancellable;
};

static void
work (CpuPool *pool, int thread)
{
  while (!g_cancellable_is_cancelled (pool->cancellable))
    {
      gint64 begin = __atomic_fetch_add (&pool->next, pool->grain, __ATOMIC_RELAXED);
      if (begin >= pool->n_items)
        return;
      pool->func (pool->data, begin, MIN (begin + pool->grain, pool->n_items), thread);
    }
}

static gpointer
worker_main (gpointer data)
{
  Worker *worker = data;
  CpuPool *pool = worker->pool;
  guint seen = 0;
  g_mutex_lock (&pool->lock);
  while (TRUE)
    {
      while (pool->generation == seen && !pool->stop)
        g_cond_wait (&pool->wake, &pool->lock);
      if (pool->stop)
        break;
      seen = pool->generation;
      g_mutex_unlock (&pool->lock);
      work (pool, worker->index);
      g_mutex_lock (&pool->lock);
      if (--pool->n_busy == 0)
        g_cond_signal (&pool->done);
    }
  g_mutex_unlock (&pool->lock);
  return NULL;
}

CpuPool *
cpu_pool_new (int n_threads)
{
  CpuPool *pool = g_new0 (CpuPool, 1);
  g_mutex_init (&pool->lock);
  g_cond_init (&pool->wake);
  g_cond_init (&pool->done);
  pool->n_threads = MAX (n_threads, 1);
  pool->threads = g_new0 (GThread *, (gsize) pool->n_threads);
  pool->workers = g_new0 (Worker, (gsize) pool->n_threads);
  for (int i = 1; i < pool->n_threads; i++)
    {
      pool->workers[i] = (Worker){ pool, i };
      pool->threads[i] = g_thread_new ("cpu-pool", worker_main, &pool->workers[i]);
    }
  return pool;
}

void
cpu_pool_free (CpuPool *pool)
{
  g_mutex_lock (&pool->lock);
  pool->stop = TRUE;
  g_cond_broadcast (&pool->wake);
  g_mutex_unlock (&pool->lock);
  for (int i = 1; i < pool->n_threads; i++)
    g_thread_join (pool->threads[i]);
  g_mutex_clear (&pool->lock);
  g_cond_clear (&pool->wake);
  g_cond_clear (&pool->done);
  g_free (pool->threads);
  g_free (pool->workers);
  g_free (pool);
}

int
cpu_pool_n_threads (const CpuPool *pool)
{
  return pool->n_threads;
}

static void
run_range (CpuPool *pool,
           gint64 begin,
           gint64 end,
           gint64 grain,
           CpuPoolFunc func,
           gpointer data,
           GCancellable *cancellable)
{
  pool->func = func;
  pool->data = data;
  pool->n_items = end;
  pool->grain = MAX (grain, 1);
  pool->next = begin;
  pool->cancellable = cancellable;
  gboolean alone = pool->n_threads == 1 || end - begin <= pool->grain;
  if (!alone)
    {
      g_mutex_lock (&pool->lock);
      pool->n_busy = pool->n_threads - 1;
      pool->generation++;
      g_cond_broadcast (&pool->wake);
      g_mutex_unlock (&pool->lock);
    }
  work (pool, 0);
  if (alone)
    return;
  g_mutex_lock (&pool->lock);
  while (pool->n_busy > 0)
    g_cond_wait (&pool->done, &pool->lock);
  g_mutex_unlock (&pool->lock);
}

void
cpu_pool_run (CpuPool *pool,
              gint64 n_items,
              gint64 grain,
              CpuPoolFunc func,
              gpointer data,
              GCancellable *cancellable)
{
  run_range (pool, 0, n_items, grain, func, data, cancellable);
}

void
cpu_pool_run_in_parts (CpuPool *pool,
                       gint64 n_items,
                       gint64 grain,
                       gint64 part,
                       CpuPoolFunc func,
                       gpointer data,
                       const HlProgress *progress)
{
  GCancellable *cancellable = progress != NULL ? progress->cancellable : NULL;
  for (gint64 i = 0; i < n_items; i += part)
    {
      if (i > 0 && !hl_progress_pause (progress))
        return;
      run_range (pool, i, MIN (i + part, n_items), grain, func, data, cancellable);
    }
}
