/* SPDX-License-Identifier: MIT
 * The session: traces from HDF5, ours and foreign ones. */
#include "session/hl-session-private.h"

#include <string.h>

static const char *const trace_links[] = { "tokens",  "logits", "input",       "sites",
                                           "recipes", "axes",   "predictions", NULL };
static const char *const trace_attrs[] = { "model",      "input_kind",    "input_name",
                                           "input_path", "input_hash",    "backend",
                                           "precision",  "created",       "duration_ms",
                                           "hash",       "interventions", "captured",
                                           NULL };
static const char *const token_attrs[] = { "n_rows", "n_columns", NULL };
static const char *const token_links[] = { "text",         "role",    "row",
                                           "column",       "start",   "end",
                                           "bytes",        "segment", "bytes_offset",
                                           "bytes_length", "id",      NULL };

static gboolean
read_site (HlH5Reader *reader,
           hid_t sites,
           const char *name,
           GHashTable *tensors,
           GHashTable *precision,
           GError **error)
{
  HlDtype stored = HL_DTYPE_INVALID;
  g_autofree char *once = NULL;
  g_autoptr (HlTensor) tensor =
      hl_h5_read_tensor (reader, sites, name, HL_DTYPE_F32, TRUE, &stored, error);
  HL_H5_AUTO hid_t dataset =
      tensor != NULL ? hl_h5_open_dataset (sites, name, TRUE, error) : H5I_INVALID_HID;
  if (dataset < 0 || !hl_h5_read_attr_string (dataset, "precision", &once, error))
    return FALSE;
  if (g_strcmp0 (once, "float16") == 0)
    stored = HL_DTYPE_F16;
  if (stored != HL_DTYPE_F32)
    g_hash_table_replace (precision, g_strdup (name), GINT_TO_POINTER (stored));
  g_hash_table_replace (tensors, g_strdup (name), g_steal_pointer (&tensor));
  return TRUE;
}

/* Every dataset of sites/ becomes a tensor; groups and links in it go to the stash. */
static gboolean
read_sites (HlH5Reader *reader,
            hid_t group,
            GHashTable *tensors,
            GHashTable *precision,
            GError **error)
{
  HL_H5_AUTO hid_t sites = hl_h5_open_group (group, "sites", TRUE, error);
  g_autoptr (GPtrArray) names = sites >= 0 ? hl_h5_list_links (sites, error) : NULL;
  g_autoptr (GPtrArray) known = g_ptr_array_new ();
  if (names == NULL)
    return FALSE;
  for (guint i = 0; i < names->len; i++)
    {
      char *name = g_ptr_array_index (names, i);
      H5O_info_t info;
      H5L_info_t link;
      if (H5Lget_info (sites, name, &link, H5P_DEFAULT) < 0 ||
          (link.type == H5L_TYPE_HARD &&
           H5Oget_info_by_name2 (sites, name, &info, H5O_INFO_BASIC, H5P_DEFAULT) < 0))
        return hl_h5_fail (error, HL_ERROR_FORMAT, "sites/%s: cannot be read", name);
      if (link.type == H5L_TYPE_HARD && info.type != H5O_TYPE_DATASET)
        continue;
      /* A soft link is refused there, with its name. */
      if (!hl_progress_step (reader->progress, (double) i / (names->len + 1), name,
                             error) ||
          !read_site (reader, sites, name, tensors, precision, error))
        return FALSE;
      g_ptr_array_add (known, name);
    }
  g_ptr_array_add (known, NULL);
  return hl_h5_stash_unknown (reader, sites, (const char *const *) known->pdata, NULL,
                              FALSE, error);
}

static gboolean
check_captured (hid_t group, const char *path, GHashTable *tensors, GError **error)
{
  g_auto (GStrv) captured = NULL;
  if (!hl_h5_read_attr_strv (group, "captured", &captured, error))
    return FALSE;
  for (char **name = captured; name != NULL && *name != NULL; name++)
    if (!g_hash_table_contains (tensors, *name))
      return hl_h5_fail (error, HL_ERROR_MISSING, "%s/sites/%s: missing array", path,
                         *name);
  return TRUE;
}

static gboolean
read_trace_attrs (hid_t group, HlTrace *trace, GError **error)
{
  g_auto (GStrv) interventions = NULL;
  if (!hl_h5_read_attr_string (group, "input_kind", &trace->input_kind, error) ||
      !hl_h5_read_attr_string (group, "input_name", &trace->input_name, error) ||
      !hl_h5_read_attr_string (group, "input_path", &trace->input_path, error) ||
      !hl_h5_read_attr_string (group, "input_hash", &trace->input_hash, error) ||
      !hl_h5_read_attr_string (group, "backend", &trace->backend, error) ||
      !hl_h5_read_attr_string (group, "precision", &trace->precision, error) ||
      !hl_h5_read_attr_string (group, "created", &trace->created, error) ||
      !hl_h5_read_attr_string (group, "hash", &trace->hash, error) ||
      !hl_h5_read_attr_double (group, "duration_ms", &trace->duration_ms, error) ||
      !hl_h5_read_attr_strv (group, "interventions", &interventions, error))
    return FALSE;
  for (char **text = interventions; text != NULL && *text != NULL; text++)
    g_ptr_array_add (trace->interventions, g_strdup (*text));
  return TRUE;
}

