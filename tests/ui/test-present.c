/* SPDX-License-Identifier: MIT
 * From traces to scenes: ranges, what is left out, captions, tokens, predictions. */
#include "backend/cpu/hl-cpu.h"
#include "presenters/hl-present.h"
#include "synthetic.h"

#include <math.h>
#include <string.h>

/* Two layers of two heads on CLS and two patches. CLS holds the largest entries of heads
 * 0.0 and 1.1; among the patches the largest is 0.5 of head 1.0. */
static const float layer_maps[2][2][9] = {
  { { 0.9f, 0.05f, 0.05f, 0.8f, 0.15f, 0.05f, 0.7f, 0.1f, 0.2f },
    { 0.4f, 0.3f, 0.3f, 0.3f, 0.4f, 0.3f, 0.3f, 0.3f, 0.4f } },
  { { 0.2f, 0.4f, 0.4f, 0.25f, 0.5f, 0.25f, 0.3f, 0.4f, 0.3f },
    { 0.6f, 0.2f, 0.2f, 0.6f, 0.1f, 0.3f, 0.6f, 0.3f, 0.1f } },
};

typedef struct
{
  HlTrace *trace;
  HlTraceSummary *summary;
  HlBackend *backend;
} Fixture;

static void
summarise (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlAttentionSource) source = hl_attention_source_new (f->trace);
  f->backend = hl_cpu_backend_new (HL_DTYPE_F32, 1);
  f->summary = hl_trace_summary_new (f->trace, 0);
  g_assert_true (hl_trace_summary_compute (f->summary, source, f->backend, NULL, &error));
  g_assert_no_error (error);
}

static void
set_up (Fixture *f)
{
  f->trace = synthetic_trace_new (2, 2, FALSE, synthetic_cls_and_grid (1, 2));
  g_free (f->trace->input_name);
  f->trace->input_name = g_strdup ("boot.png");
  for (int l = 0; l < 2; l++)
    synthetic_trace_set_maps (f->trace, l, 2, 3, 3, &layer_maps[l][0][0]);
  summarise (f);
}

static void
tear_down (Fixture *f)
{
  hl_trace_summary_free (f->summary);
  hl_trace_unref (f->trace);
  hl_backend_unref (f->backend);
}

static HlMatrixScene *
matrix_of (const Fixture *f, int layer, int head, const HlViewOptions *options)
{
  return hl_present_matrix (f->summary, (HlHeadKey){ 0, layer, head }, 3, 3,
                            layer_maps[layer][head], options, 1, -1);
}

static HlScale
scale_of (const Fixture *f, int layer, int head, HlRangeMode range, gboolean leave_out)
{
  const HlViewOptions options = { .range = range, .leave_out_special = leave_out };
  return hl_present_scale (f->summary,
                           hl_trace_summary_get_head (f->summary, layer, head), &options);
}

static void
assert_number (double found, double wanted)
{
  g_assert_cmpfloat_with_epsilon (found, wanted, 1e-7);
}

static void
test_ranges (void)
{
  Fixture f;
  set_up (&f);
  assert_number (scale_of (&f, 1, 0, HL_RANGE_SHARED, FALSE).high, 0.9);
  assert_number (scale_of (&f, 1, 0, HL_RANGE_SHARED, TRUE).high, 0.5);
  assert_number (scale_of (&f, 0, 0, HL_RANGE_PER_HEAD, FALSE).high, 0.9);
  assert_number (scale_of (&f, 0, 0, HL_RANGE_PER_HEAD, TRUE).high, 0.2);
  assert_number (scale_of (&f, 1, 1, HL_RANGE_PER_HEAD, FALSE).high, 0.6);
  HlScale log = scale_of (&f, 1, 1, HL_RANGE_LOG, FALSE);
  g_assert_true (log.is_log);
  assert_number (log.high, 0.9);
  assert_number (log.low, 1e-5);
  assert_number (hl_scale_position (&log, sqrt (0.9 * 1e-5)), 0.5);
  assert_number (hl_scale_position (&log, 0), 0);
  tear_down (&f);
}

/* Of 10,000 entries one is large: it lies above the 99th percentile, and the bar says so.
 */
