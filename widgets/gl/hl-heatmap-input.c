/* SPDX-License-Identifier: MIT
 * One attention map: pointer, touch and keyboard. */
#include "config.h"

#include "gl/hl-heatmap-view-private.h"

#include <math.h>

#define ZOOM_STEP 1.25
#define KEY_STRIDE 10

/* ---- pointer -------------------------------------------------------------------------
 */

void
hl_heatmap_view_handle_motion (HlHeatmapView *self, double x, double y)
{
  gint64 row = -1, column = -1;
  self->pointer_x = x;
  self->pointer_y = y;
  if (!hl_heatmap_view_hit (self, x, y, &row, &column))
    row = column = -1;
  if (row == self->hover_row && column == self->hover_column)
    return;
  self->hover_row = row;
  self->hover_column = column;
  hl_heatmap_view_emit_hover (self);
}

static void
motion_cb (GtkEventControllerMotion *controller, double x, double y, gpointer user_data)
{
  hl_heatmap_view_handle_motion (user_data, x, y);
}

static void
leave_cb (GtkEventControllerMotion *controller, gpointer user_data)
{
  hl_heatmap_view_handle_motion (user_data, -1, -1);
}

void
hl_heatmap_view_handle_click (HlHeatmapView *self, double x, double y, int n_press)
{
  gint64 row = -1, column = -1;
  if (n_press == 2)
    {
      hl_heatmap_view_fit (self);
      return;
    }
  if (n_press > 1 || !hl_heatmap_view_hit (self, x, y, &row, &column))
    return;
  hl_heatmap_view_set_cursor (self, row, column);
  g_signal_emit_by_name (self, "cell-activated", row, column);
}

static void
pressed_cb (GtkGestureClick *gesture, int n_press, double x, double y, gpointer user_data)
{
  HlHeatmapView *self = user_data;
  self->is_dragging = FALSE;
  gtk_widget_grab_focus (GTK_WIDGET (self));
}

static void
released_cb (
    GtkGestureClick *gesture, int n_press, double x, double y, gpointer user_data)
{
  HlHeatmapView *self = user_data;
  if (!self->is_dragging)
    hl_heatmap_view_handle_click (self, x, y, n_press);
}

static void
pan (HlHeatmapView *self, double dx, double dy)
{
  if (!hl_viewport_pan (&self->viewport, dx, dy))
    return;
  hl_heatmap_view_relayout (self);
  g_signal_emit_by_name (self, "view-changed");
}

static void
drag_begin_cb (GtkGestureDrag *gesture, double x, double y, gpointer user_data)
{
  HlHeatmapView *self = user_data;
  self->drag_x = self->drag_y = 0;
}

static void
drag_update_cb (GtkGestureDrag *gesture, double dx, double dy, gpointer user_data)
{
  HlHeatmapView *self = user_data;
  if (!self->is_dragging &&
      !gtk_drag_check_threshold (GTK_WIDGET (self), 0, 0, (int) dx, (int) dy))
    return;
  self->is_dragging = TRUE;
  pan (self, self->drag_x - dx, self->drag_y - dy);
  self->drag_x = dx;
  self->drag_y = dy;
}

static gboolean
scroll_cb (GtkEventControllerScroll *controller, double dx, double dy, gpointer user_data)
{
  HlHeatmapView *self = user_data;
  GtkEventController *base = GTK_EVENT_CONTROLLER (controller);
  GdkModifierType state = gtk_event_controller_get_current_event_state (base);
  gboolean is_wheel =
      gtk_event_controller_scroll_get_unit (controller) == GDK_SCROLL_UNIT_WHEEL;
  gboolean is_control = (state & GDK_CONTROL_MASK) != 0;
  if (self->leaves_wheel && !is_control)
    return FALSE;
  if (is_control || (is_wheel && !(state & GDK_SHIFT_MASK) && dx == 0))
    {
      double notches = is_wheel ? dy : dy / 30;
      /* At the ends of the zoom the wheel belongs to whatever scrolls around the view. */
      return hl_heatmap_view_zoom_at (self, pow (ZOOM_STEP, -notches), self->pointer_x,
                                      self->pointer_y);
    }
  if (is_wheel && (state & GDK_SHIFT_MASK) && dx == 0)
    {
      dx = dy;
      dy = 0;
    }
  double unit = is_wheel ? 60 : 1;
  if (self->viewport.is_fit)
    return FALSE;
  pan (self, dx * unit, dy * unit);
  return TRUE;
}

static void
pinch_begin_cb (GtkGesture *gesture, GdkEventSequence *sequence, gpointer user_data)
{
  ((HlHeatmapView *) user_data)->pinch_scale = 1;
}

static void
pinch_cb (GtkGestureZoom *gesture, double scale, gpointer user_data)
{
  HlHeatmapView *self = user_data;
  double x = self->pointer_x, y = self->pointer_y;
  gtk_gesture_get_bounding_box_center (GTK_GESTURE (gesture), &x, &y);
  self->is_dragging = TRUE;
  if (self->pinch_scale > 0 && scale > 0)
    hl_heatmap_view_zoom_at (self, scale / self->pinch_scale, x, y);
  self->pinch_scale = scale;
}

/* ---- keyboard ------------------------------------------------------------------------
 */

static void
move_cursor (HlHeatmapView *self, gint64 row, gint64 column)
{
  gint64 last_row = self->scene->rows.n - 1, last_column = self->scene->columns.n - 1;
  row = CLAMP (row, 0, last_row);
  column = CLAMP (column, 0, last_column);
  if (row == self->cursor_row && column == self->cursor_column)
    return;
  hl_heatmap_view_set_cursor (self, row, column);
  g_signal_emit_by_name (self, "cell-activated", row, column);
}

