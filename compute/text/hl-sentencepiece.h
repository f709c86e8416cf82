/* SPDX-License-Identifier: MIT
 * The model file of sentencepiece (spiece.model, tokenizer.model, source.spm): a protocol
 * buffer, hostile until checked. Private to compute/text. */
#pragma once

#include "io/hl-json.h"

G_BEGIN_DECLS

/** HL_SENTENCEPIECE_MAX_BYTES, _MAX_PIECES, _MAX_PIECE_BYTES: what a file may have. */
#define HL_SENTENCEPIECE_MAX_BYTES ((gsize) 64 << 20)
#define HL_SENTENCEPIECE_MAX_PIECES (1u << 21)
#define HL_SENTENCEPIECE_MAX_PIECE_BYTES 512

/** HlPieceType: as the file numbers them. */
typedef enum
{
  HL_PIECE_NORMAL = 1,
  HL_PIECE_UNKNOWN = 2,
  HL_PIECE_CONTROL = 3,
  HL_PIECE_USER_DEFINED = 4,
  HL_PIECE_UNUSED = 5,
  HL_PIECE_BYTE = 6,
} HlPieceType;

/** HlSentencepiecePiece: @text: UTF-8; @score: finite. */
typedef struct
{
  char *text;
  float score;
  guint32 type;
} HlSentencepiecePiece;

/**
 * HlSentencepiece: what of the file is used
 * @pieces: HlSentencepiecePiece, by id
 * @is_bpe: byte pair encoding; otherwise Unigram
 * @unk_id, @bos_id, @eos_id, @pad_id: -1 for none; not checked against @pieces
 * @charsmap: (nullable): see hl-charsmap.h
 */
typedef struct
{
  GArray *pieces;
  gboolean is_bpe;
  gboolean has_byte_fallback;
  gint32 unk_id;
  gint32 bos_id;
  gint32 eos_id;
  gint32 pad_id;
  gboolean adds_dummy_prefix;
  gboolean removes_extra_whitespaces;
  GBytes *charsmap;
} HlSentencepiece;

/**
 * hl_sentencepiece_parse:
 * @where: what errors call the file
 * Returns: (transfer full): NULL with @error: FORMAT no such message; RANGE too many or
 *   too long; UNSUPPORTED models of words and of characters
 */
HlSentencepiece *hl_sentencepiece_parse (const guint8 *data,
                                         gsize size_bytes,
                                         const char *where,
                                         GError **error);
void hl_sentencepiece_free (HlSentencepiece *model);

/**
 * hl_sentencepiece_convert:
 * @family: lower case: "t5", "albert", "xlm-roberta", "llama", "gemma", "siglip"; NULL
 *   where nothing says: the model alone, with no tokens around a text
 * @config: (nullable): tokenizer_config.json
 * Returns: (transfer full): what tokenizer.json would say; NULL with @error: UNSUPPORTED
 *   another family
 */
json_t *hl_sentencepiece_convert (const HlSentencepiece *model,
                                  const char *family,
                                  const json_t *config,
                                  const char *where,
                                  GError **error);

/** hl_sentencepiece_convert_marian: @vocabulary: vocab.json, strings and their ids, which
 * are not those of the model. */
json_t *hl_sentencepiece_convert_marian (const HlSentencepiece *model,
                                         const json_t *vocabulary,
                                         const json_t *config,
                                         const char *where,
                                         GError **error);

/** hl_sentencepiece_get_merges: (transfer full): the merges of @pieces, an array of
 * [string, score], in the order of the scores; NULL with @error (RANGE). */
json_t *
hl_sentencepiece_get_merges (const json_t *pieces, const char *where, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlSentencepiece, hl_sentencepiece_free)

G_END_DECLS
