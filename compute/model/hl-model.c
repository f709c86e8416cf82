/* SPDX-License-Identifier: MIT
 * Opening a model: config, weights, family. */
#include "model/hl-model-private.h"

#include "base/hl-error.h"
#include "base/hl-hash.h"
#include "base/hl-hub.h"
#include "io/hl-image.h"
#include "io/hl-weight-files.h"
#include "model/hl-family-nearest.h"
#include "model/hl-quantisation.h"

#include <math.h>

HlModel *
hl_model_ref (HlModel *model)
{
  g_atomic_ref_count_inc (&model->refs);
  return model;
}

void
hl_model_unref (HlModel *model)
{
  if (model == NULL || !g_atomic_ref_count_dec (&model->refs))
    return;
  if (model->data != NULL)
    model->family->free_data (model->data);
  g_clear_pointer (&model->weights, hl_weights_free);
  hl_model_info_unref (model->info);
  hl_generation_rules_free (model->rules);
  g_clear_pointer (&model->audio, hl_audio_processor_unref);
  g_clear_pointer (&model->tokenizer, hl_tokenizer_unref);
  g_clear_error (&model->tokenizer_error);
  g_free (model);
}

HlModelInfo *
hl_model_get_info (const HlModel *model)
{
  return model->info;
}

/* A file inside a model's folder stands for the folder. */
static char *
folder_of (const char *path)
{
  if (g_file_test (path, G_FILE_TEST_IS_REGULAR))
    return g_path_get_dirname (path);
  return g_strdup (path);
}

static void
read_labels (HlModelInfo *info, const json_t *config)
{
  const json_t *names = json_object_get (config, "id2label");
  gsize n = json_object_size (names);
  if (n == 0 || n > 1000000)
    return;
  g_auto (GStrv) labels = g_new0 (char *, n + 1);
  for (gsize i = 0; i < n; i++)
    {
      g_autofree char *key = g_strdup_printf ("%" G_GSIZE_FORMAT, i);
      const char *name = json_string_value (json_object_get (names, key));
      if (name == NULL)
        return;
      labels[i] = g_strdup (name);
    }
  info->labels = g_steal_pointer (&labels);
}

static void
set (char **field, char *value)
{
  g_free (*field);
  *field = value;
}

static void
fill_info (HlModel *model, const char *folder, const json_t *config, HlSafetensors *st)
{
  HlModelInfo *info = model->info;
  g_autoptr (GFile) file = g_file_new_for_path (folder);
  char *name = NULL, *revision = NULL;
  set (&info->path, g_file_get_path (file));
  hl_hub_identify (info->path, &name, &revision);
  set (&info->name, name != NULL ? name : g_file_get_basename (file));
  set (&info->revision, revision);
  set (&info->family, g_strdup (model->family->id));
  set (&info->family_title, g_strdup (model->family->title));
  char *text = json_dumps (config, JSON_SORT_KEYS | JSON_COMPACT);
  set (&info->config_json, g_strdup (text));
  free (text);
  g_autofree char *weights = hl_safetensors_identity (st);
  set (&info->identity, hl_hash_strings (weights, info->config_json, NULL));
  set (&info->input_kind, g_strdup (model->family->input_kind));
  info->n_params = hl_safetensors_get_n_parameters (st);
}

/* Two towers of one folder are two models; the first has the identity of the files. */
static void
name_other_tower (HlModel *model, const char *model_type)
{
  HlModelInfo *info = model->info;
  const HlFamily *other = hl_family_find_other (model_type, model->family);
  set (&info->other_kind, g_strdup (other != NULL ? other->input_kind : ""));
  if (hl_family_find (model_type, NULL, NULL) != model->family)
    set (&info->identity, hl_hash_strings (info->identity, model->family->id, NULL));
}

/* A model whose tokenizer cannot be read still runs on tokens; who brings a text is told
 * why. */
static void
open_tokenizer (HlModel *model, const char *folder)
{
  model->tokenizer = hl_tokenizer_open (folder, &model->tokenizer_error);
}

/* The folder of @path: a cached model's, where nothing else is called so. */
static char *
find_folder (const char *path, GError **error)
{
  gboolean is_there = g_file_test (path, G_FILE_TEST_EXISTS);
  g_autoptr (GError) cause = NULL;
  char *cached = hl_hub_find (path, &cause);
  if (cached != NULL)
    return cached;
  if (is_there && cause == NULL)
    return folder_of (path);
  if (cause != NULL)
    g_propagate_error (error, g_steal_pointer (&cause));
  else if (hl_hub_could_be_name (path))
    {
      g_autofree char *cache = hl_hub_folder ();
      g_set_error (error, HL_ERROR, HL_ERROR_MISSING,
                   "%s: a model's folder expected, or a model in the cache %s; nothing "
                   "found there",
                   path, cache);
    }
  else
    g_set_error (error, HL_ERROR, HL_ERROR_MISSING,
                 "%s: a model's folder expected, nothing found there", path);
  return NULL;
}

