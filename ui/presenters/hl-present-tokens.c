/* SPDX-License-Identifier: MIT
 * A text's tokens as a scene. */
#include "config.h"

#include "presenters/hl-present-tokens.h"

#include "text/hl-encoding.h"
#include "trace/hl-word-trace.h"

#include <glib/gi18n-lib.h>
#include <math.h>
#include <string.h>

/* ---- the tokens ----------------------------------------------------------------------
 */

static HlTokenKind
kind_of (HlTokenRole role)
{
  static const HlTokenKind kinds[] = {
    [HL_ROLE_NONE] = HL_TOKEN_KIND_NONE,
    [HL_ROLE_SPECIAL] = HL_TOKEN_KIND_SPECIAL,
    [HL_ROLE_PROMPT] = HL_TOKEN_KIND_PROMPT,
    [HL_ROLE_GENERATED] = HL_TOKEN_KIND_GENERATED,
    [HL_ROLE_IMAGE] = HL_TOKEN_KIND_IMAGE,
    [HL_ROLE_PADDING] = HL_TOKEN_KIND_PADDING,
  };
  return kinds[role];
}

static char *
bytes_in_words (GBytes *bytes)
{
  gsize n = 0;
  const guint8 *data = bytes != NULL ? g_bytes_get_data (bytes, &n) : NULL;
  GString *text = g_string_new (NULL);
  for (gsize i = 0; i < n && i < 24; i++)
    g_string_append_printf (text, "%s%02X", i > 0 ? " " : "", data[i]);
  if (n > 24)
    g_string_append (text, " …");
  return g_string_free (text, FALSE);
}

/* Pieces of one character are tokens with the same characters of the text. */
static gboolean
is_same_character (const HlToken *a, const HlToken *b)
{
  return a->start >= 0 && a->start == b->start && a->end == b->end && b->end > b->start &&
         a->bytes != NULL && b->bytes != NULL;
}

/* The whole characters in the place of their pieces; NULL where they make none. */
static char *
join_pieces (const HlTokenTable *tokens, int first, int n)
{
  g_autoptr (GByteArray) all = g_byte_array_new ();
  for (int i = first; i < first + n; i++)
    {
      gsize size = 0;
      const guint8 *data = g_bytes_get_data (tokens->tokens[i].bytes, &size);
      g_byte_array_append (all, data, (guint) size);
    }
  if (!g_utf8_validate ((const char *) all->data, (gssize) all->len, NULL))
    return NULL;
  return g_strndup ((const char *) all->data, all->len);
}

/* Of the text it is known which tokens share a character. */
static int
count_pieces_of_text (const HlTokenTable *tokens, int first)
{
  int n = 1;
  while (first + n < tokens->n_tokens && n < HL_TOKEN_PIECES_MAX &&
         is_same_character (&tokens->tokens[first], &tokens->tokens[first + n]))
    n++;
  return n;
}

/* What was generated has no place in the text: as few of its tokens as make whole
 * characters of bytes that are none alone; 1 where none do. */
static int
count_pieces_generated (const HlTokenTable *tokens, int first)
{
  if (tokens->tokens[first].bytes == NULL)
    return 1;
  for (int n = 1; n <= HL_TOKEN_PIECES_MAX && first + n <= tokens->n_tokens; n++)
    {
      const HlToken *last = &tokens->tokens[first + n - 1];
      if (n > 1 && (last->role != HL_ROLE_GENERATED || last->bytes == NULL))
        return 1;
      g_autofree char *whole = join_pieces (tokens, first, n);
      if (whole != NULL)
        return n;
    }
  return 1;
}

static void
group_pieces (HlTokenList *list, const HlTokenTable *tokens)
{
  guint group = 0;
  for (int i = 0; i < tokens->n_tokens;)
    {
      int n = count_pieces_of_text (tokens, i);
      if (n == 1)
        n = count_pieces_generated (tokens, i);
      g_autofree char *whole = n > 1 ? join_pieces (tokens, i, n) : NULL;
      if (whole != NULL)
        {
          group++;
          g_autofree char *shown = hl_text_make_visible (whole, strlen (whole));
          hl_token_list_set_text (list, i, shown);
          for (int k = i; k < i + n; k++)
            list->items[k].group = group;
        }
      i += n;
    }
}

