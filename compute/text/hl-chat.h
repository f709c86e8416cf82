/* SPDX-License-Identifier: MIT
 * Conversations as the text that a chat model was trained on. A model's template is a
 * program (Jinja); it is not executed here but recognised by the tokens it writes, and
 * the well-known format is written instead. What a template says beyond that, such as
 * tools, is left out. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * HlChatKind:
 * @HL_CHAT_PLAIN: there is no template: "role: content" lines
 * @HL_CHAT_UNKNOWN: a template that is not recognised; written as plain
 * @HL_CHAT_CHATML: <|im_start|>user ... <|im_end|>: Qwen and many others
 * @HL_CHAT_LLAMA2: [INST] <<SYS>> ... [/INST]
 * @HL_CHAT_LLAMA3: <|start_header_id|>user<|end_header_id|> ... <|eot_id|>
 * @HL_CHAT_GEMMA: <start_of_turn>user ... <end_of_turn>
 */
typedef enum
{
  HL_CHAT_PLAIN,
  HL_CHAT_UNKNOWN,
  HL_CHAT_CHATML,
  HL_CHAT_LLAMA2,
  HL_CHAT_LLAMA3,
  HL_CHAT_GEMMA,
} HlChatKind;

/**
 * HlChatFormat: what was recognised.
 * @default_system: (nullable): what a ChatML template writes where a conversation has no
 *   system message
 * @takes_system: FALSE where a system message is a mistake (the first Gemma)
 * @may_differ: the template does more to an ordinary conversation than is written here
 *   (Llama 3.1 puts dates into it): show that to the person
 */
typedef struct
{
  HlChatKind kind;
  char *default_system;
  gboolean takes_system;
  gboolean may_differ;
} HlChatFormat;

/** hl_chat_recognise: @source: (nullable): a chat template's text.
 * Returns: (transfer full): never NULL */
HlChatFormat *hl_chat_recognise (const char *source);
void hl_chat_format_free (HlChatFormat *format);

/** hl_chat_kind_name: "ChatML", "Llama 2", ...; not translated. */
const char *hl_chat_kind_name (HlChatKind kind);

/** HlChatMessage: @role: "system", "user" or "assistant". */
typedef struct
{
  const char *role;
  const char *content;
} HlChatMessage;

/**
 * hl_chat_render:
 * @messages: @n_messages of them, at least one
 * @add_generation_prompt: end with what stands before the assistant's answer
 * @bos, @eos: (nullable): the special tokens' strings; NULL writes none
 * The special tokens stand in the text as they are written: encode it with parse_special
 * and without add_special, or there are two BOS. What looks like a special token within a
 * message becomes one too.
 * Returns: (transfer full): NULL with @error: FORMAT another role, or (Llama 2, Gemma)
 *   roles that do not take turns; UNSUPPORTED a system message that the model has none of
 */
char *hl_chat_render (const HlChatFormat *format,
                      const HlChatMessage *messages,
                      gsize n_messages,
                      gboolean add_generation_prompt,
                      const char *bos,
                      const char *eos,
                      GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlChatFormat, hl_chat_format_free)

G_END_DECLS
