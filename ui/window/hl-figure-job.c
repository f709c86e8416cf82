/* SPDX-License-Identifier: MIT
 * Writing a figure of what the window shows, off the main thread. */
#include "config.h"

#include "window/hl-figure-job.h"

#include "base/hl-error.h"

typedef struct
{
  HlFigureKind kind;
  GArray *heads;  /* HlHeadKey */
  GArray *tokens; /* gint64: the brushed ones */
  HlPlace place;
  HlViewOptions view;
  HlFigureOptions page;
  HlTraceSummary *summary;
  HlAttentionSource *source;
  char *path;
} Job;

static void
job_free (gpointer data)
{
  Job *job = data;
  g_array_unref (job->heads);
  g_array_unref (job->tokens);
  hl_trace_summary_free (job->summary);
  hl_attention_source_unref (job->source);
  g_free (job->path);
  g_free (job);
}

/* The numbers of the chosen tokens: mean of their rows, or of their columns. */
static float *
mean_lines (const Job *job, const float *map, gint64 Tq, gint64 Tk, gboolean is_column)
{
  gint64 n_out = is_column ? Tq : Tk;
  float *mean = g_new0 (float, (gsize) n_out);
  for (guint i = 0; i < job->tokens->len; i++)
    {
      gint64 token = g_array_index (job->tokens, gint64, i);
      for (gint64 j = 0; j < n_out && token < Tq && token < Tk; j++)
        mean[j] += (is_column ? map[j * Tk + token] : map[token * Tk + j])
                   / (float) job->tokens->len;
    }
  return mean;
}

static gboolean
add_overlays (
    const Job *job, HlFigure *figure, HlHeadKey key, const float *map, gint64 Tq, gint64 Tk,
    GError **error)
{
  g_autofree gboolean *selected = g_new0 (gboolean, (gsize) Tq);
  for (guint i = 0; i < job->tokens->len; i++)
    if (g_array_index (job->tokens, gint64, i) < Tq)
      selected[g_array_index (job->tokens, gint64, i)] = TRUE;
  for (int is_from = 0; is_from < 2; is_from++)
    {
      g_autofree float *mean = mean_lines (job, map, Tq, Tk, is_from);
      g_autoptr (HlOverlayScene) scene = hl_present_overlay (
          job->summary->trace, 0, mean, selected, is_from, &job->view);
      if (scene == NULL)
        {
          g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                       "overlay: a picture with a patch grid expected, this trace has "
                       "none");
          return FALSE;
        }
      hl_present_name_head (scene, key);
      hl_figure_add_overlay (figure, scene);
    }
  return TRUE;
}

static gboolean
add_head (const Job *job, HlFigure *figure, HlHeadKey key, HlBackend *backend, GError **error)
{
  gint64 Tq = 0, Tk = 0;
  hl_attention_source_get_size (job->source, key, &Tq, &Tk);
  g_autofree float *map = g_try_malloc (sizeof (float) * (gsize) (Tq * Tk) + 1);
  if (map == NULL)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_MEMORY, "out of memory for a %d x %d map",
                   (int) Tq, (int) Tk);
      return FALSE;
    }
  if (!hl_attention_source_read_rect (job->source, backend, key, 0, Tq, 0, Tk, map, NULL,
                                      error))
    return FALSE;
  if (job->kind == HL_FIGURE_OVERLAY)
    return add_overlays (job, figure, key, map, Tq, Tk, error);
  g_autoptr (HlMatrixScene) scene = hl_present_matrix (
      job->summary, key, Tq, Tk, map, &job->view, job->place.query, job->place.key);
  hl_figure_add_matrix (figure, scene);
  return TRUE;
}

static gpointer
figure_job (gpointer data, HlBackend *backend, const HlProgress *progress, GError **error)
{
  const Job *job = data;
  g_autoptr (HlFigure) figure = hl_figure_new ();
  if (job->kind == HL_FIGURE_GRID)
    {
      g_autoptr (HlGridScene) scene = hl_present_grid (job->summary, &job->view);
      scene->selected_layer = job->place.layer;
      scene->selected_head = job->place.head;
      hl_figure_add_grid (figure, scene);
    }
  for (guint i = 0; i < job->heads->len && job->kind != HL_FIGURE_GRID; i++)
    if (!hl_progress_step (progress, (double) i / job->heads->len, NULL, error)
        || !add_head (job, figure, g_array_index (job->heads, HlHeadKey, i), backend,
                      error))
      return NULL;
  const HlTrace *trace = job->summary->trace;
  g_autofree char *title
      = g_strdup_printf ("%s on %s", trace->model->name, trace->input_name);
  hl_figure_set_title (figure, title);
  hl_present_provenance (figure, trace, &job->view);
  if (!hl_figure_write (figure, job->path, &job->page, error))
    return NULL;
  return g_strdup (job->path);
}

void
hl_figure_job_start (HlDocument *document,
                     HlFigureKind kind,
                     const HlHeadKey *heads,
                     guint n_heads,
                     const HlFigureOptions *options,
                     const char *path,
                     GAsyncReadyCallback callback,
                     gpointer user_data)
{
  HlSelection *selection = hl_document_get_selection (document);
  Job *job = g_new0 (Job, 1);
  guint n_tokens;
  const gint64 *tokens = hl_selection_get_tokens (selection, &n_tokens);
  job->kind = kind;
  job->heads = g_array_new (FALSE, FALSE, sizeof (HlHeadKey));
  job->tokens = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_array_append_vals (job->heads, heads, n_heads);
  if (n_tokens > 0)
    g_array_append_vals (job->tokens, tokens, n_tokens);
  else
    {
      /* Nothing chosen: the first token, which is CLS where there is one. */
      gint64 first = 0;
      g_array_append_val (job->tokens, first);
    }
  job->place = *hl_selection_get_place (selection);
  job->view = *hl_document_get_view (document);
  job->page = *options;
  job->summary = hl_trace_summary_copy (hl_document_get_summary (document));
  job->source = hl_attention_source_ref (hl_document_get_source (document));
  job->path = g_strdup (path);
  hl_engine_submit (hl_document_get_engine (document), HL_JOB_BACKGROUND, figure_job, job,
                    job_free, g_free, NULL, NULL, NULL, callback, user_data);
}
