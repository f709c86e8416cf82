/* SPDX-License-Identifier: MIT
 * A row of samples that grows as they arrive, up to a limit. */
#include "io/hl-samples.h"

#include "base/hl-error.h"

#include <string.h>

/* Room of the first allocation, a second at 16 kHz. */
#define FIRST_ROOM 16384

gboolean
hl_samples_reserve (HlSamples *samples, gsize n_more, GError **error)
{
  if (n_more <= samples->room - samples->n)
    return TRUE;
  if (n_more > samples->limit - samples->n)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                   "at most %" G_GSIZE_FORMAT " samples expected, more found",
                   samples->limit);
      return FALSE;
    }
  gsize room = MAX (samples->room + samples->room / 2, samples->n + n_more);
  room = MIN (MAX (room, FIRST_ROOM), samples->limit);
  float *data = g_try_realloc_n (samples->data, room, sizeof *data);
  if (data == NULL)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_MEMORY,
                   "%" G_GSIZE_FORMAT " MB for samples expected, the system has not as "
                   "much",
                   room * sizeof *data / 1000000);
      return FALSE;
    }
  samples->data = data;
  samples->room = room;
  return TRUE;
}

gboolean
hl_samples_append (HlSamples *samples,
                   const float *values,
                   gsize n_values,
                   GError **error)
{
  if (n_values == 0)
    return TRUE;
  if (!hl_samples_reserve (samples, n_values, error))
    return FALSE;
  if (values != NULL)
    memcpy (samples->data + samples->n, values, n_values * sizeof *values);
  else
    memset (samples->data + samples->n, 0, n_values * sizeof *values);
  samples->n += n_values;
  return TRUE;
}

HlTensor *
hl_samples_steal (HlSamples *samples)
{
  g_return_val_if_fail (samples->n > 0, NULL);
  /* Giving room back may fail; then there is more of it than needed. */
  float *data = g_try_realloc_n (samples->data, samples->n, sizeof *data);
  if (data == NULL)
    data = samples->data;
  HlTensor *tensor = hl_tensor_new_wrap (HL_DTYPE_F32, HL_SHAPE ((gint64) samples->n),
                                         data, g_free, data); /* (N) */
  *samples = (HlSamples){ .limit = samples->limit };
  return tensor;
}

void
hl_samples_clear (HlSamples *samples)
{
  g_clear_pointer (&samples->data, g_free);
  samples->n = samples->room = 0;
}
