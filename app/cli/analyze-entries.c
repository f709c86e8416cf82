/* SPDX-License-Identifier: MIT
 * The options of `headlight analyze`, by what they are of. */
#include "config.h"

#include "analyze.h"

#include <glib/gi18n.h>
#include <string.h>

/* (transfer full): ends with a row of zeros. */
static GOptionEntry *
copy_entries (const GOptionEntry *entries, gsize n)
{
  GOptionEntry *copy = g_new0 (GOptionEntry, n + 1);
  memcpy (copy, entries, sizeof *copy * n);
  return copy;
}

static GOptionEntry *
input_entries (AnalyzeOptions *o)
{
  const GOptionEntry none[] = { G_OPTION_ENTRY_NULL };
  return cli_input_entries (&o->input, none,
                            CLI_INPUT_IMAGE | CLI_INPUT_AUDIO | CLI_INPUT_PAIR);
}

static GOptionEntry *
dataset_entries (AnalyzeOptions *o)
{
  const GOptionEntry entries[] = {
    { "dataset", 0, 0, G_OPTION_ARG_FILENAME, &o->dataset,
      N_ ("Many inputs: a folder of pictures, a CSV, IDX files, a text by lines"), "D" },
    { "max-inputs", 0, 0, G_OPTION_ARG_INT, &o->n_inputs,
      N_ ("Draw so many of the data set"), "N" },
  };
  return copy_entries (entries, G_N_ELEMENTS (entries));
}

static GOptionEntry *
explained_entries (AnalyzeOptions *o)
{
  const GOptionEntry entries[] = {
    { "target", 0, 0, G_OPTION_ARG_STRING, &o->target,
      N_ ("Class or token that is explained: a number, a class name, \"predicted\", "
          "\"label\", or \"every\" token of a text; else the label where it is known, of "
          "a text by lines every token"),
      "T" },
    { "against", 0, 0, G_OPTION_ARG_STRING, &o->against,
      N_ ("Explain the target's logit less this one's"), "T" },
    { "label", 0, 0, G_OPTION_ARG_STRING, &o->label, N_ ("True class of the one input"),
      "C" },
    { "position", 0, 0, G_OPTION_ARG_INT, &o->position,
      N_ ("Of a text, the token behind which is predicted (the last)"), "N" },
    { "target-text", 0, 0, G_OPTION_ARG_FILENAME, &o->input.target,
      N_ ("What the decoder of an encoder-decoder reads; else what it says"), "TEXT" },
    { "reference", 0, 0, G_OPTION_ARG_FILENAME, &o->reference,
      N_ ("Another input: score how much less like it this one is without each head; of "
          "an alignment the words' true times, a CSV of start, end and word or a "
          "TextGrid"),
      "FILE" },
  };
  return copy_entries (entries, G_N_ELEMENTS (entries));
}

static GOptionEntry *
importance_entries (AnalyzeOptions *o)
{
  const GOptionEntry entries[] = {
    { "ablation", 0, 0, G_OPTION_ARG_STRING, &o->ablation,
      N_ ("zero, mean, resample or uniform"), "KIND" },
    { "parts", 0, 0, G_OPTION_ARG_STRING, &o->parts,
      N_ ("Prune parts of this head's map too"), "LAYER.HEAD" },
    { "renormalise", 0, 0, G_OPTION_ARG_NONE, &o->renormalises,
      N_ ("What is left of a row is divided by its sum, with --parts"), NULL },
    { "curve", 0, 0, G_OPTION_ARG_STRING, &o->curve,
      N_ ("Prune more and more heads in the order of this score"), "SCORE" },
    { "random", 0, 0, G_OPTION_ARG_INT, &o->n_random,
      N_ ("Random orders beside it (3), with --curve"), "N" },
    { "greedy", 0, 0, G_OPTION_ARG_NONE, &o->with_greedy,
      N_ ("The greedy order beside it, with --curve"), NULL },
  };
  return copy_entries (entries, G_N_ELEMENTS (entries));
}

