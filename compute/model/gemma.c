/* SPDX-License-Identifier: MIT
 * Gemma, 2 and 3: Llama with gains of 1 + weight and an embedding times the root of its
 * width. 2 and 3 normalise what each half of a block makes too, and some layers have a
 * window; 2 caps scores and logits, 3 normalises each head's Q and K and turns layers
 * with a window by frequencies of their own. arXiv 2403.08295, 2408.00118, 2503.19786;
 * names as the Hugging Face library writes them. */
#include "model/hl-text-decoder.h"

#include <math.h>

typedef enum
{
  GEMMA_1 = 1,
  GEMMA_2,
  GEMMA_3,
} Version;

static double
optional (HlLoading *l, const char *field)
{
  return hl_loading_double (l, field, 0, 0, 1e9);
}

static void
read_options (HlTowerPlan *plan, HlLoading *l, Version version)
{
  gboolean has_bias = hl_loading_bool (l, "attention_bias", FALSE);
  plan->has_q_bias = plan->has_k_bias = plan->has_v_bias = plan->has_o_bias = has_bias;
  plan->is_offset = TRUE;
  /* "hidden_act" of the first Gemma's files says gelu and means the tanh form. */
  plan->activation = HL_ACTIVATION_GELU_TANH;
  if (json_is_string (json_object_get (l->config, "hidden_activation")))
    plan->activation = hl_loading_activation (l, "hidden_activation", "");
  if (version == GEMMA_1)
    return;
  double width = hl_loading_double (l, "query_pre_attn_scalar", 256, 1e-6, 1e9);
  plan->scale = 1 / sqrt (width);
  plan->names.after1 = "post_attention_layernorm";
  plan->names.before2 = "pre_feedforward_layernorm";
  plan->names.after2 = "post_feedforward_layernorm";
  if (version == GEMMA_2)
    return;
  plan->names.q_norm = "self_attn.q_norm";
  plan->names.k_norm = "self_attn.k_norm";
  if (hl_loading_bool (l, "use_bidirectional_attention", FALSE))
    hl_loading_refuse (
        l, "field \"use_bidirectional_attention\": false expected, true found");
}

/* Frequencies of one kind of layers of the third: from a table by kind in new files. */
static HlRope *
read_rope_of (HlTextDecoder *d, HlLoading *l, const HlTowerPlan *plan, gboolean is_local)
{
  const char *kind = is_local ? "sliding_attention" : "full_attention";
  const char *field = is_local ? "rope_local_base_freq" : "rope_theta";
  double base = hl_loading_double (l, field, is_local ? 1e4 : 1e6, 1, 1e12);
  const json_t *both = json_object_get (l->config, "rope_parameters");
  json_t *own = json_object_get (both, kind);
  if (own == NULL && !is_local)
    own = json_object_get (l->config, "rope_scaling");
  g_autoptr (json_t) settings =
      json_is_object (own)
          ? json_pack ("{s:f,s:O}", "rope_theta", base, "rope_parameters", own)
          : json_pack ("{s:f}", "rope_theta", base);
  return hl_text_decoder_read_rope (d, l, settings, plan, 1);
}

static void
finish_layer (HlTextDecoder *d, HlLoading *l, int layer, Version version)
{
  HlAttention *a = hl_tower_get_attention (&d->tower, layer);
  int pattern = version == GEMMA_3
                    ? hl_loading_int (l, "sliding_window_pattern", 6, 1, 1 << 20)
                    : 2;
  gboolean is_local = hl_text_decoder_layer_is (l, layer, "sliding_attention",
                                                (layer + 1) % pattern != 0);
  a->rule.soft_cap = optional (l, "attn_logit_softcapping");
  if (is_local)
    a->rule.window = hl_loading_int (l, "sliding_window", 4096, 0, G_MAXINT32);
  a->rope = is_local && d->local_rope != NULL ? d->local_rope : d->rope;
}

static gpointer
load (HlLoader *loader, Version version, GError **error)
{
  static const char *const towers[] = { "language_model.model.", "model.language_model.",
                                        "model.", "", NULL };
  HlTowerPlan plan;
  HlLoading l;
  hl_loading_init (&l, loader);
  if (json_object_get (l.config, "text_config") != NULL) /* beside a tower of pictures */
    hl_loading_enter (&l, "text_config");
  HlTextDecoder *d = hl_text_decoder_begin (&plan, &l);
  l.prefix = hl_loading_find_prefix (&l, towers, hl_text_decoder_names.tokens);
  read_options (&plan, &l, version);
  if (version == GEMMA_3)
    {
      d->rope = read_rope_of (d, &l, &plan, FALSE);
      d->local_rope = read_rope_of (d, &l, &plan, TRUE);
    }
  else
    d->rope = hl_text_decoder_read_rope (d, &l, l.config, &plan, 1);
  plan.rope = d->rope;
  hl_tower_load (&d->tower, &plan, &l);
  for (int i = 0; i < plan.n_layers && l.error == NULL && version != GEMMA_1; i++)
    finish_layer (d, &l, i, version);
  hl_text_decoder_load_ends (d, &l, &hl_text_decoder_names, &plan, TRUE);
  d->embedding.scale = sqrt (plan.D);
  d->readout.soft_cap = version != GEMMA_1 ? optional (&l, "final_logit_softcapping") : 0;
  return hl_text_decoder_finish (d, &l, loader->info, error);
}

static gpointer
gemma1_load (HlLoader *loader, GError **error)
{
  return load (loader, GEMMA_1, error);
}

static gpointer
gemma2_load (HlLoader *loader, GError **error)
{
  return load (loader, GEMMA_2, error);
}

static gpointer
gemma3_load (HlLoader *loader, GError **error)
{
  return load (loader, GEMMA_3, error);
}

static const char *const gemma1_types[] = { "gemma", NULL };
static const char *const gemma2_types[] = { "gemma2", NULL };
static const char *const gemma3_types[] = { "gemma3_text", "gemma3", NULL };

const HlFamily hl_family_gemma = {
  .id = "gemma",
  .title = "Gemma",
  .model_types = gemma1_types,
  .load = gemma1_load,
  HL_TEXT_DECODER_FAMILY,
};

const HlFamily hl_family_gemma2 = {
  .id = "gemma2",
  .title = "Gemma 2",
  .model_types = gemma2_types,
  .load = gemma2_load,
  HL_TEXT_DECODER_FAMILY,
};

const HlFamily hl_family_gemma3 = {
  .id = "gemma3",
  .title = "Gemma 3",
  .model_types = gemma3_types,
  .load = gemma3_load,
  HL_TEXT_DECODER_FAMILY,
};
