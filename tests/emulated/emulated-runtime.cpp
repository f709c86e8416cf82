/* SPDX-License-Identifier: MIT
 * The emulated device's memory and calls; see cuda_runtime_api.h. */
#include "emulated-private.h"

#include <map>
#include <mutex>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#define FORBID(at, size) __asan_poison_memory_region (at, size)
#define ALLOW(at, size) __asan_unpoison_memory_region (at, size)
#else
#define FORBID(at, size) ((void) (at))
#define ALLOW(at, size) ((void) (at))
#endif

/* Addresses are reserved once; pages come as they are touched. */
#define ARENA_BYTES ((size_t) 8 << 30)
#define PAGE_BYTES ((size_t) 4096)
/* Behind every allocation, and looked at when it is freed. */
#define GUARD_BYTES ((size_t) 256)
#define GUARD 0xa5

static std::recursive_mutex lock;
static unsigned char *arena;
static size_t high_water;
static std::map<size_t, size_t> taken; /* offset -> bytes without the guard */
static size_t limit = (size_t) 4 << 30, used;
static int n_devices = 1;
static cudaError_t device_error = cudaErrorNoDevice;
static cudaError_t last_error;
static long n_launches, lost_at, n_allocations, full_at;
static int depth;

static bool
is_lost (void)
{
  return lost_at > 0 && n_launches >= lost_at;
}

static cudaError_t
note (cudaError_t error)
{
  if (error != cudaSuccess)
    last_error = error;
  return error;
}

static void
protect (int how)
{
  if (high_water > 0 && mprotect (arena, high_water, how) != 0)
    {
      perror ("emulated device: mprotect");
      abort ();
    }
}

static void
enter (void)
{
  lock.lock ();
  if (depth++ == 0)
    protect (PROT_READ | PROT_WRITE);
}

static void
leave (void)
{
  if (--depth == 0)
    protect (PROT_NONE);
  lock.unlock ();
}

bool
emulated_begin_launch (void)
{
  enter ();
  n_launches++;
  if (!is_lost ())
    return true;
  note (cudaErrorLaunchFailure);
  leave ();
  return false;
}

void
emulated_end_launch (cudaError_t error)
{
  note (error);
  leave ();
}

/* The first gap that is large enough. */
static size_t
find_gap (size_t size)
{
  size_t at = 0;
  for (const auto &one : taken)
    {
      if (one.first - at >= size)
        return at;
      at = (one.first + one.second + GUARD_BYTES + 255) & ~(size_t) 255;
    }
  return at;
}

