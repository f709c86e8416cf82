/* SPDX-License-Identifier: MIT
 * A set of heads that are pruned, as a file. */
#include "trace/hl-head-mask.h"

#include "base/hl-error.h"
#include "io/hl-json.h"

#include <stdio.h>

gboolean
hl_head_key_parse (const char *text, HlHeadKey *key)
{
  int layer, head, end = 0;
  if (text == NULL || sscanf (text, "%d.%d%n", &layer, &head, &end) != 2 ||
      text[end] != '\0' || layer < 0 || head < 0 || !g_ascii_isdigit (text[0]))
    return FALSE;
  *key = (HlHeadKey){ 0, layer, head };
  return TRUE;
}

gboolean
hl_head_mask_save (const char *path,
                   const HlModelInfo *model,
                   const HlHeadKey *heads,
                   guint n_heads,
                   GError **error)
{
  for (guint i = 0; i < n_heads; i++)
    if (heads[i].stack != 0)
      {
        g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                     "%s: a mask is of heads of the first stack; head %d.%d of \"%s\" "
                     "found",
                     path, heads[i].layer, heads[i].head,
                     hl_model_info_get_stack (model, heads[i].stack)->name);
        return FALSE;
      }
  json_t *list = json_array ();
  for (guint i = 0; i < n_heads; i++)
    json_array_append_new (list, json_sprintf ("%d.%d", heads[i].layer, heads[i].head));
  json_t *mask = json_pack ("{s:i, s:s, s:o}", "headlight_mask", HL_HEAD_MASK_FORMAT,
                            "model", model->name, "heads", list);
  char *text = json_dumps (mask, JSON_INDENT (2));
  gboolean ok = g_file_set_contents (path, text, -1, error);
  free (text);
  json_decref (mask);
  return ok;
}

static gboolean
is_there (const HlModelInfo *model, const HlHeadKey *key)
{
  const HlStack *stack = hl_model_info_get_stack (model, 0);
  return key->layer < stack->n_layers && key->head < stack->layers[key->layer].n_heads;
}

static gboolean
has (const GArray *heads, const HlHeadKey *key)
{
  for (guint i = 0; i < heads->len; i++)
    {
      const HlHeadKey *other = &g_array_index (heads, HlHeadKey, i);
      if (other->layer == key->layer && other->head == key->head)
        return TRUE;
    }
  return FALSE;
}

GArray *
hl_head_mask_load (const char *path, const HlModelInfo *model, GError **error)
{
  gint64 format;
  g_autoptr (json_t) mask = hl_json_load_file (path, error);
  g_autoptr (GArray) heads = g_array_new (FALSE, FALSE, sizeof (HlHeadKey));
  if (mask == NULL || !hl_json_get_int (mask, "headlight_mask", TRUE, 0, 1,
                                        HL_HEAD_MASK_FORMAT, path, &format, error))
    return NULL;
  const json_t *list = json_object_get (mask, "heads");
  if (!json_is_array (list))
    {
      g_autofree char *found = hl_json_describe (list);
      g_set_error (error, HL_ERROR, HL_ERROR_FORMAT,
                   "%s: field \"heads\": a list of heads such as \"5.1\" expected, %s "
                   "found",
                   path, found);
      return NULL;
    }
  for (size_t i = 0; i < json_array_size (list); i++)
    {
      HlHeadKey key;
      const json_t *value = json_array_get (list, i);
      if (!hl_head_key_parse (json_string_value (value), &key) || !is_there (model, &key))
        {
          g_autofree char *found = hl_json_describe (value);
          g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                       "%s: head %d of the list: one of %s expected, %s found", path,
                       (int) i, model->name, found);
          return NULL;
        }
      if (!has (heads, &key))
        g_array_append_val (heads, key);
    }
  return g_steal_pointer (&heads);
}

GPtrArray *
hl_head_mask_interventions (const HlModelInfo *model,
                            const HlHeadKey *heads,
                            guint n_heads)
{
  GPtrArray *list =
      g_ptr_array_new_with_free_func ((GDestroyNotify) hl_intervention_unref);
  for (guint i = 0; i < n_heads; i++)
    g_ptr_array_add (list, hl_intervention_new_scale_head (
                               model, heads[i].stack, heads[i].layer, heads[i].head, 0));
  return list;
}
