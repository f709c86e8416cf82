/* SPDX-License-Identifier: MIT
 * An overview of a data set: one pass an input, then where inputs lie. */
#include "analysis/hl-overview.h"

#include "analysis/hl-embedding.h"
#include "analysis/hl-logits.h"
#include "analysis/hl-pca.h"
#include "analysis/hl-tsne.h"
#include "base/hl-error.h"
#include "model/hl-model-text.h"

#include <math.h>

/* Share of the progress that the passes take. */
#define PASSES 0.7

typedef struct
{
  const HlModel *model;
  const HlDataset *dataset;
  HlBackend *backend;
  const HlOverviewOptions *options;
  const HlProgress *progress;
  HlOverview *found;
  GArray *items; /* of int: which of the data set each input is */
} Work;

/* ---- one input -----------------------------------------------------------------------
 */

static gboolean
take_prediction (HlOverviewInput *about, HlTensor *logits, GError **error)
{
  if (logits == NULL)
    return TRUE;
  g_autoptr (HlTensor) wide = hl_tensor_convert (logits, HL_DTYPE_F64, error);
  if (wide == NULL)
    return FALSE;
  gint64 V = wide->shape.dim[1];
  g_autofree double *log_probs = g_new (double, (gsize) V);
  hl_log_softmax (wide->data, log_probs, V);
  about->predicted = hl_largest (wide->data, V);
  about->prob = about->predicted >= 0 ? exp (log_probs[about->predicted]) : (double) NAN;
  if (about->label >= V)
    about->label = -1;
  if (about->label >= 0)
    about->loss = -log_probs[about->label];
  return TRUE;
}

static gboolean
pass (Work *w, HlOverviewInput *about, const HlInput *input, GError **error)
{
  HlOverview *o = w->found;
  g_autoptr (HlTensor) logits = NULL;
  g_autoptr (HlTensor) embedding =
      hl_embedding_of (w->model, input, w->options->interventions, w->backend,
                       w->progress, &logits, error);
  if (embedding == NULL || !take_prediction (about, logits, error))
    return FALSE;
  o->dim = (int) embedding->shape.dim[1];
  g_array_append_vals (o->embedding, embedding->data, (guint) o->dim);
  return TRUE;
}

/* Must end: not an input's own fault. */
static gboolean
is_fatal (const GError *error)
{
  return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED) ||
         g_error_matches (error, HL_ERROR, HL_ERROR_MEMORY) ||
         g_error_matches (error, HL_ERROR, HL_ERROR_UNSUPPORTED);
}

static gboolean
add_item (Work *w, int i, GError **error)
{
  int label = -1;
  GError *failure = NULL;
  HlOverview *o = w->found;
  g_autoptr (HlInput) input =
      hl_dataset_open_input (w->dataset, w->model, i, &label, &failure);
  if (input != NULL)
    {
      HlOverviewInput *about = hl_overview_add (o, input->name, input->path);
      about->label = label;
      if (pass (w, about, input, &failure))
        {
          g_array_append_val (w->items, i);
          return TRUE;
        }
      g_array_set_size (o->inputs, o->inputs->len - 1);
      if (is_fatal (failure))
        {
          g_propagate_error (error, failure);
          return FALSE;
        }
    }
  g_ptr_array_add (o->skipped,
                   g_strdup_printf ("%s: %s", hl_dataset_get_item (w->dataset, i)->name,
                                    failure->message));
  g_error_free (failure);
  return TRUE;
}

/* (transfer full): 0 to @n - 1 in an order drawn by @seed: what a stop leaves is a sample
 * of the whole, not its first classes. */
static int *
shuffle (int n, guint32 seed)
{
  int *order = g_new (int, (gsize) n + 1);
  GRand *rand = g_rand_new_with_seed (seed);
  for (int i = 0; i < n; i++)
    {
      int j = g_rand_int_range (rand, 0, i + 1);
      order[i] = order[j];
      order[j] = i;
    }
  g_rand_free (rand);
  return order;
}

static int
by_item (gconstpointer a, gconstpointer b, gpointer data)
{
  const int *items = data;
  return items[*(const int *) a] - items[*(const int *) b];
}

