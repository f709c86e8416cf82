/* SPDX-License-Identifier: MIT
 * The work of a document: texts as inputs, and letting the model go on with one. */
#include "config.h"

#include "document/hl-document-private.h"
#include "model/hl-model-text.h"

#include <glib/gi18n.h>
#include <string.h>

/* ---- texts ---------------------------------------------------------------------------
 */

static gpointer
text_job (gpointer data, HlBackend *backend, const HlProgress *progress, GError **error)
{
  HlDocumentJob *job = data;
  HlInput *input =
      hl_model_open_text (job->model, NULL, "", job->text, -1, &job->text_options, error);
  return hl_document_complete (job, input, backend, progress, error);
}

void
hl_document_open_text (HlDocument *self, const char *text, const HlTextOptions *options)
{
  g_return_if_fail (self->model != NULL);
  hl_document_restart (self);
  HlDocumentJob *job = hl_document_job_new (self);
  job->text = g_strdup (text);
  hl_document_take_options (&job->text_options, options);
  hl_document_take_options (&self->text_options, options);
  job->model = hl_model_ref (self->model);
  hl_document_begin (self, _ ("Reading the text"));
  hl_document_submit (job, self->engine, text_job, (GDestroyNotify) hl_input_unref,
                      hl_document_input_opened_cb);
}

const HlTextOptions *
hl_document_get_text_options (HlDocument *self)
{
  return &self->text_options;
}

/* ---- generating ----------------------------------------------------------------------
 */

struct _HlGeneration
{
  HlInput *prompt;
  GArray *ids;       /* gint32 */
  GArray *log_probs; /* double */
  GHashTable *rows;  /* of the latest token: site name -> HlTensor (1, H, Tq, Tk) */
};

static void
generation_free (HlGeneration *generation)
{
  if (generation == NULL)
    return;
  hl_input_unref (generation->prompt);
  g_array_unref (generation->ids);
  g_array_unref (generation->log_probs);
  g_clear_pointer (&generation->rows, g_hash_table_unref);
  g_free (generation);
}

void
hl_document_forget_generation (HlDocument *self)
{
  g_clear_pointer (&self->generating, generation_free);
}

/* One token on its way from the engine's thread to the main one. */
typedef struct
{
  HlDocument *document;
  guint generation;
  gint32 id;
  double log_prob;
  GHashTable *rows;
} Arrival;

static gboolean
arrived_cb (gpointer data)
{
  Arrival *a = data;
  HlDocument *self = a->document;
  if (self->generation == a->generation && self->generating != NULL)
    {
      HlGeneration *g = self->generating;
      g_array_append_val (g->ids, a->id);
      g_array_append_val (g->log_probs, a->log_prob);
      g_clear_pointer (&g->rows, g_hash_table_unref);
      g->rows = g_steal_pointer (&a->rows);
      hl_document_emit (self, HL_DOCUMENT_GENERATED);
    }
  return G_SOURCE_REMOVE;
}

static void
arrival_free (gpointer data)
{
  Arrival *a = data;
  g_clear_pointer (&a->rows, g_hash_table_unref);
  g_object_unref (a->document);
  g_free (a);
}

static gboolean
hear_cb (const HlGenerated *token, gpointer data)
{
  HlDocumentJob *job = data;
  Arrival *a = g_new0 (Arrival, 1);
  a->document = g_object_ref (job->document);
  a->generation = job->generation;
  a->id = token->id;
  a->log_prob = token->log_prob;
  a->rows = g_hash_table_ref (token->captured);
  g_idle_add_full (G_PRIORITY_DEFAULT, arrived_cb, a, arrival_free);
  return TRUE;
}

static gpointer
generate_job (gpointer data,
              HlBackend *backend,
              const HlProgress *progress,
              GError **error)
{
  static const char *const capture[] = { "*attn.hook_pattern", NULL };
  HlDocumentJob *job = data;
  job->generate_options.capture = capture;
  int n = hl_generate (job->model, job->input, backend, &job->generate_options, progress,
                       hear_cb, job, error);
  return n >= 0 ? g_strdup_printf ("%d", n) : NULL;
}

