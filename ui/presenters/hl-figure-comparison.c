/* SPDX-License-Identifier: MIT
 * Attention and saliency on one input, as panels of a figure. */
#include "config.h"

#include "presenters/hl-figure-comparison.h"

#include "presenters/hl-present-recording.h"

#include <glib/gi18n-lib.h>
#include <stdlib.h>

static void
add_on_input (HlFigure *figure, const HlCompare *c, const HlViewOptions *options)
{
  for (int side = 0; side < 2; side++)
    {
      g_autoptr (HlOverlayScene) scene =
          hl_compare_overlay (c, (HlCompareSide) side, options);
      hl_figure_add_overlay (figure, scene);
    }
  g_autoptr (HlOverlayScene) apart = hl_compare_parting (c, options);
  g_free (apart->title);
  apart->title = g_strdup (_ ("Attention less saliency"));
  hl_figure_add_overlay (figure, apart);
}

static void
add_on_text (HlFigure *figure, const HlCompare *c, const HlViewOptions *options)
{
  g_autoptr (HlTokenList) tokens =
      hl_present_token_list (hl_compare_get_keys (c), NULL, 0, 0);
  for (int side = 0; side < 2; side++)
    {
      g_autoptr (HlTokenScene) scene =
          hl_compare_tokens (c, (HlCompareSide) side, tokens, options);
      hl_figure_add_tokens (figure, scene, HL_TOKEN_FLOW, HL_TOKENS_SHOWN_ONLY);
    }
  hl_figure_set_columns (figure, 1);
  g_autoptr (HlChartScene) rows = hl_compare_rows (c);
  hl_figure_add_chart (figure, rows);
}

/* ---- words ---------------------------------------------------------------------------
 */

/* What is seen and is not said by the caption of the page. */
static char *
describe_panels (const HlCompare *c)
{
  gboolean is_text = hl_compare_kind (c) == HL_COMPARE_TOKENS;
  gint64 joined = hl_compare_kind (c) == HL_COMPARE_RECORDING
                      ? hl_present_recording_joined (hl_compare_n_shown (c))
                      : 1;
  GString *text = g_string_new (NULL);
  if (c->target < 0)
    g_string_append (text,
                     _ (" Drawn are means over the outputs that can see a token; r is "
                        "of their rows."));
  if (joined > 1)
    g_string_append_printf (text,
                            _ (" A cell is the largest of %d tokens, in (c) the one that "
                               "they part most in."),
                            (int) joined);
  if (c->of_region > 0)
    g_string_append (text, _ (" Outlined: the region that was picked."));
  g_string_append (text, is_text ? _ (" (c) Both rows.")
                                 : _ (" (c) Both z-scored by row, attention less "
                                      "saliency, in deviations."));
  return g_string_free (text, FALSE);
}

/* Of how saliency was computed what is one word. */
static void
add_method (HlFigure *figure, const HlCompare *c)
{
  g_autoptr (json_t) about = hl_saliency_set_describe (c->result->set);
  const char *name;
  json_t *value;
  if (c->result->n_masks > 0)
    json_object_set_new (about, "masks", json_integer (c->result->n_masks));
  json_object_foreach (about, name, value)
  {
    if (json_is_object (value) || json_is_array (value) ||
        g_strcmp0 (json_string_value (value), "") == 0)
      continue;
    g_autofree char *key = g_strconcat ("saliency-", name, NULL);
    char *dumped = json_dumps (value, JSON_ENCODE_ANY | JSON_REAL_PRECISION (6));
    hl_figure_add_provenance (
        figure, key, json_is_string (value) ? json_string_value (value) : dumped);
    free (dumped);
  }
}

static void
add_choices (HlFigure *figure, const HlCompare *c)
{
  g_autofree char *whose = hl_compare_whose (c);
  g_autofree char *output =
      c->target >= 0 ? g_strdup_printf ("%d", c->target) : g_strdup ("all");
  const HlStack *stack =
      hl_model_info_get_stack (c->trace->model, c->result->comparison->stack);
  hl_figure_add_provenance (figure, "attention", whose);
  hl_figure_add_provenance (figure, "output", output);
  if (stack->name[0] != '\0')
    hl_figure_add_provenance (figure, "stack", stack->name);
  hl_figure_add_provenance (figure, "maps",
                            c->result->options.is_raw ? "raw" : "z-scored by row");
  hl_figure_add_provenance (figure, "special-tokens",
                            c->result->options.keeps_special ? "count" : "left out");
  add_method (figure, c);
}

void
hl_figure_add_comparison (HlFigure *figure,
                          const HlCompare *c,
                          const HlViewOptions *options)
{
  g_autofree char *caption = hl_compare_caption (c);
  g_autofree char *panels = describe_panels (c);
  g_autofree char *text = g_strconcat (caption, panels, NULL);
  add_choices (figure, c);
  if (hl_compare_kind (c) == HL_COMPARE_TOKENS)
    add_on_text (figure, c, options);
  else
    add_on_input (figure, c, options);
  hl_figure_set_caption (figure, text);
}
