/* SPDX-License-Identifier: MIT
 * What is known of a head from one map. */
#include "analysis/hl-head-stats.h"

#include "base/hl-error.h"

#include <math.h>

#define BAND_ROWS 256

typedef struct
{
  HlHeadStats *stats;
  const HlTokenTable *tokens;
  gboolean is_causal;
  gint64 Tq, Tk;
  double entropy, distance, sink;
  gint64 n_entropy, n_distance, n_sink;
} Sums;

/* Entropy over the keys that this row may see. */
static void
add_entropy (Sums *s, const float *row, gint64 query)
{
  gint64 n = s->is_causal ? MIN (s->Tk, query + s->Tk - s->Tq + 1) : s->Tk;
  if (n < 2)
    return;
  double h = 0;
  for (gint64 j = 0; j < n; j++)
    if (row[j] > 0)
      h -= (double) row[j] * log ((double) row[j]);
  s->entropy += h / log ((double) n);
  s->n_entropy++;
}

static double
distance_between (const HlToken *a, const HlToken *b, gint64 i, gint64 j)
{
  if (a->row >= 0 && b->row >= 0)
    return hypot (a->row - b->row, a->column - b->column);
  return fabs ((double) (i - j));
}

static void
add_distance (Sums *s, const float *row, gint64 query)
{
  if (s->tokens == NULL || s->tokens->n_tokens != s->Tk || s->Tq != s->Tk)
    return;
  const HlToken *from = &s->tokens->tokens[query];
  if (from->role == HL_ROLE_SPECIAL || from->role == HL_ROLE_PADDING)
    return;
  double mass = 0, sum = 0;
  for (gint64 j = 0; j < s->Tk; j++)
    {
      const HlToken *to = &s->tokens->tokens[j];
      if (to->role == HL_ROLE_SPECIAL || to->role == HL_ROLE_PADDING)
        continue;
      mass += (double) row[j];
      sum += (double) row[j] * distance_between (from, to, query, j);
    }
  if (!(mass > 0))
    return;
  s->distance += sum / mass;
  s->n_distance++;
}

static void
add_row (Sums *s, const float *row, gint64 query)
{
  add_entropy (s, row, query);
  add_distance (s, row, query);
  if (query >= 1)
    {
      s->sink += (double) row[0];
      s->n_sink++;
    }
  for (gint64 j = 0; j < s->Tk; j++)
    if ((double) row[j] > s->stats->max)
      {
        s->stats->max = (double) row[j];
        s->stats->max_query = query;
        s->stats->max_key = j;
      }
}

gboolean
hl_head_stats_compute (const HlAttentionSource *source,
                       HlBackend *backend,
                       HlHeadKey head,
                       HlHeadStats *stats,
                       GCancellable *cancellable,
                       GError **error)
{
  const HlTrace *trace = hl_attention_source_get_trace (source);
  const HlStack *stack = hl_model_info_get_stack (trace->model, head.stack);
  *stats = (HlHeadStats){ .max = -1, .max_query = -1, .max_key = -1 };
  Sums s = { .stats = stats, .tokens = hl_trace_get_tokens (trace, head.stack) };
  s.is_causal = stack != NULL && head.layer >= 0 && head.layer < stack->n_layers
                && stack->layers[head.layer].is_causal;
  if (!hl_attention_source_get_size (source, head, &s.Tq, &s.Tk))
    {
      g_set_error (error, HL_ERROR, HL_ERROR_MISSING,
                   "head %d.%d: no attention in this trace", head.layer, head.head);
      return FALSE;
    }
  g_autofree float *band = g_new (float, (gsize) (MIN (BAND_ROWS, s.Tq) * s.Tk) + 1);
  for (gint64 first = 0; first < s.Tq; first += BAND_ROWS)
    {
      gint64 n = MIN (BAND_ROWS, s.Tq - first);
      if (g_cancellable_set_error_if_cancelled (cancellable, error)
          || !hl_attention_source_read_rect (source, backend, head, first, n, 0, s.Tk,
                                             band, cancellable, error))
        return FALSE;
      for (gint64 i = 0; i < n; i++)
        add_row (&s, band + i * s.Tk, first + i);
    }
  stats->row_entropy = s.n_entropy > 0 ? s.entropy / (double) s.n_entropy : NAN;
  stats->mean_distance = s.n_distance > 0 ? s.distance / (double) s.n_distance : NAN;
  stats->sink_share = s.n_sink > 0 ? s.sink / (double) s.n_sink : NAN;
  return TRUE;
}
