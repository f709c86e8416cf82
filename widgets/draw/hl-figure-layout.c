/* SPDX-License-Identifier: MIT
 * The page of a figure: panels in rows and columns of equal pictures, letters, the one
 * bar, the caption; and painting it. */
#include "config.h"

#include "draw/hl-figure-private.h"

#include <math.h>

#define MARGIN 4.0      /* round the page, points */
#define PANEL_MIN 105.0 /* of a map or a picture; decides how many go side by side */
#define GRID_MIN 190.0  /* of a grid of heads */
#define CHART_MIN 170.0 /* of a chart */
#define SOUND_MIN 260.0 /* of a recording, which is wide and low */
#define CHART_ASPECT 0.62
#define CONTENT_MIN 12.0
#define TALLEST 1.5    /* a panel's picture, in widths of the page */
#define FLAT_SHARE 0.4 /* of its cells' width that such a map is high */
#define FLATTEST 8.0   /* beyond this aspect the cells of a map are not square */
#define THUMB_MAX 64.0
#define TITLE_SCALE 1.15

/* Distances in multiples of the text size. */
#define HEADER_EM 1.8
#define COLUMN_GAP_EM 1.4
#define ROW_GAP_EM 1.8
#define BAR_GAP_EM 1.2
#define CAPTION_GAP_EM 1.2
#define LINE_EM 1.4

static HlPanel *
panel_at (const HlFigure *figure, guint index)
{
  return g_ptr_array_index (figure->panels, index);
}

static const char *
panel_title (const HlPanel *panel)
{
  return panel->matrix != NULL   ? panel->matrix->title
         : panel->grid != NULL   ? panel->grid->title
         : panel->tokens != NULL ? panel->tokens->title
         : panel->chart != NULL  ? panel->chart->title
                                 : panel->overlay->title;
}

/* ---- one bar for all? ----------------------------------------------------------------
 */

/* NULL where a panel has no values and so no bar. */
static const HlScale *
panel_scale (const HlPanel *panel)
{
  if (panel->overlay != NULL)
    return panel->overlay->weights != NULL ? &panel->overlay->scale : NULL;
  if (panel->tokens != NULL)
    return panel->tokens->weights != NULL ? &panel->tokens->scale : NULL;
  if (panel->chart != NULL)
    return NULL;
  return panel->matrix != NULL ? &panel->matrix->scale : &panel->grid->scale;
}

static gboolean
is_relative (const HlPanel *panel)
{
  return panel->grid != NULL && panel->grid->scale.mode == HL_RANGE_PER_HEAD;
}

/* Such a bar is not that of a map. */
static gboolean
fades_low (const HlPanel *panel)
{
  return panel->tokens != NULL && panel->tokens->fades_low;
}

static gboolean
scales_equal (const HlScale *a, const HlScale *b)
{
  return a->colormap == b->colormap && a->mode == b->mode && a->low == b->low &&
         a->high == b->high && !a->is_log == !b->is_log &&
         !a->clips_high == !b->clips_high;
}

static void
find_shared_scale (HlPage *page, const HlFigure *figure)
{
  const HlScale *first = NULL;
  guint n = 0;
  for (guint i = 0; i < figure->panels->len; i++)
    {
      const HlPanel *panel = panel_at (figure, i);
      const HlScale *scale = panel_scale (panel);
      if (scale == NULL)
        continue;
      if (n++ == 0)
        {
          first = scale;
          page->is_relative = is_relative (panel);
          page->fading = fades_low (panel) ? panel->tokens : NULL;
        }
      else if (!scales_equal (first, scale) || page->is_relative != is_relative (panel) ||
               (page->fading != NULL) != fades_low (panel))
        return;
    }
  page->shared = n > 1 ? first : NULL;
}

static gboolean
has_na_values (const float *values, gint64 n)
{
  for (gint64 i = 0; values != NULL && i < n; i++)
    if (isnan (values[i]))
      return TRUE;
  return FALSE;
}

static gboolean
panel_has_na (const HlPanel *panel)
{
  const HlMatrixScene *matrix = panel->matrix;
  if (matrix != NULL)
    return has_na_values (matrix->values,
                          matrix->n_values_rows * matrix->n_values_columns);
  for (guint l = 0; panel->grid != NULL && l < panel->grid->layers->len; l++)
    {
      const HlGridLayer *layer = g_ptr_array_index (panel->grid->layers, l);
      for (int h = 0; h < layer->n_heads; h++)
        if (has_na_values (layer->thumbs[h].values,
                           (gint64) layer->thumbs[h].n_rows * layer->thumbs[h].n_columns))
          return TRUE;
    }
  return FALSE;
}

