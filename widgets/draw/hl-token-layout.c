/* SPDX-License-Identifier: MIT
 * Where the tokens of a text lie. */
#include "config.h"

#include "draw/hl-token-layout.h"

#include "draw/hl-paint-bar.h"
#include "draw/hl-typesetter.h"

#include <math.h>
#include <string.h>

/* Distances in multiples of the text size. */
#define TITLE_EM 1.9
#define LEGEND_EM 1.7
#define PAD_EM 0.36       /* between a box and its text */
#define BOX_EM 1.6        /* height of a box with one line of text */
#define SMALL_LINE_EM 0.9 /* what index and id add to it */
#define BETWEEN_EM 0.18   /* between two boxes */
#define LEADING_EM 0.38   /* between two lines */
#define ROW_EM 1.75       /* of a list */
#define ROW_GAP_EM 0.16
#define BOX_MIN_EM 1.15
#define PIECE_MIN_EM 0.9
#define SMALL_SCALE 0.72
#define RADIUS_EM 0.22
#define MARK_EM 0.16
#define COLUMN_GAP_EM 0.7
#define ARCS_SHARE 0.27
#define ARCS_MIN_EM 4.0
#define ARCS_MAX_EM 13.0
#define VALUE_EM 8.5
#define VALUE_SHARE 0.3
#define BOXES_MIN_EM 8.0 /* the column of boxes in a list */
#define BOXES_MAX_EM 22.0
#define EDGE_EM 0.42 /* round everything: outlines and the focus reach out of boxes */
#define BAR_GAP_EM 0.8
#define BAR_LENGTH_EM 18.0
#define TEXT_CHARS_MAX 120 /* of one token that are measured and shown */

double
hl_token_pad (const HlTheme *theme)
{
  return PAD_EM * theme->font_size;
}

double
hl_token_small_size (const HlTheme *theme)
{
  return SMALL_SCALE * theme->font_size;
}

double
hl_token_radius (const HlTheme *theme)
{
  return RADIUS_EM * theme->font_size;
}

double
hl_token_mark_line (const HlTheme *theme)
{
  return MAX (2 * theme->line_width, MARK_EM * theme->font_size);
}

/* Boxes begin and end on whole lines of the screen. */
static double
snap (const HlTokenLayout *layout, double length)
{
  double unit = layout->theme.line_width;
  return unit > 0 ? ceil (length / unit - 1e-6) * unit : length;
}

/* ---- texts ---------------------------------------------------------------------------
 */

const char *
hl_token_shown_text (const HlTokenItem *item, char **owned)
{
  *owned = NULL;
  if (strlen (item->text) <= TEXT_CHARS_MAX ||
      g_utf8_strlen (item->text, -1) <= TEXT_CHARS_MAX)
    return item->text;
  g_autofree char *head = g_utf8_substring (item->text, 0, TEXT_CHARS_MAX);
  *owned = g_strconcat (head, "…", NULL);
  return *owned;
}

char *
hl_token_small_text (const HlTokenList *list,
                     gint64 first,
                     int n_pieces,
                     HlTokenFlags flags)
{
  GString *text = g_string_new (NULL);
  if (flags & HL_TOKENS_INDEX)
    g_string_append_printf (text, "%" G_GINT64_FORMAT, first);
  if ((flags & HL_TOKENS_INDEX) && n_pieces > 1)
    g_string_append_printf (text, "–%" G_GINT64_FORMAT, first + n_pieces - 1);
  if ((flags & HL_TOKENS_ID) && n_pieces == 1 && list->items[first].id >= 0)
    g_string_append_printf (text, "%s#%" G_GINT64_FORMAT, text->len > 0 ? " " : "",
                            list->items[first].id);
  return g_string_free (text, FALSE);
}

/* Equal texts are the same pointer, and a text of 100,000 tokens has some thousand of
 * them. */
