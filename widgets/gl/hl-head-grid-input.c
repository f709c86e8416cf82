/* SPDX-License-Identifier: MIT
 * The grid of heads: pointer, touch and keyboard. */
#include "config.h"

#include "gl/hl-head-grid-private.h"

#include <math.h>

#define ZOOM_STEP 1.2

/* ---- pointer -------------------------------------------------------------------------
 */

void
hl_head_grid_handle_motion (HlHeadGrid *self, double x, double y)
{
  int layer = -1, head = -1;
  self->pointer_x = x;
  self->pointer_y = y;
  if (!hl_head_grid_hit (self, x, y, &layer, &head))
    layer = head = -1;
  if (layer == self->hover_layer && head == self->hover_head)
    return;
  self->hover_layer = layer;
  self->hover_head = head;
  gtk_widget_queue_draw (GTK_WIDGET (self));
  g_signal_emit_by_name (self, "head-hovered", layer, head);
}

static void
motion_cb (GtkEventControllerMotion *controller, double x, double y, gpointer user_data)
{
  hl_head_grid_handle_motion (user_data, x, y);
}

static void
leave_cb (GtkEventControllerMotion *controller, gpointer user_data)
{
  hl_head_grid_handle_motion (user_data, -1, -1);
}

static void
activate (HlHeadGrid *self, int layer, int head)
{
  hl_head_grid_set_selected (self, layer, head);
  g_signal_emit_by_name (self, "head-activated", layer, head);
}

void
hl_head_grid_handle_click (HlHeadGrid *self, double x, double y)
{
  int layer = -1, head = -1;
  if (hl_head_grid_hit (self, x, y, &layer, &head))
    activate (self, layer, head);
}

static void
pressed_cb (GtkGestureClick *gesture, int n_press, double x, double y, gpointer user_data)
{
  gtk_widget_grab_focus (GTK_WIDGET (user_data));
}

static void
released_cb (
    GtkGestureClick *gesture, int n_press, double x, double y, gpointer user_data)
{
  hl_head_grid_handle_click (user_data, x, y);
}

/* ---- zoom ----------------------------------------------------------------------------
 */

static void
set_scroll (HlHeadGrid *self, GtkOrientation orientation, double value)
{
  gtk_adjustment_set_value (self->adjustments[orientation], value);
}

void
hl_head_grid_zoom_at (HlHeadGrid *self, double factor, double x, double y)
{
  int width = gtk_widget_get_width (GTK_WIDGET (self));
  int height = gtk_widget_get_height (GTK_WIDGET (self));
  if (self->scene == NULL || width == 0)
    return;
  const HlGridLayout *layout = &self->layout;
  double old = layout->cell + layout->gap;
  double column = hl_grid_layout_column_at (
      layout, hl_head_grid_get_scroll (self, GTK_ORIENTATION_HORIZONTAL) + x);
  double at_y = hl_head_grid_get_scroll (self, GTK_ORIENTATION_VERTICAL) + y - layout->y0;
  hl_head_grid_set_cell_size (
      self, CLAMP (layout->cell * factor, HL_HEAD_GRID_CELL_MIN, HL_HEAD_GRID_CELL_MAX));
  /* At once: the scroll positions below need the new extent. */
  hl_head_grid_size_allocate (GTK_WIDGET (self), width, height, -1);
  double grown = (layout->cell + layout->gap) / old;
  set_scroll (self, GTK_ORIENTATION_HORIZONTAL,
              hl_grid_layout_column_x (layout, column) - x);
  set_scroll (self, GTK_ORIENTATION_VERTICAL, at_y * grown - y + layout->y0);
}

static gboolean
scroll_cb (GtkEventControllerScroll *controller, double dx, double dy, gpointer user_data)
{
  HlHeadGrid *self = user_data;
  GtkEventController *base = GTK_EVENT_CONTROLLER (controller);
  if (!(gtk_event_controller_get_current_event_state (base) & GDK_CONTROL_MASK))
    return FALSE; /* plain scrolling is the scrolled window's */
  gboolean is_wheel =
      gtk_event_controller_scroll_get_unit (controller) == GDK_SCROLL_UNIT_WHEEL;
  hl_head_grid_zoom_at (self, pow (ZOOM_STEP, is_wheel ? -dy : -dy / 30), self->pointer_x,
                        self->pointer_y);
  return TRUE;
}

static void
pinch_begin_cb (GtkGesture *gesture, GdkEventSequence *sequence, gpointer user_data)
{
  ((HlHeadGrid *) user_data)->pinch_scale = 1;
}

static void
pinch_cb (GtkGestureZoom *gesture, double scale, gpointer user_data)
{
  HlHeadGrid *self = user_data;
  double x = self->pointer_x, y = self->pointer_y;
  gtk_gesture_get_bounding_box_center (GTK_GESTURE (gesture), &x, &y);
  if (self->pinch_scale > 0 && scale > 0)
    hl_head_grid_zoom_at (self, scale / self->pinch_scale, x, y);
  self->pinch_scale = scale;
}

/* ---- keyboard ------------------------------------------------------------------------
 */

static int
heads_in (HlHeadGrid *self, int layer)
{
  return ((HlGridLayer *) g_ptr_array_index (self->scene->layers, (guint) layer))
      ->n_heads;
}

