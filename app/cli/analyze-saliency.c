/* SPDX-License-Identifier: MIT
 * headlight analyze saliency: what each token of an input has to do with a prediction. */
#include "config.h"

#include "analyze.h"

#include "analysis/hl-result-reader.h"
#include "analysis/hl-result-reader.h"
#include "analysis/hl-saliency-read.h"
#include "base/hl-error.h"

#include <glib/gi18n.h>
#include <math.h>
#include <stdio.h>

/* Tokens that are printed of each target. */
#define N_PRINTED 5

/* "200,300,400" */
static gboolean
read_granularities (const char *text, HlSpesOptions *spes, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (text, ",", -1);
  guint n = g_strv_length (parts);
  gint64 number = 0;
  gboolean fits = n >= 1 && n <= HL_SPES_MAX_GRANULARITIES;
  for (guint i = 0; i < n && fits; i++)
    {
      fits =
          g_ascii_string_to_signed (parts[i], 10, 1, HL_SPES_MAX_SEGMENTS, &number, NULL);
      if (fits)
        spes->granularities[i] = (int) number;
    }
  spes->n_granularities = fits ? (int) n : 0;
  if (!fits)
    g_set_error (
        error, HL_ERROR, HL_ERROR_RANGE,
        "--granularities: up to %d numbers from 1 to %d with commas between them "
        "expected, \"%s\" found",
        HL_SPES_MAX_GRANULARITIES, HL_SPES_MAX_SEGMENTS, text);
  return fits;
}

static gboolean
read_spes (const AnalyzeOptions *o, HlSpesOptions *spes, GError **error)
{
  spes->n_masks = o->n_masks;
  spes->stable_at = o->stable_at;
  spes->takes_mean = g_strcmp0 (o->pooling, "mean") == 0;
  if (o->pooling != NULL && !spes->takes_mean && !g_str_equal (o->pooling, "max"))
    {
      g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                   "--pooling: max or mean expected, \"%s\" found", o->pooling);
      return FALSE;
    }
  return o->granularities == NULL || read_granularities (o->granularities, spes, error);
}

static gboolean
read_options (const Analyze *a, HlSaliencyOptions *options, GError **error)
{
  const AnalyzeOptions *o = a->options;
  *options = (HlSaliencyOptions){ .method = HL_SALIENCY_INTEGRATED,
                                  .baseline = HL_BASELINE_MEAN,
                                  .at_features = o->at_encoder,
                                  .seed = (guint32) o->seed,
                                  .interventions = a->interventions };
  if (o->method != NULL && !hl_saliency_from_name (o->method, &options->method))
    g_set_error (
        error, HL_ERROR, HL_ERROR_RANGE,
        "--method: gradient-input, integrated-gradients, smoothgrad, occlusion, "
        "attention-gradient, rollout, flow, relevance, norm-attention or spes expected, "
        "\"%s\" found",
        o->method);
  else if (o->baseline != NULL &&
           !hl_baseline_from_name (o->baseline, &options->baseline))
    g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                 "--baseline: zero, mean, mask, padding, black or blur expected, \"%s\" "
                 "found",
                 o->baseline);
  else
    return read_spes (o, &options->spes, error);
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

/* ---- by hiding parts -----------------------------------------------------------------
 */

/* What an earlier session has of it. */
static gboolean
resume_masks (const Analyze *a, HlSpes *spes, GError **error)
{
  g_autoptr (HlSession) session =
      cli_open_session (a->options->resume, a->progress, error);
  if (session == NULL)
    return FALSE;
  for (guint i = 0; i < hl_session_get_n_results (session); i++)
    {
      const HlSessionResult *result = hl_session_get_result (session, i);
      if (g_str_equal (result->id, HL_RESULT_SALIENCY) &&
          hl_session_result_get_array (result, "spes_sums") != NULL)
        return hl_spes_resume (spes, result, error);
    }
  g_set_error (error, HL_ERROR, HL_ERROR_MISSING,
               "--resume %s: a session with saliency by spes expected, none found",
               a->options->resume);
  return FALSE;
}

/* (transfer full): what there is when somebody stops it, too. */
static HlSaliencySet *
score_spes (
    Analyze *a, int target, int against, const HlSaliencyOptions *options, GError **error)
{
  GError *stopped = NULL;
  g_autoptr (HlSpes) spes =
      hl_spes_new (a->model, a->input, a->backend, target, against, a->options->position,
                   options, a->progress, error);
  if (spes == NULL || (a->options->resume != NULL && !resume_masks (a, spes, error)))
    return NULL;
  if (!hl_spes_run (spes, 0, a->progress, &stopped))
    {
      a->is_partial = g_error_matches (stopped, G_IO_ERROR, G_IO_ERROR_CANCELLED) &&
                      hl_spes_get_n_done (spes) > 0;
      if (!a->is_partial)
        {
          g_propagate_error (error, stopped);
          return NULL;
        }
      g_error_free (stopped);
    }
  return hl_spes_to_set (spes);
}

