/* SPDX-License-Identifier: MIT
 * The CUDA backend on the emulated device: every kernel against the CPU. */
#include "backend/cuda/hl-cuda.h"
#include "conformance.h"

static HlBackend *
open_emulated (HlDtype dtype, GError **error)
{
  return hl_cuda_open (dtype, 0, TRUE, error);
}

int
main (int argc, char **argv)
{
  const HlDtype dtypes[] = { HL_DTYPE_F32, HL_DTYPE_BF16, HL_DTYPE_F16 };
  g_test_init (&argc, &argv, NULL);
  conformance_add ("emulated-cuda", open_emulated, dtypes, G_N_ELEMENTS (dtypes));
  return g_test_run ();
}
