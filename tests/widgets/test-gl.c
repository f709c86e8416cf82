/* SPDX-License-Identifier: MIT
 * The canvases under a display: pixels against the Cairo painter, keyboard, pointer,
 * words for a screen reader, nothing left behind. */
#include "config.h"

#include "test-gl-late.h"
#include "test-gl-scenes.h"

#include "draw/hl-colormap.h"
#include "gl/hl-head-grid-private.h"
#include "gl/hl-heatmap-view-private.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

/* A test that hangs because OpenGL never draws must end, and say so. */
#define WATCHDOG_S 100
#define FRAME_TIMEOUT_MS SCENES_FRAME_TIMEOUT_MS

/* ---- pixels --------------------------------------------------------------------------
 */

/* Shares of pixels in @rect that differ by more than 2 of 255. */
static double
share_off (cairo_surface_t *a, cairo_surface_t *b, const HlRect *rect)
{
  int n_off = 0, n = 0;
  for (int y = (int) rect->y; y < rect->y + rect->height; y++)
    for (int x = (int) rect->x; x < rect->x + rect->width; x++, n++)
      n_off += scenes_apart (scenes_pixel (a, x, y), scenes_pixel (b, x, y)) > 2;
  return (double) n_off / MAX (n, 1);
}

static cairo_surface_t *
paint_reference (HlHeatmapView *view, HlMatrixScene *scene, gboolean is_dark)
{
  const HlMatrixLayout *layout = hl_heatmap_view_get_layout (view);
  cairo_surface_t *surface = cairo_image_surface_create (
      CAIRO_FORMAT_ARGB32, gtk_widget_get_width (GTK_WIDGET (view)),
      gtk_widget_get_height (GTK_WIDGET (view)));
  cairo_t *cr = cairo_create (surface);
  HlTheme theme = is_dark ? hl_theme_dark () : hl_theme_light ();
  HlPainter painter;
  hl_painter_init (&painter, cr, &theme, 1);
  hl_paint_matrix_cells (&painter, scene, layout);
  cairo_destroy (cr);
  cairo_surface_flush (surface);
  return surface;
}

/* ---- the map against the painter -----------------------------------------------------
 */

typedef struct
{
  const char *name;
  gint64 n_rows;
  gint64 n_columns;
  gboolean has_nan;
  gboolean is_dark;
  HlRangeMode mode;
  HlColormap colormap;
  double zoom;
} PixelCase;

static const PixelCase pixel_cases[] = {
  { "197-light", 197, 197, TRUE, FALSE, HL_RANGE_SHARED, HL_COLORMAP_VIRIDIS, 1 },
  { "197-dark", 197, 197, TRUE, TRUE, HL_RANGE_SHARED, HL_COLORMAP_MAGMA, 1 },
  { "13x7", 13, 7, TRUE, FALSE, HL_RANGE_SHARED, HL_COLORMAP_CIVIDIS, 1 },
  { "7x13-log", 7, 13, FALSE, TRUE, HL_RANGE_LOG, HL_COLORMAP_VIRIDIS, 1 },
  { "300x700-tiles", 300, 700, TRUE, FALSE, HL_RANGE_SHARED, HL_COLORMAP_VIRIDIS, 1 },
  { "300x700-zoomed", 300, 700, TRUE, TRUE, HL_RANGE_LOG, HL_COLORMAP_MAGMA, 3.7 },
  { "197-diverging", 197, 197, FALSE, FALSE, HL_RANGE_SHARED, HL_COLORMAP_DIVERGING, 1 },
  { "197-grey", 197, 197, TRUE, TRUE, HL_RANGE_PER_HEAD, HL_COLORMAP_GREY, 2.2 },
};