/* ---- panels --------------------------------------------------------------------------
 */

static gboolean
axes_equal (const HlAxis *a, const HlAxis *b)
{
  if (a->n != b->n || a->major != b->major || a->major_offset != b->major_offset ||
      g_strcmp0 (a->title, b->title) != 0 ||
      hl_axis_has_words (a) != hl_axis_has_words (b))
    return FALSE;
  if (a->labels == NULL && b->labels == NULL && a->tokens == b->tokens)
    return TRUE;
  for (gint64 i = 0; i < a->n; i++)
    if (g_strcmp0 (hl_axis_label (a, i), hl_axis_label (b, i)) != 0)
      return FALSE;
  return TRUE;
}

/* Side by side, maps with the same queries need one left ruler. */
static gboolean
share_left_ruler (const HlFigure *figure)
{
  for (guint i = 0; i < figure->panels->len; i++)
    {
      const HlPanel *panel = panel_at (figure, i);
      if (panel->matrix == NULL ||
          !axes_equal (&panel->matrix->rows, &panel_at (figure, 0)->matrix->rows))
        return FALSE;
    }
  return TRUE;
}

static gboolean
is_recording (const HlPanel *panel)
{
  return panel->overlay != NULL && panel->overlay->end_s > panel->overlay->begin_s;
}

static int
choose_columns (const HlFigure *figure, const HlFigureOptions *options, double width)
{
  int n = (int) figure->panels->len;
  if (options->n_columns > 0)
    return MIN (options->n_columns, n);
  if (figure->n_columns > 0)
    return MIN (figure->n_columns, n);
  double narrowest = PANEL_MIN;
  for (guint i = 0; i < figure->panels->len; i++)
    if (panel_at (figure, i)->grid != NULL || panel_at (figure, i)->tokens != NULL)
      narrowest = GRID_MIN;
    else if (is_recording (panel_at (figure, i)))
      narrowest = SOUND_MIN;
    else if (panel_at (figure, i)->chart != NULL)
      narrowest = MAX (narrowest, CHART_MIN);
  int most = CLAMP ((int) (width / narrowest), 1, n);
  int n_rows = (n + most - 1) / most;
  return (n + n_rows - 1) / n_rows;
}

typedef struct
{
  HlPage *page;
  gboolean has_own_bars;
  gboolean has_headers;
  gboolean hides_left; /* in all columns but the first */
  int n_columns;
} Arrangement;

/* Lays the panel out @content wide (0: to see what surrounds it) and gives its size. */
static void
layout_panel (const Arrangement *arrangement,
              const HlPanel *panel,
              int column,
              double width,
              double height,
              HlPlace *place,
              HlRect *content,
              double *used_width,
              double *used_height)
{
  const HlTheme *theme = &arrangement->page->theme;
  if (panel->matrix != NULL)
    {
      HlMatrixFlags flags =
          HL_MATRIX_RULERS | HL_MATRIX_AXIS_TITLES | HL_MATRIX_SQUARE | HL_MATRIX_TIGHT;
      flags |= arrangement->has_own_bars ? HL_MATRIX_BAR : 0;
      flags |= arrangement->hides_left && column > 0 ? HL_MATRIX_NO_LEFT : 0;
      double aspect =
          (double) MAX (panel->matrix->columns.n, 1) / MAX (panel->matrix->rows.n, 1);
      if (aspect > FLATTEST || aspect < 1 / FLATTEST)
        {
          flags &= ~HL_MATRIX_SQUARE;
          height = MIN (height, aspect > 1 ? width / 2 : 2 * width);
        }
      hl_matrix_layout_compute (panel->matrix, theme, width, height, NULL, flags,
                                &place->matrix);
      if (aspect > FLATTEST)
        {
          /* What a panel has beside its cells does not make them higher than others'. */
          const HlRect *cells = &place->matrix.cells;
          height += FLAT_SHARE * cells->width - cells->height;
          hl_matrix_layout_compute (panel->matrix, theme, width, height, NULL, flags,
                                    &place->matrix);
        }
      *content = place->matrix.cells;
      *used_width = place->matrix.used_width;
      *used_height = place->matrix.used_height;
    }
  else if (panel->grid != NULL)
    {
      HlGridFlags flags = HL_GRID_LABELS | HL_GRID_AXIS_TITLES;
      flags |= arrangement->has_own_bars ? HL_GRID_BAR : 0;
      HlGridLayout *grid = &place->grid;
      hl_grid_layout_compute (panel->grid, theme, width, 0, flags, grid);
      double most = MIN (THUMB_MAX, height / MAX (grid->n_layers, 1) / 1.05);
      if (grid->cell > most)
        hl_grid_layout_compute (panel->grid, theme, width, most, flags, grid);
      *content = (HlRect){ grid->x0, grid->y0, hl_grid_layout_heads_width (grid),
                           hl_grid_layout_layers_height (grid) };
      *used_width = grid->width;
      *used_height = grid->height;
    }
  else if (panel->chart != NULL)
    {
      HlChartLayout *chart = &place->chart;
      hl_chart_layout_compute (panel->chart, theme, width,
                               MIN (height, CHART_ASPECT * width), FALSE, chart);
      *content = chart->plot;
      *used_width = chart->used_width;
      *used_height = chart->used_height;
    }
  else if (panel->tokens != NULL)
    {
      HlTokenFlags flags = panel->token_flags;
      flags |= arrangement->has_own_bars ? HL_TOKENS_BAR : 0;
      hl_token_layout_compute (&place->tokens, panel->tokens, theme, width,
                               panel->token_mode, flags);
      *content = place->tokens.body;
      *used_width = place->tokens.used_width;
      *used_height = place->tokens.used_height;
    }
  else
    {
      HlOverlayFlags flags = HL_OVERLAY_TIME;
      flags |= arrangement->has_own_bars ? HL_OVERLAY_BAR : 0;
      hl_overlay_layout_compute (panel->overlay, theme, width, height, flags,
                                 &place->overlay);
      *content = place->overlay.picture;
      *used_width = place->overlay.used_width;
      *used_height = place->overlay.used_height;
    }
}

