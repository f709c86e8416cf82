/* SPDX-License-Identifier: MIT
 * How quick the window feels: to the first frame, from a key to the frame with the new
 * head, and how long the main loop stands still while the model runs and its heads are
 * summarised. A key is handed to the grid, which is what a key press calls. The times
 * are of the display that the bench is given: llvmpipe draws with the processor. */
#include "config.h"

#include "bench-model.h"
#include "bench-window-probe.h"

#include "gl/hl-head-grid-private.h"

#include "base/hl-paths.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#define N_KEYS 240
#define N_STARTS 7
#define GOAL_MS 50
#define GOAL_FIRST_MS 500
#define GOAL_MAP_MS 1500
#define PATIENCE_MS 20000
#define SUMMARY_MS 40000

static const char *
verdict (double ms, double goal_ms)
{
  return ms <= goal_ms ? "met" : "MISSED";
}

/* ---- first frames, each in a process of its own --------------------------------------
 */

/* Prints when the first frame and the first map were painted, from @start_us on. */
static int
child_main (gint64 start_us, const char *model, const char *input)
{
  Probe probe;
  adw_init ();
  probe_open (&probe);
  if (model[0] != '\0')
    {
      hl_window_open (HL_WINDOW (probe.window), model);
      hl_window_open (HL_WINDOW (probe.window), input);
    }
  probe_wait_paint (&probe);
  if (model[0] != '\0' && !probe_wait_head (&probe, PATIENCE_MS))
    return 1;
  printf ("%f %f\n", (double) (probe.first_paint_us - start_us) / 1e3,
          (double) (probe.head_paint_us - start_us) / 1e3);
  fflush (stdout);
  _Exit (0); /* the window's end is not measured */
}

static void
start_child (const char *program, const char *model, const char *input, double out_ms[2])
{
  g_autofree char *start = g_strdup_printf ("%" G_GINT64_FORMAT, g_get_monotonic_time ());
  const char *const argv[] = { program, "--first", start, model, input, NULL };
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  int status = 0;
  if (!g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &text, NULL,
                     &status, &error) ||
      sscanf (text, "%lf %lf", &out_ms[0], &out_ms[1]) != 2)
    bench_fail (error);
}

static void
add_ms (BenchSamples *samples, double ms)
{
  samples->ms[samples->n++] = ms;
}

static void
bench_first_frames (const char *program, const char *model, const char *input)
{
  BenchSamples empty = { 0 }, opened = { 0 }, map = { 0 };
  double ms[2];
  start_child (program, "", "", ms); /* into the page cache */
  for (int i = 0; i < N_STARTS; i++)
    {
      start_child (program, "", "", ms);
      add_ms (&empty, ms[0]);
      start_child (program, model, input, ms);
      add_ms (&opened, ms[0]);
      add_ms (&map, ms[1]);
    }
  bench_title ("from the start of the process (%d starts, files in the page cache)",
               N_STARTS);
  bench_row ("first frame, nothing open", &empty, "goal %d ms: %s", GOAL_FIRST_MS,
             verdict (bench_median (&empty), GOAL_FIRST_MS));
  bench_row ("first frame, model being opened", &opened, "goal %d ms: %s", GOAL_FIRST_MS,
             verdict (bench_median (&opened), GOAL_FIRST_MS));
  bench_row ("frame with the first map", &map, "goal %d ms: %s", GOAL_MAP_MS,
             verdict (bench_median (&map), GOAL_MAP_MS));
}

