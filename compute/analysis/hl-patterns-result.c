/* SPDX-License-Identifier: MIT
 * A summary of attention patterns as a session keeps it, and as a table. */
#include "analysis/hl-patterns-result.h"

#include "analysis/hl-head-scores.h"
#include "base/hl-error.h"
#include "io/hl-json.h"

#include <math.h>
#include <string.h>

#define LATENT HL_AUTOENCODER_LATENT

/* Sides of pictures that a file may have: 14 x 14 patches, and some. */
#define MAX_SIDE 4096

static const char *const traits[HL_N_TRAITS] = { "self",    "neighbours", "row",
                                                 "column",  "previous",   "first",
                                                 "top_key", "top_tenth",  "row_entropy" };

/* ---- to a result ---------------------------------------------------------------------
 */

static void
add (HlSessionResult *result,
     const char *name,
     HlDtype dtype,
     HlShape shape,
     gconstpointer data,
     const char *axis,
     const char *second)
{
  const char *const axes[] = { axis, second, NULL };
  g_autoptr (HlTensor) t = hl_tensor_new_copy (dtype, shape, data);
  hl_session_result_add_array (result, name, t, axes, "");
}

static void
add_places (HlSessionResult *result, const HlPatterns *p)
{
  static const char *const names[] = { "input", "layer", "head", "n_keys" };
  int n = hl_patterns_get_n (p);
  for (int what = 0; what < 4; what++)
    {
      g_autofree gint32 *numbers = g_new (gint32, (gsize) n + 1);
      for (int i = 0; i < n; i++)
        {
          const HlPatternPlace *place = &g_array_index (p->places, HlPatternPlace, i);
          int at[4] = { place->input, 0, 0, place->n_keys };
          hl_patterns_get_place (p, i, &at[1], &at[2]);
          numbers[i] = at[what];
        }
      add (result, names[what], HL_DTYPE_I32, HL_SHAPE (n), numbers, "map", NULL);
    }
}

static void
add_clusters (HlSessionResult *result, const HlPatterns *p)
{
  gint64 k = p->clusters->len, n = hl_patterns_get_n (p);
  gint64 size = (gint64) p->shape.height * p->shape.width + p->shape.n_side;
  g_autofree float *mean = g_new (float, (gsize) (k * size) + 1);
  g_autofree float *example = g_new (float, (gsize) (k * size) + 1);
  for (gint64 c = 0; c < k; c++)
    {
      const HlPatternCluster *cluster = hl_patterns_get_cluster (p, (int) c);
      memcpy (mean + c * size, cluster->mean, sizeof (float) * (gsize) size);
      memcpy (example + c * size, cluster->example, sizeof (float) * (gsize) size);
    }
  add (result, "cluster", HL_DTYPE_I32, HL_SHAPE (n), p->cluster->data, "map", NULL);
  add (result, "centre", HL_DTYPE_F32, HL_SHAPE (k, LATENT), p->centres->data, "cluster",
       "latent");
  add (result, "cluster_mean", HL_DTYPE_F32, HL_SHAPE (k, size), mean, "cluster", "cell");
  add (result, "cluster_medoid", HL_DTYPE_F32, HL_SHAPE (k, size), example, "cluster",
       "cell");
}

static void
add_net (HlSessionResult *result, const HlPatterns *p)
{
  for (guint i = 0; i < p->weights->len; i++)
    {
      const HlPatternWeight *w = g_ptr_array_index (p->weights, i);
      g_autofree char *net = g_strconcat ("net.", w->name, NULL);
      g_autofree char *m = g_strconcat ("adam_m.", w->name, NULL);
      g_autofree char *v = g_strconcat ("adam_v.", w->name, NULL);
      hl_session_result_add_array (result, net, w->weight, NULL, "");
      hl_session_result_add_array (result, m, w->moment, NULL, "");
      hl_session_result_add_array (result, v, w->square, NULL, "");
    }
  g_autofree double *loss = g_new (double, 2 * (gsize) p->losses->len + 1);
  for (guint i = 0; i < p->losses->len; i++)
    {
      loss[2 * i] = g_array_index (p->losses, HlPatternLoss, i).train;
      loss[2 * i + 1] = g_array_index (p->losses, HlPatternLoss, i).held_out;
    }
  if (p->losses->len > 0)
    add (result, "loss", HL_DTYPE_F64, HL_SHAPE (p->losses->len, 2), loss, "epoch",
         "set");
}

