/* SPDX-License-Identifier: MIT
 * One safetensors file: its checked header. Shared by the two halves of hl-safetensors.
 */
#pragma once

#include "io/hl-safetensors.h"

G_BEGIN_DECLS

/** HL_SAFETENSORS_MAX_HEADER: bytes; the format's own limit. */
#define HL_SAFETENSORS_MAX_HEADER ((guint64) 100000000)

/**
 * HlShardEntry: a tensor of the file.
 * @bytes: borrowed from the shard
 * @offset, @size_bytes: from the start of the file
 * @dtype_words: the type in words, for types that are refused: "float8"
 */
typedef struct
{
  HlTensorInfo info;
  GBytes *bytes;
  gsize offset;
  gsize size_bytes;
  const char *dtype_words;
} HlShardEntry;

/**
 * HlShard: a file.
 * @name: base name
 * @data_start: bytes before the first tensor
 * @modified_ns: 0 where there is no file
 * @root: the parsed header, which owns the tensors' names
 */
typedef struct
{
  char *name;
  GBytes *bytes;
  gsize data_start;
  gint64 modified_ns;
  gpointer root;
  GPtrArray *entries;
  GHashTable *by_name;
} HlShard;

/** hl_shard_open: (transfer full): maps @path and checks its header. */
HlShard *hl_shard_open (const char *path, GError **error);

/** hl_shard_new: (transfer full): checks the header of a file's bytes. */
HlShard *hl_shard_new (GBytes *bytes, const char *name, GError **error);

void hl_shard_free (HlShard *shard);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlShard, hl_shard_free)

G_END_DECLS
