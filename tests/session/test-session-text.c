/* SPDX-License-Identifier: MIT
 * Sessions of texts: what only they have, there and back; predictions that are damaged;
 * sessions from before there were any. */
#include "session-fixture.h"

#include "backend/cpu/hl-cpu.h"
#include "base/hl-error.h"
#include "model/hl-model-text.h"
#include "golden-model.h"
#include "text-model.h"
#include "trace/hl-attention-source.h"
#include "trace/hl-tracer.h"

#include <hdf5.h>
#include <string.h>

#define PREDICTIONS "/traces/0/predictions/"

static HlTrace *
there_and_back (HlSession *session, const char *path, HlSession **again)
{
  g_autoptr (GError) error = NULL;
  hl_session_save (session, path, NULL, &error);
  g_assert_no_error (error);
  *again = hl_session_load_guarded (path, CHECK_SESSION, NULL, &error);
  g_assert_no_error (error);
  return hl_session_get_trace (*again, 0);
}

static void
test_made_up (void)
{
  g_autoptr (HlSession) session = fixture_text_session_new (), again = NULL, third = NULL;
  char *folder = fixture_folder_new ();
  g_autofree char *path = g_build_filename (folder, "s.h5", NULL);
  HlTrace *found = there_and_back (session, path, &again);
  fixture_assert_equal_trace (hl_session_get_trace (session, 0), found);
  g_assert_cmpint (found->model->n_vocab, ==, 264);
  g_assert_cmpint (hl_predictions_get_k (found->predictions), ==, 3);
  fixture_assert_equal_trace (found, there_and_back (again, path, &third));
  fixture_folder_free (folder);
}

/* Three stacks, of which one has keys of another: as maps, and as what they follow from.
 */
static void
test_towers (gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlModel) model = NULL;
  g_autoptr (HlInput) input = NULL;
  g_autoptr (HlSession) session = hl_session_new (), again = NULL;
  char *folder = fixture_folder_new ();
  g_autofree char *path = g_build_filename (folder, "s.h5", NULL);
  const HlTraceOptions options = { .maps = g_str_equal (data, "t5-tiny")
                                               ? HL_MAPS_RECOMPUTED
                                               : HL_MAPS_STORED };
  golden_open_model (data, &model, &input);
  input->text = g_strdup ("from");
  input->target_text = g_strdup ("to");
  input->n_real_frames = input->features != NULL ? 17 : 0;
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, 1);
  g_autoptr (HlTrace) trace =
      hl_tracer_run (model, input, backend, &options, NULL, &error);
  g_assert_no_error (error);
  hl_session_add_trace (session, trace);
  HlTrace *found = there_and_back (session, path, &again);
  fixture_assert_equal_trace (trace, found);
  g_assert_cmpint (hl_trace_get_key_tokens (found, 2)->n_tokens, ==,
                   hl_trace_get_tokens (found, 0)->n_tokens);
  gint64 Tq = 0, Tk = 0;
  g_autoptr (HlAttentionSource) source = hl_attention_source_new (found);
  g_assert_true (hl_attention_source_get_size (source, (HlHeadKey){ 2, 1, 2 }, &Tq, &Tk));
  g_assert_cmpint (Tq, ==, hl_trace_get_tokens (found, 1)->n_tokens);
  g_assert_cmpint (Tk, ==, hl_trace_get_tokens (found, 0)->n_tokens);
  fixture_folder_free (folder);
}

/* ---- of a model that was run ---------------------------------------------------------
 */

typedef struct
{
  char *folder;
  char *path;
  HlModel *model;
  HlInput *input;
  HlBackend *backend;
} Run;

/* A text with bytes that are no characters alone, and two tokens that were generated. */
static void
run_init (Run *run)
{
  g_autoptr (GError) error = NULL;
  const gint32 more[] = { TEXT_MODEL_AB, TEXT_MODEL_BYTE (0xff) };
  run->folder = text_model_folder_new ("llama");
  run->path = g_build_filename (run->folder, "s.h5", NULL);
  run->model = hl_model_open (run->folder, &error);
  g_assert_no_error (error);
  g_autoptr (HlInput) prompt =
      hl_model_open_text (run->model, NULL, "", "ab ab\xc3\xa9 abba", -1, NULL, &error);
  g_assert_no_error (error);
  run->input = hl_model_extend_text (run->model, prompt, more, 2, &error);
  g_assert_no_error (error);
  run->backend = hl_cpu_backend_new (HL_DTYPE_F32, 1);
}

