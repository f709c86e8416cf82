/* SPDX-License-Identifier: MIT
 * How a summary of attention patterns is made: trained, encoded, laid out, clustered. */
#include "analysis/hl-kmeans.h"
#include "analysis/hl-pattern-names.h"
#include "analysis/hl-pattern-train.h"
#include "analysis/hl-pca.h"
#include "analysis/hl-statistics.h"
#include "analysis/hl-tsne.h"
#include "base/hl-error.h"

#include <math.h>
#include <string.h>

/* Shares of the progress: training, then the rest. */
#define TRAINED 0.85
#define SILHOUETTE_POINTS 2000

typedef struct
{
  HlPatterns *p;
  HlAutoencoder *net;
  HlBackend *backend;
  const HlPatternOptions *options;
  const HlProgress *progress;
  double from, share; /* of the whole, for the stage in hand */
} Work;

static void
stage_cb (double fraction, const char *what, gpointer data)
{
  const Work *w = data;
  if (w->progress != NULL && w->progress->func != NULL)
    w->progress->func (w->from + w->share * fraction, what, w->progress->func_data);
}

static HlProgress
stage (Work *w, double from, double share)
{
  HlProgress progress = w->progress != NULL ? *w->progress : (HlProgress){ 0 };
  w->from = from;
  w->share = share;
  progress.func = stage_cb;
  progress.func_data = w;
  if (w->p->is_partial)
    progress.cancellable = NULL;
  return progress;
}

static GArray *
floats (gsize n)
{
  GArray *array = g_array_new (FALSE, TRUE, sizeof (float));
  g_array_set_size (array, (guint) n);
  return array;
}

/* ---- training ------------------------------------------------------------------------
 */

/* (nullable): what is gone on with. */
static const HlPatterns *
find_earlier (const Work *w)
{
  GPtrArray *resume = w->options->resume;
  for (guint i = 0; resume != NULL && i < resume->len; i++)
    {
      const HlPatterns *old = g_ptr_array_index (resume, i);
      if (old->kind == w->p->kind && old->shape.height == w->p->shape.height &&
          old->shape.width == w->p->shape.width && old->weights->len > 0)
        return old;
    }
  return NULL;
}

static gboolean
open_net (Work *w, GError **error)
{
  const HlPatterns *old = find_earlier (w);
  if (old == NULL)
    {
      w->net = hl_autoencoder_new (w->backend, w->p->shape, w->p->seed, error);
      return w->net != NULL;
    }
  w->p->seed = old->seed;
  w->net = hl_patterns_open_net (old, w->backend, error);
  g_array_append_vals (w->p->losses, old->losses->data, old->losses->len);
  return w->net != NULL;
}

static HlTensor *
to_float (HlTensor *t, GError **error)
{
  g_autoptr (HlTensor) same = hl_tensor_convert (t, HL_DTYPE_F32, error);
  return same != NULL ? hl_tensor_new_copy (HL_DTYPE_F32, same->shape, same->data) : NULL;
}

static gboolean
keep_weights (Work *w, GError **error)
{
  for (int i = 0; i < hl_autoencoder_get_n_weights (w->net); i++)
    {
      HlPatternWeight *kept = g_new0 (HlPatternWeight, 1);
      kept->name = g_strdup (hl_autoencoder_get_name (w->net, i));
      g_ptr_array_add (w->p->weights, kept);
      kept->weight = to_float (hl_autoencoder_get_weight (w->net, i), error);
      if (kept->weight != NULL)
        kept->moment = to_float (hl_autoencoder_get_moment (w->net, i), error);
      if (kept->moment != NULL)
        kept->square = to_float (hl_autoencoder_get_square (w->net, i), error);
      if (kept->square == NULL)
        return FALSE;
    }
  w->p->n_steps = hl_autoencoder_get_n_steps (w->net);
  return TRUE;
}

