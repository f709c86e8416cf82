/* SPDX-License-Identifier: MIT
 * Attention beside saliency, read from a session. */
#include "analysis/hl-cross-result.h"

#include "analysis/hl-result-reader.h"

#include <math.h>
#include <string.h>

/* Stacks of a model, layers, heads, outputs and tokens at most; a larger number in a file
 * is none. */
#define STACKS_MOST 64
#define SIDE_MOST (1 << 22)
/* Masks likewise, so that as many again are still a number. */
#define MASKS_MOST (1 << 29)

HlCrossResult *
hl_cross_result_ref (HlCrossResult *result)
{
  g_atomic_ref_count_inc (&result->refs);
  return result;
}

void
hl_cross_result_unref (HlCrossResult *result)
{
  if (result == NULL || !g_atomic_ref_count_dec (&result->refs))
    return;
  hl_saliency_set_free (result->set);
  hl_cross_comparison_free (result->comparison);
  hl_faithfulness_free (result->faithfulness);
  g_array_unref (result->checks);
  hl_tensor_unref (result->cells);
  g_free (result->mean_cells);
  g_free (result->query);
  g_free (result->interventions);
  g_free (result);
}

/* (transfer full): a copy of an array's numbers, NaN among them; zeros where it is wrong.
 */
static double *
take (HlResultReader *r, const char *name, int n_dims, gint64 first, gint64 second)
{
  const HlTensor *t =
      hl_result_reader_get (r, name, HL_DTYPE_F64, n_dims, first, second);
  gsize n = t != NULL ? (gsize) hl_tensor_count (t) : 0;
  double *x = g_new0 (double, n + 1);
  if (t != NULL)
    memcpy (x, t->data, sizeof (double) * n);
  return x;
}

/* ---- maps ----------------------------------------------------------------------------
 */

static HlCrossComparison *
read_comparison (HlResultReader *r)
{
  HlCrossComparison *c = g_new0 (HlCrossComparison, 1);
  const HlTensor *heads = hl_result_reader_get (r, "pearson", HL_DTYPE_F64, 2, -1, -1);
  const HlTensor *map = hl_result_reader_get (r, "saliency", HL_DTYPE_F64, 2, -1, -1);
  c->stack = (int) hl_result_get_int (r->params, "stack", STACKS_MOST);
  if (c->stack < 0)
    hl_result_reader_complain (r, "stack", "the number of a stack");
  if (heads == NULL || map == NULL)
    return c;
  gint64 L = heads->shape.dim[0], H = heads->shape.dim[1];
  gint64 n = map->shape.dim[0], m = map->shape.dim[1];
  const gint64 sides[] = { L, H, n, m };
  for (guint i = 0; i < G_N_ELEMENTS (sides); i++)
    if (sides[i] < 1 || sides[i] > SIDE_MOST)
      {
        hl_result_reader_complain (r, i < 2 ? "pearson" : "saliency",
                                   "an array that is not empty and of no monstrous size");
        return c;
      }
  c->n_layers = (int) L;
  c->n_heads = (int) H;
  c->n_targets = (int) n;
  c->n_keys = (int) m;
  c->pearson = take (r, "pearson", 2, L, H);
  c->spearman = take (r, "spearman", 2, L, H);
  c->diagonality = take (r, "diagonality", 2, L, H);
  c->monotonicity = take (r, "monotonicity", 2, L, H);
  c->pearson_layer = take (r, "pearson_layer", 1, L, -1);
  c->by_target = take (r, "pearson_target", 1, n, -1);
  c->attention = take (r, "attention", 2, n, m);
  c->saliency = take (r, "saliency", 2, n, m);
  g_autofree double *pearson = take (r, "pearson_all", 1, 1, -1);
  g_autofree double *spearman = take (r, "spearman_all", 1, 1, -1);
  c->pearson_all = pearson[0];
  c->spearman_all = spearman[0];
  return c;
}

/* ---- targets -------------------------------------------------------------------------
 */

static gint32
number_at (const HlTensor *t, gint64 i)
{
  return t != NULL ? ((const gint32 *) t->data)[i] : -1;
}

static HlSaliencyRow *
row_of (const HlCrossComparison *c, gint64 i)
{
  HlSaliencyRow *row = g_new0 (HlSaliencyRow, 1);
  row->difference = row->completeness = NAN;
  row->n_tokens = c->n_keys;
  row->scores =
      g_memdup2 (c->saliency + i * c->n_keys, sizeof (double) * (gsize) c->n_keys);
  return row;
}

static void
read_method (HlResultReader *r, HlSaliencyOptions *options)
{
  gint64 seed = hl_result_get_int (r->params, "seed", G_MAXUINT32);
  gint64 samples = hl_result_get_int (r->params, "samples", 1 << 20);
  double noise = hl_result_get_real (r->params, "noise");
  const char *method = hl_result_get_string (r->params, "method");
  const char *baseline = hl_result_get_string (r->params, "baseline");
  if (!hl_saliency_from_name (method, &options->method))
    hl_result_reader_complain (r, "method", "the name of a saliency method");
  if (!hl_baseline_from_name (baseline, &options->baseline))
    hl_result_reader_complain (r, "baseline", "the name of a baseline");
  options->at_features = json_is_true (json_object_get (r->params, "at_encoder"));
  options->seed = seed > 0 ? (guint32) seed : 0;
  options->n_samples = samples > 0 ? (int) samples : 0;
  options->noise = isfinite (noise) ? noise : 0;
}

