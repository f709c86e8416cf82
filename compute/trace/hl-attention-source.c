/* SPDX-License-Identifier: MIT
 * Attention, stored or recomputed, asked for rectangles, rows and columns. */
#include "trace/hl-attention-source-private.h"

#include "base/hl-error.h"
#include "ops/hl-exec.h"
#include "trace/hl-word-trace.h"

#include <math.h>
#include <string.h>

/* What a trace holds of one layer; either @pattern or the other three. Borrowed. */
typedef struct
{
  HlTensor *pattern; /* (H, Tq, Tk) */
  HlTensor *q;       /* (Tq, H, K) */
  HlTensor *k;       /* (Tk, Hkv, K) */
  HlTensor *lse;     /* (H, Tq) */
  const HlRecipe *recipe;
} Layer;

HlAttentionSource *
hl_attention_source_new (HlTrace *trace)
{
  HlAttentionSource *source = g_new0 (HlAttentionSource, 1);
  g_atomic_ref_count_init (&source->refs);
  source->trace = hl_trace_ref (trace);
  if (trace->pieces != NULL)
    source->pieces = hl_attention_source_new (trace->pieces);
  source->coarse = hl_coarse_tiles_new (HL_COARSE_BYTES);
  source->placed = hl_placed_tensors_new ();
  return source;
}

HlAttentionSource *
hl_attention_source_ref (HlAttentionSource *source)
{
  g_atomic_ref_count_inc (&source->refs);
  return source;
}

void
hl_attention_source_unref (HlAttentionSource *source)
{
  if (source == NULL || !g_atomic_ref_count_dec (&source->refs))
    return;
  hl_trace_unref (source->trace);
  hl_attention_source_unref (source->pieces);
  hl_coarse_tiles_free (source->coarse);
  hl_placed_tensors_free (source->placed);
  g_free (source);
}

HlTrace *
hl_attention_source_get_trace (const HlAttentionSource *source)
{
  return source->trace;
}

static HlTensor *
site_of (const HlAttentionSource *source, HlHeadKey head, const char *suffix, int rank)
{
  g_autofree char *name =
      hl_trace_site_name (source->trace->model, head.stack, head.layer, suffix);
  HlTensor *t = hl_trace_get_site (source->trace, name);
  gboolean fits = t != NULL && t->shape.n_dims == rank && t->dtype == HL_DTYPE_F32 &&
                  hl_tensor_is_contiguous (t);
  return fits ? t : NULL;
}

/* FALSE when there is nothing to be had, or what there is does not fit together. */
static gboolean
find_layer (const HlAttentionSource *source, HlHeadKey head, Layer *layer)
{
  /* Names of sites would take an unknown stack for the unnamed one. */
  if (hl_model_info_get_stack (source->trace->model, head.stack) == NULL)
    return FALSE;
  *layer = (Layer){ .pattern = site_of (source, head, "attn.hook_pattern", 3) };
  if (layer->pattern != NULL)
    return head.head >= 0 && head.head < layer->pattern->shape.dim[0];
  g_autofree char *key =
      hl_trace_site_name (source->trace->model, head.stack, head.layer, "attn");
  layer->recipe = hl_trace_get_recipe (source->trace, key);
  if (layer->recipe == NULL)
    return FALSE;
  layer->q = site_of (source, head, hl_recipe_q_suffix (layer->recipe), 3);
  layer->k = site_of (source, head, hl_recipe_k_suffix (layer->recipe), 3);
  layer->lse = site_of (source, head, "attn.hook_lse", 2);
  if (layer->q == NULL || layer->k == NULL || layer->lse == NULL)
    return FALSE;
  const gint64 *q = layer->q->shape.dim, *k = layer->k->shape.dim;
  const HlTensor *bias = layer->recipe->bias;
  if (bias != NULL && (bias->shape.dim[0] != q[1] || bias->shape.dim[1] != 2 * k[0] - 1))
    return FALSE;
  return head.head >= 0 && head.head < q[1] && k[1] > 0 && q[1] % k[1] == 0 &&
         q[2] == k[2] && layer->lse->shape.dim[0] == q[1] &&
         layer->lse->shape.dim[1] == q[0];
}

