/* SPDX-License-Identifier: MIT
 * Where the tokens of a text lie: flowing in lines, or one below the other. Measured
 * once for a list of tokens; a new width only breaks the lines anew; what is in sight is
 * found without looking at the rest. */
#pragma once

#include "draw/hl-painter.h"
#include "scene/hl-token-scene.h"

G_BEGIN_DECLS

typedef enum
{
  HL_TOKEN_FLOW, /* like text */
  HL_TOKEN_LIST, /* a row a token, arcs beside them */
} HlTokenMode;

typedef enum
{
  HL_TOKENS_NONE = 0,
  HL_TOKENS_INDEX = 1 << 0,      /* small, under the text or in a column */
  HL_TOKENS_ID = 1 << 1,         /* likewise */
  HL_TOKENS_TITLE = 1 << 2,      /* of the scene, above */
  HL_TOKENS_BAR = 1 << 3,        /* below; where there are weights: arcs need none */
  HL_TOKENS_SHOWN_ONLY = 1 << 4, /* tokens that are left out take no room */
  HL_TOKENS_ARCS = 1 << 5,       /* list: room for arcs, whether there are any or not */
  HL_TOKENS_VALUES = 1 << 6,     /* list: a column with the weights as bars and numbers */
} HlTokenFlags;

/**
 * HlTokenLayout: user units. Zeroed before its first use.
 * @body: where the lines are; @title, @legend (of the heads of arcs) and @bar (the
 *   coloured strip alone) have no height where they are not shown
 * @line_height: from one line to the next; @box_height is a little less
 * @arcs_x: where arcs begin and end, at the right of their room of @arcs_width
 * @index_right, @id_right: right ends of the columns of a list; @box_x: where its boxes
 *   begin; @value_x: where its bars begin, @value_width with the number
 * @shown: (@n_shown) tokens in the order of their places; @slots: (n) the place of a
 *   token, -1 when it has none
 * @xs, @widths: (@n_shown) of boxes, or of one piece of a box
 * @lines: flow only: (@n_lines + 1) the first place of each line
 * @text_widths: (n) of the first token of each box
 */
typedef struct
{
  HlTokenMode mode;
  HlTokenFlags flags;
  double width;
  HlRect title;
  HlRect legend;
  HlRect body;
  HlRect bar;
  double line_height;
  double box_height;
  double arcs_x;
  double arcs_width;
  double index_right;
  double id_right;
  double box_x;
  double value_x;
  double value_width;
  double used_width;
  double used_height;
  gint64 n_lines;

  HlTokenList *tokens;
  HlTheme theme;
  float *text_widths;
  gint64 n_shown;
  gint32 *shown;
  gint32 *slots;
  float *xs;
  float *widths;
  gint32 *lines;
} HlTokenLayout;

void hl_token_layout_clear (HlTokenLayout *layout);

/**
 * hl_token_layout_compute:
 * @width: to be filled; the height follows from it
 * Measures texts only when the tokens or the font are not those of the last time.
 */
void hl_token_layout_compute (HlTokenLayout *layout,
                              const HlTokenScene *scene,
                              const HlTheme *theme,
                              double width,
                              HlTokenMode mode,
                              HlTokenFlags flags);

/** hl_token_layout_rect: where a token is; nothing for one that is not shown. */
HlRect hl_token_layout_rect (const HlTokenLayout *layout, gint64 token);
/** hl_token_layout_line: line or row of a token; -1 for one that is not shown. */
gint64 hl_token_layout_line (const HlTokenLayout *layout, gint64 token);

/** hl_token_layout_hit: token under a point; FALSE between and beside them. In a list the
 * whole row belongs to its token. */
gboolean
hl_token_layout_hit (const HlTokenLayout *layout, double x, double y, gint64 *token);
/** hl_token_layout_nearest: the nearest of the nearest line; -1 without tokens. */
gint64 hl_token_layout_nearest (const HlTokenLayout *layout, double x, double y);

/** hl_token_layout_lines_in: lines between two heights; @end is one past the last. */
void hl_token_layout_lines_in (
    const HlTokenLayout *layout, double top, double bottom, gint64 *start, gint64 *end);
/** hl_token_layout_slots_in: places of some lines, by @shown. */
void hl_token_layout_slots_in (const HlTokenLayout *layout,
                               gint64 line_start,
                               gint64 line_end,
                               gint64 *start,
                               gint64 *end);

/** hl_token_layout_step: the token @by tokens further on, as far as there are any. */
gint64 hl_token_layout_step (const HlTokenLayout *layout, gint64 token, gint64 by);
/** hl_token_layout_step_lines: the token @by lines down that is nearest to @x. */
gint64 hl_token_layout_step_lines (const HlTokenLayout *layout,
                                   gint64 token,
                                   gint64 by,
                                   double x);
/** hl_token_layout_line_end: first or last token of the line that @token is in. */
gint64
hl_token_layout_line_end (const HlTokenLayout *layout, gint64 token, gboolean is_last);

/* ---- for the painter -----------------------------------------------------------------
 */

/** hl_token_shown_text: the text of a box, cut when it is of a monstrous length.
 * @owned: (out): what to free, or NULL */
const char *hl_token_shown_text (const HlTokenItem *item, char **owned);
/** hl_token_small_text: (transfer full): index and id of a box as @flags want them. */
char *hl_token_small_text (const HlTokenList *list,
                           gint64 first,
                           int n_pieces,
                           HlTokenFlags flags);
double hl_token_pad (const HlTheme *theme);
double hl_token_small_size (const HlTheme *theme);
/** hl_token_radius: of a box's corners. */
double hl_token_radius (const HlTheme *theme);
/** hl_token_mark_line: width of the orange outline. */
double hl_token_mark_line (const HlTheme *theme);

G_END_DECLS
