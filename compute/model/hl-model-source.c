/* SPDX-License-Identifier: MIT
 * Encoder-decoders: what their decoders begin with, recordings, completions. */
#include "model/hl-model-source.h"

#include "base/hl-error.h"
#include "model/hl-model-private.h"
#include "trace/hl-generate.h"

#include <math.h>

gboolean
hl_model_takes_source (const HlModel *model, const HlTextOptions *options, GError **error)
{
  const HlModelInfo *info = model->info;
  const char *found = NULL;
  if (info->n_source_context == 0 && options->target != NULL)
    found = "a target";
  else if (info->n_source_context == 0 && options->language != NULL)
    found = "a language";
  else if (g_str_equal (info->input_kind, "audio"))
    found = "a text";
  if (found == NULL)
    return TRUE;
  const char *format = g_str_equal (info->input_kind, "audio")
                           ? "%s: a recording expected, %s found"
                           : "%s: %s is for a model with an encoder before its decoder, "
                             "which this is not";
  g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED, format, info->name, found);
  return FALSE;
}

/* The target's tokens behind @ids, without those that the tokenizer puts behind a text,
 * and without a first one that is there already. */
static gboolean
add_target (const HlModel *model, GArray *ids, const char *target, GError **error)
{
  HlTokenizer *tokenizer = hl_model_get_tokenizer (model, error);
  const HlEncodeOptions how = { g_str_equal (model->info->input_kind, "text"), TRUE };
  g_autoptr (HlEncoding) encoding =
      tokenizer != NULL ? hl_tokenizer_encode (tokenizer, target, -1, &how, error) : NULL;
  if (encoding == NULL)
    return FALSE;
  gsize n = encoding->n_tokens;
  while (n > 0 && encoding->tokens[n - 1].is_around)
    n--;
  for (gsize i = 0; i < n; i++)
    g_array_append_val (ids, encoding->tokens[i].id);
  return TRUE;
}

static gboolean
fits (const HlModel *model, const GArray *ids, GError **error)
{
  if (ids->len == 0)
    g_set_error (error, HL_ERROR, HL_ERROR_MISSING,
                 "%s: generation_config.json or config.json: field "
                 "\"decoder_start_token_id\": a token expected, nothing found",
                 model->info->path);
  else if (ids->len > (guint) model->info->n_context)
    g_set_error (
        error, HL_ERROR, HL_ERROR_RANGE,
        "the target: at most %d tokens expected, the decoder's context, %u found",
        model->info->n_context, ids->len);
  else
    return TRUE;
  return FALSE;
}

HlInput *
hl_model_new_target (const HlModel *model,
                     const char *name,
                     const char *path,
                     const char *text,
                     const HlTextOptions *options,
                     GError **error)
{
  g_autoptr (GArray) ids = hl_generation_rules_get_start (model->rules, options->language,
                                                          options->task, error);
  if (ids == NULL ||
      (options->target != NULL && !add_target (model, ids, options->target, error)) ||
      !fits (model, ids, error))
    return NULL;
  const gint32 *list = (const gint32 *) (gpointer) ids->data;
  g_autoptr (HlTokenTable) tokens =
      hl_model_describe_ids (model, list, ids->len, HL_ROLE_PROMPT);
  g_autoptr (HlTensor) tensor =
      hl_tensor_new_copy (HL_DTYPE_I32, HL_SHAPE (1, ids->len), list);
  HlInput *input = hl_input_new_text (name, path, tensor, tokens, text);
  input->target_text = g_strdup (options->target);
  return input;
}

HlInput *
hl_model_open_source_ids (const HlModel *model,
                          const gint32 *ids,
                          gint64 n,
                          const HlTextOptions *options,
                          GError **error)
{
  const HlModelInfo *info = model->info;
  if (!hl_model_takes_source (model, options, error))
    return NULL;
  if (info->n_source_context == 0)
    return hl_model_open_ids (model, ids, n, error);
  if (n < 1 || n > info->n_source_context)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                   "tokens: 1 to %d expected, the encoder's context, %" G_GINT64_FORMAT
                   " found",
                   info->n_source_context, n);
      return NULL;
    }
  g_autoptr (HlInput) input =
      hl_model_new_target (model, "tokens", "", NULL, options, error);
  if (input == NULL)
    return NULL;
  g_autoptr (HlTensor) tensor = hl_tensor_new_copy (HL_DTYPE_I32, HL_SHAPE (1, n), ids);
  g_autoptr (HlTokenTable) tokens = hl_model_describe_ids (model, ids, n, HL_ROLE_PROMPT);
  hl_input_set_source (input, tensor, NULL, tokens);
  return g_steal_pointer (&input);
}

