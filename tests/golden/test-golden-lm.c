/* SPDX-License-Identifier: MIT
 * Language models against what the reference library computed (make-lm.py): attention of
 * every layer and head, hidden states, logits of every position, what each position
 * predicts, stored and recomputed maps, generation with and without a cache. */
#include "backend/cpu/hl-cpu.h"
#include "base/hl-error.h"
#include "io/hl-safetensors.h"
#include "model/hl-model-text.h"
#include "trace/hl-attention-source.h"
#include "trace/hl-generate.h"
#include "trace/hl-tracer.h"

#include <math.h>
#include <string.h>

#define ATTENTION_LIMIT 1e-5
#define LOGITS_LIMIT 1e-4 /* relative to the largest logit */

typedef struct
{
  HlModel *model;
  HlSafetensors *expected;
  HlBackend *backend;
  HlInput *input;
} Golden;

static void
golden_open (Golden *g, const char *name, const char *file)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder =
      g_test_build_filename (G_TEST_DIST, "golden", "models", name, NULL);
  g_autofree char *path = g_build_filename (folder, file, NULL);
  g->model = hl_model_open (folder, &error);
  g_assert_no_error (error);
  g->expected = hl_safetensors_open (path, &error);
  g_assert_no_error (error);
  g->backend = hl_cpu_backend_new (HL_DTYPE_F32, 2);
  g_autoptr (HlTensor) ids = hl_safetensors_get (g->expected, "input_ids", &error);
  g_assert_no_error (error);
  g->input = hl_model_open_ids (g->model, ids->data, hl_tensor_count (ids), &error);
  g_assert_no_error (error);
}

static void
golden_clear (Golden *g)
{
  hl_model_unref (g->model);
  hl_safetensors_unref (g->expected);
  hl_backend_unref (g->backend);
  hl_input_unref (g->input);
}

static HlTensor *
expected (const Golden *g, const char *name)
{
  g_autoptr (GError) error = NULL;
  HlTensor *t = hl_safetensors_get (g->expected, name, &error);
  g_assert_no_error (error);
  return t;
}

static void
assert_near (
    const float *found, const float *wanted, gint64 n, double limit, const char *what)
{
  for (gint64 i = 0; i < n; i++)
    if (!(fabs ((double) found[i] - (double) wanted[i]) <= limit))
      g_error ("%s: number %d: %.9g expected, %.9g found, %.2g allowed", what, (int) i,
               (double) wanted[i], (double) found[i], limit);
}

static double
limit_of (const HlTensor *wanted)
{
  double most = 0;
  for (gint64 i = 0; i < hl_tensor_count (wanted); i++)
    most = fmax (most, fabs ((double) hl_tensor_f32 (wanted)[i]));
  return LOGITS_LIMIT * most;
}

static HlTrace *
trace_with (const Golden *g, const HlTraceOptions *options)
{
  g_autoptr (GError) error = NULL;
  HlTrace *trace = hl_tracer_run (g->model, g->input, g->backend, options, NULL, &error);
  g_assert_no_error (error);
  return trace;
}

static int
n_layers (const Golden *g)
{
  return hl_model_info_get_stack (hl_model_get_info (g->model), 0)->n_layers;
}

static void
check_site (const Golden *g,
            const HlTrace *trace,
            const char *key,
            const char *site,
            double limit)
{
  g_autoptr (HlTensor) wanted = expected (g, key);
  const HlTensor *found = hl_trace_get_site (trace, site);
  g_assert_nonnull (found);
  g_assert_true (hl_shape_equal (&found->shape, &wanted->shape));
  assert_near (hl_tensor_f32 (found), hl_tensor_f32 (wanted), hl_tensor_count (wanted),
               limit > 0 ? limit : limit_of (wanted), site);
}

