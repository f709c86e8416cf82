/* SPDX-License-Identifier: MIT
 * The beginning of a text model. */
#include "model/hl-text-embedding.h"

#include "base/hl-error.h"
#include "model/hl-readout.h"

HlTensor *
hl_scale (HlExec *exec, HlTensor *x, double factor)
{
  if (x == NULL)
    return NULL;
  HlShape shape = { .n_dims = x->shape.n_dims };
  for (int i = 0; i < shape.n_dims; i++)
    shape.dim[i] = 1;
  g_autoptr (HlTensor) host = hl_tensor_new_copy (HL_DTYPE_F64, shape, &factor);
  g_autoptr (HlTensor) there = hl_exec_upload (exec, host);
  return hl_multiply (exec, x, there);
}

/* (1, T) int32, for rows of the table of positions. */
static HlTensor *
places_of (const HlTextEmbedding *e, HlRun *run, const HlTensor *ids)
{
  gint64 T = ids->shape.dim[1];
  const gint32 *id = ids->data;
  HlTensor *places = hl_tensor_new (HL_DTYPE_I32, HL_SHAPE (1, T), &run->exec.error);
  gint64 at = run->first_position + e->first_position;
  for (gint64 t = 0; places != NULL && t < T; t++)
    {
      gboolean is_padding = e->pad_id >= 0 && id[t] == e->pad_id;
      ((gint32 *) places->data)[t] = (gint32) (is_padding ? e->pad_id : at++);
    }
  return places;
}

static HlTensor *
segments_of (HlRun *run, const HlInput *input, int n_types)
{
  gint64 T = input->ids->shape.dim[1];
  HlTensor *segments = hl_tensor_new (HL_DTYPE_I32, HL_SHAPE (1, T), &run->exec.error);
  for (gint64 t = 0; segments != NULL && t < T; t++)
    {
      int segment = input->tokens != NULL ? input->tokens->tokens[t].segment : 0;
      ((gint32 *) segments->data)[t] = CLAMP (segment, 0, n_types - 1);
    }
  return segments;
}

static gboolean
fits_context (const HlTextEmbedding *e, HlRun *run, gint64 T)
{
  if (run->first_position + T <= e->n_context)
    return TRUE;
  hl_exec_fail (&run->exec, g_error_new (HL_ERROR, HL_ERROR_RANGE,
                                         "at most %d tokens expected, the model's "
                                         "context, %d found",
                                         e->n_context, (int) (run->first_position + T)));
  return FALSE;
}

static HlTensor *
embed_tokens (const HlTextEmbedding *e, HlRun *run, int stack, const HlInput *input)
{
  HlExec *x = &run->exec;
  g_autoptr (HlTensor) rows = hl_embed_tokens (e->tokens, run, input->ids);
  if (rows != NULL && e->project_tokens.weight != NULL)
    {
      g_autoptr (HlTensor) narrow = g_steal_pointer (&rows);
      rows = hl_dense_forward (&e->project_tokens, run, narrow);
    }
  if (e->scale != 0)
    {
      g_autoptr (HlTensor) plain = g_steal_pointer (&rows);
      rows = hl_scale (x, plain, e->scale);
    }
  return hl_run_site (run, HL_SITE_EMBED, stack, 0, g_steal_pointer (&rows));
}

/* @table's rows at @places added to @sum, which it replaces. */
static void
add_rows (
    HlParam *table, HlRun *run, HlTensor *places, int stack, HlSite site, HlTensor **sum)
{
  g_autoptr (HlTensor) before = g_steal_pointer (sum);
  g_autoptr (HlTensor) rows =
      places != NULL ? hl_embed_tokens (table, run, places) : NULL;
  if (site != HL_N_SITES)
    rows = hl_run_site (run, site, stack, 0, g_steal_pointer (&rows));
  *sum = hl_add (&run->exec, before, rows);
}

HlTensor *
hl_text_embedding_forward (const HlTextEmbedding *e,
                           HlRun *run,
                           int stack,
                           const HlInput *input)
{
  HlExec *x = &run->exec;
  if (!hl_exec_ok (x) || !fits_context (e, run, input->ids->shape.dim[1]))
    return NULL;
  g_autoptr (HlTensor) sum = embed_tokens (e, run, stack, input);
  if (e->types != NULL)
    {
      g_autoptr (HlTensor) segments =
          segments_of (run, input, (int) e->types->stored->shape.dim[0]);
      add_rows (e->types, run, segments, stack, HL_N_SITES, &sum);
    }
  if (e->positions != NULL)
    {
      g_autoptr (HlTensor) places = places_of (e, run, input->ids);
      add_rows (e->positions, run, places, stack, HL_SITE_POS_EMBED, &sum);
    }
  g_autoptr (HlTensor) normed = hl_norm_forward (&e->norm, run, sum);
  return e->project.weight != NULL && normed != NULL
             ? hl_dense_forward (&e->project, run, normed)
             : g_steal_pointer (&normed);
}
