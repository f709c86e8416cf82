/* SPDX-License-Identifier: MIT
 * Statistics, against numbers worked out by hand; scores of heads, their table, and what
 * a session keeps of them. */
#include "analysis/hl-scores-result.h"
#include "base/hl-error.h"

#include <math.h>
#include <string.h>

static void
near (double found, double wanted)
{
  if (!(fabs (found - wanted) <= 1e-12))
    g_error ("%.15g expected, %.15g found", wanted, found);
}

static void
test_ranks (void)
{
  const double x[] = { 3, 1, NAN, 3, 2 };
  const double wanted[] = { 3.5, 1, NAN, 3.5, 2 };
  g_autofree double *ranks = hl_ranks (x, 5);
  for (int i = 0; i < 5; i++)
    if (isnan (wanted[i]))
      g_assert_true (isnan (ranks[i]));
    else
      near (ranks[i], wanted[i]);
}

/* Many numbers, with ties, both zeros and what is not there, against counting. */
static void
test_many_ranks (void)
{
  enum
  {
    N = 9000
  };
  g_autofree double *x = g_new (double, N);
  g_autoptr (GRand) rand = g_rand_new_with_seed (5);
  for (int i = 0; i < N; i++)
    x[i] = i % 97 == 0   ? NAN
           : i % 11 == 0 ? (i % 2 ? 0.0 : -0.0)
           : i % 7 == 0  ? g_rand_int_range (rand, -3, 3)
                         : g_rand_double_range (rand, -1e-3, 1e3) * (i % 3 - 1);
  x[1] = INFINITY;
  x[2] = -INFINITY;
  g_autofree double *ranks = hl_ranks (x, N);
  for (int i = 0; i < N; i += 13)
    {
      int less = 0, same = 0;
      for (int j = 0; j < N; j++)
        {
          less += x[j] < x[i];
          same += x[j] == x[i];
        }
      if (isnan (x[i]))
        g_assert_true (isnan (ranks[i]));
      else
        near (ranks[i], less + (same + 1) / 2.0);
    }
}

static void
test_correlation (void)
{
  /* By hand: ranks 1 2 3 4 5 against 2 1 4 3 5: 1 - 6 * 4 / 120. */
  const double x[] = { 10, 20, 30, 40, 50 }, y[] = { 4, 1, 16, 9, 25 };
  near (hl_spearman (x, y, 5, 1).mean, 0.8);
  const double flat[] = { 1, 1, 1, 1, 1 };
  g_assert_true (isnan (hl_spearman (x, flat, 5, 1).mean));
  g_assert_true (isnan (hl_pearson (x, y, 1)));
  near (hl_pearson (x, x, 5), 1);
  HlInterval r = hl_spearman (x, y, 5, 1), again = hl_spearman (x, y, 5, 1);
  g_assert_cmpfloat (r.low, <=, r.mean);
  g_assert_cmpfloat (r.high, >=, r.mean);
  near (r.low, again.low);
}

static void
test_quantiles (void)
{
  const double x[] = { 4, NAN, 1, 3, 2 };
  near (hl_quantile (x, 5, 0), 1);
  near (hl_quantile (x, 5, 0.5), 2.5);
  near (hl_quantile (x, 5, 1), 4);
  g_assert_true (isnan (hl_quantile (x, 0, 0.5)));
  near (hl_percentile_of (x, 5, 1, 3), 2.5 / 4);
  near (hl_percentile_of (x, 5, 1, 9), 1);
  g_assert_true (isnan (hl_percentile_of (x, 5, 1, NAN)));
}

/* Of many numbers the percentile interval is that of the normal distribution. */
static void
test_bootstrap (void)
{
  enum
  {
    N = 400
  };
  double x[N], sum = 0, squares = 0;
  GRand *rand = g_rand_new_with_seed (5);
  for (int i = 0; i < N; i++)
    {
      x[i] = g_rand_double (rand);
      sum += x[i];
    }
  g_rand_free (rand);
  for (int i = 0; i < N; i++)
    squares += (x[i] - sum / N) * (x[i] - sum / N);
  double half = 1.96 * sqrt (squares / N / N);
  HlInterval found = hl_bootstrap_mean (x, N, 1, 1);
  near (found.mean, sum / N);
  g_assert_cmpint (found.n, ==, N);
  g_assert_cmpfloat (fabs (found.mean - found.low - half), <, 0.15 * half);
  g_assert_cmpfloat (fabs (found.high - found.mean - half), <, 0.15 * half);
  const double one[] = { NAN, 7, NAN };
  found = hl_bootstrap_mean (one, 3, 1, 1);
  near (found.low, 7);
  g_assert_cmpint (found.n, ==, 1);
  found = hl_bootstrap_mean (one, 1, 1, 1);
  g_assert_cmpint (found.n, ==, 0);
  g_assert_true (isnan (found.mean));
}

