/* SPDX-License-Identifier: MIT
 * Vision transformers: ViT, DINO in its layout, and DeiT with or without a distillation
 * token. Dosovitskiy et al., arXiv 2010.11929, Touvron et al., arXiv 2012.12877; weight
 * names as the Hugging Face library writes them, up to version 4 and from version 5 on.
 */
#include "model/hl-vision-encoder.h"

static const HlBlockNames old_names = {
  .block = "encoder.layer.%d.",
  .q = "attention.attention.query",
  .k = "attention.attention.key",
  .v = "attention.attention.value",
  .o = "attention.output.dense",
  .up = "intermediate.dense",
  .down = "output.dense",
  .before1 = "layernorm_before",
  .before2 = "layernorm_after",
};

static const HlBlockNames new_names = {
  .block = "layers.%d.",
  .q = "attention.q_proj",
  .k = "attention.k_proj",
  .v = "attention.v_proj",
  .o = "attention.o_proj",
  .up = "mlp.fc1",
  .down = "mlp.fc2",
  .before1 = "layernorm_before",
  .before2 = "layernorm_after",
};

static const HlVisionNames vit_names = {
  .cls = "embeddings.cls_token",
  .positions = "embeddings.position_embeddings",
  .patch_weight = "embeddings.patch_embeddings.projection.weight",
  .patch_bias = "embeddings.patch_embeddings.projection.bias",
};

static HlTowerPlan
read_plan (HlVisionEncoder *e, HlLoading *l)
{
  HlTowerPlan plan = { .has_o_bias = TRUE, .has_mlp_bias = TRUE };
  plan.D = e->D = hl_loading_size (l, "hidden_size", HL_LOADING_MAX_WIDTH);
  plan.n_layers = hl_loading_size (l, "num_hidden_layers", HL_LOADING_MAX_LAYERS);
  plan.n_heads = hl_loading_size (l, "num_attention_heads", HL_LOADING_MAX_HEADS);
  plan.F = hl_loading_size (l, "intermediate_size", 1 << 20);
  plan.n_kv_heads = plan.n_heads;
  plan.head_width = plan.D / plan.n_heads;
  hl_loading_divides (l, "hidden_size", plan.D, "num_attention_heads", plan.n_heads);
  hl_vision_encoder_read_size (e, l, 0, 0);
  plan.eps = hl_loading_double (l, "layer_norm_eps", 1e-12, 0, 1);
  gboolean has_bias = hl_loading_bool (l, "qkv_bias", TRUE);
  plan.has_q_bias = plan.has_k_bias = plan.has_v_bias = has_bias;
  plan.activation = hl_loading_activation (l, "hidden_act", "gelu");
  return plan;
}

/* Two heads where the model was distilled into a token of its own. */
static void
load_heads (HlVisionEncoder *e, HlLoading *l)
{
  const char *name = hl_loading_architecture (l);
  if (g_strcmp0 (name, "DeiTForImageClassificationWithTeacher") != 0)
    {
      hl_vision_encoder_load_classifier (e, l, e->D);
      return;
    }
  l->prefix = "";
  e->reads = HL_VISION_READS_BOTH;
  hl_loading_dense (l, &e->classifier, -1, e->D, TRUE, "cls_classifier");
  gint64 V =
      e->classifier.weight != NULL ? e->classifier.weight->stored->shape.dim[0] : 1;
  hl_loading_dense (l, &e->second, V, e->D, TRUE, "distillation_classifier");
}

static gpointer
load (HlLoader *loader, const char *const *prefixes, gboolean is_deit, GError **error)
{
  g_autoptr (HlVisionEncoder) e = g_new0 (HlVisionEncoder, 1);
  HlVisionNames names = vit_names;
  HlLoading l;
  hl_loading_init (&l, loader);
  HlTowerPlan plan = read_plan (e, &l);
  l.prefix = hl_loading_find_prefix (&l, prefixes, "embeddings.cls_token");
  plan.names =
      hl_loading_has (&l, "layers.0.layernorm_before.weight") ? new_names : old_names;
  hl_tower_plan_check (&plan, &l);
  if (is_deit)
    names.distillation = "embeddings.distillation_token";
  hl_vision_encoder_load_embedding (e, &l, &names);
  hl_tower_load (&e->tower, &plan, &l);
  hl_loading_norm (&l, &e->final_norm, e->D, plan.eps, "layernorm");
  load_heads (e, &l);
  return hl_vision_encoder_finish (e, &l, loader, error) ? g_steal_pointer (&e) : NULL;
}

static gpointer
vit_load (HlLoader *loader, GError **error)
{
  static const char *const prefixes[] = { "", "vit.", NULL };
  return load (loader, prefixes, FALSE, error);
}

static gpointer
deit_load (HlLoader *loader, GError **error)
{
  static const char *const prefixes[] = { "", "deit.", NULL };
  return load (loader, prefixes, TRUE, error);
}

static const char *const vit_types[] = { "vit", NULL };
static const char *const deit_types[] = { "deit", NULL };

const HlFamily hl_family_vit = {
  .id = "vit",
  .title = "ViT",
  .model_types = vit_types,
  .input_kind = "image",
  .readout_row = hl_vision_encoder_readout_row,
  .load = vit_load,
  .free_data = hl_vision_encoder_free,
  .forward = hl_vision_encoder_forward,
  .process_image = hl_vision_encoder_process_image,
  .tokens = hl_vision_encoder_tokens,
  .get_block = hl_vision_encoder_get_block,
};

const HlFamily hl_family_deit = {
  .id = "deit",
  .title = "DeiT",
  .model_types = deit_types,
  .input_kind = "image",
  .readout_row = hl_vision_encoder_readout_row,
  .load = deit_load,
  .free_data = hl_vision_encoder_free,
  .forward = hl_vision_encoder_forward,
  .process_image = hl_vision_encoder_process_image,
  .tokens = hl_vision_encoder_tokens,
  .get_block = hl_vision_encoder_get_block,
};
