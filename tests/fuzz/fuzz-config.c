/* SPDX-License-Identifier: MIT
 * Fuzz target: a config.json of any bytes beside the weights of a small model opens or is
 * refused with a message; what opens has the heads that it says and can be run. */
#include "fuzz.h"

#include "backend/cpu/hl-cpu.h"
#include "base/hl-error.h"
#include "model/hl-model-source.h"
#include "trace/hl-tracer.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* A run of a model of 50,000 numbers; a configuration that asks for more is no reason to
 * take it. */
#define MEMORY_BYTES ((gsize) 64 << 20)
/* Above what the program has at its start; a sanitizer takes its own measure. */
#define ROOM_BYTES ((rlim_t) 512 << 20)

/* A model of each kind of weights; its configuration names it. */
static const char *const families[] = {
  "vit-tiny",        "gpt2-tiny",         "llama-tiny",    "bert-masked",
  "roberta-classes", "distilbert-masked", "albert-masked", "mpnet-masked",
  "deit-teacher",    "dinov2-registers",  "clip-both",     "siglip-both",
  "mistral-tiny",    "qwen2-tiny",        "qwen3-tiny",    "gemma2-tiny",
  "gemma3-tiny",     "phi3-tiny",         "olmo2-tiny",    "smollm3-tiny",
  "gpt-neox-tiny",   "opt-tiny",          "t5-gated",      "bart-tiny",
  "marian-tiny",     "whisper-tiny",
};

/* A folder of this process with one family's weights. */
static char *
folder_of (const char *name)
{
  g_autofree char *folder = g_strdup_printf ("%s/hl-fuzz-config-%d-%s", g_get_tmp_dir (),
                                             (int) getpid (), name);
  g_autofree char *weights = g_build_filename (folder, "model.safetensors", NULL);
  if (g_file_test (weights, G_FILE_TEST_EXISTS))
    return g_steal_pointer (&folder);
  g_autofree char *from =
      g_build_filename (GOLDEN_MODELS, name, "model.safetensors", NULL);
  g_autofree char *data = NULL;
  gsize size = 0;
  g_assert_true (g_file_get_contents (from, &data, &size, NULL));
  g_assert_cmpint (g_mkdir_with_parents (folder, 0700), ==, 0);
  g_assert_true (g_file_set_contents (weights, data, (gssize) size, NULL));
  return g_steal_pointer (&folder);
}

static void
remove_folders (void)
{
  static const char *const files[] = { "config.json", "model.safetensors" };
  for (guint i = 0; i < G_N_ELEMENTS (families); i++)
    {
      g_autofree char *folder = g_strdup_printf (
          "%s/hl-fuzz-config-%d-%s", g_get_tmp_dir (), (int) getpid (), families[i]);
      for (guint k = 0; k < G_N_ELEMENTS (files); k++)
        {
          g_autofree char *path = g_build_filename (folder, files[k], NULL);
          g_unlink (path);
        }
      g_rmdir (folder);
    }
}

/* An allocation by a size out of the file then fails, and with it this program. */
static void
limit_memory (void)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__clang__)
  g_autofree char *text = NULL;
  if (!g_file_get_contents ("/proc/self/statm", &text, NULL, NULL))
    return;
  rlim_t now =
      (rlim_t) g_ascii_strtoull (text, NULL, 10) * (rlim_t) sysconf (_SC_PAGESIZE);
  struct rlimit limit = { now + ROOM_BYTES, now + ROOM_BYTES };
  setrlimit (RLIMIT_AS, &limit);
#endif
}

static void
check_error (const GError *error)
{
  g_assert_nonnull (error);
  if (error->domain != HL_ERROR)
    g_error ("an error of this program expected, found: %s", error->message);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
}

static void
check_stack (const HlStack *stack)
{
  g_assert_cmpint (stack->n_layers, >, 0);
  for (int l = 0; l < stack->n_layers; l++)
    {
      const HlLayerInfo *layer = &stack->layers[l];
      g_assert_cmpint (layer->n_heads, >, 0);
      g_assert_cmpint (layer->n_kv_heads, >, 0);
      g_assert_cmpint (layer->head_width, >, 0);
      g_assert_cmpint (layer->n_heads % layer->n_kv_heads, ==, 0);
    }
}

static void
check_info (const HlModelInfo *info)
{
  g_assert_cmpuint (info->stacks->len, >, 0);
  g_assert_cmpint (info->readout_stack, <, (int) info->stacks->len);
  for (guint s = 0; s < info->stacks->len; s++)
    check_stack (hl_model_info_get_stack (info, (int) s));
  g_assert_cmpint (info->width, >, 0);
}

/* Three tokens, or as many as the context holds: shapes fit where they were accepted. */
static void
run (const HlModel *model, HlBackend *backend)
{
  static const gint32 ids[] = { 1, 5, 2 };
  g_autoptr (GError) error = NULL;
  const HlModelInfo *info = hl_model_get_info (model);
  const HlTraceOptions options = { .memory_limit_bytes = MEMORY_BYTES };
  const HlTextOptions plain = { 0 };
  int n_context = info->n_source_context > 0 ? info->n_source_context : info->n_context;
  if (g_strcmp0 (info->input_kind, "text") != 0)
    return;
  g_autoptr (HlInput) input =
      hl_model_open_source_ids (model, ids, MIN (3, n_context), &plain, &error);
  if (input == NULL)
    {
      check_error (error); /* a vocabulary of two, a start that is none of its tokens */
      return;
    }
  g_autoptr (HlTrace) trace =
      hl_tracer_run (model, input, backend, &options, NULL, &error);
  if (trace == NULL)
    {
      check_error (error);
      return;
    }
  if (info->predicts == HL_PREDICTS_NEXT)
    g_assert_cmpint (hl_tensor_count (trace->logits), ==, info->n_vocab);
}