static void
check_file (const char *name, const char *file)
{
  static const char *const capture[] = { "*hook_resid_pre", "hook_logits", NULL };
  const HlTraceOptions options = { .maps = HL_MAPS_STORED, .capture = capture };
  Golden g;
  golden_open (&g, name, file);
  g_autoptr (HlTrace) trace = trace_with (&g, &options);
  for (int l = 0; l < n_layers (&g); l++)
    {
      g_autofree char *key = g_strdup_printf ("attentions.%d", l);
      g_autofree char *map = g_strdup_printf ("blocks.%d.attn.hook_pattern", l);
      g_autofree char *hidden = g_strdup_printf ("hidden_states.%d", l);
      g_autofree char *resid = g_strdup_printf ("blocks.%d.hook_resid_pre", l);
      check_site (&g, trace, key, map, ATTENTION_LIMIT);
      check_site (&g, trace, hidden, resid, 0);
    }
  check_site (&g, trace, "logits", "hook_logits", 0);
  g_autoptr (HlTensor) logits = expected (&g, "logits"); /* (T, V) */
  gint64 T = logits->shape.dim[0], V = logits->shape.dim[1];
  g_assert_cmpint (hl_tensor_count (trace->logits), ==, V);
  assert_near (hl_tensor_f32 (trace->logits), hl_tensor_f32 (logits) + (T - 1) * V, V,
               limit_of (logits), "last logits");
  golden_clear (&g);
}

static void
test_model (gconstpointer data)
{
  check_file (data, "expected.safetensors");
}

static void
test_long (gconstpointer data)
{
  check_file (data, "expected-long.safetensors");
}

/* The maps that follow from Q, K and log-sum-exp, and the logits through the op that
 * never makes a map. */
static void
test_recomputed (gconstpointer data)
{
  const HlTraceOptions options = { .maps = HL_MAPS_RECOMPUTED };
  Golden g;
  golden_open (&g, data, "expected.safetensors");
  g_autoptr (HlTrace) trace = trace_with (&g, &options);
  g_autoptr (HlAttentionSource) source = hl_attention_source_new (trace);
  for (int l = 0; l < n_layers (&g); l++)
    {
      g_autofree char *key = g_strdup_printf ("attentions.%d", l);
      g_autoptr (HlTensor) wanted = expected (&g, key); /* (H, T, T) */
      gint64 H = wanted->shape.dim[0], T = wanted->shape.dim[1];
      g_autofree float *map = g_new (float, (gsize) (T * T));
      for (int h = 0; h < H; h++)
        {
          g_autoptr (GError) error = NULL;
          g_assert_false (hl_attention_source_is_stored (source, (HlHeadKey){ 0, l, h }));
          hl_attention_source_read_rect (source, g.backend, (HlHeadKey){ 0, l, h }, 0, T,
                                         0, T, map, NULL, &error);
          g_assert_no_error (error);
          assert_near (map, hl_tensor_f32 (wanted) + h * T * T, T * T, ATTENTION_LIMIT,
                       key);
        }
    }
  g_autoptr (HlTensor) logits = expected (&g, "logits");
  gint64 T = logits->shape.dim[0], V = logits->shape.dim[1];
  assert_near (hl_tensor_f32 (trace->logits), hl_tensor_f32 (logits) + (T - 1) * V, V,
               limit_of (logits), "fused attention");
  golden_clear (&g);
}

/* Every number of the predictions, from the reference's logits in double. */
static void
check_position (const HlPredictions *p, const float *logits, gint64 V, gint64 t)
{
  double sum = 0, entropy = 0;
  int k = hl_predictions_get_k (p), rank = 0;
  gint32 next = ((const gint32 *) p->next_ids->data)[t];
  const gint32 *top = (const gint32 *) p->top_ids->data + t * k;
  const float *top_log = hl_tensor_f32 (p->top_log_probs) + t * k;
  for (gint64 v = 0; v < V; v++)
    sum += exp ((double) logits[v]);
  for (gint64 v = 0; v < V; v++)
    {
      double share = exp ((double) logits[v]) / sum;
      entropy -= share * log (share);
      rank += next >= 0 && logits[v] > logits[next];
    }
  g_assert_cmpfloat_with_epsilon ((double) hl_tensor_f32 (p->entropies)[t], entropy,
                                  1e-4);
  for (int i = 0; i < k; i++)
    {
      int above = 0;
      for (gint64 v = 0; v < V; v++)
        above += logits[v] > logits[top[i]];
      g_assert_cmpint (above, ==, i);
      g_assert_cmpfloat_with_epsilon ((double) top_log[i],
                                      (double) logits[top[i]] - log (sum), 1e-4);
    }
  g_assert_cmpint (((const gint32 *) p->next_ranks->data)[t], ==, next >= 0 ? rank : -1);
  double found = (double) hl_tensor_f32 (p->next_log_probs)[t];
  if (next < 0)
    g_assert_true (isnan (found));
  else
    g_assert_cmpfloat_with_epsilon (found, (double) logits[next] - log (sum), 1e-4);
}

