/* SPDX-License-Identifier: MIT
 * Many short texts with one layout. */
#include "config.h"

#include "draw/hl-typesetter.h"

#include <pango/pangocairo.h>
#include <string.h>

struct _HlTypesetter
{
  PangoContext *context;
  PangoLayout *layout;
  PangoFontDescription *font;
  double size;
  gboolean is_bold;
};

HlTypesetter *
hl_typesetter_new (const char *font_family)
{
  HlTypesetter *self = g_new0 (HlTypesetter, 1);
  self->context = hl_measuring_context_new ();
  self->layout = pango_layout_new (self->context);
  /* A token is one line, whatever separators of lines and paragraphs it has. */
  pango_layout_set_single_paragraph_mode (self->layout, TRUE);
  self->font = pango_font_description_new ();
  pango_font_description_set_family (self->font, font_family);
  return self;
}

void
hl_typesetter_free (HlTypesetter *self)
{
  if (self == NULL)
    return;
  pango_font_description_free (self->font);
  g_object_unref (self->layout);
  g_object_unref (self->context);
  g_free (self);
}

static void
set_text (HlTypesetter *self, const char *text, double size, gboolean is_bold)
{
  if (size != self->size || is_bold != self->is_bold)
    {
      pango_font_description_set_absolute_size (self->font, size * PANGO_SCALE);
      pango_font_description_set_weight (self->font, is_bold ? PANGO_WEIGHT_BOLD
                                                             : PANGO_WEIGHT_NORMAL);
      pango_layout_set_font_description (self->layout, self->font);
      self->size = size;
      self->is_bold = is_bold;
    }
  pango_layout_set_text (self->layout, text, -1);
}

double
hl_typesetter_width (HlTypesetter *self, const char *text, double size)
{
  PangoRectangle logical;
  if (*text == '\0')
    return 0;
  set_text (self, text, size, FALSE);
  pango_layout_get_extents (self->layout, NULL, &logical);
  return (double) logical.width / PANGO_SCALE;
}

char *
hl_typesetter_fit (HlTypesetter *self, const char *text, double size, double width)
{
  if (hl_typesetter_width (self, text, size) <= width)
    return g_strdup (text);
  /* The longest beginning that fits with an ellipsis, by halving. */
  glong fits = 0, too_long = g_utf8_strlen (text, -1);
  while (too_long - fits > 1)
    {
      glong middle = (fits + too_long) / 2;
      g_autofree char *head = g_utf8_substring (text, 0, middle);
      g_autofree char *cut = g_strconcat (head, "…", NULL);
      if (hl_typesetter_width (self, cut, size) <= width)
        fits = middle;
      else
        too_long = middle;
    }
  g_autofree char *head = g_utf8_substring (text, 0, fits);
  return g_strconcat (head, "…", NULL);
}

/* Marks piled on a letter may reach far out of its line. */
static gboolean
reaches_out (const PangoRectangle *ink, double x, double baseline_y, const HlRect *clip)
{
  double left = x + (double) ink->x / PANGO_SCALE;
  double top = baseline_y + (double) ink->y / PANGO_SCALE;
  return left < clip->x || top < clip->y ||
         left + (double) ink->width / PANGO_SCALE > clip->x + clip->width ||
         top + (double) ink->height / PANGO_SCALE > clip->y + clip->height;
}

void
hl_typesetter_paint (HlTypesetter *self,
                     HlPainter *painter,
                     const char *text,
                     double x,
                     double y,
                     const HlTextStyle *style,
                     const HlRect *clip)
{
  if (*text == '\0')
    return;
  if (painter->text_layer != NULL)
    {
      hl_paint_text (painter, text, x, y, style);
      return;
    }
  PangoRectangle ink, logical;
  cairo_t *cr = painter->cr;
  set_text (self, text, style->size > 0 ? style->size : painter->theme.font_size,
            style->is_bold);
  PangoLayoutLine *line = pango_layout_get_line_readonly (self->layout, 0);
  pango_layout_line_get_extents (line, &ink, &logical);
  double before = style->anchor == HL_ANCHOR_END      ? 1
                  : style->anchor == HL_ANCHOR_MIDDLE ? 0.5
                                                      : 0;
  before *= (double) logical.width / PANGO_SCALE;
  if (!style->is_upright)
    x -= before;
  gboolean is_cut = clip != NULL && !style->is_upright && reaches_out (&ink, x, y, clip);
  gboolean is_saved = is_cut || style->is_upright;
  if (is_saved)
    cairo_save (cr);
  if (is_cut)
    {
      cairo_rectangle (cr, clip->x, clip->y, clip->width, clip->height);
      cairo_clip (cr);
    }
  hl_paint_set_color (cr, style->color != NULL ? style->color : &painter->theme.dim);
  cairo_move_to (cr, x, y);
  if (style->is_upright)
    {
      cairo_rotate (cr, -G_PI / 2);
      cairo_rel_move_to (cr, -before, 0);
    }
  pango_cairo_show_layout_line (cr, line);
  if (is_saved)
    cairo_restore (cr);
}

/* ---- signs for what cannot be seen ---------------------------------------------------
 */

static void
append_sign (GString *out, gunichar c)
{
  switch (c)
    {
    case ' ':
    case 0xa0:
      g_string_append (out, "␣");
      break;
    case '\n':
      g_string_append (out, "⏎");
      break;
    case '\t':
      g_string_append (out, "⇥");
      break;
    default:
      g_string_append_printf (out, "‹%02X›", c);
    }
}

char *
hl_typesetter_make_visible (const char *text, int n_chars_most)
{
  g_autofree char *owned = NULL;
  if (!g_utf8_validate (text, -1, NULL))
    text = owned = g_utf8_make_valid (text, -1);
  const char *end = text + strlen (text), *last = end;
  while (last > text && g_unichar_isspace (g_utf8_get_char (g_utf8_prev_char (last))))
    last = g_utf8_prev_char (last);
  GString *out = g_string_new (NULL);
  gboolean is_begun = FALSE;
  int n = 0;
  for (const char *c = text; c < end; c = g_utf8_next_char (c), n++)
    {
      gunichar u = g_utf8_get_char (c);
      if (n == n_chars_most)
        {
          g_string_append (out, "…");
          break;
        }
      gboolean is_space = g_unichar_isspace (u);
      if ((is_space && (!is_begun || c >= last)) || g_unichar_iscntrl (u) ||
          u == 0x2028 || u == 0x2029)
        append_sign (out, u);
      else
        g_string_append_unichar (out, u);
      is_begun = is_begun || !is_space;
    }
  return g_string_free (out, FALSE);
}
