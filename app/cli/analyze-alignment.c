/* SPDX-License-Identifier: MIT
 * headlight analyze alignment: when what a decoder says is heard. */
#include "config.h"

#include "analyze.h"

#include "analysis/hl-result-reader.h"
#include "base/hl-error.h"
#include "io/hl-csv.h"
#include "trace/hl-tracer.h"
#include "trace/hl-words.h"

#include <glib/gi18n.h>
#include <math.h>
#include <stdio.h>

#define RESULT_ALIGNMENT "alignment"

static gboolean
read_heads (const Analyze *a, HlAlignmentHeads *heads, GError **error)
{
  static const char *const names[] = { "named", "steady", "all" };
  const char *asked = a->options->align != NULL ? a->options->align : "named";
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_str_equal (asked, names[i]))
      {
        *heads = (HlAlignmentHeads) i;
        return TRUE;
      }
  g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
               "--align-by: named, steady or all expected, \"%s\" found", asked);
  return FALSE;
}

/* ---- words ---------------------------------------------------------------------------
 */

static HlTokenTable *
tokens_of (const Analyze *a)
{
  const HlModelInfo *info = hl_model_get_info (a->model);
  return hl_model_get_tokens (a->model, a->input, info->readout_stack);
}

/* Tokens of a word lie in a row: from the first's begin to the last's end. */
static gboolean
join_words (Analyze *a, const HlAlignment *alignment, GError **error)
{
  g_autoptr (HlTokenTable) tokens = tokens_of (a);
  g_autoptr (HlWords) words = hl_words_find (tokens, error);
  if (words == NULL)
    return FALSE;
  g_autoptr (HlTokenTable) joined = hl_words_join_tokens (words, tokens);
  gint64 last = -1;
  a->spoken = g_array_new (FALSE, FALSE, sizeof (SpokenWord));
  for (guint i = 0; i < alignment->tokens->len; i++)
    {
      const HlAlignedToken *token = &g_array_index (alignment->tokens, HlAlignedToken, i);
      gint64 word = words->word_of[token->token];
      if (word == last)
        {
          g_array_index (a->spoken, SpokenWord, a->spoken->len - 1).end = token->end;
          continue;
        }
      SpokenWord spoken = { g_strdup (joined->tokens[word].text), token->token,
                            token->start, token->end };
      g_array_append_val (a->spoken, spoken);
      last = word;
    }
  return TRUE;
}

void
analyze_clear_spoken (GArray *spoken)
{
  for (guint i = 0; spoken != NULL && i < spoken->len; i++)
    g_free (g_array_index (spoken, SpokenWord, i).text);
  if (spoken != NULL)
    g_array_unref (spoken);
}

/* ---- a session -----------------------------------------------------------------------
 */

static char *
make_params (const HlAlignment *alignment, const char *reference)
{
  json_t *heads = json_array ();
  for (guint i = 0; i < alignment->heads->len; i++)
    {
      HlHeadKey key = g_array_index (alignment->heads, HlHeadKey, i);
      json_array_append_new (heads, json_pack ("[i, i]", key.layer, key.head));
    }
  json_t *params = json_pack ("{s:o, s:b, s:i}", "heads", heads, "named",
                              alignment->is_named, "median", HL_ALIGNMENT_MEDIAN);
  if (reference != NULL)
    json_object_set_new (params, "reference", json_string (reference));
  char *text = json_dumps (params, JSON_COMPACT);
  json_decref (params);
  return text;
}

static HlSessionResult *
to_result (const Analyze *a, const char *provenance)
{
  const HlAlignment *alignment = a->alignment;
  gsize n = alignment->tokens->len;
  g_autofree gint32 *token = g_new (gint32, n + 1);
  g_autofree double *start = g_new (double, n + 1);
  g_autofree double *end = g_new (double, n + 1);
  for (gsize i = 0; i < n; i++)
    {
      const HlAlignedToken *x = &g_array_index (alignment->tokens, HlAlignedToken, i);
      token[i] = x->token;
      start[i] = x->start;
      end[i] = x->end;
    }
  char *params = make_params (alignment, a->options->reference);
  HlSessionResult *result = hl_session_result_new (RESULT_ALIGNMENT, params, provenance);
  free (params);
  HlShape shape = HL_SHAPE ((gint64) n);
  hl_result_add_array (result, "token", HL_DTYPE_I32, shape, token, "token", NULL);
  hl_result_add_array (result, "start", HL_DTYPE_F64, shape, start, "token", NULL);
  hl_result_add_array (result, "end", HL_DTYPE_F64, shape, end, "token", NULL);
  analyze_times_add_to (a, result);
  return result;
}

