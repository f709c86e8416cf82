/* SPDX-License-Identifier: MIT
 * What an analysis leaves: JSON, a session. */
#include "config.h"

#include "analyze.h"

#include "analysis/hl-result-reader.h"
#include "base/hl-error.h"
#include "trace/hl-tracer.h"

#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>

gboolean
analyze_parse_class (
    const Analyze *a, const char *option, const char *text, int *found, GError **error)
{
  *found = HL_TARGET_PREDICTED;
  if (g_strcmp0 (text, "every") == 0)
    {
      *found = HL_TARGET_EVERY;
      return TRUE;
    }
  if (text == NULL || g_str_equal (text, "predicted"))
    return TRUE;
  if (g_str_equal (text, "label"))
    {
      *found = HL_TARGET_LABEL;
      return TRUE;
    }
  gint64 number;
  *found = hl_model_find_class (a->model, text);
  if (*found < 0 && g_ascii_string_to_signed (text, 10, 0, G_MAXINT, &number, NULL))
    *found = (int) number; /* whoever runs the model says how many there are */
  if (*found >= 0)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
               "%s: a number, or the name of a class or token expected, \"%s\" found",
               option, text);
  return FALSE;
}

/* ---- JSON ----------------------------------------------------------------------------
 */

static void
add_scores (json_t *object, const HlHeadScores *s, int layer, int head)
{
  for (int k = 0; k < HL_N_SCORES && s != NULL; k++)
    {
      if (!hl_head_scores_has (s, (HlScore) k))
        continue;
      const char *name = hl_score_get_info ((HlScore) k)->name;
      HlInterval x = hl_head_scores_interval (s, (HlScore) k, layer, head);
      json_object_set_new (object, name, hl_result_real (x.mean));
      if (x.n < 2)
        continue;
      g_autofree char *low = g_strconcat (name, "_low", NULL);
      g_autofree char *high = g_strconcat (name, "_high", NULL);
      json_object_set_new (object, low, hl_result_real (x.low));
      json_object_set_new (object, high, hl_result_real (x.high));
    }
}

json_t *
analyze_scores_to_json (const Analyze *a, const char *analysis)
{
  const HlHeadScores *s = a->scores;
  json_t *heads = json_array (), *skipped = json_array ();
  for (int l = 0; l < s->n_layers; l++)
    for (int h = 0; h < s->first[l + 1] - s->first[l]; h++)
      {
        json_t *head = json_pack ("{s:i, s:i}", "layer", l, "head", h);
        add_scores (head, s, l, h);
        add_scores (head, a->probe, l, h);
        json_array_append_new (heads, head);
      }
  for (guint i = 0; i < s->skipped->len; i++)
    json_array_append_new (skipped, json_string (g_ptr_array_index (s->skipped, i)));
  json_t *root = json_pack ("{s:s, s:i, s:b, s:o}", "analysis", analysis, "n",
                            hl_head_scores_get_n_inputs (s), "partial", s->is_partial,
                            "skipped", skipped);
  if (g_str_equal (analysis, HL_RESULT_IMPORTANCE))
    json_object_set_new (
        root, "ablation",
        json_string (a->options->ablation != NULL ? a->options->ablation : "zero"));
  if (hl_head_scores_get_n_inputs (s) == 1)
    {
      const HlScoredInput *about = hl_head_scores_get_input (s, 0);
      json_object_set_new (root, "target", json_integer (about->target));
      json_object_set_new (root, "predicted", json_integer (about->predicted));
      json_object_set_new (root, "probability", hl_result_real (about->prob));
    }
  json_object_update (root, a->more);
  json_object_set_new (root, "heads", heads);
  return root;
}

char *
analyze_scores_to_csv (const Analyze *a)
{
  return hl_scores_to_csv (a->scores);
}

/* ---- a session -----------------------------------------------------------------------
 */

