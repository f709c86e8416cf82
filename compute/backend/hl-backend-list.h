/* SPDX-License-Identifier: MIT
 * Which backends there are, and why one is not used. */
#pragma once

#include "backend/hl-backend.h"

G_BEGIN_DECLS

/**
 * HlBackendStatus: one line of `headlight info --backends`.
 * @id: "cpu", "cuda"
 * @is_available: FALSE when it cannot be used here
 * @is_automatic: it is the one that is chosen where nobody says which
 * @text: what it is, or in one line why it is not used
 * @unproven: (nullable): names of the ops whose kernels have never run on such a device,
 *   NULL-terminated; NULL where all have
 */
typedef struct
{
  const char *id;
  gboolean is_available;
  gboolean is_automatic;
  char *text;
  char **unproven;
} HlBackendStatus;

/** hl_backend_list: (transfer full) (element-type HlBackendStatus): every backend this
 * program knows of, whether usable or not. Opens each for a moment. Thread: any, but not
 * the one that may not wait. */
GPtrArray *hl_backend_list (void);

/** HlBackendChoice: @id: (nullable): "cpu", "cuda", NULL or "auto" for the best that is
 * proven here. @precision: (nullable): "f32" (also where NULL), "bf16", "f16". Borrowed.
 * @gives_in: the CPU in float32 where it cannot be used */
typedef struct
{
  const char *id;
  const char *precision;
  gboolean gives_in;
} HlBackendChoice;

/**
 * hl_backend_open:
 * @choice: (nullable): NULL for the best in float32
 * Returns: (transfer full): NULL with @error (HL_ERROR_UNSUPPORTED: with the reason)
 */
HlBackend *hl_backend_open (const HlBackendChoice *choice, GError **error);

G_END_DECLS
