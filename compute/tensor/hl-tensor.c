/* SPDX-License-Identifier: MIT
 * Tensors: a shape, strides and a share of some storage. */
#include "tensor/hl-tensor.h"

#include "base/hl-error.h"

#include <stdlib.h>
#include <string.h>

struct _HlStorage
{
  gatomicrefcount refs;
  GDestroyNotify free_func;
  gpointer owner;
};

G_DEFINE_BOXED_TYPE (HlTensor, hl_tensor, hl_tensor_ref, hl_tensor_unref)

gint64
hl_shape_count (const HlShape *shape)
{
  gint64 count = 1;
  for (int i = 0; i < shape->n_dims; i++)
    if (shape->dim[i] < 0 || __builtin_mul_overflow (count, shape->dim[i], &count))
      return -1;
  return count;
}

gboolean
hl_shape_equal (const HlShape *a, const HlShape *b)
{
  return a->n_dims == b->n_dims &&
         memcmp (a->dim, b->dim, sizeof a->dim[0] * (gsize) a->n_dims) == 0;
}

char *
hl_shape_to_string (const HlShape *shape)
{
  GString *s = g_string_new ("[");
  for (int i = 0; i < shape->n_dims; i++)
    g_string_append_printf (s, "%s%" G_GINT64_FORMAT, i > 0 ? ", " : "", shape->dim[i]);
  g_string_append_c (s, ']');
  return g_string_free (s, FALSE);
}

static void
set_contiguous (HlTensor *tensor)
{
  gint64 stride = 1;
  for (int i = tensor->shape.n_dims - 1; i >= 0; i--)
    {
      tensor->stride[i] = stride;
      stride *= tensor->shape.dim[i];
    }
}

static HlTensor *
tensor_alloc (HlDtype dtype, HlShape shape)
{
  HlTensor *tensor = g_new0 (HlTensor, 1);
  g_atomic_ref_count_init (&tensor->refs);
  tensor->dtype = dtype;
  tensor->shape = shape;
  set_contiguous (tensor);
  return tensor;
}

HlTensor *
hl_tensor_new_wrap (
    HlDtype dtype, HlShape shape, gpointer data, GDestroyNotify free_func, gpointer owner)
{
  HlTensor *tensor = tensor_alloc (dtype, shape);
  tensor->storage = g_new0 (HlStorage, 1);
  g_atomic_ref_count_init (&tensor->storage->refs);
  tensor->storage->free_func = free_func;
  tensor->storage->owner = owner;
  tensor->data = data;
  return tensor;
}

HlTensor *
hl_tensor_new_in (HlDtype dtype,
                  HlShape shape,
                  gpointer data,
                  const HlMemory *memory,
                  GDestroyNotify free_func,
                  gpointer owner)
{
  HlTensor *tensor = hl_tensor_new_wrap (dtype, shape, data, free_func, owner);
  tensor->memory = memory;
  return tensor;
}

HlTensor *
hl_tensor_new (HlDtype dtype, HlShape shape, GError **error)
{
  gint64 count = hl_shape_count (&shape);
  gsize size = 0;
  if (count < 0 || __builtin_mul_overflow ((gsize) count, hl_dtype_size (dtype), &size) ||
      size > G_MAXSSIZE - 64)
    {
      g_autofree char *text = hl_shape_to_string (&shape);
      g_set_error (error, HL_ERROR, HL_ERROR_SHAPE, "tensor of impossible shape %s",
                   text);
      return NULL;
    }
  /* aligned_alloc wants a multiple of the alignment; one byte at least, so that an empty
   * tensor has an address too. */
  gpointer data = aligned_alloc (64, (MAX (size, 1) + 63) & ~(gsize) 63);
  if (data == NULL)
    {
      g_autofree char *text = hl_shape_to_string (&shape);
      g_set_error (error, HL_ERROR, HL_ERROR_MEMORY,
                   "out of memory: %.1f MB for a tensor of shape %s", (double) size / 1e6,
                   text);
      return NULL;
    }
  return hl_tensor_new_wrap (dtype, shape, data, free, data);
}

HlTensor *
hl_tensor_new_copy (HlDtype dtype, HlShape shape, gconstpointer data)
{
  gsize size = (gsize) hl_shape_count (&shape) * hl_dtype_size (dtype);
  gpointer copy = g_malloc (MAX (size, 1));
  memcpy (copy, data, size);
  return hl_tensor_new_wrap (dtype, shape, copy, g_free, copy);
}

