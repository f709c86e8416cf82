/* SPDX-License-Identifier: MIT
 * Random models on disk, in the Hugging Face layout. */
#include "bench-model.h"

#include "base/hl-error.h"

#include <glib/gstdio.h>
#include <stdio.h>

typedef struct
{
  char *name;
  HlShape shape;
  float mean;
  float spread;
} Entry;

static void
entry_free (gpointer data)
{
  Entry *entry = data;
  g_free (entry->name);
  g_free (entry);
}

static void
add (GPtrArray *list, char *name, HlShape shape, float mean, float spread)
{
  Entry *entry = g_new0 (Entry, 1);
  *entry = (Entry){ name, shape, mean, spread };
  g_ptr_array_add (list, entry);
}

static void
add_dense (GPtrArray *list, const char *prefix, const char *name, gint64 F, gint64 D)
{
  add (list, g_strdup_printf ("%s%s.weight", prefix, name), HL_SHAPE (F, D), 0, 0.04F);
  add (list, g_strdup_printf ("%s%s.bias", prefix, name), HL_SHAPE (F), 0, 0.02F);
}

static void
add_norm (GPtrArray *list, const char *prefix, const char *name, gint64 D)
{
  add (list, g_strdup_printf ("%s%s.weight", prefix, name), HL_SHAPE (D), 1, 0.1F);
  add (list, g_strdup_printf ("%s%s.bias", prefix, name), HL_SHAPE (D), 0, 0.1F);
}

static GPtrArray *
list_entries (const BenchShape *s)
{
  static const char *const square[] = { "attention.attention.query",
                                        "attention.attention.key",
                                        "attention.attention.value",
                                        "attention.output.dense" };
  GPtrArray *list = g_ptr_array_new_with_free_func (entry_free);
  const gint64 D = s->width, F = s->mlp_width, T = 1 + (gint64) s->grid * s->grid;
  const char *embeddings = "vit.embeddings.";
  add (list, g_strconcat (embeddings, "cls_token", NULL), HL_SHAPE (1, 1, D), 0, 0.5F);
  add (list, g_strconcat (embeddings, "position_embeddings", NULL), HL_SHAPE (1, T, D), 0,
       0.5F);
  add (list, g_strconcat (embeddings, "patch_embeddings.projection.weight", NULL),
       HL_SHAPE (D, 3, s->patch, s->patch), 0, 0.04F);
  add (list, g_strconcat (embeddings, "patch_embeddings.projection.bias", NULL),
       HL_SHAPE (D), 0, 0.02F);
  for (int l = 0; l < s->n_layers; l++)
    {
      g_autofree char *prefix = g_strdup_printf ("vit.encoder.layer.%d.", l);
      for (guint i = 0; i < G_N_ELEMENTS (square); i++)
        add_dense (list, prefix, square[i], D, D);
      add_dense (list, prefix, "intermediate.dense", F, D);
      add_dense (list, prefix, "output.dense", D, F);
      add_norm (list, prefix, "layernorm_before", D);
      add_norm (list, prefix, "layernorm_after", D);
    }
  add_norm (list, "vit.", "layernorm", D);
  add_dense (list, "", "classifier", s->n_classes, D);
  return list;
}

/* W as (in, out), as GPT-2 has it. */
static void
add_conv (GPtrArray *list, const char *prefix, const char *name, gint64 in, gint64 out)
{
  add (list, g_strdup_printf ("%s%s.weight", prefix, name), HL_SHAPE (in, out), 0, 0.04F);
  add (list, g_strdup_printf ("%s%s.bias", prefix, name), HL_SHAPE (out), 0, 0.02F);
}

static GPtrArray *
list_gpt2_entries (int n_positions)
{
  GPtrArray *list = g_ptr_array_new_with_free_func (entry_free);
  const gint64 D = BENCH_D, F = BENCH_F;
  add (list, g_strdup ("wte.weight"), HL_SHAPE (BENCH_VOCABULARY, D), 0, 0.1F);
  add (list, g_strdup ("wpe.weight"), HL_SHAPE (n_positions, D), 0, 0.1F);
  for (int l = 0; l < BENCH_L; l++)
    {
      g_autofree char *prefix = g_strdup_printf ("h.%d.", l);
      add_norm (list, prefix, "ln_1", D);
      add_conv (list, prefix, "attn.c_attn", D, 3 * D);
      add_conv (list, prefix, "attn.c_proj", D, D);
      add_norm (list, prefix, "ln_2", D);
      add_conv (list, prefix, "mlp.c_fc", D, F);
      add_conv (list, prefix, "mlp.c_proj", F, D);
    }
  add_norm (list, "", "ln_f", D);
  return list;
}

