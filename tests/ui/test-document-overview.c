/* SPDX-License-Identifier: MIT
 * The document's overview of a data set: made, filtered, pointed at, clicked, kept in the
 * session, found again with its data set; what it looks like as a chart. */
#include "document-settle.h"
#include "presenters/hl-present-overview.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

static char *
data_path (const char *name)
{
  return g_test_build_filename (G_TEST_DIST, "..", "data", name, NULL);
}

static HlDocument *
open_all (void)
{
  g_autofree char *model = data_path ("models/vit-fashion");
  g_autofree char *picture = data_path ("samples/shirt-02.png");
  g_autofree char *dataset = data_path ("samples/samples.csv");
  HlDocument *document = hl_document_new ();
  hl_document_open_input (document, picture);
  hl_document_open_model (document, model);
  document_settle (document);
  hl_document_open_dataset (document, dataset);
  document_settle (document);
  return document;
}

static void
wait_for_engine (HlDocument *document)
{
  for (int quiet = 0; quiet < 30;)
    {
      gboolean waits = hl_engine_get_n_waiting (hl_document_get_engine (document)) > 0;
      quiet = waits || g_main_context_iteration (NULL, FALSE) ? 0 : quiet + 1;
      g_usleep (1000);
    }
}

static int
find_input (const HlOverview *o, const char *name)
{
  for (int i = 0; i < hl_overview_get_n (o); i++)
    if (g_str_equal (hl_overview_get_input (o, i)->name, name))
      return i;
  g_assert_not_reached ();
}

static void
test_make_and_open (void)
{
  HlDocument *document = open_all ();
  g_assert_null (hl_document_get_overview (document));
  g_assert_cmpint (hl_document_get_overviewed (document), ==, -1);
  hl_document_make_overview (document);
  document_settle (document);
  HlOverview *o = hl_document_get_overview (document);
  g_assert_nonnull (o);
  g_assert_cmpint (hl_overview_get_n (o), ==,
                   hl_dataset_get_n_items (hl_document_get_dataset (document)));
  g_assert_cmpint (hl_document_get_overviewed (document), ==,
                   find_input (o, "shirt-02.png"));
  /* A look at another, and then it becomes the input, with its label. */
  int bag = find_input (o, "bag-02.png"), peeked;
  hl_document_peek (document, bag);
  wait_for_engine (document);
  HlInput *input = hl_document_get_peek (document, &peeked);
  g_assert_cmpint (peeked, ==, bag);
  g_assert_cmpstr (input->name, ==, "bag-02.png");
  hl_document_open_overviewed (document, bag);
  document_settle (document);
  g_assert_cmpstr (hl_document_get_trace (document)->input_name, ==, "bag-02.png");
  g_assert_cmpint (hl_document_get_label (document), ==, 8);
  g_assert_cmpint (hl_document_get_overviewed (document), ==, bag);
  hl_document_open_overviewed (document, 99);
  hl_document_open_overviewed (document, -1);
  g_assert_false (hl_document_is_busy (document));
  /* Another data set has another overview. */
  g_autofree char *other = data_path ("samples");
  hl_document_open_dataset (document, other);
  document_settle (document);
  g_assert_null (hl_document_get_overview (document));
  g_assert_finalize_object (document);
}

static void
test_ablated (void)
{
  HlDocument *document = open_all ();
  HlScoreChoices choices = *hl_document_get_score_choices (document);
  choices.n_inputs = 7;
  hl_document_set_score_choices (document, &choices);
  hl_document_make_overview (document);
  document_settle (document);
  g_autoptr (HlOverview) whole = hl_overview_ref (hl_document_get_overview (document));
  g_assert_cmpint (hl_overview_get_n (whole), ==, 7);
  hl_selection_toggle_ablated (hl_document_get_selection (document), 1, 0);
  document_settle (document);
  hl_document_make_overview (document);
  document_settle (document);
  const HlOverview *pruned = hl_document_get_overview (document);
  int n_other = 0;
  for (int i = 0; i < 7; i++)
    n_other +=
        hl_overview_get_input (whole, i)->prob != hl_overview_get_input (pruned, i)->prob;
  g_assert_cmpint (n_other, ==, 7);
  g_assert_finalize_object (document);
}

