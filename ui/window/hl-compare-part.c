/* SPDX-License-Identifier: MIT
 * Attention and saliency on one input. */
#include "config.h"

#include "window/hl-compare-part.h"

#include "draw/hl-token-layout.h"
#include "gl/hl-patch-view.h"
#include "gl/hl-split-view.h"
#include "gl/hl-token-strip.h"
#include "window/hl-saliency-options.h"
#include "window/hl-score-page.h"
#include "window/hl-sound.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

/* A picture is as large as fits into a square of this side. */
#define PICTURE_SIDE 300
/* Lines of tokens that are in sight at most; more scroll. */
#define LINES_MOST 6
/* A guess that fits the widths tokens have as a rule. */
#define TOKENS_A_LINE 10
#define BAR_HEIGHT 54
/* Tokens up to which a text may be shorter than a line of so many pixels. */
#define SHORT_TEXT 60
#define LINE_MOST 420
#define NARROWEST 240

struct _HlComparePart
{
  GtkWidget parent_instance;
  HlDocument *document;
  GtkWidget *box;
  HlSplitView *split;
  HlPatchView *pictures[2]; /* by HlCompareSide */
  HlTokenStrip *strips[2];
  GtkWidget *scrollers[2];
  GtkLabel *caption;
  GtkWidget *sound_row;
  GtkToggleButton *plays;
  GtkLabel *sound_words;
  HlSound *sound;
  GtkLabel *outputs_title;
  HlTokenStrip *outputs;
  GtkWidget *outputs_box;
  HlCrossResult *result;
  HlTokenList *keys, *names;
  HlTrace *trace;
  int target;
  gboolean *region; /* (n_keys) */
  gint64 of_region;
  char *heads; /* (nullable): whose attention */
  gboolean is_filling;
  gboolean is_fresh; /* another input than before */
};

G_DEFINE_FINAL_TYPE (HlComparePart, hl_compare_part, GTK_TYPE_WIDGET)

/* The trace in tokens, which results are of. */
static HlTrace *
trace_of (HlDocument *document)
{
  HlTrace *shown = hl_document_get_trace (document);
  return shown != NULL && shown->pieces != NULL ? shown->pieces : shown;
}

HlCompare
hl_compare_part_get (HlComparePart *self)
{
  return (HlCompare){ self->trace,
                      self->result,
                      hl_document_get_cross_map (self->document),
                      self->target,
                      self->of_region > 0 ? self->region : NULL,
                      self->of_region,
                      self->heads };
}

/* ---- showing -------------------------------------------------------------------------
 */

static void
drop_result (HlComparePart *self)
{
  hl_sound_stop (self->sound);
  g_clear_pointer (&self->result, hl_cross_result_unref);
  g_clear_pointer (&self->trace, hl_trace_unref);
  g_clear_pointer (&self->keys, hl_token_list_unref);
  g_clear_pointer (&self->names, hl_token_list_unref);
  g_clear_pointer (&self->region, g_free);
  self->of_region = 0;
}

static void
set_lines (GtkWidget *scroller, gint64 n_tokens, int line_height, int more)
{
  int n = (int) CLAMP ((n_tokens + TOKENS_A_LINE - 1) / TOKENS_A_LINE, 1, LINES_MOST);
  gtk_scrolled_window_set_min_content_height (GTK_SCROLLED_WINDOW (scroller),
                                              n * line_height + more);
}

/* Where there is but one output it is always the one that is looked at. */
static int
only_target (const HlCrossResult *result)
{
  return result->comparison->n_targets == 1 ? 0 : -1;
}

/* Another result of as many outputs keeps the one that is picked: it is the same input
 * explained another way. */
