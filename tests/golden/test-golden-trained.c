/* SPDX-License-Identifier: MIT
 * Trained models end to end: Whisper from a recording to what is said in it, MiniLM from
 * texts to vectors (minilm.json, made with the sentence-transformers library). They are
 * looked for in $HEADLIGHT_TEST_DATA, and all-MiniLM-L6-v2 in $HEADLIGHT_MINILM too. */
#include "analysis/hl-sentence.h"
#include "backend/cpu/hl-cpu.h"
#include "io/hl-json.h"
#include "model/hl-model-source.h"
#include "trace/hl-tracer.h"

#include <math.h>
#include <string.h>

#define SAID                                                                             \
  " And so my fellow Americans ask not what your country can do for you, ask what you "  \
  "can do for your country."

/* (transfer full) (nullable): skips with the reason where it is not there. */
static char *
find (const char *name)
{
  const char *data = g_getenv ("HEADLIGHT_TEST_DATA");
  g_autofree char *path = data != NULL ? g_build_filename (data, name, NULL) : NULL;
  if (path != NULL && g_file_test (path, G_FILE_TEST_EXISTS))
    return g_steal_pointer (&path);
  g_autofree char *why =
      data != NULL ? g_strdup_printf ("HEADLIGHT_TEST_DATA has no %s", name)
                   : g_strdup ("HEADLIGHT_TEST_DATA is not set: no trained model");
  g_test_skip (why);
  return NULL;
}

