/* SPDX-License-Identifier: MIT
 * Single keys, typing of "5.1", and files dropped on the window. */
#include "config.h"

#include "gl/hl-scatter-view.h"
#include "window/hl-window-private.h"

static gboolean
is_writing (HlWindow *self)
{
  GtkWidget *focus = gtk_window_get_focus (GTK_WINDOW (self));
  return focus != NULL && (GTK_IS_EDITABLE (focus) || GTK_IS_TEXT_VIEW (focus));
}

static void
go_layers (HlWindow *self, int step)
{
  HlTrace *trace = hl_document_get_trace (self->document);
  HlSelection *selection = hl_document_get_selection (self->document);
  const HlStack *stack =
      trace != NULL
          ? hl_model_info_get_stack (trace->model, hl_document_get_stack (self->document))
          : NULL;
  const HlPlace *place = hl_selection_get_place (selection);
  int layer = place->layer + step;
  if (stack == NULL || layer < 0 || layer >= stack->n_layers)
    return;
  hl_selection_set_head (selection, layer,
                         MIN (place->head, stack->layers[layer].n_heads - 1));
}

static gboolean
single_key (HlWindow *self, guint keyval)
{
  static const struct
  {
    guint keyval;
    const char *action;
  } keys[] = {
    { GDK_KEY_a, "win.ablate" },      { GDK_KEY_p, "win.pin" },
    { GDK_KEY_l, "win.cycle-range" }, { GDK_KEY_s, "win.switch-special" },
    { GDK_KEY_e, "win.export" },      { GDK_KEY_t, "win.switch-table" },
    { GDK_KEY_n, "win.write-note" },  { GDK_KEY_w, "win.switch-words" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    if (gdk_keyval_to_lower (keyval) == keys[i].keyval)
      {
        gtk_widget_activate_action (GTK_WIDGET (self), keys[i].action, NULL);
        return TRUE;
      }
  if (keyval == GDK_KEY_bracketleft || keyval == GDK_KEY_bracketright)
    {
      go_layers (self, keyval == GDK_KEY_bracketleft ? -1 : 1);
      return TRUE;
    }
  if (keyval == GDK_KEY_less || keyval == GDK_KEY_greater)
    {
      hl_head_panel_step (self->head, keyval == GDK_KEY_less ? -1 : 1);
      return TRUE;
    }
  gunichar character = gdk_keyval_to_unicode (keyval);
  if (g_unichar_isdigit (character) && character < 128 &&
      hl_document_get_trace (self->document) != NULL)
    {
      const char text[] = { (char) character, '\0' };
      /* There is what is typed into. */
      gtk_stack_set_visible_child_name (self->pages, "heads");
      hl_heads_panel_start_typing (self->heads, text);
      return TRUE;
    }
  return FALSE;
}

static gboolean
key_pressed_cb (GtkEventControllerKey *controller,
                guint keyval,
                guint keycode,
                GdkModifierType state,
                HlWindow *self)
{
  if ((state & (GDK_CONTROL_MASK | GDK_ALT_MASK | GDK_SUPER_MASK)) != 0)
    return GDK_EVENT_PROPAGATE;
  if (is_writing (self))
    {
      /* Out of the text, back to the heads. */
      if (keyval != GDK_KEY_Escape)
        return GDK_EVENT_PROPAGATE;
      hl_heads_panel_grab_grid (self->heads);
      return GDK_EVENT_STOP;
    }
  GtkWidget *focus = gtk_window_get_focus (GTK_WINDOW (self));
  gsize n_dots;
  if (keyval == GDK_KEY_Escape && focus != NULL && HL_IS_SCATTER_VIEW (focus) &&
      hl_scatter_view_get_marked (HL_SCATTER_VIEW (focus), &n_dots) != NULL)
    return GDK_EVENT_PROPAGATE; /* it takes its lasso away */
  gboolean is_saliency =
      g_strcmp0 (gtk_stack_get_visible_child_name (self->pages), "saliency") == 0;
  if (keyval == GDK_KEY_Escape && is_saliency && hl_saliency_panel_clear (self->saliency))
    return GDK_EVENT_STOP;
  if (is_saliency && gdk_keyval_to_lower (keyval) == GDK_KEY_b)
    {
      hl_saliency_panel_blink (self->saliency);
      return GDK_EVENT_STOP;
    }
  if (keyval == GDK_KEY_Escape)
    {
      hl_selection_set_query (hl_document_get_selection (self->document), -1);
      return GDK_EVENT_STOP;
    }
  return single_key (self, keyval);
}

static gboolean
dropped_cb (
    GtkDropTarget *target, const GValue *value, double x, double y, HlWindow *self)
{
  GSList *files = g_value_get_boxed (value);
  if (files == NULL)
    return FALSE;
  for (GSList *l = files; l != NULL; l = l->next)
    {
      g_autofree char *path = g_file_get_path (l->data);
      if (path != NULL)
        hl_window_open (self, path);
    }
  return TRUE;
}

void
hl_window_add_keys (HlWindow *self)
{
  GtkEventController *keys = gtk_event_controller_key_new ();
  /* In the capture phase: a letter would otherwise be typed into a list's search. */
  gtk_event_controller_set_propagation_phase (keys, GTK_PHASE_CAPTURE);
  g_signal_connect_object (keys, "key-pressed", G_CALLBACK (key_pressed_cb), self, 0);
  gtk_widget_add_controller (GTK_WIDGET (self), keys);
  GtkDropTarget *drop = gtk_drop_target_new (GDK_TYPE_FILE_LIST, GDK_ACTION_COPY);
  g_signal_connect_object (drop, "drop", G_CALLBACK (dropped_cb), self, 0);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (drop));
}
