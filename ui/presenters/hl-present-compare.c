/* SPDX-License-Identifier: MIT
 * Attention and saliency beside each other: the input. */
#include "config.h"

#include "presenters/hl-present-compare.h"

#include "presenters/hl-present-recording.h"
#include "text/hl-encoding.h"

#include <glib/gi18n-lib.h>
#include <math.h>
#include <string.h>

const HlTokenTable *
hl_compare_get_keys (const HlCompare *c)
{
  return hl_trace_get_key_tokens (c->trace, c->result->comparison->stack);
}

HlCompareKind
hl_compare_kind (const HlCompare *c)
{
  if (hl_present_has_recording (c->trace, c->result->comparison->stack))
    return HL_COMPARE_RECORDING;
  return hl_present_has_patches (c->trace, c->result->comparison->stack)
             ? HL_COMPARE_PICTURE
             : HL_COMPARE_TOKENS;
}

/* ---- a copy --------------------------------------------------------------------------
 */

HlCompare *
hl_compare_copy (const HlCompare *c)
{
  HlCompare *copy = g_memdup2 (c, sizeof *c);
  gsize n = (gsize) c->result->comparison->n_keys;
  copy->trace = hl_trace_ref ((HlTrace *) c->trace);
  copy->result = hl_cross_result_ref ((HlCrossResult *) c->result);
  copy->map = c->map != NULL ? hl_cross_map_copy (c->map) : NULL;
  copy->region = c->region != NULL ? g_memdup2 (c->region, sizeof (gboolean) * n) : NULL;
  copy->heads = g_strdup (c->heads);
  return copy;
}

void
hl_compare_free (HlCompare *copy)
{
  if (copy == NULL)
    return;
  hl_trace_unref ((HlTrace *) copy->trace);
  hl_cross_result_unref ((HlCrossResult *) copy->result);
  hl_cross_map_free ((HlCrossMap *) copy->map);
  g_free ((gpointer) copy->region);
  g_free ((gpointer) copy->heads);
  g_free (copy);
}

/* ---- shares --------------------------------------------------------------------------
 */

const double *
hl_compare_get_row (const HlCompare *c, HlCompareSide side, int target)
{
  const HlCrossComparison *all = c->result->comparison;
  const double *map = side == HL_COMPARE_SALIENCY ? all->saliency
                      : c->map != NULL            ? c->map->attention
                                                  : all->attention;
  return map + (gsize) target * (gsize) all->n_keys;
}

gboolean
hl_compare_has_floor (const HlCompare *c)
{
  return hl_saliency_is_of_sets (c->result->set->options.method);
}

/* (transfer full): a row of shares; a row of nothing has none. */
static double *
share_row (const HlCompare *c, HlCompareSide side, int target)
{
  gint64 m = c->result->comparison->n_keys;
  double *row = g_memdup2 (hl_compare_get_row (c, side, target),
                           sizeof (double) * (gsize) MAX (m, 1));
  double least = INFINITY, sum = 0;
  for (gint64 j = 0; j < m; j++)
    least = fmin (least, row[j]);
  if (side != HL_COMPARE_SALIENCY || !hl_compare_has_floor (c) || !isfinite (least))
    least = 0;
  for (gint64 j = 0; j < m; j++)
    sum += isnan (row[j]) ? 0 : row[j] - least;
  for (gint64 j = 0; j < m; j++)
    row[j] = sum > 0 ? (row[j] - least) / sum : isnan (row[j]) ? NAN : 0;
  return row;
}

float *
hl_compare_shares (const HlCompare *c, HlCompareSide side)
{
  const HlCrossComparison *all = c->result->comparison;
  gint64 m = all->n_keys;
  int first = c->target >= 0 ? c->target : 0;
  int end = c->target >= 0 ? c->target + 1 : all->n_targets;
  g_autofree double *shares = g_new0 (double, (gsize) m + 1);
  float *result = g_new (float, (gsize) m + 1);
  g_autofree int *seen = g_new0 (int, (gsize) m + 1);
  for (int t = first; t < end; t++)
    {
      /* A causal row ends earlier than others: it says nothing of what it cannot see. */
      g_autofree double *row = share_row (c, side, t);
      const double *saliency = hl_compare_get_row (c, HL_COMPARE_SALIENCY, t);
      for (gint64 j = 0; j < m; j++)
        {
          shares[j] += isnan (row[j]) ? 0 : row[j];
          seen[j] += !isnan (saliency[j]);
        }
    }
  for (gint64 j = 0; j < m; j++)
    result[j] = seen[j] > 0 ? (float) (shares[j] / seen[j]) : NAN;
  return result;
}