static GOptionEntry *
patterns_entries (AnalyzeOptions *o)
{
  const GOptionEntry entries[] = {
    { "epochs", 0, 0, G_OPTION_ARG_INT, &o->epochs,
      N_ ("Train the autoencoder so long (20), with patterns"), "N" },
    { "clusters", 0, 0, G_OPTION_ARG_INT, &o->n_clusters,
      N_ ("Clusters of patterns; else as many as the silhouette suggests"), "N" },
    { "side", 0, 0, G_OPTION_ARG_INT, &o->side,
      N_ ("Pool maps of larger grids to so many rows and columns (14)"), "N" },
    { "no-tsne", 0, 0, G_OPTION_ARG_NONE, &o->no_tsne,
      N_ ("Lay patterns or inputs out by principal components only"), NULL },
  };
  return copy_entries (entries, G_N_ELEMENTS (entries));
}

static GOptionEntry *
saliency_entries (AnalyzeOptions *o)
{
  const GOptionEntry entries[] = {
    { "method", 0, 0, G_OPTION_ARG_STRING, &o->method,
      N_ ("One of gradient-input, integrated-gradients, smoothgrad, occlusion, "
          "attention-gradient, rollout, flow, relevance, norm-attention or spes "
          "(integrated-gradients)"),
      "NAME" },
    { "baseline", 0, 0, G_OPTION_ARG_STRING, &o->baseline,
      N_ ("What the input is compared with: zero, mean, of texts mask or padding, and of "
          "pictures black or blur (mean)"),
      "NAME" },
    { "masks", 0, 0, G_OPTION_ARG_INT, &o->n_masks,
      N_ ("By spes: hide parts at random so often, at most (1000)"), "N" },
    { "granularities", 0, 0, G_OPTION_ARG_STRING, &o->granularities,
      N_ ("By spes: segments of a picture or recording, a number for each way to cut it "
          "(200,300,400, fewer of a small one)"),
      "N,N" },
    { "stable-at", 0, 0, G_OPTION_ARG_DOUBLE, &o->stable_at,
      N_ ("By spes: stop where the reliability has come to this"), "R" },
    { "pooling", 0, 0, G_OPTION_ARG_STRING, &o->pooling,
      N_ ("By spes: a token has the max or the mean of its cells (max)"), "KIND" },
    { "at-encoder", 0, 0, G_OPTION_ARG_NONE, &o->at_encoder,
      N_ ("Of what an encoder gives its decoder, not of the input"), NULL },
    { "pair-text", 0, 0, G_OPTION_ARG_FILENAME, &o->pair.text,
      N_ ("Of two towers: explain what a picture and this text are worth together"),
      "TEXT" },
    { "pair-image", 0, 0, G_OPTION_ARG_FILENAME, &o->pair.image,
      N_ ("Likewise of a text and this picture"), "FILE" },
    { "pair-ids", 0, 0, G_OPTION_ARG_STRING, &o->pair.ids,
      N_ ("Likewise of a picture and these tokens"), "JSON" },
  };
  return copy_entries (entries, G_N_ELEMENTS (entries));
}

