/* SPDX-License-Identifier: MIT
 * Which heads matter on one input. */
#include "analysis/hl-importance.h"

#include "analysis/hl-logits.h"
#include "base/hl-error.h"
#include "ops/hl-tape.h"
#include "trace/hl-tracer.h"

#include <math.h>

/* Of the widest activations of one batch: larger layers are taken in parts. */
#define BATCH_BYTES ((gint64) 64 << 20)

typedef struct
{
  HlHeadScores *scores;
  const HlModel *model;
  const HlInput *input;
  HlBackend *backend;
  const HlImportanceOptions *options;
  const HlProgress *progress;
  const HlModelInfo *info;
  const HlStack *stack;
  GHashTable *resids;     /* site -> HlTensor *: the whole model's residual stream */
  HlExplained *explained; /* NULL for a tower without classes */
  gint64 V;
  gint64 T;
  gint64 readout; /* the token that is read */
} Work;

/* ---- runs ----------------------------------------------------------------------------
 */

/* Numbers of a tensor in double: (transfer full); NULL with @error. */
static HlTensor *
widen (HlTensor *x, GError **error)
{
  return hl_tensor_convert (x, HL_DTYPE_F64, error);
}

static void
begin_run (const Work *w, HlRun *run)
{
  const GPtrArray *given = w->options->interventions;
  hl_run_init (run, w->backend, w->info, w->progress);
  for (guint i = 0; given != NULL && i < given->len; i++)
    hl_run_add_intervention (run, g_ptr_array_index (given, i));
}

/* Every token of the text is explained, not the last prediction alone. */
static gboolean
is_every (const Work *w)
{
  return w->options->target == HL_TARGET_EVERY;
}

/* Moves a run's failure on; FALSE when there is one. */
static gboolean
is_good (HlRun *run, GError **error)
{
  if (run->exec.error == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&run->exec.error));
  return FALSE;
}

/* (nullable): the residual stream behind @layer. */
static HlTensor *
resid_behind (const Work *w, int layer)
{
  gboolean is_last = layer == w->stack->n_layers - 1;
  g_autofree char *site = hl_site_name (
      w->info,
      is_last ? hl_model_get_stream_site (w->model, 0, layer) : HL_SITE_RESID_PRE, 0,
      layer + !is_last);
  return g_hash_table_lookup (w->resids, site);
}

/* What the whole model predicts, and what of it is held on to. */
static gboolean
take_prediction (Work *w, HlTensor *logits, GError **error)
{
  const HlImportanceOptions *o = w->options;
  HlScoredInput *about =
      &g_array_index (w->scores->inputs, HlScoredInput, w->scores->inputs->len - 1);
  if (logits == NULL)
    {
      gboolean is_asked = o->target >= 0 || o->target == HL_TARGET_EVERY;
      if (is_asked)
        g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                     "%s: a target needs a model with classes or a vocabulary",
                     w->info->name);
      return !is_asked;
    }
  g_autoptr (HlTensor) host = hl_backend_fetch (w->backend, logits, error);
  if (host != NULL)
    w->explained =
        hl_explained_new (host, w->input, o->target, o->against, o->label, error);
  if (w->explained == NULL)
    return FALSE;
  w->V = w->explained->V;
  hl_explained_describe (w->explained, about);
  return TRUE;
}

/* The whole model once: its prediction, and where its blocks begin. */
static gboolean
run_whole (Work *w, GError **error)
{
  HlRun run;
  begin_run (w, &run);
  run.reads_all = is_every (w);
  hl_run_capture (&run, "*blocks.*.hook_resid_pre");
  g_autofree char *end = hl_site_name (
      w->info, hl_model_get_stream_site (w->model, 0, w->stack->n_layers - 1), 0,
      w->stack->n_layers - 1);
  hl_run_capture (&run, end);
  if (is_every (w) && w->input->ids != NULL && w->info->predicts != HL_PREDICTS_NEXT)
    hl_exec_fail (&run.exec, g_error_new (HL_ERROR, HL_ERROR_UNSUPPORTED,
                                          "target \"every\": a model that predicts the "
                                          "next token expected, %s found",
                                          w->info->name));
  g_autoptr (HlTensor) logits = hl_model_forward (w->model, &run, w->input);
  gboolean ok = is_good (&run, error) && take_prediction (w, logits, error);
  if (ok)
    {
      w->resids = g_hash_table_ref (run.captured);
      w->T = resid_behind (w, w->stack->n_layers - 1)->shape.dim[1];
      w->readout = hl_model_get_readout_row (w->model, w->input);
    }
  hl_run_clear (&run);
  return ok;
}

