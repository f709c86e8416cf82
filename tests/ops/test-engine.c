/* SPDX-License-Identifier: MIT
 * The engine's promises: what is looked at goes first, long work gives way, progress is
 * coalesced, cancelling is quick, nothing is lost at the end. */
#include "backend/cpu/hl-cpu.h"
#include "base/hl-error.h"
#include "engine/hl-engine.h"
#include "synthetic.h"

#include <string.h>

#define PATIENCE_MS 20000

/* What jobs leave behind for the test to look at. */
typedef struct
{
  GMutex lock;
  GCond changed;
  gboolean is_open; /* jobs that wait at the gate go on */
  GString *order;   /* one letter a job that ran */
  int n_started;
  int n_steps;
  int n_freed; /* data */
  int n_results_freed;
  int n_callbacks;
  int n_cancelled;
  int n_progress;
  double last_fraction;
  GThread *main_thread;
  gboolean is_wrong_thread;
} Log;

typedef struct
{
  Log *log;
  char letter;
  gboolean waits; /* at the gate */
  int n_steps;    /* of a millisecond */
  gboolean fails;
  gboolean takes; /* the result, in the callback */
  gboolean has_run;
} JobData;

static void
log_init (Log *log)
{
  memset (log, 0, sizeof *log);
  g_mutex_init (&log->lock);
  g_cond_init (&log->changed);
  log->order = g_string_new (NULL);
  log->main_thread = g_thread_self ();
}

static void
log_clear (Log *log)
{
  /* What is still on its way here refers to the log. */
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_false (log->is_wrong_thread);
  g_string_free (log->order, TRUE);
  g_mutex_clear (&log->lock);
  g_cond_clear (&log->changed);
}

static void
open_gate (Log *log)
{
  g_mutex_lock (&log->lock);
  log->is_open = TRUE;
  g_cond_broadcast (&log->changed);
  g_mutex_unlock (&log->lock);
}

/* Without a main loop. */
static void
await_count (Log *log, const int *count, int least)
{
  gint64 end = g_get_monotonic_time () + PATIENCE_MS * 1000;
  g_mutex_lock (&log->lock);
  while (*count < least)
    g_assert_true (g_cond_wait_until (&log->changed, &log->lock, end));
  g_mutex_unlock (&log->lock);
}

static void
await_callbacks (Log *log, int n)
{
  gint64 end = g_get_monotonic_time () + PATIENCE_MS * 1000;
  while (log->n_callbacks < n)
    {
      if (!g_main_context_iteration (NULL, FALSE))
        g_usleep (200);
      g_assert_cmpint (g_get_monotonic_time (), <, end);
    }
}

static void
enter (JobData *job)
{
  Log *log = job->log;
  g_mutex_lock (&log->lock);
  log->n_started++;
  log->is_wrong_thread |= g_thread_self () == log->main_thread;
  g_cond_broadcast (&log->changed);
  while (job->waits && !log->is_open)
    g_cond_wait (&log->changed, &log->lock);
  g_mutex_unlock (&log->lock);
}

static gpointer
job_func (gpointer data, HlBackend *backend, const HlProgress *progress, GError **error)
{
  JobData *job = data;
  Log *log = job->log;
  job->has_run = TRUE;
  enter (job);
  for (int i = 0; i < job->n_steps; i++)
    {
      if (!hl_progress_step (progress, (double) i / job->n_steps, "stepping", error))
        return NULL;
      g_usleep (1000);
      g_mutex_lock (&log->lock);
      log->n_steps++;
      g_cond_broadcast (&log->changed);
      g_mutex_unlock (&log->lock);
    }
  g_mutex_lock (&log->lock);
  g_string_append_c (log->order, job->letter);
  g_mutex_unlock (&log->lock);
  if (!job->fails)
    return log;
  g_set_error (error, HL_ERROR, HL_ERROR_RANGE, "job %c: failed", job->letter);
  return NULL;
}

static void
data_free (gpointer data)
{
  JobData *job = data;
  g_mutex_lock (&job->log->lock);
  job->log->is_wrong_thread |= job->has_run && g_thread_self () == job->log->main_thread;
  job->log->n_freed++;
  g_cond_broadcast (&job->log->changed);
  g_mutex_unlock (&job->log->lock);
  g_free (job);
}

