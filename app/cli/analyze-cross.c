/* SPDX-License-Identifier: MIT
 * headlight analyze cross-attention: how far maps of attention agree with saliency. */
#include "config.h"

#include "analyze.h"

#include "analysis/hl-cross-result.h"
#include "analysis/hl-result-reader.h"
#include "base/hl-error.h"
#include "presenters/hl-present-compare.h"
#include "trace/hl-tracer.h"

#include <glib/gi18n.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define N_PRINTED 10

static gboolean
read_weights (const Analyze *a, gboolean *by_norm, GError **error)
{
  const char *asked = a->options->weights != NULL ? a->options->weights : "map";
  *by_norm = g_str_equal (asked, "norm");
  if (*by_norm || g_str_equal (asked, "map"))
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
               "--weights: map or norm expected, \"%s\" found", asked);
  return FALSE;
}

static gboolean
is_by_norm (const Analyze *a)
{
  return g_strcmp0 (a->options->weights, "norm") == 0;
}

static gboolean
read_metric (const Analyze *a, HlFaithfulnessOptions *options, GError **error)
{
  const AnalyzeOptions *o = a->options;
  *options =
      (HlFaithfulnessOptions){ .seed = (guint32) o->seed, .n_random = o->n_chance };
  if (o->metric == NULL || hl_metric_from_name (o->metric, &options->metric))
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
               "--metric: probability, loss, wer or ter expected, \"%s\" found",
               o->metric);
  return FALSE;
}

/* ---- whose attention -----------------------------------------------------------------
 */

/* (transfer full) (element-type HlHeadKey): NULL with @error; never empty. */
static GArray *
list_heads (const Analyze *a, GError **error)
{
  const char *asked = a->options->attention_of;
  int stack = a->cross->stack;
  HlHeadKey best;
  g_autoptr (GArray) heads = g_str_equal (asked, "alignment")
                                 ? hl_alignment_list_named (a->model, stack)
                                 : g_array_new (FALSE, FALSE, sizeof (HlHeadKey));
  if (g_str_equal (asked, "best") && hl_cross_comparison_find_best (a->cross, &best))
    g_array_append_val (heads, best);
  else if (!g_str_equal (asked, "alignment") && !g_str_equal (asked, "best") &&
           !cli_heads_parse_list (asked, stack, heads, error))
    return NULL;
  if (heads->len > 0)
    return g_steal_pointer (&heads);
  g_set_error (error, HL_ERROR, HL_ERROR_MISSING,
               g_str_equal (asked, "best")
                   ? "--heads best: a head with a correlation expected, none found"
                   : "--heads alignment: a model that names such heads "
                     "(alignment_heads of generation_config.json) expected, %s does not",
               hl_model_get_info (a->model)->name);
  return NULL;
}

/* The mean map of the heads that were asked for. */
static gboolean
choose_heads (Analyze *a,
              const HlSessionResult *result,
              const HlAttentionSource *source,
              GError **error)
{
  if (a->options->attention_of == NULL)
    return TRUE;
  g_autoptr (HlCrossResult) read = hl_cross_result_read (result, error);
  g_autoptr (GArray) heads = read != NULL ? list_heads (a, error) : NULL;
  if (heads == NULL)
    return FALSE;
  const HlHeadKey *keys = (const HlHeadKey *) (gpointer) heads->data;
  HlCrossRows rows = hl_cross_result_get_rows (read, source, a->backend);
  a->chosen =
      hl_cross_map_make (&rows, keys, heads->len, analyze_get_progress (a), error);
  a->chosen_heads = hl_compare_list_heads (keys, heads->len);
  return a->chosen != NULL;
}

/* ---- the analysis --------------------------------------------------------------------
 */

static gboolean
take_away (Analyze *a,
           HlSessionResult *result,
           HlFaithfulnessOptions *options,
           GError **error)
{
  if (!a->options->takes_away)
    return TRUE;
  options->map = a->chosen;
  options->heads = a->chosen_heads;
  a->faithfulness =
      hl_faithfulness_measure_by (a->model, a->input, a->backend, a->saliency, a->cross,
                                  options, analyze_get_progress (a), error);
  if (a->faithfulness != NULL)
    hl_faithfulness_add_to (a->faithfulness, result);
  return a->faithfulness != NULL;
}

/* (transfer full): with the maps of the input; NULL with @error. */
static HlAttentionSource *
trace_maps (Analyze *a, gboolean with_values, GError **error)
{
  static const char *const values[] = { "*attn.hook_v", NULL };
  const HlTraceOptions tracing = { .interventions = a->interventions,
                                   .capture = with_values ? values : NULL };
  g_autoptr (HlTrace) trace = hl_tracer_run (a->model, a->input, a->backend, &tracing,
                                             analyze_get_progress (a), error);
  return trace != NULL ? hl_attention_source_new (trace) : NULL;
}

