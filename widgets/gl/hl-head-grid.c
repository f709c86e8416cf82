/* SPDX-License-Identifier: MIT
 * The grid of heads: the object, its properties, scrolling. */
#include "config.h"

#include "gl/hl-head-grid-private.h"

#include <glib/gi18n-lib.h>
#include <math.h>

enum
{
  PROP_NONE,
  PROP_CELL_SIZE,
  PROP_IS_DARK,
  PROP_GL_MESSAGE,
  PROP_HADJUSTMENT,
  PROP_VADJUSTMENT,
  PROP_HSCROLL_POLICY,
  PROP_VSCROLL_POLICY,
};

G_DEFINE_FINAL_TYPE_WITH_CODE (HlHeadGrid,
                               hl_head_grid,
                               GTK_TYPE_WIDGET,
                               G_IMPLEMENT_INTERFACE (GTK_TYPE_SCROLLABLE, NULL))

HlTheme
hl_head_grid_theme (HlHeadGrid *self)
{
  return self->is_dark ? hl_theme_dark () : hl_theme_light ();
}

/* ---- scene ---------------------------------------------------------------------------
 */

static HlGridLayer *
layer_at (HlHeadGrid *self, int layer)
{
  if (self->scene == NULL || layer < 0 || layer >= (int) self->scene->layers->len)
    return NULL;
  return g_ptr_array_index (self->scene->layers, (guint) layer);
}

static void
update_words (HlHeadGrid *self)
{
  g_autofree char *words = NULL;
  const HlGridLayer *layer = layer_at (self, self->selected_layer);
  if (layer == NULL || self->selected_head < 0 || self->selected_head >= layer->n_heads)
    words = g_strdup (_ ("no head selected"));
  else
    {
      const HlThumb *thumb = &layer->thumbs[self->selected_head];
      g_autofree char *name =
          g_strdup_printf (_ ("layer %s, head %d"), layer->label, self->selected_head);
      if (thumb->values == NULL)
        words = g_strdup_printf (_ ("%s: not known yet"), name);
      else if (thumb->is_marked)
        words = g_strdup_printf (_ ("%s: ablated, maximum %.4g"), name, thumb->max);
      else
        words = g_strdup_printf (_ ("%s: maximum %.4g"), name, thumb->max);
    }
  gtk_accessible_update_property (GTK_ACCESSIBLE (self),
                                  GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, words, -1);
}

void
hl_head_grid_set_scene (HlHeadGrid *self, HlGridScene *scene)
{
  g_return_if_fail (HL_IS_HEAD_GRID (self));
  if (self->scene == scene)
    return;
  if (scene != NULL)
    hl_grid_scene_ref (scene);
  hl_grid_scene_unref (self->scene);
  self->scene = scene;
  self->selected_layer = scene != NULL ? scene->selected_layer : -1;
  self->selected_head = scene != NULL ? scene->selected_head : -1;
  self->hover_layer = self->hover_head = -1;
  if (self->renderer != NULL && scene != NULL)
    hl_atlas_renderer_reset (self->renderer, scene);
  gtk_accessible_update_property (
      GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL,
      scene != NULL && scene->title != NULL ? scene->title : _ ("Grid of heads"), -1);
  update_words (self);
  gtk_widget_queue_resize (GTK_WIDGET (self));
  hl_head_grid_queue_cells (self);
}

HlGridScene *
hl_head_grid_get_scene (HlHeadGrid *self)
{
  return self->scene;
}

void
hl_head_grid_update_thumb (HlHeadGrid *self, int layer, int head)
{
  g_return_if_fail (HL_IS_HEAD_GRID (self));
  if (self->renderer != NULL)
    hl_atlas_renderer_invalidate (self->renderer, layer, head);
  if (layer == self->selected_layer && head == self->selected_head)
    update_words (self);
  hl_head_grid_queue_cells (self);
}

void
hl_head_grid_update_scale (HlHeadGrid *self)
{
  g_return_if_fail (HL_IS_HEAD_GRID (self));
  hl_head_grid_queue_cells (self);
}

void
hl_head_grid_set_selected (HlHeadGrid *self, int layer, int head)
{
  g_return_if_fail (HL_IS_HEAD_GRID (self));
  const HlGridLayer *row = layer_at (self, layer);
  if (row == NULL || head < 0 || head >= row->n_heads)
    layer = head = -1;
  gboolean is_same = layer == self->selected_layer && head == self->selected_head;
  self->selected_layer = layer;
  self->selected_head = head;
  update_words (self);
  if (layer >= 0)
    hl_head_grid_reveal (self, layer, head);
  if (!is_same)
    gtk_widget_queue_draw (GTK_WIDGET (self));
}

void
hl_head_grid_get_selected (HlHeadGrid *self, int *layer, int *head)
{
  *layer = self->selected_layer;
  *head = self->selected_head;
}

/* ---- size, theme ---------------------------------------------------------------------
 */

