/* SPDX-License-Identifier: MIT
 * Reverse mode over the op table: what was run on the way to a result is written down,
 * and gradients go back along it.
 *
 * A gradient belongs to a storage, not to a tensor: views (a head of a joint product,
 * tokens of a sequence) read and add to the gradient of what they look into, so that no
 * view is an op. Only ops whose inputs depend on something watched are written down.
 * Thread: the one that owns the backend. */
#pragma once

#include "ops/hl-exec.h"

G_BEGIN_DECLS

struct _HlTape
{
  GPtrArray *records; /* of HlTapeRecord * */
  GHashTable *nodes;  /* HlStorage * to its gradient */
};

/** HlTapeRecord: an op that was run, with references to all it read and made.
 * @is_copy: no op: out[0] is in[0] made contiguous. */
typedef struct
{
  HlOpCall call;
  gboolean is_copy;
} HlTapeRecord;

/** hl_tape_new: (transfer full): set it as an exec's tape; the exec borrows it. */
HlTape *hl_tape_new (void);
void hl_tape_free (HlTape *tape);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlTape, hl_tape_free)

/**
 * hl_tape_watch:
 * @x: contiguous, of the backend's dtype: an input, a weight, gates, or a value on the
 *   way; before what depends on it is run, or at once after it was made
 * Its gradient is wanted, and kept.
 */
void hl_tape_watch (HlTape *tape, HlTensor *x);

/** hl_tape_depends: @x, or what it looks into, depends on something watched. */
gboolean hl_tape_depends (const HlTape *tape, const HlTensor *x);

/** hl_tape_record, hl_tape_record_copy: what an exec does after an op. */
void hl_tape_record (HlTape *tape, const HlOpCall *call);
void hl_tape_record_copy (HlTape *tape, HlTensor *x, HlTensor *copy);

/**
 * hl_tape_backward:
 * @exec: of the same backend; nothing is written down meanwhile
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
