/* SPDX-License-Identifier: MIT
 * The session: the document in memory. */
#include "session/hl-session-private.h"

const char *const hl_session_root_links[] = { "models", "traces", "results",
                                              "notes",  "view",   NULL };
const char *const hl_session_root_attrs[] = { "headlight_schema", "headlight_version",
                                              "created", "model_name", NULL };
const char *const hl_session_kind_names[3] = { "none", "self", "cross" };

static void
array_free (gpointer data)
{
  HlSessionArray *array = data;
  g_free (array->name);
  hl_tensor_unref (array->tensor);
  g_strfreev (array->axes);
  g_free (array->unit);
  g_free (array);
}

HlSessionResult *
hl_session_result_new (const char *id,
                       const char *params_json,
                       const char *provenance_json)
{
  HlSessionResult *result = g_new0 (HlSessionResult, 1);
  g_atomic_ref_count_init (&result->refs);
  result->id = g_strdup (id);
  result->params_json = g_strdup (params_json);
  result->provenance_json = g_strdup (provenance_json);
  result->precision = g_strdup ("float32");
  result->arrays = g_ptr_array_new_with_free_func (array_free);
  return result;
}

HlSessionResult *
hl_session_result_ref (HlSessionResult *result)
{
  g_atomic_ref_count_inc (&result->refs);
  return result;
}

void
hl_session_result_unref (HlSessionResult *result)
{
  if (result == NULL || !g_atomic_ref_count_dec (&result->refs))
    return;
  g_free (result->id);
  g_free (result->params_json);
  g_free (result->provenance_json);
  g_free (result->precision);
  g_ptr_array_unref (result->arrays);
  g_free (result);
}

void
hl_session_result_add_array (HlSessionResult *result,
                             const char *name,
                             HlTensor *tensor,
                             const char *const *axes,
                             const char *unit)
{
  HlSessionArray *array = g_new0 (HlSessionArray, 1);
  array->name = g_strdup (name);
  array->tensor = hl_tensor_ref (tensor);
  array->axes = g_strdupv ((char **) axes);
  array->unit = g_strdup (unit != NULL ? unit : "");
  g_ptr_array_add (result->arrays, array);
}

const HlSessionArray *
hl_session_result_get_array (const HlSessionResult *result, const char *name)
{
  for (guint i = 0; i < result->arrays->len; i++)
    {
      const HlSessionArray *array = g_ptr_array_index (result->arrays, i);
      if (g_str_equal (array->name, name))
        return array;
    }
  return NULL;
}

static void
model_free (gpointer data)
{
  HlSessionModel *entry = data;
  hl_model_info_unref (entry->info);
  g_free (entry);
}

static void
trace_free (gpointer data)
{
  HlSessionTrace *entry = data;
  hl_trace_unref (entry->trace);
  g_clear_pointer (&entry->precision, g_hash_table_unref);
  g_free (entry);
}

static void
entry_free (gpointer data)
{
  HlSessionEntry *entry = data;
  hl_session_result_unref (entry->result);
  g_free (entry);
}

HlSession *
hl_session_new (void)
{
  HlSession *session = g_new0 (HlSession, 1);
  g_atomic_ref_count_init (&session->refs);
  session->notes = g_strdup ("");
  session->models = g_ptr_array_new_with_free_func (model_free);
  session->traces = g_ptr_array_new_with_free_func (trace_free);
  session->results = g_ptr_array_new_with_free_func (entry_free);
  session->view = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                         (GDestroyNotify) g_variant_unref);
  return session;
}

HlSession *
hl_session_ref (HlSession *session)
{
  g_atomic_ref_count_inc (&session->refs);
  return session;
}

void
hl_session_unref (HlSession *session)
{
  if (session == NULL || !g_atomic_ref_count_dec (&session->refs))
    return;
  g_free (session->path);
  g_free (session->notes);
  g_free (session->created);
  g_ptr_array_unref (session->models);
  g_ptr_array_unref (session->traces);
  g_ptr_array_unref (session->results);
  g_hash_table_unref (session->view);
  g_clear_pointer (&session->stash, g_bytes_unref);
  g_free (session);
}

HlSession *
hl_session_copy (const HlSession *session)
{
  HlSession *copy = hl_session_new ();
  GHashTableIter iter;
  gpointer key, value;
  copy->path = g_strdup (session->path);
  copy->created = g_strdup (session->created);
  hl_session_set_notes (copy, session->notes);
  for (guint i = 0; i < session->models->len; i++)
    {
      const HlSessionModel *model = g_ptr_array_index (session->models, i);
      hl_session_append_model (copy, model->info, model->origin);
    }
  for (guint i = 0; i < session->traces->len; i++)
    {
      const HlSessionTrace *trace = g_ptr_array_index (session->traces, i);
      hl_session_append_trace (copy, trace->trace, trace->origin, trace->precision);
    }
  for (guint i = 0; i < session->results->len; i++)
    {
      const HlSessionEntry *entry = g_ptr_array_index (session->results, i);
      hl_session_append_result (copy, entry->result, entry->origin);
    }
  g_hash_table_iter_init (&iter, session->view);
  while (g_hash_table_iter_next (&iter, &key, &value))
    hl_session_set_view (copy, key, value);
  copy->stash = session->stash != NULL ? g_bytes_ref (session->stash) : NULL;
  return copy;
}

