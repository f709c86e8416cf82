/* SPDX-License-Identifier: MIT
 * Right: this head on this input. */
#include "config.h"

#include "window/hl-head-panel.h"

#include "document/hl-map-loader.h"
#include "gl/hl-gl.h"
#include "gl/hl-heatmap-view.h"
#include "gl/hl-patch-view.h"
#include "window/hl-attention-table.h"
#include "window/hl-attention-tiles.h"
#include "window/hl-head-note.h"
#include "window/hl-head-numbers.h"
#include "window/hl-token-panel.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#define OVERLAY_HEIGHT 260

struct _HlHeadPanel
{
  GtkWidget parent_instance;
  HlDocument *document;
  GtkWidget *box;
  GtkLabel *title;
  GtkLabel *subtitle;
  GtkWidget *note_place;
  GtkLabel *note_line;
  GtkWidget *note;
  GtkToggleButton *map_button;
  GtkToggleButton *table_button;
  GtkStack *faces; /* of the map: picture and table */
  HlHeatmapView *map_view;
  HlAttentionTable *table;
  GtkWidget *map_line;
  GtkLabel *caption;
  GtkLabel *readout;
  GtkWidget *overlays;
  GtkLabel *to_title;
  GtkLabel *from_title;
  HlPatchView *to_view;
  HlPatchView *from_view;
  HlTokenPanel *tokens;
  HlHeadNumbers *numbers;
  /* The map in the view, and for which question it was read. */
  HlTensor *map;
  HlHeadKey map_head;  /* asked for last */
  HlHeadKey held_head; /* whose map @map is */
  HlAttentionTiles *tiles;
  HlAttentionLines *lines;
  guint caption_source;
  gint64 slice_first; /* what the map was zoomed to last */
  gint64 slice_end;
  GCancellable *cancellable;
};

G_DEFINE_FINAL_TYPE (HlHeadPanel, hl_head_panel, GTK_TYPE_WIDGET)

enum
{
  SHOWN,
  N_SIGNALS,
};

static guint signals[N_SIGNALS];

static gboolean
get_size (HlHeadPanel *self, gint64 *Tq, gint64 *Tk)
{
  HlAttentionSource *source = hl_document_get_source (self->document);
  return source != NULL &&
         hl_attention_source_get_size (
             source, hl_selection_get_head (hl_document_get_selection (self->document)),
             Tq, Tk);
}

/* ---- where the chosen look -----------------------------------------------------------
 */

/* Mean over the chosen tokens of their rows, or of their columns. */
static float *
mean_lines (HlHeadPanel *self, gboolean is_column, gint64 n_out)
{
  guint n;
  const gint64 *chosen =
      hl_selection_get_tokens (hl_document_get_selection (self->document), &n);
  gint64 Tk = self->map->shape.dim[1];
  const float *map = hl_tensor_f32 (self->map);
  float *mean = g_new0 (float, (gsize) n_out);
  for (guint i = 0; i < n; i++)
    for (gint64 j = 0; j < n_out; j++)
      mean[j] +=
          (is_column ? map[j * Tk + chosen[i]] : map[chosen[i] * Tk + j]) / (float) n;
  return mean;
}

static gboolean
chosen_fit (HlHeadPanel *self, gint64 Tq, gint64 Tk)
{
  guint n;
  const gint64 *chosen =
      hl_selection_get_tokens (hl_document_get_selection (self->document), &n);
  for (guint i = 0; i < n; i++)
    if (chosen[i] < 0 || chosen[i] >= Tq || chosen[i] >= Tk)
      return FALSE;
  return n > 0;
}

