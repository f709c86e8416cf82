/* SPDX-License-Identifier: MIT
 * Memory of a CUDA device, used again and again. */
#include "backend/cuda/cuda-memory.h"

#include "base/hl-error.h"

/* What the driver rounds up to anyway; larger blocks are worth finding again. */
#define SMALL_STEP ((gsize) 512)
#define LARGE_BYTES ((gsize) 1 << 20)
#define LARGE_STEP ((gsize) 2 << 20)

typedef struct
{
  CudaMemory *memory; /* while a tensor has it */
  gpointer data;
  gsize size_bytes;
} Block;

CudaMemory *
cuda_memory_new (gsize budget_bytes, gboolean is_exact)
{
  CudaMemory *memory = g_new0 (CudaMemory, 1);
  g_atomic_ref_count_init (&memory->refs);
  g_mutex_init (&memory->lock);
  g_queue_init (&memory->idle);
  memory->budget_bytes = budget_bytes;
  memory->is_exact = is_exact;
  return memory;
}

CudaMemory *
cuda_memory_ref (CudaMemory *memory)
{
  g_atomic_ref_count_inc (&memory->refs);
  return memory;
}

void
cuda_memory_unref (CudaMemory *memory)
{
  if (memory == NULL || !g_atomic_ref_count_dec (&memory->refs))
    return;
  cuda_memory_trim (memory);
  g_mutex_clear (&memory->lock);
  g_free (memory);
}

static void
block_free (gpointer data)
{
  Block *block = data;
  if (cudaFree (block->data) != cudaSuccess)
    cudaGetLastError (); /* of a device that is lost */
  g_free (block);
}

/* The driver makes everything wait: the lock is not held meanwhile. */
void
cuda_memory_trim (CudaMemory *memory)
{
  g_mutex_lock (&memory->lock);
  GQueue idle = memory->idle;
  g_queue_init (&memory->idle);
  memory->idle_bytes = 0;
  g_mutex_unlock (&memory->lock);
  g_queue_clear_full (&idle, block_free);
}

void
cuda_memory_disown (CudaMemory *memory)
{
  g_mutex_lock (&memory->lock);
  memory->owner = NULL;
  g_mutex_unlock (&memory->lock);
  cuda_memory_trim (memory);
}

static void
block_release (gpointer data)
{
  Block *block = data;
  CudaMemory *memory = block->memory;
  block->memory = NULL;
  g_mutex_lock (&memory->lock);
  memory->used_bytes -= block->size_bytes;
  /* Behind the backend nobody would use it again. */
  gboolean is_kept = !memory->is_exact && memory->owner != NULL;
  if (is_kept)
    {
      g_queue_push_head (&memory->idle, block);
      memory->idle_bytes += block->size_bytes;
    }
  g_mutex_unlock (&memory->lock);
  if (!is_kept)
    block_free (block);
  cuda_memory_unref (memory);
}

/* A block that is large enough and not more than a quarter too large. */
static Block *
take_idle_locked (CudaMemory *memory, gsize size)
{
  for (GList *l = memory->idle.head; l != NULL; l = l->next)
    {
      Block *block = l->data;
      if (block->size_bytes < size || block->size_bytes > size + size / 4)
        continue;
      memory->idle_bytes -= block->size_bytes;
      g_queue_delete_link (&memory->idle, l);
      return block;
    }
  return NULL;
}

static Block *
ask_driver (gsize size, cudaError_t *code)
{
  gpointer data = NULL;
  *code = cudaMalloc (&data, size);
  if (*code != cudaSuccess)
    {
      cudaGetLastError (); /* said here, and nowhere else */
      return NULL;
    }
  Block *block = g_new0 (Block, 1);
  block->data = data;
  block->size_bytes = size;
  return block;
}

static gboolean
fits_locked (const CudaMemory *memory, gsize size)
{
  return size <= memory->budget_bytes &&
         memory->used_bytes + memory->idle_bytes <= memory->budget_bytes - size;
}

/* Idle blocks of other sizes are given up for a new one where they are in its way. */
static Block *
take (CudaMemory *memory, gsize size, cudaError_t *code)
{
  g_mutex_lock (&memory->lock);
  Block *block = take_idle_locked (memory, size);
  gboolean fits = block != NULL || fits_locked (memory, size);
  g_mutex_unlock (&memory->lock);
  if (block == NULL && fits)
    block = ask_driver (size, code);
  if (block == NULL && *code != cudaSuccess && *code != cudaErrorMemoryAllocation)
    return NULL;
  if (block == NULL)
    {
      cuda_memory_trim (memory);
      g_mutex_lock (&memory->lock);
      fits = fits_locked (memory, size);
      g_mutex_unlock (&memory->lock);
      block = fits ? ask_driver (size, code) : NULL;
    }
  return block;
}

static gsize
rounded (const CudaMemory *memory, gsize size)
{
  gsize step = size < LARGE_BYTES ? SMALL_STEP : LARGE_STEP;
  return memory->is_exact ? MAX (size, 1) : (MAX (size, 1) + step - 1) / step * step;
}

HlTensor *
cuda_memory_alloc (CudaMemory *memory, HlDtype dtype, HlShape shape, GError **error)
{
  gint64 count = hl_shape_count (&shape);
  gsize size = 0;
  cudaError_t code = cudaSuccess;
  if (count < 0 || __builtin_mul_overflow ((gsize) count, hl_dtype_size (dtype), &size) ||
      size > G_MAXSSIZE / 2)
    {
      g_autofree char *text = hl_shape_to_string (&shape);
      g_set_error (error, HL_ERROR, HL_ERROR_SHAPE, "tensor of impossible shape %s",
                   text);
      return NULL;
    }
  size = rounded (memory, size);
  Block *block = take (memory, size, &code);
  if (block == NULL && code != cudaSuccess && code != cudaErrorMemoryAllocation)
    {
      cuda_check (code, "an allocation", error);
      return NULL;
    }
  if (block == NULL)
    {
      g_autofree char *text = hl_shape_to_string (&shape);
      g_set_error (error, HL_ERROR, HL_ERROR_MEMORY,
                   "out of memory on the CUDA device: %.1f MB for a tensor of shape %s "
                   "needed, %.1f MB free",
                   (double) size / 1e6, text,
                   (double) cuda_memory_get_free (memory) / 1e6);
      return NULL;
    }
  block->memory = cuda_memory_ref (memory);
  g_mutex_lock (&memory->lock);
  memory->used_bytes += block->size_bytes;
  g_mutex_unlock (&memory->lock);
  return hl_tensor_new_in (dtype, shape, block->data, &memory->parent, block_release,
                           block);
}

gsize
cuda_memory_get_free (CudaMemory *memory)
{
  size_t free_bytes = 0, all = 0;
  if (cudaMemGetInfo (&free_bytes, &all) != cudaSuccess)
    cudaGetLastError ();
  g_mutex_lock (&memory->lock);
  gsize within = memory->budget_bytes - MIN (memory->used_bytes, memory->budget_bytes);
  gsize found = MIN (free_bytes + memory->idle_bytes, within);
  g_mutex_unlock (&memory->lock);
  return found;
}