void
hl_head_grid_set_cell_size (HlHeadGrid *self, double size)
{
  g_return_if_fail (HL_IS_HEAD_GRID (self));
  size = size > 0 ? CLAMP (size, HL_HEAD_GRID_CELL_MIN, HL_HEAD_GRID_CELL_MAX) : 0;
  if (size == self->cell_size)
    return;
  self->cell_size = size;
  gtk_widget_queue_resize (GTK_WIDGET (self));
  hl_head_grid_queue_cells (self);
  g_object_notify (G_OBJECT (self), "cell-size");
}

double
hl_head_grid_get_cell_size (HlHeadGrid *self)
{
  return self->cell_size;
}

void
hl_head_grid_set_is_dark (HlHeadGrid *self, gboolean is_dark)
{
  g_return_if_fail (HL_IS_HEAD_GRID (self));
  if (self->is_dark == !!is_dark)
    return;
  self->is_dark = !!is_dark;
  hl_head_grid_queue_cells (self);
  g_object_notify (G_OBJECT (self), "is-dark");
}

const char *
hl_head_grid_get_gl_message (HlHeadGrid *self)
{
  return self->gl_message;
}

/* ---- scrolling -----------------------------------------------------------------------
 */

double
hl_head_grid_get_scroll (HlHeadGrid *self, GtkOrientation orientation)
{
  GtkAdjustment *adjustment = self->adjustments[orientation];
  return adjustment != NULL ? round (gtk_adjustment_get_value (adjustment)) : 0;
}

void
hl_head_grid_reveal (HlHeadGrid *self, int layer, int head)
{
  if (gtk_widget_get_width (GTK_WIDGET (self)) == 0 || layer_at (self, layer) == NULL)
    {
      self->wants_reveal = TRUE;
      return;
    }
  HlRect cell = hl_grid_layout_cell (&self->layout, layer, head);
  double margin = 3;
  gtk_adjustment_clamp_page (self->adjustments[GTK_ORIENTATION_VERTICAL],
                             cell.y - self->body.y - margin,
                             cell.y - self->body.y + cell.height + margin);
  gtk_adjustment_clamp_page (self->adjustments[GTK_ORIENTATION_HORIZONTAL],
                             cell.x - self->body.x - margin,
                             cell.x - self->body.x + cell.width + margin);
}

static void
set_adjustment (HlHeadGrid *self, GtkOrientation orientation, GtkAdjustment *adjustment)
{
  GtkAdjustment **place = &self->adjustments[orientation];
  if (adjustment != NULL && adjustment == *place)
    return;
  if (*place != NULL)
    {
      g_signal_handlers_disconnect_by_data (*place, self);
      g_clear_object (place);
    }
  if (adjustment == NULL)
    adjustment = gtk_adjustment_new (0, 0, 0, 0, 0, 0);
  *place = g_object_ref_sink (adjustment);
  g_signal_connect_swapped (adjustment, "value-changed",
                            G_CALLBACK (hl_head_grid_queue_cells), self);
  gtk_widget_queue_resize (GTK_WIDGET (self));
}

/* ---- object --------------------------------------------------------------------------
 */

gboolean
hl_head_grid_hit (HlHeadGrid *self, double x, double y, int *layer, int *head)
{
  if (self->scene == NULL || !hl_rect_contains (&self->body, x, y))
    return FALSE;
  return hl_grid_layout_hit (
      &self->layout, self->scene,
      x + hl_head_grid_get_scroll (self, GTK_ORIENTATION_HORIZONTAL),
      y + hl_head_grid_get_scroll (self, GTK_ORIENTATION_VERTICAL), layer, head);
}

HlRect
hl_head_grid_get_cell_rect (HlHeadGrid *self, int layer, int head)
{
  HlRect cell = hl_grid_layout_cell (&self->layout, layer, head);
  cell.x -= hl_head_grid_get_scroll (self, GTK_ORIENTATION_HORIZONTAL);
  cell.y -= hl_head_grid_get_scroll (self, GTK_ORIENTATION_VERTICAL);
  return cell;
}

