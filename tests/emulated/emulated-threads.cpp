/* SPDX-License-Identifier: MIT
 * Threads of a block as fibers; see cuda_runtime.h. */
#include "emulated-private.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>
#include <vector>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#define BEGIN_SWITCH(keep, bottom, size)                                                 \
  __sanitizer_start_switch_fiber (keep, bottom, size)
#define END_SWITCH(kept, bottom, size)                                                   \
  __sanitizer_finish_switch_fiber (kept, bottom, size)
#define FORGET_STACK(at, size) __asan_unpoison_memory_region (at, size)
#else
#define BEGIN_SWITCH(keep, bottom, size) ((void) (keep))
#define END_SWITCH(kept, bottom, size) ((void) (kept))
#define FORGET_STACK(at, size) ((void) (at))
#endif

/* Where a fiber, or the scheduler, goes on. Jumps are quicker by far; under the address
 * sanitizer, which takes a jump for a way out of its own stack, contexts are swapped. */
#ifdef __SANITIZE_ADDRESS__
typedef ucontext_t Place;
#define SWITCH(from, to) swapcontext (from, to)
#else
typedef jmp_buf Place;
#define SWITCH(from, to)                                                                 \
  do                                                                                     \
    if (_setjmp (*(from)) == 0)                                                          \
      _longjmp (*(to), 1);                                                               \
  while (0)
#endif

#define STACK_BYTES ((size_t) 96 << 10)
#define MOST_THREADS 1024
#define MOST_SHARED ((size_t) 228 << 10)

enum State
{
  READY,
  AT_BLOCK_BARRIER,
  AT_WARP_BARRIER,
  OVER,
};

struct Fiber
{
  EmulatedThread at;
  State state;
  Place place;
  bool is_begun;
  void *fake_stack;
};

struct Warp
{
  int n_threads, n_waiting;
  unsigned char left[32][64];
};

struct Block
{
  std::vector<Fiber> fibers;
  std::vector<Warp> warps;
  int n_waiting, n_over;
  int current;
  void (*body) (void *);
  void *data;
  Place scheduler;
  void *fake_stack;
  const void *host_bottom;
  size_t host_size;
};

EmulatedThread *emulated_now;

static Block block;
static unsigned char *stacks;
static unsigned char *shared;

static unsigned char *
stack_of (int i)
{
  return stacks + (size_t) i * STACK_BYTES;
}

static void
die (const char *what)
{
  const uint3 t = emulated_now->thread, b = emulated_now->block;
  fprintf (stderr, "emulated device: %s (thread %u,%u of block %u,%u,%u)\n", what, t.x,
           t.y, b.x, b.y, b.z);
  abort ();
}

/* Back to the scheduler; returns when this fiber is to go on. */
static void
give_way (State state)
{
  Fiber *self = &block.fibers[(size_t) block.current];
  self->state = state;
  BEGIN_SWITCH (state == OVER ? NULL : &self->fake_stack, block.host_bottom,
                block.host_size);
  SWITCH (&self->place, &block.scheduler);
  END_SWITCH (self->fake_stack, &block.host_bottom, &block.host_size);
}

static void
fiber_main (void)
{
  END_SWITCH (NULL, &block.host_bottom, &block.host_size);
  block.body (block.data);
  block.n_over++;
  if (block.n_waiting > 0)
    die ("a thread ended while others wait at a barrier of the block");
  give_way (OVER);
}

/* The first entry onto a fiber's own stack. */
static void
begin (Fiber *fiber, int i)
{
  ucontext_t context;
  getcontext (&context);
  context.uc_stack.ss_sp = stack_of (i);
  context.uc_stack.ss_size = STACK_BYTES;
  context.uc_link = NULL;
  makecontext (&context, fiber_main, 0);
  fiber->is_begun = true;
#ifdef __SANITIZE_ADDRESS__
  swapcontext (&block.scheduler, &context);
#else
  if (_setjmp (block.scheduler) == 0)
    setcontext (&context);
#endif
}

static void
run_fiber (int i)
{
  Fiber *fiber = &block.fibers[(size_t) i];
  block.current = i;
  emulated_now = &fiber->at;
  BEGIN_SWITCH (&block.fake_stack, stack_of (i), STACK_BYTES);
  if (fiber->is_begun)
    SWITCH (&block.scheduler, &fiber->place);
  else
    begin (fiber, i);
  END_SWITCH (block.fake_stack, NULL, NULL);
}

