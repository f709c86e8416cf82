/* SPDX-License-Identifier: MIT
 * A CSV whose first line names its columns: "file" (or "path", "image", "filename") or
 * "text", and "label" (or "class"). Files are looked for beside it. */
#include "base/hl-error.h"
#include "model/hl-dataset-private.h"

#include <csv.h>
#include <string.h>

#define MAX_BYTES ((gsize) 256 << 20)

typedef struct
{
  HlDataset *dataset;
  const HlLabels *labels;
  char *folder;
  GPtrArray *row; /* fields so far */
  int line;
  int file, text, label; /* columns; -1 */
  GError *error;
} Reader;

static int
find_column (const GPtrArray *row, const char *const *names)
{
  for (guint i = 0; i < row->len; i++)
    for (int n = 0; names[n] != NULL; n++)
      if (g_ascii_strcasecmp (g_ptr_array_index (row, i), names[n]) == 0)
        return (int) i;
  return -1;
}

static void
take_header (Reader *r)
{
  static const char *const files[] = { "file", "path", "image", "filename", NULL };
  static const char *const texts[] = { "text", "sentence", NULL };
  static const char *const labels[] = { "label", "class", NULL };
  r->file = find_column (r->row, files);
  r->text = find_column (r->row, texts);
  r->label = find_column (r->row, labels);
  if (r->file < 0 && r->text < 0)
    g_set_error (&r->error, HL_ERROR, HL_ERROR_FORMAT,
                 "%s: a first line with a column \"file\" or \"text\" expected, \"%s\" "
                 "found",
                 r->dataset->path,
                 r->row->len > 0 ? (char *) g_ptr_array_index (r->row, 0) : "");
}

/* (transfer full) (nullable) */
static char *
field (const Reader *r, int column)
{
  return column >= 0 && column < (int) r->row->len
             ? g_strdup (g_ptr_array_index (r->row, column))
             : NULL;
}

static void
take_row (Reader *r)
{
  g_autofree char *file = field (r, r->file);
  g_autofree char *text = r->file < 0 ? field (r, r->text) : NULL;
  if ((file == NULL || file[0] == '\0') && text == NULL)
    return;
  HlDatasetItem item = {
    .name = text != NULL ? g_strdup_printf ("line %d", r->line) : g_strdup (file),
    .path = text != NULL                ? g_strdup (r->dataset->path)
            : g_path_is_absolute (file) ? g_strdup (file)
                                        : g_build_filename (r->folder, file, NULL),
    .text = g_steal_pointer (&text),
    .index = -1,
    .label_name = field (r, r->label),
  };
  hl_dataset_label (r->labels, &item);
  hl_dataset_add (r->dataset, &item, &r->error);
}

static void
field_cb (void *data, size_t length, void *user_data)
{
  Reader *r = user_data;
  g_ptr_array_add (r->row, g_utf8_make_valid (data, (gssize) length));
}

static void
row_cb (int end, void *user_data)
{
  Reader *r = user_data;
  r->line++;
  if (r->error == NULL && r->line == 1)
    take_header (r);
  else if (r->error == NULL)
    take_row (r);
  g_ptr_array_set_size (r->row, 0);
}

static void
read_text (Reader *r, const char *text, gsize length)
{
  struct csv_parser parser;
  if (csv_init (&parser, CSV_STRICT | CSV_STRICT_FINI) != 0)
    {
      g_set_error_literal (&r->error, HL_ERROR, HL_ERROR_MEMORY, "CSV: no memory");
      return;
    }
  gsize n = csv_parse (&parser, text, length, field_cb, row_cb, r);
  if ((n != length || csv_fini (&parser, field_cb, row_cb, r) != 0) && r->error == NULL)
    g_set_error (&r->error, HL_ERROR, HL_ERROR_FORMAT, "%s: row %d: %s", r->dataset->path,
                 r->line + 1, csv_strerror (csv_error (&parser)));
  csv_free (&parser);
}

gboolean
hl_dataset_list_csv (HlDataset *d, const HlModelInfo *info, GError **error)
{
  g_autofree char *text = NULL;
  gsize length;
  if (!g_file_get_contents (d->path, &text, &length, error))
    return FALSE;
  if (length > MAX_BYTES)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                   "%s: %d MB at most expected, %d MB found", d->path,
                   (int) (MAX_BYTES >> 20), (int) (length >> 20));
      return FALSE;
    }
  g_autoptr (HlLabels) labels = hl_labels_new (info, NULL, NULL);
  Reader r = { .dataset = d,
               .labels = labels,
               .folder = g_path_get_dirname (d->path),
               .row = g_ptr_array_new_with_free_func (g_free) };
  read_text (&r, text, length);
  g_free (r.folder);
  g_ptr_array_unref (r.row);
  if (r.error == NULL)
    return TRUE;
  g_propagate_error (error, r.error);
  return FALSE;
}
