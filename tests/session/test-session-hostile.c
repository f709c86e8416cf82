/* SPDX-License-Identifier: MIT
 * Sessions that are damaged, foreign or set a trap: each is refused with words that say
 * why, and none takes the program down. */
#include "session-fixture.h"

#include "base/hl-error.h"

#include <glib/gstdio.h>
#include <hdf5.h>
#include <string.h>

#define MAP "/traces/0/sites/blocks.0.attn.hook_pattern"

typedef struct
{
  char *folder;
  char *path;
} Place;

static void
place_init (Place *place)
{
  g_autoptr (HlSession) session = fixture_session_new (1);
  g_autoptr (GError) error = NULL;
  place->folder = fixture_folder_new ();
  place->path = g_build_filename (place->folder, "s.h5", NULL);
  hl_session_save (session, place->path, NULL, &error);
  g_assert_no_error (error);
}

static void
place_clear (Place *place)
{
  fixture_folder_free (place->folder);
  g_free (place->path);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Place, place_clear)

static hid_t
reopen (const Place *place)
{
  hid_t file = H5Fopen (place->path, H5F_ACC_RDWR, H5P_DEFAULT);
  g_assert_cmpint (file, >=, 0);
  return file;
}

/* Refused by the child and by the in-process reading alike, in the same words. */
static void
assert_refused (const Place *place, HlErrorCode code, const char *words)
{
  g_autoptr (GError) guarded = NULL, plain = NULL;
  g_assert_null (hl_session_load_guarded (place->path, CHECK_SESSION, NULL, &guarded));
  g_assert_error (guarded, HL_ERROR, (int) code);
  if (strstr (guarded->message, words) == NULL)
    g_error ("\"%s\" is not in: %s", words, guarded->message);
  g_assert_false (hl_session_check_file (place->path, &plain));
  g_assert_error (plain, HL_ERROR, (int) code);
  g_assert_cmpstr (plain->message, ==, guarded->message);
}

static void
set_schema (const Place *place, int schema)
{
  hid_t file = reopen (place);
  hid_t attr = H5Aopen (file, "headlight_schema", H5P_DEFAULT);
  g_assert_cmpint (H5Awrite (attr, H5T_NATIVE_INT, &schema), >=, 0);
  H5Aclose (attr);
  H5Fclose (file);
}

static void
test_schema (void)
{
  g_auto (Place) place = { 0 };
  place_init (&place);
  set_schema (&place, 7);
  assert_refused (&place, HL_ERROR_UNSUPPORTED,
                  "written by a newer Headlight (schema 7; this one reads up to 1)");
  set_schema (&place, 0);
  assert_refused (&place, HL_ERROR_RANGE, "headlight_schema: 1 expected, 0 found");
  hid_t file = reopen (&place);
  H5Adelete (file, "headlight_schema");
  H5Fclose (file);
  assert_refused (&place, HL_ERROR_FORMAT, "headlight_schema is missing");
}

static void
test_missing (void)
{
  static const char *const paths[] = { "/traces/0/tokens/text",
                                       MAP,
                                       "/traces/0/sites/blocks.1.attn.hook_q",
                                       "/traces/0/sites",
                                       "/models/0",
                                       "/models/0/stacks/0/n_heads",
                                       "/traces/0/tokens/bytes_length" };
  for (guint i = 0; i < G_N_ELEMENTS (paths); i++)
    {
      g_auto (Place) place = { 0 };
      g_autofree char *words = g_strdup_printf ("%s: missing", paths[i]);
      place_init (&place);
      hid_t file = reopen (&place);
      g_assert_cmpint (H5Ldelete (file, paths[i], H5P_DEFAULT), >=, 0);
      H5Fclose (file);
      assert_refused (&place, HL_ERROR_MISSING, words);
    }
}

/* Puts another array in the place of one. */
static void
replace_array (
    const Place *place, const char *path, hid_t type, int rank, hsize_t dim, hid_t plist)
{
  hid_t file = reopen (place);
  hsize_t dims[4] = { dim, dim, dim, dim };
  hid_t space = H5Screate_simple (rank, dims, NULL);
  H5Ldelete (file, path, H5P_DEFAULT);
  hid_t array = H5Dcreate2 (file, path, type, space, H5P_DEFAULT, plist, H5P_DEFAULT);
  g_assert_cmpint (array, >=, 0);
  H5Dclose (array);
  H5Sclose (space);
  H5Fclose (file);
}