double
hl_compare_region_share (const HlCompare *c, HlCompareSide side, int target)
{
  gint64 m = c->result->comparison->n_keys;
  g_autofree double *row = share_row (c, side, target);
  double on = 0;
  if (c->region == NULL || c->of_region < 1)
    return NAN;
  for (gint64 j = 0; j < m; j++)
    on += c->region[j] && !isnan (row[j]) ? row[j] : 0;
  return on;
}

/* ---- the input -----------------------------------------------------------------------
 */

gint64
hl_compare_n_shown (const HlCompare *c)
{
  const HlTokenTable *keys = hl_compare_get_keys (c);
  gint64 n = keys->n_tokens;
  if (hl_compare_kind (c) != HL_COMPARE_RECORDING || c->result->options.keeps_special)
    return n;
  while (n > 1 && keys->tokens[n - 1].role == HL_ROLE_PADDING)
    n--;
  return n;
}

static char *
title_of (HlCompareSide side)
{
  return g_strdup (side == HL_COMPARE_SALIENCY ? _ ("Saliency") : _ ("Attention"));
}

/* Saliency has cells of its own, finer than tokens. */
static gboolean
is_fine (const HlCompare *c, HlCompareSide side)
{
  return side == HL_COMPARE_SALIENCY && c->result->cells != NULL &&
         hl_compare_kind (c) != HL_COMPARE_TOKENS;
}

/* Frames of the spectrogram that are shown: all of the tokens' that are. */
static gint64
count_frames (const HlCompare *c, gint64 n_shown)
{
  gint64 all = c->trace->features->shape.dim[1];
  return MAX (all * n_shown / hl_compare_get_keys (c)->n_tokens, 1);
}

gboolean
hl_compare_is_fine (const HlCompare *c)
{
  return is_fine (c, HL_COMPARE_SALIENCY);
}

void
hl_compare_cell_keys (const HlCompare *c,
                      HlCompareSide side,
                      gint64 n_shown,
                      gint64 cell,
                      gint64 *first,
                      gint64 *end)
{
  const HlTokenTable *keys = hl_compare_get_keys (c);
  gboolean fine = is_fine (c, side);
  if (hl_compare_kind (c) == HL_COMPARE_RECORDING)
    {
      gint64 n = hl_present_recording_joined (n_shown);
      gint64 columns = fine ? count_frames (c, n_shown) : 1;
      *first = fine ? cell % columns * n_shown / columns : cell * n;
      *end = fine ? *first + 1 : MIN ((cell + 1) * n, n_shown);
      return;
    }
  gint64 columns = c->result->n_columns;
  gint64 row = cell / keys->n_columns, column = cell % keys->n_columns;
  if (fine)
    {
      row = cell / columns * keys->n_rows / c->result->n_rows;
      column = cell % columns * keys->n_columns / columns;
    }
  *first = hl_token_table_find_patch (keys, (int) row, (int) column);
  *end = *first + 1;
}

static void
select_cells (const HlCompare *c,
              HlCompareSide side,
              gint64 n_shown,
              HlOverlayScene *scene)
{
  gint64 n = (gint64) scene->n_rows * scene->n_columns, first, end;
  if (scene->selected == NULL)
    scene->selected = g_new0 (gboolean, (gsize) n + 1);
  for (gint64 i = 0; c->region != NULL && i < n; i++)
    {
      hl_compare_cell_keys (c, side, n_shown, i, &first, &end);
      for (gint64 j = MAX (first, 0); j < end; j++)
        scene->selected[i] |= c->region[j];
    }
}

/* The mean over outputs where none is picked; low bands lie at the bottom, and behind the
 * frames that were heard there is nothing. */
