/* SPDX-License-Identifier: MIT
 * A text of 16,384 tokens, looked at as a person would: from the whole map of a head to
 * single cells. */
#include "config.h"

#include "backend/cpu/hl-cpu.h"
#include "bench-model.h"
#include "bench-text.h"
#include "presenters/hl-summary.h"
#include "trace/hl-attention-source.h"
#include "trace/hl-tracer.h"
#include "trace/hl-word-trace.h"

#include <string.h>
#include <time.h>

/* Tiles of 256 that 1200 x 800 pixels show. */
#define SCREEN_COLUMNS 5
#define SCREEN_ROWS 4
#define PEAK_GOAL_MB 3000.0
#define WAIT_GOAL_MS 100.0

typedef struct
{
  HlBackend *backend;
  HlModel *model;
  HlInput *input;
  HlTrace *trace;
  HlAttentionSource *source;
  HlHeadKey head;
} Bench;

/* How long a look at something would have waited for the work that is running, and how
 * much work of all cores together the most of it was: on a busy machine more time goes by
 * for the same work. */
typedef struct
{
  double before_ms, longest_ms;
  double before_work_ms, most_work_ms;
} Waits;

static double
work_now_ms (void)
{
  struct timespec t = { 0 };
  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double) t.tv_sec * 1e3 + (double) t.tv_nsec / 1e6;
}

static void
waits_begin (Waits *waits)
{
  waits->before_ms = bench_now_ms ();
  waits->before_work_ms = work_now_ms ();
}

static void
yield_cb (gpointer data)
{
  Waits *waits = data;
  double work = work_now_ms () - waits->before_work_ms;
  waits->longest_ms = MAX (waits->longest_ms, bench_now_ms () - waits->before_ms);
  waits->most_work_ms = MAX (waits->most_work_ms, work);
  waits_begin (waits);
}

static void
say_waits (const char *what, Waits *waits)
{
  yield_cb (waits);
  bench_say (what, "%9.3f ms at most, %.0f ms of work (goal: about %.0f)%s",
             waits->longest_ms, waits->most_work_ms, WAIT_GOAL_MS,
             waits->longest_ms <= 1.5 * WAIT_GOAL_MS ? "" : "  MISSED");
}

static void
trace_text (Bench *bench)
{
  g_autoptr (GError) error = NULL;
  Waits waits = { 0 };
  HlProgress progress = { .yield = yield_cb, .yield_data = &waits };
  BenchSamples sample = { 0 };
  HlTraceCost cost = hl_tracer_cost (bench->model, bench->input, NULL);
  BenchMemory before = bench_memory_now ();
  waits_begin (&waits);
  double start = bench_now_ms ();
  bench->trace =
      hl_tracer_run (bench->model, bench->input, bench->backend, NULL, &progress, &error);
  if (bench->trace == NULL)
    bench_fail (error);
  bench_add (&sample, start);
  BenchMemory after = bench_memory_now ();
  bench_row ("trace with q, k, lse, predictions", &sample, "%.0f tokens/s",
             (double) bench->input->ids->shape.dim[1] / sample.ms[0] * 1e3);
  say_waits ("a look during the trace waits", &waits);
  double stated = 1e-6 * (double) (cost.weights + cost.activations + cost.maps);
  double took = after.peak_mb - after.mapped_mb - (before.resident_mb - before.mapped_mb);
  bench_say ("memory the trace took", "%6.0f MB; the tracer said %.0f MB (%.0f %%)", took,
             stated, 100 * stated / took);
}

static void
look (Bench *bench, const char *what, gboolean is_guess, int level, int row, int column)
{
  g_autoptr (GError) error = NULL;
  BenchSamples sample = { 0 };
  double start = bench_now_ms ();
  g_autoptr (HlAttentionTile) tile =
      is_guess
          ? hl_attention_source_guess_tile (bench->source, bench->backend, bench->head,
                                            level, row, column, NULL, &error)
          : hl_attention_source_read_tile (bench->source, bench->backend, bench->head,
                                           level, row, column, NULL, &error);
  if (tile == NULL)
    bench_fail (error);
  bench_add (&sample, start);
  bench_row (what, &sample, "level %d, %d x %d cells", level, tile->n_rows,
             tile->n_columns);
}

