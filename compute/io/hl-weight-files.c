/* SPDX-License-Identifier: MIT
 * Which files of weights there are, and why some are refused. */
#include "io/hl-weight-files.h"

#include "base/hl-error.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#define ENTRIES_MAX 10000
#define SHARDS_MAX 100000

static const struct
{
  const char *words;
  const char *advice; /* "%s: safetensors expected, a <words> found: <advice>" */
} kinds[HL_N_WEIGHTS_KINDS] = {
  [HL_WEIGHTS_NONE] = { "file without weights", "" },
  [HL_WEIGHTS_SAFETENSORS] = { "safetensors file", "" },
  [HL_WEIGHTS_ADAPTER] = { "LoRA adapter",
                           "it holds changes of another model's weights; open a model "
                           "into which they were merged" },
  [HL_WEIGHTS_PICKLE] = { "PyTorch pickle", "" },
  [HL_WEIGHTS_TENSORFLOW] = { "TensorFlow checkpoint",
                              "open the model's safetensors; most models have them "
                              "under the same name" },
  [HL_WEIGHTS_FLAX] = { "Flax checkpoint",
                        "open the model's safetensors; most models have them under the "
                        "same name" },
  [HL_WEIGHTS_GGUF] = { "GGUF file", "open the folder of the model it was made from" },
  [HL_WEIGHTS_ONNX] = { "ONNX graph", "open the folder of the model it was made from" },
};

const char *
hl_weights_kind_words (HlWeightsKind kind)
{
  return kinds[kind].words;
}

/* ---- names ---------------------------------------------------------------------------
 */

static gboolean
has_suffix (const char *name, const char *const *suffixes)
{
  for (int i = 0; suffixes[i] != NULL; i++)
    if (g_str_has_suffix (name, suffixes[i]))
      return TRUE;
  return FALSE;
}

/* What training leaves beside a model is no model. */
static gboolean
is_of_training (const char *name)
{
  static const char *const starts[] = {
    "training_args", "optimizer",     "scheduler", "rng_state",
    "scaler",        "trainer_state", NULL
  };
  for (int i = 0; starts[i] != NULL; i++)
    if (g_str_has_prefix (name, starts[i]))
      return TRUE;
  return FALSE;
}

/* In a folder any ".bin" could be anything. */
static gboolean
is_other_bin (const char *name)
{
  return g_str_has_suffix (name, ".bin") && !g_str_has_prefix (name, "pytorch_model") &&
         !g_str_has_prefix (name, "model");
}

HlWeightsKind
hl_weights_kind_of_file (const char *name)
{
  static const char *const pickles[] = { ".bin", ".pt", ".pth", ".ckpt", ".pkl", NULL };
  static const char *const flax[] = { ".msgpack", NULL };
  static const char *const gguf[] = { ".gguf", NULL };
  static const char *const onnx[] = { ".onnx", NULL };
  if (g_str_has_prefix (name, "adapter_model."))
    return HL_WEIGHTS_ADAPTER;
  if (g_str_has_suffix (name, ".safetensors"))
    return HL_WEIGHTS_SAFETENSORS;
  if (has_suffix (name, pickles) && !is_of_training (name))
    return HL_WEIGHTS_PICKLE;
  if (g_str_equal (name, "pytorch_model.bin.index.json"))
    return HL_WEIGHTS_PICKLE;
  if (g_str_has_prefix (name, "tf_model.") || g_str_equal (name, "model.ckpt.index"))
    return HL_WEIGHTS_TENSORFLOW;
  return has_suffix (name, flax)   ? HL_WEIGHTS_FLAX
         : has_suffix (name, gguf) ? HL_WEIGHTS_GGUF
         : has_suffix (name, onnx) ? HL_WEIGHTS_ONNX
                                   : HL_WEIGHTS_NONE;
}

/* How many shards there are, of "model-00001-of-00003.safetensors"; 0 for no shard. */
static guint
count_shards (const char *name)
{
  const char *of = strstr (name, "-of-");
  guint64 n = of != NULL ? g_ascii_strtoull (of + strlen ("-of-"), NULL, 10) : 0;
  return n <= SHARDS_MAX ? (guint) n : 0;
}

/* ---- a folder ------------------------------------------------------------------------
 */

/* What is seen of one kind while the folder is read. */
typedef struct
{
  char *name;
  guint64 size_bytes;
  guint n_files;
  guint n_gone; /* links to nothing */
  guint n_shards;
  guint n_of_shards; /* that the names speak of */
} Seen;

static void
see (Seen *seen, const char *folder, const char *name)
{
  GStatBuf info;
  g_autofree char *path = g_build_filename (folder, name, NULL);
  gboolean is_there = g_stat (path, &info) == 0;
  guint n_of = count_shards (name);
  if (is_there && !S_ISREG (info.st_mode))
    return;
  if (is_there)
    {
      seen->n_files++;
      seen->size_bytes += (guint64) info.st_size;
      seen->n_shards += n_of > 0;
    }
  else
    seen->n_gone += n_of == 0;
  seen->n_of_shards = MAX (seen->n_of_shards, n_of);
  /* One file that stands for all of them goes before the others. */
  if (seen->name == NULL || g_str_has_prefix (name, "pytorch_model") ||
      g_str_has_prefix (name, "model."))
    {
      g_free (seen->name);
      seen->name = g_strdup (name);
    }
}

