/* SPDX-License-Identifier: MIT
 * Attention beside saliency, on maps and scores made by hand. */
#include "analysis/hl-cross-result.h"
#include "analysis/hl-result-reader.h"
#include "base/hl-error.h"
#include "trace/hl-attention-source.h"

#include <math.h>

#define N 6 /* rows of the decoder: targets are read at rows 1 to 5 */
#define M 8 /* keys, of which the last two do not count */
#define TARGETS 5

typedef struct
{
  HlTrace *trace;
  HlAttentionSource *source;
  HlSaliencySet *set;
  float maps[2][2][N][M];
} Fixture;

static double
saliency_at (int i, int j)
{
  return fabs (sin (1.7 * i + 0.9 * j * j)) + 0.1;
}

/* Head 0.0 goes along the diagonal, 0.1 back; 1.0 is the saliency itself, larger in some
 * rows than in others; 1.1 is something else. */
static void
fill_maps (Fixture *f)
{
  for (int i = 0; i < N; i++)
    for (int j = 0; j < M; j++)
      {
        f->maps[0][0][i][j] = j == i ? 1 : 0;
        f->maps[0][1][i][j] = j == N - 1 - i ? 1 : 0;
        f->maps[1][0][i][j] = (float) (saliency_at (i - 1, j) * (0.1 + 0.05 * i));
        f->maps[1][1][i][j] = (float) (0.2 + 0.1 * cos (3.1 * i - 1.3 * j));
      }
}

static HlTrace *
make_trace (Fixture *f)
{
  HlModelInfo *info = hl_model_info_new ();
  hl_model_info_add_stack (info, "encoder", 1)->layers[0].n_heads = 1;
  hl_model_info_add_stack (info, "decoder", 1)->layers[0].n_heads = 1;
  HlStack *cross = hl_model_info_add_cross (info, 1, 0, 2);
  cross->layers[0].n_heads = cross->layers[1].n_heads = 2;
  info->readout_stack = 1;
  HlTrace *trace = hl_trace_new (info);
  for (int l = 0; l < 2; l++)
    {
      g_autofree char *name = hl_trace_site_name (info, 2, l, "attn.hook_pattern");
      g_autoptr (HlTensor) map =
          hl_tensor_new_copy (HL_DTYPE_F32, HL_SHAPE (2, N, M), f->maps[l]);
      hl_trace_set_site (trace, name, map);
    }
  hl_model_info_unref (info);
  g_ptr_array_add (trace->tokens, hl_token_table_new (M));
  g_ptr_array_add (trace->tokens, hl_token_table_new (N));
  g_ptr_array_add (trace->tokens, hl_token_table_new (N));
  return trace;
}

static HlSaliencySet *
make_set (HlSaliencyMethod method)
{
  HlSaliencySet *set = g_new0 (HlSaliencySet, 1);
  set->options.method = method;
  set->rows = g_ptr_array_new_with_free_func ((GDestroyNotify) hl_saliency_row_free);
  set->names = g_ptr_array_new_with_free_func (g_free);
  set->tokens = hl_token_table_new (M);
  set->tokens->tokens[M - 2].role = HL_ROLE_PADDING;
  set->tokens->tokens[M - 1].role = HL_ROLE_SPECIAL;
  for (int i = 0; i < TARGETS; i++)
    {
      HlSaliencyRow *row = g_new0 (HlSaliencyRow, 1);
      row->target = (HlSaliencyTarget){ i + 1, i, -1 };
      row->n_tokens = M;
      row->scores = g_new (double, M);
      for (int j = 0; j < M; j++)
        row->scores[j] =
            saliency_at (i, j) * (hl_saliency_is_signed (method) && j % 2 == 1 ? -1 : 1);
      g_ptr_array_add (set->rows, row);
      g_ptr_array_add (set->names, g_strdup ("t"));
    }
  return set;
}

