/* SPDX-License-Identifier: MIT
 * Unigram: of all ways to write a word as tokens the one with the highest sum of
 * log-probabilities. */
#include "text/hl-token-model.h"

#include "base/hl-error.h"
#include "text/hl-trie.h"
#include "text/hl-unicode.h"

#include <math.h>

/* How much less likely than the least likely token an unknown character is. */
#define UNKNOWN_PENALTY 10.0

typedef struct
{
  HlVocabulary *vocabulary;
  double *scores; /* by id */
  double unknown_score;
  gint32 unknown; /* -1 for none */
  gboolean has_byte_fallback;
  gboolean is_single;      /* sums are rounded to 32 bits, as sentencepiece does */
  gint32 byte_tokens[256]; /* <0xE4>; -1 */
  HlTrie *trie;
  gint32 *aliases; /* what stands for an id that the vocabulary has not; from n_ids on */
  gint32 n_ids;
} Unigram;

/* The best way to write the word up to here: its last token, and where that begins. */
typedef struct
{
  double score;
  guint32 start; /* NOWHERE: not reached */
  gint32 id;
} Node;

#define NOWHERE G_MAXUINT32

typedef struct
{
  Node *nodes;
  gsize n_allocated;
  GArray *path; /* HlModelToken, from the last one on */
} Scratch;

/* ---- reading -------------------------------------------------------------------------
 */

static void
free_model (gpointer data)
{
  Unigram *model = data;
  hl_vocabulary_free (model->vocabulary);
  hl_trie_free (model->trie);
  g_free (model->scores);
  g_free (model->aliases);
  g_free (model);
}

static gboolean
refuse (const char *where, gsize index, const json_t *found, GError **error)
{
  g_autofree char *text = hl_json_describe (found);
  g_set_error (error, HL_ERROR, HL_ERROR_FORMAT,
               "%s: vocab %" G_GSIZE_FORMAT ": [token, score] expected, %s found", where,
               index, text);
  return FALSE;
}

/* A token and its score. null for a score: it is not looked for in a text. An id behind
 * the score: that one stands for it, and it is in no vocabulary; such ones come last.
 * Both are ours, for vocabularies that do not agree with their sentencepiece model. */
static gboolean
read_entry (Unigram *model,
            const json_t *list,
            gsize i,
            HlTrieItem *item,
            const char *where,
            GError **error)
{
  const json_t *entry = json_array_get (list, i);
  const json_t *text = json_array_get (entry, 0), *score = json_array_get (entry, 1);
  const json_t *alias = json_array_get (entry, 2);
  if (!json_is_string (text) || !(json_is_number (score) || json_is_null (score)) ||
      (alias != NULL && !json_is_integer (alias)) ||
      (alias == NULL && (gsize) model->n_ids < i))
    return refuse (where, i, entry, error);
  *item = (HlTrieItem){ json_string_value (text), json_string_length (text), (gint32) i };
  if (alias == NULL)
    model->n_ids = (gint32) i + 1;
  else
    {
      json_int_t id = json_integer_value (alias);
      if (id < 0 || id >= model->n_ids)
        return refuse (where, i, entry, error);
      model->aliases[i] = (gint32) id;
    }
  if (json_is_null (score))
    item->length = 0;
  model->scores[i] = json_number_value (score);
  if (isfinite (model->scores[i]))
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
               "%s: vocab %" G_GSIZE_FORMAT ": a finite score expected, %g found", where,
               i, model->scores[i]);
  return FALSE;
}

static gboolean
read_tokens (Unigram *model, const json_t *list, const char *where, GError **error)
{
  const gsize n = json_array_size (list);
  double lowest = INFINITY;
  if (!json_is_array (list) || n > HL_VOCABULARY_MAX)
    {
      g_autofree char *found = hl_json_describe (list);
      g_set_error (
          error, HL_ERROR, list == NULL ? HL_ERROR_MISSING : HL_ERROR_FORMAT,
          "%s: field \"vocab\": an array of at most %d tokens expected, %s found", where,
          HL_VOCABULARY_MAX, found);
      return FALSE;
    }
  g_autofree HlTrieItem *items = g_new (HlTrieItem, n + 1);
  g_autofree const char **names = g_new (const char *, n + 1);
  model->scores = g_new (double, n + 1);
  model->aliases = g_new (gint32, n + 1);
  for (gsize i = 0; i < n; i++)
    {
      if (!read_entry (model, list, i, &items[i], where, error))
        return FALSE;
      names[i] = items[i].text;
      if (!json_is_null (json_array_get (json_array_get (list, i), 1)))
        lowest = MIN (lowest, model->scores[i]);
    }
  model->unknown_score = lowest - UNKNOWN_PENALTY;
  model->vocabulary = hl_vocabulary_new (names, (gsize) model->n_ids);
  model->trie = hl_trie_new (items, n, where, error);
  return model->trie != NULL;
}

static gboolean
read_unknown (Unigram *model, const json_t *json, const char *where, GError **error)
{
  gint64 id = -1;
  if (!hl_json_get_int (json, "unk_id", FALSE, -1, 0, MAX (model->n_ids - 1, 0), where,
                        &id, error))
    return FALSE;
  model->unknown = id < model->n_ids ? (gint32) id : -1;
  for (guint i = 0; i < 256; i++)
    {
      char name[8];
      g_snprintf (name, sizeof name, "<0x%02X>", i);
      model->byte_tokens[i] = hl_vocabulary_find (model->vocabulary, name, 6);
    }
  return TRUE;
}

