/* SPDX-License-Identifier: MIT
 * The strip of tokens: the object, its properties, words, scrolling. */
#include "config.h"

#include "gl/hl-token-strip-private.h"

#include <glib/gi18n-lib.h>
#include <math.h>

#define N_LARGEST 3 /* weights that a screen reader hears */

enum
{
  PROP_NONE,
  PROP_IS_DARK,
  PROP_IS_LIST,
  PROP_SHOW_INDEX,
  PROP_SHOW_ID,
  PROP_SHOW_BAR,
  PROP_SHOWN_ONLY,
  PROP_HADJUSTMENT,
  PROP_VADJUSTMENT,
  PROP_HSCROLL_POLICY,
  PROP_VSCROLL_POLICY,
};

G_DEFINE_FINAL_TYPE_WITH_CODE (HlTokenStrip,
                               hl_token_strip,
                               GTK_TYPE_WIDGET,
                               G_IMPLEMENT_INTERFACE (GTK_TYPE_SCROLLABLE, NULL))

HlTheme
hl_token_strip_theme (HlTokenStrip *self)
{
  return self->is_dark ? hl_theme_dark () : hl_theme_light ();
}

gint64
hl_token_strip_count (HlTokenStrip *self)
{
  return self->scene != NULL ? hl_token_scene_count (self->scene) : 0;
}

/* ---- what is chosen ------------------------------------------------------------------
 */

void
hl_token_strip_selection_changed (HlTokenStrip *self)
{
  /* The weights are still those of the selection before. */
  g_clear_pointer (&self->scene_words, g_free);
  hl_token_strip_update_words (self);
  gtk_widget_queue_draw (GTK_WIDGET (self));
  g_signal_emit_by_name (self, "selection-changed", self->selected->data,
                         self->selected->len);
}

const gint64 *
hl_token_strip_get_selected (HlTokenStrip *self, gint64 *n)
{
  *n = self->selected->len;
  return (const gint64 *) (void *) self->selected->data;
}

static void
take_selected (HlTokenStrip *self, const gint64 *tokens, gint64 n_tokens)
{
  gint64 n = hl_token_strip_count (self);
  g_array_set_size (self->selected, 0);
  for (gint64 i = 0; i < n_tokens; i++)
    if (tokens[i] >= 0 && tokens[i] < n)
      g_array_append_val (self->selected, tokens[i]);
}

