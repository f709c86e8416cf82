/* SPDX-License-Identifier: MIT
 * The "added_tokens" of a tokenizer file. */
#include "text/hl-added-tokens.h"

#include "base/hl-error.h"
#include "text/hl-unicode.h"

#include <string.h>

/* A node of a tree of bytes; 0 for no child, no brother. */
typedef struct
{
  guint8 byte;
  guint32 child;
  guint32 brother;
  const HlAddedToken *token; /* NULL: no token ends here */
} Node;

typedef struct
{
  GArray *nodes;
  guint32 roots[256];
} Tree;

struct _HlAddedTokens
{
  GPtrArray *list;   /* HlAddedToken *, as in the file */
  GHashTable *by_id; /* of borrowed ones */
  GHashTable *by_text;
  Tree trees[2]; /* as written; normalised */
};

static void
token_free (gpointer data)
{
  HlAddedToken *token = data;
  g_free (token->content);
  g_free (token->shown);
  g_free (token);
}

/* ---- the trees -----------------------------------------------------------------------
 */

static void
tree_init (Tree *tree)
{
  const Node nobody = { 0 };
  tree->nodes = g_array_new (FALSE, FALSE, sizeof (Node));
  g_array_append_val (tree->nodes, nobody);
}

/* Where the link to the next node for @byte stands, or is to be written. */
static guint32
tree_step (Tree *tree, guint32 first, guint8 byte)
{
  for (guint32 at = first; at != 0; at = g_array_index (tree->nodes, Node, at).brother)
    if (g_array_index (tree->nodes, Node, at).byte == byte)
      return at;
  return 0;
}

/* The first of two tokens written the same way counts, as in the reference library. */
static void
tree_add (Tree *tree, const char *text, gsize length, const HlAddedToken *token)
{
  guint32 at = 0;
  for (gsize i = 0; i < length; i++)
    {
      guint8 byte = (guint8) text[i];
      guint32 first =
          i == 0 ? tree->roots[byte] : g_array_index (tree->nodes, Node, at).child;
      guint32 next = tree_step (tree, first, byte);
      if (next == 0)
        {
          Node node = { byte, 0, first, NULL };
          next = tree->nodes->len;
          g_array_append_val (tree->nodes, node);
          if (i == 0)
            tree->roots[byte] = next;
          else
            g_array_index (tree->nodes, Node, at).child = next;
        }
      at = next;
    }
  Node *end = &g_array_index (tree->nodes, Node, at);
  if (end->token == NULL)
    end->token = token;
}

/* The longest token that begins at @text. */
static const HlAddedToken *
tree_match (const Tree *tree, const char *text, gsize length, gsize *n)
{
  const Node *nodes = (const Node *) (const void *) tree->nodes->data;
  const HlAddedToken *found = NULL;
  guint32 at = tree->roots[(guint8) *text];
  for (gsize i = 1; at != 0; i++)
    {
      if (nodes[at].token != NULL)
        {
          found = nodes[at].token;
          *n = i;
        }
      if (i >= length)
        break;
      at = nodes[at].child;
      while (at != 0 && nodes[at].byte != (guint8) text[i])
        at = nodes[at].brother;
    }
  return found;
}

/* ---- reading -------------------------------------------------------------------------
 */

static gboolean
read_token (HlAddedToken *token, const json_t *json, const char *where, GError **error)
{
  const char *content = NULL;
  gint64 id = 0;
  if (!json_is_object (json))
    {
      g_autofree char *found = hl_json_describe (json);
      g_set_error (error, HL_ERROR, HL_ERROR_FORMAT, "%s: an object expected, %s found",
                   where, found);
      return FALSE;
    }
  if (!hl_json_get_string (json, "content", TRUE, NULL, where, &content, error) ||
      !hl_json_get_int (json, "id", TRUE, 0, 0, 2 * HL_VOCABULARY_MAX, where, &id,
                        error) ||
      !hl_json_get_bool (json, "special", FALSE, FALSE, where, &token->is_special,
                         error) ||
      !hl_json_get_bool (json, "single_word", FALSE, FALSE, where, &token->is_single_word,
                         error) ||
      !hl_json_get_bool (json, "lstrip", FALSE, FALSE, where, &token->strips_left,
                         error) ||
      !hl_json_get_bool (json, "rstrip", FALSE, FALSE, where, &token->strips_right,
                         error) ||
      !hl_json_get_bool (json, "normalized", FALSE, !token->is_special, where,
                         &token->is_normalized, error))
    return FALSE;
  token->content = g_strdup (content);
  token->length = strlen (content);
  token->id = (gint32) id;
  if (token->length <= HL_ADDED_TOKEN_MAX_BYTES)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
               "%s: a token of at most %d bytes expected, %" G_GSIZE_FORMAT " found",
               where, HL_ADDED_TOKEN_MAX_BYTES, token->length);
  return FALSE;
}

