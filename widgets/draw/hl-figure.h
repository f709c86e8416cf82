/* SPDX-License-Identifier: MIT
 * A figure for a paper: panels painted by the screen's painters into SVG, PDF or PNG,
 * with letters, one colour bar where the panels share a scale, a caption, and where it
 * all came from. */
#pragma once

#include "draw/hl-token-layout.h"
#include "scene/hl-chart-scene.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define HL_FIGURE_WIDTH_SINGLE_MM 85.0
#define HL_FIGURE_WIDTH_DOUBLE_MM 178.0

/**
 * HlFigureOptions:
 * @width_mm: of the page, 20..2000; its height follows from the panels
 * @dpi: of a PNG, and of nothing else; 30..2400
 * @is_dark: near-black ground instead of white
 * @n_columns: panels side by side; 0 chooses
 */
typedef struct
{
  double width_mm;
  double dpi;
  gboolean is_dark;
  int n_columns;
} HlFigureOptions;

/** hl_figure_options_init: 85 mm, 300 dpi, light, columns chosen. */
void hl_figure_options_init (HlFigureOptions *options);

typedef struct _HlFigure HlFigure;

/** hl_figure_new: (transfer full): no panel yet. */
HlFigure *hl_figure_new (void);
void hl_figure_free (HlFigure *figure);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlFigure, hl_figure_free)

/** hl_figure_add_matrix: takes a reference; panels appear in the order added. */
void hl_figure_add_matrix (HlFigure *figure, HlMatrixScene *scene);
void hl_figure_add_grid (HlFigure *figure, HlGridScene *scene);
void hl_figure_add_overlay (HlFigure *figure, HlOverlayScene *scene);
/** hl_figure_add_tokens: the whole text, or with HL_TOKENS_SHOWN_ONLY the slice that is
 * not left out; the page is as high as that needs. Title and bar of @flags are the
 * figure's own affair. */
void hl_figure_add_tokens (HlFigure *figure,
                           HlTokenScene *scene,
                           HlTokenMode mode,
                           HlTokenFlags flags);
void hl_figure_add_chart (HlFigure *figure, HlChartScene *scene);
guint hl_figure_count_panels (const HlFigure *figure);

/** hl_figure_set_columns: panels side by side where the options do not say; 0 chooses. */
void hl_figure_set_columns (HlFigure *figure, int n_columns);

/** hl_figure_set_caption: (nullable): in place of the panels' own captions, which are
 * otherwise joined, each once. */
void hl_figure_set_caption (HlFigure *figure, const char *caption);

/** hl_figure_set_note: (nullable): the caption's last sentences: what it is of. */
void hl_figure_set_note (HlFigure *figure, const char *note);

/** hl_figure_set_title: (nullable): of the file's metadata, not drawn. */
void hl_figure_set_title (HlFigure *figure, const char *title);

/** hl_figure_add_provenance: a line of what it was made from ("model", "vit-fashion").
 * A key given twice keeps the later value. */
void hl_figure_add_provenance (HlFigure *figure, const char *key, const char *value);

/** hl_figure_measure: size of the page in points for these options. */
void hl_figure_measure (const HlFigure *figure,
                        const HlFigureOptions *options,
                        double *width_pt,
                        double *height_pt);

/**
 * hl_figure_write:
 * @path: ends in .svg, .pdf or .png (any case)
 * @options: (nullable): defaults
 * Written beside the target, synced and renamed: an error leaves an older file whole and
 * nothing half-written. Numbers in the file do not depend on the locale.
 * Thread: any. Blocks on the disk.
 * Returns: FALSE with @error set (G_IO_ERROR_INVALID_ARGUMENT for the extension, an
 *   option, an empty figure or a target that is no file; G_FILE_ERROR for what the
 *   system refused)
 */
gboolean hl_figure_write (const HlFigure *figure,
                          const char *path,
                          const HlFigureOptions *options,
                          GError **error);

G_END_DECLS