static void
show_one_overlay (HlHeadPanel *self,
                  HlPatchView *view,
                  GtkLabel *title,
                  const float *weights,
                  gboolean is_from)
{
  HlTrace *trace = hl_document_get_trace (self->document);
  const HlTokenTable *tokens = hl_document_get_tokens (self->document);
  guint n;
  const gint64 *chosen =
      hl_selection_get_tokens (hl_document_get_selection (self->document), &n);
  g_autofree gboolean *selected = g_new0 (gboolean, (gsize) tokens->n_tokens + 1);
  for (guint i = 0; i < n; i++)
    if (chosen[i] < tokens->n_tokens)
      selected[chosen[i]] = TRUE;
  g_autoptr (HlOverlayScene) scene =
      hl_present_overlay (trace, hl_document_get_stack (self->document), weights,
                          selected, is_from, hl_document_get_view (self->document));
  gtk_label_set_text (title, is_from ? _ ("Attended from") : _ ("Attends to"));
  gtk_widget_set_tooltip_text (GTK_WIDGET (title), scene != NULL ? scene->title : NULL);
  gtk_widget_set_tooltip_text (GTK_WIDGET (view),
                               scene != NULL && weights != NULL ? scene->caption : NULL);
  if (scene != NULL)
    g_clear_pointer (&scene->title, g_free); /* it stands above the view */
  hl_patch_view_set_scene (view, scene);
}

static void
show_overlays (HlHeadPanel *self)
{
  HlTrace *trace = hl_document_get_trace (self->document);
  const HlTokenTable *tokens = hl_document_get_tokens (self->document);
  gboolean has_picture = tokens != NULL && tokens->n_columns > 0 && trace->pixels != NULL;
  gtk_widget_set_visible (self->overlays, has_picture);
  if (!has_picture)
    return;
  gint64 Tq = 0, Tk = 0;
  g_autofree float *to = NULL, *from = NULL;
  if (get_size (self, &Tq, &Tk) && chosen_fit (self, Tq, Tk) && Tq == tokens->n_tokens &&
      Tk == tokens->n_tokens)
    {
      if (self->map != NULL)
        {
          to = mean_lines (self, FALSE, Tk);
          from = mean_lines (self, TRUE, Tq);
        }
      else if (self->lines != NULL && self->lines->row != NULL &&
               self->lines->column != NULL)
        {
          to = g_memdup2 (self->lines->row, sizeof (float) * (gsize) Tk);
          from = g_memdup2 (self->lines->column, sizeof (float) * (gsize) Tq);
        }
    }
  show_one_overlay (self, self->to_view, self->to_title, to, FALSE);
  show_one_overlay (self, self->from_view, self->from_title, from, TRUE);
}

static void
lines_read_cb (GObject *object, GAsyncResult *result, gpointer data)
{
  g_autoptr (HlHeadPanel) self = data;
  if (self->document == NULL)
    return;
  HlAttentionLines *lines =
      hl_engine_finish (hl_document_get_engine (self->document), result, NULL);
  if (lines == NULL)
    return;
  g_clear_pointer (&self->lines, hl_attention_lines_free);
  self->lines = lines;
  show_overlays (self);
}

/* ---- map -----------------------------------------------------------------------------
 */

static gboolean
is_same_head (HlHeadKey a, HlHeadKey b)
{
  return a.stack == b.stack && a.layer == b.layer && a.head == b.head;
}

/* What the colours mean; whether all that is seen is exact; and, zoomed out, how entries
 * were joined. */
static void
show_caption (HlHeadPanel *self)
{
  HlMatrixScene *scene = hl_heatmap_view_get_scene (self->map_view);
  if (scene == NULL)
    return;
  const HlMatrixLayout *layout = hl_heatmap_view_get_layout (self->map_view);
  g_autofree char *range = hl_scale_describe (&scene->scale);
  g_autoptr (GString) text = g_string_new (NULL);
  if (self->map == NULL && !hl_heatmap_view_get_is_complete (self->map_view))
    g_string_append (text, _ ("Not all exact yet · "));
  g_string_append (text, range);
  HlView view = layout->view;
  double across = (view.x1 - view.x0) / MAX (layout->cells.width, 1);
  double down = (view.y1 - view.y0) / MAX (layout->cells.height, 1);
  /* Tiles are joined alike both ways; of a map that is drawn out each side is. */
  if (self->map == NULL)
    across = down = MAX (across, down);
  if (MAX (across, down) > 1.01)
    g_string_append_printf (text, _ (" · a dot is the largest of %d × %d"),
                            (int) ceil (down - 1e-3), (int) ceil (across - 1e-3));
  gtk_label_set_text (self->caption, text->str);
}

