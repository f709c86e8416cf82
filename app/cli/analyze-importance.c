/* SPDX-License-Identifier: MIT
 * headlight analyze importance: which heads matter. */
#include "config.h"

#include "analyze.h"

#include "analysis/hl-pruning-result.h"
#include "base/hl-error.h"
#include "trace/hl-head-mask.h"

#include <glib/gi18n.h>
#include <math.h>
#include <stdio.h>

/* Rows of the table that is printed: the heads that matter most. */
#define N_PRINTED 10

static HlInput *
open_reference (Analyze *a, GError **error)
{
  const char *path = a->options->reference;
  if (g_str_equal (hl_model_get_info (a->model)->input_kind, "text"))
    return hl_model_open_text_file (a->model, path, &(HlTextOptions){ 0 }, error);
  return hl_model_open_image (a->model, path, 0, 0, error);
}

static gboolean
survey (Analyze *a, GError **error)
{
  const AnalyzeOptions *o = a->options;
  HlSurveyOptions options = { .with_importance = TRUE,
                              .with_strength = TRUE,
                              .interventions = a->interventions,
                              .seed = (guint32) o->seed };
  if (!analyze_parse_class (a, "--target", o->target, &options.target, error) ||
      !analyze_parse_class (a, "--against", o->against, &options.against, error))
    return FALSE;
  if (o->target == NULL)
    options.target = HL_TARGET_AUTO;
  if (o->against == NULL)
    options.against = -1;
  if (o->ablation != NULL && !hl_ablation_from_name (o->ablation, &options.ablation))
    {
      g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                   "--ablation: zero, mean, resample or uniform expected, \"%s\" found",
                   o->ablation);
      return FALSE;
    }
  g_autoptr (HlInput) reference = NULL;
  if (o->reference != NULL && (reference = open_reference (a, error)) == NULL)
    return FALSE;
  options.reference = reference;
  a->scores = a->dataset != NULL
                  ? hl_survey_dataset (a->model, a->dataset, a->backend, &options,
                                       a->progress, error)
                  : hl_survey_input (a->model, a->input, a->label, a->backend, &options,
                                     a->progress, error);
  return a->scores != NULL;
}

/* ---- parts of a head -----------------------------------------------------------------
 */

static json_t *
top_of (const Analyze *a, const double *log_probs, gint64 V)
{
  json_t *top = json_array ();
  g_autofree gboolean *taken = g_new0 (gboolean, (gsize) V);
  for (int n = 0; n < MIN (5, V); n++)
    {
      int best = -1;
      for (int i = 0; i < V; i++)
        if (!taken[i] && (best < 0 || log_probs[i] > log_probs[best]))
          best = i;
      taken[best] = TRUE;
      g_autofree char *name = hl_model_dup_class_name (a->model, best);
      json_array_append_new (top, json_pack ("{s:i, s:s, s:f}", "class", best, "name",
                                             name, "probability", exp (log_probs[best])));
    }
  return top;
}

static gboolean
prune_parts (Analyze *a, GError **error)
{
  HlHeadKey key;
  const AnalyzeOptions *o = a->options;
  if (!hl_head_key_parse (o->parts, &key) || a->input == NULL)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                   "--parts: LAYER.HEAD on one input expected, \"%s\" found", o->parts);
      return FALSE;
    }
  const HlScoredInput *about = hl_head_scores_get_input (a->scores, 0);
  const HlImportanceOptions options = { .target = about->target,
                                        .against = -1,
                                        .label = a->label,
                                        .interventions = a->interventions };
  g_autoptr (HlPartial) p =
      hl_partial_compute (a->model, a->input, a->backend, key.layer, key.head,
                          o->renormalises, &options, a->progress, error);
  if (p == NULL)
    return FALSE;
  json_t *list = json_array ();
  for (int i = 0; i < HL_N_PARTS; i++)
    {
      const double *row = p->log_probs + i * p->V;
      json_array_append_new (list, json_pack ("{s:s, s:f, s:o}", "pruned",
                                              hl_part_name (p->parts[i]), "probability",
                                              exp (row[p->target]), "top",
                                              top_of (a, row, p->V)));
    }
  g_autofree char *provenance = analyze_provenance (a);
  g_ptr_array_add (a->results, hl_partial_to_result (p, o->renormalises, provenance));
  json_object_set_new (a->more, "parts", list);
  return TRUE;
}

/* ---- the curve -----------------------------------------------------------------------
 */

