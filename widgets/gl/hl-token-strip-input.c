/* SPDX-License-Identifier: MIT
 * The strip of tokens: pointer, keyboard, tooltip. */
#include "config.h"

#include "gl/hl-token-strip-private.h"

#include <math.h>

#define CLICK_PX 4.0 /* a hand that shakes less than this does not drag */
#define ARC_NEAR_PX 4.0
#define AUTOSCROLL_SHARE 0.25

/* ---- what is chosen ------------------------------------------------------------------
 */

static void
add_range (HlTokenStrip *self, gint64 from, gint64 to)
{
  gint64 low = MIN (from, to), high = MAX (from, to);
  GArray *joined = g_array_new (FALSE, FALSE, sizeof (gint64));
  gint64 *old = (gint64 *) (void *) self->selected->data;
  gint64 n = self->selected->len, start = hl_token_scene_find (old, n, low);
  gint64 end = hl_token_scene_find (old, n, high + 1);
  if (start > 0)
    g_array_append_vals (joined, old, (guint) start);
  for (gint64 token = low; token <= high; token++)
    if (hl_token_layout_line (&self->layout, token) >= 0)
      g_array_append_val (joined, token);
  if (end < n)
    g_array_append_vals (joined, old + end, (guint) (n - end));
  g_array_unref (self->selected);
  self->selected = joined;
}

static void
toggle (HlTokenStrip *self, gint64 token)
{
  gint64 *old = (gint64 *) (void *) self->selected->data;
  gint64 at = hl_token_scene_find (old, self->selected->len, token);
  if (at < self->selected->len && old[at] == token)
    g_array_remove_index (self->selected, (guint) at);
  else
    g_array_insert_val (self->selected, (guint) at, token);
}

/* A second time on the only one that is chosen takes the choice away. */
static void
choose (HlTokenStrip *self, gint64 token, gboolean can_clear)
{
  gboolean is_only =
      self->selected->len == 1 && g_array_index (self->selected, gint64, 0) == token;
  g_array_set_size (self->selected, 0);
  if (!is_only || !can_clear)
    g_array_append_val (self->selected, token);
}

static gboolean
is_selection (HlTokenStrip *self, const GArray *other)
{
  return self->selected->len == other->len &&
         (other->len == 0 ||
          memcmp (self->selected->data, other->data, sizeof (gint64) * other->len) == 0);
}

/* ---- pointer -------------------------------------------------------------------------
 */

void
hl_token_strip_handle_motion (HlTokenStrip *self, double x, double y)
{
  gint64 token = -1;
  if (!hl_token_strip_hit (self, x, y, &token))
    token = -1;
  hl_token_strip_set_hovered (self, token);
}

void
hl_token_strip_handle_press (HlTokenStrip *self, double x, double y, gboolean is_adding)
{
  gint64 token = -1;
  self->press_x = x;
  self->press_y = y;
  self->anchor = -1;
  if (!hl_token_strip_hit (self, x, y, &token))
    return;
  self->anchor = token;
  self->is_adding = is_adding;
  g_array_set_size (self->before_drag, 0);
  if (is_adding && self->selected->len > 0)
    g_array_append_vals (self->before_drag, self->selected->data, self->selected->len);
  if (is_adding)
    toggle (self, token);
  else
    choose (self, token, FALSE);
  self->cursor = token;
  self->cursor_x = x;
  /* First the choice: who hears of the hover may give the strip a new scene. */
  hl_token_strip_selection_changed (self);
  hl_token_strip_set_hovered (self, token);
}

void
hl_token_strip_handle_drag (HlTokenStrip *self, double x, double y)
{
  if (self->anchor < 0 || self->scene == NULL ||
      hypot (x - self->press_x, y - self->press_y) < CLICK_PX)
    return;
  double scroll = hl_token_strip_get_scroll (self);
  double inside = CLAMP (y, self->view.y, self->view.y + self->view.height - 1);
  /* Past the edge, the text moves along. */
  if (inside != y)
    gtk_adjustment_set_value (self->adjustments[GTK_ORIENTATION_VERTICAL],
                              scroll + AUTOSCROLL_SHARE * (y - inside));
  gint64 token = hl_token_layout_nearest (
      &self->layout, x, inside - self->view.y + hl_token_strip_get_scroll (self));
  /* To the token that was pressed, a click with Shift stays the click that it was. */
  if (token < 0 || (token == self->anchor && self->cursor == token))
    return;
  g_autoptr (GArray) before = g_array_copy (self->selected);
  g_array_set_size (self->selected, 0);
  if (self->is_adding && self->before_drag->len > 0)
    g_array_append_vals (self->selected, self->before_drag->data, self->before_drag->len);
  add_range (self, self->anchor, token);
  self->cursor = token;
  self->cursor_x = x;
  if (!is_selection (self, before))
    hl_token_strip_selection_changed (self);
  hl_token_strip_set_hovered (self, token);
}

