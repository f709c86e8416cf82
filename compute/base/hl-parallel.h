/* SPDX-License-Identifier: MIT
 * One loop cut among threads that live as long as it: for analyses without a backend.
 * Work on a backend goes through its own threads. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/** HlRangeFunc: items @first to @end; called on several threads at once, each with items
 * of its own. */
typedef void (*HlRangeFunc) (gint64 first, gint64 end, gpointer data);

/** hl_parallel_for: @func over @n items, in ranges of at least @grain, on as many threads
 * as there are processors, 8 at most; returns when all are done. Threads are as nice as
 * the caller. What an item gives must not depend on how they are cut. */
void hl_parallel_for (gint64 n, gint64 grain, HlRangeFunc func, gpointer data);

G_END_DECLS
