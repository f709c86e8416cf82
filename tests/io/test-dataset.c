/* SPDX-License-Identifier: MIT
 * Data sets: folders, CSV, IDX, lines; labels; damaged and hostile ones. */
#include "base/hl-error.h"
#include "io-test.h"
#include "model/hl-dataset.h"
#include "model/hl-labels.h"
#include "model/hl-model-text.h"

#include <ftw.h>
#include <gio/gio.h>

static char *folder;

static void
write_file (const char *name, const void *data, gssize size)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *parent = g_path_get_dirname (path);
  g_mkdir_with_parents (parent, 0700);
  g_file_set_contents (path, data, size, &error);
  g_assert_no_error (error);
}

static HlModelInfo *
clothes (void)
{
  static const char *const labels[] = { "T-shirt/top", "Trouser", "tench, Tinca tinca",
                                        NULL };
  HlModelInfo *info = hl_model_info_new ();
  info->labels = g_strdupv ((char **) labels);
  info->n_classes = 3;
  return info;
}

static HlDataset *
open_at (const char *name, const HlModelInfo *info)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (folder, name, NULL);
  HlDataset *d = hl_dataset_open (path, info, &error);
  g_assert_no_error (error);
  return d;
}

static void
refused (const char *name, int code, const char *says)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_assert_null (hl_dataset_open (path, NULL, &error));
  g_assert_error (error, HL_ERROR, code);
  if (strstr (error->message, says) == NULL)
    g_error ("\"%s\" expected in \"%s\"", says, error->message);
}

static void
test_labels (void)
{
  g_autoptr (HlModelInfo) info = clothes ();
  g_autoptr (HlLabels) labels = hl_labels_new (info, NULL, NULL);
  g_assert_cmpint (hl_labels_find (labels, "t-shirt TOP"), ==, 0);
  g_assert_cmpint (hl_labels_find (labels, "T_shirt_top"), ==, 0);
  g_assert_cmpint (hl_labels_find (labels, "Tench"), ==, 2);
  g_assert_cmpint (hl_labels_find (labels, "tench_tinca_tinca"), ==, 2);
  g_assert_cmpint (hl_labels_find (labels, "1"), ==, 1);
  g_assert_cmpint (hl_labels_find (labels, "3"), ==, -1);
  g_assert_cmpint (hl_labels_find (labels, "-1"), ==, -1);
  g_assert_cmpint (hl_labels_find (labels, "n00000001"), ==, -1);
  g_assert_cmpint (hl_labels_find (labels, ""), ==, -1);
}

static void
test_folder (void)
{
  g_autoptr (HlModelInfo) info = clothes ();
  write_file ("set/Trouser/b.png", "x", 1);
  write_file ("set/Trouser/a.jpg", "x", 1);
  write_file ("set/Trouser/notes.txt", "x", 1);
  write_file ("set/Trouser/.hidden.png", "x", 1);
  write_file ("set/Unknown/c.png", "x", 1);
  write_file ("set/loose.png", "x", 1);
  g_autoptr (HlDataset) d = open_at ("set", info);
  g_assert_cmpint (hl_dataset_get_n_items (d), ==, 4);
  g_assert_cmpstr (hl_dataset_get_item (d, 0)->name, ==, "loose.png");
  g_assert_cmpint (hl_dataset_get_item (d, 0)->label, ==, -1);
  g_assert_cmpstr (hl_dataset_get_item (d, 1)->name, ==, "a.jpg");
  g_assert_cmpint (hl_dataset_get_item (d, 1)->label, ==, 1);
  g_assert_cmpint (hl_dataset_get_item (d, 3)->label, ==, -1);
  g_assert_cmpint (d->n_unlabelled, ==, 2);
  g_assert_nonnull (strstr (d->warning, "\"Unknown\""));
  g_autofree char *empty = g_build_filename (folder, "empty", NULL);
  g_mkdir_with_parents (empty, 0700);
  refused ("empty", HL_ERROR_MISSING, "none found");
  refused ("nowhere", HL_ERROR_MISSING, "nothing found there");
}

/* By their order where they are as many as the classes; by a table where there is one. */
static void
test_synsets (void)
{
  g_autoptr (HlModelInfo) info = clothes ();
  write_file ("net/n00000009/a.png", "x", 1);
  write_file ("net/n00000002/b.png", "x", 1);
  write_file ("net/n00000005/c.png", "x", 1);
  g_autoptr (HlDataset) d = open_at ("net", info);
  for (int i = 0; i < 3; i++)
    g_assert_cmpint (hl_dataset_get_item (d, i)->label, ==, i);
  write_file ("one/n00000009/a.png", "x", 1);
  g_autoptr (HlDataset) one = open_at ("one", info);
  g_assert_cmpint (hl_dataset_get_item (one, 0)->label, ==, -1);
  write_file ("few/part/n00000009/a.png", "x", 1);
  write_file ("few/LOC_synset_mapping.txt", "n00000001 dog\nn00000009 cat, tom\n", -1);
  g_autoptr (HlDataset) e = open_at ("few/part", info);
  g_assert_cmpint (hl_dataset_get_item (e, 0)->label, ==, 1);
}

