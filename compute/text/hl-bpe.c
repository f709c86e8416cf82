/* SPDX-License-Identifier: MIT
 * Byte pair encoding of words. Short words are searched for their lowest merge over and
 * over; long ones, such as a whole text of a model that does not cut at spaces, keep the
 * merges in a heap and the symbols in a list. Both give the same tokens. */
#include "text/hl-bpe-private.h"

#include "text/hl-unicode.h"

#include <string.h>

/* Symbols up to which searching is faster than the heap. */
#define SHORT_WORD 64
/* Bytes of the longest word that is remembered. */
#define CACHED_BYTES 64
#define CACHE_MIN_SLOTS 64
#define CACHE_MAX_SLOTS 32768
#define NOBODY G_MAXUINT32

/* A word seen before: its tokens stand in the array of tokens. */
typedef struct
{
  const char *word;
  guint32 length;
  guint32 n_tokens;
  gsize first;
} Seen;

typedef struct
{
  gint32 id;
  guint32 length; /* 0: joined to its left neighbour */
  guint32 previous;
  guint32 next;
} Symbol;

typedef struct
{
  guint64 order; /* rank, place: the smallest goes first */
  gint32 id;
} Candidate;

typedef struct
{
  Seen *seen;
  gsize seen_mask;
  GArray *symbols; /* HlModelToken: one a unit, before merging */
  Symbol *list;
  Candidate *heap;
  gsize n_allocated;
  gsize n_heap;
} HlBpeScratch;

static gpointer
scratch_new (gsize size_bytes)
{
  HlBpeScratch *scratch = g_new0 (HlBpeScratch, 1);
  gsize n = CACHE_MIN_SLOTS;
  while (n < CACHE_MAX_SLOTS && n < size_bytes / 4)
    n *= 2;
  scratch->seen = g_new0 (Seen, n);
  scratch->seen_mask = n - 1;
  scratch->symbols = g_array_new (FALSE, FALSE, sizeof (HlModelToken));
  return scratch;
}

static void
scratch_free (gpointer data)
{
  HlBpeScratch *scratch = data;
  g_free (scratch->seen);
  g_free (scratch->list);
  g_free (scratch->heap);
  g_array_unref (scratch->symbols);
  g_free (scratch);
}

/* ---- merging -------------------------------------------------------------------------
 */

/* One candidate a pair: its rank, or NOBODY. */
static void
merge_short (const HlBpe *bpe, HlModelToken *symbols, gsize n, GArray *tokens)
{
  guint32 ranks[SHORT_WORD];
  gint32 ids[SHORT_WORD];
  for (gsize i = 0; i + 1 < n; i++)
    {
      const HlMerge *m = hl_bpe_find_merge (bpe, symbols[i].id, symbols[i + 1].id);
      ranks[i] = m != NULL ? m->rank : NOBODY;
      ids[i] = m != NULL ? m->id : -1;
    }
  while (n > 1)
    {
      gsize best = 0;
      for (gsize i = 1; i + 1 < n; i++)
        if (ranks[i] < ranks[best])
          best = i;
      if (ranks[best] == NOBODY)
        break;
      symbols[best].id = ids[best];
      symbols[best].length += symbols[best + 1].length;
      n--;
      for (gsize i = best + 1; i < n; i++)
        {
          symbols[i] = symbols[i + 1];
          ranks[i - 1] = ranks[i];
          ids[i - 1] = ids[i];
        }
      for (gsize i = best > 0 ? best - 1 : 0; i <= best && i + 1 < n; i++)
        {
          const HlMerge *m = hl_bpe_find_merge (bpe, symbols[i].id, symbols[i + 1].id);
          ranks[i] = m != NULL ? m->rank : NOBODY;
          ids[i] = m != NULL ? m->id : -1;
        }
    }
  g_array_append_vals (tokens, symbols, (guint) n);
}