static void
result_free (gpointer result)
{
  Log *log = result;
  g_mutex_lock (&log->lock);
  log->n_results_freed++;
  g_mutex_unlock (&log->lock);
}

static void
progress_cb (double fraction, const char *what, gpointer user_data)
{
  Log *log = user_data;
  log->is_wrong_thread |= g_thread_self () != log->main_thread;
  log->n_progress++;
  log->last_fraction = fraction;
  g_assert_cmpstr (what, ==, "stepping");
}

typedef struct
{
  Log *log;
  HlEngine *engine;
  gboolean takes;
} Reply;

static void
done_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Reply *reply = user_data;
  Log *log = reply->log;
  log->is_wrong_thread |= g_thread_self () != log->main_thread;
  log->n_callbacks++;
  if (!reply->takes)
    return;
  g_autoptr (GError) error = NULL;
  gpointer value = hl_engine_finish (reply->engine, result, &error);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    log->n_cancelled++;
  g_assert_true ((value == NULL) == (error != NULL));
}

static void
submit (
    Log *log, HlEngine *engine, HlJobKind kind, JobData job, GCancellable *cancellable)
{
  job.log = log;
  Reply reply = { .log = log, .engine = engine, .takes = job.takes };
  hl_engine_submit (engine, kind, job_func, g_memdup2 (&job, sizeof job), data_free,
                    result_free, cancellable, progress_cb, log, done_cb,
                    g_memdup2 (&reply, sizeof reply));
}

#define JOB(...) ((JobData){ .takes = TRUE, __VA_ARGS__ })

static void
test_foreground_first (void)
{
  Log log;
  log_init (&log);
  HlEngine *engine = hl_engine_new_io ();
  submit (&log, engine, HL_JOB_BACKGROUND, JOB (.letter = 'a', .waits = TRUE), NULL);
  await_count (&log, &log.n_started, 1);
  submit (&log, engine, HL_JOB_BACKGROUND, JOB (.letter = 'b'), NULL);
  submit (&log, engine, HL_JOB_FOREGROUND, JOB (.letter = 'F'), NULL);
  submit (&log, engine, HL_JOB_BACKGROUND, JOB (.letter = 'c'), NULL);
  submit (&log, engine, HL_JOB_FOREGROUND, JOB (.letter = 'G'), NULL);
  g_assert_cmpint (hl_engine_get_n_waiting (engine), ==, 5);
  open_gate (&log);
  await_callbacks (&log, 5);
  g_assert_cmpstr (log.order->str, ==, "aFGbc");
  g_assert_cmpint (hl_engine_get_n_waiting (engine), ==, 0);
  g_assert_finalize_object (engine);
  g_assert_cmpint (log.n_freed, ==, 5);
  log_clear (&log);
}

/* Long work gives way between its steps, to the foreground only. */
static void
test_gives_way (void)
{
  Log log;
  log_init (&log);
  HlEngine *engine = hl_engine_new_io ();
  submit (&log, engine, HL_JOB_BACKGROUND, JOB (.letter = 'a', .n_steps = 200), NULL);
  await_count (&log, &log.n_steps, 5);
  submit (&log, engine, HL_JOB_BACKGROUND, JOB (.letter = 'b'), NULL);
  submit (&log, engine, HL_JOB_FOREGROUND, JOB (.letter = 'F', .n_steps = 3), NULL);
  submit (&log, engine, HL_JOB_FOREGROUND, JOB (.letter = 'G'), NULL);
  await_callbacks (&log, 4);
  g_assert_cmpstr (log.order->str, ==, "FGab");
  g_assert_finalize_object (engine);
  log_clear (&log);
}

