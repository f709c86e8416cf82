/* SPDX-License-Identifier: MIT
 * The inside of the token panel, shared by its files: the panel, its arcs, and the two
 * sides of a cross-attention. Thread: main. */
#pragma once

#include "window/hl-token-panel.h"

#include "document/hl-map-loader.h"
#include "gl/hl-patch-view.h"
#include "gl/hl-token-strip.h"
#include "presenters/hl-present-tokens.h"

G_BEGIN_DECLS

struct _HlTokenPanel
{
  GtkWidget parent_instance;
  HlDocument *document;
  GtkWidget *box;
  GtkLabel *title;
  GtkWidget *step_back;
  GtkWidget *step_on;
  GtkEditable *find;
  GtkToggleButton *to_button;
  GtkToggleButton *from_button;
  GtkToggleButton *list_button;
  GtkToggleButton *slice_button;
  gboolean is_following; /* the buttons follow the document */
  HlTokenStrip *strip;
  HlTokenList *tokens;
  gint64 hovered;
  /* Of a cross-attention the keys are tokens of their own. */
  GtkWidget *key_box;
  GtkLabel *key_title;
  HlPatchView *recording; /* where the keys are one */
  HlTokenStrip *key_strip;
  HlTokenList *keys;
  gint64 hovered_key;
  gboolean asked_from; /* what @sums were asked for */
  gint64 list_first;   /* the slice that @tokens has */
  gint64 list_end;
  gint64 n_shown; /* tokens up to the generated one that is stepped to; -1 for all */
  GArray *matches;
  guint match; /* the one that find goes to next */
  HlLineSums *sums;
  HlHeadKey sums_head;
  GPtrArray *maps; /* of HlTensor *: of the heads that have arcs */
  GArray *map_heads;
  GCancellable *lines_cancellable;
  GCancellable *maps_cancellable;
};

HlSelection *hl_token_panel_get_selection (HlTokenPanel *self);

/** hl_token_panel_is_text: there is a text, or a recording, as tokens. */
gboolean hl_token_panel_is_text (HlTokenPanel *self);

/** hl_token_panel_count, _count_keys: tokens of the strip, and of the keys' one. */
gint64 hl_token_panel_count (HlTokenPanel *self);
gint64 hl_token_panel_count_keys (HlTokenPanel *self);

const HlStack *hl_token_panel_get_stack (HlTokenPanel *self);

/** hl_token_panel_reads_out: predictions are of the tokens that are shown. */
gboolean hl_token_panel_reads_out (HlTokenPanel *self);

/** hl_token_panel_is_from: colours say who attends, not what is attended to. */
gboolean hl_token_panel_is_from (HlTokenPanel *self);
void hl_token_panel_set_is_from (HlTokenPanel *self, gboolean from);

/** hl_token_panel_list_chosen: (transfer full) (element-type gint64): ascending. */
GArray *hl_token_panel_list_chosen (HlTokenPanel *self);

/** hl_token_panel_renew: (transfer none): cancels what went by the one before. */
GCancellable *hl_token_panel_renew (GCancellable **cancellable);

void hl_token_panel_show (HlTokenPanel *self);

/** hl_token_panel_ask_for_lines: rows or columns of what is chosen, or hovered. */
void hl_token_panel_ask_for_lines (HlTokenPanel *self);

/** hl_token_panel_add_arcs: of a short text all; of a long one those of the chosen. */
void hl_token_panel_add_arcs (HlTokenPanel *self, HlTokenScene *scene);

/** hl_token_panel_ask_for_maps: of the heads that have arcs. */
void hl_token_panel_ask_for_maps (HlTokenPanel *self);

/** hl_token_panel_show_sides: what a cross-attention has, or has not, beside the strip.
 */
void hl_token_panel_show_sides (HlTokenPanel *self);

/** hl_token_panel_show_cross: both sides' scenes. */
void hl_token_panel_show_cross (HlTokenPanel *self);

/** hl_token_panel_show_generated: of a cross-attention: what the token that was generated
 * last attends to, @n weights. */
void hl_token_panel_show_generated (HlTokenPanel *self, const float *row, gint64 n);

/** hl_token_panel_show_side: @weights (nullable): one a token of @list. */
void hl_token_panel_show_side (HlTokenPanel *self,
                               HlTokenStrip *strip,
                               HlTokenList *list,
                               const gint64 *chosen,
                               guint n_chosen,
                               gint64 hovered,
                               const float *weights);

/** hl_token_panel_list_asked_key: (transfer full) (element-type gint64) */
GArray *hl_token_panel_list_asked_key (HlTokenPanel *self);

/** hl_token_panel_reveal_strongest: on the side that answers. */
void hl_token_panel_reveal_strongest (HlTokenPanel *self);

/** hl_token_panel_key_hovered_cb, _keys_chosen_cb: of the keys' strip; _frames_chosen_cb:
 * of the recording. */
void
hl_token_panel_key_hovered_cb (HlTokenStrip *strip, gint64 token, HlTokenPanel *self);
void hl_token_panel_frames_chosen_cb (HlPatchView *view,
                                      gpointer selected,
                                      guint n,
                                      HlTokenPanel *self);
void hl_token_panel_keys_chosen_cb (HlTokenStrip *strip,
                                    gpointer tokens,
                                    guint n,
                                    HlTokenPanel *self);

G_END_DECLS
