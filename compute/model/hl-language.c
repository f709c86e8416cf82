/* SPDX-License-Identifier: MIT
 * The language of a recording. */
#include "model/hl-language.h"

#include "model/hl-model-private.h"
#include "model/hl-model-source.h"
#include "trace/hl-tracer.h"

#include <math.h>
#include <string.h>
#include <unicode/uloc.h>
#include <unicode/ustring.h>

static const json_t *
languages_of (const HlModel *model)
{
  return json_object_get (model->rules->json, "lang_to_id");
}

/* (transfer full): "de" of "<|de|>". */
static char *
bare_code (const char *name)
{
  gsize n = strlen (name);
  gboolean is_wrapped =
      g_str_has_prefix (name, "<|") && g_str_has_suffix (name, "|>") && n > 4;
  return is_wrapped ? g_strndup (name + 2, n - 4) : g_strdup (name);
}

static int
by_code (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

char **
hl_model_list_languages (const HlModel *model)
{
  GPtrArray *codes = g_ptr_array_new ();
  const char *name;
  json_t *id;
  json_object_foreach ((json_t *) languages_of (model), name, id)
      g_ptr_array_add (codes, bare_code (name));
  g_ptr_array_sort (codes, by_code);
  g_ptr_array_add (codes, NULL);
  return (char **) g_ptr_array_free (codes, FALSE);
}

gboolean
hl_model_has_tasks (const HlModel *model)
{
  return json_object_size (json_object_get (model->rules->json, "task_to_id")) > 1;
}

char *
hl_language_dup_name (const char *code)
{
  const char *in = g_get_language_names ()[0];
  UChar wide[80];
  char name[240];
  int32_t n = 0;
  UErrorCode status = U_ZERO_ERROR;
  uloc_getDisplayLanguage (code, g_str_equal (in, "C") ? "en" : in, wide,
                           G_N_ELEMENTS (wide), &status);
  if (U_SUCCESS (status) && status != U_STRING_NOT_TERMINATED_WARNING)
    u_strToUTF8 (name, sizeof name, &n, wide, -1, &status);
  return g_strdup (U_SUCCESS (status) && n > 0 ? name : code);
}

/* (transfer full) (nullable): the name in @table of one of the first ids. */
static char *
find_told (const json_t *table, const gint32 *ids, gint64 n)
{
  const char *name;
  json_t *id;
  json_object_foreach ((json_t *) table, name,
                       id) for (gint64 i = 1; i < MIN (n, 3);
                                i++) if (json_is_integer (id) &&
                                         json_integer_value (id) ==
                                             ids[i]) return bare_code (name);
  return NULL;
}

char *
hl_model_read_told (const HlModel *model,
                    const gint32 *ids,
                    gint64 n,
                    gboolean *translates)
{
  g_autofree char *task =
      find_told (json_object_get (model->rules->json, "task_to_id"), ids, n);
  *translates = g_strcmp0 (task, "translate") == 0;
  return find_told (languages_of (model), ids, n);
}

/* ---- detecting -----------------------------------------------------------------------
 */

/* (transfer full): the recording with the decoder's first token alone. */
static HlInput *
begin_decoder (const HlModel *model, HlInput *input)
{
  const gint32 *start = (const gint32 *) (gpointer) model->rules->start->data;
  g_autoptr (HlTokenTable) tokens =
      hl_model_describe_ids (model, start, 1, HL_ROLE_PROMPT);
  g_autoptr (HlTensor) ids = hl_tensor_new_copy (HL_DTYPE_I32, HL_SHAPE (1, 1), start);
  HlInput *first = hl_input_new_text (input->name, input->path, ids, tokens, NULL);
  hl_input_set_source (first, NULL, input->features, input->source_tokens);
  hl_input_copy_recording (first, input);
  return first;
}

/* The most probable of the languages; NULL where none of their ids is in the vocabulary.
 */
static const char *
best_language (const json_t *languages, const HlTensor *logits, double *prob)
{
  const float *x = hl_tensor_f32 (logits);
  const char *name, *best = NULL;
  double most = -INFINITY, sum = 0;
  json_t *value;
  json_object_foreach ((json_t *) languages, name, value)
  {
    json_int_t id = json_is_integer (value) ? json_integer_value (value) : -1;
    if (id < 0 || id >= logits->shape.dim[0])
      continue;
    double logit = (double) x[id];
    sum = logit > most ? sum * exp (most - logit) + 1 : sum + exp (logit - most);
    best = logit > most ? name : best;
    most = fmax (most, logit);
  }
  *prob = sum > 0 ? 1 / sum : NAN;
  return best;
}

/* (transfer full): @input as it would be with @language. */
static HlInput *
in_language (const HlModel *model,
             const HlInput *input,
             const HlTextOptions *options,
             const char *language,
             double prob,
             GError **error)
{
  HlTextOptions chosen = *options;
  chosen.language = language;
  HlInput *next =
      hl_model_new_target (model, input->name, input->path, NULL, &chosen, error);
  if (next == NULL)
    return NULL;
  hl_input_set_source (next, NULL, input->features, input->source_tokens);
  hl_input_copy_recording (next, input);
  g_free (next->language);
  next->language = g_strdup (language);
  next->language_prob = prob;
  return next;
}

HlInput *
hl_model_detect_language (const HlModel *model,
                          HlInput *input,
                          const HlTextOptions *options,
                          HlBackend *backend,
                          const HlProgress *progress,
                          GError **error)
{
  const json_t *languages = languages_of (model);
  const HlTraceOptions bare = { .maps = HL_MAPS_NONE, .no_predictions = TRUE };
  if (input->features == NULL || options->language != NULL ||
      json_object_size (languages) == 0 || model->rules->start->len == 0)
    return hl_input_ref (input);
  g_autoptr (HlInput) first = begin_decoder (model, input);
  g_autoptr (HlTrace) trace =
      hl_tracer_run (model, first, backend, &bare, progress, error);
  if (trace == NULL)
    return NULL;
  double prob = NAN;
  const char *name =
      trace->logits != NULL ? best_language (languages, trace->logits, &prob) : NULL;
  if (name == NULL)
    return hl_input_ref (input);
  g_autofree char *code = bare_code (name);
  return in_language (model, input, options, code, prob, error);
}
