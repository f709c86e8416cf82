/* SPDX-License-Identifier: MIT
 * The options that say what a model is run on. */
#include "config.h"

#include "cli-input.h"

#include "base/hl-error.h"
#include "base/hl-paths.h"
#include "io/hl-json.h"
#include "model/hl-language.h"
#include "model/hl-model-source.h"

#include <glib/gi18n.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* As many as a decoder says by itself where nobody says how many. */
#define TARGET_TOKENS 128

GOptionEntry *
cli_input_entries (CliInput *input, const GOptionEntry *more, CliInputKinds kinds)
{
  const GOptionEntry recordings[] = {
    { "audio", 0, 0, G_OPTION_ARG_FILENAME, &input->audio, N_ ("A recording"), "FILE" },
    { "window", 0, 0, G_OPTION_ARG_INT, &input->window,
      N_ ("Which 30 seconds of it, from 0"), "N" },
    { "language", 0, 0, G_OPTION_ARG_STRING, &input->language,
      N_ ("Of a recording: en, de, …; without it the model says which"), "CODE" },
    { "task", 0, 0, G_OPTION_ARG_STRING, &input->task, N_ ("transcribe or translate"),
      "TASK" },
  };
  const GOptionEntry targets[] = {
    { "target", 0, 0, G_OPTION_ARG_FILENAME, &input->target,
      N_ ("What the decoder of an encoder-decoder reads"), "TEXT" },
    { "target-tokens", 0, 0, G_OPTION_ARG_INT, &input->n_target,
      N_ ("Without a target: as many as the decoder may say by itself (128)"), "N" },
  };
  const GOptionEntry seconds[] = {
    { "text2", 0, 0, G_OPTION_ARG_FILENAME, &input->second,
      N_ ("A second text, that makes a pair with the first"), "TEXT" },
  };
  const GOptionEntry pictures[] = {
    { "image", 0, 0, G_OPTION_ARG_FILENAME, &input->image, N_ ("A picture"), "FILE" },
    { "size", 0, 0, G_OPTION_ARG_STRING, &input->size,
      N_ ("Run a picture at another size, positions interpolated"), "HxW" },
  };
  const GOptionEntry texts[] = {
    /* As it is typed, in bytes: what is not UTF-8 is the encoder's to refuse, with the
     * place, and a locale without UTF-8 is no reason to. */
    { "text", 0, 0, G_OPTION_ARG_FILENAME, &input->text, N_ ("A text"), "TEXT" },
    { "text-file", 0, 0, G_OPTION_ARG_FILENAME, &input->text_file,
      N_ ("A text from a file"), "FILE" },
    { "ids", 0, 0, G_OPTION_ARG_STRING, &input->ids,
      N_ ("Tokens as a JSON list, \"[464, 3290]\""), "JSON" },
    { "no-bos", 0, 0, G_OPTION_ARG_NONE, &input->no_bos,
      N_ ("Leave out what the tokenizer puts around a text"), NULL },
    { "no-special", 0, 0, G_OPTION_ARG_NONE, &input->plain_special,
      N_ ("Take special tokens in the text as plain characters"), NULL },
    { "first-token", 0, 0, G_OPTION_ARG_INT, &input->first_token,
      N_ ("Begin at this token of a text"), "N" },
    { "max-tokens", 0, 0, G_OPTION_ARG_INT, &input->n_tokens,
      N_ ("Take so many tokens of a text at most"), "N" },
  };
  GArray *all = g_array_new (TRUE, TRUE, sizeof (GOptionEntry));
  if (kinds & CLI_INPUT_IMAGE)
    g_array_append_vals (all, pictures, G_N_ELEMENTS (pictures));
  if (kinds & CLI_INPUT_AUDIO)
    g_array_append_vals (all, recordings, G_N_ELEMENTS (recordings));
  if (kinds & CLI_INPUT_PAIR)
    g_array_append_vals (all, seconds, G_N_ELEMENTS (seconds));
  if (kinds & CLI_INPUT_TARGET)
    g_array_append_vals (all, targets, G_N_ELEMENTS (targets));
  g_array_append_vals (all, texts, G_N_ELEMENTS (texts));
  for (; more->long_name != NULL; more++)
    g_array_append_vals (all, more, 1);
  return (GOptionEntry *) (gpointer) g_array_free (all, FALSE);
}

