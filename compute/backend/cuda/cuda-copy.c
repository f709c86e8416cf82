/* SPDX-License-Identifier: MIT
 * Copies between a CUDA device and the host, through pinned memory. */
#include "backend/cuda/cuda-copy.h"

#include <string.h>

/* On their way to the host at once: who asks for more waits. */
#define WAITING_BYTES ((gsize) 1 << 30)
#define PIECE_BYTES ((gsize) 8 << 20)

/* Two pieces of pinned memory, and when each may be touched again. */
typedef struct
{
  gpointer piece[2];
  cudaEvent_t done[2];
} Staging;

typedef struct
{
  HlTensor *from, *out;
  cudaEvent_t ready;
} Job;

/* The thread: @jobs are its own; what stands below @lock is guarded by it. */
struct _CudaCopier
{
  cudaStream_t compute;
  Staging staging;
  cudaStream_t later;
  Staging staging_later;
  GThread *thread; /* started when it is first needed */
  GAsyncQueue *jobs;
  GMutex lock;
  GCond drained;
  int n_waiting;
  gsize waiting_bytes;
  cudaError_t failure;
};

static gboolean
staging_init (Staging *s, GError **error)
{
  for (int i = 0; i < 2; i++)
    if (!cuda_check (cudaHostAlloc (&s->piece[i], PIECE_BYTES, cudaHostAllocDefault),
                     "pinned memory", error) ||
        !cuda_check (cudaEventCreateWithFlags (&s->done[i], cudaEventDisableTiming),
                     "an event", error))
      return FALSE;
  return TRUE;
}

static void
staging_clear (Staging *s)
{
  for (int i = 0; i < 2; i++)
    {
      if (s->done[i] != NULL)
        cudaEventDestroy (s->done[i]);
      if (s->piece[i] != NULL)
        cudaFreeHost (s->piece[i]);
    }
}

CudaCopier *
cuda_copier_new (cudaStream_t compute, GError **error)
{
  CudaCopier *copier = g_new0 (CudaCopier, 1);
  copier->compute = compute;
  copier->jobs = g_async_queue_new ();
  g_mutex_init (&copier->lock);
  g_cond_init (&copier->drained);
  if (staging_init (&copier->staging, error) &&
      staging_init (&copier->staging_later, error) &&
      cuda_check (cudaStreamCreateWithFlags (&copier->later, cudaStreamNonBlocking),
                  "a stream", error))
    return copier;
  cuda_copier_free (copier);
  return NULL;
}

/* Ends the thread: its address is that of no job. */
static const Job over = { NULL, NULL, NULL };

void
cuda_copier_free (CudaCopier *copier)
{
  if (copier->thread != NULL)
    {
      g_async_queue_push (copier->jobs, (gpointer) &over);
      g_thread_join (copier->thread);
    }
  staging_clear (&copier->staging);
  staging_clear (&copier->staging_later);
  if (copier->later != NULL)
    cudaStreamDestroy (copier->later);
  g_async_queue_unref (copier->jobs);
  g_mutex_clear (&copier->lock);
  g_cond_clear (&copier->drained);
  g_free (copier);
}

gboolean
cuda_copier_send (
    CudaCopier *copier, gpointer to, gconstpointer from, gsize size, GError **error)
{
  Staging *s = &copier->staging;
  for (gsize at = 0, i = 0; at < size; at += PIECE_BYTES, i = 1 - i)
    {
      gsize n = MIN (PIECE_BYTES, size - at);
      if (!cuda_check (cudaEventSynchronize (s->done[i]), "a copy to it", error))
        return FALSE;
      memcpy (s->piece[i], (const char *) from + at, n);
      if (!cuda_check (cudaMemcpyAsync ((char *) to + at, s->piece[i], n,
                                        cudaMemcpyHostToDevice, copier->compute),
                       "a copy to it", error) ||
          !cuda_check (cudaEventRecord (s->done[i], copier->compute), "a copy to it",
                       error))
        return FALSE;
    }
  return TRUE;
}

