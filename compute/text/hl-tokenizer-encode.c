/* SPDX-License-Identifier: MIT
 * A text into tokens with their places. */
#include "base/hl-error.h"
#include "text/hl-tokenizer-private.h"
#include "text/hl-unicode.h"

#include <string.h>

/* A walk along the original that counts characters; tokens come nearly in order. */
typedef struct
{
  const char *text;
  gsize byte;
  gsize n_chars;
} CharCursor;

typedef struct
{
  HlTokenizer *tokenizer;
  const HlPieces *pieces;
  CharCursor cursor;
  GArray *words;  /* HlBpeToken */
  GArray *tokens; /* HlTextToken */
} Encoder;

static guint32
count_to (CharCursor *cursor, gsize byte)
{
  if (byte >= cursor->byte)
    cursor->n_chars += hl_utf8_count (cursor->text + cursor->byte, byte - cursor->byte);
  else
    cursor->n_chars -= hl_utf8_count (cursor->text + byte, cursor->byte - byte);
  cursor->byte = byte;
  return (guint32) cursor->n_chars;
}

/* ---- trimming ------------------------------------------------------------------------
 */

static gboolean
is_blank (gunichar c)
{
  return c == hl_byte_level_char (' ') || hl_unicode_is_space (c);
}

/* Takes the white space that a token is written with out of its place. */
static void
trim (Encoder *encoder, HlTextToken *token, const char *written, gsize length)
{
  const HlPostProcessor *post = encoder->tokenizer->post;
  const char *text = encoder->cursor.text;
  guint32 n_left = 0, n_right = 0;
  gboolean is_first = encoder->tokens->len == 0 || token->start_char == 0;
  for (gsize i = 0; i < length && is_blank (g_utf8_get_char (written + i));
       i += hl_utf8_size (written[i]))
    n_left++;
  for (gsize i = length; i > 0;)
    {
      i = hl_utf8_previous (written, i);
      if (!is_blank (g_utf8_get_char (written + i)))
        break;
      n_right++;
    }
  /* One space may be the pre-tokenizer's; more are the text's. */
  if (n_left == 1 && is_first && post->keeps_first_space)
    n_left = 0;
  for (; n_left > 0 && token->start_char < token->end_char; n_left--)
    {
      token->start_byte += hl_utf8_size (text[token->start_byte]);
      token->start_char++;
    }
  if (token->end_char < n_right)
    return;
  for (; n_right > 0 && token->end_char > token->start_char; n_right--)
    {
      token->end_byte = (guint32) hl_utf8_previous (text, token->end_byte);
      token->end_char--;
    }
}

/* ---- tokens --------------------------------------------------------------------------
 */

static void
add_token (Encoder *encoder, gint32 id, gsize start, gsize end, const HlPiece *added)
{
  HlSpan span = hl_pieces_original (encoder->pieces, start, end);
  HlTextToken token = { .id = id, .start_byte = span.start, .end_byte = span.end };
  token.start_char = count_to (&encoder->cursor, span.start);
  token.end_char = count_to (&encoder->cursor, span.end);
  token.is_special = added != NULL && hl_tokenizer_is_special (encoder->tokenizer, id);
  if (encoder->tokenizer->post->trims)
    {
      const HlVocabulary *vocabulary = hl_bpe_get_vocabulary (encoder->tokenizer->bpe);
      gsize length = end - start;
      const char *written = added != NULL ? encoder->pieces->bytes + start
                                          : hl_vocabulary_get (vocabulary, id, &length);
      trim (encoder, &token, written, length);
    }
  g_array_append_val (encoder->tokens, token);
}

static void
add_around (GArray *tokens, const GArray *ids)
{
  for (guint i = 0; i < ids->len; i++)
    {
      HlTextToken token = { .id = g_array_index (ids, gint32, i),
                            .is_special = TRUE,
                            .is_around = TRUE };
      g_array_append_val (tokens, token);
    }
}

