/* SPDX-License-Identifier: MIT
 * The CUDA backend on the GPU that is here, beside the GPU's own limits, which are
 * measured in the same run: a large copy (bytes read and written) and a large matrix
 * product in the precision at hand. Times are the device's, between two marks in its
 * queue; inputs of ops rotate through more than its caches hold.
 * bench-gpu [--tiny]: tiny shapes try the program out where there is no GPU. */
#include "config.h"

#include "analysis/hl-importance.h"
#include "backend/hl-backend-list.h"
#include "bench-model.h"
#include "bench.h"
#include "model/hl-model.h"
#include "ops/hl-exec.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define N_ROUNDS 20
#define N_WARM 3

/* @copy_rate: bytes a millisecond; @product_rate: flops a millisecond */
typedef struct
{
  gboolean is_tiny;
  HlBackend *backend;
  double copy_rate;
  double product_rate;
  HlTensor *from, *to; /* of the large copy */
} Bench;

static HlTensor *
numbers (Bench *b, HlShape shape, guint32 seed)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlTensor) host = hl_tensor_new (HL_DTYPE_F32, shape, &error);
  guint32 state = seed * 2654435761u + 1;
  for (gint64 i = 0; host != NULL && i < hl_tensor_count (host); i++)
    {
      state = state * 1664525u + 1013904223u;
      ((float *) host->data)[i] = (float) (state >> 8) / (float) (1 << 23) - 1;
    }
  HlTensor *there = host != NULL ? hl_backend_upload (b->backend, host, &error) : NULL;
  if (there == NULL)
    bench_fail (error);
  return there;
}

/* ---- one op --------------------------------------------------------------------------
 */

/* As many copies of the inputs as exceed the caches, up to eight. */
#define MOST_SETS 8
#define CACHE_BYTES ((gsize) 128 << 20)

static int
sets_of (const Bench *b, const HlOpCall *call)
{
  double bytes = hl_op_bytes (call);
  double n = ceil ((double) CACHE_BYTES / fmax (bytes, 1)) + 1;
  return b->is_tiny ? 1 : (int) CLAMP (n, 2, MOST_SETS);
}

static void
run_once (Bench *b, HlOpCall *call)
{
  g_autoptr (GError) error = NULL;
  if (!hl_backend_run_op (b->backend, call, NULL, &error))
    bench_fail (error);
}

static void
free_outputs (HlOpCall *call)
{
  for (int i = 0; i < HL_OP_MAX_OUT; i++)
    g_clear_pointer (&call->out[i], hl_tensor_unref);
}

/* Something to do for the device, while the host queues what is to be timed. */
static void
keep_busy (Bench *b)
{
  g_autoptr (GError) error = NULL;
  if (b->from != NULL && !hl_backend_copy (b->backend, b->to, b->from, &error))
    bench_fail (error);
}

/* Rounds of @n_sets runs between two marks. Results are kept until the second one: each
 * is written elsewhere, and not into what a cache still holds. */
static void
time_op (Bench *b, HlOpCall *sets, int n_sets, BenchSamples *samples)
{
  const HlDeviceClass *device = b->backend->klass->device;
  int n_rounds = b->is_tiny ? 1 : N_WARM + N_ROUNDS;
  samples->n = 0;
  for (int round = 0; round < n_rounds; round++)
    {
      keep_busy (b);
      gpointer first = device->mark (b->backend);
      for (int i = 0; i < n_sets; i++)
        run_once (b, &sets[i]);
      double ms = device->between_ms (b->backend, first, device->mark (b->backend));
      for (int i = 0; i < n_sets; i++)
        free_outputs (&sets[i]);
      if (b->is_tiny || round >= N_WARM)
        samples->ms[samples->n++] = ms / n_sets;
    }
}

static void
free_inputs (HlOpCall *call)
{
  for (int i = 0; i < HL_OP_MAX_IN; i++)
    g_clear_pointer (&call->in[i], hl_tensor_unref);
}

