/* SPDX-License-Identifier: MIT
 * From an overview of a data set to charts and tables. */
#include "config.h"

#include "presenters/hl-present-overview.h"

#include "analysis/hl-tsne.h"

#include <glib/gi18n-lib.h>
#include <math.h>

/* Classes that get a colour and a line of the legend; the others are one cloud. */
#define N_NAMED HL_CHART_N_COLORS

static const char *
class_name (const HlOverview *o, int index)
{
  const HlOverviewClass *c = hl_overview_get_class (o, hl_overview_find_class (o, index));
  return c != NULL ? c->name : "–";
}

gboolean
hl_overview_passes (const HlOverview *o, const HlOverviewView *view, int i)
{
  const HlOverviewInput *x = hl_overview_get_input (o, i);
  const HlOverviewClass *label = hl_overview_get_class (o, view->label);
  const HlOverviewClass *predicted = hl_overview_get_class (o, view->predicted);
  return (!view->only_errors || hl_overview_is_wrong (o, i)) &&
         (label == NULL || x->label == label->index) &&
         (predicted == NULL || x->predicted == predicted->index);
}

/* ---- clouds --------------------------------------------------------------------------
 */

/* One cloud of the chart: which inputs are of it. */
typedef struct
{
  int color;
  char *label;
  GArray *inputs; /* of int */
} Cloud;

static void
cloud_free (gpointer data)
{
  Cloud *cloud = data;
  g_free (cloud->label);
  g_array_unref (cloud->inputs);
  g_free (cloud);
}

static Cloud *
add_cloud (GPtrArray *clouds, int color, const char *label)
{
  Cloud *cloud = g_new0 (Cloud, 1);
  cloud->color = color;
  cloud->label = g_strdup (label);
  cloud->inputs = g_array_new (FALSE, FALSE, sizeof (int));
  g_ptr_array_add (clouds, cloud);
  return cloud;
}

typedef struct
{
  int place; /* in the list of classes */
  int n;
} Ranked;

static int
falling (gconstpointer a, gconstpointer b)
{
  const Ranked *x = a, *y = b;
  return x->n != y->n ? (x->n < y->n) - (x->n > y->n)
                      : (x->place > y->place) - (x->place < y->place);
}

/* (transfer full): classes by their number of inputs, the largest first. */
static GArray *
rank_classes (const HlOverview *o, gboolean by_label)
{
  GArray *ranked = g_array_new (FALSE, FALSE, sizeof (Ranked));
  for (int k = 0; k < (int) o->classes->len; k++)
    {
      const HlOverviewClass *c = hl_overview_get_class (o, k);
      const Ranked one = { k, by_label ? c->n_inputs : c->n_predicted };
      if (one.n > 0)
        g_array_append_val (ranked, one);
    }
  g_array_sort (ranked, falling);
  g_array_set_size (ranked, MIN (ranked->len, N_NAMED));
  return ranked;
}

/* By place in the list, so that colours and the legend keep the classes' order. */
static int
by_place (gconstpointer a, gconstpointer b)
{
  return ((const Ranked *) a)->place - ((const Ranked *) b)->place;
}

/* Clouds of classes, and @cloud_of: that of each place in the list. */
static void
add_classes (GPtrArray *clouds, const HlOverview *o, gboolean by_label, int *cloud_of)
{
  g_autoptr (GArray) ranked = rank_classes (o, by_label);
  g_array_sort (ranked, by_place);
  for (guint i = 0; i < ranked->len; i++)
    {
      int place = g_array_index (ranked, Ranked, i).place;
      cloud_of[place] = (int) clouds->len;
      add_cloud (clouds, (int) i, hl_overview_get_class (o, place)->name);
    }
}

HlOverviewColor
hl_overview_telling_color (const HlOverview *o)
{
  gboolean has_labels = FALSE, has_predictions = FALSE;
  for (guint k = 0; k < o->classes->len; k++)
    {
      has_labels |= hl_overview_get_class (o, (int) k)->n_inputs > 0;
      has_predictions |= hl_overview_get_class (o, (int) k)->n_predicted > 0;
    }
  return has_labels || !has_predictions ? HL_OVERVIEW_BY_LABEL
                                        : HL_OVERVIEW_BY_PREDICTION;
}

