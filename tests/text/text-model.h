/* SPDX-License-Identifier: MIT
 * Small language models made up for the tests, with a tokenizer each: random weights, the
 * same every time. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define TEXT_MODEL_LAYERS 2
#define TEXT_MODEL_HEADS 2
#define TEXT_MODEL_CONTEXT 64

/** TEXT_MODEL_BYTE: the token of byte B alone, in the "llama". */
#define TEXT_MODEL_BYTE(B) (3 + (B))
#define TEXT_MODEL_BOS 1
#define TEXT_MODEL_AB 262
#define TEXT_MODEL_N_VOCAB 264

/**
 * text_model_write:
 * @folder: exists; gets config.json, model.safetensors, tokenizer.json and
 *   tokenizer_config.json
 * @family: "llama": <unk>, <s>, </s>, 256 tokens of bytes, "▁", "a", "b", "ab", "▁ab";
 *   <s> goes before a text. "gpt2": 256 characters that stand for bytes, <|endoftext|>,
 *   "ab"; nothing goes before a text
 */
void text_model_write (const char *folder, const char *family);

/** text_model_folder_new: (transfer full): likewise, in a new temporary folder. */
char *text_model_folder_new (const char *family);

/** text_model_folder_free: removes the folder and the files in it. */
void text_model_folder_free (char *folder);

G_END_DECLS
