/* SPDX-License-Identifier: MIT
 * One pass forward and one back. */
#include "analysis/hl-gradient-pass.h"

#include "base/hl-error.h"
#include "trace/hl-tracer.h"

#include <string.h>

/* ---- what is read --------------------------------------------------------------------
 */

gboolean
hl_saliency_reads_forwards (const HlModelInfo *info)
{
  const HlStack *stack = hl_model_info_get_stack (info, info->readout_stack);
  return stack->n_layers > 0 && stack->layers[0].is_causal;
}

/* (transfer full): the first @n tokens. */
static HlTokenTable *
first_tokens (const HlInput *input, gint64 n)
{
  HlTokenTable *tokens = hl_token_table_new ((int) n);
  for (gint64 i = 0; i < n; i++)
    hl_token_copy (&tokens->tokens[i], &input->tokens->tokens[i]);
  return tokens;
}

HlInput *
hl_saliency_input (const HlModel *model, HlInput *input, gint64 row)
{
  gint64 n = row + 1;
  if (input->ids == NULL || row < 0 || n >= input->ids->shape.dim[1] ||
      !hl_saliency_reads_forwards (hl_model_get_info (model)))
    return hl_input_ref (input);
  g_autoptr (HlTensor) ids =
      hl_tensor_new_copy (HL_DTYPE_I32, HL_SHAPE (1, n), input->ids->data);
  g_autoptr (HlTokenTable) tokens = first_tokens (input, n);
  HlInput *part = hl_input_new_text (input->name, input->path, ids, tokens, NULL);
  if (input->source_tokens != NULL)
    hl_input_set_source (part, input->source_ids, input->features, input->source_tokens);
  hl_input_copy_recording (part, input);
  return part;
}

/* ---- the pass ------------------------------------------------------------------------
 */

static HlIntervention *
put_embeds (HlSite site, HlTensor *embeds)
{
  return hl_intervention_new (HL_INTERVENTION_REPLACE, site, 0, 0, NULL, embeds,
                              "embeddings");
}

/* Of (B, V) or (B, T, V) the row that is read: what a model predicts of masked tokens it
 * predicts of all. */
static HlTensor *
row_of (HlTensor *logits, gint64 row)
{
  if (logits->shape.n_dims == 2)
    return hl_tensor_ref (logits);
  gint64 B = logits->shape.dim[0], T = logits->shape.dim[1], V = logits->shape.dim[2];
  gint64 stride[] = { T * V, 1 };
  return hl_tensor_view (logits, CLAMP (row, 0, T - 1) * V, HL_SHAPE (B, V), stride);
}

static gboolean
check_target (const HlGradientPass *pass, const HlTensor *logits, GError **error)
{
  const HlModelInfo *info = hl_model_get_info (pass->model);
  if (logits == NULL)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                   "%s: a model with classes or a vocabulary expected", info->name);
      return FALSE;
    }
  gint64 V = logits->shape.dim[logits->shape.n_dims - 1];
  const HlSaliencyTarget *t = &pass->target;
  if (t->index >= 0 && t->index < V && t->against < V)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_RANGE, "target: 0 to %d expected, %d found",
               (int) V - 1, t->index < 0 || t->index >= V ? t->index : t->against);
  return FALSE;
}

/* d (z_t - z_a) / d logits, of every example its own. */
static HlTensor *
make_seed (const HlGradientPass *pass, const HlTensor *logits)
{
  HlTensor *seed = hl_tensor_new (HL_DTYPE_F32, logits->shape, NULL);
  gint64 B = logits->shape.dim[0], V = logits->shape.dim[logits->shape.n_dims - 1];
  gint64 T = logits->shape.n_dims == 3 ? logits->shape.dim[1] : 1;
  gint64 row = T > 1 ? CLAMP (pass->target.row, 0, T - 1) : 0;
  float *x = memset (seed->data, 0, hl_tensor_size_bytes (seed));
  for (gint64 b = 0; b < B; b++)
    {
      x[(b * T + row) * V + pass->target.index] += 1;
      if (pass->target.against >= 0)
        x[(b * T + row) * V + pass->target.against] -= 1;
    }
  return seed;
}