/* Two layers of 2 and 3 heads; taylor = input + 10 layer + head; 2.5 less for "flip". */
static HlStack *
make_stack (HlModelInfo *info)
{
  HlStack *stack = hl_model_info_add_stack (info, "", 2);
  for (int l = 0; l < 2; l++)
    stack->layers[l] = (HlLayerInfo){ HL_ATTENTION_SELF, 2 + l, 2 + l, 4, FALSE };
  return stack;
}

static HlHeadScores *
make_scores (const HlStack *stack, int n_inputs)
{
  HlHeadScores *s = hl_head_scores_new (stack);
  for (int i = 0; i < n_inputs; i++)
    {
      g_autofree char *name = g_strdup_printf ("input %d", i);
      HlScoredInput *about = hl_head_scores_begin_input (s, name, "/a/path");
      about->label = i;
      about->predicted = i + 1;
      about->prob = 0.25;
      for (int l = 0; l < 2; l++)
        for (int h = 0; h < 2 + l; h++)
          {
            hl_head_scores_set (s, HL_SCORE_TAYLOR, l, h, i + 10 * l + h);
            if (i == 1)
              hl_head_scores_set (s, HL_SCORE_LOSS_CHANGE, l, h, 0.5 * (10 * l + h));
          }
    }
  return s;
}

static void
test_scores (void)
{
  g_autoptr (HlModelInfo) info = hl_model_info_new ();
  g_autoptr (HlHeadScores) s = make_scores (make_stack (info), 3);
  g_assert_cmpint (s->n_heads, ==, 5);
  near (hl_head_scores_get (s, HL_SCORE_TAYLOR, 2, 1, 2), 14);
  near (hl_head_scores_interval (s, HL_SCORE_TAYLOR, 1, 2).mean, 13);
  g_assert_true (isnan (hl_head_scores_get (s, HL_SCORE_LOSS_CHANGE, 0, 1, 1)));
  g_assert_cmpint (hl_head_scores_interval (s, HL_SCORE_LOSS_CHANGE, 1, 1).n, ==, 1);
  g_assert_false (hl_head_scores_has (s, HL_SCORE_FLIP));
  near (hl_head_scores_baseline (s, HL_SCORE_TAYLOR), (1 + 2 + 11 + 12 + 13) / 5.0);
  near (hl_head_scores_percentile (s, HL_SCORE_TAYLOR, 2, 0, 0), 2.5 / 3);
  g_autofree double *unit = hl_head_scores_normalise (s, HL_SCORE_TAYLOR);
  near (unit[0] * unit[0] + unit[1] * unit[1], 1);
  near (unit[1] / unit[0], 2);
  /* Estimates in the order of the changes of loss agree fully. */
  near (hl_scores_agreement (s, HL_SCORE_TAYLOR, HL_SCORE_LOSS_CHANGE).mean, 1);
  hl_head_scores_drop_input (s);
  g_assert_cmpint (hl_head_scores_get_n_inputs (s), ==, 2);
  near (hl_head_scores_interval (s, HL_SCORE_TAYLOR, 1, 2).mean, 12.5);
}

static void
test_csv (void)
{
  g_autoptr (HlModelInfo) info = hl_model_info_new ();
  const HlStack *stack = make_stack (info);
  g_autoptr (HlHeadScores) one = make_scores (stack, 1);
  g_autofree char *csv = hl_scores_to_csv (one);
  g_assert_cmpstr (csv, ==, "layer,head,taylor\n0,0,0\n0,1,1\n1,0,10\n1,1,11\n1,2,12\n");
  g_autoptr (HlHeadScores) three = make_scores (stack, 3);
  g_autofree char *wide = hl_scores_to_csv (three);
  g_assert_true (g_str_has_prefix (wide, "layer,head,loss_change,loss_change_low,"
                                         "loss_change_high,taylor,taylor_low,"
                                         "taylor_high\n0,0,0,0,0,1,"));
}

