/* SPDX-License-Identifier: MIT
 * Attention beside saliency as scenes. */
#include "config.h"

#include "presenters/hl-present-agreement.h"

#include "analysis/hl-faithfulness.h"
#include "analysis/hl-statistics.h"
#include "analysis/hl-result-reader.h"
#include "presenters/hl-present-saliency.h"

#include <glib/gi18n-lib.h>
#include <math.h>
#include <string.h>

#define SHARES HL_FAITHFULNESS_SHARES

/* More dots than this stand in a cloud. */
#define MANY_DOTS 400

/* ---- words ---------------------------------------------------------------------------
 */

/* What attention is: a map, or what it carries. */
static const char *
attention_words (const json_t *params)
{
  return hl_present_is_by_norm (params)
             ? _ ("attention (norm of A v W_O, mean of all layers)")
             : _ ("attention (mean of all heads)");
}

/* (transfer full): what saliency is of where it is not the input. */
static char *
saliency_words (const json_t *params)
{
  gboolean is_size =
      g_str_equal (hl_result_get_string (params, "saliency"), "by its size");
  gboolean at_encoder = json_is_true (json_object_get (params, "at_encoder"));
  const char *words =
      at_encoder
          ? (is_size
                 ? _ ("the size of saliency of the encoder's output (%s, baseline %s)")
                 : _ ("saliency of the encoder's output (%s, baseline %s)"))
          : (is_size ? _ ("the size of saliency (%s, baseline %s)")
                     : _ ("saliency (%s, baseline %s)"));
  return g_strdup_printf (words, hl_result_get_string (params, "method"),
                          hl_result_get_string (params, "baseline"));
}

/* (transfer full): in every locale with a point, as numbers on axes have. */
static char *
number (double x, const char *format)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  return isnan (x) ? g_strdup ("–")
                   : g_strdup (g_ascii_formatd (text, sizeof text, format, x));
}

/* ---- what is left --------------------------------------------------------------------
 */

/* Of a session that does not say so it is the probability. */
static HlFaithfulnessMetric
metric_of (const json_t *params)
{
  HlFaithfulnessMetric metric = HL_METRIC_PROBABILITY;
  hl_metric_from_name (hl_result_get_string (params, "metric"), &metric);
  return metric;
}

static const char *
metric_words (HlFaithfulnessMetric metric)
{
  switch (metric)
    {
    case HL_METRIC_LOSS:
      return _ ("loss of the target (nats)");
    case HL_METRIC_WER:
      return _ ("word error rate");
    case HL_METRIC_PROBABILITY:
    case HL_N_METRICS:
      break;
    }
  return _ ("probability of the target");
}

static const char *
order_words (HlTokenOrder order)
{
  switch (order)
    {
    case HL_ORDER_ATTENTION:
      return _ ("attention");
    case HL_ORDER_SALIENCY:
      return _ ("saliency");
    case HL_ORDER_RANDOM:
    case HL_N_ORDERS:
      break;
    }
  return _ ("chance");
}

/* Of an order its mean over targets at each share. @curves: (n, SHARES). */
static void
add_line (
    HlChartScene *scene, HlTokenOrder order, const double *curves, int n, double area)
{
  HlChartSeries *line = hl_chart_scene_add (scene, HL_CHART_LINE, SHARES);
  gboolean is_chance = order == HL_ORDER_RANDOM;
  g_autofree char *below = number (area, "%.3f");
  line->color = is_chance ? HL_CHART_FOREGROUND : (int) order;
  line->is_dashed = is_chance;
  line->label = g_strdup_printf (_ ("%s: area %s"), order_words (order), below);
  hl_chart_series_add_names (line);
  if (n > 1)
    hl_chart_series_add_interval (line);
  for (int k = 0; k < SHARES; k++)
    {
      HlInterval x = hl_bootstrap_mean (curves + k, (gsize) n, SHARES, 1);
      g_autofree char *mean = number (x.mean, "%.3g");
      line->x[k] = 100.0 * k / (SHARES - 1);
      line->y[k] = x.mean;
      line->names[k] =
          g_strdup_printf ("%s, %d %%: %s", order_words (order), (int) line->x[k], mean);
      if (n < 2)
        continue;
      line->low[k] = x.low;
      line->high[k] = x.high;
    }
}

