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
  gboolean no_bos;
  gboolean plain_special;
  int first_token;
  int n_tokens;
} CliInput;

/** cli_input_entries: (transfer full): @more (ended by NULL) and the options above, into
 * @input; free with g_free(). */
GOptionEntry *
cli_input_entries (CliInput *input, const GOptionEntry *more, gboolean with_image);
void cli_input_clear (CliInput *input);

/** cli_input_check: exactly one input, and options that go with it; else the mistake is
 * printed. */
CliStatus cli_input_check (const CliInput *input, const char *command);

/** cli_input_open: (transfer full): NULL with @error. What was cut or is odd is said on
 * stderr. */
HlInput *cli_input_open (const CliInput *input, const HlModel *model, GError **error);

G_END_DECLS
