/* SPDX-License-Identifier: MIT
 * Attention, apart (scores, mix) and in one piece without T x T memory. The work is cut
 * by example, head and block of query rows; what causal attention forbids to all rows of
 * a block is not computed.
 *
 * The fused form goes over the keys in tiles and keeps each row's largest score and sum
 * of exponentials so far (Milakov and Gimelshein, arXiv 1805.02867, algorithm 3). One
 * head of 4,096 causal tokens, K = 64, on one core of a Zen 4, least of four: whole rows
 * of the whole rectangle 81.5 ms; of what is seen, 64 rows at a time 38.4, 128 rows 35.9;
 * in tiles of 128 x 512 33.4, 128 x 256 33.0, 256 x 512 33.1, 128 x 1024 35.4. */
#include "config.h"

#include "backend/cpu/cpu-kernels.h"
#include "ops/hl-seen.h"

#include <stdlib.h>
#include <string.h>

/* Rows of queries and keys in one tile: scores, keys and values of it stay in the
 * second-level cache. */
#define TILE_ROWS 128
#define TILE_KEYS 512
/* Rows of queries in one piece of work where scores or maps are kept: fewer where causal
 * attention makes each block of rows wider than the one before. */
#define APART_ROWS 512
#define CAUSAL_ROWS 128
/* 30 ms or less of one core's work, between two pauses. */
#define SLICE_FLOPS 2e9

typedef struct
{
  const HlOpCall *call;
  gint64 H, Tq, Tk, Kw; /* Kw: head width */
  gint64 block, n_blocks;
  gint64 first; /* piece of the slice in hand */
  real scale;
  real *scratch; /* (threads, TILE_ROWS, TILE_KEYS) */
} Work;

typedef struct
{
  gint64 b, h, row, n_rows;
} Piece;

static Piece
piece_at (const Work *w, gint64 item)
{
  item += w->first;
  /* Later rows see more: with them first, the threads end at about the same time. */
  Piece p = { .row = (w->n_blocks - 1 - item % w->n_blocks) * w->block };
  p.h = item / w->n_blocks % w->H;
  p.b = item / w->n_blocks / w->H;
  p.n_rows = MIN (w->block, w->Tq - p.row);
  return p;
}

/* Sets what may not be seen to -inf; @out has the scores of @keys alone. */
static void
forbid (real *out,
        gint64 n_rows,
        gint64 first_row,
        gint64 Tk,
        HlKeyRange keys,
        const HlOpParams *params)
{
  gint64 n = keys.end - keys.first;
  for (gint64 i = 0; i < n_rows && !hl_sees_all (params); i++)
    {
      HlKeyRange seen = hl_keys_seen (params, first_row + i, Tk);
      gint64 first = CLAMP (seen.first - keys.first, 0, n);
      gint64 end = CLAMP (seen.end - keys.first, first, n);
      for (gint64 j = 0; j < first; j++)
        out[i * n + j] = -INFINITY;
      for (gint64 j = end; j < n; j++)
        out[i * n + j] = -INFINITY;
    }
}

/* s becomes c tanh (s / c). */
static void
cap_scores (real *out, gint64 n_rows, gint64 n, gint64 stride, double soft_cap)
{
  real cap = (real) soft_cap;
  for (gint64 i = 0; i < n_rows && soft_cap > 0; i++)
    {
      real *row = out + i * stride;
#pragma omp simd
      for (gint64 j = 0; j < n; j++)
        row[j] = cap * real_tanh (row[j] / cap);
    }
}