static void
fill_token (HlTokenList *list, const HlPredictions *p, const HlToken *token, int i)
{
  HlTokenItem *item = &list->items[i];
  g_autofree char *bytes = bytes_in_words (token->bytes);
  hl_token_list_set_text (list, i, token->text != NULL ? token->text : "");
  hl_token_list_set_bytes (list, i, bytes[0] != '\0' ? bytes : NULL);
  item->id = token->id;
  item->kind = kind_of (token->role);
  gsize size = 0;
  const char *data = token->bytes != NULL ? g_bytes_get_data (token->bytes, &size) : NULL;
  item->breaks_line = size > 0 && data[size - 1] == '\n';
  gint64 at = p != NULL ? hl_predictions_get_position (p, i) : -1;
  if (at < 0 || at >= hl_predictions_get_length (p))
    return;
  item->log_prob = hl_tensor_f32 (p->next_log_probs)[at];
  if (!isnan (item->log_prob))
    item->shade = (float) CLAMP (-(double) item->log_prob / HL_SURPRISE_NATS, 0, 1);
}

HlTokenList *
hl_present_token_list (const HlTokenTable *tokens,
                       const HlPredictions *predictions,
                       gint64 first,
                       gint64 end)
{
  int n = tokens != NULL ? tokens->n_tokens : 0;
  HlTokenList *list = hl_token_list_new (n);
  for (int i = 0; i < n; i++)
    {
      fill_token (list, predictions, &tokens->tokens[i], i);
      list->items[i].is_excluded = i < first || (end > 0 && i >= end);
    }
  list->is_words = tokens != NULL && tokens->is_words;
  if (n > 0 && !list->is_words)
    group_pieces (list, tokens);
  return list;
}

/* ---- what they attend to -------------------------------------------------------------
 */

/* Whether key @i is seen by a query between @low and @high. */
static gboolean
is_seen (
    const HlTrace *trace, HlHeadKey head, gint64 i, gint64 low, gint64 high, gint64 n)
{
  HlKeySpan first = hl_trace_keys_seen (trace, head.stack, head.layer, low, n, n);
  HlKeySpan last = hl_trace_keys_seen (trace, head.stack, head.layer, high, n, n);
  return i >= first.first && i < last.end;
}

/* Whether query @i sees a key between @low and @high. */
static gboolean
sees (const HlTrace *trace, HlHeadKey head, gint64 i, gint64 low, gint64 high, gint64 n)
{
  HlKeySpan span = hl_trace_keys_seen (trace, head.stack, head.layer, i, n, n);
  return span.first <= high && span.end > low;
}

/* What the mask of a layer keeps from the chosen tokens has no weight. */
static void
mask_weights (HlTokenScene *scene, const HlTrace *trace, HlHeadKey head, gboolean is_from)
{
  gint64 n = hl_token_scene_count (scene);
  const HlStack *stack = hl_model_info_get_stack (trace->model, head.stack);
  if (stack == NULL || stack->is_cross)
    return; /* all of it is seen, and these may be the other side's tokens */
  gint64 low = scene->n_selected > 0 ? scene->selected[0] : scene->hovered;
  gint64 high =
      scene->n_selected > 0 ? scene->selected[scene->n_selected - 1] : scene->hovered;
  if (low < 0)
    return;
  for (gint64 i = 0; i < n; i++)
    if (is_from ? !sees (trace, head, i, low, high, n)
                : !is_seen (trace, head, i, low, high, n))
      scene->weights[i] = NAN;
}

/* (transfer full) */
static char *
describe_one (const HlTokenScene *scene,
              const HlTrace *trace,
              HlHeadKey head,
              const char *what,
              const char *high)
{
  g_autofree char *prefix = hl_present_stack_prefix (trace, head.stack);
  g_autofree char *name = hl_present_token (trace, head.stack, scene->selected[0]);
  return g_strdup_printf (trace->pieces != NULL
                              ? _ ("Head %s%d.%d: %s word %d “%s”; 0 to %s, the largest "
                                   "shown.%s")
                              : _ ("Head %s%d.%d: %s token %d “%s”; 0 to %s, the largest "
                                   "shown.%s"),
                          prefix, head.layer, head.head, what, (int) scene->selected[0],
                          name, high, hl_present_words (trace, head.stack));
}

static char *
describe_several (
    const HlTrace *trace, HlHeadKey head, const char *what, guint n, const char *high)
{
  g_autofree char *prefix = hl_present_stack_prefix (trace, head.stack);
  const char *format =
      trace->pieces != NULL
          ? ngettext ("Head %s%d.%d: %s %u word; 0 to %s, the largest shown.%s",
                      "Head %s%d.%d: %s %u words, summed; 0 to %s, the largest shown.%s",
                      n)
          : ngettext ("Head %s%d.%d: %s %u token; 0 to %s, the largest shown.%s",
                      "Head %s%d.%d: %s %u tokens, summed; 0 to %s, the largest shown.%s",
                      n);
  return g_strdup_printf (format, prefix, head.layer, head.head, what, n, high,
                          hl_present_words (trace, head.stack));
}

