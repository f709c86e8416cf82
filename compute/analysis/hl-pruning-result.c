/* SPDX-License-Identifier: MIT
 * Pruned parts and pruning curves as a session keeps them. */
#include "analysis/hl-pruning-result.h"

#include "analysis/hl-result-reader.h"
#include "trace/hl-head-mask.h"

#include <math.h>
#include <string.h>

/* Of a file: orders, points, inputs and classes. */
#define MAX_ORDERS 1000
#define MAX_POINTS 100000
#define MAX_CLASSES (1 << 24)

/* ---- the curve -----------------------------------------------------------------------
 */

static char *
curve_params (const HlPruningCurve *curve, const HlPruningCurveOptions *options)
{
  json_t *names = json_array ();
  for (guint k = 0; k < curve->orders->len; k++)
    {
      const HlPruningOrder *order = g_ptr_array_index (curve->orders, k);
      json_array_append_new (names, json_string (order->name));
    }
  json_t *params = json_pack ("{s:s, s:i, s:i, s:I, s:b, s:b, s:o}", "score",
                              hl_score_get_info (options->score)->name, "n",
                              curve->n_inputs, "skipped", curve->n_skipped, "seed",
                              (json_int_t) options->seed, "partial", curve->is_partial,
                              "every_token", options->every_token, "orders", names);
  char *text = json_dumps (params, JSON_COMPACT);
  json_decref (params);
  return text;
}

/* Means (order, point), and what they are of (order, input, point). */
static void
add_values (HlSessionResult *result,
            const HlPruningCurve *curve,
            const char *name,
            gboolean is_loss)
{
  static const char *const axes[] = { "order", "input", "point", NULL };
  gint64 O = curve->orders->len, P = curve->n_points, n = curve->n_inputs;
  g_autofree char *all_name = g_strconcat (name, "_inputs", NULL);
  g_autofree double *means = g_new (double, (gsize) (O * P) + 1);
  g_autofree double *all = g_new (double, (gsize) (O * n * P) + 1);
  for (gint64 k = 0; k < O; k++)
    {
      const HlPruningOrder *order = g_ptr_array_index (curve->orders, k);
      const GArray *values = is_loss ? order->loss : order->accuracy;
      memcpy (all + k * n * P, values->data, (gsize) (n * P) * sizeof (double));
      for (int p = 0; p < P; p++)
        means[k * P + p] = (is_loss ? hl_pruning_curve_loss (curve, (guint) k, p)
                                    : hl_pruning_curve_accuracy (curve, (guint) k, p))
                               .mean;
    }
  hl_result_add_array (result, name, HL_DTYPE_F64, HL_SHAPE (O, P), means, "order",
                       "point");
  g_autoptr (HlTensor) t = hl_tensor_new_copy (HL_DTYPE_F64, HL_SHAPE (O, n, P), all);
  hl_session_result_add_array (result, all_name, t, axes, is_loss ? "nats" : "");
}

HlSessionResult *
hl_pruning_curve_to_result (const HlPruningCurve *curve,
                            const HlPruningCurveOptions *options,
                            const char *provenance)
{
  char *params = curve_params (curve, options);
  HlSessionResult *result = hl_session_result_new (HL_RESULT_CURVE, params, provenance);
  gint64 O = curve->orders->len, N = curve->n_heads;
  g_autofree gint32 *heads = g_new (gint32, (gsize) (O * N) + 1);
  free (params);
  for (gint64 k = 0; k < O; k++)
    memcpy (heads + k * N,
            ((HlPruningOrder *) g_ptr_array_index (curve->orders, k))->heads,
            (gsize) N * sizeof (int));
  add_values (result, curve, "loss", TRUE);
  add_values (result, curve, "accuracy", FALSE);
  hl_result_add_array (result, "order", HL_DTYPE_I32, HL_SHAPE (O, N), heads, "order",
                       "place");
  hl_result_add_array (result, "n_removed", HL_DTYPE_I32, HL_SHAPE (curve->n_points),
                       curve->n_removed, "point", NULL);
  return result;
}

/* One order's numbers of an array (order, input, point). */
static GArray *
cut (const HlTensor *t, gint64 order)
{
  gint64 n = t->shape.dim[1] * t->shape.dim[2];
  GArray *array = g_array_new (FALSE, FALSE, sizeof (double));
  g_array_append_vals (array, (const double *) t->data + order * n, (guint) n);
  return array;
}

static void
read_orders (HlResultReader *r, HlPruningCurve *curve)
{
  const json_t *names = json_object_get (r->params, "orders");
  gint64 O = (gint64) json_array_size (names), N = curve->n_heads;
  const HlTensor *heads = hl_result_reader_get (r, "order", HL_DTYPE_I32, 2, O, N);
  const HlTensor *loss = hl_result_reader_get (r, "loss_inputs", HL_DTYPE_F64, 3, O, -1);
  const HlTensor *right =
      hl_result_reader_get (r, "accuracy_inputs", HL_DTYPE_F64, 3, O, -1);
  if (r->error != NULL)
    return;
  gint64 n = loss->shape.dim[1], P = loss->shape.dim[2];
  if (O < 1 || O > MAX_ORDERS || n < 1 || n > G_MAXINT / MAX (P, 1) ||
      P != curve->n_points || right->shape.dim[1] != n || right->shape.dim[2] != P)
    {
      hl_result_reader_complain (r, "loss_inputs", "an array that fits the others");
      return;
    }
  curve->n_inputs = (int) n;
  for (gint64 k = 0; k < O; k++)
    {
      HlPruningOrder *order = g_new0 (HlPruningOrder, 1);
      const char *name = json_string_value (json_array_get (names, (size_t) k));
      order->name = g_strdup (name != NULL ? name : "");
      order->heads =
          g_memdup2 ((const gint32 *) heads->data + k * N, (gsize) N * sizeof (int));
      order->loss = cut (loss, k);
      order->accuracy = cut (right, k);
      g_ptr_array_add (curve->orders, order);
      for (gint64 i = 0; i < N; i++)
        if (order->heads[i] < 0 || order->heads[i] >= N)
          hl_result_reader_complain (r, "order", "heads of the model");
    }
}

