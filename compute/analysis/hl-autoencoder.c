/* SPDX-License-Identifier: MIT
 * A small convolutional autoencoder over pictures of one size, and its training. */
#include "analysis/hl-autoencoder.h"

#include "base/hl-error.h"
#include "ops/hl-tape.h"

#include <math.h>

#define KERNEL 3
#define STRIDE 2
#define PADDING 1
#define RATE 1e-3
#define BETA1 0.9
#define BETA2 0.999
#define EPS 1e-8

/* Numbers of the largest list of windows that a pass makes. */
#define PASS_NUMBERS ((gint64) 4 << 20)

static const int channels[HL_AUTOENCODER_LAYERS + 1] = { 1, 16, 32, 64, 128 };

typedef struct
{
  char *name;
  HlTensor *weight, *moment, *square;
} Weight;

struct _HlAutoencoder
{
  HlBackend *backend;
  HlAutoencoderShape shape;
  int heights[HL_AUTOENCODER_LAYERS + 1];
  int widths[HL_AUTOENCODER_LAYERS + 1];
  GArray *weights;
  gint64 n_steps;
  /* Pictures whose shape alone is looked at: where a transposed convolution ends. */
  HlTensor *like[HL_AUTOENCODER_LAYERS];
  /* Indices of weights. */
  int conv[HL_AUTOENCODER_LAYERS], to_latent, side_to_latent;
  int from_latent, side_from_latent, transposed[HL_AUTOENCODER_LAYERS];
};

/* ---- weights -------------------------------------------------------------------------
 */

static void
weight_clear (gpointer data)
{
  Weight *w = data;
  g_free (w->name);
  hl_tensor_unref (w->weight);
  hl_tensor_unref (w->moment);
  hl_tensor_unref (w->square);
}

/* In the backend's memory; NULL after a failure, which sticks to @error. */
static HlTensor *
filled (const HlAutoencoder *net,
        HlShape shape,
        GRand *rand,
        double deviation,
        GError **error)
{
  HlDtype dtype = net->backend->dtype;
  g_autoptr (HlTensor) t = hl_tensor_new (dtype, shape, *error == NULL ? error : NULL);
  for (gint64 i = 0; t != NULL && i < hl_tensor_count (t); i += 2)
    {
      double pair[2] = { 0, 0 }; /* Box and Muller */
      if (deviation > 0)
        {
          double radius = deviation * sqrt (-2 * log (1 - g_rand_double (rand)));
          double angle = 2 * G_PI * g_rand_double (rand);
          pair[0] = radius * cos (angle);
          pair[1] = radius * sin (angle);
        }
      for (gint64 k = 0; k < 2 && i + k < hl_tensor_count (t); k++)
        if (dtype == HL_DTYPE_F64)
          ((double *) t->data)[i + k] = pair[k];
        else
          ((float *) t->data)[i + k] = (float) pair[k];
    }
  return *error == NULL ? hl_backend_upload (net->backend, t, error) : NULL;
}

/* Returns: its index. @fan_in: inputs behind an output; 0 for a bias. */
static int
add_weight (HlAutoencoder *net,
            GRand *rand,
            char *name,
            HlShape shape,
            double fan_in,
            GError **error)
{
  double deviation = fan_in > 0 ? sqrt (2 / fan_in) : 0;
  Weight w = { name, filled (net, shape, rand, deviation, error),
               filled (net, shape, NULL, 0, error), filled (net, shape, NULL, 0, error) };
  g_array_append_val (net->weights, w);
  return (int) net->weights->len - 1;
}

static void
add_encoder (HlAutoencoder *net, GRand *rand, GError **error)
{
  for (int i = 0; i < HL_AUTOENCODER_LAYERS; i++)
    {
      int n = KERNEL * KERNEL * channels[i], m = channels[i + 1];
      net->conv[i] = add_weight (net, rand, g_strdup_printf ("encoder.%d.weight", i),
                                 HL_SHAPE (m, n), n, error);
      add_weight (net, rand, g_strdup_printf ("encoder.%d.bias", i), HL_SHAPE (m), 0,
                  error);
    }
}

