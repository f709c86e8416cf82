/* SPDX-License-Identifier: MIT
 * Mistral: Llama, whose queries see no further back than a window. Jiang et al., arXiv
 * 2310.06825; names as the Hugging Face library writes them. */
#include "model/hl-text-decoder.h"

static gpointer
mistral_load (HlLoader *loader, GError **error)
{
  HlTowerPlan plan;
  HlLoading l;
  hl_loading_init (&l, loader);
  HlTextDecoder *d = hl_text_decoder_begin (&plan, &l);
  int window = hl_loading_int (&l, "sliding_window", 0, 0, G_MAXINT32);
  plan.rope = d->rope = hl_text_decoder_read_rope (d, &l, l.config, &plan, 1);
  hl_tower_load (&d->tower, &plan, &l);
  for (int i = 0; i < plan.n_layers && l.error == NULL; i++)
    hl_tower_get_attention (&d->tower, i)->rule.window = window;
  hl_text_decoder_load_ends (d, &l, &hl_text_decoder_names, &plan, FALSE);
  return hl_text_decoder_finish (d, &l, loader->info, error);
}

static const char *const model_types[] = { "mistral", NULL };

const HlFamily hl_family_mistral = {
  .id = "mistral",
  .title = "Mistral",
  .model_types = model_types,
  .load = mistral_load,
  HL_TEXT_DECODER_FAMILY,
};
