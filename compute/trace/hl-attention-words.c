/* SPDX-License-Identifier: MIT
 * Maps of a trace in words, joined from maps in tokens as they are read. */
#include "trace/hl-attention-source-private.h"

#include "trace/hl-word-trace.h"

#include <string.h>

/* Entries in tokens that are read together. */
#define BAND_ENTRIES ((gint64) 1 << 20)

/* Words [first, first + n) of one side, as tokens; a side that is not joined is its own.
 */
typedef struct
{
  const gint64 *first; /* (nullable): (n + 1): tokens that the words begin with */
  gint64 token, n_tokens, n_words;
} Side;

static Side
side_of (const HlWords *words, gint64 first, gint64 n)
{
  if (words == NULL)
    return (Side){ NULL, first, n, n };
  const gint64 *begins = words->first + first;
  return (Side){ begins, begins[0], begins[n] - begins[0], n };
}

static gint64
count_pieces (const Side *side, gint64 word)
{
  return side->first != NULL ? side->first[word + 1] - side->first[word] : 1;
}

/* Adds a row over tokens to one over words. */
static void
add_row (const Side *keys, const float *row, double *sums)
{
  for (gint64 w = 0; w < keys->n_words; w++)
    for (gint64 n = count_pieces (keys, w); n > 0; n--, row++)
      sums[w] += (double) *row;
}

/* What goes by row after row: the word that is being summed. */
typedef struct
{
  const Side *queries, *keys;
  double *sums;
  gint64 word, n_added;
  float *out;
} Joining;

static void
take_row (Joining *j, const float *row)
{
  add_row (j->keys, row, j->sums);
  j->n_added++;
  gint64 n = count_pieces (j->queries, j->word), n_keys = j->keys->n_words;
  if (j->n_added < n)
    return;
  for (gint64 k = 0; k < n_keys; k++)
    j->out[j->word * n_keys + k] = (float) (j->sums[k] / (double) n);
  memset (j->sums, 0, sizeof (double) * (gsize) n_keys);
  j->word++;
  j->n_added = 0;
}

gboolean
hl_attention_source_read_words (const HlAttentionSource *source,
                                HlBackend *backend,
                                HlHeadKey head,
                                gint64 first_query,
                                gint64 n_queries,
                                gint64 first_key,
                                gint64 n_keys,
                                float *out,
                                GCancellable *cancellable,
                                GError **error)
{
  const HlTrace *trace = source->trace;
  Side queries = side_of (hl_trace_get_words (trace, head.stack), first_query, n_queries);
  Side keys = side_of (hl_trace_get_key_words (trace, head.stack), first_key, n_keys);
  gint64 some = CLAMP (BAND_ENTRIES / keys.n_tokens, 1, queries.n_tokens);
  g_autofree float *band = g_new (float, (gsize) (some * keys.n_tokens));
  g_autofree double *sums = g_new0 (double, (gsize) n_keys);
  Joining joining = { .queries = &queries, .keys = &keys, .sums = sums, .out = out };
  for (gint64 at = 0; at < queries.n_tokens; at += some)
    {
      gint64 n = MIN (some, queries.n_tokens - at);
      if (!hl_attention_source_read_rect (source->pieces, backend, head,
                                          queries.token + at, n, keys.token,
                                          keys.n_tokens, band, cancellable, error))
        return FALSE;
      for (gint64 i = 0; i < n; i++)
        take_row (&joining, band + i * keys.n_tokens);
    }
  return TRUE;
}
