/* SPDX-License-Identifier: MIT
 * GPT-2: learned positions, layer norm before each half of a block, Q, K and V in one
 * product, weights stored as (in, out). Radford et al., "Language models are unsupervised
 * multitask learners", 2019; names as the Hugging Face library writes them. */
#include "config.h"

#include "base/hl-error.h"
#include "model/hl-family.h"
#include "model/hl-readout.h"

#include <math.h>

#define WHERE "config.json"

typedef struct
{
  int D, F, n_layers, n_heads, context;
  HlParam *tokens;    /* (V, D) */
  HlParam *positions; /* (context, D) */
  HlBlock *blocks;    /* n_layers */
  HlReadout readout;
} Gpt2;

/* What config.json says beside the geometry. */
typedef struct
{
  double eps;
  HlActivation activation;
  gboolean is_tied;
  gboolean scales;          /* scores by 1/sqrt (K) */
  gboolean scales_by_layer; /* and by 1/(layer + 1) */
} Settings;

static void
gpt2_free (gpointer data)
{
  Gpt2 *gpt2 = data;
  hl_blocks_free (gpt2->blocks, gpt2->n_layers);
  g_free (gpt2);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Gpt2, gpt2_free)

static gboolean
get_int (const json_t *config, const char *field, gint64 max, int *out, GError **error)
{
  gint64 value = 0;
  if (!hl_json_get_int (config, field, TRUE, 0, 1, max, WHERE, &value, error))
    return FALSE;
  *out = (int) value;
  return TRUE;
}

static gboolean
read_config (Gpt2 *gpt2, const json_t *config, Settings *settings, GError **error)
{
  const char *act = NULL;
  gint64 F = 0;
  if (!get_int (config, "n_embd", 1 << 17, &gpt2->D, error) ||
      !get_int (config, "n_layer", 4096, &gpt2->n_layers, error) ||
      !get_int (config, "n_head", 1 << 16, &gpt2->n_heads, error) ||
      !get_int (config, "n_positions", G_MAXINT32, &gpt2->context, error) ||
      !hl_json_get_int (config, "n_inner", FALSE, 4 * (gint64) gpt2->D, 1, 1 << 20, WHERE,
                        &F, error) ||
      !hl_json_get_double (config, "layer_norm_epsilon", FALSE, 1e-5, 0, 1, WHERE,
                           &settings->eps, error) ||
      !hl_json_get_bool (config, "tie_word_embeddings", FALSE, TRUE, WHERE,
                         &settings->is_tied, error) ||
      !hl_json_get_bool (config, "scale_attn_weights", FALSE, TRUE, WHERE,
                         &settings->scales, error) ||
      !hl_json_get_bool (config, "scale_attn_by_inverse_layer_idx", FALSE, FALSE, WHERE,
                         &settings->scales_by_layer, error) ||
      !hl_json_get_string (config, "activation_function", FALSE, "gelu_new", WHERE, &act,
                           error) ||
      !hl_activation_require (act, "activation_function", &settings->activation, error))
    return FALSE;
  gpt2->F = (int) F;
  if (gpt2->D % gpt2->n_heads == 0)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
               WHERE ": field \"n_embd\": a multiple of n_head (%d) expected, %d found",
               gpt2->n_heads, gpt2->D);
  return FALSE;
}

static gboolean
load_block (Gpt2 *gpt2,
            HlWeights *weights,
            const char *prefix,
            int layer,
            const Settings *settings,
            GError **error)
{
  HlBlock *block = &gpt2->blocks[layer];
  int D = gpt2->D, F = gpt2->F, K = D / gpt2->n_heads;
  double scale = settings->scales ? 1 / sqrt (K) : 1;
  if (settings->scales_by_layer)
    scale /= layer + 1;
  HlAttention *a = hl_attention_new (gpt2->n_heads, gpt2->n_heads, K, scale, TRUE);
  block->mixer = &a->parent;
  block->mlp.activation = settings->activation;
  const struct
  {
    HlDense *dense;
    const char *name;
    int out, in;
  } parts[] = {
    { &a->qkv, "attn.c_attn", 3 * D, D },
    { &a->o, "attn.c_proj", D, D },
    { &block->mlp.up, "mlp.c_fc", F, D },
    { &block->mlp.down, "mlp.c_proj", D, F },
  };
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    {
      g_autofree char *name = g_strdup_printf ("%sh.%d.%s", prefix, layer, parts[i].name);
      parts[i].dense->is_transposed = TRUE;
      if (!hl_dense_load (parts[i].dense, weights, name, parts[i].out, parts[i].in, TRUE,
                          error))
        return FALSE;
    }
  g_autofree char *norm1 = g_strdup_printf ("%sh.%d.ln_1", prefix, layer);
  g_autofree char *norm2 = g_strdup_printf ("%sh.%d.ln_2", prefix, layer);
  return hl_norm_load (&block->of_mixer.before, weights, norm1, D, settings->eps,
                       error) &&
         hl_norm_load (&block->of_mlp.before, weights, norm2, D, settings->eps, error);
}