static void
run_clear (Run *run)
{
  hl_model_unref (run->model);
  hl_input_unref (run->input);
  hl_backend_unref (run->backend);
  g_free (run->path);
  text_model_folder_free (run->folder);
}

static HlSession *
session_of (const Run *run, const HlTraceOptions *options)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlTrace) trace =
      hl_tracer_run (run->model, run->input, run->backend, options, NULL, &error);
  g_assert_no_error (error);
  HlSession *session = hl_session_new ();
  hl_session_add_trace (session, trace);
  return session;
}

static float *
map_of (const Run *run, HlTrace *trace, int layer, int head, gint64 *T)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlAttentionSource) source = hl_attention_source_new (trace);
  HlHeadKey key = { 0, layer, head };
  gint64 Tk = 0;
  g_assert_true (hl_attention_source_get_size (source, key, T, &Tk));
  g_assert_cmpint (*T, ==, Tk);
  float *map = g_new (float, (gsize) (*T * Tk));
  hl_attention_source_read_rect (source, run->backend, key, 0, *T, 0, Tk, map, NULL,
                                 &error);
  g_assert_no_error (error);
  return map;
}

/* Maps that follow from rotated queries and keys are the same numbers afterwards, and
 * those that were stored to begin with. */
static void
test_rotary (void)
{
  const HlTraceOptions kept = { .maps = HL_MAPS_RECOMPUTED };
  const HlTraceOptions stored = { .maps = HL_MAPS_STORED };
  Run run;
  run_init (&run);
  g_autoptr (HlSession) session = session_of (&run, &kept), again = NULL;
  g_autoptr (HlSession) whole = session_of (&run, &stored);
  HlTrace *before = hl_session_get_trace (session, 0);
  HlTrace *found = there_and_back (session, run.path, &again);
  fixture_assert_equal_trace (before, found);
  g_assert_nonnull (hl_trace_get_site (found, "blocks.1.attn.hook_rot_q"));
  g_assert_nonnull (hl_trace_get_site (found, "blocks.1.attn.hook_rot_k"));
  g_assert_null (hl_trace_get_site (found, "blocks.1.attn.hook_pattern"));
  g_assert_true (hl_trace_get_recipe (found, "blocks.1.attn")->is_rotary);
  for (int l = 0; l < TEXT_MODEL_LAYERS; l++)
    for (int h = 0; h < TEXT_MODEL_HEADS; h++)
      {
        gint64 T = 0;
        g_autofree float *a = map_of (&run, before, l, h, &T);
        g_autofree float *b = map_of (&run, found, l, h, &T);
        g_autofree float *c = map_of (&run, hl_session_get_trace (whole, 0), l, h, &T);
        g_assert_cmpint (T, ==, run.input->ids->shape.dim[1]);
        g_assert_cmpmem (a, sizeof *a * (gsize) (T * T), b, sizeof *b * (gsize) (T * T));
        for (gint64 i = 0; i < T * T; i++)
          g_assert_cmpfloat_with_epsilon (b[i], c[i], 1e-5F);
      }
  run_clear (&run);
}

/* What a model's run knows of its tokens and predictions. */
static void
test_traced (void)
{
  Run run;
  run_init (&run);
  g_autoptr (HlSession) session = session_of (&run, NULL), again = NULL;
  HlTrace *found = there_and_back (session, run.path, &again);
  fixture_assert_equal_trace (hl_session_get_trace (session, 0), found);
  const HlTokenTable *tokens = hl_trace_get_tokens (found, 0);
  const HlToken *last = &tokens->tokens[tokens->n_tokens - 1];
  gsize size = 0;
  g_assert_cmpstr (found->text, ==, "ab ab\xc3\xa9 abba");
  g_assert_cmpstr (found->input_kind, ==, "text");
  g_assert_cmpint (found->model->n_context, ==, TEXT_MODEL_CONTEXT);
  g_assert_cmpint (tokens->tokens[0].role, ==, HL_ROLE_SPECIAL);
  g_assert_cmpint (tokens->tokens[1].role, ==, HL_ROLE_PROMPT);
  g_assert_cmpint (last->role, ==, HL_ROLE_GENERATED);
  g_assert_cmpint (last->id, ==, TEXT_MODEL_BYTE (0xff));
  const guint8 *bytes = g_bytes_get_data (last->bytes, &size);
  g_assert_cmpuint (size, ==, 1);
  g_assert_cmpint (bytes[0], ==, 0xff);
  const HlPredictions *p = found->predictions;
  g_assert_cmpint (hl_predictions_get_length (p), ==, tokens->n_tokens);
  g_assert_cmpint (hl_predictions_get_k (p), ==, HL_PREDICTIONS_K);
  for (gint64 i = 0; i < hl_tensor_count (p->top_ids); i++)
    g_assert_nonnull (
        hl_predictions_get_text (p, ((const gint32 *) p->top_ids->data)[i]));
  run_clear (&run);
}

