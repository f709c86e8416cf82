/* SPDX-License-Identifier: MIT
 * How strongly a head attends to neighbours at each distance. */
#include "analysis/hl-hops.h"

#include <math.h>

struct _HlHopMaker
{
  const HlTokenTable *tokens;
  HlLayerInfo layer;
  gboolean is_grid;
  int n_hops;
  double *sums;    /* attention at each hop */
  double *pairs;   /* pairs of tokens at each hop */
  double *uniform; /* what a uniform map has there in all */
};

void
hl_hop_profile_free (HlHopProfile *profile)
{
  if (profile == NULL)
    return;
  g_free (profile->edges);
  g_free (profile->strength);
  g_free (profile->mass);
  g_free (profile->uniform);
  g_free (profile);
}

/* Bin of a distance between tokens of a text: 0, 1, 2, 3-4, 5-8, ... */
static int
bin_of (gint64 distance)
{
  return distance < 2 ? (int) distance : 1 + (int) g_bit_storage ((gulong) distance - 1);
}

static int
edge_of (int bin)
{
  return bin < 3 ? bin : (1 << (bin - 2)) + 1;
}

int
hl_hop_count (const HlTokenTable *tokens)
{
  if (tokens->n_rows > 0)
    return MAX (tokens->n_rows, tokens->n_columns);
  return tokens->n_tokens > 0 ? bin_of (tokens->n_tokens - 1) + 1 : 0;
}

HlHopMaker *
hl_hop_maker_new (const HlTokenTable *tokens, gboolean is_causal)
{
  const HlLayerInfo layer = { .is_causal = is_causal };
  return hl_hop_maker_new_for (tokens, &layer);
}

HlHopMaker *
hl_hop_maker_new_for (const HlTokenTable *tokens, const HlLayerInfo *layer)
{
  HlHopMaker *m = g_new0 (HlHopMaker, 1);
  m->tokens = tokens;
  m->layer = *layer;
  m->is_grid = tokens->n_rows > 0;
  m->n_hops = hl_hop_count (tokens);
  m->sums = g_new0 (double, (gsize) m->n_hops + 1);
  m->pairs = g_new0 (double, (gsize) m->n_hops + 1);
  m->uniform = g_new0 (double, (gsize) m->n_hops + 1);
  return m;
}

/* -1 where a pair does not count. */
static int
ring_between (const HlHopMaker *m, gint64 i, gint64 j)
{
  const HlToken *a = &m->tokens->tokens[i], *b = &m->tokens->tokens[j];
  if (a->row < 0 || b->row < 0)
    return -1;
  return MAX (ABS (a->row - b->row), ABS (a->column - b->column));
}

/* Keys @first up to @end, those of them in @span, that a row may see, all at one hop. */
static void
add_range (
    HlHopMaker *m, int hop, const float *row, gint64 first, gint64 end, HlKeySpan span)
{
  gint64 n = span.end - span.first;
  first = MAX (first, span.first);
  end = MIN (end, span.end);
  for (gint64 j = first; j < end; j++)
    m->sums[hop] += (double) row[j];
  m->pairs[hop] += (double) MAX (end - first, 0);
  m->uniform[hop] += (double) MAX (end - first, 0) / (double) n;
}

/* A bin of a text is a range of keys to the left, and one to the right. */
static void
add_text_row (HlHopMaker *m, const float *row, gint64 query, HlKeySpan span)
{
  for (int hop = 0; hop < m->n_hops; hop++)
    {
      gint64 near = edge_of (hop), far = edge_of (hop + 1);
      add_range (m, hop, row, MAX (query - far + 1, 0), query - near + 1, span);
      if (!m->layer.is_causal && hop > 0)
        add_range (m, hop, row, query + near, query + far, span);
    }
}

void
hl_hop_maker_add_row (HlHopMaker *m, const float *row, gint64 query)
{
  gint64 T = m->tokens->n_tokens;
  HlKeySpan span = hl_layer_keys_seen (&m->layer, query, T, T);
  if (!m->is_grid)
    {
      add_text_row (m, row, query, span);
      return;
    }
  for (gint64 j = span.first; j < span.end; j++)
    {
      int hop = ring_between (m, query, j);
      if (hop >= 0)
        add_range (m, hop, row, j, j + 1, span);
    }
}

static double
entropy_of (const double *strength, int n)
{
  double sum = 0, entropy = 0;
  for (int i = 0; i < n; i++)
    sum += isnan (strength[i]) ? 0 : strength[i];
  for (int i = 0; i < n; i++)
    if (strength[i] > 0)
      entropy -= strength[i] / sum * log (strength[i] / sum);
  return sum > 0 ? entropy : NAN;
}

HlHopProfile *
hl_hop_maker_end (HlHopMaker *m)
{
  HlHopProfile *p = g_new0 (HlHopProfile, 1);
  gsize n = (gsize) m->n_hops;
  double all = 0;
  p->n_hops = m->n_hops;
  p->edges = g_new (int, n + 1);
  p->strength = g_new (double, n + 1);
  p->mass = g_new (double, n + 1);
  p->uniform = g_new (double, n + 1);
  for (int i = 0; i < p->n_hops; i++)
    all += m->sums[i];
  for (int i = 0; i <= p->n_hops; i++)
    p->edges[i] = m->is_grid ? i : edge_of (i);
  for (int i = 0; i < p->n_hops; i++)
    {
      gboolean is_there = m->pairs[i] > 0;
      p->strength[i] = is_there ? m->sums[i] / m->pairs[i] : NAN;
      p->uniform[i] = is_there ? m->uniform[i] / m->pairs[i] : NAN;
      p->mass[i] = all > 0 ? m->sums[i] / all : NAN;
    }
  p->entropy = entropy_of (p->strength, p->n_hops);
  g_free (m->sums);
  g_free (m->pairs);
  g_free (m->uniform);
  g_free (m);
  return p;
}