static gboolean
show_caption_cb (gpointer data)
{
  HlHeadPanel *self = data;
  self->caption_source = 0;
  show_caption (self);
  return G_SOURCE_REMOVE;
}

/* The view may be in the middle of a layout, in which a label may not change. */
static void
queue_caption (HlHeadPanel *self)
{
  if (self->caption_source == 0)
    self->caption_source = g_idle_add (show_caption_cb, self);
}

static void
show_map (HlHeadPanel *self)
{
  gint64 Tq = 0, Tk = 0;
  HlTraceSummary *summary = hl_document_get_summary (self->document);
  const HlPlace *place =
      hl_selection_get_place (hl_document_get_selection (self->document));
  if (summary == NULL || !get_size (self, &Tq, &Tk))
    {
      hl_heatmap_view_set_scene (self->map_view, NULL);
      gtk_label_set_text (self->caption, "");
      return;
    }
  HlHeadKey key = { place->stack, place->layer, place->head };
  if (self->map == NULL && self->tiles == NULL)
    return; /* on its way */
  if (self->map != NULL && !is_same_head (key, self->held_head))
    return; /* another head's map does not get this one's name; its own is on its way */
  g_autoptr (HlMatrixScene) scene = hl_present_matrix (
      summary, key, Tq, Tk, self->map != NULL ? hl_tensor_f32 (self->map) : NULL,
      hl_document_get_view (self->document), place->query, place->key);
  if (self->map == NULL)
    hl_heatmap_view_set_tile_source (self->map_view, HL_TILE_SOURCE (self->tiles));
  hl_heatmap_view_set_scene (self->map_view, scene);
  show_caption (self);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->caption), scene->caption);
  g_signal_emit (self, signals[SHOWN], 0);
}

static void
show_title (HlHeadPanel *self)
{
  const HlPlace *place =
      hl_selection_get_place (hl_document_get_selection (self->document));
  HlTrace *trace = hl_document_get_trace (self->document);
  HlHeadKey key = { place->stack, place->layer, place->head };
  g_autofree char *title =
      trace != NULL ? hl_present_head_title (trace, key)
                    : g_strdup_printf (_ ("Layer %d · head %d"), key.layer, key.head);
  gboolean is_ablated = hl_selection_is_ablated (
      hl_document_get_selection (self->document), place->layer, place->head);
  gtk_label_set_text (self->title, title);
  gtk_label_set_text (self->subtitle, is_ablated ? _ ("set to zero after this map")
                                                 : _ ("rows: queries · columns: keys"));
}

static void
take_map (HlHeadPanel *self, HlTensor *map, HlHeadKey head)
{
  g_clear_pointer (&self->map, hl_tensor_unref);
  self->map = map;
  self->held_head = head;
  show_map (self);
  show_overlays (self);
}

static void
map_read_cb (GObject *object, GAsyncResult *result, gpointer data)
{
  g_autoptr (HlHeadPanel) self = data;
  if (self->document == NULL)
    return;
  g_autoptr (GError) error = NULL;
  HlTensor *map =
      hl_engine_finish (hl_document_get_engine (self->document), result, &error);
  if (map == NULL)
    return; /* cancelled: another question was asked since */
  take_map (self, map, self->map_head);
}

static void
ask_for_lines (HlHeadPanel *self, HlHeadKey head)
{
  const HlPlace *place =
      hl_selection_get_place (hl_document_get_selection (self->document));
  g_clear_pointer (&self->lines, hl_attention_lines_free);
  if (self->map == NULL && place->query >= 0)
    hl_engine_read_lines_async (hl_document_get_engine (self->document),
                                hl_document_get_source (self->document), head,
                                place->query, place->query, self->cancellable,
                                lines_read_cb, g_object_ref (self));
}

