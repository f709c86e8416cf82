/* SPDX-License-Identifier: MIT
 * The kinds of data sets, for hl-dataset.c. */
#pragma once

#include "model/hl-dataset.h"
#include "model/hl-labels.h"

G_BEGIN_DECLS

/** HlIdx: pictures of one size, one after another. */
typedef struct _HlIdx
{
  GBytes *bytes;
  gint64 n;
  gint64 height;
  gint64 width;
  gsize start;
} HlIdx;

/** hl_dataset_add: takes what is given (all strings (transfer full)). FALSE with @error
 * where there are too many. */
gboolean hl_dataset_add (HlDataset *dataset, const HlDatasetItem *item, GError **error);

/** hl_dataset_label: sets @item's label from its label_name. */
void hl_dataset_label (const HlLabels *labels, HlDatasetItem *item);

/* Each fills @dataset from its path; FALSE with @error. */
gboolean
hl_dataset_list_folder (HlDataset *dataset, const HlModelInfo *info, GError **error);
gboolean
hl_dataset_list_csv (HlDataset *dataset, const HlModelInfo *info, GError **error);
gboolean hl_dataset_list_idx (HlDataset *dataset, GError **error);
gboolean hl_dataset_list_lines (HlDataset *dataset, GError **error);

/** hl_dataset_is_idx: by its name: "t10k-images-idx3-ubyte.gz". */
gboolean hl_dataset_is_idx (const char *path);

/** hl_idx_get_rgb: (transfer full): (H, W, 3) uint8; NULL with @error. */
HlTensor *hl_idx_get_rgb (const HlIdx *idx, gint64 index, GError **error);
HlIdx *hl_idx_copy (const HlIdx *idx);
void hl_idx_free (HlIdx *idx);

G_END_DECLS
