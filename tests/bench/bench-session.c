/* SPDX-License-Identifier: MIT
 * Saving and reopening a trace with the maps of ViT-B/16, beside plain writing and
 * reading of as many bytes in the same folder; and making a picture a model's input.
 * TMPDIR chooses the disk. */
#include "config.h"

#include "bench-model.h"
#include "bench.h"
#include "io/hl-image-processor.h"
#include "session/hl-session.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#define N_ROUNDS 9

static HlTensor *
some_maps (GRand *rand)
{
  HlTensor *maps =
      hl_tensor_new (HL_DTYPE_F32, HL_SHAPE (BENCH_H, BENCH_T, BENCH_T), NULL);
  float *row = maps->data;
  for (int i = 0; i < BENCH_H * BENCH_T; i++, row += BENCH_T)
    {
      double sum = 0;
      for (int j = 0; j < BENCH_T; j++)
        {
          row[j] = expf ((float) g_rand_double_range (rand, -4, 4));
          sum += (double) row[j];
        }
      for (int j = 0; j < BENCH_T; j++)
        row[j] = (float) ((double) row[j] / sum);
    }
  return maps;
}

static HlTrace *
some_trace (void)
{
  static const char *const specials[] = { "CLS" };
  g_autoptr (GRand) rand = g_rand_new_with_seed (4);
  g_autoptr (HlModelInfo) model = hl_model_info_new ();
  HlStack *stack = hl_model_info_add_stack (model, "", BENCH_L);
  for (int l = 0; l < BENCH_L; l++)
    stack->layers[l] = (HlLayerInfo){ .kind = HL_ATTENTION_SELF,
                                      .n_heads = BENCH_H,
                                      .n_kv_heads = BENCH_H,
                                      .head_width = BENCH_D / BENCH_H };
  HlTrace *trace = hl_trace_new (model);
  g_ptr_array_add (trace->tokens,
                   hl_token_table_new_patches (specials, 1, BENCH_GRID, BENCH_GRID));
  for (int l = 0; l < BENCH_L; l++)
    {
      g_autoptr (HlTensor) maps = some_maps (rand);
      g_autofree char *name = hl_trace_site_name (model, 0, l, "attn.hook_pattern");
      hl_trace_set_site (trace, name, maps);
    }
  return trace;
}

static void
save (const HlSession *session, const char *path, gboolean is_half, BenchSamples *samples)
{
  g_autoptr (GError) error = NULL;
  HlSessionOptions options = { .half_maps = is_half };
  double start = bench_now_ms ();
  if (!hl_session_save_with_options (session, path, &options, NULL, &error))
    bench_fail (error);
  bench_add (samples, start);
}

static void
load (const char *path, gboolean is_guarded, BenchSamples *samples)
{
  g_autoptr (GError) error = NULL;
  double start = bench_now_ms ();
  g_autoptr (HlSession) session =
      is_guarded ? hl_session_load_guarded (path, "/proc/self/exe", NULL, &error)
                 : hl_session_load (path, NULL, &error);
  if (session == NULL)
    bench_fail (error);
  bench_add (samples, start);
}