static HlTokenTable *
read_tokens (HlResultReader *r, int n)
{
  HlTokenTable *tokens = hl_token_table_new (n);
  const json_t *texts = json_object_get (r->params, "tokens");
  for (int i = 0; i < n; i++)
    {
      const char *text = json_string_value (json_array_get (texts, (gsize) i));
      g_free (tokens->tokens[i].text);
      tokens->tokens[i].text = g_utf8_make_valid (text != NULL ? text : "", -1);
    }
  return tokens;
}

static void
read_set (HlResultReader *r, HlCrossResult *made)
{
  const HlCrossComparison *c = made->comparison;
  HlSaliencySet *set = made->set;
  gint64 n = c->n_targets;
  const HlTensor *row = hl_result_reader_get (r, "position", HL_DTYPE_I32, 1, n, -1);
  const HlTensor *index = hl_result_reader_get (r, "class", HL_DTYPE_I32, 1, n, -1);
  const HlTensor *against = hl_result_reader_get (r, "against", HL_DTYPE_I32, 1, n, -1);
  g_autofree double *value = take (r, "value", 1, n, -1);
  const json_t *targets = json_object_get (r->params, "targets");
  made->query = g_new0 (gint64, (gsize) n + 1);
  for (gint64 i = 0; r->error == NULL && i < n; i++)
    {
      const json_t *target = json_array_get (targets, (gsize) i);
      const char *name = json_string_value (json_object_get (target, "name"));
      HlSaliencyRow *one = row_of (c, i);
      one->target = (HlSaliencyTarget){ number_at (row, i), number_at (index, i),
                                        number_at (against, i) };
      one->z = value[i];
      made->query[i] = MAX (one->target.row, 0);
      g_ptr_array_add (set->rows, one);
      g_ptr_array_add (set->names, g_utf8_make_valid (name != NULL ? name : "", -1));
    }
  set->tokens = read_tokens (r, r->error == NULL ? c->n_keys : 0);
  read_method (r, &set->options);
}

/* ---- faithfulness --------------------------------------------------------------------
 */

static void
read_areas (HlResultReader *r, const char *name, HlInterval *areas, int n)
{
  g_autofree double *x = take (r, name, 2, HL_N_ORDERS, 3);
  for (int o = 0; r->error == NULL && o < HL_N_ORDERS; o++)
    areas[o] = (HlInterval){ x[3 * o], x[3 * o + 1], x[3 * o + 2], n };
}

static double *
read_curves (HlResultReader *r, const char *name, int n)
{
  const HlTensor *t = hl_result_reader_get (r, name, HL_DTYPE_F64, 3, HL_N_ORDERS, n);
  if (t != NULL && t->shape.dim[2] != HL_FAITHFULNESS_SHARES)
    hl_result_reader_complain (r, name, "a curve of 11 shares");
  return take (r, name, 3, HL_N_ORDERS, n);
}

/* Curves are of every target, or with word error rates of the sentence. */
static HlFaithfulness *
read_faithfulness (HlResultReader *r)
{
  const HlSessionArray *curves = hl_session_result_get_array (r->result, "deletion_curve");
  if (curves == NULL)
    return NULL;
  HlFaithfulness *f = g_new0 (HlFaithfulness, 1);
  const char *undisturbed = hl_result_get_string (r->params, "undisturbed");
  const char *metric = hl_result_get_string (r->params, "metric");
  gint64 n = curves->tensor->shape.n_dims == 3 ? curves->tensor->shape.dim[1] : -1;
  if (n < 1 || n > SIDE_MOST)
    hl_result_reader_complain (r, "deletion_curve", "curves of some outputs");
  f->n_targets = (int) CLAMP (n, 0, SIDE_MOST);
  /* Older results say nothing of these: one order, and probabilities. */
  f->n_random = (int) MAX (hl_result_get_int (r->params, "random_orders", 1 << 20), 1);
  if (metric[0] != '\0' && !hl_metric_from_name (metric, &f->metric))
    hl_result_reader_complain (r, "metric", "the name of a metric");
  if (undisturbed[0] != '\0')
    f->undisturbed = g_utf8_make_valid (undisturbed, -1);
  f->deletion = read_curves (r, "deletion_curve", f->n_targets);
  f->insertion = read_curves (r, "insertion_curve", f->n_targets);
  read_areas (r, "deletion_area", f->deletion_area, f->n_targets);
  read_areas (r, "insertion_area", f->insertion_area, f->n_targets);
  return f;
}

/* ---- spes ----------------------------------------------------------------------------
 */

