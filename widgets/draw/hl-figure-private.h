/* SPDX-License-Identifier: MIT
 * What the files of a figure share: its panels, their places on the page, and the
 * writers of the formats. Private to draw/. */
#pragma once

#include "draw/hl-figure.h"
#include "draw/hl-paint-chart.h"
#include "draw/hl-paint-grid.h"
#include "draw/hl-paint-matrix.h"
#include "draw/hl-paint-overlay.h"
#include "draw/hl-paint-tokens.h"

G_BEGIN_DECLS

/** HlPanel: exactly one of the scenes is not NULL. */
typedef struct
{
  HlMatrixScene *matrix;
  HlGridScene *grid;
  HlOverlayScene *overlay;
  HlChartScene *chart;
  HlTokenScene *tokens;
  HlTokenMode token_mode;
  HlTokenFlags token_flags;
} HlPanel;

struct _HlFigure
{
  GPtrArray *panels; /* of HlPanel * */
  char *caption;
  char *note;
  char *title;
  GPtrArray *provenance; /* of char *: key, value, key, value, ... */
  int n_columns;         /* 0: chosen */
};

/** HlPlace: of one panel: its corner on the page, and its own layout from there. */
typedef struct
{
  double x;
  double y;
  double width;  /* of its column, without the gap to the next */
  double header; /* height of the line of the letter and the title */
  HlMatrixLayout matrix;
  HlGridLayout grid;
  HlOverlayLayout overlay;
  HlChartLayout chart;
  HlTokenLayout tokens; /* to be cleared */
} HlPlace;

/**
 * HlPage: a figure laid out; points.
 * @places: of HlPlace, one a panel
 * @shared: (nullable): the scale of the one bar; belongs to a scene
 * @fading: (nullable): a text whose low end fades, and so does the shared bar's
 * @bar: the strip of the shared bar
 * @caption: (nullable): lines, the first with its baseline at @caption_y
 */
typedef struct
{
  HlTheme theme;
  double width;
  double height;
  double pixels_per_unit;
  GArray *places;
  const HlScale *shared;
  gboolean is_relative;
  const HlTokenScene *fading;
  gboolean has_na;
  HlRect bar;
  char **caption;
  double caption_y;
} HlPage;

void hl_page_init (HlPage *page,
                   const HlFigure *figure,
                   const HlFigureOptions *options,
                   double pixels_per_unit);
void hl_page_clear (HlPage *page);
void hl_page_paint (const HlPage *page, const HlFigure *figure, HlPainter *painter);

/** hl_page_caption: (transfer full): of a page whose panels have their places; empty
 * where there is nothing to say. */
char *hl_page_caption (const HlPage *page, const HlFigure *figure);

/** hl_figure_provenance_get: (transfer none): NULL past the last. */
const char *
hl_figure_provenance_get (const HlFigure *figure, guint index, const char **value);

/** hl_svg_finish: (transfer full): Cairo's SVG with the texts and the metadata put in. */
GByteArray *
hl_svg_finish (const HlFigure *figure, const GByteArray *drawn, GPtrArray *text_layer);

/** hl_png_finish: (transfer full): Cairo's PNG with its resolution and the provenance. */
GByteArray *hl_png_finish (const HlFigure *figure, const GByteArray *drawn, double dpi);

/** hl_png_crc: CRC-32 as PNG wants it. */
guint32 hl_png_crc (const guint8 *bytes, gsize n);

G_END_DECLS
