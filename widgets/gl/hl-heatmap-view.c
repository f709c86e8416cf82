/* SPDX-License-Identifier: MIT
 * One attention map: the object, its properties and what can be asked of it. */
#include "config.h"

#include "gl/hl-heatmap-view-private.h"

#include "gl/hl-memory-tiles.h"

#include <glib/gi18n-lib.h>
#include <math.h>

G_DEFINE_FINAL_TYPE (HlHeatmapView, hl_heatmap_view, GTK_TYPE_WIDGET)

enum
{
  PROP_NONE,
  PROP_IS_DARK,
  PROP_POOL_IS_MAX,
  PROP_GL_MESSAGE,
  PROP_IS_COMPLETE,
};

/* ---- tiles ---------------------------------------------------------------------------
 */

static void
tile_ready_cb (HlTileSource *source, int level, int row, int column, HlHeatmapView *self)
{
  if (hl_tile_cache_get_source (self->cache) != source)
    return;
  hl_tile_cache_refresh (self->cache, level, row, column);
  hl_heatmap_view_queue_cells (self);
  if (level == 0 && self->hover_row >= 0)
    hl_heatmap_view_emit_hover (self);
}

static void
source_changed_cb (HlTileSource *source, HlHeatmapView *self)
{
  if (hl_tile_cache_get_source (self->cache) != source)
    return;
  hl_tile_cache_clear (self->cache);
  hl_heatmap_view_queue_cells (self);
}

/* The scene's own values come first; the cache follows whichever is shown. */
static void
choose_tiles (HlHeatmapView *self, gboolean has_other_values)
{
  if (has_other_values)
    {
      g_clear_object (&self->own_tiles);
      if (self->scene != NULL && self->scene->values != NULL)
        self->own_tiles = hl_memory_tiles_new (self->scene);
    }
  HlTileSource *wanted = self->own_tiles != NULL ? self->own_tiles : self->source;
  int unit = self->own_tiles != NULL ? self->scene->pool : 1;
  if (wanted != hl_tile_cache_get_source (self->cache) || has_other_values)
    hl_tile_cache_set_source (self->cache, wanted, unit);
}

void
hl_heatmap_view_set_tile_source (HlHeatmapView *self, HlTileSource *source)
{
  g_return_if_fail (HL_IS_HEATMAP_VIEW (self));
  g_return_if_fail (source == NULL || HL_IS_TILE_SOURCE (source));
  if (self->source == source)
    return;
  if (self->source != NULL)
    g_signal_handlers_disconnect_by_data (self->source, self);
  g_set_object (&self->source, source);
  if (source != NULL)
    {
      g_signal_connect (source, "tile-ready", G_CALLBACK (tile_ready_cb), self);
      g_signal_connect (source, "changed", G_CALLBACK (source_changed_cb), self);
    }
  choose_tiles (self, FALSE);
  hl_heatmap_view_queue_cells (self);
}

void
hl_heatmap_view_set_cache_budget (HlHeatmapView *self, gsize budget_bytes)
{
  hl_tile_cache_set_budget (self->cache, budget_bytes);
}

/* ---- values and words ----------------------------------------------------------------
 */

int
hl_heatmap_view_lookup (HlHeatmapView *self, gint64 row, gint64 column, double *value)
{
  *value = NAN;
  if (self->scene == NULL || row < 0 || column < 0 || row >= self->scene->rows.n ||
      column >= self->scene->columns.n)
    return -1;
  float found = NAN;
  int level = hl_tile_cache_lookup (self->cache, row, column, self->pool_is_max, &found);
  *value = found;
  return level;
}

static char *
cell_name (const HlAxis *axis, gint64 index)
{
  const char *title = axis->title != NULL ? axis->title : "";
  const char *label = hl_axis_label (axis, index);
  /* The same word stands in a text many times. */
  if (label != NULL && axis->labels == NULL)
    return g_strdup_printf ("%s %" G_GINT64_FORMAT " “%s”", title, index, label);
  if (label != NULL)
    return g_strdup_printf ("%s %s", title, label);
  return g_strdup_printf ("%s %" G_GINT64_FORMAT, title, index);
}