static void
set_up (Fixture *f, gconstpointer data)
{
  fill_maps (f);
  f->trace = make_trace (f);
  f->source = hl_attention_source_new (f->trace);
  f->set = make_set (HL_SALIENCY_RELEVANCE);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  hl_attention_source_unref (f->source);
  hl_trace_unref (f->trace);
  hl_saliency_set_free (f->set);
}

static HlCrossComparison *
compare (const Fixture *f, const HlCrossOptions *options)
{
  g_autoptr (GError) error = NULL;
  HlCrossComparison *c =
      hl_cross_compare (f->source, NULL, 2, f->set, options, NULL, &error);
  g_assert_no_error (error);
  return c;
}

/* The plain formula over the first @m keys of the rows of targets. */
static double
pearson_of (double (*x) (const Fixture *, int, int),
            const Fixture *f,
            int m,
            gboolean is_raw)
{
  double n = 0, sx = 0, sy = 0, sxx = 0, syy = 0, sxy = 0;
  for (int i = 0; i < TARGETS; i++)
    {
      double mx = 0, my = 0, vx = 0, vy = 0;
      for (int j = 0; j < m; j++)
        {
          mx += x (f, i, j) / m;
          my += saliency_at (i, j) / m;
        }
      for (int j = 0; j < m; j++)
        {
          vx += pow (x (f, i, j) - mx, 2) / m;
          vy += pow (saliency_at (i, j) - my, 2) / m;
        }
      for (int j = 0; j < m; j++)
        {
          double a = is_raw ? x (f, i, j) : (x (f, i, j) - mx) / sqrt (vx);
          double b = is_raw ? saliency_at (i, j) : (saliency_at (i, j) - my) / sqrt (vy);
          n++;
          sx += a;
          sy += b;
          sxx += a * a;
          syy += b * b;
          sxy += a * b;
        }
    }
  return (n * sxy - sx * sy) / sqrt ((n * sxx - sx * sx) * (n * syy - sy * sy));
}

static double
other_head (const Fixture *f, int i, int j)
{
  return (double) f->maps[1][1][i + 1][j];
}

static double
second_layer (const Fixture *f, int i, int j)
{
  return ((double) f->maps[1][0][i + 1][j] + (double) f->maps[1][1][i + 1][j]) / 2;
}

static double
all_heads (const Fixture *f, int i, int j)
{
  double sum = 0;
  for (int l = 0; l < 2; l++)
    for (int h = 0; h < 2; h++)
      sum += (double) f->maps[l][h][i + 1][j] / 4;
  return sum;
}

static void
test_numbers (Fixture *f, gconstpointer data)
{
  for (int raw = 0; raw < 2; raw++)
    for (int keeps = 0; keeps < 2; keeps++)
      {
        const HlCrossOptions options = { .is_raw = raw, .keeps_special = keeps };
        g_autoptr (HlCrossComparison) c = compare (f, &options);
        int m = keeps ? M : M - 2;
        g_assert_cmpint (c->n_targets, ==, TARGETS);
        g_assert_cmpfloat_with_epsilon (c->pearson[3], pearson_of (other_head, f, m, raw),
                                        1e-9);
        g_assert_cmpfloat_with_epsilon (c->pearson_layer[1],
                                        pearson_of (second_layer, f, m, raw), 1e-9);
        g_assert_cmpfloat_with_epsilon (c->pearson_all, pearson_of (all_heads, f, m, raw),
                                        1e-9);
        for (int j = 0; j < M; j++)
          g_assert_true (isnan (c->saliency[j]) == (!keeps && j >= M - 2));
        for (int i = 0; i < TARGETS; i++)
          for (int j = 0; j < m; j++)
            g_assert_cmpfloat_with_epsilon (c->attention[i * M + j], all_heads (f, i, j),
                                            1e-9);
      }
}

