/* SPDX-License-Identifier: MIT
 * Where a forward pass is written against: one function an op. The first failure sticks;
 * from then on every op returns NULL at once, so that a pass reads straight through and
 * is checked once at its end. An op takes its inputs (transfer none), NULL among them
 * only after a failure or where an input is optional, and returns (transfer full).
 * Thread: the one that owns the backend. */
#pragma once

#include "backend/hl-backend.h"
#include "base/hl-progress.h"

G_BEGIN_DECLS

typedef struct _HlTape HlTape;

/**
 * HlExec:
 * @progress: (nullable): its cancellable is looked at between and inside ops
 * @error: the failure that stuck
 * @n_ops, @flops: what was run so far
 * @tape: (nullable): borrowed: what is run is written down there (hl-tape.h)
 */
typedef struct
{
  HlBackend *backend;
  const HlProgress *progress;
  GError *error;
  gint64 n_ops;
  double flops;
  HlTape *tape;
} HlExec;

/** hl_exec_init: takes a reference to @backend; @progress must outlive the exec. */
void hl_exec_init (HlExec *exec, HlBackend *backend, const HlProgress *progress);
void hl_exec_clear (HlExec *exec);

/** hl_exec_ok: FALSE once something failed. */
gboolean hl_exec_ok (const HlExec *exec);

/** hl_exec_fail: sticks @error (transfer full) unless one sticks already. */
void hl_exec_fail (HlExec *exec, GError *error);

/** hl_exec_step: reports progress and checks for cancelling; FALSE sticks. */
gboolean hl_exec_step (HlExec *exec, double fraction, const char *what);

/** hl_exec_upload: (transfer full) (nullable): a tensor of any float type in the
 * backend's memory and type; @host itself where nothing needs to change. */
HlTensor *hl_exec_upload (HlExec *exec, HlTensor *host);

/** hl_exec_run: any op; @second (nullable): (out): where the second result is wanted. */
HlTensor *hl_exec_run (HlExec *exec, HlOpCall *call, HlTensor **second);

/** hl_exec_contiguous: @x itself, or a strided view copied. */
HlTensor *hl_exec_contiguous (HlExec *exec, HlTensor *x);

HlTensor *hl_linear (HlExec *exec, HlTensor *x, HlTensor *w, HlTensor *b);
/** hl_linear_transposed: @w is (D, F). */
HlTensor *hl_linear_transposed (HlExec *exec, HlTensor *x, HlTensor *w, HlTensor *b);
HlTensor *hl_rms_norm (HlExec *exec, HlTensor *x, HlTensor *g, double eps);
HlTensor *hl_rope (HlExec *exec,
                   HlTensor *x,
                   HlTensor *cosines,
                   HlTensor *sines,
                   gboolean is_interleaved);
HlTensor *hl_layer_norm (HlExec *exec, HlTensor *x, HlTensor *g, HlTensor *b, double eps);
HlTensor *hl_activation (HlExec *exec, HlTensor *x, HlActivation activation);
HlTensor *hl_add (HlExec *exec, HlTensor *a, HlTensor *b);
HlTensor *hl_multiply (HlExec *exec, HlTensor *a, HlTensor *b);
HlTensor *hl_scores (HlExec *exec, HlTensor *q, HlTensor *k, const HlMapRule *rule);
/** hl_softmax, hl_mix: with @rule (nullable) what it forbids is left out: scores are not
 * looked at and give 0, entries of a pattern are known to be 0. */
HlTensor *
hl_softmax (HlExec *exec, HlTensor *scores, const HlMapRule *rule, HlTensor **lse);
HlTensor *hl_mix (HlExec *exec, HlTensor *pattern, HlTensor *v, const HlMapRule *rule);
HlTensor *hl_attention (HlExec *exec,
                        HlTensor *q,
                        HlTensor *k,
                        HlTensor *v,
                        const HlMapRule *rule,
                        HlTensor **lse);
HlTensor *hl_attention_rect (HlExec *exec,
                             HlTensor *q,
                             HlTensor *k,
                             HlTensor *lse,
                             const HlMapRule *rule,
                             gint64 query_start,
                             gint64 key_start);
/** hl_attention_pooled: the mean of each cell; @max (out): the maximum. */
HlTensor *hl_attention_pooled (HlExec *exec,
                               HlTensor *q,
                               HlTensor *k,
                               HlTensor *lse,
                               const HlMapRule *rule,
                               gint64 query_start,
                               gint64 key_start,
                               int level,
                               HlTensor **max);
HlTensor *hl_gate (HlExec *exec, HlTensor *z, HlTensor *gates);
HlTensor *hl_blend (HlExec *exec, HlTensor *x, HlTensor *mask, HlTensor *replacement);
HlTensor *hl_patchify (HlExec *exec, HlTensor *pixels, int patch_height, int patch_width);
/** hl_unfold: windows of @x (B, height, width, C) as rows; hl_fold: those rows added up
 * where they lie, into the shape of @like (its batch is that of @rows). */
HlTensor *hl_unfold (HlExec *exec, HlTensor *x, int kernel, int step, int padding);
HlTensor *
hl_fold (HlExec *exec, HlTensor *rows, HlTensor *like, int kernel, int step, int padding);
/** hl_moments: running means of a gradient @g and of its square; hl_adam_step: what is
 * added to the weight after the @n_steps-th gradient. */
HlTensor *hl_moments (HlExec *exec,
                      HlTensor *m,
                      HlTensor *v,
                      HlTensor *g,
                      double beta1,
                      double beta2,
                      HlTensor **v_new);
HlTensor *hl_adam_step (HlExec *exec,
                        HlTensor *m,
                        HlTensor *v,
                        double beta1,
                        double beta2,
                        double rate,
                        double eps,
                        gint64 n_steps);
HlTensor *hl_concat (HlExec *exec, HlTensor *a, HlTensor *b);
HlTensor *hl_slice (HlExec *exec, HlTensor *x, gint64 start, gint64 count);

/** hl_heads_first: a view (B, H, T, K) of x (B, T, H, K), which may be strided; copies
 * nothing. */
HlTensor *hl_heads_first (HlExec *exec, HlTensor *x);

/** hl_join_heads: a view (B, T, H * K) of contiguous z (B, T, H, K). */
HlTensor *hl_join_heads (HlExec *exec, HlTensor *z);

G_END_DECLS