static void
test_pixels (gconstpointer data)
{
  const PixelCase *c = data;
  g_autoptr (HlMatrixScene) scene =
      scenes_matrix (0, c->n_rows, c->n_columns, c->has_nan);
  scene->scale.mode = c->mode;
  scene->scale.is_log = c->mode == HL_RANGE_LOG;
  scene->scale.low = scene->scale.is_log ? 1e-5 : 0;
  scene->scale.colormap = c->colormap;
  if (c->colormap == HL_COLORMAP_DIVERGING)
    {
      scene->scale.low = -scene->scale.high;
      for (gint64 i = 0; i < c->n_rows * c->n_columns; i += 2)
        scene->values[i] = -scene->values[i];
    }
  GtkWidget *widget = hl_heatmap_view_new ();
  HlHeatmapView *view = HL_HEATMAP_VIEW (widget);
  hl_heatmap_view_set_is_dark (view, c->is_dark);
  hl_heatmap_view_set_scene (view, scene);
  /* Small maps in a small window: large cells would have their values printed in them. */
  gboolean is_small = c->n_rows < 20;
  GtkWidget *window =
      scenes_open_window (widget, is_small ? 420 : 900, is_small ? 320 : 620);
  g_assert_null (hl_heatmap_view_get_gl_message (view));
  if (c->zoom != 1)
    hl_heatmap_view_zoom (view, c->zoom);
  cairo_surface_t *seen = scenes_picture (widget, c->is_dark);
  cairo_surface_t *wanted = paint_reference (view, scene, c->is_dark);
  double off = share_off (seen, wanted, &hl_heatmap_view_get_layout (view)->cells);
  g_test_message ("%s: %.5f of the pixels differ by more than 2", c->name, off);
  g_assert_cmpfloat (off, <, 0.002); /* where a cell's edge falls on a pixel's middle */
  g_assert_true (hl_heatmap_view_get_is_complete (view));
  cairo_surface_destroy (seen);
  cairo_surface_destroy (wanted);
  gtk_window_destroy (GTK_WINDOW (window));
}

/* Rows of pixels that have at least one of @color. */
static int
count_lit_rows (cairo_surface_t *seen, const HlRect *cells, guint32 color)
{
  int n_rows = 0;
  for (int y = (int) cells->y; y < cells->y + cells->height; y++)
    {
      gboolean is_lit = FALSE;
      for (int x = (int) cells->x; x < cells->x + cells->width; x++)
        is_lit = is_lit || scenes_apart (color, scenes_pixel (seen, x, y)) <= 2;
      n_rows += is_lit ? 1 : 0;
    }
  return n_rows;
}

/* A line one entry wide in a map of 3000 must be there in 400 pixels; with the mean it
 * fades. */
static void
test_thin_line (void)
{
  g_autoptr (HlMatrixScene) scene = scenes_matrix (3, 3000, 3000, FALSE);
  GtkWidget *widget = hl_heatmap_view_new ();
  HlHeatmapView *view = HL_HEATMAP_VIEW (widget);
  hl_heatmap_view_set_scene (view, scene);
  GtkWidget *window = scenes_open_window (widget, 480, 420);
  const HlRect *cells = &hl_heatmap_view_get_layout (view)->cells;
  guint8 top[3];
  hl_colormap_lookup (HL_COLORMAP_VIRIDIS, 1, top);
  guint32 bright = (guint32) top[0] << 16 | (guint32) top[1] << 8 | top[2];
  for (int is_max = 1; is_max >= 0; is_max--)
    {
      hl_heatmap_view_set_pool_is_max (view, is_max);
      cairo_surface_t *seen = scenes_picture (widget, FALSE);
      int n_lit = count_lit_rows (seen, cells, bright);
      cairo_surface_destroy (seen);
      g_assert_cmpint (n_lit, ==, is_max ? (int) cells->height : 0);
    }
  gtk_window_destroy (GTK_WINDOW (window));
}

/* Nothing is rendered twice, and a view that is realised again shows the same. */
static void
test_renders (void)
{
  g_autoptr (HlMatrixScene) scene = scenes_matrix (0, 197, 197, FALSE);
  GtkWidget *widget = hl_heatmap_view_new ();
  HlHeatmapView *view = HL_HEATMAP_VIEW (widget);
  hl_heatmap_view_set_scene (view, scene);
  GtkWidget *window = scenes_open_window (widget, 500, 420);
  cairo_surface_t *before = scenes_picture (widget, FALSE);
  guint n_renders = hl_heatmap_view_count_renders (view);
  g_assert_cmpuint (n_renders, >, 0);
  hl_heatmap_view_handle_motion (view, 200, 200);
  hl_heatmap_view_set_cursor (view, 50, 60);
  gtk_widget_queue_draw (widget);
  g_assert_true (scenes_wait_frames (widget, 4, FRAME_TIMEOUT_MS));
  g_assert_cmpuint (hl_heatmap_view_count_renders (view), ==, n_renders);
  hl_heatmap_view_set_cursor (view, -1, -1);

  g_object_ref (widget);
  gtk_window_set_child (GTK_WINDOW (window), NULL);
  g_assert_true (gtk_widget_get_realized (widget) == FALSE);
  gtk_window_set_child (GTK_WINDOW (window), widget);
  g_object_unref (widget);
  cairo_surface_t *after = scenes_picture (widget, FALSE);
  g_assert_cmpfloat (share_off (before, after, &hl_heatmap_view_get_layout (view)->cells),
                     ==, 0);
  cairo_surface_destroy (before);
  cairo_surface_destroy (after);
  gtk_window_destroy (GTK_WINDOW (window));
}

