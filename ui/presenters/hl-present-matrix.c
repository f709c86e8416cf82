/* SPDX-License-Identifier: MIT
 * Scenes of one head: its map, and where its patches look on the picture. */
#include "config.h"

#include "presenters/hl-present.h"
#include "trace/hl-word-trace.h"

#include <glib/gi18n-lib.h>
#include <math.h>
#include <string.h>

void
hl_present_mask (const HlTrace *trace,
                 HlHeadKey head,
                 const HlViewOptions *options,
                 gint64 Tq,
                 gint64 Tk,
                 gint64 first_query,
                 gint64 n_queries,
                 gint64 first_key,
                 gint64 n_keys,
                 float *values)
{
  const HlTokenTable *tokens = hl_trace_get_tokens (trace, head.stack);
  const HlTokenTable *key_tokens = hl_trace_get_key_tokens (trace, head.stack);
  gboolean leave_out = options->leave_out_special;
  for (gint64 i = 0; i < n_queries; i++)
    {
      gint64 query = first_query + i;
      HlKeySpan seen = hl_trace_keys_seen (trace, head.stack, head.layer, query, Tq, Tk);
      gboolean row_out = leave_out && hl_token_is_left_out (tokens, query);
      for (gint64 j = 0; j < n_keys; j++)
        {
          gint64 key = first_key + j;
          if (key < seen.first || key >= seen.end || row_out ||
              (leave_out && hl_token_is_left_out (key_tokens, key)))
            values[i * n_keys + j] = NAN;
        }
    }
}

static void
fill_axis (HlAxis *axis, const HlTokenTable *tokens, gint64 n, const char *title)
{
  axis->title = g_strdup (title);
  axis->n = n;
  axis->labels = g_new0 (char *, (gsize) n + 1);
  for (gint64 i = 0; i < n; i++)
    axis->labels[i] = tokens != NULL && i < tokens->n_tokens && tokens->tokens[i].text
                          ? g_strdup (tokens->tokens[i].text)
                          : g_strdup_printf ("%d", (int) i);
  if (tokens == NULL || tokens->n_columns == 0)
    return;
  axis->major = tokens->n_columns;
  while (axis->major_offset < tokens->n_tokens &&
         tokens->tokens[axis->major_offset].role != HL_ROLE_IMAGE)
    axis->major_offset++;
}

static gboolean
has_special (const HlTokenTable *tokens)
{
  for (int i = 0; tokens != NULL && i < tokens->n_tokens; i++)
    if (hl_token_is_left_out (tokens, i))
      return TRUE;
  return FALSE;
}

HlMatrixScene *
hl_present_matrix (const HlTraceSummary *summary,
                   HlHeadKey head,
                   gint64 Tq,
                   gint64 Tk,
                   const float *values,
                   const HlViewOptions *options,
                   gint64 query,
                   gint64 key)
{
  const HlTrace *trace = summary->trace;
  const HlTokenTable *tokens = hl_trace_get_tokens (trace, head.stack);
  const HlTokenTable *key_tokens = hl_trace_get_key_tokens (trace, head.stack);
  gboolean is_picture = tokens != NULL && tokens->n_columns > 0;
  HlMatrixScene *scene = hl_matrix_scene_new ();
  scene->title = hl_present_head_title (trace, head);
  scene->scale = hl_present_scale (
      summary, hl_trace_summary_get_head (summary, head.layer, head.head), options);
  fill_axis (&scene->rows, tokens, Tq, is_picture ? _ ("query patch") : _ ("query"));
  fill_axis (&scene->columns, key_tokens, Tk, is_picture ? _ ("key patch") : _ ("key"));
  scene->pool_is_max = TRUE;
  scene->selected_row = query;
  scene->selected_column = key;
  if (values != NULL)
    {
      scene->n_values_rows = Tq;
      scene->n_values_columns = Tk;
      scene->values = g_memdup2 (values, sizeof (float) * (gsize) (Tq * Tk));
      hl_present_mask (trace, head, options, Tq, Tk, 0, Tq, 0, Tk, scene->values);
    }
  g_autofree char *range = hl_scale_describe (&scene->scale);
  g_autofree char *prefix = hl_present_stack_prefix (trace, head.stack);
  const char *special = "";
  if (has_special (tokens) || has_special (key_tokens))
    special = options->leave_out_special
                  ? _ (" Special tokens left out, rows not renormalised.")
                  : _ (" Special tokens shown.");
  scene->caption = g_strdup_printf (
      _ ("Attention of head %s%d.%d on %s; rows are queries, columns keys; %s.%s%s"),
      prefix, head.layer, head.head,
      trace->input_name[0] != '\0' ? trace->input_name : _ ("the input"), range, special,
      hl_present_words (trace, head.stack));
  return scene;
}

static gboolean
is_applicable (const HlTrace *trace,
               HlHeadKey head,
               const HlViewOptions *options,
               gint64 Tq,
               gint64 Tk,
               gint64 query,
               gint64 key)
{
  float value = 0;
  hl_present_mask (trace, head, options, Tq, Tk, query, 1, key, 1, &value);
  return !isnan (value);
}

