/* SPDX-License-Identifier: MIT
 * JSON files that a person gives: read with limits on size and nesting, and typed fields
 * whose errors say what was expected and what was found. */
#pragma once

#include <glib.h>
#include <jansson.h>

G_BEGIN_DECLS

/** HL_JSON_MAX_BYTES: the longest configuration file that is read. */
#define HL_JSON_MAX_BYTES ((gsize) 64 << 20)

/** HL_JSON_MAX_DEPTH: brackets within brackets. */
#define HL_JSON_MAX_DEPTH 64

/**
 * hl_json_load_file:
 * @path: in the file system's encoding
 * Returns: (transfer full): an object (json_decref() it); NULL with @error: MISSING no
 *   such file, IO, FORMAT too long, too deep, not JSON (file, line, column), a key twice,
 *   or not an object
 */
json_t *hl_json_load_file (const char *path, GError **error);

/**
 * hl_json_load_bytes:
 * @where: what errors call the text: a file's base name
 * @what: added to @where in errors, "header"; may be NULL
 * As hl_json_load_file(), from memory; @data needs no terminating zero.
 */
json_t *hl_json_load_bytes (const char *data,
                            gsize size_bytes,
                            const char *where,
                            const char *what,
                            GError **error);

/**
 * hl_json_load_file_real, hl_json_load_bytes_real:
 * As the two above, for files in which some write 10^30 for "no limit": every number is
 * read as a real one, and integers are exact up to 2^53.
 */
json_t *hl_json_load_file_real (const char *path, GError **error);
json_t *hl_json_load_bytes_real (const char *data,
                                 gsize size_bytes,
                                 const char *where,
                                 const char *what,
                                 GError **error);

/** hl_json_describe: (transfer full): a value in a few characters, for an error's
 * "found": "\"abc\"", "[1, 2]", "an object", "nothing" for NULL. */
char *hl_json_describe (const json_t *value);

/**
 * hl_json_get_int:
 * @object: a JSON object, borrowed
 * @required: when FALSE, an absent or null field gives @fallback
 * @min, @max: both allowed; 1.0 counts as an integer
 * @where: what errors call the file, "config.json"
 * @out: untouched on failure
 * Returns: FALSE with @error: MISSING, RANGE, FORMAT (another type). The message reads
 *   config.json: field "hidden_size": integer between 1 and 1048576 expected, "abc" found
 */
gboolean hl_json_get_int (const json_t *object,
                          const char *field,
                          gboolean required,
                          gint64 fallback,
                          gint64 min,
                          gint64 max,
                          const char *where,
                          gint64 *out,
                          GError **error);

/** hl_json_get_double: as hl_json_get_int(), for any finite number. */
gboolean hl_json_get_double (const json_t *object,
                             const char *field,
                             gboolean required,
                             double fallback,
                             double min,
                             double max,
                             const char *where,
                             double *out,
                             GError **error);

/** hl_json_get_bool: as hl_json_get_int(), for true and false. */
gboolean hl_json_get_bool (const json_t *object,
                           const char *field,
                           gboolean required,
                           gboolean fallback,
                           const char *where,
                           gboolean *out,
                           GError **error);

/**
 * hl_json_get_string:
 * @fallback: (nullable)
 * @out: (transfer none): @fallback, or a string that lives as long as @object
 */
gboolean hl_json_get_string (const json_t *object,
                             const char *field,
                             gboolean required,
                             const char *fallback,
                             const char *where,
                             const char **out,
                             GError **error);

/**
 * hl_json_get_pair:
 * @out: height and width, from 224, [224, 160] (height first) or
 *   {"height": 224, "width": 160}
 * @fallback: both, when the field is absent or null and not @required
 */
gboolean hl_json_get_pair (const json_t *object,
                           const char *field,
                           gboolean required,
                           gint64 fallback,
                           gint64 min,
                           gint64 max,
                           const char *where,
                           gint64 out[2],
                           GError **error);

/**
 * hl_json_get_doubles:
 * @n_max: room in @out
 * @n_out: how many were there; 0 for an absent field that is not @required. A single
 *   number counts as an array of one.
 */
gboolean hl_json_get_doubles (const json_t *object,
                              const char *field,
                              gboolean required,
                              int n_max,
                              const char *where,
                              double *out,
                              int *n_out,
                              GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (json_t, json_decref)

G_END_DECLS
