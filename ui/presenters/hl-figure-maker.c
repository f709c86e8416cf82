/* SPDX-License-Identifier: MIT
 * A figure of what a trace holds. */
#include "config.h"

#include "presenters/hl-figure-maker.h"

#include "base/hl-error.h"
#include "draw/hl-colormap.h"
#include "presenters/hl-figure-comparison.h"
#include "presenters/hl-present-recording.h"
#include "presenters/hl-present-tokens.h"
#include "trace/hl-word-trace.h"

#include <glib/gi18n-lib.h>
#include <string.h>

static const char *const kind_names[HL_N_FIGURE_KINDS] = {
  [HL_FIGURE_GRID] = "grid",       [HL_FIGURE_HEATMAP] = "heatmap",
  [HL_FIGURE_OVERLAY] = "overlay", [HL_FIGURE_TOKENS] = "tokens",
  [HL_FIGURE_ARCS] = "arcs",       [HL_FIGURE_COMPARISON] = "comparison",
  [HL_FIGURE_CHART] = "chart",
};

const char *
hl_figure_kind_name (HlFigureKind kind)
{
  return kind_names[kind];
}

gboolean
hl_figure_kind_from_name (const char *name, HlFigureKind *kind)
{
  for (int i = 0; i < HL_N_FIGURE_KINDS; i++)
    if (g_str_equal (name, kind_names[i]))
      {
        *kind = (HlFigureKind) i;
        return TRUE;
      }
  return FALSE;
}

gboolean
hl_figure_kind_is_of_result (HlFigureKind kind)
{
  return kind >= HL_FIGURE_COMPARISON;
}

gboolean
hl_figure_kind_fits (HlFigureKind kind, const HlTrace *trace, int stack)
{
  const HlTokenTable *tokens = hl_trace_get_tokens (trace, stack);
  const HlStack *tower = hl_model_info_get_stack (trace->model, stack);
  gboolean is_text = tokens != NULL && g_strcmp0 (trace->input_kind, "image") != 0;
  if (kind == HL_FIGURE_OVERLAY)
    return hl_present_has_recording (trace, stack) ||
           hl_present_has_patches (trace, stack);
  /* Arcs go from a text to itself. */
  if (kind == HL_FIGURE_ARCS)
    return is_text && tower != NULL && !tower->is_cross;
  if (kind == HL_FIGURE_TOKENS)
    return is_text;
  return !hl_figure_kind_is_of_result (kind);
}

/* Of a cross-attention what is asked of and what answers are two texts. */
static HlTokenTable *
tokens_of_side (const HlFigurePlan *plan, gboolean is_keys)
{
  const HlTrace *trace = plan->summary->trace;
  return is_keys ? hl_trace_get_key_tokens (trace, plan->summary->stack)
                 : hl_trace_get_tokens (trace, plan->summary->stack);
}

static gboolean
is_cross (const HlFigurePlan *plan)
{
  return hl_model_info_get_stack (plan->summary->trace->model, plan->summary->stack)
      ->is_cross;
}

/* ---- reading -------------------------------------------------------------------------
 */

static GCancellable *
cancellable_of (const HlProgress *progress)
{
  return progress != NULL ? progress->cancellable : NULL;
}

static gboolean
get_size (
    const HlFigurePlan *plan, HlHeadKey head, gint64 *Tq, gint64 *Tk, GError **error)
{
  if (hl_attention_source_get_size (plan->source, head, Tq, Tk))
    return TRUE;
  const HlStack *stack =
      hl_model_info_get_stack (plan->summary->trace->model, head.stack);
  g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
               "head %d.%d: no such head with attention in this trace; it has %d layers",
               head.layer, head.head, stack != NULL ? stack->n_layers : 0);
  return FALSE;
}

/* (Tq, Tk), or NULL with @error. */
static float *
read_map (const HlFigurePlan *plan,
          HlHeadKey head,
          gint64 Tq,
          gint64 Tk,
          const HlProgress *progress,
          GError **error)
{
  g_autofree float *map = g_try_new (float, (gsize) MAX (Tq * Tk, 1));
  if (map == NULL)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_MEMORY, "out of memory for a %d x %d map",
                   (int) Tq, (int) Tk);
      return NULL;
    }
  if (!hl_attention_source_read_rect (plan->source, plan->backend, head, 0, Tq, 0, Tk,
                                      map, cancellable_of (progress), error))
    return NULL;
  return g_steal_pointer (&map);
}

