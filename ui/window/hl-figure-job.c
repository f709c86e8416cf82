/* SPDX-License-Identifier: MIT
 * Writing a figure of what the window shows, off the main thread. */
#include "config.h"

#include "window/hl-figure-job.h"

/* ---- results -------------------------------------------------------------------------
 */

void
hl_figure_results_clear (HlFigureResults *r)
{
  g_clear_pointer (&r->charts, g_ptr_array_unref);
  g_clear_pointer (&r->matrix, hl_matrix_scene_unref);
  g_clear_pointer (&r->compare, hl_compare_free);
  g_clear_pointer (&r->of, g_free);
}

static HlFigureResults
results_copy (const HlFigureResults *r)
{
  return (HlFigureResults){
    .charts = r->charts != NULL ? g_ptr_array_ref (r->charts) : NULL,
    .matrix = r->matrix != NULL ? hl_matrix_scene_ref (r->matrix) : NULL,
    .compare = r->compare != NULL ? hl_compare_copy (r->compare) : NULL,
    .of = g_strdup (r->of),
  };
}

gboolean
hl_figure_results_has (const HlFigureResults *r, HlFigureKind kind)
{
  if (kind == HL_FIGURE_COMPARISON)
    return r->compare != NULL;
  return kind == HL_FIGURE_CHART &&
         ((r->charts != NULL && r->charts->len > 0) || r->matrix != NULL);
}

/* ---- the job -------------------------------------------------------------------------
 */

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
  HlFigureResults results;
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
  hl_figure_results_clear (&job->results);
  g_free (job->path);
  g_free (job);
}

static int
by_place (gconstpointer a, gconstpointer b)
{
  gint64 x = *(const gint64 *) a, y = *(const gint64 *) b;
  return (x > y) - (x < y);
}

static gpointer
figure_job (gpointer data, HlBackend *backend, const HlProgress *progress, GError **error)
{
  const Job *job = data;
  const HlFigurePlan plan = {
    .kind = job->kind,
    .summary = job->summary,
    .source = job->source,
    .backend = backend,
    .view = job->view,
    .heads = (const HlHeadKey *) (gpointer) job->heads->data,
    .n_heads = job->heads->len,
    .selected = { job->place.stack, job->place.layer, job->place.head },
    .tokens = (const gint64 *) (gpointer) job->tokens->data,
    .n_tokens = job->tokens->len,
    .query = job->place.query,
    .key = job->place.key,
    .of = job->kind == HL_FIGURE_CHART ? job->results.of : NULL,
    .compare = job->results.compare,
    .charts = job->results.charts,
    .score_map = job->results.matrix,
  };
  g_autoptr (HlFigure) figure = hl_figure_make (&plan, progress, error);
  if (figure == NULL || !hl_figure_write (figure, job->path, &job->page, error))
    return NULL;
  return g_strdup (job->path);
}

void
hl_figure_job_start (HlDocument *document,
                     HlFigureKind kind,
                     const HlHeadKey *heads,
                     guint n_heads,
                     const HlFigureResults *results,
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
  job->place = *hl_selection_get_place (selection);
  job->view = *hl_document_get_view (document);
  /* Who attends to a key of another text: that key is asked of, not the queries. */
  gboolean asks_key = job->view.is_from && hl_document_get_tokens (document) !=
                                               hl_document_get_key_tokens (document);
  if (!asks_key)
    g_array_append_vals (job->tokens, tokens, n_tokens);
  else if (job->place.key >= 0)
    g_array_append_val (job->tokens, job->place.key);
  g_array_sort (job->tokens, by_place);
  job->page = *options;
  job->summary = hl_trace_summary_copy (hl_document_get_summary (document));
  job->source = hl_attention_source_ref (hl_document_get_source (document));
  job->results = results_copy (results);
  job->path = g_strdup (path);
  hl_engine_submit (hl_document_get_engine (document), HL_JOB_BACKGROUND, figure_job, job,
                    job_free, g_free, NULL, NULL, NULL, callback, user_data);
}
