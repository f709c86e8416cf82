/* SPDX-License-Identifier: MIT
 * Matrix products by cuBLAS, whose libraries are opened by name. */
#include "backend/cuda/cuda-blas.h"

#include "backend/cuda/cuda-memory.h"
#include "base/hl-error.h"

#include <cublasLt.h>
#include <cublas_v2.h>
#include <gmodule.h>
#include <string.h>

#define WORKSPACE_BYTES ((gsize) 32 << 20)

/* Both major versions that have what is called here, the newest first. */
static const char *const versions[] = { "13", "12" };

#define CUBLAS_FUNCTIONS(F)                                                              \
  F (blas, cublasCreate_v2)                                                              \
  F (blas, cublasDestroy_v2)                                                             \
  F (blas, cublasSetStream_v2)                                                           \
  F (blas, cublasSetMathMode)                                                            \
  F (blas, cublasGemmEx)                                                                 \
  F (blas, cublasGemmBatchedEx)                                                          \
  F (lt, cublasLtCreate)                                                                 \
  F (lt, cublasLtDestroy)                                                                \
  F (lt, cublasLtMatmul)                                                                 \
  F (lt, cublasLtMatmulAlgoGetHeuristic)                                                 \
  F (lt, cublasLtMatmulDescCreate)                                                       \
  F (lt, cublasLtMatmulDescDestroy)                                                      \
  F (lt, cublasLtMatmulDescSetAttribute)                                                 \
  F (lt, cublasLtMatrixLayoutCreate)                                                     \
  F (lt, cublasLtMatrixLayoutDestroy)                                                    \
  F (lt, cublasLtMatmulPreferenceCreate)                                                 \
  F (lt, cublasLtMatmulPreferenceDestroy)                                                \
  F (lt, cublasLtMatmulPreferenceSetAttribute)

/* @algorithms: what was found to be best for a kind of product, by Key. */
struct _CudaBlas
{
  GModule *blas, *lt;
  cublasHandle_t handle;
  cublasLtHandle_t lt_handle;
  HlTensor *workspace;
  GHashTable *algorithms;
#define F(library, name) __typeof__ (&name) name;
  CUBLAS_FUNCTIONS (F)
#undef F
};

/* ---- opening -------------------------------------------------------------------------
 */

static GModule *
open_library (const char *stem, GString *tried)
{
  for (guint i = 0; i < G_N_ELEMENTS (versions); i++)
    {
      g_autofree char *name = g_strdup_printf ("lib%s.so.%s", stem, versions[i]);
      GModule *library = g_module_open (name, G_MODULE_BIND_LAZY | G_MODULE_BIND_LOCAL);
      if (library != NULL)
        {
          g_module_make_resident (library); /* they are not made to be unloaded */
          return library;
        }
      g_string_append_printf (tried, "%s%s", tried->len > 0 ? ", " : "", name);
    }
  return NULL;
}

static gboolean
find_functions (CudaBlas *b, GError **error)
{
  const char *missing = NULL;
#define F(library, name)                                                                 \
  if (!g_module_symbol (b->library, #name, (gpointer *) &b->name))                       \
    missing = #name;
  CUBLAS_FUNCTIONS (F)
#undef F
  if (missing == NULL)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED, "cuBLAS: %s expected, not found",
               missing);
  return FALSE;
}

static gboolean
open_libraries (CudaBlas *b, GError **error)
{
  g_autoptr (GString) tried = g_string_new (NULL);
  b->lt = open_library ("cublasLt", tried);
  b->blas = b->lt != NULL ? open_library ("cublas", tried) : NULL;
  if (b->blas != NULL)
    return find_functions (b, error);
  g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
               "no cuBLAS: none of %s could be opened", tried->str);
  return FALSE;
}

static gboolean
check (cublasStatus_t status, const char *what, GError **error)
{
  if (status == CUBLAS_STATUS_SUCCESS)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_DEVICE, "cuBLAS failed at %s (status %d)", what,
               (int) status);
  return FALSE;
}

/* The default mode of cuBLAS keeps float32 as it is: tf32 would have to be asked for.
 * Sums that are cut in parts are kept in float32 too. */