/* ---- one target after the other ------------------------------------------------------
 */

/* (transfer full): what an earlier session has of the same; NULL with @error. */
static HlSaliencySet *
find_known (const Analyze *a, const HlSaliencyOptions *options, GError **error)
{
  const char *path = a->options->resume;
  g_autoptr (HlTokenTable) tokens = hl_model_get_tokens (a->model, a->input, 0);
  g_autoptr (HlSession) session = cli_open_session (path, a->progress, error);
  if (session == NULL)
    return NULL;
  for (guint i = hl_session_get_n_results (session); i > 0; i--)
    {
      const HlSessionResult *result = hl_session_get_result (session, i - 1);
      g_autoptr (HlSaliencySet) set = NULL;
      if (g_str_equal (result->id, HL_RESULT_SALIENCY) &&
          hl_result_is_of (result, a->input->hash,
                           hl_model_get_info (a->model)->identity))
        set = hl_saliency_set_from_result (result, tokens, NULL);
      if (set != NULL && hl_saliency_set_is_like (set, options))
        return g_steal_pointer (&set);
    }
  g_set_error (error, HL_ERROR, HL_ERROR_MISSING,
               "--resume %s: saliency of this input by %s, baseline %s, with the same "
               "options expected, none found",
               path, hl_saliency_name (options->method),
               hl_baseline_name (options->baseline));
  return NULL;
}

/* (transfer full): what is done when somebody stops it, too. */
static HlSaliencySet *
score_each (
    Analyze *a, int target, int against, HlSaliencyOptions *options, GError **error)
{
  g_autoptr (HlSaliencySet) known = NULL;
  if (a->options->resume != NULL && (known = find_known (a, options, error)) == NULL)
    return NULL;
  options->known = known != NULL ? known->rows : NULL;
  HlSaliencySet *set =
      hl_saliency_set_score (a->model, a->input, a->backend, target, against,
                             a->options->position, options, a->progress, error);
  a->is_partial = set != NULL && set->is_partial;
  return set;
}

/* ---- pairs ---------------------------------------------------------------------------
 */

/* What is said of the other tower; where its maps say nothing that is told, and no end of
 * what this one says. */
static gboolean
explain_other (Analyze *a,
               const HlModel *other,
               HlInput *input,
               HlSaliencyOptions options,
               GError **error)
{
  g_autoptr (GError) cause = NULL;
  a->own =
      hl_pair_new (a->model, a->input, a->interventions, a->backend, a->progress, error);
  if (a->own == NULL)
    return FALSE;
  options.pair = a->own;
  options.interventions = NULL;
  a->beside = hl_saliency_set_score (other, input, a->backend, -1, -1, -1, &options,
                                     a->progress, &cause);
  if (a->beside != NULL)
    {
      g_autofree char *provenance = analyze_provenance (a);
      g_ptr_array_add (a->results, hl_saliency_set_to_result (a->beside, provenance));
      return TRUE;
    }
  if (!g_error_matches (cause, HL_ERROR, HL_ERROR_UNSUPPORTED))
    {
      g_propagate_error (error, g_steal_pointer (&cause));
      return FALSE;
    }
  fprintf (stderr, _ ("headlight: the other tower is not explained: %s\n"),
           cause->message);
  return TRUE;
}

/* The input of the other tower: both are explained. */
static gboolean
take_pair (Analyze *a, HlSaliencyOptions *options, GError **error)
{
  const CliInput *from = &a->options->pair;
  const HlModelInfo *info = hl_model_get_info (a->model);
  const char *kind = from->image != NULL ? "image" : "text";
  if (from->image == NULL && from->text == NULL && from->ids == NULL)
    return TRUE;
  if (g_str_equal (info->input_kind, kind))
    {
      g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                   "a pair: an input of the other tower expected, %s found",
                   g_str_equal (kind, "text") ? "a text" : "a picture");
      return FALSE;
    }
  g_autoptr (HlModel) other = hl_model_open_for (info->path, kind, error);
  g_autoptr (HlInput) input = other != NULL ? cli_input_open (from, other, error) : NULL;
  if (input == NULL)
    return FALSE;
  a->pair = hl_pair_new (other, input, NULL, a->backend, a->progress, error);
  if (a->pair == NULL || !explain_other (a, other, input, *options, error))
    return FALSE;
  options->pair = a->pair;
  return TRUE;
}

