/* SPDX-License-Identifier: MIT
 * Ops that only move numbers: patches out of pictures, tokens put together or picked. */
#include "config.h"

#include "backend/cpu/cpu-kernels.h"

#include <string.h>

static void
patchify_items (gpointer data, gint64 begin, gint64 end, int thread)
{
  const HlOpCall *call = data;
  const HlTensor *x = call->in[0];
  gint64 C = x->shape.dim[1], height = x->shape.dim[2], width = x->shape.dim[3];
  gint64 ph = call->params.patch_height, pw = call->params.patch_width;
  gint64 rows = height / ph, columns = width / pw;
  real *out = (real *) call->out[0]->data + begin * C * ph * pw;
  for (gint64 i = begin; i < end; i++) /* i = (b rows + r) columns + c */
    {
      gint64 c = i % columns, r = i / columns % rows, b = i / columns / rows;
      const real *corner =
          (const real *) x->data + b * C * height * width + r * ph * width + c * pw;
      for (gint64 channel = 0; channel < C; channel++)
        for (gint64 y = 0; y < ph; y++, out += pw)
          memcpy (out, corner + (channel * height + y) * width,
                  sizeof (real) * (gsize) pw);
    }
}

gboolean
K (patchify) (const CpuContext *context, const HlOpCall *call, GError **error)
{
  const HlShape *shape = &call->out[0]->shape;
  cpu_pool_run (context->pool, shape->dim[0] * shape->dim[1], 1024, patchify_items,
                (gpointer) call, context->cancellable);
  return TRUE;
}

static const real *
example_at (const HlTensor *t, gint64 b)
{
  gint64 size = t->shape.dim[1] * t->shape.dim[2];
  return (const real *) t->data + (t->shape.dim[0] == 1 ? 0 : b) * size;
}

gboolean
K (concat) (const CpuContext *context, const HlOpCall *call, GError **error)
{
  const HlTensor *first = call->in[0], *second = call->in[1];
  gint64 D = first->shape.dim[2];
  gint64 n_first = first->shape.dim[1] * D, n_second = second->shape.dim[1] * D;
  real *out = call->out[0]->data;
  for (gint64 b = 0; b < call->out[0]->shape.dim[0]; b++)
    {
      memcpy (out, example_at (first, b), sizeof (real) * (gsize) n_first);
      memcpy (out + n_first, example_at (second, b), sizeof (real) * (gsize) n_second);
      out += n_first + n_second;
    }
  return TRUE;
}

gboolean
K (slice) (const CpuContext *context, const HlOpCall *call, GError **error)
{
  const HlTensor *x = call->in[0];
  gint64 D = x->shape.dim[2], n = call->params.count * D;
  real *out = call->out[0]->data;
  for (gint64 b = 0; b < x->shape.dim[0]; b++, out += n)
    memcpy (out, example_at (x, b) + call->params.start * D, sizeof (real) * (gsize) n);
  return TRUE;
}
