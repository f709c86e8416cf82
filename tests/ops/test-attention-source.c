/* SPDX-License-Identifier: MIT
 * Both attention sources give the maps of a plain softmax in double: rectangles, rows,
 * columns and pooled tiles, with grouped heads, causal, and after an intervention. */
#include "backend/cpu/hl-cpu.h"
#include "base/hl-error.h"
#include "synthetic.h"
#include "trace/hl-attention-source.h"

#include <math.h>
#include <string.h>

#define LIMIT 1e-6
#define SIDE HL_ATTENTION_TILE_SIDE

static const SyntheticShape shapes[] = {
  { "17", 17, 17, 4, 4, 8, FALSE, FALSE },
  { "17-causal-grouped", 17, 17, 6, 2, 5, TRUE, FALSE },
  { "17-masked", 17, 17, 4, 4, 8, FALSE, TRUE },
  { "50-of-300-causal-grouped", 50, 300, 4, 1, 16, TRUE, FALSE },
  { "300-by-17", 300, 17, 2, 2, 16, FALSE, FALSE },
  { "300-causal-masked", 300, 300, 2, 1, 16, TRUE, TRUE },
  { "700", 700, 700, 1, 1, 16, FALSE, FALSE },
  { "700-causal", 700, 700, 2, 1, 16, TRUE, FALSE },
  { "515-causal", 515, 515, 1, 1, 8, TRUE, FALSE },
};

typedef struct
{
  Synthetic made;
  HlAttentionSource *sources[2]; /* stored, recomputed */
  HlBackend *backend;
} Fixture;

static void
set_up (Fixture *f, const SyntheticShape *shape)
{
  synthetic_init (&f->made, shape);
  f->sources[0] = hl_attention_source_new (f->made.stored);
  f->sources[1] = hl_attention_source_new (f->made.recomputed);
  f->backend = hl_cpu_backend_new (HL_DTYPE_F32, 2);
}

static void
tear_down (Fixture *f)
{
  hl_attention_source_unref (f->sources[0]);
  hl_attention_source_unref (f->sources[1]);
  hl_backend_unref (f->backend);
  synthetic_clear (&f->made);
}

static double
wanted_at (const Fixture *f, int head, gint64 i, gint64 j)
{
  const SyntheticShape *s = f->made.shape;
  return f->made.maps[(head * s->Tq + i) * s->Tk + j];
}

static void
assert_entry (const Fixture *f, int head, gint64 i, gint64 j, float found)
{
  const SyntheticShape *s = f->made.shape;
  double wanted = wanted_at (f, head, i, j);
  if (!(fabs ((double) found - wanted) <= LIMIT))
    g_error ("%s: head %d (%d, %d): %.9g expected, %.9g found", s->name, head, (int) i,
             (int) j, wanted, (double) found);
  /* What is forbidden is nothing at all, not something small. */
  if (s->is_causal && !s->has_mask && j > i + s->Tk - s->Tq && found != 0)
    g_error ("%s: (%d, %d) is forbidden, %.9g found", s->name, (int) i, (int) j,
             (double) found);
}

