/* SPDX-License-Identifier: MIT
 * SPES: masks one after the other, and their sums. */
#include "analysis/hl-spes-private.h"

#include "base/hl-error.h"
#include "model/hl-model-text.h"
#include "trace/hl-tracer.h"

#include <math.h>
#include <string.h>

/* ---- beginning -----------------------------------------------------------------------
 */

/* Tokens of the stacks that are run: the most, and the most values that a block has. */
static void
measure_stacks (const HlSpes *s, gint64 *rows, gint64 *values)
{
  const HlModelInfo *info = hl_model_get_info (s->work.model);
  *rows = *values = 1;
  for (int i = s->options.at_features ? 1 : 0; i < (int) info->stacks->len; i++)
    {
      const HlStack *stack = hl_model_info_get_stack (info, i);
      g_autoptr (HlTokenTable) tokens = hl_model_get_tokens (
          s->work.model, s->work.input, stack->is_cross ? info->readout_stack : i);
      *rows = MAX (*rows, tokens->n_tokens);
      for (int l = 0; l < stack->n_layers; l++)
        {
          const HlLayerInfo *layer = &stack->layers[l];
          gint64 both = layer->n_heads + layer->n_kv_heads;
          gint64 width = 14 * info->width + 2 * both * layer->head_width;
          *values = MAX (*values, tokens->n_tokens * width);
        }
    }
}

/* About what one example takes: the values of the widest block, the input in both places
 * with what convolutions make of it, or keys and values; logits here, on their way and in
 * float32. */
static gsize
bytes_of_one (const HlSpes *s, gint64 values)
{
  gint64 rows = s->targets->len > 1 && s->work.input->ids != NULL
                    ? s->work.input->ids->shape.dim[1]
                    : 1;
  gsize bytes = (gsize) (values + 3 * rows * s->reference->shape.dim[1]) *
                hl_dtype_size (s->work.backend->dtype);
  for (guint i = 0; s->keys != NULL && i < s->keys->len; i++)
    bytes += hl_tensor_size_bytes (s->keys->pdata[i]) / 2;
  return bytes + (s->keys == NULL ? 8 * hl_tensor_size_bytes (s->units.own) : 0);
}

static int
choose_batch (const HlSpes *s)
{
  gint64 rows, values;
  if (s->options.spes.batch > 0)
    return MIN (s->options.spes.batch, HL_SPES_BATCH_MAX);
  measure_stacks (s, &rows, &values);
  gsize room = MIN (HL_SPES_BYTES, hl_memory_available () / 4);
  gint64 fits = (gint64) (room / bytes_of_one (s, values));
  if (s->work.backend->klass->device == NULL)
    fits = MIN (fits, HL_SPES_HOST_ROWS / rows);
  return (int) CLAMP (fits, 1, HL_SPES_BATCH_MAX);
}

static gboolean
check_options (const HlSpes *s, GError **error)
{
  const HlSpesOptions *o = &s->options.spes;
  gboolean fits = o->n_masks >= 0 && o->check_every >= 0 && o->stable_at >= 0 &&
                  o->stable_at <= 1 && o->n_granularities >= 0 &&
                  o->n_granularities <= HL_SPES_MAX_GRANULARITIES;
  for (int g = 0; g < o->n_granularities && fits; g++)
    fits = o->granularities[g] >= 1 && o->granularities[g] <= HL_SPES_MAX_SEGMENTS;
  if (!fits)
    g_set_error (
        error, HL_ERROR, HL_ERROR_RANGE,
        "spes: numbers that are not negative, a reliability of at most 1, and up "
        "to %d granularities of 1 to %d segments expected",
        HL_SPES_MAX_GRANULARITIES, HL_SPES_MAX_SEGMENTS);
  for (int k = 0; k < (int) s->targets->len && fits; k++)
    if (hl_spes_target (s, k)->against >= 0)
      {
        g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                     "spes compares whole distributions: it knows no class or token that "
                     "the target is held against");
        return FALSE;
      }
  return fits;
}