/* Scores of a piece's rows with @n keys from @key on, into rows of @stride numbers. */
static void
score_block (
    const Work *w, const Piece *p, gint64 key, gint64 n, real *out, gint64 stride)
{
  const HlTensor *q = w->call->in[0], *k = w->call->in[1];
  const real *rows = matrix_at (q, p->b, p->h, w->H) + p->row * q->stride[2];
  const real *keys = matrix_at (k, p->b, p->h, w->H) + key * k->stride[2];
  if (n == 0)
    return;
  if (p->n_rows == 1) /* a product would copy all keys first */
    real_gemv (CblasRowMajor, CblasNoTrans, (int) n, (int) w->Kw, w->scale, keys,
               (int) k->stride[2], rows, 1, 0, out, 1);
  else
    real_gemm (CblasRowMajor, CblasNoTrans, CblasTrans, (int) p->n_rows, (int) n,
               (int) w->Kw, w->scale, rows, (int) q->stride[2], keys, (int) k->stride[2],
               0, out, (int) stride);
  cap_scores (out, p->n_rows, n, stride, w->call->params.soft_cap);
}

static real *
mixed_at (const Work *w, const Piece *p)
{
  const HlTensor *z = w->call->out[0]; /* (B, Tq, H, K) */
  return (real *) z->data + ((p->b * w->Tq + p->row) * w->H + p->h) * z->shape.dim[3];
}

/* z[b, row.., h, :] = weights v, of @n keys from @key on; @adds to what is there. */
static void
mix_block (const Work *w,
           const Piece *p,
           gint64 key,
           gint64 n,
           const real *weights,
           gint64 stride,
           const HlTensor *v,
           gboolean adds)
{
  gint64 Kv = v->shape.dim[3];
  const real *values = matrix_at (v, p->b, p->h, w->H) + key * v->stride[2];
  if (p->n_rows == 1 && n > 0) /* of nothing a product makes zeros, this does not */
    real_gemv (CblasRowMajor, CblasTrans, (int) n, (int) Kv, 1, values,
               (int) v->stride[2], weights, 1, adds, mixed_at (w, p), 1);
  else
    real_gemm (CblasRowMajor, CblasNoTrans, CblasNoTrans, (int) p->n_rows, (int) Kv,
               (int) n, 1, weights, (int) stride, values, (int) v->stride[2], adds,
               mixed_at (w, p), (int) (w->H * Kv));
}

/* Multiplies row @i of what is mixed so far. */
static void
scale_mixed (const Work *w, const Piece *p, gint64 i, real factor)
{
  gint64 Kv = w->call->out[0]->shape.dim[3];
  real *row = mixed_at (w, p) + i * w->H * Kv;
  for (gint64 d = 0; d < Kv; d++)
    row[d] *= factor;
}

static void
clear_mixed (const Work *w, const Piece *p)
{
  gint64 Kv = w->call->out[0]->shape.dim[3];
  for (gint64 i = 0; i < p->n_rows; i++)
    memset (mixed_at (w, p) + i * w->H * Kv, 0, sizeof (real) * (gsize) Kv);
}

static void
score_items (gpointer data, gint64 begin, gint64 end, int thread)
{
  const Work *w = data;
  const HlOpParams *params = &w->call->params;
  for (gint64 i = begin; i < end; i++)
    {
      Piece p = piece_at (w, i);
      real *out =
          (real *) w->call->out[0]->data + ((p.b * w->H + p.h) * w->Tq + p.row) * w->Tk;
      HlKeyRange seen = hl_keys_seen_by (params, p.row, p.n_rows, w->Tk);
      score_block (w, &p, seen.first, seen.end - seen.first, out + seen.first, w->Tk);
      forbid (out, p.n_rows, p.row, w->Tk, (HlKeyRange){ 0, w->Tk }, params);
    }
}

static void
mix_items (gpointer data, gint64 begin, gint64 end, int thread)
{
  const Work *w = data;
  const HlTensor *a = w->call->in[0];
  for (gint64 i = begin; i < end; i++)
    {
      Piece p = piece_at (w, i);
      HlKeyRange seen = hl_keys_seen_by (&w->call->params, p.row, p.n_rows, w->Tk);
      mix_block (w, &p, seen.first, seen.end - seen.first,
                 matrix_at (a, p.b, p.h, w->H) + p.row * w->Tk + seen.first, w->Tk,
                 w->call->in[1], FALSE);
    }
}