char *
analyze_provenance (const Analyze *a)
{
  const HlModelInfo *info = hl_model_get_info (a->model);
  json_t *origin = json_pack (
      "{s:s, s:s, s:s, s:s, s:s, s:s, s:i}", "program", "Headlight " HL_VERSION, "model",
      info->name, "model_identity", info->identity, "backend", a->backend->klass->id,
      "precision", hl_dtype_name (a->backend->dtype), "dataset",
      a->dataset != NULL ? a->dataset->path : "", "seed", a->options->seed);
  if (info->revision[0] != '\0')
    json_object_set_new (origin, "model_revision", json_string (info->revision));
  if (a->input != NULL)
    json_object_set_new (origin, "input_hash", json_string (a->input->hash));
  if (a->options->heads.mask != NULL)
    json_object_set_new (origin, "mask", json_string (a->options->heads.mask));
  char *text = json_dumps (origin, JSON_COMPACT);
  char *copy = g_strdup (text);
  free (text);
  json_decref (origin);
  return copy;
}

gboolean
analyze_is_every (const Analyze *a)
{
  const char *target = a->options->target;
  int wanted = target == NULL                  ? HL_TARGET_AUTO
               : g_str_equal (target, "every") ? HL_TARGET_EVERY
                                               : HL_TARGET_LABEL;
  return hl_survey_target (wanted, a->dataset) == HL_TARGET_EVERY;
}

static char *
make_params (const Analyze *a, const char *analysis)
{
  const AnalyzeOptions *o = a->options;
  json_t *params = json_object ();
  if (g_str_equal (analysis, HL_RESULT_IMPORTANCE))
    json_object_update_new (
        params, json_pack ("{s:s, s:s, s:s}", "ablation",
                           o->ablation != NULL ? o->ablation : "zero", "target",
                           o->target != NULL      ? o->target
                           : analyze_is_every (a) ? "every token"
                                                  : "label, else predicted",
                           "against", o->against != NULL ? o->against : ""));
  if (o->reference != NULL)
    json_object_set_new (params, "reference", json_string (o->reference));
  char *text = json_dumps (params, JSON_COMPACT);
  char *copy = g_strdup (text);
  free (text);
  json_decref (params);
  return copy;
}

/* (transfer full) (nullable): the input, or the first of the data set that can be read.
 */
static HlInput *
first_input (const Analyze *a)
{
  HlInput *input = a->input != NULL ? hl_input_ref (a->input) : NULL;
  for (int i = 0, label; input == NULL && i < hl_dataset_get_n_items (a->dataset); i++)
    input = hl_dataset_open_input (a->dataset, a->model, i, &label, NULL);
  return input;
}

const HlProgress *
analyze_get_progress (const Analyze *a)
{
  return a->is_partial ? NULL : a->progress;
}

gboolean
analyze_save (const Analyze *a, const char *analysis, GError **error)
{
  g_autoptr (HlInput) input = first_input (a);
  const HlTraceOptions options = { .interventions = a->interventions };
  g_autoptr (HlTrace) trace = hl_tracer_run (a->model, input, a->backend, &options,
                                             analyze_get_progress (a), error);
  if (trace == NULL)
    return FALSE;
  g_autoptr (HlSession) session = hl_session_new ();
  g_autofree char *params = make_params (a, analysis);
  g_autofree char *provenance = analyze_provenance (a);
  hl_session_add_trace (session, trace);
  if (a->scores != NULL)
    {
      g_autoptr (HlSessionResult) result =
          hl_scores_to_result (a->scores, analysis, params, provenance);
      hl_session_add_result (session, result);
    }
  if (a->probe != NULL)
    {
      g_autoptr (HlSessionResult) probe =
          hl_scores_to_result (a->probe, HL_RESULT_PROBE, NULL, provenance);
      hl_session_add_result (session, probe);
    }
  for (guint i = 0; i < a->results->len; i++)
    hl_session_add_result (session, g_ptr_array_index (a->results, i));
  return hl_session_save (session, a->options->output, analyze_get_progress (a), error);
}