/* Where a target's row is behind all others' the part up to it has all of them. */
static HlSaliencyTarget
last_target (const HlSpes *s)
{
  HlSaliencyTarget last = *hl_spes_target (s, 0);
  for (int k = 1; k < (int) s->targets->len; k++)
    if (hl_spes_target (s, k)->row > last.row)
      last = *hl_spes_target (s, k);
  return last;
}

static void
begin_sums (HlSpes *s, const HlInput *whole)
{
  HlSpesMaps *maps = s->maps = g_new0 (HlSpesMaps, 1);
  const HlSpesUnits *u = &s->units;
  maps->n_targets = (int) s->targets->len;
  maps->n_granularities = u->n_granularities;
  for (int g = 0; g < u->n_granularities; g++)
    {
      maps->asked[g] = u->asked[g];
      maps->units[g] = u->n[g];
      maps->n_units += u->n[g];
    }
  maps->n_rows = u->are_tokens ? 0 : (int) u->n_rows;
  maps->n_columns = u->are_tokens ? 0 : (int) u->n_columns;
  maps->takes_mean = s->options.spes.takes_mean;
  maps->is_spectrogram = !u->are_tokens && whole->features != NULL;
  maps->sums = g_new0 (double, (gsize) (2 * maps->n_targets * maps->n_units) + 1);
  maps->counts = g_new0 (gint32, (gsize) (2 * maps->n_units) + 1);
  maps->checks = g_array_new (FALSE, FALSE, sizeof (HlSpesCheck));
  maps->check_every =
      s->options.spes.check_every > 0 ? s->options.spes.check_every : HL_SPES_CHECK;
  maps->batch = choose_batch (s);
  maps->half_correlation = maps->reliability = maps->ceiling = NAN;
  maps->model = g_strdup (hl_model_get_info (s->work.model)->identity);
  maps->input = g_strdup (whole->hash);
  maps->interventions = hl_interventions_describe (s->interventions);
}

/* @s has its options, interventions and targets. */
static gboolean
begin (HlSpes *s,
       const HlModel *model,
       HlInput *input,
       HlBackend *backend,
       const HlProgress *progress,
       GError **error)
{
  gsize n = s->targets->len;
  s->tokens = hl_model_get_tokens (model, input, 0);
  s->names = g_ptr_array_new_with_free_func (g_free);
  s->lse = g_new0 (double, n + 1);
  s->z = g_new0 (double, n + 1);
  s->difference = g_new0 (double, n + 1);
  if (!check_options (s, error) ||
      !hl_saliency_work_init (&s->work, model, input, backend, last_target (s),
                              &s->options, !hl_spes_has_cells (model, input, &s->options),
                              progress, error) ||
      !hl_spes_units_init (&s->units, &s->work, s->tokens, error) ||
      !hl_spes_take_keys (s, error) || !hl_spes_take_reference (s, error))
    return FALSE;
  for (guint k = 0; k < n; k++)
    g_ptr_array_add (s->names,
                     hl_model_dup_class_name (model, hl_spes_target (s, (int) k)->index));
  begin_sums (s, input);
  return TRUE;
}

HlSpes *
hl_spes_new_for (const HlModel *model,
                 HlInput *input,
                 HlBackend *backend,
                 const GArray *targets,
                 const HlSaliencyOptions *options,
                 const HlProgress *progress,
                 GError **error)
{
  g_autoptr (HlSpes) s = g_new0 (HlSpes, 1);
  g_return_val_if_fail (targets->len > 0, NULL);
  s->options = *options;
  s->interventions =
      g_ptr_array_new_with_free_func ((GDestroyNotify) hl_intervention_unref);
  for (guint i = 0; options->interventions != NULL && i < options->interventions->len;
       i++)
    g_ptr_array_add (s->interventions,
                     hl_intervention_ref (options->interventions->pdata[i]));
  s->options.interventions = s->interventions;
  s->targets = g_array_new (FALSE, FALSE, sizeof (HlSaliencyTarget));
  g_array_append_vals (s->targets, targets->data, targets->len);
  return begin (s, model, input, backend, progress, error) ? g_steal_pointer (&s) : NULL;
}

