/* SPDX-License-Identifier: MIT
 * headlight figure S.h5 --view grid|heatmap|overlay -o F.svg|.pdf|.png */
#include "config.h"

#include "cli.h"

#include "backend/hl-backend.h"
#include "base/hl-error.h"
#include "draw/hl-colormap.h"
#include "presenters/hl-present.h"

#include <glib/gi18n.h>
#include <stdio.h>

typedef struct
{
  char *view;
  char *output;
  char *heads;
  char *query;
  char *colormap;
  char *range;
  char *width;
  int layer;
  int head;
  int dpi;
  int n_columns;
  int trace;
  gboolean leave_out;
  gboolean is_dark;
} Options;

static void
options_clear (Options *o)
{
  g_free (o->view);
  g_free (o->output);
  g_free (o->heads);
  g_free (o->query);
  g_free (o->colormap);
  g_free (o->range);
  g_free (o->width);
}

/* What the panels are made from. */
typedef struct
{
  const Options *o;
  HlViewOptions view;
  HlFigureOptions page;
  HlTraceSummary *summary;
  HlAttentionSource *source;
  HlBackend *backend;
  gint64 query;
} Maker;

static gboolean
read_map (const Maker *m, HlHeadKey key, gint64 *Tq, gint64 *Tk, float **map, GError **error)
{
  if (!hl_attention_source_get_size (m->source, key, Tq, Tk))
    {
      const HlStack *stack = hl_model_info_get_stack (m->summary->trace->model, 0);
      g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                   "head %d.%d: no such head with attention in this trace; it has %d "
                   "layers",
                   key.layer, key.head, stack->n_layers);
      return FALSE;
    }
  *map = g_try_malloc (sizeof (float) * (gsize) (*Tq * *Tk));
  if (*map == NULL)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_MEMORY, "out of memory for a %d x %d map",
                   (int) *Tq, (int) *Tk);
      return FALSE;
    }
  return hl_attention_source_read_rect (m->source, m->backend, key, 0, *Tq, 0, *Tk, *map,
                                        NULL, error);
}

static gboolean
add_heatmap (const Maker *m, HlFigure *figure, HlHeadKey key, GError **error)
{
  gint64 Tq, Tk;
  g_autofree float *map = NULL;
  if (!read_map (m, key, &Tq, &Tk, &map, error))
    return FALSE;
  g_autoptr (HlMatrixScene) scene = hl_present_matrix (m->summary, key, Tq, Tk, map,
                                                       &m->view, m->query, -1);
  hl_figure_add_matrix (figure, scene);
  return TRUE;
}

static gboolean
add_overlay (const Maker *m, HlFigure *figure, HlHeadKey key, GError **error)
{
  gint64 Tq, Tk;
  g_autofree float *map = NULL;
  if (!read_map (m, key, &Tq, &Tk, &map, error))
    return FALSE;
  g_autofree gboolean *selected = g_new0 (gboolean, (gsize) Tq);
  g_autofree float *column = g_new (float, (gsize) Tq);
  selected[m->query] = TRUE;
  for (gint64 i = 0; i < Tq; i++)
    column[i] = map[i * Tk + m->query];
  for (int is_from = 0; is_from < 2; is_from++)
    {
      g_autoptr (HlOverlayScene) scene = hl_present_overlay (
          m->summary->trace, 0, is_from ? column : map + m->query * Tk, selected, is_from,
          &m->view);
      if (scene == NULL)
        {
          g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                       "--view overlay: a picture with a patch grid expected, this trace "
                       "has none");
          return FALSE;
        }
      hl_present_name_head (scene, key);
      hl_figure_add_overlay (figure, scene);
    }
  return TRUE;
}

static gboolean
add_panels (const Maker *m, HlFigure *figure, GError **error)
{
  if (g_str_equal (m->o->view, "grid"))
    {
      g_autoptr (HlGridScene) scene = hl_present_grid (m->summary, &m->view);
      scene->selected_layer = m->o->layer;
      scene->selected_head = m->o->head;
      hl_figure_add_grid (figure, scene);
      return TRUE;
    }
  g_autofree char *one = g_strdup_printf ("%d.%d", MAX (m->o->layer, 0),
                                          MAX (m->o->head, 0));
  g_auto (GStrv) heads = g_strsplit (m->o->heads != NULL ? m->o->heads : one, ",", -1);
  for (int i = 0; heads[i] != NULL; i++)
    {
      HlHeadKey key = { 0 };
      if (!cli_parse_head (g_strstrip (heads[i]), &key.layer, &key.head))
        {
          g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                       "--heads: LAYER.HEAD separated by commas expected, \"%s\" found",
                       heads[i]);
          return FALSE;
        }
      if (!(g_str_equal (m->o->view, "heatmap") ? add_heatmap (m, figure, key, error)
                                                : add_overlay (m, figure, key, error)))
        return FALSE;
    }
  return TRUE;
}