HlPruningCurve *
hl_pruning_curve_from_result (const HlSessionResult *result, int n_heads, GError **error)
{
  HlResultReader r;
  HlPruningCurve *curve = hl_pruning_curve_alloc (n_heads);
  hl_result_reader_init (&r, result);
  if (!g_str_equal (result->id, HL_RESULT_CURVE) || r.params == NULL)
    hl_result_reader_complain (&r, "result", "a pruning curve");
  g_autoptr (GArray) removed =
      hl_result_reader_take (&r, "n_removed", HL_DTYPE_I32, 1, -1, -1);
  if (removed->len < 2 || removed->len > MAX_POINTS)
    hl_result_reader_complain (&r, "n_removed", "two points or more");
  if (r.error == NULL)
    {
      curve->n_points = (int) removed->len;
      curve->n_removed = g_memdup2 (removed->data, removed->len * sizeof (int));
      curve->n_skipped = (int) MAX (hl_result_get_int (r.params, "skipped", G_MAXINT), 0);
      curve->is_partial = json_is_true (json_object_get (r.params, "partial"));
      read_orders (&r, curve);
    }
  if (!hl_result_reader_end (&r, error))
    g_clear_pointer (&curve, hl_pruning_curve_free);
  return curve;
}

/* ---- parts ---------------------------------------------------------------------------
 */

HlSessionResult *
hl_partial_to_result (const HlPartial *p,
                      gboolean is_renormalised,
                      const char *provenance)
{
  json_t *names = json_array ();
  g_autofree char *head = g_strdup_printf ("%d.%d", p->layer, p->head);
  g_autofree double *probs = g_new (double, (gsize) (HL_N_PARTS * p->V));
  for (gint64 i = 0; i < HL_N_PARTS * p->V; i++)
    probs[i] = exp (p->log_probs[i]);
  for (int i = 0; i < HL_N_PARTS; i++)
    json_array_append_new (names, json_string (hl_part_name (p->parts[i])));
  json_t *params = json_pack ("{s:s, s:b, s:i, s:i, s:o}", "head", head, "renormalised",
                              is_renormalised, "target", p->target, "predicted",
                              p->predicted, "parts", names);
  char *text = json_dumps (params, JSON_COMPACT);
  HlSessionResult *result = hl_session_result_new (HL_RESULT_PARTIAL, text, provenance);
  hl_result_add_array (result, "probability", HL_DTYPE_F64, HL_SHAPE (HL_N_PARTS, p->V),
                       probs, "part", "class");
  free (text);
  json_decref (params);
  return result;
}

static void
read_head (HlResultReader *r, HlPartial *p, const HlStack *stack)
{
  HlHeadKey key = { 0 };
  if (!hl_head_key_parse (hl_result_get_string (r->params, "head"), &key) ||
      key.layer >= stack->n_layers || key.head >= stack->layers[key.layer].n_heads)
    hl_result_reader_complain (r, "head", "a head of the model");
  p->layer = key.layer;
  p->head = key.head;
}

static void
read_parts (HlResultReader *r, HlPartial *p)
{
  const json_t *names = json_object_get (r->params, "parts");
  for (int i = 0; i < HL_N_PARTS; i++)
    {
      const char *name = json_string_value (json_array_get (names, (size_t) i));
      int part = HL_PART_NOTHING;
      while (part <= HL_PART_REST && g_strcmp0 (name, hl_part_name ((HlPart) part)) != 0)
        part++;
      if (part > HL_PART_REST)
        hl_result_reader_complain (r, "parts", "names of parts of a map");
      else
        p->parts[i] = (HlPart) part;
    }
}

HlPartial *
hl_partial_from_result (const HlSessionResult *result,
                        const HlStack *stack,
                        GError **error)
{
  HlResultReader r;
  HlPartial *p = g_new0 (HlPartial, 1);
  hl_result_reader_init (&r, result);
  if (!g_str_equal (result->id, HL_RESULT_PARTIAL) || r.params == NULL)
    hl_result_reader_complain (&r, "result", "pruned parts of a head");
  const HlTensor *probs =
      hl_result_reader_get (&r, "probability", HL_DTYPE_F64, 2, HL_N_PARTS, -1);
  if (r.error == NULL)
    {
      p->V = probs->shape.dim[1];
      p->target = (int) hl_result_get_int (r.params, "target", p->V - 1);
      p->predicted = (int) hl_result_get_int (r.params, "predicted", p->V - 1);
      read_head (&r, p, stack);
      read_parts (&r, p);
      if (p->V < 1 || p->V > MAX_CLASSES || p->target < 0)
        hl_result_reader_complain (&r, "target", "a class of the model");
    }
  if (r.error == NULL)
    {
      gint64 n = HL_N_PARTS * p->V;
      p->log_probs = g_new (double, (gsize) n);
      for (gint64 i = 0; i < n; i++)
        p->log_probs[i] = log (MAX (((const double *) probs->data)[i], 0));
    }
  if (!hl_result_reader_end (&r, error))
    g_clear_pointer (&p, hl_partial_free);
  return p;
}
