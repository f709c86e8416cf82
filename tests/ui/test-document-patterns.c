/* SPDX-License-Identifier: MIT
 * The document's summaries of patterns: found, stopped, trained further, looked at,
 * renamed, kept in the session; what they look like as a chart. */
#include "document-settle.h"
#include "presenters/hl-present-patterns.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

typedef struct
{
  HlDocument *document;
  int n_losses; /* epochs that were told while training went on */
  int stop_at;
  char *folder;
} Fixture;

static char *
data_path (const char *name)
{
  return g_test_build_filename (G_TEST_DIST, "..", "data", name, NULL);
}

static void
changed_cb (HlDocument *document, Fixture *f)
{
  HlPatternKind kind;
  int n;
  hl_document_get_pattern_losses (document, &kind, &n);
  f->n_losses = MAX (f->n_losses, n);
  if (f->stop_at > 0 && n >= f->stop_at)
    hl_document_stop_analysis (document);
}

static void
set_up (Fixture *f)
{
  g_autofree char *model = data_path ("models/vit-fashion");
  g_autofree char *picture = data_path ("samples/shirt-02.png");
  const HlPatternChoices choices = { .epochs = 3, .n_clusters = 3, .side = 5 };
  memset (f, 0, sizeof *f);
  f->folder = g_dir_make_tmp ("hl-patterns-XXXXXX", NULL);
  f->document = hl_document_new ();
  g_signal_connect (f->document, "patterns-changed", G_CALLBACK (changed_cb), f);
  hl_document_open_input (f->document, picture);
  hl_document_open_model (f->document, model);
  document_settle (f->document);
  hl_document_set_pattern_choices (f->document, &choices);
}

static void
wait_for_engine (Fixture *f)
{
  /* A job is counted off a moment before its end is told. */
  for (int quiet = 0; quiet < 30;)
    {
      gboolean waits = hl_engine_get_n_waiting (hl_document_get_engine (f->document)) > 0;
      quiet = waits || g_main_context_iteration (NULL, FALSE) ? 0 : quiet + 1;
      g_usleep (1000);
    }
}

static void
tear_down (Fixture *f)
{
  document_settle (f->document);
  wait_for_engine (f);
  g_assert_finalize_object (f->document);
  if (f->folder == NULL)
    return;
  g_autofree char *path = g_build_filename (f->folder, "s.h5", NULL);
  g_unlink (path);
  g_rmdir (f->folder);
  g_free (f->folder);
}

static void
test_find (void)
{
  Fixture f;
  set_up (&f);
  g_assert_null (hl_document_get_patterns (f.document, HL_PATTERN_PATCHES));
  hl_document_find_patterns (f.document, HL_SCOPE_DATASET, FALSE); /* there is none */
  hl_document_find_patterns (f.document, HL_SCOPE_INPUT, FALSE);
  document_settle (f.document);
  HlPatterns *p = hl_document_get_patterns (f.document, HL_PATTERN_PATCHES);
  HlPatterns *cls = hl_document_get_patterns (f.document, HL_PATTERN_CLS);
  g_assert_nonnull (p);
  g_assert_nonnull (cls);
  g_assert_null (hl_document_get_patterns (f.document, HL_PATTERN_TEXT));
  g_assert_cmpint (f.n_losses, ==, 3);
  g_assert_cmpint (hl_patterns_get_n (p), ==, 36);
  g_assert_cmpuint (p->clusters->len, ==, 3);
  g_assert_cmpint (p->shape.height, ==, 25);
  g_assert_false (p->is_partial);
  /* The input's own heads lie where the summary has them. */
  g_assert_null (hl_document_get_pattern_spots (f.document, HL_PATTERN_PATCHES));
  wait_for_engine (&f);
  HlPatternSpots *spots = hl_document_get_pattern_spots (f.document, HL_PATTERN_PATCHES);
  g_assert_nonnull (spots);
  for (int i = 0; i < 36; i++)
    g_assert_cmpint (g_array_index (spots->cluster, int, i), ==,
                     g_array_index (p->cluster, int, i));
  /* Another trace has its own. */
  hl_selection_toggle_ablated (hl_document_get_selection (f.document), 0, 0);
  document_settle (f.document);
  g_assert_null (hl_document_get_pattern_spots (f.document, HL_PATTERN_PATCHES));
  g_assert_nonnull (hl_document_get_patterns (f.document, HL_PATTERN_PATCHES));
  tear_down (&f);
}

