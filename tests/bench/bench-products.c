/* SPDX-License-Identifier: MIT
 * The matrix products of one pass of the bench's model, by OpenBLAS alone. Weights differ
 * from layer to layer as a model's do, so they come from memory and not from a cache. */
#include "bench-products.h"

#include "bench-model.h"

#include <cblas.h>

typedef enum
{
  WEIGHTS, /* x Wt, W of the layer */
  SCORES,  /* q kt, a head at a time */
  MIX,     /* A v, a head at a time */
} Kind;

static const struct
{
  const char *what;
  int M, N, K;
  Kind kind;
  int n_a_layer; /* 0 for once a pass */
} shapes[BENCH_N_PRODUCTS] = {
  { "patches 196x768x768", BENCH_T - 1, BENCH_D, BENCH_D, WEIGHTS, 0 },
  { "q, k, v, o 197x768x768", BENCH_T, BENCH_D, BENCH_D, WEIGHTS, 4 },
  { "MLP up 197x3072x768", BENCH_T, BENCH_F, BENCH_D, WEIGHTS, 1 },
  { "MLP down 197x768x3072", BENCH_T, BENCH_D, BENCH_F, WEIGHTS, 1 },
  { "scores 197x197x64 a head", BENCH_T, BENCH_T, BENCH_D / BENCH_H, SCORES, BENCH_H },
  { "mix 197x64x197 a head", BENCH_T, BENCH_D / BENCH_H, BENCH_T, MIX, BENCH_H },
};

struct _BenchProducts
{
  CpuPool *pool;
  int n_threads;
  float *weights; /* those of all layers, end to end */
  float *x;       /* (T, F) */
  float *y;       /* (T, F) */
  float *maps;    /* (H, T, T) */
  BenchProduct product[BENCH_N_PRODUCTS];
};

static float *
some_numbers (gsize n)
{
  float *out = g_new (float, n);
  for (gsize i = 0; i < n; i++)
    out[i] = (float) (i % 97) * 0.01F - 0.5F;
  return out;
}

BenchProducts *
bench_products_new (int n_threads)
{
  BenchProducts *products = g_new0 (BenchProducts, 1);
  const gsize D = BENCH_D, F = BENCH_F, T = BENCH_T;
  products->pool = cpu_pool_new (n_threads);
  products->n_threads = n_threads;
  products->weights = some_numbers (BENCH_L * (4 * D * D + 2 * D * F));
  products->x = some_numbers (T * F);
  products->y = some_numbers (T * F);
  products->maps = some_numbers (BENCH_H * T * T);
  for (int i = 0; i < BENCH_N_PRODUCTS; i++)
    {
      BenchProduct *p = &products->product[i];
      p->what = shapes[i].what;
      p->M = shapes[i].M;
      p->N = shapes[i].N;
      p->K = shapes[i].K;
      p->n_a_pass = shapes[i].n_a_layer > 0 ? shapes[i].n_a_layer * BENCH_L : 1;
    }
  return products;
}

void
bench_products_free (BenchProducts *products)
{
  cpu_pool_free (products->pool);
  g_free (products->weights);
  g_free (products->x);
  g_free (products->y);
  g_free (products->maps);
  g_free (products);
}

/* One product, or a part of its columns. */
typedef struct
{
  const BenchProducts *products;
  const BenchProduct *p;
  const float *w;
} Job;

static void
columns (gpointer data, gint64 begin, gint64 end, int thread)
{
  const Job *job = data;
  const BenchProduct *p = job->p;
  cblas_sgemm (CblasRowMajor, CblasNoTrans, CblasTrans, p->M, (int) (end - begin), p->K,
               1, job->products->x, p->K, job->w + begin * p->K, p->K, 0,
               job->products->y + begin, p->N);
}

static void
score_heads (gpointer data, gint64 begin, gint64 end, int thread)
{
  const Job *job = data;
  const BenchProduct *p = job->p;
  for (gint64 h = begin; h < end; h++)
    cblas_sgemm (CblasRowMajor, CblasNoTrans, CblasTrans, p->M, p->N, p->K, 0.125F,
                 job->products->x + h * p->K, BENCH_D, job->products->y + h * p->K,
                 BENCH_D, 0, job->products->maps + h * p->M * p->N, p->N);
}

static void
mix_heads (gpointer data, gint64 begin, gint64 end, int thread)
{
  const Job *job = data;
  const BenchProduct *p = job->p;
  for (gint64 h = begin; h < end; h++)
    cblas_sgemm (CblasRowMajor, CblasNoTrans, CblasNoTrans, p->M, p->N, p->K, 1,
                 job->products->maps + h * p->M * p->K, p->K, job->products->x + h * p->N,
                 BENCH_D, 0, job->products->y + h * p->N, BENCH_D);
}

static void
run_shape (BenchProducts *products, int index, gboolean by_pool)
{
  BenchProduct *p = &products->product[index];
  Job job = { products, p, products->weights };
  const Kind kind = shapes[index].kind;
  const CpuPoolFunc func =
      kind == WEIGHTS ? columns : (kind == SCORES ? score_heads : mix_heads);
  const gint64 n_items = kind == WEIGHTS ? p->N : BENCH_H;
  const gint64 grain =
      kind == WEIGHTS ? (p->N + products->n_threads - 1) / products->n_threads : 1;
  const int n_calls = kind == WEIGHTS ? p->n_a_pass : BENCH_L;
  double start = bench_now_ms ();
  for (int i = 0; i < n_calls; i++)
    {
      if (by_pool)
        cpu_pool_run (products->pool, n_items, grain, func, &job, NULL);
      else
        func (&job, 0, n_items, 0);
      if (kind == WEIGHTS)
        job.w += (gsize) p->N * (gsize) p->K;
    }
  bench_add (by_pool ? &p->by_pool : &p->by_library, start);
}

void
bench_products_run (BenchProducts *products)
{
  openblas_set_num_threads (1);
  for (int i = 0; i < BENCH_N_PRODUCTS; i++)
    run_shape (products, i, TRUE);
  openblas_set_num_threads (products->n_threads);
  for (int i = 0; i < BENCH_N_PRODUCTS; i++)
    run_shape (products, i, FALSE);
  openblas_set_num_threads (1);
  bench_drop_spinning ();
}

const BenchProduct *
bench_products_get (const BenchProducts *products, int index)
{
  return &products->product[index];
}

double
bench_product_gflop (const BenchProduct *p)
{
  return 2e-9 * p->M * p->N * (double) p->K * p->n_a_pass;
}

double
bench_products_ideal_ms (const BenchProducts *products,
                         double (*of) (const BenchSamples *))
{
  double ms = 0;
  for (int i = 0; i < BENCH_N_PRODUCTS; i++)
    {
      const BenchProduct *p = &products->product[i];
      ms += MIN (of (&p->by_library), of (&p->by_pool));
    }
  return ms;
}