char *
hl_heatmap_view_describe_cell (HlHeatmapView *self, gint64 row, gint64 column)
{
  if (self->scene == NULL || row >= self->scene->rows.n ||
      column >= self->scene->columns.n || (row < 0 && column < 0))
    return g_strdup (_ ("no cell selected"));
  if (row < 0)
    return cell_name (&self->scene->columns, column);
  g_autofree char *query = cell_name (&self->scene->rows, row);
  if (column < 0)
    return g_steal_pointer (&query);
  g_autofree char *key = cell_name (&self->scene->columns, column);
  double value = NAN;
  int level = hl_heatmap_view_lookup (self, row, column, &value);
  if (level < 0)
    return g_strdup_printf (_ ("%s, %s: not known yet"), query, key);
  if (isnan (value))
    return g_strdup_printf (_ ("%s, %s: not applicable"), query, key);
  if (level > 0)
    return g_strdup_printf (self->pool_is_max ? _ ("%s, %s: at most %.4g nearby")
                                              : _ ("%s, %s: %.4g on average nearby"),
                            query, key, value);
  return g_strdup_printf (_ ("%s, %s: %.4g"), query, key, value);
}

static void
update_description (HlHeatmapView *self)
{
  g_autofree char *words =
      hl_heatmap_view_describe_cell (self, self->cursor_row, self->cursor_column);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self),
                                  GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, words, -1);
}

void
hl_heatmap_view_set_scene (HlHeatmapView *self, HlMatrixScene *scene)
{
  g_return_if_fail (HL_IS_HEATMAP_VIEW (self));
  if (self->scene == scene)
    return;
  gboolean had_values = self->own_tiles != NULL;
  gboolean has_values = scene != NULL && scene->values != NULL;
  if (scene != NULL)
    hl_matrix_scene_ref (scene);
  hl_matrix_scene_unref (self->scene);
  self->scene = scene;
  choose_tiles (self, had_values || has_values);
  self->cursor_row = scene != NULL ? scene->selected_row : -1;
  self->cursor_column = scene != NULL ? scene->selected_column : -1;
  self->hover_row = self->hover_column = -1;
  if (scene != NULL)
    hl_viewport_set_map (&self->viewport, scene->rows.n, scene->columns.n);
  gtk_accessible_update_property (
      GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL,
      scene != NULL && scene->title != NULL ? scene->title : _ ("Attention map"), -1);
  update_description (self);
  hl_heatmap_view_relayout (self);
}

HlMatrixScene *
hl_heatmap_view_get_scene (HlHeatmapView *self)
{
  return self->scene;
}

void
hl_heatmap_view_emit_hover (HlHeatmapView *self)
{
  double value = NAN;
  int level = hl_heatmap_view_lookup (self, self->hover_row, self->hover_column, &value);
  /* A pooled number is not this entry's: say "not known yet" and get its tile. */
  if (level != 0 && self->hover_row >= 0)
    {
      hl_tile_cache_request (self->cache, self->hover_row, self->hover_column);
      level = hl_heatmap_view_lookup (self, self->hover_row, self->hover_column, &value);
    }
  g_signal_emit_by_name (self, "cell-hovered", self->hover_row, self->hover_column,
                         level == 0 ? value : (double) NAN);
}

void
hl_heatmap_view_set_cursor (HlHeatmapView *self, gint64 row, gint64 column)
{
  g_return_if_fail (HL_IS_HEATMAP_VIEW (self));
  gint64 n_rows = self->scene != NULL ? self->scene->rows.n : 0;
  gint64 n_columns = self->scene != NULL ? self->scene->columns.n : 0;
  self->cursor_row = CLAMP (row, -1, n_rows - 1);
  self->cursor_column = CLAMP (column, -1, n_columns - 1);
  if (self->cursor_row >= 0 && self->cursor_column >= 0)
    hl_tile_cache_request (self->cache, self->cursor_row, self->cursor_column);
  update_description (self);
  hl_heatmap_view_reveal (self, self->cursor_row, self->cursor_column);
  hl_heatmap_view_queue_around (self);
}

void
hl_heatmap_view_get_cursor (HlHeatmapView *self, gint64 *row, gint64 *column)
{
  *row = self->cursor_row;
  *column = self->cursor_column;
}

/* ---- looks ---------------------------------------------------------------------------
 */

void
hl_heatmap_view_set_is_dark (HlHeatmapView *self, gboolean is_dark)
{
  g_return_if_fail (HL_IS_HEATMAP_VIEW (self));
  if (self->is_dark == !!is_dark)
    return;
  self->is_dark = !!is_dark;
  hl_heatmap_view_queue_around (self);
  g_object_notify (G_OBJECT (self), "is-dark");
}

