/* SPDX-License-Identifier: MIT
 * A tower of blocks, loaded by a plan. */
#include "model/hl-tower.h"

#include <math.h>

/* All heads together: more is no model, and their product has to be an int. */
#define HEADS_MAX_WIDTH (1 << 20)

void
hl_tower_plan_check (const HlTowerPlan *plan, HlLoading *loading)
{
  if (plan->n_kv_heads < 1 || plan->n_heads % plan->n_kv_heads != 0)
    hl_loading_refuse (loading,
                       "key-value heads: a divisor of the heads (%d) expected, %d found",
                       plan->n_heads, plan->n_kv_heads);
  if ((gint64) plan->n_heads * plan->head_width > HEADS_MAX_WIDTH)
    hl_loading_refuse (loading,
                       "at most %d for all heads together expected, %d heads of %d found",
                       HEADS_MAX_WIDTH, plan->n_heads, plan->head_width);
}

/* A part of the block that is being loaded. */
typedef struct
{
  const HlTowerPlan *plan;
  HlLoading *loading;
  char *at; /* the block's place */
} Loader;

static void
load_dense (
    Loader *l, HlDense *dense, const char *name, gint64 F, gint64 D, gboolean has_bias)
{
  if (name == NULL)
    return;
  g_autofree char *full = g_strconcat (l->at, name, NULL);
  hl_loading_dense (l->loading, dense, F, D, has_bias, full);
}

static void
load_norm (Loader *l, HlNorm *norm, const char *name, gint64 D)
{
  if (name == NULL)
    return;
  g_autofree char *full = g_strconcat (l->at, name, NULL);
  norm->is_rms = l->plan->is_rms;
  norm->is_offset = l->plan->is_offset;
  hl_loading_norm (l->loading, norm, D, l->plan->eps, full);
}

static void
load_join (Loader *l, HlJoin *join, const char *const names[4])
{
  gint64 D = l->plan->D;
  load_norm (l, &join->before, names[0], D);
  load_norm (l, &join->after, names[1], D);
  load_norm (l, &join->outer, names[2], D);
  if (names[3] == NULL)
    return;
  g_autofree char *full = g_strconcat (l->at, names[3], NULL);
  join->scale = hl_loading_param (l->loading, HL_SHAPE (D), full);
}

/* Parts of one weight, row after row, as dense layers of their own. */
static void
load_rows (Loader *l,
           const char *name,
           HlDense *const parts[],
           const gint64 rows[],
           int n,
           gint64 D,
           gboolean has_bias)
{
  gint64 first = 0, all = 0;
  for (int i = 0; i < n; i++)
    all += rows[i];
  for (int i = 0; i < n; first += rows[i++])
    {
      g_autofree char *weight = g_strconcat (l->at, name, ".weight", NULL);
      g_autofree char *bias = g_strconcat (l->at, name, ".bias", NULL);
      parts[i]->weight =
          hl_loading_rows (l->loading, HL_SHAPE (all, D), first, rows[i], weight);
      if (has_bias)
        parts[i]->bias =
            hl_loading_rows (l->loading, HL_SHAPE (all), first, rows[i], bias);
    }
}

static void
load_attention (Loader *l, HlAttention *a)
{
  const HlTowerPlan *p = l->plan;
  const HlBlockNames *names = &p->names;
  gint64 D = p->D, K = p->head_width, Q = p->n_heads * K, KV = p->n_kv_heads * K;
  gint64 all = p->is_wide_qk_norm ? Q : K, of_keys = p->is_wide_qk_norm ? KV : K;
  a->rope = p->rope;
  a->bias = p->bias;
  if (names->qkv != NULL)
    load_rows (l, names->qkv, (HlDense *const[]){ &a->q, &a->k, &a->v },
               (const gint64[]){ Q, KV, KV }, 3, D, p->has_q_bias);
  a->is_by_head = names->qkv_by_head != NULL;
  load_dense (l, &a->qkv, names->qkv_by_head, 3 * Q, D, p->has_q_bias);
  load_dense (l, &a->q, names->q, Q, D, p->has_q_bias);
  load_dense (l, &a->k, names->k, KV, D, p->has_k_bias);
  load_dense (l, &a->v, names->v, KV, D, p->has_v_bias);
  load_dense (l, &a->o, names->o, D, Q, p->has_o_bias);
  load_norm (l, &a->q_norm, names->q_norm, all);
  load_norm (l, &a->k_norm, names->k_norm, of_keys);
}

static HlAttention *
attention_new (const HlTowerPlan *plan)
{
  double scale = plan->scale != 0 ? plan->scale : 1 / sqrt (plan->head_width);
  return hl_attention_new (plan->n_heads, plan->n_kv_heads, plan->head_width, scale,
                           plan->is_causal);
}

