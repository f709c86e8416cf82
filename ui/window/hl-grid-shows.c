/* SPDX-License-Identifier: MIT
 * What the grid of heads shows. */
#include "config.h"

#include "window/hl-grid-shows.h"

#include "presenters/hl-present-scores.h"
#include "window/hl-score-page.h"

#include <glib/gi18n.h>

void
hl_grid_shows_init (HlGridShows *shows, GtkDropDown *drop_down)
{
  shows->drop_down = drop_down;
  hl_score_ellipsize (drop_down);
  shows->scores = g_array_new (FALSE, FALSE, sizeof (HlScore));
}

void
hl_grid_shows_clear (HlGridShows *shows)
{
  g_clear_pointer (&shows->scores, g_array_unref);
}

HlHeadScores *
hl_grid_shows_find (HlDocument *document, HlScore score)
{
  HlHeadScores *scores = hl_document_find_scores (document, HL_SCOPE_DATASET, score);
  return scores != NULL ? scores
                        : hl_document_find_scores (document, HL_SCOPE_INPUT, score);
}

static HlHeadScores *
find_hops (HlDocument *document)
{
  HlHeadScores *set = hl_document_get_scores (document, HL_SCOPE_DATASET);
  HlHeadScores *one = hl_document_get_scores (document, HL_SCOPE_INPUT);
  return set != NULL && set->n_hop_inputs > 0   ? set
         : one != NULL && one->n_hop_inputs > 0 ? one
                                                : NULL;
}

static gboolean
shows_hops (const HlGridShows *shows)
{
  return shows->has_hops && gtk_drop_down_get_selected (shows->drop_down) == 1;
}

HlScore
hl_grid_shows_get_score (const HlGridShows *shows)
{
  guint i = gtk_drop_down_get_selected (shows->drop_down), fixed = 1 + shows->has_hops;
  return i >= fixed && i - fixed < shows->scores->len
             ? g_array_index (shows->scores, HlScore, i - fixed)
             : HL_N_SCORES;
}

void
hl_grid_shows_fill (HlGridShows *shows, HlDocument *document)
{
  GArray *scores = g_array_new (FALSE, FALSE, sizeof (HlScore));
  gboolean has_hops = find_hops (document) != NULL, was_hops = shows_hops (shows);
  HlScore chosen = hl_grid_shows_get_score (shows);
  for (int i = 0; i < HL_N_SCORES; i++)
    {
      HlScore score = (HlScore) i;
      if (hl_grid_shows_find (document, score) != NULL)
        g_array_append_val (scores, score);
    }
  gboolean is_same =
      scores->len == shows->scores->len && has_hops == shows->has_hops &&
      memcmp (scores->data, shows->scores->data, scores->len * sizeof (HlScore)) == 0;
  if (is_same && gtk_drop_down_get_model (shows->drop_down) != NULL)
    {
      g_array_unref (scores);
      return;
    }
  g_autoptr (GtkStringList) words = gtk_string_list_new (NULL);
  guint place = was_hops && has_hops ? 1 : 0;
  gtk_string_list_append (words, _ ("Maps"));
  if (has_hops)
    gtk_string_list_append (words, _ ("Attention by distance"));
  for (guint i = 0; i < scores->len; i++)
    {
      HlScore score = g_array_index (scores, HlScore, i);
      g_autofree char *title = hl_score_title (score);
      gtk_string_list_append (words, title);
      place = score == chosen ? 1 + (guint) has_hops + i : place;
    }
  shows->is_filling = TRUE;
  g_array_unref (shows->scores);
  shows->scores = scores;
  shows->has_hops = has_hops;
  gtk_drop_down_set_model (shows->drop_down, G_LIST_MODEL (words));
  gtk_drop_down_set_selected (shows->drop_down, place);
  shows->is_filling = FALSE;
}

HlGridScene *
hl_grid_shows_present (const HlGridShows *shows, HlDocument *document)
{
  HlScore score = hl_grid_shows_get_score (shows);
  HlHeadScores *scores =
      score != HL_N_SCORES ? hl_grid_shows_find (document, score) : NULL;
  if (scores != NULL)
    return hl_present_score_grid (scores, score);
  HlHeadScores *hops = shows_hops (shows) ? find_hops (document) : NULL;
  return hops != NULL ? hl_present_hop_grid (hops) : NULL;
}
