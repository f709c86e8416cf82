/* SPDX-License-Identifier: MIT
 * What the overview needs of every head of a trace. */
#include "presenters/hl-summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BAND_ROWS 256
#define MAX_SAMPLES (1 << 20)

gboolean
hl_token_is_left_out (const HlTokenTable *tokens, gint64 index)
{
  if (tokens == NULL || index < 0 || index >= tokens->n_tokens)
    return FALSE;
  HlTokenRole role = tokens->tokens[index].role;
  return role == HL_ROLE_SPECIAL || role == HL_ROLE_PADDING;
}

HlLayerSummary *
hl_layer_summary_ref (HlLayerSummary *summary)
{
  g_atomic_ref_count_inc (&summary->refs);
  return summary;
}

void
hl_layer_summary_unref (HlLayerSummary *summary)
{
  if (summary == NULL || !g_atomic_ref_count_dec (&summary->refs))
    return;
  for (int h = 0; h < summary->n_heads; h++)
    {
      g_free (summary->heads[h].whole.values);
      g_free (summary->heads[h].patches.values);
    }
  g_free (summary->heads);
  g_free (summary);
}

/* Where each token of a side goes in a picture: -1 for one that is left out. */
typedef struct
{
  int *cell;
  gint64 n_kept;
  int pool;
  int n_cells;
} Side;

static Side
side_new (const HlTokenTable *tokens, gint64 n, gboolean leave_out)
{
  Side side = { .cell = g_new (int, (gsize) MAX (n, 1)) };
  for (gint64 i = 0; i < n; i++)
    if (!leave_out || !hl_token_is_left_out (tokens, i))
      side.n_kept++;
  side.pool
      = (int) MAX (1, (side.n_kept + HL_THUMB_SIDE_MAX - 1) / HL_THUMB_SIDE_MAX);
  side.n_cells = (int) ((side.n_kept + side.pool - 1) / side.pool);
  gint64 kept = 0;
  for (gint64 i = 0; i < n; i++)
    side.cell[i] = leave_out && hl_token_is_left_out (tokens, i)
                       ? -1
                       : (int) (kept++ / side.pool);
  return side;
}

/* One picture in the making, with the samples that its percentile is taken from. */
typedef struct
{
  Side rows, columns;
  HlHeadPicture *picture;
  float *samples;
  gint64 n_samples;
  gint64 every;
  gint64 seen;
} Maker;

static void
maker_start (Maker *m, HlHeadPicture *picture, gint64 Tq, gint64 Tk)
{
  m->picture = picture;
  /* One pool for both sides, so that a diagonal stays a diagonal. */
  int pool = MAX (m->rows.pool, m->columns.pool);
  picture->n_rows = m->rows.n_cells;
  picture->n_columns = m->columns.n_cells;
  picture->pool = pool;
  gsize n = (gsize) picture->n_rows * (gsize) picture->n_columns;
  picture->values = g_new (float, MAX (n, 1));
  for (gsize i = 0; i < n; i++)
    picture->values[i] = NAN;
  m->every = MAX (1, Tq * Tk / MAX_SAMPLES);
  m->samples = g_new (float, MIN (Tq * Tk / m->every + 1, MAX_SAMPLES * 2) + 1);
  m->n_samples = m->seen = 0;
}

static void
maker_add_row (Maker *m, const float *row, gint64 query, gint64 n_visible)
{
  int r = m->rows.cell[query];
  if (r < 0)
    return;
  float *cells = m->picture->values + (gsize) r * (gsize) m->picture->n_columns;
  for (gint64 j = 0; j < n_visible; j++)
    {
      int c = m->columns.cell[j];
      if (c < 0)
        continue;
      if (isnan (cells[c]) || row[j] > cells[c])
        cells[c] = row[j];
      if ((double) row[j] > m->picture->max)
        m->picture->max = (double) row[j];
      if (m->seen++ % m->every == 0)
        m->samples[m->n_samples++] = row[j];
    }
}

static int
compare_floats (gconstpointer a, gconstpointer b)
{
  float x = *(const float *) a, y = *(const float *) b;
  return (x > y) - (x < y);
}

static void
maker_end (Maker *m)
{
  if (m->n_samples > 0)
    {
      qsort (m->samples, (gsize) m->n_samples, sizeof (float), compare_floats);
      gint64 at = (gint64) (0.99 * (double) (m->n_samples - 1) + 0.5);
      m->picture->p99 = (double) m->samples[at];
    }
  g_free (m->samples);
}

static gboolean
summarise_head (const HlAttentionSource *source,
                HlBackend *backend,
                HlHeadKey key,
                Maker makers[2],
                HlHeadSummary *head,
                GCancellable *cancellable,
                GError **error)
{
  const HlTrace *trace = hl_attention_source_get_trace (source);
  const HlStack *stack = hl_model_info_get_stack (trace->model, key.stack);
  gboolean is_causal = stack->layers[key.layer].is_causal;
  gint64 Tq = 0, Tk = 0;
  hl_attention_source_get_size (source, key, &Tq, &Tk);
  maker_start (&makers[0], &head->whole, Tq, Tk);
  maker_start (&makers[1], &head->patches, Tq, Tk);
  g_autofree float *band = g_new (float, (gsize) (MIN (BAND_ROWS, Tq) * Tk) + 1);
  gboolean ok = TRUE;
  for (gint64 first = 0; first < Tq && ok; first += BAND_ROWS)
    {
      gint64 n = MIN (BAND_ROWS, Tq - first);
      ok = hl_attention_source_read_rect (source, backend, key, first, n, 0, Tk, band,
                                          cancellable, error);
      for (gint64 i = 0; i < n && ok; i++)
        {
          gint64 visible = is_causal ? MIN (Tk, first + i + Tk - Tq + 1) : Tk;
          maker_add_row (&makers[0], band + i * Tk, first + i, visible);
          maker_add_row (&makers[1], band + i * Tk, first + i, visible);
        }
    }
  maker_end (&makers[0]);
  maker_end (&makers[1]);
  return ok
         && hl_head_stats_compute (source, backend, key, &head->stats, cancellable,
                                   error);
}