/* A single file of weights that was named, or the only ones in a folder, say why they are
 * refused, before anything is said of what else is missing there. */
static gboolean
check_kind (const char *path, const char *folder, GError **error)
{
  g_autofree char *base = g_path_get_basename (path);
  HlWeightsKind kind = g_file_test (path, G_FILE_TEST_IS_REGULAR)
                           ? hl_weights_kind_of_file (base)
                           : HL_WEIGHTS_NONE;
  if (kind == HL_WEIGHTS_PICKLE && !g_str_has_suffix (path, ".json"))
    {
      /* What it really is, its first bytes say. */
      g_autoptr (HlSafetensors) st = hl_safetensors_open (path, error);
      return st != NULL;
    }
  if (kind > HL_WEIGHTS_SAFETENSORS)
    {
      hl_weights_refuse (path, kind, error);
      return FALSE;
    }
  g_auto (HlWeightFiles) files = { 0 };
  hl_weight_files_look (folder, &files);
  if (files.kind <= HL_WEIGHTS_SAFETENSORS)
    return TRUE;
  g_autofree char *file = g_build_filename (folder, files.name, NULL);
  hl_weights_refuse (file, files.kind, error);
  return FALSE;
}

/* The family of config.json; @error says where that lies. */
static const HlFamily *
find_family (const char *folder,
             const json_t *config,
             const char *input_kind,
             GError **error)
{
  const char *type = NULL;
  g_autoptr (GError) unknown = NULL;
  const HlFamily *family = NULL;
  if (!hl_json_get_string (config, "model_type", TRUE, NULL, "config.json", &type, error))
    g_prefix_error (error, "%s: ", folder);
  else
    family = hl_family_find (type, input_kind, &unknown);
  if (unknown != NULL)
    {
      g_autoptr (HlSafetensors) st = hl_safetensors_open (folder, NULL);
      if (hl_family_find (type, NULL, NULL) != NULL) /* it takes something else */
        g_propagate_error (error, g_steal_pointer (&unknown));
      else
        hl_family_refuse (type, config, st, error);
      g_prefix_error (error, "%s: ", folder);
    }
  return family;
}

/* Of a download that was broken off, that is what is wrong. */
static HlSafetensors *
open_weights (const char *folder, GError **error)
{
  g_autoptr (GError) cause = NULL;
  HlSafetensors *st = hl_safetensors_open (folder, &cause);
  if (st != NULL)
    return st;
  g_auto (HlWeightFiles) files = { 0 };
  hl_weight_files_look (folder, &files);
  if (files.n_missing > 0)
    g_set_error (error, HL_ERROR, cause->code,
                 "%s (files of weights that are missing: %u; the download is incomplete)",
                 cause->message, files.n_missing);
  else
    g_propagate_error (error, g_steal_pointer (&cause));
  return NULL;
}

/* Finds the family and the weights, and what they cannot be. */
static const HlFamily *
open_files (const char *folder,
            const json_t *config,
            const char *input_kind,
            HlSafetensors **st,
            GError **error)
{
  if (!hl_quantisation_check (config, NULL, error))
    {
      g_prefix_error (error, "%s: ", folder);
      return NULL;
    }
  const HlFamily *family = find_family (folder, config, input_kind, error);
  *st = family != NULL ? open_weights (folder, error) : NULL;
  if (*st == NULL)
    return NULL;
  return hl_quantisation_check (config, *st, error) ? family : NULL;
}

static gboolean
load (HlModel *model, const char *folder, const json_t *config, GError **error)
{
  HlLoader loader = { config, model->weights, model->info, folder };
  model->data = model->family->load (&loader, error);
  if (model->data == NULL)
    {
      g_prefix_error (error, "%s: ", model->info->path);
      return FALSE;
    }
  if (model->info->n_classes != 0)
    read_labels (model->info, config);
  if (model->info->n_vocab > 0)
    open_tokenizer (model, folder);
  if (g_str_equal (model->family->input_kind, "audio"))
    {
      model->audio = hl_audio_processor_open (folder, error);
      if (model->audio == NULL)
        return FALSE;
    }
  set (&model->info->dtype, g_strdup (hl_dtype_name (hl_weights_dtype (model->weights))));
  return TRUE;
}

HlModel *
hl_model_open (const char *path, GError **error)
{
  return hl_model_open_for (path, NULL, error);
}