static void
add_dense (HlAutoencoder *net, GRand *rand, GError **error)
{
  const int last = HL_AUTOENCODER_LAYERS, n_side = net->shape.n_side;
  int n = net->heights[last] * net->widths[last] * channels[last];
  net->to_latent = add_weight (net, rand, g_strdup ("encoder.dense.weight"),
                               HL_SHAPE (HL_AUTOENCODER_LATENT, n), n, error);
  add_weight (net, rand, g_strdup ("encoder.dense.bias"),
              HL_SHAPE (HL_AUTOENCODER_LATENT), 0, error);
  if (n_side > 0)
    net->side_to_latent =
        add_weight (net, rand, g_strdup ("encoder.side.weight"),
                    HL_SHAPE (HL_AUTOENCODER_LATENT, n_side), n_side, error);
  net->from_latent =
      add_weight (net, rand, g_strdup ("decoder.dense.weight"),
                  HL_SHAPE (n, HL_AUTOENCODER_LATENT), HL_AUTOENCODER_LATENT, error);
  add_weight (net, rand, g_strdup ("decoder.dense.bias"), HL_SHAPE (n), 0, error);
  if (n_side == 0)
    return;
  net->side_from_latent =
      add_weight (net, rand, g_strdup ("decoder.side.weight"),
                  HL_SHAPE (n_side, HL_AUTOENCODER_LATENT), HL_AUTOENCODER_LATENT, error);
  add_weight (net, rand, g_strdup ("decoder.side.bias"), HL_SHAPE (n_side), 0, error);
}

static void
add_decoder (HlAutoencoder *net, GRand *rand, GError **error)
{
  for (int i = HL_AUTOENCODER_LAYERS - 1; i >= 0; i--)
    {
      int n = KERNEL * KERNEL * channels[i], m = channels[i + 1];
      /* A number is met by 9/4 windows of each channel. */
      double fan_in = m * KERNEL * KERNEL / (double) (STRIDE * STRIDE);
      net->transposed[i] =
          add_weight (net, rand, g_strdup_printf ("decoder.%d.weight", i),
                      HL_SHAPE (n, m), i > 0 ? fan_in : 2 * fan_in, error);
      add_weight (net, rand, g_strdup_printf ("decoder.%d.bias", i),
                  HL_SHAPE (1, 1, 1, channels[i]), 0, error);
    }
}

HlAutoencoder *
hl_autoencoder_new (HlBackend *backend,
                    HlAutoencoderShape shape,
                    guint32 seed,
                    GError **error)
{
  GError *failure = NULL;
  g_autoptr (HlAutoencoder) net = g_new0 (HlAutoencoder, 1);
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  net->backend = hl_backend_as_f32 (backend);
  net->shape = shape;
  net->weights = g_array_new (FALSE, FALSE, sizeof (Weight));
  g_array_set_clear_func (net->weights, weight_clear);
  net->heights[0] = shape.height;
  net->widths[0] = shape.width;
  for (int i = 0; i < HL_AUTOENCODER_LAYERS; i++)
    {
      net->heights[i + 1] = (net->heights[i] + 2 * PADDING - KERNEL) / STRIDE + 1;
      net->widths[i + 1] = (net->widths[i] + 2 * PADDING - KERNEL) / STRIDE + 1;
      net->like[i] = hl_tensor_new (
          net->backend->dtype, HL_SHAPE (1, net->heights[i], net->widths[i], channels[i]),
          NULL);
    }
  add_encoder (net, rand, &failure);
  add_dense (net, rand, &failure);
  add_decoder (net, rand, &failure);
  if (failure == NULL)
    return g_steal_pointer (&net);
  g_propagate_error (error, failure);
  return NULL;
}

void
hl_autoencoder_free (HlAutoencoder *net)
{
  for (int i = 0; i < HL_AUTOENCODER_LAYERS; i++)
    hl_tensor_unref (net->like[i]);
  g_array_unref (net->weights);
  hl_backend_unref (net->backend);
  g_free (net);
}

HlAutoencoderShape
hl_autoencoder_get_shape (const HlAutoencoder *net)
{
  return net->shape;
}

HlBackend *
hl_autoencoder_get_backend (const HlAutoencoder *net)
{
  return net->backend;
}

int
hl_autoencoder_get_n_weights (const HlAutoencoder *net)
{
  return (int) net->weights->len;
}

HlTensor *
hl_autoencoder_get_weight (const HlAutoencoder *net, int i)
{
  return g_array_index (net->weights, Weight, i).weight;
}

const char *
hl_autoencoder_get_name (const HlAutoencoder *net, int i)
{
  return g_array_index (net->weights, Weight, i).name;
}

