/* SPDX-License-Identifier: MIT
 * A list of models in words, and what a search finds in it. */
#include "presenters/hl-present-models.h"

static char name[] = "openai-community/gpt2", type[] = "gpt2", title[] = "GPT-2";
static char hash[] = "607a30d783dfa663caf39e06633721c8d4cfcd7e", ref[] = "main";
static char empty[] = "", folder[] = "/x", reason[] = "quantised: GPTQ of 4 bits";
static const HlCachedModel good = {
  name, hash, ref, folder, type, title, 548105171, NULL
};
static const HlCachedModel bad = { name, hash, empty, folder, type, title, 0, reason };
static const HlCachedModel plain = { name, empty, empty, folder, type, title, 5, NULL };

static void
assert_words (char *found, const char *expected)
{
  g_assert_cmpstr (found, ==, expected);
  g_free (found);
}

static void
test_words (void)
{
  g_autofree char *size = g_format_size (548105171);
  g_autofree char *sentence =
      g_strdup_printf ("openai-community/gpt2, GPT-2 · main 607a30d, %s", size);
  assert_words (hl_present_model_words (&good), "GPT-2 · main 607a30d");
  assert_words (hl_present_model_size (&good), size);
  assert_words (hl_present_model_name (&good), sentence);
  assert_words (hl_present_model_revision (&good), "main 607a30d");
  assert_words (hl_present_model_words (&bad), reason);
  assert_words (hl_present_model_size (&bad), "");
  assert_words (hl_present_model_name (&bad), "openai-community/gpt2, cannot be opened: "
                                              "quantised: GPTQ of 4 bits");
  assert_words (hl_present_model_revision (&bad), "607a30d");
  assert_words (hl_present_model_words (&plain), "GPT-2");
}

static void
test_search (void)
{
  const char *const found[] = { "", "  ", "GPT2", "openai", "comm gpt-2", "607a", "y/g" };
  const char *const missed[] = { "bert", "gpt2 bert", "30d783", "quantised", "/x" };
  for (guint i = 0; i < G_N_ELEMENTS (found); i++)
    g_assert_true (hl_present_model_matches (&good, found[i]));
  for (guint i = 0; i < G_N_ELEMENTS (missed); i++)
    g_assert_false (hl_present_model_matches (&good, missed[i]));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/present-models/words", test_words);
  g_test_add_func ("/present-models/search", test_search);
  return g_test_run ();
}
