/* SPDX-License-Identifier: MIT
 * A summary of attention patterns, and where maps lie in it. */
#include "analysis/hl-patterns.h"

#include "analysis/hl-kmeans.h"
#include "analysis/hl-pattern-train.h"
#include "analysis/hl-pca.h"
#include "analysis/hl-tsne.h"
#include "base/hl-error.h"

#include <string.h>

HlPatternInput *
hl_pattern_input_new (const char *name, const char *path)
{
  HlPatternInput *input = g_new0 (HlPatternInput, 1);
  input->name = g_strdup (name);
  input->path = g_strdup (path);
  return input;
}

void
hl_pattern_input_free (gpointer data)
{
  HlPatternInput *input = data;
  g_free (input->name);
  g_free (input->path);
  g_free (input);
}

void
hl_pattern_weight_free (gpointer data)
{
  HlPatternWeight *w = data;
  g_free (w->name);
  g_clear_pointer (&w->weight, hl_tensor_unref);
  g_clear_pointer (&w->moment, hl_tensor_unref);
  g_clear_pointer (&w->square, hl_tensor_unref);
  g_free (w);
}

void
hl_pattern_cluster_free (gpointer data)
{
  HlPatternCluster *c = data;
  g_free (c->name);
  g_free (c->by_layer);
  g_free (c->mean);
  g_free (c->example);
  g_free (c);
}

HlPatterns *
hl_patterns_alloc (void)
{
  HlPatterns *p = g_new0 (HlPatterns, 1);
  g_atomic_ref_count_init (&p->refs);
  p->inputs = g_ptr_array_new_with_free_func (hl_pattern_input_free);
  p->weights = g_ptr_array_new_with_free_func (hl_pattern_weight_free);
  p->clusters = g_ptr_array_new_with_free_func (hl_pattern_cluster_free);
  p->skipped = g_ptr_array_new_with_free_func (g_free);
  p->losses = g_array_new (FALSE, FALSE, sizeof (HlPatternLoss));
  return p;
}

HlPatterns *
hl_patterns_ref (HlPatterns *patterns)
{
  g_atomic_ref_count_inc (&patterns->refs);
  return patterns;
}

void
hl_patterns_unref (HlPatterns *p)
{
  if (!g_atomic_ref_count_dec (&p->refs))
    return;
  GArray **arrays[] = { &p->places,     &p->losses, &p->latent,  &p->error,
                        &p->components, &p->layout, &p->cluster, &p->centres };
  for (gsize i = 0; i < G_N_ELEMENTS (arrays); i++)
    g_clear_pointer (arrays[i], g_array_unref);
  g_clear_pointer (&p->inputs, g_ptr_array_unref);
  g_clear_pointer (&p->weights, g_ptr_array_unref);
  g_clear_pointer (&p->clusters, g_ptr_array_unref);
  g_clear_pointer (&p->skipped, g_ptr_array_unref);
  g_clear_pointer (&p->maps, hl_pattern_maps_unref);
  g_free (p->first);
  g_free (p);
}

int
hl_patterns_get_n (const HlPatterns *patterns)
{
  return (int) patterns->places->len;
}

const HlPatternCluster *
hl_patterns_get_cluster (const HlPatterns *patterns, int cluster)
{
  return g_ptr_array_index (patterns->clusters, (guint) cluster);
}

static gpointer
copy_cluster (gconstpointer data, gpointer user_data)
{
  const HlPatterns *p = user_data;
  const HlPatternCluster *from = data;
  HlPatternCluster *c = g_memdup2 (from, sizeof *from);
  gsize size =
      sizeof (float) * (gsize) (p->shape.height * p->shape.width + p->shape.n_side);
  c->name = g_strdup (from->name);
  c->by_layer = g_memdup2 (from->by_layer, sizeof (int) * (gsize) p->n_layers);
  c->mean = g_memdup2 (from->mean, size);
  c->example = g_memdup2 (from->example, size);
  return c;
}

