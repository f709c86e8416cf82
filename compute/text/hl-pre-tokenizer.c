/* SPDX-License-Identifier: MIT
 * The "pre_tokenizer" of a tokenizer file, read and run. */
#include "text/hl-pre-tokenizer.h"

#include "base/hl-error.h"
#include "text/hl-normalizer.h"
#include "text/hl-regex.h"
#include "text/hl-splitter.h"
#include "text/hl-unicode.h"

#include <string.h>

/* The words of GPT-2, as published with it. */
#define GPT2_PATTERN                                                                     \
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"

typedef enum
{
  STEP_BYTE_LEVEL,
  STEP_PATTERN,
  STEP_CLASS,
  STEP_METASPACE,
} StepKind;

typedef enum
{
  PREPEND_NEVER,
  PREPEND_FIRST,
  PREPEND_ALWAYS,
} PrependScheme;

typedef struct
{
  StepKind kind;
  HlRegex *pattern; /* of a pattern; of byte level where it cuts */
  HlCharClass char_class;
  HlSplitBehavior behavior;
  gboolean is_inverted;
  char *prefix; /* put before a piece that does not begin with it; NULL for none */
  PrependScheme scheme;
  gboolean cuts; /* Metaspace */
} Step;

struct _HlPreTokenizer
{
  GPtrArray *steps;
};

static void
step_free (gpointer data)
{
  Step *step = data;
  g_free (step->prefix);
  hl_regex_free (step->pattern);
  g_free (step);
}

/* ---- reading -------------------------------------------------------------------------
 */

static gboolean
read_choice (const json_t *json,
             const char *field,
             const char *fallback,
             const char *const *names,
             const char *where,
             int *choice,
             GError **error)
{
  const char *name = NULL;
  if (!hl_json_get_string (json, field, fallback == NULL, fallback, where, &name, error))
    return FALSE;
  for (int i = 0; names[i] != NULL; i++)
    if (g_ascii_strcasecmp (name, names[i]) == 0)
      {
        *choice = i;
        return TRUE;
      }
  g_autofree char *list = g_strjoinv (", ", (char **) names);
  g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
               "%s: field \"%s\": one of %s expected, \"%.60s\" found", where, field,
               list, name);
  return FALSE;
}

static gboolean
read_behavior (Step *step,
               const json_t *json,
               const char *fallback,
               const char *where,
               GError **error)
{
  static const char *const names[] = { "Isolated",           "Removed",
                                       "MergedWithPrevious", "MergedWithNext",
                                       "Contiguous",         NULL };
  int choice = 0;
  if (!read_choice (json, "behavior", fallback, names, where, &choice, error))
    return FALSE;
  step->behavior = (HlSplitBehavior) choice;
  return TRUE;
}

static gboolean
read_byte_level (Step *step, const json_t *json, const char *where, GError **error)
{
  gboolean adds_space = FALSE, has_pattern = TRUE;
  step->kind = STEP_BYTE_LEVEL;
  if (!hl_json_get_bool (json, "add_prefix_space", TRUE, TRUE, where, &adds_space,
                         error) ||
      !hl_json_get_bool (json, "use_regex", FALSE, TRUE, where, &has_pattern, error))
    return FALSE;
  step->prefix = adds_space ? g_strdup (" ") : NULL;
  step->scheme = PREPEND_ALWAYS;
  step->pattern = has_pattern ? hl_regex_new (GPT2_PATTERN, where, error) : NULL;
  return !has_pattern || step->pattern != NULL;
}

static gboolean
read_metaspace (Step *step, const json_t *json, const char *where, GError **error)
{
  static const char *const names[] = { "never", "first", "always", NULL };
  const char *replacement = NULL;
  gboolean had_space = TRUE;
  int scheme = PREPEND_ALWAYS;
  step->kind = STEP_METASPACE;
  if (!hl_json_get_string (json, "replacement", TRUE, NULL, where, &replacement, error) ||
      !hl_json_get_bool (json, "split", FALSE, TRUE, where, &step->cuts, error)
      /* Older files say add_prefix_space instead of a scheme. */
      || !hl_json_get_bool (json, "add_prefix_space", FALSE, TRUE, where, &had_space,
                            error) ||
      !read_choice (json, "prepend_scheme", had_space ? "always" : "never", names, where,
                    &scheme, error))
    return FALSE;
  if (g_utf8_strlen (replacement, -1) != 1)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_FORMAT,
                   "%s: field \"replacement\": one character expected, \"%.40s\" found",
                   where, replacement);
      return FALSE;
    }
  step->prefix = g_strdup (replacement);
  step->scheme = (PrependScheme) scheme;
  return TRUE;
}

static void
set_class (Step *step, HlCharClass char_class, HlSplitBehavior behavior)
{
  step->kind = STEP_CLASS;
  step->char_class = char_class;
  step->behavior = behavior;
}

