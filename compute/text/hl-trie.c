/* SPDX-License-Identifier: MIT
 * A tree of bytes over many strings, made from the sorted list of them. */
#include "text/hl-trie.h"

#include "base/hl-error.h"

#include <stdlib.h>

/* The items below a node, which share their first @depth bytes. */
typedef struct
{
  guint32 first;
  guint32 end;
  guint32 depth;
} Range;

static int
compare_items (const void *a, const void *b)
{
  const HlTrieItem *x = a, *y = b;
  int order = memcmp (x->text, y->text, MIN (x->length, y->length));
  if (order != 0)
    return order;
  if (x->length != y->length)
    return x->length < y->length ? -1 : 1;
  return (x->value > y->value) - (x->value < y->value);
}

/* Adds the children of a node to the end of the list, and gives it its value. */
static void
open_node (HlTrie *trie, guint32 node, const HlTrieItem *items, GArray *ranges)
{
  Range range = g_array_index (ranges, Range, node);
  guint32 at = range.first;
  trie->children[node] = ranges->len;
  for (; at < range.end && items[at].length == range.depth; at++)
    trie->values[node] = items[at].value;
  while (at < range.end)
    {
      guint8 byte = (guint8) items[at].text[range.depth];
      Range child = { at, at, range.depth + 1 };
      while (child.end < range.end && (guint8) items[child.end].text[range.depth] == byte)
        child.end++;
      trie->labels[ranges->len] = byte;
      if (node == 0)
        trie->roots[byte] = ranges->len;
      g_array_append_val (ranges, child);
      at = child.end;
    }
}

HlTrie *
hl_trie_new (HlTrieItem *items, gsize n, const char *where, GError **error)
{
  gsize n_bytes = 0, n_items = 0, longest = 0;
  for (gsize i = 0; i < n; i++)
    if (items[i].length > 0)
      {
        n_bytes += items[i].length;
        longest = MAX (longest, items[i].length);
        items[n_items++] = items[i];
      }
  if (longest > HL_TRIE_MAX_ITEM_BYTES)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                   "%s: tokens of at most %d bytes expected, one of %" G_GSIZE_FORMAT
                   " found",
                   where, HL_TRIE_MAX_ITEM_BYTES, longest);
      return NULL;
    }
  if (n_bytes > HL_TRIE_MAX_BYTES)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                   "%s: tokens of at most %" G_GSIZE_FORMAT
                   " bytes together expected, %" G_GSIZE_FORMAT " found",
                   where, HL_TRIE_MAX_BYTES, n_bytes);
      return NULL;
    }
  qsort (items, n_items, sizeof *items, compare_items);
  HlTrie *trie = g_new0 (HlTrie, 1);
  trie->children = g_new (guint32, n_bytes + 2);
  trie->labels = g_new0 (guint8, n_bytes + 1);
  trie->values = g_new (gint32, n_bytes + 1);
  memset (trie->values, 0xff, (n_bytes + 1) * sizeof *trie->values);
  g_autoptr (GArray) ranges = g_array_new (FALSE, FALSE, sizeof (Range));
  Range all = { 0, (guint32) n_items, 0 };
  g_array_append_val (ranges, all);
  for (guint32 node = 0; node < ranges->len; node++)
    open_node (trie, node, items, ranges);
  trie->children[ranges->len] = ranges->len;
  trie->children = g_renew (guint32, trie->children, ranges->len + 1);
  trie->labels = g_renew (guint8, trie->labels, ranges->len);
  trie->values = g_renew (gint32, trie->values, ranges->len);
  return trie;
}

void
hl_trie_free (HlTrie *trie)
{
  if (trie == NULL)
    return;
  g_free (trie->children);
  g_free (trie->labels);
  g_free (trie->values);
  g_free (trie);
}