static void
test_whisper (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = find ("models/whisper-base.en");
  g_autofree char *path = folder != NULL ? find ("audio/jfk.wav") : NULL;
  if (path == NULL)
    return;
  g_autoptr (HlModel) model = hl_model_open (folder, &error);
  g_assert_no_error (error);
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, 2);
  g_autoptr (HlInput) begun = hl_model_open_audio (model, path, 0, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (begun->n_real_frames, ==, 1100); /* 11 s */
  g_autoptr (HlInput) input = hl_model_complete (model, begun, backend, 60, NULL, &error);
  g_assert_no_error (error);
  HlTokenizer *tokenizer = hl_model_get_tokenizer (model, &error);
  gsize length = 0;
  g_autofree char *text =
      hl_tokenizer_decode (tokenizer, input->ids->data,
                           (gsize) hl_tensor_count (input->ids), TRUE, &length, NULL);
  g_assert_cmpstr (text, ==, SAID);
  /* The text as a target gives the same tokens, and no second window is there. */
  const HlTextOptions options = { .target = SAID };
  g_autoptr (HlInput) forced =
      hl_model_open_audio (model, path, 0, &options, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (forced->ids->data, hl_tensor_size_bytes (forced->ids),
                   input->ids->data, hl_tensor_size_bytes (input->ids));
  g_assert_null (hl_model_open_audio (model, path, 1, NULL, NULL, &error));
}

static char *
find_minilm (void)
{
  const char *own = g_getenv ("HEADLIGHT_MINILM");
  return own != NULL ? g_strdup (own) : find ("models/all-MiniLM-L6-v2");
}

static HlTensor *
embed (const HlModel *model,
       const HlTextPooling *pooling,
       HlBackend *backend,
       const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *words = NULL;
  const HlTextOptions options = { .n_tokens = hl_text_pooling_get_max_tokens (pooling) };
  g_autoptr (HlInput) input =
      hl_model_open_text (model, NULL, "", text, -1, &options, &error);
  g_assert_no_error (error);
  HlTensor *x =
      hl_sentence_embed (model, pooling, TRUE, input, backend, NULL, &words, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (words, ==, "mean of the tokens, normalised");
  return x;
}

static void
test_minilm (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = find_minilm ();
  g_autofree char *path =
      g_test_build_filename (G_TEST_DIST, "golden", "minilm.json", NULL);
  if (folder == NULL)
    return;
  g_autoptr (json_t) wanted = hl_json_load_file (path, &error);
  g_assert_no_error (error);
  g_autoptr (HlModel) model = hl_model_open (folder, &error);
  g_assert_no_error (error);
  gboolean has_modules = FALSE;
  g_autoptr (HlTextPooling) pooling = hl_text_pooling_open (folder, &has_modules, &error);
  g_assert_no_error (error);
  g_assert_true (has_modules);
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, 2);
  const json_t *texts = json_object_get (wanted, "texts");
  gsize n = json_array_size (texts);
  g_autoptr (GPtrArray) found =
      g_ptr_array_new_with_free_func ((GDestroyNotify) hl_tensor_unref);
  g_autoptr (GString) longest = g_string_new (NULL);
  for (int i = 0; i < 400; i++)
    g_string_append (longest, "word ");
  for (gsize i = 0; i < n; i++)
    {
      const char *text = json_string_value (json_array_get (texts, i));
      HlTensor *x = embed (model, pooling, backend, i + 1 < n ? text : longest->str);
      g_ptr_array_add (found, x);
      const json_t *first = json_array_get (json_object_get (wanted, "first"), i);
      for (gsize k = 0; k < json_array_size (first); k++)
        g_assert_cmpfloat_with_epsilon ((double) hl_tensor_f32 (x)[k],
                                        json_number_value (json_array_get (first, k)),
                                        2e-6);
      const json_t *row = json_array_get (json_object_get (wanted, "cosines"), i);
      for (gsize k = 0; k <= i; k++)
        g_assert_cmpfloat_with_epsilon (
            hl_sentence_cosine (x, g_ptr_array_index (found, k)),
            json_number_value (json_array_get (row, k)), 2e-6);
    }
  /* Two ways to say one thing are nearer than what has nothing to do with it. */
  g_assert_cmpfloat (
      hl_sentence_cosine (g_ptr_array_index (found, 0), g_ptr_array_index (found, 1)), >,
      0.5 + hl_sentence_cosine (g_ptr_array_index (found, 0),
                                g_ptr_array_index (found, 2)));
}

/* ---- pooling by hand -----------------------------------------------------------------
 */

static void
write_file (const char *folder, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *above = g_path_get_dirname (path);
  g_mkdir_with_parents (above, 0700);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

#define MODULES(more)                                                                    \
  "[{\"type\": \"a.b.Transformer\", \"path\": \"\"}, "                                   \
  "{\"type\": \"a.Pooling\", \"path\": \"1_Pooling\"}" more "]"

static HlTensor *
pool_with (const char *folder, const char *mode, const char *modules)
{
  static const float rows[4][2] = { { 1, -2 }, { 3, 0 }, { 2, 5 }, { 100, 100 } };
  g_autoptr (GError) error = NULL;
  g_autofree char *config = g_strdup_printf ("{\"%s\": true}", mode);
  write_file (folder, "modules.json", modules);
  write_file (folder, "1_Pooling/config.json", config);
  gboolean found = FALSE;
  g_autoptr (HlTextPooling) pooling = hl_text_pooling_open (folder, &found, &error);
  g_assert_no_error (error);
  g_autoptr (HlTensor) x = hl_tensor_new_copy (HL_DTYPE_F32, HL_SHAPE (4, 2), rows);
  g_autoptr (HlTokenTable) tokens = hl_token_table_new (4);
  tokens->tokens[3].role = HL_ROLE_PADDING;
  HlTensor *out = hl_text_pooling_run (pooling, x, tokens, &error);
  g_assert_no_error (error);
  return out;
}

static void
test_pooling (void)
{
  const struct
  {
    const char *mode;
    double wanted[2];
  } cases[] = {
    { "pooling_mode_cls_token", { 1, -2 } },
    { "pooling_mode_mean_tokens", { 2, 1 } },
    { "pooling_mode_max_tokens", { 3, 5 } },
    { "pooling_mode_mean_sqrt_len_tokens",
      { 6 / 1.7320508075688772, 3 / 1.7320508075688772 } },
    { "pooling_mode_weightedmean_tokens", { 13 / 6.0, 13 / 6.0 } },
    { "pooling_mode_lasttoken", { 2, 5 } },
  };
  g_autofree char *folder = g_dir_make_tmp ("headlight-pooling-XXXXXX", NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (HlTensor) x = pool_with (folder, cases[i].mode, MODULES (""));
      for (int d = 0; d < 2; d++)
        g_assert_cmpfloat_with_epsilon ((double) hl_tensor_f32 (x)[d], cases[i].wanted[d],
                                        1e-6);
    }
  g_autoptr (HlTensor) unit =
      pool_with (folder, "pooling_mode_mean_tokens",
                 MODULES (", {\"type\": \"Normalize\", \"path\": \"2_Normalize\"}"));
  g_assert_cmpfloat_with_epsilon ((double) hl_tensor_f32 (unit)[0], 2 / sqrt (5), 1e-6);
}

static void
test_pooling_refused (void)
{
  static const char *const cases[][2] = {
    { MODULES (", {\"type\": \"x.CNN\", \"path\": \"2\"}"), "CNN" },
    { MODULES (", {\"type\": \"Dense\", \"path\": \"../2\"}"), "below its folder" },
    { MODULES (", {\"type\": \"Dense\", \"path\": \"2_Dense\"}"), "2_Dense" },
    { "[", "modules.json" },
  };
  g_autofree char *folder = g_dir_make_tmp ("headlight-pooling-XXXXXX", NULL);
  write_file (folder, "1_Pooling/config.json", "{\"pooling_mode_mean_tokens\": true}");
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      gboolean found = FALSE;
      write_file (folder, "modules.json", cases[i][0]);
      g_assert_null (hl_text_pooling_open (folder, &found, &error));
      g_assert_nonnull (error);
      g_assert_nonnull (strstr (error->message, cases[i][1]));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/trained/whisper", test_whisper);
  g_test_add_func ("/trained/minilm", test_minilm);
  g_test_add_func ("/trained/pooling", test_pooling);
  g_test_add_func ("/trained/pooling-refused", test_pooling_refused);
  return g_test_run ();
}