static json_t *
number (double x)
{
  return isfinite (x) ? json_real (x) : json_null ();
}

static json_t *
clusters_to_json (const HlPatterns *p)
{
  json_t *list = json_array ();
  for (guint i = 0; i < p->clusters->len; i++)
    {
      const HlPatternCluster *c = g_ptr_array_index (p->clusters, i);
      json_t *shares = json_object ();
      for (int t = 0; t < HL_N_TRAITS; t++)
        json_object_set_new (shares, traits[t], number (c->traits[t]));
      json_array_append_new (list, json_pack ("{s:s, s:i, s:f, s:o}", "name", c->name,
                                              "medoid", c->medoid, "spread", c->spread,
                                              "traits", shares));
    }
  return list;
}

static json_t *
inputs_to_json (const HlPatterns *p)
{
  json_t *list = json_array ();
  for (guint i = 0; i < p->inputs->len; i++)
    {
      const HlPatternInput *x = g_ptr_array_index (p->inputs, i);
      json_array_append_new (list,
                             json_pack ("{s:s, s:s}", "name", x->name, "path", x->path));
    }
  return list;
}

static json_t *
strings_to_json (const GPtrArray *strings)
{
  json_t *list = json_array ();
  for (guint i = 0; i < strings->len; i++)
    json_array_append_new (list, json_string (g_ptr_array_index (strings, i)));
  return list;
}

static char *
make_params (const HlPatterns *p, const char *given)
{
  json_t *params = given != NULL ? json_loads (given, 0, NULL) : NULL;
  if (!json_is_object (params))
    params = json_object ();
  json_t *own = json_pack (
      "{s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:I, s:I, s:I, s:f, s:f, s:i, s:o, s:o, s:b}",
      "kind", hl_pattern_kind_id (p->kind), "height", p->shape.height, "width",
      p->shape.width, "n_side", p->shape.n_side, "side", p->side, "grid_rows",
      p->grid_rows, "grid_columns", p->grid_columns, "epochs",
      (json_int_t) p->losses->len, "steps", (json_int_t) p->n_steps, "seed",
      (json_int_t) p->seed, "flagged_above", p->flagged_above, "silhouette",
      p->silhouette, "n_held_out", p->n_held_out, "pca_error", number (p->pca_error),
      "net_error", number (p->net_error), "partial", p->is_partial);
  json_object_set_new (own, "has_tsne", json_boolean (p->layout != NULL));
  json_object_set_new (own, "clusters", clusters_to_json (p));
  json_object_set_new (own, "inputs", inputs_to_json (p));
  json_object_set_new (own, "skipped", strings_to_json (p->skipped));
  json_object_update (params, own);
  json_decref (own);
  char *text = json_dumps (params, JSON_COMPACT);
  json_decref (params);
  return text;
}

HlSessionResult *
hl_patterns_to_result (const HlPatterns *p, const char *params, const char *provenance)
{
  char *all = make_params (p, params);
  HlSessionResult *result = hl_session_result_new (HL_RESULT_PATTERNS, all, provenance);
  gint64 n = hl_patterns_get_n (p);
  free (all);
  add (result, "latent", HL_DTYPE_F32, HL_SHAPE (n, LATENT), p->latent->data, "map",
       "latent");
  add (result, "layout", HL_DTYPE_F32, HL_SHAPE (n, 2), hl_patterns_get_layout (p, FALSE),
       "map", "xy");
  add (result, "components", HL_DTYPE_F32, HL_SHAPE (n, 2), p->components->data, "map",
       "xy");
  add (result, "error", HL_DTYPE_F32, HL_SHAPE (n), p->error->data, "map", NULL);
  add_places (result, p);
  add_clusters (result, p);
  add_net (result, p);
  return result;
}

