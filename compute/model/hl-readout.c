/* SPDX-License-Identifier: MIT
 * Both ends of a language model: tokens in, predictions out. */
#include "model/hl-readout.h"

#include "base/hl-error.h"
#include "model/hl-text-embedding.h"

/* Logits of one band: 256 positions of GPT-2's vocabulary are 51 MB. */
#define BAND_BYTES ((gint64) 64 << 20)

/* Row softmax over the vocabulary, seen as attention of one head. Entropies are
 * differences of sums over it: half precision would leave little of them. */
static gboolean
fill_band (HlRun *run, gint64 first, HlTensor *logits)
{
  const gint64 *dim = logits->shape.dim; /* (1, n, V) */
  HlTensor *lse = NULL;
  HlExec wide;
  g_autoptr (HlBackend) backend = hl_backend_as_f32 (run->exec.backend);
  hl_exec_init (&wide, backend, run->exec.progress);
  g_autoptr (HlTensor) numbers = hl_exec_upload (&wide, logits);
  g_autoptr (HlTensor) scores =
      numbers != NULL ? hl_tensor_view (numbers, 0, HL_SHAPE (1, 1, dim[1], dim[2]), NULL)
                      : NULL;
  g_autoptr (HlTensor) probs =
      scores != NULL ? hl_softmax (&wide, scores, NULL, &lse) : NULL;
  g_autoptr (HlTensor) shifts = lse;
  if (wide.error != NULL)
    hl_exec_fail (&run->exec, g_steal_pointer (&wide.error));
  run->exec.n_ops += wide.n_ops;
  run->exec.flops += wide.flops;
  hl_exec_clear (&wide);
  if (probs == NULL)
    return FALSE;
  HlTensor *made[] = { scores, probs, shifts }, *host[] = { NULL, NULL, NULL };
  for (guint i = 0; i < G_N_ELEMENTS (made); i++)
    if (hl_exec_ok (&run->exec))
      host[i] = hl_backend_fetch (run->exec.backend, made[i], &run->exec.error);
  if (hl_exec_ok (&run->exec))
    hl_predictions_fill (run->predictions, first, host[0], host[1], host[2]);
  for (guint i = 0; i < G_N_ELEMENTS (host); i++)
    hl_tensor_unref (host[i]);
  return hl_exec_ok (&run->exec);
}

gint64
hl_readout_band (gint64 T, gint64 V)
{
  return CLAMP (BAND_BYTES / (4 * MAX (V, 1)), 1, MAX (T, 1));
}

static HlTensor *
logits_of (const HlReadout *readout, HlRun *run, HlTensor *x)
{
  HlExec *exec = &run->exec;
  g_autoptr (HlTensor) seen = x != NULL ? hl_tensor_ref (x) : NULL;
  if (readout->transform.weight != NULL)
    {
      g_autoptr (HlTensor) bent = hl_dense_forward (&readout->transform, run, x);
      hl_tensor_unref (seen);
      seen = hl_activation (exec, bent, readout->activation);
    }
  g_autoptr (HlTensor) normed = hl_norm_forward (&readout->norm, run, seen);
  if (readout->project.weight != NULL)
    {
      g_autoptr (HlTensor) wide = g_steal_pointer (&normed);
      normed = hl_dense_forward (&readout->project, run, wide);
    }
  if (readout->scale != 0)
    {
      g_autoptr (HlTensor) plain = g_steal_pointer (&normed);
      normed = hl_scale (exec, plain, readout->scale);
    }
  g_autoptr (HlTensor) logits = hl_dense_forward (&readout->unembed, run, normed);
  if (readout->soft_cap == 0)
    return g_steal_pointer (&logits);
  g_autoptr (HlTensor) part = hl_scale (exec, logits, 1 / readout->soft_cap);
  g_autoptr (HlTensor) bent = hl_activation (exec, part, HL_ACTIVATION_TANH);
  return hl_scale (exec, bent, readout->soft_cap);
}

static void
predict (const HlReadout *readout, HlRun *run, HlTensor *x)
{
  HlExec *exec = &run->exec;
  gint64 T = x->shape.dim[1], V = readout->unembed.weight->stored->shape.dim[0];
  gint64 band = hl_readout_band (T, V);
  for (gint64 t = 0; t < T; t += band)
    {
      gint64 n = MIN (band, T - t);
      g_autofree char *what =
          g_strdup_printf ("predictions, position %d of %d", (int) t, (int) T);
      if (!hl_exec_step (exec, 1, what))
        return;
      g_autoptr (HlTensor) rows = hl_slice (exec, x, t, n);
      g_autoptr (HlTensor) logits = logits_of (readout, run, rows);
      if (logits == NULL || !fill_band (run, t, logits))
        return;
    }
}

HlTensor *
hl_readout_forward (const HlReadout *readout, HlRun *run, HlTensor *x, gint64 row)
{
  HlExec *exec = &run->exec;
  if (x == NULL || !hl_exec_ok (exec))
    return NULL;
  if (hl_run_wants (run, HL_SITE_LOGITS, 0, 0))
    {
      g_autoptr (HlTensor) all =
          hl_run_site (run, HL_SITE_LOGITS, 0, 0, logits_of (readout, run, x));
    }
  if (run->predictions != NULL && x->shape.dim[0] == 1)
    predict (readout, run, x);
  gint64 T = x->shape.dim[1], first = row >= 0 && row < T ? row : T - 1;
  g_autoptr (HlTensor) read =
      hl_slice (exec, x, run->reads_all ? 0 : first, run->reads_all ? T : 1);
  g_autoptr (HlTensor) logits = logits_of (readout, run, read);
  if (logits == NULL || run->reads_all)
    return g_steal_pointer (&logits);
  return hl_tensor_view (logits, 0, HL_SHAPE (logits->shape.dim[0], logits->shape.dim[2]),
                         NULL);
}

HlTensor *
hl_embed_tokens (HlParam *table, HlRun *run, const HlTensor *ids)
{
  HlExec *exec = &run->exec;
  if (!hl_exec_ok (exec))
    return NULL;
  const HlTensor *stored = table->stored;
  gint64 V = stored->shape.dim[0], D = stored->shape.dim[1];
  gint64 n = hl_tensor_count (ids);
  g_autoptr (HlTensor) rows =
      hl_tensor_new (exec->backend->dtype == HL_DTYPE_F64 ? HL_DTYPE_F64 : HL_DTYPE_F32,
                     HL_SHAPE (ids->shape.dim[0], ids->shape.dim[1], D), &exec->error);
  if (rows == NULL)
    return NULL;
  /* Rows are picked in the file's type: the whole table is converted only where the
   * readout needs it too. */
  const guint8 *from = stored->data;
  gsize row_bytes = (gsize) D * hl_dtype_size (stored->dtype);
  for (gint64 i = 0; i < n; i++)
    {
      gint32 id = ((const gint32 *) ids->data)[i];
      if (id < 0 || id >= V)
        {
          hl_exec_fail (exec, g_error_new (HL_ERROR, HL_ERROR_RANGE,
                                           "token %d: an id below %d expected, %d found",
                                           (int) i, (int) V, id));
          return NULL;
        }
      const guint8 *row = from + (gsize) id * row_bytes;
      if (rows->dtype == HL_DTYPE_F64)
        hl_dtype_to_f64 (stored->dtype, row, (gsize) D, (double *) rows->data + i * D);
      else
        hl_dtype_to_f32 (stored->dtype, row, (gsize) D, (float *) rows->data + i * D);
    }
  return hl_exec_upload (exec, rows);
}
