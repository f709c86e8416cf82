/* SPDX-License-Identifier: MIT
 * Reverse mode over the op table: the tape. */
#include "ops/hl-tape.h"

/* The gradient of a storage, laid out as @root, the tensor that fills it. */
typedef struct
{
  HlTensor *root;
  HlTensor *grad; /* (nullable): nothing came back to it yet */
  gboolean is_watched;
} Node;

static void
node_free (gpointer data)
{
  Node *node = data;
  hl_tensor_unref (node->root);
  hl_tensor_unref (node->grad);
  g_free (node);
}

struct _HlTapeSegment
{
  HlExec *exec;
  HlSegmentFunc func;
  gpointer data;
  GDestroyNotify destroy;
};

static void
segment_free (HlTapeSegment *segment)
{
  if (segment == NULL)
    return;
  if (segment->destroy != NULL)
    segment->destroy (segment->data);
  g_free (segment);
}

static void
record_free (gpointer data)
{
  HlTapeRecord *record = data;
  segment_free (record->segment);
  for (int i = 0; i < HL_OP_MAX_IN; i++)
    hl_tensor_unref (record->call.in[i]);
  for (int i = 0; i < HL_OP_MAX_OUT; i++)
    hl_tensor_unref (record->call.out[i]);
  g_free (record);
}

HlTape *
hl_tape_new (void)
{
  HlTape *tape = g_new0 (HlTape, 1);
  tape->records = g_ptr_array_new_with_free_func (record_free);
  tape->nodes = g_hash_table_new_full (NULL, NULL, NULL, node_free);
  return tape;
}

void
hl_tape_free (HlTape *tape)
{
  if (tape == NULL)
    return;
  g_ptr_array_unref (tape->records);
  g_hash_table_unref (tape->nodes);
  g_free (tape);
}

static Node *
node_of (const HlTape *tape, const HlTensor *x)
{
  return x != NULL ? g_hash_table_lookup (tape->nodes, x->storage) : NULL;
}

static Node *
add_node (HlTape *tape, HlTensor *root)
{
  Node *node = node_of (tape, root);
  if (node != NULL)
    return node;
  node = g_new0 (Node, 1);
  node->root = hl_tensor_ref (root);
  g_hash_table_insert (tape->nodes, root->storage, node);
  return node;
}

void
hl_tape_watch (HlTape *tape, HlTensor *x)
{
  if (tape->is_in_segment)
    {
      tape->segment_depends = TRUE;
      return;
    }
  g_return_if_fail (node_of (tape, x) != NULL || hl_tensor_is_contiguous (x));
  add_node (tape, x)->is_watched = TRUE;
}

gboolean
hl_tape_depends (const HlTape *tape, const HlTensor *x)
{
  return node_of (tape, x) != NULL;
}

static HlTapeRecord *
write_down (HlTape *tape, const HlOpCall *call)
{
  HlTapeRecord *record = g_new0 (HlTapeRecord, 1);
  record->call = *call;
  for (int i = 0; i < HL_OP_MAX_IN; i++)
    if (call->in[i] != NULL)
      hl_tensor_ref (call->in[i]);
  for (int i = 0; i < HL_OP_MAX_OUT; i++)
    if (call->out[i] != NULL)
      hl_tensor_ref (call->out[i]);
  g_ptr_array_add (tape->records, record);
  add_node (tape, call->out[0]);
  return record;
}

/* Whether @call is to be written down now. */
static gboolean
is_wanted (HlTape *tape, const HlOpCall *call)
{
  gboolean depends = FALSE;
  for (int i = 0; i < HL_OP_MAX_IN; i++)
    depends = depends || hl_tape_depends (tape, call->in[i]);
  tape->segment_depends = tape->segment_depends || depends;
  return depends && !tape->is_in_segment;
}

void
hl_tape_record (HlTape *tape, const HlOpCall *call)
{
  if (is_wanted (tape, call))
    write_down (tape, call);
}

void
hl_tape_record_copy (HlTape *tape, HlTensor *x, HlTensor *copy)
{
  const HlOpCall call = { .in = { x }, .out = { copy } };
  if (x->storage != copy->storage && is_wanted (tape, &call))
    write_down (tape, &call)->is_copy = TRUE;
}

/* What is in a segment reads what is watched outside of it directly, or something that it
 * watches itself: so much is known without a word on what lies between. */
