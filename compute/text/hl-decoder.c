/* SPDX-License-Identifier: MIT
 * The "decoder" of a tokenizer file. */
#include "text/hl-decoder.h"

#include "base/hl-error.h"
#include "text/hl-normalizer.h"
#include "text/hl-regex.h"
#include "text/hl-unicode.h"

#include <string.h>

#define MAX_STRIP 65536
#define REPLACEMENT "\xef\xbf\xbd"

typedef enum
{
  STEP_BYTE_LEVEL,
  STEP_BYTE_FALLBACK,
  STEP_FUSE,
  STEP_REPLACE,
  STEP_STRIP,
  STEP_METASPACE,
} StepKind;

typedef struct
{
  StepKind kind;
  HlRegex *pattern;
  char *text; /* put instead; stripped; the character that stands for a space */
  gint64 n_start;
  gint64 n_stop;
  gboolean drops_first; /* Metaspace: the first token's are no spaces */
} Step;

struct _HlDecoder
{
  GPtrArray *steps;
};

static void
step_free (gpointer data)
{
  Step *step = data;
  hl_regex_free (step->pattern);
  g_free (step->text);
  g_free (step);
}

static void
string_free (gpointer data)
{
  g_string_free (data, TRUE);
}

/* ---- reading -------------------------------------------------------------------------
 */

