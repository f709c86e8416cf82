/* SPDX-License-Identifier: MIT
 * The "normalizer" of a tokenizer file: its steps read by their kind, and run in order.
 */
#include "text/hl-normalizer-private.h"

#include "base/hl-error.h"

#include <string.h>

struct _HlNormalizer
{
  GPtrArray *steps; /* HlNormalizerStep */
};

static const struct
{
  const char *type;
  HlNormalizerRead read;
} kinds[] = {
  { "BertNormalizer", hl_normalizer_read_bert },
  { "Lowercase", hl_normalizer_read_lowercase },
  { "NFC", hl_normalizer_read_form },
  { "NFD", hl_normalizer_read_form },
  { "NFKC", hl_normalizer_read_form },
  { "NFKD", hl_normalizer_read_form },
  { "Nmt", hl_normalizer_read_nmt },
  { "Precompiled", hl_normalizer_read_charsmap },
  { "Prepend", hl_normalizer_read_prepend },
  { "Replace", hl_normalizer_read_replace },
  { "Strip", hl_normalizer_read_strip },
  { "StripAccents", hl_normalizer_read_strip_accents },
};

static void
step_free (gpointer data)
{
  HlNormalizerStep *step = data;
  g_free (step->text);
  hl_regex_free (step->pattern);
  hl_charsmap_free (step->charsmap);
  g_free (step);
}

HlNormalizerStep *
hl_normalizer_add (GPtrArray *steps, HlNormalizerRun run)
{
  HlNormalizerStep *step = g_new0 (HlNormalizerStep, 1);
  step->run = run;
  g_ptr_array_add (steps, step);
  return step;
}

/* ---- reading -------------------------------------------------------------------------
 */

static gboolean
read_step (GPtrArray *steps,
           const json_t *json,
           const char *type,
           const char *where,
           GError **error)
{
  g_autoptr (GString) known = g_string_new ("Sequence");
  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      if (strcmp (type, kinds[i].type) == 0)
        return kinds[i].read (steps, json, type, where, error);
      g_string_append_printf (known, ", %s", kinds[i].type);
    }
  g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
               "%s: one of %s expected, \"%.60s\" found, which is not supported", where,
               known->str, type);
  return FALSE;
}

/* Recursion ends: the JSON reader limits the depth. */
static gboolean
read_steps (GPtrArray *steps, const json_t *json, const char *where, GError **error)
{
  const char *type = NULL;
  if (!json_is_object (json))
    {
      g_autofree char *found = hl_json_describe (json);
      g_set_error (error, HL_ERROR, HL_ERROR_FORMAT, "%s: an object expected, %s found",
                   where, found);
      return FALSE;
    }
  if (!hl_json_get_string (json, "type", TRUE, NULL, where, &type, error))
    return FALSE;
  if (strcmp (type, "Sequence") != 0)
    return read_step (steps, json, type, where, error);
  const json_t *list = json_object_get (json, "normalizers");
  if (!json_is_array (list))
    {
      g_autofree char *found = hl_json_describe (list);
      g_set_error (error, HL_ERROR, list == NULL ? HL_ERROR_MISSING : HL_ERROR_FORMAT,
                   "%s: field \"normalizers\": an array expected, %s found", where,
                   found);
      return FALSE;
    }
  for (gsize i = 0; i < json_array_size (list); i++)
    if (!read_steps (steps, json_array_get (list, i), where, error))
      return FALSE;
  return TRUE;
}

HlNormalizer *
hl_normalizer_read (const json_t *json, const char *where, GError **error)
{
  g_autofree char *place = g_strdup_printf ("%s: normalizer", where);
  g_autoptr (HlNormalizer) normalizer = g_new0 (HlNormalizer, 1);
  normalizer->steps = g_ptr_array_new_with_free_func (step_free);
  if (json != NULL && !json_is_null (json) &&
      !read_steps (normalizer->steps, json, place, error))
    return NULL;
  return g_steal_pointer (&normalizer);
}

void
hl_normalizer_free (HlNormalizer *normalizer)
{
  if (normalizer == NULL)
    return;
  g_ptr_array_unref (normalizer->steps);
  g_free (normalizer);
}

/* ---- running -------------------------------------------------------------------------
 */

static gboolean
run_step (const HlNormalizerStep *step, HlPieces *pieces, GError **error)
{
  g_autoptr (HlRegexScan) scan =
      step->pattern != NULL ? hl_regex_scan_new (step->pattern) : NULL;
  HlRewrite rewrite;
  hl_rewrite_begin (&rewrite, pieces);
  for (guint i = 0; i < pieces->list->len; i++)
    {
      const HlPiece *piece = &g_array_index (pieces->list, HlPiece, i);
      hl_rewrite_open (&rewrite, piece);
      if (piece->id >= 0)
        hl_rewrite_copy (&rewrite, piece->start, piece->end);
      else if (!step->run (step, &rewrite, scan, piece->start, piece->end, error))
        {
          hl_rewrite_abandon (&rewrite);
          return FALSE;
        }
      hl_rewrite_close (&rewrite);
    }
  hl_rewrite_end (&rewrite);
  return TRUE;
}

gboolean
hl_normalizer_run (const HlNormalizer *normalizer, HlPieces *pieces, GError **error)
{
  for (guint i = 0; i < normalizer->steps->len; i++)
    if (!run_step (g_ptr_array_index (normalizer->steps, i), pieces, error))
      return FALSE;
  return TRUE;
}