/* Piece after piece: while one is converted the next one travels. */
static cudaError_t
fetch (Staging *s,
       cudaStream_t stream,
       HlDtype from_dtype,
       gconstpointer from,
       gint64 n,
       HlDtype dtype,
       gpointer out)
{
  gint64 size = (gint64) hl_dtype_size (from_dtype), step = PIECE_BYTES / size;
  gint64 n_pieces = (n + step - 1) / step;
  cudaError_t code = cudaEventSynchronize (s->done[0]);
  if (code == cudaSuccess)
    code = cudaEventSynchronize (s->done[1]);
  for (gint64 i = 0; i <= n_pieces && code == cudaSuccess; i++)
    {
      gint64 first = i * step, before = first - step;
      if (i < n_pieces)
        code = cudaMemcpyAsync (s->piece[i % 2], (const char *) from + first * size,
                                (gsize) (MIN (step, n - first) * size),
                                cudaMemcpyDeviceToHost, stream);
      if (i < n_pieces && code == cudaSuccess)
        code = cudaEventRecord (s->done[i % 2], stream);
      if (i == 0 || code != cudaSuccess)
        continue;
      code = cudaEventSynchronize (s->done[(i - 1) % 2]);
      if (code == cudaSuccess)
        hl_dtype_convert (from_dtype, s->piece[(i - 1) % 2],
                          (gsize) MIN (step, n - before), dtype,
                          (char *) out + before * (gint64) hl_dtype_size (dtype));
    }
  return code;
}

gboolean
cuda_copier_fetch (CudaCopier *copier,
                   HlDtype from_dtype,
                   gconstpointer from,
                   gint64 n,
                   HlDtype dtype,
                   gpointer out,
                   GError **error)
{
  return cuda_check (
      fetch (&copier->staging, copier->compute, from_dtype, from, n, dtype, out),
      "a copy from it", error);
}

/* ---- later ---------------------------------------------------------------------------
 */

static void
run_job (CudaCopier *copier, Job *job)
{
  cudaError_t code = cudaStreamWaitEvent (copier->later, job->ready, 0);
  if (code == cudaSuccess)
    code =
        fetch (&copier->staging_later, copier->later, job->from->dtype, job->from->data,
               hl_tensor_count (job->from), job->out->dtype, job->out->data);
  gsize bytes = hl_tensor_size_bytes (job->from);
  if (job->ready != NULL)
    cudaEventDestroy (job->ready);
  hl_tensor_unref (job->from);
  hl_tensor_unref (job->out);
  g_free (job);
  g_mutex_lock (&copier->lock);
  if (copier->failure == cudaSuccess)
    copier->failure = code;
  copier->n_waiting--;
  copier->waiting_bytes -= bytes;
  g_cond_signal (&copier->drained);
  g_mutex_unlock (&copier->lock);
}

static gpointer
copy_thread (gpointer data)
{
  CudaCopier *copier = data;
  Job *job;
  cudaSetDevice (0);
  while ((job = g_async_queue_pop (copier->jobs)) != &over)
    run_job (copier, job);
  return NULL;
}

void
cuda_copier_fetch_later (CudaCopier *copier, HlTensor *from, HlTensor *out)
{
  Job *job = g_new0 (Job, 1);
  job->from = hl_tensor_ref (from);
  job->out = hl_tensor_ref (out);
  cudaError_t code = cudaEventCreateWithFlags (&job->ready, cudaEventDisableTiming);
  if (code == cudaSuccess)
    code = cudaEventRecord (job->ready, copier->compute);
  g_mutex_lock (&copier->lock);
  while (copier->waiting_bytes > WAITING_BYTES)
    g_cond_wait (&copier->drained, &copier->lock);
  copier->n_waiting++;
  copier->waiting_bytes += hl_tensor_size_bytes (from);
  if (copier->failure == cudaSuccess)
    copier->failure = code;
  g_mutex_unlock (&copier->lock);
  if (copier->thread == NULL)
    copier->thread = g_thread_new ("cuda-copy", copy_thread, copier);
  g_async_queue_push (copier->jobs, job);
}

gboolean
cuda_copier_finish (CudaCopier *copier, GError **error)
{
  g_mutex_lock (&copier->lock);
  while (copier->n_waiting > 0)
    g_cond_wait (&copier->drained, &copier->lock);
  cudaError_t code = copier->failure;
  copier->failure = cudaSuccess;
  g_mutex_unlock (&copier->lock);
  return cuda_check (code, "a copy from it", error);
}
