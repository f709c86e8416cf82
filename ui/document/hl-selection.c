/* SPDX-License-Identifier: MIT
 * The one selection, with its history. A state is small, so history keeps whole ones. */
#include "document/hl-selection.h"

#include <string.h>

#define HISTORY_MAX 500

typedef struct
{
  HlPlace place;
  GArray *tokens;  /* gint64 */
  GArray *ablated; /* HlHeadKey */
  GArray *pinned;  /* HlHeadKey */
} State;

struct _HlSelection
{
  GObject parent_instance;
  State *now;
  GPtrArray *past;
  GPtrArray *future;
};

G_DEFINE_FINAL_TYPE (HlSelection, hl_selection, G_TYPE_OBJECT)

enum
{
  CHANGED,
  HISTORY_CHANGED,
  N_SIGNALS,
};

static guint signals[N_SIGNALS];

static State *
state_new (void)
{
  State *state = g_new0 (State, 1);
  state->place.query = state->place.key = -1;
  state->tokens = g_array_new (FALSE, TRUE, sizeof (gint64));
  state->ablated = g_array_new (FALSE, TRUE, sizeof (HlHeadKey));
  state->pinned = g_array_new (FALSE, TRUE, sizeof (HlHeadKey));
  return state;
}

static void
state_free (gpointer data)
{
  State *state = data;
  g_array_unref (state->tokens);
  g_array_unref (state->ablated);
  g_array_unref (state->pinned);
  g_free (state);
}

static State *
state_copy (const State *state)
{
  State *copy = g_new0 (State, 1);
  copy->place = state->place;
  copy->tokens = g_array_copy (state->tokens);
  copy->ablated = g_array_copy (state->ablated);
  copy->pinned = g_array_copy (state->pinned);
  return copy;
}

static gboolean
same_array (const GArray *a, const GArray *b, gsize size)
{
  return a->len == b->len &&
         (a->len == 0 || memcmp (a->data, b->data, a->len * size) == 0);
}

static guint
differences (const State *a, const State *b)
{
  guint parts = HL_SELECTION_NONE;
  if (a->place.side != b->place.side || a->place.trace != b->place.trace ||
      a->place.stack != b->place.stack || a->place.layer != b->place.layer ||
      a->place.head != b->place.head)
    parts |= HL_SELECTION_HEAD;
  if (a->place.query != b->place.query || a->place.key != b->place.key ||
      !same_array (a->tokens, b->tokens, sizeof (gint64)))
    parts |= HL_SELECTION_TOKENS;
  if (!same_array (a->ablated, b->ablated, sizeof (HlHeadKey)))
    parts |= HL_SELECTION_ABLATED;
  if (!same_array (a->pinned, b->pinned, sizeof (HlHeadKey)))
    parts |= HL_SELECTION_PINNED;
  return parts;
}

/* Makes @next (transfer full) the state of now and remembers the one before. */
static void
go_to (HlSelection *self, State *next)
{
  guint parts = differences (self->now, next);
  if (parts == HL_SELECTION_NONE)
    {
      state_free (next);
      return;
    }
  g_ptr_array_add (self->past, self->now);
  if (self->past->len > HISTORY_MAX)
    g_ptr_array_remove_index (self->past, 0);
  g_ptr_array_set_size (self->future, 0);
  self->now = next;
  g_signal_emit (self, signals[CHANGED], 0, parts);
  g_signal_emit (self, signals[HISTORY_CHANGED], 0);
}

static void
hl_selection_finalize (GObject *object)
{
  HlSelection *self = HL_SELECTION (object);
  state_free (self->now);
  g_ptr_array_unref (self->past);
  g_ptr_array_unref (self->future);
  G_OBJECT_CLASS (hl_selection_parent_class)->finalize (object);
}

static void
hl_selection_class_init (HlSelectionClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = hl_selection_finalize;
  signals[CHANGED] = g_signal_new ("changed", HL_TYPE_SELECTION, G_SIGNAL_RUN_LAST, 0,
                                   NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_UINT);
  signals[HISTORY_CHANGED] =
      g_signal_new ("history-changed", HL_TYPE_SELECTION, G_SIGNAL_RUN_LAST, 0, NULL,
                    NULL, NULL, G_TYPE_NONE, 0);
}