/* Some tiles of the lower left half, which causal attention sees. */
static void
look_at_screen (Bench *bench, int level)
{
  g_autoptr (GError) error = NULL;
  BenchSamples screens = { 0 };
  gint64 n = (bench->input->ids->shape.dim[1] >> level) / HL_ATTENTION_TILE_SIDE;
  int n_rows = (int) MIN (SCREEN_ROWS, n), n_columns = (int) MIN (SCREEN_COLUMNS, n);
  for (int pan = 0; pan < 3; pan++)
    {
      int first = (int) (n - n_rows) * (pan + 1) / 3;
      double start = bench_now_ms ();
      for (int i = 0; i < n_rows * n_columns; i++)
        {
          g_autoptr (HlAttentionTile) tile = hl_attention_source_read_tile (
              bench->source, bench->backend, bench->head, level, first + i / n_columns,
              i % n_columns, NULL, &error);
          if (tile == NULL)
            bench_fail (error);
        }
      bench_add (&screens, start);
    }
  bench_row ("a screenful after a pan", &screens, "level %d, %d tiles", level,
             n_rows * n_columns);
}

/* Stops after the first head of the layer. */
typedef struct
{
  Waits waits;
  double end, start_ms, head_ms;
  GCancellable *cancellable;
} Summing;

static void
summing_cb (double fraction, const char *what, gpointer data)
{
  Summing *summing = data;
  if (fraction < summing->end || summing->head_ms > 0)
    return;
  summing->head_ms = bench_now_ms () - summing->start_ms;
  g_cancellable_cancel (summing->cancellable);
}

static void
summarise (Bench *bench)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  double now = bench_now_ms ();
  Summing summing = { .end = 0.9999 / BENCH_H,
                      .start_ms = now,
                      .cancellable = cancellable };
  waits_begin (&summing.waits);
  HlProgress progress = { .func = summing_cb,
                          .func_data = &summing,
                          .yield = yield_cb,
                          .yield_data = &summing.waits,
                          .cancellable = cancellable };
  g_autoptr (HlLayerSummary) layer = hl_layer_summary_new (
      bench->source, bench->backend, 0, bench->head.layer + 1, FALSE, &progress, &error);
  if (summing.head_ms <= 0)
    bench_fail (error);
  bench_say ("summary of one head, exact", "%9.3f ms; of all %d heads %.0f s",
             summing.head_ms, BENCH_L * BENCH_H,
             summing.head_ms * BENCH_L * BENCH_H / 1e3);
  waits_begin (&summing.waits);
  say_waits ("a look during a summary waits", &summing.waits);
  g_autoptr (GError) guess_error = NULL;
  BenchSamples sample = { 0 };
  double start = bench_now_ms ();
  g_autoptr (HlLayerSummary) guess = hl_layer_summary_new (
      bench->source, bench->backend, 0, bench->head.layer + 2, TRUE, NULL, &guess_error);
  if (guess == NULL)
    bench_fail (guess_error);
  bench_add (&sample, start);
  bench_row ("estimates of a layer's summaries", &sample, "of all layers %.1f s",
             sample.ms[0] * BENCH_L / 1e3);
}

/* (transfer full): as many tokens as the text has, three to a word. */
static HlTokenTable *
pieces_of_words (gint64 n)
{
  static const char *const pieces[] = { " un", "believ", "ably" };
  HlTokenTable *table = hl_token_table_new ((int) n);
  for (gint64 i = 0; i < n; i++)
    {
      HlToken *token = &table->tokens[i];
      const char *piece = pieces[i % 3];
      token->bytes = g_bytes_new_static (piece, strlen (piece));
      token->text = g_strdup (piece);
      token->role = HL_ROLE_GENERATED; /* in a row, with no place in a text */
    }
  return table;
}

