/* SPDX-License-Identifier: MIT
 * Segments of pictures and recordings, as masks hide them. */
#include "analysis/hl-slic.h"
#include "analysis/hl-spes-private.h"

#include "base/hl-error.h"

#include <math.h>
#include <string.h>

/* Segments have at least so many cells where nobody says how many there are to be. */
#define LEAST_CELLS 16

static const int defaults[] = { 200, 300, 400 };

/* ---- what is cut ---------------------------------------------------------------------
 */

/* @n numbers to 0 to 1; equal ones to 0. */
static void
scale (float *x, gint64 n)
{
  float least = x[0], most = x[0];
  for (gint64 i = 0; i < n; i++)
    {
      least = fminf (least, x[i]);
      most = fmaxf (most, x[i]);
    }
  for (gint64 i = 0; i < n; i++)
    x[i] = most > least ? (x[i] - least) / (most - least) : 0;
}

static gboolean
is_shown (const HlInput *input)
{
  const HlTensor *shown = input->shown;
  const gint64 *dim = input->pixel_values->shape.dim;
  return shown != NULL && shown->dtype == HL_DTYPE_U8 && shown->shape.n_dims == 3 &&
         shown->shape.dim[0] == dim[2] && shown->shape.dim[1] == dim[3] &&
         shown->shape.dim[2] == 3;
}

/* (transfer full): (H, W, *C): as a person sees it, or where that is not known what the
 * model is given, scaled. */
static float *
take_picture (const HlInput *input, gint64 *C)
{
  const gint64 *dim = input->pixel_values->shape.dim;
  gint64 n = dim[2] * dim[3];
  gboolean sees = is_shown (input);
  *C = sees ? 3 : MIN (dim[1], HL_SLIC_MAX_CHANNELS);
  float *image = g_new (float, (gsize) (n * *C) + 1);
  for (gint64 i = 0; i < n * *C; i++)
    image[i] = sees ? (float) ((const guint8 *) input->shown->data)[i] / 255
                    : hl_tensor_f32 (input->pixel_values)[i % *C * n + i / *C];
  if (!sees)
    scale (image, n * *C);
  return image;
}

/* (transfer full): (n_mels, frames), the real ones. */
static float *
take_spectrogram (const HlInput *input, gint64 n_frames)
{
  const gint64 *dim = input->features->shape.dim;
  float *image = g_new (float, (gsize) (dim[1] * n_frames) + 1);
  for (gint64 i = 0; i < dim[1] * n_frames; i++)
    image[i] = hl_tensor_f32 (input->features)[i / n_frames * dim[2] + i % n_frames];
  scale (image, dim[1] * n_frames);
  return image;
}

/* ---- segments ------------------------------------------------------------------------
 */

/* As they were asked for, or the defaults, as many less as the cells are too few. */
static void
choose_granularities (HlSpesUnits *u, const HlSpesOptions *o)
{
  int most = defaults[G_N_ELEMENTS (defaults) - 1];
  double fits = (double) (u->n_rows * u->n_columns) / (LEAST_CELLS * most);
  gboolean are_given = o->n_granularities > 0;
  u->n_granularities = are_given ? o->n_granularities : (int) G_N_ELEMENTS (defaults);
  for (int g = 0; g < u->n_granularities; g++)
    u->asked[g] = are_given ? o->granularities[g]
                            : MAX ((int) floor (defaults[g] * fmin (fits, 1) + 0.5), 2);
}

static gboolean
cut (
    HlSpesUnits *u, const float *image, gint64 C, const HlSaliencyWork *w, GError **error)
{
  choose_granularities (u, &w->options->spes);
  for (int g = 0; g < u->n_granularities; g++)
    {
      const HlSlicOptions options = HL_SLIC_OPTIONS (u->asked[g]);
      u->labels[g] = g_new (gint32, (gsize) (u->n_rows * u->n_columns) + 1);
      u->n[g] = hl_slic (image, u->n_rows, u->n_columns, C, &options, u->labels[g],
                         &w->progress, error);
      if (u->n[g] == 0)
        return FALSE;
    }
  return TRUE;
}