cudaError_t
cudaMalloc (void **at, size_t size)
{
  std::lock_guard<std::recursive_mutex> guard (lock);
  if (is_lost ())
    return note (cudaErrorLaunchFailure);
  if (arena == NULL)
    arena = (unsigned char *) mmap (NULL, ARENA_BYTES, PROT_NONE,
                                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  n_allocations++;
  if (used + size > limit || (full_at > 0 && n_allocations >= full_at))
    return note (cudaErrorMemoryAllocation);
  size_t offset = find_gap (size + GUARD_BYTES);
  size_t end = (offset + size + GUARD_BYTES + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
  if (end > ARENA_BYTES)
    return note (cudaErrorMemoryAllocation);
  if (end > high_water)
    high_water = end;
  taken[offset] = size;
  used += size;
  enter ();
  ALLOW (arena + offset, size + GUARD_BYTES);
  memset (arena + offset, 0xff, size); /* NaN, and impossible indices */
  memset (arena + offset + size, GUARD, GUARD_BYTES);
  FORBID (arena + offset + size, GUARD_BYTES);
  leave ();
  *at = arena + offset;
  return cudaSuccess;
}

cudaError_t
cudaFree (void *at)
{
  std::lock_guard<std::recursive_mutex> guard (lock);
  if (at == NULL)
    return cudaSuccess;
  size_t offset = (size_t) ((unsigned char *) at - arena);
  auto one = taken.find (offset);
  if (one == taken.end ())
    {
      fprintf (stderr, "emulated device: cudaFree of what was not allocated\n");
      abort ();
    }
  enter ();
  ALLOW (arena + offset + one->second, GUARD_BYTES);
  for (size_t i = 0; i < GUARD_BYTES; i++)
    if (arena[offset + one->second + i] != GUARD)
      {
        fprintf (stderr, "emulated device: written %zu bytes behind an allocation\n", i);
        abort ();
      }
  memset (arena + offset, 0xff, one->second);
  FORBID (arena + offset, one->second);
  leave ();
  used -= one->second;
  taken.erase (one);
  return cudaSuccess;
}

cudaError_t
cudaMemcpyAsync (void *to, const void *from, size_t size, cudaMemcpyKind, cudaStream_t)
{
  enter ();
  cudaError_t error = is_lost () ? cudaErrorLaunchFailure : cudaSuccess;
  if (error == cudaSuccess)
    memcpy (to, from, size);
  leave ();
  return note (error);
}

cudaError_t
cudaMemsetAsync (void *at, int value, size_t size, cudaStream_t)
{
  enter ();
  cudaError_t error = is_lost () ? cudaErrorLaunchFailure : cudaSuccess;
  if (error == cudaSuccess)
    memset (at, value, size);
  leave ();
  return note (error);
}

/* What a test says to a program that it starts. */
static void
read_environment (void)
{
  const char *lose = getenv ("HEADLIGHT_EMULATED_LOSE");
  const char *bytes = getenv ("HEADLIGHT_EMULATED_BYTES");
  if (lose != NULL && lost_at == 0)
    emulated_lose_device (atoi (lose));
  if (bytes != NULL)
    emulated_set_memory ((size_t) atol (bytes));
}

cudaError_t
cudaGetDeviceCount (int *count)
{
  read_environment ();
  if (n_devices == 0)
    return note (device_error);
  *count = n_devices;
  return cudaSuccess;
}

cudaError_t
cudaSetDevice (int)
{
  return cudaSuccess;
}

cudaError_t
cudaGetDeviceProperties (struct cudaDeviceProp *prop, int)
{
  *prop = cudaDeviceProp ();
  snprintf (prop->name, sizeof prop->name, "emulated device");
  prop->totalGlobalMem = limit;
  return cudaSuccess;
}

cudaError_t
cudaDeviceGetAttribute (int *value, enum cudaDeviceAttr attr, int)
{
  switch (attr)
    {
    case cudaDevAttrMultiProcessorCount:
      *value = 2;
      break;
    case cudaDevAttrL2CacheSize:
      *value = 1 << 20;
      break;
    case cudaDevAttrComputeCapabilityMajor:
      *value = 9;
      break;
    case cudaDevAttrComputeCapabilityMinor:
      *value = 0;
      break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      *value = 227 << 10;
      break;
    }
  return cudaSuccess;
}

cudaError_t
cudaDriverGetVersion (int *version)
{
  *version = 13000;
  return cudaSuccess;
}

cudaError_t
cudaRuntimeGetVersion (int *version)
{
  *version = 13000;
  return cudaSuccess;
}

cudaError_t
cudaMemGetInfo (size_t *free_bytes, size_t *total)
{
  std::lock_guard<std::recursive_mutex> guard (lock);
  *free_bytes = limit > used ? limit - used : 0;
  *total = limit;
  return cudaSuccess;
}

cudaError_t
cudaHostAlloc (void **at, size_t size, unsigned)
{
  *at = malloc (size);
  return *at != NULL ? cudaSuccess : note (cudaErrorMemoryAllocation);
}

cudaError_t
cudaFreeHost (void *at)
{
  free (at);
  return cudaSuccess;
}

cudaError_t
cudaStreamCreateWithFlags (cudaStream_t *s, unsigned)
{
  *s = NULL;
  return cudaSuccess;
}

cudaError_t
cudaStreamDestroy (cudaStream_t)
{
  return cudaSuccess;
}

cudaError_t
cudaStreamSynchronize (cudaStream_t)
{
  return is_lost () ? note (cudaErrorLaunchFailure) : cudaSuccess;
}

cudaError_t
cudaStreamWaitEvent (cudaStream_t, cudaEvent_t, unsigned)
{
  return cudaSuccess;
}

/* When it was recorded: work is done as soon as it is queued. */
struct EmulatedEvent
{
  double ms;
};

cudaError_t
cudaEventCreateWithFlags (cudaEvent_t *event, unsigned)
{
  *event = new EmulatedEvent ();
  return cudaSuccess;
}

cudaError_t
cudaEventDestroy (cudaEvent_t event)
{
  delete event;
  return cudaSuccess;
}

cudaError_t
cudaEventRecord (cudaEvent_t event, cudaStream_t)
{
  struct timespec now;
  clock_gettime (CLOCK_MONOTONIC, &now);
  event->ms = (double) now.tv_sec * 1e3 + (double) now.tv_nsec / 1e6;
  return cudaSuccess;
}

cudaError_t
cudaEventElapsedTime (float *ms, cudaEvent_t first, cudaEvent_t second)
{
  *ms = (float) (second->ms - first->ms);
  return cudaSuccess;
}

cudaError_t
cudaEventSynchronize (cudaEvent_t)
{
  return is_lost () ? note (cudaErrorLaunchFailure) : cudaSuccess;
}

cudaError_t
cudaGetLastError (void)
{
  cudaError_t error = last_error;
  last_error = cudaSuccess;
  return error;
}

const char *
cudaGetErrorString (cudaError_t error)
{
  switch (error)
    {
    case cudaSuccess:
      return "no error";
    case cudaErrorMemoryAllocation:
      return "out of memory";
    case cudaErrorInsufficientDriver:
      return "CUDA driver version is insufficient for CUDA runtime version";
    case cudaErrorNoDevice:
      return "no CUDA-capable device is detected";
    case cudaErrorLaunchFailure:
      return "unspecified launch failure";
    case cudaErrorInvalidValue:
      break;
    }
  return "invalid argument";
}

const char *
cudaGetErrorName (cudaError_t error)
{
  return error == cudaErrorMemoryAllocation ? "cudaErrorMemoryAllocation" : "cudaError";
}

/* ---- for tests -----------------------------------------------------------------------
 */

void
emulated_set_memory (size_t bytes)
{
  limit = bytes;
}

void
emulated_set_devices (int count, cudaError_t error)
{
  n_devices = count;
  device_error = error;
}

void
emulated_lose_device (int n)
{
  lost_at = n > 0 ? n_launches + n : 0;
}

void
emulated_fill_memory (int n)
{
  full_at = n > 0 ? n_allocations + n : 0;
}

long
emulated_launches (void)
{
  return n_launches;
}

size_t
emulated_used (void)
{
  return used;
}