static void
check_predictions (const char *name, HlDtype dtype)
{
  Golden g;
  golden_open (&g, name, "expected.safetensors");
  hl_backend_unref (g.backend);
  g.backend = hl_cpu_backend_new (dtype, 2);
  g_autoptr (HlTrace) trace = trace_with (&g, NULL);
  g_autoptr (HlTensor) logits = expected (&g, "logits");
  g_autoptr (HlTensor) ids = expected (&g, "input_ids");
  gint64 T = logits->shape.dim[0], V = logits->shape.dim[1];
  g_assert_nonnull (trace->predictions);
  /* All logits of so short a text, and as many probabilities, are there at once. */
  const HlTraceOptions without = { .no_predictions = TRUE };
  g_assert_cmpuint (hl_tracer_cost (g.model, g.input, NULL).activations, ==,
                    hl_tracer_cost (g.model, g.input, &without).activations +
                        8 * (gsize) (T * V));
  g_assert_cmpint (hl_predictions_get_length (trace->predictions), ==, T);
  const gint32 *next = trace->predictions->next_ids->data;
  for (gint64 t = 0; t < T; t++)
    {
      g_assert_cmpint (next[t], ==, t + 1 < T ? ((const gint32 *) ids->data)[t + 1] : -1);
      check_position (trace->predictions, hl_tensor_f32 (logits) + t * V, V, t);
    }
  golden_clear (&g);
}

static void
test_predictions (gconstpointer data)
{
  check_predictions (data, HL_DTYPE_F32);
  check_predictions (data, HL_DTYPE_F64);
}

/* Each token gets the mean of all values. */
static void
check_means (const HlTrace *trace, const char *const sites[2])
{
  const HlTensor *values = hl_trace_get_site (trace, sites[0]); /* (T, Hkv, K) */
  const HlTensor *mixed = hl_trace_get_site (trace, sites[1]);  /* (T, H, K) */
  gint64 T = mixed->shape.dim[0], H = mixed->shape.dim[1], K = mixed->shape.dim[2];
  gint64 Hkv = values->shape.dim[1];
  const float *v = hl_tensor_f32 (values), *z = hl_tensor_f32 (mixed);
  for (gint64 i = 0; i < H * K; i++)
    {
      gint64 h = i / K, from = h / (H / Hkv) * K + i % K;
      double mean = 0;
      for (gint64 t = 0; t < T; t++)
        mean += (double) v[t * Hkv * K + from] / (double) T;
      for (gint64 t = 0; t < T; t++)
        g_assert_cmpfloat_with_epsilon ((double) z[t * H * K + i], mean, 1e-5);
    }
}

/* Where somebody changes scores or a map, it may attend to what causal attention
 * forbids: here every token to every one, alike. The text is longer than the blocks that
 * the ops work in. */
static void
test_changed_map (gconstpointer data)
{
  static const char *const capture[] = { "blocks.0.attn.hook_v", "blocks.0.attn.hook_z",
                                         NULL };
  const gint64 T = 200;
  const HlSite site = (HlSite) GPOINTER_TO_INT (data);
  g_autoptr (GError) error = NULL;
  Golden g;
  gint32 ids[200];
  golden_open (&g, "llama-gqa8", "expected.safetensors");
  for (gint64 t = 0; t < T; t++)
    ids[t] = (gint32) (t * 7 % 97);
  hl_input_unref (g.input);
  g.input = hl_model_open_ids (g.model, ids, T, &error);
  g_assert_no_error (error);
  gint64 H = hl_model_info_get_stack (hl_model_get_info (g.model), 0)->layers[0].n_heads;
  g_autoptr (HlTensor) even = hl_tensor_new (HL_DTYPE_F32, HL_SHAPE (1, H, T, T), NULL);
  for (gint64 i = 0; i < hl_tensor_count (even); i++)
    ((float *) even->data)[i] = 1 / (float) T;
  g_autoptr (GPtrArray) changes =
      g_ptr_array_new_with_free_func ((GDestroyNotify) hl_intervention_unref);
  g_ptr_array_add (changes, hl_intervention_new (HL_INTERVENTION_REPLACE, site, 0, 0,
                                                 NULL, even, "even"));
  const HlTraceOptions options = { .maps = HL_MAPS_STORED,
                                   .capture = capture,
                                   .interventions = changes };
  g_autoptr (HlTrace) trace = trace_with (&g, &options);
  check_means (trace, capture);
  golden_clear (&g);
}

