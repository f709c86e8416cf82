/* SPDX-License-Identifier: MIT
 * The "post_processor" of a tokenizer file. */
#include "text/hl-post-processor.h"

#include "base/hl-error.h"
#include "text/hl-vocabulary.h"

#include <string.h>

/* Tokens around a text; a template that asks for more is a mistake or an attack. */
#define MAX_AROUND 256

static gboolean
refuse (const char *where, const json_t *found, const char *expected, GError **error)
{
  g_autofree char *text = hl_json_describe (found);
  g_set_error (error, HL_ERROR, found == NULL ? HL_ERROR_MISSING : HL_ERROR_FORMAT,
               "%s: %s expected, %s found", where, expected, text);
  return FALSE;
}

static void
add_item (GArray *list, gint32 id, guint8 segment)
{
  HlTemplateItem item = { id, segment };
  g_array_append_val (list, item);
}

/* An id of the file. */
static gboolean
read_id (const json_t *value, const char *where, gint32 *id, GError **error)
{
  json_int_t wide = json_integer_value (value);
  if (!json_is_integer (value) || wide < 0 || wide >= 2 * HL_VOCABULARY_MAX)
    return refuse (where, value, "an id", error);
  *id = (gint32) wide;
  return TRUE;
}

/* ---- templates -----------------------------------------------------------------------
 */

static gboolean
add_special (GArray *list,
             const json_t *specials,
             const json_t *piece,
             guint8 segment,
             const char *where,
             GError **error)
{
  const char *name = json_string_value (json_object_get (piece, "id"));
  const json_t *ids =
      name != NULL ? json_object_get (json_object_get (specials, name), "ids") : NULL;
  gint32 id = 0;
  if (!json_is_array (ids))
    return refuse (where, ids, "\"ids\" in special_tokens for every SpecialToken", error);
  for (gsize i = 0; i < json_array_size (ids); i++)
    {
      if (!read_id (json_array_get (ids, i), where, &id, error))
        return FALSE;
      if (list->len >= MAX_AROUND)
        {
          g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                       "%s: at most %d tokens around a text expected, more found", where,
                       MAX_AROUND);
          return FALSE;
        }
      add_item (list, id, segment);
    }
  return TRUE;
}

/* "A" or "B", the first time. */
static gboolean
add_sequence (GArray *list,
              const json_t *sequence,
              guint8 segment,
              gboolean is_pair,
              const char *where,
              GError **error)
{
  const char *name = json_string_value (json_object_get (sequence, "id"));
  gint32 id = g_strcmp0 (name, "B") == 0 ? HL_TEMPLATE_SECOND : HL_TEMPLATE_FIRST;
  gboolean is_known =
      name == NULL || strcmp (name, "A") == 0 || (is_pair && id == HL_TEMPLATE_SECOND);
  for (guint i = 0; i < list->len; i++)
    is_known = is_known && g_array_index (list, HlTemplateItem, i).id != id;
  if (!is_known)
    return refuse (where, sequence,
                   is_pair ? "Sequence A and Sequence B once each" : "Sequence A once",
                   error);
  add_item (list, id, segment);
  return TRUE;
}

static gboolean
read_pieces (GArray *list,
             const json_t *json,
             const char *field,
             const char *where,
             GError **error)
{
  const json_t *pieces = json_object_get (json, field);
  const json_t *specials = json_object_get (json, "special_tokens");
  gboolean is_pair = strcmp (field, "pair") == 0;
  guint n_texts = 0;
  g_array_set_size (list, 0);
  for (gsize i = 0; i < json_array_size (pieces); i++)
    {
      const json_t *piece = json_array_get (pieces, i);
      const json_t *special = json_object_get (piece, "SpecialToken");
      const json_t *sequence = json_object_get (piece, "Sequence");
      gint64 segment = 0;
      if (special == NULL && !json_is_object (sequence))
        return refuse (where, piece, "a SpecialToken or a Sequence", error);
      if (!hl_json_get_int (special != NULL ? special : sequence, "type_id", FALSE, 0, 0,
                            G_MAXUINT8, where, &segment, error))
        return FALSE;
      if (special != NULL
              ? !add_special (list, specials, special, (guint8) segment, where, error)
              : !add_sequence (list, sequence, (guint8) segment, is_pair, where, error))
        return FALSE;
      n_texts += special == NULL;
    }
  return n_texts == (is_pair ? 2 : 1) ||
         refuse (where, pieces,
                 is_pair ? "Sequence A and Sequence B in field \"pair\""
                         : "Sequence A in field \"single\"",
                 error);
}

static gboolean
read_template (HlPostProcessor *post,
               const json_t *json,
               const char *where,
               GError **error)
{
  const json_t *single = json_object_get (json, "single");
  if (!json_is_array (single))
    return refuse (where, single, "field \"single\": an array", error);
  return read_pieces (post->single, json, "single", where, error) &&
         (json_object_get (json, "pair") == NULL ||
          read_pieces (post->pair, json, "pair", where, error));
}

