/* SPDX-License-Identifier: MIT
 * What the commands share: the table, options, errors, progress on a terminal. */
#pragma once

#include "backend/hl-backend-list.h"
#include "base/hl-progress.h"
#include "session/hl-session.h"
#include "trace/hl-attention-source.h"

G_BEGIN_DECLS

typedef enum
{
  CLI_OK = 0,
  CLI_FAILED = 1,
  CLI_USAGE = 2,
} CliStatus;

/**
 * CliCommand:
 * @arguments: after the name, for the usage line
 * @summary: one line for the list of commands; NULL hides it from the list
 * @run: argv[0] is the command's name
 */
typedef struct
{
  const char *name;
  const char *arguments;
  const char *summary;
  CliStatus (*run) (int argc, char **argv);
} CliCommand;

extern const CliCommand cli_commands[];

CliStatus cli_info (int argc, char **argv);
CliStatus cli_models (int argc, char **argv);
CliStatus cli_trace (int argc, char **argv);
CliStatus cli_analyze (int argc, char **argv);
CliStatus cli_generate (int argc, char **argv);
CliStatus cli_embed (int argc, char **argv);
CliStatus cli_figure (int argc, char **argv);
CliStatus cli_export (int argc, char **argv);
CliStatus cli_tokenize (int argc, char **argv);
CliStatus cli_check_session (int argc, char **argv);

/** cli_parse: options into @entries' variables; prints help or the mistake itself.
 * Returns: CLI_OK to go on; otherwise @done is TRUE and that status ends the command. */
CliStatus cli_parse (const char *name,
                     const GOptionEntry *entries,
                     int *argc,
                     char ***argv,
                     gboolean *done);

/**
 * CliGroup: options under a heading.
 * @of: (nullable): the first arguments that they are of, with spaces between; where one
 *   is given the help leaves others' options out. NULL for all
 * The last group has no title of its own: it is of all that is left.
 */
typedef struct
{
  const char *title;
  const char *of;
  const GOptionEntry *entries;
} CliGroup;

/** cli_parse_groups: the same of groups. */
CliStatus cli_parse_groups (const char *name,
                            const CliGroup *groups,
                            guint n_groups,
                            int *argc,
                            char ***argv,
                            gboolean *done);

/** cli_fail: one line on stderr; CLI_FAILED. Frees @error. */
CliStatus cli_fail (GError *error);

/** cli_usage: one line on stderr that names the command; CLI_USAGE. */
CliStatus cli_usage (const char *name, const char *format, ...) G_GNUC_PRINTF (2, 3);

/**
 * CliProgress: a bar on stderr once something takes over a second, if that is a terminal.
 * Ctrl+C cancels the work in hand.
 */
typedef struct
{
  HlProgress progress;
  gint64 began_us;
  gboolean is_shown;
} CliProgress;

void cli_progress_start (CliProgress *self);
void cli_progress_end (CliProgress *self);

/** CLI_BACKEND_ENTRIES: the options --backend and --precision, into a HlBackendChoice
 * that owns its strings; cli_backend_clear() frees them. */
#define CLI_BACKEND_ENTRIES(choice)                                                      \
  { "backend",                                                                           \
    0,                                                                                   \
    0,                                                                                   \
    G_OPTION_ARG_STRING,                                                                 \
    (gpointer) & (choice)->id,                                                           \
    N_ ("auto, cpu or cuda"),                                                            \
    "NAME" },                                                                            \
  {                                                                                      \
    "precision", 0, 0, G_OPTION_ARG_STRING, (gpointer) & (choice)->precision,            \
        N_ ("f32; on a GPU bf16 or f16 too"), "TYPE"                                     \
  }
void cli_backend_clear (HlBackendChoice *choice);

/** cli_open_session: (transfer full): through the checking child; NULL with @error. */
HlSession *
cli_open_session (const char *path, const HlProgress *progress, GError **error);

G_END_DECLS
