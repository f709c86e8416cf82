/* SPDX-License-Identifier: MIT
 * Whisper: two convolutions over a spectrogram, then an encoder and a decoder with layer
 * norms before each half of a block. Radford et al., arXiv 2212.04356; names as the
 * Hugging Face library writes them. */
#include "base/hl-error.h"
#include "model/hl-seq2seq.h"

#include <math.h>

static const HlBlockNames encoder_names = {
  .block = "encoder.layers.%d.",
  .q = "self_attn.q_proj",
  .k = "self_attn.k_proj",
  .v = "self_attn.v_proj",
  .o = "self_attn.out_proj",
  .before1 = "self_attn_layer_norm",
  .up = "fc1",
  .down = "fc2",
  .before2 = "final_layer_norm",
};

static const HlBlockNames decoder_names = {
  .block = "decoder.layers.%d.",
  .q = "self_attn.q_proj",
  .k = "self_attn.k_proj",
  .v = "self_attn.v_proj",
  .o = "self_attn.out_proj",
  .before1 = "self_attn_layer_norm",
  .cross_q = "encoder_attn.q_proj",
  .cross_k = "encoder_attn.k_proj",
  .cross_v = "encoder_attn.v_proj",
  .cross_o = "encoder_attn.out_proj",
  .cross_before = "encoder_attn_layer_norm",
  .up = "fc1",
  .down = "fc2",
  .before2 = "final_layer_norm",
};

/* What lies before the encoder's blocks. */
typedef struct
{
  int n_mels, n_frames;
  HlDense conv1, conv2; /* (D, 3 * C): numbers of a frame after those of the one before */
  HlParam *positions;   /* (n_frames / 2, D) */
} FrontEnd;

/* Keys have no bias: it would change no map. */
static HlTowerPlan
read_plan (HlLoading *l, gboolean is_decoder)
{
  const HlBlockNames *names = is_decoder ? &decoder_names : &encoder_names;
  HlTowerPlan plan = hl_seq2seq_read_plan (l, names, is_decoder, "gelu");
  plan.has_k_bias = FALSE;
  return plan;
}

/* The file has a filter as (D, C, 3); windows of frames are (3, C). */
static void
load_conv (HlDense *conv, HlLoading *l, gint64 D, gint64 C, const char *name)
{
  g_autofree char *weight = g_strconcat (name, ".weight", NULL);
  g_autofree char *bias = g_strconcat (name, ".bias", NULL);
  HlParam *stored = hl_loading_param (l, HL_SHAPE (D, C, 3), weight);
  conv->bias = hl_loading_param (l, HL_SHAPE (D), bias);
  if (l->error != NULL)
    return;
  g_autoptr (HlTensor) from = hl_tensor_convert (stored->stored, HL_DTYPE_F32, &l->error);
  g_autoptr (HlTensor) to =
      from != NULL ? hl_tensor_new (HL_DTYPE_F32, HL_SHAPE (D, 3 * C), &l->error) : NULL;
  if (to == NULL)
    return;
  const float *x = from->data;
  float *y = to->data;
  for (gint64 d = 0; d < D; d++)
    for (gint64 c = 0; c < C; c++)
      for (gint64 k = 0; k < 3; k++)
        y[(d * 3 + k) * C + c] = x[(d * C + c) * 3 + k];
  conv->weight = hl_weights_add_made (l->weights, weight, to);
}

/* ---- from a spectrogram to the encoder -----------------------------------------------
 */

/* Windows of three frames, one every @step, zeros beyond both ends: (B, T / step, 3 C).
 */
static HlTensor *
windows (HlExec *exec, HlTensor *frames, gint64 step)
{
  if (frames == NULL)
    return NULL;
  gint64 B = frames->shape.dim[0], T = frames->shape.dim[1], C = frames->shape.dim[2];
  g_autoptr (HlTensor) zeros =
      hl_backend_new_zeros (exec->backend, HL_SHAPE (1, 1, C), &exec->error);
  g_autoptr (HlTensor) left = hl_concat (exec, zeros, frames);
  g_autoptr (HlTensor) both = hl_concat (exec, left, zeros); /* (B, T + 2, C) */
  if (both == NULL)
    return NULL;
  const gint64 stride[] = { (T + 2) * C, step * C, 1 };
  g_autoptr (HlTensor) view =
      hl_tensor_view (both, 0, HL_SHAPE (B, T / step, 3 * C), stride);
  return hl_exec_contiguous (exec, view);
}

static HlTensor *
convolve (const HlDense *conv, HlRun *run, HlTensor *frames, gint64 step)
{
  g_autoptr (HlTensor) seen = windows (&run->exec, frames, step);
  g_autoptr (HlTensor) made = seen != NULL ? hl_dense_forward (conv, run, seen) : NULL;
  return hl_activation (&run->exec, made, HL_ACTIVATION_GELU);
}

