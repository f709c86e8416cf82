/* SPDX-License-Identifier: MIT
 * The caption of a figure: what its panels say, each thing once, and how they were
 * drawn. */
#include "config.h"

#include "draw/hl-figure-private.h"

#include <glib/gi18n-lib.h>
#include <string.h>

static const HlPanel *
panel_at (const HlFigure *figure, guint index)
{
  return g_ptr_array_index (figure->panels, index);
}

static const char *
panel_caption (const HlPanel *panel)
{
  return panel->matrix != NULL   ? panel->matrix->caption
         : panel->grid != NULL   ? panel->grid->caption
         : panel->tokens != NULL ? panel->tokens->caption
         : panel->chart != NULL  ? panel->chart->caption
                                 : panel->overlay->caption;
}

static void
add_sentence (GString *caption, const char *sentence)
{
  if (sentence == NULL || *sentence == '\0')
    return;
  if (caption->len > 0)
    g_string_append_c (caption, ' ');
  g_string_append (caption, sentence);
  /* The next sentence needs an end before it. */
  if (strchr (".!?:;", caption->str[caption->len - 1]) == NULL)
    g_string_append_c (caption, '.');
}

/* Captions that all panels share are said once, others with their panels' letters. */
static void
add_panel_captions (GString *caption, const HlFigure *figure)
{
  g_autoptr (GPtrArray) texts = g_ptr_array_new ();
  g_autoptr (GPtrArray) letters =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_free);
  guint n = 0;
  for (guint i = 0; i < figure->panels->len; i++)
    {
      const char *text = panel_caption (panel_at (figure, i));
      if (text == NULL || *text == '\0')
        continue;
      n++;
      guint at = 0;
      while (at < texts->len && !g_str_equal (texts->pdata[at], text))
        at++;
      if (at == texts->len)
        {
          g_ptr_array_add (texts, (gpointer) text);
          g_ptr_array_add (letters, g_strdup (""));
        }
      char *before = letters->pdata[at];
      letters->pdata[at] =
          g_strdup_printf ("%s%s%c", before, *before != '\0' ? ", " : "", 'a' + i % 26);
      g_free (before);
    }
  gboolean is_lettered = texts->len > 1 || (texts->len == 1 && n < figure->panels->len);
  for (guint i = 0; i < texts->len; i++)
    {
      g_autofree char *lettered = g_strdup_printf ("(%s) %s", (char *) letters->pdata[i],
                                                   (char *) texts->pdata[i]);
      add_sentence (caption, is_lettered ? lettered : texts->pdata[i]);
    }
}

/* Joining values while drawing changes what is seen, so the caption says it. */
static void
add_pooling (GString *caption, const HlPage *page, const HlFigure *figure)
{
  HlCellPool most = { 1, 1 };
  gboolean is_mean = FALSE;
  for (guint i = 0; i < figure->panels->len; i++)
    {
      const HlMatrixScene *scene = panel_at (figure, i)->matrix;
      if (scene == NULL || scene->values == NULL)
        continue;
      const HlPlace *place = &g_array_index (page->places, HlPlace, i);
      HlCellPool pool =
          hl_matrix_layout_pool (&place->matrix, scene, page->pixels_per_unit);
      if (pool.rows * pool.columns <= most.rows * most.columns)
        continue;
      most = pool;
      is_mean = scene->pool > 1 && !scene->pool_is_max;
    }
  if (most.rows * most.columns == 1)
    return;
  g_autofree char *sentence = g_strdup_printf (
      is_mean ? _ ("Drawn with the mean of up to %d × %d values in a cell.")
              : _ ("Drawn with the maximum of up to %d × %d values in a cell."),
      (int) most.rows, (int) most.columns);
  add_sentence (caption, sentence);
}

char *
hl_page_caption (const HlPage *page, const HlFigure *figure)
{
  g_autoptr (GString) caption = g_string_new (NULL);
  if (figure->caption != NULL)
    add_sentence (caption, figure->caption);
  else
    add_panel_captions (caption, figure);
  add_pooling (caption, page, figure);
  add_sentence (caption, figure->note);
  return g_string_free (g_steal_pointer (&caption), FALSE);
}
