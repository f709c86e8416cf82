/* SPDX-License-Identifier: MIT
 * Parts of a tokenizer file, as a sentencepiece model is turned into one. Private to
 * hl-sentencepiece*.c. */
#pragma once

#include "text/hl-sentencepiece.h"

G_BEGIN_DECLS

/** HL_SPM_SPACE: what stands for a space in pieces. */
#define HL_SPM_SPACE "\xe2\x96\x81"

/* Vocabulary and added tokens on their way into the file. */
typedef struct
{
  const HlSentencepiece *model;
  const json_t *config;
  const char *where;
  json_t *pieces;  /* [[string, score], ...] */
  GHashTable *ids; /* by string, borrowed from @pieces */
  json_t *added;   /* by id */
} HlSpmConversion;

/** hl_spm_conversion_init, _clear: @model and @config are borrowed. */
void hl_spm_conversion_init (HlSpmConversion *c,
                             const HlSentencepiece *model,
                             const json_t *config,
                             const char *where);
void hl_spm_conversion_clear (HlSpmConversion *c);

/** hl_spm_step: a step without fields. All of these: (transfer full). */
json_t *hl_spm_step (const char *type);

/** hl_spm_replace: @kind: "String" or "Regex". */
json_t *hl_spm_replace (const char *kind, const char *pattern, const char *content);

json_t *hl_spm_metaspace (const char *scheme, gboolean cuts);

/** hl_spm_strip: white space at the end, and at the beginning too where @left. */
json_t *hl_spm_strip (gboolean left);

/** hl_spm_sequence: @list: the steps, taken. */
json_t *hl_spm_sequence (const char *field, json_t *list);

/** hl_spm_append_charsmap: the model's table of characters, where it has one;
 * @is_own: as sentencepiece itself would look up in it. */
void hl_spm_append_charsmap (json_t *list, const HlSentencepiece *model, gboolean is_own);

/** hl_spm_byte_decoder: spaces and bytes; @strips: without one space at the beginning. */
json_t *hl_spm_byte_decoder (gboolean strips);

/** hl_spm_get_flag, hl_spm_get_name: of tokenizer_config.json, or the fallback. */
gboolean hl_spm_get_flag (const HlSpmConversion *c, const char *field, gboolean fallback);
const char *
hl_spm_get_name (const HlSpmConversion *c, const char *field, const char *fallback);

/** hl_spm_append_piece: the next id. hl_spm_append_pieces: the model's, from @first on.
 */
void hl_spm_append_piece (HlSpmConversion *c, const char *text, double score);
void hl_spm_append_pieces (HlSpmConversion *c, guint first);

/** hl_spm_find_id: -1 for none. */
gint hl_spm_find_id (const HlSpmConversion *c, const char *name);

/** hl_spm_add_token: an added token, where the vocabulary has it. */
void hl_spm_add_token (HlSpmConversion *c,
                       const char *name,
                       gboolean is_special,
                       gboolean strips_left);

/** hl_spm_add_model_tokens: the controls, special, and what a person put into the model.
 */
void hl_spm_add_model_tokens (HlSpmConversion *c);

/**
 * hl_spm_template:
 * @single, @pair: characters and their segments, "<0A0>0B1>1": A and B are the texts, <
 * and > the tokens @first and @last Returns: (transfer full): NULL with @error: MISSING
 * no such token
 */
json_t *hl_spm_template (const HlSpmConversion *c,
                         const char *single,
                         const char *pair,
                         const char *first,
                         const char *last,
                         GError **error);

/** hl_spm_bos_template: BOS and EOS around each text, as the configuration wants. */
json_t *hl_spm_bos_template (const HlSpmConversion *c,
                             const char *bos,
                             const char *eos,
                             GError **error);

/** hl_spm_file: takes all of them; NULL is none. */
json_t *hl_spm_file (const HlSpmConversion *c,
                     json_t *model,
                     json_t *normalizer,
                     json_t *pre,
                     json_t *post,
                     json_t *decoder);

/** hl_spm_unigram: @unk_id: -1 for none; @is_own: as sentencepiece itself would run it.
 */
json_t *hl_spm_unigram (const HlSpmConversion *c, gint unk_id, gboolean is_own);

/** hl_spm_own_normalizer: what sentencepiece itself does to a text. */
json_t *hl_spm_own_normalizer (const HlSentencepiece *model);

G_END_DECLS
