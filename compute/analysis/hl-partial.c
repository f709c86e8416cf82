/* SPDX-License-Identifier: MIT
 * Partial pruning of one head. */
#include "analysis/hl-partial.h"

#include "analysis/hl-logits.h"
#include "base/hl-error.h"

#include <math.h>

/* What an entry of the map is. */
typedef enum
{
  ENTRY_CORNER,
  ENTRY_CLS, /* row or column */
  ENTRY_PATCHES,
  ENTRY_FIRST,
  ENTRY_DIAGONAL,
  ENTRY_PREVIOUS,
  ENTRY_REST,
  N_ENTRIES,
} Entry;

static const char *const names[] = { "nothing",  "head",   "cls-and-corner", "patches",
                                     "cls",      "corner", "first",          "diagonal",
                                     "previous", "rest" };

/* By part, the kinds of entries that are pruned. */
static const guint pruned_kinds[] = {
  [HL_PART_NOTHING] = 0,
  [HL_PART_HEAD] = (1 << N_ENTRIES) - 1,
  [HL_PART_CLS_AND_CORNER] = 1 << ENTRY_CLS | 1 << ENTRY_CORNER,
  [HL_PART_PATCHES] = 1 << ENTRY_PATCHES,
  [HL_PART_CLS] = 1 << ENTRY_CLS,
  [HL_PART_CORNER] = 1 << ENTRY_CORNER,
  [HL_PART_FIRST] = 1 << ENTRY_FIRST,
  [HL_PART_DIAGONAL] = 1 << ENTRY_DIAGONAL,
  [HL_PART_PREVIOUS] = 1 << ENTRY_PREVIOUS,
  [HL_PART_REST] = 1 << ENTRY_REST,
};

static const HlPart picture_parts[HL_N_PARTS] = {
  HL_PART_NOTHING, HL_PART_HEAD, HL_PART_CLS_AND_CORNER,
  HL_PART_PATCHES, HL_PART_CLS,  HL_PART_CORNER
};
static const HlPart causal_parts[HL_N_PARTS] = { HL_PART_NOTHING,  HL_PART_HEAD,
                                                 HL_PART_FIRST,    HL_PART_DIAGONAL,
                                                 HL_PART_PREVIOUS, HL_PART_REST };

/* One head of one layer, in double: its queries, keys and values, (T, K) each. */
typedef struct
{
  gint64 T, K;
  double *q, *k, *v;
  double scale;
  gboolean is_causal;
  const HlTokenTable *tokens;
} Head;

const char *
hl_part_name (HlPart part)
{
  return names[part];
}

void
hl_partial_free (HlPartial *partial)
{
  if (partial == NULL)
    return;
  g_free (partial->log_probs);
  g_free (partial);
}

static void
head_clear (Head *head)
{
  g_free (head->q);
  g_free (head->k);
  g_free (head->v);
}

/* ---- the map and its parts -----------------------------------------------------------
 */

static Entry
entry_of (const Head *head, gint64 i, gint64 j)
{
  if (head->is_causal)
    return j == 0       ? ENTRY_FIRST
           : j == i     ? ENTRY_DIAGONAL
           : j == i - 1 ? ENTRY_PREVIOUS
                        : ENTRY_REST;
  const HlToken *tokens = head->tokens->tokens;
  int n_special =
      (tokens[i].role == HL_ROLE_SPECIAL) + (tokens[j].role == HL_ROLE_SPECIAL);
  return n_special == 2 ? ENTRY_CORNER : n_special == 1 ? ENTRY_CLS : ENTRY_PATCHES;
}

/* Row i of the map: @row (T). */
static void
attend (const Head *head, gint64 i, double *row)
{
  gint64 n = head->is_causal ? i + 1 : head->T, K = head->K;
  double most = -INFINITY, sum = 0;
  for (gint64 j = 0; j < n; j++)
    {
      double dot = 0;
      for (gint64 k = 0; k < K; k++)
        dot += head->q[i * K + k] * head->k[j * K + k];
      row[j] = head->scale * dot;
      most = fmax (most, row[j]);
    }
  for (gint64 j = 0; j < n; j++)
    sum += row[j] = exp (row[j] - most);
  for (gint64 j = 0; j < head->T; j++)
    row[j] = j < n ? row[j] / sum : 0;
}

/* What is left of z where the kinds of entries in @pruned are gone: @z (K). */
static void
mix_rest (const Head *head,
          const double *row,
          gint64 i,
          guint pruned,
          gboolean renormalises,
          float *z)
{
  g_autofree double *sum = g_new0 (double, (gsize) head->K);
  double left = 0;
  for (gint64 j = 0; j < head->T; j++)
    {
      if (row[j] == 0 || (pruned >> entry_of (head, i, j) & 1) != 0)
        continue;
      left += row[j];
      for (gint64 k = 0; k < head->K; k++)
        sum[k] += row[j] * head->v[j * head->K + k];
    }
  double scale = renormalises && left > 0 ? 1 / left : 1;
  for (gint64 k = 0; k < head->K; k++)
    z[k] = (float) (scale * sum[k]);
}

