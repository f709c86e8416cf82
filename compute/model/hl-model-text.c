/* SPDX-License-Identifier: MIT
 * Texts as a language model's input. */
#include "model/hl-model-text.h"

#include "base/hl-error.h"
#include "model/hl-labels.h"
#include "model/hl-model-private.h"
#include "model/hl-model-source.h"

#include <glib/gstdio.h>
#include <string.h>

#define NAME_CHARACTERS 48

/* Of an encoder-decoder the decoder's tokens are asked for, whatever the encoder takes.
 */
static gboolean
takes_text (const HlModel *model, GError **error)
{
  if (model->info->n_vocab > 0)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED, "%s takes no text",
               model->info->name);
  return FALSE;
}

HlTokenizer *
hl_model_get_tokenizer (const HlModel *model, GError **error)
{
  if (model->tokenizer != NULL)
    return model->tokenizer;
  if (model->tokenizer_error != NULL)
    g_propagate_error (error, g_error_copy (model->tokenizer_error));
  else
    g_set_error (error, HL_ERROR, HL_ERROR_MISSING,
                 "%s: tokenizer.json expected, nothing found there", model->info->path);
  return NULL;
}

char *
hl_model_dup_class_name (const HlModel *model, int index)
{
  char **labels = model->info->labels;
  if (index < 0)
    return g_strdup ("");
  if (labels != NULL && index < (int) g_strv_length (labels))
    return g_strdup (labels[index]);
  char *text = model->tokenizer != NULL
                   ? hl_tokenizer_get_token_text (model->tokenizer, index)
                   : NULL;
  return text != NULL ? text : g_strdup_printf ("%d", index);
}

/* ---- tokens --------------------------------------------------------------------------
 */

static gboolean
check_ids (const HlModel *model, const gint32 *ids, gint64 n, GError **error)
{
  const HlModelInfo *info = model->info;
  if (!takes_text (model, error))
    return FALSE;
  if (n < 1 || n > info->n_context)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                   "tokens: 1 to %d expected, the model's context, %" G_GINT64_FORMAT
                   " found",
                   info->n_context, n);
      return FALSE;
    }
  for (gint64 i = 0; i < n; i++)
    if (ids[i] < 0 || ids[i] >= info->n_vocab)
      {
        g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                     "token %d: an id from 0 to %d expected, %d found", (int) i,
                     info->n_vocab - 1, ids[i]);
        return FALSE;
      }
  return TRUE;
}

/* What a token is by itself: its bytes, its text, its role. */
static void
describe_token (const HlModel *model, HlToken *token, gint32 id, HlTokenRole role)
{
  token->id = id;
  token->role = role;
  if (model->tokenizer != NULL)
    {
      token->bytes = hl_tokenizer_get_token_bytes (model->tokenizer, id);
      token->text = hl_tokenizer_get_token_text (model->tokenizer, id);
      if (hl_tokenizer_is_special (model->tokenizer, id))
        token->role = HL_ROLE_SPECIAL;
    }
  if (token->text == NULL)
    token->text = g_strdup_printf ("%d", id);
}

HlInput *
hl_model_open_ids (const HlModel *model, const gint32 *ids, gint64 n, GError **error)
{
  if (!check_ids (model, ids, n, error))
    return NULL;
  g_autoptr (HlTokenTable) tokens = hl_token_table_new ((int) n);
  for (gint64 i = 0; i < n; i++)
    describe_token (model, &tokens->tokens[i], ids[i], HL_ROLE_PROMPT);
  g_autoptr (HlTensor) tensor = hl_tensor_new_copy (HL_DTYPE_I32, HL_SHAPE (1, n), ids);
  return hl_input_new_text ("tokens", "", tensor, tokens, NULL);
}

HlTokenTable *
hl_model_describe_ids (const HlModel *model,
                       const gint32 *ids,
                       gint64 n,
                       HlTokenRole role)
{
  HlTokenTable *tokens = hl_token_table_new ((int) n);
  for (gint64 i = 0; i < n; i++)
    describe_token (model, &tokens->tokens[i], ids[i], role);
  return tokens;
}