CudaBlas *
cuda_blas_new (CudaMemory *memory, cudaStream_t stream, GError **error)
{
  CudaBlas *b = g_new0 (CudaBlas, 1);
  b->algorithms =
      g_hash_table_new_full ((GHashFunc) g_bytes_hash, (GEqualFunc) g_bytes_equal,
                             (GDestroyNotify) g_bytes_unref, g_free);
  if (open_libraries (b, error) &&
      check (b->cublasCreate_v2 (&b->handle), "opening", error) &&
      check (b->cublasSetStream_v2 (b->handle, stream), "its stream", error) &&
      check (b->cublasSetMathMode (b->handle,
                                   CUBLAS_DEFAULT_MATH |
                                       CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION),
             "its mode", error) &&
      check (b->cublasLtCreate (&b->lt_handle), "opening", error))
    b->workspace = cuda_memory_alloc (memory, HL_DTYPE_U8,
                                      HL_SHAPE ((gint64) WORKSPACE_BYTES), error);
  if (b->workspace != NULL)
    return b;
  cuda_blas_free (b);
  return NULL;
}

void
cuda_blas_free (CudaBlas *b)
{
  if (b->handle != NULL)
    b->cublasDestroy_v2 (b->handle);
  if (b->lt_handle != NULL)
    b->cublasLtDestroy (b->lt_handle);
  hl_tensor_unref (b->workspace);
  g_hash_table_unref (b->algorithms);
  g_clear_pointer (&b->blas, g_module_close);
  g_clear_pointer (&b->lt, g_module_close);
  g_free (b);
}

/* ---- one product ---------------------------------------------------------------------
 * cuBLAS counts by columns: what is C = A B by rows is C' = B' A' for it, in the same
 * memory. So its first operand is B, and it makes N x M. */

static cudaDataType_t
type_of (HlDtype dtype)
{
  return dtype == HL_DTYPE_F16    ? CUDA_R_16F
         : dtype == HL_DTYPE_BF16 ? CUDA_R_16BF
                                  : CUDA_R_32F;
}

/* What decides which algorithm is best. */
typedef struct
{
  CudaProduct product;
  gint64 has_bias;
  gint64 alignment; /* in bytes, of the operand that has least; 256 at most */
} Key;

typedef struct
{
  cublasLtMatmulDesc_t desc;
  cublasLtMatrixLayout_t a, b, c;
} Plan;

static void
plan_clear (CudaBlas *b, Plan *plan)
{
  if (plan->desc != NULL)
    b->cublasLtMatmulDescDestroy (plan->desc);
  cublasLtMatrixLayout_t layouts[] = { plan->a, plan->b, plan->c };
  for (guint i = 0; i < G_N_ELEMENTS (layouts); i++)
    if (layouts[i] != NULL)
      b->cublasLtMatrixLayoutDestroy (layouts[i]);
}

static cublasStatus_t
set_desc (CudaBlas *b,
          Plan *plan,
          cublasLtMatmulDescAttributes_t what,
          const void *value,
          gsize size)
{
  return b->cublasLtMatmulDescSetAttribute (plan->desc, what, value, size);
}

