/* SPDX-License-Identifier: MIT
 * A picture with its patches. Small: Cairo paints all of it. */
#include "config.h"

#include "gl/hl-patch-view.h"

#include <glib/gi18n-lib.h>
#include <math.h>

struct _HlPatchView
{
  GtkWidget parent;

  HlOverlayScene *scene;
  HlOverlayLayout layout;
  gboolean *selected; /* (n_rows, n_columns) */
  int n_rows;
  int n_columns;
  int cursor_row;
  int cursor_column;
  double press_x;
  double press_y;
  double brush_x;
  double brush_y;
  gboolean is_dark;
  int max_height;
  gboolean show_bar;
};

enum
{
  PROP_NONE,
  PROP_IS_DARK,
  PROP_SHOW_BAR,
};

G_DEFINE_FINAL_TYPE (HlPatchView, hl_patch_view, GTK_TYPE_WIDGET)

/* ---- words ---------------------------------------------------------------------------
 */

static guint
count_patches (HlPatchView *self)
{
  return (guint) self->n_rows * (guint) self->n_columns;
}

static char *
describe_patch (HlPatchView *self)
{
  int row = self->cursor_row, column = self->cursor_column;
  if (row < 0 || column < 0)
    return NULL;
  gsize i = (gsize) row * (gsize) self->n_columns + (gsize) column;
  g_autofree char *name = g_strdup_printf (
      self->selected[i] ? _ ("patch (%d, %d), selected") : _ ("patch (%d, %d)"), row,
      column);
  if (self->scene->weights == NULL)
    return g_steal_pointer (&name);
  if (isnan (self->scene->weights[i]))
    return g_strdup_printf (_ ("%s: not applicable"), name);
  return g_strdup_printf (_ ("%s: %.4g"), name, self->scene->weights[i]);
}

static void
update_words (HlPatchView *self)
{
  guint n_selected = 0;
  for (guint i = 0; i < count_patches (self); i++)
    n_selected += self->selected[i] ? 1 : 0;
  g_autofree char *count =
      g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%u patch selected",
                                    "%u patches selected", n_selected),
                       n_selected);
  g_autofree char *patch = describe_patch (self);
  g_autofree char *words =
      patch != NULL ? g_strdup_printf ("%s; %s", patch, count) : g_strdup (count);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self),
                                  GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, words, -1);
}

/* ---- selection -----------------------------------------------------------------------
 */

static void
selection_changed (HlPatchView *self)
{
  update_words (self);
  gtk_widget_queue_draw (GTK_WIDGET (self));
  g_signal_emit_by_name (self, "selection-changed", self->selected, count_patches (self));
}

static gboolean
clear_selected (HlPatchView *self)
{
  gboolean had_some = FALSE;
  for (guint i = 0; i < count_patches (self); i++)
    {
      had_some = had_some || self->selected[i];
      self->selected[i] = FALSE;
    }
  return had_some;
}

void
hl_patch_view_clear (HlPatchView *self)
{
  g_return_if_fail (HL_IS_PATCH_VIEW (self));
  if (clear_selected (self))
    selection_changed (self);
}

const gboolean *
hl_patch_view_get_selected (HlPatchView *self, guint *n)
{
  *n = count_patches (self);
  return self->selected;
}

static void
set_cursor (HlPatchView *self, int row, int column)
{
  if (row == self->cursor_row && column == self->cursor_column)
    return;
  self->cursor_row = row;
  self->cursor_column = column;
  update_words (self);
  gtk_widget_queue_draw (GTK_WIDGET (self));
  g_signal_emit_by_name (self, "patch-hovered", row, column);
}

void
hl_patch_view_set_scene (HlPatchView *self, HlOverlayScene *scene)
{
  g_return_if_fail (HL_IS_PATCH_VIEW (self));
  if (self->scene == scene)
    return;
  if (scene != NULL)
    hl_overlay_scene_ref (scene);
  hl_overlay_scene_unref (self->scene);
  self->scene = scene;
  int n_rows = scene != NULL ? MAX (scene->n_rows, 0) : 0;
  int n_columns = scene != NULL ? MAX (scene->n_columns, 0) : 0;
  if (n_rows != self->n_rows || n_columns != self->n_columns)
    {
      g_free (self->selected);
      self->n_rows = n_rows;
      self->n_columns = n_columns;
      self->selected = g_new0 (gboolean, MAX (count_patches (self), 1));
      self->cursor_row = self->cursor_column = -1;
    }
  if (scene != NULL && scene->selected != NULL)
    memcpy (self->selected, scene->selected, count_patches (self) * sizeof (gboolean));
  /* Without a title the view keeps the name that its place in the window gave it. */
  if (scene != NULL && scene->title != NULL)
    gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                    scene->title, -1);
  update_words (self);
  gtk_widget_queue_resize (GTK_WIDGET (self));
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