/* @call with inputs of @shapes; @n_in of them. */
static double
measure (Bench *b, HlOpCall call, const HlShape *shapes, int n_in, BenchSamples *samples)
{
  HlOpCall sets[MOST_SETS];
  int n_sets = 1;
  for (int s = 0; s < n_sets; s++)
    {
      sets[s] = call;
      for (int i = 0; i < n_in; i++)
        sets[s].in[i] = numbers (b, shapes[i], (guint32) (s * HL_OP_MAX_IN + i + 1));
      if (s == 0)
        n_sets = sets_of (b, &sets[0]);
    }
  double flops = hl_op_flops (&sets[0]);
  time_op (b, sets, n_sets, samples);
  for (int s = 0; s < n_sets; s++)
    free_inputs (&sets[s]);
  return flops;
}

/* ---- limits --------------------------------------------------------------------------
 */

static void
measure_limits (Bench *b)
{
  g_autoptr (GError) error = NULL;
  BenchSamples copies = { 0 }, products = { 0 };
  const HlDeviceClass *device = b->backend->klass->device;
  gint64 n = b->is_tiny ? 1 << 10 : 1 << 28, side = b->is_tiny ? 16 : 8192;
  HlTensor *from = numbers (b, HL_SHAPE (n), 1), *to = numbers (b, HL_SHAPE (n), 2);
  for (int round = 0; round < (b->is_tiny ? 1 : N_ROUNDS); round++)
    {
      gpointer first = device->mark (b->backend);
      if (!hl_backend_copy (b->backend, to, from, &error))
        bench_fail (error);
      copies.ms[copies.n++] =
          device->between_ms (b->backend, first, device->mark (b->backend));
    }
  b->copy_rate = 2 * (double) hl_tensor_size_bytes (from) / bench_median (&copies);
  b->from = from;
  b->to = to;
  const HlShape shapes[] = { HL_SHAPE (1, side, side), HL_SHAPE (side, side) };
  double flops = measure (b, (HlOpCall){ .op = HL_OP_LINEAR }, shapes, 2, &products);
  b->product_rate = flops / bench_median (&products);
  bench_title ("limits, %s", hl_dtype_name (b->backend->dtype));
  bench_row ("a large copy", &copies, "%.0f GB/s read and written", b->copy_rate / 1e6);
  bench_row ("a large product", &products, "%.1f TFLOP/s", b->product_rate / 1e9);
}

/* ---- ops that wait for memory --------------------------------------------------------
 */

static void
memory_row (Bench *b, HlOpCall call, const HlShape *shapes, int n_in)
{
  BenchSamples samples = { 0 };
  measure (b, call, shapes, n_in, &samples);
  HlTensor like[HL_OP_MAX_IN];
  memset (like, 0, sizeof like);
  for (int i = 0; i < n_in; i++)
    {
      like[i].shape = shapes[i];
      like[i].dtype = b->backend->dtype;
      call.in[i] = &like[i];
    }
  double share = 100 * hl_op_bytes (&call) / bench_median (&samples) / b->copy_rate;
  bench_row (hl_op_get_info (call.op)->name, &samples, "%3.0f %% of the copy rate%s",
             share, share >= 80 || b->is_tiny ? "" : " MISSED: 80");
}

