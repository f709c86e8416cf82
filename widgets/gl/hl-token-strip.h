/* SPDX-License-Identifier: MIT
 * A text as its tokens, a hundred thousand of them: flowing, or in a list with arcs
 * beside it. Goes into a GtkScrolledWindow. Everything on the main thread.
 *
 * Hovering previews, a click chooses one token, Shift+click adds or takes away, a drag
 * chooses a range (with Shift: adds it), Escape clears. Left and Right move the cursor by
 * tokens, Up and Down by lines, Page Up and Down by screens, Home and End to the line's
 * ends (with Ctrl: the text's), all with Shift to choose a range; Return or Space choose
 * the token under the cursor, with Shift or Ctrl they add it or take it away. */
#pragma once

#include "draw/hl-token-layout.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define HL_TYPE_TOKEN_STRIP (hl_token_strip_get_type ())
G_DECLARE_FINAL_TYPE (HlTokenStrip, hl_token_strip, HL, TOKEN_STRIP, GtkWidget)

/* Signals
 * "token-hovered" (gint64 token): under the pointer, or the keyboard cursor; -1 when it
 *   left
 * "selection-changed" (gpointer tokens, guint n): const gint64[n], ascending; borrowed
 * for the call Properties "is-dark", "is-list", "show-index" (TRUE), "show-id",
 * "show-bar" (TRUE), "shown-only", and those of GtkScrollable */

GtkWidget *hl_token_strip_new (void) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hl_token_strip_set_scene:
 * @scene: (nullable): a reference is kept. Its selection becomes the strip's; no signal
 * A scene with the same list of tokens is not measured again; one with as many tokens
 * keeps scroll position and cursor.
 */
void hl_token_strip_set_scene (HlTokenStrip *self, HlTokenScene *scene);
/** hl_token_strip_get_scene: (transfer none) (nullable) */
HlTokenScene *hl_token_strip_get_scene (HlTokenStrip *self);

/** hl_token_strip_get_selected: (transfer none): ascending. */
const gint64 *hl_token_strip_get_selected (HlTokenStrip *self, gint64 *n);
/** hl_token_strip_set_selected: ascending; out of range is left out. No signal. */
void
hl_token_strip_set_selected (HlTokenStrip *self, const gint64 *tokens, gint64 n_tokens);
/** hl_token_strip_clear: emits "selection-changed" when something was selected. */
void hl_token_strip_clear (HlTokenStrip *self);

/** hl_token_strip_reveal: scrolls a token into view, now or once there is a size. */
void hl_token_strip_reveal (HlTokenStrip *self, gint64 token);
/** hl_token_strip_set_cursor: -1 for none; no signal; scrolls into view. */
void hl_token_strip_set_cursor (HlTokenStrip *self, gint64 token);
gint64 hl_token_strip_get_cursor (HlTokenStrip *self);

void hl_token_strip_set_mode (HlTokenStrip *self, HlTokenMode mode);
HlTokenMode hl_token_strip_get_mode (HlTokenStrip *self);
void hl_token_strip_set_is_dark (HlTokenStrip *self, gboolean is_dark);
void hl_token_strip_set_show_index (HlTokenStrip *self, gboolean show_index);
void hl_token_strip_set_show_id (HlTokenStrip *self, gboolean show_id);
/** hl_token_strip_set_show_bar: at the lower edge while there are weights. */
void hl_token_strip_set_show_bar (HlTokenStrip *self, gboolean show_bar);

/** hl_token_strip_set_shown_only: tokens that are left out take no room. */
void hl_token_strip_set_shown_only (HlTokenStrip *self, gboolean shown_only);

/** hl_token_strip_hit: token under a point of the widget; FALSE between them. */
gboolean hl_token_strip_hit (HlTokenStrip *self, double x, double y, gint64 *token);
/** hl_token_strip_hit_arc: index into the scene's arcs; -1 for none. */
gint64 hl_token_strip_hit_arc (HlTokenStrip *self, double x, double y);
/** hl_token_strip_get_token_rect: where a token is now, in the widget. */
HlRect hl_token_strip_get_token_rect (HlTokenStrip *self, gint64 token);

/** hl_token_strip_describe: (transfer full): what the tooltip says of a token. */
char *hl_token_strip_describe (HlTokenStrip *self, gint64 token);
/** hl_token_strip_describe_arc: (transfer full): and of an arc: "5.1: token 12 “ the” →
 * token 3 “cat”: 0.214". */
char *hl_token_strip_describe_arc (HlTokenStrip *self, gint64 arc);

/** hl_token_strip_handle_key, _press, _drag, _motion: what events call; a program may
 * forward its own. @is_adding: Shift. A drag belongs to the press before it. */
gboolean
hl_token_strip_handle_key (HlTokenStrip *self, guint keyval, GdkModifierType state);
void
hl_token_strip_handle_press (HlTokenStrip *self, double x, double y, gboolean is_adding);
void hl_token_strip_handle_drag (HlTokenStrip *self, double x, double y);
void hl_token_strip_handle_motion (HlTokenStrip *self, double x, double y);

G_END_DECLS