static void
test_result (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlModelInfo) info = hl_model_info_new ();
  const HlStack *stack = make_stack (info);
  for (int n = 1; n <= 3; n += 2)
    {
      g_autoptr (HlHeadScores) s = make_scores (stack, n);
      s->is_partial = n == 3;
      hl_head_scores_skip (s, "bad.png: no picture");
      s->n_hops = 2;
      s->n_hop_inputs = n;
      s->hops = g_new0 (double, 10);
      s->hop_mass = g_new0 (double, 10);
      s->hop_uniform = g_new0 (double, 2);
      s->hop_edges = g_new0 (int, 3);
      s->hops[9] = 0.5 * n;
      s->hop_edges[1] = 1;
      g_autoptr (HlSessionResult) result =
          hl_scores_to_result (s, HL_RESULT_IMPORTANCE, "{\"ablation\": \"zero\"}", "{}");
      const HlSessionArray *hops = hl_session_result_get_array (result, "hop_strength");
      g_assert_cmpint (hops->tensor->shape.dim[2], ==, 2);
      near (((double *) hops->tensor->data)[(3 + 2) * 2 + 1], 0.5);
      g_assert_true (isnan (((double *) hops->tensor->data)[2 * 2])); /* no head 0.2 */
      g_assert_nonnull (strstr (result->params_json, "\"ablation\":\"zero\""));
      g_autoptr (HlHeadScores) back = hl_scores_from_result (result, stack, &error);
      g_assert_no_error (error);
      g_assert_cmpint (hl_head_scores_get_n_inputs (back), ==, n);
      g_assert_cmpint (back->is_partial, ==, n == 3);
      g_assert_cmpstr (g_ptr_array_index (back->skipped, 0), ==, "bad.png: no picture");
      g_assert_cmpint (hl_head_scores_get_input (back, n - 1)->predicted, ==, n);
      g_assert_cmpint (back->n_hops, ==, 2);
      near (back->hops[9], 0.5);
      for (int i = 0; i < n; i++)
        for (int l = 0; l < 2; l++)
          for (int h = 0; h < 2 + l; h++)
            near (hl_head_scores_get (back, HL_SCORE_TAYLOR, i, l, h), i + 10 * l + h);
    }
}

static void
test_other_results (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlModelInfo) info = hl_model_info_new ();
  const HlStack *stack = make_stack (info);
  g_autoptr (HlSessionResult) other = hl_session_result_new ("else", "{}", "{}");
  g_assert_null (hl_scores_from_result (other, stack, &error));
  g_assert_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED);
  g_clear_error (&error);
  /* Arrays of other heads are left out, bad parameters too. */
  static const char *const axes[] = { "layer", "head", NULL };
  g_autoptr (HlSessionResult) odd =
      hl_session_result_new (HL_RESULT_STRENGTH, "{\"inputs\": 7", "{}");
  const double x[] = { 1, 2, 3, 4 };
  g_autoptr (HlTensor) small = hl_tensor_new_copy (HL_DTYPE_F64, HL_SHAPE (2, 2), x);
  hl_session_result_add_array (odd, "taylor", small, axes, "");
  g_autoptr (HlHeadScores) s = hl_scores_from_result (odd, stack, &error);
  g_assert_no_error (error);
  g_assert_false (hl_head_scores_has (s, HL_SCORE_TAYLOR));
}

static void
test_table (void)
{
  for (int i = 0; i < HL_N_SCORES; i++)
    {
      const HlScoreInfo *info = hl_score_get_info ((HlScore) i);
      g_assert_cmpint (hl_score_from_name (info->name), ==, i);
      g_assert_cmpint (strlen (info->formula), >, 5);
    }
  g_assert_cmpint (hl_score_from_name ("nonsense"), ==, HL_N_SCORES);
}

/* Wilson's interval against numbers worked out by hand; it has a width at the ends. */
static void
test_wilson (void)
{
  HlInterval two = hl_wilson (2, 5), all = hl_wilson (3, 3), none = hl_wilson (0, 0);
  g_assert_cmpfloat (two.mean, ==, 0.4);
  g_assert_cmpfloat_with_epsilon (two.low, 0.117621, 1e-5);
  g_assert_cmpfloat_with_epsilon (two.high, 0.769276, 1e-5);
  g_assert_cmpfloat_with_epsilon (all.low, 0.438503, 1e-5);
  g_assert_cmpfloat_with_epsilon (all.high, 1, 1e-12);
  g_assert_cmpint (none.n, ==, 0);
  g_assert_true (isnan (none.mean));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/scores/ranks", test_ranks);
  g_test_add_func ("/scores/many-ranks", test_many_ranks);
  g_test_add_func ("/scores/correlation", test_correlation);
  g_test_add_func ("/scores/quantiles", test_quantiles);
  g_test_add_func ("/scores/bootstrap", test_bootstrap);
  g_test_add_func ("/scores/scores", test_scores);
  g_test_add_func ("/scores/csv", test_csv);
  g_test_add_func ("/scores/result", test_result);
  g_test_add_func ("/scores/other-results", test_other_results);
  g_test_add_func ("/scores/table", test_table);
  g_test_add_func ("/scores/wilson", test_wilson);
  return g_test_run ();
}
