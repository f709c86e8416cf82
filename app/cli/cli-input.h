/* SPDX-License-Identifier: MIT
 * The options that say what a model is run on: a picture, a text, tokens. */
#pragma once

#include "cli.h"
#include "model/hl-model-text.h"

G_BEGIN_DECLS

/** CliInput: where the options go; all zero at first, cleared at the end. */
typedef struct
{
  char *image;
  char *size;
  char *text;
  char *text_file;
  char *ids;
  char *audio;
  int window;
  char *second;
  char *target;
  int n_target;
  char *language;
  char *task;
  gboolean no_bos;
  gboolean plain_special;
  int first_token;
  int n_tokens;
} CliInput;

/** CliInputKinds: which options a command has beside those of a text. */
typedef enum
{
  CLI_INPUT_TEXT = 0,
  CLI_INPUT_IMAGE = 1 << 0,
  CLI_INPUT_AUDIO = 1 << 1,
  CLI_INPUT_TARGET = 1 << 2, /* what a decoder reads */
  CLI_INPUT_PAIR = 1 << 3,
} CliInputKinds;

/** cli_input_entries: (transfer full): @more (ended by NULL) and the options above, into
 * @input; free with g_free(). */
GOptionEntry *
cli_input_entries (CliInput *input, const GOptionEntry *more, CliInputKinds kinds);
void cli_input_clear (CliInput *input);

/** cli_input_take_file: @path, an argument behind the model's, stands for --image,
 * --audio or --text-file, by what its name ends in. Where that option is there too the
 * mistake is printed. */
CliStatus cli_input_take_file (CliInput *input, const char *path, const char *command);

/** cli_input_check: exactly one input, and options that go with it; else the mistake is
 * printed. */
CliStatus cli_input_check (const CliInput *input, const char *command);

/** cli_model_open: (transfer full): @name as everywhere; of a model with two towers the
 * one that takes @input; NULL with @error. */
HlModel *cli_model_open (const char *name, const CliInput *input, GError **error);

/** cli_input_detect: (transfer full): @input (transfer full) in the language it is in
 * where nobody says which (hl_model_detect_language()), which is told on stderr; NULL
 * with
 * @error, or where @input is NULL. */
HlInput *cli_input_detect (const CliInput *o,
                           const HlModel *model,
                           HlInput *input,
                           HlBackend *backend,
                           const HlProgress *progress,
                           GError **error);

/** cli_input_complete: (transfer full): cli_input_detect(); then of an encoder-decoder
 * without a target with what the decoder says by itself, --target-tokens of it at most;
 * else @input (transfer full). NULL with @error, or where @input is NULL. */
HlInput *cli_input_complete (const CliInput *o,
                             const HlModel *model,
                             HlInput *input,
                             HlBackend *backend,
                             const HlProgress *progress,
                             GError **error);

/** cli_input_open: (transfer full): NULL with @error. What was cut or is odd is said on
 * stderr. */
HlInput *cli_input_open (const CliInput *input, const HlModel *model, GError **error);

G_END_DECLS