static void
write_plainly (const char *path, const void *data, gsize size, BenchSamples *samples)
{
  double start = bench_now_ms ();
  int fd = g_open (path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  gsize done = 0;
  while (fd >= 0 && done < size)
    {
      gssize n = write (fd, (const char *) data + done, size - done);
      if (n <= 0)
        break;
      done += (gsize) n;
    }
  if (fd < 0 || done < size || fsync (fd) != 0 || close (fd) != 0)
    {
      g_printerr ("bench: %s: cannot be written\n", path);
      exit (1);
    }
  bench_add (samples, start);
}

static void
read_plainly (const char *path, BenchSamples *samples)
{
  g_autofree char *data = NULL;
  g_autoptr (GError) error = NULL;
  double start = bench_now_ms ();
  if (!g_file_get_contents (path, &data, NULL, &error))
    bench_fail (error);
  bench_add (samples, start);
}

static double
share (const BenchSamples *best, const BenchSamples *own)
{
  return 100 * bench_median (best) / bench_median (own);
}

static void
bench_session (const HlSession *session, const char *folder, gboolean is_half)
{
  g_autofree char *path = g_build_filename (folder, "bench.h5", NULL);
  g_autofree char *plain = g_build_filename (folder, "plain", NULL);
  BenchSamples saved = { 0 }, loaded = { 0 }, guarded = { 0 }, written = { 0 },
               read = { 0 };
  g_autofree char *bytes = NULL;
  gsize size = 0;
  save (session, path, is_half, &saved);
  saved.n = 0;
  if (!g_file_get_contents (path, &bytes, &size, NULL))
    bench_fail (NULL);
  for (int i = 0; i < N_ROUNDS; i++)
    {
      save (session, path, is_half, &saved);
      write_plainly (plain, bytes, size, &written);
      load (path, FALSE, &loaded);
      load (path, TRUE, &guarded);
      read_plainly (plain, &read);
    }
  double mb = (double) size / 1e6;
  bench_title ("== session: %d x %d maps of %d x %d as %s, %.1f MB, in %s ==", BENCH_L,
               BENCH_H, BENCH_T, BENCH_T, is_half ? "float16" : "float32", mb, folder);
  bench_row ("save (written, synced, renamed)", &saved, "%6.0f MB/s, %3.0f %% of plain",
             mb / bench_median (&saved) * 1e3, share (&written, &saved));
  bench_row ("plain write and fsync", &written, "%6.0f MB/s",
             mb / bench_median (&written) * 1e3);
  bench_row ("reopen", &loaded, "%6.0f MB/s, %3.0f %% of plain",
             mb / bench_median (&loaded) * 1e3, share (&read, &loaded));
  bench_row ("reopen, checked in a child first", &guarded, "%6.0f MB/s",
             mb / bench_median (&guarded) * 1e3);
  bench_row ("plain read", &read, "%6.0f MB/s", mb / bench_median (&read) * 1e3);
  g_remove (path);
  g_remove (plain);
}

/* ---- pictures ------------------------------------------------------------------------
 */

static void
bench_pictures (void)
{
  static const HlFilter filters[] = { HL_FILTER_BILINEAR, HL_FILTER_BICUBIC,
                                      HL_FILTER_LANCZOS };
  const gint64 height = 3000, width = 4000;
  const int side = BENCH_GRID * BENCH_PATCH;
  g_autoptr (GError) error = NULL;
  g_autoptr (HlTensor) picture =
      hl_tensor_new (HL_DTYPE_U8, HL_SHAPE (height, width, 3), NULL);
  for (gint64 i = 0; i < hl_tensor_count (picture); i++)
    ((guint8 *) picture->data)[i] = (guint8) (i * 2654435761 >> 13);
  bench_title ("== pictures: 4000 x 3000 to %d x %d ==", side, side);
  for (guint f = 0; f < G_N_ELEMENTS (filters); f++)
    {
      BenchSamples samples = { 0 };
      for (int i = 0; i < N_ROUNDS; i++)
        {
          double start = bench_now_ms ();
          g_autoptr (HlTensor) small =
              hl_resample (picture, side, side, filters[f], &error);
          if (small == NULL)
            bench_fail (error);
          bench_add (&samples, start);
        }
      g_autofree char *what = g_strdup_printf ("resize, %s", hl_filter_name (filters[f]));
      bench_row (what, &samples, "%6.0f megapixels/s", 12e3 / bench_median (&samples));
    }
  g_autoptr (HlImageProcessor) processor = hl_image_processor_new_default (side, side);
  BenchSamples whole = { 0 };
  for (int i = 0; i < N_ROUNDS; i++)
    {
      g_autoptr (HlTensor) pixels = NULL, shown = NULL;
      double start = bench_now_ms ();
      if (!hl_image_processor_run (processor, picture, 3, &pixels, &shown, &error))
        bench_fail (error);
      bench_add (&whole, start);
    }
  bench_row ("processor: resize and normalise", &whole, "%s", "");
}

int
main (int argc, char **argv)
{
  /* The guarded load starts this program again to check the file. */
  if (argc > 1 && g_str_equal (argv[1], "check-session"))
    return hl_session_check_main (argc, argv);
  char *folder = bench_folder_new ();
  g_autoptr (HlSession) session = hl_session_new ();
  g_autoptr (HlTrace) trace = some_trace ();
  hl_session_add_trace (session, trace);
  bench_session (session, folder, TRUE);
  bench_session (session, folder, FALSE);
  bench_pictures ();
  bench_folder_free (folder);
  return 0;
}
