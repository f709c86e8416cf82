/* SPDX-License-Identifier: MIT
 * One suite for every backend: each op of the table on random odd shapes against the CPU
 * in double, on the same numbers. */
#pragma once

#include "backend/hl-backend.h"

/**
 * ConformanceOpen: a backend that computes in @dtype.
 * Returns: (transfer full): NULL with @error where there is none, and the cases are
 *   skipped
 */
typedef HlBackend *(*ConformanceOpen) (HlDtype dtype, GError **error);

/** conformance_add: adds the cases of one backend: "/conformance/@name/float32/add". */
void
conformance_add (const char *name, ConformanceOpen open, const HlDtype *dtypes, int n);

/** conformance_check: runs @call, whose inputs are float64 on the host, on @backend and
 * in double, and compares what comes out. */
void conformance_check (HlBackend *backend, const HlOpCall *call);
