/* SPDX-License-Identifier: MIT
 * Times of words that a person gives: CSV and TextGrid, good ones read right, bad ones
 * refused with words. */
#include "io-test.h"
#include "io/hl-reference-times.h"

#define LONG_HEAD                                                                        \
  "File type = \"ooTextFile\"\nObject class = \"TextGrid\"\n\nxmin = 0 \nxmax = 2.5 \n"  \
  "tiers? <exists> \nsize = 2 \nitem []: \n"

static const char long_grid[] = LONG_HEAD
    "    item [1]:\n        class = \"IntervalTier\" \n        name = \"phones\" \n"
    "        xmin = 0 \n        xmax = 2.5 \n        intervals: size = 1 \n"
    "        intervals [1]:\n            xmin = 0 \n            xmax = 2.5 \n"
    "            text = \"a\" \n"
    "    item [2]:\n        class = \"IntervalTier\" \n        name = \"Words\" \n"
    "        xmin = 0 \n        xmax = 2.5 \n        intervals: size = 4 \n"
    "        intervals [1]:\n            xmin = 0 \n            xmax = 0.5 \n"
    "            text = \"\" \n"
    "        intervals [2]:\n            xmin = 0.5 \n            xmax = 1.25 \n"
    "            text = \"3 = \"\"drei\"\"\" ! a comment with 7 and \"this\"\n"
    "        intervals [3]:\n            xmin = 1.25 \n            xmax = 2 \n"
    "            text = \" schön \" \n"
    "        intervals [4]:\n            xmin = 2 \n            xmax = 2.5 \n"
    "            text = \"42\" \n";

static const char short_grid[] =
    "\"ooTextFile\"\r\n\"TextGrid\"\r\n0\r\n2.5\r\n<exists>\r\n3\r\n"
    "\"TextTier\"\r\n\"marks\"\r\n0\r\n2.5\r\n1\r\n1.5\r\n\"here\"\r\n"
    "\"IntervalTier\"\r\n\"speech\"\r\n0\r\n2.5\r\n2\r\n0\r\n0.5\r\n\"\"\r\n"
    "0.5\r\n1.25\r\n\"eins\"\r\n"
    "\"IntervalTier\"\r\n\"more\"\r\n0\r\n2.5\r\n1\r\n0\r\n2.5\r\n\"zwei\"\r\n";

static GArray *
parse (const char *text, gssize size, GError **error)
{
  return hl_reference_times_parse ("w.csv", text, size < 0 ? strlen (text) : (gsize) size,
                                   error);
}

/* @wanted: "start end word|…" */
static void
assert_words (const char *text, gssize size, const char *wanted)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) words = parse (text, size, &error);
  g_assert_no_error (error);
  g_autoptr (GString) found = g_string_new (NULL);
  for (guint i = 0; i < words->len; i++)
    {
      const HlReferenceWord *word = &g_array_index (words, HlReferenceWord, i);
      g_string_append_printf (found, "%s%g %g %s", i > 0 ? "|" : "", word->start,
                              word->end, word->text);
    }
  g_assert_cmpstr (found->str, ==, wanted);
}

static void
test_csv (void)
{
  assert_words ("start,end,word\n0,0.5,And\n0.5,1e0,so\n", -1, "0 0.5 And|0.5 1 so");
  assert_words ("0,0.5,And\n0.5,1,so", -1, "0 0.5 And|0.5 1 so");
  assert_words ("who;WORD;End;Start\nx;\"a; \"\"b\"\"\";2;1\r\n\r\ny; c ;3;2\r\n", -1,
                "1 2 a; \"b\"|2 3 c");
  assert_words ("\xef\xbb\xbfstart\tend\tword\n1\t2\tgrün\n2\t2.5\t\n2.5\t3\tso, so\n",
                -1, "1 2 grün|2.5 3 so, so");
  assert_words ("0 , 1 , a\r1,2,b\r", -1, "0 1 a|1 2 b");
}

static void
test_textgrid (void)
{
  const char *words = "0.5 1.25 3 = \"drei\"|1.25 2 schön|2 2.5 42";
  assert_words (long_grid, -1, words);
  assert_words (short_grid, -1, "0.5 1.25 eins");
}

static void
test_utf16 (void)
{
  static const char *const codes[] = { "UTF-16LE", "UTF-16BE" };
  static const char *const marks[] = { "\xff\xfe", "\xfe\xff" };
  for (int i = 0; i < 2; i++)
    {
      gsize n = 0;
      g_autofree char *wide =
          g_convert (long_grid, -1, codes[i], "UTF-8", NULL, &n, NULL);
      g_autofree char *all = g_malloc (n + 2);
      memcpy (all, marks[i], 2);
      memcpy (all + 2, wide, n);
      assert_words (all, (gssize) n + 2, "0.5 1.25 3 = \"drei\"|1.25 2 schön|2 2.5 42");
    }
}

