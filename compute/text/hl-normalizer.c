/* SPDX-License-Identifier: MIT
 * The "normalizer" of a tokenizer file. */
#include "text/hl-normalizer.h"

#include "base/hl-error.h"
#include "text/hl-regex.h"
#include "text/hl-unicode.h"

#include <string.h>

typedef enum
{
  STEP_PREPEND,
  STEP_REPLACE,
  STEP_UNICODE,
  STEP_STRIP,
  STEP_LOWERCASE,
} StepKind;

typedef struct
{
  StepKind kind;
  char *text; /* prepended, or put instead */
  HlRegex *pattern;
  HlUnicodeForm form;
  gboolean strips_left;
  gboolean strips_right;
} Step;

struct _HlNormalizer
{
  GPtrArray *steps;
};

static void
step_free (gpointer data)
{
  Step *step = data;
  g_free (step->text);
  hl_regex_free (step->pattern);
  g_free (step);
}

/* ---- reading -------------------------------------------------------------------------
 */

HlRegex *
hl_json_get_pattern (const json_t *object, const char *where, GError **error)
{
  const json_t *pattern = json_object_get (object, "pattern");
  const json_t *text = json_object_get (pattern, "String");
  const json_t *regex = json_object_get (pattern, "Regex");
  if (json_is_string (regex) && text == NULL)
    return hl_regex_new (json_string_value (regex), where, error);
  if (json_is_string (text) && regex == NULL && json_string_length (text) > 0)
    return hl_regex_new_literal (json_string_value (text));
  g_autofree char *found = hl_json_describe (pattern);
  g_set_error (error, HL_ERROR, pattern == NULL ? HL_ERROR_MISSING : HL_ERROR_FORMAT,
               "%s: field \"pattern\": {\"String\": text} or {\"Regex\": pattern} "
               "expected, %s found",
               where, found);
  return NULL;
}

static gboolean
read_replace (Step *step, const json_t *json, const char *where, GError **error)
{
  const char *content = NULL;
  step->pattern = hl_json_get_pattern (json, where, error);
  if (step->pattern == NULL ||
      !hl_json_get_string (json, "content", TRUE, NULL, where, &content, error))
    return FALSE;
  if (hl_regex_can_match_empty (step->pattern))
    {
      g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                   "%s: Replace: a pattern that always matches characters expected, one "
                   "that may match nothing found",
                   where);
      return FALSE;
    }
  step->text = g_strdup (content);
  return TRUE;
}

static gboolean
read_step (
    Step *step, const json_t *json, const char *type, const char *where, GError **error)
{
  static const char *const forms[] = { "NFC", "NFD", "NFKC", "NFKD" };
  for (guint i = 0; i < G_N_ELEMENTS (forms); i++)
    if (strcmp (type, forms[i]) == 0)
      {
        step->kind = STEP_UNICODE;
        step->form = (HlUnicodeForm) i;
        return TRUE;
      }
  if (strcmp (type, "Lowercase") == 0)
    {
      step->kind = STEP_LOWERCASE;
      return TRUE;
    }
  if (strcmp (type, "Replace") == 0)
    {
      step->kind = STEP_REPLACE;
      return read_replace (step, json, where, error);
    }
  if (strcmp (type, "Prepend") == 0)
    {
      const char *text = NULL;
      step->kind = STEP_PREPEND;
      if (!hl_json_get_string (json, "prepend", TRUE, NULL, where, &text, error))
        return FALSE;
      step->text = g_strdup (text);
      return TRUE;
    }
  if (strcmp (type, "Strip") == 0)
    {
      step->kind = STEP_STRIP;
      return hl_json_get_bool (json, "strip_left", TRUE, FALSE, where, &step->strips_left,
                               error) &&
             hl_json_get_bool (json, "strip_right", TRUE, FALSE, where,
                               &step->strips_right, error);
    }
  g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
               "%s: Sequence, Prepend, Replace, NFC, NFD, NFKC, NFKD, Strip or Lowercase "
               "expected, \"%.60s\" found, which is not supported",
               where, type);
  return FALSE;
}

/* Recursion ends: the JSON reader limits the depth. */
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
  const json_t *list = json_object_get (json, "normalizers");
  if (!json_is_array (list))
    {
      g_autofree char *found = hl_json_describe (list);
      g_set_error (error, HL_ERROR, list == NULL ? HL_ERROR_MISSING : HL_ERROR_FORMAT,
                   "%s: field \"normalizers\": an array expected, %s found", where,
                   found);
      return FALSE;
    }
  for (gsize i = 0; i < json_array_size (list); i++)
    if (!read_steps (steps, json_array_get (list, i), where, error))
      return FALSE;
  return TRUE;
}

HlNormalizer *
hl_normalizer_read (const json_t *json, const char *where, GError **error)
{
  g_autofree char *place = g_strdup_printf ("%s: normalizer", where);
  g_autoptr (HlNormalizer) normalizer = g_new0 (HlNormalizer, 1);
  normalizer->steps = g_ptr_array_new_with_free_func (step_free);
  if (json != NULL && !json_is_null (json) &&
      !read_steps (normalizer->steps, json, place, error))
    return NULL;
  return g_steal_pointer (&normalizer);
}

