/* SPDX-License-Identifier: MIT
 * The parts a tower is composed of: dense, norm, attention, MLP, block. */
#include "model/hl-block.h"

HlTensor *
hl_dense_forward (const HlDense *dense, HlRun *run, HlTensor *x)
{
  g_autoptr (HlTensor) w = hl_param_get (dense->weight, &run->exec);
  g_autoptr (HlTensor) b = hl_param_get (dense->bias, &run->exec);
  return hl_linear (&run->exec, x, w, b);
}

HlTensor *
hl_norm_forward (const HlNorm *norm, HlRun *run, HlTensor *x)
{
  g_autoptr (HlTensor) g = hl_param_get (norm->weight, &run->exec);
  g_autoptr (HlTensor) b = hl_param_get (norm->bias, &run->exec);
  return hl_layer_norm (&run->exec, x, g, b, norm->eps);
}

/* Q, K and V as (B, T, H, K), the way their sites name them; attention takes the same
 * numbers as a view (B, H, T, K). */
static HlTensor *
project (const HlDense *dense,
         HlRun *run,
         HlSite site,
         int stack,
         int layer,
         HlTensor *x,
         gint64 n_heads)
{
  g_autoptr (HlTensor) flat = hl_dense_forward (dense, run, x); /* (B, T, H*K) */
  if (flat == NULL)
    return NULL;
  const gint64 *dim = flat->shape.dim;
  HlTensor *split = hl_tensor_view (
      flat, 0, HL_SHAPE (dim[0], dim[1], n_heads, dim[2] / n_heads), NULL);
  g_autoptr (HlTensor) used = hl_run_site (run, site, stack, layer, split);
  g_autoptr (HlTensor) joined = hl_join_heads (&run->exec, used);
  return hl_split_heads (&run->exec, joined, n_heads);
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
  if (!hl_run_wants (run, HL_SITE_ATTN_SCORES, stack, layer)
      && !hl_run_wants (run, HL_SITE_PATTERN, stack, layer))
    {
      HlTensor *z = hl_attention (x, q, k, v, a->scale, a->is_causal, &lse);
      lse_used = hl_run_site (run, HL_SITE_LSE, stack, layer, lse);
      return z;
    }
  g_autoptr (HlTensor) scores = hl_scores (x, q, k, a->scale, a->is_causal);
  scores = hl_run_site (run, HL_SITE_ATTN_SCORES, stack, layer,
                        g_steal_pointer (&scores));
  g_autoptr (HlTensor) pattern = hl_softmax (x, scores, &lse); /* (B, H, Tq, Tk) */
  g_clear_pointer (&scores, hl_tensor_unref);
  lse_used = hl_run_site (run, HL_SITE_LSE, stack, layer, lse);
  pattern = hl_run_site (run, HL_SITE_PATTERN, stack, layer, g_steal_pointer (&pattern));
  return hl_mix (x, pattern, v);
}

static HlTensor *
attention_forward (const HlMixer *mixer, HlRun *run, int stack, int layer, HlTensor *x)
{
  const HlAttention *a = (const HlAttention *) mixer;
  g_autoptr (HlTensor) q
      = project (&a->q, run, HL_SITE_Q, stack, layer, x, a->n_heads);
  g_autoptr (HlTensor) k
      = project (&a->k, run, HL_SITE_K, stack, layer, x, a->n_kv_heads);
  g_autoptr (HlTensor) v
      = project (&a->v, run, HL_SITE_V, stack, layer, x, a->n_kv_heads);
  g_autoptr (HlTensor) z = attend (a, run, stack, layer, q, k, v); /* (B, T, H, K) */
  z = hl_run_site (run, HL_SITE_Z, stack, layer, g_steal_pointer (&z));
  g_autoptr (HlTensor) joined = hl_join_heads (&run->exec, z); /* (B, T, H*K) */
  return hl_dense_forward (&a->o, run, joined);
}

