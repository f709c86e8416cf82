/* SPDX-License-Identifier: MIT
 * Attention beside saliency as scenes. */
#include "config.h"

#include "presenters/hl-present-agreement.h"

#include "analysis/hl-faithfulness.h"
#include "analysis/hl-statistics.h"
#include "analysis/hl-result-reader.h"
#include "presenters/hl-present-saliency.h"
#include "presenters/hl-present.h"
#include "presenters/hl-saliency-words.h"

#include <glib/gi18n-lib.h>
#include <math.h>
#include <string.h>

#define SHARES HL_FAITHFULNESS_SHARES

/* ---- words ---------------------------------------------------------------------------
 */

/* (transfer full): what attention is: a map, of some heads or of all, or what it carries.
 */
static char *
attention_words (const json_t *params)
{
  g_autofree char *heads =
      g_utf8_make_valid (hl_result_get_string (params, "attention_of"), -1);
  if (hl_present_is_by_norm (params))
    return g_strdup (_ ("attention (norm of A v W_O, mean of all layers)"));
  return heads[0] != '\0'
             ? g_strdup_printf (strchr (heads, ',') != NULL ? _ ("attention (heads %s)")
                                                            : _ ("attention (head %s)"),
                                heads)
             : g_strdup (_ ("attention (mean of all heads)"));
}

/* (transfer full): a signed one counts by its size. */
static char *
saliency_words (const json_t *params)
{
  g_autofree char *method = hl_saliency_describe_params (params);
  return hl_saliency_of (
      method, g_str_equal (hl_result_get_string (params, "saliency"), "by its size"));
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
    case HL_METRIC_TER:
      return _ ("token error rate");
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
  g_autofree char *below = hl_present_number (area, "%.3f");
  line->color = is_chance ? HL_CHART_FOREGROUND : (int) order;
  line->is_dashed = is_chance;
  line->label = g_strdup_printf (_ ("%s: area %s"), order_words (order), below);
  hl_chart_series_add_names (line);
  if (n > 1)
    hl_chart_series_add_interval (line);
  for (int k = 0; k < SHARES; k++)
    {
      HlInterval x = hl_bootstrap_mean (curves + k, (gsize) n, SHARES, 1);
      g_autofree char *mean = hl_present_number (x.mean, "%.3g");
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
  g_autofree char *attention = attention_words (params);
  g_autofree char *of =
      hl_metric_is_of_sentence (metric)
          ? g_strdup (_ ("One sentence, decoded again"))
          : g_strdup_printf (ngettext ("%d target", "Mean of %d targets", (gulong) n), n);
  g_autofree char *bands =
      g_strdup (n > 1 ? _ (", bands are bootstrap intervals of 95 %") : "");
  return g_strdup_printf (_ ("%s%s. Tokens are taken away (replaced by the baseline), or "
                             "are all there is, in "
                             "the order of %s, %s, and chance (mean of %d). The better "
                             "an order, the %s under "
                             "deletion and the %s under insertion."),
                          of, bands, attention, saliency, (int) MAX (n_random, 1),
                          falls ? _ ("lower") : _ ("higher"),
                          falls ? _ ("higher") : _ ("lower"));
}

/* Of a probability that is small everywhere 0 to 1 would be a flat line. */
static gboolean
needs_all (HlFaithfulnessMetric metric, const double *curves, gint64 n)
{
  double most = 0;
  for (gint64 i = 0; i < n; i++)
    most = isfinite (curves[i]) ? fmax (most, curves[i]) : most;
  return metric != HL_METRIC_LOSS && most > 0.5;
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
      scene->y_high =
          needs_all (metric, (const double *) curves->data, hl_tensor_count (curves))
              ? 1
              : NAN;
      for (int o = 0; o < HL_N_ORDERS; o++)
        add_line (scene, (HlTokenOrder) o,
                  (const double *) curves->data + (gsize) (o * n) * SHARES, n,
                  ((const double *) areas->data)[3 * o]);
    }
  return hl_result_reader_end (&reader, error) ? g_steal_pointer (&scene) : NULL;
}
