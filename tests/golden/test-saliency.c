/* SPDX-License-Identifier: MIT
 * Saliency against the reference framework's gradients and NumPy's rules
 * (make-saliency.py), and what is true of it by definition. */
#include "analysis/hl-faithfulness.h"
#include "analysis/hl-relevance.h"
#include "analysis/hl-saliency.h"
#include "backend/cpu/hl-cpu.h"
#include "base/hl-error.h"
#include "golden-model.h"
#include "io/hl-json.h"

#include <math.h>
#include <string.h>

#define LIMIT 1e-5

typedef struct
{
  const json_t *about;
  HlModel *model;
  HlInput *input;
  HlBackend *backend;
  HlSaliencyTarget target;
} Case;

static json_t *reference, *faithfulness;

static int
int_of (const json_t *about, const char *name)
{
  return (int) json_integer_value (json_object_get (about, name));
}

static void
case_init (Case *c, gsize index)
{
  *c = (Case){ .about = json_array_get (reference, index) };
  c->target = (HlSaliencyTarget){ int_of (c->about, "row"), int_of (c->about, "index"),
                                  int_of (c->about, "against") };
  golden_open_model (json_string_value (json_object_get (c->about, "model")), &c->model,
                     &c->input);
  c->backend = hl_cpu_backend_new (HL_DTYPE_F64, 2);
}

static void
case_clear (Case *c)
{
  hl_model_unref (c->model);
  hl_input_unref (c->input);
  hl_backend_unref (c->backend);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Case, case_clear)

static HlSaliencyRow *
score (const Case *c, const HlSaliencyOptions *options)
{
  g_autoptr (GError) error = NULL;
  HlSaliencyRow *row = hl_saliency_score (c->model, c->input, c->backend, c->target,
                                          options, NULL, &error);
  g_assert_no_error (error);
  return row;
}

/* Of the largest number. */
static void
assert_list (const double *found, int n, const json_t *list, const char *what)
{
  int n_wanted = (int) json_array_size (list);
  double most = 0;
  g_assert_cmpint (n_wanted, >, 0);
  g_assert_cmpint (n, >=, n_wanted);
  for (int i = 0; i < n_wanted; i++)
    most = fmax (most, fabs (json_number_value (json_array_get (list, (gsize) i))));
  for (int i = 0; i < n_wanted; i++)
    {
      double wanted = json_number_value (json_array_get (list, (gsize) i));
      if (!(fabs (found[i] - wanted) <= LIMIT * fmax (most, 1)))
        g_error ("%s, token %d: %.9g expected, %.9g found", what, i, wanted, found[i]);
    }
  /* What comes behind the row that is read has nothing to do with it. */
  for (int i = n_wanted; i < n; i++)
    g_assert_true (isnan (found[i]));
}

static void
check_gradients (const Case *c, const char *baseline)
{
  const json_t *wanted = json_object_get (c->about, baseline);
  static const HlSaliencyMethod methods[] = { HL_SALIENCY_GRADIENT_INPUT,
                                              HL_SALIENCY_INTEGRATED,
                                              HL_SALIENCY_OCCLUSION };
  for (guint i = 0; i < G_N_ELEMENTS (methods); i++)
    {
      int steps = int_of (c->about, "steps");
      HlSaliencyOptions options = { .method = methods[i],
                                    .n_steps = steps,
                                    .n_steps_max = steps };
      g_assert_true (hl_baseline_from_name (baseline, &options.baseline));
      g_autoptr (HlSaliencyRow) row = score (c, &options);
      const char *name = hl_saliency_name (methods[i]);
      g_test_message ("%s, %s", name, baseline);
      assert_list (row->scores, row->n_tokens, json_object_get (wanted, name), name);
      g_assert_cmpfloat_with_epsilon (
          row->z, json_number_value (json_object_get (wanted, "z")), 1e-5);
      g_assert_cmpfloat_with_epsilon (
          row->difference, json_number_value (json_object_get (wanted, "difference")),
          1e-5);
    }
}

static void
test_gradients (gconstpointer data)
{
  g_auto (Case) c = { 0 };
  case_init (&c, GPOINTER_TO_UINT (data));
  check_gradients (&c, "zero");
  check_gradients (&c, "mean");
}

