/* SPDX-License-Identifier: MIT
 * Rows of some heads' attention beside saliency. */
#include "analysis/hl-cross-map.h"

#include "analysis/hl-statistics.h"

#include <math.h>

HlCrossMap *
hl_cross_map_copy (const HlCrossMap *map)
{
  HlCrossMap *copy = g_memdup2 (map, sizeof *map);
  copy->attention =
      g_memdup2 (map->attention, sizeof (double) * (gsize) MAX (map->n * map->m, 1));
  copy->by_target = g_memdup2 (map->by_target, sizeof (double) * (gsize) MAX (map->n, 1));
  return copy;
}

void
hl_cross_map_free (HlCrossMap *map)
{
  if (map == NULL)
    return;
  g_free (map->attention);
  g_free (map->by_target);
  g_free (map);
}

double *
hl_cross_rows_read (const HlCrossRows *r,
                    HlHeadKey head,
                    const HlProgress *progress,
                    GError **error)
{
  GCancellable *cancellable = progress != NULL ? progress->cancellable : NULL;
  g_autofree float *row = g_new (float, (gsize) r->m + 1);
  g_autofree double *rows = g_new (double, (gsize) (r->n * r->m) + 1);
  for (gint64 i = 0; i < r->n; i++)
    {
      if (!hl_attention_source_read_row (r->source, r->backend, head, r->query[i], row,
                                         cancellable, error))
        return NULL;
      for (gint64 j = 0; j < r->m; j++)
        rows[i * r->m + j] = isnan (r->saliency[i * r->m + j]) ? NAN : (double) row[j];
    }
  return g_steal_pointer (&rows);
}

double *
hl_cross_rows_prepare (const HlCrossRows *r, const double *x)
{
  double *ready = g_memdup2 (x, sizeof (double) * (gsize) (r->n * r->m));
  if (!r->is_raw)
    hl_z_score_rows (ready, r->n, r->m);
  return ready;
}

/* Ranks over what is there on both sides. */
double
hl_cross_rows_spearman (const HlCrossRows *r, const double *x, const double *y)
{
  gsize n = (gsize) (r->n * r->m), k = 0;
  g_autofree double *both_x = g_new (double, n + 1);
  g_autofree double *both_y = g_new (double, n + 1);
  for (gsize i = 0; i < n; i++)
    if (!isnan (x[i]) && !isnan (y[i]))
      {
        both_x[k] = x[i];
        both_y[k++] = y[i];
      }
  g_autofree double *rx = hl_ranks (both_x, k);
  g_autofree double *ry = hl_ranks (both_y, k);
  return hl_pearson (rx, ry, k);
}

HlCrossMap *
hl_cross_map_new (const HlCrossRows *r, double *attention)
{
  HlCrossMap *map = g_new0 (HlCrossMap, 1);
  gsize m = (gsize) r->m;
  map->n = r->n;
  map->m = r->m;
  map->attention = attention;
  map->by_target = g_new (double, (gsize) r->n + 1);
  g_autofree double *x = hl_cross_rows_prepare (r, attention);
  g_autofree double *y = hl_cross_rows_prepare (r, r->saliency);
  map->pearson = hl_pearson (x, y, (gsize) r->n * m);
  map->spearman = hl_cross_rows_spearman (r, x, y);
  for (gint64 i = 0; i < r->n; i++)
    map->by_target[i] = hl_pearson (x + i * r->m, y + i * r->m, m);
  return map;
}

HlCrossMap *
hl_cross_map_make (const HlCrossRows *r,
                   const HlHeadKey *heads,
                   guint n_heads,
                   const HlProgress *progress,
                   GError **error)
{
  g_return_val_if_fail (n_heads > 0, NULL);
  gsize n = (gsize) (r->n * r->m);
  g_autofree double *mean = g_new0 (double, n + 1);
  for (guint h = 0; h < n_heads; h++)
    {
      if (!hl_progress_step (progress, (double) h / n_heads, NULL, error))
        return NULL;
      g_autofree double *rows = hl_cross_rows_read (r, heads[h], progress, error);
      if (rows == NULL)
        return NULL;
      for (gsize i = 0; i < n; i++)
        mean[i] += rows[i] / n_heads;
    }
  return hl_cross_map_new (r, g_steal_pointer (&mean));
}
