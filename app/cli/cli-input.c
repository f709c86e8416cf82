/* SPDX-License-Identifier: MIT
 * The options that say what a model is run on. */
#include "config.h"

#include "cli-input.h"

#include "base/hl-error.h"
#include "io/hl-json.h"

#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>

GOptionEntry *
cli_input_entries (CliInput *input, const GOptionEntry *more, gboolean with_image)
{
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
  if (with_image)
    g_array_append_vals (all, pictures, G_N_ELEMENTS (pictures));
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
  int n = (input->image != NULL) + (input->text != NULL) + (input->text_file != NULL) +
          (input->ids != NULL);
  if (n != 1)
    return cli_usage (command, g_str_equal (command, "trace")
                                   ? _ ("one of --image, --text, --text-file and --ids "
                                        "expected")
                                   : _ ("one of --text, --text-file and --ids expected"));
  if (!parse_size (input->size, &height, &width))
    return cli_usage (command, _ ("--size: HEIGHTxWIDTH expected"));
  if (input->first_token < 0 || input->n_tokens < 0)
    return cli_usage (command, _ ("--first-token and --max-tokens: no negative number "
                                  "expected"));
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
open_ids (const HlModel *model, const char *text, GError **error)
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
  return hl_model_open_ids (model, (const gint32 *) (gpointer) ids->data,
                            (gint64) ids->len, error);
}

/* What of the text is not there, and how to get it. */
static void
say_what_is_odd (const HlInput *input)
{
  gint64 n = input->ids != NULL ? input->ids->shape.dim[1] : 0;
  if (input->ids != NULL && input->n_all_tokens > n)
    fprintf (
        stderr,
        _ ("headlight: tokens %d to %d of the text's %d are taken; --first-token and "
           "--max-tokens choose others\n"),
        (int) input->first_token, (int) (input->first_token + n - 1),
        (int) input->n_all_tokens);
  if (input->warning != NULL)
    fprintf (stderr, _ ("headlight: %s (--no-bos leaves one out)\n"), input->warning);
}

HlInput *
cli_input_open (const CliInput *o, const HlModel *model, GError **error)
{
  const HlTextOptions options = { .no_special = o->no_bos,
                                  .plain_special = o->plain_special,
                                  .first_token = o->first_token,
                                  .n_tokens = o->n_tokens };
  int height = 0, width = 0;
  parse_size (o->size, &height, &width);
  HlInput *input = NULL;
  if (o->image != NULL)
    input = hl_model_open_image (model, o->image, height, width, error);
  else if (o->text != NULL)
    input = hl_model_open_text (model, NULL, "", o->text, -1, &options, error);
  else if (o->text_file != NULL)
    input = hl_model_open_text_file (model, o->text_file, &options, error);
  else
    input = open_ids (model, o->ids, error);
  if (input != NULL)
    say_what_is_odd (input);
  return input;
}
