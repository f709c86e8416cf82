/* SPDX-License-Identifier: MIT
 * Pruning each of the 144 heads of a random model of ViT-B/16's shape: share of the
 * arithmetic bound, and the ratio to a plain loop with hooks in PyTorch; ablate now.
 * bench-importance [--rounds N] [--threads N] [--peer SCRIPT] */
#include "config.h"

#include "analysis/hl-importance.h"
#include "backend/cpu/hl-cpu.h"
#include "bench-model.h"
#include "bench-products.h"
#include "trace/hl-tracer.h"

#include <stdio.h>

typedef struct
{
  HlBackend *backend;
  HlModel *model;
  HlInput *input;
  BenchProducts *products;
  BenchSamples pruning, layers, ablation;
} Bench;

static void
score (Bench *b, gboolean no_layers, BenchSamples *samples)
{
  g_autoptr (GError) error = NULL;
  const HlImportanceOptions options = { .target = HL_TARGET_PREDICTED,
                                        .against = -1,
                                        .label = -1,
                                        .no_gradients = TRUE,
                                        .no_layers = no_layers };
  g_autoptr (HlHeadScores) scores =
      hl_head_scores_new (hl_model_info_get_stack (hl_model_get_info (b->model), 0));
  hl_head_scores_begin_input (scores, "", "");
  double start = bench_now_ms ();
  if (!hl_importance_score (scores, b->model, b->input, b->backend, &options, NULL,
                            &error))
    bench_fail (error);
  bench_add (samples, start);
}

/* One head ablated, and everything downstream with every map, as the window does. */
static void
ablate_now (Bench *b)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) list =
      g_ptr_array_new_with_free_func ((GDestroyNotify) hl_intervention_unref);
  g_ptr_array_add (
      list, hl_intervention_new_scale_head (hl_model_get_info (b->model), 0, 3, 5, 0));
  const HlTraceOptions options = { .maps = HL_MAPS_STORED, .interventions = list };
  double start = bench_now_ms ();
  g_autoptr (HlTrace) trace =
      hl_tracer_run (b->model, b->input, b->backend, &options, NULL, &error);
  if (trace == NULL)
    bench_fail (error);
  bench_add (&b->ablation, start);
}

static void
print (Bench *b, const BenchPeer *peer)
{
  double bound = bench_products_ideal_ms (b->products, TRUE, bench_median);
  double least = bench_products_ideal_ms (b->products, TRUE, bench_min);
  bench_title ("every head pruned by itself (goal: share of the bound 85 %% or more)");
  bench_row (
      "pruning alone", &b->pruning, "share %3.0f %% (least against least %3.0f %%)",
      100 * bound / bench_median (&b->pruning), 100 * least / bench_min (&b->pruning));
  bench_row ("with what changes in its own layer", &b->layers,
             "share %3.0f %% (least against least %3.0f %%)",
             100 * bound / bench_median (&b->layers),
             100 * least / bench_min (&b->layers));
  bench_row ("one head ablated now, every map", &b->ablation, "%s",
             bench_median (&b->ablation) < 1000 ? "(goal: below 1 s)" : "MISSED: 1 s");
  bench_products_print (b->products);
  if (peer->line == NULL)
    return;
  bench_title ("PyTorch, a plain loop with hooks, all heads (goal: ratio 2.5 or more)");
  bench_say (peer->line, "%s", "");
  if (peer->median_ms > 0)
    bench_say ("ratio, PyTorch's time to ours", "%.2f (least against least %.2f)",
               peer->median_ms / bench_median (&b->pruning),
               peer->least_ms / bench_min (&b->pruning));
}

static void
bench_folder (const char *folder, int n_threads, int n_rounds, const char *script)
{
  g_autoptr (GError) error = NULL;
  Bench b = { 0 };
  BenchPeer peer = { 0 };
  if (!bench_model_write (folder, HL_DTYPE_F32, &error))
    bench_fail (error);
  b.backend = hl_cpu_backend_new (HL_DTYPE_F32, n_threads);
  b.model = hl_model_open (folder, &error);
  if (b.model == NULL)
    bench_fail (error);
  b.input = bench_model_input ();
  b.products = bench_products_new_importance (n_threads);
  g_autofree char *words = b.backend->klass->describe (b.backend);
  bench_title ("== importance: random ViT-B/16, %s ==", words);
  ablate_now (&b); /* warm: weights are in memory */
  b.ablation.n = 0;
  for (int i = 0; i < n_rounds; i++)
    {
      score (&b, TRUE, &b.pruning);
      bench_products_run (b.products);
      score (&b, FALSE, &b.layers);
      for (int k = 0; k < 3; k++)
        ablate_now (&b);
      if (i == 0 && script != NULL)
        {
          g_autofree char *threads = g_strdup_printf ("%d", n_threads);
          const char *arguments[] = { folder, threads, NULL };
          bench_peer_run (&peer, script, arguments);
        }
    }
  print (&b, &peer);
  bench_peer_clear (&peer);
  bench_products_free (b.products);
  hl_input_unref (b.input);
  hl_model_unref (b.model);
  hl_backend_unref (b.backend);
}

int
main (int argc, char **argv)
{
  int n_rounds = 3, n_threads = (int) g_get_num_processors ();
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
      fprintf (stderr, "bench-importance: %s\n", error->message);
      return 2;
    }
  char *folder = bench_folder_new ();
  bench_folder (folder, MAX (n_threads, 1), CLAMP (n_rounds, 1, 50), script);
  bench_folder_free (folder);
  g_free (script);
  return 0;
}
