/* SPDX-License-Identifier: MIT
 * Ops that treat numbers one by one: activations and their slopes, Adam, casts. Sixteen
 * bytes a thread where they lie so. */
#include "backend/cuda/cuda-kernel.cuh"

#define THREADS 256

/* d/dx of x s (x) with s = 1 / (1 + exp (-c x)). */
static __device__ __forceinline__ float
sigmoid_slope (float x, float c)
{
  float s = 1 / (1 + expf (-c * x));
  return s * (1 + c * x * (1 - s));
}

static __device__ __forceinline__ float
gelu_tanh_slope (float x)
{
  const float c = 0.79788456080286535588f; /* sqrt (2 / pi) */
  float t = tanhf (c * (x + 0.044715f * x * x * x));
  return 0.5f * (1 + t) + 0.5f * x * (1 - t * t) * c * (1 + 3 * 0.044715f * x * x);
}

/* Phi (x) + x phi (x). */
static __device__ __forceinline__ float
gelu_slope (float x)
{
  return 0.5f * (1 + erff (x * 0.70710678118654752440f)) +
         x * 0.39894228040143267794f * expf (-0.5f * x * x);
}

template <HlActivation KIND> struct Bend
{
  __device__ static __forceinline__ float
  at (float x)
  {
    switch (KIND)
      {
      case HL_ACTIVATION_GELU:
        return 0.5f * x * (1 + erff (x * 0.70710678118654752440f));
      case HL_ACTIVATION_GELU_TANH:
        return 0.5f * x *
               (1 + tanhf (0.79788456080286535588f * (x * (1 + 0.044715f * x * x))));
      case HL_ACTIVATION_QUICK_GELU:
        return x / (1 + expf (-1.702f * x));
      case HL_ACTIVATION_RELU:
        return x < 0 ? 0 : x; /* NaN stays NaN */
      case HL_ACTIVATION_SILU:
        return x / (1 + expf (-x));
      case HL_ACTIVATION_TANH:
        return tanhf (x);
      case HL_ACTIVATION_NONE:
        break;
      }
    return x;
  }

  __device__ static __forceinline__ float
  slope (float x)
  {
    switch (KIND)
      {
      case HL_ACTIVATION_GELU:
        return gelu_slope (x);
      case HL_ACTIVATION_GELU_TANH:
        return gelu_tanh_slope (x);
      case HL_ACTIVATION_QUICK_GELU:
        return sigmoid_slope (x, 1.702f);
      case HL_ACTIVATION_RELU:
        return x > 0 ? 1 : 0;
      case HL_ACTIVATION_SILU:
        return sigmoid_slope (x, 1);
      case HL_ACTIVATION_TANH:
        return 1 - tanhf (x) * tanhf (x);
      case HL_ACTIVATION_NONE:
        break;
      }
    return 1;
  }
};

/* ---- the walk ------------------------------------------------------------------------
 * A functor makes OUT numbers of IN ones; @n of each, contiguous. */

template <typename T, int IN, int OUT> struct Arrays
{
  const T *in[IN];
  T *out[OUT];
};

template <typename T, int IN, int OUT, typename Func>
static __global__ void
walk (Arrays<T, IN, OUT> a, gint64 n, gint64 n_packs, Func func)
{
  gint64 i = (gint64) blockIdx.x * THREADS + threadIdx.x;
  float x[IN], y[OUT];
  if (i < n_packs)
    {
      Pack<T> in[IN], out[OUT];
      for (int k = 0; k < IN; k++)
        in[k] = ((const Pack<T> *) a.in[k])[i];
      for (int j = 0; j < Pack<T>::N; j++)
        {
          for (int k = 0; k < IN; k++)
            x[k] = to_float (in[k].x[j]);
          func (x, y);
          for (int k = 0; k < OUT; k++)
            out[k].x[j] = from_float<T> (y[k]);
        }
      for (int k = 0; k < OUT; k++)
        ((Pack<T> *) a.out[k])[i] = out[k];
      return;
    }
  i += n_packs * (Pack<T>::N - 1); /* the rest, one by one */
  if (i >= n)
    return;
  for (int k = 0; k < IN; k++)
    x[k] = to_float (a.in[k][i]);
  func (x, y);
  for (int k = 0; k < OUT; k++)
    a.out[k][i] = from_float<T> (y[k]);
}

template <typename T, int IN, int OUT, typename Func>
static void
run_walk (CudaContext *context, const HlOpCall *call, Func func)
{
  Arrays<T, IN, OUT> a;
  gint64 n = hl_tensor_count (call->in[0]);
  bool is_packed = true;
  for (int k = 0; k < IN; k++)
    {
      a.in[k] = (const T *) call->in[k]->data;
      is_packed = is_packed && is_aligned (a.in[k]);
    }
  for (int k = 0; k < OUT; k++)
    {
      a.out[k] = (T *) call->out[k]->data;
      is_packed = is_packed && is_aligned (a.out[k]);
    }
  gint64 n_packs = is_packed ? n / Pack<T>::N : 0;
  gint64 n_threads = n_packs + (n - n_packs * Pack<T>::N);
  CUDA_LAUNCH ((walk<T, IN, OUT, Func>), dim3 (blocks_for (n_threads, THREADS)),
               dim3 (THREADS), 0, context->stream, a, n, n_packs, func);
}

