/* SPDX-License-Identifier: MIT
 * What there is to know of a model without its weights. */
#include "model/hl-model-info.h"

#include "base/hl-error.h"

#include <string.h>

static void
stack_free (gpointer data)
{
  HlStack *stack = data;
  g_free (stack->name);
  g_free (stack->tower);
  g_free (stack->layers);
  g_free (stack);
}

HlModelInfo *
hl_model_info_new (void)
{
  HlModelInfo *info = g_new0 (HlModelInfo, 1);
  g_atomic_ref_count_init (&info->refs);
  info->path = g_strdup ("");
  info->name = g_strdup ("");
  info->revision = g_strdup ("");
  info->identity = g_strdup ("");
  info->family = g_strdup ("");
  info->family_title = g_strdup ("");
  info->dtype = g_strdup ("");
  info->config_json = g_strdup ("");
  info->input_kind = g_strdup ("");
  info->other_kind = g_strdup ("");
  info->stacks = g_ptr_array_new_with_free_func (stack_free);
  return info;
}

HlModelInfo *
hl_model_info_ref (HlModelInfo *info)
{
  g_atomic_ref_count_inc (&info->refs);
  return info;
}

void
hl_model_info_unref (HlModelInfo *info)
{
  if (info == NULL || !g_atomic_ref_count_dec (&info->refs))
    return;
  g_free (info->path);
  g_free (info->name);
  g_free (info->revision);
  g_free (info->identity);
  g_free (info->family);
  g_free (info->family_title);
  g_free (info->dtype);
  g_free (info->config_json);
  g_free (info->input_kind);
  g_free (info->other_kind);
  g_strfreev (info->labels);
  g_ptr_array_unref (info->stacks);
  g_free (info);
}

HlStack *
hl_model_info_add_stack (HlModelInfo *info, const char *name, int n_layers)
{
  HlStack *stack = g_new0 (HlStack, 1);
  stack->name = g_strdup (name);
  stack->tower = g_strdup (name);
  stack->key_stack = (int) info->stacks->len;
  stack->n_layers = n_layers;
  stack->layers = g_new0 (HlLayerInfo, MAX (n_layers, 1));
  g_ptr_array_add (info->stacks, stack);
  return stack;
}

HlStack *
hl_model_info_add_cross (HlModelInfo *info, int queries, int keys, int n_layers)
{
  HlStack *stack = hl_model_info_add_stack (info, "cross", n_layers);
  g_free (stack->tower);
  stack->tower = g_strdup (hl_model_info_get_stack (info, queries)->name);
  stack->is_cross = TRUE;
  stack->key_stack = keys;
  return stack;
}

const HlStack *
hl_model_info_get_stack (const HlModelInfo *info, int stack)
{
  if (stack < 0 || (guint) stack >= info->stacks->len)
    return NULL;
  return g_ptr_array_index (info->stacks, stack);
}

gboolean
hl_model_info_check_one_tower (const HlModelInfo *info, const char *what, GError **error)
{
  if (info->readout_stack == 0)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
               "%s: a model of one tower expected, an encoder with a decoder found: %s",
               what, info->name);
  return FALSE;
}

static const char *const predicts_names[] = { "", "next", "own" };

const char *
hl_predicts_name (HlPredicts predicts)
{
  return predicts_names[predicts];
}

HlPredicts
hl_predicts_from_name (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (predicts_names); i++)
    if (g_strcmp0 (predicts_names[i], name) == 0)
      return (HlPredicts) i;
  return HL_PREDICTS_NOTHING;
}

HlKeySpan
hl_layer_keys_seen (const HlLayerInfo *layer, gint64 query, gint64 Tq, gint64 Tk)
{
  gint64 at = query + Tk - Tq, window = layer->window;
  gint64 end = layer->is_causal ? at + 1 : window > 0 ? at + window : Tk;
  HlKeySpan span = { 0, CLAMP (end, 0, Tk) };
  if (window > 0)
    span.first = CLAMP (at - window + 1, 0, span.end);
  return span;
}

const char *
hl_model_info_file_name (const HlModelInfo *info)
{
  const char *slash = strrchr (info->name, '/');
  return slash != NULL ? slash + 1 : info->name;
}

int
hl_model_info_count_heads (const HlModelInfo *info)
{
  int count = 0;
  for (guint s = 0; s < info->stacks->len; s++)
    {
      const HlStack *stack = g_ptr_array_index (info->stacks, s);
      for (int l = 0; l < stack->n_layers; l++)
        count += stack->layers[l].n_heads;
    }
  return count;
}
