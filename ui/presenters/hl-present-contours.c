/* SPDX-License-Identifier: MIT
 * Lines of equal density round points in the plane. */
#include "config.h"

#include "presenters/hl-present-patterns.h"

#include <math.h>

#define SIDE 96

/* Deviations of the Gaussian beyond which it is cut. */
#define REACH 3.0

typedef struct
{
  double x0, y0, dx, dy; /* the first cell's centre, and from one to the next */
  double value[SIDE][SIDE];
} Grid;

static double
deviation (const float *xy, int n, int axis)
{
  double sum = 0, squares = 0;
  for (int i = 0; i < n; i++)
    sum += (double) xy[2 * i + axis];
  for (int i = 0; i < n; i++)
    squares += pow ((double) xy[2 * i + axis] - sum / n, 2);
  return sqrt (squares / MAX (n, 1));
}

/* Scott 1992: n^(-1/6) deviations in two dimensions; half of it, since clusters are
 * narrower than the whole. */
static double
bandwidth (const float *xy, int n, int axis)
{
  return MAX (0.5 * deviation (xy, n, axis) * pow (n, -1.0 / 6), 1e-9);
}

static void
grid_init (Grid *g, const float *xy, int n, const double *width)
{
  double low[2] = { INFINITY, INFINITY }, high[2] = { -INFINITY, -INFINITY };
  for (int i = 0; i < 2 * n; i++)
    {
      low[i % 2] = fmin (low[i % 2], (double) xy[i]);
      high[i % 2] = fmax (high[i % 2], (double) xy[i]);
    }
  *g = (Grid){ low[0] - REACH * width[0], low[1] - REACH * width[1], 0, 0, { { 0 } } };
  g->dx = (high[0] + REACH * width[0] - g->x0) / (SIDE - 1);
  g->dy = (high[1] + REACH * width[1] - g->y0) / (SIDE - 1);
}

static void
add_point (Grid *g, double x, double y, const double *width)
{
  int c0 = (int) ceil ((x - REACH * width[0] - g->x0) / g->dx);
  int c1 = (int) floor ((x + REACH * width[0] - g->x0) / g->dx);
  int r0 = (int) ceil ((y - REACH * width[1] - g->y0) / g->dy);
  int r1 = (int) floor ((y + REACH * width[1] - g->y0) / g->dy);
  for (int r = MAX (r0, 0); r <= MIN (r1, SIDE - 1); r++)
    for (int c = MAX (c0, 0); c <= MIN (c1, SIDE - 1); c++)
      {
        double u = (g->x0 + c * g->dx - x) / width[0];
        double v = (g->y0 + r * g->dy - y) / width[1];
        g->value[r][c] += exp (-(u * u + v * v) / 2);
      }
}

static int
falling (gconstpointer a, gconstpointer b)
{
  const double *x = a, *y = b;
  return (*x < *y) - (*x > *y);
}

/* The density at which the cells above it hold @share of the whole. */
static double
level_of (const double *sorted, double total, double share)
{
  double sum = 0;
  for (int i = 0; i < SIDE * SIDE; i++)
    {
      sum += sorted[i];
      if (sum >= share * total)
        return sorted[i];
    }
  return 0;
}

/* Where the level is crossed between two corners, 0..1. */
static double
crossing (double a, double b, double level)
{
  return a == b ? 0.5 : (level - a) / (b - a);
}

static void
add_piece (GArray *line, const Grid *g, double c0, double r0, double c1, double r1)
{
  const double piece[6] = { g->x0 + c0 * g->dx,
                            g->y0 + r0 * g->dy,
                            g->x0 + c1 * g->dx,
                            g->y0 + r1 * g->dy,
                            NAN,
                            NAN };
  g_array_append_vals (line, piece, 6);
}

/* Marching squares (Lorensen and Cline 1987, in the plane): the pieces of one cell. */
static void
march (GArray *line, const Grid *g, int r, int c, double level)
{
  double a = g->value[r][c], b = g->value[r][c + 1];
  double d = g->value[r + 1][c], e = g->value[r + 1][c + 1];
  double points[4][2];
  int n = 0;
  if ((a > level) != (b > level))
    points[n][0] = c + crossing (a, b, level), points[n++][1] = r;
  if ((b > level) != (e > level))
    points[n][0] = c + 1, points[n++][1] = r + crossing (b, e, level);
  if ((d > level) != (e > level))
    points[n][0] = c + crossing (d, e, level), points[n++][1] = r + 1;
  if ((a > level) != (d > level))
    points[n][0] = c, points[n++][1] = r + crossing (a, d, level);
  for (int i = 0; i + 1 < n; i += 2)
    add_piece (line, g, points[i][0], points[i][1], points[i + 1][0], points[i + 1][1]);
}

static void
add_line (HlChartScene *scene, const Grid *g, double level)
{
  g_autoptr (GArray) line = g_array_new (FALSE, FALSE, sizeof (double));
  for (int r = 0; r + 1 < SIDE; r++)
    for (int c = 0; c + 1 < SIDE; c++)
      march (line, g, r, c, level);
  HlChartSeries *s = hl_chart_scene_add (scene, HL_CHART_LINE, (int) line->len / 2);
  s->color = HL_CHART_FOREGROUND;
  for (int i = 0; i < s->n; i++)
    {
      s->x[i] = g_array_index (line, double, 2 * i);
      s->y[i] = g_array_index (line, double, 2 * i + 1);
    }
}

void
hl_present_density_lines (
    HlChartScene *scene, const float *xy, int n, const double *shares, int n_shares)
{
  const double width[2] = { bandwidth (xy, n, 0), bandwidth (xy, n, 1) };
  double total = 0;
  if (n < 1)
    return;
  g_autofree Grid *g = g_new (Grid, 1);
  g_autofree double *sorted = g_new (double, SIDE *SIDE);
  grid_init (g, xy, n, width);
  for (int i = 0; i < n; i++)
    add_point (g, (double) xy[2 * i], (double) xy[2 * i + 1], width);
  for (int i = 0; i < SIDE * SIDE; i++)
    {
      sorted[i] = g->value[i / SIDE][i % SIDE];
      total += sorted[i];
    }
  qsort (sorted, SIDE * SIDE, sizeof (double), falling);
  for (int k = 0; k < n_shares; k++)
    add_line (scene, g, level_of (sorted, total, shares[k]));
}
