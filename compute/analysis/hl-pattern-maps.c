/* SPDX-License-Identifier: MIT
 * Attention maps of many heads and inputs as pictures of one size, for a summary. */
#include "analysis/hl-pattern-maps.h"

#include "analysis/hl-pattern-private.h"
#include "base/hl-error.h"

#include <math.h>
#include <string.h>

#define BAND_ROWS 256

const char *
hl_pattern_kind_id (HlPatternKind kind)
{
  static const char *const ids[HL_N_PATTERNS] = { "patches", "cls", "text" };
  return ids[kind];
}

guint
hl_pattern_kinds_of (const HlTokenTable *tokens)
{
  if (tokens->n_rows <= 0)
    return 1u << HL_PATTERN_TEXT;
  gboolean has_cls = tokens->n_tokens > 0 && tokens->tokens[0].role == HL_ROLE_SPECIAL;
  return 1u << HL_PATTERN_PATCHES | (has_cls ? 1u << HL_PATTERN_CLS : 0);
}

static double
to_number (double attention, gint64 n_keys)
{
  double number = log1p (attention * (double) n_keys) / log1p ((double) n_keys);
  return CLAMP (number, 0, 1);
}

double
hl_pattern_to_attention (double number, gint64 n_keys)
{
  return expm1 (number * log1p ((double) n_keys)) / (double) MAX (n_keys, 1);
}

HlPatternMaps *
hl_pattern_maps_new (HlPatternKind kind, int side)
{
  HlPatternMaps *maps = g_new0 (HlPatternMaps, 1);
  g_atomic_ref_count_init (&maps->refs);
  maps->kind = kind;
  maps->side = side > 0 ? side : HL_PATTERN_SIDE;
  maps->places = g_array_new (FALSE, FALSE, sizeof (HlPatternPlace));
  maps->numbers = g_array_new (FALSE, FALSE, sizeof (float));
  maps->traits = g_array_new (FALSE, FALSE, sizeof (float));
  return maps;
}

HlPatternMaps *
hl_pattern_maps_ref (HlPatternMaps *maps)
{
  g_atomic_ref_count_inc (&maps->refs);
  return maps;
}

void
hl_pattern_maps_unref (HlPatternMaps *maps)
{
  if (!g_atomic_ref_count_dec (&maps->refs))
    return;
  g_array_unref (maps->places);
  g_array_unref (maps->numbers);
  g_array_unref (maps->traits);
  g_free (maps);
}

int
hl_pattern_maps_get_n (const HlPatternMaps *maps)
{
  return (int) maps->places->len;
}

int
hl_pattern_maps_get_size (const HlPatternMaps *maps)
{
  return maps->height * maps->width + maps->n_side;
}

const float *
hl_pattern_maps_get (const HlPatternMaps *maps, int i)
{
  return (const float *) maps->numbers->data +
         (gsize) i * (gsize) hl_pattern_maps_get_size (maps);
}

/* ---- adding --------------------------------------------------------------------------
 */

static gboolean
set_size (HlPatternMaps *maps, const HlTokenTable *tokens, GError **error)
{
  int rows = MIN (tokens->n_rows, maps->side),
      columns = MIN (tokens->n_columns, maps->side);
  int height = rows, width = columns, n_side = 1;
  if (maps->kind == HL_PATTERN_PATCHES)
    {
      height = width = rows * columns;
      n_side = 0;
    }
  else if (maps->kind == HL_PATTERN_TEXT)
    {
      height = HL_PATTERN_TEXT_ROWS;
      width = HL_PATTERN_TEXT_BAND + HL_PATTERN_TEXT_ROWS + 1;
      n_side = 0;
    }
  if (maps->height == 0)
    {
      maps->height = height;
      maps->width = width;
      maps->n_side = n_side;
      maps->grid_rows = MAX (rows, 0);
      maps->grid_columns = MAX (columns, 0);
    }
  if (height == maps->height && width == maps->width && height > 0)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_SHAPE,
               "%s: maps as %d x %d expected, as the inputs before, %d x %d found",
               hl_pattern_kind_id (maps->kind), maps->height, maps->width, height, width);
  return FALSE;
}

static gboolean
check_room (const HlPatternMaps *maps, int n_more, GError **error)
{
  double bytes = ((double) maps->places->len + n_more) * hl_pattern_maps_get_size (maps) *
                 sizeof (float);
  if (bytes <= (double) HL_PATTERN_MAX_BYTES)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_MEMORY,
               "%u maps of %d x %d would take %.1f GB, %.1f GB at most expected: take "
               "fewer inputs or a smaller side",
               maps->places->len + (guint) n_more, maps->height, maps->width, bytes / 1e9,
               (double) HL_PATTERN_MAX_BYTES / 1e9);
  return FALSE;
}