static GArray *
share (GArray *array)
{
  return array != NULL ? g_array_ref (array) : NULL;
}

HlPatterns *
hl_patterns_rename (const HlPatterns *from, int cluster, const char *name)
{
  HlPatterns *p = g_memdup2 (from, sizeof *from);
  g_atomic_ref_count_init (&p->refs);
  p->places = share (from->places);
  p->losses = share (from->losses);
  p->latent = share (from->latent);
  p->error = share (from->error);
  p->components = share (from->components);
  p->layout = share (from->layout);
  p->cluster = share (from->cluster);
  p->centres = share (from->centres);
  p->inputs = g_ptr_array_ref (from->inputs);
  p->skipped = g_ptr_array_ref (from->skipped);
  p->weights = g_ptr_array_ref (from->weights);
  p->maps = from->maps != NULL ? hl_pattern_maps_ref (from->maps) : NULL;
  p->first = g_memdup2 (from->first, sizeof (int) * (gsize) (from->n_layers + 1));
  p->clusters = g_ptr_array_new_with_free_func (hl_pattern_cluster_free);
  for (guint i = 0; i < from->clusters->len; i++)
    g_ptr_array_add (p->clusters,
                     copy_cluster (g_ptr_array_index (from->clusters, i), p));
  HlPatternCluster *renamed = g_ptr_array_index (p->clusters, (guint) cluster);
  g_free (renamed->name);
  renamed->name = g_strdup (name);
  return p;
}

void
hl_patterns_get_place (const HlPatterns *p, int i, int *layer, int *head)
{
  int flat = g_array_index (p->places, HlPatternPlace, i).head;
  *layer = 0;
  while (*layer + 1 < p->n_layers && flat >= p->first[*layer + 1])
    (*layer)++;
  *head = flat - p->first[*layer];
}

const float *
hl_patterns_get_layout (const HlPatterns *p, gboolean principal)
{
  const GArray *layout = p->layout != NULL && !principal ? p->layout : p->components;
  return (const float *) layout->data;
}

/* (nullable): a file may have them in any order. */
static const HlPatternWeight *
find_weight (const HlPatterns *p, const char *name)
{
  for (guint i = 0; i < p->weights->len; i++)
    {
      const HlPatternWeight *w = g_ptr_array_index (p->weights, i);
      if (g_str_equal (w->name, name))
        return w;
    }
  return NULL;
}

HlAutoencoder *
hl_patterns_open_net (const HlPatterns *p, HlBackend *backend, GError **error)
{
  g_autoptr (HlAutoencoder) net = hl_autoencoder_new (backend, p->shape, p->seed, error);
  if (net == NULL)
    return NULL;
  for (int i = 0; i < hl_autoencoder_get_n_weights (net); i++)
    {
      const char *name = hl_autoencoder_get_name (net, i);
      const HlPatternWeight *w = find_weight (p, name);
      if (w == NULL)
        g_set_error (error, HL_ERROR, HL_ERROR_MISSING,
                     "autoencoder: weight \"%s\" expected, none found", name);
      if (w == NULL ||
          !hl_autoencoder_set (net, i, w->weight, w->moment, w->square, error))
        return NULL;
    }
  hl_autoencoder_set_n_steps (net, p->n_steps);
  return g_steal_pointer (&net);
}

/* ---- spots ---------------------------------------------------------------------------
 */

static GArray *
floats (gsize n)
{
  GArray *array = g_array_new (FALSE, TRUE, sizeof (float));
  g_array_set_size (array, (guint) n);
  return array;
}

void
hl_pattern_spots_free (HlPatternSpots *s)
{
  hl_pattern_maps_unref (s->maps);
  g_array_unref (s->latent);
  g_array_unref (s->error);
  g_array_unref (s->cluster);
  g_array_unref (s->components);
  g_clear_pointer (&s->layout, g_array_unref);
  g_array_unref (s->rebuilt);
  g_free (s);
}