char *
hl_model_dup_text (const HlModel *model, const gint32 *ids, gint64 n, GError **error)
{
  if (model->tokenizer != NULL)
    return hl_tokenizer_decode (model->tokenizer, ids, (gsize) n, TRUE, NULL, error);
  GString *numbers = g_string_new (NULL);
  for (gint64 i = 0; i < n; i++)
    g_string_append_printf (numbers, "%s%d", i > 0 ? " " : "", ids[i]);
  return g_string_free (numbers, FALSE);
}

int
hl_model_find_class (const HlModel *model, const char *text)
{
  /* Vocabularies write the space before a word in one of two ways. */
  static const char *const spaces[] = { "", "Ġ", "▁" };
  g_autoptr (HlLabels) labels = hl_labels_new (hl_model_get_info (model), NULL, NULL);
  int found = hl_labels_find (labels, text);
  gboolean has_space = g_str_has_prefix (text, " ") || g_str_has_prefix (text, "␣");
  const char *word = has_space ? g_utf8_next_char (text) : text;
  for (guint i = has_space;
       model->tokenizer != NULL && found < 0 && i < G_N_ELEMENTS (spaces); i++)
    {
      g_autofree char *spelled = g_strconcat (spaces[i], word, NULL);
      found = hl_tokenizer_find (model->tokenizer, spelled);
    }
  return found;
}

HlInput *
hl_model_extend_text (const HlModel *model,
                      const HlInput *input,
                      const gint32 *ids,
                      gint64 n,
                      GError **error)
{
  gint64 before = input->ids->shape.dim[1];
  g_autoptr (GArray) all = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_array_append_vals (all, input->ids->data, (guint) before);
  g_array_append_vals (all, ids, (guint) n);
  const gint32 *joined = (const gint32 *) (gpointer) all->data;
  if (!check_ids (model, joined, before + n, error))
    return NULL;
  g_autoptr (HlTokenTable) tokens = hl_token_table_new ((int) (before + n));
  for (gint64 i = 0; i < before; i++)
    hl_token_copy (&tokens->tokens[i], &input->tokens->tokens[i]);
  for (gint64 i = 0; i < n; i++)
    describe_token (model, &tokens->tokens[before + i], ids[i], HL_ROLE_GENERATED);
  g_autoptr (HlTensor) tensor =
      hl_tensor_new_copy (HL_DTYPE_I32, HL_SHAPE (1, before + n), joined);
  HlInput *longer =
      hl_input_new_text (input->name, input->path, tensor, tokens, input->text);
  if (input->source_tokens != NULL)
    hl_input_set_source (longer, input->source_ids, input->features,
                         input->source_tokens);
  hl_input_copy_recording (longer, input);
  longer->target_text = g_strdup (input->target_text);
  /* Of an encoder-decoder they are what the encoder reads. */
  longer->n_all_tokens = input->n_all_tokens + (input->source_tokens == NULL ? n : 0);
  longer->first_token = input->first_token;
  return longer;
}

/* ---- texts ---------------------------------------------------------------------------
 */

/* The beginning of a text on one line. */
static char *
name_of (const char *text, gsize length)
{
  g_autoptr (GString) name = g_string_new (NULL);
  const char *end = text + length;
  int n = 0;
  for (const char *at = text; at < end && n < NAME_CHARACTERS; n++)
    {
      gunichar c = g_utf8_get_char (at);
      at = g_utf8_next_char (at);
      gboolean is_space = c == 0 || g_unichar_isspace (c);
      if (!is_space)
        g_string_append_unichar (name, c);
      else if (name->len > 0 && name->str[name->len - 1] != ' ')
        g_string_append_c (name, ' ');
      if (n + 1 == NAME_CHARACTERS && at < end)
        g_string_append (name, "…");
    }
  return g_string_free (g_steal_pointer (&name), FALSE);
}