static void
heap_push (HlBpeScratch *scratch, Candidate candidate)
{
  Candidate *heap = scratch->heap;
  gsize at = scratch->n_heap++;
  while (at > 0 && heap[(at - 1) / 2].order > candidate.order)
    {
      heap[at] = heap[(at - 1) / 2];
      at = (at - 1) / 2;
    }
  heap[at] = candidate;
}

static Candidate
heap_pop (HlBpeScratch *scratch)
{
  Candidate *heap = scratch->heap, top = heap[0];
  Candidate last = heap[--scratch->n_heap];
  gsize n = scratch->n_heap, at = 0, child;
  while ((child = 2 * at + 1) < n)
    {
      if (child + 1 < n && heap[child + 1].order < heap[child].order)
        child++;
      if (heap[child].order >= last.order)
        break;
      heap[at] = heap[child];
      at = child;
    }
  heap[at] = last;
  return top;
}

static void
push_pair (const HlBpe *bpe, HlBpeScratch *scratch, guint32 left)
{
  const Symbol *list = scratch->list;
  if (left == NOBODY || list[left].next == NOBODY)
    return;
  const HlMerge *m = hl_bpe_find_merge (bpe, list[left].id, list[list[left].next].id);
  if (m != NULL)
    heap_push (scratch, (Candidate){ (guint64) m->rank << 32 | left, m->id });
}

/* A merge takes one symbol away and adds at most two candidates to the n - 1 first ones:
 * 3 n are room enough. */
static void
make_room (HlBpeScratch *scratch, gsize n)
{
  if (n <= scratch->n_allocated)
    return;
  scratch->n_allocated = MAX (n, 2 * scratch->n_allocated);
  g_free (scratch->list);
  g_free (scratch->heap);
  scratch->list = g_new (Symbol, scratch->n_allocated);
  scratch->heap = g_new (Candidate, 3 * scratch->n_allocated);
}

static void
merge_long (const HlBpe *bpe,
            HlBpeScratch *scratch,
            const HlModelToken *symbols,
            gsize n,
            GArray *tokens)
{
  make_room (scratch, n);
  Symbol *list = scratch->list;
  scratch->n_heap = 0;
  for (gsize i = 0; i < n; i++)
    list[i] =
        (Symbol){ symbols[i].id, symbols[i].length, i > 0 ? (guint32) i - 1 : NOBODY,
                  i + 1 < n ? (guint32) i + 1 : NOBODY };
  for (gsize i = 0; i + 1 < n; i++)
    push_pair (bpe, scratch, (guint32) i);
  while (scratch->n_heap > 0)
    {
      Candidate top = heap_pop (scratch);
      guint32 left = (guint32) top.order, right = list[left].next;
      if (list[left].length == 0 || right == NOBODY)
        continue;
      /* Either side may have been joined to something since. */
      const HlMerge *m = hl_bpe_find_merge (bpe, list[left].id, list[right].id);
      if (m == NULL || m->id != top.id)
        continue;
      list[left].id = top.id;
      list[left].length += list[right].length;
      list[left].next = list[right].next;
      list[right].length = 0;
      if (list[left].next != NOBODY)
        list[list[left].next].previous = left;
      push_pair (bpe, scratch, list[left].previous);
      push_pair (bpe, scratch, left);
    }
  for (guint32 i = 0; i != NOBODY; i = list[i].next)
    {
      HlModelToken token = { .id = list[i].id, .length = list[i].length & G_MAXINT32 };
      g_array_append_val (tokens, token);
    }
}

static void
merge_symbols (const HlBpe *bpe, HlBpeScratch *scratch, GArray *tokens)
{
  HlModelToken *symbols = (HlModelToken *) (void *) scratch->symbols->data;
  gsize n = scratch->symbols->len;
  if (n > SHORT_WORD)
    merge_long (bpe, scratch, symbols, n, tokens);
  else if (n > 0)
    merge_short (bpe, symbols, n, tokens);
  g_array_set_size (scratch->symbols, 0);
}

/* ---- units ---------------------------------------------------------------------------
 */

