/* SPDX-License-Identifier: MIT
 * Vision transformers: ViT, and DeiT in ViT's layout (without a distillation token).
 * "An image is worth 16x16 words", arXiv 2010.11929; weight names as the Hugging Face
 * library writes them, up to version 4 and from version 5 on. */
#include "config.h"

#include "base/hl-error.h"
#include "io/hl-image-processor.h"
#include "model/hl-family.h"
#include "model/vit-positions.h"

#include <math.h>

typedef struct
{
  int D, F, n_layers, n_heads, n_channels;
  gint64 image[2]; /* height, width that the positions were trained at */
  gint64 patch[2];
  HlParam *cls;          /* (1, 1, D) */
  HlParam *positions;    /* (1, 1 + P, D) */
  HlParam *patch_weight; /* (D, C, ph, pw) */
  HlParam *patch_bias;   /* (D) */
  HlBlock *blocks;       /* n_layers */
  HlNorm final_norm;
  HlDense classifier; /* weight NULL: a tower without classes */
  HlImageProcessor *processor;
} Vit;

/* Where the parts of a block lie below the block's own prefix. */
typedef struct
{
  const char *block; /* printf of the layer */
  const char *q, *k, *v, *o, *up, *down;
} Names;

static const Names layouts[] = {
  { "encoder.layer.%d", "attention.attention.query", "attention.attention.key",
    "attention.attention.value", "attention.output.dense", "intermediate.dense",
    "output.dense" },
  { "layers.%d", "attention.q_proj", "attention.k_proj", "attention.v_proj",
    "attention.o_proj", "mlp.fc1", "mlp.fc2" },
};

static void
vit_free (gpointer data)
{
  Vit *vit = data;
  hl_blocks_free (vit->blocks, vit->n_layers);
  g_clear_pointer (&vit->processor, hl_image_processor_unref);
  g_free (vit);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Vit, vit_free)

static gboolean
get_int (const json_t *config, const char *field, gint64 max, int *out, GError **error)
{
  gint64 value = 0;
  if (!hl_json_get_int (config, field, TRUE, 0, 1, max, "config.json", &value, error))
    return FALSE;
  *out = (int) value;
  return TRUE;
}

static gboolean
check_geometry (const Vit *vit, GError **error)
{
  if (vit->D % vit->n_heads != 0)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                   "config.json: field \"hidden_size\": a multiple of "
                   "num_attention_heads (%d) expected, %d found",
                   vit->n_heads, vit->D);
      return FALSE;
    }
  for (int i = 0; i < 2; i++)
    if (vit->image[i] % vit->patch[i] != 0)
      {
        g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                     "config.json: field \"image_size\": a multiple of patch_size (%d) "
                     "expected, %d found",
                     (int) vit->patch[i], (int) vit->image[i]);
        return FALSE;
      }
  return TRUE;
}

static gboolean
read_config (Vit *vit,
             const json_t *config,
             double *eps,
             gboolean *has_qkv_bias,
             HlActivation *activation,
             GError **error)
{
  const char *act = NULL;
  if (!get_int (config, "hidden_size", 1 << 17, &vit->D, error) ||
      !get_int (config, "num_hidden_layers", 4096, &vit->n_layers, error) ||
      !get_int (config, "num_attention_heads", 1 << 16, &vit->n_heads, error) ||
      !get_int (config, "intermediate_size", 1 << 20, &vit->F, error) ||
      !hl_json_get_pair (config, "image_size", TRUE, 0, 1, 1 << 16, "config.json",
                         vit->image, error) ||
      !hl_json_get_pair (config, "patch_size", TRUE, 0, 1, 1 << 16, "config.json",
                         vit->patch, error) ||
      !hl_json_get_double (config, "layer_norm_eps", FALSE, 1e-12, 0, 1, "config.json",
                           eps, error) ||
      !hl_json_get_bool (config, "qkv_bias", FALSE, TRUE, "config.json", has_qkv_bias,
                         error) ||
      !hl_json_get_string (config, "hidden_act", FALSE, "gelu", "config.json", &act,
                           error))
    return FALSE;
  gint64 n_channels = 3;
  if (!hl_json_get_int (config, "num_channels", FALSE, 3, 1, 3, "config.json",
                        &n_channels, error))
    return FALSE;
  vit->n_channels = (int) n_channels;
  return hl_activation_require (act, "hidden_act", activation, error) &&
         check_geometry (vit, error);
}

