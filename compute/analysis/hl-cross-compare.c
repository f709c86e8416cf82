/* SPDX-License-Identifier: MIT
 * Attention beside saliency. */
#include "analysis/hl-cross-compare.h"

#include "analysis/hl-cross-map.h"
#include "analysis/hl-monotonicity.h"
#include "analysis/hl-norm-attention.h"
#include "analysis/hl-result-reader.h"
#include "analysis/hl-statistics.h"
#include "base/hl-error.h"
#include "io/hl-csv.h"

#include <math.h>
#include <string.h>

void
hl_cross_comparison_free (HlCrossComparison *c)
{
  if (c == NULL)
    return;
  g_free (c->pearson);
  g_free (c->spearman);
  g_free (c->diagonality);
  g_free (c->monotonicity);
  g_free (c->pearson_layer);
  g_free (c->by_target);
  g_free (c->attention);
  g_free (c->saliency);
  g_free (c);
}

static double *
not_there (gsize n)
{
  double *x = g_new (double, n + 1);
  for (gsize i = 0; i < n; i++)
    x[i] = NAN;
  return x;
}

/* ---- rows ----------------------------------------------------------------------------
 */

typedef struct
{
  const HlAttentionSource *source;
  HlBackend *backend;
  const HlSaliencySet *set;
  const HlCrossOptions *options;
  int stack;
  gint64 n, m;      /* rows, keys */
  gint64 *query;    /* (n): the row of the map that a target is read at */
  double *saliency; /* (n, m): NaN where a key does not count */
  double *ready;    /* the same as it is correlated */
  HlCrossRows rows; /* of these */
} Work;

static const HlSaliencyRow *
row_at (const HlSaliencySet *set, gint64 i)
{
  return g_ptr_array_index (set->rows, (guint) i);
}

static gboolean
counts (const Work *w, gint64 key)
{
  HlTokenRole role = w->set->tokens->tokens[key].role;
  return w->options->keeps_special ||
         (role != HL_ROLE_SPECIAL && role != HL_ROLE_PADDING);
}

static void
take_saliency (Work *w)
{
  gboolean is_signed = hl_saliency_is_signed (w->set->options.method);
  w->saliency = g_new (double, (gsize) (w->n * w->m) + 1);
  for (gint64 i = 0; i < w->n; i++)
    for (gint64 j = 0; j < w->m; j++)
      {
        double x = row_at (w->set, i)->scores[j];
        w->saliency[i * w->m + j] = !counts (w, j) ? NAN : is_signed ? fabs (x) : x;
      }
  w->rows = (HlCrossRows){ w->source,   w->backend,        w->n, w->m, w->query,
                           w->saliency, w->options->is_raw };
  w->ready = hl_cross_rows_prepare (&w->rows, w->saliency);
}

/* Where a model reads a place of its own (CLS), that of the first row of its map. */
static void
take_queries (Work *w)
{
  w->query = g_new (gint64, (gsize) w->n + 1);
  for (gint64 i = 0; i < w->n; i++)
    w->query[i] = MAX (row_at (w->set, i)->target.row, 0);
}

/* ---- numbers -------------------------------------------------------------------------
 */

static double
diagonality (const Work *w, const double *rows)
{
  g_autofree double *place = g_new (double, (gsize) w->n + 1);
  g_autofree double *centre = g_new (double, (gsize) w->n + 1);
  for (gint64 i = 0; i < w->n; i++)
    {
      double mass = 0, sum = 0;
      for (gint64 j = 0; j < w->m; j++)
        if (!isnan (rows[i * w->m + j]))
          {
            mass += rows[i * w->m + j];
            sum += (double) j * rows[i * w->m + j];
          }
      place[i] = (double) i;
      centre[i] = mass > 0 ? sum / mass : NAN;
    }
  return hl_pearson (place, centre, (gsize) w->n);
}

static void
add_rows (double *sum, const double *rows, gsize n, double share)
{
  for (gsize i = 0; i < n; i++)
    sum[i] += rows[i] * share;
}

/* Norms are no shares of a row; what lies on a path is to be one. */
static void
share_out (const Work *w, double *rows)
{
  for (gint64 i = 0; i < w->n; i++)
    {
      double *row = rows + i * w->m, sum = 0;
      for (gint64 j = 0; j < w->m; j++)
        sum += isnan (row[j]) ? 0 : row[j];
      for (gint64 j = 0; j < w->m; j++)
        row[j] = sum > 0 ? row[j] / sum : row[j];
    }
}

static void
compare_head (const Work *w, HlCrossComparison *c, gsize at, const double *rows)
{
  gsize n = (gsize) (w->n * w->m);
  g_autofree double *ready = hl_cross_rows_prepare (&w->rows, rows);
  c->pearson[at] = hl_pearson (ready, w->ready, n);
  c->spearman[at] = hl_cross_rows_spearman (&w->rows, ready, w->ready);
  c->diagonality[at] = diagonality (w, rows);
  c->monotonicity[at] = hl_monotonicity (rows, (gsize) w->n, (gsize) w->m);
}

