/* SPDX-License-Identifier: MIT
 * Whole models against what the reference library computed (make-vit.py): attention of
 * every layer and head, hidden states, logits; pruned, scaled and masked runs; other
 * grids; pictures through the processor. */
#include "backend/cpu/hl-cpu.h"
#include "base/hl-error.h"
#include "io/hl-safetensors.h"
#include "trace/hl-attention-source.h"
#include "trace/hl-tracer.h"

#include <math.h>

#define ATTENTION_LIMIT 1e-5
#define LOGITS_LIMIT 1e-4 /* relative to the largest logit */

typedef struct
{
  HlModel *model;
  HlSafetensors *expected;
  HlBackend *backend;
} Golden;

static char *
path_of (const char *model, const char *file)
{
  return g_test_build_filename (G_TEST_DIST, "golden", "models", model, file, NULL);
}

static void
golden_open (Golden *g, const char *name, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = path_of (name, NULL);
  g_autofree char *file = path_of (name, expected);
  g->model = hl_model_open (folder, &error);
  g_assert_no_error (error);
  g->expected = hl_safetensors_open (file, &error);
  g_assert_no_error (error);
  g->backend = hl_cpu_backend_new (HL_DTYPE_F32, 2);
}

static void
golden_clear (Golden *g)
{
  hl_model_unref (g->model);
  hl_safetensors_unref (g->expected);
  hl_backend_unref (g->backend);
}

static HlTensor *
expected (const Golden *g, const char *name)
{
  g_autoptr (GError) error = NULL;
  HlTensor *t = hl_safetensors_get (g->expected, name, &error);
  g_assert_no_error (error);
  return t;
}

static HlInput *
input_of (const Golden *g)
{
  g_autoptr (HlTensor) pixels = expected (g, "pixel_values");
  return hl_input_new_image ("", pixels, NULL);
}