static gboolean
handle_zoom_key (HlHeatmapView *self, guint keyval, GdkModifierType state)
{
  switch (keyval)
    {
    case GDK_KEY_plus:
    case GDK_KEY_equal:
    case GDK_KEY_KP_Add:
      hl_heatmap_view_zoom (self, ZOOM_STEP * ZOOM_STEP);
      return TRUE;
    case GDK_KEY_minus:
    case GDK_KEY_KP_Subtract:
      hl_heatmap_view_zoom (self, 1 / (ZOOM_STEP * ZOOM_STEP));
      return TRUE;
    case GDK_KEY_0:
    case GDK_KEY_KP_0:
      /* Alone a digit begins the name of a head, which is the window's business. */
      if ((state & GDK_CONTROL_MASK) == 0)
        return FALSE;
      hl_heatmap_view_fit (self);
      return TRUE;
    case GDK_KEY_f:
    case GDK_KEY_F:
      if ((state & GDK_CONTROL_MASK) != 0)
        return FALSE;
      hl_heatmap_view_fit (self);
      return TRUE;
    default:
      return FALSE;
    }
}

/* Where a key takes the cursor; FALSE for keys that do not move it. */
static gboolean
cursor_target (
    HlHeatmapView *self, guint keyval, GdkModifierType state, gint64 *row, gint64 *column)
{
  gint64 step = (state & GDK_SHIFT_MASK) != 0 ? KEY_STRIDE : 1;
  gboolean is_control = (state & GDK_CONTROL_MASK) != 0;
  const HlView *view = &self->layout.view;
  gint64 page = MAX ((gint64) (view->y1 - view->y0) - 1, 1);
  switch (keyval)
    {
    case GDK_KEY_Up:
    case GDK_KEY_KP_Up:
      *row -= step;
      return TRUE;
    case GDK_KEY_Down:
    case GDK_KEY_KP_Down:
      *row += step;
      return TRUE;
    case GDK_KEY_Left:
    case GDK_KEY_KP_Left:
      *column -= step;
      return TRUE;
    case GDK_KEY_Right:
    case GDK_KEY_KP_Right:
      *column += step;
      return TRUE;
    case GDK_KEY_Page_Up:
    case GDK_KEY_KP_Page_Up:
      *row -= page;
      return TRUE;
    case GDK_KEY_Page_Down:
    case GDK_KEY_KP_Page_Down:
      *row += page;
      return TRUE;
    case GDK_KEY_Home:
      *column = 0;
      *row = is_control ? 0 : *row;
      return TRUE;
    case GDK_KEY_End:
      *column = G_MAXINT64;
      *row = is_control ? G_MAXINT64 : *row;
      return TRUE;
    default:
      return FALSE;
    }
}

gboolean
hl_heatmap_view_handle_key (HlHeatmapView *self, guint keyval, GdkModifierType state)
{
  if (self->scene == NULL || self->scene->rows.n < 1 || self->scene->columns.n < 1)
    return FALSE;
  if ((state & GDK_ALT_MASK) != 0)
    return FALSE;
  if (keyval == GDK_KEY_Escape)
    {
      if (self->cursor_row < 0 && self->cursor_column < 0)
        return FALSE;
      hl_heatmap_view_set_cursor (self, -1, -1);
      g_signal_emit_by_name (self, "cell-activated", (gint64) -1, (gint64) -1);
      return TRUE;
    }
  if (handle_zoom_key (self, keyval, state))
    return TRUE;
  gboolean has_cursor = self->cursor_row >= 0 && self->cursor_column >= 0;
  gint64 row = MAX (self->cursor_row, 0), column = MAX (self->cursor_column, 0);
  if (!cursor_target (self, keyval, state, &row, &column))
    return FALSE;
  /* The first arrow shows the cursor where it is; a query alone gets its first key. */
  if (!has_cursor)
    move_cursor (self, MAX (self->cursor_row, 0), MAX (self->cursor_column, 0));
  else
    move_cursor (self, row, column);
  return TRUE;
}

static gboolean
key_cb (GtkEventControllerKey *controller,
        guint keyval,
        guint keycode,
        GdkModifierType state,
        gpointer user_data)
{
  return hl_heatmap_view_handle_key (user_data, keyval, state);
}

/* ---- set-up --------------------------------------------------------------------------
 */

void
hl_heatmap_view_init_input (HlHeatmapView *self)
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

  GtkGesture *drag = gtk_gesture_drag_new ();
  g_signal_connect (drag, "drag-begin", G_CALLBACK (drag_begin_cb), self);
  g_signal_connect (drag, "drag-update", G_CALLBACK (drag_update_cb), self);
  gtk_widget_add_controller (widget, GTK_EVENT_CONTROLLER (drag));
  gtk_gesture_group (drag, click);

  GtkGesture *pinch = gtk_gesture_zoom_new ();
  g_signal_connect (pinch, "begin", G_CALLBACK (pinch_begin_cb), self);
  g_signal_connect (pinch, "scale-changed", G_CALLBACK (pinch_cb), self);
  gtk_widget_add_controller (widget, GTK_EVENT_CONTROLLER (pinch));

  GtkEventController *scroll =
      gtk_event_controller_scroll_new (GTK_EVENT_CONTROLLER_SCROLL_BOTH_AXES);
  g_signal_connect (scroll, "scroll", G_CALLBACK (scroll_cb), self);
  gtk_widget_add_controller (widget, scroll);

  GtkEventController *keys = gtk_event_controller_key_new ();
  g_signal_connect (keys, "key-pressed", G_CALLBACK (key_cb), self);
  gtk_widget_add_controller (widget, keys);
}
