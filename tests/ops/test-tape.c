/* SPDX-License-Identifier: MIT
 * The tape on a graph that no model has whole: every input is watched, and each of their
 * numbers is compared with a central difference in double. */
#include "backend/cpu/hl-cpu.h"
#include "base/hl-error.h"
#include "ops/hl-tape.h"

#include <math.h>

#define STEP 1e-5

enum
{
  PIXELS,
  PATCH_WEIGHT,
  PATCH_BIAS,
  CLS,
  POSITIONS,
  NORM_WEIGHT,
  NORM_BIAS,
  RMS_WEIGHT,
  SCALES,
  REPLACEMENT,
  GATES,
  OUT_WEIGHT,
  OUT_BIAS,
  N_LEAVES,
};

typedef struct _Graph Graph;

/* How often segments were run, and how many the tape let go of. */
typedef struct
{
  int n_run;
  int n_freed;
} Calls;

/* @forward: makes what has the shape of @seed of the leaves. */
struct _Graph
{
  HlTensor *(*forward) (const Graph *g, HlExec *x);
  HlBackend *backend;
  HlTensor *leaves[N_LEAVES];
  int n_leaves;
  HlTensor *mask;
  HlTensor *seed;
  Calls *calls;
};

static HlTensor *
numbers (GRand *rand, HlShape shape)
{
  HlTensor *t = hl_tensor_new (HL_DTYPE_F64, shape, NULL);
  for (gint64 i = 0; i < hl_tensor_count (t); i++)
    ((double *) t->data)[i] = g_rand_double_range (rand, -1, 1);
  return t;
}

static HlTensor *forward (const Graph *g, HlExec *x);

static void
graph_begin (Graph *g, GRand *rand, const HlShape *shapes, int n)
{
  *g = (Graph){ .backend = hl_cpu_backend_new (HL_DTYPE_F64, 1), .n_leaves = n };
  for (int i = 0; i < n; i++)
    g->leaves[i] = numbers (rand, shapes[i]);
}

static void
graph_init (Graph *g)
{
  const HlShape shapes[N_LEAVES] = {
    [PIXELS] = HL_SHAPE (2, 3, 4, 6), [PATCH_WEIGHT] = HL_SHAPE (6, 12),
    [PATCH_BIAS] = HL_SHAPE (6),      [CLS] = HL_SHAPE (1, 1, 6),
    [POSITIONS] = HL_SHAPE (1, 7, 6), [NORM_WEIGHT] = HL_SHAPE (6),
    [NORM_BIAS] = HL_SHAPE (6),       [RMS_WEIGHT] = HL_SHAPE (6),
    [SCALES] = HL_SHAPE (1, 1, 6),    [REPLACEMENT] = HL_SHAPE (1, 7, 6),
    [GATES] = HL_SHAPE (1, 2),        [OUT_WEIGHT] = HL_SHAPE (6, 5),
    [OUT_BIAS] = HL_SHAPE (5),
  };
  g_autoptr (GRand) rand = g_rand_new_with_seed (7);
  graph_begin (g, rand, shapes, N_LEAVES);
  g->forward = forward;
  g->mask = numbers (rand, HL_SHAPE (1, 7, 1));
  g->seed = numbers (rand, HL_SHAPE (2, 3, 5));
}

static void
graph_clear (Graph *g)
{
  for (int i = 0; i < g->n_leaves; i++)
    hl_tensor_unref (g->leaves[i]);
  g_clear_pointer (&g->mask, hl_tensor_unref);
  hl_tensor_unref (g->seed);
  hl_backend_unref (g->backend);
}

