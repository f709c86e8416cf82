/* SPDX-License-Identifier: MIT
 * A chart. */
#include "config.h"

#include "gl/hl-chart-view.h"

#include "draw/hl-paint-chart.h"

#include <math.h>

struct _HlChartView
{
  GtkWidget parent;
  HlChartScene *scene;
  HlChartLayout layout;
  int hovered;
  gboolean is_dark;
};

G_DEFINE_FINAL_TYPE (HlChartView, hl_chart_view, GTK_TYPE_WIDGET)

static HlTheme
theme_of (HlChartView *self)
{
  return self->is_dark ? hl_theme_dark () : hl_theme_light ();
}

static void
compute_layout (HlChartView *self)
{
  HlTheme theme = theme_of (self);
  if (self->scene != NULL)
    hl_chart_layout_compute (
        self->scene, &theme, gtk_widget_get_width (GTK_WIDGET (self)),
        gtk_widget_get_height (GTK_WIDGET (self)), FALSE, &self->layout);
}

/* ---- words ---------------------------------------------------------------------------
 */

static const char *
name_of (HlChartView *self, int mark)
{
  const HlChartSeries *s =
      self->scene != NULL ? hl_chart_scene_get (self->scene, 0) : NULL;
  return s != NULL && s->names != NULL && mark >= 0 && mark < s->n ? s->names[mark]
                                                                   : NULL;
}

static void
update_words (HlChartView *self)
{
  int mark = self->hovered >= 0    ? self->hovered
             : self->scene != NULL ? self->scene->selected
                                   : -1;
  const char *name = name_of (self, mark);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self),
                                  GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                  name != NULL ? name : "", -1);
}

static gboolean
query_tooltip_cb (GtkWidget *widget,
                  int x,
                  int y,
                  gboolean is_keyboard,
                  GtkTooltip *tooltip,
                  gpointer data)
{
  HlChartView *self = HL_CHART_VIEW (widget);
  int mark = is_keyboard ? self->hovered : hl_chart_view_hit (self, x, y);
  const char *name = name_of (self, mark);
  if (name != NULL)
    {
      HlTheme theme = theme_of (self);
      HlRect at = hl_chart_layout_mark (&self->layout, self->scene, &theme, mark);
      gtk_tooltip_set_text (tooltip, name);
      gtk_tooltip_set_tip_area (tooltip, &(GdkRectangle){ (int) at.x, (int) at.y,
                                                          MAX ((int) at.width, 1),
                                                          MAX ((int) at.height, 1) });
    }
  return name != NULL;
}

/* ---- state ---------------------------------------------------------------------------
 */

static void
set_hovered (HlChartView *self, int mark)
{
  if (mark == self->hovered)
    return;
  self->hovered = mark;
  update_words (self);
  gtk_widget_queue_draw (GTK_WIDGET (self));
  g_signal_emit_by_name (self, "mark-hovered", mark);
}

void
hl_chart_view_set_scene (HlChartView *self, HlChartScene *scene)
{
  g_return_if_fail (HL_IS_CHART_VIEW (self));
  if (scene != NULL)
    hl_chart_scene_ref (scene);
  hl_chart_scene_unref (self->scene);
  self->scene = scene;
  const HlChartSeries *s = scene != NULL ? hl_chart_scene_get (scene, 0) : NULL;
  if (s == NULL || self->hovered >= s->n)
    self->hovered = -1;
  if (scene != NULL && scene->title != NULL)
    gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                    scene->title, -1);
  compute_layout (self);
  update_words (self);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

HlChartScene *
hl_chart_view_get_scene (HlChartView *self)
{
  return self->scene;
}