static gboolean
take_logits (HlGradientPass *pass, HlTensor *logits, GError **error)
{
  g_autoptr (HlTensor) row = row_of (logits, pass->target.row);
  g_autoptr (HlTensor) plain = hl_backend_contiguous (pass->run.exec.backend, row, error);
  g_autoptr (HlTensor) host =
      plain != NULL ? hl_backend_fetch (pass->run.exec.backend, plain, error) : NULL;
  pass->logits = host != NULL ? hl_tensor_convert (host, HL_DTYPE_F64, error) : NULL;
  return pass->logits != NULL;
}

static gboolean
go_back (HlGradientPass *pass, HlTensor *logits, GError **error)
{
  HlExec *exec = &pass->run.exec;
  g_autoptr (HlTensor) seed = make_seed (pass, logits);
  g_autoptr (HlTensor) placed = hl_exec_upload (exec, seed);
  if (placed != NULL && hl_tape_backward (pass->tape, exec, logits, placed))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&exec->error));
  return FALSE;
}

/* ---- pairs ---------------------------------------------------------------------------
 */

/* (transfer full): what the tower pools, (B, E) on the backend; NULL with @error. */
static HlTensor *
find_pooled (const HlGradientPass *pass, GError **error)
{
  const HlModelInfo *info = hl_model_get_info (pass->model);
  const HlRun *run = &pass->run;
  g_autofree char *name = hl_site_name (info, HL_SITE_POOLED, 0, 0);
  HlTensor *pooled =
      g_hash_table_lookup (pass->tape != NULL ? run->watched : run->captured, name);
  gint64 width = pass->target.pair->width;
  if (pooled == NULL)
    g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                 "%s: a tower that pools into a space of two expected", info->name);
  else if (pooled->shape.dim[1] != width)
    g_set_error (error, HL_ERROR, HL_ERROR_SHAPE,
                 "%s: a space of %d numbers, as the other tower has, expected, %d found",
                 info->name, (int) width, (int) pooled->shape.dim[1]);
  else
    return hl_tensor_ref (pooled);
  return NULL;
}

/* What each example is worth, and what of that changes with what is pooled. */
static gboolean
compare_pair (HlGradientPass *pass, HlTensor *pooled, GError **error)
{
  HlExec *exec = &pass->run.exec;
  g_autoptr (HlTensor) plain = hl_backend_contiguous (exec->backend, pooled, error);
  g_autoptr (HlTensor) host =
      plain != NULL ? hl_tensor_convert (plain, HL_DTYPE_F64, error) : NULL;
  if (host == NULL)
    return FALSE;
  gint64 B = host->shape.dim[0], E = host->shape.dim[1];
  g_autoptr (HlTensor) slope = hl_tensor_new (HL_DTYPE_F64, host->shape, NULL);
  pass->logits = hl_tensor_new (HL_DTYPE_F64, HL_SHAPE (B, 1), NULL);
  for (gint64 b = 0; b < B; b++)
    ((double *) pass->logits->data)[b] =
        hl_pair_value (pass->target.pair, (const double *) host->data + b * E,
                       (double *) slope->data + b * E);
  if (pass->tape == NULL)
    return TRUE;
  g_autoptr (HlTensor) placed = hl_exec_upload (exec, slope);
  if (placed != NULL && hl_tape_backward (pass->tape, exec, pooled, placed))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&exec->error));
  return FALSE;
}

static gboolean
read_pair (HlGradientPass *pass, GError **error)
{
  g_autoptr (HlTensor) pooled = find_pooled (pass, error);
  return pooled != NULL && compare_pair (pass, pooled, error);
}

static gboolean
read_logits (HlGradientPass *pass, HlTensor *logits, GError **error)
{
  return check_target (pass, logits, error) && take_logits (pass, logits, error) &&
         (pass->tape == NULL || go_back (pass, logits, error));
}

/* What is looked at and what is changed. */
static void
ask_for (HlRun *run,
         const HlGradientPass *pass,
         const char *const *watch,
         const GPtrArray *given)
{
  for (int i = 0; watch[i] != NULL; i++)
    hl_run_watch (run, watch[i]);
  if (pass->target.pair != NULL && pass->tape != NULL)
    hl_run_watch (run, "*hook_pooled");
  else if (pass->target.pair != NULL)
    hl_run_capture (run, "*hook_pooled");
  for (guint i = 0; given != NULL && i < given->len; i++)
    hl_run_add_intervention (run, g_ptr_array_index (given, i));
}