/* ---- from a result -------------------------------------------------------------------
 */

/* What is read from: the first thing that is wrong sticks. */
typedef struct
{
  const HlSessionResult *result;
  HlPatterns *p;
  gint64 n;
  GError *error;
} Reader;

static void
complain (Reader *r, const char *name, const char *expected)
{
  if (r->error == NULL)
    r->error = g_error_new (HL_ERROR, HL_ERROR_FORMAT, "patterns: %s: %s expected", name,
                            expected);
}

/* (nullable): an array of this type and these sizes; -1 for any. */
static const HlTensor *
get (Reader *r, const char *name, HlDtype dtype, int n_dims, gint64 first, gint64 second)
{
  const HlSessionArray *array = hl_session_result_get_array (r->result, name);
  const HlTensor *t = array != NULL ? array->tensor : NULL;
  if (t != NULL && t->dtype == dtype && t->shape.n_dims == n_dims &&
      hl_tensor_is_contiguous (t) && (first < 0 || t->shape.dim[0] == first) &&
      (second < 0 || n_dims < 2 || t->shape.dim[1] == second))
    return t;
  complain (r, name, "an array that fits the others");
  return NULL;
}

/* (transfer full): the numbers of an array; empty where it is wrong. */
static GArray *
take (Reader *r, const char *name, HlDtype dtype, int n_dims, gint64 first, gint64 second)
{
  const HlTensor *t =
      r->error == NULL ? get (r, name, dtype, n_dims, first, second) : NULL;
  GArray *array = g_array_new (FALSE, FALSE, (guint) hl_dtype_size (dtype));
  if (t != NULL)
    g_array_append_vals (array, t->data, (guint) hl_tensor_count (t));
  return array;
}

static void
check_finite (Reader *r, const char *name, const GArray *array)
{
  for (guint i = 0; i < array->len && r->error == NULL; i++)
    if (!isfinite (g_array_index (array, float, i)))
      complain (r, name, "finite numbers");
}

static gint64
get_int (const json_t *params, const char *name, gint64 most)
{
  const json_t *value = json_object_get (params, name);
  gint64 found = json_is_integer (value) ? json_integer_value (value) : -1;
  return found >= 0 && found <= most ? found : -1;
}

static double
get_real (const json_t *params, const char *name)
{
  const json_t *value = json_object_get (params, name);
  return json_is_number (value) ? json_number_value (value) : (double) NAN;
}