/* Inputs in the order of the data set. */
static void
sort_inputs (Work *w)
{
  HlOverview *o = w->found;
  guint n = o->inputs->len, dim = (guint) o->dim;
  g_autofree int *order = g_new (int, n + 1);
  GArray *inputs = g_array_sized_new (FALSE, FALSE, sizeof (HlOverviewInput), n);
  GArray *embedding = g_array_sized_new (FALSE, FALSE, sizeof (float), n * dim);
  for (guint i = 0; i < n; i++)
    order[i] = (int) i;
  g_qsort_with_data (order, (int) n, sizeof (int), by_item, w->items->data);
  for (guint i = 0; i < n; i++)
    {
      HlOverviewInput *from = &g_array_index (o->inputs, HlOverviewInput, order[i]);
      HlOverviewInput one = *from;
      one.name = g_strdup (from->name);
      one.path = g_strdup (from->path);
      g_array_append_val (inputs, one);
      g_array_append_vals (
          embedding, &g_array_index (o->embedding, float, (guint) order[i] * dim), dim);
    }
  hl_overview_take_inputs (o, inputs);
  g_array_unref (o->embedding);
  o->embedding = embedding;
}

static gboolean
add_items (Work *w, GError **error)
{
  int n = hl_dataset_get_n_items (w->dataset);
  g_autofree int *order = shuffle (n, w->options->seed);
  w->found->n_wanted = n;
  for (int i = 0; i < n; i++)
    {
      g_autofree char *what = g_strdup_printf ("input %d of %d", i + 1, n);
      if (!hl_progress_step (w->progress, PASSES * i / n, what, error) ||
          !add_item (w, order[i], error))
        return FALSE;
    }
  if (hl_overview_get_n (w->found) > 0)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_FORMAT,
               "%s: none of %d inputs could be read; the first: %s", w->dataset->name, n,
               w->found->skipped->len > 0
                   ? (char *) g_ptr_array_index (w->found->skipped, 0)
                   : "none");
  return FALSE;
}

/* ---- where inputs lie ----------------------------------------------------------------
 */

static void
layout_cb (double fraction, const char *what, gpointer data)
{
  const Work *w = data;
  if (w->progress->func != NULL)
    w->progress->func (PASSES + (1 - PASSES) * fraction, what, w->progress->func_data);
}

/* (transfer full): (n, *rank): principal components of the embeddings. */
static float *
project (const HlOverview *o, int *rank)
{
  gint64 n = hl_overview_get_n (o);
  const float *x = (const float *) (gpointer) o->embedding->data;
  g_autoptr (HlPca) pca = hl_pca_new (x, n, o->dim, HL_OVERVIEW_COMPONENTS, o->seed);
  float *out = g_new (float, (gsize) (n * pca->rank) + 1);
  hl_pca_project (pca, x, n, out);
  *rank = pca->rank;
  return out;
}

/* A stop during t-SNE leaves the components. */
static void
lay_out (Work *w)
{
  HlOverview *o = w->found;
  int n = hl_overview_get_n (o), rank;
  g_autofree float *parts = project (o, &rank);
  g_array_set_size (o->components, 2 * (guint) n);
  for (int i = 0; i < n; i++)
    for (int k = 0; k < MIN (rank, 2); k++)
      g_array_index (o->components, float, 2 * i + k) = parts[i * rank + k];
  if (w->options->no_tsne || o->is_partial)
    return;
  HlProgress progress = w->progress != NULL ? *w->progress : (HlProgress){ 0 };
  progress.func = w->progress != NULL ? layout_cb : NULL;
  progress.func_data = w;
  o->layout = g_array_sized_new (FALSE, TRUE, sizeof (float), 2 * (guint) n);
  g_array_set_size (o->layout, 2 * (guint) n);
  if (hl_tsne (parts, n, rank, 0.5, o->seed, &progress,
               (float *) (gpointer) o->layout->data, NULL))
    return;
  g_clear_pointer (&o->layout, g_array_unref);
  o->is_partial = TRUE;
}

/* ---- all -----------------------------------------------------------------------------
 */

static char *
name_of (int index, gpointer data)
{
  return hl_model_dup_class_name (data, index);
}

HlOverview *
hl_overview_make (const HlModel *model,
                  const HlDataset *dataset,
                  HlBackend *backend,
                  const HlOverviewOptions *options,
                  const HlProgress *progress,
                  GError **error)
{
  const HlModelInfo *info = hl_model_get_info (model);
  GError *failure = NULL;
  if (!hl_model_info_check_one_tower (info, "overview", error))
    return NULL;
  g_autoptr (HlOverview) found = hl_overview_new (info->width);
  g_autoptr (GArray) items = g_array_new (FALSE, FALSE, sizeof (int));
  Work w = { model, dataset, backend, options, progress, found, items };
  found->seed = options->seed;
  gboolean ok = add_items (&w, &failure);
  if (!ok && g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED) &&
      hl_overview_get_n (found) > 0)
    {
      found->is_partial = ok = TRUE;
      g_clear_error (&failure);
    }
  if (!ok)
    {
      g_propagate_error (error, failure);
      return NULL;
    }
  sort_inputs (&w);
  hl_overview_count (found, name_of, (gpointer) model);
  lay_out (&w);
  return g_steal_pointer (&found);
}
