/* SPDX-License-Identifier: MIT
 * From scores of heads to charts and maps. */
#include "config.h"

#include "presenters/hl-present-scores.h"

#include "analysis/hl-scores-result.h"

#include <glib/gi18n-lib.h>
#include <math.h>

#define N_BINS 24
#define N_TOP 5

char *
hl_score_title (HlScore score)
{
  const HlScoreInfo *info = hl_score_get_info (score);
  return info->unit[0] != '\0' ? g_strdup_printf ("%s (%s)", _ (info->title), info->unit)
                               : g_strdup (_ (info->title));
}

const char *
hl_score_formula (HlScore score)
{
  return _ (hl_score_get_info (score)->formula);
}

static HlHeadKey
key_of (const HlHeadScores *s, int index)
{
  HlHeadKey key = { 0 };
  while (index >= s->first[key.layer + 1])
    key.layer++;
  key.head = index - s->first[key.layer];
  return key;
}

static int
index_of (const HlHeadScores *s, HlHeadKey key)
{
  if (key.layer < 0 || key.layer >= s->n_layers || key.head < 0 ||
      key.head >= s->first[key.layer + 1] - s->first[key.layer])
    return -1;
  return s->first[key.layer] + key.head;
}

char *
hl_present_score_value (const HlHeadScores *s, HlScore score, HlHeadKey head)
{
  HlInterval x = hl_head_scores_interval (s, score, head.layer, head.head);
  g_autofree char *mean = hl_format_number (x.mean);
  if (isnan (x.mean))
    return g_strdup_printf (_ ("%d.%d: not known"), head.layer, head.head);
  if (x.n < 2)
    return g_strdup_printf ("%d.%d: %s", head.layer, head.head, mean);
  g_autofree char *low = hl_format_number (x.low), *high = hl_format_number (x.high);
  return g_strdup_printf (_ ("%d.%d: %s (95 %%: %s to %s, n = %d)"), head.layer,
                          head.head, mean, low, high, x.n);
}

/* Of signed scores the colour of the sign, of others that of the layer. */
static double
shade_of (const HlHeadScores *s, HlScore score, int index, double value)
{
  if (hl_score_get_info (score)->is_signed)
    return value >= 0 ? 0.95 : 0.05;
  return s->n_layers > 1 ? key_of (s, index).layer / (double) (s->n_layers - 1) : 0.5;
}

static void
name_shades (HlChartScene *scene, const HlHeadScores *s, gboolean is_signed)
{
  scene->colormap = is_signed ? HL_COLORMAP_DIVERGING : HL_COLORMAP_VIRIDIS;
  if (is_signed || s->n_layers < 2)
    return;
  scene->shades_low = g_strdup (_ ("layer 0"));
  scene->shades_high = g_strdup_printf ("%d", s->n_layers - 1);
}

/* What a chart is of, and how many inputs that are. */
static char *
describe_inputs (const HlHeadScores *s)
{
  int n = hl_head_scores_get_n_inputs (s);
  return g_strdup_printf (ngettext ("%d input", "%d inputs", n), n);
}

typedef struct
{
  double value;
  int head;
} Ranked;

static int
falling (gconstpointer a, gconstpointer b)
{
  double x = ((const Ranked *) a)->value, y = ((const Ranked *) b)->value;
  if (isnan (x) || isnan (y))
    return isnan (x) - isnan (y);
  return (x < y) - (x > y);
}

static int *
order_heads (const HlHeadScores *s, const double *means, gboolean is_sorted)
{
  int *order = g_new (int, (gsize) s->n_heads + 1);
  g_autofree Ranked *ranked = g_new (Ranked, (gsize) s->n_heads + 1);
  for (int i = 0; i < s->n_heads; i++)
    ranked[i] = (Ranked){ means[i], i };
  if (is_sorted)
    qsort (ranked, (size_t) s->n_heads, sizeof (Ranked), falling);
  for (int i = 0; i < s->n_heads; i++)
    order[i] = ranked[i].head;
  return order;
}

