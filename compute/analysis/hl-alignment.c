/* SPDX-License-Identifier: MIT
 * When what a decoder says is heard. */
#include "analysis/hl-alignment.h"

#include "analysis/hl-monotonicity.h"
#include "base/hl-error.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void
hl_alignment_free (HlAlignment *alignment)
{
  if (alignment == NULL)
    return;
  g_array_unref (alignment->tokens);
  g_array_unref (alignment->heads);
  g_free (alignment);
}

/* ---- warping -------------------------------------------------------------------------
 */

enum
{
  STEP_BOTH,
  STEP_ROW,
  STEP_KEY,
};

/* From the end back to the beginning. */
static int *
trace_back (const guint8 *steps, int n, int m)
{
  int *first = g_new0 (int, (gsize) n);
  for (int i = n - 1, j = m - 1; i >= 0 && j >= 0;)
    {
      first[i] = j;
      guint8 step = steps[(gsize) i * (gsize) m + (gsize) j];
      i -= step != STEP_KEY;
      j -= step != STEP_ROW;
    }
  return first;
}

int *
hl_alignment_warp (const double *cost, int n, int m)
{
  g_autofree double *above = g_new (double, (gsize) m + 1);
  g_autofree double *here = g_new (double, (gsize) m + 1);
  g_autofree guint8 *steps = g_new0 (guint8, (gsize) n * (gsize) m);
  for (int j = 0; j <= m; j++)
    above[j] = j == 0 ? 0 : INFINITY;
  for (int i = 0; i < n; i++)
    {
      here[0] = INFINITY;
      for (int j = 0; j < m; j++)
        {
          double both = above[j], row = above[j + 1], key = here[j];
          guint8 step = both < row && both < key  ? STEP_BOTH
                        : row < both && row < key ? STEP_ROW
                                                  : STEP_KEY;
          steps[(gsize) i * (gsize) m + (gsize) j] = step;
          here[j + 1] =
              cost[(gsize) i * (gsize) m + (gsize) j] + (step == STEP_BOTH  ? both
                                                         : step == STEP_ROW ? row
                                                                            : key);
        }
      memcpy (above, here, sizeof (double) * ((gsize) m + 1));
    }
  return trace_back (steps, n, m);
}

/* ---- rows ----------------------------------------------------------------------------
 */

typedef struct
{
  const HlAttentionSource *source;
  HlBackend *backend;
  const HlTokenTable *tokens, *key_tokens;
  int stack;
  GArray *emitted; /* int: tokens */
  GArray *keys;    /* int: that count */
} Work;

static gboolean
is_left_out (const HlToken *token)
{
  return token->role == HL_ROLE_SPECIAL || token->role == HL_ROLE_PADDING;
}

static void
list_tokens (Work *w)
{
  w->emitted = g_array_new (FALSE, FALSE, sizeof (int));
  w->keys = g_array_new (FALSE, FALSE, sizeof (int));
  for (int i = 1; i < w->tokens->n_tokens; i++)
    if (!is_left_out (&w->tokens->tokens[i]))
      g_array_append_val (w->emitted, i);
  for (int j = 0; j < w->key_tokens->n_tokens; j++)
    if (!is_left_out (&w->key_tokens->tokens[j]))
      g_array_append_val (w->keys, j);
}

/* (transfer full): (n, m): what the rows that emit the tokens attend to. */
static double *
read_rows (const Work *w, HlHeadKey head, const HlProgress *progress, GError **error)
{
  gsize n = w->emitted->len, m = w->keys->len;
  g_autofree float *row = g_new (float, (gsize) w->key_tokens->n_tokens + 1);
  g_autofree double *rows = g_new (double, n *m + 1);
  for (gsize i = 0; i < n; i++)
    {
      gint64 query = g_array_index (w->emitted, int, i) - 1;
      if (!hl_attention_source_read_row (w->source, w->backend, head, query, row,
                                         progress != NULL ? progress->cancellable : NULL,
                                         error))
        return NULL;
      for (gsize j = 0; j < m; j++)
        rows[i * m + j] = (double) row[g_array_index (w->keys, int, j)];
    }
  return g_steal_pointer (&rows);
}

