/* SPDX-License-Identifier: MIT
 * The session: what a model must have been, judged by the maps it left; and whether maps,
 * tokens and model agree. */
#include "session/hl-session-private.h"

#include <string.h>

#define MAP_PREFIX "blocks."
#define MAP_SUFFIX ".attn.hook_pattern"
#define MAX_LAYERS 10000

/* The layer of "blocks.<l>.attn.hook_pattern"; -1 for any other name. */
static int
map_layer (const char *site)
{
  if (!g_str_has_prefix (site, MAP_PREFIX) || !g_str_has_suffix (site, MAP_SUFFIX))
    return -1;
  gsize length = strlen (site);
  const gsize fixed = strlen (MAP_PREFIX) + strlen (MAP_SUFFIX);
  if (length <= fixed)
    return -1;
  g_autofree char *number = g_strndup (site + strlen (MAP_PREFIX), length - fixed);
  return hl_h5_is_number (number) ? (int) g_ascii_strtoll (number, NULL, 10) : -1;
}

static HlTensor *
find_map (GHashTable *sites, int layer)
{
  g_autofree char *name = g_strdup_printf (MAP_PREFIX "%d" MAP_SUFFIX, layer);
  return g_hash_table_lookup (sites, name);
}

static gboolean
check_map_rank (const char *sites_path,
                const char *site,
                const HlTensor *map,
                GError **error)
{
  if (map->shape.n_dims == 3)
    return TRUE;
  g_autofree char *found = hl_shape_to_string (&map->shape);
  return hl_h5_fail (error, HL_ERROR_SHAPE,
                     "%s/%s: shape [heads, queries, keys] expected, %s found", sites_path,
                     site, found);
}

HlModelInfo *
hl_session_derive_model (const char *sites_path,
                         GHashTable *sites,
                         const char *name,
                         GError **error)
{
  int n_layers = 0;
  GHashTableIter iter;
  gpointer site;
  g_hash_table_iter_init (&iter, sites);
  while (g_hash_table_iter_next (&iter, &site, NULL))
    n_layers = MAX (n_layers, map_layer (site) + 1);
  if (n_layers == 0 || n_layers > MAX_LAYERS)
    {
      hl_h5_fail (error, n_layers == 0 ? HL_ERROR_MISSING : HL_ERROR_RANGE,
                  "%s/blocks.0.attn.hook_pattern: %s", sites_path,
                  n_layers == 0 ? "missing array" : "more than 10000 layers");
      return NULL;
    }
  g_autoptr (HlModelInfo) info = hl_model_info_new ();
  HlStack *stack = hl_model_info_add_stack (info, "", n_layers);
  for (int l = 0; l < n_layers; l++)
    {
      g_autofree char *key = g_strdup_printf (MAP_PREFIX "%d" MAP_SUFFIX, l);
      const HlTensor *map = find_map (sites, l);
      if (map == NULL)
        {
          hl_h5_fail (error, HL_ERROR_MISSING,
                      "%s/%s: missing array; there are maps up to layer %d", sites_path,
                      key, n_layers - 1);
          return NULL;
        }
      if (!check_map_rank (sites_path, key, map, error))
        return NULL;
      stack->layers[l].kind = HL_ATTENTION_SELF;
      stack->layers[l].n_heads = (int) MIN (map->shape.dim[0], 1 << 20);
      stack->layers[l].n_kv_heads = stack->layers[l].n_heads;
    }
  g_free (info->name);
  info->name = g_strdup (name);
  return g_steal_pointer (&info);
}

static gboolean
check_map (const char *sites_path,
           const char *site,
           const HlTensor *map,
           const HlLayerInfo *layer,
           int n_tokens,
           int n_keys,
           GError **error)
{
  if (!check_map_rank (sites_path, site, map, error))
    return FALSE;
  const gint64 *dim = map->shape.dim;
  if (dim[0] == layer->n_heads && dim[1] == n_tokens && dim[2] == n_keys)
    return TRUE;
  g_autofree char *found = hl_shape_to_string (&map->shape);
  return hl_h5_fail (error, HL_ERROR_SHAPE,
                     "%s/%s: shape [%d, %d, %d] expected for %d heads and %d tokens, %s "
                     "found",
                     sites_path, site, layer->n_heads, n_tokens, n_keys, layer->n_heads,
                     n_tokens, found);
}

gboolean
hl_session_check_maps (const char *sites_path, const HlTrace *trace, GError **error)
{
  for (guint s = 0; s < trace->model->stacks->len; s++)
    {
      const HlStack *stack = g_ptr_array_index (trace->model->stacks, s);
      const HlTokenTable *tokens = hl_trace_get_tokens (trace, (int) s);
      const HlTokenTable *keys = hl_trace_get_key_tokens (trace, (int) s);
      for (int l = 0; l < stack->n_layers && tokens != NULL && keys != NULL; l++)
        {
          g_autofree char *site =
              hl_trace_site_name (trace->model, (int) s, l, "attn.hook_pattern");
          const HlTensor *map = hl_trace_get_site (trace, site);
          if (map != NULL && !check_map (sites_path, site, map, &stack->layers[l],
                                         tokens->n_tokens, keys->n_tokens, error))
            return FALSE;
        }
    }
  return TRUE;
}
