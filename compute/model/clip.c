/* SPDX-License-Identifier: MIT
 * CLIP and SigLIP: a tower of pictures and one of texts, each a model of its own here, by
 * what it is given. Radford et al., arXiv 2103.00020; Zhai et al., arXiv 2303.15343;
 * names as the Hugging Face library writes them. */
#include "model/clip-text.h"
#include "model/hl-vision-encoder.h"

static const HlBlockNames block_names = {
  .block = "encoder.layers.%d.",
  .q = "self_attn.q_proj",
  .k = "self_attn.k_proj",
  .v = "self_attn.v_proj",
  .o = "self_attn.out_proj",
  .up = "mlp.fc1",
  .down = "mlp.fc2",
  .before1 = "layer_norm1",
  .before2 = "layer_norm2",
};

static const HlVisionNames names = {
  .positions = "embeddings.position_embedding.weight",
  .patch_weight = "embeddings.patch_embedding.weight",
};

HlTowerPlan
hl_clip_read_plan (HlLoading *l, const HlClipDefaults *d)
{
  HlTowerPlan plan = { .names = block_names };
  plan.D = hl_loading_int (l, "hidden_size", d->D, 1, HL_LOADING_MAX_WIDTH);
  plan.F = hl_loading_int (l, "intermediate_size", d->F, 1, 1 << 20);
  plan.n_layers =
      hl_loading_int (l, "num_hidden_layers", d->n_layers, 1, HL_LOADING_MAX_LAYERS);
  plan.n_heads =
      hl_loading_int (l, "num_attention_heads", d->n_heads, 1, HL_LOADING_MAX_HEADS);
  plan.n_kv_heads = plan.n_heads;
  plan.head_width = plan.D / plan.n_heads;
  plan.eps = hl_loading_double (l, "layer_norm_eps", d->eps, 0, 1);
  plan.activation = hl_loading_activation (l, "hidden_act", d->activation);
  plan.has_q_bias = plan.has_k_bias = plan.has_v_bias = TRUE;
  plan.has_o_bias = plan.has_mlp_bias = TRUE;
  hl_loading_divides (l, "hidden_size", plan.D, "num_attention_heads", plan.n_heads);
  return plan;
}

/* The tower's own part of a config that has two. */
static void
enter_vision (HlLoading *l)
{
  if (json_object_get (l->config, "vision_config") != NULL)
    hl_loading_enter (l, "vision_config");
}

static HlVisionEncoder *
begin (HlLoading *l, HlTowerPlan *plan, const HlClipDefaults *defaults, int patch)
{
  static const char *const prefixes[] = { "vision_model.", "", NULL };
  HlVisionEncoder *e = g_new0 (HlVisionEncoder, 1);
  *plan = hl_clip_read_plan (l, defaults);
  e->D = plan->D;
  hl_vision_encoder_read_size (e, l, 224, patch);
  l->prefix = hl_loading_find_prefix (l, prefixes, names.patch_weight);
  hl_tower_plan_check (plan, l);
  return e;
}

static gpointer
clip_load (HlLoader *loader, GError **error)
{
  static const HlClipDefaults defaults = { 768, 3072, 12, 12, "quick_gelu", 1e-5 };
  HlTowerPlan plan;
  HlLoading l;
  hl_loading_init (&l, loader);
  enter_vision (&l);
  g_autoptr (HlVisionEncoder) e = begin (&l, &plan, &defaults, 32);
  HlVisionNames own = names;
  own.cls = "embeddings.class_embedding";
  hl_vision_encoder_load_embedding (e, &l, &own);
  hl_loading_norm (&l, &e->pre_norm, e->D, plan.eps, "pre_layrnorm"); /* sic */
  hl_tower_load (&e->tower, &plan, &l);
  hl_loading_norm (&l, &e->final_norm, e->D, plan.eps, "post_layernorm");
  e->norms_pooled_only = TRUE;
  l.prefix = "";
  if (hl_loading_has (&l, "visual_projection.weight"))
    hl_loading_dense (&l, &e->projection, -1, e->D, FALSE, "visual_projection");
  return hl_vision_encoder_finish (e, &l, loader, error) ? g_steal_pointer (&e) : NULL;
}

static gpointer
siglip_load (HlLoader *loader, GError **error)
{
  static const HlClipDefaults defaults = { 768, 3072, 12, 12, "gelu_pytorch_tanh", 1e-6 };
  HlTowerPlan plan;
  HlLoading l;
  hl_loading_init (&l, loader);
  enter_vision (&l);
  g_autoptr (HlVisionEncoder) e = begin (&l, &plan, &defaults, 16);
  HlVisionNames own = names;
  own.patch_bias = "embeddings.patch_embedding.bias";
  hl_vision_encoder_load_embedding (e, &l, &own);
  hl_tower_load (&e->tower, &plan, &l);
  hl_loading_norm (&l, &e->final_norm, e->D, plan.eps, "post_layernorm");
  if (hl_loading_has (&l, "head.probe"))
    hl_attention_pool_load (&e->pool, &l, &plan);
  e->reads = HL_VISION_READS_MEAN;
  l.config = loader->config;
  if (g_strcmp0 (hl_loading_architecture (&l), "SiglipForImageClassification") == 0)
    hl_vision_encoder_load_classifier (e, &l, e->D);
  return hl_vision_encoder_finish (e, &l, loader, error) ? g_steal_pointer (&e) : NULL;
}

static const char *const clip_types[] = { "clip", "clip_vision_model", NULL };
static const char *const siglip_types[] = { "siglip", "siglip_vision_model", NULL };

const HlFamily hl_family_clip = {
  .id = "clip",
  .title = "CLIP, pictures",
  .model_types = clip_types,
  .input_kind = "image",
  .readout_row = hl_vision_encoder_readout_row,
  .load = clip_load,
  .free_data = hl_vision_encoder_free,
  .forward = hl_vision_encoder_forward,
  .process_image = hl_vision_encoder_process_image,
  .tokens = hl_vision_encoder_tokens,
  .get_block = hl_vision_encoder_get_block,
};

const HlFamily hl_family_siglip = {
  .id = "siglip",
  .title = "SigLIP, pictures",
  .model_types = siglip_types,
  .input_kind = "image",
  .readout_row = hl_vision_encoder_readout_row,
  .load = siglip_load,
  .free_data = hl_vision_encoder_free,
  .forward = hl_vision_encoder_forward,
  .process_image = hl_vision_encoder_process_image,
  .tokens = hl_vision_encoder_tokens,
  .get_block = hl_vision_encoder_get_block,
};
