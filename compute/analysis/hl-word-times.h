/* SPDX-License-Identifier: MIT
 * Times of words beside those that somebody marked: which words are the same, how far
 * their beginnings and ends are apart. Thread: any. */
#pragma once

#include "analysis/hl-statistics.h"
#include "io/hl-reference-times.h"
#include "session/hl-session.h"

#include <jansson.h>

G_BEGIN_DECLS

/** HL_WORD_LIMITS: shares of words within 0.1, 0.2 and 0.3 seconds. */
#define HL_WORD_LIMITS 3
extern const double hl_word_limits[HL_WORD_LIMITS];

/** HlWordBoundary: of a word. */
typedef enum
{
  HL_WORD_START,
  HL_WORD_END,
  HL_N_WORD_BOUNDARIES,
} HlWordBoundary;

/** hl_word_boundary_name: "start", "end". */
const char *hl_word_boundary_name (HlWordBoundary boundary);

/**
 * HlWordTimes: of @n_said words, and @n_reference of the reference that lie in the part
 * that is heard.
 * @match: (n_said): which of the reference's words it is, counted in the whole file; -1
 *   where it was not marked, or is another word
 * @n_words: of those said that have letters or digits; @n_matched: of these that have one
 * @n_edits: between the two (hl_edit_distance())
 * @error: of each boundary (n_said): said less marked, in seconds; NaN without a match
 * @absolute: the mean of its size, with a bootstrap interval of 95 % over words
 * @median: of its size
 * @within: shares of words whose size is at most hl_word_limits, with such intervals
 */
typedef struct
{
  gsize n_said, n_words, n_reference, n_matched;
  gint64 n_edits;
  gint64 *match;
  double *error[HL_N_WORD_BOUNDARIES];
  HlInterval absolute[HL_N_WORD_BOUNDARIES];
  double median[HL_N_WORD_BOUNDARIES];
  HlInterval within[HL_N_WORD_BOUNDARIES][HL_WORD_LIMITS];
} HlWordTimes;

void hl_word_times_free (HlWordTimes *times);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlWordTimes, hl_word_times_free)

/**
 * hl_word_times_compare:
 * @said: (element-type HlReferenceWord): in their order
 * @reference: (element-type HlReferenceWord)
 * @from, @to: seconds: words of the reference whose middle lies there count
 * @seed: of the intervals
 * Words are the same where their letters and digits are (hl_word_fold()).
 * Returns: (transfer full): NULL with @error (MISSING: no word is the same; MEMORY)
 */
HlWordTimes *hl_word_times_compare (const GArray *said,
                                    const GArray *reference,
                                    double from,
                                    double to,
                                    guint32 seed,
                                    GError **error);

/** hl_word_times_add_to: puts into @result "reference" (word) int32, the place in the
 * file or -1, "start_error" and "end_error" (word), "absolute_error" (boundary, 4): mean,
 * low, high, median, and "within" (boundary, limit, 3): share, low, high. */
void hl_word_times_add_to (const HlWordTimes *times, HlSessionResult *result);

/** hl_word_times_to_json: (transfer full): the same without the words. */
json_t *hl_word_times_to_json (const HlWordTimes *times);

G_END_DECLS
