/* SPDX-License-Identifier: MIT
 * Llama: RMS norm, rotary positions, keys and values shared by groups of queries, gated
 * MLP. Touvron et al., arXiv 2302.13971 and 2307.09288; names as the Hugging Face library
 * writes them (rotary pairs are (i, i + K/2) in such files). */
#include "config.h"

#include "base/hl-error.h"
#include "model/hl-family.h"
#include "model/hl-readout.h"

#include <math.h>

#define WHERE "config.json"
#define HEADS_MAX_WIDTH (1 << 20)

typedef struct
{
  int D, F, n_layers, n_heads, n_kv_heads, head_width;
  HlRope *rope;
  HlParam *tokens; /* (V, D) */
  HlBlock *blocks; /* n_layers */
  HlReadout readout;
} Llama;

/* What config.json says beside the geometry. */
typedef struct
{
  double eps;
  HlActivation activation;
  gboolean is_tied;
  gboolean has_attention_bias;
  gboolean has_mlp_bias;
  gint64 context;
} Settings;

static void
llama_free (gpointer data)
{
  Llama *llama = data;
  hl_blocks_free (llama->blocks, llama->n_layers);
  g_clear_pointer (&llama->rope, hl_rope_free);
  g_free (llama);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Llama, llama_free)

static gboolean
get_int (const json_t *config,
         const char *field,
         int fallback,
         int max,
         int *out,
         GError **error)
{
  gint64 value = 0;
  if (!hl_json_get_int (config, field, fallback == 0, fallback, 1, max, WHERE, &value,
                        error))
    return FALSE;
  *out = (int) value;
  return TRUE;
}

static gboolean
range_error (const char *field, const char *expected, int of, int found, GError **error)
{
  g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
               WHERE ": field \"%s\": %s (%d) expected, %d found", field, expected, of,
               found);
  return FALSE;
}

static gboolean
read_geometry (Llama *llama, const json_t *config, GError **error)
{
  if (!get_int (config, "hidden_size", 0, 1 << 17, &llama->D, error) ||
      !get_int (config, "intermediate_size", 0, 1 << 20, &llama->F, error) ||
      !get_int (config, "num_hidden_layers", 0, 4096, &llama->n_layers, error) ||
      !get_int (config, "num_attention_heads", 0, 1 << 16, &llama->n_heads, error) ||
      !get_int (config, "num_key_value_heads", llama->n_heads, 1 << 16,
                &llama->n_kv_heads, error))
    return FALSE;
  if (llama->n_heads % llama->n_kv_heads != 0)
    return range_error ("num_key_value_heads", "a divisor of num_attention_heads",
                        llama->n_heads, llama->n_kv_heads, error);
  if (json_object_get (config, "head_dim") == NULL && llama->D % llama->n_heads != 0)
    return range_error ("hidden_size", "a multiple of num_attention_heads",
                        llama->n_heads, llama->D, error);
  if (!get_int (config, "head_dim", MAX (llama->D / llama->n_heads, 1), 1 << 16,
                &llama->head_width, error))
    return FALSE;
  /* Either may be large, both together are no model; their product is an int. */
  if ((gint64) llama->n_heads * llama->head_width > HEADS_MAX_WIDTH)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                   WHERE ": field \"head_dim\": at most %d for all heads together "
                         "expected, %d heads of %d found",
                   HEADS_MAX_WIDTH, llama->n_heads, llama->head_width);
      return FALSE;
    }
  if (llama->head_width % 2 != 0)
    return range_error ("head_dim", "a multiple", 2, llama->head_width, error);
  return TRUE;
}

static gboolean
read_config (Llama *llama, const json_t *config, Settings *settings, GError **error)
{
  const char *act = NULL;
  if (!read_geometry (llama, config, error) ||
      !hl_json_get_int (config, "max_position_embeddings", FALSE, 2048, 1, G_MAXINT32,
                        WHERE, &settings->context, error) ||
      !hl_json_get_double (config, "rms_norm_eps", FALSE, 1e-6, 0, 1, WHERE,
                           &settings->eps, error) ||
      !hl_json_get_bool (config, "tie_word_embeddings", FALSE, FALSE, WHERE,
                         &settings->is_tied, error) ||
      !hl_json_get_bool (config, "attention_bias", FALSE, FALSE, WHERE,
                         &settings->has_attention_bias, error) ||
      !hl_json_get_bool (config, "mlp_bias", FALSE, FALSE, WHERE, &settings->has_mlp_bias,
                         error) ||
      !hl_json_get_string (config, "hidden_act", FALSE, "silu", WHERE, &act, error) ||
      !hl_activation_require (act, "hidden_act", &settings->activation, error))
    return FALSE;
  llama->rope = hl_rope_read (config, llama->head_width, settings->context, error);
  return llama->rope != NULL;
}

