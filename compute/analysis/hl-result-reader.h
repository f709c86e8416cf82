/* SPDX-License-Identifier: MIT
 * Reads a result of a session as an analysis needs it: arrays of the right type and size,
 * parameters within bounds. The first thing that is wrong sticks, so that a reader reads
 * straight through. Thread: any. */
#pragma once

#include "io/hl-json.h"
#include "session/hl-session.h"

G_BEGIN_DECLS

/**
 * HlResultReader:
 * @result: borrowed
 * @params: its parameters; NULL where they are no JSON
 * @error: (nullable): owned until taken
 */
typedef struct
{
  const HlSessionResult *result;
  json_t *params;
  GError *error;
} HlResultReader;

void hl_result_reader_init (HlResultReader *reader, const HlSessionResult *result);

/** hl_result_reader_end: moves the error on; FALSE where there is one. */
gboolean hl_result_reader_end (HlResultReader *reader, GError **error);

/** hl_result_reader_complain: @name is not as @expected. */
void hl_result_reader_complain (HlResultReader *reader,
                                const char *name,
                                const char *expected);

/** hl_result_reader_get: (transfer none) (nullable): an array of this type and these
 * sizes; -1 for any. */
const HlTensor *hl_result_reader_get (HlResultReader *reader,
                                      const char *name,
                                      HlDtype dtype,
                                      int n_dims,
                                      gint64 first,
                                      gint64 second);

/** hl_result_reader_take: (transfer full): its numbers; empty where it is wrong. */
GArray *hl_result_reader_take (HlResultReader *reader,
                               const char *name,
                               HlDtype dtype,
                               int n_dims,
                               gint64 first,
                               gint64 second);

/** hl_result_reader_check_finite: complains where one of these floats is not. */
void hl_result_reader_check_finite (HlResultReader *reader,
                                    const char *name,
                                    const GArray *floats);

/** hl_result_is_of: of this input (its hash) and model (its identity), as far as its
 * provenance says. hl_result_is_of_trace: of those of the trace. */
gboolean
hl_result_is_of (const HlSessionResult *result, const char *input, const char *model);
gboolean hl_result_is_of_trace (const HlSessionResult *result, const HlTrace *trace);

/** hl_result_get_int: 0 to @most, or -1. */
gint64 hl_result_get_int (const json_t *params, const char *name, gint64 most);

/** hl_result_get_real: NaN where there is none. */
double hl_result_get_real (const json_t *params, const char *name);

/** hl_result_get_string: (transfer none): "" where there is none. */
const char *hl_result_get_string (const json_t *params, const char *name);

/** hl_result_real: (transfer full): null for what is not finite. */
json_t *hl_result_real (double x);

/** hl_result_reals: (transfer full): a list of @n of them. */
json_t *hl_result_reals (const double *x, int n);

/** hl_result_strings: (transfer full): a list of (element-type char *). */
json_t *hl_result_strings (const GPtrArray *strings);

/** hl_result_add_array: copies @data as an array with one or two named axes. */
void hl_result_add_array (HlSessionResult *result,
                          const char *name,
                          HlDtype dtype,
                          HlShape shape,
                          gconstpointer data,
                          const char *axis,
                          const char *second);

G_END_DECLS
