/* SPDX-License-Identifier: MIT
 * Tracing a random model of ViT-B/16's shape: time, share of what the machine's matrix
 * products alone would take, memory, and the ratio to PyTorch.
 * bench-trace [--half] [--rounds N] [--threads N] [--peer SCRIPT] */
#include "config.h"

#include "backend/cpu/hl-cpu.h"
#include "bench-model.h"
#include "bench-products.h"
#include "bench-profile.h"
#include "io/hl-safetensors.h"
#include "trace/hl-tracer.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct
{
  gboolean is_half;
  int n_rounds;
  int n_threads;
  char *peer; /* script; NULL for none */
  char *one;  /* folder: the child that does one trace and says its peak of memory */
} Options;

static const struct
{
  const char *what;
  HlMaps maps;
} kinds[] = {
  { "trace, every map stored", HL_MAPS_STORED },
  { "trace, maps recomputable (q, k, lse)", HL_MAPS_RECOMPUTED },
  { "trace, no maps", HL_MAPS_NONE },
};

typedef struct
{
  HlBackend *backend;
  HlModel *model;
  HlInput *input;
  BenchProducts *products;
  BenchSamples samples[G_N_ELEMENTS (kinds)];
} Bench;

static void
trace_once (Bench *bench, HlBackend *backend, HlMaps maps, BenchSamples *samples)
{
  g_autoptr (GError) error = NULL;
  HlTraceOptions options = { .maps = maps };
  double start = bench_now_ms ();
  g_autoptr (HlTrace) trace =
      hl_tracer_run (bench->model, bench->input, backend, &options, NULL, &error);
  if (trace == NULL)
    bench_fail (error);
  if (samples != NULL)
    bench_add (samples, start);
}

/* One of each after the other, so that a noisy spell of the machine hits all alike. */
static void
run_rounds (Bench *bench, int n_rounds)
{
  for (int round = 0; round < n_rounds; round++)
    {
      for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
        trace_once (bench, bench->backend, kinds[i].maps, &bench->samples[i]);
      bench_products_run (bench->products);
    }
}

/* ---- the table -----------------------------------------------------------------------
 */

static double
count_gflop (Bench *bench, HlMaps maps, HlBackend *profile)
{
  const BenchProfile *sums = bench_profile_backend_get (profile);
  double before = 0, after = 0;
  for (int op = 0; op < HL_N_OPS; op++)
    before += sums->flops[op];
  trace_once (bench, profile, maps, NULL);
  for (int op = 0; op < HL_N_OPS; op++)
    after += sums->flops[op];
  return (after - before) / 1e9;
}

static void
print_traces (Bench *bench)
{
  double ideal = bench_products_ideal_ms (bench->products, TRUE, bench_median);
  double least = bench_products_ideal_ms (bench->products, TRUE, bench_min);
  bench_title ("one forward pass with its trace (goal: share of 75 %% or more)");
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_autoptr (HlBackend) profile = bench_profile_backend_new (bench->backend);
      double gflop = count_gflop (bench, kinds[i].maps, profile);
      double ms = bench_median (&bench->samples[i]);
      bench_row (kinds[i].what, &bench->samples[i],
                 "%5.1f GFLOP/s, share %3.0f %% (least against least %3.0f %%)",
                 gflop / ms * 1e3, 100 * ideal / ms,
                 100 * least / bench_min (&bench->samples[i]));
    }
}

/* Where a trace's time goes, op by op. */
static void
print_profile (Bench *bench)
{
  const int n = 5;
  g_autoptr (HlBackend) profile = bench_profile_backend_new (bench->backend);
  BenchSamples whole = { 0 };
  for (int i = 0; i < n; i++)
    trace_once (bench, profile, HL_MAPS_STORED, &whole);
  const BenchProfile *sums = bench_profile_backend_get (profile);
  double total = 0, in_ops = 0;
  for (int i = 0; i < whole.n; i++)
    total += whole.ms[i];
  bench_title ("where it goes, every map stored (mean of %d traces)", n);
  for (int op = 0; op < HL_N_OPS; op++)
    {
      if (sums->n_calls[op] == 0)
        continue;
      in_ops += sums->ms[op];
      bench_say (hl_op_get_info ((HlOp) op)->name,
                 "%7.3f ms  %4.1f %%  %3d calls  %6.1f GFLOP/s  %5.1f GB/s",
                 sums->ms[op] / n, 100 * sums->ms[op] / total, sums->n_calls[op] / n,
                 sums->flops[op] / sums->ms[op] / 1e6,
                 sums->bytes[op] / sums->ms[op] / 1e6);
    }
  bench_say ("memory for outputs", "%7.3f ms  %4.1f %%", sums->alloc_ms / n,
             100 * sums->alloc_ms / total);
  double rest = total - in_ops - sums->alloc_ms;
  bench_say ("everything else", "%7.3f ms  %4.1f %%", rest / n, 100 * rest / total);
}

/* ---- memory, measured in a child -----------------------------------------------------
 */

static int
child_main (const Options *options)
{
  g_autoptr (GError) error = NULL;
  Bench bench = { 0 };
  bench.backend = hl_cpu_backend_new (HL_DTYPE_F32, options->n_threads);
  bench.model = hl_model_open (options->one, &error);
  if (bench.model == NULL)
    bench_fail (error);
  bench.input = bench_model_input ();
  trace_once (&bench, bench.backend, HL_MAPS_STORED, NULL);
  printf ("%.1f\n", bench_memory_now ().peak_mb);
  hl_input_unref (bench.input);
  hl_model_unref (bench.model);
  hl_backend_unref (bench.backend);
  return 0;
}