static gboolean
is_same (const HlAddedToken *a, const HlAddedToken *b)
{
  return a->id == b->id && a->is_special == b->is_special &&
         a->is_single_word == b->is_single_word && a->strips_left == b->strips_left &&
         a->strips_right == b->strips_right && a->is_normalized == b->is_normalized;
}

static gboolean
check_id (const HlAddedToken *token, gint32 expected, const char *where, GError **error)
{
  if (token->id == expected)
    return TRUE;
  g_set_error (
      error, HL_ERROR, HL_ERROR_FORMAT,
      "%s: \"%.60s\": id %d expected (from the vocabulary, or the next free one), "
      "%d found",
      where, token->content, expected, token->id);
  return FALSE;
}

/* Normalises the token's own text, in which it is then looked for. */
static gboolean
add_to_tree (HlAddedTokens *added,
             HlAddedToken *token,
             const HlNormalizer *normalizer,
             const char *where,
             GError **error)
{
  if (!token->is_normalized)
    {
      token->shown = g_strdup (token->content);
      tree_add (&added->trees[0], token->content, token->length, token);
      return TRUE;
    }
  HlPieces pieces;
  hl_pieces_init (&pieces, token->content, token->length);
  gboolean is_good = hl_normalizer_run (normalizer, &pieces, error);
  if (is_good && pieces.length > 0)
    {
      token->shown = g_strndup (pieces.bytes, pieces.length);
      tree_add (&added->trees[1], pieces.bytes, pieces.length, token);
    }
  else if (is_good)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                   "%s: \"%.60s\": characters expected after normalising, none found",
                   where, token->content);
      is_good = FALSE;
    }
  hl_pieces_clear (&pieces);
  return is_good;
}

/* Takes @token where it is new. @next: the next id that is free. */
static gboolean
add_token (HlAddedTokens *added,
           HlAddedToken *token,
           const HlVocabulary *vocabulary,
           gint32 *next,
           const char *where,
           GError **error)
{
  const HlAddedToken *old = hl_added_tokens_find (added, token->content, token->length);
  gint32 known = hl_vocabulary_find (vocabulary, token->content, token->length);
  if (old != NULL && is_same (old, token))
    return TRUE;
  if (old != NULL)
    {
      g_set_error (
          error, HL_ERROR, HL_ERROR_FORMAT,
          "%s: \"%.60s\" expected once, a second time with other properties found", where,
          token->content);
      return FALSE;
    }
  if (!check_id (token, known >= 0 ? known : *next, where, error))
    return FALSE;
  *next += known < 0;
  HlAddedToken *kept = g_memdup2 (token, sizeof *token);
  token->content = NULL;
  g_ptr_array_add (added->list, kept);
  g_hash_table_insert (added->by_id, GINT_TO_POINTER (kept->id), kept);
  g_hash_table_insert (added->by_text, kept->content, kept);
  return TRUE;
}

static gboolean
read_list (HlAddedTokens *added,
           const json_t *json,
           const HlVocabulary *vocabulary,
           const char *where,
           GError **error)
{
  gint32 next = (gint32) hl_vocabulary_get_n (vocabulary);
  for (gsize i = 0; i < json_array_size (json); i++)
    {
      g_autofree char *place = g_strdup_printf ("%s %" G_GSIZE_FORMAT, where, i);
      HlAddedToken token = { 0 };
      gboolean is_good = read_token (&token, json_array_get (json, i), place, error) &&
                         (token.length == 0 ||
                          add_token (added, &token, vocabulary, &next, place, error));
      g_free (token.content);
      if (!is_good)
        return FALSE;
    }
  return TRUE;
}

/* Special tokens are looked up first where two are written the same when normalised. */
static gboolean
fill_trees (HlAddedTokens *added,
            const HlNormalizer *normalizer,
            const char *where,
            GError **error)
{
  for (int pass = 0; pass < 2; pass++)
    for (guint i = 0; i < added->list->len; i++)
      {
        HlAddedToken *token = g_ptr_array_index (added->list, i);
        if (token->is_special == (pass == 0) &&
            !add_to_tree (added, token, normalizer, where, error))
          return FALSE;
      }
  return TRUE;
}

