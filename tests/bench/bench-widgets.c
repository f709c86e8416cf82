/* SPDX-License-Identifier: MIT
 * Frames a second of the canvases in a 1200 x 800 window, and pictures of them:
 * bench-widgets [--pictures FOLDER] */
#include "config.h"

#include "../widgets/test-gl-scenes.h"
#include "../widgets/test-token-scenes.h"
#include "gl/hl-head-grid-private.h"
#include "gl/hl-heatmap-view-private.h"
#include "gl/hl-token-strip-private.h"

#define N_FRAMES 60

static GtkWidget *
open_window (GtkWidget *child, int width, int height)
{
  GtkWidget *window = gtk_window_new ();
  gtk_window_set_default_size (GTK_WINDOW (window), width, height);
  gtk_window_set_decorated (GTK_WINDOW (window), FALSE);
  gtk_window_set_child (GTK_WINDOW (window), child);
  gtk_window_present (GTK_WINDOW (window));
  while (gtk_widget_get_width (child) == 0)
    g_main_context_iteration (NULL, TRUE);
  scenes_wait_frames (child, 3, 10000);
  return window;
}

static void
report (const char *what, gint64 start_us, int n_frames)
{
  double ms = (g_get_monotonic_time () - start_us) / 1000.0 / n_frames;
  g_print ("%-44s %7.1f ms a frame %7.1f frames/s\n", what, ms, 1000 / ms);
}

static void
bench_map (gint64 n)
{
  g_autoptr (HlMatrixScene) scene = scenes_matrix (0, n, n, FALSE);
  GtkWidget *view = hl_heatmap_view_new ();
  gint64 start = g_get_monotonic_time ();
  hl_heatmap_view_set_scene (HL_HEATMAP_VIEW (view), scene);
  GtkWidget *window = open_window (view, 1200, 800);
  report ("map 4096 x 4096: window to third frame", start, 1);
  HlHeatmapView *self = HL_HEATMAP_VIEW (view);
  start = g_get_monotonic_time ();
  for (int i = 0; i < N_FRAMES; i++)
    {
      hl_heatmap_view_queue_cells (self);
      scenes_wait_frames (view, 1, 10000);
    }
  report ("map, whole, cells drawn anew", start, N_FRAMES);
  start = g_get_monotonic_time ();
  for (int i = 0; i < N_FRAMES; i++)
    {
      hl_heatmap_view_zoom_at (self, i < N_FRAMES / 2 ? 1.2 : 1 / 1.2, 400, 300);
      scenes_wait_frames (view, 1, 10000);
    }
  report ("map, zoom in and out (tiles made on the way)", start, N_FRAMES);
  start = g_get_monotonic_time ();
  for (int i = 0; i < N_FRAMES; i++)
    {
      hl_heatmap_view_set_cursor (self, i * 3, i * 5);
      scenes_wait_frames (view, 1, 10000);
    }
  report ("map, cursor moves", start, N_FRAMES);
  gtk_window_destroy (GTK_WINDOW (window));
}

static void
bench_grid (void)
{
  g_autoptr (HlGridScene) scene = scenes_grid (80, 64, 1);
  GtkWidget *grid = hl_head_grid_new ();
  GtkWidget *scroller = gtk_scrolled_window_new ();
  HlHeadGrid *self = HL_HEAD_GRID (grid);
  gint64 start = g_get_monotonic_time ();
  hl_head_grid_set_scene (self, scene);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroller), grid);
  GtkWidget *window = open_window (scroller, 1200, 800);
  report ("5,120 heads: window to third frame", start, 1);
  GtkAdjustment *down =
      gtk_scrolled_window_get_vadjustment (GTK_SCROLLED_WINDOW (scroller));
  for (int pass = 0; pass < 2; pass++)
    {
      start = g_get_monotonic_time ();
      for (int i = 0; i < N_FRAMES; i++)
        {
          gtk_adjustment_set_value (down, i * 11);
          scenes_wait_frames (grid, 1, 10000);
        }
      report (pass == 0 ? "grid, scrolled, first time (uploads)" : "grid, scrolled again",
              start, N_FRAMES);
    }
  g_print ("%u thumbnails uploaded\n", hl_head_grid_count_uploads (self));
  gtk_window_destroy (GTK_WINDOW (window));
}