static void
describe (HlTokenScene *scene,
          const HlTrace *trace,
          HlHeadKey head,
          guint n_summed,
          gboolean is_from)
{
  char high[G_ASCII_DTOSTR_BUF_SIZE];
  g_ascii_formatd (high, sizeof high, "%.3g", scene->scale.high);
  const char *what = is_from ? _ ("who attends to") : _ ("attention of");
  gboolean is_one = n_summed == 1 && scene->n_selected == 1;
  scene->caption = is_one ? describe_one (scene, trace, head, what, high)
                          : describe_several (trace, head, what, n_summed, high);
}

HlTokenScene *
hl_present_tokens (const HlTrace *trace,
                   HlHeadKey head,
                   HlTokenList *tokens,
                   const gint64 *selected,
                   guint n_selected,
                   gint64 hovered,
                   const float *weights,
                   guint n_summed,
                   gboolean is_from,
                   const HlViewOptions *options)
{
  HlTokenScene *scene = hl_token_scene_new (tokens);
  gint64 n = hl_token_scene_count (scene);
  scene->direction = is_from ? HL_TOKENS_ATTENDED_FROM : HL_TOKENS_ATTEND_TO;
  scene->selected = g_memdup2 (selected, sizeof (gint64) * n_selected);
  scene->n_selected = n_selected;
  scene->hovered = hovered;
  scene->scale =
      (HlScale){ .colormap = options->colormap, .mode = HL_RANGE_OWN, .high = 1 };
  if (weights == NULL && trace->predictions != NULL &&
      hl_present_reads_out (trace, head.stack))
    scene->shade_words =
        g_strdup_printf (_ ("0 to %g nats: how unlikely, -ln p"), HL_SURPRISE_NATS);
  if (weights == NULL)
    return scene;
  scene->weights = g_memdup2 (weights, sizeof (float) * (gsize) n);
  mask_weights (scene, trace, head, is_from);
  double high = 0;
  for (gint64 i = 0; i < n; i++)
    if (!isnan (scene->weights[i]))
      high = fmax (high, (double) scene->weights[i]);
  high = fmax (high, options->row_high);
  scene->scale.high = high > 0 ? high : 1;
  describe (scene, trace, head, n_summed, is_from);
  return scene;
}

/* The strongest keys of one query, by insertion: a query has thousands, an arc few. */
static int
strongest (const float *row, gint64 n, gint64 keys[HL_ARCS_PER_QUERY])
{
  int found = 0;
  for (gint64 j = 0; j < n; j++)
    {
      if ((double) row[j] < HL_ARCS_THRESHOLD ||
          (found == HL_ARCS_PER_QUERY && row[j] <= row[keys[found - 1]]))
        continue;
      int place = found < HL_ARCS_PER_QUERY ? found++ : found - 1;
      for (; place > 0 && row[j] > row[keys[place - 1]]; place--)
        keys[place] = keys[place - 1];
      keys[place] = j;
    }
  return found;
}

void
hl_present_add_arcs (HlTokenScene *scene,
                     const float *rows,
                     gint64 first_query,
                     gint64 n_rows,
                     gint64 Tk,
                     int head_index)
{
  g_autoptr (GArray) arcs = g_array_new (FALSE, FALSE, sizeof (HlArc));
  if (scene->arcs != NULL)
    g_array_append_vals (arcs, scene->arcs, (guint) scene->n_arcs);
  for (gint64 i = 0; i < n_rows; i++)
    {
      gint64 keys[HL_ARCS_PER_QUERY];
      const float *row = rows + i * Tk;
      int n = strongest (row, Tk, keys);
      for (int k = 0; k < n; k++)
        {
          HlArc arc = { first_query + i, keys[k], row[keys[k]], head_index };
          g_array_append_val (arcs, arc);
        }
    }
  g_free (scene->arcs);
  scene->n_arcs = arcs->len;
  scene->arcs = g_memdup2 (arcs->data, sizeof (HlArc) * arcs->len);
}

/* (transfer full): bytes that are no UTF-8 become U+FFFD. */
static char *
join_generated (const HlTokenTable *tokens)
{
  g_autoptr (GByteArray) generated = g_byte_array_new ();
  for (int i = 0; tokens != NULL && i < tokens->n_tokens; i++)
    {
      const HlToken *token = &tokens->tokens[i];
      gsize size = 0;
      if (token->role != HL_ROLE_GENERATED || token->bytes == NULL)
        continue;
      const guint8 *data = g_bytes_get_data (token->bytes, &size);
      g_byte_array_append (generated, data, (guint) size);
    }
  g_byte_array_append (generated, (const guint8 *) "", 1);
  return g_utf8_make_valid ((const char *) generated->data, (gssize) generated->len - 1);
}

