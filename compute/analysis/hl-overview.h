/* SPDX-License-Identifier: MIT
 * An overview of a data set as a model sees it: of each input its embedding, what is
 * predicted of it and how sure, and where it lies among the others. Filled by its maker,
 * immutable once shared; atomic reference count. */
#pragma once

#include "analysis/hl-statistics.h"
#include "model/hl-dataset.h"

G_BEGIN_DECLS

/**
 * HlOverviewInput:
 * @path: file, or file and line
 * @label, @predicted: classes, or of texts tokens; -1 where there is none
 * @prob: of @predicted; NaN
 * @loss: -ln p of @label; NaN
 */
typedef struct
{
  char *name;
  char *path;
  int label;
  int predicted;
  double prob;
  double loss;
} HlOverviewInput;

/**
 * HlOverviewClass: a class, or of texts a token, that is the label of some input or was
 * predicted of one.
 * @index: of the model's
 * @n_inputs: that have it as their label; @n_right: of these predicted rightly
 * @n_predicted: inputs that it was predicted of
 */
typedef struct
{
  int index;
  char *name;
  int n_inputs;
  int n_right;
  int n_predicted;
} HlOverviewClass;

/**
 * HlOverview:
 * @dim: width of an embedding
 * @inputs: (element-type HlOverviewInput), n
 * @classes: (element-type HlOverviewClass), by index
 * @embedding: float (n, dim): the residual stream behind the last block at the token the
 *   prediction comes from: CLS, or the last one
 * @components: float (n, 2): first two principal components of the embeddings
 * @layout: (nullable): float (n, 2): t-SNE of their first 50
 * @n_wanted: inputs of the data set that were to be looked at
 * @skipped: inputs that could not be read, and why
 * @is_partial: it was stopped before the last input
 */
typedef struct
{
  gatomicrefcount refs;
  int dim;
  int n_wanted;
  guint32 seed;
  GArray *inputs;
  GArray *classes;
  GArray *embedding;
  GArray *components;
  GArray *layout;
  GPtrArray *skipped;
  gboolean is_partial;
} HlOverview;

/** HL_OVERVIEW_COMPONENTS: of the embeddings, before t-SNE (van der Maaten and Hinton
 * 2008 take 30, scikit-learn's manual advises 50). */
#define HL_OVERVIEW_COMPONENTS 50

/**
 * HlOverviewOptions: all zero is a sensible default.
 * @interventions: (nullable) (element-type HlIntervention): in force in every run
 * @no_tsne: principal components only
 */
typedef struct
{
  GPtrArray *interventions;
  gboolean no_tsne;
  guint32 seed;
} HlOverviewOptions;

/**
 * hl_overview_make:
 * One pass an input, in an order drawn by the seed, so that what a stop leaves is a
 * sample; the result has the data set's order. Inputs that cannot be read are skipped and
 * counted; stopped after the first, the result has those that were done, laid out by
 * principal components, and is marked partial. Thread: the backend's. Returns: (transfer
 * full): NULL with @error, where no input could be read, or on a failure that is not an
 * input's own
 */
HlOverview *hl_overview_make (const HlModel *model,
                              const HlDataset *dataset,
                              HlBackend *backend,
                              const HlOverviewOptions *options,
                              const HlProgress *progress,
                              GError **error);

/** hl_overview_new: (transfer full): nothing in it; for its makers. */
HlOverview *hl_overview_new (int dim);
HlOverview *hl_overview_ref (HlOverview *overview);
void hl_overview_unref (HlOverview *overview);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlOverview, hl_overview_unref)

/** hl_overview_add: while being made: one more input; copies the strings. Returns:
 * (transfer none): to fill */
HlOverviewInput *
hl_overview_add (HlOverview *overview, const char *name, const char *path);

/** hl_overview_take_inputs: while being made: (transfer full): @inputs, of
 * HlOverviewInput, in place of what there was. */
void hl_overview_take_inputs (HlOverview *overview, GArray *inputs);

/** hl_overview_count: while being made: fills the classes' numbers from the inputs;
 * @name_of (transfer full) names a class. */
void hl_overview_count (HlOverview *overview,
                        char *(*name_of) (int index, gpointer data),
                        gpointer data);

int hl_overview_get_n (const HlOverview *overview);
const HlOverviewInput *hl_overview_get_input (const HlOverview *overview, int i);

/** hl_overview_get_class: (transfer none) (nullable): place @k in the list. */
const HlOverviewClass *hl_overview_get_class (const HlOverview *overview, int k);

/** hl_overview_find_class: place in the list of the model's class @index; -1. */
int hl_overview_find_class (const HlOverview *overview, int index);

/** hl_overview_is_wrong: its label is known and something else was predicted. */
gboolean hl_overview_is_wrong (const HlOverview *overview, int i);

/** hl_overview_get_accuracy: of those with a label, with Wilson's interval. */
HlInterval hl_overview_get_accuracy (const HlOverview *overview);

/** hl_overview_confusion: (transfer full): (k, k) counts of the classes of the list: row
 * the label, column what was predicted. */
int *hl_overview_confusion (const HlOverview *overview);

/** hl_overview_get_layout: (transfer none): float (n, 2): t-SNE, or the components with
 * @principal or where there is none. */
const float *hl_overview_get_layout (const HlOverview *overview, gboolean principal);

G_END_DECLS