/* Sum of the rows of the chosen tokens, or of their columns: (Tk), or (Tq). */
static float *
sum_lines (const HlFigurePlan *plan,
           HlHeadKey head,
           gboolean is_from,
           const HlProgress *progress,
           GError **error)
{
  gint64 Tq, Tk;
  if (!get_size (plan, head, &Tq, &Tk, error))
    return NULL;
  gint64 n = is_from ? Tq : Tk;
  g_autofree float *line = g_new (float, (gsize) MAX (n, 1));
  g_autofree float *sum = g_new0 (float, (gsize) MAX (n, 1));
  for (guint k = 0; k < plan->n_tokens; k++)
    {
      gint64 token = plan->tokens[k];
      if (token < 0 || token >= (is_from ? Tk : Tq))
        continue;
      if (!hl_progress_step (progress, (double) k / plan->n_tokens, NULL, error) ||
          !(is_from
                ? hl_attention_source_read_column (plan->source, plan->backend, head,
                                                   token, line, cancellable_of (progress),
                                                   error)
                : hl_attention_source_read_row (plan->source, plan->backend, head, token,
                                                line, cancellable_of (progress), error)))
        return NULL;
      for (gint64 i = 0; i < n; i++)
        sum[i] += line[i];
    }
  return g_steal_pointer (&sum);
}

/* ---- panels --------------------------------------------------------------------------
 */

static gboolean
add_grid (const HlFigurePlan *plan, HlFigure *figure)
{
  g_autoptr (HlGridScene) scene = hl_present_grid (plan->summary, &plan->view);
  scene->selected_layer = plan->selected.layer;
  scene->selected_head = plan->selected.head;
  hl_figure_add_grid (figure, scene);
  return TRUE;
}

static gboolean
add_heatmap (const HlFigurePlan *plan,
             HlFigure *figure,
             HlHeadKey head,
             const HlProgress *progress,
             GError **error)
{
  gint64 Tq, Tk;
  if (!get_size (plan, head, &Tq, &Tk, error))
    return FALSE;
  g_autofree float *map = read_map (plan, head, Tq, Tk, progress, error);
  if (map == NULL)
    return FALSE;
  g_autoptr (HlMatrixScene) scene = hl_present_matrix (
      plan->summary, head, Tq, Tk, map, &plan->view, plan->query, plan->key);
  /* Side by side there is no room for the layer in words. */
  const char *name = hl_present_stack_name (plan->summary->trace, head.stack);
  if (plan->n_heads > 1 && name[0] != '\0')
    {
      g_free (scene->title);
      scene->title = g_strdup_printf ("%s %d.%d", name, head.layer, head.head);
    }
  hl_figure_add_matrix (figure, scene);
  return TRUE;
}

static void
add_overlay (const HlFigurePlan *plan,
             HlFigure *figure,
             HlHeadKey head,
             gboolean is_from,
             const float *mean)
{
  HlTrace *trace = plan->summary->trace;
  const HlTokenTable *tokens = tokens_of_side (plan, FALSE);
  g_autofree gboolean *selected = g_new0 (gboolean, (gsize) tokens->n_tokens + 1);
  for (guint i = 0; i < plan->n_tokens; i++)
    if (plan->tokens[i] >= 0 && plan->tokens[i] < tokens->n_tokens)
      selected[plan->tokens[i]] = TRUE;
  g_autoptr (HlOverlayScene) scene = hl_present_overlay (
      trace, plan->summary->stack, mean, selected, is_from, &plan->view);
  hl_present_name_head (scene, head, is_from);
  hl_figure_add_overlay (figure, scene);
}

/* The range that all panels of single rows, @n long, share, unless each is to have its
 * own. */
