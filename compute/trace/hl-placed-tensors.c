/* SPDX-License-Identifier: MIT
 * Copies of host tensors in a backend's own memory. */
#include "trace/hl-placed-tensors.h"

typedef struct
{
  HlTensor *host, *there;
} Pair;

/* The one asked for last comes first. */
struct _HlPlacedTensors
{
  Pair pairs[HL_PLACED_TENSORS];
};

static void
pair_clear (Pair *pair)
{
  g_clear_pointer (&pair->host, hl_tensor_unref);
  g_clear_pointer (&pair->there, hl_tensor_unref);
}

HlPlacedTensors *
hl_placed_tensors_new (void)
{
  return g_new0 (HlPlacedTensors, 1);
}

void
hl_placed_tensors_free (HlPlacedTensors *placed)
{
  if (placed == NULL)
    return;
  for (int i = 0; i < HL_PLACED_TENSORS; i++)
    pair_clear (&placed->pairs[i]);
  g_free (placed);
}

static void
move_to_front (HlPlacedTensors *placed, int i)
{
  Pair found = placed->pairs[i];
  for (; i > 0; i--)
    placed->pairs[i] = placed->pairs[i - 1];
  placed->pairs[0] = found;
}

/* The last one where there is none. */
static int
find (const HlPlacedTensors *placed, const HlMemory *home, const HlTensor *host)
{
  int i = 0;
  while (i < HL_PLACED_TENSORS - 1 &&
         (placed->pairs[i].host != host || placed->pairs[i].there->memory != home))
    i++;
  return i;
}

HlTensor *
hl_placed_tensors_get (HlPlacedTensors *placed,
                       HlBackend *backend,
                       HlTensor *host,
                       GError **error)
{
  const HlDeviceClass *device = backend->klass->device;
  if (device == NULL)
    return hl_tensor_ref (host);
  const HlMemory *home = device->get_home (backend);
  int i = find (placed, home, host);
  Pair *pair = &placed->pairs[i];
  if (pair->host != host || pair->there->memory != home)
    {
      pair_clear (pair);
      HlTensor *there = hl_backend_upload (backend, host, error);
      if (there == NULL)
        return NULL;
      *pair = (Pair){ hl_tensor_ref (host), there };
    }
  move_to_front (placed, i);
  return hl_tensor_ref (placed->pairs[0].there);
}
