/* SPDX-License-Identifier: MIT
 * The CPU backend for tests, which counts what it handed out and what it ran. */
#pragma once

#include "backend/hl-backend.h"

G_BEGIN_DECLS

/**
 * CountingBackend:
 * @live_bytes: of outputs that somebody still holds; the last one is to go before this is
 *   freed
 * @peak_bytes: the most they were; may be set back
 * @n_ops: run
 */
typedef struct
{
  HlBackend parent;
  HlBackend *inner;
  gsize live_bytes;
  gsize peak_bytes;
  gint64 n_ops;
} CountingBackend;

/** counting_backend_new: (transfer full): free with hl_backend_unref(). */
CountingBackend *counting_backend_new (HlDtype dtype, int n_threads);

G_END_DECLS
