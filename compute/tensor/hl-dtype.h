/* SPDX-License-Identifier: MIT
 * Number types, and exact conversion of half precision to float32. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  HL_DTYPE_INVALID,
  HL_DTYPE_F64,
  HL_DTYPE_F32,
  HL_DTYPE_F16,
  HL_DTYPE_BF16,
  HL_DTYPE_I64,
  HL_DTYPE_I32,
  HL_DTYPE_U8,
} HlDtype;

/** hl_dtype_size: bytes of one number; 0 for HL_DTYPE_INVALID. */
gsize hl_dtype_size (HlDtype dtype);

/** hl_dtype_name: "float32", "bfloat16", ... as numpy and PyTorch say it. */
const char *hl_dtype_name (HlDtype dtype);

/** hl_dtype_is_float: TRUE for the four floating types. */
gboolean hl_dtype_is_float (HlDtype dtype);

/**
 * hl_dtype_to_f32:
 * @from: any dtype; @source need not be aligned
 * Converts @n numbers to float32: exact for F16 and BF16, rounded to nearest for F64.
 */
void hl_dtype_to_f32 (HlDtype from, gconstpointer source, gsize n, float *out);

/** hl_dtype_to_f64: as hl_dtype_to_f32(), to double. */
void hl_dtype_to_f64 (HlDtype from, gconstpointer source, gsize n, double *out);

/**
 * hl_dtype_convert:
 * @to: @from itself, F32 or F64
 * hl_dtype_to_f32() or hl_dtype_to_f64(), or a plain copy where @to is @from.
 */
void
hl_dtype_convert (HlDtype from, gconstpointer source, gsize n, HlDtype to, gpointer out);

/**
 * hl_dtype_f32_to_f16:
 * Rounds to nearest even as IEEE says; the HDF5 library's own conversion does not
 * (release 1.10 halves values that round up to a power of two after a subnormal).
 */
void hl_dtype_f32_to_f16 (const float *source, gsize n, guint16 *out);

G_END_DECLS