static HlPatternSpots *
spots_new (const HlPatterns *p, HlPatternMaps *maps)
{
  HlPatternSpots *s = g_new0 (HlPatternSpots, 1);
  gsize n = maps->places->len;
  s->maps = maps;
  s->latent = floats (n * HL_AUTOENCODER_LATENT);
  s->error = floats (n);
  s->components = floats (2 * n);
  s->layout = p->layout != NULL ? floats (2 * n) : NULL;
  s->rebuilt = floats (n * (gsize) hl_pattern_maps_get_size (maps));
  s->cluster = g_array_new (FALSE, TRUE, sizeof (int));
  g_array_set_size (s->cluster, (guint) n);
  return s;
}

static void
lay_out (const HlPatterns *p, HlPatternSpots *s)
{
  const float *latent = (const float *) s->latent->data;
  const float *all = (const float *) p->latent->data;
  int n = hl_patterns_get_n (p), dim = HL_AUTOENCODER_LATENT;
  for (guint i = 0; i < s->maps->places->len; i++)
    {
      const float *point = latent + (gsize) i * HL_AUTOENCODER_LATENT;
      g_array_index (s->cluster, int, i) = hl_kmeans_assign (
          (const float *) p->centres->data, (int) p->clusters->len, dim, point);
      hl_place_between (all, (const float *) p->components->data, n, dim, point,
                        &g_array_index (s->components, float, 2 * i));
      if (s->layout != NULL)
        hl_place_between (all, (const float *) p->layout->data, n, dim, point,
                          &g_array_index (s->layout, float, 2 * i));
    }
}

HlPatternSpots *
hl_patterns_place (const HlPatterns *p,
                   HlPatternMaps *maps,
                   HlBackend *backend,
                   const HlProgress *progress,
                   GError **error)
{
  g_autoptr (HlPatternSpots) s = spots_new (p, maps);
  if (maps->height != p->shape.height || maps->width != p->shape.width ||
      maps->n_side != p->shape.n_side || p->clusters->len == 0)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_SHAPE,
                   "patterns: maps of %d x %d expected, %d x %d found", p->shape.height,
                   p->shape.width, maps->height, maps->width);
      return NULL;
    }
  g_autoptr (HlAutoencoder) net = hl_patterns_open_net (p, backend, error);
  if (net == NULL ||
      !hl_pattern_run (net, maps, (float *) s->latent->data, (float *) s->error->data,
                       (float *) s->rebuilt->data, progress, error))
    return NULL;
  lay_out (p, s);
  return g_steal_pointer (&s);
}

float *
hl_patterns_rebuild (const HlPatterns *p, int i, HlBackend *backend, GError **error)
{
  HlExec exec;
  g_autoptr (HlAutoencoder) net = hl_patterns_open_net (p, backend, error);
  if (net == NULL)
    return NULL;
  g_autoptr (HlTensor) latent =
      hl_tensor_new_copy (HL_DTYPE_F32, HL_SHAPE (1, HL_AUTOENCODER_LATENT),
                          (const float *) p->latent->data + i * HL_AUTOENCODER_LATENT);
  hl_exec_init (&exec, hl_autoencoder_get_backend (net), NULL);
  g_autoptr (HlTensor) there = hl_exec_upload (&exec, latent);
  g_autoptr (HlTensor) y =
      there != NULL ? hl_autoencoder_decode (net, &exec, there) : NULL;
  g_autoptr (HlTensor) numbers =
      y != NULL ? hl_tensor_convert (y, HL_DTYPE_F32, &exec.error) : NULL;
  float *out =
      numbers != NULL ? g_memdup2 (numbers->data, hl_tensor_size_bytes (numbers)) : NULL;
  if (out == NULL)
    g_propagate_error (error, g_steal_pointer (&exec.error));
  hl_exec_clear (&exec);
  return out;
}
