/* SPDX-License-Identifier: MIT
 * Saliency along the maps of attention. */
#include "analysis/hl-saliency-private.h"

#include "analysis/hl-norm-attention.h"
#include "analysis/hl-relevance.h"
#include "base/hl-error.h"

#include <math.h>

/* ---- the maps ------------------------------------------------------------------------
 */

/* (transfer full): of one layer the mean over heads of A, or of relu (A o dz/dA); NULL
 * with
 * @error. */
static HlMatrix *
mean_map (
    const HlGradientPass *pass, int stack, int layer, gboolean by_slope, GError **error)
{
  g_autoptr (HlTensor) map = NULL;
  g_autoptr (HlTensor) grad =
      hl_gradient_pass_get (pass, HL_SITE_PATTERN, stack, layer, &map, error);
  if (grad == NULL)
    return NULL;
  const gint64 *dim = map->shape.dim;
  return hl_relevance_mean_map ((const double *) map->data,
                                by_slope ? (const double *) grad->data : NULL, dim[1],
                                dim[2], dim[3]);
}

static gboolean
begin (HlSaliencyWork *w, HlGradientPass *pass, GError **error)
{
  gboolean by_values = w->options->method == HL_SALIENCY_NORM_ATTENTION;
  const char *watch[] = { "*attn.hook_pattern", by_values ? "*attn.hook_v" : NULL, NULL };
  if (!hl_gradient_pass_run (pass, w->model, w->input, w->backend, w->row->target,
                             w->site, NULL, watch, w->options->interventions,
                             &w->progress, error))
    return FALSE;
  w->row->z = hl_gradient_pass_get_value (pass, 0);
  return TRUE;
}

static const HlStack *
stack_of (const HlSaliencyWork *w, int stack)
{
  return hl_model_info_get_stack (hl_model_get_info (w->model), stack);
}

static gboolean
has_decoder (const HlSaliencyWork *w)
{
  return hl_model_get_info (w->model)->readout_stack > 0;
}

/* The cross-attention of a decoder stands behind it. */
static int
cross_stack (const HlSaliencyWork *w)
{
  return hl_model_get_info (w->model)->readout_stack + 1;
}

/* ---- what is read --------------------------------------------------------------------
 */

/* Row @row of @r; where that is -1 the mean over all rows. */
static void
read_row (const HlMatrix *r, gint64 row, double *to, gint64 n)
{
  gint64 first = row >= 0 ? row : 0, end = row >= 0 ? row + 1 : r->n;
  for (gint64 j = 0; j < MIN (n, r->m); j++)
    {
      double sum = 0;
      for (gint64 i = first; i < end; i++)
        sum += r->x[i * r->m + j];
      to[j] = sum / (double) (end - first);
    }
}

static gint64
row_of (const HlSaliencyWork *w)
{
  return w->row->target.row >= 0 ? w->row->target.row
                                 : hl_model_get_readout_row (w->model, w->input);
}

static void
read_scores (HlSaliencyWork *w, const HlMatrix *r)
{
  read_row (r, row_of (w), w->row->scores, w->row->n_tokens);
}

static void
read_own (HlSaliencyWork *w, const HlMatrix *r)
{
  w->row->n_own = (int) r->m;
  w->row->own = g_new0 (double, (gsize) r->m + 1);
  read_row (r, row_of (w), w->row->own, r->m);
}

/* ---- attention x gradient ------------------------------------------------------------
 */

gboolean
hl_saliency_attention_gradient (HlSaliencyWork *w, GError **error)
{
  g_auto (HlGradientPass) pass = { 0 };
  int stack = has_decoder (w) ? cross_stack (w) : 0;
  g_autoptr (HlMatrix) sum = NULL;
  if (!begin (w, &pass, error))
    return FALSE;
  for (int l = 0; l < stack_of (w, stack)->n_layers; l++)
    {
      g_autoptr (HlMatrix) map = mean_map (&pass, stack, l, TRUE, error);
      if (map == NULL)
        return FALSE;
      if (sum == NULL)
        sum = hl_matrix_new (map->n, map->m);
      for (gint64 i = 0; i < map->n * map->m; i++)
        sum->x[i] += map->x[i];
    }
  if (sum != NULL)
    read_scores (w, sum);
  return TRUE;
}

/* ---- rollout and flow ----------------------------------------------------------------
 */

