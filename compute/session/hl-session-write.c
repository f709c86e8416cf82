/* SPDX-License-Identifier: MIT
 * The session: models, tokens and traces to HDF5. */
#include "session/hl-session-private.h"

#include <string.h>

/* One column of the layers, as the layout has it. */
static gboolean
write_layer_column (hid_t group,
                    const char *name,
                    const HlStack *stack,
                    gsize field_offset,
                    GError **error)
{
  g_autofree gint32 *values = g_new0 (gint32, (gsize) stack->n_layers + 1);
  for (int l = 0; l < stack->n_layers; l++)
    values[l] = *(const int *) ((const char *) &stack->layers[l] + field_offset);
  return hl_h5_write_array (group, name, HL_DTYPE_I32, (gsize) stack->n_layers, values,
                            NULL, NULL, error);
}

static gboolean
write_stack (hid_t stacks, guint index, const HlStack *stack, GError **error)
{
  g_autofree char *number = g_strdup_printf ("%u", index);
  gsize n = (gsize) stack->n_layers;
  g_autofree const char **kinds = g_new0 (const char *, n + 1);
  g_autofree guint8 *causal = g_new0 (guint8, n + 1);
  HL_H5_AUTO hid_t group = hl_h5_create_group (stacks, number, error);
  for (gsize l = 0; l < n; l++)
    {
      kinds[l] = hl_session_kind_names[stack->layers[l].kind];
      causal[l] = stack->layers[l].is_causal ? 1 : 0;
    }
  return group >= 0 && hl_h5_write_attr_string (group, "name", stack->name, error) &&
         hl_h5_write_attr_int (group, "n_layers", stack->n_layers, error) &&
         hl_h5_write_attr_string (group, "tower", stack->tower, error) &&
         hl_h5_write_attr_int (group, "is_cross", stack->is_cross, error) &&
         hl_h5_write_attr_int (group, "key_stack", stack->key_stack, error) &&
         hl_h5_write_strings (group, "kind", kinds, n, FALSE, NULL, NULL, error) &&
         write_layer_column (group, "n_heads", stack,
                             G_STRUCT_OFFSET (HlLayerInfo, n_heads), error) &&
         write_layer_column (group, "n_kv_heads", stack,
                             G_STRUCT_OFFSET (HlLayerInfo, n_kv_heads), error) &&
         write_layer_column (group, "head_width", stack,
                             G_STRUCT_OFFSET (HlLayerInfo, head_width), error) &&
         write_layer_column (group, "window", stack,
                             G_STRUCT_OFFSET (HlLayerInfo, window), error) &&
         hl_h5_write_array (group, "is_causal", HL_DTYPE_U8, n, causal, NULL, NULL,
                            error);
}

gboolean
hl_session_write_model (hid_t group, const HlModelInfo *info, GError **error)
{
  HL_H5_AUTO hid_t stacks = hl_h5_create_group (group, "stacks", error);
  if (stacks < 0 || !hl_h5_write_attr_string (group, "path", info->path, error) ||
      !hl_h5_write_attr_string (group, "identity", info->identity, error) ||
      !hl_h5_write_attr_string (group, "revision", info->revision, error) ||
      !hl_h5_write_attr_string (group, "name", info->name, error) ||
      !hl_h5_write_attr_string (group, "family", info->family, error) ||
      !hl_h5_write_attr_string (group, "family_title", info->family_title, error) ||
      !hl_h5_write_attr_string (group, "dtype", info->dtype, error) ||
      !hl_h5_write_attr_string (group, "config", info->config_json, error) ||
      !hl_h5_write_attr_int (group, "n_params", info->n_params, error) ||
      !hl_h5_write_attr_int (group, "width", info->width, error) ||
      !hl_h5_write_attr_int (group, "n_vocab", info->n_vocab, error) ||
      !hl_h5_write_attr_int (group, "readout_stack", info->readout_stack, error) ||
      !hl_h5_write_attr_string (group, "predicts", hl_predicts_name (info->predicts),
                                error) ||
      !hl_h5_write_attr_int (group, "n_context", info->n_context, error) ||
      !hl_h5_write_attr_string (group, "input_kind", info->input_kind, error))
    return FALSE;
  if (info->labels != NULL &&
      !hl_h5_write_strings (group, "labels", (const char *const *) info->labels,
                            g_strv_length (info->labels), FALSE, NULL, NULL, error))
    return FALSE;
  for (guint s = 0; s < info->stacks->len; s++)
    if (!write_stack (stacks, s, g_ptr_array_index (info->stacks, s), error))
      return FALSE;
  return TRUE;
}

