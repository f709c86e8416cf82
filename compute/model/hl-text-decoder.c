/* SPDX-License-Identifier: MIT
 * Decoders: what causal language models share. */
#include "model/hl-text-decoder.h"

#include "base/hl-error.h"

const HlTextDecoderNames hl_text_decoder_names = { "embed_tokens.weight", "norm",
                                                   "lm_head" };

static const HlBlockNames block_names = {
  .block = "layers.%d.",
  .q = "self_attn.q_proj",
  .k = "self_attn.k_proj",
  .v = "self_attn.v_proj",
  .o = "self_attn.o_proj",
  .gate = "mlp.gate_proj",
  .up = "mlp.up_proj",
  .down = "mlp.down_proj",
  .before1 = "input_layernorm",
  .before2 = "post_attention_layernorm",
};

void
hl_text_decoder_free (gpointer data)
{
  HlTextDecoder *decoder = data;
  hl_tower_clear (&decoder->tower);
  g_clear_pointer (&decoder->rope, hl_rope_free);
  g_clear_pointer (&decoder->local_rope, hl_rope_free);
  g_free (decoder);
}

HlTextDecoder *
hl_text_decoder_begin (HlTowerPlan *plan, HlLoading *l)
{
  static const char *const prefixes[] = { "model.", "", NULL };
  *plan = (HlTowerPlan){ .names = block_names, .is_causal = TRUE, .is_rms = TRUE };
  plan->D = hl_loading_size (l, "hidden_size", HL_LOADING_MAX_WIDTH);
  plan->F = hl_loading_size (l, "intermediate_size", 1 << 20);
  plan->n_layers = hl_loading_size (l, "num_hidden_layers", HL_LOADING_MAX_LAYERS);
  plan->n_heads = hl_loading_size (l, "num_attention_heads", HL_LOADING_MAX_HEADS);
  plan->n_kv_heads =
      hl_loading_int (l, "num_key_value_heads", plan->n_heads, 1, HL_LOADING_MAX_HEADS);
  if (!json_is_integer (json_object_get (l->config, "head_dim")))
    hl_loading_divides (l, "hidden_size", plan->D, "num_attention_heads", plan->n_heads);
  plan->head_width =
      hl_loading_int (l, "head_dim", MAX (plan->D / plan->n_heads, 1), 1, 1 << 16);
  plan->eps = hl_loading_double (l, "rms_norm_eps", 1e-6, 0, 1);
  if (json_object_get (l->config, "hidden_act") != NULL)
    plan->activation = hl_loading_activation (l, "hidden_act", "silu");
  else /* Gemma's name for it */
    plan->activation = hl_loading_activation (l, "hidden_activation", "silu");
  l->prefix = hl_loading_find_prefix (l, prefixes, hl_text_decoder_names.tokens);
  hl_tower_plan_check (plan, l);
  return g_new0 (HlTextDecoder, 1);
}

HlRope *
hl_text_decoder_read_rope (HlTextDecoder *decoder,
                           HlLoading *l,
                           const json_t *config,
                           const HlTowerPlan *plan,
                           double share)
{
  int n_turned = (int) (plan->head_width * share);
  decoder->embedding.n_context =
      hl_loading_int (l, "max_position_embeddings", 2048, 1, G_MAXINT32);
  if (n_turned < 2 || n_turned % 2 != 0)
    hl_loading_refuse (l,
                       "numbers of a head that are turned: an even number expected, %d "
                       "of %d found",
                       n_turned, plan->head_width);
  return l->error == NULL
             ? hl_rope_read (config, n_turned, decoder->embedding.n_context, &l->error)
             : NULL;
}

void
hl_text_decoder_load_ends (HlTextDecoder *d,
                           HlLoading *l,
                           const HlTextDecoderNames *names,
                           const HlTowerPlan *plan,
                           gboolean is_tied)
{
  const char *prefix = l->prefix;
  gint64 D = plan->D;
  if (d->embedding.project_tokens.weight != NULL) /* narrower than the stream */
    D = d->embedding.project_tokens.weight->stored->shape.dim[1];
  d->embedding.tokens = hl_loading_param (l, HL_SHAPE (-1, D), names->tokens);
  d->embedding.pad_id = -1;
  d->readout.norm.is_rms = plan->is_rms;
  d->readout.norm.is_offset = plan->is_offset;
  hl_loading_norm (l, &d->readout.norm, plan->D, plan->eps, names->norm);
  d->readout.unembed.weight = d->embedding.tokens;
  if (l->error != NULL || hl_loading_bool (l, "tie_word_embeddings", is_tied))
    return;
  l->prefix = "";
  hl_loading_dense (l, &d->readout.unembed, d->embedding.tokens->stored->shape.dim[0], D,
                    FALSE, names->head);
  l->prefix = prefix;
}

gboolean
hl_text_decoder_layer_is (const HlLoading *l,
                          int layer,
                          const char *type,
                          gboolean fallback)
{
  const json_t *types = json_object_get (l->config, "layer_types");
  const char *name = json_string_value (json_array_get (types, (gsize) layer));
  return name != NULL ? g_str_equal (name, type) : fallback;
}

HlTextDecoder *
hl_text_decoder_finish (HlTextDecoder *d, HlLoading *l, HlModelInfo *info, GError **error)
{
  if (!hl_loading_finish (l, error))
    {
      hl_text_decoder_free (d);
      return NULL;
    }
  /* The base grows with the text up to this factor; below 1 nothing is made longer. */
  if (d->rope != NULL && d->rope->kind == HL_ROPE_DYNAMIC)
    d->embedding.n_context = (int) MIN (
        (double) G_MAXINT32, (double) d->embedding.n_context * MAX (d->rope->factor, 1));
  info->width = d->tower.blocks[0].mlp.down.weight->stored->shape.dim[0];
  info->n_vocab = (int) d->embedding.tokens->stored->shape.dim[0];
  info->predicts = HL_PREDICTS_NEXT;
  info->n_context = d->embedding.n_context;
  hl_tower_describe (&d->tower, info, "");
  return d;
}

HlTensor *
hl_text_decoder_forward (gpointer data, HlRun *run, const HlInput *input)
{
  const HlTextDecoder *d = data;
  g_autoptr (HlTensor) x =
      run->start_resid != NULL
          ? hl_exec_upload (&run->exec, run->start_resid)
          : hl_text_embedding_forward (&d->embedding, run, 0, input); /* (B, T, D) */
  g_autoptr (HlTensor) last = hl_tower_forward (&d->tower, run, 0, x);
  if (hl_run_wants (run, HL_SITE_FEATURES, 0, 0))
    {
      g_autoptr (HlTensor) features = hl_run_site (
          run, HL_SITE_FEATURES, 0, 0, hl_norm_forward (&d->readout.norm, run, last));
    }
  return hl_readout_forward (&d->readout, run, last, -1);
}

const HlBlock *
hl_text_decoder_get_block (gpointer data, int stack, int layer)
{
  const HlTextDecoder *d = data;
  return hl_tower_get_block (&d->tower, layer);
}

/* None where what a head writes goes through more than one linear map on its way. */
HlParam *
hl_text_decoder_get_ends (gpointer data, const HlReadout **readout)
{
  HlTextDecoder *d = data;
  const HlJoin *join = &d->tower.blocks[0].of_mixer;
  *readout = &d->readout;
  gboolean is_plain = join->after.weight == NULL && join->outer.weight == NULL &&
                      d->embedding.project_tokens.weight == NULL &&
                      d->readout.project.weight == NULL;
  return is_plain ? d->embedding.tokens : NULL;
}
