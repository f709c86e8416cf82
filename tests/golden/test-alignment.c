/* SPDX-License-Identifier: MIT
 * Times of what a decoder says against NumPy's on the reference library's maps
 * (make-alignment.py); on a trained Whisper how far heads agree. */
#include "analysis/hl-alignment.h"
#include "analysis/hl-monotonicity.h"
#include "backend/cpu/hl-cpu.h"
#include "base/hl-error.h"
#include "golden-model.h"
#include "io/hl-json.h"
#include "model/hl-model-source.h"
#include "trace/hl-tracer.h"

#include <math.h>

static json_t *reference;

static HlAlignment *
align (const HlModel *model, HlInput *input, HlAlignmentHeads heads)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, 2);
  g_autoptr (HlTrace) trace = hl_tracer_run (model, input, backend, NULL, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (HlAttentionSource) source = hl_attention_source_new (trace);
  HlAlignment *alignment =
      hl_alignment_make (model, source, backend, heads, NULL, &error);
  g_assert_no_error (error);
  return alignment;
}

static void
check_times (const HlAlignment *found, const json_t *wanted)
{
  g_assert_cmpint (found->tokens->len, ==, json_array_size (wanted));
  for (guint i = 0; i < found->tokens->len; i++)
    {
      const HlAlignedToken *token = &g_array_index (found->tokens, HlAlignedToken, i);
      double begin = json_number_value (json_array_get (wanted, i));
      g_assert_cmpint (token->token, ==, (int) i + 1);
      g_assert_cmpfloat (token->start, ==, begin);
      if (i + 1 < found->tokens->len)
        g_assert_cmpfloat (token->end, ==,
                           json_number_value (json_array_get (wanted, i + 1)));
    }
}

static void
test_golden (gconstpointer data)
{
  const json_t *about = json_array_get (reference, GPOINTER_TO_UINT (data));
  g_autoptr (HlModel) model = NULL;
  g_autoptr (HlInput) input = NULL;
  golden_open_model (json_string_value (json_object_get (about, "model")), &model,
                     &input);
  g_autoptr (HlAlignment) all = align (model, input, HL_ALIGNMENT_ALL);
  check_times (all, json_object_get (about, "all"));
  /* It names none. */
  g_autoptr (HlAlignment) chosen = align (model, input, HL_ALIGNMENT_NAMED);
  const json_t *heads = json_object_get (about, "heads");
  g_assert_false (chosen->is_named);
  g_assert_cmpint (chosen->heads->len, ==, json_array_size (heads));
  for (guint i = 0; i < chosen->heads->len; i++)
    {
      HlHeadKey key = g_array_index (chosen->heads, HlHeadKey, i);
      const json_t *pair = json_array_get (heads, i);
      g_assert_cmpint (key.stack, ==, 2);
      g_assert_cmpint (key.layer, ==, json_integer_value (json_array_get (pair, 0)));
      g_assert_cmpint (key.head, ==, json_integer_value (json_array_get (pair, 1)));
    }
  check_times (chosen, json_object_get (about, "monotone"));
}

static void
test_warp (void)
{
  const double cost[3][4] = { { 0, 0, 9, 9 }, { 9, 9, 0, 9 }, { 9, 9, 9, 0 } };
  g_autofree int *first = hl_alignment_warp (&cost[0][0], 3, 4);
  g_assert_cmpint (first[0], ==, 0);
  g_assert_cmpint (first[1], ==, 2);
  g_assert_cmpint (first[2], ==, 3);
  const double one = 5;
  g_autofree int *single = hl_alignment_warp (&one, 1, 1);
  g_assert_cmpint (single[0], ==, 0);
  /* More rows than keys: some share one. */
  const double tall[3][1] = { { 1 }, { 2 }, { 3 } };
  g_autofree int *shared = hl_alignment_warp (&tall[0][0], 3, 1);
  g_assert_cmpint (shared[2], ==, 0);
}

