/* SPDX-License-Identifier: MIT
 * Golden models with the input their expected numbers were made of. */
#pragma once

#include "io/hl-safetensors.h"
#include "model/hl-model-text.h"

/* The folder of @name, which for the second tower of a model ends in "#text". */
static inline char *
golden_folder (const char *name)
{
  g_auto (GStrv) parts = g_strsplit (name, "#", 2);
  return g_test_build_filename (G_TEST_DIST, "golden", "models", parts[0], NULL);
}

static inline gboolean
golden_is_second (const char *name)
{
  return g_str_has_suffix (name, "#text");
}

/* A file of golden model @name: (transfer full). */
static inline HlSafetensors *
golden_open_file (const char *name, const char *file)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = golden_folder (name);
  g_autofree char *path = g_build_filename (folder, file, NULL);
  HlSafetensors *opened = hl_safetensors_open (path, &error);
  g_assert_no_error (error);
  return opened;
}

static inline HlSafetensors *
golden_open_expected (const char *name)
{
  return golden_open_file (name, golden_is_second (name) ? "expected-text.safetensors"
                                                         : "expected.safetensors");
}

/* What the reference says of @key, or was given: (transfer full). */
static inline HlTensor *
golden_expected (const char *name, const char *key)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlSafetensors) file = golden_open_expected (name);
  HlTensor *t = hl_safetensors_get (file, key, &error);
  g_assert_no_error (error);
  return t;
}

/* @n tokens that are called by their numbers: (transfer full). */
static inline HlTokenTable *
golden_tokens (gint64 n)
{
  HlTokenTable *tokens = hl_token_table_new ((int) n);
  for (int i = 0; i < tokens->n_tokens; i++)
    tokens->tokens[i].text = g_strdup_printf ("%d", i);
  return tokens;
}

/* Both (transfer full). */
static inline void
golden_open_model (const char *name, HlModel **model, HlInput **input)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = golden_folder (name);
  *model = hl_model_open_for (folder, golden_is_second (name) ? "text" : NULL, &error);
  g_assert_no_error (error);
  gboolean is_text = !g_str_equal (hl_model_get_info (*model)->input_kind, "image");
  g_autoptr (HlTensor) given =
      golden_expected (name, is_text ? "input_ids" : "pixel_values");
  *input = is_text
               ? hl_model_open_ids (*model, given->data, hl_tensor_count (given), &error)
               : hl_input_new_image ("golden", given, NULL);
  g_assert_no_error (error);
  g_autoptr (HlSafetensors) file = golden_open_expected (name);
  if (hl_safetensors_lookup (file, "source_ids") != NULL)
    {
      g_autoptr (HlTensor) source = golden_expected (name, "source_ids");
      g_autoptr (HlTokenTable) tokens = golden_tokens (source->shape.dim[1]);
      hl_input_set_source (*input, source, NULL, tokens);
    }
  if (hl_safetensors_lookup (file, "input_features") != NULL)
    {
      g_autoptr (HlTensor) source = golden_expected (name, "input_features");
      g_autoptr (HlTokenTable) tokens = golden_tokens (source->shape.dim[2] / 2);
      hl_input_set_source (*input, NULL, source, tokens);
    }
  if (hl_safetensors_lookup (file, "token_type_ids") == NULL)
    return;
  g_autoptr (HlTensor) types = golden_expected (name, "token_type_ids");
  for (int t = 0; t < (*input)->tokens->n_tokens; t++)
    (*input)->tokens->tokens[t].segment = ((const gint32 *) types->data)[t];
}