static gpointer
read_model (const json_t *json,
            gboolean is_byte_level G_GNUC_UNUSED,
            const char *where,
            GError **error)
{
  Unigram *model = g_new0 (Unigram, 1);
  if (read_tokens (model, json_object_get (json, "vocab"), where, error) &&
      read_unknown (model, json, where, error) &&
      hl_json_get_bool (json, "byte_fallback", FALSE, FALSE, where,
                        &model->has_byte_fallback, error) &&
      /* Ours, for models that sentencepiece itself runs elsewhere. */
      hl_json_get_bool (json, "single_precision", FALSE, FALSE, where, &model->is_single,
                        error))
    return model;
  free_model (model);
  return NULL;
}

static const HlVocabulary *
get_vocabulary (gconstpointer data)
{
  return ((const Unigram *) data)->vocabulary;
}

static gint32
get_unknown (gconstpointer data)
{
  return ((const Unigram *) data)->unknown;
}

static gpointer
scratch_new (gsize size_bytes G_GNUC_UNUSED)
{
  Scratch *scratch = g_new0 (Scratch, 1);
  scratch->path = g_array_new (FALSE, FALSE, sizeof (HlModelToken));
  return scratch;
}

static void
scratch_free (gpointer data)
{
  Scratch *scratch = data;
  g_free (scratch->nodes);
  g_array_unref (scratch->path);
  g_free (scratch);
}

/* ---- encoding ------------------------------------------------------------------------
 */

/* Of two ways that are as likely the one found first stays. */
static inline void
reach (Node *node, double score, gsize start, gint32 id)
{
  if (node->start == NOWHERE || score > node->score)
    *node = (Node){ score, (guint32) start, id };
}

static inline double
add (const Unigram *model, double so_far, double score)
{
  return model->is_single ? (double) (float) (so_far + score) : so_far + score;
}

static gboolean
find_paths (const Unigram *model, Node *nodes, const char *word, gsize length)
{
  for (gsize i = 1; i <= length; i++)
    nodes[i].start = NOWHERE;
  nodes[0] = (Node){ 0, 0, -1 };
  gsize size = 0;
  for (gsize at = 0; at < length; at += size)
    {
      const double so_far = nodes[at].score;
      gboolean has_single = FALSE;
      guint32 trie_node = 0;
      size = hl_utf8_size (word[at]);
      for (gsize end = at; end < length;)
        {
          trie_node = hl_trie_step (model->trie, trie_node, (guint8) word[end++]);
          if (trie_node == 0)
            break;
          gint32 id = model->trie->values[trie_node];
          if (id < 0)
            continue;
          reach (&nodes[end], add (model, so_far, model->scores[id]), at, id);
          has_single = has_single || end == at + size;
        }
      if (has_single)
        continue;
      if (model->unknown < 0)
        return FALSE;
      reach (&nodes[at + size], add (model, so_far, model->unknown_score), at,
             model->unknown);
    }
  return TRUE;
}

static gint32
known_id (const Unigram *model, gint32 id)
{
  return id < model->n_ids ? id : model->aliases[id];
}

/* Writes unknown characters: together they may be a token after all, or bytes. From the
 * last to the first, as the path goes. */
static void
add_unknown (const Unigram *model, GArray *path, const char *text, gsize length)
{
  HlModelToken token = { .length = (guint32) length & G_MAXINT32 };
  gboolean has_all = model->has_byte_fallback;
  token.id = hl_vocabulary_find (model->vocabulary, text, length);
  for (gsize i = 0; has_all && i < length; i++)
    has_all = model->byte_tokens[(guint8) text[i]] >= 0;
  if (token.id < 0 && has_all)
    for (gsize i = length; i-- > 0; token.stays = TRUE)
      {
        token.id = model->byte_tokens[(guint8) text[i]];
        g_array_append_val (path, token);
      }
  else
    {
      if (token.id < 0)
        token.id = model->unknown;
      g_array_append_val (path, token);
    }
}

static void
collect (const Unigram *model, Scratch *scratch, const char *word, gsize length)
{
  const Node *nodes = scratch->nodes;
  g_array_set_size (scratch->path, 0);
  for (gsize end = length; end > 0;)
    {
      gsize start = nodes[end].start;
      if (nodes[end].id == model->unknown)
        {
          while (start > 0 && nodes[start].id == model->unknown)
            start = nodes[start].start;
          add_unknown (model, scratch->path, word + start, end - start);
        }
      else
        {
          HlModelToken token = { .id = known_id (model, nodes[end].id),
                                 .length = (guint32) (end - start) & G_MAXINT32 };
          g_array_append_val (scratch->path, token);
        }
      end = start;
    }
}

static gboolean
encode (gconstpointer data,
        gpointer scratch_data,
        const char *word,
        gsize length,
        GArray *tokens,
        GError **error)
{
  const Unigram *model = data;
  Scratch *scratch = scratch_data;
  if (length + 1 > scratch->n_allocated)
    {
      g_free (scratch->nodes);
      scratch->n_allocated = MAX (length + 1, 2 * scratch->n_allocated);
      scratch->nodes = g_try_new (Node, scratch->n_allocated);
      if (scratch->nodes == NULL)
        {
          scratch->n_allocated = 0;
          g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                       "text: no memory for a word of %" G_GSIZE_FORMAT " bytes", length);
          return FALSE;
        }
    }
  if (!find_paths (model, scratch->nodes, word, length))
    return hl_token_model_no_unknown (word, length, error);
  collect (model, scratch, word, length);
  for (guint i = scratch->path->len; i-- > 0;)
    g_array_append_val (tokens, g_array_index (scratch->path, HlModelToken, i));
  return TRUE;
}

const HlTokenModelKind hl_unigram_kind = {
  .type = "Unigram",
  .read = read_model,
  .free = free_model,
  .get_vocabulary = get_vocabulary,
  .get_unknown = get_unknown,
  .scratch_new = scratch_new,
  .scratch_free = scratch_free,
  .encode = encode,
};
