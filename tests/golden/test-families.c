/* SPDX-License-Identifier: MIT
 * Models of every family against what the reference library computed (make-encoders.py,
 * make-vision.py, make-decoders.py,
 * make-seq2seq.py):
 * attention of every layer and head, stored and recomputed; the stream before each block,
 * features, pooled features, logits, predictions. */
#include "backend/cpu/hl-cpu.h"
#include "golden-model.h"
#include "trace/hl-attention-source.h"
#include "trace/hl-generate.h"
#include "trace/hl-tracer.h"

#include <math.h>

#define ATTENTION_LIMIT 1e-5
#define RELATIVE_LIMIT 1e-4 /* of the largest number */

typedef struct
{
  const char *name;
  HlModel *model;
  HlInput *input;
  HlSafetensors *expected;
  HlBackend *backend;
} Golden;

static void
golden_init (Golden *g, const char *name)
{
  g->name = name;
  golden_open_model (name, &g->model, &g->input);
  g->expected = golden_open_expected (name);
  g->backend = hl_cpu_backend_new (HL_DTYPE_F32, 2);
}

static void
golden_clear (Golden *g)
{
  hl_model_unref (g->model);
  hl_input_unref (g->input);
  hl_safetensors_unref (g->expected);
  hl_backend_unref (g->backend);
}

static HlTrace *
trace_with (const Golden *g, HlMaps maps)
{
  static const char *const capture[] = { "*hook_resid_pre", "*hook_features",
                                         "*hook_pooled", "*hook_logits", NULL };
  const HlTraceOptions options = { .maps = maps, .capture = capture };
  g_autoptr (GError) error = NULL;
  HlTrace *trace = hl_tracer_run (g->model, g->input, g->backend, &options, NULL, &error);
  g_assert_no_error (error);
  return trace;
}

/* @limit: 0 for one relative to the largest number. */
static void
assert_near (const float *found, const HlTensor *wanted, double limit, const char *what)
{
  const float *numbers = hl_tensor_f32 (wanted);
  gint64 n = hl_tensor_count (wanted);
  double most = 0;
  for (gint64 i = 0; i < n; i++)
    most = fmax (most, fabs ((double) numbers[i]));
  double allowed = limit > 0 ? limit : RELATIVE_LIMIT * most;
  for (gint64 i = 0; i < n; i++)
    if (!(fabs ((double) found[i] - (double) numbers[i]) <= allowed))
      g_error ("%s: number %d: %.9g expected, %.9g found, %.2g allowed", what, (int) i,
               (double) numbers[i], (double) found[i], allowed);
}

static gboolean
has (const Golden *g, const char *key)
{
  return hl_safetensors_lookup (g->expected, key) != NULL;
}

static void
check (const Golden *g,
       const HlTrace *trace,
       const char *key,
       const char *site,
       double limit)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlTensor) wanted = hl_safetensors_get (g->expected, key, &error);
  g_assert_no_error (error);
  const HlTensor *found = hl_trace_get_site (trace, site);
  g_autofree char *what = g_strdup_printf ("%s: %s", g->name, site);
  if (found == NULL)
    g_error ("%s was not captured", what);
  g_autofree char *there = hl_shape_to_string (&wanted->shape);
  g_autofree char *here = hl_shape_to_string (&found->shape);
  if (!hl_shape_equal (&wanted->shape, &found->shape))
    g_error ("%s: %s expected, %s found", what, there, here);
  assert_near (hl_tensor_f32 (found), wanted, limit, what);
}

/* The towers of the file of expected numbers: key before "attentions.0". */
static void
check_stack (const Golden *g, const HlTrace *trace, int stack)
{
  const HlModelInfo *info = hl_model_get_info (g->model);
  const HlStack *tower = hl_model_info_get_stack (info, stack);
  for (int l = 0; l < tower->n_layers; l++)
    {
      const char *dot = tower->name[0] != '\0' ? "." : "";
      g_autofree char *key = g_strdup_printf ("%s%sattentions.%d", tower->name, dot, l);
      g_autofree char *map = hl_trace_site_name (info, stack, l, "attn.hook_pattern");
      g_autofree char *hidden =
          g_strdup_printf ("%s%shidden_states.%d", tower->name, dot, l);
      g_autofree char *resid = hl_trace_site_name (info, stack, l, "hook_resid_pre");
      check (g, trace, key, map, ATTENTION_LIMIT);
      if (has (g, hidden))
        check (g, trace, hidden, resid, 0);
    }
}

