/* SPDX-License-Identifier: MIT
 * Overviews of data sets on the shipped models: against passes of single inputs, counts
 * by hand, skipped and cancelled ones, the way into a session and back. */
#include "analysis/hl-overview-result.h"
#include "backend/cpu/hl-cpu.h"
#include "base/hl-error.h"
#include "model/hl-model-text.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

static HlModel *
open_shipped (const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path =
      g_test_build_filename (G_TEST_DIST, "..", "data", "models", name, NULL);
  HlModel *model = hl_model_open (path, &error);
  g_assert_no_error (error);
  return model;
}

static HlDataset *
open_samples (const HlModel *model)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path =
      g_test_build_filename (G_TEST_DIST, "..", "data", "samples", "samples.csv", NULL);
  HlDataset *dataset = hl_dataset_open (path, hl_model_get_info (model), &error);
  g_assert_no_error (error);
  return dataset;
}

/* A whole pass, every row of the last block computed: against the one that computes the
 * readout's row. */
static void
check_input (const HlModel *model,
             HlBackend *backend,
             const HlOverview *o,
             int i,
             const HlInput *input,
             gint64 row)
{
  HlRun run;
  const HlModelInfo *info = hl_model_get_info (model);
  int last = hl_model_info_get_stack (info, 0)->n_layers - 1;
  g_autofree char *site = g_strdup_printf ("blocks.%d.hook_resid_post", last);
  hl_run_init (&run, backend, info, NULL);
  hl_run_capture (&run, site);
  g_autoptr (HlTensor) logits = hl_model_forward (model, &run, input);
  g_assert_no_error (run.exec.error);
  const HlTensor *resid = g_hash_table_lookup (run.captured, site);
  const HlOverviewInput *about = hl_overview_get_input (o, i);
  const float *z = hl_tensor_f32 (logits), *x = hl_tensor_f32 (resid) + row * o->dim;
  const float *found = (const float *) (gpointer) o->embedding->data + i * o->dim;
  double sum = 0;
  int best = 0;
  for (int v = 0; v < logits->shape.dim[1]; v++)
    {
      sum += exp ((double) z[v]);
      best = z[v] > z[best] ? v : best;
    }
  g_assert_cmpint (o->dim, ==, resid->shape.dim[2]);
  g_assert_cmpint (about->predicted, ==, best);
  g_assert_cmpfloat_with_epsilon (about->prob, exp ((double) z[best]) / sum, 1e-5);
  if (about->label >= 0)
    g_assert_cmpfloat_with_epsilon (about->loss, log (sum) - (double) z[about->label],
                                    1e-4);
  else
    g_assert_true (isnan (about->loss));
  for (int d = 0; d < o->dim; d++)
    g_assert_cmpfloat_with_epsilon ((double) found[d], (double) x[d], 1e-4);
  hl_run_clear (&run);
}

static void
test_pictures (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlModel) model = open_shipped ("vit-fashion");
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, 2);
  g_autoptr (HlDataset) dataset = open_samples (model);
  const HlOverviewOptions options = { 0 };
  g_autoptr (HlOverview) o =
      hl_overview_make (model, dataset, backend, &options, NULL, &error);
  g_assert_no_error (error);
  int n = hl_overview_get_n (o), right = 0;
  g_assert_cmpint (n, ==, hl_dataset_get_n_items (dataset));
  g_assert_false (o->is_partial);
  for (int i = 0; i < n; i++)
    {
      int label;
      g_autoptr (HlInput) input =
          hl_dataset_open_input (dataset, model, i, &label, &error);
      const HlOverviewInput *about = hl_overview_get_input (o, i);
      g_assert_cmpint (about->label, ==, label);
      g_assert_cmpstr (about->name, ==, input->name);
      g_assert_cmpint (hl_overview_is_wrong (o, i), ==, about->predicted != label);
      right += about->predicted == label;
      if (i % 5 == 0)
        check_input (model, backend, o, i, input, 0);
    }
  HlInterval accuracy = hl_overview_get_accuracy (o);
  g_assert_cmpfloat_with_epsilon (accuracy.mean, (double) right / n, 1e-12);
  g_assert_true (accuracy.low <= accuracy.mean && accuracy.mean <= accuracy.high);
  /* Inputs of one class lie nearer to each other than to the rest. */
  const float *xy = hl_overview_get_layout (o, FALSE);
  double same = 0, other = 0;
  int n_same = 0, n_other = 0;
  for (int a = 0; a < n; a++)
    for (int b = 0; b < a; b++)
      {
        double away = hypot ((double) (xy[2 * a] - xy[2 * b]),
                             (double) (xy[2 * a + 1] - xy[2 * b + 1]));
        gboolean is_same =
            hl_overview_get_input (o, a)->label == hl_overview_get_input (o, b)->label;
        *(is_same ? &same : &other) += away;
        *(is_same ? &n_same : &n_other) += 1;
      }
  g_assert_cmpfloat (same / n_same, <, 0.7 * other / n_other);
}

