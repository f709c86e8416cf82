/* SPDX-License-Identifier: MIT
 * From summaries of attention patterns to charts and pictures. */
#include "config.h"

#include "presenters/hl-present-patterns.h"

#include "analysis/hl-tsne.h"
#include "draw/hl-colormap.h"

#include <glib/gi18n-lib.h>
#include <math.h>
#include <string.h>

const char *
hl_pattern_kind_words (HlPatternKind kind)
{
  static const char *const words[HL_N_PATTERNS] = { N_ ("Between patches"),
                                                    N_ ("From CLS"), N_ ("Texts") };
  return _ (words[kind]);
}

/* Names as hl-pattern-names.h suggests them, for the catalogue. */
static const char *const suggested[] = {
  N_ ("Uniform"),        N_ ("CLS only"),       N_ ("Self"),
  N_ ("Few keys"),       N_ ("Neighbours"),     N_ ("Row stripes"),
  N_ ("Column stripes"), N_ ("Content"),        N_ ("Even"),
  N_ ("CLS itself"),     N_ ("Few patches"),    N_ ("Parts of the picture"),
  N_ ("First token"),    N_ ("Previous token"), N_ ("Same token"),
  N_ ("Few tokens"),     N_ ("Recent tokens"),
};

char *
hl_pattern_cluster_words (const HlPatternCluster *cluster)
{
  for (gsize i = 0; i < G_N_ELEMENTS (suggested); i++)
    {
      gsize length = strlen (suggested[i]);
      const char *rest = cluster->name + length;
      if (strncmp (cluster->name, suggested[i], length) == 0 &&
          (*rest == '\0' || (*rest == ' ' && g_ascii_isdigit (rest[1]))))
        return g_strconcat (_ (suggested[i]), rest, NULL);
    }
  return g_strdup (cluster->name);
}

static char *
describe (const HlPatterns *p, const char *where, int cluster, double error)
{
  g_autofree char *name = hl_pattern_cluster_words (hl_patterns_get_cluster (p, cluster));
  g_autofree char *number = hl_format_number (error);
  return error > p->flagged_above
             ? g_strdup_printf (_ ("%s: %s, error %s: not described by the summary"),
                                where, name, number)
             : g_strdup_printf (_ ("%s: %s, error %s"), where, name, number);
}

char *
hl_pattern_map_words (const HlPatterns *p, int i)
{
  int layer, head, input = g_array_index (p->places, HlPatternPlace, i).input;
  hl_patterns_get_place (p, i, &layer, &head);
  const HlPatternInput *about = g_ptr_array_index (p->inputs, (guint) input);
  g_autofree char *where = g_strdup_printf ("%s · %d.%d", about->name, layer, head);
  return describe (p, where, g_array_index (p->cluster, int, i),
                   (double) g_array_index (p->error, float, i));
}

/* Layer and head of spot @i. */
static HlHeadKey
key_of (const HlPatterns *p, const HlPatternSpots *spots, int i)
{
  HlHeadKey key = { 0 };
  int flat = g_array_index (spots->maps->places, HlPatternPlace, i).head;
  while (key.layer + 1 < p->n_layers && flat >= p->first[key.layer + 1])
    key.layer++;
  key.head = flat - p->first[key.layer];
  return key;
}

char *
hl_pattern_spot_words (const HlPatterns *p, const HlPatternSpots *spots, int i)
{
  HlHeadKey key = key_of (p, spots, i);
  g_autofree char *where = g_strdup_printf ("%d.%d", key.layer, key.head);
  return describe (p, where, g_array_index (spots->cluster, int, i),
                   (double) g_array_index (spots->error, float, i));
}

/* ---- the plane -----------------------------------------------------------------------
 */

static double
layer_shade (const HlPatterns *p, int layer)
{
  return p->n_layers > 1 ? (double) layer / (p->n_layers - 1) : 0;
}