HlTensor *
hl_tensor_view (HlTensor *tensor, gint64 offset, HlShape shape, const gint64 *stride)
{
  HlTensor *view = tensor_alloc (tensor->dtype, shape);
  if (stride != NULL)
    memcpy (view->stride, stride, sizeof stride[0] * (gsize) shape.n_dims);
  view->storage = tensor->storage;
  view->memory = tensor->memory;
  g_atomic_ref_count_inc (&view->storage->refs);
  view->data = (char *) tensor->data + offset * (gint64) hl_dtype_size (tensor->dtype);
  return view;
}

HlTensor *
hl_tensor_ref (HlTensor *tensor)
{
  g_atomic_ref_count_inc (&tensor->refs);
  return tensor;
}

void
hl_tensor_unref (HlTensor *tensor)
{
  if (tensor == NULL || !g_atomic_ref_count_dec (&tensor->refs))
    return;
  HlStorage *storage = tensor->storage;
  if (g_atomic_ref_count_dec (&storage->refs))
    {
      if (storage->free_func != NULL)
        storage->free_func (storage->owner);
      g_free (storage);
    }
  g_free (tensor);
}

gint64
hl_tensor_count (const HlTensor *tensor)
{
  return hl_shape_count (&tensor->shape);
}

gsize
hl_tensor_size_bytes (const HlTensor *tensor)
{
  return (gsize) hl_tensor_count (tensor) * hl_dtype_size (tensor->dtype);
}

gboolean
hl_tensor_is_sole (const HlTensor *tensor)
{
  return g_atomic_ref_count_compare ((gatomicrefcount *) &tensor->refs, 1) &&
         g_atomic_ref_count_compare (&tensor->storage->refs, 1);
}

gboolean
hl_tensor_is_contiguous (const HlTensor *tensor)
{
  gint64 stride = 1;
  for (int i = tensor->shape.n_dims - 1; i >= 0; i--)
    {
      if (tensor->shape.dim[i] != 1 && tensor->stride[i] != stride)
        return FALSE;
      stride *= tensor->shape.dim[i];
    }
  return TRUE;
}

/* Walks the outer dimensions and converts one innermost run at a time. */
static void
convert_dim (const HlTensor *t, int dim, const char *source, HlDtype to, char **out)
{
  gsize from_size = hl_dtype_size (t->dtype), to_size = hl_dtype_size (to);
  if (t->shape.n_dims == 0)
    {
      hl_dtype_convert (t->dtype, source, 1, to, *out);
      return;
    }
  gint64 n = t->shape.dim[dim], stride = t->stride[dim];
  gboolean innermost = dim == t->shape.n_dims - 1;
  if (innermost && stride == 1)
    {
      hl_dtype_convert (t->dtype, source, (gsize) n, to, *out);
      *out += (gsize) n * to_size;
      return;
    }
  for (gint64 i = 0; i < n; i++)
    {
      const char *at = source + i * stride * (gint64) from_size;
      if (innermost)
        {
          hl_dtype_convert (t->dtype, at, 1, to, *out);
          *out += to_size;
        }
      else
        convert_dim (t, dim + 1, at, to, out);
    }
}

HlTensor *
hl_tensor_convert (HlTensor *tensor, HlDtype dtype, GError **error)
{
  g_return_val_if_fail (
      dtype == HL_DTYPE_F32 || dtype == HL_DTYPE_F64 || dtype == tensor->dtype, NULL);
  gboolean contiguous = hl_tensor_is_contiguous (tensor);
  if (tensor->dtype == dtype && contiguous && tensor->memory == NULL)
    return hl_tensor_ref (tensor);
  g_autoptr (HlTensor) out = hl_tensor_new (dtype, tensor->shape, error);
  if (out == NULL)
    return NULL;
  if (tensor->memory != NULL)
    return tensor->memory->fetch (tensor->memory, tensor, dtype, out->data, error)
               ? g_steal_pointer (&out)
               : NULL;
  if (contiguous)
    hl_dtype_convert (tensor->dtype, tensor->data, (gsize) hl_tensor_count (tensor),
                      dtype, out->data);
  else
    {
      char *at = out->data;
      convert_dim (tensor, 0, tensor->data, dtype, &at);
    }
  return g_steal_pointer (&out);
}