/* What surrounds a panel's picture from left to right: the widest of each column, with
 * pictures about @content wide. */
static void
measure_surroundings (const Arrangement *arrangement,
                      const HlFigure *figure,
                      double content_width,
                      double *surroundings)
{
  g_autofree double *before =
      g_memdup2 (surroundings, sizeof (double) * arrangement->n_columns);
  for (int c = 0; c < arrangement->n_columns; c++)
    surroundings[c] = 0;
  for (guint i = 0; i < figure->panels->len; i++)
    {
      int column = (int) i % arrangement->n_columns;
      /* What was measured of a text serves again. */
      HlPlace *place = &g_array_index (arrangement->page->places, HlPlace, i);
      HlRect content;
      double used_width, used_height;
      layout_panel (arrangement, panel_at (figure, i), column,
                    before[column] + content_width, 1e6, place, &content, &used_width,
                    &used_height);
      surroundings[column] = MAX (surroundings[column], used_width - content.width);
    }
}

/* All pictures are to be equally wide, whatever surrounds them. */
static double
find_content_width (const Arrangement *arrangement,
                    const HlFigure *figure,
                    double width,
                    double *surroundings)
{
  int n = arrangement->n_columns;
  double em = arrangement->page->theme.font_size;
  double content_width = width / n / 2;
  /* What surrounds a picture depends a little on its width; twice is enough. */
  for (int round = 0; round < 3; round++)
    {
      measure_surroundings (arrangement, figure, content_width, surroundings);
      double room = width - (n - 1) * COLUMN_GAP_EM * em;
      for (int c = 0; c < n; c++)
        room -= surroundings[c];
      content_width = MAX (room / n, CONTENT_MIN);
    }
  return content_width;
}

/* Returns the bottom of the last row; @right takes the right end of the widest. */
static double
place_panels (const Arrangement *arrangement,
              const HlFigure *figure,
              double width,
              double *right)
{
  HlPage *page = arrangement->page;
  double em = page->theme.font_size;
  int n_columns = arrangement->n_columns;
  g_autofree double *surroundings = g_new0 (double, n_columns);
  double content_width = find_content_width (arrangement, figure, width, surroundings);

  double x = MARGIN, y = MARGIN, row_height = 0;
  *right = 0;
  for (guint i = 0; i < figure->panels->len; i++)
    {
      int column = (int) i % n_columns;
      if (column == 0 && i > 0)
        {
          y += row_height + ROW_GAP_EM * em;
          x = MARGIN;
          row_height = 0;
        }
      HlPlace *place = &g_array_index (page->places, HlPlace, i);
      HlRect content;
      double used_width, used_height;
      double panel_width = surroundings[column] + content_width;
      for (int round = 0; round < 3; round++)
        {
          layout_panel (arrangement, panel_at (figure, i), column, panel_width,
                        TALLEST * page->width, place, &content, &used_width,
                        &used_height);
          if (content.width <= content_width + 0.01)
            break;
          panel_width -= content.width - content_width;
        }
      place->x = x;
      place->width = surroundings[column] + content_width;
      place->header = arrangement->has_headers ? HEADER_EM * em : 0;
      place->y = y + place->header;
      row_height = MAX (row_height, place->header + used_height);
      *right = MAX (*right, x + used_width);
      x += surroundings[column] + content_width + COLUMN_GAP_EM * em;
    }
  return y + row_height;
}