static void
load_cross (Loader *l, HlBlock *block)
{
  const HlTowerPlan *p = l->plan;
  const HlBlockNames *names = &p->names;
  gint64 D = p->D, M = p->memory_width, Q = p->n_heads * p->head_width;
  const char *const join[4] = { names->cross_before, NULL, names->cross_outer, NULL };
  if (names->cross_q == NULL)
    return;
  HlAttention *a = attention_new (p);
  a->rule.is_causal = FALSE;
  a->is_cross = TRUE;
  block->cross = &a->parent;
  block->cross_stack = p->cross_stack;
  load_dense (l, &a->q, names->cross_q, Q, D, p->has_q_bias);
  load_dense (l, &a->k, names->cross_k, Q, M, p->has_k_bias);
  load_dense (l, &a->v, names->cross_v, Q, M, p->has_v_bias);
  load_dense (l, &a->o, names->cross_o, D, Q, p->has_o_bias);
  load_join (l, &block->of_cross, join);
}

static void
load_block (Loader *l, HlBlock *block, HlAttention *a)
{
  const HlTowerPlan *p = l->plan;
  const HlBlockNames *names = &p->names;
  const char *const joins[2][4] = {
    { names->before1, names->after1, names->outer1, names->scale1 },
    { names->before2, names->after2, names->outer2, names->scale2 },
  };
  gint64 D = p->D, F = p->F;
  load_attention (l, a);
  block->is_parallel = p->is_parallel;
  block->mlp.activation = p->activation;
  if (names->gate_up != NULL)
    load_rows (l, names->gate_up, (HlDense *const[]){ &block->mlp.gate, &block->mlp.up },
               (const gint64[]){ F, F }, 2, D, p->has_mlp_bias);
  load_dense (l, &block->mlp.gate, names->gate, F, D, p->has_mlp_bias);
  load_dense (l, &block->mlp.up, names->up, F, D, p->has_mlp_bias);
  load_dense (l, &block->mlp.down, names->down, D, F, p->has_mlp_bias);
  load_join (l, &block->of_mixer, joins[0]);
  load_join (l, &block->of_mlp, joins[1]);
  load_cross (l, block);
}

static int
group_of (const HlTowerPlan *plan, int layer)
{
  return plan->n_groups > 0 ? layer * plan->n_groups / plan->n_layers : layer;
}

void
hl_tower_load (HlTower *tower, const HlTowerPlan *plan, HlLoading *loading)
{
  if (loading->error != NULL)
    return;
  tower->n_layers = plan->n_layers;
  tower->blocks = g_new0 (HlBlock, (gsize) plan->n_layers);
  for (int l = 0; l < plan->n_layers && loading->error == NULL; l++)
    {
      HlBlock *block = &tower->blocks[l];
      HlAttention *a = attention_new (plan);
      g_autofree char *at = g_strdup_printf (plan->names.block, group_of (plan, l));
      Loader loader = { plan, loading, at };
      if (l > 0 && group_of (plan, l) == group_of (plan, l - 1))
        {
          *block = block[-1];
          *a = *(HlAttention *) block[-1].mixer;
        }
      else
        load_block (&loader, block, a);
      block->mixer = &a->parent;
    }
}

void
hl_tower_clear (HlTower *tower)
{
  hl_blocks_free (tower->blocks, tower->n_layers);
  tower->blocks = NULL;
}

HlAttention *
hl_tower_get_attention (const HlTower *tower, int layer)
{
  return (HlAttention *) tower->blocks[layer].mixer;
}

static HlLayerInfo
layer_of (const HlMixer *mixer)
{
  const HlAttention *a = hl_mixer_get_attention (mixer);
  return (HlLayerInfo){ .kind = a->is_cross ? HL_ATTENTION_CROSS : HL_ATTENTION_SELF,
                        .n_heads = a->n_heads,
                        .n_kv_heads = a->n_kv_heads,
                        .head_width = a->head_width,
                        .is_causal = a->rule.is_causal,
                        .window = (int) a->rule.window };
}

void
hl_tower_describe (const HlTower *tower, HlModelInfo *info, const char *name)
{
  HlStack *stack = hl_model_info_add_stack (info, name, tower->n_layers);
  for (int l = 0; l < tower->n_layers; l++)
    stack->layers[l] = layer_of (tower->blocks[l].mixer);
}

void
hl_tower_describe_cross (const HlTower *tower, HlModelInfo *info, int queries, int keys)
{
  HlStack *stack = hl_model_info_add_cross (info, queries, keys, tower->n_layers);
  for (int l = 0; l < tower->n_layers; l++)
    stack->layers[l] = layer_of (tower->blocks[l].cross);
}

HlTensor *
hl_tower_forward (const HlTower *tower, HlRun *run, int stack, HlTensor *x)
{
  return hl_blocks_forward (tower->blocks, tower->n_layers, run, stack, x);
}

const HlBlock *
hl_tower_get_block (const HlTower *tower, int layer)
{
  return layer >= 0 && layer < tower->n_layers ? &tower->blocks[layer] : NULL;
}
