/* SPDX-License-Identifier: MIT
 * headlight figure: attention beside saliency. */
#include "config.h"

#include "figure.h"

#include "analysis/hl-result-reader.h"
#include "base/hl-error.h"

#include <glib/gi18n.h>

/* (transfer full): the newest that is of this trace; NULL with @error, that of the newest
 * which could not be read if nothing else is there. */
static HlCrossResult *
find_comparison (const Figure *m, const HlTrace *trace, GError **error)
{
  g_autoptr (GError) first = NULL;
  for (guint i = hl_session_get_n_results (m->session); i > 0; i--)
    {
      HlSessionResult *result = hl_session_get_result (m->session, i - 1);
      if (!g_str_equal (result->id, HL_RESULT_CROSS) ||
          !hl_result_is_of_trace (result, trace))
        continue;
      g_autoptr (HlCrossResult) made =
          hl_cross_result_read (result, first == NULL ? &first : NULL);
      if (made != NULL && hl_cross_result_fits (made, m->source))
        return g_steal_pointer (&made);
    }
  if (first != NULL)
    g_propagate_error (error, g_steal_pointer (&first));
  else
    g_set_error (
        error, HL_ERROR, HL_ERROR_MISSING,
        "no comparison of this trace in this session: headlight analyze " HL_RESULT_CROSS
        " makes one");
  return NULL;
}

static gboolean
check_stack (const Figure *m, GError **error)
{
  if (m->o->stack == NULL || m->summary->stack == m->cross->comparison->stack)
    return TRUE;
  g_set_error (
      error, HL_ERROR, HL_ERROR_UNSUPPORTED,
      "--stack: what was compared expected, %s; %s found",
      hl_model_info_get_stack (m->summary->trace->model, m->cross->comparison->stack)
          ->name,
      m->o->stack);
  return FALSE;
}

/* An output by its number, or its name; -1 for all. */
static gboolean
parse_output (const HlCompare *c, const char *text, int *target, GError **error)
{
  int n = c->result->comparison->n_targets;
  guint64 number;
  *target = n == 1 ? 0 : -1;
  if (text == NULL)
    return TRUE;
  if (g_ascii_string_to_unsigned (text, 10, 0, (guint64) n - 1, &number, NULL))
    {
      *target = (int) number;
      return TRUE;
    }
  for (*target = 0; *target < n; ++*target)
    if (g_str_equal (hl_cross_result_get_name (c->result, *target), text))
      return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
               "--query: an output, 0 to %d or its text, expected, \"%s\" found", n - 1,
               text);
  return FALSE;
}

/* The mean map of the heads that were asked for, and how it agrees. */
static gboolean
read_heads (Figure *m, const HlProgress *progress, GError **error)
{
  const HlHeadKey *heads = (const HlHeadKey *) (gpointer) m->heads->data;
  int stack = m->cross->comparison->stack;
  if (heads[0].stack != stack || m->cross->options.by_norm)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                   m->cross->options.by_norm
                       ? "--heads: a comparison of maps expected, one of norms found, "
                         "which is of all heads"
                       : "--heads: heads of the attention that was compared expected, of "
                         "another found");
      return FALSE;
    }
  HlCrossRows rows = hl_cross_result_get_rows (m->cross, m->source, m->backend);
  m->cross_map = hl_cross_map_make (&rows, heads, m->heads->len, progress, error);
  g_autofree char *names = hl_compare_list_heads (heads, m->heads->len);
  m->whose = g_strdup_printf (
      m->heads->len == 1 ? _ ("head %s") : _ ("mean of the heads %s"), names);
  return m->cross_map != NULL;
}

gboolean
figure_take_comparison (Figure *m,
                        HlTrace *trace,
                        const HlProgress *progress,
                        GError **error)
{
  m->cross = find_comparison (m, trace, error);
  if (m->cross == NULL || !check_stack (m, error) ||
      (m->heads->len > 0 && !read_heads (m, progress, error)))
    return FALSE;
  m->compare = (HlCompare){
    .trace = trace, .result = m->cross, .map = m->cross_map, .heads = m->whose
  };
  return parse_output (&m->compare, m->o->query, &m->compare.target, error);
}
