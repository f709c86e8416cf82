/* SPDX-License-Identifier: MIT
 * Superpixels: what is true of them by definition. */
#include "analysis/hl-slic.h"

#include <string.h>

typedef struct
{
  gint64 H, W, C;
  float *image;
  gint32 *labels;
  int n;
} Picture;

static void
picture_init (Picture *p, gint64 H, gint64 W, gint64 C)
{
  *p = (Picture){
    H, W, C, g_new0 (float, (gsize) (H * W * C)), g_new0 (gint32, (gsize) (H * W)), 0
  };
}

static void
picture_clear (Picture *p)
{
  g_free (p->image);
  g_free (p->labels);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Picture, picture_clear)

static void
segment (Picture *p, const HlSlicOptions *options)
{
  g_autoptr (GError) error = NULL;
  memset (p->labels, 0xff, sizeof (gint32) * (gsize) (p->H * p->W));
  p->n = hl_slic (p->image, p->H, p->W, p->C, options, p->labels, NULL, &error);
  g_assert_no_error (error);
}

static void
add_noise (Picture *p, guint32 seed, double size)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  for (gint64 i = 0; i < p->H * p->W * p->C; i++)
    p->image[i] += (float) g_rand_double_range (rand, 0, size);
}

/* Cells that hang together with @first under its label. */
static gint64
count_reached (const Picture *p, gint64 first, gboolean *seen)
{
  g_autoptr (GArray) open = g_array_new (FALSE, FALSE, sizeof (gint64));
  gint64 n = 0;
  g_array_append_val (open, first);
  seen[first] = TRUE;
  while (open->len > 0)
    {
      gint64 at = g_array_index (open, gint64, open->len - 1);
      gint64 row = at / p->W, column = at % p->W;
      const gint64 next[] = { row > 0 ? at - p->W : -1, row < p->H - 1 ? at + p->W : -1,
                              column > 0 ? at - 1 : -1, column < p->W - 1 ? at + 1 : -1 };
      g_array_set_size (open, open->len - 1);
      n++;
      for (guint k = 0; k < 4; k++)
        if (next[k] >= 0 && !seen[next[k]] && p->labels[next[k]] == p->labels[first])
          {
            seen[next[k]] = TRUE;
            g_array_append_val (open, next[k]);
          }
    }
  return n;
}

/* Every cell has a label, every label cells, and they hang together; labels come in the
 * order of their first cells. */
static void
assert_partition (const Picture *p)
{
  gint64 cells = p->H * p->W;
  g_autofree gint64 *counts = g_new0 (gint64, (gsize) p->n + 1);
  g_autofree gboolean *seen = g_new0 (gboolean, (gsize) cells);
  int next = 0;
  g_assert_cmpint (p->n, >, 0);
  for (gint64 i = 0; i < cells; i++)
    {
      g_assert_cmpint (p->labels[i], >=, 0);
      g_assert_cmpint (p->labels[i], <, p->n);
      counts[p->labels[i]]++;
    }
  for (gint64 i = 0; i < cells; i++)
    {
      if (seen[i])
        continue;
      g_assert_cmpint (p->labels[i], ==, next);
      g_assert_cmpint ((int) count_reached (p, i, seen), ==, (int) counts[next]);
      next++;
    }
  g_assert_cmpint (next, ==, p->n);
}

/* But the first one, small parts have joined others. */
static void
assert_no_crumbs (const Picture *p, int n_wanted)
{
  g_autofree gint64 *counts = g_new0 (gint64, (gsize) p->n + 1);
  for (gint64 i = 0; i < p->H * p->W; i++)
    counts[p->labels[i]]++;
  for (int k = 1; k < p->n; k++)
    g_assert_cmpint ((int) (4 * counts[k] * n_wanted), >=, (int) (p->H * p->W));
}

static void
test_partition (void)
{
  static const gint64 sizes[][3] = { { 40, 60, 3 }, { 80, 110, 1 }, { 7, 5, 3 } };
  static const int wanted[] = { 1, 20, 200 };
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    for (guint k = 0; k < G_N_ELEMENTS (wanted); k++)
      {
        g_auto (Picture) p = { 0 };
        const HlSlicOptions options = HL_SLIC_OPTIONS (wanted[k]);
        picture_init (&p, sizes[i][0], sizes[i][1], sizes[i][2]);
        add_noise (&p, i, 1);
        segment (&p, &options);
        assert_partition (&p);
        assert_no_crumbs (&p, wanted[k]);
        g_autofree gint32 *first =
            g_memdup2 (p.labels, sizeof (gint32) * (gsize) (p.H * p.W));
        segment (&p, &options);
        g_assert_cmpmem (p.labels, sizeof (gint32) * (gsize) (p.H * p.W), first,
                         sizeof (gint32) * (gsize) (p.H * p.W));
      }
}

