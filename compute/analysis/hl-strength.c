/* SPDX-License-Identifier: MIT
 * What the maps of one input say of every head. */
#include "analysis/hl-strength.h"

#include "analysis/hl-head-stats.h"
#include "base/hl-error.h"

#include <math.h>

#define BAND_ROWS 256

/* Offsets that a positional head may have: eight neighbours, of a text two. */
#define N_OFFSETS 9

/* What is known of the tokens, for all heads. */
typedef struct
{
  const HlTokenTable *tokens;
  gboolean is_grid;
  double patch_height; /* pixels; 1 for a text */
  double patch_width;
  gboolean *is_allowed; /* as key and query of confidence and position */
  GArray **earlier;     /* (T): (nullable): earlier places of the same token */
} Tokens;

/* What is summed up over the rows of one map. */
typedef struct
{
  const Tokens *t;
  gboolean is_causal;
  double confidence;
  int n_confident;
  int at_offset[N_OFFSETS];
  double previous, duplicate, induction;
  int n_previous, n_duplicate, n_induction;
  double distance;
  int n_distance;
} Sums;

/* ---- tokens --------------------------------------------------------------------------
 */

/* Special tokens and, of a text, the first one, which heads rest on. */
static gboolean
is_allowed (const HlTokenTable *tokens, int i)
{
  HlTokenRole role = tokens->tokens[i].role;
  return role != HL_ROLE_SPECIAL && role != HL_ROLE_PADDING &&
         (tokens->n_rows > 0 || i > 0);
}

static void
find_earlier (Tokens *t)
{
  g_autoptr (GHashTable) seen =
      g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) g_array_unref);
  t->earlier = g_new0 (GArray *, (gsize) t->tokens->n_tokens + 1);
  for (int i = 0; i < t->tokens->n_tokens; i++)
    {
      int id = t->tokens->tokens[i].id;
      if (id < 0)
        continue;
      GArray *places = g_hash_table_lookup (seen, GINT_TO_POINTER (id));
      if (places == NULL)
        {
          places = g_array_new (FALSE, FALSE, sizeof (int));
          g_hash_table_insert (seen, GINT_TO_POINTER (id), places);
        }
      /* All places share one list; those before i are its first ones. */
      t->earlier[i] = g_array_ref (places);
      g_array_append_val (places, i);
    }
}

static void
tokens_init (Tokens *t, const HlTrace *trace, const HlTokenTable *tokens)
{
  *t = (Tokens){ .tokens = tokens, .is_grid = tokens->n_rows > 0 };
  t->patch_height = t->patch_width = 1;
  if (t->is_grid && trace->pixels != NULL)
    {
      t->patch_height = (double) trace->pixels->shape.dim[0] / tokens->n_rows;
      t->patch_width = (double) trace->pixels->shape.dim[1] / tokens->n_columns;
    }
  t->is_allowed = g_new (gboolean, (gsize) tokens->n_tokens + 1);
  for (int i = 0; i < tokens->n_tokens; i++)
    t->is_allowed[i] = is_allowed (tokens, i);
  if (!t->is_grid)
    find_earlier (t);
}

static void
tokens_clear (Tokens *t)
{
  for (int i = 0; i < t->tokens->n_tokens && t->earlier != NULL; i++)
    g_clear_pointer (&t->earlier[i], g_array_unref);
  g_free (t->earlier);
  g_free (t->is_allowed);
}

/* ---- rows ----------------------------------------------------------------------------
 */

/* 0..8 of a neighbour, -1 of anything else and of the token itself. */
static int
offset_between (const Tokens *t, gint64 i, gint64 j)
{
  if (!t->is_grid)
    return ABS (i - j) == 1 ? (int) (j - i + 1) : -1;
  const HlToken *a = &t->tokens->tokens[i], *b = &t->tokens->tokens[j];
  int dr = b->row - a->row, dc = b->column - a->column;
  if (a->row < 0 || b->row < 0 || (dr == 0 && dc == 0) || ABS (dr) > 1 || ABS (dc) > 1)
    return -1;
  return (dr + 1) * 3 + dc + 1;
}

