/* SPDX-License-Identifier: MIT
 * Made-up texts as their tokens. */
#include "config.h"

#include "test-token-scenes.h"

#include <math.h>

HlTokenScene *
test_tokens_new (gint64 n)
{
  static const char *const words[] = {
    "When",   "␣the",     "␣model", "␣reads", "␣a",       "␣sentence", ",",
    "␣each",  "␣of",      "␣its",   "␣heads", "␣looks",   "␣at",       "␣some",
    "␣other", "␣tok",     "ens",    "␣and",   "␣not",     "␣at",       "␣all",
    "␣of",    "␣them",    ".",      "␣One",   "␣follows", "␣the",      "␣noun",
    ",",      "␣another", "␣the",   "␣com",   "ma",       ".",
  };
  g_autoptr (HlTokenList) list = hl_token_list_new (n);
  for (gint64 i = 0; i < n; i++)
    {
      HlTokenItem *item = &list->items[i];
      gsize word = (gsize) (i - 1) % G_N_ELEMENTS (words);
      item->kind = 4 * i >= 3 * n ? HL_TOKEN_KIND_GENERATED : HL_TOKEN_KIND_PROMPT;
      item->id = (i * 7919) % 50257;
      item->log_prob = (float) (-0.1 - (double) ((i * 31) % 97) / 16);
      item->shade = (float) ((i * 31) % 97) / 97;
      hl_token_list_set_text (list, i, i == 0 ? "<bos>" : words[word]);
      if (i % 53 == 52)
        {
          hl_token_list_set_text (list, i, "⏎");
          hl_token_list_set_bytes (list, i, "0A");
          item->breaks_line = TRUE;
        }
    }
  if (n > 0)
    list->items[0].kind = HL_TOKEN_KIND_SPECIAL;
  HlTokenScene *scene = hl_token_scene_new (list);
  scene->title = g_strdup ("Layer 5 · head 1");
  scene->caption = g_strdup ("Attention of the selected token.");
  scene->scale = (HlScale){ HL_COLORMAP_VIRIDIS, HL_RANGE_SHARED, 0, 0.4, FALSE, FALSE };
  return scene;
}

HlTokenScene *
test_tokens_odd_new (void)
{
  static const char *const texts[] = {
    "<|im_start|>", "user",  "⏎",     "␣Hello", "你好",    "，",
    "世界",         "😀",     "",      "",       "",        "שלום",
    "مرحبا",        "हिन्दी", "é̂̃̄̆̇̈",     "‹1B›",   "\x01",    "␣",
    "␣␣␣␣",         "<img>", "<img>", "<img>",  "e\u202e", "\u0301",
    "$GIANT",       "a",     "⏎",     "<pad>",  "<pad>",   "<|end|>",
    "generated",    "␣text",
  };
  gint64 n = G_N_ELEMENTS (texts);
  g_autoptr (HlTokenList) list = hl_token_list_new (n);
  g_autofree char *giant = g_strnfill (5000, 'W');
  for (gint64 i = 0; i < n; i++)
    {
      HlTokenItem *item = &list->items[i];
      item->kind = i == 0 || i == 29 ? HL_TOKEN_KIND_SPECIAL : HL_TOKEN_KIND_PROMPT;
      item->id = 100 + i;
      item->log_prob = (float) (-0.2 * (double) i);
      hl_token_list_set_text (list, i, i == 24 ? giant : texts[i]);
      if (i >= 7 && i < 11)
        item->group = 1;
      if (i >= 19 && i < 22)
        item->kind = HL_TOKEN_KIND_IMAGE;
      if (i == 27 || i == 28)
        item->kind = HL_TOKEN_KIND_PADDING;
      if (i >= 30)
        item->kind = HL_TOKEN_KIND_GENERATED;
      item->breaks_line = i == 2 || i == 26;
    }
  HlTokenScene *scene = hl_token_scene_new (list);
  scene->title = g_strdup ("Odd tokens");
  scene->scale = (HlScale){ HL_COLORMAP_VIRIDIS, HL_RANGE_SHARED, 0, 0.4, FALSE, FALSE };
  return scene;
}

void
test_tokens_weigh (HlTokenScene *scene, gint64 query)
{
  gint64 n = hl_token_scene_count (scene);
  scene->weights = g_new0 (float, n);
  for (gint64 i = 0; i < n; i++)
    scene->weights[i] =
        i > query ? NAN
                  : (float) (0.3 * exp (-(double) (query - i) / 4) * (1 + i % 3) / 3 +
                             (i == 0 ? 0.35 : 0.002));
  scene->selected = g_new (gint64, 1);
  scene->selected[0] = query;
  scene->n_selected = 1;
}

void
test_tokens_bow (HlTokenScene *scene, int n_heads, gint64 first, gint64 end)
{
  g_autoptr (GArray) arcs = g_array_new (FALSE, FALSE, sizeof (HlArc));
  hl_token_scene_set_heads (scene, n_heads);
  for (int h = 0; h < n_heads; h++)
    scene->heads[h].label = g_strdup_printf ("5.%d", h);
  for (gint64 q = first; q < end; q++)
    for (int h = 0; h < n_heads; h++)
      for (int k = 0; k < 4; k++)
        {
          gint64 key = k == 0 ? 0 : q - (k - 1) * (2 * h + 1);
          HlArc arc = { q, MAX (key, 0), (float) (0.3 / (1 + k + h)), h };
          g_array_append_val (arcs, arc);
        }
  scene->n_arcs = arcs->len;
  scene->arcs = g_memdup2 (arcs->data, sizeof (HlArc) * MAX (arcs->len, 1));
}
