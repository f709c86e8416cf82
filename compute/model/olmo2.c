/* SPDX-License-Identifier: MIT
 * OLMo 2: Llama that normalises what each half of a block makes, not what it reads, and Q
 * and K over all their heads. arXiv 2501.00656; names as the Hugging Face library writes
 * them. */
#include "model/hl-text-decoder.h"

static gpointer
olmo2_load (HlLoader *loader, GError **error)
{
  HlTowerPlan plan;
  HlLoading l;
  hl_loading_init (&l, loader);
  HlTextDecoder *d = hl_text_decoder_begin (&plan, &l);
  gboolean has_bias = hl_loading_bool (&l, "attention_bias", FALSE);
  plan.has_q_bias = plan.has_k_bias = plan.has_v_bias = plan.has_o_bias = has_bias;
  plan.eps = hl_loading_double (&l, "rms_norm_eps", 1e-5, 0, 1);
  plan.names.before1 = plan.names.before2 = NULL;
  plan.names.after1 = "post_attention_layernorm";
  plan.names.after2 = "post_feedforward_layernorm";
  plan.names.q_norm = "self_attn.q_norm";
  plan.names.k_norm = "self_attn.k_norm";
  plan.is_wide_qk_norm = TRUE;
  plan.rope = d->rope = hl_text_decoder_read_rope (d, &l, l.config, &plan, 1);
  hl_tower_load (&d->tower, &plan, &l);
  hl_text_decoder_load_ends (d, &l, &hl_text_decoder_names, &plan, FALSE);
  return hl_text_decoder_finish (d, &l, loader->info, error);
}

static const char *const model_types[] = { "olmo2", NULL };

const HlFamily hl_family_olmo2 = {
  .id = "olmo2",
  .title = "OLMo 2",
  .model_types = model_types,
  .load = olmo2_load,
  HL_TEXT_DECODER_FAMILY,
};