static gboolean
train (Work *w, GError **error)
{
  GError *failure = NULL;
  const HlPatternOptions *o = w->options;
  HlProgress progress = stage (w, 0, TRAINED);
  if (!open_net (w, error))
    return FALSE;
  gboolean ok =
      hl_pattern_train (w->net, w->p->maps, (int) w->p->inputs->len, w->p->losses,
                        o->epochs > 0 ? o->epochs : HL_PATTERN_EPOCHS, w->p->seed,
                        o->epoch_done, o->epoch_data, &progress, &failure);
  gboolean is_stopped = g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED) &&
                        hl_autoencoder_get_n_steps (w->net) > 0;
  if (!ok && !is_stopped)
    {
      g_propagate_error (error, failure);
      return FALSE;
    }
  g_clear_error (&failure);
  w->p->is_partial |= !ok;
  return keep_weights (w, error);
}

/* ---- errors --------------------------------------------------------------------------
 */

/* (transfer full): maps of inputs that were, or were not, held out, one after another. */
static float *
gather (const HlPatterns *p, gboolean held_out, gint64 *n)
{
  int size = hl_pattern_maps_get_size (p->maps), n_inputs = (int) p->inputs->len;
  float *out = g_new (float, (gsize) hl_patterns_get_n (p) * (gsize) size + 1);
  *n = 0;
  for (int i = 0; i < hl_patterns_get_n (p); i++)
    {
      int input = g_array_index (p->places, HlPatternPlace, i).input;
      if (hl_pattern_is_held_out (input, n_inputs) == held_out)
        memcpy (out + (*n)++ * size, hl_pattern_maps_get (p->maps, i),
                sizeof (float) * (gsize) size);
    }
  return out;
}

/* The autoencoder beside as many principal components, on the same maps. */
static void
compare_to_pca (HlPatterns *p)
{
  gint64 n_trained, n_held_out;
  int size = hl_pattern_maps_get_size (p->maps), n_inputs = (int) p->inputs->len, n = 0;
  g_autofree float *trained = gather (p, FALSE, &n_trained);
  g_autofree float *held_out = gather (p, TRUE, &n_held_out);
  p->n_held_out = (int) n_held_out;
  p->pca_error = p->net_error = (double) NAN;
  if (n_trained == 0)
    return;
  g_autoptr (HlPca) pca =
      hl_pca_new (trained, n_trained, size, HL_AUTOENCODER_LATENT, p->seed);
  p->pca_error = n_held_out > 0 ? hl_pca_error (pca, held_out, n_held_out)
                                : hl_pca_error (pca, trained, n_trained);
  p->net_error = 0;
  for (int i = 0; i < hl_patterns_get_n (p); i++)
    if (n_held_out == 0 ||
        hl_pattern_is_held_out (g_array_index (p->places, HlPatternPlace, i).input,
                                n_inputs))
      {
        p->net_error += (double) g_array_index (p->error, float, i);
        n++;
      }
  p->net_error /= MAX (n, 1);
}

static gboolean
encode (Work *w, GError **error)
{
  HlPatterns *p = w->p;
  HlProgress progress = stage (w, TRAINED, 0.02);
  gsize n = (gsize) hl_patterns_get_n (p);
  p->latent = floats (n * HL_AUTOENCODER_LATENT);
  p->error = floats (n);
  if (!hl_pattern_run (w->net, p->maps, (float *) p->latent->data,
                       (float *) p->error->data, NULL, &progress, error))
    return FALSE;
  g_autofree double *errors = g_new (double, n);
  for (gsize i = 0; i < n; i++)
    errors[i] = (double) g_array_index (p->error, float, i);
  p->flagged_above = hl_quantile (errors, n, HL_PATTERN_NOT_DESCRIBED);
  compare_to_pca (p);
  return TRUE;
}

/* ---- layouts -------------------------------------------------------------------------
 */