static gboolean
read_tokens (HlH5Reader *reader, hid_t group, HlTrace *trace, GError **error)
{
  const HlModelInfo *model = trace->model;
  g_autoptr (GPtrArray) known = g_ptr_array_new ();
  HL_H5_AUTO hid_t tokens = hl_h5_open_group (group, "tokens", TRUE, error);
  gboolean is_good = tokens >= 0;
  for (guint s = 0; is_good && s < model->stacks->len; s++)
    {
      const HlStack *stack = g_ptr_array_index (model->stacks, s);
      gboolean is_named = stack->name[0] != '\0';
      HL_H5_AUTO hid_t place = is_named
                                   ? hl_h5_open_group (tokens, stack->name, TRUE, error)
                                   : H5Gopen2 (tokens, ".", H5P_DEFAULT);
      HlTokenTable *table =
          place >= 0 ? hl_session_read_tokens (reader, place, error) : NULL;
      if (table == NULL)
        return FALSE;
      g_ptr_array_add (trace->tokens, table);
      if (!is_named)
        continue;
      g_ptr_array_add (known, stack->name);
      is_good =
          hl_h5_stash_unknown (reader, place, token_links, token_attrs, FALSE, error);
    }
  for (guint i = 0; i < G_N_ELEMENTS (token_links); i++)
    g_ptr_array_add (known, (char *) token_links[i]);
  return is_good &&
         hl_h5_stash_unknown (reader, tokens, (const char *const *) known->pdata,
                              token_attrs, FALSE, error);
}

static char *
read_text (HlH5Reader *reader, hid_t input, const char *name, GError **error)
{
  gsize n = 0;
  g_auto (GStrv) texts = hl_h5_read_strings (reader, input, name, FALSE, &n, error);
  return texts != NULL && n > 0 ? g_strdup (texts[0]) : NULL;
}

static gboolean
read_input (HlH5Reader *reader, hid_t group, HlTrace *trace, GError **error)
{
  static const char *const links[] = { "pixels", "text", "target", "features", NULL };
  GError *local = NULL;
  HL_H5_AUTO hid_t input = hl_h5_open_group (group, "input", FALSE, &local);
  if (input >= 0)
    trace->text = read_text (reader, input, "text", &local);
  if (input >= 0 && local == NULL)
    trace->target_text = read_text (reader, input, "target", &local);
  if (input >= 0 && local == NULL)
    trace->features =
        hl_h5_read_tensor (reader, input, "features", HL_DTYPE_F32, FALSE, NULL, &local);
  if (trace->features != NULL)
    hl_h5_read_attr_int (input, "n_real_frames", &trace->n_real_frames, &local);
  if (input >= 0 && local == NULL)
    trace->pixels = hl_h5_read_tensor (reader, input, "pixels", HL_DTYPE_INVALID, FALSE,
                                       NULL, &local);
  if (local != NULL)
    {
      g_propagate_error (error, local);
      return FALSE;
    }
  HlTensor *pixels = trace->pixels;
  if (pixels != NULL && (pixels->dtype != HL_DTYPE_U8 || pixels->shape.n_dims != 3 ||
                         pixels->shape.dim[2] != 3))
    {
      g_autofree char *found = hl_shape_to_string (&pixels->shape);
      g_autofree char *path = hl_h5_path (input);
      return hl_h5_fail (error, HL_ERROR_SHAPE,
                         "%s/pixels: uint8 of shape [height, width, 3] expected, %s of "
                         "shape %s found",
                         path, hl_dtype_name (pixels->dtype), found);
    }
  if (trace->features != NULL &&
      (trace->features->shape.n_dims != 2 || trace->n_real_frames < 0 ||
       trace->n_real_frames > trace->features->shape.dim[1]))
    return hl_h5_fail (error, HL_ERROR_SHAPE,
                       "input/features: two dimensions, and n_real_frames of them, "
                       "expected");
  static const char *const attrs[] = { "n_real_frames", NULL };
  return input < 0 || hl_h5_stash_unknown (reader, input, links, attrs, FALSE, error);
}

