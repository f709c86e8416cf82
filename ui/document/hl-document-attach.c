/* SPDX-License-Identifier: MIT
 * The model of a session: a trace can be looked at without it, but to run again, to
 * ablate or to go on with a text it has to be there. It is opened from where it was and
 * taken only if it is the same; so is the input. The data set is opened again, too. */
#include "config.h"

#include "document/hl-document-private.h"
#include "io/hl-json.h"
#include "model/hl-language.h"
#include "model/hl-model-source.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

/* What comes back from the engine's thread; input and data set may be missing. */
typedef struct
{
  HlModel *model;
  HlInput *input;
  HlDataset *dataset;
  int label;
} Attached;

static void
attached_free (gpointer data)
{
  Attached *attached = data;
  hl_model_unref (attached->model);
  hl_input_unref (attached->input);
  hl_dataset_unref (attached->dataset);
  g_free (attached);
}

/* (transfer full) (nullable): the data set that a window had open, or that a result is
 * of.
 */
static char *
find_dataset (const HlSession *session)
{
  GVariant *kept = hl_session_get_view (session, "dataset");
  if (kept != NULL && g_variant_is_of_type (kept, G_VARIANT_TYPE_STRING))
    return g_variant_dup_string (kept, NULL);
  for (guint i = hl_session_get_n_results (session); i > 0; i--)
    {
      const char *origin = hl_session_get_result (session, i - 1)->provenance_json;
      g_autoptr (json_t) about =
          hl_json_load_bytes (origin, strlen (origin), "provenance", NULL, NULL);
      const char *path = json_string_value (json_object_get (about, "dataset"));
      if (path != NULL && path[0] != '\0')
        return g_strdup (path);
    }
  return NULL;
}

/* Of what can be opened only from a data set, a picture of an IDX file, say. */
static HlInput *
open_item (HlModel *model, const HlTrace *trace, const HlDataset *dataset, int *label)
{
  int item = hl_dataset_find (dataset, trace->input_name, trace->input_path);
  g_autoptr (HlInput) input =
      item >= 0 ? hl_dataset_open_input (dataset, model, item, label, NULL) : NULL;
  gboolean is_same = input != NULL && g_str_equal (input->hash, trace->input_hash);
  return is_same ? g_steal_pointer (&input) : NULL;
}

/* (transfer full): (1, T) int32 */
static HlTensor *
ids_of (const HlTokenTable *tokens)
{
  g_autofree gint32 *ids = g_new (gint32, (gsize) tokens->n_tokens + 1);
  for (int i = 0; i < tokens->n_tokens; i++)
    ids[i] = tokens->tokens[i].id;
  return hl_tensor_new_copy (HL_DTYPE_I32, HL_SHAPE (1, tokens->n_tokens), ids);
}

static HlInput *
open_text (const HlTrace *trace)
{
  HlTokenTable *tokens = hl_trace_get_tokens (trace, trace->model->readout_stack);
  if (tokens == NULL)
    return NULL;
  g_autoptr (HlTensor) ids = ids_of (tokens);
  HlInput *input =
      hl_input_new_text (trace->input_name, trace->input_path, ids, tokens, trace->text);
  input->target_text = g_strdup (trace->target_text);
  return input;
}

/* What an encoder-decoder read: tokens, or the frames of a recording. */
static HlInput *
open_source (const HlTrace *trace)
{
  const HlTensor *features = trace->features;
  HlTokenTable *source = hl_trace_get_tokens (trace, 0);
  gboolean is_audio = g_strcmp0 (trace->input_kind, "audio") == 0;
  g_autoptr (HlInput) input = open_text (trace);
  if (input == NULL || source == NULL || (is_audio && features == NULL))
    return NULL;
  g_autoptr (HlTensor) numbers =
      is_audio ? hl_tensor_new_copy (
                     features->dtype,
                     HL_SHAPE (1, features->shape.dim[0], features->shape.dim[1]),
                     features->data)
               : ids_of (source);
  hl_input_set_source (input, is_audio ? NULL : numbers, is_audio ? numbers : NULL,
                       source);
  input->n_real_frames = trace->n_real_frames;
  return g_steal_pointer (&input);
}

/* A trace knows the tokens of its text; a picture is read again. NULL where it is not
 * what it was. */
static HlInput *
open_input (HlModel *model, const HlTrace *trace)
{
  g_autoptr (HlInput) input = NULL;
  if (g_strcmp0 (trace->input_kind, hl_model_get_info (model)->input_kind) != 0)
    return NULL;
  if (g_strcmp0 (trace->input_kind, "image") == 0 && trace->input_path[0] != '\0')
    {
      const gint64 *size = trace->pixels != NULL ? trace->pixels->shape.dim : NULL;
      input =
          hl_model_open_image (model, trace->input_path, size != NULL ? (int) size[0] : 0,
                               size != NULL ? (int) size[1] : 0, NULL);
    }
  else if (trace->model->readout_stack != 0)
    input = open_source (trace);
  else if (g_strcmp0 (trace->input_kind, "text") == 0)
    input = open_text (trace);
  gboolean is_same = input != NULL && g_str_equal (input->hash, trace->input_hash);
  return is_same ? g_steal_pointer (&input) : NULL;
}

