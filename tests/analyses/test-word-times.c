/* SPDX-License-Identifier: MIT
 * Words beside words: distances and error rates by hand, times beside those that are
 * marked. */
#include "analysis/hl-edit-distance.h"
#include "analysis/hl-word-times.h"
#include "base/hl-error.h"

#include <math.h>
#include <string.h>

static void
test_fold (void)
{
  static const char *const words[][2] = {
    { "Americans,", "americans" },
    { "␣Straße", "strasse" },
    { "don't", "dont" },
    { "ＡＢＣ１", "abc1" },
    { "–", "" },
    { "É", "é" },
    { "42.", "42" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    {
      g_autofree char *folded = hl_word_fold (words[i][0]);
      g_autofree char *wanted = g_utf8_normalize (words[i][1], -1, G_NORMALIZE_NFC);
      g_assert_cmpstr (folded, ==, wanted);
    }
  g_auto (GStrv) text = hl_words_fold_text (" Ask not, — what\nyour\u00a0country ");
  g_autofree char *joined = g_strjoinv ("|", text);
  g_assert_cmpstr (joined, ==, "ask|not|what|your|country");
}

/* @matched: of each word of @a its place in @b, as a digit, or "-". */
static void
assert_distance (const char *a, const char *b, int wanted, const char *matched)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) x = g_strsplit (a, " ", -1);
  g_auto (GStrv) y = g_strsplit (b, " ", -1);
  gsize n = *a != '\0' ? g_strv_length (x) : 0, m = *b != '\0' ? g_strv_length (y) : 0;
  gint64 match[8];
  g_assert_cmpint (hl_edit_distance ((const char *const *) x, n, (const char *const *) y,
                                     m, match, &error),
                   ==, wanted);
  g_assert_no_error (error);
  for (gsize i = 0; i < n; i++)
    g_assert_cmpint (match[i], ==, matched[i] == '-' ? -1 : matched[i] - '0');
}

static void
test_distance (void)
{
  assert_distance ("", "", 0, "");
  assert_distance ("a b", "", 2, "--");
  assert_distance ("", "a b", 2, "");
  assert_distance ("a b c", "a b c", 0, "012");
  assert_distance ("a b c", "a c", 1, "0-1");
  assert_distance ("a c", "a b c", 1, "02");
  assert_distance ("a x c", "a b c", 1, "0-2");
  assert_distance ("a b a b", "b a b a", 2, "123-");
  assert_distance ("k i t t e n", "s i t t i n g", 3, "-123-5");
}

static void
assert_rate (const char *reference, const char *said, double wanted)
{
  g_autoptr (GError) error = NULL;
  g_assert_cmpfloat_with_epsilon (hl_word_error_rate (reference, said, &error), wanted,
                                  1e-12);
  g_assert_no_error (error);
}

static void
test_rate (void)
{
  assert_rate ("Ask not what", "ask not what.", 0);
  assert_rate ("ask not what your country", "ask what your city", 0.4);
  assert_rate ("ask not", "", 1);
  assert_rate ("ask", "and so my fellow", 1); /* four edits of one word */
  assert_rate ("ask not", "ask not so", 0.5);
  assert_rate ("", "", 0);
  assert_rate ("…", "ask", 1);
}

/* ---- times ---------------------------------------------------------------------------
 */

static GArray *
words_of (const HlReferenceWord *list, guint n)
{
  GArray *words = g_array_new (FALSE, FALSE, sizeof (HlReferenceWord));
  g_array_append_vals (words, list, n);
  return words;
}

static const HlReferenceWord said[] = {
  { (char *) "␣And", 0, 0.5 },  { (char *) "␣so", 0.5, 1 },
  { (char *) ",", 1, 1.1 },     { (char *) "␣fellow", 1.3, 2.5 },
  { (char *) "␣um", 2.5, 2.6 },
};

/* The first is of what was heard before; "my" nobody says. */
static const HlReferenceWord marked[] = {
  { (char *) "And", -9, -8 },      { (char *) "and", 0.1, 0.4 },
  { (char *) "So!", 0.45, 1.2 },   { (char *) "my", 1.2, 1.3 },
  { (char *) "fellow", 1.6, 2.5 }, { (char *) "so", 40, 41 },
};

