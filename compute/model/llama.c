/* SPDX-License-Identifier: MIT
 * Llama, and SmolLM in its layout: RMS norm, rotary positions, keys and values shared by
 * groups of queries, gated MLP. Touvron et al., arXiv 2302.13971 and 2307.09288; names as
 * the Hugging Face library writes them (rotary pairs are (i, i + K/2) in such files). */
#include "model/hl-text-decoder.h"

static gpointer
llama_load (HlLoader *loader, GError **error)
{
  HlTowerPlan plan;
  HlLoading l;
  hl_loading_init (&l, loader);
  HlTextDecoder *d = hl_text_decoder_begin (&plan, &l);
  gboolean has_bias = hl_loading_bool (&l, "attention_bias", FALSE);
  plan.has_q_bias = plan.has_k_bias = plan.has_v_bias = plan.has_o_bias = has_bias;
  plan.has_mlp_bias = hl_loading_bool (&l, "mlp_bias", FALSE);
  plan.rope = d->rope = hl_text_decoder_read_rope (d, &l, l.config, &plan, 1);
  hl_tower_load (&d->tower, &plan, &l);
  hl_text_decoder_load_ends (d, &l, &hl_text_decoder_names, &plan, FALSE);
  return hl_text_decoder_finish (d, &l, loader->info, error);
}

static const char *const model_types[] = { "llama", NULL };

const HlFamily hl_family_llama = {
  .id = "llama",
  .title = "Llama",
  .model_types = model_types,
  .load = llama_load,
  HL_TEXT_DECODER_FAMILY,
};