/* The norm of what the heads of a layer carry together, by their @maps (H, n, m). */
static void
join_norms (const Work *w, const HlNormLayer *norms, const double *maps, double *joined)
{
  for (gint64 i = 0; i < w->n; i++)
    hl_norm_layer_of_all (norms, maps + i * w->m, w->n * w->m, joined + i * w->m);
}

/* A head by what it carries, row by row. */
static void
weigh_head (const Work *w, const HlNormLayer *norms, int h, double *rows)
{
  for (gint64 i = 0; i < w->n && norms != NULL; i++)
    hl_norm_layer_of_head (norms, h, rows + i * w->m, rows + i * w->m);
}

static gboolean
compare_layer (const Work *w,
               HlCrossComparison *c,
               int layer,
               int H,
               const HlProgress *progress,
               GError **error)
{
  gsize n = (gsize) (w->n * w->m);
  /* (H, n, m): what is carried is summed before its norm is taken; a mean needs no maps.
   */
  g_autofree double *maps = w->options->by_norm ? g_new (double, n *(gsize) H + 1) : NULL;
  g_autofree double *joined = g_new0 (double, n + 1);
  g_autoptr (HlNormLayer) norms = NULL;
  if (w->options->by_norm)
    norms = hl_norm_layer_of_trace (w->options->model, w->backend,
                                    hl_attention_source_get_trace (w->source), w->stack,
                                    layer, NULL, error);
  if (w->options->by_norm && norms == NULL)
    return FALSE;
  for (int h = 0; h < H; h++)
    {
      HlHeadKey head = { w->stack, layer, h };
      double share = (layer + (double) h / H) / c->n_layers;
      g_autofree double *rows = hl_progress_step (progress, share, NULL, error)
                                    ? hl_cross_rows_read (&w->rows, head, progress, error)
                                    : NULL;
      if (rows == NULL)
        return FALSE;
      if (maps != NULL)
        memcpy (maps + (gsize) h * n, rows, sizeof (double) * n);
      else
        add_rows (joined, rows, n, 1.0 / H);
      weigh_head (w, norms, h, rows);
      if (norms != NULL)
        share_out (w, rows);
      compare_head (w, c, (gsize) (layer * c->n_heads + h), rows);
    }
  if (norms != NULL)
    join_norms (w, norms, maps, joined);
  g_autofree double *ready = hl_cross_rows_prepare (&w->rows, joined);
  c->pearson_layer[layer] = hl_pearson (ready, w->ready, n);
  add_rows (c->attention, joined, n, norms != NULL ? 1 : H); /* of all heads alike */
  return TRUE;
}

/* @parts: what the sum is of: heads, or of norms layers. */
static void
compare_all (const Work *w, HlCrossComparison *c, int parts)
{
  gsize n = (gsize) (w->n * w->m);
  for (gsize i = 0; i < n; i++)
    c->attention[i] /= parts;
  g_autoptr (HlCrossMap) all =
      hl_cross_map_new (&w->rows, g_steal_pointer (&c->attention));
  c->attention = g_steal_pointer (&all->attention);
  c->by_target = g_steal_pointer (&all->by_target);
  c->pearson_all = all->pearson;
  c->spearman_all = all->spearman;
}

static HlCrossComparison *
comparison_new (const HlStack *tower, gint64 n, gint64 m)
{
  HlCrossComparison *c = g_new0 (HlCrossComparison, 1);
  c->n_layers = tower->n_layers;
  for (int l = 0; l < tower->n_layers; l++)
    c->n_heads = MAX (c->n_heads, tower->layers[l].n_heads);
  c->n_targets = (int) n;
  c->n_keys = (int) m;
  gsize all = (gsize) (c->n_layers * c->n_heads);
  c->pearson = not_there (all);
  c->spearman = not_there (all);
  c->diagonality = not_there (all);
  c->monotonicity = not_there (all);
  c->pearson_layer = not_there ((gsize) c->n_layers);
  c->attention = g_new0 (double, (gsize) (n * m) + 1);
  return c;
}

static gboolean
check_size (const Work *w, GError **error)
{
  gint64 Tq = 0, Tk = 0;
  HlHeadKey head = { w->stack, 0, 0 };
  gboolean fits = hl_attention_source_get_size (w->source, head, &Tq, &Tk) && Tk == w->m;
  for (gint64 i = 0; i < w->n && fits; i++)
    fits = w->query[i] < Tq;
  if (!fits)
    g_set_error (error, HL_ERROR, HL_ERROR_SHAPE,
                 "maps over the %d tokens of the saliency expected, %d by %d found",
                 (int) w->m, (int) Tq, (int) Tk);
  return fits;
}

static void
work_clear (Work *w)
{
  g_free (w->query);
  g_free (w->saliency);
  g_free (w->ready);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Work, work_clear)

