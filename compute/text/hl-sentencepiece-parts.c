/* SPDX-License-Identifier: MIT
 * Parts of a tokenizer file, as a sentencepiece model is turned into one. */
#include "text/hl-sentencepiece-private.h"

#include "base/hl-error.h"
#include "text/hl-tokenizer-files.h"

#include <string.h>

/* ---- parts ---------------------------------------------------------------------------
 */

json_t *
hl_spm_step (const char *type)
{
  return json_pack ("{s:s}", "type", type);
}

json_t *
hl_spm_replace (const char *kind, const char *pattern, const char *content)
{
  return json_pack ("{s:s, s:{s:s}, s:s}", "type", "Replace", "pattern", kind, pattern,
                    "content", content);
}

json_t *
hl_spm_metaspace (const char *scheme, gboolean cuts)
{
  return json_pack ("{s:s, s:s, s:s, s:b}", "type", "Metaspace", "replacement",
                    HL_SPM_SPACE, "prepend_scheme", scheme, "split", cuts);
}

json_t *
hl_spm_strip (gboolean left)
{
  return json_pack ("{s:s, s:b, s:b}", "type", "Strip", "strip_left", left, "strip_right",
                    1);
}

/* Takes the steps. */
json_t *
hl_spm_sequence (const char *field, json_t *list)
{
  return json_pack ("{s:s, s:o}", "type", "Sequence", field, list);
}

/* The model's table of characters; nothing where it has none. */
void
hl_spm_append_charsmap (json_t *list, const HlSentencepiece *model, gboolean is_own)
{
  gsize size = 0;
  if (model->charsmap == NULL)
    return;
  const guchar *data = g_bytes_get_data (model->charsmap, &size);
  g_autofree char *text = g_base64_encode (data, size);
  json_array_append_new (list, json_pack ("{s:s, s:s, s:b}", "type", "Precompiled",
                                          "precompiled_charsmap", text, "longest_match",
                                          is_own));
}

/* Spaces back, bytes back; one space at the beginning was not in the text. */
json_t *
hl_spm_byte_decoder (gboolean strips)
{
  json_t *list = json_array ();
  json_array_append_new (list, hl_spm_replace ("String", HL_SPM_SPACE, " "));
  json_array_append_new (list, hl_spm_step ("ByteFallback"));
  json_array_append_new (list, hl_spm_step ("Fuse"));
  if (strips)
    json_array_append_new (list, json_pack ("{s:s, s:s, s:i, s:i}", "type", "Strip",
                                            "content", " ", "start", 1, "stop", 0));
  return hl_spm_sequence ("decoders", list);
}

gboolean
hl_spm_get_flag (const HlSpmConversion *c, const char *field, gboolean fallback)
{
  return hl_tokenizer_config_flag (c->config, field, fallback);
}

const char *
hl_spm_get_name (const HlSpmConversion *c, const char *field, const char *fallback)
{
  return hl_tokenizer_config_name (c->config, field, fallback);
}

/* ---- the vocabulary ------------------------------------------------------------------
 */

void
hl_spm_append_piece (HlSpmConversion *c, const char *text, double score)
{
  json_t *entry = json_pack ("[s, f]", text, score);
  json_array_append_new (c->pieces, entry);
  g_hash_table_insert (c->ids, (gpointer) json_string_value (json_array_get (entry, 0)),
                       GINT_TO_POINTER ((gint) json_array_size (c->pieces) - 1));
}

/* The model's pieces from the one with id @first on. */
void
hl_spm_append_pieces (HlSpmConversion *c, guint first)
{
  for (guint i = first; i < c->model->pieces->len; i++)
    {
      const HlSentencepiecePiece *piece =
          &g_array_index (c->model->pieces, HlSentencepiecePiece, i);
      hl_spm_append_piece (c, piece->text, (double) piece->score);
    }
}

gint
hl_spm_find_id (const HlSpmConversion *c, const char *name)
{
  gpointer id = NULL;
  return g_hash_table_lookup_extended (c->ids, name, NULL, &id) ? GPOINTER_TO_INT (id)
                                                                : -1;
}

/* The token must be in the vocabulary to count. */
void
hl_spm_add_token (HlSpmConversion *c,
                  const char *name,
                  gboolean is_special,
                  gboolean strips_left)
{
  gint id = hl_spm_find_id (c, name);
  g_autofree char *key = g_strdup_printf ("%09d", id);
  if (id >= 0)
    json_object_set_new (c->added, key,
                         json_pack ("{s:i, s:s, s:b, s:b, s:b}", "id", id, "content",
                                    name, "special", is_special, "lstrip", strips_left,
                                    "normalized", 0));
}

/* Controls are special tokens; what a person added to the model is one, not special. */
void
hl_spm_add_model_tokens (HlSpmConversion *c)
{
  for (guint i = 0; i < c->model->pieces->len; i++)
    {
      const HlSentencepiecePiece *piece =
          &g_array_index (c->model->pieces, HlSentencepiecePiece, i);
      if (piece->type == HL_PIECE_CONTROL || piece->type == HL_PIECE_USER_DEFINED)
        hl_spm_add_token (c, piece->text, piece->type == HL_PIECE_CONTROL, FALSE);
    }
}

