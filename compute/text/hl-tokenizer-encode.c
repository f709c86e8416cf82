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
  GArray *words;  /* HlModelToken */
  GArray *tokens; /* HlTextToken */
  int sequence;
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
  token.sequence = (gint8) encoder->sequence;
  token.start_char = count_to (&encoder->cursor, span.start);
  token.end_char = count_to (&encoder->cursor, span.end);
  token.is_special = added != NULL && hl_tokenizer_is_special (encoder->tokenizer, id);
  if (encoder->tokenizer->post->trims)
    {
      const HlVocabulary *vocabulary =
          hl_token_model_get_vocabulary (encoder->tokenizer->model);
      gsize length = end - start;
      const char *written = added != NULL ? encoder->pieces->bytes + start
                                          : hl_vocabulary_get (vocabulary, id, &length);
      trim (encoder, &token, written, length);
    }
  g_array_append_val (encoder->tokens, token);
}

static gboolean
encode_pieces (Encoder *encoder, gpointer scratch, GError **error)
{
  const HlPieces *pieces = encoder->pieces;
  const HlTokenModel *model = encoder->tokenizer->model;
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
      if (!model->kind->encode (model->data, scratch, pieces->bytes + at,
                                piece->end - piece->start, encoder->words, error))
        return FALSE;
      for (guint t = first; t < encoder->words->len; t++)
        {
          const HlModelToken *word = &g_array_index (encoder->words, HlModelToken, t);
          add_token (encoder, word->id, at, at + word->length, NULL);
          at += word->stays ? 0 : word->length;
        }
    }
  return TRUE;
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

static gboolean
check_text (const char *text, gsize length, GError **error)
{
  gsize bad = 0;
  if (length > HL_TEXT_MAX_BYTES)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                   "text: at most %" G_GSIZE_FORMAT " bytes expected, %" G_GSIZE_FORMAT
                   " found",
                   HL_TEXT_MAX_BYTES, length);
      return FALSE;
    }
  if (hl_utf8_check (text, length, &bad))
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_FORMAT,
               "text: UTF-8 expected, byte %02X found at byte %" G_GSIZE_FORMAT,
               (guint8) text[bad], bad);
  return FALSE;
}

/* The tokens of a text alone, HlTextToken; NULL with @error. */
static GArray *
encode_text (HlTokenizer *tokenizer,
             const char *text,
             gssize length,
             const HlEncodeOptions *options,
             int sequence,
             GError **error)
{
  const HlTokenModelKind *kind = tokenizer->model->kind;
  gsize n = length >= 0 ? (gsize) length : strlen (text);
  HlPieces pieces;
  GArray *tokens = NULL;
  if (!check_text (text, n, error))
    return NULL;
  hl_pieces_init (&pieces, text, n);
  if (prepare (tokenizer, &pieces, options->parse_special, error))
    {
      guint n_guess = (guint) (pieces.length / 4);
      g_autoptr (GArray) words =
          g_array_sized_new (FALSE, FALSE, sizeof (HlModelToken), n_guess);
      gpointer scratch =
          kind->scratch_new != NULL ? kind->scratch_new (pieces.length) : NULL;
      tokens = g_array_sized_new (FALSE, FALSE, sizeof (HlTextToken), n_guess + 4);
      Encoder encoder = { .tokenizer = tokenizer,
                          .pieces = &pieces,
                          .cursor.text = text,
                          .words = words,
                          .tokens = tokens,
                          .sequence = sequence };
      if (!encode_pieces (&encoder, scratch, error))
        g_clear_pointer (&tokens, g_array_unref);
      if (scratch != NULL)
        kind->scratch_free (scratch);
    }
  hl_pieces_clear (&pieces);
  return tokens;
}

/* ---- around --------------------------------------------------------------------------
 */

/* Whether the text begins with the token that stands before it anyway. */
static gboolean
has_doubled (const GArray *items, const GArray *tokens)
{
  const HlTemplateItem *first = &g_array_index (items, HlTemplateItem, 0);
  return first->id >= 0 && tokens->len > 0 &&
         g_array_index (tokens, HlTextToken, 0).id == first->id;
}

/* Takes the @tokens of one text or two and puts them where the template says. */
static HlEncoding *
put_together (HlTokenizer *tokenizer, GArray *tokens[2], gboolean add_special)
{
  const HlPostProcessor *post = tokenizer->post;
  const GArray *items = tokens[1] != NULL ? post->pair : post->single;
  HlEncoding *encoding = g_new0 (HlEncoding, 1);
  GArray *all = NULL;
  g_atomic_ref_count_init (&encoding->refs);
  encoding->has_doubled_bos = add_special && has_doubled (items, tokens[0]);
  for (guint i = 0; i < items->len; i++)
    {
      const HlTemplateItem *item = &g_array_index (items, HlTemplateItem, i);
      if (item->id >= 0 && !add_special)
        continue;
      HlTextToken around = { .id = item->id,
                             .segment = item->segment,
                             .sequence = -1,
                             .is_special = TRUE,
                             .is_around = TRUE };
      GArray *text = item->id >= 0 ? NULL : tokens[item->id == HL_TEMPLATE_SECOND];
      for (guint t = 0; text != NULL && t < text->len; t++)
        g_array_index (text, HlTextToken, t).segment = item->segment;
      if (all == NULL && text != NULL && items->len == 1)
        all = g_array_ref (text);
      else if (all == NULL)
        all = g_array_sized_new (FALSE, FALSE, sizeof (HlTextToken),
                                 tokens[0]->len + items->len);
      if (text == NULL)
        g_array_append_val (all, around);
      else if (all != text)
        g_array_append_vals (all, text->data, text->len);
    }
  encoding->n_tokens = all->len;
  encoding->tokens = (HlTextToken *) (void *) g_array_steal (all, NULL);
  g_array_unref (all);
  return encoding;
}

static HlEncoding *
encode_texts (HlTokenizer *tokenizer,
              const char *const texts[2],
              const gssize lengths[2],
              const HlEncodeOptions *options,
              GError **error)
{
  const HlEncodeOptions both = { TRUE, TRUE };
  GArray *tokens[2] = { NULL, NULL };
  HlEncoding *encoding = NULL;
  gboolean is_good = TRUE;
  if (options == NULL)
    options = &both;
  for (int i = 0; i < 2 && is_good && texts[i] != NULL; i++)
    {
      tokens[i] = encode_text (tokenizer, texts[i], lengths[i], options, i, error);
      is_good = tokens[i] != NULL;
    }
  if (is_good)
    encoding = put_together (tokenizer, tokens, options->add_special);
  g_clear_pointer (&tokens[0], g_array_unref);
  g_clear_pointer (&tokens[1], g_array_unref);
  return encoding;
}

HlEncoding *
hl_tokenizer_encode (HlTokenizer *tokenizer,
                     const char *text,
                     gssize length,
                     const HlEncodeOptions *options,
                     GError **error)
{
  const char *const texts[2] = { text, NULL };
  const gssize lengths[2] = { length, 0 };
  return encode_texts (tokenizer, texts, lengths, options, error);
}

HlEncoding *
hl_tokenizer_encode_pair (HlTokenizer *tokenizer,
                          const char *a,
                          gssize a_length,
                          const char *b,
                          gssize b_length,
                          const HlEncodeOptions *options,
                          GError **error)
{
  const char *const texts[2] = { a, b };
  const gssize lengths[2] = { a_length, b_length };
  return encode_texts (tokenizer, texts, lengths, options, error);
}