static gboolean
load_block (Vit *vit,
            HlWeights *weights,
            const char *prefix,
            const Names *names,
            int layer,
            double eps,
            gboolean has_qkv_bias,
            HlActivation activation,
            GError **error)
{
  HlBlock *block = &vit->blocks[layer];
  int K = vit->D / vit->n_heads, D = vit->D;
  HlAttention *a = hl_attention_new (vit->n_heads, vit->n_heads, K, 1 / sqrt (K), FALSE);
  block->mixer = &a->parent;
  block->mlp.activation = activation;
  g_autofree char *own = g_strdup_printf (names->block, layer);
  g_autofree char *at = g_strdup_printf ("%s%s", prefix, own);
  const struct
  {
    HlDense *dense;
    const char *name;
    int F, D;
    gboolean has_bias;
  } parts[] = {
    { &a->q, names->q, D, D, has_qkv_bias },
    { &a->k, names->k, D, D, has_qkv_bias },
    { &a->v, names->v, D, D, has_qkv_bias },
    { &a->o, names->o, D, D, TRUE },
    { &block->mlp.up, names->up, vit->F, D, TRUE },
    { &block->mlp.down, names->down, D, vit->F, TRUE },
  };
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    {
      g_autofree char *name = g_strdup_printf ("%s.%s", at, parts[i].name);
      if (!hl_dense_load (parts[i].dense, weights, name, parts[i].F, parts[i].D,
                          parts[i].has_bias, error))
        return FALSE;
    }
  g_autofree char *before = g_strdup_printf ("%s.layernorm_before", at);
  g_autofree char *after = g_strdup_printf ("%s.layernorm_after", at);
  return hl_norm_load (&block->of_mixer.before, weights, before, D, eps, error) &&
         hl_norm_load (&block->of_mlp.before, weights, after, D, eps, error);
}

static HlParam *
require (HlWeights *weights,
         const char *prefix,
         const char *name,
         HlShape shape,
         GError **error)
{
  g_autofree char *full = g_strconcat (prefix, name, NULL);
  return hl_weights_require (weights, full, shape, error);
}

static gboolean
load_embeddings (Vit *vit, HlWeights *weights, const char *prefix, GError **error)
{
  gint64 n_patches = (vit->image[0] / vit->patch[0]) * (vit->image[1] / vit->patch[1]);
  gint64 D = vit->D;
  return (vit->cls = require (weights, prefix, "embeddings.cls_token", HL_SHAPE (1, 1, D),
                              error)) &&
         (vit->positions = require (weights, prefix, "embeddings.position_embeddings",
                                    HL_SHAPE (1, 1 + n_patches, D), error)) &&
         (vit->patch_weight = require (
              weights, prefix, "embeddings.patch_embeddings.projection.weight",
              HL_SHAPE (D, vit->n_channels, vit->patch[0], vit->patch[1]), error)) &&
         (vit->patch_bias =
              require (weights, prefix, "embeddings.patch_embeddings.projection.bias",
                       HL_SHAPE (D), error));
}

