/* SPDX-License-Identifier: MIT
 * Blocks that are run again for their gradients: every number is that of a tape which
 * keeps everything, in less memory, and cancelling leaves nothing behind. */
#include "analysis/hl-importance.h"
#include "counting-backend.h"
#include "golden-model.h"
#include "ops/hl-tape.h"

#include <math.h>
#include <string.h>

/**
 * Setup: of a run.
 * @watch, @capture: sites, or NULL
 * @change: at @site of layer 1; a gate prunes a head, @watches_gates wants their gradient
 * @starts_late: at block 1, with what comes out of block 0
 * @has_one_row: only the row that is read, of the last block
 * @has_cache: which every block extends once, so that none is run again
 */
typedef struct
{
  const char *watch;
  const char *capture;
  HlInterventionKind change;
  HlSite site;
  gboolean watches_gates;
  gboolean starts_late;
  gboolean has_one_row;
  gboolean has_cache;
} Setup;

/* What came of a run: tensors by name. */
typedef struct
{
  GHashTable *grads;
  GHashTable *values; /* of what was watched */
  GHashTable *captured;
  gsize captured_bytes;
  gint64 n_ops;
} Result;

static GHashTable *
tensors_new (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                (GDestroyNotify) hl_tensor_unref);
}

static void
result_clear (Result *r)
{
  g_hash_table_unref (r->grads);
  g_hash_table_unref (r->values);
  g_hash_table_unref (r->captured);
}

/* Numbers from -1 to 1 that differ, in an order that tells nothing. */
static HlTensor *
numbers (HlDtype dtype, HlShape shape)
{
  g_autoptr (HlTensor) t = hl_tensor_new (HL_DTYPE_F64, shape, NULL);
  for (gint64 i = 0; i < hl_tensor_count (t); i++)
    ((double *) t->data)[i] = cos ((double) i);
  return hl_tensor_convert (t, dtype, NULL);
}

static HlIntervention *
prune_head (const HlModelInfo *info, HlDtype dtype)
{
  int H = hl_model_info_get_stack (info, 0)->layers[1].n_heads;
  g_autofree double *ones = g_new (double, (gsize) H);
  for (int h = 0; h < H; h++)
    ones[h] = h > 0;
  g_autoptr (HlTensor) wide = hl_tensor_new_copy (HL_DTYPE_F64, HL_SHAPE (1, H), ones);
  g_autoptr (HlTensor) gates = hl_tensor_convert (wide, dtype, NULL);
  return hl_intervention_new (HL_INTERVENTION_GATE, HL_SITE_Z, 0, 1, NULL, gates,
                              "prune");
}

/* A change of layer 1, or NULL; @like has the site's value. */
static HlIntervention *
change_of (const Setup *setup, HlRun *run, HlTensor *like)
{
  HlDtype dtype = run->exec.backend->dtype;
  if (setup->change == HL_INTERVENTION_NONE)
    return NULL;
  if (setup->change == HL_INTERVENTION_GATE)
    return prune_head (run->model, dtype);
  HlShape shape = like->shape, one = { .n_dims = like->shape.n_dims };
  for (int i = 0; i < one.n_dims; i++)
    one.dim[i] = 1;
  const double half = 0.5;
  g_autoptr (HlTensor) mask = hl_tensor_new_copy (HL_DTYPE_F64, one, &half);
  g_autoptr (HlTensor) value = numbers (dtype, shape);
  return hl_intervention_new (setup->change, setup->site, 0, 1, mask, value, "change");
}

/* The value of a site of layer 1, or what block 0 gives where @site is HL_N_SITES. */
static HlTensor *
value_of (const HlModel *model, const HlInput *input, HlBackend *backend, HlSite site)
{
  HlRun run;
  const HlModelInfo *info = hl_model_get_info (model);
  hl_run_init (&run, backend, info, NULL);
  g_autofree char *name = site < HL_N_SITES
                              ? hl_site_name (info, site, 0, 1)
                              : hl_site_name (info, HL_SITE_RESID_PRE, 0, 1);
  hl_run_capture (&run, name);
  g_autoptr (HlTensor) logits = hl_model_forward (model, &run, input);
  g_assert_no_error (run.exec.error);
  HlTensor *found = hl_tensor_ref (g_hash_table_lookup (run.captured, name));
  hl_run_clear (&run);
  return found;
}

