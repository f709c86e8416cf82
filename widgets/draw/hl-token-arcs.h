/* SPDX-License-Identifier: MIT
 * Arcs beside a list of tokens, from each query to its keys. Sorted once; only those with
 * an end in sight are looked at and drawn. */
#pragma once

#include "draw/hl-token-layout.h"

G_BEGIN_DECLS

/** No more are drawn at once: the strongest. */
#define HL_TOKEN_ARCS_MOST 1500

typedef struct _HlTokenArcs HlTokenArcs;

/** hl_token_arcs_new: (transfer full): keeps a reference to @scene. Arcs with an end that
 * no token has, or without a weight, are left out. */
HlTokenArcs *hl_token_arcs_new (HlTokenScene *scene);
void hl_token_arcs_free (HlTokenArcs *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlTokenArcs, hl_token_arcs_free)

/** hl_token_arcs_find: (transfer container): indices (gint64) into the scene's arcs of
 * those with an end between two lines, weakest first. */
GArray *hl_token_arcs_find (const HlTokenArcs *self,
                            const HlTokenLayout *layout,
                            gint64 line_start,
                            gint64 line_end);

/** hl_paint_token_arcs: those with an end in these lines, over their room of the layout.
 */
void hl_paint_token_arcs (HlPainter *painter,
                          const HlTokenArcs *self,
                          const HlTokenLayout *layout,
                          gint64 line_start,
                          gint64 line_end);

/** hl_token_arcs_hit: the arc within @near of a point, the strongest; -1 for none. */
gint64 hl_token_arcs_hit (const HlTokenArcs *self,
                          const HlTokenLayout *layout,
                          gint64 line_start,
                          gint64 line_end,
                          double x,
                          double y,
                          double near);

/** hl_token_head_color: of an arc's head: its own, or one of the palette's. */
HlColor hl_token_head_color (const HlTokenScene *scene, const HlTheme *theme, int head);

/** hl_paint_token_legend: the heads' labels in their colours. */
void hl_paint_token_legend (HlPainter *painter,
                            const HlTokenScene *scene,
                            const HlTokenLayout *layout);

G_END_DECLS
