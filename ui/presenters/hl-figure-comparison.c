/* SPDX-License-Identifier: MIT
 * Attention and saliency on one input, as panels of a figure. */
#include "config.h"

#include "presenters/hl-figure-comparison.h"

#include <glib/gi18n-lib.h>

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
  g_autoptr (HlChartScene) rows = hl_compare_rows (c);
  hl_figure_add_chart (figure, rows);
}

void
hl_figure_add_comparison (HlFigure *figure,
                          const HlCompare *c,
                          const HlViewOptions *options)
{
  gboolean is_text = hl_compare_kind (c) == HL_COMPARE_TOKENS;
  g_autofree char *caption = hl_compare_caption (c);
  g_autofree char *text = g_strdup_printf (
      "%s %s", caption,
      is_text ? _ ("(c) Both rows.")
              : _ ("(c) Both z-scored by row, attention less saliency, in deviations."));
  if (is_text)
    add_on_text (figure, c, options);
  else
    add_on_input (figure, c, options);
  hl_figure_set_caption (figure, text);
}
