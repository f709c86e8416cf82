/* SPDX-License-Identifier: MIT
 * The matrix products of one pass of the bench's model, by OpenBLAS alone: what the time
 * of a trace is compared with. */
#pragma once

#include "bench.h"

G_BEGIN_DECLS

/** BenchProduct: one shape, (M, K) times (K, N), and how often a pass needs it. */
typedef struct
{
  const char *what;
  int M, N, K;
  int n_a_pass;
  BenchSamples by_library; /* all of a pass' together, on OpenBLAS' own threads */
  BenchSamples by_pool;    /* the same, cut among our threads, one of OpenBLAS' each */
} BenchProduct;

#define BENCH_N_PRODUCTS 6

typedef struct _BenchProducts BenchProducts;

BenchProducts *bench_products_new (int n_threads);
void bench_products_free (BenchProducts *products);

/** bench_products_run: one pass' products in both ways, one sample a shape and way.
 * Leaves OpenBLAS at one thread and asleep. */
void bench_products_run (BenchProducts *products);

const BenchProduct *bench_products_get (const BenchProducts *products, int index);

/** bench_products_gflop: of one shape in one pass. */
double bench_product_gflop (const BenchProduct *product);

/** bench_products_ideal_ms: one pass' products, each shape in its quicker way;
 * @of: bench_median or bench_min */
double bench_products_ideal_ms (const BenchProducts *products,
                                double (*of) (const BenchSamples *));

G_END_DECLS
