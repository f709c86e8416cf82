/* SPDX-License-Identifier: MIT
 * Memory for ops' outputs, used again and again. */
#include "backend/cpu/cpu-memory.h"

#include "base/hl-error.h"

#include <stdlib.h>

/* Idle memory kept for the next op: a few layers' worth of a large vision model. */
#define KEEP_BYTES ((gsize) 192 << 20)
/* Smaller outputs come from the C library, which is quick for them. */
#define SMALL_BYTES ((gsize) 64 << 10)

typedef struct
{
  CpuMemory *memory;
  gpointer data;
  gsize size_bytes;
} Block;

struct _CpuMemory
{
  gatomicrefcount refs;
  GMutex lock; /* guards idle and idle_bytes */
  GQueue idle; /* of Block *, last used first */
  gsize idle_bytes;
};

CpuMemory *
cpu_memory_new (void)
{
  CpuMemory *memory = g_new0 (CpuMemory, 1);
  g_atomic_ref_count_init (&memory->refs);
  g_mutex_init (&memory->lock);
  g_queue_init (&memory->idle);
  return memory;
}

CpuMemory *
cpu_memory_ref (CpuMemory *memory)
{
  g_atomic_ref_count_inc (&memory->refs);
  return memory;
}

void
cpu_memory_unref (CpuMemory *memory)
{
  if (!g_atomic_ref_count_dec (&memory->refs))
    return;
  cpu_memory_trim (memory, 0);
  g_mutex_clear (&memory->lock);
  g_free (memory);
}

static void
block_free (Block *block)
{
  free (block->data);
  g_free (block);
}

void
cpu_memory_trim (CpuMemory *memory, gsize keep_bytes)
{
  g_mutex_lock (&memory->lock);
  while (memory->idle_bytes > keep_bytes)
    {
      Block *oldest = g_queue_pop_tail (&memory->idle);
      memory->idle_bytes -= oldest->size_bytes;
      block_free (oldest);
    }
  g_mutex_unlock (&memory->lock);
}

static void
block_release (gpointer data)
{
  Block *block = data;
  CpuMemory *memory = block->memory;
  block->memory = NULL;
  g_mutex_lock (&memory->lock);
  g_queue_push_head (&memory->idle, block);
  memory->idle_bytes += block->size_bytes;
  gboolean is_full = memory->idle_bytes > KEEP_BYTES;
  g_mutex_unlock (&memory->lock);
  if (is_full)
    cpu_memory_trim (memory, KEEP_BYTES);
  cpu_memory_unref (memory);
}

/* A block that is large enough and not more than a quarter too large. */
static Block *
take_idle (CpuMemory *memory, gsize size)
{
  Block *found = NULL;
  g_mutex_lock (&memory->lock);
  for (GList *l = memory->idle.head; l != NULL; l = l->next)
    {
      Block *block = l->data;
      if (block->size_bytes < size || block->size_bytes > size + size / 4)
        continue;
      found = block;
      memory->idle_bytes -= block->size_bytes;
      g_queue_delete_link (&memory->idle, l);
      break;
    }
  g_mutex_unlock (&memory->lock);
  return found;
}

HlTensor *
cpu_memory_alloc (CpuMemory *memory, HlDtype dtype, HlShape shape, GError **error)
{
  gint64 count = hl_shape_count (&shape);
  gsize size = count > 0 ? (gsize) count * hl_dtype_size (dtype) : 0;
  if (count < 0 || size < SMALL_BYTES || size > G_MAXSSIZE - 64)
    return hl_tensor_new (dtype, shape, error);
  size = (size + 63) & ~(gsize) 63;
  Block *block = take_idle (memory, size);
  if (block == NULL)
    {
      block = g_new0 (Block, 1);
      block->size_bytes = size;
      block->data = aligned_alloc (64, size);
      if (block->data == NULL)
        {
          g_free (block);
          cpu_memory_trim (memory, 0);
          return hl_tensor_new (dtype, shape, error);
        }
    }
  block->memory = cpu_memory_ref (memory);
  return hl_tensor_new_wrap (dtype, shape, block->data, block_release, block);
}
