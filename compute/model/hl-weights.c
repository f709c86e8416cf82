/* SPDX-License-Identifier: MIT
 * A model's weights, converted once where they fit a budget. */
#include "model/hl-weights.h"

#include "base/hl-error.h"

#include <unistd.h>

struct _HlWeights
{
  HlSafetensors *st;
  GPtrArray *params;
  GMutex lock; /* guards the conversions and kept_bytes */
  gsize budget_bytes;
  gsize kept_bytes;
};

static void
param_free (gpointer data)
{
  HlParam *param = data;
  g_free (param->name);
  hl_tensor_unref (param->stored);
  hl_tensor_unref (param->as_f32);
  hl_tensor_unref (param->as_f64);
  hl_tensor_unref (param->on_device);
  g_free (param);
}

HlWeights *
hl_weights_new (HlSafetensors *st, gsize budget_bytes)
{
  HlWeights *weights = g_new0 (HlWeights, 1);
  weights->st = hl_safetensors_ref (st);
  weights->params = g_ptr_array_new_with_free_func (param_free);
  g_mutex_init (&weights->lock);
  if (budget_bytes == 0)
    budget_bytes = (gsize) sysconf (_SC_PHYS_PAGES) * (gsize) sysconf (_SC_PAGESIZE) / 3;
  weights->budget_bytes = budget_bytes;
  return weights;
}

void
hl_weights_free (HlWeights *weights)
{
  if (weights == NULL)
    return;
  g_ptr_array_unref (weights->params);
  hl_safetensors_unref (weights->st);
  g_mutex_clear (&weights->lock);
  g_free (weights);
}

static gboolean
shape_fits (const HlShape *expected, const HlShape *found)
{
  if (expected->n_dims != found->n_dims)
    return FALSE;
  for (int i = 0; i < expected->n_dims; i++)
    if (expected->dim[i] >= 0 && expected->dim[i] != found->dim[i])
      return FALSE;
  return TRUE;
}

HlParam *
hl_weights_require (HlWeights *weights, const char *name, HlShape shape, GError **error)
{
  const HlTensorInfo *info = hl_safetensors_lookup (weights->st, name);
  if (info != NULL && !shape_fits (&shape, &info->shape))
    {
      g_autofree char *expected = hl_shape_to_string (&shape);
      g_autofree char *found = hl_shape_to_string (&info->shape);
      g_set_error (error, HL_ERROR, HL_ERROR_SHAPE,
                   "%s: shape %s expected, %s found in %s", name, expected, found,
                   info->file);
      return NULL;
    }
  g_autoptr (HlTensor) stored = hl_safetensors_get (weights->st, name, error);
  if (stored == NULL)
    return NULL;
  if (!hl_dtype_is_float (stored->dtype))
    {
      g_set_error (error, HL_ERROR, HL_ERROR_DTYPE,
                   "%s: floating point numbers expected, %s found in %s", name,
                   hl_dtype_name (stored->dtype), info->file);
      return NULL;
    }
  HlParam *param = g_new0 (HlParam, 1);
  param->owner = weights;
  param->name = g_strdup (name);
  param->stored = g_steal_pointer (&stored);
  g_ptr_array_add (weights->params, param);
  return param;
}

HlParam *
hl_weights_require_rows (HlWeights *weights,
                         const char *name,
                         HlShape whole,
                         gint64 first,
                         gint64 n,
                         GError **error)
{
  HlParam *param = hl_weights_require (weights, name, whole, error);
  if (param == NULL)
    return NULL;
  HlTensor *all = param->stored;
  HlShape part = all->shape;
  gint64 row = part.n_dims > 1 ? part.dim[1] : 1;
  part.dim[0] = n;
  param->stored = hl_tensor_view (all, first * row, part, NULL);
  hl_tensor_unref (all);
  return param;
}

HlParam *
hl_weights_add_made (HlWeights *weights, const char *name, HlTensor *value)
{
  HlParam *param = g_new0 (HlParam, 1);
  param->owner = weights;
  param->name = g_strdup (name);
  param->stored = hl_tensor_ref (value);
  g_ptr_array_add (weights->params, param);
  return param;
}

gboolean
hl_weights_has (HlWeights *weights, const char *name)
{
  return hl_safetensors_lookup (weights->st, name) != NULL;
}

guint
hl_weights_count_unused (HlWeights *weights, const char **first)
{
  g_autoptr (GHashTable) used = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < weights->params->len; i++)
    {
      const HlParam *param = g_ptr_array_index (weights->params, i);
      g_hash_table_add (used, param->name);
    }
  guint n = 0;
  *first = NULL;
  for (guint i = 0; i < hl_safetensors_get_n_tensors (weights->st); i++)
    {
      const char *name = hl_safetensors_get_nth (weights->st, i)->name;
      if (g_hash_table_contains (used, name))
        continue;
      if (n++ == 0)
        *first = name;
    }
  return n;
}

