/* SPDX-License-Identifier: MIT
 * One input after the processor. */
#include "model/hl-input.h"

#include "base/hl-hash.h"

HlInput *
hl_input_new_image (const char *path, HlTensor *pixel_values, HlTensor *shown)
{
  HlInput *input = g_new0 (HlInput, 1);
  g_atomic_ref_count_init (&input->refs);
  input->kind = "image";
  input->name = path[0] != '\0' ? g_path_get_basename (path) : g_strdup ("");
  input->path = g_strdup (path);
  input->pixel_values = hl_tensor_ref (pixel_values);
  input->shown = shown != NULL ? hl_tensor_ref (shown) : NULL;
  g_autofree char *shape = hl_shape_to_string (&pixel_values->shape);
  g_autofree char *numbers =
      hl_hash_bytes (pixel_values->data, hl_tensor_size_bytes (pixel_values));
  input->hash = hl_hash_strings (input->kind, shape, numbers, NULL);
  return input;
}

HlInput *
hl_input_new_text (const char *name,
                   const char *path,
                   HlTensor *ids,
                   HlTokenTable *tokens,
                   const char *text)
{
  HlInput *input = g_new0 (HlInput, 1);
  g_atomic_ref_count_init (&input->refs);
  input->kind = "text";
  input->name = g_strdup (name);
  input->path = g_strdup (path);
  input->ids = hl_tensor_ref (ids);
  input->tokens = hl_token_table_ref (tokens);
  input->text = g_strdup (text);
  input->n_all_tokens = ids->shape.dim[1];
  g_autofree char *numbers = hl_hash_bytes (ids->data, hl_tensor_size_bytes (ids));
  input->hash = hl_hash_strings (input->kind, numbers, NULL);
  return input;
}

void
hl_input_set_source (HlInput *input,
                     HlTensor *source_ids,
                     HlTensor *features,
                     HlTokenTable *source_tokens)
{
  HlTensor *source = source_ids != NULL ? source_ids : features;
  input->kind = features != NULL ? "audio" : "text";
  input->source_ids = source_ids != NULL ? hl_tensor_ref (source_ids) : NULL;
  input->features = features != NULL ? hl_tensor_ref (features) : NULL;
  input->source_tokens = hl_token_table_ref (source_tokens);
  if (source_ids != NULL)
    input->n_all_tokens = source_ids->shape.dim[1];
  g_autofree char *numbers = hl_hash_bytes (source->data, hl_tensor_size_bytes (source));
  g_autofree char *target = g_steal_pointer (&input->hash);
  input->hash = hl_hash_strings (input->kind, target, numbers, NULL);
}

void
hl_input_copy_recording (HlInput *input, const HlInput *from)
{
  input->n_real_frames = from->n_real_frames;
  input->window = from->window;
  input->n_windows = from->n_windows;
  input->seconds = from->seconds;
  g_free (input->language);
  input->language = g_strdup (from->language);
  input->language_prob = from->language_prob;
  g_free (input->warning);
  input->warning = g_strdup (from->warning);
}

char *
hl_input_dup_first_text (const HlInput *input, const char *second)
{
  const char *text = input->text != NULL ? input->text : "";
  g_autofree char *end = g_strconcat ("\n", second, NULL);
  gsize n = strlen (text);
  return g_str_has_suffix (text, end) ? g_strndup (text, n - strlen (end))
                                      : g_strdup (text);
}

gboolean
hl_input_is_cut (const HlInput *input)
{
  const HlTensor *read = input->source_ids != NULL ? input->source_ids : input->ids;
  return read != NULL && input->n_all_tokens > read->shape.dim[1];
}

HlInput *
hl_input_ref (HlInput *input)
{
  g_atomic_ref_count_inc (&input->refs);
  return input;
}

void
hl_input_unref (HlInput *input)
{
  if (input == NULL || !g_atomic_ref_count_dec (&input->refs))
    return;
  g_free (input->name);
  g_free (input->path);
  g_free (input->hash);
  hl_tensor_unref (input->pixel_values);
  hl_tensor_unref (input->shown);
  hl_tensor_unref (input->ids);
  hl_token_table_unref (input->tokens);
  g_free (input->text);
  hl_tensor_unref (input->source_ids);
  hl_token_table_unref (input->source_tokens);
  hl_tensor_unref (input->features);
  g_free (input->target_text);
  g_free (input->language);
  g_free (input->warning);
  g_free (input);
}
