/* SPDX-License-Identifier: MIT
 * Attention, apart (scores, mix) and in one piece without T x T memory. The work is cut
 * by example, head and block of query rows. */
#include "config.h"

#include "backend/cpu/cpu-kernels.h"

#include <stdlib.h>

/* Rows of queries in one piece of work: with 64 the scores of a block stay in the
 * second-level cache for a few thousand keys. */
#define FUSED_ROWS 64
#define APART_ROWS 512

typedef struct
{
  const HlOpCall *call;
  gint64 H, Tq, Tk, Kw; /* Kw: head width */
  gint64 block, n_blocks;
  real scale;
  real *scratch; /* (threads, FUSED_ROWS, Tk) */
} Work;

typedef struct
{
  gint64 b, h, row, n_rows;
} Piece;

static Piece
piece_at (const Work *w, gint64 item)
{
  Piece p = { .row = item % w->n_blocks * w->block };
  p.h = item / w->n_blocks % w->H;
  p.b = item / w->n_blocks / w->H;
  p.n_rows = MIN (w->block, w->Tq - p.row);
  return p;
}

/* Sets what causal forbids to -inf: key j + key_start > query i + query_start. */
static void
forbid (real *scores, gint64 n_rows, gint64 first_row, gint64 Tk, const HlOpParams *params)
{
  for (gint64 i = 0; i < n_rows; i++)
    {
      gint64 last = first_row + i + params->query_start - params->key_start;
      for (gint64 j = MAX (last + 1, 0); j < Tk; j++)
        scores[i * Tk + j] = -INFINITY;
    }
}

static void
score_block (const Work *w, const Piece *p, real *out)
{
  const HlTensor *q = w->call->in[0], *k = w->call->in[1];
  const real *rows = matrix_at (q, p->b, p->h, w->H) + p->row * q->stride[2];
  real_gemm (CblasRowMajor, CblasNoTrans, CblasTrans, (int) p->n_rows, (int) w->Tk,
             (int) w->Kw, w->scale, rows, (int) q->stride[2],
             matrix_at (k, p->b, p->h, w->H), (int) k->stride[2], 0, out, (int) w->Tk);
  if (w->call->params.is_causal)
    forbid (out, p->n_rows, p->row, w->Tk, &w->call->params);
}

/* z[b, row.., h, :] = weights v, into (B, Tq, H, K) */
static void
mix_block (const Work *w, const Piece *p, const real *weights, const HlTensor *v)
{
  HlTensor *z = w->call->out[0];
  gint64 Kv = v->shape.dim[3];
  real *out = (real *) z->data + ((p->b * w->Tq + p->row) * w->H + p->h) * Kv;
  real_gemm (CblasRowMajor, CblasNoTrans, CblasNoTrans, (int) p->n_rows, (int) Kv,
             (int) w->Tk, 1, weights, (int) w->Tk, matrix_at (v, p->b, p->h, w->H),
             (int) v->stride[2], 0, out, (int) (w->H * Kv));
}

static void
score_items (gpointer data, gint64 begin, gint64 end, int thread)
{
  const Work *w = data;
  for (gint64 i = begin; i < end; i++)
    {
      Piece p = piece_at (w, i);
      real *out = (real *) w->call->out[0]->data
                  + ((p.b * w->H + p.h) * w->Tq + p.row) * w->Tk;
      score_block (w, &p, out);
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
      mix_block (w, &p, matrix_at (a, p.b, p.h, w->H) + p.row * w->Tk, w->call->in[1]);
    }
}

static void
fused_items (gpointer data, gint64 begin, gint64 end, int thread)
{
  const Work *w = data;
  real *scores = w->scratch + (gint64) thread * FUSED_ROWS * w->Tk;
  for (gint64 i = begin; i < end; i++)
    {
      Piece p = piece_at (w, i);
      real *lse = (real *) w->call->out[1]->data + (p.b * w->H + p.h) * w->Tq + p.row;
      score_block (w, &p, scores);
      for (gint64 r = 0; r < p.n_rows; r++)
        lse[r] = K (softmax_row) (scores + r * w->Tk, w->Tk);
      mix_block (w, &p, scores, w->call->in[2]);
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

gboolean
K (scores) (const CpuContext *context, const HlOpCall *call, GError **error)
{
  Work w = work_of (call, APART_ROWS);
  w.Tk = call->in[1]->shape.dim[2];
  gint64 B = call->out[0]->shape.dim[0];
  if (w.Tk > 0)
    cpu_pool_run (context->pool, B * w.H * w.n_blocks, 1, score_items, &w,
                  context->cancellable);
  return TRUE;
}

gboolean
K (mix) (const CpuContext *context, const HlOpCall *call, GError **error)
{
  Work w = work_of (call, APART_ROWS);
  w.Tk = w.Kw; /* the maps' last dimension is the keys */
  gint64 B = call->out[0]->shape.dim[0];
  cpu_pool_run (context->pool, B * w.H * w.n_blocks, 1, mix_items, &w,
                context->cancellable);
  return TRUE;
}

gboolean
K (attention) (const CpuContext *context, const HlOpCall *call, GError **error)
{
  Work w = work_of (call, FUSED_ROWS);
  w.Tk = call->in[1]->shape.dim[2];
  gsize n_threads = (gsize) cpu_pool_n_threads (context->pool);
  gsize size = sizeof (real) * n_threads * FUSED_ROWS * (gsize) MAX (w.Tk, 1);
  w.scratch = aligned_alloc (64, (size + 63) & ~(gsize) 63);
  if (w.scratch == NULL)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_MEMORY,
                   "attention: out of memory for %.1f MB of scores", (double) size / 1e6);
      return FALSE;
    }
  gint64 B = call->out[0]->shape.dim[0];
  cpu_pool_run (context->pool, B * w.H * w.n_blocks, 1, fused_items, &w,
                context->cancellable);
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
  if (call->params.is_causal)
    forbid (out, end - begin, begin, Tk, &call->params);
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
  if (call->in[1]->shape.dim[0] > 0)
    cpu_pool_run (context->pool, call->in[0]->shape.dim[0], 128, rect_rows,
                  (gpointer) call, context->cancellable);
  return TRUE;
}
