/* SPDX-License-Identifier: MIT
 * Scenes: what is drawn, as plain data. No widget, no model, no device. A presenter makes
 * a scene; the same scene is painted on the screen and into a figure.
 * Scenes are immutable once shared; atomic reference counts. */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

/* ---- colour --------------------------------------------------------------------------
 */

typedef enum
{
  HL_COLORMAP_VIRIDIS,
  HL_COLORMAP_MAGMA,
  HL_COLORMAP_CIVIDIS,
  HL_COLORMAP_GREY,
  HL_COLORMAP_DIVERGING, /* blue - neutral - orange, symmetric about the middle */
  HL_N_COLORMAPS,
} HlColormap;

typedef enum
{
  HL_RANGE_SHARED,     /* 0 to the maximum over all heads */
  HL_RANGE_PER_HEAD,   /* 0 to this head's maximum */
  HL_RANGE_PERCENTILE, /* 0 to the 99th percentile of this head; arrow on the bar */
  HL_RANGE_LOG,        /* logarithmic from a stated floor to the shared maximum */
  HL_N_RANGES,
  HL_RANGE_OWN = HL_N_RANGES, /* 0 to the largest shown; of single rows, not a choice */
} HlRangeMode;

/**
 * HlScale: how a value becomes a colour.
 * @low, @high: values at the ends of the colour map
 * @is_log: colours follow log10 (value) between @low (> 0, the floor) and @high
 * @clips_high: some values lie above @high: the bar ends in an arrow
 * NaN is "not applicable" and painted grey, never as a value.
 */
typedef struct
{
  HlColormap colormap;
  HlRangeMode mode;
  double low;
  double high;
  gboolean is_log;
  gboolean clips_high;
} HlScale;

/** hl_scale_position: 0..1 along the colour map, clamped; NaN stays NaN. */
double hl_scale_position (const HlScale *scale, double value);

/** hl_scale_describe: (transfer full): "0 to 0.213, shared maximum", translated. */
char *hl_scale_describe (const HlScale *scale);

/* ---- labels of one side of a map -----------------------------------------------------
 */

typedef struct _HlTokenList HlTokenList;

/**
 * HlAxis: the cells along one side of a matrix.
 * @title: "query", "key"
 * @labels: (nullable): one short text a cell: "CLS", "(8, 4)", "the"; @n of them
 * @tokens: (nullable): a reference: the texts of a text's tokens label the cells where
 *   there are no @labels, without a copy of each; at least @n of them
 * @major: every how many cells a ruler tick is natural (grid columns); 0 for none
 * @major_offset: cell of the first major tick (number of special tokens)
 */
typedef struct
{
  char *title;
  gint64 n;
  char **labels;
  HlTokenList *tokens;
  int major;
  int major_offset;
} HlAxis;

/** hl_axis_label: (transfer none) (nullable): NULL where a cell has but its number. */
const char *hl_axis_label (const HlAxis *axis, gint64 index);
/** hl_axis_has_words: cells are labelled by texts. */
gboolean hl_axis_has_words (const HlAxis *axis);

/* ---- matrix, in tiles ----------------------------------------------------------------
 */

#define HL_TILE_SIDE 256

/**
 * HlTile: a square of a pooled matrix. A cell of level n stands for 2^n x 2^n entries;
 * the tile at (row, column) starts at entry row * 256 * 2^n.
 * @n_rows, @n_columns: cells in use, up to 256; stride is n_columns
 * @mean, @max: n_rows * n_columns values; at level 0 they are the same array's values
 * @is_exact: FALSE while an estimate stands in for it
 */
typedef struct
{
  gatomicrefcount refs;
  int level;
  int row;
  int column;
  int n_rows;
  int n_columns;
  float *mean;
  float *max;
  gboolean is_exact;
} HlTile;

/** hl_tile_new: (transfer full): zeroed values. */
HlTile *hl_tile_new (int level, int row, int column, int n_rows, int n_columns);
HlTile *hl_tile_ref (HlTile *tile);
void hl_tile_unref (HlTile *tile);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlTile, hl_tile_unref)

/**
 * HlMatrixScene: one attention map (or a rectangle of one) as a picture.
 * @title: "Layer 5 · head 2"
 * @caption: what the numbers are: range, pooling, what is left out
 * @rows, @columns: the sides; rows are queries
 * @n_values_rows, @n_values_columns, @values: the map itself, pooled when @pool > 1
 *   (n = ceil (axis n / pool)); NULL where a view takes tiles instead
 * @pool, @pool_is_max: entries a side of a value, and how they were joined
 * @selected_row, @selected_column: the orange query and the key under attention; -1 none
 */