char *
hl_present_whole_text (const HlTrace *trace, gsize *n_prompt)
{
  const char *prompt = trace->text != NULL ? trace->text : "";
  g_autofree char *rest = join_generated (hl_trace_get_tokens (trace, 0));
  if (n_prompt != NULL)
    *n_prompt = strlen (prompt);
  return g_strconcat (prompt, rest, NULL);
}

char *
hl_present_all_text (const HlTrace *trace, gsize *n_prompt)
{
  if (trace->model->readout_stack == 0)
    return hl_present_whole_text (trace, n_prompt);
  const HlTokenTable *tokens = hl_trace_get_tokens (trace, trace->model->readout_stack);
  gboolean is_text = g_strcmp0 (trace->input_kind, "text") == 0;
  g_autofree char *generated = join_generated (tokens);
  const char *text = trace->text != NULL ? trace->text : "";
  const char *target = trace->target_text != NULL ? trace->target_text : "";
  gboolean has_text = text[0] != '\0' || target[0] != '\0' || generated[0] != '\0';
  g_autofree char *prompt =
      is_text && has_text ? g_strdup_printf ("%s\n→ %s", text, target) : g_strdup (text);
  *n_prompt = strlen (prompt);
  return g_strconcat (prompt, generated, NULL);
}

/* ---- finding -------------------------------------------------------------------------
 */

/* The text as a person reads it, end to end: a character may be several tokens. */
static GByteArray *
join_tokens (const HlTokenTable *tokens, GArray *owners)
{
  GByteArray *all = g_byte_array_new ();
  for (int i = 0; i < tokens->n_tokens; i++)
    {
      const HlToken *token = &tokens->tokens[i];
      gsize size = token->text != NULL ? strlen (token->text) : 0;
      gconstpointer data = token->text;
      if (token->bytes != NULL && token->role != HL_ROLE_SPECIAL)
        data = g_bytes_get_data (token->bytes, &size);
      g_byte_array_append (all, data, (guint) size);
      for (; size > 0; size--)
        g_array_append_val (owners, i);
    }
  return all;
}

/* The tokens that a byte of the text without case comes from. */
typedef struct
{
  int first;
  int last;
} Owners;

/* Without case, character by character; what is none, NUL too, becomes U+FFFD. */
static char *
readable (const HlTokenTable *tokens, GArray *owners)
{
  g_autoptr (GArray) owner = g_array_new (FALSE, FALSE, sizeof (int));
  g_autoptr (GByteArray) all = join_tokens (tokens, owner);
  GString *text = g_string_new (NULL);
  for (guint at = 0; at < all->len;)
    {
      const char *from = (const char *) all->data + at;
      gunichar c = g_utf8_get_char_validated (from, (gssize) (all->len - at));
      gboolean is_good = c < 0x110000;
      guint size = is_good ? (guint) g_unichar_to_utf8 (c, NULL) : 1;
      g_autofree char *small =
          is_good ? g_utf8_casefold (from, (gssize) size) : g_strdup ("\xEF\xBF\xBD");
      Owners both = { g_array_index (owner, int, at),
                      g_array_index (owner, int, at + size - 1) };
      g_string_append (text, small);
      for (gsize k = strlen (small); k > 0; k--)
        g_array_append_val (owners, both);
      at += size;
    }
  return g_string_free (text, FALSE);
}

GArray *
hl_present_find_tokens (const HlTrace *trace, int stack, const char *words)
{
  GArray *found = g_array_new (FALSE, FALSE, sizeof (gint64));
  const HlTokenTable *tokens = hl_trace_get_tokens (trace, stack);
  g_autofree char *wanted = g_utf8_casefold (words, -1);
  if (tokens == NULL || wanted[0] == '\0')
    return found;
  g_autoptr (GArray) owners = g_array_new (FALSE, FALSE, sizeof (Owners));
  g_autofree char *text = readable (tokens, owners);
  gint64 last = -1;
  for (char *at = strstr (text, wanted); at != NULL; at = strstr (at + 1, wanted))
    {
      gsize end = (gsize) (at - text) + strlen (wanted) - 1;
      gint64 from = g_array_index (owners, Owners, at - text).first;
      gint64 to = g_array_index (owners, Owners, end).last;
      for (gint64 i = MAX (from, last + 1); i <= to; i++)
        g_array_append_val (found, i);
      last = MAX (last, to);
    }
  return found;
}
