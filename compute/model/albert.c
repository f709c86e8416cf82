/* SPDX-License-Identifier: MIT
 * ALBERT: BERT with a narrow embedding, whose layers share their weights, all of them or
 * group by group. Lan et al., arXiv 1909.11942; names as the Hugging Face library writes
 * them. */
#include "model/hl-text-encoder.h"

static const HlBlockNames names = {
  .block = "encoder.albert_layer_groups.%d.albert_layers.0.",
  .q = "attention.query",
  .k = "attention.key",
  .v = "attention.value",
  .o = "attention.dense",
  .outer1 = "attention.LayerNorm",
  .up = "ffn",
  .down = "ffn_output",
  .outer2 = "full_layer_layer_norm",
};

static const HlTextHeadNames heads = {
  .transform = "predictions.dense",
  .norm = "predictions.LayerNorm",
  .decoder = "predictions.decoder",
  .bias = { "predictions.decoder.bias", "predictions.bias" },
  .pooler = "pooler",
  .pooler_activation = HL_ACTIVATION_TANH,
  .classifier = "classifier",
};

static HlTowerPlan
read_plan (HlLoading *l)
{
  HlTowerPlan plan = hl_text_encoder_read_plan (l, &names, "gelu_new");
  plan.n_groups = hl_loading_int (l, "num_hidden_groups", 1, 1, plan.n_layers);
  int inner = hl_loading_int (l, "inner_group_num", 1, 1, 1 << 20);
  if (inner != 1)
    hl_loading_refuse (l, "field \"inner_group_num\": 1 expected, %d found", inner);
  return plan;
}

static void
load_embedding (HlTextEmbedding *e, HlLoading *l, const HlTowerPlan *plan, gint64 E)
{
  gint64 n = hl_loading_size (l, "max_position_embeddings", 1 << 24);
  e->tokens = hl_loading_param (l, HL_SHAPE (-1, E), "embeddings.word_embeddings.weight");
  e->positions =
      hl_loading_param (l, HL_SHAPE (n, E), "embeddings.position_embeddings.weight");
  e->types =
      hl_loading_param (l, HL_SHAPE (-1, E), "embeddings.token_type_embeddings.weight");
  hl_loading_norm (l, &e->norm, E, plan->eps, "embeddings.LayerNorm");
  hl_loading_dense (l, &e->project, plan->D, E, TRUE,
                    "encoder.embedding_hidden_mapping_in");
  e->pad_id = -1;
  e->n_context = (int) n;
}

static gpointer
albert_load (HlLoader *loader, GError **error)
{
  static const char *const prefixes[] = { "albert.", "", NULL };
  g_autoptr (HlTextEncoder) e = g_new0 (HlTextEncoder, 1);
  HlLoading l;
  hl_loading_init (&l, loader);
  HlTowerPlan plan = read_plan (&l);
  gint64 E = hl_loading_int (&l, "embedding_size", 128, 1, HL_LOADING_MAX_WIDTH);
  l.prefix = hl_loading_find_prefix (&l, prefixes, "embeddings.word_embeddings.weight");
  hl_tower_plan_check (&plan, &l);
  load_embedding (&e->embedding, &l, &plan, E);
  hl_tower_load (&e->tower, &plan, &l);
  hl_text_encoder_load_head (e, &l, &heads, &plan, E);
  if (!hl_loading_finish (&l, error))
    return NULL;
  hl_text_encoder_describe (e, &plan, loader->info);
  return g_steal_pointer (&e);
}

static const char *const model_types[] = { "albert", NULL };

const HlFamily hl_family_albert = {
  .id = "albert",
  .title = "ALBERT",
  .model_types = model_types,
  .input_kind = "text",
  .readout_row = hl_text_encoder_readout_row,
  .load = albert_load,
  .free_data = hl_text_encoder_free,
  .forward = hl_text_encoder_forward,
  .tokens = hl_input_dup_tokens,
  .get_block = hl_text_encoder_get_block,
};
