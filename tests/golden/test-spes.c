/* SPDX-License-Identifier: MIT
 * SPES against the reference library and NumPy (make-spes.py), and what is true of it by
 * definition: seeds, batches, stops, a model that reads one region alone. */
#include "analysis/hl-spes.h"
#include "analysis/hl-statistics.h"
#include "backend/cpu/hl-cpu.h"
#include "base/hl-error.h"
#include "golden-model.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

#define LIMIT 1e-5

typedef struct
{
  const json_t *about;
  HlModel *model;
  HlInput *input;
  HlBackend *backend;
  GArray *targets;
  HlSaliencyOptions options;
} Case;

static json_t *reference;

static int
int_of (const json_t *about, const char *name)
{
  return (int) json_integer_value (json_object_get (about, name));
}

static void
read_options (Case *c)
{
  const json_t *list = json_object_get (c->about, "granularities");
  HlSpesOptions *o = &c->options.spes;
  c->options.method = HL_SALIENCY_SPES;
  c->options.seed = (guint32) int_of (c->about, "seed");
  c->options.at_features = json_is_true (json_object_get (c->about, "at_features"));
  g_assert_true (hl_baseline_from_name (
      json_string_value (json_object_get (c->about, "baseline")), &c->options.baseline));
  o->n_masks = int_of (c->about, "masks");
  o->takes_mean = json_is_true (json_object_get (c->about, "mean"));
  o->n_granularities = (int) json_array_size (list);
  for (int g = 0; g < o->n_granularities; g++)
    o->granularities[g] = (int) json_integer_value (json_array_get (list, (gsize) g));
}

static void
case_init (Case *c, gsize index)
{
  *c = (Case){ .about = json_array_get (reference, index) };
  const json_t *targets = json_object_get (c->about, "targets");
  golden_open_model (json_string_value (json_object_get (c->about, "model")), &c->model,
                     &c->input);
  c->backend = hl_cpu_backend_new (HL_DTYPE_F64, 2);
  c->targets = g_array_new (FALSE, FALSE, sizeof (HlSaliencyTarget));
  for (gsize i = 0; i < json_array_size (targets); i++)
    {
      const json_t *one = json_array_get (targets, i);
      HlSaliencyTarget target = { json_integer_value (json_array_get (one, 0)),
                                  (int) json_integer_value (json_array_get (one, 1)),
                                  -1 };
      g_array_append_val (c->targets, target);
    }
  read_options (c);
}