static HlRect
content_of (const HlPage *page, const HlFigure *figure, guint index)
{
  const HlPanel *panel = panel_at (figure, index);
  const HlPlace *place = &g_array_index (page->places, HlPlace, index);
  const HlGridLayout *grid = &place->grid;
  HlRect rect = panel->matrix != NULL   ? place->matrix.cells
                : panel->tokens != NULL ? place->tokens.body
                : panel->chart != NULL  ? place->chart.plot
                : panel->overlay != NULL
                    ? place->overlay.picture
                    : (HlRect){ grid->x0, grid->y0, hl_grid_layout_heads_width (grid),
                                hl_grid_layout_layers_height (grid) };
  rect.x += place->x;
  rect.y += place->y;
  return rect;
}

/* ---- the shared bar ------------------------------------------------------------------
 */

/* Beside a single row of panels where there is width for it, else below them all. */
static double
place_bar (
    HlPage *page, const HlFigure *figure, gboolean is_below, double right, double bottom)
{
  double em = page->theme.font_size;
  HlRect first = content_of (page, figure, 0);
  if (!is_below)
    {
      double below_key = page->has_na ? 2.2 * em : 0;
      page->bar =
          (HlRect){ right + (BAR_GAP_EM - 0.6) * em, first.y, HL_COLOR_BAR_EM * em,
                    MAX (hl_color_bar_length (&page->theme, first.height) - below_key,
                         em) };
      return bottom;
    }
  double left = first.x, end = page->width - MARGIN - 2 * em;
  if (page->has_na)
    end -= hl_na_key_width (&page->theme) + 2 * em;
  double width = MIN (end - left, hl_color_bar_length (&page->theme, G_MAXDOUBLE));
  /* In the middle of the pictures, unless they are narrower than the bar. */
  double middle = (left + MAX (right, left + width)) / 2;
  double x = MIN (MAX (middle - width / 2, left), end - width);
  page->bar = (HlRect){ x, bottom + BAR_GAP_EM * em, width, HL_COLOR_BAR_EM * em };
  return page->bar.y + hl_color_bar_extent (&page->theme, page->shared, FALSE);
}

/* ---- the caption ----------------------------------------------------------------------
 */

static double
place_caption (HlPage *page, const HlFigure *figure, double bottom)
{
  double em = page->theme.font_size;
  g_autofree char *caption = hl_page_caption (page, figure);
  if (*caption == '\0')
    return bottom;
  page->caption = hl_text_wrap (&page->theme, caption, 0, page->width - 2 * MARGIN);
  page->caption_y = bottom + CAPTION_GAP_EM * em + 0.8 * em;
  return page->caption_y + (g_strv_length (page->caption) - 1) * LINE_EM * em + 0.3 * em;
}

/* ---- the page ------------------------------------------------------------------------
 */

void
hl_page_init (HlPage *page,
              const HlFigure *figure,
              const HlFigureOptions *options,
              double pixels_per_unit)
{
  *page = (HlPage){ .theme = hl_theme_figure (options->is_dark) };
  double em = page->theme.font_size;
  page->pixels_per_unit = pixels_per_unit;
  page->width = options->width_mm * 72.0 / 25.4;
  page->places = g_array_new (FALSE, TRUE, sizeof (HlPlace));
  g_array_set_size (page->places, figure->panels->len);
  find_shared_scale (page, figure);

  Arrangement arrangement = { .page = page, .has_own_bars = page->shared == NULL };
  arrangement.n_columns =
      MAX (choose_columns (figure, options, page->width - 2 * MARGIN), 1);
  arrangement.hides_left = arrangement.n_columns > 1 && share_left_ruler (figure);
  arrangement.has_headers = figure->panels->len > 1;
  for (guint i = 0; i < figure->panels->len; i++)
    {
      const HlPanel *panel = panel_at (figure, i);
      page->has_na |= panel_has_na (panel);
      arrangement.has_headers |= panel_title (panel) != NULL;
    }

  int n_rows =
      ((int) figure->panels->len + arrangement.n_columns - 1) / arrangement.n_columns;
  gboolean is_below = n_rows > 1 || page->width < 350;
  double width = page->width - 2 * MARGIN, right = 0;
  if (page->shared != NULL && !is_below)
    width -=
        hl_color_bar_extent (&page->theme, page->shared, TRUE) + (BAR_GAP_EM - 0.6) * em;
  double bottom = place_panels (&arrangement, figure, width, &right);
  if (page->shared != NULL && figure->panels->len > 0)
    bottom = place_bar (page, figure, is_below, right, bottom);
  bottom = place_caption (page, figure, bottom);
  page->height = bottom + MARGIN;
}

