/* SPDX-License-Identifier: MIT
 * Rows of half precision (IEEE binary16) to float32 and back: eight at a time where the
 * processor has instructions for it (F16C), one by one elsewhere; the same bits either
 * way. Any thread. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/** hl_half_to_f32: exact; @source need not be aligned. */
void hl_half_to_f32 (gconstpointer source, gsize n, float *out);

/** hl_half_from_f32: rounds to nearest, ties to even. */
void hl_half_from_f32 (const float *source, gsize n, guint16 *out);

G_END_DECLS
