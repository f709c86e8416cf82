/* SPDX-License-Identifier: MIT
 * How a text is begun and ended. */
#include "model/hl-generation-rules.h"

#include "base/hl-error.h"

#define IDS_MAX 4096

static gboolean
as_id (const json_t *value, gint32 *id)
{
  json_int_t number = json_is_integer (value) ? json_integer_value (value) : -1;
  *id = (gint32) number;
  return number >= 0 && number <= G_MAXINT32;
}

static void
add_id (GArray *ids, const json_t *value)
{
  gint32 id;
  if (as_id (value, &id))
    g_array_append_val (ids, id);
}

/* A number, or a list of them; the file for generating goes before config.json. */
static GArray *
read_ids (const json_t *generation, const json_t *config, const char *field)
{
  GArray *ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  const json_t *value = json_object_get (generation, field);
  if (value == NULL)
    value = json_object_get (config, field);
  if (!json_is_array (value))
    add_id (ids, value);
  for (gsize i = 0; i < json_array_size (value) && i < IDS_MAX; i++)
    add_id (ids, json_array_get (value, i));
  return ids;
}

static const json_t *
get (const HlGenerationRules *rules, const json_t *config, const char *field)
{
  const json_t *value = json_object_get (rules->json, field);
  return value != NULL ? value : json_object_get (config, field);
}

HlGenerationRules *
hl_generation_rules_new (const char *folder, const json_t *config)
{
  HlGenerationRules *rules = g_new0 (HlGenerationRules, 1);
  g_autofree char *path = g_build_filename (folder, "generation_config.json", NULL);
  if (g_file_test (path, G_FILE_TEST_EXISTS))
    rules->json = hl_json_load_file (path, NULL);
  rules->ends = read_ids (rules->json, config, "eos_token_id");
  rules->suppressed = read_ids (rules->json, config, "suppress_tokens");
  rules->first_suppressed = read_ids (rules->json, config, "begin_suppress_tokens");
  rules->start = read_ids (rules->json, config, "decoder_start_token_id");
  if (!as_id (get (rules, config, "forced_bos_token_id"), &rules->forced_first))
    rules->forced_first = -1;
  if (rules->json == NULL)
    rules->json = json_incref ((json_t *) config);
  return rules;
}

void
hl_generation_rules_free (HlGenerationRules *rules)
{
  if (rules == NULL)
    return;
  g_array_unref (rules->ends);
  g_array_unref (rules->suppressed);
  g_array_unref (rules->first_suppressed);
  g_array_unref (rules->start);
  json_decref (rules->json);
  g_free (rules);
}

/* ---- languages and tasks -------------------------------------------------------------
 */

static gboolean
add_named (GArray *start,
           const json_t *table,
           const char *name,
           const char *what,
           GError **error)
{
  g_autofree char *small = g_ascii_strdown (name, -1);
  g_autofree char *wrapped = g_strdup_printf ("<|%s|>", small);
  const json_t *value = json_object_get (table, small);
  if (value == NULL)
    value = json_object_get (table, wrapped);
  if (value != NULL)
    {
      add_id (start, value);
      return TRUE;
    }
  g_autoptr (GString) known = g_string_new (NULL);
  const char *key;
  json_t *each;
  json_object_foreach ((json_t *) table, key, each)
  {
    gboolean is_wrapped = g_str_has_prefix (key, "<|") && strlen (key) > 4;
    g_string_append_printf (known, "%s%.*s", known->len > 0 ? ", " : "",
                            (int) strlen (key) - (is_wrapped ? 4 : 0),
                            key + (is_wrapped ? 2 : 0));
  }
  g_set_error (error, HL_ERROR, HL_ERROR_RANGE, "%s: one of %s expected, \"%s\" found",
               what, known->str, name);
  return FALSE;
}

static gboolean
refuse_choice (const char *what, const char *found, GError **error)
{
  g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
               "%s: this model has no choice of them, \"%s\" found", what, found);
  return FALSE;
}

/* Places and ids that old files force; a place without an id is for a choice. */
static void
add_forced (GArray *start, const json_t *forced)
{
  for (gsize i = 0; i < json_array_size (forced) && i < IDS_MAX; i++)
    add_id (start, json_array_get (json_array_get (forced, i), 1));
}

/* English where a model knows it, else what it names first. */
static const char *
usual (const json_t *languages)
{
  gboolean has_english = json_object_get (languages, "en") != NULL ||
                         json_object_get (languages, "<|en|>") != NULL;
  const char *first = json_object_iter_key (json_object_iter ((json_t *) languages));
  return has_english || first == NULL ? "en" : first;
}

GArray *
hl_generation_rules_get_start (const HlGenerationRules *rules,
                               const char *language,
                               const char *task,
                               GError **error)
{
  const json_t *languages = json_object_get (rules->json, "lang_to_id");
  const json_t *tasks = json_object_get (rules->json, "task_to_id");
  g_autoptr (GArray) start = g_array_copy (rules->start);
  gboolean is_good = TRUE;
  if (json_is_object (languages))
    is_good =
        add_named (start, languages, language != NULL ? language : usual (languages),
                   "language", error);
  else if (language != NULL && !g_str_equal (language, "en"))
    is_good = refuse_choice ("language", language, error);
  if (is_good && json_is_object (tasks))
    is_good = add_named (start, tasks, task != NULL ? task : "transcribe", "task", error);
  else if (is_good && task != NULL)
    is_good = refuse_choice ("task", task, error);
  if (!is_good)
    return NULL;
  gint32 id;
  if (as_id (json_object_get (rules->json, "no_timestamps_token_id"), &id))
    g_array_append_val (start, id);
  else
    add_forced (start, json_object_get (rules->json, "forced_decoder_ids"));
  return g_steal_pointer (&start);
}
