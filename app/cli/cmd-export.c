/* SPDX-License-Identifier: MIT
 * headlight export S.h5 --site NAME --csv F */
#include "config.h"

#include "cli.h"

#include "base/hl-error.h"
#include "trace/hl-run.h"

#include <glib/gi18n.h>
#include <string.h>

/* The axes' names of a site: from the table, else by number. */
static char **
axis_names (const char *site, int n_dims)
{
  if (g_str_equal (site, "logits") && n_dims == 1)
    {
      const char *const names[] = { "class", NULL };
      return g_strdupv ((char **) names);
    }
  for (int i = 0; i < HL_N_SITES; i++)
    if (g_str_has_suffix (site, hl_site_suffix ((HlSite) i)))
      {
        char **names = g_strsplit (hl_site_axes ((HlSite) i), ",", -1);
        if ((int) g_strv_length (names) == n_dims)
          return names;
        g_strfreev (names);
      }
  char **names = g_new0 (char *, (gsize) n_dims + 1);
  for (int i = 0; i < n_dims; i++)
    names[i] = g_strdup_printf ("axis%d", i);
  return names;
}

static void
append_row (GString *text, const HlTensor *t, gint64 index)
{
  gint64 place[HL_MAX_DIMS];
  gint64 rest = index;
  for (int d = t->shape.n_dims - 1; d >= 0; d--)
    {
      place[d] = rest % t->shape.dim[d];
      rest /= t->shape.dim[d];
    }
  for (int d = 0; d < t->shape.n_dims; d++)
    g_string_append_printf (text, "%" G_GINT64_FORMAT ",", place[d]);
  char number[G_ASCII_DTOSTR_BUF_SIZE];
  /* Nine digits give every float32 back; the point is a point in every locale. */
  g_ascii_formatd (number, sizeof number, "%.9g", (double) hl_tensor_f32 (t)[index]);
  g_string_append (text, number);
  g_string_append_c (text, '\n');
}

static gboolean
write_csv (const HlTensor *t, const char *site, const char *path, GError **error)
{
  g_autoptr (GFile) file = g_file_new_for_commandline_arg (path);
  g_autoptr (GFileOutputStream) stream =
      g_file_replace (file, NULL, FALSE, G_FILE_CREATE_REPLACE_DESTINATION, NULL, error);
  if (stream == NULL)
    return FALSE;
  g_auto (GStrv) names = axis_names (site, t->shape.n_dims);
  g_autofree char *head = g_strjoinv (",", names);
  g_autoptr (GString) text = g_string_new (head);
  g_string_append (text, t->shape.n_dims > 0 ? ",value\n" : "value\n");
  gint64 n = hl_tensor_count (t);
  for (gint64 i = 0; i < n; i++)
    {
      append_row (text, t, i);
      if ((text->len < 1 << 20 && i < n - 1))
        continue;
      if (!g_output_stream_write_all (G_OUTPUT_STREAM (stream), text->str, text->len,
                                      NULL, NULL, error))
        return FALSE;
      g_string_truncate (text, 0);
    }
  return g_output_stream_close (G_OUTPUT_STREAM (stream), NULL, error);
}

static gboolean
run (const char *session_path,
     const char *site,
     const char *csv,
     int index,
     GError **error)
{
  g_autoptr (HlSession) session = cli_open_session (session_path, NULL, error);
  if (session == NULL)
    return FALSE;
  HlTrace *trace = index >= 0 ? hl_session_get_trace (session, (guint) index) : NULL;
  if (trace == NULL)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                   "%s: trace 0 to %d expected, %d found", session_path,
                   (int) hl_session_get_n_traces (session) - 1, index);
      return FALSE;
    }
  HlTensor *t =
      g_str_equal (site, "logits") ? trace->logits : hl_trace_get_site (trace, site);
  if (t != NULL)
    return write_csv (t, site, csv, error);
  g_autoptr (GList) keys =
      g_list_sort (g_hash_table_get_keys (trace->sites), (GCompareFunc) strcmp);
  g_set_error (error, HL_ERROR, HL_ERROR_MISSING,
               "%s: site \"%s\" is not in trace %d; it holds %u sites%s%s", session_path,
               site, index, g_hash_table_size (trace->sites),
               keys != NULL ? ", the first " : "",
               keys != NULL ? (const char *) keys->data : "");
  return FALSE;
}

CliStatus
cli_export (int argc, char **argv)
{
  g_autofree char *site = NULL, *csv = NULL;
  int trace = 0;
  gboolean done;
  const GOptionEntry entries[] = {
    { "site", 0, 0, G_OPTION_ARG_STRING, &site,
      N_ ("Which numbers: \"blocks.3.attn.hook_pattern\", \"logits\""), "NAME" },
    { "csv", 0, 0, G_OPTION_ARG_FILENAME, &csv, N_ ("The file to write"), "FILE" },
    { "trace", 0, 0, G_OPTION_ARG_INT, &trace, N_ ("Which trace of the session"), "N" },
    G_OPTION_ENTRY_NULL
  };
  CliStatus status = cli_parse ("export", entries, &argc, &argv, &done);
  if (done)
    return status;
  if (argc != 2 || site == NULL || csv == NULL)
    return cli_usage ("export", _ ("a session, --site NAME and --csv FILE expected"));
  GError *error = NULL;
  if (!run (argv[1], site, csv, trace, &error))
    return cli_fail (error);
  return CLI_OK;
}

CliStatus
cli_check_session (int argc, char **argv)
{
  /* hl_session_check_main() takes the whole program's arguments. */
  char *all[] = { (char *) "headlight", argv[0], argc > 1 ? argv[1] : NULL, NULL };
  return (CliStatus) hl_session_check_main (argc > 1 ? 3 : 2, all);
}
