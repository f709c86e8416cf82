/* SPDX-License-Identifier: MIT
 * The session: models, tokens and traces from HDF5. */
#include "session/hl-session-private.h"

#include <string.h>

static int
clamp_int (gint64 value)
{
  return (int) CLAMP (value, G_MININT, G_MAXINT);
}

static HlAttentionKind
kind_from_name (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (hl_session_kind_names); i++)
    if (g_str_equal (name, hl_session_kind_names[i]))
      return (HlAttentionKind) i;
  return HL_ATTENTION_NONE;
}

static gboolean
read_stack_layers (HlH5Reader *reader, hid_t group, HlStack *stack, GError **error)
{
  gsize n = (gsize) stack->n_layers, n_kinds = 0;
  g_autofree char *path = hl_h5_path (group);
  g_auto (GStrv) kinds =
      hl_h5_read_strings (reader, group, "kind", TRUE, &n_kinds, error);
  if (kinds == NULL)
    return FALSE;
  if (n_kinds != n)
    return hl_h5_fail (error, HL_ERROR_SHAPE,
                       "%s/kind: %" G_GSIZE_FORMAT " layers expected, %" G_GSIZE_FORMAT
                       " found",
                       path, n, n_kinds);
  /* The last came later: files without it have no windows. */
  static const char *const names[] = { "n_heads", "n_kv_heads", "head_width", "is_causal",
                                       "window" };
  for (guint c = 0; c < G_N_ELEMENTS (names); c++)
    {
      GError *local = NULL;
      g_autofree gint64 *values =
          hl_h5_read_ints (reader, group, names[c], n, c < 4, &local);
      if (local != NULL)
        {
          g_propagate_error (error, local);
          return FALSE;
        }
      if (values == NULL)
        continue;
      for (gsize l = 0; l < n; l++)
        {
          HlLayerInfo *layer = &stack->layers[l];
          int *fields[] = { &layer->n_heads, &layer->n_kv_heads, &layer->head_width,
                            &layer->is_causal, &layer->window };
          if (values[l] < 0 || values[l] > (1 << 20))
            return hl_h5_fail (error, HL_ERROR_RANGE,
                               "%s/%s: 0 to 1048576 expected, %" G_GINT64_FORMAT " found",
                               path, names[c], values[l]);
          *fields[c] = (int) values[l];
          layer->kind = kind_from_name (kinds[l]);
        }
    }
  return TRUE;
}

static gboolean
read_stack (
    HlH5Reader *reader, hid_t stacks, int index, HlModelInfo *info, GError **error)
{
  static const char *const links[] = { "kind",      "n_heads", "n_kv_heads", "head_width",
                                       "is_causal", "window",  NULL };
  static const char *const attrs[] = { "name",     "n_layers",  "tower",
                                       "is_cross", "key_stack", NULL };
  g_autofree char *number = g_strdup_printf ("%d", index);
  g_autofree char *name = g_strdup ("");
  gint64 n_layers = 0;
  HL_H5_AUTO hid_t group = hl_h5_open_group (stacks, number, TRUE, error);
  if (group < 0 || !hl_h5_read_attr_string (group, "name", &name, error) ||
      !hl_h5_read_attr_int (group, "n_layers", &n_layers, error))
    return FALSE;
  /* One byte of is_causal a layer must be in the file at least. */
  if (n_layers < 0 || (guint64) n_layers > reader->size_bytes || n_layers > (1 << 20))
    {
      g_autofree char *path = hl_h5_path (group);
      return hl_h5_fail (error, HL_ERROR_RANGE,
                         "%s: n_layers: %" G_GINT64_FORMAT
                         " layers in a file of %" G_GUINT64_FORMAT " bytes",
                         path, n_layers, reader->size_bytes);
    }
  HlStack *stack = hl_model_info_add_stack (info, name, (int) n_layers);
  gint64 is_cross = 0, key_stack = index;
  if (!hl_h5_read_attr_string (group, "tower", &stack->tower, error) ||
      !hl_h5_read_attr_int (group, "is_cross", &is_cross, error) ||
      !hl_h5_read_attr_int (group, "key_stack", &key_stack, error))
    return FALSE;
  stack->is_cross = is_cross != 0;
  stack->key_stack = clamp_int (key_stack);
  return read_stack_layers (reader, group, stack, error) &&
         hl_h5_stash_unknown (reader, group, links, attrs, FALSE, error);
}

