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
 * @window: 0, or how far apart a query and a key that it sees may be, less one: with
 *   @is_causal the latest window keys
 */
typedef struct
{
  HlAttentionKind kind;
  int n_heads;
  int n_kv_heads;
  int head_width;
  gboolean is_causal;
  int window;
} HlLayerInfo;

/** HlPredicts: what is predicted at each position of a text. */
typedef enum
{
  HL_PREDICTS_NOTHING,
  HL_PREDICTS_NEXT, /* the token after it */
  HL_PREDICTS_OWN,  /* the token at it, which may be masked */
} HlPredicts;

/** hl_predicts_name: "", "next", "own"; hl_predicts_from_name: NOTHING for another word.
 */
const char *hl_predicts_name (HlPredicts predicts);
HlPredicts hl_predicts_from_name (const char *name);

/**
 * HlStack: the attention layers of one tower of blocks. A decoder that attends to an
 * encoder has two: its own attention, and "cross", whose keys are the encoder's tokens.
 * @name: "" where a model has only one
 * @tower: what names of its sites begin with: @name, but "decoder" for "cross"
 * @is_cross: its sites are "cross_attn.…", its keys those of stack @key_stack
 * @key_stack: itself unless @is_cross
 */
typedef struct
{
  char *name;
  char *tower;
  gboolean is_cross;
  int key_stack;
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
 * @n_vocab: tokens that a text is made of; 0 for models that take none
 * @predicts: of which, where they have predictions, each position has some
 * @n_context: the longest text it was made for; 0 for others
 * @n_source_context: of the encoder before a decoder; 0 for others
 * @readout_stack: the tower that predictions come from: 0, or that of the decoder behind
 *   an encoder
 * @input_kind: what it takes, "image", "text" or "audio"; "" when not known
 * @other_kind: what the model's other tower takes (hl_model_open_for()); "" where it has
 *   none
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
  HlPredicts predicts;
  int n_context;
  int n_source_context;
  int readout_stack;
  char *input_kind;
  char *other_kind;
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

/** hl_model_info_add_cross: the attention of a decoder, stack @queries, to an encoder,
 * stack
 * @keys, as a stack called "cross"; as hl_model_info_add_stack(). */
HlStack *hl_model_info_add_cross (HlModelInfo *info, int queries, int keys, int n_layers);

/** hl_model_info_get_stack: (transfer none) (nullable): by index. */
const HlStack *hl_model_info_get_stack (const HlModelInfo *info, int stack);

/** hl_model_info_check_one_tower: whether predictions come from stack 0, as @what ("head
 * importance"), which takes heads away there and reads what is predicted, needs.
 * Errors: HL_ERROR_UNSUPPORTED for an encoder with a decoder. */
gboolean
hl_model_info_check_one_tower (const HlModelInfo *info, const char *what, GError **error);

/** HlKeySpan: keys @first up to @end, which is not one of them. */
typedef struct
{
  gint64 first;
  gint64 end;
} HlKeySpan;

/** hl_layer_keys_seen: of a Tq x Tk map those that @query sees; none where @end is
 * @first. */
HlKeySpan
hl_layer_keys_seen (const HlLayerInfo *layer, gint64 query, gint64 Tq, gint64 Tk);

/** hl_model_info_file_name: (transfer none): the name without what is before its last
 * "/", to call a file by. */
const char *hl_model_info_file_name (const HlModelInfo *info);

/** hl_model_info_count_heads: over all layers of all stacks. */
int hl_model_info_count_heads (const HlModelInfo *info);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlModelInfo, hl_model_info_unref)

G_END_DECLS