static void
take_result (HlComparePart *self, HlCrossResult *result, HlTrace *trace)
{
  int n_before = self->result != NULL ? self->result->comparison->n_targets : 0;
  if (result == self->result && trace == self->trace)
    return;
  drop_result (self);
  self->result = hl_cross_result_ref (result);
  self->trace = hl_trace_ref (trace);
  self->region = g_new0 (gboolean, (gsize) result->comparison->n_keys + 1);
  if (n_before != result->comparison->n_targets)
    self->target = only_target (result);
  self->is_fresh = TRUE;
  HlCompare c = hl_compare_part_get (self);
  const HlTokenTable *keys = hl_compare_get_keys (&c);
  self->keys = hl_present_token_list (keys, NULL, 0, 0);
  self->names = hl_compare_list_outputs (&c);
  set_lines (self->scrollers[0], keys->n_tokens, 35, 6);
  set_lines (self->scrollers[1], keys->n_tokens, 35, 6);
  /* With room for the bar, which comes with a region: nothing moves then. */
  set_lines (self->outputs_box, self->names->n, 25, self->names->n > 1 ? BAR_HEIGHT : 6);
}

/* (transfer full): by which choice, where it is not all heads. */
static char *
describe_heads (HlComparePart *self, const HlCompare *c)
{
  HlCrossHeads which;
  const GArray *heads = hl_document_get_cross_map_heads (self->document, &which);
  if (c->map == NULL || heads == NULL)
    return NULL;
  g_autofree char *names =
      hl_compare_list_heads ((const HlHeadKey *) (gpointer) heads->data, heads->len);
  if (which == HL_CROSS_HEADS_SELECTED)
    return g_strdup_printf (_ ("head %s"), names);
  if (which == HL_CROSS_HEADS_PINNED)
    return g_strdup_printf (_ ("mean of the pinned heads %s"), names);
  if (which == HL_CROSS_HEADS_ALIGNMENT)
    return g_strdup_printf (_ ("mean of the alignment heads %s"), names);
  return g_strdup_printf (_ ("head %s, the best of %d by r"), names,
                          hl_compare_count_heads (c));
}

/* Of a choice that stands for no head all are shown. */
static gboolean
is_of_none (HlComparePart *self, const HlCompare *c)
{
  HlCrossHeads which = hl_document_get_cross_heads (self->document);
  g_autoptr (GArray) heads = hl_document_list_cross_heads (self->document, which);
  return which != HL_CROSS_HEADS_ALL && heads->len == 0 && !c->result->options.by_norm;
}

static void
show_caption (HlComparePart *self, const HlCompare *c)
{
  g_autofree char *caption = hl_compare_caption (c);
  g_autofree char *text = g_strconcat (
      caption, is_of_none (self, c) ? _ (" There is no head of that choice.") : "", NULL);
  gtk_label_set_text (self->caption, text);
}

/* A picture keeps its form, in the middle; what has lines takes the width. */
static void
set_form (HlComparePart *self, HlCompareKind kind, const HlOverlayScene *picture)
{
  GtkWidget *split = GTK_WIDGET (self->split);
  int width = -1;
  if (kind == HL_COMPARE_PICTURE)
    width = MIN (PICTURE_SIDE, PICTURE_SIDE * picture->width / MAX (picture->height, 1));
  for (int side = 0; width > 0 && side < 2; side++)
    hl_patch_view_set_max_height (self->pictures[side], PICTURE_SIDE);
  gtk_widget_set_size_request (split, width, -1);
  gtk_widget_set_halign (split, width > 0 ? GTK_ALIGN_CENTER : GTK_ALIGN_FILL);
}

/* A short text does not fill the column: what parts it lies in its middle. */
static void
set_form_of_text (HlComparePart *self, const HlTokenScene *scene)
{
  HlTheme theme = hl_theme_light ();
  HlTokenLayout layout = { 0 };
  if (scene->tokens->n <= SHORT_TEXT)
    hl_token_layout_compute (&layout, scene, &theme, LINE_MOST, HL_TOKEN_FLOW,
                             HL_TOKENS_INDEX);
  double used = 0;
  for (gint64 i = 0; i < scene->tokens->n && scene->tokens->n <= SHORT_TEXT; i++)
    {
      HlRect at = hl_token_layout_rect (&layout, i);
      used = fmax (used, at.x + at.width);
    }
  gboolean is_short = used > 0 && used < LINE_MOST - 2 * theme.font_size;
  int width = is_short ? (int) fmax (used + 8, NARROWEST) : -1;
  hl_token_layout_clear (&layout);
  gtk_widget_set_size_request (GTK_WIDGET (self->split), width, -1);
  gtk_widget_set_halign (GTK_WIDGET (self->split),
                         is_short ? GTK_ALIGN_START : GTK_ALIGN_FILL);
  if (self->is_fresh)
    hl_split_view_set_split (self->split, is_short ? used / 2 / width : 0.5);
  self->is_fresh = FALSE;
}

