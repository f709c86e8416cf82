/* SPDX-License-Identifier: MIT
 * Tags and notes on heads: written, taken back, as JSON that may be anything; in the
 * document, its session, and gone with the model. */
#include "document-settle.h"

#include <glib/gstdio.h>
#include <string.h>

static void
test_write (void)
{
  g_autoptr (HlHeadNotes) notes = hl_head_notes_new ();
  g_assert_true (hl_head_notes_is_empty (notes));
  g_assert_true (hl_head_notes_set (notes, (HlHeadKey){ 0, 5, 1 },
                                    " #names, induction names,", "  it\n "));
  const HlHeadNote *note = hl_head_notes_get (notes, (HlHeadKey){ 0, 5, 1 });
  g_autofree char *joined = hl_head_note_join (note);
  g_assert_cmpstr (joined, ==, "#names #induction");
  g_assert_cmpstr (note->text, ==, "it");
  g_assert_null (hl_head_notes_get (notes, (HlHeadKey){ 0, 1, 5 }));
  g_assert_false (
      hl_head_notes_set (notes, (HlHeadKey){ 0, 5, 1 }, "names induction", "it"));
  g_assert_false (hl_head_notes_set (notes, (HlHeadKey){ 0, 0, 0 }, " ,#", " \n"));
  g_assert_true (hl_head_notes_set (notes, (HlHeadKey){ 0, 0, 2 }, "sink", ""));
  g_autoptr (GPtrArray) tags = hl_head_notes_list_tags (notes);
  g_assert_cmpuint (tags->len, ==, 3);
  g_assert_cmpstr (g_ptr_array_index (tags, 0), ==, "induction");
  g_assert_true (hl_head_notes_set (notes, (HlHeadKey){ 0, 5, 1 }, "", ""));
  g_assert_null (hl_head_notes_get (notes, (HlHeadKey){ 0, 5, 1 }));
  g_autofree char *long_text = g_strnfill (2 * HL_NOTE_MAX, 'x');
  hl_head_notes_set (notes, (HlHeadKey){ 0, 5, 1 }, "", long_text);
  g_assert_cmpuint (strlen (hl_head_notes_get (notes, (HlHeadKey){ 0, 5, 1 })->text), ==,
                    HL_NOTE_MAX);
  g_autofree char *none = hl_head_note_join (NULL);
  g_assert_cmpstr (none, ==, "");
}

static void
test_json (void)
{
  g_autoptr (HlHeadNotes) notes = hl_head_notes_new (), again = hl_head_notes_new ();
  hl_head_notes_set (notes, (HlHeadKey){ 0, 11, 3 }, "a b", "„so“ \"it\" is\n\\");
  hl_head_notes_set (notes, (HlHeadKey){ 0, 0, 0 }, "", "first");
  hl_head_notes_set (notes, (HlHeadKey){ 2, 0, 0 }, "cross", "another stack's");
  g_autofree char *text = hl_head_notes_to_json (notes);
  hl_head_notes_set (again, (HlHeadKey){ 0, 7, 7 }, "gone", "");
  hl_head_notes_take_json (again, text);
  g_autofree char *same = hl_head_notes_to_json (again);
  g_assert_cmpstr (same, ==, text);
  g_assert_null (hl_head_notes_get (again, (HlHeadKey){ 0, 7, 7 }));
  const HlHeadNote *cross = hl_head_notes_get (again, (HlHeadKey){ 2, 0, 0 });
  g_assert_cmpstr (cross->text, ==, "another stack's");
  g_assert_cmpstr (cross->tags[0], ==, "cross");
  g_assert_null (hl_head_notes_get (again, (HlHeadKey){ 1, 0, 0 }));
  g_assert_cmpstr (hl_head_notes_get (again, (HlHeadKey){ 0, 11, 3 })->text, ==,
                   "„so“ \"it\" is\n\\");
  /* What is not as it should be is left out, and nothing else. */
  static const char *const bad[] = {
    "",
    "[",
    "[1, 2]",
    "3",
    "{\"x\": {\"note\": \"a\"}}",
    "{\"1.1\": 5}",
    "{\"1.1\": {\"tags\": {\"a\": 1}, \"note\": []}}",
    "{\"-1.2\": {\"note\": \"a\"}}",
  };
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      hl_head_notes_take_json (again, bad[i]);
      g_assert_true (hl_head_notes_is_empty (again));
    }
  hl_head_notes_take_json (again, "{\"1.1\": {\"tags\": [3, \"t\"]}, \"q\": 1}");
  g_autofree char *kept = hl_head_notes_to_json (again);
  g_assert_cmpstr (kept, ==, "{\"1.1\":{\"note\":\"\",\"tags\":[\"t\"]}}");
}

static void
count_cb (HlDocument *document, int *n)
{
  (*n)++;
}

static HlDocument *
open_model (int *n_told)
{
  g_autofree char *model =
      g_test_build_filename (G_TEST_DIST, "..", "data", "models", "vit-fashion", NULL);
  g_autofree char *picture =
      g_test_build_filename (G_TEST_DIST, "..", "data", "samples", "bag-01.png", NULL);
  HlDocument *document = hl_document_new ();
  g_signal_connect (document, "head-notes-changed", G_CALLBACK (count_cb), n_told);
  hl_document_open_input (document, picture);
  hl_document_open_model (document, model);
  document_settle (document);
  return document;
}

static void
test_document (void)
{
  int n = 0;
  g_autofree char *folder = g_dir_make_tmp ("hl-notes-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "s.h5", NULL);
  g_autofree char *other =
      g_test_build_filename (G_TEST_DIST, "..", "data", "models", "gpt-kjv", NULL);
  HlDocument *document = open_model (&n);
  HlSelection *selection = hl_document_get_selection (document);
  hl_selection_set_head (selection, 3, 2);
  n = 0;
  hl_document_set_head_note (document, "edges", "looks at seams");
  hl_document_set_head_note (document, "#edges", "looks at seams"); /* the same */
  g_assert_cmpint (n, ==, 1);
  g_assert_true (hl_document_is_modified (document));
  hl_document_save (document, path);
  document_settle (document);
  g_assert_finalize_object (document);

  document = open_model (&n);
  g_assert_true (hl_head_notes_is_empty (hl_document_get_head_notes (document)));
  hl_document_open_session (document, path);
  document_settle (document);
  const HlHeadNote *note =
      hl_head_notes_get (hl_document_get_head_notes (document), (HlHeadKey){ 0, 3, 2 });
  g_assert_nonnull (note);
  g_assert_cmpstr (note->tags[0], ==, "edges");
  g_assert_cmpstr (note->text, ==, "looks at seams");
  /* Another model has other heads. */
  hl_document_open_model (document, other);
  document_settle (document);
  g_assert_true (hl_head_notes_is_empty (hl_document_get_head_notes (document)));
  hl_document_set_head_note (document, "x", ""); /* no trace, no head */
  g_assert_true (hl_head_notes_is_empty (hl_document_get_head_notes (document)));
  g_assert_finalize_object (document);
  g_unlink (path);
  g_rmdir (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_setenv ("HEADLIGHT_PROGRAMS", PROGRAMS_FOLDER, TRUE);
  g_test_add_func ("/head-notes/write", test_write);
  g_test_add_func ("/head-notes/json", test_json);
  g_test_add_func ("/head-notes/document", test_document);
  return g_test_run ();
}