static gboolean
read_recipe (
    HlH5Reader *reader, hid_t recipes, const char *key, HlTrace *trace, GError **error)
{
  static const char *const links[] = { "bias", "mask", "replacement", NULL };
  static const char *const attrs[] = { "scale",  "is_causal", "is_rotary",
                                       "window", "soft_cap",  NULL };
  HlRecipe recipe = { .rule.scale = 1 };
  GError *local = NULL;
  gint64 is_causal = 0, is_rotary = 0;
  HL_H5_AUTO hid_t group = hl_h5_open_group (recipes, key, TRUE, error);
  if (group < 0 || !hl_h5_read_attr_double (group, "scale", &recipe.rule.scale, error) ||
      !hl_h5_read_attr_int (group, "is_causal", &is_causal, error) ||
      !hl_h5_read_attr_int (group, "is_rotary", &is_rotary, error) ||
      !hl_h5_read_attr_int (group, "window", &recipe.rule.window, error) ||
      !hl_h5_read_attr_double (group, "soft_cap", &recipe.rule.soft_cap, error))
    return FALSE;
  recipe.rule.is_causal = is_causal != 0;
  /* Files of before this attribute only have it from what they kept. */
  g_autofree char *rotated = g_strdup_printf ("%s.hook_rot_q", key);
  recipe.is_rotary = is_rotary != 0 || hl_trace_get_site (trace, rotated) != NULL;
  g_autoptr (HlTensor) bias =
      hl_h5_read_tensor (reader, group, "bias", HL_DTYPE_F32, FALSE, NULL, &local);
  g_autoptr (HlTensor) mask =
      local == NULL
          ? hl_h5_read_tensor (reader, group, "mask", HL_DTYPE_F32, FALSE, NULL, &local)
          : NULL;
  g_autoptr (HlTensor) replacement =
      local == NULL ? hl_h5_read_tensor (reader, group, "replacement", HL_DTYPE_F32,
                                         FALSE, NULL, &local)
                    : NULL;
  if (local != NULL)
    {
      g_propagate_error (error, local);
      return FALSE;
    }
  if ((mask != NULL && mask->shape.n_dims != 3) ||
      (replacement != NULL && replacement->shape.n_dims != 3))
    {
      g_autofree char *path = hl_h5_path (group);
      return hl_h5_fail (error, HL_ERROR_SHAPE,
                         "%s: a mask and a replacement of three dimensions expected",
                         path);
    }
  if (bias != NULL && bias->shape.n_dims != 2)
    {
      g_autofree char *path = hl_h5_path (group);
      return hl_h5_fail (error, HL_ERROR_SHAPE, "%s: a bias of two dimensions expected",
                         path);
    }
  recipe.bias = bias;
  recipe.mask = mask;
  recipe.replacement = replacement;
  hl_trace_set_recipe (trace, key, &recipe);
  return hl_h5_stash_unknown (reader, group, links, attrs, FALSE, error);
}

/* Where a map is kept as Q, K and log-sum-exp, all three must be there. */
static gboolean
check_recipe_sites (const char *path,
                    const HlTrace *trace,
                    const char *key,
                    GError **error)
{
  const HlRecipe *recipe = hl_trace_get_recipe (trace, key);
  /* Suffixes without the "attn." that @key ends in. */
  const char *parts[] = { hl_recipe_q_suffix (recipe) + strlen ("attn."),
                          hl_recipe_k_suffix (recipe) + strlen ("attn."), "hook_lse" };
  g_autofree char *map = g_strdup_printf ("%s.hook_pattern", key);
  const char *missing = NULL;
  guint n_found = 0;
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    {
      g_autofree char *name = g_strdup_printf ("%s.%s", key, parts[i]);
      if (hl_trace_get_site (trace, name) != NULL)
        n_found++;
      else
        missing = parts[i];
    }
  if (missing == NULL || n_found == 0 || hl_trace_get_site (trace, map) != NULL)
    return TRUE;
  return hl_h5_fail (error, HL_ERROR_MISSING, "%s/sites/%s.%s: missing array", path, key,
                     missing);
}

static gboolean
read_recipes (
    HlH5Reader *reader, hid_t group, const char *path, HlTrace *trace, GError **error)
{
  GError *local = NULL;
  HL_H5_AUTO hid_t recipes = hl_h5_open_group (group, "recipes", FALSE, &local);
  if (recipes < 0)
    {
      if (local != NULL)
        g_propagate_error (error, local);
      return local == NULL;
    }
  g_autoptr (GPtrArray) names = hl_h5_list_links (recipes, error);
  if (names == NULL)
    return FALSE;
  for (guint i = 0; i < names->len; i++)
    if (!read_recipe (reader, recipes, g_ptr_array_index (names, i), trace, error) ||
        !check_recipe_sites (path, trace, g_ptr_array_index (names, i), error))
      return FALSE;
  return TRUE;
}

