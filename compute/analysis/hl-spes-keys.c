/* SPDX-License-Identifier: MIT
 * SPES at the encoder's output: keys and values of the decoder's cross-attention. Each
 * row of them follows from one token's row alone, so that they are made once, of the
 * tokens as they are and of what stands behind them, and a mask chooses rows. */
#include "analysis/hl-spes-private.h"

#include "trace/hl-kv-cache.h"

#include <string.h>

/* What is done to a head's output leaves keys and values as they are. */
static gboolean
are_gates (const GPtrArray *interventions)
{
  for (guint i = 0; i < interventions->len; i++)
    if (((const HlIntervention *) interventions->pdata[i])->kind != HL_INTERVENTION_GATE)
      return FALSE;
  return TRUE;
}

/* (transfer full): (2, T, D): as they are, and behind them. */
static HlTensor *
both_of (const HlSpes *s)
{
  const HlSpesUnits *u = &s->units;
  gint64 T = u->own->shape.dim[0], D = u->own->shape.dim[1];
  gsize bytes = hl_tensor_size_bytes (u->own);
  HlTensor *both = hl_tensor_new (u->own->dtype, HL_SHAPE (2, T, D), NULL);
  memcpy (both->data, u->own->data, bytes);
  memcpy ((char *) both->data + bytes, u->other->data, bytes);
  return both;
}

/* (transfer full): example @b of (2, S, H, K), or (2, S, D), as a batch of one. */
static HlTensor *
example_of (HlBackend *backend, HlTensor *x, gint64 b, GError **error)
{
  HlShape shape = x->shape;
  shape.dim[0] = 1;
  g_autoptr (HlTensor) view = hl_tensor_view (x, b * x->stride[0], shape, x->stride);
  return hl_backend_contiguous (backend, view, error);
}

/* Adds four tensors of @layer: keys and values, as they are and behind them. */
static gboolean
take_layer (HlSpes *s, HlKvCache *cache, int stack, int layer, GError **error)
{
  HlTensor *k = NULL, *v = NULL;
  if (!hl_kv_cache_get (cache, stack, layer, &k, &v))
    return TRUE; /* a layer without */
  g_autoptr (HlTensor) keys = k;
  g_autoptr (HlTensor) values = v;
  for (int i = 0; i < 4; i++)
    {
      HlTensor *one =
          example_of (s->work.backend, i % 2 == 0 ? keys : values, i / 2, error);
      if (one == NULL)
        return FALSE;
      g_ptr_array_add (s->keys, one);
    }
  return TRUE;
}

static int
cross_stack (const HlSpes *s)
{
  return hl_model_get_info (s->work.model)->readout_stack + 1;
}

static gboolean
take_layers (HlSpes *s, HlKvCache *cache, GError **error)
{
  const HlStack *stack =
      hl_model_info_get_stack (hl_model_get_info (s->work.model), cross_stack (s));
  s->keys = g_ptr_array_new_with_free_func ((GDestroyNotify) hl_tensor_unref);
  for (int l = 0; l < stack->n_layers; l++)
    if (!take_layer (s, cache, cross_stack (s), l, error))
      return FALSE;
  s->memory = example_of (s->work.backend, hl_kv_cache_get_memory (cache), 0, error);
  return s->memory != NULL;
}

gboolean
hl_spes_take_keys (HlSpes *s, GError **error)
{
  if (!s->options.at_features || !are_gates (s->interventions))
    return TRUE;
  g_autoptr (HlKvCache) cache = hl_kv_cache_new ();
  g_autoptr (HlTensor) both = both_of (s);
  HlRun run;
  hl_run_init (&run, s->work.backend, hl_model_get_info (s->work.model),
               &s->work.progress);
  run.reads_all = TRUE;
  run.cache = cache;
  hl_spes_put_tokens (s, &run, both);
  g_autoptr (HlTensor) logits = hl_model_forward (s->work.model, &run, s->work.input);
  gboolean ok = run.exec.error == NULL;
  if (!ok)
    g_propagate_error (error, g_steal_pointer (&run.exec.error));
  hl_run_clear (&run);
  return ok && take_layers (s, cache, error);
}

/* (transfer full): (B, S, 1): 1 where a token is hidden. */
static HlTensor *
mask_of (const HlSpes *s, HlExec *exec, const HlSpesMask *masks, gint64 B)
{
  gint64 S = s->units.n_columns;
  g_autoptr (HlTensor) mask =
      hl_tensor_new (HL_DTYPE_F32, HL_SHAPE (B, S, 1), &exec->error);
  if (mask == NULL)
    return NULL;
  for (gint64 i = 0; i < B * S; i++)
    {
      gint32 label = s->units.labels[masks[i / S].granularity][i % S];
      ((float *) mask->data)[i] = label >= 0 && masks[i / S].hides[label] ? 1 : 0;
    }
  return hl_exec_upload (exec, mask);
}

/* (transfer full): (B, S, H, K): rows of @own, or of @other where @mask hides them. All
 * heads of a row go together. */
static HlTensor *
choose_rows (HlExec *exec, HlTensor *own, HlTensor *mask, HlTensor *other)
{
  const gint64 *dim = own->shape.dim;
  HlShape wide = HL_SHAPE (1, dim[1], dim[2] * dim[3]);
  g_autoptr (HlTensor) a = hl_tensor_view (own, 0, wide, NULL);
  g_autoptr (HlTensor) b = hl_tensor_view (other, 0, wide, NULL);
  g_autoptr (HlTensor) rows = hl_blend (exec, a, mask, b);
  if (rows == NULL)
    return NULL;
  return hl_tensor_view (rows, 0, HL_SHAPE (rows->shape.dim[0], dim[1], dim[2], dim[3]),
                         NULL);
}

HlKvCache *
hl_spes_hide_keys (const HlSpes *s, HlExec *exec, const HlSpesMask *masks, gint64 B)
{
  HlKvCache *cache = hl_kv_cache_new ();
  g_autoptr (HlTensor) mask = mask_of (s, exec, masks, B);
  hl_kv_cache_set_memory (cache, s->memory);
  for (guint i = 0; i + 3 < s->keys->len && hl_exec_ok (exec); i += 4)
    {
      HlTensor **x = (HlTensor **) s->keys->pdata + i;
      g_autoptr (HlTensor) k = choose_rows (exec, x[0], mask, x[2]);
      g_autoptr (HlTensor) v = choose_rows (exec, x[1], mask, x[3]);
      if (k != NULL && v != NULL)
        hl_kv_cache_put (cache, cross_stack (s), (int) i / 4, k, v);
    }
  return cache;
}