static void
show_input (HlComparePart *self, const HlCompare *c)
{
  const HlViewOptions *view = hl_document_get_view (self->document);
  HlScale scales[2];
  gboolean is_text = hl_compare_kind (c) == HL_COMPARE_TOKENS;
  for (int side = 0; side < 2; side++)
    {
      if (is_text)
        {
          g_autoptr (HlTokenScene) scene =
              hl_compare_tokens (c, (HlCompareSide) side, self->keys, view);
          scales[side] = scene->scale;
          hl_token_strip_set_scene (self->strips[side], scene);
          set_form_of_text (self, scene);
          continue;
        }
      g_autoptr (HlOverlayScene) scene =
          hl_compare_overlay (c, (HlCompareSide) side, view);
      if (scene == NULL)
        return;
      scales[side] = scene->scale;
      hl_patch_view_set_scene (self->pictures[side], scene);
      hl_split_view_set_time (self->split, scene->begin_s, scene->end_s);
      set_form (self, hl_compare_kind (c), scene);
    }
  if (is_text)
    {
      hl_split_view_set_children (self->split, self->scrollers[0], self->scrollers[1]);
      hl_split_view_set_time (self->split, 0, 0);
    }
  else
    hl_split_view_set_children (self->split, GTK_WIDGET (self->pictures[0]),
                                GTK_WIDGET (self->pictures[1]));
  hl_split_view_set_scales (self->split, &scales[0], &scales[1]);
  gtk_widget_set_visible (self->sound_row, hl_compare_kind (c) == HL_COMPARE_RECORDING);
}

static void
show_outputs (HlComparePart *self, const HlCompare *c)
{
  const HlViewOptions *view = hl_document_get_view (self->document);
  g_autoptr (HlTokenScene) scene = hl_compare_outputs (c, self->names, view);
  g_autofree char *words = NULL;
  int n = c->result->comparison->n_targets;
  hl_token_strip_set_scene (self->outputs, scene);
  if (c->of_region > 0 && c->target >= 0)
    words = g_strdup_printf (
        _ ("Outputs: the chosen region has %.0f %% of this one's saliency and %.0f %% of "
           "its attention"),
        100 * hl_compare_region_share (c, HL_COMPARE_SALIENCY, c->target),
        100 * hl_compare_region_share (c, HL_COMPARE_ATTENTION, c->target));
  else if (c->of_region > 0)
    words = g_strdup (_ ("Outputs: coloured by how much of their saliency lies in the "
                         "chosen region"));
  else
    words = g_strdup (n > 1 ? _ ("Outputs. Click one for its rows; click the input "
                                 "to see which rest on it.")
                            : _ ("Output"));
  gtk_label_set_text (self->outputs_title, words);
}

static void
show_all (HlComparePart *self)
{
  HlCompare c = hl_compare_part_get (self);
  g_free (self->heads);
  c.heads = self->heads = describe_heads (self, &c);
  self->is_filling = TRUE;
  show_input (self, &c);
  show_outputs (self, &c);
  show_caption (self, &c);
  self->is_filling = FALSE;
}

gboolean
hl_compare_part_show (HlComparePart *self)
{
  HlCrossResult *result = hl_document_get_cross (self->document);
  HlTrace *trace = trace_of (self->document);
  gtk_widget_set_visible (GTK_WIDGET (self), result != NULL && trace != NULL);
  if (result == NULL || trace == NULL)
    {
      drop_result (self);
      return FALSE;
    }
  take_result (self, result, trace);
  show_all (self);
  return TRUE;
}

/* ---- sound ---------------------------------------------------------------------------
 */

static void
moved_cb (HlSound *sound, double at_s, HlComparePart *self)
{
  hl_split_view_set_playhead (self->split, at_s);
}