static void
fill_mark (HlChartSeries *bars,
           int mark,
           const HlHeadScores *s,
           HlScore score,
           int head,
           double mean,
           double x)
{
  HlHeadKey key = key_of (s, head);
  bars->x[mark] = x;
  bars->y[mark] = mean;
  bars->shades[mark] = shade_of (s, score, head, mean);
  bars->names[mark] = hl_present_score_value (s, score, key);
  if (bars->low == NULL)
    return;
  HlInterval interval = hl_head_scores_interval (s, score, key.layer, key.head);
  bars->low[mark] = interval.low;
  bars->high[mark] = interval.high;
}

HlChartScene *
hl_present_head_bars (const HlHeadScores *s,
                      HlScore score,
                      gboolean is_sorted,
                      HlHeadKey selected,
                      int **order)
{
  HlChartScene *scene = hl_chart_scene_new ();
  g_autofree double *means = hl_head_scores_mean (s, score);
  g_autofree char *inputs = describe_inputs (s);
  HlChartSeries *bars = hl_chart_scene_add (scene, HL_CHART_BARS, s->n_heads);
  scene->title = hl_score_title (score);
  scene->caption = g_strdup (hl_score_formula (score));
  scene->y_title = hl_score_title (score);
  scene->x_title = g_strdup_printf (is_sorted ? _ ("heads, the largest first; %s")
                                              : _ ("layer: heads one after another; %s"),
                                    inputs);
  name_shades (scene, s, hl_score_get_info (score)->is_signed);
  hl_chart_series_add_shades (bars);
  hl_chart_series_add_names (bars);
  if (hl_head_scores_get_n_inputs (s) > 1)
    hl_chart_series_add_interval (bars);
  *order = order_heads (s, means, is_sorted);
  int chosen = index_of (s, selected);
  for (int i = 0; i < s->n_heads; i++)
    {
      fill_mark (bars, i, s, score, (*order)[i], means[(*order)[i]], i);
      if ((*order)[i] == chosen)
        scene->selected = i;
    }
  for (int l = 0; l < s->n_layers && !is_sorted; l++)
    {
      g_autofree char *label = g_strdup_printf ("%d", l);
      hl_chart_scene_add_tick (scene, (s->first[l] + s->first[l + 1] - 1) / 2.0, label);
    }
  scene->rule = hl_head_scores_baseline (s, score);
  scene->rule_label = g_strdup (_ ("a head at random"));
  return scene;
}

HlScale
hl_present_score_scale (const HlHeadScores *s, HlScore score)
{
  g_autofree double *means = hl_head_scores_mean (s, score);
  gboolean is_signed = hl_score_get_info (score)->is_signed;
  double most = 0, least = INFINITY;
  for (int i = 0; i < s->n_heads; i++)
    if (!isnan (means[i]))
      {
        most = fmax (most, is_signed ? fabs (means[i]) : means[i]);
        least = fmin (least, means[i]);
      }
  if (is_signed || !(most > least))
    most = most > 0 ? most : 1;
  return (HlScale){ .colormap = is_signed ? HL_COLORMAP_DIVERGING : HL_COLORMAP_VIRIDIS,
                    .mode = HL_RANGE_SHARED,
                    .low = is_signed      ? -most
                           : most > least ? least
                                          : 0,
                    .high = most };
}