static void
add_spots (HlChartScene *scene,
           const HlPatterns *p,
           const HlPatternSpots *spots,
           HlHeadKey selected,
           const HlPatternView *view)
{
  int n = spots != NULL ? hl_pattern_maps_get_n (spots->maps) : 0;
  HlChartSeries *s = hl_chart_scene_add (scene, HL_CHART_DOTS, n);
  hl_chart_series_add_names (s);
  hl_chart_series_add_colors (s);
  if (view->by_layer)
    hl_chart_series_add_shades (s);
  for (int i = 0; i < n; i++)
    {
      HlHeadKey key = key_of (p, spots, i);
      const GArray *layout =
          spots->layout != NULL && !view->principal ? spots->layout : spots->components;
      s->x[i] = (double) g_array_index (layout, float, 2 * i);
      s->y[i] = (double) g_array_index (layout, float, 2 * i + 1);
      s->colors[i] = g_array_index (spots->cluster, int, i);
      s->names[i] = hl_pattern_spot_words (p, spots, i);
      if (view->by_layer)
        s->shades[i] = layer_shade (p, key.layer);
      if (key.layer == selected.layer && key.head == selected.head)
        scene->selected = i;
    }
}

static void
add_cloud (HlChartScene *scene, const HlPatterns *p, const HlPatternView *view)
{
  const float *layout = hl_patterns_get_layout (p, view->principal);
  HlChartSeries *s = hl_chart_scene_add (scene, HL_CHART_DOTS, hl_patterns_get_n (p));
  s->is_cloud = TRUE;
  hl_chart_series_add_colors (s);
  if (view->by_layer)
    hl_chart_series_add_shades (s);
  for (int i = 0; i < s->n; i++)
    {
      int layer, head;
      hl_patterns_get_place (p, i, &layer, &head);
      s->x[i] = (double) layout[2 * i];
      s->y[i] = (double) layout[2 * i + 1];
      s->colors[i] = g_array_index (p->cluster, int, i);
      if (view->by_layer)
        s->shades[i] = layer_shade (p, layer);
    }
}

HlChartScene *
hl_present_patterns (const HlPatterns *p,
                     const HlPatternSpots *spots,
                     HlHeadKey selected,
                     const HlPatternView *view)
{
  static const double shares[] = { 0.25, 0.5, 0.75, 0.95 };
  HlChartScene *scene = hl_chart_scene_new ();
  gboolean is_tsne = p->layout != NULL && !view->principal;
  scene->is_map = TRUE;
  scene->title = g_strdup_printf (
      ngettext ("Patterns: %s, %d maps of %u input", "Patterns: %s, %d maps of %u inputs",
                p->inputs->len),
      hl_pattern_kind_words (p->kind), hl_patterns_get_n (p), p->inputs->len);
  scene->caption =
      is_tsne
          ? g_strdup_printf (_ ("Latents by t-SNE, perplexity %.0f: what lies near is "
                                "alike, distances across mean little."),
                             hl_tsne_perplexity (hl_patterns_get_n (p)))
          : g_strdup (_ ("Latents by their first two principal components."));
  scene->colormap = HL_COLORMAP_VIRIDIS;
  if (view->by_layer)
    {
      scene->shades_low = g_strdup (_ ("layer 0"));
      scene->shades_high = g_strdup_printf (_ ("layer %d"), p->n_layers - 1);
    }
  add_spots (scene, p, spots, selected, view);
  if (view->as_contours)
    hl_present_density_lines (scene, hl_patterns_get_layout (p, view->principal),
                              hl_patterns_get_n (p), shares, G_N_ELEMENTS (shares));
  else
    add_cloud (scene, p, view);
  return scene;
}

/* (transfer full): (heads, clusters): how many maps of a head are of a cluster. */
static int *
count_maps (const HlPatterns *p, int n_heads)
{
  int k = (int) p->clusters->len;
  int *counts = g_new0 (int, (gsize) (n_heads * k) + 1);
  for (int i = 0; i < hl_patterns_get_n (p); i++)
    counts[g_array_index (p->places, HlPatternPlace, i).head * k +
           g_array_index (p->cluster, int, i)]++;
  return counts;
}