static void
test_wrong_arrays (void)
{
  g_auto (Place) place = { 0 };
  hid_t early = H5Pcreate (H5P_DATASET_CREATE);
  H5Pset_alloc_time (early, H5D_ALLOC_TIME_EARLY);
  place_init (&place);
  replace_array (&place, MAP, H5T_IEEE_F32LE, 2, 5, early);
  assert_refused (&place, HL_ERROR_SHAPE,
                  "[heads, queries, keys] expected, [5, 5] found");
  replace_array (&place, MAP, H5T_IEEE_F32LE, 3, 4, early);
  assert_refused (&place, HL_ERROR_SHAPE, MAP ": shape [3, 5, 5] expected");
  replace_array (&place, MAP, H5T_IEEE_F32BE, 3, 5, early);
  assert_refused (&place, HL_ERROR_DTYPE, "big-endian 4-byte float found");
  hid_t pair = H5Tcreate (H5T_COMPOUND, 8);
  H5Tinsert (pair, "re", 0, H5T_IEEE_F32LE);
  H5Tinsert (pair, "im", 4, H5T_IEEE_F32LE);
  replace_array (&place, MAP, pair, 3, 5, early);
  assert_refused (&place, HL_ERROR_DTYPE, MAP ": little-endian float16");
  H5Tclose (pair);
  place_clear (&place);
  place_init (&place);
  replace_array (&place, "/traces/0/tokens/row", H5T_STD_I32LE, 1, 4, early);
  assert_refused (&place, HL_ERROR_SHAPE, "tokens/row: shape [5] expected, [4] found");
  H5Pclose (early);
}

static void
test_absurd_size (void)
{
  g_auto (Place) place = { 0 };
  place_init (&place);
  /* Nothing is allocated in the file: 4 TB claimed by a few bytes. */
  replace_array (&place, MAP, H5T_IEEE_F32LE, 3, 10000, H5P_DEFAULT);
  assert_refused (&place, HL_ERROR_FORMAT, "bytes claimed, more than a file of");
  hid_t chunked = H5Pcreate (H5P_DATASET_CREATE);
  H5Pset_chunk (chunked, 3, (hsize_t[]){ 1000, 1000, 1000 });
  replace_array (&place, MAP, H5T_IEEE_F32LE, 3, 1000, chunked);
  assert_refused (&place, HL_ERROR_FORMAT, "chunks of more than");
  H5Pclose (chunked);
}

static void
test_external_link (void)
{
  g_auto (Place) place = { 0 };
  place_init (&place);
  hid_t file = reopen (&place);
  H5Ldelete (file, MAP, H5P_DEFAULT);
  H5Lcreate_external ("/etc/passwd", "/x", file, MAP, H5P_DEFAULT, H5P_DEFAULT);
  H5Fclose (file);
  assert_refused (&place, HL_ERROR_UNSUPPORTED, MAP ": an external link");
  file = reopen (&place);
  H5Ldelete (file, MAP, H5P_DEFAULT);
  H5Lcreate_soft ("/traces/0/sites/blocks.1.attn.hook_pattern", file, MAP, H5P_DEFAULT,
                  H5P_DEFAULT);
  H5Fclose (file);
  assert_refused (&place, HL_ERROR_UNSUPPORTED, "a soft or external link found");
}

