/* SPDX-License-Identifier: MIT
 * The models on this disk: those in the cache of downloads (hl-hub.h), or in any folder,
 * with whether they can be opened and if not why, in one line. Reads config.json and the
 * sizes of files; no weights. Thread: any but the main one. */
#pragma once

#include "base/hl-progress.h"

G_BEGIN_DECLS

/** HL_MODEL_CACHE_MAX: models that are listed at most. */
#define HL_MODEL_CACHE_MAX 5000

/**
 * HlCachedModel: one revision of a model, immutable.
 * @name: "org/name", or a folder's last part; UTF-8
 * @revision: the commit's hash; "" when not known
 * @ref: "main" where that is this revision; else ""
 * @folder: where it lies, to be opened
 * @model_type: of config.json, shortened and printable; ""
 * @family_title: of the family that takes it; "" for none
 * @size_bytes: of its weights
 * @reason: (nullable): why it cannot be opened; NULL where it can
 * A snapshot that can be opened by what is known here may still be damaged inside.
 */
typedef struct
{
  char *name;
  char *revision;
  char *ref;
  char *folder;
  char *model_type;
  char *family_title;
  guint64 size_bytes;
  char *reason;
} HlCachedModel;

void hl_cached_model_free (HlCachedModel *model);

/**
 * hl_model_cache_list:
 * @folder: (nullable): the cache; NULL is hl_hub_folder()
 * Snapshots that hold neither weights nor config.json beside another one are left out.
 * Returns: (transfer full) (element-type HlCachedModel): by name, then "main" and newest
 *   first; empty where there is no cache. NULL with @error: IO a cache that cannot be
 *   read, or cancelled
 */
GPtrArray *
hl_model_cache_list (const char *folder, const HlProgress *progress, GError **error);

/** hl_model_cache_look: (transfer full) (nullable): at one folder; NULL where it is none.
 */
HlCachedModel *hl_model_cache_look (const char *folder);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlCachedModel, hl_cached_model_free)

G_END_DECLS
