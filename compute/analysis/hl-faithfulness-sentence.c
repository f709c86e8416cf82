/* SPDX-License-Identifier: MIT
 * Deletion and insertion of a whole sentence: what a decoder says of what is left. */
#include "analysis/hl-faithfulness-private.h"

#include "analysis/hl-edit-distance.h"
#include "base/hl-error.h"
#include "model/hl-model-text.h"
#include "trace/hl-generate.h"

#include <math.h>
#include <string.h>

#define SHARES HL_FAITHFULNESS_SHARES

/* As many tokens as a decoder may say of what nothing is left of. */
#define MOST_TOKENS 128

/* @begun: what a decoder is told before it begins. @undisturbed: what it says of the
 * whole, in words or the numbers of its tokens.
 * @nothing: the error rate where all is replaced, which no order changes; NaN at first.
 */
typedef struct
{
  const HlSaliencyWork *w;
  HlInput *begun;
  gboolean by_tokens;
  char *undisturbed;
  double nothing;
} Sentence;

static void
sentence_clear (Sentence *s)
{
  g_clear_pointer (&s->begun, hl_input_unref);
  g_free (s->undisturbed);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Sentence, sentence_clear)

/* ---- what is said --------------------------------------------------------------------
 */

static gboolean
hear_cb (const HlGenerated *token, gpointer data)
{
  g_array_append_val ((GArray *) data, token->id);
  return TRUE;
}

/* (transfer full): of gint32: with @embeds (1, T, D) in place of the source's; NULL with
 * @error. */
static GArray *
decode_again (const Sentence *s, HlTensor *embeds, GError **error)
{
  const HlSaliencyWork *w = s->w;
  const GPtrArray *given = w->options->interventions;
  const HlModelInfo *info = hl_model_get_info (w->model);
  g_autoptr (GPtrArray) all =
      g_ptr_array_new_with_free_func ((GDestroyNotify) hl_intervention_unref);
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  for (guint i = 0; given != NULL && i < given->len; i++)
    g_ptr_array_add (all, hl_intervention_ref (g_ptr_array_index (given, i)));
  g_ptr_array_add (all, hl_intervention_new (HL_INTERVENTION_REPLACE, w->site, 0, 0, NULL,
                                             embeds, "embeddings"));
  gint64 room = info->n_context - s->begun->ids->shape.dim[1];
  const HlGenerateOptions options = { .n_tokens = (int) CLAMP (room, 0, MOST_TOKENS),
                                      .interventions = all };
  if (hl_generate (w->model, s->begun, w->backend, &options, &w->progress, hear_cb, ids,
                   error) < 0)
    return NULL;
  if (ids->len > 0 &&
      hl_model_is_end (w->model, g_array_index (ids, gint32, ids->len - 1)))
    g_array_set_size (ids, ids->len - 1);
  return g_steal_pointer (&ids);
}

static char *
as_text (const Sentence *s, const GArray *ids, GError **error)
{
  return hl_model_dup_text (s->w->model, (const gint32 *) (gpointer) ids->data, ids->len,
                            error);
}

/* (transfer full): what is compared: the text's words, or a number for each token. */
static char *
as_words (const Sentence *s, const GArray *ids, GError **error)
{
  g_autoptr (GString) numbers = g_string_new (NULL);
  if (!s->by_tokens)
    return as_text (s, ids, error);
  for (guint i = 0; i < ids->len; i++)
    g_string_append_printf (numbers, "%d ", g_array_index (ids, gint32, i));
  return g_string_free (g_steal_pointer (&numbers), FALSE);
}

/* The special tokens that a decoder's text begins with, one at least. */
static gint64
count_begun (const HlInput *input)
{
  gint64 n = 0;
  while (n < input->tokens->n_tokens && input->tokens->tokens[n].role == HL_ROLE_SPECIAL)
    n++;
  return MAX (n, 1);
}

