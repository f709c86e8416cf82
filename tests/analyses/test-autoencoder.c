/* SPDX-License-Identifier: MIT
 * The autoencoder against the reference framework's own convolutions and Adam (see
 * make-autoencoder.py); that it learns, and learns the same again. */
#include "analysis/hl-autoencoder.h"

#include "backend/cpu/hl-cpu.h"
#include "base/hl-error.h"
#include "io/hl-safetensors.h"

#include <math.h>
#include <string.h>

typedef struct
{
  HlBackend *backend;
  HlSafetensors *file;
  HlAutoencoder *net;
} Case;

static HlTensor *
stored (const Case *c, const char *prefix, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *key = g_strconcat (prefix, name, NULL);
  HlTensor *t = hl_safetensors_get (c->file, key, &error);
  g_assert_no_error (error);
  return t;
}

static void
case_init (Case *c, HlDtype dtype)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "analyses", "fixtures",
                                                 "autoencoder.safetensors", NULL);
  c->backend = hl_cpu_backend_new (dtype, 1);
  c->file = hl_safetensors_open (path, &error);
  g_assert_no_error (error);
  c->net = hl_autoencoder_new (c->backend, (HlAutoencoderShape){ 9, 14, 1 }, 1, NULL);
  for (int i = 0; i < hl_autoencoder_get_n_weights (c->net); i++)
    {
      g_autoptr (HlTensor) w = stored (c, "before.", hl_autoencoder_get_name (c->net, i));
      hl_autoencoder_set (c->net, i, w, NULL, NULL, &error);
      g_assert_no_error (error);
    }
}

static void
case_clear (Case *c)
{
  hl_autoencoder_free (c->net);
  hl_safetensors_unref (c->file);
  hl_backend_unref (c->backend);
}

static double
at (const HlTensor *t, gint64 i)
{
  return t->dtype == HL_DTYPE_F64 ? ((double *) t->data)[i]
                                  : (double) ((float *) t->data)[i];
}

/* The first rows of @found are @expected. */
static void
compare (const HlTensor *found, const HlTensor *expected, double tolerance)
{
  for (gint64 i = 0; i < hl_tensor_count (expected); i++)
    g_assert_cmpfloat_with_epsilon (at (found, i), at (expected, i), tolerance);
}

static void
check_reference (HlDtype dtype, double tolerance)
{
  Case c;
  HlExec exec;
  g_autoptr (GError) error = NULL;
  case_init (&c, dtype);
  g_autoptr (HlTensor) given = stored (&c, "", "x");
  g_autoptr (HlTensor) x = hl_tensor_convert (given, dtype, NULL);
  hl_exec_init (&exec, c.backend, NULL);
  g_autoptr (HlTensor) latent = hl_autoencoder_encode (c.net, &exec, x);
  g_autoptr (HlTensor) y = hl_autoencoder_decode (c.net, &exec, latent);
  g_assert_no_error (exec.error);
  g_autoptr (HlTensor) latent_wanted = stored (&c, "", "latent");
  g_autoptr (HlTensor) y_wanted = stored (&c, "", "y");
  g_assert_true (hl_shape_equal (&y->shape, &x->shape));
  compare (latent, latent_wanted, tolerance);
  compare (y, y_wanted, tolerance);
  g_autoptr (HlTensor) losses = stored (&c, "", "loss");
  for (int i = 0; i < 3; i++)
    {
      double loss;
      hl_autoencoder_step (c.net, x, NULL, &loss, &error);
      g_assert_no_error (error);
      g_assert_cmpfloat_with_epsilon (loss, at (losses, i), tolerance);
    }
  g_assert_cmpint (hl_autoencoder_get_n_steps (c.net), ==, 3);
  for (int i = 0; i < hl_autoencoder_get_n_weights (c.net); i++)
    {
      g_autoptr (HlTensor) w = stored (&c, "after.", hl_autoencoder_get_name (c.net, i));
      compare (hl_autoencoder_get_weight (c.net, i), w, tolerance);
    }
  hl_exec_clear (&exec);
  case_clear (&c);
}

static void
test_reference_double (void)
{
  check_reference (HL_DTYPE_F64, 1e-7);
}

/* Adam divides by the size of a gradient: where it is nearly 0, rounding shows. */
static void
test_reference_float (void)
{
  check_reference (HL_DTYPE_F32, 2e-4);
}

/* Diagonals and columns at some places. */
static HlTensor *
draw_batch (GRand *rand, int n, int side)
{
  HlTensor *x = hl_tensor_new (HL_DTYPE_F32, HL_SHAPE (n, side * side), NULL);
  float *numbers = x->data;
  for (int b = 0; b < n; b++)
    {
      int shift = g_rand_int_range (rand, 0, side);
      for (int i = 0; i < side; i++)
        for (int j = 0; j < side; j++, numbers++)
          *numbers = (b % 2 ? j == shift : (i + shift) % side == j) ? 1 : 0;
    }
  return x;
}

