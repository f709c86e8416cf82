/* SPDX-License-Identifier: MIT
 * From what a data set calls a class to the model's. Thread: any. */
#pragma once

#include "model/hl-model-info.h"

G_BEGIN_DECLS

typedef struct _HlLabels HlLabels;

/**
 * hl_labels_new:
 * @info: (nullable): NULL takes numbers only
 * @folder: (nullable): where a table of synsets may lie, or in its parent
 * @names: (nullable) (element-type utf8): all names that will be asked for: where they
 *   are as many synsets as the model has classes, their order is that of the classes
 */
HlLabels *
hl_labels_new (const HlModelInfo *info, const char *folder, const GPtrArray *names);
void hl_labels_free (HlLabels *labels);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlLabels, hl_labels_free)

/** hl_labels_find: index of a class; -1 for an unknown name. */
int hl_labels_find (const HlLabels *labels, const char *name);

/** hl_labels_is_synset: "n01440764". */
gboolean hl_labels_is_synset (const char *name);

G_END_DECLS