static void
failed_cb (HlSound *sound, const char *message, HlComparePart *self)
{
  g_autofree char *text = g_strdup_printf (
      _ ("No sound: %s (GTK plays it by its media module, libgtk-4-media-gstreamer)"),
      message);
  gtk_label_set_text (self->sound_words, text);
}

static void
play_from (HlComparePart *self, gint64 key)
{
  HlCompare c = hl_compare_part_get (self);
  if (hl_compare_kind (&c) != HL_COMPARE_RECORDING ||
      !gtk_toggle_button_get_active (self->plays))
    return;
  const HlTokenTable *keys = hl_compare_get_keys (&c);
  gtk_label_set_text (self->sound_words, "");
  hl_sound_play (self->sound, c.trace->input_path, keys->tokens[key].start,
                 keys->tokens[hl_compare_n_shown (&c) - 1].end);
}

static void
plays_cb (HlComparePart *self)
{
  if (!gtk_toggle_button_get_active (self->plays))
    hl_sound_stop (self->sound);
}

/* ---- picking -------------------------------------------------------------------------
 */

static void
chosen (HlComparePart *self)
{
  show_all (self);
  g_signal_emit_by_name (self, "chosen");
}

void
hl_compare_part_set_target (HlComparePart *self, int target)
{
  if (self->result == NULL)
    return;
  if (target < 0 || target >= self->result->comparison->n_targets)
    target = only_target (self->result);
  self->target = target;
  chosen (self);
}

static void
outputs_cb (HlTokenStrip *strip, const gint64 *tokens, guint n, HlComparePart *self)
{
  if (!self->is_filling)
    hl_compare_part_set_target (self, n > 0 ? (int) tokens[n - 1] : -1);
}

static void
begin_region (HlComparePart *self)
{
  memset (self->region, 0, sizeof (gboolean) * (gsize) self->result->comparison->n_keys);
  self->of_region = 0;
}

static void
add_key (HlComparePart *self, gint64 key)
{
  if (key < 0 || key >= self->result->comparison->n_keys || self->region[key])
    return;
  self->region[key] = TRUE;
  self->of_region++;
}

static void
tokens_cb (HlTokenStrip *strip, const gint64 *tokens, guint n, HlComparePart *self)
{
  if (self->is_filling || self->result == NULL)
    return;
  begin_region (self);
  for (guint i = 0; i < n; i++)
    add_key (self, tokens[i]);
  chosen (self);
}

static void
cells_cb (HlPatchView *view, const gboolean *selected, guint n, HlComparePart *self)
{
  HlCompareSide side =
      view == self->pictures[0] ? HL_COMPARE_ATTENTION : HL_COMPARE_SALIENCY;
  gint64 earliest = G_MAXINT64;
  if (self->is_filling || self->result == NULL)
    return;
  HlCompare c = hl_compare_part_get (self);
  gint64 had = self->of_region, n_shown = hl_compare_n_shown (&c);
  begin_region (self);
  for (guint i = 0; i < n; i++)
    if (selected[i])
      {
        gint64 first, end;
        hl_compare_cell_keys (&c, side, n_shown, i, &first, &end);
        for (gint64 key = first; key < end; key++)
          add_key (self, key);
        earliest = MIN (earliest, first);
      }
  /* While a region is drawn larger the sound goes on. */
  if (self->of_region > 0 && (had == 0 || self->of_region <= had))
    play_from (self, earliest);
  chosen (self);
}

void
hl_compare_part_blink (HlComparePart *self)
{
  hl_split_view_blink (self->split);
}

gboolean
hl_compare_part_clear (HlComparePart *self)
{
  if (self->result == NULL)
    return FALSE;
  if (hl_split_view_get_shown (self->split) != HL_SPLIT_BOTH)
    hl_split_view_set_shown (self->split, HL_SPLIT_BOTH);
  else if (self->of_region > 0)
    {
      hl_sound_stop (self->sound);
      begin_region (self);
      hl_patch_view_clear (self->pictures[0]);
      hl_patch_view_clear (self->pictures[1]);
      chosen (self);
    }
  else if (self->target != only_target (self->result))
    hl_compare_part_set_target (self, -1);
  else
    return FALSE;
  return TRUE;
}

