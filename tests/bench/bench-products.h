/* SPDX-License-Identifier: MIT
 * The matrix products of one pass of a bench's model, by OpenBLAS alone: what the time
 * of a trace is compared with. */
#pragma once

#include "bench.h"

G_BEGIN_DECLS

/**
 * BenchProduct: one shape, (M, K) times (K, N), and how often a pass needs it. Of what
 * causal attention forbids only blocks at the diagonal are computed.
 * @is_readout: onto the vocabulary
 * @gflop: of a pass
 * @by_library: all of a pass' together, on OpenBLAS' own threads
 * @by_pool: the same, cut among our threads, one of OpenBLAS' each
 * Of large shapes a part of a pass is measured and its time multiplied.
 */
typedef struct
{
  char *what;
  int M, N, K;
  gboolean is_readout;
  double n_a_pass;
  double gflop;
  BenchSamples by_library;
  BenchSamples by_pool;
} BenchProduct;

typedef struct _BenchProducts BenchProducts;

/** bench_products_new_vit: those of ViT-B/16. */
BenchProducts *bench_products_new_vit (int n_threads);

/** bench_products_new_importance: those of pruning each head of ViT-B/16 by itself: the
 * heads of a layer as one batch from their own output projection on, of the last block
 * one row where it is not their own; and one whole pass before. The arithmetic bound. */
BenchProducts *bench_products_new_importance (int n_threads);

/** bench_products_new_text: those of GPT-2 (small) over @n_tokens. */
BenchProducts *bench_products_new_text (int n_threads, int n_tokens);
void bench_products_free (BenchProducts *products);

/** bench_products_run: one pass' products in both ways, one sample a shape and way.
 * Leaves OpenBLAS at one thread and asleep. */
void bench_products_run (BenchProducts *products);

/** bench_products_get: (nullable): NULL behind the last. */
const BenchProduct *bench_products_get (const BenchProducts *products, int index);

/**
 * bench_products_ideal_ms: one pass' products, each shape in its quicker way
 * @has_readout: with those onto the vocabulary
 * @of: bench_median or bench_min
 */
double bench_products_ideal_ms (const BenchProducts *products,
                                gboolean has_readout,
                                double (*of) (const BenchSamples *));

/** bench_products_print: a row a shape, and their sum. */
void bench_products_print (const BenchProducts *products);

G_END_DECLS