/* The old map stays in sight until the new one is there. */
static void
ask_for_map (HlHeadPanel *self)
{
  gint64 Tq = 0, Tk = 0;
  HlHeadKey head = hl_selection_get_head (hl_document_get_selection (self->document));
  g_cancellable_cancel (self->cancellable);
  g_object_unref (self->cancellable);
  self->cancellable = g_cancellable_new ();
  show_title (self);
  hl_head_numbers_show_head (self->numbers);
  if (!get_size (self, &Tq, &Tk))
    {
      g_clear_pointer (&self->map, hl_tensor_unref);
      show_map (self);
      show_overlays (self);
      return;
    }
  self->map_head = head;
  if (MAX (Tq, Tk) <= HL_MATRIX_VALUES_MAX)
    {
      g_clear_object (&self->tiles); /* they may be of a longer map, in tokens */
      HlTensor *stored =
          hl_map_load_stored (hl_document_get_source (self->document), head);
      if (stored != NULL)
        {
          take_map (self, stored, head);
          return;
        }
      hl_map_load_async (hl_document_get_engine (self->document),
                         hl_document_get_source (self->document), head, self->cancellable,
                         map_read_cb, g_object_ref (self));
      return;
    }
  g_clear_pointer (&self->map, hl_tensor_unref);
  g_clear_object (&self->tiles);
  self->tiles = hl_attention_tiles_new (hl_document_get_engine (self->document),
                                        hl_document_get_source (self->document), head,
                                        hl_document_get_view (self->document));
  show_map (self);
  ask_for_lines (self, head);
  show_overlays (self);
}

/* ---- signals -------------------------------------------------------------------------
 */

static void
trace_changed_cb (HlHeadPanel *self)
{
  g_clear_pointer (&self->map, hl_tensor_unref);
  ask_for_map (self);
}

/* A slice of the text is what the map is zoomed to when it is chosen; from there a person
 * goes where they like. */
static void
follow_slice (HlHeadPanel *self)
{
  const HlViewOptions *view = hl_document_get_view (self->document);
  if (view->first_token == self->slice_first && view->end_token == self->slice_end)
    return;
  self->slice_first = view->first_token;
  self->slice_end = view->end_token;
  if (view->end_token > 0)
    hl_heatmap_view_show (self->map_view, view->first_token, view->end_token,
                          view->first_token, view->end_token);
  else
    hl_heatmap_view_fit (self->map_view);
}

static void
view_changed_cb (HlHeadPanel *self)
{
  if (self->map == NULL)
    ask_for_map (self);
  else
    show_map (self);
  show_overlays (self);
  follow_slice (self);
}

/* A layer that came in may hold the shared maximum, and this head's numbers. */
static void
layer_ready_cb (HlHeadPanel *self, int layer)
{
  hl_head_numbers_show_head (self->numbers);
  if (layer < 0 || layer == self->map_head.layer)
    show_map (self);
}

static void
selection_changed_cb (HlHeadPanel *self, guint parts)
{
  if (parts & HL_SELECTION_HEAD)
    ask_for_map (self);
  else if (parts & HL_SELECTION_TOKENS)
    {
      const HlPlace *place =
          hl_selection_get_place (hl_document_get_selection (self->document));
      HlMatrixScene *scene = hl_heatmap_view_get_scene (self->map_view);
      if (scene != NULL &&
          (scene->selected_row != place->query || scene->selected_column != place->key))
        show_map (self);
      ask_for_lines (self, self->map_head);
      show_overlays (self);
    }
  if (parts & HL_SELECTION_ABLATED)
    show_title (self);
}

static void
table_toggled_cb (GtkToggleButton *button, HlHeadPanel *self)
{
  gboolean is_table = gtk_toggle_button_get_active (button);
  gtk_stack_set_visible_child (self->faces, is_table ? GTK_WIDGET (self->table)
                                                     : GTK_WIDGET (self->map_view));
  /* It keeps its place: nothing below moves. */
  gtk_widget_set_opacity (self->map_line, is_table ? 0 : 1);
}

void
hl_head_panel_switch_table (HlHeadPanel *self)
{
  /* Of two in a group the one that is to be seen is pressed; neither is let go alone. */
  gboolean is_table = gtk_toggle_button_get_active (self->table_button);
  gtk_toggle_button_set_active (is_table ? self->map_button : self->table_button, TRUE);
}