static double
shared_high (const HlFigurePlan *plan, const GPtrArray *lines, gint64 n)
{
  double high = 0;
  gint64 first =
      plan->kind == HL_FIGURE_OVERLAY ? 1 : 0; /* CLS lies beside the picture */
  for (guint k = 0; k < lines->len && plan->view.range != HL_RANGE_PER_HEAD; k++)
    for (gint64 i = first; i < n; i++)
      high = MAX (high, (double) ((const float *) g_ptr_array_index (lines, k))[i]);
  return high;
}

/* What each head looks at in a recording: the mean over the chosen queries. */
static gboolean
add_recordings (const HlFigurePlan *plan,
                HlFigure *figure,
                const HlProgress *progress,
                GError **error)
{
  HlTrace *trace = plan->summary->trace;
  gint64 n = tokens_of_side (plan, TRUE)->n_tokens;
  for (guint i = 0; i < plan->n_heads; i++)
    {
      g_autofree float *mean = sum_lines (plan, plan->heads[i], FALSE, progress, error);
      if (mean == NULL)
        return FALSE;
      for (gint64 k = 0; k < n; k++)
        mean[k] /= (float) MAX (plan->n_tokens, 1);
      g_autoptr (HlOverlayScene) scene =
          hl_present_recording (trace, plan->summary->stack, mean, -1, &plan->view);
      hl_present_name_head (scene, plan->heads[i], FALSE);
      hl_figure_add_overlay (figure, scene);
    }
  return TRUE;
}

static gboolean
add_overlays (const HlFigurePlan *plan,
              HlFigure *figure,
              const HlProgress *progress,
              GError **error)
{
  gint64 n = tokens_of_side (plan, FALSE)->n_tokens;
  g_autoptr (GPtrArray) lines = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < 2 * plan->n_heads; i++)
    {
      float *mean = sum_lines (plan, plan->heads[i / 2], i % 2, progress, error);
      if (mean == NULL)
        return FALSE;
      for (gint64 k = 0; k < n; k++)
        mean[k] /= (float) MAX (plan->n_tokens, 1);
      g_ptr_array_add (lines, mean);
    }
  HlFigurePlan sharing = *plan;
  sharing.view.row_high = shared_high (plan, lines, n);
  for (guint i = 0; i < lines->len; i++)
    add_overlay (&sharing, figure, plan->heads[i / 2], i % 2,
                 g_ptr_array_index (lines, i));
  return TRUE;
}

/* ---- panels of a text ----------------------------------------------------------------
 */

/* The side that weights are of: the keys, or who attends to them. */
static HlTokenList *
make_list (const HlFigurePlan *plan)
{
  const HlTrace *trace = plan->summary->trace;
  int stack = plan->summary->stack;
  gboolean shows_keys = is_cross (plan) && plan->n_tokens > 0 && !plan->view.is_from;
  gboolean is_read = hl_present_reads_out (trace, stack) && !shows_keys;
  return hl_present_token_list (tokens_of_side (plan, shows_keys),
                                is_read ? trace->predictions : NULL,
                                plan->view.first_token, plan->view.end_token);
}

/* What is chosen of a cross-attention is on the side that is not shown. */
static HlTokenScene *
make_token_scene (const HlFigurePlan *plan,
                  HlHeadKey head,
                  HlTokenList *list,
                  const float *weights)
{
  return hl_present_tokens (plan->summary->trace, head, list, plan->tokens,
                            is_cross (plan) ? 0 : plan->n_tokens, -1, weights,
                            plan->n_tokens, plan->view.is_from, &plan->view);
}

/* (transfer full): "␣And, ␣so": what a cross-attention is asked of. */
static char *
name_asked (const HlFigurePlan *plan)
{
  const HlTokenTable *tokens = tokens_of_side (plan, plan->view.is_from);
  g_autoptr (GString) names = g_string_new (NULL);
  for (guint i = 0; i < plan->n_tokens; i++)
    if (plan->tokens[i] >= 0 && plan->tokens[i] < tokens->n_tokens)
      g_string_append_printf (names, "%s%s", names->len > 0 ? ", " : "",
                              tokens->tokens[plan->tokens[i]].text);
  return g_string_free (g_steal_pointer (&names), FALSE);
}