void
hl_heatmap_view_set_pool_is_max (HlHeatmapView *self, gboolean is_max)
{
  g_return_if_fail (HL_IS_HEATMAP_VIEW (self));
  if (self->pool_is_max == !!is_max)
    return;
  self->pool_is_max = !!is_max;
  hl_tile_cache_drop_textures (self->cache);
  hl_heatmap_view_queue_cells (self);
  g_object_notify (G_OBJECT (self), "pool-is-max");
}

void
hl_heatmap_view_leave_wheel (HlHeatmapView *self)
{
  g_return_if_fail (HL_IS_HEATMAP_VIEW (self));
  self->leaves_wheel = TRUE;
}

const char *
hl_heatmap_view_get_gl_message (HlHeatmapView *self)
{
  return self->gl_message;
}

gboolean
hl_heatmap_view_get_is_complete (HlHeatmapView *self)
{
  return self->is_complete;
}

void
hl_heatmap_view_set_complete (HlHeatmapView *self, gboolean is_complete)
{
  if (self->is_complete == is_complete)
    return;
  self->is_complete = is_complete;
  g_object_notify (G_OBJECT (self), "is-complete");
}

HlTheme
hl_heatmap_view_theme (HlHeatmapView *self)
{
  return self->is_dark ? hl_theme_dark () : hl_theme_light ();
}

/* ---- pan and zoom --------------------------------------------------------------------
 */

static void
view_changed (HlHeatmapView *self)
{
  hl_heatmap_view_relayout (self);
  g_signal_emit_by_name (self, "view-changed");
}

void
hl_heatmap_view_fit (HlHeatmapView *self)
{
  g_return_if_fail (HL_IS_HEATMAP_VIEW (self));
  hl_viewport_fit (&self->viewport);
  view_changed (self);
}

void
hl_heatmap_view_show (
    HlHeatmapView *self, gint64 row, gint64 end_row, gint64 column, gint64 end_column)
{
  g_return_if_fail (HL_IS_HEATMAP_VIEW (self));
  hl_viewport_show (&self->viewport, (double) row, (double) end_row, (double) column,
                    (double) end_column);
  view_changed (self);
}

gboolean
hl_heatmap_view_zoom_at (HlHeatmapView *self, double factor, double x, double y)
{
  const HlRect *cells = &self->layout.cells;
  double inside_x = CLAMP (x - cells->x, 0, cells->width);
  double inside_y = CLAMP (y - cells->y, 0, cells->height);
  if (!hl_viewport_zoom (&self->viewport, factor, inside_x, inside_y))
    return FALSE;
  view_changed (self);
  return TRUE;
}

void
hl_heatmap_view_zoom (HlHeatmapView *self, double factor)
{
  g_return_if_fail (HL_IS_HEATMAP_VIEW (self));
  const HlRect *cells = &self->layout.cells;
  hl_heatmap_view_zoom_at (self, factor, cells->x + cells->width / 2,
                           cells->y + cells->height / 2);
}

void
hl_heatmap_view_reveal (HlHeatmapView *self, gint64 row, gint64 column)
{
  g_return_if_fail (HL_IS_HEATMAP_VIEW (self));
  if (hl_viewport_reveal (&self->viewport, row, column))
    view_changed (self);
}

const HlMatrixLayout *
hl_heatmap_view_get_layout (HlHeatmapView *self)
{
  return &self->layout;
}

gboolean
hl_heatmap_view_hit (HlHeatmapView *self, double x, double y, gint64 *row, gint64 *column)
{
  return self->scene != NULL &&
         hl_matrix_layout_hit (&self->layout, self->scene, x, y, row, column);
}

/* ---- object --------------------------------------------------------------------------
 */