/* ---- where cells lie -----------------------------------------------------------------
 */

static void
find_patches (HlSpesUnits *u, const HlTokenTable *tokens)
{
  gint64 height = u->n_rows / MAX (tokens->n_rows, 1);
  gint64 width = u->n_columns / MAX (tokens->n_columns, 1);
  for (gint64 i = 0; i < u->n_rows * u->n_columns; i++)
    u->token_of[i] = -1;
  for (int t = 0; t < tokens->n_tokens; t++)
    {
      const HlToken *token = &tokens->tokens[t];
      if (token->row < 0 || token->column < 0)
        continue;
      for (gint64 i = 0; i < height * width; i++)
        u->token_of[(token->row * height + i / width) * u->n_columns +
                    token->column * width + i % width] = t;
    }
}

/* The encoder's convolutions go on by as many frames as a token stands for. */
static void
find_frames (HlSpesUnits *u, const HlTokenTable *tokens, gint64 n_all)
{
  gint64 step = MAX (n_all / MAX (tokens->n_tokens, 1), 1);
  for (gint64 i = 0; i < u->n_rows * u->n_columns; i++)
    u->token_of[i] = (gint32) MIN (i % u->n_columns / step, tokens->n_tokens - 1);
}

/* ---- all of it -----------------------------------------------------------------------
 */

static gboolean
take_baseline (HlSpesUnits *u, const HlSaliencyWork *w, GError **error)
{
  g_autoptr (HlInput) baseline = hl_saliency_baseline_input (w, error);
  if (baseline == NULL)
    return FALSE;
  gboolean is_picture = w->input->pixel_values != NULL;
  u->own = hl_tensor_ref (is_picture ? w->input->pixel_values : w->input->features);
  u->other = hl_tensor_ref (is_picture ? baseline->pixel_values : baseline->features);
  if (hl_shape_equal (&u->own->shape, &u->other->shape) &&
      hl_tensor_is_contiguous (u->own) && hl_tensor_is_contiguous (u->other))
    return TRUE;
  g_autofree char *expected = hl_shape_to_string (&u->own->shape);
  g_autofree char *found = hl_shape_to_string (&u->other->shape);
  g_set_error (error, HL_ERROR, HL_ERROR_SHAPE, "baseline: %s expected, %s found",
               expected, found);
  return FALSE;
}

gboolean
hl_spes_cells_init (HlSpesUnits *u,
                    const HlSaliencyWork *w,
                    const HlTokenTable *tokens,
                    GError **error)
{
  if (!take_baseline (u, w, error))
    return FALSE;
  const gint64 *dim = u->own->shape.dim;
  gboolean is_picture = w->input->pixel_values != NULL;
  gint64 C = 1, n_real = w->input->n_real_frames;
  u->n_rows = is_picture ? dim[2] : dim[1];
  u->n_columns = is_picture ? dim[3] : n_real > 0 && n_real < dim[2] ? n_real : dim[2];
  u->token_of = g_new (gint32, (gsize) (u->n_rows * u->n_columns) + 1);
  if (is_picture)
    find_patches (u, tokens);
  else
    find_frames (u, tokens, dim[2]);
  g_autofree float *image = is_picture ? take_picture (w->input, &C)
                                       : take_spectrogram (w->input, u->n_columns);
  return cut (u, image, C, w, error);
}

void
hl_spes_cells_hide (const HlSpesUnits *u, const HlSpesMask *mask, float *to)
{
  const HlShape *shape = &u->own->shape;
  const gint32 *labels = u->labels[mask->granularity];
  gboolean is_picture = shape->n_dims == 4;
  gint64 planes = is_picture ? shape->dim[1] : 1;
  gint64 rows = u->n_rows, stride = shape->dim[shape->n_dims - 1];
  const float *other = hl_tensor_f32 (u->other);
  for (gint64 i = 0; i < planes * rows * u->n_columns; i++)
    {
      gint64 row = i / u->n_columns, column = i % u->n_columns;
      if (mask->hides[labels[row % rows * u->n_columns + column]])
        to[row * stride + column] = other[row * stride + column];
    }
}
