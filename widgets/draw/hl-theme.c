/* SPDX-License-Identifier: MIT
 * The looks of the screen, light and dark, and of a printed figure. */
#include "config.h"

#include "draw/hl-theme.h"

#include "draw/hl-colormap.h"

/* libadwaita's palette: view background, blue 3, orange 3 (orange 2 on dark). */
static HlColor
color_from_hex (guint32 hex)
{
  return (HlColor){ ((hex >> 16) & 0xff) / 255.0, ((hex >> 8) & 0xff) / 255.0,
                    (hex & 0xff) / 255.0, 1.0 };
}

HlTheme
hl_theme_light (void)
{
  return (HlTheme){
    .is_dark = FALSE,
    .background = color_from_hex (0xfafafa),
    .foreground = color_from_hex (0x2e2e2e),
    .dim = color_from_hex (0x6a6a6a),
    .faint = color_from_hex (0xd2d2d2),
    .accent_head = color_from_hex (0x3584e4),
    .accent_query = color_from_hex (0xff7800),
    .font_family = "sans-serif",
    .font_size = 12,
    .line_width = 1,
  };
}

HlTheme
hl_theme_dark (void)
{
  HlTheme theme = hl_theme_light ();
  theme.is_dark = TRUE;
  theme.background = color_from_hex (0x242424);
  theme.foreground = color_from_hex (0xf2f2f2);
  theme.dim = color_from_hex (0xa4a4a4);
  theme.faint = color_from_hex (0x484848);
  theme.accent_head = color_from_hex (0x62a0ea);
  theme.accent_query = color_from_hex (0xffa348);
  return theme;
}

HlTheme
hl_theme_figure (gboolean is_dark)
{
  HlTheme theme = is_dark ? hl_theme_dark () : hl_theme_light ();
  theme.font_size = 7;
  theme.line_width = 0.5;
  if (is_dark)
    theme.background = color_from_hex (0x1e1e1e);
  else
    {
      theme.background = color_from_hex (0xffffff);
      theme.foreground = color_from_hex (0x000000);
      theme.dim = color_from_hex (0x333333);
      theme.faint = color_from_hex (0xb0b0b0);
    }
  return theme;
}
