/* SPDX-License-Identifier: MIT
 * Made-up scenes and the reading back of pixels, for tests and the bench of widgets. */
#include "config.h"

#include "test-gl-scenes.h"

#include <math.h>

float
scenes_value (int pattern, gint64 row, gint64 column, gint64 n)
{
  double distance = (double) ABS (row - column);
  switch (pattern)
    {
    case 0:
      return (float) (0.2 * exp (-distance / (0.12 * n)) *
                      (0.35 + 0.65 * (fmod (distance, 14) < 1.5)));
    case 1:
      return (float) (1.0 / n + 0.002 * sin (0.3 * row + 1.7 * column));
    case 2:
      return column % 23 == 5 ? 0.15f : column % 7 == 2 ? 0.05f : 0.004f;
    default:
      return row == column ? 0.21f : 0.0005f;
    }
}

static void
axis_fill (HlAxis *axis, const char *title, gint64 n)
{
  axis->title = g_strdup (title);
  axis->n = n;
  if (n != 197)
    return;
  axis->major = 14;
  axis->major_offset = 1;
  axis->labels = g_new0 (char *, 198);
  axis->labels[0] = g_strdup ("CLS");
  for (int i = 1; i < 197; i++)
    axis->labels[i] = g_strdup_printf ("(%d, %d)", (i - 1) / 14, (i - 1) % 14);
}

HlMatrixScene *
scenes_matrix (int pattern, gint64 n_rows, gint64 n_columns, gboolean has_nan)
{
  HlMatrixScene *scene = hl_matrix_scene_new ();
  scene->title = g_strdup ("Layer 5 · head 2");
  axis_fill (&scene->rows, "query", n_rows);
  axis_fill (&scene->columns, "key", n_columns);
  scene->n_values_rows = n_rows;
  scene->n_values_columns = n_columns;
  scene->values = g_new (float, n_rows *n_columns);
  for (gint64 r = 0; r < n_rows; r++)
    for (gint64 c = 0; c < n_columns; c++)
      {
        gint64 i = r * n_columns + c;
        scene->values[i] = scenes_value (pattern, r, c, MAX (n_rows, n_columns));
        if (has_nan && i % 97 == 0)
          scene->values[i] = NAN;
      }
  scene->scale = (HlScale){ HL_COLORMAP_VIRIDIS, HL_RANGE_SHARED, 0, 0.21, FALSE, FALSE };
  return scene;
}

HlGridScene *
scenes_grid (int n_layers, int n_heads, double share)
{
  HlGridScene *scene = hl_grid_scene_new ();
  scene->title = g_strdup ("Heads");
  scene->scale = (HlScale){ HL_COLORMAP_VIRIDIS, HL_RANGE_SHARED, 0, 0.21, FALSE, FALSE };
  int n_filled = (int) (share * n_layers * n_heads);
  for (int l = 0; l < n_layers; l++)
    {
      g_autofree char *label = g_strdup_printf ("%d", l);
      HlGridLayer *layer = hl_grid_scene_add_layer (scene, label, n_heads);
      for (int h = 0; h < n_heads; h++)
        {
          HlThumb *thumb = &layer->thumbs[h];
          if (l * n_heads + h >= n_filled)
            continue;
          thumb->n_rows = thumb->n_columns = HL_THUMB_SIDE_MAX;
          thumb->values = g_new (float, HL_THUMB_SIDE_MAX *HL_THUMB_SIDE_MAX);
          thumb->max = 0.21;
          thumb->is_marked = l == 3 && h == 4;
          for (int i = 0; i < HL_THUMB_SIDE_MAX * HL_THUMB_SIDE_MAX; i++)
            thumb->values[i] = scenes_value ((l * 7 + h * 3) % 4, i / HL_THUMB_SIDE_MAX,
                                             i % HL_THUMB_SIDE_MAX, HL_THUMB_SIDE_MAX);
        }
    }
  return scene;
}

void
scenes_group (HlGridScene *scene, int n_per_group)
{
  for (guint l = 0; l < scene->layers->len; l++)
    ((HlGridLayer *) g_ptr_array_index (scene->layers, l))->n_per_group = n_per_group;
}

HlOverlayScene *
scenes_overlay (int n_rows, int n_columns)
{
  HlOverlayScene *scene = hl_overlay_scene_new ();
  scene->title = g_strdup ("Patch (8, 4) attends to");
  scene->width = n_columns * 2;
  scene->height = n_rows * 2;
  scene->n_rows = n_rows;
  scene->n_columns = n_columns;
  scene->show_grid = TRUE;
  scene->picture = g_new0 (guint8, scene->width * scene->height * 3);
  for (int i = 0; i < scene->width * scene->height * 3; i++)
    scene->picture[i] = (guint8) ((i / 3 % scene->width) * 200 / scene->width + 20);
  scene->weights = g_new0 (float, n_rows *n_columns);
  for (int r = 0; r < n_rows; r++)
    for (int c = 0; c < n_columns; c++)
      scene->weights[r * n_columns + c] =
          (float) (0.2 * exp (-hypot (r - n_rows / 2, c - n_columns / 3) / 2.5));
  scene->scale = (HlScale){ HL_COLORMAP_VIRIDIS, HL_RANGE_SHARED, 0, 0.21, FALSE, FALSE };
  return scene;
}