static void
test_stop_and_resume (void)
{
  Fixture f;
  set_up (&f);
  const HlPatternChoices choices = { .epochs = 400, .n_clusters = 2, .side = 5 };
  hl_document_set_pattern_choices (f.document, &choices);
  f.stop_at = 2;
  hl_document_find_patterns (f.document, HL_SCOPE_INPUT, FALSE);
  document_settle (f.document);
  HlPatterns *p = hl_document_get_patterns (f.document, HL_PATTERN_PATCHES);
  g_assert_nonnull (p);
  g_assert_true (p->is_partial);
  guint n = p->losses->len;
  g_assert_cmpuint (n, >=, 2);
  g_assert_cmpuint (n, <, 400);
  const HlPatternChoices more = { .epochs = 2, .n_clusters = 2, .side = 5 };
  double loss = g_array_index (p->losses, HlPatternLoss, 0).train;
  hl_document_set_pattern_choices (f.document, &more);
  f.stop_at = 0;
  hl_document_find_patterns (f.document, HL_SCOPE_INPUT, TRUE);
  document_settle (f.document);
  p = hl_document_get_patterns (f.document, HL_PATTERN_PATCHES);
  g_assert_cmpuint (p->losses->len, ==, n + 2);
  g_assert_cmpfloat (g_array_index (p->losses, HlPatternLoss, 0).train, ==, loss);
  g_assert_false (p->is_partial);
  tear_down (&f);
}

static void
test_session (void)
{
  Fixture f;
  set_up (&f);
  g_autofree char *path = g_build_filename (f.folder, "s.h5", NULL);
  hl_document_find_patterns (f.document, HL_SCOPE_INPUT, FALSE);
  document_settle (f.document);
  hl_document_rename_pattern (f.document, HL_PATTERN_PATCHES, 1, "My \"heads\"");
  hl_document_rename_pattern (f.document, HL_PATTERN_PATCHES, 99, "nothing");
  hl_document_save (f.document, path);
  document_settle (f.document);
  g_autoptr (HlPatterns) before =
      hl_patterns_ref (hl_document_get_patterns (f.document, HL_PATTERN_PATCHES));
  /* One result a kind: the renamed one took its own place. */
  g_autoptr (HlSession) saved = hl_session_load (path, NULL, NULL);
  g_assert_cmpuint (hl_session_get_n_results (saved), ==, 2);
  tear_down (&(Fixture){ .document = f.document });
  f.document = hl_document_new ();
  hl_document_open_session (f.document, path);
  document_settle (f.document);
  HlPatterns *p = hl_document_get_patterns (f.document, HL_PATTERN_PATCHES);
  g_assert_nonnull (p);
  g_assert_nonnull (hl_document_get_patterns (f.document, HL_PATTERN_CLS));
  g_assert_cmpstr (hl_patterns_get_cluster (p, 1)->name, ==, "My \"heads\"");
  g_assert_true (memcmp (p->latent->data, before->latent->data,
                         sizeof (float) * p->latent->len) == 0);
  /* Looked at: no map is at hand, but what the autoencoder makes of it. */
  hl_document_look_at_pattern (f.document, HL_PATTERN_PATCHES, 7);
  wait_for_engine (&f);
  const HlPatternLook *look = hl_document_get_pattern_look (f.document);
  g_assert_nonnull (look);
  g_assert_cmpint (look->map_index, ==, 7);
  g_assert_null (look->map);
  double squares = 0;
  for (int k = 0; k < 625; k++)
    squares +=
        pow ((double) (look->rebuilt[k] - hl_pattern_maps_get (before->maps, 7)[k]), 2);
  g_assert_cmpfloat_with_epsilon (squares / 625, g_array_index (p->error, float, 7),
                                  1e-5);
  hl_document_look_at_pattern (f.document, HL_PATTERN_PATCHES, -1);
  g_assert_null (hl_document_get_pattern_look (f.document));
  tear_down (&f);
}

/* ---- the chart -----------------------------------------------------------------------
 */

