/* SPDX-License-Identifier: MIT
 * Draws clouds of dots with OpenGL: 100,000 of them in one call. Thread: main, with the
 * area's context current. */
#pragma once

#include "draw/hl-paint-chart.h"

G_BEGIN_DECLS

typedef struct _HlPointRenderer HlPointRenderer;

/** hl_point_renderer_new: (transfer full): NULL with @error (the driver's words). */
HlPointRenderer *hl_point_renderer_new (gboolean is_es, GError **error);
void hl_point_renderer_free (HlPointRenderer *self);

/** hl_point_renderer_set: takes the clouds of @scene (nullable) with their colours.
 * @marked: (nullable): a byte a dot of all clouds, one after another: those that stand
 *   out; the others are dimmed */
void hl_point_renderer_set (HlPointRenderer *self,
                            const HlChartScene *scene,
                            const HlTheme *theme,
                            const guint8 *marked);

/** hl_point_renderer_draw: into an area of @width_px x @height_px that covers
 * @layout's plot. @scale: pixels a user unit */
void hl_point_renderer_draw (HlPointRenderer *self,
                             const HlChartLayout *layout,
                             int width_px,
                             int height_px,
                             double scale);

/** hl_point_renderer_count_draws: so far. */
guint hl_point_renderer_count_draws (const HlPointRenderer *self);

G_END_DECLS
