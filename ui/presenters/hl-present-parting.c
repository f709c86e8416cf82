/* SPDX-License-Identifier: MIT
 * Where attention and saliency part: on the input, as a map, as dots. */
#include "config.h"

#include "analysis/hl-statistics.h"
#include "presenters/hl-present-compare.h"
#include "presenters/hl-present-recording.h"
#include "presenters/hl-present.h"
#include "presenters/hl-saliency-words.h"

#include <glib/gi18n-lib.h>
#include <math.h>
#include <string.h>

/* More dots than this stand in a cloud. */
#define MANY_DOTS 400
/* Dots that have names, which take longer to write than all else. */
#define NAMES_MOST 20000

/* ---- both maps -----------------------------------------------------------------------
 */

/* Both, ready to be compared: (n, m) each. */
typedef struct
{
  double *attention, *saliency;
  gint64 n, m;
} Both;

static void
both_clear (Both *both)
{
  g_free (both->attention);
  g_free (both->saliency);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Both, both_clear)

/* (transfer full): (n, m). */
static double *
copy_rows (const HlCompare *c, HlCompareSide side, int first, const Both *both)
{
  return g_memdup2 (hl_compare_get_row (c, side, first),
                    sizeof (double) * (gsize) MAX (both->n * both->m, 1));
}

/* Outputs @first to before @end. */
static void
take_both (const HlCompare *c, int first, int end, gboolean is_raw, Both *both)
{
  both->n = end - first;
  both->m = c->result->comparison->n_keys;
  both->attention = copy_rows (c, HL_COMPARE_ATTENTION, first, both);
  both->saliency = copy_rows (c, HL_COMPARE_SALIENCY, first, both);
  if (is_raw)
    return;
  hl_z_score_rows (both->attention, both->n, both->m);
  hl_z_score_rows (both->saliency, both->n, both->m);
}

/* (transfer full): what saliency is, in words. */
static char *
saliency_words (const HlCompare *c)
{
  const HlSaliencyOptions *o = &c->result->set->options;
  g_autofree char *method = hl_saliency_describe (o);
  return hl_saliency_of (method, hl_saliency_is_signed (o->method));
}

/* ---- on the input --------------------------------------------------------------------
 */

/* (transfer full): (n_keys): the mean over outputs; NaN where a token does not count. */
static float *
part_rows (const HlCompare *c)
{
  g_auto (Both) both = { 0 };
  int n = c->result->comparison->n_targets;
  take_both (c, MAX (c->target, 0), c->target >= 0 ? c->target + 1 : n, FALSE, &both);
  float *apart = g_new0 (float, (gsize) both.m + 1);
  for (gint64 i = 0; i < both.n * both.m; i++)
    apart[i % both.m] +=
        (float) ((both.attention[i] - both.saliency[i]) / (double) both.n);
  return apart;
}

HlOverlayScene *
hl_compare_parting (const HlCompare *c, const HlViewOptions *options)
{
  int stack = c->result->comparison->stack;
  g_autofree float *apart = part_rows (c);
  gint64 n_shown = hl_compare_n_shown (c);
  gboolean is_sound = hl_compare_kind (c) == HL_COMPARE_RECORDING;
  HlOverlayScene *scene =
      is_sound ? hl_present_recording_part (c->trace, stack, n_shown, NULL, options)
               : hl_present_overlay (c->trace, stack, apart, NULL, FALSE, options);
  if (scene == NULL)
    return NULL;
  gint64 n = (gint64) scene->n_rows * scene->n_columns;
  if (is_sound)
    {
      /* Of the tokens in a cell the one that they are furthest apart in. */
      scene->weights = g_new (float, (gsize) n + 1);
      for (gint64 i = 0; i < n; i++)
        {
          gint64 first, end;
          hl_compare_cell_keys (c, HL_COMPARE_ATTENTION, n_shown, i, &first, &end);
          scene->weights[i] = apart[first];
          for (gint64 j = first; j < end; j++)
            if (fabsf (apart[j]) > fabsf (scene->weights[i]))
              scene->weights[i] = apart[j];
        }
    }
  double most = 0;
  for (gint64 i = 0; i < n; i++)
    most =
        isnan (scene->weights[i]) ? most : fmax (most, fabs ((double) scene->weights[i]));
  most = most > 0 ? most : 1;
  scene->scale = (HlScale){ HL_COLORMAP_DIVERGING, HL_RANGE_OWN, -most, most };
  return scene;
}

