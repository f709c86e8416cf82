/* SPDX-License-Identifier: MIT
 * headlight: the commands. Without one it starts the window. */
#include "config.h"

#include "cli.h"

#include "base/hl-paths.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <unistd.h>

const CliCommand cli_commands[] = {
  { "info", "[MODEL]", N_ ("What a model is, or which backends there are"), cli_info },
  { "models", "[SEARCH]", N_ ("Which models are in the cache of downloads"), cli_models },
  { "trace", "MODEL FILE | --text S -o S.h5",
    N_ ("Run a model on an input, into a session"), cli_trace },
  { "analyze",
    "importance|strength|patterns|overview|saliency|cross-attention|alignment MODEL "
    "FILE | --text S | --dataset D",
    N_ ("Which heads matter, how far they look, their patterns; a data set"),
    cli_analyze },
  { "generate", "MODEL --text S --tokens N",
    N_ ("Let a language model go on with a text"), cli_generate },
  { "embed", "MODEL (--text S [--text2 S] | --image P)",
    N_ ("A text as one vector, or two compared"), cli_embed },
  { "figure", "S.h5 --view V -o F.svg|.pdf|.png", N_ ("Draw a session's heads"),
    cli_figure },
  { "export", "S.h5 --site NAME --csv F", N_ ("Write a site's numbers as text"),
    cli_export },
  { "tokenize", "MODEL --text S", N_ ("Show how a text is cut into tokens"),
    cli_tokenize },
  { "check-session", "S.h5", NULL, cli_check_session },
  { NULL },
};

static void
print_help (void)
{
  printf (_ ("Usage: headlight [COMMAND …]\n\n"
             "Look into the attention heads of transformers. Without a command, or with\n"
             "a session or model to open, it starts the window.\n\nCommands:\n"));
  for (const CliCommand *c = cli_commands; c->name != NULL; c++)
    if (c->summary != NULL)
      printf ("  %-9s %-36s %s\n", c->name, c->arguments, _ (c->summary));
  printf (
      _ ("\nheadlight COMMAND --help says more of each. Exit status: 0 good, 1 failed, "
         "2 wrong usage.\n"));
}

/* The window is another program, so that this one needs no toolkit. */
static CliStatus
start_window (char **argv)
{
  g_autofree char *program = hl_path_program ("headlight-window");
  argv[0] = program;
  execv (program, argv);
  fprintf (stderr, _ ("headlight: the window (%s) cannot be started: %s\n"), program,
           g_strerror (errno));
  return CLI_FAILED;
}

/* Servers often have the locale C, where arguments would have to be ASCII: their letters
 * are UTF-8 all the same. */
static void
set_locale (void)
{
  setlocale (LC_ALL, "");
  if (g_str_equal (nl_langinfo (CODESET), "ANSI_X3.4-1968"))
    setlocale (LC_CTYPE, "C.UTF-8");
}

int
main (int argc, char **argv)
{
  set_locale ();
  g_autofree char *locale_dir = hl_path_locale ();
  bindtextdomain (GETTEXT_PACKAGE, locale_dir);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);

  if (argc < 2)
    return (int) start_window (argv);
  if (g_str_equal (argv[1], "--help") || g_str_equal (argv[1], "-h"))
    {
      print_help ();
      return CLI_OK;
    }
  if (g_str_equal (argv[1], "--version"))
    {
      printf ("headlight %s\n", HL_VERSION);
      return CLI_OK;
    }
  for (const CliCommand *c = cli_commands; c->name != NULL; c++)
    if (g_str_equal (argv[1], c->name))
      return (int) c->run (argc - 1, argv + 1);
  if (g_file_test (argv[1], G_FILE_TEST_EXISTS))
    return (int) start_window (argv);
  fprintf (stderr,
           _ ("headlight: \"%s\" is no command and no file (try headlight --help)\n"),
           argv[1]);
  return CLI_USAGE;
}