static double
rate (Sentence *s, const HlRanking *ranking, int share, GError **error)
{
  g_autoptr (HlTensor) embeds = hl_faithfulness_put (s->w, ranking, share, 1);
  g_autoptr (GArray) ids = decode_again (s, embeds, error);
  g_autofree char *said = ids != NULL ? as_words (s, ids, error) : NULL;
  return said != NULL ? hl_word_error_rate (s->undisturbed, said, error) : NAN;
}

/* Where nothing is replaced there is no error. */
static gboolean
error_curve (const HlRanking *ranking, double *curve, gpointer data, GError **error)
{
  Sentence *s = data;
  for (int share = 0; share < SHARES; share++)
    {
      gboolean is_whole = share == (ranking->inserts ? SHARES - 1 : 0);
      gboolean is_nothing = share == (ranking->inserts ? 0 : SHARES - 1);
      if (!hl_progress_step (&s->w->progress, 0, NULL, error))
        return FALSE;
      curve[share] = is_whole ? 0
                     : is_nothing && !isnan (s->nothing)
                         ? s->nothing
                         : rate (s, ranking, share, error);
      if (isnan (curve[share]))
        return FALSE;
      if (is_nothing)
        s->nothing = curve[share];
    }
  return TRUE;
}

/* ---- one order of a sentence ---------------------------------------------------------
 */

/* (transfer full): (m): the mean over targets of rows less their mean, by their
 * deviation, so that each target counts alike; NaN where a token counts in none. */
static double *
mean_of_rows (const double *x, gint64 n, gint64 m)
{
  double *mean = g_new0 (double, (gsize) m + 1);
  g_autofree int *there = g_new0 (int, (gsize) m + 1);
  for (gint64 i = 0; i < n; i++, x += m)
    {
      double sum = 0, squares = 0;
      gint64 k = 0;
      for (gint64 j = 0; j < m; j++)
        if (!isnan (x[j]))
          {
            sum += x[j];
            squares += x[j] * x[j];
            k++;
          }
      double centre = sum / (double) MAX (k, 1);
      double deviation = sqrt (fmax (squares / (double) MAX (k, 1) - centre * centre, 0));
      for (gint64 j = 0; j < m; j++)
        if (!isnan (x[j]))
          {
            mean[j] += deviation > 0 ? (x[j] - centre) / deviation : 0;
            there[j]++;
          }
    }
  for (gint64 j = 0; j < m; j++)
    mean[j] = there[j] > 0 ? mean[j] / there[j] : NAN;
  return mean;
}

gboolean
hl_faithfulness_fill_sentence (HlFaithfulness *f,
                               const HlSaliencyWork *w,
                               HlInput *input,
                               const HlCrossComparison *c,
                               GRand *rand,
                               GError **error)
{
  const HlModelInfo *info = hl_model_get_info (w->model);
  if (info->n_source_context == 0)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                   "error rates: an encoder with a decoder expected, %s found",
                   info->name);
      return FALSE;
    }
  g_auto (Sentence)
      s = { .w = w, .by_tokens = f->metric == HL_METRIC_TER, .nothing = NAN };
  const HlRanking none = { NULL, 0, FALSE };
  s.begun = hl_saliency_input (w->model, input, count_begun (input) - 1);
  g_autoptr (HlTensor) whole = hl_faithfulness_put (w, &none, 0, 1);
  g_autoptr (GArray) ids = decode_again (&s, whole, error);
  s.undisturbed = ids != NULL ? as_words (&s, ids, error) : NULL;
  f->undisturbed = s.undisturbed != NULL ? as_text (&s, ids, error) : NULL;
  if (f->undisturbed == NULL)
    return FALSE;
  g_autofree double *attention = mean_of_rows (c->attention, c->n_targets, c->n_keys);
  g_autofree double *saliency = mean_of_rows (c->saliency, c->n_targets, c->n_keys);
  return hl_faithfulness_fill (f, 0, attention, saliency, hl_faithfulness_n_keys (w, c),
                               rand, error_curve, &s, error);
}
