/* SPDX-License-Identifier: MIT
 * Tracing texts with a random model of GPT-2 (small)'s shape: time with and without what
 * every position predicts, share of what the machine's matrix products alone would take,
 * memory, and the ratio to PyTorch.
 * bench-text [--long | --decode] [--half] [--rounds N] [--threads N] [--tokens N]
 *            [--peer SCRIPT] */
#include "config.h"

#include "bench-text.h"

#include "backend/cpu/hl-cpu.h"
#include "bench-model.h"
#include "bench-products.h"
#include "bench-profile.h"
#include "trace/hl-tracer.h"

#include <stdio.h>
#include <string.h>

#define N_POSITIONS 16384
/* All maps of 1,024 tokens are 604 MB; of 4,096 they would be 9.7 GB. */
#define STORED_MAX 1024

static const struct
{
  const char *what;
  HlMaps maps;
  gboolean no_predictions;
} kinds[] = {
  { "maps stored, predictions", HL_MAPS_STORED, FALSE },
  { "maps stored, no predictions", HL_MAPS_STORED, TRUE },
  { "q, k and lse, predictions", HL_MAPS_RECOMPUTED, FALSE },
  { "q, k and lse, no predictions", HL_MAPS_RECOMPUTED, TRUE },
};

typedef struct
{
  const BenchTextOptions *options;
  const char *folder;
  HlBackend *backend;
  HlModel *model;
  HlInput *input;
  int n_tokens;
  BenchProducts *products;
  BenchSamples samples[G_N_ELEMENTS (kinds)];
} Bench;

static gboolean
is_measured (const Bench *bench, guint kind)
{
  return kinds[kind].maps != HL_MAPS_STORED || bench->n_tokens <= STORED_MAX;
}

static void
trace_once (Bench *bench, HlBackend *backend, guint kind, BenchSamples *samples)
{
  g_autoptr (GError) error = NULL;
  HlTraceOptions options = { .maps = kinds[kind].maps,
                             .no_predictions = kinds[kind].no_predictions };
  double start = bench_now_ms ();
  g_autoptr (HlTrace) trace =
      hl_tracer_run (bench->model, bench->input, backend, &options, NULL, &error);
  if (trace == NULL)
    bench_fail (error);
  bench_add (samples, start);
}

static void
run_rounds (Bench *bench, int n_rounds)
{
  for (int round = 0; round < n_rounds; round++)
    {
      for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
        if (is_measured (bench, i))
          trace_once (bench, bench->backend, i, &bench->samples[i]);
      bench_products_run (bench->products);
    }
}

static void
print_traces (Bench *bench)
{
  bench_title ("%d tokens: a trace (goal: share of 75 %% or more)", bench->n_tokens);
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      if (!is_measured (bench, i))
        continue;
      gboolean has_readout = !kinds[i].no_predictions;
      double ideal = bench_products_ideal_ms (bench->products, has_readout, bench_median);
      double least = bench_products_ideal_ms (bench->products, has_readout, bench_min);
      double ms = bench_median (&bench->samples[i]);
      bench_row (kinds[i].what, &bench->samples[i],
                 "%7.0f tokens/s, share %3.0f %% (least against least %3.0f %%)",
                 bench->n_tokens / ms * 1e3, 100 * ideal / ms,
                 100 * least / bench_min (&bench->samples[i]));
    }
}

/* Where a trace's time goes, op by op. */
static void
print_profile (Bench *bench, guint kind)
{
  g_autoptr (HlBackend) profile = bench_profile_backend_new (bench->backend);
  BenchSamples whole = { 0 };
  trace_once (bench, profile, kind, &whole);
  const BenchProfile *sums = bench_profile_backend_get (profile);
  double in_ops = 0, total = whole.ms[0];
  bench_title ("%d tokens: where it goes, %s", bench->n_tokens, kinds[kind].what);
  for (int op = 0; op < HL_N_OPS; op++)
    {
      if (sums->n_calls[op] == 0)
        continue;
      in_ops += sums->ms[op];
      bench_say (hl_op_get_info ((HlOp) op)->name,
                 "%9.3f ms  %4.1f %%  %3d calls  %6.1f GFLOP/s  %5.1f GB/s", sums->ms[op],
                 100 * sums->ms[op] / total, sums->n_calls[op],
                 sums->flops[op] / sums->ms[op] / 1e6,
                 sums->bytes[op] / sums->ms[op] / 1e6);
    }
  bench_say ("memory for outputs", "%9.3f ms  %4.1f %%", sums->alloc_ms,
             100 * sums->alloc_ms / total);
  double rest = total - in_ops - sums->alloc_ms;
  bench_say ("everything else", "%9.3f ms  %4.1f %%", rest, 100 * rest / total);
}

