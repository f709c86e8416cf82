/* SPDX-License-Identifier: MIT
 * One head's map made small. Keys that are kept lie in few long runs (special tokens are
 * rare), so that a row is pooled by maxima over stretches of memory. */
#include "presenters/hl-head-picture.h"

#include "analysis/hl-row-sums.h"
#include "scene/hl-scene.h"

#include <math.h>
#include <stdlib.h>

#define MAX_SAMPLES (1 << 20)

/* Keys @start up to @end, all in the column @cell. */
typedef struct
{
  gint64 start, end;
  int cell;
} Stretch;

struct _HlHeadPictureMaker
{
  int *row_cell; /* (Tq): -1 for a query that is left out */
  GArray *stretches;
  gint64 Tq, Tk;
  int pool, row_pool, n_rows, n_columns;
  HlHeadPicture *picture;
  float *samples;
  gint64 n_samples, n_room;
  gint64 every; /* one sample out of so many entries */
  gint64 next;  /* entries until the next one */
};

gboolean
hl_token_is_left_out (const HlTokenTable *tokens, gint64 index)
{
  if (tokens == NULL || index < 0 || index >= tokens->n_tokens)
    return FALSE;
  HlTokenRole role = tokens->tokens[index].role;
  return role == HL_ROLE_SPECIAL || role == HL_ROLE_PADDING;
}

static gint64
count_kept (const HlTokenTable *tokens, gint64 n, gboolean leave_out)
{
  gint64 kept = 0;
  for (gint64 i = 0; i < n; i++)
    kept += !leave_out || !hl_token_is_left_out (tokens, i);
  return kept;
}

static void
find_rows (HlHeadPictureMaker *m, const HlTokenTable *tokens, gboolean leave_out)
{
  gint64 kept = 0;
  m->row_cell = g_new (int, (gsize) MAX (m->Tq, 1));
  for (gint64 i = 0; i < m->Tq; i++)
    m->row_cell[i] =
        leave_out && hl_token_is_left_out (tokens, i) ? -1 : (int) (kept++ / m->row_pool);
}

static void
find_stretches (HlHeadPictureMaker *m, const HlTokenTable *tokens, gboolean leave_out)
{
  gint64 kept = 0;
  m->stretches = g_array_new (FALSE, FALSE, sizeof (Stretch));
  for (gint64 j = 0; j < m->Tk; j++)
    {
      if (leave_out && hl_token_is_left_out (tokens, j))
        continue;
      int cell = (int) (kept++ / m->pool);
      guint n = m->stretches->len;
      Stretch *last = n > 0 ? &g_array_index (m->stretches, Stretch, n - 1) : NULL;
      if (last != NULL && last->cell == cell && last->end == j)
        last->end++;
      else
        {
          Stretch next = { j, j + 1, cell };
          g_array_append_val (m->stretches, next);
        }
    }
}

static int
pool_of (gint64 n, gint64 side)
{
  return (int) MAX (1, (n + side - 1) / side);
}

HlHeadPictureMaker *
hl_head_picture_maker_new (const HlTokenTable *tokens,
                           const HlTokenTable *key_tokens,
                           gint64 Tq,
                           gint64 Tk,
                           gboolean leave_out_special)
{
  HlHeadPictureMaker *m = g_new0 (HlHeadPictureMaker, 1);
  gint64 rows = count_kept (tokens, Tq, leave_out_special);
  gint64 columns = count_kept (key_tokens, Tk, leave_out_special);
  gint64 side = HL_THUMB_SIDE_MAX;
  m->Tq = Tq;
  m->Tk = Tk;
  /* One pool for both sides, so that a diagonal stays a diagonal; each side's own where
   * they are of different tokens. */
  m->pool = pool_of (MAX (rows, columns), side);
  m->row_pool = m->pool;
  if (tokens != key_tokens)
    {
      m->pool = pool_of (columns, side);
      m->row_pool = pool_of (rows, side);
    }
  m->n_rows = (int) ((rows + m->row_pool - 1) / m->row_pool);
  m->n_columns = (int) ((columns + m->pool - 1) / m->pool);
  find_rows (m, tokens, leave_out_special);
  find_stretches (m, key_tokens, leave_out_special);
  m->every = MAX (1, Tq * Tk / MAX_SAMPLES);
  m->n_room = MIN (Tq * Tk / m->every + 1, MAX_SAMPLES * 2) + 1;
  m->samples = g_new (float, m->n_room);
  return m;
}

void
hl_head_picture_maker_free (HlHeadPictureMaker *m)
{
  if (m == NULL)
    return;
  g_free (m->row_cell);
  g_array_unref (m->stretches);
  g_free (m->samples);
  g_free (m);
}

void
hl_head_picture_maker_begin (HlHeadPictureMaker *m, HlHeadPicture *picture)
{
  gsize n = (gsize) m->n_rows * (gsize) m->n_columns;
  *picture = (HlHeadPicture){ .n_rows = m->n_rows,
                              .n_columns = m->n_columns,
                              .pool = m->pool,
                              .row_pool = m->row_pool,
                              .values = g_new (float, MAX (n, 1)) };
  for (gsize i = 0; i < n; i++)
    picture->values[i] = NAN;
  m->picture = picture;
  m->n_samples = m->next = 0;
}

static void
take_samples (HlHeadPictureMaker *m, const float *row, gint64 n)
{
  for (; m->next < n && m->n_samples < m->n_room; m->next += m->every)
    m->samples[m->n_samples++] = row[m->next];
  m->next -= n;
}

void
hl_head_picture_maker_add_row (HlHeadPictureMaker *m,
                               const float *row,
                               gint64 query,
                               HlKeySpan seen)
{
  int r = m->row_cell[query];
  if (r < 0)
    return;
  float *cells = m->picture->values + (gsize) r * (gsize) m->n_columns;
  for (guint i = 0; i < m->stretches->len; i++)
    {
      const Stretch *s = &g_array_index (m->stretches, Stretch, i);
      gint64 start = MAX (s->start, seen.first), n = MIN (s->end, seen.end) - start;
      if (n <= 0)
        continue;
      float max = hl_row_max (row + start, n);
      if (isnan (cells[s->cell]) || max > cells[s->cell])
        cells[s->cell] = max;
      m->picture->max = fmax (m->picture->max, (double) max);
      take_samples (m, row + start, n);
    }
}

static int
compare_floats (gconstpointer a, gconstpointer b)
{
  float x = *(const float *) a, y = *(const float *) b;
  return (x > y) - (x < y);
}

static gboolean
is_empty (const float *cells, int n)
{
  for (int c = 0; c < n; c++)
    if (!isnan (cells[c]))
      return FALSE;
  return TRUE;
}

void
hl_head_picture_maker_end (HlHeadPictureMaker *m)
{
  for (int r = 1; r < m->n_rows; r++)
    {
      float *cells = m->picture->values + (gsize) r * (gsize) m->n_columns;
      if (is_empty (cells, m->n_columns))
        for (int c = 0; c < m->n_columns; c++)
          cells[c] = cells[c - m->n_columns];
    }
  if (m->n_samples == 0)
    return;
  qsort (m->samples, (gsize) m->n_samples, sizeof (float), compare_floats);
  gint64 at = (gint64) (0.99 * (double) (m->n_samples - 1) + 0.5);
  m->picture->p99 = (double) m->samples[at];
}