gboolean
hl_attention_source_get_size (const HlAttentionSource *source,
                              HlHeadKey head,
                              gint64 *Tq,
                              gint64 *Tk)
{
  Layer layer;
  if (source->pieces != NULL)
    return hl_attention_source_get_size (source->pieces, head, Tq, Tk) &&
           hl_word_trace_count (source->trace, head.stack, Tq, Tk);
  if (!find_layer (source, head, &layer))
    return FALSE;
  *Tq = layer.pattern != NULL ? layer.pattern->shape.dim[1] : layer.q->shape.dim[0];
  *Tk = layer.pattern != NULL ? layer.pattern->shape.dim[2] : layer.k->shape.dim[0];
  return TRUE;
}

gboolean
hl_attention_source_is_stored (const HlAttentionSource *source, HlHeadKey head)
{
  Layer layer;
  if (source->pieces != NULL)
    return hl_attention_source_is_stored (source->pieces, head);
  return find_layer (source, head, &layer) && layer.pattern != NULL;
}

/* A rectangle of an intervention's (1 or H, 1 or Tq, 1 or Tk) numbers at (i, j). */
static float
number_at (const HlTensor *t, gint64 h, gint64 i, gint64 j)
{
  const gint64 *dim = t->shape.dim;
  gint64 at = (dim[0] == 1 ? 0 : h) * dim[1] * dim[2] + (dim[1] == 1 ? 0 : i) * dim[2] +
              (dim[2] == 1 ? 0 : j);
  return ((const float *) t->data)[at];
}

static void
repeat_intervention (const HlRecipe *recipe,
                     gint64 h,
                     gint64 first_query,
                     gint64 n_queries,
                     gint64 first_key,
                     gint64 n_keys,
                     float *out)
{
  if (recipe->mask == NULL || recipe->mask->shape.n_dims != 3)
    return;
  for (gint64 i = 0; i < n_queries; i++)
    for (gint64 j = 0; j < n_keys; j++, out++)
      {
        float m = number_at (recipe->mask, h, first_query + i, first_key + j);
        float r = recipe->replacement != NULL
                      ? number_at (recipe->replacement, h, first_query + i, first_key + j)
                      : 0;
        *out += m * (r - *out);
      }
}

/* Rows @first up to @first + @n of head @h of a (T, H, K) tensor, as a strided view. */
static HlTensor *
rows_of (HlTensor *t, gint64 h, gint64 first, gint64 n)
{
  gint64 H = t->shape.dim[1], K = t->shape.dim[2];
  gint64 stride[] = { H * K, 1 };
  return hl_tensor_view (t, (first * H + h) * K, HL_SHAPE (n, K), stride);
}

/* Copies rows of @width numbers into rows of @n_keys, zeros behind them. */
static void
spread (const float *from, gint64 n_rows, gint64 width, gint64 n_keys, float *out)
{
  for (gint64 i = 0; i < n_rows; i++, from += width, out += n_keys)
    {
      memcpy (out, from, sizeof (float) * (gsize) width);
      memset (out + width, 0, sizeof (float) * (gsize) (n_keys - width));
    }
}

/* What no query of these sees need not be computed: half of a causal map. */
static gint64
width_seen (const Layer *layer,
            gint64 first_query,
            gint64 n_queries,
            gint64 first_key,
            gint64 n_keys)
{
  gint64 Tq = layer->q->shape.dim[0], Tk = layer->k->shape.dim[0];
  return layer->recipe->rule.is_causal
             ? CLAMP (first_query + n_queries + Tk - Tq - first_key, 0, n_keys)
             : n_keys;
}

/* Q, K and log-sum-exp of a rectangle, where @backend, which is float32, can read them.
 */
typedef struct
{
  HlTensor *q, *k, *lse;
} Parts;