static void
begin_run (HlRun *run,
           const Setup *setup,
           const HlModel *model,
           const HlInput *input,
           HlBackend *backend,
           HlTape *tape)
{
  g_autoptr (HlTensor) like = value_of (model, input, backend, setup->site);
  g_autoptr (HlTensor) first = value_of (model, input, backend, HL_N_SITES);
  hl_run_init (run, backend, hl_model_get_info (model), NULL);
  run->exec.tape = tape;
  g_autoptr (HlIntervention) change = change_of (setup, run, like);
  if (change != NULL)
    hl_run_add_intervention (run, change);
  if (setup->watches_gates)
    hl_tape_watch (tape, change->value);
  if (setup->watch != NULL)
    hl_run_watch (run, setup->watch);
  if (setup->starts_late)
    hl_run_start_at (run, 1, first);
  if (setup->has_one_row)
    run->only_row = hl_model_get_readout_row (model, input);
}

static void
keep (GHashTable *into, const char *name, HlTensor *x)
{
  if (x != NULL)
    g_hash_table_replace (into, g_strdup (name), hl_tensor_convert (x, x->dtype, NULL));
}

static void
take (Result *r, HlRun *run, const HlTape *tape, const Setup *setup)
{
  GHashTableIter iter;
  gpointer name, value;
  g_hash_table_iter_init (&iter, run->watched);
  while (g_hash_table_iter_next (&iter, &name, &value))
    {
      g_autoptr (HlTensor) grad = hl_tape_get_grad (tape, value);
      keep (r->grads, name, grad);
      keep (r->values, name, grad != NULL ? value : NULL);
    }
  g_hash_table_iter_init (&iter, run->captured);
  while (g_hash_table_iter_next (&iter, &name, &value))
    keep (r->captured, name, value);
  if (setup->watches_gates)
    {
      const HlIntervention *gate = g_ptr_array_index (run->interventions, 0);
      g_autoptr (HlTensor) grad = hl_tape_get_grad (tape, gate->value);
      g_assert_nonnull (grad);
      keep (r->grads, "gates", grad);
    }
  r->captured_bytes = run->captured_bytes;
}

static Result
run_once (const Setup *setup,
          const HlModel *model,
          const HlInput *input,
          CountingBackend *backend,
          gboolean recomputes)
{
  HlRun run;
  Result r = { tensors_new (), tensors_new (), tensors_new (), 0, 0 };
  g_autoptr (HlTape) tape = hl_tape_new ();
  g_autoptr (HlKvCache) cache = hl_kv_cache_new ();
  begin_run (&run, setup, model, input, &backend->parent, tape);
  if (setup->capture != NULL)
    hl_run_capture (&run, setup->capture);
  run.recomputes = recomputes;
  run.cache = setup->has_cache ? cache : NULL;
  backend->n_ops = 0;
  g_autoptr (HlTensor) logits = hl_model_forward (model, &run, input);
  g_assert_no_error (run.exec.error);
  g_autoptr (HlTensor) seed = numbers (logits->dtype, logits->shape);
  g_assert_true (hl_tape_backward (tape, &run.exec, logits, seed));
  g_assert_cmpuint (tape->records->len, ==, 0);
  take (&r, &run, tape, setup);
  r.n_ops = backend->n_ops;
  hl_run_clear (&run);
  return r;
}

