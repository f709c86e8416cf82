/* SPDX-License-Identifier: MIT
 * How long work tells how far it is and learns that it should stop. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * HlProgressFunc:
 * @fraction: 0..1
 * @what: (nullable): a few words on the step in hand, borrowed for the call
 * Called on the thread that works; must be quick.
 */
typedef void (*HlProgressFunc) (double fraction, const char *what, gpointer user_data);

/**
 * HlProgress:
 * @func: (nullable): told how far the work is
 * @yield: (nullable): called between steps; may run more urgent work before it returns
 * @cancellable: (nullable): checked between steps
 * Plain data passed by pointer; a NULL HlProgress means nobody watches.
 */
typedef struct
{
  HlProgressFunc func;
  gpointer func_data;
  void (*yield) (gpointer user_data);
  gpointer yield_data;
  GCancellable *cancellable;
} HlProgress;

/**
 * hl_progress_step:
 * Reports @fraction, gives way to urgent work, and checks for cancelling.
 * Returns: FALSE with @error G_IO_ERROR_CANCELLED when the work should stop
 */
static inline gboolean
hl_progress_step (const HlProgress *progress,
                  double fraction,
                  const char *what,
                  GError **error)
{
  if (progress == NULL)
    return TRUE;
  if (progress->func != NULL)
    progress->func (fraction, what, progress->func_data);
  if (progress->yield != NULL)
    progress->yield (progress->yield_data);
  return !g_cancellable_set_error_if_cancelled (progress->cancellable, error);
}

/**
 * hl_progress_pause:
 * Within a step: gives way to urgent work and checks for cancelling, but reports nothing.
 * Returns: FALSE when the work should stop
 */
static inline gboolean
hl_progress_pause (const HlProgress *progress)
{
  if (progress == NULL)
    return TRUE;
  if (progress->yield != NULL)
    progress->yield (progress->yield_data);
  return !g_cancellable_is_cancelled (progress->cancellable);
}

/** HlProgressPart: of which part of some work the progress is told: kept as long as it.
 */
typedef struct
{
  const HlProgress *whole;
  double from;
  double to;
} HlProgressPart;

static inline void
hl_progress_part_func (double fraction, const char *what, gpointer data)
{
  const HlProgressPart *part = (const HlProgressPart *) data;
  if (part->whole->func != NULL)
    part->whole->func (part->from + (part->to - part->from) * fraction, what,
                       part->whole->func_data);
}

/** hl_progress_part: @whole (nullable), told of as going from @part's from to its to. */
static inline HlProgress
hl_progress_part (HlProgressPart *part)
{
  HlProgress progress = { 0 };
  if (part->whole == NULL)
    return progress;
  progress = *part->whole;
  progress.func = hl_progress_part_func;
  progress.func_data = part;
  return progress;
}

G_END_DECLS
