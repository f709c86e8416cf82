/* SPDX-License-Identifier: MIT
 * Painting of the boxes of tokens: colours, outlines, texts, values. */
#include "config.h"

#include "draw/hl-paint-tokens.h"

#include "draw/hl-colormap.h"

#include <math.h>

#define FADE 0.38       /* of tokens outside of the slice */
#define TINT_MOST 0.5   /* of the strongest shade */
#define BASELINE_EM 0.8 /* from a box's upper edge to the middle of its text */
#define SMALL_EM 1.95   /* likewise to the middle of index and id */

typedef struct
{
  HlPainter *painter;
  const HlTokenScene *scene;
  const HlTokenLayout *layout;
  HlTypesetter *setter;
} Work;

/** Box: the pieces of one box that are shown. */
typedef struct
{
  gint64 first;
  int n_pieces;
  HlRect rect;
  const HlTokenItem *item; /* of the first piece */
  gboolean is_colored;     /* by weights: the inks are those of its colours */
  HlColor ink;
} Box;

/* ---- colours -------------------------------------------------------------------------
 */

static double
luminance (const guint8 rgb[3])
{
  static const double shares[] = { 0.2126, 0.7152, 0.0722 };
  double sum = 0;
  for (int c = 0; c < 3; c++)
    {
      double v = rgb[c] / 255.0;
      sum += shares[c] * (v <= 0.04045 ? v / 12.92 : pow ((v + 0.055) / 1.055, 2.4));
    }
  return sum;
}

HlColor
hl_token_ink (const guint8 rgb[3])
{
  /* Where black and white have the same contrast, (L + 0.05) / 0.05 = 1.05 / (L + 0.05).
   */
  double v = luminance (rgb) > 0.179 ? 0 : 1;
  return (HlColor){ v, v, v, 1 };
}

static HlColor
rgb_color (guint32 hex, double alpha)
{
  return (HlColor){ ((hex >> 16) & 0xff) / 255.0, ((hex >> 8) & 0xff) / 255.0,
                    (hex & 0xff) / 255.0, alpha };
}

static double
fade_of (const HlTokenItem *item)
{
  return item->is_excluded ? FADE : 1;
}

static HlColor
faded (const HlColor *color, double factor)
{
  HlColor result = *color;
  result.alpha *= factor;
  return result;
}

/* ---- boxes ---------------------------------------------------------------------------
 */

void
hl_token_add_rounded (cairo_t *cr, const HlRect *rect, double radius)
{
  double r = MIN (radius, MIN (rect->width, rect->height) / 2);
  double right = rect->x + rect->width, bottom = rect->y + rect->height;
  cairo_new_sub_path (cr);
  cairo_arc (cr, right - r, rect->y + r, r, -G_PI / 2, 0);
  cairo_arc (cr, right - r, bottom - r, r, 0, G_PI / 2);
  cairo_arc (cr, rect->x + r, bottom - r, r, G_PI / 2, G_PI);
  cairo_arc (cr, rect->x + r, rect->y + r, r, G_PI, 1.5 * G_PI);
  cairo_close_path (cr);
}

/* Specials are round, pictures are square. */
static double
radius_of (const HlTheme *theme, const HlTokenItem *item, double height)
{
  return item->kind == HL_TOKEN_KIND_SPECIAL ? height / 2
         : item->kind == HL_TOKEN_KIND_IMAGE ? 0
                                             : hl_token_radius (theme);
}

static HlColor
over (const HlColor *color, const HlColor *ground)
{
  double alpha = color->alpha;
  return (HlColor){ alpha * color->red + (1 - alpha) * ground->red,
                    alpha * color->green + (1 - alpha) * ground->green,
                    alpha * color->blue + (1 - alpha) * ground->blue, 1 };
}

static HlColor
plain_ground (const HlTheme *theme)
{
  return faded (&theme->faint, theme->is_dark ? 0.45 : 0.32);
}

static HlColor
weight_color (const Work *work, float weight)
{
  const HlTokenScene *scene = work->scene;
  const HlTheme *theme = &work->painter->theme;
  double position = hl_scale_position (&scene->scale, weight);
  guint8 rgb[3];
  hl_colormap_lookup (scene->scale.colormap, position, rgb);
  HlColor color = { rgb[0] / 255.0, rgb[1] / 255.0, rgb[2] / 255.0, 1 };
  if (!scene->fades_low || position >= HL_TOKEN_FADE)
    return color;
  HlColor plain = plain_ground (theme), ground = over (&plain, &theme->background);
  color.alpha = position / HL_TOKEN_FADE;
  return over (&color, &ground);
}

HlColor
hl_token_shade_color (const HlTheme *theme, double shade)
{
  return rgb_color (theme->is_dark ? 0xc061cb : 0x9141ac,
                    TINT_MOST * CLAMP (shade, 0, 1));
}