static void
bench_strip (HlTokenMode mode)
{
  g_autoptr (HlTokenScene) scene = test_tokens_new (100000);
  g_autoptr (HlTokenScene) other = hl_token_scene_new (scene->tokens);
  gboolean is_list = mode == HL_TOKEN_LIST;
  other->scale = scene->scale;
  test_tokens_weigh (other, 700);
  test_tokens_bow (other, 3, 0, 100000);
  GtkWidget *strip = hl_token_strip_new (), *scroller = gtk_scrolled_window_new ();
  HlTokenStrip *self = HL_TOKEN_STRIP (strip);
  hl_token_strip_set_mode (self, mode);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroller), strip);
  gint64 start = g_get_monotonic_time ();
  hl_token_strip_set_scene (self, scene);
  GtkWidget *window = open_window (scroller, 1200, 800);
  report (is_list ? "100,000 tokens, list: window to third frame"
                  : "100,000 tokens, flow: window to third frame",
          start, 1);
  GtkAdjustment *down =
      gtk_scrolled_window_get_vadjustment (GTK_SCROLLED_WINDOW (scroller));
  static const double steps[] = { 40, 5000, -40 };
  static const char *const names[] = { "tokens, scrolled by 40 px", "tokens, by screens",
                                       "tokens, back by 40 px" };
  for (guint pass = 0; pass < G_N_ELEMENTS (steps); pass++)
    {
      start = g_get_monotonic_time ();
      for (int i = 0; i < N_FRAMES; i++)
        {
          gtk_adjustment_set_value (down, gtk_adjustment_get_value (down) + steps[pass]);
          scenes_wait_frames (strip, 1, 10000);
        }
      report (names[pass], start, N_FRAMES);
    }
  start = g_get_monotonic_time ();
  for (int i = 0; i < N_FRAMES; i++)
    {
      hl_token_strip_handle_motion (self, 200 + i * 7, 200 + i * 5);
      scenes_wait_frames (strip, 1, 10000);
    }
  report ("tokens, hovered", start, N_FRAMES);
  start = g_get_monotonic_time ();
  for (int i = 0; i < N_FRAMES; i++)
    {
      hl_token_strip_set_scene (self, i % 2 == 0 ? other : scene);
      scenes_wait_frames (strip, 1, 10000);
    }
  report ("tokens, other weights (and arcs) of the same text", start, N_FRAMES);
  gtk_window_destroy (GTK_WINDOW (window));
}

/* ---- pictures ------------------------------------------------------------------------
 */

static void
save (GtkWidget *widget, gboolean is_dark, const char *folder, const char *name)
{
  g_autofree char *file =
      g_strdup_printf ("%s/%s-%s.png", folder, name, is_dark ? "dark" : "light");
  scenes_wait_frames (widget, 3, 10000);
  g_autoptr (GdkTexture) texture = scenes_shoot (widget, is_dark);
  if (texture == NULL || !gdk_texture_save_to_png (texture, file))
    g_printerr ("cannot write %s\n", file);
}

static void
picture_maps (const char *folder, gboolean is_dark)
{
  GtkWidget *view = hl_heatmap_view_new ();
  HlHeatmapView *self = HL_HEATMAP_VIEW (view);
  hl_heatmap_view_set_is_dark (self, is_dark);
  GtkWidget *window = open_window (view, 640, 540);
  static const char *names[] = { "map-bands", "map-uniform", "map-stripes", "map-line" };
  for (int i = 0; i < 4; i++)
    {
      g_autoptr (HlMatrixScene) scene = scenes_matrix (i, 197, 197, i == 2);
      scene->selected_row = 117;
      scene->selected_column = 118;
      hl_heatmap_view_set_scene (self, scene);
      save (view, is_dark, folder, names[i]);
    }
  hl_heatmap_view_zoom (self, 3);
  gtk_widget_grab_focus (view);
  hl_heatmap_view_reveal (self, 117, 118);
  save (view, is_dark, folder, "map-zoomed");
  hl_heatmap_view_zoom (self, 10);
  hl_heatmap_view_set_cursor (self, 118, 118);
  save (view, is_dark, folder, "map-cells");
  g_autoptr (HlMatrixScene) wide = scenes_matrix (0, 300, 700, FALSE);
  hl_heatmap_view_set_scene (self, wide);
  save (view, is_dark, folder, "map-wide");
  gtk_window_destroy (GTK_WINDOW (window));
}

static void
picture_grids (const char *folder, gboolean is_dark)
{
  static const int sizes[][3] = {
    { 12, 12, 0 }, { 80, 64, 0 }, { 8, 16, 4 }, { 32, 32, 4 }
  };
  static const char *const names[] = { "grid-12", "grid-5120", "grid-groups",
                                       "grid-1024-groups" };
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autoptr (HlGridScene) scene =
          scenes_grid (sizes[i][0], sizes[i][1], i == 0 ? 0.8 : 1);
      scenes_group (scene, sizes[i][2]);
      GtkWidget *grid = hl_head_grid_new ();
      HlHeadGrid *self = HL_HEAD_GRID (grid);
      hl_head_grid_set_is_dark (self, is_dark);
      hl_head_grid_set_scene (self, scene);
      gboolean is_large = sizes[i][1] > 32;
      GtkWidget *window = open_window (grid, is_large ? 1000 : 480, is_large ? 700 : 560);
      hl_head_grid_set_selected (self, 5, 2);
      HlRect cell = hl_head_grid_get_cell_rect (self, 7, 6);
      hl_head_grid_handle_motion (self, cell.x + 3, cell.y + 3);
      save (grid, is_dark, folder, names[i]);
      gtk_window_destroy (GTK_WINDOW (window));
    }
}