/* Of one row so far. */
typedef struct
{
  real max;
  double sum;
} Sofar;

/* exp (score - max) of the @n first of a row's @stride scores, zeros behind them.
 * Returns: by what has to be multiplied what was mixed before, since max has grown */
static real
add_exponentials (real *row, gint64 n, gint64 stride, Sofar *sofar)
{
  real max = sofar->max, factor = 1;
#pragma omp simd reduction(max : max)
  for (gint64 j = 0; j < n; j++)
    max = row[j] > max ? row[j] : max;
  if (max == -INFINITY) /* nothing is seen yet: zeros, not NaN */
    n = 0;
  if (max > sofar->max)
    factor = real_exp (sofar->max - max);
  double sum = 0;
#pragma omp simd
  for (gint64 j = 0; j < n; j++)
    row[j] = real_exp (row[j] - max);
#pragma omp simd reduction(+ : sum)
  for (gint64 j = 0; j < n; j++)
    sum += (double) row[j];
  memset (row + n, 0, sizeof (real) * (gsize) (stride - n));
  sofar->max = max;
  sofar->sum = sofar->sum * (double) factor + sum;
  return factor;
}

static void
fused_piece (const Work *w, const Piece *p, real *scores)
{
  const HlOpParams *params = &w->call->params;
  Sofar sofar[TILE_ROWS];
  real *lse = (real *) w->call->out[1]->data + (p->b * w->H + p->h) * w->Tq + p->row;
  HlKeyRange all = hl_keys_seen_by (params, p->row, p->n_rows, w->Tk);
  if (all.end == all.first)
    clear_mixed (w, p);
  for (gint64 i = 0; i < p->n_rows; i++)
    sofar[i] = (Sofar){ .max = -INFINITY };
  for (gint64 key = all.first; key < all.end; key += TILE_KEYS)
    {
      gint64 n = MIN (TILE_KEYS, all.end - key);
      score_block (w, p, key, n, scores, n);
      for (gint64 i = 0; i < p->n_rows; i++)
        {
          HlKeyRange seen = hl_keys_seen (params, p->row + i, w->Tk);
          for (gint64 j = key; j < MIN (seen.first, key + n); j++)
            scores[i * n + j - key] = -INFINITY;
          real factor = add_exponentials (scores + i * n, CLAMP (seen.end - key, 0, n), n,
                                          &sofar[i]);
          if (factor != 1 && key > all.first)
            scale_mixed (w, p, i, factor);
        }
      mix_block (w, p, key, n, scores, n, w->call->in[2], key > all.first);
    }
  for (gint64 i = 0; i < p->n_rows; i++)
    {
      gboolean is_blind = sofar[i].max == -INFINITY;
      lse[i] = is_blind ? -INFINITY : (real) ((double) sofar[i].max + log (sofar[i].sum));
      if (!is_blind)
        scale_mixed (w, p, i, (real) (1 / sofar[i].sum));
    }
}

static void
fused_items (gpointer data, gint64 begin, gint64 end, int thread)
{
  const Work *w = data;
  real *scores = w->scratch + (gint64) thread * TILE_ROWS * TILE_KEYS;
  for (gint64 i = begin; i < end; i++)
    {
      Piece p = piece_at (w, i);
      fused_piece (w, &p, scores);
    }
}

static Work
work_of (const HlOpCall *call, gint64 block)
{
  const HlTensor *q = call->in[0];
  Work w = { .call = call,
             .H = q->shape.dim[1],
             .Tq = q->shape.dim[2],
             .Kw = q->shape.dim[3],
             .block = block,
             .scale = (real) call->params.scale };
  w.n_blocks = (w.Tq + block - 1) / block;
  return w;
}

/* Of one product of one piece, with heads of this @width; causal ones have half as a
 * rule. */
static double
flops_of (const Work *w, gint64 width)
{
  return 1 + 2.0 * (double) w->block * (double) w->Tk * (double) width;
}

