/* SPDX-License-Identifier: MIT
 * The matrix products of one pass of a bench's model, by OpenBLAS alone. Weights differ
 * from layer to layer as a model's do, so they come from memory and not from a cache. */
#include "bench-products.h"

#include "bench-model.h"

#include <cblas.h>

/* Rows of queries that are scored together where causal attention forbids the rest. */
#define CAUSAL_ROWS 256
/* Positions whose logits are made together. */
#define READOUT_ROWS 333
#define HEAD_WIDTH (BENCH_D / BENCH_H)

typedef enum
{
  WEIGHTS,        /* x Wt, W (N, K) of the layer */
  WEIGHTS_IN_OUT, /* x W, W (K, N) */
  SCORES,         /* q kt, a head at a time */
  MIX,            /* A v, a head at a time */
} Kind;

typedef struct
{
  const char *name;
  int M, N, K;
  Kind kind;
  gboolean is_causal;
  double n_a_pass; /* products, or layers of heads' products */
  int n_measured;  /* of them */
} Shape;

struct _BenchProducts
{
  CpuPool *pool;
  int n_threads, n;
  float *weights; /* of as many layers as are measured, end to end */
  float *x;
  float *y;
  float *maps; /* of every head, or of a causal block of every thread */
  Shape *shapes;
  BenchProduct *products;
};

static gboolean
is_of_weights (const Shape *s)
{
  return s->kind == WEIGHTS || s->kind == WEIGHTS_IN_OUT;
}

static float *
some_numbers (gsize n)
{
  float *out = g_new (float, n);
  for (gsize i = 0; i < n; i++)
    out[i] = (float) (i % 97) * 0.01F - 0.5F;
  return out;
}

/* Of one product of weights, or of one layer's heads. */
static double
flops_of (const Shape *s)
{
  double M = s->M, N = s->N, K = s->K, flops = 0;
  if (!s->is_causal)
    return 2 * M * N * K * (is_of_weights (s) ? 1 : BENCH_H);
  for (int row = 0; row < s->M; row += CAUSAL_ROWS)
    {
      int n_rows = MIN (CAUSAL_ROWS, s->M - row);
      flops += 2.0 * n_rows * (row + n_rows) * HEAD_WIDTH * BENCH_H;
    }
  return flops;
}

static BenchProducts *
products_new (int n_threads, const Shape *shapes, int n)
{
  BenchProducts *self = g_new0 (BenchProducts, 1);
  gsize n_weights = 0, n_x = 0, n_y = 0, n_maps = 0;
  self->pool = cpu_pool_new (n_threads);
  self->n_threads = n_threads;
  self->n = n;
  self->shapes = g_memdup2 (shapes, sizeof shapes[0] * (gsize) n);
  self->products = g_new0 (BenchProduct, (gsize) n);
  for (int i = 0; i < n; i++)
    {
      const Shape *s = &shapes[i];
      gsize M = (gsize) s->M, N = (gsize) s->N, K = (gsize) s->K;
      n_weights = MAX (n_weights, is_of_weights (s) ? (gsize) s->n_measured * N * K : 0);
      n_x = MAX (n_x, M * (is_of_weights (s) ? K : BENCH_D));
      n_y = MAX (n_y, M * (is_of_weights (s) ? N : BENCH_D));
      n_maps = MAX (n_maps, s->is_causal ? (gsize) n_threads * CAUSAL_ROWS * MAX (N, K)
                                         : BENCH_H * M * MAX (N, K));
      self->products[i] = (BenchProduct){
        .what = g_strdup_printf (is_of_weights (s) ? "%s %dx%dx%d" : "%s %dx%dx%d a head",
                                 s->name, s->M, s->N, s->K),
        .M = s->M,
        .N = s->N,
        .K = s->K,
        .is_readout = s->N == BENCH_VOCABULARY,
        .n_a_pass = s->n_a_pass,
        .gflop = 1e-9 * flops_of (s) * s->n_a_pass,
      };
    }
  self->weights = some_numbers (n_weights);
  self->x = some_numbers (n_x);
  self->y = some_numbers (n_y);
  self->maps = some_numbers (n_maps);
  return self;
}