/* ---- a source that answers late ------------------------------------------------------
 */

/* Only tiles in sight are asked for; a coarse one stands in for a fine one that is not
 * there yet; in the end the map is exact, within a budget of a few tiles. */
static void
test_late_tiles (void)
{
  g_autoptr (HlMatrixScene) full = scenes_matrix (0, 2000, 2000, FALSE);
  g_autoptr (HlMatrixScene) bare = scenes_matrix (0, 2000, 2000, FALSE);
  g_clear_pointer (&bare->values, g_free);
  Late *late = late_new (full);
  GtkWidget *widget = hl_heatmap_view_new ();
  HlHeatmapView *view = HL_HEATMAP_VIEW (widget);
  hl_heatmap_view_set_cache_budget (view, 5 * 3 * 256 * 256 * sizeof (float));
  hl_heatmap_view_set_tile_source (view, HL_TILE_SOURCE (late));
  hl_heatmap_view_set_scene (view, bare);
  GtkWidget *window = scenes_open_window (widget, 500, 420);
  const HlRect *cells = &hl_heatmap_view_get_layout (view)->cells;
  g_assert_false (hl_heatmap_view_get_is_complete (view));
  g_assert_cmpuint (late_answer (late), ==, 1); /* 2000 / 2^3 = 250 cells: one tile */
  g_assert_true (scenes_wait_frames (widget, 3, FRAME_TIMEOUT_MS));
  g_assert_true (hl_heatmap_view_get_is_complete (view));

  hl_heatmap_view_zoom_at (view, 8, cells->x, cells->y);
  cairo_surface_t *coarse = scenes_picture (widget, FALSE);
  g_assert_false (hl_heatmap_view_get_is_complete (view));
  g_assert_cmpuint (scenes_pixel (coarse, (int) cells->x + 9, (int) cells->y + 9), !=,
                    0xfffafafa); /* something stands in */
  guint n_fine = late_answer (late);
  g_assert_cmpuint (n_fine, >=, 1);
  g_assert_cmpuint (n_fine, <=, 4);
  cairo_surface_t *fine = scenes_picture (widget, FALSE);
  cairo_surface_t *wanted = paint_reference (view, full, FALSE);
  g_assert_true (hl_heatmap_view_get_is_complete (view));
  g_assert_cmpfloat (share_off (fine, wanted, cells), <, 0.002);
  g_assert_cmpfloat (share_off (coarse, wanted, cells), >, 0.002);

  /* A map walked all over stays within the budget. */
  for (int i = 0; i < 12; i++)
    {
      hl_heatmap_view_reveal (view, i * 160, 1900 - i * 150);
      g_assert_true (scenes_wait_frames (widget, 2, FRAME_TIMEOUT_MS));
      late_answer (late);
    }
  g_assert_cmpuint (hl_tile_cache_get_size (view->cache), <=,
                    9 * 3 * 256 * 256 * sizeof (float));
  hl_tile_source_emit_changed (HL_TILE_SOURCE (late));
  g_assert_cmpuint (hl_tile_cache_get_size (view->cache), ==, 0);
  cairo_surface_destroy (coarse);
  cairo_surface_destroy (fine);
  cairo_surface_destroy (wanted);
  gtk_window_destroy (GTK_WINDOW (window));
  g_assert_finalize_object (late);
}

/* ---- without OpenGL ------------------------------------------------------------------
 */