/* The model that a trace names, or one derived from its maps. */
static HlModelInfo *
find_model (HlH5Reader *reader,
            HlSession *session,
            hid_t group,
            const char *sites_path,
            GHashTable *tensors,
            GError **error)
{
  gint64 index = -1;
  if (!hl_h5_read_attr_int (group, "model", &index, error))
    return NULL;
  for (guint i = 0; i < session->models->len; i++)
    {
      const HlSessionModel *entry = g_ptr_array_index (session->models, i);
      if (entry->origin >= 0 && entry->origin == index)
        return hl_model_info_ref (entry->info);
    }
  if (index >= 0)
    {
      hl_h5_fail (error, HL_ERROR_MISSING,
                  "/models/%" G_GINT64_FORMAT
                  ": missing group, named by the attribute model of a trace",
                  index);
      return NULL;
    }
  g_autofree char *base = g_path_get_basename (reader->path);
  g_autofree char *name = g_utf8_make_valid (base, -1);
  HL_H5_AUTO hid_t root = H5Gopen2 (reader->file, "/", H5P_DEFAULT);
  if (!hl_h5_read_attr_string (root, "model_name", &name, error))
    return NULL;
  return hl_session_derive_model (sites_path, tensors, name, error);
}

static HlTrace *
read_trace (HlH5Reader *reader,
            HlSession *session,
            hid_t group,
            GHashTable *precision,
            GError **error)
{
  g_autofree char *path = hl_h5_path (group);
  g_autofree char *sites_path = g_strdup_printf ("%s/sites", path);
  g_autoptr (GHashTable) tensors = g_hash_table_new_full (
      g_str_hash, g_str_equal, g_free, (GDestroyNotify) hl_tensor_unref);
  GError *local = NULL;
  GHashTableIter iter;
  gpointer name, tensor;
  if (!read_sites (reader, group, tensors, precision, error) ||
      !check_captured (group, path, tensors, error))
    return NULL;
  g_autoptr (HlModelInfo) model =
      find_model (reader, session, group, sites_path, tensors, error);
  if (model == NULL)
    return NULL;
  g_autoptr (HlTrace) trace = hl_trace_new (model);
  g_hash_table_iter_init (&iter, tensors);
  while (g_hash_table_iter_next (&iter, &name, &tensor))
    hl_trace_set_site (trace, name, tensor);
  if (!read_trace_attrs (group, trace, error) ||
      !read_tokens (reader, group, trace, error) ||
      !read_input (reader, group, trace, error) ||
      !read_recipes (reader, group, path, trace, error) ||
      !hl_session_read_predictions (reader, group, trace, error))
    return NULL;
  trace->logits =
      hl_h5_read_tensor (reader, group, "logits", HL_DTYPE_F32, FALSE, NULL, &local);
  if (local != NULL)
    {
      g_propagate_error (error, local);
      return NULL;
    }
  if (trace->logits != NULL && trace->logits->shape.n_dims != 1)
    {
      g_autofree char *found = hl_shape_to_string (&trace->logits->shape);
      hl_h5_fail (error, HL_ERROR_SHAPE, "%s/logits: one dimension expected, %s found",
                  path, found);
      return NULL;
    }
  /* A foreign file need not say what its input was. */
  if (H5Aexists (group, "input_kind") <= 0)
    {
      g_free (trace->input_kind);
      trace->input_kind = g_strdup (trace->pixels != NULL ? "image" : "text");
    }
  if (!hl_session_check_maps (sites_path, trace, error) ||
      !hl_h5_stash_unknown (reader, group, trace_links, trace_attrs, FALSE, error))
    return NULL;
  return g_steal_pointer (&trace);
}

gboolean
hl_session_read_traces (HlH5Reader *reader, HlSession *session, GError **error)
{
  GError *local = NULL;
  HL_H5_AUTO hid_t traces = hl_h5_open_group (reader->file, "traces", FALSE, &local);
  if (traces < 0)
    {
      if (local != NULL)
        g_propagate_error (error, local);
      return local == NULL;
    }
  g_autoptr (GArray) numbers = hl_h5_list_numbered (traces, error);
  if (numbers == NULL)
    return FALSE;
  for (guint i = 0; i < numbers->len; i++)
    {
      int number = g_array_index (numbers, int, i);
      g_autofree char *name = g_strdup_printf ("%d", number);
      g_autoptr (GHashTable) precision =
          g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
      HL_H5_AUTO hid_t group = hl_h5_open_group (traces, name, TRUE, error);
      g_autoptr (HlTrace) trace =
          group >= 0 ? read_trace (reader, session, group, precision, error) : NULL;
      if (trace == NULL)
        return FALSE;
      hl_session_append_trace (session, trace, number, precision);
    }
  return hl_h5_stash_unknown (reader, traces, NULL, NULL, TRUE, error);
}