static void
measure_texts (HlTokenLayout *layout)
{
  const HlTokenList *list = layout->tokens;
  g_autoptr (HlTypesetter) setter = hl_typesetter_new (layout->theme.font_family);
  g_autoptr (GHashTable) known = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  for (gint64 i = 0; i < list->n;)
    {
      const HlTokenItem *item = &list->items[i];
      float *width = g_hash_table_lookup (known, item->text);
      int n_pieces = 1;
      if (width == NULL)
        {
          g_autofree char *owned = NULL;
          const char *text = hl_token_shown_text (item, &owned);
          width = g_new (float, 1);
          *width = (float) hl_typesetter_width (setter, text, layout->theme.font_size);
          g_hash_table_insert (known, (gpointer) item->text, width);
        }
      layout->text_widths[i] = *width;
      if (item->group != 0)
        hl_token_list_piece (list, i, &n_pieces);
      for (int p = 1; p < n_pieces; p++)
        layout->text_widths[i + p] = 0;
      i += n_pieces;
    }
}

static void
take_tokens (HlTokenLayout *layout, const HlTokenScene *scene, const HlTheme *theme)
{
  gsize n = (gsize) MAX (hl_token_scene_count (scene), 1);
  gboolean is_same = layout->tokens != NULL && layout->tokens == scene->tokens &&
                     layout->theme.font_size == theme->font_size &&
                     g_str_equal (layout->theme.font_family, theme->font_family);
  layout->theme = *theme;
  if (is_same)
    return;
  hl_token_layout_clear (layout);
  layout->theme = *theme;
  layout->tokens =
      scene->tokens != NULL ? hl_token_list_ref (scene->tokens) : hl_token_list_new (0);
  layout->text_widths = g_new0 (float, n);
  layout->shown = g_new0 (gint32, n);
  layout->slots = g_new0 (gint32, n);
  layout->xs = g_new0 (float, n);
  layout->widths = g_new0 (float, n);
  layout->lines = g_new0 (gint32, n + 1);
  measure_texts (layout);
}

void
hl_token_layout_clear (HlTokenLayout *layout)
{
  hl_token_list_unref (layout->tokens);
  g_free (layout->text_widths);
  g_free (layout->shown);
  g_free (layout->slots);
  g_free (layout->xs);
  g_free (layout->widths);
  g_free (layout->lines);
  *layout = (HlTokenLayout){ 0 };
}

static void
find_shown (HlTokenLayout *layout)
{
  const HlTokenList *list = layout->tokens;
  layout->n_shown = 0;
  for (gint64 i = 0; i < list->n; i++)
    {
      layout->slots[i] = -1;
      if ((layout->flags & HL_TOKENS_SHOWN_ONLY) && list->items[i].is_excluded)
        continue;
      layout->slots[i] = (gint32) layout->n_shown;
      layout->shown[layout->n_shown++] = (gint32) i;
    }
}

/* ---- boxes ---------------------------------------------------------------------------
 */

static int
count_digits (gint64 number)
{
  int n = number < 0 ? 2 : 1;
  while ((number /= 10) != 0)
    n++;
  return n;
}

static double
digit_width (const HlTheme *theme)
{
  return hl_text_width (theme, "0", hl_token_small_size (theme), FALSE);
}

/* Pieces of the box that begins at a place, as far as they are shown. */
static int
pieces_at (const HlTokenLayout *layout, gint64 slot)
{
  const HlTokenItem *items = layout->tokens->items;
  gint64 token = layout->shown[slot];
  int n_pieces = 1, n = 1;
  if (items[token].group == 0)
    return 1;
  gint64 first = hl_token_list_piece (layout->tokens, token, &n_pieces);
  while (n < n_pieces - (token - first) && slot + n < layout->n_shown &&
         layout->shown[slot + n] == token + n)
    n++;
  return n;
}