HlSpes *
hl_spes_new (const HlModel *model,
             HlInput *input,
             HlBackend *backend,
             int target,
             int against,
             gint64 position,
             const HlSaliencyOptions *options,
             const HlProgress *progress,
             GError **error)
{
  g_autoptr (GArray) targets = hl_saliency_set_list (
      model, input, backend, target, against, position, options, progress, error);
  return targets != NULL
             ? hl_spes_new_for (model, input, backend, targets, options, progress, error)
             : NULL;
}

void
hl_spes_free (HlSpes *s)
{
  if (s == NULL)
    return;
  hl_spes_units_clear (&s->units);
  hl_saliency_work_clear (&s->work);
  g_clear_pointer (&s->interventions, g_ptr_array_unref);
  g_clear_pointer (&s->targets, g_array_unref);
  g_clear_pointer (&s->names, g_ptr_array_unref);
  g_clear_pointer (&s->tokens, hl_token_table_unref);
  g_clear_pointer (&s->reference, hl_tensor_unref);
  g_clear_pointer (&s->keys, g_ptr_array_unref);
  g_clear_pointer (&s->memory, hl_tensor_unref);
  g_clear_pointer (&s->maps, hl_spes_maps_free);
  g_free (s->lse);
  g_free (s->z);
  g_free (s->difference);
  g_free (s);
}

/* ---- sums ----------------------------------------------------------------------------
 */

static int
first_unit (const HlSpes *s, int granularity)
{
  int first = 0;
  for (int g = 0; g < granularity; g++)
    first += s->units.n[g];
  return first;
}

/* (transfer full): mask @m. */
static HlSpesMask
draw_mask (const HlSpes *s, int m)
{
  HlSpesMask mask = { .granularity = m % s->units.n_granularities };
  int n = s->units.n[mask.granularity];
  mask.hides = g_new (guint8, (gsize) n + 1);
  for (int u = 0; u < n; u++)
    mask.hides[u] = (guint8) hl_spes_is_hidden (s->options.seed, m, u);
  return mask;
}

/* @kl: of each target. */
static void
add_mask (HlSpes *s, int m, const HlSpesMask *mask, const double *kl)
{
  HlSpesMaps *maps = s->maps;
  int half = m / s->units.n_granularities % 2, first = first_unit (s, mask->granularity);
  gsize n = (gsize) maps->n_units, targets = (gsize) maps->n_targets;
  for (int u = 0; u < s->units.n[mask->granularity]; u++)
    {
      gsize at = (gsize) (first + u);
      if (!mask->hides[u])
        continue;
      maps->counts[(gsize) half * n + at]++;
      for (gsize k = 0; k < targets; k++)
        maps->sums[((gsize) half * targets + k) * n + at] += kl[k];
    }
}

/* Masks up to @end, of one batch: all of them, or none. */
static gboolean
run_batch (HlSpes *s, int end, GError **error)
{
  int first = s->maps->n_done, B = end - first;
  g_autofree HlSpesMask *masks = g_new0 (HlSpesMask, (gsize) B + 1);
  for (int b = 0; b < B; b++)
    masks[b] = draw_mask (s, first + b);
  g_autoptr (HlTensor) logits = hl_spes_run_masks (s, masks, B, error);
  g_autofree double *kl = logits != NULL ? hl_spes_judge (s, logits, error) : NULL;
  for (int b = 0; b < B; b++)
    {
      if (kl != NULL)
        add_mask (s, first + b, &masks[b], kl + b * s->maps->n_targets);
      g_free (masks[b].hides);
    }
  if (kl != NULL)
    s->maps->n_done = end;
  return kl != NULL;
}

/* ---- running -------------------------------------------------------------------------
 */

static int
n_wanted (const HlSpes *s)
{
  return s->options.spes.n_masks > 0 ? s->options.spes.n_masks : HL_SPES_MASKS;
}

gboolean
hl_spes_is_stable (const HlSpes *s)
{
  double stable_at = s->options.spes.stable_at;
  return stable_at > 0 && s->maps->reliability >= stable_at;
}

static gboolean
is_check (const HlSpes *s)
{
  int done = s->maps->n_done;
  return done > 0 && (done % s->maps->check_every == 0 || done >= n_wanted (s));
}

