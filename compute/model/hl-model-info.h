/* SPDX-License-Identifier: MIT
 * What there is to know of a model without its weights: enough to label every view of a
 * trace, and what a session keeps of it. Immutable once shared; atomic reference count.
 */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

typedef enum
{
  HL_ATTENTION_NONE,
  HL_ATTENTION_SELF,
  HL_ATTENTION_CROSS,
} HlAttentionKind;

/**
 * HlLayerInfo:
 * @kind: attention of this layer; HL_ATTENTION_NONE for a mixer without maps
 * @n_heads: query heads (H)
 * @n_kv_heads: key-value heads; n_heads unless queries are grouped
 * @head_width: K
 * @is_causal: a query sees no later key
 */
typedef struct
{
  HlAttentionKind kind;
  int n_heads;
  int n_kv_heads;
  int head_width;
  gboolean is_causal;
} HlLayerInfo;

/** HlStack: one tower of blocks; @name is "" where a model has only one. */
typedef struct
{
  char *name;
  int n_layers;
  HlLayerInfo *layers; /* n_layers */
} HlStack;

/**
 * HlModelInfo:
 * @path: where the model lay when it was opened
 * @name: for titles: "org/name" of a model in a cache, else the last part of @path
 * @revision: the commit's hash of a model from a cache of downloads; "" when not known
 * @identity: hash of the headers, sizes and times of its files; "" when not known
 * @family: "vit"; "" for a foreign session
 * @family_title: "ViT"
 * @dtype: the weights' type in the file, "float16"
 * @config_json: config.json as text; "" when not known
 * @n_params: number of weights; 0 when not known
 * @width: D; 0 when not known
 * @n_classes: of a classifier; 0 where the model has none
 * @n_vocab: tokens of a language model; 0 for others
 * @n_context: the longest text it was made for; 0 for others
 * @input_kind: what it takes, "image" or "text"; "" when not known
 * @labels: (nullable): class names by index, NULL-terminated
 * @stacks: of HlStack *, at least one
 */
typedef struct
{
  gatomicrefcount refs;
  char *path;
  char *name;
  char *revision;
  char *identity;
  char *family;
  char *family_title;
  char *dtype;
  char *config_json;
  gint64 n_params;
  int width;
  int n_classes;
  int n_vocab;
  int n_context;
  char *input_kind;
  char **labels;
  GPtrArray *stacks;
} HlModelInfo;

/** hl_model_info_new: (transfer full): empty strings, no stacks; fill before sharing. */
HlModelInfo *hl_model_info_new (void);
HlModelInfo *hl_model_info_ref (HlModelInfo *info);
void hl_model_info_unref (HlModelInfo *info);

/** hl_model_info_add_stack: takes nothing; @layers zeroed for the caller to fill.
 * Returns: (transfer none) */
HlStack *hl_model_info_add_stack (HlModelInfo *info, const char *name, int n_layers);

/** hl_model_info_get_stack: (transfer none) (nullable): by index. */
const HlStack *hl_model_info_get_stack (const HlModelInfo *info, int stack);

/** hl_model_info_file_name: (transfer none): the name without what is before its last
 * "/", to call a file by. */
const char *hl_model_info_file_name (const HlModelInfo *info);

/** hl_model_info_count_heads: over all layers of all stacks. */
int hl_model_info_count_heads (const HlModelInfo *info);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlModelInfo, hl_model_info_unref)

G_END_DECLS
