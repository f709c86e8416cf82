/* SPDX-License-Identifier: MIT
 * DistilBERT: BERT without segments and pooler, under names of its own. Sanh et al.,
 * arXiv 1910.01108; names as the Hugging Face library writes them. */
#include "model/hl-text-encoder.h"

static const HlBlockNames names = {
  .block = "transformer.layer.%d.",
  .q = "attention.q_lin",
  .k = "attention.k_lin",
  .v = "attention.v_lin",
  .o = "attention.out_lin",
  .outer1 = "sa_layer_norm",
  .up = "ffn.lin1",
  .down = "ffn.lin2",
  .outer2 = "output_layer_norm",
};

static const HlTextHeadNames heads = {
  .transform = "vocab_transform",
  .norm = "vocab_layer_norm",
  .decoder = "vocab_projector",
  .bias = { "vocab_projector.bias", "vocab_projector.bias" },
  .class_pooler = "pre_classifier",
  .class_activation = HL_ACTIVATION_RELU,
  .classifier = "classifier",
};

static HlTowerPlan
read_plan (HlLoading *l)
{
  HlTowerPlan plan = { .names = names, .eps = 1e-12 };
  plan.D = hl_loading_size (l, "dim", HL_LOADING_MAX_WIDTH);
  plan.F = hl_loading_size (l, "hidden_dim", 1 << 20);
  plan.n_layers = hl_loading_size (l, "n_layers", HL_LOADING_MAX_LAYERS);
  plan.n_heads = hl_loading_size (l, "n_heads", HL_LOADING_MAX_HEADS);
  plan.n_kv_heads = plan.n_heads;
  plan.head_width = plan.D / plan.n_heads;
  plan.activation = hl_loading_activation (l, "activation", "gelu");
  plan.has_q_bias = plan.has_k_bias = plan.has_v_bias = TRUE;
  plan.has_o_bias = plan.has_mlp_bias = TRUE;
  hl_loading_divides (l, "dim", plan.D, "n_heads", plan.n_heads);
  return plan;
}

static gpointer
distilbert_load (HlLoader *loader, GError **error)
{
  static const char *const prefixes[] = { "distilbert.", "", NULL };
  g_autoptr (HlTextEncoder) e = g_new0 (HlTextEncoder, 1);
  HlLoading l;
  hl_loading_init (&l, loader);
  HlTowerPlan plan = read_plan (&l);
  HlTextEmbedding *in = &e->embedding;
  gint64 D = plan.D, n = hl_loading_size (&l, "max_position_embeddings", 1 << 24);
  l.prefix = hl_loading_find_prefix (&l, prefixes, "embeddings.word_embeddings.weight");
  hl_tower_plan_check (&plan, &l);
  in->tokens =
      hl_loading_param (&l, HL_SHAPE (-1, D), "embeddings.word_embeddings.weight");
  in->positions =
      hl_loading_param (&l, HL_SHAPE (n, D), "embeddings.position_embeddings.weight");
  hl_loading_norm (&l, &in->norm, D, plan.eps, "embeddings.LayerNorm");
  in->pad_id = -1;
  in->n_context = (int) n;
  hl_tower_load (&e->tower, &plan, &l);
  hl_text_encoder_load_head (e, &l, &heads, &plan, D);
  if (!hl_loading_finish (&l, error))
    return NULL;
  hl_text_encoder_describe (e, &plan, loader->info);
  return g_steal_pointer (&e);
}

static const char *const model_types[] = { "distilbert", NULL };

const HlFamily hl_family_distilbert = {
  .id = "distilbert",
  .title = "DistilBERT",
  .model_types = model_types,
  .input_kind = "text",
  .readout_row = hl_text_encoder_readout_row,
  .load = distilbert_load,
  .free_data = hl_text_encoder_free,
  .forward = hl_text_encoder_forward,
  .tokens = hl_input_dup_tokens,
  .get_block = hl_text_encoder_get_block,
};