static void
put_cells (const HlCompare *c, HlOverlayScene *scene, gint64 n_shown)
{
  const HlCrossResult *r = c->result;
  gboolean is_sound = hl_compare_kind (c) == HL_COMPARE_RECORDING;
  gint64 rows = r->n_rows, columns = is_sound ? count_frames (c, n_shown) : r->n_columns;
  const float *cells = c->target < 0
                           ? r->mean_cells
                           : (const float *) r->cells->data +
                                 (gsize) c->target * (gsize) (rows * r->n_columns);
  double low = INFINITY, high = -INFINITY;
  scene->n_rows = (int) rows;
  scene->n_columns = (int) columns;
  g_free (scene->weights);
  g_clear_pointer (&scene->selected, g_free);
  scene->weights = g_new (float, (gsize) (rows * columns) + 1);
  for (gint64 i = 0; i < rows * columns; i++)
    {
      gint64 row = is_sound ? rows - 1 - i / columns : i / columns;
      scene->weights[i] = NAN;
      if (i % columns >= r->n_columns)
        continue;
      scene->weights[i] = cells[row * r->n_columns + i % columns];
      low = fmin (low, (double) scene->weights[i]);
      high = fmax (high, (double) scene->weights[i]);
    }
  /* From the least: what cells that are not read have means nothing (hl-spes.h). */
  scene->scale.low = high > low ? low : 0;
  scene->scale.high = high > low ? high : 1;
}

HlOverlayScene *
hl_compare_overlay (const HlCompare *c, HlCompareSide side, const HlViewOptions *options)
{
  int stack = c->result->comparison->stack;
  gint64 n_shown = hl_compare_n_shown (c);
  g_autofree float *shares = hl_compare_shares (c, side);
  HlOverlayScene *scene = NULL;
  if (hl_compare_kind (c) == HL_COMPARE_RECORDING)
    scene = hl_present_recording_part (c->trace, stack, n_shown, shares, options);
  else
    scene = hl_present_overlay (c->trace, stack, shares, NULL, FALSE, options);
  if (scene == NULL)
    return NULL;
  if (is_fine (c, side))
    put_cells (c, scene, n_shown);
  select_cells (c, side, n_shown, scene);
  g_free (scene->title);
  scene->title = title_of (side);
  return scene;
}

HlTokenScene *
hl_compare_tokens (const HlCompare *c,
                   HlCompareSide side,
                   HlTokenList *tokens,
                   const HlViewOptions *options)
{
  gint64 m = c->result->comparison->n_keys;
  HlTokenScene *scene = hl_token_scene_new (tokens);
  scene->title = title_of (side);
  scene->fades_low = FALSE; /* as the bars below, which are of both */
  scene->weights = hl_compare_shares (c, side);
  scene->scale = (HlScale){ .colormap = options->colormap, .mode = HL_RANGE_OWN };
  for (gint64 j = 0; j < m; j++)
    if (!isnan (scene->weights[j]))
      scene->scale.high = fmax (scene->scale.high, (double) scene->weights[j]);
  if (!(scene->scale.high > 0))
    scene->scale.high = 1;
  scene->selected = g_new (gint64, (gsize) m + 1);
  for (gint64 j = 0; c->region != NULL && j < m; j++)
    if (c->region[j])
      scene->selected[scene->n_selected++] = j;
  return scene;
}

/* ---- what is explained ---------------------------------------------------------------
 */

HlTokenList *
hl_compare_list_outputs (const HlCompare *c)
{
  int n = c->result->comparison->n_targets;
  HlTokenList *list = hl_token_list_new (n);
  for (int t = 0; t < n; t++)
    hl_token_list_set_text (list, t, hl_cross_result_get_name (c->result, t));
  return list;
}

HlTokenScene *
hl_compare_outputs (const HlCompare *c,
                    HlTokenList *outputs,
                    const HlViewOptions *options)
{
  int n = c->result->comparison->n_targets;
  HlTokenScene *scene = hl_token_scene_new (outputs);
  scene->title = g_strdup (_ ("Outputs"));
  if (c->target >= 0)
    {
      scene->selected = g_new (gint64, 1);
      scene->selected[0] = c->target;
      scene->n_selected = 1;
    }
  if (c->of_region < 1 || n < 2)
    return scene;
  scene->weights = g_new (float, (gsize) n + 1);
  scene->scale = (HlScale){ .colormap = options->colormap, .mode = HL_RANGE_OWN };
  scene->direction = HL_TOKENS_ATTENDED_FROM;
  for (int t = 0; t < n; t++)
    {
      double share = hl_compare_region_share (c, HL_COMPARE_SALIENCY, t);
      scene->weights[t] = (float) share;
      if (!isnan (share))
        scene->scale.high = fmax (scene->scale.high, share);
    }
  if (!(scene->scale.high > 0))
    scene->scale.high = 1;
  return scene;
}
