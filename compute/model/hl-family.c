/* SPDX-License-Identifier: MIT
 * The table of families. */
#include "model/hl-family.h"

#include "base/hl-error.h"

static const HlFamily *const families[] = { &hl_family_vit, &hl_family_gpt2,
                                            &hl_family_llama };

HlTokenTable *
hl_input_dup_tokens (gpointer data, const HlInput *input, int stack)
{
  return hl_token_table_ref (input->tokens);
}

const HlFamily *
hl_family_find (const char *model_type, GError **error)
{
  g_autoptr (GString) known = g_string_new (NULL);
  for (guint i = 0; i < G_N_ELEMENTS (families); i++)
    for (int j = 0; families[i]->model_types[j] != NULL; j++)
      {
        if (g_str_equal (families[i]->model_types[j], model_type))
          return families[i];
        g_string_append_printf (known, "%s%s", known->len > 0 ? ", " : "",
                                families[i]->model_types[j]);
      }
  g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
               "config.json: field \"model_type\": one of %s expected, \"%s\" found: "
               "this family is not known yet",
               known->str, model_type);
  return NULL;
}

const HlFamily *
hl_family_get_nth (guint index)
{
  return index < G_N_ELEMENTS (families) ? families[index] : NULL;
}
