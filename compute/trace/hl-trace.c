/* SPDX-License-Identifier: MIT
 * A trace: one recorded run. */
#include "trace/hl-trace.h"

#include <stdlib.h>
#include <string.h>

static void
recipe_free (gpointer data)
{
  HlRecipe *recipe = data;
  hl_tensor_unref (recipe->bias);
  hl_tensor_unref (recipe->mask);
  hl_tensor_unref (recipe->replacement);
  g_free (recipe);
}

HlTrace *
hl_trace_new (HlModelInfo *model)
{
  HlTrace *trace = g_new0 (HlTrace, 1);
  g_atomic_ref_count_init (&trace->refs);
  trace->model = hl_model_info_ref (model);
  trace->input_kind = g_strdup ("");
  trace->input_name = g_strdup ("");
  trace->input_path = g_strdup ("");
  trace->input_hash = g_strdup ("");
  trace->tokens = g_ptr_array_new_with_free_func ((GDestroyNotify) hl_token_table_unref);
  trace->sites = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                        (GDestroyNotify) hl_tensor_unref);
  trace->recipes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, recipe_free);
  trace->interventions = g_ptr_array_new_with_free_func (g_free);
  trace->backend = g_strdup ("");
  trace->precision = g_strdup ("");
  trace->created = g_strdup ("");
  trace->hash = g_strdup ("");
  return trace;
}

HlTrace *
hl_trace_ref (HlTrace *trace)
{
  g_atomic_ref_count_inc (&trace->refs);
  return trace;
}

void
hl_trace_unref (HlTrace *trace)
{
  if (trace == NULL || !g_atomic_ref_count_dec (&trace->refs))
    return;
  hl_model_info_unref (trace->model);
  g_free (trace->input_kind);
  g_free (trace->input_name);
  g_free (trace->input_path);
  g_free (trace->input_hash);
  hl_tensor_unref (trace->pixels);
  g_ptr_array_unref (trace->tokens);
  hl_tensor_unref (trace->logits);
  hl_predictions_unref (trace->predictions);
  g_free (trace->text);
  g_free (trace->target_text);
  hl_tensor_unref (trace->features);
  g_hash_table_unref (trace->sites);
  g_hash_table_unref (trace->recipes);
  g_ptr_array_unref (trace->interventions);
  g_free (trace->backend);
  g_free (trace->precision);
  g_free (trace->created);
  g_free (trace->hash);
  hl_trace_unref (trace->pieces);
  g_clear_pointer (&trace->words, g_ptr_array_unref);
  g_free (trace);
}

HlTensor *
hl_trace_get_site (const HlTrace *trace, const char *name)
{
  return g_hash_table_lookup (trace->sites, name);
}

void
hl_trace_set_site (HlTrace *trace, const char *name, HlTensor *tensor)
{
  g_hash_table_replace (trace->sites, g_strdup (name), hl_tensor_ref (tensor));
}

void
hl_trace_set_recipe (HlTrace *trace, const char *layer_key, const HlRecipe *recipe)
{
  HlRecipe *copy = g_memdup2 (recipe, sizeof *recipe);
  if (copy->bias != NULL)
    hl_tensor_ref (copy->bias);
  if (copy->mask != NULL)
    hl_tensor_ref (copy->mask);
  if (copy->replacement != NULL)
    hl_tensor_ref (copy->replacement);
  g_hash_table_replace (trace->recipes, g_strdup (layer_key), copy);
}

const HlRecipe *
hl_trace_get_recipe (const HlTrace *trace, const char *layer_key)
{
  return g_hash_table_lookup (trace->recipes, layer_key);
}

HlTokenTable *
hl_trace_get_tokens (const HlTrace *trace, int stack)
{
  if (stack < 0 || (guint) stack >= trace->tokens->len)
    return NULL;
  return g_ptr_array_index (trace->tokens, stack);
}

HlTokenTable *
hl_trace_get_key_tokens (const HlTrace *trace, int stack)
{
  const HlStack *tower = hl_model_info_get_stack (trace->model, stack);
  return hl_trace_get_tokens (trace, tower != NULL ? tower->key_stack : stack);
}

/* TransformerLens' names of what lies around a cross-attention. */
static char *
cross_suffix (const char *suffix)
{
  if (g_str_has_prefix (suffix, "attn"))
    return g_strconcat ("cross_", suffix, NULL);
  if (g_str_equal (suffix, "hook_attn_out"))
    return g_strdup ("hook_cross_attn_out");
  return g_strconcat (suffix, "_cross", NULL);
}

char *
hl_trace_site_name (const HlModelInfo *model, int stack, int layer, const char *suffix)
{
  const HlStack *tower = hl_model_info_get_stack (model, stack);
  const char *name = tower != NULL ? tower->tower : "";
  g_autofree char *own =
      tower != NULL && tower->is_cross ? cross_suffix (suffix) : g_strdup (suffix);
  return g_strdup_printf ("%s%sblocks.%d.%s", name, name[0] != '\0' ? "." : "", layer,
                          own);
}

gsize
hl_trace_attention_bytes (const HlTrace *trace)
{
  static const char *const suffixes[] = { "attn.hook_pattern", "attn.hook_q",
                                          "attn.hook_k",       "attn.hook_rot_q",
                                          "attn.hook_rot_k",   "attn.hook_lse" };
  GHashTableIter iter;
  gpointer name, tensor;
  gsize bytes = 0;
  g_hash_table_iter_init (&iter, trace->sites);
  while (g_hash_table_iter_next (&iter, &name, &tensor))
    for (guint i = 0; i < G_N_ELEMENTS (suffixes); i++)
      if (g_str_has_suffix (name, suffixes[i]))
        bytes += hl_tensor_size_bytes (tensor);
  return bytes;
}

const char *
hl_recipe_q_suffix (const HlRecipe *recipe)
{
  return recipe->is_rotary ? "attn.hook_rot_q" : "attn.hook_q";
}

const char *
hl_recipe_k_suffix (const HlRecipe *recipe)
{
  return recipe->is_rotary ? "attn.hook_rot_k" : "attn.hook_k";
}

/* ---- interventions --------------------------------------------------------------------
 */

static int
by_words (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

gboolean
hl_trace_has_interventions (const HlTrace *trace, const char *words)
{
  g_auto (GStrv) wanted = g_strsplit (words, "; ", -1);
  guint n = words[0] != '\0' ? g_strv_length (wanted) : 0;
  if (n != trace->interventions->len)
    return FALSE;
  g_autofree char **found = g_memdup2 (trace->interventions->pdata, sizeof (char *) * n);
  if (n > 0)
    {
      qsort (wanted, n, sizeof (char *), by_words);
      qsort (found, n, sizeof (char *), by_words);
    }
  for (guint i = 0; i < n; i++)
    if (strcmp (wanted[i], found[i]) != 0)
      return FALSE;
  return TRUE;
}