static void
test_without_gl (void)
{
  if (g_test_subprocess ())
    {
      g_setenv ("GDK_DEBUG", "gl-disable", TRUE);
      gtk_init ();
      g_autoptr (HlMatrixScene) scene = scenes_matrix (0, 300, 700, TRUE);
      g_autoptr (HlGridScene) heads = scenes_grid (4, 5, 0.7);
      GtkWidget *widget = hl_heatmap_view_new (), *grid = hl_head_grid_new ();
      GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 0);
      gtk_widget_set_hexpand (widget, TRUE);
      gtk_box_append (GTK_BOX (box), widget);
      gtk_box_append (GTK_BOX (box), grid);
      hl_heatmap_view_set_scene (HL_HEATMAP_VIEW (widget), scene);
      hl_head_grid_set_scene (HL_HEAD_GRID (grid), heads);
      GtkWidget *window = scenes_open_window (box, 1300, 500);
      g_assert_nonnull (hl_heatmap_view_get_gl_message (HL_HEATMAP_VIEW (widget)));
      g_assert_nonnull (hl_head_grid_get_gl_message (HL_HEAD_GRID (grid)));
      g_test_message ("%s", hl_heatmap_view_get_gl_message (HL_HEATMAP_VIEW (widget)));
      cairo_surface_t *seen = scenes_picture (widget, FALSE);
      cairo_surface_t *wanted = paint_reference (HL_HEATMAP_VIEW (widget), scene, FALSE);
      const HlRect *cells = &hl_heatmap_view_get_layout (HL_HEATMAP_VIEW (widget))->cells;
      g_assert_cmpfloat (share_off (seen, wanted, cells), <, 0.005);
      cairo_surface_destroy (seen);
      cairo_surface_destroy (wanted);
      gtk_window_destroy (GTK_WINDOW (window));
      return;
    }
  g_test_trap_subprocess (NULL, 60 * G_USEC_PER_SEC, G_TEST_SUBPROCESS_INHERIT_STDERR);
  g_test_trap_assert_passed ();
}

/* ---- keyboard, pointer, words --------------------------------------------------------
 */

typedef struct
{
  int n;
  gint64 row;
  gint64 column;
  double value;
} Heard;

static void
cell_cb (HlHeatmapView *view, gint64 row, gint64 column, gpointer user_data)
{
  Heard *heard = user_data;
  heard->n++;
  heard->row = row;
  heard->column = column;
}

static void
hover_cb (HlHeatmapView *view, gint64 row, gint64 column, double value, gpointer data)
{
  Heard *heard = data;
  heard->value = value;
  cell_cb (view, row, column, data);
}

/* F and Ctrl+0 show all of the map; a digit alone is left to the window. */
static void
check_fit_keys (HlHeatmapView *view)
{
  static const struct
  {
    guint keyval;
    GdkModifierType state;
    gboolean fits;
  } keys[] = { { GDK_KEY_0, 0, FALSE },
               { GDK_KEY_f, GDK_CONTROL_MASK, FALSE },
               { GDK_KEY_f, 0, TRUE },
               { GDK_KEY_F, GDK_LOCK_MASK, TRUE },
               { GDK_KEY_0, GDK_CONTROL_MASK, TRUE },
               { GDK_KEY_KP_0, GDK_CONTROL_MASK, TRUE } };
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      hl_heatmap_view_zoom (view, 4);
      g_assert_true (hl_heatmap_view_handle_key (view, keys[i].keyval, keys[i].state) ==
                     keys[i].fits);
      const HlView *seen = &hl_heatmap_view_get_layout (view)->view;
      g_assert_true ((seen->x1 - seen->x0 == 197) == keys[i].fits);
    }
}

/* A part is there whole, as large as it fits; past the map's edge there is nothing. */
static void
check_shown_part (HlHeatmapView *view)
{
  hl_heatmap_view_show (view, 40, 60, 30, 50);
  const HlView *seen = &hl_heatmap_view_get_layout (view)->view;
  double rows = seen->y1 - seen->y0, columns = seen->x1 - seen->x0;
  g_assert_true (seen->y0 <= 40.001 && seen->y1 >= 59.999);
  g_assert_true (seen->x0 <= 30.001 && seen->x1 >= 49.999);
  g_assert_cmpfloat_with_epsilon (MIN (rows, columns), 20, 0.001);
  g_assert_cmpfloat_with_epsilon (seen->y0 + seen->y1, 100, 0.001);
  hl_heatmap_view_show (view, 0, 5, 190, 197);
  g_assert_true (seen->y0 == 0 && seen->x1 == 197);
  hl_heatmap_view_fit (view);
}