HlSafetensors *
hl_weights_get_files (HlWeights *weights)
{
  return weights->st;
}

gsize
hl_weights_convert_bytes (HlWeights *weights, HlDtype dtype)
{
  gsize bytes = 0;
  for (guint i = 0; i < weights->params->len; i++)
    {
      const HlParam *param = g_ptr_array_index (weights->params, i);
      if (param->stored->dtype != dtype)
        bytes += (gsize) hl_tensor_count (param->stored) * hl_dtype_size (dtype);
    }
  return MIN (bytes, weights->budget_bytes);
}

HlDtype
hl_weights_dtype (HlWeights *weights)
{
  gint64 count[HL_DTYPE_U8 + 1] = { 0 };
  HlDtype most = HL_DTYPE_F32;
  for (guint i = 0; i < weights->params->len; i++)
    {
      const HlParam *param = g_ptr_array_index (weights->params, i);
      HlDtype dtype = param->stored->dtype;
      count[dtype] += hl_tensor_count (param->stored);
      if (count[dtype] > count[most])
        most = dtype;
    }
  return most;
}

static gboolean
is_on (const HlParam *param, HlBackend *backend)
{
  const HlTensor *there = param->on_device;
  return there != NULL && there->dtype == backend->dtype &&
         there->memory == backend->klass->device->get_home (backend);
}

gsize
hl_weights_upload_bytes (HlWeights *weights, HlBackend *backend)
{
  gsize bytes = 0;
  g_mutex_lock (&weights->lock);
  for (guint i = 0; i < weights->params->len; i++)
    {
      const HlParam *param = g_ptr_array_index (weights->params, i);
      if (!is_on (param, backend))
        bytes += (gsize) hl_tensor_count (param->stored) * hl_dtype_size (backend->dtype);
    }
  g_mutex_unlock (&weights->lock);
  return bytes;
}

void
hl_weights_leave_device (HlWeights *weights)
{
  g_mutex_lock (&weights->lock);
  for (guint i = 0; i < weights->params->len; i++)
    {
      HlParam *param = g_ptr_array_index (weights->params, i);
      g_clear_pointer (&param->on_device, hl_tensor_unref);
    }
  g_mutex_unlock (&weights->lock);
}

/* Uploaded once; again for another device, or another type. */
static HlTensor *
get_on_device (HlParam *param, HlExec *exec)
{
  HlWeights *weights = param->owner;
  HlTensor *value = NULL;
  g_mutex_lock (&weights->lock);
  if (is_on (param, exec->backend))
    value = hl_tensor_ref (param->on_device);
  else /* of another device or type: its memory is wanted */
    g_clear_pointer (&param->on_device, hl_tensor_unref);
  g_mutex_unlock (&weights->lock);
  if (value != NULL)
    return value;
  value = hl_exec_upload (exec, param->stored);
  if (value == NULL)
    return NULL;
  g_mutex_lock (&weights->lock);
  param->on_device = hl_tensor_ref (value);
  g_mutex_unlock (&weights->lock);
  return value;
}

HlTensor *
hl_param_get (HlParam *param, HlExec *exec)
{
  if (param == NULL || !hl_exec_ok (exec))
    return NULL;
  if (exec->backend->klass->device != NULL)
    return get_on_device (param, exec);
  HlDtype dtype = exec->backend->dtype;
  if (param->on_device != NULL) /* the CPU has taken over */
    {
      g_mutex_lock (&param->owner->lock);
      g_clear_pointer (&param->on_device, hl_tensor_unref);
      g_mutex_unlock (&param->owner->lock);
    }
  if (param->stored->dtype == dtype)
    return hl_tensor_ref (param->stored);
  HlWeights *weights = param->owner;
  HlTensor **kept = dtype == HL_DTYPE_F64 ? &param->as_f64 : &param->as_f32;
  g_mutex_lock (&weights->lock);
  HlTensor *value = *kept != NULL ? hl_tensor_ref (*kept) : NULL;
  g_mutex_unlock (&weights->lock);
  if (value != NULL)
    return value;
  value = hl_exec_upload (exec, param->stored);
  if (value == NULL)
    return NULL;
  gsize bytes = hl_tensor_size_bytes (value);
  g_mutex_lock (&weights->lock);
  if (*kept == NULL && weights->kept_bytes + bytes <= weights->budget_bytes)
    {
      *kept = hl_tensor_ref (value);
      weights->kept_bytes += bytes;
    }
  g_mutex_unlock (&weights->lock);
  return value;
}