void
hl_patch_view_set_max_height (HlPatchView *self, int height)
{
  g_return_if_fail (HL_IS_PATCH_VIEW (self));
  self->max_height = height;
  gtk_widget_queue_resize (GTK_WIDGET (self));
}

HlOverlayScene *
hl_patch_view_get_scene (HlPatchView *self)
{
  return self->scene;
}

/* ---- drawing -------------------------------------------------------------------------
 */

static HlTheme
theme_of (HlPatchView *self)
{
  return self->is_dark ? hl_theme_dark () : hl_theme_light ();
}

static void
compute_layout (HlPatchView *self)
{
  HlTheme theme = theme_of (self);
  if (self->scene != NULL)
    hl_overlay_layout_compute (
        self->scene, &theme, gtk_widget_get_width (GTK_WIDGET (self)),
        gtk_widget_get_height (GTK_WIDGET (self)),
        self->show_bar ? HL_OVERLAY_BAR | HL_OVERLAY_BAR_BELOW : HL_OVERLAY_NONE,
        &self->layout);
}

static void
hl_patch_view_size_allocate (GtkWidget *widget, int width, int height, int baseline)
{
  compute_layout (HL_PATCH_VIEW (widget));
}

static void
snapshot_focus (HlPatchView *self, GtkSnapshot *snapshot)
{
  HlTheme theme = theme_of (self);
  const HlRect *at = &self->layout.picture;
  GdkRGBA color = { (float) theme.accent_head.red, (float) theme.accent_head.green,
                    (float) theme.accent_head.blue, 0.8f };
  GskRoundedRect ring;
  gsk_rounded_rect_init_from_rect (&ring,
                                   &GRAPHENE_RECT_INIT ((float) at->x, (float) at->y,
                                                        (float) at->width,
                                                        (float) at->height),
                                   0);
  gtk_snapshot_append_border (snapshot, &ring, (float[4]){ 2, 2, 2, 2 },
                              (GdkRGBA[4]){ color, color, color, color });
}

static void
hl_patch_view_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  HlPatchView *self = HL_PATCH_VIEW (widget);
  if (self->scene == NULL || self->n_rows < 1 || self->n_columns < 1)
    return;
  /* The painter takes selection and cursor from the scene, which is shared. */
  HlOverlayScene scene = *self->scene;
  scene.selected = self->selected;
  scene.cursor_row = self->cursor_row;
  scene.cursor_column = self->cursor_column;
  HlPainter painter;
  HlTheme theme = theme_of (self);
  cairo_t *cr = gtk_snapshot_append_cairo (
      snapshot, &GRAPHENE_RECT_INIT (0, 0, (float) gtk_widget_get_width (widget),
                                     (float) gtk_widget_get_height (widget)));
  hl_painter_init (&painter, cr, &theme, gtk_widget_get_scale_factor (widget));
  hl_paint_overlay (&painter, &scene, &self->layout);
  cairo_destroy (cr);
  if (gtk_widget_has_visible_focus (widget))
    snapshot_focus (self, snapshot);
}

/* ---- pointer -------------------------------------------------------------------------
 */

gboolean
hl_patch_view_hit (HlPatchView *self, double x, double y, int *row, int *column)
{
  return self->scene != NULL &&
         hl_overlay_layout_hit (&self->layout, self->scene, x, y, row, column);
}

HlRect
hl_patch_view_get_patch_rect (HlPatchView *self, int row, int column)
{
  if (self->scene == NULL)
    return (HlRect){ 0, 0, 0, 0 };
  return hl_overlay_layout_patch (&self->layout, self->scene, row, column);
}

void
hl_patch_view_handle_motion (HlPatchView *self, double x, double y)
{
  int row = -1, column = -1;
  if (!hl_patch_view_hit (self, x, y, &row, &column))
    row = column = -1;
  set_cursor (self, row, column);
}

void
hl_patch_view_handle_press (HlPatchView *self, double x, double y, gboolean is_adding)
{
  int row = -1, column = -1;
  self->brush_x = x;
  self->brush_y = y;
  if (!hl_patch_view_hit (self, x, y, &row, &column))
    return;
  if (!is_adding)
    clear_selected (self);
  self->selected[row * self->n_columns + column] = TRUE;
  set_cursor (self, row, column);
  selection_changed (self);
}