static gboolean
read_model_attrs (hid_t group, HlModelInfo *info, GError **error)
{
  gint64 width = 0, n_vocab = 0, n_context = 0, readout_stack = 0;
  /* Files of before this attribute are of models that predict the next token. */
  g_autofree char *predicts = g_strdup ("next");
  if (!hl_h5_read_attr_string (group, "path", &info->path, error) ||
      !hl_h5_read_attr_string (group, "identity", &info->identity, error) ||
      !hl_h5_read_attr_string (group, "revision", &info->revision, error) ||
      !hl_h5_read_attr_string (group, "name", &info->name, error) ||
      !hl_h5_read_attr_string (group, "family", &info->family, error) ||
      !hl_h5_read_attr_string (group, "family_title", &info->family_title, error) ||
      !hl_h5_read_attr_string (group, "dtype", &info->dtype, error) ||
      !hl_h5_read_attr_string (group, "config", &info->config_json, error) ||
      !hl_h5_read_attr_int (group, "n_params", &info->n_params, error) ||
      !hl_h5_read_attr_int (group, "width", &width, error) ||
      !hl_h5_read_attr_int (group, "n_vocab", &n_vocab, error) ||
      !hl_h5_read_attr_int (group, "n_context", &n_context, error) ||
      !hl_h5_read_attr_string (group, "predicts", &predicts, error) ||
      !hl_h5_read_attr_int (group, "readout_stack", &readout_stack, error) ||
      !hl_h5_read_attr_string (group, "input_kind", &info->input_kind, error))
    return FALSE;
  info->predicts = hl_predicts_from_name (predicts);
  info->width = clamp_int (width);
  info->readout_stack = clamp_int (readout_stack);
  info->n_vocab = clamp_int (n_vocab);
  info->n_context = clamp_int (n_context);
  return TRUE;
}

/* Stacks that others name have to be there. */
static gboolean
check_stacks (const HlModelInfo *info, int index, GError **error)
{
  int n = (int) info->stacks->len;
  for (int s = 0; s < n; s++)
    {
      const HlStack *stack = hl_model_info_get_stack (info, s);
      if (stack->key_stack < 0 || stack->key_stack >= n)
        return hl_h5_fail (error, HL_ERROR_RANGE,
                           "/models/%d/stacks/%d: key_stack: 0 to %d expected, %d found",
                           index, s, n - 1, stack->key_stack);
    }
  if (info->readout_stack >= 0 && info->readout_stack < n)
    return TRUE;
  return hl_h5_fail (error, HL_ERROR_RANGE,
                     "/models/%d: readout_stack: 0 to %d expected, %d found", index,
                     n - 1, info->readout_stack);
}

static HlModelInfo *
read_model (HlH5Reader *reader, hid_t models, int index, GError **error)
{
  static const char *const links[] = { "labels", "stacks", NULL };
  static const char *const attrs[] = {
    "path",     "identity", "name",          "family",  "family_title", "dtype",
    "config",   "n_params", "width",         "n_vocab", "n_context",    "input_kind",
    "predicts", "revision", "readout_stack", NULL
  };
  g_autoptr (HlModelInfo) info = hl_model_info_new ();
  g_autofree char *number = g_strdup_printf ("%d", index);
  GError *local = NULL;
  gsize n_labels = 0;
  HL_H5_AUTO hid_t group = hl_h5_open_group (models, number, TRUE, error);
  HL_H5_AUTO hid_t stacks =
      group >= 0 ? hl_h5_open_group (group, "stacks", TRUE, error) : H5I_INVALID_HID;
  if (stacks < 0 || !read_model_attrs (group, info, error))
    return NULL;
  info->labels = hl_h5_read_strings (reader, group, "labels", FALSE, &n_labels, &local);
  if (local != NULL)
    {
      g_propagate_error (error, local);
      return NULL;
    }
  g_autoptr (GArray) numbers = hl_h5_list_numbered (stacks, error);
  if (numbers == NULL)
    return NULL;
  for (guint i = 0; i < numbers->len; i++)
    if (!read_stack (reader, stacks, g_array_index (numbers, int, i), info, error))
      return NULL;
  if (info->stacks->len == 0)
    {
      hl_h5_fail (error, HL_ERROR_MISSING, "/models/%d/stacks: missing group 0", index);
      return NULL;
    }
  if (!check_stacks (info, index, error))
    return NULL;
  if (!hl_h5_stash_unknown (reader, group, links, attrs, FALSE, error) ||
      !hl_h5_stash_unknown (reader, stacks, NULL, NULL, TRUE, error))
    return NULL;
  return g_steal_pointer (&info);
}

