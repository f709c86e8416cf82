/* SPDX-License-Identifier: MIT
 * The part of the CUDA runtime that Headlight calls, on the processor: what the host side
 * of the CUDA backend is compiled against for tests. Device memory cannot be read by the
 * host here either: it is unprotected only while something runs "on the device".
 * Streams do everything at once. */
#pragma once

#include <stddef.h>

#ifdef __cplusplus
extern "C"
{
#endif

#define CUDART_VERSION 0

  typedef enum
  {
    cudaSuccess = 0,
    cudaErrorInvalidValue = 1,
    cudaErrorMemoryAllocation = 2,
    cudaErrorInsufficientDriver = 35,
    cudaErrorNoDevice = 100,
    cudaErrorLaunchFailure = 719,
  } cudaError_t;

  typedef struct EmulatedStream *cudaStream_t;
  typedef struct EmulatedEvent *cudaEvent_t;

  enum
  {
    cudaStreamNonBlocking = 1,
    cudaEventDefault = 0,
    cudaEventBlockingSync = 1,
    cudaEventDisableTiming = 2,
    cudaHostAllocDefault = 0,
  };

  enum cudaMemcpyKind
  {
    cudaMemcpyHostToDevice = 1,
    cudaMemcpyDeviceToHost = 2,
    cudaMemcpyDeviceToDevice = 3,
  };

  enum cudaDeviceAttr
  {
    cudaDevAttrMultiProcessorCount = 16,
    cudaDevAttrL2CacheSize = 38,
    cudaDevAttrComputeCapabilityMajor = 75,
    cudaDevAttrComputeCapabilityMinor = 76,
    cudaDevAttrMaxSharedMemoryPerBlockOptin = 97,
  };

  enum cudaFuncAttribute
  {
    cudaFuncAttributeMaxDynamicSharedMemorySize = 8,
  };

  struct cudaDeviceProp
  {
    char name[256];
    size_t totalGlobalMem;
  };

  cudaError_t cudaGetDeviceCount (int *count);
  cudaError_t cudaSetDevice (int device);
  cudaError_t cudaGetDeviceProperties (struct cudaDeviceProp *prop, int device);
  cudaError_t cudaDeviceGetAttribute (int *value, enum cudaDeviceAttr attr, int device);
  cudaError_t cudaDriverGetVersion (int *version);
  cudaError_t cudaRuntimeGetVersion (int *version);
  cudaError_t cudaMemGetInfo (size_t *free_bytes, size_t *total);
  cudaError_t cudaMalloc (void **at, size_t size);
  cudaError_t cudaFree (void *at);
  cudaError_t cudaHostAlloc (void **at, size_t size, unsigned flags);
  cudaError_t cudaFreeHost (void *at);
  cudaError_t cudaMemcpyAsync (
      void *to, const void *from, size_t size, enum cudaMemcpyKind kind, cudaStream_t s);
  cudaError_t cudaMemsetAsync (void *at, int value, size_t size, cudaStream_t s);
  cudaError_t cudaStreamCreateWithFlags (cudaStream_t *s, unsigned flags);
  cudaError_t cudaStreamDestroy (cudaStream_t s);
  cudaError_t cudaStreamSynchronize (cudaStream_t s);
  cudaError_t cudaStreamWaitEvent (cudaStream_t s, cudaEvent_t event, unsigned flags);
  cudaError_t cudaEventCreateWithFlags (cudaEvent_t *event, unsigned flags);
  cudaError_t cudaEventDestroy (cudaEvent_t event);
  cudaError_t cudaEventRecord (cudaEvent_t event, cudaStream_t s);
  cudaError_t cudaEventSynchronize (cudaEvent_t event);
  cudaError_t cudaEventElapsedTime (float *ms, cudaEvent_t first, cudaEvent_t second);
  cudaError_t cudaGetLastError (void);
  const char *cudaGetErrorString (cudaError_t error);
  const char *cudaGetErrorName (cudaError_t error);

  /* ---- for tests
   * -----------------------------------------------------------------------
   */

  /** emulated_set_memory: bytes of the device; the next allocations beyond them fail. */
  void emulated_set_memory (size_t bytes);

  /** emulated_set_devices: how many there are; with none, @error is what asking gives. */
  void emulated_set_devices (int count, cudaError_t error);

  /** emulated_lose_device: everything from the @n-th launch on fails; 0 mends it. */
  void emulated_lose_device (int n);

  /** emulated_fill_memory: from the @n-th allocation on none succeeds; 0 makes room
   * again. */
  void emulated_fill_memory (int n);

  /** emulated_launches: how many there were so far. */
  long emulated_launches (void);

  /** emulated_used: bytes that are allocated. */
  size_t emulated_used (void);

#ifdef __cplusplus
}
#endif
