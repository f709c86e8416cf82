/* SPDX-License-Identifier: MIT
 * JSON files that a person gives, with limits and typed fields. */
#include "io/hl-json.h"

#include "base/hl-error.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

/* Characters of a value that an error quotes. */
#define DESCRIBE_MAX 40

char *
hl_json_describe (const json_t *value)
{
  if (value == NULL)
    return g_strdup ("nothing");
  if (json_is_object (value))
    return g_strdup ("an object");
  char *text = json_dumps (value, JSON_ENCODE_ANY | JSON_REAL_PRECISION (9));
  if (text == NULL)
    return g_strdup ("an unprintable value");
  g_autofree char *whole = g_strdup (text);
  free (text);
  if (g_utf8_strlen (whole, -1) <= DESCRIBE_MAX)
    return g_steal_pointer (&whole);
  g_autofree char *start = g_utf8_substring (whole, 0, DESCRIBE_MAX);
  return g_strconcat (start, "...", NULL);
}

/* Nesting is counted before the parser sees the text: a recursive parser meets a file of
 * open brackets with its stack otherwise. */
static gboolean
check_depth (const char *data, gsize size_bytes, const char *label, GError **error)
{
  int depth = 0;
  gboolean in_string = FALSE;
  for (gsize i = 0; i < size_bytes; i++)
    {
      char c = data[i];
      if (in_string && c == '\\')
        i++;
      else if (c == '"')
        in_string = !in_string;
      else if (!in_string && (c == '[' || c == '{'))
        depth++;
      else if (!in_string && (c == ']' || c == '}'))
        depth--;
      if (depth > HL_JSON_MAX_DEPTH)
        {
          g_set_error (
              error, HL_ERROR, HL_ERROR_FORMAT,
              "%s: at most %d levels of brackets expected, more found at byte %zu", label,
              HL_JSON_MAX_DEPTH, i);
          return FALSE;
        }
    }
  return TRUE;
}

static json_t *
load_bytes (const char *data,
            gsize size_bytes,
            const char *where,
            const char *what,
            size_t flags,
            GError **error)
{
  g_autofree char *label =
      what != NULL ? g_strdup_printf ("%s: %s", where, what) : g_strdup (where);
  if (!check_depth (data, size_bytes, label, error))
    return NULL;
  json_error_t problem;
  json_t *root = json_loadb (data, size_bytes, JSON_REJECT_DUPLICATES | flags, &problem);
  if (root == NULL)
    {
      g_autofree char *text = g_utf8_make_valid (problem.text, -1);
      g_set_error (error, HL_ERROR, HL_ERROR_FORMAT,
                   "%s: JSON expected, line %d column %d found: %s", label, problem.line,
                   problem.column, text);
      return NULL;
    }
  if (!json_is_object (root))
    {
      g_autofree char *found = hl_json_describe (root);
      g_set_error (error, HL_ERROR, HL_ERROR_FORMAT,
                   "%s: a JSON object expected, %s found", label, found);
      json_decref (root);
      return NULL;
    }
  return root;
}

json_t *
hl_json_load_bytes (const char *data,
                    gsize size_bytes,
                    const char *where,
                    const char *what,
                    GError **error)
{
  return load_bytes (data, size_bytes, where, what, 0, error);
}

json_t *
hl_json_load_bytes_real (const char *data,
                         gsize size_bytes,
                         const char *where,
                         const char *what,
                         GError **error)
{
  return load_bytes (data, size_bytes, where, what, JSON_DECODE_INT_AS_REAL, error);
}