HlMatrixScene *
hl_present_score_map (const HlHeadScores *s, HlScore score, HlHeadKey selected)
{
  HlMatrixScene *scene = hl_matrix_scene_new ();
  g_autofree double *means = hl_head_scores_mean (s, score);
  int H = 0;
  for (int l = 0; l < s->n_layers; l++)
    H = MAX (H, s->first[l + 1] - s->first[l]);
  scene->title = hl_score_title (score);
  scene->rows = (HlAxis){ .title = g_strdup (_ ("layer")), .n = s->n_layers };
  scene->columns = (HlAxis){ .title = g_strdup (_ ("head")), .n = H };
  scene->n_values_rows = s->n_layers;
  scene->n_values_columns = H;
  scene->values = g_new (float, (gsize) (s->n_layers * H) + 1);
  for (int i = 0; i < s->n_layers * H; i++)
    {
      int l = i / H, h = i % H;
      scene->values[i] =
          h < s->first[l + 1] - s->first[l] ? (float) means[s->first[l] + h] : NAN;
    }
  scene->scale = hl_present_score_scale (s, score);
  gboolean has = index_of (s, selected) >= 0;
  scene->selected_row = has ? selected.layer : -1;
  scene->selected_column = has ? selected.head : -1;
  scene->caption = g_strdup (hl_score_formula (score));
  return scene;
}

/* A thumb of one row a head, of @width numbers each. */
static HlGridScene *
make_grid (const HlHeadScores *s, const double *values, int width)
{
  HlGridScene *scene = hl_grid_scene_new ();
  for (int l = 0; l < s->n_layers; l++)
    {
      g_autofree char *label = g_strdup_printf ("%d", l);
      int n = s->first[l + 1] - s->first[l];
      HlGridLayer *layer = hl_grid_scene_add_layer (scene, label, n);
      for (int h = 0; h < n; h++)
        {
          HlThumb *thumb = &layer->thumbs[h];
          thumb->n_rows = 1;
          thumb->n_columns = width;
          thumb->values = g_new (float, (gsize) width);
          for (int i = 0; i < width; i++)
            {
              double x = values[(s->first[l] + h) * width + i];
              thumb->values[i] = (float) x;
              thumb->max = fmax (thumb->max, x);
            }
        }
    }
  return scene;
}

HlGridScene *
hl_present_score_grid (const HlHeadScores *s, HlScore score)
{
  g_autofree double *means = hl_head_scores_mean (s, score);
  HlGridScene *scene = make_grid (s, means, 1);
  g_autofree char *title = hl_score_title (score), *inputs = describe_inputs (s);
  scene->title = g_strdup (title);
  scene->scale = hl_present_score_scale (s, score);
  scene->caption =
      g_strdup_printf ("%s, %s: %s", title, inputs, hl_score_formula (score));
  return scene;
}

HlGridScene *
hl_present_hop_grid (const HlHeadScores *s)
{
  int width = MIN (s->n_hops, HL_THUMB_SIDE_MAX);
  g_autofree double *shares = g_new (double, (gsize) (s->n_heads * width) + 1);
  double most = 0;
  for (int h = 0; h < s->n_heads; h++)
    for (int i = 0; i < width; i++)
      {
        shares[h * width + i] = s->hop_mass[h * s->n_hops + i] / s->n_hop_inputs;
        most = fmax (most, shares[h * width + i]);
      }
  HlGridScene *scene = make_grid (s, shares, width);
  g_autofree char *inputs = describe_inputs (s);
  scene->title = g_strdup (_ ("Attention by distance"));
  scene->scale = (HlScale){ .colormap = HL_COLORMAP_VIRIDIS,
                            .mode = HL_RANGE_SHARED,
                            .high = most > 0 ? most : 1 };
  scene->caption = g_strdup_printf (
      _ ("Share of each head's attention at each distance, the nearest at the left; %s"),
      inputs);
  return scene;
}

HlChartScene *
hl_present_layer_dots (const HlHeadScores *s, HlScore score, HlHeadKey selected)
{
  HlChartScene *scene = hl_chart_scene_new ();
  g_autofree double *means = hl_head_scores_mean (s, score);
  HlChartSeries *dots = hl_chart_scene_add (scene, HL_CHART_DOTS, s->n_heads);
  scene->title = hl_score_title (score);
  scene->caption = g_strdup (hl_score_formula (score));
  scene->y_title = hl_score_title (score);
  scene->x_title = g_strdup (_ ("layer"));
  scene->colormap = HL_COLORMAP_VIRIDIS;
  scene->selected = index_of (s, selected);
  scene->x_low = -0.5;
  scene->x_high = s->n_layers - 0.5;
  hl_chart_series_add_shades (dots);
  hl_chart_series_add_names (dots);
  for (int i = 0; i < s->n_heads; i++)
    {
      fill_mark (dots, i, s, score, i, means[i], key_of (s, i).layer);
      dots->shades[i] =
          s->n_layers > 1 ? key_of (s, i).layer / (double) (s->n_layers - 1) : 0.5;
    }
  return scene;
}