static GPtrArray *
make_clouds (const HlOverview *o, const HlOverviewView *view)
{
  GPtrArray *clouds = g_ptr_array_new_with_free_func (cloud_free);
  gboolean by_right = view->color == HL_OVERVIEW_BY_RIGHT;
  gboolean by_label = view->color == HL_OVERVIEW_BY_LABEL;
  g_autofree int *cloud_of = g_new (int, (gsize) o->classes->len + 1);
  for (guint k = 0; k < o->classes->len; k++)
    cloud_of[k] = -1;
  if (by_right)
    {
      add_cloud (clouds, 5, _ ("wrong"));
      add_cloud (clouds, 0, _ ("right"));
    }
  else if (view->color != HL_OVERVIEW_BY_SURE)
    add_classes (clouds, o, by_label, cloud_of);
  Cloud *others = add_cloud (clouds, HL_CHART_FOREGROUND, NULL);
  Cloud *faint = add_cloud (clouds, HL_CHART_FAINT, NULL);
  for (int i = 0; i < hl_overview_get_n (o); i++)
    {
      const HlOverviewInput *x = hl_overview_get_input (o, i);
      int place = hl_overview_find_class (o, by_label ? x->label : x->predicted);
      int known =
          by_right
              ? x->label >= 0 && x->predicted >= 0 ? !hl_overview_is_wrong (o, i) : -1
          : place >= 0 ? cloud_of[place]
                       : -1;
      Cloud *cloud = !hl_overview_passes (o, view, i) ? faint
                     : known >= 0 ? g_ptr_array_index (clouds, (guint) known)
                                  : others;
      g_array_append_val (cloud->inputs, i);
    }
  if (others->inputs->len > 0 && view->color != HL_OVERVIEW_BY_SURE)
    others->label = g_strdup (by_right ? _ ("not known") : _ ("others"));
  return clouds;
}

static void
draw_cloud (HlChartScene *scene,
            const HlOverview *o,
            const HlOverviewView *view,
            const Cloud *cloud,
            GArray *dots)
{
  const float *layout = hl_overview_get_layout (o, view->principal);
  HlChartSeries *s = hl_chart_scene_add (scene, HL_CHART_DOTS, (int) cloud->inputs->len);
  gboolean by_sure =
      view->color == HL_OVERVIEW_BY_SURE && cloud->color == HL_CHART_FOREGROUND;
  s->is_cloud = TRUE;
  s->color = cloud->color;
  s->label = g_strdup (cloud->label);
  if (by_sure)
    hl_chart_series_add_shades (s);
  for (int k = 0; k < s->n; k++)
    {
      int i = g_array_index (cloud->inputs, int, k);
      s->x[k] = (double) layout[2 * i];
      s->y[k] = (double) layout[2 * i + 1];
      if (by_sure)
        s->shades[k] = hl_overview_get_input (o, i)->prob;
      g_array_append_val (dots, i);
    }
}

/* The input in hand, ringed. */
static void
draw_current (HlChartScene *scene, const HlOverview *o, const HlOverviewView *view, int i)
{
  const float *layout = hl_overview_get_layout (o, view->principal);
  HlChartSeries *s = hl_chart_scene_add (scene, HL_CHART_DOTS, i >= 0 ? 1 : 0);
  s->color = HL_CHART_FOREGROUND;
  if (i < 0)
    return;
  hl_chart_series_add_names (s);
  s->x[0] = (double) layout[2 * i];
  s->y[0] = (double) layout[2 * i + 1];
  s->names[0] = hl_overview_input_words (o, i);
  scene->selected = 0;
}

