/* SPDX-License-Identifier: MIT
 * SPES in a session, and going on from there. */
#include "analysis/hl-spes-private.h"

#include "analysis/hl-result-reader.h"
#include "base/hl-error.h"

#include <math.h>
#include <string.h>

/* ---- writing -------------------------------------------------------------------------
 */

static json_t *
list_of (const int *x, int n)
{
  json_t *list = json_array ();
  for (int i = 0; i < n; i++)
    json_array_append_new (list, json_integer (x[i]));
  return list;
}

json_t *
hl_spes_maps_describe (const HlSpesMaps *m)
{
  return json_pack (
      "{s:i, s:s, s:o, s:o, s:f, s:s, s:i, s:i, s:o, s:o, s:o, s:s, s:s, s:s}", "masks",
      m->n_done, "pooling", m->takes_mean ? "mean" : "max", "segments_asked",
      list_of (m->asked, m->n_granularities), "units",
      list_of (m->units, m->n_granularities), "probability", HL_SPES_PROBABILITY, "score",
      "KL (P || P masked), nats", "batch", m->batch, "check_every", m->check_every,
      "half_correlation", hl_result_real (m->half_correlation), "reliability",
      hl_result_real (m->reliability), "ceiling", hl_result_real (m->ceiling), "model",
      m->model, "input", m->input, "interventions", m->interventions);
}

static void
add_array (HlSessionResult *result,
           const char *name,
           HlDtype dtype,
           HlShape shape,
           gconstpointer data,
           const char *const *axes,
           const char *unit)
{
  g_autoptr (HlTensor) t = hl_tensor_new_copy (dtype, shape, data);
  hl_session_result_add_array (result, name, t, axes, unit);
}

static void
add_checks (const HlSpesMaps *m, HlSessionResult *result)
{
  const char *const axes[] = { "check", "masks_reliability", NULL };
  g_autofree double *checks = g_new (double, (gsize) m->checks->len * 2 + 1);
  for (guint i = 0; i < m->checks->len; i++)
    {
      checks[2 * i] = g_array_index (m->checks, HlSpesCheck, i).n_masks;
      checks[2 * i + 1] = g_array_index (m->checks, HlSpesCheck, i).reliability;
    }
  if (m->checks->len > 0)
    add_array (result, "convergence", HL_DTYPE_F64, HL_SHAPE (m->checks->len, 2), checks,
               axes, "");
}

void
hl_spes_maps_add_to (const HlSpesMaps *m, HlSessionResult *result)
{
  const char *const sums[] = { "half", "target", "unit", NULL };
  const char *const counts[] = { "half", "unit", NULL };
  const char *const cells[] = { "target", m->is_spectrogram ? "band" : "pixel_row",
                                m->is_spectrogram ? "frame" : "pixel_column", NULL };
  add_array (result, "spes_sums", HL_DTYPE_F64, HL_SHAPE (2, m->n_targets, m->n_units),
             m->sums, sums, "nat");
  add_array (result, "spes_counts", HL_DTYPE_I32, HL_SHAPE (2, m->n_units), m->counts,
             counts, "");
  add_checks (m, result);
  if (m->cells != NULL)
    add_array (result, "saliency_cells", HL_DTYPE_F32,
               HL_SHAPE (m->n_targets, m->n_rows, m->n_columns), m->cells, cells, "nat");
}

/* ---- going on ------------------------------------------------------------------------
 */

static gboolean
same_list (const json_t *list, const int *x, int n)
{
  gboolean same = (int) json_array_size (list) == n;
  for (int i = 0; i < n && same; i++)
    same = json_integer_value (json_array_get (list, (gsize) i)) == x[i];
  return same;
}

/* The first thing that is not as it was; NULL. */
static const char *
find_difference (const HlSpes *s, const json_t *params, const json_t *about)
{
  const HlSpesMaps *m = s->maps;
  const HlSaliencyOptions *o = &s->options;
  const struct
  {
    const char *what;
    gboolean same;
  } things[] = {
    { "model", g_str_equal (hl_result_get_string (about, "model"), m->model) },
    { "input", g_str_equal (hl_result_get_string (about, "input"), m->input) },
    { "pruned heads",
      g_str_equal (hl_result_get_string (about, "interventions"), m->interventions) },
    { "method", g_str_equal (hl_result_get_string (params, "method"),
                             hl_saliency_name (HL_SALIENCY_SPES)) },
    { "baseline", g_str_equal (hl_result_get_string (params, "baseline"),
                               hl_baseline_name (o->baseline)) },
    { "place, the input or the encoder's output",
      json_is_true (json_object_get (params, "at_encoder")) == !!o->at_features },
    { "seed", hl_result_get_int (params, "seed", G_MAXUINT32) == (gint64) o->seed },
    { "granularities",
      same_list (json_object_get (about, "segments_asked"), m->asked,
                 m->n_granularities) &&
          same_list (json_object_get (about, "units"), m->units, m->n_granularities) },
    { "distance of checks",
      hl_result_get_int (about, "check_every", G_MAXINT) == m->check_every },
  };
  for (guint i = 0; i < G_N_ELEMENTS (things); i++)
    if (!things[i].same)
      return things[i].what;
  return NULL;
}

