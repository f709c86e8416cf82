/* SPDX-License-Identifier: MIT
 * Arcs beside a list of tokens. */
#include "config.h"

#include "draw/hl-token-arcs.h"

#include <math.h>

#define REACH_ROWS 9.0  /* at this distance an arc has half of the room */
#define BEND_ROWS 2.2   /* the rounded part of a long arc */
#define SELF_REACH 0.16 /* of the room: an arc from a token to itself */
#define SELF_ROWS 0.28
#define ROUND 0.5523 /* a quarter of a circle as a curve */
#define HIT_STEPS 8

struct _HlTokenArcs
{
  HlTokenScene *scene;
  gint64 *by_query; /* (n) arcs in ascending order of this end, strong ones first */
  gint64 *by_key;
  gint64 n;
};

/* ---- finding -------------------------------------------------------------------------
 */

static gint64
end_of (const HlArc *arc, gboolean is_key)
{
  return is_key ? arc->key : arc->query;
}

static int
compare (const HlArc *arcs, gint64 a, gint64 b, gboolean is_key)
{
  gint64 end_a = end_of (&arcs[a], is_key), end_b = end_of (&arcs[b], is_key);
  if (end_a != end_b)
    return end_a < end_b ? -1 : 1;
  if (arcs[a].weight != arcs[b].weight)
    return arcs[a].weight > arcs[b].weight ? -1 : 1;
  return a < b ? -1 : a > b;
}

static int
compare_queries (gconstpointer a, gconstpointer b, gpointer arcs)
{
  return compare (arcs, *(const gint64 *) a, *(const gint64 *) b, FALSE);
}

static int
compare_keys (gconstpointer a, gconstpointer b, gpointer arcs)
{
  return compare (arcs, *(const gint64 *) a, *(const gint64 *) b, TRUE);
}

HlTokenArcs *
hl_token_arcs_new (HlTokenScene *scene)
{
  HlTokenArcs *self = g_new0 (HlTokenArcs, 1);
  gint64 n_tokens = hl_token_scene_count (scene);
  self->scene = hl_token_scene_ref (scene);
  self->by_query = g_new (gint64, MAX (scene->n_arcs, 1));
  for (gint64 i = 0; i < scene->n_arcs; i++)
    {
      const HlArc *arc = &scene->arcs[i];
      if (arc->query >= 0 && arc->query < n_tokens && arc->key >= 0 &&
          arc->key < n_tokens && !isnan (arc->weight))
        self->by_query[self->n++] = i;
    }
  self->by_key = g_memdup2 (self->by_query, sizeof (gint64) * (gsize) MAX (self->n, 1));
  if (self->n > 0)
    {
      g_qsort_with_data (self->by_query, (int) self->n, sizeof (gint64), compare_queries,
                         scene->arcs);
      g_qsort_with_data (self->by_key, (int) self->n, sizeof (gint64), compare_keys,
                         scene->arcs);
    }
  return self;
}

void
hl_token_arcs_free (HlTokenArcs *self)
{
  if (self == NULL)
    return;
  hl_token_scene_unref (self->scene);
  g_free (self->by_query);
  g_free (self->by_key);
  g_free (self);
}

