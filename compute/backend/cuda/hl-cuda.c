/* SPDX-License-Identifier: MIT
 * The CUDA backend: opens the device, hands ops to their kernels, keeps the pace. */
#include "backend/cuda/hl-cuda.h"

#include "backend/cuda/cuda-blas.h"
#include "backend/cuda/cuda-copy.h"
#include "base/hl-error.h"

/* Of work that waits on the device before somebody looks whether to go on. */
#define PACE_S 0.01
/* What a multiprocessor does a second, roughly; a guess too high makes cancelling slower,
 * one too low makes more pauses. */
#define FLOPS_PER_PROCESSOR 4e11
#define BYTES_PER_PROCESSOR 2e10

/* Shared by the backends of one device. */
typedef struct
{
  gatomicrefcount refs;
  char *name;
  gsize all_bytes;
  cudaStream_t stream;
  CudaMemory *memory;
  CudaCopier *copier;
  CudaContext context; /* with dtype F32 */
  gboolean is_lost;
} Device;

typedef struct
{
  HlBackend parent;
  Device *device;
  CudaContext context;
} HlCuda;

static const CudaKernel kernels[HL_N_OPS] = {
#define HL_OP(ENUM, name, ...) cuda_op_##name,
#include "ops/hl-op-table.def"
#undef HL_OP
};

gboolean
cuda_check (cudaError_t code, const char *what, GError **error)
{
  if (code == cudaSuccess)
    return TRUE;
  g_set_error (error, HL_ERROR,
               code == cudaErrorMemoryAllocation ? HL_ERROR_MEMORY : HL_ERROR_DEVICE,
               "the CUDA device failed at %s: %s (error %d)", what,
               cudaGetErrorString (code), (int) code);
  return FALSE;
}

/* ---- the device ----------------------------------------------------------------------
 */

static void
device_unref (Device *device)
{
  if (!g_atomic_ref_count_dec (&device->refs))
    return;
  if (device->stream != NULL)
    cudaStreamSynchronize (device->stream);
  g_clear_pointer (&device->context.blas, cuda_blas_free);
  g_clear_pointer (&device->copier, cuda_copier_free);
  for (int i = 0; i < 2; i++)
    if (device->context.pace[i] != NULL)
      cudaEventDestroy (device->context.pace[i]);
  if (device->memory != NULL)
    cuda_memory_disown (device->memory);
  g_clear_pointer (&device->memory, cuda_memory_unref);
  if (device->stream != NULL)
    cudaStreamDestroy (device->stream);
  g_free (device->name);
  g_free (device);
}

/* After a failure: whether anything still runs there. */
static void
look_after (Device *device, gboolean ok)
{
  if (!ok && cudaStreamSynchronize (device->stream) != cudaSuccess)
    device->is_lost = TRUE;
  if (!ok)
    cudaGetLastError ();
}

static gboolean
check_lost (const Device *device, GError **error)
{
  if (!device->is_lost)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_DEVICE,
               "%s failed earlier and can no longer be used by this program",
               device->name);
  return FALSE;
}

static HlTensor *
contiguous (CudaContext *context, const HlTensor *x, GError **error)
{
  if (hl_tensor_is_contiguous (x))
    return hl_tensor_ref ((HlTensor *) x);
  HlTensor *copy = cuda_alloc (context, x->dtype, x->shape, error);
  if (copy != NULL)
    cuda_copy_strided (context, copy, x);
  return copy;
}

static gboolean
device_fetch (const HlMemory *memory,
              const HlTensor *tensor,
              HlDtype dtype,
              gpointer out,
              GError **error)
{
  Device *device = ((const CudaMemory *) memory)->owner;
  if (device == NULL)
    {
      g_set_error_literal (error, HL_ERROR, HL_ERROR_DEVICE,
                           "the CUDA device was closed before its numbers were read");
      return FALSE;
    }
  g_autoptr (HlTensor) plain =
      check_lost (device, error) ? contiguous (&device->context, tensor, error) : NULL;
  gboolean ok =
      plain != NULL && cuda_copier_fetch (device->copier, plain->dtype, plain->data,
                                          hl_tensor_count (plain), dtype, out, error);
  look_after (device, ok);
  return ok;
}

static gboolean
no_device (cudaError_t code, GError **error)
{
  cudaGetLastError ();
  if (code == cudaErrorInsufficientDriver)
    g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                 "no NVIDIA driver, or one that is too old (CUDA error %d)", (int) code);
  else
    g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED, "no CUDA device: %s (error %d)",
                 cudaGetErrorString (code), (int) code);
  return FALSE;
}