static void
motion_cb (GtkEventControllerMotion *controller, double x, double y, gpointer user_data)
{
  hl_token_strip_handle_motion (user_data, x, y);
}

static void
leave_cb (GtkEventControllerMotion *controller, gpointer user_data)
{
  hl_token_strip_set_hovered (user_data, -1);
}

static void
drag_begin_cb (GtkGestureDrag *gesture, double x, double y, gpointer user_data)
{
  HlTokenStrip *self = user_data;
  GdkModifierType state =
      gtk_event_controller_get_current_event_state (GTK_EVENT_CONTROLLER (gesture));
  gtk_widget_grab_focus (GTK_WIDGET (self));
  hl_token_strip_handle_press (self, x, y, (state & GDK_SHIFT_MASK) != 0);
}

static void
drag_update_cb (GtkGestureDrag *gesture, double dx, double dy, gpointer user_data)
{
  HlTokenStrip *self = user_data;
  hl_token_strip_handle_drag (self, self->press_x + dx, self->press_y + dy);
}

gint64
hl_token_strip_hit_arc (HlTokenStrip *self, double x, double y)
{
  gint64 start, end;
  double scroll = hl_token_strip_get_scroll (self);
  if (self->arcs == NULL || !hl_rect_contains (&self->view, x, y))
    return -1;
  hl_token_layout_lines_in (&self->layout, scroll, scroll + self->view.height, &start,
                            &end);
  return hl_token_arcs_hit (self->arcs, &self->layout, start, end, x,
                            y - self->view.y + scroll, ARC_NEAR_PX);
}

static gboolean
tooltip_of_arc (HlTokenStrip *self, int x, int y, GtkTooltip *tooltip)
{
  gint64 arc = hl_token_strip_hit_arc (self, x, y);
  if (arc < 0)
    return FALSE;
  g_autofree char *words = hl_token_strip_describe_arc (self, arc);
  gtk_tooltip_set_text (tooltip, words);
  gtk_tooltip_set_tip_area (tooltip, &(GdkRectangle){ x - 2, y - 2, 5, 5 });
  return TRUE;
}

static gboolean
query_tooltip_cb (GtkWidget *widget,
                  int x,
                  int y,
                  gboolean is_keyboard,
                  GtkTooltip *tooltip,
                  gpointer user_data)
{
  HlTokenStrip *self = HL_TOKEN_STRIP (widget);
  gint64 token = self->cursor;
  if (!is_keyboard && tooltip_of_arc (self, x, y, tooltip))
    return TRUE;
  if (!is_keyboard && !hl_token_strip_hit (self, x, y, &token))
    return FALSE;
  if (token < 0)
    return FALSE;
  HlRect at = hl_token_strip_get_token_rect (self, token);
  g_autofree char *words = hl_token_strip_describe (self, token);
  gtk_tooltip_set_text (tooltip, words);
  gtk_tooltip_set_tip_area (
      tooltip,
      &(GdkRectangle){ (int) at.x, (int) at.y, (int) at.width + 1, (int) at.height + 1 });
  return TRUE;
}

/* ---- keyboard ------------------------------------------------------------------------
 */

static gint64
target_of_lines (HlTokenStrip *self, gint64 by)
{
  return hl_token_layout_step_lines (&self->layout, self->cursor, by, self->cursor_x);
}

/* Where a key leads from the cursor; -1 for a key that leads nowhere. */
static gint64
target (HlTokenStrip *self, guint keyval, gboolean is_control)
{
  const HlTokenLayout *layout = &self->layout;
  gint64 page = (gint64) (self->view.height / MAX (layout->line_height, 1)) - 1;
  gint64 n = hl_token_strip_count (self);
  switch (keyval)
    {
    case GDK_KEY_Left:
    case GDK_KEY_KP_Left:
      return hl_token_layout_step (layout, self->cursor, -1);
    case GDK_KEY_Right:
    case GDK_KEY_KP_Right:
      return hl_token_layout_step (layout, self->cursor, 1);
    case GDK_KEY_Up:
    case GDK_KEY_KP_Up:
      return target_of_lines (self, -1);
    case GDK_KEY_Down:
    case GDK_KEY_KP_Down:
      return target_of_lines (self, 1);
    case GDK_KEY_Page_Up:
    case GDK_KEY_KP_Page_Up:
      return target_of_lines (self, -MAX (page, 1));
    case GDK_KEY_Page_Down:
    case GDK_KEY_KP_Page_Down:
      return target_of_lines (self, MAX (page, 1));
    case GDK_KEY_Home:
    case GDK_KEY_KP_Home:
      return is_control ? hl_token_layout_step (layout, 0, 0)
                        : hl_token_layout_line_end (layout, self->cursor, FALSE);
    case GDK_KEY_End:
    case GDK_KEY_KP_End:
      return is_control ? hl_token_layout_step (layout, n - 1, 0)
                        : hl_token_layout_line_end (layout, self->cursor, TRUE);
    default:
      return -1;
    }
}

