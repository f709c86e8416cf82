/* SPDX-License-Identifier: MIT
 * Rotary positions and their variants for longer texts. Frequencies follow the Hugging
 * Face library's modeling_rope_utils; all of it is computed in double. */
#pragma once

#include "io/hl-json.h"
#include "trace/hl-run.h"

G_BEGIN_DECLS

typedef enum
{
  HL_ROPE_PLAIN,   /* RoFormer: theta_i = base^(-2i/R) */
  HL_ROPE_LINEAR,  /* positions divided by the factor */
  HL_ROPE_DYNAMIC, /* base grows with the text ("NTK-aware", dynamic) */
  HL_ROPE_YARN,    /* arXiv 2309.00071: fast turns kept, slow ones stretched */
  HL_ROPE_LLAMA3,  /* as Llama 3.1 does it, by wave length */
  HL_ROPE_LONG,    /* LongRoPE, arXiv 2402.13753: a factor for every frequency */
} HlRopeKind;

/**
 * HlRope:
 * @n_turned: R: how many numbers of a head are turned, even
 * @context: tokens of the training that frequencies are made for
 * @attention_factor: cosines and sines are multiplied by it; 1 but for yarn and long
 * @short_factors, @long_factors: (nullable): R/2 numbers, of HL_ROPE_LONG
 */
typedef struct
{
  HlRopeKind kind;
  int n_turned;
  gboolean is_interleaved;
  double base;
  double factor;
  double attention_factor;
  gint64 context;
  gint64 original_context;
  double low_freq_factor, high_freq_factor; /* of HL_ROPE_LLAMA3 */
  double beta_fast, beta_slow;              /* of HL_ROPE_YARN */
  gboolean is_truncated;                    /* of HL_ROPE_YARN */
  double *short_factors;
  double *long_factors;
} HlRope;

/**
 * hl_rope_read:
 * @config: config.json, with "rope_theta" and "rope_scaling", or "rope_parameters"
 * @n_turned: numbers of a head that are turned
 * @context: "max_position_embeddings"
 * Returns: (transfer full): NULL with @error: UNSUPPORTED for a variant that is not
 *   known, RANGE, MISSING, FORMAT
 */
HlRope *hl_rope_read (const json_t *config, int n_turned, gint64 context, GError **error);
void hl_rope_free (HlRope *rope);

/**
 * hl_rope_frequencies:
 * @n_tokens: length of the text, which dynamic and long frequencies depend on
 * @out: R/2 angles a token, radians
 */
void hl_rope_frequencies (const HlRope *rope, gint64 n_tokens, double *out);

/** hl_rope_forward: @x (B, T, H, K), token @first of the run and those after it, turned
 * for the run's positions; (transfer full)
 * (nullable). Tables are made once a run. */
HlTensor *hl_rope_forward (const HlRope *rope, HlRun *run, HlTensor *x, gint64 first);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlRope, hl_rope_free)

G_END_DECLS
