/* SPDX-License-Identifier: MIT
 * headlight figure S.h5 --view V -o F.svg|.pdf|.png */
#include "config.h"

#include "cli-heads.h"
#include "figure.h"

#include "base/hl-error.h"
#include "draw/hl-colormap.h"
#include "trace/hl-word-trace.h"

#include <glib/gi18n.h>
#include <stdio.h>

static void
options_clear (FigureOptions *o)
{
  g_free (o->view);
  g_free (o->output);
  g_free (o->heads);
  g_free (o->stack);
  g_free (o->query);
  g_free (o->colormap);
  g_free (o->range);
  g_free (o->width);
  g_free (o->slice);
  g_free (o->score);
  g_free (o->chart);
  cli_backend_clear (&o->backend);
}

static void
figure_clear (Figure *m)
{
  hl_trace_summary_free (m->summary);
  hl_matrix_scene_unref (m->score_map);
  g_clear_pointer (&m->charts, g_ptr_array_unref);
  g_free (m->of);
  g_free (m->whose);
  hl_cross_result_unref (m->cross);
  hl_cross_map_free (m->cross_map);
  hl_attention_source_unref (m->source);
  hl_backend_unref (m->backend);
}

static int
by_place (gconstpointer a, gconstpointer b)
{
  gint64 x = *(const gint64 *) a, y = *(const gint64 *) b;
  return (x > y) - (x < y);
}

/* By its name; of an encoder-decoder the cross-attention where none is said. */
static gboolean
parse_stack (const FigureOptions *o, const HlTrace *trace, int *stack, GError **error)
{
  g_autoptr (GString) names = g_string_new (NULL);
  int n = (int) trace->model->stacks->len;
  *stack = n - 1;
  for (int s = 0; s < n && o->stack != NULL; s++)
    {
      const char *name = hl_model_info_get_stack (trace->model, s)->name;
      *stack = s;
      if (g_str_equal (name, o->stack))
        return TRUE;
      g_string_append_printf (names, "%s%s", s > 0 ? ", " : "", name);
    }
  if (o->stack == NULL)
    return TRUE;
  if (n > 1)
    g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                 "--stack: one of %s expected, \"%s\" found", names->str, o->stack);
  else
    g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                 "--stack: this model has one attention, which has no name; \"%s\" found",
                 o->stack);
  return FALSE;
}

/* Of results none are some: they say themselves what they are of. */
static gboolean
parse_heads (const Figure *m, int stack, GArray *heads, GError **error)
{
  const FigureOptions *o = m->o;
  g_autofree char *one = g_strdup_printf ("%d.%d", MAX (o->layer, 0), MAX (o->head, 0));
  gboolean is_asked = o->heads != NULL || o->layer >= 0 || o->head >= 0;
  if (hl_figure_kind_is_of_result (m->kind) && !is_asked)
    return TRUE;
  return cli_heads_parse_list (o->heads != NULL ? o->heads : one, stack, heads, error);
}

/* "8,4" is one patch; of a text, "3+7+9" are several tokens. */
static gboolean
parse_queries (
    const Figure *m, const HlTrace *trace, int stack, GArray *queries, GError **error)
{
  const FigureOptions *o = m->o;
  if (hl_figure_kind_is_of_result (m->kind))
    return TRUE; /* an output, if anything */
  gboolean is_text = g_strcmp0 (trace->input_kind, "image") != 0;
  const HlStack *tower = hl_model_info_get_stack (trace->model, stack);
  /* Who attends to a token: of a cross-attention that is one of the keys. */
  int asked = o->is_from ? tower->key_stack : stack;
  g_auto (GStrv) words =
      g_strsplit (o->query != NULL ? o->query : "", is_text ? "+" : "\n", -1);
  for (int i = 0; words[i] != NULL; i++)
    {
      gint64 token = hl_present_parse_token (trace, asked, words[i]);
      if (token < 0)
        {
          const HlTokenTable *tokens = hl_trace_get_tokens (trace, asked);
          g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                       "--query: a token 0 to %d, \"row,column\" or a token's text "
                       "expected, \"%s\" found",
                       tokens != NULL ? tokens->n_tokens - 1 : -1, words[i]);
          return FALSE;
        }
      g_array_append_val (queries, token);
    }
  g_array_sort (queries, by_place);
  return TRUE;
}

