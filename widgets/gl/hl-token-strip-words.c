/* SPDX-License-Identifier: MIT
 * The strip of tokens in words, for a screen reader and for the tooltip. */
#include "config.h"

#include "gl/hl-token-strip-private.h"

#include <glib/gi18n-lib.h>
#include <math.h>

/* The scene's words, with the strip's own selection. The weights are those of the scene's
 * selection, and not said of another. */
static char *
describe_token (HlTokenStrip *self, gint64 token)
{
  HlTokenScene scene = *self->scene;
  const gint64 *own = (const gint64 *) (void *) self->selected->data;
  gboolean is_same = self->selected->len == scene.n_selected;
  for (gint64 i = 0; is_same && i < scene.n_selected; i++)
    is_same = own[i] == scene.selected[i];
  if (!is_same)
    scene.weights = NULL;
  scene.selected = (gint64 *) (void *) self->selected->data;
  scene.n_selected = self->selected->len;
  return hl_token_scene_describe (&scene, token);
}

void
hl_token_strip_update_words (HlTokenStrip *self)
{
  g_autoptr (GString) words = g_string_new (NULL);
  gint64 token = self->hovered >= 0 ? self->hovered : self->cursor;
  if (token >= 0 && token < hl_token_strip_count (self))
    {
      g_autofree char *name = describe_token (self, token);
      g_string_append_printf (words, "%s; ", name);
    }
  gboolean is_words =
      self->scene != NULL && self->scene->tokens != NULL && self->scene->tokens->is_words;
  guint n = self->selected->len;
  g_string_append_printf (
      words,
      is_words
          ? g_dngettext (GETTEXT_PACKAGE, "%u word selected", "%u words selected", n)
          : g_dngettext (GETTEXT_PACKAGE, "%u token selected", "%u tokens selected", n),
      n);
  if (self->scene_words != NULL)
    g_string_append_printf (words, ", %s", self->scene_words);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self),
                                  GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, words->str, -1);
}

char *
hl_token_strip_describe (HlTokenStrip *self, gint64 token)
{
  g_return_val_if_fail (HL_IS_TOKEN_STRIP (self), NULL);
  g_return_val_if_fail (token >= 0 && token < hl_token_strip_count (self), NULL);
  const HlTokenItem *item = &self->scene->tokens->items[token];
  g_autofree char *name = describe_token (self, token);
  g_autoptr (GString) words = g_string_new (name);
  if (item->id >= 0)
    {
      g_autofree char *id = g_strdup_printf ("%" G_GINT64_FORMAT, item->id);
      g_string_append_c (words, '\n');
      g_string_append_printf (words, _ ("id %s"), id);
    }
  if (item->bytes != NULL)
    {
      g_string_append_c (words, '\n');
      g_string_append_printf (words, _ ("bytes %s"), item->bytes);
    }
  if (!isnan (item->log_prob))
    {
      g_string_append_c (words, '\n');
      g_string_append_printf (words, _ ("log-probability %.3g (%.3g %%)"), item->log_prob,
                              100 * exp (item->log_prob));
    }
  return g_string_free (g_steal_pointer (&words), FALSE);
}

char *
hl_token_strip_describe_arc (HlTokenStrip *self, gint64 arc)
{
  g_return_val_if_fail (HL_IS_TOKEN_STRIP (self), NULL);
  g_return_val_if_fail (self->scene != NULL && arc >= 0 && arc < self->scene->n_arcs,
                        NULL);
  return hl_token_scene_describe_arc (self->scene, arc);
}
