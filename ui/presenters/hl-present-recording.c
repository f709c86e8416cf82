/* SPDX-License-Identifier: MIT
 * A recording as a picture. */
#include "config.h"

#include "presenters/hl-present-recording.h"

#include <glib/gi18n-lib.h>
#include <math.h>
#include <string.h>

/* As wide as five times its height, whatever the bands and frames are. */
#define PICTURE_WIDTH 1500
#define PICTURE_HEIGHT 300
/* What a file says beyond this is no time of a recording. */
#define LONGEST_S 1e6

gboolean
hl_present_has_recording (const HlTrace *trace, int stack)
{
  const HlTokenTable *keys = hl_trace_get_key_tokens (trace, stack);
  const HlStack *tower = hl_model_info_get_stack (trace->model, stack);
  return trace->features != NULL && trace->features->dtype == HL_DTYPE_F32 &&
         trace->features->shape.n_dims == 2 && hl_tensor_count (trace->features) > 0 &&
         tower != NULL && tower->key_stack == 0 && keys != NULL && keys->n_tokens > 0;
}

gint64
hl_present_recording_joined (gint64 n_keys)
{
  return (n_keys + HL_RECORDING_CELLS - 1) / HL_RECORDING_CELLS;
}

/* The range of what was really heard, for the picture's greys. */
static void
find_range (const HlTrace *trace, float *low, float *high)
{
  const gint64 *dim = trace->features->shape.dim;
  const float *x = hl_tensor_f32 (trace->features);
  gint64 n = trace->n_real_frames > 0 ? MIN (trace->n_real_frames, dim[1]) : dim[1];
  *low = INFINITY;
  *high = -INFINITY;
  for (gint64 band = 0; band < dim[0]; band++)
    for (gint64 frame = 0; frame < n; frame++)
      {
        *low = fminf (*low, x[band * dim[1] + frame]);
        *high = fmaxf (*high, x[band * dim[1] + frame]);
      }
}

/* The first @n_frames of it. */
static guint8 *
paint_spectrogram (const HlTrace *trace, gint64 n_frames)
{
  const gint64 *dim = trace->features->shape.dim;
  const float *x = hl_tensor_f32 (trace->features);
  float low, high;
  find_range (trace, &low, &high);
  guint8 *rgb = g_new (guint8, (gsize) PICTURE_WIDTH * PICTURE_HEIGHT * 3);
  for (gint64 row = 0; row < PICTURE_HEIGHT; row++)
    for (gint64 column = 0; column < PICTURE_WIDTH; column++)
      {
        gint64 band = (PICTURE_HEIGHT - 1 - row) * dim[0] / PICTURE_HEIGHT;
        gint64 frame = column * n_frames / PICTURE_WIDTH;
        float share = (x[band * dim[1] + frame] - low) / fmaxf (high - low, 1e-6F);
        gboolean is_real = trace->n_real_frames <= 0 || frame < trace->n_real_frames;
        /* A number that is none, of a file, is dark like silence. */
        float grey = is_real && share > 0 ? fminf (share, 1) : 0;
        memset (rgb + (row * PICTURE_WIDTH + column) * 3, (int) (grey * 255), 3);
      }
  return rgb;
}

gint64
hl_present_recording_key (const HlTrace *trace,
                          int stack,
                          const float *weights,
                          gint64 cell)
{
  const HlTokenTable *keys = hl_trace_get_key_tokens (trace, stack);
  gint64 n = hl_present_recording_joined (keys->n_tokens), best = cell * n;
  if (cell < 0 || best >= keys->n_tokens)
    return -1;
  for (gint64 k = best + 1; weights != NULL && k < MIN ((cell + 1) * n, keys->n_tokens);
       k++)
    if (weights[k] > weights[best])
      best = k;
  return best;
}

/* The largest of the @n_joined keys of each cell; NaN where all of them are. */
static void
place_weights (HlOverlayScene *scene,
               gint64 n_joined,
               gint64 n_keys,
               const float *weights)
{
  scene->weights = g_new (float, (gsize) scene->n_columns);
  for (int c = 0; c < scene->n_columns; c++)
    {
      float *cell = &scene->weights[c];
      *cell = weights[c * n_joined];
      for (gint64 k = c * n_joined; k < MIN ((c + 1) * n_joined, n_keys); k++)
        *cell = fmaxf (*cell, weights[k]);
      scene->scale.high = fmax (scene->scale.high, (double) *cell);
    }
  if (!(scene->scale.high > 0))
    scene->scale.high = 1;
}

static void
describe (HlOverlayScene *scene, const HlTrace *trace, int stack, gint64 n_joined)
{
  char high[G_ASCII_DTOSTR_BUF_SIZE];
  g_ascii_formatd (high, sizeof high, "%.3g", scene->scale.high);
  scene->caption = g_strdup_printf (
      _ ("Weight on the recording over its log-mel spectrogram, low frequencies at the "
         "bottom; a cell is the largest of %d tokens; 0 to %s, the largest shown.%s"),
      (int) n_joined, high, hl_present_words (trace, stack));
}

/* Where the tokens say it, and it may be true. */
static void
set_time (HlOverlayScene *scene, const HlTokenTable *keys, gint64 n_keys)
{
  double from_s = keys->tokens[0].start, to_s = keys->tokens[n_keys - 1].end;
  if (!(from_s >= 0 && to_s > from_s && to_s < LONGEST_S))
    return;
  scene->begin_s = from_s;
  scene->end_s = to_s;
}

HlOverlayScene *
hl_present_recording_part (const HlTrace *trace,
                           int stack,
                           gint64 n_keys,
                           const float *weights,
                           const HlViewOptions *options)
{
  const HlTokenTable *keys = hl_trace_get_key_tokens (trace, stack);
  gint64 n = hl_present_recording_joined (n_keys);
  gint64 n_frames = trace->features->shape.dim[1] * n_keys / keys->n_tokens;
  HlOverlayScene *scene = hl_overlay_scene_new ();
  scene->title = g_strdup (_ ("Recording"));
  scene->width = PICTURE_WIDTH;
  scene->height = PICTURE_HEIGHT;
  scene->picture = paint_spectrogram (trace, MAX (n_frames, 1));
  scene->n_rows = 1;
  scene->n_columns = (int) ((n_keys + n - 1) / n);
  scene->scale = (HlScale){ .colormap = options->colormap, .mode = HL_RANGE_OWN };
  scene->selected = g_new0 (gboolean, (gsize) scene->n_columns);
  set_time (scene, keys, n_keys);
  if (weights != NULL)
    place_weights (scene, n, n_keys, weights);
  else
    scene->scale.high = 1;
  return scene;
}

HlOverlayScene *
hl_present_recording (const HlTrace *trace,
                      int stack,
                      const float *weights,
                      gint64 key,
                      const HlViewOptions *options)
{
  if (!hl_present_has_recording (trace, stack))
    return NULL;
  gint64 n_keys = hl_trace_get_key_tokens (trace, stack)->n_tokens;
  gint64 n = hl_present_recording_joined (n_keys);
  HlOverlayScene *scene =
      hl_present_recording_part (trace, stack, n_keys, weights, options);
  if (key >= 0 && key < n_keys)
    scene->selected[key / n] = TRUE;
  if (weights == NULL)
    return scene;
  scene->scale.high = fmax (scene->scale.high, options->row_high);
  describe (scene, trace, stack, n);
  return scene;
}
