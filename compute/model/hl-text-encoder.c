/* SPDX-License-Identifier: MIT
 * Encoders of text and their heads. */
#include "model/hl-text-encoder.h"

#include <string.h>

void
hl_text_encoder_free (gpointer data)
{
  HlTextEncoder *encoder = data;
  hl_tower_clear (&encoder->tower);
  g_free (encoder);
}

static HlTextHead
head_of (const HlLoading *loading)
{
  const char *name = hl_loading_architecture (loading);
  if (name == NULL)
    return HL_TEXT_HEAD_NONE;
  if (strstr (name, "ForMaskedLM") != NULL || strstr (name, "ForPreTraining") != NULL)
    return HL_TEXT_HEAD_MASKED;
  return strstr (name, "ForSequenceClassification") != NULL ? HL_TEXT_HEAD_CLASSES
                                                            : HL_TEXT_HEAD_NONE;
}

/* The decoder's weight is the embedding's own where a model ties them. */
static void
load_masked (HlTextEncoder *e,
             HlLoading *loading,
             const HlTextHeadNames *names,
             const HlTowerPlan *plan,
             gint64 E)
{
  HlReadout *readout = &e->readout;
  gint64 V = e->embedding.tokens != NULL ? e->embedding.tokens->stored->shape.dim[0] : 0;
  gboolean is_tied = hl_loading_bool (loading, "tie_word_embeddings", TRUE);
  hl_loading_dense (loading, &readout->transform, E, plan->D, TRUE, names->transform);
  hl_loading_norm (loading, &readout->norm, E, plan->eps, names->norm);
  readout->activation = names->masked_activation != HL_ACTIVATION_NONE
                            ? names->masked_activation
                            : plan->activation;
  if (is_tied)
    readout->unembed.weight = e->embedding.tokens;
  else
    hl_loading_dense (loading, &readout->unembed, V, E, FALSE, names->decoder);
  const char *bias = names->bias[hl_loading_has (loading, names->bias[0]) ? 0 : 1];
  readout->unembed.bias = hl_loading_param (loading, HL_SHAPE (V), bias);
}

HlTowerPlan
hl_text_encoder_read_plan (HlLoading *l,
                           const HlBlockNames *names,
                           const char *activation)
{
  HlTowerPlan plan = { .names = *names };
  plan.D = hl_loading_size (l, "hidden_size", HL_LOADING_MAX_WIDTH);
  plan.F = hl_loading_size (l, "intermediate_size", 1 << 20);
  plan.n_layers = hl_loading_size (l, "num_hidden_layers", HL_LOADING_MAX_LAYERS);
  plan.n_heads = hl_loading_size (l, "num_attention_heads", HL_LOADING_MAX_HEADS);
  plan.n_kv_heads = plan.n_heads;
  plan.head_width = plan.D / plan.n_heads;
  plan.eps = hl_loading_double (l, "layer_norm_eps", 1e-12, 0, 1);
  plan.activation = hl_loading_activation (l, "hidden_act", activation);
  plan.has_q_bias = plan.has_k_bias = plan.has_v_bias = TRUE;
  plan.has_o_bias = plan.has_mlp_bias = TRUE;
  hl_loading_divides (l, "hidden_size", plan.D, "num_attention_heads", plan.n_heads);
  return plan;
}

void
hl_text_encoder_load_head (HlTextEncoder *e,
                           HlLoading *loading,
                           const HlTextHeadNames *names,
                           const HlTowerPlan *plan,
                           gint64 E)
{
  const char *prefix = loading->prefix;
  gboolean has_pooler = FALSE;
  e->head = head_of (loading);
  e->pooler_activation = names->pooler_activation;
  if (names->pooler != NULL)
    {
      g_autofree char *weight = g_strconcat (names->pooler, ".weight", NULL);
      has_pooler = e->head == HL_TEXT_HEAD_NONE ? hl_loading_has (loading, weight)
                                                : e->head == HL_TEXT_HEAD_CLASSES;
    }
  if (has_pooler && (e->head == HL_TEXT_HEAD_NONE || names->class_pooler == NULL))
    hl_loading_dense (loading, &e->pooler, plan->D, plan->D, TRUE, names->pooler);
  loading->prefix = "";
  if (e->head == HL_TEXT_HEAD_MASKED)
    load_masked (e, loading, names, plan, E);
  if (e->head == HL_TEXT_HEAD_CLASSES)
    {
      if (names->class_pooler != NULL)
        e->pooler_activation = names->class_activation;
      hl_loading_dense (loading, &e->pooler, plan->D, plan->D, TRUE, names->class_pooler);
      hl_loading_dense (loading, &e->classifier, -1, plan->D, TRUE, names->classifier);
    }
  loading->prefix = prefix;
}