/* (HL_N_PARTS, T, 1, K): z with each part pruned. */
static HlTensor *
make_rests (const Head *head,
            const HlPart *parts,
            gboolean renormalises,
            const HlProgress *progress,
            GError **error)
{
  g_autofree double *row = g_new (double, (gsize) head->T);
  gint64 T = head->T, K = head->K;
  g_autoptr (HlTensor) z =
      hl_tensor_new (HL_DTYPE_F32, HL_SHAPE (HL_N_PARTS, T, 1, K), error);
  for (gint64 i = 0; i < T && z != NULL; i++)
    {
      if (i % 64 == 0 && !hl_progress_step (progress, 0, NULL, error))
        return NULL;
      attend (head, i, row);
      for (int p = 0; p < HL_N_PARTS; p++)
        mix_rest (head, row, i, pruned_kinds[parts[p]], renormalises,
                  (float *) z->data + (p * T + i) * K);
    }
  return g_steal_pointer (&z);
}

/* ---- runs ----------------------------------------------------------------------------
 */

/* (T, K) doubles of one head of a captured (1, T, H, K); keys may be shared by heads. */
static double *
take_head (HlRun *run,
           const char *site,
           int head,
           int n_heads,
           gint64 *T,
           gint64 *K,
           GError **error)
{
  HlTensor *kept = g_hash_table_lookup (run->captured, site);
  g_autoptr (HlTensor) wide =
      kept != NULL ? hl_tensor_convert (kept, HL_DTYPE_F64, error) : NULL;
  if (wide == NULL)
    return NULL;
  gint64 H = wide->shape.dim[2], at = head / (n_heads / MAX (H, 1));
  *T = wide->shape.dim[1];
  *K = wide->shape.dim[3];
  double *out = g_new (double, (gsize) (*T * *K));
  for (gint64 t = 0; t < *T; t++)
    memcpy (out + t * *K, (double *) wide->data + (t * H + at) * *K,
            (gsize) *K * sizeof (double));
  return out;
}

static void
begin_run (HlRun *run,
           const HlModel *model,
           HlBackend *backend,
           const HlImportanceOptions *options,
           const HlProgress *progress)
{
  hl_run_init (run, backend, hl_model_get_info (model), progress);
  for (guint i = 0; options->interventions != NULL && i < options->interventions->len;
       i++)
    hl_run_add_intervention (run, g_ptr_array_index (options->interventions, i));
}

/* The whole model: the head's parts, the residual stream it begins with, its prediction.
 */
static gboolean
run_whole (const HlModel *model,
           const HlInput *input,
           HlRun *run,
           HlPartial *found,
           const HlImportanceOptions *options,
           Head *head,
           GError **error)
{
  const HlModelInfo *info = hl_model_get_info (model);
  const HlLayerInfo *layer = &hl_model_info_get_stack (info, 0)->layers[found->layer];
  HlRecipe recipe = { 0 };
  gboolean has_recipe = hl_model_get_recipe (model, 0, found->layer, 1, &recipe);
  /* A pruned map is made here, of plain products. */
  has_recipe &=
      recipe.rule.window == 0 && recipe.rule.soft_cap == 0 && recipe.bias == NULL;
  g_clear_pointer (&recipe.bias, hl_tensor_unref);
  HlSite q_site = recipe.is_rotary ? HL_SITE_ROT_Q : HL_SITE_Q;
  HlSite k_site = recipe.is_rotary ? HL_SITE_ROT_K : HL_SITE_K;
  g_autofree char *resid = hl_site_name (info, HL_SITE_RESID_PRE, 0, found->layer);
  g_autofree char *q = hl_site_name (info, q_site, 0, found->layer);
  g_autofree char *k = hl_site_name (info, k_site, 0, found->layer);
  g_autofree char *v = hl_site_name (info, HL_SITE_V, 0, found->layer);
  hl_run_capture (run, resid);
  hl_run_capture (run, q);
  hl_run_capture (run, k);
  hl_run_capture (run, v);
  g_autoptr (HlTensor) logits = hl_model_forward (model, run, input);
  if (run->exec.error != NULL)
    return FALSE;
  if (logits == NULL || !has_recipe)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                   "partial pruning of head %d.%d: a model with classes or a vocabulary, "
                   "and attention that follows from Q and K, expected",
                   found->layer, found->head);
      return FALSE;
    }
  const char *sites[] = { q, k, v };
  double **taken[] = { &head->q, &head->k, &head->v };
  for (guint i = 0; i < G_N_ELEMENTS (sites); i++)
    {
      *taken[i] = take_head (run, sites[i], found->head, layer->n_heads, &head->T,
                             &head->K, error);
      if (*taken[i] == NULL)
        return FALSE;
    }
  head->scale = recipe.rule.scale;
  head->is_causal = recipe.rule.is_causal;
  g_autoptr (HlTensor) wide = hl_tensor_convert (logits, HL_DTYPE_F64, error);
  if (wide == NULL)
    return FALSE;
  found->V = wide->shape.dim[1];
  found->predicted = hl_largest (wide->data, found->V);
  found->target = options->target >= 0 ? options->target
                  : options->target != HL_TARGET_PREDICTED && options->label >= 0
                      ? options->label
                      : found->predicted;
  if (found->target < found->V)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_RANGE, "target: 0 to %d expected, %d found",
               (int) found->V - 1, found->target);
  return FALSE;
}