/* The bytes of all tokens end to end, and where each has its own. */
static gboolean
write_token_bytes (hid_t group, const HlTokenTable *table, HlH5Axes *axes, GError **error)
{
  gsize n = (gsize) table->n_tokens;
  g_autofree gint64 *offsets = g_new (gint64, n + 1);
  g_autofree gint64 *lengths = g_new (gint64, n + 1);
  g_autoptr (GByteArray) all = g_byte_array_new ();
  gboolean has_bytes = FALSE;
  for (gsize i = 0; i < n; i++)
    {
      GBytes *bytes = table->tokens[i].bytes;
      gsize size = 0;
      gconstpointer data = bytes != NULL ? g_bytes_get_data (bytes, &size) : NULL;
      offsets[i] = bytes != NULL ? (gint64) all->len : -1;
      lengths[i] = (gint64) size;
      has_bytes |= bytes != NULL;
      if (size > G_MAXUINT / 2 - all->len)
        return hl_h5_fail (error, HL_ERROR_RANGE, "the tokens' bytes exceed 2 GB");
      if (size > 0)
        g_byte_array_append (all, data, (guint) size);
    }
  if (!has_bytes)
    return TRUE;
  return hl_h5_write_array (group, "bytes", HL_DTYPE_U8, all->len, all->data, NULL, NULL,
                            error) &&
         hl_h5_write_array (group, "bytes_offset", HL_DTYPE_I64, n, offsets, axes,
                            "token", error) &&
         hl_h5_write_array (group, "bytes_length", HL_DTYPE_I64, n, lengths, axes,
                            "token", error);
}

gboolean
hl_session_write_tokens (hid_t group,
                         const HlTokenTable *table,
                         HlH5Axes *axes,
                         GError **error)
{
  gsize n = (gsize) table->n_tokens;
  g_autofree const char **texts = g_new0 (const char *, n + 1);
  g_autofree const char **roles = g_new0 (const char *, n + 1);
  g_autofree gint32 *ids = g_new (gint32, n + 1);
  g_autofree gint32 *rows = g_new (gint32, n + 1);
  g_autofree gint32 *columns = g_new (gint32, n + 1);
  g_autofree gint32 *segments = g_new (gint32, n + 1);
  g_autofree double *starts = g_new (double, n + 1);
  g_autofree double *ends = g_new (double, n + 1);
  for (gsize i = 0; i < n; i++)
    {
      const HlToken *token = &table->tokens[i];
      texts[i] = token->text != NULL ? token->text : "";
      roles[i] = hl_token_role_name (token->role);
      ids[i] = token->id;
      rows[i] = token->row;
      columns[i] = token->column;
      segments[i] = token->segment;
      starts[i] = token->start;
      ends[i] = token->end;
    }
  return hl_h5_write_attr_int (group, "n_rows", table->n_rows, error) &&
         hl_h5_write_attr_int (group, "n_columns", table->n_columns, error) &&
         hl_h5_write_strings (group, "text", texts, n, FALSE, axes, "token", error) &&
         hl_h5_write_strings (group, "role", roles, n, FALSE, axes, "token", error) &&
         hl_h5_write_array (group, "id", HL_DTYPE_I32, n, ids, axes, "token", error) &&
         hl_h5_write_array (group, "row", HL_DTYPE_I32, n, rows, axes, "token", error) &&
         hl_h5_write_array (group, "column", HL_DTYPE_I32, n, columns, axes, "token",
                            error) &&
         hl_h5_write_array (group, "segment", HL_DTYPE_I32, n, segments, axes, "token",
                            error) &&
         hl_h5_write_array (group, "start", HL_DTYPE_F64, n, starts, axes, "token",
                            error) &&
         hl_h5_write_array (group, "end", HL_DTYPE_F64, n, ends, axes, "token", error) &&
         write_token_bytes (group, table, axes, error);
}

/* Which axes a site has follows from the end of its name and its rank. */
static const char *const *
site_axes (const char *site, int n_dims, const char **unit)
{
  static const char *const map[] = { "head", "query", "key" };
  static const char *const vectors[] = { "token", "head", "head_width" };
  static const char *const rows[] = { "head", "query" };
  static const char *const stream[] = { "token", "width" };
  *unit = NULL;
  if (n_dims == 3 && g_str_has_suffix (site, "hook_pattern"))
    {
      *unit = "probability";
      return map;
    }
  if (n_dims == 3 && g_str_has_suffix (site, "hook_attn_scores"))
    {
      *unit = "logit";
      return map;
    }
  if (n_dims == 2 && g_str_has_suffix (site, "hook_lse"))
    {
      *unit = "nat";
      return rows;
    }
  if (n_dims == 3 && strstr (site, "attn.hook_") != NULL)
    return vectors;
  if (n_dims == 2 && strstr (site, "hook_resid_") != NULL)
    return stream;
  return NULL;
}

