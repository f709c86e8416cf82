/* SPDX-License-Identifier: MIT
 * A chart with clouds of dots. */
#include "config.h"

#include "gl/hl-scatter-view.h"

#include "draw/hl-paint-chart.h"
#include "gl/hl-gl.h"
#include "gl/hl-point-renderer.h"

#include <math.h>

/* Pixels between two points of a lasso, and from a dot to the pointer. */
#define LASSO_STEP 3.0
#define REACH 7.0

struct _HlScatterView
{
  GtkWidget parent;
  HlChartScene *scene;
  HlChartLayout layout;
  GtkWidget *area;
  HlPointRenderer *renderer;
  gboolean has_no_gl;
  gboolean is_stale; /* the renderer has other dots */
  guint8 *marked;
  gsize n_dots;
  GArray *lasso; /* doubles: x, y, ... */
  int hovered, hovered_dot;
  gboolean is_dark;
};

G_DEFINE_FINAL_TYPE (HlScatterView, hl_scatter_view, GTK_TYPE_WIDGET)

static HlTheme
theme_of (HlScatterView *self)
{
  return self->is_dark ? hl_theme_dark () : hl_theme_light ();
}

/* ---- layout --------------------------------------------------------------------------
 */

static void
compute_layout (HlScatterView *self)
{
  HlTheme theme = theme_of (self);
  if (self->scene == NULL)
    return;
  hl_chart_layout_compute (self->scene, &theme, gtk_widget_get_width (GTK_WIDGET (self)),
                           gtk_widget_get_height (GTK_WIDGET (self)), FALSE,
                           &self->layout);
  /* On whole pixels, where the area lies. */
  HlRect *plot = &self->layout.plot;
  plot->width = floor (plot->width);
  plot->height = floor (plot->height);
  plot->x = floor (plot->x);
  plot->y = floor (plot->y);
  self->layout.skips_clouds = !self->has_no_gl;
}

static void
hl_scatter_view_size_allocate (GtkWidget *widget, int width, int height, int baseline)
{
  HlScatterView *self = HL_SCATTER_VIEW (widget);
  gboolean has_plot = self->scene != NULL && !self->has_no_gl;
  compute_layout (self);
  gtk_widget_set_child_visible (self->area, has_plot);
  if (!has_plot)
    return;
  const HlRect *plot = &self->layout.plot;
  GskTransform *at = gsk_transform_translate (
      NULL, &GRAPHENE_POINT_INIT ((float) plot->x, (float) plot->y));
  gtk_widget_allocate (self->area, MAX ((int) plot->width, 1),
                       MAX ((int) plot->height, 1), -1, at);
}

static void
queue (HlScatterView *self)
{
  self->is_stale = TRUE;
  gtk_gl_area_queue_render (GTK_GL_AREA (self->area));
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

/* ---- dots ----------------------------------------------------------------------------
 */

static gsize
count_dots (const HlChartScene *scene)
{
  gsize n = 0;
  for (guint k = 0; scene != NULL && k < scene->series->len; k++)
    {
      const HlChartSeries *s = hl_chart_scene_get (scene, k);
      n += s->is_cloud ? (gsize) s->n : 0;
    }
  return n;
}

typedef void (*DotFunc) (gsize dot, double x, double y, gpointer data);

static void
each_dot (HlScatterView *self, DotFunc func, gpointer data)
{
  gsize dot = 0;
  for (guint k = 0; self->scene != NULL && k < self->scene->series->len; k++)
    {
      const HlChartSeries *s = hl_chart_scene_get (self->scene, k);
      for (int i = 0; s->is_cloud && i < s->n; i++)
        func (dot++, hl_chart_layout_x (&self->layout, self->scene, s->x[i]),
              hl_chart_layout_y (&self->layout, s->y[i]), data);
    }
}

typedef struct
{
  double x, y, nearest;
  int dot;
} Search;

static void
look_at_dot (gsize dot, double x, double y, gpointer data)
{
  Search *s = data;
  double away = hypot (x - s->x, y - s->y);
  if (away < s->nearest)
    {
      s->nearest = away;
      s->dot = (int) dot;
    }
}

int
hl_scatter_view_hit (HlScatterView *self, double x, double y, int *dot)
{
  HlTheme theme = theme_of (self);
  Search search = { x, y, REACH, -1 };
  int mark = self->scene != NULL
                 ? hl_chart_layout_hit (&self->layout, self->scene, &theme, x, y)
                 : -1;
  if (mark < 0 && self->scene != NULL)
    each_dot (self, look_at_dot, &search);
  if (dot != NULL)
    *dot = search.dot;
  return mark;
}

/* ---- lasso ---------------------------------------------------------------------------
 */

typedef struct
{
  const double *xy;
  int n;
  guint8 *marked;
  gsize n_marked;
} Inside;

static void
mark_dot (gsize dot, double x, double y, gpointer data)
{
  Inside *in = data;
  gboolean is_inside = FALSE;
  for (int i = 0, j = in->n - 1; i < in->n; j = i++)
    {
      const double *a = in->xy + 2 * i, *b = in->xy + 2 * j;
      if ((a[1] > y) != (b[1] > y) &&
          x < (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]) + a[0])
        is_inside = !is_inside;
    }
  in->marked[dot] = is_inside;
  in->n_marked += is_inside;
}