typedef struct
{
  GArray *ids;       /* gint32 */
  GArray *log_probs; /* double */
  GPtrArray *maps;   /* HlTensor: layer 0's row of each token */
  gint64 first;
} Heard;

static gboolean
hear_cb (const HlGenerated *token, gpointer data)
{
  Heard *heard = data;
  g_assert_cmpint (token->position, ==, heard->first + heard->ids->len);
  g_array_append_val (heard->ids, token->id);
  g_array_append_val (heard->log_probs, token->log_prob);
  HlTensor *map = g_hash_table_lookup (token->captured, "blocks.0.attn.hook_pattern");
  g_ptr_array_add (heard->maps, hl_tensor_ref (map));
  return TRUE;
}

/* Greedy text as the reference goes on without any cache; and the rows of attention that
 * come with cached steps are those of one whole pass over the text. */
static void
test_generated (gconstpointer data)
{
  static const char *const capture[] = { "blocks.0.attn.hook_pattern", NULL };
  g_autoptr (GError) error = NULL;
  Golden g;
  golden_open (&g, data, "expected.safetensors");
  g_autoptr (HlTensor) wanted = expected (&g, "generated_ids");
  int n = (int) hl_tensor_count (wanted);
  gint64 T = g.input->ids->shape.dim[1];
  Heard heard = { g_array_new (FALSE, FALSE, sizeof (gint32)),
                  g_array_new (FALSE, FALSE, sizeof (double)),
                  g_ptr_array_new_with_free_func ((GDestroyNotify) hl_tensor_unref), T };
  const HlGenerateOptions options = { .n_tokens = n,
                                      .goes_on = TRUE,
                                      .capture = capture };
  int found =
      hl_generate (g.model, g.input, g.backend, &options, NULL, hear_cb, &heard, &error);
  g_assert_no_error (error);
  g_assert_cmpint (found, ==, n);
  for (int i = 0; i < n; i++)
    g_assert_cmpint (g_array_index (heard.ids, gint32, i), ==,
                     ((const gint32 *) wanted->data)[i]);

  g_autoptr (GArray) all = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_array_append_vals (all, g.input->ids->data, (guint) T);
  g_array_append_vals (all, heard.ids->data, (guint) n);
  g_autoptr (HlInput) whole =
      hl_model_open_ids (g.model, (gint32 *) (gpointer) all->data, T + n, &error);
  g_assert_no_error (error);
  const HlTraceOptions stored = { .maps = HL_MAPS_STORED };
  g_autoptr (HlTrace) trace =
      hl_tracer_run (g.model, whole, g.backend, &stored, NULL, &error);
  g_assert_no_error (error);
  for (int i = 0; i < n; i++)
    g_assert_cmpfloat_with_epsilon (
        g_array_index (heard.log_probs, double, i),
        (double) hl_tensor_f32 (trace->predictions->next_log_probs)[T + i - 1], 1e-4);
  const HlTensor *map = hl_trace_get_site (trace, capture[0]); /* (H, T+n, T+n) */
  gint64 H = map->shape.dim[0], all_T = map->shape.dim[2];
  for (int i = 1; i < n; i++)
    {
      const HlTensor *row = g_ptr_array_index (heard.maps, i); /* (1, H, 1, T+i) */
      g_assert_cmpint (row->shape.dim[2], ==, 1);
      g_assert_cmpint (row->shape.dim[3], ==, T + i);
      for (gint64 h = 0; h < H; h++)
        assert_near (hl_tensor_f32 (row) + h * (T + i),
                     hl_tensor_f32 (map) + (h * all_T + T + i - 1) * all_T, T + i, 1e-6,
                     "cached row");
    }
  g_array_unref (heard.ids);
  g_array_unref (heard.log_probs);
  g_ptr_array_unref (heard.maps);
  golden_clear (&g);
}