/* What of the masks is kept beside their map. */
static void
read_masks (HlResultReader *r, HlCrossResult *made)
{
  const json_t *about = json_object_get (r->params, "spes");
  const json_t *asked = json_object_get (about, "segments_asked");
  HlSpesOptions *spes = &made->set->options.spes;
  if (!json_is_object (about))
    return;
  made->n_masks = (int) MAX (hl_result_get_int (about, "masks", MASKS_MOST), 0);
  spes->check_every = (int) MAX (hl_result_get_int (about, "check_every", MASKS_MOST), 0);
  spes->takes_mean = g_str_equal (hl_result_get_string (about, "pooling"), "mean");
  for (gsize i = 0; i < json_array_size (asked) && i < HL_SPES_MAX_GRANULARITIES; i++)
    {
      json_int_t n = json_integer_value (json_array_get (asked, i));
      if (n > 0 && n <= HL_SPES_MAX_SEGMENTS)
        spes->granularities[spes->n_granularities++] = (int) n;
    }
}

static void
read_checks (HlResultReader *r, GArray *checks)
{
  if (hl_session_result_get_array (r->result, "convergence") == NULL)
    return;
  const HlTensor *t = hl_result_reader_get (r, "convergence", HL_DTYPE_F64, 2, -1, 2);
  for (gint64 i = 0; t != NULL && i < t->shape.dim[0]; i++)
    {
      const double *x = (const double *) t->data + 2 * i;
      const HlSpesCheck check = { x[0] >= 0 && x[0] <= MASKS_MOST ? (int) x[0] : 0, x[1] };
      g_array_append_val (checks, check);
    }
}

static void
read_cells (HlResultReader *r, HlCrossResult *made)
{
  int n = made->comparison->n_targets;
  if (hl_session_result_get_array (r->result, "saliency_cells") == NULL)
    return;
  const HlTensor *t = hl_result_reader_get (r, "saliency_cells", HL_DTYPE_F32, 3, n, -1);
  if (t == NULL || hl_tensor_count (t) < 1)
    return;
  made->n_rows = t->shape.dim[1];
  made->n_columns = t->shape.dim[2];
  made->cells = hl_tensor_ref ((HlTensor *) t);
  made->mean_cells = g_new0 (float, (gsize) (made->n_rows * made->n_columns) + 1);
  const float *x = (const float *) t->data;
  for (gint64 i = 0; i < hl_tensor_count (t); i++)
    made->mean_cells[i % (made->n_rows * made->n_columns)] += x[i] / (float) n;
}

/* ---- all of it -----------------------------------------------------------------------
 */

HlCrossResult *
hl_cross_result_read (const HlSessionResult *result, GError **error)
{
  HlResultReader r;
  g_autoptr (HlCrossResult) made = g_new0 (HlCrossResult, 1);
  hl_result_reader_init (&r, result);
  g_atomic_ref_count_init (&made->refs);
  made->set = g_new0 (HlSaliencySet, 1);
  made->set->rows = g_ptr_array_new_with_free_func ((GDestroyNotify) hl_saliency_row_free);
  made->set->names = g_ptr_array_new_with_free_func (g_free);
  made->comparison = read_comparison (&r);
  read_set (&r, made);
  made->faithfulness = read_faithfulness (&r);
  made->checks = g_array_new (FALSE, FALSE, sizeof (HlSpesCheck));
  read_masks (&r, made);
  read_checks (&r, made->checks);
  read_cells (&r, made);
  made->options.by_norm = g_str_equal (hl_result_get_string (r.params, "weights"), "norm");
  made->interventions = g_strdup (hl_result_get_string (r.params, "interventions"));
  made->options.is_raw = g_str_equal (hl_result_get_string (r.params, "maps"), "raw");
  made->options.keeps_special =
      json_is_true (json_object_get (r.params, "special_tokens"));
  return hl_result_reader_end (&r, error) ? g_steal_pointer (&made) : NULL;
}

static gboolean
is_of_faithfulness (const char *name)
{
  return g_str_has_prefix (name, "deletion_") || g_str_has_prefix (name, "insertion_");
}

HlSessionResult *
hl_cross_result_add_faithfulness (const HlSessionResult *result,
                                  const HlFaithfulness *faithfulness,
                                  const char *provenance)
{
  HlSessionResult *both =
      hl_session_result_new (result->id, result->params_json, provenance);
  for (guint i = 0; i < result->arrays->len; i++)
    {
      const HlSessionArray *a = g_ptr_array_index (result->arrays, i);
      if (!is_of_faithfulness (a->name))
        hl_session_result_add_array (both, a->name, a->tensor,
                                     (const char *const *) a->axes, a->unit);
    }
  hl_faithfulness_add_to (faithfulness, both);
  return both;
}

HlCrossRows
hl_cross_result_get_rows (const HlCrossResult *result,
                          const HlAttentionSource *source,
                          HlBackend *backend)
{
  const HlCrossComparison *c = result->comparison;
  return (HlCrossRows){ source,      backend,       c->n_targets,
                        c->n_keys,   result->query, c->saliency,
                        result->options.is_raw };
}