HlChartScene *
hl_present_overview (const HlOverview *o,
                     const HlOverviewView *view,
                     int current,
                     GArray **dots)
{
  HlChartScene *scene = hl_chart_scene_new ();
  g_autoptr (GPtrArray) clouds = make_clouds (o, view);
  g_autoptr (GArray) order = g_array_new (FALSE, FALSE, sizeof (int));
  gboolean is_tsne = o->layout != NULL && !view->principal;
  g_autofree char *accuracy = hl_overview_accuracy_words (o);
  int n = hl_overview_get_n (o);
  scene->is_map = TRUE;
  scene->colormap = HL_COLORMAP_VIRIDIS;
  scene->title = g_strdup_printf (
      ngettext ("Overview of %d input", "Overview of %d inputs", (gulong) n), n);
  g_autofree char *how =
      is_tsne
          ? g_strdup_printf (_ ("Embeddings by t-SNE, perplexity %.0f: what lies near "
                                "is alike, distances across mean little."),
                             hl_tsne_perplexity (n))
          : g_strdup (_ ("Embeddings by their first two principal components."));
  scene->caption =
      g_strdup_printf ("%s%s%s", accuracy, accuracy[0] != '\0' ? " · " : "", how);
  if (view->color == HL_OVERVIEW_BY_SURE)
    {
      scene->shades_low = g_strdup (_ ("probability 0"));
      scene->shades_high = g_strdup ("1");
    }
  draw_current (scene, o, view, current);
  for (guint k = 0; k < clouds->len; k++)
    draw_cloud (scene, o, view, g_ptr_array_index (clouds, k), order);
  if (dots != NULL)
    *dots = g_steal_pointer (&order);
  return scene;
}

/* ---- confusion -----------------------------------------------------------------------
 */

/* (transfer full): places of the classes of the table, ascending. */
static GArray *
choose_classes (const HlOverview *o, const int *counts)
{
  int k = (int) o->classes->len;
  g_autoptr (GArray) ranked = g_array_new (FALSE, FALSE, sizeof (Ranked));
  GArray *chosen = g_array_new (FALSE, FALSE, sizeof (int));
  for (int a = 0; a < k; a++)
    {
      Ranked one = { a, 0 };
      for (int b = 0; b < k; b++)
        one.n += a != b ? counts[a * k + b] + counts[b * k + a] : 0;
      g_array_append_val (ranked, one);
    }
  g_array_sort (ranked, falling);
  g_array_set_size (ranked, MIN (ranked->len, HL_CONFUSION_MAX));
  g_array_sort (ranked, by_place);
  for (guint i = 0; i < ranked->len; i++)
    g_array_append_val (chosen, g_array_index (ranked, Ranked, i).place);
  return chosen;
}

static void
fill_axis (HlAxis *axis, const HlOverview *o, const GArray *chosen, const char *title)
{
  axis->n = chosen->len;
  axis->title = g_strdup (title);
  axis->labels = g_new0 (char *, (gsize) chosen->len + 1);
  for (guint i = 0; i < chosen->len; i++)
    axis->labels[i] =
        g_strdup (hl_overview_get_class (o, g_array_index (chosen, int, i))->name);
}

HlMatrixScene *
hl_present_confusion (const HlOverview *o, GArray **classes)
{
  g_autofree int *counts = hl_overview_confusion (o);
  g_autoptr (GArray) chosen = choose_classes (o, counts);
  HlMatrixScene *scene = hl_matrix_scene_new ();
  gsize n = chosen->len, k = o->classes->len;
  scene->title = g_strdup (_ ("Confusion"));
  scene->caption =
      n < k
          ? g_strdup_printf (_ ("a row a label, a column a prediction: share of each "
                                "label's inputs; the %u of %u classes with most errors"),
                             (guint) n, (guint) k)
          : g_strdup (
                _ ("a row a label, a column a prediction: share of each label's inputs"));
  fill_axis (&scene->rows, o, chosen, _ ("label"));
  fill_axis (&scene->columns, o, chosen, _ ("predicted"));
  scene->n_values_rows = scene->n_values_columns = (gint64) n;
  scene->values = g_new (float, n *n + 1);
  for (gsize a = 0; a < n; a++)
    for (gsize b = 0; b < n; b++)
      {
        int row = g_array_index (chosen, int, a), column = g_array_index (chosen, int, b);
        int of = hl_overview_get_class (o, row)->n_inputs;
        scene->values[a * n + b] =
            of > 0 ? (float) counts[row * (int) k + column] / (float) of : (float) NAN;
      }
  scene->scale = (HlScale){
    .colormap = HL_COLORMAP_VIRIDIS, .mode = HL_RANGE_OWN, .low = 0, .high = 1
  };
  if (classes != NULL)
    *classes = g_steal_pointer (&chosen);
  return scene;
}

