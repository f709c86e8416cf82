/* SPDX-License-Identifier: MIT
 * BERT: learned positions and segments, layer norm behind each half of a block. Devlin et
 * al., arXiv 1810.04805; names as the Hugging Face library writes them. */
#include "model/hl-text-encoder.h"

static const HlBlockNames names = {
  .block = "encoder.layer.%d.",
  .q = "attention.self.query",
  .k = "attention.self.key",
  .v = "attention.self.value",
  .o = "attention.output.dense",
  .outer1 = "attention.output.LayerNorm",
  .up = "intermediate.dense",
  .down = "output.dense",
  .outer2 = "output.LayerNorm",
};

static const HlTextHeadNames heads = {
  .transform = "cls.predictions.transform.dense",
  .norm = "cls.predictions.transform.LayerNorm",
  .decoder = "cls.predictions.decoder",
  .bias = { "cls.predictions.decoder.bias", "cls.predictions.bias" },
  .pooler = "pooler.dense",
  .pooler_activation = HL_ACTIVATION_TANH,
  .classifier = "classifier",
};

/* RoBERTa names the parts of its heads otherwise, and classifies without a pooler. */
static const HlTextHeadNames roberta_heads = {
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

static void
refuse_variants (HlLoading *l)
{
  const char *positions = hl_loading_string (l, "position_embedding_type", "absolute");
  if (!g_str_equal (positions, "absolute"))
    hl_loading_refuse (
        l, "field \"position_embedding_type\": absolute expected, \"%s\" found",
        positions);
  if (hl_loading_bool (l, "is_decoder", FALSE))
    hl_loading_refuse (l, "field \"is_decoder\": false expected, true found");
}

static void
load_embedding (HlTextEmbedding *e, HlLoading *l, const HlTowerPlan *plan)
{
  gint64 D = plan->D, n = hl_loading_size (l, "max_position_embeddings", 1 << 24);
  e->tokens = hl_loading_param (l, HL_SHAPE (-1, D), "embeddings.word_embeddings.weight");
  e->positions =
      hl_loading_param (l, HL_SHAPE (n, D), "embeddings.position_embeddings.weight");
  if (hl_loading_has (l, "embeddings.token_type_embeddings.weight"))
    e->types =
        hl_loading_param (l, HL_SHAPE (-1, D), "embeddings.token_type_embeddings.weight");
  hl_loading_norm (l, &e->norm, D, plan->eps, "embeddings.LayerNorm");
  e->pad_id = -1;
  e->n_context = (int) n;
}

static HlTextEncoder *
load (HlLoader *loader, const char *const *prefixes, gboolean is_roberta, GError **error)
{
  g_autoptr (HlTextEncoder) e = g_new0 (HlTextEncoder, 1);
  HlLoading l;
  hl_loading_init (&l, loader);
  HlTowerPlan plan = hl_text_encoder_read_plan (&l, &names, "gelu");
  refuse_variants (&l);
  l.prefix = hl_loading_find_prefix (&l, prefixes, "embeddings.word_embeddings.weight");
  hl_tower_plan_check (&plan, &l);
  load_embedding (&e->embedding, &l, &plan);
  if (is_roberta)
    {
      e->embedding.pad_id = hl_loading_int (&l, "pad_token_id", 1, 0, 1 << 20);
      e->embedding.first_position = e->embedding.pad_id + 1;
      e->embedding.n_context -= e->embedding.first_position;
    }
  hl_tower_load (&e->tower, &plan, &l);
  hl_text_encoder_load_head (e, &l, is_roberta ? &roberta_heads : &heads, &plan, plan.D);
  if (!hl_loading_finish (&l, error))
    return NULL;
  hl_text_encoder_describe (e, &plan, loader->info);
  return g_steal_pointer (&e);
}

static gpointer
bert_load (HlLoader *loader, GError **error)
{
  static const char *const prefixes[] = { "bert.", "", NULL };
  return load (loader, prefixes, FALSE, error);
}

/* Positions begin behind the padding token's number. Liu et al., arXiv 1907.11692. */
static gpointer
roberta_load (HlLoader *loader, GError **error)
{
  static const char *const prefixes[] = { "roberta.", "", NULL };
  return load (loader, prefixes, TRUE, error);
}

static const char *const bert_types[] = { "bert", NULL };
static const char *const roberta_types[] = { "roberta", "xlm-roberta", "camembert",
                                             NULL };

const HlFamily hl_family_bert = {
  .id = "bert",
  .title = "BERT",
  .model_types = bert_types,
  .input_kind = "text",
  .readout_row = hl_text_encoder_readout_row,
  .load = bert_load,
  .free_data = hl_text_encoder_free,
  .forward = hl_text_encoder_forward,
  .tokens = hl_input_dup_tokens,
  .get_block = hl_text_encoder_get_block,
};

const HlFamily hl_family_roberta = {
  .id = "roberta",
  .title = "RoBERTa",
  .model_types = roberta_types,
  .input_kind = "text",
  .readout_row = hl_text_encoder_readout_row,
  .load = roberta_load,
  .free_data = hl_text_encoder_free,
  .forward = hl_text_encoder_forward,
  .tokens = hl_input_dup_tokens,
  .get_block = hl_text_encoder_get_block,
};