static void
test_maps (gconstpointer data)
{
  g_auto (Case) c = { 0 };
  case_init (&c, GPOINTER_TO_UINT (data));
  const json_t *wanted = json_object_get (c.about, "maps");
  gboolean has_flow = json_object_get (wanted, "flow") != NULL;
  for (int m = HL_SALIENCY_ATTENTION_GRADIENT; m <= HL_SALIENCY_RELEVANCE; m++)
    {
      const HlSaliencyOptions options = { .method = (HlSaliencyMethod) m };
      const char *name = hl_saliency_name (options.method);
      if (m == HL_SALIENCY_FLOW && !has_flow)
        continue;
      g_test_message ("%s", name);
      g_autoptr (HlSaliencyRow) row = score (&c, &options);
      assert_list (row->scores, row->n_tokens, json_object_get (wanted, name), name);
      g_autofree char *own = g_strconcat ("own-", name, NULL);
      const json_t *of_own = json_object_get (wanted, own);
      g_assert_true ((of_own != NULL) == (row->own != NULL));
      if (of_own != NULL)
        assert_list (row->own, row->n_own, of_own, own);
      g_assert_true (isnan (row->difference));
    }
}

/* Tokens taken away and given, in the order that the reference took. */
static void
test_faithfulness (gconstpointer data)
{
  g_auto (Case) c = { 0 };
  g_autoptr (GError) error = NULL;
  const HlSaliencyOptions options = { .baseline = HL_BASELINE_MEAN };
  const json_t *wanted = json_array_get (faithfulness, GPOINTER_TO_UINT (data));
  const json_t *places = json_object_get (wanted, "order");
  gsize n = json_array_size (places);
  g_autofree gint64 *order = g_new (gint64, n + 1);
  case_init (&c, GPOINTER_TO_UINT (data));
  for (gsize i = 0; i < n; i++)
    order[i] = json_integer_value (json_array_get (places, i));
  for (int inserts = 0; inserts < 2; inserts++)
    {
      const char *name = inserts ? "insertion" : "deletion";
      double curve[HL_FAITHFULNESS_SHARES];
      g_assert_true (hl_faithfulness_at (c.model, c.input, c.backend, c.target, &options,
                                         order, (gint64) n, inserts, curve, NULL,
                                         &error));
      g_assert_no_error (error);
      for (gsize k = 0; k < HL_FAITHFULNESS_SHARES; k++)
        {
          double p =
              json_number_value (json_array_get (json_object_get (wanted, name), k));
          g_assert_cmpfloat (fabs (curve[k] - p), <=, LIMIT * p);
        }
    }
}

/* ---- by definition -------------------------------------------------------------------
 */

/* Integrated gradients add up to the difference that they explain. */
static void
test_complete (gconstpointer data)
{
  g_auto (Case) c = { 0 };
  case_init (&c, GPOINTER_TO_UINT (data));
  const HlSaliencyOptions options = { .method = HL_SALIENCY_INTEGRATED,
                                      .baseline = HL_BASELINE_MEAN };
  g_autoptr (HlSaliencyRow) row = score (&c, &options);
  double sum = 0;
  for (int i = 0; i < row->n_tokens; i++)
    sum += isnan (row->scores[i]) ? 0 : row->scores[i];
  g_assert_cmpfloat_with_epsilon (sum - row->difference, row->completeness, 1e-9);
  g_assert_cmpfloat (fabs (row->completeness), <=, 0.01 * fabs (row->difference));
  g_assert_cmpint (row->n_steps, >=, 16);
  /* Rollout is made of rows that add up to one. */
  const HlSaliencyOptions rollout = { .method = HL_SALIENCY_ROLLOUT };
  g_autoptr (HlSaliencyRow) rolled = score (&c, &rollout);
  sum = 0;
  for (int i = 0; i < rolled->n_tokens; i++)
    sum += isnan (rolled->scores[i]) ? 0 : rolled->scores[i];
  g_assert_cmpfloat_with_epsilon (sum, 1, 1e-9);
}

/* SmoothGrad without noise is gradient x input; with noise it is the same for a seed. */
static void
test_smoothgrad (gconstpointer data)
{
  g_auto (Case) c = { 0 };
  case_init (&c, GPOINTER_TO_UINT (data));
  const HlSaliencyOptions plain = { .method = HL_SALIENCY_GRADIENT_INPUT };
  HlSaliencyOptions noisy = {
    .method = HL_SALIENCY_SMOOTHGRAD, .n_samples = 3, .noise = 1e-12, .seed = 4
  };
  g_autoptr (HlSaliencyRow) exact = score (&c, &plain);
  g_autoptr (HlSaliencyRow) still = score (&c, &noisy);
  for (int i = 0; i < exact->n_tokens; i++)
    if (!isnan (exact->scores[i]))
      g_assert_cmpfloat_with_epsilon (exact->scores[i], still->scores[i], 1e-6);
  noisy.noise = 0.2;
  g_autoptr (HlSaliencyRow) first = score (&c, &noisy);
  g_autoptr (HlSaliencyRow) again = score (&c, &noisy);
  noisy.seed = 5;
  g_autoptr (HlSaliencyRow) other = score (&c, &noisy);
  gboolean differs = FALSE;
  for (int i = 0; i < exact->n_tokens; i++)
    {
      if (isnan (exact->scores[i]))
        continue;
      g_assert_cmpfloat (first->scores[i], ==, again->scores[i]);
      differs |= first->scores[i] != other->scores[i];
    }
  g_assert_true (differs);
}