/* Which tokens are taken of all there are. */
static gboolean
choose_part (const HlModel *model,
             const HlEncoding *encoding,
             const HlTextOptions *options,
             gint64 *n,
             GError **error)
{
  gint64 all = (gint64) encoding->n_tokens;
  gboolean is_source = model->info->n_source_context > 0;
  gint64 room = is_source ? model->info->n_source_context : model->info->n_context;
  if (options->n_tokens > 0)
    room = MIN (room, options->n_tokens);
  *n = MIN (room, all - options->first_token);
  if (options->first_token >= 0 && *n >= 1)
    return TRUE;
  if (all == 0)
    g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                 "the text: at least one token expected, none found; %s",
                 options->no_special
                     ? "what the tokenizer puts around it was left out"
                     : "this model's tokenizer puts none of its own around it");
  else
    g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                 "first token: 0 to %" G_GINT64_FORMAT " expected, the text's tokens, "
                 "%" G_GINT64_FORMAT " found",
                 all - 1, options->first_token);
  return FALSE;
}

/* Which token stands at place @i of a part: models that read a whole text keep what the
 * tokenizer puts behind it when its end is cut off. */
static gint64
place_in (
    const HlModel *model, const HlEncoding *encoding, gint64 first, gint64 n, gint64 i)
{
  gint64 all = (gint64) encoding->n_tokens, tail = 0;
  while (tail < all && encoding->tokens[all - 1 - tail].is_around)
    tail++;
  gboolean keeps = model->info->predicts != HL_PREDICTS_NEXT && first == 0 && n < all;
  return keeps && i >= n - tail && tail < n ? all - n + i : first + i;
}

/* (transfer full): the tokens of a part; those of a second text lie behind @n_first
 * characters and a line break. */
static HlTokenTable *
tokens_of (const HlModel *model,
           const HlEncoding *encoding,
           gint64 first,
           gint64 n,
           gint64 n_first,
           gint32 *ids)
{
  HlTokenTable *tokens = hl_token_table_new ((int) n);
  for (gint64 i = 0; i < n; i++)
    {
      const HlTextToken *from =
          &encoding->tokens[place_in (model, encoding, first, n, i)];
      HlToken *token = &tokens->tokens[i];
      ids[i] = from->id;
      describe_token (model, token, from->id, HL_ROLE_PROMPT);
      token->segment = from->segment;
      if (from->is_around)
        continue;
      gint64 before = from->sequence == 1 ? n_first + 1 : 0;
      token->start = (double) (from->start_char + before);
      token->end = (double) (from->end_char + before);
    }
  return tokens;
}

typedef struct
{
  const char *name, *path;
  char *text; /* both, where there are two */
  const HlEncoding *encoding;
  gint64 first, n, n_first;
} Part;

static HlInput *
input_of (const HlModel *model,
          const Part *p,
          const HlTextOptions *options,
          GError **error)
{
  g_autofree gint32 *ids = g_new (gint32, (gsize) p->n);
  g_autoptr (HlTokenTable) tokens =
      tokens_of (model, p->encoding, p->first, p->n, p->n_first, ids);
  g_autoptr (HlTensor) tensor =
      hl_tensor_new_copy (HL_DTYPE_I32, HL_SHAPE (1, p->n), ids);
  HlInput *input = NULL;
  if (model->info->n_source_context > 0)
    input = hl_model_new_target (model, p->name, p->path, p->text, options, error);
  else if (check_ids (model, ids, p->n, error))
    input = hl_input_new_text (p->name, p->path, tensor, tokens, p->text);
  if (input == NULL)
    return NULL;
  if (model->info->n_source_context > 0)
    hl_input_set_source (input, tensor, NULL, tokens);
  input->n_all_tokens = (gint64) p->encoding->n_tokens;
  input->first_token = p->first;
  if (p->encoding->has_doubled_bos)
    input->warning = g_strdup ("the text begins with the token that the tokenizer puts "
                               "before it: it is there twice");
  return input;
}