static void
read_sizes (Reader *r, const json_t *params)
{
  HlPatterns *p = r->p;
  const char *kind = json_string_value (json_object_get (params, "kind"));
  gint64 height = get_int (params, "height", MAX_SIDE);
  gint64 width = get_int (params, "width", MAX_SIDE);
  gint64 n_side = get_int (params, "n_side", 1),
         side = get_int (params, "side", MAX_SIDE);
  gint64 rows = get_int (params, "grid_rows", MAX_SIDE);
  gint64 columns = get_int (params, "grid_columns", MAX_SIDE);
  int k = 0;
  while (k < HL_N_PATTERNS &&
         (kind == NULL || !g_str_equal (kind, hl_pattern_kind_id ((HlPatternKind) k))))
    k++;
  if (k == HL_N_PATTERNS || height < 1 || width < 1 || n_side < 0 || side < 1 ||
      rows < 0 || columns < 0 || (k != HL_PATTERN_TEXT && (rows < 1 || columns < 1)) ||
      (k == HL_PATTERN_CLS && (height != rows || width != columns || n_side != 1)) ||
      (k == HL_PATTERN_PATCHES && (height != rows * columns || width != height)))
    {
      complain (r, "parameters", "a kind and sizes of pictures that fit each other");
      return;
    }
  p->kind = (HlPatternKind) k;
  p->shape = (HlAutoencoderShape){ (int) height, (int) width, (int) n_side };
  p->side = (int) side;
  p->grid_rows = (int) rows;
  p->grid_columns = (int) columns;
  p->n_steps = MAX (get_int (params, "steps", G_MAXINT64), 0);
  p->seed = (guint32) MAX (get_int (params, "seed", G_MAXUINT32), 0);
  p->flagged_above = get_real (params, "flagged_above");
  p->silhouette = get_real (params, "silhouette");
  p->pca_error = get_real (params, "pca_error");
  p->net_error = get_real (params, "net_error");
  p->n_held_out = (int) MAX (get_int (params, "n_held_out", G_MAXINT), 0);
  p->is_partial = json_is_true (json_object_get (params, "partial"));
}

static const char *
string_or_empty (const json_t *object, const char *name)
{
  const char *text = json_string_value (json_object_get (object, name));
  return text != NULL ? text : "";
}

static void
read_inputs (Reader *r, const json_t *params)
{
  const json_t *list = json_object_get (params, "inputs");
  const json_t *skipped = json_object_get (params, "skipped");
  for (size_t i = 0; i < json_array_size (list); i++)
    {
      const json_t *x = json_array_get (list, i);
      g_ptr_array_add (r->p->inputs, hl_pattern_input_new (string_or_empty (x, "name"),
                                                           string_or_empty (x, "path")));
    }
  for (size_t i = 0; i < json_array_size (skipped); i++)
    {
      const char *why = json_string_value (json_array_get (skipped, i));
      g_ptr_array_add (r->p->skipped, g_strdup (why != NULL ? why : ""));
    }
}

static void
read_places (Reader *r, const HlStack *stack)
{
  HlPatterns *p = r->p;
  g_autoptr (GArray) input = take (r, "input", HL_DTYPE_I32, 1, r->n, -1);
  g_autoptr (GArray) layer = take (r, "layer", HL_DTYPE_I32, 1, r->n, -1);
  g_autoptr (GArray) head = take (r, "head", HL_DTYPE_I32, 1, r->n, -1);
  g_autoptr (GArray) n_keys = take (r, "n_keys", HL_DTYPE_I32, 1, r->n, -1);
  p->places = g_array_new (FALSE, FALSE, sizeof (HlPatternPlace));
  for (gint64 i = 0; i < r->n && r->error == NULL; i++)
    {
      gint32 l = g_array_index (layer, gint32, i), h = g_array_index (head, gint32, i);
      HlPatternPlace place = { g_array_index (input, gint32, i), 0,
                               g_array_index (n_keys, gint32, i) };
      if (l < 0 || l >= stack->n_layers || h < 0 || h >= p->first[l + 1] - p->first[l] ||
          place.input < 0 || place.input >= (int) p->inputs->len || place.n_keys < 1)
        complain (r, "layer and head", "heads of the model, inputs of the summary");
      else
        place.head = p->first[l] + h;
      g_array_append_val (p->places, place);
    }
}

static void
read_cluster (Reader *r, const json_t *about, const float *mean, const float *example)
{
  HlPatterns *p = r->p;
  gsize size = (gsize) (p->shape.height * p->shape.width + p->shape.n_side);
  gint64 medoid = get_int (about, "medoid", r->n - 1);
  HlPatternCluster *c = g_new0 (HlPatternCluster, 1);
  c->name = g_strdup (string_or_empty (about, "name"));
  c->medoid = (int) MAX (medoid, 0);
  c->spread = get_real (about, "spread");
  c->by_layer = g_new0 (int, (gsize) p->n_layers);
  c->mean = g_memdup2 (mean, sizeof (float) * size);
  c->example = g_memdup2 (example, sizeof (float) * size);
  for (int t = 0; t < HL_N_TRAITS; t++)
    c->traits[t] = get_real (json_object_get (about, "traits"), traits[t]);
  g_ptr_array_add (p->clusters, c);
  if (medoid < 0)
    complain (r, "medoid", "one of the maps");
}