/* Every other block runs its threads backwards: what depends on their order shows. */
static void
run_threads (bool backwards)
{
  int n = (int) block.fibers.size ();
  while (block.n_over < n)
    {
      bool moved = false;
      for (int k = 0; k < n; k++)
        {
          int i = backwards ? n - 1 - k : k;
          if (block.fibers[(size_t) i].state != READY)
            continue;
          run_fiber (i);
          moved = true;
        }
      if (!moved)
        die ("threads wait for each other: a barrier that not all of them come to");
    }
}

static void
run_block (uint3 at, dim3 grid, dim3 dim, size_t shared_bytes, bool backwards)
{
  size_t n = (size_t) dim.x * dim.y * dim.z;
  block.fibers.assign (n, Fiber ());
  block.warps.assign ((n + 31) / 32, Warp ());
  block.n_waiting = block.n_over = 0;
  memset (shared, 0xff, shared_bytes); /* NaN */
  FORGET_STACK (stacks, n * STACK_BYTES);
  for (size_t i = 0; i < n; i++)
    {
      Fiber *fiber = &block.fibers[i];
      fiber->at.thread = { (unsigned) i % dim.x, (unsigned) i / dim.x % dim.y,
                           (unsigned) i / dim.x / dim.y };
      fiber->at.block = at;
      fiber->at.block_dim = dim;
      fiber->at.grid_dim = grid;
      fiber->at.shared = shared;
      block.warps[i / 32].n_threads++;
    }
  run_threads (backwards);
}

void
emulated_run (dim3 grid, dim3 dim, size_t shared_bytes, void (*body) (void *), void *data)
{
  if (!emulated_begin_launch ())
    return;
  size_t n = (size_t) dim.x * dim.y * dim.z;
  if (n == 0 || n > MOST_THREADS || shared_bytes > MOST_SHARED || grid.x == 0 ||
      grid.y == 0 || grid.z == 0 || grid.y > 65535 || grid.z > 65535 ||
      grid.x > 0x7fffffff)
    {
      emulated_end_launch (cudaErrorInvalidValue);
      return;
    }
  if (stacks == NULL)
    {
      stacks = (unsigned char *) aligned_alloc (4096, STACK_BYTES * MOST_THREADS);
      shared = (unsigned char *) aligned_alloc (128, MOST_SHARED);
    }
  block.body = body;
  block.data = data;
  for (unsigned z = 0; z < grid.z; z++)
    for (unsigned y = 0; y < grid.y; y++)
      for (unsigned x = 0; x < grid.x; x++)
        run_block ({ x, y, z }, grid, dim, shared_bytes, (x + y + z) % 2 != 0);
  emulated_end_launch (cudaSuccess);
}

void
emulated_block_barrier (void)
{
  int n = (int) block.fibers.size ();
  if (block.n_over > 0)
    die ("a barrier of the block after threads of it have ended");
  if (++block.n_waiting < n)
    {
      give_way (AT_BLOCK_BARRIER);
      return;
    }
  block.n_waiting = 0;
  for (Fiber &fiber : block.fibers)
    {
      if (&fiber != &block.fibers[(size_t) block.current] &&
          fiber.state != AT_BLOCK_BARRIER)
        die ("a thread is elsewhere while the others are at a barrier of the block");
      fiber.state = READY;
    }
}

static void
warp_barrier (void)
{
  int i = block.current, first = i / 32 * 32;
  Warp *warp = &block.warps[(size_t) i / 32];
  if (++warp->n_waiting < warp->n_threads)
    {
      give_way (AT_WARP_BARRIER);
      return;
    }
  warp->n_waiting = 0;
  for (int k = first; k < first + warp->n_threads; k++)
    block.fibers[(size_t) k].state = READY;
}

const unsigned char *
emulated_warp_exchange (const void *mine, size_t size)
{
  Warp *warp = &block.warps[(size_t) block.current / 32];
  memcpy (warp->left[block.current % 32], mine, size);
  warp_barrier ();
  return &warp->left[0][0];
}

void
emulated_warp_done (void)
{
  warp_barrier ();
}