static void
test_texts (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlModel) model = open_shipped ("gpt-kjv");
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, 2);
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "..", "data", "samples",
                                                 "ecclesiastes-1.txt", NULL);
  g_autoptr (HlDataset) dataset =
      hl_dataset_open (path, hl_model_get_info (model), &error);
  const HlOverviewOptions options = { .no_tsne = TRUE };
  g_autoptr (HlOverview) o =
      hl_overview_make (model, dataset, backend, &options, NULL, &error);
  g_assert_no_error (error);
  g_assert_null (o->layout);
  int label;
  g_autoptr (HlInput) input = hl_dataset_open_input (dataset, model, 1, &label, &error);
  g_assert_cmpint (hl_overview_get_input (o, 1)->label, ==, label);
  check_input (model, backend, o, 1, input, input->ids->shape.dim[1] - 1);
  /* Classes are tokens, named by their text. */
  const HlOverviewClass *c = hl_overview_get_class (o, hl_overview_find_class (o, label));
  g_autofree char *name = hl_model_dup_class_name (model, label);
  g_assert_cmpstr (c->name, ==, name);
}

/* ---- counts by hand ------------------------------------------------------------------
 */

static char *
name_of (int index, gpointer data)
{
  return g_strdup_printf ("class %d", index);
}

/* Labels and predictions of classes 2, 5 and 9; the last input has no label. */
static HlOverview *
make_small (void)
{
  static const int labels[] = { 5, 5, 5, 2, 2, -1 };
  static const int predicted[] = { 5, 2, 9, 2, 5, 9 };
  HlOverview *o = hl_overview_new (3);
  for (int i = 0; i < 6; i++)
    {
      HlOverviewInput *x = hl_overview_add (o, i == 1 ? "a \"b\", c" : "a", "/x");
      const float e[3] = { (float) i, (float) -i, 0.5f };
      x->label = labels[i];
      x->predicted = predicted[i];
      x->prob = 0.1 * (i + 1);
      x->loss = labels[i] >= 0 ? 0.2 * i : (double) NAN;
      g_array_append_vals (o->embedding, e, 3);
      g_array_append_vals (o->components, e, 2);
    }
  hl_overview_count (o, name_of, NULL);
  g_ptr_array_add (o->skipped, g_strdup ("bad.png: no picture"));
  return o;
}

