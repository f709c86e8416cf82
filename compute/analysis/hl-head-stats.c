/* SPDX-License-Identifier: MIT
 * What is known of a head from one map. */
#include "analysis/hl-head-stats.h"

#include "analysis/hl-row-sums.h"
#include "base/hl-error.h"
#include "trace/hl-word-trace.h"

#include <math.h>

#define BAND_ROWS 256

/* Tokens one after another that count in the mean distance. */
typedef struct
{
  gint64 start, n;
} Run;

struct _HlHeadStatsMaker
{
  HlHeadStats stats;
  const HlTokenTable *tokens; /* NULL where they do not fit the map */
  gboolean is_grid;
  GArray *runs;         /* Run */
  const HlTrace *trace; /* the source's */
  HlHeadKey head;
  gint64 Tq, Tk;
  double entropy, distance, sink;
  gint64 n_entropy, n_distance, n_sink;
};

static gboolean
is_left_out (const HlToken *token)
{
  return token->role == HL_ROLE_SPECIAL || token->role == HL_ROLE_PADDING;
}

static void
find_runs (HlHeadStatsMaker *m)
{
  for (gint64 i = 0; i < m->Tk; i++)
    {
      const HlToken *token = &m->tokens->tokens[i];
      m->is_grid |= token->row >= 0;
      if (is_left_out (token))
        continue;
      Run *last =
          m->runs->len > 0 ? &g_array_index (m->runs, Run, m->runs->len - 1) : NULL;
      if (last != NULL && last->start + last->n == i)
        last->n++;
      else
        {
          Run run = { i, 1 };
          g_array_append_val (m->runs, run);
        }
    }
}

static HlKeySpan
keys_seen (const HlHeadStatsMaker *m, gint64 query)
{
  return hl_trace_keys_seen (m->trace, m->head.stack, m->head.layer, query, m->Tq, m->Tk);
}

/* Entropy over the keys that this row may see. */
static void
add_entropy (HlHeadStatsMaker *m, const float *row, gint64 query)
{
  HlKeySpan span = keys_seen (m, query);
  gint64 n = span.end - span.first;
  if (n < 2)
    return;
  m->entropy += hl_row_entropy (row + span.first, n) / log ((double) n);
  m->n_entropy++;
}

static double
distance_between (const HlToken *a, const HlToken *b, gint64 i, gint64 j)
{
  if (a->row >= 0 && b->row >= 0)
    return hypot (a->row - b->row, a->column - b->column);
  return fabs ((double) (i - j));
}

static void
sum_over_grid (HlHeadStatsMaker *m,
               const Run *run,
               const float *row,
               gint64 query,
               double *mass,
               double *sum)
{
  const HlToken *tokens = m->tokens->tokens;
  for (gint64 j = run->start; j < run->start + run->n; j++)
    {
      *mass += (double) row[j];
      *sum += (double) row[j] * distance_between (&tokens[query], &tokens[j], query, j);
    }
}

static void
add_distance (HlHeadStatsMaker *m, const float *row, gint64 query)
{
  if (m->tokens == NULL || is_left_out (&m->tokens->tokens[query]))
    return;
  gint64 end = keys_seen (m, query).end;
  double mass = 0, sum = 0;
  for (guint i = 0; i < m->runs->len; i++)
    {
      Run run = g_array_index (m->runs, Run, i);
      run.n = MIN (run.n, end - run.start);
      if (run.n <= 0)
        break;
      if (m->is_grid)
        sum_over_grid (m, &run, row, query, &mass, &sum);
      else
        hl_row_distance (row + run.start, run.n, run.start, query, &mass, &sum);
    }
  if (!(mass > 0))
    return;
  m->distance += sum / mass;
  m->n_distance++;
}

/* Where the largest entry lies is looked for only in a row that holds one. */
static void
add_max (HlHeadStatsMaker *m, const float *row, gint64 query)
{
  double max = (double) hl_row_max (row, m->Tk);
  if (!(max > m->stats.max))
    return;
  m->stats.max = max;
  m->stats.max_query = query;
  m->stats.max_key = 0;
  while ((double) row[m->stats.max_key] < max)
    m->stats.max_key++;
}

HlHeadStatsMaker *
hl_head_stats_begin (const HlAttentionSource *source, HlHeadKey head, GError **error)
{
  const HlTrace *trace = hl_attention_source_get_trace (source);
  gint64 Tq = 0, Tk = 0;
  if (!hl_attention_source_get_size (source, head, &Tq, &Tk))
    {
      hl_attention_source_complain (source, head, error);
      return NULL;
    }
  HlHeadStatsMaker *m = g_new0 (HlHeadStatsMaker, 1);
  m->stats = (HlHeadStats){ .max = -1, .max_query = -1, .max_key = -1 };
  m->Tq = Tq;
  m->Tk = Tk;
  m->runs = g_array_new (FALSE, FALSE, sizeof (Run));
  m->trace = trace;
  m->head = head;
  m->tokens = hl_trace_get_tokens (trace, head.stack);
  if (m->tokens != NULL && (m->tokens->n_tokens != Tk || Tq != Tk))
    m->tokens = NULL;
  if (m->tokens != NULL)
    find_runs (m);
  return m;
}

void
hl_head_stats_add_row (HlHeadStatsMaker *m, const float *row, gint64 query)
{
  add_entropy (m, row, query);
  add_distance (m, row, query);
  add_max (m, row, query);
  if (query < 1)
    return;
  m->sink += (double) row[0];
  m->n_sink++;
}

void
hl_head_stats_end (HlHeadStatsMaker *m, HlHeadStats *stats)
{
  if (m == NULL)
    return;
  m->stats.row_entropy = m->n_entropy > 0 ? m->entropy / (double) m->n_entropy : NAN;
  m->stats.mean_distance = m->n_distance > 0 ? m->distance / (double) m->n_distance : NAN;
  m->stats.sink_share = m->n_sink > 0 ? m->sink / (double) m->n_sink : NAN;
  if (stats != NULL)
    *stats = m->stats;
  g_array_unref (m->runs);
  g_free (m);
}

gboolean
hl_head_stats_compute (const HlAttentionSource *source,
                       HlBackend *backend,
                       HlHeadKey head,
                       HlHeadStats *stats,
                       GCancellable *cancellable,
                       GError **error)
{
  HlHeadStatsMaker *m = hl_head_stats_begin (source, head, error);
  if (m == NULL)
    return FALSE;
  g_autofree float *band = g_new (float, (gsize) (MIN (BAND_ROWS, m->Tq) * m->Tk) + 1);
  gboolean ok = TRUE;
  for (gint64 first = 0; first < m->Tq && ok; first += BAND_ROWS)
    {
      gint64 n = MIN (BAND_ROWS, m->Tq - first);
      ok = !g_cancellable_set_error_if_cancelled (cancellable, error) &&
           hl_attention_source_read_rect (source, backend, head, first, n, 0, m->Tk, band,
                                          cancellable, error);
      for (gint64 i = 0; i < n && ok; i++)
        hl_head_stats_add_row (m, band + i * m->Tk, first + i);
    }
  hl_head_stats_end (m, stats);
  return ok;
}