/* The same maps with the pieces of words joined as they are read. */
static void
look_at_words (Bench *bench)
{
  g_autoptr (GError) error = NULL;
  BenchSamples sample = { 0 };
  HlTokenTable *own = bench->trace->tokens->pdata[0];
  bench->trace->tokens->pdata[0] = pieces_of_words (own->n_tokens);
  hl_token_table_unref (own);
  double start = bench_now_ms ();
  g_autoptr (HlTrace) words = hl_word_trace_new (bench->trace, &error);
  if (words == NULL)
    bench_fail (error);
  bench_add (&sample, start);
  bench_row ("words: found and joined", &sample, "%d tokens, %d words",
             hl_trace_get_tokens (bench->trace, 0)->n_tokens,
             hl_trace_get_tokens (words, 0)->n_tokens);
  HlAttentionSource *source = bench->source;
  bench->source = hl_attention_source_new (words);
  int top = hl_attention_source_top_level (bench->source, bench->head);
  look (bench, "words: first estimate of a map", TRUE, top, 0, 0);
  look (bench, "words: first exact tile", FALSE, 0, 1, 1);
  look (bench, "words: the whole map, exact", FALSE, top, 0, 0);
  hl_attention_source_unref (bench->source);
  bench->source = source;
}

static void
measure (Bench *bench)
{
  trace_text (bench);
  bench->source = hl_attention_source_new (bench->trace);
  bench->head = (HlHeadKey){ 0, 5, 1 };
  int top = hl_attention_source_top_level (bench->source, bench->head);
  look (bench, "first estimate of a whole map", TRUE, top, 0, 0);
  look (bench, "first exact tile", FALSE, 0, 1, 1);
  for (int level = 0; level <= 3 && level <= top; level++)
    look_at_screen (bench, level);
  look (bench, "the whole map, exact", FALSE, top, 0, 0);
  look_at_words (bench);
  summarise (bench);
  BenchMemory memory = bench_memory_now ();
  bench_say ("peak (resident)", "%6.0f MB, of it files mapped %.0f (goal: below %.0f)%s",
             memory.peak_mb, memory.mapped_mb, PEAK_GOAL_MB,
             memory.peak_mb < PEAK_GOAL_MB ? "" : "  MISSED");
}

static void
spawn_child (const char *folder, const BenchTextOptions *options)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *threads = g_strdup_printf ("%d", options->n_threads);
  g_autofree char *tokens = g_strdup_printf ("%d", options->n_tokens);
  const char *argv[] = { "/proc/self/exe", "--long",   "--child", folder, "--threads",
                         threads,          "--tokens", tokens,    NULL };
  int status = 0;
  if (!g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, NULL,
                     &status, &error) ||
      !g_spawn_check_wait_status (status, &error))
    bench_fail (error);
}

void
bench_text_long (const char *folder, const BenchTextOptions *options)
{
  g_autoptr (GError) error = NULL;
  Bench bench = { 0 };
  if (options->child == NULL)
    {
      double T = options->n_tokens;
      bench_title ("== long: %d tokens, random GPT-2 (small); all maps would be %.0f GB "
                   "==",
                   options->n_tokens, 4e-9 * BENCH_L * BENCH_H * T * T);
      spawn_child (folder, options);
      return;
    }
  bench.backend = hl_cpu_backend_new (HL_DTYPE_F32, options->n_threads);
  bench.model = hl_model_open (folder, &error);
  if (bench.model == NULL)
    bench_fail (error);
  bench.input = bench_model_text (options->n_tokens);
  measure (&bench);
  hl_attention_source_unref (bench.source);
  hl_trace_unref (bench.trace);
  hl_input_unref (bench.input);
  hl_model_unref (bench.model);
  hl_backend_unref (bench.backend);
}
