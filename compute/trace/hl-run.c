/* SPDX-License-Identifier: MIT
 * A run: what to capture and what to change at each site of a forward pass. */
#include "trace/hl-run.h"

#include "base/hl-error.h"
#include "ops/hl-tape.h"
#include "trace/hl-trace.h"

#include <stdio.h>

static const struct
{
  const char *suffix;
  gboolean per_block;
  const char *axes;
} sites[HL_N_SITES] = {
#define HL_SITE(ENUM, suffix, per_block, axes) { suffix, per_block, axes },
#include "trace/hl-site-table.def"
#undef HL_SITE
};

const char *
hl_site_suffix (HlSite site)
{
  return sites[site].suffix;
}

const char *
hl_site_axes (HlSite site)
{
  return sites[site].axes;
}

gboolean
hl_site_is_per_block (HlSite site)
{
  return sites[site].per_block;
}

char *
hl_site_name (const HlModelInfo *model, HlSite site, int stack, int layer)
{
  if (sites[site].per_block)
    return hl_trace_site_name (model, stack, layer, sites[site].suffix);
  const HlStack *tower = hl_model_info_get_stack (model, stack);
  const char *name = tower != NULL && site != HL_SITE_LOGITS ? tower->name : "";
  return g_strdup_printf ("%s%s%s", name, name[0] != '\0' ? "." : "", sites[site].suffix);
}

HlSite
hl_site_from_suffix (const char *suffix)
{
  for (int i = 0; i < HL_N_SITES; i++)
    if (g_str_equal (sites[i].suffix, suffix))
      return (HlSite) i;
  return HL_N_SITES;
}

HlIntervention *
hl_intervention_new (HlInterventionKind kind,
                     HlSite site,
                     int stack,
                     int layer,
                     HlTensor *mask,
                     HlTensor *value,
                     const char *words)
{
  HlIntervention *intervention = g_new0 (HlIntervention, 1);
  g_atomic_ref_count_init (&intervention->refs);
  intervention->kind = kind;
  intervention->site = kind == HL_INTERVENTION_GATE ? HL_SITE_Z : site;
  intervention->stack = stack;
  intervention->layer = layer;
  intervention->mask = mask != NULL ? hl_tensor_ref (mask) : NULL;
  intervention->value = value != NULL ? hl_tensor_ref (value) : NULL;
  intervention->words = g_strdup (words);
  return intervention;
}

/* Written and read again: "prune head 5.1 (zero)", "prune cross head 0.2 (zero)". */
#define PRUNED_WORDS "head %d.%d (zero)"

/* (transfer full): "prune cross ", "prune " in a model of one stack. */
static char *
begin_words (const char *verb, const HlStack *stack)
{
  return g_strdup_printf ("%s %s%s", verb, stack->name,
                          stack->name[0] != '\0' ? " " : "");
}

HlIntervention *
hl_intervention_new_scale_head (
    const HlModelInfo *model, int stack, int layer, int head, double factor)
{
  const HlStack *tower = hl_model_info_get_stack (model, stack);
  g_return_val_if_fail (tower != NULL && layer >= 0 && layer < tower->n_layers, NULL);
  int n_heads = tower->layers[layer].n_heads;
  g_return_val_if_fail (head >= 0 && head < n_heads, NULL);
  g_autofree float *gates = g_new (float, (gsize) n_heads);
  for (int h = 0; h < n_heads; h++)
    gates[h] = h == head ? (float) factor : 1;
  g_autoptr (HlTensor) value =
      hl_tensor_new_copy (HL_DTYPE_F32, HL_SHAPE (1, n_heads), gates);
  g_autofree char *words = NULL;
  g_autofree char *begin = begin_words (factor == 0 ? "prune" : "scale", tower);
  if (factor == 0)
    words = g_strdup_printf ("%s" PRUNED_WORDS, begin, layer, head);
  else
    words = g_strdup_printf ("%shead %d.%d by %g", begin, layer, head, factor);
  return hl_intervention_new (HL_INTERVENTION_GATE, HL_SITE_Z, stack, layer, NULL, value,
                              words);
}

char *
hl_interventions_describe (const GPtrArray *interventions)
{
  GString *words = g_string_new ("");
  for (guint i = 0; interventions != NULL && i < interventions->len; i++)
    g_string_append_printf (words, "%s%s", i > 0 ? "; " : "",
                            ((HlIntervention *) interventions->pdata[i])->words);
  return g_string_free (words, FALSE);
}

