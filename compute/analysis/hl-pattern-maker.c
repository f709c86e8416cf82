/* SPDX-License-Identifier: MIT
 * One map, read row by row, as a picture and its traits. */
#include "analysis/hl-pattern-private.h"

#include <math.h>

/* Of a picture: a patch lies in up to two cells of each axis. */
#define MAX_CELLS 4

/* A text's rows that are near: 1 to 4 tokens before. */
#define NEAR 4

typedef struct
{
  int n;
  int cell[MAX_CELLS];
  double weight[MAX_CELLS]; /* of the patch in the mean of the cell */
} Cells;

struct _HlPatternMaker
{
  HlPatternKind kind;
  int height, width;
  const HlTokenTable *tokens;
  gboolean is_causal;
  Cells *cells;   /* (T): of a picture */
  int n_cells;    /* of a picture's grid */
  double *pooled; /* (n_cells): a row's keys */
  double *sum;    /* (height * width + 1) */
  double *count;  /* of a text: pairs behind each number */
  double traits[HL_N_TRAITS];
  int n_rows;       /* behind the traits */
  int n_entropies;  /* rows that see more than one key */
  double *received; /* (T) */
};

/* ---- cells of a grid -----------------------------------------------------------------
 */

/* The share of patch @i in the means of cells of an axis of @n patches and @m cells. */
static int
share_axis (int i, int n, int m, int *cell, double *weight)
{
  double size = (double) n / m;
  int found = 0;
  for (int c = (int) (i / size); c < m && c * size < i + 1 - 1e-9 && found < 2; c++)
    {
      double inside = MIN (i + 1, (c + 1) * size) - MAX (i, c * size);
      if (inside <= 1e-9)
        continue;
      cell[found] = c;
      weight[found++] = inside / size;
    }
  return found;
}

static void
share_patch (
    Cells *cells, const HlToken *t, const HlTokenTable *tokens, int rows, int columns)
{
  int r[2], c[2];
  double wr[2], wc[2];
  if (t->row < 0 || t->column < 0)
    return;
  int nr = share_axis (t->row, tokens->n_rows, rows, r, wr);
  int nc = share_axis (t->column, tokens->n_columns, columns, c, wc);
  for (int a = 0; a < nr; a++)
    for (int b = 0; b < nc; b++)
      {
        cells->cell[cells->n] = r[a] * columns + c[b];
        cells->weight[cells->n++] = wr[a] * wc[b];
      }
}

HlPatternMaker *
hl_pattern_maker_new (HlPatternKind kind,
                      int height,
                      int width,
                      int side,
                      const HlTokenTable *tokens,
                      gboolean is_causal)
{
  HlPatternMaker *m = g_new0 (HlPatternMaker, 1);
  gsize size = (gsize) height * (gsize) width + 1, T = (gsize) tokens->n_tokens;
  *m = (HlPatternMaker){ kind, height, width, tokens, is_causal };
  m->sum = g_new0 (double, size);
  m->count = g_new0 (double, size);
  m->received = g_new0 (double, T + 1);
  if (kind == HL_PATTERN_TEXT)
    return m;
  int rows = MIN (tokens->n_rows, side), columns = MIN (tokens->n_columns, side);
  m->n_cells = rows * columns;
  m->pooled = g_new0 (double, (gsize) m->n_cells + 1);
  m->cells = g_new0 (Cells, T + 1);
  for (gsize i = 0; i < T; i++)
    share_patch (&m->cells[i], &tokens->tokens[i], tokens, rows, columns);
  return m;
}

gint64
hl_pattern_maker_rows (const HlPatternMaker *m, gint64 T)
{
  return m->kind == HL_PATTERN_CLS ? MIN (T, 1) : T;
}

/* ---- pictures ------------------------------------------------------------------------
 */

static void
pool_keys (HlPatternMaker *m, const float *row)
{
  for (int c = 0; c < m->n_cells; c++)
    m->pooled[c] = 0;
  for (int j = 0; j < m->tokens->n_tokens; j++)
    for (int k = 0; k < m->cells[j].n; k++)
      m->pooled[m->cells[j].cell[k]] += (double) row[j] * m->cells[j].weight[k];
}

static void
add_picture_row (HlPatternMaker *m, const float *row, gint64 query)
{
  const Cells *at = &m->cells[query];
  pool_keys (m, row);
  if (m->kind == HL_PATTERN_CLS)
    {
      for (int c = 0; c < m->n_cells; c++)
        m->sum[c] = m->pooled[c];
      m->sum[m->n_cells] = (double) row[0];
      return;
    }
  for (int k = 0; k < at->n; k++)
    for (int c = 0; c < m->n_cells; c++)
      m->sum[at->cell[k] * m->n_cells + c] += at->weight[k] * m->pooled[c];
}

/* ---- texts ---------------------------------------------------------------------------
 */

/* The first query, or key, of bin @r, and the first after it; a short text's bins share
 * tokens. */
static void
bin_of (gint64 r, gint64 T, gint64 *begin, gint64 *end)
{
  *begin = r * T / HL_PATTERN_TEXT_ROWS;
  *end = MAX (*begin + 1, (r + 1) * T / HL_PATTERN_TEXT_ROWS);
}

static void
add_cell (HlPatternMaker *m, gint64 at, double sum, double count)
{
  m->sum[at] += sum;
  m->count[at] += count;
}