void
cli_input_clear (CliInput *input)
{
  g_free (input->image);
  g_free (input->size);
  g_free (input->text);
  g_free (input->text_file);
  g_free (input->ids);
  g_free (input->audio);
  g_free (input->second);
  g_free (input->target);
  g_free (input->language);
  g_free (input->task);
}

CliStatus
cli_input_take_file (CliInput *input, const char *path, const char *command)
{
  g_autofree char *type = g_content_type_guess (path, NULL, 0, NULL);
  char **place = g_content_type_is_a (type, "image/*")   ? &input->image
                 : g_content_type_is_a (type, "audio/*") ? &input->audio
                                                         : &input->text_file;
  if (*place != NULL)
    return cli_usage (command, _ ("one input expected, found two files"));
  *place = g_strdup (path);
  return CLI_OK;
}

static gboolean
parse_size (const char *text, int *height, int *width)
{
  int n = 0;
  if (text == NULL)
    return TRUE;
  return sscanf (text, "%dx%d%n", height, width, &n) == 2 && text[n] == '\0' &&
         *height > 0 && *width > 0;
}

CliStatus
cli_input_check (const CliInput *input, const char *command)
{
  int height, width;
  /* A text beside a recording is what the decoder reads. */
  int n = (input->image != NULL) + (input->text_file != NULL) + (input->ids != NULL) +
          (input->text != NULL || input->audio != NULL);
  if (input->audio != NULL && input->text != NULL && input->target != NULL)
    return cli_usage (command,
                      _ ("with --audio, --text and --target are the same: one of "
                         "them expected"));
  if (n != 1)
    return cli_usage (command,
                      g_str_equal (command, "trace") || g_str_equal (command, "analyze")
                          ? _ ("one of --image, --audio, --text, --text-file and "
                               "--ids expected")
                      : g_str_equal (command, "embed")
                          ? _ ("one of --image, --text, --text-file and --ids expected")
                          : _ ("one of --text, --text-file, --ids or, of a model "
                               "that takes recordings, --audio expected"));
  if (input->image != NULL && (input->language != NULL || input->task != NULL ||
                               input->target != NULL || input->window != 0))
    return cli_usage (command, _ ("--window, --language, --task and --target do not go "
                                  "with --image"));
  if (!parse_size (input->size, &height, &width))
    return cli_usage (command, _ ("--size: HEIGHTxWIDTH expected"));
  if (input->first_token < 0 || input->n_tokens < 0)
    return cli_usage (command, _ ("--first-token and --max-tokens: no negative number "
                                  "expected"));
  if (input->window < 0 || input->n_target < 0)
    return cli_usage (command,
                      _ ("--window and --target-tokens: no negative number expected"));
  if (input->second != NULL && input->text == NULL && input->text_file == NULL)
    return cli_usage (command, _ ("--text2 goes with --text or --text-file"));
  if (input->ids != NULL && (input->first_token != 0 || input->n_tokens != 0 ||
                             input->no_bos || input->plain_special))
    return cli_usage (command,
                      _ ("--first-token, --max-tokens, --no-bos and --no-special "
                         "are for texts, not for --ids"));
  return CLI_OK;
}

static gboolean
append_id (GArray *ids, const json_t *value, GError **error)
{
  json_int_t id = json_integer_value (value);
  gint32 small = (gint32) id;
  if (json_is_integer (value) && id == small)
    {
      g_array_append_val (ids, small);
      return TRUE;
    }
  g_autofree char *found = hl_json_describe (value);
  g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
               "--ids: token %u: a whole number below 2^31 expected, %s found", ids->len,
               found);
  return FALSE;
}

static HlInput *
open_ids (const HlModel *model,
          const char *text,
          const HlTextOptions *options,
          GError **error)
{
  g_autoptr (json_t) list = json_loads (text, 0, NULL);
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  if (!json_is_array (list))
    {
      g_set_error (error, HL_ERROR, HL_ERROR_FORMAT,
                   "--ids: a JSON list of numbers expected, \"%s\" found", text);
      return NULL;
    }
  for (gsize i = 0; i < json_array_size (list); i++)
    if (!append_id (ids, json_array_get (list, i), error))
      return NULL;
  return hl_model_open_source_ids (model, (const gint32 *) (gpointer) ids->data,
                                   (gint64) ids->len, options, error);
}

