/* SPDX-License-Identifier: MIT
 * Fuzz target: a session of any bytes opens or is refused with a message. libhdf5 crashes
 * on some of them; only the checking child may die of that, never this program. */
#include "fuzz.h"

#include "base/hl-error.h"
#include "session-fixture.h"

#include <glib/gstdio.h>
#include <unistd.h>

/* The file of this process; one name, so that a crash leaves it behind. */
static char *
input_path (void)
{
  return g_strdup_printf ("%s/hl-fuzz-session-%d.h5", g_get_tmp_dir (), (int) getpid ());
}

/* Touches what the window would: every number, every string. */
static void
look_at (HlSession *session)
{
  volatile guint8 sum = 0;
  for (guint i = 0; i < hl_session_get_n_traces (session); i++)
    {
      GHashTableIter iter;
      gpointer tensor;
      const HlTrace *trace = hl_session_get_trace (session, i);
      g_assert_cmpuint (trace->tokens->len, ==, trace->model->stacks->len);
      g_hash_table_iter_init (&iter, trace->sites);
      while (g_hash_table_iter_next (&iter, NULL, &tensor))
        {
          const guint8 *bytes = ((HlTensor *) tensor)->data;
          gsize size = hl_tensor_size_bytes (tensor);
          for (gsize b = 0; b < size; b++)
            sum = (guint8) (sum + bytes[b]);
        }
      for (guint s = 0; s < trace->tokens->len; s++)
        {
          const HlTokenTable *tokens = g_ptr_array_index (trace->tokens, s);
          for (int t = 0; t < tokens->n_tokens; t++)
            {
              g_assert_true (g_utf8_validate (tokens->tokens[t].text, -1, NULL));
              g_assert_cmpint (tokens->tokens[t].row, <, MAX (tokens->n_rows, 1));
            }
        }
    }
  g_assert_true (g_utf8_validate (hl_session_get_notes (session), -1, NULL));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = input_path ();
  g_assert_true (g_file_set_contents_full (path, (const char *) data, (gssize) size,
                                           G_FILE_SET_CONTENTS_NONE, 0600, NULL));
  g_autoptr (HlSession) session =
      hl_session_load_guarded (path, CHECK_SESSION, NULL, &error);
  g_unlink (path);
  g_assert_true ((session != NULL) == (error == NULL));
  if (session != NULL)
    look_at (session);
  else
    {
      g_assert_true (error->domain == HL_ERROR);
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
    }
  return 0;
}

static void
add_seed (GPtrArray *seeds, HlSession *session, const HlSessionOptions *options)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = input_path ();
  char *bytes = NULL;
  gsize size = 0;
  hl_session_save_with_options (session, path, options, NULL, &error);
  g_assert_no_error (error);
  g_file_get_contents (path, &bytes, &size, &error);
  g_assert_no_error (error);
  g_unlink (path);
  g_ptr_array_add (seeds, g_bytes_new_take (bytes, size));
}

GPtrArray *
fuzz_seeds (void)
{
  GPtrArray *seeds = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  g_autoptr (HlSession) full = fixture_session_new (1);
  g_autoptr (HlSession) small = fixture_big_session_new (256, 2);
  g_autoptr (HlSession) empty = hl_session_new ();
  HlSessionOptions half = { .half_maps = TRUE };
  add_seed (seeds, full, NULL);
  add_seed (seeds, small, &half);
  add_seed (seeds, empty, NULL);
  return seeds;
}