static void
test_sampling (void)
{
  const float logits[] = { 0, (float) G_LN2, (float) G_LN2, -20 };
  const HlGenerateOptions greedy = { 0 }, plain = { .temperature = 1 };
  const HlGenerateOptions cold = { .temperature = 0.25 };
  const HlGenerateOptions nucleus = { .temperature = 1, .top_p = 0.75 };
  /* Probabilities 1/5, 2/5, 2/5, 0; draws go through 1, 2, 0, 3. */
  g_assert_cmpint (hl_sample (logits, 4, &greedy, 0.99), ==, 1);
  g_assert_cmpint (hl_sample (logits, 4, &plain, 0.39), ==, 1);
  g_assert_cmpint (hl_sample (logits, 4, &plain, 0.41), ==, 2);
  g_assert_cmpint (hl_sample (logits, 4, &plain, 0.79), ==, 2);
  g_assert_cmpint (hl_sample (logits, 4, &plain, 0.81), ==, 0);
  /* 1/33, 16/33, 16/33. */
  g_assert_cmpint (hl_sample (logits, 4, &cold, 0.96), ==, 2);
  g_assert_cmpint (hl_sample (logits, 4, &cold, 0.975), ==, 0);
  /* Two tokens make up 4/5 >= 3/4; each then has half. */
  g_assert_cmpint (hl_sample (logits, 4, &nucleus, 0.49), ==, 1);
  g_assert_cmpint (hl_sample (logits, 4, &nucleus, 0.51), ==, 2);
  g_assert_cmpint (hl_sample (logits, 4, &nucleus, 0.9999), ==, 2);
}

static void
test_refused_ids (void)
{
  Golden g;
  golden_open (&g, "gpt2-tiny", "expected.safetensors");
  const gint32 high[] = { 3, 97 }, low[] = { -1 }, many[49] = { 0 };
  const struct
  {
    const gint32 *ids;
    int n;
    const char *says;
  } cases[] = {
    { high, 2, "token 1: an id from 0 to 96 expected, 97 found" },
    { low, 1, "-1 found" },
    { many, 49, "1 to 48 expected" },
    { many, 0, "0 found" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_null (hl_model_open_ids (g.model, cases[i].ids, cases[i].n, &error));
      g_assert_error (error, HL_ERROR, HL_ERROR_RANGE);
      g_assert_nonnull (strstr (error->message, cases[i].says));
    }
  golden_clear (&g);
}

static void
add (const char *kind, const char *name, GTestDataFunc func)
{
  g_autofree char *path = g_strdup_printf ("/golden-lm/%s/%s", kind, name);
  g_test_add_data_func (path, name, func);
}

int
main (int argc, char **argv)
{
  static const char *const models[] = { "gpt2-tiny",     "gpt2-untied",  "gpt2-f16",
                                        "llama-tiny",    "llama-gqa2",   "llama-gqa4",
                                        "llama-gqa8",    "llama-linear", "llama-dynamic",
                                        "llama-longrope" };
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (models); i++)
    {
      add ("model", models[i], test_model);
      add ("recomputed", models[i], test_recomputed);
      add ("predictions", models[i], test_predictions);
      add ("generated", models[i], test_generated);
    }
  add ("long", "llama-dynamic", test_long);
  add ("long", "llama-longrope", test_long);
  g_test_add_data_func ("/golden-lm/changed/scores",
                        GINT_TO_POINTER (HL_SITE_ATTN_SCORES), test_changed_map);
  g_test_add_data_func ("/golden-lm/changed/map", GINT_TO_POINTER (HL_SITE_PATTERN),
                        test_changed_map);
  g_test_add_func ("/golden-lm/sampling", test_sampling);
  g_test_add_func ("/golden-lm/refused-ids", test_refused_ids);
  return g_test_run ();
}