void
hl_text_encoder_describe (const HlTextEncoder *e,
                          const HlTowerPlan *plan,
                          HlModelInfo *info)
{
  gint64 V = e->embedding.tokens->stored->shape.dim[0];
  info->width = plan->D;
  info->n_context = e->embedding.n_context;
  info->n_vocab = (int) V;
  info->predicts = e->head == HL_TEXT_HEAD_MASKED ? HL_PREDICTS_OWN : HL_PREDICTS_NOTHING;
  if (e->classifier.weight != NULL)
    info->n_classes = (int) e->classifier.weight->stored->shape.dim[0];
  hl_tower_describe (&e->tower, info, "");
}

/* The first masked token, or else the last one that is no special token. */
static gint64
masked_row (const HlInput *input)
{
  gint64 ordinary = -1;
  for (int i = 0; input->tokens != NULL && i < input->tokens->n_tokens; i++)
    {
      const HlToken *token = &input->tokens->tokens[i];
      if (g_strcmp0 (token->text, "[MASK]") == 0 ||
          g_strcmp0 (token->text, "<mask>") == 0)
        return i;
      if (token->role != HL_ROLE_SPECIAL)
        ordinary = i;
    }
  return ordinary >= 0 ? ordinary : input->ids->shape.dim[1] - 1;
}

gint64
hl_text_encoder_readout_row (gpointer data, const HlInput *input)
{
  const HlTextEncoder *e = data;
  return e->head == HL_TEXT_HEAD_MASKED ? masked_row (input) : 0;
}

/* Of the first token: what a classifier reads, (B, D). */
static HlTensor *
pool (const HlTextEncoder *e, HlRun *run, HlTensor *x)
{
  HlExec *exec = &run->exec;
  g_autoptr (HlTensor) first = hl_slice (exec, x, 0, 1); /* (B, 1, D) */
  if (e->pooler.weight != NULL && first != NULL)
    {
      g_autoptr (HlTensor) dense = hl_dense_forward (&e->pooler, run, first);
      hl_tensor_unref (first);
      first = hl_activation (exec, dense, e->pooler_activation);
    }
  if (first == NULL)
    return NULL;
  HlShape shape = HL_SHAPE (first->shape.dim[0], first->shape.dim[2]);
  return hl_run_site (run, HL_SITE_POOLED, 0, 0, hl_tensor_view (first, 0, shape, NULL));
}

static HlTensor *
classify (const HlTextEncoder *e, HlRun *run, HlTensor *x)
{
  if (e->classifier.weight == NULL && !hl_run_wants (run, HL_SITE_POOLED, 0, 0))
    return NULL;
  g_autoptr (HlTensor) pooled = pool (e, run, x);
  return pooled != NULL && e->classifier.weight != NULL
             ? hl_dense_forward (&e->classifier, run, pooled)
             : NULL;
}

HlTensor *
hl_text_encoder_forward (gpointer data, HlRun *run, const HlInput *input)
{
  const HlTextEncoder *e = data;
  g_autoptr (HlTensor) x =
      run->start_resid != NULL
          ? hl_exec_upload (&run->exec, run->start_resid)
          : hl_text_embedding_forward (&e->embedding, run, 0, input); /* (B, T, D) */
  g_autoptr (HlTensor) last = hl_tower_forward (&e->tower, run, 0, x);
  last = hl_run_site (run, HL_SITE_FEATURES, 0, 0, g_steal_pointer (&last));
  if (last == NULL)
    return NULL;
  if (e->head == HL_TEXT_HEAD_MASKED)
    return hl_readout_forward (&e->readout, run, last, masked_row (input));
  return classify (e, run, last);
}

const HlBlock *
hl_text_encoder_get_block (gpointer data, int stack, int layer)
{
  const HlTextEncoder *e = data;
  return hl_tower_get_block (&e->tower, layer);
}