static void
picture_patches (const char *folder, gboolean is_dark)
{
  g_autoptr (HlOverlayScene) scene = scenes_overlay (14, 14);
  GtkWidget *view = hl_patch_view_new ();
  hl_patch_view_set_is_dark (HL_PATCH_VIEW (view), is_dark);
  hl_patch_view_set_scene (HL_PATCH_VIEW (view), scene);
  GtkWidget *window = open_window (view, 320, 300);
  for (int c = 3; c < 6; c++)
    {
      HlRect patch = hl_patch_view_get_patch_rect (HL_PATCH_VIEW (view), 8, c);
      hl_patch_view_handle_press (HL_PATCH_VIEW (view), patch.x + 3, patch.y + 3, TRUE);
    }
  save (view, is_dark, folder, "patches");
  gtk_window_destroy (GTK_WINDOW (window));
}

static void
picture_strip (const char *folder,
               gboolean is_dark,
               HlTokenScene *scene,
               HlTokenMode mode,
               const char *name)
{
  GtkWidget *strip = hl_token_strip_new (), *scroller = gtk_scrolled_window_new ();
  HlTokenStrip *self = HL_TOKEN_STRIP (strip);
  gboolean is_large = hl_token_scene_count (scene) > 100;
  hl_token_strip_set_is_dark (self, is_dark);
  hl_token_strip_set_mode (self, mode);
  hl_token_strip_set_scene (self, scene);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroller), strip);
  GtkWidget *window = open_window (scroller, is_large ? 820 : 520, is_large ? 600 : 420);
  if (scene->n_selected > 0)
    hl_token_strip_reveal (self, scene->selected[0]);
  HlRect at = hl_token_strip_get_token_rect (self, 9);
  hl_token_strip_handle_motion (self, at.x + 3, at.y + 3);
  save (strip, is_dark, folder, name);
  gtk_window_destroy (GTK_WINDOW (window));
}

static void
picture_strips (const char *folder, gboolean is_dark)
{
  g_autoptr (HlTokenScene) plain = test_tokens_new (60);
  g_autoptr (HlTokenScene) few = test_tokens_new (30);
  g_autoptr (HlTokenScene) many = test_tokens_new (2000);
  g_autoptr (HlTokenScene) odd = test_tokens_odd_new ();
  g_autoptr (HlTokenScene) weighed = test_tokens_odd_new ();
  test_tokens_weigh (few, 22);
  test_tokens_bow (few, 1, 22, 23);
  test_tokens_weigh (many, 1200);
  test_tokens_bow (many, 3, 1180, 1210);
  many->matches = g_new (gint64, 40);
  for (gint64 i = 0; i < 40; i++)
    many->matches[many->n_matches++] = 1150 + 7 * i;
  for (gint64 i = 20; i < 30; i++)
    plain->tokens->items[i].is_excluded = TRUE;
  test_tokens_weigh (weighed, 28);
  for (int is_list = 0; is_list < 2; is_list++)
    {
      HlTokenMode mode = is_list ? HL_TOKEN_LIST : HL_TOKEN_FLOW;
      picture_strip (folder, is_dark, plain, mode, is_list ? "list-plain" : "flow-plain");
      picture_strip (folder, is_dark, few, mode, is_list ? "list-30" : "flow-30");
      picture_strip (folder, is_dark, many, mode, is_list ? "list-2000" : "flow-2000");
      picture_strip (folder, is_dark, odd, mode, is_list ? "list-odd" : "flow-odd");
      picture_strip (folder, is_dark, weighed, mode,
                     is_list ? "list-odd-weights" : "flow-odd-weights");
    }
}

int
main (int argc, char **argv)
{
  gtk_init ();
  if (argc == 3 && g_str_equal (argv[1], "--pictures"))
    {
      g_mkdir_with_parents (argv[2], 0755);
      for (int is_dark = 0; is_dark < 2; is_dark++)
        {
          picture_maps (argv[2], is_dark);
          picture_grids (argv[2], is_dark);
          picture_patches (argv[2], is_dark);
          picture_strips (argv[2], is_dark);
        }
      return 0;
    }
  bench_map (4096);
  bench_grid ();
  bench_strip (HL_TOKEN_FLOW);
  bench_strip (HL_TOKEN_LIST);
  return 0;
}