static gboolean
find_query (Maker *m, const HlTrace *trace, GError **error)
{
  m->query = -1;
  if (m->o->query != NULL)
    m->query = hl_present_parse_token (trace, 0, m->o->query);
  else if (g_str_equal (m->o->view, "overlay"))
    m->query = 0;
  if (m->o->query == NULL || m->query >= 0)
    return TRUE;
  const HlTokenTable *tokens = hl_trace_get_tokens (trace, 0);
  g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
               "--query: a token 0 to %d, \"row,column\" or a token's text expected, "
               "\"%s\" found",
               tokens != NULL ? tokens->n_tokens - 1 : -1, m->o->query);
  return FALSE;
}

static gboolean
make (Maker *m, HlTrace *trace, const HlProgress *progress, GError **error)
{
  m->backend = hl_backend_open (NULL, error);
  if (m->backend == NULL || !find_query (m, trace, error))
    return FALSE;
  m->source = hl_attention_source_new (trace);
  m->summary = hl_trace_summary_new (trace, 0);
  if (!hl_trace_summary_compute (m->summary, m->source, m->backend, progress, error))
    return FALSE;
  g_autoptr (HlFigure) figure = hl_figure_new ();
  if (!add_panels (m, figure, error))
    return FALSE;
  g_autofree char *title
      = g_strdup_printf ("%s on %s", trace->model->name, trace->input_name);
  hl_figure_set_title (figure, title);
  hl_present_provenance (figure, trace, &m->view);
  return hl_figure_write (figure, m->o->output, &m->page, error);
}

static gboolean
run (const char *path, Maker *m, const HlProgress *progress, GError **error)
{
  g_autoptr (HlSession) session = cli_open_session (path, progress, error);
  if (session == NULL)
    return FALSE;
  HlTrace *trace
      = m->o->trace >= 0 ? hl_session_get_trace (session, (guint) m->o->trace) : NULL;
  if (trace == NULL)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_RANGE, "%s: trace 0 to %d expected, %d found",
                   path, (int) hl_session_get_n_traces (session) - 1, m->o->trace);
      return FALSE;
    }
  return make (m, trace, progress, error);
}

static CliStatus
check_usage (const Options *o, Maker *m, int argc)
{
  if (argc != 2)
    return cli_usage ("figure", _ ("one session expected"));
  if (o->view == NULL
      || !(g_str_equal (o->view, "grid") || g_str_equal (o->view, "heatmap")
           || g_str_equal (o->view, "overlay")))
    return cli_usage ("figure", _ ("--view grid, heatmap or overlay expected"));
  if (o->output == NULL)
    return cli_usage ("figure", _ ("-o FILE.svg, .pdf or .png expected"));
  if (o->colormap != NULL && !hl_colormap_from_name (o->colormap, &m->view.colormap))
    return cli_usage ("figure", _ ("--colormap: viridis, magma, cividis, grey or "
                                   "diverging expected"));
  if (o->range != NULL && !hl_range_mode_from_name (o->range, &m->view.range))
    return cli_usage ("figure",
                      _ ("--range: shared, per-head, percentile or log expected"));
  m->view.leave_out_special = o->leave_out;
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
  Options o = { .layer = -1, .head = -1 };
  gboolean done;
  const GOptionEntry entries[] = {
    { "view", 0, 0, G_OPTION_ARG_STRING, &o.view, N_ ("grid, heatmap or overlay"), "V" },
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &o.output,
      N_ ("The file to write: .svg, .pdf or .png"), "FILE" },
    { "layer", 0, 0, G_OPTION_ARG_INT, &o.layer, N_ ("Layer, from 0"), "L" },
    { "head", 0, 0, G_OPTION_ARG_INT, &o.head, N_ ("Head, from 0"), "H" },
    { "heads", 0, 0, G_OPTION_ARG_STRING, &o.heads,
      N_ ("Several heads as one figure: 5.1,3.0"), "LIST" },
    { "query", 0, 0, G_OPTION_ARG_STRING, &o.query,
      N_ ("Token: 117, a patch as \"8,4\", or CLS"), "Q" },
    { "range", 0, 0, G_OPTION_ARG_STRING, &o.range,
      N_ ("shared, per-head, percentile or log"), "MODE" },
    { "colormap", 0, 0, G_OPTION_ARG_STRING, &o.colormap,
      N_ ("viridis, magma, cividis, grey or diverging"), "NAME" },
    { "leave-out-special", 0, 0, G_OPTION_ARG_NONE, &o.leave_out,
      N_ ("Leave out CLS and other special tokens"), NULL },
    { "width", 0, 0, G_OPTION_ARG_STRING, &o.width,
      N_ ("Millimetres; 85 and 178 are journals' columns"), "MM" },
    { "dpi", 0, 0, G_OPTION_ARG_INT, &o.dpi, N_ ("Dots per inch of a PNG"), "DPI" },
    { "columns", 0, 0, G_OPTION_ARG_INT, &o.n_columns, N_ ("Panels side by side"), "N" },
    { "dark", 0, 0, G_OPTION_ARG_NONE, &o.is_dark, N_ ("Dark ground"), NULL },
    { "trace", 0, 0, G_OPTION_ARG_INT, &o.trace, N_ ("Which trace of the session"), "N" },
    G_OPTION_ENTRY_NULL
  };
  Maker m = { .o = &o };
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
  hl_trace_summary_free (m.summary);
  hl_attention_source_unref (m.source);
  hl_backend_unref (m.backend);
  options_clear (&o);
  return status;
}