void
hl_present_mask_line (const HlTrace *trace,
                      HlHeadKey head,
                      const HlViewOptions *options,
                      gint64 Tq,
                      gint64 Tk,
                      const gint64 *tokens,
                      guint n_tokens,
                      gboolean is_from,
                      float *line)
{
  for (gint64 i = 0; i < (is_from ? Tq : Tk); i++)
    {
      gboolean is_any = FALSE;
      for (guint k = 0; k < n_tokens && !is_any; k++)
        is_any = is_applicable (trace, head, options, Tq, Tk, is_from ? i : tokens[k],
                                is_from ? tokens[k] : i);
      if (!is_any)
        line[i] = NAN;
    }
}

static void
place_weights (HlOverlayScene *scene, const HlTokenTable *tokens, const float *weights)
{
  gsize n = (gsize) tokens->n_rows * (gsize) tokens->n_columns;
  scene->weights = g_new (float, n);
  for (gsize i = 0; i < n; i++)
    scene->weights[i] = NAN;
  for (int i = 0; i < tokens->n_tokens; i++)
    {
      const HlToken *token = &tokens->tokens[i];
      if (token->row < 0 || token->row >= tokens->n_rows || token->column < 0 ||
          token->column >= tokens->n_columns)
        continue;
      scene->weights[token->row * tokens->n_columns + token->column] = weights[i];
      scene->scale.high = fmax (scene->scale.high, (double) weights[i]);
    }
  if (!(scene->scale.high > 0))
    scene->scale.high = 1;
}

static double
special_share (const HlTokenTable *tokens, const float *weights)
{
  double share = 0;
  for (int i = 0; i < tokens->n_tokens; i++)
    if (hl_token_is_left_out (tokens, i))
      share += (double) weights[i];
  return share;
}

static void
place_selected (HlOverlayScene *scene,
                const HlTokenTable *tokens,
                const gboolean *selected,
                gboolean is_from)
{
  scene->selected = g_new0 (gboolean, (gsize) tokens->n_rows * (gsize) tokens->n_columns);
  int n = 0, last = -1;
  for (int i = 0; selected != NULL && i < tokens->n_tokens; i++)
    {
      if (!selected[i])
        continue;
      const HlToken *token = &tokens->tokens[i];
      n++;
      last = i;
      if (token->row >= 0)
        scene->selected[token->row * tokens->n_columns + token->column] = TRUE;
    }
  if (n == 1 && tokens->tokens[last].row >= 0)
    scene->title = g_strdup_printf (
        is_from ? _ ("Patch (%d, %d) is attended from") : _ ("Patch (%d, %d) attends to"),
        tokens->tokens[last].row, tokens->tokens[last].column);
  else if (n == 1)
    scene->title =
        g_strdup_printf (is_from ? _ ("%s is attended from") : _ ("%s attends to"),
                         tokens->tokens[last].text);
  else if (n > 1)
    scene->title = g_strdup_printf (
        is_from ? ngettext ("%d token is attended from", "%d tokens are attended from", n)
                : ngettext ("%d token attends to", "%d tokens attend to", n),
        n);
  else
    scene->title = g_strdup (is_from ? _ ("Attended from") : _ ("Attends to"));
}

gboolean
hl_present_has_patches (const HlTrace *trace, int stack)
{
  const HlTokenTable *tokens = hl_trace_get_tokens (trace, stack);
  return trace->pixels != NULL && tokens != NULL && tokens->n_rows > 0 &&
         tokens->n_columns > 0 && tokens == hl_trace_get_key_tokens (trace, stack);
}

HlOverlayScene *
hl_present_overlay (const HlTrace *trace,
                    int stack,
                    const float *weights,
                    const gboolean *selected,
                    gboolean is_from,
                    const HlViewOptions *options)
{
  const HlTokenTable *tokens = hl_trace_get_tokens (trace, stack);
  if (!hl_present_has_patches (trace, stack))
    return NULL;
  HlOverlayScene *scene = hl_overlay_scene_new ();
  scene->height = (int) trace->pixels->shape.dim[0];
  scene->width = (int) trace->pixels->shape.dim[1];
  scene->picture =
      g_memdup2 (trace->pixels->data, (gsize) scene->width * (gsize) scene->height * 3);
  scene->n_rows = tokens->n_rows;
  scene->n_columns = tokens->n_columns;
  scene->scale = (HlScale){ .colormap = options->colormap, .mode = HL_RANGE_OWN };
  place_selected (scene, tokens, selected, is_from);
  if (weights == NULL)
    {
      scene->show_grid = TRUE;
      scene->scale.high = 1;
      return scene;
    }
  place_weights (scene, tokens, weights);
  scene->scale.high = fmax (scene->scale.high, options->row_high);
  /* Captions go into files, so their numbers do not follow the locale. */
  char share[G_ASCII_DTOSTR_BUF_SIZE], high[G_ASCII_DTOSTR_BUF_SIZE];
  g_ascii_formatd (share, sizeof share, "%.3g", special_share (tokens, weights));
  g_ascii_formatd (high, sizeof high, "%.3g", scene->scale.high);
  g_autofree char *special =
      is_from || !has_special (tokens)
          ? g_strdup ("")
          : g_strdup_printf (_ (" Special tokens take %s of it."), share);
  scene->caption =
      g_strdup_printf (_ ("%s: mean weight over the selected, not smoothed; 0 to %s, "
                          "the largest shown.%s"),
                       scene->title, high, special);
  return scene;
}