/* "10:40": from token 10 to 39; either side may be left out. */
static gboolean
parse_slice (const FigureOptions *o,
             const HlTrace *trace,
             int stack,
             HlViewOptions *view,
             GError **error)
{
  const HlTokenTable *tokens = hl_trace_get_tokens (trace, stack);
  int n = tokens != NULL ? tokens->n_tokens : 0;
  gint64 first = 0, end = n;
  if (o->slice == NULL)
    return TRUE;
  g_auto (GStrv) sides = g_strsplit (o->slice, ":", -1);
  gboolean is_good = g_strv_length (sides) == 2 &&
                     (sides[0][0] == '\0' ||
                      g_ascii_string_to_signed (sides[0], 10, 0, n, &first, NULL)) &&
                     (sides[1][0] == '\0' ||
                      g_ascii_string_to_signed (sides[1], 10, 0, n, &end, NULL)) &&
                     first < end;
  if (!is_good)
    {
      g_set_error (
          error, HL_ERROR, HL_ERROR_RANGE,
          "--tokens: FIRST:END with 0 <= FIRST < END <= %d expected, \"%s\" found", n,
          o->slice);
      return FALSE;
    }
  view->first_token = first;
  view->end_token = end;
  return TRUE;
}

/* ---- the figure -----------------------------------------------------------------------
 */

/* What panels are made of. */
static gboolean
prepare (Figure *m, HlTrace *trace, int stack, const HlProgress *progress, GError **error)
{
  HlHeadKey first = { stack, 0, 0 };
  if (m->heads->len > 0)
    first = g_array_index (m->heads, HlHeadKey, 0);
  m->charts = g_ptr_array_new_with_free_func ((GDestroyNotify) hl_chart_scene_unref);
  if (m->kind == HL_FIGURE_CHART)
    return figure_make_chart (m, trace, first, progress, error);
  if (m->kind == HL_FIGURE_COMPARISON)
    return figure_take_comparison (m, trace, progress, error);
  return hl_trace_summary_compute (m->summary, m->source, m->backend, progress, error);
}

static gboolean
make (Figure *m, HlTrace *trace, const HlProgress *progress, GError **error)
{
  g_autoptr (GArray) heads = g_array_new (FALSE, FALSE, sizeof (HlHeadKey));
  g_autoptr (GArray) queries = g_array_new (FALSE, FALSE, sizeof (gint64));
  int stack = 0;
  if (!parse_stack (m->o, trace, &stack, error) ||
      !parse_heads (m, stack, heads, error) ||
      !parse_queries (m, trace, stack, queries, error) ||
      !parse_slice (m->o, trace, stack, &m->view, error))
    return FALSE;
  m->heads = heads;
  m->backend = hl_backend_open (&m->o->backend, error);
  if (m->backend == NULL)
    return FALSE;
  m->source = hl_attention_source_new (trace);
  m->summary = hl_trace_summary_new (trace, stack);
  if (!prepare (m, trace, stack, progress, error))
    return FALSE;
  const HlFigurePlan plan = {
    .kind = m->kind,
    .summary = m->summary,
    .source = m->source,
    .backend = m->backend,
    .view = m->view,
    .heads = (const HlHeadKey *) (gpointer) heads->data,
    .n_heads = heads->len,
    .selected = { stack, m->o->layer, m->o->head },
    .tokens = (const gint64 *) (gpointer) queries->data,
    .n_tokens = queries->len,
    .query = queries->len > 0 ? g_array_index (queries, gint64, 0) : -1,
    .key = -1,
    .of = m->of,
    .compare = m->kind == HL_FIGURE_COMPARISON ? &m->compare : NULL,
    .charts = m->charts,
    .score_map = m->score_map,
  };
  g_autoptr (HlFigure) figure = hl_figure_make (&plan, progress, error);
  return figure != NULL && hl_figure_write (figure, m->o->output, &m->page, error);
}

