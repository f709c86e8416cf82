/* SPDX-License-Identifier: MIT
 * Small language models made up for the tests, with a tokenizer each. */
#include "text-model.h"

#include <glib/gstdio.h>
#include <jansson.h>
#include <stdarg.h>

#define D 16
#define F 32
#define HEAD_WIDTH (D / TEXT_MODEL_HEADS)
#define GPT2_N_VOCAB 258

/* ---- weights -------------------------------------------------------------------------
 */

typedef struct
{
  GString *header;
  GByteArray *data;
  guint64 state;
} Weights;

/* Uniform around @mean, by a multiplicative generator. */
static void
add (Weights *w, gint64 rows, gint64 columns, float mean, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *name = g_strdup_vprintf (format, args);
  va_end (args);
  guint start = w->data->len;
  for (gint64 i = 0; i < rows * MAX (columns, 1); i++)
    {
      w->state = w->state * 6364136223846793005ULL + 1442695040888963407ULL;
      float number = mean + 0.4F * ((float) (w->state >> 40) * 0x1p-23F - 1);
      g_byte_array_append (w->data, (const guint8 *) &number, sizeof number);
    }
  g_autofree char *shape = columns > 0
                               ? g_strdup_printf ("%d,%d", (int) rows, (int) columns)
                               : g_strdup_printf ("%d", (int) rows);
  g_string_append_printf (
      w->header, ",\"%s\":{\"dtype\":\"F32\",\"shape\":[%s],\"data_offsets\":[%u,%u]}",
      name, shape, start, w->data->len);
}

static void
add_llama (Weights *w)
{
  const int KV = HEAD_WIDTH; /* one head of keys and values for both of queries */
  add (w, TEXT_MODEL_N_VOCAB, D, 0, "model.embed_tokens.weight");
  for (int l = 0; l < TEXT_MODEL_LAYERS; l++)
    {
      add (w, D, 0, 1, "model.layers.%d.input_layernorm.weight", l);
      add (w, D, 0, 1, "model.layers.%d.post_attention_layernorm.weight", l);
      add (w, D, D, 0, "model.layers.%d.self_attn.q_proj.weight", l);
      add (w, KV, D, 0, "model.layers.%d.self_attn.k_proj.weight", l);
      add (w, KV, D, 0, "model.layers.%d.self_attn.v_proj.weight", l);
      add (w, D, D, 0, "model.layers.%d.self_attn.o_proj.weight", l);
      add (w, F, D, 0, "model.layers.%d.mlp.gate_proj.weight", l);
      add (w, F, D, 0, "model.layers.%d.mlp.up_proj.weight", l);
      add (w, D, F, 0, "model.layers.%d.mlp.down_proj.weight", l);
    }
  add (w, D, 0, 1, "model.norm.weight");
}

static void
add_gpt2 (Weights *w)
{
  static const struct
  {
    const char *name;
    int in, out;
  } dense[] = { { "attn.c_attn", D, 3 * D },
                { "attn.c_proj", D, D },
                { "mlp.c_fc", D, F },
                { "mlp.c_proj", F, D } };
  add (w, GPT2_N_VOCAB, D, 0, "wte.weight");
  add (w, TEXT_MODEL_CONTEXT, D, 0, "wpe.weight");
  for (int l = 0; l < TEXT_MODEL_LAYERS; l++)
    {
      for (guint i = 0; i < G_N_ELEMENTS (dense); i++)
        {
          add (w, dense[i].in, dense[i].out, 0, "h.%d.%s.weight", l, dense[i].name);
          add (w, dense[i].out, 0, 0, "h.%d.%s.bias", l, dense[i].name);
        }
      for (int n = 1; n <= 2; n++)
        {
          add (w, D, 0, 1, "h.%d.ln_%d.weight", l, n);
          add (w, D, 0, 0, "h.%d.ln_%d.bias", l, n);
        }
    }
  add (w, D, 0, 1, "ln_f.weight");
  add (w, D, 0, 0, "ln_f.bias");
}

static void
write_weights (const char *folder, gboolean is_llama)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (folder, "model.safetensors", NULL);
  Weights w = { g_string_new ("{\"__metadata__\":{\"format\":\"pt\"}"),
                g_byte_array_new (), 1 };
  if (is_llama)
    add_llama (&w);
  else
    add_gpt2 (&w);
  g_string_append_c (w.header, '}');
  guint64 length = GUINT64_TO_LE ((guint64) w.header->len);
  g_string_prepend_len (w.header, (const char *) &length, sizeof length);
  g_string_append_len (w.header, (const char *) w.data->data, w.data->len);
  g_file_set_contents (path, w.header->str, (gssize) w.header->len, &error);
  g_assert_no_error (error);
  g_string_free (w.header, TRUE);
  g_byte_array_unref (w.data);
}

/* ---- tokenizers ----------------------------------------------------------------------
 */

/* The character that stands for a byte in GPT-2's vocabulary: itself where it can be
 * seen, else one from U+0100 on. */
static gunichar
character_of (guint byte)
{
  gunichar next = 0x100;
  for (guint b = 0; b < 256; b++)
    {
      gboolean is_seen = (b >= '!' && b <= '~') || (b >= 0xa1 && b <= 0xac) || b >= 0xae;
      if (b == byte)
        return is_seen ? b : next;
      next += !is_seen;
    }
  g_assert_not_reached ();
}