/* To the last bit, but for the sign of zero. */
static void
compare (GHashTable *found, GHashTable *wanted)
{
  GHashTableIter iter;
  gpointer name, value;
  g_assert_cmpuint (g_hash_table_size (found), ==, g_hash_table_size (wanted));
  g_hash_table_iter_init (&iter, wanted);
  while (g_hash_table_iter_next (&iter, &name, &value))
    {
      g_autoptr (HlTensor) x =
          hl_tensor_convert (g_hash_table_lookup (found, name), HL_DTYPE_F64, NULL);
      g_autoptr (HlTensor) y = hl_tensor_convert (value, HL_DTYPE_F64, NULL);
      g_assert_true (hl_shape_equal (&x->shape, &y->shape));
      for (gint64 i = 0; i < hl_tensor_count (y); i++)
        if (((double *) x->data)[i] != ((double *) y->data)[i])
          g_error ("%s, number %d: %g expected, %g found", (char *) name, (int) i,
                   ((double *) y->data)[i], ((double *) x->data)[i]);
    }
}

static void
check_setup (const Setup *setup, const char *name, HlDtype dtype)
{
  g_autoptr (HlModel) model = NULL;
  g_autoptr (HlInput) input = NULL;
  golden_open_model (name, &model, &input);
  CountingBackend *backend = counting_backend_new (dtype, 2);
  Result wanted = run_once (setup, model, input, backend, FALSE);
  Result found = run_once (setup, model, input, backend, TRUE);
  g_assert_cmpuint (g_hash_table_size (wanted.grads), >, 0);
  if (setup->has_cache)
    g_assert_cmpint (found.n_ops, ==, wanted.n_ops);
  else
    g_assert_cmpint (found.n_ops, >, wanted.n_ops);
  compare (found.grads, wanted.grads);
  compare (found.values, wanted.values);
  compare (found.captured, wanted.captured);
  g_assert_cmpuint (found.captured_bytes, ==, wanted.captured_bytes);
  result_clear (&wanted);
  result_clear (&found);
  hl_backend_unref (&backend->parent);
}

/* Some with maps that are made apart, some with the fused op. */
static void
test_same (gconstpointer name)
{
  static const Setup setups[] = {
    { "*hook_*", "*hook_*" },
    { "*attn.hook_z", NULL, .has_cache = TRUE },
    { "*attn.hook_z", "*hook_resid_*", .has_one_row = TRUE },
    { "*hook_*", "*attn.hook_z", .starts_late = TRUE },
    { "*hook_*", NULL, HL_INTERVENTION_GATE, .watches_gates = TRUE },
    { NULL, NULL, HL_INTERVENTION_GATE, .watches_gates = TRUE, .has_one_row = TRUE },
    { "*attn.hook_pattern", NULL, HL_INTERVENTION_BLEND, HL_SITE_PATTERN },
    { "*hook_*", NULL, HL_INTERVENTION_BLEND, HL_SITE_V },
    /* Handed through as it is: what lies before it has no gradient. */
    { "*hook_*", "*hook_*", HL_INTERVENTION_REPLACE, HL_SITE_RESID_POST },
  };
  for (guint i = 0; i < G_N_ELEMENTS (setups); i++)
    {
      check_setup (&setups[i], name, HL_DTYPE_F32);
      check_setup (&setups[i], name, HL_DTYPE_F64);
    }
}

/* ---- the model that ships, which has more layers --------------------------------------
 */

#define T 96

static void
open_shipped (HlModel **model, HlInput **input)
{
  g_autoptr (GError) error = NULL;
  gint32 ids[T];
  g_autofree char *folder =
      g_test_build_filename (G_TEST_DIST, "..", "data", "models", "gpt-kjv", NULL);
  *model = hl_model_open (folder, &error);
  g_assert_no_error (error);
  for (int i = 0; i < T; i++)
    ids[i] = (i * 37 + 11) % hl_model_get_info (*model)->n_vocab;
  *input = hl_model_open_ids (*model, ids, T, &error);
  g_assert_no_error (error);
}

/* Bytes: the most that were held, those before the way back, and what was expected. */
typedef struct
{
  gsize peak, kept, estimate;
} Held;