static void
encode_pieces (Encoder *encoder)
{
  const HlPieces *pieces = encoder->pieces;
  g_autoptr (HlBpeScratch) scratch = hl_bpe_scratch_new (pieces->length);
  for (guint i = 0; i < pieces->list->len; i++)
    {
      const HlPiece *piece = &g_array_index (pieces->list, HlPiece, i);
      if (piece->id >= 0)
        {
          add_token (encoder, piece->id, piece->start, piece->end, piece);
          continue;
        }
      gsize at = piece->start;
      guint first = encoder->words->len;
      hl_bpe_encode (encoder->tokenizer->bpe, scratch, pieces->bytes + at,
                     piece->end - piece->start, encoder->words);
      for (guint t = first; t < encoder->words->len; t++)
        {
          const HlBpeToken *word = &g_array_index (encoder->words, HlBpeToken, t);
          add_token (encoder, word->id, at, at + word->length, NULL);
          at += word->length;
        }
    }
}

static gboolean
prepare (HlTokenizer *tokenizer, HlPieces *pieces, gboolean with_special, GError **error)
{
  hl_added_tokens_cut (tokenizer->added, pieces, FALSE, with_special);
  if (!hl_normalizer_run (tokenizer->normalizer, pieces, error))
    return FALSE;
  hl_added_tokens_cut (tokenizer->added, pieces, TRUE, with_special);
  return hl_pre_tokenizer_run (tokenizer->pre, pieces, error);
}

static HlEncoding *
encode (HlTokenizer *tokenizer, const char *text, HlPieces *pieces, gboolean add_special)
{
  Encoder encoder = { .tokenizer = tokenizer, .pieces = pieces, .cursor.text = text };
  const HlPostProcessor *post = tokenizer->post;
  g_autoptr (GArray) words =
      g_array_sized_new (FALSE, FALSE, sizeof (HlBpeToken), (guint) (pieces->length / 4));
  GArray *tokens = g_array_sized_new (FALSE, FALSE, sizeof (HlTextToken),
                                      (guint) (pieces->length / 4) + 4);
  encoder.words = words;
  encoder.tokens = tokens;
  encode_pieces (&encoder);
  HlEncoding *encoding = g_new0 (HlEncoding, 1);
  g_atomic_ref_count_init (&encoding->refs);
  if (add_special && post->before->len + post->behind->len > 0)
    {
      GArray *all =
          g_array_sized_new (FALSE, FALSE, sizeof (HlTextToken),
                             tokens->len + post->before->len + post->behind->len);
      add_around (all, post->before);
      g_array_append_vals (all, tokens->data, tokens->len);
      add_around (all, post->behind);
      if (tokens->len > 0 && post->before->len > 0)
        encoding->has_doubled_bos = g_array_index (tokens, HlTextToken, 0).id ==
                                    g_array_index (post->before, gint32, 0);
      g_array_unref (tokens);
      tokens = all;
    }
  encoding->n_tokens = tokens->len;
  encoding->tokens = (HlTextToken *) (void *) g_array_free (tokens, FALSE);
  return encoding;
}

HlEncoding *
hl_tokenizer_encode (HlTokenizer *tokenizer,
                     const char *text,
                     gssize length,
                     const HlEncodeOptions *options,
                     GError **error)
{
  const HlEncodeOptions both = { TRUE, TRUE };
  gsize n = length >= 0 ? (gsize) length : strlen (text), bad = 0;
  if (options == NULL)
    options = &both;
  if (n > HL_TEXT_MAX_BYTES)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                   "text: at most %" G_GSIZE_FORMAT " bytes expected, %" G_GSIZE_FORMAT
                   " found",
                   HL_TEXT_MAX_BYTES, n);
      return NULL;
    }
  if (!hl_utf8_check (text, n, &bad))
    {
      g_set_error (error, HL_ERROR, HL_ERROR_FORMAT,
                   "text: UTF-8 expected, byte %02X found at byte %" G_GSIZE_FORMAT,
                   (guint8) text[bad], bad);
      return NULL;
    }
  HlPieces pieces;
  HlEncoding *encoding = NULL;
  hl_pieces_init (&pieces, text, n);
  if (prepare (tokenizer, &pieces, options->parse_special, error))
    encoding = encode (tokenizer, text, &pieces, options->add_special);
  hl_pieces_clear (&pieces);
  return encoding;
}
