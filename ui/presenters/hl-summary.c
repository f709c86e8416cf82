/* SPDX-License-Identifier: MIT
 * What the overview needs of every head of a trace. */
#include "presenters/hl-summary.h"

#include "scene/hl-scene.h"
#include "trace/hl-word-trace.h"

#include <math.h>

/* Rows that are read together: so many, but fewer of a long map, so that a look at
 * something else need not wait for more than some million entries. */
#define BAND_ROWS 256
#define BAND_ENTRIES ((gint64) 1 << 20)
/* Queries that an estimate reads of each row of cells. */
#define GUESS_ROWS 4

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

/* What is made of one head while its rows go by. */
typedef struct
{
  HlHeadPictureMaker *whole, *patches;
  HlHeadStatsMaker *stats;
  HlAttentionTile *top; /* (nullable) */
  gint64 Tq, Tk;
  const HlTrace *trace;
  int stack, layer;
} Makers;

static void
add_rows (Makers *m, const float *band, gint64 first, gint64 n)
{
  for (gint64 i = 0; i < n; i++)
    {
      const float *row = band + i * m->Tk;
      gint64 query = first + i;
      HlKeySpan seen =
          hl_trace_keys_seen (m->trace, m->stack, m->layer, query, m->Tq, m->Tk);
      hl_head_picture_maker_add_row (m->whole, row, query, seen);
      hl_head_picture_maker_add_row (m->patches, row, query, seen);
      hl_head_stats_add_row (m->stats, row, query);
      if (m->top != NULL)
        hl_attention_source_add_top (m->top, row, query, seen.end);
    }
}

/* Every query in bands, or for an estimate a few in the middle of each row of cells. */
static gboolean
read_rows (Makers *m,
           const HlAttentionSource *source,
           HlBackend *backend,
           HlHeadKey key,
           gboolean is_guess,
           const HlProgress *progress,
           GError **error)
{
  gint64 band_rows = CLAMP (BAND_ENTRIES / MAX (m->Tk, 1), 16, BAND_ROWS);
  gint64 step = is_guess ? MAX (m->Tq / HL_THUMB_SIDE_MAX, 1) : band_rows;
  gint64 n_most = is_guess ? MIN (GUESS_ROWS, step) : band_rows;
  GCancellable *cancellable = progress != NULL ? progress->cancellable : NULL;
  g_autofree float *band = g_new (float, (gsize) (MIN (n_most, m->Tq) * m->Tk) + 1);
  for (gint64 at = 0; at < m->Tq; at += step)
    {
      gint64 n = MIN (n_most, m->Tq - at);
      gint64 first = is_guess ? MIN (at + (step - n) / 2, m->Tq - n) : at;
      if (!hl_progress_step (progress, (double) at / (double) m->Tq, NULL, error) ||
          !hl_attention_source_read_rect (source, backend, key, first, n, 0, m->Tk, band,
                                          cancellable, error))
        return FALSE;
      add_rows (m, band, first, n);
    }
  return TRUE;
}

static gboolean
summarise_head (Makers *m,
                const HlAttentionSource *source,
                HlBackend *backend,
                HlHeadKey key,
                gboolean is_guess,
                HlHeadSummary *head,
                const HlProgress *progress,
                GError **error)
{
  m->stats = hl_head_stats_begin (source, key, error);
  if (m->stats == NULL)
    return FALSE;
  m->top = is_guess ? NULL : hl_attention_source_begin_top (source, key);
  hl_head_picture_maker_begin (m->whole, &head->whole);
  hl_head_picture_maker_begin (m->patches, &head->patches);
  gboolean ok = read_rows (m, source, backend, key, is_guess, progress, error);
  hl_head_picture_maker_end (m->whole);
  hl_head_picture_maker_end (m->patches);
  hl_head_stats_end (m->stats, &head->stats);
  if (m->top != NULL && ok)
    hl_attention_source_keep_top (source, key, m->top);
  g_clear_pointer (&m->top, hl_attention_tile_free);
  head->is_exact = !is_guess;
  return ok;
}