/* The colour behind one token; FALSE for none. */
static gboolean
ground_of (const Work *work, gint64 token, HlColor *color, gboolean *is_weight)
{
  const HlTokenScene *scene = work->scene;
  const HlTheme *theme = &work->painter->theme;
  const HlTokenItem *item = &scene->tokens->items[token];
  *is_weight = scene->weights != NULL && !isnan (scene->weights[token]);
  if (*is_weight)
    {
      *color = weight_color (work, scene->weights[token]);
      return TRUE;
    }
  if (scene->weights != NULL)
    return FALSE;
  if (!isnan (item->shade) && item->shade > 0)
    {
      *color = hl_token_shade_color (theme, item->shade);
      return TRUE;
    }
  if (item->kind != HL_TOKEN_KIND_PROMPT && item->kind != HL_TOKEN_KIND_NONE &&
      item->kind != HL_TOKEN_KIND_GENERATED)
    return FALSE;
  *color = plain_ground (theme);
  return TRUE;
}

static Box
box_at (const Work *work, gint64 slot, gint64 end)
{
  const HlTokenLayout *layout = work->layout;
  const HlTokenItem *items = work->scene->tokens->items;
  Box box = { .first = layout->shown[slot], .n_pieces = 1 };
  box.item = &items[box.first];
  box.rect = hl_token_layout_rect (layout, box.first);
  if (box.item->group == 0)
    return box;
  int n = 1;
  gint64 first = hl_token_list_piece (work->scene->tokens, box.first, &n);
  while (box.n_pieces < n - (box.first - first) && slot + box.n_pieces < end &&
         layout->shown[slot + box.n_pieces] == box.first + box.n_pieces)
    box.n_pieces++;
  HlRect last = hl_token_layout_rect (layout, box.first + box.n_pieces - 1);
  box.rect.width = last.x + last.width - box.rect.x;
  box.rect.height = last.y + last.height - box.rect.y;
  box.item = &items[first];
  return box;
}

/* Each piece has its own colour; the text over them is to be legible on most of them. */
static void
paint_ground (const Work *work, Box *box)
{
  cairo_t *cr = work->painter->cr;
  double red = 0, green = 0, blue = 0;
  double radius = radius_of (&work->painter->theme, box->item, box->rect.height);
  cairo_save (cr);
  if (box->n_pieces > 1)
    {
      hl_token_add_rounded (cr, &box->rect, radius);
      cairo_clip (cr);
    }
  for (int p = 0; p < box->n_pieces; p++)
    {
      HlColor color;
      gboolean is_weight;
      HlRect rect = hl_token_layout_rect (work->layout, box->first + p);
      if (!ground_of (work, box->first + p, &color, &is_weight))
        continue;
      color.alpha *= fade_of (box->item);
      if (box->n_pieces > 1)
        cairo_rectangle (cr, rect.x, rect.y, rect.width, rect.height);
      else
        hl_token_add_rounded (cr, &rect, radius);
      hl_paint_set_color (cr, &color);
      cairo_fill (cr);
      box->is_colored = box->is_colored || (is_weight && !box->item->is_excluded);
      red += color.red;
      green += color.green;
      blue += color.blue;
    }
  cairo_restore (cr);
  double n = box->n_pieces / 255.0;
  const guint8 mean[] = { (guint8) (red / n + 0.5), (guint8) (green / n + 0.5),
                          (guint8) (blue / n + 0.5) };
  if (box->is_colored)
    box->ink = hl_token_ink (mean);
}

/* What a token is shows in its outline: specials round, pictures square. */
static void
paint_kind (const Work *work, const Box *box)
{
  cairo_t *cr = work->painter->cr;
  const HlTheme *theme = &work->painter->theme;
  double line = theme->line_width;
  HlRect inner = { box->rect.x + line / 2, box->rect.y + line / 2, box->rect.width - line,
                   box->rect.height - line };
  if (box->item->kind == HL_TOKEN_KIND_GENERATED)
    {
      double thick = MAX (0.13 * theme->font_size, line);
      HlColor green = rgb_color (theme->is_dark ? 0x57e389 : 0x26a269, 1);
      HlColor color = faded (&green, fade_of (box->item));
      double y = box->rect.y + box->rect.height +
                 (work->layout->mode == HL_TOKEN_LIST ? -thick : 0.05 * theme->font_size);
      cairo_rectangle (cr, box->rect.x, y, box->rect.width, thick);
      hl_paint_set_color (cr, &color);
      cairo_fill (cr);
      return;
    }
  if (box->item->kind != HL_TOKEN_KIND_SPECIAL && box->item->kind != HL_TOKEN_KIND_IMAGE)
    return;
  hl_token_add_rounded (cr, &inner, radius_of (theme, box->item, inner.height));
  HlColor color = faded (&theme->dim, 0.6 * fade_of (box->item));
  hl_paint_set_color (cr, &color);
  cairo_set_line_width (cr, line);
  cairo_stroke (cr);
}

