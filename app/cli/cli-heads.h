/* SPDX-License-Identifier: MIT
 * The options that say which heads are pruned in every run. */
#pragma once

#include "cli.h"
#include "trace/hl-run.h"

G_BEGIN_DECLS

/** CliHeads: where the options go; all zero at first, cleared at the end. */
typedef struct
{
  char **prune;
  char *mask;
} CliHeads;

/** CLI_HEADS_ENTRIES: two rows of a table of options, into @heads (a CliHeads). */
#define CLI_HEADS_ENTRIES(heads)                                                         \
  { "prune",                                                                             \
    0,                                                                                   \
    0,                                                                                   \
    G_OPTION_ARG_STRING_ARRAY,                                                           \
    &(heads).prune,                                                                      \
    N_ ("Set this head's output to zero; may be given again"),                           \
    "LAYER.HEAD" },                                                                      \
  {                                                                                      \
    "mask", 0, 0, G_OPTION_ARG_FILENAME, &(heads).mask,                                  \
        N_ ("Prune the heads of a mask, as the window saves them"), "FILE"               \
  }

void cli_heads_clear (CliHeads *heads);

/** cli_heads_parse_list: appends "5.1,3.0" to (element-type HlHeadKey) @heads, of @stack;
 * FALSE with @error (RANGE), which begins with "--heads". */
gboolean
cli_heads_parse_list (const char *text, int stack, GArray *heads, GError **error);

/** cli_heads_interventions: (transfer full) (element-type HlIntervention): NULL with
 * @error, for a head that the model does not have or a bad mask. */
GPtrArray *
cli_heads_interventions (const CliHeads *heads, const HlModelInfo *info, GError **error);

G_END_DECLS
