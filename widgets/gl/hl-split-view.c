/* SPDX-License-Identifier: MIT
 * Two views on one place, parted by a line. */
#include "config.h"

#include "gl/hl-split-view.h"

#include "draw/hl-paint-bar.h"
#include "draw/hl-paint-time.h"

#include <glib/gi18n-lib.h>
#include <math.h>

/* How near to the line a hand has to be. */
#define GRAB 8.0
#define STEP 0.05
#define KNOB_WIDTH 6.0
#define KNOB_HEIGHT 28.0

struct _HlSplitView
{
  GtkWidget parent;
  GtkWidget *first, *second;
  double split;
  double press;
  gboolean is_dragging;
  HlSplitShown shown;
  char *first_name, *second_name;
  HlScale first_scale, second_scale;
  gboolean has_scales;
  double begin_s, end_s; /* of the time axis */
  double playhead;
  gboolean is_dark;
};

G_DEFINE_FINAL_TYPE (HlSplitView, hl_split_view, GTK_TYPE_WIDGET)

static HlTheme
theme_of (HlSplitView *self)
{
  return self->is_dark ? hl_theme_dark () : hl_theme_light ();
}

/* ---- places --------------------------------------------------------------------------
 */

static double
names_height (HlSplitView *self)
{
  HlTheme theme = theme_of (self);
  return self->first_name != NULL ? ceil (1.7 * theme.font_size) : 0;
}

static double
axis_height (HlSplitView *self)
{
  HlTheme theme = theme_of (self);
  return self->end_s > self->begin_s ? ceil (hl_time_axis_height (&theme)) : 0;
}

static double
bars_height (HlSplitView *self)
{
  HlTheme theme = theme_of (self);
  if (!self->has_scales)
    return 0;
  return ceil (0.9 * theme.font_size +
               fmax (hl_color_bar_extent (&theme, &self->first_scale, FALSE),
                     hl_color_bar_extent (&theme, &self->second_scale, FALSE)));
}

static double
line_x (HlSplitView *self)
{
  double width = gtk_widget_get_width (GTK_WIDGET (self));
  return self->shown == HL_SPLIT_FIRST    ? width
         : self->shown == HL_SPLIT_SECOND ? 0
                                          : round (self->split * width);
}

static double
body_height (HlSplitView *self)
{
  double height = gtk_widget_get_height (GTK_WIDGET (self));
  return fmax (height - names_height (self) - axis_height (self) - bars_height (self), 0);
}

static gboolean
is_near_line (HlSplitView *self, double x, double y)
{
  double top = names_height (self);
  return self->shown == HL_SPLIT_BOTH && fabs (x - line_x (self)) <= GRAB && y >= top &&
         y <= top + body_height (self);
}

/* ---- state ---------------------------------------------------------------------------
 */

static void
update_words (HlSplitView *self)
{
  g_autofree char *words =
      self->shown == HL_SPLIT_FIRST ? g_strdup_printf (_ ("%s alone"), self->first_name)
      : self->shown == HL_SPLIT_SECOND
          ? g_strdup_printf (_ ("%s alone"), self->second_name)
          : g_strdup_printf (_ ("parted at %.0f %%"), 100 * self->split);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self),
                                  GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, words, -1);
}

static void
changed (HlSplitView *self)
{
  /* The second lies on top; while it alone is shown it is what is hit. */
  if (self->shown != HL_SPLIT_BOTH)
    gtk_widget_set_can_target (self->second, self->shown == HL_SPLIT_SECOND);
  update_words (self);
  gtk_widget_queue_draw (GTK_WIDGET (self));
  g_signal_emit_by_name (self, "split-changed");
}

void
hl_split_view_set_split (HlSplitView *self, double split)
{
  g_return_if_fail (HL_IS_SPLIT_VIEW (self));
  split = CLAMP (split, 0, 1);
  if (split == self->split && self->shown == HL_SPLIT_BOTH)
    return;
  self->split = split;
  self->shown = HL_SPLIT_BOTH;
  changed (self);
}

double
hl_split_view_get_split (HlSplitView *self)
{
  return self->split;
}

void
hl_split_view_set_shown (HlSplitView *self, HlSplitShown shown)
{
  g_return_if_fail (HL_IS_SPLIT_VIEW (self));
  if (shown == self->shown)
    return;
  self->shown = shown;
  changed (self);
}

HlSplitShown
hl_split_view_get_shown (HlSplitView *self)
{
  return self->shown;
}

void
hl_split_view_blink (HlSplitView *self)
{
  hl_split_view_set_shown (self, self->shown == HL_SPLIT_FIRST ? HL_SPLIT_SECOND
                                                               : HL_SPLIT_FIRST);
}

