/* SPDX-License-Identifier: MIT
 * Training an autoencoder on attention maps, and running it over them. */
#include "analysis/hl-pattern-train.h"

#include <math.h>
#include <string.h>

gboolean
hl_pattern_is_held_out (int input, int n_inputs)
{
  return n_inputs >= HL_PATTERN_HELD_OUT &&
         input % HL_PATTERN_HELD_OUT == HL_PATTERN_HELD_OUT - 1;
}

/* (transfer full): maps @index (count) as one batch in @dtype. */
static HlTensor *
gather (const HlPatternMaps *maps, const int *index, gint64 count, HlDtype dtype)
{
  int size = hl_pattern_maps_get_size (maps);
  HlTensor *x = hl_tensor_new (dtype, HL_SHAPE (count, size), NULL);
  for (gint64 b = 0; b < count; b++)
    {
      const float *map = hl_pattern_maps_get (maps, index[b]);
      for (int k = 0; k < size && dtype == HL_DTYPE_F64; k++)
        ((double *) x->data)[b * size + k] = (double) map[k];
      if (dtype == HL_DTYPE_F32)
        memcpy ((float *) x->data + b * size, map, sizeof (float) * (gsize) size);
    }
  return x;
}

/* (element-type int): maps that are, or are not, trained on. */
static GArray *
list_maps (const HlPatternMaps *maps, int n_inputs, gboolean held_out)
{
  GArray *list = g_array_new (FALSE, FALSE, sizeof (int));
  for (int i = 0; i < hl_pattern_maps_get_n (maps); i++)
    {
      int input = g_array_index (maps->places, HlPatternPlace, i).input;
      if (hl_pattern_is_held_out (input, n_inputs) == held_out)
        g_array_append_val (list, i);
    }
  return list;
}

static void
shuffle (GArray *list, guint32 seed)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  for (guint i = list->len; i > 1; i--)
    {
      int *a = &g_array_index (list, int, i - 1);
      int *b = &g_array_index (list, int, g_rand_int_range (rand, 0, (gint32) i));
      int swapped = *a;
      *a = *b;
      *b = swapped;
    }
}

/* ---- running -------------------------------------------------------------------------
 */

static void
copy_out (HlExec *exec, HlTensor *t, float *out)
{
  if (t == NULL || !hl_exec_ok (exec))
    return;
  g_autoptr (HlTensor) host = hl_tensor_convert (t, HL_DTYPE_F32, &exec->error);
  if (host != NULL)
    memcpy (out, host->data, hl_tensor_size_bytes (host));
}

/* @latent, @mse and @rebuilt (each nullable) of @count maps. */
static gboolean
run_batch (const HlAutoencoder *net,
           HlExec *exec,
           const HlPatternMaps *maps,
           const int *index,
           gint64 count,
           float *latent,
           float *mse,
           float *rebuilt)
{
  int size = hl_pattern_maps_get_size (maps);
  g_autofree float *pictures = g_new (float, (gsize) (count * size));
  g_autoptr (HlTensor) host = gather (maps, index, count, exec->backend->dtype);
  g_autoptr (HlTensor) x = hl_exec_upload (exec, host);
  g_autoptr (HlTensor) z = x != NULL ? hl_autoencoder_encode (net, exec, x) : NULL;
  g_autoptr (HlTensor) y = z != NULL ? hl_autoencoder_decode (net, exec, z) : NULL;
  copy_out (exec, y, pictures);
  if (latent != NULL)
    copy_out (exec, z, latent);
  if (y == NULL || !hl_exec_ok (exec))
    return FALSE;
  if (rebuilt != NULL)
    memcpy (rebuilt, pictures, sizeof (float) * (gsize) (count * size));
  for (gint64 b = 0; b < count; b++)
    {
      const float *map = hl_pattern_maps_get (maps, index[b]);
      double squares = 0;
      for (int k = 0; k < size; k++)
        {
          double error = (double) (pictures[b * size + k] - map[k]);
          squares += error * error;
        }
      mse[b] = (float) (squares / size);
    }
  return TRUE;
}

/* Every map of @list, in its order. */
static gboolean
run_list (const HlAutoencoder *net,
          const HlPatternMaps *maps,
          const GArray *list,
          float *latent,
          float *mse,
          float *rebuilt,
          const HlProgress *progress,
          GError **error)
{
  HlExec exec;
  gboolean ok = TRUE;
  gint64 size = hl_pattern_maps_get_size (maps);
  hl_exec_init (&exec, hl_autoencoder_get_backend (net), progress);
  for (gint64 i = 0; i < (gint64) list->len && ok; i += HL_PATTERN_BATCH)
    {
      gint64 count = MIN (HL_PATTERN_BATCH, (gint64) list->len - i);
      ok = run_batch (net, &exec, maps, &g_array_index (list, int, i), count,
                      latent != NULL ? latent + i * HL_AUTOENCODER_LATENT : NULL, mse + i,
                      rebuilt != NULL ? rebuilt + i * size : NULL);
    }
  if (!ok)
    g_propagate_error (error, g_steal_pointer (&exec.error));
  hl_exec_clear (&exec);
  return ok;
}