static char *
left_caption (const json_t *params, int n, HlFaithfulnessMetric metric)
{
  gboolean falls = hl_metric_falls (metric);
  gint64 n_random = hl_result_get_int (params, "random_orders", G_MAXINT32);
  g_autofree char *saliency = saliency_words (params);
  g_autofree char *of =
      metric == HL_METRIC_WER
          ? g_strdup (_ ("One sentence, decoded again"))
          : g_strdup_printf (ngettext ("%d target", "Mean of %d targets", (gulong) n), n);
  g_autofree char *bands =
      g_strdup (n > 1 ? _ (", bands are bootstrap intervals of 95 %") : "");
  return g_strdup_printf (_ ("%s%s. Tokens are taken away (replaced by the baseline), or "
                             "are all there is, in "
                             "the order of %s, %s, and chance (mean of %d). The better "
                             "an order, the %s under "
                             "deletion and the %s under insertion."),
                          of, bands, attention_words (params), saliency,
                          (int) MAX (n_random, 1), falls ? _ ("lower") : _ ("higher"),
                          falls ? _ ("higher") : _ ("lower"));
}

HlChartScene *
hl_present_left (const HlSessionResult *result, gboolean inserts, GError **error)
{
  HlResultReader reader;
  g_autoptr (HlChartScene) scene = NULL;
  hl_result_reader_init (&reader, result);
  const HlTensor *curves =
      hl_result_reader_get (&reader, inserts ? "insertion_curve" : "deletion_curve",
                            HL_DTYPE_F64, 3, HL_N_ORDERS, -1);
  const HlTensor *areas =
      hl_result_reader_get (&reader, inserts ? "insertion_area" : "deletion_area",
                            HL_DTYPE_F64, 2, HL_N_ORDERS, 3);
  if (curves != NULL && curves->shape.dim[2] != SHARES)
    hl_result_reader_complain (&reader, "deletion_curve", "eleven shares");
  else if (curves != NULL && areas != NULL)
    {
      int n = (int) curves->shape.dim[1];
      HlFaithfulnessMetric metric = metric_of (reader.params);
      scene = hl_chart_scene_new ();
      scene->title = g_strdup (inserts ? _ ("Insertion") : _ ("Deletion"));
      scene->x_title =
          g_strdup (inserts ? _ ("tokens given (%)") : _ ("tokens taken (%)"));
      scene->y_title = g_strdup (metric_words (metric));
      scene->caption = left_caption (reader.params, n, metric);
      scene->x_low = 0;
      scene->x_high = 102; /* the last number is not cut */
      scene->y_low = 0;
      scene->y_high = metric == HL_METRIC_LOSS ? NAN : 1;
      for (int o = 0; o < HL_N_ORDERS; o++)
        add_line (scene, (HlTokenOrder) o,
                  (const double *) curves->data + (gsize) (o * n) * SHARES, n,
                  ((const double *) areas->data)[3 * o]);
    }
  return hl_result_reader_end (&reader, error) ? g_steal_pointer (&scene) : NULL;
}

/* ---- both maps -----------------------------------------------------------------------
 */

/* Both of a result, ready to be compared: (n, m) each. */
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

/* FALSE where the result has them not, which the reader knows. */
static gboolean
take_both (HlResultReader *reader, gboolean is_raw, Both *both)
{
  const HlTensor *a = hl_result_reader_get (reader, "attention", HL_DTYPE_F64, 2, -1, -1);
  const HlTensor *s = a != NULL
                          ? hl_result_reader_get (reader, "saliency", HL_DTYPE_F64, 2,
                                                  a->shape.dim[0], a->shape.dim[1])
                          : NULL;
  if (s == NULL)
    return FALSE;
  *both = (Both){ g_memdup2 (a->data, hl_tensor_size_bytes (a)),
                  g_memdup2 (s->data, hl_tensor_size_bytes (s)), a->shape.dim[0],
                  a->shape.dim[1] };
  if (!is_raw)
    {
      hl_z_score_rows (both->attention, both->n, both->m);
      hl_z_score_rows (both->saliency, both->n, both->m);
    }
  return TRUE;
}

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