HlCrossComparison *
hl_cross_compare (const HlAttentionSource *source,
                  HlBackend *backend,
                  int stack,
                  const HlSaliencySet *set,
                  const HlCrossOptions *options,
                  const HlProgress *progress,
                  GError **error)
{
  const HlTrace *trace = hl_attention_source_get_trace (source);
  const HlStack *tower = hl_model_info_get_stack (trace->model, stack);
  g_auto (Work)
      w = { source, backend, set, options, stack, set->rows->len, set->tokens->n_tokens };
  int n_heads = 0;
  take_queries (&w);
  if (!check_size (&w, error))
    return NULL;
  take_saliency (&w);
  g_autoptr (HlCrossComparison) c = comparison_new (tower, w.n, w.m);
  for (int l = 0; l < tower->n_layers; l++)
    {
      int H = tower->layers[l].n_heads;
      if (!compare_layer (&w, c, l, H, progress, error))
        return NULL;
      n_heads += H;
    }
  compare_all (&w, c, MAX (options->by_norm ? tower->n_layers : n_heads, 1));
  c->stack = stack;
  c->saliency = g_steal_pointer (&w.saliency);
  return g_steal_pointer (&c);
}

/* ---- files ---------------------------------------------------------------------------
 */

static char *
make_params (const HlCrossComparison *c,
             const HlSaliencySet *set,
             const HlCrossOptions *options)
{
  json_t *params = hl_saliency_set_describe (set);
  json_object_set_new (params, "maps",
                       json_string (options->is_raw ? "raw" : "z-scored by row"));
  json_object_set_new (params, "stack", json_integer (c->stack));
  json_object_set_new (params, "weights",
                       json_string (options->by_norm ? "norm" : "map"));
  json_object_set_new (params, "special_tokens", json_boolean (options->keeps_special));
  json_object_set_new (params, "saliency",
                       json_string (hl_saliency_is_signed (set->options.method)
                                        ? "by its size"
                                        : "as it is"));
  char *text = json_dumps (params, JSON_COMPACT);
  json_decref (params);
  return text;
}

gboolean
hl_cross_comparison_find_best (const HlCrossComparison *c, HlHeadKey *best)
{
  int n = c->n_layers * c->n_heads, at = -1;
  for (int i = 0; i < n; i++)
    if (!isnan (c->pearson[i]) && (at < 0 || c->pearson[i] > c->pearson[at]))
      at = i;
  if (at >= 0)
    *best = (HlHeadKey){ c->stack, at / c->n_heads, at % c->n_heads };
  return at >= 0;
}

HlSessionResult *
hl_cross_comparison_to_result (const HlCrossComparison *c,
                               const HlSaliencySet *set,
                               const HlCrossOptions *options,
                               const char *provenance)
{
  char *params = make_params (c, set, options);
  HlSessionResult *result = hl_session_result_new (HL_RESULT_CROSS, params, provenance);
  HlShape heads = HL_SHAPE (c->n_layers, c->n_heads);
  HlShape map = HL_SHAPE (c->n_targets, c->n_keys);
  const struct
  {
    const char *name;
    const double *x;
    HlShape shape;
    const char *first, *second;
  } arrays[] = {
    { "pearson", c->pearson, heads, "layer", "head" },
    { "spearman", c->spearman, heads, "layer", "head" },
    { "diagonality", c->diagonality, heads, "layer", "head" },
    { "monotonicity", c->monotonicity, heads, "layer", "head" },
    { "pearson_layer", c->pearson_layer, HL_SHAPE (c->n_layers), "layer", NULL },
    { "pearson_all", &c->pearson_all, HL_SHAPE (1), "all", NULL },
    { "spearman_all", &c->spearman_all, HL_SHAPE (1), "all", NULL },
    { "pearson_target", c->by_target, HL_SHAPE (c->n_targets), "target", NULL },
    { "attention", c->attention, map, "target", "token" },
    { "saliency", c->saliency, map, "target", "token" },
  };
  free (params);
  for (guint i = 0; i < G_N_ELEMENTS (arrays); i++)
    hl_result_add_array (result, arrays[i].name, HL_DTYPE_F64, arrays[i].shape,
                         arrays[i].x, arrays[i].first, arrays[i].second);
  hl_saliency_set_add_targets (set, result);
  if (set->spes != NULL)
    hl_spes_maps_add_to (set->spes, result);
  return result;
}

char *
hl_cross_comparison_to_csv (const HlCrossComparison *c, const HlCrossComparison *behind)
{
  GString *csv = g_string_new ("layer,head,pearson,spearman,diagonality,monotonicity");
  g_string_append (csv, behind != NULL ? ",pearson_encoder,spearman_encoder\n" : "\n");
  for (int l = 0; l < c->n_layers; l++)
    for (int h = 0; h < c->n_heads; h++)
      {
        gsize at = (gsize) (l * c->n_heads + h);
        g_string_append_printf (csv, "%d,%d", l, h);
        hl_csv_append_number (csv, c->pearson[at], 0);
        hl_csv_append_number (csv, c->spearman[at], 0);
        hl_csv_append_number (csv, c->diagonality[at], 0);
        hl_csv_append_number (csv, c->monotonicity[at], 0);
        if (behind != NULL)
          {
            hl_csv_append_number (csv, behind->pearson[at], 0);
            hl_csv_append_number (csv, behind->spearman[at], 0);
          }
        g_string_append_c (csv, '\n');
      }
  return g_string_free (csv, FALSE);
}