/* A picture of one colour is cut as the grid is. */
static void
test_constant (void)
{
  g_auto (Picture) p = { 0 };
  const HlSlicOptions options = HL_SLIC_OPTIONS (6);
  picture_init (&p, 20, 30, 3);
  segment (&p, &options);
  assert_partition (&p);
  g_assert_cmpint (p.n, ==, 6);
  for (gint64 i = 0; i < 600; i++)
    g_assert_cmpint (p.labels[i], ==, (int) (i / 30 / 10 * 3 + i % 30 / 10));
}

/* No segment lies on both sides of an edge, smoothed or not, that runs between the
 * places of the grid. */
static void
test_edges (void)
{
  for (int smooths = 0; smooths < 2; smooths++)
    {
      g_auto (Picture) p = { 0 };
      HlSlicOptions options = HL_SLIC_OPTIONS (24);
      gboolean is_left[100] = { 0 }, is_right[100] = { 0 };
      options.sigma = smooths;
      picture_init (&p, 32, 48, 1);
      for (gint64 i = 0; i < 32 * 48; i++)
        p.image[i] = i % 48 < 21 ? 0.1f : 0.9f;
      add_noise (&p, 3, 0.02);
      segment (&p, &options);
      assert_partition (&p);
      g_assert_cmpint (p.n, >=, 16);
      g_assert_cmpint (p.n, <=, 32);
      for (gint64 i = 0; i < 32 * 48; i++)
        (i % 48 < 21 ? is_left : is_right)[p.labels[i]] = TRUE;
      for (int k = 0; k < p.n; k++)
        g_assert_true (is_left[k] != is_right[k]);
    }
}

/* The less compactness counts, the more a segment follows a colour: a thin line of its
 * own colour becomes one, or is cut as the rest is. */
static void
test_compactness (void)
{
  g_auto (Picture) p = { 0 };
  HlSlicOptions options = HL_SLIC_OPTIONS (16);
  picture_init (&p, 24, 24, 1);
  options.sigma = 0;
  for (gint64 i = 0; i < 24; i++)
    p.image[12 * 24 + i] = 1;
  for (int follows = 0; follows < 2; follows++)
    {
      options.compactness = follows ? 0.05 : 1e6;
      gboolean mixes = FALSE;
      segment (&p, &options);
      assert_partition (&p);
      for (gint64 i = 0; i < 24; i++)
        mixes |= p.labels[12 * 24 + i] == p.labels[13 * 24 + i];
      g_assert_true (mixes == !follows);
    }
}

static void
test_degenerate (void)
{
  static const struct
  {
    gint64 H, W;
    int wanted, found;
  } cases[] = { { 1, 100, 10, 10 }, { 100, 1, 10, 10 }, { 1, 1, 5, 1 },
                { 4, 5, 1000, 20 }, { 3, 3, 0, 1 },     { 2, 50, 25, 25 } };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (Picture) p = { 0 };
      const HlSlicOptions options = HL_SLIC_OPTIONS (cases[i].wanted);
      picture_init (&p, cases[i].H, cases[i].W, 1);
      segment (&p, &options);
      assert_partition (&p);
      g_assert_cmpint (p.n, ==, cases[i].found);
      add_noise (&p, 9, 1);
      segment (&p, &options);
      assert_partition (&p);
    }
}

static void
test_cancelled (void)
{
  g_auto (Picture) p = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  const HlProgress progress = { .cancellable = cancellable };
  const HlSlicOptions options = HL_SLIC_OPTIONS (4);
  picture_init (&p, 8, 8, 1);
  g_cancellable_cancel (cancellable);
  g_assert_cmpint (hl_slic (p.image, 8, 8, 1, &options, p.labels, &progress, &error), ==,
                   0);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/slic/partition", test_partition);
  g_test_add_func ("/slic/constant", test_constant);
  g_test_add_func ("/slic/edges", test_edges);
  g_test_add_func ("/slic/compactness", test_compactness);
  g_test_add_func ("/slic/degenerate", test_degenerate);
  g_test_add_func ("/slic/cancelled", test_cancelled);
  return g_test_run ();
}
