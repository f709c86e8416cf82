/* SPDX-License-Identifier: MIT
 * Attention beside saliency, read from a session. */
#include "analysis/hl-cross-result.h"

#include "analysis/hl-saliency-read.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Stacks of a model at most; a larger number in a file is none. */
#define STACKS_MOST 64

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
  g_free (result->pair);
  g_free (result);
}

/* (transfer full): a copy of an array's numbers, NaN among them; zeros where it is wrong.
 */
static double *
take (HlResultReader *r, const char *name, int n_dims, gint64 first, gint64 second)
{
  const HlTensor *t = hl_result_reader_get (r, name, HL_DTYPE_F64, n_dims, first, second);
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
    if (sides[i] < 1 || sides[i] > HL_SALIENCY_SIDE_MOST)
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

/* Where each output is read. */
static void
read_queries (HlCrossResult *made)
{
  const GPtrArray *rows = made->set->rows;
  made->query = g_new0 (gint64, (gsize) made->comparison->n_targets + 1);
  for (guint i = 0; i < rows->len; i++)
    made->query[i] = MAX (((const HlSaliencyRow *) rows->pdata[i])->target.row, 0);
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

/* Curves are of every target, or with error rates of the sentence. */
static HlFaithfulness *
read_faithfulness (HlResultReader *r)
{
  const HlSessionArray *curves =
      hl_session_result_get_array (r->result, "deletion_curve");
  if (curves == NULL)
    return NULL;
  HlFaithfulness *f = g_new0 (HlFaithfulness, 1);
  const char *undisturbed = hl_result_get_string (r->params, "undisturbed");
  const char *metric = hl_result_get_string (r->params, "metric");
  const char *heads = hl_result_get_string (r->params, "attention_of");
  gint64 n = curves->tensor->shape.n_dims == 3 ? curves->tensor->shape.dim[1] : -1;
  if (n < 1 || n > HL_SALIENCY_SIDE_MOST)
    hl_result_reader_complain (r, "deletion_curve", "curves of some outputs");
  f->n_targets = (int) CLAMP (n, 0, HL_SALIENCY_SIDE_MOST);
  /* Older results say nothing of these: one order, and probabilities. */
  f->n_random = (int) MAX (hl_result_get_int (r->params, "random_orders", 1 << 20), 1);
  if (metric[0] != '\0' && !hl_metric_from_name (metric, &f->metric))
    hl_result_reader_complain (r, "metric", "the name of a metric");
  if (heads[0] != '\0')
    f->heads = g_utf8_make_valid (heads, -1);
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

static void
read_masks (HlResultReader *r, HlCrossResult *made)
{
  const json_t *about = json_object_get (r->params, "spes");
  made->n_masks =
      (int) MAX (hl_result_get_int (about, "masks", HL_SALIENCY_MASKS_MOST), 0);
  made->n_at_a_time =
      (int) MAX (hl_result_get_int (about, "batch", HL_SALIENCY_MASKS_MOST), 0);
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
      const HlSpesCheck check = { x[0] >= 0 && x[0] <= HL_SALIENCY_MASKS_MOST ? (int) x[0]
                                                                              : 0,
                                  x[1] };
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
  made->comparison = read_comparison (&r);
  made->set = hl_saliency_set_read (&r);
  read_queries (made);
  made->faithfulness = read_faithfulness (&r);
  made->checks = g_array_new (FALSE, FALSE, sizeof (HlSpesCheck));
  read_masks (&r, made);
  read_checks (&r, made->checks);
  read_cells (&r, made);
  const json_t *pair = json_object_get (r.params, "pair");
  made->options.by_norm =
      g_str_equal (hl_result_get_string (r.params, "weights"), "norm");
  if (json_is_object (pair))
    made->pair = g_utf8_make_valid (hl_result_get_string (pair, "name"), -1);
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

void
hl_cross_result_take_masks (HlSessionResult *result, const HlSessionResult *saliency)
{
  static const char *const names[] = { "spes_sums", "spes_counts", "convergence",
                                       "saliency_cells" };
  json_t *theirs = json_loads (saliency->params_json, 0, NULL);
  json_t *ours = json_loads (result->params_json, 0, NULL);
  json_t *masks = json_object_get (theirs, "spes");
  for (guint i = 0; masks != NULL && i < G_N_ELEMENTS (names); i++)
    {
      const HlSessionArray *a = hl_session_result_get_array (saliency, names[i]);
      if (a != NULL && hl_session_result_get_array (result, names[i]) == NULL)
        hl_session_result_add_array (result, a->name, a->tensor,
                                     (const char *const *) a->axes, a->unit);
    }
  if (masks != NULL && ours != NULL)
    {
      json_object_set (ours, "spes", masks);
      char *text = json_dumps (ours, JSON_COMPACT);
      g_free (result->params_json);
      result->params_json = g_strdup (text);
      free (text);
    }
  json_decref (theirs);
  json_decref (ours);
}

static gboolean
fits_heads (const HlCrossComparison *c, const HlStack *stack)
{
  int n_heads = 0;
  for (int l = 0; stack != NULL && l < stack->n_layers; l++)
    n_heads = MAX (n_heads, stack->layers[l].n_heads);
  return stack != NULL && stack->n_layers == c->n_layers && n_heads == c->n_heads;
}

/* Views go through the tokens and through the maps. */
static gboolean
fits_tokens (const HlCrossResult *result, const HlAttentionSource *source)
{
  const HlCrossComparison *c = result->comparison;
  const HlTokenTable *keys =
      hl_trace_get_key_tokens (hl_attention_source_get_trace (source), c->stack);
  HlHeadKey first = { c->stack, 0, 0 };
  gint64 Tq = 0, Tk = 0;
  if (keys == NULL || keys->n_tokens != c->n_keys ||
      !hl_attention_source_get_size (source, first, &Tq, &Tk) || Tk != c->n_keys)
    return FALSE;
  for (int i = 0; i < c->n_targets; i++)
    if (result->query[i] >= Tq)
      return FALSE;
  return c->n_targets > 0;
}

/* No more cells than the spectrogram or the picture has numbers a side. */
static gboolean
fits_cells (const HlCrossResult *result, const HlTrace *trace)
{
  const HlTensor *of = trace->features != NULL ? trace->features : trace->pixels;
  return result->cells == NULL ||
         (of != NULL && of->shape.n_dims >= 2 && result->n_rows <= of->shape.dim[0] &&
          result->n_columns <= of->shape.dim[1]);
}

gboolean
hl_cross_result_fits (const HlCrossResult *result, const HlAttentionSource *source)
{
  const HlTrace *trace = hl_attention_source_get_trace (source);
  int stack = result->comparison->stack;
  return fits_heads (result->comparison, hl_model_info_get_stack (trace->model, stack)) &&
         hl_trace_has_interventions (trace, result->interventions) &&
         fits_tokens (result, source) && fits_cells (result, trace);
}

const char *
hl_cross_result_get_name (const HlCrossResult *result, int target)
{
  return g_ptr_array_index (result->set->names, (guint) target);
}

HlCrossRows
hl_cross_result_get_rows (const HlCrossResult *result,
                          const HlAttentionSource *source,
                          HlBackend *backend)
{
  const HlCrossComparison *c = result->comparison;
  return (HlCrossRows){ source,        backend,     c->n_targets,          c->n_keys,
                        result->query, c->saliency, result->options.is_raw };
}