void
hl_scatter_view_lasso (HlScatterView *self, const double *xy, int n)
{
  g_return_if_fail (HL_IS_SCATTER_VIEW (self));
  Inside in = { xy, n, g_new0 (guint8, self->n_dots + 1), 0 };
  each_dot (self, mark_dot, &in);
  if (in.n_marked == 0)
    g_clear_pointer (&in.marked, g_free);
  g_free (self->marked);
  self->marked = in.marked;
  queue (self);
  g_signal_emit_by_name (self, "marked-changed");
}

void
hl_scatter_view_set_marked (HlScatterView *self, const guint8 *marked)
{
  g_return_if_fail (HL_IS_SCATTER_VIEW (self));
  g_free (self->marked);
  self->marked = marked != NULL ? g_memdup2 (marked, self->n_dots) : NULL;
  queue (self);
}

const guint8 *
hl_scatter_view_get_marked (HlScatterView *self, gsize *n_dots)
{
  *n_dots = self->n_dots;
  return self->marked;
}

void
hl_scatter_view_clear_marked (HlScatterView *self)
{
  if (self->marked == NULL)
    return;
  g_clear_pointer (&self->marked, g_free);
  queue (self);
  g_signal_emit_by_name (self, "marked-changed");
}

/* ---- state ---------------------------------------------------------------------------
 */

void
hl_scatter_view_set_scene (HlScatterView *self, HlChartScene *scene)
{
  g_return_if_fail (HL_IS_SCATTER_VIEW (self));
  gsize n_dots = count_dots (scene);
  if (scene != NULL)
    hl_chart_scene_ref (scene);
  hl_chart_scene_unref (self->scene);
  self->scene = scene;
  if (n_dots != self->n_dots)
    g_clear_pointer (&self->marked, g_free);
  self->n_dots = n_dots;
  self->hovered = self->hovered_dot = -1;
  if (scene != NULL && scene->title != NULL)
    gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                    scene->title, -1);
  gtk_widget_queue_resize (GTK_WIDGET (self));
  queue (self);
}

HlChartScene *
hl_scatter_view_get_scene (HlScatterView *self)
{
  return self->scene;
}

void
hl_scatter_view_set_is_dark (HlScatterView *self, gboolean is_dark)
{
  g_return_if_fail (HL_IS_SCATTER_VIEW (self));
  self->is_dark = !!is_dark;
  queue (self);
}

guint
hl_scatter_view_count_renders (HlScatterView *self)
{
  return self->renderer != NULL ? hl_point_renderer_count_draws (self->renderer) : 0;
}

/* ---- OpenGL --------------------------------------------------------------------------
 */

static gboolean
render_cb (GtkGLArea *area, GdkGLContext *context, gpointer data)
{
  HlScatterView *self = data;
  HlTheme theme = theme_of (self);
  int scale = gtk_widget_get_scale_factor (GTK_WIDGET (area));
  if (self->renderer == NULL || self->scene == NULL)
    return TRUE;
  if (self->is_stale)
    hl_point_renderer_set (self->renderer, self->scene, &theme, self->marked);
  self->is_stale = FALSE;
  hl_point_renderer_draw (self->renderer, &self->layout,
                          gtk_widget_get_width (GTK_WIDGET (area)) * scale,
                          gtk_widget_get_height (GTK_WIDGET (area)) * scale, scale);
  return TRUE;
}

static void
realize_cb (GtkWidget *area, gpointer data)
{
  HlScatterView *self = data;
  g_autoptr (GError) error = NULL;
  gtk_gl_area_make_current (GTK_GL_AREA (area));
  if (gtk_gl_area_get_error (GTK_GL_AREA (area)) == NULL)
    {
      GdkGLContext *context = gtk_gl_area_get_context (GTK_GL_AREA (area));
      self->renderer =
          hl_point_renderer_new (gdk_gl_context_get_use_es (context), &error);
    }
  self->has_no_gl = self->renderer == NULL;
  self->is_stale = TRUE;
  if (self->has_no_gl)
    gtk_widget_queue_resize (GTK_WIDGET (self));
}