/* A quick hand skips patches between two events: all on the line between are brushed. */
void
hl_patch_view_handle_brush (HlPatchView *self, double x, double y)
{
  double dx = x - self->brush_x, dy = y - self->brush_y;
  HlRect cell = hl_patch_view_get_patch_rect (self, 0, 0);
  double step = CLAMP (fmin (cell.width, cell.height) / 2, 0.25, 2);
  int n_steps = MAX ((int) ceil (MIN (hypot (dx, dy), 8192) / step), 1);
  gboolean has_more = FALSE;
  for (int i = 1; i <= n_steps; i++)
    {
      int row = -1, column = -1;
      double t = (double) i / n_steps;
      if (!hl_patch_view_hit (self, self->brush_x + t * dx, self->brush_y + t * dy, &row,
                              &column))
        continue;
      gboolean *patch = &self->selected[row * self->n_columns + column];
      has_more = has_more || !*patch;
      *patch = TRUE;
      if (i == n_steps)
        set_cursor (self, row, column);
    }
  self->brush_x = x;
  self->brush_y = y;
  if (has_more)
    selection_changed (self);
}

static void
motion_cb (GtkEventControllerMotion *controller, double x, double y, gpointer user_data)
{
  hl_patch_view_handle_motion (user_data, x, y);
}

static void
leave_cb (GtkEventControllerMotion *controller, gpointer user_data)
{
  hl_patch_view_handle_motion (user_data, -1, -1);
}

static void
drag_begin_cb (GtkGestureDrag *gesture, double x, double y, gpointer user_data)
{
  HlPatchView *self = user_data;
  GdkModifierType state =
      gtk_event_controller_get_current_event_state (GTK_EVENT_CONTROLLER (gesture));
  gtk_widget_grab_focus (GTK_WIDGET (self));
  self->press_x = x;
  self->press_y = y;
  hl_patch_view_handle_press (self, x, y, (state & GDK_SHIFT_MASK) != 0);
}

static void
drag_update_cb (GtkGestureDrag *gesture, double dx, double dy, gpointer user_data)
{
  HlPatchView *self = user_data;
  hl_patch_view_handle_brush (self, self->press_x + dx, self->press_y + dy);
}

/* ---- keyboard ------------------------------------------------------------------------
 */

static gboolean
handle_arrow (HlPatchView *self, guint keyval)
{
  int row = self->cursor_row, column = self->cursor_column;
  switch (keyval)
    {
    case GDK_KEY_Up:
    case GDK_KEY_KP_Up:
      row--;
      break;
    case GDK_KEY_Down:
    case GDK_KEY_KP_Down:
      row++;
      break;
    case GDK_KEY_Left:
    case GDK_KEY_KP_Left:
      column--;
      break;
    case GDK_KEY_Right:
    case GDK_KEY_KP_Right:
      column++;
      break;
    default:
      return FALSE;
    }
  if (self->cursor_row < 0)
    row = column = 0;
  set_cursor (self, CLAMP (row, 0, self->n_rows - 1),
              CLAMP (column, 0, self->n_columns - 1));
  return TRUE;
}