/* Every piece, with a pause where there is much work: @flops is that of one piece. */
static void
run_pieces (const CpuContext *context, Work *w, double flops, CpuPoolFunc func)
{
  gint64 n = w->call->out[0]->shape.dim[0] * w->H * w->n_blocks;
  int n_threads = cpu_pool_n_threads (context->pool);
  gint64 slice = MAX (1, (gint64) (SLICE_FLOPS / flops)) * n_threads;
  for (w->first = 0; w->first < n; w->first += slice)
    {
      if (w->first > 0 && !hl_progress_pause (context->progress))
        return;
      cpu_pool_run (context->pool, MIN (slice, n - w->first), 1, func, w,
                    context->cancellable);
    }
}

static gint64
rows_apart (const HlOpCall *call)
{
  return hl_sees_all (&call->params) ? APART_ROWS : CAUSAL_ROWS;
}

gboolean
K (scores) (const CpuContext *context, const HlOpCall *call, GError **error)
{
  Work w = work_of (call, rows_apart (call));
  w.Tk = call->in[1]->shape.dim[2];
  if (w.Tk > 0)
    run_pieces (context, &w, flops_of (&w, w.Kw), score_items);
  return TRUE;
}

gboolean
K (mix) (const CpuContext *context, const HlOpCall *call, GError **error)
{
  Work w = work_of (call, rows_apart (call));
  w.Tk = w.Kw; /* the maps' last dimension is the keys */
  run_pieces (context, &w, flops_of (&w, call->in[1]->shape.dim[3]), mix_items);
  return TRUE;
}

gboolean
K (attention) (const CpuContext *context, const HlOpCall *call, GError **error)
{
  Work w = work_of (call, TILE_ROWS);
  w.Tk = call->in[1]->shape.dim[2];
  gsize n_threads = (gsize) cpu_pool_n_threads (context->pool);
  gsize size = sizeof (real) * n_threads * TILE_ROWS * TILE_KEYS;
  w.scratch = aligned_alloc (64, size);
  if (w.scratch == NULL)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_MEMORY,
                   "attention: out of memory for %.1f MB of scores", (double) size / 1e6);
      return FALSE;
    }
  run_pieces (context, &w, 2 * flops_of (&w, w.Kw), fused_items);
  free (w.scratch);
  return TRUE;
}

static void
rect_rows (gpointer data, gint64 begin, gint64 end, int thread)
{
  const HlOpCall *call = data;
  const HlTensor *q = call->in[0], *k = call->in[1];
  gint64 Tk = k->shape.dim[0];
  real *out = (real *) call->out[0]->data + begin * Tk;
  const real *lse = call->in[2]->data;
  real_gemm (CblasRowMajor, CblasNoTrans, CblasTrans, (int) (end - begin), (int) Tk,
             (int) q->shape.dim[1], (real) call->params.scale,
             (const real *) q->data + begin * q->stride[0], (int) q->stride[0], k->data,
             (int) k->stride[0], 0, out, (int) Tk);
  cap_scores (out, end - begin, Tk, Tk, call->params.soft_cap);
  forbid (out, end - begin, begin, Tk, (HlKeyRange){ 0, Tk }, &call->params);
  for (gint64 i = begin; i < end; i++, out += Tk)
    {
      real shift = lse[i * call->in[2]->stride[0]];
      if (shift == -INFINITY)
        {
          for (gint64 j = 0; j < Tk; j++)
            out[j] = 0;
          continue;
        }
#pragma omp simd
      for (gint64 j = 0; j < Tk; j++)
        out[j] = real_exp (out[j] - shift);
    }
}

gboolean
K (attention_rect) (const CpuContext *context, const HlOpCall *call, GError **error)
{
  gint64 Tq = call->in[0]->shape.dim[0];
  int n_threads = cpu_pool_n_threads (context->pool);
  if (call->in[1]->shape.dim[0] > 0)
    cpu_pool_run (context->pool, Tq, CLAMP ((Tq + n_threads - 1) / n_threads, 16, 128),
                  rect_rows, (gpointer) call, context->cancellable);
  return TRUE;
}
