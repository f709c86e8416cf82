/* SPDX-License-Identifier: MIT
 * Conversations: the texts that the reference library renders from templates in the same
 * formats, and what is said of those that a model does not know. */
#include "text-fixture.h"

#include "base/hl-error.h"
#include "text/hl-chat.h"

static void
check_case (const HlChatFormat *format, const json_t *entry)
{
  g_autoptr (GError) error = NULL;
  HlChatMessage messages[8];
  const json_t *list = json_array_get (entry, 0);
  const char *expected = json_string_value (json_array_get (entry, 2));
  gsize n = json_array_size (list);
  g_assert_cmpuint (n, <=, G_N_ELEMENTS (messages));
  for (gsize i = 0; i < n; i++)
    {
      const json_t *message = json_array_get (list, i);
      messages[i].role = json_string_value (json_array_get (message, 0));
      messages[i].content = json_string_value (json_array_get (message, 1));
    }
  g_autofree char *text =
      hl_chat_render (format, messages, n, json_is_true (json_array_get (entry, 1)),
                      "<s>", "</s>", &error);
  g_assert_true ((text == NULL) == (error != NULL));
  if (expected == NULL)
    {
      g_assert_true (error != NULL && error->domain == HL_ERROR);
      g_assert_true (g_str_has_prefix (error->message, "chat ("));
      return;
    }
  g_assert_no_error (error);
  g_assert_cmpstr (text, ==, expected);
}

static void
test_template (gconstpointer data)
{
  const json_t *entry = data;
  const json_t *cases = json_object_get (entry, "cases");
  g_autoptr (HlChatFormat) format =
      hl_chat_recognise (json_string_value (json_object_get (entry, "template")));
  g_assert_cmpstr (hl_chat_kind_name (format->kind), ==,
                   json_string_value (json_object_get (entry, "kind")));
  g_assert_false (format->may_differ);
  g_assert_cmpuint (json_array_size (cases), >, 40);
  for (gsize i = 0; i < json_array_size (cases); i++)
    check_case (format, json_array_get (cases, i));
}

static void
test_plain (void)
{
  g_autoptr (GError) error = NULL;
  const HlChatMessage talk[] = { { "system", "s" }, { "user", "u" }, { "tool", "t" } };
  g_autoptr (HlChatFormat) none = hl_chat_recognise (NULL);
  g_autoptr (HlChatFormat) other = hl_chat_recognise ("{{ bos_token }}[INST] {{ x }}");
  g_autoptr (HlChatFormat) dated =
      hl_chat_recognise ("<|start_header_id|> Cutting Knowledge Date: December 2023");
  g_assert_cmpint (none->kind, ==, HL_CHAT_PLAIN);
  g_assert_cmpint (other->kind, ==, HL_CHAT_UNKNOWN);
  g_assert_cmpint (dated->kind, ==, HL_CHAT_LLAMA3);
  g_assert_true (dated->may_differ);
  g_autofree char *text = hl_chat_render (other, talk, 2, TRUE, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (text, ==, "system: s\nuser: u\nassistant:");
  g_assert_null (hl_chat_render (none, talk, 3, FALSE, NULL, NULL, &error));
  g_assert_error (error, HL_ERROR, HL_ERROR_FORMAT);
  g_assert_cmpstr (
      error->message, ==,
      "chat (plain): message 2: role user or assistant expected (system only "
      "first), \"tool\" found");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  json_t *root = text_fixture_load ("chat.json.gz");
  const json_t *list = json_object_get (root, "templates");
  for (gsize i = 0; i < json_array_size (list); i++)
    {
      const json_t *entry = json_array_get (list, i);
      g_autofree char *path =
          g_strdup_printf ("/text/chat/%s-%d",
                           json_string_value (json_object_get (entry, "kind")), (int) i);
      g_strdelimit (path, " ", '-');
      g_test_add_data_func (path, entry, test_template);
    }
  g_test_add_func ("/text/chat/plain", test_plain);
  int status = g_test_run ();
  json_decref (root);
  return status;
}
