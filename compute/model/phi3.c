/* SPDX-License-Identifier: MIT
 * Phi-3 (and 3.5, 4): Llama with Q, K and V in one weight, gate and up in another, of
 * which only part of a head may be turned. Abdin et al., arXiv 2404.14219; names as the
 * Hugging Face library writes them. */
#include "model/hl-text-decoder.h"

static double
turned_share (HlLoading *l)
{
  const json_t *parameters = json_object_get (l->config, "rope_parameters");
  const json_t *share = json_object_get (parameters, "partial_rotary_factor");
  return json_is_number (share) ? json_number_value (share)
                                : hl_loading_double (l, "partial_rotary_factor", 1, 0, 1);
}

static gpointer
phi3_load (HlLoader *loader, GError **error)
{
  HlTowerPlan plan;
  HlLoading l;
  hl_loading_init (&l, loader);
  HlTextDecoder *d = hl_text_decoder_begin (&plan, &l);
  int window = hl_loading_int (&l, "sliding_window", 0, 0, G_MAXINT32);
  plan.eps = hl_loading_double (&l, "rms_norm_eps", 1e-5, 0, 1);
  plan.names.q = plan.names.k = plan.names.v = plan.names.gate = plan.names.up = NULL;
  plan.names.qkv = "self_attn.qkv_proj";
  plan.names.gate_up = "mlp.gate_up_proj";
  plan.rope = d->rope =
      hl_text_decoder_read_rope (d, &l, l.config, &plan, CLAMP (turned_share (&l), 0, 1));
  hl_tower_load (&d->tower, &plan, &l);
  for (int i = 0; i < plan.n_layers && l.error == NULL; i++)
    hl_tower_get_attention (&d->tower, i)->rule.window = window;
  hl_text_decoder_load_ends (d, &l, &hl_text_decoder_names, &plan, FALSE);
  return hl_text_decoder_finish (d, &l, loader->info, error);
}

static const char *const model_types[] = { "phi3", NULL };

const HlFamily hl_family_phi3 = {
  .id = "phi3",
  .title = "Phi-3",
  .model_types = model_types,
  .load = phi3_load,
  HL_TEXT_DECODER_FAMILY,
};