HlTensor *
hl_autoencoder_get_moment (const HlAutoencoder *net, int i)
{
  return g_array_index (net->weights, Weight, i).moment;
}

HlTensor *
hl_autoencoder_get_square (const HlAutoencoder *net, int i)
{
  return g_array_index (net->weights, Weight, i).square;
}

gint64
hl_autoencoder_get_n_steps (const HlAutoencoder *net)
{
  return net->n_steps;
}

void
hl_autoencoder_set_n_steps (HlAutoencoder *net, gint64 n_steps)
{
  net->n_steps = n_steps;
}

/* (transfer full): @x where @like is, in its shape and type, a copy; NULL with @error. */
static HlTensor *
copy_like (const HlAutoencoder *net,
           const char *name,
           HlTensor *x,
           const HlTensor *like,
           GError **error)
{
  if (!hl_shape_equal (&x->shape, &like->shape))
    {
      g_autofree char *expected = hl_shape_to_string (&like->shape);
      g_autofree char *found = hl_shape_to_string (&x->shape);
      g_set_error (error, HL_ERROR, HL_ERROR_SHAPE, "%s: %s expected, %s found", name,
                   expected, found);
      return NULL;
    }
  g_autoptr (HlTensor) same = hl_tensor_convert (x, like->dtype, error);
  if (same == NULL)
    return NULL;
  g_autoptr (HlTensor) copy = hl_tensor_new_copy (like->dtype, like->shape, same->data);
  return hl_backend_upload (net->backend, copy, error);
}

static void
replace (HlTensor **at, HlTensor *with)
{
  hl_tensor_unref (*at);
  *at = with;
}

gboolean
hl_autoencoder_set (HlAutoencoder *net,
                    int i,
                    HlTensor *weight,
                    HlTensor *moment,
                    HlTensor *square,
                    GError **error)
{
  Weight *w = &g_array_index (net->weights, Weight, i);
  HlTensor *const given[] = { weight, moment, square };
  HlTensor **places[] = { &w->weight, &w->moment, &w->square };
  GError *failure = NULL;
  for (gsize k = 0; k < G_N_ELEMENTS (given); k++)
    {
      HlTensor *copy = given[k] != NULL
                           ? copy_like (net, w->name, given[k], w->weight, &failure)
                           : filled (net, w->weight->shape, NULL, 0, &failure);
      if (copy == NULL)
        {
          g_propagate_error (error, failure);
          return FALSE;
        }
      replace (places[k], copy);
    }
  return TRUE;
}

/* ---- passes --------------------------------------------------------------------------
 */

static HlTensor *
view (HlTensor *x, HlShape shape)
{
  return x != NULL ? hl_tensor_view (x, 0, shape, NULL) : NULL;
}

/* A dense layer whose bias is the next weight. */
static HlTensor *
dense (const HlAutoencoder *net, HlExec *exec, int weight, HlTensor *x)
{
  return hl_linear (exec, x, hl_autoencoder_get_weight (net, weight),
                    hl_autoencoder_get_weight (net, weight + 1));
}

static HlTensor *
relu (HlExec *exec, HlTensor *x)
{
  return hl_activation (exec, x, HL_ACTIVATION_RELU);
}

/* (B, heights[i], widths[i], channels[i]) -> the next of them. */
static HlTensor *
convolve (const HlAutoencoder *net, HlExec *exec, int i, HlTensor *x, gint64 B)
{
  g_autoptr (HlTensor) rows = hl_unfold (exec, x, KERNEL, STRIDE, PADDING);
  g_autoptr (HlTensor) y = dense (net, exec, net->conv[i], rows);
  g_autoptr (HlTensor) bent = relu (exec, y);
  return view (bent,
               HL_SHAPE (B, net->heights[i + 1], net->widths[i + 1], channels[i + 1]));
}

