/* SPDX-License-Identifier: MIT
 * Runs a fuzz target without a fuzzing compiler: seeds, mutated at random but the same
 * way each time. It has no coverage to follow; it finds what simple damage finds. */
#include "fuzz.h"

#include <stdio.h>
#include <string.h>

#define MAX_INPUT_BYTES 65536
#define DEFAULT_SECONDS 5.0
#define DEFAULT_SEED 20240229

/* Numbers and bytes at which parsers err. */
static const guint64 odd_numbers[] = {
  0,
  1,
  7,
  8,
  0x7f,
  0x80,
  0xff,
  0x7fff,
  0x8000,
  0xffff,
  0x7fffffff,
  0x80000000,
  0xffffffff,
  0x100000000,
  0x7fffffffffffffff,
  0x8000000000000000,
  0xfffffffffffffff8,
  0xffffffffffffffff,
};
static const char *const odd_texts[] = {
  "{",
  "}",
  "[",
  "]",
  "\"",
  "\\",
  ",",
  ":",
  "-",
  "-1",
  "0",
  "1e99",
  "null",
  "true",
  "9223372036854775807",
  "18446744073709551616",
  "\\u0000",
  "..",
  "/",
  "[[[[[[[[",
};

static void
insert (GByteArray *input, gsize at, gconstpointer data, gsize size)
{
  gsize tail = input->len - at;
  if (input->len + size > MAX_INPUT_BYTES)
    return;
  g_byte_array_set_size (input, input->len + (guint) size);
  memmove (input->data + at + size, input->data + at, tail);
  memcpy (input->data + at, data, size);
}

static gsize
random_below (GRand *rand, gsize n)
{
  return n > 0 ? (gsize) g_rand_int_range (rand, 0, (gint32) MIN (n, G_MAXINT32)) : 0;
}

/* Overwrites a decimal number in the text by another. */
static void
change_digits (GByteArray *input, GRand *rand)
{
  gsize at = random_below (rand, input->len), end;
  while (at < input->len && !g_ascii_isdigit (input->data[at]))
    at++;
  for (end = at; end < input->len && g_ascii_isdigit (input->data[end]);)
    end++;
  if (at == end)
    return;
  g_byte_array_remove_range (input, (guint) at, (guint) (end - at));
  g_autofree char *text =
      random_below (rand, 2) == 0
          ? g_strdup_printf ("%u", g_rand_int (rand) % 64)
          : g_strdup_printf (
                "%" G_GUINT64_FORMAT,
                odd_numbers[random_below (rand, G_N_ELEMENTS (odd_numbers))]);
  insert (input, at, text, strlen (text));
}

/* Copies a piece of another seed, or of the input itself, to a random place. */
static void
splice (GByteArray *input, GRand *rand, GPtrArray *seeds)
{
  gsize size = 0;
  GBytes *seed = g_ptr_array_index (seeds, random_below (rand, seeds->len));
  const guint8 *data = g_bytes_get_data (seed, &size);
  gsize from = random_below (rand, size);
  insert (input, random_below (rand, input->len), data + from,
          random_below (rand, MIN (size - from, 64)));
}

static void
mutate_once (GByteArray *input, GRand *rand, GPtrArray *seeds)
{
  if (input->len == 0)
    g_byte_array_append (input, (const guint8 *) "{", 1);
  gsize at = random_below (rand, input->len);
  guint64 number = odd_numbers[random_below (rand, G_N_ELEMENTS (odd_numbers))];
  const char *text = odd_texts[random_below (rand, G_N_ELEMENTS (odd_texts))];
  switch (g_rand_int_range (rand, 0, 8))
    {
    case 0:
      input->data[at] ^= (guint8) (1u << random_below (rand, 8));
      break;
    case 1:
      input->data[at] = (guint8) g_rand_int (rand);
      break;
    case 2:
      insert (input, at, text, strlen (text));
      break;
    case 3:
      g_byte_array_remove_range (input, (guint) at,
                                 (guint) random_below (rand, MIN (input->len - at, 32)));
      break;
    case 4:
      g_byte_array_set_size (input, (guint) at);
      break;
    case 5: /* a number in binary, of 1 to 8 bytes */
      memcpy (input->data + at, &number,
              MIN ((gsize) 1 << random_below (rand, 4), input->len - at));
      break;
    case 6:
      change_digits (input, rand);
      break;
    default:
      splice (input, rand, seeds);
      break;
    }
}

static void
run_once (const guint8 *data, gsize size, const char *keep_path)
{
  if (keep_path != NULL)
    g_file_set_contents (keep_path, (const char *) data, (gssize) size, NULL);
  /* A copy of exactly this size, so that reading behind the end is seen by a sanitizer.
   */
  guint8 *copy = g_memdup2 (data, size);
  LLVMFuzzerTestOneInput (copy, size);
  g_free (copy);
}

static guint64
run_for (double seconds, guint32 random_seed)
{
  const char *keep_path = g_getenv ("HEADLIGHT_FUZZ_LAST");
  g_autoptr (GPtrArray) seeds = fuzz_seeds ();
  GRand *rand = g_rand_new_with_seed (random_seed);
  GByteArray *input = g_byte_array_new ();
  gint64 end = g_get_monotonic_time () + (gint64) (seconds * G_USEC_PER_SEC);
  guint64 n = 0;
  /* The seeds themselves first, unchanged. */
  for (; n < seeds->len || g_get_monotonic_time () < end; n++)
    {
      gsize size = 0;
      GBytes *seed = g_ptr_array_index (seeds, n % seeds->len);
      const guint8 *data = g_bytes_get_data (seed, &size);
      g_byte_array_set_size (input, 0);
      g_byte_array_append (input, data, (guint) size);
      int n_mutations = n < seeds->len ? 0 : 1 + (int) random_below (rand, 4);
      for (int i = 0; i < n_mutations; i++)
        mutate_once (input, rand, seeds);
      run_once (input->data, input->len, keep_path);
    }
  g_byte_array_unref (input);
  g_rand_free (rand);
  return n;
}

static int
run_files (int n_paths, char **paths)
{
  for (int i = 0; i < n_paths; i++)
    {
      g_autofree char *data = NULL;
      g_autoptr (GError) error = NULL;
      gsize size = 0;
      if (!g_file_get_contents (paths[i], &data, &size, &error))
        {
          fprintf (stderr, "%s\n", error->message);
          return 1;
        }
      run_once ((const guint8 *) data, size, NULL);
      printf ("# %s: %zu bytes, no crash\n", paths[i], size);
    }
  return 0;
}

int
main (int argc, char **argv)
{
  char *end = NULL;
  double seconds = argc > 1 ? g_ascii_strtod (argv[1], &end) : DEFAULT_SECONDS;
  if (argc > 1 && (*end != '\0' || end == argv[1]))
    return run_files (argc - 1, argv + 1);
  guint32 random_seed =
      argc > 2 ? (guint32) g_ascii_strtoull (argv[2], NULL, 10) : DEFAULT_SEED;
  printf ("1..1\n");
  fflush (stdout);
  guint64 n = run_for (seconds, random_seed);
  printf ("ok 1 - %" G_GUINT64_FORMAT " executions in %g s\n", n, seconds);
  return 0;
}
