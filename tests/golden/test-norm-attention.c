/* SPDX-License-Identifier: MIT
 * Attention by what it carries, against the reference library's maps, values and weights
 * with NumPy's norms (make-norm.py). */
#include "analysis/hl-cross-compare.h"
#include "analysis/hl-norm-attention.h"
#include "analysis/hl-statistics.h"
#include "backend/cpu/hl-cpu.h"
#include "base/hl-error.h"
#include "golden-model.h"
#include "io/hl-json.h"
#include "trace/hl-tracer.h"

#include <math.h>
#include <string.h>

#define LIMIT 1e-5

typedef struct
{
  const json_t *about;
  HlModel *model;
  HlInput *input;
  HlBackend *backend;
  HlSaliencyTarget target;
  int stack;
} Case;

static json_t *reference;

static void
case_init (Case *c, gsize index)
{
  *c = (Case){ .about = json_array_get (reference, index) };
  c->target =
      (HlSaliencyTarget){ json_integer_value (json_object_get (c->about, "row")),
                          (int) json_integer_value (json_object_get (c->about, "index")),
                          -1 };
  golden_open_model (json_string_value (json_object_get (c->about, "model")), &c->model,
                     &c->input);
  c->backend = hl_cpu_backend_new (HL_DTYPE_F32, 2);
  int readout = hl_model_get_info (c->model)->readout_stack;
  c->stack = readout > 0 ? readout + 1 : 0;
}

static void
case_clear (Case *c)
{
  hl_model_unref (c->model);
  hl_input_unref (c->input);
  hl_backend_unref (c->backend);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Case, case_clear)

/* Of the largest; what the row does not see is nothing. */
static void
assert_norms (const double *found, gint64 n, const json_t *list, const char *what)
{
  gsize n_wanted = json_array_size (list);
  double most = 0;
  g_assert_cmpint (n, >=, (gint64) n_wanted);
  for (gsize j = 0; j < n_wanted; j++)
    most = fmax (most, json_number_value (json_array_get (list, j)));
  g_assert_cmpfloat (most, >, 0.01);
  for (gint64 j = 0; j < n; j++)
    {
      double wanted = json_number_value (json_array_get (list, (gsize) j));
      if (!(fabs (found[j] - wanted) <= LIMIT * fmax (most, 1)))
        g_error ("%s, key %d: %.9g expected, %.9g found", what, (int) j, wanted,
                 found[j]);
    }
}

static HlTrace *
trace_of (const Case *c, HlMaps maps, gboolean with_values)
{
  static const char *const values[] = { "*attn.hook_v", NULL };
  g_autoptr (GError) error = NULL;
  const HlTraceOptions options = { .maps = maps, .capture = with_values ? values : NULL };
  HlTrace *trace = hl_tracer_run (c->model, c->input, c->backend, &options, NULL, &error);
  g_assert_no_error (error);
  return trace;
}

static void
check_layer (const Case *c, const HlAttentionSource *source, int layer)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlNormLayer) norms = hl_norm_layer_of_trace (
      c->model, c->backend, hl_attention_source_get_trace (source), c->stack, layer, NULL,
      &error);
  g_assert_no_error (error);
  gint64 n = norms->n_keys, row = MAX (c->target.row, 0);
  g_autofree float *map = g_new (float, (gsize) n);
  g_autofree double *rows = g_new (double, (gsize) (norms->n_heads * n));
  g_autofree double *found = g_new (double, (gsize) n);
  const json_t *heads =
      json_array_get (json_object_get (c->about, "heads"), (gsize) layer);
  g_assert_cmpint (norms->n_heads, ==, (int) json_array_size (heads));
  for (int h = 0; h < norms->n_heads; h++)
    {
      HlHeadKey head = { c->stack, layer, h };
      g_assert_true (hl_attention_source_read_row (source, c->backend, head, row, map,
                                                   NULL, &error));
      for (gint64 j = 0; j < n; j++)
        rows[h * n + j] = (double) map[j];
      hl_norm_layer_of_head (norms, h, rows + h * n, found);
      assert_norms (found, n, json_array_get (heads, (gsize) h), "head");
    }
  hl_norm_layer_of_all (norms, rows, n, found);
  assert_norms (found, n,
                json_array_get (json_object_get (c->about, "layers"), (gsize) layer),
                "layer");
}

/* From maps that are stored, and from those that follow from Q and K. */
static void
test_layers (gconstpointer data)
{
  g_auto (Case) c = { 0 };
  case_init (&c, GPOINTER_TO_UINT (data));
  int L = hl_model_info_get_stack (hl_model_get_info (c.model), c.stack)->n_layers;
  for (int recomputed = 0; recomputed < 2; recomputed++)
    {
      g_autoptr (HlTrace) trace =
          trace_of (&c, recomputed ? HL_MAPS_RECOMPUTED : HL_MAPS_STORED, TRUE);
      g_autoptr (HlAttentionSource) source = hl_attention_source_new (trace);
      for (int l = 0; l < L; l++)
        check_layer (&c, source, l);
    }
}

static void
test_saliency (gconstpointer data)
{
  g_auto (Case) c = { 0 };
  g_autoptr (GError) error = NULL;
  const HlSaliencyOptions options = { .method = HL_SALIENCY_NORM_ATTENTION };
  case_init (&c, GPOINTER_TO_UINT (data));
  g_autoptr (HlSaliencyRow) row =
      hl_saliency_score (c.model, c.input, c.backend, c.target, &options, NULL, &error);
  g_assert_no_error (error);
  const json_t *mean = json_object_get (c.about, "mean");
  gint64 n = (gint64) json_array_size (mean);
  assert_norms (row->scores, n, mean, "mean");
  for (gint64 j = n; j < row->n_tokens; j++)
    g_assert_true (isnan (row->scores[j]));
}