/* What was generated becomes a part of the input, and is traced with it. */
static void
adopt_generated (HlDocument *self)
{
  HlGeneration *g = self->generating;
  g_autoptr (GError) error = NULL;
  if (g == NULL)
    return;
  gint64 room = hl_model_get_info (self->model)->n_context - g->prompt->ids->shape.dim[1];
  gint64 n = MIN ((gint64) g->ids->len, room);
  HlInput *longer =
      n > 0 ? hl_model_extend_text (self->model, g->prompt,
                                    (gint32 *) (gpointer) g->ids->data, n, &error)
            : NULL;
  hl_document_forget_generation (self);
  if (error != NULL)
    hl_document_fail (self, _ ("The text could not be gone on with"), error);
  if (longer == NULL)
    return;
  hl_input_unref (self->input);
  self->input = longer;
  hl_document_forget_scores (self, FALSE);
  hl_document_emit (self, HL_DOCUMENT_INPUT);
  hl_document_run (self);
}

static void
generated_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (HlDocumentJob) job = data;
  HlDocument *self = job->document;
  g_autofree char *n = hl_document_end (job, self->engine, result, g_free,
                                        _ ("The model could not go on with the text"));
  if (job->generation == self->generation)
    adopt_generated (self);
}

gboolean
hl_document_can_generate (HlDocument *self)
{
  return self->model != NULL && self->input != NULL && self->input->ids != NULL;
}

void
hl_document_generate (HlDocument *self, const HlGenerateOptions *options)
{
  g_return_if_fail (hl_document_can_generate (self));
  hl_document_restart (self);
  self->generating = g_new0 (HlGeneration, 1);
  self->generating->prompt = hl_input_ref (self->input);
  self->generating->ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  self->generating->log_probs = g_array_new (FALSE, FALSE, sizeof (double));
  HlDocumentJob *job = hl_document_job_new (self);
  job->model = hl_model_ref (self->model);
  job->input = hl_input_ref (self->input);
  job->generate_options = *options;
  hl_document_begin (self, _ ("Generating"));
  hl_document_submit (job, self->engine, generate_job, g_free, generated_cb);
}

/* What was generated before the stop is kept. */
void
hl_document_end_generation (HlDocument *self)
{
  if (self->generating != NULL && self->generating->ids->len > 0)
    adopt_generated (self);
  else
    hl_document_forget_generation (self);
}

const gint32 *
hl_document_get_generated (HlDocument *self, guint *n, const double **log_probs)
{
  HlGeneration *g = self->generating;
  *n = g != NULL ? g->ids->len : 0;
  *log_probs = g != NULL ? (const double *) (gpointer) g->log_probs->data : NULL;
  return g != NULL ? (const gint32 *) (gpointer) g->ids->data : NULL;
}

HlInput *
hl_document_dup_generated_input (HlDocument *self)
{
  HlGeneration *g = self->generating;
  if (g == NULL || g->ids->len == 0)
    return NULL;
  gint64 room = hl_model_get_info (self->model)->n_context - g->prompt->ids->shape.dim[1];
  gint64 n = MIN ((gint64) g->ids->len, room);
  return n > 0 ? hl_model_extend_text (self->model, g->prompt,
                                       (gint32 *) (gpointer) g->ids->data, n, NULL)
               : NULL;
}

float *
hl_document_dup_generated_row (HlDocument *self, HlHeadKey head, gint64 *n)
{
  HlGeneration *g = self->generating;
  if (g == NULL || g->rows == NULL)
    return NULL;
  g_autofree char *name = hl_trace_site_name (hl_model_get_info (self->model), head.stack,
                                              head.layer, "attn.hook_pattern");
  const HlTensor *rows = g_hash_table_lookup (g->rows, name); /* (1, H, Tq, Tk) */
  if (rows == NULL || rows->dtype != HL_DTYPE_F32 || head.head >= rows->shape.dim[1])
    return NULL;
  gint64 Tq = rows->shape.dim[2], Tk = rows->shape.dim[3];
  *n = Tk;
  return g_memdup2 (hl_tensor_f32 (rows) + ((gint64) head.head * Tq + Tq - 1) * Tk,
                    sizeof (float) * (gsize) Tk);
}