void
hl_split_view_set_names (HlSplitView *self, const char *first, const char *second)
{
  g_free (self->first_name);
  g_free (self->second_name);
  self->first_name = g_strdup (first);
  self->second_name = g_strdup (second);
  update_words (self);
  gtk_widget_queue_resize (GTK_WIDGET (self));
}

void
hl_split_view_set_scales (HlSplitView *self, const HlScale *first, const HlScale *second)
{
  self->has_scales = first != NULL && second != NULL;
  if (self->has_scales)
    {
      self->first_scale = *first;
      self->second_scale = *second;
    }
  gtk_widget_queue_resize (GTK_WIDGET (self));
}

void
hl_split_view_set_time (HlSplitView *self, double begin_s, double end_s)
{
  if (begin_s == self->begin_s && end_s == self->end_s)
    return;
  self->begin_s = begin_s;
  self->end_s = end_s;
  gtk_widget_queue_resize (GTK_WIDGET (self));
}

void
hl_split_view_set_playhead (HlSplitView *self, double at_s)
{
  self->playhead = at_s;
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

void
hl_split_view_set_is_dark (HlSplitView *self, gboolean is_dark)
{
  self->is_dark = is_dark;
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

/* ---- layout --------------------------------------------------------------------------
 */

static GtkSizeRequestMode
hl_split_view_get_request_mode (GtkWidget *widget)
{
  return GTK_SIZE_REQUEST_HEIGHT_FOR_WIDTH;
}

static void
hl_split_view_measure (GtkWidget *widget,
                       GtkOrientation orientation,
                       int for_size,
                       int *minimum,
                       int *natural,
                       int *minimum_baseline,
                       int *natural_baseline)
{
  HlSplitView *self = HL_SPLIT_VIEW (widget);
  int extra = orientation == GTK_ORIENTATION_VERTICAL
                  ? (int) (names_height (self) + axis_height (self) + bars_height (self))
                  : 0;
  *minimum = *natural = 0;
  GtkWidget *children[] = { self->first, self->second };
  for (guint i = 0; i < G_N_ELEMENTS (children); i++)
    {
      int least, wanted;
      gtk_widget_measure (children[i], orientation, for_size, &least, &wanted, NULL,
                          NULL);
      *minimum = MAX (*minimum, least);
      *natural = MAX (*natural, wanted);
    }
  *natural += extra;
  /* In a page that scrolls, who asks for less gets less. */
  *minimum = orientation == GTK_ORIENTATION_VERTICAL ? *natural : *minimum + extra;
}

static void
hl_split_view_size_allocate (GtkWidget *widget, int width, int height, int baseline)
{
  HlSplitView *self = HL_SPLIT_VIEW (widget);
  GtkAllocation place = { 0, (int) names_height (self), width, (int) body_height (self) };
  gtk_widget_size_allocate (self->first, &place, -1);
  gtk_widget_size_allocate (self->second, &place, -1);
}

/* ---- drawing -------------------------------------------------------------------------
 */

static void
paint_names (HlSplitView *self, HlPainter *painter, double width)
{
  HlTextStyle left = { 0, HL_ANCHOR_START, &painter->theme.foreground, TRUE };
  HlTextStyle right = { 0, HL_ANCHOR_END, &painter->theme.foreground, TRUE };
  double y = 1.1 * painter->theme.font_size;
  if (self->first_name == NULL)
    return;
  /* The side that is not shown is named too, so that nothing moves when it blinks. */
  if (self->shown == HL_SPLIT_SECOND)
    left.color = &painter->theme.faint;
  if (self->shown == HL_SPLIT_FIRST)
    right.color = &painter->theme.faint;
  hl_paint_text (painter, self->first_name, 2, y, &left);
  hl_paint_text (painter, self->second_name, width - 2, y, &right);
}

static double
time_x (HlSplitView *self, double at_s, double width)
{
  return (at_s - self->begin_s) / (self->end_s - self->begin_s) * width;
}

/* Each under its own side. */
static void
paint_bars (HlSplitView *self, HlPainter *painter, double top, double width)
{
  double em = painter->theme.font_size;
  /* With room between them for half a number of each. */
  double length = fmin (0.5 * width - 4.5 * em, 18 * em);
  HlRect left = { 0.6 * em, top + 0.7 * em, length, 0.7 * em };
  HlRect right = left;
  right.x = width - length - 2 * em;
  if (!self->has_scales)
    return;
  hl_paint_color_bar (painter, &self->first_scale, &left);
  hl_paint_color_bar (painter, &self->second_scale, &right);
}

static void
paint_line (HlSplitView *self, HlPainter *painter, double top, double height)
{
  cairo_t *cr = painter->cr;
  double x = line_x (self), middle = top + height / 2;
  if (self->shown != HL_SPLIT_BOTH)
    return;
  cairo_rectangle (cr, x - 1.5, top, 3, height);
  cairo_set_source_rgba (cr, 0, 0, 0, 0.5);
  cairo_fill (cr);
  cairo_rectangle (cr, x - 0.5, top, 1, height);
  cairo_set_source_rgb (cr, 1, 1, 1);
  cairo_fill (cr);
  double knob = fmin (KNOB_HEIGHT, height);
  cairo_rectangle (cr, x - KNOB_WIDTH / 2, middle - knob / 2, KNOB_WIDTH, knob);
  cairo_set_source_rgb (cr, 1, 1, 1);
  cairo_fill_preserve (cr);
  cairo_set_source_rgba (cr, 0, 0, 0, 0.5);
  cairo_set_line_width (cr, 1);
  cairo_stroke (cr);
}

static void
paint_playhead (
    HlSplitView *self, HlPainter *painter, double top, double height, double width)
{
  if (!(self->playhead >= self->begin_s && self->playhead <= self->end_s) ||
      self->end_s <= self->begin_s)
    return;
  double x = round (time_x (self, self->playhead, width));
  hl_paint_set_color (painter->cr, &painter->theme.accent_head);
  cairo_rectangle (painter->cr, x - 1, top, 2, height);
  cairo_fill (painter->cr);
}

static void
snapshot_child (
    HlSplitView *self, GtkSnapshot *snapshot, GtkWidget *child, double from, double to)
{
  float top = (float) names_height (self), height = (float) body_height (self);
  if (to <= from)
    return;
  gtk_snapshot_push_clip (
      snapshot, &GRAPHENE_RECT_INIT ((float) from, top, (float) (to - from), height));
  gtk_widget_snapshot_child (GTK_WIDGET (self), child, snapshot);
  gtk_snapshot_pop (snapshot);
}

static void
hl_split_view_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  HlSplitView *self = HL_SPLIT_VIEW (widget);
  double width = gtk_widget_get_width (widget), height = body_height (self);
  double top = names_height (self);
  HlPainter painter;
  HlTheme theme = theme_of (self);
  snapshot_child (self, snapshot, self->first, 0, line_x (self));
  snapshot_child (self, snapshot, self->second, line_x (self), width);
  cairo_t *cr = gtk_snapshot_append_cairo (
      snapshot,
      &GRAPHENE_RECT_INIT (0, 0, (float) width, (float) gtk_widget_get_height (widget)));
  hl_painter_init (&painter, cr, &theme, gtk_widget_get_scale_factor (widget));
  paint_names (self, &painter, width);
  hl_paint_time_axis (&painter, self->begin_s, self->end_s, 0, top + height, width);
  paint_bars (self, &painter, top + height + axis_height (self), width);
  paint_playhead (self, &painter, top, height, width);
  paint_line (self, &painter, top, height);
  cairo_destroy (cr);
}

/* ---- pointer -------------------------------------------------------------------------
 */

/* What is under the pointer is what is seen there; the second lies on top. */
static void
motion_cb (GtkEventControllerMotion *controller, double x, double y, gpointer user_data)
{
  HlSplitView *self = user_data;
  gboolean is_near = self->is_dragging || is_near_line (self, x, y);
  gtk_widget_set_can_target (self->second, x >= line_x (self));
  gtk_widget_set_cursor_from_name (GTK_WIDGET (self), is_near ? "col-resize" : NULL);
}

static void
drag_begin_cb (GtkGestureDrag *gesture, double x, double y, gpointer user_data)
{
  HlSplitView *self = user_data;
  self->is_dragging = is_near_line (self, x, y);
  self->press = x;
  gtk_gesture_set_state (GTK_GESTURE (gesture), self->is_dragging
                                                    ? GTK_EVENT_SEQUENCE_CLAIMED
                                                    : GTK_EVENT_SEQUENCE_DENIED);
}

static void
drag_update_cb (GtkGestureDrag *gesture, double dx, double dy, gpointer user_data)
{
  HlSplitView *self = user_data;
  double width = gtk_widget_get_width (GTK_WIDGET (self));
  if (self->is_dragging && width > 0)
    hl_split_view_set_split (self, (self->press + dx) / width);
}

static void
drag_end_cb (GtkGestureDrag *gesture, double dx, double dy, gpointer user_data)
{
  HL_SPLIT_VIEW (user_data)->is_dragging = FALSE;
}

/* ---- keyboard ------------------------------------------------------------------------
 */

gboolean
hl_split_view_handle_key (HlSplitView *self, guint keyval, GdkModifierType state)
{
  gboolean has_ctrl = (state & GDK_CONTROL_MASK) != 0;
  if (!has_ctrl && (state & GDK_ALT_MASK) == 0 &&
      (keyval == GDK_KEY_b || keyval == GDK_KEY_B))
    {
      hl_split_view_blink (self);
      return TRUE;
    }
  if (keyval == GDK_KEY_Escape && self->shown != HL_SPLIT_BOTH)
    {
      hl_split_view_set_shown (self, HL_SPLIT_BOTH);
      return TRUE;
    }
  if (!has_ctrl)
    return FALSE;
  switch (keyval)
    {
    case GDK_KEY_Left:
    case GDK_KEY_KP_Left:
      hl_split_view_set_split (self, self->split - STEP);
      return TRUE;
    case GDK_KEY_Right:
    case GDK_KEY_KP_Right:
      hl_split_view_set_split (self, self->split + STEP);
      return TRUE;
    case GDK_KEY_Home:
      hl_split_view_set_split (self, 0);
      return TRUE;
    case GDK_KEY_End:
      hl_split_view_set_split (self, 1);
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
  return hl_split_view_handle_key (user_data, keyval, state);
}

/* ---- object --------------------------------------------------------------------------
 */

static void
drop_children (HlSplitView *self)
{
  g_clear_pointer (&self->first, gtk_widget_unparent);
  g_clear_pointer (&self->second, gtk_widget_unparent);
}

void
hl_split_view_set_children (HlSplitView *self, GtkWidget *first, GtkWidget *second)
{
  g_return_if_fail (HL_IS_SPLIT_VIEW (self));
  if (first == self->first && second == self->second)
    return;
  drop_children (self);
  self->first = first;
  self->second = second;
  gtk_widget_set_parent (first, GTK_WIDGET (self));
  gtk_widget_set_parent (second, GTK_WIDGET (self));
}

static void
hl_split_view_dispose (GObject *object)
{
  drop_children (HL_SPLIT_VIEW (object));
  G_OBJECT_CLASS (hl_split_view_parent_class)->dispose (object);
}

static void
hl_split_view_finalize (GObject *object)
{
  HlSplitView *self = HL_SPLIT_VIEW (object);
  g_free (self->first_name);
  g_free (self->second_name);
  G_OBJECT_CLASS (hl_split_view_parent_class)->finalize (object);
}

static void
hl_split_view_class_init (HlSplitViewClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  object_class->dispose = hl_split_view_dispose;
  object_class->finalize = hl_split_view_finalize;
  widget_class->get_request_mode = hl_split_view_get_request_mode;
  widget_class->measure = hl_split_view_measure;
  widget_class->size_allocate = hl_split_view_size_allocate;
  widget_class->snapshot = hl_split_view_snapshot;
  g_signal_new ("split-changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL,
                NULL, NULL, G_TYPE_NONE, 0);
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_GROUP);
  gtk_widget_class_set_css_name (widget_class, "splitview");
}

static void
hl_split_view_init (HlSplitView *self)
{
  GtkWidget *widget = GTK_WIDGET (self);
  self->split = 0.5;
  self->playhead = NAN;
  GtkEventController *motion = gtk_event_controller_motion_new ();
  gtk_event_controller_set_propagation_phase (motion, GTK_PHASE_CAPTURE);
  g_signal_connect (motion, "motion", G_CALLBACK (motion_cb), self);
  gtk_widget_add_controller (widget, motion);
  GtkGesture *drag = gtk_gesture_drag_new ();
  gtk_event_controller_set_propagation_phase (GTK_EVENT_CONTROLLER (drag),
                                              GTK_PHASE_CAPTURE);
  g_signal_connect (drag, "drag-begin", G_CALLBACK (drag_begin_cb), self);
  g_signal_connect (drag, "drag-update", G_CALLBACK (drag_update_cb), self);
  g_signal_connect (drag, "drag-end", G_CALLBACK (drag_end_cb), self);
  gtk_widget_add_controller (widget, GTK_EVENT_CONTROLLER (drag));
  GtkEventController *keys = gtk_event_controller_key_new ();
  gtk_event_controller_set_propagation_phase (keys, GTK_PHASE_CAPTURE);
  g_signal_connect (keys, "key-pressed", G_CALLBACK (key_cb), self);
  gtk_widget_add_controller (widget, keys);
}

GtkWidget *
hl_split_view_new (GtkWidget *first, GtkWidget *second)
{
  HlSplitView *self = g_object_new (HL_TYPE_SPLIT_VIEW, NULL);
  hl_split_view_set_children (self, first, second);
  return GTK_WIDGET (self);
}