/* Beside what the encoder gives; before the other result, which is the one that is shown.
 */
static gboolean
compare_behind (Analyze *a,
                const HlAttentionSource *source,
                const HlCrossOptions *options,
                const char *provenance,
                GError **error)
{
  a->cross_behind = hl_cross_compare (source, a->backend, a->cross->stack, a->behind,
                                      options, analyze_get_progress (a), error);
  if (a->cross_behind == NULL)
    return FALSE;
  g_ptr_array_add (a->results, hl_cross_comparison_to_result (a->cross_behind, a->behind,
                                                              options, provenance));
  return TRUE;
}

gboolean
analyze_cross (Analyze *a, GError **error)
{
  HlCrossOptions options = { .is_raw = a->options->is_raw,
                             .keeps_special = a->options->keeps_special,
                             .model = a->model };
  const HlModelInfo *info = hl_model_get_info (a->model);
  int stack = info->readout_stack > 0 ? info->readout_stack + 1 : 0;
  HlFaithfulnessOptions taking;
  if (!read_weights (a, &options.by_norm, error) || !read_metric (a, &taking, error) ||
      !analyze_saliency (a, error))
    return FALSE;
  g_autoptr (HlAttentionSource) source = trace_maps (a, options.by_norm, error);
  a->cross = source != NULL ? hl_cross_compare (source, a->backend, stack, a->saliency,
                                                &options, analyze_get_progress (a), error)
                            : NULL;
  if (a->cross == NULL)
    return FALSE;
  g_autofree char *provenance = analyze_provenance (a);
  if (a->behind != NULL && !compare_behind (a, source, &options, provenance, error))
    return FALSE;
  HlSessionResult *result =
      hl_cross_comparison_to_result (a->cross, a->saliency, &options, provenance);
  g_ptr_array_add (a->results, result);
  return choose_heads (a, result, source, error) && take_away (a, result, &taking, error);
}

/* ---- what is printed -----------------------------------------------------------------
 */

/* (transfer full): heads by falling correlation; those without one are left out. */
static GArray *
rank_heads (const HlCrossComparison *c)
{
  GArray *heads = g_array_new (FALSE, FALSE, sizeof (int));
  for (int i = 0; i < c->n_layers * c->n_heads; i++)
    {
      guint at = heads->len;
      if (isnan (c->pearson[i]))
        continue;
      while (at > 0 && c->pearson[g_array_index (heads, int, at - 1)] < c->pearson[i])
        at--;
      g_array_insert_val (heads, at, i);
    }
  return heads;
}

static void
print_difference (const HlFaithfulness *f)
{
  HlInterval x = hl_faithfulness_difference (f, FALSE);
  HlInterval y = hl_faithfulness_difference (f, TRUE);
  double whole, nothing;
  if (f->n_targets > 1)
    printf (_ ("Saliency less attention, target by target: deletion %.4f [%.4f, %.4f], "
               "insertion %.4f [%.4f, %.4f]\n"),
            x.mean, x.low, x.high, y.mean, y.low, y.high);
  gboolean tells = hl_faithfulness_get_ends (f, &whole, &nothing);
  printf (_ ("Of the whole it is %.4f, with every token replaced %.4f.\n"), whole,
          nothing);
  if (!tells)
    printf (_ ("The baseline changes hardly anything: these areas say little; try "
               "another one.\n"));
}

