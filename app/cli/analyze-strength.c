/* SPDX-License-Identifier: MIT
 * headlight analyze strength: how far heads look, and which kind they are. */
#include "config.h"

#include "analyze.h"

#include "analysis/hl-probe.h"

#include <glib/gi18n.h>
#include <math.h>
#include <stdio.h>

#define N_PRINTED 10

gboolean
analyze_strength (Analyze *a, GError **error)
{
  const HlSurveyOptions options = { .with_strength = TRUE,
                                    .interventions = a->interventions,
                                    .against = -1 };
  a->scores = a->dataset != NULL
                  ? hl_survey_dataset (a->model, a->dataset, a->backend, &options,
                                       a->progress, error)
                  : hl_survey_input (a->model, a->input, a->label, a->backend, &options,
                                     a->progress, error);
  if (a->scores == NULL)
    return FALSE;
  /* The probe reads what a text predicts of itself: a model of one tower's. */
  const HlModelInfo *info = hl_model_get_info (a->model);
  if (!g_str_equal (info->input_kind, "text") || info->readout_stack != 0)
    return TRUE;
  const HlProbeOptions probe = { .seed = (guint32) a->options->seed };
  a->probe = hl_probe_scores (a->model, a->backend, &probe, a->progress, error);
  return a->probe != NULL;
}

/* Mean and spread of a score over the heads of each layer. */
static void
print_trend (const HlHeadScores *s, HlScore score)
{
  g_autofree double *means = hl_head_scores_mean (s, score);
  printf (_ ("%s by layer: mean, least, most\n"), _ (hl_score_get_info (score)->title));
  for (int l = 0; l < s->n_layers; l++)
    {
      double sum = 0, least = INFINITY, most = -INFINITY;
      int n = 0;
      for (int h = s->first[l]; h < s->first[l + 1]; h++)
        if (!isnan (means[h]))
          {
            sum += means[h];
            least = fmin (least, means[h]);
            most = fmax (most, means[h]);
            n++;
          }
      if (n > 0)
        printf ("  %3d %9.4f %9.4f %9.4f\n", l, sum / n, least, most);
    }
}

/* The heads that have most of a score, with intervals. */
static void
print_most (const HlHeadScores *s, HlScore score)
{
  g_autofree double *means = hl_head_scores_mean (s, score);
  if (!hl_head_scores_has (s, score))
    return;
  printf (_ ("%s, most first (a head at random: %.4f):\n"),
          _ (hl_score_get_info (score)->title), hl_head_scores_baseline (s, score));
  for (int n = 0; n < MIN (N_PRINTED / 2, s->n_heads); n++)
    {
      int best = -1, layer = 0;
      for (int h = 0; h < s->n_heads; h++)
        if (!isnan (means[h]) && (best < 0 || means[h] > means[best]))
          best = h;
      if (best < 0)
        return;
      while (best >= s->first[layer + 1])
        layer++;
      int head = best - s->first[layer];
      HlInterval x = hl_head_scores_interval (s, score, layer, head);
      g_autofree char *name = g_strdup_printf ("%d.%d", layer, head);
      if (x.n > 1)
        printf ("  %6s %9.4f  (%.4f – %.4f)\n", name, x.mean, x.low, x.high);
      else
        printf ("  %6s %9.4f\n", name, x.mean);
      means[best] = NAN;
    }
}

void
analyze_print_strength (const Analyze *a)
{
  static const HlScore most[] = { HL_SCORE_CONFIDENCE, HL_SCORE_POSITIONAL,
                                  HL_SCORE_SINK_SHARE };
  static const HlScore kinds[] = { HL_SCORE_PREVIOUS, HL_SCORE_DUPLICATE,
                                   HL_SCORE_INDUCTION };
  printf (ngettext ("%d input\n", "%d inputs\n", hl_head_scores_get_n_inputs (a->scores)),
          hl_head_scores_get_n_inputs (a->scores));
  print_trend (a->scores, HL_SCORE_HOP_ENTROPY);
  print_trend (a->scores, HL_SCORE_MEAN_DISTANCE);
  for (guint i = 0; i < G_N_ELEMENTS (most); i++)
    print_most (a->scores, most[i]);
  for (guint i = 0; i < G_N_ELEMENTS (kinds) && a->probe != NULL; i++)
    print_most (a->probe, kinds[i]);
}
