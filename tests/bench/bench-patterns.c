/* SPDX-License-Identifier: MIT
 * Training the autoencoder of patterns: a step of 32 maps of 14 x 14 and of 7 x 7
 * patches, beside the same net in PyTorch; t-SNE of 5,000 points and more. bench-patterns
 * [--rounds N] [--threads N] [--peer SCRIPT] */
#include "config.h"

#include "analysis/hl-autoencoder.h"
#include "analysis/hl-tsne.h"
#include "backend/cpu/hl-cpu.h"
#include "bench.h"

#include <stdio.h>

#define BATCH 32
#define STEPS 5 /* a sample */

static HlTensor *
draw (HlShape shape)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);
  HlTensor *x = hl_tensor_new (HL_DTYPE_F32, shape, NULL);
  for (gint64 i = 0; i < hl_tensor_count (x); i++)
    ((float *) x->data)[i] = (float) g_rand_double (rand);
  return x;
}

/* A large product on the same threads: what the machine can do. */
static double
best_gflops (HlBackend *backend)
{
  HlExec exec;
  double best = 0;
  g_autoptr (HlTensor) a = draw (HL_SHAPE (1, 2048, 2048));
  g_autoptr (HlTensor) b = draw (HL_SHAPE (2048, 2048));
  hl_exec_init (&exec, backend, NULL);
  for (int i = 0; i < 5; i++)
    {
      double start = bench_now_ms ();
      g_autoptr (HlTensor) y = hl_linear (&exec, a, b, NULL);
      double gflop = 2.0 * 2048 * 2048 * 2048 / 1e9;
      best = MAX (best, gflop / (bench_now_ms () - start) * 1000);
    }
  hl_exec_clear (&exec);
  return best;
}

static void
bench_net (HlBackend *backend, int side, int n_rounds, int n_threads, const char *script)
{
  double loss;
  BenchPeer peer = { 0 };
  BenchSamples samples = { 0 };
  g_autoptr (GError) error = NULL;
  const HlAutoencoderShape shape = { side, side, 0 };
  g_autoptr (HlAutoencoder) net = hl_autoencoder_new (backend, shape, 1, NULL);
  g_autoptr (HlTensor) x = draw (HL_SHAPE (BATCH, (gint64) side * side));
  for (int i = 0; i <= n_rounds; i++)
    {
      double start = bench_now_ms ();
      for (int k = 0; k < STEPS; k++)
        if (!hl_autoencoder_step (net, x, NULL, &loss, &error))
          bench_fail (error);
      if (i > 0) /* the first one is warm-up */
        bench_add (&samples, start);
    }
  double gflop = 3 * hl_autoencoder_flops (net) * BATCH * STEPS / 1e9;
  double rate = gflop / bench_median (&samples) * 1000;
  g_autofree char *what =
      g_strdup_printf ("%d steps of %d maps of %d x %d", STEPS, BATCH, side, side);
  bench_row (what, &samples, "%.0f GFLOP/s, %2.0f %% of a large product's", rate,
             100 * rate / best_gflops (backend));
  if (script == NULL)
    return;
  g_autofree char *threads = g_strdup_printf ("%d", n_threads);
  g_autofree char *size = g_strdup_printf ("%d", side);
  const char *arguments[] = { size, threads, NULL };
  bench_peer_run (&peer, script, arguments);
  if (peer.line != NULL)
    bench_say (peer.line, "%s", "");
  if (peer.median_ms > 0)
    bench_say ("ratio, PyTorch's time to ours", "%.2f (least against least %.2f)",
               peer.median_ms / bench_median (&samples),
               peer.least_ms / bench_min (&samples));
  bench_peer_clear (&peer);
}

static void
bench_layout (int n)
{
  BenchSamples samples = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (HlTensor) x = draw (HL_SHAPE (n, HL_AUTOENCODER_LATENT));
  g_autofree float *y = g_new (float, 2 * (gsize) n);
  double start = bench_now_ms ();
  if (!hl_tsne (x->data, n, HL_AUTOENCODER_LATENT, 0.5, 1, NULL, y, &error))
    bench_fail (error);
  bench_add (&samples, start);
  g_autofree char *what = g_strdup_printf ("t-SNE of %d points", n);
  bench_row (what, &samples, "%s", "");
}

int
main (int argc, char **argv)
{
  int n_rounds = 5, n_threads = (int) g_get_num_processors ();
  char *script = NULL;
  const GOptionEntry entries[] = {
    { "rounds", 0, 0, G_OPTION_ARG_INT, &n_rounds, "Rounds", "N" },
    { "threads", 0, 0, G_OPTION_ARG_INT, &n_threads, "Threads", "N" },
    { "peer", 0, 0, G_OPTION_ARG_FILENAME, &script, "PyTorch's script", "SCRIPT" },
    G_OPTION_ENTRY_NULL
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    {
      fprintf (stderr, "bench-patterns: %s\n", error->message);
      return 2;
    }
  n_threads = MAX (n_threads, 1);
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, n_threads);
  g_autofree char *words = backend->klass->describe (backend);
  bench_title ("== patterns: training and layout, %s ==", words);
  bench_net (backend, 196, CLAMP (n_rounds, 1, 50), n_threads, script);
  bench_net (backend, 49, CLAMP (n_rounds, 1, 50), n_threads, script);
  bench_layout (1000);
  bench_layout (5000);
  g_free (script);
  return 0;
}