/* Two hundred steps while nobody listens are one delivery, of the latest figure. */
static void
test_progress_coalesced (void)
{
  Log log;
  log_init (&log);
  HlEngine *engine = hl_engine_new_io ();
  submit (&log, engine, HL_JOB_BACKGROUND, JOB (.letter = 'a', .n_steps = 200), NULL);
  await_count (&log, &log.n_steps, 100);
  g_assert_cmpint (log.n_progress, ==, 0);
  while (log.n_progress == 0)
    g_main_context_iteration (NULL, FALSE);
  g_assert_cmpint (log.n_progress, ==, 1);
  g_assert_cmpfloat (log.last_fraction, >=, 99 / 200.0);
  await_callbacks (&log, 1);
  int n = log.n_progress;
  while (g_main_context_iteration (NULL, FALSE))
    ;
  /* Nothing is told of a job that is over. */
  g_assert_cmpint (log.n_progress, ==, n);
  g_assert_finalize_object (engine);
  log_clear (&log);
}

/* Progress of a finished job that was never delivered is dropped. */
static void
test_progress_of_the_past (void)
{
  Log log;
  log_init (&log);
  HlEngine *engine = hl_engine_new_io ();
  submit (&log, engine, HL_JOB_BACKGROUND, JOB (.letter = 'a', .n_steps = 20), NULL);
  await_count (&log, &log.n_steps, 20);
  while (hl_engine_get_n_waiting (engine) > 0)
    g_usleep (1000);
  await_callbacks (&log, 1);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpint (log.n_progress, ==, 0);
  g_assert_finalize_object (engine);
  log_clear (&log);
}

/* From cancelling to the callback; the best of five, as the machine may be busy. */
static void
test_cancel_is_quick (void)
{
  gint64 best_us = G_MAXINT64;
  for (int i = 0; i < 5; i++)
    {
      Log log;
      log_init (&log);
      HlEngine *engine = hl_engine_new_io ();
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      submit (&log, engine, HL_JOB_BACKGROUND, JOB (.letter = 'a', .n_steps = 15000),
              cancellable);
      await_count (&log, &log.n_steps, 3);
      gint64 began = g_get_monotonic_time ();
      g_cancellable_cancel (cancellable);
      await_callbacks (&log, 1);
      best_us = MIN (best_us, g_get_monotonic_time () - began);
      g_assert_cmpint (log.n_cancelled, ==, 1);
      g_assert_finalize_object (engine);
      log_clear (&log);
    }
  g_assert_cmpint (best_us, <, 100 * 1000);
}

static void
test_cancelled_before (void)
{
  Log log;
  log_init (&log);
  HlEngine *engine = hl_engine_new_io ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  submit (&log, engine, HL_JOB_BACKGROUND, JOB (.letter = 'a', .waits = TRUE), NULL);
  await_count (&log, &log.n_started, 1);
  submit (&log, engine, HL_JOB_BACKGROUND, JOB (.letter = 'b'), cancellable);
  g_cancellable_cancel (cancellable);
  open_gate (&log);
  await_callbacks (&log, 2);
  g_assert_cmpstr (log.order->str, ==, "a");
  g_assert_cmpint (log.n_cancelled, ==, 1);
  g_assert_finalize_object (engine);
  g_assert_cmpint (log.n_freed, ==, 2);
  log_clear (&log);
}

/* A result that came after cancelling is an error, and is freed. */
static void
test_cancelled_too_late (void)
{
  Log log;
  log_init (&log);
  HlEngine *engine = hl_engine_new_io ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  submit (&log, engine, HL_JOB_BACKGROUND, JOB (.letter = 'a'), cancellable);
  while (hl_engine_get_n_waiting (engine) > 0)
    g_usleep (1000);
  g_cancellable_cancel (cancellable);
  await_callbacks (&log, 1);
  g_assert_cmpstr (log.order->str, ==, "a");
  g_assert_cmpint (log.n_cancelled, ==, 1);
  g_assert_finalize_object (engine);
  g_assert_cmpint (log.n_results_freed, ==, 1);
  log_clear (&log);
}

static void
test_untaken_result (void)
{
  Log log;
  log_init (&log);
  HlEngine *engine = hl_engine_new_io ();
  submit (&log, engine, HL_JOB_FOREGROUND, (JobData){ .letter = 'a' }, NULL);
  submit (&log, engine, HL_JOB_FOREGROUND, JOB (.letter = 'b'), NULL);
  submit (&log, engine, HL_JOB_FOREGROUND, JOB (.letter = 'c', .fails = TRUE), NULL);
  await_callbacks (&log, 3);
  g_assert_finalize_object (engine);
  g_assert_cmpint (log.n_results_freed, ==, 1);
  g_assert_cmpint (log.n_freed, ==, 3);
  log_clear (&log);
}