static void
move_to (HlHeadGrid *self, int layer, int head)
{
  layer = CLAMP (layer, 0, (int) self->scene->layers->len - 1);
  head = CLAMP (head, 0, heads_in (self, layer) - 1);
  if (head >= 0 && (layer != self->selected_layer || head != self->selected_head))
    activate (self, layer, head);
}

static gboolean
handle_zoom_key (HlHeadGrid *self, guint keyval, GdkModifierType state)
{
  double x = self->body.x + self->body.width / 2;
  double y = self->body.y + self->body.height / 2;
  switch (keyval)
    {
    case GDK_KEY_plus:
    case GDK_KEY_equal:
    case GDK_KEY_KP_Add:
      hl_head_grid_zoom_at (self, ZOOM_STEP, x, y);
      return TRUE;
    case GDK_KEY_minus:
    case GDK_KEY_KP_Subtract:
      hl_head_grid_zoom_at (self, 1 / ZOOM_STEP, x, y);
      return TRUE;
    case GDK_KEY_0:
    case GDK_KEY_KP_0:
      /* Alone a digit begins the name of a head, which is the window's business. */
      if ((state & GDK_CONTROL_MASK) == 0)
        return FALSE;
      hl_head_grid_set_cell_size (self, 0);
      return TRUE;
    case GDK_KEY_f:
    case GDK_KEY_F:
      if ((state & GDK_CONTROL_MASK) != 0)
        return FALSE;
      hl_head_grid_set_cell_size (self, 0);
      return TRUE;
    default:
      return FALSE;
    }
}

static gboolean
target (HlHeadGrid *self, guint keyval, GdkModifierType state, int *layer, int *head)
{
  gboolean is_control = (state & GDK_CONTROL_MASK) != 0;
  int n_layers = (int) self->scene->layers->len;
  double pitch = self->layout.cell + self->layout.gap;
  int page = MAX ((int) (self->body.height / MAX (pitch, 1)) - 1, 1);
  switch (keyval)
    {
    case GDK_KEY_Up:
    case GDK_KEY_KP_Up:
      (*layer)--;
      return TRUE;
    case GDK_KEY_Down:
    case GDK_KEY_KP_Down:
      (*layer)++;
      return TRUE;
    case GDK_KEY_Left:
    case GDK_KEY_KP_Left:
      (*head)--;
      return TRUE;
    case GDK_KEY_Right:
    case GDK_KEY_KP_Right:
      (*head)++;
      return TRUE;
    case GDK_KEY_Page_Up:
    case GDK_KEY_KP_Page_Up:
      *layer -= page;
      return TRUE;
    case GDK_KEY_Page_Down:
    case GDK_KEY_KP_Page_Down:
      *layer += page;
      return TRUE;
    case GDK_KEY_Home:
      *head = 0;
      *layer = is_control ? 0 : *layer;
      return TRUE;
    case GDK_KEY_End:
      *head = G_MAXINT;
      *layer = is_control ? n_layers - 1 : *layer;
      return TRUE;
    default:
      return FALSE;
    }
}

gboolean
hl_head_grid_handle_key (HlHeadGrid *self, guint keyval, GdkModifierType state)
{
  if (self->scene == NULL || self->scene->layers->len == 0 || (state & GDK_ALT_MASK) != 0)
    return FALSE;
  if (handle_zoom_key (self, keyval, state))
    return TRUE;
  gboolean has_selection = self->selected_layer >= 0;
  int layer = MAX (self->selected_layer, 0), head = MAX (self->selected_head, 0);
  if (!target (self, keyval, state, &layer, &head))
    return FALSE;
  if (has_selection)
    move_to (self, layer, head);
  else
    move_to (self, 0, 0);
  return TRUE;
}

static gboolean
key_cb (GtkEventControllerKey *controller,
        guint keyval,
        guint keycode,
        GdkModifierType state,
        gpointer user_data)
{
  return hl_head_grid_handle_key (user_data, keyval, state);
}

void
hl_head_grid_init_input (HlHeadGrid *self)
{
  GtkWidget *widget = GTK_WIDGET (self);

  GtkEventController *motion = gtk_event_controller_motion_new ();
  g_signal_connect (motion, "motion", G_CALLBACK (motion_cb), self);
  g_signal_connect (motion, "leave", G_CALLBACK (leave_cb), self);
  gtk_widget_add_controller (widget, motion);

  GtkGesture *click = gtk_gesture_click_new ();
  g_signal_connect (click, "pressed", G_CALLBACK (pressed_cb), self);
  g_signal_connect (click, "released", G_CALLBACK (released_cb), self);
  gtk_widget_add_controller (widget, GTK_EVENT_CONTROLLER (click));

  GtkGesture *pinch = gtk_gesture_zoom_new ();
  g_signal_connect (pinch, "begin", G_CALLBACK (pinch_begin_cb), self);
  g_signal_connect (pinch, "scale-changed", G_CALLBACK (pinch_cb), self);
  gtk_widget_add_controller (widget, GTK_EVENT_CONTROLLER (pinch));

  GtkEventController *scroll =
      gtk_event_controller_scroll_new (GTK_EVENT_CONTROLLER_SCROLL_VERTICAL);
  g_signal_connect (scroll, "scroll", G_CALLBACK (scroll_cb), self);
  gtk_widget_add_controller (widget, scroll);

  GtkEventController *keys = gtk_event_controller_key_new ();
  g_signal_connect (keys, "key-pressed", G_CALLBACK (key_cb), self);
  gtk_widget_add_controller (widget, keys);
}