BenchProducts *
bench_products_new_vit (int n_threads)
{
  const int T = BENCH_T, D = BENCH_D, F = BENCH_F, L = BENCH_L;
  const Shape shapes[] = {
    { "patches", T - 1, D, D, WEIGHTS, FALSE, 1, 1 },
    { "q, k, v, o", T, D, D, WEIGHTS, FALSE, 4 * L, 4 * L },
    { "MLP up", T, F, D, WEIGHTS, FALSE, L, L },
    { "MLP down", T, D, F, WEIGHTS, FALSE, L, L },
    { "scores", T, T, HEAD_WIDTH, SCORES, FALSE, L, L },
    { "mix", T, HEAD_WIDTH, T, MIX, FALSE, L, L },
  };
  return products_new (n_threads, shapes, G_N_ELEMENTS (shapes));
}

BenchProducts *
bench_products_new_importance (int n_threads)
{
  const int T = BENCH_T, D = BENCH_D, F = BENCH_F, L = BENCH_L, BT = BENCH_H * T;
  /* Blocks that a batch passes whole behind its own: L-2 of layer 0, ..., none. */
  const int n_whole = (L - 2) * (L - 1) / 2;
  /* Its own output projection and MLP, and those of these blocks. */
  const int n_half = n_whole + L;
  const Shape shapes[] = {
    { "q, k, v, o, a batch", BT, D, D, WEIGHTS, FALSE, 3 * n_whole + 2 * (L - 1) + n_half,
      4 },
    { "MLP up, a batch", BT, F, D, WEIGHTS, FALSE, n_half, 2 },
    { "MLP down, a batch", BT, D, F, WEIGHTS, FALSE, n_half, 2 },
    { "q, k, v, o, one", T, D, D, WEIGHTS, FALSE, 7 * L, L },
    { "MLP up, one", T, F, D, WEIGHTS, FALSE, L, L },
    { "MLP down, one", T, D, F, WEIGHTS, FALSE, L, L },
    { "scores", T, T, HEAD_WIDTH, SCORES, FALSE, BENCH_H * n_whole + 2 * L, L },
    { "mix", T, HEAD_WIDTH, T, MIX, FALSE, BENCH_H * n_whole + 2 * L, L },
  };
  return products_new (n_threads, shapes, G_N_ELEMENTS (shapes));
}

BenchProducts *
bench_products_new_text (int n_threads, int n_tokens)
{
  const int T = n_tokens, D = BENCH_D, F = BENCH_F, L = BENCH_L;
  const int n = T <= 256 ? L : (T <= 1024 ? 3 : 1), band = MIN (T, READOUT_ROWS);
  const Shape shapes[] = {
    { "q, k, v", T, 3 * D, D, WEIGHTS_IN_OUT, FALSE, L, n },
    { "o", T, D, D, WEIGHTS_IN_OUT, FALSE, L, n },
    { "MLP up", T, F, D, WEIGHTS_IN_OUT, FALSE, L, n },
    { "MLP down", T, D, F, WEIGHTS_IN_OUT, FALSE, L, n },
    { "scores", T, T, HEAD_WIDTH, SCORES, TRUE, L, n },
    { "mix", T, HEAD_WIDTH, T, MIX, TRUE, L, n },
    { "logits", band, BENCH_VOCABULARY, D, WEIGHTS, FALSE, (double) T / band, 1 },
  };
  return products_new (n_threads, shapes, G_N_ELEMENTS (shapes));
}

void
bench_products_free (BenchProducts *self)
{
  cpu_pool_free (self->pool);
  for (int i = 0; i < self->n; i++)
    g_free (self->products[i].what);
  g_free (self->products);
  g_free (self->shapes);
  g_free (self->weights);
  g_free (self->x);
  g_free (self->y);
  g_free (self->maps);
  g_free (self);
}

/* One product, or a part of its columns. */
typedef struct
{
  const BenchProducts *products;
  const Shape *s;
  const float *w;
} Job;

static void
columns (gpointer data, gint64 begin, gint64 end, int thread)
{
  const Job *job = data;
  const Shape *s = job->s;
  gboolean is_in_out = s->kind == WEIGHTS_IN_OUT;
  cblas_sgemm (CblasRowMajor, CblasNoTrans, is_in_out ? CblasNoTrans : CblasTrans, s->M,
               (int) (end - begin), s->K, 1, job->products->x, s->K,
               job->w + (is_in_out ? begin : begin * s->K), is_in_out ? s->N : s->K, 0,
               job->products->y + begin, s->N);
}