/* ---- activations ---------------------------------------------------------------------
 */

template <HlActivation KIND> struct Activate
{
  __device__ __forceinline__ void
  operator() (const float *x, float *y) const
  {
    y[0] = Bend<KIND>::at (x[0]);
  }
};

template <HlActivation KIND> struct Slope
{
  __device__ __forceinline__ void
  operator() (const float *x, float *y) const
  {
    if (KIND == HL_ACTIVATION_RELU) /* where the slope is 0 dy is not looked at */
      y[0] = x[1] > 0 ? x[0] : 0;
    else
      y[0] = x[0] * Bend<KIND>::slope (x[1]);
  }
};

template <typename T, template <HlActivation> class Func, int IN>
static void
run_kind (CudaContext *context, const HlOpCall *call)
{
  switch (call->params.activation)
    {
    case HL_ACTIVATION_GELU:
      run_walk<T, IN, 1> (context, call, Func<HL_ACTIVATION_GELU> ());
      break;
    case HL_ACTIVATION_GELU_TANH:
      run_walk<T, IN, 1> (context, call, Func<HL_ACTIVATION_GELU_TANH> ());
      break;
    case HL_ACTIVATION_QUICK_GELU:
      run_walk<T, IN, 1> (context, call, Func<HL_ACTIVATION_QUICK_GELU> ());
      break;
    case HL_ACTIVATION_RELU:
      run_walk<T, IN, 1> (context, call, Func<HL_ACTIVATION_RELU> ());
      break;
    case HL_ACTIVATION_SILU:
      run_walk<T, IN, 1> (context, call, Func<HL_ACTIVATION_SILU> ());
      break;
    case HL_ACTIVATION_TANH:
      run_walk<T, IN, 1> (context, call, Func<HL_ACTIVATION_TANH> ());
      break;
    case HL_ACTIVATION_NONE:
      break;
    }
}

gboolean
cuda_op_activation (CudaContext *context, const HlOpCall *call, GError **error)
{
  CUDA_WITH_TYPE (context->dtype, (run_kind<T, Activate, 1> (context, call)));
  return TRUE;
}

gboolean
cuda_op_activation_grad (CudaContext *context, const HlOpCall *call, GError **error)
{
  CUDA_WITH_TYPE (context->dtype, (run_kind<T, Slope, 2> (context, call)));
  return TRUE;
}

/* ---- Adam ----------------------------------------------------------------------------
 */

struct Moments
{
  float b1, b2, c1, c2;

  __device__ __forceinline__ void
  operator() (const float *x, float *y) const
  {
    y[0] = b1 * x[0] + c1 * x[2];
    y[1] = b2 * x[1] + c2 * x[2] * x[2];
  }
};

gboolean
cuda_op_moments (CudaContext *context, const HlOpCall *call, GError **error)
{
  const HlOpParams *p = &call->params;
  Moments func = { (float) p->beta1, (float) p->beta2, (float) (1 - p->beta1),
                   (float) (1 - p->beta2) };
  CUDA_WITH_TYPE (context->dtype, (run_walk<T, 3, 2> (context, call, func)));
  return TRUE;
}

struct AdamStep
{
  float rate, unbias, eps;

  __device__ __forceinline__ void
  operator() (const float *x, float *y) const
  {
    y[0] = -rate * x[0] / (sqrtf (x[1] * unbias) + eps);
  }
};

gboolean
cuda_op_adam_step (CudaContext *context, const HlOpCall *call, GError **error)
{
  const HlOpParams *p = &call->params;
  double n = (double) p->n_steps;
  AdamStep func = { (float) (p->rate / (1 - pow (p->beta1, n))),
                    (float) (1 / (1 - pow (p->beta2, n))), (float) p->eps };
  CUDA_WITH_TYPE (context->dtype, (run_walk<T, 2, 1> (context, call, func)));
  return TRUE;
}

/* ---- casts ---------------------------------------------------------------------------
 */

template <typename From, typename To>
static __global__ void
cast (const From *x, To *y, gint64 n)
{
  gint64 i = (gint64) blockIdx.x * THREADS + threadIdx.x;
  if (i < n)
    y[i] = from_float<To> (to_float (x[i]));
}

template <typename From>
static void
cast_from (CudaContext *context, const From *x, HlDtype to, void *out, gint64 n)
{
  CUDA_WITH_TYPE (to, CUDA_LAUNCH ((cast<From, T>), dim3 (blocks_for (n, THREADS)),
                                   dim3 (THREADS), 0, context->stream, x, (T *) out, n));
}

void
cuda_cast (CudaContext *context,
           HlDtype from,
           gconstpointer source,
           HlDtype to,
           gpointer out,
           gint64 n)
{
  if (n == 0)
    return;
  if (from == HL_DTYPE_F64)
    cast_from (context, (const double *) source, to, out, n);
  else
    CUDA_WITH_TYPE (from, cast_from (context, (const T *) source, to, out, n));
}
