/* SPDX-License-Identifier: MIT
 * The CUDA backend on the GPU that is here: every op against the CPU, and whole models.
 * Skipped, with the reason, where there is none. */
#include "../golden/device-suite.h"
#include "../ops/conformance.h"
#include "backend/hl-backend-list.h"

#include <stdio.h>

static HlBackend *
open_cuda (HlDtype dtype, GError **error)
{
  const HlBackendChoice choice = { .id = "cuda", .precision = hl_dtype_name (dtype) };
  return hl_backend_open (&choice, error);
}

int
main (int argc, char **argv)
{
  const HlDtype dtypes[] = { HL_DTYPE_F32, HL_DTYPE_BF16, HL_DTYPE_F16 };
  g_autoptr (GError) error = NULL;
  g_autoptr (HlBackend) backend = open_cuda (HL_DTYPE_F32, &error);
  if (backend == NULL)
    {
      printf ("1..0 # SKIP %s\n", error->message);
      return 0;
    }
  g_test_init (&argc, &argv, NULL);
  conformance_add ("cuda", open_cuda, dtypes, G_N_ELEMENTS (dtypes));
  device_suite_add ("cuda", open_cuda);
  return g_test_run ();
}
