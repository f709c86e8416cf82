/* SPDX-License-Identifier: MIT
 * A summary of attention patterns: an autoencoder's latents of every head's map, laid out
 * in two dimensions and clustered. Of one kind of picture (hl-pattern-maps.h). Immutable
 * once shared; atomic reference count. */
#pragma once

#include "analysis/hl-autoencoder.h"
#include "analysis/hl-pattern-maps.h"

G_BEGIN_DECLS

#define HL_PATTERN_EPOCHS 20

/** HL_PATTERN_BATCH: maps a step, at most; of fewer than 1,024 a 32nd of them, and 4 at
 * least, so that an epoch is some steps long. */
#define HL_PATTERN_BATCH 32

/** HL_PATTERN_HELD_OUT: every so-manieth input is not trained on; none of fewer inputs.
 */
#define HL_PATTERN_HELD_OUT 10

/** HL_PATTERN_NOT_DESCRIBED: quantile of errors above which a map is flagged. */
#define HL_PATTERN_NOT_DESCRIBED 0.95

/** HlPatternLoss: after an epoch: mean squared errors; @held_out NaN where there is none.
 */
typedef struct
{
  double train;
  double held_out;
} HlPatternLoss;

/**
 * HlPatternCluster:
 * @name: suggested from @traits, or given
 * @n: maps in it
 * @medoid: index of the map whose latent is next to the mean latent
 * @spread: root of the mean squared distance of latents to their mean
 * @traits: means over its maps
 * @by_layer: (n_layers): maps of each layer
 * @mean, @example: (size): pictures: the mean of its maps, and the medoid
 */
typedef struct
{
  char *name;
  int n;
  int medoid;
  double spread;
  double traits[HL_N_TRAITS];
  int *by_layer;
  float *mean;
  float *example;
} HlPatternCluster;

/** HlPatternInput: where maps are from. */
typedef struct
{
  char *name;
  char *path;
} HlPatternInput;

/**
 * HlPatterns: N maps.
 * @side, @grid_rows, @grid_columns: see hl-pattern-maps.h
 * @first: (n_layers + 1): index of a layer's first head
 * @inputs: (element-type HlPatternInput)
 * @places: (element-type HlPatternPlace) (N)
 * @maps: (nullable): the pictures, where they are at hand; not kept in sessions
 * @weights: names, numbers and Adam's running means, in turn: of HlPatternWeight
 * @n_steps, @losses: of training so far; one HlPatternLoss an epoch
 * @latent: (N, 32) float; @error: (N) float: mean squared error of the reconstruction;
 * @flagged_above: the HL_PATTERN_NOT_DESCRIBED quantile of them
 * @components: (N, 2) float: principal components of the latents; @layout: (nullable)
 *   (N, 2): by t-SNE
 * @cluster: (N) int; @centres: (clusters, 32) float; @clusters: of HlPatternCluster *;
 * @silhouette: mean, on 2,000 points; what the number of clusters goes by
 * @pca_error, @net_error: mean squared error on maps not trained on (or all, where none
 *   were held out: @n_held_out 0) with 32 principal components of the others, and by the
 *   autoencoder
 * @skipped: (element-type utf8): what was said of inputs that could not be read
 */
typedef struct
{
  gatomicrefcount refs;
  HlPatternKind kind;
  HlAutoencoderShape shape;
  int side;
  int grid_rows;
  int grid_columns;
  int n_layers;
  int *first;
  GPtrArray *inputs;
  GArray *places;
  HlPatternMaps *maps;
  GPtrArray *weights;
  gint64 n_steps;
  guint32 seed;
  GArray *losses;
  GArray *latent;
  GArray *error;
  double flagged_above;
  GArray *components;
  GArray *layout;
  GArray *cluster;
  GArray *centres;
  GPtrArray *clusters;
  double silhouette;
  int n_held_out;
  double pca_error;
  double net_error;
  GPtrArray *skipped;
  gboolean is_partial;
} HlPatterns;

/** HlPatternWeight: float32 each. */
typedef struct
{
  char *name;
  HlTensor *weight;
  HlTensor *moment;
  HlTensor *square;
} HlPatternWeight;

/** HlPatternEpochFunc: an epoch was trained; on the working thread. */
typedef void (*HlPatternEpochFunc) (HlPatternKind kind,
                                    const HlPatternLoss *losses,
                                    int n_epochs,
                                    gpointer user_data);