static void
test_refused (void)
{
  g_autoptr (HlModel) model = NULL;
  g_autoptr (HlInput) input = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, 2);
  golden_open_model ("gpt2-tiny", &model, &input);
  g_autoptr (HlTrace) trace = hl_tracer_run (model, input, backend, NULL, NULL, &error);
  g_autoptr (HlAttentionSource) source = hl_attention_source_new (trace);
  g_assert_null (
      hl_alignment_make (model, source, backend, HL_ALIGNMENT_ALL, NULL, &error));
  g_assert_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED);
}

/* Frames of the reference library's maps. Keys with nearly the same cost may change places
 * where a map was rounded otherwise, by one frame. */
static void
check_frames (const HlAlignment *found, const char *name)
{
  g_autofree char *path =
      g_test_build_filename (G_TEST_DIST, "golden", "alignment-jfk.json", NULL);
  json_t *about = json_load_file (path, 0, NULL);
  const json_t *wanted = json_object_get (about, name);
  g_assert_cmpint (found->tokens->len, ==, json_array_size (wanted));
  for (guint i = 0; i < found->tokens->len; i++)
    {
      double frame = json_number_value (json_array_get (wanted, i));
      double start = g_array_index (found->tokens, HlAlignedToken, i).start;
      g_assert_cmpfloat_with_epsilon (start, frame * 0.02, 0.021);
    }
  json_decref (about);
}

/* Of a trained Whisper all heads together say nearly what its alignment heads say. */
static void
test_whisper (void)
{
  const char *data = g_getenv ("HEADLIGHT_TEST_DATA");
  g_autofree char *folder =
      g_build_filename (data != NULL ? data : "", "models", "whisper-base.en", NULL);
  g_autofree char *sound =
      g_build_filename (data != NULL ? data : "", "audio", "jfk.wav", NULL);
  g_autoptr (GError) error = NULL;
  if (data == NULL || !g_file_test (folder, G_FILE_TEST_IS_DIR))
    {
      g_test_skip ("no models/whisper-base.en in HEADLIGHT_TEST_DATA");
      return;
    }
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, 2);
  g_autoptr (HlModel) model = hl_model_open (folder, &error);
  g_assert_no_error (error);
  g_autoptr (HlInput) begun = hl_model_open_audio (model, sound, 0, NULL, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (HlInput) input = hl_model_complete (model, begun, backend, 60, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (HlAlignment) named = align (model, input, HL_ALIGNMENT_NAMED);
  g_autoptr (HlAlignment) all = align (model, input, HL_ALIGNMENT_ALL);
  g_autoptr (HlAlignment) chosen = align (model, input, HL_ALIGNMENT_MONOTONE);
  g_assert_true (named->is_named);
  g_assert_cmpint (named->heads->len, ==, 5);
  check_frames (named, "named");
  check_frames (all, "all");
  check_frames (chosen, "steady");
  guint n = named->tokens->len, near = 0, near_chosen = 0;
  for (guint i = 0; i < n; i++)
    {
      double wanted = g_array_index (named->tokens, HlAlignedToken, i).start;
      double here = g_array_index (all->tokens, HlAlignedToken, i).start;
      double mine = g_array_index (chosen->tokens, HlAlignedToken, i).start;
      near += fabs (here - wanted) <= 0.3;
      near_chosen += fabs (mine - wanted) <= 0.3;
    }
  g_test_message ("within 0.3 s of the alignment heads: all heads %u of %u, chosen %u",
                  near, n, near_chosen);
  g_assert_cmpfloat ((double) near, >=, 0.8 * n);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_autofree char *path =
      g_test_build_filename (G_TEST_DIST, "golden", "alignment.json", NULL);
  reference = json_load_file (path, 0, NULL);
  g_assert_true (json_is_array (reference));
  for (guint i = 0; i < json_array_size (reference); i++)
    {
      const json_t *about = json_array_get (reference, i);
      g_autofree char *name = g_strdup_printf (
          "/alignment/%s", json_string_value (json_object_get (about, "model")));
      g_test_add_data_func (name, GUINT_TO_POINTER (i), test_golden);
    }
  g_test_add_func ("/alignment/warp", test_warp);
  g_test_add_func ("/alignment/refused", test_refused);
  g_test_add_func ("/alignment/whisper", test_whisper);
  int status = g_test_run ();
  json_decref (reference);
  return status;
}