HlChartScene *
hl_present_scatter (const HlHeadScores *xs,
                    HlScore x,
                    const HlHeadScores *ys,
                    HlScore y,
                    HlHeadKey selected)
{
  HlChartScene *scene = hl_chart_scene_new ();
  g_autofree double *a = hl_head_scores_mean (xs, x), *b = hl_head_scores_mean (ys, y);
  HlChartSeries *dots = hl_chart_scene_add (scene, HL_CHART_DOTS, xs->n_heads);
  HlInterval r = hl_spearman (a, b, (gsize) xs->n_heads, 1);
  scene->title =
      isnan (r.mean)
          ? g_strdup (_ ("Two scores of each head"))
          : g_strdup_printf (_ ("Spearman %.2f (95 %%: %.2f to %.2f) over %d heads"),
                             r.mean, r.low, r.high, r.n);
  scene->x_title = hl_score_title (x);
  scene->y_title = hl_score_title (y);
  name_shades (scene, xs, FALSE);
  scene->selected = index_of (xs, selected);
  hl_chart_series_add_shades (dots);
  hl_chart_series_add_names (dots);
  for (int i = 0; i < xs->n_heads; i++)
    {
      HlHeadKey key = key_of (xs, i);
      g_autofree char *u = hl_format_number (a[i]), *v = hl_format_number (b[i]);
      dots->x[i] = a[i];
      dots->y[i] = isnan (a[i]) ? NAN : b[i];
      dots->shades[i] = xs->n_layers > 1 ? key.layer / (double) (xs->n_layers - 1) : 0.5;
      dots->names[i] = g_strdup_printf ("%d.%d: %s, %s", key.layer, key.head, u, v);
    }
  return scene;
}

/* ---- hops ----------------------------------------------------------------------------
 */

static char *
hop_label (const HlHeadScores *s, int hop)
{
  int first = s->hop_edges[hop], last = s->hop_edges[hop + 1] - 1;
  return last > first ? g_strdup_printf ("%d–%d", first, last)
                      : g_strdup_printf ("%d", first);
}

static double
hop_value (const HlHeadScores *s, int head, int hop, HlHopsMode mode)
{
  double strength = s->hops[head * s->n_hops + hop], uniform = s->hop_uniform[hop];
  if (mode == HL_HOPS_MASS)
    return s->hop_mass[head * s->n_hops + hop] / s->n_hop_inputs;
  if (mode == HL_HOPS_LIFT)
    return uniform > 0 ? strength / uniform : NAN;
  return strength / s->n_hop_inputs;
}