typedef struct
{
  int n_left;
  gboolean is_late;
} Wait;

static void
after_paint_cb (GdkFrameClock *clock, gpointer user_data)
{
  Wait *wait = user_data;
  if (--wait->n_left > 0)
    gdk_frame_clock_request_phase (clock, GDK_FRAME_CLOCK_PHASE_PAINT);
}

static gboolean
late_cb (gpointer user_data)
{
  ((Wait *) user_data)->is_late = TRUE;
  return G_SOURCE_REMOVE;
}

gboolean
scenes_wait_frames (GtkWidget *widget, int n_frames, int timeout_ms)
{
  Wait wait = { n_frames, FALSE };
  GdkFrameClock *clock = gtk_widget_get_frame_clock (widget);
  guint timer = g_timeout_add ((guint) timeout_ms, late_cb, &wait);
  gulong handler =
      g_signal_connect (clock, "after-paint", G_CALLBACK (after_paint_cb), &wait);
  gdk_frame_clock_request_phase (clock, GDK_FRAME_CLOCK_PHASE_PAINT);
  while (wait.n_left > 0 && !wait.is_late)
    g_main_context_iteration (NULL, TRUE);
  g_signal_handler_disconnect (clock, handler);
  if (!wait.is_late)
    g_source_remove (timer);
  return !wait.is_late;
}

GdkTexture *
scenes_shoot (GtkWidget *widget, gboolean is_dark)
{
  int width = gtk_widget_get_width (widget), height = gtk_widget_get_height (widget);
  g_autoptr (GdkPaintable) paintable = gtk_widget_paintable_new (widget);
  g_autoptr (GtkSnapshot) snapshot = gtk_snapshot_new ();
  HlTheme theme = is_dark ? hl_theme_dark () : hl_theme_light ();
  GdkRGBA ground = { (float) theme.background.red, (float) theme.background.green,
                     (float) theme.background.blue, 1 };
  gtk_snapshot_append_color (snapshot, &ground,
                             &GRAPHENE_RECT_INIT (0, 0, (float) width, (float) height));
  gdk_paintable_snapshot (paintable, snapshot, width, height);
  g_autoptr (GskRenderNode) node =
      gtk_snapshot_free_to_node (g_steal_pointer (&snapshot));
  if (node == NULL)
    return NULL;
  GskRenderer *renderer = gtk_native_get_renderer (gtk_widget_get_native (widget));
  return gsk_renderer_render_texture (
      renderer, node, &GRAPHENE_RECT_INIT (0, 0, (float) width, (float) height));
}

GtkWidget *
scenes_open_window (GtkWidget *child, int width, int height)
{
  GtkWidget *window = gtk_window_new ();
  gtk_window_set_decorated (GTK_WINDOW (window), FALSE);
  gtk_window_set_default_size (GTK_WINDOW (window), width, height);
  gtk_window_set_child (GTK_WINDOW (window), child);
  gtk_window_present (GTK_WINDOW (window));
  for (int i = 0; i < 2000 && gtk_widget_get_width (child) == 0; i++)
    {
      g_main_context_iteration (NULL, FALSE);
      g_usleep (1000);
    }
  g_assert_cmpint (gtk_widget_get_width (child), >, 0);
  g_assert_true (scenes_wait_frames (child, 3, SCENES_FRAME_TIMEOUT_MS));
  return window;
}

cairo_surface_t *
scenes_picture (GtkWidget *widget, gboolean is_dark)
{
  g_assert_true (scenes_wait_frames (widget, 2, SCENES_FRAME_TIMEOUT_MS));
  g_autoptr (GdkTexture) texture = scenes_shoot (widget, is_dark);
  g_assert_nonnull (texture);
  cairo_surface_t *surface =
      cairo_image_surface_create (CAIRO_FORMAT_ARGB32, gdk_texture_get_width (texture),
                                  gdk_texture_get_height (texture));
  gdk_texture_download (texture, cairo_image_surface_get_data (surface),
                        (gsize) cairo_image_surface_get_stride (surface));
  cairo_surface_mark_dirty (surface);
  return surface;
}

guint32
scenes_pixel (cairo_surface_t *surface, int x, int y)
{
  const guint8 *data = cairo_image_surface_get_data (surface);
  gsize at = (gsize) y * (gsize) cairo_image_surface_get_stride (surface) + (gsize) x * 4;
  return *(const guint32 *) (const void *) (data + at);
}

int
scenes_apart (guint32 a, guint32 b)
{
  int most = 0;
  for (int shift = 0; shift < 24; shift += 8)
    most = MAX (most, ABS ((int) (a >> shift & 255) - (int) (b >> shift & 255)));
  return most;
}