static gboolean
write_site (hid_t sites,
            const char *name,
            HlTensor *tensor,
            const HlSessionTrace *entry,
            const HlSessionOptions *options,
            HlH5Axes *axes,
            GError **error)
{
  const char *unit = NULL;
  const char *const *axis_names = site_axes (name, tensor->shape.n_dims, &unit);
  gboolean is_half =
      options != NULL && options->half_maps && g_str_has_suffix (name, "hook_pattern");
  gpointer stored =
      entry->precision != NULL ? g_hash_table_lookup (entry->precision, name) : NULL;
  if (!hl_h5_write_tensor (sites, name, tensor, is_half ? HL_DTYPE_F16 : HL_DTYPE_F32,
                           axes, axis_names, unit, error))
    return FALSE;
  if (is_half || GPOINTER_TO_INT (stored) != HL_DTYPE_F16)
    return TRUE;
  /* float32 now, yet no better than what it was read from: the file goes on saying so. */
  HL_H5_AUTO hid_t dataset = hl_h5_open_dataset (sites, name, TRUE, error);
  return dataset >= 0 && hl_h5_write_attr_string (dataset, "precision", "float16", error);
}

static gboolean
write_sites (hid_t group,
             const HlSessionTrace *entry,
             const HlSessionOptions *options,
             HlH5Axes *axes,
             const HlProgress *progress,
             GError **error)
{
  const HlTrace *trace = entry->trace;
  g_autoptr (GList) names = g_hash_table_get_keys (trace->sites);
  g_autoptr (GPtrArray) captured = g_ptr_array_new ();
  guint n_sites = g_hash_table_size (trace->sites);
  HL_H5_AUTO hid_t sites = hl_h5_create_group (group, "sites", error);
  if (sites < 0)
    return FALSE;
  names = g_list_sort (names, (GCompareFunc) strcmp);
  for (GList *link = names; link != NULL; link = link->next)
    {
      const char *name = link->data;
      if (!hl_progress_step (progress, (double) captured->len / (n_sites + 1), name,
                             error) ||
          !write_site (sites, name, hl_trace_get_site (trace, name), entry, options, axes,
                       error))
        return FALSE;
      g_ptr_array_add (captured, link->data);
    }
  return hl_h5_write_attr_strv (group, "captured", (const char *const *) captured->pdata,
                                captured->len, error);
}

static gboolean
write_recipes (hid_t group, const HlTrace *trace, HlH5Axes *axes, GError **error)
{
  static const char *const axis_names[] = { "head", "query", "key" };
  static const char *const bias_axes[] = { "head", "distance" };
  GHashTableIter iter;
  gpointer key, value;
  HL_H5_AUTO hid_t recipes = hl_h5_create_group (group, "recipes", error);
  g_hash_table_iter_init (&iter, trace->recipes);
  while (recipes >= 0 && g_hash_table_iter_next (&iter, &key, &value))
    {
      const HlRecipe *recipe = value;
      HL_H5_AUTO hid_t place = hl_h5_create_group (recipes, key, error);
      if (place < 0 ||
          !hl_h5_write_attr_double (place, "scale", recipe->rule.scale, error) ||
          !hl_h5_write_attr_int (place, "is_causal", recipe->rule.is_causal, error) ||
          !hl_h5_write_attr_int (place, "is_rotary", recipe->is_rotary, error) ||
          !hl_h5_write_attr_int (place, "window", recipe->rule.window, error) ||
          !hl_h5_write_attr_double (place, "soft_cap", recipe->rule.soft_cap, error))
        return FALSE;
      if (recipe->bias != NULL &&
          !hl_h5_write_tensor (place, "bias", recipe->bias, HL_DTYPE_F32, axes, bias_axes,
                               NULL, error))
        return FALSE;
      if (recipe->mask != NULL &&
          !hl_h5_write_tensor (place, "mask", recipe->mask, HL_DTYPE_F32, axes,
                               axis_names, NULL, error))
        return FALSE;
      if (recipe->replacement != NULL &&
          !hl_h5_write_tensor (place, "replacement", recipe->replacement, HL_DTYPE_F32,
                               axes, axis_names, NULL, error))
        return FALSE;
    }
  return recipes >= 0;
}