static const struct
{
  const char *text;
  int code;
  const char *says;
} bad[] = {
  { "", HL_ERROR_MISSING, "w.csv|words expected" },
  { "\n\n", HL_ERROR_MISSING, "words expected" },
  { "start,end,word\n", HL_ERROR_MISSING, "words expected" },
  { "when,until,what\n0,1,a\n", HL_ERROR_FORMAT,
    "w.csv, line 1|start, end and word|when" },
  { "0,1\n", HL_ERROR_FORMAT, "line 1|cells for start, end and word|\"1\"" },
  { "0,1,a\n1\n", HL_ERROR_FORMAT, "line 2|cells for start, end and word|\"1\"" },
  { "0,1,a\n1,zwei,b\n", HL_ERROR_FORMAT, "line 2|an end in seconds|\"zwei\"" },
  { "0,1,a\nnan,2,b\n", HL_ERROR_FORMAT, "line 2|a start in seconds|\"nan\"" },
  { "0,1,a\n1,inf,b\n", HL_ERROR_FORMAT, "line 2|an end in seconds|\"inf\"" },
  { "-1,1,a\n", HL_ERROR_FORMAT, "line 1|a start in seconds|\"-1\"" },
  { "0,1e7,a\n", HL_ERROR_FORMAT, "line 1|an end in seconds|\"1e7\"" },
  { "0,1,a\n\n1,0.5,b\n", HL_ERROR_FORMAT, "line 3|an end of 1 or later|\"0.5\"" },
  { "2,3,a\n1,4,b\n", HL_ERROR_FORMAT, "line 2|a start of 2 or later|\"1\"" },
  { "0,1,\"a\n1,2,b\n", HL_ERROR_FORMAT, "line 1|a closing quote|\"a\"" },
  { "0,1,\"a\"b\n", HL_ERROR_FORMAT, "line 1|a separator behind a quote|\"b" },
  { "0,1,a\n1,2,\xff\n", HL_ERROR_FORMAT, "line 2|UTF-8|255" },
  { "\xff\xfe"
    "a",
    HL_ERROR_FORMAT, "w.csv|UTF-16" },
  { "\"ooTextFile\"\n\"Pitch\"\n", HL_ERROR_FORMAT, "line 2|\"TextGrid\"|\"Pitch\"" },
  { "\"ooTextFile\"\n", HL_ERROR_FORMAT, "\"TextGrid\" expected, the end" },
  { "\"ooTextFile\"\n\"TextGrid\"\n0\n1\n<absent>\n", HL_ERROR_FORMAT,
    "line 5|<exists>|<absent>" },
  { "\"ooTextFile\"\n\"TextGrid\"\n0\n1\n<exists>\n1e9\n", HL_ERROR_RANGE,
    "line 6|1000 a number of tiers" },
  { "\"ooTextFile\"\n\"TextGrid\"\n0\n1\n<exists>\n1.5\n", HL_ERROR_FORMAT,
    "line 6|a number of tiers|1.5" },
  { "\"ooTextFile\"\n\"TextGrid\"\n0\n1\n<exists>\n-1\n", HL_ERROR_FORMAT,
    "line 6|a number of tiers|-1" },
  { "\"ooTextFile\"\n\"TextGrid\"\n0\n1\n<exists>\n1\n\"Tier\"\n", HL_ERROR_FORMAT,
    "line 7|IntervalTier|\"Tier\"" },
  { "\"ooTextFile\"\n\"TextGrid\"\n0\n1\n<exists>\n1\n\"IntervalTier\"\n\"w\"\n0\n1\n"
    "2000000\n",
    HL_ERROR_RANGE, "line 11|100000" },
  { "\"ooTextFile\"\n\"TextGrid\"\n0\n1\n<exists>\n1\n\"IntervalTier\"\n\"w\"\n0\n1\n2\n"
    "0\n1\n\"a\"\n",
    HL_ERROR_FORMAT, "the start of an interval|the end" },
  { "\"ooTextFile\"\n\"TextGrid\"\n0\n1\n<exists>\n1\n\"IntervalTier\"\n\"w\"\n0\n1\n1\n"
    "0\n1\n\"a\n",
    HL_ERROR_FORMAT, "line 14|a closing quote|\"a" },
  { "\"ooTextFile\"\n\"TextGrid\"\n0\n1\n<exists>\n1\n\"IntervalTier\"\n\"w\"\n0\n1\n1\n"
    "\"a\"\n0\n1\n",
    HL_ERROR_FORMAT, "line 12|the start of an interval|\"a\"" },
  { "\"ooTextFile\"\n\"TextGrid\"\n0\n1\n<exists>\n1\n\"TextTier\"\n\"p\"\n0\n1\n1\n0.5\n"
    "\"a\"\n",
    HL_ERROR_FORMAT, "a tier of intervals" },
};