/* The header of a safetensors file, its length first, padded to eight bytes. */
static GString *
make_header (const GPtrArray *list, HlDtype dtype)
{
  const char *type = dtype == HL_DTYPE_F16 ? "F16" : "F32";
  GString *json = g_string_new ("{\"__metadata__\":{\"format\":\"pt\"}");
  gsize offset = 0;
  for (guint i = 0; i < list->len; i++)
    {
      const Entry *entry = g_ptr_array_index (list, i);
      gsize size = (gsize) hl_shape_count (&entry->shape) * hl_dtype_size (dtype);
      g_autofree char *shape = hl_shape_to_string (&entry->shape);
      g_string_append_printf (json,
                              ",\"%s\":{\"dtype\":\"%s\",\"shape\":%s,"
                              "\"data_offsets\":[%" G_GSIZE_FORMAT ",%" G_GSIZE_FORMAT
                              "]}",
                              entry->name, type, shape, offset, offset + size);
      offset += size;
    }
  g_string_append_c (json, '}');
  while (json->len % 8 != 0)
    g_string_append_c (json, ' ');
  guint64 length = GUINT64_TO_LE (json->len);
  g_string_prepend_len (json, (const char *) &length, sizeof length);
  return json;
}

/* Uniform, by a multiplicative generator: a hundred million numbers in a moment. */
static void
fill (float *out, gsize n, guint64 *state, float mean, float spread)
{
  for (gsize i = 0; i < n; i++)
    {
      *state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
      out[i] = mean + spread * ((float) (*state >> 40) * 0x1p-23F - 1);
    }
}

static gboolean
write_entry (FILE *file, const Entry *entry, HlDtype dtype, guint64 *state)
{
  gsize n = (gsize) hl_shape_count (&entry->shape);
  g_autofree float *numbers = g_new (float, n);
  fill (numbers, n, state, entry->mean, entry->spread);
  if (dtype == HL_DTYPE_F32)
    return fwrite (numbers, sizeof numbers[0], n, file) == n;
  g_autofree guint16 *half = g_new (guint16, n);
  hl_dtype_f32_to_f16 (numbers, n, half);
  return fwrite (half, sizeof half[0], n, file) == n;
}

static gboolean
write_weights (const char *folder, const GPtrArray *list, HlDtype dtype, GError **error)
{
  g_autofree char *path = g_build_filename (folder, "model.safetensors", NULL);
  GString *header = make_header (list, dtype);
  FILE *file = g_fopen (path, "wb");
  gboolean ok = file != NULL && fwrite (header->str, 1, header->len, file) == header->len;
  guint64 state = 1;
  for (guint i = 0; i < list->len && ok; i++)
    ok = write_entry (file, g_ptr_array_index (list, i), dtype, &state);
  if (file != NULL)
    ok = fclose (file) == 0 && ok;
  g_string_free (header, TRUE);
  if (!ok)
    g_set_error (error, HL_ERROR, HL_ERROR_IO, "%s: cannot be written", path);
  return ok;
}

static gboolean
write_config (const char *folder, const char *config, GError **error)
{
  g_autofree char *path = g_build_filename (folder, "config.json", NULL);
  return g_file_set_contents (path, config, -1, error);
}

gboolean
bench_model_write_shape (const char *folder,
                         const BenchShape *s,
                         HlDtype dtype,
                         GError **error)
{
  g_autoptr (GPtrArray) list = list_entries (s);
  g_autoptr (GString) labels = g_string_new (NULL);
  for (int i = 0; i < s->n_classes; i++)
    g_string_append_printf (labels, "%s\"%d\": \"class %d\"", i > 0 ? ", " : "", i, i);
  g_autofree char *config = g_strdup_printf (
      "{\"architectures\": [\"ViTForImageClassification\"], \"model_type\": \"vit\",\n"
      "\"hidden_size\": %d, \"num_hidden_layers\": %d, \"num_attention_heads\": %d,\n"
      "\"intermediate_size\": %d, \"image_size\": %d, \"patch_size\": %d,\n"
      "\"num_channels\": 3, \"hidden_act\": \"gelu\", \"layer_norm_eps\": 1e-12,\n"
      "\"qkv_bias\": true, \"id2label\": {%s}}\n",
      s->width, s->n_layers, s->n_heads, s->mlp_width, s->grid * s->patch, s->patch,
      labels->str);
  return write_config (folder, config, error) &&
         write_weights (folder, list, dtype, error);
}

gboolean
bench_model_write (const char *folder, HlDtype dtype, GError **error)
{
  static const BenchShape vit_b = { BENCH_L,     BENCH_H,    BENCH_D, BENCH_F,
                                    BENCH_PATCH, BENCH_GRID, BENCH_V };
  return bench_model_write_shape (folder, &vit_b, dtype, error);
}

HlInput *
bench_model_input (void)
{
  const gint64 side = BENCH_GRID * BENCH_PATCH;
  g_autoptr (HlTensor) pixels =
      hl_tensor_new (HL_DTYPE_F32, HL_SHAPE (1, 3, side, side), NULL);
  g_autoptr (HlTensor) shown =
      hl_tensor_new (HL_DTYPE_U8, HL_SHAPE (side, side, 3), NULL);
  guint64 state = 2;
  fill (pixels->data, (gsize) hl_tensor_count (pixels), &state, 0, 1);
  for (gint64 i = 0; i < hl_tensor_count (shown); i++)
    ((guint8 *) shown->data)[i] = (guint8) (i * 7);
  return hl_input_new_image ("", pixels, shown);
}