/* ---- the others ----------------------------------------------------------------------
 */

/* ["</s>", 2] */
static gboolean
read_named (
    const json_t *json, const char *field, const char *where, gint32 *id, GError **error)
{
  const json_t *pair = json_object_get (json, field);
  if (!json_is_array (pair) || json_array_size (pair) != 2)
    {
      g_autofree char *expected = g_strdup_printf ("field \"%s\": [token, id]", field);
      return refuse (where, pair, expected, error);
    }
  return read_id (json_array_get (pair, 1), where, id, error);
}

/* [CLS] A [SEP] B [SEP], or <s> A </s></s> B </s> in one segment. */
static gboolean
read_around (HlPostProcessor *post,
             const json_t *json,
             gboolean is_roberta,
             const char *where,
             GError **error)
{
  gint32 cls = 0, sep = 0;
  guint8 second = is_roberta ? 0 : 1;
  if (!read_named (json, "cls", where, &cls, error) ||
      !read_named (json, "sep", where, &sep, error))
    return FALSE;
  g_array_set_size (post->single, 0);
  add_item (post->single, cls, 0);
  add_item (post->single, HL_TEMPLATE_FIRST, 0);
  add_item (post->single, sep, 0);
  g_array_set_size (post->pair, 0);
  g_array_append_vals (post->pair, post->single->data, post->single->len);
  if (is_roberta)
    add_item (post->pair, sep, 0);
  add_item (post->pair, HL_TEMPLATE_SECOND, second);
  add_item (post->pair, sep, second);
  return TRUE;
}

static gboolean
read_trimming (HlPostProcessor *post,
               const json_t *json,
               const char *where,
               GError **error)
{
  gboolean trims = TRUE, keeps = TRUE;
  if (!hl_json_get_bool (json, "trim_offsets", FALSE, TRUE, where, &trims, error) ||
      !hl_json_get_bool (json, "add_prefix_space", FALSE, TRUE, where, &keeps, error))
    return FALSE;
  if (trims && post->trims)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                   "%s: trim_offsets expected once, twice found", where);
      return FALSE;
    }
  if (trims)
    {
      post->trims = TRUE;
      post->keeps_first_space = keeps;
    }
  return TRUE;
}

static gboolean
read_step (HlPostProcessor *post,
           const json_t *json,
           const char *type,
           const char *where,
           GError **error)
{
  if (strcmp (type, "ByteLevel") == 0)
    return read_trimming (post, json, where, error);
  gboolean is_roberta = strcmp (type, "RobertaProcessing") == 0;
  gboolean is_template = strcmp (type, "TemplateProcessing") == 0;
  if (!is_roberta && !is_template && strcmp (type, "BertProcessing") != 0)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                   "%s: Sequence, ByteLevel, TemplateProcessing, RobertaProcessing or "
                   "BertProcessing expected, \"%.60s\" found, which is not supported",
                   where, type);
      return FALSE;
    }
  if (post->single->len > 1)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                   "%s: one step that adds tokens expected, another (%s) found, which is "
                   "not supported",
                   where, type);
      return FALSE;
    }
  if (is_template)
    return read_template (post, json, where, error);
  return (!is_roberta || read_trimming (post, json, where, error)) &&
         read_around (post, json, is_roberta, where, error);
}

static gboolean
read_steps (HlPostProcessor *post, const json_t *json, const char *where, GError **error)
{
  const char *type = NULL;
  if (!json_is_object (json))
    return refuse (where, json, "an object", error);
  if (!hl_json_get_string (json, "type", TRUE, NULL, where, &type, error))
    return FALSE;
  if (strcmp (type, "Sequence") != 0)
    return read_step (post, json, type, where, error);
  const json_t *list = json_object_get (json, "processors");
  if (!json_is_array (list))
    return refuse (where, list, "field \"processors\": an array", error);
  for (gsize i = 0; i < json_array_size (list); i++)
    if (!read_steps (post, json_array_get (list, i), where, error))
      return FALSE;
  return TRUE;
}

HlPostProcessor *
hl_post_processor_read (const json_t *json, const char *where, GError **error)
{
  g_autofree char *place = g_strdup_printf ("%s: post_processor", where);
  g_autoptr (HlPostProcessor) post = g_new0 (HlPostProcessor, 1);
  post->single = g_array_new (FALSE, FALSE, sizeof (HlTemplateItem));
  post->pair = g_array_new (FALSE, FALSE, sizeof (HlTemplateItem));
  add_item (post->single, HL_TEMPLATE_FIRST, 0);
  add_item (post->pair, HL_TEMPLATE_FIRST, 0);
  add_item (post->pair, HL_TEMPLATE_SECOND, 1);
  if (json != NULL && !json_is_null (json) && !read_steps (post, json, place, error))
    return NULL;
  return g_steal_pointer (&post);
}

void
hl_post_processor_free (HlPostProcessor *post)
{
  if (post == NULL)
    return;
  g_array_unref (post->single);
  g_array_unref (post->pair);
  g_free (post);
}