/* (2, 3, 5): a view, heads turned and copied, is gone on with. */
static HlTensor *
forward (const Graph *g, HlExec *x)
{
  HlTensor *const *in = g->leaves;
  g_autoptr (HlTensor) rows = hl_patchify (x, in[PIXELS], 2, 2); /* (2, 6, 12) */
  g_autoptr (HlTensor) patches =
      hl_linear (x, rows, in[PATCH_WEIGHT], in[PATCH_BIAS]); /* (2, 6, 6) */
  g_autoptr (HlTensor) tokens = hl_concat (x, in[CLS], patches);
  g_autoptr (HlTensor) placed = hl_add (x, tokens, in[POSITIONS]);
  g_autoptr (HlTensor) normed =
      hl_layer_norm (x, placed, in[NORM_WEIGHT], in[NORM_BIAS], 1e-3);
  g_autoptr (HlTensor) squared = hl_rms_norm (x, placed, in[RMS_WEIGHT], 1e-3);
  g_autoptr (HlTensor) both = hl_add (x, normed, squared);
  g_autoptr (HlTensor) scaled = hl_multiply (x, both, in[SCALES]);
  g_autoptr (HlTensor) blended = hl_blend (x, scaled, g->mask, in[REPLACEMENT]);
  g_autoptr (HlTensor) part = hl_slice (x, blended, 2, 3); /* (2, 3, 6) */
  g_autoptr (HlTensor) by_head = hl_tensor_view (part, 0, HL_SHAPE (2, 3, 2, 3), NULL);
  g_autoptr (HlTensor) gated = hl_gate (x, by_head, in[GATES]);
  g_autoptr (HlTensor) first = hl_heads_first (x, gated); /* (2, 2, 3, 3) */
  g_autoptr (HlTensor) copied = hl_exec_contiguous (x, first);
  g_autoptr (HlTensor) back = hl_heads_first (x, copied);
  g_autoptr (HlTensor) dense = hl_exec_contiguous (x, back);
  g_autoptr (HlTensor) joined = hl_join_heads (x, dense);
  g_autoptr (HlTensor) bent = hl_activation (x, joined, HL_ACTIVATION_SILU);
  return hl_linear_transposed (x, bent, in[OUT_WEIGHT], in[OUT_BIAS]);
}

static double
explained (const Graph *g)
{
  HlExec exec;
  double sum = 0;
  hl_exec_init (&exec, g->backend, NULL);
  g_autoptr (HlTensor) y = g->forward (g, &exec);
  g_assert_no_error (exec.error);
  for (gint64 i = 0; i < hl_tensor_count (y); i++)
    sum += ((double *) y->data)[i] * ((double *) g->seed->data)[i];
  hl_exec_clear (&exec);
  return sum;
}

static void
compare (const Graph *g, int leaf, HlTensor *grad)
{
  double *x = g->leaves[leaf]->data;
  g_assert_nonnull (grad);
  g_assert_true (hl_shape_equal (&grad->shape, &g->leaves[leaf]->shape));
  for (gint64 i = 0; i < hl_tensor_count (grad); i++)
    {
      double before = x[i];
      x[i] = before + STEP;
      double above = explained (g);
      x[i] = before - STEP;
      double below = explained (g);
      x[i] = before;
      double wanted = (above - below) / (2 * STEP);
      if (!(fabs (((double *) grad->data)[i] - wanted) <= 1e-7 * (1 + fabs (wanted))))
        g_error ("leaf %d, number %d: %g expected, %g found", leaf, (int) i, wanted,
                 ((double *) grad->data)[i]);
    }
}

static void
check_graph (Graph *g)
{
  HlExec exec;
  hl_exec_init (&exec, g->backend, NULL);
  g_autoptr (HlTape) tape = hl_tape_new ();
  exec.tape = tape;
  for (int i = 0; i < g->n_leaves; i++)
    hl_tape_watch (tape, g->leaves[i]);
  g_autoptr (HlTensor) y = g->forward (g, &exec);
  g_assert_true (hl_tape_backward (tape, &exec, y, g->seed));
  g_assert_cmpuint (tape->records->len, ==, 0);
  for (int i = 0; i < g->n_leaves; i++)
    {
      g_autoptr (HlTensor) grad = hl_tape_get_grad (tape, g->leaves[i]);
      compare (g, i, grad);
    }
  /* Only what was watched is left. */
  g_assert_cmpint (g_hash_table_size (tape->nodes), ==, g->n_leaves);
  hl_exec_clear (&exec);
  graph_clear (g);
}

static void
test_graph (void)
{
  Graph g;
  graph_init (&g);
  check_graph (&g);
}

/* A convolution, and one transposed back to the size of the picture. */
static HlTensor *
convolve (const Graph *g, HlExec *x)
{
  HlTensor *const *in = g->leaves;
  g_autoptr (HlTensor) rows = hl_unfold (x, in[0], 3, 2, 1); /* (2, 3 * 4, 18) */
  g_autoptr (HlTensor) y = hl_linear (x, rows, in[1], NULL);
  g_autoptr (HlTensor) bent = hl_activation (x, y, HL_ACTIVATION_SILU);
  g_autoptr (HlTensor) wide = hl_linear (x, bent, in[2], NULL);
  g_autoptr (HlTensor) back = hl_fold (x, wide, in[0], 3, 2, 1);
  return hl_add (x, back, in[3]);
}

static void
test_convolution (void)
{
  Graph g;
  const HlShape shapes[] = { HL_SHAPE (2, 5, 7, 2), HL_SHAPE (3, 18), HL_SHAPE (18, 3),
                             HL_SHAPE (1, 1, 1, 2) };
  g_autoptr (GRand) rand = g_rand_new_with_seed (8);
  graph_begin (&g, rand, shapes, G_N_ELEMENTS (shapes));
  g.forward = convolve;
  g.seed = numbers (rand, shapes[0]);
  check_graph (&g);
}