static gboolean
write_trace_attrs (hid_t group, const HlTrace *trace, GError **error)
{
  return hl_h5_write_attr_string (group, "input_kind", trace->input_kind, error) &&
         hl_h5_write_attr_string (group, "input_name", trace->input_name, error) &&
         hl_h5_write_attr_string (group, "input_path", trace->input_path, error) &&
         hl_h5_write_attr_string (group, "input_hash", trace->input_hash, error) &&
         hl_h5_write_attr_string (group, "backend", trace->backend, error) &&
         hl_h5_write_attr_string (group, "precision", trace->precision, error) &&
         hl_h5_write_attr_string (group, "created", trace->created, error) &&
         hl_h5_write_attr_double (group, "duration_ms", trace->duration_ms, error) &&
         hl_h5_write_attr_string (group, "hash", trace->hash, error) &&
         hl_h5_write_attr_strv (group, "interventions",
                                (const char *const *) trace->interventions->pdata,
                                trace->interventions->len, error);
}

static gboolean
write_all_tokens (hid_t group, const HlTrace *trace, HlH5Axes *axes, GError **error)
{
  HL_H5_AUTO hid_t tokens = hl_h5_create_group (group, "tokens", error);
  for (guint s = 0; tokens >= 0 && s < trace->tokens->len; s++)
    {
      const HlTokenTable *table = g_ptr_array_index (trace->tokens, s);
      const HlStack *stack = hl_model_info_get_stack (trace->model, (int) s);
      if (stack == NULL || stack->name[0] == '\0')
        {
          if (!hl_session_write_tokens (tokens, table, axes, error))
            return FALSE;
          continue;
        }
      HL_H5_AUTO hid_t place = hl_h5_create_group (tokens, stack->name, error);
      if (place < 0 || !hl_session_write_tokens (place, table, axes, error))
        return FALSE;
    }
  return tokens >= 0;
}

static gboolean
write_input (hid_t group, const HlTrace *trace, HlH5Axes *axes, GError **error)
{
  static const char *const pixel_axes[] = { "row", "column", "channel" };
  static const char *const feature_axes[] = { "mel", "frame" };
  if (trace->pixels == NULL && trace->text == NULL && trace->features == NULL)
    return TRUE;
  HL_H5_AUTO hid_t input = hl_h5_create_group (group, "input", error);
  if (input < 0)
    return FALSE;
  if (trace->text != NULL &&
      !hl_h5_write_strings (input, "text", (const char *const *) &trace->text, 1, TRUE,
                            NULL, NULL, error))
    return FALSE;
  if (trace->target_text != NULL &&
      !hl_h5_write_strings (input, "target", (const char *const *) &trace->target_text, 1,
                            TRUE, NULL, NULL, error))
    return FALSE;
  if (trace->features != NULL &&
      (!hl_h5_write_attr_int (input, "n_real_frames", trace->n_real_frames, error) ||
       !hl_h5_write_tensor (input, "features", trace->features, HL_DTYPE_F32, axes,
                            feature_axes, NULL, error)))
    return FALSE;
  return trace->pixels == NULL ||
         hl_h5_write_tensor (input, "pixels", trace->pixels, HL_DTYPE_INVALID, axes,
                             trace->pixels->shape.n_dims == 3 ? pixel_axes : NULL, NULL,
                             error);
}

gboolean
hl_session_write_trace (hid_t group,
                        const HlSession *session,
                        const HlSessionTrace *entry,
                        const HlSessionOptions *options,
                        const HlProgress *progress,
                        GError **error)
{
  static const char *const class_axis[] = { "class" };
  const HlTrace *trace = entry->trace;
  g_auto (HlH5Axes) axes = { 0 };
  hl_h5_axes_init (&axes, group);
  if (!hl_h5_write_attr_int (group, "model",
                             hl_session_find_model (session, trace->model), error) ||
      !write_trace_attrs (group, trace, error) ||
      !write_all_tokens (group, trace, &axes, error))
    return FALSE;
  if (trace->logits != NULL &&
      !hl_h5_write_tensor (group, "logits", trace->logits, HL_DTYPE_F32, &axes,
                           trace->logits->shape.n_dims == 1 ? class_axis : NULL, "logit",
                           error))
    return FALSE;
  return write_input (group, trace, &axes, error) &&
         hl_session_write_predictions (group, trace->predictions, &axes, error) &&
         write_sites (group, entry, options, &axes, progress, error) &&
         write_recipes (group, trace, &axes, error);
}