gboolean
bench_model_write_gpt2 (const char *folder,
                        int n_positions,
                        HlDtype dtype,
                        GError **error)
{
  g_autoptr (GPtrArray) list = list_gpt2_entries (n_positions);
  g_autofree char *config = g_strdup_printf (
      "{\"architectures\": [\"GPT2LMHeadModel\"], \"model_type\": \"gpt2\",\n"
      "\"n_layer\": %d, \"n_head\": %d, \"n_embd\": %d, \"n_positions\": %d,\n"
      "\"vocab_size\": %d, \"activation_function\": \"gelu_new\",\n"
      "\"layer_norm_epsilon\": 1e-05, \"tie_word_embeddings\": true,\n"
      "\"bos_token_id\": 50256, \"eos_token_id\": 50256}\n",
      BENCH_L, BENCH_H, BENCH_D, n_positions, BENCH_VOCABULARY);
  return write_config (folder, config, error) &&
         write_weights (folder, list, dtype, error);
}

static void
add_plain (GPtrArray *list, const char *prefix, const char *name, gint64 F, gint64 D)
{
  add (list, g_strdup_printf ("%s%s.weight", prefix, name), HL_SHAPE (F, D), 0, 0.02F);
}

static GPtrArray *
list_llama_entries (const BenchLlama *s)
{
  GPtrArray *list = g_ptr_array_new_with_free_func (entry_free);
  gint64 D = s->width, kv = D / s->n_heads * s->n_kv_heads;
  add_plain (list, "model.", "embed_tokens", BENCH_VOCABULARY, D);
  for (int l = 0; l < s->n_layers; l++)
    {
      g_autofree char *prefix = g_strdup_printf ("model.layers.%d.", l);
      add (list, g_strconcat (prefix, "input_layernorm.weight", NULL), HL_SHAPE (D), 1,
           0.1F);
      add_plain (list, prefix, "self_attn.q_proj", D, D);
      add_plain (list, prefix, "self_attn.k_proj", kv, D);
      add_plain (list, prefix, "self_attn.v_proj", kv, D);
      add_plain (list, prefix, "self_attn.o_proj", D, D);
      add (list, g_strconcat (prefix, "post_attention_layernorm.weight", NULL),
           HL_SHAPE (D), 1, 0.1F);
      add_plain (list, prefix, "mlp.gate_proj", s->mlp_width, D);
      add_plain (list, prefix, "mlp.up_proj", s->mlp_width, D);
      add_plain (list, prefix, "mlp.down_proj", D, s->mlp_width);
    }
  add (list, g_strdup ("model.norm.weight"), HL_SHAPE (D), 1, 0.1F);
  add_plain (list, "", "lm_head", BENCH_VOCABULARY, D);
  return list;
}

gboolean
bench_model_write_llama (const char *folder, const BenchLlama *s, GError **error)
{
  g_autoptr (GPtrArray) list = list_llama_entries (s);
  g_autofree char *config = g_strdup_printf (
      "{\"architectures\": [\"LlamaForCausalLM\"], \"model_type\": \"llama\",\n"
      "\"hidden_size\": %d, \"intermediate_size\": %d, \"num_hidden_layers\": %d,\n"
      "\"num_attention_heads\": %d, \"num_key_value_heads\": %d,\n"
      "\"max_position_embeddings\": 8192, \"vocab_size\": %d, \"rms_norm_eps\": 1e-5,\n"
      "\"rope_theta\": 500000.0, \"hidden_act\": \"silu\",\n"
      "\"tie_word_embeddings\": false}\n",
      s->width, s->mlp_width, s->n_layers, s->n_heads, s->n_kv_heads, BENCH_VOCABULARY);
  return write_config (folder, config, error) &&
         write_weights (folder, list, HL_DTYPE_F16, error);
}

HlInput *
bench_model_text (int n_tokens)
{
  g_autoptr (HlTensor) ids = hl_tensor_new (HL_DTYPE_I32, HL_SHAPE (1, n_tokens), NULL);
  g_autoptr (HlTokenTable) tokens = hl_token_table_new (n_tokens);
  guint64 state = 3;
  for (int t = 0; t < n_tokens; t++)
    {
      float x;
      fill (&x, 1, &state, 0.5F, 0.5F);
      gint32 id = (gint32) (x * (BENCH_VOCABULARY - 1));
      ((gint32 *) ids->data)[t] = id;
      tokens->tokens[t].id = id;
      tokens->tokens[t].role = HL_ROLE_PROMPT;
    }
  return hl_input_new_text ("random", "", ids, tokens, NULL);
}
