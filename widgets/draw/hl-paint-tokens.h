/* SPDX-License-Identifier: MIT
 * A text as its tokens: boxes with what they are, what they weigh and which are chosen.
 */
#pragma once

#include "draw/hl-token-arcs.h"
#include "draw/hl-token-layout.h"
#include "draw/hl-typesetter.h"

G_BEGIN_DECLS

/** hl_token_ink: black or white, whichever is the more legible on a colour. */
HlColor hl_token_ink (const guint8 rgb[3]);

/** hl_token_add_rounded: a path. */
void hl_token_add_rounded (cairo_t *cr, const HlRect *rect, double radius);

/** hl_paint_token_lines: boxes and texts of some lines; nothing of what is chosen. */
void hl_paint_token_lines (HlPainter *painter,
                           const HlTokenScene *scene,
                           const HlTokenLayout *layout,
                           HlTypesetter *setter,
                           gint64 line_start,
                           gint64 line_end);

/** hl_paint_token_marks: in some lines, the orange outlines and the thin one of the
 * hovered token. */
void hl_paint_token_marks (HlPainter *painter,
                           const HlTokenScene *scene,
                           const HlTokenLayout *layout,
                           gint64 line_start,
                           gint64 line_end);

/** hl_token_shade_color: of a tint, 0..1, over the ground. */
HlColor hl_token_shade_color (const HlTheme *theme, double shade);

/** hl_paint_token_shade_bar: from no tint to the strongest, with the scene's words. */
void hl_paint_token_shade_bar (HlPainter *painter,
                               const HlTokenScene *scene,
                               const HlRect *bar);

/** hl_paint_token_bar: as hl_paint_color_bar() does, with the low end faded where the
 * scene's is. */
void
hl_paint_token_bar (HlPainter *painter, const HlTokenScene *scene, const HlRect *bar);

/**
 * hl_paint_tokens: everything that @layout has a place for.
 * @visible: (nullable): only lines in it; NULL means everything
 */
void hl_paint_tokens (HlPainter *painter,
                      HlTokenScene *scene,
                      const HlTokenLayout *layout,
                      const HlRect *visible);

G_END_DECLS