static HlWordTimes *
compare (const HlReferenceWord *reference, guint n, GError **error)
{
  g_autoptr (GArray) a = words_of (said, G_N_ELEMENTS (said));
  g_autoptr (GArray) b = words_of (reference, n);
  return hl_word_times_compare (a, b, 0, 30, 3, error);
}

static void
test_times (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlWordTimes) t = compare (marked, G_N_ELEMENTS (marked), &error);
  g_assert_no_error (error);
  const gint64 match[] = { 1, 2, -1, 4, -1 };
  const double start[] = { -0.1, 0.05, NAN, -0.3, NAN };
  const double end[] = { 0.1, -0.2, NAN, 0, NAN };
  g_assert_cmpuint (t->n_reference, ==, 4);
  g_assert_cmpuint (t->n_words, ==, 4);
  g_assert_cmpuint (t->n_matched, ==, 3);
  g_assert_cmpint (t->n_edits, ==, 2);
  for (int i = 0; i < 5; i++)
    {
      g_assert_cmpint (t->match[i], ==, match[i]);
      g_assert_true (isnan (start[i]) == isnan (t->error[HL_WORD_START][i]));
      if (!isnan (start[i]))
        {
          g_assert_cmpfloat_with_epsilon (t->error[HL_WORD_START][i], start[i], 1e-12);
          g_assert_cmpfloat_with_epsilon (t->error[HL_WORD_END][i], end[i], 1e-12);
        }
    }
  g_assert_cmpfloat_with_epsilon (t->absolute[HL_WORD_START].mean, 0.45 / 3, 1e-12);
  g_assert_cmpfloat_with_epsilon (t->absolute[HL_WORD_END].mean, 0.1, 1e-12);
  g_assert_cmpfloat_with_epsilon (t->median[HL_WORD_START], 0.1, 1e-12);
  g_assert_cmpfloat_with_epsilon (t->median[HL_WORD_END], 0.1, 1e-12);
  const double within[2][3] = { { 2 / 3.0, 2 / 3.0, 1 }, { 2 / 3.0, 1, 1 } };
  for (int b = 0; b < HL_N_WORD_BOUNDARIES; b++)
    for (int k = 0; k < HL_WORD_LIMITS; k++)
      {
        const HlInterval *x = &t->within[b][k];
        g_assert_cmpint (x->n, ==, 3);
        g_assert_cmpfloat_with_epsilon (x->mean, within[b][k], 1e-12);
        g_assert_true (x->low <= x->mean && x->mean <= x->high);
        g_assert_true (within[b][k] == 1 || x->low < x->mean);
      }
}

static void
test_result (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlWordTimes) t = compare (marked, G_N_ELEMENTS (marked), &error);
  g_autoptr (HlSessionResult) result = hl_session_result_new ("alignment", "{}", "{}");
  hl_word_times_add_to (t, result);
  json_t *json = hl_word_times_to_json (t);
  const json_t *within =
      json_array_get (json_object_get (json_object_get (json, "end"), "within"), 0);
  g_assert_cmpfloat_with_epsilon (
      json_number_value (json_array_get (json_object_get (within, "share"), 0)), 2 / 3.0,
      1e-12);
  g_assert_cmpint ((int) json_integer_value (json_object_get (json, "matched")), ==, 3);
  json_decref (json);
}

static void
test_nothing_in_common (void)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (compare (marked, 1, &error));
  g_assert_error (error, HL_ERROR, HL_ERROR_MISSING);
  g_assert_nonnull (strstr (error->message, "none of 4 found among 0"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/word-times/fold", test_fold);
  g_test_add_func ("/word-times/distance", test_distance);
  g_test_add_func ("/word-times/rate", test_rate);
  g_test_add_func ("/word-times/times", test_times);
  g_test_add_func ("/word-times/result", test_result);
  g_test_add_func ("/word-times/nothing-in-common", test_nothing_in_common);
  return g_test_run ();
}