static double
natural_width (const HlTokenLayout *layout, gint64 token, int n_pieces, double digit)
{
  const HlTheme *theme = &layout->theme;
  const HlTokenItem *item = &layout->tokens->items[token];
  double em = theme->font_size, width = layout->text_widths[token];
  if (n_pieces > 1)
    width += (count_digits (n_pieces) + 1.5) * digit + 0.35 * em;
  int n_chars = 0;
  if (layout->flags & HL_TOKENS_INDEX)
    n_chars += count_digits (token);
  if ((layout->flags & HL_TOKENS_INDEX) && n_pieces > 1)
    n_chars += 1 + count_digits (token + n_pieces - 1);
  if ((layout->flags & HL_TOKENS_ID) && n_pieces == 1 && item->id >= 0)
    n_chars += 2 + count_digits (item->id);
  double least = n_pieces > 1 ? n_pieces * PIECE_MIN_EM * em : BOX_MIN_EM * em;
  return MAX (MAX (width, n_chars * digit) + 2 * hl_token_pad (theme), least);
}

/* ---- flowing -------------------------------------------------------------------------
 */

static void
break_lines (HlTokenLayout *layout)
{
  const HlTheme *theme = &layout->theme;
  const HlTokenItem *items = layout->tokens->items;
  double digit = digit_width (theme), room = MAX (layout->body.width, 1), x = 0;
  double between = snap (layout, BETWEEN_EM * theme->font_size);
  gint64 line = 0;
  gboolean is_ended = FALSE;
  layout->lines[0] = 0;
  for (gint64 slot = 0; slot < layout->n_shown;)
    {
      int n = pieces_at (layout, slot);
      double width = natural_width (layout, layout->shown[slot], n, digit);
      width = MIN (snap (layout, width), room);
      if (is_ended || (x > 0 && x + width > room))
        {
          layout->lines[++line] = (gint32) slot;
          x = 0;
        }
      is_ended = FALSE;
      for (int p = 0; p < n; p++)
        {
          layout->xs[slot + p] = (float) (x + p * width / n);
          layout->widths[slot + p] = (float) (width / n);
          is_ended = is_ended || items[layout->shown[slot + p]].breaks_line;
        }
      x += width + between;
      slot += n;
    }
  layout->n_lines = layout->n_shown > 0 ? line + 1 : 0;
  layout->lines[layout->n_lines] = (gint32) layout->n_shown;
}

/* ---- a list --------------------------------------------------------------------------
 */

static double
widest_text (const HlTokenLayout *layout)
{
  float widest = 0;
  for (gint64 i = 0; i < layout->tokens->n; i++)
    widest = MAX (widest, layout->text_widths[i]);
  return widest;
}

/* Returns how wide a box may be. */
static double
place_columns (HlTokenLayout *layout)
{
  const HlTheme *theme = &layout->theme;
  double em = theme->font_size, digit = digit_width (theme), x = layout->body.x;
  const HlTokenList *list = layout->tokens;
  layout->arcs_width = layout->arcs_x = 0;
  if (layout->flags & HL_TOKENS_ARCS)
    {
      layout->arcs_width = snap (
          layout, CLAMP (ARCS_SHARE * layout->width, ARCS_MIN_EM * em, ARCS_MAX_EM * em));
      x += layout->arcs_width;
      layout->arcs_x = x;
      x += 0.3 * em;
    }
  if (layout->flags & HL_TOKENS_INDEX)
    {
      x += count_digits (MAX (list->n - 1, 0)) * digit + 0.2 * em;
      layout->index_right = x;
      x += COLUMN_GAP_EM * em;
    }
  if (layout->flags & HL_TOKENS_ID)
    {
      gint64 most = 0;
      for (gint64 i = 0; i < list->n; i++)
        most = MAX (most, list->items[i].id);
      x += (count_digits (most) + 1) * digit;
      layout->id_right = x;
      x += COLUMN_GAP_EM * em;
    }
  layout->box_x = snap (layout, x);
  double right = layout->body.x + layout->body.width, room = MAX (right - x, 0);
  layout->value_x = right;
  layout->value_width = 0;
  if (layout->flags & HL_TOKENS_VALUES)
    {
      /* Beside the boxes, so that the eye finds the number that belongs to a token. */
      double boxes = CLAMP (widest_text (layout) + 2 * hl_token_pad (theme),
                            BOXES_MIN_EM * em, BOXES_MAX_EM * em);
      layout->value_width = MIN (VALUE_EM * em, VALUE_SHARE * room);
      room = MIN (boxes, room - layout->value_width - em);
      layout->value_x = snap (layout, layout->box_x + room + em);
    }
  return MAX (room, BOX_MIN_EM * em);
}

