/* SPDX-License-Identifier: MIT
 * Maps as pictures, by hand; planted patterns fall into their clusters; training stopped
 * and gone on with; maps placed in a summary. */
#include "analysis/hl-kmeans.h"
#include "analysis/hl-pattern-names.h"
#include "analysis/hl-pattern-survey.h"
#include "analysis/hl-patterns-result.h"
#include "backend/cpu/hl-cpu.h"
#include "base/hl-error.h"
#include "model/hl-model-text.h"
#include "synthetic.h"
#include "trace/hl-tracer.h"

#include <math.h>
#include <string.h>

static const int one_layer[] = { 0, 1 };

/* (transfer full): the pictures of one head's map over @tokens (transfer full). */
static HlPatternMaps *
cut (HlPatternKind kind,
     int side,
     HlTokenTable *tokens,
     gboolean is_causal,
     const float *map)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, 1);
  int T = tokens->n_tokens;
  g_autoptr (HlTrace) trace = synthetic_trace_new (1, 1, is_causal, tokens);
  synthetic_trace_set_maps (trace, 0, 1, T, T, map);
  g_autoptr (HlAttentionSource) source = hl_attention_source_new (trace);
  HlPatternMaps *maps = hl_pattern_maps_new (kind, side);
  hl_pattern_maps_add (maps, source, backend, 0, one_layer, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (hl_pattern_maps_get_n (maps), ==, 1);
  return maps;
}

/* What the picture has at (row, column), as attention. */
static double
attention_at (const HlPatternMaps *maps, int row, int column)
{
  int n_keys = g_array_index (maps->places, HlPatternPlace, 0).n_keys;
  double number = (double) hl_pattern_maps_get (maps, 0)[row * maps->width + column];
  return hl_pattern_to_attention (number, n_keys);
}

static double
trait (const HlPatternMaps *maps, HlPatternTrait t)
{
  return (double) g_array_index (maps->traits, float, (guint) t);
}

/* ---- pictures ------------------------------------------------------------------------
 */

/* A map (T, T) where patch (r, c) of a grid attends to the one below, the last row to
 * itself; CLS attends to itself by 0.4 and to patch 5 by 0.6. */
static float *
below (int rows, int columns)
{
  int P = rows * columns, T = P + 1;
  float *map = g_new0 (float, (gsize) (T * T));
  map[0] = 0.4f;
  map[1 + 5] = 0.6f;
  for (int p = 0; p < P; p++)
    {
      int key = p + columns < P ? p + columns : p;
      map[(p + 1) * T + key + 1] = 1;
    }
  return map;
}

static void
test_whole (void)
{
  g_autofree float *map = below (3, 4);
  g_autoptr (HlPatternMaps) maps =
      cut (HL_PATTERN_PATCHES, 14, synthetic_cls_and_grid (3, 4), FALSE, map);
  g_assert_cmpint (maps->height, ==, 12);
  g_assert_cmpint (maps->width, ==, 12);
  for (int q = 0; q < 12; q++)
    for (int k = 0; k < 12; k++)
      g_assert_cmpfloat_with_epsilon (attention_at (maps, q, k),
                                      k == (q < 8 ? q + 4 : q) ? 1 : 0, 1e-5);
  g_assert_cmpfloat_with_epsilon (trait (maps, HL_TRAIT_SELF), 4 / 12.0, 1e-6);
  g_assert_cmpfloat_with_epsilon (trait (maps, HL_TRAIT_NEIGHBOURS), 8 / 12.0, 1e-6);
  g_assert_cmpfloat_with_epsilon (trait (maps, HL_TRAIT_COLUMN), 1, 1e-6);
  g_assert_cmpfloat_with_epsilon (trait (maps, HL_TRAIT_ROW), 4 / 12.0, 1e-6);
  g_assert_cmpfloat_with_epsilon (trait (maps, HL_TRAIT_TOP_KEY), 2 / 12.0, 1e-6);
  g_assert_cmpfloat_with_epsilon (trait (maps, HL_TRAIT_ROW_ENTROPY), 0, 1e-6);
}

/* A grid of 4 x 4 in cells of 2 x 2. A patch of the upper cells' upper row attends within
 * its own cell, of their lower row to the cell below; the lower cells stay in themselves.
 * A cell's number is the mean over 4 queries and 4 keys. */