/* Any failure is as good as none: the driver may be missing, too old or broken. */
static gboolean
find_device (struct cudaDeviceProp *prop, GError **error)
{
  int n = 0, major = 0;
  cudaError_t code = cudaGetDeviceCount (&n);
  if (code == cudaSuccess && n == 0)
    code = cudaErrorNoDevice;
  if (code == cudaSuccess)
    code = cudaSetDevice (0);
  if (code == cudaSuccess)
    code = cudaGetDeviceProperties (prop, 0);
  if (code == cudaSuccess)
    code = cudaDeviceGetAttribute (&major, cudaDevAttrComputeCapabilityMajor, 0);
  if (code != cudaSuccess)
    return no_device (code, error);
  if (major >= 8)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
               "%s: compute capability 8.0 or newer expected, %d found", prop->name,
               major);
  return FALSE;
}

static gboolean
open_parts (Device *device, gsize budget_bytes, gboolean is_exact, GError **error)
{
  size_t free_bytes = 0, all = 0;
  CudaContext *c = &device->context;
  if (!cuda_check (cudaStreamCreateWithFlags (&device->stream, cudaStreamNonBlocking),
                   "a stream", error) ||
      !cuda_check (cudaMemGetInfo (&free_bytes, &all), "its memory", error))
    return FALSE;
  device->all_bytes = all;
  device->memory =
      cuda_memory_new (budget_bytes > 0 ? budget_bytes : free_bytes / 10 * 9, is_exact);
  device->memory->parent.fetch = device_fetch;
  device->memory->owner = device;
  *c = (CudaContext){ .stream = device->stream,
                      .dtype = HL_DTYPE_F32,
                      .memory = device->memory };
  for (int i = 0; i < 2; i++)
    if (!cuda_check (cudaEventCreateWithFlags (&c->pace[i], cudaEventDisableTiming |
                                                                cudaEventBlockingSync),
                     "an event", error))
      return FALSE;
  device->copier = cuda_copier_new (device->stream, error);
  if (device->copier == NULL ||
      !cuda_check (
          cudaDeviceGetAttribute (&c->n_processors, cudaDevAttrMultiProcessorCount, 0),
          "its properties", error) ||
      !cuda_check (cudaDeviceGetAttribute (&c->shared_bytes,
                                           cudaDevAttrMaxSharedMemoryPerBlockOptin, 0),
                   "its properties", error))
    return FALSE;
  c->blas = cuda_blas_new (device->memory, device->stream, error);
  return c->blas != NULL;
}

/* An allocation is where a fault of what was queued before may be heard of first. */
static HlTensor *
device_alloc (Device *device, HlDtype dtype, HlShape shape, GError **error)
{
  HlTensor *found = check_lost (device, error)
                        ? cuda_memory_alloc (device->memory, dtype, shape, error)
                        : NULL;
  look_after (device, found != NULL);
  return found;
}

HlTensor *
cuda_alloc (CudaContext *context, HlDtype dtype, HlShape shape, GError **error)
{
  return device_alloc (context->memory->owner, dtype, shape, error);
}

/* ---- pace ----------------------------------------------------------------------------
 */

/* Tensor cores are ten times as quick. */
static double
flops_a_second (const CudaContext *context)
{
  double each =
      context->dtype == HL_DTYPE_F32 ? FLOPS_PER_PROCESSOR : 10 * FLOPS_PER_PROCESSOR;
  return each * context->n_processors;
}

double
cuda_pace_flops (const CudaContext *context)
{
  return PACE_S * flops_a_second (context);
}

gboolean
cuda_pace (CudaContext *context, double flops, double bytes)
{
  context->queued_s += flops / flops_a_second (context) +
                       bytes / BYTES_PER_PROCESSOR / context->n_processors;
  if (context->queued_s < PACE_S)
    return TRUE;
  /* The one before the last has gone by, the last one may still be in work. */
  cudaEvent_t event = context->pace[context->n_paces % 2];
  if (context->n_paces >= 2)
    cudaEventSynchronize (event);
  cudaEventRecord (event, context->stream);
  context->n_paces++;
  context->queued_s = 0;
  return hl_progress_pause (context->progress);
}

/* ---- the backend ---------------------------------------------------------------------
 */

static HlCuda *
cuda_of (HlBackend *backend)
{
  return (HlCuda *) backend;
}

static const char *
precision_words (HlDtype dtype)
{
  return dtype == HL_DTYPE_F32 ? "" : dtype == HL_DTYPE_F16 ? ", float16" : ", bfloat16";
}

static char *
cuda_describe (HlBackend *backend)
{
  const Device *device = cuda_of (backend)->device;
  return g_strdup_printf ("CUDA · %s, %.0f GB%s", device->name,
                          (double) device->all_bytes / 1e9,
                          precision_words (backend->dtype));
}

static HlTensor *
cuda_backend_alloc (HlBackend *backend, HlDtype dtype, HlShape shape, GError **error)
{
  return device_alloc (cuda_of (backend)->device, dtype, shape, error);
}