static HlBackend *
backend (void)
{
  static HlBackend *cpu;
  if (cpu == NULL)
    {
      cpu = hl_cpu_backend_new (HL_DTYPE_F32, 1);
      atexit (remove_folders);
      limit_memory ();
    }
  return cpu;
}

/* The family that the bytes name: the longest of those that are in them. */
static const char *
family_of (const guint8 *data, gsize size)
{
  static const char *const words[] = {
    "\"vit\"",         "\"gpt2\"",
    "\"llama\"",       "\"bert\"",
    "\"roberta\"",     "\"distilbert\"",
    "\"albert\"",      "\"mpnet\"",
    "\"deit\"",        "\"dinov2_with_registers\"",
    "\"clip\"",        "\"siglip\"",
    "\"mistral\"",     "\"qwen2\"",
    "\"qwen3\"",       "\"gemma2\"",
    "\"gemma3_text\"", "\"phi3\"",
    "\"olmo2\"",       "\"smollm3\"",
    "\"gpt_neox\"",    "\"opt\"",
    "\"t5\"",          "\"bart\"",
    "\"marian\"",      "\"whisper\"",
  };
  G_STATIC_ASSERT (G_N_ELEMENTS (words) == G_N_ELEMENTS (families));
  for (guint i = 0; size > 0 && i < G_N_ELEMENTS (words); i++)
    if (g_strstr_len ((const char *) data, (gssize) size, words[i]) != NULL)
      return families[i];
  return families[2];
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GError) error = NULL;
  HlBackend *cpu = backend ();
  g_autofree char *folder = folder_of (family_of (data, size));
  g_autofree char *path = g_build_filename (folder, "config.json", NULL);
  g_assert_true (g_file_set_contents_full (path, (const char *) data, (gssize) size,
                                           G_FILE_SET_CONTENTS_NONE, 0600, NULL));
  g_autoptr (HlModel) model = hl_model_open (folder, &error);
  g_unlink (path); /* written in place the next time, a longer one would show through */
  g_assert_true ((model != NULL) == (error == NULL));
  if (model == NULL)
    {
      check_error (error);
      return 0;
    }
  check_info (hl_model_get_info (model));
  run (model, cpu);
  return 0;
}

static void
add_seed (GPtrArray *seeds, const char *name)
{
  g_autofree char *path = g_build_filename (GOLDEN_MODELS, name, "config.json", NULL);
  char *text = NULL;
  gsize size = 0;
  g_assert_true (g_file_get_contents (path, &text, &size, NULL));
  g_ptr_array_add (seeds, g_bytes_new_take (text, size));
}

/* The smallest llama with other positions; @more goes into its "rope_scaling". */
static void
add_llama (GPtrArray *seeds, const char *geometry, const char *more)
{
  char *text = g_strdup_printf (
      "{\"model_type\": \"llama\", \"hidden_size\": 32, \"intermediate_size\": 72, "
      "\"num_attention_heads\": %s, \"vocab_size\": 97, \"rms_norm_eps\": 1e-05, "
      "\"max_position_embeddings\": 64, \"rope_theta\": 10000.0, "
      "\"tie_word_embeddings\": "
      "false, \"eos_token_id\": [2, 3], \"rope_scaling\": %s}",
      geometry, more);
  g_ptr_array_add (seeds, g_bytes_new_take (text, strlen (text)));
}

GPtrArray *
fuzz_seeds (void)
{
  static const char *const scalings[] = {
    "{\"type\": \"linear\", \"factor\": 2.0}",
    "{\"rope_type\": \"dynamic\", \"factor\": 4.0}",
    "{\"rope_type\": \"dynamic\", \"factor\": 1e-9}",
    "{\"rope_type\": \"yarn\", \"factor\": 4.0, \"beta_fast\": 32, \"beta_slow\": 1, "
    "\"mscale\": 0.7, \"mscale_all_dim\": 0.7, \"truncate\": false, "
    "\"original_max_position_embeddings\": 16}",
    "{\"rope_type\": \"llama3\", \"factor\": 8.0, \"low_freq_factor\": 1.0, "
    "\"high_freq_factor\": 4.0, \"original_max_position_embeddings\": 32}",
    "{\"rope_type\": \"longrope\", \"short_factor\": [1, 1, 1.5, 2], \"long_factor\": "
    "[1, 2, 3, 4.5], \"original_max_position_embeddings\": 2}",
  };
  static const char *const heads = "4, \"num_hidden_layers\": 3, \"head_dim\": 8";
  GPtrArray *seeds = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  for (guint i = 0; i < G_N_ELEMENTS (families); i++)
    add_seed (seeds, families[i]);
  for (guint i = 0; i < G_N_ELEMENTS (scalings); i++)
    add_llama (seeds, heads, scalings[i]);
  /* As much of everything as is let through by itself. */
  add_llama (seeds, "65536, \"num_hidden_layers\": 4096, \"head_dim\": 65536", "null");
  add_llama (seeds, "65536, \"num_hidden_layers\": 4096, \"head_dim\": 2", "null");
  add_llama (seeds, "1, \"num_hidden_layers\": 1, \"head_dim\": 65536", scalings[5]);
  return seeds;
}
