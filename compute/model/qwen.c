/* SPDX-License-Identifier: MIT
 * Qwen2 (and 2.5): Llama with biases on Q, K and V; Qwen3: with norms of each head's Q
 * and K instead. In both, layers from "max_window_layers" on may have a window. Yang et
 * al., arXiv 2407.10671 and 2505.09388; names as the Hugging Face library writes them. */
#include "model/hl-text-decoder.h"

static gpointer
load (HlLoader *loader, gboolean is_third, GError **error)
{
  HlTowerPlan plan;
  HlLoading l;
  hl_loading_init (&l, loader);
  HlTextDecoder *d = hl_text_decoder_begin (&plan, &l);
  gboolean has_bias = is_third ? hl_loading_bool (&l, "attention_bias", FALSE) : TRUE;
  int window = hl_loading_bool (&l, "use_sliding_window", FALSE)
                   ? hl_loading_int (&l, "sliding_window", 4096, 1, G_MAXINT32)
                   : 0;
  int first = hl_loading_int (&l, "max_window_layers", 28, 0, G_MAXINT32);
  plan.has_q_bias = plan.has_k_bias = plan.has_v_bias = has_bias;
  plan.has_o_bias = is_third && has_bias;
  if (is_third)
    {
      plan.names.q_norm = "self_attn.q_norm";
      plan.names.k_norm = "self_attn.k_norm";
    }
  plan.rope = d->rope = hl_text_decoder_read_rope (d, &l, l.config, &plan, 1);
  hl_tower_load (&d->tower, &plan, &l);
  for (int i = 0; i < plan.n_layers && l.error == NULL; i++)
    if (hl_text_decoder_layer_is (&l, i, "sliding_attention", i >= first))
      hl_tower_get_attention (&d->tower, i)->rule.window = window;
  hl_text_decoder_load_ends (d, &l, &hl_text_decoder_names, &plan, FALSE);
  return hl_text_decoder_finish (d, &l, loader->info, error);
}

static gpointer
qwen2_load (HlLoader *loader, GError **error)
{
  return load (loader, FALSE, error);
}

static gpointer
qwen3_load (HlLoader *loader, GError **error)
{
  return load (loader, TRUE, error);
}

static const char *const qwen2_types[] = { "qwen2", NULL };
static const char *const qwen3_types[] = { "qwen3", NULL };

const HlFamily hl_family_qwen2 = {
  .id = "qwen2",
  .title = "Qwen2",
  .model_types = qwen2_types,
  .load = qwen2_load,
  HL_TEXT_DECODER_FAMILY,
};

const HlFamily hl_family_qwen3 = {
  .id = "qwen3",
  .title = "Qwen3",
  .model_types = qwen3_types,
  .load = qwen3_load,
  HL_TEXT_DECODER_FAMILY,
};