/* Each key's weights over the tokens less their mean, by their deviation. */
static void
z_score_columns (double *x, gsize n, gsize m)
{
  for (gsize j = 0; j < m; j++)
    {
      double mean = 0, squares = 0;
      for (gsize i = 0; i < n; i++)
        mean += x[i * m + j] / (double) n;
      for (gsize i = 0; i < n; i++)
        squares += (x[i * m + j] - mean) * (x[i * m + j] - mean);
      double deviation = sqrt (squares / (double) n);
      for (gsize i = 0; i < n; i++)
        x[i * m + j] = deviation > 0 ? (x[i * m + j] - mean) / deviation : 0;
    }
}

static int
by_size (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

/* Of one row; mirrored at the ends, which are not repeated. */
static void
smooth_row (const double *from, double *to, int m)
{
  const int reach = HL_ALIGNMENT_MEDIAN / 2;
  double window[HL_ALIGNMENT_MEDIAN];
  for (int j = 0; j < m; j++)
    {
      for (int k = -reach; k <= reach; k++)
        {
          int at = abs (j + k);
          at = at >= m ? 2 * (m - 1) - at : at;
          window[k + reach] = from[CLAMP (at, 0, m - 1)];
        }
      qsort (window, HL_ALIGNMENT_MEDIAN, sizeof (double), by_size);
      to[j] = window[reach];
    }
}

/* Frames are smoothed, as long as there are more than the median looks at; the letters or
 * pieces of a text are not: one alone may be what a row is of. */
static void
add_head (double *sum, double *rows, gsize n, gsize m, gboolean are_frames)
{
  g_autofree double *smooth = g_new (double, m + 1);
  gboolean smooths = are_frames && m > HL_ALIGNMENT_MEDIAN / 2;
  z_score_columns (rows, n, m);
  for (gsize i = 0; i < n; i++)
    {
      const double *row = rows + i * m;
      if (smooths)
        smooth_row (row, smooth, (int) m);
      for (gsize j = 0; j < m; j++)
        sum[i * m + j] += smooths ? smooth[j] : row[j];
    }
}

/* ---- heads ---------------------------------------------------------------------------
 */

static gboolean
has_head (const HlStack *stack, json_int_t layer, json_int_t head)
{
  return layer >= 0 && layer < stack->n_layers && head >= 0 &&
         head < stack->layers[layer].n_heads;
}

GArray *
hl_alignment_list_named (const HlModel *model, int number)
{
  const HlStack *stack = hl_model_info_get_stack (hl_model_get_info (model), number);
  GArray *heads = g_array_new (FALSE, FALSE, sizeof (HlHeadKey));
  const json_t *named =
      json_object_get (hl_model_get_rules (model)->json, "alignment_heads");
  for (gsize i = 0; i < json_array_size (named) && i < 1024; i++)
    {
      const json_t *pair = json_array_get (named, i);
      json_int_t layer = json_integer_value (json_array_get (pair, 0));
      json_int_t head = json_integer_value (json_array_get (pair, 1));
      if (!json_is_array (pair) || !has_head (stack, layer, head))
        continue;
      HlHeadKey key = { number, (int) layer, (int) head };
      g_array_append_val (heads, key);
    }
  return heads;
}

static void
list_all (const HlStack *stack, int number, GArray *heads)
{
  for (int l = 0; l < stack->n_layers; l++)
    for (int h = 0; h < stack->layers[l].n_heads; h++)
      {
        HlHeadKey key = { number, l, h };
        g_array_append_val (heads, key);
      }
}

typedef struct
{
  HlHeadKey key;
  double score;
} Ranked;

static int
by_score (gconstpointer a, gconstpointer b)
{
  double x = ((const Ranked *) a)->score, y = ((const Ranked *) b)->score;
  return (x < y) - (x > y);
}

/* Keeps the heads that go on most steadily. */
static gboolean
keep_steady (const Work *w, GArray *heads, const HlProgress *progress, GError **error)
{
  g_autoptr (GArray) ranked = g_array_new (FALSE, FALSE, sizeof (Ranked));
  for (guint i = 0; i < heads->len; i++)
    {
      Ranked one = { g_array_index (heads, HlHeadKey, i), 0 };
      g_autofree double *rows = read_rows (w, one.key, progress, error);
      if (rows == NULL)
        return FALSE;
      one.score = hl_monotonicity (rows, w->emitted->len, w->keys->len);
      g_array_append_val (ranked, one);
    }
  g_array_sort (ranked, by_score);
  g_array_set_size (heads, 0);
  for (guint i = 0; i < MIN (ranked->len, HL_ALIGNMENT_CHOSEN); i++)
    g_array_append_val (heads, g_array_index (ranked, Ranked, i).key);
  return TRUE;
}

static gboolean
choose_heads (const Work *w,
              const HlModel *model,
              HlAlignmentHeads which,
              HlAlignment *alignment,
              const HlProgress *progress,
              GError **error)
{
  const HlStack *stack = hl_model_info_get_stack (hl_model_get_info (model), w->stack);
  if (which == HL_ALIGNMENT_NAMED)
    {
      g_array_unref (alignment->heads);
      alignment->heads = hl_alignment_list_named (model, w->stack);
    }
  alignment->is_named = alignment->heads->len > 0;
  if (alignment->is_named)
    return TRUE;
  list_all (stack, w->stack, alignment->heads);
  return which == HL_ALIGNMENT_ALL || keep_steady (w, alignment->heads, progress, error);
}

/* ---- all -----------------------------------------------------------------------------
 */

/* Where key @j begins: seconds, or its place. */
static double
begin_of (const Work *w, guint j)
{
  int key = g_array_index (w->keys, int, j);
  const HlToken *token = &w->key_tokens->tokens[key];
  return token->text != NULL && token->bytes == NULL && token->start >= 0 ? token->start
                                                                          : key;
}

static double
end_of (const Work *w)
{
  int key = g_array_index (w->keys, int, w->keys->len - 1);
  const HlToken *token = &w->key_tokens->tokens[key];
  return token->text != NULL && token->bytes == NULL && token->end >= 0 ? token->end
                                                                        : key + 1;
}

static void
take_times (const Work *w, const int *first, HlAlignment *alignment)
{
  guint n = w->emitted->len;
  for (guint i = 0; i < n; i++)
    {
      HlAlignedToken token = { g_array_index (w->emitted, int, i),
                               begin_of (w, (guint) first[i]),
                               i + 1 < n ? begin_of (w, (guint) first[i + 1])
                                         : end_of (w) };
      g_array_append_val (alignment->tokens, token);
    }
}

static gboolean
warp_heads (const Work *w,
            HlAlignment *alignment,
            const HlProgress *progress,
            GError **error)
{
  gsize n = w->emitted->len, m = w->keys->len;
  g_autofree double *sum = g_new0 (double, n *m + 1);
  const HlTrace *trace = hl_attention_source_get_trace (w->source);
  gboolean are_frames = g_str_equal (trace->input_kind, "audio");
  for (guint i = 0; i < alignment->heads->len; i++)
    {
      HlHeadKey head = g_array_index (alignment->heads, HlHeadKey, i);
      g_autofree double *rows = read_rows (w, head, progress, error);
      if (rows == NULL ||
          !hl_progress_step (progress, (double) i / alignment->heads->len, NULL, error))
        return FALSE;
      add_head (sum, rows, n, m, are_frames);
    }
  for (gsize i = 0; i < n * m; i++)
    sum[i] = -sum[i]; /* the mean would be warped alike */
  g_autofree int *first = hl_alignment_warp (sum, (int) n, (int) m);
  take_times (w, first, alignment);
  return TRUE;
}

static void
work_clear (Work *w)
{
  g_clear_pointer (&w->emitted, g_array_unref);
  g_clear_pointer (&w->keys, g_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Work, work_clear)

HlAlignment *
hl_alignment_make (const HlModel *model,
                   const HlAttentionSource *source,
                   HlBackend *backend,
                   HlAlignmentHeads heads,
                   const HlProgress *progress,
                   GError **error)
{
  const HlModelInfo *info = hl_model_get_info (model);
  const HlTrace *trace = hl_attention_source_get_trace (source);
  g_auto (Work) w = { source, backend };
  if (info->readout_stack == 0)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                   "alignment: an encoder with a decoder expected, %s found", info->name);
      return NULL;
    }
  w.stack = info->readout_stack + 1;
  w.tokens = hl_trace_get_tokens (trace, w.stack);
  w.key_tokens = hl_trace_get_key_tokens (trace, w.stack);
  list_tokens (&w);
  if (w.emitted->len == 0 || w.keys->len == 0)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_MISSING,
                   "alignment: the decoder has said nothing");
      return NULL;
    }
  g_autoptr (HlAlignment) alignment = g_new0 (HlAlignment, 1);
  alignment->tokens = g_array_new (FALSE, FALSE, sizeof (HlAlignedToken));
  alignment->heads = g_array_new (FALSE, FALSE, sizeof (HlHeadKey));
  if (!choose_heads (&w, model, heads, alignment, progress, error) ||
      !warp_heads (&w, alignment, progress, error))
    return NULL;
  return g_steal_pointer (&alignment);
}
