/* SPDX-License-Identifier: MIT
 * Colour maps by name and by position. */
#include "config.h"

#include "draw/hl-colormap.h"

#include "draw/hl-colormap-data.h"

#include <math.h>

static const struct
{
  const char *name;
  const guint8 *table;
} maps[HL_N_COLORMAPS] = {
  [HL_COLORMAP_VIRIDIS] = { "viridis", viridis_table },
  [HL_COLORMAP_MAGMA] = { "magma", magma_table },
  [HL_COLORMAP_CIVIDIS] = { "cividis", cividis_table },
  [HL_COLORMAP_GREY] = { "grey", grey_table },
  [HL_COLORMAP_DIVERGING] = { "diverging", diverging_table },
};

const guint8 *
hl_colormap_table (HlColormap map)
{
  g_return_val_if_fail (map >= 0 && map < HL_N_COLORMAPS, viridis_table);
  return maps[map].table;
}

int
hl_colormap_index (double position)
{
  return (int) (CLAMP (position, 0.0, 1.0) * (HL_COLORMAP_SIZE - 1) + 0.5);
}

void
hl_colormap_lookup (HlColormap map, double position, guint8 rgb[3])
{
  if (isnan (position))
    {
      hl_colormap_na (map, rgb);
      return;
    }
  const guint8 *entry = hl_colormap_table (map) + 3 * hl_colormap_index (position);
  for (int c = 0; c < 3; c++)
    rgb[c] = entry[c];
}

void
hl_colormap_na (HlColormap map, guint8 rgb[3])
{
  /* Viridis and magma have no grey, so that a plain one says "not applicable". The others
   * do: theirs was found by searching the greyish colours for the one farthest from all
   * tables, at least 15 units of CIE76 from every entry, where 2.3 can just be seen. */
  static const guint8 plain[] = { 176, 176, 176 }, tinted[] = { 175, 140, 155 };
  gboolean has_grey = map != HL_COLORMAP_VIRIDIS && map != HL_COLORMAP_MAGMA;
  for (int c = 0; c < 3; c++)
    rgb[c] = has_grey ? tinted[c] : plain[c];
}

const char *
hl_colormap_name (HlColormap map)
{
  g_return_val_if_fail (map >= 0 && map < HL_N_COLORMAPS, NULL);
  return maps[map].name;
}

gboolean
hl_colormap_from_name (const char *name, HlColormap *map)
{
  for (int m = 0; m < HL_N_COLORMAPS; m++)
    if (g_strcmp0 (name, maps[m].name) == 0)
      {
        *map = m;
        return TRUE;
      }
  return FALSE;
}