/* ---- as a map ------------------------------------------------------------------------
 */

/* Tokens up to the last that counts: padding is most of a short recording. */
static gint64
count_shown (const Both *both)
{
  gint64 shown = 0;
  for (gint64 i = 0; i < both->n * both->m; i++)
    if (isfinite (both->attention[i] - both->saliency[i]))
      shown = MAX (shown, i % both->m + 1);
  return MAX (shown, MIN (both->m, 1));
}

/* (transfer full): what is not shown, in words, with a space before them. */
static char *
rest_words (const Both *both)
{
  gint64 rest = both->m - count_shown (both);
  if (rest == 0)
    return g_strdup ("");
  return g_strdup_printf (
      ngettext (" The last token (%d), which does not count, is left out.",
                " The last %d tokens, which do not count, are left out.", (gulong) rest),
      (int) rest);
}

static void
fill_difference (HlMatrixScene *scene, const Both *both)
{
  double most = 0;
  gint64 m = scene->columns.n;
  scene->n_values_rows = both->n;
  scene->n_values_columns = m;
  scene->values = g_new (float, (gsize) (both->n * m) + 1);
  for (gint64 i = 0; i < both->n * m; i++)
    {
      gint64 at = i / m * both->m + i % m;
      double x = both->attention[at] - both->saliency[at];
      scene->values[i] = isfinite (x) ? (float) x : NAN;
      most = isfinite (x) ? fmax (most, fabs (x)) : most;
    }
  scene->scale.mode = HL_RANGE_OWN;
  scene->scale.colormap = HL_COLORMAP_DIVERGING;
  scene->scale.high = most > 0 ? most : 1;
  scene->scale.low = -scene->scale.high;
}

/* (transfer full): by @get. */
static char **
make_labels (const HlCompare *c, const char *(*get) (const HlCompare *, gint64), gint64 n)
{
  char **labels = g_new0 (char *, (gsize) n + 1);
  for (gint64 i = 0; i < n; i++)
    labels[i] = g_utf8_make_valid (get (c, i), -1);
  return labels;
}

static const char *
target_at (const HlCompare *c, gint64 i)
{
  return hl_cross_result_get_name (c->result, (int) i);
}

static const char *
token_at (const HlCompare *c, gint64 i)
{
  return c->result->set->tokens->tokens[i].text;
}

HlMatrixScene *
hl_compare_disagreement (const HlCompare *c)
{
  g_auto (Both) both = { 0 };
  take_both (c, 0, c->result->comparison->n_targets, FALSE, &both);
  g_autofree char *whose = hl_compare_whose (c), *saliency = saliency_words (c);
  g_autofree char *rest = rest_words (&both);
  HlMatrixScene *scene = hl_matrix_scene_new ();
  scene->title = g_strdup (_ ("Attention less saliency"));
  scene->rows = (HlAxis){ .title = g_strdup (_ ("explained")),
                          .n = both.n,
                          .labels = make_labels (c, target_at, both.n) };
  scene->columns = (HlAxis){ .title = g_strdup (_ ("token")),
                             .n = count_shown (&both),
                             .labels = make_labels (c, token_at, both.m) };
  scene->selected_row = scene->selected_column = -1;
  scene->pool_is_max = TRUE; /* by size */
  fill_difference (scene, &both);
  scene->caption = g_strdup_printf (
      _ ("Where the two part: attention (%s) less %s, both z-scored by row, in "
         "deviations. Positive: attention says more of a token than saliency does.%s"),
      whose, saliency, rest);
  return scene;
}

