/* SPDX-License-Identifier: MIT
 * SPES: from sums to saliency of cells and tokens, and how far it can be relied on. */
#include "analysis/hl-spes-private.h"

#include "analysis/hl-statistics.h"

#include <math.h>
#include <string.h>

/* ---- plain data ----------------------------------------------------------------------
 */

void
hl_spes_maps_free (HlSpesMaps *maps)
{
  if (maps == NULL)
    return;
  g_free (maps->sums);
  g_free (maps->counts);
  g_free (maps->cells);
  g_free (maps->model);
  g_free (maps->input);
  g_free (maps->interventions);
  g_array_unref (maps->checks);
  g_free (maps);
}

HlSpesMaps *
hl_spes_maps_copy (const HlSpesMaps *maps)
{
  HlSpesMaps *copy = g_memdup2 (maps, sizeof *maps);
  gsize n = (gsize) maps->n_units, targets = (gsize) maps->n_targets;
  copy->sums = g_memdup2 (maps->sums, sizeof (double) * 2 * targets * n);
  copy->counts = g_memdup2 (maps->counts, sizeof (gint32) * 2 * n);
  copy->checks = g_array_copy (maps->checks);
  copy->cells = NULL;
  copy->model = g_strdup (maps->model);
  copy->input = g_strdup (maps->input);
  copy->interventions = g_strdup (maps->interventions);
  return copy;
}

/* ---- cells and tokens ----------------------------------------------------------------
 */

typedef struct
{
  double sum, count;
} Score;

/* (transfer full): of each unit, for target @k, by the masks of @half, or of both. */
static Score *
add_halves (const HlSpesMaps *maps, int k, int half)
{
  gsize n = (gsize) maps->n_units, targets = (gsize) maps->n_targets;
  Score *scores = g_new0 (Score, n + 1);
  for (gsize h = 0; h < 2; h++)
    for (gsize u = 0; u < n && (half < 0 || (gsize) half == h); u++)
      {
        scores[u].sum += maps->sums[(h * targets + (gsize) k) * n + u];
        scores[u].count += (double) maps->counts[h * n + u];
      }
  return scores;
}

void
hl_spes_read_cells (const HlSpes *s, int k, int half, double *to)
{
  const HlSpesUnits *u = &s->units;
  g_autofree Score *scores = add_halves (s->maps, k, half);
  for (gint64 i = 0; i < u->n_rows * u->n_columns; i++)
    {
      const Score *first = scores;
      Score all = { 0, 0 };
      for (int g = 0; g < u->n_granularities; first += u->n[g], g++)
        if (u->labels[g][i] >= 0)
          {
            all.sum += first[u->labels[g][i]].sum;
            all.count += first[u->labels[g][i]].count;
          }
      to[i] = all.count > 0 ? all.sum / all.count : 0;
    }
}

/* A text that is read forwards is not read beyond the target's row. */
static gint64
count_read (const HlSpes *s, int k)
{
  const HlModelInfo *info = hl_model_get_info (s->work.model);
  gint64 row = hl_spes_target (s, k)->row;
  gboolean is_own = info->readout_stack == 0 && hl_saliency_reads_forwards (info) &&
                    s->work.input->ids != NULL && row >= 0;
  return is_own ? MIN (row + 1, s->tokens->n_tokens) : s->tokens->n_tokens;
}

void
hl_spes_read_tokens (const HlSpes *s, int k, int half, double *cells, double *to)
{
  const HlSpesUnits *u = &s->units;
  gboolean takes_mean = s->options.spes.takes_mean;
  gint64 T = s->tokens->n_tokens, n_read = count_read (s, k);
  g_autofree gint64 *counts = g_new0 (gint64, (gsize) T + 1);
  hl_spes_read_cells (s, k, half, cells);
  for (gint64 t = 0; t < T; t++)
    to[t] = t < n_read ? 0 : NAN;
  for (gint64 i = 0; i < u->n_rows * u->n_columns; i++)
    {
      gint32 t = u->token_of[i];
      if (t < 0)
        continue;
      to[t] = takes_mean ? to[t] + cells[i] : fmax (to[t], cells[i]);
      counts[t]++;
    }
  for (gint64 t = 0; t < n_read && takes_mean; t++)
    to[t] /= (double) MAX (counts[t], 1);
  for (gint64 t = n_read; t < T; t++)
    to[t] = NAN;
}

