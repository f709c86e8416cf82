/* SPDX-License-Identifier: MIT
 * The one selection, which every view follows, and the heads that are ablated; both can
 * be undone. Thread: main. */
#pragma once

#include "trace/hl-attention-source.h"

#include <glib-object.h>

G_BEGIN_DECLS

/**
 * HlPlace: what is looked at. @side and @trace are there so that two inputs or two models
 * can be compared; -1 in @query and @key means none.
 */
typedef struct
{
  int side;
  int trace;
  int stack;
  int layer;
  int head;
  gint64 query;
  gint64 key;
} HlPlace;

typedef enum
{
  HL_SELECTION_NONE = 0,
  HL_SELECTION_HEAD = 1 << 0,
  HL_SELECTION_TOKENS = 1 << 1, /* query, key or the brushed tokens */
  HL_SELECTION_ABLATED = 1 << 2,
  HL_SELECTION_PINNED = 1 << 3, /* the heads chosen beside the one looked at */
  HL_SELECTION_ALL = 0xf,
} HlSelectionParts;

#define HL_TYPE_SELECTION (hl_selection_get_type ())
G_DECLARE_FINAL_TYPE (HlSelection, hl_selection, HL, SELECTION, GObject)

/* Signals
 * "changed" (HlSelectionParts as guint): which parts are not what they were
 * "history-changed" (): can_undo or can_redo may differ */

HlSelection *hl_selection_new (void);

/** hl_selection_get_place: (transfer none) */
const HlPlace *hl_selection_get_place (HlSelection *self);
HlHeadKey hl_selection_get_head (HlSelection *self);

/** hl_selection_reset: a new trace: head 0.0 of @stack, nothing brushed, no history.
 * Ablated heads stay when @keep_ablated. */
void hl_selection_reset (HlSelection *self, int stack, gboolean keep_ablated);

/** hl_selection_begin_at: where a new trace is first looked at, in the stack that is
 * looked at; leaves no history. */
void
hl_selection_begin_at (HlSelection *self, int layer, int head, gint64 query, gint64 key);

/** hl_selection_begin_ablated: what a trace that is opened was made with; leaves no
 * history. */
void
hl_selection_begin_ablated (HlSelection *self, const HlHeadKey *heads, guint n_heads);

/** hl_selection_set_head: of the stack that is looked at. */
void hl_selection_set_head (HlSelection *self, int layer, int head);

/** hl_selection_set_stack_head: likewise, of any. Another stack may have other tokens:
 * nothing is brushed then. */
void hl_selection_set_stack_head (HlSelection *self, int stack, int layer, int head);

/** hl_selection_set_query: one token is brushed, or none for -1. */
void hl_selection_set_query (HlSelection *self, gint64 query);

/** hl_selection_set_cell: query and key at once. */
void hl_selection_set_cell (HlSelection *self, gint64 query, gint64 key);

/** hl_selection_set_key: of a map of two texts; what is brushed of the other stays. */
void hl_selection_set_key (HlSelection *self, gint64 key);

/** hl_selection_set_tokens: brushes these; the first is the query. */
void hl_selection_set_tokens (HlSelection *self, const gint64 *tokens, guint n);

/** hl_selection_get_tokens: (transfer none): the brushed tokens. */
const gint64 *hl_selection_get_tokens (HlSelection *self, guint *n);

/** hl_selection_toggle_ablated: of the stack that is looked at. */
void hl_selection_toggle_ablated (HlSelection *self, int layer, int head);
/** hl_selection_set_ablated: these and no others; can be undone. */
void hl_selection_set_ablated (HlSelection *self, const HlHeadKey *heads, guint n_heads);
void hl_selection_clear_ablated (HlSelection *self);
gboolean hl_selection_is_ablated (HlSelection *self, int layer, int head);
/** hl_selection_get_ablated: (transfer none): in the order they were chosen. */
const HlHeadKey *hl_selection_get_ablated (HlSelection *self, guint *n);

/** hl_selection_toggle_pinned: heads that go into one figure together. */
void hl_selection_toggle_pinned (HlSelection *self, int layer, int head);
const HlHeadKey *hl_selection_get_pinned (HlSelection *self, guint *n);

/** HlTokenNameFunc: appends to @to what @token of a stack is called from now on: of its
 * queries, or where @is_key of its keys. */
typedef void (*HlTokenNameFunc) (
    int stack, gboolean is_key, gint64 token, GArray *to, gpointer user_data);

/** hl_selection_rename_tokens: the same tokens have other numbers, in the history too;
 * tells nobody: who renames tells what changed. */
void
hl_selection_rename_tokens (HlSelection *self, HlTokenNameFunc func, gpointer user_data);

gboolean hl_selection_can_undo (HlSelection *self);
gboolean hl_selection_can_redo (HlSelection *self);
void hl_selection_undo (HlSelection *self);
void hl_selection_redo (HlSelection *self);

G_END_DECLS
