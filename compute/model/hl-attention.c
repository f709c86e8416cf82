/* SPDX-License-Identifier: MIT
 * The mixer of a plain transformer: self-attention, with grouped keys and values, rotary
 * positions and a cache of earlier tokens where a model or a run has them. */
#include "model/hl-block.h"

#include "trace/hl-kv-cache.h"

/* Q, K and V as their sites name them: (B, T, H, K), views of one product or of three. */
typedef struct
{
  HlTensor *q, *k, *v;
} Projected;

static void
projected_clear (Projected *p)
{
  g_clear_pointer (&p->q, hl_tensor_unref);
  g_clear_pointer (&p->k, hl_tensor_unref);
  g_clear_pointer (&p->v, hl_tensor_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Projected, projected_clear)

/* Of rows that hold heads of width K one after another: @n of them from @first on, every
 * @step-th. */
static HlTensor *
heads_of (HlTensor *rows, gint64 first, gint64 step, gint64 n, gint64 K)
{
  if (rows == NULL)
    return NULL;
  gint64 B = rows->shape.dim[0], T = rows->shape.dim[1], width = rows->shape.dim[2];
  gint64 stride[] = { T * width, width, step * K, 1 };
  return hl_tensor_view (rows, first * K, HL_SHAPE (B, T, n, K), stride);
}

/* All rows, or the one that alone is wanted. */
static HlTensor *
query_rows (HlRun *run, HlTensor *x, gint64 row)
{
  if (x == NULL || row < 0)
    return x != NULL ? hl_tensor_ref (x) : NULL;
  return hl_slice (&run->exec, x, row, 1);
}

static void
project (const HlAttention *a, HlRun *run, HlTensor *x, Projected *out)
{
  gint64 H = a->n_heads, Hkv = a->n_kv_heads, K = a->head_width, row = run->query_row;
  if (a->qkv.weight != NULL)
    {
      g_autoptr (HlTensor) all = hl_dense_forward (&a->qkv, run, x);
      g_autoptr (HlTensor) asking = query_rows (run, all, row);
      gint64 step = a->is_by_head ? 3 : 1;
      out->q = heads_of (asking, 0, step, H, K);
      out->k = heads_of (all, a->is_by_head ? 1 : H, step, Hkv, K);
      out->v = heads_of (all, a->is_by_head ? 2 : H + Hkv, step, Hkv, K);
      return;
    }
  /* What attends across comes behind what took the one row already. */
  g_autoptr (HlTensor) asking = query_rows (run, x, a->is_cross ? -1 : row);
  g_autoptr (HlTensor) q = hl_dense_forward (&a->q, run, asking); /* (B, T or 1, H*K) */
  out->q = heads_of (q, 0, 1, H, K);
  if (out->k != NULL) /* kept from the pass before */
    return;
  HlTensor *from = a->is_cross ? run->memory : x;
  g_autoptr (HlTensor) k = hl_dense_forward (&a->k, run, from); /* (B, T, Hkv*K) */
  g_autoptr (HlTensor) v = hl_dense_forward (&a->v, run, from);
  out->k = heads_of (k, 0, 1, Hkv, K);
  out->v = heads_of (v, 0, 1, Hkv, K);
}

/* @norm of (B, T, H, K), over each head or over all of them, as its weight is wide. */
static HlTensor *
norm_heads (const HlNorm *norm, HlRun *run, HlTensor *x)
{
  if (x == NULL || norm->weight == NULL)
    return x != NULL ? hl_tensor_ref (x) : NULL;
  HlShape shape = x->shape;
  gint64 width = norm->weight->stored->shape.dim[0];
  g_autoptr (HlTensor) plain = hl_exec_contiguous (&run->exec, x);
  if (plain == NULL)
    return NULL;
  g_autoptr (HlTensor) rows = hl_tensor_view (
      plain, 0,
      HL_SHAPE (shape.dim[0], shape.dim[1], shape.dim[2] * shape.dim[3] / width, width),
      NULL);
  g_autoptr (HlTensor) normed = hl_norm_forward (norm, run, rows);
  return normed != NULL ? hl_tensor_view (normed, 0, shape, NULL) : NULL;
}

/* Whether scores are made of something else than what hook_q and hook_k have. */
static gboolean
changes_q_and_k (const HlAttention *a)
{
  return a->rope != NULL || a->q_norm.weight != NULL || a->k_norm.weight != NULL;
}

static void
rotate (const HlAttention *a, HlRun *run, int stack, int layer, HlTensor **x, HlSite site)
{
  gboolean is_query = site == HL_SITE_ROT_Q;
  gint64 first = is_query ? MAX (run->query_row, 0) : 0;
  g_autoptr (HlTensor) plain = g_steal_pointer (x);
  g_autoptr (HlTensor) turned =
      norm_heads (is_query ? &a->q_norm : &a->k_norm, run, plain);
  if (a->rope != NULL)
    {
      g_autoptr (HlTensor) normed = g_steal_pointer (&turned);
      turned = hl_rope_forward (a->rope, run, normed, first);
    }
  *x = hl_run_site (run, site, stack, layer, g_steal_pointer (&turned));
}

/* Scores, and what their distances add to them: (B, H, Tq, Tk). */
static HlTensor *
scores_of (const HlAttention *a, HlRun *run, HlTensor *q, HlTensor *k)
{
  g_autoptr (HlTensor) scores = hl_scores (&run->exec, q, k, &a->rule);
  if (a->bias == NULL || scores == NULL)
    return g_steal_pointer (&scores);
  gint64 Tq = scores->shape.dim[2], Tk = scores->shape.dim[3];
  gint64 first = run->query_row >= 0 ? run->query_row : Tk - Tq;
  g_autoptr (HlTensor) bias = hl_position_bias_get (a->bias, run, first, Tq, Tk);
  return hl_add (&run->exec, scores, bias);
}

/* The maps are made only where somebody looks at them or changes them. */
static HlTensor *
attend (const HlAttention *a,
        HlRun *run,
        int stack,
        int layer,
        HlTensor *q,
        HlTensor *k,
        HlTensor *v)
{
  HlExec *x = &run->exec;
  HlTensor *lse = NULL;
  g_autoptr (HlTensor) lse_used = NULL;
  if (a->bias == NULL && !hl_run_wants (run, HL_SITE_ATTN_SCORES, stack, layer) &&
      !hl_run_wants (run, HL_SITE_PATTERN, stack, layer))
    {
      HlTensor *z = hl_attention (x, q, k, v, &a->rule, &lse);
      lse_used = hl_run_site (run, HL_SITE_LSE, stack, layer, lse);
      return z;
    }
  /* What is forbidden can be left out as long as nobody changes a map. */
  gboolean is_changed = hl_run_changes (run, HL_SITE_ATTN_SCORES, stack, layer) ||
                        hl_run_changes (run, HL_SITE_PATTERN, stack, layer);
  const HlMapRule *skips = is_changed ? NULL : &a->rule;
  g_autoptr (HlTensor) scores = scores_of (a, run, q, k);
  scores =
      hl_run_site (run, HL_SITE_ATTN_SCORES, stack, layer, g_steal_pointer (&scores));
  g_autoptr (HlTensor) pattern = hl_softmax (x, scores, skips, &lse); /* (B, H, Tq, Tk) */
  g_clear_pointer (&scores, hl_tensor_unref);
  lse_used = hl_run_site (run, HL_SITE_LSE, stack, layer, lse);
  pattern = hl_run_site (run, HL_SITE_PATTERN, stack, layer, g_steal_pointer (&pattern));
  return hl_mix (x, pattern, v, skips);
}

static HlTensor *
attention_forward (const HlMixer *mixer, HlRun *run, int stack, int layer, HlTensor *x)
{
  const HlAttention *a = (const HlAttention *) mixer;
  HlExec *exec = &run->exec;
  g_auto (Projected) p = { NULL };
  gboolean is_kept = a->is_cross && run->cache != NULL &&
                     hl_kv_cache_get (run->cache, stack, layer, &p.k, &p.v);
  project (a, run, x, &p);
  p.q = hl_run_site (run, HL_SITE_Q, stack, layer, p.q);
  p.k = hl_run_site (run, HL_SITE_K, stack, layer, p.k);
  p.v = hl_run_site (run, HL_SITE_V, stack, layer, p.v);
  if (changes_q_and_k (a))
    {
      rotate (a, run, stack, layer, &p.q, HL_SITE_ROT_Q);
      rotate (a, run, stack, layer, &p.k, HL_SITE_ROT_K);
    }
  if (run->cache != NULL && !is_kept)
    hl_kv_cache_extend (run->cache, exec, stack, layer, &p.k, &p.v);
  g_autoptr (HlTensor) q = hl_heads_first (exec, p.q); /* (B, H, Tq, K) */
  g_autoptr (HlTensor) k = hl_heads_first (exec, p.k); /* (B, Hkv, Tk, K) */
  g_autoptr (HlTensor) v = hl_heads_first (exec, p.v);
  g_autoptr (HlTensor) z = attend (a, run, stack, layer, q, k, v); /* (B, Tq, H, K) */
  z = hl_run_site (run, HL_SITE_Z, stack, layer, g_steal_pointer (&z));
  g_autoptr (HlTensor) joined = hl_join_heads (exec, z); /* (B, Tq, H*K) */
  return hl_dense_forward (&a->o, run, joined);
}

static gboolean
attention_get_recipe (const HlMixer *mixer, gint64 n_keys, HlRecipe *recipe)
{
  const HlAttention *a = (const HlAttention *) mixer;
  *recipe = (HlRecipe){ .rule = a->rule, .is_rotary = changes_q_and_k (a) };
  if (a->bias != NULL)
    recipe->bias = hl_position_bias_table (a->bias, n_keys);
  return TRUE;
}

const HlAttention *
hl_mixer_get_attention (const HlMixer *mixer)
{
  return mixer->forward == attention_forward ? (const HlAttention *) mixer : NULL;
}

HlAttention *
hl_attention_new (
    int n_heads, int n_kv_heads, int head_width, double scale, gboolean is_causal)
{
  HlAttention *a = g_new0 (HlAttention, 1);
  a->parent.forward = attention_forward;
  a->parent.get_recipe = attention_get_recipe;
  a->n_heads = n_heads;
  a->n_kv_heads = n_kv_heads;
  a->head_width = head_width;
  a->rule.scale = scale;
  a->rule.is_causal = is_causal;
  return a;
}
