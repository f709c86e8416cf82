/* SPDX-License-Identifier: MIT
 * One vector of many tokens, by a learned query. */
#include "model/hl-attention-pool.h"

#include <math.h>

void
hl_attention_pool_load (HlAttentionPool *pool, HlLoading *l, const HlTowerPlan *plan)
{
  gint64 D = plan->D, F = plan->F;
  HlDense *parts[] = { &pool->q, &pool->k, &pool->v };
  pool->n_heads = plan->n_heads;
  pool->probe = hl_loading_param (l, HL_SHAPE (1, 1, D), "head.probe");
  for (int i = 0; i < 3; i++)
    {
      parts[i]->weight = hl_loading_rows (l, HL_SHAPE (3 * D, D), i * D, D,
                                          "head.attention.in_proj_weight");
      parts[i]->bias =
          hl_loading_rows (l, HL_SHAPE (3 * D), i * D, D, "head.attention.in_proj_bias");
    }
  hl_loading_dense (l, &pool->o, D, D, TRUE, "head.attention.out_proj");
  hl_loading_norm (l, &pool->norm, D, plan->eps, "head.layernorm");
  hl_loading_dense (l, &pool->mlp.up, F, D, TRUE, "head.mlp.fc1");
  hl_loading_dense (l, &pool->mlp.down, D, F, TRUE, "head.mlp.fc2");
  pool->mlp.activation = plan->activation;
}

/* (B, T, H, K) of (B, T, H * K), heads first. */
static HlTensor *
heads_of (HlExec *exec, HlTensor *x, gint64 H)
{
  if (x == NULL)
    return NULL;
  const gint64 *dim = x->shape.dim;
  g_autoptr (HlTensor) heads =
      hl_tensor_view (x, 0, HL_SHAPE (dim[0], dim[1], H, dim[2] / H), NULL);
  return hl_heads_first (exec, heads);
}

HlTensor *
hl_attention_pool_forward (const HlAttentionPool *pool, HlRun *run, HlTensor *x)
{
  HlExec *exec = &run->exec;
  gint64 H = pool->n_heads;
  g_autoptr (HlTensor) probe = hl_param_get (pool->probe, exec);
  if (x == NULL || probe == NULL)
    return NULL;
  const HlMapRule rule = { .scale = 1 / sqrt ((double) (x->shape.dim[2] / H)) };
  g_autoptr (HlTensor) q_rows = hl_dense_forward (&pool->q, run, probe);
  g_autoptr (HlTensor) k_rows = hl_dense_forward (&pool->k, run, x);
  g_autoptr (HlTensor) v_rows = hl_dense_forward (&pool->v, run, x);
  g_autoptr (HlTensor) q = heads_of (exec, q_rows, H);
  g_autoptr (HlTensor) k = heads_of (exec, k_rows, H);
  g_autoptr (HlTensor) v = heads_of (exec, v_rows, H);
  g_autoptr (HlTensor) z = hl_attention (exec, q, k, v, &rule, NULL); /* (B, 1, H, K) */
  g_autoptr (HlTensor) joined = hl_join_heads (exec, z);
  g_autoptr (HlTensor) seen = hl_dense_forward (&pool->o, run, joined); /* (B, 1, D) */
  g_autoptr (HlTensor) normed = hl_norm_forward (&pool->norm, run, seen);
  g_autoptr (HlTensor) up = hl_dense_forward (&pool->mlp.up, run, normed);
  g_autoptr (HlTensor) bent = hl_activation (exec, up, pool->mlp.activation);
  g_autoptr (HlTensor) down = hl_dense_forward (&pool->mlp.down, run, bent);
  return hl_add (exec, seen, down);
}
