/* SPDX-License-Identifier: MIT
 * Times of words beside those that somebody marked. */
#include "analysis/hl-word-times.h"

#include "analysis/hl-edit-distance.h"
#include "analysis/hl-result-reader.h"
#include "base/hl-error.h"

#include <math.h>
#include <string.h>

const double hl_word_limits[HL_WORD_LIMITS] = { 0.1, 0.2, 0.3 };

/* What a sum of decimals may be more than the limit that it is. */
#define ROUNDING 1e-9

const char *
hl_word_boundary_name (HlWordBoundary boundary)
{
  return boundary == HL_WORD_START ? "start" : "end";
}

void
hl_word_times_free (HlWordTimes *times)
{
  if (times == NULL)
    return;
  g_free (times->match);
  for (int b = 0; b < HL_N_WORD_BOUNDARIES; b++)
    g_free (times->error[b]);
  g_free (times);
}

static const HlReferenceWord *
word_at (const GArray *words, gsize i)
{
  return &g_array_index (words, HlReferenceWord, (guint) i);
}

/* (transfer full): folded words of @words that count, and their places in @place. */
static GPtrArray *
fold_words (const GArray *words, double from, double to, GArray *place)
{
  GPtrArray *folded = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < words->len; i++)
    {
      const HlReferenceWord *word = word_at (words, i);
      double middle = (word->start + word->end) / 2;
      char *text = middle >= from && middle <= to ? hl_word_fold (word->text) : NULL;
      if (text == NULL || *text == '\0')
        {
          g_free (text);
          continue;
        }
      g_ptr_array_add (folded, text);
      g_array_append_val (place, i);
    }
  return folded;
}

static gboolean
match_words (HlWordTimes *t,
             const GArray *said,
             const GArray *reference,
             double from,
             double to,
             GError **error)
{
  g_autoptr (GArray) said_at = g_array_new (FALSE, FALSE, sizeof (guint));
  g_autoptr (GArray) marked_at = g_array_new (FALSE, FALSE, sizeof (guint));
  g_autoptr (GPtrArray) a = fold_words (said, -HUGE_VAL, HUGE_VAL, said_at);
  g_autoptr (GPtrArray) b = fold_words (reference, from, to, marked_at);
  g_autofree gint64 *match = g_new (gint64, a->len + 1);
  t->n_words = a->len;
  t->n_reference = b->len;
  t->n_edits = hl_edit_distance ((const char *const *) a->pdata, a->len,
                                 (const char *const *) b->pdata, b->len, match, error);
  if (t->n_edits < 0)
    return FALSE;
  for (guint i = 0; i < a->len; i++)
    if (match[i] >= 0)
      {
        t->match[g_array_index (said_at, guint, i)] =
            g_array_index (marked_at, guint, (guint) match[i]);
        t->n_matched++;
      }
  if (t->n_matched > 0)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_MISSING,
               "times of words: words that are said expected, none of %u found among %u "
               "that are marked",
               a->len, b->len);
  return FALSE;
}

/* NaN is left out by whoever counts. */
static void
measure (HlWordTimes *t, HlWordBoundary b, guint32 seed)
{
  g_autofree double *size = g_new (double, t->n_said + 1);
  g_autofree double *is_within = g_new (double, t->n_said + 1);
  for (gsize i = 0; i < t->n_said; i++)
    size[i] = fabs (t->error[b][i]);
  t->absolute[b] = hl_bootstrap_mean (size, t->n_said, 1, seed);
  t->median[b] = hl_quantile (size, t->n_said, 0.5);
  for (int k = 0; k < HL_WORD_LIMITS; k++)
    {
      for (gsize i = 0; i < t->n_said; i++)
        is_within[i] = isnan (size[i]) ? NAN : size[i] <= hl_word_limits[k] + ROUNDING;
      t->within[b][k] = hl_bootstrap_mean (is_within, t->n_said, 1, seed);
    }
}

