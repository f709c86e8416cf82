/* SPDX-License-Identifier: MIT
 * From an overview of a data set to charts and tables. No toolkit. Thread: any one. */
#pragma once

#include "analysis/hl-overview.h"
#include "draw/hl-painter.h"
#include "scene/hl-chart-scene.h"

G_BEGIN_DECLS

typedef enum
{
  HL_OVERVIEW_BY_LABEL,
  HL_OVERVIEW_BY_PREDICTION,
  HL_OVERVIEW_BY_RIGHT, /* right, wrong, or not known */
  HL_OVERVIEW_BY_SURE,  /* probability of what was predicted */
} HlOverviewColor;

/**
 * HlOverviewView: how an overview is laid out, and which inputs stand out.
 * @principal: by principal components, else by t-SNE where there is one
 * @only_errors: those that are predicted wrongly
 * @label, @predicted: places in the list of classes: only inputs of this label, of this
 *   prediction; -1 for any
 */
typedef struct
{
  gboolean principal;
  HlOverviewColor color;
  gboolean only_errors;
  int label;
  int predicted;
} HlOverviewView;

/** hl_overview_telling_color: by label where some are known, else by prediction. */
HlOverviewColor hl_overview_telling_color (const HlOverview *overview);

/** hl_overview_passes: input @i stands out in @view. */
gboolean
hl_overview_passes (const HlOverview *overview, const HlOverviewView *view, int i);

/**
 * hl_present_overview:
 * @current: the input in hand, as the first series' only mark; -1 for none
 * @dots: (nullable) (out) (transfer full) (element-type int): the input of each dot of
 *   the clouds, which are in an order of their own
 * A cloud a class, those with most inputs first, and one of the others; what does not
 * pass is faint. Returns: (transfer full)
 */
HlChartScene *hl_present_overview (const HlOverview *overview,
                                   const HlOverviewView *view,
                                   int current,
                                   GArray **dots);

/**
 * HL_CONFUSION_MAX: classes of a confusion table; of more those with most errors.
 *
 * hl_present_confusion:
 * @classes: (nullable) (out) (transfer full) (element-type int): the class of each row
 *   and column, places in the list
 * Share of a label's inputs that each class was predicted of; NaN for a label without
 * inputs. Returns: (transfer full)
 */
#define HL_CONFUSION_MAX 40
HlMatrixScene *hl_present_confusion (const HlOverview *overview, GArray **classes);

/** hl_overview_input_words: (transfer full): "shirt-02.png: Shirt, predicted Coat
 * (0.81)". */
char *hl_overview_input_words (const HlOverview *overview, int i);

/** hl_overview_cell_words: (transfer full): of a label and a prediction, places in the
 * list: "Shirt, predicted Coat: 12 of 100". */
char *hl_overview_cell_words (const HlOverview *overview, int label, int predicted);

/** hl_overview_accuracy_words: (transfer full): "88.4 % right (86.4 to 90.2) of 1000". */
char *hl_overview_accuracy_words (const HlOverview *overview);

/** hl_overview_explain: (transfer full): how it was computed, and Python that gives the
 * same numbers from the session. */
char *hl_overview_explain (const HlOverview *overview);

G_END_DECLS
