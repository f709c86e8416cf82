/* SPDX-License-Identifier: MIT
 * Superpixels. */
#include "analysis/hl-slic.h"

#include "analysis/hl-blur.h"

#include <math.h>
#include <string.h>

#define CHANNELS HL_SLIC_MAX_CHANNELS

typedef struct
{
  double row, column;
  double colour[CHANNELS];
} Centre;

typedef struct
{
  gint64 H, W, C;
  const float *image; /* (H, W, C) */
  gint64 n_rows, n_columns;
  double step, reach;
  double weight; /* 1 / m² */
  Centre *centres;
  double *best; /* (H, W): the least D² so far */
  gint32 *labels;
} Work;

/* ---- centres -------------------------------------------------------------------------
 */

/* A grid of about @n places with cells that are about square, where that is possible. */
static void
choose_grid (Work *w, gint64 n)
{
  double rows = sqrt ((double) n * (double) w->H / (double) w->W);
  w->n_rows = CLAMP ((gint64) floor (rows + 0.5), 1, w->H);
  w->n_columns = CLAMP ((gint64) floor ((double) n / (double) w->n_rows + 0.5), 1, w->W);
  if (w->n_columns == w->W)
    w->n_rows = CLAMP ((gint64) floor ((double) n / (double) w->W + 0.5), 1, w->H);
  double height = (double) w->H / (double) w->n_rows;
  double width = (double) w->W / (double) w->n_columns;
  w->step = sqrt (height * width);
  w->reach = 2 * fmax (height, width);
}

static const float *
cell_at (const Work *w, gint64 row, gint64 column)
{
  return w->image + (row * w->W + column) * w->C;
}

static void
place_centres (Work *w)
{
  for (gint64 i = 0; i < w->n_rows * w->n_columns; i++)
    {
      Centre *c = &w->centres[i];
      double row = (double) (i / w->n_columns) + 0.5;
      double column = (double) (i % w->n_columns) + 0.5;
      c->row = row * (double) w->H / (double) w->n_rows - 0.5;
      c->column = column * (double) w->W / (double) w->n_columns - 0.5;
      const float *x = cell_at (w, MIN ((gint64) floor (c->row + 0.5), w->H - 1),
                                MIN ((gint64) floor (c->column + 0.5), w->W - 1));
      for (gint64 k = 0; k < w->C; k++)
        c->colour[k] = (double) x[k];
    }
  for (gint64 i = 0; i < w->H * w->W; i++)
    w->labels[i] = (gint32) (i / w->W * w->n_rows / w->H * w->n_columns +
                             i % w->W * w->n_columns / w->W);
}

/* ---- one round -----------------------------------------------------------------------
 */

static double
distance (const Work *w, const Centre *c, gint64 row, gint64 column)
{
  const float *x = cell_at (w, row, column);
  double down = (double) row - c->row, across = (double) column - c->column, colour = 0;
  for (gint64 k = 0; k < w->C; k++)
    colour += ((double) x[k] - c->colour[k]) * ((double) x[k] - c->colour[k]);
  return colour * w->weight + (down * down + across * across) / (w->step * w->step);
}

/* A cell that no centre reaches stays where it is. */
static void
assign (Work *w)
{
  for (gint64 i = 0; i < w->H * w->W; i++)
    w->best[i] = INFINITY;
  for (gint64 i = 0; i < w->n_rows * w->n_columns; i++)
    {
      const Centre *c = &w->centres[i];
      gint64 top = MAX (0, (gint64) ceil (c->row - w->reach));
      gint64 bottom = MIN (w->H - 1, (gint64) floor (c->row + w->reach));
      gint64 left = MAX (0, (gint64) ceil (c->column - w->reach));
      gint64 right = MIN (w->W - 1, (gint64) floor (c->column + w->reach));
      for (gint64 row = top; row <= bottom; row++)
        for (gint64 column = left; column <= right; column++)
          {
            double d = distance (w, c, row, column);
            if (d < w->best[row * w->W + column])
              {
                w->best[row * w->W + column] = d;
                w->labels[row * w->W + column] = (gint32) i;
              }
          }
    }
}

/* A centre that has no cell any more stays where it is. */
static void
move_centres (Work *w)
{
  gint64 n = w->n_rows * w->n_columns;
  g_autofree Centre *sums = g_new0 (Centre, (gsize) n);
  g_autofree gint64 *counts = g_new0 (gint64, (gsize) n);
  for (gint64 i = 0; i < w->H * w->W; i++)
    {
      Centre *sum = &sums[w->labels[i]];
      sum->row += (double) (i / w->W);
      sum->column += (double) (i % w->W);
      for (gint64 k = 0; k < w->C; k++)
        sum->colour[k] += (double) w->image[i * w->C + k];
      counts[w->labels[i]]++;
    }
  for (gint64 i = 0; i < n; i++)
    {
      Centre *c = &w->centres[i];
      double count = (double) counts[i];
      if (counts[i] == 0)
        continue;
      *c = (Centre){ sums[i].row / count, sums[i].column / count, { 0 } };
      for (gint64 k = 0; k < w->C; k++)
        c->colour[k] = sums[i].colour[k] / count;
    }
}

