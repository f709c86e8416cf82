/* SPDX-License-Identifier: MIT
 * OPT: learned positions, layer norms before each half of a block or, in one of its
 * sizes, behind it, where the embedding is narrower than the stream too. Zhang et al.,
 * arXiv 2205.01068; names as the Hugging Face library writes them. */
#include "model/hl-text-decoder.h"

static const HlBlockNames names = {
  .block = "layers.%d.",
  .q = "self_attn.q_proj",
  .k = "self_attn.k_proj",
  .v = "self_attn.v_proj",
  .o = "self_attn.out_proj",
  .up = "fc1",
  .down = "fc2",
};

/* Rows of the table of positions before that of the first token. */
#define FIRST_POSITION 2

static HlTowerPlan
read_plan (HlLoading *l, gboolean norms_before)
{
  HlTowerPlan plan = { .names = names, .eps = 1e-5, .is_causal = TRUE };
  plan.D = hl_loading_size (l, "hidden_size", HL_LOADING_MAX_WIDTH);
  plan.F = hl_loading_size (l, "ffn_dim", 1 << 20);
  plan.n_layers = hl_loading_size (l, "num_hidden_layers", HL_LOADING_MAX_LAYERS);
  plan.n_heads = hl_loading_size (l, "num_attention_heads", HL_LOADING_MAX_HEADS);
  plan.n_kv_heads = plan.n_heads;
  plan.head_width = plan.D / plan.n_heads;
  plan.activation = hl_loading_activation (l, "activation_function", "relu");
  gboolean has_bias = hl_loading_bool (l, "enable_bias", TRUE);
  plan.has_q_bias = plan.has_k_bias = plan.has_v_bias = has_bias;
  plan.has_o_bias = plan.has_mlp_bias = has_bias;
  *(norms_before ? &plan.names.before1 : &plan.names.outer1) = "self_attn_layer_norm";
  *(norms_before ? &plan.names.before2 : &plan.names.outer2) = "final_layer_norm";
  hl_loading_divides (l, "hidden_size", plan.D, "num_attention_heads", plan.n_heads);
  if (!hl_loading_bool (l, "layer_norm_elementwise_affine", TRUE))
    hl_loading_refuse (
        l, "field \"layer_norm_elementwise_affine\": true expected, false found");
  return plan;
}

static void
load_projections (HlTextDecoder *d, HlLoading *l, gint64 D)
{
  gint64 E = hl_loading_int (l, "word_embed_proj_dim", (int) D, 1, HL_LOADING_MAX_WIDTH);
  if (E == D)
    return;
  hl_loading_dense (l, &d->embedding.project_tokens, D, E, FALSE, "project_in");
  hl_loading_dense (l, &d->readout.project, E, D, FALSE, "project_out");
}

static gpointer
opt_load (HlLoader *loader, GError **error)
{
  static const char *const prefixes[] = { "model.decoder.", "decoder.", NULL };
  HlTextDecoder *d = g_new0 (HlTextDecoder, 1);
  HlLoading l;
  hl_loading_init (&l, loader);
  gboolean norms_before = hl_loading_bool (&l, "do_layer_norm_before", TRUE);
  HlTowerPlan plan = read_plan (&l, norms_before);
  int n = hl_loading_int (&l, "max_position_embeddings", 2048, 1, 1 << 24);
  l.prefix = hl_loading_find_prefix (&l, prefixes, hl_text_decoder_names.tokens);
  hl_tower_plan_check (&plan, &l);
  load_projections (d, &l, plan.D);
  d->embedding.positions = hl_loading_param (&l, HL_SHAPE (n + FIRST_POSITION, plan.D),
                                             "embed_positions.weight");
  d->embedding.first_position = FIRST_POSITION;
  d->embedding.n_context = n;
  hl_tower_load (&d->tower, &plan, &l);
  HlTextDecoderNames ends = hl_text_decoder_names;
  gboolean has_norm =
      norms_before && !hl_loading_bool (&l, "_remove_final_layer_norm", FALSE);
  ends.norm = has_norm ? "final_layer_norm" : NULL;
  hl_text_decoder_load_ends (d, &l, &ends, &plan, TRUE);
  return hl_text_decoder_finish (d, &l, loader->info, error);
}

static const char *const model_types[] = { "opt", NULL };

const HlFamily hl_family_opt = {
  .id = "opt",
  .title = "OPT",
  .model_types = model_types,
  .load = opt_load,
  HL_TEXT_DECODER_FAMILY,
};