static void
add_confidence (Sums *s, const float *row, gint64 query, gint64 n)
{
  gint64 at = -1;
  if (!s->t->is_allowed[query])
    return;
  for (gint64 j = 0; j < n; j++)
    if (s->t->is_allowed[j] && (at < 0 || row[j] > row[at]))
      at = j;
  if (at < 0)
    return;
  s->confidence += (double) row[at];
  s->n_confident++;
  int offset = offset_between (s->t, query, at);
  if (offset >= 0)
    s->at_offset[offset]++;
}

static void
add_text (Sums *s, const float *row, gint64 query)
{
  const GArray *places = s->t->earlier[query];
  double duplicate = 0, induction = 0;
  int n = 0;
  if (query > 0)
    {
      s->previous += (double) row[query - 1];
      s->n_previous++;
    }
  for (guint k = 0; places != NULL && k < places->len; k++)
    {
      int j = g_array_index (places, int, k);
      if (j >= query)
        break;
      duplicate += (double) row[j];
      induction += (double) row[j + 1];
      n++;
    }
  if (n == 0)
    return;
  s->duplicate += duplicate;
  s->induction += induction;
  s->n_duplicate++;
  s->n_induction++;
}

static void
add_distance (Sums *s, const float *row, gint64 query, gint64 n)
{
  const HlToken *tokens = s->t->tokens->tokens;
  double mass = 0, sum = 0;
  for (gint64 j = 0; j < n; j++)
    {
      if (tokens[j].row < 0)
        continue;
      mass += (double) row[j];
      sum += (double) row[j] *
             hypot ((tokens[query].row - tokens[j].row) * s->t->patch_height,
                    (tokens[query].column - tokens[j].column) * s->t->patch_width);
    }
  if (tokens[query].row < 0 || !(mass > 0))
    return;
  s->distance += sum / mass;
  s->n_distance++;
}

static void
add_row (Sums *s, const float *row, gint64 query)
{
  gint64 n = s->is_causal ? query + 1 : s->t->tokens->n_tokens;
  add_confidence (s, row, query, n);
  if (s->t->is_grid)
    add_distance (s, row, query, n);
  else
    add_text (s, row, query);
}

/* ---- heads ---------------------------------------------------------------------------
 */

typedef void (*RowFunc) (const float *row, gint64 query, gpointer data);

static gboolean
read_rows (const HlAttentionSource *source,
           HlBackend *backend,
           HlHeadKey head,
           gint64 T,
           RowFunc func,
           gpointer data,
           const HlProgress *progress,
           GError **error)
{
  GCancellable *cancellable = progress != NULL ? progress->cancellable : NULL;
  g_autofree float *band = g_new (float, (gsize) (MIN (BAND_ROWS, T) * T) + 1);
  for (gint64 first = 0; first < T; first += BAND_ROWS)
    {
      gint64 n = MIN (BAND_ROWS, T - first);
      if (!hl_progress_pause (progress) ||
          !hl_attention_source_read_rect (source, backend, head, first, n, 0, T, band,
                                          cancellable, error))
        {
          g_cancellable_set_error_if_cancelled (
              cancellable, error != NULL && *error == NULL ? error : NULL);
          return FALSE;
        }
      for (gint64 i = 0; i < n; i++)
        func (band + i * T, first + i, data);
    }
  return TRUE;
}

typedef struct
{
  HlHeadStatsMaker *stats;
  HlHopMaker *hops;
  Sums sums;
} Makers;

static void
makers_add_row (const float *row, gint64 query, gpointer data)
{
  Makers *m = data;
  hl_head_stats_add_row (m->stats, row, query);
  hl_hop_maker_add_row (m->hops, row, query);
  add_row (&m->sums, row, query);
}

