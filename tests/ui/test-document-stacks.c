/* SPDX-License-Identifier: MIT
 * A document of an encoder-decoder: each of its attentions is looked at, heads of all of
 * them are ablated, and a session brings it all back. */
#include "backend/cpu/hl-cpu.h"
#include "document-settle.h"
#include "model/hl-model-source.h"
#include "session/hl-session.h"
#include "trace/hl-tracer.h"

#include <glib/gstdio.h>
#include <math.h>

enum
{
  ENCODER,
  DECODER,
  CROSS,
};

typedef struct
{
  char *folder;
  char *path; /* of a session */
  HlDocument *document;
  int n_source;
  int n_target;
} Fixture;

static void
failed_cb (HlDocument *document, const char *summary, const char *details, gpointer data)
{
  g_error ("%s: %s", summary, details);
}

/* A session as the command line leaves it: seven tokens read, some more generated. */
static void
write_session (Fixture *f, const char *name)
{
  const gint32 ids[] = { 5, 6, 7, 8, 9, 10, 11 };
  g_autoptr (GError) error = NULL;
  g_autofree char *folder =
      g_test_build_filename (G_TEST_DIST, "golden", "models", name, NULL);
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, 1);
  g_autoptr (HlModel) model = hl_model_open (folder, &error);
  g_assert_no_error (error);
  const HlTextOptions plain = { 0 };
  g_autoptr (HlInput) begun =
      hl_model_open_source_ids (model, ids, G_N_ELEMENTS (ids), &plain, &error);
  g_assert_no_error (error);
  g_autoptr (HlInput) input = hl_model_complete (model, begun, backend, 4, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (HlTrace) trace = hl_tracer_run (model, input, backend, NULL, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (HlSession) session = hl_session_new ();
  hl_session_add_trace (session, trace);
  g_assert_true (hl_session_save (session, f->path, NULL, &error));
  g_assert_no_error (error);
  f->n_source = G_N_ELEMENTS (ids);
  f->n_target = (int) input->ids->shape.dim[1];
  g_assert_cmpint (f->n_target, !=, f->n_source);
}

static void
open (Fixture *f)
{
  g_clear_object (&f->document);
  f->document = hl_document_new ();
  g_signal_connect (f->document, "failed", G_CALLBACK (failed_cb), NULL);
  hl_document_open_session (f->document, f->path);
  document_settle (f->document);
  g_assert_nonnull (hl_document_get_summary (f->document));
}

static void
set_up (Fixture *f, gconstpointer name)
{
  f->folder = g_dir_make_tmp ("hl-stacks-XXXXXX", NULL);
  f->path = g_build_filename (f->folder, "s.h5", NULL);
  f->document = NULL;
  write_session (f, name);
  open (f);
}

static void
tear_down (Fixture *f, gconstpointer name)
{
  g_assert_finalize_object (f->document);
  g_unlink (f->path);
  g_rmdir (f->folder);
  g_free (f->path);
  g_free (f->folder);
}

static void
assert_looks_at (Fixture *f, int stack, int n_queries, int n_keys)
{
  HlTraceSummary *summary = hl_document_get_summary (f->document);
  gint64 Tq, Tk;
  HlHeadKey head = hl_selection_get_head (hl_document_get_selection (f->document));
  g_assert_cmpint (head.stack, ==, stack);
  g_assert_cmpint (hl_document_get_stack (f->document), ==, stack);
  g_assert_cmpint (summary->stack, ==, stack);
  g_assert_cmpint (hl_document_get_tokens (f->document)->n_tokens, ==, n_queries);
  g_assert_cmpint (hl_document_get_key_tokens (f->document)->n_tokens, ==, n_keys);
  g_assert_true (hl_attention_source_get_size (hl_document_get_source (f->document), head,
                                               &Tq, &Tk));
  g_assert_cmpint (Tq, ==, n_queries);
  g_assert_cmpint (Tk, ==, n_keys);
  for (int l = 0; l < summary->n_layers; l++)
    {
      g_assert_nonnull (summary->layers[l]);
      g_assert_true (summary->layers[l]->heads[0].stats.max > 0);
    }
}

static void
test_looks (Fixture *f, gconstpointer name)
{
  HlSelection *selection = hl_document_get_selection (f->document);
  assert_looks_at (f, CROSS, f->n_target, f->n_source);
  hl_selection_set_cell (selection, f->n_target - 1, 0);
  hl_selection_set_stack_head (selection, ENCODER, 0, 1);
  document_settle (f->document);
  assert_looks_at (f, ENCODER, f->n_source, f->n_source);
  /* Other tokens: what was brushed of the decoder's is none of the encoder's. */
  g_assert_cmpint (hl_selection_get_place (selection)->query, ==, -1);
  hl_selection_set_stack_head (selection, DECODER, 1, 0);
  document_settle (f->document);
  assert_looks_at (f, DECODER, f->n_target, f->n_target);
  hl_selection_undo (selection);
  document_settle (f->document);
  assert_looks_at (f, ENCODER, f->n_source, f->n_source);
  hl_selection_undo (selection);
  document_settle (f->document);
  assert_looks_at (f, CROSS, f->n_target, f->n_source);
  g_assert_cmpint (hl_selection_get_place (selection)->query, ==, f->n_target - 1);
}

static float
first_logit (Fixture *f)
{
  return hl_tensor_f32 (hl_document_get_trace (f->document)->logits)[0];
}

/* The same head of each stack, one after the other: three different models. */
static void
test_ablates (Fixture *f, gconstpointer name)
{
  static const char *const words[] = { "encoder head 0.1", "decoder head 0.1",
                                       "cross head 0.1" };
  HlSelection *selection = hl_document_get_selection (f->document);
  float logits[4] = { first_logit (f) };
  g_assert_true (hl_document_can_run (f->document));
  for (int s = 0; s < 3; s++)
    {
      hl_selection_set_stack_head (selection, s, 0, 1);
      g_assert_false (hl_selection_is_ablated (selection, 0, 1));
      hl_selection_toggle_ablated (selection, 0, 1);
      document_settle (f->document);
      const HlTrace *trace = hl_document_get_trace (f->document);
      g_assert_cmpuint (trace->interventions->len, ==, 1);
      g_assert_nonnull (strstr (g_ptr_array_index (trace->interventions, 0), words[s]));
      logits[s + 1] = first_logit (f);
      for (int k = 0; k <= s; k++)
        g_assert_cmpfloat (fabsf (logits[k] - logits[s + 1]), >, 1e-7f);
      hl_selection_toggle_ablated (selection, 0, 1);
      document_settle (f->document);
      g_assert_cmpfloat (first_logit (f), ==, logits[0]);
    }
}

/* Place, note and ablated head come back to the stack that they are of. */
static void
test_session (Fixture *f, gconstpointer name)
{
  HlSelection *selection = hl_document_get_selection (f->document);
  hl_selection_set_stack_head (selection, DECODER, 0, 1);
  hl_document_set_head_note (f->document, "looks", "at the source");
  hl_selection_toggle_ablated (selection, 0, 1);
  document_settle (f->document);
  hl_selection_set_stack_head (selection, CROSS, 1, 1);
  document_settle (f->document);
  hl_document_save (f->document, f->path);
  document_settle (f->document);
  open (f);
  selection = hl_document_get_selection (f->document);
  assert_looks_at (f, CROSS, f->n_target, f->n_source);
  guint n;
  const HlHeadKey *ablated = hl_selection_get_ablated (selection, &n);
  g_assert_cmpuint (n, ==, 1);
  g_assert_cmpint (ablated[0].stack, ==, DECODER);
  g_assert_false (hl_selection_is_ablated (selection, 0, 1));
  const HlHeadNotes *notes = hl_document_get_head_notes (f->document);
  g_assert_null (hl_head_notes_get (notes, (HlHeadKey){ CROSS, 0, 1 }));
  g_assert_nonnull (hl_head_notes_get (notes, (HlHeadKey){ DECODER, 0, 1 }));
}

/* Another model comes while heads of what was are still being summarised. */
static void
test_model_goes (Fixture *f, gconstpointer name)
{
  g_autofree char *other =
      g_test_build_filename (G_TEST_DIST, "golden", "models", "vit-tiny", NULL);
  HlSelection *selection = hl_document_get_selection (f->document);
  hl_selection_set_stack_head (selection, ENCODER, 0, 1);
  hl_selection_set_stack_head (selection, CROSS, 0, 1);
  hl_document_open_model (f->document, other);
  document_settle (f->document);
  g_assert_null (hl_document_get_trace (f->document));
  g_assert_null (hl_document_get_summary (f->document));
  g_assert_cmpint (hl_document_get_stack (f->document), ==, 0);
}

static void
note_failure_cb (HlDocument *document,
                 const char *summary,
                 const char *details,
                 char **to)
{
  g_free (*to);
  *to = g_strdup (details);
}

/* A text opens the other tower of a model that takes pictures, and a picture the first
 * again. This one has no tokenizer: the text itself is refused. */
static void
test_towers (void)
{
  g_autofree char *model =
      g_test_build_filename (G_TEST_DIST, "golden", "models", "clip-both", NULL);
  g_autofree char *picture = g_test_build_filename (G_TEST_DIST, "golden", "models",
                                                    "vit-tiny", "input.png", NULL);
  g_autofree char *text = g_build_filename (g_get_tmp_dir (), "hl-towers.txt", NULL);
  g_autofree char *failure = NULL;
  g_assert_true (g_file_set_contents (text, "a cat", -1, NULL));
  g_autoptr (HlDocument) document = hl_document_new ();
  g_signal_connect (document, "failed", G_CALLBACK (note_failure_cb), &failure);
  hl_document_open_model (document, model);
  document_settle (document);
  hl_document_open_input (document, picture);
  document_settle (document);
  g_assert_cmpstr (failure, ==, NULL);
  g_assert_cmpstr (hl_document_get_model_info (document)->input_kind, ==, "image");
  g_assert_nonnull (hl_document_get_trace (document));
  hl_document_open_input (document, text);
  document_settle (document);
  g_assert_cmpstr (hl_document_get_model_info (document)->input_kind, ==, "text");
  g_assert_nonnull (strstr (failure, "tokenizer.json"));
  g_clear_pointer (&failure, g_free);
  hl_document_open_input (document, picture);
  document_settle (document);
  g_assert_cmpstr (failure, ==, NULL);
  g_assert_cmpstr (hl_document_get_model_info (document)->input_kind, ==, "image");
  g_assert_nonnull (hl_document_get_trace (document));
  g_unlink (text);
}

int
main (int argc, char **argv)
{
  static const char *const models[] = { "t5-tiny", "bart-tiny" };
  g_test_init (&argc, &argv, NULL);
  g_setenv ("HEADLIGHT_PROGRAMS", PROGRAMS_FOLDER, TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (models); i++)
    {
      static const struct
      {
        const char *what;
        void (*func) (Fixture *, gconstpointer);
      } tests[] = { { "looks", test_looks },
                    { "ablates", test_ablates },
                    { "session", test_session },
                    { "model-goes", test_model_goes } };
      for (guint k = 0; k < G_N_ELEMENTS (tests); k++)
        {
          g_autofree char *path =
              g_strdup_printf ("/document-stacks/%s/%s", models[i], tests[k].what);
          g_test_add (path, Fixture, models[i], set_up, tests[k].func, tear_down);
        }
    }
  g_test_add_func ("/document-stacks/towers", test_towers);
  return g_test_run ();
}
