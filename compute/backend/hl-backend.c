/* SPDX-License-Identifier: MIT
 * What all backends share: references and checked calls. */
#include "backend/hl-backend.h"

#include "base/hl-error.h"

#include <string.h>

HlBackend *
hl_backend_ref (HlBackend *backend)
{
  g_atomic_ref_count_inc (&backend->refs);
  return backend;
}

void
hl_backend_unref (HlBackend *backend)
{
  if (backend != NULL && g_atomic_ref_count_dec (&backend->refs))
    backend->klass->finalize (backend);
}

static gboolean
check_inputs (HlBackend *backend, const HlOpCall *call, GError **error)
{
  const HlOpInfo *info = hl_op_get_info (call->op);
  for (int i = 0; i < HL_OP_MAX_IN; i++)
    {
      HlDtype expected =
          hl_op_is_wide_in (call->op, i) ? hl_backend_get_wide (backend) : backend->dtype;
      if (call->in[i] == NULL || call->in[i]->dtype == expected)
        continue;
      g_set_error (error, HL_ERROR, HL_ERROR_DTYPE, "%s: input %d: %s expected, %s found",
                   info->name, i, hl_dtype_name (expected),
                   hl_dtype_name (call->in[i]->dtype));
      return FALSE;
    }
  if (backend->klass->supports (backend, call->op))
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED, "backend %s has no op %s",
               backend->klass->id, info->name);
  return FALSE;
}

gboolean
hl_backend_accumulate (HlBackend *backend,
                       HlTensor *into,
                       const HlTensor *x,
                       GError **error)
{
  gboolean fits = into->shape.n_dims == x->shape.n_dims;
  for (int i = 0; i < x->shape.n_dims && fits; i++)
    fits = into->shape.dim[i] == x->shape.dim[i] || into->shape.dim[i] == 1;
  if (!fits)
    {
      g_autofree char *a = hl_shape_to_string (&into->shape);
      g_autofree char *b = hl_shape_to_string (&x->shape);
      g_set_error (error, HL_ERROR, HL_ERROR_SHAPE, "%s cannot be added up into %s", b,
                   a);
      return FALSE;
    }
  if (into->dtype != backend->dtype || x->dtype != backend->dtype)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_DTYPE, "%s expected, %s found",
                   hl_dtype_name (backend->dtype),
                   hl_dtype_name (x->dtype != backend->dtype ? x->dtype : into->dtype));
      return FALSE;
    }
  return backend->klass->accumulate (backend, into, x, error);
}

HlDtype
hl_backend_get_wide (const HlBackend *backend)
{
  return backend->dtype == HL_DTYPE_F64 ? HL_DTYPE_F64 : HL_DTYPE_F32;
}

HlTensor *
hl_backend_upload (HlBackend *backend, HlTensor *x, GError **error)
{
  const HlDeviceClass *device = backend->klass->device;
  if (device == NULL)
    return hl_tensor_convert (x, backend->dtype, error);
  g_autoptr (HlTensor) plain = hl_backend_contiguous (backend, x, error);
  if (plain != NULL && plain->memory != NULL && plain->dtype == backend->dtype)
    return g_steal_pointer (&plain);
  return plain != NULL ? device->upload (backend, plain, error) : NULL;
}

HlTensor *
hl_backend_contiguous (HlBackend *backend, HlTensor *x, GError **error)
{
  if (x->memory == NULL)
    return hl_tensor_convert (x, x->dtype, error);
  if (hl_tensor_is_contiguous (x))
    return hl_tensor_ref (x);
  g_autoptr (HlTensor) copy = backend->klass->alloc (backend, x->dtype, x->shape, error);
  if (copy == NULL || !backend->klass->device->copy (backend, copy, x, error))
    return NULL;
  return g_steal_pointer (&copy);
}

HlTensor *
hl_backend_new_zeros (HlBackend *backend, HlShape shape, GError **error)
{
  const HlBackendClass *klass = backend->klass;
  g_autoptr (HlTensor) zeros = klass->alloc (backend, backend->dtype, shape, error);
  if (zeros == NULL)
    return NULL;
  if (klass->device == NULL)
    memset (zeros->data, 0, hl_tensor_size_bytes (zeros));
  else if (!klass->device->clear (backend, zeros, error))
    return NULL;
  return g_steal_pointer (&zeros);
}

