/* SPDX-License-Identifier: MIT
 * A text as its tokens, with what some of them attend to: plain data, like the scenes of
 * hl-scene.h. The tokens are a list of their own, so that a scene with other weights
 * shares them and a view keeps what it has measured. */
#pragma once

#include "scene/hl-scene.h"

G_BEGIN_DECLS

/* ---- the tokens ----------------------------------------------------------------------
 */

typedef enum
{
  HL_TOKEN_KIND_NONE,
  HL_TOKEN_KIND_SPECIAL, /* BOS, separators, chat headers */
  HL_TOKEN_KIND_PROMPT,
  HL_TOKEN_KIND_GENERATED,
  HL_TOKEN_KIND_IMAGE,
  HL_TOKEN_KIND_PADDING,
  HL_N_TOKEN_KINDS,
} HlTokenKind;

/**
 * HlTokenItem: one token.
 * @text: as it is shown, UTF-8, whitespace already made visible; never NULL. Belongs to
 *   the list, where equal texts are the same pointer
 * @bytes: (nullable): its bytes in words, for those who want to know: "20 74 68 65"
 * @id: in the vocabulary; -1 for none
 * @group: neighbours with the same number above 0 are the byte pieces of one character
 *   and drawn as one box, which has the text of the first of them; 0 for a token alone
 * @shade: 0..1, how strongly the box is tinted; NaN for not at all
 * @log_prob: of this token after those before it, in nats; NaN where it is not known
 * @breaks_line: the next token begins a line
 * @is_excluded: outside of the slice that is looked at
 */
typedef struct
{
  const char *text;
  const char *bytes;
  gint64 id;
  guint group;
  HlTokenKind kind;
  float shade;
  float log_prob;
  gboolean breaks_line;
  gboolean is_excluded;
} HlTokenItem;

/** The pieces of one box; more of them make several boxes. */
#define HL_TOKEN_PIECES_MAX 16

/** HlTokenList: immutable once shared; atomic reference count.
 * @is_words: each is a word of one or more tokens */
struct _HlTokenList
{
  gatomicrefcount refs;
  gint64 n;
  HlTokenItem *items;
  GStringChunk *strings;
  gboolean is_words;
};

/** hl_token_list_new: (transfer full): @n empty tokens without id, shade, probability. */
HlTokenList *hl_token_list_new (gint64 n);
HlTokenList *hl_token_list_ref (HlTokenList *list);
void hl_token_list_unref (HlTokenList *list);
/** hl_token_list_set_text: copied once for all tokens with this text. What is not UTF-8
 * is replaced. Before the list is shared. */
void hl_token_list_set_text (HlTokenList *list, gint64 index, const char *text);
/** hl_token_list_set_bytes: (nullable): likewise. */
void hl_token_list_set_bytes (HlTokenList *list, gint64 index, const char *bytes);
/** hl_token_list_piece: of the box that @index lies in: its first token and how many. */
gint64 hl_token_list_piece (const HlTokenList *list, gint64 index, int *n_pieces);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlTokenList, hl_token_list_unref)

/* ---- the scene -----------------------------------------------------------------------
 */

typedef enum
{
  HL_TOKENS_ATTEND_TO,     /* weights say what the selected tokens attend to */
  HL_TOKENS_ATTENDED_FROM, /* weights say which tokens attend to the selected ones */
} HlTokenDirection;

/** HlArc: one attention weight; @head counts into the scene's heads. */
typedef struct
{
  gint64 query;
  gint64 key;
  float weight;
  int head;
} HlArc;

/** HlArcHead: @label "5.1", @rgb 0xrrggbb; 0 takes a colour of the palette. */
typedef struct
{
  char *label;
  guint32 rgb;
} HlArcHead;

/** Share of the scale that fades. */
#define HL_TOKEN_FADE 0.12

/**
 * HlTokenScene:
 * @tokens: (nullable): a reference
 * @weights: (nullable): of the selected tokens, or of the hovered one while none is; one
 *   a token, coloured by @scale; NaN ("not applicable": a later
 *   token under a causal mask) leaves the text without a box
 * @shade_words: (nullable): what the tint of the tokens means, beside its bar, which
 *   stands in the place of the weights' while there are none
 * @fades_low: the colours of the lowest HL_TOKEN_FADE of the scale fade into the ground,
 *   and so does the bar: a long text is not a wall of the map's darkest colour. TRUE at
 *   first
 * @arcs, @heads: (nullable): drawn beside a list of tokens; weights by @scale too
 * @selected: ascending; the orange tokens
 * @hovered: -1 for none
 * @matches: ascending; what was searched for
 */
typedef struct
{
  gatomicrefcount refs;
  char *title;
  char *caption;
  HlTokenList *tokens;
  float *weights;
  char *shade_words;
  HlTokenDirection direction;
  HlScale scale;
  gboolean fades_low;
  HlArc *arcs;
  gint64 n_arcs;
  HlArcHead *heads;
  int n_heads;
  gint64 *selected;
  gint64 n_selected;
  gint64 hovered;
  gint64 *matches;
  gint64 n_matches;
} HlTokenScene;

/** hl_token_scene_new: (transfer full): @tokens (nullable): a reference is taken. */
HlTokenScene *hl_token_scene_new (HlTokenList *tokens);
HlTokenScene *hl_token_scene_ref (HlTokenScene *scene);
void hl_token_scene_unref (HlTokenScene *scene);
/** hl_token_scene_count: how many tokens; 0 without a list. */
gint64 hl_token_scene_count (const HlTokenScene *scene);
/** hl_token_scene_set_heads: zeroed for the caller to fill. */
void hl_token_scene_set_heads (HlTokenScene *scene, int n_heads);
/** hl_token_scene_find: position in an ascending array, or that of the next larger. */
gint64 hl_token_scene_find (const gint64 *sorted, gint64 n, gint64 value);
/** hl_token_scene_has: whether an ascending array has @value. */
gboolean hl_token_scene_has (const gint64 *sorted, gint64 n, gint64 value);
/** hl_token_scene_describe: (transfer full): "token 12 “ the”, attended to with 0.143",
 * translated; @index in range. */
char *hl_token_scene_describe (const HlTokenScene *scene, gint64 index);
/** hl_token_scene_describe_selected: (transfer full): "attends to token 3 “cat” 0.21, …":
 * the @n_most largest weights; NULL without selection or weights. */
char *hl_token_scene_describe_selected (const HlTokenScene *scene, int n_most);
/** hl_token_scene_describe_arc: (transfer full): "5.1: token 12 “ the” → token 3 “cat”:
 * 0.214"; @arc in range. */
char *hl_token_scene_describe_arc (const HlTokenScene *scene, gint64 arc);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlTokenScene, hl_token_scene_unref)

G_END_DECLS
