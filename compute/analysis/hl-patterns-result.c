/* SPDX-License-Identifier: MIT
 * A summary of attention patterns as a session keeps it, and as a table. */
#include "analysis/hl-patterns-result.h"

#include "analysis/hl-head-scores.h"
#include "base/hl-error.h"
#include "analysis/hl-result-reader.h"
#include "io/hl-csv.h"

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
      hl_result_add_array (result, names[what], HL_DTYPE_I32, HL_SHAPE (n), numbers,
                           "map", NULL);
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
  hl_result_add_array (result, "cluster", HL_DTYPE_I32, HL_SHAPE (n), p->cluster->data,
                       "map", NULL);
  hl_result_add_array (result, "centre", HL_DTYPE_F32, HL_SHAPE (k, LATENT),
                       p->centres->data, "cluster", "latent");
  hl_result_add_array (result, "cluster_mean", HL_DTYPE_F32, HL_SHAPE (k, size), mean,
                       "cluster", "cell");
  hl_result_add_array (result, "cluster_medoid", HL_DTYPE_F32, HL_SHAPE (k, size),
                       example, "cluster", "cell");
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
    hl_result_add_array (result, "loss", HL_DTYPE_F64, HL_SHAPE (p->losses->len, 2), loss,
                         "epoch", "set");
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
        json_object_set_new (shares, traits[t], hl_result_real (c->traits[t]));
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
      p->silhouette, "n_held_out", p->n_held_out, "pca_error",
      hl_result_real (p->pca_error), "net_error", hl_result_real (p->net_error),
      "partial", p->is_partial);
  json_object_set_new (own, "has_tsne", json_boolean (p->layout != NULL));
  json_object_set_new (own, "clusters", clusters_to_json (p));
  json_object_set_new (own, "inputs", inputs_to_json (p));
  json_object_set_new (own, "skipped", hl_result_strings (p->skipped));
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
  hl_result_add_array (result, "latent", HL_DTYPE_F32, HL_SHAPE (n, LATENT),
                       p->latent->data, "map", "latent");
  hl_result_add_array (result, "layout", HL_DTYPE_F32, HL_SHAPE (n, 2),
                       hl_patterns_get_layout (p, FALSE), "map", "xy");
  hl_result_add_array (result, "components", HL_DTYPE_F32, HL_SHAPE (n, 2),
                       p->components->data, "map", "xy");
  hl_result_add_array (result, "error", HL_DTYPE_F32, HL_SHAPE (n), p->error->data, "map",
                       NULL);
  add_places (result, p);
  add_clusters (result, p);
  add_net (result, p);
  return result;
}

/* ---- from a result -------------------------------------------------------------------
 */

typedef struct
{
  HlResultReader in;
  HlPatterns *p;
  gint64 n;
} Reader;

static void
read_sizes (Reader *r, const json_t *params)
{
  HlPatterns *p = r->p;
  const char *kind = json_string_value (json_object_get (params, "kind"));
  gint64 height = hl_result_get_int (params, "height", MAX_SIDE);
  gint64 width = hl_result_get_int (params, "width", MAX_SIDE);
  gint64 n_side = hl_result_get_int (params, "n_side", 1),
         side = hl_result_get_int (params, "side", MAX_SIDE);
  gint64 rows = hl_result_get_int (params, "grid_rows", MAX_SIDE);
  gint64 columns = hl_result_get_int (params, "grid_columns", MAX_SIDE);
  int k = 0;
  while (k < HL_N_PATTERNS &&
         (kind == NULL || !g_str_equal (kind, hl_pattern_kind_id ((HlPatternKind) k))))
    k++;
  if (k == HL_N_PATTERNS || height < 1 || width < 1 || n_side < 0 || side < 1 ||
      rows < 0 || columns < 0 || (k != HL_PATTERN_TEXT && (rows < 1 || columns < 1)) ||
      (k == HL_PATTERN_CLS && (height != rows || width != columns || n_side != 1)) ||
      (k == HL_PATTERN_PATCHES && (height != rows * columns || width != height)))
    {
      hl_result_reader_complain (&r->in, "parameters",
                                 "a kind and sizes of pictures that fit each other");
      return;
    }
  p->kind = (HlPatternKind) k;
  p->shape = (HlAutoencoderShape){ (int) height, (int) width, (int) n_side };
  p->side = (int) side;
  p->grid_rows = (int) rows;
  p->grid_columns = (int) columns;
  p->n_steps = MAX (hl_result_get_int (params, "steps", G_MAXINT64), 0);
  p->seed = (guint32) MAX (hl_result_get_int (params, "seed", G_MAXUINT32), 0);
  p->flagged_above = hl_result_get_real (params, "flagged_above");
  p->silhouette = hl_result_get_real (params, "silhouette");
  p->pca_error = hl_result_get_real (params, "pca_error");
  p->net_error = hl_result_get_real (params, "net_error");
  p->n_held_out = (int) MAX (hl_result_get_int (params, "n_held_out", G_MAXINT), 0);
  p->is_partial = json_is_true (json_object_get (params, "partial"));
}

