/* SPDX-License-Identifier: MIT
 * GPT-NeoX, and Pythia in its layout: layer norms, both halves of a block side by side, a
 * part of each head turned, Q, K and V of a head one after another. Black et al., arXiv
 * 2204.06745; names as the Hugging Face library writes them. */
#include "model/hl-text-decoder.h"

static const HlBlockNames names = {
  .block = "layers.%d.",
  .qkv_by_head = "attention.query_key_value",
  .o = "attention.dense",
  .up = "mlp.dense_h_to_4h",
  .down = "mlp.dense_4h_to_h",
  .before1 = "input_layernorm",
  .before2 = "post_attention_layernorm",
};

static const HlTextDecoderNames ends = { "embed_in.weight", "final_layer_norm",
                                         "embed_out" };

/* Old files have names of their own for the base and the part that is turned. */
static HlRope *
read_rope (HlTextDecoder *d, HlLoading *l, const HlTowerPlan *plan)
{
  json_t *parameters = json_object_get (l->config, "rope_parameters");
  const json_t *share = json_object_get (parameters, "partial_rotary_factor");
  if (json_is_object (parameters))
    return hl_text_decoder_read_rope (
        d, l, l->config, plan,
        json_is_number (share) ? CLAMP (json_number_value (share), 0, 1) : 0.25);
  double base = hl_loading_double (l, "rotary_emb_base", 10000, 1, 1e12);
  json_t *scaling = json_object_get (l->config, "rope_scaling");
  g_autoptr (json_t) settings =
      json_is_object (scaling)
          ? json_pack ("{s:f,s:O}", "rope_theta", base, "rope_scaling", scaling)
          : json_pack ("{s:f}", "rope_theta", base);
  return hl_text_decoder_read_rope (d, l, settings, plan,
                                    hl_loading_double (l, "rotary_pct", 0.25, 0, 1));
}

static gpointer
gpt_neox_load (HlLoader *loader, GError **error)
{
  static const char *const prefixes[] = { "gpt_neox.", "", NULL };
  HlTowerPlan plan;
  HlLoading l;
  hl_loading_init (&l, loader);
  HlTextDecoder *d = hl_text_decoder_begin (&plan, &l);
  gboolean has_bias = hl_loading_bool (&l, "attention_bias", TRUE);
  l.prefix = hl_loading_find_prefix (&l, prefixes, ends.tokens);
  plan.names = names;
  plan.is_rms = FALSE;
  plan.has_mlp_bias = TRUE;
  plan.has_q_bias = plan.has_o_bias = has_bias;
  plan.is_parallel = hl_loading_bool (&l, "use_parallel_residual", TRUE);
  plan.eps = hl_loading_double (&l, "layer_norm_eps", 1e-5, 0, 1);
  plan.activation = hl_loading_activation (&l, "hidden_act", "gelu");
  plan.rope = d->rope = read_rope (d, &l, &plan);
  hl_tower_load (&d->tower, &plan, &l);
  hl_text_decoder_load_ends (d, &l, &ends, &plan, FALSE);
  return hl_text_decoder_finish (d, &l, loader->info, error);
}

static const char *const model_types[] = { "gpt_neox", NULL };

const HlFamily hl_family_gpt_neox = {
  .id = "gpt-neox",
  .title = "GPT-NeoX",
  .model_types = model_types,
  .load = gpt_neox_load,
  HL_TEXT_DECODER_FAMILY,
};