static json_t *
load_file (const char *path, size_t flags, GError **error)
{
  g_autofree char *where = g_path_get_basename (path);
  GStatBuf info;
  if (g_stat (path, &info) != 0)
    {
      int code = errno;
      g_set_error (error, HL_ERROR, code == ENOENT ? HL_ERROR_MISSING : HL_ERROR_IO,
                   "%s: a file expected, %s", path, g_strerror (code));
      return NULL;
    }
  if (!S_ISREG (info.st_mode))
    {
      g_set_error (error, HL_ERROR, HL_ERROR_IO, "%s: a file expected, %s found", path,
                   S_ISDIR (info.st_mode) ? "a folder" : "a device or a pipe");
      return NULL;
    }
  if ((guint64) info.st_size > HL_JSON_MAX_BYTES)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_FORMAT,
                   "%s: at most %zu bytes of JSON expected, %" G_GINT64_FORMAT " found",
                   where, HL_JSON_MAX_BYTES, (gint64) info.st_size);
      return NULL;
    }
  g_autofree char *data = NULL;
  gsize size_bytes = 0;
  g_autoptr (GError) cause = NULL;
  if (!g_file_get_contents (path, &data, &size_bytes, &cause))
    {
      g_set_error (error, HL_ERROR, HL_ERROR_IO, "%s: cannot be read: %s", where,
                   cause->message);
      return NULL;
    }
  return load_bytes (data, size_bytes, where, NULL, flags, error);
}

json_t *
hl_json_load_file (const char *path, GError **error)
{
  return load_file (path, 0, error);
}

json_t *
hl_json_load_file_real (const char *path, GError **error)
{
  return load_file (path, JSON_DECODE_INT_AS_REAL, error);
}

/* Sets the one kind of message that all getters give; @value NULL means absent. */
static gboolean
refuse (const char *where,
        const char *field,
        const char *expected,
        const json_t *value,
        int code,
        GError **error)
{
  g_autofree char *found = hl_json_describe (value);
  g_set_error (error, HL_ERROR, value == NULL ? HL_ERROR_MISSING : code,
               "%s: field \"%s\": %s expected, %s found", where, field, expected, found);
  return FALSE;
}

/* Gives the field, or NULL where it is absent or null. */
static const json_t *
lookup (const json_t *object, const char *field)
{
  const json_t *value = json_object_get (object, field);
  return value != NULL && json_is_null (value) ? NULL : value;
}

/* 224 and 224.0 are both integers: writers in some languages know one number type. */
static gboolean
value_to_int (const json_t *value, gint64 *out)
{
  if (json_is_integer (value))
    {
      *out = json_integer_value (value);
      return TRUE;
    }
  if (!json_is_real (value))
    return FALSE;
  double real = json_real_value (value);
  if (real != floor (real) || fabs (real) > 9007199254740992.0) /* 2^53 */
    return FALSE;
  *out = (gint64) real;
  return TRUE;
}

gboolean
hl_json_get_int (const json_t *object,
                 const char *field,
                 gboolean required,
                 gint64 fallback,
                 gint64 min,
                 gint64 max,
                 const char *where,
                 gint64 *out,
                 GError **error)
{
  const json_t *value = lookup (object, field);
  if (value == NULL && !required)
    {
      *out = fallback;
      return TRUE;
    }
  gint64 number = 0;
  gboolean is_int = value_to_int (value, &number);
  if (is_int && number >= min && number <= max)
    {
      *out = number;
      return TRUE;
    }
  g_autofree char *expected = g_strdup_printf (
      "integer between %" G_GINT64_FORMAT " and %" G_GINT64_FORMAT, min, max);
  return refuse (where, field, expected, value, is_int ? HL_ERROR_RANGE : HL_ERROR_FORMAT,
                 error);
}

gboolean
hl_json_get_double (const json_t *object,
                    const char *field,
                    gboolean required,
                    double fallback,
                    double min,
                    double max,
                    const char *where,
                    double *out,
                    GError **error)
{
  const json_t *value = lookup (object, field);
  if (value == NULL && !required)
    {
      *out = fallback;
      return TRUE;
    }
  double number = json_number_value (value);
  if (json_is_number (value) && number >= min && number <= max)
    {
      *out = number;
      return TRUE;
    }
  char low[G_ASCII_DTOSTR_BUF_SIZE], high[G_ASCII_DTOSTR_BUF_SIZE];
  g_ascii_formatd (low, sizeof low, "%g", min);
  g_ascii_formatd (high, sizeof high, "%g", max);
  g_autofree char *expected = g_strdup_printf ("number between %s and %s", low, high);
  return refuse (where, field, expected, value,
                 json_is_number (value) ? HL_ERROR_RANGE : HL_ERROR_FORMAT, error);
}