static HlSaliencySet *
score (Analyze *a, int target, int against, HlSaliencyOptions *options, GError **error)
{
  return options->method == HL_SALIENCY_SPES
             ? score_spes (a, target, against, options, error)
             : score_each (a, target, against, options, error);
}

/* The same of what the encoder gives. */
static gboolean
score_behind (
    Analyze *a, int target, int against, HlSaliencyOptions options, GError **error)
{
  if (!hl_saliency_has_baseline (options.method))
    {
      g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                   "--both-places: a method with a baseline, which knows a place, "
                   "expected, %s found",
                   hl_saliency_name (options.method));
      return FALSE;
    }
  GError *stop = NULL;
  options.at_features = TRUE;
  if (!a->is_partial)
    a->behind = score (a, target, against, &options, &stop);
  /* What the input had is not lost by a stop. */
  a->is_partial |= g_error_matches (stop, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  if (a->is_partial)
    g_clear_error (&stop);
  if (stop != NULL)
    g_propagate_error (error, stop);
  return stop == NULL;
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
  if (a->input == NULL || !take_pair (a, &options, error))
    return FALSE;
  a->saliency = score (a, target, against, &options, error);
  if (a->saliency == NULL ||
      (a->options->at_both && !score_behind (a, target, against, options, error)))
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
  if (row->target.pair != NULL)
    printf (_ ("with %s: %.4f, of the cosine %.4f"), name, row->z,
            hl_pair_cosine (row->target.pair, row->z));
  else if (row->target.row >= 0)
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
analyze_print_masks (const Analyze *a)
{
  const HlSpesMaps *maps = a->saliency->spes;
  if (maps == NULL)
    return;
  printf (_ ("%d masks; reliability %.4f (both halves r %.4f): no map can be expected to "
             "correlate by more than %.4f\n"),
          maps->n_done, maps->reliability, maps->half_correlation, maps->ceiling);
}

void
analyze_print_saliency (const Analyze *a)
{
  const HlSaliencySet *set = a->saliency;
  printf (_ ("%s, tokens with the largest first\n"),
          hl_saliency_name (set->options.method));
  analyze_print_masks (a);
  for (guint i = 0; i < set->rows->len; i++)
    print_target (set, i);
  for (guint i = 0; a->beside != NULL && i < a->beside->rows->len; i++)
    print_target (a->beside, i);
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
  if (row->target.pair != NULL)
    json_object_set_new (target, "cosine",
                         hl_result_real (hl_pair_cosine (row->target.pair, row->z)));
  if (row->own != NULL)
    json_object_set_new (target, "own", hl_result_reals (row->own, row->n_own));
  return target;
}

static json_t *
masks_to_json (const HlSpesMaps *maps)
{
  json_t *about = hl_spes_maps_describe (maps), *checks = json_array ();
  for (guint i = 0; i < maps->checks->len; i++)
    {
      const HlSpesCheck *check = &g_array_index (maps->checks, HlSpesCheck, i);
      json_array_append_new (checks, json_pack ("[i, o]", check->n_masks,
                                                hl_result_real (check->reliability)));
    }
  json_object_set_new (about, "convergence", checks);
  return about;
}

static json_t *
set_to_json (const HlSaliencySet *set, const char *analysis)
{
  json_t *targets = json_array (), *tokens = json_array ();
  for (guint i = 0; i < set->rows->len; i++)
    json_array_append_new (targets, target_to_json (set, i));
  for (int t = 0; t < set->tokens->n_tokens; t++)
    json_array_append_new (tokens, json_string (set->tokens->tokens[t].text != NULL
                                                    ? set->tokens->tokens[t].text
                                                    : ""));
  json_t *root = json_pack ("{s:s, s:s, s:s, s:o, s:o}", "analysis", analysis, "method",
                            hl_saliency_name (set->options.method), "baseline",
                            hl_baseline_name (set->options.baseline), "tokens", tokens,
                            "targets", targets);
  if (set->spes != NULL)
    json_object_set_new (root, "spes", masks_to_json (set->spes));
  return root;
}

json_t *
analyze_saliency_to_json (const Analyze *a, const char *analysis)
{
  json_t *root = set_to_json (a->saliency, analysis);
  json_object_set_new (root, "partial", json_boolean (a->is_partial));
  if (a->beside != NULL)
    json_object_set_new (root, "beside", set_to_json (a->beside, analysis));
  return root;
}

char *
analyze_saliency_to_csv (const Analyze *a)
{
  return hl_saliency_set_to_csv (a->saliency);
}
