/* SPDX-License-Identifier: MIT
 * Saliency, read from a session. */
#include "analysis/hl-saliency-read.h"

#include "base/hl-error.h"

#include <math.h>

static gint32
number_at (const HlTensor *t, gint64 i)
{
  return t != NULL ? ((const gint32 *) t->data)[i] : -1;
}

static void
read_method (HlResultReader *r, HlSaliencyOptions *options)
{
  gint64 seed = hl_result_get_int (r->params, "seed", G_MAXUINT32);
  gint64 samples = hl_result_get_int (r->params, "samples", 1 << 20);
  double noise = hl_result_get_real (r->params, "noise");
  const char *method = hl_result_get_string (r->params, "method");
  const char *baseline = hl_result_get_string (r->params, "baseline");
  if (!hl_saliency_from_name (method, &options->method))
    hl_result_reader_complain (r, "method", "the name of a saliency method");
  if (!hl_baseline_from_name (baseline, &options->baseline))
    hl_result_reader_complain (r, "baseline", "the name of a baseline");
  options->at_features = json_is_true (json_object_get (r->params, "at_encoder"));
  options->seed = seed > 0 ? (guint32) seed : 0;
  options->n_samples = samples > 0 ? (int) samples : 0;
  options->noise = isfinite (noise) ? noise : 0;
}

static HlTokenTable *
read_tokens (HlResultReader *r, int n)
{
  HlTokenTable *tokens = hl_token_table_new (n);
  const json_t *texts = json_object_get (r->params, "tokens");
  for (int i = 0; i < n; i++)
    {
      const char *text = json_string_value (json_array_get (texts, (gsize) i));
      g_free (tokens->tokens[i].text);
      tokens->tokens[i].text = g_utf8_make_valid (text != NULL ? text : "", -1);
    }
  return tokens;
}

/* How the masks were drawn and read. */
static void
read_masks (HlResultReader *r, HlSaliencySet *set)
{
  const json_t *about = json_object_get (r->params, "spes");
  const json_t *asked = json_object_get (about, "segments_asked");
  HlSpesOptions *spes = &set->options.spes;
  if (!json_is_object (about))
    return;
  spes->check_every =
      (int) MAX (hl_result_get_int (about, "check_every", HL_SALIENCY_MASKS_MOST), 0);
  spes->takes_mean = g_str_equal (hl_result_get_string (about, "pooling"), "mean");
  for (gsize i = 0; i < json_array_size (asked) && i < HL_SPES_MAX_GRANULARITIES; i++)
    {
      json_int_t n = json_integer_value (json_array_get (asked, i));
      if (n > 0 && n <= HL_SPES_MAX_SEGMENTS)
        spes->granularities[spes->n_granularities++] = (int) n;
    }
}

static HlSaliencyRow *
row_of (const HlTensor *scores, gint64 i)
{
  gint64 m = scores->shape.dim[1];
  HlSaliencyRow *row = g_new0 (HlSaliencyRow, 1);
  row->difference = row->completeness = NAN;
  row->n_tokens = (int) m;
  row->scores = g_memdup2 ((const double *) scores->data + i * m,
                           sizeof (double) * (gsize) MAX (m, 1));
  return row;
}

/* Of saliency alone; of a comparison there is none. */
static const HlTensor *
get_optional (HlResultReader *r, const char *name, int n_dims, gint64 n)
{
  return hl_session_result_get_array (r->result, name) != NULL
             ? hl_result_reader_get (r, name, HL_DTYPE_F64, n_dims, n, -1)
             : NULL;
}

/* Row @i, without the NaN that it is padded with. */
static void
take_own (HlSaliencyRow *row, const HlTensor *own, gint64 i)
{
  gint64 m = own != NULL ? own->shape.dim[1] : 0;
  const double *x = own != NULL ? (const double *) own->data + i * m : NULL;
  while (m > 0 && isnan (x[m - 1]))
    m--;
  if (m == 0)
    return;
  row->n_own = (int) m;
  row->own = g_memdup2 (x, sizeof (double) * (gsize) m);
}

static void
read_rows (HlResultReader *r, HlSaliencySet *set, const HlTensor *scores)
{
  gint64 n = scores->shape.dim[0];
  const HlTensor *row = hl_result_reader_get (r, "position", HL_DTYPE_I32, 1, n, -1);
  const HlTensor *index = hl_result_reader_get (r, "class", HL_DTYPE_I32, 1, n, -1);
  const HlTensor *against = hl_result_reader_get (r, "against", HL_DTYPE_I32, 1, n, -1);
  const HlTensor *value = hl_result_reader_get (r, "value", HL_DTYPE_F64, 1, n, -1);
  const HlTensor *difference = get_optional (r, "difference", 1, n);
  const HlTensor *completeness = get_optional (r, "completeness", 1, n);
  const HlTensor *own = get_optional (r, "own", 2, n);
  const json_t *targets = json_object_get (r->params, "targets");
  for (gint64 i = 0; r->error == NULL && i < n; i++)
    {
      const json_t *target = json_array_get (targets, (gsize) i);
      const char *name = json_string_value (json_object_get (target, "name"));
      HlSaliencyRow *one = row_of (scores, i);
      one->target = (HlSaliencyTarget){ number_at (row, i), number_at (index, i),
                                        number_at (against, i), NULL };
      one->z = ((const double *) value->data)[i];
      one->n_steps = (int) MAX (hl_result_get_int (target, "steps", 1 << 20), 0);
      if (difference != NULL)
        one->difference = ((const double *) difference->data)[i];
      if (completeness != NULL)
        one->completeness = ((const double *) completeness->data)[i];
      take_own (one, own, i);
      g_ptr_array_add (set->rows, one);
      g_ptr_array_add (set->names, g_utf8_make_valid (name != NULL ? name : "", -1));
    }
}

HlSaliencySet *
hl_saliency_set_read (HlResultReader *r)
{
  HlSaliencySet *set = g_new0 (HlSaliencySet, 1);
  set->rows = g_ptr_array_new_with_free_func ((GDestroyNotify) hl_saliency_row_free);
  set->names = g_ptr_array_new_with_free_func (g_free);
  const HlTensor *scores = hl_result_reader_get (r, "saliency", HL_DTYPE_F64, 2, -1, -1);
  for (int side = 0; scores != NULL && side < 2; side++)
    if (scores->shape.dim[side] < 1 || scores->shape.dim[side] > HL_SALIENCY_SIDE_MOST)
      hl_result_reader_complain (r, "saliency",
                                 "an array that is not empty and of no monstrous size");
  if (r->error == NULL)
    read_rows (r, set, scores);
  set->tokens = read_tokens (r, r->error == NULL ? (int) scores->shape.dim[1] : 0);
  set->interventions = g_strdup (hl_result_get_string (r->params, "interventions"));
  read_method (r, &set->options);
  read_masks (r, set);
  return set;
}

HlSaliencySet *
hl_saliency_set_from_result (const HlSessionResult *result,
                             HlTokenTable *tokens,
                             GError **error)
{
  HlResultReader r;
  hl_result_reader_init (&r, result);
  g_autoptr (HlSaliencySet) set = hl_saliency_set_read (&r);
  if (!hl_result_reader_end (&r, error))
    return NULL;
  if (set->tokens->n_tokens != tokens->n_tokens)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_SHAPE,
                   "%s: saliency of %d tokens expected, of %d found", result->id,
                   tokens->n_tokens, set->tokens->n_tokens);
      return NULL;
    }
  hl_token_table_unref (set->tokens);
  set->tokens = hl_token_table_ref (tokens);
  return g_steal_pointer (&set);
}