static void
test_refused (void)
{
  g_auto (Case) c = { 0 };
  g_autoptr (GError) error = NULL;
  const HlSaliencyOptions flow = { .method = HL_SALIENCY_FLOW };
  HlSaliencyOptions plain = { .baseline = HL_BASELINE_BLUR };
  case_init (&c, json_array_size (reference) - 1); /* an encoder with a decoder */
  g_assert_null (
      hl_saliency_score (c.model, c.input, c.backend, c.target, &flow, NULL, &error));
  g_assert_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED);
  g_clear_error (&error);
  g_assert_null (
      hl_saliency_score (c.model, c.input, c.backend, c.target, &plain, NULL, &error));
  g_assert_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED);
  g_clear_error (&error);
  plain.baseline = HL_BASELINE_ZERO;
  const HlSaliencyTarget wrong[] = {
    { 3, 100000, -1 }, { 3, -1, -1 }, { 3, 1, 100000 }, { 1000, 1, -1 }
  };
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_assert_null (hl_saliency_score (c.model, c.input, c.backend, wrong[i], &plain,
                                        NULL, &error));
      g_assert_error (error, HL_ERROR, HL_ERROR_RANGE);
      g_clear_error (&error);
    }
}

/* ---- stopped -------------------------------------------------------------------------
 */

static void
stop_cb (double fraction, const char *what, gpointer data)
{
  if (fraction > 0.5)
    g_cancellable_cancel (data);
}

/* What was done before it was stopped is a set, from which another goes on; what is known
 * is taken as it is. */
static void
test_stopped (void)
{
  g_auto (Case) c = { 0 };
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  const HlProgress progress = { .cancellable = cancellable,
                                .func = stop_cb,
                                .func_data = cancellable };
  HlSaliencyOptions options = { .method = HL_SALIENCY_OCCLUSION,
                                .baseline = HL_BASELINE_MEAN };
  case_init (&c, json_array_size (reference) - 1); /* an encoder with a decoder */
  g_autoptr (HlSaliencySet) whole = hl_saliency_set_score (
      c.model, c.input, c.backend, HL_TARGET_EVERY, -1, -1, &options, NULL, NULL);
  g_autoptr (HlSaliencySet) part = hl_saliency_set_score (
      c.model, c.input, c.backend, HL_TARGET_EVERY, -1, -1, &options, &progress, NULL);
  g_assert_nonnull (part);
  g_assert_true (part->is_partial && !whole->is_partial);
  g_assert_cmpuint (part->rows->len, >, 0);
  g_assert_cmpuint (part->rows->len, <, whole->rows->len);
  g_assert_true (hl_saliency_set_is_like (part, &options));
  HlSaliencyRow *marked = g_ptr_array_index (part->rows, 0);
  marked->scores[0] = 42; /* so that it is seen not to be computed again */
  options.known = part->rows;
  g_autoptr (HlSaliencySet) rest = hl_saliency_set_score (
      c.model, c.input, c.backend, HL_TARGET_EVERY, -1, -1, &options, NULL, NULL);
  g_assert_cmpuint (rest->rows->len, ==, whole->rows->len);
  for (guint i = 0; i < rest->rows->len; i++)
    {
      const HlSaliencyRow *x = g_ptr_array_index (rest->rows, i);
      const HlSaliencyRow *y = g_ptr_array_index (whole->rows, i);
      for (int t = i == 0; t < x->n_tokens; t++)
        g_assert_true (x->scores[t] == y->scores[t] ||
                       (isnan (x->scores[t]) && isnan (y->scores[t])));
    }
  g_assert_cmpfloat (((HlSaliencyRow *) rest->rows->pdata[0])->scores[0], ==, 42);
  options.method = HL_SALIENCY_INTEGRATED;
  g_assert_false (hl_saliency_set_is_like (part, &options));
}

/* Pictures have baselines of their own; all differ, and black is what the processor makes
 * of black. */
static void
test_pictures (void)
{
  g_auto (Case) c = { 0 };
  double differences[HL_N_BASELINES];
  int n = 0;
  case_init (&c, 0);
  for (int b = 0; b < HL_N_BASELINES; b++)
    {
      const HlSaliencyOptions options = { .method = HL_SALIENCY_GRADIENT_INPUT,
                                          .baseline = (HlSaliencyBaseline) b };
      differences[b] = NAN; /* of no picture */
      if (!hl_saliency_check (c.model, c.input, -1, &options, NULL))
        continue;
      g_autoptr (HlSaliencyRow) row = score (&c, &options);
      n++;
      differences[b] = row->difference;
      g_assert_cmpfloat (row->scores[0], ==, 0); /* CLS is no part of the picture */
      for (int k = 0; k < b; k++)
        g_assert_cmpfloat (differences[b], !=, differences[k]);
    }
  g_assert_cmpint (n, ==, 4); /* all but tokens */
}