const char *
hl_session_get_path (const HlSession *session)
{
  return session->path;
}

void
hl_session_set_path (HlSession *session, const char *path)
{
  char *copy = g_strdup (path);
  g_free (session->path);
  session->path = copy;
}

void
hl_session_append_model (HlSession *session, HlModelInfo *info, int origin)
{
  HlSessionModel *entry = g_new0 (HlSessionModel, 1);
  entry->info = hl_model_info_ref (info);
  entry->origin = origin;
  g_ptr_array_add (session->models, entry);
}

int
hl_session_find_model (const HlSession *session, const HlModelInfo *info)
{
  for (guint i = 0; i < session->models->len; i++)
    {
      const HlSessionModel *entry = g_ptr_array_index (session->models, i);
      if (entry->info == info || (info->identity[0] != '\0' &&
                                  g_str_equal (entry->info->identity, info->identity) &&
                                  g_str_equal (entry->info->path, info->path)))
        return (int) i;
    }
  return -1;
}

void
hl_session_append_trace (HlSession *session,
                         HlTrace *trace,
                         int origin,
                         GHashTable *precision)
{
  HlSessionTrace *entry = g_new0 (HlSessionTrace, 1);
  entry->trace = hl_trace_ref (trace);
  entry->origin = origin;
  entry->precision = precision != NULL ? g_hash_table_ref (precision) : NULL;
  g_ptr_array_add (session->traces, entry);
  if (hl_session_find_model (session, trace->model) < 0)
    hl_session_append_model (session, trace->model, -1);
}

guint
hl_session_get_n_traces (const HlSession *session)
{
  return session->traces->len;
}

HlTrace *
hl_session_get_trace (const HlSession *session, guint index)
{
  if (index >= session->traces->len)
    return NULL;
  return ((HlSessionTrace *) g_ptr_array_index (session->traces, index))->trace;
}

guint
hl_session_add_trace (HlSession *session, HlTrace *trace)
{
  hl_session_append_trace (session, trace, -1, NULL);
  return session->traces->len - 1;
}

void
hl_session_remove_trace (HlSession *session, guint index)
{
  g_return_if_fail (index < session->traces->len);
  HlSessionTrace *entry = g_ptr_array_index (session->traces, index);
  int model = hl_session_find_model (session, entry->trace->model);
  g_ptr_array_remove_index (session->traces, index);
  for (guint i = 0; i < session->traces->len; i++)
    {
      entry = g_ptr_array_index (session->traces, i);
      if (hl_session_find_model (session, entry->trace->model) == model)
        return;
    }
  if (model >= 0)
    g_ptr_array_remove_index (session->models, (guint) model);
}

HlDtype
hl_session_get_site_precision (const HlSession *session, guint trace, const char *site)
{
  g_return_val_if_fail (trace < session->traces->len, HL_DTYPE_INVALID);
  const HlSessionTrace *entry = g_ptr_array_index (session->traces, trace);
  gpointer dtype =
      entry->precision != NULL ? g_hash_table_lookup (entry->precision, site) : NULL;
  return dtype != NULL ? (HlDtype) GPOINTER_TO_INT (dtype) : HL_DTYPE_F32;
}

void
hl_session_append_result (HlSession *session, HlSessionResult *result, int origin)
{
  HlSessionEntry *entry = g_new0 (HlSessionEntry, 1);
  entry->result = hl_session_result_ref (result);
  entry->origin = origin;
  g_ptr_array_add (session->results, entry);
}

guint
hl_session_get_n_results (const HlSession *session)
{
  return session->results->len;
}

HlSessionResult *
hl_session_get_result (const HlSession *session, guint index)
{
  if (index >= session->results->len)
    return NULL;
  return ((HlSessionEntry *) g_ptr_array_index (session->results, index))->result;
}

guint
hl_session_add_result (HlSession *session, HlSessionResult *result)
{
  hl_session_append_result (session, result, -1);
  return session->results->len - 1;
}

void
hl_session_remove_result (HlSession *session, guint index)
{
  g_return_if_fail (index < session->results->len);
  g_ptr_array_remove_index (session->results, index);
}

const char *
hl_session_get_notes (const HlSession *session)
{
  return session->notes;
}

void
hl_session_set_notes (HlSession *session, const char *notes)
{
  char *copy = g_strdup (notes != NULL ? notes : "");
  g_free (session->notes);
  session->notes = copy;
}

void
hl_session_set_view (HlSession *session, const char *key, GVariant *value)
{
  g_return_if_fail (key != NULL && key[0] != '\0');
  if (value == NULL)
    {
      g_hash_table_remove (session->view, key);
      return;
    }
  g_autoptr (GVariant) sunk = g_variant_ref_sink (value);
  g_return_if_fail (g_variant_is_of_type (sunk, G_VARIANT_TYPE_STRING) ||
                    g_variant_is_of_type (sunk, G_VARIANT_TYPE_DOUBLE) ||
                    g_variant_is_of_type (sunk, G_VARIANT_TYPE_INT64));
  g_hash_table_replace (session->view, g_strdup (key), g_steal_pointer (&sunk));
}

GVariant *
hl_session_get_view (const HlSession *session, const char *key)
{
  return g_hash_table_lookup (session->view, key);
}