/* What depends on nothing watched is not written down; a value on the way can be. */
static void
test_watch (void)
{
  Graph g;
  HlExec exec;
  graph_init (&g);
  hl_exec_init (&exec, g.backend, NULL);
  g_autoptr (HlTape) tape = hl_tape_new ();
  exec.tape = tape;
  g_autoptr (HlTensor) plain = hl_add (&exec, g.leaves[CLS], g.leaves[SCALES]);
  g_assert_cmpuint (tape->records->len, ==, 0);
  hl_tape_watch (tape, plain);
  g_autoptr (HlTensor) twice = hl_add (&exec, plain, plain);
  g_autoptr (HlTensor) square = hl_multiply (&exec, twice, twice);
  g_assert_true (hl_tape_depends (tape, square));
  g_assert_false (hl_tape_depends (tape, g.leaves[CLS]));
  g_assert_null (hl_tape_get_grad (tape, plain));
  g_autoptr (HlTensor) seed = hl_tensor_new (HL_DTYPE_F64, square->shape, NULL);
  for (int i = 0; i < 6; i++)
    ((double *) seed->data)[i] = i;
  g_assert_true (hl_tape_backward (tape, &exec, square, seed));
  g_autoptr (HlTensor) grad = hl_tape_get_grad (tape, plain);
  for (int i = 0; i < 6; i++) /* of (2 x)^2 */
    g_assert_cmpfloat_with_epsilon (((double *) grad->data)[i],
                                    8 * ((double *) plain->data)[i] * i, 1e-12);
  hl_exec_clear (&exec);
  graph_clear (&g);
}

static void
test_refused (void)
{
  Graph g;
  HlExec exec;
  graph_init (&g);
  hl_exec_init (&exec, g.backend, NULL);
  g_autoptr (HlTape) tape = hl_tape_new ();
  exec.tape = tape;
  hl_tape_watch (tape, g.mask);
  g_autoptr (HlTensor) y = hl_blend (&exec, g.leaves[REPLACEMENT], g.mask, NULL);
  g_assert_false (hl_tape_backward (tape, &exec, y, g.leaves[REPLACEMENT]));
  g_assert_error (exec.error, HL_ERROR, HL_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (exec.error->message, "blend"));
  hl_exec_clear (&exec);
  graph_clear (&g);
}

/* ---- segments ------------------------------------------------------------------------
 */

/* A part of a graph. */
typedef struct
{
  const Graph *graph;
  HlExec *exec;
  HlTensor *(*func) (const Graph *g, HlExec *x, HlTensor *in);
} Part;

static HlTensor *
run_part (HlTensor *x, gpointer data)
{
  const Part *part = data;
  part->graph->calls->n_run++;
  return part->func (part->graph, part->exec, x);
}

static void
free_part (gpointer data)
{
  ((Part *) data)->graph->calls->n_freed++;
  g_free (data);
}

static HlTensor *
in_segment (const Graph *g,
            HlExec *x,
            HlTensor *in,
            HlTensor *(*func) (const Graph *g, HlExec *x, HlTensor *in))
{
  const Part part = { g, x, func };
  if (x->tape == NULL)
    return func (g, x, in);
  return hl_tape_segment (x, in, run_part, g_memdup2 (&part, sizeof part), free_part);
}

static HlTensor *
bend (const Graph *g, HlExec *x, HlTensor *in)
{
  return hl_activation (x, in, HL_ACTIVATION_SILU);
}

/* What is watched outside is read inside, by an op and by a segment in the segment. */
static HlTensor *
scale_and_bend (const Graph *g, HlExec *x, HlTensor *in)
{
  g_autoptr (HlTensor) normed =
      hl_layer_norm (x, in, g->leaves[NORM_WEIGHT], g->leaves[NORM_BIAS], 1e-3);
  g_autoptr (HlTensor) scaled = hl_multiply (x, normed, g->leaves[SCALES]);
  g_autoptr (HlTensor) bent = in_segment (g, x, scaled, bend);
  return hl_add (x, bent, in);
}

static HlTensor *
hand_through (const Graph *g, HlExec *x, HlTensor *in)
{
  g_autoptr (HlTensor) unused = hl_add (x, in, in);
  return hl_tensor_ref (in);
}