static void
case_clear (Case *c)
{
  hl_model_unref (c->model);
  hl_input_unref (c->input);
  hl_backend_unref (c->backend);
  g_clear_pointer (&c->targets, g_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Case, case_clear)

static HlSpes *
begin (const Case *c)
{
  g_autoptr (GError) error = NULL;
  HlSpes *spes = hl_spes_new_for (c->model, c->input, c->backend, c->targets, &c->options,
                                  NULL, &error);
  g_assert_no_error (error);
  return spes;
}

static void
go_on (HlSpes *spes, int n_more)
{
  g_autoptr (GError) error = NULL;
  hl_spes_run (spes, n_more, NULL, &error);
  g_assert_no_error (error);
}

static HlSaliencySet *
score (const Case *c)
{
  g_autoptr (HlSpes) spes = begin (c);
  go_on (spes, 0);
  return hl_spes_to_set (spes);
}

static const HlSaliencyRow *
row_at (const HlSaliencySet *set, guint i)
{
  return g_ptr_array_index (set->rows, i);
}

/* ---- the reference -------------------------------------------------------------------
 */

static void
assert_list (const double *found, int n, const json_t *list, const char *what)
{
  double most = 0.02; /* logits are float32 by then */
  g_assert_cmpint ((int) json_array_size (list), <=, n);
  g_assert_cmpint ((int) json_array_size (list), >, 0);
  for (gsize i = 0; i < json_array_size (list); i++)
    most = fmax (most, json_number_value (json_array_get (list, i)));
  for (gsize i = 0; i < (gsize) n; i++)
    {
      const json_t *wanted = json_array_get (list, i);
      double x = json_number_value (wanted);
      if (wanted == NULL || json_is_null (wanted)
              ? !isnan (found[i])
              : !(fabs (found[i] - x) <= LIMIT * most))
        g_error ("%s, %d: %.9g expected, %.9g found", what, (int) i, x, found[i]);
    }
}

static void
assert_cells (const HlSpesMaps *maps, const json_t *wanted)
{
  gsize n = (gsize) maps->n_rows * (gsize) maps->n_columns;
  g_assert_true ((wanted == NULL) == (maps->cells == NULL));
  if (wanted == NULL)
    return;
  g_autofree double *cells = g_new (double, n + 1);
  for (gsize i = 0; i < n; i++)
    cells[i] = (double) maps->cells[i];
  assert_list (cells, (int) n, wanted, "cell");
}

static void
test_reference (gconstpointer data)
{
  g_auto (Case) c = { 0 };
  case_init (&c, GPOINTER_TO_UINT (data));
  g_autoptr (HlSaliencySet) set = score (&c);
  const HlSpesMaps *maps = set->spes;
  const json_t *units = json_object_get (c.about, "units");
  const json_t *asked = json_object_get (c.about, "asked");
  g_assert_cmpint (maps->n_granularities, ==, (int) json_array_size (units));
  for (int g = 0; g < maps->n_granularities; g++)
    {
      g_assert_cmpint (maps->asked[g], ==,
                       (int) json_integer_value (json_array_get (asked, (gsize) g)));
      g_assert_cmpint (maps->units[g], ==,
                       (int) json_integer_value (json_array_get (units, (gsize) g)));
    }
  for (guint k = 0; k < set->rows->len; k++)
    assert_list (row_at (set, k)->scores, row_at (set, k)->n_tokens,
                 json_array_get (json_object_get (c.about, "scores"), k), "token");
  assert_cells (maps, json_object_get (c.about, "cells"));
  double r = json_real_value (json_object_get (c.about, "half_correlation"));
  g_assert_cmpfloat_with_epsilon (maps->half_correlation, r, 1e-4);
  g_assert_cmpfloat_with_epsilon (
      maps->reliability,
      r > 0 ? 2 * maps->half_correlation / (1 + maps->half_correlation) : 0, 1e-12);
  g_assert_cmpfloat_with_epsilon (maps->ceiling, sqrt (maps->reliability), 1e-12);
}

/* ---- seeds, batches, stops -----------------------------------------------------------
 */

/* The largest difference of two sets' scores; NaN is where NaN is. */
static double
distance (const HlSaliencySet *a, const HlSaliencySet *b)
{
  double most = 0;
  g_assert_cmpint ((int) a->rows->len, ==, (int) b->rows->len);
  for (guint k = 0; k < a->rows->len; k++)
    for (int t = 0; t < row_at (a, k)->n_tokens; t++)
      {
        double x = row_at (a, k)->scores[t], y = row_at (b, k)->scores[t];
        g_assert_true (isnan (x) == isnan (y));
        most = isnan (x) ? most : fmax (most, fabs (x - y));
      }
  return most;
}

static void
test_seeds_and_batches (gconstpointer data)
{
  g_auto (Case) c = { 0 };
  case_init (&c, GPOINTER_TO_UINT (data));
  g_autoptr (HlSaliencySet) first = score (&c);
  g_autoptr (HlSaliencySet) again = score (&c);
  g_assert_cmpfloat (distance (first, again), ==, 0);
  static const int batches[] = { 1, 7, 64 };
  for (guint i = 0; i < G_N_ELEMENTS (batches); i++)
    {
      c.options.spes.batch = batches[i];
      g_autoptr (HlSaliencySet) other = score (&c);
      g_assert_cmpint (other->spes->batch, ==, batches[i]);
      g_assert_cmpfloat (distance (first, other), <, 1e-5);
    }
  c.options.seed++;
  g_autoptr (HlSaliencySet) other = score (&c);
  g_assert_cmpfloat (distance (first, other), >, 1e-4);
}

/* In float32, which the same test built for a device runs there. */
static void
test_single (gconstpointer data)
{
  g_auto (Case) c = { 0 };
  case_init (&c, GPOINTER_TO_UINT (data));
  c.options.spes.n_masks = 10;
  g_autoptr (HlSaliencySet) wanted = score (&c);
  hl_backend_unref (c.backend);
  c.backend = hl_cpu_backend_new (HL_DTYPE_F32, 2);
  g_autoptr (HlSaliencySet) found = score (&c);
  g_assert_cmpfloat (distance (wanted, found), <, 1e-3);
  g_assert_cmpfloat (distance (wanted, found), >, 0);
}

static void
assert_same (const HlSpesMaps *a, const HlSpesMaps *b)
{
  gsize n = (gsize) a->n_units, targets = (gsize) a->n_targets;
  g_assert_cmpint (a->n_done, ==, b->n_done);
  g_assert_cmpmem (a->sums, 2 * targets * n * sizeof (double), b->sums,
                   2 * targets * n * sizeof (double));
  g_assert_cmpmem (a->counts, 2 * n * sizeof (gint32), b->counts,
                   2 * n * sizeof (gint32));
  g_assert_cmpint ((int) a->checks->len, ==, (int) b->checks->len);
  for (guint i = 0; i < a->checks->len; i++)
    {
      const HlSpesCheck *x = &g_array_index (a->checks, HlSpesCheck, i);
      const HlSpesCheck *y = &g_array_index (b->checks, HlSpesCheck, i);
      g_assert_cmpint (x->n_masks, ==, y->n_masks);
      g_assert_cmpfloat (x->reliability, ==, y->reliability);
    }
}

typedef struct
{
  const HlSpes *spes;
  GCancellable *cancellable;
} Stop;

/* After 20 masks, in the middle of the check. */
static void
cancel_cb (gpointer data)
{
  const Stop *stop = data;
  if (stop->spes != NULL && hl_spes_get_n_done (stop->spes) == 20)
    g_cancellable_cancel (stop->cancellable);
}

/* Stopped by a cancellable, by the number of masks, and through a result: bit for bit as
 * if nothing had happened. */
static void
test_stops (gconstpointer data)
{
  g_auto (Case) c = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Stop stop = { NULL, cancellable };
  const HlProgress progress = { .yield = cancel_cb,
                                .yield_data = &stop,
                                .cancellable = cancellable };
  case_init (&c, GPOINTER_TO_UINT (data));
  c.options.spes.batch = 7;
  c.options.spes.check_every = 20;
  g_autoptr (HlSpes) whole = begin (&c);
  go_on (whole, 0);
  g_assert_cmpint ((int) hl_spes_get_maps (whole)->checks->len, ==, 3);
  g_autoptr (HlSpes) part = begin (&c);
  stop.spes = part;
  g_assert_false (hl_spes_run (part, 0, &progress, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_assert_cmpint (hl_spes_get_n_done (part), ==, 20);
  g_assert_cmpint ((int) hl_spes_get_maps (part)->checks->len, ==, 0);
  g_assert_false (hl_spes_is_done (part));
  go_on (part, 5);
  g_assert_cmpint (hl_spes_get_n_done (part), ==, 27);
  g_autoptr (HlSaliencySet) set = hl_spes_to_set (part);
  g_autoptr (HlSessionResult) result = hl_saliency_set_to_result (set, "{}");
  c.options.spes.batch = 64;
  g_autoptr (HlSpes) late = begin (&c);
  g_assert_true (hl_spes_resume (late, result, &error));
  g_assert_no_error (error);
  g_assert_cmpint (hl_spes_get_n_done (late), ==, 27);
  g_assert_cmpint (hl_spes_get_maps (late)->batch, ==, 7);
  go_on (late, 0);
  go_on (part, 0);
  g_assert_true (hl_spes_is_done (late));
  assert_same (hl_spes_get_maps (whole), hl_spes_get_maps (part));
  assert_same (hl_spes_get_maps (whole), hl_spes_get_maps (late));
}

/* What an earlier run was of has to be the same. */
static void
test_resume_refused (void)
{
  g_auto (Case) c = { 0 };
  case_init (&c, 0);
  g_autoptr (HlSaliencySet) set = score (&c);
  g_autoptr (HlSessionResult) result = hl_saliency_set_to_result (set, "{}");
  g_autoptr (HlSessionResult) none = hl_session_result_new ("saliency", "{}", "{}");
  for (int what = 0; what < 6; what++)
    {
      g_auto (Case) other = { 0 };
      g_autoptr (GError) error = NULL;
      case_init (&other, what == 3 ? 2 : 0);
      other.options.seed += what == 0;
      other.options.baseline = what == 1 ? HL_BASELINE_MEAN : HL_BASELINE_ZERO;
      if (what == 2)
        g_array_set_size (other.targets, 4);
      if (what == 5)
        g_array_index (other.targets, HlSaliencyTarget, 2).index++;
      g_autoptr (HlSpes) spes = begin (&other);
      g_assert_false (hl_spes_resume (spes, what == 4 ? none : result, &error));
      g_assert_error (error, HL_ERROR, (what == 4 ? HL_ERROR_FORMAT : HL_ERROR_RANGE));
      g_assert_cmpint (hl_spes_get_n_done (spes), ==, 0);
    }
}

/* Numbers of a file are not to be believed. */
static void
test_resume_damaged (void)
{
  g_auto (Case) c = { 0 };
  case_init (&c, 0);
  for (int what = 0; what < 3; what++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (HlSaliencySet) set = score (&c);
      g_autoptr (HlSpes) spes = begin (&c);
      if (what == 0)
        set->spes->sums[3] = NAN;
      else if (what == 1)
        set->spes->counts[3] = 1000;
      else
        set->spes->n_done = 3;
      g_autoptr (HlSessionResult) result = hl_saliency_set_to_result (set, "{}");
      g_assert_false (hl_spes_resume (spes, result, &error));
      g_assert_error (error, HL_ERROR, HL_ERROR_FORMAT);
    }
}

static void
count_cb (const HlSpes *spes, gpointer data)
{
  const HlSpesMaps *maps = hl_spes_get_maps (spes);
  int *n = data;
  (*n)++;
  g_assert_cmpint (maps->n_done, ==, 10 * *n);
  g_assert_cmpfloat (hl_spes_get_reliability (spes), ==, maps->reliability);
  g_autoptr (HlSaliencySet) set = hl_spes_to_set (spes);
  g_assert_cmpfloat (set->spes->reliability, ==, maps->reliability);
}

/* It ends at the first check that finds it stable, and says so at each. */
static void
test_stable (void)
{
  g_auto (Case) c = { 0 };
  int n = 0;
  case_init (&c, 0);
  c.options.spes.n_masks = 5000;
  c.options.spes.check_every = 10;
  c.options.spes.stable_at = 0.8;
  c.options.spes.checked = count_cb;
  c.options.spes.checked_data = &n;
  g_autoptr (HlSpes) spes = begin (&c);
  go_on (spes, 0);
  const GArray *checks = hl_spes_get_maps (spes)->checks;
  g_assert_true (hl_spes_is_done (spes));
  g_assert_cmpint (hl_spes_get_n_done (spes), <, 1000);
  g_assert_cmpint ((int) checks->len, ==, n);
  for (guint i = 0; i < checks->len; i++)
    g_assert_true ((g_array_index (checks, HlSpesCheck, i).reliability >= 0.8) ==
                   (i + 1 == checks->len));
}

/* ---- the rest of the program ---------------------------------------------------------
 */

/* One target by itself, and all of a text, are the same runs. */
static void
test_sets (void)
{
  g_auto (Case) c = { 0 };
  g_autoptr (GError) error = NULL;
  case_init (&c, 0);
  g_autoptr (HlSaliencySet) wanted = score (&c);
  g_autoptr (HlSaliencySet) set = hl_saliency_set_score (
      c.model, c.input, c.backend, HL_TARGET_EVERY, -1, -1, &c.options, NULL, &error);
  g_assert_no_error (error);
  g_assert_nonnull (set->spes);
  g_assert_cmpfloat (distance (wanted, set), ==, 0);
  const HlSaliencyRow *row = row_at (wanted, 11);
  g_autoptr (HlSaliencyRow) one = hl_saliency_score (
      c.model, c.input, c.backend, row->target, &c.options, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpfloat_with_epsilon (one->z, row->z, 1e-5);
  g_assert_cmpfloat_with_epsilon (one->difference, row->difference, 1e-5);
  for (int t = 0; t < one->n_tokens; t++)
    if (t <= row->target.row)
      g_assert_cmpfloat_with_epsilon (one->scores[t], row->scores[t], 1e-5);
    else
      g_assert_true (isnan (one->scores[t]));
}

/* Where something is done to more than a head's output, the decoder makes keys and values
 * of each mask anew: to the same numbers. Here nothing is done, in such a way. */
static void
test_keys (gconstpointer data)
{
  g_auto (Case) c = { 0 };
  case_init (&c, GPOINTER_TO_UINT (data));
  const float nothing = 0;
  g_autoptr (HlTensor) mask =
      hl_tensor_new_copy (HL_DTYPE_F32, HL_SHAPE (1, 1, 1, 1), &nothing);
  g_autoptr (GPtrArray) given =
      g_ptr_array_new_with_free_func ((GDestroyNotify) hl_intervention_unref);
  g_ptr_array_add (given, hl_intervention_new (HL_INTERVENTION_BLEND, HL_SITE_Z, 1, 0,
                                               mask, NULL, "nothing"));
  g_autoptr (HlSaliencySet) quick = score (&c);
  c.options.interventions = given;
  g_autoptr (HlSaliencySet) plain = score (&c);
  g_assert_cmpstr (plain->spes->interventions, ==, "nothing");
  g_assert_cmpfloat (distance (quick, plain), <, 1e-6);
  /* A pruned head changes what is found, either way. */
  g_ptr_array_set_size (given, 0);
  g_ptr_array_add (
      given, hl_intervention_new_scale_head (hl_model_get_info (c.model), 2, 1, 0, 0));
  g_autoptr (HlSaliencySet) pruned = score (&c);
  g_assert_cmpfloat (distance (quick, pruned), >, 1e-4);
}

static void
test_refused (void)
{
  g_auto (Case) c = { 0 };
  g_autoptr (GError) error = NULL;
  case_init (&c, 0);
  g_assert_null (hl_saliency_set_score (c.model, c.input, c.backend, HL_TARGET_EVERY, 5,
                                        -1, &c.options, NULL, &error));
  g_assert_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED);
  g_clear_error (&error);
  c.options.spes.stable_at = 1.5;
  g_assert_null (
      hl_spes_new_for (c.model, c.input, c.backend, c.targets, &c.options, NULL, &error));
  g_assert_error (error, HL_ERROR, HL_ERROR_RANGE);
  g_clear_error (&error);
  c.options.spes.stable_at = 0;
  c.options.baseline = HL_BASELINE_BLUR;
  g_assert_null (
      hl_spes_new_for (c.model, c.input, c.backend, c.targets, &c.options, NULL, &error));
  g_assert_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED);
}

static void
assert_array (const HlSessionResult *result,
              const char *name,
              HlDtype dtype,
              HlShape shape)
{
  const HlSessionArray *array = hl_session_result_get_array (result, name);
  g_assert_nonnull (array);
  g_assert_true (array->tensor->dtype == dtype);
  g_assert_true (hl_shape_equal (&array->tensor->shape, &shape));
}

/* Of a recording: cells of real frames alone, with their axes. */
static void
test_result (void)
{
  g_auto (Case) c = { 0 };
  case_init (&c, 7);
  c.input->n_real_frames = 31;
  g_autoptr (HlSaliencySet) set = score (&c);
  g_autoptr (HlSessionResult) result = hl_saliency_set_to_result (set, "{}");
  const HlSpesMaps *maps = set->spes;
  gint64 n = (gint64) c.targets->len;
  assert_array (result, "saliency", HL_DTYPE_F64, HL_SHAPE (n, 26));
  assert_array (result, "saliency_cells", HL_DTYPE_F32, HL_SHAPE (n, 16, 31));
  assert_array (result, "convergence", HL_DTYPE_F64, HL_SHAPE (2, 2));
  assert_array (result, "spes_sums", HL_DTYPE_F64, HL_SHAPE (2, n, maps->n_units));
  assert_array (result, "spes_counts", HL_DTYPE_I32, HL_SHAPE (2, maps->n_units));
  const HlSessionArray *cells = hl_session_result_get_array (result, "saliency_cells");
  g_assert_cmpstr (cells->axes[1], ==, "band");
  g_assert_cmpstr (cells->axes[2], ==, "frame");
  g_assert_cmpstr (cells->unit, ==, "nat");
  for (int t = 0; t < 26; t++) /* the 16th token has one frame */
    g_assert_true ((row_at (set, 0)->scores[t] > 0) == (t < 16));
}

/* ---- planted -------------------------------------------------------------------------
 */

/* Share of @x, of tokens behind CLS, that lies inside the region of make-planted.py. */
static double
share_inside (const double *x, int n)
{
  double inside = 0, all = 0;
  for (int i = 0; i < n; i++)
    {
      all += fabs (x[i]);
      inside += i >= 8 && i < 13 ? fabs (x[i]) : 0;
    }
  return inside / all;
}

/* The model reads tokens 9 to 13 alone. All others have the floor, the mean score of all
 * masks, and noise that shrinks with the root of their number. A divergence has no sign:
 * one of the tokens that are read lies below the floor, because hiding it undoes what
 * hiding others does, so that of what lies above the least score, as the paper scales it,
 * only a part is inside; of what lies off the floor, either way, nearly all. */
static void
test_planted (void)
{
  g_auto (Case) c = { .options = { .method = HL_SALIENCY_SPES, .seed = 3 } };
  const HlSaliencyTarget target = { -1, 0, -1 };
  static const int masks[] = { 1000, 60000 };
  double off[23], share = 0;
  golden_open_model ("../planted", &c.model, &c.input);
  c.backend = hl_cpu_backend_new (HL_DTYPE_F64, 2);
  c.targets = g_array_new (FALSE, FALSE, sizeof (HlSaliencyTarget));
  g_array_append_val (c.targets, target);
  for (guint i = 0; i < G_N_ELEMENTS (masks); i++)
    {
      c.options.spes.n_masks = masks[i];
      g_autoptr (HlSaliencySet) set = score (&c);
      const double *scores = row_at (set, 0)->scores + 1; /* CLS reads itself */
      double floor_ = hl_quantile (scores, 23, 0.5);
      g_autofree double *scaled = hl_spes_normalise (scores, 23);
      for (int t = 0; t < 23; t++)
        off[t] = scores[t] - floor_;
      for (int t = 0; t < 23; t++)
        if (t < 8 || t >= 13)
          g_assert_true (off[t] < off[10] && off[t] < off[12] && off[t] > off[11]);
      share = share_inside (off, 23);
      g_test_message ("%d masks: %.4f inside, of what is scaled from the least %.4f",
                      masks[i], share, share_inside (scaled, 23));
    }
  g_assert_cmpfloat (share, >=, 0.95);
}

static void
test_normalise (void)
{
  const double some[] = { 2, NAN, 4, 3 }, equal[] = { 5, 5 };
  g_autofree double *x = hl_spes_normalise (some, 4);
  g_autofree double *y = hl_spes_normalise (equal, 2);
  g_assert_true (x[0] == 0 && isnan (x[1]) && x[2] == 1 && x[3] == 0.5);
  g_assert_true (y[0] == 0 && y[1] == 0);
}

static void
add (const char *name, gsize index, GTestDataFunc func)
{
  const json_t *about = json_array_get (reference, index);
  g_autofree char *path = g_strdup_printf (
      "/spes/%s/%s-%s%s", name, json_string_value (json_object_get (about, "model")),
      json_string_value (json_object_get (about, "baseline")),
      json_is_true (json_object_get (about, "at_features")) ? "-features" : "");
  g_test_add_data_func (path, GUINT_TO_POINTER ((guint) index), func);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_autofree char *path =
      g_test_build_filename (G_TEST_DIST, "golden", "spes.json", NULL);
  reference = json_load_file (path, 0, NULL);
  g_assert_true (json_is_array (reference));
  for (gsize i = 0; i < json_array_size (reference); i++)
    {
      add ("reference", i, test_reference);
      add ("seeds-and-batches", i, test_seeds_and_batches);
      add ("single", i, test_single);
      add ("stops", i, test_stops);
      if (json_is_true (json_object_get (json_array_get (reference, i), "at_features")))
        add ("keys", i, test_keys);
    }
  g_test_add_func ("/spes/resume-refused", test_resume_refused);
  g_test_add_func ("/spes/resume-damaged", test_resume_damaged);
  g_test_add_func ("/spes/stable", test_stable);
  g_test_add_func ("/spes/sets", test_sets);
  g_test_add_func ("/spes/refused", test_refused);
  g_test_add_func ("/spes/result", test_result);
  g_test_add_func ("/spes/planted", test_planted);
  g_test_add_func ("/spes/normalise", test_normalise);
  int status = g_test_run ();
  json_decref (reference);
  return status;
}