static void
hl_selection_init (HlSelection *self)
{
  self->now = state_new ();
  self->past = g_ptr_array_new_with_free_func (state_free);
  self->future = g_ptr_array_new_with_free_func (state_free);
}

HlSelection *
hl_selection_new (void)
{
  return g_object_new (HL_TYPE_SELECTION, NULL);
}

const HlPlace *
hl_selection_get_place (HlSelection *self)
{
  return &self->now->place;
}

HlHeadKey
hl_selection_get_head (HlSelection *self)
{
  const HlPlace *place = &self->now->place;
  return (HlHeadKey){ place->stack, place->layer, place->head };
}

void
hl_selection_reset (HlSelection *self, int stack, gboolean keep_ablated)
{
  State *next = state_new ();
  next->place.stack = stack;
  if (keep_ablated)
    g_array_append_vals (next->ablated, self->now->ablated->data,
                         self->now->ablated->len);
  /* Who hears that heads are ablated runs the model: say so only when it is news. */
  guint parts = HL_SELECTION_HEAD | HL_SELECTION_TOKENS | HL_SELECTION_PINNED |
                (differences (self->now, next) & HL_SELECTION_ABLATED);
  state_free (self->now);
  self->now = next;
  g_ptr_array_set_size (self->past, 0);
  g_ptr_array_set_size (self->future, 0);
  g_signal_emit (self, signals[CHANGED], 0, parts);
  g_signal_emit (self, signals[HISTORY_CHANGED], 0);
}

void
hl_selection_begin_at (HlSelection *self, int layer, int head, gint64 query, gint64 key)
{
  State *now = self->now;
  now->place.layer = layer;
  now->place.head = head;
  now->place.query = query;
  now->place.key = key;
  g_array_set_size (now->tokens, 0);
  if (query >= 0)
    g_array_append_val (now->tokens, query);
  g_signal_emit (self, signals[CHANGED], 0, HL_SELECTION_HEAD | HL_SELECTION_TOKENS);
}

void
hl_selection_begin_ablated (HlSelection *self, const HlHeadKey *heads, guint n_heads)
{
  State *now = self->now;
  g_array_set_size (now->ablated, 0);
  g_array_append_vals (now->ablated, heads, n_heads);
  g_signal_emit (self, signals[CHANGED], 0, HL_SELECTION_ABLATED);
}

void
hl_selection_set_head (HlSelection *self, int layer, int head)
{
  State *next = state_copy (self->now);
  next->place.layer = layer;
  next->place.head = head;
  go_to (self, next);
}

void
hl_selection_set_stack_head (HlSelection *self, int stack, int layer, int head)
{
  State *next = state_copy (self->now);
  if (next->place.stack != stack)
    {
      next->place.query = next->place.key = -1;
      g_array_set_size (next->tokens, 0);
    }
  next->place.stack = stack;
  next->place.layer = layer;
  next->place.head = head;
  go_to (self, next);
}

void
hl_selection_set_cell (HlSelection *self, gint64 query, gint64 key)
{
  State *next = state_copy (self->now);
  next->place.query = query;
  next->place.key = key;
  g_array_set_size (next->tokens, 0);
  if (query >= 0)
    g_array_append_val (next->tokens, query);
  go_to (self, next);
}

void
hl_selection_set_key (HlSelection *self, gint64 key)
{
  State *next = state_copy (self->now);
  next->place.key = key;
  go_to (self, next);
}

void
hl_selection_set_query (HlSelection *self, gint64 query)
{
  hl_selection_set_cell (self, query, -1);
}

void
hl_selection_set_tokens (HlSelection *self, const gint64 *tokens, guint n)
{
  State *next = state_copy (self->now);
  next->place.query = n > 0 ? tokens[0] : -1;
  next->place.key = -1;
  g_array_set_size (next->tokens, 0);
  if (n > 0)
    g_array_append_vals (next->tokens, tokens, n);
  go_to (self, next);
}

const gint64 *
hl_selection_get_tokens (HlSelection *self, guint *n)
{
  *n = self->now->tokens->len;
  return (const gint64 *) (gpointer) self->now->tokens->data;
}

static int
find_head (const GArray *heads, int stack, int layer, int head)
{
  for (guint i = 0; i < heads->len; i++)
    {
      const HlHeadKey *key = &g_array_index (heads, HlHeadKey, i);
      if (key->stack == stack && key->layer == layer && key->head == head)
        return (int) i;
    }
  return -1;
}

