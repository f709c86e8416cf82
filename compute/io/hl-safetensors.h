/* SPDX-License-Identifier: MIT
 * Weights in safetensors files: one file, or several with an index. The files are mapped
 * into memory and hostile until checked. Immutable; atomic reference count. */
#pragma once

#include "tensor/hl-tensor.h"

G_BEGIN_DECLS

typedef struct _HlSafetensors HlSafetensors;

/**
 * HlTensorInfo: what a header says of one tensor.
 * @dtype: HL_DTYPE_INVALID for a type of the format that this program cannot read
 *   (float8, bool, ...); such a tensor is listed, but not given out
 * @file_dtype: the type as the format calls it, "BF16"
 * @file: base name of the file that holds it
 * Borrowed from the HlSafetensors.
 */
typedef struct
{
  const char *name;
  HlDtype dtype;
  const char *file_dtype;
  HlShape shape;
  const char *file;
} HlTensorInfo;

/**
 * hl_safetensors_open:
 * @path: a .safetensors file, an .index.json file, or a folder that holds
 *   model.safetensors or model.safetensors.index.json
 * Checks every header before anything is believed; reads no weights.
 * Thread: any.
 * Returns: (transfer full): NULL with @error:
 *   MISSING no such file, or a tensor of the index is not in its shard;
 *   IO the system refused; FORMAT a header breaks the rules; DTYPE a number type that
 *   the format does not know; SHAPE more than HL_MAX_DIMS dimensions;
 *   UNSUPPORTED a PyTorch pickle, with the way to convert it, or weights of another
 *   program, by their name
 */
HlSafetensors *hl_safetensors_open (const char *path, GError **error);

/**
 * hl_safetensors_new_from_bytes:
 * @bytes: a whole file's bytes; kept
 * @name: what errors call the file
 * As hl_safetensors_open() of one file, without a file. Identity hashes the header and
 * the size only.
 * Returns: (transfer full): NULL with @error
 */
HlSafetensors *
hl_safetensors_new_from_bytes (GBytes *bytes, const char *name, GError **error);

HlSafetensors *hl_safetensors_ref (HlSafetensors *st);
void hl_safetensors_unref (HlSafetensors *st);

/** hl_safetensors_get_n_tensors: over all files. */
guint hl_safetensors_get_n_tensors (const HlSafetensors *st);

/** hl_safetensors_get_nth: (transfer none): in the order of strcmp() of the names; NULL
 * when @index is too large. */
const HlTensorInfo *hl_safetensors_get_nth (const HlSafetensors *st, guint index);

/** hl_safetensors_lookup: (transfer none) (nullable): what the header says of @name. */
const HlTensorInfo *hl_safetensors_lookup (const HlSafetensors *st, const char *name);

/**
 * hl_safetensors_get:
 * A tensor in the file's own type. It views the map, which lives as long as the tensor
 * does; where the file does not align its numbers it is an aligned copy.
 * Thread: any.
 * Returns: (transfer full): NULL with @error (MISSING, naming file and tensor;
 *   DTYPE not F64, F32, F16, BF16, I64, I32 or U8; MEMORY)
 */
HlTensor *hl_safetensors_get (HlSafetensors *st, const char *name, GError **error);

/** hl_safetensors_get_n_files, _get_file: (transfer none): base name and size of each
 * file,
 * @index below their number. */
guint hl_safetensors_get_n_files (const HlSafetensors *st);
const char *
hl_safetensors_get_file (const HlSafetensors *st, guint index, gsize *size_bytes);

/** hl_safetensors_get_n_parameters: numbers in all tensors together. */
gint64 hl_safetensors_get_n_parameters (const HlSafetensors *st);

/** hl_safetensors_get_size_bytes: of all tensors together, as they lie in the files. */
gsize hl_safetensors_get_size_bytes (const HlSafetensors *st);

/** hl_safetensors_get_path: (transfer none): what was opened: the single file, or the
 * index. */
const char *hl_safetensors_get_path (const HlSafetensors *st);

/**
 * hl_safetensors_identity:
 * Returns: (transfer full): hash over the headers, sizes and modification times of the
 *   files; no weight is read
 */
char *hl_safetensors_identity (const HlSafetensors *st);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlSafetensors, hl_safetensors_unref)

G_END_DECLS