/* The id of one unit, written with the prefix and suffix that its place asks for. */
static gint32
find_unit (
    const HlBpe *bpe, const char *unit, gsize size, gboolean is_first, gboolean is_last)
{
  gboolean has_prefix = bpe->prefix != NULL && !is_first;
  gboolean has_suffix = bpe->suffix != NULL && is_last;
  if (!has_prefix && !has_suffix)
    {
      gunichar c = bpe->is_byte_level ? (guint8) *unit : g_utf8_get_char (unit);
      if (bpe->is_byte_level || c < HL_BPE_DIRECT_UNITS)
        return bpe->units[c];
      return hl_vocabulary_find (bpe->vocabulary, unit, size);
    }
  char utf8[6];
  gsize n = size;
  if (bpe->is_byte_level)
    n = (gsize) g_unichar_to_utf8 (hl_byte_level_char ((guint8) *unit), utf8);
  else
    memcpy (utf8, unit, size);
  g_autofree char *name = g_strdup_printf ("%s%.*s%s", has_prefix ? bpe->prefix : "",
                                           (int) n, utf8, has_suffix ? bpe->suffix : "");
  return hl_vocabulary_find (bpe->vocabulary, name, strlen (name));
}

static void
add_symbol (HlBpeScratch *scratch, gint32 id, gsize length)
{
  HlModelToken symbol = { .id = id, .length = (guint32) length & G_MAXINT32 };
  g_array_append_val (scratch->symbols, symbol);
}

static gboolean
add_byte_tokens (const HlBpe *bpe, HlBpeScratch *scratch, const char *unit, gsize size)
{
  if (!bpe->has_byte_fallback)
    return FALSE;
  for (gsize i = 0; i < size; i++)
    if (bpe->byte_tokens[(guint8) unit[i]] < 0)
      return FALSE;
  for (gsize i = 0; i < size; i++)
    add_symbol (scratch, bpe->byte_tokens[(guint8) unit[i]], 1);
  return TRUE;
}

/* ---- words ---------------------------------------------------------------------------
 */

static Seen *
find_seen (HlBpeScratch *scratch, const char *word, gsize length)
{
  return &scratch->seen[(gsize) hl_vocabulary_hash (word, length) & scratch->seen_mask];
}

/* Copies the tokens of a word seen before. */
static gboolean
use_seen (const Seen *seen, const char *word, gsize length, GArray *tokens)
{
  if (seen->length != length || memcmp (seen->word, word, length) != 0)
    return FALSE;
  gsize to = tokens->len;
  g_array_set_size (tokens, (guint) (to + seen->n_tokens));
  HlModelToken *all = (HlModelToken *) (void *) tokens->data;
  for (guint32 i = 0; i < seen->n_tokens; i++)
    all[to + i] = all[seen->first + i];
  return TRUE;
}

/* Ends a stretch that no merge leaves: the symbols so far are its. Where whole words are
 * looked up first, a stretch is not the word of the same letters. */
static void
end_stretch (const HlBpe *bpe,
             HlBpeScratch *scratch,
             const char *word,
             gsize length,
             GArray *tokens)
{
  gboolean is_kept = length <= CACHED_BYTES && !bpe->ignores_merges;
  Seen *seen = is_kept ? find_seen (scratch, word, length) : NULL;
  if (seen != NULL && use_seen (seen, word, length, tokens))
    {
      g_array_set_size (scratch->symbols, 0);
      return;
    }
  gsize first = tokens->len;
  merge_symbols (bpe, scratch, tokens);
  if (seen != NULL)
    *seen = (Seen){ word, (guint32) length, (guint32) (tokens->len - first), first };
}

/* Writes the unit symbols of a word, and merges them stretch by stretch: between two
 * characters that no merge joins, the word falls apart. */
