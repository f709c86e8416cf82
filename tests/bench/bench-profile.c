/* SPDX-License-Identifier: MIT
 * A backend around a backend, which adds up what each op takes. */
#include "bench-profile.h"

#include "bench.h"

typedef struct
{
  HlBackend parent;
  HlBackend *inner;
  BenchProfile sums;
} Profile;

static char *
profile_describe (HlBackend *backend)
{
  HlBackend *inner = ((Profile *) backend)->inner;
  return inner->klass->describe (inner);
}

static HlTensor *
profile_alloc (HlBackend *backend, HlDtype dtype, HlShape shape, GError **error)
{
  Profile *self = (Profile *) backend;
  double start = bench_now_ms ();
  HlTensor *tensor = self->inner->klass->alloc (self->inner, dtype, shape, error);
  self->sums.alloc_ms += bench_now_ms () - start;
  return tensor;
}

static gboolean
profile_run (HlBackend *backend,
             const HlOpCall *call,
             const HlProgress *progress,
             GError **error)
{
  Profile *self = (Profile *) backend;
  double start = bench_now_ms ();
  gboolean ok = self->inner->klass->run (self->inner, call, progress, error);
  self->sums.ms[call->op] += bench_now_ms () - start;
  self->sums.n_calls[call->op]++;
  self->sums.flops[call->op] += hl_op_flops (call);
  self->sums.bytes[call->op] += hl_op_bytes (call);
  return ok;
}

static gboolean
profile_supports (HlBackend *backend, HlOp op)
{
  HlBackend *inner = ((Profile *) backend)->inner;
  return inner->klass->supports (inner, op);
}

static void
profile_finalize (HlBackend *backend)
{
  hl_backend_unref (((Profile *) backend)->inner);
  g_free (backend);
}

static const HlBackendClass profile_class = {
  .id = "profile",
  .describe = profile_describe,
  .alloc = profile_alloc,
  .run = profile_run,
  .supports = profile_supports,
  .finalize = profile_finalize,
};

HlBackend *
bench_profile_backend_new (HlBackend *inner)
{
  Profile *self = g_new0 (Profile, 1);
  self->parent.klass = &profile_class;
  self->parent.dtype = inner->dtype;
  g_atomic_ref_count_init (&self->parent.refs);
  self->inner = hl_backend_ref (inner);
  return &self->parent;
}

const BenchProfile *
bench_profile_backend_get (HlBackend *backend)
{
  return &((Profile *) backend)->sums;
}