static void
test_map_input (void)
{
  g_autoptr (HlMatrixScene) scene = scenes_matrix (0, 197, 197, FALSE);
  scene->values[117 * 197 + 118] = 0.1432f;
  scene->selected_row = 116;
  scene->selected_column = 118;
  GtkWidget *widget = hl_heatmap_view_new ();
  HlHeatmapView *view = HL_HEATMAP_VIEW (widget);
  hl_heatmap_view_set_scene (view, scene);
  GtkWidget *window = scenes_open_window (widget, 640, 540);
  Heard cell = { 0 }, hover = { 0 };
  g_signal_connect (view, "cell-activated", G_CALLBACK (cell_cb), &cell);
  g_signal_connect (view, "cell-hovered", G_CALLBACK (hover_cb), &hover);

  g_assert_true (hl_heatmap_view_handle_key (view, GDK_KEY_Down, 0));
  g_assert_cmpint (cell.n, ==, 1);
  g_assert_cmpint (cell.row, ==, 117);
  g_assert_cmpint (cell.column, ==, 118);
  gtk_test_accessible_assert_role (widget, GTK_ACCESSIBLE_ROLE_IMG);
  gtk_test_accessible_assert_property (widget, GTK_ACCESSIBLE_PROPERTY_LABEL,
                                       "Layer 5 · head 2");
  gtk_test_accessible_assert_property (widget, GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                       "query (8, 4), key (8, 5): 0.1432");
  hl_heatmap_view_handle_key (view, GDK_KEY_Right, GDK_SHIFT_MASK);
  g_assert_cmpint (cell.column, ==, 128);
  hl_heatmap_view_handle_key (view, GDK_KEY_End, GDK_CONTROL_MASK);
  g_assert_cmpint (cell.row, ==, 196);
  g_assert_cmpint (cell.column, ==, 196);
  int n = cell.n;
  hl_heatmap_view_handle_key (view, GDK_KEY_Down, 0); /* at the edge: nothing moves */
  g_assert_cmpint (cell.n, ==, n);

  HlRect at = hl_matrix_layout_entry_rect (hl_heatmap_view_get_layout (view), 117, 118);
  hl_heatmap_view_handle_motion (view, at.x + 1, at.y + 1);
  g_assert_cmpint (hover.row, ==, 117);
  g_assert_cmpint (hover.column, ==, 118);
  g_assert_cmpfloat_with_epsilon (hover.value, 0.1432, 1e-6);
  hl_heatmap_view_handle_click (view, at.x + 1, at.y + 1, 1);
  g_assert_cmpint (cell.row, ==, 117);

  /* Zoom keeps what is under the pointer; the cursor is scrolled into view. */
  hl_heatmap_view_zoom_at (view, 12, at.x + 1, at.y + 1);
  gint64 row = -1, column = -1;
  g_assert_true (hl_heatmap_view_hit (view, at.x + 1, at.y + 1, &row, &column));
  g_assert_cmpint (row, ==, 117);
  g_assert_cmpint (column, ==, 118);
  hl_heatmap_view_handle_key (view, GDK_KEY_Home, GDK_CONTROL_MASK);
  g_assert_cmpfloat (hl_heatmap_view_get_layout (view)->view.x0, ==, 0);
  g_assert_cmpfloat (hl_heatmap_view_get_layout (view)->view.y0, ==, 0);
  check_fit_keys (view);
  check_shown_part (view);
  hl_heatmap_view_handle_key (view, GDK_KEY_Escape, 0);
  g_assert_cmpint (cell.row, ==, -1);
  gtk_window_destroy (GTK_WINDOW (window));
}

static void
head_cb (GObject *object, int layer, int head, gpointer user_data)
{
  Heard *heard = user_data;
  heard->n++;
  heard->row = layer;
  heard->column = head;
}