/* After @check_every masks, and at the end. */
static gboolean
check (HlSpes *s, GError **error)
{
  HlSpesMaps *maps = s->maps;
  if (!is_check (s))
    return TRUE;
  if (!hl_spes_measure (s, maps, &s->work.progress, error))
    return FALSE;
  const HlSpesCheck one = { maps->n_done, maps->reliability };
  g_array_append_val (maps->checks, one);
  s->is_stable = hl_spes_is_stable (s);
  if (s->options.spes.checked != NULL)
    s->options.spes.checked (s, s->options.spes.checked_data);
  return TRUE;
}

/* A check that was cancelled is made up for. */
static gboolean
is_checked (const HlSpes *s)
{
  const GArray *checks = s->maps->checks;
  return !is_check (s) || (checks->len > 0 &&
                           g_array_index (checks, HlSpesCheck, checks->len - 1).n_masks ==
                               s->maps->n_done);
}

/* (transfer full): "mask 320 of 1000, 3 min left" */
static char *
describe (const HlSpes *s, int begun, gint64 began_us)
{
  int done = s->maps->n_done, wanted = n_wanted (s);
  double took_s = (double) (g_get_monotonic_time () - began_us) / G_USEC_PER_SEC;
  double left_s = done > begun ? took_s / (done - begun) * (wanted - done) : NAN;
  if (isnan (left_s))
    return g_strdup_printf ("mask %d of %d", done, wanted);
  return g_strdup_printf ("mask %d of %d, %.0f %s left", done, wanted,
                          left_s < 100 ? left_s : left_s / 60,
                          left_s < 100 ? "s" : "min");
}

/* Where the batch in hand ends: no batch goes over a check, so that they are the same
 * ones after a stop. */
static int
end_of_batch (const HlSpes *s)
{
  int done = s->maps->n_done, every = s->maps->check_every;
  int end = MIN (done + s->maps->batch, (done / every + 1) * every);
  return MIN (end, n_wanted (s));
}

gboolean
hl_spes_run (HlSpes *s, int n_more, const HlProgress *progress, GError **error)
{
  int begun = s->maps->n_done;
  gint64 began_us = g_get_monotonic_time ();
  s->work.progress = progress != NULL ? *progress : (HlProgress){ 0 };
  s->work.progress.func = NULL;
  if (!is_checked (s) && !check (s, error))
    return FALSE;
  while (!hl_spes_is_done (s) && (n_more <= 0 || s->maps->n_done - begun < n_more))
    {
      g_autofree char *what = describe (s, begun, began_us);
      double share = (double) s->maps->n_done / n_wanted (s);
      if (!hl_progress_step (progress, share, what, error) ||
          !run_batch (s, end_of_batch (s), error) || !check (s, error))
        return FALSE;
    }
  return TRUE;
}

int
hl_spes_get_n_done (const HlSpes *s)
{
  return s->maps->n_done;
}

gboolean
hl_spes_is_done (const HlSpes *s)
{
  return s->is_stable || s->maps->n_done >= n_wanted (s);
}

double
hl_spes_get_reliability (const HlSpes *s)
{
  return s->maps->reliability;
}

const HlSpesMaps *
hl_spes_get_maps (const HlSpes *s)
{
  return s->maps;
}

/* ---- one target ----------------------------------------------------------------------
 */

gboolean
hl_saliency_spes (HlSaliencyWork *w, GError **error)
{
  HlSaliencyRow *row = w->row;
  g_autoptr (GArray) targets = g_array_new (FALSE, FALSE, sizeof (HlSaliencyTarget));
  g_array_append_val (targets, row->target);
  g_autoptr (HlSpes) s = hl_spes_new_for (w->model, w->input, w->backend, targets,
                                          w->options, &w->progress, error);
  if (s == NULL || !hl_spes_run (s, 0, &w->progress, error))
    return FALSE;
  g_autoptr (HlSaliencySet) set = hl_spes_to_set (s);
  const HlSaliencyRow *found = g_ptr_array_index (set->rows, 0);
  row->z = found->z;
  row->difference = found->difference;
  memcpy (row->scores, found->scores,
          sizeof (double) * (gsize) MIN (row->n_tokens, found->n_tokens));
  return TRUE;
}