HlChartScene *
hl_present_hops (const HlHeadScores *s, HlHeadKey head, HlHopsMode mode, gboolean is_grid)
{
  const char *const titles[HL_N_HOPS_MODES] = { _ ("Mean attention a pair"),
                                                _ ("Lift over a uniform map"),
                                                _ ("Share of attention") };
  int index = index_of (s, head);
  if (s->n_hop_inputs == 0 || index < 0)
    return NULL;
  HlChartScene *scene = hl_chart_scene_new ();
  HlChartSeries *bars = hl_chart_scene_add (scene, HL_CHART_BARS, s->n_hops);
  g_autofree char *inputs = describe_inputs (s);
  scene->title = g_strdup_printf (_ ("Head %d.%d by distance"), head.layer, head.head);
  scene->x_title =
      g_strdup_printf (is_grid ? _ ("hops between patches (square rings); %s")
                               : _ ("tokens between query and key; %s"),
                       inputs);
  scene->y_title = g_strdup (titles[mode]);
  bars->color = 0;
  hl_chart_series_add_names (bars);
  for (int i = 0; i < s->n_hops; i++)
    {
      g_autofree char *label = hop_label (s, i);
      bars->x[i] = i;
      bars->y[i] = hop_value (s, index, i, mode);
      g_autofree char *value = hl_format_number (bars->y[i]);
      bars->names[i] = g_strdup_printf (_ ("distance %s: %s"), label, value);
      hl_chart_scene_add_tick (scene, i, label);
    }
  if (mode == HL_HOPS_LIFT)
    {
      scene->rule = 1;
      scene->rule_label = g_strdup (_ ("uniform"));
    }
  if (mode != HL_HOPS_STRENGTH)
    return scene;
  HlChartSeries *line = hl_chart_scene_add (scene, HL_CHART_LINE, s->n_hops);
  line->color = 1;
  line->label = g_strdup (_ ("uniform map"));
  for (int i = 0; i < s->n_hops; i++)
    {
      line->x[i] = i;
      line->y[i] = s->hop_uniform[i] / s->n_hop_inputs;
    }
  return scene;
}

/* ---- over a data set -----------------------------------------------------------------
 */

HlChartScene *
hl_present_density (const HlHeadScores *s, HlScore score, HlHeadKey head, double value)
{
  HlChartScene *scene = hl_chart_scene_new ();
  int n = hl_head_scores_get_n_inputs (s), counts[N_BINS] = { 0 };
  double low = isnan (value) ? INFINITY : value, high = isnan (value) ? -INFINITY : value;
  int there = 0;
  for (int i = 0; i < n; i++)
    {
      double x = hl_head_scores_get (s, score, i, head.layer, head.head);
      if (isnan (x))
        continue;
      low = fmin (low, x);
      high = fmax (high, x);
      there++;
    }
  scene->title =
      g_strdup_printf (_ ("Head %d.%d over %d inputs"), head.layer, head.head, there);
  scene->x_title = hl_score_title (score);
  scene->y_title = g_strdup (_ ("inputs"));
  if (there == 0)
    return scene;
  double width = high > low ? (high - low) / N_BINS : 1;
  for (int i = 0; i < n; i++)
    {
      double x = hl_head_scores_get (s, score, i, head.layer, head.head);
      if (!isnan (x))
        counts[CLAMP ((int) ((x - low) / width), 0, N_BINS - 1)]++;
    }
  HlChartSeries *steps = hl_chart_scene_add (scene, HL_CHART_STEPS, 2 * N_BINS);
  for (int b = 0; b < N_BINS; b++)
    {
      steps->x[2 * b] = low + b * width;
      steps->x[2 * b + 1] = low + (b + 1) * width;
      steps->y[2 * b] = steps->y[2 * b + 1] = counts[b];
    }
  if (isnan (value))
    return scene;
  int below = 0, equal = 0;
  for (int i = 0; i < n; i++)
    {
      double x = hl_head_scores_get (s, score, i, head.layer, head.head);
      below += x < value;
      equal += x == value;
    }
  scene->marker = value;
  scene->marker_label = g_strdup_printf (_ ("this input: %.0f %% are below"),
                                         100 * (below + equal / 2.0) / there);
  return scene;
}

/* ---- parts and curves ----------------------------------------------------------------
 */

const char *
hl_part_words (HlPart part)
{
  const char *const words[] = { _ ("nothing"),         _ ("whole head"),
                                _ ("CLS row, column"), _ ("patches"),
                                _ ("CLS↔patches"),     _ ("CLS to CLS"),
                                _ ("first token"),     _ ("diagonal"),
                                _ ("previous"),        _ ("rest") };
  return words[part];
}

