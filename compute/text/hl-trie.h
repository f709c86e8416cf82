/* SPDX-License-Identifier: MIT
 * A tree of bytes over many strings, to find those that begin at a place of a text.
 * Immutable. Private to compute/text. */
#pragma once

#include <glib.h>
#include <string.h>

G_BEGIN_DECLS

/** HL_TRIE_MAX_BYTES: of all strings together; HL_TRIE_MAX_ITEM_BYTES: of one, so that
 * looking for it at each place of a text takes no time without end. */
#define HL_TRIE_MAX_ITEM_BYTES 1024
#define HL_TRIE_MAX_BYTES ((gsize) 32 << 20)

/** HlTrieItem: @value: 0 or more. */
typedef struct
{
  const char *text;
  gsize length;
  gint32 value;
} HlTrieItem;

/**
 * HlTrie: nodes in the order of their depth; node 0 is the root
 * @children: where the children of a node begin; those of the next begin where they end
 * @labels: the byte that leads to a node
 * @values: of the string that ends at a node; -1 for none
 * @roots: the child of the root for each byte; 0 for none
 */
typedef struct
{
  guint32 *children;
  guint8 *labels;
  gint32 *values;
  guint32 roots[256];
} HlTrie;

/**
 * hl_trie_new:
 * @items: sorted in place; empty strings are left out, of equal ones the largest value
 *   counts
 * Returns: (transfer full): NULL with @error: RANGE more than the two above
 */
HlTrie *hl_trie_new (HlTrieItem *items, gsize n, const char *where, GError **error);
void hl_trie_free (HlTrie *trie);

/** hl_trie_step: the child of @node for @byte; 0 for none. */
static inline guint32
hl_trie_step (const HlTrie *trie, guint32 node, guint8 byte)
{
  if (node == 0)
    return trie->roots[byte];
  guint32 first = trie->children[node], n = trie->children[node + 1] - first;
  if (n == 0)
    return 0;
  if (n == 1)
    return trie->labels[first] == byte ? first : 0;
  const guint8 *found = memchr (trie->labels + first, byte, n);
  return found != NULL ? (guint32) (found - trie->labels) : 0;
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlTrie, hl_trie_free)

G_END_DECLS