gboolean
hl_summary_is_slow (const HlAttentionSource *source, int stack)
{
  const HlTrace *trace = hl_attention_source_get_trace (source);
  const HlStack *tower = hl_model_info_get_stack (trace->model, stack);
  gint64 n_entries = 0;
  for (int l = 0; tower != NULL && l < tower->n_layers; l++)
    {
      gint64 Tq = 0, Tk = 0;
      if (hl_attention_source_get_size (source, (HlHeadKey){ stack, l, 0 }, &Tq, &Tk))
        n_entries += tower->layers[l].n_heads * Tq * Tk;
    }
  return n_entries > HL_SUMMARY_QUICK_ENTRIES;
}

/* Progress of one head as a part of the layer's. */
typedef struct
{
  const HlProgress *outer;
  double base, share;
} Part;

static void
part_progress (double fraction, const char *what, gpointer data)
{
  const Part *part = data;
  if (part->outer->func != NULL)
    part->outer->func (part->base + fraction * part->share, what, part->outer->func_data);
}

static gboolean
summarise_heads (HlLayerSummary *summary,
                 Makers *makers,
                 const HlAttentionSource *source,
                 HlBackend *backend,
                 gboolean is_guess,
                 const HlProgress *progress,
                 GError **error)
{
  static const HlProgress nobody = { 0 };
  Part part = { .outer = progress != NULL ? progress : &nobody,
                .share = 1.0 / MAX (summary->n_heads, 1) };
  HlProgress inner = *part.outer;
  inner.func = part_progress;
  inner.func_data = &part;
  for (int h = 0; h < summary->n_heads; h++)
    {
      part.base = h * part.share;
      if (!summarise_head (makers, source, backend,
                           (HlHeadKey){ summary->stack, summary->layer, h }, is_guess,
                           &summary->heads[h], &inner, error))
        return FALSE;
    }
  return TRUE;
}

HlLayerSummary *
hl_layer_summary_new (const HlAttentionSource *source,
                      HlBackend *backend,
                      int stack,
                      int layer,
                      gboolean is_guess,
                      const HlProgress *progress,
                      GError **error)
{
  const HlTrace *trace = hl_attention_source_get_trace (source);
  const HlTokenTable *tokens = hl_trace_get_tokens (trace, stack);
  const HlTokenTable *keys = hl_trace_get_key_tokens (trace, stack);
  const HlLayerInfo *info = &hl_model_info_get_stack (trace->model, stack)->layers[layer];
  g_autoptr (HlLayerSummary) summary = g_new0 (HlLayerSummary, 1);
  g_atomic_ref_count_init (&summary->refs);
  summary->stack = stack;
  summary->layer = layer;
  summary->n_heads = info->n_heads;
  summary->heads = g_new0 (HlHeadSummary, (gsize) MAX (summary->n_heads, 1));
  Makers m = { .trace = trace, .stack = stack, .layer = layer };
  /* A layer without maps (another mixer, or not captured) keeps empty pictures. */
  if (!hl_attention_source_get_size (source, (HlHeadKey){ stack, layer, 0 }, &m.Tq,
                                     &m.Tk))
    return g_steal_pointer (&summary);
  m.whole = hl_head_picture_maker_new (tokens, keys, m.Tq, m.Tk, FALSE);
  m.patches = hl_head_picture_maker_new (tokens, keys, m.Tq, m.Tk, TRUE);
  gboolean ok = summarise_heads (summary, &m, source, backend, is_guess, progress, error);
  hl_head_picture_maker_free (m.whole);
  hl_head_picture_maker_free (m.patches);
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
  if (layer < 0 || layer >= summary->n_layers || summary->layers[layer] == NULL ||
      head < 0 || head >= summary->layers[layer]->n_heads)
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
      HlLayerSummary *layer =
          hl_layer_summary_new (source, backend, summary->stack, l, FALSE, NULL, error);
      if (layer == NULL)
        return FALSE;
      hl_trace_summary_take_layer (summary, layer);
    }
  return TRUE;
}