static void
test_pooled (void)
{
  g_autofree float *map = below (4, 4);
  g_autoptr (HlPatternMaps) maps =
      cut (HL_PATTERN_PATCHES, 2, synthetic_cls_and_grid (4, 4), FALSE, map);
  const double wanted[4][4] = { { 2 / 16.0, 0, 2 / 16.0, 0 },
                                { 0, 2 / 16.0, 0, 2 / 16.0 },
                                { 0, 0, 4 / 16.0, 0 },
                                { 0, 0, 0, 4 / 16.0 } };
  g_assert_cmpint (maps->height, ==, 4);
  for (int q = 0; q < 4; q++)
    for (int k = 0; k < 4; k++)
      g_assert_cmpfloat_with_epsilon (attention_at (maps, q, k), wanted[q][k], 1e-5);
}

/* A grid that the side does not divide: a uniform map stays constant, and mass is where
 * it was: of 3 x 3 in 2 x 2 a corner patch is 4/9 of its cell, the middle one 1/9 of
 * each. */
static void
test_uneven (void)
{
  float uniform[100], corner[100];
  for (int i = 0; i < 100; i++)
    {
      uniform[i] = 0.1f;
      corner[i] = i % 10 == 1 ? 1 : 0; /* all to patch (0, 0) */
    }
  g_autoptr (HlPatternMaps) flat =
      cut (HL_PATTERN_PATCHES, 2, synthetic_cls_and_grid (3, 3), FALSE, uniform);
  g_autoptr (HlPatternMaps) first =
      cut (HL_PATTERN_PATCHES, 2, synthetic_cls_and_grid (3, 3), FALSE, corner);
  for (int i = 0; i < 16; i++)
    {
      g_assert_cmpfloat_with_epsilon (attention_at (flat, i / 4, i % 4), 0.1, 1e-6);
      g_assert_cmpfloat_with_epsilon (attention_at (first, i / 4, i % 4),
                                      i % 4 == 0 ? 4 / 9.0 : 0, 1e-5);
      g_assert_cmpfloat_with_epsilon (hl_pattern_maps_get (flat, 0)[i],
                                      log (2) / log (11), 1e-6);
    }
  g_assert_cmpfloat_with_epsilon (trait (flat, HL_TRAIT_ROW_ENTROPY), 1, 1e-6);
  g_assert_cmpfloat_with_epsilon (trait (flat, HL_TRAIT_TOP_TENTH), 0.1, 1e-6);
  g_assert_cmpfloat_with_epsilon (trait (first, HL_TRAIT_TOP_TENTH), 1, 1e-6);
}

static void
test_cls (void)
{
  g_autofree float *map = below (3, 4);
  g_autoptr (HlPatternMaps) maps =
      cut (HL_PATTERN_CLS, 14, synthetic_cls_and_grid (3, 4), FALSE, map);
  g_assert_cmpint (maps->height, ==, 3);
  g_assert_cmpint (maps->width, ==, 4);
  g_assert_cmpint (maps->n_side, ==, 1);
  for (int p = 0; p < 12; p++)
    g_assert_cmpfloat_with_epsilon (attention_at (maps, p / 4, p % 4), p == 5 ? 0.6 : 0,
                                    1e-6);
  g_assert_cmpfloat_with_epsilon (attention_at (maps, 3, 0), 0.4, 1e-6); /* beside */
  g_assert_cmpfloat_with_epsilon (trait (maps, HL_TRAIT_SELF), 0.4, 1e-6);
  g_assert_cmpfloat_with_epsilon (trait (maps, HL_TRAIT_TOP_KEY), 0.6, 1e-6);
}

/* A causal text of 64 tokens: 0.75 to the token before, 0.25 to the first. A row of the
 * picture is two queries, a cell of the coarse map two by two. */