void
hl_chart_view_set_is_dark (HlChartView *self, gboolean is_dark)
{
  g_return_if_fail (HL_IS_CHART_VIEW (self));
  self->is_dark = !!is_dark;
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

int
hl_chart_view_hit (HlChartView *self, double x, double y)
{
  HlTheme theme = theme_of (self);
  return self->scene != NULL
             ? hl_chart_layout_hit (&self->layout, self->scene, &theme, x, y)
             : -1;
}

/* ---- pointer and keys ----------------------------------------------------------------
 */

static void
activate (HlChartView *self, int mark)
{
  const HlChartSeries *s =
      self->scene != NULL ? hl_chart_scene_get (self->scene, 0) : NULL;
  if (s != NULL && mark >= 0 && mark < s->n)
    g_signal_emit_by_name (self, "mark-activated", mark);
}

void
hl_chart_view_handle_press (HlChartView *self, double x, double y)
{
  activate (self, hl_chart_view_hit (self, x, y));
}

static gboolean
move_to (HlChartView *self, int mark, int step)
{
  const HlChartSeries *s = hl_chart_scene_get (self->scene, 0);
  while (mark >= 0 && mark < s->n && isnan (s->y[mark]))
    mark += step;
  if (mark >= 0 && mark < s->n)
    set_hovered (self, mark);
  return TRUE;
}

gboolean
hl_chart_view_handle_key (HlChartView *self, guint keyval, GdkModifierType state)
{
  const HlChartSeries *s =
      self->scene != NULL ? hl_chart_scene_get (self->scene, 0) : NULL;
  if (s == NULL || s->n == 0 || (state & (GDK_CONTROL_MASK | GDK_ALT_MASK)) != 0)
    return FALSE;
  int at = self->hovered >= 0 ? self->hovered : self->scene->selected;
  switch (keyval)
    {
    case GDK_KEY_Left:
    case GDK_KEY_KP_Left:
      return move_to (self, at < 0 ? 0 : at - 1, -1);
    case GDK_KEY_Right:
    case GDK_KEY_KP_Right:
      return move_to (self, at + 1, 1);
    case GDK_KEY_Home:
      return move_to (self, 0, 1);
    case GDK_KEY_End:
      return move_to (self, s->n - 1, -1);
    case GDK_KEY_Return:
    case GDK_KEY_KP_Enter:
    case GDK_KEY_space:
      activate (self, self->hovered);
      return self->hovered >= 0;
    default:
      return FALSE;
    }
}

static void
motion_cb (GtkEventControllerMotion *controller, double x, double y, HlChartView *self)
{
  set_hovered (self, hl_chart_view_hit (self, x, y));
}

static void
leave_cb (GtkEventControllerMotion *controller, HlChartView *self)
{
  set_hovered (self, -1);
}

static void
pressed_cb (GtkGestureClick *gesture, int n_press, double x, double y, HlChartView *self)
{
  gtk_widget_grab_focus (GTK_WIDGET (self));
  hl_chart_view_handle_press (self, x, y);
}

static gboolean
key_cb (GtkEventControllerKey *controller,
        guint keyval,
        guint keycode,
        GdkModifierType state,
        HlChartView *self)
{
  return hl_chart_view_handle_key (self, keyval, state);
}

/* ---- widget --------------------------------------------------------------------------
 */

static void
hl_chart_view_size_allocate (GtkWidget *widget, int width, int height, int baseline)
{
  compute_layout (HL_CHART_VIEW (widget));
}

static void
hl_chart_view_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  HlChartView *self = HL_CHART_VIEW (widget);
  int width = gtk_widget_get_width (widget), height = gtk_widget_get_height (widget);
  if (self->scene == NULL || width < 1 || height < 1)
    return;
  HlPainter painter;
  HlTheme theme = theme_of (self);
  cairo_t *cr = gtk_snapshot_append_cairo (
      snapshot, &GRAPHENE_RECT_INIT (0, 0, (float) width, (float) height));
  hl_painter_init (&painter, cr, &theme, gtk_widget_get_scale_factor (widget));
  hl_paint_chart (&painter, self->scene, &self->layout, self->hovered);
  cairo_destroy (cr);
  if (!gtk_widget_has_visible_focus (widget))
    return;
  const GdkRGBA blue = { (float) theme.accent_head.red, (float) theme.accent_head.green,
                         (float) theme.accent_head.blue, 0.8f };
  GskRoundedRect ring;
  gsk_rounded_rect_init_from_rect (
      &ring, &GRAPHENE_RECT_INIT (0, 0, (float) width, (float) height), 4);
  gtk_snapshot_append_border (snapshot, &ring, (float[4]){ 2, 2, 2, 2 },
                              (GdkRGBA[4]){ blue, blue, blue, blue });
}

static void
hl_chart_view_measure (GtkWidget *widget,
                       GtkOrientation orientation,
                       int for_size,
                       int *minimum,
                       int *natural,
                       int *minimum_baseline,
                       int *natural_baseline)
{
  *minimum = orientation == GTK_ORIENTATION_HORIZONTAL ? 160 : 110;
  *natural = orientation == GTK_ORIENTATION_HORIZONTAL ? 320 : 180;
}

static void
hl_chart_view_finalize (GObject *object)
{
  hl_chart_scene_unref (HL_CHART_VIEW (object)->scene);
  G_OBJECT_CLASS (hl_chart_view_parent_class)->finalize (object);
}

static void
hl_chart_view_class_init (HlChartViewClass *klass)
{
  GtkWidgetClass *widget = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->finalize = hl_chart_view_finalize;
  widget->snapshot = hl_chart_view_snapshot;
  widget->measure = hl_chart_view_measure;
  widget->size_allocate = hl_chart_view_size_allocate;
  g_signal_new ("mark-activated", HL_TYPE_CHART_VIEW, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                NULL, G_TYPE_NONE, 1, G_TYPE_INT);
  g_signal_new ("mark-hovered", HL_TYPE_CHART_VIEW, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                NULL, G_TYPE_NONE, 1, G_TYPE_INT);
  gtk_widget_class_set_css_name (widget, "chart");
  gtk_widget_class_set_accessible_role (widget, GTK_ACCESSIBLE_ROLE_IMG);
}

static void
hl_chart_view_init (HlChartView *self)
{
  GtkWidget *widget = GTK_WIDGET (self);
  self->hovered = -1;
  gtk_widget_set_focusable (widget, TRUE);
  gtk_widget_set_has_tooltip (widget, TRUE);
  g_signal_connect (self, "query-tooltip", G_CALLBACK (query_tooltip_cb), NULL);
  GtkEventController *motion = gtk_event_controller_motion_new ();
  g_signal_connect (motion, "motion", G_CALLBACK (motion_cb), self);
  g_signal_connect (motion, "leave", G_CALLBACK (leave_cb), self);
  gtk_widget_add_controller (widget, motion);
  GtkGesture *click = gtk_gesture_click_new ();
  g_signal_connect (click, "pressed", G_CALLBACK (pressed_cb), self);
  gtk_widget_add_controller (widget, GTK_EVENT_CONTROLLER (click));
  GtkEventController *keys = gtk_event_controller_key_new ();
  g_signal_connect (keys, "key-pressed", G_CALLBACK (key_cb), self);
  gtk_widget_add_controller (widget, keys);
}

GtkWidget *
hl_chart_view_new (void)
{
  return g_object_new (HL_TYPE_CHART_VIEW, NULL);
}