static double
mean_of (double sum, int n)
{
  return n > 0 ? sum / n : NAN;
}

static void
take_sums (HlHeadScores *scores,
           const Sums *s,
           const HlHeadStats *stats,
           double hop_entropy,
           int l,
           int h)
{
  int most = 0;
  for (int i = 0; i < N_OFFSETS; i++)
    most = MAX (most, s->at_offset[i]);
  hl_head_scores_set (scores, HL_SCORE_CONFIDENCE, l, h,
                      mean_of (s->confidence, s->n_confident));
  hl_head_scores_set (scores, HL_SCORE_POSITIONAL, l, h, mean_of (most, s->n_confident));
  hl_head_scores_set (scores, HL_SCORE_HOP_ENTROPY, l, h, hop_entropy);
  hl_head_scores_set (scores, HL_SCORE_ROW_ENTROPY, l, h, stats->row_entropy);
  hl_head_scores_set (scores, HL_SCORE_MEAN_DISTANCE, l, h,
                      s->t->is_grid ? mean_of (s->distance, s->n_distance)
                                    : stats->mean_distance);
  hl_head_scores_set (scores, HL_SCORE_SINK_SHARE, l, h, stats->sink_share);
  if (s->t->is_grid)
    return;
  hl_head_scores_set (scores, HL_SCORE_TEXT_PREVIOUS, l, h,
                      mean_of (s->previous, s->n_previous));
  hl_head_scores_set (scores, HL_SCORE_TEXT_DUPLICATE, l, h,
                      mean_of (s->duplicate, s->n_duplicate));
  hl_head_scores_set (scores, HL_SCORE_TEXT_INDUCTION, l, h,
                      mean_of (s->induction, s->n_induction));
}

/* Longer texts have more bins than those before: the profiles grow, empty there so far.
 */
static void
grow_hops (HlHeadScores *scores, const HlHopProfile *p)
{
  if (p->n_hops <= scores->n_hops)
    return;
  gsize n = (gsize) p->n_hops, old = (gsize) scores->n_hops, H = (gsize) scores->n_heads;
  double *hops = g_new0 (double, n *H + 1), *mass = g_new0 (double, n *H + 1);
  double *uniform = g_new0 (double, n + 1);
  for (gsize h = 0; h < H; h++)
    for (gsize i = 0; i < old; i++)
      {
        hops[h * n + i] = scores->hops[h * old + i];
        mass[h * n + i] = scores->hop_mass[h * old + i];
      }
  for (gsize i = 0; i < old; i++)
    uniform[i] = scores->hop_uniform[i];
  g_free (scores->hops);
  g_free (scores->hop_mass);
  g_free (scores->hop_uniform);
  g_free (scores->hop_edges);
  scores->hops = hops;
  scores->hop_mass = mass;
  scores->hop_uniform = uniform;
  scores->hop_edges = g_memdup2 (p->edges, (n + 1) * sizeof (int));
  scores->n_hops = p->n_hops;
}

static void
add_profile (HlHeadScores *scores, const HlHopProfile *p, int at, gboolean is_first)
{
  grow_hops (scores, p);
  scores->n_hop_inputs += is_first;
  for (int i = 0; i < p->n_hops; i++)
    {
      if (isnan (p->strength[i]))
        continue;
      scores->hops[at * scores->n_hops + i] += p->strength[i];
      scores->hop_mass[at * scores->n_hops + i] += isnan (p->mass[i]) ? 0 : p->mass[i];
      if (is_first)
        scores->hop_uniform[i] += p->uniform[i];
    }
}

