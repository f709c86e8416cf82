/* SPDX-License-Identifier: MIT
 * Patterns of tokenizer files. They are written for Oniguruma with Ruby's rules and are
 * translated to PCRE2; what would mean something else there is refused. Immutable, for
 * any thread; a scan belongs to one. Private to compute/text. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _HlRegex HlRegex;
typedef struct _HlRegexScan HlRegexScan;

/**
 * hl_regex_new:
 * @where: what errors call the place, "tokenizer.json: pre_tokenizer"
 * Returns: (transfer full): NULL with @error: FORMAT no valid pattern, UNSUPPORTED one
 *   that cannot be translated
 */
HlRegex *hl_regex_new (const char *pattern, const char *where, GError **error);

/** hl_regex_new_literal: matches @text itself, which is not empty. */
HlRegex *hl_regex_new_literal (const char *text);

/** hl_regex_new_grapheme: matches a character with its marks (an extended grapheme
 * cluster). */
HlRegex *hl_regex_new_grapheme (void);
void hl_regex_free (HlRegex *regex);

/** hl_regex_can_match_empty: whether a match may have no characters. */
gboolean hl_regex_can_match_empty (const HlRegex *regex);

/** hl_regex_translate: (transfer full): the pattern for PCRE2; NULL with @error. */
char *hl_regex_translate (const char *pattern, const char *where, GError **error);

HlRegexScan *hl_regex_scan_new (const HlRegex *regex);
void hl_regex_scan_free (HlRegexScan *scan);

/** hl_regex_scan_start: scans @length bytes of valid UTF-8, which must stay. */
void hl_regex_scan_start (HlRegexScan *scan, const char *text, gsize length);

/**
 * hl_regex_scan_next:
 * @start, @end: of the next match; an empty one directly behind the match before it does
 *   not count
 * Returns: FALSE when there are no more, or with @error set: RANGE the pattern needs more
 *   steps or memory than allowed
 */
gboolean hl_regex_scan_next (HlRegexScan *scan, gsize *start, gsize *end, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlRegex, hl_regex_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlRegexScan, hl_regex_scan_free)

G_END_DECLS