/* (transfer full): of a stack of self-attention; NULL with @error. */
static HlMatrix *
roll_out (const HlSaliencyWork *w, const HlGradientPass *pass, int stack, GError **error)
{
  g_autoptr (HlMatrix) rollout = NULL;
  for (int l = 0; l < stack_of (w, stack)->n_layers; l++)
    {
      g_autoptr (HlMatrix) map = mean_map (pass, stack, l, FALSE, error);
      if (map == NULL)
        return NULL;
      if (rollout == NULL)
        rollout = hl_matrix_new_identity (map->n);
      hl_rollout_step (rollout, map);
    }
  return g_steal_pointer (&rollout);
}

/* (transfer full): the mean over layers. */
static HlMatrix *
mean_cross (const HlSaliencyWork *w, const HlGradientPass *pass, GError **error)
{
  int stack = cross_stack (w), L = stack_of (w, stack)->n_layers;
  g_autoptr (HlMatrix) mean = NULL;
  for (int l = 0; l < L; l++)
    {
      g_autoptr (HlMatrix) map = mean_map (pass, stack, l, FALSE, error);
      if (map == NULL)
        return NULL;
      if (mean == NULL)
        mean = hl_matrix_new (map->n, map->m);
      for (gint64 i = 0; i < map->n * map->m; i++)
        mean->x[i] += map->x[i] / L;
    }
  return g_steal_pointer (&mean);
}

static gboolean
roll_across (HlSaliencyWork *w, const HlGradientPass *pass, GError **error)
{
  int decoder = hl_model_get_info (w->model)->readout_stack;
  g_autoptr (HlMatrix) encoder = roll_out (w, pass, 0, error);
  g_autoptr (HlMatrix) own = encoder != NULL ? roll_out (w, pass, decoder, error) : NULL;
  g_autoptr (HlMatrix) cross = own != NULL ? mean_cross (w, pass, error) : NULL;
  if (cross == NULL)
    return FALSE;
  g_autoptr (HlMatrix) asked = hl_matrix_multiply (own, cross);
  g_autoptr (HlMatrix) all = hl_matrix_multiply (asked, encoder);
  read_scores (w, all);
  read_own (w, own);
  return TRUE;
}

gboolean
hl_saliency_rollout (HlSaliencyWork *w, GError **error)
{
  g_auto (HlGradientPass) pass = { 0 };
  if (!begin (w, &pass, error))
    return FALSE;
  if (has_decoder (w))
    return roll_across (w, &pass, error);
  g_autoptr (HlMatrix) rollout = roll_out (w, &pass, 0, error);
  if (rollout != NULL)
    read_scores (w, rollout);
  return rollout != NULL;
}

static void
free_matrix (gpointer matrix)
{
  hl_matrix_free (matrix);
}

/* Where the model reads several tokens, the mean of their flows. */
static void
read_flow (HlSaliencyWork *w, const GPtrArray *maps)
{
  gint64 T = ((const HlMatrix *) maps->pdata[0])->n, row = row_of (w);
  gint64 first = row >= 0 ? row : 0, end = row >= 0 ? row + 1 : T;
  for (gint64 s = 0; s < T; s++)
    w->row->scores[s] = 0;
  for (gint64 i = first; i < end; i++)
    {
      g_autofree double *flow =
          hl_flow_row ((const HlMatrix *const *) maps->pdata, (int) maps->len, i);
      for (gint64 s = 0; s < T; s++)
        w->row->scores[s] += flow[s] / (double) (end - first);
    }
}

gboolean
hl_saliency_flow (HlSaliencyWork *w, GError **error)
{
  g_auto (HlGradientPass) pass = { 0 };
  g_autoptr (GPtrArray) maps = g_ptr_array_new_with_free_func (free_matrix);
  if (!begin (w, &pass, error))
    return FALSE;
  for (int l = 0; l < stack_of (w, 0)->n_layers; l++)
    {
      HlMatrix *map = mean_map (&pass, 0, l, FALSE, error);
      if (map == NULL)
        return FALSE;
      g_ptr_array_add (maps, map);
    }
  if (maps->len > 0)
    read_flow (w, maps);
  return TRUE;
}

/* ---- relevance -----------------------------------------------------------------------
 */

/* Self-attention of one stack, a layer: @own, and what it has of another input. */
static gboolean
relate_layer (const HlGradientPass *pass,
              int stack,
              int layer,
              HlMatrix **own,
              HlMatrix *other,
              GError **error)
{
  g_autoptr (HlMatrix) map = mean_map (pass, stack, layer, TRUE, error);
  if (map == NULL)
    return FALSE;
  if (*own == NULL)
    *own = hl_matrix_new_identity (map->n);
  hl_relevance_self (*own, other, map);
  return TRUE;
}

