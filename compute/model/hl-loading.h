/* SPDX-License-Identifier: MIT
 * A family's config and weights, read one after another: the first failure sticks, and
 * from then on every call returns a harmless value at once, so that a family's file reads
 * straight through and asks once, at its end, whether all went well. */
#pragma once

#include "model/hl-family.h"

G_BEGIN_DECLS

/** HL_LOADING_MAX_WIDTH, _MAX_HEADS, _MAX_LAYERS: sizes above are no model. */
#define HL_LOADING_MAX_WIDTH (1 << 17)
#define HL_LOADING_MAX_HEADS (1 << 16)
#define HL_LOADING_MAX_LAYERS 4096

/**
 * HlLoading:
 * @config: what is read from: config.json, or an object in it
 * @where: what errors call it
 * @prefix: before every name of a weight; borrowed
 * @error: the failure that stuck
 */
typedef struct
{
  const json_t *config;
  const char *where;
  HlWeights *weights;
  const char *prefix;
  GError *error;
} HlLoading;

void hl_loading_init (HlLoading *loading, HlLoader *loader);

/** hl_loading_finish: whether all went well; else what did not is in @error. */
gboolean hl_loading_finish (HlLoading *loading, GError **error);

/** hl_loading_size: a field that has to be there, 1 to @max; 1 after a failure. */
int hl_loading_size (HlLoading *loading, const char *field, int max);

/** hl_loading_int: @fallback where the field is absent or null. */
int
hl_loading_int (HlLoading *loading, const char *field, int fallback, int min, int max);
double hl_loading_double (
    HlLoading *loading, const char *field, double fallback, double min, double max);
gboolean hl_loading_bool (HlLoading *loading, const char *field, gboolean fallback);

/** hl_loading_string: (transfer none): lives as long as the config. */
const char *
hl_loading_string (HlLoading *loading, const char *field, const char *fallback);
HlActivation
hl_loading_activation (HlLoading *loading, const char *field, const char *fallback);

/** hl_loading_pair: as hl_json_get_pair(); with a @fallback of 0 the field has to be
 * there.
 */
void hl_loading_pair (HlLoading *loading, const char *field, int fallback, gint64 out[2]);

/** hl_loading_enter: goes on with the object in @field, which has to be there. */
void hl_loading_enter (HlLoading *loading, const char *field);

/** hl_loading_divides: refuses a @whole that is no multiple of @part. */
void hl_loading_divides (
    HlLoading *loading, const char *field, int whole, const char *of, int part);

/** hl_loading_refuse: what the config says and the program cannot do; printf-like, after
 * the name of the file: "field \"...\": ... expected, ... found". */
void hl_loading_refuse (HlLoading *loading, const char *format, ...) G_GNUC_PRINTF (2, 3);

/** hl_loading_architecture: (transfer none) (nullable): the first of "architectures". */
const char *hl_loading_architecture (const HlLoading *loading);

/** hl_loading_has: whether there is a weight @prefix + @name. */
gboolean hl_loading_has (const HlLoading *loading, const char *name);

/** hl_loading_find_prefix: the first of @prefixes (NULL-terminated) below which there is
 * a weight @name; the last one where there is none. */
const char *hl_loading_find_prefix (const HlLoading *loading,
                                    const char *const *prefixes,
                                    const char *name);

/** hl_loading_param: as hl_weights_require(), of @prefix + @name; NULL after a failure.
 */
HlParam *hl_loading_param (HlLoading *loading, HlShape shape, const char *name);

/** hl_loading_rows: as hl_weights_require_rows(), of @prefix + @name. */
HlParam *hl_loading_rows (
    HlLoading *loading, HlShape whole, gint64 first, gint64 n, const char *name);

/** hl_loading_dense: as hl_dense_load(); nothing where @name is NULL. */
void hl_loading_dense (HlLoading *loading,
                       HlDense *dense,
                       gint64 F,
                       gint64 D,
                       gboolean has_bias,
                       const char *name);

/** hl_loading_norm: as hl_norm_load(); nothing where @name is NULL. */
void hl_loading_norm (
    HlLoading *loading, HlNorm *norm, gint64 D, double eps, const char *name);

G_END_DECLS