static json_t *
order_to_json (const HlPruningCurve *curve, guint k)
{
  const HlPruningOrder *order = g_ptr_array_index (curve->orders, k);
  json_t *points = json_array ();
  for (int p = 0; p < curve->n_points; p++)
    {
      HlInterval l = hl_pruning_curve_loss (curve, k, p);
      HlInterval r = hl_pruning_curve_accuracy (curve, k, p);
      json_array_append_new (points,
                             json_pack ("{s:i, s:f, s:f, s:f, s:f, s:f, s:f}", "removed",
                                        curve->n_removed[p], "loss", l.mean, "loss_low",
                                        l.low, "loss_high", l.high, "accuracy", r.mean,
                                        "accuracy_low", r.low, "accuracy_high", r.high));
    }
  return json_pack ("{s:s, s:o}", "order", order->name, "points", points);
}

static void
keep_curve (Analyze *a, const HlPruningCurve *curve, const HlPruningCurveOptions *options)
{
  json_t *list = json_array ();
  g_autofree char *provenance = analyze_provenance (a);
  for (guint k = 0; k < curve->orders->len; k++)
    json_array_append_new (list, order_to_json (curve, k));
  json_object_set_new (a->more, "curve", list);
  g_ptr_array_add (a->results, hl_pruning_curve_to_result (curve, options, provenance));
}

static gboolean
prune_more_and_more (Analyze *a, GError **error)
{
  const AnalyzeOptions *o = a->options;
  HlPruningCurveOptions options = { .score = hl_score_from_name (o->curve),
                                    .n_random = o->n_random,
                                    .with_greedy = o->with_greedy,
                                    .every_token = analyze_is_every (a),
                                    .seed = (guint32) o->seed };
  if (options.score == HL_N_SCORES || !hl_head_scores_has (a->scores, options.score) ||
      a->dataset == NULL)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                   "--curve: a score of the heads on a data set, such as loss_change or "
                   "taylor_absolute, expected, \"%s\" found",
                   o->curve);
      return FALSE;
    }
  g_autoptr (HlPruningCurve) curve = hl_pruning_curve_compute (
      a->model, a->dataset, a->backend, a->scores, &options, a->progress, error);
  if (curve != NULL)
    keep_curve (a, curve, &options);
  return curve != NULL;
}

gboolean
analyze_importance (Analyze *a, GError **error)
{
  return survey (a, error) && (a->options->parts == NULL || prune_parts (a, error)) &&
         (a->options->curve == NULL || prune_more_and_more (a, error));
}

/* ---- what is printed -----------------------------------------------------------------
 */

typedef struct
{
  int layer;
  int head;
  double size;
} Row;

static int
by_size (gconstpointer a, gconstpointer b)
{
  double x = ((const Row *) a)->size, y = ((const Row *) b)->size;
  return (x < y) - (x > y);
}

/* (element-type Row): every head, the one that hurts most first. */
static GArray *
list_rows (const HlHeadScores *s)
{
  GArray *rows = g_array_new (FALSE, FALSE, sizeof (Row));
  HlScore score = hl_head_scores_has (s, HL_SCORE_LOSS_CHANGE) ? HL_SCORE_LOSS_CHANGE
                                                               : HL_SCORE_OUTPUT_COSINE;
  g_autofree double *means = hl_head_scores_mean (s, score);
  for (int l = 0; l < s->n_layers; l++)
    for (int h = 0; h < s->first[l + 1] - s->first[l]; h++)
      {
        Row row = { l, h, means[s->first[l] + h] };
        g_array_append_val (rows, row);
      }
  g_array_sort (rows, by_size);
  return rows;
}

/* Likeness where a reference was asked for, the others always. */
static gboolean
has_column (const Analyze *a, HlScore score)
{
  return score != HL_SCORE_REFERENCE_CHANGE || hl_head_scores_has (a->scores, score);
}

static void
print_number (const Analyze *a, HlScore score, const Row *row)
{
  HlInterval x = hl_head_scores_interval (a->scores, score, row->layer, row->head);
  g_autofree char *text =
      isnan (x.mean) ? g_strdup ("–")
      : x.n > 1      ? g_strdup_printf ("%.4f ± %.4f", x.mean, (x.high - x.low) / 2)
                     : g_strdup_printf ("%.4f", x.mean);
  printf (" %*s%s", (int) MAX (17 - g_utf8_strlen (text, -1), 0), "", text);
}

static void
print_agreement (const Analyze *a)
{
  static const HlScore estimates[] = { HL_SCORE_TAYLOR, HL_SCORE_TAYLOR_ABS,
                                       HL_SCORE_MICHEL_TOKENS, HL_SCORE_CONFIDENCE };
  for (guint i = 0; i < G_N_ELEMENTS (estimates); i++)
    {
      HlInterval r = hl_scores_agreement (a->scores, estimates[i], HL_SCORE_LOSS_CHANGE);
      if (!isnan (r.mean))
        printf (_ ("%s agrees with the change of loss: Spearman %.2f (95 %%: %.2f to "
                   "%.2f)\n"),
                _ (hl_score_get_info (estimates[i])->title), r.mean, r.low, r.high);
    }
}

