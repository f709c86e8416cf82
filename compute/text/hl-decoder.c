/* SPDX-License-Identifier: MIT
 * The "decoder" of a tokenizer file, read. */
#include "text/hl-decoder-private.h"

#include "base/hl-error.h"
#include "text/hl-normalizer.h"

#include <string.h>

#define MAX_STRIP 65536

static void
step_free (gpointer data)
{
  HlDecoderStep *step = data;
  hl_regex_free (step->pattern);
  g_free (step->text);
  g_free (step);
}

/* ---- reading -------------------------------------------------------------------------
 */

static gboolean
read_character (HlDecoderStep *step,
                const json_t *json,
                const char *field,
                const char *where,
                GError **error)
{
  const char *text = NULL;
  if (!hl_json_get_string (json, field, TRUE, NULL, where, &text, error))
    return FALSE;
  if (g_utf8_strlen (text, -1) != 1)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_FORMAT,
                   "%s: field \"%s\": one character expected, \"%.40s\" found", where,
                   field, text);
      return FALSE;
    }
  step->text = g_strdup (text);
  return TRUE;
}

static gboolean
read_metaspace (HlDecoderStep *step,
                const json_t *json,
                const char *where,
                GError **error)
{
  const char *scheme = NULL;
  gboolean had_space = TRUE;
  if (!read_character (step, json, "replacement", where, error) ||
      !hl_json_get_bool (json, "add_prefix_space", FALSE, TRUE, where, &had_space,
                         error) ||
      !hl_json_get_string (json, "prepend_scheme", FALSE, had_space ? "always" : "never",
                           where, &scheme, error))
    return FALSE;
  step->drops_first = strcmp (scheme, "never") != 0;
  return TRUE;
}

static gboolean
read_replace (HlDecoderStep *step, const json_t *json, const char *where, GError **error)
{
  const char *content = NULL;
  step->pattern = hl_json_get_pattern (json, where, error);
  if (step->pattern == NULL ||
      !hl_json_get_string (json, "content", TRUE, NULL, where, &content, error))
    return FALSE;
  step->text = g_strdup (content);
  return TRUE;
}

static gboolean
read_strip (HlDecoderStep *step, const json_t *json, const char *where, GError **error)
{
  return read_character (step, json, "content", where, error) &&
         hl_json_get_int (json, "start", TRUE, 0, 0, MAX_STRIP, where, &step->n_start,
                          error) &&
         hl_json_get_int (json, "stop", TRUE, 0, 0, MAX_STRIP, where, &step->n_stop,
                          error);
}

static gboolean
read_wordpiece (HlDecoderStep *step,
                const json_t *json,
                const char *where,
                GError **error)
{
  const char *prefix = NULL;
  if (!hl_json_get_string (json, "prefix", FALSE, "##", where, &prefix, error) ||
      !hl_json_get_bool (json, "cleanup", FALSE, TRUE, where, &step->cleans, error))
    return FALSE;
  step->text = g_strdup (prefix);
  return TRUE;
}

static gboolean
read_suffix (HlDecoderStep *step, const json_t *json, const char *where, GError **error)
{
  const char *suffix = NULL;
  if (!hl_json_get_string (json, "suffix", FALSE, "</w>", where, &suffix, error))
    return FALSE;
  step->text = g_strdup (suffix);
  return TRUE;
}

static const struct
{
  const char *type;
  HlDecoderKind kind;
  gboolean (*read) (HlDecoderStep *step,
                    const json_t *json,
                    const char *where,
                    GError **error);
} kinds[] = {
  { "BPEDecoder", HL_DECODE_SUFFIX, read_suffix },
  { "ByteFallback", HL_DECODE_BYTE_FALLBACK, NULL },
  { "ByteLevel", HL_DECODE_BYTE_LEVEL, NULL },
  { "Fuse", HL_DECODE_FUSE, NULL },
  { "Metaspace", HL_DECODE_METASPACE, read_metaspace },
  { "Replace", HL_DECODE_REPLACE, read_replace },
  { "Strip", HL_DECODE_STRIP, read_strip },
  { "WordPiece", HL_DECODE_WORDPIECE, read_wordpiece },
};

static gboolean
read_step (HlDecoderStep *step,
           const json_t *json,
           const char *type,
           const char *where,
           GError **error)
{
  g_autoptr (GString) known = g_string_new ("Sequence");
  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      step->kind = kinds[i].kind;
      if (strcmp (type, kinds[i].type) == 0)
        return kinds[i].read == NULL || kinds[i].read (step, json, where, error);
      g_string_append_printf (known, ", %s", kinds[i].type);
    }
  g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
               "%s: one of %s expected, \"%.60s\" found, which is not supported", where,
               known->str, type);
  return FALSE;
}

static gboolean
read_steps (GPtrArray *steps, const json_t *json, const char *where, GError **error)
{
  const char *type = NULL;
  if (!json_is_object (json))
    {
      g_autofree char *found = hl_json_describe (json);
      g_set_error (error, HL_ERROR, HL_ERROR_FORMAT, "%s: an object expected, %s found",
                   where, found);
      return FALSE;
    }
  if (!hl_json_get_string (json, "type", TRUE, NULL, where, &type, error))
    return FALSE;
  if (strcmp (type, "Sequence") != 0)
    {
      HlDecoderStep *step = g_new0 (HlDecoderStep, 1);
      g_ptr_array_add (steps, step);
      return read_step (step, json, type, where, error);
    }
  const json_t *list = json_object_get (json, "decoders");
  if (!json_is_array (list))
    {
      g_autofree char *found = hl_json_describe (list);
      g_set_error (error, HL_ERROR, list == NULL ? HL_ERROR_MISSING : HL_ERROR_FORMAT,
                   "%s: field \"decoders\": an array expected, %s found", where, found);
      return FALSE;
    }
  for (gsize i = 0; i < json_array_size (list); i++)
    if (!read_steps (steps, json_array_get (list, i), where, error))
      return FALSE;
  return TRUE;
}

HlDecoder *
hl_decoder_read (const json_t *json, const char *where, GError **error)
{
  g_autofree char *place = g_strdup_printf ("%s: decoder", where);
  g_autoptr (HlDecoder) decoder = g_new0 (HlDecoder, 1);
  if (json == NULL || json_is_null (json))
    return g_steal_pointer (&decoder);
  decoder->steps = g_ptr_array_new_with_free_func (step_free);
  if (!read_steps (decoder->steps, json, place, error))
    return NULL;
  return g_steal_pointer (&decoder);
}

void
hl_decoder_free (HlDecoder *decoder)
{
  if (decoder == NULL)
    return;
  g_clear_pointer (&decoder->steps, g_ptr_array_unref);
  g_free (decoder);
}
