/* SPDX-License-Identifier: MIT
 * Byte pair encoding of a sentencepiece model: the file has pieces with scores, and what
 * is merged follows from them. */
#include "text/hl-sentencepiece.h"

#include "base/hl-error.h"
#include "text/hl-unicode.h"

#include <string.h>

/* No real model has a tenth of it. */
#define MAX_MERGES (1u << 23)

typedef struct
{
  double score;
  guint32 n_left; /* characters */
  guint32 n_right;
  gint32 piece;
  gint32 left; /* ids, by which merges of a piece are in order */
  gint32 right;
} Merge;

/* The highest score first, then the longest left side, then the longest right one. */
static int
compare_merges (gconstpointer a, gconstpointer b)
{
  const Merge *x = a, *y = b;
  if (x->score != y->score)
    return x->score > y->score ? -1 : 1;
  if (x->n_left != y->n_left)
    return x->n_left > y->n_left ? -1 : 1;
  if (x->n_right != y->n_right)
    return x->n_right > y->n_right ? -1 : 1;
  if (x->piece != y->piece)
    return x->piece < y->piece ? -1 : 1;
  if (x->left != y->left)
    return x->left < y->left ? -1 : 1;
  return (x->right > y->right) - (x->right < y->right);
}

static gint32
find (GHashTable *ids, const char *text)
{
  gpointer id = NULL;
  return g_hash_table_lookup_extended (ids, text, NULL, &id) ? GPOINTER_TO_INT (id) : -1;
}

/* Every way to put a piece together out of two. */
static void
add_merges (GHashTable *ids, const json_t *entry, gint32 piece, GArray *merges)
{
  const char *text = json_string_value (json_array_get (entry, 0));
  const gsize length = strlen (text);
  const guint32 n_chars = (guint32) hl_utf8_count (text, length);
  char left[HL_SENTENCEPIECE_MAX_PIECE_BYTES + 1];
  Merge merge = { .score = json_number_value (json_array_get (entry, 1)),
                  .piece = piece };
  if (length > HL_SENTENCEPIECE_MAX_PIECE_BYTES)
    return;
  for (gsize at = 0, n = 0; at < length; at += n)
    {
      n = hl_utf8_size (text[at]);
      memcpy (left + at, text + at, n);
      left[at + n] = '\0';
      merge.n_left++;
      merge.n_right = n_chars - merge.n_left;
      if (merge.n_right == 0)
        return;
      merge.right = find (ids, text + at + n);
      merge.left = merge.right >= 0 ? find (ids, left) : -1;
      if (merge.left >= 0)
        g_array_append_val (merges, merge);
    }
}

json_t *
hl_sentencepiece_get_merges (const json_t *pieces, const char *where, GError **error)
{
  const gsize n = json_array_size (pieces);
  g_autoptr (GHashTable) ids = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GArray) merges = g_array_new (FALSE, FALSE, sizeof (Merge));
  g_autoptr (json_t) list = json_array ();
  for (gsize i = 0; i < n; i++)
    g_hash_table_insert (
        ids,
        (gpointer) json_string_value (json_array_get (json_array_get (pieces, i), 0)),
        GINT_TO_POINTER ((gint) i));
  for (gsize i = 0; i < n && merges->len <= MAX_MERGES; i++)
    add_merges (ids, json_array_get (pieces, i), (gint32) i, merges);
  if (merges->len > MAX_MERGES)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                   "%s: at most %u merges expected, more found", where, MAX_MERGES);
      return NULL;
    }
  g_array_sort (merges, compare_merges);
  for (guint i = 0; i < merges->len; i++)
    {
      const Merge *merge = &g_array_index (merges, Merge, i);
      const json_t *left = json_array_get (pieces, (gsize) merge->left);
      const json_t *right = json_array_get (pieces, (gsize) merge->right);
      json_array_append_new (list, json_pack ("[O, O]", json_array_get (left, 0),
                                              json_array_get (right, 0)));
    }
  return g_steal_pointer (&list);
}