static void
cell_activated_cb (HlHeatmapView *view, gint64 row, gint64 column, HlHeadPanel *self)
{
  hl_selection_set_cell (hl_document_get_selection (self->document), row, column);
}

static void
cell_hovered_cb (
    HlHeatmapView *view, gint64 row, gint64 column, double value, HlHeadPanel *self)
{
  HlTrace *trace = hl_document_get_trace (self->document);
  if (trace == NULL || row < 0 || column < 0)
    {
      gtk_label_set_text (self->readout, "");
      return;
    }
  int stack = hl_document_get_stack (self->document);
  g_autofree char *query = hl_present_token (trace, stack, row);
  g_autofree char *key = hl_present_token (
      trace, hl_model_info_get_stack (trace->model, stack)->key_stack, column);
  g_autofree char *text =
      isnan (value) ? g_strdup_printf (_ ("%s → %s: not applicable"), query, key)
                    : g_strdup_printf ("%s → %s: %.5f", query, key, value);
  gtk_label_set_text (self->readout, text);
}

/* Both overlays take picks: they mean the same patches as the input picture. */
static void
patches_changed_cb (HlPatchView *view, gpointer selected, guint n, HlHeadPanel *self)
{
  const HlTokenTable *tokens = hl_document_get_tokens (self->document);
  const gboolean *chosen = selected;
  g_autoptr (GArray) list = g_array_new (FALSE, FALSE, sizeof (gint64));
  for (guint i = 0; tokens != NULL && i < n; i++)
    if (chosen[i])
      {
        gint64 token = hl_token_table_find_patch (tokens, (int) i / tokens->n_columns,
                                                  (int) i % tokens->n_columns);
        g_array_append_val (list, token);
      }
  hl_selection_set_tokens (hl_document_get_selection (self->document),
                           (const gint64 *) (gpointer) list->data, list->len);
}

static void
position_changed_cb (HlTokenPanel *tokens, gint64 position, HlHeadPanel *self)
{
  if (self->document != NULL)
    hl_head_numbers_show_next (self->numbers, position);
}

