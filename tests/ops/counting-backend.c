/* SPDX-License-Identifier: MIT
 * The CPU backend for tests, which counts what it handed out and what it ran. */
#include "counting-backend.h"

#include "backend/cpu/hl-cpu.h"

typedef struct
{
  CountingBackend *counting;
  HlTensor *tensor;
} Handed;

static void
handed_free (gpointer data)
{
  Handed *handed = data;
  handed->counting->live_bytes -= hl_tensor_size_bytes (handed->tensor);
  hl_tensor_unref (handed->tensor);
  g_free (handed);
}

static HlTensor *
counting_alloc (HlBackend *backend, HlDtype dtype, HlShape shape, GError **error)
{
  CountingBackend *counting = (CountingBackend *) backend;
  HlTensor *tensor = counting->inner->klass->alloc (counting->inner, dtype, shape, error);
  if (tensor == NULL)
    return NULL;
  Handed *handed = g_new (Handed, 1);
  *handed = (Handed){ counting, tensor };
  counting->live_bytes += hl_tensor_size_bytes (tensor);
  counting->peak_bytes = MAX (counting->peak_bytes, counting->live_bytes);
  return hl_tensor_new_wrap (tensor->dtype, shape, tensor->data, handed_free, handed);
}

static gboolean
counting_run (HlBackend *backend,
              const HlOpCall *call,
              const HlProgress *progress,
              GError **error)
{
  CountingBackend *counting = (CountingBackend *) backend;
  counting->n_ops++;
  return counting->inner->klass->run (counting->inner, call, progress, error);
}

static gboolean
counting_accumulate (HlBackend *backend,
                     HlTensor *into,
                     const HlTensor *x,
                     GError **error)
{
  HlBackend *inner = ((CountingBackend *) backend)->inner;
  return inner->klass->accumulate (inner, into, x, error);
}

static char *
counting_describe (HlBackend *backend)
{
  return g_strdup ("counting");
}

static gboolean
counting_supports (HlBackend *backend, HlOp op)
{
  return TRUE;
}

static void
counting_finalize (HlBackend *backend)
{
  CountingBackend *counting = (CountingBackend *) backend;
  g_assert_cmpuint (counting->live_bytes, ==, 0);
  hl_backend_unref (counting->inner);
  g_free (counting);
}

static const HlBackendClass counting_class = {
  .id = "counting",
  .describe = counting_describe,
  .alloc = counting_alloc,
  .run = counting_run,
  .accumulate = counting_accumulate,
  .supports = counting_supports,
  .finalize = counting_finalize,
};

CountingBackend *
counting_backend_new (HlDtype dtype, int n_threads)
{
  CountingBackend *counting = g_new0 (CountingBackend, 1);
  counting->parent.klass = &counting_class;
  counting->parent.dtype = dtype;
  g_atomic_ref_count_init (&counting->parent.refs);
  counting->inner = hl_cpu_backend_new (dtype, n_threads);
  return counting;
}