static void
add_text (const HlFigurePlan *plan,
          HlFigure *figure,
          HlHeadKey head,
          const float *weights)
{
  g_autoptr (HlTokenList) list = make_list (plan);
  g_autoptr (HlTokenScene) scene = make_token_scene (plan, head, list, weights);
  if (weights != NULL)
    scene->title = hl_present_head_title (plan->summary->trace, head);
  if (weights != NULL && is_cross (plan))
    {
      g_autofree char *asked = name_asked (plan);
      char *caption = g_strdup_printf (_ ("%s Of “%s”."), scene->caption, asked);
      g_free (scene->caption);
      scene->caption = caption;
    }
  else if (scene->shade_words != NULL)
    scene->caption = g_strdup_printf (
        plan->summary->trace->pieces != NULL
            ? _ ("Tint: how unlikely each word was, -ln p summed over its tokens, up to "
                 "%g nats.")
            : _ ("Tint: how unlikely each token was, -ln p up to %g nats."),
        HL_SURPRISE_NATS);
  hl_figure_add_tokens (figure, scene, HL_TOKEN_FLOW, HL_TOKENS_SHOWN_ONLY);
}

static gboolean
add_texts (const HlFigurePlan *plan,
           HlFigure *figure,
           const HlProgress *progress,
           GError **error)
{
  g_autoptr (GPtrArray) lines = g_ptr_array_new_with_free_func (g_free);
  if (plan->n_tokens == 0)
    {
      /* Every head would be the same text. */
      add_text (plan, figure, plan->heads[0], NULL);
      return TRUE;
    }
  for (guint i = 0; i < plan->n_heads; i++)
    {
      float *sum = sum_lines (plan, plan->heads[i], plan->view.is_from, progress, error);
      if (sum == NULL)
        return FALSE;
      g_ptr_array_add (lines, sum);
    }
  HlFigurePlan sharing = *plan;
  sharing.view.row_high =
      shared_high (plan, lines, tokens_of_side (plan, !plan->view.is_from)->n_tokens);
  for (guint i = 0; i < lines->len; i++)
    add_text (&sharing, figure, plan->heads[i], g_ptr_array_index (lines, i));
  return TRUE;
}

static gboolean
add_arcs_of (const HlFigurePlan *plan,
             HlTokenScene *scene,
             guint index,
             const HlProgress *progress,
             GError **error)
{
  HlHeadKey head = plan->heads[index];
  gint64 Tq, Tk;
  if (!get_size (plan, head, &Tq, &Tk, error))
    return FALSE;
  /* Of the chosen queries, or of all that are shown. */
  gint64 first = plan->view.first_token;
  gint64 end = plan->view.end_token > 0 ? MIN (plan->view.end_token, Tq) : Tq;
  g_autofree float *row = g_new (float, (gsize) MAX (Tk, 1));
  gint64 n = plan->n_tokens > 0 ? plan->n_tokens : MAX (end - first, 0);
  for (gint64 i = 0; i < n; i++)
    {
      gint64 query = plan->n_tokens > 0 ? plan->tokens[i] : first + i;
      if (query < 0 || query >= Tq)
        continue;
      if (!hl_progress_step (progress, (double) i / (double) n, NULL, error) ||
          !hl_attention_source_read_row (plan->source, plan->backend, head, query, row,
                                         cancellable_of (progress), error))
        return FALSE;
      hl_present_add_arcs (scene, row, query, 1, Tk, (int) index);
    }
  return TRUE;
}

