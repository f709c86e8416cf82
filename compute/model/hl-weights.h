/* SPDX-License-Identifier: MIT
 * A model's weights: mapped from the file in the file's type, converted to the backend's
 * type once where the conversions fit a budget, else each time they are needed. */
#pragma once

#include "io/hl-safetensors.h"
#include "ops/hl-exec.h"

G_BEGIN_DECLS

typedef struct _HlWeights HlWeights;

/** HlParam: one weight tensor, owned by its HlWeights. */
typedef struct
{
  HlWeights *owner;
  char *name;
  HlTensor *stored; /* in the file's type */
  HlTensor *as_f32; /* guarded by the owner's lock; NULL until converted */
  HlTensor *as_f64;
  HlTensor *on_device; /* in a backend's own memory; guarded likewise */
} HlParam;

/** hl_weights_new: takes a reference to @st. @budget_bytes: of conversions that are kept;
 * 0 takes a third of the machine's memory. */
HlWeights *hl_weights_new (HlSafetensors *st, gsize budget_bytes);
void hl_weights_free (HlWeights *weights);

/**
 * hl_weights_require:
 * @shape: expected; a size of -1 is taken as found
 * Returns: (transfer none): NULL with @error: MISSING, SHAPE ("...: shape [768, 768]
 *   expected, [768, 2304] found in model.safetensors"), DTYPE
 */
HlParam *
hl_weights_require (HlWeights *weights, const char *name, HlShape shape, GError **error);

/** hl_weights_require_rows: rows @first to @first + @n of a weight of @whole, (..., D) or
 * (...); the weight itself stays mapped once. */
HlParam *hl_weights_require_rows (HlWeights *weights,
                                  const char *name,
                                  HlShape whole,
                                  gint64 first,
                                  gint64 n,
                                  GError **error);

/** hl_weights_add_made: (transfer none): a parameter that follows from the config or from
 * another one; takes a reference to @value. */
HlParam *hl_weights_add_made (HlWeights *weights, const char *name, HlTensor *value);

/** hl_weights_has: whether a tensor of this name is in the file. */
gboolean hl_weights_has (HlWeights *weights, const char *name);

/** hl_weights_count_unused: tensors of the files that nobody has required; *@first (out)
 * (nullable): one of them, NULL for none. */
guint hl_weights_count_unused (HlWeights *weights, const char **first);

/** hl_weights_get_files: (transfer none): where they come from. */
HlSafetensors *hl_weights_get_files (HlWeights *weights);

/** hl_weights_convert_bytes: what keeping every parameter in @dtype takes beside the
 * mapped file, within the budget. */
gsize hl_weights_convert_bytes (HlWeights *weights, HlDtype dtype);

/** hl_weights_dtype: the type that most of the parameters have in the file. */
HlDtype hl_weights_dtype (HlWeights *weights);

/** hl_weights_upload_bytes: what the parameters take that are not yet in the memory of
 * @backend, a device. */
gsize hl_weights_upload_bytes (HlWeights *weights, HlBackend *backend);

/** hl_weights_leave_device: gives up what is in a backend's own memory: it is uploaded
 * again when it is needed. */
void hl_weights_leave_device (HlWeights *weights);

/**
 * hl_param_get:
 * @param: (nullable): gives NULL, for an optional bias
 * Returns: (transfer full) (nullable): in the backend's type; NULL after a failure, which
 *   sticks to @exec
 */
HlTensor *hl_param_get (HlParam *param, HlExec *exec);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlWeights, hl_weights_free)

G_END_DECLS