/* With groups of heads and without. */
static void
test_grid_input (gconstpointer data)
{
  g_autoptr (HlGridScene) scene = scenes_grid (80, 64, 1);
  scenes_group (scene, GPOINTER_TO_INT (data));
  GtkWidget *grid = hl_head_grid_new (), *scroller = gtk_scrolled_window_new ();
  HlHeadGrid *self = HL_HEAD_GRID (grid);
  hl_head_grid_set_scene (self, scene);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroller), grid);
  GtkWidget *window = scenes_open_window (scroller, 900, 500);
  g_assert_null (hl_head_grid_get_gl_message (self));
  guint n_first = hl_head_grid_count_uploads (self);
  g_assert_cmpuint (n_first, >, 100);
  g_assert_cmpuint (n_first, <, 5120); /* only what is in sight */
  Heard head = { 0 }, hover = { 0 };
  g_signal_connect (grid, "head-activated", G_CALLBACK (head_cb), &head);
  g_signal_connect (grid, "head-hovered", G_CALLBACK (head_cb), &hover);
  HlRect cell = hl_head_grid_get_cell_rect (self, 7, 6);
  hl_head_grid_handle_motion (self, cell.x + 2, cell.y + 2);
  g_assert_cmpint (hover.row, ==, 7);
  g_assert_cmpint (hover.column, ==, 6);
  hl_head_grid_handle_click (self, cell.x + 2, cell.y + 2);
  g_assert_cmpint (head.row, ==, 7);
  g_assert_cmpint (head.column, ==, 6);
  gtk_test_accessible_assert_property (grid, GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                       "layer 7, head 6: maximum 0.21");
  hl_head_grid_handle_key (self, GDK_KEY_End, GDK_CONTROL_MASK);
  g_assert_cmpint (head.row, ==, 79);
  g_assert_cmpint (head.column, ==, 63);
  cell = hl_head_grid_get_cell_rect (self, 79, 63);
  g_assert_cmpfloat (cell.y + cell.height, <=, self->body.y + self->body.height);
  g_assert_true (scenes_wait_frames (grid, 3, FRAME_TIMEOUT_MS));

  /* One thumbnail changed: one upload. Nothing changed: no render. */
  guint n_uploads = hl_head_grid_count_uploads (self);
  hl_head_grid_update_thumb (self, 79, 63);
  g_assert_true (scenes_wait_frames (grid, 3, FRAME_TIMEOUT_MS));
  g_assert_cmpuint (hl_head_grid_count_uploads (self), ==, n_uploads + 1);
  guint n_renders = hl_head_grid_count_renders (self);
  hl_head_grid_handle_motion (self, cell.x - 20, cell.y);
  g_assert_true (scenes_wait_frames (grid, 3, FRAME_TIMEOUT_MS));
  g_assert_cmpuint (hl_head_grid_count_renders (self), ==, n_renders);

  hl_head_grid_set_selected (self, 0, 0);
  cell = hl_head_grid_get_cell_rect (self, 10, 50);
  hl_head_grid_zoom_at (self, 2, cell.x + 4, cell.y + 4);
  int layer = -1, column = -1;
  g_assert_true (hl_head_grid_hit (self, cell.x + 5, cell.y + 5, &layer, &column));
  g_assert_cmpint (layer, ==, 10);
  g_assert_cmpint (column, ==, 50);
  g_assert_false (hl_head_grid_handle_key (self, GDK_KEY_0, 0));
  g_assert_cmpfloat (hl_head_grid_get_cell_size (self), >, 0);
  g_assert_true (hl_head_grid_handle_key (self, GDK_KEY_f, 0));
  g_assert_cmpfloat (hl_head_grid_get_cell_size (self), ==, 0);
  gtk_window_destroy (GTK_WINDOW (window));
}