static HlEncoding *
encode (const HlModel *model,
        const char *text,
        gssize length,
        const HlTextOptions *options,
        GError **error)
{
  const HlEncodeOptions how = { !options->no_special, !options->plain_special };
  HlTokenizer *tokenizer = hl_model_get_tokenizer (model, error);
  if (tokenizer == NULL)
    return NULL;
  return options->second != NULL
             ? hl_tokenizer_encode_pair (tokenizer, text, length, options->second, -1,
                                         &how, error)
             : hl_tokenizer_encode (tokenizer, text, length, &how, error);
}

HlInput *
hl_model_open_text (const HlModel *model,
                    const char *name,
                    const char *path,
                    const char *text,
                    gssize length,
                    const HlTextOptions *options,
                    GError **error)
{
  static const HlTextOptions plain = { 0 };
  if (options == NULL)
    options = &plain;
  if (!takes_text (model, error) || !hl_model_takes_source (model, options, error))
    return NULL;
  g_autoptr (HlEncoding) encoding = encode (model, text, length, options, error);
  gint64 n = 0;
  if (encoding == NULL || !choose_part (model, encoding, options, &n, error))
    return NULL;
  gsize size = length < 0 ? strlen (text) : (gsize) length;
  g_autofree char *own_name = name == NULL ? name_of (text, size) : NULL;
  /* A NUL in the text ends what is kept of it for people; its tokens are all there. */
  g_autofree char *kept = g_strndup (text, size);
  g_autofree char *both =
      options->second != NULL ? g_strconcat (kept, "\n", options->second, NULL) : NULL;
  const Part part = { .name = name != NULL ? name : own_name,
                      .path = path,
                      .text = both != NULL ? both : kept,
                      .encoding = encoding,
                      .first = options->first_token,
                      .n = n,
                      .n_first = g_utf8_strlen (kept, -1) };
  return input_of (model, &part, options, error);
}

/* A pipe could keep whoever opens it waiting, and a folder cannot be mapped. */
static gboolean
is_plain_file (const char *path, GError **error)
{
  GStatBuf info;
  if (g_stat (path, &info) != 0 || S_ISREG (info.st_mode))
    return TRUE; /* what is not there says so when it is opened */
  g_set_error (error, HL_ERROR, HL_ERROR_IO, "%s: a file expected, %s found", path,
               S_ISDIR (info.st_mode) ? "a folder" : "a device or pipe");
  return FALSE;
}

HlInput *
hl_model_open_text_file (const HlModel *model,
                         const char *path,
                         const HlTextOptions *options,
                         GError **error)
{
  g_autoptr (GError) local = NULL;
  if (!is_plain_file (path, error))
    return NULL;
  g_autoptr (GMappedFile) file = g_mapped_file_new (path, FALSE, &local);
  if (file == NULL)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_IO, "%s", local->message);
      return NULL;
    }
  gsize size = g_mapped_file_get_length (file);
  if (size > HL_TEXT_FILE_MAX_BYTES)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                   "%s: a text of at most %d MB expected, %.0f MB found", path,
                   (int) (HL_TEXT_FILE_MAX_BYTES >> 20), (double) size / 1048576);
      return NULL;
    }
  g_autofree char *name = g_path_get_basename (path);
  const char *text = size > 0 ? g_mapped_file_get_contents (file) : "";
  HlInput *input =
      hl_model_open_text (model, name, path, text, (gssize) size, options, error);
  if (input == NULL)
    g_prefix_error (error, "%s: ", path);
  return input;
}

void
hl_model_name_predictions (const HlModel *model, HlPredictions *predictions)
{
  const gint32 *ids = predictions->top_ids->data;
  for (gint64 i = 0;
       model->tokenizer != NULL && i < hl_tensor_count (predictions->top_ids); i++)
    {
      if (hl_predictions_get_text (predictions, ids[i]) != NULL)
        continue;
      g_autofree char *text = hl_tokenizer_get_token_text (model->tokenizer, ids[i]);
      if (text != NULL)
        hl_predictions_set_text (predictions, ids[i], text);
    }
}
