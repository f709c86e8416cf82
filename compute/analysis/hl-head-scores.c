/* SPDX-License-Identifier: MIT
 * What analyses know of every head, input by input. */
#include "analysis/hl-head-scores.h"

#include <math.h>

#define SEED 1

static void
scored_input_clear (gpointer data)
{
  HlScoredInput *input = data;
  g_free (input->name);
  g_free (input->path);
}

HlHeadScores *
hl_head_scores_new (const HlStack *stack)
{
  HlHeadScores *s = g_new0 (HlHeadScores, 1);
  g_atomic_ref_count_init (&s->refs);
  s->n_layers = stack->n_layers;
  s->first = g_new0 (int, (gsize) stack->n_layers + 1);
  for (int l = 0; l < stack->n_layers; l++)
    s->first[l + 1] = s->first[l] + stack->layers[l].n_heads;
  s->n_heads = s->first[stack->n_layers];
  s->inputs = g_array_new (FALSE, TRUE, sizeof (HlScoredInput));
  g_array_set_clear_func (s->inputs, scored_input_clear);
  s->skipped = g_ptr_array_new_with_free_func (g_free);
  return s;
}

HlHeadScores *
hl_head_scores_ref (HlHeadScores *scores)
{
  g_atomic_ref_count_inc (&scores->refs);
  return scores;
}

void
hl_head_scores_unref (HlHeadScores *s)
{
  if (s == NULL || !g_atomic_ref_count_dec (&s->refs))
    return;
  for (int i = 0; i < HL_N_SCORES; i++)
    g_clear_pointer (&s->values[i], g_array_unref);
  g_array_unref (s->inputs);
  g_ptr_array_unref (s->skipped);
  g_free (s->first);
  g_free (s->hops);
  g_free (s->hop_mass);
  g_free (s->hop_uniform);
  g_free (s->hop_edges);
  g_free (s);
}

static GArray *
copy_values (const GArray *values)
{
  GArray *copy = g_array_new (FALSE, FALSE, sizeof (double));
  return g_array_append_vals (copy, values->data, values->len);
}

HlHeadScores *
hl_head_scores_copy (const HlHeadScores *s)
{
  HlHeadScores *copy = g_memdup2 (s, sizeof *s);
  gsize n = (gsize) s->n_heads * (gsize) s->n_hops;
  g_atomic_ref_count_init (&copy->refs);
  copy->first = g_memdup2 (s->first, ((gsize) s->n_layers + 1) * sizeof (int));
  copy->inputs = g_array_new (FALSE, TRUE, sizeof (HlScoredInput));
  g_array_set_clear_func (copy->inputs, scored_input_clear);
  for (guint i = 0; i < s->inputs->len; i++)
    {
      HlScoredInput input = g_array_index (s->inputs, HlScoredInput, i);
      input.name = g_strdup (input.name);
      input.path = g_strdup (input.path);
      g_array_append_val (copy->inputs, input);
    }
  for (int k = 0; k < HL_N_SCORES; k++)
    copy->values[k] = s->values[k] != NULL ? copy_values (s->values[k]) : NULL;
  copy->skipped = g_ptr_array_copy (s->skipped, (GCopyFunc) (gpointer) g_strdup, NULL);
  g_ptr_array_set_free_func (copy->skipped, g_free);
  copy->hops = g_memdup2 (s->hops, n * sizeof (double));
  copy->hop_mass = g_memdup2 (s->hop_mass, n * sizeof (double));
  copy->hop_uniform = g_memdup2 (s->hop_uniform, (gsize) s->n_hops * sizeof (double));
  copy->hop_edges = s->hop_edges != NULL
                        ? g_memdup2 (s->hop_edges, ((gsize) s->n_hops + 1) * sizeof (int))
                        : NULL;
  return copy;
}

static int
last_input (const HlHeadScores *s)
{
  return (int) s->inputs->len - 1;
}

static void
fill_with_nan (GArray *values, guint n)
{
  const double none = NAN;
  while (values->len < n)
    g_array_append_val (values, none);
}

HlScoredInput *
hl_head_scores_begin_input (HlHeadScores *s, const char *name, const char *path)
{
  HlScoredInput input = { .name = g_strdup (name),
                          .path = g_strdup (path),
                          .label = -1,
                          .target = -1,
                          .predicted = -1,
                          .prob = NAN,
                          .loss = NAN };
  g_array_append_val (s->inputs, input);
  for (int i = 0; i < HL_N_SCORES; i++)
    if (s->values[i] != NULL)
      fill_with_nan (s->values[i], s->inputs->len * (guint) s->n_heads);
  return &g_array_index (s->inputs, HlScoredInput, s->inputs->len - 1);
}