static void
hl_heatmap_view_set_property (GObject *object,
                              guint id,
                              const GValue *value,
                              GParamSpec *pspec)
{
  HlHeatmapView *self = HL_HEATMAP_VIEW (object);
  if (id == PROP_IS_DARK)
    hl_heatmap_view_set_is_dark (self, g_value_get_boolean (value));
  else if (id == PROP_POOL_IS_MAX)
    hl_heatmap_view_set_pool_is_max (self, g_value_get_boolean (value));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
hl_heatmap_view_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  HlHeatmapView *self = HL_HEATMAP_VIEW (object);
  if (id == PROP_IS_DARK)
    g_value_set_boolean (value, self->is_dark);
  else if (id == PROP_POOL_IS_MAX)
    g_value_set_boolean (value, self->pool_is_max);
  else if (id == PROP_GL_MESSAGE)
    g_value_set_string (value, self->gl_message);
  else if (id == PROP_IS_COMPLETE)
    g_value_set_boolean (value, self->is_complete);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
hl_heatmap_view_dispose (GObject *object)
{
  HlHeatmapView *self = HL_HEATMAP_VIEW (object);
  hl_heatmap_view_set_tile_source (self, NULL);
  g_clear_pointer (&self->area, gtk_widget_unparent);
  g_clear_pointer (&self->around, gsk_render_node_unref);
  G_OBJECT_CLASS (hl_heatmap_view_parent_class)->dispose (object);
}

static void
hl_heatmap_view_finalize (GObject *object)
{
  HlHeatmapView *self = HL_HEATMAP_VIEW (object);
  hl_tile_cache_free (self->cache);
  g_clear_object (&self->own_tiles);
  g_array_unref (self->pieces);
  hl_matrix_scene_unref (self->scene);
  g_free (self->gl_message);
  G_OBJECT_CLASS (hl_heatmap_view_parent_class)->finalize (object);
}

static void
hl_heatmap_view_measure (GtkWidget *widget,
                         GtkOrientation orientation,
                         int for_size,
                         int *minimum,
                         int *natural,
                         int *minimum_baseline,
                         int *natural_baseline)
{
  *minimum = 160;
  *natural = 480;
}

static void
hl_heatmap_view_state_flags_changed (GtkWidget *widget, GtkStateFlags previous)
{
  GTK_WIDGET_CLASS (hl_heatmap_view_parent_class)->state_flags_changed (widget, previous);
  gtk_widget_queue_draw (widget);
}

static void
install_signals (GType type)
{
  g_signal_new ("cell-hovered", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE,
                3, G_TYPE_INT64, G_TYPE_INT64, G_TYPE_DOUBLE);
  g_signal_new ("cell-activated", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                G_TYPE_NONE, 2, G_TYPE_INT64, G_TYPE_INT64);
  g_signal_new ("view-changed", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE,
                0);
}

static void
hl_heatmap_view_class_init (HlHeatmapViewClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  GParamFlags writable =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;
  GParamFlags readable = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;
  object_class->set_property = hl_heatmap_view_set_property;
  object_class->get_property = hl_heatmap_view_get_property;
  object_class->dispose = hl_heatmap_view_dispose;
  object_class->finalize = hl_heatmap_view_finalize;
  widget_class->measure = hl_heatmap_view_measure;
  widget_class->size_allocate = hl_heatmap_view_size_allocate;
  widget_class->snapshot = hl_heatmap_view_snapshot;
  widget_class->state_flags_changed = hl_heatmap_view_state_flags_changed;
  g_object_class_install_property (
      object_class, PROP_IS_DARK,
      g_param_spec_boolean ("is-dark", NULL, NULL, FALSE, writable));
  g_object_class_install_property (
      object_class, PROP_POOL_IS_MAX,
      g_param_spec_boolean ("pool-is-max", NULL, NULL, TRUE, writable));
  g_object_class_install_property (
      object_class, PROP_GL_MESSAGE,
      g_param_spec_string ("gl-message", NULL, NULL, NULL, readable));
  g_object_class_install_property (
      object_class, PROP_IS_COMPLETE,
      g_param_spec_boolean ("is-complete", NULL, NULL, FALSE, readable));
  install_signals (G_TYPE_FROM_CLASS (klass));
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_IMG);
  gtk_widget_class_set_css_name (widget_class, "heatmap");
}

static void
hl_heatmap_view_init (HlHeatmapView *self)
{
  self->cache = hl_tile_cache_new (HL_TILE_CACHE_BYTES_DEFAULT);
  self->pieces = g_array_new (FALSE, FALSE, sizeof (HlTilePiece));
  self->cursor_row = self->cursor_column = -1;
  self->hover_row = self->hover_column = -1;
  self->pool_is_max = TRUE;
  self->viewport.is_fit = TRUE;
  gtk_widget_set_focusable (GTK_WIDGET (self), TRUE);
  gtk_widget_set_overflow (GTK_WIDGET (self), GTK_OVERFLOW_HIDDEN);
  hl_heatmap_view_init_drawing (self);
  hl_heatmap_view_init_input (self);
}

GtkWidget *
hl_heatmap_view_new (void)
{
  return g_object_new (HL_TYPE_HEATMAP_VIEW, NULL);
}