static void
test_percentile (void)
{
  Fixture f;
  gint64 T = 100;
  g_autofree float *map = g_new (float, (gsize) (T * T));
  for (gint64 i = 0; i < T * T; i++)
    map[i] = (float) (0.01 * (double) (i % 101) / 100);
  map[5 * T + 7] = 0.75f;
  f.trace = synthetic_trace_new (1, 1, FALSE, synthetic_text ((int) T));
  synthetic_trace_set_maps (f.trace, 0, 1, T, T, map);
  summarise (&f);
  HlScale s = scale_of (&f, 0, 0, HL_RANGE_PERCENTILE, FALSE);
  g_assert_cmpfloat_with_epsilon (s.high, 0.0099, 0.00011);
  g_assert_true (s.clips_high);
  g_assert_cmpint (s.mode, ==, HL_RANGE_PERCENTILE);
  assert_number (scale_of (&f, 0, 0, HL_RANGE_PER_HEAD, FALSE).high, 0.75);
  g_assert_false (scale_of (&f, 0, 0, HL_RANGE_PER_HEAD, FALSE).clips_high);
  tear_down (&f);
}

static void
test_leave_out (void)
{
  Fixture f;
  const HlViewOptions with = { .range = HL_RANGE_SHARED };
  const HlViewOptions without = { .range = HL_RANGE_SHARED, .leave_out_special = TRUE };
  set_up (&f);
  g_autoptr (HlMatrixScene) whole = matrix_of (&f, 0, 0, &with);
  g_autoptr (HlMatrixScene) patches = matrix_of (&f, 0, 0, &without);
  for (int i = 0; i < 9; i++)
    {
      g_assert_cmpfloat (whole->values[i], ==, layer_maps[0][0][i]);
      if (i / 3 == 0 || i % 3 == 0)
        g_assert_true (isnan (patches->values[i]));
      else
        g_assert_cmpfloat (patches->values[i], ==, layer_maps[0][0][i]);
    }
  g_assert_nonnull (strstr (whole->caption, "Special tokens shown"));
  g_assert_nonnull (strstr (patches->caption, "left out, rows not renormalised"));
  tear_down (&f);
}

static void
test_matrix_words (void)
{
  Fixture f;
  const HlViewOptions options = { .range = HL_RANGE_SHARED };
  set_up (&f);
  g_autoptr (HlMatrixScene) scene = matrix_of (&f, 1, 0, &options);
  g_assert_nonnull (strstr (scene->title, "1"));
  g_assert_nonnull (strstr (scene->caption, "head 1.0"));
  g_assert_nonnull (strstr (scene->caption, "boot.png"));
  g_assert_nonnull (strstr (scene->caption, "rows are queries"));
  g_assert_nonnull (strstr (scene->caption, "0 to 0.9, maximum shared by all heads"));
  g_assert_cmpint (scene->rows.n, ==, 3);
  g_assert_cmpstr (scene->rows.labels[0], ==, "CLS");
  g_assert_cmpstr (scene->columns.labels[2], ==, "(0, 1)");
  g_assert_cmpint (scene->rows.major, ==, 2);
  g_assert_cmpint (scene->rows.major_offset, ==, 1);
  g_assert_cmpint (scene->selected_row, ==, 1);
  g_assert_cmpint (scene->selected_column, ==, -1);
  tear_down (&f);
}

static void
test_captions_state_range (void)
{
  static const char *const words[HL_N_RANGES] = { "0 to 0.9, maximum shared",
                                                  "0 to 0.6, each head's own maximum",
                                                  "99th percentile of this head",
                                                  "logarithmic, floor 1e-05, to 0.9" };
  Fixture f;
  set_up (&f);
  for (int mode = 0; mode < HL_N_RANGES; mode++)
    {
      const HlViewOptions options = { .range = (HlRangeMode) mode };
      g_autoptr (HlMatrixScene) scene = matrix_of (&f, 1, 1, &options);
      if (strstr (scene->caption, words[mode]) == NULL)
        g_error ("\"%s\" expected in \"%s\"", words[mode], scene->caption);
    }
  tear_down (&f);
}

static void
test_grid (void)
{
  Fixture f;
  const HlViewOptions options = { .range = HL_RANGE_SHARED };
  set_up (&f);
  g_autoptr (HlGridScene) scene = hl_present_grid (f.summary, &options);
  g_assert_cmpint (hl_grid_scene_count_heads (scene), ==, 4);
  for (int l = 0; l < 2; l++)
    for (int h = 0; h < 2; h++)
      {
        const HlGridLayer *layer = g_ptr_array_index (scene->layers, l);
        const HlThumb *thumb = &layer->thumbs[h];
        g_assert_cmpint (thumb->n_rows, ==, 3);
        g_assert_cmpint (thumb->n_columns, ==, 3);
        g_assert_cmpmem (thumb->values, 9 * sizeof (float), layer_maps[l][h],
                         9 * sizeof (float));
      }
  assert_number (scene->scale.high, 0.9);
  g_assert_nonnull (strstr (scene->caption, "maximum shared by all heads"));
  g_assert_null (strstr (scene->caption, "Maximum over"));
  tear_down (&f);
}

