/* SPDX-License-Identifier: MIT
 * An entry that takes a class or token. */
#include "config.h"

#include "window/hl-class-entry.h"

#include "model/hl-model-text.h"

gboolean
hl_class_entry_parse (GtkEditable *entry, HlDocument *document, int empty, int *found)
{
  const HlModelInfo *info = hl_document_get_model_info (document);
  g_autofree char *text = g_strstrip (g_strdup (gtk_editable_get_text (entry)));
  gboolean is_good = TRUE;
  if (text[0] == '\0')
    *found = empty;
  else if (g_ascii_strcasecmp (text, "predicted") == 0)
    *found = HL_TARGET_PREDICTED;
  else if (g_ascii_strcasecmp (text, "every") == 0 && info != NULL &&
           info->predicts == HL_PREDICTS_NEXT)
    *found = HL_TARGET_EVERY;
  else
    {
      const HlModel *model = hl_document_get_model (document);
      *found = model != NULL ? hl_model_find_class (model, text) : -1;
      is_good = *found >= 0;
    }
  if (is_good)
    gtk_widget_remove_css_class (GTK_WIDGET (entry), "error");
  else
    gtk_widget_add_css_class (GTK_WIDGET (entry), "error");
  return is_good;
}
