/* SPDX-License-Identifier: MIT
 * From what a data set calls a class to the model's. */
#include "model/hl-labels.h"

#include <string.h>

/* A table of a thousand synsets is some 40 kB. */
#define TABLE_MAX_BYTES (4 << 20)

struct _HlLabels
{
  int n_classes; /* 0 where it is not known */
  GHashTable *by_name;
};

/* (transfer full): letters and digits alone, lower case: "T-shirt/top" is "tshirttop". */
static char *
plain (const char *name, gssize length)
{
  g_autofree char *lower = g_utf8_strdown (name, length);
  GString *out = g_string_new (NULL);
  for (const char *p = lower; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);
      if (g_unichar_isalnum (c))
        g_string_append_unichar (out, c);
    }
  return g_string_free (out, FALSE);
}

/* The first class of a name keeps it: two of ImageNet's are both called "crane". */
static void
take (HlLabels *labels, char *key, int index)
{
  if (key[0] == '\0' || g_hash_table_contains (labels->by_name, key))
    g_free (key);
  else
    g_hash_table_insert (labels->by_name, key, GINT_TO_POINTER (index));
}

gboolean
hl_labels_is_synset (const char *name)
{
  return strlen (name) == 9 && name[0] == 'n' && strspn (name + 1, "0123456789") == 8;
}

/* Lines of "n01440764 tench, Tinca tinca", in the order of the classes. */
static gboolean
read_table (HlLabels *labels, const char *folder, const char *file)
{
  g_autofree char *path = g_build_filename (folder, file, NULL);
  g_autofree char *text = NULL;
  gsize length;
  if (!g_file_test (path, G_FILE_TEST_IS_REGULAR) ||
      !g_file_get_contents (path, &text, &length, NULL) || length > TABLE_MAX_BYTES)
    return FALSE;
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  int index = 0;
  for (int i = 0; lines[i] != NULL; i++)
    {
      g_autofree char *synset = g_strndup (lines[i], 9);
      if (hl_labels_is_synset (synset))
        take (labels, g_steal_pointer (&synset), index++);
    }
  return index > 0;
}

static int
by_text (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* ImageNet's classes are in the order of their synsets. */
static void
take_order (HlLabels *labels, const GPtrArray *names)
{
  g_autoptr (GPtrArray) sorted = g_ptr_array_new ();
  for (guint i = 0; names != NULL && i < names->len; i++)
    if (hl_labels_is_synset (g_ptr_array_index (names, i)))
      g_ptr_array_add (sorted, g_ptr_array_index (names, i));
  if (labels->n_classes == 0 || (int) sorted->len != labels->n_classes)
    return;
  g_ptr_array_sort (sorted, by_text);
  for (guint i = 0; i < sorted->len; i++)
    take (labels, g_strdup (g_ptr_array_index (sorted, i)), (int) i);
}

HlLabels *
hl_labels_new (const HlModelInfo *info, const char *folder, const GPtrArray *names)
{
  static const char *const tables[] = { "LOC_synset_mapping.txt", "synset_words.txt" };
  HlLabels *labels = g_new0 (HlLabels, 1);
  labels->by_name = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  labels->n_classes = info != NULL ? info->n_classes : 0;
  char **known = info != NULL ? info->labels : NULL;
  for (int i = 0; known != NULL && known[i] != NULL; i++)
    take (labels, plain (known[i], -1), i);
  for (int i = 0; known != NULL && known[i] != NULL; i++)
    {
      const char *comma = strchr (known[i], ',');
      if (comma != NULL)
        take (labels, plain (known[i], comma - known[i]), i);
    }
  if (folder == NULL)
    return labels;
  g_autofree char *parent = g_path_get_dirname (folder);
  gboolean found = FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (tables) && !found; i++)
    found =
        read_table (labels, folder, tables[i]) || read_table (labels, parent, tables[i]);
  if (!found)
    take_order (labels, names);
  return labels;
}

void
hl_labels_free (HlLabels *labels)
{
  if (labels == NULL)
    return;
  g_hash_table_unref (labels->by_name);
  g_free (labels);
}

int
hl_labels_find (const HlLabels *labels, const char *name)
{
  gpointer index;
  guint64 number;
  if (hl_labels_is_synset (name) &&
      g_hash_table_lookup_extended (labels->by_name, name, NULL, &index))
    return GPOINTER_TO_INT (index);
  g_autofree char *key = plain (name, -1);
  if (g_hash_table_lookup_extended (labels->by_name, key, NULL, &index))
    return GPOINTER_TO_INT (index);
  guint64 most = labels->n_classes > 0 ? (guint64) labels->n_classes - 1 : G_MAXINT;
  return g_ascii_string_to_unsigned (name, 10, 0, most, &number, NULL) ? (int) number
                                                                       : -1;
}