/* The first arc in an order whose end is not before @token. */
static gint64
first_at (const HlTokenArcs *self, const gint64 *order, gint64 token, gboolean is_key)
{
  gint64 low = 0, high = self->n;
  while (low < high)
    {
      gint64 middle = low + (high - low) / 2;
      if (end_of (&self->scene->arcs[order[middle]], is_key) < token)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

static int
compare_weights (gconstpointer a, gconstpointer b, gpointer data)
{
  const HlArc *arcs = data;
  gint64 i = *(const gint64 *) a, j = *(const gint64 *) b;
  if (arcs[i].weight != arcs[j].weight)
    return arcs[i].weight < arcs[j].weight ? -1 : 1;
  return i < j ? -1 : i > j;
}

/* At most so many of each token are taken: they are its strongest. */
static void
add_ends (const HlTokenArcs *self,
          const HlTokenLayout *layout,
          gboolean is_key,
          gint64 first,
          gint64 last,
          GArray *found)
{
  const gint64 *order = is_key ? self->by_key : self->by_query;
  const HlArc *arcs = self->scene->arcs;
  gint64 before = -1, n_same = 0;
  for (gint64 i = first_at (self, order, first, is_key); i < self->n;)
    {
      const HlArc *arc = &arcs[order[i]];
      gint64 end = end_of (arc, is_key);
      if (end > last)
        break;
      n_same = end == before ? n_same + 1 : 0;
      before = end;
      if (n_same >= HL_TOKEN_ARCS_MOST)
        {
          i = first_at (self, order, end + 1, is_key);
          continue;
        }
      i++;
      /* Those with both ends in sight come once, with their queries. */
      if (layout->slots[arc->query] < 0 || layout->slots[arc->key] < 0 ||
          (is_key && arc->query >= first && arc->query <= last))
        continue;
      g_array_append_val (found, order[i - 1]);
    }
}

GArray *
hl_token_arcs_find (const HlTokenArcs *self,
                    const HlTokenLayout *layout,
                    gint64 line_start,
                    gint64 line_end)
{
  GArray *found = g_array_new (FALSE, FALSE, sizeof (gint64));
  gint64 start, end;
  if (layout->mode != HL_TOKEN_LIST || layout->tokens != self->scene->tokens)
    return found;
  hl_token_layout_slots_in (layout, line_start, line_end, &start, &end);
  if (start == end)
    return found;
  gint64 first = layout->shown[start], last = layout->shown[end - 1];
  add_ends (self, layout, FALSE, first, last, found);
  add_ends (self, layout, TRUE, first, last, found);
  g_array_sort_with_data (found, compare_weights, self->scene->arcs);
  if (found->len > HL_TOKEN_ARCS_MOST)
    g_array_remove_range (found, 0, found->len - HL_TOKEN_ARCS_MOST);
  return found;
}

/* ---- shape ---------------------------------------------------------------------------
 */

typedef struct
{
  double x;
  double query_y;
  double key_y;
  double left; /* how far it reaches */
  double bend; /* height of a rounded end, with the sign of the way to the key */
} Shape;

static Shape
shape_of (const HlTokenArcs *self, const HlTokenLayout *layout, const HlArc *arc)
{
  double row = layout->line_height, room = 0.94 * layout->arcs_width;
  int n_heads = MAX (self->scene->n_heads, 1);
  /* Heads side by side, so that none hides another's arc. */
  double apart = MIN (0.5 * row / n_heads, 0.22 * layout->theme.font_size);
  double shift = (CLAMP (arc->head, 0, n_heads - 1) - (n_heads - 1) / 2.0) * apart;
  double rows = (double) (layout->slots[arc->key] - layout->slots[arc->query]);
  double reach = room * fabs (rows) / (fabs (rows) + REACH_ROWS);
  Shape shape = { .x = layout->arcs_x };
  double middle = layout->body.y + row / 2 + shift;
  shape.query_y = middle + layout->slots[arc->query] * row;
  shape.key_y = middle + layout->slots[arc->key] * row;
  if (rows == 0)
    {
      reach = SELF_REACH * room;
      shape.query_y += SELF_ROWS * row;
      shape.key_y -= SELF_ROWS * row;
    }
  reach = CLAMP (reach + shift, 0.05 * room, room);
  shape.left = shape.x - reach;
  double way = shape.key_y - shape.query_y;
  shape.bend = MIN (fabs (way) / 2, BEND_ROWS * row) * (way < 0 ? -1 : 1);
  return shape;
}

static void
add_path (cairo_t *cr, const Shape *shape)
{
  double near = shape->x - ROUND * (shape->x - shape->left);
  double bend = shape->bend, rest = (1 - ROUND) * bend;
  cairo_move_to (cr, shape->x, shape->query_y);
  cairo_curve_to (cr, near, shape->query_y, shape->left, shape->query_y + rest,
                  shape->left, shape->query_y + bend);
  cairo_line_to (cr, shape->left, shape->key_y - bend);
  cairo_curve_to (cr, shape->left, shape->key_y - rest, near, shape->key_y, shape->x,
                  shape->key_y);
}

/* ---- painting ------------------------------------------------------------------------
 */

HlColor
hl_token_head_color (const HlTokenScene *scene, const HlTheme *theme, int head)
{
  /* Told apart by people who see fewer colours; no orange, which is the query's. */
  static const guint32 light[] = { 0x3584e4, 0x26a269, 0x9141ac, 0xc0417f,
                                   0x0a8ea8, 0x8a6d3b, 0x5e5c64, 0x1a5fb4 };
  static const guint32 dark[] = { 0x62a0ea, 0x57d69a, 0xc88be0, 0xf08bb9,
                                  0x4fd1e6, 0xd2b48c, 0xb5b3ba, 0x99c1f1 };
  guint32 hex = 0;
  if (head >= 0 && head < scene->n_heads)
    hex = scene->heads[head].rgb;
  if (hex == 0)
    hex = (theme->is_dark ? dark : light)[(guint) MAX (head, 0) % G_N_ELEMENTS (light)];
  return (HlColor){ ((hex >> 16) & 0xff) / 255.0, ((hex >> 8) & 0xff) / 255.0,
                    (hex & 0xff) / 255.0, 1.0 };
}

/* The key's end has a head, so that it is seen who attends to whom. */
static void
paint_arrow (HlPainter *painter, const Shape *shape, const HlColor *color, double line)
{
  cairo_t *cr = painter->cr;
  double side = 0.16 * painter->theme.font_size + line;
  cairo_move_to (cr, shape->x + 0.45 * side, shape->key_y);
  cairo_rel_line_to (cr, -1.5 * side, -0.8 * side);
  cairo_rel_line_to (cr, 0, 1.6 * side);
  cairo_close_path (cr);
  hl_paint_set_color (cr, color);
  cairo_fill (cr);
}

void
hl_paint_token_arcs (HlPainter *painter,
                     const HlTokenArcs *self,
                     const HlTokenLayout *layout,
                     gint64 line_start,
                     gint64 line_end)
{
  if (layout->arcs_width <= 0)
    return;
  g_autoptr (GArray) found = hl_token_arcs_find (self, layout, line_start, line_end);
  const HlTheme *theme = &painter->theme;
  cairo_t *cr = painter->cr;
  cairo_save (cr);
  for (guint i = 0; i < found->len; i++)
    {
      const HlArc *arc = &self->scene->arcs[g_array_index (found, gint64, i)];
      double strength = hl_scale_position (&self->scene->scale, arc->weight);
      double line = (0.08 + 0.16 * strength) * theme->font_size;
      HlColor color = hl_token_head_color (self->scene, theme, arc->head);
      Shape shape = shape_of (self, layout, arc);
      color.alpha = 0.22 + 0.78 * sqrt (strength);
      add_path (cr, &shape);
      hl_paint_set_color (cr, &color);
      cairo_set_line_width (cr, line);
      cairo_stroke (cr);
      paint_arrow (painter, &shape, &color, line);
    }
  cairo_restore (cr);
}

void
hl_paint_token_legend (HlPainter *painter,
                       const HlTokenScene *scene,
                       const HlTokenLayout *layout)
{
  const HlTheme *theme = &painter->theme;
  const HlRect *legend = &layout->legend;
  double em = theme->font_size, x = legend->x, y = legend->y + 0.5 * em;
  for (int h = 0; h < scene->n_heads && legend->height > 0; h++)
    {
      const char *label = scene->heads[h].label != NULL ? scene->heads[h].label : "";
      double width = hl_text_width (theme, label, 0, FALSE);
      HlColor color = hl_token_head_color (scene, theme, h);
      HlTextStyle style = { 0 };
      gboolean is_last = x + width + 3 * em > legend->x + legend->width;
      if (is_last && h + 1 < scene->n_heads)
        {
          hl_paint_text (painter, "…", x, y + hl_text_drop (em), &style);
          return;
        }
      cairo_move_to (painter->cr, x, y);
      cairo_rel_line_to (painter->cr, 1.1 * em, 0);
      hl_paint_set_color (painter->cr, &color);
      cairo_set_line_width (painter->cr, 0.2 * em);
      cairo_stroke (painter->cr);
      hl_paint_text (painter, label, x + 1.5 * em, y + hl_text_drop (em), &style);
      x += width + 2.7 * em;
    }
}

/* ---- under a point -------------------------------------------------------------------
 */

static double
distance_to_segment (double x, double y, const double *a, const double *b)
{
  double dx = b[0] - a[0], dy = b[1] - a[1], length = dx * dx + dy * dy;
  double t = length > 0 ? ((x - a[0]) * dx + (y - a[1]) * dy) / length : 0;
  t = CLAMP (t, 0, 1);
  return hypot (x - a[0] - t * dx, y - a[1] - t * dy);
}

/* Both ends are quarters of ellipses with a straight line between. */
static double
distance_to (const Shape *shape, double x, double y)
{
  double reach = shape->x - shape->left, least = G_MAXDOUBLE;
  double before[2] = { shape->x, shape->query_y };
  for (int i = 1; i <= 2 * HIT_STEPS + 1; i++)
    {
      gboolean is_key = i > HIT_STEPS;
      int step = is_key ? 2 * HIT_STEPS + 1 - i : i;
      double angle = G_PI / 2 * step / HIT_STEPS;
      double along = shape->bend * (1 - cos (angle));
      double point[2] = { shape->x - reach * sin (angle),
                          is_key ? shape->key_y - along : shape->query_y + along };
      least = MIN (least, distance_to_segment (x, y, before, point));
      before[0] = point[0];
      before[1] = point[1];
    }
  return least;
}

gint64
hl_token_arcs_hit (const HlTokenArcs *self,
                   const HlTokenLayout *layout,
                   gint64 line_start,
                   gint64 line_end,
                   double x,
                   double y,
                   double near)
{
  if (layout->arcs_width <= 0 || x > layout->arcs_x)
    return -1;
  g_autoptr (GArray) found = hl_token_arcs_find (self, layout, line_start, line_end);
  for (guint i = found->len; i > 0; i--)
    {
      gint64 index = g_array_index (found, gint64, i - 1);
      Shape shape = shape_of (self, layout, &self->scene->arcs[index]);
      if (distance_to (&shape, x, y) <= near)
        return index;
    }
  return -1;
}