/* (transfer full) (nullable): @trace in words, where that is asked for and joins any. */
static HlTrace *
in_words (const FigureOptions *o, HlTrace *trace, GError **error)
{
  if (!o->by_words)
    return hl_trace_ref (trace);
  g_autoptr (HlTrace) words = hl_word_trace_new (trace, error);
  if (words == NULL || hl_trace_has_pieces (words))
    return g_steal_pointer (&words);
  return hl_trace_ref (trace);
}

static gboolean
run (const char *path, Figure *m, const HlProgress *progress, GError **error)
{
  g_autoptr (HlSession) session = cli_open_session (path, progress, error);
  if (session == NULL)
    return FALSE;
  HlTrace *trace =
      m->o->trace >= 0 ? hl_session_get_trace (session, (guint) m->o->trace) : NULL;
  if (trace == NULL)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                   "%s: trace 0 to %d expected, %d found", path,
                   (int) hl_session_get_n_traces (session) - 1, m->o->trace);
      return FALSE;
    }
  g_autoptr (HlTrace) shown = in_words (m->o, trace, error);
  if (shown == NULL)
    return FALSE;
  m->session = session;
  gboolean ok = make (m, shown, progress, error);
  m->session = NULL;
  return ok;
}

static CliStatus
check_usage (const FigureOptions *o, Figure *m, int argc)
{
  if (argc != 2)
    return cli_usage ("figure", _ ("one session expected"));
  if (o->view == NULL || !hl_figure_kind_from_name (o->view, &m->kind))
    return cli_usage ("figure", _ ("--view grid, heatmap, overlay, tokens, arcs, "
                                   "comparison or chart expected"));
  if (o->chart != NULL && !figure_knows_chart (o->chart))
    return cli_usage ("figure", _ ("--chart bars, sorted, dots, map, hops, patterns, "
                                   "cls-patterns, overview, confusion, saliency, "
                                   "attention, agreement, curves, disagreement or "
                                   "scatter expected"));
  if (o->output == NULL)
    return cli_usage ("figure", _ ("-o FILE.svg, .pdf or .png expected"));
  if (o->colormap != NULL && !hl_colormap_from_name (o->colormap, &m->view.colormap))
    return cli_usage ("figure", _ ("--colormap: viridis, magma, cividis, grey or "
                                   "diverging expected"));
  if (o->range != NULL && !hl_range_mode_from_name (o->range, &m->view.range))
    return cli_usage ("figure",
                      _ ("--range: shared, per-head, percentile or log expected"));
  if (o->by_words && hl_figure_kind_is_of_result (m->kind))
    return cli_usage ("figure",
                      _ ("--words is of maps and texts: results are of tokens"));
  if (o->query != NULL && m->kind == HL_FIGURE_CHART)
    return cli_usage ("figure", _ ("--query is of maps, texts and comparisons"));
  m->view.leave_out_special = o->leave_out;
  m->view.by_words = o->by_words;
  m->view.is_from = o->is_from;
  hl_figure_options_init (&m->page);
  m->page.is_dark = o->is_dark;
  m->page.n_columns = o->n_columns;
  if (o->dpi != 0)
    m->page.dpi = o->dpi;
  char *end = NULL;
  if (o->width != NULL)
    m->page.width_mm = g_ascii_strtod (o->width, &end);
  if (end != NULL && (end == o->width || *end != '\0'))
    return cli_usage ("figure", _ ("--width: millimetres expected, such as 85 or 178"));
  return CLI_OK;
}