void
hl_page_clear (HlPage *page)
{
  for (guint i = 0; i < page->places->len; i++)
    hl_token_layout_clear (&g_array_index (page->places, HlPlace, i).tokens);
  g_clear_pointer (&page->places, g_array_unref);
  g_clear_pointer (&page->caption, g_strfreev);
}

static void
paint_header (const HlPage *page, const HlFigure *figure, guint index, HlPainter *painter)
{
  const HlPlace *place = &g_array_index (page->places, HlPlace, index);
  const HlTheme *theme = &page->theme;
  double em = theme->font_size, size = TITLE_SCALE * em;
  double baseline = place->y - place->header + 0.9 * size;
  HlRect content = content_of (page, figure, index);
  HlTextStyle style = { .size = size, .color = &theme->foreground };
  double x = figure->panels->len > 1 ? place->x : content.x;
  if (figure->panels->len > 1)
    {
      char letter[] = { (char) ('a' + index % 26), '\0' };
      style.is_bold = TRUE;
      hl_paint_text (painter, letter, x, baseline, &style);
      x = MAX (x + hl_text_width (theme, letter, size, TRUE) + 0.7 * em, content.x);
    }
  const char *title = panel_title (panel_at (figure, index));
  if (title == NULL)
    return;
  double end = place->x + place->width;
  style.is_bold = FALSE;
  style.size = em;
  g_autofree char *fitted = hl_text_fit (theme, title, em, MAX (end - x, 4 * em));
  hl_paint_text (painter, fitted, x, baseline, &style);
}

static void
paint_shared_bar (const HlPage *page, HlPainter *painter)
{
  const HlRect *bar = &page->bar;
  double em = page->theme.font_size;
  if (page->is_relative)
    hl_paint_color_bar_relative (painter, page->shared, bar);
  else if (page->fading != NULL)
    hl_paint_token_bar (painter, page->fading, bar);
  else
    hl_paint_color_bar (painter, page->shared, bar);
  if (page->has_na && bar->height > bar->width)
    hl_paint_na_key (painter, page->shared->colormap, bar->x,
                     bar->y + bar->height + 1.75 * em);
  else if (page->has_na)
    hl_paint_na_key (painter, page->shared->colormap, bar->x + bar->width + 2 * em,
                     bar->y + bar->height / 2);
}

void
hl_page_paint (const HlPage *page, const HlFigure *figure, HlPainter *painter)
{
  cairo_t *cr = painter->cr;
  hl_paint_set_color (cr, &page->theme.background);
  cairo_paint (cr);
  for (guint i = 0; i < figure->panels->len; i++)
    {
      const HlPanel *panel = panel_at (figure, i);
      const HlPlace *place = &g_array_index (page->places, HlPlace, i);
      if (place->header > 0)
        paint_header (page, figure, i, painter);
      cairo_save (cr);
      cairo_translate (cr, place->x, place->y);
      if (panel->matrix != NULL)
        hl_paint_matrix (painter, panel->matrix, &place->matrix);
      else if (panel->grid != NULL)
        hl_paint_grid (painter, panel->grid, &place->grid);
      else if (panel->chart != NULL)
        hl_paint_chart (painter, panel->chart, &place->chart, -1);
      else if (panel->tokens != NULL)
        hl_paint_tokens (painter, panel->tokens, &place->tokens, NULL);
      else
        hl_paint_overlay (painter, panel->overlay, &place->overlay);
      cairo_restore (cr);
    }
  if (page->shared != NULL && page->bar.height > 0)
    paint_shared_bar (page, painter);
  HlTextStyle style = { .color = &page->theme.foreground };
  for (int i = 0; page->caption != NULL && page->caption[i] != NULL; i++)
    hl_paint_text (painter, page->caption[i], MARGIN,
                   page->caption_y + i * LINE_EM * page->theme.font_size, &style);
}