static GOptionEntry *
cross_entries (AnalyzeOptions *o)
{
  const GOptionEntry entries[] = {
    { "both-places", 0, 0, G_OPTION_ARG_NONE, &o->at_both,
      N_ ("Beside saliency of the input, too, that of what an encoder gives its decoder"),
      NULL },
    { "raw", 0, 0, G_OPTION_ARG_NONE, &o->is_raw,
      N_ ("Correlate maps as they are, not z-scored by row"), NULL },
    { "weights", 0, 0, G_OPTION_ARG_STRING, &o->weights,
      N_ ("Attention is its map (map), or the norm of what it carries, A v W_O (norm)"),
      "KIND" },
    { "heads", 0, 0, G_OPTION_ARG_STRING, &o->attention_of,
      N_ ("Attention of these heads beside that of all, and for --deletion: 5.1,3.0, "
          "alignment for those that the model names, or best for the one that agrees "
          "best"),
      "LIST" },
    { "keep-special", 0, 0, G_OPTION_ARG_NONE, &o->keeps_special,
      N_ ("Let special tokens and padding count"), NULL },
    { "deletion", 0, 0, G_OPTION_ARG_NONE, &o->takes_away,
      N_ ("Delete and insert tokens in the order of attention, saliency and chance"),
      NULL },
    { "metric", 0, 0, G_OPTION_ARG_STRING, &o->metric,
      N_ ("With --deletion: the target's probability, its loss, or of what an "
          "encoder-decoder says the error rate of words, wer, or of tokens, ter "
          "(probability)"),
      "NAME" },
    { "chance", 0, 0, G_OPTION_ARG_INT, &o->n_chance,
      N_ ("With --deletion: orders of chance a target (5)"), "N" },
  };
  return copy_entries (entries, G_N_ELEMENTS (entries));
}

static GOptionEntry *
alignment_entries (AnalyzeOptions *o)
{
  const GOptionEntry entries[] = {
    { "align-by", 0, 0, G_OPTION_ARG_STRING, &o->align,
      N_ ("Heads that the model names (named), those that go on steadily (steady), or "
          "all"),
      "HEADS" },
  };
  return copy_entries (entries, G_N_ELEMENTS (entries));
}

static GOptionEntry *
run_entries (AnalyzeOptions *o)
{
  const GOptionEntry entries[] = {
    CLI_HEADS_ENTRIES (o->heads),
    { "seed", 0, 0, G_OPTION_ARG_INT, &o->seed, N_ ("Of whatever is drawn"), "N" },
    { "resume", 0, 0, G_OPTION_ARG_FILENAME, &o->resume,
      N_ ("Go on from this session: training the autoencoder, or with masks and targets "
          "of "
          "saliency"),
      "FILE" },
    { "csv", 0, 0, G_OPTION_ARG_FILENAME, &o->csv,
      N_ ("A table to write, a row a head, a map or an input"), "FILE" },
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &o->output,
      N_ ("A session to write: a trace, and the scores under /results"), "FILE" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &o->as_json, N_ ("Print every head as JSON"),
      NULL },
    CLI_BACKEND_ENTRIES (&o->backend),
  };
  return copy_entries (entries, G_N_ELEMENTS (entries));
}

static const struct
{
  const char *title;
  const char *of; /* which analyses; NULL for all */
  GOptionEntry *(*list) (AnalyzeOptions *o);
} groups[] = {
  { N_ ("Input:"), NULL, input_entries },
  { N_ ("Data Set:"), "importance strength patterns overview", dataset_entries },
  { N_ ("What Is Explained:"), "importance saliency cross-attention alignment",
    explained_entries },
  { N_ ("Importance:"), "importance", importance_entries },
  { N_ ("Patterns and Overviews:"), "patterns overview", patterns_entries },
  { N_ ("Saliency:"), "saliency cross-attention", saliency_entries },
  { N_ ("Attention beside Saliency:"), "cross-attention", cross_entries },
  { N_ ("Alignment:"), "alignment", alignment_entries },
  { NULL, NULL, run_entries },
};

CliStatus
analyze_parse (AnalyzeOptions *o, int *argc, char ***argv, gboolean *done)
{
  CliGroup all[G_N_ELEMENTS (groups)];
  for (guint i = 0; i < G_N_ELEMENTS (groups); i++)
    all[i] = (CliGroup){ groups[i].title, groups[i].of, groups[i].list (o) };
  CliStatus status =
      cli_parse_groups ("analyze", all, G_N_ELEMENTS (all), argc, argv, done);
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    g_free ((gpointer) all[i].entries);
  return status;
}
