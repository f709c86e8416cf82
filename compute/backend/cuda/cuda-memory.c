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

void
cuda_memory_trim (CudaMemory *memory)
{
  Block *block;
  g_mutex_lock (&memory->lock);
  while ((block = g_queue_pop_tail (&memory->idle)) != NULL)
    {
      memory->idle_bytes -= block->size_bytes;
      cudaFree (block->data);
      g_free (block);
    }
  g_mutex_unlock (&memory->lock);
}

static void
block_release (gpointer data)
{
  Block *block = data;
  CudaMemory *memory = block->memory;
  block->memory = NULL;
  g_mutex_lock (&memory->lock);
  memory->used_bytes -= block->size_bytes;
  if (memory->is_exact)
    {
      cudaFree (block->data);
      g_free (block);
    }
  else
    {
      g_queue_push_head (&memory->idle, block);
      memory->idle_bytes += block->size_bytes;
    }
  g_mutex_unlock (&memory->lock);
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
ask_driver (gsize size)
{
  gpointer data = NULL;
  if (cudaMalloc (&data, size) != cudaSuccess)
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
take (CudaMemory *memory, gsize size)
{
  g_mutex_lock (&memory->lock);
  Block *block = take_idle_locked (memory, size);
  gboolean fits = block != NULL || fits_locked (memory, size);
  g_mutex_unlock (&memory->lock);
  if (block == NULL && fits)
    block = ask_driver (size);
  if (block == NULL)
    {
      cuda_memory_trim (memory);
      g_mutex_lock (&memory->lock);
      fits = fits_locked (memory, size);
      g_mutex_unlock (&memory->lock);
      block = fits ? ask_driver (size) : NULL;
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
  g_autofree char *text = hl_shape_to_string (&shape);
  if (count < 0 || __builtin_mul_overflow ((gsize) count, hl_dtype_size (dtype), &size) ||
      size > G_MAXSSIZE / 2)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_SHAPE, "tensor of impossible shape %s",
                   text);
      return NULL;
    }
  size = rounded (memory, size);
  Block *block = take (memory, size);
  if (block == NULL)
    {
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
