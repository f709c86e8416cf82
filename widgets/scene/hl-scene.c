/* SPDX-License-Identifier: MIT
 * Scenes: what is drawn, as plain data. */
#include "config.h"

#include "scene/hl-token-scene.h"

#include <glib/gi18n-lib.h>
#include <math.h>

double
hl_scale_position (const HlScale *scale, double value)
{
  if (isnan (value))
    return value;
  double low = scale->low, high = scale->high;
  if (scale->is_log)
    {
      low = log10 (low);
      high = log10 (high);
      value = value > 0 ? log10 (value) : low;
    }
  if (!(high > low))
    return 0;
  return CLAMP ((value - low) / (high - low), 0.0, 1.0);
}

/* Descriptions end up in captions of files, so they do not follow the locale. */
static char *
number_text (double value)
{
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];
  return g_strdup (g_ascii_formatd (buffer, sizeof buffer, "%.3g", value));
}

char *
hl_scale_describe (const HlScale *scale)
{
  g_autofree char *low = number_text (scale->low);
  g_autofree char *high = number_text (scale->high);
  switch (scale->mode)
    {
    case HL_RANGE_SHARED:
      return g_strdup_printf (_ ("%s to %s, maximum shared by all heads"), low, high);
    case HL_RANGE_PER_HEAD:
      return g_strdup_printf (_ ("%s to %s, each head's own maximum"), low, high);
    case HL_RANGE_PERCENTILE:
      return g_strdup_printf (_ ("%s to %s, 99th percentile of this head"), low, high);
    case HL_RANGE_LOG:
      return g_strdup_printf (_ ("logarithmic, floor %s, to %s"), low, high);
    case HL_N_RANGES:
      break;
    }
  return g_strdup ("");
}

static void
axis_clear (HlAxis *axis)
{
  g_free (axis->title);
  g_strfreev (axis->labels);
  hl_token_list_unref (axis->tokens);
}

const char *
hl_axis_label (const HlAxis *axis, gint64 index)
{
  int n_pieces = 1;
  if (axis->labels != NULL)
    return axis->labels[index];
  if (axis->tokens == NULL || index < 0 || index >= axis->tokens->n)
    return NULL;
  return axis->tokens->items[hl_token_list_piece (axis->tokens, index, &n_pieces)].text;
}

gboolean
hl_axis_has_words (const HlAxis *axis)
{
  return axis->labels != NULL || axis->tokens != NULL;
}

HlTile *
hl_tile_new (int level, int row, int column, int n_rows, int n_columns)
{
  HlTile *tile = g_new0 (HlTile, 1);
  g_atomic_ref_count_init (&tile->refs);
  tile->level = level;
  tile->row = row;
  tile->column = column;
  tile->n_rows = n_rows;
  tile->n_columns = n_columns;
  tile->mean = g_new0 (float, (gsize) n_rows *n_columns);
  tile->max = g_new0 (float, (gsize) n_rows *n_columns);
  tile->is_exact = TRUE;
  return tile;
}

HlTile *
hl_tile_ref (HlTile *tile)
{
  g_atomic_ref_count_inc (&tile->refs);
  return tile;
}

void
hl_tile_unref (HlTile *tile)
{
  if (tile == NULL || !g_atomic_ref_count_dec (&tile->refs))
    return;
  g_free (tile->mean);
  g_free (tile->max);
  g_free (tile);
}

HlMatrixScene *
hl_matrix_scene_new (void)
{
  HlMatrixScene *scene = g_new0 (HlMatrixScene, 1);
  g_atomic_ref_count_init (&scene->refs);
  scene->pool = 1;
  scene->selected_row = scene->selected_column = -1;
  return scene;
}

HlMatrixScene *
hl_matrix_scene_ref (HlMatrixScene *scene)
{
  g_atomic_ref_count_inc (&scene->refs);
  return scene;
}

void
hl_matrix_scene_unref (HlMatrixScene *scene)
{
  if (scene == NULL || !g_atomic_ref_count_dec (&scene->refs))
    return;
  g_free (scene->title);
  g_free (scene->caption);
  axis_clear (&scene->rows);
  axis_clear (&scene->columns);
  g_free (scene->values);
  g_free (scene);
}

static void
grid_layer_free (gpointer data)
{
  HlGridLayer *layer = data;
  for (int h = 0; h < layer->n_heads; h++)
    g_free (layer->thumbs[h].values);
  g_free (layer->thumbs);
  g_free (layer->label);
  g_free (layer);
}

HlGridScene *
hl_grid_scene_new (void)
{
  HlGridScene *scene = g_new0 (HlGridScene, 1);
  g_atomic_ref_count_init (&scene->refs);
  scene->layers = g_ptr_array_new_with_free_func (grid_layer_free);
  scene->selected_layer = scene->selected_head = -1;
  return scene;
}

HlGridScene *
hl_grid_scene_ref (HlGridScene *scene)
{
  g_atomic_ref_count_inc (&scene->refs);
  return scene;
}

void
hl_grid_scene_unref (HlGridScene *scene)
{
  if (scene == NULL || !g_atomic_ref_count_dec (&scene->refs))
    return;
  g_free (scene->title);
  g_free (scene->caption);
  g_ptr_array_unref (scene->layers);
  g_free (scene);
}

HlGridLayer *
hl_grid_scene_add_layer (HlGridScene *scene, const char *label, int n_heads)
{
  HlGridLayer *layer = g_new0 (HlGridLayer, 1);
  layer->label = g_strdup (label);
  layer->n_heads = n_heads;
  layer->thumbs = g_new0 (HlThumb, (gsize) MAX (n_heads, 1));
  g_ptr_array_add (scene->layers, layer);
  return layer;
}

int
hl_grid_scene_count_heads (const HlGridScene *scene)
{
  int count = 0;
  for (guint l = 0; l < scene->layers->len; l++)
    count += ((HlGridLayer *) g_ptr_array_index (scene->layers, l))->n_heads;
  return count;
}

int
hl_grid_scene_max_heads (const HlGridScene *scene)
{
  int most = 0;
  for (guint l = 0; l < scene->layers->len; l++)
    most = MAX (most, ((HlGridLayer *) g_ptr_array_index (scene->layers, l))->n_heads);
  return most;
}

int
hl_grid_scene_per_group (const HlGridScene *scene)
{
  int common = 0;
  for (guint l = 0; l < scene->layers->len; l++)
    {
      const HlGridLayer *layer = g_ptr_array_index (scene->layers, l);
      if (layer->n_heads == 0)
        continue;
      if (layer->n_per_group < 2 || (common > 0 && layer->n_per_group != common))
        return 0;
      common = layer->n_per_group;
    }
  return common;
}

HlOverlayScene *
hl_overlay_scene_new (void)
{
  HlOverlayScene *scene = g_new0 (HlOverlayScene, 1);
  g_atomic_ref_count_init (&scene->refs);
  scene->cursor_row = scene->cursor_column = -1;
  scene->opacity = 0.75;
  return scene;
}

HlOverlayScene *
hl_overlay_scene_ref (HlOverlayScene *scene)
{
  g_atomic_ref_count_inc (&scene->refs);
  return scene;
}

void
hl_overlay_scene_unref (HlOverlayScene *scene)
{
  if (scene == NULL || !g_atomic_ref_count_dec (&scene->refs))
    return;
  g_free (scene->title);
  g_free (scene->caption);
  g_free (scene->picture);
  g_free (scene->weights);
  g_free (scene->selected);
  g_free (scene);
}