static void
fill_strip (HlThumb *thumb, const int *counts, int k)
{
  int n = 0;
  thumb->n_rows = 1;
  thumb->n_columns = k;
  thumb->values = g_new (float, (gsize) k);
  for (int c = 0; c < k; c++)
    n += counts[c];
  for (int c = 0; c < k; c++)
    {
      double share = n > 0 ? (double) counts[c] / n : (double) NAN;
      thumb->values[c] = (float) share;
      thumb->max = fmax (thumb->max, share);
    }
}

HlGridScene *
hl_present_pattern_grid (const HlPatterns *p)
{
  int k = MIN ((int) p->clusters->len, HL_THUMB_SIDE_MAX);
  HlGridScene *scene = hl_grid_scene_new ();
  g_autofree int *counts = count_maps (p, p->first[p->n_layers]);
  for (int l = 0; l < p->n_layers; l++)
    {
      g_autofree char *label = g_strdup_printf ("%d", l);
      int n = p->first[l + 1] - p->first[l];
      HlGridLayer *layer = hl_grid_scene_add_layer (scene, label, n);
      for (int h = 0; h < n; h++)
        fill_strip (&layer->thumbs[h],
                    counts + (p->first[l] + h) * (int) p->clusters->len, k);
    }
  scene->title = g_strdup (_ ("Patterns"));
  scene->scale =
      (HlScale){ .colormap = HL_COLORMAP_VIRIDIS, .mode = HL_RANGE_SHARED, .high = 1 };
  scene->caption = g_strdup_printf (_ ("%s: share of each head's maps in each cluster, "
                                       "the largest cluster at the left"),
                                    hl_pattern_kind_words (p->kind));
  return scene;
}

/* ---- training ------------------------------------------------------------------------
 */

HlChartScene *
hl_present_pattern_loss (const HlPatternLoss *losses, int n)
{
  HlChartScene *scene = hl_chart_scene_new ();
  scene->title = g_strdup (_ ("Training the autoencoder"));
  scene->x_title = g_strdup (_ ("epoch"));
  scene->y_title = g_strdup (_ ("squared error"));
  scene->y_low = 0;
  HlChartSeries *train = hl_chart_scene_add (scene, HL_CHART_LINE, n);
  gboolean has_held_out = n > 0 && !isnan (losses[n - 1].held_out);
  HlChartSeries *held_out =
      has_held_out ? hl_chart_scene_add (scene, HL_CHART_LINE, n) : NULL;
  train->label = g_strdup (_ ("trained on"));
  for (int i = 0; i < n; i++)
    {
      train->x[i] = i + 1;
      train->y[i] = losses[i].train;
    }
  for (int i = 0; i < n && has_held_out; i++)
    {
      held_out->x[i] = i + 1;
      held_out->y[i] = losses[i].held_out;
    }
  if (has_held_out)
    {
      held_out->color = 1;
      held_out->is_dashed = TRUE;
      held_out->label = g_strdup (_ ("held out"));
    }
  return scene;
}

/* ---- pictures ------------------------------------------------------------------------
 */