/* What is said of a recording beside its numbers: its part, and what the decoder was
 * told. The file says how many parts there are, where it still is what it was. */
static void
take_recording (const HlModel *model, HlInput *input)
{
  const HlTokenTable *frames = input->source_tokens;
  gboolean translates;
  int last = frames->n_tokens - 1;
  double width =
      last > 0 ? round (frames->tokens[last].end - frames->tokens[0].start) : 0;
  input->language_prob = NAN;
  input->language =
      hl_model_read_told (model, input->ids->data, input->ids->shape.dim[1], &translates);
  if (width > 0)
    input->window = (gint64) round (frames->tokens[0].start / width);
  g_autoptr (HlInput) file =
      input->path[0] != '\0'
          ? hl_model_open_audio (model, input->path, input->window, NULL, NULL, NULL)
          : NULL;
  if (file == NULL ||
      hl_tensor_count (file->features) != hl_tensor_count (input->features) ||
      memcmp (file->features->data, input->features->data,
              hl_tensor_size_bytes (input->features)) != 0)
    return;
  input->n_windows = file->n_windows;
  input->seconds = file->seconds;
}

static gpointer
attach_job (gpointer data, HlBackend *backend, const HlProgress *progress, GError **error)
{
  HlDocumentJob *job = data;
  const HlTrace *trace = hl_session_get_trace (job->session, 0);
  g_autoptr (HlModel) model =
      job->model != NULL ? hl_model_ref (job->model) : hl_model_open (job->path, NULL);
  Attached *attached = g_new0 (Attached, 1);
  gboolean is_same = model != NULL && g_str_equal (hl_model_get_info (model)->identity,
                                                   trace->model->identity);
  if (!is_same)
    return attached;
  job->backend_words = backend->klass->describe (backend);
  attached->input = open_input (model, trace);
  if (attached->input != NULL && attached->input->features != NULL)
    take_recording (model, attached->input);
  attached->label = -1;
  g_autofree char *path = find_dataset (job->session);
  if (path != NULL && g_file_test (path, G_FILE_TEST_EXISTS))
    attached->dataset = hl_dataset_open (path, hl_model_get_info (model), NULL);
  if (attached->dataset != NULL)
    {
      g_autoptr (HlInput) item =
          open_item (model, trace, attached->dataset, &attached->label);
      if (attached->input == NULL)
        attached->input = g_steal_pointer (&item);
    }
  attached->model = g_steal_pointer (&model);
  return attached;
}

/* What the decoder of a recording was told is what it is told again. */
static void
take_told (HlDocument *self)
{
  gboolean translates = FALSE;
  HlInput *input = self->input;
  if (input == NULL || input->features == NULL)
    return;
  g_autofree char *language = hl_model_read_told (self->model, input->ids->data,
                                                  input->ids->shape.dim[1], &translates);
  const HlTextOptions told = { .language = language,
                               .task = translates ? "translate" : NULL };
  hl_document_take_options (&self->text_options, &told);
}

static void
attached_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (HlDocumentJob) job = data;
  HlDocument *self = job->document;
  Attached *attached = hl_document_end (job, self->engine, result, attached_free,
                                        _ ("The model could not be opened"));
  if (attached == NULL)
    return;
  if (attached->model != NULL && self->model == NULL)
    {
      self->model = g_steal_pointer (&attached->model);
      self->input = g_steal_pointer (&attached->input);
      take_told (self);
      g_free (self->backend_words);
      self->backend_words = g_steal_pointer (&job->backend_words);
      hl_document_emit (self, HL_DOCUMENT_MODEL);
      hl_document_emit (self, HL_DOCUMENT_INPUT);
      hl_document_attach_dataset (self, attached->dataset, attached->label);
    }
  attached_free (attached);
}

void
hl_document_attach_model (HlDocument *self, HlModel *model)
{
  const HlTrace *trace = hl_session_get_trace (self->session, 0);
  if (model == NULL && (trace->model->path == NULL || trace->model->path[0] == '\0' ||
                        !g_file_test (trace->model->path, G_FILE_TEST_EXISTS)))
    return;
  HlDocumentJob *job = hl_document_job_new (self);
  job->path = g_strdup (trace->model->path);
  job->model = model != NULL ? hl_model_ref (model) : NULL;
  job->session = hl_session_copy (self->session); /* it is read on another thread */
  hl_document_begin (self, _ ("Opening the model"));
  hl_document_submit (job, self->engine, attach_job, attached_free, attached_cb);
}

void
hl_document_take_interventions (HlDocument *self, const HlTrace *trace)
{
  g_autoptr (GArray) heads = g_array_new (FALSE, FALSE, sizeof (HlHeadKey));
  for (guint i = 0; i < trace->interventions->len; i++)
    for (guint s = 0; s < trace->model->stacks->len; s++)
      {
        HlHeadKey key = { .stack = (int) s };
        const char *words = g_ptr_array_index (trace->interventions, i);
        if (hl_intervention_parse_pruned_head (
                words, hl_model_info_get_stack (trace->model, (int) s), &key.layer,
                &key.head))
          g_array_append_val (heads, key);
      }
  hl_selection_begin_ablated (self->selection, (const HlHeadKey *) (gpointer) heads->data,
                              heads->len);
}
