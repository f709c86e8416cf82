/* SPDX-License-Identifier: MIT
 * The parts a tower is composed of: dense, norm, MLP, block. */
#include "model/hl-block.h"

#include "ops/hl-tape.h"

HlTensor *
hl_dense_forward (const HlDense *dense, HlRun *run, HlTensor *x)
{
  HlExec *exec = &run->exec;
  g_autoptr (HlTensor) w = hl_param_get (dense->weight, exec);
  g_autoptr (HlTensor) b = hl_param_get (dense->bias, exec);
  return dense->is_transposed ? hl_linear_transposed (exec, x, w, b)
                              : hl_linear (exec, x, w, b);
}

static HlTensor *
add_one (HlExec *exec, HlTensor *x)
{
  const float one = 1;
  g_autoptr (HlTensor) host = hl_tensor_new_copy (HL_DTYPE_F32, HL_SHAPE (1), &one);
  g_autoptr (HlTensor) there = hl_exec_upload (exec, host);
  return hl_add (exec, x, there);
}

HlTensor *
hl_norm_forward (const HlNorm *norm, HlRun *run, HlTensor *x)
{
  if (norm->weight == NULL || x == NULL)
    return x != NULL ? hl_tensor_ref (x) : NULL;
  g_autoptr (HlTensor) g = hl_param_get (norm->weight, &run->exec);
  if (norm->is_offset)
    {
      g_autoptr (HlTensor) stored = g_steal_pointer (&g);
      g = add_one (&run->exec, stored);
    }
  if (norm->is_rms)
    return hl_rms_norm (&run->exec, x, g, norm->eps);
  g_autoptr (HlTensor) b = hl_param_get (norm->bias, &run->exec);
  return hl_layer_norm (&run->exec, x, g, b, norm->eps);
}

/* TransformerLens' names: with a gate, hook_pre is the gate's side before the activation
 * and hook_pre_linear the other. */
static HlTensor *
mlp_forward (const HlMlp *mlp, HlRun *run, int stack, int layer, HlTensor *x)
{
  gboolean is_gated = mlp->gate.weight != NULL;
  g_autoptr (HlTensor) pre =
      hl_dense_forward (is_gated ? &mlp->gate : &mlp->up, run, x); /* (B, T, F) */
  pre = hl_run_site (run, HL_SITE_MLP_PRE, stack, layer, g_steal_pointer (&pre));
  g_autoptr (HlTensor) post = hl_activation (&run->exec, pre, mlp->activation);
  g_clear_pointer (&pre, hl_tensor_unref);
  if (is_gated)
    {
      g_autoptr (HlTensor) linear = hl_dense_forward (&mlp->up, run, x);
      linear = hl_run_site (run, HL_SITE_MLP_PRE_LINEAR, stack, layer,
                            g_steal_pointer (&linear));
      g_autoptr (HlTensor) opened = g_steal_pointer (&post);
      post = hl_multiply (&run->exec, opened, linear);
    }
  post = hl_run_site (run, HL_SITE_MLP_POST, stack, layer, g_steal_pointer (&post));
  return hl_dense_forward (&mlp->down, run, post);
}

/* What a half of a block made, as it is added to the stream. */
static HlTensor *
finish_half (
    const HlJoin *join, HlRun *run, HlSite site, int stack, int layer, HlTensor *out)
{
  g_autoptr (HlTensor) made = out;
  g_autoptr (HlTensor) normed = hl_norm_forward (&join->after, run, made);
  if (join->scale != NULL)
    {
      g_autoptr (HlTensor) scale = hl_param_get (join->scale, &run->exec); /* (D) */
      g_autoptr (HlTensor) wide =
          scale != NULL
              ? hl_tensor_view (scale, 0, HL_SHAPE (1, 1, scale->shape.dim[0]), NULL)
              : NULL;
      g_autoptr (HlTensor) plain = g_steal_pointer (&normed);
      normed = hl_multiply (&run->exec, plain, wide);
    }
  return hl_run_site (run, site, stack, layer, g_steal_pointer (&normed));
}

/* The half of a block that attends to an encoder. */
static HlTensor *
attend_across (const HlBlock *block, HlRun *run, int layer, HlTensor *x)
{
  int stack = block->cross_stack;
  if (x == NULL)
    return NULL;
  g_autoptr (HlTensor) normed = hl_norm_forward (&block->of_cross.before, run, x);
  g_autoptr (HlTensor) out =
      finish_half (&block->of_cross, run, HL_SITE_ATTN_OUT, stack, layer,
                   block->cross->forward (block->cross, run, stack, layer, normed));
  g_autoptr (HlTensor) sum =
      hl_run_site (run, HL_SITE_RESID_MID, stack, layer, hl_add (&run->exec, x, out));
  return hl_norm_forward (&block->of_cross.outer, run, sum);
}