void
hl_head_panel_set_document (HlHeadPanel *self, HlDocument *document)
{
  g_return_if_fail (self->document == NULL);
  self->document = g_object_ref (document);
  hl_head_numbers_set_document (self->numbers, document);
  hl_attention_table_set_document (self->table, document);
  self->note = hl_head_note_button_new (document, self->note_line);
  gtk_box_append (GTK_BOX (self->note_place), self->note);
  g_signal_connect_object (document, "trace-changed", G_CALLBACK (trace_changed_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (document, "layer-ready", G_CALLBACK (layer_ready_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (document, "view-changed", G_CALLBACK (view_changed_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (hl_document_get_selection (document), "changed",
                           G_CALLBACK (selection_changed_cb), self, G_CONNECT_SWAPPED);
  trace_changed_cb (self);
  hl_token_panel_set_document (self->tokens, document);
}

void
hl_head_panel_write_note (HlHeadPanel *self)
{
  gtk_menu_button_popup (GTK_MENU_BUTTON (self->note));
}

void
hl_head_panel_set_is_dark (HlHeadPanel *self, gboolean is_dark)
{
  hl_heatmap_view_set_is_dark (self->map_view, is_dark);
  hl_patch_view_set_is_dark (self->to_view, is_dark);
  hl_patch_view_set_is_dark (self->from_view, is_dark);
  hl_token_panel_set_is_dark (self->tokens, is_dark);
}

const char *
hl_head_panel_get_gl_message (HlHeadPanel *self)
{
  return hl_heatmap_view_get_gl_message (self->map_view);
}

void
hl_head_panel_step (HlHeadPanel *self, int by)
{
  hl_token_panel_step (self->tokens, by);
}

void
hl_head_panel_prepare_gl (HlHeadPanel *self)
{
  hl_gl_prepare (GTK_WIDGET (self->map_view));
}

static void
hl_head_panel_dispose (GObject *object)
{
  HlHeadPanel *self = HL_HEAD_PANEL (object);
  if (self->cancellable != NULL)
    g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  g_clear_handle_id (&self->caption_source, g_source_remove);
  g_clear_object (&self->document);
  g_clear_object (&self->tiles);
  g_clear_pointer (&self->map, hl_tensor_unref);
  g_clear_pointer (&self->lines, hl_attention_lines_free);
  g_clear_pointer (&self->box, gtk_widget_unparent);
  G_OBJECT_CLASS (hl_head_panel_parent_class)->dispose (object);
}

static void
hl_head_panel_class_init (HlHeadPanelClass *klass)
{
  GtkWidgetClass *widget = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = hl_head_panel_dispose;
  signals[SHOWN] = g_signal_new ("shown", HL_TYPE_HEAD_PANEL, G_SIGNAL_RUN_LAST, 0, NULL,
                                 NULL, NULL, G_TYPE_NONE, 0);
  g_type_ensure (HL_TYPE_ATTENTION_TABLE);
  g_type_ensure (HL_TYPE_HEATMAP_VIEW);
  g_type_ensure (HL_TYPE_PATCH_VIEW);
  g_type_ensure (HL_TYPE_TOKEN_PANEL);
  g_type_ensure (HL_TYPE_HEAD_NUMBERS);
  gtk_widget_class_set_template_from_resource (
      widget, "/org/headlight/Headlight/ui/hl-head-panel.ui");
  gtk_widget_class_set_layout_manager_type (widget, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_bind_template_child (widget, HlHeadPanel, box);
  gtk_widget_class_bind_template_child (widget, HlHeadPanel, title);
  gtk_widget_class_bind_template_child (widget, HlHeadPanel, subtitle);
  gtk_widget_class_bind_template_child (widget, HlHeadPanel, note_place);
  gtk_widget_class_bind_template_child (widget, HlHeadPanel, note_line);
  gtk_widget_class_bind_template_child (widget, HlHeadPanel, map_button);
  gtk_widget_class_bind_template_child (widget, HlHeadPanel, table_button);
  gtk_widget_class_bind_template_child (widget, HlHeadPanel, faces);
  gtk_widget_class_bind_template_child (widget, HlHeadPanel, map_view);
  gtk_widget_class_bind_template_child (widget, HlHeadPanel, table);
  gtk_widget_class_bind_template_child (widget, HlHeadPanel, map_line);
  gtk_widget_class_bind_template_child (widget, HlHeadPanel, caption);
  gtk_widget_class_bind_template_child (widget, HlHeadPanel, readout);
  gtk_widget_class_bind_template_child (widget, HlHeadPanel, overlays);
  gtk_widget_class_bind_template_child (widget, HlHeadPanel, to_title);
  gtk_widget_class_bind_template_child (widget, HlHeadPanel, from_title);
  gtk_widget_class_bind_template_child (widget, HlHeadPanel, to_view);
  gtk_widget_class_bind_template_child (widget, HlHeadPanel, from_view);
  gtk_widget_class_bind_template_child (widget, HlHeadPanel, numbers);
  gtk_widget_class_bind_template_child (widget, HlHeadPanel, tokens);
  gtk_widget_class_bind_template_callback (widget, table_toggled_cb);
  gtk_widget_class_bind_template_callback (widget, cell_activated_cb);
  gtk_widget_class_bind_template_callback (widget, cell_hovered_cb);
  gtk_widget_class_bind_template_callback (widget, patches_changed_cb);
  gtk_widget_class_bind_template_callback (widget, position_changed_cb);
}

static void
hl_head_panel_init (HlHeadPanel *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  self->cancellable = g_cancellable_new ();
  /* On a wide window the map is to grow, not the pictures below it. */
  hl_patch_view_set_max_height (self->to_view, OVERLAY_HEIGHT);
  g_signal_connect_object (self->map_view, "view-changed", G_CALLBACK (queue_caption),
                           self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->map_view, "notify::is-complete",
                           G_CALLBACK (queue_caption), self, G_CONNECT_SWAPPED);
  hl_patch_view_set_max_height (self->from_view, OVERLAY_HEIGHT);
}