static void
test_text (void)
{
  enum
  {
    T = 64
  };
  g_autofree float *map = g_new0 (float, T *T);
  map[0] = 1;
  for (int i = 1; i < T; i++)
    {
      map[i * T + i - 1] += 0.75f;
      map[i * T] += 0.25f;
    }
  g_autoptr (HlPatternMaps) maps =
      cut (HL_PATTERN_TEXT, 14, synthetic_text (T), TRUE, map);
  g_assert_cmpint (maps->height, ==, 32);
  g_assert_cmpint (maps->width, ==, 65);
  for (int r = 2; r < 32; r++)
    {
      g_assert_cmpfloat_with_epsilon (attention_at (maps, r, 0), 0, 1e-6);
      g_assert_cmpfloat_with_epsilon (attention_at (maps, r, 1), 0.75, 1e-5);
      /* Of queries 2r and 2r + 1 the even one looks into the cell before. */
      g_assert_cmpfloat_with_epsilon (attention_at (maps, r, 32 + r - 1), 0.75 / 4, 1e-5);
      /* On the diagonal three pairs may be seen, and one of them is. */
      g_assert_cmpfloat_with_epsilon (attention_at (maps, r, 32 + r), 0.75 / 3, 1e-5);
      g_assert_cmpfloat_with_epsilon (attention_at (maps, r, 64), 0.25, 1e-5);
    }
  /* The first token comes back at its own distance: 0.25 at offset 2r and 2r + 1. */
  g_assert_cmpfloat_with_epsilon (attention_at (maps, 5, 10), 0.125, 1e-5);
  g_assert_cmpfloat_with_epsilon (trait (maps, HL_TRAIT_PREVIOUS), (0.75 * 62 + 1) / 64,
                                  1e-5);
  g_assert_cmpfloat_with_epsilon (trait (maps, HL_TRAIT_FIRST), (0.25 * 62 + 2) / 64,
                                  1e-5);
}

/* Fewer tokens than rows: rows share them, and nothing divides by 0. */
static void
test_short_text (void)
{
  const float map[] = { 1, 0, 0.5f, 0.5f };
  g_autoptr (HlPatternMaps) maps =
      cut (HL_PATTERN_TEXT, 14, synthetic_text (2), TRUE, map);
  g_assert_cmpfloat_with_epsilon (attention_at (maps, 0, 0), 1, 1e-5);
  g_assert_cmpfloat_with_epsilon (attention_at (maps, 31, 0), 0.5, 1e-5);
  g_assert_cmpfloat_with_epsilon (attention_at (maps, 31, 1), 0.5, 1e-5);
  g_assert_cmpfloat_with_epsilon (attention_at (maps, 31, 64), 0.5, 1e-5);
}

/* ---- planted patterns ----------------------------------------------------------------
 */

enum
{
  DIAGONAL,
  STRIPE,
  UNIFORM,
  BLOCK,
  CLS_ONLY,
  N_PLANTED,
};

#define SIDE 7
#define T (SIDE * SIDE + 1)

static float
planted (int what, int q, int k)
{
  int qr = (q - 1) / SIDE, kr = (k - 1) / SIDE, kc = (k - 1) % SIDE;
  if (q == 0 || k == 0)
    return q == 0 || what == UNIFORM || what == CLS_ONLY ? 1 : 0;
  switch (what)
    {
    case DIAGONAL:
      return q == k;
    case STRIPE:
      return kc == 3;
    case UNIFORM:
      return 1;
    case BLOCK:
      return qr / 3 == kr / 3 && (q - 1) % SIDE / 3 == kc / 3;
    default:
      return 0;
    }
}

/* Rows that sum to 1, with noise. */
static void
fill (float *map, int what, GRand *rand)
{
  for (int q = 0; q < T; q++)
    {
      float sum = 0, *row = map + q * T;
      for (int k = 0; k < T; k++)
        {
          float noise = (float) g_rand_double_range (rand, 0, 0.02);
          row[k] = planted (what, q, k) * (1 + 10 * noise) + noise;
          sum += row[k];
        }
      for (int k = 0; k < T; k++)
        row[k] /= sum;
    }
}

/* (transfer full): @n inputs with a head of each kind. */
static HlPatternMaps *
plant (int n, HlBackend *backend, const int *first, GPtrArray *inputs)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GRand) rand = g_rand_new_with_seed (2);
  g_autofree float *map = g_new (float, N_PLANTED *T *T);
  HlPatternMaps *maps = hl_pattern_maps_new (HL_PATTERN_PATCHES, 14);
  for (int i = 0; i < n; i++)
    {
      g_autoptr (HlTrace) trace =
          synthetic_trace_new (1, N_PLANTED, FALSE, synthetic_cls_and_grid (SIDE, SIDE));
      for (int h = 0; h < N_PLANTED; h++)
        fill (map + h * T * T, h, rand);
      synthetic_trace_set_maps (trace, 0, N_PLANTED, T, T, map);
      g_autoptr (HlAttentionSource) source = hl_attention_source_new (trace);
      hl_pattern_maps_add (maps, source, backend, i, first, NULL, &error);
      g_assert_no_error (error);
      g_ptr_array_add (inputs, hl_pattern_input_new ("planted", ""));
    }
  return maps;
}