gboolean
hl_session_read_models (HlH5Reader *reader, HlSession *session, GError **error)
{
  GError *local = NULL;
  HL_H5_AUTO hid_t models = hl_h5_open_group (reader->file, "models", FALSE, &local);
  if (models < 0)
    {
      if (local != NULL)
        g_propagate_error (error, local);
      return local == NULL;
    }
  g_autoptr (GArray) numbers = hl_h5_list_numbered (models, error);
  if (numbers == NULL)
    return FALSE;
  for (guint i = 0; i < numbers->len; i++)
    {
      int number = g_array_index (numbers, int, i);
      g_autoptr (HlModelInfo) info = read_model (reader, models, number, error);
      if (info == NULL)
        return FALSE;
      hl_session_append_model (session, info, number);
    }
  return hl_h5_stash_unknown (reader, models, NULL, NULL, TRUE, error);
}

/* Which int of a token a column of the table is. */
static gboolean
read_token_ints (HlH5Reader *reader,
                 hid_t group,
                 const char *name,
                 HlTokenTable *table,
                 gsize field_offset,
                 gboolean *was_there,
                 GError **error)
{
  GError *local = NULL;
  gsize n = (gsize) table->n_tokens;
  g_autofree gint64 *values = hl_h5_read_ints (reader, group, name, n, FALSE, &local);
  if (was_there != NULL)
    *was_there = values != NULL;
  for (gsize i = 0; values != NULL && i < n; i++)
    *(int *) ((char *) &table->tokens[i] + field_offset) = clamp_int (values[i]);
  if (local != NULL)
    g_propagate_error (error, local);
  return local == NULL;
}

static gboolean
read_token_doubles (HlH5Reader *reader,
                    hid_t group,
                    const char *name,
                    HlTokenTable *table,
                    gsize field_offset,
                    GError **error)
{
  GError *local = NULL;
  g_autoptr (HlTensor) values =
      hl_h5_read_tensor (reader, group, name, HL_DTYPE_F64, FALSE, NULL, &local);
  if (values == NULL)
    {
      if (local != NULL)
        g_propagate_error (error, local);
      return local == NULL;
    }
  if (values->shape.n_dims != 1 || values->shape.dim[0] != table->n_tokens)
    {
      g_autofree char *found = hl_shape_to_string (&values->shape);
      g_autofree char *path = hl_h5_path (group);
      return hl_h5_fail (error, HL_ERROR_SHAPE, "%s/%s: shape [%d] expected, %s found",
                         path, name, table->n_tokens, found);
    }
  for (int i = 0; i < table->n_tokens; i++)
    *(double *) ((char *) &table->tokens[i] + field_offset) =
        ((const double *) values->data)[i];
  return TRUE;
}

static gboolean
read_token_bytes (HlH5Reader *reader, hid_t group, HlTokenTable *table, GError **error)
{
  gsize n = (gsize) table->n_tokens;
  if (!hl_h5_has (group, "bytes"))
    return TRUE;
  g_autoptr (HlTensor) all =
      hl_h5_read_tensor (reader, group, "bytes", HL_DTYPE_INVALID, TRUE, NULL, error);
  g_autofree gint64 *offsets =
      all != NULL ? hl_h5_read_ints (reader, group, "bytes_offset", n, TRUE, error)
                  : NULL;
  g_autofree gint64 *lengths =
      offsets != NULL ? hl_h5_read_ints (reader, group, "bytes_length", n, TRUE, error)
                      : NULL;
  g_autofree char *path = hl_h5_path (group);
  if (lengths == NULL)
    return FALSE;
  if (all->dtype != HL_DTYPE_U8 || all->shape.n_dims != 1)
    return hl_h5_fail (error, HL_ERROR_DTYPE, "%s/bytes: a list of uint8 expected", path);
  gint64 size = all->shape.dim[0], total = 0;
  for (gsize i = 0; i < n; i++)
    {
      if (offsets[i] < 0)
        continue;
      /* The sum is bounded too: every token could name the same megabyte. */
      if (offsets[i] > size || lengths[i] < 0 || lengths[i] > size - offsets[i] ||
          (total += lengths[i]) > size)
        return hl_h5_fail (error, HL_ERROR_RANGE,
                           "%s/bytes_offset: token %" G_GSIZE_FORMAT
                           " lies outside the %" G_GINT64_FORMAT " bytes there are",
                           path, i, size);
      table->tokens[i].bytes =
          g_bytes_new ((const char *) all->data + offsets[i], (gsize) lengths[i]);
    }
  return TRUE;
}

