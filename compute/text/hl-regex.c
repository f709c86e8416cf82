/* SPDX-License-Identifier: MIT
 * Patterns of tokenizer files, run by PCRE2. */
#include "text/hl-regex.h"

#include "base/hl-error.h"
#include "text/hl-unicode.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

/* Steps of one search: a few for every byte, and many more than a sane pattern needs. */
#define MATCH_LIMIT_BASE 10000000u
#define MATCH_LIMIT_PER_BYTE 16u
#define JIT_STACK_START_BYTES 32768
#define JIT_STACK_MAX_BYTES (64 << 20)
/* Nested brackets of a pattern; PCRE2's own limit is 250. */
#define MAX_PATTERN_BYTES 65536

struct _HlRegex
{
  char *literal; /* NULL: a pattern */
  gsize literal_length;
  pcre2_code *code;
  gboolean can_match_empty;
};

struct _HlRegexScan
{
  const HlRegex *regex;
  pcre2_match_data *data;
  pcre2_match_context *context;
  pcre2_jit_stack *stack;
  const char *text;
  gsize length;
  gsize from;
  gsize last_end; /* G_MAXSIZE before the first match */
};

static void
refuse_pattern (int code,
                const char *pattern,
                const char *where,
                gsize at,
                const char *why,
                GError **error)
{
  g_set_error (error, HL_ERROR, HL_ERROR_FORMAT,
               "%s: a regular expression expected, at character %" G_GSIZE_FORMAT
               " of \"%.200s\" found: %s (PCRE2 %d)",
               where, at, pattern, why, code);
}

static pcre2_code *
compile (const char *translated, const char *where, GError **error)
{
  pcre2_compile_context *context = pcre2_compile_context_create (NULL);
  pcre2_set_newline (context, PCRE2_NEWLINE_LF);
  pcre2_set_max_pattern_length (context, 8 * MAX_PATTERN_BYTES);
  int code = 0;
  PCRE2_SIZE at = 0;
  pcre2_code *compiled =
      pcre2_compile ((PCRE2_SPTR) translated, strlen (translated),
                     PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C,
                     &code, &at, context);
  pcre2_compile_context_free (context);
  if (compiled == NULL)
    {
      PCRE2_UCHAR why[256] = "";
      pcre2_get_error_message (code, why, sizeof why);
      refuse_pattern (code, translated, where, (gsize) at, (const char *) why, error);
    }
  return compiled;
}

/* Takes the compiled pattern. */
static HlRegex *
regex_take (pcre2_code *code)
{
  HlRegex *regex = g_new0 (HlRegex, 1);
  guint32 matches_empty = 0;
  regex->code = code;
  /* Where there is no just-in-time compiler the interpreter does the same, slower. */
  pcre2_jit_compile (code, PCRE2_JIT_COMPLETE);
  pcre2_pattern_info (code, PCRE2_INFO_MATCHEMPTY, &matches_empty);
  regex->can_match_empty = matches_empty != 0;
  return regex;
}

HlRegex *
hl_regex_new (const char *pattern, const char *where, GError **error)
{
  if (strlen (pattern) > MAX_PATTERN_BYTES)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                   "%s: a regular expression of at most %d bytes expected, "
                   "%" G_GSIZE_FORMAT " found",
                   where, MAX_PATTERN_BYTES, strlen (pattern));
      return NULL;
    }
  g_autofree char *translated = hl_regex_translate (pattern, where, error);
  pcre2_code *code = translated != NULL ? compile (translated, where, error) : NULL;
  return code != NULL ? regex_take (code) : NULL;
}

HlRegex *
hl_regex_new_grapheme (void)
{
  return regex_take (compile ("\\X", "graphemes", NULL));
}

HlRegex *
hl_regex_new_literal (const char *text)
{
  HlRegex *regex = g_new0 (HlRegex, 1);
  regex->literal = g_strdup (text);
  regex->literal_length = strlen (text);
  return regex;
}

void
hl_regex_free (HlRegex *regex)
{
  if (regex == NULL)
    return;
  pcre2_code_free (regex->code);
  g_free (regex->literal);
  g_free (regex);
}

gboolean
hl_regex_can_match_empty (const HlRegex *regex)
{
  return regex->can_match_empty;
}

HlRegexScan *
hl_regex_scan_new (const HlRegex *regex)
{
  HlRegexScan *scan = g_new0 (HlRegexScan, 1);
  scan->regex = regex;
  if (regex->code == NULL)
    return scan;
  scan->data = pcre2_match_data_create (1, NULL);
  scan->context = pcre2_match_context_create (NULL);
  scan->stack = pcre2_jit_stack_create (JIT_STACK_START_BYTES, JIT_STACK_MAX_BYTES, NULL);
  pcre2_jit_stack_assign (scan->context, NULL, scan->stack);
  return scan;
}

void
hl_regex_scan_free (HlRegexScan *scan)
{
  if (scan == NULL)
    return;
  pcre2_match_data_free (scan->data);
  pcre2_match_context_free (scan->context);
  pcre2_jit_stack_free (scan->stack);
  g_free (scan);
}

void
hl_regex_scan_start (HlRegexScan *scan, const char *text, gsize length)
{
  scan->text = text;
  scan->length = length;
  scan->from = 0;
  scan->last_end = G_MAXSIZE;
  if (scan->context != NULL)
    {
      guint64 limit = MATCH_LIMIT_BASE + (guint64) MATCH_LIMIT_PER_BYTE * length;
      pcre2_set_match_limit (scan->context, (guint32) MIN (limit, G_MAXUINT32));
    }
}

static gboolean
next_literal (HlRegexScan *scan, gsize *start, gsize *end)
{
  const HlRegex *regex = scan->regex;
  const char *found = memmem (scan->text + scan->from, scan->length - scan->from,
                              regex->literal, regex->literal_length);
  if (found == NULL)
    return FALSE;
  *start = (gsize) (found - scan->text);
  *end = scan->from = *start + regex->literal_length;
  return TRUE;
}

gboolean
hl_regex_scan_next (HlRegexScan *scan, gsize *start, gsize *end, GError **error)
{
  if (scan->regex->literal != NULL)
    return next_literal (scan, start, end);
  while (scan->from <= scan->length)
    {
      int code = pcre2_match (scan->regex->code, (PCRE2_SPTR) scan->text, scan->length,
                              scan->from, PCRE2_NO_UTF_CHECK, scan->data, scan->context);
      if (code == PCRE2_ERROR_NOMATCH)
        return FALSE;
      if (code < 0)
        {
          PCRE2_UCHAR why[256] = "";
          pcre2_get_error_message (code, why, sizeof why);
          g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                       "the tokenizer's regular expression gives up at byte "
                       "%" G_GSIZE_FORMAT " of a piece of %" G_GSIZE_FORMAT ": %s",
                       scan->from, scan->length, (const char *) why);
          return FALSE;
        }
      const PCRE2_SIZE *place = pcre2_get_ovector_pointer (scan->data);
      *start = place[0];
      *end = MAX (place[0], place[1]); /* \K may leave them the other way round */
      if (*start < *end || *end != scan->last_end)
        {
          scan->from = scan->last_end = *end;
          return TRUE;
        }
      /* Empty and directly behind the last one: try again a character on. */
      scan->from += scan->from < scan->length ? hl_utf8_size (scan->text[scan->from]) : 1;
    }
  return FALSE;
}