static gboolean
lay_out (Work *w, GError **error)
{
  HlPatterns *p = w->p;
  HlProgress progress = stage (w, 0.92, 0.08);
  const float *latent = (const float *) p->latent->data;
  gint64 n = hl_patterns_get_n (p);
  p->components = floats (2 * (gsize) n);
  g_autofree float *projected = g_new0 (float, 2 * (gsize) n);
  g_autoptr (HlPca) pca = hl_pca_new (latent, n, HL_AUTOENCODER_LATENT, 2, p->seed);
  hl_pca_project (pca, latent, n, projected);
  for (gint64 i = 0; i < n; i++)
    for (int k = 0; k < pca->rank; k++)
      g_array_index (p->components, float, 2 * i + k) = projected[i * pca->rank + k];
  if (w->options->no_tsne || p->is_partial)
    return TRUE;
  GError *failure = NULL;
  g_autoptr (GArray) layout = floats (2 * (gsize) n);
  if (hl_tsne (latent, n, HL_AUTOENCODER_LATENT, 0.5, p->seed, &progress,
               (float *) layout->data, &failure))
    p->layout = g_steal_pointer (&layout);
  else if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    p->is_partial = TRUE;
  else
    {
      g_propagate_error (error, failure);
      return FALSE;
    }
  g_clear_error (&failure);
  return TRUE;
}

/* ---- clusters ------------------------------------------------------------------------
 */

static double
distance2 (const float *a, const float *b)
{
  double sum = 0;
  for (int d = 0; d < HL_AUTOENCODER_LATENT; d++)
    sum += (double) (a[d] - b[d]) * (double) (a[d] - b[d]);
  return sum;
}

/* Sums over the maps of each cluster; the medoid is the nearest to its centre. */
static void
add_up (const HlPatterns *p, const HlKmeans *m, double *least)
{
  int size = hl_pattern_maps_get_size (p->maps);
  for (int i = 0; i < hl_patterns_get_n (p); i++)
    {
      HlPatternCluster *c = g_ptr_array_index (p->clusters, (guint) m->cluster[i]);
      const float *map = hl_pattern_maps_get (p->maps, i);
      const float *traits = (const float *) p->maps->traits->data + i * HL_N_TRAITS;
      int layer, head;
      double d2 = distance2 ((const float *) p->latent->data + i * HL_AUTOENCODER_LATENT,
                             m->centres + m->cluster[i] * HL_AUTOENCODER_LATENT);
      hl_patterns_get_place (p, i, &layer, &head);
      c->n++;
      c->by_layer[layer]++;
      c->spread += d2;
      for (int k = 0; k < size; k++)
        c->mean[k] += map[k];
      for (int k = 0; k < HL_N_TRAITS; k++)
        c->traits[k] += isnan (traits[k]) ? 0 : (double) traits[k];
      if (d2 < least[m->cluster[i]])
        {
          least[m->cluster[i]] = d2;
          c->medoid = i;
        }
    }
}

static void
finish_cluster (const HlPatterns *p, HlPatternCluster *c)
{
  int size = hl_pattern_maps_get_size (p->maps);
  c->spread = sqrt (c->spread / MAX (c->n, 1));
  for (int k = 0; k < size; k++)
    c->mean[k] /= (float) MAX (c->n, 1);
  for (int k = 0; k < HL_N_TRAITS; k++)
    c->traits[k] /= MAX (c->n, 1);
  c->example =
      g_memdup2 (hl_pattern_maps_get (p->maps, c->medoid), sizeof (float) * (gsize) size);
}

/* Names by what the clusters are like; those that come twice are numbered. */
static void
name_clusters (HlPatterns *p)
{
  for (guint i = 0; i < p->clusters->len; i++)
    {
      HlPatternCluster *c = g_ptr_array_index (p->clusters, i);
      const char *name =
          hl_pattern_name (p->kind, c->traits, p->grid_rows, p->grid_columns);
      int before = 0, all = 0;
      for (guint j = 0; j < p->clusters->len; j++)
        {
          const HlPatternCluster *other = g_ptr_array_index (p->clusters, j);
          gboolean is_same = g_str_equal (
              hl_pattern_name (p->kind, other->traits, p->grid_rows, p->grid_columns),
              name);
          all += is_same;
          before += is_same && j < i;
        }
      c->name = all > 1 ? g_strdup_printf ("%s %d", name, before + 1) : g_strdup (name);
    }
}