static gboolean
score_head (HlHeadScores *scores,
            GPtrArray *profiles,
            const HlAttentionSource *source,
            HlBackend *backend,
            const Tokens *tokens,
            HlHeadKey head,
            const HlLayerInfo *layer,
            const HlProgress *progress,
            GError **error)
{
  HlHeadStats stats;
  Makers m = { .hops = hl_hop_maker_new_for (tokens->tokens, layer),
               .sums = { .t = tokens, .is_causal = layer->is_causal } };
  m.stats = hl_head_stats_begin (source, head, error);
  gboolean ok =
      m.stats != NULL && read_rows (source, backend, head, tokens->tokens->n_tokens,
                                    makers_add_row, &m, progress, error);
  hl_head_stats_end (m.stats, ok ? &stats : NULL);
  HlHopProfile *profile = hl_hop_maker_end (m.hops);
  g_ptr_array_index (profiles, scores->first[head.layer] + head.head) = profile;
  if (ok)
    take_sums (scores, &m.sums, &stats, profile->entropy, head.layer, head.head);
  return ok;
}

static const HlTokenTable *
square_tokens (const HlAttentionSource *source, HlHeadKey head)
{
  gint64 Tq, Tk;
  const HlTokenTable *tokens =
      hl_trace_get_tokens (hl_attention_source_get_trace (source), head.stack);
  gboolean has_map = hl_attention_source_get_size (source, head, &Tq, &Tk);
  return has_map && tokens != NULL && Tq == Tk && tokens->n_tokens == Tq ? tokens : NULL;
}

gboolean
hl_strength_score (HlHeadScores *scores,
                   const HlAttentionSource *source,
                   HlBackend *backend,
                   const HlProgress *progress,
                   GError **error)
{
  const HlTrace *trace = hl_attention_source_get_trace (source);
  const HlStack *stack = hl_model_info_get_stack (trace->model, 0);
  const HlTokenTable *tokens = hl_trace_get_tokens (trace, 0);
  if (tokens == NULL)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_MISSING, "%s: tokens expected, none found",
                   trace->input_name);
      return FALSE;
    }
  Tokens t;
  tokens_init (&t, trace, tokens);
  gboolean ok = TRUE;
  g_autoptr (GPtrArray) profiles =
      g_ptr_array_new_with_free_func ((GDestroyNotify) hl_hop_profile_free);
  g_ptr_array_set_size (profiles, scores->n_heads);
  for (int i = 0; i < scores->n_heads && ok; i++)
    {
      HlHeadKey head = { 0, 0, i };
      while (i >= scores->first[head.layer + 1])
        head.layer++;
      head.head = i - scores->first[head.layer];
      ok = hl_progress_step (progress, (double) i / scores->n_heads, NULL, error);
      if (ok && square_tokens (source, head) != NULL)
        ok = score_head (scores, profiles, source, backend, &t, head,
                         &stack->layers[head.layer], progress, error);
    }
  gboolean is_first = TRUE;
  for (int i = 0; i < scores->n_heads && ok; i++)
    if (g_ptr_array_index (profiles, i) != NULL)
      {
        add_profile (scores, g_ptr_array_index (profiles, i), i, is_first);
        is_first = FALSE;
      }
  tokens_clear (&t);
  return ok;
}

static void
hops_add_row (const float *row, gint64 query, gpointer data)
{
  hl_hop_maker_add_row (data, row, query);
}

HlHopProfile *
hl_strength_profile (const HlAttentionSource *source,
                     HlBackend *backend,
                     HlHeadKey head,
                     const HlProgress *progress,
                     GError **error)
{
  const HlTrace *trace = hl_attention_source_get_trace (source);
  const HlTokenTable *tokens = square_tokens (source, head);
  const HlStack *stack = hl_model_info_get_stack (trace->model, head.stack);
  if (tokens == NULL)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_MISSING,
                   "head %d.%d: a square map over the input's tokens expected",
                   head.layer, head.head);
      return NULL;
    }
  HlHopMaker *maker = hl_hop_maker_new_for (tokens, &stack->layers[head.layer]);
  gboolean ok = read_rows (source, backend, head, tokens->n_tokens, hops_add_row, maker,
                           progress, error);
  g_autoptr (HlHopProfile) profile = hl_hop_maker_end (maker);
  return ok ? g_steal_pointer (&profile) : NULL;
}
