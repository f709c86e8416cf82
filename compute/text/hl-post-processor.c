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

static gboolean
add_id (GArray *list, const json_t *value, const char *where, GError **error)
{
  json_int_t id = json_integer_value (value);
  if (!json_is_integer (value) || id < 0 || id >= 2 * HL_VOCABULARY_MAX)
    return refuse (where, value, "an id", error);
  if (list->len >= MAX_AROUND)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                   "%s: at most %d tokens around a text expected, more found", where,
                   MAX_AROUND);
      return FALSE;
    }
  gint32 narrow = (gint32) id;
  g_array_append_val (list, narrow);
  return TRUE;
}

/* ---- templates -----------------------------------------------------------------------
 */

static gboolean
add_special (GArray *list,
             const json_t *specials,
             const json_t *piece,
             const char *where,
             GError **error)
{
  const char *name = json_string_value (json_object_get (piece, "id"));
  const json_t *ids =
      name != NULL ? json_object_get (json_object_get (specials, name), "ids") : NULL;
  if (!json_is_array (ids))
    return refuse (where, ids, "\"ids\" in special_tokens for every SpecialToken", error);
  for (gsize i = 0; i < json_array_size (ids); i++)
    if (!add_id (list, json_array_get (ids, i), where, error))
      return FALSE;
  return TRUE;
}

static gboolean
read_template (HlPostProcessor *post,
               const json_t *json,
               const char *where,
               GError **error)
{
  const json_t *single = json_object_get (json, "single");
  const json_t *specials = json_object_get (json, "special_tokens");
  GArray *list = post->before;
  if (!json_is_array (single))
    return refuse (where, single, "field \"single\": an array", error);
  for (gsize i = 0; i < json_array_size (single); i++)
    {
      const json_t *piece = json_array_get (single, i);
      const json_t *special = json_object_get (piece, "SpecialToken");
      if (special != NULL)
        {
          if (!add_special (list, specials, special, where, error))
            return FALSE;
        }
      else if (json_is_object (json_object_get (piece, "Sequence")) &&
               list == post->before)
        list = post->behind;
      else
        return refuse (where, piece, "a SpecialToken, or Sequence A once,", error);
    }
  return list == post->behind ||
         refuse (where, single, "Sequence A in field \"single\"", error);
}

/* ---- the others ----------------------------------------------------------------------
 */

/* ["</s>", 2] */
static gboolean
read_named (GArray *list,
            const json_t *json,
            const char *field,
            const char *where,
            GError **error)
{
  const json_t *pair = json_object_get (json, field);
  if (!json_is_array (pair) || json_array_size (pair) != 2)
    {
      g_autofree char *expected = g_strdup_printf ("field \"%s\": [token, id]", field);
      return refuse (where, pair, expected, error);
    }
  return add_id (list, json_array_get (pair, 1), where, error);
}

static gboolean
read_around (HlPostProcessor *post, const json_t *json, const char *where, GError **error)
{
  return read_named (post->before, json, "cls", where, error) &&
         read_named (post->behind, json, "sep", where, error);
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
  if (post->before->len + post->behind->len > 0)
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
         read_around (post, json, where, error);
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
  post->before = g_array_new (FALSE, FALSE, sizeof (gint32));
  post->behind = g_array_new (FALSE, FALSE, sizeof (gint32));
  if (json != NULL && !json_is_null (json) && !read_steps (post, json, place, error))
    return NULL;
  return g_steal_pointer (&post);
}

void
hl_post_processor_free (HlPostProcessor *post)
{
  if (post == NULL)
    return;
  g_array_unref (post->before);
  g_array_unref (post->behind);
  g_free (post);
}
