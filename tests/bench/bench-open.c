/* SPDX-License-Identifier: MIT
 * Opening a model of 8 billion parameters, in shards of zeros that take no room on disk:
 * time until everything is known of it, and how much of its 16 GB is read for that.
 *   bench-open */
#include "config.h"

#include "bench.h"
#include "model/hl-model.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define N_SHARDS 4
#define N_LAYERS 32
#define N_ROUNDS 11

typedef struct
{
  const char *folder;
  GString *headers[N_SHARDS];
  guint64 size_bytes[N_SHARDS];
  GString *map; /* of the index */
} Writer;

static void
add (Writer *w, int shard, const char *name, int rows, int columns)
{
  GString *text = w->headers[shard];
  guint64 begin = w->size_bytes[shard];
  guint64 size_bytes = 2 * (guint64) rows * (guint64) MAX (columns, 1);
  g_autofree char *shape = columns > 0 ? g_strdup_printf ("%d, %d", rows, columns)
                                       : g_strdup_printf ("%d", rows);
  g_string_append_printf (
      text,
      "%s\"%s\": {\"dtype\": \"BF16\", \"shape\": [%s], "
      "\"data_offsets\": [%" G_GUINT64_FORMAT ", %" G_GUINT64_FORMAT "]}",
      text->len > 1 ? ", " : "", name, shape, begin, begin + size_bytes);
  g_string_append_printf (w->map, "%s\"%s\": \"model-%d.safetensors\"",
                          w->map->len > 0 ? ", " : "", name, shard);
  w->size_bytes[shard] += size_bytes;
}

static void
add_layer (Writer *w, int layer)
{
  static const struct
  {
    const char *name;
    int rows;
    int columns;
  } parts[] = {
    { "input_layernorm", 4096, 0 },     { "post_attention_layernorm", 4096, 0 },
    { "self_attn.q_proj", 4096, 4096 }, { "self_attn.k_proj", 1024, 4096 },
    { "self_attn.v_proj", 1024, 4096 }, { "self_attn.o_proj", 4096, 4096 },
    { "mlp.gate_proj", 14336, 4096 },   { "mlp.up_proj", 14336, 4096 },
    { "mlp.down_proj", 4096, 14336 },
  };
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    {
      g_autofree char *name =
          g_strdup_printf ("model.layers.%d.%s.weight", layer, parts[i].name);
      add (w, layer * N_SHARDS / N_LAYERS, name, parts[i].rows, parts[i].columns);
    }
}

static void
write_text (const Writer *w, const char *name, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (w->folder, name, NULL);
  if (!g_file_set_contents (path, text, -1, &error))
    bench_fail (error);
}

/* The header, and behind it a hole as long as the weights. */
static void
write_shard (const Writer *w, int shard)
{
  g_autofree char *name = g_strdup_printf ("model-%d.safetensors", shard);
  g_autofree char *path = g_build_filename (w->folder, name, NULL);
  GString *text = w->headers[shard];
  g_string_append_c (text, '}');
  while (text->len % 8 != 0) /* as the library that writes such files aligns them */
    g_string_append_c (text, ' ');
  guint64 length = GUINT64_TO_LE ((guint64) text->len);
  int fd = g_open (path, O_CREAT | O_WRONLY, 0600);
  gboolean ok = fd >= 0 && write (fd, &length, 8) == 8 &&
                write (fd, text->str, text->len) == (gssize) text->len &&
                ftruncate (fd, (off_t) (8 + text->len + w->size_bytes[shard])) == 0;
  if (fd >= 0)
    close (fd);
  if (!ok)
    {
      g_autoptr (GError) error =
          g_error_new (G_FILE_ERROR, G_FILE_ERROR_IO, "%s: cannot be written", path);
      bench_fail (error);
    }
}

static double
write_model (const char *folder)
{
  Writer w = { .folder = folder, .map = g_string_new (NULL) };
  double size_bytes = 0;
  for (int i = 0; i < N_SHARDS; i++)
    w.headers[i] = g_string_new ("{");
  add (&w, 0, "model.embed_tokens.weight", 128256, 4096);
  for (int l = 0; l < N_LAYERS; l++)
    add_layer (&w, l);
  add (&w, N_SHARDS - 1, "model.norm.weight", 4096, 0);
  add (&w, N_SHARDS - 1, "lm_head.weight", 128256, 4096);
  for (int i = 0; i < N_SHARDS; i++)
    {
      write_shard (&w, i);
      size_bytes += (double) w.size_bytes[i];
      g_string_free (w.headers[i], TRUE);
    }
  g_autofree char *index =
      g_strdup_printf ("{\"metadata\": {}, \"weight_map\": {%s}}", w.map->str);
  write_text (&w, "model.safetensors.index.json", index);
  write_text (&w, "config.json",
              "{\"model_type\": \"llama\", \"hidden_size\": 4096, \"intermediate_size\": "
              "14336, \"num_hidden_layers\": 32, \"num_attention_heads\": 32, "
              "\"num_key_value_heads\": 8, \"vocab_size\": 128256, \"rms_norm_eps\": "
              "1e-05, \"rope_theta\": 500000.0, \"max_position_embeddings\": 8192, "
              "\"tie_word_embeddings\": false}");
  g_string_free (w.map, TRUE);
  return size_bytes;
}

/* What this process has read, by calls and as pages of mapped files, in MB. */
static double
read_mb (void)
{
  g_autofree char *text = NULL;
  const char *at = NULL;
  if (g_file_get_contents ("/proc/self/io", &text, NULL, NULL))
    at = strstr (text, "rchar: ");
  double by_calls = at != NULL ? g_ascii_strtod (at + 7, NULL) / 1e6 : 0;
  return by_calls + bench_memory_now ().mapped_mb;
}

int
main (void)
{
  char *folder = bench_folder_new ();
  g_autoptr (GError) error = NULL;
  BenchSamples samples = { 0 };
  double size_bytes = write_model (folder), touched_mb = 0;
  bench_title ("== open: 8 billion parameters, bfloat16, %d shards ==", N_SHARDS);
  for (int i = 0; i < N_ROUNDS; i++)
    {
      double before_mb = read_mb (), start = bench_now_ms ();
      g_autoptr (HlModel) model = hl_model_open (folder, &error);
      if (model == NULL)
        bench_fail (error);
      bench_add (&samples, start);
      touched_mb = MAX (touched_mb, read_mb () - before_mb);
    }
  bench_row ("open, until the window's card", &samples, "%.2f of %.0f MB touched",
             touched_mb, size_bytes / 1e6);
  bench_folder_free (folder);
  return 0;
}