static gboolean
load_block (Llama *llama,
            HlWeights *weights,
            const char *prefix,
            int layer,
            const Settings *settings,
            GError **error)
{
  HlBlock *block = &llama->blocks[layer];
  int D = llama->D, F = llama->F, K = llama->head_width;
  int Q = llama->n_heads * K, KV = llama->n_kv_heads * K;
  HlAttention *a =
      hl_attention_new (llama->n_heads, llama->n_kv_heads, K, 1 / sqrt (K), TRUE);
  a->rope = llama->rope;
  block->mixer = &a->parent;
  block->mlp.activation = settings->activation;
  block->of_mixer.before.is_rms = block->of_mlp.before.is_rms = TRUE;
  gboolean attn_bias = settings->has_attention_bias, mlp_bias = settings->has_mlp_bias;
  const struct
  {
    HlDense *dense;
    const char *name;
    int out, in;
    gboolean has_bias;
  } parts[] = {
    { &a->q, "self_attn.q_proj", Q, D, attn_bias },
    { &a->k, "self_attn.k_proj", KV, D, attn_bias },
    { &a->v, "self_attn.v_proj", KV, D, attn_bias },
    { &a->o, "self_attn.o_proj", D, Q, attn_bias },
    { &block->mlp.gate, "mlp.gate_proj", F, D, mlp_bias },
    { &block->mlp.up, "mlp.up_proj", F, D, mlp_bias },
    { &block->mlp.down, "mlp.down_proj", D, F, mlp_bias },
  };
  g_autofree char *at = g_strdup_printf ("%slayers.%d", prefix, layer);
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    {
      g_autofree char *name = g_strdup_printf ("%s.%s", at, parts[i].name);
      if (!hl_dense_load (parts[i].dense, weights, name, parts[i].out, parts[i].in,
                          parts[i].has_bias, error))
        return FALSE;
    }
  g_autofree char *before = g_strdup_printf ("%s.input_layernorm", at);
  g_autofree char *after = g_strdup_printf ("%s.post_attention_layernorm", at);
  return hl_norm_load (&block->of_mixer.before, weights, before, D, settings->eps,
                       error) &&
         hl_norm_load (&block->of_mlp.before, weights, after, D, settings->eps, error);
}

static gboolean
load_ends (Llama *llama,
           HlWeights *weights,
           const char *prefix,
           const Settings *settings,
           GError **error)
{
  g_autofree char *tokens = g_strconcat (prefix, "embed_tokens.weight", NULL);
  g_autofree char *norm = g_strconcat (prefix, "norm", NULL);
  gint64 D = llama->D;
  llama->tokens = hl_weights_require (weights, tokens, HL_SHAPE (-1, D), error);
  llama->readout.norm.is_rms = TRUE;
  if (llama->tokens == NULL ||
      !hl_norm_load (&llama->readout.norm, weights, norm, D, settings->eps, error))
    return FALSE;
  llama->readout.unembed.weight = llama->tokens;
  gint64 V = llama->tokens->stored->shape.dim[0];
  return settings->is_tied ||
         hl_dense_load (&llama->readout.unembed, weights, "lm_head", V, D, FALSE, error);
}

static gpointer
llama_load (HlLoader *loader, GError **error)
{
  g_autoptr (Llama) llama = g_new0 (Llama, 1);
  Settings settings = { 0 };
  if (!read_config (llama, loader->config, &settings, error))
    return NULL;
  const char *prefix =
      hl_weights_has (loader->weights, "embed_tokens.weight") ? "" : "model.";
  llama->blocks = g_new0 (HlBlock, (gsize) llama->n_layers);
  for (int l = 0; l < llama->n_layers; l++)
    if (!load_block (llama, loader->weights, prefix, l, &settings, error))
      return NULL;
  if (!load_ends (llama, loader->weights, prefix, &settings, error))
    return NULL;
  HlModelInfo *info = loader->info;
  info->width = llama->D;
  info->n_vocab = (int) llama->tokens->stored->shape.dim[0];
  info->predicts = HL_PREDICTS_NEXT;
  info->n_context = (int) settings.context;
  /* The base grows with the text up to this factor; below 1 nothing is made longer. */
  if (llama->rope->kind == HL_ROPE_DYNAMIC)
    info->n_context = (int) MIN ((double) G_MAXINT32, (double) settings.context *
                                                          MAX (llama->rope->factor, 1));
  HlStack *stack = hl_model_info_add_stack (info, "", llama->n_layers);
  for (int l = 0; l < llama->n_layers; l++)
    stack->layers[l] = (HlLayerInfo){ .kind = HL_ATTENTION_SELF,
                                      .n_heads = llama->n_heads,
                                      .n_kv_heads = llama->n_kv_heads,
                                      .head_width = llama->head_width,
                                      .is_causal = TRUE };
  return g_steal_pointer (&llama);
}

static HlTensor *
llama_forward (gpointer data, HlRun *run, const HlInput *input)
{
  const Llama *llama = data;
  g_autoptr (HlTensor) x = NULL; /* (B, T, D) */
  if (run->start_resid != NULL)
    x = hl_exec_upload (&run->exec, run->start_resid);
  else
    x = hl_run_site (run, HL_SITE_EMBED, 0, 0,
                     hl_embed_tokens (llama->tokens, run, input->ids));
  g_autoptr (HlTensor) last =
      hl_blocks_forward (llama->blocks, llama->n_layers, run, 0, x);
  return hl_readout_forward (&llama->readout, run, last, -1);
}

static const HlBlock *
llama_get_block (gpointer data, int stack, int layer)
{
  const Llama *llama = data;
  return layer >= 0 && layer < llama->n_layers ? &llama->blocks[layer] : NULL;
}

static HlParam *
llama_get_ends (gpointer data, const HlReadout **readout)
{
  Llama *llama = data;
  *readout = &llama->readout;
  return llama->tokens;
}

static const char *const llama_model_types[] = { "llama", NULL };

const HlFamily hl_family_llama = {
  .id = "llama",
  .title = "Llama",
  .model_types = llama_model_types,
  .input_kind = "text",
  .readout_row = hl_input_last_row,
  .load = llama_load,
  .free_data = llama_free,
  .forward = llama_forward,
  .tokens = hl_input_dup_tokens,
  .get_block = llama_get_block,
  .get_ends = llama_get_ends,
};