/* A head that is the saliency, larger in some rows: z-scored it is the same. */
static void
test_same (Fixture *f, gconstpointer data)
{
  const HlCrossOptions plain = { 0 }, raw = { .is_raw = TRUE };
  g_autoptr (HlCrossComparison) z = compare (f, &plain);
  g_autoptr (HlCrossComparison) r = compare (f, &raw);
  g_assert_cmpfloat_with_epsilon (z->pearson[2], 1, 1e-6);
  g_assert_cmpfloat_with_epsilon (z->spearman[2], 1, 1e-2);
  g_assert_cmpfloat (r->pearson[2], <, 0.99);
}

static void
test_diagonal (Fixture *f, gconstpointer data)
{
  const HlCrossOptions plain = { 0 };
  g_autoptr (HlCrossComparison) c = compare (f, &plain);
  g_assert_cmpfloat_with_epsilon (c->diagonality[0], 1, 1e-9);
  g_assert_cmpfloat_with_epsilon (c->diagonality[1], -1, 1e-9);
  g_assert_cmpfloat_with_epsilon (c->monotonicity[0], 1, 1e-9);
  /* Going back, a path that may not catches three neighbouring keys at most. */
  g_assert_cmpfloat_with_epsilon (c->monotonicity[1], 3.0 / TARGETS, 1e-9);
}

/* Of signed saliency the size counts. */
static void
test_signed (Fixture *f, gconstpointer data)
{
  const HlCrossOptions plain = { 0 };
  g_autoptr (HlCrossComparison) whole = compare (f, &plain);
  hl_saliency_set_free (f->set);
  f->set = make_set (HL_SALIENCY_GRADIENT_INPUT);
  g_autoptr (HlCrossComparison) by_size = compare (f, &plain);
  g_assert_cmpfloat_with_epsilon (by_size->pearson_all, whole->pearson_all, 1e-12);
}

static void
test_other_tokens (Fixture *f, gconstpointer data)
{
  const HlCrossOptions plain = { 0 };
  g_autoptr (GError) error = NULL;
  hl_token_table_unref (f->set->tokens);
  f->set->tokens = hl_token_table_new (M - 1);
  g_assert_null (hl_cross_compare (f->source, NULL, 2, f->set, &plain, NULL, &error));
  g_assert_error (error, HL_ERROR, HL_ERROR_SHAPE);
}

static void
test_result (Fixture *f, gconstpointer data)
{
  const HlCrossOptions plain = { 0 };
  g_autoptr (HlCrossComparison) c = compare (f, &plain);
  g_autoptr (HlSessionResult) result =
      hl_cross_comparison_to_result (c, f->set, &plain, "{}");
  g_autofree char *csv = hl_cross_comparison_to_csv (c, NULL);
  g_assert_nonnull (result);
  g_assert_true (g_str_has_prefix (csv, "layer,head,pearson,"));
  g_auto (GStrv) lines = g_strsplit (csv, "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, 1 + 4 + 1);
}

/* The mean of two heads of different layers, against the formula. */
static double
two_heads (const Fixture *f, int i, int j)
{
  return ((double) f->maps[0][0][i + 1][j] + (double) f->maps[1][1][i + 1][j]) / 2;
}

static HlCrossResult *
read_back (const Fixture *f, const HlCrossComparison *c, const HlCrossOptions *options)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlSessionResult) kept =
      hl_cross_comparison_to_result (c, f->set, options, "{}");
  HlCrossResult *read = hl_cross_result_read (kept, &error);
  g_assert_no_error (error);
  return read;
}