/* All parts are one batch. */
static gboolean
run_rests (const HlModel *model,
           const HlInput *input,
           HlRun *run,
           HlPartial *found,
           const Head *head,
           HlTensor *resid,
           HlTensor *rests,
           GError **error)
{
  const HlStack *stack = hl_model_info_get_stack (hl_model_get_info (model), 0);
  int H = stack->layers[found->layer].n_heads;
  g_autofree float *one = g_new0 (float, (gsize) H);
  one[found->head] = 1;
  g_autoptr (HlTensor) mask =
      hl_tensor_new_copy (HL_DTYPE_F32, HL_SHAPE (1, 1, H, 1), one);
  g_autoptr (HlIntervention) part = hl_intervention_new (
      HL_INTERVENTION_BLEND, HL_SITE_Z, 0, found->layer, mask, rests, "parts of a head");
  hl_run_start_at (run, found->layer, resid);
  hl_run_add_intervention (run, part);
  if (found->layer < stack->n_layers - 1)
    run->only_row = hl_model_get_readout_row (model, input);
  g_autoptr (HlTensor) logits = hl_model_forward (model, run, input);
  g_autoptr (HlTensor) wide =
      logits != NULL ? hl_tensor_convert (logits, HL_DTYPE_F64, error) : NULL;
  if (wide == NULL)
    return FALSE;
  found->log_probs = g_new (double, (gsize) (HL_N_PARTS * found->V));
  for (int p = 0; p < HL_N_PARTS; p++)
    hl_log_softmax ((double *) wide->data + p * found->V, found->log_probs + p * found->V,
                    found->V);
  return TRUE;
}

static gboolean
compute (const HlModel *model,
         const HlInput *input,
         HlBackend *backend,
         HlPartial *found,
         Head *head,
         gboolean renormalises,
         const HlImportanceOptions *options,
         const HlProgress *progress,
         GError **error)
{
  HlRun whole, rest;
  begin_run (&whole, model, backend, options, progress);
  begin_run (&rest, model, backend, options, progress);
  gboolean ok = run_whole (model, input, &whole, found, options, head, error);
  if (ok)
    {
      g_autofree char *name =
          hl_site_name (hl_model_get_info (model), HL_SITE_RESID_PRE, 0, found->layer);
      memcpy (found->parts, head->is_causal ? causal_parts : picture_parts,
              sizeof found->parts);
      g_autoptr (HlTensor) rests =
          make_rests (head, found->parts, renormalises, progress, error);
      ok = rests != NULL &&
           run_rests (model, input, &rest, found, head,
                      g_hash_table_lookup (whole.captured, name), rests, error);
    }
  GError **stuck = whole.exec.error != NULL ? &whole.exec.error : &rest.exec.error;
  if (!ok && *stuck != NULL)
    g_propagate_error (error, g_steal_pointer (stuck));
  hl_run_clear (&whole);
  hl_run_clear (&rest);
  return ok;
}

HlPartial *
hl_partial_compute (const HlModel *model,
                    const HlInput *input,
                    HlBackend *backend,
                    int layer,
                    int head,
                    gboolean renormalises,
                    const HlImportanceOptions *options,
                    const HlProgress *progress,
                    GError **error)
{
  const HlModelInfo *info = hl_model_get_info (model);
  const HlStack *stack = hl_model_info_get_stack (info, 0);
  if (!hl_model_info_check_one_tower (info, "parts of a head", error))
    return NULL;
  if (layer < 0 || layer >= stack->n_layers || head < 0 ||
      head >= stack->layers[layer].n_heads)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_RANGE, "head %d.%d: the model has no such",
                   layer, head);
      return NULL;
    }
  HlProgress quiet = { 0 };
  if (progress != NULL)
    quiet = *progress;
  quiet.func = NULL;
  g_autoptr (HlPartial) found = g_new0 (HlPartial, 1);
  g_autoptr (HlTokenTable) tokens = hl_model_get_tokens (model, input, 0);
  found->layer = layer;
  found->head = head;
  Head one = { .tokens = tokens };
  gboolean ok =
      compute (model, input, backend, found, &one, renormalises, options, &quiet, error);
  head_clear (&one);
  return ok ? g_steal_pointer (&found) : NULL;
}