gboolean
hl_intervention_parse_pruned_head (const char *words,
                                   const HlStack *stack,
                                   int *layer,
                                   int *head)
{
  int n = 0; /* characters read; 0 when not all of the words are there */
  g_autofree char *begin = begin_words ("prune", stack);
  return g_str_has_prefix (words, begin) &&
         sscanf (words + strlen (begin), PRUNED_WORDS "%n", layer, head, &n) == 2 &&
         n > 0 && *layer >= 0 && *layer < stack->n_layers && *head >= 0 &&
         *head < stack->layers[*layer].n_heads;
}

HlIntervention *
hl_intervention_ref (HlIntervention *intervention)
{
  g_atomic_ref_count_inc (&intervention->refs);
  return intervention;
}

void
hl_intervention_unref (HlIntervention *intervention)
{
  if (intervention == NULL || !g_atomic_ref_count_dec (&intervention->refs))
    return;
  hl_tensor_unref (intervention->mask);
  hl_tensor_unref (intervention->value);
  g_free (intervention->words);
  g_free (intervention);
}

void
hl_run_init (HlRun *run,
             HlBackend *backend,
             const HlModelInfo *model,
             const HlProgress *progress)
{
  *run = (HlRun){ .model = model, .only_row = -1, .query_row = -1 };
  hl_exec_init (&run->exec, backend, progress);
  run->patterns = g_ptr_array_new_with_free_func ((GDestroyNotify) g_pattern_spec_free);
  run->interventions =
      g_ptr_array_new_with_free_func ((GDestroyNotify) hl_intervention_unref);
  run->tables =
      g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) hl_tensor_unref);
  run->watch_patterns =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_pattern_spec_free);
  run->watched = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                        (GDestroyNotify) hl_tensor_unref);
  run->captured = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                         (GDestroyNotify) hl_tensor_unref);
}

void
hl_run_clear (HlRun *run)
{
  g_clear_pointer (&run->patterns, g_ptr_array_unref);
  g_clear_pointer (&run->interventions, g_ptr_array_unref);
  g_clear_pointer (&run->tables, g_hash_table_unref);
  g_clear_pointer (&run->captured, g_hash_table_unref);
  g_clear_pointer (&run->watch_patterns, g_ptr_array_unref);
  g_clear_pointer (&run->watched, g_hash_table_unref);
  g_clear_pointer (&run->start_resid, hl_tensor_unref);
  hl_exec_clear (&run->exec);
}

void
hl_run_capture (HlRun *run, const char *pattern)
{
  g_ptr_array_add (run->patterns, g_pattern_spec_new (pattern));
}

void
hl_run_watch (HlRun *run, const char *pattern)
{
  g_ptr_array_add (run->watch_patterns, g_pattern_spec_new (pattern));
}

void
hl_run_add_intervention (HlRun *run, HlIntervention *intervention)
{
  g_ptr_array_add (run->interventions, hl_intervention_ref (intervention));
}

void
hl_run_start_at (HlRun *run, int block, HlTensor *resid)
{
  run->start_block = block;
  g_clear_pointer (&run->start_resid, hl_tensor_unref);
  run->start_resid = hl_tensor_ref (resid);
}

static gboolean
matches (const GPtrArray *patterns, const char *name)
{
  for (guint i = 0; i < patterns->len; i++)
    if (g_pattern_spec_match_string (g_ptr_array_index (patterns, i), name))
      return TRUE;
  return FALSE;
}

static gboolean
acts_at (const HlIntervention *intervention, HlSite site, int stack, int layer)
{
  return intervention->site == site && intervention->stack == stack &&
         (intervention->layer == layer || !sites[site].per_block);
}

gboolean
hl_run_changes (HlRun *run, HlSite site, int stack, int layer)
{
  for (guint i = 0; i < run->interventions->len; i++)
    if (acts_at (g_ptr_array_index (run->interventions, i), site, stack, layer))
      return TRUE;
  return FALSE;
}

gboolean
hl_run_wants (HlRun *run, HlSite site, int stack, int layer)
{
  if (hl_run_changes (run, site, stack, layer))
    return TRUE;
  g_autofree char *name = hl_site_name (run->model, site, stack, layer);
  return matches (run->patterns, name) || matches (run->watch_patterns, name);
}

gsize
hl_run_tape_bytes (HlRun *run, gint64 T)
{
  gint64 count = 0, D = run->model->width;
  for (guint s = 0; s < run->model->stacks->len; s++)
    {
      const HlStack *stack = hl_model_info_get_stack (run->model, (int) s);
      for (int l = run->start_block; l < stack->n_layers; l++)
        {
          const HlLayerInfo *layer = &stack->layers[l];
          gint64 H = layer->n_heads, both = H + layer->n_kv_heads;
          /* Both norms, what attention and the MLP give, and the stream behind them; the
           * MLP before and after the activation. */
          count += T * (6 * D + 2 * 4 * D + 2 * both * layer->head_width + H);
          if (hl_run_wants (run, HL_SITE_ATTN_SCORES, (int) s, l) ||
              hl_run_wants (run, HL_SITE_PATTERN, (int) s, l))
            count += 2 * H * T * T;
        }
    }
  return (gsize) count * hl_dtype_size (run->exec.backend->dtype);
}

