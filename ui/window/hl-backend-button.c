/* SPDX-License-Identifier: MIT
 * The menu of what computes. */
#include "config.h"

#include "window/hl-backend-button.h"

#include "backend/hl-backend-list.h"

#include <glib/gi18n.h>

enum
{
  AUTO,
  CPU,
  CUDA,
  N_CHOICES
};

static const char *const ids[N_CHOICES] = { "auto", "cpu", "cuda" };
static const char *const precisions[] = { "f32", "bf16", "f16" };

/* @checks, @words: a row a choice; @is_filling: what is set is not a person's choice */
typedef struct
{
  HlDocument *document;
  GSettings *settings;
  GtkCheckButton *checks[N_CHOICES];
  GtkLabel *words[N_CHOICES];
  GtkDropDown *precision;
  gboolean is_filling;
} Menu;

static void
menu_free (gpointer data)
{
  Menu *menu = data;
  g_object_unref (menu->document);
  g_clear_object (&menu->settings);
  g_free (menu);
}

static int
chosen (const Menu *menu)
{
  int i = 0;
  while (i < N_CHOICES - 1 && !gtk_check_button_get_active (menu->checks[i]))
    i++;
  return i;
}

/* Half precision is a GPU's. */
static const char *
chosen_precision (const Menu *menu)
{
  guint i = gtk_drop_down_get_selected (menu->precision);
  return chosen (menu) == CUDA && i < G_N_ELEMENTS (precisions) ? precisions[i] : "f32";
}

static void
choose (Menu *menu)
{
  gtk_widget_set_sensitive (GTK_WIDGET (menu->precision), chosen (menu) == CUDA);
  if (menu->is_filling)
    return;
  if (menu->settings != NULL)
    {
      g_settings_set_string (menu->settings, "backend", ids[chosen (menu)]);
      g_settings_set_string (menu->settings, "precision", chosen_precision (menu));
    }
  hl_document_set_backend (menu->document, ids[chosen (menu)], chosen_precision (menu));
}

/* Of both that change, the one that is on now. */
static void
toggled_cb (GtkCheckButton *check, Menu *menu)
{
  if (gtk_check_button_get_active (check))
    choose (menu);
}

static void
precision_cb (GtkDropDown *drop_down, GParamSpec *pspec, Menu *menu)
{
  choose (menu);
}

/* ---- what there is -------------------------------------------------------------------
 */

static void
show_status (Menu *menu, const HlBackendStatus *status)
{
  int i = g_str_equal (status->id, "cpu") ? CPU : CUDA;
  gtk_label_set_text (menu->words[i], status->text);
  gtk_widget_set_sensitive (GTK_WIDGET (menu->checks[i]), status->is_available);
  if (status->is_automatic)
    {
      g_autofree char *text =
          g_strdup_printf (_ ("The fastest that is known to be right here: %s"),
                           i == CPU ? "CPU" : "CUDA");
      gtk_label_set_text (menu->words[AUTO], text);
    }
}

static void
listed_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GtkWidget) button = data;
  Menu *menu = g_object_get_data (G_OBJECT (button), "backend-menu");
  g_autoptr (GPtrArray) list = hl_document_list_backends_finish (source, result);
  for (guint i = 0; list != NULL && i < list->len; i++)
    show_status (menu, g_ptr_array_index (list, i));
}

static void
shown_cb (GtkWidget *popover, GtkWidget *button)
{
  Menu *menu = g_object_get_data (G_OBJECT (button), "backend-menu");
  hl_document_list_backends (menu->document, listed_cb, g_object_ref (button));
}

/* ---- building ------------------------------------------------------------------------
 */

static GtkWidget *
build_row (Menu *menu, int i, const char *title)
{
  GtkWidget *row = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  GtkWidget *check = gtk_check_button_new_with_mnemonic (title);
  GtkWidget *words = gtk_label_new ("");
  gtk_label_set_xalign (GTK_LABEL (words), 0);
  gtk_label_set_wrap (GTK_LABEL (words), TRUE);
  gtk_label_set_max_width_chars (GTK_LABEL (words), 44);
  gtk_widget_set_margin_start (words, 26);
  gtk_widget_add_css_class (words, "caption");
  gtk_widget_add_css_class (words, "dim-label");
  gtk_box_append (GTK_BOX (row), check);
  gtk_box_append (GTK_BOX (row), words);
  g_auto (GStrv) parts =
      g_strsplit (title, "_", 2); /* GTK 4.8 would say the underscore */
  g_autofree char *name = g_strjoinv ("", parts);
  gtk_accessible_update_property (GTK_ACCESSIBLE (check), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  name, -1);
  gtk_accessible_update_relation (GTK_ACCESSIBLE (check),
                                  GTK_ACCESSIBLE_RELATION_DESCRIBED_BY, words, NULL, -1);
  menu->checks[i] = GTK_CHECK_BUTTON (check);
  menu->words[i] = GTK_LABEL (words);
  if (i > 0)
    gtk_check_button_set_group (menu->checks[i], menu->checks[0]);
  return row;
}

