/* SPDX-License-Identifier: MIT
 * The window: three columns, a header, a status line. */
#pragma once

#include "document/hl-document.h"

#include <adwaita.h>

G_BEGIN_DECLS

#define HL_TYPE_WINDOW (hl_window_get_type ())
G_DECLARE_FINAL_TYPE (HlWindow, hl_window, HL, WINDOW, AdwApplicationWindow)

GtkWidget *hl_window_new (AdwApplication *application) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hl_window_choose_renderer:
 * Lets GTK draw with Cairo where OpenGL is drawn by the processor: there a frame of the
 * whole window costs its OpenGL renderer 75 ms of processor time, Cairo 4. The canvases
 * still draw their cells with OpenGL. GSK_RENDERER in the environment goes before.
 * Call before the first window.
 */
void hl_window_choose_renderer (void);

HlDocument *hl_window_get_document (HlWindow *self);

/** hl_window_open: a model's folder or file, a session (.h5) or a picture. */
void hl_window_open (HlWindow *self, const char *path);

/** hl_window_show_error: a toast with a button for @details. */
void hl_window_show_error (HlWindow *self, const char *summary, const char *details);

G_END_DECLS