/* (transfer none) (nullable): @n numbers, one a target. */
static const gint32 *
numbers_of (const HlSessionResult *result, const char *name, guint n)
{
  const HlSessionArray *array = hl_session_result_get_array (result, name);
  const HlTensor *t = array != NULL ? array->tensor : NULL;
  return t != NULL && t->dtype == HL_DTYPE_I32 && hl_tensor_is_contiguous (t) &&
                 hl_tensor_count (t) == (gint64) n
             ? t->data
             : NULL;
}

static gboolean
same_targets (const HlSpes *s, const HlSessionResult *result)
{
  guint n = s->targets->len;
  const gint32 *rows = numbers_of (result, "position", n);
  const gint32 *classes = numbers_of (result, "class", n);
  gboolean same = rows != NULL && classes != NULL;
  for (guint i = 0; i < n && same; i++)
    same = rows[i] == hl_spes_target (s, (int) i)->row &&
           classes[i] == hl_spes_target (s, (int) i)->index;
  return same;
}

static gboolean
check_same (const HlSpes *s, const HlResultReader *r, const json_t *about, GError **error)
{
  const char *what = find_difference (s, r->params, about);
  if (what == NULL && !same_targets (s, r->result))
    what = "targets";
  if (what == NULL)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
               "spes: to go on, a result with the same %s expected, another found", what);
  return FALSE;
}

/* What is stored is not to be believed: sums that are no sums, or of other masks. */
static void
check_sums (HlResultReader *r, const HlTensor *sums, const HlTensor *counts, int n_done)
{
  for (gint64 i = 0; r->error == NULL && i < hl_tensor_count (sums); i++)
    if (!isfinite (((const double *) sums->data)[i]))
      hl_result_reader_complain (r, "spes_sums", "finite numbers");
  for (gint64 i = 0; r->error == NULL && i < hl_tensor_count (counts); i++)
    {
      gint32 count = ((const gint32 *) counts->data)[i];
      if (count < 0 || count > n_done)
        hl_result_reader_complain (r, "spes_counts", "at most as many as masks");
    }
}

static void
take_checks (HlResultReader *r, GArray *checks, int n_done)
{
  if (hl_session_result_get_array (r->result, "convergence") == NULL)
    return;
  const HlTensor *t = hl_result_reader_get (r, "convergence", HL_DTYPE_F64, 2, -1, 2);
  for (gint64 i = 0; t != NULL && r->error == NULL && i < t->shape.dim[0]; i++)
    {
      const double *x = (const double *) t->data + 2 * i;
      if (!(x[0] >= 1 && x[0] <= n_done))
        hl_result_reader_complain (r, "convergence", "checks of masks that were run");
      const HlSpesCheck check = { r->error == NULL ? (int) x[0] : 0, x[1] };
      g_array_append_val (checks, check);
    }
}

static void
read_sums (HlSpes *s, HlResultReader *r, const json_t *about)
{
  HlSpesMaps *m = s->maps;
  int n_done = (int) hl_result_get_int (about, "masks", G_MAXINT);
  int batch = (int) hl_result_get_int (about, "batch", HL_SPES_BATCH_MAX);
  g_autoptr (GArray) checks = g_array_new (FALSE, FALSE, sizeof (HlSpesCheck));
  const HlTensor *sums =
      hl_result_reader_get (r, "spes_sums", HL_DTYPE_F64, 3, 2, m->n_targets);
  const HlTensor *counts =
      hl_result_reader_get (r, "spes_counts", HL_DTYPE_I32, 2, 2, m->n_units);
  if (r->error == NULL && (sums->shape.dim[2] != m->n_units || n_done < 0 || batch < 1))
    hl_result_reader_complain (r, "spes_sums", "as many units as there are, and masks");
  if (r->error == NULL)
    check_sums (r, sums, counts, n_done);
  if (r->error == NULL)
    take_checks (r, checks, n_done);
  if (r->error != NULL)
    return;
  memcpy (m->sums, sums->data, hl_tensor_size_bytes (sums));
  memcpy (m->counts, counts->data, hl_tensor_size_bytes (counts));
  g_array_set_size (m->checks, 0);
  g_array_append_vals (m->checks, checks->data, checks->len);
  m->n_done = n_done;
  m->batch = batch;
}

gboolean
hl_spes_resume (HlSpes *s, const HlSessionResult *result, GError **error)
{
  HlResultReader r;
  hl_result_reader_init (&r, result);
  const json_t *about = json_object_get (r.params, "spes");
  GError *other = NULL;
  if (r.error == NULL && !json_is_object (about))
    hl_result_reader_complain (&r, "spes", "what masks have said");
  if (r.error == NULL && !check_same (s, &r, about, &other))
    r.error = other;
  if (r.error == NULL)
    read_sums (s, &r, about);
  if (!hl_result_reader_end (&r, error))
    return FALSE;
  hl_spes_measure (s, s->maps, NULL, NULL);
  const GArray *checks = s->maps->checks;
  s->is_stable =
      checks->len > 0 && hl_spes_is_stable (s) &&
      g_array_index (checks, HlSpesCheck, checks->len - 1).n_masks == s->maps->n_done;
  return TRUE;
}
