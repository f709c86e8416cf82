/* SPDX-License-Identifier: MIT
 * Tensors: a shape, strides and a share of some storage. A tensor is written by the code
 * that makes it and immutable from then on, so it may be shared between threads.
 *
 * Letters for dimensions, everywhere: B batch, L layers, H heads, T tokens (Tq, Tk where
 * they differ), D model width, K head width, F MLP width, V vocabulary, P patches. */
#pragma once

#include "tensor/hl-dtype.h"

#include <glib-object.h>

G_BEGIN_DECLS

#define HL_MAX_DIMS 5

/** HlShape: sizes of the dimensions, slowest first; n_dims 0 is a single number. */
typedef struct
{
  int n_dims;
  gint64 dim[HL_MAX_DIMS];
} HlShape;

/** HL_SHAPE: a shape literal, HL_SHAPE (B, T, D). */
#define HL_SHAPE(...)                                                                    \
  ((HlShape){ .n_dims = (int) (sizeof ((gint64[]){ __VA_ARGS__ }) / sizeof (gint64)),    \
              .dim = { __VA_ARGS__ } })

typedef struct _HlStorage HlStorage;
typedef struct _HlMemory HlMemory;

/**
 * HlTensor:
 * @stride: in elements, one per dimension; may be 0 for a dimension that repeats
 * @data: first element; where @memory is not NULL an address that only the backend which
 *   made it may follow
 * @memory: (nullable): memory that is not the host's
 * Fields are for reading only.
 */
typedef struct
{
  gatomicrefcount refs;
  HlDtype dtype;
  HlShape shape;
  gint64 stride[HL_MAX_DIMS];
  gpointer data;
  const HlMemory *memory;
  HlStorage *storage;
} HlTensor;

/** HlMemory: a kind of memory that is not the host's; lives as long as its tensors. */
struct _HlMemory
{
  /* Copies @tensor, which may be strided, to contiguous host numbers of @dtype, float32,
   * float64 or its own, and waits for them. Thread: the backend's. */
  gboolean (*fetch) (const HlMemory *memory,
                     const HlTensor *tensor,
                     HlDtype dtype,
                     gpointer out,
                     GError **error);
};

/** hl_shape_count: number of elements; -1 when a size is negative or it overflows. */
gint64 hl_shape_count (const HlShape *shape);

gboolean hl_shape_equal (const HlShape *a, const HlShape *b);

/** hl_shape_to_string: (transfer full): "[12, 197, 197]". */
char *hl_shape_to_string (const HlShape *shape);

/**
 * hl_tensor_new:
 * Contiguous, uninitialised, aligned to 64 bytes.
 * Returns: (transfer full): NULL with @error (HL_ERROR_MEMORY, HL_ERROR_SHAPE)
 */
HlTensor *hl_tensor_new (HlDtype dtype, HlShape shape, GError **error);

/**
 * hl_tensor_new_wrap:
 * @data: contiguous numbers; kept until the last tensor that shares them goes, when
 *   @free_func (nullable) is called with @owner
 * Returns: (transfer full): never NULL
 */
HlTensor *hl_tensor_new_wrap (HlDtype dtype,
                              HlShape shape,
                              gpointer data,
                              GDestroyNotify free_func,
                              gpointer owner);

/** hl_tensor_new_in: likewise; @data is an address in @memory. */
HlTensor *hl_tensor_new_in (HlDtype dtype,
                            HlShape shape,
                            gpointer data,
                            const HlMemory *memory,
                            GDestroyNotify free_func,
                            gpointer owner);

/** hl_tensor_new_copy: (transfer full): a contiguous copy of @data; aborts for no size
 * that was ever allocated before, since @data itself has it. */
HlTensor *hl_tensor_new_copy (HlDtype dtype, HlShape shape, gconstpointer data);

/**
 * hl_tensor_view:
 * @offset: in elements, from @tensor's first
 * @stride: (nullable): in elements; NULL means contiguous
 * Shares @tensor's storage. The caller answers for staying inside it.
 * Returns: (transfer full)
 */
HlTensor *
hl_tensor_view (HlTensor *tensor, gint64 offset, HlShape shape, const gint64 *stride);

HlTensor *hl_tensor_ref (HlTensor *tensor);
void hl_tensor_unref (HlTensor *tensor);

gint64 hl_tensor_count (const HlTensor *tensor);
gsize hl_tensor_size_bytes (const HlTensor *tensor);
gboolean hl_tensor_is_contiguous (const HlTensor *tensor);

/** hl_tensor_is_sole: nobody else holds @tensor or looks into its storage. */
gboolean hl_tensor_is_sole (const HlTensor *tensor);

/**
 * hl_tensor_convert:
 * @dtype: HL_DTYPE_F32 or HL_DTYPE_F64, or the tensor's own
 * Gives a tensor on the host, wherever @tensor is. Thread: any for one on the host, else
 * that of its backend.
 * Returns: (transfer full): @tensor itself where it is contiguous, of @dtype and on the
 *   host already, else a contiguous copy; NULL with @error (HL_ERROR_MEMORY,
 *   HL_ERROR_DEVICE)
 */
HlTensor *hl_tensor_convert (HlTensor *tensor, HlDtype dtype, GError **error);

/** hl_tensor_f32: the numbers of a contiguous float32 tensor. */
static inline const float *
hl_tensor_f32 (const HlTensor *tensor)
{
  g_return_val_if_fail (tensor->dtype == HL_DTYPE_F32 && tensor->memory == NULL, NULL);
  return (const float *) tensor->data;
}

#define HL_TYPE_TENSOR (hl_tensor_get_type ())
GType hl_tensor_get_type (void);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlTensor, hl_tensor_unref)

G_END_DECLS