/* A head is expected where the config names a classifier; a bare tower has none. */
static gboolean
load_classifier (Vit *vit, HlLoader *loader, GError **error)
{
  const json_t *names = json_object_get (loader->config, "architectures");
  const char *name = json_string_value (json_array_get (names, 0));
  gboolean is_tower = g_strcmp0 (name, "ViTModel") == 0;
  if (is_tower && !hl_weights_has (loader->weights, "classifier.weight"))
    return TRUE;
  vit->classifier.weight = hl_weights_require (loader->weights, "classifier.weight",
                                               HL_SHAPE (-1, vit->D), error);
  if (vit->classifier.weight == NULL)
    return FALSE;
  gint64 V = vit->classifier.weight->stored->shape.dim[0];
  loader->info->n_classes = (int) V;
  vit->classifier.bias =
      hl_weights_require (loader->weights, "classifier.bias", HL_SHAPE (V), error);
  return vit->classifier.bias != NULL;
}

static void
describe (Vit *vit, HlModelInfo *info)
{
  info->width = vit->D;
  HlStack *stack = hl_model_info_add_stack (info, "", vit->n_layers);
  for (int l = 0; l < vit->n_layers; l++)
    stack->layers[l] = (HlLayerInfo){ .kind = HL_ATTENTION_SELF,
                                      .n_heads = vit->n_heads,
                                      .n_kv_heads = vit->n_heads,
                                      .head_width = vit->D / vit->n_heads };
}

static gpointer
vit_load (HlLoader *loader, GError **error)
{
  g_autoptr (Vit) vit = g_new0 (Vit, 1);
  double eps = 0;
  gboolean has_qkv_bias = TRUE;
  HlActivation activation = HL_ACTIVATION_NONE;
  if (!read_config (vit, loader->config, &eps, &has_qkv_bias, &activation, error))
    return NULL;
  HlWeights *weights = loader->weights;
  const char *prefix = hl_weights_has (weights, "embeddings.cls_token") ? "" : "vit.";
  g_autofree char *probe = g_strconcat (prefix, "layers.0.layernorm_before.weight", NULL);
  const Names *names = &layouts[hl_weights_has (weights, probe) ? 1 : 0];
  vit->blocks = g_new0 (HlBlock, (gsize) vit->n_layers);
  if (!load_embeddings (vit, weights, prefix, error))
    return NULL;
  for (int l = 0; l < vit->n_layers; l++)
    if (!load_block (vit, weights, prefix, names, l, eps, has_qkv_bias, activation,
                     error))
      return NULL;
  g_autofree char *norm = g_strconcat (prefix, "layernorm", NULL);
  if (!hl_norm_load (&vit->final_norm, weights, norm, vit->D, eps, error) ||
      !load_classifier (vit, loader, error))
    return NULL;
  vit->processor = hl_image_processor_open (loader->folder, (int) vit->image[0],
                                            (int) vit->image[1], error);
  if (vit->processor == NULL)
    return NULL;
  describe (vit, loader->info);
  return g_steal_pointer (&vit);
}

/* Patches and CLS with their positions: (B, 1 + P, D). */
static HlTensor *
embed (const Vit *vit, HlRun *run, const HlInput *input)
{
  HlExec *x = &run->exec;
  g_autoptr (HlTensor) pixels = hl_exec_upload (x, input->pixel_values);
  g_autoptr (HlTensor) cut =
      hl_patchify (x, pixels, (int) vit->patch[0], (int) vit->patch[1]);
  g_autoptr (HlTensor) kernel = hl_param_get (vit->patch_weight, x);
  g_autoptr (HlTensor) bias = hl_param_get (vit->patch_bias, x);
  if (kernel == NULL)
    return NULL;
  /* A convolution whose stride is its size is a product with each patch's numbers. */
  gint64 D = vit->D, n = hl_tensor_count (kernel) / D;
  g_autoptr (HlTensor) flat = hl_tensor_view (kernel, 0, HL_SHAPE (D, n), NULL);
  g_autoptr (HlTensor) patches = hl_linear (x, cut, flat, bias); /* (B, P, D) */
  g_autoptr (HlTensor) cls = hl_param_get (vit->cls, x);
  g_autoptr (HlTensor) tokens = hl_concat (x, cls, patches); /* (B, 1 + P, D) */
  tokens = hl_run_site (run, HL_SITE_EMBED, 0, 0, g_steal_pointer (&tokens));

  const gint64 *size = input->pixel_values->shape.dim;
  g_autoptr (HlTensor) trained = hl_param_get (vit->positions, x);
  g_autoptr (HlTensor) positions = hl_vit_positions (
      x, trained, vit->image[0] / vit->patch[0], vit->image[1] / vit->patch[1],
      size[2] / vit->patch[0], size[3] / vit->patch[1]);
  positions = hl_run_site (run, HL_SITE_POS_EMBED, 0, 0, g_steal_pointer (&positions));
  return hl_add (x, tokens, positions);
}

