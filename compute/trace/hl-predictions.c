/* SPDX-License-Identifier: MIT
 * What each position of a text predicts for the next token. */
#include "trace/hl-predictions.h"

#include "trace/hl-logit-rows.h"

#include <math.h>

/* Logits that are looked at together. */
#define STRETCH 256

HlPredictions *
hl_predictions_new (
    const gint32 *ids, gint64 n_tokens, gint64 n_vocab, gboolean is_own, GError **error)
{
  gint64 k = MIN (HL_PREDICTIONS_K, n_vocab);
  g_autoptr (HlPredictions) p = g_new0 (HlPredictions, 1);
  g_atomic_ref_count_init (&p->refs);
  p->is_own = is_own;
  p->texts = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  const struct
  {
    HlTensor **tensor;
    HlDtype dtype;
    HlShape shape;
  } parts[] = {
    { &p->next_ids, HL_DTYPE_I32, HL_SHAPE (n_tokens) },
    { &p->top_ids, HL_DTYPE_I32, HL_SHAPE (n_tokens, k) },
    { &p->top_log_probs, HL_DTYPE_F32, HL_SHAPE (n_tokens, k) },
    { &p->next_log_probs, HL_DTYPE_F32, HL_SHAPE (n_tokens) },
    { &p->next_ranks, HL_DTYPE_I32, HL_SHAPE (n_tokens) },
    { &p->entropies, HL_DTYPE_F32, HL_SHAPE (n_tokens) },
  };
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    {
      *parts[i].tensor = hl_tensor_new (parts[i].dtype, parts[i].shape, error);
      if (*parts[i].tensor == NULL)
        return NULL;
    }
  gint32 *next = p->next_ids->data;
  for (gint64 t = 0; t < n_tokens; t++)
    next[t] = is_own ? ids[t] : t + 1 < n_tokens ? ids[t + 1] : -1;
  return g_steal_pointer (&p);
}

gint64
hl_predictions_get_position (const HlPredictions *p, gint64 token)
{
  return p->is_own ? token : token - 1;
}

HlPredictions *
hl_predictions_ref (HlPredictions *predictions)
{
  g_atomic_ref_count_inc (&predictions->refs);
  return predictions;
}

void
hl_predictions_unref (HlPredictions *predictions)
{
  if (predictions == NULL || !g_atomic_ref_count_dec (&predictions->refs))
    return;
  hl_tensor_unref (predictions->next_ids);
  hl_tensor_unref (predictions->top_ids);
  hl_tensor_unref (predictions->top_log_probs);
  hl_tensor_unref (predictions->next_log_probs);
  hl_tensor_unref (predictions->next_ranks);
  hl_tensor_unref (predictions->entropies);
  g_hash_table_unref (predictions->texts);
  g_free (predictions);
}

void
hl_predictions_set_text (HlPredictions *predictions, gint32 id, const char *text)
{
  g_hash_table_replace (predictions->texts, GINT_TO_POINTER (id), g_strdup (text));
}

const char *
hl_predictions_get_text (const HlPredictions *predictions, gint32 id)
{
  return g_hash_table_lookup (predictions->texts, GINT_TO_POINTER (id));
}

gint64
hl_predictions_get_length (const HlPredictions *predictions)
{
  return predictions->next_ids->shape.dim[0];
}

int
hl_predictions_get_k (const HlPredictions *predictions)
{
  return (int) predictions->top_ids->shape.dim[1];
}

/* The row of one position, float or double: @at reads a number of it. */
typedef struct
{
  const float *f32;
  const double *f64;
  gint64 V;
} Numbers;

static Numbers
numbers_of (const HlTensor *t, gint64 row, gint64 V)
{
  if (t->dtype == HL_DTYPE_F64)
    return (Numbers){ .f64 = (const double *) t->data + row * V, .V = V };
  return (Numbers){ .f32 = (const float *) t->data + row * V, .V = V };
}

static double
at (const Numbers *n, gint64 i)
{
  return n->f64 != NULL ? n->f64[i] : (double) n->f32[i];
}

/* A short list, the largest first, of equal ones the lower id. */
typedef struct
{
  double best[HL_PREDICTIONS_K];
  gint32 *ids;
  int n, k;
} Top;

static void
insert (Top *top, double x, gint64 v)
{
  if (top->n == top->k && !(x > top->best[top->k - 1]))
    return;
  int place = top->n < top->k ? top->n++ : top->k - 1;
  for (; place > 0 && x > top->best[place - 1]; place--)
    {
      top->best[place] = top->best[place - 1];
      top->ids[place] = top->ids[place - 1];
    }
  top->best[place] = x;
  top->ids[place] = (gint32) v;
}

/* Most rows enter the list a few dozen times in V: a stretch that has nothing for it is
 * passed over quickly. */
static void
find_top (const Numbers *logits, double lse, int k, gint32 *ids, float *log_probs)
{
  Top top = { .ids = ids, .k = k };
  for (gint64 begin = 0; begin < logits->V; begin += STRETCH)
    {
      gint64 end = MIN (begin + STRETCH, logits->V);
      if (top.n == k && logits->f32 != NULL &&
          !((double) hl_logits_max (logits->f32 + begin, end - begin) > top.best[k - 1]))
        continue;
      for (gint64 v = begin; v < end; v++)
        insert (&top, at (logits, v), v);
    }
  for (int i = 0; i < top.n; i++)
    log_probs[i] = (float) (top.best[i] - lse);
}

static gint32
rank_of (const Numbers *logits, double value)
{
  gint32 rank = 0;
  if (logits->f32 != NULL)
    return (gint32) hl_logits_rank (logits->f32, logits->V, (float) value);
  for (gint64 v = 0; v < logits->V; v++)
    rank += logits->f64[v] > value;
  return rank;
}

/* H = lse - sum p s: exact where the logits are, and needs no logarithm a token. */
static double
entropy_of (const Numbers *logits, const Numbers *probs, double lse)
{
  double sum = 0;
  if (logits->f32 != NULL)
    sum = hl_logits_mean (logits->f32, probs->f32, logits->V);
  else
    for (gint64 v = 0; v < logits->V; v++)
      sum += probs->f64[v] > 0 ? probs->f64[v] * logits->f64[v] : 0;
  return MAX (lse - sum, 0);
}

void
hl_predictions_fill (HlPredictions *p,
                     gint64 first,
                     const HlTensor *logits,
                     const HlTensor *probs,
                     const HlTensor *lse)
{
  gint64 n = hl_tensor_count (lse), V = n > 0 ? hl_tensor_count (logits) / n : 0;
  int k = hl_predictions_get_k (p);
  const gint32 *next = p->next_ids->data;
  Numbers shifts = numbers_of (lse, 0, n);
  for (gint64 i = 0; i < n; i++)
    {
      gint64 t = first + i;
      Numbers s = numbers_of (logits, i, V), a = numbers_of (probs, i, V);
      double shift = at (&shifts, i);
      gboolean is_known = next[t] >= 0 && next[t] < V;
      find_top (&s, shift, k, (gint32 *) p->top_ids->data + t * k,
                (float *) p->top_log_probs->data + t * k);
      ((float *) p->entropies->data)[t] = (float) entropy_of (&s, &a, shift);
      ((float *) p->next_log_probs->data)[t] =
          is_known ? (float) (at (&s, next[t]) - shift) : NAN;
      ((gint32 *) p->next_ranks->data)[t] =
          is_known ? rank_of (&s, at (&s, next[t])) : -1;
    }
}
