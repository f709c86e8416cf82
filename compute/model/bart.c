/* SPDX-License-Identifier: MIT
 * BART and Marian: layer norms behind each half of a block; learned positions, or sines
 * in Marian. Lewis et al., arXiv 1910.13461; Junczys-Dowmunt et al., ACL 2018; names as
 * the Hugging Face library writes them. */
#include "model/hl-seq2seq.h"

#include <math.h>

static const HlBlockNames encoder_names = {
  .block = "encoder.layers.%d.",
  .q = "self_attn.q_proj",
  .k = "self_attn.k_proj",
  .v = "self_attn.v_proj",
  .o = "self_attn.out_proj",
  .outer1 = "self_attn_layer_norm",
  .up = "fc1",
  .down = "fc2",
  .outer2 = "final_layer_norm",
};

static const HlBlockNames decoder_names = {
  .block = "decoder.layers.%d.",
  .q = "self_attn.q_proj",
  .k = "self_attn.k_proj",
  .v = "self_attn.v_proj",
  .o = "self_attn.out_proj",
  .outer1 = "self_attn_layer_norm",
  .cross_q = "encoder_attn.q_proj",
  .cross_k = "encoder_attn.k_proj",
  .cross_v = "encoder_attn.v_proj",
  .cross_o = "encoder_attn.out_proj",
  .cross_outer = "encoder_attn_layer_norm",
  .up = "fc1",
  .down = "fc2",
  .outer2 = "final_layer_norm",
};

/* Rows of BART's tables of positions before that of the first token. */
#define FIRST_POSITION 2

/* Sines in the first half of a row, cosines in the second, in float32. */
static HlParam *
make_sines (HlLoading *l, gint64 n, gint64 D)
{
  if (l->error != NULL)
    return NULL;
  g_autoptr (HlTensor) table = hl_tensor_new (HL_DTYPE_F32, HL_SHAPE (n, D), &l->error);
  gint64 half = (D + 1) / 2;
  for (gint64 i = 0; table != NULL && i < n; i++)
    for (gint64 j = 0; j < D; j++)
      {
        gint64 pair = j < half ? j : j - half;
        double angle = (double) i / pow (10000, 2 * (double) pair / (double) D);
        ((float *) table->data)[i * D + j] =
            (float) (j < half ? sin (angle) : cos (angle));
      }
  return table != NULL ? hl_weights_add_made (l->weights, "positions", table) : NULL;
}

static void
load_embedding (
    HlTextEmbedding *e, HlLoading *l, gint64 D, const char *side, gboolean is_marian)
{
  gint64 n = hl_loading_size (l, "max_position_embeddings", 1 << 24);
  g_autofree char *own = g_strconcat (side, ".embed_tokens.weight", NULL);
  g_autofree char *places = g_strconcat (side, ".embed_positions.weight", NULL);
  g_autofree char *norm = g_strconcat (side, ".layernorm_embedding", NULL);
  gboolean is_shared = hl_loading_bool (l, "share_encoder_decoder_embeddings", TRUE);
  const char *tokens =
      !hl_loading_has (l, "shared.weight") || (!is_shared && hl_loading_has (l, own))
          ? own
          : "shared.weight";
  e->tokens = hl_loading_param (l, HL_SHAPE (-1, D), tokens);
  e->n_context = (int) n;
  e->pad_id = -1;
  e->scale = hl_loading_bool (l, "scale_embedding", FALSE) ? sqrt ((double) D) : 0;
  if (is_marian)
    {
      e->positions = make_sines (l, n, D);
      return;
    }
  e->first_position = FIRST_POSITION;
  e->positions = hl_loading_param (l, HL_SHAPE (n + FIRST_POSITION, D), places);
  hl_loading_norm (l, &e->norm, D, 1e-5, norm);
}

/* The unembedding's bias lies as a row in the file. */
static void
load_readout (HlSeq2Seq *m, HlLoading *l, gint64 D)
{
  if (l->error != NULL)
    return;
  gint64 V = m->target.tokens->stored->shape.dim[0];
  l->prefix = "";
  m->readout.unembed.weight = m->target.tokens;
  if (!hl_loading_bool (l, "tie_word_embeddings", TRUE) &&
      hl_loading_has (l, "lm_head.weight"))
    hl_loading_dense (l, &m->readout.unembed, V, D, FALSE, "lm_head");
  if (!hl_loading_has (l, "final_logits_bias"))
    return;
  HlParam *bias = hl_loading_param (l, HL_SHAPE (1, V), "final_logits_bias");
  if (bias == NULL)
    return;
  HlTensor *row = bias->stored;
  bias->stored = hl_tensor_view (row, 0, HL_SHAPE (V), NULL);
  hl_tensor_unref (row);
  m->readout.unembed.bias = bias;
}

static gpointer
load (HlLoader *loader, gboolean is_marian, GError **error)
{
  const char *activation = is_marian ? "swish" : "gelu";
  HlSeq2Seq *m = hl_seq2seq_new ();
  HlLoading l;
  hl_loading_init (&l, loader);
  HlTowerPlan encoder = hl_seq2seq_read_plan (&l, &encoder_names, FALSE, activation);
  HlTowerPlan decoder = hl_seq2seq_read_plan (&l, &decoder_names, TRUE, activation);
  if (hl_loading_bool (&l, "normalize_before", FALSE))
    hl_loading_refuse (&l, "field \"normalize_before\": false expected, true found");
  l.prefix = "model.";
  if (!hl_loading_has (&l, "encoder.layers.0.fc1.weight"))
    l.prefix = "";
  load_embedding (&m->source, &l, encoder.D, "encoder", is_marian);
  load_embedding (&m->target, &l, decoder.D, "decoder", is_marian);
  hl_tower_load (&m->encoder, &encoder, &l);
  hl_tower_load (&m->decoder, &decoder, &l);
  load_readout (m, &l, decoder.D);
  return hl_seq2seq_finish (m, &l, loader->info, error);
}

static gpointer
bart_load (HlLoader *loader, GError **error)
{
  return load (loader, FALSE, error);
}

static gpointer
marian_load (HlLoader *loader, GError **error)
{
  return load (loader, TRUE, error);
}

static const char *const bart_types[] = { "bart", NULL };
static const char *const marian_types[] = { "marian", NULL };

const HlFamily hl_family_bart = {
  .id = "bart",
  .title = "BART",
  .model_types = bart_types,
  .input_kind = "text",
  .load = bart_load,
  HL_SEQ2SEQ_FAMILY,
};

const HlFamily hl_family_marian = {
  .id = "marian",
  .title = "Marian",
  .model_types = marian_types,
  .input_kind = "text",
  .load = marian_load,
  HL_SEQ2SEQ_FAMILY,
};