/* Layers that are not known yet are empty thumbs, and no mistake. */
static void
test_grid_in_the_making (void)
{
  Fixture f;
  const HlViewOptions options = { .range = HL_RANGE_SHARED };
  set_up (&f);
  g_autoptr (HlTraceSummary) summary = hl_trace_summary_new (f.trace, 0);
  hl_trace_summary_take_layer (summary, hl_layer_summary_ref (f.summary->layers[1]));
  g_autoptr (HlGridScene) scene = hl_present_grid (summary, &options);
  const HlGridLayer *first = g_ptr_array_index (scene->layers, 0);
  const HlGridLayer *second = g_ptr_array_index (scene->layers, 1);
  g_assert_cmpint (first->thumbs[0].n_rows, ==, 0);
  g_assert_cmpint (second->thumbs[0].n_rows, ==, 3);
  assert_number (scene->scale.high, 0.6);
  tear_down (&f);
}

/* 130 tokens: cells of 3 x 3 entries by maximum, so that one bright entry stays. */
static void
test_grid_pooled (void)
{
  Fixture f;
  gint64 T = 130;
  const HlViewOptions options = { .range = HL_RANGE_SHARED };
  g_autofree float *map = g_new0 (float, (gsize) (T * T));
  map[64 * T + 129] = 0.5f;
  f.trace = synthetic_trace_new (1, 1, FALSE, synthetic_text ((int) T));
  synthetic_trace_set_maps (f.trace, 0, 1, T, T, map);
  summarise (&f);
  g_autoptr (HlGridScene) scene = hl_present_grid (f.summary, &options);
  const HlGridLayer *layer = g_ptr_array_index (scene->layers, 0);
  const HlThumb *thumb = &layer->thumbs[0];
  g_assert_cmpint (thumb->n_rows, ==, 44);
  for (int i = 0; i < 44 * 44; i++)
    g_assert_cmpfloat (thumb->values[i], ==, i == 21 * 44 + 43 ? 0.5f : 0);
  g_assert_nonnull (strstr (scene->caption, "Maximum over 3×3 entries"));
  tear_down (&f);
}

static void
test_causal (void)
{
  static const float map[] = { 1, 0, 0, 0.5f, 0.5f, 0, 0.2f, 0.3f, 0.5f };
  const HlViewOptions options = { .range = HL_RANGE_SHARED };
  Fixture f;
  f.trace = synthetic_trace_new (1, 1, TRUE, synthetic_text (3));
  synthetic_trace_set_maps (f.trace, 0, 1, 3, 3, map);
  summarise (&f);
  g_autoptr (HlGridScene) grid = hl_present_grid (f.summary, &options);
  const HlThumb *thumb = ((HlGridLayer *) g_ptr_array_index (grid->layers, 0))->thumbs;
  g_autoptr (HlMatrixScene) scene =
      hl_present_matrix (f.summary, (HlHeadKey){ 0, 0, 0 }, 3, 3, map, &options, -1, -1);
  for (int i = 0; i < 9; i++)
    {
      g_assert_cmpint (isnan (thumb->values[i]) != 0, ==, i % 3 > i / 3);
      g_assert_cmpint (isnan (scene->values[i]) != 0, ==, i % 3 > i / 3);
    }
  g_assert_null (strstr (scene->caption, "Special tokens"));
  tear_down (&f);
}