/* Some rows of one head: scores of @n_keys, or the mix of as many values. */
static void
head_rows (const Job *job, float *maps, gint64 h, int row, int n_rows, int n_keys)
{
  const float *x = job->products->x + h * HEAD_WIDTH;
  float *y = job->products->y + h * HEAD_WIDTH;
  if (job->s->kind == SCORES)
    cblas_sgemm (CblasRowMajor, CblasNoTrans, CblasTrans, n_rows, n_keys, HEAD_WIDTH,
                 0.125F, x + (gsize) row * BENCH_D, BENCH_D, y, BENCH_D, 0, maps, n_keys);
  else
    cblas_sgemm (CblasRowMajor, CblasNoTrans, CblasNoTrans, n_rows, HEAD_WIDTH, n_keys, 1,
                 maps, n_keys, x, BENCH_D, 0, y + (gsize) row * BENCH_D, BENCH_D);
}

static void
heads (gpointer data, gint64 begin, gint64 end, int thread)
{
  const Job *job = data;
  const int T = job->s->M;
  for (gint64 h = begin; h < end; h++)
    {
      if (!job->s->is_causal)
        head_rows (job, job->products->maps + h * T * T, h, 0, T, T);
      for (int row = 0; row < T && job->s->is_causal; row += CAUSAL_ROWS)
        {
          int n = MIN (CAUSAL_ROWS, T - row);
          head_rows (job, job->products->maps + (gsize) thread * CAUSAL_ROWS * (gsize) T,
                     h, row, n, row + n);
        }
    }
}

static void
run_shape (BenchProducts *self, int index, gboolean by_pool)
{
  BenchProduct *p = &self->products[index];
  const Shape *s = &self->shapes[index];
  Job job = { self, s, self->weights };
  const CpuPoolFunc func = is_of_weights (s) ? columns : heads;
  const gint64 n_items = is_of_weights (s) ? s->N : BENCH_H;
  const gint64 grain =
      is_of_weights (s) ? (s->N + self->n_threads - 1) / self->n_threads : 1;
  BenchSamples *samples = by_pool ? &p->by_pool : &p->by_library;
  double start = bench_now_ms ();
  for (int i = 0; i < s->n_measured; i++)
    {
      if (by_pool)
        cpu_pool_run (self->pool, n_items, grain, func, &job, NULL);
      else
        func (&job, 0, n_items, 0);
      if (is_of_weights (s))
        job.w += (gsize) s->N * (gsize) s->K;
    }
  bench_add (samples, start);
  samples->ms[samples->n - 1] *= s->n_a_pass / s->n_measured;
}

void
bench_products_run (BenchProducts *self)
{
  openblas_set_num_threads (1);
  for (int i = 0; i < self->n; i++)
    run_shape (self, i, TRUE);
  openblas_set_num_threads (self->n_threads);
  for (int i = 0; i < self->n; i++)
    run_shape (self, i, FALSE);
  openblas_set_num_threads (1);
  bench_drop_spinning ();
}

const BenchProduct *
bench_products_get (const BenchProducts *self, int index)
{
  return index < self->n ? &self->products[index] : NULL;
}

double
bench_products_ideal_ms (const BenchProducts *self,
                         gboolean has_readout,
                         double (*of) (const BenchSamples *))
{
  double ms = 0;
  for (int i = 0; i < self->n; i++)
    {
      const BenchProduct *p = &self->products[i];
      if (has_readout || !p->is_readout)
        ms += MIN (of (&p->by_library), of (&p->by_pool));
    }
  return ms;
}

void
bench_products_print (const BenchProducts *self)
{
  double gflop = 0;
  bench_title ("OpenBLAS alone, a pass' products, in rounds between the traces: by our "
               "%d threads | by its own",
               self->n_threads);
  for (int i = 0; i < self->n; i++)
    {
      const BenchProduct *p = &self->products[i];
      gflop += p->gflop;
      bench_row (p->what, &p->by_pool, "%5.1f GFLOP/s | %8.3f ms %5.1f GFLOP/s",
                 p->gflop / bench_median (&p->by_pool) * 1e3,
                 bench_median (&p->by_library),
                 p->gflop / bench_median (&p->by_library) * 1e3);
    }
  double ideal = bench_products_ideal_ms (self, TRUE, bench_median);
  bench_say ("all products, the better way each",
             "%9.3f ms  (least %9.3f)  %5.1f GFLOP/s", ideal,
             bench_products_ideal_ms (self, TRUE, bench_min), gflop / ideal * 1e3);
}