HlTensor *
hl_tape_segment (HlExec *exec,
                 HlTensor *x,
                 HlSegmentFunc func,
                 gpointer user_data,
                 GDestroyNotify destroy)
{
  HlTape *tape = exec->tape;
  gboolean outer = tape->is_in_segment, outer_depends = tape->segment_depends;
  HlTapeSegment *segment = g_new (HlTapeSegment, 1);
  *segment = (HlTapeSegment){ exec, func, user_data, destroy };
  tape->is_in_segment = TRUE;
  tape->segment_depends = FALSE;
  HlTensor *y = func (x, user_data);
  gboolean depends = tape->segment_depends;
  tape->is_in_segment = outer;
  tape->segment_depends = outer_depends || depends;
  /* What has a gradient already was not made here, but handed through. */
  if (y != NULL && depends && !outer && !hl_tape_depends (tape, y))
    {
      const HlOpCall call = { .in = { x }, .out = { y } };
      write_down (tape, &call)->segment = g_steal_pointer (&segment);
    }
  segment_free (segment);
  return y;
}

/* ---- gradients -----------------------------------------------------------------------
 */

/* Where @x lies in its root, in the root's gradient. */
static HlTensor *
view_of_grad (const Node *node, const HlTensor *x)
{
  gint64 bytes = (const guint8 *) x->data - (const guint8 *) node->root->data;
  return hl_tensor_view (node->grad, bytes / (gint64) hl_dtype_size (x->dtype), x->shape,
                         x->stride);
}

static gboolean
make_grad (Node *node, HlExec *exec)
{
  if (node->grad != NULL)
    return TRUE;
  node->grad = hl_backend_new_zeros (exec->backend, node->root->shape, &exec->error);
  return node->grad != NULL;
}

/* The first gradient that comes to a value as a whole is kept as it is: no zeros are
 * written and added to. */
static gboolean
adopt (Node *node, const HlTensor *x, HlTensor *g)
{
  if (node->grad != NULL || x->data != node->root->data ||
      hl_tensor_count (x) != hl_tensor_count (node->root) ||
      !hl_tensor_is_contiguous (x) || !hl_tensor_is_contiguous (g) ||
      !hl_shape_equal (&x->shape, &g->shape) || x->dtype != g->dtype ||
      !hl_tensor_is_sole (g))
    return FALSE;
  node->grad = hl_tensor_view (g, 0, node->root->shape, NULL);
  return TRUE;
}

void
hl_tape_add (HlTape *tape, HlExec *exec, const HlTensor *x, HlTensor *g)
{
  g_autoptr (HlTensor) given = g;
  Node *node = node_of (tape, x);
  if (given == NULL || node == NULL || !hl_exec_ok (exec) || adopt (node, x, given) ||
      !make_grad (node, exec))
    return;
  g_autoptr (HlTensor) into = view_of_grad (node, x);
  hl_backend_accumulate (exec->backend, into, given, &exec->error);
}

/* The segment is written down once more, op by op. A result that it did not make but
 * found has its gradient already. */
static void
run_again (HlTape *tape, HlExec *exec, const HlTapeRecord *record, HlTensor *dy)
{
  const HlTapeSegment *segment = record->segment;
  g_return_if_fail (segment->exec == exec);
  exec->tape = tape;
  g_autoptr (HlTensor) y = segment->func (record->call.in[0], segment->data);
  exec->tape = NULL;
  if (y != NULL && y->storage != record->call.out[0]->storage)
    hl_tape_add (tape, exec, y, hl_tensor_ref (dy));
}

/* Behind the op that made it, a value on the way and its gradient have served: everything
 * that looked into it came later on the tape. */
static void
go_back (HlTape *tape, HlExec *exec, const HlTapeRecord *record)
{
  HlTensor *y = record->call.out[0];
  Node *node = node_of (tape, y);
  if (node == NULL)
    return;
  if (node->grad != NULL)
    {
      g_autoptr (HlTensor) dy = view_of_grad (node, y);
      if (record->segment != NULL)
        run_again (tape, exec, record, dy);
      else
        hl_tape_apply (tape, exec, record, dy);
    }
  if (!node->is_watched)
    g_hash_table_remove (tape->nodes, y->storage);
}

gboolean
hl_tape_backward (HlTape *tape, HlExec *exec, HlTensor *y, HlTensor *seed)
{
  HlTape *before = exec->tape;
  exec->tape = NULL;
  hl_tape_add (tape, exec, y, hl_exec_upload (exec, seed));
  while (tape->records->len > 0 && hl_exec_ok (exec))
    {
      HlTapeRecord *record =
          g_ptr_array_steal_index (tape->records, tape->records->len - 1);
      go_back (tape, exec, record);
      record_free (record);
    }
  exec->tape = before;
  return hl_exec_ok (exec);
}

HlTensor *
hl_tape_get_grad (const HlTape *tape, const HlTensor *x)
{
  const Node *node = node_of (tape, x);
  return node != NULL && node->grad != NULL ? view_of_grad (node, x) : NULL;
}
