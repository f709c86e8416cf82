/* SPDX-License-Identifier: MIT
 * Tokens a second, beside what the machine's memory allows: one token reads every weight
 * once, and the keys and values of all tokens before it. */
#include "config.h"

#include "backend/cpu/hl-cpu.h"
#include "bench-model.h"
#include "bench-text.h"
#include "trace/hl-generate.h"

#include <cblas.h>

#define N_NEW 48
/* Larger than any cache. */
#define READ_FLOATS ((gint64) 64 << 20)
/* float32 weights that one token reads: those of the blocks and the vocabulary's. */
#define WEIGHTS_A_TOKEN                                                                  \
  (BENCH_L * (4.0 * BENCH_D * BENCH_D + 2.0 * BENCH_D * BENCH_F) +                       \
   (double) BENCH_VOCABULARY * BENCH_D)

/* Numbers of keys and values that each token before adds. */
#define CACHE_A_TOKEN (2.0 * BENCH_L * BENCH_D)

typedef struct
{
  double before_ms;
  int n;
  BenchSamples *samples;
} Clock;

/* The first token comes after the whole of the prompt and is not counted. */
static gboolean
token_cb (const HlGenerated *token, gpointer data)
{
  Clock *clock = data;
  if (clock->n++ > 0)
    bench_add (clock->samples, clock->before_ms);
  clock->before_ms = bench_now_ms ();
  return TRUE;
}

typedef struct
{
  const float *numbers;
  double sums[256];
} Reading;

static void
read_part (gpointer data, gint64 begin, gint64 end, int thread)
{
  Reading *reading = data;
  const float *from = reading->numbers + begin;
  reading->sums[thread % 256] +=
      (double) cblas_sdot ((int) (end - begin), from, 1, from, 1);
}

/* Time to read READ_FLOATS numbers once by all threads. */
static void
read_memory (CpuPool *pool, const float *numbers, BenchSamples *samples)
{
  Reading reading = { .numbers = numbers };
  double start = bench_now_ms ();
  cpu_pool_run (pool, READ_FLOATS, 1 << 18, read_part, &reading, NULL);
  bench_add (samples, start);
}

static void
decode_once (HlModel *model, HlBackend *backend, int n_tokens, BenchSamples *samples)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlInput) input = bench_model_text (n_tokens);
  Clock clock = { .samples = samples };
  HlGenerateOptions options = { .n_tokens = N_NEW + 1, .goes_on = TRUE };
  if (hl_generate (model, input, backend, &options, NULL, token_cb, &clock, &error) < 0)
    bench_fail (error);
}

static void
print_decode (int n_tokens, const BenchSamples *own, const BenchSamples *reads)
{
  double gb = 4e-9 * (WEIGHTS_A_TOKEN + CACHE_A_TOKEN * (n_tokens + N_NEW / 2.0));
  double rate = 4e-6 * READ_FLOATS / bench_median (reads);
  double best = 4e-6 * READ_FLOATS / bench_min (reads);
  g_autofree char *what = g_strdup_printf ("one token after %d", n_tokens);
  bench_row (what, own,
             "%5.1f tokens/s, %3.0f %% of what reading %.0f MB at %.1f GB/s allows "
             "(least against least %3.0f %%; goal 75 %%)",
             1e3 / bench_median (own), 100 * gb / rate * 1e3 / bench_median (own),
             1e3 * gb, rate, 100 * gb / best * 1e3 / bench_min (own));
}

static void
print_peer (const char *folder,
            const BenchTextOptions *options,
            int n_tokens,
            const BenchSamples *own)
{
  BenchPeer peer = { 0 };
  g_autofree char *threads = g_strdup_printf ("%d", options->n_threads);
  g_autofree char *tokens = g_strdup_printf ("%d", n_tokens);
  const char *arguments[] = { folder, threads, "generate", tokens, "48", NULL };
  bench_peer_run (&peer, options->peer, arguments);
  bench_say (peer.line, "%s", "");
  if (peer.median_ms > 0)
    bench_say ("ratio, PyTorch's time to ours", "%.2f (least against least %.2f)",
               peer.median_ms / bench_median (own), peer.least_ms / bench_min (own));
  bench_peer_clear (&peer);
}

void
bench_text_decode (const char *folder, const BenchTextOptions *options)
{
  static const int contexts[] = { 64, 1024 };
  g_autoptr (GError) error = NULL;
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, options->n_threads);
  HlModel *model = hl_model_open (folder, &error);
  if (model == NULL)
    bench_fail (error);
  CpuPool *pool = cpu_pool_new (options->n_threads);
  g_autofree float *numbers = g_new (float, READ_FLOATS);
  for (gint64 i = 0; i < READ_FLOATS; i++)
    numbers[i] = (float) (i % 13);
  g_autofree char *words = backend->klass->describe (backend);
  bench_title ("== decode: random GPT-2 (small), greedy, with a cache, %s ==", words);
  for (guint i = 0; i < G_N_ELEMENTS (contexts); i++)
    {
      BenchSamples own = { 0 }, reads = { 0 };
      for (int round = 0; round < 3; round++)
        {
          for (int n = 0; n < 5; n++)
            read_memory (pool, numbers, &reads);
          decode_once (model, backend, contexts[i], &own);
        }
      print_decode (contexts[i], &own, &reads);
      if (options->peer != NULL)
        print_peer (folder, options, contexts[i], &own);
    }
  cpu_pool_free (pool);
  hl_model_unref (model);
}
