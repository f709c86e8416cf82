/* SPDX-License-Identifier: MIT
 * An input of the other of two towers (CLIP, SigLIP) that meet in one space: what a pair
 * of a picture and a text is worth to the model,
 *   z = scale cos (p, q) + offset,
 * p being what the one tower pools of its input and q what the other does of its own.
 * The towers meet in this product alone: with q held still, the gradient of z within the
 * one is that of both run together. */
#pragma once

#include "model/hl-model.h"

G_BEGIN_DECLS

/**
 * HlPair: the other input; immutable.
 * @name: of the input: its text, or its file
 * @toward: (@width): q
 * @scale, @offset: of the files: exp (logit_scale) and logit_bias; 1 and 0 where they
 * have none: then z is the cosine
 */
typedef struct
{
  char *name;
  double *toward;
  gint64 width;
  double scale, offset;
} HlPair;

/**
 * hl_pair_new:
 * @other: the tower of @input, which pools (hook_pooled)
 * @interventions: (nullable) (element-type HlIntervention): in force in it
 * Thread: the backend's. Returns: (transfer full): NULL with @error (UNSUPPORTED: a model
 *   that does not pool, what a run may give)
 */
HlPair *hl_pair_new (const HlModel *other,
                     HlInput *input,
                     const GPtrArray *interventions,
                     HlBackend *backend,
                     const HlProgress *progress,
                     GError **error);
void hl_pair_free (HlPair *pair);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlPair, hl_pair_free)

/** hl_pair_value: z of @pooled (width), p. @slope: (nullable) (out caller-allocates):
 * (width): dz/dp. NaN where p is 0. */
double hl_pair_value (const HlPair *pair, const double *pooled, double *slope);

/** hl_pair_cosine: of a value. */
double hl_pair_cosine (const HlPair *pair, double value);

G_END_DECLS