static void
read_clusters (Reader *r, const json_t *params)
{
  HlPatterns *p = r->p;
  const json_t *list = json_object_get (params, "clusters");
  gint64 k = (gint64) json_array_size (list);
  gint64 size = (gint64) p->shape.height * p->shape.width + p->shape.n_side;
  if (k < 1 || k > 1000)
    complain (r, "clusters", "1 to 1000");
  p->cluster = take (r, "cluster", HL_DTYPE_I32, 1, r->n, -1);
  p->centres = take (r, "centre", HL_DTYPE_F32, 2, k, LATENT);
  g_autoptr (GArray) mean = take (r, "cluster_mean", HL_DTYPE_F32, 2, k, size);
  g_autoptr (GArray) example = take (r, "cluster_medoid", HL_DTYPE_F32, 2, k, size);
  for (gint64 c = 0; c < k && r->error == NULL; c++)
    read_cluster (r, json_array_get (list, (size_t) c), (float *) mean->data + c * size,
                  (float *) example->data + c * size);
  for (gint64 i = 0; i < r->n && r->error == NULL; i++)
    {
      int c = g_array_index (p->cluster, gint32, i), layer, head;
      if (c < 0 || c >= k)
        {
          complain (r, "cluster", "numbers of clusters");
          return;
        }
      HlPatternCluster *at = g_ptr_array_index (p->clusters, (guint) c);
      hl_patterns_get_place (p, (int) i, &layer, &head);
      at->n++;
      at->by_layer[layer]++;
    }
}

/* (transfer full): an array of weights, of any shape. */
static HlTensor *
take_weight (Reader *r, const char *prefix, const char *name)
{
  g_autofree char *key = g_strconcat (prefix, name, NULL);
  const HlSessionArray *array = hl_session_result_get_array (r->result, key);
  if (array == NULL || array->tensor->dtype != HL_DTYPE_F32)
    {
      complain (r, key, "float32 numbers");
      return NULL;
    }
  return hl_tensor_ref (array->tensor);
}

static void
read_net (Reader *r)
{
  for (guint i = 0; i < r->result->arrays->len && r->error == NULL; i++)
    {
      const HlSessionArray *array = g_ptr_array_index (r->result->arrays, i);
      if (!g_str_has_prefix (array->name, "net."))
        continue;
      HlPatternWeight *w = g_new0 (HlPatternWeight, 1);
      w->name = g_strdup (array->name + strlen ("net."));
      w->weight = take_weight (r, "net.", w->name);
      w->moment = take_weight (r, "adam_m.", w->name);
      w->square = take_weight (r, "adam_v.", w->name);
      g_ptr_array_add (r->p->weights, w);
    }
  if (hl_session_result_get_array (r->result, "loss") == NULL)
    return;
  const HlTensor *loss = get (r, "loss", HL_DTYPE_F64, 2, -1, 2);
  for (gint64 i = 0; loss != NULL && i < loss->shape.dim[0]; i++)
    {
      const HlPatternLoss one = { ((double *) loss->data)[2 * i],
                                  ((double *) loss->data)[2 * i + 1] };
      g_array_append_val (r->p->losses, one);
    }
}

