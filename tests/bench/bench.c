/* SPDX-License-Identifier: MIT
 * What the benches share: samples, rows of the table, folders, the machine's own rates.
 */
#include "bench.h"

#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* OpenBLAS 0.3 spins some 2^26 cycles before its threads sleep: 25 ms at 2.7 GHz. */
#define SPINNING_MS 60

double
bench_now_ms (void)
{
  return (double) g_get_monotonic_time () / 1e3;
}

void
bench_add (BenchSamples *samples, double start_ms)
{
  double ms = bench_now_ms () - start_ms;
  if (samples->n < BENCH_MAX_SAMPLES)
    samples->ms[samples->n++] = ms;
}

static int
compare_doubles (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

static void
sort (const BenchSamples *samples, double sorted[BENCH_MAX_SAMPLES])
{
  memcpy (sorted, samples->ms, sizeof sorted[0] * (gsize) samples->n);
  qsort (sorted, (gsize) samples->n, sizeof sorted[0], compare_doubles);
}

double
bench_median (const BenchSamples *samples)
{
  double sorted[BENCH_MAX_SAMPLES];
  int n = samples->n;
  if (n == 0)
    return 0;
  sort (samples, sorted);
  return (sorted[n / 2] + sorted[(n - 1) / 2]) / 2;
}

double
bench_quantile (const BenchSamples *samples, double q)
{
  double sorted[BENCH_MAX_SAMPLES];
  if (samples->n == 0)
    return 0;
  sort (samples, sorted);
  return sorted[CLAMP ((int) ceil (q * samples->n) - 1, 0, samples->n - 1)];
}

double
bench_min (const BenchSamples *samples)
{
  double least = samples->n > 0 ? samples->ms[0] : 0;
  for (int i = 1; i < samples->n; i++)
    least = MIN (least, samples->ms[i]);
  return least;
}

void
bench_title (const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  printf ("\n%s\n", text);
  fflush (stdout);
}

void
bench_row (const char *what, const BenchSamples *samples, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *remark = g_strdup_vprintf (format, args);
  va_end (args);
  printf ("  %-34s %9.3f ms  (least %9.3f)  %s\n", what, bench_median (samples),
          bench_min (samples), remark);
  fflush (stdout);
}

void
bench_say (const char *what, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  printf ("  %-34s %s\n", what, text);
  fflush (stdout);
}

void
bench_fail (const GError *error)
{
  fprintf (stderr, "bench: %s\n", error != NULL ? error->message : "failed");
  exit (1);
}

char *
bench_folder_new (void)
{
  g_autoptr (GError) error = NULL;
  char *folder = g_dir_make_tmp ("headlight-bench-XXXXXX", &error);
  if (folder == NULL)
    bench_fail (error);
  return folder;
}

void
bench_folder_free (char *folder)
{
  GDir *dir = g_dir_open (folder, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);
      g_remove (path);
    }
  g_clear_pointer (&dir, g_dir_close);
  g_rmdir (folder);
  g_free (folder);
}

void
bench_drop_spinning (void)
{
  g_usleep (SPINNING_MS * 1000);
}

/* A field of /proc/self/status, which are in KiB. */
static double
status_mb (const char *text, const char *field)
{
  const char *line = strstr (text, field);
  long kib = 0;
  if (line == NULL || sscanf (line + strlen (field), ": %ld", &kib) != 1)
    return 0;
  return (double) kib * 1024 / 1e6;
}

BenchMemory
bench_memory_now (void)
{
  g_autofree char *text = NULL;
  if (!g_file_get_contents ("/proc/self/status", &text, NULL, NULL))
    return (BenchMemory){ 0 };
  return (BenchMemory){ status_mb (text, "VmHWM"), status_mb (text, "VmRSS"),
                        status_mb (text, "RssFile") };
}

static double
number_after (const char *line, const char *name)
{
  const char *at = strstr (line, name);
  return at != NULL ? g_ascii_strtod (at + strlen (name), NULL) : 0;
}

void
bench_peer_run (BenchPeer *peer, const char *script, const char *const *arguments)
{
  const char *python = g_getenv ("HEADLIGHT_PEER_PYTHON");
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();
  g_autofree char *output = NULL;
  g_autoptr (GError) error = NULL;
  int status = 0;
  if (python == NULL || python[0] == '\0')
    python = "python3";
  g_ptr_array_add (argv, (gpointer) python);
  g_ptr_array_add (argv, (gpointer) script);
  for (int i = 0; arguments[i] != NULL; i++)
    g_ptr_array_add (argv, (gpointer) arguments[i]);
  g_ptr_array_add (argv, NULL);
  *peer = (BenchPeer){ 0 };
  if (!g_spawn_sync (NULL, (char **) argv->pdata, NULL,
                     G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL,
                     &output, NULL, &status, &error) ||
      !g_spawn_check_wait_status (status, &error))
    {
      peer->line = g_strdup_printf ("peer: skipped: %s", error->message);
      return;
    }
  peer->line = g_strdup (g_strstrip (output));
  peer->median_ms = number_after (peer->line, " ms=");
  peer->least_ms = number_after (peer->line, " min=");
  peer->peak_mb = number_after (peer->line, " peak_mb=");
}

void
bench_peer_clear (BenchPeer *peer)
{
  g_clear_pointer (&peer->line, g_free);
}

static void
copy_bytes (gpointer data, gint64 begin, gint64 end, int thread)
{
  const BenchCopy *copy = data;
  memcpy (copy->to + begin, copy->from + begin, (gsize) (end - begin));
}

void
bench_copy_run (BenchCopy *copy, CpuPool *pool, gsize n_bytes, BenchSamples *samples)
{
  gsize half = MAX (n_bytes / 2, 1);
  if (copy->size_bytes < half)
    {
      bench_copy_clear (copy);
      copy->from = g_malloc (half);
      copy->to = g_malloc (half);
      copy->size_bytes = half;
      memset (copy->from, 1, half);
      memset (copy->to, 2, half);
    }
  double start = bench_now_ms ();
  cpu_pool_run (pool, (gint64) half, 65536, copy_bytes, copy, NULL);
  bench_add (samples, start);
}

void
bench_copy_clear (BenchCopy *copy)
{
  g_clear_pointer (&copy->from, g_free);
  g_clear_pointer (&copy->to, g_free);
  copy->size_bytes = 0;
}
