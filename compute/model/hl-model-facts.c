/* SPDX-License-Identifier: MIT
 * What there is to say of an opened model. */
#include "model/hl-model-facts.h"

#include "model/hl-model-private.h"
#include "model/hl-model-text.h"

#include <string.h>

static void
type_free (gpointer data)
{
  HlTypeShare *share = data;
  g_free (share->dtype);
  g_free (share);
}

static void
file_free (gpointer data)
{
  HlModelFile *file = data;
  g_free (file->name);
  g_free (file);
}

void
hl_model_facts_free (HlModelFacts *facts)
{
  g_free (facts->model_type);
  g_ptr_array_unref (facts->types);
  g_ptr_array_unref (facts->files);
  g_free (facts->tokenizer_kind);
  g_free (facts->tokenizer_error);
  g_free (facts);
}

static int
most_first (gconstpointer a, gconstpointer b)
{
  const HlTypeShare *const *left = a, *const *right = b;
  if ((*left)->n_numbers != (*right)->n_numbers)
    return (*left)->n_numbers > (*right)->n_numbers ? -1 : 1;
  return strcmp ((*left)->dtype, (*right)->dtype);
}

static HlTypeShare *
find_type (GPtrArray *types, const char *dtype)
{
  for (guint i = 0; i < types->len; i++)
    {
      HlTypeShare *share = g_ptr_array_index (types, i);
      if (g_str_equal (share->dtype, dtype))
        return share;
    }
  HlTypeShare *share = g_new0 (HlTypeShare, 1);
  share->dtype = g_strdup (dtype);
  g_ptr_array_add (types, share);
  return share;
}

static void
count_files (HlModelFacts *facts, const HlSafetensors *st)
{
  for (guint i = 0; i < hl_safetensors_get_n_tensors (st); i++)
    {
      const HlTensorInfo *info = hl_safetensors_get_nth (st, i);
      find_type (facts->types, info->file_dtype)->n_numbers +=
          hl_shape_count (&info->shape);
    }
  g_ptr_array_sort (facts->types, most_first);
  for (guint i = 0; i < hl_safetensors_get_n_files (st); i++)
    {
      HlModelFile *file = g_new0 (HlModelFile, 1);
      file->name = g_strdup (hl_safetensors_get_file (st, i, &file->size_bytes));
      facts->size_bytes += file->size_bytes;
      g_ptr_array_add (facts->files, file);
    }
}

/* What kind it is, its file says also where it cannot be read. */
static char *
name_tokenizer (const char *folder)
{
  static const struct
  {
    const char *file;
    const char *kind;
  } others[] = {
    { "vocab.json", "BPE" },
    { "vocab.txt", "WordPiece" },
    { "tokenizer.model", "SentencePiece" },
    { "spiece.model", "SentencePiece" },
    { "sentencepiece.bpe.model", "SentencePiece" },
  };
  g_autofree char *path = g_build_filename (folder, "tokenizer.json", NULL);
  g_autoptr (json_t) json = hl_json_load_file_real (path, NULL);
  const json_t *model = json_object_get (json, "model");
  const char *type = json_string_value (json_object_get (model, "type"));
  if (type != NULL)
    return g_strdup (type);
  if (json_is_array (json_object_get (model, "merges")))
    return g_strdup ("BPE"); /* older files leave the type out */
  if (g_file_test (path, G_FILE_TEST_EXISTS))
    return g_strdup ("tokenizer.json");
  for (gsize i = 0; i < G_N_ELEMENTS (others); i++)
    {
      g_autofree char *other = g_build_filename (folder, others[i].file, NULL);
      if (g_file_test (other, G_FILE_TEST_EXISTS))
        return g_strdup (others[i].kind);
    }
  return g_strdup ("");
}

static void
describe_tokenizer (HlModelFacts *facts, const HlModel *model)
{
  g_autoptr (GError) error = NULL;
  HlTokenizer *tokenizer = hl_model_get_tokenizer (model, &error);
  facts->tokenizer_kind = name_tokenizer (model->info->path);
  if (tokenizer != NULL)
    facts->n_tokens = hl_tokenizer_get_n_tokens (tokenizer);
  else
    facts->tokenizer_error = g_strdup (error->message);
}

HlModelFacts *
hl_model_facts_new (const HlModel *model)
{
  HlModelFacts *facts = g_new0 (HlModelFacts, 1);
  const char *text = model->info->config_json;
  g_autoptr (json_t) config =
      hl_json_load_bytes (text, strlen (text), "config.json", NULL, NULL);
  const char *type = json_string_value (json_object_get (config, "model_type"));
  facts->model_type = g_strdup (type != NULL ? type : "");
  facts->types = g_ptr_array_new_with_free_func (type_free);
  facts->files = g_ptr_array_new_with_free_func (file_free);
  count_files (facts, hl_weights_get_files (model->weights));
  if (model->audio != NULL)
    {
      facts->recording_rate = model->audio->rate;
      facts->recording_window_s = model->audio->window_s;
      facts->recording_bands = model->audio->n_mels;
    }
  if (model->info->n_vocab > 0)
    describe_tokenizer (facts, model);
  else
    facts->tokenizer_kind = g_strdup ("");
  return facts;
}
