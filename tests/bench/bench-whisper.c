/* SPDX-License-Identifier: MIT
 * Whisper on 30 s of sound: the encoder, and what each token of the decoder takes; what
 * the machine's own matrix products of that size would take; beside PyTorch.
 *   bench-whisper MODEL RECORDING [--threads N] [--peer SCRIPT] */
#include "config.h"

#include "bench-profile.h"
#include "bench.h"

#include "backend/cpu/hl-cpu.h"
#include "model/hl-model-source.h"
#include "trace/hl-generate.h"

#include <cblas.h>
#include <string.h>

#define N_ROUNDS 7
#define N_TOKENS 64

typedef struct
{
  HlModel *model;
  HlInput *input;
  HlBackend *backend;
  BenchSamples encoder; /* and two tokens of the decoder */
  BenchSamples token;   /* one of N_TOKENS */
} Bench;

static gboolean
hear_cb (const HlGenerated *token, gpointer data)
{
  return TRUE;
}

static void
generate (Bench *bench, HlBackend *backend, int n, BenchSamples *samples)
{
  g_autoptr (GError) error = NULL;
  const HlGenerateOptions options = { .n_tokens = n, .top_p = 1, .goes_on = TRUE };
  double start = bench_now_ms ();
  if (hl_generate (bench->model, bench->input, backend, &options, NULL, hear_cb, NULL,
                   &error) < 0)
    bench_fail (error);
  if (samples != NULL)
    bench_add (samples, start);
}

/* GFLOP/s of a product as the encoder has most of: 1500 places, 512 by 2048. */
static double
product_rate (int n_threads)
{
  const int M = 1500, N = 2048, K = 512;
  g_autofree float *a = g_new0 (float, (gsize) (M * K));
  g_autofree float *b = g_new0 (float, (gsize) (N * K));
  g_autofree float *c = g_new0 (float, (gsize) (M * N));
  BenchSamples samples = { 0 };
  openblas_set_num_threads (n_threads);
  for (int i = 0; i < 21; i++)
    {
      double start = bench_now_ms ();
      cblas_sgemm (CblasRowMajor, CblasNoTrans, CblasTrans, M, N, K, 1, a, K, b, K, 0, c,
                   N);
      bench_add (&samples, start);
    }
  openblas_set_num_threads (1);
  bench_drop_spinning ();
  return 2e-6 * M * N * K / bench_median (&samples);
}

static void
measure (Bench *bench)
{
  generate (bench, bench->backend, N_TOKENS, NULL); /* warm */
  for (int i = 0; i < N_ROUNDS; i++)
    {
      BenchSamples all = { 0 };
      generate (bench, bench->backend, 1, &bench->encoder);
      generate (bench, bench->backend, N_TOKENS, &all);
      double ms = all.ms[0] - bench->encoder.ms[bench->encoder.n - 1];
      bench_add (&bench->token, bench_now_ms () - ms / (N_TOKENS - 1));
    }
}

/* What its products would take at the machine's rate, of what the encoder takes. */
static double
ideal_ms (Bench *bench, double gflops)
{
  g_autoptr (HlBackend) profile = bench_profile_backend_new (bench->backend);
  generate (bench, profile, 1, NULL);
  const BenchProfile *sums = bench_profile_backend_get (profile);
  double flops = sums->flops[HL_OP_LINEAR] + sums->flops[HL_OP_SCORES] +
                 sums->flops[HL_OP_MIX] + sums->flops[HL_OP_ATTENTION];
  return 1e-6 * flops / gflops;
}

static void
run_peer (const Bench *bench,
          const char *script,
          const char *model,
          const char *recording,
          int n_threads)
{
  static const char *const parts[] = { "encode", "token" };
  const BenchSamples *ours[] = { &bench->encoder, &bench->token };
  g_autofree char *threads = g_strdup_printf ("%d", n_threads);
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    {
      const char *arguments[] = { model, recording, threads, parts[i], NULL };
      BenchPeer peer;
      bench_peer_run (&peer, script, arguments);
      bench_say (parts[i], "%s", peer.line);
      if (peer.median_ms > 0)
        bench_say ("ratio, PyTorch's time to ours", "%.2f (least against least %.2f)",
                   peer.median_ms / bench_median (ours[i]),
                   peer.least_ms / bench_min (ours[i]));
      bench_peer_clear (&peer);
    }
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  Bench bench = { 0 };
  int n_threads = (int) g_get_num_processors ();
  const char *script = NULL;
  for (int i = 3; i + 1 < argc; i += 2)
    if (g_str_equal (argv[i], "--threads"))
      n_threads = (int) g_ascii_strtoll (argv[i + 1], NULL, 10);
    else if (g_str_equal (argv[i], "--peer"))
      script = argv[i + 1];
  if (argc < 3)
    {
      bench_title (
          "== whisper: skipped: no model and recording (HEADLIGHT_TEST_DATA) ==");
      return 0;
    }
  bench.backend = hl_cpu_backend_new (HL_DTYPE_F32, n_threads);
  bench.model = hl_model_open (argv[1], &error);
  bench.input = bench.model != NULL
                    ? hl_model_open_audio (bench.model, argv[2], 0, NULL, NULL, &error)
                    : NULL;
  if (bench.input == NULL)
    bench_fail (error);
  g_autofree char *words = bench.backend->klass->describe (bench.backend);
  bench_title ("== whisper: %s, 30 s, %s ==", hl_model_get_info (bench.model)->name,
               words);
  double gflops = product_rate (n_threads);
  measure (&bench);
  bench_row ("encoder, and the first token", &bench.encoder,
             "products alone %.0f ms (%.0f GFLOP/s): %.0f %%", ideal_ms (&bench, gflops),
             gflops, 100 * ideal_ms (&bench, gflops) / bench_median (&bench.encoder));
  bench_row ("each token of 64", &bench.token, "%.0f tokens/s",
             1e3 / bench_median (&bench.token));
  if (script != NULL)
    run_peer (&bench, script, argv[1], argv[2], n_threads);
  hl_input_unref (bench.input);
  hl_model_unref (bench.model);
  hl_backend_unref (bench.backend);
  return 0;
}
