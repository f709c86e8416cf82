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

gboolean
hl_present_has_recording (const HlTrace *trace, int stack)
{
  const HlTokenTable *keys = hl_trace_get_key_tokens (trace, stack);
  const HlStack *tower = hl_model_info_get_stack (trace->model, stack);
  return trace->features != NULL && trace->features->dtype == HL_DTYPE_F32 &&
         trace->features->shape.n_dims == 2 && hl_tensor_count (trace->features) > 0 &&
         tower != NULL && tower->key_stack == 0 && keys != NULL && keys->n_tokens > 0;
}

static gint64
keys_per_cell (const HlTokenTable *keys)
{
  return (keys->n_tokens + HL_RECORDING_CELLS - 1) / HL_RECORDING_CELLS;
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

static guint8 *
paint_spectrogram (const HlTrace *trace)
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
        gint64 frame = column * dim[1] / PICTURE_WIDTH;
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
  gint64 n = keys_per_cell (keys), best = cell * n;
  if (cell < 0 || best >= keys->n_tokens)
    return -1;
  for (gint64 k = best + 1; weights != NULL && k < MIN ((cell + 1) * n, keys->n_tokens);
       k++)
    if (weights[k] > weights[best])
      best = k;
  return best;
}

static void
place_weights (HlOverlayScene *scene,
               const HlTrace *trace,
               int stack,
               const float *weights)
{
  scene->weights = g_new (float, (gsize) scene->n_columns);
  for (int c = 0; c < scene->n_columns; c++)
    {
      scene->weights[c] = weights[hl_present_recording_key (trace, stack, weights, c)];
      scene->scale.high = fmax (scene->scale.high, (double) scene->weights[c]);
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

HlOverlayScene *
hl_present_recording (const HlTrace *trace,
                      int stack,
                      const float *weights,
                      gint64 key,
                      const HlViewOptions *options)
{
  if (!hl_present_has_recording (trace, stack))
    return NULL;
  const HlTokenTable *keys = hl_trace_get_key_tokens (trace, stack);
  gint64 n = keys_per_cell (keys);
  HlOverlayScene *scene = hl_overlay_scene_new ();
  scene->title = g_strdup (_ ("Recording"));
  scene->width = PICTURE_WIDTH;
  scene->height = PICTURE_HEIGHT;
  scene->picture = paint_spectrogram (trace);
  scene->n_rows = 1;
  scene->n_columns = (int) ((keys->n_tokens + n - 1) / n);
  scene->scale = (HlScale){ .colormap = options->colormap, .mode = HL_RANGE_OWN };
  scene->selected = g_new0 (gboolean, (gsize) scene->n_columns);
  if (key >= 0 && key < keys->n_tokens)
    scene->selected[key / n] = TRUE;
  if (weights == NULL)
    {
      scene->scale.high = 1;
      return scene;
    }
  place_weights (scene, trace, stack, weights);
  scene->scale.high = fmax (scene->scale.high, options->row_high);
  describe (scene, trace, stack, n);
  return scene;
}