/* Ops of which an input only lends its shape. */
static gboolean
looks_at (HlOp op, int i)
{
  return i != 1 || (op != HL_OP_FOLD && op != HL_OP_UNPATCHIFY);
}

static gboolean
is_there (const HlCuda *cuda, const HlOpCall *call)
{
  for (int i = 0; i < HL_OP_MAX_IN; i++)
    if (call->in[i] != NULL && looks_at (call->op, i) &&
        call->in[i]->memory != &cuda->device->memory->parent)
      return FALSE;
  return TRUE;
}

static gboolean
is_empty (const HlOpCall *call)
{
  for (int i = 0; i < hl_op_get_info (call->op)->n_out; i++)
    if (hl_tensor_count (call->out[i]) > 0)
      return FALSE;
  return TRUE;
}

static gboolean
cuda_run (HlBackend *backend,
          const HlOpCall *call,
          const HlProgress *progress,
          GError **error)
{
  HlCuda *cuda = cuda_of (backend);
  CudaContext *context = &cuda->context;
  GCancellable *cancellable = progress != NULL ? progress->cancellable : NULL;
  g_return_val_if_fail (is_there (cuda, call), FALSE);
  if (!check_lost (cuda->device, error))
    return FALSE;
  if (is_empty (call))
    return TRUE;
  /* Whoever is given way to in a pause runs ops with a progress of its own. */
  const HlProgress *outer = context->progress;
  context->progress = progress;
  gboolean ok = TRUE;
  if (cuda_pace (context, hl_op_flops (call), hl_op_bytes (call)))
    ok = kernels[call->op](context, call, error) &&
         cuda_check (cudaGetLastError (), hl_op_get_info (call->op)->name, error);
  context->progress = outer;
  look_after (cuda->device, ok);
  return ok && !g_cancellable_set_error_if_cancelled (cancellable, error);
}

static gboolean
check_launch (HlCuda *cuda, const char *what, GError **error)
{
  gboolean ok = cuda_check (cudaGetLastError (), what, error);
  look_after (cuda->device, ok);
  return ok;
}

static gboolean
cuda_backend_accumulate (HlBackend *backend,
                         HlTensor *into,
                         const HlTensor *x,
                         GError **error)
{
  HlCuda *cuda = cuda_of (backend);
  if (!check_lost (cuda->device, error))
    return FALSE;
  cuda_accumulate (&cuda->context, into, x);
  return check_launch (cuda, "a sum", error);
}

static gboolean
cuda_supports (HlBackend *backend, HlOp op)
{
  return TRUE;
}

static void
cuda_finalize (HlBackend *backend)
{
  HlCuda *cuda = cuda_of (backend);
  device_unref (cuda->device);
  g_free (cuda);
}

/* (transfer full): @x as it is, on the device. */
static HlTensor *
send (Device *device, HlTensor *x, GError **error)
{
  if (x->memory != NULL)
    return hl_tensor_ref (x);
  g_autoptr (HlTensor) there = device_alloc (device, x->dtype, x->shape, error);
  if (there == NULL)
    return NULL;
  gboolean ok = cuda_copier_send (device->copier, there->data, x->data,
                                  hl_tensor_size_bytes (x), error);
  look_after (device, ok);
  return ok ? g_steal_pointer (&there) : NULL;
}

static HlTensor *
cuda_upload (HlBackend *backend, HlTensor *x, GError **error)
{
  HlCuda *cuda = cuda_of (backend);
  Device *device = cuda->device;
  g_autoptr (HlTensor) there =
      check_lost (device, error) ? send (device, x, error) : NULL;
  if (there == NULL || x->dtype == backend->dtype)
    return g_steal_pointer (&there);
  g_autoptr (HlTensor) out = device_alloc (device, backend->dtype, x->shape, error);
  if (out == NULL)
    return NULL;
  cuda_cast (&cuda->context, x->dtype, there->data, backend->dtype, out->data,
             hl_tensor_count (x));
  return check_launch (cuda, "a cast", error) ? g_steal_pointer (&out) : NULL;
}

static gboolean
cuda_copy (HlBackend *backend, HlTensor *into, const HlTensor *x, GError **error)
{
  HlCuda *cuda = cuda_of (backend);
  if (!check_lost (cuda->device, error))
    return FALSE;
  if (hl_tensor_is_contiguous (into) && hl_tensor_is_contiguous (x))
    cudaMemcpyAsync (into->data, x->data, hl_tensor_size_bytes (x),
                     cudaMemcpyDeviceToDevice, cuda->device->stream);
  else
    cuda_copy_strided (&cuda->context, into, x);
  return check_launch (cuda, "a copy", error);
}

