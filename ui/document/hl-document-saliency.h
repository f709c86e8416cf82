/* SPDX-License-Identifier: MIT
 * What a document knows of saliency beside attention. It runs in the engine's last queue
 * and comes back as "saliency-changed". Included by hl-document.h. Thread: main. */
#pragma once

#include "analysis/hl-cross-result.h"
#include "document/hl-document.h"

G_BEGIN_DECLS

/** HlCrossHeads: whose mean map stands beside saliency: all heads', that of the one
 * looked at, of those that are pinned, of those that the model names for alignment, or of
 * the one that agrees best. */
typedef enum
{
  HL_CROSS_HEADS_ALL,
  HL_CROSS_HEADS_SELECTED,
  HL_CROSS_HEADS_PINNED,
  HL_CROSS_HEADS_ALIGNMENT,
  HL_CROSS_HEADS_BEST,
  HL_N_CROSS_HEADS,
} HlCrossHeads;

/**
 * HlSaliencyChoices: what is computed.
 * @target: a class or token, HL_TARGET_PREDICTED, HL_TARGET_EVERY; HL_TARGET_AUTO for
 *   every token where the model says several, else what is predicted
 * @against: class or token, or -1
 * @at_token: of a text: what is said behind the chosen token, not at its end
 */
typedef struct
{
  HlSaliencyOptions options;
  HlCrossOptions cross;
  int target;
  int against;
  gboolean at_token;
} HlSaliencyChoices;

const HlSaliencyChoices *hl_document_get_saliency_choices (HlDocument *self);
void hl_document_set_saliency_choices (HlDocument *self,
                                       const HlSaliencyChoices *choices);

/** hl_document_set_saliency_pair: of a model with two towers: what is explained is what
 * the input is worth together with @other (nullable), a text or the path of a picture,
 * and not a target. hl_document_get_saliency_pair: (transfer none) (nullable): where it
 * counts. */
void hl_document_set_saliency_pair (HlDocument *self, const char *other);
const char *hl_document_get_saliency_pair (HlDocument *self);

/** hl_document_check_saliency_choices: they fit the model and the input, or there is
 * none; else FALSE with @error (hl_saliency_check()). */
gboolean hl_document_check_saliency_choices (HlDocument *self, GError **error);

/** hl_document_can_compare: a model with logits, or two towers and a pair, its input and
 * its maps are there, and they are of what is ablated now. */
gboolean hl_document_can_compare (HlDocument *self);

/** hl_document_compare: computes saliency, with the ablated heads ablated, and what maps
 * have to do with it. */
void hl_document_compare (HlDocument *self);

/** hl_document_can_go_on: what was compared is by spes, of the input in hand, and maps
 * are compared as they are. hl_document_go_on: with as many masks again, and the choices
 * it was made with. */
gboolean hl_document_can_go_on (HlDocument *self);
void hl_document_go_on (HlDocument *self);

/** hl_document_can_delete: what was compared has a probability, and can be run again. */
gboolean hl_document_can_delete (HlDocument *self);

/** hl_document_delete: deletion and insertion for what was compared. */
void hl_document_delete (HlDocument *self, HlFaithfulnessMetric metric);

/** hl_document_get_checks: (transfer none) (nullable) (element-type HlSpesCheck): of the
 * masks of the run in hand, so far; told by "busy-changed". */
const GArray *hl_document_get_checks (HlDocument *self);

/** hl_document_get_cross: (transfer none) (nullable) */
HlCrossResult *hl_document_get_cross (HlDocument *self);

/** hl_document_get_cross_kept: (transfer none) (nullable): what that was read from. */
HlSessionResult *hl_document_get_cross_kept (HlDocument *self);

/** hl_document_dup_cross_csv: (transfer full) (nullable): as a table. */
char *hl_document_dup_cross_csv (HlDocument *self);

/** hl_document_set_cross_heads: of whose map; it is read if need be. */
void hl_document_set_cross_heads (HlDocument *self, HlCrossHeads heads);
/** hl_document_choose_cross_heads: the same by a person; FALSE, with a word in the status
 * line, where there are no such heads. */
gboolean hl_document_choose_cross_heads (HlDocument *self, HlCrossHeads heads);
HlCrossHeads hl_document_get_cross_heads (HlDocument *self);

/** hl_document_list_cross_heads: (transfer full) (element-type HlHeadKey): those heads;
 * empty where there are none such. */
GArray *hl_document_list_cross_heads (HlDocument *self, HlCrossHeads heads);

/** hl_document_get_cross_map: (transfer none) (nullable): of the chosen heads; NULL while
 * it is read. Of ALL it is what the result has, and NULL too. */
const HlCrossMap *hl_document_get_cross_map (HlDocument *self);

/** hl_document_get_cross_map_heads: (transfer none) (nullable) (element-type HlHeadKey):
 * those that the map is of; @which: (out): by which choice. */
const GArray *hl_document_get_cross_map_heads (HlDocument *self, HlCrossHeads *which);

/** hl_document_is_reading_cross_map: it is on its way. */
gboolean hl_document_is_reading_cross_map (HlDocument *self);

/** hl_document_follow_cross_heads: reads the map again where the choice stands for other
 * heads by now. */
void hl_document_follow_cross_heads (HlDocument *self);

G_END_DECLS