/* ---- each head by itself -------------------------------------------------------------
 */

/* (n, H) or (n, 1, H, 1): example i is about head @first + i: @on there, @off elsewhere.
 */
static HlTensor *
one_each (HlShape shape, int first, int n, int H, float on, float off)
{
  g_autofree float *x = g_new (float, (gsize) (n * H));
  for (int i = 0; i < n * H; i++)
    x[i] = i % H == first + i / H ? on : off;
  return hl_tensor_new_copy (HL_DTYPE_F32, shape, x);
}

static HlIntervention *
ablate_each (const Work *w, int layer, int first, int n)
{
  int H = w->stack->layers[layer].n_heads;
  if (w->options->replacements == NULL)
    {
      g_autoptr (HlTensor) gates = one_each (HL_SHAPE (n, H), first, n, H, 0, 1);
      return hl_intervention_new (HL_INTERVENTION_GATE, HL_SITE_Z, 0, layer, NULL, gates,
                                  "each head by itself");
    }
  HlTensor *value = g_ptr_array_index (w->options->replacements, layer);
  g_autoptr (HlTensor) mask = one_each (HL_SHAPE (n, 1, H, 1), first, n, H, 1, 0);
  return hl_intervention_new (HL_INTERVENTION_BLEND, HL_SITE_Z, 0, layer, mask, value,
                              "each head by itself");
}

static void
set (Work *w, HlScore score, int layer, int head, double value)
{
  hl_head_scores_set (w->scores, score, layer, head, value);
}

static gboolean
score_predictions (Work *w, HlTensor *logits, int layer, int first, int n, GError **error)
{
  double found[HL_N_SCORES];
  if (logits == NULL)
    return TRUE;
  g_autoptr (HlTensor) host = hl_backend_fetch (w->backend, logits, error);
  for (int i = 0; i < n && host != NULL; i++)
    {
      hl_explained_score (w->explained, host, i, found);
      for (int k = 0; k < HL_N_SCORES; k++)
        if (!isnan (found[k]))
          set (w, (HlScore) k, layer, first + i, found[k]);
    }
  return host != NULL;
}

/* (transfer full): of @x (rows, D) the row that is read, which may be there alone, or the
 * mean of all where the prediction comes from several. */
static double *
readout_of (const Work *w, const double *x, gint64 rows, gint64 D)
{
  double *row = g_new0 (double, (gsize) D);
  gint64 first = rows > 1 && w->readout >= 0 ? w->readout : 0;
  gint64 n = rows > 1 && w->readout < 0 ? rows : 1;
  for (gint64 t = first; t < first + n; t++)
    for (gint64 d = 0; d < D; d++)
      row[d] += x[t * D + d] / (double) n;
  return row;
}

/* @after (n, T, D) against @before (1, T, D), behind the heads' own block. */
static void
score_shift (
    Work *w, const HlTensor *before, const HlTensor *after, int layer, int first, int n)
{
  gint64 T = before->shape.dim[1], D = before->shape.dim[2];
  const double *x = before->data;
  for (int i = 0; i < n; i++)
    {
      const double *y = (const double *) after->data + i * T * D;
      double cosine = 0, shift = 0;
      for (gint64 t = 0; t < T; t++)
        {
          cosine += hl_cosine_distance (x + t * D, y + t * D, D);
          shift += hl_relative_shift (x + t * D, y + t * D, D);
        }
      g_autofree double *r = readout_of (w, x, T, D), *s = readout_of (w, y, T, D);
      set (w, HL_SCORE_READOUT_COSINE, layer, first + i, hl_cosine_distance (r, s, D));
      set (w, HL_SCORE_READOUT_L2, layer, first + i, hl_relative_shift (r, s, D));
      set (w, HL_SCORE_TOKENS_COSINE, layer, first + i, cosine / (double) T);
      set (w, HL_SCORE_TOKENS_L2, layer, first + i, shift / (double) T);
    }
}

