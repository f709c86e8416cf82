/* SPDX-License-Identifier: MIT
 * Conversations as text, in the format that a template was recognised as. */
#include "text/hl-chat.h"

#include "base/hl-error.h"
#include "text/hl-unicode.h"

#include <string.h>

/* ---- recognising ---------------------------------------------------------------------
 */

/* The words between '<|im_start|>system\n' and '<|im_end|>' where they are a plain piece
 * of text of the template, not an expression. */
static char *
find_default_system (const char *source)
{
  static const char *const starts[] = { "<|im_start|>system\\n", "<|im_start|>system\n" };
  for (gsize i = 0; i < G_N_ELEMENTS (starts); i++)
    for (const char *at = strstr (source, starts[i]); at != NULL;
         at = strstr (at + 1, starts[i]))
      {
        const char *text = at + strlen (starts[i]);
        const char *end = strstr (text, "<|im_end|>");
        gsize length = strcspn (text, "'\"{}+");
        if (end != NULL && end > text && length >= (gsize) (end - text))
          {
            GString *words = g_string_new_len (text, end - text);
            g_string_replace (words, "\\n", "\n", 0);
            return g_string_free (words, FALSE);
          }
      }
  return NULL;
}

HlChatFormat *
hl_chat_recognise (const char *source)
{
  HlChatFormat *format = g_new0 (HlChatFormat, 1);
  format->takes_system = TRUE;
  if (source == NULL)
    return format;
  format->kind = HL_CHAT_UNKNOWN;
  if (strstr (source, "<|im_start|>") != NULL)
    {
      format->kind = HL_CHAT_CHATML;
      format->default_system = find_default_system (source);
    }
  else if (strstr (source, "<|start_header_id|>") != NULL)
    {
      format->kind = HL_CHAT_LLAMA3;
      format->may_differ = strstr (source, "Cutting Knowledge Date") != NULL;
    }
  else if (strstr (source, "<start_of_turn>") != NULL)
    {
      format->kind = HL_CHAT_GEMMA;
      format->takes_system = strstr (source, "first_user_prefix") != NULL;
    }
  else if (strstr (source, "[INST]") != NULL && strstr (source, "<<SYS>>") != NULL)
    format->kind = HL_CHAT_LLAMA2;
  return format;
}

void
hl_chat_format_free (HlChatFormat *format)
{
  if (format == NULL)
    return;
  g_free (format->default_system);
  g_free (format);
}

const char *
hl_chat_kind_name (HlChatKind kind)
{
  static const char *const names[] = { "plain",   "unknown template", "ChatML",
                                       "Llama 2", "Llama 3",          "Gemma" };
  g_return_val_if_fail ((guint) kind < G_N_ELEMENTS (names), NULL);
  return names[kind];
}

/* ---- rendering -----------------------------------------------------------------------
 */

typedef struct
{
  const HlChatFormat *format;
  const HlChatMessage *messages; /* without the system message */
  gsize n_messages;
  const char *system; /* NULL for none */
  gboolean add_generation_prompt;
  const char *bos;
  const char *eos;
  GString *out;
} Rendering;

/* Templates are Python's: its strip() takes four controls for white space too. */
static gboolean
is_stripped (gunichar c)
{
  return hl_unicode_is_space (c) || (c >= 0x1c && c <= 0x1f);
}

static char *
strip (const char *text)
{
  gsize start = 0, end = strlen (text);
  while (start < end && is_stripped (g_utf8_get_char (text + start)))
    start += hl_utf8_size (text[start]);
  while (end > start)
    {
      gsize previous = hl_utf8_previous (text, end);
      if (!is_stripped (g_utf8_get_char (text + previous)))
        break;
      end = previous;
    }
  return g_strndup (text + start, end - start);
}

static void
render_chatml (Rendering *r)
{
  const char *system = r->system != NULL ? r->system : r->format->default_system;
  if (system != NULL)
    g_string_append_printf (r->out, "<|im_start|>system\n%s<|im_end|>\n", system);
  for (gsize i = 0; i < r->n_messages; i++)
    g_string_append_printf (r->out, "<|im_start|>%s\n%s<|im_end|>\n", r->messages[i].role,
                            r->messages[i].content);
  if (r->add_generation_prompt)
    g_string_append (r->out, "<|im_start|>assistant\n");
}

static void
render_llama2 (Rendering *r)
{
  for (gsize i = 0; i < r->n_messages; i++)
    {
      g_autofree char *content = NULL;
      if (i % 2 == 1)
        {
          content = strip (r->messages[i].content);
          g_string_append_printf (r->out, " %s %s", content, r->eos);
          continue;
        }
      g_autofree char *whole = i == 0 && r->system != NULL
                                   ? g_strdup_printf ("<<SYS>>\n%s\n<</SYS>>\n\n%s",
                                                      r->system, r->messages[i].content)
                                   : g_strdup (r->messages[i].content);
      content = strip (whole);
      g_string_append_printf (r->out, "%s[INST] %s [/INST]", r->bos, content);
    }
}

