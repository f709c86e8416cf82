/* SPDX-License-Identifier: MIT
 * A backend runs ops. One small vtable; a backend may leave ops out and says so.
 * Thread: a backend belongs to the thread that runs it (the engine's). */
#pragma once

#include "base/hl-progress.h"
#include "ops/hl-op.h"

G_BEGIN_DECLS

typedef struct _HlBackend HlBackend;

/** HlDeviceClass: what a backend implements whose memory is not the host's. Work on it is
 * queued: a failure may come with a later call. */
typedef struct
{
  /* @x, contiguous, of any floating type, on the host or there already, in the backend's
   * own type. */
  HlTensor *(*upload) (HlBackend *backend, HlTensor *x, GError **error);

  /* @into = @x, of one shape and type; both may be strided. */
  gboolean (*copy) (HlBackend *backend,
                    HlTensor *into,
                    const HlTensor *x,
                    GError **error);

  /* Zeros; @x is contiguous. */
  gboolean (*clear) (HlBackend *backend, HlTensor *x, GError **error);

  /* A host tensor of float32 or wider that has @x, which is contiguous, after finish().
   */
  HlTensor *(*fetch_later) (HlBackend *backend, HlTensor *x, GError **error);

  /* Waits for all that was queued. */
  gboolean (*finish) (HlBackend *backend, GError **error);

  /* Bytes that could be allocated now, and all there are. */
  void (*get_memory) (HlBackend *backend, gsize *free_bytes, gsize *all_bytes);

  /* The device failed; nothing will run on it again. */
  gboolean (*is_lost) (HlBackend *backend);

  /* Where its tensors are; no two devices that are open have the same. */
  const HlMemory *(*get_home) (HlBackend *backend);

  /* The same device, in float32. */
  HlBackend *(*as_f32) (HlBackend *backend);

  /* For benches: a mark in what is queued, and the device's time between two of them, in
   * milliseconds; waits for the second and frees both. */
  gpointer (*mark) (HlBackend *backend);
  double (*between_ms) (HlBackend *backend, gpointer first, gpointer second);
} HlDeviceClass;

/** HlBackendClass: what a backend implements. */
typedef struct
{
  const char *id; /* "cpu" */

  /* In words for people: "CPU · OpenBLAS, 2 threads". (transfer full) */
  char *(*describe) (HlBackend *backend);

  /* Memory for one output, uninitialised; may be taken from a pool. */
  HlTensor *(*alloc) (HlBackend *backend, HlDtype dtype, HlShape shape, GError **error);

  /* Runs @call; in- and outputs are of the backend's dtypes and shapes are checked.
   * Pauses for @progress (nullable) at least every 100 ms of work; whoever is given way
   * to may run ops of this backend meanwhile. */
  gboolean (*run) (HlBackend *backend,
                   const HlOpCall *call,
                   const HlProgress *progress,
                   GError **error);

  /* @into += @x: the one thing that is done in memory, for gradients. Both may be
   * strided; where @into is 1 in a dimension, @x is added up over it. Shapes are checked.
   */
  gboolean (*accumulate) (HlBackend *backend,
                          HlTensor *into,
                          const HlTensor *x,
                          GError **error);

  /* FALSE for an op that is left out. */
  gboolean (*supports) (HlBackend *backend, HlOp op);

  void (*finalize) (HlBackend *backend);

  /* NULL where the backend's memory is the host's. */
  const HlDeviceClass *device;
} HlBackendClass;

/** HlBackend: @dtype is what it computes in: HL_DTYPE_F32, HL_DTYPE_F64, and on a device
 * HL_DTYPE_F16 or HL_DTYPE_BF16 too. */
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

/** hl_backend_get_wide: what log-sum-exps are in: the backend's dtype, but float32 where
 * that is half precision. */
HlDtype hl_backend_get_wide (const HlBackend *backend);

/**
 * hl_backend_upload:
 * @x: of any floating type, on the host or the backend's already
 * Returns: (transfer full): in the backend's memory and dtype, contiguous; @x itself
 * where nothing needs to change; NULL with @error
 */
HlTensor *hl_backend_upload (HlBackend *backend, HlTensor *x, GError **error);

/** hl_backend_contiguous: (transfer full): @x itself, or a strided view copied, where it
 * is; NULL with @error. */
HlTensor *hl_backend_contiguous (HlBackend *backend, HlTensor *x, GError **error);

/** hl_backend_new_zeros: (transfer full): in the backend's memory and dtype; NULL with
 * @error. */
HlTensor *hl_backend_new_zeros (HlBackend *backend, HlShape shape, GError **error);

/** hl_backend_copy: @into = @x, both the backend's, of one shape and type; may be
 * strided. Returns: FALSE with @error */
gboolean
hl_backend_copy (HlBackend *backend, HlTensor *into, HlTensor *x, GError **error);

/**
 * hl_backend_fetch_later:
 * @x: the backend's
 * Returns: (transfer full): contiguous and on the host; it has its numbers after
 *   hl_backend_finish(), and nobody may look at it before. NULL with @error
 */
HlTensor *hl_backend_fetch_later (HlBackend *backend, HlTensor *x, GError **error);

/** hl_backend_fetch: (transfer full): @x, wherever it is, contiguous on the host in
 * float32 or wider; NULL with @error. */
HlTensor *hl_backend_fetch (HlBackend *backend, HlTensor *x, GError **error);

/** hl_backend_finish: waits for everything that was queued; FALSE with @error (DEVICE).
 */
gboolean hl_backend_finish (HlBackend *backend, GError **error);

/** hl_backend_as_f32: (transfer full): one of the same device that computes in float32;
 * @backend itself where it is in float32 or float64. For what half precision is too
 * little for: training, and maps that are recomputed. */
HlBackend *hl_backend_as_f32 (HlBackend *backend);

/** hl_backend_is_lost: TRUE when its device failed and nothing will run on it again. */
gboolean hl_backend_is_lost (HlBackend *backend);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlBackend, hl_backend_unref)

G_END_DECLS