/* Rows of the last dimension, which is dense in both, one after another. */
static void
copy_rows (HlTensor *into, const HlTensor *x)
{
  int last = x->shape.n_dims - 1;
  gint64 at[HL_MAX_DIMS] = { 0 }, n = last >= 0 ? x->shape.dim[last] : 1;
  gint64 size = (gint64) hl_dtype_size (x->dtype);
  for (gint64 row = hl_tensor_count (x) / MAX (n, 1); row > 0 && n > 0; row--)
    {
      gint64 from = 0, to = 0;
      for (int d = 0; d < last; d++)
        {
          from += at[d] * x->stride[d];
          to += at[d] * into->stride[d];
        }
      memcpy ((char *) into->data + to * size, (const char *) x->data + from * size,
              (gsize) (n * size));
      for (int d = last - 1; d >= 0 && ++at[d] == x->shape.dim[d]; d--)
        at[d] = 0;
    }
}

gboolean
hl_backend_copy (HlBackend *backend, HlTensor *into, HlTensor *x, GError **error)
{
  g_return_val_if_fail (hl_shape_equal (&into->shape, &x->shape), FALSE);
  g_return_val_if_fail (into->dtype == x->dtype && into->memory == x->memory, FALSE);
  if (into->memory != NULL)
    return backend->klass->device->copy (backend, into, x, error);
  g_autoptr (HlTensor) plain = hl_tensor_convert (x, x->dtype, error);
  if (plain == NULL)
    return FALSE;
  copy_rows (into, plain);
  return TRUE;
}

HlTensor *
hl_backend_fetch_later (HlBackend *backend, HlTensor *x, GError **error)
{
  if (x->memory == NULL)
    return hl_tensor_convert (x, x->dtype, error);
  g_autoptr (HlTensor) plain = hl_backend_contiguous (backend, x, error);
  return plain != NULL ? backend->klass->device->fetch_later (backend, plain, error)
                       : NULL;
}

HlTensor *
hl_backend_fetch (HlBackend *backend, HlTensor *x, GError **error)
{
  return hl_tensor_convert (x, hl_backend_get_wide (backend), error);
}

gboolean
hl_backend_finish (HlBackend *backend, GError **error)
{
  const HlDeviceClass *device = backend->klass->device;
  return device == NULL || device->finish (backend, error);
}

HlBackend *
hl_backend_as_f32 (HlBackend *backend)
{
  return backend->dtype == hl_backend_get_wide (backend)
             ? hl_backend_ref (backend)
             : backend->klass->device->as_f32 (backend);
}

gboolean
hl_backend_is_lost (HlBackend *backend)
{
  const HlDeviceClass *device = backend->klass->device;
  return device != NULL && device->is_lost (backend);
}

gboolean
hl_backend_run_op (HlBackend *backend,
                   HlOpCall *call,
                   const HlProgress *progress,
                   GError **error)
{
  HlShape shapes[HL_OP_MAX_OUT] = { 0 };
  GCancellable *cancellable = progress != NULL ? progress->cancellable : NULL;
  if (!hl_progress_pause (progress))
    return !g_cancellable_set_error_if_cancelled (cancellable, error);
  if (!hl_op_infer (call, shapes, error) || !check_inputs (backend, call, error))
    return FALSE;
  int n_out = hl_op_get_info (call->op)->n_out;
  gboolean ok = TRUE;
  for (int i = 0; i < n_out && ok; i++)
    {
      HlDtype dtype = hl_op_is_wide_out (call->op, i) ? hl_backend_get_wide (backend)
                                                      : backend->dtype;
      call->out[i] = backend->klass->alloc (backend, dtype, shapes[i], error);
      ok = call->out[i] != NULL;
    }
  ok = ok && backend->klass->run (backend, call, progress, error);
  for (int i = 0; i < n_out && !ok; i++)
    g_clear_pointer (&call->out[i], hl_tensor_unref);
  return ok;
}