HlWordTimes *
hl_word_times_compare (const GArray *said,
                       const GArray *reference,
                       double from,
                       double to,
                       guint32 seed,
                       GError **error)
{
  g_autoptr (HlWordTimes) t = g_new0 (HlWordTimes, 1);
  t->n_said = said->len;
  t->match = g_new (gint64, t->n_said + 1);
  for (gsize i = 0; i < t->n_said; i++)
    t->match[i] = -1;
  if (!match_words (t, said, reference, from, to, error))
    return NULL;
  for (int b = 0; b < HL_N_WORD_BOUNDARIES; b++)
    {
      t->error[b] = g_new (double, t->n_said + 1);
      for (gsize i = 0; i < t->n_said; i++)
        {
          const HlReferenceWord *own = word_at (said, i);
          const HlReferenceWord *other =
              t->match[i] >= 0 ? word_at (reference, (gsize) t->match[i]) : NULL;
          t->error[b][i] = other == NULL        ? NAN
                           : b == HL_WORD_START ? own->start - other->start
                                                : own->end - other->end;
        }
      measure (t, (HlWordBoundary) b, seed);
    }
  return g_steal_pointer (&t);
}

/* ---- files ---------------------------------------------------------------------------
 */

void
hl_word_times_add_to (const HlWordTimes *t, HlSessionResult *result)
{
  static const char *const axes[] = { "boundary", "limit", "interval", NULL };
  double absolute[HL_N_WORD_BOUNDARIES][4];
  double within[HL_N_WORD_BOUNDARIES][HL_WORD_LIMITS][3];
  HlShape words = HL_SHAPE ((gint64) t->n_said);
  g_autofree gint32 *match = g_new (gint32, t->n_said + 1);
  for (gsize i = 0; i < t->n_said; i++)
    match[i] = (gint32) t->match[i];
  for (int b = 0; b < HL_N_WORD_BOUNDARIES; b++)
    {
      const HlInterval *x = &t->absolute[b];
      memcpy (absolute[b], (double[]){ x->mean, x->low, x->high, t->median[b] },
              sizeof absolute[b]);
      for (int k = 0; k < HL_WORD_LIMITS; k++)
        memcpy (
            within[b][k],
            (double[]){ t->within[b][k].mean, t->within[b][k].low, t->within[b][k].high },
            sizeof within[b][k]);
    }
  hl_result_add_array (result, "reference", HL_DTYPE_I32, words, match, "word", NULL);
  hl_result_add_array (result, "start_error", HL_DTYPE_F64, words, t->error[0], "word",
                       NULL);
  hl_result_add_array (result, "end_error", HL_DTYPE_F64, words, t->error[1], "word",
                       NULL);
  hl_result_add_array (result, "absolute_error", HL_DTYPE_F64,
                       HL_SHAPE (HL_N_WORD_BOUNDARIES, 4), absolute, "boundary",
                       "interval");
  g_autoptr (HlTensor) shares = hl_tensor_new_copy (
      HL_DTYPE_F64, HL_SHAPE (HL_N_WORD_BOUNDARIES, HL_WORD_LIMITS, 3), within);
  hl_session_result_add_array (result, "within", shares, axes, "");
}

static json_t *
interval_to_json (HlInterval x)
{
  return json_pack ("[o, o, o]", hl_result_real (x.mean), hl_result_real (x.low),
                    hl_result_real (x.high));
}

json_t *
hl_word_times_to_json (const HlWordTimes *t)
{
  json_t *root = json_pack ("{s:I, s:I, s:I, s:I, s:s}", "said", (json_int_t) t->n_words,
                            "marked", (json_int_t) t->n_reference, "matched",
                            (json_int_t) t->n_matched, "edits", (json_int_t) t->n_edits,
                            "errors", "said less marked, in seconds");
  for (int b = 0; b < HL_N_WORD_BOUNDARIES; b++)
    {
      json_t *within = json_array ();
      for (int k = 0; k < HL_WORD_LIMITS; k++)
        json_array_append_new (within,
                               json_pack ("{s:f, s:o}", "seconds", hl_word_limits[k],
                                          "share", interval_to_json (t->within[b][k])));
      json_object_set_new (root, hl_word_boundary_name ((HlWordBoundary) b),
                           json_pack ("{s:o, s:o, s:o}", "mean_absolute",
                                      interval_to_json (t->absolute[b]),
                                      "median_absolute", hl_result_real (t->median[b]),
                                      "within", within));
    }
  return root;
}