static GtkWidget *
build_precision (Menu *menu)
{
  const char *const names[] = { "float32", "bfloat16", "float16", NULL };
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 12);
  GtkWidget *title = gtk_label_new_with_mnemonic (_ ("_Precision"));
  GtkWidget *drop_down = gtk_drop_down_new_from_strings (names);
  gtk_widget_set_hexpand (title, TRUE);
  gtk_label_set_xalign (GTK_LABEL (title), 0);
  gtk_label_set_mnemonic_widget (GTK_LABEL (title), drop_down);
  gtk_widget_set_tooltip_text (
      box, _ ("Of a GPU. Half precision is faster and keeps three digits of a number; "
              "sessions say what they were made in"));
  gtk_box_append (GTK_BOX (box), title);
  gtk_box_append (GTK_BOX (box), drop_down);
  menu->precision = GTK_DROP_DOWN (drop_down);
  return box;
}

static GtkWidget *
build (Menu *menu)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 9);
  GtkWidget *title = gtk_label_new (_ ("Compute on"));
  gtk_widget_add_css_class (title, "heading");
  gtk_label_set_xalign (GTK_LABEL (title), 0);
  gtk_widget_set_margin_top (box, 6);
  gtk_widget_set_margin_bottom (box, 6);
  gtk_widget_set_margin_start (box, 6);
  gtk_widget_set_margin_end (box, 6);
  gtk_box_append (GTK_BOX (box), title);
  gtk_box_append (GTK_BOX (box), build_row (menu, AUTO, _ ("_Automatic")));
  gtk_box_append (GTK_BOX (box), build_row (menu, CPU, _ ("_CPU")));
  gtk_box_append (GTK_BOX (box), build_row (menu, CUDA, _ ("CU_DA (NVIDIA GPU)")));
  gtk_box_append (GTK_BOX (box), gtk_separator_new (GTK_ORIENTATION_HORIZONTAL));
  gtk_box_append (GTK_BOX (box), build_precision (menu));
  return box;
}

static int
index_of (const char *text, const char *const *list, int n)
{
  for (int i = 0; i < n; i++)
    if (g_str_equal (text, list[i]))
      return i;
  return 0;
}

static void
restore (Menu *menu)
{
  g_autofree char *id = NULL, *precision = NULL;
  if (menu->settings != NULL)
    {
      id = g_settings_get_string (menu->settings, "backend");
      precision = g_settings_get_string (menu->settings, "precision");
    }
  int i = id != NULL ? index_of (id, ids, N_CHOICES) : AUTO;
  int k =
      precision != NULL ? index_of (precision, precisions, G_N_ELEMENTS (precisions)) : 0;
  gtk_check_button_set_active (menu->checks[i], TRUE);
  gtk_drop_down_set_selected (menu->precision, (guint) k);
  gtk_widget_set_sensitive (GTK_WIDGET (menu->precision), i == CUDA);
  hl_document_set_backend (menu->document, ids[i], chosen_precision (menu));
}

void
hl_backend_button_set_up (GtkMenuButton *button,
                          HlDocument *document,
                          GSettings *settings)
{
  Menu *menu = g_new0 (Menu, 1);
  GtkWidget *popover = gtk_popover_new ();
  menu->document = g_object_ref (document);
  menu->settings = settings != NULL ? g_object_ref (settings) : NULL;
  g_object_set_data_full (G_OBJECT (button), "backend-menu", menu, menu_free);
  gtk_popover_set_child (GTK_POPOVER (popover), build (menu));
  menu->is_filling = TRUE;
  restore (menu);
  menu->is_filling = FALSE;
  for (int i = 0; i < N_CHOICES; i++)
    g_signal_connect (menu->checks[i], "toggled", G_CALLBACK (toggled_cb), menu);
  g_signal_connect (menu->precision, "notify::selected", G_CALLBACK (precision_cb), menu);
  g_signal_connect (popover, "show", G_CALLBACK (shown_cb), button);
  gtk_menu_button_set_popover (button, popover);
}