/* The readout token behind the last block, of which @after may have that row alone. */
static void
score_output (
    Work *w, const HlTensor *before, const HlTensor *after, int layer, int first, int n)
{
  gint64 D = before->shape.dim[2], rows = after->shape.dim[1];
  g_autofree double *x = readout_of (w, before->data, before->shape.dim[1], D);
  const double *r = w->options->reference;
  for (int i = 0; i < n; i++)
    {
      g_autofree double *y =
          readout_of (w, (const double *) after->data + i * rows * D, rows, D);
      set (w, HL_SCORE_OUTPUT_COSINE, layer, first + i, hl_cosine_distance (x, y, D));
      if (r != NULL)
        set (w, HL_SCORE_REFERENCE_CHANGE, layer, first + i,
             hl_cosine_distance (y, r, D) - hl_cosine_distance (x, r, D));
    }
}

static gboolean
score_layers (Work *w, HlRun *run, int layer, int first, int n, GError **error)
{
  int last = w->stack->n_layers - 1;
  g_autofree char *own =
      hl_site_name (w->info, hl_model_get_stream_site (w->model, 0, layer), 0, layer);
  g_autofree char *end =
      hl_site_name (w->info, hl_model_get_stream_site (w->model, 0, last), 0, last);
  g_autoptr (HlTensor) own_before = widen (resid_behind (w, layer), error);
  g_autoptr (HlTensor) own_after =
      own_before != NULL ? widen (g_hash_table_lookup (run->captured, own), error) : NULL;
  g_autoptr (HlTensor) end_before =
      own_after != NULL ? widen (resid_behind (w, last), error) : NULL;
  g_autoptr (HlTensor) end_after =
      end_before != NULL ? widen (g_hash_table_lookup (run->captured, end), error) : NULL;
  if (end_after == NULL)
    return FALSE;
  score_shift (w, own_before, own_after, layer, first, n);
  score_output (w, end_before, end_after, layer, first, n);
  return TRUE;
}

static gboolean
ablate_heads (Work *w, int layer, int first, int n, GError **error)
{
  HlRun run;
  gboolean is_last = layer == w->stack->n_layers - 1, scores = !w->options->no_layers;
  g_autofree char *begin = hl_site_name (w->info, HL_SITE_RESID_PRE, 0, layer);
  g_autofree char *own =
      hl_site_name (w->info, hl_model_get_stream_site (w->model, 0, layer), 0, layer);
  g_autofree char *end = hl_site_name (
      w->info, hl_model_get_stream_site (w->model, 0, w->stack->n_layers - 1), 0,
      w->stack->n_layers - 1);
  g_autoptr (HlIntervention) ablation = ablate_each (w, layer, first, n);
  begin_run (w, &run);
  hl_run_start_at (&run, layer, g_hash_table_lookup (w->resids, begin));
  hl_run_add_intervention (&run, ablation);
  run.reads_all = is_every (w);
  run.only_row = (is_last && scores) || run.reads_all ? -1 : w->readout;
  if (scores)
    {
      hl_run_capture (&run, own);
      hl_run_capture (&run, end);
    }
  g_autoptr (HlTensor) logits = hl_model_forward (w->model, &run, w->input);
  gboolean ok =
      is_good (&run, error) && score_predictions (w, logits, layer, first, n, error);
  ok = ok && (!scores || score_layers (w, &run, layer, first, n, error));
  hl_run_clear (&run);
  return ok;
}

/* Heads at once: as many as leave the widest activation within its budget. */
static int
batch_of (const Work *w, int layer)
{
  gint64 widest = MAX (4 * w->info->width, is_every (w) ? w->V : 1);
  gint64 bytes = w->T * widest * 4;
  return (int) CLAMP (BATCH_BYTES / MAX (bytes, 1), 1, w->stack->layers[layer].n_heads);
}

static gboolean
ablate_layer (Work *w, int layer, GError **error)
{
  int H = w->stack->layers[layer].n_heads, batch = batch_of (w, layer);
  for (int first = 0; first < H; first += batch)
    if (!ablate_heads (w, layer, first, MIN (batch, H - first), error))
      return FALSE;
  if (w->options->layer_done != NULL)
    w->options->layer_done (w->scores, layer, w->options->layer_done_data);
  return TRUE;
}

/* ---- gradients -----------------------------------------------------------------------
 */