static void
unrealize_cb (GtkWidget *area, gpointer data)
{
  HlScatterView *self = data;
  gtk_gl_area_make_current (GTK_GL_AREA (area));
  if (gtk_gl_area_get_error (GTK_GL_AREA (area)) == NULL)
    g_clear_pointer (&self->renderer, hl_point_renderer_free);
}

/* ---- pointer and keys ----------------------------------------------------------------
 */

static void
set_hovered (HlScatterView *self, int mark, int dot)
{
  if (mark == self->hovered && dot == self->hovered_dot)
    return;
  self->hovered = mark;
  self->hovered_dot = dot;
  gtk_widget_queue_draw (GTK_WIDGET (self));
  g_signal_emit_by_name (self, "mark-hovered", mark, dot);
}

static void
motion_cb (GtkEventControllerMotion *controller, double x, double y, HlScatterView *self)
{
  int dot, mark = hl_scatter_view_hit (self, x, y, &dot);
  set_hovered (self, mark, dot);
}

static void
leave_cb (GtkEventControllerMotion *controller, HlScatterView *self)
{
  set_hovered (self, -1, -1);
}

static void
add_to_lasso (HlScatterView *self, double x, double y)
{
  guint n = self->lasso->len;
  const double point[2] = { x, y };
  if (n >= 2 && hypot (x - g_array_index (self->lasso, double, n - 2),
                       y - g_array_index (self->lasso, double, n - 1)) < LASSO_STEP)
    return;
  g_array_append_vals (self->lasso, point, 2);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static void
drag_begin_cb (GtkGestureDrag *drag, double x, double y, HlScatterView *self)
{
  gtk_widget_grab_focus (GTK_WIDGET (self));
  g_array_set_size (self->lasso, 0);
  add_to_lasso (self, x, y);
}

static void
drag_update_cb (GtkGestureDrag *drag, double dx, double dy, HlScatterView *self)
{
  double x, y;
  gtk_gesture_drag_get_start_point (drag, &x, &y);
  add_to_lasso (self, x + dx, y + dy);
}

/* A drag of a few pixels is a click. */
static void
drag_end_cb (GtkGestureDrag *drag, double dx, double dy, HlScatterView *self)
{
  double x, y;
  int dot;
  gtk_gesture_drag_get_start_point (drag, &x, &y);
  int n = (int) self->lasso->len / 2;
  if (n >= 4)
    hl_scatter_view_lasso (self, (const double *) (gpointer) self->lasso->data, n);
  else
    {
      int mark = hl_scatter_view_hit (self, x, y, &dot);
      if (mark >= 0)
        g_signal_emit_by_name (self, "mark-activated", mark);
      else if (dot >= 0)
        g_signal_emit_by_name (self, "dot-activated", dot);
      else
        hl_scatter_view_clear_marked (self);
    }
  g_array_set_size (self->lasso, 0);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static gboolean
key_cb (GtkEventControllerKey *controller,
        guint keyval,
        guint keycode,
        GdkModifierType state,
        HlScatterView *self)
{
  const HlChartSeries *s =
      self->scene != NULL ? hl_chart_scene_get (self->scene, 0) : NULL;
  int at =
      self->hovered >= 0 || self->scene == NULL ? self->hovered : self->scene->selected;
  if (keyval == GDK_KEY_Escape && self->marked != NULL)
    {
      hl_scatter_view_clear_marked (self);
      return TRUE;
    }
  if (s == NULL || s->n == 0 || s->is_cloud ||
      (state & (GDK_CONTROL_MASK | GDK_ALT_MASK)) != 0)
    return FALSE;
  switch (keyval)
    {
    case GDK_KEY_Left:
    case GDK_KEY_Right:
      at += keyval == GDK_KEY_Right ? 1 : -1;
      set_hovered (self, CLAMP (at, 0, s->n - 1), -1);
      return TRUE;
    case GDK_KEY_Return:
    case GDK_KEY_KP_Enter:
      if (self->hovered >= 0)
        g_signal_emit_by_name (self, "mark-activated", self->hovered);
      return TRUE;
    default:
      return FALSE;
    }
}

/* ---- widget --------------------------------------------------------------------------
 */

static void
paint_over (HlScatterView *self, cairo_t *cr, const HlTheme *theme)
{
  const double *xy = (const double *) (gpointer) self->lasso->data;
  hl_paint_set_color (cr, &theme->accent_head);
  cairo_set_line_width (cr, 1.5);
  cairo_new_path (cr);
  for (guint i = 0; i + 1 < self->lasso->len; i += 2)
    cairo_line_to (cr, xy[i], xy[i + 1]);
  cairo_stroke (cr);
}

static void
hl_scatter_view_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  HlScatterView *self = HL_SCATTER_VIEW (widget);
  int width = gtk_widget_get_width (widget), height = gtk_widget_get_height (widget);
  if (self->scene == NULL || width < 1 || height < 1)
    return;
  HlPainter painter;
  HlTheme theme = theme_of (self);
  if (!self->has_no_gl)
    gtk_widget_snapshot_child (widget, self->area, snapshot);
  cairo_t *cr = gtk_snapshot_append_cairo (
      snapshot, &GRAPHENE_RECT_INIT (0, 0, (float) width, (float) height));
  hl_painter_init (&painter, cr, &theme, gtk_widget_get_scale_factor (widget));
  hl_paint_chart (&painter, self->scene, &self->layout, self->hovered);
  paint_over (self, cr, &theme);
  cairo_destroy (cr);
}

static void
hl_scatter_view_measure (GtkWidget *widget,
                         GtkOrientation orientation,
                         int for_size,
                         int *minimum,
                         int *natural,
                         int *minimum_baseline,
                         int *natural_baseline)
{
  *minimum = orientation == GTK_ORIENTATION_HORIZONTAL ? 160 : 140;
  *natural = orientation == GTK_ORIENTATION_HORIZONTAL ? 320 : 280;
}

static void
hl_scatter_view_dispose (GObject *object)
{
  HlScatterView *self = HL_SCATTER_VIEW (object);
  g_clear_pointer (&self->area, gtk_widget_unparent);
  G_OBJECT_CLASS (hl_scatter_view_parent_class)->dispose (object);
}

static void
hl_scatter_view_finalize (GObject *object)
{
  HlScatterView *self = HL_SCATTER_VIEW (object);
  hl_chart_scene_unref (self->scene);
  g_free (self->marked);
  g_array_unref (self->lasso);
  G_OBJECT_CLASS (hl_scatter_view_parent_class)->finalize (object);
}

static void
hl_scatter_view_class_init (HlScatterViewClass *klass)
{
  GtkWidgetClass *widget = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = hl_scatter_view_dispose;
  G_OBJECT_CLASS (klass)->finalize = hl_scatter_view_finalize;
  widget->snapshot = hl_scatter_view_snapshot;
  widget->measure = hl_scatter_view_measure;
  widget->size_allocate = hl_scatter_view_size_allocate;
  g_signal_new ("mark-activated", HL_TYPE_SCATTER_VIEW, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                NULL, G_TYPE_NONE, 1, G_TYPE_INT);
  g_signal_new ("dot-activated", HL_TYPE_SCATTER_VIEW, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                NULL, G_TYPE_NONE, 1, G_TYPE_INT);
  g_signal_new ("mark-hovered", HL_TYPE_SCATTER_VIEW, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                NULL, G_TYPE_NONE, 2, G_TYPE_INT, G_TYPE_INT);
  g_signal_new ("marked-changed", HL_TYPE_SCATTER_VIEW, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                NULL, G_TYPE_NONE, 0);
  gtk_widget_class_set_css_name (widget, "scatter");
  gtk_widget_class_set_accessible_role (widget, GTK_ACCESSIBLE_ROLE_IMG);
}

static void
hl_scatter_view_init (HlScatterView *self)
{
  GtkWidget *widget = GTK_WIDGET (self);
  self->hovered = self->hovered_dot = -1;
  self->lasso = g_array_new (FALSE, FALSE, sizeof (double));
  self->area = hl_gl_area_new ();
  g_signal_connect (self->area, "render", G_CALLBACK (render_cb), self);
  g_signal_connect (self->area, "realize", G_CALLBACK (realize_cb), self);
  g_signal_connect (self->area, "unrealize", G_CALLBACK (unrealize_cb), self);
  gtk_widget_set_parent (self->area, widget);
  gtk_widget_set_focusable (widget, TRUE);
  GtkEventController *motion = gtk_event_controller_motion_new ();
  g_signal_connect (motion, "motion", G_CALLBACK (motion_cb), self);
  g_signal_connect (motion, "leave", G_CALLBACK (leave_cb), self);
  gtk_widget_add_controller (widget, motion);
  GtkGesture *drag = gtk_gesture_drag_new ();
  g_signal_connect (drag, "drag-begin", G_CALLBACK (drag_begin_cb), self);
  g_signal_connect (drag, "drag-update", G_CALLBACK (drag_update_cb), self);
  g_signal_connect (drag, "drag-end", G_CALLBACK (drag_end_cb), self);
  gtk_widget_add_controller (widget, GTK_EVENT_CONTROLLER (drag));
  GtkEventController *keys = gtk_event_controller_key_new ();
  g_signal_connect (keys, "key-pressed", G_CALLBACK (key_cb), self);
  gtk_widget_add_controller (widget, keys);
}

GtkWidget *
hl_scatter_view_new (void)
{
  return g_object_new (HL_TYPE_SCATTER_VIEW, NULL);
}