static void
parts_clear (Parts *p)
{
  g_clear_pointer (&p->q, hl_tensor_unref);
  g_clear_pointer (&p->k, hl_tensor_unref);
  g_clear_pointer (&p->lse, hl_tensor_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Parts, parts_clear)

static gboolean
parts_init (Parts *p,
            const HlAttentionSource *source,
            const Layer *layer,
            HlBackend *backend,
            gint64 h,
            gint64 first_query,
            gint64 n_queries,
            gint64 first_key,
            gint64 n_keys,
            GError **error)
{
  HlPlacedTensors *placed = source->placed;
  gint64 Tq = layer->q->shape.dim[0];
  gint64 group = layer->q->shape.dim[1] / layer->k->shape.dim[1];
  g_autoptr (HlTensor) q = hl_placed_tensors_get (placed, backend, layer->q, error);
  g_autoptr (HlTensor) k =
      q != NULL ? hl_placed_tensors_get (placed, backend, layer->k, error) : NULL;
  g_autoptr (HlTensor) lse =
      k != NULL ? hl_placed_tensors_get (placed, backend, layer->lse, error) : NULL;
  if (lse == NULL)
    return FALSE;
  p->q = rows_of (q, h, first_query, n_queries);
  p->k = rows_of (k, h / group, first_key, n_keys);
  p->lse = hl_tensor_view (lse, h * Tq + first_query, HL_SHAPE (n_queries), NULL);
  return TRUE;
}

/* exp (s + bias - lse) of a rectangle, for rules that no op makes in one go: scores from
 * the backend, the rest here. (transfer full): (n_queries, n_keys). */
static HlTensor *
rect_with_bias (HlExec *exec,
                const Layer *layer,
                const Parts *p,
                gint64 h,
                gint64 at,
                gint64 first_key)
{
  const HlTensor *bias = layer->recipe->bias; /* (H, 2 Tk - 1) */
  gint64 n = p->q->shape.dim[0], m = p->k->shape.dim[0], K = p->q->shape.dim[1];
  gint64 Tk = layer->k->shape.dim[0], width = bias->shape.dim[1];
  gint64 q_stride[] = { 0, 0, p->q->stride[0], 1 },
         k_stride[] = { 0, 0, p->k->stride[0], 1 };
  g_autoptr (HlTensor) q = hl_tensor_view (p->q, 0, HL_SHAPE (1, 1, n, K), q_stride);
  g_autoptr (HlTensor) k = hl_tensor_view (p->k, 0, HL_SHAPE (1, 1, m, K), k_stride);
  HlOpCall call = { .op = HL_OP_SCORES, .in = { q, k } };
  call.params.scale = layer->recipe->rule.scale;
  call.params.soft_cap = layer->recipe->rule.soft_cap;
  call.params.is_causal = layer->recipe->rule.is_causal;
  call.params.window = layer->recipe->rule.window;
  call.params.query_start = at - first_key;
  g_autoptr (HlTensor) scores = hl_exec_run (exec, &call, NULL);
  g_autoptr (HlTensor) lse =
      scores != NULL ? hl_tensor_convert (p->lse, HL_DTYPE_F32, &exec->error) : NULL;
  g_autoptr (HlTensor) made =
      lse != NULL ? hl_tensor_convert (scores, HL_DTYPE_F32, &exec->error) : NULL;
  if (made == NULL)
    return NULL;
  float *s = made->data;
  const float *row = hl_tensor_f32 (bias) + h * width;
  for (gint64 i = 0; i < n; i++)
    for (gint64 j = 0; j < m; j++, s++)
      *s = expf (*s + row[first_key + j - (at + i) + Tk - 1] - hl_tensor_f32 (lse)[i]);
  return hl_tensor_view (made, 0, HL_SHAPE (n, m), NULL);
}

static gboolean
recompute (const HlAttentionSource *source,
           const Layer *layer,
           HlBackend *backend,
           gint64 h,
           gint64 first_query,
           gint64 n_queries,
           gint64 first_key,
           gint64 n_keys,
           float *out,
           GCancellable *cancellable,
           GError **error)
{
  gint64 Tq = layer->q->shape.dim[0], Tk = layer->k->shape.dim[0];
  gint64 width = width_seen (layer, first_query, n_queries, first_key, n_keys);
  g_autoptr (HlBackend) wide = hl_backend_as_f32 (backend);
  HlProgress progress = { .cancellable = cancellable };
  HlExec exec;
  g_auto (Parts) p = { NULL };
  hl_exec_init (&exec, wide, &progress);
  g_autoptr (HlTensor) made = NULL;
  if (parts_init (&p, source, layer, wide, h, first_query, n_queries, first_key, width,
                  &exec.error))
    made = layer->recipe->bias != NULL
               ? rect_with_bias (&exec, layer, &p, h, first_query + Tk - Tq, first_key)
               : hl_attention_rect (&exec, p.q, p.k, p.lse, &layer->recipe->rule,
                                    first_query + Tk - Tq, first_key);
  g_autoptr (HlTensor) rect =
      made != NULL ? hl_tensor_convert (made, HL_DTYPE_F32, &exec.error) : NULL;
  gboolean ok = rect != NULL;
  if (ok)
    {
      spread (rect->data, n_queries, width, n_keys, out);
      repeat_intervention (layer->recipe, h, first_query, n_queries, first_key, n_keys,
                           out);
    }
  else
    g_propagate_error (error, g_steal_pointer (&exec.error));
  hl_exec_clear (&exec);
  return ok;
}

void
hl_attention_source_complain (const HlAttentionSource *source,
                              HlHeadKey head,
                              GError **error)
{
  const HlStack *stack = hl_model_info_get_stack (source->trace->model, head.stack);
  int n_heads = stack != NULL && head.layer >= 0 && head.layer < stack->n_layers
                    ? stack->layers[head.layer].n_heads
                    : 0;
  if (stack != NULL && n_heads == 0)
    g_set_error (error, HL_ERROR, HL_ERROR_MISSING, "head %d.%d: layers 0 to %d expected",
                 head.layer, head.head, stack->n_layers - 1);
  else if (head.head >= n_heads)
    g_set_error (error, HL_ERROR, HL_ERROR_MISSING,
                 "head %d.%d: heads 0 to %d of this layer expected", head.layer,
                 head.head, n_heads - 1);
  else
    g_set_error (error, HL_ERROR, HL_ERROR_MISSING,
                 "head %d.%d: no attention in this trace", head.layer, head.head);
}

static gboolean
check_range (const HlAttentionSource *source,
             HlHeadKey head,
             gint64 first_query,
             gint64 n_queries,
             gint64 first_key,
             gint64 n_keys,
             GError **error)
{
  gint64 Tq = 0, Tk = 0;
  if (!hl_attention_source_get_size (source, head, &Tq, &Tk))
    {
      hl_attention_source_complain (source, head, error);
      return FALSE;
    }
  if (first_query >= 0 && n_queries >= 0 && first_query <= Tq - n_queries &&
      first_key >= 0 && n_keys >= 0 && first_key <= Tk - n_keys)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
               "head %d.%d: part of a %d x %d map expected, %" G_GINT64_FORMAT
               " queries from %" G_GINT64_FORMAT " and %" G_GINT64_FORMAT
               " keys from %" G_GINT64_FORMAT " found",
               head.layer, head.head, (int) Tq, (int) Tk, n_queries, first_query, n_keys,
               first_key);
  return FALSE;
}

