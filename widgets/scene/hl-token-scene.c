/* SPDX-License-Identifier: MIT
 * A text as its tokens: the data, and words for it. */
#include "config.h"

#include "scene/hl-token-scene.h"

#include <glib/gi18n-lib.h>
#include <math.h>

#define STRINGS_BLOCK_BYTES 4096
#define QUOTED_CHARS_MAX 24

/* ---- the tokens ----------------------------------------------------------------------
 */

HlTokenList *
hl_token_list_new (gint64 n)
{
  HlTokenList *list = g_new0 (HlTokenList, 1);
  g_atomic_ref_count_init (&list->refs);
  list->n = MAX (n, 0);
  list->items = g_new0 (HlTokenItem, (gsize) MAX (n, 1));
  list->strings = g_string_chunk_new (STRINGS_BLOCK_BYTES);
  const char *nothing = g_string_chunk_insert_const (list->strings, "");
  for (gint64 i = 0; i < list->n; i++)
    {
      HlTokenItem *item = &list->items[i];
      item->text = nothing;
      item->id = -1;
      item->shade = item->log_prob = NAN;
    }
  return list;
}

HlTokenList *
hl_token_list_ref (HlTokenList *list)
{
  g_atomic_ref_count_inc (&list->refs);
  return list;
}

void
hl_token_list_unref (HlTokenList *list)
{
  if (list == NULL || !g_atomic_ref_count_dec (&list->refs))
    return;
  g_string_chunk_free (list->strings);
  g_free (list->items);
  g_free (list);
}

static const char *
keep (HlTokenList *list, const char *text)
{
  if (g_utf8_validate (text, -1, NULL))
    return g_string_chunk_insert_const (list->strings, text);
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  return g_string_chunk_insert_const (list->strings, valid);
}

void
hl_token_list_set_text (HlTokenList *list, gint64 index, const char *text)
{
  g_return_if_fail (index >= 0 && index < list->n);
  list->items[index].text = keep (list, text != NULL ? text : "");
}

void
hl_token_list_set_bytes (HlTokenList *list, gint64 index, const char *bytes)
{
  g_return_if_fail (index >= 0 && index < list->n);
  list->items[index].bytes = bytes != NULL ? keep (list, bytes) : NULL;
}

gint64
hl_token_list_piece (const HlTokenList *list, gint64 index, int *n_pieces)
{
  guint group = list->items[index].group;
  gint64 first = index, end = index + 1;
  *n_pieces = 1;
  if (group == 0)
    return index;
  while (first > 0 && list->items[first - 1].group == group)
    first--;
  /* A run that is too long is cut at every so many pieces from its beginning. */
  first += (index - first) / HL_TOKEN_PIECES_MAX * HL_TOKEN_PIECES_MAX;
  while (end < list->n && end < first + HL_TOKEN_PIECES_MAX &&
         list->items[end].group == group)
    end++;
  *n_pieces = (int) (end - first);
  return first;
}

/* ---- the scene -----------------------------------------------------------------------
 */

HlTokenScene *
hl_token_scene_new (HlTokenList *tokens)
{
  HlTokenScene *scene = g_new0 (HlTokenScene, 1);
  g_atomic_ref_count_init (&scene->refs);
  scene->tokens = tokens != NULL ? hl_token_list_ref (tokens) : NULL;
  scene->hovered = -1;
  scene->fades_low = TRUE;
  return scene;
}

HlTokenScene *
hl_token_scene_ref (HlTokenScene *scene)
{
  g_atomic_ref_count_inc (&scene->refs);
  return scene;
}

static void
free_heads (HlTokenScene *scene)
{
  for (int h = 0; h < scene->n_heads; h++)
    g_free (scene->heads[h].label);
  g_clear_pointer (&scene->heads, g_free);
  scene->n_heads = 0;
}

void
hl_token_scene_unref (HlTokenScene *scene)
{
  if (scene == NULL || !g_atomic_ref_count_dec (&scene->refs))
    return;
  free_heads (scene);
  hl_token_list_unref (scene->tokens);
  g_free (scene->title);
  g_free (scene->caption);
  g_free (scene->weights);
  g_free (scene->shade_words);
  g_free (scene->arcs);
  g_free (scene->selected);
  g_free (scene->matches);
  g_free (scene);
}

gint64
hl_token_scene_count (const HlTokenScene *scene)
{
  return scene->tokens != NULL ? scene->tokens->n : 0;
}

void
hl_token_scene_set_heads (HlTokenScene *scene, int n_heads)
{
  free_heads (scene);
  scene->heads = g_new0 (HlArcHead, (gsize) MAX (n_heads, 1));
  scene->n_heads = MAX (n_heads, 0);
}

