/* SPDX-License-Identifier: MIT
 * Whether the compiler that was found can compile for the GPUs that are asked for: one
 * that is too old, or does not get on with the C++ compiler, leaves the module out. */
#include <cuda_bf16.h>
#include <cuda_fp16.h>

struct Pair
{
  float x, y;
};

__global__ void
add (const __grid_constant__ Pair pair, float *out, __nv_bfloat16 *half)
{
  *out = pair.x + pair.y;
  *half = __float2bfloat16_rn (*out);
}