static void
hl_head_grid_set_property (GObject *object,
                           guint id,
                           const GValue *value,
                           GParamSpec *pspec)
{
  HlHeadGrid *self = HL_HEAD_GRID (object);
  if (id == PROP_CELL_SIZE)
    hl_head_grid_set_cell_size (self, g_value_get_double (value));
  else if (id == PROP_IS_DARK)
    hl_head_grid_set_is_dark (self, g_value_get_boolean (value));
  else if (id == PROP_HADJUSTMENT)
    set_adjustment (self, GTK_ORIENTATION_HORIZONTAL, g_value_get_object (value));
  else if (id == PROP_VADJUSTMENT)
    set_adjustment (self, GTK_ORIENTATION_VERTICAL, g_value_get_object (value));
  else if (id == PROP_HSCROLL_POLICY || id == PROP_VSCROLL_POLICY)
    self->policies[id - PROP_HSCROLL_POLICY] = g_value_get_enum (value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
hl_head_grid_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  HlHeadGrid *self = HL_HEAD_GRID (object);
  if (id == PROP_CELL_SIZE)
    g_value_set_double (value, self->cell_size);
  else if (id == PROP_IS_DARK)
    g_value_set_boolean (value, self->is_dark);
  else if (id == PROP_GL_MESSAGE)
    g_value_set_string (value, self->gl_message);
  else if (id == PROP_HADJUSTMENT)
    g_value_set_object (value, self->adjustments[GTK_ORIENTATION_HORIZONTAL]);
  else if (id == PROP_VADJUSTMENT)
    g_value_set_object (value, self->adjustments[GTK_ORIENTATION_VERTICAL]);
  else if (id == PROP_HSCROLL_POLICY || id == PROP_VSCROLL_POLICY)
    g_value_set_enum (value, self->policies[id - PROP_HSCROLL_POLICY]);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
hl_head_grid_dispose (GObject *object)
{
  HlHeadGrid *self = HL_HEAD_GRID (object);
  g_clear_pointer (&self->area, gtk_widget_unparent);
  for (int i = 0; i < 2; i++)
    if (self->adjustments[i] != NULL)
      {
        g_signal_handlers_disconnect_by_data (self->adjustments[i], self);
        g_clear_object (&self->adjustments[i]);
      }
  G_OBJECT_CLASS (hl_head_grid_parent_class)->dispose (object);
}

static void
hl_head_grid_finalize (GObject *object)
{
  HlHeadGrid *self = HL_HEAD_GRID (object);
  hl_grid_scene_unref (self->scene);
  g_free (self->gl_message);
  G_OBJECT_CLASS (hl_head_grid_parent_class)->finalize (object);
}

static void
hl_head_grid_measure (GtkWidget *widget,
                      GtkOrientation orientation,
                      int for_size,
                      int *minimum,
                      int *natural,
                      int *minimum_baseline,
                      int *natural_baseline)
{
  *minimum = 120;
  *natural = 420;
}

static void
hl_head_grid_state_flags_changed (GtkWidget *widget, GtkStateFlags previous)
{
  GTK_WIDGET_CLASS (hl_head_grid_parent_class)->state_flags_changed (widget, previous);
  gtk_widget_queue_draw (widget);
}

static void
hl_head_grid_class_init (HlHeadGridClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  GType type = G_TYPE_FROM_CLASS (klass);
  GParamFlags writable =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;
  object_class->set_property = hl_head_grid_set_property;
  object_class->get_property = hl_head_grid_get_property;
  object_class->dispose = hl_head_grid_dispose;
  object_class->finalize = hl_head_grid_finalize;
  widget_class->measure = hl_head_grid_measure;
  widget_class->size_allocate = hl_head_grid_size_allocate;
  widget_class->snapshot = hl_head_grid_snapshot;
  widget_class->state_flags_changed = hl_head_grid_state_flags_changed;
  g_object_class_install_property (object_class, PROP_CELL_SIZE,
                                   g_param_spec_double ("cell-size", NULL, NULL, 0,
                                                        HL_HEAD_GRID_CELL_MAX, 0,
                                                        writable));
  g_object_class_install_property (
      object_class, PROP_IS_DARK,
      g_param_spec_boolean ("is-dark", NULL, NULL, FALSE, writable));
  g_object_class_install_property (
      object_class, PROP_GL_MESSAGE,
      g_param_spec_string ("gl-message", NULL, NULL, NULL,
                           G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
  g_object_class_override_property (object_class, PROP_HADJUSTMENT, "hadjustment");
  g_object_class_override_property (object_class, PROP_VADJUSTMENT, "vadjustment");
  g_object_class_override_property (object_class, PROP_HSCROLL_POLICY, "hscroll-policy");
  g_object_class_override_property (object_class, PROP_VSCROLL_POLICY, "vscroll-policy");
  g_signal_new ("head-activated", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                G_TYPE_NONE, 2, G_TYPE_INT, G_TYPE_INT);
  g_signal_new ("head-hovered", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE,
                2, G_TYPE_INT, G_TYPE_INT);
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_IMG);
  gtk_widget_class_set_css_name (widget_class, "headgrid");
}

static void
hl_head_grid_init (HlHeadGrid *self)
{
  self->selected_layer = self->selected_head = -1;
  self->hover_layer = self->hover_head = -1;
  gtk_widget_set_focusable (GTK_WIDGET (self), TRUE);
  gtk_widget_set_overflow (GTK_WIDGET (self), GTK_OVERFLOW_HIDDEN);
  set_adjustment (self, GTK_ORIENTATION_HORIZONTAL, NULL);
  set_adjustment (self, GTK_ORIENTATION_VERTICAL, NULL);
  hl_head_grid_init_drawing (self);
  hl_head_grid_init_input (self);
}

GtkWidget *
hl_head_grid_new (void)
{
  return g_object_new (HL_TYPE_HEAD_GRID, NULL);
}