static gboolean
keeps_x (guint keyval)
{
  return keyval == GDK_KEY_Up || keyval == GDK_KEY_KP_Up || keyval == GDK_KEY_Down ||
         keyval == GDK_KEY_KP_Down || keyval == GDK_KEY_Page_Up ||
         keyval == GDK_KEY_KP_Page_Up || keyval == GDK_KEY_Page_Down ||
         keyval == GDK_KEY_KP_Page_Down;
}

static gboolean
handle_move (HlTokenStrip *self, guint keyval, GdkModifierType state)
{
  gboolean has_cursor = self->cursor >= 0;
  gint64 from = self->cursor;
  gint64 to = target (self, keyval, (state & GDK_CONTROL_MASK) != 0);
  if (to < 0)
    return FALSE;
  /* The first key shows where the cursor is: at what is chosen, or at the beginning. */
  if (!has_cursor && !(state & GDK_CONTROL_MASK))
    to = self->selected->len > 0 ? g_array_index (self->selected, gint64, 0)
                                 : hl_token_layout_step (&self->layout, 0, 0);
  double x = self->cursor_x;
  hl_token_strip_move_cursor (self, to);
  if (keeps_x (keyval) && has_cursor)
    self->cursor_x = x;
  if ((state & GDK_SHIFT_MASK) == 0 || !has_cursor)
    {
      self->anchor = to;
      return TRUE;
    }
  if (self->anchor < 0)
    self->anchor = from;
  g_array_set_size (self->selected, 0);
  add_range (self, self->anchor, to);
  hl_token_strip_selection_changed (self);
  return TRUE;
}

gboolean
hl_token_strip_handle_key (HlTokenStrip *self, guint keyval, GdkModifierType state)
{
  if (hl_token_strip_count (self) == 0 || (state & GDK_ALT_MASK) != 0)
    return FALSE;
  if (handle_move (self, keyval, state))
    return TRUE;
  switch (keyval)
    {
    case GDK_KEY_Escape:
      if (self->selected->len == 0)
        return FALSE;
      hl_token_strip_clear (self);
      return TRUE;
    case GDK_KEY_space:
    case GDK_KEY_Return:
    case GDK_KEY_KP_Enter:
      if (self->cursor < 0)
        return FALSE;
      if (state & (GDK_SHIFT_MASK | GDK_CONTROL_MASK))
        toggle (self, self->cursor);
      else
        choose (self, self->cursor, TRUE);
      self->anchor = self->cursor;
      hl_token_strip_selection_changed (self);
      return TRUE;
    default:
      return FALSE;
    }
}

static gboolean
key_cb (GtkEventControllerKey *controller,
        guint keyval,
        guint keycode,
        GdkModifierType state,
        gpointer user_data)
{
  return hl_token_strip_handle_key (user_data, keyval, state);
}

void
hl_token_strip_init_input (HlTokenStrip *self)
{
  GtkWidget *widget = GTK_WIDGET (self);

  GtkEventController *motion = gtk_event_controller_motion_new ();
  g_signal_connect (motion, "motion", G_CALLBACK (motion_cb), self);
  g_signal_connect (motion, "leave", G_CALLBACK (leave_cb), self);
  gtk_widget_add_controller (widget, motion);

  GtkGesture *drag = gtk_gesture_drag_new ();
  g_signal_connect (drag, "drag-begin", G_CALLBACK (drag_begin_cb), self);
  g_signal_connect (drag, "drag-update", G_CALLBACK (drag_update_cb), self);
  gtk_widget_add_controller (widget, GTK_EVENT_CONTROLLER (drag));

  GtkEventController *keys = gtk_event_controller_key_new ();
  g_signal_connect (keys, "key-pressed", G_CALLBACK (key_cb), self);
  gtk_widget_add_controller (widget, keys);

  gtk_widget_set_has_tooltip (widget, TRUE);
  g_signal_connect (widget, "query-tooltip", G_CALLBACK (query_tooltip_cb), NULL);
}
