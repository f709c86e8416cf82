/* SPDX-License-Identifier: MIT
 * headlight models [--json] [SEARCH]: what is in the cache of downloads. */
#include "config.h"

#include "cli.h"

#include "base/hl-hub.h"
#include "presenters/hl-present-models.h"

#include <glib/gi18n.h>
#include <jansson.h>
#include <stdio.h>

static json_t *
model_json (const HlCachedModel *m)
{
  json_t *reason = m->reason != NULL ? json_string (m->reason) : json_null ();
  /* A path is bytes; JSON is UTF-8. */
  g_autofree char *folder = g_filename_display_name (m->folder);
  return json_pack ("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:b, s:o}", "name", m->name,
                    "revision", m->revision, "ref", m->ref, "family", m->family_title,
                    "model_type", m->model_type, "path", folder, "size_bytes",
                    (json_int_t) m->size_bytes, "supported", m->reason == NULL, "reason",
                    reason);
}

static void
print_json (GPtrArray *list, const char *cache)
{
  json_t *models = json_array ();
  for (guint i = 0; i < list->len; i++)
    json_array_append_new (models, model_json (g_ptr_array_index (list, i)));
  g_autofree char *shown = g_filename_display_name (cache);
  json_t *root = json_pack ("{s:s, s:o}", "cache", shown, "models", models);
  json_dumpf (root, stdout, JSON_INDENT (2));
  printf ("\n");
  json_decref (root);
}

/* Characters, not bytes, are put under each other. */
static void
print_cell (const char *text, int width)
{
  printf ("%s%*s", text, MAX (width - (int) g_utf8_strlen (text, -1), 0) + 2, "");
}

static const char *
family_of (const HlCachedModel *m)
{
  return m->family_title[0] != '\0' ? m->family_title
         : m->model_type[0] != '\0' ? m->model_type
                                    : "–";
}

static void
print_text (GPtrArray *list)
{
  int name_width = 0, family_width = 0;
  for (guint i = 0; i < list->len; i++)
    {
      const HlCachedModel *m = g_ptr_array_index (list, i);
      name_width = MAX (name_width, (int) g_utf8_strlen (m->name, -1));
      family_width = MAX (family_width, (int) g_utf8_strlen (family_of (m), -1));
    }
  for (guint i = 0; i < list->len; i++)
    {
      const HlCachedModel *m = g_ptr_array_index (list, i);
      g_autofree char *size = hl_present_model_size (m);
      g_autofree char *revision = hl_present_model_revision (m);
      print_cell (m->name, MIN (name_width, 48));
      print_cell (family_of (m), MIN (family_width, 16));
      print_cell (size[0] != '\0' ? size : "–", 9);
      print_cell (revision, 12);
      printf ("%s\n", m->reason != NULL ? m->reason : _ ("can be opened"));
    }
}

static GPtrArray *
matching (GPtrArray *list, const char *search)
{
  GPtrArray *found = g_ptr_array_new ();
  for (guint i = 0; i < list->len; i++)
    if (hl_present_model_matches (g_ptr_array_index (list, i), search))
      g_ptr_array_add (found, g_ptr_array_index (list, i));
  return found;
}

CliStatus
cli_models (int argc, char **argv)
{
  gboolean as_json = FALSE, done;
  const GOptionEntry entries[] = { { "json", 0, 0, G_OPTION_ARG_NONE, &as_json,
                                     N_ ("Print JSON"), NULL },
                                   G_OPTION_ENTRY_NULL };
  CliStatus status = cli_parse ("models", entries, &argc, &argv, &done);
  if (done)
    return status;
  if (argc > 2)
    return cli_usage ("models", _ ("one word to search for expected"));
  GError *error = NULL;
  CliProgress progress;
  g_autofree char *cache = hl_hub_folder ();
  cli_progress_start (&progress);
  g_autoptr (GPtrArray) all = hl_model_cache_list (cache, &progress.progress, &error);
  cli_progress_end (&progress);
  if (all == NULL)
    return cli_fail (error);
  g_autofree char *search = argc == 2 ? g_utf8_make_valid (argv[1], -1) : g_strdup ("");
  g_autoptr (GPtrArray) list = matching (all, search);
  if (as_json)
    print_json (list, cache);
  else
    print_text (list);
  if (list->len == 0 && all->len == 0)
    fprintf (stderr,
             _ ("headlight: no models in %s (HF_HUB_CACHE or HF_HOME say where the cache "
                "is)\n"),
             cache);
  else if (list->len == 0)
    fprintf (stderr, _ ("headlight: none of %u models matches \"%s\"\n"), all->len,
             search);
  return CLI_OK;
}