static void
check_clusters (const HlPatterns *p)
{
  const char *const names[] = { "Self", "Few keys", "Uniform", "Neighbours", "CLS only" };
  int n = hl_patterns_get_n (p), total = 0;
  g_autofree int *wanted = g_new (int, (gsize) n);
  for (int i = 0; i < n; i++)
    wanted[i] = g_array_index (p->places, HlPatternPlace, i).head;
  g_assert_cmpfloat (hl_adjusted_rand ((const int *) p->cluster->data, wanted, n), >=,
                     0.95);
  for (int i = 0; i < n; i++)
    {
      int c = g_array_index (p->cluster, int, i);
      const HlPatternCluster *cluster = hl_patterns_get_cluster (p, c);
      if (!g_str_has_prefix (cluster->name, names[wanted[i]]))
        g_error ("map %d of kind %d lies in \"%s\"", i, wanted[i], cluster->name);
    }
  for (guint c = 0; c < p->clusters->len; c++)
    {
      const HlPatternCluster *cluster = hl_patterns_get_cluster (p, (int) c);
      total += cluster->n;
      g_assert_cmpint (g_array_index (p->cluster, int, cluster->medoid), ==, (int) c);
      g_assert_cmpint (cluster->by_layer[0], ==, cluster->n);
    }
  g_assert_cmpint (total, ==, n);
}

static void
test_planted (void)
{
  const int first[] = { 0, N_PLANTED };
  g_autoptr (GError) error = NULL;
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, 2);
  g_autoptr (GPtrArray) inputs = g_ptr_array_new_with_free_func (hl_pattern_input_free);
  const HlPatternOptions options = { .seed = 1 };
  HlPatternMaps *maps = plant (80, backend, first, inputs);
  g_autoptr (HlPatterns) p =
      hl_patterns_new (maps, inputs, 1, first, backend, &options, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint ((int) p->losses->len, ==, HL_PATTERN_EPOCHS);
  const HlPatternLoss *losses = (const HlPatternLoss *) p->losses->data;
  g_assert_cmpfloat (losses[HL_PATTERN_EPOCHS - 1].train, <, losses[0].train / 2);
  g_assert_cmpfloat (losses[HL_PATTERN_EPOCHS - 1].held_out, <, losses[0].held_out);
  g_assert_cmpint (p->n_held_out, ==, 8 * N_PLANTED);
  check_clusters (p);
  /* A twentieth of the maps is flagged. */
  int n_flagged = 0;
  for (guint i = 0; i < p->error->len; i++)
    n_flagged += (double) g_array_index (p->error, float, i) > p->flagged_above;
  g_assert_cmpint (n_flagged, ==, 20);
}

/* ---- a model -------------------------------------------------------------------------
 */

typedef struct
{
  HlModel *model;
  HlBackend *backend;
  HlDataset *dataset;
} Fixture;

static void
fixture_init (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path =
      g_test_build_filename (G_TEST_DIST, "..", "data", "models", "vit-fashion", NULL);
  g_autofree char *samples =
      g_test_build_filename (G_TEST_DIST, "..", "data", "samples", "samples.csv", NULL);
  f->model = hl_model_open (path, &error);
  g_assert_no_error (error);
  f->backend = hl_cpu_backend_new (HL_DTYPE_F32, 2);
  f->dataset = hl_dataset_open (samples, hl_model_get_info (f->model), &error);
  g_assert_no_error (error);
}

static void
fixture_clear (Fixture *f)
{
  hl_dataset_unref (f->dataset);
  hl_backend_unref (f->backend);
  hl_model_unref (f->model);
}

static void
cancel_cb (HlPatternKind kind, const HlPatternLoss *losses, int n, gpointer cancellable)
{
  if (n == 2)
    g_cancellable_cancel (cancellable);
}

static void
check_same (const HlPatterns *a, const HlPatterns *b)
{
  g_assert_cmpuint (a->losses->len, ==, b->losses->len);
  for (guint i = 0; i < a->losses->len; i++)
    g_assert_cmpfloat (g_array_index (a->losses, HlPatternLoss, i).train, ==,
                       g_array_index (b->losses, HlPatternLoss, i).train);
  g_assert_cmpuint (a->latent->len, ==, b->latent->len);
  g_assert_true (
      memcmp (a->latent->data, b->latent->data, sizeof (float) * a->latent->len) == 0);
}

