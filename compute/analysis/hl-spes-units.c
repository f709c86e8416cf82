/* SPDX-License-Identifier: MIT
 * What masks hide: tokens, or segments of a picture or recording. */
#include "analysis/hl-spes-private.h"

#include "base/hl-error.h"

#include <string.h>

/* ---- the generator -------------------------------------------------------------------
 */

static guint64
mix (guint64 x)
{
  x = (x ^ (x >> 30)) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  x = (x ^ (x >> 27)) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
  return x ^ (x >> 31);
}

gboolean
hl_spes_is_hidden (guint32 seed, int mask, int unit)
{
  guint64 begin = mix (((guint64) seed << 32) + (guint64) mask);
  guint64 step = G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);
  return (mix (begin + ((guint64) unit + 1) * step) >> 63) != 0;
}

/* ---- tokens --------------------------------------------------------------------------
 */

gboolean
hl_spes_has_cells (const HlModel *model,
                   const HlInput *input,
                   const HlSaliencyOptions *options)
{
  return !options->at_features &&
         (input->pixel_values != NULL || input->features != NULL);
}

static gboolean
is_there (const HlTokenTable *tokens, gint64 t)
{
  return t < tokens->n_tokens && tokens->tokens[t].role != HL_ROLE_PADDING;
}

/* Of what an encoder makes of a recording, more frames than this are hidden in runs: one
 * of 20 ms alone changes next to nothing. */
#define FRAMES_MOST 64

/* As they were asked for; else each token by itself, or frames in runs. */
static void
choose_runs (HlSpesUnits *u, const HlSaliencyWork *w, int n_there)
{
  static const int defaults[] = { 40, 80, 160 };
  const HlSpesOptions *o = &w->options->spes;
  gboolean are_frames = w->options->at_features && w->input->features != NULL;
  gboolean are_given = are_frames && o->n_granularities > 0;
  u->n_granularities = 1;
  if (are_given)
    u->n_granularities = o->n_granularities;
  else if (are_frames && n_there > FRAMES_MOST)
    u->n_granularities = G_N_ELEMENTS (defaults);
  for (int g = 0; g < u->n_granularities; g++)
    u->asked[g] = are_given                 ? o->granularities[g]
                  : u->n_granularities == 1 ? 0
                                            : defaults[g];
}

static void
take_tokens (HlSpesUnits *u, const HlSaliencyWork *w, const HlTokenTable *tokens)
{
  gint64 T = w->x->shape.dim[0];
  u->are_tokens = TRUE;
  u->own = hl_tensor_ref (w->x);
  u->other = hl_tensor_ref (w->x0);
  u->n_rows = 1;
  u->n_columns = T;
  u->token_of = g_new (gint32, (gsize) T + 1);
  int n_there = 0;
  for (gint64 t = 0; t < T; t++)
    {
      u->token_of[t] = t < tokens->n_tokens ? (gint32) t : -1;
      n_there += is_there (tokens, t);
    }
  choose_runs (u, w, n_there);
  for (int g = 0; g < u->n_granularities; g++)
    {
      /* As many runs as asked for, of the same length but for rounding. */
      int n = u->asked[g] > 0 ? MIN (u->asked[g], n_there) : n_there, at = 0;
      u->n[g] = n;
      u->labels[g] = g_new (gint32, (gsize) T + 1);
      for (gint64 t = 0; t < T; t++)
        u->labels[g][t] =
            is_there (tokens, t) ? (gint32) ((gint64) at++ * n / n_there) : -1;
    }
}

gboolean
hl_spes_units_init (HlSpesUnits *u,
                    const HlSaliencyWork *w,
                    const HlTokenTable *tokens,
                    GError **error)
{
  *u = (HlSpesUnits){ 0 };
  if (!hl_spes_has_cells (w->model, w->input, w->options))
    take_tokens (u, w, tokens);
  else if (!hl_spes_cells_init (u, w, tokens, error))
    return FALSE;
  if (u->n[0] > 0)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
               "spes: something to hide expected, only padding found");
  return FALSE;
}

void
hl_spes_units_clear (HlSpesUnits *u)
{
  for (int g = 0; g < u->n_granularities; g++)
    g_clear_pointer (&u->labels[g], g_free);
  g_clear_pointer (&u->token_of, g_free);
  g_clear_pointer (&u->own, hl_tensor_unref);
  g_clear_pointer (&u->other, hl_tensor_unref);
}

/* ---- hiding --------------------------------------------------------------------------
 */

static void
hide_tokens (const HlSpesUnits *u, const HlSpesMask *mask, double *to)
{
  gint64 D = u->own->shape.dim[1];
  const gint32 *labels = u->labels[mask->granularity];
  for (gint64 t = 0; t < u->n_columns; t++)
    if (labels[t] >= 0 && mask->hides[labels[t]])
      memcpy (to + t * D, (const double *) u->other->data + t * D,
              sizeof (double) * (gsize) D);
}

static HlShape
batch_shape (const HlTensor *own, gint64 B, gboolean are_tokens)
{
  HlShape shape = own->shape;
  if (are_tokens)
    return HL_SHAPE (B, shape.dim[0], shape.dim[1]);
  shape.dim[0] = B;
  return shape;
}

HlTensor *
hl_spes_units_hide (const HlSpesUnits *u, const HlSpesMask *masks, gint64 B)
{
  gsize bytes = hl_tensor_size_bytes (u->own);
  HlTensor *all =
      hl_tensor_new (u->own->dtype, batch_shape (u->own, B, u->are_tokens), NULL);
  for (gint64 b = 0; b < B; b++)
    {
      gpointer to = (char *) all->data + (gsize) b * bytes;
      memcpy (to, u->own->data, bytes);
      if (u->are_tokens)
        hide_tokens (u, &masks[b], to);
      else
        hl_spes_cells_hide (u, &masks[b], to);
    }
  return all;
}
