/* SPDX-License-Identifier: MIT
 * A row of samples that grows as they arrive, up to a limit: what a header says of a
 * recording's length is never allocated. Plain data; one thread at a time. */
#pragma once

#include "tensor/hl-tensor.h"

G_BEGIN_DECLS

/**
 * HlSamples: zero but for @limit when new.
 * @n: samples that are there
 * @room: samples that @data has room for
 * @limit: the most that @n may become
 */
typedef struct
{
  float *data;
  gsize n;
  gsize room;
  gsize limit;
} HlSamples;

/**
 * hl_samples_reserve:
 * Makes room for @n_more after @n; grows by half at least, so that appending is linear.
 * Returns: FALSE with @error: RANGE more than @limit, MEMORY
 */
gboolean hl_samples_reserve (HlSamples *samples, gsize n_more, GError **error);

/** hl_samples_append: @values may be NULL for zeros; errors as hl_samples_reserve(). */
gboolean hl_samples_append (HlSamples *samples,
                            const float *values,
                            gsize n_values,
                            GError **error);

/** hl_samples_steal: (transfer full): (N) float32, N at least 1; @samples is empty then.
 */
HlTensor *hl_samples_steal (HlSamples *samples);

void hl_samples_clear (HlSamples *samples);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (HlSamples, hl_samples_clear)

G_END_DECLS