static Held
measure (const HlModel *model,
         const HlInput *input,
         const char *watch,
         gboolean recomputes)
{
  HlRun run;
  Held held;
  CountingBackend *backend = counting_backend_new (HL_DTYPE_F32, 2);
  g_autoptr (HlTape) tape = hl_tape_new ();
  hl_run_init (&run, &backend->parent, hl_model_get_info (model), NULL);
  run.exec.tape = tape;
  run.recomputes = recomputes;
  hl_run_watch (&run, watch);
  held.estimate = hl_run_tape_bytes (&run, T);
  g_autoptr (HlTensor) logits = hl_model_forward (model, &run, input);
  g_assert_no_error (run.exec.error);
  held.kept = backend->live_bytes;
  g_autoptr (HlTensor) seed = numbers (HL_DTYPE_F32, logits->shape);
  g_assert_true (hl_tape_backward (tape, &run.exec, logits, seed));
  held.peak = backend->peak_bytes;
  hl_run_clear (&run);
  g_clear_pointer (&tape, hl_tape_free);
  g_clear_pointer (&logits, hl_tensor_unref);
  hl_backend_unref (&backend->parent);
  return held;
}

/* The estimate is of blocks alone; embeddings and the readout come on top. */
static void
test_memory (void)
{
  g_autoptr (HlModel) model = NULL;
  g_autoptr (HlInput) input = NULL;
  open_shipped (&model, &input);
  gint64 L = hl_model_info_get_stack (hl_model_get_info (model), 0)->n_layers;
  g_assert_cmpint (L, >=, 6);
  static const char *const watched[] = { "*attn.hook_z", "*blocks.0.hook_resid_pre",
                                         "*blocks.0.attn.hook_pattern",
                                         "*attn.hook_pattern" };
  for (guint i = 0; i < G_N_ELEMENTS (watched); i++)
    {
      Held all = measure (model, input, watched[i], FALSE);
      Held less = measure (model, input, watched[i], TRUE);
      g_test_message ("%s: peak %zu instead of %zu, before the way back %zu instead of "
                      "%zu, %zu estimated",
                      watched[i], less.peak, all.peak, less.kept, all.kept, all.estimate);
      g_assert_cmpuint (2 * less.peak, <, all.peak);
      g_assert_cmpuint (8 * less.kept, <, all.kept);
      g_assert_cmpfloat (fabs ((double) all.estimate / (double) all.kept - 1), <, 0.15);
    }
}

/* ---- scores --------------------------------------------------------------------------
 */

static HlHeadScores *
score (const HlModel *model,
       const HlInput *input,
       CountingBackend *backend,
       gsize tape_budget_bytes)
{
  g_autoptr (GError) error = NULL;
  const HlImportanceOptions options = { .target = HL_TARGET_PREDICTED,
                                        .against = -1,
                                        .label = -1,
                                        .no_layers = TRUE,
                                        .tape_budget_bytes = tape_budget_bytes };
  HlHeadScores *scores =
      hl_head_scores_new (hl_model_info_get_stack (hl_model_get_info (model), 0));
  hl_head_scores_begin_input (scores, "", "");
  backend->n_ops = 0;
  g_assert_true (hl_importance_score (scores, model, input, &backend->parent, &options,
                                      NULL, &error));
  return scores;
}

/* Beyond the budget there is more to run, and the scores are the same. */
static void
test_budget (void)
{
  g_autoptr (HlModel) model = NULL;
  g_autoptr (HlInput) input = NULL;
  golden_open_model ("gpt2-tiny", &model, &input);
  CountingBackend *backend = counting_backend_new (HL_DTYPE_F32, 2);
  g_autoptr (HlHeadScores) plain = score (model, input, backend, 0);
  gint64 n_plain = backend->n_ops;
  g_autoptr (HlHeadScores) wide = score (model, input, backend, 1 << 20);
  g_assert_cmpint (backend->n_ops, ==, n_plain);
  g_autoptr (HlHeadScores) narrow = score (model, input, backend, 1 << 10);
  g_assert_cmpint (backend->n_ops, >, n_plain);
  const HlStack *stack = hl_model_info_get_stack (hl_model_get_info (model), 0);
  for (int l = 0; l < stack->n_layers; l++)
    for (int h = 0; h < stack->layers[l].n_heads; h++)
      {
        double wanted = hl_head_scores_get (plain, HL_SCORE_TAYLOR, 0, l, h);
        g_assert_cmpfloat (fabs (wanted), >, 0);
        g_assert_cmpfloat (hl_head_scores_get (narrow, HL_SCORE_TAYLOR, 0, l, h), ==,
                           wanted);
      }
  hl_backend_unref (&backend->parent);
}