static int
compare_keys (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* By id, as new tokens would be counted. */
static json_t *
list_added (const HlSpmConversion *c)
{
  g_autoptr (GPtrArray) keys = g_ptr_array_new ();
  json_t *list = json_array ();
  const char *key;
  json_t *token;
  json_object_foreach (c->added, key, token)
  {
    g_ptr_array_add (keys, (gpointer) key);
  }
  g_ptr_array_sort (keys, compare_keys);
  for (guint i = 0; i < keys->len; i++)
    json_array_append (list, json_object_get (c->added, g_ptr_array_index (keys, i)));
  return list;
}

/* ---- templates -----------------------------------------------------------------------
 */

/* Pairs of what and its segment: A and B the texts, < and > the tokens of that name. */
static json_t *
template_items (const char *spec, const char *first, const char *last)
{
  json_t *list = json_array ();
  for (; *spec != '\0'; spec += 2)
    {
      gboolean is_text = *spec == 'A' || *spec == 'B';
      char name[2] = { *spec, '\0' };
      const char *id = is_text ? name : *spec == '<' ? first : last;
      json_array_append_new (list, json_pack ("{s:{s:s, s:i}}",
                                              is_text ? "Sequence" : "SpecialToken", "id",
                                              id, "type_id", spec[1] - '0'));
    }
  return list;
}

/* NULL with @error: a token that the vocabulary has not. */
json_t *
hl_spm_template (const HlSpmConversion *c,
                 const char *single,
                 const char *pair,
                 const char *first,
                 const char *last,
                 GError **error)
{
  const char *const names[2] = { first, last };
  g_autoptr (json_t) specials = json_object ();
  for (int i = 0; i < 2; i++)
    {
      if (strchr (pair, i == 0 ? '<' : '>') == NULL)
        continue;
      gint id = hl_spm_find_id (c, names[i]);
      if (id < 0)
        {
          g_set_error (error, HL_ERROR, HL_ERROR_MISSING,
                       "%s: a piece \"%.60s\" expected, none found", c->where, names[i]);
          return NULL;
        }
      json_object_set_new (specials, names[i],
                           json_pack ("{s:s, s:[i]}", "id", names[i], "ids", id));
    }
  return json_pack ("{s:s, s:o, s:o, s:O}", "type", "TemplateProcessing", "single",
                    template_items (single, first, last), "pair",
                    template_items (pair, first, last), "special_tokens", specials);
}

/* BOS and EOS around each text, as far as the configuration wants them. */
json_t *
hl_spm_bos_template (const HlSpmConversion *c,
                     const char *bos,
                     const char *eos,
                     GError **error)
{
  gboolean has_bos = hl_spm_get_flag (c, "add_bos_token", TRUE);
  gboolean has_eos = hl_spm_get_flag (c, "add_eos_token", FALSE);
  g_autofree char *single =
      g_strconcat (has_bos ? "<0" : "", "A0", has_eos ? ">0" : "", NULL);
  g_autofree char *pair =
      g_strconcat (single, has_bos ? "<1" : "", "B1", has_eos ? ">1" : "", NULL);
  return hl_spm_template (c, single, pair, bos, eos, error);
}

/* What sentencepiece does to a text before it looks for pieces. */
json_t *
hl_spm_own_normalizer (const HlSentencepiece *model)
{
  json_t *list = json_array ();
  hl_spm_append_charsmap (list, model, TRUE);
  if (model->removes_extra_whitespaces)
    {
      json_array_append_new (list, hl_spm_replace ("Regex", "\\A +| +\\z", ""));
      json_array_append_new (list, hl_spm_replace ("Regex", " {2,}", " "));
    }
  return hl_spm_sequence ("normalizers", list);
}

/* Takes all of them; @post may be missing because of an error. */
json_t *
hl_spm_file (const HlSpmConversion *c,
             json_t *model,
             json_t *normalizer,
             json_t *pre,
             json_t *post,
             json_t *decoder)
{
  json_t *root = json_object ();
  json_object_set_new (root, "model", model);
  json_object_set_new (root, "normalizer",
                       normalizer != NULL ? normalizer : json_null ());
  json_object_set_new (root, "pre_tokenizer", pre != NULL ? pre : json_null ());
  json_object_set_new (root, "post_processor", post != NULL ? post : json_null ());
  json_object_set_new (root, "decoder", decoder);
  json_object_set_new (root, "added_tokens", list_added (c));
  return root;
}

json_t *
hl_spm_unigram (const HlSpmConversion *c, gint unk_id, gboolean is_own)
{
  gboolean has_byte_fallback = is_own && c->model->has_byte_fallback;
  json_t *model =
      json_pack ("{s:s, s:O, s:b, s:b}", "type", "Unigram", "vocab", c->pieces,
                 "byte_fallback", has_byte_fallback, "single_precision", is_own);
  if (unk_id >= 0)
    json_object_set_new (model, "unk_id", json_integer (unk_id));
  return model;
}

/* ---- beginning and end ---------------------------------------------------------------
 */

void
hl_spm_conversion_init (HlSpmConversion *c,
                        const HlSentencepiece *model,
                        const json_t *config,
                        const char *where)
{
  *c = (HlSpmConversion){ .model = model, .config = config, .where = where };
  c->pieces = json_array ();
  c->ids = g_hash_table_new (g_str_hash, g_str_equal);
  c->added = json_object ();
}

void
hl_spm_conversion_clear (HlSpmConversion *c)
{
  g_hash_table_unref (c->ids);
  json_decref (c->pieces);
  json_decref (c->added);
}