/* The job in hand ends, the rest is dropped and told so. */
static void
test_stop (void)
{
  Log log;
  log_init (&log);
  HlEngine *engine = hl_engine_new_io ();
  submit (&log, engine, HL_JOB_BACKGROUND, JOB (.letter = 'a', .n_steps = 50), NULL);
  await_count (&log, &log.n_steps, 1);
  submit (&log, engine, HL_JOB_BACKGROUND, JOB (.letter = 'b'), NULL);
  submit (&log, engine, HL_JOB_BACKGROUND, JOB (.letter = 'c'), NULL);
  hl_engine_stop (engine);
  await_callbacks (&log, 3);
  g_assert_cmpstr (log.order->str, ==, "a");
  g_assert_cmpint (log.n_cancelled, ==, 2);
  g_assert_cmpint (hl_engine_get_n_waiting (engine), ==, 0);
  g_assert_finalize_object (engine);
  g_assert_cmpint (log.n_freed, ==, 3);
  log_clear (&log);
}

static void
read_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **) user_data = g_object_ref (result);
}

static gpointer
await_reading (HlEngine *engine, GAsyncResult **result, GError **error)
{
  while (*result == NULL)
    g_main_context_iteration (NULL, TRUE);
  gpointer value = hl_engine_finish (engine, *result, error);
  g_clear_object (result);
  return value;
}

/* The asynchronous face gives what the plain one gives. */
static void
test_readings (void)
{
  static const SyntheticShape shape = { "33", 33, 33, 2, 1, 8, TRUE, FALSE };
  Synthetic made;
  GAsyncResult *result = NULL;
  g_autoptr (GError) error = NULL;
  HlHeadKey key = { 0, 0, 1 };
  synthetic_init (&made, &shape);
  HlEngine *engine = hl_engine_new ("engine");
  g_autoptr (HlAttentionSource) source = hl_attention_source_new (made.recomputed);
  hl_engine_read_tile_async (engine, source, key, 1, 0, 0, FALSE, NULL, read_cb, &result);
  g_autoptr (HlAttentionTile) tile = await_reading (engine, &result, &error);
  g_assert_no_error (error);
  g_assert_cmpint (tile->n_rows, ==, 17);
  const double *map = made.maps + 33 * 33;
  g_assert_cmpfloat_with_epsilon ((double) tile->mean[0],
                                  (map[0] + map[1] + map[33] + map[34]) / 4, 1e-6);
  g_assert_cmpfloat_with_epsilon ((double) tile->max[0], map[0], 1e-6);
  hl_engine_read_lines_async (engine, source, key, 20, 3, NULL, read_cb, &result);
  g_autoptr (HlAttentionLines) lines = await_reading (engine, &result, &error);
  g_assert_no_error (error);
  for (int i = 0; i < 33; i++)
    {
      g_assert_cmpfloat_with_epsilon ((double) lines->row[i], map[20 * 33 + i], 1e-6);
      g_assert_cmpfloat_with_epsilon ((double) lines->column[i], map[i * 33 + 3], 1e-6);
    }
  hl_engine_read_lines_async (engine, source, key, -1, 3, NULL, read_cb, &result);
  g_autoptr (HlAttentionLines) column = await_reading (engine, &result, &error);
  g_assert_null (column->row);
  g_assert_nonnull (column->column);
  hl_engine_read_tile_async (engine, source, key, 0, 7, 0, FALSE, NULL, read_cb, &result);
  g_assert_null (await_reading (engine, &result, &error));
  g_assert_error (error, HL_ERROR, HL_ERROR_RANGE);
  g_assert_finalize_object (engine);
  synthetic_clear (&made);
}

/* The first level above single entries: its cells are pooled where the backend computes.
 */
