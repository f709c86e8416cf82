/* SPDX-License-Identifier: MIT
 * DINOv2, with or without registers: ViT with a scale on what each half of a block adds,
 * and in the largest one a gated MLP. Oquab et al., arXiv 2304.07193; registers: Darcet
 * et al., arXiv 2309.16588; names as the Hugging Face library writes them. */
#include "model/hl-vision-encoder.h"

#include <math.h>

static const HlBlockNames block_names = {
  .block = "encoder.layer.%d.",
  .q = "attention.attention.query",
  .k = "attention.attention.key",
  .v = "attention.attention.value",
  .o = "attention.output.dense",
  .up = "mlp.fc1",
  .down = "mlp.fc2",
  .before1 = "norm1",
  .scale1 = "layer_scale1.lambda1",
  .before2 = "norm2",
  .scale2 = "layer_scale2.lambda1",
};

static const HlVisionNames names = {
  .cls = "embeddings.cls_token",
  .registers = "embeddings.register_tokens",
  .positions = "embeddings.position_embeddings",
  .patch_weight = "embeddings.patch_embeddings.projection.weight",
  .patch_bias = "embeddings.patch_embeddings.projection.bias",
};

static HlTowerPlan
read_plan (HlVisionEncoder *e, HlLoading *l)
{
  HlTowerPlan plan = { .names = block_names, .has_o_bias = TRUE, .has_mlp_bias = TRUE };
  plan.D = e->D = hl_loading_size (l, "hidden_size", HL_LOADING_MAX_WIDTH);
  plan.n_layers = hl_loading_size (l, "num_hidden_layers", HL_LOADING_MAX_LAYERS);
  plan.n_heads = hl_loading_size (l, "num_attention_heads", HL_LOADING_MAX_HEADS);
  plan.n_kv_heads = plan.n_heads;
  plan.head_width = plan.D / plan.n_heads;
  hl_loading_divides (l, "hidden_size", plan.D, "num_attention_heads", plan.n_heads);
  plan.F = (int) (plan.D * hl_loading_double (l, "mlp_ratio", 4, 0.001, 64));
  hl_vision_encoder_read_size (e, l, 0, 0);
  plan.eps = hl_loading_double (l, "layer_norm_eps", 1e-6, 0, 1);
  gboolean has_bias = hl_loading_bool (l, "qkv_bias", TRUE);
  plan.has_q_bias = plan.has_k_bias = plan.has_v_bias = has_bias;
  plan.activation = hl_loading_activation (l, "hidden_act", "gelu");
  if (hl_loading_bool (l, "use_swiglu_ffn", FALSE))
    {
      /* Two thirds of the width, up to a multiple of 8; gate and up are one weight. */
      plan.F = ((int) (plan.F * 2 / 3.0) + 7) / 8 * 8;
      plan.names.up = NULL;
      plan.names.gate_up = "mlp.weights_in";
      plan.names.down = "mlp.weights_out";
      plan.activation = HL_ACTIVATION_SILU;
    }
  return plan;
}

static gpointer
dinov2_load (HlLoader *loader, GError **error)
{
  static const char *const prefixes[] = { "", "dinov2.", "dinov2_with_registers.", NULL };
  g_autoptr (HlVisionEncoder) e = g_new0 (HlVisionEncoder, 1);
  HlLoading l;
  hl_loading_init (&l, loader);
  HlTowerPlan plan = read_plan (e, &l);
  l.prefix = hl_loading_find_prefix (&l, prefixes, "embeddings.cls_token");
  hl_tower_plan_check (&plan, &l);
  hl_vision_encoder_load_embedding (e, &l, &names);
  e->is_antialiased = e->registers != NULL;
  hl_tower_load (&e->tower, &plan, &l);
  hl_loading_norm (&l, &e->final_norm, e->D, plan.eps, "layernorm");
  e->reads = HL_VISION_READS_FIRST_AND_MEAN;
  hl_vision_encoder_load_classifier (e, &l, 2 * e->D);
  if (e->classifier.weight == NULL)
    e->reads = HL_VISION_READS_FIRST;
  return hl_vision_encoder_finish (e, &l, loader, error) ? g_steal_pointer (&e) : NULL;
}

static const char *const model_types[] = { "dinov2", "dinov2_with_registers", NULL };

const HlFamily hl_family_dinov2 = {
  .id = "dinov2",
  .title = "DINOv2",
  .model_types = model_types,
  .input_kind = "image",
  .readout_row = hl_vision_encoder_readout_row,
  .load = dinov2_load,
  .free_data = hl_vision_encoder_free,
  .forward = hl_vision_encoder_forward,
  .process_image = hl_vision_encoder_process_image,
  .tokens = hl_vision_encoder_tokens,
  .get_block = hl_vision_encoder_get_block,
};