void
hl_token_strip_set_selected (HlTokenStrip *self, const gint64 *tokens, gint64 n_tokens)
{
  g_return_if_fail (HL_IS_TOKEN_STRIP (self));
  g_clear_pointer (&self->scene_words, g_free);
  take_selected (self, tokens, n_tokens);
  hl_token_strip_update_words (self);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

void
hl_token_strip_clear (HlTokenStrip *self)
{
  g_return_if_fail (HL_IS_TOKEN_STRIP (self));
  if (self->selected->len == 0)
    return;
  g_array_set_size (self->selected, 0);
  hl_token_strip_selection_changed (self);
}

void
hl_token_strip_set_hovered (HlTokenStrip *self, gint64 token)
{
  if (token == self->hovered)
    return;
  self->hovered = token;
  hl_token_strip_update_words (self);
  gtk_widget_queue_draw (GTK_WIDGET (self));
  g_signal_emit_by_name (self, "token-hovered", token);
}

void
hl_token_strip_set_cursor (HlTokenStrip *self, gint64 token)
{
  g_return_if_fail (HL_IS_TOKEN_STRIP (self));
  self->cursor = CLAMP (token, -1, hl_token_strip_count (self) - 1);
  self->anchor = self->cursor;
  if (self->cursor >= 0)
    {
      HlRect at = hl_token_layout_rect (&self->layout, self->cursor);
      self->cursor_x = at.x + at.width / 2;
      hl_token_strip_reveal (self, self->cursor);
    }
  hl_token_strip_update_words (self);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

void
hl_token_strip_move_cursor (HlTokenStrip *self, gint64 token)
{
  gint64 anchor = self->anchor;
  hl_token_strip_set_cursor (self, token);
  self->anchor = anchor;
  hl_token_strip_set_hovered (self, token);
}

gint64
hl_token_strip_get_cursor (HlTokenStrip *self)
{
  return self->cursor;
}

/* ---- scene ---------------------------------------------------------------------------
 */

static void
forget_tokens (HlTokenStrip *self)
{
  self->cursor = self->hovered = self->anchor = -1;
  g_array_set_size (self->before_drag, 0);
  gtk_adjustment_set_value (self->adjustments[GTK_ORIENTATION_VERTICAL], 0);
}

void
hl_token_strip_set_scene (HlTokenStrip *self, HlTokenScene *scene)
{
  g_return_if_fail (HL_IS_TOKEN_STRIP (self));
  if (self->scene == scene)
    return;
  gint64 n_before = hl_token_strip_count (self);
  if (scene != NULL)
    hl_token_scene_ref (scene);
  hl_token_scene_unref (self->scene);
  self->scene = scene;
  g_clear_pointer (&self->arcs, hl_token_arcs_free);
  g_clear_pointer (&self->scene_words, g_free);
  if (hl_token_strip_count (self) != n_before)
    forget_tokens (self);
  g_array_set_size (self->selected, 0);
  if (scene != NULL)
    {
      take_selected (self, scene->selected, scene->n_selected);
      self->scene_words = hl_token_scene_describe_selected (scene, N_LARGEST);
    }
  gtk_accessible_update_property (
      GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL,
      scene != NULL && scene->title != NULL ? scene->title : _ ("Tokens"), -1);
  hl_token_strip_update_words (self);
  hl_token_strip_relayout (self);
}

HlTokenScene *
hl_token_strip_get_scene (HlTokenStrip *self)
{
  return self->scene;
}

/* ---- scrolling -----------------------------------------------------------------------
 */

double
hl_token_strip_get_scroll (HlTokenStrip *self)
{
  return round (gtk_adjustment_get_value (self->adjustments[GTK_ORIENTATION_VERTICAL]));
}

static gboolean
has_places (HlTokenStrip *self)
{
  return self->scene != NULL && self->layout.tokens == self->scene->tokens &&
         self->layout.mode == self->mode && gtk_widget_get_width (GTK_WIDGET (self)) > 0;
}

/* Again in the next layout: the bar of a selection may take room from the lines. */
void
hl_token_strip_reveal (HlTokenStrip *self, gint64 token)
{
  g_return_if_fail (HL_IS_TOKEN_STRIP (self));
  self->to_reveal = token;
  gtk_widget_queue_resize (GTK_WIDGET (self));
  hl_token_strip_reveal_now (self, token);
}

void
hl_token_strip_reveal_now (HlTokenStrip *self, gint64 token)
{
  if (!has_places (self) || hl_token_layout_line (&self->layout, token) < 0)
    return;
  HlRect at = hl_token_layout_rect (&self->layout, token);
  double margin = self->layout.line_height / 2;
  gtk_adjustment_clamp_page (self->adjustments[GTK_ORIENTATION_VERTICAL], at.y - margin,
                             at.y + at.height + margin);
}

gboolean
hl_token_strip_hit (HlTokenStrip *self, double x, double y, gint64 *token)
{
  if (!has_places (self) || !hl_rect_contains (&self->view, x, y))
    return FALSE;
  return hl_token_layout_hit (&self->layout, x,
                              y - self->view.y + hl_token_strip_get_scroll (self), token);
}

HlRect
hl_token_strip_get_token_rect (HlTokenStrip *self, gint64 token)
{
  HlRect rect = hl_token_layout_rect (&self->layout, token);
  rect.y += self->view.y - hl_token_strip_get_scroll (self);
  return rect;
}

static void
set_adjustment (HlTokenStrip *self, GtkOrientation orientation, GtkAdjustment *adjustment)
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
                            G_CALLBACK (gtk_widget_queue_draw), self);
  gtk_widget_queue_resize (GTK_WIDGET (self));
}

/* ---- properties ----------------------------------------------------------------------
 */

void
hl_token_strip_set_mode (HlTokenStrip *self, HlTokenMode mode)
{
  g_return_if_fail (HL_IS_TOKEN_STRIP (self));
  if (self->mode == mode)
    return;
  self->mode = mode;
  hl_token_strip_relayout (self);
  g_object_notify (G_OBJECT (self), "is-list");
}

HlTokenMode
hl_token_strip_get_mode (HlTokenStrip *self)
{
  return self->mode;
}

static void
set_flag (HlTokenStrip *self, gboolean *flag, gboolean value, const char *name)
{
  if (*flag == !!value)
    return;
  *flag = !!value;
  hl_token_strip_relayout (self);
  g_object_notify (G_OBJECT (self), name);
}