static void
test_external_link_elsewhere (void)
{
  g_auto (Place) place = { 0 };
  place_init (&place);
  hid_t file = reopen (&place);
  H5Gclose (H5Gcreate2 (file, "/other", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  H5Lcreate_external ("b.h5", "/x", file, "/other/link", H5P_DEFAULT, H5P_DEFAULT);
  H5Fclose (file);
  assert_refused (&place, HL_ERROR_UNSUPPORTED, "/other/link: an external link");
}

static void
test_external_storage (void)
{
  g_auto (Place) place = { 0 };
  hid_t plist = H5Pcreate (H5P_DATASET_CREATE);
  H5Pset_external (plist, "/etc/passwd", 0, 5 * 5 * 5 * 4);
  place_init (&place);
  replace_array (&place, MAP, H5T_IEEE_F32LE, 3, 5, plist);
  assert_refused (&place, HL_ERROR_UNSUPPORTED, MAP ": external storage");
  H5Pclose (plist);
}

static void
test_virtual (void)
{
  g_auto (Place) place = { 0 };
  hsize_t dims[3] = { 5, 5, 5 };
  hid_t plist = H5Pcreate (H5P_DATASET_CREATE);
  hid_t space = H5Screate_simple (3, dims, NULL);
  H5Pset_virtual (plist, space, "/tmp/other.h5", "/x", space);
  place_init (&place);
  replace_array (&place, MAP, H5T_IEEE_F32LE, 3, 5, plist);
  assert_refused (&place, HL_ERROR_UNSUPPORTED, MAP ": a virtual dataset");
  H5Sclose (space);
  H5Pclose (plist);
}

static void
test_filter (void)
{
  g_auto (Place) place = { 0 };
  hid_t plist = H5Pcreate (H5P_DATASET_CREATE);
  H5Pset_chunk (plist, 3, (hsize_t[]){ 5, 5, 5 });
  H5Pset_filter (plist, 32015, H5Z_FLAG_OPTIONAL, 0, NULL); /* zstd, a plugin */
  place_init (&place);
  replace_array (&place, MAP, H5T_IEEE_F32LE, 3, 5, plist);
  assert_refused (&place, HL_ERROR_UNSUPPORTED, MAP ": filter 32015 found");
  H5Pclose (plist);
}

static void
test_many_groups (void)
{
  g_auto (Place) place = { 0 };
  place_init (&place);
  hid_t access = H5Pcreate (H5P_FILE_ACCESS);
  H5Pset_libver_bounds (access, H5F_LIBVER_V18, H5F_LIBVER_V18);
  hid_t file = H5Fopen (place.path, H5F_ACC_RDWR, access);
  hid_t many = H5Gcreate2 (file, "/many", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  for (int i = 0; i < 100000; i++)
    {
      char name[16];
      g_snprintf (name, sizeof name, "%d", i);
      H5Gclose (H5Gcreate2 (many, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    }
  H5Gclose (many);
  H5Fclose (file);
  H5Pclose (access);
  gint64 start = g_get_monotonic_time ();
  assert_refused (&place, HL_ERROR_UNSUPPORTED, "more than 50000 objects");
  g_assert_cmpint (g_get_monotonic_time () - start, <, 20 * G_USEC_PER_SEC);
}

static void
test_rings (void)
{
  g_auto (Place) place = { 0 };
  g_autoptr (GError) error = NULL;
  place_init (&place);
  hid_t file = reopen (&place);
  H5Gclose (H5Gcreate2 (file, "/ring", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  H5Lcreate_hard (file, "/ring", file, "/ring/again", H5P_DEFAULT, H5P_DEFAULT);
  H5Fclose (file);
  g_autoptr (HlSession) session =
      hl_session_load_guarded (place.path, CHECK_SESSION, NULL, &error);
  g_assert_no_error (error);
}

static void
test_deep (void)
{
  g_auto (Place) place = { 0 };
  place_init (&place);
  hid_t file = reopen (&place);
  g_autoptr (GString) path = g_string_new (NULL);
  for (int i = 0; i < 500; i++)
    {
      g_string_append (path, "/d");
      H5Gclose (H5Gcreate2 (file, path->str, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    }
  H5Fclose (file);
  assert_refused (&place, HL_ERROR_UNSUPPORTED, "nested deeper than");
}

static void
test_not_hdf5 (void)
{
  g_auto (Place) place = { 0 };
  g_autoptr (GError) error = NULL;
  place_init (&place);
  g_file_set_contents (place.path, "GIF89a", 6, NULL);
  assert_refused (&place, HL_ERROR_FORMAT, "not an HDF5 file");
  g_file_set_contents (place.path, "", 0, NULL);
  assert_refused (&place, HL_ERROR_FORMAT, "not an HDF5 file");
  g_unlink (place.path);
  assert_refused (&place, HL_ERROR_MISSING, "No such file");
  g_assert_null (hl_session_load_guarded (place.folder, CHECK_SESSION, NULL, &error));
  g_assert_error (error, HL_ERROR, HL_ERROR_FORMAT);
  g_clear_error (&error);
  place_clear (&place);
  place_init (&place);
  g_assert_null (
      hl_session_load_guarded (place.path, "/nowhere/headlight", NULL, &error));
  g_assert_error (error, HL_ERROR, HL_ERROR_IO);
}

static void
test_truncated (void)
{
  g_auto (Place) place = { 0 };
  g_autofree char *bytes = NULL;
  gsize size;
  place_init (&place);
  g_file_get_contents (place.path, &bytes, &size, NULL);
  for (int i = 0; i < 24; i++)
    {
      g_autoptr (GError) error = NULL;
      gsize cut = i < 4 ? (gsize) i * 7 : size * (gsize) (i - 3) / 21 - 1;
      g_file_set_contents (place.path, bytes, (gssize) cut, NULL);
      g_assert_null (hl_session_load_guarded (place.path, CHECK_SESSION, NULL, &error));
      g_assert_error (error, HL_ERROR, HL_ERROR_FORMAT);
    }
}

/* Bytes are changed at random; the child may crash, this program may not. */
static void
test_mutated (void)
{
  g_auto (Place) place = { 0 };
  g_autofree char *bytes = NULL;
  gsize size;
  int n_refused = 0;
  place_init (&place);
  g_file_get_contents (place.path, &bytes, &size, NULL);
  g_autoptr (GRand) random = g_rand_new_with_seed (20261123);
  for (int i = 0; i < 150; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *copy = g_memdup2 (bytes, size);
      int n_changes = g_rand_int_range (random, 1, 30);
      for (int c = 0; c < n_changes; c++)
        copy[g_rand_int_range (random, 0, (gint32) size)] =
            (char) g_rand_int_range (random, 0, 256);
      g_file_set_contents (place.path, copy, (gssize) size, NULL);
      g_autoptr (HlSession) session =
          hl_session_load_guarded (place.path, CHECK_SESSION, NULL, &error);
      g_assert_true ((session != NULL) == (error == NULL));
      n_refused += session == NULL;
    }
  g_test_message ("%d of 150 mutated files refused", n_refused);
  g_assert_cmpint (n_refused, >, 0);
}

/* A checker that crashes or hangs stands for the library doing so. */
static void
test_checker_dies (void)
{
  g_auto (Place) place = { 0 };
  g_autoptr (GError) error = NULL;
  g_autofree char *script = NULL;
  place_init (&place);
  script = g_build_filename (place.folder, "crash", NULL);
  g_file_set_contents (script, "#!/bin/sh\nkill -SEGV $$\n", -1, NULL);
  g_chmod (script, 0755);
  g_assert_null (hl_session_load_guarded (place.path, script, NULL, &error));
  g_assert_error (error, HL_ERROR, HL_ERROR_FORMAT);
  g_assert_nonnull (strstr (error->message, "crashed the HDF5 library (signal 11"));
  g_clear_error (&error);
  g_file_set_contents (script, "#!/bin/sh\nkill -ALRM $$\n", -1, NULL);
  g_chmod (script, 0755);
  g_assert_null (hl_session_load_guarded (place.path, script, NULL, &error));
  g_assert_nonnull (strstr (error->message, "hung the HDF5 library"));
}

static gpointer
cancel_soon (gpointer cancellable)
{
  g_usleep (100000);
  g_cancellable_cancel (cancellable);
  return NULL;
}

static void
test_cancel_check (void)
{
  g_auto (Place) place = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  HlProgress progress = { .cancellable = cancellable };
  place_init (&place);
  g_autofree char *script = g_build_filename (place.folder, "hang", NULL);
  g_file_set_contents (script, "#!/bin/sh\nexec sleep 60\n", -1, NULL);
  g_chmod (script, 0755);
  GThread *thread = g_thread_new ("cancel", cancel_soon, cancellable);
  gint64 start = g_get_monotonic_time ();
  g_assert_null (hl_session_load_guarded (place.path, script, &progress, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpint (g_get_monotonic_time () - start, <, 5 * G_USEC_PER_SEC);
  g_thread_join (thread);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/session/hostile/schema", test_schema);
  g_test_add_func ("/session/hostile/missing", test_missing);
  g_test_add_func ("/session/hostile/wrong-arrays", test_wrong_arrays);
  g_test_add_func ("/session/hostile/absurd-size", test_absurd_size);
  g_test_add_func ("/session/hostile/external-link", test_external_link);
  g_test_add_func ("/session/hostile/external-link-elsewhere",
                   test_external_link_elsewhere);
  g_test_add_func ("/session/hostile/external-storage", test_external_storage);
  g_test_add_func ("/session/hostile/virtual", test_virtual);
  g_test_add_func ("/session/hostile/filter", test_filter);
  g_test_add_func ("/session/hostile/many-groups", test_many_groups);
  g_test_add_func ("/session/hostile/rings", test_rings);
  g_test_add_func ("/session/hostile/deep", test_deep);
  g_test_add_func ("/session/hostile/not-hdf5", test_not_hdf5);
  g_test_add_func ("/session/hostile/truncated", test_truncated);
  g_test_add_func ("/session/hostile/mutated", test_mutated);
  g_test_add_func ("/session/hostile/checker-dies", test_checker_dies);
  g_test_add_func ("/session/hostile/cancel-check", test_cancel_check);
  return g_test_run ();
}