/* Areas with what holds 95 of 100 means. */
static void
print_faithfulness (const HlFaithfulness *f)
{
  switch (f->metric)
    {
    case HL_METRIC_LOSS:
      printf (_ ("Area under the loss of the target, mean of %d [95%% interval]:\n"),
              f->n_targets);
      break;
    case HL_METRIC_WER:
    case HL_METRIC_TER:
      printf (f->metric == HL_METRIC_WER
                  ? _ ("Area under the word error rate (1 at most) beside \"%s\":\n")
                  : _ ("Area under the token error rate (1 at most) beside \"%s\":\n"),
              f->undisturbed);
      break;
    case HL_METRIC_PROBABILITY:
    case HL_N_METRICS:
      printf (
          _ ("Area under the probability of the target, mean of %d [95%% interval]:\n"),
          f->n_targets);
    }
  gboolean falls = hl_metric_falls (f->metric);
  printf ("%10s %25s %25s\n", _ ("by"),
          falls ? _ ("deletion (less is better)") : _ ("deletion (more is better)"),
          falls ? _ ("insertion (more)") : _ ("insertion (less)"));
  for (int o = 0; o < HL_N_ORDERS; o++)
    {
      const HlInterval *x = &f->deletion_area[o], *y = &f->insertion_area[o];
      if (f->n_targets == 1) /* there is no interval over one */
        printf ("%10s  %24.4f  %24.4f\n", hl_token_order_name ((HlTokenOrder) o), x->mean,
                y->mean);
      else
        printf ("%10s  %.4f [%.4f, %.4f]  %.4f [%.4f, %.4f]\n",
                hl_token_order_name ((HlTokenOrder) o), x->mean, x->low, x->high, y->mean,
                y->low, y->high);
    }
  print_difference (f);
  if (f->heads != NULL)
    printf (strchr (f->heads, ',') != NULL ? _ ("Attention is that of the heads %s.\n")
                                           : _ ("Attention is that of head %s.\n"),
            f->heads);
  printf (ngettext ("Chance is the mean of %d order.\n",
                    "Chance is the mean of %d orders.\n", (gulong) f->n_random),
          f->n_random);
}

/* Right in a column; a dash for what is not there, as of one row. */
static void
print_number (int width, double x)
{
  if (isnan (x))
    printf (" %*s", width, "-");
  else
    printf (" %*.4f", width, x);
}

static void
print_layers (const HlCrossComparison *c)
{
  printf (_ ("Mean map of each layer: r"));
  for (int l = 0; l < c->n_layers; l++)
    printf (" %.4f", c->pearson_layer[l]);
  printf ("\n");
}

void
analyze_print_cross (const Analyze *a)
{
  const HlCrossComparison *c = a->cross, *behind = a->cross_behind;
  g_autoptr (GArray) heads = rank_heads (c);
  printf (ngettext ("Attention beside %s of %d target over %d tokens; maps %s\n",
                    "Attention beside %s of %d targets over %d tokens; maps %s\n",
                    (gulong) c->n_targets),
          hl_saliency_name (a->saliency->options.method), c->n_targets, c->n_keys,
          a->options->is_raw ? _ ("as they are") : _ ("z-scored by row"));
  analyze_print_masks (a);
  if (is_by_norm (a))
    printf (
        _ ("Attention by what it carries: norms of A v W_O; of a layer of their sum\n"));
  printf (is_by_norm (a)
              ? _ ("Mean of all layers: Pearson r %.4f, r² %.4f; Spearman %.4f\n")
              : _ ("Mean of all heads: Pearson r %.4f, r² %.4f; Spearman %.4f\n"),
          c->pearson_all, c->pearson_all * c->pearson_all, c->spearman_all);
  if (a->chosen != NULL)
    printf (strchr (a->chosen_heads, ',') != NULL
                ? _ ("Heads %s: Pearson r %.4f, r² %.4f; Spearman %.4f\n")
                : _ ("Head %s: Pearson r %.4f, r² %.4f; Spearman %.4f\n"),
            a->chosen_heads, a->chosen->pearson, a->chosen->pearson * a->chosen->pearson,
            a->chosen->spearman);
  print_layers (c);
  if (behind != NULL)
    {
      printf (
          _ ("Beside what the encoder gives: Pearson r %.4f, r² %.4f; Spearman %.4f\n"),
          behind->pearson_all, behind->pearson_all * behind->pearson_all,
          behind->spearman_all);
      print_layers (behind);
    }
  printf ("%8s %9s %9s %9s %12s %13s%s\n", _ ("head"), "r", "r²", "Spearman",
          _ ("diagonality"), _ ("monotonicity"),
          behind != NULL ? _ ("  r (encoder)") : "");
  for (guint i = 0; i < MIN (heads->len, N_PRINTED); i++)
    {
      int at = g_array_index (heads, int, i);
      g_autofree char *name = g_strdup_printf ("%d.%d", at / c->n_heads, at % c->n_heads);
      printf ("%8s", name);
      print_number (9, c->pearson[at]);
      print_number (9, c->pearson[at] * c->pearson[at]);
      print_number (9, c->spearman[at]);
      print_number (12, c->diagonality[at]);
      print_number (13, c->monotonicity[at]);
      if (behind != NULL)
        print_number (12, behind->pearson[at]);
      printf ("\n");
    }
  if (heads->len > N_PRINTED)
    printf (_ ("%d of %u heads; --json and --csv have all\n"), N_PRINTED, heads->len);
  if (a->faithfulness != NULL)
    print_faithfulness (a->faithfulness);
}

/* ---- JSON ----------------------------------------------------------------------------
 */

