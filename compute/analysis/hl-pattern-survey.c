/* SPDX-License-Identifier: MIT
 * Summaries of the attention patterns of a model, on one input or on a data set. */
#include "analysis/hl-pattern-survey.h"

#include "analysis/hl-head-scores.h"
#include "base/hl-error.h"
#include "trace/hl-tracer.h"

/* Share of the progress that looking at the inputs takes. */
#define COLLECTED 0.25

typedef struct
{
  const HlModel *model;
  const HlDataset *dataset;
  const HlInput *input;
  GPtrArray *interventions;
  HlBackend *backend;
  const HlPatternOptions *options;
  const HlProgress *progress;
  HlHeadScores *heads; /* for the numbers of heads alone */
  HlPatternMaps *maps[HL_N_PATTERNS];
  GPtrArray *inputs;
  GPtrArray *skipped;
  double from, share;
} Work;

static void
stage_cb (double fraction, const char *what, gpointer data)
{
  const Work *w = data;
  if (w->progress != NULL && w->progress->func != NULL)
    w->progress->func (w->from + w->share * fraction, what, w->progress->func_data);
}

static HlProgress
stage (Work *w, double from, double share)
{
  HlProgress progress = w->progress != NULL ? *w->progress : (HlProgress){ 0 };
  w->from = from;
  w->share = share;
  progress.func = stage_cb;
  progress.func_data = w;
  return progress;
}

/* ---- collecting ----------------------------------------------------------------------
 */

static gboolean
add_trace (Work *w, HlTrace *trace, const HlProgress *quiet, GError **error)
{
  g_autoptr (HlAttentionSource) source = hl_attention_source_new (trace);
  guint kinds = hl_pattern_kinds_of (hl_trace_get_tokens (trace, 0));
  int index = (int) w->inputs->len;
  for (int kind = 0; kind < HL_N_PATTERNS; kind++)
    {
      if (!(kinds & 1u << kind))
        continue;
      if (w->maps[kind] == NULL)
        w->maps[kind] = hl_pattern_maps_new ((HlPatternKind) kind, w->options->side);
      if (!hl_pattern_maps_add (w->maps[kind], source, w->backend, index, w->heads->first,
                                quiet, error))
        return FALSE;
    }
  return TRUE;
}

/* Maps of an input that failed halfway. */
static void
drop_input (Work *w)
{
  for (int kind = 0; kind < HL_N_PATTERNS; kind++)
    if (w->maps[kind] != NULL)
      hl_pattern_maps_drop_input (w->maps[kind], (int) w->inputs->len);
}

static gboolean
add_input (Work *w, const HlInput *input, GError **error)
{
  HlProgress quiet = w->progress != NULL ? *w->progress : (HlProgress){ 0 };
  quiet.func = NULL;
  const HlTraceOptions options = { .interventions = w->interventions,
                                   .no_predictions = TRUE };
  g_autoptr (HlTrace) trace =
      hl_tracer_run (w->model, input, w->backend, &options, &quiet, error);
  if (trace == NULL || !add_trace (w, trace, &quiet, error))
    {
      drop_input (w);
      return FALSE;
    }
  g_ptr_array_add (w->inputs, hl_pattern_input_new (input->name, input->path));
  return TRUE;
}

/* Must end: not an input's own fault. */
static gboolean
is_fatal (const GError *error)
{
  return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED) ||
         g_error_matches (error, HL_ERROR, HL_ERROR_MEMORY) ||
         g_error_matches (error, HL_ERROR, HL_ERROR_UNSUPPORTED);
}

static gboolean
add_item (Work *w, int i, GError **error)
{
  int label;
  GError *failure = NULL;
  g_autoptr (HlInput) input =
      hl_dataset_open_input (w->dataset, w->model, i, &label, &failure);
  if (input != NULL && add_input (w, input, &failure))
    return TRUE;
  if (is_fatal (failure) && input != NULL)
    {
      g_propagate_error (error, failure);
      return FALSE;
    }
  g_ptr_array_add (w->skipped,
                   g_strdup_printf ("%s: %s", hl_dataset_get_item (w->dataset, i)->name,
                                    failure->message));
  g_error_free (failure);
  return TRUE;
}

