/* SPDX-License-Identifier: MIT
 * Tags and a note on the selected head. */
#include "config.h"

#include "window/hl-head-note.h"

#include <glib/gi18n.h>

typedef struct
{
  HlDocument *document;
  GtkLabel *label;
  GtkEditable *tags;
  GtkTextBuffer *text;
  gboolean is_filling;
} Note;

static void
note_free (gpointer data)
{
  Note *note = data;
  g_object_unref (note->document);
  g_free (note);
}

static const HlHeadNote *
note_of (Note *note)
{
  HlHeadKey key = hl_selection_get_head (hl_document_get_selection (note->document));
  return hl_head_notes_get (hl_document_get_head_notes (note->document), key);
}

static void
show_line (Note *note)
{
  const HlHeadNote *written = note_of (note);
  g_autofree char *tags = hl_head_note_join (written);
  g_autoptr (GString) words = g_string_new (tags);
  if (written != NULL && written->text[0] != '\0')
    g_string_append_printf (words, "%s%s", tags[0] != '\0' ? " · " : "", written->text);
  for (char *c = words->str; *c != '\0'; c++)
    if (*c == '\n')
      *c = ' ';
  gtk_label_set_text (note->label, words->str);
  gtk_widget_set_visible (GTK_WIDGET (note->label), words->len > 0);
  gtk_widget_set_tooltip_text (GTK_WIDGET (note->label),
                               written != NULL ? written->text : NULL);
}

static void
fill (Note *note)
{
  const HlHeadNote *written = note_of (note);
  g_autofree char *tags =
      written != NULL ? g_strjoinv (", ", written->tags) : g_strdup ("");
  note->is_filling = TRUE;
  gtk_editable_set_text (note->tags, tags);
  gtk_text_buffer_set_text (note->text, written != NULL ? written->text : "", -1);
  note->is_filling = FALSE;
}

static void
written_cb (Note *note)
{
  GtkTextIter start, end;
  if (note->is_filling)
    return;
  gtk_text_buffer_get_bounds (note->text, &start, &end);
  g_autofree char *text = gtk_text_buffer_get_text (note->text, &start, &end, FALSE);
  hl_document_set_head_note (note->document, gtk_editable_get_text (note->tags), text);
}

/* While it is written it is not written over. */
static void
changed_cb (GtkWidget *button)
{
  Note *note = g_object_get_data (G_OBJECT (button), "note");
  GtkPopover *popover = gtk_menu_button_get_popover (GTK_MENU_BUTTON (button));
  show_line (note);
  if (!gtk_widget_get_visible (GTK_WIDGET (popover)))
    fill (note);
}

static void
selection_changed_cb (GtkWidget *button, guint parts)
{
  Note *note = g_object_get_data (G_OBJECT (button), "note");
  if ((parts & HL_SELECTION_HEAD) == 0)
    return;
  show_line (note);
  fill (note);
}

static GtkWidget *
build (Note *note)
{
  GtkWidget *grid = gtk_grid_new (), *scroller = gtk_scrolled_window_new ();
  gtk_grid_set_row_spacing (GTK_GRID (grid), 6);
  gtk_grid_set_column_spacing (GTK_GRID (grid), 12);
  GtkWidget *tags_title = gtk_label_new_with_mnemonic (_ ("_Tags"));
  GtkWidget *text_title = gtk_label_new_with_mnemonic (_ ("N_ote"));
  GtkWidget *tags = gtk_entry_new (), *view = gtk_text_view_new ();
  gtk_label_set_xalign (GTK_LABEL (tags_title), 0);
  gtk_label_set_xalign (GTK_LABEL (text_title), 0);
  gtk_label_set_yalign (GTK_LABEL (text_title), 0);
  gtk_label_set_mnemonic_widget (GTK_LABEL (tags_title), tags);
  gtk_label_set_mnemonic_widget (GTK_LABEL (text_title), view);
  gtk_entry_set_placeholder_text (GTK_ENTRY (tags), _ ("induction, names"));
  gtk_editable_set_width_chars (GTK_EDITABLE (tags), 28);
  gtk_text_view_set_wrap_mode (GTK_TEXT_VIEW (view), GTK_WRAP_WORD_CHAR);
  gtk_text_view_set_left_margin (GTK_TEXT_VIEW (view), 6);
  gtk_text_view_set_top_margin (GTK_TEXT_VIEW (view), 6);
  gtk_text_view_set_accepts_tab (GTK_TEXT_VIEW (view), FALSE);
  gtk_widget_set_size_request (scroller, 260, 96);
  gtk_widget_add_css_class (scroller, "card");
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroller), view);
  gtk_grid_attach (GTK_GRID (grid), tags_title, 0, 0, 1, 1);
  gtk_grid_attach (GTK_GRID (grid), tags, 1, 0, 1, 1);
  gtk_grid_attach (GTK_GRID (grid), text_title, 0, 1, 1, 1);
  gtk_grid_attach (GTK_GRID (grid), scroller, 1, 1, 1, 1);
  note->tags = GTK_EDITABLE (tags);
  note->text = gtk_text_view_get_buffer (GTK_TEXT_VIEW (view));
  gtk_accessible_update_property (GTK_ACCESSIBLE (view), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Note on this head"), -1);
  g_signal_connect_swapped (tags, "changed", G_CALLBACK (written_cb), note);
  g_signal_connect_swapped (note->text, "changed", G_CALLBACK (written_cb), note);
  return grid;
}

GtkWidget *
hl_head_note_button_new (HlDocument *document, GtkLabel *label)
{
  Note *note = g_new0 (Note, 1);
  GtkWidget *button = gtk_menu_button_new (), *popover = gtk_popover_new ();
  note->document = g_object_ref (document);
  note->label = label;
  gtk_popover_set_child (GTK_POPOVER (popover), build (note));
  gtk_menu_button_set_popover (GTK_MENU_BUTTON (button), popover);
  gtk_menu_button_set_icon_name (GTK_MENU_BUTTON (button), "document-edit-symbolic");
  gtk_widget_set_tooltip_text (button, _ ("Tags and a note on this head (N)"));
  gtk_widget_set_valign (button, GTK_ALIGN_CENTER);
  g_object_set_data_full (G_OBJECT (button), "note", note, note_free);
  g_signal_connect_object (document, "head-notes-changed", G_CALLBACK (changed_cb),
                           button, G_CONNECT_SWAPPED);
  g_signal_connect_object (hl_document_get_selection (document), "changed",
                           G_CALLBACK (selection_changed_cb), button, G_CONNECT_SWAPPED);
  changed_cb (button);
  return button;
}
