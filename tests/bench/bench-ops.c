/* SPDX-License-Identifier: MIT
 * Every op of the op table at the shapes of a ViT-B/16 block, beside what the machine
 * does at best: a matrix product, or a copy of as many bytes.
 * bench-ops [OP...] */
#include "config.h"

#include "../ops/op-examples.h"
#include "backend/cpu/hl-cpu.h"
#include "bench.h"

#include <cblas.h>

/* Samples of one op: until this much time went by, and at least so many. */
#define BUDGET_MS 400
#define AT_LEAST 15

typedef struct
{
  HlBackend *backend;
  CpuPool *pool; /* for the machine's own rates, with as many threads */
  int n_threads;
  BenchCopy copy;
  float *x, *w, *y;
  BenchSamples product;
} Bench;

/* The reference product: the block's widest. */
#define M 197
#define N 3072
#define D 768

static void
product_columns (gpointer data, gint64 begin, gint64 end, int thread)
{
  const Bench *bench = data;
  cblas_sgemm (CblasRowMajor, CblasNoTrans, CblasTrans, M, (int) (end - begin), D, 1,
               bench->x, D, bench->w + begin * D, D, 0, bench->y + begin, N);
}

static void
run_product (Bench *bench)
{
  double start = bench_now_ms ();
  cpu_pool_run (bench->pool, N, (N + bench->n_threads - 1) / bench->n_threads,
                product_columns, bench, NULL);
  bench_add (&bench->product, start);
}

static gboolean
is_bound_by_products (HlOp op)
{
  return op == HL_OP_LINEAR || op == HL_OP_SCORES || op == HL_OP_MIX ||
         op == HL_OP_ATTENTION || op == HL_OP_ATTENTION_RECT;
}

static void
run_op (Bench *bench, HlOpCall *call, BenchSamples *samples)
{
  g_autoptr (GError) error = NULL;
  double start = bench_now_ms ();
  if (!hl_backend_run_op (bench->backend, call, NULL, &error))
    bench_fail (error);
  bench_add (samples, start);
  for (int i = 0; i < HL_OP_MAX_OUT; i++)
    g_clear_pointer (&call->out[i], hl_tensor_unref);
}

static void
print_op (Bench *bench,
          const HlOpCall *call,
          const BenchSamples *own,
          const BenchSamples *best)
{
  const char *name = hl_op_get_info (call->op)->name;
  double ms = bench_median (own);
  if (is_bound_by_products (call->op))
    {
      double product = 2e-6 * M * N * D / bench_median (&bench->product);
      double rate = hl_op_flops (call) / ms / 1e6;
      bench_row (name, own, "%6.1f GFLOP/s, %3.0f %% of a product's %.1f", rate,
                 100 * rate / product, product);
      return;
    }
  double rate = hl_op_bytes (call) / ms / 1e6;
  double copy = hl_op_bytes (call) / bench_median (best) / 1e6;
  bench_row (name, own, "%6.1f GB/s,    %3.0f %% of a copy's %.1f", rate,
             100 * rate / copy, copy);
}

static void
bench_op (Bench *bench, HlOp op)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (3000 + op);
  HlOpCall exact = op_example_new (op, rand, 1);
  HlOpCall call = op_example_convert (&exact, HL_DTYPE_F32);
  BenchSamples own = { 0 }, best = { 0 }, warm = { 0 };
  op_example_clear (&exact);
  gsize n_bytes = (gsize) hl_op_bytes (&call);
  bench->product.n = 0;
  for (int i = 0; i < 3; i++)
    {
      run_op (bench, &call, &warm);
      bench_copy_run (&bench->copy, bench->pool, n_bytes, &warm);
    }
  double start = bench_now_ms ();
  while (own.n < BENCH_MAX_SAMPLES &&
         (own.n < AT_LEAST || bench_now_ms () - start < BUDGET_MS))
    {
      run_op (bench, &call, &own);
      if (is_bound_by_products (op))
        run_product (bench);
      else
        bench_copy_run (&bench->copy, bench->pool, n_bytes, &best);
    }
  print_op (bench, &call, &own, &best);
  op_example_clear (&call);
}

/* Without arguments every op. */
static gboolean
is_asked_for (HlOp op, int argc, char **argv)
{
  for (int i = 1; i < argc; i++)
    if (g_str_equal (argv[i], hl_op_get_info (op)->name))
      return TRUE;
  return argc == 1;
}

int
main (int argc, char **argv)
{
  Bench bench = { .n_threads = (int) g_get_num_processors () };
  bench.backend = hl_cpu_backend_new (HL_DTYPE_F32, bench.n_threads);
  bench.pool = cpu_pool_new (bench.n_threads);
  bench.x = g_new0 (float, M *D);
  bench.w = g_new0 (float, N *D);
  bench.y = g_new0 (float, M *N);
  g_autofree char *words = bench.backend->klass->describe (bench.backend);
  bench_title ("== ops at the shapes of a ViT-B/16 block, %s ==", words);
  for (int op = 0; op < HL_N_OPS; op++)
    if (is_asked_for ((HlOp) op, argc, argv))
      bench_op (&bench, (HlOp) op);
  bench_copy_clear (&bench.copy);
  cpu_pool_free (bench.pool);
  hl_backend_unref (bench.backend);
  g_free (bench.x);
  g_free (bench.w);
  g_free (bench.y);
  return 0;
}
