/* SPDX-License-Identifier: MIT
 * headlight analyze saliency: what each token of an input has to do with a prediction. */
#include "config.h"

#include "analyze.h"

#include "analysis/hl-result-reader.h"
#include "base/hl-error.h"

#include <glib/gi18n.h>
#include <math.h>
#include <stdio.h>

/* Tokens that are printed of each target. */
#define N_PRINTED 5

static gboolean
read_options (const Analyze *a, HlSaliencyOptions *options, GError **error)
{
  const AnalyzeOptions *o = a->options;
  *options = (HlSaliencyOptions){ .method = HL_SALIENCY_INTEGRATED,
                                  .at_features = o->at_encoder,
                                  .seed = (guint32) o->seed,
                                  .interventions = a->interventions };
  if (o->method != NULL && !hl_saliency_from_name (o->method, &options->method))
    g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                 "--method: gradient-input, integrated-gradients, smoothgrad, occlusion, "
                 "attention-gradient, rollout, flow or relevance expected, \"%s\" found",
                 o->method);
  else if (o->baseline != NULL &&
           !hl_baseline_from_name (o->baseline, &options->baseline))
    g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                 "--baseline: zero, mean, black or blur expected, \"%s\" found",
                 o->baseline);
  else
    return TRUE;
  return FALSE;
}

/* What nobody names is each token that a decoder says of its source, else what is
 * predicted. */
static gboolean
read_target (const Analyze *a, int *target, int *against, GError **error)
{
  const AnalyzeOptions *o = a->options;
  gboolean has_source = hl_model_get_info (a->model)->n_source_context > 0;
  if (!analyze_parse_class (a, "--target", o->target, target, error) ||
      !analyze_parse_class (a, "--against", o->against, against, error))
    return FALSE;
  if (o->against == NULL)
    *against = -1;
  if (*target == HL_TARGET_LABEL)
    *target = a->label;
  if (o->target == NULL && has_source && o->position < 0)
    *target = HL_TARGET_EVERY;
  return TRUE;
}

gboolean
analyze_saliency (Analyze *a, GError **error)
{
  HlSaliencyOptions options;
  int target, against;
  if (!read_options (a, &options, error) || !read_target (a, &target, &against, error))
    return FALSE;
  a->input = cli_input_complete (&a->options->input, a->model, a->input, a->backend,
                                 a->progress, error);
  if (a->input == NULL)
    return FALSE;
  a->saliency =
      hl_saliency_set_score (a->model, a->input, a->backend, target, against,
                             a->options->position, &options, a->progress, error);
  if (a->saliency == NULL)
    return FALSE;
  g_autofree char *provenance = analyze_provenance (a);
  g_ptr_array_add (a->results, hl_saliency_set_to_result (a->saliency, provenance));
  return TRUE;
}

/* ---- what is printed -----------------------------------------------------------------
 */

static const HlSaliencyRow *
row_at (const HlSaliencySet *set, guint i)
{
  return g_ptr_array_index (set->rows, i);
}

/* The tokens with most saliency, whatever its sign. */
static void
print_most (const HlSaliencySet *set, const HlSaliencyRow *row)
{
  g_autofree gboolean *taken = g_new0 (gboolean, (gsize) row->n_tokens + 1);
  for (int n = 0; n < MIN (N_PRINTED, row->n_tokens); n++)
    {
      int best = -1;
      for (int t = 0; t < row->n_tokens; t++)
        if (!taken[t] && !isnan (row->scores[t]) &&
            (best < 0 || fabs (row->scores[t]) > fabs (row->scores[best])))
          best = t;
      if (best < 0)
        return;
      taken[best] = TRUE;
      printf ("  %6d  %-20s %10.4f\n", best, set->tokens->tokens[best].text,
              row->scores[best]);
    }
}

static void
print_target (const HlSaliencySet *set, guint i)
{
  const HlSaliencyRow *row = row_at (set, i);
  const char *name = g_ptr_array_index (set->names, i);
  if (row->target.row >= 0)
    printf (_ ("%s behind token %d: logit %.4f"), name, (int) row->target.row, row->z);
  else
    printf (_ ("%s: logit %.4f"), name, row->z);
  if (!isnan (row->difference))
    printf (_ (", %.4f without the input"), row->z - row->difference);
  if (!isnan (row->completeness))
    printf (_ (", %d steps, %.2g missing"), row->n_steps, -row->completeness);
  printf ("\n");
  print_most (set, row);
}

void
analyze_print_saliency (const Analyze *a)
{
  const HlSaliencySet *set = a->saliency;
  printf (_ ("%s, tokens with the largest first\n"),
          hl_saliency_name (set->options.method));
  for (guint i = 0; i < set->rows->len; i++)
    print_target (set, i);
}

/* ---- JSON ----------------------------------------------------------------------------
 */

static json_t *
target_to_json (const HlSaliencySet *set, guint i)
{
  const HlSaliencyRow *row = row_at (set, i);
  json_t *target = json_pack (
      "{s:s, s:i, s:i, s:i, s:o, s:o, s:o, s:i, s:o}", "target",
      (const char *) g_ptr_array_index (set->names, i), "position", (int) row->target.row,
      "class", row->target.index, "against", row->target.against, "value",
      hl_result_real (row->z), "difference", hl_result_real (row->difference),
      "completeness", hl_result_real (row->completeness), "steps", row->n_steps,
      "saliency", hl_result_reals (row->scores, row->n_tokens));
  if (row->own != NULL)
    json_object_set_new (target, "own", hl_result_reals (row->own, row->n_own));
  return target;
}

json_t *
analyze_saliency_to_json (const Analyze *a, const char *analysis)
{
  const HlSaliencySet *set = a->saliency;
  json_t *targets = json_array (), *tokens = json_array ();
  for (guint i = 0; i < set->rows->len; i++)
    json_array_append_new (targets, target_to_json (set, i));
  for (int t = 0; t < set->tokens->n_tokens; t++)
    json_array_append_new (tokens, json_string (set->tokens->tokens[t].text != NULL
                                                    ? set->tokens->tokens[t].text
                                                    : ""));
  return json_pack ("{s:s, s:s, s:s, s:o, s:o}", "analysis", analysis, "method",
                    hl_saliency_name (set->options.method), "baseline",
                    hl_baseline_name (set->options.baseline), "tokens", tokens, "targets",
                    targets);
}

char *
analyze_saliency_to_csv (const Analyze *a)
{
  return hl_saliency_set_to_csv (a->saliency);
}
