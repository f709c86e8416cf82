/* SPDX-License-Identifier: MIT
 * Arcs beside the tokens: of the selected head and the pinned ones. */
#include "config.h"

#include "window/hl-token-panel-private.h"

/* Arcs of a whole map are drawn up to so many tokens; beyond, those of the chosen ones.
 */
#define ALL_ARCS_MAX 2048

static void
set_head_labels (HlTokenPanel *self, HlTokenScene *scene)
{
  hl_token_scene_set_heads (scene, (int) self->map_heads->len);
  for (guint i = 0; i < self->map_heads->len; i++)
    {
      const HlHeadKey *head = &g_array_index (self->map_heads, HlHeadKey, i);
      scene->heads[i].label = g_strdup_printf ("%d.%d", head->layer, head->head);
    }
}

/* Of a short text all arcs; of a long one those of the chosen queries. */
void
hl_token_panel_add_arcs (HlTokenPanel *self, HlTokenScene *scene)
{
  if (!gtk_toggle_button_get_active (self->list_button))
    return;
  set_head_labels (self, scene);
  for (guint i = 0; i < self->maps->len; i++)
    {
      HlTensor *map = g_ptr_array_index (self->maps, i);
      if (map != NULL)
        hl_present_add_arcs (scene, hl_tensor_f32 (map), 0, map->shape.dim[0],
                             map->shape.dim[1], (int) i);
    }
  if (hl_token_panel_count (self) <= ALL_ARCS_MAX || self->sums == NULL)
    return;
  for (guint i = 0; i < self->sums->n_tokens; i++)
    hl_present_add_arcs (scene, self->sums->rows + (gsize) i * (gsize) self->sums->Tk,
                         self->sums->tokens[i], 1, self->sums->Tk, 0);
}

/* ---- maps for arcs -------------------------------------------------------------------
 */

typedef struct
{
  HlTokenPanel *panel;
  guint index;
} MapRequest;

static void
map_read_cb (GObject *object, GAsyncResult *result, gpointer data)
{
  MapRequest *request = data;
  g_autoptr (HlTokenPanel) self = request->panel;
  guint index = request->index;
  g_free (request);
  if (self->document == NULL)
    return;
  HlTensor *map =
      hl_engine_finish (hl_document_get_engine (self->document), result, NULL);
  if (map == NULL || index >= self->maps->len)
    {
      hl_tensor_unref (map);
      return;
    }
  hl_tensor_unref (g_ptr_array_index (self->maps, index));
  g_ptr_array_index (self->maps, index) = map;
  hl_token_panel_show (self);
}

/* The selected head first, then the pinned ones. */
static void
list_heads (HlTokenPanel *self)
{
  guint n;
  HlHeadKey selected = hl_selection_get_head (hl_token_panel_get_selection (self));
  const HlHeadKey *pinned =
      hl_selection_get_pinned (hl_token_panel_get_selection (self), &n);
  g_array_set_size (self->map_heads, 0);
  g_array_append_val (self->map_heads, selected);
  for (guint i = 0; i < n; i++)
    if (pinned[i].stack == selected.stack &&
        (pinned[i].layer != selected.layer || pinned[i].head != selected.head))
      g_array_append_val (self->map_heads, pinned[i]);
}

void
hl_token_panel_ask_for_maps (HlTokenPanel *self)
{
  GCancellable *cancellable = hl_token_panel_renew (&self->maps_cancellable);
  g_ptr_array_set_size (self->maps, 0);
  list_heads (self);
  if (!gtk_toggle_button_get_active (self->list_button) || self->keys != NULL ||
      hl_token_panel_count (self) > ALL_ARCS_MAX ||
      hl_document_get_source (self->document) == NULL)
    return;
  for (guint i = 0; i < self->map_heads->len; i++)
    {
      MapRequest *request = g_new0 (MapRequest, 1);
      request->panel = g_object_ref (self);
      request->index = i;
      g_ptr_array_add (self->maps, NULL);
      hl_map_load_async (hl_document_get_engine (self->document),
                         hl_document_get_source (self->document),
                         g_array_index (self->map_heads, HlHeadKey, i), cancellable,
                         map_read_cb, request);
    }
}
