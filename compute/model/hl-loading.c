/* SPDX-License-Identifier: MIT
 * A family's config and weights, read one after another. */
#include "model/hl-loading.h"

#include "base/hl-error.h"

void
hl_loading_init (HlLoading *loading, HlLoader *loader)
{
  *loading = (HlLoading){ .config = loader->config,
                          .where = "config.json",
                          .weights = loader->weights,
                          .prefix = "" };
}

gboolean
hl_loading_finish (HlLoading *loading, GError **error)
{
  if (loading->error == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&loading->error));
  return FALSE;
}

int
hl_loading_size (HlLoading *loading, const char *field, int max)
{
  gint64 value = 1;
  if (loading->error == NULL)
    hl_json_get_int (loading->config, field, TRUE, 0, 1, max, loading->where, &value,
                     &loading->error);
  return (int) value;
}

int
hl_loading_int (HlLoading *loading, const char *field, int fallback, int min, int max)
{
  gint64 value = fallback;
  if (loading->error == NULL)
    hl_json_get_int (loading->config, field, FALSE, fallback, min, max, loading->where,
                     &value, &loading->error);
  return (int) value;
}

double
hl_loading_double (
    HlLoading *loading, const char *field, double fallback, double min, double max)
{
  double value = fallback;
  if (loading->error == NULL)
    hl_json_get_double (loading->config, field, FALSE, fallback, min, max, loading->where,
                        &value, &loading->error);
  return value;
}

gboolean
hl_loading_bool (HlLoading *loading, const char *field, gboolean fallback)
{
  gboolean value = fallback;
  if (loading->error == NULL)
    hl_json_get_bool (loading->config, field, FALSE, fallback, loading->where, &value,
                      &loading->error);
  return value;
}

const char *
hl_loading_string (HlLoading *loading, const char *field, const char *fallback)
{
  const char *value = fallback;
  if (loading->error == NULL)
    hl_json_get_string (loading->config, field, FALSE, fallback, loading->where, &value,
                        &loading->error);
  return value;
}

HlActivation
hl_loading_activation (HlLoading *loading, const char *field, const char *fallback)
{
  HlActivation activation = HL_ACTIVATION_NONE;
  const char *name = hl_loading_string (loading, field, fallback);
  if (loading->error == NULL)
    hl_activation_require (name, field, &activation, &loading->error);
  return activation;
}

void
hl_loading_pair (HlLoading *loading, const char *field, int fallback, gint64 out[2])
{
  out[0] = out[1] = 1;
  if (loading->error == NULL)
    hl_json_get_pair (loading->config, field, fallback == 0, fallback, 1, 1 << 16,
                      loading->where, out, &loading->error);
}

void
hl_loading_enter (HlLoading *loading, const char *field)
{
  const json_t *inner = json_object_get (loading->config, field);
  if (json_is_object (inner))
    loading->config = inner;
  else
    hl_loading_refuse (loading, "field \"%s\": an object expected, %s found", field,
                       inner != NULL ? "something else" : "nothing");
}

void
hl_loading_divides (
    HlLoading *loading, const char *field, int whole, const char *of, int part)
{
  if (loading->error == NULL && (part < 1 || whole % part != 0))
    loading->error = g_error_new (HL_ERROR, HL_ERROR_RANGE,
                                  "%s: field \"%s\": a multiple of %s (%d) expected, %d "
                                  "found",
                                  loading->where, field, of, part, whole);
}

void
hl_loading_refuse (HlLoading *loading, const char *format, ...)
{
  va_list args;
  if (loading->error != NULL)
    return;
  va_start (args, format);
  g_autofree char *words = g_strdup_vprintf (format, args);
  va_end (args);
  loading->error =
      g_error_new (HL_ERROR, HL_ERROR_UNSUPPORTED, "%s: %s", loading->where, words);
}

const char *
hl_loading_architecture (const HlLoading *loading)
{
  const json_t *names = json_object_get (loading->config, "architectures");
  return json_string_value (json_array_get (names, 0));
}

gboolean
hl_loading_has (const HlLoading *loading, const char *name)
{
  g_autofree char *full = g_strconcat (loading->prefix, name, NULL);
  return hl_weights_has (loading->weights, full);
}

const char *
hl_loading_find_prefix (const HlLoading *loading,
                        const char *const *prefixes,
                        const char *name)
{
  const char *found = "";
  for (int i = 0; prefixes[i] != NULL; i++)
    {
      g_autofree char *full = g_strconcat (prefixes[i], name, NULL);
      found = prefixes[i];
      if (hl_weights_has (loading->weights, full))
        break;
    }
  return found;
}

HlParam *
hl_loading_param (HlLoading *loading, HlShape shape, const char *name)
{
  g_autofree char *full = g_strconcat (loading->prefix, name, NULL);
  return loading->error == NULL
             ? hl_weights_require (loading->weights, full, shape, &loading->error)
             : NULL;
}

HlParam *
hl_loading_rows (
    HlLoading *loading, HlShape whole, gint64 first, gint64 n, const char *name)
{
  g_autofree char *full = g_strconcat (loading->prefix, name, NULL);
  return loading->error == NULL ? hl_weights_require_rows (loading->weights, full, whole,
                                                           first, n, &loading->error)
                                : NULL;
}

void
hl_loading_dense (HlLoading *loading,
                  HlDense *dense,
                  gint64 F,
                  gint64 D,
                  gboolean has_bias,
                  const char *name)
{
  if (name == NULL || loading->error != NULL)
    return;
  g_autofree char *full = g_strconcat (loading->prefix, name, NULL);
  hl_dense_load (dense, loading->weights, full, F, D, has_bias, &loading->error);
}

void
hl_loading_norm (HlLoading *loading, HlNorm *norm, gint64 D, double eps, const char *name)
{
  if (name == NULL || loading->error != NULL)
    return;
  g_autofree char *full = g_strconcat (loading->prefix, name, NULL);
  hl_norm_load (norm, loading->weights, full, D, eps, &loading->error);
}