void
hl_compare_part_set_is_dark (HlComparePart *self, gboolean is_dark)
{
  hl_split_view_set_is_dark (self->split, is_dark);
  hl_token_strip_set_is_dark (self->outputs, is_dark);
  for (int side = 0; side < 2; side++)
    {
      hl_patch_view_set_is_dark (self->pictures[side], is_dark);
      hl_token_strip_set_is_dark (self->strips[side], is_dark);
    }
}

/* ---- building ------------------------------------------------------------------------
 */

/* The wheel is the page's where a strip has no more tokens that way. */
static gboolean
scroll_cb (GtkEventControllerScroll *controller,
           double dx,
           double dy,
           GtkWidget *scroller)
{
  GtkAdjustment *own =
      gtk_scrolled_window_get_vadjustment (GTK_SCROLLED_WINDOW (scroller));
  GtkWidget *page = gtk_widget_get_ancestor (gtk_widget_get_parent (scroller),
                                             GTK_TYPE_SCROLLED_WINDOW);
  double at = gtk_adjustment_get_value (own);
  double end = gtk_adjustment_get_upper (own) - gtk_adjustment_get_page_size (own);
  /* There is more of its own that way. */
  if (page == NULL || (dy > 0 ? at < end - 1 : at > 1))
    return FALSE;
  GtkAdjustment *its = gtk_scrolled_window_get_vadjustment (GTK_SCROLLED_WINDOW (page));
  double step = pow (gtk_adjustment_get_page_size (its), 2.0 / 3);
  gboolean is_wheel =
      gtk_event_controller_scroll_get_unit (controller) == GDK_SCROLL_UNIT_WHEEL;
  gtk_adjustment_set_value (its,
                            gtk_adjustment_get_value (its) + dy * (is_wheel ? step : 1));
  return TRUE;
}

static void
leave_wheel (GtkWidget *scroller)
{
  GtkEventController *scroll =
      gtk_event_controller_scroll_new (GTK_EVENT_CONTROLLER_SCROLL_VERTICAL);
  gtk_event_controller_set_propagation_phase (scroll, GTK_PHASE_CAPTURE);
  g_signal_connect (scroll, "scroll", G_CALLBACK (scroll_cb), scroller);
  gtk_widget_add_controller (scroller, scroll);
}

static void
build_sides (HlComparePart *self)
{
  for (int side = 0; side < 2; side++)
    {
      self->pictures[side] = g_object_ref_sink (HL_PATCH_VIEW (hl_patch_view_new ()));
      hl_patch_view_set_show_bar (self->pictures[side], FALSE);
      g_signal_connect_object (self->pictures[side], "selection-changed",
                               G_CALLBACK (cells_cb), self, 0);
      self->strips[side] = HL_TOKEN_STRIP (hl_token_strip_new ());
      hl_token_strip_set_show_bar (self->strips[side], FALSE);
      g_signal_connect_object (self->strips[side], "selection-changed",
                               G_CALLBACK (tokens_cb), self, 0);
      GtkWidget *scroller = gtk_scrolled_window_new ();
      gtk_scrolled_window_set_policy (GTK_SCROLLED_WINDOW (scroller), GTK_POLICY_NEVER,
                                      GTK_POLICY_AUTOMATIC);
      gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroller),
                                     GTK_WIDGET (self->strips[side]));
      leave_wheel (scroller);
      self->scrollers[side] = g_object_ref_sink (scroller);
    }
  /* Both scroll as one. */
  gtk_scrolled_window_set_vadjustment (
      GTK_SCROLLED_WINDOW (self->scrollers[1]),
      gtk_scrolled_window_get_vadjustment (GTK_SCROLLED_WINDOW (self->scrollers[0])));
}