/* All heads in one panel: arcs of several are compared side by side in their colours. */
static gboolean
add_arcs (const HlFigurePlan *plan,
          HlFigure *figure,
          const HlProgress *progress,
          GError **error)
{
  g_autoptr (HlTokenList) list = make_list (plan);
  g_autoptr (HlTokenScene) scene = make_token_scene (plan, plan->heads[0], list, NULL);
  g_autoptr (GString) names = g_string_new (NULL);
  hl_token_scene_set_heads (scene, (int) plan->n_heads);
  for (guint i = 0; i < plan->n_heads; i++)
    {
      scene->heads[i].label =
          g_strdup_printf ("%d.%d", plan->heads[i].layer, plan->heads[i].head);
      g_string_append_printf (names, "%s%s", i > 0 ? ", " : "", scene->heads[i].label);
      if (!add_arcs_of (plan, scene, i, progress, error))
        return FALSE;
    }
  scene->caption = g_strdup_printf (
      ngettext (
          "Arcs of head %s: from each query to at most %d keys of weight %g or more, "
          "wider the larger the weight.%s",
          "Arcs of heads %s: from each query to at most %d keys of weight %g or more, "
          "wider the larger the weight.%s",
          plan->n_heads),
      names->str, HL_ARCS_PER_QUERY, HL_ARCS_THRESHOLD,
      hl_present_words (plan->summary->trace, plan->summary->stack));
  hl_figure_add_tokens (figure, scene, HL_TOKEN_LIST,
                        HL_TOKENS_SHOWN_ONLY | HL_TOKENS_ARCS | HL_TOKENS_INDEX);
  return TRUE;
}

/* ---- the figure ----------------------------------------------------------------------
 */

static gboolean
add_heatmaps (const HlFigurePlan *plan,
              HlFigure *figure,
              const HlProgress *progress,
              GError **error)
{
  for (guint i = 0; i < plan->n_heads; i++)
    if (!add_heatmap (plan, figure, plan->heads[i], progress, error))
      return FALSE;
  return TRUE;
}

static void
add_charts (const HlFigurePlan *plan, HlFigure *figure)
{
  for (guint i = 0; plan->charts != NULL && i < plan->charts->len; i++)
    hl_figure_add_chart (figure, g_ptr_array_index (plan->charts, i));
  if (plan->score_map != NULL)
    hl_figure_add_matrix (figure, plan->score_map);
}

static gboolean
add_panels (const HlFigurePlan *plan,
            HlFigure *figure,
            const HlProgress *progress,
            GError **error)
{
  switch (plan->kind)
    {
    case HL_FIGURE_GRID:
      return add_grid (plan, figure);
    case HL_FIGURE_HEATMAP:
      return add_heatmaps (plan, figure, progress, error);
    case HL_FIGURE_OVERLAY:
      return hl_present_has_recording (plan->summary->trace, plan->summary->stack)
                 ? add_recordings (plan, figure, progress, error)
                 : add_overlays (plan, figure, progress, error);
    case HL_FIGURE_TOKENS:
      return add_texts (plan, figure, progress, error);
    case HL_FIGURE_ARCS:
      return add_arcs (plan, figure, progress, error);
    case HL_FIGURE_COMPARISON:
      hl_figure_add_comparison (figure, plan->compare, &plan->view);
      return TRUE;
    case HL_FIGURE_CHART:
      add_charts (plan, figure);
      return TRUE;
    case HL_N_FIGURE_KINDS:
      break;
    }
  g_return_val_if_reached (FALSE);
}

/* What the figure is of, and what was changed in that run, for the caption. */
static void
add_note (const HlFigurePlan *plan, HlFigure *figure)
{
  const HlTrace *trace = plan->summary->trace;
  g_autoptr (GString) note = g_string_new (NULL);
  const char *of = plan->of != NULL ? plan->of : trace->input_name;
  g_string_append_printf (note, _ ("%s on %s."), trace->model->name, of);
  if (g_str_has_suffix (of, "."))
    g_string_truncate (note, note->len - 1); /* a text's own full stop */
  for (guint i = 0; i < trace->interventions->len; i++)
    g_string_append_printf (note, "%s%s", i == 0 ? _ (" In force: ") : ", ",
                            (const char *) g_ptr_array_index (trace->interventions, i));
  hl_figure_set_note (figure, note->str);
}

