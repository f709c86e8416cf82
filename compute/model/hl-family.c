/* SPDX-License-Identifier: MIT
 * The table of families. */
#include "model/hl-family.h"

#include "base/hl-error.h"

/* Of two towers of one type the one of pictures stands first. */
static const HlFamily *const families[] = {
  &hl_family_vit,       &hl_family_deit,       &hl_family_dinov2,      &hl_family_clip,
  &hl_family_clip_text, &hl_family_siglip,     &hl_family_siglip_text, &hl_family_bert,
  &hl_family_roberta,   &hl_family_distilbert, &hl_family_albert,      &hl_family_mpnet,
  &hl_family_gpt2,      &hl_family_llama,      &hl_family_gemma,       &hl_family_gemma2,
  &hl_family_gemma3,    &hl_family_gpt_neox,   &hl_family_mistral,     &hl_family_olmo2,
  &hl_family_opt,       &hl_family_phi3,       &hl_family_qwen2,       &hl_family_qwen3,
  &hl_family_smollm3,   &hl_family_bart,       &hl_family_marian,      &hl_family_t5,
  &hl_family_whisper,
};

HlTokenTable *
hl_input_dup_tokens (gpointer data, const HlInput *input, int stack)
{
  return hl_token_table_ref (input->tokens);
}

gint64
hl_input_last_row (gpointer data, const HlInput *input)
{
  return input->ids->shape.dim[1] - 1;
}

static gboolean
takes_type (const HlFamily *family, const char *model_type)
{
  return g_strv_contains (family->model_types, model_type);
}

static const HlFamily *
first_with (const char *model_type)
{
  guint i = 0;
  while (!takes_type (families[i], model_type))
    i++;
  return families[i];
}

const HlFamily *
hl_family_find_other (const char *model_type, const HlFamily *family)
{
  for (guint i = 0; i < G_N_ELEMENTS (families); i++)
    if (families[i] != family && takes_type (families[i], model_type))
      return families[i];
  return NULL;
}

const HlFamily *
hl_family_find (const char *model_type, const char *input_kind, GError **error)
{
  g_autoptr (GString) known = g_string_new (NULL);
  const HlFamily *other = NULL;
  for (guint i = 0; i < G_N_ELEMENTS (families); i++)
    {
      if (takes_type (families[i], model_type))
        {
          if (input_kind == NULL || g_str_equal (families[i]->input_kind, input_kind))
            return families[i];
          other = families[i];
        }
      for (int j = 0; families[i]->model_types[j] != NULL; j++)
        if (first_with (families[i]->model_types[j]) == families[i])
          g_string_append_printf (known, "%s%s", known->len > 0 ? ", " : "",
                                  families[i]->model_types[j]);
    }
  if (other != NULL)
    g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                 "config.json: field \"model_type\": a model that takes %s expected, "
                 "\"%s\" found, which takes %s",
                 input_kind, model_type, other->input_kind);
  else
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