static void
test_counts (void)
{
  static const int expected[9] = { 1, 1, 0, 1, 1, 1, 0, 0, 0 };
  g_autoptr (HlOverview) o = make_small ();
  g_autofree int *confusion = hl_overview_confusion (o);
  g_assert_cmpint (o->classes->len, ==, 3);
  g_assert_cmpint (hl_overview_find_class (o, 9), ==, 2);
  g_assert_cmpint (hl_overview_find_class (o, 3), ==, -1);
  g_assert_cmpint (hl_overview_find_class (o, -1), ==, -1);
  const HlOverviewClass *five = hl_overview_get_class (o, 1);
  g_assert_cmpint (five->index, ==, 5);
  g_assert_cmpint (five->n_inputs, ==, 3);
  g_assert_cmpint (five->n_right, ==, 1);
  g_assert_cmpint (five->n_predicted, ==, 2);
  for (int i = 0; i < 9; i++)
    g_assert_cmpint (confusion[i], ==, expected[i]);
  g_assert_true (hl_overview_is_wrong (o, 1));
  g_assert_false (hl_overview_is_wrong (o, 5)); /* nobody knows */
  HlInterval accuracy = hl_overview_get_accuracy (o);
  g_assert_cmpint (accuracy.n, ==, 5);
  g_assert_cmpfloat_with_epsilon (accuracy.mean, 0.4, 1e-12);
  g_autofree char *csv = hl_overview_to_csv (o);
  g_assert_nonnull (strstr (
      csv, "\n\"a \"\"b\"\", c\",\"/x\",\"class 5\",\"class 2\",0,0.2,0.2,1,-1\n"));
  g_assert_nonnull (strstr (csv, "\n\"a\",\"/x\",,\"class 9\",,0.6,,5,-5\n"));
}

static void
test_result (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlOverview) o = make_small ();
  g_autoptr (HlSessionResult) result = hl_overview_to_result (o, "{}");
  g_autoptr (HlOverview) again = hl_overview_from_result (result, &error);
  g_assert_no_error (error);
  g_autofree char *before = hl_overview_to_csv (o), *after = hl_overview_to_csv (again);
  g_assert_cmpstr (before, ==, after);
  g_assert_cmpmem (o->embedding->data, o->embedding->len * sizeof (float),
                   again->embedding->data, again->embedding->len * sizeof (float));
  g_assert_cmpint (again->dim, ==, 3);
  g_assert_null (again->layout);
  g_assert_cmpint (again->skipped->len, ==, 1);
  const HlSessionArray *confusion = hl_session_result_get_array (result, "confusion");
  g_assert_cmpint (((const gint32 *) confusion->tensor->data)[1], ==, 1);
}

static void
refuse (const HlSessionResult *result, const char *says)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (hl_overview_from_result (result, &error));
  g_assert_error (error, HL_ERROR, HL_ERROR_FORMAT);
  g_assert_nonnull (strstr (error->message, says));
}

static void
test_bad_results (void)
{
  g_autoptr (HlOverview) o = make_small ();
  const float numbers[12] = { 0 }, bad[12] = { NAN };
  g_autoptr (HlSessionResult) none =
      hl_session_result_new (HL_RESULT_OVERVIEW, "{}", "{}");
  refuse (none, "at least one input");
  g_autoptr (HlSessionResult) other = hl_session_result_new ("importance", "{}", "{}");
  refuse (other, "at least one input");
  /* An array that is cut short, numbers that are none, a name too few. */
  g_autoptr (HlSessionResult) whole = hl_overview_to_result (o, "{}");
  for (guint i = 0; i < whole->arrays->len; i++)
    {
      const HlSessionArray *array = g_ptr_array_index (whole->arrays, i);
      if (g_str_equal (array->name, "components"))
        {
          g_autoptr (HlTensor) cut =
              hl_tensor_new_copy (HL_DTYPE_F32, HL_SHAPE (5, 2), numbers);
          HlTensor *kept = array->tensor;
          ((HlSessionArray *) array)->tensor = cut;
          refuse (whole, "components");
          g_autoptr (HlTensor) odd =
              hl_tensor_new_copy (HL_DTYPE_F32, HL_SHAPE (6, 2), bad);
          ((HlSessionArray *) array)->tensor = odd;
          refuse (whole, "finite");
          ((HlSessionArray *) array)->tensor = kept;
        }
    }
  g_free (whole->params_json);
  whole->params_json = g_strdup ("{\"inputs\": [{\"name\": \"a\"}]}");
  refuse (whole, "inputs");
  g_free (whole->params_json);
  whole->params_json = g_strdup ("[");
  refuse (whole, "at least one input");
}