/* Stopped after two epochs, then gone on with: as if it had never stopped. */
static void
test_resume (void)
{
  Fixture f;
  fixture_init (&f);
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  const HlProgress progress = { .cancellable = cancellable };
  HlPatternOptions options = { .epochs = 4, .seed = 1, .no_tsne = TRUE, .side = 4 };
  g_autoptr (GPtrArray) whole = hl_pattern_survey (f.model, f.dataset, NULL, NULL,
                                                   f.backend, &options, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (whole->len, ==, 2);
  options.epoch_done = cancel_cb;
  options.epoch_data = cancellable;
  g_autoptr (GPtrArray) part = hl_pattern_survey (f.model, f.dataset, NULL, NULL,
                                                  f.backend, &options, &progress, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (part->len, ==, 1); /* the second was not begun */
  HlPatterns *stopped = g_ptr_array_index (part, 0);
  g_assert_true (stopped->is_partial);
  g_assert_cmpuint (stopped->losses->len, ==, 2);
  g_assert_cmpuint (stopped->cluster->len, ==, stopped->places->len);
  options.epoch_done = NULL;
  options.resume = part;
  g_autoptr (GPtrArray) rest = hl_pattern_survey (f.model, f.dataset, NULL, NULL,
                                                  f.backend, &options, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (rest->len, ==, 2);
  for (guint i = 0; i < 2; i++)
    {
      g_assert_false (((HlPatterns *) g_ptr_array_index (rest, i))->is_partial);
      check_same (g_ptr_array_index (whole, i), g_ptr_array_index (rest, i));
    }
  fixture_clear (&f);
}

/* The maps of one of its inputs lie where the summary has them. */
static void
test_place (void)
{
  Fixture f;
  fixture_init (&f);
  int label;
  g_autoptr (GError) error = NULL;
  const HlPatternOptions options = { .epochs = 2, .seed = 1, .side = 4 };
  g_autoptr (GPtrArray) all = hl_pattern_survey (f.model, f.dataset, NULL, NULL,
                                                 f.backend, &options, NULL, &error);
  g_assert_no_error (error);
  const HlPatterns *p = g_ptr_array_index (all, 0);
  g_assert_cmpint (p->kind, ==, HL_PATTERN_PATCHES);
  g_autoptr (HlInput) input =
      hl_dataset_open_input (f.dataset, f.model, 3, &label, &error);
  g_assert_no_error (error);
  const HlTraceOptions trace_options = { 0 };
  g_autoptr (HlTrace) trace =
      hl_tracer_run (f.model, input, f.backend, &trace_options, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (HlAttentionSource) source = hl_attention_source_new (trace);
  HlPatternMaps *maps =
      hl_pattern_maps_of_trace (source, p->kind, p->side, f.backend, NULL, &error);
  g_assert_no_error (error);
  int n = hl_pattern_maps_get_n (maps), size = hl_pattern_maps_get_size (maps);
  g_autoptr (HlPatternSpots) spots = hl_patterns_place (p, maps, f.backend, NULL, &error);
  g_assert_no_error (error);
  for (int i = 0; i < n; i++)
    {
      int at = 3 * n + i;
      for (int d = 0; d < 2; d++)
        g_assert_cmpfloat_with_epsilon (g_array_index (spots->layout, float, 2 * i + d),
                                        g_array_index (p->layout, float, 2 * at + d),
                                        0.05);
      g_assert_cmpint (g_array_index (spots->cluster, int, i), ==,
                       g_array_index (p->cluster, int, at));
      g_assert_cmpfloat_with_epsilon (g_array_index (spots->error, float, i),
                                      g_array_index (p->error, float, at), 1e-6);
    }
  g_autofree float *rebuilt = hl_patterns_rebuild (p, 3 * n, f.backend, &error);
  g_assert_no_error (error);
  for (int k = 0; k < size; k++)
    g_assert_cmpfloat_with_epsilon (rebuilt[k], g_array_index (spots->rebuilt, float, k),
                                    1e-5);
  fixture_clear (&f);
}

static void
test_rename (void)
{
  const int first[] = { 0, N_PLANTED };
  g_autoptr (GError) error = NULL;
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, 2);
  g_autoptr (GPtrArray) inputs = g_ptr_array_new_with_free_func (hl_pattern_input_free);
  const HlPatternOptions options = { .epochs = 1, .seed = 1, .no_tsne = TRUE };
  HlPatternMaps *maps = plant (3, backend, first, inputs);
  HlPatterns *p =
      hl_patterns_new (maps, inputs, 1, first, backend, &options, NULL, &error);
  g_assert_no_error (error);
  g_autofree char *before = g_strdup (hl_patterns_get_cluster (p, 0)->name);
  g_autoptr (HlPatterns) renamed = hl_patterns_rename (p, 0, "My heads");
  g_assert_cmpstr (hl_patterns_get_cluster (p, 0)->name, ==, before);
  g_assert_cmpint (p->n_held_out, ==, 0); /* too few inputs */
  hl_patterns_unref (p);
  g_assert_cmpstr (hl_patterns_get_cluster (renamed, 0)->name, ==, "My heads");
  g_assert_cmpint (hl_patterns_get_n (renamed), ==, 15);
}

/* (transfer full): a summary of a few planted maps. */
static HlPatterns *
few (HlBackend *backend, const int *first)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) inputs = g_ptr_array_new_with_free_func (hl_pattern_input_free);
  const HlPatternOptions options = { .epochs = 1, .seed = 3 };
  HlPatternMaps *maps = plant (11, backend, first, inputs);
  HlPatterns *p =
      hl_patterns_new (maps, inputs, 1, first, backend, &options, NULL, &error);
  g_assert_no_error (error);
  return p;
}

static void
check_back (const HlPatterns *p, const HlPatterns *back)
{
  g_assert_cmpint (back->kind, ==, p->kind);
  g_assert_cmpint (back->n_held_out, ==, p->n_held_out);
  g_assert_cmpfloat (back->flagged_above, ==, p->flagged_above);
  g_assert_cmpfloat (back->pca_error, ==, p->pca_error);
  g_assert_cmpuint (back->inputs->len, ==, p->inputs->len);
  g_assert_true (memcmp (back->places->data, p->places->data,
                         sizeof (HlPatternPlace) * p->places->len) == 0);
  g_assert_true (
      memcmp (back->latent->data, p->latent->data, sizeof (float) * p->latent->len) == 0);
  g_assert_true (
      memcmp (back->layout->data, p->layout->data, sizeof (float) * p->layout->len) == 0);
  g_assert_cmpuint (back->clusters->len, ==, p->clusters->len);
  for (guint i = 0; i < p->clusters->len; i++)
    {
      const HlPatternCluster *a = hl_patterns_get_cluster (p, (int) i);
      const HlPatternCluster *b = hl_patterns_get_cluster (back, (int) i);
      g_assert_cmpstr (a->name, ==, b->name);
      g_assert_cmpint (a->n, ==, b->n);
      g_assert_cmpint (a->by_layer[0], ==, b->by_layer[0]);
      g_assert_cmpint (a->medoid, ==, b->medoid);
      g_assert_cmpfloat (a->traits[HL_TRAIT_TOP_TENTH], ==,
                         b->traits[HL_TRAIT_TOP_TENTH]);
      g_assert_true (memcmp (a->mean, b->mean, sizeof (float) * 49 * 49) == 0);
    }
}

/* What a session keeps is the whole summary; the network still rebuilds its maps. */
static void
test_result (void)
{
  const int first[] = { 0, N_PLANTED };
  g_autoptr (GError) error = NULL;
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, 2);
  g_autoptr (HlPatterns) p = few (backend, first);
  g_autoptr (HlSessionResult) result = hl_patterns_to_result (p, NULL, "{}");
  g_autoptr (HlTrace) trace =
      synthetic_trace_new (1, N_PLANTED, FALSE, synthetic_cls_and_grid (SIDE, SIDE));
  const HlStack *stack = hl_model_info_get_stack (trace->model, 0);
  /* A file has its arrays by name, not in the order they were written. */
  gpointer first_array = g_ptr_array_steal_index (result->arrays, 0);
  g_ptr_array_add (result->arrays, first_array);
  for (guint i = result->arrays->len; i > 0; i--)
    g_ptr_array_add (result->arrays, g_ptr_array_steal_index (result->arrays, i - 1));
  g_autoptr (HlPatterns) back = hl_patterns_from_result (result, stack, &error);
  g_assert_no_error (error);
  check_back (p, back);
  g_autofree float *a = hl_patterns_rebuild (p, 7, backend, &error);
  g_autofree float *b = hl_patterns_rebuild (back, 7, backend, &error);
  g_assert_no_error (error);
  g_assert_true (memcmp (a, b, sizeof (float) * 49 * 49) == 0);
  g_autoptr (GPtrArray) all = g_ptr_array_new ();
  g_ptr_array_add (all, back);
  g_autofree char *csv = hl_patterns_to_csv (all);
  g_assert_true (
      g_str_has_prefix (csv, "kind,input,layer,head,cluster,name,error,flagged,x,y\n"
                             "patches,\"planted\",0,0,"));
}