gboolean
hl_gradient_pass_run (HlGradientPass *pass,
                      const HlModel *model,
                      HlInput *input,
                      HlBackend *backend,
                      HlSaliencyTarget target,
                      HlSite site,
                      HlTensor *embeds,
                      const char *const *watch,
                      const GPtrArray *given,
                      const HlProgress *progress,
                      GError **error)
{
  const HlModelInfo *info = hl_model_get_info (model);
  *pass = (HlGradientPass){ .model = model, .input = input, .target = target };
  hl_run_init (&pass->run, backend, info, progress);
  pass->tape = watch[0] != NULL ? hl_tape_new () : NULL;
  pass->run.exec.tape = pass->tape;
  pass->run.reads_all = target.row >= 0 && info->predicts == HL_PREDICTS_OWN;
  /* Maps are wanted whole. */
  if (!pass->run.reads_all && (watch[0] == NULL || strstr (watch[0], "pattern") == NULL))
    pass->run.only_row = hl_model_get_readout_row (model, input);
  ask_for (&pass->run, pass, watch, given);
  g_autoptr (HlIntervention) put = embeds != NULL ? put_embeds (site, embeds) : NULL;
  if (put != NULL)
    hl_run_add_intervention (&pass->run, put);
  /* What the encoder would give is put: it need not run. */
  if (put != NULL && site == HL_SITE_FEATURES)
    hl_run_start_at (&pass->run, hl_model_info_get_stack (info, 0)->n_layers, embeds);
  g_autoptr (HlTensor) logits = hl_model_forward (model, &pass->run, input);
  if (pass->run.exec.error != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&pass->run.exec.error));
      return FALSE;
    }
  return target.pair != NULL ? read_pair (pass, error)
                             : read_logits (pass, logits, error);
}

void
hl_gradient_pass_clear (HlGradientPass *pass)
{
  if (pass->model == NULL)
    return;
  pass->run.exec.tape = NULL;
  hl_run_clear (&pass->run);
  g_clear_pointer (&pass->tape, hl_tape_free);
  g_clear_pointer (&pass->logits, hl_tensor_unref);
  pass->model = NULL;
}

double
hl_gradient_pass_get_value (const HlGradientPass *pass, gint64 example)
{
  gint64 V = pass->logits->shape.dim[1];
  const double *z = (const double *) pass->logits->data + example * V;
  return z[pass->target.index] -
         (pass->target.against >= 0 ? z[pass->target.against] : 0);
}

static HlTensor *
to_host (const HlGradientPass *pass, HlTensor *x, GError **error)
{
  g_autoptr (HlTensor) plain = hl_backend_contiguous (pass->run.exec.backend, x, error);
  g_autoptr (HlTensor) host =
      plain != NULL ? hl_backend_fetch (pass->run.exec.backend, plain, error) : NULL;
  return host != NULL ? hl_tensor_convert (host, HL_DTYPE_F64, error) : NULL;
}

HlTensor *
hl_gradient_pass_get (const HlGradientPass *pass,
                      HlSite site,
                      int stack,
                      int layer,
                      HlTensor **value,
                      GError **error)
{
  g_autofree char *name =
      hl_site_name (hl_model_get_info (pass->model), site, stack, layer);
  HlTensor *watched = g_hash_table_lookup (pass->run.watched, name);
  if (watched == NULL)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_MISSING, "%s: this model has no such site",
                   name);
      return NULL;
    }
  g_autoptr (HlTensor) found = hl_tape_get_grad (pass->tape, watched);
  g_autoptr (HlTensor) grad = found != NULL
                                  ? to_host (pass, found, error)
                                  : hl_tensor_new (HL_DTYPE_F64, watched->shape, error);
  if (grad == NULL)
    return NULL;
  if (found == NULL)
    memset (grad->data, 0, hl_tensor_size_bytes (grad));
  if (value != NULL && (*value = to_host (pass, watched, error)) == NULL)
    return NULL;
  return g_steal_pointer (&grad);
}
