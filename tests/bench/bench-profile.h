/* SPDX-License-Identifier: MIT
 * A backend around a backend, which adds up what each op takes. */
#pragma once

#include "backend/hl-backend.h"

G_BEGIN_DECLS

/** bench_profile_backend_new: (transfer full): runs everything on @inner. */
HlBackend *bench_profile_backend_new (HlBackend *inner);

/** BenchProfile: sums since the backend was made. */
typedef struct
{
  int n_calls[HL_N_OPS];
  double ms[HL_N_OPS];
  double flops[HL_N_OPS];
  double bytes[HL_N_OPS];
  double alloc_ms;
} BenchProfile;

const BenchProfile *bench_profile_backend_get (HlBackend *backend);

G_END_DECLS
