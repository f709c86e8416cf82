/* SPDX-License-Identifier: MIT
 * What a person wrote of single heads. */
#include "config.h"

#include "document/hl-head-notes.h"

#include "io/hl-json.h"
#include "trace/hl-head-mask.h"

#include <string.h>

/* More towers than any model has. */
#define STACKS_MAX 64

struct _HlHeadNotes
{
  GHashTable *by_head; /* "5.1", "2:5.1" -> HlHeadNote */
};

static void
note_free (gpointer data)
{
  HlHeadNote *note = data;
  g_strfreev (note->tags);
  g_free (note->text);
  g_free (note);
}

HlHeadNotes *
hl_head_notes_new (void)
{
  HlHeadNotes *notes = g_new0 (HlHeadNotes, 1);
  notes->by_head = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, note_free);
  return notes;
}

void
hl_head_notes_free (HlHeadNotes *notes)
{
  if (notes == NULL)
    return;
  g_hash_table_unref (notes->by_head);
  g_free (notes);
}

/* (transfer full): "5.1" of the first stack, "2:5.1" of another. */
static char *
key_of (HlHeadKey head)
{
  return head.stack == 0
             ? g_strdup_printf ("%d.%d", head.layer, head.head)
             : g_strdup_printf ("%d:%d.%d", head.stack, head.layer, head.head);
}

static gboolean
parse_key (const char *text, HlHeadKey *key)
{
  const char *colon = strchr (text, ':');
  gint64 stack = 0;
  if (colon != NULL)
    {
      char *end;
      stack = g_ascii_strtoll (text, &end, 10);
      if (end != colon || stack < 1 || stack > STACKS_MAX)
        return FALSE;
    }
  gboolean is_good = hl_head_key_parse (colon != NULL ? colon + 1 : text, key);
  key->stack = (int) stack;
  return is_good;
}

const HlHeadNote *
hl_head_notes_get (const HlHeadNotes *notes, HlHeadKey head)
{
  g_autofree char *key = key_of (head);
  return g_hash_table_lookup (notes->by_head, key);
}

/* (transfer full): words of a text, each once, in their order. */
static char **
split_tags (const char *text)
{
  g_autofree char *cut =
      g_utf8_substring (text, 0, MIN (g_utf8_strlen (text, -1), HL_NOTE_MAX));
  g_auto (GStrv) words = g_strsplit_set (cut, ", #\t\n", -1);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  for (int i = 0; words[i] != NULL; i++)
    if (words[i][0] != '\0' && g_hash_table_add (seen, words[i]))
      g_strv_builder_add (builder, words[i]);
  return g_strv_builder_end (builder);
}

static HlHeadNote *
note_new (const char *tags, const char *text)
{
  HlHeadNote *note = g_new0 (HlHeadNote, 1);
  note->tags = split_tags (tags);
  note->text = g_utf8_substring (text, 0, MIN (g_utf8_strlen (text, -1), HL_NOTE_MAX));
  g_strstrip (note->text);
  return note;
}

gboolean
hl_head_notes_set (HlHeadNotes *notes, HlHeadKey head, const char *tags, const char *text)
{
  HlHeadNote *note = note_new (tags, text);
  const HlHeadNote *before = hl_head_notes_get (notes, head);
  gboolean is_empty = note->tags[0] == NULL && note->text[0] == '\0';
  gboolean is_same = before == NULL
                         ? is_empty
                         : g_str_equal (before->text, note->text) &&
                               g_strv_equal ((const char *const *) before->tags,
                                             (const char *const *) note->tags);
  char *key = key_of (head);
  if (is_same || is_empty)
    {
      if (!is_same)
        g_hash_table_remove (notes->by_head, key);
      note_free (note);
      g_free (key);
    }
  else
    g_hash_table_replace (notes->by_head, key, note);
  return !is_same;
}

gboolean
hl_head_notes_is_empty (const HlHeadNotes *notes)
{
  return g_hash_table_size (notes->by_head) == 0;
}

static int
by_alphabet (gconstpointer a, gconstpointer b)
{
  return g_utf8_collate (*(const char *const *) a, *(const char *const *) b);
}

GPtrArray *
hl_head_notes_list_tags (const HlHeadNotes *notes)
{
  GPtrArray *tags = g_ptr_array_new_with_free_func (g_free);
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init (&iter, notes->by_head);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    for (char **tag = ((HlHeadNote *) value)->tags; *tag != NULL; tag++)
      if (!g_ptr_array_find_with_equal_func (tags, *tag, g_str_equal, NULL))
        g_ptr_array_add (tags, g_strdup (*tag));
  g_ptr_array_sort (tags, by_alphabet);
  return tags;
}

char *
hl_head_note_join (const HlHeadNote *note)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (int i = 0; note != NULL && note->tags[i] != NULL; i++)
    g_string_append_printf (text, "%s#%s", i > 0 ? " " : "", note->tags[i]);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* ---- JSON ----------------------------------------------------------------------------
 */

char *
hl_head_notes_to_json (const HlHeadNotes *notes)
{
  json_t *root = json_object ();
  GHashTableIter iter;
  gpointer key, value;
  g_hash_table_iter_init (&iter, notes->by_head);
  while (g_hash_table_iter_next (&iter, &key, &value))
    {
      const HlHeadNote *note = value;
      json_t *tags = json_array ();
      for (int i = 0; note->tags[i] != NULL; i++)
        json_array_append_new (tags, json_string (note->tags[i]));
      json_object_set_new (root, key,
                           json_pack ("{s:o, s:s}", "tags", tags, "note", note->text));
    }
  char *text = json_dumps (root, JSON_COMPACT | JSON_SORT_KEYS);
  char *copy = g_strdup (text);
  free (text);
  json_decref (root);
  return copy;
}

static char *
join_json (const json_t *tags)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (size_t i = 0; i < json_array_size (tags); i++)
    {
      const char *tag = json_string_value (json_array_get (tags, i));
      if (tag != NULL)
        g_string_append_printf (text, "%s ", tag);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

void
hl_head_notes_take_json (HlHeadNotes *notes, const char *text)
{
  json_t *value;
  const char *key;
  g_autoptr (json_t) root =
      hl_json_load_bytes (text, strlen (text), "notes on heads", NULL, NULL);
  g_hash_table_remove_all (notes->by_head);
  json_object_foreach (root, key, value)
  {
    HlHeadKey head;
    const char *note = json_string_value (json_object_get (value, "note"));
    g_autofree char *tags = join_json (json_object_get (value, "tags"));
    if (parse_key (key, &head))
      hl_head_notes_set (notes, head, tags, note != NULL ? note : "");
  }
}