/* A model that was made to read tokens 9 to 13 alone, and CLS of itself
 * (make-planted.py): what it says of the others. SPES has a floor: test-spes.c. */
static void
test_planted (void)
{
  g_auto (Case) c = { .target = { -1, 0, -1 } };
  golden_open_model ("../planted", &c.model, &c.input);
  c.backend = hl_cpu_backend_new (HL_DTYPE_F64, 2);
  for (int m = 0; m < HL_N_SALIENCIES; m++)
    {
      const HlSaliencyOptions options = { .method = (HlSaliencyMethod) m };
      if (m == HL_SALIENCY_SPES)
        continue;
      g_autoptr (HlSaliencyRow) row = score (&c, &options);
      double inside = 0, all = 0;
      g_assert_cmpint (row->n_tokens, ==, 24);
      for (int i = 1; i < row->n_tokens; i++)
        {
          all += fabs (row->scores[i]);
          inside += i >= 9 && i < 14 ? fabs (row->scores[i]) : 0;
        }
      g_test_message ("%s: %.6f inside", hl_saliency_name (options.method), inside / all);
      g_assert_cmpfloat (all, >, 1e-4);
      g_assert_cmpfloat (inside, >=, 0.95 * all);
    }
}

/* ---- rules ---------------------------------------------------------------------------
 */

/* A row of zeros stays zero where the published division makes no number of it. */
static void
test_zero_rows (void)
{
  g_autoptr (HlMatrix) one = hl_matrix_new_identity (3);
  g_autoptr (HlMatrix) normal = hl_relevance_normalise (one);
  for (int i = 0; i < 9; i++)
    g_assert_cmpfloat (normal->x[i], ==, i % 4 == 0);
}

/* All can flow through one edge at most: a chain of tokens, each to the one before. */
static void
test_flow_of_a_chain (void)
{
  HlMatrix *maps[3];
  for (int l = 0; l < 3; l++)
    {
      maps[l] = hl_matrix_new (4, 4);
      for (int i = 0; i < 4; i++)
        maps[l]->x[i * 4 + MAX (i - 1, 0)] = 1;
    }
  g_autofree double *flow = hl_flow_row ((const HlMatrix *const *) maps, 3, 3);
  /* Half stays, half steps back: to token s lead paths of 3 - s steps in 3 layers; each
   * is cut by what leaves token 3 first, or comes to s last. */
  const double wanted[] = { 0.5, 1, 1, 0.5 };
  for (int s = 0; s < 4; s++)
    g_assert_cmpfloat_with_epsilon (flow[s], wanted[s] / 3, 1e-9);
  for (int l = 0; l < 3; l++)
    hl_matrix_free (maps[l]);
}

static void
add (const char *name, gsize index, GTestDataFunc func)
{
  const json_t *about = json_array_get (reference, index);
  g_autofree char *path = g_strdup_printf (
      "/saliency/%s/%s-%d", name, json_string_value (json_object_get (about, "model")),
      int_of (about, "row"));
  g_test_add_data_func (path, GUINT_TO_POINTER ((guint) index), func);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_autofree char *path =
      g_test_build_filename (G_TEST_DIST, "golden", "saliency.json", NULL);
  reference = json_load_file (path, 0, NULL);
  g_assert_true (json_is_array (reference));
  g_autofree char *more =
      g_test_build_filename (G_TEST_DIST, "golden", "faithfulness.json", NULL);
  faithfulness = json_load_file (more, 0, NULL);
  g_assert_cmpint ((int) json_array_size (faithfulness), ==,
                   (int) json_array_size (reference));
  for (gsize i = 0; i < json_array_size (reference); i++)
    {
      add ("gradients", i, test_gradients);
      add ("maps", i, test_maps);
      add ("complete", i, test_complete);
      add ("smoothgrad", i, test_smoothgrad);
      add ("faithfulness", i, test_faithfulness);
    }
  g_test_add_func ("/saliency/refused", test_refused);
  g_test_add_func ("/saliency/stopped", test_stopped);
  g_test_add_func ("/saliency/pictures", test_pictures);
  g_test_add_func ("/saliency/planted", test_planted);
  g_test_add_func ("/saliency/zero-rows", test_zero_rows);
  g_test_add_func ("/saliency/flow-of-a-chain", test_flow_of_a_chain);
  int status = g_test_run ();
  json_decref (reference);
  json_decref (faithfulness);
  return status;
}