void
hl_head_scores_set (HlHeadScores *s, HlScore score, int layer, int head, double value)
{
  if (s->values[score] == NULL)
    {
      s->values[score] = g_array_new (FALSE, FALSE, sizeof (double));
      fill_with_nan (s->values[score], s->inputs->len * (guint) s->n_heads);
    }
  guint at = (guint) (last_input (s) * s->n_heads + s->first[layer] + head);
  g_array_index (s->values[score], double, at) = value;
}

void
hl_head_scores_drop_input (HlHeadScores *s)
{
  g_array_set_size (s->inputs, s->inputs->len - 1);
  for (int i = 0; i < HL_N_SCORES; i++)
    if (s->values[i] != NULL)
      g_array_set_size (s->values[i], s->inputs->len * (guint) s->n_heads);
}

void
hl_head_scores_skip (HlHeadScores *s, const char *why)
{
  s->n_skipped++;
  g_ptr_array_add (s->skipped, g_strdup (why));
}

int
hl_head_scores_get_n_inputs (const HlHeadScores *s)
{
  return (int) s->inputs->len;
}

const HlScoredInput *
hl_head_scores_get_input (const HlHeadScores *s, int input)
{
  return &g_array_index (s->inputs, HlScoredInput, input);
}

gboolean
hl_head_scores_has (const HlHeadScores *s, HlScore score)
{
  const GArray *values = s->values[score];
  for (guint i = 0; values != NULL && i < values->len; i++)
    if (!isnan (g_array_index (values, double, i)))
      return TRUE;
  return FALSE;
}

/* (nullable): the numbers of one head, n_heads apart. */
static const double *
column_of (const HlHeadScores *s, HlScore score, int layer, int head)
{
  if (s->values[score] == NULL || s->inputs->len == 0)
    return NULL;
  return &g_array_index (s->values[score], double, s->first[layer] + head);
}

double
hl_head_scores_get (const HlHeadScores *s, HlScore score, int input, int layer, int head)
{
  const double *column = column_of (s, score, layer, head);
  if (column == NULL || input < 0 || input >= (int) s->inputs->len)
    return NAN;
  return column[input * s->n_heads];
}

double *
hl_head_scores_mean (const HlHeadScores *s, HlScore score)
{
  double *means = g_new (double, (gsize) s->n_heads + 1);
  for (int h = 0; h < s->n_heads; h++)
    {
      double sum = 0;
      int n = 0;
      for (guint i = 0; i < s->inputs->len && s->values[score] != NULL; i++)
        {
          double x =
              g_array_index (s->values[score], double, i *(guint) s->n_heads + (guint) h);
          sum += isnan (x) ? 0 : x;
          n += !isnan (x);
        }
      means[h] = n > 0 ? sum / n : NAN;
    }
  return means;
}

HlInterval
hl_head_scores_interval (const HlHeadScores *s, HlScore score, int layer, int head)
{
  const double *column = column_of (s, score, layer, head);
  if (column == NULL)
    return (HlInterval){ NAN, NAN, NAN, 0 };
  return hl_bootstrap_mean (column, s->inputs->len, (gsize) s->n_heads, SEED);
}

double
hl_head_scores_percentile (
    const HlHeadScores *s, HlScore score, int input, int layer, int head)
{
  const double *column = column_of (s, score, layer, head);
  if (column == NULL)
    return NAN;
  return hl_percentile_of (column, s->inputs->len, (gsize) s->n_heads,
                           hl_head_scores_get (s, score, input, layer, head));
}

double
hl_head_scores_baseline (const HlHeadScores *s, HlScore score)
{
  g_autofree double *means = hl_head_scores_mean (s, score);
  double sum = 0;
  int n = 0;
  for (int h = 0; h < s->n_heads; h++)
    {
      sum += isnan (means[h]) ? 0 : means[h];
      n += !isnan (means[h]);
    }
  return n > 0 ? sum / n : NAN;
}

double *
hl_head_scores_normalise (const HlHeadScores *s, HlScore score)
{
  double *means = hl_head_scores_mean (s, score);
  for (int l = 0; l < s->n_layers; l++)
    {
      double sum = 0;
      for (int h = s->first[l]; h < s->first[l + 1]; h++)
        sum += isnan (means[h]) ? 0 : means[h] * means[h];
      for (int h = s->first[l]; h < s->first[l + 1] && sum > 0; h++)
        means[h] /= sqrt (sum);
    }
  return means;
}

void
hl_head_scores_merge (HlHeadScores *s, const HlHeadScores *from)
{
  g_return_if_fail (s->n_heads == from->n_heads);
  for (int i = 0; i < HL_N_SCORES; i++)
    for (int l = 0; l < s->n_layers && from->values[i] != NULL; l++)
      for (int h = 0; h < s->first[l + 1] - s->first[l]; h++)
        {
          double x = hl_head_scores_get (from, (HlScore) i, last_input (from), l, h);
          if (!isnan (x))
            hl_head_scores_set (s, (HlScore) i, l, h, x);
        }
}