static gboolean
read_digits (Step *step, const json_t *json, const char *where, GError **error)
{
  gboolean is_single = FALSE;
  if (!hl_json_get_bool (json, "individual_digits", FALSE, FALSE, where, &is_single,
                         error))
    return FALSE;
  set_class (step, HL_CHARS_NUMERIC, is_single ? HL_SPLIT_ISOLATED : HL_SPLIT_CONTIGUOUS);
  return TRUE;
}

static gboolean
read_split (Step *step, const json_t *json, const char *where, GError **error)
{
  step->kind = STEP_PATTERN;
  step->pattern = hl_json_get_pattern (json, where, error);
  return step->pattern != NULL && read_behavior (step, json, NULL, where, error) &&
         hl_json_get_bool (json, "invert", FALSE, FALSE, where, &step->is_inverted,
                           error);
}

static gboolean
read_delimiter (Step *step, const json_t *json, const char *where, GError **error)
{
  const char *text = NULL;
  if (!hl_json_get_string (json, "delimiter", TRUE, NULL, where, &text, error))
    return FALSE;
  if (g_utf8_strlen (text, -1) != 1)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_FORMAT,
                   "%s: field \"delimiter\": one character expected, \"%.40s\" found",
                   where, text);
      return FALSE;
    }
  step->kind = STEP_PATTERN;
  step->behavior = HL_SPLIT_REMOVED;
  step->pattern = hl_regex_new_literal (text);
  return TRUE;
}

static gboolean
read_punctuation (Step *step, const json_t *json, const char *where, GError **error)
{
  set_class (step, HL_CHARS_PUNCTUATION, HL_SPLIT_ISOLATED);
  return read_behavior (step, json, "Isolated", where, error);
}

static gboolean
read_whitespace_split (Step *step,
                       const json_t *json G_GNUC_UNUSED,
                       const char *where G_GNUC_UNUSED,
                       GError **error G_GNUC_UNUSED)
{
  set_class (step, HL_CHARS_SPACE, HL_SPLIT_REMOVED);
  return TRUE;
}

static gboolean
read_whitespace (Step *step,
                 const json_t *json G_GNUC_UNUSED,
                 const char *where G_GNUC_UNUSED,
                 GError **error G_GNUC_UNUSED)
{
  set_class (step, HL_CHARS_WORDS, HL_SPLIT_REMOVED);
  return TRUE;
}

/* A row with the same type as the one before is a second step of it. */
static const struct
{
  const char *type;
  gboolean (*read) (Step *step, const json_t *json, const char *where, GError **error);
} kinds[] = {
  { "BertPreTokenizer", read_whitespace_split },
  { "BertPreTokenizer", read_punctuation },
  { "ByteLevel", read_byte_level },
  { "CharDelimiterSplit", read_delimiter },
  { "Digits", read_digits },
  { "Metaspace", read_metaspace },
  { "Punctuation", read_punctuation },
  { "Split", read_split },
  { "Whitespace", read_whitespace },
  { "WhitespaceSplit", read_whitespace_split },
};

static gboolean
read_step (GPtrArray *steps,
           const json_t *json,
           const char *type,
           const char *where,
           GError **error)
{
  const guint before = steps->len;
  g_autoptr (GString) known = g_string_new ("Sequence");
  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      if (i == 0 || strcmp (kinds[i].type, kinds[i - 1].type) != 0)
        g_string_append_printf (known, ", %s", kinds[i].type);
      if (strcmp (type, kinds[i].type) != 0)
        continue;
      Step *step = g_new0 (Step, 1);
      g_ptr_array_add (steps, step);
      if (!kinds[i].read (step, json, where, error))
        return FALSE;
    }
  if (steps->len > before)
    return TRUE;
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
    return read_step (steps, json, type, where, error);
  const json_t *list = json_object_get (json, "pretokenizers");
  if (!json_is_array (list))
    {
      g_autofree char *found = hl_json_describe (list);
      g_set_error (error, HL_ERROR, list == NULL ? HL_ERROR_MISSING : HL_ERROR_FORMAT,
                   "%s: field \"pretokenizers\": an array expected, %s found", where,
                   found);
      return FALSE;
    }
  for (gsize i = 0; i < json_array_size (list); i++)
    if (!read_steps (steps, json_array_get (list, i), where, error))
      return FALSE;
  return TRUE;
}

