/* SPDX-License-Identifier: MIT
 * Reverse mode over the op table: what was run on the way to a result is written down,
 * and gradients go back along it.
 *
 * A gradient belongs to a storage, not to a tensor: views (a head of a joint product,
 * tokens of a sequence) read and add to the gradient of what they look into, so that no
 * view is an op. Only ops whose inputs depend on something watched are written down.
 *
 * A segment is a part of a pass of which the tape keeps what goes in and what comes out,
 * and nothing between: on the way back it is run again, and its ops then stand on the
 * tape in its place. They are gone before the segment below is run again.
 *
 * Thread: the one that owns the backend. */
#pragma once

#include "ops/hl-exec.h"

G_BEGIN_DECLS

/**
 * HlTape:
 * @records: of HlTapeRecord *
 * @nodes: HlStorage * to its gradient
 * @is_in_segment: a segment is run for the first time: nothing is written down, only
 *   @segment_depends, that something would have been
 */
struct _HlTape
{
  GPtrArray *records;
  GHashTable *nodes;
  gboolean is_in_segment;
  gboolean segment_depends;
};

typedef struct _HlTapeSegment HlTapeSegment;

/** HlTapeRecord: an op that was run, with references to all it read and made.
 * @is_copy: no op: out[0] is in[0] made contiguous
 * @segment: (nullable): no op: out[0] is what the segment makes of in[0] */
typedef struct
{
  HlOpCall call;
  gboolean is_copy;
  HlTapeSegment *segment;
} HlTapeRecord;

/** hl_tape_new: (transfer full): set it as an exec's tape; the exec borrows it. */
HlTape *hl_tape_new (void);
void hl_tape_free (HlTape *tape);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlTape, hl_tape_free)

/**
 * hl_tape_watch:
 * @x: contiguous, of the backend's dtype: an input, a weight, gates, or a value on the
 *   way; before what depends on it is run, or at once after it was made
 * Its gradient is wanted, and kept. In a segment that is run for the first time this only
 * says that the segment is to be run again: what is made then in place of @x is to be
 * watched. What goes into a segment and has a gradient only by this counts from there on.
 */
void hl_tape_watch (HlTape *tape, HlTensor *x);

/** hl_tape_depends: @x, or what it looks into, depends on something watched. */
gboolean hl_tape_depends (const HlTape *tape, const HlTensor *x);

/** hl_tape_record, hl_tape_record_copy: what an exec does after an op. */
void hl_tape_record (HlTape *tape, const HlOpCall *call);
void hl_tape_record_copy (HlTape *tape, HlTensor *x, HlTensor *copy);

/**
 * HlSegmentFunc: makes a contiguous tensor of @x (nullable, after a failure) with ops of
 * the exec that the segment was given to; may read other tensors, watched or not, that
 * live as long as @user_data. Called once more in hl_tape_backward(), where something
 * came back to its result: the same numbers are to come of it.
 *
 * Returns: (transfer full) (nullable)
 */
typedef HlTensor *(*HlSegmentFunc) (HlTensor *x, gpointer user_data);

/**
 * hl_tape_segment:
 * @exec: with a tape
 * @x: (nullable): NULL after a failure
 * @user_data: (transfer full): goes with @destroy when the tape has no more use for it,
 *   which may be at once, and is when the tape is freed at the latest
 * Runs @func, and writes it down as one entry where it reads or watches something that a
 * gradient is wanted of.
 * Returns: (transfer full) (nullable): what @func made
 */
HlTensor *hl_tape_segment (HlExec *exec,
                           HlTensor *x,
                           HlSegmentFunc func,
                           gpointer user_data,
                           GDestroyNotify destroy);

/**
 * hl_tape_backward:
 * @exec: of the same backend, and the one that segments were given to; nothing is written
 *   down meanwhile but the ops of a segment that is run again
 * @y: what is differentiated; its gradient with respect to itself is @seed, of the same
 *   shape: a weighted sum of y's numbers is what is explained
 * Goes back along the tape and forgets it; gradients of what was watched stay.
 * Returns: FALSE with the failure stuck to @exec (UNSUPPORTED for an op that has no
 *   gradient)
 */
gboolean hl_tape_backward (HlTape *tape, HlExec *exec, HlTensor *y, HlTensor *seed);

/** hl_tape_get_grad: (transfer full) (nullable): of something watched, in its shape;
 * NULL where nothing came back to it. */
HlTensor *hl_tape_get_grad (const HlTape *tape, const HlTensor *x);

/* ---- for the rules -------------------------------------------------------------------
 */

/** hl_tape_add: adds @g (transfer full) (nullable) to the gradient of @x, where @x is 1
 * in a dimension the sum over it. Nothing where @x does not depend on anything watched.
 */
void hl_tape_add (HlTape *tape, HlExec *exec, const HlTensor *x, HlTensor *g);

/** hl_tape_apply: hands the gradient @dy of a record's first result to its inputs. */
void hl_tape_apply (HlTape *tape, HlExec *exec, const HlTapeRecord *record, HlTensor *dy);

G_END_DECLS