/* ---- recordings ----------------------------------------------------------------------
 */

/* What the encoder makes of a window: a token for each pair of frames. */
static HlTokenTable *
frame_tokens (const HlAudioProcessor *p, gint64 window, gint64 n_real)
{
  gint64 n = p->n_frames / 2;
  HlTokenTable *tokens = hl_token_table_new ((int) n);
  double begin_s = (double) (window * p->window_s), step_s = 2 * p->frame_s;
  for (gint64 i = 0; i < n; i++)
    {
      HlToken *token = &tokens->tokens[i];
      token->start = begin_s + (double) i * step_s;
      token->end = token->start + step_s;
      token->text = g_strdup_printf ("%.2f s", token->start);
      token->role = 2 * i < n_real ? HL_ROLE_NONE : HL_ROLE_PADDING;
    }
  return tokens;
}

/* (transfer full) (nullable): what hl_generation_rules_get_start() takes. */
static char *
dup_told_language (const HlModel *model, const HlTextOptions *options)
{
  if (!json_is_object (json_object_get (model->rules->json, "lang_to_id")))
    return NULL;
  return g_strdup (options != NULL && options->language != NULL ? options->language
                                                                : "en");
}

HlInput *
hl_model_open_audio (const HlModel *model,
                     const char *path,
                     gint64 window,
                     const HlTextOptions *options,
                     const HlProgress *progress,
                     GError **error)
{
  static const HlTextOptions plain = { 0 };
  if (model->audio == NULL)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED, "%s takes no recordings",
                   model->info->name);
      return NULL;
    }
  g_autoptr (HlAudio) audio = hl_audio_open (path, model->audio->rate, progress, error);
  g_autoptr (HlTensor) features = NULL;
  gint64 n_real = 0;
  if (audio == NULL ||
      !hl_audio_processor_run (model->audio, audio, window, &features, &n_real, error))
    return NULL;
  g_autofree char *base = g_path_get_basename (path);
  int begin_s = (int) window * model->audio->window_s;
  g_autofree char *name = window > 0 ? g_strdup_printf ("%s, %d–%d s", base, begin_s,
                                                        begin_s + model->audio->window_s)
                                     : g_strdup (base);
  HlInput *input = hl_model_new_target (model, name, path, NULL,
                                        options != NULL ? options : &plain, error);
  if (input == NULL)
    return NULL;
  g_autoptr (HlTokenTable) tokens = frame_tokens (model->audio, window, n_real);
  hl_input_set_source (input, NULL, features, tokens);
  input->n_real_frames = n_real;
  input->window = window;
  input->n_windows = hl_audio_processor_count_windows (model->audio, audio);
  input->seconds = audio->duration_s;
  input->language = dup_told_language (model, options);
  input->language_prob = NAN;
  input->warning = g_strdup (audio->cut_short);
  return input;
}

/* ---- going on by itself --------------------------------------------------------------
 */

static gboolean
hear_cb (const HlGenerated *token, gpointer data)
{
  g_array_append_val ((GArray *) data, token->id);
  return TRUE;
}

HlInput *
hl_model_complete (const HlModel *model,
                   HlInput *input,
                   HlBackend *backend,
                   int n_tokens,
                   const HlProgress *progress,
                   GError **error)
{
  g_autoptr (GArray) more = g_array_new (FALSE, FALSE, sizeof (gint32));
  gint64 room = model->info->n_context - input->ids->shape.dim[1];
  const HlGenerateOptions options = { .n_tokens = (int) MIN (n_tokens, room) };
  if (options.n_tokens > 0 &&
      hl_generate (model, input, backend, &options, progress, hear_cb, more, error) < 0)
    return NULL;
  if (more->len > 0 &&
      hl_model_is_end (model, g_array_index (more, gint32, more->len - 1)))
    g_array_set_size (more, more->len - 1);
  return more->len > 0
             ? hl_model_extend_text (model, input, (const gint32 *) (gpointer) more->data,
                                     more->len, error)
             : hl_input_ref (input);
}