HlMatrixScene *
hl_present_disagreement (const HlSessionResult *result, GError **error)
{
  HlResultReader reader;
  g_auto (Both) both = { 0 };
  g_autoptr (HlMatrixScene) scene = NULL;
  hl_result_reader_init (&reader, result);
  if (take_both (&reader, FALSE, &both))
    {
      g_autofree char *saliency = saliency_words (reader.params);
      scene = hl_matrix_scene_new ();
      scene->title = g_strdup (_ ("Attention less saliency"));
      scene->rows =
          (HlAxis){ .title = g_strdup (_ ("explained")),
                    .n = both.n,
                    .labels = hl_present_labels (
                        json_object_get (reader.params, "targets"), "name", both.n) };
      scene->columns =
          (HlAxis){ .title = g_strdup (_ ("token")),
                    .n = count_shown (&both),
                    .labels = hl_present_labels (
                        json_object_get (reader.params, "tokens"), NULL, both.m) };
      scene->selected_row = scene->selected_column = -1;
      scene->pool_is_max = TRUE; /* by size */
      g_autofree char *rest = rest_words (&both);
      fill_difference (scene, &both);
      scene->caption = g_strdup_printf (
          _ ("Where the two part: %s less %s, both z-scored by row, in deviations. "
             "Positive: attention says more of a token than saliency does.%s"),
          attention_words (reader.params), saliency, rest);
    }
  return hl_result_reader_end (&reader, error) ? g_steal_pointer (&scene) : NULL;
}

/* ---- one against the other -----------------------------------------------------------
 */

static const char *
name_in (const json_t *list, const char *field, gint64 i)
{
  const json_t *item = json_array_get (list, (gsize) i);
  const char *text =
      json_string_value (field != NULL ? json_object_get (item, field) : item);
  return text != NULL ? text : "";
}

/* Dots that have names, which take longer to write than all else. */
#define NAMES_MOST 20000

static int
add_dots (HlChartScene *scene, const Both *both, const json_t *params)
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
      g_autofree char *u = number (x, "%.3g"), *v = number (y, "%.3g");
      g_autofree char *words = g_strdup_printf (
          _ ("%s of %s: saliency %s, attention %s"),
          name_in (json_object_get (params, "tokens"), NULL, i % both->m),
          name_in (json_object_get (params, "targets"), "name", i / both->m), u, v);
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
hl_present_attention_scatter (const HlSessionResult *result, GError **error)
{
  HlResultReader reader;
  g_auto (Both) both = { 0 };
  g_autoptr (HlChartScene) scene = NULL;
  hl_result_reader_init (&reader, result);
  gboolean is_raw = g_str_equal (hl_result_get_string (reader.params, "maps"), "raw");
  const HlTensor *all =
      hl_result_reader_get (&reader, "pearson_all", HL_DTYPE_F64, 1, 1, -1);
  if (all != NULL && take_both (&reader, is_raw, &both))
    {
      double r = *(const double *) all->data;
      g_autofree char *found = number (r, "%.3f"), *square = number (r * r, "%.3f");
      g_autofree char *saliency = saliency_words (reader.params);
      scene = hl_chart_scene_new ();
      scene->title = g_strdup_printf (_ ("Attention against saliency, r = %s"), found);
      scene->x_title =
          g_strdup (is_raw ? _ ("saliency") : _ ("saliency (z-scored by row)"));
      scene->y_title =
          g_strdup (is_raw ? _ ("attention") : _ ("attention (z-scored by row)"));
      int n = add_dots (scene, &both, reader.params);
      if (!is_raw)
        add_diagonal (scene, &both);
      scene->caption =
          g_strdup_printf (_ ("A dot is a token of a target: %s over %s; %s. Pearson's r "
                              "%s, r² %s, n = %d."),
                           attention_words (reader.params), saliency,
                           is_raw ? _ ("as they are")
                                  : _ ("both z-scored by row, dashed where they agree"),
                           found, square, n);
    }
  return hl_result_reader_end (&reader, error) ? g_steal_pointer (&scene) : NULL;
}