/* ---- bad inputs, and a stop ----------------------------------------------------------
 */

static void
stop_cb (double fraction, const char *what, gpointer data)
{
  if (what != NULL && g_str_has_prefix (what, "input 3 "))
    g_cancellable_cancel (data);
}

static void
test_skips_and_stops (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *csv = NULL;
  g_autoptr (HlModel) model = open_shipped ("vit-fashion");
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, 2);
  g_autofree char *samples =
      g_test_build_filename (G_TEST_DIST, "..", "data", "samples", NULL);
  g_close (g_file_open_tmp ("headlight-XXXXXX.csv", &csv, &error), NULL);
  g_autofree char *text =
      g_strdup_printf ("file,label\n%s/samples.csv,Shirt\n%s/coat-01.png,Coat\n"
                       "%s/bag-01.png,\n%s/bag-02.png,Bag\n",
                       samples, samples, samples, samples);
  g_file_set_contents (csv, text, -1, NULL);
  g_autoptr (HlDataset) dataset =
      hl_dataset_open (csv, hl_model_get_info (model), &error);
  const HlOverviewOptions options = { 0 };
  g_autoptr (HlOverview) o =
      hl_overview_make (model, dataset, backend, &options, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (hl_overview_get_n (o), ==, 3);
  g_assert_cmpint (o->skipped->len, ==, 1);
  g_assert_cmpint (hl_overview_get_accuracy (o).n, ==, 2);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  const HlProgress progress = { .cancellable = cancellable,
                                .func = stop_cb,
                                .func_data = cancellable };
  g_autoptr (HlOverview) some =
      hl_overview_make (model, dataset, backend, &options, &progress, &error);
  g_assert_no_error (error);
  g_assert_true (some->is_partial);
  g_assert_cmpint (some->n_wanted, ==, 4);
  g_assert_cmpint (hl_overview_get_n (some) + (int) some->skipped->len, ==, 2);
  g_assert_cmpint (some->embedding->len, ==, some->dim * hl_overview_get_n (some));
  g_assert_cmpint (some->components->len, ==, 2 * hl_overview_get_n (some));
  g_assert_null (hl_overview_make (model, dataset, backend, &options, &progress, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_autoptr (HlModel) other = open_shipped ("gpt-kjv");
  g_assert_null (hl_overview_make (other, dataset, backend, &options, NULL, &error));
  g_assert_error (error, HL_ERROR, HL_ERROR_FORMAT);
  g_clear_error (&error);
  /* Inputs that open and cannot be run leave nothing behind. */
  const float gates[5] = { 0 };
  g_autoptr (HlTensor) few = hl_tensor_new_copy (HL_DTYPE_F32, HL_SHAPE (1, 5), gates);
  g_autoptr (GPtrArray) wrong =
      g_ptr_array_new_with_free_func ((GDestroyNotify) hl_intervention_unref);
  g_ptr_array_add (wrong, hl_intervention_new (HL_INTERVENTION_GATE, HL_SITE_Z, 0, 2,
                                               NULL, few, "five gates for six heads"));
  const HlOverviewOptions odd = { .interventions = wrong };
  g_assert_null (hl_overview_make (model, dataset, backend, &odd, NULL, &error));
  g_assert_error (error, HL_ERROR, HL_ERROR_FORMAT);
  g_assert_nonnull (strstr (error->message, "none of 4"));
  g_unlink (csv);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/overview/pictures", test_pictures);
  g_test_add_func ("/overview/texts", test_texts);
  g_test_add_func ("/overview/counts", test_counts);
  g_test_add_func ("/overview/result", test_result);
  g_test_add_func ("/overview/bad-results", test_bad_results);
  g_test_add_func ("/overview/skips-and-stops", test_skips_and_stops);
  return g_test_run ();
}
