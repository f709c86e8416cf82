/* SPDX-License-Identifier: MIT
 * How much each token of an input has to do with a logit. */
#include "analysis/hl-saliency-private.h"

#include "base/hl-error.h"

#include <math.h>

static const struct
{
  const char *name;
  gboolean is_signed;
  gboolean has_baseline;
  gboolean is_of_sets;
  gboolean (*score) (HlSaliencyWork *work, GError **error);
} methods[HL_N_SALIENCIES] = {
#define HL_SALIENCY(ENUM, name, is_signed, has_baseline, is_of_sets, function)           \
  [HL_SALIENCY_##                                                                        \
      ENUM] = { name, is_signed, has_baseline, is_of_sets, hl_saliency_##function },
#include "analysis/hl-saliency-table.def"
#undef HL_SALIENCY
};

static const char *const baseline_names[HL_N_BASELINES] = { "zero",    "mean",  "mask",
                                                            "padding", "black", "blur" };

const char *
hl_saliency_name (HlSaliencyMethod method)
{
  return methods[method].name;
}

gboolean
hl_saliency_is_signed (HlSaliencyMethod method)
{
  return methods[method].is_signed;
}

gboolean
hl_saliency_has_baseline (HlSaliencyMethod method)
{
  return methods[method].has_baseline;
}

gboolean
hl_saliency_is_of_sets (HlSaliencyMethod method)
{
  return methods[method].is_of_sets;
}

gboolean
hl_saliency_from_name (const char *name, HlSaliencyMethod *method)
{
  for (int i = 0; i < HL_N_SALIENCIES; i++)
    if (g_strcmp0 (methods[i].name, name) == 0)
      {
        *method = (HlSaliencyMethod) i;
        return TRUE;
      }
  return FALSE;
}

const char *
hl_baseline_name (HlSaliencyBaseline baseline)
{
  return baseline_names[baseline];
}

gboolean
hl_baseline_from_name (const char *name, HlSaliencyBaseline *baseline)
{
  for (int i = 0; i < HL_N_BASELINES; i++)
    if (g_strcmp0 (baseline_names[i], name) == 0)
      {
        *baseline = (HlSaliencyBaseline) i;
        return TRUE;
      }
  return FALSE;
}

HlSaliencyRow *
hl_saliency_row_copy (const HlSaliencyRow *row)
{
  HlSaliencyRow *copy = g_memdup2 (row, sizeof *row);
  copy->scores =
      g_memdup2 (row->scores, sizeof (double) * (gsize) MAX (row->n_tokens, 1));
  if (row->own != NULL)
    copy->own = g_memdup2 (row->own, sizeof (double) * (gsize) MAX (row->n_own, 1));
  return copy;
}

void
hl_saliency_row_free (HlSaliencyRow *row)
{
  if (row == NULL)
    return;
  g_free (row->scores);
  g_free (row->own);
  g_free (row);
}

/* ---- one target ----------------------------------------------------------------------
 */

static HlSaliencyRow *
row_new (const HlModel *model, const HlInput *input, HlSaliencyTarget target)
{
  g_autoptr (HlTokenTable) tokens = hl_model_get_tokens (model, input, 0);
  HlSaliencyRow *row = g_new0 (HlSaliencyRow, 1);
  row->target = target;
  row->z = row->difference = row->completeness = NAN;
  row->n_tokens = tokens->n_tokens;
  row->scores = g_new (double, (gsize) row->n_tokens + 1);
  for (int i = 0; i < row->n_tokens; i++)
    row->scores[i] = NAN;
  return row;
}

static gboolean
check_row (const HlModel *model,
           const HlInput *input,
           HlSaliencyTarget target,
           GError **error)
{
  g_autoptr (HlTokenTable) tokens =
      hl_model_get_tokens (model, input, hl_model_get_info (model)->readout_stack);
  if (target.row < tokens->n_tokens)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_RANGE, "position: 0 to %d expected, %d found",
               tokens->n_tokens - 1, (int) target.row);
  return FALSE;
}

/* What pools a tower with a token of its own (SigLIP's pictures) is no map of its stack:
 * rules along maps would not know which row to begin with. */
static gboolean
check_pair (const HlModel *model,
            const HlInput *input,
            HlSaliencyTarget target,
            gboolean needs_embeds,
            GError **error)
{
  if (target.pair == NULL || needs_embeds || hl_model_get_readout_row (model, input) >= 0)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
               "%s pools by an attention of its own, which rules along the maps of its "
               "blocks do not know: a method with a baseline expected",
               hl_model_get_info (model)->name);
  return FALSE;
}

static gboolean
take_embeds (HlSaliencyWork *w, GError **error)
{
  w->x = hl_saliency_embed (w, w->input, error);
  w->x0 = w->x != NULL ? hl_saliency_baseline (w, error) : NULL;
  return w->x0 != NULL;
}

gboolean
hl_saliency_work_init (HlSaliencyWork *w,
                       const HlModel *model,
                       HlInput *input,
                       HlBackend *backend,
                       HlSaliencyTarget target,
                       const HlSaliencyOptions *options,
                       gboolean needs_embeds,
                       const HlProgress *progress,
                       GError **error)
{
  *w =
      (HlSaliencyWork){ .model = model,
                        .backend = backend,
                        .options = options,
                        .progress = progress != NULL ? *progress : (HlProgress){ 0 },
                        .site = options->at_features ? HL_SITE_FEATURES : HL_SITE_EMBED };
  w->progress.func = NULL;
  if (!check_row (model, input, target, error) ||
      !hl_saliency_check_with (model, input, target.row, options,
                               needs_embeds || methods[options->method].has_baseline,
                               error) ||
      !check_pair (model, input, target, needs_embeds, error))
    return FALSE;
  w->input = hl_saliency_input (model, input, target.row);
  return !needs_embeds || take_embeds (w, error);
}

void
hl_saliency_work_clear (HlSaliencyWork *w)
{
  g_clear_pointer (&w->input, hl_input_unref);
  g_clear_pointer (&w->x, hl_tensor_unref);
  g_clear_pointer (&w->x0, hl_tensor_unref);
}

HlSaliencyRow *
hl_saliency_score (const HlModel *model,
                   HlInput *input,
                   HlBackend *backend,
                   HlSaliencyTarget target,
                   const HlSaliencyOptions *options,
                   const HlProgress *progress,
                   GError **error)
{
  g_auto (HlSaliencyWork) w = { 0 };
  if (!hl_saliency_work_init (&w, model, input, backend, target, options,
                              methods[options->method].has_baseline &&
                                  !methods[options->method].is_of_sets,
                              progress, error))
    return NULL;
  g_autoptr (HlSaliencyRow) row = row_new (model, input, target);
  w.row = row;
  return methods[options->method].score (&w, error) ? g_steal_pointer (&row) : NULL;
}