static gboolean
read_map (HlPatternMaker *maker,
          const HlAttentionSource *source,
          HlBackend *backend,
          HlHeadKey head,
          gint64 T,
          const HlProgress *progress,
          GError **error)
{
  gint64 n = hl_pattern_maker_rows (maker, T);
  gint64 band = CLAMP ((1 << 20) / MAX (T, 1), 1, BAND_ROWS);
  g_autofree float *rows = g_new (float, (gsize) (band * T));
  for (gint64 i = 0; i < n; i += band)
    {
      gint64 count = MIN (band, n - i);
      GCancellable *cancellable = progress != NULL ? progress->cancellable : NULL;
      if (!hl_progress_pause (progress))
        return !g_cancellable_set_error_if_cancelled (cancellable, error);
      if (!hl_attention_source_read_rect (source, backend, head, i, count, 0, T, rows,
                                          cancellable, error))
        return FALSE;
      for (gint64 k = 0; k < count; k++)
        hl_pattern_maker_add_row (maker, rows + k * T, i + k);
    }
  return TRUE;
}

static void
append (HlPatternMaps *maps, HlPatternMaker *maker, HlPatternPlace place)
{
  int size = hl_pattern_maps_get_size (maps);
  float traits[HL_N_TRAITS];
  g_autofree double *attention = hl_pattern_maker_end (maker, traits);
  g_array_append_val (maps->places, place);
  for (int i = 0; i < size; i++)
    {
      float number = (float) to_number (attention[i], place.n_keys);
      g_array_append_val (maps->numbers, number);
    }
  g_array_append_vals (maps->traits, traits, HL_N_TRAITS);
}

static gboolean
add_head (HlPatternMaps *maps,
          const HlAttentionSource *source,
          HlBackend *backend,
          HlHeadKey head,
          HlPatternPlace place,
          const HlProgress *progress,
          GError **error)
{
  gint64 Tq, Tk;
  const HlTrace *trace = hl_attention_source_get_trace (source);
  const HlTokenTable *tokens = hl_trace_get_tokens (trace, head.stack);
  gboolean is_causal =
      hl_model_info_get_stack (trace->model, head.stack)->layers[head.layer].is_causal;
  if (!hl_attention_source_get_size (source, head, &Tq, &Tk) || Tq != Tk ||
      Tq != tokens->n_tokens)
    return TRUE;
  HlPatternMaker *maker = hl_pattern_maker_new (maps->kind, maps->height, maps->width,
                                                maps->side, tokens, is_causal);
  if (!read_map (maker, source, backend, head, Tk, progress, error))
    {
      g_free (hl_pattern_maker_end (maker, NULL));
      return FALSE;
    }
  place.n_keys = (int) Tk;
  append (maps, maker, place);
  return TRUE;
}

static void
take_back (HlPatternMaps *maps, guint n)
{
  g_array_set_size (maps->places, n);
  g_array_set_size (maps->numbers, n * (guint) hl_pattern_maps_get_size (maps));
  g_array_set_size (maps->traits, n * HL_N_TRAITS);
}

gboolean
hl_pattern_maps_add (HlPatternMaps *maps,
                     const HlAttentionSource *source,
                     HlBackend *backend,
                     int input,
                     const int *first,
                     const HlProgress *progress,
                     GError **error)
{
  const HlTrace *trace = hl_attention_source_get_trace (source);
  const HlStack *stack = hl_model_info_get_stack (trace->model, 0);
  guint before = maps->places->len;
  if (!set_size (maps, hl_trace_get_tokens (trace, 0), error) ||
      !check_room (maps, first[stack->n_layers], error))
    return FALSE;
  for (int l = 0; l < stack->n_layers; l++)
    for (int h = 0; h < first[l + 1] - first[l]; h++)
      if (!add_head (maps, source, backend, (HlHeadKey){ 0, l, h },
                     (HlPatternPlace){ input, first[l] + h, 0 }, progress, error))
        {
          take_back (maps, before);
          return FALSE;
        }
  return TRUE;
}

void
hl_pattern_maps_drop_input (HlPatternMaps *maps, int input)
{
  guint n = maps->places->len;
  while (n > 0 && g_array_index (maps->places, HlPatternPlace, n - 1).input == input)
    n--;
  take_back (maps, n);
}