static void
test_bad (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      g_test_message ("%u", i);
      g_assert_null (parse (bad[i].text, -1, &error));
      g_assert_null (strchr (error->message, '\n'));
      io_test_assert_error (&error, bad[i].code, bad[i].says);
    }
}

static void
test_zero_bytes (void)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (parse ("0,1,a\n1,\0,b\n", 13, &error));
  io_test_assert_error (&error, HL_ERROR_FORMAT, "line 2|the byte 0");
}

static void
test_sizes (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) text = g_string_new ("0,1,");
  for (int i = 0; i <= HL_REFERENCE_MAX_WORD_BYTES; i++)
    g_string_append_c (text, 'a');
  g_assert_null (parse (text->str, -1, &error));
  io_test_assert_error (&error, HL_ERROR_RANGE, "line 1|1024 bytes of a word");
  g_string_assign (text, "");
  for (int i = 0; i <= HL_REFERENCE_MAX_WORDS; i++)
    g_string_append (text, "0,1,a\n");
  g_assert_null (parse (text->str, -1, &error));
  io_test_assert_error (&error, HL_ERROR_RANGE, "line 100001|100000 words");
  g_string_assign (text, "0,1,a");
  for (int i = 0; i < 100; i++)
    g_string_append_c (text, ',');
  g_assert_null (parse (text->str, -1, &error));
  io_test_assert_error (&error, HL_ERROR_RANGE, "line 1|64 columns");
}

static void
test_files (void)
{
  g_autoptr (GError) error = NULL;
  char *folder = io_test_folder ();
  g_autofree char *path = io_test_write_text (folder, "w.TextGrid", short_grid);
  g_autofree char *none = g_build_filename (folder, "none.csv", NULL);
  g_autoptr (GArray) words = hl_reference_times_read (path, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (words->len, ==, 1);
  g_assert_null (hl_reference_times_read (none, &error));
  io_test_assert_error (&error, HL_ERROR_MISSING, "none.csv");
  g_assert_null (hl_reference_times_read (folder, &error));
  io_test_assert_error (&error, HL_ERROR_IO, "a file expected");
  g_assert_null (hl_reference_times_read ("/dev/zero", &error));
  io_test_assert_error (&error, HL_ERROR_IO, "a file expected");
  g_assert_cmpint (truncate (path, (off_t) HL_REFERENCE_MAX_BYTES + 1), ==, 0);
  g_assert_null (hl_reference_times_read (path, &error));
  io_test_assert_error (&error, HL_ERROR_RANGE, "16777216 bytes|16777217");
  io_test_remove (folder);
}

/* Every beginning of a good file, and every byte of it another, ends with words or with
 * an error. */
static void
test_damaged (void)
{
  gsize n = strlen (long_grid);
  g_autofree char *copy = g_strdup (long_grid);
  for (gsize i = 0; i < n; i++)
    {
      static const char others[] = "\"\n!<9 \xff";
      g_autoptr (GError) cut = NULL;
      g_autoptr (GArray) part = parse (long_grid, (gssize) i, &cut);
      g_assert_true ((part != NULL) == (cut == NULL));
      for (const char *c = others; *c != '\0'; c++)
        {
          g_autoptr (GError) error = NULL;
          copy[i] = *c;
          g_autoptr (GArray) words = parse (copy, (gssize) n, &error);
          g_assert_true ((words != NULL) == (error == NULL));
        }
      copy[i] = long_grid[i];
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/reference-times/csv", test_csv);
  g_test_add_func ("/reference-times/textgrid", test_textgrid);
  g_test_add_func ("/reference-times/utf16", test_utf16);
  g_test_add_func ("/reference-times/bad", test_bad);
  g_test_add_func ("/reference-times/zero-bytes", test_zero_bytes);
  g_test_add_func ("/reference-times/sizes", test_sizes);
  g_test_add_func ("/reference-times/files", test_files);
  g_test_add_func ("/reference-times/damaged", test_damaged);
  return g_test_run ();
}
