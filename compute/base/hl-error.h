/* SPDX-License-Identifier: MIT
 * The one error domain of the engine. Every message says what is wrong, in which object,
 * what was expected and what was found. Cancelling is G_IO_ERROR_CANCELLED. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define HL_ERROR (hl_error_quark ())

/**
 * HlErrorCode:
 * @HL_ERROR_FORMAT: a file's bytes break the rules of its format
 * @HL_ERROR_MISSING: something needed is not there (tensor, field, file, array)
 * @HL_ERROR_SHAPE: a shape other than the one expected
 * @HL_ERROR_DTYPE: a number type other than those expected
 * @HL_ERROR_RANGE: an index or a value outside its range
 * @HL_ERROR_UNSUPPORTED: well formed, but not something this program can do
 * @HL_ERROR_MEMORY: would not fit, or an allocation failed
 * @HL_ERROR_IO: the system refused to read or write
 * @HL_ERROR_DEVICE: a backend's device failed
 */
typedef enum
{
  HL_ERROR_INVALID,
  HL_ERROR_FORMAT,
  HL_ERROR_MISSING,
  HL_ERROR_SHAPE,
  HL_ERROR_DTYPE,
  HL_ERROR_RANGE,
  HL_ERROR_UNSUPPORTED,
  HL_ERROR_MEMORY,
  HL_ERROR_IO,
  HL_ERROR_DEVICE,
} HlErrorCode;

GQuark hl_error_quark (void);

G_END_DECLS
