/* SPDX-License-Identifier: MIT
 * The options that say which heads are pruned in every run. */
#include "config.h"

#include "cli-heads.h"

#include "base/hl-error.h"
#include "trace/hl-head-mask.h"

void
cli_heads_clear (CliHeads *heads)
{
  g_strfreev (heads->prune);
  g_free (heads->mask);
}

gboolean
cli_heads_parse_list (const char *text, int stack, GArray *heads, GError **error)
{
  g_auto (GStrv) words = g_strsplit (text, ",", -1);
  for (int i = 0; words[i] != NULL; i++)
    {
      HlHeadKey key = { 0 };
      gboolean is_good = hl_head_key_parse (g_strstrip (words[i]), &key);
      key.stack = stack;
      for (guint k = 0; is_good && k < heads->len; k++)
        {
          const HlHeadKey *other = &g_array_index (heads, HlHeadKey, k);
          is_good = other->layer != key.layer || other->head != key.head;
        }
      if (!is_good)
        {
          g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                       "--heads: LAYER.HEAD separated by commas, each once, expected, "
                       "\"%s\" found",
                       words[i]);
          return FALSE;
        }
      g_array_append_val (heads, key);
    }
  return TRUE;
}

GPtrArray *
cli_heads_interventions (const CliHeads *o, const HlModelInfo *info, GError **error)
{
  g_autoptr (GArray) heads = o->mask != NULL
                                 ? hl_head_mask_load (o->mask, info, error)
                                 : g_array_new (FALSE, FALSE, sizeof (HlHeadKey));
  const HlStack *stack = hl_model_info_get_stack (info, 0);
  if (heads == NULL)
    return NULL;
  for (int i = 0; o->prune != NULL && o->prune[i] != NULL; i++)
    {
      HlHeadKey key;
      if (!hl_head_key_parse (o->prune[i], &key) || key.layer >= stack->n_layers ||
          key.head >= stack->layers[key.layer].n_heads)
        {
          g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                       "--prune: LAYER.HEAD of a model with %d layers expected, \"%s\" "
                       "found",
                       stack->n_layers, o->prune[i]);
          return NULL;
        }
      g_array_append_val (heads, key);
    }
  return hl_head_mask_interventions (info, (const HlHeadKey *) (gpointer) heads->data,
                                     heads->len);
}
