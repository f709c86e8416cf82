/* SPDX-License-Identifier: MIT
 * Scenes made up for the tests of the painters. */
#include "config.h"

#include "test-draw-scenes.h"

#include <math.h>

static void
fill_patch_axis (HlAxis *axis, const char *title, int rows, int columns)
{
  axis->title = g_strdup (title);
  axis->n = 1 + rows * columns;
  axis->labels = g_new0 (char *, axis->n + 1);
  axis->labels[0] = g_strdup ("CLS");
  for (int i = 0; i < rows * columns; i++)
    axis->labels[1 + i] = g_strdup_printf ("(%d, %d)", i / columns, i % columns);
  axis->major = columns;
  axis->major_offset = 1;
}

HlMatrixScene *
test_matrix_new (int rows, int columns, const char *title)
{
  HlMatrixScene *scene = hl_matrix_scene_new ();
  scene->title = g_strdup (title);
  scene->caption =
      g_strdup ("Attention weights, linear from 0 to the maximum of all heads.");
  fill_patch_axis (&scene->rows, "query patch", rows, columns);
  fill_patch_axis (&scene->columns, "key patch", rows, columns);
  gint64 n = scene->rows.n;
  scene->n_values_rows = scene->n_values_columns = n;
  scene->values = g_new0 (float, n *n);
  for (gint64 q = 0; q < n; q++)
    for (gint64 k = 0; k < n; k++)
      {
        double dy = (double) ((q - 1) / columns - (k - 1) / columns);
        double dx = (double) ((q - 1) % columns - (k - 1) % columns);
        double near = 0.21 * exp (-(dx * dx + dy * dy) / 6);
        scene->values[q * n + k] = (float) (k == 0 ? 0.15 + 0.05 * sin (q) : near);
      }
  scene->scale =
      (HlScale){ HL_COLORMAP_VIRIDIS, HL_RANGE_SHARED, 0, 0.213, FALSE, FALSE };
  return scene;
}

HlMatrixScene *
test_words_new (void)
{
  static const char *const words[] = { "<s>",  "The",  "cat", "sat", "on",   "the",
                                       "mat",  ",",    "and", "a",   "very", "uncommonly",
                                       "long", "word", "&",   "an",  "end",  "." };
  int n = G_N_ELEMENTS (words);
  HlMatrixScene *scene = hl_matrix_scene_new ();
  scene->title = g_strdup ("Layer 5 · head 1");
  for (int side = 0; side < 2; side++)
    {
      HlAxis *axis = side == 0 ? &scene->rows : &scene->columns;
      axis->title = g_strdup (side == 0 ? "query token" : "key token");
      axis->n = n;
      axis->labels = g_new0 (char *, n + 1);
      for (int i = 0; i < n; i++)
        axis->labels[i] = g_strdup (words[i]);
    }
  scene->n_values_rows = scene->n_values_columns = n;
  scene->values = g_new0 (float, n *n);
  for (int q = 0; q < n; q++)
    for (int k = 0; k < n; k++)
      scene->values[q * n + k] =
          k > q ? NAN : (float) (k == q - 1 ? 0.7 : pow (10, -1 - (q * 7 + k * 3) % 5));
  scene->scale = (HlScale){ HL_COLORMAP_MAGMA, HL_RANGE_LOG, 1e-5, 1, TRUE, FALSE };
  scene->selected_row = 6;
  scene->selected_column = 5;
  return scene;
}

static void
fill_thumb (HlThumb *thumb, int kind)
{
  int n = 48;
  thumb->n_rows = thumb->n_columns = n;
  thumb->values = g_new0 (float, n *n);
  for (int r = 0; r < n; r++)
    for (int c = 0; c < n; c++)
      {
        double far = abs (r - c);
        double value = kind == 0   ? 0.05
                       : kind == 1 ? (far == 0 ? 0.2 : 0.005)
                       : kind == 2 ? 0.2 * exp (-far / 4)
                       : kind == 3 ? (c % 7 == 3 ? 0.15 : 0.01)
                                   : 0.1 * (1 + sin (far * 0.8)) * exp (-far / 20);
        thumb->values[r * n + c] = (float) value;
        thumb->max = MAX (thumb->max, value);
      }
}

HlGridScene *
test_grid_new (int n_layers, int n_heads)
{
  HlGridScene *scene = hl_grid_scene_new ();
  scene->title = g_strdup ("All heads");
  scene->caption = g_strdup ("Rows are queries, columns keys.");
  for (int l = 0; l < n_layers; l++)
    {
      g_autofree char *label = g_strdup_printf ("%d", l);
      int n = l == n_layers - 1 && n_heads > 1 ? n_heads - 1 : n_heads;
      HlGridLayer *layer = hl_grid_scene_add_layer (scene, label, n);
      for (int h = 0; h < n; h++)
        if (l != 1 || h != 1)
          fill_thumb (&layer->thumbs[h], (l * 3 + h * h) % 5);
      layer->thumbs[0].is_marked = l == 2;
    }
  scene->scale =
      (HlScale){ HL_COLORMAP_VIRIDIS, HL_RANGE_SHARED, 0, 0.213, FALSE, FALSE };
  scene->selected_layer = 5;
  scene->selected_head = 2;
  return scene;
}

HlOverlayScene *
test_overlay_new (void)
{
  HlOverlayScene *scene = hl_overlay_scene_new ();
  scene->title = g_strdup ("Patch (3, 2) attends to");
  scene->width = 20;
  scene->height = 28;
  scene->picture = g_new0 (guint8, 20 * 28 * 3);
  for (int i = 0; i < 20 * 28; i++)
    for (int c = 0; c < 3; c++)
      scene->picture[3 * i + c] =
          (guint8) ((i % 20 > 5 && i % 20 < 12) || i / 20 > 20 ? 140 + 4 * (i / 20) : 10);
  scene->n_rows = 7;
  scene->n_columns = 5;
  scene->weights = g_new0 (float, 35);
  scene->selected = g_new0 (gboolean, 35);
  for (int i = 0; i < 35; i++)
    {
      double dy = i / 5 - 3, dx = i % 5 - 2;
      scene->weights[i] = (float) (0.2 * exp (-(dx * dx + dy * dy) / 3));
    }
  scene->selected[3 * 5 + 2] = scene->selected[3 * 5 + 3] = TRUE;
  scene->selected[4 * 5 + 2] = TRUE;
  scene->show_grid = TRUE;
  scene->opacity = 0.7;
  scene->scale =
      (HlScale){ HL_COLORMAP_VIRIDIS, HL_RANGE_SHARED, 0, 0.213, FALSE, FALSE };
  return scene;
}