HlMatrixScene *
hl_present_pattern_map (HlPatternKind kind,
                        HlAutoencoderShape shape,
                        int grid_columns,
                        const float *numbers,
                        const char *title)
{
  HlMatrixScene *scene = hl_matrix_scene_new ();
  gsize n = (gsize) shape.height * (gsize) shape.width;
  scene->title = g_strdup (title);
  scene->caption = g_strdup (_ ("ln (1 + A T) / ln (1 + T), as the autoencoder sees it"));
  scene->rows.n = shape.height;
  scene->columns.n = shape.width;
  scene->rows.title = g_strdup (kind == HL_PATTERN_CLS ? _ ("row") : _ ("query"));
  scene->columns.title = g_strdup (kind == HL_PATTERN_CLS ? _ ("column") : _ ("key"));
  if (kind == HL_PATTERN_PATCHES)
    scene->rows.major = scene->columns.major = grid_columns;
  scene->n_values_rows = shape.height;
  scene->n_values_columns = shape.width;
  scene->values = g_memdup2 (numbers, sizeof (float) * n);
  scene->scale = (HlScale){
    .colormap = HL_COLORMAP_VIRIDIS, .mode = HL_RANGE_OWN, .low = 0, .high = 1
  };
  return scene;
}

GBytes *
hl_present_pattern_pixels (HlAutoencoderShape shape,
                           const float *numbers,
                           HlColormap colormap,
                           int zoom)
{
  gsize width = (gsize) (shape.width * zoom), height = (gsize) (shape.height * zoom);
  guint8 *pixels = g_malloc (3 * width * height);
  double most = 1e-6;
  for (int i = 0; i < shape.height * shape.width; i++)
    most = MAX (most, (double) numbers[i]);
  for (gsize y = 0; y < height; y++)
    for (gsize x = 0; x < width; x++)
      {
        gsize cell = y / (gsize) zoom * (gsize) shape.width + x / (gsize) zoom;
        hl_colormap_lookup (colormap, (double) numbers[cell] / most,
                            pixels + 3 * (y * width + x));
      }
  return g_bytes_new_take (pixels, 3 * width * height);
}

/* ---- how -----------------------------------------------------------------------------
 */

static const char *
explain_pictures (HlPatternKind kind)
{
  static const char *const words[HL_N_PATTERNS] = {
    N_ ("Every head's map between patches is one picture: a row a query, a column a key; "
        "larger grids are pooled in four dimensions."),
    N_ ("What CLS attends to is one picture of the grid; what it gives itself stands "
        "beside it."),
    N_ ("A text's map is three pictures side by side: a band of 32 offsets, a coarse map "
        "of 32 x 32, and the first token's column."),
  };
  return _ (words[kind]);
}

char *
hl_pattern_explain (const HlPatterns *p)
{
  g_autofree char *net = hl_format_number (p->net_error);
  g_autofree char *pca = hl_format_number (p->pca_error);
  g_autofree char *errors =
      p->n_held_out > 0
          ? g_strdup_printf (_ ("Mean squared error on %d maps not trained on: %s; 32 "
                                "principal components: %s."),
                             p->n_held_out, net, pca)
          : g_strdup_printf (
                _ ("Mean squared error on the maps trained on: %s; 32 principal "
                   "components: %s."),
                net, pca);
  g_autofree char *words = g_strdup_printf (
      _ ("%s Numbers are ln (1 + A T) / ln (1 + T). An autoencoder (four 3 x 3 "
         "convolutions of stride 2 with 16, 32, 64 and 128 channels, 32 latent numbers, "
         "Adam 1e-3, seed %u, %u epochs, every tenth input held out) is trained on them; "
         "the paper does not tell its own. Clusters: k-means on the latents, as many as "
         "the silhouette suggests unless chosen. %s Maps above the 95th percentile of "
         "errors are flagged."),
      explain_pictures (p->kind), p->seed, p->losses->len, errors);
  return g_strdup_printf (
      "%s\n\n"
      "import h5py\n"
      "f = h5py.File('session.h5')\n"
      "r = next(r for r in f['results'].values() if r.attrs['analysis'] == 'patterns'\n"
      "         and '\"kind\":\"%s\"' in r.attrs['params'])\n"
      "z, xy, k = r['latent'][:], r['layout'][:], r['cluster'][:]\n"
      "of_head = (r['layer'][:] == 0) & (r['head'][:] == 0)\n"
      "print(k[of_head], r['error'][:][of_head])",
      words, hl_pattern_kind_id (p->kind));
}
