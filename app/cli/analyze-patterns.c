/* SPDX-License-Identifier: MIT
 * headlight analyze patterns: what patterns heads have learned. */
#include "config.h"

#include "analyze.h"

#include "analysis/hl-result-reader.h"
#include "analysis/hl-pattern-survey.h"
#include "base/hl-error.h"

#include <glib/gi18n.h>
#include <math.h>
#include <stdio.h>

/* (transfer full) (element-type HlPatterns): those of a session. */
static GPtrArray *
load_earlier (const Analyze *a, GError **error)
{
  g_autoptr (GPtrArray) found =
      g_ptr_array_new_with_free_func ((GDestroyNotify) hl_patterns_unref);
  const HlStack *stack = hl_model_info_get_stack (hl_model_get_info (a->model), 0);
  g_autoptr (HlSession) session =
      cli_open_session (a->options->resume, a->progress, error);
  if (session == NULL)
    return NULL;
  for (guint i = 0; i < hl_session_get_n_results (session); i++)
    {
      HlSessionResult *result = hl_session_get_result (session, i);
      if (!g_str_equal (result->id, HL_RESULT_PATTERNS))
        continue;
      HlPatterns *p = hl_patterns_from_result (result, stack, error);
      if (p == NULL)
        return NULL;
      g_ptr_array_add (found, p);
    }
  if (found->len > 0)
    return g_steal_pointer (&found);
  g_set_error (error, HL_ERROR, HL_ERROR_MISSING,
               "--resume %s: a session with patterns expected, none found",
               a->options->resume);
  return NULL;
}

gboolean
analyze_patterns (Analyze *a, GError **error)
{
  const AnalyzeOptions *o = a->options;
  g_autoptr (GPtrArray) earlier = NULL;
  if (o->resume != NULL && (earlier = load_earlier (a, error)) == NULL)
    return FALSE;
  const HlPatternOptions options = { .epochs = o->epochs,
                                     .n_clusters = o->n_clusters,
                                     .no_tsne = o->no_tsne,
                                     .side = o->side,
                                     .seed = (guint32) o->seed,
                                     .resume = earlier };
  a->patterns = hl_pattern_survey (a->model, a->dataset, a->input, a->interventions,
                                   a->backend, &options, a->progress, error);
  if (a->patterns == NULL)
    return FALSE;
  const HlPatterns *first = g_ptr_array_index (a->patterns, 0);
  a->skipped = first->skipped;
  a->is_partial = first->is_partial;
  g_autofree char *provenance = analyze_provenance (a);
  for (guint i = 0; i < a->patterns->len; i++)
    g_ptr_array_add (
        a->results,
        hl_patterns_to_result (g_ptr_array_index (a->patterns, i), NULL, provenance));
  return TRUE;
}

/* ---- what is printed -----------------------------------------------------------------
 */

static const char *
title_of (HlPatternKind kind)
{
  static const char *const titles[HL_N_PATTERNS] = { N_ ("between patches"),
                                                     N_ ("of the CLS row"),
                                                     N_ ("of texts") };
  return _ (titles[kind]);
}

/* The layer that most of a cluster's maps are of, and their share. */
static int
top_layer (const HlPatterns *p, const HlPatternCluster *c, double *share)
{
  int top = 0;
  for (int l = 1; l < p->n_layers; l++)
    top = c->by_layer[l] > c->by_layer[top] ? l : top;
  *share = c->n > 0 ? (double) c->by_layer[top] / c->n : 0;
  return top;
}

static void
print_clusters (const HlPatterns *p)
{
  printf ("%24s %7s %8s  %-9s %s\n", _ ("cluster"), _ ("maps"), _ ("spread"),
          _ ("medoid"), _ ("most in"));
  for (guint i = 0; i < p->clusters->len; i++)
    {
      const HlPatternCluster *c = hl_patterns_get_cluster (p, (int) i);
      double share;
      int layer, head, top = top_layer (p, c, &share);
      hl_patterns_get_place (p, c->medoid, &layer, &head);
      g_autofree char *medoid = g_strdup_printf ("%d.%d", layer, head);
      printf ("%24s %7d %8.3f  %-9s ", c->name, c->n, c->spread, medoid);
      printf (_ ("layer %d (%.0f %%)\n"), top, 100 * share);
    }
}

static void
print_summary (const HlPatterns *p)
{
  printf (_ ("patterns %s: %d maps of %u inputs, %u epochs, loss %.5f"),
          title_of (p->kind), hl_patterns_get_n (p), p->inputs->len, p->losses->len,
          p->losses->len > 0
              ? g_array_index (p->losses, HlPatternLoss, p->losses->len - 1).train
              : (double) NAN);
  printf ("\n");
  print_clusters (p);
  if (p->n_held_out > 0)
    printf (_ ("mean squared error on %d maps not trained on: autoencoder %.5f, 32 "
               "principal components %.5f\n"),
            p->n_held_out, p->net_error, p->pca_error);
  else
    printf (
        _ ("mean squared error on the maps trained on: autoencoder %.5f, 32 principal "
           "components %.5f\n"),
        p->net_error, p->pca_error);
}

void
analyze_print_patterns (const Analyze *a)
{
  for (guint i = 0; i < a->patterns->len; i++)
    print_summary (g_ptr_array_index (a->patterns, i));
}

static json_t *
summary_to_json (const HlPatterns *p)
{
  json_t *clusters = json_array ();
  for (guint i = 0; i < p->clusters->len; i++)
    {
      const HlPatternCluster *c = hl_patterns_get_cluster (p, (int) i);
      json_t *by_layer = json_array ();
      int layer, head;
      hl_patterns_get_place (p, c->medoid, &layer, &head);
      for (int l = 0; l < p->n_layers; l++)
        json_array_append_new (by_layer, json_integer (c->by_layer[l]));
      json_array_append_new (clusters,
                             json_pack ("{s:s, s:i, s:f, s:i, s:i, s:i, s:o}", "name",
                                        c->name, "maps", c->n, "spread", c->spread,
                                        "medoid", c->medoid, "medoid_layer", layer,
                                        "medoid_head", head, "by_layer", by_layer));
    }
  return json_pack ("{s:s, s:i, s:i, s:i, s:b, s:f, s:f, s:i, s:o, s:o, s:o}", "kind",
                    hl_pattern_kind_id (p->kind), "maps", hl_patterns_get_n (p), "n",
                    (int) p->inputs->len, "epochs", (int) p->losses->len, "partial",
                    p->is_partial, "flagged_above", p->flagged_above, "silhouette",
                    p->silhouette, "held_out", p->n_held_out, "net_error",
                    hl_result_real (p->net_error), "pca_error",
                    hl_result_real (p->pca_error), "clusters", clusters);
}

json_t *
analyze_patterns_to_json (const Analyze *a, const char *analysis)
{
  json_t *list = json_array ();
  for (guint i = 0; i < a->patterns->len; i++)
    json_array_append_new (list, summary_to_json (g_ptr_array_index (a->patterns, i)));
  return json_pack ("{s:s, s:o}", "analysis", analysis, "summaries", list);
}

char *
analyze_patterns_to_csv (const Analyze *a)
{
  return hl_patterns_to_csv (a->patterns);
}