static void
place_rows (HlTokenLayout *layout)
{
  double room = place_columns (layout);
  const HlTokenFlags flags = layout->flags;
  double digit = digit_width (&layout->theme);
  /* Index and id have columns of their own. */
  layout->flags &= ~(HL_TOKENS_INDEX | HL_TOKENS_ID);
  for (gint64 slot = 0; slot < layout->n_shown;)
    {
      int n = pieces_at (layout, slot);
      double width = natural_width (layout, layout->shown[slot], n > 1 ? 2 : 1, digit);
      for (int p = 0; p < n; p++)
        {
          layout->xs[slot + p] = (float) layout->box_x;
          layout->widths[slot + p] = (float) MIN (snap (layout, width), room);
        }
      slot += n;
    }
  layout->flags = flags;
  layout->n_lines = layout->n_shown;
}

/* ---- all of it -----------------------------------------------------------------------
 */

static void
place_bar (HlTokenLayout *layout, const HlTokenScene *scene)
{
  double em = layout->theme.font_size;
  double bottom = layout->body.y + layout->body.height;
  layout->bar = (HlRect){ 0 };
  layout->used_height = bottom + 2 * layout->theme.line_width;
  if (!(layout->flags & HL_TOKENS_BAR) || scene->weights == NULL)
    return;
  layout->bar = (HlRect){ layout->body.x + 0.3 * em, bottom + BAR_GAP_EM * em,
                          MIN (layout->width - 3 * em, BAR_LENGTH_EM * em), 0.7 * em };
  layout->bar.width = MAX (layout->bar.width, em);
  layout->used_height = layout->bar.y +
                        hl_color_bar_extent (&layout->theme, &scene->scale, FALSE) +
                        0.2 * em;
}

void
hl_token_layout_compute (HlTokenLayout *layout,
                         const HlTokenScene *scene,
                         const HlTheme *theme,
                         double width,
                         HlTokenMode mode,
                         HlTokenFlags flags)
{
  take_tokens (layout, scene, theme);
  double em = theme->font_size, edge = snap (layout, EDGE_EM * theme->font_size);
  layout->mode = mode;
  layout->flags = flags;
  layout->width = MAX (width, 1);
  layout->title = layout->legend = (HlRect){ 0 };
  double top = edge;
  if ((flags & HL_TOKENS_TITLE) && scene->title != NULL)
    {
      layout->title = (HlRect){ edge, 0, MAX (width - edge, 0), TITLE_EM * em };
      top = TITLE_EM * em;
    }
  if (mode == HL_TOKEN_LIST && scene->n_heads > 1)
    {
      layout->legend =
          (HlRect){ edge, top, MAX (width - 2 * edge, 0), snap (layout, LEGEND_EM * em) };
      top += layout->legend.height;
    }
  layout->body = (HlRect){ edge, snap (layout, top), MAX (width - 2 * edge, 1), 0 };
  layout->line_height = snap (layout, ROW_EM * em);
  layout->box_height = layout->line_height - snap (layout, ROW_GAP_EM * em);
  if (mode == HL_TOKEN_FLOW)
    {
      gboolean has_small = (flags & (HL_TOKENS_INDEX | HL_TOKENS_ID)) != 0;
      layout->box_height = snap (layout, (BOX_EM + (has_small ? SMALL_LINE_EM : 0)) * em);
      layout->line_height = layout->box_height + snap (layout, LEADING_EM * em);
    }
  find_shown (layout);
  if (mode == HL_TOKEN_FLOW)
    break_lines (layout);
  else
    place_rows (layout);
  layout->body.height = layout->n_lines * layout->line_height;
  layout->used_width = layout->width;
  place_bar (layout, scene);
}
