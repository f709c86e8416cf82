/* SPDX-License-Identifier: MIT
 * The cache that Hugging Face's tools download models into, as folders on a disk:
 * models--ORG--NAME/{refs/main, snapshots/REVISION/..., blobs}. Nothing is fetched, and
 * no file of a model is read: names, links and the few bytes of refs only.
 * Thread: any but the main one. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/** HL_HUB_MAX_SNAPSHOTS: of one model that are looked at. */
#define HL_HUB_MAX_SNAPSHOTS 100

/**
 * HlHubSnapshot: one downloaded state of a model.
 * @revision: the commit's hash, as the folder is called
 * @ref: "main" where that points at it; else ""
 */
typedef struct
{
  char *revision;
  char *ref;
  gint64 modified_s;
} HlHubSnapshot;

void hl_hub_snapshot_free (HlHubSnapshot *snapshot);

/** hl_hub_folder: (transfer full): where the cache is, whether it is there or not:
 * HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_HOME/hub, or huggingface/hub in
 * XDG_CACHE_HOME or ~/.cache. */
char *hl_hub_folder (void);

/** hl_hub_repo_name: (transfer full) (nullable): "org/name" for "models--org--name"; NULL
 * for what is no model's folder, or has characters that no such name has. */
char *hl_hub_repo_name (const char *folder_name);

/** hl_hub_list_snapshots: (transfer full) (element-type HlHubSnapshot): of one model's
 * folder; that of "main" first, then the newest; empty where there are none. */
GPtrArray *hl_hub_list_snapshots (const char *repo_folder);

/**
 * hl_hub_find:
 * @name: "org/name", "name", "org/name@revision", or a model's folder in a cache; a
 *   revision is a commit's hash, its beginning (7 characters or more), or the name of a
 *   branch or tag
 * Returns: (transfer full): the snapshot's folder. NULL without @error where @name is no
 *   such name, or no model in the cache; NULL with @error (MISSING) that names what is
 *   there, where the model is in the cache but the revision is not
 */
char *hl_hub_find (const char *name, GError **error);

/** hl_hub_could_be_name: whether @name is written as a model is called. */
gboolean hl_hub_could_be_name (const char *name);

/** hl_hub_name_of_folder: (transfer full) (nullable): as @name of hl_hub_identify(), by
 * the path alone. Thread: any. */
char *hl_hub_name_of_folder (const char *folder);

/**
 * hl_hub_identify: what a model's folder is called by where it lies, and what its
 * download says.
 * @name: (out) (nullable): "org/name" for a snapshot in a cache, with what is below it
 *   ("org/name/text_encoder"); NULL else
 * @revision: (out): a snapshot's, or the one that "hf download --local-dir" noted beside
 *   the files; "" when not known
 */
void hl_hub_identify (const char *folder, char **name, char **revision);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlHubSnapshot, hl_hub_snapshot_free)

G_END_DECLS
