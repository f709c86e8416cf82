/* SPDX-License-Identifier: MIT
 * What headlight-cuda.so shows to the program. */
#include "config.h"

#include "backend/cuda/hl-cuda.h"

#include <gmodule.h>

static HlBackend *
module_open (HlDtype dtype, GError **error)
{
  /* For the sanitizers of a device: see cuda_memory_new(). */
  return hl_cuda_open (dtype, 0, g_getenv ("HEADLIGHT_CUDA_EXACT") != NULL, error);
}

static const HlCudaModule module = {
  .version = HL_VERSION,
  .layout = HL_CUDA_LAYOUT,
  .describe = hl_cuda_describe,
  .open = module_open,
};

G_MODULE_EXPORT const HlCudaModule *hl_cuda_module_get (void);

const HlCudaModule *
hl_cuda_module_get (void)
{
  return &module;
}
