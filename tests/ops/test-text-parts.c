/* SPDX-License-Identifier: MIT
 * What runs over a text keep beside their trace: keys and values of earlier tokens, and
 * what each position predicts; against plain copies and plain sums. */
#include "backend/cpu/hl-cpu.h"
#include "trace/hl-kv-cache.h"
#include "trace/hl-predictions.h"

#include <math.h>

/* The number of one example, token, head and column: any that tells them apart. */
static float
number_of (gint64 b, gint64 t, gint64 h, gint64 d)
{
  return (float) (((b * 1000 + t) * 10 + h) * 10 + d);
}

/* Tokens @first up to @first + @n of (B, T, H, K), as a view into wider rows, as a joint
 * projection of Q, K and V leaves it. */
static HlTensor *
tokens_new (gint64 B, gint64 first, gint64 n, gint64 H, gint64 K)
{
  gint64 width = 3 * H * K, stride[] = { n * width, width, K, 1 };
  g_autoptr (HlTensor) rows = hl_tensor_new (HL_DTYPE_F32, HL_SHAPE (B, n, width), NULL);
  float *x = rows->data;
  for (gint64 i = 0; i < B * n * width; i++)
    x[i] = -1;
  for (gint64 i = 0; i < B * n * H * K; i++)
    {
      gint64 d = i % K, h = i / K % H, t = i / K / H % n, b = i / K / H / n;
      x[b * stride[0] + t * width + H * K + h * K + d] = number_of (b, first + t, h, d);
    }
  return hl_tensor_view (rows, H * K, HL_SHAPE (B, n, H, K), stride);
}

static void
check_tokens (const HlTensor *x, gint64 B, gint64 T, gint64 H, gint64 K)
{
  const gint64 *s = x->stride;
  HlShape wanted = HL_SHAPE (B, T, H, K);
  g_assert_true (hl_shape_equal (&x->shape, &wanted));
  for (gint64 b = 0; b < B; b++)
    for (gint64 t = 0; t < T; t++)
      for (gint64 h = 0; h < H; h++)
        for (gint64 d = 0; d < K; d++)
          g_assert_cmpfloat (
              ((const float *) x->data)[b * s[0] + t * s[1] + h * s[2] + d * s[3]], ==,
              number_of (b, t, h, d));
}

/* Parts of one token, of a few, and of more than there is room for; what was handed out
 * before stays as it was. */
static void
test_cache_grows (void)
{
  static const int parts[] = { 3, 1, 60, 1, 1, 1, 1, 40, 1, 200, 7, 1 };
  const gint64 B = 2, H = 3, K = 5;
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, 1);
  g_autoptr (HlKvCache) cache = hl_kv_cache_new ();
  g_autoptr (GPtrArray) seen =
      g_ptr_array_new_with_free_func ((GDestroyNotify) hl_tensor_unref);
  HlExec exec;
  gint64 T = 0;
  hl_exec_init (&exec, backend, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    {
      HlTensor *k = tokens_new (B, T, parts[i], H, K);
      HlTensor *v = tokens_new (B, T, parts[i], H, K);
      T += parts[i];
      hl_kv_cache_extend (cache, &exec, 0, 7, &k, &v);
      g_assert_no_error (exec.error);
      check_tokens (v, B, T, H, K);
      g_ptr_array_add (seen, k);
      hl_tensor_unref (v);
    }
  for (guint i = 0; i < seen->len; i++)
    {
      const HlTensor *k = g_ptr_array_index (seen, i);
      check_tokens (k, B, k->shape.dim[1], H, K);
    }
  hl_exec_clear (&exec);
}

static void
check_position (const HlPredictions *p, const float *logits, gint64 V, gint64 t)
{
  int k = hl_predictions_get_k (p);
  const gint32 *top = (const gint32 *) p->top_ids->data + t * k;
  gint32 next = ((const gint32 *) p->next_ids->data)[t];
  double sum = 0, entropy = 0;
  int rank = 0;
  for (gint64 v = 0; v < V; v++)
    sum += exp ((double) logits[v]);
  for (gint64 v = 0; v < V; v++)
    {
      double prob = exp ((double) logits[v]) / sum;
      entropy -= prob > 0 ? prob * log (prob) : 0;
      rank += next >= 0 && logits[v] > logits[next];
    }
  g_assert_cmpfloat_with_epsilon (hl_tensor_f32 (p->entropies)[t], entropy, 1e-4);
  g_assert_cmpint (((const gint32 *) p->next_ranks->data)[t], ==, next < 0 ? -1 : rank);
  /* Before each of the most probable stand those that are larger, and of equal ones
   * those of lower ids. */
  for (int i = 0; i < k; i++)
    {
      int before = 0;
      for (gint64 v = 0; v < V; v++)
        before +=
            logits[v] > logits[top[i]] || (v < top[i] && logits[v] == logits[top[i]]);
      g_assert_cmpint (before, ==, i);
    }
}

/* A vocabulary of several stretches, with ties and with tokens that cannot come. */
static void
test_predictions (void)
{
  const gint64 T = 9, V = 1031;
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, 1);
  g_autoptr (GRand) rand = g_rand_new_with_seed (5);
  g_autoptr (HlTensor) logits = hl_tensor_new (HL_DTYPE_F32, HL_SHAPE (1, 1, T, V), NULL);
  float *x = logits->data;
  gint32 ids[9];
  for (gint64 i = 0; i < T * V; i++)
    x[i] = (float) g_rand_int_range (rand, -40, 41) / 8;
  for (gint64 t = 0; t < T; t++)
    {
      ids[t] = g_rand_int_range (rand, 0, (gint32) V);
      x[t * V + 3] = -INFINITY;
      x[t * V + V - 1 - 100 * t] = 7;
    }
  HlExec exec;
  HlTensor *lse = NULL;
  hl_exec_init (&exec, backend, NULL);
  g_autoptr (HlTensor) probs = hl_softmax (&exec, logits, NULL, &lse);
  g_assert_no_error (exec.error);
  g_autoptr (HlPredictions) p = hl_predictions_new (ids, T, V, FALSE, NULL);
  hl_predictions_fill (p, 0, logits, probs, lse);
  for (gint64 t = 0; t < T; t++)
    check_position (p, x + t * V, V, t);
  hl_tensor_unref (lse);
  hl_exec_clear (&exec);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/text-parts/cache-grows", test_cache_grows);
  g_test_add_func ("/text-parts/predictions", test_predictions);
  return g_test_run ();
}
