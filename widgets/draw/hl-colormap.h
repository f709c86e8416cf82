/* SPDX-License-Identifier: MIT
 * Colour maps: 256 sRGB entries each, and the one colour of "not applicable". */
#pragma once

#include "scene/hl-scene.h"

G_BEGIN_DECLS

#define HL_COLORMAP_SIZE 256

/** hl_colormap_table: (transfer none): 256 * 3 bytes of sRGB, low end first. */
const guint8 *hl_colormap_table (HlColormap map);

/**
 * hl_colormap_index:
 * @position: 0..1 along the map, clamped; not NaN
 * Returns: the nearest entry, floor (position * 255 + 0.5)
 */
int hl_colormap_index (double position);

/**
 * hl_colormap_lookup:
 * @position: 0..1 along the map, clamped; NaN gives hl_colormap_na()
 * @rgb: (out): the entry of hl_colormap_index(), not interpolated
 */
void hl_colormap_lookup (HlColormap map, double position, guint8 rgb[3]);

/**
 * hl_colormap_na:
 * @rgb: (out): the colour of "not applicable" (NaN): grey, or a rosy grey for maps that
 *   have greys of their own; the same in the light and the dark theme, and far from every
 *   entry of the map
 */
void hl_colormap_na (HlColormap map, guint8 rgb[3]);

/** hl_colormap_name: "viridis", "magma", "cividis", "grey", "diverging". */
const char *hl_colormap_name (HlColormap map);

/** hl_colormap_from_name: FALSE, with @map untouched, for an unknown name. */
gboolean hl_colormap_from_name (const char *name, HlColormap *map);

G_END_DECLS