/**
 * HlPatternOptions: 0 in a field stands for its default.
 * @epochs: all together, those of @resume among them
 * @n_clusters: 0 for as many as the silhouette suggests
 * @no_tsne: only principal components are laid out
 * @side: see hl-pattern-maps.h
 * @seed: of weights, batches, clusters and layouts
 * @resume: (nullable) (element-type HlPatterns): trained on from there, where one is of
 *   the same kind and shape
 */
typedef struct
{
  int epochs;
  int n_clusters;
  gboolean no_tsne;
  int side;
  guint32 seed;
  GPtrArray *resume;
  HlPatternEpochFunc epoch_done;
  gpointer epoch_data;
} HlPatternOptions;

/**
 * hl_patterns_new:
 * @maps: (transfer full): at least one map
 * @inputs: (transfer none) (element-type HlPatternInput): shared
 * Trains, encodes, lays out and clusters. Cancelled after the first step, what was
 * trained until then is encoded and clustered (without t-SNE) and marked partial.
 * Thread: the backend's. Returns: (transfer full): NULL with @error
 */
HlPatterns *hl_patterns_new (HlPatternMaps *maps,
                             GPtrArray *inputs,
                             int n_layers,
                             const int *first,
                             HlBackend *backend,
                             const HlPatternOptions *options,
                             const HlProgress *progress,
                             GError **error);

/** hl_patterns_alloc: (transfer full): empty, for who fills it from a file. */
HlPatterns *hl_patterns_alloc (void);
HlPatterns *hl_patterns_ref (HlPatterns *patterns);
void hl_patterns_unref (HlPatterns *patterns);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlPatterns, hl_patterns_unref)

int hl_patterns_get_n (const HlPatterns *patterns);
const HlPatternCluster *hl_patterns_get_cluster (const HlPatterns *patterns, int cluster);

/** hl_patterns_rename: (transfer full): the same with another name of a cluster; shares
 * all else. */
HlPatterns *
hl_patterns_rename (const HlPatterns *patterns, int cluster, const char *name);

/** hl_patterns_get_place: layer and head of map @i. */
void hl_patterns_get_place (const HlPatterns *patterns, int i, int *layer, int *head);

/** hl_patterns_get_layout: (transfer none): (N, 2): t-SNE where there is one and
 * @principal is FALSE. */
const float *hl_patterns_get_layout (const HlPatterns *patterns, gboolean principal);

/** hl_patterns_open_net: (transfer full): with its weights. Thread: the backend's. */
HlAutoencoder *
hl_patterns_open_net (const HlPatterns *patterns, HlBackend *backend, GError **error);

/**
 * HlPatternSpots: where maps lie in a summary, whether they were part of it or not.
 * @latent (n, 32), @error (n), @cluster (n), @components (n, 2), @layout (n, 2) or NULL:
 *   between the five next maps of the summary
 * @rebuilt: (n, size): what the autoencoder makes of each
 */
typedef struct
{
  HlPatternMaps *maps;
  GArray *latent;
  GArray *error;
  GArray *cluster;
  GArray *components;
  GArray *layout;
  GArray *rebuilt;
} HlPatternSpots;

/** hl_patterns_place: (transfer full): @maps (transfer full) of the summary's kind. NULL
 * with @error (HL_ERROR_SHAPE for maps of another size). Thread: the backend's. */
HlPatternSpots *hl_patterns_place (const HlPatterns *patterns,
                                   HlPatternMaps *maps,
                                   HlBackend *backend,
                                   const HlProgress *progress,
                                   GError **error);
void hl_pattern_spots_free (HlPatternSpots *spots);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlPatternSpots, hl_pattern_spots_free)

/** hl_patterns_rebuild: (transfer full): (size): what the autoencoder makes of map @i,
 * from its latent. NULL with @error. Thread: the backend's. */
float *hl_patterns_rebuild (const HlPatterns *patterns,
                            int i,
                            HlBackend *backend,
                            GError **error);

void hl_pattern_input_free (gpointer input);
HlPatternInput *hl_pattern_input_new (const char *name, const char *path);
void hl_pattern_weight_free (gpointer weight);
void hl_pattern_cluster_free (gpointer cluster);

G_END_DECLS