static double
learn (guint32 seed, double *first)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GRand) rand = g_rand_new_with_seed (5);
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, 2);
  g_autoptr (HlAutoencoder) net =
      hl_autoencoder_new (backend, (HlAutoencoderShape){ 12, 12, 0 }, seed, NULL);
  double loss = 0;
  for (int i = 0; i < 300; i++)
    {
      g_autoptr (HlTensor) x = draw_batch (rand, 16, 12);
      hl_autoencoder_step (net, x, NULL, &loss, &error);
      g_assert_no_error (error);
      *first = i == 0 ? loss : *first;
    }
  return loss;
}

static void
test_learns (void)
{
  double first, again, other;
  double loss = learn (1, &first);
  /* The mean picture alone would leave a variance of (1 - 1/12) / 12. */
  g_assert_cmpfloat (loss, <, 0.2 * 11 / 144);
  g_assert_cmpfloat (first, >, 11 / 144.0);
  g_assert_cmpfloat (learn (1, &again), ==, loss);
  g_assert_cmpfloat (again, ==, first);
  learn (2, &other);
  g_assert_cmpfloat (other, !=, first);
}

/* Large pictures are passed a few at a time. The same ones twice have the same mean
 * gradient, however they are cut. */
static void
test_parts (void)
{
  double once, twice;
  const int n = 13, size = 150 * 150;
  g_autoptr (GError) error = NULL;
  g_autoptr (GRand) rand = g_rand_new_with_seed (6);
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, 2);
  const HlAutoencoderShape shape = { 150, 150, 0 };
  g_autoptr (HlAutoencoder) a = hl_autoencoder_new (backend, shape, 1, NULL);
  g_autoptr (HlAutoencoder) b = hl_autoencoder_new (backend, shape, 1, NULL);
  g_autoptr (HlTensor) x = hl_tensor_new (HL_DTYPE_F32, HL_SHAPE (2 * n, size), NULL);
  for (int i = 0; i < n * size; i++)
    ((float *) x->data)[i] = ((float *) x->data)[n * size + i] =
        (float) g_rand_double (rand);
  g_autoptr (HlTensor) half = hl_tensor_view (x, 0, HL_SHAPE (n, size), NULL);
  for (int step = 0; step < 2; step++)
    {
      hl_autoencoder_step (a, half, NULL, &once, &error);
      g_assert_no_error (error);
      hl_autoencoder_step (b, x, NULL, &twice, &error);
      g_assert_no_error (error);
      g_assert_cmpfloat_with_epsilon (once, twice, 1e-5 * once);
    }
  /* The running mean of gradients: weights are moved by their signs almost alone. */
  double difference = 0, squares = 0;
  for (int i = 0; i < hl_autoencoder_get_n_weights (a); i++)
    {
      const HlTensor *m = hl_autoencoder_get_moment (a, i);
      const HlTensor *k = hl_autoencoder_get_moment (b, i);
      for (gint64 j = 0; j < hl_tensor_count (m); j++)
        {
          difference += pow (at (m, j) - at (k, j), 2);
          squares += pow (at (m, j), 2);
        }
    }
  g_assert_cmpfloat (difference, <, 1e-6 * squares);
}

static void
test_refused (void)
{
  Case c;
  g_autoptr (GError) error = NULL;
  case_init (&c, HL_DTYPE_F32);
  g_autoptr (HlTensor) wrong = hl_tensor_new (HL_DTYPE_F32, HL_SHAPE (3, 4), NULL);
  memset (wrong->data, 0, hl_tensor_size_bytes (wrong));
  g_assert_false (hl_autoencoder_set (c.net, 0, wrong, NULL, NULL, &error));
  g_assert_error (error, HL_ERROR, HL_ERROR_SHAPE);
  g_assert_nonnull (strstr (error->message, "encoder.0.weight: [16, 9] expected"));
  g_clear_error (&error);
  /* Cancelled: no step was made. */
  double loss;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_cancellable_cancel (cancellable);
  const HlProgress progress = { .cancellable = cancellable };
  g_autoptr (HlTensor) x = stored (&c, "", "x");
  g_assert_false (hl_autoencoder_step (c.net, x, &progress, &loss, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpint (hl_autoencoder_get_n_steps (c.net), ==, 0);
  case_clear (&c);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/autoencoder/reference-double", test_reference_double);
  g_test_add_func ("/autoencoder/reference-float", test_reference_float);
  g_test_add_func ("/autoencoder/learns", test_learns);
  g_test_add_func ("/autoencoder/parts", test_parts);
  g_test_add_func ("/autoencoder/refused", test_refused);
  return g_test_run ();
}