gboolean
hl_json_get_bool (const json_t *object,
                  const char *field,
                  gboolean required,
                  gboolean fallback,
                  const char *where,
                  gboolean *out,
                  GError **error)
{
  const json_t *value = lookup (object, field);
  if (value == NULL && !required)
    *out = fallback;
  else if (json_is_boolean (value))
    *out = json_is_true (value);
  else
    return refuse (where, field, "true or false", value, HL_ERROR_FORMAT, error);
  return TRUE;
}

gboolean
hl_json_get_string (const json_t *object,
                    const char *field,
                    gboolean required,
                    const char *fallback,
                    const char *where,
                    const char **out,
                    GError **error)
{
  const json_t *value = lookup (object, field);
  if (value == NULL && !required)
    *out = fallback;
  else if (json_is_string (value))
    *out = json_string_value (value);
  else
    return refuse (where, field, "text in quotes", value, HL_ERROR_FORMAT, error);
  return TRUE;
}

/* Reads the two numbers out of any of the three ways to write them. */
static gboolean
value_to_pair (const json_t *value, gint64 pair[2])
{
  if (json_is_array (value))
    return json_array_size (value) == 2 &&
           value_to_int (json_array_get (value, 0), &pair[0]) &&
           value_to_int (json_array_get (value, 1), &pair[1]);
  if (json_is_object (value))
    return value_to_int (json_object_get (value, "height"), &pair[0]) &&
           value_to_int (json_object_get (value, "width"), &pair[1]);
  if (!value_to_int (value, &pair[0]))
    return FALSE;
  pair[1] = pair[0];
  return TRUE;
}

gboolean
hl_json_get_pair (const json_t *object,
                  const char *field,
                  gboolean required,
                  gint64 fallback,
                  gint64 min,
                  gint64 max,
                  const char *where,
                  gint64 out[2],
                  GError **error)
{
  const json_t *value = lookup (object, field);
  if (value == NULL && !required)
    {
      out[0] = out[1] = fallback;
      return TRUE;
    }
  gint64 pair[2];
  gboolean is_pair = value_to_pair (value, pair);
  if (is_pair && MIN (pair[0], pair[1]) >= min && MAX (pair[0], pair[1]) <= max)
    {
      memcpy (out, pair, sizeof pair);
      return TRUE;
    }
  g_autofree char *expected =
      g_strdup_printf ("integer between %" G_GINT64_FORMAT " and %" G_GINT64_FORMAT
                       ", or such a [height, width]",
                       min, max);
  return refuse (where, field, expected, value,
                 is_pair ? HL_ERROR_RANGE : HL_ERROR_FORMAT, error);
}

gboolean
hl_json_get_doubles (const json_t *object,
                     const char *field,
                     gboolean required,
                     int n_max,
                     const char *where,
                     double *out,
                     int *n_out,
                     GError **error)
{
  const json_t *value = lookup (object, field);
  if (value == NULL && !required)
    {
      *n_out = 0;
      return TRUE;
    }
  g_autofree char *expected =
      g_strdup_printf ("a number, or an array of 1 to %d numbers,", n_max);
  if (json_is_number (value) && n_max >= 1)
    {
      out[0] = json_number_value (value);
      *n_out = 1;
      return TRUE;
    }
  gsize n = json_array_size (value); /* 0 for anything that is no array */
  gboolean is_good = n >= 1 && n <= (gsize) n_max;
  for (gsize i = 0; is_good && i < n; i++)
    is_good = json_is_number (json_array_get (value, i));
  if (!is_good)
    return refuse (where, field, expected, value, HL_ERROR_FORMAT, error);
  for (gsize i = 0; i < n; i++)
    out[i] = json_number_value (json_array_get (value, i));
  *n_out = (int) n;
  return TRUE;
}