/* ---- one against the other -----------------------------------------------------------
 */

static int
add_dots (HlChartScene *scene, const HlCompare *c, const Both *both)
{
  gint64 n = both->n * both->m;
  HlChartSeries *dots = hl_chart_scene_add (scene, HL_CHART_DOTS, (int) n);
  int n_dots = 0;
  hl_chart_series_add_names (dots);
  dots->color = 0;
  for (gint64 i = 0; i < n; i++)
    {
      double x = both->saliency[i], y = both->attention[i];
      gboolean is_there = isfinite (x) && isfinite (y);
      dots->x[i] = is_there ? x : 0;
      dots->y[i] = is_there ? y : NAN;
      n_dots += is_there;
      if (!is_there || n > NAMES_MOST)
        continue;
      g_autofree char *u = hl_present_number (x, "%.3g");
      g_autofree char *v = hl_present_number (y, "%.3g");
      g_autofree char *words =
          g_strdup_printf (_ ("%s of %s: saliency %s, attention %s"),
                           token_at (c, i % both->m), target_at (c, i / both->m), u, v);
      dots->names[i] = g_utf8_make_valid (words, -1);
    }
  dots->is_cloud = n_dots > MANY_DOTS;
  return n_dots;
}

/* Where both would say the same. */
static void
add_diagonal (HlChartScene *scene, const Both *both)
{
  double low[] = { HUGE_VAL, HUGE_VAL }, high[] = { -HUGE_VAL, -HUGE_VAL };
  for (gint64 i = 0; i < both->n * both->m; i++)
    {
      const double at[] = { both->saliency[i], both->attention[i] };
      for (int k = 0; k < 2 && isfinite (at[0]) && isfinite (at[1]); k++)
        {
          low[k] = fmin (low[k], at[k]);
          high[k] = fmax (high[k], at[k]);
        }
    }
  double from = fmax (low[0], low[1]), to = fmin (high[0], high[1]);
  if (!(to > from))
    return;
  HlChartSeries *line = hl_chart_scene_add (scene, HL_CHART_LINE, 2);
  line->x[0] = line->y[0] = from;
  line->x[1] = line->y[1] = to;
  line->color = HL_CHART_FOREGROUND;
  line->is_dashed = TRUE;
}

HlChartScene *
hl_compare_scatter (const HlCompare *c)
{
  g_auto (Both) both = { 0 };
  gboolean is_raw = c->result->options.is_raw;
  HlCompare whole = *c;
  whole.target = -1;
  take_both (c, 0, c->result->comparison->n_targets, is_raw, &both);
  double r = hl_compare_pearson (&whole);
  g_autofree char *found = hl_present_number (r, "%.3f");
  g_autofree char *square = hl_present_number (r * r, "%.3f");
  g_autofree char *whose = hl_compare_whose (c), *saliency = saliency_words (c);
  HlChartScene *scene = hl_chart_scene_new ();
  scene->title = g_strdup_printf (_ ("Attention against saliency, r = %s"), found);
  scene->x_title = g_strdup (is_raw ? _ ("saliency") : _ ("saliency (z-scored by row)"));
  scene->y_title =
      g_strdup (is_raw ? _ ("attention") : _ ("attention (z-scored by row)"));
  int n = add_dots (scene, c, &both);
  if (!is_raw)
    add_diagonal (scene, &both);
  g_autofree char *of = c->result->comparison->n_targets == 1
                            ? g_strdup_printf (_ ("a token of “%s”"),
                                               hl_cross_result_get_name (c->result, 0))
                            : g_strdup (_ ("a token of a target"));
  scene->caption = g_strdup_printf (
      _ ("A dot is %s: attention (%s) over %s; %s. Pearson's r %s, r² %s, n = %d."), of,
      whose, saliency,
      is_raw ? _ ("as they are") : _ ("both z-scored by row, dashed where they agree"),
      found, square, n);
  return scene;
}