typedef struct
{
  gatomicrefcount refs;
  char *title;
  char *caption;
  HlAxis rows;
  HlAxis columns;
  gint64 n_values_rows;
  gint64 n_values_columns;
  float *values;
  int pool;
  gboolean pool_is_max;
  HlScale scale;
  gint64 selected_row;
  gint64 selected_column;
} HlMatrixScene;

/** hl_matrix_scene_new: (transfer full): empty, pool 1, nothing selected. */
HlMatrixScene *hl_matrix_scene_new (void);
HlMatrixScene *hl_matrix_scene_ref (HlMatrixScene *scene);
void hl_matrix_scene_unref (HlMatrixScene *scene);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlMatrixScene, hl_matrix_scene_unref)

/* ---- grid of heads -------------------------------------------------------------------
 */

#define HL_THUMB_SIDE_MAX 64

/**
 * HlThumb: one head's map made small.
 * @n_rows, @n_columns: up to 64; 0 while it is not known
 * @values: (nullable)
 * @max: of the whole map, for per-head ranges
 * @is_marked: drawn with a mark (an ablated head)
 */
typedef struct
{
  int n_rows;
  int n_columns;
  float *values;
  double max;
  gboolean is_marked;
} HlThumb;

/** HlGridLayer: one row of the grid; @label "0" or "encoder 0". @n_per_group heads share
 * a key-value head, 0 or 1 for none; drawn where all layers have the same. */
typedef struct
{
  char *label;
  int n_heads;
  int n_per_group;
  HlThumb *thumbs;
} HlGridLayer;

/**
 * HlGridScene:
 * @layers: of HlGridLayer *, layer 0 first (drawn on top)
 * @selected_layer, @selected_head: the blue head; -1 for none
 * @scale: one for all; with HL_RANGE_PER_HEAD each thumb uses 0..its own max
 */
typedef struct
{
  gatomicrefcount refs;
  char *title;
  char *caption;
  GPtrArray *layers;
  HlScale scale;
  int selected_layer;
  int selected_head;
} HlGridScene;

HlGridScene *hl_grid_scene_new (void);
HlGridScene *hl_grid_scene_ref (HlGridScene *scene);
void hl_grid_scene_unref (HlGridScene *scene);
/** hl_grid_scene_add_layer: (transfer none): thumbs zeroed for the caller to fill. */
HlGridLayer *hl_grid_scene_add_layer (HlGridScene *scene, const char *label, int n_heads);
int hl_grid_scene_count_heads (const HlGridScene *scene);
/** hl_grid_scene_max_heads: of the widest layer. */
int hl_grid_scene_max_heads (const HlGridScene *scene);
/** hl_grid_scene_per_group: heads that share a key-value head in every layer; 0 where
 * none do, or not alike. */
int hl_grid_scene_per_group (const HlGridScene *scene);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlGridScene, hl_grid_scene_unref)

/* ---- patches over a picture ----------------------------------------------------------
 */

/**
 * HlOverlayScene: where patches look, on the picture.
 * @picture: @width * @height * 3 bytes RGB, row-major
 * @n_rows, @n_columns: of the patch grid, laid evenly over the picture
 * @weights: (nullable): n_rows * n_columns values; NaN leaves the picture bare
 * @selected: (nullable): n_rows * n_columns, TRUE for the chosen patches (orange)
 * @cursor_row, @cursor_column: keyboard cursor or hover; -1 for none
 * @opacity: of the colours over the picture, 0..1
 * @show_grid: hairlines between the patches
 * @begin_s, @end_s: time of a recording's left and right edge; equal for a picture
 */
typedef struct
{
  gatomicrefcount refs;
  char *title;
  char *caption;
  int width;
  int height;
  guint8 *picture;
  int n_rows;
  int n_columns;
  float *weights;
  gboolean *selected;
  int cursor_row;
  int cursor_column;
  double opacity;
  gboolean show_grid;
  double begin_s, end_s;
  HlScale scale;
} HlOverlayScene;

HlOverlayScene *hl_overlay_scene_new (void);
HlOverlayScene *hl_overlay_scene_ref (HlOverlayScene *scene);
void hl_overlay_scene_unref (HlOverlayScene *scene);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlOverlayScene, hl_overlay_scene_unref)

G_END_DECLS