static void
build_sound (HlComparePart *self)
{
  GtkWidget *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  GtkWidget *plays = gtk_toggle_button_new ();
  gtk_button_set_icon_name (GTK_BUTTON (plays), "audio-volume-high-symbolic");
  gtk_toggle_button_set_active (GTK_TOGGLE_BUTTON (plays), TRUE);
  gtk_widget_set_tooltip_text (plays, _ ("A click on the recording plays it from there"));
  g_signal_connect_object (plays, "toggled", G_CALLBACK (plays_cb), self,
                           G_CONNECT_SWAPPED);
  gtk_box_append (GTK_BOX (row), plays);
  self->plays = GTK_TOGGLE_BUTTON (plays);
  self->sound_words = hl_score_caption (row);
  gtk_widget_set_hexpand (GTK_WIDGET (self->sound_words), TRUE);
  self->sound_row = row;
  gtk_box_append (GTK_BOX (self->box), row);
  self->sound = hl_sound_new ();
  g_signal_connect_object (self->sound, "moved", G_CALLBACK (moved_cb), self, 0);
  g_signal_connect_object (self->sound, "failed", G_CALLBACK (failed_cb), self, 0);
}

static void
build_outputs (HlComparePart *self)
{
  GtkWidget *scroller = gtk_scrolled_window_new ();
  self->outputs_title = hl_score_caption (self->box);
  gtk_widget_set_margin_top (GTK_WIDGET (self->outputs_title), 6);
  self->outputs = HL_TOKEN_STRIP (hl_token_strip_new ());
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->outputs),
                                  GTK_ACCESSIBLE_PROPERTY_LABEL, _ ("Outputs"), -1);
  hl_token_strip_set_show_index (self->outputs, FALSE);
  gtk_scrolled_window_set_policy (GTK_SCROLLED_WINDOW (scroller), GTK_POLICY_NEVER,
                                  GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroller),
                                 GTK_WIDGET (self->outputs));
  g_signal_connect_object (self->outputs, "selection-changed", G_CALLBACK (outputs_cb),
                           self, 0);
  gtk_box_append (GTK_BOX (self->box), scroller);
  leave_wheel (scroller);
  self->outputs_box = scroller;
}

static void
hl_compare_part_dispose (GObject *object)
{
  HlComparePart *self = HL_COMPARE_PART (object);
  drop_result (self);
  g_clear_object (&self->sound);
  g_clear_pointer (&self->box, gtk_widget_unparent);
  for (int side = 0; side < 2; side++)
    {
      g_clear_object (&self->pictures[side]);
      g_clear_object (&self->scrollers[side]);
    }
  g_clear_object (&self->document);
  g_clear_pointer (&self->heads, g_free);
  G_OBJECT_CLASS (hl_compare_part_parent_class)->dispose (object);
}

static void
hl_compare_part_unmap (GtkWidget *widget)
{
  hl_sound_stop (HL_COMPARE_PART (widget)->sound);
  GTK_WIDGET_CLASS (hl_compare_part_parent_class)->unmap (widget);
}

static void
hl_compare_part_class_init (HlComparePartClass *klass)
{
  GtkWidgetClass *widget = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = hl_compare_part_dispose;
  g_signal_new ("chosen", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                NULL, G_TYPE_NONE, 0);
  widget->unmap = hl_compare_part_unmap;
  gtk_widget_class_set_layout_manager_type (widget, GTK_TYPE_BIN_LAYOUT);
}

static void
hl_compare_part_init (HlComparePart *self)
{
  self->target = -1;
  self->box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  gtk_widget_set_parent (self->box, GTK_WIDGET (self));
  build_sides (self);
  self->split =
      HL_SPLIT_VIEW (hl_split_view_new (self->scrollers[0], self->scrollers[1]));
  hl_split_view_set_names (self->split, _ ("Attention"), _ ("Saliency"));
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->split),
                                  GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Attention and saliency on the input"), -1);
  gtk_box_append (GTK_BOX (self->box), GTK_WIDGET (self->split));
  self->caption = hl_score_caption (self->box);
  build_sound (self);
  build_outputs (self);
}

GtkWidget *
hl_compare_part_new (HlDocument *document)
{
  HlComparePart *self = g_object_new (HL_TYPE_COMPARE_PART, NULL);
  self->document = g_object_ref (document);
  return GTK_WIDGET (self);
}
