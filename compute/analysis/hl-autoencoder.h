/* SPDX-License-Identifier: MIT
 * A small convolutional autoencoder over pictures of one size, and its training.
 *
 * Encoder: four convolutions 3 x 3, stride 2, with 16, 32, 64 and 128 channels and ReLU,
 * then a dense layer to 32 numbers, the latent; numbers beside the picture enter there.
 * Decoder: the same backwards, with transposed convolutions, no activation at its end.
 * Loss: mean squared error over all numbers of a picture and those beside it; Adam, rate
 * 1e-3, 0.9, 0.999, eps 1e-8. Li et al. 2023 do not tell theirs; these are a common
 * choice. Weights are drawn by He et al. 2015 from a seed.
 *
 * Thread: the backend's. */
#pragma once

#include "ops/hl-exec.h"

G_BEGIN_DECLS

#define HL_AUTOENCODER_LATENT 32
#define HL_AUTOENCODER_LAYERS 4

/** HlAutoencoderShape: pictures of @height x @width and @n_side numbers beside. */
typedef struct
{
  int height;
  int width;
  int n_side;
} HlAutoencoderShape;

typedef struct _HlAutoencoder HlAutoencoder;

/** hl_autoencoder_new: (transfer full): with weights of @backend's dtype drawn from
 * @seed; in float32 where that is half precision. NULL with @error (HL_ERROR_MEMORY). */
HlAutoencoder *hl_autoencoder_new (HlBackend *backend,
                                   HlAutoencoderShape shape,
                                   guint32 seed,
                                   GError **error);
void hl_autoencoder_free (HlAutoencoder *net);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlAutoencoder, hl_autoencoder_free)

HlAutoencoderShape hl_autoencoder_get_shape (const HlAutoencoder *net);
/** hl_autoencoder_get_backend: what its passes are run with. */
HlBackend *hl_autoencoder_get_backend (const HlAutoencoder *net);

/** hl_autoencoder_get_n_weights, _get_weight, _get_name: every weight, and after
 * training the running means of Adam: "moment" (m) and "square" (v) of each.
 * _get_weight: (transfer none): of any; written in place by training */
int hl_autoencoder_get_n_weights (const HlAutoencoder *net);
HlTensor *hl_autoencoder_get_weight (const HlAutoencoder *net, int i);
const char *hl_autoencoder_get_name (const HlAutoencoder *net, int i);
HlTensor *hl_autoencoder_get_moment (const HlAutoencoder *net, int i);
HlTensor *hl_autoencoder_get_square (const HlAutoencoder *net, int i);

/** hl_autoencoder_set: copies float32 or float64 numbers of the right shape into weight
 * @i and its running means (nullable: zeros). FALSE with @error (HL_ERROR_SHAPE). */
gboolean hl_autoencoder_set (HlAutoencoder *net,
                             int i,
                             HlTensor *weight,
                             HlTensor *moment,
                             HlTensor *square,
                             GError **error);

/** hl_autoencoder_get_n_steps, _set_n_steps: of Adam so far. */
gint64 hl_autoencoder_get_n_steps (const HlAutoencoder *net);
void hl_autoencoder_set_n_steps (HlAutoencoder *net, gint64 n_steps);

/** hl_autoencoder_encode: @x (B, height * width + n_side) -> (B, 32), (transfer full). */
HlTensor *hl_autoencoder_encode (const HlAutoencoder *net, HlExec *exec, HlTensor *x);

/** hl_autoencoder_decode: @latent (B, 32) -> as @x above, (transfer full). */
HlTensor *
hl_autoencoder_decode (const HlAutoencoder *net, HlExec *exec, HlTensor *latent);

/**
 * hl_autoencoder_step:
 * @x: as above: one batch
 * @loss: (out): before the step
 * Returns: FALSE with @error
 */
gboolean hl_autoencoder_step (HlAutoencoder *net,
                              HlTensor *x,
                              const HlProgress *progress,
                              double *loss,
                              GError **error);

/** hl_autoencoder_flops: of encoding and decoding one picture; a step takes three times
 * that, but for the first layer's input. */
double hl_autoencoder_flops (const HlAutoencoder *net);

G_END_DECLS
