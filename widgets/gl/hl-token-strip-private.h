/* SPDX-License-Identifier: MIT
 * What the files of the strip of tokens share. */
#pragma once

#include "draw/hl-paint-tokens.h"
#include "gl/hl-token-strip.h"

G_BEGIN_DECLS

/**
 * @layout: of the whole text; its body begins at the top of what scrolls
 * @arcs: (nullable): of the scene, once they were in sight
 * @blocks: block of lines (int) to GdkTexture: what was painted and may be in sight
 *   again; without marks
 * @view: the rectangle of the widget in which lines scroll
 * @selected: gint64, ascending
 * @before_drag: what was selected when a drag with Shift began
 * @cursor: of the keyboard; @hovered: under the pointer
 * @anchor: where a range begins; @cursor_x: where lines are met going up and down
 * @scene_words: (nullable): what the selected tokens attend to
 * @to_reveal: a token to scroll to when there is a size; -1
 */
struct _HlTokenStrip
{
  GtkWidget parent;

  HlTokenScene *scene;
  HlTokenLayout layout;
  HlTokenArcs *arcs;
  HlTypesetter *setter;
  GHashTable *blocks;
  guint n_painted;
  HlRect view;

  GtkAdjustment *adjustments[2]; /* by GtkOrientation */
  GtkScrollablePolicy policies[2];

  HlTokenMode mode;
  GArray *selected;
  GArray *before_drag;
  gint64 cursor;
  gint64 hovered;
  gint64 anchor;
  double cursor_x;
  double press_x;
  double press_y;
  gboolean is_adding;
  gint64 to_reveal;
  char *scene_words;
  gboolean is_dark;
  gboolean show_index;
  gboolean show_id;
  gboolean show_bar;
  gboolean shown_only;
};

HlTheme hl_token_strip_theme (HlTokenStrip *self);
double hl_token_strip_get_scroll (HlTokenStrip *self);
gint64 hl_token_strip_count (HlTokenStrip *self);
/** The token under the pointer or the cursor; words and the signal follow. */
void hl_token_strip_set_hovered (HlTokenStrip *self, gint64 token);
void hl_token_strip_move_cursor (HlTokenStrip *self, gint64 token);
void hl_token_strip_update_words (HlTokenStrip *self);
void hl_token_strip_selection_changed (HlTokenStrip *self);

void hl_token_strip_reveal_now (HlTokenStrip *self, gint64 token);

void hl_token_strip_init_input (HlTokenStrip *self);
void
hl_token_strip_size_allocate (GtkWidget *widget, int width, int height, int baseline);
void hl_token_strip_snapshot (GtkWidget *widget, GtkSnapshot *snapshot);
/** What was painted is not what it is any more. */
void hl_token_strip_drop_blocks (HlTokenStrip *self);
/** Places and heights change. */
void hl_token_strip_relayout (HlTokenStrip *self);
/** How many blocks of lines were painted so far. */
guint hl_token_strip_count_painted (HlTokenStrip *self);

G_END_DECLS