static gboolean
collect (Work *w, GError **error)
{
  if (w->dataset == NULL)
    return add_input (w, w->input, error);
  HlProgress progress = stage (w, 0, COLLECTED);
  int n = hl_dataset_get_n_items (w->dataset);
  for (int i = 0; i < n; i++)
    {
      g_autofree char *what = g_strdup_printf ("input %d of %d", i + 1, n);
      if (!hl_progress_step (&progress, (double) i / n, what, error) ||
          !add_item (w, i, error))
        return FALSE;
    }
  if (w->inputs->len > 0)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_FORMAT,
               "%s: none of %d inputs could be read; the first: %s", w->dataset->name, n,
               w->skipped->len > 0 ? (char *) g_ptr_array_index (w->skipped, 0) : "none");
  return FALSE;
}

/* ---- summaries -----------------------------------------------------------------------
 */

static int
count_kinds (const Work *w)
{
  int n = 0;
  for (int kind = 0; kind < HL_N_PATTERNS; kind++)
    n += w->maps[kind] != NULL && hl_pattern_maps_get_n (w->maps[kind]) > 0;
  return n;
}

/* Where one kind was stopped, what there is so far is the result. */
static gboolean
summarise (Work *w, GPtrArray *all, GError **error)
{
  int n_kinds = count_kinds (w), n_done = 0;
  for (int kind = 0; kind < HL_N_PATTERNS; kind++)
    {
      if (w->maps[kind] == NULL || hl_pattern_maps_get_n (w->maps[kind]) == 0)
        continue;
      double share = (1 - COLLECTED) / n_kinds;
      HlProgress progress = stage (w, COLLECTED + share * n_done++, share);
      GError *failure = NULL;
      HlPatterns *p = hl_patterns_new (g_steal_pointer (&w->maps[kind]), w->inputs,
                                       w->heads->n_layers, w->heads->first, w->backend,
                                       w->options, &progress, &failure);
      if (p == NULL && all->len > 0 &&
          g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        {
          ((HlPatterns *) g_ptr_array_index (all, 0))->is_partial = TRUE;
          g_error_free (failure);
          return TRUE;
        }
      if (p == NULL)
        {
          g_propagate_error (error, failure);
          return FALSE;
        }
      g_ptr_array_unref (p->skipped);
      p->skipped = g_ptr_array_ref (w->skipped);
      g_ptr_array_add (all, p);
    }
  if (all->len > 0)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
               "patterns: square maps over one list of tokens expected; this model has "
               "none");
  return FALSE;
}

GPtrArray *
hl_pattern_survey (const HlModel *model,
                   const HlDataset *dataset,
                   const HlInput *input,
                   GPtrArray *interventions,
                   HlBackend *backend,
                   const HlPatternOptions *options,
                   const HlProgress *progress,
                   GError **error)
{
  Work w = { model, dataset, input, interventions, backend, options, progress };
  g_autoptr (GPtrArray) all =
      g_ptr_array_new_with_free_func ((GDestroyNotify) hl_patterns_unref);
  w.heads = hl_head_scores_new (hl_model_info_get_stack (hl_model_get_info (model), 0));
  w.inputs = g_ptr_array_new_with_free_func (hl_pattern_input_free);
  w.skipped = g_ptr_array_new_with_free_func (g_free);
  gboolean ok = collect (&w, error) && summarise (&w, all, error);
  for (int kind = 0; kind < HL_N_PATTERNS; kind++)
    g_clear_pointer (&w.maps[kind], hl_pattern_maps_unref);
  hl_head_scores_unref (w.heads);
  g_ptr_array_unref (w.inputs);
  g_ptr_array_unref (w.skipped);
  return ok ? g_steal_pointer (&all) : NULL;
}

HlPatternMaps *
hl_pattern_maps_of_trace (const HlAttentionSource *source,
                          HlPatternKind kind,
                          int side,
                          HlBackend *backend,
                          const HlProgress *progress,
                          GError **error)
{
  const HlTrace *trace = hl_attention_source_get_trace (source);
  g_autoptr (HlHeadScores) heads =
      hl_head_scores_new (hl_model_info_get_stack (trace->model, 0));
  g_autoptr (HlPatternMaps) maps = hl_pattern_maps_new (kind, side);
  if (!(hl_pattern_kinds_of (hl_trace_get_tokens (trace, 0)) & 1u << kind))
    {
      g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                   "patterns: this input has no maps of the kind \"%s\"",
                   hl_pattern_kind_id (kind));
      return NULL;
    }
  if (!hl_pattern_maps_add (maps, source, backend, 0, heads->first, progress, error))
    return NULL;
  return g_steal_pointer (&maps);
}