static void
add_text_bin (HlPatternMaker *m, const float *row, gint64 query, gint64 r, gint64 n)
{
  gint64 T = m->tokens->n_tokens, at = r * m->width, begin, end;
  gint64 ahead = m->is_causal ? 0 : HL_PATTERN_TEXT_BAND / 2;
  for (gint64 d = 0; d < HL_PATTERN_TEXT_BAND; d++)
    {
      gint64 key = query + ahead - d;
      if (key >= 0 && key < n)
        add_cell (m, at + d, (double) row[key], 1);
    }
  at += HL_PATTERN_TEXT_BAND;
  for (gint64 c = 0; c < HL_PATTERN_TEXT_ROWS; c++)
    {
      bin_of (c, T, &begin, &end);
      double sum = 0;
      for (gint64 j = begin; j < MIN (end, n); j++)
        sum += (double) row[j];
      add_cell (m, at + c, sum, (double) MAX (MIN (end, n) - begin, 0));
    }
  add_cell (m, at + HL_PATTERN_TEXT_ROWS, (double) row[0], 1);
}

static void
add_text_row (HlPatternMaker *m, const float *row, gint64 query, gint64 n)
{
  for (gint64 r = 0; r < HL_PATTERN_TEXT_ROWS; r++)
    {
      gint64 begin, end;
      bin_of (r, m->tokens->n_tokens, &begin, &end);
      if (query >= begin && query < end)
        add_text_bin (m, row, query, r, n);
    }
}

/* ---- traits --------------------------------------------------------------------------
 */

/* Shares of a row of a picture's patches, by where the key lies. */
static void
add_grid_traits (HlPatternMaker *m, const float *row, gint64 query)
{
  const HlToken *q = &m->tokens->tokens[query];
  for (int j = 0; j < m->tokens->n_tokens; j++)
    {
      const HlToken *k = &m->tokens->tokens[j];
      double a = (double) row[j];
      int dr = ABS (k->row - q->row), dc = ABS (k->column - q->column);
      if (k->row < 0)
        continue;
      if (MAX (dr, dc) == 1)
        m->traits[HL_TRAIT_NEIGHBOURS] += a;
      if (dr == 0)
        m->traits[HL_TRAIT_ROW] += a;
      if (dc == 0)
        m->traits[HL_TRAIT_COLUMN] += a;
    }
}

static void
add_text_traits (HlPatternMaker *m, const float *row, gint64 query)
{
  for (gint64 j = MAX (query - NEAR, 0); j < query; j++)
    m->traits[HL_TRAIT_NEIGHBOURS] += (double) row[j];
  if (query > 0)
    m->traits[HL_TRAIT_PREVIOUS] += (double) row[query - 1];
}

static void
add_traits (HlPatternMaker *m, const float *row, gint64 query, gint64 n)
{
  double entropy = 0;
  for (gint64 j = 0; j < n; j++)
    {
      double a = (double) row[j];
      m->received[j] += a;
      entropy -= a > 0 ? a * log (a) : 0;
    }
  if (n > 1)
    m->traits[HL_TRAIT_ROW_ENTROPY] += entropy / log ((double) n);
  m->n_entropies += n > 1;
  m->traits[HL_TRAIT_SELF] += (double) row[query];
  m->traits[HL_TRAIT_FIRST] += (double) row[0];
  if (m->kind == HL_PATTERN_PATCHES)
    add_grid_traits (m, row, query);
  else if (m->kind == HL_PATTERN_TEXT)
    add_text_traits (m, row, query);
  m->n_rows++;
}

static int
compare_down (gconstpointer a, gconstpointer b)
{
  const double *x = a, *y = b;
  return *x < *y ? 1 : *x > *y ? -1 : 0;
}

static double
sum_top_tenth (const double *received, int n)
{
  double sum = 0;
  g_autofree double *sorted = g_memdup2 (received, sizeof (double) * (gsize) n);
  qsort (sorted, (gsize) n, sizeof (double), compare_down);
  for (int i = 0; i < MAX (n / 10, 1); i++)
    sum += sorted[i];
  return sum;
}

static void
get_traits (const HlPatternMaker *m, float *traits)
{
  int T = m->tokens->n_tokens;
  double top = 0;
  for (int j = 0; j < T; j++)
    if (m->kind != HL_PATTERN_CLS || m->tokens->tokens[j].row >= 0)
      top = MAX (top, m->received[j]);
  for (int i = 0; i < HL_N_TRAITS; i++)
    traits[i] = (float) (m->traits[i] / MAX (m->n_rows, 1));
  traits[HL_TRAIT_TOP_KEY] = (float) (top / MAX (m->n_rows, 1));
  traits[HL_TRAIT_TOP_TENTH] =
      (float) (sum_top_tenth (m->received, T) / MAX (m->n_rows, 1));
  traits[HL_TRAIT_ROW_ENTROPY] =
      (float) (m->n_entropies > 0 ? m->traits[HL_TRAIT_ROW_ENTROPY] / m->n_entropies
                                  : (double) NAN);
}

/* ---- a map ---------------------------------------------------------------------------
 */

void
hl_pattern_maker_add_row (HlPatternMaker *m, const float *row, gint64 query)
{
  gint64 n = m->is_causal ? query + 1 : m->tokens->n_tokens;
  gboolean is_patch = m->tokens->tokens[query].row >= 0;
  if (m->kind == HL_PATTERN_TEXT)
    add_text_row (m, row, query, n);
  else if (m->kind == HL_PATTERN_CLS || is_patch)
    add_picture_row (m, row, query);
  if (m->kind != HL_PATTERN_PATCHES || is_patch)
    add_traits (m, row, query, n);
}

double *
hl_pattern_maker_end (HlPatternMaker *m, float *traits)
{
  double *sum = m->sum;
  for (int i = 0; i < m->height * m->width && m->kind == HL_PATTERN_TEXT; i++)
    sum[i] = m->count[i] > 0 ? sum[i] / m->count[i] : 0;
  if (traits != NULL)
    get_traits (m, traits);
  g_free (m->count);
  g_free (m->received);
  g_free (m->pooled);
  g_free (m->cells);
  g_free (m);
  return sum;
}