static void
test_chart (void)
{
  Fixture f;
  set_up (&f);
  hl_document_find_patterns (f.document, HL_SCOPE_INPUT, FALSE);
  document_settle (f.document);
  hl_document_get_pattern_spots (f.document, HL_PATTERN_PATCHES);
  wait_for_engine (&f);
  HlPatterns *p = hl_document_get_patterns (f.document, HL_PATTERN_PATCHES);
  HlPatternSpots *spots = hl_document_get_pattern_spots (f.document, HL_PATTERN_PATCHES);
  HlPatternView view = { .by_layer = TRUE };
  g_autoptr (HlChartScene) scene =
      hl_present_patterns (p, spots, (HlHeadKey){ 0, 2, 3 }, &view);
  const HlChartSeries *own = hl_chart_scene_get (scene, 0);
  const HlChartSeries *cloud = hl_chart_scene_get (scene, 1);
  g_assert_cmpint (own->n, ==, 36);
  g_assert_cmpint (scene->selected, ==, 15);
  g_assert_true (g_str_has_prefix (own->names[15], "2.3: "));
  g_assert_cmpfloat (own->shades[15], ==, 2 / 5.0);
  g_assert_true (cloud->is_cloud);
  g_assert_cmpint (cloud->n, ==, 36);
  for (int i = 0; i < 36; i++)
    {
      g_assert_cmpfloat_with_epsilon (cloud->x[i], own->x[i], 0.05);
      g_assert_cmpfloat_with_epsilon (cloud->y[i], own->y[i], 0.05);
      g_assert_cmpint (cloud->colors[i], ==, g_array_index (p->cluster, int, i));
    }
  view = (HlPatternView){ .as_contours = TRUE, .principal = TRUE };
  g_autoptr (HlChartScene) lines =
      hl_present_patterns (p, spots, (HlHeadKey){ 0, 9, 9 }, &view);
  g_assert_cmpint (lines->selected, ==, -1);
  g_assert_cmpuint (lines->series->len, ==, 5);
  g_assert_cmpint (hl_chart_scene_get (lines, 0)->colors[4], ==,
                   g_array_index (spots->cluster, int, 4));
  g_autoptr (HlGridScene) grid = hl_present_pattern_grid (p);
  const HlThumb *thumb =
      &((HlGridLayer *) g_ptr_array_index (grid->layers, 2))->thumbs[3];
  g_assert_cmpint (thumb->n_columns, ==, 3);
  for (int c = 0; c < 3; c++) /* one map a head: all of it in one cluster */
    g_assert_cmpfloat (thumb->values[c], ==, c == g_array_index (p->cluster, int, 15));
  g_autofree char *words = hl_pattern_map_words (p, 15);
  g_assert_true (g_str_has_prefix (words, "shirt-02.png · 2.3: "));
  g_autofree char *explained = hl_pattern_explain (p);
  g_assert_nonnull (strstr (explained, "\"kind\":\"patches\""));
  tear_down (&f);
}

/* Round points of one Gaussian the lines are circles, whose radii hold the shares asked
 * for: 1 - exp (-r^2 / 2) of it lies within r deviations. The density's own width, h
 * deviations, widens it by sqrt (1 + h^2). */
static void
test_contours (void)
{
  enum
  {
    N = 4000
  };
  static const double shares[] = { 0.5, 0.9 };
  g_autofree float *xy = g_new (float, 2 * N);
  g_autoptr (GRand) rand = g_rand_new_with_seed (5);
  g_autoptr (HlChartScene) scene = hl_chart_scene_new ();
  double h = 0.5 * pow (N, -1.0 / 6);
  for (int i = 0; i < N; i++)
    {
      double r = sqrt (-2 * log (1 - g_rand_double (rand)));
      double angle = 2 * G_PI * g_rand_double (rand);
      xy[2 * i] = (float) (7 + 3 * r * cos (angle));
      xy[2 * i + 1] = (float) (-2 + 3 * r * sin (angle));
    }
  hl_present_density_lines (scene, xy, N, shares, 2);
  for (guint k = 0; k < 2; k++)
    {
      const HlChartSeries *s = hl_chart_scene_get (scene, k);
      double wanted = 3 * sqrt (1 + h * h) * sqrt (-2 * log (1 - shares[k])), sum = 0;
      int n = 0;
      for (int i = 0; i < s->n; i++)
        if (!isnan (s->y[i]))
          {
            sum += hypot (s->x[i] - 7, s->y[i] + 2);
            n++;
          }
      g_assert_cmpint (n, >, 50);
      g_assert_cmpfloat_with_epsilon (sum / n / wanted, 1, 0.04);
    }
}

static void
test_pixels (void)
{
  const float numbers[] = { 0, 0.25f, 0.5f, 0.1f, 0, 0 };
  const HlAutoencoderShape shape = { 2, 3, 0 };
  g_autoptr (GBytes) pixels =
      hl_present_pattern_pixels (shape, numbers, HL_COLORMAP_GREY, 2);
  const guint8 *rgb = g_bytes_get_data (pixels, NULL);
  g_assert_cmpuint (g_bytes_get_size (pixels), ==, 3 * 6 * 4);
  g_assert_cmpint (rgb[3 * 4], ==, rgb[3 * (6 + 5)]); /* the brightest, four times */
  g_assert_cmpint (rgb[3 * 4], !=, rgb[3 * 2]);
  g_assert_cmpint (rgb[0], ==, rgb[3 * (2 * 6 + 5)]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_setenv ("HEADLIGHT_PROGRAMS", PROGRAMS_FOLDER, TRUE);
  g_test_add_func ("/document-patterns/find", test_find);
  g_test_add_func ("/document-patterns/stop-and-resume", test_stop_and_resume);
  g_test_add_func ("/document-patterns/session", test_session);
  g_test_add_func ("/document-patterns/chart", test_chart);
  g_test_add_func ("/document-patterns/contours", test_contours);
  g_test_add_func ("/document-patterns/pixels", test_pixels);
  return g_test_run ();
}