static void
test_map (Fixture *f, gconstpointer data)
{
  for (int raw = 0; raw < 2; raw++)
    {
      const HlCrossOptions options = { .is_raw = raw };
      const HlHeadKey heads[] = { { 2, 0, 0 }, { 2, 1, 1 } };
      g_autoptr (GError) error = NULL;
      g_autoptr (HlCrossComparison) c = compare (f, &options);
      g_autoptr (HlCrossResult) read = read_back (f, c, &options);
      HlCrossRows rows = hl_cross_result_get_rows (read, f->source, NULL);
      g_autoptr (HlCrossMap) map = hl_cross_map_make (&rows, heads, 2, NULL, &error);
      g_autoptr (HlCrossMap) one = hl_cross_map_make (&rows, heads + 1, 1, NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpfloat_with_epsilon (map->pearson, pearson_of (two_heads, f, M - 2, raw),
                                      1e-9);
      g_assert_cmpfloat_with_epsilon (one->pearson, c->pearson[3], 1e-12);
      g_assert_cmpfloat_with_epsilon (one->spearman, c->spearman[3], 1e-12);
      for (int i = 0; i < TARGETS; i++)
        for (int j = 0; j < M - 2; j++)
          g_assert_cmpfloat_with_epsilon (map->attention[i * M + j], two_heads (f, i, j),
                                          1e-9);
    }
}

static void
same_numbers (const double *x, const double *y, int n)
{
  for (int i = 0; i < n; i++)
    g_assert_true (x[i] == y[i] || (isnan (x[i]) && isnan (y[i])));
}

/* What a session keeps is all that was known. */
static void
test_read_back (Fixture *f, gconstpointer data)
{
  const HlCrossOptions options = { .is_raw = TRUE };
  f->set->options.baseline = HL_BASELINE_MEAN;
  f->set->options.at_features = TRUE;
  f->set->options.seed = 7;
  g_autoptr (HlCrossComparison) c = compare (f, &options);
  g_autoptr (HlCrossResult) read = read_back (f, c, &options);
  const HlCrossComparison *r = read->comparison;
  g_assert_cmpint (r->stack, ==, 2);
  g_assert_cmpint (r->n_layers, ==, 2);
  g_assert_cmpint (r->n_targets, ==, TARGETS);
  same_numbers (r->pearson, c->pearson, 4);
  same_numbers (r->monotonicity, c->monotonicity, 4);
  same_numbers (r->pearson_layer, c->pearson_layer, 2);
  same_numbers (r->by_target, c->by_target, TARGETS);
  same_numbers (r->attention, c->attention, TARGETS * M);
  same_numbers (r->saliency, c->saliency, TARGETS * M);
  same_numbers (&r->pearson_all, &c->pearson_all, 1);
  g_assert_true (read->options.is_raw && !read->options.keeps_special);
  g_assert_true (read->set->options.method == HL_SALIENCY_RELEVANCE);
  g_assert_true (read->set->options.baseline == HL_BASELINE_MEAN);
  g_assert_true (read->set->options.at_features && read->set->options.seed == 7);
  g_assert_null (read->faithfulness);
  for (int i = 0; i < TARGETS; i++)
    {
      const HlSaliencyRow *row = g_ptr_array_index (read->set->rows, (guint) i);
      g_assert_cmpint (read->query[i], ==, i + 1);
      g_assert_cmpint (row->target.index, ==, i);
      g_assert_cmpint (row->target.against, ==, -1);
    }
}

static void
fill_faithfulness (HlFaithfulness *x)
{
  int n = HL_N_ORDERS * TARGETS * HL_FAITHFULNESS_SHARES;
  x->n_targets = TARGETS;
  x->deletion = g_new (double, n);
  x->insertion = g_new (double, n);
  for (int i = 0; i < n; i++)
    {
      x->deletion[i] = i;
      x->insertion[i] = -i;
    }
  for (int o = 0; o < HL_N_ORDERS; o++)
    {
      x->deletion_area[o] = (HlInterval){ o, o - 1, o + 1, TARGETS };
      x->insertion_area[o] = (HlInterval){ o + 10, o, o + 20, TARGETS };
    }
}

static void
test_read_faithfulness (Fixture *f, gconstpointer data)
{
  const HlCrossOptions plain = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (HlCrossComparison) c = compare (f, &plain);
  g_autoptr (HlFaithfulness) x = g_new0 (HlFaithfulness, 1);
  fill_faithfulness (x);
  g_autoptr (HlSessionResult) kept =
      hl_cross_comparison_to_result (c, f->set, &plain, "{}");
  hl_faithfulness_add_to (x, kept);
  g_autoptr (HlCrossResult) read = hl_cross_result_read (kept, &error);
  g_assert_no_error (error);
  same_numbers (read->faithfulness->deletion, x->deletion,
                HL_N_ORDERS * TARGETS * HL_FAITHFULNESS_SHARES);
  same_numbers (read->faithfulness->insertion, x->insertion,
                HL_N_ORDERS * TARGETS * HL_FAITHFULNESS_SHARES);
  g_assert_cmpfloat (read->faithfulness->deletion_area[2].high, ==, 3);
  g_assert_cmpfloat (read->faithfulness->insertion_area[1].low, ==, 1);
}

/* A file may lack anything. */
static void
test_read_damaged (Fixture *f, gconstpointer data)
{
  const HlCrossOptions plain = { 0 };
  g_autoptr (HlCrossComparison) c = compare (f, &plain);
  g_autoptr (HlSessionResult) whole =
      hl_cross_comparison_to_result (c, f->set, &plain, "{}");
  const char *const params[] = { "",
                                 "[]",
                                 "{}",
                                 "{\"stack\": 2}",
                                 "{\"stack\": -1, \"method\": \"relevance\"}",
                                 "{\"stack\": 2, \"method\": \"x\"}" };
  for (guint i = 0; i < G_N_ELEMENTS (params); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (HlSessionResult) other =
          hl_session_result_new (HL_RESULT_CROSS, params[i], "{}");
      hl_result_add_array (other, "saliency", HL_DTYPE_F64, HL_SHAPE (TARGETS, M),
                           c->saliency, "target", "token");
      hl_result_add_array (other, "pearson", HL_DTYPE_F64, HL_SHAPE (2, 2), c->pearson,
                           "layer", "head");
      g_assert_null (hl_cross_result_read (other, &error));
      g_assert_error (error, HL_ERROR, HL_ERROR_FORMAT);
    }
}

/* Arrays without a number may claim to be of any width. */
static void
test_read_empty (Fixture *f, gconstpointer data)
{
  const HlShape shapes[] = { HL_SHAPE (0, 2000000000), HL_SHAPE (0, 3), HL_SHAPE (3, 0) };
  for (guint i = 0; i < G_N_ELEMENTS (shapes); i++)
    {
      const double nothing = 0;
      g_autoptr (GError) error = NULL;
      g_autoptr (HlSessionResult) other = hl_session_result_new (
          HL_RESULT_CROSS, "{\"stack\": 2, \"method\": \"relevance\"}", "{}");
      hl_result_add_array (other, "saliency", HL_DTYPE_F64, shapes[i], &nothing, "target",
                           "token");
      hl_result_add_array (other, "pearson", HL_DTYPE_F64, shapes[2 - i], &nothing,
                           "layer", "head");
      g_assert_null (hl_cross_result_read (other, &error));
      g_assert_error (error, HL_ERROR, HL_ERROR_FORMAT);
    }
}

static void
add (const char *name, void (*func) (Fixture *, gconstpointer))
{
  g_autofree char *path = g_strdup_printf ("/cross-compare/%s", name);
  g_test_add (path, Fixture, NULL, set_up, func, tear_down);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add ("numbers", test_numbers);
  add ("same", test_same);
  add ("diagonal", test_diagonal);
  add ("signed", test_signed);
  add ("other-tokens", test_other_tokens);
  add ("result", test_result);
  add ("map", test_map);
  add ("read-back", test_read_back);
  add ("read-faithfulness", test_read_faithfulness);
  add ("read-damaged", test_read_damaged);
  add ("read-empty", test_read_empty);
  return g_test_run ();
}
