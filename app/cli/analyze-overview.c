/* SPDX-License-Identifier: MIT
 * headlight analyze overview: a data set as the model sees it. */
#include "config.h"

#include "analyze.h"

#include "analysis/hl-result-reader.h"
#include "presenters/hl-present-overview.h"

#include <glib/gi18n.h>
#include <stdio.h>

/* Confusions that are printed. */
#define N_PRINTED 10

gboolean
analyze_overview (Analyze *a, GError **error)
{
  const HlOverviewOptions options = { .interventions = a->interventions,
                                      .no_tsne = a->options->no_tsne,
                                      .seed = (guint32) a->options->seed };
  a->overview =
      hl_overview_make (a->model, a->dataset, a->backend, &options, a->progress, error);
  if (a->overview == NULL)
    return FALSE;
  g_autofree char *provenance = analyze_provenance (a);
  a->skipped = a->overview->skipped;
  a->is_partial = a->overview->is_partial;
  g_ptr_array_add (a->results, hl_overview_to_result (a->overview, provenance));
  return TRUE;
}

/* ---- what is printed -----------------------------------------------------------------
 */

typedef struct
{
  int label, predicted, n;
} Confused;

static int
falling (gconstpointer a, gconstpointer b)
{
  return ((const Confused *) b)->n - ((const Confused *) a)->n;
}

static void
print_classes (const HlOverview *o)
{
  printf ("%24s %8s %8s %10s\n", _ ("class"), _ ("inputs"), _ ("right"), _ ("predicted"));
  for (guint k = 0; k < MIN (o->classes->len, 2 * N_PRINTED); k++)
    {
      const HlOverviewClass *c = hl_overview_get_class (o, (int) k);
      if (c->n_inputs > 0)
        printf ("%24s %8d %7.1f%% %10d\n", c->name, c->n_inputs,
                100.0 * c->n_right / c->n_inputs, c->n_predicted);
      else
        printf ("%24s %8d %8s %10d\n", c->name, 0, "–", c->n_predicted);
    }
}

static void
print_confusions (const HlOverview *o)
{
  int k = (int) o->classes->len;
  g_autofree int *counts = hl_overview_confusion (o);
  g_autoptr (GArray) all = g_array_new (FALSE, FALSE, sizeof (Confused));
  for (int i = 0; i < k * k; i++)
    {
      const Confused one = { i / k, i % k, counts[i] };
      if (one.label != one.predicted && one.n > 0)
        g_array_append_val (all, one);
    }
  g_array_sort (all, falling);
  for (guint i = 0; i < MIN (all->len, N_PRINTED); i++)
    {
      const Confused *one = &g_array_index (all, Confused, i);
      g_autofree char *words = hl_overview_cell_words (o, one->label, one->predicted);
      printf ("%s\n", words);
    }
}

void
analyze_print_overview (const Analyze *a)
{
  const HlOverview *o = a->overview;
  g_autofree char *accuracy = hl_overview_accuracy_words (o);
  int n = hl_overview_get_n (o);
  printf (ngettext ("%d input; %u could not be read", "%d inputs; %u could not be read",
                    (gulong) n),
          n, o->skipped->len);
  printf ("%s%s\n", accuracy[0] != '\0' ? "; " : "", accuracy);
  print_classes (o);
  print_confusions (o);
}

static json_t *
input_to_json (const HlOverview *o, int i)
{
  const HlOverviewInput *x = hl_overview_get_input (o, i);
  const float *layout = hl_overview_get_layout (o, FALSE);
  return json_pack ("{s:s, s:s, s:i, s:i, s:o, s:o, s:f, s:f}", "name", x->name, "file",
                    x->path, "label", x->label, "predicted", x->predicted, "probability",
                    hl_result_real (x->prob), "loss", hl_result_real (x->loss), "x",
                    (double) layout[2 * i], "y", (double) layout[2 * i + 1]);
}

json_t *
analyze_overview_to_json (const Analyze *a, const char *analysis)
{
  const HlOverview *o = a->overview;
  int k = (int) o->classes->len;
  json_t *inputs = json_array (), *classes = json_array (), *confusion = json_array ();
  HlInterval accuracy = hl_overview_get_accuracy (o);
  g_autofree int *counts = hl_overview_confusion (o);
  for (int i = 0; i < hl_overview_get_n (o); i++)
    json_array_append_new (inputs, input_to_json (o, i));
  for (int c = 0; c < k; c++)
    {
      const HlOverviewClass *about = hl_overview_get_class (o, c);
      json_t *row = json_array ();
      json_array_append_new (
          classes, json_pack ("{s:i, s:s, s:i, s:i, s:i}", "index", about->index, "name",
                              about->name, "inputs", about->n_inputs, "right",
                              about->n_right, "predicted", about->n_predicted));
      for (int d = 0; d < k; d++)
        json_array_append_new (row, json_integer (counts[c * k + d]));
      json_array_append_new (confusion, row);
    }
  return json_pack ("{s:s, s:i, s:i, s:b, s:o, s:o, s:o, s:i, s:o, s:o, s:o}", "analysis",
                    analysis, "n", hl_overview_get_n (o), "skipped",
                    (int) o->skipped->len, "partial", o->is_partial, "accuracy",
                    hl_result_real (accuracy.mean), "accuracy_low",
                    hl_result_real (accuracy.low), "accuracy_high",
                    hl_result_real (accuracy.high), "n_labelled", accuracy.n, "classes",
                    classes, "confusion", confusion, "inputs", inputs);
}

char *
analyze_overview_to_csv (const Analyze *a)
{
  return hl_overview_to_csv (a->overview);
}
