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
  if (model->reason != NULL)
    return g_strdup (model->reason);
  GString *words = g_string_new (model->family_title);
  g_autofree char *revision = hl_present_model_revision (model);
  add (words, revision);
  return g_string_free (words, FALSE);
}

char *
hl_present_model_size (const HlCachedModel *model)
{
  return model->size_bytes > 0 ? g_format_size (model->size_bytes) : g_strdup ("");
}

char *
hl_present_model_name (const HlCachedModel *model)
{
  g_autofree char *words = hl_present_model_words (model);
  g_autofree char *size = hl_present_model_size (model);
  g_autofree char *sentence =
      model->reason == NULL
          ? g_strdup_printf ("%s, %s", model->name, words)
          : g_strdup_printf (_ ("%s, cannot be opened: %s"), model->name, words);
  return size[0] != '\0' ? g_strconcat (sentence, ", ", size, NULL)
                         : g_steal_pointer (&sentence);
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