static gboolean
load_ends (Gpt2 *gpt2,
           HlWeights *weights,
           const char *prefix,
           const Settings *settings,
           GError **error)
{
  g_autofree char *tokens = g_strconcat (prefix, "wte.weight", NULL);
  g_autofree char *positions = g_strconcat (prefix, "wpe.weight", NULL);
  g_autofree char *norm = g_strconcat (prefix, "ln_f", NULL);
  gint64 D = gpt2->D;
  gpt2->tokens = hl_weights_require (weights, tokens, HL_SHAPE (-1, D), error);
  if (gpt2->tokens == NULL)
    return FALSE;
  gint64 V = gpt2->tokens->stored->shape.dim[0];
  gpt2->positions =
      hl_weights_require (weights, positions, HL_SHAPE (gpt2->context, D), error);
  if (gpt2->positions == NULL ||
      !hl_norm_load (&gpt2->readout.norm, weights, norm, D, settings->eps, error))
    return FALSE;
  gpt2->readout.unembed.weight = gpt2->tokens;
  return settings->is_tied ||
         hl_dense_load (&gpt2->readout.unembed, weights, "lm_head", V, D, FALSE, error);
}

static gpointer
gpt2_load (HlLoader *loader, GError **error)
{
  g_autoptr (Gpt2) gpt2 = g_new0 (Gpt2, 1);
  Settings settings = { 0 };
  if (!read_config (gpt2, loader->config, &settings, error))
    return NULL;
  const char *prefix =
      hl_weights_has (loader->weights, "wte.weight") ? "" : "transformer.";
  gpt2->blocks = g_new0 (HlBlock, (gsize) gpt2->n_layers);
  for (int l = 0; l < gpt2->n_layers; l++)
    if (!load_block (gpt2, loader->weights, prefix, l, &settings, error))
      return NULL;
  if (!load_ends (gpt2, loader->weights, prefix, &settings, error))
    return NULL;
  HlModelInfo *info = loader->info;
  info->width = gpt2->D;
  info->n_vocab = (int) gpt2->tokens->stored->shape.dim[0];
  info->predicts = HL_PREDICTS_NEXT;
  info->n_context = gpt2->context;
  HlStack *stack = hl_model_info_add_stack (info, "", gpt2->n_layers);
  for (int l = 0; l < gpt2->n_layers; l++)
    stack->layers[l] = (HlLayerInfo){ .kind = HL_ATTENTION_SELF,
                                      .n_heads = gpt2->n_heads,
                                      .n_kv_heads = gpt2->n_heads,
                                      .head_width = gpt2->D / gpt2->n_heads,
                                      .is_causal = TRUE };
  return g_steal_pointer (&gpt2);
}

/* Tokens and where they stand: (B, T, D). */
static HlTensor *
embed (const Gpt2 *gpt2, HlRun *run, const HlInput *input)
{
  HlExec *x = &run->exec;
  gint64 T = input->ids->shape.dim[1];
  if (run->first_position + T > gpt2->context)
    {
      hl_exec_fail (x, g_error_new (HL_ERROR, HL_ERROR_RANGE,
                                    "at most %d tokens expected, the model's context, "
                                    "%d found",
                                    gpt2->context, (int) (run->first_position + T)));
      return NULL;
    }
  g_autoptr (HlTensor) tokens = hl_run_site (
      run, HL_SITE_EMBED, 0, 0, hl_embed_tokens (gpt2->tokens, run, input->ids));
  g_autoptr (HlTensor) places = hl_tensor_new (HL_DTYPE_I32, HL_SHAPE (1, T), &x->error);
  for (gint64 t = 0; places != NULL && t < T; t++)
    ((gint32 *) places->data)[t] = (gint32) (run->first_position + t);
  g_autoptr (HlTensor) positions =
      places != NULL ? hl_embed_tokens (gpt2->positions, run, places) : NULL;
  positions = hl_run_site (run, HL_SITE_POS_EMBED, 0, 0, g_steal_pointer (&positions));
  return hl_add (x, tokens, positions);
}

static HlTensor *
gpt2_forward (gpointer data, HlRun *run, const HlInput *input)
{
  const Gpt2 *gpt2 = data;
  g_autoptr (HlTensor) x = run->start_resid != NULL
                               ? hl_exec_upload (&run->exec, run->start_resid)
                               : embed (gpt2, run, input); /* (B, T, D) */
  g_autoptr (HlTensor) last = hl_blocks_forward (gpt2->blocks, gpt2->n_layers, run, 0, x);
  return hl_readout_forward (&gpt2->readout, run, last, -1);
}

static const HlBlock *
gpt2_get_block (gpointer data, int stack, int layer)
{
  const Gpt2 *gpt2 = data;
  return layer >= 0 && layer < gpt2->n_layers ? &gpt2->blocks[layer] : NULL;
}

static HlParam *
gpt2_get_ends (gpointer data, const HlReadout **readout)
{
  Gpt2 *gpt2 = data;
  *readout = &gpt2->readout;
  return gpt2->tokens;
}

static const char *const gpt2_model_types[] = { "gpt2", NULL };

const HlFamily hl_family_gpt2 = {
  .id = "gpt2",
  .title = "GPT-2",
  .model_types = gpt2_model_types,
  .input_kind = "text",
  .readout_row = hl_input_last_row,
  .load = gpt2_load,
  .free_data = gpt2_free,
  .forward = gpt2_forward,
  .tokens = hl_input_dup_tokens,
  .get_block = gpt2_get_block,
  .get_ends = gpt2_get_ends,
};
