/* SPDX-License-Identifier: MIT
 * Tokens back into text, step by step. */
#include "text/hl-decoder-private.h"

#include "base/hl-error.h"
#include "text/hl-unicode.h"

#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd"

static void
string_free (gpointer data)
{
  g_string_free (data, TRUE);
}

static gboolean
replace (const HlDecoderStep *step, GString *token, GError **error)
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
strip (const HlDecoderStep *step, GString *token)
{
  gsize n = strlen (step->text);
  for (gint64 i = 0; i < step->n_start && g_str_has_prefix (token->str, step->text); i++)
    g_string_erase (token, 0, (gssize) n);
  for (gint64 i = 0; i < step->n_stop && g_str_has_suffix (token->str, step->text); i++)
    g_string_truncate (token, token->len - n);
}

static void
spaces (const HlDecoderStep *step, GString *token, gboolean drops)
{
  g_string_replace (token, step->text, drops ? "" : " ", 0);
}

/* Without the spaces that English does not write. */
static void
clean_up (GString *token)
{
  static const char *const pairs[][2] = {
    { " .", "." },   { " ?", "?" },     { " !", "!" },     { " ,", "," },
    { " ' ", "'" },  { " n't", "n't" }, { " 'm", "'m" },   { " do not", " don't" },
    { " 's", "'s" }, { " 've", "'ve" }, { " 're", "'re" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (pairs); i++)
    g_string_replace (token, pairs[i][0], pairs[i][1], 0);
}

static void
join_wordpiece (const HlDecoderStep *step, GString *token, gboolean is_first)
{
  if (!is_first && g_str_has_prefix (token->str, step->text))
    g_string_erase (token, 0, (gssize) strlen (step->text));
  else if (!is_first)
    g_string_prepend_c (token, ' ');
  if (step->cleans)
    clean_up (token);
}

static void
drop_suffix (const HlDecoderStep *step, GString *token, gboolean is_last)
{
  if (*step->text != '\0')
    g_string_replace (token, step->text, is_last ? "" : " ", 0);
}

static gboolean
run_step (const HlDecoderStep *step, GPtrArray *tokens, GError **error)
{
  if (step->kind == HL_DECODE_BYTE_FALLBACK)
    fuse_bytes (tokens);
  else if (step->kind == HL_DECODE_FUSE)
    join (tokens);
  else
    for (guint i = 0; i < tokens->len; i++)
      {
        GString *token = g_ptr_array_index (tokens, i);
        if (step->kind == HL_DECODE_BYTE_LEVEL)
          bytes_of_level (token);
        else if (step->kind == HL_DECODE_STRIP)
          strip (step, token);
        else if (step->kind == HL_DECODE_METASPACE)
          spaces (step, token, i == 0 && step->drops_first);
        else if (step->kind == HL_DECODE_WORDPIECE)
          join_wordpiece (step, token, i == 0);
        else if (step->kind == HL_DECODE_SUFFIX)
          drop_suffix (step, token, i + 1 == tokens->len);
        else if (!replace (step, token, error))
          return FALSE;
      }
  if (step->kind == HL_DECODE_BYTE_LEVEL)
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
      const HlDecoderStep *step = g_ptr_array_index (decoder->steps, i);
      if (step->kind == HL_DECODE_BYTE_LEVEL)
        bytes_of_level (token);
      else if (step->kind == HL_DECODE_METASPACE)
        spaces (step, token, FALSE);
      else if (step->kind == HL_DECODE_WORDPIECE &&
               g_str_has_prefix (token->str, step->text))
        g_string_erase (token, 0, (gssize) strlen (step->text));
      else if (step->kind == HL_DECODE_SUFFIX)
        drop_suffix (step, token, TRUE);
      else if (step->kind == HL_DECODE_REPLACE && !replace (step, token, error))
        return FALSE;
      int byte = step->kind == HL_DECODE_BYTE_FALLBACK ? fallback_byte (token) : -1;
      if (byte >= 0)
        {
          g_string_truncate (token, 0);
          g_string_append_c (token, (char) byte);
          break; /* What comes behind reads characters. */
        }
    }
  return TRUE;
}
