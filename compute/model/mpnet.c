/* SPDX-License-Identifier: MIT
 * MPNet: RoBERTa's positions, and in all layers one table of what distances add to the
 * scores. Song et al., arXiv 2004.09297; names as the Hugging Face library writes them.
 */
#include "model/hl-text-encoder.h"

static const HlBlockNames names = {
  .block = "encoder.layer.%d.",
  .q = "attention.attn.q",
  .k = "attention.attn.k",
  .v = "attention.attn.v",
  .o = "attention.attn.o",
  .outer1 = "attention.LayerNorm",
  .up = "intermediate.dense",
  .down = "output.dense",
  .outer2 = "output.LayerNorm",
};

static const HlTextHeadNames heads = {
  .transform = "lm_head.dense",
  .norm = "lm_head.layer_norm",
  .decoder = "lm_head.decoder",
  .bias = { "lm_head.decoder.bias", "lm_head.bias" },
  .masked_activation = HL_ACTIVATION_GELU,
  .pooler = "pooler.dense",
  .pooler_activation = HL_ACTIVATION_TANH,
  .class_pooler = "classifier.dense",
  .class_activation = HL_ACTIVATION_TANH,
  .classifier = "classifier.out_proj",
};

/* The library's own, whatever the config says. */
#define N_BUCKETS 32
#define MAX_DISTANCE 128
#define PAD_ID 1

static void
load_embedding (HlTextEmbedding *e, HlLoading *l, const HlTowerPlan *plan)
{
  gint64 D = plan->D, n = hl_loading_size (l, "max_position_embeddings", 1 << 24);
  e->tokens = hl_loading_param (l, HL_SHAPE (-1, D), "embeddings.word_embeddings.weight");
  e->positions =
      hl_loading_param (l, HL_SHAPE (n, D), "embeddings.position_embeddings.weight");
  hl_loading_norm (l, &e->norm, D, plan->eps, "embeddings.LayerNorm");
  e->pad_id = PAD_ID;
  e->first_position = PAD_ID + 1;
  e->n_context = (int) n - e->first_position;
}

static gpointer
mpnet_load (HlLoader *loader, GError **error)
{
  static const char *const prefixes[] = { "mpnet.", "", NULL };
  g_autoptr (HlTextEncoder) e = g_new0 (HlTextEncoder, 1);
  HlLoading l;
  hl_loading_init (&l, loader);
  HlTowerPlan plan = hl_text_encoder_read_plan (&l, &names, "gelu");
  int n_buckets =
      hl_loading_int (&l, "relative_attention_num_buckets", N_BUCKETS, 1, 1 << 16);
  if (n_buckets != N_BUCKETS)
    hl_loading_refuse (&l,
                       "field \"relative_attention_num_buckets\": %d expected, %d found",
                       N_BUCKETS, n_buckets);
  l.prefix = hl_loading_find_prefix (&l, prefixes, "embeddings.word_embeddings.weight");
  hl_tower_plan_check (&plan, &l);
  load_embedding (&e->embedding, &l, &plan);
  e->bias.table = hl_loading_param (&l, HL_SHAPE (n_buckets, plan.n_heads),
                                    "encoder.relative_attention_bias.weight");
  e->bias.max_distance = MAX_DISTANCE;
  e->bias.is_two_sided = TRUE;
  plan.bias = &e->bias;
  hl_tower_load (&e->tower, &plan, &l);
  hl_text_encoder_load_head (e, &l, &heads, &plan, plan.D);
  if (!hl_loading_finish (&l, error))
    return NULL;
  hl_text_encoder_describe (e, &plan, loader->info);
  return g_steal_pointer (&e);
}

static const char *const model_types[] = { "mpnet", NULL };

const HlFamily hl_family_mpnet = {
  .id = "mpnet",
  .title = "MPNet",
  .model_types = model_types,
  .input_kind = "text",
  .readout_row = hl_text_encoder_readout_row,
  .load = mpnet_load,
  .free_data = hl_text_encoder_free,
  .forward = hl_text_encoder_forward,
  .tokens = hl_input_dup_tokens,
  .get_block = hl_text_encoder_get_block,
};
