/* SPDX-License-Identifier: MIT
 * headlight analyze importance|strength|patterns|overview|saliency|
 * cross-attention|alignment MODEL
 * (--image F [--label C] | --audio F | --text S | --dataset D) [-o S.h5] */
#include "config.h"

#include "analyze.h"

#include "base/hl-error.h"
#include "base/hl-paths.h"

#include <glib/gi18n.h>
#include <stdio.h>

static const struct
{
  const char *name;
  gboolean (*run) (Analyze *a, GError **error);
  void (*print) (const Analyze *a);
  json_t *(*to_json) (const Analyze *a, const char *analysis);
  char *(*to_csv) (const Analyze *a);
} analyses[] = {
  { HL_RESULT_IMPORTANCE, analyze_importance, analyze_print_importance,
    analyze_scores_to_json, analyze_scores_to_csv },
  { HL_RESULT_STRENGTH, analyze_strength, analyze_print_strength, analyze_scores_to_json,
    analyze_scores_to_csv },
  { HL_RESULT_PATTERNS, analyze_patterns, analyze_print_patterns,
    analyze_patterns_to_json, analyze_patterns_to_csv },
  { HL_RESULT_OVERVIEW, analyze_overview, analyze_print_overview,
    analyze_overview_to_json, analyze_overview_to_csv },
  { HL_RESULT_SALIENCY, analyze_saliency, analyze_print_saliency,
    analyze_saliency_to_json, analyze_saliency_to_csv },
  { HL_RESULT_CROSS, analyze_cross, analyze_print_cross, analyze_cross_to_json,
    analyze_cross_to_csv },
  { "alignment", analyze_alignment, analyze_print_alignment, analyze_alignment_to_json,
    analyze_alignment_to_csv },
};

static void
options_clear (AnalyzeOptions *o)
{
  cli_input_clear (&o->input);
  cli_input_clear (&o->pair);
  cli_heads_clear (&o->heads);
  g_free (o->dataset);
  g_free (o->label);
  g_free (o->target);
  g_free (o->against);
  g_free (o->reference);
  g_free (o->ablation);
  g_free (o->parts);
  g_free (o->curve);
  g_free (o->resume);
  g_free (o->method);
  g_free (o->baseline);
  g_free (o->granularities);
  g_free (o->pooling);
  g_free (o->align);
  g_free (o->weights);
  g_free (o->attention_of);
  g_free (o->metric);
  g_free (o->csv);
  g_free (o->output);
  cli_backend_clear (&o->backend);
}

static void
analyze_clear (Analyze *a)
{
  g_clear_pointer (&a->model, hl_model_unref);
  g_clear_pointer (&a->backend, hl_backend_unref);
  g_clear_pointer (&a->input, hl_input_unref);
  g_clear_pointer (&a->dataset, hl_dataset_unref);
  g_clear_pointer (&a->interventions, g_ptr_array_unref);
  g_clear_pointer (&a->scores, hl_head_scores_unref);
  g_clear_pointer (&a->probe, hl_head_scores_unref);
  g_clear_pointer (&a->patterns, g_ptr_array_unref);
  g_clear_pointer (&a->overview, hl_overview_unref);
  g_clear_pointer (&a->saliency, hl_saliency_set_free);
  g_clear_pointer (&a->beside, hl_saliency_set_free);
  g_clear_pointer (&a->pair, hl_pair_free);
  g_clear_pointer (&a->own, hl_pair_free);
  g_clear_pointer (&a->cross, hl_cross_comparison_free);
  g_clear_pointer (&a->behind, hl_saliency_set_free);
  g_clear_pointer (&a->cross_behind, hl_cross_comparison_free);
  g_clear_pointer (&a->chosen, hl_cross_map_free);
  g_clear_pointer (&a->chosen_heads, g_free);
  g_clear_pointer (&a->faithfulness, hl_faithfulness_free);
  g_clear_pointer (&a->alignment, hl_alignment_free);
  g_clear_pointer (&a->spoken, analyze_clear_spoken);
  g_clear_pointer (&a->marked, g_array_unref);
  g_clear_pointer (&a->times, hl_word_times_free);
  g_ptr_array_unref (a->results);
  json_decref (a->more);
}

