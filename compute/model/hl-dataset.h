/* SPDX-License-Identifier: MIT
 * A data set: many inputs, with labels where there are any. A folder of pictures (its
 * subfolders are classes), a CSV that names files and labels, IDX files (MNIST and its
 * kin), or a text of which each line is an input. Immutable; atomic reference count. */
#pragma once

#include "model/hl-model.h"

G_BEGIN_DECLS

typedef enum
{
  HL_DATASET_FOLDER,
  HL_DATASET_CSV,
  HL_DATASET_IDX,
  HL_DATASET_LINES,
} HlDatasetKind;

/** HL_DATASET_MAX_ITEMS: more are refused. */
#define HL_DATASET_MAX_ITEMS 10000000

/**
 * HlDatasetItem:
 * @name: for people: file name without its folder, "1234", "line 12"
 * @path: of the file it is read from
 * @text: (nullable): of a line
 * @index: within the file, where it holds many; -1
 * @label: index of the class; -1 where it is not known
 * @label_name: (nullable): as the data set has it
 */
typedef struct
{
  char *name;
  char *path;
  char *text;
  gint64 index;
  int label;
  char *label_name;
} HlDatasetItem;

/**
 * HlDataset:
 * @path, @name: of the folder or file
 * @items: (element-type HlDatasetItem), in the order of names or of the file
 * @n_unlabelled: items without a class of the model's
 * @warning: (nullable): what is odd about it, for a person
 */
typedef struct
{
  gatomicrefcount refs;
  HlDatasetKind kind;
  char *path;
  char *name;
  GArray *items;
  int n_unlabelled;
  char *warning;
  struct _HlIdx *idx;
} HlDataset;

/**
 * hl_dataset_open:
 * @info: (nullable): of the model whose classes the labels are
 * Lists what is there; pictures are not decoded yet.
 * Labels are class names (compared without case, blanks and punctuation; the part before
 * a comma is enough), numbers, or names of synsets ("n01440764"), which are mapped by
 * LOC_synset_mapping.txt or synset_words.txt beside them, or by their order where there
 * are as many folders as classes.
 * Thread: engine (it reads files). Returns: (transfer full): NULL with @error (MISSING,
 * FORMAT, RANGE, IO)
 */
HlDataset *hl_dataset_open (const char *path, const HlModelInfo *info, GError **error);
HlDataset *hl_dataset_ref (HlDataset *dataset);
void hl_dataset_unref (HlDataset *dataset);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlDataset, hl_dataset_unref)

int hl_dataset_get_n_items (const HlDataset *dataset);
const HlDatasetItem *hl_dataset_get_item (const HlDataset *dataset, int index);

/** hl_dataset_find: index of the item that an input called @name and @path was opened
 * from; -1 for none. */
int hl_dataset_find (const HlDataset *dataset, const char *name, const char *path);

/** hl_dataset_sample: (transfer full): @n of the items, drawn with @seed and then in
 * their order; all of them where @n is 0 or not fewer. */
HlDataset *hl_dataset_sample (const HlDataset *dataset, int n, guint32 seed);

/**
 * hl_dataset_open_input:
 * @label: (out): class, or for a line of text its last token, which is to be predicted
 *   and is left out of the input; -1 where it is not known
 * Thread: engine. Returns: (transfer full): NULL with @error
 */
HlInput *hl_dataset_open_input (const HlDataset *dataset,
                                const HlModel *model,
                                int index,
                                int *label,
                                GError **error);

G_END_DECLS