HlAddedTokens *
hl_added_tokens_read (const json_t *json,
                      const HlVocabulary *vocabulary,
                      const HlNormalizer *normalizer,
                      const char *where,
                      GError **error)
{
  g_autofree char *place = g_strdup_printf ("%s: added_tokens", where);
  g_autoptr (HlAddedTokens) added = g_new0 (HlAddedTokens, 1);
  added->list = g_ptr_array_new_with_free_func (token_free);
  added->by_id = g_hash_table_new (NULL, NULL);
  added->by_text = g_hash_table_new (g_str_hash, g_str_equal);
  tree_init (&added->trees[0]);
  tree_init (&added->trees[1]);
  if (json == NULL || json_is_null (json))
    return g_steal_pointer (&added);
  if (!json_is_array (json))
    {
      g_autofree char *found = hl_json_describe (json);
      g_set_error (error, HL_ERROR, HL_ERROR_FORMAT, "%s: an array expected, %s found",
                   place, found);
      return NULL;
    }
  if (!read_list (added, json, vocabulary, place, error) ||
      !fill_trees (added, normalizer, place, error))
    return NULL;
  return g_steal_pointer (&added);
}

void
hl_added_tokens_free (HlAddedTokens *added)
{
  if (added == NULL)
    return;
  for (int i = 0; i < 2; i++)
    g_array_unref (added->trees[i].nodes);
  g_hash_table_unref (added->by_id);
  g_hash_table_unref (added->by_text);
  g_ptr_array_unref (added->list);
  g_free (added);
}

guint
hl_added_tokens_get_n (const HlAddedTokens *added)
{
  return added->list->len;
}

const HlAddedToken *
hl_added_tokens_get_nth (const HlAddedTokens *added, guint index)
{
  return index < added->list->len ? g_ptr_array_index (added->list, index) : NULL;
}

const HlAddedToken *
hl_added_tokens_get (const HlAddedTokens *added, gint32 id)
{
  return g_hash_table_lookup (added->by_id, GINT_TO_POINTER (id));
}

const HlAddedToken *
hl_added_tokens_find (const HlAddedTokens *added, const char *text, gsize length)
{
  const HlAddedToken *token = g_hash_table_lookup (added->by_text, text);
  return token != NULL && token->length == length ? token : NULL;
}

/* ---- cutting -------------------------------------------------------------------------
 */

static gboolean
is_inside_word (const char *text, gsize length, gsize start, gsize end)
{
  return (start > 0 &&
          hl_unicode_is_word (g_utf8_get_char (text + hl_utf8_previous (text, start)))) ||
         (end < length && hl_unicode_is_word (g_utf8_get_char (text + end)));
}

static gsize
strip_left (const char *text, gsize start)
{
  while (start > 0)
    {
      gsize previous = hl_utf8_previous (text, start);
      if (!hl_unicode_is_space (g_utf8_get_char (text + previous)))
        break;
      start = previous;
    }
  return start;
}

static gsize
strip_right (const char *text, gsize length, gsize end)
{
  while (end < length && hl_unicode_is_space (g_utf8_get_char (text + end)))
    end += hl_utf8_size (text[end]);
  return end;
}

static void
cut_piece (const Tree *tree,
           const HlPieces *pieces,
           const HlPiece *piece,
           gboolean with_special,
           GArray *list)
{
  const gsize base = piece->start, length = piece->end - piece->start;
  const char *text = pieces->bytes + base;
  gsize done = 0, at = 0, n = 0;
  while (at < length)
    {
      const HlAddedToken *token = tree->roots[(guint8) text[at]] != 0
                                      ? tree_match (tree, text + at, length - at, &n)
                                      : NULL;
      if (token == NULL)
        {
          at++;
          continue;
        }
      gsize start = at, end = at + n;
      at = end;
      if ((token->is_special && !with_special) ||
          (token->is_single_word && is_inside_word (text, length, start, end)))
        continue;
      /* Space that the token before took is not taken again. */
      if (token->strips_left)
        start = MAX (strip_left (text, start), done);
      if (token->strips_right)
        end = strip_right (text, length, end);
      hl_pieces_cut (pieces, list, base + done, base + start, -1);
      hl_pieces_cut (pieces, list, base + start, base + end, token->id);
      done = end;
    }
  if (done == 0)
    g_array_append_val (list, *piece);
  else
    hl_pieces_cut (pieces, list, base + done, base + length, -1);
}

void
hl_added_tokens_cut (const HlAddedTokens *added,
                     HlPieces *pieces,
                     gboolean normalized,
                     gboolean with_special)
{
  const Tree *tree = &added->trees[normalized ? 1 : 0];
  if (tree->nodes->len == 1)
    return;
  GArray *list = g_array_new (FALSE, FALSE, sizeof (HlPiece));
  for (guint i = 0; i < pieces->list->len; i++)
    {
      const HlPiece *piece = &g_array_index (pieces->list, HlPiece, i);
      if (piece->id >= 0)
        g_array_append_val (list, *piece);
      else
        cut_piece (tree, pieces, piece, with_special, list);
    }
  hl_pieces_take_list (pieces, list);
}
