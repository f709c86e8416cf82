/* SPDX-License-Identifier: MIT
 * Saliency by hiding parts, on Whisper: masked runs a second, at the spectrogram and at
 * the encoder's output, beside the plain loop: one masked run at a time through the whole
 * model, and the divergences one exponential after the other.
 *   bench-spes MODEL RECORDING [--threads N] [--batch N] */
#include "config.h"

#include "bench.h"

#include "analysis/hl-spes.h"
#include "backend/cpu/hl-cpu.h"
#include "model/hl-model-source.h"

#include <math.h>
#include <string.h>

#define N_TOKENS 64

typedef struct
{
  HlModel *model;
  HlInput *input;
  HlBackend *backend;
  int batch; /* 0 for what is chosen */
} Bench;

/* ---- the plain loop ------------------------------------------------------------------
 */

/* (transfer full): logits (1, T, V) of the input with every second of @n parts of @x, (1,
 * n, D) or (1, C, frames), at zero. */
static HlTensor *
run_plainly (Bench *bench, HlTensor *x, gboolean at_encoder, int seed)
{
  g_autoptr (HlTensor) hidden = hl_tensor_new_copy (HL_DTYPE_F32, x->shape, x->data);
  const gint64 *dim = hidden->shape.dim;
  for (gint64 i = 0; i < dim[1] * dim[2]; i++)
    if (hl_spes_is_hidden (0, seed, (int) (at_encoder ? i / dim[2] : i / 400)))
      ((float *) hidden->data)[i] = 0;
  HlInput input = *bench->input;
  HlRun run;
  hl_run_init (&run, bench->backend, hl_model_get_info (bench->model), NULL);
  run.reads_all = TRUE;
  if (!at_encoder)
    input.features = hidden;
  else
    {
      g_autoptr (HlIntervention) put = hl_intervention_new (
          HL_INTERVENTION_REPLACE, HL_SITE_FEATURES, 0, 0, NULL, hidden, "hidden");
      hl_run_add_intervention (&run, put);
    }
  HlTensor *logits = hl_model_forward (bench->model, &run, &input);
  if (logits == NULL)
    bench_fail (run.exec.error);
  hl_run_clear (&run);
  return logits;
}

static double
diverge (const float *a, const float *b, gint64 V)
{
  double top_a = -INFINITY, top_b = -INFINITY, sum_a = 0, sum_b = 0, kl = 0;
  for (gint64 i = 0; i < V; i++)
    {
      top_a = fmax (top_a, (double) a[i]);
      top_b = fmax (top_b, (double) b[i]);
    }
  for (gint64 i = 0; i < V; i++)
    {
      sum_a += exp ((double) a[i] - top_a);
      sum_b += exp ((double) b[i] - top_b);
    }
  double lse_a = top_a + log (sum_a), lse_b = top_b + log (sum_b);
  for (gint64 i = 0; i < V; i++)
    kl += exp ((double) a[i] - lse_a) * ((double) a[i] - lse_a - (double) b[i] + lse_b);
  return kl;
}

static double
plain_rate (Bench *bench, gboolean at_encoder, int n)
{
  const HlModelInfo *info = hl_model_get_info (bench->model);
  g_autoptr (HlTensor) rows = hl_tensor_new (
      HL_DTYPE_F32, HL_SHAPE (1, info->n_source_context, info->width), NULL);
  for (gint64 i = 0; i < hl_tensor_count (rows); i++)
    ((float *) rows->data)[i] = (float) sin ((double) i);
  HlTensor *x = at_encoder ? rows : bench->input->features;
  g_autoptr (HlTensor) own = run_plainly (bench, x, at_encoder, -1);
  double start = bench_now_ms (), sum = 0;
  for (int m = 0; m < n; m++)
    {
      g_autoptr (HlTensor) logits = run_plainly (bench, x, at_encoder, m);
      gint64 T = logits->shape.dim[1], V = logits->shape.dim[2];
      for (gint64 t = 0; t < T; t++)
        sum += diverge (hl_tensor_f32 (own) + t * V, hl_tensor_f32 (logits) + t * V, V);
    }
  g_assert (sum >= 0);
  return 1e3 * n / (bench_now_ms () - start);
}

/* ---- ours ----------------------------------------------------------------------------
 */

static double
our_rate (Bench *bench, gboolean at_encoder, int n, int *batch)
{
  g_autoptr (GError) error = NULL;
  const HlSaliencyOptions options = { .method = HL_SALIENCY_SPES,
                                      .at_features = at_encoder,
                                      .spes.n_masks = n,
                                      .spes.batch = bench->batch };
  g_autoptr (HlSpes) spes = hl_spes_new (bench->model, bench->input, bench->backend,
                                         HL_TARGET_EVERY, -1, -1, &options, NULL, &error);
  double start = bench_now_ms ();
  if (spes == NULL || !hl_spes_run (spes, 0, NULL, &error))
    bench_fail (error);
  *batch = hl_spes_get_maps (spes)->batch;
  return 1e3 * n / (bench_now_ms () - start);
}

static void
measure (Bench *bench, gboolean at_encoder, int n_ours, int n_plain)
{
  int batch;
  double plain = plain_rate (bench, at_encoder, n_plain);
  double ours = our_rate (bench, at_encoder, n_ours, &batch);
  bench_say (at_encoder ? "masked runs/s at the encoder's output"
                        : "masked runs/s at the spectrogram",
             "%.2f in batches of %d, %.2f in the plain loop: %.1f times", ours, batch,
             plain, ours / plain);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  Bench bench = { 0 };
  int n_threads = (int) g_get_num_processors ();
  for (int i = 3; i + 1 < argc; i += 2)
    if (g_str_equal (argv[i], "--threads"))
      n_threads = (int) g_ascii_strtoll (argv[i + 1], NULL, 10);
    else if (g_str_equal (argv[i], "--batch"))
      bench.batch = (int) g_ascii_strtoll (argv[i + 1], NULL, 10);
  if (argc < 3)
    {
      bench_title ("== spes: skipped: no model and recording (HEADLIGHT_TEST_DATA) ==");
      return 0;
    }
  bench.backend = hl_cpu_backend_new (HL_DTYPE_F32, n_threads);
  bench.model = hl_model_open (argv[1], &error);
  g_autoptr (HlInput) heard =
      bench.model != NULL
          ? hl_model_open_audio (bench.model, argv[2], 0, NULL, NULL, &error)
          : NULL;
  bench.input = heard != NULL ? hl_model_complete (bench.model, heard, bench.backend,
                                                   N_TOKENS, NULL, &error)
                              : NULL;
  if (bench.input == NULL)
    bench_fail (error);
  g_autofree char *words = bench.backend->klass->describe (bench.backend);
  bench_title (
      "== spes: %s, 30 s, %d tokens said, %s ==", hl_model_get_info (bench.model)->name,
      (int) bench.input->ids->shape.dim[1], words);
  measure (&bench, FALSE, 12, 6);
  measure (&bench, TRUE, 100, 6);
  hl_input_unref (bench.input);
  hl_model_unref (bench.model);
  hl_backend_unref (bench.backend);
  return 0;
}