static void
read_maps (Reader *r, const json_t *params)
{
  HlPatterns *p = r->p;
  p->latent = take (r, "latent", HL_DTYPE_F32, 2, r->n, LATENT);
  p->error = take (r, "error", HL_DTYPE_F32, 1, r->n, -1);
  p->components = take (r, "components", HL_DTYPE_F32, 2, r->n, 2);
  if (json_is_true (json_object_get (params, "has_tsne")))
    p->layout = take (r, "layout", HL_DTYPE_F32, 2, r->n, 2);
  check_finite (r, "latent", p->latent);
  check_finite (r, "components", p->components);
  if (p->layout != NULL)
    check_finite (r, "layout", p->layout);
}

HlPatterns *
hl_patterns_from_result (const HlSessionResult *result,
                         const HlStack *stack,
                         GError **error)
{
  Reader r = { result, hl_patterns_alloc (), 0, NULL };
  g_autoptr (HlHeadScores) heads = hl_head_scores_new (stack);
  const HlSessionArray *latent = hl_session_result_get_array (result, "latent");
  g_autoptr (json_t) params = hl_json_load_bytes (
      result->params_json, strlen (result->params_json), "parameters", NULL, NULL);
  r.p->n_layers = heads->n_layers;
  r.p->first = g_memdup2 (heads->first, sizeof (int) * (gsize) (heads->n_layers + 1));
  if (g_str_equal (result->id, HL_RESULT_PATTERNS) && latent != NULL &&
      latent->tensor->shape.n_dims == 2 && latent->tensor->shape.dim[0] <= G_MAXINT / 64)
    r.n = latent->tensor->shape.dim[0];
  if (r.n < 1 || params == NULL)
    complain (&r, "result", "a summary of at least one map");
  if (r.error == NULL)
    read_sizes (&r, params);
  if (r.error == NULL)
    {
      read_inputs (&r, params);
      read_places (&r, stack);
      read_maps (&r, params);
      read_clusters (&r, params);
      read_net (&r);
    }
  if (r.error == NULL)
    return r.p;
  hl_patterns_unref (r.p);
  g_propagate_error (error, r.error);
  return NULL;
}

/* ---- a table -------------------------------------------------------------------------
 */

static void
append_number (GString *out, double x)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  g_string_append_c (out, ',');
  if (isfinite (x))
    g_string_append (out, g_ascii_formatd (text, sizeof text, "%.8g", x));
}

/* As RFC 4180 has it. */
static void
append_text (GString *out, const char *text)
{
  g_string_append_c (out, '"');
  for (const char *c = text; *c != '\0'; c++)
    {
      if (*c == '"')
        g_string_append_c (out, '"');
      g_string_append_c (out, *c);
    }
  g_string_append_c (out, '"');
}

static void
append_maps (GString *out, const HlPatterns *p)
{
  const float *layout = hl_patterns_get_layout (p, FALSE);
  for (int i = 0; i < hl_patterns_get_n (p); i++)
    {
      int layer, head, c = g_array_index (p->cluster, int, i);
      int input = g_array_index (p->places, HlPatternPlace, i).input;
      double error = (double) g_array_index (p->error, float, i);
      hl_patterns_get_place (p, i, &layer, &head);
      g_string_append_printf (out, "%s,", hl_pattern_kind_id (p->kind));
      append_text (
          out, ((HlPatternInput *) g_ptr_array_index (p->inputs, (guint) input))->name);
      g_string_append_printf (out, ",%d,%d,%d,", layer, head, c);
      append_text (out, hl_patterns_get_cluster (p, c)->name);
      append_number (out, error);
      g_string_append_printf (out, ",%d", error > p->flagged_above);
      append_number (out, (double) layout[2 * i]);
      append_number (out, (double) layout[2 * i + 1]);
      g_string_append_c (out, '\n');
    }
}

char *
hl_patterns_to_csv (const GPtrArray *summaries)
{
  GString *out = g_string_new ("kind,input,layer,head,cluster,name,error,flagged,x,y\n");
  for (guint i = 0; i < summaries->len; i++)
    append_maps (out, g_ptr_array_index (summaries, i));
  return g_string_free (out, FALSE);
}