static gpointer
read_tile (HlEngine *engine, HlAttentionSource *source, GError **error)
{
  GAsyncResult *result = NULL;
  hl_engine_read_tile_async (engine, source, (HlHeadKey){ 0, 0, 1 }, 1, 0, 0, FALSE, NULL,
                             read_cb, &result);
  return await_reading (engine, &result, error);
}

/* On the emulated device, chosen between two jobs; when it fails its job fails, and the
 * next one runs on the CPU, to the same numbers. */
static void
test_backend_changes (void)
{
  static const SyntheticShape shape = { "33", 33, 33, 2, 1, 8, TRUE, FALSE };
  const HlBackendChoice cuda = { .id = "cuda", .precision = "bf16" };
  Synthetic made;
  g_autoptr (GError) error = NULL, lost = NULL;
  const char *precision;
  synthetic_init (&made, &shape);
  HlEngine *engine = hl_engine_new ("engine");
  g_autoptr (HlAttentionSource) source = hl_attention_source_new (made.recomputed);
  g_assert_cmpstr (hl_engine_get_backend (engine, &precision), ==, "");
  hl_engine_set_backend (engine, &(HlBackendChoice){ .id = "cpu" });
  g_autoptr (HlAttentionTile) first = read_tile (engine, source, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (hl_engine_get_backend (engine, &precision), ==, "cpu");
  g_setenv ("HEADLIGHT_EMULATED_LOSE", "2", TRUE);
  hl_engine_set_backend (engine, &cuda);
  g_autoptr (HlAttentionTile) second = read_tile (engine, source, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (hl_engine_get_backend (engine, &precision), ==, "cuda");
  g_assert_cmpstr (precision, ==, "bfloat16");
  g_assert_null (read_tile (engine, source, &lost));
  g_assert_error (lost, HL_ERROR, HL_ERROR_DEVICE);
  g_assert_nonnull (strstr (lost->message, "CPU"));
  g_autoptr (HlAttentionTile) third = read_tile (engine, source, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (hl_engine_get_backend (engine, &precision), ==, "cpu");
  for (int i = 0; i < first->n_rows * first->n_columns; i++)
    {
      /* Maps are recomputed in float32 whatever the run was in. */
      g_assert_cmpfloat_with_epsilon (second->mean[i], first->mean[i], 1e-6);
      g_assert_cmpfloat_with_epsilon (third->mean[i], first->mean[i], 1e-9);
    }
  g_assert_finalize_object (engine);
  synthetic_clear (&made);
}

static void
test_unknown_backend (void)
{
  GAsyncResult *result = NULL;
  g_autoptr (GError) error = NULL;
  Synthetic made;
  static const SyntheticShape shape = { "3", 3, 3, 1, 1, 4, FALSE, FALSE };
  synthetic_init (&made, &shape);
  const HlBackendChoice abacus = { .id = "abacus" };
  HlEngine *engine = hl_engine_new ("engine");
  hl_engine_set_backend (engine, &abacus);
  g_autoptr (HlAttentionSource) source = hl_attention_source_new (made.stored);
  hl_engine_read_tile_async (engine, source, (HlHeadKey){ 0, 0, 0 }, 0, 0, 0, FALSE, NULL,
                             read_cb, &result);
  g_assert_null (await_reading (engine, &result, &error));
  g_assert_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "abacus"));
  g_assert_finalize_object (engine);
  synthetic_clear (&made);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/engine/backend-changes", test_backend_changes);
  g_test_add_func ("/engine/foreground-first", test_foreground_first);
  g_test_add_func ("/engine/gives-way", test_gives_way);
  g_test_add_func ("/engine/progress-coalesced", test_progress_coalesced);
  g_test_add_func ("/engine/progress-of-the-past", test_progress_of_the_past);
  g_test_add_func ("/engine/cancel-is-quick", test_cancel_is_quick);
  g_test_add_func ("/engine/cancelled-before", test_cancelled_before);
  g_test_add_func ("/engine/cancelled-too-late", test_cancelled_too_late);
  g_test_add_func ("/engine/untaken-result", test_untaken_result);
  g_test_add_func ("/engine/stop", test_stop);
  g_test_add_func ("/engine/readings", test_readings);
  g_test_add_func ("/engine/unknown-backend", test_unknown_backend);
  return g_test_run ();
}