static void
read_inputs (Reader *r, const json_t *params)
{
  const json_t *list = json_object_get (params, "inputs");
  const json_t *skipped = json_object_get (params, "skipped");
  for (size_t i = 0; i < json_array_size (list); i++)
    {
      const json_t *x = json_array_get (list, i);
      g_ptr_array_add (r->p->inputs,
                       hl_pattern_input_new (hl_result_get_string (x, "name"),
                                             hl_result_get_string (x, "path")));
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
  g_autoptr (GArray) input =
      hl_result_reader_take (&r->in, "input", HL_DTYPE_I32, 1, r->n, -1);
  g_autoptr (GArray) layer =
      hl_result_reader_take (&r->in, "layer", HL_DTYPE_I32, 1, r->n, -1);
  g_autoptr (GArray) head =
      hl_result_reader_take (&r->in, "head", HL_DTYPE_I32, 1, r->n, -1);
  g_autoptr (GArray) n_keys =
      hl_result_reader_take (&r->in, "n_keys", HL_DTYPE_I32, 1, r->n, -1);
  p->places = g_array_new (FALSE, FALSE, sizeof (HlPatternPlace));
  for (gint64 i = 0; i < r->n && r->in.error == NULL; i++)
    {
      gint32 l = g_array_index (layer, gint32, i), h = g_array_index (head, gint32, i);
      HlPatternPlace place = { g_array_index (input, gint32, i), 0,
                               g_array_index (n_keys, gint32, i) };
      if (l < 0 || l >= stack->n_layers || h < 0 || h >= p->first[l + 1] - p->first[l] ||
          place.input < 0 || place.input >= (int) p->inputs->len || place.n_keys < 1)
        hl_result_reader_complain (&r->in, "layer and head",
                                   "heads of the model, inputs of the summary");
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
  gint64 medoid = hl_result_get_int (about, "medoid", r->n - 1);
  HlPatternCluster *c = g_new0 (HlPatternCluster, 1);
  c->name = g_strdup (hl_result_get_string (about, "name"));
  c->medoid = (int) MAX (medoid, 0);
  c->spread = hl_result_get_real (about, "spread");
  c->by_layer = g_new0 (int, (gsize) p->n_layers);
  c->mean = g_memdup2 (mean, sizeof (float) * size);
  c->example = g_memdup2 (example, sizeof (float) * size);
  for (int t = 0; t < HL_N_TRAITS; t++)
    c->traits[t] = hl_result_get_real (json_object_get (about, "traits"), traits[t]);
  g_ptr_array_add (p->clusters, c);
  if (medoid < 0)
    hl_result_reader_complain (&r->in, "medoid", "one of the maps");
}

static void
read_clusters (Reader *r, const json_t *params)
{
  HlPatterns *p = r->p;
  const json_t *list = json_object_get (params, "clusters");
  gint64 k = (gint64) json_array_size (list);
  gint64 size = (gint64) p->shape.height * p->shape.width + p->shape.n_side;
  if (k < 1 || k > 1000)
    hl_result_reader_complain (&r->in, "clusters", "1 to 1000");
  p->cluster = hl_result_reader_take (&r->in, "cluster", HL_DTYPE_I32, 1, r->n, -1);
  p->centres = hl_result_reader_take (&r->in, "centre", HL_DTYPE_F32, 2, k, LATENT);
  g_autoptr (GArray) mean =
      hl_result_reader_take (&r->in, "cluster_mean", HL_DTYPE_F32, 2, k, size);
  g_autoptr (GArray) example =
      hl_result_reader_take (&r->in, "cluster_medoid", HL_DTYPE_F32, 2, k, size);
  for (gint64 c = 0; c < k && r->in.error == NULL; c++)
    read_cluster (r, json_array_get (list, (size_t) c), (float *) mean->data + c * size,
                  (float *) example->data + c * size);
  for (gint64 i = 0; i < r->n && r->in.error == NULL; i++)
    {
      int c = g_array_index (p->cluster, gint32, i), layer, head;
      if (c < 0 || c >= k)
        {
          hl_result_reader_complain (&r->in, "cluster", "numbers of clusters");
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
  const HlSessionArray *array = hl_session_result_get_array (r->in.result, key);
  if (array == NULL || array->tensor->dtype != HL_DTYPE_F32)
    {
      hl_result_reader_complain (&r->in, key, "float32 numbers");
      return NULL;
    }
  return hl_tensor_ref (array->tensor);
}

static void
read_net (Reader *r)
{
  for (guint i = 0; i < r->in.result->arrays->len && r->in.error == NULL; i++)
    {
      const HlSessionArray *array = g_ptr_array_index (r->in.result->arrays, i);
      if (!g_str_has_prefix (array->name, "net."))
        continue;
      HlPatternWeight *w = g_new0 (HlPatternWeight, 1);
      w->name = g_strdup (array->name + strlen ("net."));
      w->weight = take_weight (r, "net.", w->name);
      w->moment = take_weight (r, "adam_m.", w->name);
      w->square = take_weight (r, "adam_v.", w->name);
      g_ptr_array_add (r->p->weights, w);
    }
  if (hl_session_result_get_array (r->in.result, "loss") == NULL)
    return;
  const HlTensor *loss = hl_result_reader_get (&r->in, "loss", HL_DTYPE_F64, 2, -1, 2);
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
  p->latent = hl_result_reader_take (&r->in, "latent", HL_DTYPE_F32, 2, r->n, LATENT);
  p->error = hl_result_reader_take (&r->in, "error", HL_DTYPE_F32, 1, r->n, -1);
  p->components = hl_result_reader_take (&r->in, "components", HL_DTYPE_F32, 2, r->n, 2);
  if (json_is_true (json_object_get (params, "has_tsne")))
    p->layout = hl_result_reader_take (&r->in, "layout", HL_DTYPE_F32, 2, r->n, 2);
  hl_result_reader_check_finite (&r->in, "latent", p->latent);
  hl_result_reader_check_finite (&r->in, "components", p->components);
  if (p->layout != NULL)
    hl_result_reader_check_finite (&r->in, "layout", p->layout);
}

HlPatterns *
hl_patterns_from_result (const HlSessionResult *result,
                         const HlStack *stack,
                         GError **error)
{
  Reader r = { .p = hl_patterns_alloc () };
  g_autoptr (HlHeadScores) heads = hl_head_scores_new (stack);
  const HlSessionArray *latent = hl_session_result_get_array (result, "latent");
  hl_result_reader_init (&r.in, result);
  const json_t *params = r.in.params;
  r.p->n_layers = heads->n_layers;
  r.p->first = g_memdup2 (heads->first, sizeof (int) * (gsize) (heads->n_layers + 1));
  if (g_str_equal (result->id, HL_RESULT_PATTERNS) && latent != NULL &&
      latent->tensor->shape.n_dims == 2 && latent->tensor->shape.dim[0] <= G_MAXINT / 64)
    r.n = latent->tensor->shape.dim[0];
  if (r.n < 1 || params == NULL)
    hl_result_reader_complain (&r.in, "result", "a summary of at least one map");
  if (r.in.error == NULL)
    read_sizes (&r, params);
  if (r.in.error == NULL)
    {
      read_inputs (&r, params);
      read_places (&r, stack);
      read_maps (&r, params);
      read_clusters (&r, params);
      read_net (&r);
    }
  if (!hl_result_reader_end (&r.in, error))
    g_clear_pointer (&r.p, hl_patterns_unref);
  return r.p;
}

/* ---- a table -------------------------------------------------------------------------
 */

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
      hl_csv_append_text (
          out, ((HlPatternInput *) g_ptr_array_index (p->inputs, (guint) input))->name);
      g_string_append_printf (out, ",%d,%d,%d,", layer, head, c);
      hl_csv_append_text (out, hl_patterns_get_cluster (p, c)->name);
      hl_csv_append_number (out, error, 8);
      g_string_append_printf (out, ",%d", error > p->flagged_above);
      hl_csv_append_number (out, (double) layout[2 * i], 8);
      hl_csv_append_number (out, (double) layout[2 * i + 1], 8);
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