gboolean
hl_patch_view_handle_key (HlPatchView *self, guint keyval, GdkModifierType state)
{
  if (count_patches (self) == 0 || (state & (GDK_CONTROL_MASK | GDK_ALT_MASK)) != 0)
    return FALSE;
  if (handle_arrow (self, keyval))
    return TRUE;
  switch (keyval)
    {
    case GDK_KEY_Escape:
      if (!clear_selected (self))
        return FALSE;
      selection_changed (self);
      return TRUE;
    case GDK_KEY_space:
    case GDK_KEY_Return:
    case GDK_KEY_KP_Enter:
      if (self->cursor_row < 0)
        return FALSE;
      self->selected[self->cursor_row * self->n_columns + self->cursor_column] ^= TRUE;
      selection_changed (self);
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
  return hl_patch_view_handle_key (user_data, keyval, state);
}

/* ---- object --------------------------------------------------------------------------
 */

void
hl_patch_view_set_is_dark (HlPatchView *self, gboolean is_dark)
{
  g_return_if_fail (HL_IS_PATCH_VIEW (self));
  if (self->is_dark == !!is_dark)
    return;
  self->is_dark = !!is_dark;
  gtk_widget_queue_draw (GTK_WIDGET (self));
  g_object_notify (G_OBJECT (self), "is-dark");
}

void
hl_patch_view_set_show_bar (HlPatchView *self, gboolean show_bar)
{
  g_return_if_fail (HL_IS_PATCH_VIEW (self));
  if (self->show_bar == !!show_bar)
    return;
  self->show_bar = !!show_bar;
  gtk_widget_queue_resize (GTK_WIDGET (self));
  g_object_notify (G_OBJECT (self), "show-bar");
}

static void
hl_patch_view_set_property (GObject *object,
                            guint id,
                            const GValue *value,
                            GParamSpec *pspec)
{
  HlPatchView *self = HL_PATCH_VIEW (object);
  if (id == PROP_IS_DARK)
    hl_patch_view_set_is_dark (self, g_value_get_boolean (value));
  else if (id == PROP_SHOW_BAR)
    hl_patch_view_set_show_bar (self, g_value_get_boolean (value));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
hl_patch_view_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  HlPatchView *self = HL_PATCH_VIEW (object);
  if (id == PROP_IS_DARK)
    g_value_set_boolean (value, self->is_dark);
  else if (id == PROP_SHOW_BAR)
    g_value_set_boolean (value, self->show_bar);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
hl_patch_view_finalize (GObject *object)
{
  HlPatchView *self = HL_PATCH_VIEW (object);
  hl_overlay_scene_unref (self->scene);
  g_free (self->selected);
  G_OBJECT_CLASS (hl_patch_view_parent_class)->finalize (object);
}

static GtkSizeRequestMode
hl_patch_view_get_request_mode (GtkWidget *widget)
{
  return GTK_SIZE_REQUEST_HEIGHT_FOR_WIDTH;
}

/* As high as the picture at this width, so that a column of them has no empty bands. */
static void
hl_patch_view_measure (GtkWidget *widget,
                       GtkOrientation orientation,
                       int for_size,
                       int *minimum,
                       int *natural,
                       int *minimum_baseline,
                       int *natural_baseline)
{
  HlPatchView *self = HL_PATCH_VIEW (widget);
  *minimum = 96;
  *natural = 220;
  if (orientation != GTK_ORIENTATION_VERTICAL || for_size < 1 || self->scene == NULL)
    return;
  HlTheme theme = theme_of (self);
  HlOverlayLayout layout;
  hl_overlay_layout_compute (
      self->scene, &theme, for_size, 1e5,
      self->show_bar ? HL_OVERLAY_BAR | HL_OVERLAY_BAR_BELOW : HL_OVERLAY_NONE, &layout);
  *natural = MAX (*minimum, (int) ceil (MIN (layout.used_height, self->max_height)));
}

static void
hl_patch_view_state_flags_changed (GtkWidget *widget, GtkStateFlags previous)
{
  GTK_WIDGET_CLASS (hl_patch_view_parent_class)->state_flags_changed (widget, previous);
  gtk_widget_queue_draw (widget);
}

static void
hl_patch_view_class_init (HlPatchViewClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  GType type = G_TYPE_FROM_CLASS (klass);
  GParamFlags writable =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;
  object_class->set_property = hl_patch_view_set_property;
  object_class->get_property = hl_patch_view_get_property;
  object_class->finalize = hl_patch_view_finalize;
  widget_class->get_request_mode = hl_patch_view_get_request_mode;
  widget_class->measure = hl_patch_view_measure;
  widget_class->size_allocate = hl_patch_view_size_allocate;
  widget_class->snapshot = hl_patch_view_snapshot;
  widget_class->state_flags_changed = hl_patch_view_state_flags_changed;
  g_object_class_install_property (
      object_class, PROP_IS_DARK,
      g_param_spec_boolean ("is-dark", NULL, NULL, FALSE, writable));
  g_object_class_install_property (
      object_class, PROP_SHOW_BAR,
      g_param_spec_boolean ("show-bar", NULL, NULL, TRUE, writable));
  g_signal_new ("patch-hovered", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                G_TYPE_NONE, 2, G_TYPE_INT, G_TYPE_INT);
  g_signal_new ("selection-changed", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                G_TYPE_NONE, 2, G_TYPE_POINTER, G_TYPE_UINT);
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_IMG);
  gtk_widget_class_set_css_name (widget_class, "patchview");
}

static void
hl_patch_view_init (HlPatchView *self)
{
  GtkWidget *widget = GTK_WIDGET (self);
  self->cursor_row = self->cursor_column = -1;
  self->show_bar = TRUE;
  self->max_height = 4096;
  gtk_widget_set_focusable (widget, TRUE);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Picture"), -1);

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
}

GtkWidget *
hl_patch_view_new (void)
{
  return g_object_new (HL_TYPE_PATCH_VIEW, NULL);
}