gint64
hl_token_scene_find (const gint64 *sorted, gint64 n, gint64 value)
{
  gint64 low = 0, high = n;
  while (low < high)
    {
      gint64 middle = low + (high - low) / 2;
      if (sorted[middle] < value)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

gboolean
hl_token_scene_has (const gint64 *sorted, gint64 n, gint64 value)
{
  gint64 at = hl_token_scene_find (sorted, n, value);
  return at < n && sorted[at] == value;
}

/* ---- words ---------------------------------------------------------------------------
 */

/* (transfer full): the text of the box that a token lies in, or its beginning. */
static char *
quoted_text (const HlTokenList *list, gint64 index)
{
  int n_pieces = 1;
  const char *text = list->items[hl_token_list_piece (list, index, &n_pieces)].text;
  if (g_utf8_strlen (text, -1) <= QUOTED_CHARS_MAX)
    return g_strdup (text);
  g_autofree char *head = g_utf8_substring (text, 0, QUOTED_CHARS_MAX);
  return g_strconcat (head, "…", NULL);
}

static char *
name_of (const HlTokenList *list, gint64 index)
{
  g_autofree char *text = quoted_text (list, index);
  g_autofree char *number = g_strdup_printf ("%" G_GINT64_FORMAT, index);
  return g_strdup_printf (list->is_words ? _ ("word %s “%s”") : _ ("token %s “%s”"),
                          number, text);
}

static const char *
kind_words (HlTokenKind kind)
{
  switch (kind)
    {
    case HL_TOKEN_KIND_SPECIAL:
      return _ ("special");
    case HL_TOKEN_KIND_GENERATED:
      return _ ("generated");
    case HL_TOKEN_KIND_IMAGE:
      return _ ("image");
    case HL_TOKEN_KIND_PADDING:
      return _ ("padding");
    case HL_TOKEN_KIND_NONE:
    case HL_TOKEN_KIND_PROMPT:
    case HL_N_TOKEN_KINDS:
      break;
    }
  return NULL;
}

static void
add_weight (GString *words, const HlTokenScene *scene, gint64 index)
{
  if (scene->weights == NULL)
    return;
  float weight = scene->weights[index];
  g_string_append (words, ", ");
  if (isnan (weight))
    g_string_append (words, _ ("not applicable"));
  else if (scene->direction == HL_TOKENS_ATTEND_TO)
    g_string_append_printf (words, _ ("attended to with %.3g"), weight);
  else
    g_string_append_printf (words, _ ("attends with %.3g"), weight);
}

char *
hl_token_scene_describe (const HlTokenScene *scene, gint64 index)
{
  const HlTokenList *list = scene->tokens;
  g_autofree char *name = name_of (list, index);
  const char *kind = kind_words (list->items[index].kind);
  g_autoptr (GString) words = g_string_new (name);
  if (kind != NULL)
    g_string_append_printf (words, ", %s", kind);
  if (list->items[index].is_excluded)
    g_string_append_printf (words, ", %s", _ ("left out"));
  if (hl_token_scene_has (scene->selected, scene->n_selected, index))
    g_string_append_printf (words, ", %s", _ ("selected"));
  add_weight (words, scene, index);
  return g_string_free (g_steal_pointer (&words), FALSE);
}

/* The @n_most largest weights, largest first; returns how many there are. */
static int
find_largest (const HlTokenScene *scene, int n_most, gint64 *found)
{
  int n = 0;
  for (gint64 i = 0; i < scene->tokens->n; i++)
    {
      float weight = scene->weights[i];
      if (isnan (weight) || (n == n_most && weight <= scene->weights[found[n - 1]]))
        continue;
      int at = n < n_most ? n++ : n - 1;
      while (at > 0 && scene->weights[found[at - 1]] < weight)
        {
          found[at] = found[at - 1];
          at--;
        }
      found[at] = i;
    }
  return n;
}

char *
hl_token_scene_describe_selected (const HlTokenScene *scene, int n_most)
{
  if (scene->weights == NULL || scene->n_selected == 0 || n_most < 1 ||
      hl_token_scene_count (scene) == 0)
    return NULL;
  g_autofree gint64 *found = g_new (gint64, n_most);
  int n = find_largest (scene, n_most, found);
  g_autoptr (GString) words = g_string_new (NULL);
  for (int i = 0; i < n; i++)
    {
      g_autofree char *name = name_of (scene->tokens, found[i]);
      g_string_append_printf (words, "%s%s %.3g", i > 0 ? ", " : "", name,
                              scene->weights[found[i]]);
    }
  if (scene->direction == HL_TOKENS_ATTEND_TO)
    return g_strdup_printf (_ ("attends to %s"), words->str);
  return g_strdup_printf (_ ("attended from %s"), words->str);
}

char *
hl_token_scene_describe_arc (const HlTokenScene *scene, gint64 arc)
{
  const HlArc *a = &scene->arcs[arc];
  const char *head =
      a->head >= 0 && a->head < scene->n_heads ? scene->heads[a->head].label : NULL;
  g_autofree char *query = name_of (scene->tokens, a->query);
  g_autofree char *key = name_of (scene->tokens, a->key);
  return g_strdup_printf ("%s%s%s → %s: %.3g", head != NULL ? head : "",
                          head != NULL ? ": " : "", query, key, (double) a->weight);
}
