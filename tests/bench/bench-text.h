/* SPDX-License-Identifier: MIT
 * The three benches of a language model: traces of texts, a long text, generating. */
#pragma once

#include "bench.h"

G_BEGIN_DECLS

/**
 * BenchTextOptions:
 * @n_rounds: of everything that is repeated
 * @peer: (nullable): PyTorch's script
 * @n_tokens: of the long text; of the child's text
 * @child: (nullable): folder of a model: this process is a child that measures its
 *   own memory
 */
typedef struct
{
  gboolean is_half, is_long, is_decode;
  int n_rounds, n_threads, n_tokens;
  char *peer;
  char *child;
} BenchTextOptions;

/** bench_text_long: a text of options->n_tokens, looked at as a person would; in a
 * process of its own, whose peak of memory it tells. @folder has a model. */
void bench_text_long (const char *folder, const BenchTextOptions *options);

/** bench_text_decode: tokens a second. @folder has a model. */
void bench_text_decode (const char *folder, const BenchTextOptions *options);

G_END_DECLS