static gboolean
plan_init (
    CudaBlas *b, Plan *plan, const CudaProduct *p, gconstpointer bias, GError **error)
{
  cudaDataType_t type = type_of (p->dtype);
  cublasOperation_t turn_a = p->b_is_turned ? CUBLAS_OP_T : CUBLAS_OP_N;
  cublasOperation_t turn_b = p->a_is_turned ? CUBLAS_OP_T : CUBLAS_OP_N;
  cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_BIAS;
  guint64 N = (guint64) p->N, M = (guint64) p->M, K = (guint64) p->K;
  cublasStatus_t s =
      b->cublasLtMatmulDescCreate (&plan->desc, CUBLAS_COMPUTE_32F, CUDA_R_32F);
  if (s == CUBLAS_STATUS_SUCCESS)
    s = set_desc (b, plan, CUBLASLT_MATMUL_DESC_TRANSA, &turn_a, sizeof turn_a);
  if (s == CUBLAS_STATUS_SUCCESS)
    s = set_desc (b, plan, CUBLASLT_MATMUL_DESC_TRANSB, &turn_b, sizeof turn_b);
  if (s == CUBLAS_STATUS_SUCCESS && bias != NULL)
    s = set_desc (b, plan, CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue, sizeof epilogue);
  if (s == CUBLAS_STATUS_SUCCESS && bias != NULL)
    s = set_desc (b, plan, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &bias, sizeof bias);
  if (s == CUBLAS_STATUS_SUCCESS)
    s = b->cublasLtMatrixLayoutCreate (&plan->a, type, p->b_is_turned ? K : N,
                                       p->b_is_turned ? N : K, p->ldb);
  if (s == CUBLAS_STATUS_SUCCESS)
    s = b->cublasLtMatrixLayoutCreate (&plan->b, type, p->a_is_turned ? M : K,
                                       p->a_is_turned ? K : M, p->lda);
  if (s == CUBLAS_STATUS_SUCCESS)
    s = b->cublasLtMatrixLayoutCreate (&plan->c, type, N, M, p->ldc);
  return check (s, "the plan of a product", error);
}

static cublasStatus_t
ask (CudaBlas *b, const Plan *plan, guint32 alignment, cublasLtMatmulAlgo_t *found)
{
  static const cublasLtMatmulPreferenceAttributes_t alignments[] = {
    CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES,
    CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
    CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES,
    CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES,
  };
  cublasLtMatmulPreference_t preference = NULL;
  cublasLtMatmulHeuristicResult_t result;
  size_t room = WORKSPACE_BYTES;
  guint32 reduction = CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE;
  int n = 0;
  cublasStatus_t s = b->cublasLtMatmulPreferenceCreate (&preference);
  if (s == CUBLAS_STATUS_SUCCESS)
    s = b->cublasLtMatmulPreferenceSetAttribute (
        preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &room, sizeof room);
  if (s == CUBLAS_STATUS_SUCCESS)
    s = b->cublasLtMatmulPreferenceSetAttribute (
        preference, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, &reduction,
        sizeof reduction);
  /* It takes 256 bytes for granted otherwise, which views do not have. */
  for (guint i = 0; i < G_N_ELEMENTS (alignments) && s == CUBLAS_STATUS_SUCCESS; i++)
    s = b->cublasLtMatmulPreferenceSetAttribute (preference, alignments[i], &alignment,
                                                 sizeof alignment);
  if (s == CUBLAS_STATUS_SUCCESS)
    s = b->cublasLtMatmulAlgoGetHeuristic (b->lt_handle, plan->desc, plan->a, plan->b,
                                           plan->c, plan->c, preference, 1, &result, &n);
  if (preference != NULL)
    b->cublasLtMatmulPreferenceDestroy (preference);
  if (s == CUBLAS_STATUS_SUCCESS && n > 0)
    s = result.state;
  else if (s == CUBLAS_STATUS_SUCCESS)
    s = CUBLAS_STATUS_NOT_SUPPORTED;
  if (s == CUBLAS_STATUS_SUCCESS)
    *found = result.algo;
  return s;
}

/* (transfer none) (nullable): asked once for each kind of product. @addresses: those of
 * its operands, or-ed. */
static const cublasLtMatmulAlgo_t *
find_algorithm (CudaBlas *b,
                const Plan *plan,
                const CudaProduct *p,
                gboolean has_bias,
                gsize addresses,
                GError **error)
{
  Key key;
  cublasLtMatmulAlgo_t found;
  memset (&key, 0, sizeof key); /* gaps between the fields too */
  key.product.dtype = p->dtype;
  key.product.a_is_turned = p->a_is_turned;
  key.product.b_is_turned = p->b_is_turned;
  key.product.M = p->M;
  key.product.N = p->N;
  key.product.K = p->K;
  key.product.lda = p->lda;
  key.product.ldb = p->ldb;
  key.product.ldc = p->ldc;
  key.product.adds = p->adds;
  key.has_bias = has_bias;
  key.alignment = (gint64) ((addresses | 256) & -(addresses | 256));
  g_autoptr (GBytes) name = g_bytes_new (&key, sizeof key);
  cublasLtMatmulAlgo_t *known = g_hash_table_lookup (b->algorithms, name);
  if (known != NULL)
    return known;
  if (!check (ask (b, plan, (guint32) key.alignment, &found),
              "the choice of an algorithm", error))
    return NULL;
  known = g_memdup2 (&found, sizeof found);
  g_hash_table_insert (b->algorithms, g_steal_pointer (&name), known);
  return known;
}