static void
test_csv (void)
{
  g_autoptr (HlModelInfo) info = clothes ();
  write_file ("a.csv",
              "File,other,Label\n\"a, b.png\",,Trouser\nsub/c.png,x,\"say \"\"1\"\"\"\n"
              "/abs/d.png,,2\n,,1\n",
              -1);
  g_autoptr (HlDataset) d = open_at ("a.csv", info);
  g_autofree char *beside = g_build_filename (folder, "a, b.png", NULL);
  g_assert_cmpint (hl_dataset_get_n_items (d), ==, 3);
  g_assert_cmpstr (hl_dataset_get_item (d, 0)->path, ==, beside);
  g_assert_cmpint (hl_dataset_get_item (d, 0)->label, ==, 1);
  g_assert_cmpstr (hl_dataset_get_item (d, 1)->label_name, ==, "say \"1\"");
  g_assert_cmpint (hl_dataset_get_item (d, 1)->label, ==, -1);
  g_assert_cmpstr (hl_dataset_get_item (d, 2)->path, ==, "/abs/d.png");
  g_assert_cmpint (hl_dataset_get_item (d, 2)->label, ==, 2);
  write_file ("t.csv", "text,label\nhello there,1\n", -1);
  g_autoptr (HlDataset) t = open_at ("t.csv", info);
  g_assert_cmpstr (hl_dataset_get_item (t, 0)->text, ==, "hello there");
  write_file ("bad.csv", "name,label\na.png,1\n", -1);
  refused ("bad.csv", HL_ERROR_FORMAT, "\"name\"");
  write_file ("open.csv", "file,label\n\"a.png,1\n", -1);
  refused ("open.csv", HL_ERROR_FORMAT, "open.csv: row");
  write_file ("none.csv", "file,label\n", -1);
  refused ("none.csv", HL_ERROR_MISSING, "none found");
}

/* Two pictures of 2 x 3. */
static const guint8 pictures[] = { 0, 0, 8, 3, 0, 0, 0, 2, 0,  0,  0,  2,  0,  0,
                                   0, 3, 1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16 };
static const guint8 classes[] = { 0, 0, 8, 1, 0, 0, 0, 2, 2, 9 };

static void
test_idx (void)
{
  g_autoptr (HlModelInfo) info = clothes ();
  write_file ("x-images-idx3-ubyte", pictures, sizeof pictures);
  write_file ("x-labels-idx1-ubyte", classes, sizeof classes);
  g_autoptr (HlDataset) d = open_at ("x-images-idx3-ubyte", info);
  g_assert_cmpint (hl_dataset_get_n_items (d), ==, 2);
  g_assert_cmpint (hl_dataset_get_item (d, 0)->label, ==, 2);
  g_assert_cmpint (hl_dataset_get_item (d, 1)->label, ==, -1); /* no class 9 */
  g_assert_nonnull (strstr (d->warning, "\"9\""));
  write_file ("y-images-idx3-ubyte", pictures, sizeof pictures);
  g_autoptr (HlDataset) bare = open_at ("y-images-idx3-ubyte", info);
  g_assert_cmpint (hl_dataset_get_item (bare, 0)->label, ==, -1);
  write_file ("cut-images-idx3-ubyte", pictures, sizeof pictures - 1);
  refused ("cut-images-idx3-ubyte", HL_ERROR_FORMAT,
           "12 bytes after the header expected");
  write_file ("short-images-idx3-ubyte", pictures, 9);
  refused ("short-images-idx3-ubyte", HL_ERROR_FORMAT, "3 dimensions expected");
  guint8 more[sizeof pictures + 1] = { 0 };
  memcpy (more, pictures, sizeof pictures);
  write_file ("more-images-idx3-ubyte", more, sizeof more);
  refused ("more-images-idx3-ubyte", HL_ERROR_FORMAT, "13 found");
  guint8 huge[sizeof pictures];
  memcpy (huge, pictures, sizeof pictures);
  huge[4] = huge[8] = huge[12] = 0xff;
  write_file ("huge-images-idx3-ubyte", huge, sizeof huge);
  refused ("huge-images-idx3-ubyte", HL_ERROR_FORMAT, "bytes after the header expected");
  write_file ("z-images-idx3-ubyte", pictures, sizeof pictures);
  const guint8 three[] = { 0, 0, 8, 1, 0, 0, 0, 3, 1, 1, 1 };
  write_file ("z-labels-idx1-ubyte", three, sizeof three);
  refused ("z-images-idx3-ubyte", HL_ERROR_SHAPE, "2 labels expected, 3 found");
  write_file ("no-images-idx3-ubyte.gz", "not packed", -1);
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (folder, "no-images-idx3-ubyte.gz", NULL);
  g_assert_null (hl_dataset_open (path, NULL, &error));
  g_assert_nonnull (error);
}