/* ---- words ---------------------------------------------------------------------------
 */

char *
hl_overview_input_words (const HlOverview *o, int i)
{
  const HlOverviewInput *x = hl_overview_get_input (o, i);
  g_autofree char *prob = isnan (x->prob) ? NULL : hl_format_number (x->prob);
  if (x->predicted < 0)
    return x->label < 0 ? g_strdup (x->name)
                        : g_strdup_printf ("%s: %s", x->name, class_name (o, x->label));
  if (x->label >= 0 && x->label != x->predicted)
    return g_strdup_printf (_ ("%s: %s, predicted %s (%s)"), x->name,
                            class_name (o, x->label), class_name (o, x->predicted), prob);
  return g_strdup_printf ("%s: %s (%s)", x->name, class_name (o, x->predicted), prob);
}

char *
hl_overview_cell_words (const HlOverview *o, int label, int predicted)
{
  const HlOverviewClass *row = hl_overview_get_class (o, label);
  const HlOverviewClass *column = hl_overview_get_class (o, predicted);
  g_autofree int *counts = hl_overview_confusion (o);
  if (row == NULL || column == NULL)
    return g_strdup ("");
  return g_strdup_printf (_ ("%s, predicted %s: %d of %d"), row->name, column->name,
                          counts[label * (int) o->classes->len + predicted],
                          row->n_inputs);
}

char *
hl_overview_accuracy_words (const HlOverview *o)
{
  HlInterval right = hl_overview_get_accuracy (o);
  g_autofree char *stopped = o->is_partial
                                 ? g_strdup_printf (_ ("stopped after %d of %d inputs"),
                                                    hl_overview_get_n (o), o->n_wanted)
                                 : NULL;
  if (right.n == 0)
    return g_strdup (stopped != NULL ? stopped : "");
  char text[3][G_ASCII_DTOSTR_BUF_SIZE]; /* with a point: figures have it too */
  const double numbers[3] = { right.mean, right.low, right.high };
  for (int i = 0; i < 3; i++)
    g_ascii_formatd (text[i], sizeof text[i], "%.1f", 100 * numbers[i]);
  g_autofree char *words =
      g_strdup_printf (_ ("%s %% right (95 %%: %s to %s) of %d with a label"), text[0],
                       text[1], text[2], right.n);
  return stopped != NULL ? g_strdup_printf ("%s · %s", words, stopped)
                         : g_steal_pointer (&words);
}

char *
hl_overview_explain (const HlOverview *o)
{
  int n = hl_overview_get_n (o), rank = MIN (HL_OVERVIEW_COMPONENTS, MIN (n, o->dim));
  g_autofree char *layout =
      o->layout != NULL
          ? g_strdup_printf (_ ("their first %d principal components, then t-SNE of "
                                "perplexity %.0f (seed %u)"),
                             rank, hl_tsne_perplexity (n), o->seed)
          : g_strdup (_ ("their first two principal components"));
  g_autofree char *words = g_strdup_printf (
      _ ("Embedding: the %d numbers of the residual stream behind the last block, at the "
         "token that the prediction comes from (CLS, or the last). Layout: %s. Accuracy: "
         "the inputs with a label whose largest logit is the label's, with Wilson's "
         "interval; of a text the label is the last token of a line."),
      o->dim, layout);
  return g_strdup_printf (
      "%s\n\n"
      "import h5py, numpy as np\n"
      "f = h5py.File('session.h5')\n"
      "r = next(r for r in f['results'].values() if r.attrs['analysis'] == 'overview')\n"
      "label, predicted = r['label'][:], r['predicted'][:]\n"
      "print((label == predicted)[label >= 0].mean(), r['confusion'][:])\n"
      "x = r['embedding'][:] - r['embedding'][:].mean(0)\n"
      "print(x @ np.linalg.svd(x, full_matrices=False)[2][:2].T)  # components, up to "
      "sign",
      words);
}
