/* SPDX-License-Identifier: MIT
 * SmolLM3: Llama, of whose layers some have no positions at all. Names as the Hugging
 * Face library writes them. */
#include "model/hl-text-decoder.h"

/* 1 in "no_rope_layers" means that the layer is turned, as the library reads it. */
static gboolean
is_turned (const HlLoading *l, int layer, int interval)
{
  const json_t *list = json_object_get (l->config, "no_rope_layers");
  const json_t *entry = json_array_get (list, (gsize) layer);
  if (json_is_integer (entry))
    return json_integer_value (entry) != 0;
  return (layer + 1) % interval != 0;
}

static gpointer
smollm3_load (HlLoader *loader, GError **error)
{
  HlTowerPlan plan;
  HlLoading l;
  hl_loading_init (&l, loader);
  HlTextDecoder *d = hl_text_decoder_begin (&plan, &l);
  gboolean has_bias = hl_loading_bool (&l, "attention_bias", FALSE);
  int interval = hl_loading_int (&l, "no_rope_layer_interval", 4, 1, 1 << 20);
  int window = hl_loading_bool (&l, "use_sliding_window", FALSE)
                   ? hl_loading_int (&l, "sliding_window", 0, 0, G_MAXINT32)
                   : 0;
  plan.has_q_bias = plan.has_k_bias = plan.has_v_bias = plan.has_o_bias = has_bias;
  plan.has_mlp_bias = hl_loading_bool (&l, "mlp_bias", FALSE);
  d->rope = hl_text_decoder_read_rope (d, &l, l.config, &plan, 1);
  hl_tower_load (&d->tower, &plan, &l);
  for (int i = 0; i < plan.n_layers && l.error == NULL; i++)
    {
      HlAttention *a = hl_tower_get_attention (&d->tower, i);
      a->rope = is_turned (&l, i, interval) ? d->rope : NULL;
      if (hl_text_decoder_layer_is (&l, i, "sliding_attention", a->rope == NULL))
        a->rule.window = window;
    }
  hl_text_decoder_load_ends (d, &l, &hl_text_decoder_names, &plan, TRUE);
  return hl_text_decoder_finish (d, &l, loader->info, error);
}

static const char *const model_types[] = { "smollm3", NULL };

const HlFamily hl_family_smollm3 = {
  .id = "smollm3",
  .title = "SmolLM3",
  .model_types = model_types,
  .load = smollm3_load,
  HL_TEXT_DECODER_FAMILY,
};