/* Captured before rotation, q and k give no map: the session must not make one up. */
static void
test_unrotated (void)
{
  static const char *const capture[] = { "*hook_q", "*hook_k", "*hook_lse", NULL };
  const HlTraceOptions options = { .maps = HL_MAPS_NONE, .capture = capture };
  Run run;
  gint64 Tq, Tk;
  run_init (&run);
  g_autoptr (HlSession) session = session_of (&run, &options), again = NULL;
  HlTrace *before = hl_session_get_trace (session, 0);
  HlTrace *found = there_and_back (session, run.path, &again);
  g_autoptr (HlAttentionSource) a = hl_attention_source_new (before);
  g_autoptr (HlAttentionSource) b = hl_attention_source_new (found);
  g_assert_nonnull (hl_trace_get_site (found, "blocks.0.attn.hook_q"));
  g_assert_false (hl_attention_source_get_size (a, (HlHeadKey){ 0, 0, 0 }, &Tq, &Tk));
  g_assert_false (hl_attention_source_get_size (b, (HlHeadKey){ 0, 0, 0 }, &Tq, &Tk));
  fixture_assert_equal_trace (before, found);
  run_clear (&run);
}

/* ---- damaged and old -----------------------------------------------------------------
 */

typedef struct
{
  char *folder;
  char *path;
  hid_t file; /* while it is being changed */
} Place;

static void
place_init (Place *place)
{
  g_autoptr (HlSession) session = fixture_text_session_new ();
  g_autoptr (GError) error = NULL;
  place->folder = fixture_folder_new ();
  place->path = g_build_filename (place->folder, "s.h5", NULL);
  hl_session_save (session, place->path, NULL, &error);
  g_assert_no_error (error);
  place->file = H5Fopen (place->path, H5F_ACC_RDWR, H5P_DEFAULT);
  g_assert_cmpint (place->file, >=, 0);
}

static void
place_clear (Place *place)
{
  fixture_folder_free (place->folder);
  g_free (place->path);
}

static void
delete_link (const Place *place, const char *name)
{
  g_assert_cmpint (H5Ldelete (place->file, name, H5P_DEFAULT), >=, 0);
}

/* Another array in the place of one: @rank sizes. */
static void
replace (const Place *place, const char *name, hid_t type, int rank, hsize_t a, hsize_t b)
{
  hsize_t dims[2] = { a, b };
  hid_t early = H5Pcreate (H5P_DATASET_CREATE);
  hid_t space = rank > 0 ? H5Screate_simple (rank, dims, NULL) : H5Screate (H5S_SCALAR);
  H5Pset_alloc_time (early, H5D_ALLOC_TIME_EARLY);
  delete_link (place, name);
  hid_t array =
      H5Dcreate2 (place->file, name, type, space, H5P_DEFAULT, early, H5P_DEFAULT);
  g_assert_cmpint (array, >=, 0);
  H5Dclose (array);
  H5Sclose (space);
  H5Pclose (early);
}

static void
assert_refused (Place *place, int code, const char *words)
{
  g_autoptr (GError) guarded = NULL, plain = NULL;
  H5Fclose (place->file);
  g_assert_null (hl_session_load_guarded (place->path, CHECK_SESSION, NULL, &guarded));
  g_assert_error (guarded, HL_ERROR, code);
  if (strstr (guarded->message, words) == NULL)
    g_error ("\"%s\" is not in: %s", words, guarded->message);
  g_assert_false (hl_session_check_file (place->path, &plain));
  g_assert_cmpstr (plain->message, ==, guarded->message);
  place_clear (place);
}