static void
print_what (const Analyze *a)
{
  int n = hl_head_scores_get_n_inputs (a->scores);
  const HlScoredInput *about = hl_head_scores_get_input (a->scores, 0);
  const char *kind = a->options->ablation != NULL ? a->options->ablation : "zero";
  if (analyze_is_every (a))
    {
      double loss = 0;
      for (int i = 0; i < n; i++)
        loss += hl_head_scores_get_input (a->scores, i)->loss / n;
      printf (
          ngettext ("every token of %d text: mean loss %.4f nats; %d could not be read; "
                    "ablation: %s\n",
                    "every token of %d texts: mean loss %.4f nats; %d could not be "
                    "read; ablation: %s\n",
                    (gulong) n),
          n, loss, a->scores->n_skipped, kind);
      return;
    }
  if (n > 1)
    {
      int right = 0, labelled = 0;
      for (int i = 0; i < n; i++)
        {
          const HlScoredInput *x = hl_head_scores_get_input (a->scores, i);
          right += x->label >= 0 && x->label == x->predicted;
          labelled += x->label >= 0;
        }
      printf (_ ("%d inputs, of %d with a label %d predicted rightly; %d could not be "
                 "read; ablation: %s\n"),
              n, labelled, right, a->scores->n_skipped, kind);
      return;
    }
  g_autofree char *target = hl_model_dup_class_name (a->model, about->target);
  g_autofree char *predicted = hl_model_dup_class_name (a->model, about->predicted);
  if (about->target >= 0)
    printf (_ ("target %s (%d): probability %.4f; predicted: %s; ablation: %s\n"), target,
            about->target, about->prob, predicted, kind);
  else
    printf (
        _ ("no classes: what comes out of the last block is compared; ablation: %s\n"),
        kind);
}

static void
print_parts (const Analyze *a)
{
  size_t i, k;
  json_t *part, *top;
  const json_t *parts = json_object_get (a->more, "parts");
  if (parts == NULL)
    return;
  printf (_ ("parts of %s pruned:\n"), a->options->parts);
  json_array_foreach (parts, i, part)
  {
    printf ("  %-16s %.4f ", json_string_value (json_object_get (part, "pruned")),
            json_real_value (json_object_get (part, "probability")));
    json_array_foreach (json_object_get (part, "top"), k, top)
        printf ("  %s %.3f", json_string_value (json_object_get (top, "name")),
                json_real_value (json_object_get (top, "probability")));
    printf ("\n");
  }
}

static void
print_curve (const Analyze *a)
{
  size_t i, k;
  json_t *order, *point;
  json_array_foreach (json_object_get (a->more, "curve"), i, order)
  {
    printf (_ ("pruned by %s: heads removed, loss, accuracy\n"),
            json_string_value (json_object_get (order, "order")));
    json_array_foreach (json_object_get (order, "points"), k, point)
        printf ("  %5d %9.4f %7.4f\n",
                (int) json_integer_value (json_object_get (point, "removed")),
                json_real_value (json_object_get (point, "loss")),
                json_real_value (json_object_get (point, "accuracy")));
  }
}

void
analyze_print_importance (const Analyze *a)
{
  static const HlScore columns[] = { HL_SCORE_REFERENCE_CHANGE, HL_SCORE_PROB_AFTER,
                                     HL_SCORE_LOSS_CHANGE,      HL_SCORE_TAYLOR,
                                     HL_SCORE_DIVERGENCE,       HL_SCORE_OUTPUT_COSINE };
  g_autoptr (GArray) rows = list_rows (a->scores);
  print_what (a);
  printf ("%8s", _ ("head"));
  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    if (has_column (a, columns[i]))
      printf (" %17s", hl_score_get_info (columns[i])->name);
  printf ("\n");
  for (guint i = 0; i < MIN (rows->len, N_PRINTED); i++)
    {
      const Row *row = &g_array_index (rows, Row, i);
      g_autofree char *head = g_strdup_printf ("%d.%d", row->layer, row->head);
      printf ("%8s", head);
      for (guint k = 0; k < G_N_ELEMENTS (columns); k++)
        if (has_column (a, columns[k]))
          print_number (a, columns[k], row);
      printf ("\n");
    }
  print_agreement (a);
  print_parts (a);
  print_curve (a);
}