static HlTensor *
vit_forward (gpointer data, HlRun *run, const HlInput *input)
{
  const Vit *vit = data;
  g_autoptr (HlTensor) x = run->start_resid != NULL
                               ? hl_exec_upload (&run->exec, run->start_resid)
                               : embed (vit, run, input); /* (B, T, D) */
  g_autoptr (HlTensor) last = hl_blocks_forward (vit->blocks, vit->n_layers, run, 0, x);
  if (vit->classifier.weight == NULL)
    return NULL;
  g_autoptr (HlTensor) cls = hl_slice (&run->exec, last, 0, 1); /* (B, 1, D) */
  g_autoptr (HlTensor) normed = hl_norm_forward (&vit->final_norm, run, cls);
  g_autoptr (HlTensor) logits = hl_dense_forward (&vit->classifier, run, normed);
  if (logits == NULL)
    return NULL;
  return hl_tensor_view (logits, 0, HL_SHAPE (logits->shape.dim[0], logits->shape.dim[2]),
                         NULL);
}

static HlInput *
vit_process_image (
    gpointer data, const char *path, HlTensor *rgb, int height, int width, GError **error)
{
  const Vit *vit = data;
  if (height % (int) vit->patch[0] != 0 || width % (int) vit->patch[1] != 0)
    {
      g_set_error (
          error, HL_ERROR, HL_ERROR_RANGE,
          "picture size: multiples of the patch, %d x %d, expected, %d x %d found",
          (int) vit->patch[0], (int) vit->patch[1], height, width);
      return NULL;
    }
  g_autoptr (HlImageProcessor) processor =
      height > 0 && width > 0
          ? hl_image_processor_new_with_size (vit->processor, height, width)
          : hl_image_processor_ref (vit->processor);
  g_autoptr (HlTensor) pixels = NULL, shown = NULL;
  if (!hl_image_processor_run (processor, rgb, vit->n_channels, &pixels, &shown, error))
    return NULL;
  const gint64 *dim = pixels->shape.dim;
  if (dim[2] % vit->patch[0] != 0 || dim[3] % vit->patch[1] != 0)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                   "preprocessor_config.json makes a picture of %d x %d; multiples of "
                   "the patch, %d x %d, expected",
                   (int) dim[2], (int) dim[3], (int) vit->patch[0], (int) vit->patch[1]);
      return NULL;
    }
  return hl_input_new_image (path, pixels, shown);
}

static HlTokenTable *
vit_tokens (gpointer data, const HlInput *input, int stack)
{
  static const char *const specials[] = { "CLS" };
  const Vit *vit = data;
  const gint64 *size = input->pixel_values->shape.dim;
  return hl_token_table_new_patches (specials, 1, (int) (size[2] / vit->patch[0]),
                                     (int) (size[3] / vit->patch[1]));
}

static const HlBlock *
vit_get_block (gpointer data, int stack, int layer)
{
  const Vit *vit = data;
  return layer >= 0 && layer < vit->n_layers ? &vit->blocks[layer] : NULL;
}

static const char *const vit_model_types[] = { "vit", NULL };

const HlFamily hl_family_vit = {
  .id = "vit",
  .title = "ViT",
  .model_types = vit_model_types,
  .input_kind = "image",
  .load = vit_load,
  .free_data = vit_free,
  .forward = vit_forward,
  .process_image = vit_process_image,
  .tokens = vit_tokens,
  .get_block = vit_get_block,
};