/* One thing changed at a time: each is refused, and said. */
static void
test_bad_result (void)
{
  const int first[] = { 0, N_PLANTED };
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, 2);
  g_autoptr (HlPatterns) p = few (backend, first);
  g_autoptr (HlTrace) trace =
      synthetic_trace_new (1, N_PLANTED, FALSE, synthetic_cls_and_grid (SIDE, SIDE));
  const HlStack *stack = hl_model_info_get_stack (trace->model, 0);
  const struct
  {
    const char *array;
    gint32 number;
  } changes[] = { { "cluster", 99 },     { "cluster", -1 }, { "layer", 1 },
                  { "head", N_PLANTED }, { "head", -1 },    { "input", 11 },
                  { "n_keys", 0 } };
  for (gsize i = 0; i < G_N_ELEMENTS (changes); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (HlSessionResult) result = hl_patterns_to_result (p, NULL, "{}");
      const HlSessionArray *array =
          hl_session_result_get_array (result, changes[i].array);
      ((gint32 *) array->tensor->data)[5] = changes[i].number;
      g_assert_null (hl_patterns_from_result (result, stack, &error));
      g_assert_error (error, HL_ERROR, HL_ERROR_FORMAT);
    }
  for (guint k = 0;; k++) /* each array missing */
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (HlSessionResult) result = hl_patterns_to_result (p, NULL, "{}");
      if (k == result->arrays->len)
        break;
      const HlSessionArray *array = g_ptr_array_index (result->arrays, k);
      if (g_str_equal (array->name, "loss") || g_str_has_prefix (array->name, "net."))
        continue;
      g_ptr_array_remove_index (result->arrays, k);
      g_assert_null (hl_patterns_from_result (result, stack, &error));
      g_assert_error (error, HL_ERROR, HL_ERROR_FORMAT);
    }
}