static void
measure_memory_ops (Bench *b)
{
  gint64 B = b->is_tiny ? 1 : 64, T = b->is_tiny ? 5 : 197, H = b->is_tiny ? 2 : 12;
  gint64 D = b->is_tiny ? 32 : 768, K = D / H, F = 4 * D;
  const HlShape wide[] = { HL_SHAPE (B, T, F), HL_SHAPE (B, T, F), HL_SHAPE (B, T, F) };
  const HlShape rows[] = { HL_SHAPE (B, T, D), HL_SHAPE (D), HL_SHAPE (D) };
  const HlShape back[] = { HL_SHAPE (B, T, D), HL_SHAPE (B, T, D), HL_SHAPE (D) };
  const HlShape maps[] = { HL_SHAPE (B, H, T, T), HL_SHAPE (B, H, T, T) };
  const HlShape heads[] = { HL_SHAPE (B, T, H, K), HL_SHAPE (B, H) };
  const HlShape turned[] = { HL_SHAPE (B, T, H, K), HL_SHAPE (T, K / 2),
                             HL_SHAPE (T, K / 2) };
  const HlShape shared[] = { HL_SHAPE (B, T, D), HL_SHAPE (1, T, D), HL_SHAPE (B, T, D) };
  const HlShape joined[] = { HL_SHAPE (1, 1, D), HL_SHAPE (B, T, D) };
  bench_title ("ops that wait for memory (goal: 80 %% of the copy rate)");
  memory_row (b,
              (HlOpCall){ .op = HL_OP_ACTIVATION,
                          .params = { .activation = HL_ACTIVATION_GELU } },
              wide, 1);
  memory_row (b,
              (HlOpCall){ .op = HL_OP_ACTIVATION_GRAD,
                          .params = { .activation = HL_ACTIVATION_GELU } },
              wide, 2);
  memory_row (b, (HlOpCall){ .op = HL_OP_ADD }, wide, 2);
  memory_row (b, (HlOpCall){ .op = HL_OP_ADD }, shared, 2);
  memory_row (b, (HlOpCall){ .op = HL_OP_MULTIPLY }, wide, 2);
  memory_row (b, (HlOpCall){ .op = HL_OP_BLEND }, wide, 3);
  memory_row (b, (HlOpCall){ .op = HL_OP_GATE }, heads, 2);
  memory_row (b, (HlOpCall){ .op = HL_OP_ROPE }, turned, 3);
  memory_row (b, (HlOpCall){ .op = HL_OP_LAYER_NORM, .params = { .eps = 1e-6 } }, rows,
              3);
  memory_row (b, (HlOpCall){ .op = HL_OP_RMS_NORM, .params = { .eps = 1e-6 } }, rows, 2);
  memory_row (b, (HlOpCall){ .op = HL_OP_LAYER_NORM_GRAD, .params = { .eps = 1e-6 } },
              back, 3);
  memory_row (b, (HlOpCall){ .op = HL_OP_SOFTMAX }, maps, 1);
  memory_row (b, (HlOpCall){ .op = HL_OP_SOFTMAX_GRAD }, maps, 2);
  memory_row (b, (HlOpCall){ .op = HL_OP_CONCAT }, joined, 2);
  memory_row (b,
              (HlOpCall){ .op = HL_OP_SLICE, .params = { .start = 1, .count = T - 1 } },
              rows, 1);
  memory_row (
      b, (HlOpCall){ .op = HL_OP_MOMENTS, .params = { .beta1 = 0.9, .beta2 = 0.999 } },
      wide, 3);
  memory_row (b,
              (HlOpCall){ .op = HL_OP_ADAM_STEP,
                          .params = { .beta1 = 0.9, .beta2 = 0.999, .n_steps = 9 } },
              wide, 2);
}

/* ---- attention -----------------------------------------------------------------------
 */