/* ---- texts ---------------------------------------------------------------------------
 */

static HlColor
ink_of (const Work *work, const Box *box)
{
  const HlTheme *theme = &work->painter->theme;
  if (box->is_colored)
    return box->ink;
  gboolean is_dim = box->item->kind == HL_TOKEN_KIND_SPECIAL ||
                    box->item->kind == HL_TOKEN_KIND_IMAGE ||
                    box->item->kind == HL_TOKEN_KIND_PADDING ||
                    work->scene->weights != NULL;
  const HlColor *color = is_dim ? &theme->dim : &theme->foreground;
  double fade = fade_of (box->item);
  if (box->item->kind == HL_TOKEN_KIND_PADDING)
    fade *= 0.7;
  return faded (color, fade);
}

/* Under the text, in its ink, so that it shows on every colour. */
static void
paint_match (
    const Work *work, const HlColor *ink, double left, double right, double baseline)
{
  cairo_t *cr = work->painter->cr;
  double em = work->painter->theme.font_size;
  cairo_rectangle (cr, left, baseline + 0.16 * em, right - left, 0.15 * em);
  hl_paint_set_color (cr, ink);
  cairo_fill (cr);
}

static gboolean
is_match (const Work *work, const Box *box)
{
  const HlTokenScene *scene = work->scene;
  gint64 at = hl_token_scene_find (scene->matches, scene->n_matches, box->first);
  return at < scene->n_matches && scene->matches[at] < box->first + box->n_pieces;
}

static void
paint_text (const Work *work, const Box *box)
{
  HlPainter *painter = work->painter;
  const HlTheme *theme = &painter->theme;
  double em = theme->font_size, pad = hl_token_pad (theme), small = 0.72 * em;
  g_autofree char *owned = NULL, *fitted = NULL, *count = NULL;
  const char *text = hl_token_shown_text (box->item, &owned);
  HlColor ink = ink_of (work, box);
  double room = box->rect.width - 2 * pad;
  double count_width = 0;
  if (box->n_pieces > 1)
    {
      count = g_strdup_printf ("×%d", box->n_pieces);
      count_width = hl_typesetter_width (work->setter, count, small) + 0.3 * em;
    }
  double width = work->layout->text_widths[box->first];
  if (width > room - count_width + 0.01 * em)
    {
      text = fitted =
          hl_typesetter_fit (work->setter, text, em, MAX (room - count_width, 0));
      width = hl_typesetter_width (work->setter, text, em);
    }
  double x = box->rect.x + pad;
  if (work->layout->mode == HL_TOKEN_FLOW)
    x = box->rect.x + (box->rect.width - width - count_width) / 2;
  double middle = work->layout->mode == HL_TOKEN_FLOW
                      ? box->rect.y + BASELINE_EM * em
                      : box->rect.y + box->rect.height / 2;
  HlTextStyle style = { .size = em, .color = &ink };
  double baseline = middle + hl_text_drop (em);
  hl_typesetter_paint (work->setter, painter, text, x, baseline, &style, &box->rect);
  if (is_match (work, box))
    paint_match (work, &ink, x, x + MAX (width, 0.5 * em), baseline);
  if (count == NULL)
    return;
  HlColor pale = faded (&ink, 0.75);
  HlTextStyle raised = { .size = small, .color = &pale };
  hl_typesetter_paint (work->setter, painter, count, x + width + 0.3 * em,
                       baseline - 0.22 * em, &raised, NULL);
}

static void
paint_small (const Work *work, const Box *box)
{
  const HlTokenLayout *layout = work->layout;
  const HlTheme *theme = &work->painter->theme;
  double em = theme->font_size, size = hl_token_small_size (theme);
  HlColor dim = faded (&theme->dim, fade_of (box->item));
  HlColor pale = faded (&box->ink, 0.8);
  if (layout->mode == HL_TOKEN_FLOW)
    {
      if (!(layout->flags & (HL_TOKENS_INDEX | HL_TOKENS_ID)))
        return;
      HlTextStyle style = { size, HL_ANCHOR_MIDDLE, box->is_colored ? &pale : &dim };
      g_autofree char *text = hl_token_small_text (work->scene->tokens, box->first,
                                                   box->n_pieces, layout->flags);
      hl_typesetter_paint (
          work->setter, work->painter, text, box->rect.x + box->rect.width / 2,
          box->rect.y + SMALL_EM * em + hl_text_drop (size), &style, &box->rect);
      return;
    }
  for (int p = 0; p < box->n_pieces; p++)
    {
      gint64 token = box->first + p;
      double y = layout->body.y +
                 (hl_token_layout_line (layout, token) + 0.5) * layout->line_height +
                 hl_text_drop (size);
      HlTextStyle style = { size, HL_ANCHOR_END, &dim };
      g_autofree char *index = g_strdup_printf ("%" G_GINT64_FORMAT, token);
      gint64 id = work->scene->tokens->items[token].id;
      g_autofree char *id_text = g_strdup_printf ("#%" G_GINT64_FORMAT, id);
      if (layout->flags & HL_TOKENS_INDEX)
        hl_typesetter_paint (work->setter, work->painter, index, layout->index_right, y,
                             &style, NULL);
      if ((layout->flags & HL_TOKENS_ID) && id >= 0)
        hl_typesetter_paint (work->setter, work->painter, id_text, layout->id_right, y,
                             &style, NULL);
    }
}