gboolean
hl_attention_source_read_rect (const HlAttentionSource *source,
                               HlBackend *backend,
                               HlHeadKey head,
                               gint64 first_query,
                               gint64 n_queries,
                               gint64 first_key,
                               gint64 n_keys,
                               float *out,
                               GCancellable *cancellable,
                               GError **error)
{
  Layer layer;
  if (!check_range (source, head, first_query, n_queries, first_key, n_keys, error))
    return FALSE;
  if (n_queries == 0 || n_keys == 0)
    return TRUE;
  if (source->pieces != NULL)
    return hl_attention_source_read_words (source, backend, head, first_query, n_queries,
                                           first_key, n_keys, out, cancellable, error);
  find_layer (source, head, &layer);
  if (layer.pattern == NULL)
    return recompute (source, &layer, backend, head.head, first_query, n_queries,
                      first_key, n_keys, out, cancellable, error);
  gint64 Tq = layer.pattern->shape.dim[1], Tk = layer.pattern->shape.dim[2];
  const float *map = hl_tensor_f32 (layer.pattern) + head.head * Tq * Tk;
  for (gint64 i = 0; i < n_queries; i++)
    memcpy (out + i * n_keys, map + (first_query + i) * Tk + first_key,
            sizeof (float) * (gsize) n_keys);
  return TRUE;
}