/* ---- memory, measured in a child -----------------------------------------------------
 */

static guint
kind_of_size (int n_tokens)
{
  return n_tokens <= STORED_MAX ? 0 : 2;
}

/* Peak, mapped files in it, and what the tracer said it would need beside those; MB. */
static int
child_main (const BenchTextOptions *options)
{
  g_autoptr (GError) error = NULL;
  Bench bench = { .n_tokens = options->n_tokens };
  BenchSamples samples = { 0 };
  guint kind = kind_of_size (options->n_tokens);
  bench.backend = hl_cpu_backend_new (HL_DTYPE_F32, options->n_threads);
  bench.model = hl_model_open (options->child, &error);
  if (bench.model == NULL)
    bench_fail (error);
  bench.input = bench_model_text (options->n_tokens);
  HlTraceOptions trace_options = { .maps = kinds[kind].maps };
  HlTraceCost cost = hl_tracer_cost (bench.model, bench.input, &trace_options);
  trace_once (&bench, bench.backend, kind, &samples);
  BenchMemory memory = bench_memory_now ();
  printf ("%.1f %.1f %.1f\n", memory.peak_mb, memory.mapped_mb,
          1e-6 * (double) (cost.weights + cost.activations + cost.maps));
  hl_input_unref (bench.input);
  hl_model_unref (bench.model);
  hl_backend_unref (bench.backend);
  return 0;
}

static void
print_memory (const Bench *bench, const BenchPeer *peer)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *output = NULL;
  g_autofree char *threads = g_strdup_printf ("%d", bench->options->n_threads);
  g_autofree char *tokens = g_strdup_printf ("%d", bench->n_tokens);
  const char *argv[] = { "/proc/self/exe", "--child",  bench->folder, "--threads",
                         threads,          "--tokens", tokens,        NULL };
  double peak = 0, mapped = 0, stated = 0;
  int status = 0;
  if (!g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &output,
                     NULL, &status, &error) ||
      !g_spawn_check_wait_status (status, &error))
    bench_fail (error);
  char *end = output;
  peak = g_ascii_strtod (end, &end);
  mapped = g_ascii_strtod (end, &end);
  stated = g_ascii_strtod (end, &end);
  bench_say ("peak (resident), one trace",
             "%6.0f MB (%s): files mapped %.0f + %.0f; the tracer said + %.0f", peak,
             kinds[kind_of_size (bench->n_tokens)].what, mapped, peak - mapped, stated);
  if (peer->peak_mb > 0)
    bench_say ("peak (resident), PyTorch", "%6.0f MB, %.1f times ours", peer->peak_mb,
               peer->peak_mb / peak);
}

static void
run_peer (const Bench *bench, BenchPeer *peer)
{
  g_autofree char *threads = g_strdup_printf ("%d", bench->options->n_threads);
  g_autofree char *tokens = g_strdup_printf ("%d", bench->n_tokens);
  const char *arguments[] = { bench->folder, threads, "forward", tokens, "8", NULL };
  if (bench->options->peer != NULL)
    bench_peer_run (peer, bench->options->peer, arguments);
}

static void
print_peer (const Bench *bench, const BenchPeer *peer)
{
  const BenchSamples *ours = &bench->samples[kind_of_size (bench->n_tokens)];
  if (peer->line == NULL)
    return;
  bench_say (peer->line, "%s", "");
  if (peer->median_ms > 0)
    bench_say ("ratio, PyTorch's time to ours", "%.2f (least against least %.2f)%s",
               peer->median_ms / bench_median (ours), peer->least_ms / bench_min (ours),
               bench->n_tokens > STORED_MAX ? "; ours keeps q, k and lse" : "");
}

