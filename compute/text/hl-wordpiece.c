/* SPDX-License-Identifier: MIT
 * WordPiece: of each word the longest token that it begins with, and of the rest the
 * longest that goes on, again and again; a word that does not come out even is one token
 * for the unknown. */
#include "text/hl-token-model.h"
#include "text/hl-trie.h"
#include "text/hl-unicode.h"

typedef struct
{
  HlVocabulary *vocabulary;
  HlTrie *first; /* tokens that a word begins with: all */
  HlTrie *later; /* those with the prefix, without it */
  gint32 unknown;
  gint64 max_chars;
} WordPiece;

static void
free_model (gpointer data)
{
  WordPiece *model = data;
  hl_vocabulary_free (model->vocabulary);
  hl_trie_free (model->first);
  hl_trie_free (model->later);
  g_free (model);
}

/* The tokens that begin with @prefix, without it. */
static HlTrie *
make_trie (const HlVocabulary *vocabulary,
           const char *prefix,
           const char *where,
           GError **error)
{
  const gint32 n_ids = (gint32) hl_vocabulary_get_n_ids (vocabulary);
  const gsize n_prefix = strlen (prefix);
  g_autofree HlTrieItem *items = g_new (HlTrieItem, (gsize) n_ids + 1);
  gsize n = 0;
  for (gint32 id = 0; id < n_ids; id++)
    {
      gsize length = 0;
      const char *text = hl_vocabulary_get (vocabulary, id, &length);
      if (text != NULL && length >= n_prefix && memcmp (text, prefix, n_prefix) == 0)
        items[n++] = (HlTrieItem){ text + n_prefix, length - n_prefix, id };
    }
  return hl_trie_new (items, n, where, error);
}

static gpointer
read_model (const json_t *json,
            gboolean is_byte_level G_GNUC_UNUSED,
            const char *where,
            GError **error)
{
  const char *prefix = NULL, *unknown = NULL;
  g_autofree char *vocabulary_place = g_strdup_printf ("%s: vocab", where);
  WordPiece *model = g_new0 (WordPiece, 1);
  if (hl_json_get_string (json, "continuing_subword_prefix", FALSE, "##", where, &prefix,
                          error) &&
      hl_json_get_string (json, "unk_token", FALSE, "[UNK]", where, &unknown, error) &&
      hl_json_get_int (json, "max_input_chars_per_word", FALSE, 100, 0, G_MAXINT64, where,
                       &model->max_chars, error))
    model->vocabulary =
        hl_vocabulary_read (json_object_get (json, "vocab"), vocabulary_place, error);
  if (model->vocabulary != NULL)
    model->first = make_trie (model->vocabulary, "", vocabulary_place, error);
  if (model->first != NULL)
    model->later = make_trie (model->vocabulary, prefix, vocabulary_place, error);
  if (model->later == NULL)
    {
      free_model (model);
      return NULL;
    }
  model->unknown = hl_vocabulary_find (model->vocabulary, unknown, strlen (unknown));
  return model;
}

static const HlVocabulary *
get_vocabulary (gconstpointer data)
{
  return ((const WordPiece *) data)->vocabulary;
}

static gint32
get_unknown (gconstpointer data)
{
  return ((const WordPiece *) data)->unknown;
}

/* The longest token at @text; its length, 0 for none. */
static gsize
find_longest (const HlTrie *trie, const char *text, gsize length, gint32 *id)
{
  gsize found = 0;
  guint32 node = 0;
  for (gsize i = 0; i < length; i++)
    {
      node = hl_trie_step (trie, node, (guint8) text[i]);
      if (node == 0)
        break;
      if (trie->values[node] >= 0)
        {
          found = i + 1;
          *id = trie->values[node];
        }
    }
  return found;
}

static gboolean
encode (gconstpointer data,
        gpointer scratch G_GNUC_UNUSED,
        const char *word,
        gsize length,
        GArray *tokens,
        GError **error)
{
  const WordPiece *model = data;
  const guint before = tokens->len;
  gsize at = 0, n = 1;
  if ((gint64) length > model->max_chars &&
      (gint64) hl_utf8_count (word, length) > model->max_chars)
    n = 0;
  for (; n > 0 && at < length; at += n)
    {
      gint32 id = -1;
      n = find_longest (at == 0 ? model->first : model->later, word + at, length - at,
                        &id);
      HlModelToken token = { .id = id, .length = (guint32) n & G_MAXINT32 };
      g_array_append_val (tokens, token);
    }
  if (n > 0)
    return TRUE;
  if (model->unknown < 0)
    return hl_token_model_no_unknown (word, length, error);
  HlModelToken unknown = { .id = model->unknown,
                           .length = (guint32) length & G_MAXINT32 };
  g_array_set_size (tokens, before);
  g_array_append_val (tokens, unknown);
  return TRUE;
}

const HlTokenModelKind hl_wordpiece_kind = {
  .type = "WordPiece",
  .read = read_model,
  .free = free_model,
  .get_vocabulary = get_vocabulary,
  .get_unknown = get_unknown,
  .encode = encode,
};
