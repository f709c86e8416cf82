/* SPDX-License-Identifier: MIT
 * headlight tokenize MODEL (--text S | --text-file F) [--json] [--no-bos] ... */
#include "config.h"

#include "cli.h"

#include "base/hl-error.h"
#include "base/hl-paths.h"
#include "text/hl-chat.h"
#include "text/hl-tokenizer.h"
#include "trace/hl-token-table.h"

#include <glib/gi18n.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* What is printed of one run. */
typedef struct
{
  HlTokenizer *tokenizer;
  HlEncoding *encoding;
  const HlChatFormat *chat; /* NULL without --chat */
} Result;

/* The token's bytes in hexadecimal digits. */
static char *
hex_of (HlTokenizer *tokenizer, gint32 id)
{
  gsize length = 0;
  g_autoptr (GBytes) bytes = hl_tokenizer_get_token_bytes (tokenizer, id);
  const guint8 *data = g_bytes_get_data (bytes, &length);
  GString *out = g_string_sized_new (2 * length + 1);
  for (gsize i = 0; i < length; i++)
    g_string_append_printf (out, "%02x", data[i]);
  return g_string_free (out, FALSE);
}

static json_t *
token_json (HlTokenizer *tokenizer, const HlTextToken *token)
{
  g_autofree char *hex = hex_of (tokenizer, token->id);
  g_autofree char *text = hl_tokenizer_get_token_text (tokenizer, token->id);
  const char *role =
      hl_token_role_name (token->is_special ? HL_ROLE_SPECIAL : HL_ROLE_PROMPT);
  return json_pack (
      "{s:i, s:s, s:s, s:s, s:s, s:[I, I], s:[I, I], s:b, s:b}", "id", token->id, "raw",
      hl_tokenizer_get_token_raw (tokenizer, token->id), "text", text, "bytes", hex,
      "role", role, "chars", (json_int_t) token->start_char, (json_int_t) token->end_char,
      "text_bytes", (json_int_t) token->start_byte, (json_int_t) token->end_byte,
      "special", token->is_special, "added_around", token->is_around);
}

/* A token that the tokenizer does not have is null, not a number. */
static json_t *
id_json (gint32 id)
{
  return id >= 0 ? json_integer (id) : json_null ();
}

static void
print_json (const Result *result)
{
  HlTokenizer *tokenizer = result->tokenizer;
  json_t *tokens = json_array ();
  for (gsize i = 0; i < result->encoding->n_tokens; i++)
    json_array_append_new (tokens, token_json (tokenizer, &result->encoding->tokens[i]));
  json_t *root =
      json_pack ("{s:i, s:o, s:o, s:o, s:b, s:s?, s:o}", "vocabulary",
                 (int) hl_tokenizer_get_n_tokens (tokenizer), "bos",
                 id_json (hl_tokenizer_get_bos (tokenizer)), "eos",
                 id_json (hl_tokenizer_get_eos (tokenizer)), "unk",
                 id_json (hl_tokenizer_get_unk (tokenizer)), "doubled_bos",
                 result->encoding->has_doubled_bos, "chat",
                 result->chat != NULL ? hl_chat_kind_name (result->chat->kind) : NULL,
                 "tokens", tokens);
  json_dumpf (root, stdout, JSON_INDENT (2));
  printf ("\n");
  json_decref (root);
}

static void
print_table (const Result *result)
{
  if (result->chat != NULL)
    printf (_ ("chat format: %s\n"), hl_chat_kind_name (result->chat->kind));
  printf ("%6s %8s %15s  %-24s %s\n", _ ("token"), _ ("id"), _ ("characters"),
          _ ("bytes"), _ ("text"));
  for (gsize i = 0; i < result->encoding->n_tokens; i++)
    {
      const HlTextToken *token = &result->encoding->tokens[i];
      g_autofree char *hex = hex_of (result->tokenizer, token->id);
      g_autofree char *text = hl_tokenizer_get_token_text (result->tokenizer, token->id);
      g_autofree char *place =
          token->is_around
              ? g_strdup ("-")
              : g_strdup_printf ("%u-%u", token->start_char, token->end_char);
      printf ("%6" G_GSIZE_FORMAT " %8d %15s  %-24s %s%s\n", i, token->id, place, hex,
              text, token->is_special ? _ (" (special)") : "");
    }
}

static void
warn_of_doubled_bos (const Result *result)
{
  if (!result->encoding->has_doubled_bos)
    return;
  fprintf (
      stderr,
      _ ("headlight: the text begins with %s, and the tokenizer puts it there too: it "
         "counts twice (--no-bos adds none)\n"),
      hl_tokenizer_get_token_raw (result->tokenizer, result->encoding->tokens[0].id));
}

/* ---- the text ------------------------------------------------------------------------
 */

