/* SPDX-License-Identifier: MIT
 * Squares of attention maps, pooled as they are made: an item of work is a row of cells,
 * or as many as BLOCK_ROWS queries have, and neither their entries nor the map are kept.
 */
#include "config.h"

#include "backend/cpu/cpu-kernels.h"
#include "ops/hl-seen.h"

#include <stdlib.h>

/* Entries that are made at a time: they and their keys stay in the second-level cache. */
#define BLOCK_ROWS 64
#define BLOCK_KEYS 1024

typedef struct
{
  const HlOpCall *call;
  gint64 Tq, Tk, columns, side;
  gint64 some; /* rows of cells in an item */
  real *room;  /* a thread: BLOCK_ROWS x BLOCK_KEYS entries */
  double *sum; /* a thread: (some, columns) */
} Pooled;

/* exp (s q·k - lse) of @n keys from @key on, for one row; zeros where it sees nothing. */
static void
weigh (const Pooled *w, real *row, gint64 query, gint64 key, gint64 n)
{
  const HlTensor *lse = w->call->in[2];
  real shift = ((const real *) lse->data)[query * lse->stride[0]];
  HlKeyRange seen = hl_keys_seen (&w->call->params, query, w->Tk);
  gint64 first = CLAMP (seen.first - key, 0, n), end = CLAMP (seen.end - key, first, n);
  real cap = (real) w->call->params.soft_cap;
  if (shift == -INFINITY)
    end = first;
  if (cap > 0)
#pragma omp simd
    for (gint64 j = first; j < end; j++)
      row[j] = cap * real_tanh (row[j] / cap);
#pragma omp simd
  for (gint64 j = first; j < end; j++)
    row[j] = real_exp (row[j] - shift);
  for (gint64 j = 0; j < first; j++)
    row[j] = 0;
  for (gint64 j = end; j < n; j++)
    row[j] = 0;
}

/* Entries of one row from @key on, which is the first of a cell, are added to the cells.
 */
static void
add_row (const Pooled *w, const real *row, gint64 key, gint64 n, double *sum, real *max)
{
  for (gint64 j = 0; j < n; j += w->side)
    {
      gint64 cell = (key + j) / w->side;
      for (gint64 i = j; i < MIN (j + w->side, n); i++)
        {
          sum[cell] += (double) row[i];
          max[cell] = row[i] > max[cell] ? row[i] : max[cell];
        }
    }
}

/* @n rows from @query on; @sum and @max are of the rows of cells from @first_row on. */
static void
add_block (const Pooled *w,
           gint64 query,
           gint64 n,
           gint64 first_row,
           real *room,
           double *sum,
           real *max)
{
  const HlTensor *q = w->call->in[0], *k = w->call->in[1];
  gint64 width = MAX (BLOCK_KEYS / w->side, 1) * w->side;
  gint64 room_keys = BLOCK_KEYS;
  HlKeyRange seen = hl_keys_seen_by (&w->call->params, query, n, w->Tk);
  /* Cells begin where cells begin, whatever is seen of them. */
  for (gint64 first = seen.first / width * width; first < seen.end; first += width)
    for (gint64 key = first; key < MIN (first + width, seen.end); key += room_keys)
      {
        gint64 n_keys = MIN (MIN (room_keys, first + width - key), seen.end - key);
        real_gemm (CblasRowMajor, CblasNoTrans, CblasTrans, (int) n, (int) n_keys,
                   (int) q->shape.dim[1], (real) w->call->params.scale,
                   (const real *) q->data + query * q->stride[0], (int) q->stride[0],
                   (const real *) k->data + key * k->stride[0], (int) k->stride[0], 0,
                   room, (int) n_keys);
        for (gint64 i = 0; i < n; i++)
          {
            weigh (w, room + i * n_keys, query + i, key, n_keys);
            gint64 at = ((query + i) / w->side - first_row) * w->columns;
            add_row (w, room + i * n_keys, key, n_keys, sum + at, max + at);
          }
      }
}

static void
pooled_items (gpointer data, gint64 begin, gint64 end, int thread)
{
  const Pooled *w = data;
  real *room = w->room + thread * BLOCK_ROWS * BLOCK_KEYS;
  double *sum = w->sum + thread * w->some * w->columns;
  for (gint64 item = begin; item < end; item++)
    {
      gint64 row = item * w->some, first = row * w->side;
      gint64 n = MIN (w->some, (w->Tq - first + w->side - 1) / w->side);
      gint64 last = MIN (first + n * w->side, w->Tq);
      real *mean = (real *) w->call->out[0]->data + row * w->columns;
      real *max = (real *) w->call->out[1]->data + row * w->columns;
      for (gint64 c = 0; c < n * w->columns; c++)
        sum[c] = max[c] = 0; /* weights are never below */
      for (gint64 i = first; i < last; i += BLOCK_ROWS)
        add_block (w, i, MIN (BLOCK_ROWS, last - i), row, room, sum, max);
      for (gint64 c = 0; c < n * w->columns; c++)
        {
          gint64 height = MIN (w->side, last - (first + c / w->columns * w->side));
          gint64 width = MIN (w->side, w->Tk - c % w->columns * w->side);
          mean[c] = (real) (sum[c] / (double) (width * height));
        }
    }
}

gboolean
K (attention_pooled) (const CpuContext *context, const HlOpCall *call, GError **error)
{
  gsize n_threads = (gsize) cpu_pool_n_threads (context->pool);
  Pooled w = { .call = call,
               .Tq = call->in[0]->shape.dim[0],
               .Tk = call->in[1]->shape.dim[0],
               .columns = call->out[0]->shape.dim[1],
               .side = (gint64) 1 << call->params.level };
  w.some = MAX (BLOCK_ROWS / w.side, 1);
  gint64 n_items = (call->out[0]->shape.dim[0] + w.some - 1) / w.some;
  w.room = malloc (n_threads * BLOCK_ROWS * BLOCK_KEYS * sizeof (real));
  w.sum = malloc (n_threads * (gsize) (w.some * MAX (w.columns, 1)) * sizeof (double));
  gboolean ok = w.room != NULL && w.sum != NULL;
  if (ok)
    cpu_pool_run_in_parts (context->pool, n_items, 1,
                           ((gint64) 1 << 22) / MAX (1, w.some * w.side * w.Tk) + 1,
                           pooled_items, &w, context->progress);
  else
    g_set_error_literal (error, HL_ERROR, HL_ERROR_MEMORY, "out of memory for a tile");
  free (w.room);
  free (w.sum);
  return ok;
}
