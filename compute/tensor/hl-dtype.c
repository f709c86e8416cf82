/* SPDX-License-Identifier: MIT
 * Number types, and exact conversion of half precision to float32. */
#include "tensor/hl-dtype.h"

#include "tensor/hl-half.h"

#include <string.h>

gsize
hl_dtype_size (HlDtype dtype)
{
  switch (dtype)
    {
    case HL_DTYPE_F64:
    case HL_DTYPE_I64:
      return 8;
    case HL_DTYPE_F32:
    case HL_DTYPE_I32:
      return 4;
    case HL_DTYPE_F16:
    case HL_DTYPE_BF16:
      return 2;
    case HL_DTYPE_U8:
      return 1;
    case HL_DTYPE_INVALID:
      break;
    }
  return 0;
}

const char *
hl_dtype_name (HlDtype dtype)
{
  switch (dtype)
    {
    case HL_DTYPE_F64:
      return "float64";
    case HL_DTYPE_F32:
      return "float32";
    case HL_DTYPE_F16:
      return "float16";
    case HL_DTYPE_BF16:
      return "bfloat16";
    case HL_DTYPE_I64:
      return "int64";
    case HL_DTYPE_I32:
      return "int32";
    case HL_DTYPE_U8:
      return "uint8";
    case HL_DTYPE_INVALID:
      break;
    }
  return "invalid";
}

gboolean
hl_dtype_is_float (HlDtype dtype)
{
  return dtype == HL_DTYPE_F64 || dtype == HL_DTYPE_F32 || dtype == HL_DTYPE_F16 ||
         dtype == HL_DTYPE_BF16;
}

static inline float
bf16_to_f32 (guint16 bits)
{
  guint32 wide = (guint32) bits << 16;
  float value;
  memcpy (&value, &wide, sizeof value);
  return value;
}

#define CONVERT(source_type, out_type, expression)                                       \
  for (gsize i = 0; i < n; i++)                                                          \
    {                                                                                    \
      source_type v;                                                                     \
      memcpy (&v, (const char *) source + i * sizeof v, sizeof v);                       \
      out[i] = (out_type) (expression);                                                  \
    }                                                                                    \
  break

#define CONVERT_ALL(out_type)                                                            \
  switch (from)                                                                          \
    {                                                                                    \
    case HL_DTYPE_F64:                                                                   \
      CONVERT (double, out_type, v);                                                     \
    case HL_DTYPE_F32:                                                                   \
      CONVERT (float, out_type, v);                                                      \
    case HL_DTYPE_F16:                                                                   \
      CONVERT (_Float16, out_type, v);                                                   \
    case HL_DTYPE_BF16:                                                                  \
      CONVERT (guint16, out_type, bf16_to_f32 (v));                                      \
    case HL_DTYPE_I64:                                                                   \
      CONVERT (gint64, out_type, v);                                                     \
    case HL_DTYPE_I32:                                                                   \
      CONVERT (gint32, out_type, v);                                                     \
    case HL_DTYPE_U8:                                                                    \
      CONVERT (guint8, out_type, v);                                                     \
    case HL_DTYPE_INVALID:                                                               \
      break;                                                                             \
    }

void
hl_dtype_to_f32 (HlDtype from, gconstpointer source, gsize n, float *out)
{
  if (from == HL_DTYPE_F16)
    hl_half_to_f32 (source, n, out);
  else
    CONVERT_ALL (float)
}

void
hl_dtype_to_f64 (HlDtype from, gconstpointer source, gsize n, double *out)
{
  CONVERT_ALL (double)
}

void
hl_dtype_convert (HlDtype from, gconstpointer source, gsize n, HlDtype to, gpointer out)
{
  if (from == to)
    memcpy (out, source, n * hl_dtype_size (to));
  else if (to == HL_DTYPE_F32)
    hl_dtype_to_f32 (from, source, n, out);
  else
    hl_dtype_to_f64 (from, source, n, out);
}

void
hl_dtype_f32_to_f16 (const float *source, gsize n, guint16 *out)
{
  hl_half_from_f32 (source, n, out);
}
