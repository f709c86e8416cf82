/* SPDX-License-Identifier: MIT
 * A recording as a picture, of a trace made by hand: greys, cells, weights, keys. */
#include "presenters/hl-present-recording.h"

#include <math.h>

#define N_KEYS 750 /* three in a cell */
#define N_BANDS 4
#define N_FRAMES 1500
#define N_REAL 1000

/* Band b of frame f is as loud as b, the last band louder by one in the second half. */
static HlTrace *
make_trace (void)
{
  HlModelInfo *info = hl_model_info_new ();
  hl_model_info_add_stack (info, "encoder", 1)->layers[0].n_heads = 1;
  hl_model_info_add_stack (info, "decoder", 1)->layers[0].n_heads = 1;
  hl_model_info_add_cross (info, 1, 0, 1)->layers[0].n_heads = 1;
  info->readout_stack = 1;
  HlTrace *trace = hl_trace_new (info);
  hl_model_info_unref (info);
  g_free (trace->input_kind);
  trace->input_kind = g_strdup ("audio");
  g_ptr_array_add (trace->tokens, hl_token_table_new (N_KEYS));
  g_ptr_array_add (trace->tokens, hl_token_table_new (2));
  g_ptr_array_add (trace->tokens, hl_token_table_new (2));
  trace->n_real_frames = N_REAL;
  trace->features = hl_tensor_new (HL_DTYPE_F32, HL_SHAPE (N_BANDS, N_FRAMES), NULL);
  float *x = trace->features->data;
  for (int b = 0; b < N_BANDS; b++)
    for (int f = 0; f < N_FRAMES; f++)
      x[b * N_FRAMES + f] = (float) (b + (b == 3 && f >= N_FRAMES / 2));
  return trace;
}

static int
grey_at (const HlOverlayScene *scene, double x, double y)
{
  int column = (int) (x * scene->width), row = (int) (y * scene->height);
  const guint8 *rgb = scene->picture + (row * scene->width + column) * 3;
  g_assert_cmpint (rgb[0], ==, rgb[1]);
  g_assert_cmpint (rgb[0], ==, rgb[2]);
  return rgb[0];
}

static void
test_picture (void)
{
  const HlViewOptions options = { 0 };
  g_autoptr (HlTrace) trace = make_trace ();
  g_assert_true (hl_present_has_recording (trace, 2));
  g_assert_true (hl_present_has_recording (trace, 0));
  g_assert_false (hl_present_has_recording (trace, 1)); /* the decoder reads text */
  g_assert_null (hl_present_recording (trace, 1, NULL, -1, &options));
  g_autoptr (HlOverlayScene) scene = hl_present_recording (trace, 2, NULL, -1, &options);
  g_assert_null (scene->weights);
  g_assert_cmpint (scene->n_rows, ==, 1);
  g_assert_cmpint (scene->n_columns, ==, N_KEYS / 3);
  g_assert_cmpint (grey_at (scene, 0.1, 0.99), ==, 0);   /* the lowest band, below */
  g_assert_cmpint (grey_at (scene, 0.1, 0.01), ==, 191); /* 3 of 0 to 4 */
  g_assert_cmpint (grey_at (scene, 0.6, 0.01), ==, 255);
  g_assert_cmpint (grey_at (scene, 0.9, 0.01), ==, 0); /* behind its end */
}

static void
test_weights (void)
{
  const HlViewOptions options = { 0 };
  g_autoptr (HlTrace) trace = make_trace ();
  g_autofree float *weights = g_new0 (float, N_KEYS);
  weights[7] = 0.25F; /* the cell of 6, 7 and 8 */
  weights[8] = 0.125F;
  weights[N_KEYS - 1] = 0.5F;
  g_autoptr (HlOverlayScene) scene =
      hl_present_recording (trace, 2, weights, 4, &options);
  for (int c = 0; c < scene->n_columns; c++)
    {
      float expected = c == 2 ? 0.25F : c == scene->n_columns - 1 ? 0.5F : 0;
      g_assert_cmpfloat (scene->weights[c], ==, expected);
      g_assert_true (scene->selected[c] == (c == 1));
    }
  g_assert_cmpfloat (scene->scale.high, ==, 0.5);
  g_assert_cmpint (hl_present_recording_key (trace, 2, weights, 2), ==, 7);
  g_assert_cmpint (hl_present_recording_key (trace, 2, NULL, 2), ==, 6);
  g_assert_cmpint (hl_present_recording_key (trace, 2, NULL, N_KEYS / 3), ==, -1);
  g_assert_cmpint (hl_present_recording_key (trace, 2, NULL, -1), ==, -1);
}

/* Numbers of a file that are none, and a recording of one length. */
static void
test_odd (void)
{
  const HlViewOptions options = { 0 };
  g_autoptr (HlTrace) trace = make_trace ();
  float *x = trace->features->data;
  for (int i = 0; i < N_BANDS * N_FRAMES; i++)
    x[i] = i % 2 ? NAN : INFINITY;
  g_autoptr (HlOverlayScene) scene = hl_present_recording (trace, 2, NULL, -1, &options);
  g_assert_nonnull (scene);
  g_clear_pointer (&trace->features, hl_tensor_unref);
  g_assert_false (hl_present_has_recording (trace, 2));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/present-recording/picture", test_picture);
  g_test_add_func ("/present-recording/weights", test_weights);
  g_test_add_func ("/present-recording/odd", test_odd);
  return g_test_run ();
}
