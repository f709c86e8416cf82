/* SPDX-License-Identifier: MIT
 * What the commands share. */
#include "config.h"

#include "cli.h"

#include "base/hl-paths.h"

#include <glib-unix.h>
#include <glib/gi18n.h>
#include <signal.h>
#include <string.h>
#include <stdio.h>
#include <unistd.h>

/* The one thing that a signal handler can reach. */
static GCancellable *interrupted;

CliStatus
cli_parse (const char *name,
           const GOptionEntry *entries,
           int *argc,
           char ***argv,
           gboolean *done)
{
  const CliCommand *command = cli_commands;
  while (g_strcmp0 (command->name, name) != 0)
    command++;
  g_autofree char *title = g_strdup_printf ("headlight %s", name);
  g_autoptr (GOptionContext) context = g_option_context_new (command->arguments);
  g_autoptr (GError) error = NULL;
  gboolean wants_help = FALSE;
  const GOptionEntry help[] = { { "help", 'h', 0, G_OPTION_ARG_NONE, &wants_help,
                                  N_ ("Show this help"), NULL },
                                G_OPTION_ENTRY_NULL };
  g_set_prgname (title);
  g_option_context_set_help_enabled (context, FALSE);
  if (command->summary != NULL)
    g_option_context_set_summary (context, _ (command->summary));
  if (entries != NULL)
    g_option_context_add_main_entries (context, entries, GETTEXT_PACKAGE);
  g_option_context_add_main_entries (context, help, GETTEXT_PACKAGE);
  *done = TRUE;
  if (!g_option_context_parse (context, argc, argv, &error))
    return cli_usage (name, "%s", error->message);
  if (wants_help)
    {
      g_autofree char *text = g_option_context_get_help (context, TRUE, NULL);
      fputs (text, stdout);
      return CLI_OK;
    }
  *done = FALSE;
  return CLI_OK;
}

void
cli_backend_clear (HlBackendChoice *choice)
{
  g_free ((char *) choice->id);
  g_free ((char *) choice->precision);
}

CliStatus
cli_fail (GError *error)
{
  fprintf (stderr, "headlight: %s\n", error->message);
  g_error_free (error);
  return CLI_FAILED;
}

CliStatus
cli_usage (const char *name, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  fprintf (stderr, _ ("headlight %s: %s (try headlight %s --help)\n"), name, text, name);
  return CLI_USAGE;
}

static void
on_interrupt (int number)
{
  g_cancellable_cancel (interrupted);
}

static void
show_progress (double fraction, const char *what, gpointer user_data)
{
  CliProgress *self = user_data;
  if (g_get_monotonic_time () - self->began_us < G_USEC_PER_SEC || !isatty (2))
    return;
  char bar[31] = "";
  int n = CLAMP ((int) (fraction * 30), 0, 30);
  memset (bar, '#', (size_t) n);
  memset (bar + n, '.', (size_t) (30 - n));
  fprintf (stderr, "\r[%s] %3d%% %-30.30s", bar, (int) (fraction * 100),
           what != NULL ? what : "");
  fflush (stderr);
  self->is_shown = TRUE;
}

void
cli_progress_start (CliProgress *self)
{
  *self = (CliProgress){ .began_us = g_get_monotonic_time () };
  interrupted = g_cancellable_new ();
  self->progress.func = show_progress;
  self->progress.func_data = self;
  self->progress.cancellable = interrupted;
  signal (SIGINT, on_interrupt);
}

void
cli_progress_end (CliProgress *self)
{
  signal (SIGINT, SIG_DFL);
  g_clear_object (&interrupted);
  if (self->is_shown)
    fprintf (stderr, "\r%70s\r", "");
}

HlSession *
cli_open_session (const char *path, const HlProgress *progress, GError **error)
{
  g_autofree char *checker = hl_path_program ("headlight");
  return hl_session_load_guarded (path, checker, progress, error);
}