static void
encode_units (const HlBpe *bpe,
              HlBpeScratch *scratch,
              const char *word,
              gsize length,
              GArray *tokens)
{
  gsize stretch = 0, unknown_length = 0;
  gunichar last = G_MAXUINT32; /* G_MAXUINT32: no cut behind the last unit */
  gboolean may_cut = length > CACHED_BYTES && bpe->prefix == NULL && bpe->suffix == NULL;
  gsize size = 0;
  for (gsize at = 0; at < length; at += size)
    {
      const char *unit = word + at;
      size = bpe->is_byte_level ? 1 : hl_utf8_size (*unit);
      gint32 id = find_unit (bpe, unit, size, at == 0, at + size == length);
      if (id < 0)
        {
          last = G_MAXUINT32;
          if (add_byte_tokens (bpe, scratch, unit, size) || bpe->unknown < 0)
            continue;
          if (unknown_length > 0 && !bpe->fuses_unknown)
            {
              add_symbol (scratch, bpe->unknown, unknown_length);
              unknown_length = 0;
            }
          unknown_length += size;
          continue;
        }
      if (unknown_length > 0)
        add_symbol (scratch, bpe->unknown, unknown_length);
      else if (may_cut)
        {
          gunichar c = bpe->is_byte_level ? (guint8) *unit : g_utf8_get_char (unit);
          if (last != G_MAXUINT32 && !hl_bpe_may_join (bpe, last, c))
            {
              end_stretch (bpe, scratch, word + stretch, at - stretch, tokens);
              stretch = at;
            }
          last = c;
        }
      unknown_length = 0;
      add_symbol (scratch, id, size);
    }
  if (unknown_length > 0)
    add_symbol (scratch, bpe->unknown, unknown_length);
  if (stretch > 0)
    end_stretch (bpe, scratch, word + stretch, length - stretch, tokens);
  else
    merge_symbols (bpe, scratch, tokens);
}

/* The whole word as one token, whatever the merges say. */
static gboolean
find_whole (const HlBpe *bpe, const char *word, gsize length, GArray *tokens)
{
  gint32 id = -1;
  if (!bpe->is_byte_level)
    id = hl_vocabulary_find (bpe->vocabulary, word, length);
  else if (length <= CACHED_BYTES * 16)
    {
      char written[CACHED_BYTES * 16 * 2];
      gsize n = 0;
      for (gsize i = 0; i < length; i++)
        {
          gunichar c = hl_byte_level_char ((guint8) word[i]);
          if (c < 0x80)
            written[n++] = (char) c;
          else
            n += (gsize) g_unichar_to_utf8 (c, written + n);
        }
      id = hl_vocabulary_find (bpe->vocabulary, written, n);
    }
  if (id < 0)
    return FALSE;
  HlModelToken token = { .id = id, .length = (guint32) length & G_MAXINT32 };
  g_array_append_val (tokens, token);
  return TRUE;
}

/* The lowest merge first, of equal ones the leftmost: O(n log n). Characters without a
 * token and without a token for the unknown are left out, as the reference library does.
 */
static gboolean
encode (gconstpointer data,
        gpointer scratch_data,
        const char *word,
        gsize length,
        GArray *tokens,
        GError **error G_GNUC_UNUSED)
{
  const HlBpe *bpe = data;
  HlBpeScratch *scratch = scratch_data;
  Seen *seen = length <= CACHED_BYTES ? find_seen (scratch, word, length) : NULL;
  if (seen != NULL && use_seen (seen, word, length, tokens))
    return TRUE;
  gsize first = tokens->len;
  if (!bpe->ignores_merges || !find_whole (bpe, word, length, tokens))
    encode_units (bpe, scratch, word, length, tokens);
  if (seen != NULL)
    *seen = (Seen){ word, (guint32) length, (guint32) (tokens->len - first), first };
  return TRUE;
}

static const HlVocabulary *
get_vocabulary (gconstpointer data)
{
  return ((const HlBpe *) data)->vocabulary;
}

static gint32
get_unknown (gconstpointer data)
{
  return ((const HlBpe *) data)->unknown;
}

const HlTokenModelKind hl_bpe_kind = {
  .type = "BPE",
  .reads_bytes = TRUE,
  .read = hl_bpe_read,
  .free = hl_bpe_free,
  .get_vocabulary = get_vocabulary,
  .get_unknown = get_unknown,
  .scratch_new = scratch_new,
  .scratch_free = scratch_free,
  .encode = encode,
};