static void
assert_pearson (const json_t *one, const json_t *other, double found)
{
  gsize n = json_array_size (one);
  g_autofree double *x = g_new (double, n);
  g_autofree double *y = g_new (double, n);
  for (gsize j = 0; j < n; j++)
    {
      x[j] = json_number_value (json_array_get (one, j));
      y[j] = json_number_value (json_array_get (other, j));
    }
  g_assert_cmpfloat_with_epsilon (found, hl_pearson (x, y, n), LIMIT);
}

/* Beside itself: the same, and the comparison's attention is the mean over layers. */
static void
test_beside (gconstpointer data)
{
  g_auto (Case) c = { 0 };
  g_autoptr (GError) error = NULL;
  const HlSaliencyOptions options = { .method = HL_SALIENCY_NORM_ATTENTION };
  case_init (&c, GPOINTER_TO_UINT (data));
  const HlCrossOptions crossing = {
    .keeps_special = TRUE, .is_raw = TRUE, .by_norm = TRUE, .model = c.model
  };
  g_autoptr (HlSaliencySet) set =
      hl_saliency_set_score (c.model, c.input, c.backend, c.target.index, -1,
                             c.target.row, &options, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (HlTrace) trace = trace_of (&c, HL_MAPS_AUTO, TRUE);
  g_autoptr (HlAttentionSource) source = hl_attention_source_new (trace);
  g_autoptr (HlCrossComparison) found =
      hl_cross_compare (source, c.backend, c.stack, set, &crossing, NULL, &error);
  g_assert_no_error (error);
  const json_t *mean = json_object_get (c.about, "mean");
  assert_norms (found->attention, (gint64) json_array_size (mean), mean, "attention");
  g_assert_cmpfloat_with_epsilon (found->pearson_all, 1, 1e-6);
  for (int l = 0; l < found->n_layers; l++)
    {
      const json_t *heads =
          json_array_get (json_object_get (c.about, "heads"), (gsize) l);
      assert_pearson (json_array_get (json_object_get (c.about, "layers"), (gsize) l),
                      mean, found->pearson_layer[l]);
      for (int h = 0; h < found->n_heads; h++)
        assert_pearson (json_array_get (heads, (gsize) h), mean,
                        found->pearson[l * found->n_heads + h]);
    }
  g_autoptr (HlSessionResult) result =
      hl_cross_comparison_to_result (found, set, &crossing, "{}");
  g_assert_nonnull (strstr (result->params_json, "\"weights\":\"norm\""));
}

static void
test_refused (void)
{
  g_auto (Case) c = { 0 };
  g_autoptr (GError) error = NULL;
  case_init (&c, 2);
  g_autoptr (HlTrace) trace = trace_of (&c, HL_MAPS_STORED, FALSE);
  g_assert_null (hl_norm_layer_of_trace (c.model, c.backend, trace, 0, 1, NULL, &error));
  g_assert_error (error, HL_ERROR, HL_ERROR_MISSING);
  g_assert_nonnull (strstr (error->message, "blocks.1.attn.hook_v"));
  g_clear_error (&error);
  g_autoptr (HlTensor) other = hl_tensor_new (HL_DTYPE_F32, HL_SHAPE (4, 5, 8), NULL);
  g_assert_null (hl_norm_layer_new (c.model, c.backend, other, 0, 1, NULL, &error));
  g_assert_error (error, HL_ERROR, HL_ERROR_SHAPE);
}

/* Values that go one against the other come to nothing together, each for itself not. */
static void
test_against (void)
{
  double products[] = { 4, -4, -4, 4, 4, 0, 0, 9 };
  const HlNormLayer layer = { 2, 2, products };
  const double rows[] = { 0.5, 0.3, 0.5, 0.2 };
  double norms[2];
  hl_norm_layer_of_all (&layer, rows, 2, norms);
  g_assert_cmpfloat_with_epsilon (norms[0], 0, 1e-12);
  g_assert_cmpfloat_with_epsilon (norms[1], sqrt (0.36 + 0.36), 1e-12);
  hl_norm_layer_of_head (&layer, 1, rows + 2, norms);
  g_assert_cmpfloat_with_epsilon (norms[0], 1, 1e-12);
  g_assert_cmpfloat_with_epsilon (norms[1], 0.6, 1e-12);
}

static void
add (const char *name, gsize index, GTestDataFunc func)
{
  const json_t *about = json_array_get (reference, index);
  g_autofree char *path =
      g_strdup_printf ("/norm-attention/%s/%s-%d", name,
                       json_string_value (json_object_get (about, "model")),
                       (int) json_integer_value (json_object_get (about, "row")));
  g_test_add_data_func (path, GUINT_TO_POINTER ((guint) index), func);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_autofree char *path =
      g_test_build_filename (G_TEST_DIST, "golden", "norm.json", NULL);
  reference = json_load_file (path, 0, NULL);
  g_assert_true (json_is_array (reference));
  for (gsize i = 0; i < json_array_size (reference); i++)
    {
      add ("layers", i, test_layers);
      add ("saliency", i, test_saliency);
      add ("beside", i, test_beside);
    }
  g_test_add_func ("/norm-attention/refused", test_refused);
  g_test_add_func ("/norm-attention/against", test_against);
  int status = g_test_run ();
  json_decref (reference);
  return status;
}
