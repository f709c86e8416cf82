/* SPDX-License-Identifier: MIT
 * One loop cut among threads. */
#include "base/hl-parallel.h"

#define MAX_THREADS 8

typedef struct
{
  HlRangeFunc func;
  gpointer data;
  gint64 first, end;
} Range;

static gpointer
run (gpointer data)
{
  const Range *range = data;
  range->func (range->first, range->end, range->data);
  return NULL;
}

void
hl_parallel_for (gint64 n, gint64 grain, HlRangeFunc func, gpointer data)
{
  Range ranges[MAX_THREADS];
  GThread *threads[MAX_THREADS] = { NULL };
  gint64 most = MIN ((gint64) g_get_num_processors (), MAX_THREADS);
  int count = (int) CLAMP (n / MAX (grain, 1), 1, most);
  for (int i = 0; i < count; i++)
    ranges[i] = (Range){ func, data, n * i / count, n * (i + 1) / count };
  /* Where no thread can be had the caller does its part too. */
  for (int i = 1; i < count; i++)
    threads[i] = g_thread_try_new ("range", run, &ranges[i], NULL);
  run (&ranges[0]);
  for (int i = 1; i < count; i++)
    if (threads[i] != NULL)
      g_thread_join (threads[i]);
    else
      run (&ranges[i]);
}
