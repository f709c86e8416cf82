/* SPDX-License-Identifier: MIT
 * What the grid of heads shows. Scores and patterns are of the first stack. */
#include "config.h"

#include "window/hl-grid-shows.h"

#include "presenters/hl-present-patterns.h"
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
  if (hl_document_get_stack (document) != 0)
    return NULL;
  HlHeadScores *scores = hl_document_find_scores (document, HL_SCOPE_DATASET, score);
  return scores != NULL ? scores
                        : hl_document_find_scores (document, HL_SCOPE_INPUT, score);
}

static HlHeadScores *
find_hops (HlDocument *document)
{
  HlHeadScores *set = hl_document_get_scores (document, HL_SCOPE_DATASET);
  HlHeadScores *one = hl_document_get_scores (document, HL_SCOPE_INPUT);
  if (hl_document_get_stack (document) != 0)
    return NULL;
  return set != NULL && set->n_hop_inputs > 0   ? set
         : one != NULL && one->n_hop_inputs > 0 ? one
                                                : NULL;
}

static guint
find_patterns (HlDocument *document)
{
  guint found = 0;
  gboolean is_first = hl_document_get_stack (document) == 0;
  for (int k = 0; k < HL_N_PATTERNS && is_first; k++)
    if (hl_document_get_patterns (document, (HlPatternKind) k) != NULL)
      found |= 1u << k;
  return found;
}

/* Entries before those of patterns, and before those of scores. */
static guint
first_pattern (const HlGridShows *shows)
{
  return 1 + (guint) shows->has_hops;
}

static guint
first_score (const HlGridShows *shows)
{
  guint n = first_pattern (shows);
  for (int k = 0; k < HL_N_PATTERNS; k++)
    n += shows->patterns >> k & 1;
  return n;
}

static gboolean
shows_hops (const HlGridShows *shows)
{
  return shows->has_hops && gtk_drop_down_get_selected (shows->drop_down) == 1;
}

/* HL_N_PATTERNS where no patterns are shown. */
static HlPatternKind
shown_pattern (const HlGridShows *shows)
{
  guint at = first_pattern (shows),
        chosen = gtk_drop_down_get_selected (shows->drop_down);
  for (int k = 0; k < HL_N_PATTERNS; k++)
    if ((shows->patterns >> k & 1) && at++ == chosen)
      return (HlPatternKind) k;
  return HL_N_PATTERNS;
}

gboolean
hl_grid_shows_patterns (const HlGridShows *shows)
{
  return shown_pattern (shows) != HL_N_PATTERNS;
}

HlScore
hl_grid_shows_get_score (const HlGridShows *shows)
{
  guint i = gtk_drop_down_get_selected (shows->drop_down), fixed = first_score (shows);
  return i >= fixed && i - fixed < shows->scores->len
             ? g_array_index (shows->scores, HlScore, i - fixed)
             : HL_N_SCORES;
}

/* (transfer full): the list; @place: of what was chosen, where it still is. */
static GtkStringList *
make_words (const HlGridShows *shows,
            gboolean was_hops,
            HlPatternKind pattern,
            HlScore chosen,
            guint *place)
{
  GtkStringList *words = gtk_string_list_new (NULL);
  *place = was_hops && shows->has_hops ? 1 : 0;
  gtk_string_list_append (words, _ ("Maps"));
  if (shows->has_hops)
    gtk_string_list_append (words, _ ("Attention by distance"));
  for (int k = 0; k < HL_N_PATTERNS; k++)
    {
      g_autofree char *title =
          g_strdup_printf (_ ("Patterns: %s"), hl_pattern_kind_words ((HlPatternKind) k));
      if (!(shows->patterns >> k & 1))
        continue;
      if ((HlPatternKind) k == pattern)
        *place = g_list_model_get_n_items (G_LIST_MODEL (words));
      gtk_string_list_append (words, title);
    }
  for (guint i = 0; i < shows->scores->len; i++)
    {
      HlScore score = g_array_index (shows->scores, HlScore, i);
      g_autofree char *title = hl_score_title (score);
      if (score == chosen)
        *place = g_list_model_get_n_items (G_LIST_MODEL (words));
      gtk_string_list_append (words, title);
    }
  return words;
}

void
hl_grid_shows_fill (HlGridShows *shows, HlDocument *document)
{
  GArray *scores = g_array_new (FALSE, FALSE, sizeof (HlScore));
  gboolean has_hops = find_hops (document) != NULL, was_hops = shows_hops (shows);
  guint patterns = find_patterns (document), place;
  HlPatternKind pattern = shown_pattern (shows);
  HlScore chosen = hl_grid_shows_get_score (shows);
  for (int i = 0; i < HL_N_SCORES; i++)
    {
      HlScore score = (HlScore) i;
      if (hl_grid_shows_find (document, score) != NULL)
        g_array_append_val (scores, score);
    }
  gboolean is_same =
      scores->len == shows->scores->len && has_hops == shows->has_hops &&
      patterns == shows->patterns &&
      memcmp (scores->data, shows->scores->data, scores->len * sizeof (HlScore)) == 0;
  if (is_same && gtk_drop_down_get_model (shows->drop_down) != NULL)
    {
      g_array_unref (scores);
      return;
    }
  shows->is_filling = TRUE;
  g_array_unref (shows->scores);
  shows->scores = scores;
  shows->has_hops = has_hops;
  shows->patterns = patterns;
  g_autoptr (GtkStringList) words = make_words (shows, was_hops, pattern, chosen, &place);
  gtk_drop_down_set_model (shows->drop_down, G_LIST_MODEL (words));
  gtk_drop_down_set_selected (shows->drop_down, place);
  shows->is_filling = FALSE;
}

HlGridScene *
hl_grid_shows_present (const HlGridShows *shows, HlDocument *document)
{
  HlScore score = hl_grid_shows_get_score (shows);
  HlPatternKind kind = shown_pattern (shows);
  HlHeadScores *scores =
      score != HL_N_SCORES ? hl_grid_shows_find (document, score) : NULL;
  HlPatterns *patterns =
      kind != HL_N_PATTERNS ? hl_document_get_patterns (document, kind) : NULL;
  HlHeadScores *hops = shows_hops (shows) ? find_hops (document) : NULL;
  if (scores != NULL)
    return hl_present_score_grid (scores, score);
  if (patterns != NULL)
    return hl_present_pattern_grid (patterns);
  return hops != NULL ? hl_present_hop_grid (hops) : NULL;
}