static gboolean
attention_get_recipe (const HlMixer *mixer, HlRecipe *recipe)
{
  const HlAttention *a = (const HlAttention *) mixer;
  *recipe = (HlRecipe){ .scale = a->scale, .is_causal = a->is_causal };
  return TRUE;
}

HlAttention *
hl_attention_new (int n_heads, int n_kv_heads, double scale, gboolean is_causal)
{
  HlAttention *a = g_new0 (HlAttention, 1);
  a->parent.forward = attention_forward;
  a->parent.get_recipe = attention_get_recipe;
  a->n_heads = n_heads;
  a->n_kv_heads = n_kv_heads;
  a->scale = scale;
  a->is_causal = is_causal;
  return a;
}

static HlTensor *
mlp_forward (const HlMlp *mlp, HlRun *run, int stack, int layer, HlTensor *x)
{
  g_autoptr (HlTensor) pre = hl_dense_forward (&mlp->up, run, x); /* (B, T, F) */
  pre = hl_run_site (run, HL_SITE_MLP_PRE, stack, layer, g_steal_pointer (&pre));
  g_autoptr (HlTensor) post = hl_activation (&run->exec, pre, mlp->activation);
  g_clear_pointer (&pre, hl_tensor_unref);
  post = hl_run_site (run, HL_SITE_MLP_POST, stack, layer, g_steal_pointer (&post));
  return hl_dense_forward (&mlp->down, run, post);
}

HlTensor *
hl_block_forward (const HlBlock *block, HlRun *run, int stack, int layer, HlTensor *x)
{
  HlExec *exec = &run->exec;
  if (x == NULL)
    return NULL;
  g_autoptr (HlTensor) pre
      = hl_run_site (run, HL_SITE_RESID_PRE, stack, layer, hl_tensor_ref (x));
  g_autoptr (HlTensor) normed = hl_norm_forward (&block->norm1, run, pre);
  g_autoptr (HlTensor) attn_out
      = block->mixer->forward (block->mixer, run, stack, layer, normed);
  attn_out = hl_run_site (run, HL_SITE_ATTN_OUT, stack, layer,
                          g_steal_pointer (&attn_out));
  g_autoptr (HlTensor) mid = hl_add (exec, pre, attn_out);
  mid = hl_run_site (run, HL_SITE_RESID_MID, stack, layer, g_steal_pointer (&mid));
  g_autoptr (HlTensor) normed2 = hl_norm_forward (&block->norm2, run, mid);
  g_autoptr (HlTensor) mlp_out = mlp_forward (&block->mlp, run, stack, layer, normed2);
  mlp_out
      = hl_run_site (run, HL_SITE_MLP_OUT, stack, layer, g_steal_pointer (&mlp_out));
  return hl_run_site (run, HL_SITE_RESID_POST, stack, layer,
                      hl_add (exec, mid, mlp_out));
}

static gboolean
load_vector (HlParam **param,
             HlWeights *weights,
             const char *prefix,
             const char *suffix,
             gint64 n,
             GError **error)
{
  g_autofree char *name = g_strdup_printf ("%s.%s", prefix, suffix);
  *param = hl_weights_require (weights, name, HL_SHAPE (n), error);
  return *param != NULL;
}

gboolean
hl_dense_load (HlDense *dense,
               HlWeights *weights,
               const char *prefix,
               gint64 F,
               gint64 D,
               gboolean has_bias,
               GError **error)
{
  g_autofree char *name = g_strdup_printf ("%s.weight", prefix);
  dense->weight = hl_weights_require (weights, name, HL_SHAPE (F, D), error);
  return dense->weight != NULL
         && (!has_bias || load_vector (&dense->bias, weights, prefix, "bias", F, error));
}

gboolean
hl_norm_load (HlNorm *norm,
              HlWeights *weights,
              const char *prefix,
              gint64 D,
              double eps,
              GError **error)
{
  norm->eps = eps;
  return load_vector (&norm->weight, weights, prefix, "weight", D, error)
         && load_vector (&norm->bias, weights, prefix, "bias", D, error);
}
