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

static const CliCommand *
find_command (const char *name)
{
  const CliCommand *command = cli_commands;
  while (g_strcmp0 (command->name, name) != 0)
    command++;
  return command;
}

/* Whether @word is one of those in @of, with spaces between. */
static gboolean
is_of (const char *of, const char *word)
{
  g_auto (GStrv) words = g_strsplit (of != NULL ? of : "", " ", -1);
  return of == NULL || word == NULL ||
         g_strv_contains ((const char *const *) words, word);
}

/* (transfer full): with the groups that are of @word; of all for NULL. */
static GOptionContext *
make_context (const CliCommand *command,
              const CliGroup *groups,
              guint n_groups,
              const GOptionEntry *help,
              const char *word)
{
  GOptionContext *context = g_option_context_new (command->arguments);
  g_option_context_set_help_enabled (context, FALSE);
  if (command->summary != NULL)
    g_option_context_set_summary (context, _ (command->summary));
  for (guint i = 0; i + 1 < n_groups; i++)
    {
      if (!is_of (groups[i].of, word))
        continue;
      GOptionGroup *group =
          g_option_group_new (groups[i].title, _ (groups[i].title), "", NULL, NULL);
      g_option_group_set_translation_domain (group, GETTEXT_PACKAGE);
      g_option_group_add_entries (group, groups[i].entries);
      g_option_context_add_group (context, group);
    }
  if (n_groups > 0)
    g_option_context_add_main_entries (context, groups[n_groups - 1].entries,
                                       GETTEXT_PACKAGE);
  g_option_context_add_main_entries (context, help, GETTEXT_PACKAGE);
  return context;
}

static void
print_help (const GOptionContext *context)
{
  g_autofree char *text =
      g_option_context_get_help ((GOptionContext *) context, FALSE, NULL);
  fputs (text, stdout);
}

CliStatus
cli_parse_groups (const char *name,
                  const CliGroup *groups,
                  guint n_groups,
                  int *argc,
                  char ***argv,
                  gboolean *done)
{
  const CliCommand *command = find_command (name);
  g_autofree char *title = g_strdup_printf ("headlight %s", name);
  g_autoptr (GError) error = NULL;
  gboolean wants_help = FALSE;
  const GOptionEntry help[] = { { "help", 'h', 0, G_OPTION_ARG_NONE, &wants_help,
                                  N_ ("Show this help"), NULL },
                                G_OPTION_ENTRY_NULL };
  g_autoptr (GOptionContext) context =
      make_context (command, groups, n_groups, help, NULL);
  g_set_prgname (title);
  *done = TRUE;
  if (!g_option_context_parse (context, argc, argv, &error))
    return cli_usage (name, "%s", error->message);
  if (wants_help)
    {
      g_autoptr (GOptionContext) chosen =
          make_context (command, groups, n_groups, help, *argc > 1 ? (*argv)[1] : NULL);
      print_help (chosen);
      return CLI_OK;
    }
  *done = FALSE;
  return CLI_OK;
}

CliStatus
cli_parse (const char *name,
           const GOptionEntry *entries,
           int *argc,
           char ***argv,
           gboolean *done)
{
  const CliGroup options = { NULL, NULL, entries };
  return cli_parse_groups (name, &options, entries != NULL, argc, argv, done);
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