static gboolean
open_dataset (Analyze *a, GError **error)
{
  const AnalyzeOptions *o = a->options;
  /* A session is opened from elsewhere too. */
  g_autofree char *path = g_canonicalize_filename (o->dataset, NULL);
  g_autoptr (HlDataset) all = hl_dataset_open (path, hl_model_get_info (a->model), error);
  if (all == NULL)
    return FALSE;
  a->dataset = hl_dataset_sample (all, o->n_inputs, (guint32) o->seed);
  if (a->dataset->warning != NULL)
    fprintf (stderr, "headlight: %s\n", a->dataset->warning);
  return TRUE;
}

static gboolean
open_all (Analyze *a, const char *model_name, GError **error)
{
  const AnalyzeOptions *o = a->options;
  g_autofree char *path = hl_path_model (model_name);
  a->backend = hl_backend_open (&o->backend, error);
  if (a->backend != NULL)
    a->model = o->dataset != NULL ? hl_model_open (path, error)
                                  : cli_model_open (model_name, &o->input, error);
  if (a->model == NULL)
    return FALSE;
  a->interventions =
      cli_heads_interventions (&o->heads, hl_model_get_info (a->model), error);
  if (a->interventions == NULL)
    return FALSE;
  if (o->dataset != NULL)
    return open_dataset (a, error);
  a->input = cli_input_open (&o->input, a->model, error);
  a->label = -1;
  return a->input != NULL &&
         (o->label == NULL ||
          analyze_parse_class (a, "--label", o->label, &a->label, error));
}

static gboolean
write_csv (guint which, const Analyze *a, GError **error)
{
  g_autofree char *table = analyses[which].to_csv (a);
  return g_file_set_contents (a->options->csv, table, -1, error);
}

static void
print_json (guint which, const Analyze *a)
{
  json_t *root = analyses[which].to_json (a, analyses[which].name);
  json_dumpf (root, stdout, JSON_INDENT (2));
  printf ("\n");
  json_decref (root);
}

/* Inputs that were left out, and whether it was stopped. */
static void
print_shortfalls (const Analyze *a)
{
  for (guint i = 0; a->skipped != NULL && i < a->skipped->len; i++)
    fprintf (stderr, _ ("headlight: skipped %s\n"),
             (const char *) g_ptr_array_index (a->skipped, i));
  if (a->is_partial)
    fprintf (stderr, _ ("headlight: stopped; what was done so far is kept\n"));
}

static gboolean
run (guint which, Analyze *a, const char *model_name, GError **error)
{
  const AnalyzeOptions *o = a->options;
  if (!open_all (a, model_name, error) || !analyses[which].run (a, error))
    return FALSE;
  if (a->scores != NULL)
    {
      a->skipped = a->scores->skipped;
      a->is_partial = a->scores->is_partial;
    }
  if ((o->csv != NULL && !write_csv (which, a, error)) ||
      (o->output != NULL && !analyze_save (a, analyses[which].name, error)))
    return FALSE;
  if (o->as_json)
    print_json (which, a);
  else
    analyses[which].print (a);
  print_shortfalls (a);
  return TRUE;
}