/* Thumbnails at their own size are what the painter paints. */
static void
test_grid_pixels (gconstpointer data)
{
  gboolean is_dark = GPOINTER_TO_INT (data) & 1;
  g_autoptr (HlGridScene) scene = scenes_grid (4, 5, 0.7);
  scenes_group (scene, GPOINTER_TO_INT (data) & 2);
  scene->scale.mode = is_dark ? HL_RANGE_PER_HEAD : HL_RANGE_SHARED;
  HlGridLayer *first = g_ptr_array_index (scene->layers, 0);
  for (int i = 0; i < 64 * 64; i += 31)
    first->thumbs[1].values[i] = NAN;
  GtkWidget *grid = hl_head_grid_new ();
  HlHeadGrid *self = HL_HEAD_GRID (grid);
  hl_head_grid_set_is_dark (self, is_dark);
  hl_head_grid_set_scene (self, scene);
  hl_head_grid_set_cell_size (self, is_dark ? 64 : 32);
  GtkWidget *window = scenes_open_window (grid, 460, 420);
  cairo_surface_t *seen = scenes_picture (grid, is_dark);
  cairo_surface_t *wanted = cairo_image_surface_create (CAIRO_FORMAT_ARGB32, 460, 420);
  cairo_t *cr = cairo_create (wanted);
  HlTheme theme = is_dark ? hl_theme_dark () : hl_theme_light ();
  HlPainter painter;
  hl_painter_init (&painter, cr, &theme, 1);
  hl_paint_set_color (cr, &theme.background);
  cairo_paint (cr);
  hl_paint_grid_thumbs (&painter, scene, &self->layout, NULL);
  cairo_destroy (cr);
  cairo_surface_flush (wanted);
  for (int i = 0; i < 13; i++)
    {
      HlRect cell = hl_head_grid_get_cell_rect (self, i / 5, i % 5);
      if (cell.y + cell.height > self->body.y + self->body.height)
        continue;
      g_assert_cmpfloat (share_off (seen, wanted, &cell), <, 0.02);
      HlRect gap = { cell.x + cell.width, cell.y, 1, cell.height };
      g_assert_cmpfloat (share_off (seen, wanted, &gap), <, 0.02);
    }
  cairo_surface_destroy (seen);
  cairo_surface_destroy (wanted);
  gtk_window_destroy (GTK_WINDOW (window));
}

static void
selection_cb (HlPatchView *view, gpointer selected, guint n, gpointer user_data)
{
  Heard *heard = user_data;
  heard->n++;
  heard->row = 0;
  for (guint i = 0; i < n; i++)
    heard->row += ((gboolean *) selected)[i] ? 1 : 0;
}

static void
test_patches (void)
{
  g_autoptr (HlOverlayScene) scene = scenes_overlay (9, 14);
  GtkWidget *widget = hl_patch_view_new ();
  HlPatchView *view = HL_PATCH_VIEW (widget);
  hl_patch_view_set_scene (view, scene);
  GtkWidget *window = scenes_open_window (widget, 400, 300);
  Heard heard = { 0 }, hover = { 0 };
  g_signal_connect (view, "selection-changed", G_CALLBACK (selection_cb), &heard);
  g_signal_connect (view, "patch-hovered", G_CALLBACK (head_cb), &hover);
  HlRect a = hl_patch_view_get_patch_rect (view, 8, 4);
  HlRect b = hl_patch_view_get_patch_rect (view, 2, 13);
  hl_patch_view_handle_press (view, a.x + 2, a.y + 2, FALSE);
  hl_patch_view_handle_brush (view, a.x + a.width + 2, a.y + 2);
  g_assert_cmpint (heard.row, ==, 2);
  g_assert_cmpint (hover.row, ==, 8);
  g_assert_cmpint (hover.column, ==, 5);
  hl_patch_view_handle_press (view, a.x + 2, a.y + 2, FALSE);
  hl_patch_view_handle_brush (view, a.x + 3 * a.width + 2, a.y + 2);
  g_assert_cmpint (heard.row, ==, 4); /* those that the pointer jumped over too */
  hl_patch_view_handle_press (view, a.x + 2, a.y + 2, FALSE);
  hl_patch_view_handle_brush (view, a.x + a.width + 2, a.y + 2);
  hl_patch_view_handle_press (view, b.x + 2, b.y + 2, TRUE);
  g_assert_cmpint (heard.row, ==, 3);
  guint n = 0;
  const gboolean *selected = hl_patch_view_get_selected (view, &n);
  g_assert_cmpuint (n, ==, 126);
  g_assert_true (selected[8 * 14 + 4] && selected[8 * 14 + 5] && selected[2 * 14 + 13]);
  hl_patch_view_handle_press (view, b.x + 2, b.y + 2, FALSE);
  g_assert_cmpint (heard.row, ==, 1);
  hl_patch_view_handle_key (view, GDK_KEY_Up, 0);
  hl_patch_view_handle_key (view, GDK_KEY_space, 0);
  g_assert_cmpint (heard.row, ==, 2);
  g_autofree char *words = g_strdup_printf ("patch (1, 13), selected: %.4g; "
                                            "2 patches selected",
                                            scene->weights[1 * 14 + 13]);
  gtk_test_accessible_assert_property (widget, GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                       words);
  hl_patch_view_handle_key (view, GDK_KEY_Escape, 0);
  g_assert_cmpint (heard.row, ==, 0);
  cairo_surface_t *seen = scenes_picture (widget, FALSE);
  g_assert_cmpint (
      scenes_apart (scenes_pixel (seen, (int) a.x + 8, (int) a.y + 8), 0xfafafa), >, 20);
  cairo_surface_destroy (seen);
  gtk_window_destroy (GTK_WINDOW (window));
}