static void
check_rect (const Fixture *f, int source, int head, const gint64 rect[4])
{
  g_autoptr (GError) error = NULL;
  gint64 i0 = rect[0], n = rect[1], j0 = rect[2], m = rect[3];
  g_autofree float *found = g_new (float, (gsize) (n * m) + 1);
  found[n * m] = 123;
  gboolean ok = hl_attention_source_read_rect (f->sources[source], f->backend,
                                               (HlHeadKey){ 0, 0, head }, i0, n, j0, m,
                                               found, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (ok);
  for (gint64 i = 0; i < n; i++)
    for (gint64 j = 0; j < m; j++)
      assert_entry (f, head, i0 + i, j0 + j, found[i * m + j]);
  g_assert_cmpfloat (found[n * m], ==, 123);
}

static void
test_rects (gconstpointer data)
{
  Fixture f;
  set_up (&f, data);
  gint64 Tq = f.made.shape->Tq, Tk = f.made.shape->Tk;
  const gint64 rects[][4] = {
    { 0, Tq, 0, Tk },
    { 0, 1, 0, 1 },
    { Tq - 1, 1, Tk - 1, 1 },
    { Tq / 3, 5, Tk / 2, 7 },
    { 3, 11, 0, Tk },
    { 0, Tq, Tk - 3, 3 },
    { Tq / 2, Tq / 2, 1, Tk / 3 },
    { 2, 0, 2, 3 },
  };
  for (int source = 0; source < 2; source++)
    for (int head = 0; head < f.made.shape->n_heads; head++)
      {
        HlHeadKey key = { 0, 0, head };
        gint64 n = 0, m = 0;
        g_assert_true (hl_attention_source_get_size (f.sources[source], key, &n, &m));
        g_assert_cmpint (n, ==, Tq);
        g_assert_cmpint (m, ==, Tk);
        g_assert_cmpint (hl_attention_source_is_stored (f.sources[source], key), ==,
                         source == 0);
        for (guint r = 0; r < G_N_ELEMENTS (rects); r++)
          check_rect (&f, source, head, rects[r]);
      }
  tear_down (&f);
}

static void
test_lines (gconstpointer data)
{
  Fixture f;
  set_up (&f, data);
  gint64 Tq = f.made.shape->Tq, Tk = f.made.shape->Tk;
  g_autofree float *line = g_new (float, (gsize) MAX (Tq, Tk));
  for (int source = 0; source < 2; source++)
    for (int head = 0; head < f.made.shape->n_heads; head++)
      {
        HlHeadKey key = { 0, 0, head };
        g_autoptr (GError) error = NULL;
        for (gint64 i = 0; i < Tq; i++)
          {
            g_assert_true (hl_attention_source_read_row (f.sources[source], f.backend,
                                                         key, i, line, NULL, &error));
            for (gint64 j = 0; j < Tk; j++)
              assert_entry (&f, head, i, j, line[j]);
          }
        for (gint64 j = 0; j < Tk; j++)
          {
            g_assert_true (hl_attention_source_read_column (f.sources[source], f.backend,
                                                            key, j, line, NULL, &error));
            for (gint64 i = 0; i < Tq; i++)
              assert_entry (&f, head, i, j, line[i]);
          }
      }
  tear_down (&f);
}

/* Mean and maximum of the entries of one cell, the plain way. */
static void
pool_plainly (const Fixture *f,
              int head,
              gint64 i0,
              gint64 j0,
              gint64 side,
              double *mean,
              double *max)
{
  gint64 i1 = MIN (i0 + side, f->made.shape->Tq), j1 = MIN (j0 + side, f->made.shape->Tk);
  double sum = 0;
  *max = -INFINITY;
  for (gint64 i = i0; i < i1; i++)
    for (gint64 j = j0; j < j1; j++)
      {
        sum += wanted_at (f, head, i, j);
        *max = fmax (*max, wanted_at (f, head, i, j));
      }
  *mean = sum / (double) ((i1 - i0) * (j1 - j0));
}

static void
check_tile (const Fixture *f, int head, const HlAttentionTile *tile)
{
  gint64 side = (gint64) 1 << tile->level;
  for (int r = 0; r < tile->n_rows; r++)
    for (int c = 0; c < tile->n_columns; c++)
      {
        double mean, max;
        gsize at = (gsize) r * (gsize) tile->n_columns + (gsize) c;
        pool_plainly (f, head, ((gint64) tile->row * SIDE + r) * side,
                      ((gint64) tile->column * SIDE + c) * side, side, &mean, &max);
        if (!(fabs ((double) tile->mean[at] - mean) <= LIMIT) ||
            !(fabs ((double) tile->max[at] - max) <= LIMIT))
          g_error ("%s: head %d, level %d tile (%d, %d) cell (%d, %d): mean %.9g max "
                   "%.9g expected, %.9g and %.9g found",
                   f->made.shape->name, head, tile->level, tile->row, tile->column, r, c,
                   mean, max, (double) tile->mean[at], (double) tile->max[at]);
      }
}

/* Every tile of a level; together they have every cell once. */
static void
check_level (const Fixture *f, int source, int head, int level)
{
  gint64 side = (gint64) 1 << level, span = side * SIDE;
  gint64 Tq = f->made.shape->Tq, Tk = f->made.shape->Tk, n_cells = 0;
  for (gint64 r = 0; r * span < Tq; r++)
    for (gint64 c = 0; c * span < Tk; c++)
      {
        g_autoptr (GError) error = NULL;
        g_autoptr (HlAttentionTile) tile = hl_attention_source_read_tile (
            f->sources[source], f->backend, (HlHeadKey){ 0, 0, head }, level, (int) r,
            (int) c, NULL, &error);
        g_assert_no_error (error);
        g_assert_cmpint (tile->level, ==, level);
        g_assert_cmpint (tile->row, ==, r);
        g_assert_cmpint (tile->column, ==, c);
        check_tile (f, head, tile);
        n_cells += (gint64) tile->n_rows * tile->n_columns;
      }
  g_assert_cmpint (n_cells, ==, ((Tq + side - 1) / side) * ((Tk + side - 1) / side));
}

static void
test_tiles (gconstpointer data)
{
  Fixture f;
  set_up (&f, data);
  for (int source = 0; source < 2; source++)
    for (int head = 0; head < f.made.shape->n_heads; head++)
      for (int level = 0; level <= 6; level++)
        for (int round = 0; round < 2; round++) /* the second time out of what is kept */
          check_level (&f, source, head, level);
  tear_down (&f);
}

static void
assert_rect_refused (const Fixture *f, HlHeadKey key, const gint64 rect[4], int code)
{
  float out[64];
  for (int source = 0; source < 2; source++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_false (hl_attention_source_read_rect (f->sources[source], f->backend, key,
                                                     rect[0], rect[1], rect[2], rect[3],
                                                     out, NULL, &error));
      g_assert_error (error, HL_ERROR, code);
    }
}

static void
test_range_errors (void)
{
  static const gint64 bad[][4] = {
    { -1, 1, 0, 1 },         { 17, 1, 0, 1 },         { 0, 18, 0, 1 }, { 0, 1, -1, 1 },
    { 0, 1, 17, 1 },         { 0, 1, 16, 2 },         { 0, -1, 0, 1 }, { 0, 1, 0, -1 },
    { G_MAXINT64, 1, 0, 1 }, { 0, 1, 2, G_MAXINT64 },
  };
  static const gint64 good[] = { 0, 2, 0, 2 };
  static const HlHeadKey nobody[] = { { 0, 0, 4 },  { 0, 0, -1 }, { 0, 1, 0 },
                                      { 0, -1, 0 }, { 1, 0, 0 },  { -1, 0, 0 } };
  Fixture f;
  set_up (&f, &shapes[0]);
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    assert_rect_refused (&f, (HlHeadKey){ 0, 0, 0 }, bad[i], HL_ERROR_RANGE);
  for (guint i = 0; i < G_N_ELEMENTS (nobody); i++)
    {
      gint64 Tq, Tk;
      assert_rect_refused (&f, nobody[i], good, HL_ERROR_MISSING);
      g_assert_false (hl_attention_source_get_size (f.sources[1], nobody[i], &Tq, &Tk));
    }
  tear_down (&f);
}

static void
test_line_errors (void)
{
  Fixture f;
  float out[32];
  set_up (&f, &shapes[0]);
  for (int source = 0; source < 2; source++)
    for (int at = -1; at <= 17; at += 18)
      {
        g_autoptr (GError) error = NULL;
        HlHeadKey key = { 0, 0, 0 };
        g_assert_false (hl_attention_source_read_row (f.sources[source], f.backend, key,
                                                      at, out, NULL, &error));
        g_assert_error (error, HL_ERROR, HL_ERROR_RANGE);
        g_assert_nonnull (strstr (error->message, "17 x 17"));
        g_clear_error (&error);
        g_assert_false (hl_attention_source_read_column (f.sources[source], f.backend,
                                                         key, at, out, NULL, &error));
        g_assert_error (error, HL_ERROR, HL_ERROR_RANGE);
      }
  tear_down (&f);
}

static void
test_tile_errors (void)
{
  static const int bad[][3] = {
    { -1, 0, 0 }, { 24, 0, 0 },        { 64, 0, 0 },       { 0, 1, 0 },
    { 0, 0, 1 },  { 0, -1, 0 },        { 0, 0, -1 },       { 3, 1, 0 },
    { 1, 0, 2 },  { 23, G_MAXINT, 0 }, { 0, 0, G_MAXINT },
  };
  Fixture f;
  set_up (&f, &shapes[0]);
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    for (int source = 0; source < 2; source++)
      {
        g_autoptr (GError) error = NULL;
        g_assert_null (hl_attention_source_read_tile (
            f.sources[source], f.backend, (HlHeadKey){ 0, 0, 0 }, bad[i][0], bad[i][1],
            bad[i][2], NULL, &error));
        g_assert_error (error, HL_ERROR, HL_ERROR_RANGE);
      }
  tear_down (&f);
}

static void
test_cancelled (void)
{
  Fixture f;
  set_up (&f, &shapes[7]);
  g_autoptr (GCancellable) cancelled = g_cancellable_new ();
  g_cancellable_cancel (cancelled);
  const HlProgress progress = { .cancellable = cancelled };
  for (int source = 0; source < 2; source++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_null (hl_attention_source_read_tile (f.sources[source], f.backend,
                                                    (HlHeadKey){ 0, 0, 0 }, 1, 0, 0,
                                                    &progress, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    }
  tear_down (&f);
}

/* An estimate is the mean and maximum over four queries in the middle of each row of
 * cells; a kept tile goes before it. */
static void
check_guess (const Fixture *f, int head, int level)
{
  g_autoptr (GError) error = NULL;
  HlHeadKey key = { 0, 0, head };
  gint64 Tq = f->made.shape->Tq, Tk = f->made.shape->Tk, side = (gint64) 1 << level;
  g_autoptr (HlAttentionTile) guess = hl_attention_source_guess_tile (
      f->sources[1], f->backend, key, level, 0, 0, NULL, &error);
  g_assert_no_error (error);
  g_assert_false (guess->is_exact);
  for (int r = 0; r < guess->n_rows; r++)
    for (int c = 0; c < guess->n_columns; c++)
      {
        gint64 rows = MIN (side, Tq - r * side), n = MIN (4, rows);
        gint64 i0 = r * side + (rows - n) / 2, j0 = c * side, j1 = MIN (j0 + side, Tk);
        double sum = 0, max = 0;
        for (gint64 i = i0; i < i0 + n; i++)
          for (gint64 j = j0; j < j1; j++)
            {
              sum += wanted_at (f, head, i, j);
              max = fmax (max, wanted_at (f, head, i, j));
            }
        gsize at = (gsize) r * (gsize) guess->n_columns + (gsize) c;
        g_assert_cmpfloat_with_epsilon ((double) guess->mean[at],
                                        sum / (double) (n * (j1 - j0)), LIMIT);
        g_assert_cmpfloat_with_epsilon ((double) guess->max[at], max, LIMIT);
      }
  g_autoptr (HlAttentionTile) exact = hl_attention_source_read_tile (
      f->sources[1], f->backend, key, level, 0, 0, NULL, &error);
  g_assert_true (exact->is_exact);
  g_autoptr (HlAttentionTile) again = hl_attention_source_guess_tile (
      f->sources[1], f->backend, key, level, 0, 0, NULL, &error);
  g_assert_true (again->is_exact);
  check_tile (f, head, again);
}

static void
test_guesses (gconstpointer data)
{
  Fixture f;
  set_up (&f, data);
  for (int head = 0; head < f.made.shape->n_heads; head++)
    for (int level = HL_SLOW_LEVEL; level <= 6; level++)
      check_guess (&f, head, level);
  /* Where an exact tile is quick there is no estimate. */
  g_autoptr (GError) error = NULL;
  g_autoptr (HlAttentionTile) quick =
      hl_attention_source_guess_tile (f.sources[1], f.backend, (HlHeadKey){ 0, 0, 0 },
                                      HL_SLOW_LEVEL - 1, 0, 0, NULL, &error);
  g_assert_true (quick->is_exact);
  tear_down (&f);
}

/* The coarsest tile made row by row on the way is the one that is read by itself. */
static void
test_top (gconstpointer data)
{
  Fixture f;
  set_up (&f, data);
  gint64 Tq = f.made.shape->Tq, Tk = f.made.shape->Tk;
  g_autofree float *row = g_new (float, (gsize) Tk);
  for (int head = 0; head < f.made.shape->n_heads; head++)
    {
      HlHeadKey key = { 0, 0, head };
      g_autoptr (GError) error = NULL;
      int level = hl_attention_source_top_level (f.sources[1], key);
      g_assert_cmpint ((MAX (Tq, Tk) + (1 << level) - 1) >> level, <=, SIDE);
      g_assert_true (level == 0 || (MAX (Tq, Tk) - 1) >> (level - 1) >= SIDE);
      g_autoptr (HlAttentionTile) top = hl_attention_source_begin_top (f.sources[1], key);
      if (level == 0)
        {
          g_assert_null (top);
          continue;
        }
      for (gint64 i = 0; i < Tq; i++)
        {
          hl_attention_source_read_row (f.sources[1], f.backend, key, i, row, NULL,
                                        &error);
          hl_attention_source_add_top (top, row, i, Tk);
        }
      hl_attention_source_keep_top (f.sources[1], key, top);
      check_tile (&f, head, top);
    }
  tear_down (&f);
}

/* Numbers that do not fit each other are no attention, not a crash. */
static void
test_misfits (void)
{
  static const char *const sites[] = { "blocks.0.attn.hook_q", "blocks.0.attn.hook_k",
                                       "blocks.0.attn.hook_lse" };
  for (guint i = 0; i < G_N_ELEMENTS (sites); i++)
    {
      Fixture f;
      gint64 Tq, Tk;
      set_up (&f, &shapes[1]);
      g_autoptr (HlTensor) odd =
          i == 2 ? hl_tensor_new (HL_DTYPE_F32, HL_SHAPE (6, 16), NULL)
                 : hl_tensor_new (HL_DTYPE_F32, HL_SHAPE (17, i == 0 ? 5 : 4, 5), NULL);
      hl_trace_set_site (f.made.recomputed, sites[i], odd);
      g_assert_false (
          hl_attention_source_get_size (f.sources[1], (HlHeadKey){ 0, 0, 0 }, &Tq, &Tk));
      tear_down (&f);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (shapes); i++)
    {
      const SyntheticShape *s = &shapes[i];
      g_autofree char *rects = g_strdup_printf ("/attention-source/rects/%s", s->name);
      g_autofree char *lines = g_strdup_printf ("/attention-source/lines/%s", s->name);
      g_autofree char *tiles = g_strdup_printf ("/attention-source/tiles/%s", s->name);
      g_test_add_data_func (rects, s, test_rects);
      g_test_add_data_func (lines, s, test_lines);
      g_autofree char *guesses =
          g_strdup_printf ("/attention-source/guesses/%s", s->name);
      g_autofree char *top = g_strdup_printf ("/attention-source/top/%s", s->name);
      g_test_add_data_func (tiles, s, test_tiles);
      g_test_add_data_func (guesses, s, test_guesses);
      g_test_add_data_func (top, s, test_top);
    }
  g_test_add_func ("/attention-source/range-errors", test_range_errors);
  g_test_add_func ("/attention-source/line-errors", test_line_errors);
  g_test_add_func ("/attention-source/tile-errors", test_tile_errors);
  g_test_add_func ("/attention-source/cancelled", test_cancelled);
  g_test_add_func ("/attention-source/misfits", test_misfits);
  return g_test_run ();
}
