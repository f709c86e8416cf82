/* SPDX-License-Identifier: MIT
 * A list of models in words. */
#include "config.h"

#include "presenters/hl-present-models.h"

#include <glib/gi18n.h>
#include <string.h>

#define SHORT_HASH 7

char *
hl_present_model_revision (const HlCachedModel *model)
{
  g_autofree char *hash = g_strndup (model->revision, SHORT_HASH);
  return model->ref[0] != '\0' ? g_strdup_printf ("%s %s", model->ref, hash)
                               : g_steal_pointer (&hash);
}

static void
add (GString *words, const char *part)
{
  if (part[0] != '\0')
    g_string_append_printf (words, "%s%s", words->len > 0 ? " · " : "", part);
}

char *
hl_present_model_words (const HlCachedModel *model)
{
  GString *words = g_string_new (NULL);
  g_autofree char *size =
      model->size_bytes > 0 ? g_format_size (model->size_bytes) : g_strdup ("");
  g_autofree char *revision = hl_present_model_revision (model);
  add (words, model->reason != NULL ? model->reason : model->family_title);
  add (words, size);
  add (words, revision);
  return g_string_free (words, FALSE);
}

char *
hl_present_model_name (const HlCachedModel *model)
{
  g_autofree char *words = hl_present_model_words (model);
  return model->reason == NULL
             ? g_strdup_printf ("%s, %s", model->name, words)
             : g_strdup_printf (_ ("%s, cannot be opened: %s"), model->name, words);
}

static gboolean
holds (const char *text, const char *folded_word)
{
  g_autofree char *folded = g_utf8_casefold (text, -1);
  return strstr (folded, folded_word) != NULL;
}

gboolean
hl_present_model_matches (const HlCachedModel *model, const char *search)
{
  g_autofree char *folded = g_utf8_casefold (search, -1);
  g_auto (GStrv) words = g_strsplit_set (folded, " \t", -1);
  for (int i = 0; words[i] != NULL; i++)
    if (words[i][0] != '\0' && !holds (model->name, words[i]) &&
        !holds (model->family_title, words[i]) && !holds (model->model_type, words[i]) &&
        !g_str_has_prefix (model->revision, words[i]))
      return FALSE;
  return TRUE;
}