static void
check_logits (const Golden *g, const HlTrace *trace)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlTensor) wanted = hl_safetensors_get (g->expected, "logits", &error);
  gint64 rows = wanted->shape.n_dims == 2 ? wanted->shape.dim[0] : 1;
  gint64 V = hl_tensor_count (wanted) / rows;
  g_assert_cmpint (hl_tensor_count (trace->logits), ==, V);
  gint64 row = rows > 1 ? hl_model_get_readout_row (g->model, g->input) : 0;
  g_autoptr (HlTensor) one = hl_tensor_view (wanted, row * V, HL_SHAPE (V), NULL);
  assert_near (hl_tensor_f32 (trace->logits), one, 0, "logits");
  if (rows > 1)
    check (g, trace, "logits", "hook_logits", 0);
}

static void
test_stored (gconstpointer data)
{
  Golden g;
  golden_init (&g, data);
  g_autoptr (HlTrace) trace = trace_with (&g, HL_MAPS_STORED);
  for (guint s = 0; s < hl_model_get_info (g.model)->stacks->len; s++)
    check_stack (&g, trace, (int) s);
  if (has (&g, "features"))
    check (&g, trace, "features", "hook_features", 0);
  if (has (&g, "encoder.features"))
    check (&g, trace, "encoder.features", "encoder.hook_features", 0);
  if (has (&g, "pooled"))
    check (&g, trace, "pooled", "hook_pooled", 0);
  if (has (&g, "logits"))
    check_logits (&g, trace);
  else
    g_assert_null (trace->logits);
  golden_clear (&g);
}

