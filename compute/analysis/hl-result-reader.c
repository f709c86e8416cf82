/* SPDX-License-Identifier: MIT
 * Reads a result of a session as an analysis needs it. */
#include "analysis/hl-result-reader.h"

#include "base/hl-error.h"

#include <math.h>
#include <string.h>

void
hl_result_reader_init (HlResultReader *r, const HlSessionResult *result)
{
  *r = (HlResultReader){ .result = result };
  r->params = hl_json_load_bytes (result->params_json, strlen (result->params_json),
                                  "parameters", NULL, NULL);
}

gboolean
hl_result_reader_end (HlResultReader *r, GError **error)
{
  json_decref (r->params);
  if (r->error == NULL)
    return TRUE;
  g_propagate_error (error, r->error);
  return FALSE;
}

void
hl_result_reader_complain (HlResultReader *r, const char *name, const char *expected)
{
  if (r->error == NULL)
    r->error = g_error_new (HL_ERROR, HL_ERROR_FORMAT, "%s: %s: %s expected",
                            r->result->id, name, expected);
}

const HlTensor *
hl_result_reader_get (HlResultReader *r,
                      const char *name,
                      HlDtype dtype,
                      int n_dims,
                      gint64 first,
                      gint64 second)
{
  const HlSessionArray *array = hl_session_result_get_array (r->result, name);
  const HlTensor *t = array != NULL ? array->tensor : NULL;
  if (t != NULL && t->dtype == dtype && t->shape.n_dims == n_dims &&
      hl_tensor_is_contiguous (t) && (first < 0 || t->shape.dim[0] == first) &&
      (second < 0 || n_dims < 2 || t->shape.dim[1] == second))
    return t;
  hl_result_reader_complain (r, name, "an array that fits the others");
  return NULL;
}

GArray *
hl_result_reader_take (HlResultReader *r,
                       const char *name,
                       HlDtype dtype,
                       int n_dims,
                       gint64 first,
                       gint64 second)
{
  const HlTensor *t = r->error == NULL
                          ? hl_result_reader_get (r, name, dtype, n_dims, first, second)
                          : NULL;
  GArray *array = g_array_new (FALSE, FALSE, (guint) hl_dtype_size (dtype));
  if (t != NULL)
    g_array_append_vals (array, t->data, (guint) hl_tensor_count (t));
  return array;
}

void
hl_result_reader_check_finite (HlResultReader *r, const char *name, const GArray *floats)
{
  for (guint i = 0; i < floats->len && r->error == NULL; i++)
    if (!isfinite (g_array_index (floats, float, i)))
      hl_result_reader_complain (r, name, "finite numbers");
}

/* What is not said fits. */
static gboolean
is_same (const json_t *origin, const char *name, const char *wanted)
{
  const char *found = json_string_value (json_object_get (origin, name));
  return found == NULL || found[0] == '\0' || g_strcmp0 (found, wanted) == 0;
}

gboolean
hl_result_is_of (const HlSessionResult *result, const char *input, const char *model)
{
  const char *text = result->provenance_json;
  g_autoptr (json_t) origin =
      hl_json_load_bytes (text, strlen (text), "provenance", NULL, NULL);
  return is_same (origin, "input_hash", input) &&
         is_same (origin, "model_identity", model);
}

gboolean
hl_result_is_of_trace (const HlSessionResult *result, const HlTrace *trace)
{
  return hl_result_is_of (result, trace->input_hash, trace->model->identity);
}

gint64
hl_result_get_int (const json_t *params, const char *name, gint64 most)
{
  const json_t *value = json_object_get (params, name);
  gint64 found = json_is_integer (value) ? json_integer_value (value) : -1;
  return found >= 0 && found <= most ? found : -1;
}

double
hl_result_get_real (const json_t *params, const char *name)
{
  const json_t *value = json_object_get (params, name);
  return json_is_number (value) ? json_number_value (value) : (double) NAN;
}

const char *
hl_result_get_string (const json_t *params, const char *name)
{
  const char *text = json_string_value (json_object_get (params, name));
  return text != NULL ? text : "";
}

json_t *
hl_result_real (double x)
{
  return isfinite (x) ? json_real (x) : json_null ();
}

json_t *
hl_result_reals (const double *x, int n)
{
  json_t *list = json_array ();
  for (int i = 0; i < n; i++)
    json_array_append_new (list, hl_result_real (x[i]));
  return list;
}

json_t *
hl_result_strings (const GPtrArray *strings)
{
  json_t *list = json_array ();
  for (guint i = 0; i < strings->len; i++)
    json_array_append_new (list, json_string (g_ptr_array_index (strings, i)));
  return list;
}

void
hl_result_add_array (HlSessionResult *result,
                     const char *name,
                     HlDtype dtype,
                     HlShape shape,
                     gconstpointer data,
                     const char *axis,
                     const char *second)
{
  const char *const axes[] = { axis, second, NULL };
  g_autoptr (HlTensor) t = hl_tensor_new_copy (dtype, shape, data);
  hl_session_result_add_array (result, name, t, axes, "");
}