static gboolean
read_character (
    Step *step, const json_t *json, const char *field, const char *where, GError **error)
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
read_metaspace (Step *step, const json_t *json, const char *where, GError **error)
{
  const char *scheme = NULL;
  gboolean had_space = TRUE;
  step->kind = STEP_METASPACE;
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
read_replace (Step *step, const json_t *json, const char *where, GError **error)
{
  const char *content = NULL;
  step->kind = STEP_REPLACE;
  step->pattern = hl_json_get_pattern (json, where, error);
  if (step->pattern == NULL ||
      !hl_json_get_string (json, "content", TRUE, NULL, where, &content, error))
    return FALSE;
  step->text = g_strdup (content);
  return TRUE;
}

static gboolean
read_step (
    Step *step, const json_t *json, const char *type, const char *where, GError **error)
{
  if (strcmp (type, "Replace") == 0)
    return read_replace (step, json, where, error);
  if (strcmp (type, "Metaspace") == 0)
    return read_metaspace (step, json, where, error);
  if (strcmp (type, "Strip") == 0)
    {
      step->kind = STEP_STRIP;
      return read_character (step, json, "content", where, error) &&
             hl_json_get_int (json, "start", TRUE, 0, 0, MAX_STRIP, where, &step->n_start,
                              error) &&
             hl_json_get_int (json, "stop", TRUE, 0, 0, MAX_STRIP, where, &step->n_stop,
                              error);
    }
  if (strcmp (type, "ByteLevel") == 0)
    step->kind = STEP_BYTE_LEVEL;
  else if (strcmp (type, "ByteFallback") == 0)
    step->kind = STEP_BYTE_FALLBACK;
  else if (strcmp (type, "Fuse") == 0)
    step->kind = STEP_FUSE;
  else
    {
      g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                   "%s: Sequence, ByteLevel, ByteFallback, Fuse, Replace, Strip or "
                   "Metaspace expected, \"%.60s\" found, which is not supported",
                   where, type);
      return FALSE;
    }
  return TRUE;
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
      Step *step = g_new0 (Step, 1);
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

/* ---- running -------------------------------------------------------------------------
 */

static gboolean
replace (const Step *step, GString *token, GError **error)
{
  g_autoptr (HlRegexScan) scan = hl_regex_scan_new (step->pattern);
  g_autoptr (GString) out = g_string_sized_new (token->len + 8);
  gsize start = 0, end = 0, done = 0;
  GError *failure = NULL;
  hl_regex_scan_start (scan, token->str, token->len);
  while (hl_regex_scan_next (scan, &start, &end, &failure))
    {
      g_string_append_len (out, token->str + done, (gssize) (start - done));
      g_string_append (out, step->text);
      done = end;
    }
  if (failure != NULL)
    {
      g_propagate_error (error, failure);
      return FALSE;
    }
  g_string_append_len (out, token->str + done, (gssize) (token->len - done));
  g_string_truncate (token, 0);
  g_string_append_len (token, out->str, (gssize) out->len);
  return TRUE;
}

/* Puts U+FFFD for bytes that are not UTF-8, one for as much as begins a character. */
static void
append_lossy (GString *out, const char *bytes, gsize length)
{
  static const guint8 firsts[][3] = {
    { 0xe0, 0xa0, 0xbf }, { 0xed, 0x80, 0x9f }, { 0xf0, 0x90, 0xbf }, { 0xf4, 0x80, 0x8f }
  };
  gsize at = 0;
  while (at < length)
    {
      gsize bad = length - at;
      gboolean is_good = hl_utf8_check (bytes + at, length - at, &bad);
      g_string_append_len (out, bytes + at, (gssize) bad);
      if (is_good)
        return;
      at += bad;
      guint8 lead = (guint8) bytes[at++];
      guint n_more = lead >= 0xc2 && lead <= 0xf4 ? hl_utf8_size ((char) lead) - 1 : 0;
      guint8 low = 0x80, high = 0xbf;
      for (gsize i = 0; i < G_N_ELEMENTS (firsts); i++)
        if (firsts[i][0] == lead)
          {
            low = firsts[i][1];
            high = firsts[i][2];
          }
      for (; n_more > 0 && at < length && (guint8) bytes[at] >= low &&
             (guint8) bytes[at] <= high;
           n_more--, at++)
        {
          low = 0x80;
          high = 0xbf;
        }
      g_string_append (out, REPLACEMENT);
    }
}

static void
join (GPtrArray *tokens)
{
  if (tokens->len == 0)
    g_ptr_array_add (tokens, g_string_new (NULL));
  GString *first = g_ptr_array_index (tokens, 0);
  for (guint i = 1; i < tokens->len; i++)
    {
      const GString *next = g_ptr_array_index (tokens, i);
      g_string_append_len (first, next->str, (gssize) next->len);
    }
  g_ptr_array_set_size (tokens, 1);
}

static void
set_bytes (GString *token, GString *bytes)
{
  g_string_truncate (token, 0);
  g_string_append_len (token, bytes->str, (gssize) bytes->len);
}

/* A token with a character that stands for no byte is taken as it is written. */
static void
bytes_of_level (GString *token)
{
  g_autoptr (GString) bytes = g_string_new (NULL);
  if (hl_byte_level_decode (token->str, token->len, bytes))
    set_bytes (token, bytes);
}

/* <0xE4> */
static int
fallback_byte (const GString *token)
{
  const char *s = token->str;
  if (token->len != 6 || memcmp (s, "<0x", 3) != 0 || s[5] != '>')
    return -1;
  /* The reference library's parser of numbers lets a sign through. */
  int high = s[3] == '+' ? 0 : g_ascii_xdigit_value (s[3]);
  int low = g_ascii_xdigit_value (s[4]);
  return high >= 0 && low >= 0 ? high * 16 + low : -1;
}

static void
flush_bytes (GPtrArray *out, GString *bytes)
{
  gsize bad = 0;
  if (bytes->len == 0)
    return;
  GString *text = g_string_new (NULL);
  if (hl_utf8_check (bytes->str, bytes->len, &bad))
    g_string_append_len (text, bytes->str, (gssize) bytes->len);
  else
    for (gsize i = 0; i < bytes->len; i++)
      g_string_append (text, REPLACEMENT);
  g_ptr_array_add (out, text);
  g_string_truncate (bytes, 0);
}

/* Runs of byte tokens become one token; a run that is no UTF-8 as many U+FFFD. */
static void
fuse_bytes (GPtrArray *tokens)
{
  g_autoptr (GPtrArray) out = g_ptr_array_new ();
  g_autoptr (GString) bytes = g_string_new (NULL);
  for (guint i = 0; i < tokens->len; i++)
    {
      GString *token = g_ptr_array_index (tokens, i);
      int byte = fallback_byte (token);
      if (byte >= 0)
        {
          g_string_append_c (bytes, (char) byte);
          continue;
        }
      flush_bytes (out, bytes);
      g_ptr_array_add (out, token);
      g_ptr_array_index (tokens, i) = NULL;
    }
  flush_bytes (out, bytes);
  for (guint i = 0; i < tokens->len; i++)
    if (g_ptr_array_index (tokens, i) != NULL)
      string_free (g_ptr_array_index (tokens, i));
  g_ptr_array_set_free_func (tokens, NULL);
  g_ptr_array_set_size (tokens, 0);
  g_ptr_array_set_free_func (tokens, string_free);
  for (guint i = 0; i < out->len; i++)
    g_ptr_array_add (tokens, g_ptr_array_index (out, i));
}

static void
strip (const Step *step, GString *token)
{
  gsize n = strlen (step->text);
  for (gint64 i = 0; i < step->n_start && g_str_has_prefix (token->str, step->text); i++)
    g_string_erase (token, 0, (gssize) n);
  for (gint64 i = 0; i < step->n_stop && g_str_has_suffix (token->str, step->text); i++)
    g_string_truncate (token, token->len - n);
}

static void
spaces (const Step *step, GString *token, gboolean drops)
{
  g_string_replace (token, step->text, drops ? "" : " ", 0);
}

static gboolean
run_step (const Step *step, GPtrArray *tokens, GError **error)
{
  if (step->kind == STEP_BYTE_FALLBACK)
    fuse_bytes (tokens);
  else if (step->kind == STEP_FUSE)
    join (tokens);
  else
    for (guint i = 0; i < tokens->len; i++)
      {
        GString *token = g_ptr_array_index (tokens, i);
        if (step->kind == STEP_BYTE_LEVEL)
          bytes_of_level (token);
        else if (step->kind == STEP_STRIP)
          strip (step, token);
        else if (step->kind == STEP_METASPACE)
          spaces (step, token, i == 0 && step->drops_first);
        else if (!replace (step, token, error))
          return FALSE;
      }
  if (step->kind == STEP_BYTE_LEVEL)
    {
      GString *text = g_string_new (NULL);
      join (tokens);
      const GString *bytes = g_ptr_array_index (tokens, 0);
      append_lossy (text, bytes->str, bytes->len);
      g_ptr_array_set_size (tokens, 0);
      g_ptr_array_add (tokens, text);
    }
  return TRUE;
}

GString *
hl_decoder_run (const HlDecoder *decoder, GPtrArray *tokens, GError **error)
{
  if (decoder->steps == NULL)
    for (guint i = 1; i < tokens->len; i++)
      g_string_prepend_c (g_ptr_array_index (tokens, i), ' ');
  for (guint i = 0; decoder->steps != NULL && i < decoder->steps->len; i++)
    if (!run_step (g_ptr_array_index (decoder->steps, i), tokens, error))
      return NULL;
  join (tokens);
  const GString *text = g_ptr_array_index (tokens, 0);
  return g_string_new_len (text->str, (gssize) text->len);
}

gboolean
hl_decoder_run_one (const HlDecoder *decoder, GString *token, GError **error)
{
  for (guint i = 0; decoder->steps != NULL && i < decoder->steps->len; i++)
    {
      const Step *step = g_ptr_array_index (decoder->steps, i);
      if (step->kind == STEP_BYTE_LEVEL)
        bytes_of_level (token);
      else if (step->kind == STEP_METASPACE)
        spaces (step, token, FALSE);
      else if (step->kind == STEP_REPLACE && !replace (step, token, error))
        return FALSE;
      int byte = step->kind == STEP_BYTE_FALLBACK ? fallback_byte (token) : -1;
      if (byte >= 0)
        {
          g_string_truncate (token, 0);
          g_string_append_c (token, (char) byte);
          break; /* What comes behind reads characters. */
        }
    }
  return TRUE;
}
