/* SPDX-License-Identifier: MIT
 * Attention and saliency beside each other, in words. */
#include "config.h"

#include "presenters/hl-present-compare.h"
#include "presenters/hl-present.h"
#include "presenters/hl-saliency-words.h"

#include <glib/gi18n-lib.h>

/* Heads that are named; of more the first. */
#define HEADS_NAMED 32

char *
hl_compare_name (const HlCompare *c, int target)
{
  return target >= 0
             ? g_strdup_printf (_ ("“%s”"), hl_cross_result_get_name (c->result, target))
             : g_strdup (_ ("all outputs"));
}

/* ---- whose attention -----------------------------------------------------------------
 */

char *
hl_compare_list_heads (const HlHeadKey *heads, guint n_heads)
{
  GString *names = g_string_new (NULL);
  for (guint i = 0; i < n_heads && i < HEADS_NAMED; i++)
    g_string_append_printf (names, "%s%d.%d", i > 0 ? ", " : "", heads[i].layer,
                            heads[i].head);
  if (n_heads > HEADS_NAMED)
    g_string_append (names, ", …");
  return g_string_free (names, FALSE);
}

int
hl_compare_count_heads (const HlCompare *c)
{
  int stack = c->result->comparison->stack, n = 0;
  const HlStack *tower = hl_model_info_get_stack (c->trace->model, stack);
  for (int l = 0; tower != NULL && l < tower->n_layers; l++)
    n += tower->layers[l].n_heads;
  return n;
}

char *
hl_compare_whose (const HlCompare *c)
{
  if (c->result->options.by_norm)
    return g_strdup_printf (_ ("norms of what all %d heads carry, A v W_O"),
                            hl_compare_count_heads (c));
  return c->map != NULL && c->heads != NULL
             ? g_strdup (c->heads)
             : g_strdup_printf (_ ("mean of all %d heads"), hl_compare_count_heads (c));
}

/* ---- captions ------------------------------------------------------------------------
 */

/* (transfer full) */
static char *
method_words (const HlCompare *c)
{
  g_autofree char *method = hl_saliency_describe (&c->result->set->options);
  int n = c->result->n_masks;
  return n > 0 ? g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%s, %d mask",
                                               "%s, %d masks", (gulong) n),
                                  method, n)
               : g_strdup (method);
}

char *
hl_compare_describe (const HlCompare *c)
{
  g_autofree char *whose = hl_compare_whose (c);
  g_autofree char *method = method_words (c);
  return g_strdup_printf (_ ("Attention: %s; saliency by %s."), whose, method);
}

double
hl_compare_pearson (const HlCompare *c)
{
  const HlCrossComparison *all = c->result->comparison;
  if (c->target < 0)
    return c->map != NULL ? c->map->pearson : all->pearson_all;
  return (c->map != NULL ? c->map->by_target : all->by_target)[c->target];
}

/* What is drawn of the two. */
static const char *
drawn_words (const HlCompare *c)
{
  if (hl_compare_is_fine (c))
    return _ (
        "attention is drawn by shares of the row on what counts, saliency by its own "
        "cells, in nats");
  return hl_compare_has_floor (c)
             ? _ ("both are shares of the row on what counts, saliency from the row's "
                  "least")
             : _ ("both are shares of the row on what counts");
}

char *
hl_compare_caption (const HlCompare *c)
{
  double r = hl_compare_pearson (c);
  const HlSaliencyOptions *o = &c->result->set->options;
  g_autofree char *whose = hl_compare_whose (c);
  g_autofree char *name = hl_compare_name (c, c->target);
  g_autofree char *number = hl_present_number (r, "%.3f");
  g_autofree char *square = hl_present_number (r * r, "%.3f");
  g_autofree char *method = method_words (c);
  g_autofree char *left_out = hl_compare_left_out (c);
  return g_strchomp (g_strdup_printf (
      hl_saliency_is_signed (o->method) ? _ ("Of %s: attention, %s, beside the size of "
                                             "saliency by %s; %s. r %s, r² %s, "
                                             "maps %s. %s")
                                        : _ ("Of %s: attention, %s, beside saliency by "
                                             "%s; %s. r %s, r² %s, maps %s. %s"),
      name, whose, method, drawn_words (c), number, square,
      c->result->options.is_raw ? _ ("as they are") : _ ("z-scored by row"), left_out));
}

char *
hl_compare_left_out (const HlCompare *c)
{
  const HlTokenTable *keys = hl_compare_get_keys (c);
  int n_special = 0, n_padding = 0;
  if (c->result->options.keeps_special)
    return g_strdup ("");
  for (int j = 0; j < keys->n_tokens; j++)
    {
      n_special += keys->tokens[j].role == HL_ROLE_SPECIAL;
      n_padding += keys->tokens[j].role == HL_ROLE_PADDING;
    }
  if (n_special > 0 && n_padding > 0)
    return g_strdup_printf (_ ("%d special tokens and %d of padding are left out."),
                            n_special, n_padding);
  if (n_padding > 0)
    return g_strdup_printf (
        g_dngettext (GETTEXT_PACKAGE, "%d token of padding is left out.",
                     "%d tokens of padding are left out.", (gulong) n_padding),
        n_padding);
  if (n_special > 0)
    return g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%d special token is left out.",
                                         "%d special tokens are left out.",
                                         (gulong) n_special),
                            n_special);
  return g_strdup ("");
}