static gboolean
multiply_planned (CudaBlas *blas,
                  cudaStream_t stream,
                  const CudaProduct *p,
                  gconstpointer a,
                  gconstpointer b,
                  gconstpointer bias,
                  gpointer c,
                  GError **error)
{
  Plan plan = { NULL };
  float alpha = (float) p->alpha, beta = p->adds ? 1 : 0;
  gboolean ok = plan_init (blas, &plan, p, bias, error);
  const cublasLtMatmulAlgo_t *algorithm =
      ok ? find_algorithm (blas, &plan, p, bias != NULL,
                           (gsize) a | (gsize) b | (gsize) bias | (gsize) c, error)
         : NULL;
  ok = algorithm != NULL &&
       check (blas->cublasLtMatmul (blas->lt_handle, plan.desc, &alpha, b, plan.a, a,
                                    plan.b, &beta, c, plan.c, c, plan.c, algorithm,
                                    blas->workspace->data, WORKSPACE_BYTES, stream),
              "a product", error);
  plan_clear (blas, &plan);
  return ok;
}

static gboolean
multiply_plainly (CudaBlas *blas,
                  const CudaProduct *p,
                  gconstpointer a,
                  gconstpointer b,
                  gpointer c,
                  GError **error)
{
  cudaDataType_t type = type_of (p->dtype);
  float alpha = (float) p->alpha, beta = p->adds ? 1 : 0;
  return check (
      blas->cublasGemmEx (blas->handle, p->b_is_turned ? CUBLAS_OP_T : CUBLAS_OP_N,
                          p->a_is_turned ? CUBLAS_OP_T : CUBLAS_OP_N, (int) p->N,
                          (int) p->M, (int) p->K, &alpha, b, type, (int) p->ldb, a, type,
                          (int) p->lda, &beta, c, type, (int) p->ldc, CUBLAS_COMPUTE_32F,
                          CUBLAS_GEMM_DEFAULT),
      "a product", error);
}

/* cublasLt has no algorithm for some small or oddly aligned products, with a bias above
 * all: the library's plain call has, and adds onto the bias. */
gboolean
cuda_blas_multiply (CudaBlas *blas,
                    cudaStream_t stream,
                    const CudaProduct *p,
                    gconstpointer a,
                    gconstpointer b,
                    gconstpointer bias,
                    gpointer c,
                    GError **error)
{
  gboolean is_small = p->M == 1 || p->N == 1 || p->K == 1;
  CudaProduct onto = *p;
  if (!is_small && multiply_planned (blas, stream, p, a, b, bias, c, NULL))
    return TRUE;
  if (bias != NULL)
    {
      cuda_repeat_row (stream, p->dtype, bias, c, p->M, p->N, p->ldc);
      onto.adds = TRUE;
    }
  return multiply_plainly (blas, &onto, a, b, c, error);
}

gboolean
cuda_blas_multiply_many (CudaBlas *blas,
                         cudaStream_t stream,
                         const CudaProduct *p,
                         gconstpointer *a,
                         gconstpointer *b,
                         gpointer *c,
                         int n,
                         GError **error)
{
  cudaDataType_t type = type_of (p->dtype);
  float alpha = (float) p->alpha, beta = p->adds ? 1 : 0;
  return check (
      blas->cublasGemmBatchedEx (blas->handle, p->b_is_turned ? CUBLAS_OP_T : CUBLAS_OP_N,
                                 p->a_is_turned ? CUBLAS_OP_T : CUBLAS_OP_N, (int) p->N,
                                 (int) p->M, (int) p->K, &alpha, b, type, (int) p->ldb, a,
                                 type, (int) p->lda, &beta, c, type, (int) p->ldc, n,
                                 CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT),
      "products of heads", error);
}
