/* SPDX-License-Identifier: MIT
 * Windows of a picture as rows, and rows added up where they lie: what convolutions and
 * their transposes need beside products. */
#include "config.h"

#include "backend/cpu/cpu-kernels.h"

#include <string.h>

/* Sizes of a picture (height, width, C) and of its windows. */
typedef struct
{
  gint64 height, width, C, kernel, step, padding, rows, columns;
} Windows;

static Windows
windows_of (const HlOpCall *call, const HlTensor *x)
{
  const HlOpParams *p = &call->params;
  Windows w = { x->shape.dim[1],
                x->shape.dim[2],
                x->shape.dim[3],
                p->kernel,
                p->step,
                p->padding,
                0,
                0 };
  w.rows = (w.height + 2 * w.padding - w.kernel) / w.step + 1;
  w.columns = (w.width + 2 * w.padding - w.kernel) / w.step + 1;
  return w;
}

static void
unfold_items (gpointer data, gint64 begin, gint64 end, int thread)
{
  const HlOpCall *call = data;
  const Windows w = windows_of (call, call->in[0]);
  gint64 n = w.kernel * w.kernel * w.C;
  real *out = (real *) call->out[0]->data + begin * n;
  for (gint64 i = begin; i < end; i++) /* i = (b rows + r) columns + c */
    {
      gint64 left = i % w.columns * w.step - w.padding;
      gint64 top = i / w.columns % w.rows * w.step - w.padding;
      const real *picture = (const real *) call->in[0]->data +
                            i / w.columns / w.rows * w.height * w.width * w.C;
      for (gint64 y = top; y < top + w.kernel; y++)
        for (gint64 x = left; x < left + w.kernel; x++, out += w.C)
          {
            gboolean is_inside = y >= 0 && y < w.height && x >= 0 && x < w.width;
            if (is_inside)
              memcpy (out, picture + (y * w.width + x) * w.C,
                      sizeof (real) * (gsize) w.C);
            else
              memset (out, 0, sizeof (real) * (gsize) w.C);
          }
    }
}

gboolean
K (unfold) (const CpuContext *context, const HlOpCall *call, GError **error)
{
  const HlShape *shape = &call->out[0]->shape;
  cpu_pool_run (context->pool, shape->dim[0] * shape->dim[1], 256, unfold_items,
                (gpointer) call, context->cancellable);
  return TRUE;
}

static void
add_window (const Windows *w, const real *row, gint64 top, gint64 left, real *picture)
{
  for (gint64 y = top; y < top + w->kernel; y++)
    for (gint64 x = left; x < left + w->kernel; x++, row += w->C)
      {
        if (y < 0 || y >= w->height || x < 0 || x >= w->width)
          continue;
        real *at = picture + (y * w->width + x) * w->C;
        for (gint64 c = 0; c < w->C; c++)
          at[c] += row[c];
      }
}

/* Windows overlap: a picture belongs to one thread. */
static void
fold_items (gpointer data, gint64 begin, gint64 end, int thread)
{
  const HlOpCall *call = data;
  const Windows w = windows_of (call, call->out[0]);
  gint64 size = w.height * w.width * w.C, n = w.kernel * w.kernel * w.C;
  for (gint64 b = begin; b < end; b++)
    {
      real *picture = (real *) call->out[0]->data + b * size;
      const real *row = (const real *) call->in[0]->data + b * w.rows * w.columns * n;
      memset (picture, 0, sizeof (real) * (gsize) size);
      for (gint64 i = 0; i < w.rows * w.columns; i++, row += n)
        add_window (&w, row, i / w.columns * w.step - w.padding,
                    i % w.columns * w.step - w.padding, picture);
    }
}

gboolean
K (fold) (const CpuContext *context, const HlOpCall *call, GError **error)
{
  cpu_pool_run (context->pool, call->out[0]->shape.dim[0], 1, fold_items, (gpointer) call,
                context->cancellable);
  return TRUE;
}
