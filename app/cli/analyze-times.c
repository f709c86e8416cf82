/* SPDX-License-Identifier: MIT
 * headlight analyze alignment --reference: times of words beside those of a person. */
#include "config.h"

#include "analyze.h"

#include "analysis/hl-result-reader.h"
#include "base/hl-error.h"
#include "io/hl-csv.h"

#include <glib/gi18n.h>
#include <math.h>
#include <stdio.h>

/* (transfer full): words as they are said; their texts are borrowed. */
static GArray *
said_words (const Analyze *a)
{
  GArray *said = g_array_new (FALSE, FALSE, sizeof (HlReferenceWord));
  for (guint i = 0; i < a->spoken->len; i++)
    {
      const SpokenWord *word = &g_array_index (a->spoken, SpokenWord, i);
      HlReferenceWord one = { word->text, word->start, word->end };
      g_array_append_val (said, one);
    }
  return said;
}

gboolean
analyze_times (Analyze *a, GError **error)
{
  const char *path = a->options->reference;
  if (path == NULL)
    return TRUE;
  if (a->input->features == NULL)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                   "--reference: times are of a recording, a text found");
      return FALSE;
    }
  const HlTokenTable *heard = a->input->source_tokens;
  g_autoptr (GArray) said = said_words (a);
  a->marked = hl_reference_times_read (path, error);
  if (a->marked != NULL)
    a->times = hl_word_times_compare (said, a->marked, heard->tokens[0].start,
                                      heard->tokens[heard->n_tokens - 1].end,
                                      (guint32) a->options->seed, error);
  return a->times != NULL;
}

void
analyze_times_add_to (const Analyze *a, HlSessionResult *result)
{
  gsize n = a->spoken->len;
  if (a->times == NULL)
    return;
  g_autofree gint32 *first = g_new (gint32, n + 1);
  for (guint i = 0; i < n; i++)
    first[i] = g_array_index (a->spoken, SpokenWord, i).token;
  hl_result_add_array (result, "word", HL_DTYPE_I32, HL_SHAPE ((gint64) n), first, "word",
                       NULL);
  hl_word_times_add_to (a->times, result);
}

static const HlReferenceWord *
marked_at (const Analyze *a, guint i)
{
  gint64 at = a->times->match[i];
  return at >= 0 ? &g_array_index (a->marked, HlReferenceWord, (guint) at) : NULL;
}

/* ---- what is printed -----------------------------------------------------------------
 */

void
analyze_times_print_word (const Analyze *a, guint i)
{
  if (a->times == NULL)
    return;
  if (marked_at (a, i) == NULL)
    printf ("  –");
  else
    printf ("  %+.2f %+.2f", a->times->error[HL_WORD_START][i],
            a->times->error[HL_WORD_END][i]);
}

void
analyze_times_print (const Analyze *a)
{
  const HlWordTimes *t = a->times;
  if (t == NULL)
    return;
  g_autofree char *name = g_path_get_basename (a->options->reference);
  printf (_ ("%s: %d of %d words found among %d that are marked, %d edits apart; 95%% "
             "intervals over words\n"),
          name, (int) t->n_matched, (int) t->n_words, (int) t->n_reference,
          (int) t->n_edits);
  for (int b = 0; b < HL_N_WORD_BOUNDARIES; b++)
    {
      const HlInterval *x = &t->absolute[b];
      printf (b == HL_WORD_START
                  ? _ ("starts: off by %.3f s [%.3f, %.3f] on average, median %.3f s")
                  : _ ("ends: off by %.3f s [%.3f, %.3f] on average, median %.3f s"),
              x->mean, x->low, x->high, t->median[b]);
      for (int k = 0; k < HL_WORD_LIMITS; k++)
        printf (_ (", within %.1f s %.0f%% [%.0f, %.0f]"), hl_word_limits[k],
                100 * t->within[b][k].mean, 100 * t->within[b][k].low,
                100 * t->within[b][k].high);
      printf ("\n");
    }
}

/* ---- JSON and CSV --------------------------------------------------------------------
 */

static double
number_of (const Analyze *a, guint i, int column)
{
  const HlReferenceWord *marked = marked_at (a, i);
  return marked == NULL ? NAN
         : column == 0  ? marked->start
         : column == 1  ? marked->end
                        : a->times->error[column - 2][i];
}

static const char *const columns[] = { "reference_start", "reference_end", "start_error",
                                       "end_error" };

void
analyze_times_to_json (const Analyze *a, json_t *root, json_t *words)
{
  if (a->times == NULL)
    return;
  json_t *times = hl_word_times_to_json (a->times);
  json_object_set_new (times, "file", json_string (a->options->reference));
  json_object_set_new (root, "reference", times);
  for (guint i = 0; i < a->spoken->len; i++)
    for (int k = 0; k < (int) G_N_ELEMENTS (columns); k++)
      json_object_set_new (json_array_get (words, i), columns[k],
                           hl_result_real (number_of (a, i, k)));
}

void
analyze_times_csv_header (const Analyze *a, GString *csv)
{
  for (guint k = 0; a->times != NULL && k < G_N_ELEMENTS (columns); k++)
    g_string_append_printf (csv, ",%s", columns[k]);
}

void
analyze_times_csv_word (const Analyze *a, guint i, GString *csv)
{
  for (int k = 0; a->times != NULL && k < (int) G_N_ELEMENTS (columns); k++)
    hl_csv_append_number (csv, number_of (a, i, k), 0);
}