HlPreTokenizer *
hl_pre_tokenizer_read (const json_t *json, const char *where, GError **error)
{
  g_autofree char *place = g_strdup_printf ("%s: pre_tokenizer", where);
  g_autoptr (HlPreTokenizer) pre = g_new0 (HlPreTokenizer, 1);
  pre->steps = g_ptr_array_new_with_free_func (step_free);
  if (json != NULL && !json_is_null (json) &&
      !read_steps (pre->steps, json, place, error))
    return NULL;
  for (guint i = 0; i + 1 < pre->steps->len; i++)
    {
      const Step *step = g_ptr_array_index (pre->steps, i);
      if (step->kind == STEP_BYTE_LEVEL)
        {
          g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                       "%s: ByteLevel as the last step expected, more behind it found, "
                       "which is not supported",
                       place);
          return NULL;
        }
    }
  return g_steal_pointer (&pre);
}

void
hl_pre_tokenizer_free (HlPreTokenizer *pre)
{
  if (pre == NULL)
    return;
  g_ptr_array_unref (pre->steps);
  g_free (pre);
}

gboolean
hl_pre_tokenizer_is_byte_level (const HlPreTokenizer *pre)
{
  if (pre->steps->len == 0)
    return FALSE;
  const Step *last = g_ptr_array_index (pre->steps, pre->steps->len - 1);
  return last->kind == STEP_BYTE_LEVEL;
}

/* ---- running -------------------------------------------------------------------------
 */

/* Puts the prefix before pieces that lack it; Metaspace also writes it for spaces. */
static void
rewrite_pieces (const Step *step, HlPieces *pieces)
{
  gsize n_prefix = step->prefix != NULL ? strlen (step->prefix) : 0;
  gboolean is_metaspace = step->kind == STEP_METASPACE;
  HlRewrite rewrite;
  hl_rewrite_begin (&rewrite, pieces);
  for (guint i = 0; i < pieces->list->len; i++)
    {
      const HlPiece *piece = &g_array_index (pieces->list, HlPiece, i);
      const char *text = pieces->bytes + piece->start;
      gsize done = piece->start, length = piece->end - piece->start;
      gboolean has_prefix =
          (is_metaspace && *text == ' ') ||
          (length >= n_prefix && memcmp (text, step->prefix, n_prefix) == 0);
      hl_rewrite_open (&rewrite, piece);
      if (piece->id < 0 && !has_prefix &&
          (step->scheme == PREPEND_ALWAYS ||
           (step->scheme == PREPEND_FIRST && piece->origin == 0)))
        hl_rewrite_put (&rewrite, step->prefix, n_prefix,
                        hl_pieces_span (pieces, piece->start));
      for (gsize at = piece->start; is_metaspace && piece->id < 0 && at < piece->end;
           at++)
        if (pieces->bytes[at] == ' ')
          {
            hl_rewrite_copy (&rewrite, done, at);
            hl_rewrite_put (&rewrite, step->prefix, n_prefix,
                            hl_pieces_span (pieces, at));
            done = at + 1;
          }
      hl_rewrite_copy (&rewrite, done, piece->end);
      hl_rewrite_close (&rewrite);
    }
  hl_rewrite_end (&rewrite);
}

static gboolean
cut_pieces (const Step *step, HlPieces *pieces, GError **error)
{
  HlSplitter splitter;
  gboolean is_good = TRUE;
  g_autoptr (HlRegexScan) scan =
      step->pattern != NULL ? hl_regex_scan_new (step->pattern) : NULL;
  g_autoptr (HlRegex) prefix = NULL;
  HlSplitBehavior behavior = step->behavior;
  if (step->kind == STEP_METASPACE)
    {
      prefix = hl_regex_new_literal (step->prefix);
      scan = hl_regex_scan_new (prefix);
      behavior = HL_SPLIT_MERGED_WITH_NEXT;
    }
  hl_splitter_begin (&splitter, pieces, behavior, step->is_inverted);
  for (guint i = 0; i < pieces->list->len && is_good; i++)
    {
      const HlPiece *piece = &g_array_index (pieces->list, HlPiece, i);
      if (piece->id >= 0)
        g_array_append_val (splitter.list, *piece);
      else if (scan != NULL)
        is_good = hl_splitter_run_pattern (&splitter, piece, scan, error);
      else
        hl_splitter_run_class (&splitter, piece, step->char_class);
    }
  if (is_good)
    hl_pieces_take_list (pieces, splitter.list);
  else
    g_array_unref (splitter.list);
  return is_good;
}

gboolean
hl_pre_tokenizer_run (const HlPreTokenizer *pre, HlPieces *pieces, GError **error)
{
  for (guint i = 0; i < pre->steps->len; i++)
    {
      const Step *step = g_ptr_array_index (pre->steps, i);
      gboolean cuts = step->kind == STEP_METASPACE ? step->cuts
                      : step->kind == STEP_CLASS   ? TRUE
                                                   : step->pattern != NULL;
      if (step->prefix != NULL)
        rewrite_pieces (step, pieces);
      if (cuts && !cut_pieces (step, pieces, error))
        return FALSE;
    }
  return TRUE;
}