static void
add_llama3 (Rendering *r, const char *role, const char *text)
{
  g_autofree char *content = strip (text);
  g_string_append_printf (
      r->out, "<|start_header_id|>%s<|end_header_id|>\n\n%s<|eot_id|>", role, content);
}

static void
render_llama3 (Rendering *r)
{
  g_string_append (r->out, r->bos);
  if (r->system != NULL)
    add_llama3 (r, "system", r->system);
  for (gsize i = 0; i < r->n_messages; i++)
    add_llama3 (r, r->messages[i].role, r->messages[i].content);
  if (r->add_generation_prompt)
    g_string_append (r->out, "<|start_header_id|>assistant<|end_header_id|>\n\n");
}

static void
render_gemma (Rendering *r)
{
  g_string_append (r->out, r->bos);
  for (gsize i = 0; i < r->n_messages; i++)
    {
      g_autofree char *content = strip (r->messages[i].content);
      gboolean has_prefix = i == 0 && r->system != NULL;
      g_string_append_printf (r->out, "<start_of_turn>%s\n%s%s%s<end_of_turn>\n",
                              i % 2 == 0 ? "user" : "model", has_prefix ? r->system : "",
                              has_prefix ? "\n\n" : "", content);
    }
  if (r->add_generation_prompt)
    g_string_append (r->out, "<start_of_turn>model\n");
}

static void
render_plain (Rendering *r)
{
  if (r->system != NULL)
    g_string_append_printf (r->out, "system: %s\n", r->system);
  for (gsize i = 0; i < r->n_messages; i++)
    g_string_append_printf (r->out, "%s: %s\n", r->messages[i].role,
                            r->messages[i].content);
  if (r->add_generation_prompt)
    g_string_append (r->out, "assistant:");
}

static gboolean
check_role (const Rendering *r, gsize index, GError **error)
{
  const char *role = r->messages[index].role;
  gboolean takes_turns =
      r->format->kind == HL_CHAT_LLAMA2 || r->format->kind == HL_CHAT_GEMMA;
  const char *turn = index % 2 == 0 ? "user" : "assistant";
  if (takes_turns ? strcmp (role, turn) == 0
                  : strcmp (role, "user") == 0 || strcmp (role, "assistant") == 0)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_FORMAT,
               "chat (%s): message %" G_GSIZE_FORMAT
               ": role %s expected%s, \"%.40s\" found",
               hl_chat_kind_name (r->format->kind), index + (r->system != NULL),
               takes_turns ? turn : "user or assistant",
               takes_turns ? " (they take turns)" : " (system only first)", role);
  return FALSE;
}

static gboolean
check (const Rendering *r, GError **error)
{
  if (r->system != NULL && !r->format->takes_system)
    {
      g_set_error (
          error, HL_ERROR, HL_ERROR_UNSUPPORTED,
          "chat (%s): no system message expected, one found: the model knows none",
          hl_chat_kind_name (r->format->kind));
      return FALSE;
    }
  for (gsize i = 0; i < r->n_messages; i++)
    if (!check_role (r, i, error))
      return FALSE;
  return TRUE;
}

char *
hl_chat_render (const HlChatFormat *format,
                const HlChatMessage *messages,
                gsize n_messages,
                gboolean add_generation_prompt,
                const char *bos,
                const char *eos,
                GError **error)
{
  g_return_val_if_fail (n_messages > 0, NULL);
  g_autoptr (GString) out = g_string_new (NULL);
  gboolean has_system = strcmp (messages[0].role, "system") == 0;
  Rendering r = { .format = format,
                  .messages = messages + has_system,
                  .n_messages = n_messages - has_system,
                  .system = has_system ? messages[0].content : NULL,
                  .add_generation_prompt = add_generation_prompt,
                  .bos = bos != NULL ? bos : "",
                  .eos = eos != NULL ? eos : "",
                  .out = out };
  if (!check (&r, error))
    return NULL;
  switch (format->kind)
    {
    case HL_CHAT_CHATML:
      render_chatml (&r);
      break;
    case HL_CHAT_LLAMA2:
      render_llama2 (&r);
      break;
    case HL_CHAT_LLAMA3:
      render_llama3 (&r);
      break;
    case HL_CHAT_GEMMA:
      render_gemma (&r);
      break;
    case HL_CHAT_PLAIN:
    case HL_CHAT_UNKNOWN:
    default:
      render_plain (&r);
      break;
    }
  return g_strdup (out->str);
}