/* ---- nothing left behind -------------------------------------------------------------
 */

static void
finalize_cb (gpointer data, GObject *was)
{
  *(gboolean *) data = TRUE;
}

static void
test_finalize (void)
{
  g_autoptr (HlMatrixScene) map = scenes_matrix (0, 300, 300, FALSE);
  g_autoptr (HlGridScene) heads = scenes_grid (6, 6, 1);
  g_autoptr (HlOverlayScene) patches = scenes_overlay (5, 5);
  GtkWidget *widgets[] = { hl_heatmap_view_new (), hl_head_grid_new (),
                           hl_patch_view_new () };
  gboolean is_gone[3] = { FALSE };
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 0);
  for (int i = 0; i < 3; i++)
    {
      gtk_box_append (GTK_BOX (box), widgets[i]);
      g_object_weak_ref (G_OBJECT (widgets[i]), finalize_cb, &is_gone[i]);
    }
  hl_heatmap_view_set_scene (HL_HEATMAP_VIEW (widgets[0]), map);
  hl_head_grid_set_scene (HL_HEAD_GRID (widgets[1]), heads);
  hl_patch_view_set_scene (HL_PATCH_VIEW (widgets[2]), patches);
  GtkWidget *window = scenes_open_window (box, 1200, 500);
  gtk_window_destroy (GTK_WINDOW (window));
  for (int i = 0; i < 200; i++)
    g_main_context_iteration (NULL, FALSE);
  for (int i = 0; i < 3; i++)
    g_assert_true (is_gone[i]);
  g_assert_cmpint (map->refs, ==, 1);
  g_assert_cmpint (heads->refs, ==, 1);
  g_assert_cmpint (patches->refs, ==, 1);
}

int
main (int argc, char **argv)
{
  alarm (WATCHDOG_S);
  if (g_getenv ("DISPLAY") == NULL && g_getenv ("WAYLAND_DISPLAY") == NULL)
    {
      g_print ("1..0 # SKIP no display: run under xvfb-run\n");
      return 0;
    }
  /* A subprocess chooses its own GDK_DEBUG before it opens the display. */
  gboolean is_subprocess = FALSE;
  for (int i = 1; i < argc; i++)
    is_subprocess = is_subprocess || g_str_has_prefix (argv[i], "--GTestSubprocess");
  if (is_subprocess)
    g_test_init (&argc, &argv, NULL);
  else
    gtk_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (pixel_cases); i++)
    {
      g_autofree char *path = g_strconcat ("/gl/map/pixels/", pixel_cases[i].name, NULL);
      g_test_add_data_func (path, &pixel_cases[i], test_pixels);
    }
  g_test_add_func ("/gl/map/thin-line", test_thin_line);
  g_test_add_func ("/gl/map/renders", test_renders);
  g_test_add_func ("/gl/map/late-tiles", test_late_tiles);
  g_test_add_func ("/gl/map/without-gl", test_without_gl);
  g_test_add_func ("/gl/map/input", test_map_input);
  g_test_add_data_func ("/gl/grid/input", GINT_TO_POINTER (0), test_grid_input);
  g_test_add_data_func ("/gl/grid/input-groups", GINT_TO_POINTER (4), test_grid_input);
  g_test_add_data_func ("/gl/grid/pixels-light", GINT_TO_POINTER (0), test_grid_pixels);
  g_test_add_data_func ("/gl/grid/pixels-dark", GINT_TO_POINTER (1), test_grid_pixels);
  g_test_add_data_func ("/gl/grid/pixels-groups", GINT_TO_POINTER (2), test_grid_pixels);
  g_test_add_data_func ("/gl/grid/pixels-groups-dark", GINT_TO_POINTER (3),
                        test_grid_pixels);
  g_test_add_func ("/gl/patches", test_patches);
  g_test_add_func ("/gl/finalize", test_finalize);
  return g_test_run ();
}