HlTensor *
hl_autoencoder_encode (const HlAutoencoder *net, HlExec *exec, HlTensor *x)
{
  const int last = HL_AUTOENCODER_LAYERS;
  gint64 B = x->shape.dim[0], n = (gint64) net->shape.height * net->shape.width;
  g_autoptr (HlTensor) column = view (x, HL_SHAPE (B, n + net->shape.n_side, 1));
  g_autoptr (HlTensor) picture = hl_slice (exec, column, 0, n);
  HlTensor *y = view (picture, HL_SHAPE (B, net->shape.height, net->shape.width, 1));
  for (int i = 0; i < last; i++)
    {
      g_autoptr (HlTensor) before = y;
      y = convolve (net, exec, i, before, B);
    }
  g_autoptr (HlTensor) top = y;
  g_autoptr (HlTensor) flat =
      view (top, HL_SHAPE (B, (gint64) net->heights[last] * net->widths[last] *
                                  channels[last]));
  HlTensor *latent = dense (net, exec, net->to_latent, flat);
  if (net->shape.n_side == 0)
    return latent;
  g_autoptr (HlTensor) without = latent;
  g_autoptr (HlTensor) side = hl_slice (exec, column, n, net->shape.n_side);
  g_autoptr (HlTensor) row = view (side, HL_SHAPE (B, net->shape.n_side));
  g_autoptr (HlTensor) more =
      hl_linear (exec, row, hl_autoencoder_get_weight (net, net->side_to_latent), NULL);
  return hl_add (exec, without, more);
}

/* Back to (B, heights[i], widths[i], channels[i]). */
static HlTensor *
spread (const HlAutoencoder *net, HlExec *exec, int i, HlTensor *x, gint64 B)
{
  int weight = net->transposed[i];
  gint64 n = (gint64) net->heights[i + 1] * net->widths[i + 1];
  g_autoptr (HlTensor) flat = view (x, HL_SHAPE (B, n, channels[i + 1]));
  g_autoptr (HlTensor) rows =
      hl_linear (exec, flat, hl_autoencoder_get_weight (net, weight), NULL);
  g_autoptr (HlTensor) sum = hl_fold (exec, rows, net->like[i], KERNEL, STRIDE, PADDING);
  HlTensor *y = hl_add (exec, sum, hl_autoencoder_get_weight (net, weight + 1));
  if (i == 0)
    return y;
  g_autoptr (HlTensor) before = y;
  return relu (exec, before);
}

HlTensor *
hl_autoencoder_decode (const HlAutoencoder *net, HlExec *exec, HlTensor *latent)
{
  gint64 B = latent->shape.dim[0], n = (gint64) net->shape.height * net->shape.width;
  g_autoptr (HlTensor) wide = dense (net, exec, net->from_latent, latent);
  HlTensor *y = relu (exec, wide);
  for (int i = HL_AUTOENCODER_LAYERS - 1; i >= 0; i--)
    {
      g_autoptr (HlTensor) before = y;
      y = spread (net, exec, i, before, B);
    }
  g_autoptr (HlTensor) picture = y;
  if (net->shape.n_side == 0)
    return view (picture, HL_SHAPE (B, n));
  g_autoptr (HlTensor) column = view (picture, HL_SHAPE (B, n, 1));
  g_autoptr (HlTensor) side = dense (net, exec, net->side_from_latent, latent);
  g_autoptr (HlTensor) rest = view (side, HL_SHAPE (B, net->shape.n_side, 1));
  g_autoptr (HlTensor) all = hl_concat (exec, column, rest);
  return view (all, HL_SHAPE (B, n + net->shape.n_side));
}

/* ---- training ------------------------------------------------------------------------
 */

static double
number_at (const HlTensor *t, gint64 i)
{
  return t->dtype == HL_DTYPE_F64 ? ((double *) t->data)[i]
                                  : (double) ((float *) t->data)[i];
}

/* The gradient of the mean over @n numbers (transfer full); adds to the sum of squares.
 */
static HlTensor *
measure (const HlTensor *y, const HlTensor *x, double n, double *squares)
{
  HlTensor *seed = hl_tensor_new (y->dtype, y->shape, NULL);
  for (gint64 i = 0; i < hl_tensor_count (y); i++)
    {
      double error = number_at (y, i) - number_at (x, i);
      *squares += error * error;
      if (y->dtype == HL_DTYPE_F64)
        ((double *) seed->data)[i] = 2 * error / n;
      else
        ((float *) seed->data)[i] = (float) (2 * error / n);
    }
  return seed;
}

static gboolean
update (HlAutoencoder *net, HlExec *exec, Weight *w, HlTensor *grad)
{
  HlTensor *square = NULL;
  HlTensor *moment = hl_moments (exec, w->moment, w->square, grad, BETA1, BETA2, &square);
  if (!hl_exec_ok (exec))
    return FALSE;
  replace (&w->moment, moment);
  replace (&w->square, square);
  g_autoptr (HlTensor) step =
      hl_adam_step (exec, moment, square, BETA1, BETA2, RATE, EPS, net->n_steps);
  return hl_exec_ok (exec) &&
         hl_backend_accumulate (net->backend, w->weight, step, &exec->error);
}