static void
bench_size (Bench *bench, int n_tokens, int n_rounds)
{
  BenchPeer peer = { 0 };
  bench->n_tokens = n_tokens;
  bench->input = bench_model_text (n_tokens);
  memset (bench->samples, 0, sizeof bench->samples);
  bench->products = bench_products_new_text (bench->options->n_threads, n_tokens);
  bench_products_run (bench->products); /* warm; its samples count, the median bears it */
  run_rounds (bench, (n_rounds + 1) / 2);
  hl_cpu_backend_trim (bench->backend);
  run_peer (bench, &peer);
  run_rounds (bench, n_rounds / 2);
  print_traces (bench);
  bench_products_print (bench->products);
  print_profile (bench, kind_of_size (n_tokens));
  hl_cpu_backend_trim (bench->backend);
  bench_title ("%d tokens: PyTorch, eager, every map and all logits returned; memory",
               n_tokens);
  print_peer (bench, &peer);
  print_memory (bench, &peer);
  bench_peer_clear (&peer);
  bench_products_free (bench->products);
  hl_input_unref (bench->input);
}

static void
bench_text (const char *folder, const BenchTextOptions *options)
{
  g_autoptr (GError) error = NULL;
  Bench bench = { .options = options, .folder = folder };
  bench.backend = hl_cpu_backend_new (HL_DTYPE_F32, options->n_threads);
  bench.model = hl_model_open (folder, &error);
  if (bench.model == NULL)
    bench_fail (error);
  g_autofree char *words = bench.backend->klass->describe (bench.backend);
  bench_title ("== text: random GPT-2 (small), weights %s, %s ==",
               options->is_half ? "float16" : "float32", words);
  bench_size (&bench, 256, options->n_rounds);
  bench_size (&bench, 1024, MAX (options->n_rounds / 2, 1));
  bench_size (&bench, 4096, MAX (options->n_rounds / 4, 1));
  hl_model_unref (bench.model);
  hl_backend_unref (bench.backend);
}

static int
bench_main (const BenchTextOptions *options)
{
  g_autoptr (GError) error = NULL;
  HlDtype dtype = options->is_half ? HL_DTYPE_F16 : HL_DTYPE_F32;
  if (options->child != NULL && options->is_long)
    {
      bench_text_long (options->child, options);
      return 0;
    }
  if (options->child != NULL)
    return child_main (options);
  char *folder = bench_folder_new ();
  if (!bench_model_write_gpt2 (folder, MAX (options->n_tokens, N_POSITIONS), dtype,
                               &error))
    bench_fail (error);
  if (options->is_long)
    bench_text_long (folder, options);
  else if (options->is_decode)
    bench_text_decode (folder, options);
  else
    bench_text (folder, options);
  bench_folder_free (folder);
  return 0;
}

int
main (int argc, char **argv)
{
  BenchTextOptions options = { .n_rounds = 11,
                               .n_threads = (int) g_get_num_processors (),
                               .n_tokens = N_POSITIONS };
  const GOptionEntry entries[] = {
    { "long", 0, 0, G_OPTION_ARG_NONE, &options.is_long, "A long text", NULL },
    { "decode", 0, 0, G_OPTION_ARG_NONE, &options.is_decode, "Tokens a second", NULL },
    { "half", 0, 0, G_OPTION_ARG_NONE, &options.is_half, "Weights as float16", NULL },
    { "rounds", 0, 0, G_OPTION_ARG_INT, &options.n_rounds, "Rounds", "N" },
    { "threads", 0, 0, G_OPTION_ARG_INT, &options.n_threads, "Threads", "N" },
    { "tokens", 0, 0, G_OPTION_ARG_INT, &options.n_tokens, "Of the long text", "N" },
    { "peer", 0, 0, G_OPTION_ARG_FILENAME, &options.peer, "PyTorch's script", "SCRIPT" },
    { "child", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_FILENAME, &options.child, NULL,
      NULL },
    G_OPTION_ENTRY_NULL
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    {
      fprintf (stderr, "bench-text: %s\n", error->message);
      return 2;
    }
  options.n_threads = MAX (options.n_threads, 1);
  options.n_tokens = CLAMP (options.n_tokens, 2, 1 << 17);
  options.n_rounds = CLAMP (options.n_rounds, 1, BENCH_MAX_SAMPLES - 1);
  int status = bench_main (&options);
  g_free (options.peer);
  g_free (options.child);
  return status;
}