double *
hl_spes_normalise (const double *scores, int n)
{
  double *to = g_new (double, (gsize) n + 1);
  double least = INFINITY, most = -INFINITY;
  for (int i = 0; i < n; i++)
    {
      least = fmin (least, scores[i]); /* passes NaN over */
      most = fmax (most, scores[i]);
    }
  for (int i = 0; i < n; i++)
    to[i] = isnan (scores[i]) ? NAN
            : most > least    ? (scores[i] - least) / (most - least)
                              : 0;
  return to;
}

/* ---- reliability ---------------------------------------------------------------------
 */

/* Special tokens and padding do not count, as where maps are compared. */
static void
leave_out (const HlSpes *s, double *row)
{
  for (int t = 0; t < s->tokens->n_tokens; t++)
    {
      HlTokenRole role = s->tokens->tokens[t].role;
      if (role == HL_ROLE_SPECIAL || role == HL_ROLE_PADDING)
        row[t] = NAN;
    }
}

gboolean
hl_spes_measure (const HlSpes *s,
                 HlSpesMaps *maps,
                 const HlProgress *progress,
                 GError **error)
{
  gint64 n = s->targets->len, T = s->tokens->n_tokens;
  g_autofree double *cells =
      g_new (double, (gsize) (s->units.n_rows * s->units.n_columns) + 1);
  g_autofree double *first = g_new (double, (gsize) (n * T) + 1);
  g_autofree double *second = g_new (double, (gsize) (n * T) + 1);
  for (gint64 k = 0; k < n; k++)
    {
      if (!hl_progress_step (progress, 0, NULL, error))
        return FALSE;
      hl_spes_read_tokens (s, (int) k, 0, cells, first + k * T);
      hl_spes_read_tokens (s, (int) k, 1, cells, second + k * T);
      leave_out (s, first + k * T);
      leave_out (s, second + k * T);
    }
  hl_z_score_rows (first, n, T);
  hl_z_score_rows (second, n, T);
  double r = hl_pearson (first, second, (gsize) (n * T));
  maps->half_correlation = r;
  maps->reliability = isnan (r) ? NAN : r > 0 ? 2 * r / (1 + r) : 0;
  maps->ceiling = sqrt (maps->reliability);
  return TRUE;
}

/* ---- a set ---------------------------------------------------------------------------
 */

static void
take_cells (const HlSpes *s, HlSpesMaps *maps, double *cells)
{
  gint64 n = s->units.n_rows * s->units.n_columns;
  maps->cells = g_new (float, (gsize) (maps->n_targets * n) + 1);
  for (int k = 0; k < maps->n_targets; k++)
    {
      hl_spes_read_cells (s, k, -1, cells);
      for (gint64 i = 0; i < n; i++)
        maps->cells[k * n + i] = (float) cells[i];
    }
}

static HlSaliencyRow *
row_new (const HlSpes *s, int k, double *cells)
{
  HlSaliencyRow *row = g_new0 (HlSaliencyRow, 1);
  row->target = *hl_spes_target (s, k);
  row->z = s->z[k];
  row->difference = s->difference[k];
  row->completeness = NAN;
  row->n_tokens = s->tokens->n_tokens;
  row->scores = g_new (double, (gsize) row->n_tokens + 1);
  hl_spes_read_tokens (s, k, -1, cells, row->scores);
  return row;
}

HlSaliencySet *
hl_spes_to_set (const HlSpes *s)
{
  HlSaliencySet *set = g_new0 (HlSaliencySet, 1);
  g_autofree double *cells =
      g_new (double, (gsize) (s->units.n_rows * s->units.n_columns) + 1);
  set->options = s->options;
  set->options.interventions = NULL;
  set->interventions = hl_interventions_describe (s->interventions);
  set->options.spes.checked = NULL;
  set->options.spes.checked_data = NULL;
  set->rows = g_ptr_array_new_with_free_func ((GDestroyNotify) hl_saliency_row_free);
  set->names = g_ptr_array_new_with_free_func (g_free);
  set->tokens = hl_token_table_ref (s->tokens);
  set->spes = hl_spes_maps_copy (s->maps);
  for (int k = 0; k < (int) s->targets->len; k++)
    {
      g_ptr_array_add (set->rows, row_new (s, k, cells));
      g_ptr_array_add (set->names, g_strdup (s->names->pdata[k]));
    }
  if (!s->units.are_tokens)
    take_cells (s, set->spes, cells);
  hl_spes_measure (s, set->spes, NULL, NULL);
  return set;
}