static void
check_recomputed (const Golden *g, HlAttentionSource *source, HlHeadKey head)
{
  g_autoptr (GError) error = NULL;
  const HlStack *tower =
      hl_model_info_get_stack (hl_model_get_info (g->model), head.stack);
  g_autofree char *key = g_strdup_printf ("%s%sattentions.%d", tower->name,
                                          tower->name[0] != '\0' ? "." : "", head.layer);
  g_autoptr (HlTensor) wanted = hl_safetensors_get (g->expected, key, &error);
  gint64 Tq = wanted->shape.dim[1], Tk = wanted->shape.dim[2];
  g_autofree float *map = g_new (float, (gsize) (Tq * Tk));
  g_assert_false (hl_attention_source_is_stored (source, head));
  hl_attention_source_read_rect (source, g->backend, head, 0, Tq, 0, Tk, map, NULL,
                                 &error);
  g_assert_no_error (error);
  g_autoptr (HlTensor) one =
      hl_tensor_view (wanted, head.head * Tq * Tk, HL_SHAPE (Tq, Tk), NULL);
  assert_near (map, one, ATTENTION_LIMIT, key);
  /* A part of it from the middle, and a row of it. */
  gint64 i = Tq / 3, j = Tk / 2, n = Tk - j;
  hl_attention_source_read_rect (source, g->backend, head, i, 1, j, n, map, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (HlTensor) part = hl_tensor_view (one, i * Tk + j, HL_SHAPE (n), NULL);
  assert_near (map, part, ATTENTION_LIMIT, key);
}

/* Maps that follow from Q, K and log-sum-exp, and the fused way through the model. */
static void
test_recomputed (gconstpointer data)
{
  Golden g;
  golden_init (&g, data);
  g_autoptr (HlTrace) trace = trace_with (&g, HL_MAPS_RECOMPUTED);
  g_autoptr (HlAttentionSource) source = hl_attention_source_new (trace);
  const HlModelInfo *info = hl_model_get_info (g.model);
  for (guint s = 0; s < info->stacks->len; s++)
    {
      const HlStack *tower = hl_model_info_get_stack (info, (int) s);
      for (int l = 0; l < tower->n_layers; l++)
        for (int h = 0; h < tower->layers[l].n_heads; h++)
          check_recomputed (&g, source, (HlHeadKey){ (int) s, l, h });
    }
  if (has (&g, "logits"))
    check_logits (&g, trace);
  golden_clear (&g);
}

/* Where one row of the last block is all that is wanted, the logits are the same. */
static void
test_one_row (gconstpointer data)
{
  Golden g;
  golden_init (&g, data);
  g_autoptr (HlTrace) whole = trace_with (&g, HL_MAPS_NONE);
  HlRun run;
  hl_run_init (&run, g.backend, hl_model_get_info (g.model), NULL);
  run.only_row = hl_model_get_readout_row (g.model, g.input);
  g_autoptr (HlTensor) logits = hl_model_forward (g.model, &run, g.input);
  g_assert_no_error (run.exec.error);
  g_assert_nonnull (logits);
  assert_near (hl_tensor_f32 (logits), whole->logits, 0, "one row");
  hl_run_clear (&run);
  golden_clear (&g);
}

static gboolean
hear_cb (const HlGenerated *token, gpointer data)
{
  g_array_append_val ((GArray *) data, token->id);
  return TRUE;
}

/* Token by token with a cache, as the reference goes on without any. */
static void
test_generated (gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  Golden g;
  golden_init (&g, data);
  g_autoptr (HlTensor) wanted = hl_safetensors_get (g.expected, "generated_ids", &error);
  g_autoptr (GArray) found = g_array_new (FALSE, FALSE, sizeof (gint32));
  const HlGenerateOptions options = { .n_tokens = (int) hl_tensor_count (wanted),
                                      .goes_on = TRUE };
  hl_generate (g.model, g.input, g.backend, &options, NULL, hear_cb, found, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (found->data, found->len * sizeof (gint32), wanted->data,
                   hl_tensor_size_bytes (wanted));
  golden_clear (&g);
}

/* Of models that fill in masked tokens: a position's prediction is of its own token. */
static void
test_predictions (gconstpointer data)
{
  Golden g;
  golden_init (&g, data);
  g_autoptr (HlTrace) trace = trace_with (&g, HL_MAPS_NONE);
  g_autoptr (HlTensor) logits = hl_safetensors_get (g.expected, "logits", NULL);
  gint64 T = logits->shape.dim[0], V = logits->shape.dim[1];
  const gint32 *ids = g.input->ids->data, *next = trace->predictions->next_ids->data;
  g_assert_true (trace->predictions->is_own);
  for (gint64 t = 0; t < T; t++)
    {
      const float *x = hl_tensor_f32 (logits) + t * V;
      double sum = 0;
      for (gint64 v = 0; v < V; v++)
        sum += exp ((double) x[v]);
      g_assert_cmpint (next[t], ==, ids[t]);
      g_assert_cmpfloat_with_epsilon (
          (double) hl_tensor_f32 (trace->predictions->next_log_probs)[t],
          (double) x[ids[t]] - log (sum), 1e-4);
    }
  golden_clear (&g);
}

static void
add (const char *kind, const char *name, GTestDataFunc func)
{
  g_autofree char *path = g_strdup_printf ("/families/%s/%s", kind, name);
  g_test_add_data_func (path, name, func);
}

int
main (int argc, char **argv)
{
  static const char *const models[] = {
    "bert-masked",       "bert-classes",
    "bert-tower",        "bert-gamma",
    "bert-score",        "roberta-masked",
    "roberta-classes",   "xlm-roberta-tower",
    "albert-masked",     "albert-classes",
    "distilbert-masked", "distilbert-classes",
    "mpnet-masked",      "mpnet-classes",
    "mpnet-tower",       "vit-dino",
    "deit-teacher",      "deit-plain",
    "dinov2-tower",      "dinov2-swiglu",
    "dinov2-registers",  "dinov2-registers-tower",
    "clip-vision",       "clip-text",
    "clip-text-old",     "clip-both",
    "clip-both#text",    "siglip-vision",
    "siglip-classes",    "siglip-text",
    "siglip-both",       "siglip-both#text",
    "mistral-tiny",      "mistral-full",
    "qwen2-tiny",        "qwen2-window",
    "qwen3-tiny",        "qwen3-bias",
    "olmo2-tiny",        "smollm3-tiny",
    "phi3-tiny",         "phi3-long",
    "gemma-tiny",        "gemma2-tiny",
    "gemma3-tiny",       "gemma3-old",
    "gpt-neox-tiny",     "gpt-neox-serial",
    "opt-tiny",          "opt-narrow",
    "t5-tiny",           "t5-gated",
    "t5-untied",         "bart-tiny",
    "bart-scaled",       "marian-tiny",
    "whisper-tiny",
  };
  static const char *const masked[] = { "bert-masked",       "bert-gamma",
                                        "roberta-masked",    "albert-masked",
                                        "distilbert-masked", "mpnet-masked" };
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (models); i++)
    {
      add ("stored", models[i], test_stored);
      add ("recomputed", models[i], test_recomputed);
      g_autoptr (HlSafetensors) file = golden_open_expected (models[i]);
      if (hl_safetensors_lookup (file, "logits") != NULL)
        add ("one-row", models[i], test_one_row);
      if (hl_safetensors_lookup (file, "generated_ids") != NULL)
        add ("generated", models[i], test_generated);
    }
  for (guint i = 0; i < G_N_ELEMENTS (masked); i++)
    add ("predictions", masked[i], test_predictions);
  return g_test_run ();
}