void
hl_token_strip_set_is_dark (HlTokenStrip *self, gboolean is_dark)
{
  g_return_if_fail (HL_IS_TOKEN_STRIP (self));
  set_flag (self, &self->is_dark, is_dark, "is-dark");
}

void
hl_token_strip_set_show_index (HlTokenStrip *self, gboolean show_index)
{
  g_return_if_fail (HL_IS_TOKEN_STRIP (self));
  set_flag (self, &self->show_index, show_index, "show-index");
}

void
hl_token_strip_set_show_id (HlTokenStrip *self, gboolean show_id)
{
  g_return_if_fail (HL_IS_TOKEN_STRIP (self));
  set_flag (self, &self->show_id, show_id, "show-id");
}

void
hl_token_strip_set_show_bar (HlTokenStrip *self, gboolean show_bar)
{
  g_return_if_fail (HL_IS_TOKEN_STRIP (self));
  set_flag (self, &self->show_bar, show_bar, "show-bar");
}

void
hl_token_strip_set_shown_only (HlTokenStrip *self, gboolean shown_only)
{
  g_return_if_fail (HL_IS_TOKEN_STRIP (self));
  set_flag (self, &self->shown_only, shown_only, "shown-only");
}

static void
hl_token_strip_set_property (GObject *object,
                             guint id,
                             const GValue *value,
                             GParamSpec *pspec)
{
  HlTokenStrip *self = HL_TOKEN_STRIP (object);
  if (id == PROP_IS_DARK)
    hl_token_strip_set_is_dark (self, g_value_get_boolean (value));
  else if (id == PROP_IS_LIST)
    hl_token_strip_set_mode (self,
                             g_value_get_boolean (value) ? HL_TOKEN_LIST : HL_TOKEN_FLOW);
  else if (id == PROP_SHOW_INDEX)
    hl_token_strip_set_show_index (self, g_value_get_boolean (value));
  else if (id == PROP_SHOW_ID)
    hl_token_strip_set_show_id (self, g_value_get_boolean (value));
  else if (id == PROP_SHOW_BAR)
    hl_token_strip_set_show_bar (self, g_value_get_boolean (value));
  else if (id == PROP_SHOWN_ONLY)
    hl_token_strip_set_shown_only (self, g_value_get_boolean (value));
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
hl_token_strip_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  HlTokenStrip *self = HL_TOKEN_STRIP (object);
  if (id == PROP_IS_DARK)
    g_value_set_boolean (value, self->is_dark);
  else if (id == PROP_IS_LIST)
    g_value_set_boolean (value, self->mode == HL_TOKEN_LIST);
  else if (id == PROP_SHOW_INDEX)
    g_value_set_boolean (value, self->show_index);
  else if (id == PROP_SHOW_ID)
    g_value_set_boolean (value, self->show_id);
  else if (id == PROP_SHOW_BAR)
    g_value_set_boolean (value, self->show_bar);
  else if (id == PROP_SHOWN_ONLY)
    g_value_set_boolean (value, self->shown_only);
  else if (id == PROP_HADJUSTMENT)
    g_value_set_object (value, self->adjustments[GTK_ORIENTATION_HORIZONTAL]);
  else if (id == PROP_VADJUSTMENT)
    g_value_set_object (value, self->adjustments[GTK_ORIENTATION_VERTICAL]);
  else if (id == PROP_HSCROLL_POLICY || id == PROP_VSCROLL_POLICY)
    g_value_set_enum (value, self->policies[id - PROP_HSCROLL_POLICY]);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

/* ---- object --------------------------------------------------------------------------
 */

static void
hl_token_strip_dispose (GObject *object)
{
  HlTokenStrip *self = HL_TOKEN_STRIP (object);
  for (int i = 0; i < 2; i++)
    if (self->adjustments[i] != NULL)
      {
        g_signal_handlers_disconnect_by_data (self->adjustments[i], self);
        g_clear_object (&self->adjustments[i]);
      }
  g_hash_table_remove_all (self->blocks);
  G_OBJECT_CLASS (hl_token_strip_parent_class)->dispose (object);
}

static void
hl_token_strip_finalize (GObject *object)
{
  HlTokenStrip *self = HL_TOKEN_STRIP (object);
  hl_token_layout_clear (&self->layout);
  hl_token_arcs_free (self->arcs);
  hl_token_scene_unref (self->scene);
  hl_typesetter_free (self->setter);
  g_hash_table_unref (self->blocks);
  g_array_unref (self->selected);
  g_array_unref (self->before_drag);
  g_free (self->scene_words);
  G_OBJECT_CLASS (hl_token_strip_parent_class)->finalize (object);
}

static void
hl_token_strip_measure (GtkWidget *widget,
                        GtkOrientation orientation,
                        int for_size,
                        int *minimum,
                        int *natural,
                        int *minimum_baseline,
                        int *natural_baseline)
{
  *minimum = 96;
  *natural = orientation == GTK_ORIENTATION_HORIZONTAL ? 420 : 240;
}

static void
hl_token_strip_state_flags_changed (GtkWidget *widget, GtkStateFlags previous)
{
  GTK_WIDGET_CLASS (hl_token_strip_parent_class)->state_flags_changed (widget, previous);
  gtk_widget_queue_draw (widget);
}

static void
install_properties (GObjectClass *object_class)
{
  GParamFlags writable =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;
  static const struct
  {
    guint id;
    const char *name;
    gboolean is_on;
  } flags[] = {
    { PROP_IS_DARK, "is-dark", FALSE },      { PROP_IS_LIST, "is-list", FALSE },
    { PROP_SHOW_INDEX, "show-index", TRUE }, { PROP_SHOW_ID, "show-id", FALSE },
    { PROP_SHOW_BAR, "show-bar", TRUE },     { PROP_SHOWN_ONLY, "shown-only", FALSE },
  };
  for (guint i = 0; i < G_N_ELEMENTS (flags); i++)
    g_object_class_install_property (
        object_class, flags[i].id,
        g_param_spec_boolean (flags[i].name, NULL, NULL, flags[i].is_on, writable));
  g_object_class_override_property (object_class, PROP_HADJUSTMENT, "hadjustment");
  g_object_class_override_property (object_class, PROP_VADJUSTMENT, "vadjustment");
  g_object_class_override_property (object_class, PROP_HSCROLL_POLICY, "hscroll-policy");
  g_object_class_override_property (object_class, PROP_VSCROLL_POLICY, "vscroll-policy");
}

static void
hl_token_strip_class_init (HlTokenStripClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  GType type = G_TYPE_FROM_CLASS (klass);
  object_class->set_property = hl_token_strip_set_property;
  object_class->get_property = hl_token_strip_get_property;
  object_class->dispose = hl_token_strip_dispose;
  object_class->finalize = hl_token_strip_finalize;
  widget_class->measure = hl_token_strip_measure;
  widget_class->size_allocate = hl_token_strip_size_allocate;
  widget_class->snapshot = hl_token_strip_snapshot;
  widget_class->state_flags_changed = hl_token_strip_state_flags_changed;
  install_properties (object_class);
  g_signal_new ("token-hovered", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                G_TYPE_NONE, 1, G_TYPE_INT64);
  g_signal_new ("selection-changed", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                G_TYPE_NONE, 2, G_TYPE_POINTER, G_TYPE_UINT);
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_IMG);
  gtk_widget_class_set_css_name (widget_class, "tokenstrip");
}

static void
hl_token_strip_init (HlTokenStrip *self)
{
  self->cursor = self->hovered = self->anchor = self->to_reveal = -1;
  self->show_index = self->show_bar = TRUE;
  self->selected = g_array_new (FALSE, FALSE, sizeof (gint64));
  self->before_drag = g_array_new (FALSE, FALSE, sizeof (gint64));
  self->setter = hl_typesetter_new (hl_theme_light ().font_family);
  self->blocks = g_hash_table_new_full (NULL, NULL, NULL, g_object_unref);
  gtk_widget_set_focusable (GTK_WIDGET (self), TRUE);
  gtk_widget_set_overflow (GTK_WIDGET (self), GTK_OVERFLOW_HIDDEN);
  set_adjustment (self, GTK_ORIENTATION_HORIZONTAL, NULL);
  set_adjustment (self, GTK_ORIENTATION_VERTICAL, NULL);
  hl_token_strip_init_input (self);
}

GtkWidget *
hl_token_strip_new (void)
{
  return g_object_new (HL_TYPE_TOKEN_STRIP, NULL);
}
