/* SPDX-License-Identifier: MIT
 * Rules that carry relevance through maps of attention. */
#include "analysis/hl-relevance.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

HlMatrix *
hl_matrix_new (gint64 n, gint64 m)
{
  HlMatrix *matrix = g_new (HlMatrix, 1);
  *matrix = (HlMatrix){ n, m, g_new0 (double, (gsize) (n * m) + 1) };
  return matrix;
}

HlMatrix *
hl_matrix_new_identity (gint64 n)
{
  HlMatrix *matrix = hl_matrix_new (n, n);
  for (gint64 i = 0; i < n; i++)
    matrix->x[i * n + i] = 1;
  return matrix;
}

void
hl_matrix_free (HlMatrix *matrix)
{
  if (matrix == NULL)
    return;
  g_free (matrix->x);
  g_free (matrix);
}

HlMatrix *
hl_matrix_multiply (const HlMatrix *a, const HlMatrix *b)
{
  HlMatrix *product = hl_matrix_new (a->n, b->m);
  if (a->n > 0 && a->m > 0 && b->m > 0)
    cblas_dgemm (CblasRowMajor, CblasNoTrans, CblasNoTrans, (int) a->n, (int) b->m,
                 (int) a->m, 1, a->x, (int) a->m, b->x, (int) b->m, 0, product->x,
                 (int) b->m);
  return product;
}

static void
add_matrix (HlMatrix *to, const HlMatrix *from)
{
  for (gint64 i = 0; i < to->n * to->m; i++)
    to->x[i] += from->x[i];
}

HlMatrix *
hl_relevance_mean_map (
    const double *map, const double *grad, gint64 H, gint64 n, gint64 m)
{
  HlMatrix *mean = hl_matrix_new (n, m);
  for (gint64 h = 0; h < H; h++)
    for (gint64 i = 0; i < n * m; i++)
      {
        gint64 at = h * n * m + i;
        mean->x[i] +=
            (grad != NULL ? fmax (map[at] * grad[at], 0) : map[at]) / (double) H;
      }
  return mean;
}

/* (transfer full): A + I, rows divided by their sums. */
static HlMatrix *
with_residual (const HlMatrix *map)
{
  HlMatrix *both = hl_matrix_new_identity (map->n);
  add_matrix (both, map);
  for (gint64 i = 0; i < map->n; i++)
    {
      double *row = both->x + i * map->n, sum = 0;
      for (gint64 j = 0; j < map->n; j++)
        sum += row[j];
      for (gint64 j = 0; j < map->n; j++)
        row[j] /= sum;
    }
  return both;
}

void
hl_rollout_step (HlMatrix *rollout, const HlMatrix *map)
{
  g_autoptr (HlMatrix) both = with_residual (map);
  g_autoptr (HlMatrix) next = hl_matrix_multiply (both, rollout);
  memcpy (rollout->x, next->x, sizeof (double) * (gsize) (rollout->n * rollout->m));
}

void
hl_relevance_self (HlMatrix *own, HlMatrix *other, const HlMatrix *map)
{
  g_autoptr (HlMatrix) more = hl_matrix_multiply (map, own);
  g_autoptr (HlMatrix) across = other != NULL ? hl_matrix_multiply (map, other) : NULL;
  add_matrix (own, more);
  if (other != NULL)
    add_matrix (other, across);
}

HlMatrix *
hl_relevance_normalise (const HlMatrix *r)
{
  HlMatrix *normal = hl_matrix_new (r->n, r->m);
  for (gint64 i = 0; i < r->n; i++)
    {
      const double *from = r->x + i * r->m;
      double *to = normal->x + i * r->m, sum = -1;
      for (gint64 j = 0; j < r->m; j++)
        sum += from[j];
      for (gint64 j = 0; j < r->m; j++)
        to[j] = (sum != 0 ? (from[j] - (i == j)) / sum : 0) + (i == j);
    }
  return normal;
}

static HlMatrix *
transpose (const HlMatrix *a)
{
  HlMatrix *t = hl_matrix_new (a->m, a->n);
  for (gint64 i = 0; i < a->n; i++)
    for (gint64 j = 0; j < a->m; j++)
      t->x[j * a->n + i] = a->x[i * a->m + j];
  return t;
}

void
hl_relevance_cross (HlMatrix *other,
                    const HlMatrix *own,
                    const HlMatrix *encoder,
                    const HlMatrix *map)
{
  g_autoptr (HlMatrix) queries = hl_relevance_normalise (own);
  g_autoptr (HlMatrix) keys = hl_relevance_normalise (encoder);
  g_autoptr (HlMatrix) turned = transpose (queries);
  g_autoptr (HlMatrix) left = hl_matrix_multiply (turned, map);
  g_autoptr (HlMatrix) more = hl_matrix_multiply (left, keys);
  add_matrix (other, more);
}

/* ---- flow ----------------------------------------------------------------------------
 * Dinic's algorithm on a graph of layers: node l * T + t is token t before layer l; edges
 * lead from layer l + 1 to l. What is left of edge (l, t, s) and what flows back along it
 * are kept in two arrays of the same shape.
 */

