/* SPDX-License-Identifier: MIT
 * Random models on disk, of ViT-B/16's shape or any and of GPT-2's, and inputs for both.
 */
#pragma once

#include "model/hl-input.h"

G_BEGIN_DECLS

/* ViT-B/16: layers, heads, width, MLP width, patch, grid side, tokens, classes. */
#define BENCH_L 12
#define BENCH_H 12
#define BENCH_D 768
#define BENCH_F 3072
#define BENCH_PATCH 16
#define BENCH_GRID 14
#define BENCH_T (BENCH_GRID * BENCH_GRID + 1)
#define BENCH_V 1000

/* GPT-2 (small) has as many layers and heads, and as wide ones. */
#define BENCH_VOCABULARY 50257

/** BenchShape: of a random vision transformer; square grid, three channels. */
typedef struct
{
  int n_layers, n_heads, width, mlp_width, patch, grid, n_classes;
} BenchShape;

/** bench_model_write_shape: like bench_model_write(), of another shape. */
gboolean bench_model_write_shape (const char *folder,
                                  const BenchShape *shape,
                                  HlDtype dtype,
                                  GError **error);

/**
 * bench_model_write:
 * @folder: exists; gets config.json and model.safetensors, the same numbers every time
 * @dtype: HL_DTYPE_F32 or HL_DTYPE_F16
 */
gboolean bench_model_write (const char *folder, HlDtype dtype, GError **error);

/** bench_model_input: (transfer full): 224 x 224, random. */
HlInput *bench_model_input (void);

/**
 * bench_model_write_gpt2: likewise, of GPT-2 (small)'s shape
 * @n_positions: the longest text it takes
 */
gboolean bench_model_write_gpt2 (const char *folder,
                                 int n_positions,
                                 HlDtype dtype,
                                 GError **error);

/** BenchLlama: of a random Llama with GPT-2's vocabulary. */
typedef struct
{
  int n_layers, n_heads, n_kv_heads, width, mlp_width;
} BenchLlama;

/** bench_model_write_llama: likewise, in float16. */
gboolean
bench_model_write_llama (const char *folder, const BenchLlama *shape, GError **error);

/** bench_model_text: (transfer full): @n_tokens random tokens of GPT-2's vocabulary. */
HlInput *bench_model_text (int n_tokens);

G_END_DECLS
