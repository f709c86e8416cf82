/* SPDX-License-Identifier: MIT
 * The work of a document: whose attention stands beside saliency. */
#include "config.h"

#include "analysis/hl-alignment.h"
#include "document/hl-document-private.h"

#include <glib/gi18n.h>

HlCrossHeads
hl_document_get_cross_heads (HlDocument *self)
{
  return self->saliency.heads;
}

GArray *
hl_document_list_cross_heads (HlDocument *self, HlCrossHeads which)
{
  guint n_pinned;
  const HlHeadKey *pinned = hl_selection_get_pinned (self->selection, &n_pinned);
  const HlCrossResult *made = self->saliency.made;
  HlHeadKey looked_at = hl_selection_get_head (self->selection), best;
  if (which == HL_CROSS_HEADS_ALIGNMENT && made != NULL && self->model != NULL)
    return hl_alignment_list_named (self->model, made->comparison->stack);
  GArray *heads = g_array_new (FALSE, FALSE, sizeof (HlHeadKey));
  if (made == NULL)
    return heads;
  int stack = made->comparison->stack;
  if (which == HL_CROSS_HEADS_SELECTED && looked_at.stack == stack)
    g_array_append_val (heads, looked_at);
  for (guint i = 0; which == HL_CROSS_HEADS_PINNED && i < n_pinned; i++)
    if (pinned[i].stack == stack)
      g_array_append_val (heads, pinned[i]);
  if (which == HL_CROSS_HEADS_BEST &&
      hl_cross_comparison_find_best (made->comparison, &best))
    g_array_append_val (heads, best);
  return heads;
}

/* What a job takes along; every field is its own reference. */
typedef struct
{
  HlDocument *document; /* only touched on the main thread */
  guint epoch;
  HlAttentionSource *source;
  HlCrossResult *known;
  GArray *heads;
  HlCrossHeads which;
} Job;

static void
job_free (Job *job)
{
  g_object_unref (job->document);
  hl_attention_source_unref (job->source);
  hl_cross_result_unref (job->known);
  g_array_unref (job->heads);
  g_free (job);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Job, job_free)

static gpointer
map_job (gpointer data, HlBackend *backend, const HlProgress *progress, GError **error)
{
  Job *job = data;
  HlCrossRows rows = hl_cross_result_get_rows (job->known, job->source, backend);
  return hl_cross_map_make (&rows, (const HlHeadKey *) (gpointer) job->heads->data,
                            job->heads->len, progress, error);
}

static void
map_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (Job) job = data;
  HlDocument *self = job->document;
  g_autoptr (GError) error = NULL;
  HlCrossMap *map = hl_engine_finish (self->engine, result, &error);
  if (job->epoch != self->saliency.map_epoch)
    {
      hl_cross_map_free (map);
      return;
    }
  self->saliency.is_reading = FALSE;
  if (map == NULL)
    hl_document_set_status (self, g_strdup (error->message));
  g_clear_pointer (&self->saliency.map, hl_cross_map_free);
  g_clear_pointer (&self->saliency.map_heads, g_array_unref);
  self->saliency.map = map;
  self->saliency.map_heads = g_array_ref (job->heads);
  self->saliency.map_choice = job->which;
  hl_document_emit (self, HL_DOCUMENT_SALIENCY);
}

/* What was shown stays until the other map is there, so that nothing flickers. */
void
hl_document_set_cross_heads (HlDocument *self, HlCrossHeads which)
{
  HlDocumentSaliency *s = &self->saliency;
  s->heads = which;
  s->map_epoch++;
  s->is_reading = FALSE;
  g_autoptr (GArray) heads = hl_document_list_cross_heads (self, which);
  if (which == HL_CROSS_HEADS_ALL || heads->len == 0 || s->made == NULL ||
      s->made->options.by_norm || self->source == NULL)
    {
      g_clear_pointer (&s->map, hl_cross_map_free);
      g_clear_pointer (&s->map_heads, g_array_unref);
      hl_document_emit (self, HL_DOCUMENT_SALIENCY);
      return;
    }
  s->is_reading = TRUE;
  g_clear_pointer (&s->asked_heads, g_array_unref);
  s->asked_heads = g_array_ref (heads);
  Job *job = g_new0 (Job, 1);
  *job = (Job){ g_object_ref (self),
                s->map_epoch,
                hl_attention_source_ref (self->source),
                hl_cross_result_ref (s->made),
                g_steal_pointer (&heads),
                which };
  hl_engine_submit (self->engine, HL_JOB_FOREGROUND, map_job, job, NULL,
                    (GDestroyNotify) hl_cross_map_free, NULL, NULL, NULL, map_cb, job);
}

gboolean
hl_document_choose_cross_heads (HlDocument *self, HlCrossHeads which)
{
  g_autoptr (GArray) heads = hl_document_list_cross_heads (self, which);
  if (which == HL_CROSS_HEADS_ALL || heads->len > 0 || self->saliency.made == NULL)
    {
      hl_document_set_cross_heads (self, which);
      return TRUE;
    }
  hl_document_set_status (
      self, g_strdup (which == HL_CROSS_HEADS_ALIGNMENT
                          ? _ ("This model names no heads for alignment")
                      : which == HL_CROSS_HEADS_PINNED
                          ? _ ("No head of this attention is pinned (P)")
                      : which == HL_CROSS_HEADS_BEST
                          ? _ ("No head has a correlation")
                          : _ ("The head looked at is of another attention")));
  return FALSE;
}

static gboolean
same_heads (const GArray *a, const GArray *b)
{
  for (guint i = 0; a->len == b->len && i < a->len; i++)
    {
      HlHeadKey x = g_array_index (a, HlHeadKey, i), y = g_array_index (b, HlHeadKey, i);
      if (x.stack != y.stack || x.layer != y.layer || x.head != y.head)
        return FALSE;
    }
  return a->len == b->len;
}

void
hl_document_follow_cross_heads (HlDocument *self)
{
  HlDocumentSaliency *s = &self->saliency;
  g_autoptr (GArray) heads = hl_document_list_cross_heads (self, s->heads);
  const GArray *known = s->is_reading ? s->asked_heads : s->map_heads;
  gboolean is_same = known != NULL ? same_heads (heads, known) : heads->len == 0;
  if (s->made != NULL && s->heads != HL_CROSS_HEADS_ALL && !is_same)
    hl_document_set_cross_heads (self, s->heads);
}

gboolean
hl_document_is_reading_cross_map (HlDocument *self)
{
  return self->saliency.is_reading;
}

const GArray *
hl_document_get_cross_map_heads (HlDocument *self, HlCrossHeads *which)
{
  *which = self->saliency.map_choice;
  return self->saliency.map_heads;
}

const HlCrossMap *
hl_document_get_cross_map (HlDocument *self)
{
  return self->saliency.map;
}