static double
largest (const float *x, gint64 n)
{
  double most = 0;
  for (gint64 i = 0; i < n; i++)
    most = fmax (most, fabs ((double) x[i]));
  return most;
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

static void
assert_logits (const HlTensor *found, const float *wanted, const char *what)
{
  gint64 n = hl_tensor_count (found);
  assert_near (hl_tensor_f32 (found), wanted, n, LOGITS_LIMIT * largest (wanted, n),
               what);
}

static HlTrace *
trace_with (const Golden *g, const HlInput *input, const HlTraceOptions *options)
{
  g_autoptr (GError) error = NULL;
  HlTrace *trace = hl_tracer_run (g->model, input, g->backend, options, NULL, &error);
  g_assert_no_error (error);
  return trace;
}

static int
n_layers (const Golden *g)
{
  return hl_model_info_get_stack (hl_model_get_info (g->model), 0)->n_layers;
}

static void
check_sites (const Golden *g, const HlTrace *trace)
{
  for (int l = 0; l < n_layers (g); l++)
    {
      g_autofree char *key = g_strdup_printf ("attentions.%d", l);
      g_autofree char *site = g_strdup_printf ("blocks.%d.attn.hook_pattern", l);
      if (hl_safetensors_lookup (g->expected, key) == NULL)
        continue;
      g_autoptr (HlTensor) wanted = expected (g, key);
      const HlTensor *found = hl_trace_get_site (trace, site);
      g_assert_nonnull (found);
      g_assert_true (hl_shape_equal (&found->shape, &wanted->shape));
      assert_near (hl_tensor_f32 (found), hl_tensor_f32 (wanted),
                   hl_tensor_count (wanted), ATTENTION_LIMIT, site);
    }
  for (int l = 0; l <= n_layers (g); l++)
    {
      g_autofree char *key = g_strdup_printf ("hidden_states.%d", l);
      g_autofree char *site = l < n_layers (g)
                                  ? g_strdup_printf ("blocks.%d.hook_resid_pre", l)
                                  : g_strdup_printf ("blocks.%d.hook_resid_post", l - 1);
      if (hl_safetensors_lookup (g->expected, key) == NULL)
        continue;
      g_autoptr (HlTensor) wanted = expected (g, key);
      const HlTensor *found = hl_trace_get_site (trace, site);
      g_assert_nonnull (found);
      gint64 n = hl_tensor_count (wanted);
      assert_near (hl_tensor_f32 (found), hl_tensor_f32 (wanted), n,
                   LOGITS_LIMIT * largest (hl_tensor_f32 (wanted), n), site);
    }
}

static void
check_model (const char *name, const char *file)
{
  static const char *const capture[] = { "*hook_resid_p*", NULL };
  const HlTraceOptions options = { .maps = HL_MAPS_STORED, .capture = capture };
  Golden g;
  golden_open (&g, name, file);
  g_autoptr (HlInput) input = input_of (&g);
  g_autoptr (HlTrace) trace = trace_with (&g, input, &options);
  check_sites (&g, trace);
  g_autoptr (HlTensor) logits = expected (&g, "logits");
  g_assert_nonnull (trace->logits);
  g_assert_cmpint (hl_tensor_count (trace->logits), ==, hl_tensor_count (logits));
  assert_logits (trace->logits, hl_tensor_f32 (logits), name);
  golden_clear (&g);
}

static void
test_model (gconstpointer data)
{
  check_model (data, "expected.safetensors");
}

static void
test_grid (gconstpointer data)
{
  check_model ("vit-tiny", data);
}

/* The same through the fused path, which never makes a map. */
static void
test_without_maps (void)
{
  const HlTraceOptions options = { .maps = HL_MAPS_NONE };
  Golden g;
  golden_open (&g, "vit-tiny", "expected.safetensors");
  g_autoptr (HlInput) input = input_of (&g);
  g_autoptr (HlTrace) trace = trace_with (&g, input, &options);
  g_autoptr (HlTensor) logits = expected (&g, "logits");
  assert_logits (trace->logits, hl_tensor_f32 (logits), "fused attention");
  g_assert_cmpuint (g_hash_table_size (trace->sites), ==, 0);
  golden_clear (&g);
}

static void
test_picture (gconstpointer data)
{
  const char *name = data;
  g_autoptr (GError) error = NULL;
  Golden g;
  golden_open (&g, name, "expected.safetensors");
  g_autofree char *picture = path_of (name, "input.png");
  g_autoptr (HlInput) input = hl_model_open_image (g.model, picture, 0, 0, &error);
  g_assert_no_error (error);
  g_autoptr (HlTensor) pixels = expected (&g, "picture_pixel_values");
  g_assert_true (hl_shape_equal (&input->pixel_values->shape, &pixels->shape));
  assert_near (hl_tensor_f32 (input->pixel_values), hl_tensor_f32 (pixels),
               hl_tensor_count (pixels), 1.0 / 255, "pixel_values");
  g_autoptr (HlTrace) trace = trace_with (&g, input, NULL);
  g_autoptr (HlTensor) logits = expected (&g, "picture_logits");
  assert_logits (trace->logits, hl_tensor_f32 (logits), name);
  golden_clear (&g);
}

static HlTrace *
trace_changed (const Golden *g, HlIntervention *what, HlMaps maps)
{
  g_autoptr (GPtrArray) list =
      g_ptr_array_new_with_free_func ((GDestroyNotify) hl_intervention_unref);
  g_ptr_array_add (list, what);
  const HlTraceOptions options = { .maps = maps, .interventions = list };
  g_autoptr (HlInput) input = input_of (g);
  return trace_with (g, input, &options);
}

static void
test_pruned_one_by_one (void)
{
  Golden g;
  golden_open (&g, "vit-tiny", "expected.safetensors");
  const HlModelInfo *info = hl_model_get_info (g.model);
  g_autoptr (HlTensor) wanted = expected (&g, "pruned_logits"); /* (L, H, V) */
  gint64 H = wanted->shape.dim[1], V = wanted->shape.dim[2];
  for (int l = 0; l < n_layers (&g); l++)
    for (int h = 0; h < H; h++)
      {
        g_autoptr (HlTrace) trace = trace_changed (
            &g, hl_intervention_new_scale_head (info, 0, l, h, 0), HL_MAPS_STORED);
        assert_logits (trace->logits, hl_tensor_f32 (wanted) + (l * H + h) * V, "pruned");
      }
  golden_clear (&g);
}

static void
test_scaled (void)
{
  Golden g;
  golden_open (&g, "vit-tiny", "expected.safetensors");
  g_autoptr (HlTensor) wanted = expected (&g, "scaled_logits");
  g_autoptr (HlTrace) trace = trace_changed (
      &g, hl_intervention_new_scale_head (hl_model_get_info (g.model), 0, 1, 2, 0.5),
      HL_MAPS_STORED);
  assert_logits (trace->logits, hl_tensor_f32 (wanted), "scaled");
  golden_clear (&g);
}

/* Column 3 of every head of layer 1 set to zero, rows not renormalised. */
static HlIntervention *
column_mask (gint64 T)
{
  g_autofree float *column = g_new0 (float, (gsize) T);
  column[3] = 1;
  g_autoptr (HlTensor) mask =
      hl_tensor_new_copy (HL_DTYPE_F32, HL_SHAPE (1, 1, 1, T), column);
  return hl_intervention_new (HL_INTERVENTION_BLEND, HL_SITE_PATTERN, 0, 1, mask, NULL,
                              "mask key 3 of layer 1");
}

static void
test_masked (void)
{
  Golden g;
  golden_open (&g, "vit-tiny", "expected.safetensors");
  g_autoptr (HlTensor) logits = expected (&g, "masked_logits");
  for (HlMaps maps = HL_MAPS_STORED; maps <= HL_MAPS_RECOMPUTED; maps++)
    {
      g_autoptr (HlTrace) trace = trace_changed (&g, column_mask (17), maps);
      assert_logits (trace->logits, hl_tensor_f32 (logits), "masked");
      g_autoptr (HlAttentionSource) source = hl_attention_source_new (trace);
      for (int l = 1; l <= 2; l++)
        {
          g_autofree char *key = g_strdup_printf ("masked_attentions.%d", l);
          g_autoptr (HlTensor) wanted = expected (&g, key);
          float map[17 * 17];
          for (int h = 0; h < 4; h++)
            {
              g_autoptr (GError) error = NULL;
              hl_attention_source_read_rect (source, g.backend, (HlHeadKey){ 0, l, h }, 0,
                                             17, 0, 17, map, NULL, &error);
              g_assert_no_error (error);
              assert_near (map, hl_tensor_f32 (wanted) + h * 17 * 17, 17 * 17,
                           ATTENTION_LIMIT, key);
            }
        }
    }
  golden_clear (&g);
}

/* All heads of one layer as one batch that starts at that block with the cached residual
 * stream, one gate an example; the same as as many whole runs. */
static void
test_pruned_as_batch (void)
{
  Golden g;
  golden_open (&g, "vit-tiny", "expected.safetensors");
  static const char *const capture[] = { "*hook_resid_pre", NULL };
  const HlTraceOptions options = { .maps = HL_MAPS_NONE, .capture = capture };
  g_autoptr (HlInput) input = input_of (&g);
  g_autoptr (HlTrace) plain = trace_with (&g, input, &options);
  g_autoptr (HlTensor) wanted = expected (&g, "pruned_logits");
  gint64 H = wanted->shape.dim[1], V = wanted->shape.dim[2];
  for (int l = 0; l < n_layers (&g); l++)
    {
      g_autofree char *site = g_strdup_printf ("blocks.%d.hook_resid_pre", l);
      HlTensor *resid = hl_trace_get_site (plain, site); /* (T, D) */
      g_autoptr (HlTensor) start = hl_tensor_view (
          resid, 0, HL_SHAPE (1, resid->shape.dim[0], resid->shape.dim[1]), NULL);
      g_autofree float *gates = g_new (float, (gsize) (H * H));
      for (gint64 i = 0; i < H * H; i++)
        gates[i] = i / H == i % H ? 0 : 1;
      g_autoptr (HlTensor) gate =
          hl_tensor_new_copy (HL_DTYPE_F32, HL_SHAPE (H, H), gates);
      g_autoptr (HlIntervention) what = hl_intervention_new (
          HL_INTERVENTION_GATE, HL_SITE_Z, 0, l, NULL, gate, "prune each head");
      HlRun run;
      hl_run_init (&run, g.backend, hl_model_get_info (g.model), NULL);
      hl_run_add_intervention (&run, what);
      hl_run_start_at (&run, l, start);
      g_autoptr (HlTensor) logits = hl_model_forward (g.model, &run, input); /* (H, V) */
      g_assert_no_error (run.exec.error);
      g_assert_cmpint (logits->shape.dim[0], ==, H);
      for (gint64 h = 0; h < H; h++)
        assert_near (hl_tensor_f32 (logits) + h * V,
                     hl_tensor_f32 (wanted) + (l * H + h) * V, V,
                     LOGITS_LIMIT * largest (hl_tensor_f32 (wanted), H * V), site);
      hl_run_clear (&run);
    }
  golden_clear (&g);
}

static void
test_replaced (void)
{
  Golden g;
  golden_open (&g, "vit-tiny", "expected.safetensors");
  g_autoptr (HlTensor) resid = expected (&g, "hidden_states.2"); /* (T, D) */
  g_autoptr (HlTensor) value = hl_tensor_view (
      resid, 0, HL_SHAPE (1, resid->shape.dim[0], resid->shape.dim[1]), NULL);
  /* The true value put in at block 2 of a run whose earlier blocks were spoilt. */
  g_autoptr (GPtrArray) list =
      g_ptr_array_new_with_free_func ((GDestroyNotify) hl_intervention_unref);
  g_ptr_array_add (
      list, hl_intervention_new_scale_head (hl_model_get_info (g.model), 0, 0, 1, -3));
  g_ptr_array_add (list, hl_intervention_new (HL_INTERVENTION_REPLACE, HL_SITE_RESID_PRE,
                                              0, 2, NULL, value, "replace the stream"));
  const HlTraceOptions options = { .interventions = list };
  g_autoptr (HlInput) input = input_of (&g);
  g_autoptr (HlTrace) trace = trace_with (&g, input, &options);
  g_autoptr (HlTensor) logits = expected (&g, "logits");
  assert_logits (trace->logits, hl_tensor_f32 (logits), "replaced");
  golden_clear (&g);
}

static void
test_memory_refused (void)
{
  Golden g;
  golden_open (&g, "vit-tiny", "expected.safetensors");
  const HlTraceOptions options = { .memory_limit_bytes = 1000 };
  g_autoptr (HlInput) input = input_of (&g);
  g_autoptr (GError) error = NULL;
  g_autoptr (HlTrace) trace =
      hl_tracer_run (g.model, input, g.backend, &options, NULL, &error);
  g_assert_null (trace);
  g_assert_error (error, HL_ERROR, HL_ERROR_MEMORY);
  g_assert_nonnull (strstr (error->message, "needs"));
  golden_clear (&g);
}

int
main (int argc, char **argv)
{
  static const char *const models[] = { "vit-tiny",      "vit-bf16",
                                        "vit-f16",       "vit-sharded",
                                        "vit-renamed",   "vit-grey-gelu-new",
                                        "vit-grey-relu", "vit-nonsquare",
                                        "deit-tiny",     "vit-nonsquare-patch" };
  static const char *const pictures[] = { "vit-tiny", "vit-grey-gelu-new",
                                          "vit-grey-relu", "vit-nonsquare", "deit-tiny" };
  static const char *const grids[] = { "36x24", "48x48", "48x12", "12x18" };
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (models); i++)
    {
      g_autofree char *path = g_strdup_printf ("/golden/model/%s", models[i]);
      g_test_add_data_func (path, models[i], test_model);
    }
  for (guint i = 0; i < G_N_ELEMENTS (grids); i++)
    {
      g_autofree char *path = g_strdup_printf ("/golden/grid/%s", grids[i]);
      char *file = g_strdup_printf ("expected-%s.safetensors", grids[i]);
      g_test_add_data_func_full (path, file, test_grid, g_free);
    }
  for (guint i = 0; i < G_N_ELEMENTS (pictures); i++)
    {
      g_autofree char *path = g_strdup_printf ("/golden/picture/%s", pictures[i]);
      g_test_add_data_func (path, pictures[i], test_picture);
    }
  g_test_add_func ("/golden/without-maps", test_without_maps);
  g_test_add_func ("/golden/pruned-one-by-one", test_pruned_one_by_one);
  g_test_add_func ("/golden/pruned-as-batch", test_pruned_as_batch);
  g_test_add_func ("/golden/scaled", test_scaled);
  g_test_add_func ("/golden/masked", test_masked);
  g_test_add_func ("/golden/replaced", test_replaced);
  g_test_add_func ("/golden/memory-refused", test_memory_refused);
  return g_test_run ();
}