static void
measure_attention (Bench *b)
{
  const gint64 widths[] = { 64, 128 };
  bench_title ("attention without maps (goal: 30 %% of the product rate at K = 128 in "
               "half precision)");
  for (gsize w = 0; w < G_N_ELEMENTS (widths); w++)
    for (int is_causal = 0; is_causal < 2; is_causal++)
      {
        gint64 T = b->is_tiny ? 70 : 8192, H = b->is_tiny ? 1 : 16;
        HlShape shape = HL_SHAPE (1, H, T, widths[w]);
        const HlShape shapes[] = { shape, shape, shape };
        BenchSamples samples = { 0 };
        g_autofree char *what = g_strdup_printf (
            "T = %d, K = %d%s", (int) T, (int) widths[w], is_causal ? ", causal" : "");
        double flops =
            measure (b,
                     (HlOpCall){ .op = HL_OP_ATTENTION,
                                 .params = { .scale = 1 / sqrt ((double) widths[w]),
                                             .is_causal = is_causal } },
                     shapes, 3, &samples);
        double rate = flops / bench_median (&samples);
        bench_row (what, &samples, "%.1f TFLOP/s, %3.0f %% of the product rate",
                   rate / 1e9, 100 * rate / b->product_rate);
      }
}

/* Cells of one screen of 3840 x 2160 at 131,072 tokens, and the whole map. */
static void
measure_tiles (Bench *b)
{
  gint64 T = b->is_tiny ? 600 : 131072, width = b->is_tiny ? 60 : 3840;
  gint64 height = b->is_tiny ? 40 : 2160;
  bench_title ("tiles at %d tokens, K = 128 (goal: a screen of 3840 x 2160 cells below "
               "4 ms)",
               (int) T);
  for (int level = 0; level < 4; level++)
    {
      const HlShape shapes[] = { HL_SHAPE (MIN (height << level, T), 128),
                                 HL_SHAPE (MIN (width << level, T), 128),
                                 HL_SHAPE (MIN (height << level, T)) };
      BenchSamples samples = { 0 };
      g_autofree char *what = g_strdup_printf ("a screen, level %d", level);
      measure (b,
               (HlOpCall){ .op = HL_OP_ATTENTION_POOLED,
                           .params = { .scale = 0.09, .level = level } },
               shapes, 3, &samples);
      bench_row (what, &samples, "%s",
                 b->is_tiny || bench_median (&samples) < 4 ? "" : "MISSED: 4 ms");
    }
  const HlShape whole[] = { HL_SHAPE (T, 128), HL_SHAPE (T, 128), HL_SHAPE (T) };
  BenchSamples samples = { 0 };
  double flops = measure (
      b,
      (HlOpCall){ .op = HL_OP_ATTENTION_POOLED, .params = { .scale = 0.09, .level = 9 } },
      whole, 3, &samples);
  bench_row ("the whole map, level 9", &samples,
             "%.1f TFLOP, %.0f ms at the product rate", flops / 1e12,
             flops / b->product_rate);
}

/* ---- models --------------------------------------------------------------------------
 */

typedef enum
{
  NO_MAPS,
  ON_DEVICE,
  TO_HOST,
} Capture;

/* @end_ms (nullable): (out): when all of it was there, before it is freed again.
 * Returns: floating point operations. */
static double
pass (Bench *b, HlModel *model, HlInput *input, Capture capture, double *end_ms)
{
  HlRun run;
  hl_run_init (&run, b->backend, hl_model_get_info (model), NULL);
  run.captures_to_host = capture == TO_HOST;
  if (capture != NO_MAPS)
    hl_run_capture (&run, "*attn.hook_pattern");
  g_autoptr (HlTensor) logits = hl_model_forward (model, &run, input);
  if (run.exec.error == NULL && capture == TO_HOST)
    hl_backend_finish (b->backend, &run.exec.error);
  if (run.exec.error != NULL)
    bench_fail (run.exec.error);
  double flops = run.exec.flops;
  if (end_ms != NULL)
    *end_ms = bench_now_ms ();
  hl_run_clear (&run);
  return flops;
}