static void
test_sample (void)
{
  GString *csv = g_string_new ("file\n");
  for (int i = 0; i < 50; i++)
    g_string_append_printf (csv, "%02d.png\n", i);
  write_file ("many.csv", csv->str, -1);
  g_string_free (csv, TRUE);
  g_autoptr (HlDataset) all = open_at ("many.csv", NULL);
  g_autoptr (HlDataset) some = hl_dataset_sample (all, 10, 4);
  g_autoptr (HlDataset) same = hl_dataset_sample (all, 10, 4);
  g_autoptr (HlDataset) other = hl_dataset_sample (all, 10, 5);
  g_autoptr (HlDataset) whole = hl_dataset_sample (all, 0, 4);
  int n_equal = 0;
  g_assert_cmpint (hl_dataset_get_n_items (some), ==, 10);
  g_assert_cmpint (hl_dataset_get_n_items (whole), ==, 50);
  for (int i = 0; i < 10; i++)
    {
      const char *name = hl_dataset_get_item (some, i)->name;
      g_assert_cmpstr (name, ==, hl_dataset_get_item (same, i)->name);
      n_equal += g_str_equal (name, hl_dataset_get_item (other, i)->name);
      if (i > 0)
        g_assert_cmpstr (name, >, hl_dataset_get_item (some, i - 1)->name);
    }
  g_assert_cmpint (n_equal, <, 10);
}

static void
test_lines (void)
{
  write_file ("lines.txt", "one line\n\n  \nanother\r\n", -1);
  g_autoptr (HlDataset) d = open_at ("lines.txt", NULL);
  g_assert_cmpint (hl_dataset_get_n_items (d), ==, 2);
  g_assert_cmpstr (hl_dataset_get_item (d, 1)->text, ==, "another");
  g_assert_cmpstr (hl_dataset_get_item (d, 1)->name, ==, "line 4");
  write_file ("latin.txt", "\xe4\n", -1);
  refused ("latin.txt", HL_ERROR_FORMAT, "UTF-8");
}

static void
test_inputs (void)
{
  g_autoptr (GError) error = NULL;
  int label;
  g_autofree char *kjv =
      g_test_build_filename (G_TEST_DIST, "..", "data", "models", "gpt-kjv", NULL);
  g_autofree char *vit =
      g_test_build_filename (G_TEST_DIST, "..", "data", "models", "vit-fashion", NULL);
  g_autoptr (HlModel) text = hl_model_open (kjv, &error);
  g_autoptr (HlModel) picture = hl_model_open (vit, &error);
  g_assert_no_error (error);
  write_file ("psalm.txt", "The LORD is my shepherd\nx\n", -1);
  g_autoptr (HlDataset) lines = open_at ("psalm.txt", NULL);
  g_autoptr (HlInput) input = hl_dataset_open_input (lines, text, 0, &label, &error);
  g_assert_no_error (error);
  g_autoptr (HlInput) whole =
      hl_model_open_text (text, NULL, "", "The LORD is my shepherd", -1, NULL, &error);
  gint64 n = whole->ids->shape.dim[1];
  g_assert_cmpint (input->ids->shape.dim[1], ==, n - 1);
  g_assert_cmpint (label, ==, ((gint32 *) whole->ids->data)[n - 1]);
  g_assert_null (hl_dataset_open_input (lines, text, 1, &label, &error));
  g_assert_error (error, HL_ERROR, HL_ERROR_RANGE);
  g_clear_error (&error);
  write_file ("w-images-idx3-ubyte", pictures, sizeof pictures);
  g_autoptr (HlDataset) idx = open_at ("w-images-idx3-ubyte", NULL);
  g_autoptr (HlInput) shown = hl_dataset_open_input (idx, picture, 1, &label, &error);
  g_assert_no_error (error);
  g_assert_cmpint (shown->pixel_values->shape.dim[2], ==, 28);
  /* A corner of the resized picture is the corner of the second one. */
  g_assert_cmpint (((guint8 *) shown->shown->data)[0], ==, 11);
  g_assert_null (hl_dataset_open_input (idx, text, 1, &label, &error));
  g_assert_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED);
}

static int
remove_cb (const char *path, const struct stat *info, int type, struct FTW *ftw)
{
  return remove (path);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  folder = io_test_folder ();
  g_test_add_func ("/dataset/labels", test_labels);
  g_test_add_func ("/dataset/folder", test_folder);
  g_test_add_func ("/dataset/synsets", test_synsets);
  g_test_add_func ("/dataset/csv", test_csv);
  g_test_add_func ("/dataset/idx", test_idx);
  g_test_add_func ("/dataset/sample", test_sample);
  g_test_add_func ("/dataset/lines", test_lines);
  g_test_add_func ("/dataset/inputs", test_inputs);
  int status = g_test_run ();
  nftw (folder, remove_cb, 8, FTW_DEPTH | FTW_PHYS);
  g_free (folder);
  return status;
}