/* Of all threads, llvmpipe's too: says more than the clock on a busy machine. */
static double
processor_ms (void)
{
  struct rusage usage;
  getrusage (RUSAGE_SELF, &usage);
  return (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
         (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
}

/* What a frame costs in which nothing of ours changed: the toolkit's share. */
static void
bench_plain_frames (Probe *probe)
{
  const int n = 60;
  BenchSamples samples = { 0 };
  double began_ms = processor_ms ();
  for (int i = 0; i < n; i++)
    {
      double start = bench_now_ms ();
      int before = probe->n_paints;
      gtk_widget_queue_draw (probe->window);
      while (probe->n_paints == before)
        g_main_context_iteration (NULL, TRUE);
      bench_add (&samples, start);
    }
  bench_row ("a frame with nothing new", &samples, "%.1f ms of processor time",
             (processor_ms () - began_ms) / n);
}

/* ---- keys ----------------------------------------------------------------------------
 */

/* Along a layer and back along the next, down and up again. */
static void
press_next (Probe *probe, gboolean *is_left, gboolean *is_up)
{
  HlGridScene *scene = hl_head_grid_get_scene (probe->grid);
  const HlPlace *place =
      hl_selection_get_place (hl_document_get_selection (probe->document));
  const HlGridLayer *layer = g_ptr_array_index (scene->layers, place->layer);
  gboolean at_end = *is_left ? place->head == 0 : place->head == layer->n_heads - 1;
  guint key = *is_left ? GDK_KEY_Left : GDK_KEY_Right;
  if (at_end)
    {
      if (place->layer == (*is_up ? 0 : (int) scene->layers->len - 1))
        *is_up = !*is_up;
      key = *is_up ? GDK_KEY_Up : GDK_KEY_Down;
      *is_left = !*is_left;
    }
  hl_head_grid_handle_key (probe->grid, key, 0);
}

/* @is_running: the model runs again and again meanwhile. */
static void
bench_keys (Probe *probe, const char *what, gboolean is_running)
{
  BenchSamples samples = { 0 };
  gboolean is_left = FALSE, is_up = FALSE;
  int n_runs = 0, n_lost = 0, n_paints = probe->n_paints;
  double began_ms = processor_ms ();
  hl_selection_set_head (hl_document_get_selection (probe->document), 0, 0);
  probe_wait_idle (probe);
  probe_take_stall (probe);
  for (int i = 0; i < N_KEYS; i++)
    {
      if (is_running && !hl_document_is_busy (probe->document))
        {
          hl_document_run (probe->document);
          n_runs++;
        }
      probe_forget_head (probe);
      double start = bench_now_ms ();
      press_next (probe, &is_left, &is_up);
      if (!probe_wait_head (probe, PATIENCE_MS))
        n_lost++;
      else
        add_ms (&samples, (double) probe->head_paint_us / 1e3 - start);
    }
  double p99 = bench_quantile (&samples, 0.99);
  bench_say (what, "p50 %7.1f ms  p99 %7.1f ms  most %7.1f ms  goal p99 %d ms: %s",
             bench_median (&samples), p99, bench_quantile (&samples, 1), GOAL_MS,
             verdict (p99, GOAL_MS));
  bench_say ("  for a key", "%11.1f frames, %.1f ms of processor time",
             (double) (probe->n_paints - n_paints) / N_KEYS,
             (processor_ms () - began_ms) / N_KEYS);
  double stall = probe_take_stall (probe);
  if (is_running)
    bench_say ("  longest stall meanwhile", "%11.1f ms  (%d runs)  goal %d ms: %s", stall,
               n_runs, GOAL_MS, verdict (stall, GOAL_MS));
  if (n_lost > 0)
    bench_say ("  NEVER SHOWN", "%d of %d", n_lost, N_KEYS);
}

/* ---- a model -------------------------------------------------------------------------
 */

/* Opens, runs and summarises; prints how long that took and the stalls in it. */
static void
bench_open (Probe *probe, const char *model, const char *input)
{
  probe_wait_paint (probe);
  probe_wait_idle (probe);
  probe_take_stall (probe);
  double start = bench_now_ms ();
  hl_window_open (HL_WINDOW (probe->window), model);
  hl_window_open (HL_WINDOW (probe->window), input);
  while (hl_document_get_trace (probe->document) == NULL)
    g_main_context_iteration (NULL, TRUE);
  double run = bench_now_ms () - start, run_stall = probe_take_stall (probe);
  start = bench_now_ms ();
  while (hl_document_is_busy (probe->document) && bench_now_ms () - start < SUMMARY_MS)
    g_main_context_iteration (NULL, TRUE);
  double summary = bench_now_ms () - start;
  const char *cut = hl_document_is_busy (probe->document) ? " (not all)" : "";
  hl_document_stop (probe->document);
  probe_wait_idle (probe);
  double stall = probe_take_stall (probe);
  bench_say ("opened and run", "%7.0f ms, longest stall %7.1f ms  goal %d ms: %s", run,
             run_stall, GOAL_MS, verdict (run_stall, GOAL_MS));
  bench_say ("heads summarised", "%7.0f ms%s, longest stall %7.1f ms  goal %d ms: %s",
             summary, cut, stall, GOAL_MS, verdict (stall, GOAL_MS));
}

static void
bench_model (const char *title, const char *model, const char *input, gboolean is_running)
{
  Probe probe;
  bench_title ("%s", title);
  probe_open (&probe);
  bench_open (&probe, model, input);
  bench_plain_frames (&probe);
  bench_keys (&probe, "key to frame, idle", FALSE);
  if (is_running)
    bench_keys (&probe, "key to frame, while the model runs", TRUE);
  probe_close (&probe);
}

static void
bench_random (const char *title,
              const BenchShape *shape,
              const char *input,
              gboolean is_running)
{
  g_autoptr (GError) error = NULL;
  char *folder = bench_folder_new ();
  if (!bench_model_write_shape (folder, shape, HL_DTYPE_F32, &error))
    bench_fail (error);
  bench_model (title, folder, input, is_running);
  bench_folder_free (folder);
}

int
main (int argc, char **argv)
{
  if (argc == 5 && g_str_equal (argv[1], "--first"))
    return child_main (g_ascii_strtoll (argv[2], NULL, 10), argv[3], argv[4]);
  static const BenchShape vit_b = { BENCH_L,     BENCH_H,    BENCH_D, BENCH_F,
                                    BENCH_PATCH, BENCH_GRID, BENCH_V };
  static const BenchShape long_map = { 32, 32, 256, 256, 4, 45, 10 };
  static const BenchShape many = { 80, 64, 256, 256, 8, 8, 10 };
  g_autofree char *shipped = hl_path_data ("models/vit-fashion");
  g_autofree char *input = hl_path_data ("samples/ankle-boot-01.png");
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);
  const char *only = argc > 1 ? argv[1] : "";
  if (shipped == NULL || input == NULL)
    {
      fprintf (stderr, "bench-window: the model that ships is not there\n");
      return 1;
    }
  if (only[0] == '\0' || g_str_equal (only, "first"))
    bench_first_frames (program, shipped, input);
  adw_init ();
  if (only[0] == '\0' || g_str_equal (only, "shipped"))
    bench_model ("the model that ships, 6 x 6 heads, 197 tokens", shipped, input, TRUE);
  if (only[0] == '\0' || g_str_equal (only, "vit-b"))
    bench_random ("random ViT-B/16, 12 x 12 heads, 197 tokens", &vit_b, input, TRUE);
  if (only[0] == '\0' || g_str_equal (only, "many"))
    bench_random ("random, 80 x 64 heads, 65 tokens", &many, input, FALSE);
  if (only[0] == '\0' || g_str_equal (only, "long"))
    bench_random ("random, 32 x 32 heads, 2,026 tokens", &long_map, input, FALSE);
  return 0;
}