HlTensor *
hl_block_forward (const HlBlock *block, HlRun *run, int stack, int layer, HlTensor *x)
{
  HlExec *exec = &run->exec;
  const HlJoin *first = &block->of_mixer, *second = &block->of_mlp;
  if (x == NULL)
    return NULL;
  g_autoptr (HlTensor) pre =
      hl_run_site (run, HL_SITE_RESID_PRE, stack, layer, hl_tensor_ref (x));
  g_autoptr (HlTensor) normed = hl_norm_forward (&first->before, run, pre);
  g_autoptr (HlTensor) attn_out =
      block->mixer->forward (block->mixer, run, stack, layer, normed);
  if (run->query_row >= 0)
    {
      g_autoptr (HlTensor) all = g_steal_pointer (&pre);
      pre = hl_slice (exec, all, run->query_row, 1); /* (B, 1, D) */
    }
  attn_out = finish_half (first, run, HL_SITE_ATTN_OUT, stack, layer,
                          g_steal_pointer (&attn_out));
  g_autoptr (HlTensor) sum = hl_add (exec, pre, attn_out);
  sum = hl_run_site (run, HL_SITE_RESID_MID, stack, layer, g_steal_pointer (&sum));
  g_autoptr (HlTensor) mid = hl_norm_forward (&first->outer, run, sum);
  if (block->cross != NULL)
    {
      g_autoptr (HlTensor) before = g_steal_pointer (&mid);
      mid = attend_across (block, run, layer, before);
    }
  g_autoptr (HlTensor) normed2 =
      hl_norm_forward (&second->before, run, block->is_parallel ? pre : mid);
  g_autoptr (HlTensor) mlp_out = mlp_forward (&block->mlp, run, stack, layer, normed2);
  mlp_out = finish_half (second, run, HL_SITE_MLP_OUT, stack, layer,
                         g_steal_pointer (&mlp_out));
  g_autoptr (HlTensor) post =
      hl_run_site (run, HL_SITE_RESID_POST, stack, layer, hl_add (exec, mid, mlp_out));
  if (second->outer.weight == NULL)
    return g_steal_pointer (&post);
  return hl_run_site (run, HL_SITE_NORMALIZED_RESID_POST, stack, layer,
                      hl_norm_forward (&second->outer, run, post));
}

/* A block of a run, for the tape to run again. */
typedef struct
{
  const HlBlock *block;
  HlRun *run;
  int stack, layer;
  gint64 query_row;
} Segment;

static HlTensor *
run_segment (HlTensor *x, gpointer data)
{
  const Segment *s = data;
  s->run->query_row = s->query_row;
  return hl_block_forward (s->block, s->run, s->stack, s->layer, x);
}

/* A cache grows as blocks come by, each of which then is to come by once. */
static HlTensor *
run_block (Segment *s, HlTensor *x)
{
  HlRun *run = s->run;
  if (!run->recomputes || run->exec.tape == NULL || run->cache != NULL)
    return run_segment (x, s);
  return hl_tape_segment (&run->exec, x, run_segment, g_memdup2 (s, sizeof *s), g_free);
}

HlTensor *
hl_blocks_forward (const HlBlock *blocks, int n, HlRun *run, int stack, HlTensor *x)
{
  g_autoptr (HlTensor) resid = x != NULL ? hl_tensor_ref (x) : NULL;
  gint64 only_row = stack == run->model->readout_stack ? run->only_row : -1;
  for (int l = stack == 0 ? run->start_block : 0; l < n; l++)
    {
      g_autofree char *what = g_strdup_printf ("block %d of %d", l, n);
      if (!hl_exec_step (&run->exec, (double) l / n, what))
        return NULL;
      g_autoptr (HlTensor) before = g_steal_pointer (&resid);
      Segment block = { &blocks[l], run, stack, l, l == n - 1 ? only_row : -1 };
      resid = run_block (&block, before);
    }
  return g_steal_pointer (&resid);
}

void
hl_blocks_free (HlBlock *blocks, int n)
{
  for (int l = 0; l < n && blocks != NULL; l++)
    {
      g_free (blocks[l].mixer);
      g_free (blocks[l].cross);
    }
  g_free (blocks);
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
  HlShape shape = dense->is_transposed ? HL_SHAPE (D, F) : HL_SHAPE (F, D);
  dense->weight = hl_weights_require (weights, name, shape, error);
  return dense->weight != NULL &&
         (!has_bias || load_vector (&dense->bias, weights, prefix, "bias", F, error));
}

gboolean
hl_norm_load (HlNorm *norm,
              HlWeights *weights,
              const char *prefix,
              gint64 D,
              double eps,
              GError **error)
{
  /* Files that came from TensorFlow call them gamma and beta. */
  g_autofree char *old = g_strconcat (prefix, ".gamma", NULL);
  gboolean is_old = !norm->is_rms && hl_weights_has (weights, old);
  norm->eps = eps;
  return load_vector (&norm->weight, weights, prefix, is_old ? "gamma" : "weight", D,
                      error) &&
         (norm->is_rms ||
          load_vector (&norm->bias, weights, prefix, is_old ? "beta" : "bias", D, error));
}