static CliStatus
check_usage (AnalyzeOptions *o, int argc, char **argv, guint *which)
{
  *which = 0;
  while (argc > 1 && *which < G_N_ELEMENTS (analyses) &&
         !g_str_equal (argv[1], analyses[*which].name))
    (*which)++;
  if ((argc != 3 && argc != 4) || *which == G_N_ELEMENTS (analyses))
    return cli_usage ("analyze", _ ("\"importance\", \"strength\", \"patterns\", "
                                    "\"overview\", \"saliency\", \"cross-attention\" or "
                                    "\"alignment\", and one model expected"));
  if (argc == 4 && cli_input_take_file (&o->input, argv[3], "analyze") != CLI_OK)
    return CLI_USAGE;
  if (o->n_inputs < 0 || o->seed < 0 || o->n_random < 0 || o->epochs < 0 ||
      o->n_clusters < 0 || o->side < 0 || o->side > 64 || o->n_chance < 0 ||
      o->n_chance > 1000)
    return cli_usage ("analyze",
                      _ ("--max-inputs, --seed, --random, --epochs, --clusters, --side "
                         "and --chance: no negative number expected, a side of at most "
                         "64, and 1000 orders of chance"));
  if (o->n_masks < 0 || !(o->stable_at >= 0 && o->stable_at <= 1))
    return cli_usage ("analyze", _ ("--masks: no negative number, and --stable-at: a "
                                    "number from 0 to 1, expected"));
  gboolean is_spes = g_strcmp0 (o->method, "spes") == 0;
  if (!is_spes && (o->n_masks > 0 || o->granularities != NULL || o->pooling != NULL ||
                   o->stable_at > 0))
    return cli_usage ("analyze", _ ("--masks, --granularities, --pooling and --stable-at "
                                    "are of --method spes"));
  if (o->at_both && o->resume != NULL)
    return cli_usage ("analyze",
                      _ ("--resume goes on with one place: --both-places is not "
                         "for it"));
  if (o->at_both &&
      (o->at_encoder || !g_str_equal (analyses[*which].name, HL_RESULT_CROSS)))
    return cli_usage ("analyze",
                      _ ("--both-places is of cross-attention, and in the place "
                         "of --at-encoder"));
  if (o->attention_of != NULL && g_strcmp0 (o->weights, "norm") == 0)
    return cli_usage ("analyze", _ ("--heads is of maps: norms are of all heads"));
  if (!o->takes_away && (o->metric != NULL || o->n_chance > 0))
    return cli_usage ("analyze", _ ("--metric and --chance are of --deletion"));
  if (g_str_equal (analyses[*which].name, HL_RESULT_OVERVIEW) && o->dataset == NULL)
    return cli_usage ("analyze", _ ("--dataset expected: an overview is of many inputs"));
  if (analyses[*which].to_csv == analyze_saliency_to_csv ||
      analyses[*which].to_csv == analyze_cross_to_csv ||
      analyses[*which].to_csv == analyze_alignment_to_csv)
    if (o->dataset != NULL)
      return cli_usage ("analyze",
                        _ ("saliency and alignment are of one input: --dataset "
                           "is not for them"));
  if ((o->pair.text != NULL) + (o->pair.image != NULL) + (o->pair.ids != NULL) > 1)
    return cli_usage ("analyze",
                      _ ("one of --pair-text, --pair-image and --pair-ids expected"));
  if (o->dataset == NULL)
    return cli_input_check (&o->input, "analyze");
  if (o->input.image != NULL || o->input.text != NULL || o->input.text_file != NULL ||
      o->input.ids != NULL || o->input.audio != NULL || o->label != NULL)
    return cli_usage ("analyze", _ ("either --dataset or one input expected"));
  return CLI_OK;
}

static CliStatus
run_with_progress (AnalyzeOptions *o, guint which, const char *model_name)
{
  GError *error = NULL;
  CliProgress bar;
  Analyze a = { .options = o, .label = -1, .more = json_object () };
  a.results = g_ptr_array_new_with_free_func ((GDestroyNotify) hl_session_result_unref);
  cli_progress_start (&bar);
  a.progress = &bar.progress;
  gboolean ok = run (which, &a, model_name, &error);
  cli_progress_end (&bar);
  analyze_clear (&a);
  return ok ? CLI_OK : cli_fail (error);
}

CliStatus
cli_analyze (int argc, char **argv)
{
  AnalyzeOptions o = { .n_random = 3, .position = -1 };
  guint which;
  gboolean done;
  CliStatus status = analyze_parse (&o, &argc, &argv, &done);
  if (!done)
    status = check_usage (&o, argc, argv, &which);
  if (!done && status == CLI_OK)
    status = run_with_progress (&o, which, argv[2]);
  options_clear (&o);
  return status;
}
