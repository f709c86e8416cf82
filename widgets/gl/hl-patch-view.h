/* SPDX-License-Identifier: MIT
 * A picture with its patches: pick or brush some, and see weights over them. Everything
 * on the main thread.
 *
 * A click picks one patch, a drag brushes several, Shift adds to what is there, Escape
 * clears; arrow keys move a cursor, Space or Return switch the patch under it. */
#pragma once

#include "draw/hl-paint-overlay.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define HL_TYPE_PATCH_VIEW (hl_patch_view_get_type ())
G_DECLARE_FINAL_TYPE (HlPatchView, hl_patch_view, HL, PATCH_VIEW, GtkWidget)

/* Signals
 * "patch-hovered" (int row, int column): pointer or keyboard cursor; -1, -1 when it left
 * "selection-changed" (gpointer selected, guint n): const gboolean[n], row-major, n =
 *   rows * columns of the grid; borrowed for the call
 * Properties
 * "is-dark", "show-bar" (TRUE) */

GtkWidget *hl_patch_view_new (void) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hl_patch_view_set_scene:
 * @scene: (nullable): a reference is kept. Its selection becomes the view's; where it is
 *   NULL and the grid has the same size, the view's stays. No signal
 */
void hl_patch_view_set_scene (HlPatchView *self, HlOverlayScene *scene);
/** hl_patch_view_get_scene: (transfer none) (nullable) */
HlOverlayScene *hl_patch_view_get_scene (HlPatchView *self);

/** hl_patch_view_get_selected: (transfer none) (nullable): rows * columns, row-major. */
const gboolean *hl_patch_view_get_selected (HlPatchView *self, guint *n);
/** hl_patch_view_clear: emits "selection-changed" when something was selected. */
void hl_patch_view_clear (HlPatchView *self);

void hl_patch_view_set_is_dark (HlPatchView *self, gboolean is_dark);
void hl_patch_view_set_show_bar (HlPatchView *self, gboolean show_bar);

/** hl_patch_view_hit: patch under a point of the widget; FALSE outside the picture. */
gboolean hl_patch_view_hit (HlPatchView *self, double x, double y, int *row, int *column);
/** hl_patch_view_get_patch_rect: where a patch is now, in the widget. */
HlRect hl_patch_view_get_patch_rect (HlPatchView *self, int row, int column);

/** hl_patch_view_set_max_height: pixels that it asks for at most, however wide it is;
 * 4096 unless set. */
void hl_patch_view_set_max_height (HlPatchView *self, int height);

/** hl_patch_view_handle_key, _press, _brush, _motion: what events call; a program may
 * forward its own. @is_adding: Shift. */
gboolean
hl_patch_view_handle_key (HlPatchView *self, guint keyval, GdkModifierType state);
void
hl_patch_view_handle_press (HlPatchView *self, double x, double y, gboolean is_adding);
void hl_patch_view_handle_brush (HlPatchView *self, double x, double y);
void hl_patch_view_handle_motion (HlPatchView *self, double x, double y);

G_END_DECLS