/* ---- cancelling ----------------------------------------------------------------------
 */

typedef struct
{
  GCancellable *cancellable;
  int n_left; /* pauses until it is cancelled; below 0: never */
} Countdown;

static void
pause_cb (gpointer data)
{
  Countdown *countdown = data;
  if (countdown->n_left-- == 0)
    g_cancellable_cancel (countdown->cancellable);
}

/* FALSE where the way back has no more than @n_pauses of them. Whatever was handed out
 * is to be back in the end, or the backend says so. */
static gboolean
is_cancelled (const HlModel *model, const HlInput *input, int n_pauses)
{
  HlRun run;
  CountingBackend *backend = counting_backend_new (HL_DTYPE_F32, 1);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Countdown countdown = { cancellable, -1 };
  const HlProgress progress = { .yield = pause_cb,
                                .yield_data = &countdown,
                                .cancellable = cancellable };
  g_autoptr (HlTape) tape = hl_tape_new ();
  hl_run_init (&run, &backend->parent, hl_model_get_info (model), &progress);
  run.exec.tape = tape;
  run.recomputes = TRUE;
  hl_run_watch (&run, "*hook_*");
  hl_run_capture (&run, "*hook_*");
  g_autoptr (HlTensor) logits = hl_model_forward (model, &run, input);
  g_assert_no_error (run.exec.error);
  g_autoptr (HlTensor) seed = numbers (HL_DTYPE_F32, logits->shape);
  countdown.n_left = n_pauses;
  gboolean is_done = hl_tape_backward (tape, &run.exec, logits, seed);
  g_assert_true (run.exec.tape == tape);
  if (is_done)
    g_assert_no_error (run.exec.error);
  else
    g_assert_error (run.exec.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  hl_run_clear (&run);
  g_clear_pointer (&logits, hl_tensor_unref);
  g_clear_pointer (&tape, hl_tape_free);
  g_assert_cmpuint (backend->live_bytes, ==, 0);
  hl_backend_unref (&backend->parent);
  return !is_done;
}

static void
test_cancel (void)
{
  g_autoptr (HlModel) model = NULL;
  g_autoptr (HlInput) input = NULL;
  golden_open_model ("gpt2-tiny", &model, &input);
  int n = 0;
  while (is_cancelled (model, input, n))
    n++;
  g_test_message ("cancelled at each of %d places", n);
  g_assert_cmpint (n, >, 50); /* three blocks run again, and their rules */
}

int
main (int argc, char **argv)
{
  static const char *const names[] = {
    "vit-tiny",      "vit-bf16",       "vit-f16",           "vit-sharded",
    "vit-renamed",   "deit-tiny",      "vit-grey-relu",     "vit-nonsquare",
    "gpt2-tiny",     "gpt2-untied",    "gpt2-f16",          "llama-tiny",
    "llama-gqa2",    "llama-gqa4",     "llama-gqa8",        "llama-linear",
    "llama-dynamic", "llama-longrope", "vit-grey-gelu-new", "vit-nonsquare-patch",
  };
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_strdup_printf ("/recompute/same/%s", names[i]);
      g_test_add_data_func (path, names[i], test_same);
    }
  g_test_add_func ("/recompute/memory", test_memory);
  g_test_add_func ("/recompute/budget", test_budget);
  g_test_add_func ("/recompute/cancel", test_cancel);
  return g_test_run ();
}