/* (transfer full): the five most probable, one a line. */
static char *
list_top (const double *log_probs, gint64 V, const char *const *names)
{
  GString *text = g_string_new (NULL);
  g_autofree gboolean *taken = g_new0 (gboolean, (gsize) V + 1);
  for (int n = 0; n < MIN (N_TOP, V); n++)
    {
      gint64 best = -1;
      for (gint64 i = 0; i < V; i++)
        if (!taken[i] && (best < 0 || log_probs[i] > log_probs[best]))
          best = i;
      taken[best] = TRUE;
      if (names != NULL && best < (gint64) g_strv_length ((char **) names))
        g_string_append_printf (text, "\n%s %.3f", names[best], exp (log_probs[best]));
      else
        g_string_append_printf (text, "\n%d %.3f", (int) best, exp (log_probs[best]));
    }
  return g_string_free (text, FALSE);
}

HlChartScene *
hl_present_parts (const HlPartial *p, const char *const *names)
{
  HlChartScene *scene = hl_chart_scene_new ();
  HlChartSeries *bars = hl_chart_scene_add (scene, HL_CHART_BARS, HL_N_PARTS);
  scene->title = g_strdup_printf (_ ("Parts of head %d.%d pruned"), p->layer, p->head);
  scene->x_title = g_strdup (_ ("what of the map is set to zero"));
  scene->y_title = g_strdup (_ ("probability"));
  scene->y_low = 0;
  scene->y_high = 1;
  hl_chart_series_add_names (bars);
  for (int i = 0; i < HL_N_PARTS; i++)
    {
      const double *row = p->log_probs + i * p->V;
      g_autofree char *top = list_top (row, p->V, names);
      bars->x[i] = i;
      bars->y[i] = exp (row[p->target]);
      bars->names[i] = g_strdup_printf (_ ("%s pruned: %.4f\nMost probable then:%s"),
                                        hl_part_words (p->parts[i]), bars->y[i], top);
      hl_chart_scene_add_tick (scene, i, hl_part_words (p->parts[i]));
    }
  return scene;
}

static const char *
order_words (const char *name)
{
  if (g_str_has_prefix (name, "random"))
    return _ ("at random");
  if (g_str_equal (name, "greedy"))
    return _ ("greedy");
  return g_str_has_suffix (name, " reversed") ? _ ("most important first")
                                              : _ ("least important first");
}

HlChartScene *
hl_present_curve (const HlPruningCurve *curve, gboolean is_accuracy)
{
  HlChartScene *scene = hl_chart_scene_new ();
  gboolean has_random = FALSE;
  int color = 0;
  scene->title = g_strdup_printf (ngettext ("Heads pruned together, over %d input",
                                            "Heads pruned together, over %d inputs",
                                            curve->n_inputs),
                                  curve->n_inputs);
  scene->x_title = g_strdup (_ ("heads pruned"));
  scene->y_title = g_strdup (is_accuracy ? _ ("accuracy") : _ ("loss (nats)"));
  for (guint k = 0; k < curve->orders->len; k++)
    {
      const HlPruningOrder *order = g_ptr_array_index (curve->orders, k);
      gboolean is_random = g_str_has_prefix (order->name, "random");
      HlChartSeries *line = hl_chart_scene_add (scene, HL_CHART_LINE, curve->n_points);
      line->color = is_random ? HL_CHART_FOREGROUND : color++;
      line->is_dashed = is_random;
      if (!is_random || !has_random)
        line->label = g_strdup (order_words (order->name));
      has_random |= is_random;
      if (!is_random)
        hl_chart_series_add_interval (line);
      for (int p = 0; p < curve->n_points; p++)
        {
          HlInterval x = is_accuracy ? hl_pruning_curve_accuracy (curve, k, p)
                                     : hl_pruning_curve_loss (curve, k, p);
          line->x[p] = curve->n_removed[p];
          line->y[p] = x.mean;
          if (is_random)
            continue;
          line->low[p] = x.low;
          line->high[p] = x.high;
        }
    }
  return scene;
}
