/* SPDX-License-Identifier: MIT
 * A backend runs ops. One small vtable; a backend may leave ops out and says so.
 * Thread: a backend belongs to the thread that runs it (the engine's). */
#pragma once

#include "base/hl-progress.h"
#include "ops/hl-op.h"

G_BEGIN_DECLS

typedef struct _HlBackend HlBackend;

/** HlBackendClass: what a backend implements. */
typedef struct
{
  const char *id; /* "cpu" */

  /* In words for people: "CPU · OpenBLAS, 2 threads". (transfer full) */
  char *(*describe) (HlBackend *backend);

  /* Memory for one output, uninitialised; may be taken from a pool. */
  HlTensor *(*alloc) (HlBackend *backend, HlShape shape, GError **error);

  /* Runs @call; in- and outputs are of the backend's dtype and shapes are checked.
   * Pauses for @progress (nullable) at least every 100 ms of work; whoever is given way
   * to may run ops of this backend meanwhile. */
  gboolean (*run) (HlBackend *backend,
                   const HlOpCall *call,
                   const HlProgress *progress,
                   GError **error);

  /* @into += @x: the one thing that is done in place, for gradients. Both may be strided;
   * where @into is 1 in a dimension, @x is added up over it. Shapes are checked. */
  void (*accumulate) (HlBackend *backend, HlTensor *into, const HlTensor *x);

  /* FALSE for an op that is left out. */
  gboolean (*supports) (HlBackend *backend, HlOp op);

  void (*finalize) (HlBackend *backend);
} HlBackendClass;

/** HlBackend: @dtype is what it computes in, HL_DTYPE_F32 or HL_DTYPE_F64. */
struct _HlBackend
{
  const HlBackendClass *klass;
  gatomicrefcount refs;
  HlDtype dtype;
};

HlBackend *hl_backend_ref (HlBackend *backend);
void hl_backend_unref (HlBackend *backend);

/**
 * hl_backend_run_op:
 * @call: with inputs set; outputs are allocated here and (transfer full) to the caller
 * @progress: (nullable): given way to before and during the op; nothing is reported to it
 * Returns: FALSE with @error (HL_ERROR_SHAPE, HL_ERROR_DTYPE, HL_ERROR_MEMORY,
 *   HL_ERROR_UNSUPPORTED, HL_ERROR_DEVICE, G_IO_ERROR_CANCELLED) and no outputs
 */
gboolean hl_backend_run_op (HlBackend *backend,
                            HlOpCall *call,
                            const HlProgress *progress,
                            GError **error);

/**
 * hl_backend_accumulate:
 * @into: belongs to the caller, who alone looks at it; added to in place
 * @x: of the same rank; a dimension of @into is that of @x, or 1 for the sum over it
 * Returns: FALSE with @error (HL_ERROR_SHAPE, HL_ERROR_DTYPE)
 */
gboolean hl_backend_accumulate (HlBackend *backend,
                                HlTensor *into,
                                const HlTensor *x,
                                GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlBackend, hl_backend_unref)

/**
 * HlBackendStatus: one line of `headlight info --backends`.
 * @id: "cpu", "cuda"
 * @is_available: FALSE when it cannot be used here
 * @text: what it is, or in one line why it is not used
 */
typedef struct
{
  const char *id;
  gboolean is_available;
  char *text;
} HlBackendStatus;

/** hl_backend_list: (transfer full) (element-type HlBackendStatus): every backend this
 * program knows of, whether usable or not. */
GPtrArray *hl_backend_list (void);

/**
 * hl_backend_open:
 * @id: (nullable): NULL chooses the best that is proven here
 * Returns: (transfer full): NULL with @error (HL_ERROR_UNSUPPORTED)
 */
HlBackend *hl_backend_open (const char *id, GError **error);

G_END_DECLS
