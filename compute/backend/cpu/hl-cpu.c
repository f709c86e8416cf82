/* SPDX-License-Identifier: MIT
 * The CPU backend: picks the kernels for this processor, keeps a pool of threads and a
 * pool of memory. */
#include "config.h"

#include "backend/cpu/hl-cpu.h"

#include "backend/cpu/cpu-kernels.h"
#include "backend/cpu/cpu-memory.h"

typedef struct
{
  HlBackend parent;
  CpuPool *pool;
  CpuMemory *memory;
  const CpuKernelTable *kernels;
  const char *isa;
} HlCpu;

static char *
cpu_describe (HlBackend *backend)
{
  HlCpu *cpu = (HlCpu *) backend;
  int n = cpu_pool_n_threads (cpu->pool);
  return g_strdup_printf (n == 1 ? "CPU · OpenBLAS, %d thread, %s"
                                 : "CPU · OpenBLAS, %d threads, %s",
                          n, cpu->isa);
}

static HlTensor *
cpu_alloc (HlBackend *backend, HlDtype dtype, HlShape shape, GError **error)
{
  return cpu_memory_alloc (((HlCpu *) backend)->memory, dtype, shape, error);
}

static void
cpu_add_row (
    HlDtype dtype, gpointer into, gint64 step, gconstpointer x, gint64 step_x, gint64 n)
{
  if (dtype == HL_DTYPE_F64)
    for (gint64 i = 0; i < n; i++)
      ((double *) into)[i * step] += ((const double *) x)[i * step_x];
  else if (step == 1 && step_x == 1)
    for (gint64 i = 0; i < n; i++)
      ((float *) into)[i] += ((const float *) x)[i];
  else
    for (gint64 i = 0; i < n; i++)
      ((float *) into)[i * step] += ((const float *) x)[i * step_x];
}

static gboolean
cpu_run (HlBackend *backend,
         const HlOpCall *call,
         const HlProgress *progress,
         GError **error)
{
  HlCpu *cpu = (HlCpu *) backend;
  GCancellable *cancellable = progress != NULL ? progress->cancellable : NULL;
  CpuContext context = { cpu->pool, progress, cancellable };
  return cpu->kernels->kernel[call->op](&context, call, error) &&
         !g_cancellable_set_error_if_cancelled (cancellable, error);
}

/* A sum over rows, as biases have it. */
static gboolean
is_sum_of_rows (const HlTensor *into, const HlTensor *x)
{
  int last = x->shape.n_dims - 1;
  if (last < 1 || into->shape.dim[last] != x->shape.dim[last] ||
      !hl_tensor_is_contiguous (x) || !hl_tensor_is_contiguous (into))
    return FALSE;
  for (int d = 0; d < last; d++)
    if (into->shape.dim[d] != 1)
      return FALSE;
  return TRUE;
}

static void
add_rows_f32 (float *restrict into, const float *restrict x, gint64 rows, gint64 n)
{
  for (gint64 r = 0; r < rows; r++)
    for (gint64 i = 0; i < n; i++)
      into[i] += x[r * n + i];
}

static void
add_rows_f64 (double *restrict into, const double *restrict x, gint64 rows, gint64 n)
{
  for (gint64 r = 0; r < rows; r++)
    for (gint64 i = 0; i < n; i++)
      into[i] += x[r * n + i];
}

/* Rows of the last dimension; over the others one goes like a counter. */
static gboolean
cpu_accumulate (HlBackend *backend, HlTensor *into, const HlTensor *x, GError **error)
{
  int last = x->shape.n_dims - 1;
  gint64 at[HL_MAX_DIMS] = { 0 };
  gint64 n = last >= 0 ? x->shape.dim[last] : 1, size = (gint64) hl_dtype_size (x->dtype);
  gint64 step_x = last >= 0 ? x->stride[last] : 0;
  if (n > 0 && is_sum_of_rows (into, x))
    {
      if (backend->dtype == HL_DTYPE_F64)
        add_rows_f64 (into->data, x->data, hl_tensor_count (x) / n, n);
      else
        add_rows_f32 (into->data, x->data, hl_tensor_count (x) / n, n);
      return TRUE;
    }
  gint64 step = last >= 0 && into->shape.dim[last] != 1 ? into->stride[last] : 0;
  for (gint64 row = hl_tensor_count (x) / MAX (n, 1); row > 0 && n > 0; row--)
    {
      gint64 from = 0, to = 0;
      for (int d = 0; d < last; d++)
        {
          from += at[d] * x->stride[d];
          to += into->shape.dim[d] == 1 ? 0 : at[d] * into->stride[d];
        }
      cpu_add_row (backend->dtype, (guint8 *) into->data + to * size, step,
                   (const guint8 *) x->data + from * size, step_x, n);
      for (int d = last - 1; d >= 0 && ++at[d] == x->shape.dim[d]; d--)
        at[d] = 0;
    }
  return TRUE;
}

static gboolean
cpu_supports (HlBackend *backend, HlOp op)
{
  return TRUE;
}

static void
cpu_finalize (HlBackend *backend)
{
  HlCpu *cpu = (HlCpu *) backend;
  cpu_pool_free (cpu->pool);
  cpu_memory_unref (cpu->memory);
  g_free (cpu);
}

static const HlBackendClass cpu_class = {
  .id = "cpu",
  .describe = cpu_describe,
  .alloc = cpu_alloc,
  .run = cpu_run,
  .accumulate = cpu_accumulate,
  .supports = cpu_supports,
  .finalize = cpu_finalize,
};

static void
choose_kernels (HlCpu *cpu, HlDtype dtype)
{
  gboolean is_double = dtype == HL_DTYPE_F64;
  cpu->isa = "SSE2";
  cpu->kernels = is_double ? &hl_cpu_kernels_f64_base : &hl_cpu_kernels_f32_base;
#if HL_HAVE_V3
  if (__builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma"))
    {
      cpu->isa = "AVX2";
      cpu->kernels = is_double ? &hl_cpu_kernels_f64_v3 : &hl_cpu_kernels_f32_v3;
    }
#endif
}

HlBackend *
hl_cpu_backend_new (HlDtype dtype, int n_threads)
{
  g_return_val_if_fail (dtype == HL_DTYPE_F32 || dtype == HL_DTYPE_F64, NULL);
  HlCpu *cpu = g_new0 (HlCpu, 1);
  cpu->parent.klass = &cpu_class;
  cpu->parent.dtype = dtype;
  g_atomic_ref_count_init (&cpu->parent.refs);
  if (n_threads <= 0)
    n_threads = (int) g_get_num_processors ();
  cpu->pool = cpu_pool_new (n_threads);
  cpu->memory = cpu_memory_new ();
  choose_kernels (cpu, dtype);
  /* Our own pool cuts the products; threads inside the library would fight with it. */
  openblas_set_num_threads (1);
  return &cpu->parent;
}

void
hl_cpu_backend_trim (HlBackend *backend)
{
  cpu_memory_trim (((HlCpu *) backend)->memory, 0);
}