gboolean
analyze_alignment (Analyze *a, GError **error)
{
  HlAlignmentHeads heads;
  const HlTraceOptions tracing = { .interventions = a->interventions };
  if (!read_heads (a, &heads, error))
    return FALSE;
  a->input = cli_input_complete (&a->options->input, a->model, a->input, a->backend,
                                 a->progress, error);
  g_autoptr (HlTrace) trace =
      a->input != NULL
          ? hl_tracer_run (a->model, a->input, a->backend, &tracing, a->progress, error)
          : NULL;
  if (trace == NULL)
    return FALSE;
  g_autoptr (HlAttentionSource) source = hl_attention_source_new (trace);
  a->alignment =
      hl_alignment_make (a->model, source, a->backend, heads, a->progress, error);
  if (a->alignment == NULL || !join_words (a, a->alignment, error) ||
      !analyze_times (a, error))
    return FALSE;
  g_autofree char *provenance = analyze_provenance (a);
  g_ptr_array_add (a->results, to_result (a, provenance));
  return TRUE;
}

/* ---- what is printed -----------------------------------------------------------------
 */

void
analyze_print_alignment (const Analyze *a)
{
  const HlAlignment *x = a->alignment;
  gboolean is_audio = a->input->features != NULL;
  printf (x->is_named ? _ ("By the heads that the model names:")
                      : _ ("By heads of the cross-attention:"));
  for (guint i = 0; i < x->heads->len; i++)
    {
      HlHeadKey key = g_array_index (x->heads, HlHeadKey, i);
      printf (" %d.%d", key.layer, key.head);
    }
  printf ("\n");
  for (guint i = 0; i < a->spoken->len; i++)
    {
      const SpokenWord *word = &g_array_index (a->spoken, SpokenWord, i);
      printf (is_audio ? "%8.2f %8.2f  %s" : "%8.0f %8.0f  %s", word->start, word->end,
              word->text);
      analyze_times_print_word (a, i);
      printf ("\n");
    }
  analyze_times_print (a);
}

json_t *
analyze_alignment_to_json (const Analyze *a, const char *analysis)
{
  json_t *words = json_array ();
  for (guint i = 0; i < a->spoken->len; i++)
    {
      const SpokenWord *word = &g_array_index (a->spoken, SpokenWord, i);
      json_array_append_new (words, json_pack ("{s:s, s:i, s:f, s:f}", "word", word->text,
                                               "token", word->token, "start", word->start,
                                               "end", word->end));
    }
  char *params = make_params (a->alignment, NULL);
  json_t *root = json_loads (params, 0, NULL);
  free (params);
  json_object_set_new (root, "analysis", json_string (analysis));
  json_object_set_new (root, "words", words);
  analyze_times_to_json (a, root, words);
  return root;
}

char *
analyze_alignment_to_csv (const Analyze *a)
{
  GString *csv = g_string_new ("word,token,start,end");
  analyze_times_csv_header (a, csv);
  g_string_append_c (csv, '\n');
  for (guint i = 0; i < a->spoken->len; i++)
    {
      const SpokenWord *word = &g_array_index (a->spoken, SpokenWord, i);
      hl_csv_append_text (csv, word->text);
      g_string_append_printf (csv, ",%d", word->token);
      hl_csv_append_number (csv, word->start, 0);
      hl_csv_append_number (csv, word->end, 0);
      analyze_times_csv_word (a, i, csv);
      g_string_append_c (csv, '\n');
    }
  return g_string_free (csv, FALSE);
}
