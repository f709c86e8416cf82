/* SPDX-License-Identifier: MIT
 * T5, Flan-T5 and mT5: no positions but what a distance adds to scores, RMS norms, no
 * biases, scores that are not scaled, plain or gated MLP. Raffel et al., arXiv
 * 1910.10683; names as the Hugging Face library writes them. */
#include "model/hl-seq2seq.h"

#include <math.h>
#include <string.h>

static const HlBlockNames encoder_names = {
  .block = "encoder.block.%d.",
  .q = "layer.0.SelfAttention.q",
  .k = "layer.0.SelfAttention.k",
  .v = "layer.0.SelfAttention.v",
  .o = "layer.0.SelfAttention.o",
  .before1 = "layer.0.layer_norm",
  .up = "layer.1.DenseReluDense.wi",
  .down = "layer.1.DenseReluDense.wo",
  .before2 = "layer.1.layer_norm",
};

static const HlBlockNames decoder_names = {
  .block = "decoder.block.%d.",
  .q = "layer.0.SelfAttention.q",
  .k = "layer.0.SelfAttention.k",
  .v = "layer.0.SelfAttention.v",
  .o = "layer.0.SelfAttention.o",
  .before1 = "layer.0.layer_norm",
  .cross_q = "layer.1.EncDecAttention.q",
  .cross_k = "layer.1.EncDecAttention.k",
  .cross_v = "layer.1.EncDecAttention.v",
  .cross_o = "layer.1.EncDecAttention.o",
  .cross_before = "layer.1.layer_norm",
  .up = "layer.2.DenseReluDense.wi",
  .down = "layer.2.DenseReluDense.wo",
  .before2 = "layer.2.layer_norm",
};

/* "relu", "gated-gelu" (which is the tanh form) or "gated-silu". */
static void
read_mlp (HlTowerPlan *plan, HlLoading *l, const char *gate, const char *up)
{
  const char *name = hl_loading_string (l, "feed_forward_proj", "relu");
  gboolean is_gated = g_str_has_prefix (name, "gated-");
  const char *kind = is_gated ? name + strlen ("gated-") : name;
  if (is_gated && g_str_equal (kind, "gelu"))
    kind = "gelu_new";
  if (l->error == NULL)
    hl_activation_require (kind, "feed_forward_proj", &plan->activation, &l->error);
  if (!is_gated)
    return;
  plan->names.gate = gate;
  plan->names.up = up;
}

static HlTowerPlan
read_plan (HlLoading *l, gboolean is_decoder)
{
  HlTowerPlan plan = { .names = is_decoder ? decoder_names : encoder_names,
                       .is_rms = TRUE,
                       .scale = 1,
                       .is_causal = is_decoder,
                       .cross_stack = HL_SEQ2SEQ_CROSS };
  plan.D = plan.memory_width = hl_loading_size (l, "d_model", HL_LOADING_MAX_WIDTH);
  plan.F = hl_loading_size (l, "d_ff", 1 << 20);
  plan.n_heads = plan.n_kv_heads = hl_loading_size (l, "num_heads", HL_LOADING_MAX_HEADS);
  plan.head_width = hl_loading_size (l, "d_kv", 1 << 16);
  plan.n_layers = hl_loading_size (l, "num_layers", HL_LOADING_MAX_LAYERS);
  if (is_decoder)
    plan.n_layers =
        hl_loading_int (l, "num_decoder_layers", plan.n_layers, 1, HL_LOADING_MAX_LAYERS);
  plan.eps = hl_loading_double (l, "layer_norm_epsilon", 1e-6, 0, 1);
  if (is_decoder)
    read_mlp (&plan, l, "layer.2.DenseReluDense.wi_0", "layer.2.DenseReluDense.wi_1");
  else
    read_mlp (&plan, l, "layer.1.DenseReluDense.wi_0", "layer.1.DenseReluDense.wi_1");
  hl_tower_plan_check (&plan, l);
  return plan;
}

/* All layers of a tower share the first one's table. */
static void
load_bias (HlPositionBias *bias, HlLoading *l, const HlTowerPlan *plan, const char *tower)
{
  g_autofree char *name = g_strconcat (
      tower, ".block.0.layer.0.SelfAttention.relative_attention_bias.weight", NULL);
  int n = hl_loading_int (l, "relative_attention_num_buckets", 32, 4, 1 << 16);
  bias->max_distance =
      hl_loading_int (l, "relative_attention_max_distance", 128, 2, 1 << 24);
  bias->is_two_sided = !plan->is_causal;
  int exact = bias->is_two_sided ? n / 4 : n / 2;
  if (bias->max_distance <= exact)
    hl_loading_refuse (
        l,
        "field \"relative_attention_max_distance\": more than %d expected, "
        "%d found",
        exact, bias->max_distance);
  bias->table = hl_loading_param (l, HL_SHAPE (n, plan->n_heads), name);
}

/* The original ties both ends and makes the stream smaller before it reads it; later ones
 * have an end of its own. */
static void
load_ends (HlSeq2Seq *m, HlLoading *l, const HlTowerPlan *plan)
{
  gint64 D = plan->D;
  gboolean is_tied = hl_loading_bool (l, "tie_word_embeddings", TRUE);
  const char *shared = hl_loading_has (l, "shared.weight")
                           ? "shared.weight"
                           : "encoder.embed_tokens.weight";
  m->source.tokens = m->target.tokens = hl_loading_param (l, HL_SHAPE (-1, D), shared);
  m->source.pad_id = m->target.pad_id = -1;
  m->source.n_context = m->target.n_context =
      hl_loading_int (l, "n_positions", 512, 1, 1 << 24);
  m->encoder_norm.is_rms = m->readout.norm.is_rms = TRUE;
  hl_loading_norm (l, &m->encoder_norm, D, plan->eps, "encoder.final_layer_norm");
  hl_loading_norm (l, &m->readout.norm, D, plan->eps, "decoder.final_layer_norm");
  m->readout.unembed.weight = m->target.tokens;
  if (is_tied)
    m->readout.scale = 1 / sqrt ((double) D);
  else if (hl_loading_has (l, "lm_head.weight"))
    hl_loading_dense (l, &m->readout.unembed, -1, D, FALSE, "lm_head");
}

static gpointer
t5_load (HlLoader *loader, GError **error)
{
  HlSeq2Seq *m = hl_seq2seq_new ();
  HlLoading l;
  hl_loading_init (&l, loader);
  HlTowerPlan encoder = read_plan (&l, FALSE), decoder = read_plan (&l, TRUE);
  load_bias (&m->encoder_bias, &l, &encoder, "encoder");
  load_bias (&m->decoder_bias, &l, &decoder, "decoder");
  encoder.bias = &m->encoder_bias;
  decoder.bias = &m->decoder_bias;
  hl_tower_load (&m->encoder, &encoder, &l);
  hl_tower_load (&m->decoder, &decoder, &l);
  load_ends (m, &l, &encoder);
  return hl_seq2seq_finish (m, &l, loader->info, error);
}

static const char *const model_types[] = { "t5", "mt5", NULL };

const HlFamily hl_family_t5 = {
  .id = "t5",
  .title = "T5",
  .model_types = model_types,
  .input_kind = "text",
  .load = t5_load,
  HL_SEQ2SEQ_FAMILY,
};
