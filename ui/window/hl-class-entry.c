/* SPDX-License-Identifier: MIT
 * An entry that takes a class or token. */
#include "config.h"

#include "window/hl-class-entry.h"

#include "model/hl-labels.h"

#include <string.h>

/* As it is in the vocabulary, or with its leading space as one of two spellings has it. */
static int
find_token (HlDocument *document, const char *text)
{
  HlModel *model = hl_document_get_model (document);
  HlTokenizer *tokenizer = model != NULL ? hl_model_get_tokenizer (model, NULL) : NULL;
  static const char *const before[] = { "", "Ġ", "▁" };
  for (guint i = 0; tokenizer != NULL && i < G_N_ELEMENTS (before); i++)
    {
      g_autofree char *spelled = g_strconcat (before[i], text, NULL);
      int id = hl_tokenizer_find (tokenizer, spelled);
      if (id >= 0)
        return id;
    }
  return -1;
}

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
      g_autoptr (HlLabels) labels =
          info != NULL ? hl_labels_new (info, NULL, NULL) : NULL;
      *found = labels != NULL ? hl_labels_find (labels, text) : -1;
      if (*found < 0)
        *found = find_token (document, text);
      is_good = *found >= 0;
    }
  if (is_good)
    gtk_widget_remove_css_class (GTK_WIDGET (entry), "error");
  else
    gtk_widget_add_css_class (GTK_WIDGET (entry), "error");
  return is_good;
}