/* (2, 3, 5), of some of the leaves; the sum of two segments of one tensor. */
static HlTensor *
forward_in_segments (const Graph *g, HlExec *x)
{
  HlTensor *const *in = g->leaves;
  g_autoptr (HlTensor) tokens = hl_add (x, in[POSITIONS], in[REPLACEMENT]);
  g_autoptr (HlTensor) first = in_segment (g, x, tokens, scale_and_bend);
  g_autoptr (HlTensor) same = in_segment (g, x, first, hand_through);
  g_autoptr (HlTensor) second = in_segment (g, x, same, scale_and_bend);
  g_autoptr (HlTensor) other = in_segment (g, x, same, bend);
  g_autoptr (HlTensor) both = hl_add (x, second, other);
  g_autoptr (HlTensor) part = hl_slice (x, both, 2, 3); /* (1, 3, 6) */
  return hl_linear_transposed (x, part, in[OUT_WEIGHT], in[OUT_BIAS]);
}

static void
test_segments (void)
{
  static const int used[] = { POSITIONS, REPLACEMENT, NORM_WEIGHT, NORM_BIAS,
                              SCALES,    OUT_WEIGHT,  OUT_BIAS };
  Graph g;
  HlExec exec;
  Calls calls = { 0 };
  graph_init (&g);
  g.forward = forward_in_segments;
  g.calls = &calls;
  hl_tensor_unref (g.seed);
  g_autoptr (GRand) rand = g_rand_new_with_seed (9);
  g.seed = numbers (rand, HL_SHAPE (1, 3, 5));
  hl_exec_init (&exec, g.backend, NULL);
  g_autoptr (HlTape) tape = hl_tape_new ();
  exec.tape = tape;
  for (guint i = 0; i < G_N_ELEMENTS (used); i++)
    hl_tape_watch (tape, g.leaves[used[i]]);
  g_autoptr (HlTensor) y = forward_in_segments (&g, &exec);
  /* Four ops, and the three segments that made something. */
  g_assert_cmpuint (tape->records->len, ==, 4 + 3);
  g_assert_cmpint (calls.n_run, ==, 2 * 2 + 2);
  g_assert_true (hl_tape_backward (tape, &exec, y, g.seed));
  /* A segment in one that is run again is run with it, and again by itself. */
  g_assert_cmpint (calls.n_run, ==, (2 * 2 + 2) + 2 * 3 + 1);
  g_assert_cmpint (calls.n_freed, ==, (2 * 2 + 2) + 2);
  g_assert_cmpuint (tape->records->len, ==, 0);
  g_assert_cmpint (g_hash_table_size (tape->nodes), ==, G_N_ELEMENTS (used));
  for (guint i = 0; i < G_N_ELEMENTS (used); i++)
    {
      g_autoptr (HlTensor) grad = hl_tape_get_grad (tape, g.leaves[used[i]]);
      compare (&g, used[i], grad);
    }
  hl_exec_clear (&exec);
  graph_clear (&g);
}

/* A tape that is freed without the way back lets go of its segments. What nobody asks
 * for is not run again. */
static void
test_segments_freed (void)
{
  Graph g;
  HlExec exec;
  Calls calls = { 0 };
  graph_init (&g);
  g.calls = &calls;
  hl_exec_init (&exec, g.backend, NULL);
  g_autoptr (HlTape) tape = hl_tape_new ();
  exec.tape = tape;
  g_autoptr (HlTensor) plain = in_segment (&g, &exec, g.leaves[CLS], bend);
  g_assert_cmpuint (tape->records->len, ==, 0);
  g_assert_cmpint (calls.n_freed, ==, 1);
  hl_tape_watch (tape, g.leaves[CLS]);
  g_autoptr (HlTensor) unused = in_segment (&g, &exec, g.leaves[CLS], bend);
  g_autoptr (HlTensor) bent = in_segment (&g, &exec, g.leaves[CLS], bend);
  g_assert_cmpuint (tape->records->len, ==, 2);
  g_assert_true (hl_tape_backward (tape, &exec, bent, g.leaves[CLS]));
  g_assert_cmpint (calls.n_run, ==, 3 + 1);
  g_assert_cmpint (calls.n_freed, ==, 3);
  g_autoptr (HlTensor) once_more = in_segment (&g, &exec, g.leaves[CLS], bend);
  g_clear_pointer (&tape, hl_tape_free);
  g_assert_cmpint (calls.n_freed, ==, 4);
  hl_exec_clear (&exec);
  graph_clear (&g);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tape/graph", test_graph);
  g_test_add_func ("/tape/convolution", test_convolution);
  g_test_add_func ("/tape/watch", test_watch);
  g_test_add_func ("/tape/segments", test_segments);
  g_test_add_func ("/tape/segments-freed", test_segments_freed);
  g_test_add_func ("/tape/refused", test_refused);
  return g_test_run ();
}