/* Beside what the trace says of itself: what of it is shown, and how. */
static void
add_choices (const HlFigurePlan *plan, HlFigure *figure)
{
  g_autoptr (GString) heads = g_string_new (NULL), tokens = g_string_new (NULL);
  for (guint i = 0; i < plan->n_heads && plan->kind != HL_FIGURE_GRID; i++)
    g_string_append_printf (heads, "%s%d.%d", i > 0 ? "," : "", plan->heads[i].layer,
                            plan->heads[i].head);
  for (guint i = 0; i < plan->n_tokens; i++)
    g_string_append_printf (tokens, "%s%" G_GINT64_FORMAT, i > 0 ? "," : "",
                            plan->tokens[i]);
  hl_figure_add_provenance (figure, "view", hl_figure_kind_name (plan->kind));
  hl_figure_add_provenance (figure, "colormap", hl_colormap_name (plan->view.colormap));
  if (plan->kind == HL_FIGURE_COMPARISON)
    return; /* which says itself what it is of */
  const char *stack =
      hl_model_info_get_stack (plan->summary->trace->model, plan->summary->stack)->name;
  if (heads->len > 0)
    hl_figure_add_provenance (figure, "heads", heads->str);
  if (stack[0] != '\0')
    hl_figure_add_provenance (figure, "stack", stack);
  if (tokens->len > 0)
    hl_figure_add_provenance (figure, "tokens", tokens->str);
}

static gboolean
has_result (const HlFigurePlan *plan)
{
  return plan->kind == HL_FIGURE_COMPARISON
             ? plan->compare != NULL
             : (plan->charts != NULL && plan->charts->len > 0) || plan->score_map != NULL;
}

static gboolean
check_kind (const HlFigurePlan *plan, GError **error)
{
  if (hl_figure_kind_is_of_result (plan->kind)
          ? has_result (plan)
          : hl_figure_kind_fits (plan->kind, plan->summary->trace, plan->summary->stack))
    return TRUE;
  g_set_error (
      error, HL_ERROR, HL_ERROR_UNSUPPORTED,
      hl_figure_kind_is_of_result (plan->kind)
          ? "%s: results to draw expected, none found"
      : plan->kind == HL_FIGURE_OVERLAY
          ? "%s: a picture with a patch grid, or a recording that is attended to, "
            "expected, this trace has none"
      : plan->kind == HL_FIGURE_ARCS && is_cross (plan)
          ? "%s: attention of a text to itself expected, a cross-attention found"
          : "%s: a text expected, this trace is not of one",
      hl_figure_kind_name (plan->kind));
  return FALSE;
}

/* Scales and labels are those of one stack. */
static gboolean
check_heads (const HlFigurePlan *plan, GError **error)
{
  for (guint i = 0; i < plan->n_heads; i++)
    if (plan->heads[i].stack != plan->summary->stack)
      {
        g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                     "%s: heads of one attention expected, of several found",
                     hl_figure_kind_name (plan->kind));
        return FALSE;
      }
  return TRUE;
}

HlFigure *
hl_figure_make (const HlFigurePlan *plan, const HlProgress *progress, GError **error)
{
  g_return_val_if_fail (plan->kind == HL_FIGURE_GRID ||
                            hl_figure_kind_is_of_result (plan->kind) || plan->n_heads > 0,
                        NULL);
  const gint64 first = 0;
  HlFigurePlan full = *plan;
  if (!check_kind (plan, error) || !check_heads (plan, error))
    return NULL;
  if (plan->kind == HL_FIGURE_OVERLAY && plan->n_tokens == 0)
    {
      full.tokens = &first; /* CLS where there is one */
      full.n_tokens = 1;
    }
  g_autoptr (HlFigure) figure = hl_figure_new ();
  if (!add_panels (&full, figure, progress, error))
    return NULL;
  const HlTrace *trace = plan->summary->trace;
  g_autofree char *title =
      g_strdup_printf ("%s on %s", trace->model->name, trace->input_name);
  hl_figure_set_title (figure, title);
  /* Results are not of the words that a trace is shown in, nor of the view's range. */
  if (hl_figure_kind_is_of_result (plan->kind))
    hl_present_provenance (figure, hl_trace_in_tokens (trace), NULL);
  else
    hl_present_provenance (figure, trace, &plan->view);
  add_choices (plan, figure);
  add_note (plan, figure);
  return g_steal_pointer (&figure);
}