static void
test_parse_token (void)
{
  static const struct
  {
    const char *text;
    gint64 index;
  } cases[] = {
    { "0", 0 },      { "12", 12 },  { "13", -1 },   { "-1", -1 },       { "CLS", 0 },
    { "cls", 0 },    { "0,0", 1 },  { "2,3", 12 },  { "(2, 3)", 12 },   { " 1 , 2 ", 7 },
    { "3,0", -1 },   { "0,4", -1 }, { "-1,2", -1 }, { "nonsense", -1 }, { "", -1 },
    { "1,2,3", -1 }, { "1.5", -1 }, { "5x", -1 },   { "(1, 2", -1 },
  };
  g_autoptr (HlTrace) trace =
      synthetic_trace_new (1, 1, FALSE, synthetic_cls_and_grid (3, 4));
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    if (hl_present_parse_token (trace, 0, cases[i].text) != cases[i].index)
      g_error ("\"%s\": token %d expected, %d found", cases[i].text, (int) cases[i].index,
               (int) hl_present_parse_token (trace, 0, cases[i].text));
  g_autofree char *cls = hl_present_token (trace, 0, 0);
  g_autofree char *patch = hl_present_token (trace, 0, 12);
  g_assert_cmpstr (cls, ==, "CLS");
  g_assert_cmpstr (patch, ==, "patch (2, 3)");
  g_autoptr (HlTrace) bare = synthetic_trace_new (1, 1, FALSE, NULL);
  g_assert_cmpint (hl_present_parse_token (bare, 0, "0"), ==, -1);
}

/* Softmax of ln 1, ln 2, ln 5 and ln 2, and of logits that would overflow a float. */
static void
test_predictions (void)
{
  static const char *const labels[] = { "ant", "bee", NULL };
  g_autoptr (HlTrace) trace = synthetic_trace_new (1, 1, FALSE, NULL);
  trace->model->labels = g_strdupv ((char **) labels);
  for (int shift = 0; shift <= 5000; shift += 5000)
    {
      const float logits[] = { (float) shift, (float) (shift + M_LN2),
                               (float) (shift + log (5)), (float) (shift + M_LN2) };
      g_clear_pointer (&trace->logits, hl_tensor_unref);
      trace->logits = hl_tensor_new_copy (HL_DTYPE_F32, HL_SHAPE (4), logits);
      g_autoptr (GPtrArray) all = hl_present_predictions (trace, 5);
      static const int order[] = { 2, 1, 3, 0 };
      static const double probs[] = { 0.5, 0.2, 0.2, 0.1 };
      double sum = 0;
      g_assert_cmpuint (all->len, ==, 4);
      for (guint i = 0; i < 4; i++)
        {
          const HlPrediction *p = g_ptr_array_index (all, i);
          g_assert_cmpint (p->index, ==, order[i]);
          g_assert_cmpfloat_with_epsilon (p->prob, probs[i], 1e-4);
          sum += p->prob;
        }
      assert_number (sum, 1);
      g_assert_cmpstr (((HlPrediction *) all->pdata[1])->label, ==, "bee");
      g_assert_cmpstr (((HlPrediction *) all->pdata[0])->label, ==, "class 2");
      g_autoptr (GPtrArray) two = hl_present_predictions (trace, 2);
      g_assert_cmpuint (two->len, ==, 2);
    }
  g_autoptr (HlTrace) bare = synthetic_trace_new (1, 1, FALSE, NULL);
  g_autoptr (GPtrArray) none = hl_present_predictions (bare, 5);
  g_assert_cmpuint (none->len, ==, 0);
}

/* Weights are the mean of the rows of two brushed patches of head 0.0. */
static void
test_overlay (void)
{
  static const guint8 pixels[2 * 4 * 3] = { 1, 2, 3 };
  const HlViewOptions options = { .colormap = HL_COLORMAP_MAGMA };
  const gboolean selected[] = { FALSE, TRUE, TRUE };
  const float *map = layer_maps[0][0];
  float weights[3];
  Fixture f;
  set_up (&f);
  g_assert_null (hl_present_overlay (f.trace, 0, NULL, NULL, FALSE, &options));
  f.trace->pixels = hl_tensor_new_copy (HL_DTYPE_U8, HL_SHAPE (2, 4, 3), pixels);
  for (int j = 0; j < 3; j++)
    weights[j] = (map[3 + j] + map[6 + j]) / 2;
  g_autoptr (HlOverlayScene) to =
      hl_present_overlay (f.trace, 0, weights, selected, FALSE, &options);
  g_assert_cmpint (to->width, ==, 4);
  g_assert_cmpint (to->height, ==, 2);
  g_assert_cmpmem (to->picture, sizeof pixels, pixels, sizeof pixels);
  assert_number ((double) to->weights[0], 0.125);
  assert_number ((double) to->weights[1], 0.125);
  assert_number (to->scale.high, 0.125);
  g_assert_true (to->selected[0] && to->selected[1]);
  g_assert_cmpstr (to->title, ==, "2 tokens attend to");
  g_assert_nonnull (strstr (to->caption, "Special tokens take 0.75 of it"));
  g_assert_nonnull (strstr (to->caption, "0 to 0.125"));
  g_assert_nonnull (strstr (to->caption, "not smoothed"));
  g_autoptr (HlOverlayScene) from =
      hl_present_overlay (f.trace, 0, weights, selected, TRUE, &options);
  g_assert_null (strstr (from->caption, "Special tokens take"));
  g_autoptr (HlOverlayScene) bare =
      hl_present_overlay (f.trace, 0, NULL, NULL, FALSE, &options);
  g_assert_null (bare->weights);
  g_assert_true (bare->show_grid);
  tear_down (&f);
}