/* Roles as words; in a foreign session what has a place in a grid is a patch. */
static gboolean
read_token_roles (HlH5Reader *reader,
                  hid_t group,
                  HlTokenTable *table,
                  gboolean has_grid,
                  GError **error)
{
  GError *local = NULL;
  gsize n_roles = 0;
  g_auto (GStrv) roles =
      hl_h5_read_strings (reader, group, "role", FALSE, &n_roles, &local);
  if (local != NULL)
    {
      g_propagate_error (error, local);
      return FALSE;
    }
  if (roles != NULL && n_roles != (gsize) table->n_tokens)
    {
      g_autofree char *path = hl_h5_path (group);
      return hl_h5_fail (error, HL_ERROR_SHAPE,
                         "%s/role: shape [%d] expected, [%" G_GSIZE_FORMAT "] found",
                         path, table->n_tokens, n_roles);
    }
  for (int i = 0; i < table->n_tokens; i++)
    {
      HlToken *token = &table->tokens[i];
      if (roles != NULL)
        token->role = hl_token_role_from_name (roles[i]);
      else if (has_grid)
        token->role =
            token->row >= 0 && token->column >= 0 ? HL_ROLE_IMAGE : HL_ROLE_SPECIAL;
    }
  return TRUE;
}

static gboolean
read_grid (hid_t group, HlTokenTable *table, GError **error)
{
  gint64 n_rows = 0, n_columns = 0;
  for (int i = 0; i < table->n_tokens; i++)
    {
      n_rows = MAX (n_rows, (gint64) table->tokens[i].row + 1);
      n_columns = MAX (n_columns, (gint64) table->tokens[i].column + 1);
    }
  gint64 least_rows = n_rows, least_columns = n_columns;
  if (!hl_h5_read_attr_int (group, "n_rows", &n_rows, error) ||
      !hl_h5_read_attr_int (group, "n_columns", &n_columns, error))
    return FALSE;
  if (n_rows < least_rows || n_columns < least_columns || n_rows > (1 << 15) ||
      n_columns > (1 << 15))
    {
      g_autofree char *path = hl_h5_path (group);
      return hl_h5_fail (error, HL_ERROR_RANGE,
                         "%s: a grid of %" G_GINT64_FORMAT " by %" G_GINT64_FORMAT
                         " for tokens up to row %" G_GINT64_FORMAT
                         ", column %" G_GINT64_FORMAT,
                         path, n_rows, n_columns, least_rows - 1, least_columns - 1);
    }
  table->n_rows = (int) n_rows;
  table->n_columns = (int) n_columns;
  return TRUE;
}

HlTokenTable *
hl_session_read_tokens (HlH5Reader *reader, hid_t group, GError **error)
{
  gsize n = 0;
  gboolean has_rows = FALSE, has_columns = FALSE;
  g_auto (GStrv) texts = hl_h5_read_strings (reader, group, "text", TRUE, &n, error);
  if (texts == NULL)
    return NULL;
  if (n > (1 << 24))
    {
      hl_h5_fail (error, HL_ERROR_RANGE, "%s: more than 16777216 tokens", reader->path);
      return NULL;
    }
  g_autoptr (HlTokenTable) table = hl_token_table_new ((int) n);
  for (gsize i = 0; i < n; i++)
    table->tokens[i].text = g_strdup (texts[i]);
  if (!read_token_ints (reader, group, "id", table, G_STRUCT_OFFSET (HlToken, id), NULL,
                        error) ||
      !read_token_ints (reader, group, "row", table, G_STRUCT_OFFSET (HlToken, row),
                        &has_rows, error) ||
      !read_token_ints (reader, group, "column", table, G_STRUCT_OFFSET (HlToken, column),
                        &has_columns, error) ||
      !read_token_ints (reader, group, "segment", table,
                        G_STRUCT_OFFSET (HlToken, segment), NULL, error) ||
      !read_token_doubles (reader, group, "start", table,
                           G_STRUCT_OFFSET (HlToken, start), error) ||
      !read_token_doubles (reader, group, "end", table, G_STRUCT_OFFSET (HlToken, end),
                           error) ||
      !read_token_bytes (reader, group, table, error) ||
      !read_token_roles (reader, group, table, has_rows && has_columns, error) ||
      !read_grid (group, table, error))
    return NULL;
  return g_steal_pointer (&table);
}
