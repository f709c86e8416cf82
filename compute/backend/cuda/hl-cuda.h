/* SPDX-License-Identifier: MIT
 * The CUDA backend, a module that is opened at run time: a machine without a driver, or
 * without cuBLAS, is an ordinary machine. */
#pragma once

#include "backend/hl-backend.h"

G_BEGIN_DECLS

/**
 * HlCudaModule: what the module gives.
 * @version: of the program that it belongs to
 * @layout: a checksum of the structures that both sides see
 */
typedef struct
{
  const char *version;
  guint64 layout;

  /* (transfer full): the device in words; NULL with @error: why there is none. */
  char *(*describe) (GError **error);

  /* (transfer full): @dtype: F32, F16 or BF16. NULL with @error (UNSUPPORTED, DEVICE). */
  HlBackend *(*open) (HlDtype dtype, GError **error);
} HlCudaModule;

#define HL_CUDA_MODULE_SYMBOL "hl_cuda_module_get"
typedef const HlCudaModule *(*HlCudaModuleGet) (void);

/** HL_CUDA_LAYOUT: of the structures that cross from the program to the module. */
#define HL_CUDA_LAYOUT                                                                   \
  ((guint64) sizeof (HlTensor) << 48 | (guint64) sizeof (HlOpCall) << 32 |               \
   (guint64) sizeof (HlBackendClass) << 16 | (guint64) sizeof (HlDeviceClass) << 8 |     \
   (guint64) HL_N_OPS)

/**
 * hl_cuda_open: what the module's open does, for tests.
 * @budget_bytes: device memory to take at most; 0 for nine tenths of what is free
 * @is_exact: see cuda_memory_new()
 */
HlBackend *
hl_cuda_open (HlDtype dtype, gsize budget_bytes, gboolean is_exact, GError **error);

/** hl_cuda_describe: what the module's describe does. */
char *hl_cuda_describe (GError **error);

G_END_DECLS