static double
time_pass (Bench *b, HlModel *model, HlInput *input, Capture capture, const char *what)
{
  BenchSamples samples = { 0 };
  const HlDeviceClass *device = b->backend->klass->device;
  for (int i = 0; i < (b->is_tiny ? 1 : N_WARM + N_ROUNDS); i++)
    {
      double start = bench_now_ms (), end = 0;
      gpointer first = device->mark (b->backend);
      pass (b, model, input, capture, &end);
      double ms = device->between_ms (b->backend, first, device->mark (b->backend));
      if (capture == TO_HOST) /* the copies end after the device's last mark */
        ms = end - start;
      if (b->is_tiny || i >= N_WARM)
        samples.ms[samples.n++] = ms;
    }
  bench_row (what, &samples, "%s", "");
  return bench_median (&samples);
}

static HlModel *
open_model (const char *folder)
{
  g_autoptr (GError) error = NULL;
  HlModel *model = hl_model_open (folder, &error);
  if (model == NULL)
    bench_fail (error);
  return model;
}

static HlInput *
pictures (int n, int side)
{
  g_autoptr (HlTensor) pixels =
      hl_tensor_new (HL_DTYPE_F32, HL_SHAPE (n, 3, side, side), NULL);
  for (gint64 i = 0; i < hl_tensor_count (pixels); i++)
    ((float *) pixels->data)[i] = (float) sin ((double) i);
  return hl_input_new_image ("bench", pixels, NULL);
}

static void
measure_vit (Bench *b, const char *folder)
{
  const BenchShape tiny = { 2, 2, 32, 64, 4, 3, 5 };
  const BenchShape base = { BENCH_L,     BENCH_H,    BENCH_D, BENCH_F,
                            BENCH_PATCH, BENCH_GRID, BENCH_V };
  const BenchShape *shape = b->is_tiny ? &tiny : &base;
  g_autoptr (GError) error = NULL;
  if (!bench_model_write_shape (folder, shape, HL_DTYPE_F32, &error))
    bench_fail (error);
  g_autoptr (HlModel) model = open_model (folder);
  const int batches[] = { 1, b->is_tiny ? 2 : 64 };
  for (gsize i = 0; i < G_N_ELEMENTS (batches); i++)
    {
      g_autoptr (HlInput) input = pictures (batches[i], shape->patch * shape->grid);
      bench_title ("ViT-B/16, batch %d, %s", batches[i],
                   hl_dtype_name (b->backend->dtype));
      double plain = time_pass (b, model, input, NO_MAPS, "without maps");
      double there = time_pass (b, model, input, ON_DEVICE, "every map, on the device");
      double here = time_pass (b, model, input, TO_HOST, "every map, on the host");
      gint64 T = 1 + shape->grid * shape->grid;
      double gb = (double) (batches[i] * shape->n_layers * shape->n_heads * T * T) * 4e-9;
      bench_say ("maps on the device", "%.2f times the time without (goal: 1.3)",
                 there / plain);
      bench_say ("maps to the host", "%.2f GB at %.1f GB/s", gb, 1e3 * gb / here);
    }
}

static void
measure_importance (Bench *b, const char *folder)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlModel) model = open_model (folder);
  const HlStack *stack = hl_model_info_get_stack (hl_model_get_info (model), 0);
  const HlImportanceOptions options = { .target = HL_TARGET_PREDICTED,
                                        .against = -1,
                                        .label = -1,
                                        .no_gradients = TRUE,
                                        .no_layers = TRUE };
  g_autoptr (HlHeadScores) scores = hl_head_scores_new (stack);
  g_autoptr (HlInput) input = pictures (1, b->is_tiny ? 12 : 224);
  BenchSamples samples = { 0 };
  for (int i = 0; i < (b->is_tiny ? 1 : 64); i++)
    {
      hl_head_scores_begin_input (scores, "", "");
      double start = bench_now_ms ();
      if (!hl_importance_score (scores, model, input, b->backend, &options, NULL, &error))
        bench_fail (error);
      bench_add (&samples, start);
    }
  bench_title ("every head of ViT-B/16 pruned by itself, %d pictures", samples.n);
  /* A head of layer l costs the blocks from there on: half of a pass on the whole. */
  double n_heads = hl_model_info_count_heads (hl_model_get_info (model));
  double flops = pass (b, model, input, NO_MAPS, NULL) * n_heads * (stack->n_layers + 1) /
                 2 / stack->n_layers;
  bench_row ("a picture", &samples, "%.2f s for all of them, %3.0f %% of the bound",
             samples.n * bench_median (&samples) / 1e3,
             100 * flops / b->product_rate / bench_median (&samples));
}

