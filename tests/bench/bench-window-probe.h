/* SPDX-License-Identifier: MIT
 * The window inside the bench, and clocks on it: when it painted what, and for how long
 * its main loop stood still. */
#pragma once

#include "bench.h"

#include "gl/hl-head-grid.h"
#include "gl/hl-heatmap-view.h"
#include "window/hl-window.h"

G_BEGIN_DECLS

typedef struct
{
  AdwApplication *application;
  GtkWidget *window;
  HlDocument *document;
  HlHeadGrid *grid;
  HlHeatmapView *map;
  /* The first frame ever, and the first one that shows the map of the selected head. */
  gint64 first_paint_us;
  gint64 head_paint_us;
  int n_paints;
  gboolean has_map; /* handed to the view, not painted yet */
  /* A timer of the highest priority that should come every 5 ms. */
  guint timer;
  gint64 last_tick_us;
  double longest_stall_ms;
} Probe;

/** probe_open: the window, 1440 x 900, not painted yet. */
void probe_open (Probe *probe);
void probe_close (Probe *probe);

/** probe_wait_paint: until the window was painted for the first time. */
void probe_wait_paint (Probe *probe);

/** probe_wait_head: until a frame shows the map of the selected head; %FALSE after
 * @patience_ms. */
gboolean probe_wait_head (Probe *probe, double patience_ms);

/** probe_forget_head: the next map is waited for, not the one in the window. */
void probe_forget_head (Probe *probe);

/** probe_wait_idle: until the document has no work, and then for the frames after it. */
void probe_wait_idle (Probe *probe);

/** probe_take_stall: the longest stall since it was asked last, in ms. */
double probe_take_stall (Probe *probe);

G_END_DECLS