/* A rectangle in the middle of a map is masked by where it lies. */
static void
test_mask_rectangle (void)
{
  const HlViewOptions options = { .leave_out_special = TRUE };
  float values[4] = { 1, 2, 3, 4 };
  g_autoptr (HlTrace) trace = synthetic_trace_new (1, 1, TRUE, synthetic_text (9));
  HlTokenTable *tokens = hl_trace_get_tokens (trace, 0);
  tokens->tokens[3].role = HL_ROLE_PADDING;
  hl_present_mask (trace, (HlHeadKey){ 0, 0, 0 }, &options, 9, 9, 4, 2, 4, 2, values);
  g_assert_cmpfloat (values[0], ==, 1);
  g_assert_true (isnan (values[1]));
  g_assert_cmpfloat (values[2], ==, 3);
  g_assert_cmpfloat (values[3], ==, 4);
  hl_present_mask (trace, (HlHeadKey){ 0, 0, 0 }, &options, 9, 9, 7, 2, 2, 2, values);
  g_assert_cmpfloat (values[0], ==, 1);
  g_assert_true (isnan (values[1]));
  g_assert_true (isnan (values[3]));
}

/* A sum over two tokens has an entry wherever one of their lines has. */
static void
test_mask_line (void)
{
  const HlViewOptions options = { .leave_out_special = TRUE };
  const HlHeadKey head = { 0, 0, 0 };
  const gint64 chosen[] = { 2, 5 };
  float to[9], from[9];
  g_autoptr (HlTrace) trace = synthetic_trace_new (1, 1, TRUE, synthetic_text (9));
  HlTokenTable *tokens = hl_trace_get_tokens (trace, 0);
  tokens->tokens[0].role = HL_ROLE_PROMPT;
  tokens->tokens[3].role = HL_ROLE_PADDING;
  for (int i = 0; i < 9; i++)
    to[i] = from[i] = (float) i;
  hl_present_mask_line (trace, head, &options, 9, 9, chosen, 2, FALSE, to);
  hl_present_mask_line (trace, head, &options, 9, 9, chosen, 2, TRUE, from);
  for (int i = 0; i < 9; i++)
    {
      g_assert_cmpint (isnan (to[i]) != 0, ==, i > 5 || i == 3);
      g_assert_cmpint (isnan (from[i]) != 0, ==, i < 2 || i == 3);
      g_assert_true (isnan (to[i]) || to[i] == (float) i);
    }
}

static void
test_range_names (void)
{
  for (int i = 0; i < HL_N_RANGES; i++)
    {
      HlRangeMode mode = HL_N_RANGES;
      g_assert_true (
          hl_range_mode_from_name (hl_range_mode_name ((HlRangeMode) i), &mode));
      g_assert_cmpint (mode, ==, i);
    }
  HlRangeMode mode = HL_RANGE_LOG;
  g_assert_false (hl_range_mode_from_name ("loud", &mode));
  g_assert_cmpint (mode, ==, HL_RANGE_LOG);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/present/ranges", test_ranges);
  g_test_add_func ("/present/percentile", test_percentile);
  g_test_add_func ("/present/leave-out", test_leave_out);
  g_test_add_func ("/present/matrix-words", test_matrix_words);
  g_test_add_func ("/present/captions-state-range", test_captions_state_range);
  g_test_add_func ("/present/grid", test_grid);
  g_test_add_func ("/present/grid-in-the-making", test_grid_in_the_making);
  g_test_add_func ("/present/grid-pooled", test_grid_pooled);
  g_test_add_func ("/present/causal", test_causal);
  g_test_add_func ("/present/parse-token", test_parse_token);
  g_test_add_func ("/present/predictions", test_predictions);
  g_test_add_func ("/present/overlay", test_overlay);
  g_test_add_func ("/present/mask-rectangle", test_mask_rectangle);
  g_test_add_func ("/present/mask-line", test_mask_line);
  g_test_add_func ("/present/range-names", test_range_names);
  return g_test_run ();
}