HlLayerSummary *
hl_layer_summary_new (const HlAttentionSource *source,
                      HlBackend *backend,
                      int stack,
                      int layer,
                      const HlProgress *progress,
                      GError **error)
{
  const HlTrace *trace = hl_attention_source_get_trace (source);
  const HlTokenTable *tokens = hl_trace_get_tokens (trace, stack);
  g_autoptr (HlLayerSummary) summary = g_new0 (HlLayerSummary, 1);
  g_atomic_ref_count_init (&summary->refs);
  summary->stack = stack;
  summary->layer = layer;
  summary->n_heads
      = hl_model_info_get_stack (trace->model, stack)->layers[layer].n_heads;
  summary->heads = g_new0 (HlHeadSummary, (gsize) MAX (summary->n_heads, 1));
  gint64 Tq = 0, Tk = 0;
  /* A layer without maps (another mixer, or not captured) keeps empty pictures. */
  if (!hl_attention_source_get_size (source, (HlHeadKey){ stack, layer, 0 }, &Tq, &Tk))
    return g_steal_pointer (&summary);
  Maker makers[2];
  for (int i = 0; i < 2; i++)
    makers[i] = (Maker){ .rows = side_new (tokens, Tq, i == 1),
                         .columns = side_new (tokens, Tk, i == 1) };
  gboolean ok = TRUE;
  for (int h = 0; h < summary->n_heads && ok; h++)
    ok = hl_progress_step (progress, (double) h / summary->n_heads, NULL, error)
         && summarise_head (source, backend, (HlHeadKey){ stack, layer, h }, makers,
                            &summary->heads[h],
                            progress != NULL ? progress->cancellable : NULL, error);
  for (int i = 0; i < 2; i++)
    {
      g_free (makers[i].rows.cell);
      g_free (makers[i].columns.cell);
    }
  return ok ? g_steal_pointer (&summary) : NULL;
}

HlTraceSummary *
hl_trace_summary_new (HlTrace *trace, int stack)
{
  HlTraceSummary *summary = g_new0 (HlTraceSummary, 1);
  const HlStack *tower = hl_model_info_get_stack (trace->model, stack);
  summary->trace = hl_trace_ref (trace);
  summary->stack = stack;
  summary->n_layers = tower != NULL ? tower->n_layers : 0;
  summary->layers = g_new0 (HlLayerSummary *, (gsize) MAX (summary->n_layers, 1));
  return summary;
}

HlTraceSummary *
hl_trace_summary_copy (const HlTraceSummary *summary)
{
  HlTraceSummary *copy = hl_trace_summary_new (summary->trace, summary->stack);
  for (int l = 0; l < summary->n_layers; l++)
    if (summary->layers[l] != NULL)
      copy->layers[l] = hl_layer_summary_ref (summary->layers[l]);
  return copy;
}

void
hl_trace_summary_free (HlTraceSummary *summary)
{
  if (summary == NULL)
    return;
  for (int l = 0; l < summary->n_layers; l++)
    hl_layer_summary_unref (summary->layers[l]);
  g_free (summary->layers);
  hl_trace_unref (summary->trace);
  g_free (summary);
}

void
hl_trace_summary_take_layer (HlTraceSummary *summary, HlLayerSummary *layer)
{
  g_return_if_fail (layer->layer >= 0 && layer->layer < summary->n_layers);
  hl_layer_summary_unref (summary->layers[layer->layer]);
  summary->layers[layer->layer] = layer;
}

const HlHeadSummary *
hl_trace_summary_get_head (const HlTraceSummary *summary, int layer, int head)
{
  if (layer < 0 || layer >= summary->n_layers || summary->layers[layer] == NULL
      || head < 0 || head >= summary->layers[layer]->n_heads)
    return NULL;
  return &summary->layers[layer]->heads[head];
}

double
hl_trace_summary_max (const HlTraceSummary *summary, gboolean leave_out_special)
{
  double max = 0;
  for (int l = 0; l < summary->n_layers; l++)
    for (int h = 0; summary->layers[l] != NULL && h < summary->layers[l]->n_heads; h++)
      {
        const HlHeadSummary *head = &summary->layers[l]->heads[h];
        max = fmax (max, leave_out_special ? head->patches.max : head->whole.max);
      }
  return max;
}

gboolean
hl_trace_summary_compute (HlTraceSummary *summary,
                          const HlAttentionSource *source,
                          HlBackend *backend,
                          const HlProgress *progress,
                          GError **error)
{
  for (int l = 0; l < summary->n_layers; l++)
    {
      if (!hl_progress_step (progress, (double) l / summary->n_layers, NULL, error))
        return FALSE;
      HlLayerSummary *layer
          = hl_layer_summary_new (source, backend, summary->stack, l, NULL, error);
      if (layer == NULL)
        return FALSE;
      hl_trace_summary_take_layer (summary, layer);
    }
  return TRUE;
}
