/* SPDX-License-Identifier: MIT
 * What the benches share: samples and their median, rows of the table, a folder that goes
 * away again, and the machine's own rates to compare with. Nothing here is a test. */
#pragma once

#include "backend/cpu/cpu-pool.h"

G_BEGIN_DECLS

#define BENCH_MAX_SAMPLES 400

/** BenchSamples: times of one thing, in milliseconds. */
typedef struct
{
  int n;
  double ms[BENCH_MAX_SAMPLES];
} BenchSamples;

double bench_now_ms (void);

/** bench_add: the time since @start_ms as one more sample; beyond the most, dropped. */
void bench_add (BenchSamples *samples, double start_ms);

/** bench_median, _min, _quantile: 0 where there are no samples. */
double bench_median (const BenchSamples *samples);
double bench_min (const BenchSamples *samples);

/** bench_quantile: the least sample that a share of @q of them do not exceed. */
double bench_quantile (const BenchSamples *samples, double q);

/** bench_title: a line above a group of rows. */
void bench_title (const char *format, ...) G_GNUC_PRINTF (1, 2);

/** bench_row: what, median, smallest, and a remark in words and numbers. */
void bench_row (const char *what, const BenchSamples *samples, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

/** bench_say: a row that is no time. */
void bench_say (const char *what, const char *format, ...) G_GNUC_PRINTF (2, 3);

/** bench_fail: prints @error and ends the program with 1; a bench has nobody to ask. */
void bench_fail (const GError *error) G_GNUC_NORETURN;

/** bench_folder_new: (transfer full): in the folder for temporary files. */
char *bench_folder_new (void);

/** bench_folder_free: removes the folder with the files in it. */
void bench_folder_free (char *folder);

/** bench_drop_spinning: waits until OpenBLAS' own threads, which look for work for a
 * while after each product, have gone to sleep and take no time from what comes next. */
void bench_drop_spinning (void);

/** BenchMemory: of this process, in MB: the most that was resident, what is resident now
 * and which part of that is mapped files; 0 where the system does not tell. */
typedef struct
{
  double peak_mb, resident_mb, mapped_mb;
} BenchMemory;

BenchMemory bench_memory_now (void);

/**
 * BenchPeer: what a peer's script said of itself.
 * @median_ms, @least_ms: 0 where it did not run
 * @peak_mb: the most memory it had resident; 0 where it did not say
 * @line: its own words
 */
typedef struct
{
  double median_ms, least_ms, peak_mb;
  char *line;
} BenchPeer;

/**
 * bench_peer_run:
 * @arguments: of @script, NULL-terminated
 * By HEADLIGHT_PEER_PYTHON, or python3. A peer that is not there is no failure: @line
 * says why.
 */
void bench_peer_run (BenchPeer *peer, const char *script, const char *const *arguments);
void bench_peer_clear (BenchPeer *peer);

/**
 * bench_copy:
 * @n_bytes: read and written together, so half as many are copied
 * Times one copy by the threads of @pool; the arrays are its own and kept between calls.
 */
typedef struct
{
  guint8 *from;
  guint8 *to;
  gsize size_bytes;
} BenchCopy;

void
bench_copy_run (BenchCopy *copy, CpuPool *pool, gsize n_bytes, BenchSamples *samples);
void bench_copy_clear (BenchCopy *copy);

G_END_DECLS