static void
toggle (GArray *heads, int stack, int layer, int head)
{
  int at = find_head (heads, stack, layer, head);
  if (at >= 0)
    g_array_remove_index (heads, (guint) at);
  else
    {
      HlHeadKey key = { stack, layer, head };
      g_array_append_val (heads, key);
    }
}

void
hl_selection_toggle_ablated (HlSelection *self, int layer, int head)
{
  State *next = state_copy (self->now);
  toggle (next->ablated, next->place.stack, layer, head);
  go_to (self, next);
}

void
hl_selection_set_ablated (HlSelection *self, const HlHeadKey *heads, guint n_heads)
{
  State *next = state_copy (self->now);
  g_array_set_size (next->ablated, 0);
  g_array_append_vals (next->ablated, heads, n_heads);
  go_to (self, next);
}

void
hl_selection_clear_ablated (HlSelection *self)
{
  hl_selection_set_ablated (self, NULL, 0);
}

gboolean
hl_selection_is_ablated (HlSelection *self, int layer, int head)
{
  return find_head (self->now->ablated, self->now->place.stack, layer, head) >= 0;
}

const HlHeadKey *
hl_selection_get_ablated (HlSelection *self, guint *n)
{
  *n = self->now->ablated->len;
  return (const HlHeadKey *) (gpointer) self->now->ablated->data;
}

void
hl_selection_toggle_pinned (HlSelection *self, int layer, int head)
{
  State *next = state_copy (self->now);
  toggle (next->pinned, next->place.stack, layer, head);
  go_to (self, next);
}

const HlHeadKey *
hl_selection_get_pinned (HlSelection *self, guint *n)
{
  *n = self->now->pinned->len;
  return (const HlHeadKey *) (gpointer) self->now->pinned->data;
}

static gint64
rename_one (
    int stack, gboolean is_key, gint64 token, HlTokenNameFunc func, gpointer user_data)
{
  g_autoptr (GArray) names = g_array_new (FALSE, FALSE, sizeof (gint64));
  if (token >= 0)
    func (stack, is_key, token, names, user_data);
  return names->len > 0 ? g_array_index (names, gint64, 0) : -1;
}

static void
rename_state (State *state, HlTokenNameFunc func, gpointer user_data)
{
  HlPlace *place = &state->place;
  g_autoptr (GArray) names = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_autoptr (GHashTable) had = g_hash_table_new (g_int64_hash, g_int64_equal);
  for (guint i = 0; i < state->tokens->len; i++)
    func (place->stack, FALSE, g_array_index (state->tokens, gint64, i), names,
          user_data);
  g_array_set_size (state->tokens, 0);
  for (guint i = 0; i < names->len; i++)
    if (g_hash_table_add (had, &g_array_index (names, gint64, i)))
      g_array_append_val (state->tokens, g_array_index (names, gint64, i));
  place->query = rename_one (place->stack, FALSE, place->query, func, user_data);
  place->key = rename_one (place->stack, TRUE, place->key, func, user_data);
}

void
hl_selection_rename_tokens (HlSelection *self, HlTokenNameFunc func, gpointer user_data)
{
  rename_state (self->now, func, user_data);
  for (guint i = 0; i < self->past->len; i++)
    rename_state (g_ptr_array_index (self->past, i), func, user_data);
  for (guint i = 0; i < self->future->len; i++)
    rename_state (g_ptr_array_index (self->future, i), func, user_data);
}

gboolean
hl_selection_can_undo (HlSelection *self)
{
  return self->past->len > 0;
}

gboolean
hl_selection_can_redo (HlSelection *self)
{
  return self->future->len > 0;
}

static void
step (HlSelection *self, GPtrArray *from, GPtrArray *to)
{
  if (from->len == 0)
    return;
  State *next = g_ptr_array_steal_index (from, from->len - 1);
  guint parts = differences (self->now, next);
  g_ptr_array_add (to, self->now);
  self->now = next;
  g_signal_emit (self, signals[CHANGED], 0, parts);
  g_signal_emit (self, signals[HISTORY_CHANGED], 0);
}

void
hl_selection_undo (HlSelection *self)
{
  step (self, self->past, self->future);
}

void
hl_selection_redo (HlSelection *self)
{
  step (self, self->future, self->past);
}