HlModel *
hl_model_open_for (const char *path, const char *input_kind, GError **error)
{
  g_autofree char *folder = find_folder (path, error);
  if (folder == NULL || !check_kind (path, folder, error))
    return NULL;
  g_autofree char *config_path = g_build_filename (folder, "config.json", NULL);
  g_autoptr (json_t) config = hl_json_load_file (config_path, error);
  g_autoptr (HlSafetensors) st = NULL;
  const HlFamily *family =
      config != NULL ? open_files (folder, config, input_kind, &st, error) : NULL;
  if (family == NULL)
    return NULL;
  g_autoptr (HlModel) model = g_new0 (HlModel, 1);
  g_atomic_ref_count_init (&model->refs);
  model->family = family;
  model->info = hl_model_info_new ();
  model->rules = hl_generation_rules_new (folder, config);
  model->weights = hl_weights_new (st, 0);
  fill_info (model, folder, config, st);
  name_other_tower (model, json_string_value (json_object_get (config, "model_type")));
  return load (model, folder, config, error) ? g_steal_pointer (&model) : NULL;
}

static gboolean
takes_pictures (const HlModel *model, GError **error)
{
  if (model->family->process_image != NULL)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED, "%s takes no pictures",
               model->info->name);
  return FALSE;
}

HlInput *
hl_model_open_image (
    const HlModel *model, const char *path, int height, int width, GError **error)
{
  g_autoptr (HlTensor) rgb =
      takes_pictures (model, error) ? hl_image_load (path, error) : NULL;
  return rgb != NULL ? hl_model_open_rgb (model, path, rgb, height, width, error) : NULL;
}

HlInput *
hl_model_open_rgb (const HlModel *model,
                   const char *path,
                   HlTensor *rgb,
                   int height,
                   int width,
                   GError **error)
{
  return takes_pictures (model, error)
             ? model->family->process_image (model->data, path, rgb, height, width, error)
             : NULL;
}

const HlGenerationRules *
hl_model_get_rules (const HlModel *model)
{
  return model->rules;
}

const gint32 *
hl_model_get_end_ids (const HlModel *model, int *n)
{
  *n = (int) model->rules->ends->len;
  return (const gint32 *) (gpointer) model->rules->ends->data;
}

gboolean
hl_model_is_end (const HlModel *model, gint32 id)
{
  int n;
  const gint32 *ends = hl_model_get_end_ids (model, &n);
  for (int i = 0; i < n; i++)
    if (ends[i] == id)
      return TRUE;
  return FALSE;
}

HlTokenTable *
hl_model_get_tokens (const HlModel *model, const HlInput *input, int stack)
{
  return model->family->tokens (model->data, input, stack);
}

HlTensor *
hl_model_forward (const HlModel *model, HlRun *run, const HlInput *input)
{
  return model->family->forward (model->data, run, input);
}

HlSite
hl_model_get_stream_site (const HlModel *model, int stack, int layer)
{
  const HlBlock *block = model->family->get_block != NULL
                             ? model->family->get_block (model->data, stack, layer)
                             : NULL;
  return block != NULL && block->of_mlp.outer.weight != NULL
             ? HL_SITE_NORMALIZED_RESID_POST
             : HL_SITE_RESID_POST;
}

gboolean
hl_model_get_recipe (
    const HlModel *model, int stack, int layer, gint64 n_keys, HlRecipe *recipe)
{
  const HlBlock *block = model->family->get_block != NULL
                             ? model->family->get_block (model->data, stack, layer)
                             : NULL;
  const HlStack *tower = hl_model_info_get_stack (model->info, stack);
  const HlMixer *mixer = block == NULL     ? NULL
                         : tower->is_cross ? block->cross
                                           : block->mixer;
  return mixer != NULL && mixer->get_recipe != NULL &&
         mixer->get_recipe (mixer, n_keys, recipe);
}

/* FALSE for a number that is not there, or none. */
static gboolean
read_number (const HlModel *model, const char *name, double *number)
{
  g_autoptr (HlTensor) stored =
      hl_weights_has (model->weights, name)
          ? hl_safetensors_get (hl_weights_get_files (model->weights), name, NULL)
          : NULL;
  g_autoptr (HlTensor) wide = stored != NULL && hl_tensor_count (stored) == 1
                                  ? hl_tensor_convert (stored, HL_DTYPE_F64, NULL)
                                  : NULL;
  if (wide != NULL)
    *number = *(const double *) wide->data;
  return wide != NULL && isfinite (*number);
}

void
hl_model_get_pair_scale (const HlModel *model, double *scale, double *offset)
{
  double number = 0;
  *scale = read_number (model, "logit_scale", &number) ? exp (number) : 1;
  if (!isfinite (*scale) || *scale <= 0)
    *scale = 1;
  *offset = read_number (model, "logit_bias", &number) ? number : 0;
}

gsize
hl_model_weights_bytes (const HlModel *model)
{
  return hl_weights_convert_bytes (model->weights, HL_DTYPE_F32);
}

gsize
hl_model_upload_bytes (const HlModel *model, HlBackend *backend)
{
  return hl_weights_upload_bytes (model->weights, backend);
}

void
hl_model_leave_device (HlModel *model)
{
  hl_weights_leave_device (model->weights);
}

gint64
hl_model_get_readout_row (const HlModel *model, const HlInput *input)
{
  return model->family->readout_row != NULL
             ? model->family->readout_row (model->data, input)
             : 0;
}
