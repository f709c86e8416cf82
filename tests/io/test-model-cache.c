/* SPDX-License-Identifier: MIT
 * The cache of downloads: where it is, what is in it, names and revisions, and files of
 * weights that are refused. */
#include "base/hl-hub.h"
#include "io-test.h"
#include "io/hl-weight-files.h"
#include "model/hl-family-nearest.h"
#include "model/hl-model-cache.h"
#include "model/hl-quantisation.h"

#include <sys/stat.h>

#define REV_A "aaaaaaa1111111111111111111111111111111aa"
#define REV_B "aaaaaaa2222222222222222222222222222222bb"
#define CONFIG "{\"model_type\": \"gpt2\"}"

static const char *const variables[] = { "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE",
                                         "HF_HOME", "XDG_CACHE_HOME" };

static void
remove_tree (const char *path)
{
  g_autoptr (GDir) dir =
      g_file_test (path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open (path, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *below = g_build_filename (path, name, NULL);
      remove_tree (below);
    }
  g_remove (path);
}

/* Writes @text to a path below @root whose folders are made. */
static void
put (const char *root, const char *relative, const char *text)
{
  g_autofree char *path = g_build_filename (root, relative, NULL);
  g_autofree char *folder = g_path_get_dirname (path);
  GError *error = NULL;
  g_assert_cmpint (g_mkdir_with_parents (folder, 0700), ==, 0);
  g_file_set_contents (path, text, -1, &error);
  g_assert_no_error (error);
}

static void
test_folder (void)
{
  static const char *const expected[] = { "/a", "/b", "/c/hub", "/d/huggingface/hub" };
  static const char *const values[] = { "/a", "/b", "/c", "/d" };
  for (guint i = 0; i < G_N_ELEMENTS (variables); i++)
    g_setenv (variables[i], values[i], TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (variables); i++)
    {
      g_autofree char *found = hl_hub_folder ();
      g_assert_cmpstr (found, ==, expected[i]);
      /* An empty one counts as none. */
      g_setenv (variables[i], "", TRUE);
    }
  g_autofree char *usual = hl_hub_folder ();
  g_autofree char *own =
      g_build_filename (g_get_home_dir (), ".cache", "huggingface", "hub", NULL);
  g_assert_cmpstr (usual, ==, own);
  g_setenv ("HF_HOME", "~/models", TRUE);
  g_autofree char *tilde = hl_hub_folder ();
  g_autofree char *home = g_build_filename (g_get_home_dir (), "models", "hub", NULL);
  g_assert_cmpstr (tilde, ==, home);
  g_unsetenv ("HF_HOME");
}

static void
test_names (void)
{
  const char *const bad[] = {
    "models--",    "models--..--x",   "models--a--..",  "a--b",        "models--a--b--c",
    "models--a b", "models--.hidden", "datasets--a--b", "models--\xff"
  };
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_null (hl_hub_repo_name (bad[i]));
  g_autofree char *two = hl_hub_repo_name ("models--org--na-me.1_x");
  g_autofree char *one = hl_hub_repo_name ("models--gpt2");
  g_assert_cmpstr (two, ==, "org/na-me.1_x");
  g_assert_cmpstr (one, ==, "gpt2");
  g_assert_true (hl_hub_could_be_name ("org/name@refs/pr/1"));
  const char *const wrong[] = { "a/b/c", "../a", "/a/b", "a/b@", "a/b@../x", "", "a//b" };
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    g_assert_false (hl_hub_could_be_name (wrong[i]));
}

static void
assert_found (const char *name, const char *revision)
{
  GError *error = NULL;
  g_autofree char *folder = hl_hub_find (name, &error);
  g_assert_no_error (error);
  g_assert_nonnull (folder);
  g_autofree char *base = g_path_get_basename (folder);
  g_assert_cmpstr (base, ==, revision);
}

static void
test_find (void)
{
  GError *error = NULL;
  char *cache = io_test_folder ();
  g_setenv ("HF_HUB_CACHE", cache, TRUE);
  put (cache, "models--o--n/snapshots/" REV_A "/config.json", CONFIG);
  put (cache, "models--o--n/snapshots/" REV_B "/config.json", CONFIG);
  put (cache, "models--o--n/refs/main", REV_B "\n");
  put (cache, "models--o--n/refs/refs/pr/1", REV_A);
  put (cache, "models--o--empty/refs/main", REV_A);
  assert_found ("o/n", REV_B);
  assert_found ("o/n@main", REV_B);
  assert_found ("o/n@refs/pr/1", REV_A);
  assert_found ("o/n@" REV_A, REV_A);
  assert_found ("o/n@aaaaaaa1", REV_A);
  g_autofree char *repo = g_build_filename (cache, "models--o--n", NULL);
  assert_found (repo, REV_B);
  g_assert_null (hl_hub_find ("o/n@aaaaaaa", &error)); /* begins both */
  io_test_assert_error (&error, HL_ERROR_MISSING, "o/n|\"aaaaaaa\"|" REV_B " (main)");
  g_assert_null (hl_hub_find ("o/n@v2", &error));
  io_test_assert_error (&error, HL_ERROR_MISSING, "\"v2\" expected|" REV_A " found");
  g_assert_null (hl_hub_find ("o/empty", &error));
  io_test_assert_error (&error, HL_ERROR_MISSING, "o/empty|none found");
  g_assert_null (hl_hub_find ("o/other", &error));
  g_assert_no_error (error);
  /* A ref that leads away is none; then the newest is taken. */
  put (cache, "models--o--n/refs/main", "../../../x");
  g_assert_null (hl_hub_find ("o/n@main", &error));
  io_test_assert_error (&error, HL_ERROR_MISSING, "\"main\" expected");
  remove_tree (cache);
  g_free (cache);
}

static void
assert_identified (const char *folder, const char *name, const char *revision)
{
  g_autofree char *found = NULL, *hash = NULL;
  hl_hub_identify (folder, &found, &hash);
  g_assert_cmpstr (found, ==, name);
  g_assert_cmpstr (hash, ==, revision);
}

static void
test_identify (void)
{
  assert_identified ("/x/models--o--n/snapshots/" REV_A, "o/n", REV_A);
  assert_identified ("/x/models--n/snapshots/" REV_A "/", "n", REV_A);
  assert_identified ("/x/models--o--n/snapshots/" REV_A "/text", "o/n/text", REV_A);
  assert_identified ("/x/models--o--n/other/" REV_A, NULL, "");
  assert_identified ("/x/snapshots/" REV_A, NULL, "");
  char *folder = io_test_folder ();
  put (folder, ".cache/huggingface/download/config.json.metadata",
       REV_A "\nffff\n1700000000.0\n");
  assert_identified (folder, NULL, REV_A);
  remove_tree (folder);
  g_free (folder);
}

/* ---- the list ------------------------------------------------------------------------
 */

static const HlCachedModel *
nth (GPtrArray *list, guint i, const char *name, const char *reason)
{
  g_assert_cmpuint (i, <, list->len);
  const HlCachedModel *model = g_ptr_array_index (list, i);
  g_test_message ("%s: %s", model->name, model->reason);
  g_assert_cmpstr (model->name, ==, name);
  if (reason == NULL)
    g_assert_null (model->reason);
  else
    g_assert_true (model->reason != NULL && strstr (model->reason, reason) != NULL);
  return model;
}

static void
test_list (void)
{
  GError *error = NULL;
  char *cache = io_test_folder ();
#define AT(repo) "models--" repo "/snapshots/" REV_A "/"
  put (cache, AT ("a--good") "config.json", CONFIG);
  put (cache, AT ("a--good") "model.safetensors", "0123456789");
  put (cache, "models--a--good/snapshots/" REV_B "/README.md", "no model");
  put (cache, "models--a--good/refs/main", REV_A);
  put (cache, AT ("b--shards") "config.json", CONFIG);
  put (cache, AT ("b--shards") "model.safetensors.index.json", "{}");
  put (cache, AT ("b--shards") "model-00001-of-00004.safetensors", "01");
  put (cache, AT ("b--shards") "model-00003-of-00004.safetensors", "012");
  put (cache, AT ("c--pickle") "config.json", CONFIG);
  put (cache, AT ("c--pickle") "pytorch_model-00001-of-00002.bin", "PK");
  put (cache, AT ("c--pickle") "pytorch_model-00002-of-00002.bin", "PK");
  put (cache, AT ("d--named") "config.json", CONFIG);
  put (cache, AT ("d--named") "model.safetensors.index.json", "{}");
  put (cache, AT ("d--named") "part-a.safetensors", "0123");
  put (
      cache, AT ("e--quantised") "config.json",
      "{\"model_type\": \"gpt2\", \"quantization_config\": {\"quant_method\": \"awq\"}}");
  put (cache, AT ("f--none") "README.md", "");
  put (cache, "models--..--x/snapshots/" REV_A "/config.json", CONFIG);
  g_autoptr (GPtrArray) list = hl_model_cache_list (cache, NULL, &error);
  g_assert_no_error (error);
  const HlCachedModel *good = nth (list, 0, "a/good", NULL);
  g_assert_cmpuint (good->size_bytes, ==, 10);
  g_assert_cmpstr (good->revision, ==, REV_A);
  g_assert_cmpstr (good->ref, ==, "main");
  g_assert_cmpstr (good->family_title, ==, "GPT-2");
  g_assert_cmpuint (nth (list, 1, "b/shards", "2 files of weights")->size_bytes, ==, 5);
  g_assert_cmpuint (nth (list, 2, "c/pickle", "run code")->size_bytes, ==, 4);
  g_assert_cmpuint (nth (list, 3, "d/named", NULL)->size_bytes, ==, 4);
  nth (list, 4, "e/quantised", "AWQ");
  nth (list, 5, "f/none", "no config.json");
  g_assert_cmpuint (list->len, ==, 6);
  remove_tree (cache);
  g_autoptr (GPtrArray) nothing = hl_model_cache_list (cache, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (nothing->len, ==, 0);
  g_free (cache);
}

static void
cancel_at_second_cb (double fraction, const char *what, gpointer data)
{
  const HlProgress *progress = data;
  if (fraction > 0)
    g_cancellable_cancel (progress->cancellable);
}

static void
test_cancel (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  char *cache = io_test_folder ();
  put (cache, AT ("a--x") "config.json", CONFIG);
  put (cache, AT ("b--x") "config.json", CONFIG);
  HlProgress progress = { .func = cancel_at_second_cb, .cancellable = cancellable };
  progress.func_data = &progress;
  g_assert_null (hl_model_cache_list (cache, &progress, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  remove_tree (cache);
  g_free (cache);
}

/* ---- what is refused -----------------------------------------------------------------
 */

static void
test_weight_files (void)
{
  static const struct
  {
    const char *name;
    HlWeightsKind kind;
    const char *words;
  } files[] = {
    { "pytorch_model.bin", HL_WEIGHTS_PICKLE, "run any code|weights_only=True" },
    { "x.pth", HL_WEIGHTS_PICKLE, "x.pth" },
    { "x.ckpt", HL_WEIGHTS_PICKLE, "state_dict" },
    { "pytorch_model.bin.index.json", HL_WEIGHTS_PICKLE, "'/pytorch_model-*.bin" },
    { "tf_model.h5", HL_WEIGHTS_TENSORFLOW, "a TensorFlow checkpoint" },
    { "flax_model.msgpack", HL_WEIGHTS_FLAX, "a Flax checkpoint" },
    { "x.gguf", HL_WEIGHTS_GGUF, "a GGUF file" },
    { "model.onnx", HL_WEIGHTS_ONNX, "an ONNX graph" },
    { "adapter_model.safetensors", HL_WEIGHTS_ADAPTER, "a LoRA adapter" },
    { "optimizer.pt", HL_WEIGHTS_NONE, NULL },
    { "training_args.bin", HL_WEIGHTS_NONE, NULL },
    { "dataset.bin", HL_WEIGHTS_NONE, NULL },
    { "config.json", HL_WEIGHTS_NONE, NULL },
  };
  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    {
      GError *error = NULL;
      char *folder = io_test_folder ();
      g_autofree char *path = io_test_write_text (folder, files[i].name, "PK\3\4");
      g_auto (HlWeightFiles) found = { 0 };
      hl_weight_files_look (folder, &found);
      g_test_message ("%s", files[i].name);
      g_assert_cmpint (found.kind, ==, files[i].kind);
      if (files[i].words != NULL)
        {
          hl_weights_refuse (path, files[i].kind, &error);
          io_test_assert_error (&error, HL_ERROR_UNSUPPORTED, files[i].words);
        }
      io_test_remove (folder);
    }
}

static void
test_quoting (void)
{
  GError *error = NULL;
  hl_weights_refuse ("/o'dd fol$der/a.bin", HL_WEIGHTS_PICKLE, &error);
  io_test_assert_error (
      &error, HL_ERROR_UNSUPPORTED,
      "'/o'\\''dd fol$der/model.safetensors' '/o'\\''dd fol$der/a.bin'");
  hl_weights_refuse ("/x/model.safetensors", HL_WEIGHTS_PICKLE, &error);
  g_assert_true (g_str_has_prefix (hl_weights_find_command (error->message), "python3 "));
  g_assert_null (hl_weights_find_command ("anything else"));
  io_test_assert_error (&error, HL_ERROR_UNSUPPORTED,
                        "'/x/converted.safetensors' '/x/model.safetensors'");
}

static void
assert_quantisation (const char *config, const char *expected)
{
  g_autoptr (json_t) json = json_loads (config, 0, NULL);
  g_autofree char *found = hl_quantisation_of_config (json);
  g_assert_cmpstr (found, ==, expected);
}

static void
test_quantisation (void)
{
#define Q(fields) "{\"quantization_config\": {" fields "}}"
  assert_quantisation ("{}", NULL);
  assert_quantisation ("{\"quantization_config\": null}", NULL);
  assert_quantisation (Q (""), NULL);
  assert_quantisation (Q ("\"quant_method\": \"gptq\", \"bits\": 4"), "GPTQ of 4 bits");
  assert_quantisation (Q ("\"quant_method\": \"bitsandbytes\", \"load_in_8bit\": true"),
                       "bitsandbytes of 8 bits");
  assert_quantisation (Q ("\"load_in_4bit\": true"), "bitsandbytes of 4 bits");
  assert_quantisation (Q ("\"quant_method\": \"bitsandbytes\", \"load_in_8bit\": false"),
                       NULL);
  assert_quantisation (Q ("\"quant_method\": \"compressed_tensors\""),
                       "compressed-tensors");
  assert_quantisation (Q ("\"quant_method\": \"new\""), "the method \"new\"");
  assert_quantisation ("{\"text_config\": " Q ("\"quant_method\": \"fp8\"") "}",
                       "float8");
}

static void
test_nearest (void)
{
  g_assert_cmpstr (hl_family_nearest_name ("gpt2_moe"), ==, "gpt2");
  g_assert_cmpstr (hl_family_nearest_name ("lama"), ==, "llama");
  g_assert_null (hl_family_nearest_name ("zzzzzzzzzzzzzzzzzz"));
  g_assert_null (hl_family_nearest_name (""));
  g_autoptr (json_t) config = json_loads ("{\"num_experts\": 60}", 0, NULL);
  g_autofree char *words = hl_family_describe_nearest ("gpt2_moe", config, NULL);
  g_assert_cmpstr (words, ==,
                   "nearest is gpt2 (GPT-2); it has num_experts 60 (a mixture of "
                   "experts)");
}

int
main (int argc, char **argv)
{
  for (guint i = 0; i < G_N_ELEMENTS (variables); i++)
    g_unsetenv (variables[i]);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cache/folder", test_folder);
  g_test_add_func ("/cache/names", test_names);
  g_test_add_func ("/cache/find", test_find);
  g_test_add_func ("/cache/identify", test_identify);
  g_test_add_func ("/cache/list", test_list);
  g_test_add_func ("/cache/cancel", test_cancel);
  g_test_add_func ("/cache/weight-files", test_weight_files);
  g_test_add_func ("/cache/quoting", test_quoting);
  g_test_add_func ("/cache/quantisation", test_quantisation);
  g_test_add_func ("/cache/nearest", test_nearest);
  return g_test_run ();
}