void
hl_normalizer_free (HlNormalizer *normalizer)
{
  if (normalizer == NULL)
    return;
  g_ptr_array_unref (normalizer->steps);
  g_free (normalizer);
}

/* ---- running -------------------------------------------------------------------------
 */

static void
prepend (HlRewrite *rewrite, const Step *step, gsize start, gsize end)
{
  HlSpan first = hl_pieces_span (rewrite->pieces, start);
  hl_rewrite_put (rewrite, step->text, strlen (step->text), first);
  hl_rewrite_copy (rewrite, start, end);
}

static gboolean
replace (HlRewrite *rewrite,
         const Step *step,
         HlRegexScan *scan,
         gsize start,
         gsize end,
         GError **error)
{
  gsize from = 0, to = 0, done = start, n = strlen (step->text);
  GError *failure = NULL;
  hl_regex_scan_start (scan, rewrite->pieces->bytes + start, end - start);
  while (hl_regex_scan_next (scan, &from, &to, &failure))
    {
      hl_rewrite_copy (rewrite, done, start + from);
      done = start + to;
      /* The new text comes from the last character of the old. */
      hl_rewrite_put (rewrite, step->text, n, hl_pieces_span (rewrite->pieces, done - 1));
      if (rewrite->bytes->len > rewrite->pieces->max_length)
        {
          g_set_error (
              error, HL_ERROR, HL_ERROR_RANGE,
              "the tokenizer's normalizer makes the text longer than %" G_GSIZE_FORMAT
              " bytes",
              rewrite->pieces->max_length);
          return FALSE;
        }
    }
  if (failure != NULL)
    {
      g_propagate_error (error, failure);
      return FALSE;
    }
  hl_rewrite_copy (rewrite, done, end);
  return TRUE;
}

static void
strip (HlRewrite *rewrite, const Step *step, gsize start, gsize end)
{
  const char *text = rewrite->pieces->bytes;
  while (step->strips_left && start < end &&
         hl_unicode_is_space (g_utf8_get_char (text + start)))
    start += hl_utf8_size (text[start]);
  while (step->strips_right && start < end &&
         hl_unicode_is_space (g_utf8_get_char (text + hl_utf8_previous (text, end))))
    end = hl_utf8_previous (text, end);
  hl_rewrite_copy (rewrite, start, end);
}

/* GLib leaves Roman numerals and letters in circles as they are. */
static gunichar
to_lower (gunichar c)
{
  if (c >= 0x2160 && c <= 0x216f)
    return c + 16;
  if (c >= 0x24b6 && c <= 0x24cf)
    return c + 26;
  return g_unichar_tolower (c);
}

static void
lowercase (HlRewrite *rewrite, gsize start, gsize end)
{
  const char *text = rewrite->pieces->bytes;
  for (gsize i = start; i < end; i += hl_utf8_size (text[i]))
    {
      char utf8[8];
      gunichar c = g_utf8_get_char (text + i);
      /* The one letter whose small form is two characters. */
      gsize n = (gsize) g_unichar_to_utf8 (c == 0x130 ? 'i' : to_lower (c), utf8);
      if (c == 0x130)
        n += (gsize) g_unichar_to_utf8 (0x307, utf8 + n);
      hl_rewrite_put (rewrite, utf8, n, hl_pieces_span (rewrite->pieces, i));
    }
}

static gboolean
run_on_piece (HlRewrite *rewrite,
              const Step *step,
              HlRegexScan *scan,
              const HlPiece *piece,
              GError **error)
{
  switch (step->kind)
    {
    case STEP_PREPEND:
      prepend (rewrite, step, piece->start, piece->end);
      break;
    case STEP_REPLACE:
      return replace (rewrite, step, scan, piece->start, piece->end, error);
    case STEP_UNICODE:
      hl_normalize_unicode (rewrite, step->form, piece->start, piece->end);
      break;
    case STEP_STRIP:
      strip (rewrite, step, piece->start, piece->end);
      break;
    case STEP_LOWERCASE:
      lowercase (rewrite, piece->start, piece->end);
      break;
    default:
      g_return_val_if_reached (FALSE);
    }
  return TRUE;
}

static gboolean
run_step (const Step *step, HlPieces *pieces, GError **error)
{
  g_autoptr (HlRegexScan) scan =
      step->pattern != NULL ? hl_regex_scan_new (step->pattern) : NULL;
  HlRewrite rewrite;
  hl_rewrite_begin (&rewrite, pieces);
  for (guint i = 0; i < pieces->list->len; i++)
    {
      const HlPiece *piece = &g_array_index (pieces->list, HlPiece, i);
      hl_rewrite_open (&rewrite, piece);
      if (piece->id >= 0)
        hl_rewrite_copy (&rewrite, piece->start, piece->end);
      else if (!run_on_piece (&rewrite, step, scan, piece, error))
        {
          hl_rewrite_abandon (&rewrite);
          return FALSE;
        }
      hl_rewrite_close (&rewrite);
    }
  hl_rewrite_end (&rewrite);
  return TRUE;
}

gboolean
hl_normalizer_run (const HlNormalizer *normalizer, HlPieces *pieces, GError **error)
{
  for (guint i = 0; i < normalizer->steps->len; i++)
    if (!run_step (g_ptr_array_index (normalizer->steps, i), pieces, error))
      return FALSE;
  return TRUE;
}