/* ---- values --------------------------------------------------------------------------
 */

/* (transfer full): as many places for all, so that they can be compared at a glance. */
static char *
number_of (const HlTokenScene *scene, float weight)
{
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];
  if (isnan (weight))
    return g_strdup ("–");
  if (scene->scale.high < 0.01 || scene->scale.high > 100 || weight < 0)
    return hl_format_number (weight);
  if (weight > 0 && weight < 0.0005)
    return g_strdup ("<0.001");
  return g_strdup (g_ascii_formatd (buffer, sizeof buffer, "%.3f", weight));
}

static void
paint_value (const Work *work, gint64 token)
{
  const HlTokenLayout *layout = work->layout;
  const HlTokenScene *scene = work->scene;
  const HlTheme *theme = &work->painter->theme;
  double em = theme->font_size, size = 0.85 * em;
  double y =
      layout->body.y + (hl_token_layout_line (layout, token) + 0.5) * layout->line_height;
  float weight = scene->weights[token];
  HlTextStyle style = { size, HL_ANCHOR_END, &theme->dim };
  g_autofree char *number = number_of (scene, weight);
  hl_typesetter_paint (work->setter, work->painter, number,
                       layout->value_x + layout->value_width, y + hl_text_drop (size),
                       &style, NULL);
  double length = layout->value_width - 3.6 * em;
  if (isnan (weight) || length <= 0)
    return;
  double height = 0.5 * em, share = hl_scale_position (&scene->scale, weight);
  HlRect track = { layout->value_x, y - height / 2, length, height };
  HlRect bar = { layout->value_x, track.y, MAX (share * length, theme->line_width),
                 height };
  HlColor faint = faded (&theme->faint, 0.4);
  hl_token_add_rounded (work->painter->cr, &track, height / 2);
  hl_paint_set_color (work->painter->cr, &faint);
  cairo_fill (work->painter->cr);
  hl_token_add_rounded (work->painter->cr, &bar, height / 2);
  hl_paint_set_color (work->painter->cr, &theme->accent_head);
  cairo_fill (work->painter->cr);
}

/* ---- lines ---------------------------------------------------------------------------
 */

/* A box of a list may begin above the lines that are painted. */
static gint64
whole_box_start (const Work *work, gint64 slot)
{
  const HlTokenLayout *layout = work->layout;
  gint64 token = layout->shown[slot];
  int n = 1;
  if (work->scene->tokens->items[token].group == 0)
    return slot;
  gint64 first = hl_token_list_piece (work->scene->tokens, token, &n);
  while (slot > 0 && layout->shown[slot - 1] >= first)
    slot--;
  return slot;
}

void
hl_paint_token_lines (HlPainter *painter,
                      const HlTokenScene *scene,
                      const HlTokenLayout *layout,
                      HlTypesetter *setter,
                      gint64 line_start,
                      gint64 line_end)
{
  const Work work = { painter, scene, layout, setter };
  gint64 start, end;
  hl_token_layout_slots_in (layout, line_start, line_end, &start, &end);
  if (scene->tokens == NULL || scene->tokens != layout->tokens || start == end)
    return;
  cairo_save (painter->cr);
  for (gint64 slot = whole_box_start (&work, start); slot < end;)
    {
      Box box = box_at (&work, slot, layout->n_shown);
      box.ink = painter->theme.foreground;
      paint_ground (&work, &box);
      paint_kind (&work, &box);
      paint_text (&work, &box);
      paint_small (&work, &box);
      if (layout->mode == HL_TOKEN_LIST && layout->value_width > 0 &&
          scene->weights != NULL)
        for (int p = 0; p < box.n_pieces; p++)
          paint_value (&work, box.first + p);
      slot += box.n_pieces;
    }
  cairo_restore (painter->cr);
}