static void
print_memory (const char *folder, const Options *options, HlModel *model)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *output = NULL, *threads = g_strdup_printf ("%d", options->n_threads);
  const char *argv[] = { "/proc/self/exe", "--one", folder, "--threads", threads, NULL };
  int status = 0;
  bench_title ("memory, of a process of its own that does one trace");
  if (!g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &output,
                     NULL, &status, &error) ||
      !g_spawn_check_wait_status (status, &error))
    bench_fail (error);
  double peak = g_ascii_strtod (output, NULL);
  double weights = 4e-6 * (double) hl_model_get_info (model)->n_params;
  bench_say ("peak (resident)",
             "%6.0f MB: weights in float32 %.0f MB + %.0f MB (goal: + 500 MB or less)%s",
             peak, weights, peak - weights, peak <= weights + 500 ? "" : "  MISSED");
}

/* ---- PyTorch -------------------------------------------------------------------------
 */

static void
run_peer (const char *folder, const Options *options, BenchPeer *peer)
{
  g_autofree char *threads = g_strdup_printf ("%d", options->n_threads);
  const char *arguments[] = { folder, threads, "8", NULL };
  bench_peer_run (peer, options->peer, arguments);
}

static void
print_peer (Bench *bench, const BenchPeer *peer)
{
  bench_title ("PyTorch, eager, every map returned, run between our rounds");
  bench_say (peer->line, "%s", "");
  if (peer->median_ms > 0)
    bench_say ("ratio, PyTorch's time to ours", "%.2f (least against least %.2f)",
               peer->median_ms / bench_median (&bench->samples[0]),
               peer->least_ms / bench_min (&bench->samples[0]));
}

/* ---- opening -------------------------------------------------------------------------
 */

static void
bench_opening (Bench *bench, const char *folder)
{
  BenchSamples headers = { 0 }, whole = { 0 }, first = { 0 };
  g_autoptr (GError) error = NULL;
  for (int i = 0; i < 11; i++)
    {
      double start = bench_now_ms ();
      g_autoptr (HlSafetensors) st = hl_safetensors_open (folder, &error);
      if (st == NULL)
        bench_fail (error);
      bench_add (&headers, start);
      g_clear_pointer (&bench->model, hl_model_unref);
      start = bench_now_ms ();
      bench->model = hl_model_open (folder, &error);
      if (bench->model == NULL)
        bench_fail (error);
      bench_add (&whole, start);
    }
  trace_once (bench, bench->backend, HL_MAPS_STORED, &first);
  bench_title ("opening the model (its file in the page cache)");
  bench_row ("safetensors, headers checked", &headers, "%s", "");
  bench_row ("model, weights mapped", &whole, "%s", "");
  bench_row ("first trace (pages, conversion)", &first, "%s", "");
}

static void
bench_folder (const char *folder, const Options *options)
{
  g_autoptr (GError) error = NULL;
  Bench bench = { 0 };
  if (!bench_model_write (folder, options->is_half ? HL_DTYPE_F16 : HL_DTYPE_F32, &error))
    bench_fail (error);
  bench.backend = hl_cpu_backend_new (HL_DTYPE_F32, options->n_threads);
  bench.input = bench_model_input ();
  g_autofree char *words = bench.backend->klass->describe (bench.backend);
  bench_title ("== trace: random ViT-B/16, weights %s, %s ==",
               options->is_half ? "float16" : "float32", words);
  bench_opening (&bench, folder);
  bench.products = bench_products_new_vit (options->n_threads);
  bench_products_run (bench.products); /* warm; its samples count, the median bears it */
  BenchPeer peer = { 0 };
  run_rounds (&bench, (options->n_rounds + 1) / 2);
  if (options->peer != NULL)
    run_peer (folder, options, &peer);
  run_rounds (&bench, options->n_rounds / 2);
  print_traces (&bench);
  bench_products_print (bench.products);
  print_profile (&bench);
  if (peer.line != NULL)
    print_peer (&bench, &peer);
  bench_peer_clear (&peer);
  print_memory (folder, options, bench.model);
  bench_products_free (bench.products);
  hl_input_unref (bench.input);
  hl_model_unref (bench.model);
  hl_backend_unref (bench.backend);
}

int
main (int argc, char **argv)
{
  Options options = { .n_rounds = 11, .n_threads = (int) g_get_num_processors () };
  const GOptionEntry entries[] = {
    { "half", 0, 0, G_OPTION_ARG_NONE, &options.is_half, "Weights as float16", NULL },
    { "rounds", 0, 0, G_OPTION_ARG_INT, &options.n_rounds, "Rounds", "N" },
    { "threads", 0, 0, G_OPTION_ARG_INT, &options.n_threads, "Threads", "N" },
    { "peer", 0, 0, G_OPTION_ARG_FILENAME, &options.peer, "PyTorch's script", "SCRIPT" },
    { "one", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_FILENAME, &options.one, NULL, NULL },
    G_OPTION_ENTRY_NULL
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    {
      fprintf (stderr, "bench-trace: %s\n", error->message);
      return 2;
    }
  options.n_threads = MAX (options.n_threads, 1);
  options.n_rounds = CLAMP (options.n_rounds, 1, BENCH_MAX_SAMPLES - 1);
  if (options.one != NULL)
    return child_main (&options);
  char *folder = bench_folder_new ();
  bench_folder (folder, &options);
  bench_folder_free (folder);
  g_free (options.peer);
  return 0;
}