gboolean
hl_attention_source_can_pool (const HlAttentionSource *source, HlHeadKey head)
{
  Layer layer;
  return find_layer (source, head, &layer) && layer.pattern == NULL &&
         layer.recipe->mask == NULL && layer.recipe->bias == NULL;
}

gboolean
hl_attention_source_read_pooled (const HlAttentionSource *source,
                                 HlBackend *backend,
                                 HlHeadKey head,
                                 const HlPooledRect *r,
                                 const HlProgress *progress,
                                 GError **error)
{
  Layer layer;
  HlTensor *most = NULL;
  HlExec exec;
  g_auto (Parts) p = { NULL };
  if (!check_range (source, head, r->first_query, r->n_queries, r->first_key, r->n_keys,
                    error))
    return FALSE;
  find_layer (source, head, &layer);
  gint64 Tq = layer.q->shape.dim[0], Tk = layer.k->shape.dim[0];
  g_autoptr (HlBackend) wide = hl_backend_as_f32 (backend);
  HlProgress quiet = progress != NULL ? *progress : (HlProgress){ 0 };
  quiet.func = NULL;
  hl_exec_init (&exec, wide, &quiet);
  g_autoptr (HlTensor) mean = NULL;
  if (parts_init (&p, source, &layer, wide, head.head, r->first_query, r->n_queries,
                  r->first_key, r->n_keys, &exec.error))
    mean = hl_attention_pooled (&exec, p.q, p.k, p.lse, &layer.recipe->rule,
                                r->first_query + Tk - Tq, r->first_key, r->level, &most);
  g_autoptr (HlTensor) max = most;
  g_autoptr (HlTensor) host_mean =
      mean != NULL ? hl_tensor_convert (mean, HL_DTYPE_F32, &exec.error) : NULL;
  g_autoptr (HlTensor) host_max =
      host_mean != NULL ? hl_tensor_convert (max, HL_DTYPE_F32, &exec.error) : NULL;
  gboolean ok = host_max != NULL;
  if (ok)
    {
      memcpy (r->mean, host_mean->data, hl_tensor_size_bytes (host_mean));
      memcpy (r->max, host_max->data, hl_tensor_size_bytes (host_max));
    }
  else
    g_propagate_error (error, g_steal_pointer (&exec.error));
  hl_exec_clear (&exec);
  return ok;
}

gboolean
hl_attention_source_read_row (const HlAttentionSource *source,
                              HlBackend *backend,
                              HlHeadKey head,
                              gint64 query,
                              float *out,
                              GCancellable *cancellable,
                              GError **error)
{
  gint64 Tq, Tk;
  if (!hl_attention_source_get_size (source, head, &Tq, &Tk))
    return check_range (source, head, query, 1, 0, 0, error);
  return hl_attention_source_read_rect (source, backend, head, query, 1, 0, Tk, out,
                                        cancellable, error);
}

gboolean
hl_attention_source_read_column (const HlAttentionSource *source,
                                 HlBackend *backend,
                                 HlHeadKey head,
                                 gint64 key,
                                 float *out,
                                 GCancellable *cancellable,
                                 GError **error)
{
  gint64 Tq, Tk;
  if (!hl_attention_source_get_size (source, head, &Tq, &Tk))
    return check_range (source, head, 0, 0, key, 1, error);
  return hl_attention_source_read_rect (source, backend, head, 0, Tq, key, 1, out,
                                        cancellable, error);
}