/* What of the text is not there, and how to get it. */
static void
say_what_is_odd (const HlInput *input)
{
  const HlTensor *read = input->source_ids != NULL ? input->source_ids : input->ids;
  gint64 n = read != NULL ? read->shape.dim[1] : 0;
  if (hl_input_is_cut (input))
    fprintf (
        stderr,
        _ ("headlight: tokens %d to %d of the text's %d are taken; --first-token and "
           "--max-tokens choose others\n"),
        (int) input->first_token, (int) (input->first_token + n - 1),
        (int) input->n_all_tokens);
  if (input->warning != NULL && input->features != NULL)
    fprintf (stderr, "headlight: %s: %s\n", input->path, input->warning);
  else if (input->warning != NULL)
    fprintf (stderr, _ ("headlight: %s (--no-bos leaves one out)\n"), input->warning);
}

HlModel *
cli_model_open (const char *name, const CliInput *input, GError **error)
{
  g_autofree char *path = hl_path_model (name);
  const char *wanted = input->image != NULL   ? "image"
                       : input->audio != NULL ? "audio"
                                              : "text";
  g_autoptr (HlModel) model = hl_model_open (path, error);
  if (model == NULL)
    return NULL;
  const HlModelInfo *info = hl_model_get_info (model);
  if (!g_str_equal (info->input_kind, wanted) && g_str_equal (info->other_kind, wanted))
    return hl_model_open_for (path, wanted, error);
  return g_steal_pointer (&model);
}

static const char *
target_of (const CliInput *o)
{
  return o->target == NULL && o->audio != NULL ? o->text : o->target;
}

static HlTextOptions
options_of (const CliInput *o)
{
  return (HlTextOptions){ .no_special = o->no_bos,
                          .plain_special = o->plain_special,
                          .first_token = o->first_token,
                          .n_tokens = o->n_tokens,
                          .second = o->second,
                          .target = target_of (o),
                          .language = o->language,
                          .task = o->task };
}

HlInput *
cli_input_detect (const CliInput *o,
                  const HlModel *model,
                  HlInput *input,
                  HlBackend *backend,
                  const HlProgress *progress,
                  GError **error)
{
  g_autoptr (HlInput) begun = input;
  const HlTextOptions options = options_of (o);
  if (begun == NULL)
    return NULL;
  HlInput *told =
      hl_model_detect_language (model, begun, &options, backend, progress, error);
  if (told == NULL || isnan (told->language_prob) || told->language == NULL)
    return told;
  g_autofree char *name = hl_language_dup_name (told->language);
  fprintf (stderr,
           _ ("headlight: this sounds like %s (%s, probability %.2f); --language says "
              "another\n"),
           name, told->language, told->language_prob);
  return told;
}

HlInput *
cli_input_complete (const CliInput *o,
                    const HlModel *model,
                    HlInput *input,
                    HlBackend *backend,
                    const HlProgress *progress,
                    GError **error)
{
  g_autoptr (HlInput) begun =
      cli_input_detect (o, model, input, backend, progress, error);
  if (begun == NULL || hl_model_get_info (model)->n_source_context == 0 ||
      target_of (o) != NULL)
    return g_steal_pointer (&begun);
  int n = o->n_target > 0 ? o->n_target : TARGET_TOKENS;
  return hl_model_complete (model, begun, backend, n, progress, error);
}

HlInput *
cli_input_open (const CliInput *o, const HlModel *model, GError **error)
{
  const HlTextOptions options = options_of (o);
  int height = 0, width = 0;
  parse_size (o->size, &height, &width);
  HlInput *input = NULL;
  if (o->image != NULL)
    input = hl_model_open_image (model, o->image, height, width, error);
  else if (o->audio != NULL)
    input = hl_model_open_audio (model, o->audio, o->window, &options, NULL, error);
  else if (o->text != NULL)
    input = hl_model_open_text (model, NULL, "", o->text, -1, &options, error);
  else if (o->text_file != NULL)
    input = hl_model_open_text_file (model, o->text_file, &options, error);
  else
    input = open_ids (model, o->ids, &options, error);
  if (input != NULL)
    say_what_is_odd (input);
  return input;
}