static gboolean
cuda_clear (HlBackend *backend, HlTensor *x, GError **error)
{
  Device *device = cuda_of (backend)->device;
  gboolean ok =
      check_lost (device, error) &&
      cuda_check (cudaMemsetAsync (x->data, 0, hl_tensor_size_bytes (x), device->stream),
                  "zeros", error);
  look_after (device, ok);
  return ok;
}

static HlTensor *
cuda_fetch_later (HlBackend *backend, HlTensor *x, GError **error)
{
  Device *device = cuda_of (backend)->device;
  HlDtype dtype = x->dtype == HL_DTYPE_F64 ? HL_DTYPE_F64 : HL_DTYPE_F32;
  HlTensor *out =
      check_lost (device, error) ? hl_tensor_new (dtype, x->shape, error) : NULL;
  if (out != NULL)
    cuda_copier_fetch_later (device->copier, x, out);
  return out;
}

static gboolean
cuda_finish (HlBackend *backend, GError **error)
{
  Device *device = cuda_of (backend)->device;
  gboolean ok = cuda_copier_finish (device->copier, error) &&
                cuda_check (cudaStreamSynchronize (device->stream), "its work", error);
  look_after (device, ok);
  return ok;
}

static void
cuda_get_memory (HlBackend *backend, gsize *free_bytes, gsize *all_bytes)
{
  Device *device = cuda_of (backend)->device;
  *free_bytes = cuda_memory_get_free (device->memory);
  *all_bytes = device->all_bytes;
}

static gboolean
cuda_is_lost (HlBackend *backend)
{
  return cuda_of (backend)->device->is_lost;
}

static const HlMemory *
cuda_get_home (HlBackend *backend)
{
  return &cuda_of (backend)->device->memory->parent;
}

static HlBackend *backend_new (Device *device, HlDtype dtype);

static HlBackend *
cuda_as_f32 (HlBackend *backend)
{
  Device *device = cuda_of (backend)->device;
  g_atomic_ref_count_inc (&device->refs);
  return backend_new (device, HL_DTYPE_F32);
}

static gpointer
cuda_mark (HlBackend *backend)
{
  cudaEvent_t event = NULL;
  if (cudaEventCreateWithFlags (&event, cudaEventDefault) == cudaSuccess)
    cudaEventRecord (event, cuda_of (backend)->device->stream);
  return event;
}

static double
cuda_between_ms (HlBackend *backend, gpointer first, gpointer second)
{
  float ms = 0;
  cudaEventSynchronize (second);
  if (cudaEventElapsedTime (&ms, first, second) != cudaSuccess)
    cudaGetLastError ();
  cudaEventDestroy (first);
  cudaEventDestroy (second);
  return (double) ms;
}

static const HlDeviceClass device_class = {
  .upload = cuda_upload,
  .copy = cuda_copy,
  .clear = cuda_clear,
  .fetch_later = cuda_fetch_later,
  .finish = cuda_finish,
  .get_memory = cuda_get_memory,
  .is_lost = cuda_is_lost,
  .get_home = cuda_get_home,
  .as_f32 = cuda_as_f32,
  .mark = cuda_mark,
  .between_ms = cuda_between_ms,
};

static const HlBackendClass cuda_class = {
  .id = "cuda",
  .describe = cuda_describe,
  .alloc = cuda_backend_alloc,
  .run = cuda_run,
  .accumulate = cuda_backend_accumulate,
  .supports = cuda_supports,
  .finalize = cuda_finalize,
  .device = &device_class,
};

/* Takes the reference to @device. */
static HlBackend *
backend_new (Device *device, HlDtype dtype)
{
  HlCuda *cuda = g_new0 (HlCuda, 1);
  cuda->parent.klass = &cuda_class;
  cuda->parent.dtype = dtype;
  g_atomic_ref_count_init (&cuda->parent.refs);
  cuda->device = device;
  cuda->context = device->context;
  cuda->context.dtype = dtype;
  return &cuda->parent;
}

HlBackend *
hl_cuda_open (HlDtype dtype, gsize budget_bytes, gboolean is_exact, GError **error)
{
  struct cudaDeviceProp prop;
  g_return_val_if_fail (
      dtype == HL_DTYPE_F32 || dtype == HL_DTYPE_F16 || dtype == HL_DTYPE_BF16, NULL);
  if (!find_device (&prop, error))
    return NULL;
  Device *device = g_new0 (Device, 1);
  g_atomic_ref_count_init (&device->refs);
  device->name = g_strdup (prop.name);
  if (open_parts (device, budget_bytes, is_exact, error))
    return backend_new (device, dtype);
  device_unref (device);
  return NULL;
}

char *
hl_cuda_describe (GError **error)
{
  g_autoptr (HlBackend) backend = hl_cuda_open (HL_DTYPE_F32, 0, FALSE, error);
  return backend != NULL ? cuda_describe (backend) : NULL;
}