static void
test_missing (void)
{
  static const char *const names[] = { "next_id", "next_log_prob", "next_rank",
                                       "entropy", "top_id",        "top_log_prob" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *name = g_strconcat (PREDICTIONS, names[i], NULL);
      g_autofree char *words = g_strconcat (name, ": missing", NULL);
      Place place;
      place_init (&place);
      delete_link (&place, name);
      assert_refused (&place, HL_ERROR_MISSING, words);
    }
}

static void
test_wrong_shapes (void)
{
  const struct
  {
    const char *name;
    hid_t type;
    int rank;
    hsize_t a, b;
    HlErrorCode code;
    const char *words;
  } cases[] = {
    { "next_id", H5T_STD_I32LE, 1, 4, 0, HL_ERROR_SHAPE, "int32, 5 tokens expected" },
    { "entropy", H5T_IEEE_F32LE, 1, 6, 0, HL_ERROR_SHAPE, "float32 of shape [6] found" },
    { "entropy", H5T_IEEE_F32LE, 0, 0, 0, HL_ERROR_SHAPE, "5 tokens expected" },
    { "entropy", H5T_IEEE_F32LE, 2, 5, 1, HL_ERROR_SHAPE, "[5, 1] found" },
    { "entropy", H5T_IEEE_F64LE, 1, 5, 0, HL_ERROR_SHAPE, "float32, 5 tokens expected" },
    { "next_rank", H5T_STD_I64LE, 1, 5, 0, HL_ERROR_SHAPE, "int64 of shape [5] found" },
    { "next_log_prob", H5T_STD_I32LE, 1, 5, 0, HL_ERROR_SHAPE, "int32 of shape" },
    { "next_log_prob", H5T_IEEE_F32BE, 1, 5, 0, HL_ERROR_DTYPE, "big-endian" },
    { "top_id", H5T_STD_I32LE, 1, 5, 0, HL_ERROR_SHAPE, "by 1 to 10 expected" },
    { "top_id", H5T_STD_I32LE, 2, 5, 0, HL_ERROR_SHAPE, "[5, 0] found" },
    { "top_id", H5T_STD_I32LE, 2, 5, 11, HL_ERROR_SHAPE, "[5, 11] found" },
    { "top_id", H5T_STD_I32LE, 2, 3, 5, HL_ERROR_SHAPE, "[3, 5] found" },
    { "top_id", H5T_STD_I32LE, 2, 5, 4, HL_ERROR_SHAPE, "differ in width" },
    { "top_log_prob", H5T_STD_I32LE, 2, 5, 3, HL_ERROR_SHAPE, "float32, 5 tokens" },
    { "text_id", H5T_STD_I32LE, 1, 2, 0, HL_ERROR_SHAPE, "text_id: shape [3] expected" },
    { "text_id", H5T_IEEE_F32LE, 1, 3, 0, HL_ERROR_DTYPE, "text_id" },
    { "text", H5T_STD_I32LE, 1, 3, 0, HL_ERROR_DTYPE, "predictions/text" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *name = g_strconcat (PREDICTIONS, cases[i].name, NULL);
      Place place;
      place_init (&place);
      replace (&place, name, cases[i].type, cases[i].rank, cases[i].a, cases[i].b);
      assert_refused (&place, (int) cases[i].code, cases[i].words);
    }
}

static void
test_texts_and_ids (void)
{
  Place place;
  place_init (&place);
  delete_link (&place, PREDICTIONS "text_id");
  assert_refused (&place, HL_ERROR_MISSING, PREDICTIONS "text_id: missing");
  place_init (&place);
  delete_link (&place, PREDICTIONS "text");
  assert_refused (&place, HL_ERROR_MISSING, PREDICTIONS "text: missing");
  /* In the place of the group itself. */
  place_init (&place);
  replace (&place, "/traces/0/predictions", H5T_STD_I32LE, 1, 5, 0);
  assert_refused (&place, HL_ERROR_FORMAT, "/traces/0/predictions");
  place_init (&place);
  replace (&place, "/traces/0/input/text", H5T_STD_I32LE, 1, 5, 0);
  assert_refused (&place, HL_ERROR_DTYPE, "input/text");
  place_init (&place);
  replace (&place, "/traces/0/tokens/id", H5T_STD_I32LE, 1, 4, 0);
  assert_refused (&place, HL_ERROR_SHAPE, "tokens/id: shape [5] expected, [4] found");
}

/* Rotated queries without keys are no map; the recipe says which are meant. */
static void
test_half_a_rotation (void)
{
  static const char *const names[] = { "hook_rot_q", "hook_rot_k", "hook_lse" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *name =
          g_strconcat ("/traces/0/sites/blocks.1.attn.", names[i], NULL);
      g_autofree char *words = g_strconcat (name, ": missing", NULL);
      Place place;
      place_init (&place);
      delete_link (&place, name);
      /* Nor does anything else say what was there. */
      H5Adelete_by_name (place.file, "/traces/0", "captured", H5P_DEFAULT);
      assert_refused (&place, HL_ERROR_MISSING, words);
    }
}

/* Sessions of before: no predictions, ids, text, vocabulary; and what has no texts. */
static void
test_old (void)
{
  static const char *const attrs[] = { "n_vocab", "n_context", "input_kind", "revision" };
  g_autoptr (GError) error = NULL;
  Place place;
  place_init (&place);
  delete_link (&place, "/traces/0/predictions");
  delete_link (&place, "/traces/0/input");
  delete_link (&place, "/traces/0/tokens/id");
  for (guint i = 0; i < G_N_ELEMENTS (attrs); i++)
    g_assert_cmpint (H5Adelete_by_name (place.file, "/models/0", attrs[i], H5P_DEFAULT),
                     >=, 0);
  for (int l = 0; l < 2; l++)
    {
      g_autofree char *name = g_strdup_printf ("/traces/0/recipes/blocks.%d.attn", l);
      H5Adelete_by_name (place.file, name, "is_rotary", H5P_DEFAULT);
    }
  H5Fclose (place.file);
  g_autoptr (HlSession) session =
      hl_session_load_guarded (place.path, CHECK_SESSION, NULL, &error);
  g_assert_no_error (error);
  const HlTrace *trace = hl_session_get_trace (session, 0);
  g_assert_null (trace->predictions);
  g_assert_null (trace->text);
  g_assert_cmpint (hl_trace_get_tokens (trace, 0)->tokens[1].id, ==, -1);
  g_assert_cmpstr (hl_trace_get_tokens (trace, 0)->tokens[1].text, ==, "a");
  g_assert_cmpint (trace->model->n_vocab, ==, 0);
  g_assert_cmpint (trace->model->n_context, ==, 0);
  g_assert_cmpstr (trace->model->input_kind, ==, "");
  g_assert_cmpstr (trace->model->revision, ==, "");
  /* Rotated queries say it themselves. */
  g_assert_true (hl_trace_get_recipe (trace, "blocks.1.attn")->is_rotary);
  g_assert_false (hl_trace_get_recipe (trace, "blocks.0.attn")->is_rotary);
  place_clear (&place);
}

static void
test_without_texts (void)
{
  g_autoptr (GError) error = NULL;
  Place place;
  place_init (&place);
  delete_link (&place, PREDICTIONS "text");
  delete_link (&place, PREDICTIONS "text_id");
  H5Fclose (place.file);
  g_autoptr (HlSession) session =
      hl_session_load_guarded (place.path, CHECK_SESSION, NULL, &error);
  g_assert_no_error (error);
  const HlTrace *trace = hl_session_get_trace (session, 0);
  g_assert_cmpint (hl_predictions_get_length (trace->predictions), ==, 5);
  g_assert_null (hl_predictions_get_text (trace->predictions, 260));
  place_clear (&place);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/session-text/towers/stored", "whisper-tiny", test_towers);
  g_test_add_data_func ("/session-text/towers/recomputed", "t5-tiny", test_towers);
  g_test_add_func ("/session/text/made-up", test_made_up);
  g_test_add_func ("/session/text/rotary", test_rotary);
  g_test_add_func ("/session/text/traced", test_traced);
  g_test_add_func ("/session/text/unrotated", test_unrotated);
  g_test_add_func ("/session/text/missing", test_missing);
  g_test_add_func ("/session/text/wrong-shapes", test_wrong_shapes);
  g_test_add_func ("/session/text/texts-and-ids", test_texts_and_ids);
  g_test_add_func ("/session/text/half-a-rotation", test_half_a_rotation);
  g_test_add_func ("/session/text/old", test_old);
  g_test_add_func ("/session/text/without-texts", test_without_texts);
  return g_test_run ();
}