/* Adds the gradients of some pictures of a batch of @n numbers to @grads. */
static gboolean
add_gradients (const HlAutoencoder *net,
               HlExec *exec,
               HlTensor *x,
               double n,
               HlTensor **grads,
               double *squares)
{
  g_autoptr (HlTape) tape = hl_tape_new ();
  for (guint i = 0; i < net->weights->len; i++)
    hl_tape_watch (tape, g_array_index (net->weights, Weight, i).weight);
  exec->tape = tape;
  g_autoptr (HlTensor) there = hl_exec_upload (exec, x);
  g_autoptr (HlTensor) latent =
      there != NULL ? hl_autoencoder_encode (net, exec, there) : NULL;
  g_autoptr (HlTensor) y =
      hl_exec_ok (exec) ? hl_autoencoder_decode (net, exec, latent) : NULL;
  exec->tape = NULL;
  g_autoptr (HlTensor) made =
      y != NULL ? hl_tensor_convert (y, y->dtype, &exec->error) : NULL;
  if (!hl_exec_ok (exec))
    return FALSE;
  g_autoptr (HlTensor) seed = measure (made, x, n, squares);
  gboolean ok = hl_tape_backward (tape, exec, y, seed);
  for (guint i = 0; i < net->weights->len && ok; i++)
    {
      g_autoptr (HlTensor) grad =
          hl_tape_get_grad (tape, g_array_index (net->weights, Weight, i).weight);
      if (grads[i] == NULL)
        grads[i] = g_steal_pointer (&grad);
      else
        ok = hl_backend_accumulate (net->backend, grads[i], grad, &exec->error);
    }
  return ok;
}

/* Pictures that are passed at a time: what a pass keeps stays within what a backend keeps
 * for the next one, and near the caches. Fewer than a batch of large ones. */
static gint64
pictures_at_a_time (const HlAutoencoder *net)
{
  gint64 most = 1;
  for (int i = 0; i < HL_AUTOENCODER_LAYERS; i++)
    most = MAX (most, (gint64) net->heights[i + 1] * net->widths[i + 1] * KERNEL *
                          KERNEL * channels[i]);
  return MAX (1, PASS_NUMBERS / most);
}

static gboolean
train (HlAutoencoder *net, HlExec *exec, HlTensor *x, HlTensor **grads, double *loss)
{
  gint64 B = x->shape.dim[0], size = x->shape.dim[1], some = pictures_at_a_time (net);
  double n = (double) (B * size), squares = 0;
  for (gint64 b = 0; b < B; b += some)
    {
      g_autoptr (HlTensor) part =
          hl_tensor_view (x, b * size, HL_SHAPE (MIN (some, B - b), size), NULL);
      if (!add_gradients (net, exec, part, n, grads, &squares))
        return FALSE;
    }
  *loss = squares / n;
  net->n_steps++;
  exec->progress = NULL; /* a step is made whole */
  for (guint i = 0; i < net->weights->len; i++)
    if (!update (net, exec, &g_array_index (net->weights, Weight, i), grads[i]))
      return FALSE;
  return TRUE;
}

gboolean
hl_autoencoder_step (HlAutoencoder *net,
                     HlTensor *x,
                     const HlProgress *progress,
                     double *loss,
                     GError **error)
{
  HlExec exec;
  g_autofree HlTensor **grads = g_new0 (HlTensor *, net->weights->len);
  hl_exec_init (&exec, net->backend, progress);
  gboolean ok = train (net, &exec, x, grads, loss);
  if (!ok)
    g_propagate_error (error, g_steal_pointer (&exec.error));
  for (guint i = 0; i < net->weights->len; i++)
    g_clear_pointer (&grads[i], hl_tensor_unref);
  hl_exec_clear (&exec);
  return ok;
}

double
hl_autoencoder_flops (const HlAutoencoder *net)
{
  const int last = HL_AUTOENCODER_LAYERS;
  double n = (double) net->heights[last] * net->widths[last] * channels[last];
  double flops = 4 * n * HL_AUTOENCODER_LATENT;
  for (int i = 0; i < last; i++)
    flops += 4.0 * net->heights[i + 1] * net->widths[i + 1] * channels[i + 1] * KERNEL *
             KERNEL * channels[i];
  return flops;
}