/* z and its gradient, (1, T, H, K): <z, dz> of each token and head. */
static void
score_slopes (Work *w, int layer, const HlTensor *z, const HlTensor *grad)
{
  gint64 T = z->shape.dim[1], H = z->shape.dim[2], K = z->shape.dim[3];
  const double *x = z->data, *g = grad->data;
  for (gint64 h = 0; h < H; h++)
    {
      double sum = 0, sizes = 0;
      for (gint64 t = 0; t < T; t++)
        {
          double dot = 0;
          for (gint64 k = (t * H + h) * K; k < (t * H + h + 1) * K; k++)
            dot += x[k] * g[k];
          sum += dot;
          sizes += fabs (dot);
        }
      set (w, HL_SCORE_TAYLOR, layer, (int) h, sum);
      set (w, HL_SCORE_TAYLOR_ABS, layer, (int) h, fabs (sum));
      set (w, HL_SCORE_MICHEL_TOKENS, layer, (int) h, sizes);
    }
}

static gboolean
take_slopes (Work *w, HlRun *run, const HlTape *tape, GError **error)
{
  for (int l = 0; l < w->stack->n_layers; l++)
    {
      g_autofree char *name = hl_site_name (w->info, HL_SITE_Z, 0, l);
      HlTensor *z = g_hash_table_lookup (run->watched, name);
      g_autoptr (HlTensor) grad = z != NULL ? hl_tape_get_grad (tape, z) : NULL;
      if (grad == NULL)
        continue;
      g_autoptr (HlTensor) wide_z = widen (z, error);
      g_autoptr (HlTensor) wide_grad = wide_z != NULL ? widen (grad, error) : NULL;
      if (wide_grad == NULL)
        return FALSE;
      score_slopes (w, l, wide_z, wide_grad);
    }
  return TRUE;
}

/* Whether the blocks do not fit onto the tape of @run. */
static gboolean
is_too_large (const Work *w, HlRun *run)
{
  gsize budget = w->options->tape_budget_bytes;
  if (budget == 0)
    budget = MIN (HL_TAPE_BUDGET_BYTES, hl_memory_available () / 2);
  return hl_run_tape_bytes (run, w->T) > budget;
}

/* One pass forward, every z watched, and one back. */
static gboolean
estimate (Work *w, GError **error)
{
  HlRun run;
  g_autoptr (HlTape) tape = hl_tape_new ();
  begin_run (w, &run);
  run.exec.tape = tape;
  run.reads_all = is_every (w);
  run.only_row = run.reads_all ? -1 : w->readout;
  hl_run_watch (&run, "*blocks.*.attn.hook_z");
  run.recomputes = is_too_large (w, &run);
  g_autoptr (HlTensor) logits = hl_model_forward (w->model, &run, w->input);
  g_autoptr (HlTensor) slope = hl_explained_slope (w->explained);
  if (logits != NULL && slope != NULL && hl_exec_ok (&run.exec))
    hl_tape_backward (tape, &run.exec, logits, slope);
  gboolean ok = is_good (&run, error) && take_slopes (w, &run, tape, error);
  hl_run_clear (&run);
  return ok;
}

gboolean
hl_importance_score (HlHeadScores *scores,
                     const HlModel *model,
                     const HlInput *input,
                     HlBackend *backend,
                     const HlImportanceOptions *options,
                     const HlProgress *progress,
                     GError **error)
{
  const HlModelInfo *info = hl_model_get_info (model);
  const HlStack *stack = hl_model_info_get_stack (info, 0);
  g_return_val_if_fail (stack != NULL && scores->inputs->len > 0, FALSE);
  if (!hl_model_info_check_one_tower (info, "head importance", error))
    return FALSE;
  /* Runs are parts of this: they can be cancelled and give way, their shares are not. */
  HlProgress quiet = { 0 };
  if (progress != NULL)
    quiet = *progress;
  quiet.func = NULL;
  Work w = { .scores = scores,
             .model = model,
             .input = input,
             .backend = backend,
             .options = options,
             .progress = &quiet,
             .info = info,
             .stack = stack };
  gboolean ok = run_whole (&w, error) &&
                (options->no_gradients || w.explained == NULL || estimate (&w, error));
  for (int l = 0; l < stack->n_layers && ok; l++)
    ok = hl_progress_step (progress, (double) l / stack->n_layers, NULL, error) &&
         ablate_layer (&w, l, error);
  hl_explained_free (w.explained);
  g_clear_pointer (&w.resids, g_hash_table_unref);
  return ok;
}