static void
test_session (void)
{
  g_autofree char *folder = g_dir_make_tmp ("hl-overview-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "s.h5", NULL);
  HlDocument *document = open_all ();
  hl_document_make_overview (document);
  document_settle (document);
  hl_document_make_overview (document); /* takes the first one's place */
  document_settle (document);
  hl_document_open_overviewed (document, 3);
  document_settle (document);
  g_autofree char *before = g_strdup (hl_document_get_trace (document)->input_name);
  HlInterval accuracy = hl_overview_get_accuracy (hl_document_get_overview (document));
  hl_document_save (document, path);
  document_settle (document);
  g_assert_finalize_object (document);

  g_autoptr (GError) error = NULL;
  g_autoptr (HlSession) session = hl_session_load (path, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (hl_session_get_n_results (session), ==, 1);
  document = hl_document_new ();
  hl_document_open_session (document, path);
  document_settle (document);
  HlOverview *o = hl_document_get_overview (document);
  g_assert_nonnull (o);
  g_assert_cmpfloat (hl_overview_get_accuracy (o).mean, ==, accuracy.mean);
  g_assert_cmpint (hl_document_get_overviewed (document), ==, 3);
  g_assert_cmpstr (hl_document_get_trace (document)->input_name, ==, before);
  /* Its data set is there again, and so is the input's label: one can go on. */
  HlDataset *dataset = hl_document_get_dataset (document);
  g_assert_nonnull (dataset);
  g_assert_cmpstr (dataset->name, ==, "samples.csv");
  g_assert_cmpint (hl_document_get_label (document), ==,
                   hl_overview_get_input (o, 3)->label);
  hl_document_open_overviewed (document, 5);
  document_settle (document);
  g_assert_cmpint (hl_document_get_overviewed (document), ==, 5);
  g_assert_finalize_object (document);
  g_unlink (path);
  g_rmdir (folder);
}

/* ---- charts --------------------------------------------------------------------------
 */

static char *
name_of (int index, gpointer data)
{
  return g_strdup_printf ("class %d", index);
}

/* Labels 0, 0, 1, 1, 2, -1; predicted 0, 1, 1, 1, 0, 2. */
static HlOverview *
make_small (void)
{
  static const int labels[] = { 0, 0, 1, 1, 2, -1 }, predicted[] = { 0, 1, 1, 1, 0, 2 };
  HlOverview *o = hl_overview_new (2);
  for (int i = 0; i < 6; i++)
    {
      HlOverviewInput *x = hl_overview_add (o, "a.png", "/a.png");
      const float at[2] = { (float) i, (float) (10 * i) };
      x->label = labels[i];
      x->predicted = predicted[i];
      x->prob = 0.5;
      g_array_append_vals (o->embedding, at, 2);
      g_array_append_vals (o->components, at, 2);
    }
  hl_overview_count (o, name_of, NULL);
  return o;
}

static int
count_marks (const HlChartScene *scene, int color)
{
  int n = 0;
  for (guint k = 1; k < scene->series->len; k++)
    {
      const HlChartSeries *s = hl_chart_scene_get (scene, k);
      n += s->color == color ? s->n : 0;
    }
  return n;
}

static void
test_chart (void)
{
  g_autoptr (HlOverview) o = make_small ();
  HlOverviewView view = { .label = -1, .predicted = -1 };
  GArray *dots;
  g_autoptr (HlChartScene) scene = hl_present_overview (o, &view, 4, &dots);
  g_assert_cmpint (scene->selected, ==, 0);
  g_assert_cmpfloat (hl_chart_scene_get (scene, 0)->x[0], ==, 4);
  g_assert_cmpuint (dots->len, ==, 6);
  /* Each dot lies where its input does, and has its label's colour. */
  guint at = 0;
  for (guint k = 1; k < scene->series->len; k++)
    {
      const HlChartSeries *s = hl_chart_scene_get (scene, k);
      g_assert_true (s->is_cloud);
      for (int m = 0; m < s->n; m++)
        {
          int i = g_array_index (dots, int, at++);
          int label = hl_overview_get_input (o, i)->label;
          g_assert_cmpfloat (s->x[m], ==, i);
          g_assert_cmpfloat (s->y[m], ==, 10 * i);
          g_assert_cmpint (s->color, ==, label >= 0 ? label : HL_CHART_FOREGROUND);
          if (label >= 0)
            g_assert_cmpstr (s->label, ==, hl_overview_get_class (o, label)->name);
        }
    }
  g_array_unref (dots);
  view.only_errors = TRUE;
  g_autoptr (HlChartScene) errors = hl_present_overview (o, &view, -1, NULL);
  g_assert_cmpint (count_marks (errors, HL_CHART_FAINT), ==, 4);
  g_assert_cmpint (hl_chart_scene_get (errors, 0)->n, ==, 0);
  view = (HlOverviewView){ .label = 1, .predicted = 1, .color = HL_OVERVIEW_BY_RIGHT };
  g_assert_false (hl_overview_passes (o, &view, 1));
  g_assert_true (hl_overview_passes (o, &view, 3));
  g_autoptr (HlChartScene) cell = hl_present_overview (o, &view, -1, NULL);
  g_assert_cmpint (count_marks (cell, HL_CHART_FAINT), ==, 4);
  g_assert_cmpint (count_marks (cell, 0), ==, 2); /* right */
  view = (HlOverviewView){ .label = -1,
                           .predicted = -1,
                           .color = HL_OVERVIEW_BY_PREDICTION };
  g_autoptr (HlChartScene) by_prediction = hl_present_overview (o, &view, -1, NULL);
  g_assert_cmpint (count_marks (by_prediction, 1), ==, 3);
}

static void
test_confusion (void)
{
  static const float expected[9] = { 0.5f, 0.5f, 0, 0, 1, 0, 1, 0, 0 };
  GArray *classes;
  g_autoptr (HlOverview) o = make_small ();
  g_autoptr (HlMatrixScene) scene = hl_present_confusion (o, &classes);
  g_assert_cmpint (scene->rows.n, ==, 3);
  g_assert_cmpstr (scene->columns.labels[1], ==, "class 1");
  g_assert_cmpint (g_array_index (classes, int, 2), ==, 2);
  for (int i = 0; i < 9; i++)
    g_assert_cmpfloat ((double) scene->values[i], ==, (double) expected[i]);
  g_array_unref (classes);
  g_autofree char *cell = hl_overview_cell_words (o, 0, 1);
  g_assert_cmpstr (cell, ==, "class 0, predicted class 1: 1 of 2");
  g_autofree char *input = hl_overview_input_words (o, 1);
  g_assert_cmpstr (input, ==, "a.png: class 0, predicted class 1 (0.5)");
  g_autofree char *accuracy = hl_overview_accuracy_words (o);
  g_assert_true (g_str_has_prefix (accuracy, "60.0 % right"));
  g_assert_nonnull (strstr (accuracy, "of 5"));
}

/* Of many classes those with most errors. */
static void
test_many_classes (void)
{
  g_autoptr (HlOverview) o = hl_overview_new (1);
  GArray *classes;
  const float zero[2] = { 0, 0 };
  for (int i = 0; i < 300; i++)
    {
      HlOverviewInput *x = hl_overview_add (o, "a", "a");
      x->label = i;
      x->predicted = i >= 100 && i < 110 ? 299 - i : i;
      g_array_append_vals (o->components, zero, 2);
    }
  hl_overview_count (o, name_of, NULL);
  g_autoptr (HlMatrixScene) scene = hl_present_confusion (o, &classes);
  g_assert_cmpint (scene->rows.n, ==, HL_CONFUSION_MAX);
  int n_confused = 0;
  for (guint k = 0; k < classes->len; k++)
    {
      int place = g_array_index (classes, int, k);
      n_confused += place >= 100 && place < 110;
    }
  g_assert_cmpint (n_confused, ==, 10);
  g_array_unref (classes);
  HlOverviewView view = { .label = -1, .predicted = -1 };
  g_autoptr (HlChartScene) chart = hl_present_overview (o, &view, -1, NULL);
  g_assert_cmpint (count_marks (chart, HL_CHART_FOREGROUND), ==, 300 - HL_CHART_N_COLORS);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_setenv ("HEADLIGHT_PROGRAMS", PROGRAMS_FOLDER, TRUE);
  g_test_add_func ("/document-overview/make-and-open", test_make_and_open);
  g_test_add_func ("/document-overview/ablated", test_ablated);
  g_test_add_func ("/document-overview/session", test_session);
  g_test_add_func ("/document-overview/chart", test_chart);
  g_test_add_func ("/document-overview/confusion", test_confusion);
  g_test_add_func ("/document-overview/many-classes", test_many_classes);
  return g_test_run ();
}