/* The shape may differ from @like's in the batch alone. */
static gboolean
replaces (HlRun *run, const HlIntervention *what, const HlTensor *value)
{
  const HlShape *a = &what->value->shape, *b = &value->shape;
  gboolean fits = a->n_dims == b->n_dims;
  for (int i = 1; i < a->n_dims && fits; i++)
    fits = a->dim[i] == b->dim[i];
  if (fits)
    return TRUE;
  g_autofree char *expected = hl_shape_to_string (b);
  g_autofree char *found = hl_shape_to_string (a);
  hl_exec_fail (&run->exec,
                g_error_new (HL_ERROR, HL_ERROR_SHAPE, "%s: %s expected, %s found",
                             what->words, expected, found));
  return FALSE;
}

static HlTensor *
intervene (HlRun *run, const HlIntervention *what, HlTensor *value)
{
  HlExec *x = &run->exec;
  g_autoptr (HlTensor) before = value;
  g_autoptr (HlTensor) other = hl_exec_upload (x, what->value);
  g_autoptr (HlTensor) mask = hl_exec_upload (x, what->mask);
  if (!hl_exec_ok (x))
    return NULL;
  switch (what->kind)
    {
    case HL_INTERVENTION_GATE:
      return hl_gate (x, before, other);
    case HL_INTERVENTION_BLEND:
      {
        /* Q, K and V come as strided views; the op takes contiguous tensors. */
        g_autoptr (HlTensor) plain = hl_exec_contiguous (x, before);
        return hl_blend (x, plain, mask, other);
      }
    case HL_INTERVENTION_REPLACE:
      return replaces (run, what, before) ? g_steal_pointer (&other) : NULL;
    case HL_INTERVENTION_NONE:
      break;
    }
  return g_steal_pointer (&before);
}

/* A view is copied, so that it does not keep the whole tensor that it looks into. What
 * comes by again, in a block that is recomputed, was captured. */
static void
capture (HlRun *run, char *name, HlTensor *value)
{
  HlTensor *kept = NULL;
  HlBackend *backend = run->exec.backend;
  if (g_hash_table_contains (run->captured, name))
    kept = NULL;
  else if (run->captures_to_host)
    kept = hl_backend_fetch_later (backend, value, &run->exec.error);
  else
    kept = hl_backend_contiguous (backend, value, &run->exec.error);
  if (kept == NULL)
    {
      g_free (name);
      return;
    }
  run->captured_bytes += hl_tensor_size_bytes (kept);
  g_hash_table_replace (run->captured, name, kept);
}

/* A view that depends on nothing watched has no gradient to look into: its copy has. */
static HlTensor *
watch (HlRun *run, char *name, HlTensor *value)
{
  HlExec *exec = &run->exec;
  if (exec->tape->is_in_segment) /* it comes by again when its gradient does */
    {
      hl_tape_watch (exec->tape, value);
      g_free (name);
      return value;
    }
  if (!hl_tape_depends (exec->tape, value) && !hl_tensor_is_contiguous (value))
    {
      g_autoptr (HlTensor) view = value;
      value = hl_exec_contiguous (exec, view);
    }
  if (value == NULL)
    {
      g_free (name);
      return NULL;
    }
  hl_tape_watch (exec->tape, value);
  g_hash_table_replace (run->watched, name, hl_tensor_ref (value));
  return value;
}

HlTensor *
hl_run_site (HlRun *run, HlSite site, int stack, int layer, HlTensor *value)
{
  for (guint i = 0; i < run->interventions->len && value != NULL; i++)
    {
      const HlIntervention *what = g_ptr_array_index (run->interventions, i);
      if (acts_at (what, site, stack, layer))
        value = intervene (run, what, value);
    }
  gboolean watches = run->exec.tape != NULL && run->watch_patterns->len > 0;
  if (value == NULL || (run->patterns->len == 0 && !watches))
    return value;
  g_autofree char *name = hl_site_name (run->model, site, stack, layer);
  if (watches && matches (run->watch_patterns, name))
    value = watch (run, g_strdup (name), value);
  if (value != NULL && matches (run->patterns, name))
    capture (run, g_steal_pointer (&name), value);
  return value;
}
