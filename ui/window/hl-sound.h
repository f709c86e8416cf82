/* SPDX-License-Identifier: MIT
 * Plays a part of a recording's file, by GTK's media module. Thread: main. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define HL_TYPE_SOUND (hl_sound_get_type ())
G_DECLARE_FINAL_TYPE (HlSound, hl_sound, HL, SOUND, GObject)

/* Signals
 * "moved" (double at_s): where in the file it is; NaN when it ended
 * "failed" (char *message): it cannot be played, for a person */

HlSound *hl_sound_new (void);

/** hl_sound_play: from @from_s of the file at @path to @to_s; what was played ends. */
void hl_sound_play (HlSound *self, const char *path, double from_s, double to_s);
void hl_sound_stop (HlSound *self);

G_END_DECLS
