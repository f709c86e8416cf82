/* SPDX-License-Identifier: MIT
 * How far attention and saliency agree: head by head, output by output, and where they
 * part. */
#pragma once

#include "document/hl-document.h"
#include "presenters/hl-present-compare.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define HL_TYPE_AGREEMENT_PART (hl_agreement_part_get_type ())
G_DECLARE_FINAL_TYPE (HlAgreementPart, hl_agreement_part, HL, AGREEMENT_PART, GtkWidget)

/* Signals
 * "output-chosen" (int): of the chart or map of outputs */

GtkWidget *hl_agreement_part_new (HlDocument *document);

void hl_agreement_part_show (HlAgreementPart *self, const HlCompare *compare);
/** hl_agreement_part_show_output: another output is looked at, and nothing else changed.
 * hl_agreement_part_show_head: another head is looked at. */
void hl_agreement_part_show_output (HlAgreementPart *self, const HlCompare *compare);
void hl_agreement_part_show_head (HlAgreementPart *self, const HlCompare *compare);

void hl_agreement_part_set_is_dark (HlAgreementPart *self, gboolean is_dark);

/** hl_agreement_part_add_charts: appends to (element-type HlChartScene), for figures.
 * hl_agreement_part_get_heads: (transfer none) (nullable): the map of heads. */
void hl_agreement_part_add_charts (HlAgreementPart *self, GPtrArray *scenes);
HlMatrixScene *hl_agreement_part_get_heads (HlAgreementPart *self);

G_END_DECLS