static json_t *
llama_tokenizer (void)
{
  static const char *const ends[] = { "▁", "a", "b", "ab", "▁ab" };
  json_t *vocab = json_pack ("{s:i, s:i, s:i}", "<unk>", 0, "<s>", 1, "</s>", 2);
  for (int b = 0; b < 256; b++)
    {
      g_autofree char *name = g_strdup_printf ("<0x%02X>", (guint) b);
      json_object_set_new (vocab, name, json_integer (TEXT_MODEL_BYTE (b)));
    }
  for (int i = 0; i < (int) G_N_ELEMENTS (ends); i++)
    json_object_set_new (vocab, ends[i], json_integer (259 + i));
  json_t *added = json_array ();
  static const char *const special[] = { "<unk>", "<s>", "</s>" };
  for (int i = 0; i < 3; i++)
    json_array_append_new (added, json_pack ("{s:i, s:s, s:b, s:b}", "id", i, "content",
                                             special[i], "special", 1, "normalized", 0));
  return json_pack (
      "{s:o, s:{s:s, s:{s:s}, s:s}, s:{s:s, s:{s:{s:[i]}}, s:[{s:{s:s}}, {s:{s:s}}]}, "
      "s:{s:s, s:[{s:s, s:{s:s}, s:s}, {s:s}, {s:s}]}, s:{s:s, s:o, s:[s, s], s:b}}",
      "added_tokens", added, "normalizer", "type", "Replace", "pattern", "String", " ",
      "content", "▁", "post_processor", "type", "TemplateProcessing", "special_tokens",
      "<s>", "ids", 1, "single", "SpecialToken", "id", "<s>", "Sequence", "id", "A",
      "decoder", "type", "Sequence", "decoders", "type", "Replace", "pattern", "String",
      "▁", "content", " ", "type", "ByteFallback", "type", "Fuse", "model", "type", "BPE",
      "vocab", vocab, "merges", "a b", "▁ ab", "byte_fallback", 1);
}

static json_t *
gpt2_tokenizer (void)
{
  json_t *vocab = json_pack ("{s:i, s:i}", "<|endoftext|>", 256, "ab", 257);
  for (guint b = 0; b < 256; b++)
    {
      char name[8] = { 0 };
      g_unichar_to_utf8 (character_of (b), name);
      json_object_set_new (vocab, name, json_integer (b));
    }
  return json_pack ("{s:[{s:i, s:s, s:b, s:b}], s:{s:s, s:b}, s:{s:s}, s:{s:s, s:o, "
                    "s:[s]}}",
                    "added_tokens", "id", 256, "content", "<|endoftext|>", "special", 1,
                    "normalized", 0, "pre_tokenizer", "type", "ByteLevel",
                    "add_prefix_space", 0, "decoder", "type", "ByteLevel", "model",
                    "type", "BPE", "vocab", vocab, "merges", "a b");
}

/* ---- folders -------------------------------------------------------------------------
 */

static void
write_json (const char *folder, const char *name, json_t *json)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_assert_nonnull (json);
  char *text = json_dumps (json, JSON_INDENT (2));
  g_file_set_contents (path, text, -1, &error);
  g_assert_no_error (error);
  free (text);
  json_decref (json);
}

static json_t *
llama_config (void)
{
  return json_pack ("{s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:f, s:b, s:i, s:i}",
                    "model_type", "llama", "hidden_size", D, "intermediate_size", F,
                    "num_hidden_layers", TEXT_MODEL_LAYERS, "num_attention_heads",
                    TEXT_MODEL_HEADS, "num_key_value_heads", 1, "vocab_size",
                    TEXT_MODEL_N_VOCAB, "max_position_embeddings", TEXT_MODEL_CONTEXT,
                    "rope_theta", 100.0, "tie_word_embeddings", 1, "bos_token_id", 1,
                    "eos_token_id", 2);
}

static json_t *
gpt2_config (void)
{
  return json_pack ("{s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:i}", "model_type", "gpt2",
                    "n_embd", D, "n_inner", F, "n_layer", TEXT_MODEL_LAYERS, "n_head",
                    TEXT_MODEL_HEADS, "n_positions", TEXT_MODEL_CONTEXT, "vocab_size",
                    GPT2_N_VOCAB, "eos_token_id", 256);
}

void
text_model_write (const char *folder, const char *family)
{
  gboolean is_llama = g_str_equal (family, "llama");
  g_assert_true (is_llama || g_str_equal (family, "gpt2"));
  write_json (folder, "config.json", is_llama ? llama_config () : gpt2_config ());
  write_json (folder, "tokenizer.json",
              is_llama ? llama_tokenizer () : gpt2_tokenizer ());
  write_json (folder, "tokenizer_config.json",
              json_pack ("{s:s?, s:s}", "bos_token", is_llama ? "<s>" : NULL, "eos_token",
                         is_llama ? "</s>" : "<|endoftext|>"));
  write_weights (folder, is_llama);
}

char *
text_model_folder_new (const char *family)
{
  g_autoptr (GError) error = NULL;
  char *folder = g_dir_make_tmp ("hl-text-model-XXXXXX", &error);
  g_assert_no_error (error);
  text_model_write (folder, family);
  return folder;
}

void
text_model_folder_free (char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);
      g_remove (path);
    }
  g_rmdir (folder);
  g_free (folder);
}