/* Puts the text into the model's chat format, as what the user says. */
static char *
render_chat (HlTokenizer *tokenizer,
             const HlChatFormat *format,
             const char *text,
             gsize length,
             GError **error)
{
  gint32 bos = hl_tokenizer_get_bos (tokenizer), eos = hl_tokenizer_get_eos (tokenizer);
  if (memchr (text, '\0', length) != NULL || !g_utf8_validate_len (text, length, NULL))
    {
      g_set_error (
          error, HL_ERROR, HL_ERROR_FORMAT,
          "text: UTF-8 without NUL expected for a conversation, other bytes found");
      return NULL;
    }
  HlChatMessage message = { "user", text };
  return hl_chat_render (format, &message, 1, TRUE,
                         bos >= 0 ? hl_tokenizer_get_token_raw (tokenizer, bos) : NULL,
                         eos >= 0 ? hl_tokenizer_get_token_raw (tokenizer, eos) : NULL,
                         error);
}

static HlEncoding *
encode (HlTokenizer *tokenizer,
        const HlChatFormat *chat,
        const char *text,
        gsize length,
        HlEncodeOptions options,
        GError **error)
{
  if (chat == NULL)
    return hl_tokenizer_encode (tokenizer, text, (gssize) length, &options, error);
  g_autofree char *rendered = render_chat (tokenizer, chat, text, length, error);
  if (rendered == NULL)
    return NULL;
  /* These formats write BOS themselves; plain text does not. */
  options.add_special = options.add_special &&
                        (chat->kind == HL_CHAT_PLAIN || chat->kind == HL_CHAT_UNKNOWN);
  return hl_tokenizer_encode (tokenizer, rendered, -1, &options, error);
}

static CliStatus
run (const char *model,
     const char *text,
     gsize length,
     HlEncodeOptions options,
     gboolean is_chat,
     gboolean as_json)
{
  GError *error = NULL;
  g_autoptr (HlChatFormat) chat = NULL;
  g_autofree char *path = hl_path_model (model);
  g_autoptr (HlTokenizer) tokenizer = hl_tokenizer_open (path, &error);
  if (tokenizer == NULL)
    return cli_fail (error);
  if (is_chat)
    chat = hl_chat_recognise (hl_tokenizer_get_chat_template (tokenizer));
  g_autoptr (HlEncoding) encoding =
      encode (tokenizer, chat, text, length, options, &error);
  if (encoding == NULL)
    return cli_fail (error);
  Result result = { tokenizer, encoding, chat };
  if (as_json)
    print_json (&result);
  else
    print_table (&result);
  warn_of_doubled_bos (&result);
  return CLI_OK;
}

CliStatus
cli_tokenize (int argc, char **argv)
{
  g_autofree char *text = NULL, *file = NULL;
  gboolean as_json = FALSE, no_bos = FALSE, no_special = FALSE, chat = FALSE, done;
  const GOptionEntry entries[] = {
    /* As it is typed, in bytes: what is not UTF-8 is the encoder's to refuse. */
    { "text", 0, 0, G_OPTION_ARG_FILENAME, &text, N_ ("The text"), "TEXT" },
    { "text-file", 0, 0, G_OPTION_ARG_FILENAME, &file, N_ ("A file with the text"),
      "FILE" },
    { "no-bos", 0, 0, G_OPTION_ARG_NONE, &no_bos,
      N_ ("Leave out the tokens that the tokenizer puts around a text"), NULL },
    { "no-special", 0, 0, G_OPTION_ARG_NONE, &no_special,
      N_ ("Read special tokens in the text as plain characters"), NULL },
    { "chat", 0, 0, G_OPTION_ARG_NONE, &chat,
      N_ ("Put the text into the model's chat format, as a user's message"), NULL },
    { "json", 0, 0, G_OPTION_ARG_NONE, &as_json, N_ ("Print JSON"), NULL },
    G_OPTION_ENTRY_NULL
  };
  CliStatus status = cli_parse ("tokenize", entries, &argc, &argv, &done);
  if (done)
    return status;
  if (argc != 2 || (text == NULL) == (file == NULL))
    return cli_usage ("tokenize",
                      _ ("a model, and --text TEXT or --text-file FILE expected"));
  if (chat && no_special)
    return cli_usage ("tokenize", _ ("--chat needs special tokens: no --no-special"));
  gsize length = text != NULL ? strlen (text) : 0;
  g_autoptr (GError) cause = NULL;
  if (file != NULL && !g_file_get_contents (file, &text, &length, &cause))
    return cli_fail (g_error_new (HL_ERROR, HL_ERROR_IO, "%s", cause->message));
  HlEncodeOptions options = { .add_special = !no_bos, .parse_special = !no_special };
  return run (argv[1], text, length, options, chat, as_json);
}