static json_t *
table_of (const double *x, int n, int m)
{
  json_t *table = json_array ();
  for (int i = 0; i < n; i++)
    json_array_append_new (table, hl_result_reals (x + i * m, m));
  return table;
}

static json_t *
area_to_json (HlInterval x)
{
  return json_pack ("[o, o, o]", hl_result_real (x.mean), hl_result_real (x.low),
                    hl_result_real (x.high));
}

/* {"attention": {"deletion_area": [mean, low, high], "deletion_curve": a row a target}}
 */
static json_t *
faithfulness_to_json (const HlFaithfulness *f)
{
  json_t *root =
      json_pack ("{s:s, s:i, s:b}", "metric", hl_metric_name (f->metric), "random_orders",
                 f->n_random, "less_is_better_in_deletion", hl_metric_falls (f->metric));
  double whole, nothing;
  hl_faithfulness_get_ends (f, &whole, &nothing);
  json_object_set_new (root, "saliency_less_attention",
                       json_pack ("{s:o, s:o}", "deletion_area",
                                  area_to_json (hl_faithfulness_difference (f, FALSE)),
                                  "insertion_area",
                                  area_to_json (hl_faithfulness_difference (f, TRUE))));
  json_object_set_new (root, "whole", hl_result_real (whole));
  json_object_set_new (root, "all_replaced", hl_result_real (nothing));
  if (f->undisturbed != NULL)
    json_object_set_new (root, "undisturbed", json_string (f->undisturbed));
  for (int o = 0; o < HL_N_ORDERS; o++)
    {
      int at = o * f->n_targets * HL_FAITHFULNESS_SHARES;
      json_t *one = json_pack (
          "{s:o, s:o, s:o, s:o}", "deletion_area", area_to_json (f->deletion_area[o]),
          "insertion_area", area_to_json (f->insertion_area[o]), "deletion_curve",
          table_of (f->deletion + at, f->n_targets, HL_FAITHFULNESS_SHARES),
          "insertion_curve",
          table_of (f->insertion + at, f->n_targets, HL_FAITHFULNESS_SHARES));
      json_object_set_new (root, hl_token_order_name ((HlTokenOrder) o), one);
    }
  return root;
}

/* What is another number beside what the encoder gives. */
static json_t *
behind_to_json (const HlCrossComparison *c)
{
  int L = c->n_layers, H = c->n_heads;
  return json_pack ("{s:o, s:o, s:o, s:o, s:o}", "pearson", table_of (c->pearson, L, H),
                    "spearman", table_of (c->spearman, L, H), "pearson_layer",
                    hl_result_reals (c->pearson_layer, L), "pearson_all",
                    hl_result_real (c->pearson_all), "spearman_all",
                    hl_result_real (c->spearman_all));
}

json_t *
analyze_cross_to_json (const Analyze *a, const char *analysis)
{
  const HlCrossComparison *c = a->cross;
  int L = c->n_layers, H = c->n_heads;
  json_t *root = analyze_saliency_to_json (a, analysis);
  json_object_set_new (root, "raw", json_boolean (a->options->is_raw));
  json_object_set_new (root, "weights", json_string (is_by_norm (a) ? "norm" : "map"));
  json_object_set_new (root, "pearson", table_of (c->pearson, L, H));
  json_object_set_new (root, "spearman", table_of (c->spearman, L, H));
  json_object_set_new (root, "diagonality", table_of (c->diagonality, L, H));
  json_object_set_new (root, "monotonicity", table_of (c->monotonicity, L, H));
  json_object_set_new (root, "pearson_layer", hl_result_reals (c->pearson_layer, L));
  json_object_set_new (root, "pearson_all", hl_result_real (c->pearson_all));
  json_object_set_new (root, "spearman_all", hl_result_real (c->spearman_all));
  json_object_set_new (root, "pearson_target",
                       hl_result_reals (c->by_target, c->n_targets));
  if (a->cross_behind != NULL)
    json_object_set_new (root, "encoder", behind_to_json (a->cross_behind));
  if (a->chosen != NULL)
    json_object_set_new (
        root, "chosen",
        json_pack ("{s:s, s:o, s:o, s:o}", "heads", a->chosen_heads, "pearson",
                   hl_result_real (a->chosen->pearson), "spearman",
                   hl_result_real (a->chosen->spearman), "pearson_target",
                   hl_result_reals (a->chosen->by_target, c->n_targets)));
  if (a->faithfulness != NULL)
    json_object_set_new (root, "faithfulness", faithfulness_to_json (a->faithfulness));
  return root;
}

char *
analyze_cross_to_csv (const Analyze *a)
{
  return hl_cross_comparison_to_csv (a->cross, a->cross_behind);
}