CliStatus
cli_figure (int argc, char **argv)
{
  FigureOptions o = { .layer = -1, .head = -1 };
  gboolean done;
  const GOptionEntry entries[] = {
    { "view", 0, 0, G_OPTION_ARG_STRING, &o.view,
      N_ ("grid, heatmap, overlay, tokens, arcs, comparison (of attention and saliency) "
          "or chart"),
      "V" },
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &o.output,
      N_ ("The file to write: .svg, .pdf or .png"), "FILE" },
    { "layer", 0, 0, G_OPTION_ARG_INT, &o.layer, N_ ("Layer, from 0"), "L" },
    { "head", 0, 0, G_OPTION_ARG_INT, &o.head, N_ ("Head, from 0"), "H" },
    { "heads", 0, 0, G_OPTION_ARG_STRING, &o.heads,
      N_ ("Several heads as one figure: 5.1,3.0"), "LIST" },
    { "stack", 0, 0, G_OPTION_ARG_STRING, &o.stack,
      N_ ("Of an encoder-decoder: encoder, decoder or cross (cross)"), "NAME" },
    { "query", 0, 0, G_OPTION_ARG_STRING, &o.query,
      N_ ("Token: 117, a patch as \"8,4\", or CLS; of a text several: 3+7; of a "
          "comparison an output"),
      "Q" },
    { "from", 0, 0, G_OPTION_ARG_NONE, &o.is_from,
      N_ ("Tokens: who attends to the query, not what it attends to"), NULL },
    { "tokens", 0, 0, G_OPTION_ARG_STRING, &o.slice,
      N_ ("Tokens and arcs: only a slice of the text, 10:40"), "A:B" },
    { "score", 0, 0, G_OPTION_ARG_STRING, &o.score,
      N_ ("Charts: of this score, as \"headlight analyze\" names it"), "NAME" },
    { "chart", 0, 0, G_OPTION_ARG_STRING, &o.chart,
      N_ ("Charts: bars, sorted, dots, map, or hops of the head; patterns or "
          "cls-patterns; overview or confusion of a data set; saliency, "
          "attention, agreement, disagreement, scatter or, with --deletion, curves of "
          "analyze cross-attention"),
      "KIND" },
    { "contours", 0, 0, G_OPTION_ARG_NONE, &o.with_contours,
      N_ ("Patterns: lines of equal density in place of dots"), NULL },
    { "range", 0, 0, G_OPTION_ARG_STRING, &o.range,
      N_ ("shared, per-head, percentile or log"), "MODE" },
    { "colormap", 0, 0, G_OPTION_ARG_STRING, &o.colormap,
      N_ ("viridis, magma, cividis, grey or diverging"), "NAME" },
    { "leave-out-special", 0, 0, G_OPTION_ARG_NONE, &o.leave_out,
      N_ ("Leave out CLS and other special tokens"), NULL },
    { "words", 0, 0, G_OPTION_ARG_NONE, &o.by_words,
      N_ ("Join tokens that are pieces of one word; numbers are then of words"), NULL },
    { "width", 0, 0, G_OPTION_ARG_STRING, &o.width,
      N_ ("Millimetres; 85 and 178 are journals' columns"), "MM" },
    { "dpi", 0, 0, G_OPTION_ARG_INT, &o.dpi, N_ ("Dots per inch of a PNG"), "DPI" },
    { "columns", 0, 0, G_OPTION_ARG_INT, &o.n_columns, N_ ("Panels side by side"), "N" },
    { "dark", 0, 0, G_OPTION_ARG_NONE, &o.is_dark, N_ ("Dark ground"), NULL },
    { "trace", 0, 0, G_OPTION_ARG_INT, &o.trace, N_ ("Which trace of the session"), "N" },
    CLI_BACKEND_ENTRIES (&o.backend),
    G_OPTION_ENTRY_NULL
  };
  Figure m = { .o = &o };
  CliStatus status = cli_parse ("figure", entries, &argc, &argv, &done);
  if (!done && (status = check_usage (&o, &m, argc)) == CLI_OK)
    {
      GError *error = NULL;
      CliProgress bar;
      cli_progress_start (&bar);
      gboolean ok = run (argv[1], &m, &bar.progress, &error);
      cli_progress_end (&bar);
      if (!ok)
        status = cli_fail (error);
    }
  figure_clear (&m);
  options_clear (&o);
  return status;
}
