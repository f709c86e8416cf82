/* SPDX-License-Identifier: MIT
 * What the pages of scores share: sections with a heading, a choice of scores, and how a
 * number was computed. */
#pragma once

#include "document/hl-document.h"
#include "gl/hl-chart-view.h"
#include "gl/hl-heatmap-view.h"

G_BEGIN_DECLS

/** hl_score_section: (transfer none): a box with a heading, appended to @page; put the
 * rest into it. @title may be NULL. */
GtkWidget *hl_score_section (GtkWidget *page, const char *title);

/** hl_score_caption: (transfer none): a dim, wrapping label, appended. */
GtkLabel *hl_score_caption (GtkWidget *box);

/** hl_score_add_tower_note: into @box, a child of which is @after: of which tower's heads
 * a page is; seen while the model of @document has several. */
void hl_score_add_tower_note (GtkWidget *box, GtkWidget *after, HlDocument *document);

/** hl_score_chart: (transfer none): a chart of this height, appended. */
HlChartView *hl_score_chart (GtkWidget *box, int height, const char *name);

/** hl_score_map: (transfer none): a map of this height, appended; the wheel is the
 * page's. */
HlHeatmapView *hl_score_map (GtkWidget *box, int height, const char *name);

/** hl_score_button: (transfer none): appended; @clicked swapped with @data. */
GtkWidget *
hl_score_button (GtkWidget *box, const char *label, GCallback clicked, gpointer data);

/** hl_score_explained: (transfer none): text under "How this was computed", appended. */
GtkLabel *hl_score_explained (GtkWidget *page);

/** hl_score_scroller: (transfer floating): @page (out): the box of a page that scrolls.
 */
GtkWidget *hl_score_scroller (GtkWidget **page);

/**
 * HlScoreEmpty: what a page shows before anything is known: a question, what is missing,
 * a button to go on and one to open a data set; which of them are there is the page's to
 * say.
 */
typedef struct
{
  GtkWidget *box;
  GtkLabel *words;
  GtkWidget *run;
  GtkWidget *open;
} HlScoreEmpty;

/** hl_score_empty_init: @box is floating; @run_label with a mnemonic. */
void hl_score_empty_init (HlScoreEmpty *empty,
                          const char *question,
                          const char *run_label,
                          GCallback run,
                          gpointer data);

/** hl_score_follow_session: where an opened session has scores of a data set alone,
 * @scope goes there. */
void hl_score_follow_session (GtkDropDown *scope, HlDocument *document);

/** hl_score_show_busy: while an analysis is under way, @run stops it and says which, and
 * @empty_run waits. */
void hl_score_show_busy (HlDocument *document, GtkWidget *run, GtkWidget *empty_run);

/** hl_score_words: (transfer none): a drop-down of fixed words, appended. */
GtkDropDown *hl_score_words (GtkWidget *box, const char *const *words, const char *name);

/** hl_score_ellipsize: the chosen word may be cut, so that a long one does not widen the
 * page; the list shows all of it. */
void hl_score_ellipsize (GtkDropDown *drop_down);

/**
 * HlScoreChoice: a drop-down of the scores that are known now.
 * @groups: bits of HlScoreGroup that it lists
 */
typedef struct
{
  GtkDropDown *drop_down;
  guint groups;
  GArray *scores; /* of HlScore */
  gboolean is_filling;
} HlScoreChoice;

/** hl_score_choice_init: appended to @box; @changed swapped with @data. */
void hl_score_choice_init (HlScoreChoice *choice,
                           GtkWidget *box,
                           guint groups,
                           const char *name,
                           GCallback changed,
                           gpointer data);
void hl_score_choice_clear (HlScoreChoice *choice);

/** hl_score_choice_fill: with what @document knows; keeps what was chosen, else takes the
 * first of @wished (ended by HL_N_SCORES) that is there. */
void hl_score_choice_fill (HlScoreChoice *choice,
                           HlDocument *document,
                           HlScoreScope scope,
                           const HlScore *wished);

/** hl_score_choice_get: HL_N_SCORES for none. */
HlScore hl_score_choice_get (const HlScoreChoice *choice);

/** hl_score_explain: (transfer full): formula, options and Python that gives the same
 * number from the session, of a head. */
char *hl_score_explain (HlDocument *document, HlScoreScope scope, HlScore score);

G_END_DECLS
