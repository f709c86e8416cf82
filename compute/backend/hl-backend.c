/* SPDX-License-Identifier: MIT
 * What all backends share: references, checked calls and the registry. */
#include "backend/hl-backend.h"

#include "backend/cpu/hl-cpu.h"
#include "base/hl-error.h"

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
    if (call->in[i] != NULL && call->in[i]->dtype != backend->dtype)
      {
        g_set_error (error, HL_ERROR, HL_ERROR_DTYPE,
                     "%s: input %d: %s expected, %s found", info->name, i,
                     hl_dtype_name (backend->dtype), hl_dtype_name (call->in[i]->dtype));
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
  backend->klass->accumulate (backend, into, x);
  return TRUE;
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
      call->out[i] = backend->klass->alloc (backend, shapes[i], error);
      ok = call->out[i] != NULL;
    }
  ok = ok && backend->klass->run (backend, call, progress, error);
  for (int i = 0; i < n_out && !ok; i++)
    g_clear_pointer (&call->out[i], hl_tensor_unref);
  return ok;
}

static void
status_free (gpointer data)
{
  HlBackendStatus *status = data;
  g_free (status->text);
  g_free (status);
}

static void
add_status (GPtrArray *list, const char *id, gboolean is_available, char *text)
{
  HlBackendStatus *status = g_new0 (HlBackendStatus, 1);
  status->id = id;
  status->is_available = is_available;
  status->text = text;
  g_ptr_array_add (list, status);
}

GPtrArray *
hl_backend_list (void)
{
  GPtrArray *list = g_ptr_array_new_with_free_func (status_free);
  g_autoptr (HlBackend) cpu = hl_cpu_backend_new (HL_DTYPE_F32, 0);
  add_status (list, "cpu", TRUE, cpu->klass->describe (cpu));
  add_status (list, "cuda", FALSE,
              g_strdup ("not built: this release has no CUDA module yet"));
  return list;
}

HlBackend *
hl_backend_open (const char *id, GError **error)
{
  if (id == NULL || g_str_equal (id, "cpu"))
    return hl_cpu_backend_new (HL_DTYPE_F32, 0);
  g_autoptr (GPtrArray) list = hl_backend_list ();
  for (guint i = 0; i < list->len; i++)
    {
      const HlBackendStatus *status = g_ptr_array_index (list, i);
      if (!g_str_equal (status->id, id))
        continue;
      g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                   "backend %s cannot be used here: %s", id, status->text);
      return NULL;
    }
  g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
               "backend: cpu or cuda expected, \"%s\" found", id);
  return NULL;
}