/* The loader reads model.safetensors, or what its index names. */
static gboolean
is_of_model (const char *name)
{
  return g_str_equal (name, "model.safetensors") ||
         (g_str_has_prefix (name, "model") && count_shards (name) > 0);
}

static void
settle (HlWeightFiles *files, Seen *seen, Seen *others, gboolean has_index)
{
  Seen *model = &seen[HL_WEIGHTS_SAFETENSORS];
  /* An index may call its shards otherwise. */
  if (has_index && model->n_files + model->n_gone + model->n_of_shards == 0)
    {
      *model = *others;
      *others = (Seen){ 0 };
      model->n_gone += model->n_files == 0;
    }
  int kind = HL_WEIGHTS_SAFETENSORS;
  while (kind < HL_N_WEIGHTS_KINDS && seen[kind].n_files + seen[kind].n_gone == 0 &&
         seen[kind].n_of_shards == 0)
    kind++;
  if (kind == HL_N_WEIGHTS_KINDS)
    return;
  const Seen *found = &seen[kind];
  files->kind = (HlWeightsKind) kind;
  files->name = g_strdup (found->name != NULL ? found->name : "model.safetensors");
  files->size_bytes = found->size_bytes;
  files->n_missing = found->n_gone;
  if (found->n_of_shards > found->n_shards &&
      found->n_files == found->n_shards) /* not beside a whole file */
    files->n_missing += found->n_of_shards - found->n_shards;
}

void
hl_weight_files_look (const char *folder, HlWeightFiles *files)
{
  Seen seen[HL_N_WEIGHTS_KINDS] = { 0 }, others = { 0 };
  gboolean has_index = FALSE;
  *files = (HlWeightFiles){ 0 };
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;
  for (int n = 0; dir != NULL && n < ENTRIES_MAX; n++)
    {
      name = g_dir_read_name (dir);
      if (name == NULL)
        break;
      HlWeightsKind kind = hl_weights_kind_of_file (name);
      if (kind == HL_WEIGHTS_PICKLE && is_other_bin (name))
        continue;
      has_index = has_index || g_str_equal (name, "model.safetensors.index.json");
      if (kind == HL_WEIGHTS_SAFETENSORS && !is_of_model (name))
        see (&others, folder, name);
      else if (kind != HL_WEIGHTS_NONE && !g_str_has_suffix (name, ".index.json"))
        see (&seen[kind], folder, name);
      else if (kind != HL_WEIGHTS_NONE && seen[kind].name == NULL)
        see (&seen[kind], folder, name);
    }
  settle (files, seen, &others, has_index);
  for (int i = 0; i < HL_N_WEIGHTS_KINDS; i++)
    g_free (seen[i].name);
  g_free (others.name);
}

void
hl_weight_files_clear (HlWeightFiles *files)
{
  g_clear_pointer (&files->name, g_free);
}

/* ---- why some are refused ------------------------------------------------------------
 */

/* One line of Python for any number of files; shared and tied weights are written out
 * once a name, and what a trainer put around the weights is left. */
#define CONVERT_MARK "To convert it: "
#define CONVERT                                                                          \
  "python3 -c 'import sys, torch; from safetensors.torch import save_file; d = {}; "     \
  "[d.update(torch.load(f, map_location=\"cpu\", weights_only=True)) for f in "          \
  "sys.argv[2:]]; d = d.get(\"state_dict\", d); save_file({k: v.clone().contiguous() "   \
  "for k, v in d.items() if torch.is_tensor(v)}, sys.argv[1], {\"format\": \"pt\"})'"

/* The files that are converted with @path, as the shell reads them. */
static char *
pickles_beside (const char *folder, const char *name)
{
  g_autofree char *quoted = g_shell_quote (folder);
  gboolean is_sharded =
      g_str_equal (name, "pytorch_model.bin.index.json") ||
      (g_str_has_prefix (name, "pytorch_model-") && g_str_has_suffix (name, ".bin"));
  if (is_sharded)
    return g_strconcat (quoted, "/pytorch_model-*.bin", NULL);
  g_autofree char *path = g_build_filename (folder, name, NULL);
  return g_shell_quote (path);
}

static void
refuse_pickle (const char *path, GError **error)
{
  g_autofree char *name = g_path_get_basename (path);
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *from = pickles_beside (folder, name);
  /* A pickle may be called as what it is to become. */
  g_autofree char *to =
      g_build_filename (folder,
                        g_str_equal (name, "model.safetensors") ? "converted.safetensors"
                                                                : "model.safetensors",
                        NULL);
  g_autofree char *quoted = g_shell_quote (to);
  g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
               "%s: safetensors expected, a PyTorch pickle found; loading a pickle can "
               "run any code that is in it, so Headlight does not. " CONVERT_MARK
               "%s %s %s",
               name, CONVERT, quoted, from);
}

const char *
hl_weights_find_command (const char *message)
{
  const char *mark = strstr (message, CONVERT_MARK);
  return mark != NULL ? mark + strlen (CONVERT_MARK) : NULL;
}

void
hl_weights_refuse (const char *path, HlWeightsKind kind, GError **error)
{
  if (kind == HL_WEIGHTS_PICKLE)
    {
      refuse_pickle (path, error);
      return;
    }
  g_autofree char *name = g_path_get_basename (path);
  g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
               "%s: safetensors expected, %s %s found, which Headlight does not read: %s",
               name, strchr ("AEIOaeio", kinds[kind].words[0]) != NULL ? "an" : "a",
               kinds[kind].words, kinds[kind].advice);
}