typedef struct
{
  int L;
  gint64 T;
  double *left; /* (L, T, T): capacity left from (l + 1, t) to (l, s) */
  double *back; /* (L, T, T): what may flow back from (l, s) to (l + 1, t) */
  int *level;   /* of a node: steps from the source; -1 where it is not reached */
  gint64 *queue;
} Flow;

#define FLOW_LEAST 1e-12

static gint64
edge_at (const Flow *f, int l, gint64 t, gint64 s)
{
  return (l * f->T + t) * f->T + s;
}

/* Puts nodes next to @node that can be reached, into the queue. */
static int
reach (Flow *f, gint64 node, int n_queued)
{
  int layer = (int) (node / f->T);
  gint64 t = node % f->T;
  for (gint64 s = 0; s < f->T; s++)
    {
      gint64 below = node - t - f->T + s, above = node - t + f->T + s;
      if (layer > 0 && f->left[edge_at (f, layer - 1, t, s)] > FLOW_LEAST &&
          f->level[below] < 0)
        {
          f->level[below] = f->level[node] + 1;
          f->queue[n_queued++] = below;
        }
      if (layer < f->L && f->back[edge_at (f, layer, s, t)] > FLOW_LEAST &&
          f->level[above] < 0)
        {
          f->level[above] = f->level[node] + 1;
          f->queue[n_queued++] = above;
        }
    }
  return n_queued;
}

static gboolean
find_levels (Flow *f, gint64 source, gint64 sink)
{
  gint64 n = (f->L + 1) * f->T;
  int n_queued = 1;
  for (gint64 i = 0; i < n; i++)
    f->level[i] = -1;
  f->level[source] = 0;
  f->queue[0] = source;
  for (int at = 0; at < n_queued; at++)
    n_queued = reach (f, f->queue[at], n_queued);
  return f->level[sink] >= 0;
}

static double push (Flow *f, gint64 node, gint64 sink, double most);

/* Sends some of @most on to @next, a level further, where there is room. */
static double
push_edge (Flow *f, double *room, double *other, gint64 next, gint64 sink, double most)
{
  if (*room <= FLOW_LEAST)
    return 0;
  double sent = push (f, next, sink, fmin (most, *room));
  *room -= sent;
  *other += sent;
  return sent;
}

static double
push (Flow *f, gint64 node, gint64 sink, double most)
{
  int layer = (int) (node / f->T);
  gint64 t = node % f->T;
  double sent = 0;
  if (node == sink)
    return most;
  for (gint64 s = 0; s < f->T && most - sent > FLOW_LEAST; s++)
    {
      gint64 below = node - t - f->T + s, above = node - t + f->T + s;
      if (layer > 0 && f->level[below] == f->level[node] + 1)
        {
          gint64 e = edge_at (f, layer - 1, t, s);
          sent += push_edge (f, &f->left[e], &f->back[e], below, sink, most - sent);
        }
      if (layer < f->L && most - sent > FLOW_LEAST &&
          f->level[above] == f->level[node] + 1)
        {
          gint64 e = edge_at (f, layer, s, t);
          sent += push_edge (f, &f->back[e], &f->left[e], above, sink, most - sent);
        }
    }
  if (sent <= FLOW_LEAST)
    f->level[node] = -1; /* nothing gets through here any more */
  return sent;
}

static double
max_flow (Flow *f, const double *capacity, gint64 source, gint64 sink)
{
  gsize n = (gsize) f->L * (gsize) (f->T * f->T);
  double total = 0;
  memcpy (f->left, capacity, sizeof (double) * n);
  memset (f->back, 0, sizeof (double) * n);
  while (find_levels (f, source, sink))
    {
      double sent = push (f, source, sink, HUGE_VAL);
      if (!(sent > FLOW_LEAST))
        break;
      total += sent;
    }
  return total;
}

double *
hl_flow_row (const HlMatrix *const *maps, int L, gint64 query)
{
  gint64 T = maps[0]->n;
  gsize n_edges = (gsize) L * (gsize) (T * T), n_nodes = (gsize) ((L + 1) * T);
  g_autofree double *capacity = g_new (double, n_edges);
  g_autofree double *left = g_new (double, n_edges);
  g_autofree double *back = g_new (double, n_edges);
  g_autofree int *level = g_new (int, n_nodes);
  g_autofree gint64 *queue = g_new (gint64, n_nodes);
  Flow f = { L, T, left, back, level, queue };
  for (int l = 0; l < L; l++)
    {
      g_autoptr (HlMatrix) both = with_residual (maps[l]);
      memcpy (capacity + l * T * T, both->x, sizeof (double) * (gsize) (T * T));
    }
  double *row = g_new (double, (gsize) T), sum = 0;
  for (gint64 s = 0; s < T; s++)
    sum += row[s] = max_flow (&f, capacity, L * T + query, s);
  for (gint64 s = 0; s < T && sum > 0; s++)
    row[s] /= sum;
  return row;
}