gboolean
hl_pattern_run (const HlAutoencoder *net,
                const HlPatternMaps *maps,
                float *latent,
                float *mse,
                float *rebuilt,
                const HlProgress *progress,
                GError **error)
{
  g_autoptr (GArray) all = list_maps (maps, 0, FALSE);
  return run_list (net, maps, all, latent, mse, rebuilt, progress, error);
}

/* ---- training ------------------------------------------------------------------------
 */

typedef struct
{
  HlAutoencoder *net;
  const HlPatternMaps *maps;
  GArray *order;    /* to train on */
  GArray *held_out; /* not to */
  const HlProgress *progress;
  int epoch, epochs;
  double loss; /* of the epoch before */
} Training;

static gboolean
step_progress (const Training *t, gint64 at, GError **error)
{
  g_autofree char *what = t->epoch == 0
                              ? g_strdup_printf ("epoch 1 of %d", t->epochs)
                              : g_strdup_printf ("epoch %d of %d, loss %.4g",
                                                 t->epoch + 1, t->epochs, t->loss);
  double inside = (double) at / MAX (t->order->len, 1);
  return hl_progress_step (t->progress, (t->epoch + inside) / t->epochs, what, error);
}

/* The mean of the batches' losses, each before its step. */
static gboolean
train_epoch (Training *t, GError **error)
{
  double sum = 0;
  gint64 n = (gint64) t->order->len, batch = CLAMP (n / 32, 4, HL_PATTERN_BATCH);
  for (gint64 i = 0; i < n; i += batch)
    {
      gint64 count = MIN (batch, n - i);
      double loss;
      if (!step_progress (t, i, error))
        return FALSE;
      g_autoptr (HlTensor) x = gather (t->maps, &g_array_index (t->order, int, i), count,
                                       hl_autoencoder_get_backend (t->net)->dtype);
      if (!hl_autoencoder_step (t->net, x, t->progress, &loss, error))
        return FALSE;
      sum += loss * (double) count;
    }
  t->loss = sum / MAX (t->order->len, 1);
  return TRUE;
}

static gboolean
measure_held_out (const Training *t, double *loss, GError **error)
{
  g_autofree float *mse = g_new (float, (gsize) t->held_out->len + 1);
  double sum = 0;
  if (!run_list (t->net, t->maps, t->held_out, NULL, mse, NULL, t->progress, error))
    return FALSE;
  for (guint i = 0; i < t->held_out->len; i++)
    sum += (double) mse[i];
  *loss = t->held_out->len > 0 ? sum / t->held_out->len : (double) NAN;
  return TRUE;
}

static int
compare_ints (gconstpointer a, gconstpointer b)
{
  return *(const int *) a - *(const int *) b;
}

gboolean
hl_pattern_train (HlAutoencoder *net,
                  const HlPatternMaps *maps,
                  int n_inputs,
                  GArray *losses,
                  int epochs,
                  guint32 seed,
                  HlPatternEpochFunc epoch_done,
                  gpointer epoch_data,
                  const HlProgress *progress,
                  GError **error)
{
  gboolean ok = TRUE;
  g_autoptr (GArray) order = list_maps (maps, n_inputs, FALSE);
  g_autoptr (GArray) held_out = list_maps (maps, n_inputs, TRUE);
  Training t = { net, maps, order, held_out, progress, (int) losses->len, epochs };
  if (losses->len > 0)
    t.loss = g_array_index (losses, HlPatternLoss, losses->len - 1).train;
  for (; t.epoch < epochs && ok; t.epoch++)
    {
      HlPatternLoss loss;
      g_array_sort (order, compare_ints); /* an epoch's order is its own */
      shuffle (order, seed + 1000u * (guint32) t.epoch);
      ok = train_epoch (&t, error) && measure_held_out (&t, &loss.held_out, error);
      if (!ok)
        break;
      loss.train = t.loss;
      g_array_append_val (losses, loss);
      if (epoch_done != NULL)
        epoch_done (maps->kind, (const HlPatternLoss *) losses->data, (int) losses->len,
                    epoch_data);
    }
  return ok;
}
