/* SPDX-License-Identifier: MIT
 * Which files of weights a folder holds, by their names and sizes alone, and why those
 * that are no safetensors are refused. Thread: any. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  HL_WEIGHTS_NONE,
  HL_WEIGHTS_SAFETENSORS,
  HL_WEIGHTS_ADAPTER,
  HL_WEIGHTS_PICKLE,
  HL_WEIGHTS_TENSORFLOW,
  HL_WEIGHTS_FLAX,
  HL_WEIGHTS_GGUF,
  HL_WEIGHTS_ONNX,
  HL_N_WEIGHTS_KINDS,
} HlWeightsKind;

/**
 * HlWeightFiles:
 * @kind: the kind to be opened: safetensors where there are any
 * @name: (nullable): base name of one file of the kind, for errors
 * @size_bytes: of the files of the kind, links followed
 * @n_missing: files that should be there and are not: shards, or what a link points at
 */
typedef struct
{
  HlWeightsKind kind;
  char *name;
  guint64 size_bytes;
  guint n_missing;
} HlWeightFiles;

/** hl_weight_files_look: fills @files; reads names and sizes, of 10,000 entries at most.
 * A folder that cannot be read has none. */
void hl_weight_files_look (const char *folder, HlWeightFiles *files);
void hl_weight_files_clear (HlWeightFiles *files);

/** hl_weights_kind_of_file: by the name; HL_WEIGHTS_NONE for anything else. */
HlWeightsKind hl_weights_kind_of_file (const char *name);

/** hl_weights_kind_words: "PyTorch pickle"; of every kind but NONE. */
const char *hl_weights_kind_words (HlWeightsKind kind);

/** hl_weights_refuse: sets @error (UNSUPPORTED): what @path, a file of @kind, is, why it
 * is not opened, and what to do: for a pickle the command line that converts it and those
 * that belong to it. */
void hl_weights_refuse (const char *path, HlWeightsKind kind, GError **error);

/** hl_weights_find_command: (transfer none) (nullable): where in a message of
 * hl_weights_refuse() the command line begins, which goes to its end. */
const char *hl_weights_find_command (const char *message);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (HlWeightFiles, hl_weight_files_clear)

G_END_DECLS
