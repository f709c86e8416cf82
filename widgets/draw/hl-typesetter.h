/* SPDX-License-Identifier: MIT
 * Many short texts, one after another: the same texts as hl_paint_text() makes, without
 * setting up a font for each of them. Thread: any, one typesetter in one at a time. */
#pragma once

#include "draw/hl-painter.h"

#include <pango/pango.h>

G_BEGIN_DECLS

typedef struct _HlTypesetter HlTypesetter;

/** hl_typesetter_new: (transfer full): @font_family a literal, as in a theme. */
HlTypesetter *hl_typesetter_new (const char *font_family);
void hl_typesetter_free (HlTypesetter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlTypesetter, hl_typesetter_free)

/** hl_typesetter_width: in user units. */
double hl_typesetter_width (HlTypesetter *self, const char *text, double size);

/** hl_typesetter_fit: (transfer full): @text, or its beginning and "…", at most @width
 * wide. */
char *hl_typesetter_fit (HlTypesetter *self, const char *text, double size, double width);

/**
 * hl_typesetter_paint:
 * @x, @y: where the anchor lies on the baseline
 * @clip: (nullable): ink that reaches out of it is cut off; not for upright text
 * A painter with a text layer gets the text written down.
 */
void hl_typesetter_paint (HlTypesetter *self,
                          HlPainter *painter,
                          const char *text,
                          double x,
                          double y,
                          const HlTextStyle *style,
                          const HlRect *clip);

/** hl_measuring_context_new: (transfer full): in which text has the same widths at every
 * resolution. */
PangoContext *hl_measuring_context_new (void);

/** hl_typesetter_make_visible: (transfer full): whitespace at either end and control
 * characters as signs, and no more than @n_chars_most characters with "…" for the rest.
 */
char *hl_typesetter_make_visible (const char *text, int n_chars_most);

G_END_DECLS