static void
keep_clusters (HlPatterns *p, const HlKmeans *m)
{
  g_autofree double *least = g_new (double, (gsize) m->k);
  int size = hl_pattern_maps_get_size (p->maps);
  gint64 sample = MIN (m->n, SILHOUETTE_POINTS);
  p->cluster = g_array_new (FALSE, FALSE, sizeof (int));
  g_array_append_vals (p->cluster, m->cluster, (guint) m->n);
  p->centres = floats (0);
  g_array_append_vals (p->centres, m->centres, (guint) (m->k * HL_AUTOENCODER_LATENT));
  p->silhouette = hl_silhouette ((const float *) p->latent->data, sample,
                                 HL_AUTOENCODER_LATENT, m->cluster, m->k);
  for (int c = 0; c < m->k; c++)
    {
      HlPatternCluster *cluster = g_new0 (HlPatternCluster, 1);
      cluster->by_layer = g_new0 (int, (gsize) p->n_layers);
      cluster->mean = g_new0 (float, (gsize) size);
      g_ptr_array_add (p->clusters, cluster);
      least[c] = INFINITY;
    }
  add_up (p, m, least);
  for (int c = 0; c < m->k; c++)
    finish_cluster (p, g_ptr_array_index (p->clusters, (guint) c));
  name_clusters (p);
}

static gboolean
cluster (Work *w, GError **error)
{
  HlPatterns *p = w->p;
  HlProgress progress = stage (w, 0.87, 0.05);
  const float *latent = (const float *) p->latent->data;
  gint64 n = hl_patterns_get_n (p);
  int k = w->options->n_clusters;
  if (k <= 0)
    k = hl_kmeans_suggest (latent, n, HL_AUTOENCODER_LATENT, p->seed, &progress, error);
  g_autoptr (HlKmeans) m = k > 0 ? hl_kmeans_new (latent, n, HL_AUTOENCODER_LATENT, k,
                                                  p->seed, &progress, error)
                                 : NULL;
  if (m != NULL)
    keep_clusters (p, m);
  return m != NULL;
}

/* Stopped while clustering: what was trained is clustered all the same. */
static gboolean
cluster_anyway (Work *w, GError **error)
{
  GError *failure = NULL;
  if (cluster (w, &failure))
    return TRUE;
  if (!g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_propagate_error (error, failure);
      return FALSE;
    }
  g_error_free (failure);
  w->p->is_partial = TRUE;
  return cluster (w, error);
}

/* As above. */
static gboolean
encode_anyway (Work *w, GError **error)
{
  GError *failure = NULL;
  if (encode (w, &failure))
    return TRUE;
  if (!g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_propagate_error (error, failure);
      return FALSE;
    }
  g_error_free (failure);
  w->p->is_partial = TRUE;
  g_array_unref (w->p->latent);
  g_array_unref (w->p->error);
  return encode (w, error);
}

static HlPatterns *
begin (
    HlPatternMaps *maps, GPtrArray *inputs, int n_layers, const int *first, guint32 seed)
{
  HlPatterns *p = hl_patterns_alloc ();
  p->kind = maps->kind;
  p->shape = (HlAutoencoderShape){ maps->height, maps->width, maps->n_side };
  p->side = maps->side;
  p->grid_rows = maps->grid_rows;
  p->grid_columns = maps->grid_columns;
  p->n_layers = n_layers;
  p->first = g_memdup2 (first, sizeof (int) * (gsize) (n_layers + 1));
  g_ptr_array_unref (p->inputs);
  p->inputs = g_ptr_array_ref (inputs);
  p->places = g_array_ref (maps->places);
  p->maps = maps;
  p->seed = seed;
  return p;
}

HlPatterns *
hl_patterns_new (HlPatternMaps *maps,
                 GPtrArray *inputs,
                 int n_layers,
                 const int *first,
                 HlBackend *backend,
                 const HlPatternOptions *options,
                 const HlProgress *progress,
                 GError **error)
{
  Work w = { begin (maps, inputs, n_layers, first, options->seed),
             NULL,
             backend,
             options,
             progress,
             0,
             1 };
  gboolean ok = train (&w, error) && encode_anyway (&w, error) &&
                cluster_anyway (&w, error) && lay_out (&w, error);
  g_clear_pointer (&w.net, hl_autoencoder_free);
  if (!ok)
    g_clear_pointer (&w.p, hl_patterns_unref);
  return w.p;
}
