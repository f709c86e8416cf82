/* SPDX-License-Identifier: MIT
 * The work of a document: summarising the heads, layer by layer. */
#include "config.h"

#include "document/hl-document-private.h"

#include <glib/gi18n.h>

static gpointer
layer_job (gpointer data, HlBackend *backend, const HlProgress *progress, GError **error)
{
  HlDocumentJob *job = data;
  if (job->layer == 0)
    job->backend_words = backend->klass->describe (backend);
  return hl_layer_summary_new (job->source, backend, job->head.stack, job->layer,
                               job->is_guess, progress, error);
}

/* The patch in the middle, so that the overlays have something to say. */
static gint64
centre_token (HlDocument *self)
{
  const HlTokenTable *tokens = hl_document_get_tokens (self);
  return tokens != NULL && tokens->n_columns > 0
             ? hl_token_table_find_patch (tokens, tokens->n_rows / 2,
                                          tokens->n_columns / 2)
             : -1;
}

/* Nobody chose a head yet: begin with the most selective one, not with whatever is
 * first, which is often close to uniform. */
static void
choose_head (HlDocument *self)
{
  int best_layer = 0, best_head = 0;
  double lowest = G_MAXDOUBLE;
  for (int l = 0; l < self->summary->n_layers; l++)
    for (int h = 0; h < self->summary->layers[l]->n_heads; h++)
      {
        double entropy = self->summary->layers[l]->heads[h].stats.row_entropy;
        if (!(entropy < lowest))
          continue;
        lowest = entropy;
        best_layer = l;
        best_head = h;
      }
  hl_selection_begin_at (self->selection, best_layer, best_head, centre_token (self), -1);
}

/* Of a long text the estimates come first: they are what a head is chosen by. */
static void
take_layer (HlDocument *self, HlLayerSummary *layer, gboolean is_guess)
{
  int index = layer->layer;
  int *n_left = is_guess ? &self->n_guesses_left : &self->n_layers_left;
  hl_trace_summary_take_layer (self->summary, layer);
  (*n_left)--;
  self->fraction = 1 - (double) *n_left / MAX (self->summary->n_layers, 1);
  g_free (self->what);
  self->what = g_strdup (is_guess ? _ ("Estimating heads") : _ ("Summarising heads"));
  hl_document_emit_layer (self, index);
  if (*n_left > 0)
    return;
  if (!is_guess)
    hl_document_emit_layer (self, -1);
  if (self->chooses_head && !hl_selection_can_undo (self->selection))
    choose_head (self);
  self->chooses_head = FALSE;
}

static void
layer_done_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (HlDocumentJob) job = data;
  HlDocument *self = job->document;
  HlLayerSummary *layer =
      hl_document_end (job, self->engine, result, (GDestroyNotify) hl_layer_summary_unref,
                       _ ("A layer could not be summarised"));
  if (layer != NULL && job->summary_id != self->summary_id)
    {
      hl_layer_summary_unref (layer); /* another stack is looked at since */
      return;
    }
  if (layer == NULL)
    return;
  if (job->backend_words != NULL)
    {
      g_free (self->backend_words);
      self->backend_words = g_steal_pointer (&job->backend_words);
    }
  take_layer (self, layer, job->is_guess);
}

static void
submit_layers (HlDocument *self, gboolean is_guess)
{
  for (int l = 0; l < self->summary->n_layers; l++)
    {
      HlDocumentJob *job = hl_document_job_new (self);
      job->source = hl_attention_source_ref (self->shown_source);
      job->layer = l;
      job->head.stack = self->summary->stack;
      job->summary_id = self->summary_id;
      job->is_guess = is_guess;
      hl_document_begin (self,
                         is_guess ? _ ("Estimating heads") : _ ("Summarising heads"));
      hl_engine_submit (self->engine, HL_JOB_BACKGROUND, layer_job, job, NULL,
                        (GDestroyNotify) hl_layer_summary_unref, self->layers_cancellable,
                        NULL, NULL, layer_done_cb, job);
    }
}

void
hl_document_summarise (HlDocument *self)
{
  self->summary_id++;
  g_cancellable_cancel (self->layers_cancellable);
  g_object_unref (self->layers_cancellable);
  self->layers_cancellable = g_cancellable_new ();
  self->n_layers_left = self->n_guesses_left = self->summary->n_layers;
  gboolean is_slow = self->summary->n_layers > 0 &&
                     hl_summary_is_slow (self->shown_source, self->summary->stack);
  if (is_slow)
    submit_layers (self, TRUE);
  submit_layers (self, FALSE);
}
