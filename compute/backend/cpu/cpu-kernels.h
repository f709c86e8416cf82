/* SPDX-License-Identifier: MIT
 * Kernels are written once against `real` and compiled four times: float and double, for
 * every x86-64 processor and for those with AVX2. Each file that includes this defines
 * functions whose names end in the variant, K (softmax) = hl_cpu_softmax_f32_v3. */
#pragma once

#include "backend/cpu/cpu-pool.h"
#include "base/hl-error.h"
#include "base/hl-progress.h"
#include "ops/hl-op.h"

#include <cblas.h>
#include <math.h>

G_BEGIN_DECLS

/** CpuContext: what a kernel may use beside its call: @progress (nullable) to pause
 * between pieces of long work, when other ops may run in between; @cancellable is its. */
typedef struct
{
  CpuPool *pool;
  const HlProgress *progress;
  GCancellable *cancellable;
} CpuContext;

/** CpuKernel: runs one op; FALSE with @error only for want of memory. */
typedef gboolean (*CpuKernel) (const CpuContext *context,
                               const HlOpCall *call,
                               GError **error);

/** CpuKernelTable: one kernel an op, of one variant. */
typedef struct
{
  CpuKernel kernel[HL_N_OPS];
} CpuKernelTable;

extern const CpuKernelTable hl_cpu_kernels_f32_base;
extern const CpuKernelTable hl_cpu_kernels_f64_base;
extern const CpuKernelTable hl_cpu_kernels_f32_v3;
extern const CpuKernelTable hl_cpu_kernels_f64_v3;

#ifdef HL_VARIANT

#define K_PASTE(name, variant) hl_cpu_##name##_##variant
#define K_NAME(name, variant) K_PASTE (name, variant)
#define K(name) K_NAME (name, HL_VARIANT)

#if HL_REAL_IS_DOUBLE
typedef double real;
#define real_exp exp
#define real_erf erf
#define real_tanh tanh
#define real_sqrt sqrt
#define real_gemm cblas_dgemm
#define real_gemv cblas_dgemv
#else
typedef float real;
#define real_exp expf
#define real_erf erff
#define real_tanh tanhf
#define real_sqrt sqrtf
#define real_gemm cblas_sgemm
#define real_gemv cblas_sgemv
#if HL_HAVE_VECTOR_MATH
/* The C library has vector forms of these (libmvec, within 4 ulp) but declares them only
 * under -ffast-math, which would also reorder sums and drop NaN. */
__attribute__ ((simd ("notinbranch"))) extern float expf (float);
__attribute__ ((simd ("notinbranch"))) extern float erff (float);
__attribute__ ((simd ("notinbranch"))) extern float tanhf (float);
#endif
#endif

#define HL_OP(ENUM, name, ...)                                                           \
  gboolean K (name) (const CpuContext *context, const HlOpCall *call, GError **error);
#include "ops/hl-op-table.def"
#undef HL_OP

/* Softmax of @n scores in place; returns ln of the sum of exponentials. */
real K (softmax_row) (real *row, gint64 n);

/* Address of matrix (b, h) of a (B, H, rows, columns) tensor, whose batch may be 1 and
 * whose heads may be fewer (grouped keys and values). */
static inline real *
matrix_at (const HlTensor *t, gint64 b, gint64 h, gint64 n_heads)
{
  gint64 batch = t->shape.dim[0] == 1 ? 0 : b;
  gint64 head = h / (n_heads / t->shape.dim[1]);
  return (real *) t->data + batch * t->stride[0] + head * t->stride[1];
}

#endif

G_END_DECLS
