/* SPDX-License-Identifier: MIT
 * A chart with clouds of dots, as many as there are: OpenGL draws the clouds, Cairo what
 * stands before them. The dots of the first series are chosen as in a chart; a drag draws
 * a lasso round dots of the clouds. Without OpenGL Cairo paints everything. */
#pragma once

#include "scene/hl-chart-scene.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define HL_TYPE_SCATTER_VIEW (hl_scatter_view_get_type ())
G_DECLARE_FINAL_TYPE (HlScatterView, hl_scatter_view, HL, SCATTER_VIEW, GtkWidget)

/* Signals
 * "mark-activated" (int): a dot of the first series was chosen
 * "dot-activated" (int): a dot of the clouds, counted over all clouds
 * "mark-hovered" (int mark, int dot): -1 for none
 * "marked-changed" (): the lasso took other dots, or none */

GtkWidget *hl_scatter_view_new (void) G_GNUC_WARN_UNUSED_RESULT;

/** hl_scatter_view_set_scene: (nullable): a reference is kept. What the lasso took is
 * kept while there are as many dots as before. */
void hl_scatter_view_set_scene (HlScatterView *self, HlChartScene *scene);
/** hl_scatter_view_get_scene: (transfer none) (nullable) */
HlChartScene *hl_scatter_view_get_scene (HlScatterView *self);
void hl_scatter_view_set_is_dark (HlScatterView *self, gboolean is_dark);

/** hl_scatter_view_get_marked: (transfer none) (nullable): a byte a dot of all clouds:
 * those in the lasso; NULL where there is none. */
const guint8 *hl_scatter_view_get_marked (HlScatterView *self, gsize *n_dots);

/** hl_scatter_view_set_marked: (nullable): a byte a dot, without a signal: where the same
 * dots come in another order. */
void hl_scatter_view_set_marked (HlScatterView *self, const guint8 *marked);

/** hl_scatter_view_clear_marked: forgets the lasso. */
void hl_scatter_view_clear_marked (HlScatterView *self);

/** hl_scatter_view_lasso: marks the dots inside a polygon of @n points of the widget, as
 * a drag does; all but an odd number of crossings is outside. */
void hl_scatter_view_lasso (HlScatterView *self, const double *xy, int n);

/** hl_scatter_view_hit: mark of the first series, or with @dot the dot of the clouds,
 * under a point; -1 for none. */
int hl_scatter_view_hit (HlScatterView *self, double x, double y, int *dot);

/** hl_scatter_view_count_renders: of OpenGL, so far. */
guint hl_scatter_view_count_renders (HlScatterView *self);

G_END_DECLS