/* (transfer full): of a tower by itself; NULL with @error. */
static HlMatrix *
relate (const HlSaliencyWork *w, const HlGradientPass *pass, int stack, GError **error)
{
  g_autoptr (HlMatrix) own = NULL;
  for (int l = 0; l < stack_of (w, stack)->n_layers; l++)
    if (!relate_layer (pass, stack, l, &own, NULL, error))
      return NULL;
  return g_steal_pointer (&own);
}

/* The decoder's layers, each after its own attention to the encoder. */
static gboolean
relate_decoder (HlSaliencyWork *w,
                const HlGradientPass *pass,
                const HlMatrix *encoder,
                GError **error)
{
  int decoder = hl_model_get_info (w->model)->readout_stack;
  g_autoptr (HlMatrix) own = NULL;
  g_autoptr (HlMatrix) across = NULL;
  for (int l = 0; l < stack_of (w, decoder)->n_layers; l++)
    {
      if (!relate_layer (pass, decoder, l, &own, across, error))
        return FALSE;
      g_autoptr (HlMatrix) map = mean_map (pass, cross_stack (w), l, TRUE, error);
      if (map == NULL)
        return FALSE;
      if (across == NULL)
        across = hl_matrix_new (map->n, map->m);
      hl_relevance_cross (across, own, encoder, map);
    }
  if (across != NULL)
    read_scores (w, across);
  if (own != NULL)
    read_own (w, own);
  return TRUE;
}

gboolean
hl_saliency_relevance (HlSaliencyWork *w, GError **error)
{
  g_auto (HlGradientPass) pass = { 0 };
  if (!begin (w, &pass, error))
    return FALSE;
  g_autoptr (HlMatrix) first = relate (w, &pass, 0, error);
  if (first == NULL)
    return FALSE;
  if (has_decoder (w))
    return relate_decoder (w, &pass, first, error);
  read_scores (w, first);
  return TRUE;
}

/* ---- norms ---------------------------------------------------------------------------
 */

/* (transfer full): || sum_h A v W_O || of a layer, in the rows that are read; NULL with
 * @error. */
static HlMatrix *
norm_map (const HlSaliencyWork *w,
          const HlGradientPass *pass,
          int stack,
          int layer,
          GError **error)
{
  g_autoptr (HlTensor) map = NULL;
  g_autoptr (HlTensor) values = NULL;
  g_autoptr (HlTensor) slope =
      hl_gradient_pass_get (pass, HL_SITE_PATTERN, stack, layer, &map, error);
  g_autoptr (HlTensor) other =
      slope != NULL ? hl_gradient_pass_get (pass, HL_SITE_V, stack, layer, &values, error)
                    : NULL;
  g_autoptr (HlNormLayer) norms =
      other != NULL ? hl_norm_layer_new (w->model, w->backend, values, stack, layer,
                                         &w->progress, error)
                    : NULL;
  if (norms == NULL)
    return NULL;
  gint64 n = map->shape.dim[2], m = map->shape.dim[3], row = row_of (w);
  HlMatrix *found = hl_matrix_new (n, m);
  for (gint64 i = row >= 0 ? row : 0; i < (row >= 0 ? row + 1 : n); i++)
    hl_norm_layer_of_all (norms, (const double *) map->data + i * m, n * m,
                          found->x + i * m);
  return found;
}

gboolean
hl_saliency_norm_attention (HlSaliencyWork *w, GError **error)
{
  g_auto (HlGradientPass) pass = { 0 };
  int stack = has_decoder (w) ? cross_stack (w) : 0, L = stack_of (w, stack)->n_layers;
  g_autoptr (HlMatrix) mean = NULL;
  if (!begin (w, &pass, error))
    return FALSE;
  for (int l = 0; l < L; l++)
    {
      g_autoptr (HlMatrix) map = norm_map (w, &pass, stack, l, error);
      if (map == NULL)
        return FALSE;
      if (mean == NULL)
        mean = hl_matrix_new (map->n, map->m);
      for (gint64 i = 0; i < map->n * map->m; i++)
        mean->x[i] += map->x[i] / L;
    }
  if (mean != NULL)
    read_scores (w, mean);
  return TRUE;
}
