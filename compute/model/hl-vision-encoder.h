/* SPDX-License-Identifier: MIT
 * Encoders of pictures: patches and some special tokens, a tower, and a head. What ViT,
 * DeiT, DINOv2, CLIP and SigLIP share; a family says how its config and its weights are
 * called. */
#pragma once

#include "io/hl-image-processor.h"
#include "model/hl-attention-pool.h"
#include "model/hl-tower.h"

G_BEGIN_DECLS

#define HL_VISION_MAX_SPECIALS 64

typedef enum
{
  HL_VISION_READS_FIRST,          /* CLS */
  HL_VISION_READS_BOTH,           /* mean of what two heads say of CLS and distillation */
  HL_VISION_READS_FIRST_AND_MEAN, /* CLS and the mean of the patches, side by side */
  HL_VISION_READS_MEAN,           /* of the patches */
} HlVisionReads;

/**
 * HlVisionEncoder:
 * @image, @patch: height and width that positions were trained at, and of a patch
 * @cls, @distillation: (nullable) numbers of a token, D of them
 * @registers: (nullable): (1, R, D): behind CLS, without positions
 * @positions: (1 or none, S + P, D): of CLS and distillation where there are, then
 * patches
 * @is_antialiased: how positions are made for another grid (hl_vit_positions())
 * @pre_norm: before the first block
 * @final_norm: of all tokens, or with @norms_pooled_only of the first one, for pooling
 * @classifier, @second: with HL_VISION_READS_BOTH of CLS and of distillation
 * @projection: of the pooled features
 * @pool: where it has a probe, what is pooled
 */
typedef struct
{
  int D, n_channels;
  gint64 image[2], patch[2];
  HlParam *cls, *distillation, *registers, *positions;
  HlParam *patch_weight; /* (D, C, ph, pw) */
  HlParam *patch_bias;   /* (nullable) (D) */
  gboolean is_antialiased, norms_pooled_only;
  HlNorm pre_norm, final_norm;
  HlTower tower;
  HlVisionReads reads;
  HlDense classifier, second, projection;
  HlAttentionPool pool;
  HlImageProcessor *processor;
} HlVisionEncoder;

/** HlVisionNames: of what lies before the blocks, below the loading's prefix; NULL for
 * what a family does not have. */
typedef struct
{
  const char *cls, *distillation, *registers, *positions, *patch_weight, *patch_bias;
} HlVisionNames;

/** hl_vision_encoder_read_size: "image_size", "patch_size" and "num_channels"; the first
 * two have to be there where @image and @patch are 0. */
void hl_vision_encoder_read_size (HlVisionEncoder *encoder,
                                  HlLoading *loading,
                                  int image,
                                  int patch);

/** hl_vision_encoder_load_embedding: registers where the file has some. */
void hl_vision_encoder_load_embedding (HlVisionEncoder *encoder,
                                       HlLoading *loading,
                                       const HlVisionNames *names);

/** hl_vision_encoder_load_classifier: "classifier" of @width where "architectures" says
 * that there is one, or the file has it. */
void hl_vision_encoder_load_classifier (HlVisionEncoder *encoder,
                                        HlLoading *loading,
                                        gint64 width);

/** hl_vision_encoder_finish: what @loader's folder says of pictures; fills its info.
 * Returns: FALSE with @error, the loading's or an own one */
gboolean hl_vision_encoder_finish (HlVisionEncoder *encoder,
                                   HlLoading *loading,
                                   HlLoader *loader,
                                   GError **error);

/* Functions of a family (HlFamily) whose data is a HlVisionEncoder. */
void hl_vision_encoder_free (gpointer data);
HlTensor *hl_vision_encoder_forward (gpointer data, HlRun *run, const HlInput *input);
HlInput *hl_vision_encoder_process_image (gpointer data,
                                          const char *path,
                                          HlTensor *rgb,
                                          int height,
                                          int width,
                                          GError **error);
HlTokenTable *hl_vision_encoder_tokens (gpointer data, const HlInput *input, int stack);
const HlBlock *hl_vision_encoder_get_block (gpointer data, int stack, int layer);
gint64 hl_vision_encoder_readout_row (gpointer data, const HlInput *input);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlVisionEncoder, hl_vision_encoder_free)

G_END_DECLS
