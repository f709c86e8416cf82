/* SPDX-License-Identifier: MIT
 * A chart. Cairo paints it: even 5,000 bars take some milliseconds, and it changes only
 * when its numbers do. A click or Return chooses the mark under the pointer or the
 * cursor; Left and Right, Home and End move the cursor along the marks. */
#pragma once

#include "scene/hl-chart-scene.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define HL_TYPE_CHART_VIEW (hl_chart_view_get_type ())
G_DECLARE_FINAL_TYPE (HlChartView, hl_chart_view, HL, CHART_VIEW, GtkWidget)

/* Signals
 * "mark-activated" (int): a mark of the first series was chosen
 * "mark-hovered" (int): -1 when the pointer left */

GtkWidget *hl_chart_view_new (void) G_GNUC_WARN_UNUSED_RESULT;

/** hl_chart_view_set_scene: (nullable): a reference is kept. */
void hl_chart_view_set_scene (HlChartView *self, HlChartScene *scene);
/** hl_chart_view_get_scene: (transfer none) (nullable) */
HlChartScene *hl_chart_view_get_scene (HlChartView *self);

void hl_chart_view_set_is_dark (HlChartView *self, gboolean is_dark);

/** hl_chart_view_hit: mark under a point; -1 for none. */
int hl_chart_view_hit (HlChartView *self, double x, double y);

/** hl_chart_view_handle_key, _press: what events call; a program may forward its own. */
gboolean
hl_chart_view_handle_key (HlChartView *self, guint keyval, GdkModifierType state);
void hl_chart_view_handle_press (HlChartView *self, double x, double y);

G_END_DECLS
