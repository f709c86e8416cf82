/* SPDX-License-Identifier: MIT
 * A picture with the patches' weights over it. */
#pragma once

#include "draw/hl-paint-bar.h"
#include "draw/hl-painter.h"
#include "scene/hl-scene.h"

G_BEGIN_DECLS

typedef enum
{
  HL_OVERLAY_NONE = 0,
  HL_OVERLAY_TITLE = 1 << 0,
  HL_OVERLAY_BAR = 1 << 1, /* only where there are weights */
  HL_OVERLAY_ALL = 0x3,
  HL_OVERLAY_BAR_BELOW = 1 << 2, /* the bar lies under the picture: for narrow places */
  HL_OVERLAY_TIME = 1 << 3,      /* below a recording its time */
} HlOverlayFlags;

/** HlOverlayLayout: plain data, no clean-up; user units. @picture keeps the picture's
 * aspect; @bar is the coloured strip alone. */
typedef struct
{
  HlOverlayFlags flags;
  HlRect title;
  HlRect picture;
  HlRect bar;
  double used_width;
  double used_height;
} HlOverlayLayout;

void hl_overlay_layout_compute (const HlOverlayScene *scene,
                                const HlTheme *theme,
                                double width,
                                double height,
                                HlOverlayFlags flags,
                                HlOverlayLayout *layout);

/** hl_overlay_layout_hit: patch under a point; FALSE outside the picture. */
gboolean hl_overlay_layout_hit (const HlOverlayLayout *layout,
                                const HlOverlayScene *scene,
                                double x,
                                double y,
                                int *row,
                                int *column);

/** hl_overlay_layout_patch: where a patch lies. */
HlRect hl_overlay_layout_patch (const HlOverlayLayout *layout,
                                const HlOverlayScene *scene,
                                int row,
                                int column);

/** hl_paint_overlay: picture, colours, hairlines, orange outline round the selected
 * patches (neighbours joined), cursor, title and bar. */
void hl_paint_overlay (HlPainter *painter,
                       const HlOverlayScene *scene,
                       const HlOverlayLayout *layout);

G_END_DECLS