/* (B, frames, n_mels) of features (B, n_mels, frames). */
static HlTensor *
turn (const FrontEnd *f, HlRun *run, HlTensor *features)
{
  const gint64 *dim = features->shape.dim;
  gint64 B = dim[0], C = dim[1], T = dim[2];
  if (C != f->n_mels || T != f->n_frames)
    {
      hl_exec_fail (&run->exec,
                    g_error_new (HL_ERROR, HL_ERROR_SHAPE,
                                 "features: %d by %d expected, %d by %d found", f->n_mels,
                                 f->n_frames, (int) C, (int) T));
      return NULL;
    }
  g_autoptr (HlTensor) turned =
      hl_tensor_new (HL_DTYPE_F32, HL_SHAPE (B, T, C), &run->exec.error);
  for (gint64 i = 0; turned != NULL && i < B * T; i++)
    for (gint64 c = 0; c < C; c++)
      ((float *) turned->data)[i * C + c] =
          hl_tensor_f32 (features)[(i / T * C + c) * T + i % T];
  return hl_exec_upload (&run->exec, turned);
}

static HlTensor *
begin (const HlSeq2Seq *m, HlRun *run, const HlInput *input)
{
  const FrontEnd *f = m->extra;
  int stack = HL_SEQ2SEQ_ENCODER;
  g_autoptr (HlTensor) frames = turn (f, run, input->features);
  g_autoptr (HlTensor) first = convolve (&f->conv1, run, frames, 1);
  g_autoptr (HlTensor) x =
      hl_run_site (run, HL_SITE_EMBED, stack, 0, convolve (&f->conv2, run, first, 2));
  g_autoptr (HlTensor) table = hl_param_get (f->positions, &run->exec);
  if (table == NULL)
    return NULL;
  const gint64 *dim = table->shape.dim;
  g_autoptr (HlTensor) positions =
      hl_run_site (run, HL_SITE_POS_EMBED, stack, 0,
                   hl_tensor_view (table, 0, HL_SHAPE (1, dim[0], dim[1]), NULL));
  return hl_add (&run->exec, x, positions);
}

/* ---- loading -------------------------------------------------------------------------
 */

static FrontEnd *
load_front_end (HlLoading *l, gint64 D)
{
  FrontEnd *f = g_new0 (FrontEnd, 1);
  int n = hl_loading_size (l, "max_source_positions", 1 << 20);
  f->n_frames = 2 * n;
  f->n_mels = hl_loading_size (l, "num_mel_bins", 4096);
  load_conv (&f->conv1, l, D, f->n_mels, "encoder.conv1");
  load_conv (&f->conv2, l, D, D, "encoder.conv2");
  f->positions = hl_loading_param (l, HL_SHAPE (n, D), "encoder.embed_positions.weight");
  return f;
}

static gpointer
whisper_load (HlLoader *loader, GError **error)
{
  HlSeq2Seq *m = hl_seq2seq_new ();
  HlLoading l;
  hl_loading_init (&l, loader);
  HlTowerPlan encoder = read_plan (&l, FALSE), decoder = read_plan (&l, TRUE);
  gint64 D = encoder.D;
  l.prefix = "model.";
  if (!hl_loading_has (&l, "encoder.conv1.weight"))
    l.prefix = "";
  if (hl_loading_bool (&l, "scale_embedding", FALSE))
    hl_loading_refuse (&l, "field \"scale_embedding\": false expected, true found");
  FrontEnd *f = load_front_end (&l, D);
  m->begin = begin;
  m->extra = f;
  m->source.n_context = f->n_frames / 2;
  m->target.n_context = hl_loading_size (&l, "max_target_positions", 1 << 24);
  m->target.pad_id = -1;
  m->target.tokens =
      hl_loading_param (&l, HL_SHAPE (-1, D), "decoder.embed_tokens.weight");
  m->target.positions = hl_loading_param (&l, HL_SHAPE (m->target.n_context, D),
                                          "decoder.embed_positions.weight");
  hl_tower_load (&m->encoder, &encoder, &l);
  hl_tower_load (&m->decoder, &decoder, &l);
  hl_loading_norm (&l, &m->encoder_norm, D, encoder.eps, "encoder.layer_norm");
  hl_loading_norm (&l, &m->readout.norm, D, decoder.eps, "decoder.layer_norm");
  m->readout.unembed.weight = m->target.tokens;
  return hl_seq2seq_finish (m, &l, loader->info, error);
}

static const char *const model_types[] = { "whisper", NULL };

const HlFamily hl_family_whisper = {
  .id = "whisper",
  .title = "Whisper",
  .model_types = model_types,
  .input_kind = "audio",
  .load = whisper_load,
  HL_SEQ2SEQ_FAMILY,
};
