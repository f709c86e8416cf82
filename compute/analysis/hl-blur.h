/* SPDX-License-Identifier: MIT
 * Blurs a picture of one channel. Thread: any. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * hl_blur:
 * @channel: (height, width): changed in place
 * @sigma: in cells; 0 leaves all as it is
 * A Gaussian, cut at three deviations; beyond the edges there is nothing, and weights are
 * divided by the sum of those inside.
 */
void hl_blur (float *channel, gint64 height, gint64 width, double sigma);

G_END_DECLS
