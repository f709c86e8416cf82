/* SPDX-License-Identifier: MIT
 * Encoder-decoders: what they share. */
#include "model/hl-seq2seq.h"

#include "base/hl-error.h"

static HlTensor *
embed_source (const HlSeq2Seq *m, HlRun *run, const HlInput *input)
{
  const HlInput source = { .ids = input->source_ids, .tokens = input->source_tokens };
  return hl_text_embedding_forward (&m->source, run, HL_SEQ2SEQ_ENCODER, &source);
}

HlSeq2Seq *
hl_seq2seq_new (void)
{
  HlSeq2Seq *m = g_new0 (HlSeq2Seq, 1);
  m->begin = embed_source;
  return m;
}

void
hl_seq2seq_free (gpointer data)
{
  HlSeq2Seq *m = data;
  hl_tower_clear (&m->encoder);
  hl_tower_clear (&m->decoder);
  g_free (m->extra);
  g_free (m);
}

HlTowerPlan
hl_seq2seq_read_plan (HlLoading *l,
                      const HlBlockNames *names,
                      gboolean is_decoder,
                      const char *activation)
{
  const char *side = is_decoder ? "decoder" : "encoder";
  g_autofree char *layers = g_strconcat (side, "_layers", NULL);
  g_autofree char *heads = g_strconcat (side, "_attention_heads", NULL);
  g_autofree char *width = g_strconcat (side, "_ffn_dim", NULL);
  HlTowerPlan plan = {
    .names = *names, .is_causal = is_decoder, .eps = 1e-5, .cross_stack = HL_SEQ2SEQ_CROSS
  };
  plan.D = plan.memory_width = hl_loading_size (l, "d_model", HL_LOADING_MAX_WIDTH);
  plan.F = hl_loading_size (l, width, 1 << 20);
  plan.n_layers = hl_loading_size (l, layers, HL_LOADING_MAX_LAYERS);
  plan.n_heads = plan.n_kv_heads = hl_loading_size (l, heads, HL_LOADING_MAX_HEADS);
  plan.head_width = plan.D / plan.n_heads;
  plan.activation = hl_loading_activation (l, "activation_function", activation);
  plan.has_q_bias = plan.has_k_bias = plan.has_v_bias = TRUE;
  plan.has_o_bias = plan.has_mlp_bias = TRUE;
  hl_loading_divides (l, "d_model", plan.D, heads, plan.n_heads);
  hl_tower_plan_check (&plan, l);
  return plan;
}

HlSeq2Seq *
hl_seq2seq_finish (HlSeq2Seq *m, HlLoading *l, HlModelInfo *info, GError **error)
{
  if (!hl_loading_finish (l, error))
    {
      hl_seq2seq_free (m);
      return NULL;
    }
  info->width = (int) m->decoder.blocks[0].mlp.down.weight->stored->shape.dim[0];
  info->n_vocab = (int) m->target.tokens->stored->shape.dim[0];
  info->predicts = HL_PREDICTS_NEXT;
  info->n_context = m->target.n_context;
  info->n_source_context = m->source.n_context;
  info->readout_stack = HL_SEQ2SEQ_DECODER;
  hl_tower_describe (&m->encoder, info, "encoder");
  hl_tower_describe (&m->decoder, info, "decoder");
  hl_tower_describe_cross (&m->decoder, info, HL_SEQ2SEQ_DECODER, HL_SEQ2SEQ_ENCODER);
  return m;
}

/* What the decoder attends to, (B, S, D): made once in a generation. */
static HlTensor *
encode (const HlSeq2Seq *m, HlRun *run, const HlInput *input)
{
  HlTensor *kept = run->cache != NULL ? hl_kv_cache_get_memory (run->cache) : NULL;
  if (kept != NULL)
    return hl_tensor_ref (kept);
  g_autoptr (HlTensor) x = run->start_resid != NULL
                               ? hl_exec_upload (&run->exec, run->start_resid)
                               : m->begin (m, run, input);
  g_autoptr (HlTensor) last = hl_tower_forward (&m->encoder, run, HL_SEQ2SEQ_ENCODER, x);
  g_autoptr (HlTensor) memory =
      hl_run_site (run, HL_SITE_FEATURES, HL_SEQ2SEQ_ENCODER, 0,
                   hl_norm_forward (&m->encoder_norm, run, last));
  if (memory != NULL && run->cache != NULL)
    hl_kv_cache_set_memory (run->cache, memory);
  return g_steal_pointer (&memory);
}

HlTensor *
hl_seq2seq_forward (gpointer data, HlRun *run, const HlInput *input)
{
  const HlSeq2Seq *m = data;
  if (input->source_ids == NULL && input->features == NULL)
    hl_exec_fail (&run->exec,
                  g_error_new (HL_ERROR, HL_ERROR_MISSING,
                               "%s: something for the encoder to read expected, "
                               "nothing found",
                               run->model->name));
  if (!hl_exec_ok (&run->exec))
    return NULL;
  g_autoptr (HlTensor) memory = encode (m, run, input);
  if (memory == NULL)
    return NULL;
  run->memory = memory;
  g_autoptr (HlTensor) x =
      hl_text_embedding_forward (&m->target, run, HL_SEQ2SEQ_DECODER, input);
  g_autoptr (HlTensor) last = hl_tower_forward (&m->decoder, run, HL_SEQ2SEQ_DECODER, x);
  HlTensor *logits = hl_readout_forward (&m->readout, run, last, -1);
  run->memory = NULL;
  return logits;
}

HlTokenTable *
hl_seq2seq_tokens (gpointer data, const HlInput *input, int stack)
{
  return hl_token_table_ref (stack == HL_SEQ2SEQ_ENCODER ? input->source_tokens
                                                         : input->tokens);
}

const HlBlock *
hl_seq2seq_get_block (gpointer data, int stack, int layer)
{
  const HlSeq2Seq *m = data;
  return hl_tower_get_block (stack == HL_SEQ2SEQ_ENCODER ? &m->encoder : &m->decoder,
                             layer);
}
