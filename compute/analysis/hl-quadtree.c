/* SPDX-License-Identifier: MIT
 * Points in the plane, summed up by squares. */
#include "analysis/hl-quadtree.h"

/* Below this depth points count as one place: doubles tell no more apart. */
#define MAX_DEPTH 48

/* @child: index of four children in a row; 0 for a leaf. @point: the first of a leaf; all
 * of its points lie within @slack of it. */
typedef struct
{
  double x, y, side; /* corner and side */
  double slack;
  double sum_x, sum_y;
  gint64 count;
  gint64 child;
  gint64 point;
} Node;

/* What a walk reads of a node: mean, (side of the square)^2; the children that have
 * points lie in a row. */
typedef struct
{
  double x, y, side2, slack, count;
  gint64 child;
  gint64 point;
  int n_children;
} Square;

struct _HlQuadtree
{
  const double *points;
  GArray *nodes;
  GArray *squares;
};

static Node *
node_at (const HlQuadtree *t, gint64 i)
{
  return &g_array_index (t->nodes, Node, i);
}

static gint64
add_node (HlQuadtree *t, double x, double y, double side)
{
  const Node node = { .x = x, .y = y, .side = side, .point = -1 };
  g_array_append_val (t->nodes, node);
  return (gint64) t->nodes->len - 1;
}

static int
quarter (const Node *node, const double *p)
{
  double half = node->side / 2;
  return (p[1] >= node->y + half) * 2 + (p[0] >= node->x + half);
}

static void
split (HlQuadtree *t, gint64 at)
{
  Node node = *node_at (t, at);
  double half = node.side / 2;
  gint64 first = (gint64) t->nodes->len;
  for (int q = 0; q < 4; q++)
    add_node (t, node.x + (q & 1) * half, node.y + (q >> 1) * half, half);
  node_at (t, at)->child = first;
}

static void
count_point (Node *node, const double *p, gint64 times)
{
  node->sum_x += p[0] * (double) times;
  node->sum_y += p[1] * (double) times;
  node->count += times;
}

/* Points at one place stay in one leaf together. */
static void
insert (HlQuadtree *t, gint64 i)
{
  const double *p = t->points + 2 * i;
  gint64 at = 0;
  for (int depth = 0;; depth++)
    {
      Node *node = node_at (t, at);
      if (node->child == 0 && (node->count == 0 || depth == MAX_DEPTH))
        {
          node->point = node->count == 0 ? i : node->point;
          node->slack = depth == MAX_DEPTH ? node->side : 0;
          count_point (node, p, 1);
          return;
        }
      if (node->child == 0)
        {
          const double *other = t->points + 2 * node->point;
          if (other[0] == p[0] && other[1] == p[1])
            {
              count_point (node, p, 1);
              return;
            }
          gint64 count = node->count;
          gint64 moved = node->point;
          split (t, at);
          node = node_at (t, at); /* the array may have moved */
          Node *child = node_at (t, node->child + quarter (node, other));
          count_point (child, other, count);
          child->point = moved;
        }
      count_point (node, p, 1);
      at = node->child + quarter (node, p);
    }
}

static Square
square_of (const Node *node)
{
  double count = (double) node->count;
  return (Square){ node->sum_x / count,
                   node->sum_y / count,
                   node->side * node->side,
                   node->slack,
                   count,
                   -1,
                   node->point,
                   0 };
}

/* The squares for walks, a row of children after the other, without empty ones. */
static void
lay_out (HlQuadtree *t)
{
  g_autoptr (GArray) from = g_array_new (FALSE, FALSE, sizeof (gint64));
  const gint64 root = 0;
  const Square first = square_of (node_at (t, root));
  g_array_append_val (from, root);
  g_array_append_val (t->squares, first);
  for (guint i = 0; i < t->squares->len; i++)
    {
      gint64 child = node_at (t, g_array_index (from, gint64, i))->child;
      guint row = t->squares->len;
      for (gint64 q = child; child != 0 && q < child + 4; q++)
        if (node_at (t, q)->count > 0)
          {
            const Square one = square_of (node_at (t, q));
            g_array_append_val (from, q);
            g_array_append_val (t->squares, one);
          }
      Square *parent = &g_array_index (t->squares, Square, i);
      parent->child = child != 0 ? (gint64) row : -1;
      parent->n_children = (int) (t->squares->len - row);
    }
}

HlQuadtree *
hl_quadtree_new (const double *y, gint64 n)
{
  HlQuadtree *t = g_new0 (HlQuadtree, 1);
  double low[2] = { 0, 0 }, high[2] = { 0, 0 };
  t->points = y;
  t->nodes = g_array_sized_new (FALSE, FALSE, sizeof (Node), (guint) (2 * n + 16));
  for (gint64 i = 0; i < 2 * n; i++)
    {
      low[i % 2] = i < 2 ? y[i] : MIN (low[i % 2], y[i]);
      high[i % 2] = i < 2 ? y[i] : MAX (high[i % 2], y[i]);
    }
  double side = MAX (high[0] - low[0], high[1] - low[1]) * 1.0001 + 1e-12;
  add_node (t, low[0], low[1], side);
  for (gint64 i = 0; i < n; i++)
    insert (t, i);
  t->squares = g_array_sized_new (FALSE, FALSE, sizeof (Square), t->nodes->len);
  if (n > 0)
    lay_out (t);
  return t;
}

void
hl_quadtree_free (HlQuadtree *tree)
{
  g_array_unref (tree->nodes);
  g_array_unref (tree->squares);
  g_free (tree);
}

/* @dx, @dy: from the square's mean to the point. */
static double
push (double count, double dx, double dy, double *force)
{
  double q = 1 / (1 + dx * dx + dy * dy);
  force[0] += count * q * q * dx;
  force[1] += count * q * q * dy;
  return count * q;
}

static gboolean
is_own (const HlQuadtree *t, const Square *leaf, const double *p)
{
  const double *first = t->points + 2 * leaf->point;
  return ABS (p[0] - first[0]) <= leaf->slack && ABS (p[1] - first[1]) <= leaf->slack;
}

double
hl_quadtree_repel (const HlQuadtree *t, gint64 i, double theta, double *force)
{
  const double *p = t->points + 2 * i;
  const Square *squares = (const Square *) (gpointer) t->squares->data;
  gint64 stack[4 * (MAX_DEPTH + 2)];
  int n = 0;
  double sum = 0, theta2 = theta * theta;
  if (t->squares->len > 0)
    stack[n++] = 0;
  while (n > 0)
    {
      const Square *square = &squares[stack[--n]];
      double count = square->count, dx = p[0] - square->x, dy = p[1] - square->y;
      gboolean is_leaf = square->child < 0;
      if (is_leaf && is_own (t, square, p))
        count -= 1; /* the point itself */
      if (is_leaf || square->side2 < theta2 * (dx * dx + dy * dy))
        {
          sum += push (count, dx, dy, force);
          continue;
        }
      for (int q = 0; q < square->n_children; q++)
        stack[n++] = square->child + q;
    }
  return sum;
}