/* ---- what hangs together -------------------------------------------------------------
 */

typedef struct
{
  const Work *w;
  gint32 *to;    /* (H, W): -1 for what was not come by */
  gint64 *cells; /* of the part in hand */
  gint64 n;
} Parts;

static void
take_cell (Parts *p, gint64 cell, gint32 from, gint32 label)
{
  if (p->to[cell] >= 0 || p->w->labels[cell] != from)
    return;
  p->to[cell] = label;
  p->cells[p->n++] = cell;
}

/* All that hangs together with cell @first gets @label. */
static void
fill_part (Parts *p, gint64 first, gint32 label)
{
  gint64 H = p->w->H, W = p->w->W;
  gint32 from = p->w->labels[first];
  p->n = 0;
  take_cell (p, first, from, label);
  for (gint64 i = 0; i < p->n; i++)
    {
      gint64 cell = p->cells[i], row = cell / W, column = cell % W;
      if (row > 0)
        take_cell (p, cell - W, from, label);
      if (row < H - 1)
        take_cell (p, cell + W, from, label);
      if (column > 0)
        take_cell (p, cell - 1, from, label);
      if (column < W - 1)
        take_cell (p, cell + 1, from, label);
    }
}

/* The segment that a small part beginning at @cell joins; -1 at the first cell. What is
 * above or to the left has been come by: the first cell of a part is its topmost. */
static gint32
neighbour_of (const Parts *p, gint64 cell)
{
  gint64 W = p->w->W;
  if (cell >= W)
    return p->to[cell - W];
  return cell % W > 0 ? p->to[cell - 1] : -1;
}

static int
connect (Work *w, gint64 n_wanted)
{
  gint64 n = w->H * w->W;
  g_autofree gint32 *to = g_new (gint32, (gsize) n);
  g_autofree gint64 *cells = g_new (gint64, (gsize) n);
  Parts p = { w, to, cells, 0 };
  int n_segments = 0;
  for (gint64 i = 0; i < n; i++)
    to[i] = -1;
  for (gint64 i = 0; i < n; i++)
    {
      if (to[i] >= 0)
        continue;
      fill_part (&p, i, n_segments);
      gint32 other = neighbour_of (&p, i);
      gboolean is_small = 4 * p.n * n_wanted < n;
      if (is_small && other >= 0)
        for (gint64 k = 0; k < p.n; k++)
          to[cells[k]] = other;
      else
        n_segments++;
    }
  memcpy (w->labels, to, sizeof (gint32) * (gsize) n);
  return n_segments;
}

/* ---- all of it -----------------------------------------------------------------------
 */

/* (transfer full): (H, W, C). */
static float *
smooth (const float *image, gint64 H, gint64 W, gint64 C, double sigma)
{
  float *out = g_new (float, (gsize) (H * W * C));
  g_autofree float *channel = g_new (float, (gsize) (H * W));
  for (gint64 k = 0; k < C; k++)
    {
      for (gint64 i = 0; i < H * W; i++)
        channel[i] = image[i * C + k];
      hl_blur (channel, H, W, sigma);
      for (gint64 i = 0; i < H * W; i++)
        out[i * C + k] = channel[i];
    }
  return out;
}

int
hl_slic (const float *image,
         gint64 H,
         gint64 W,
         gint64 C,
         const HlSlicOptions *options,
         gint32 *labels,
         const HlProgress *progress,
         GError **error)
{
  g_return_val_if_fail (H > 0 && W > 0 && C > 0 && C <= CHANNELS, 0);
  gint64 n_wanted = CLAMP ((gint64) options->n_segments, 1, H * W);
  g_autofree float *smoothed = smooth (image, H, W, C, options->sigma);
  Work w = { .H = H, .W = W, .C = C, .image = smoothed, .labels = labels };
  choose_grid (&w, n_wanted);
  w.weight = 1 / (options->compactness * options->compactness);
  g_autofree Centre *centres = g_new0 (Centre, (gsize) (w.n_rows * w.n_columns));
  g_autofree double *best = g_new (double, (gsize) (H * W));
  w.centres = centres;
  w.best = best;
  place_centres (&w);
  for (int i = 0; i < options->n_iterations; i++)
    {
      if (!hl_progress_step (progress, (double) i / options->n_iterations, "segments",
                             error))
        return 0;
      assign (&w);
      move_centres (&w);
    }
  return connect (&w, n_wanted);
}