/* Two inputs of another size: the first says what is expected. */
static void
test_refused (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, 1);
  g_autofree float *map = below (3, 4);
  g_autoptr (HlPatternMaps) maps =
      cut (HL_PATTERN_PATCHES, 14, synthetic_cls_and_grid (3, 4), FALSE, map);
  g_autofree float *other = below (3, 3);
  g_autoptr (HlTrace) trace =
      synthetic_trace_new (1, 1, FALSE, synthetic_cls_and_grid (3, 3));
  synthetic_trace_set_maps (trace, 0, 1, 10, 10, other);
  g_autoptr (HlAttentionSource) source = hl_attention_source_new (trace);
  g_assert_false (
      hl_pattern_maps_add (maps, source, backend, 1, one_layer, NULL, &error));
  g_assert_error (error, HL_ERROR, HL_ERROR_SHAPE);
  g_assert_nonnull (strstr (error->message, "12 x 12 expected"));
  g_assert_cmpint (hl_pattern_maps_get_n (maps), ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/patterns/whole", test_whole);
  g_test_add_func ("/patterns/pooled", test_pooled);
  g_test_add_func ("/patterns/uneven", test_uneven);
  g_test_add_func ("/patterns/cls", test_cls);
  g_test_add_func ("/patterns/text", test_text);
  g_test_add_func ("/patterns/short-text", test_short_text);
  g_test_add_func ("/patterns/planted", test_planted);
  g_test_add_func ("/patterns/resume", test_resume);
  g_test_add_func ("/patterns/place", test_place);
  g_test_add_func ("/patterns/rename", test_rename);
  g_test_add_func ("/patterns/result", test_result);
  g_test_add_func ("/patterns/bad-result", test_bad_result);
  g_test_add_func ("/patterns/refused", test_refused);
  return g_test_run ();
}
