/* SPDX-License-Identifier: MIT
 * Options of saliency, of attention beside it and of alignment. */
#pragma once

#include "analyze.h"

/* An entry is not a block. */
/* clang-format off */

/** ANALYZE_SALIENCY_ENTRIES: into the AnalyzeOptions @o. */
#define ANALYZE_SALIENCY_ENTRIES(o)                                                             \
  { "method", 0, 0, G_OPTION_ARG_STRING, &(o).method,                                           \
    N_ ("Saliency: gradient-input, integrated-gradients, smoothgrad, occlusion, "               \
        "attention-gradient, rollout, flow, relevance, norm-attention or spes "                 \
        "(integrated-gradients)"), "NAME" },                                                    \
  { "baseline", 0, 0, G_OPTION_ARG_STRING, &(o).baseline,                                       \
    N_ ("Saliency: what the input is compared with: zero, mean, of texts mask or "              \
        "padding, and of pictures black or blur (mean)"), "NAME" },                             \
  { "masks", 0, 0, G_OPTION_ARG_INT, &(o).n_masks,                                              \
    N_ ("Saliency by spes: hide parts at random so often, at most (1000)"), "N" },              \
  { "granularities", 0, 0, G_OPTION_ARG_STRING, &(o).granularities,                             \
    N_ ("Saliency by spes: segments of a picture or recording, a number for each "              \
        "way to cut it (200,300,400, fewer of a small one)"), "N,N" },                          \
  { "stable-at", 0, 0, G_OPTION_ARG_DOUBLE, &(o).stable_at,                                     \
    N_ ("Saliency by spes: stop where the reliability has come to this"), "R" },                \
  { "pooling", 0, 0, G_OPTION_ARG_STRING, &(o).pooling,                                         \
    N_ ("Saliency by spes: a token has the max or the mean of its cells (max)"), "KIND" },      \
  { "at-encoder", 0, 0, G_OPTION_ARG_NONE, &(o).at_encoder,                                     \
    N_ ("Saliency of what an encoder gives its decoder, not of the input"), NULL },             \
  { "raw", 0, 0, G_OPTION_ARG_NONE, &(o).is_raw,                                                \
    N_ ("Cross-attention: correlate maps as they are, not z-scored by row"), NULL },            \
  { "pair-text", 0, 0, G_OPTION_ARG_FILENAME, &(o).pair.text,                                   \
    N_ ("Saliency, of two towers: explain what a picture and this text are worth "              \
        "together"), "TEXT" },                                                                  \
  { "pair-image", 0, 0, G_OPTION_ARG_FILENAME, &(o).pair.image,                                 \
    N_ ("Likewise of a text and this picture"), "FILE" },                                       \
  { "pair-ids", 0, 0, G_OPTION_ARG_STRING, &(o).pair.ids,                                       \
    N_ ("Likewise of a picture and these tokens"), "JSON" },                                    \
  { "weights", 0, 0, G_OPTION_ARG_STRING, &(o).weights,                                         \
    N_ ("Cross-attention: attention is its map (map), or the norm of what it "                  \
        "carries, A v W_O (norm)"), "KIND" },                                                   \
  { "keep-special", 0, 0, G_OPTION_ARG_NONE, &(o).keeps_special,                                \
    N_ ("Cross-attention: let special tokens and padding count"), NULL },                       \
  { "deletion", 0, 0, G_OPTION_ARG_NONE, &(o).takes_away,                                       \
    N_ ("Cross-attention: delete and insert tokens in the order of attention, "                 \
        "saliency and chance"), NULL },                                                         \
  { "metric", 0, 0, G_OPTION_ARG_STRING, &(o).metric,                                           \
    N_ ("With --deletion: the target's probability, its loss, or of what an "                   \
        "encoder-decoder says the error rate of words, wer, or of tokens, ter "                 \
        "(probability)"), "NAME" },                                                             \
  { "chance", 0, 0, G_OPTION_ARG_INT, &(o).n_chance,                                            \
    N_ ("With --deletion: orders of chance a target (5)"), "N" },                               \
  { "align-by", 0, 0, G_OPTION_ARG_STRING, &(o).align,                                          \
    N_ ("Alignment: heads that the model names (named), those that go on steadily "             \
        "(steady), or all"), "HEADS" },                                                         \
  { "target-text", 0, 0, G_OPTION_ARG_FILENAME, &(o).input.target,                              \
    N_ ("Saliency: what the decoder of an encoder-decoder reads; else what it says"), "TEXT" }, \
  { "position", 0, 0, G_OPTION_ARG_INT, &(o).position,                                          \
    N_ ("Saliency: of a text, the token behind which is predicted (the last)"), "N" }
/* clang-format on */