static void
measure_text (Bench *b, const char *folder, int n_tokens)
{
  g_autoptr (HlModel) model = open_model (folder);
  g_autoptr (HlInput) input = bench_model_text (n_tokens);
  time_pass (b, model, input, NO_MAPS, "without maps");
  time_pass (b, model, input, ON_DEVICE, "every map, on the device");
  time_pass (b, model, input, TO_HOST, "every map, on the host");
}

static void
measure_gpt2 (Bench *b, const char *folder)
{
  g_autoptr (GError) error = NULL;
  if (!bench_model_write_gpt2 (folder, 1024, HL_DTYPE_F16, &error))
    bench_fail (error);
  bench_title ("GPT-2 (small), 1,024 tokens, %s", hl_dtype_name (b->backend->dtype));
  measure_text (b, folder, 1024);
}

/* A quarter of the layers of an 8-billion-parameter Llama: a pass of all takes four times
 * as long, but for its ends. */
static void
measure_llama (Bench *b, const char *folder)
{
  const BenchLlama tiny = { 2, 4, 2, 64, 96 }, eight = { 8, 32, 8, 4096, 14336 };
  int n_tokens = b->is_tiny ? 40 : 4096;
  g_autoptr (GError) error = NULL;
  if (!bench_model_write_llama (folder, b->is_tiny ? &tiny : &eight, &error))
    bench_fail (error);
  bench_title ("8 of 32 layers of Llama-8B's shape, %d tokens, %s", n_tokens,
               hl_dtype_name (b->backend->dtype));
  measure_text (b, folder, n_tokens);
}

static HlBackend *
open_or_say (const char *precision)
{
  g_autoptr (GError) error = NULL;
  const HlBackendChoice choice = { .id = "cuda", .precision = precision };
  HlBackend *backend = hl_backend_open (&choice, &error);
  if (backend == NULL)
    bench_say ("skipped", "%s", error->message);
  return backend;
}

static void
bench_clear (Bench *b)
{
  g_clear_pointer (&b->from, hl_tensor_unref);
  g_clear_pointer (&b->to, hl_tensor_unref);
}

static void
measure_precision (Bench *b)
{
  g_autofree char *words = b->backend->klass->describe (b->backend);
  bench_title ("%s", words);
  measure_limits (b);
  measure_memory_ops (b);
  measure_attention (b);
  if (b->backend->dtype == HL_DTYPE_F32)
    measure_tiles (b);
  char *vit = bench_folder_new (), *text = bench_folder_new ();
  measure_vit (b, vit);
  if (b->backend->dtype == HL_DTYPE_F32)
    measure_importance (b, vit);
  if (!b->is_tiny)
    measure_gpt2 (b, text);
  if (b->is_tiny || b->backend->dtype == HL_DTYPE_BF16)
    measure_llama (b, text);
  bench_folder_free (vit);
  bench_folder_free (text);
}

int
main (int argc, char **argv)
{
  static const char *const precisions[] = { "f32", "bf16", "f16" };
  gboolean is_tiny = argc > 1 && g_str_equal (argv[1], "--tiny");
  for (gsize i = 0; i < G_N_ELEMENTS (precisions); i++)
    {
      g_autoptr (HlBackend) backend = open_or_say (precisions[i]);
      Bench b = { .is_tiny = is_tiny, .backend = backend };
      if (backend == NULL)
        return 0;
      measure_precision (&b);
      bench_clear (&b);
    }
  return 0;
}
