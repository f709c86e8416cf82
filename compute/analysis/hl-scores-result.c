/* SPDX-License-Identifier: MIT
 * Scores of heads as a session keeps them, and as a table. */
#include "analysis/hl-scores-result.h"

#include "base/hl-error.h"
#include "io/hl-csv.h"
#include "io/hl-json.h"

#include <math.h>
#include <string.h>

#define SEED 1

static const char *const head_axes[] = { "layer", "head", NULL };
static const char *const input_axes[] = { "input", "layer", "head", NULL };
static const char *const hop_axes[] = { "layer", "head", "hop", NULL };
static const char *const only_hop[] = { "hop", NULL };

static int
n_heads_of (const HlHeadScores *s, int layer)
{
  return s->first[layer + 1] - s->first[layer];
}

static int
most_heads (const HlHeadScores *s)
{
  int most = 0;
  for (int l = 0; l < s->n_layers; l++)
    most = MAX (most, n_heads_of (s, l));
  return most;
}

/* ---- to a result ---------------------------------------------------------------------
 */

/* @x (n, n_heads, width) as (n, L, H, width); a dimension of 1 that is not asked for is
 * left out. */
static void
add_heads (HlSessionResult *result,
           const HlHeadScores *s,
           const char *name,
           const char *unit,
           const double *x,
           int n,
           int width,
           const char *const *axes)
{
  int L = s->n_layers, H = most_heads (s);
  HlShape shape = axes == input_axes ? HL_SHAPE (n, L, H)
                  : axes == hop_axes ? HL_SHAPE (L, H, width)
                                     : HL_SHAPE (L, H);
  g_autoptr (HlTensor) array = hl_tensor_new (HL_DTYPE_F64, shape, NULL);
  if (array == NULL)
    return;
  double *out = array->data;
  for (int i = 0; i < n; i++)
    for (int l = 0; l < L; l++)
      for (int h = 0; h < H; h++)
        for (int k = 0; k < width; k++)
          *out++ = h < n_heads_of (s, l)
                       ? x[(i * s->n_heads + s->first[l] + h) * width + k]
                       : NAN;
  hl_session_result_add_array (result, name, array, axes, unit);
}

static void
add_score (HlSessionResult *result, const HlHeadScores *s, HlScore score)
{
  const HlScoreInfo *info = hl_score_get_info (score);
  int n = hl_head_scores_get_n_inputs (s);
  g_autofree double *means = hl_head_scores_mean (s, score);
  add_heads (result, s, info->name, info->unit, means, 1, 1, head_axes);
  if (n < 2)
    return;
  g_autofree double *low = g_new (double, (gsize) s->n_heads);
  g_autofree double *high = g_new (double, (gsize) s->n_heads);
  for (int l = 0; l < s->n_layers; l++)
    for (int h = 0; h < n_heads_of (s, l); h++)
      {
        HlInterval interval = hl_head_scores_interval (s, score, l, h);
        low[s->first[l] + h] = interval.low;
        high[s->first[l] + h] = interval.high;
      }
  g_autofree char *low_name = g_strconcat (info->name, "_low", NULL);
  g_autofree char *high_name = g_strconcat (info->name, "_high", NULL);
  g_autofree char *all_name = g_strconcat (info->name, "_inputs", NULL);
  add_heads (result, s, low_name, info->unit, low, 1, 1, head_axes);
  add_heads (result, s, high_name, info->unit, high, 1, 1, head_axes);
  add_heads (result, s, all_name, info->unit,
             (const double *) (gpointer) s->values[score]->data, n, 1, input_axes);
}

static void
add_normalised (HlSessionResult *result, const HlHeadScores *s)
{
  static const struct
  {
    HlScore score;
    const char *name;
  } both[] = { { HL_SCORE_TAYLOR_ABS, "michel" },
               { HL_SCORE_MICHEL_TOKENS, "michel_tokens_normalised" } };
  for (guint i = 0; i < G_N_ELEMENTS (both); i++)
    if (hl_head_scores_has (s, both[i].score))
      {
        g_autofree double *x = hl_head_scores_normalise (s, both[i].score);
        add_heads (result, s, both[i].name, "", x, 1, 1, head_axes);
      }
}

static void
add_line (HlSessionResult *result, const char *name, const double *x, int n)
{
  g_autoptr (HlTensor) array = hl_tensor_new_copy (HL_DTYPE_F64, HL_SHAPE (n), x);
  hl_session_result_add_array (result, name, array, only_hop, "");
}

static void
add_hops (HlSessionResult *result, const HlHeadScores *s)
{
  gsize n = (gsize) (s->n_heads * s->n_hops);
  if (s->n_hop_inputs == 0)
    return;
  g_autofree double *strength = g_new (double, n + 1), *mass = g_new (double, n + 1);
  g_autofree double *uniform = g_new (double, (gsize) s->n_hops + 1);
  g_autofree double *first = g_new (double, (gsize) s->n_hops + 1);
  for (gsize i = 0; i < n; i++)
    {
      strength[i] = s->hops[i] / s->n_hop_inputs;
      mass[i] = s->hop_mass[i] / s->n_hop_inputs;
    }
  for (int i = 0; i < s->n_hops; i++)
    {
      uniform[i] = s->hop_uniform[i] / s->n_hop_inputs;
      first[i] = s->hop_edges[i];
    }
  add_heads (result, s, "hop_strength", "", strength, 1, s->n_hops, hop_axes);
  add_heads (result, s, "hop_mass", "", mass, 1, s->n_hops, hop_axes);
  add_line (result, "hop_uniform", uniform, s->n_hops);
  add_line (result, "hop_first", first, s->n_hops);
}

static json_t *
number (double x)
{
  return isfinite (x) ? json_real (x) : json_null ();
}

static json_t *
inputs_to_json (const HlHeadScores *s)
{
  json_t *list = json_array ();
  for (int i = 0; i < hl_head_scores_get_n_inputs (s); i++)
    {
      const HlScoredInput *x = hl_head_scores_get_input (s, i);
      json_array_append_new (
          list, json_pack ("{s:s, s:s, s:i, s:i, s:i, s:o, s:o}", "name", x->name, "path",
                           x->path, "label", x->label, "target", x->target, "predicted",
                           x->predicted, "probability", number (x->prob), "loss",
                           number (x->loss)));
    }
  return list;
}

/* How far estimates agree with what ablation does. */
static json_t *
agreement_to_json (const HlHeadScores *s)
{
  static const HlScore estimates[] = { HL_SCORE_TAYLOR, HL_SCORE_TAYLOR_ABS,
                                       HL_SCORE_MICHEL_TOKENS, HL_SCORE_CONFIDENCE };
  json_t *all = json_object ();
  for (guint i = 0; i < G_N_ELEMENTS (estimates); i++)
    if (hl_head_scores_has (s, estimates[i]) &&
        hl_head_scores_has (s, HL_SCORE_LOSS_CHANGE))
      {
        HlInterval r = hl_scores_agreement (s, estimates[i], HL_SCORE_LOSS_CHANGE);
        json_object_set_new (all, hl_score_get_info (estimates[i])->name,
                             json_pack ("{s:o, s:o, s:o}", "spearman", number (r.mean),
                                        "low", number (r.low), "high", number (r.high)));
      }
  return all;
}

static char *
make_params (const HlHeadScores *s, const char *given)
{
  json_t *params = given != NULL ? json_loads (given, 0, NULL) : NULL;
  if (!json_is_object (params))
    params = json_object ();
  json_t *skipped = json_array ();
  for (guint i = 0; i < s->skipped->len; i++)
    json_array_append_new (skipped, json_string (g_ptr_array_index (s->skipped, i)));
  json_object_set_new (params, "n", json_integer (hl_head_scores_get_n_inputs (s)));
  json_object_set_new (params, "partial", json_boolean (s->is_partial));
  json_object_set_new (params, "bootstrap_seed", json_integer (SEED));
  json_object_set_new (params, "skipped", skipped);
  json_object_set_new (params, "agreement_with_loss_change", agreement_to_json (s));
  json_object_set_new (params, "inputs", inputs_to_json (s));
  char *text = json_dumps (params, JSON_COMPACT);
  json_decref (params);
  return text;
}

HlSessionResult *
hl_scores_to_result (const HlHeadScores *s,
                     const char *analysis,
                     const char *params,
                     const char *provenance)
{
  char *all = make_params (s, params);
  HlSessionResult *result = hl_session_result_new (analysis, all, provenance);
  free (all);
  for (int i = 0; i < HL_N_SCORES; i++)
    if (hl_head_scores_has (s, (HlScore) i))
      add_score (result, s, (HlScore) i);
  add_normalised (result, s);
  add_hops (result, s);
  return result;
}

/* ---- from a result -------------------------------------------------------------------
 */

static double
real_or_nan (const json_t *value)
{
  return json_is_number (value) ? json_number_value (value) : NAN;
}

static int
int_or (const json_t *value, int otherwise)
{
  return json_is_integer (value) ? (int) json_integer_value (value) : otherwise;
}

/* A shape (…, L, H) of float64 that fits these heads. */
static const HlTensor *
get_array (const HlSessionResult *result,
           const char *name,
           int n_dims,
           const HlHeadScores *s)
{
  const HlSessionArray *array = hl_session_result_get_array (result, name);
  const HlTensor *t = array != NULL ? array->tensor : NULL;
  int at = n_dims == 3 && g_str_has_prefix (name, "hop_") ? 0 : n_dims - 2;
  if (t == NULL || t->dtype != HL_DTYPE_F64 || t->shape.n_dims != n_dims ||
      t->shape.dim[at] != s->n_layers || t->shape.dim[at + 1] != most_heads (s))
    return NULL;
  return t;
}

static void
take_score (HlHeadScores *s,
            const HlTensor *means,
            const HlTensor *inputs,
            HlScore score,
            int input)
{
  int H = most_heads (s);
  for (int l = 0; l < s->n_layers; l++)
    for (int h = 0; h < n_heads_of (s, l); h++)
      {
        double x = inputs != NULL
                       ? ((double *) inputs->data)[(input * s->n_layers + l) * H + h]
                       : ((double *) means->data)[l * H + h];
        if (!isnan (x))
          hl_head_scores_set (s, score, l, h, x);
      }
}

static void
take_inputs (HlHeadScores *s, const HlSessionResult *result, const json_t *list)
{
  int n = (int) MAX (json_array_size (list), 1);
  for (int i = 0; i < n; i++)
    {
      const json_t *about = json_array_get (list, (size_t) i);
      const char *name = json_string_value (json_object_get (about, "name"));
      const char *path = json_string_value (json_object_get (about, "path"));
      HlScoredInput *x = hl_head_scores_begin_input (s, name != NULL ? name : "",
                                                     path != NULL ? path : "");
      x->label = int_or (json_object_get (about, "label"), -1);
      x->target = int_or (json_object_get (about, "target"), -1);
      x->predicted = int_or (json_object_get (about, "predicted"), -1);
      x->prob = real_or_nan (json_object_get (about, "probability"));
      x->loss = real_or_nan (json_object_get (about, "loss"));
      for (int k = 0; k < HL_N_SCORES; k++)
        {
          const char *score = hl_score_get_info ((HlScore) k)->name;
          g_autofree char *all_name = g_strconcat (score, "_inputs", NULL);
          const HlTensor *means = get_array (result, score, 2, s);
          const HlTensor *all = get_array (result, all_name, 3, s);
          if (all != NULL && all->shape.dim[0] != n)
            all = NULL;
          if (means != NULL && (n == 1 || all != NULL))
            take_score (s, means, all, (HlScore) k, i);
        }
    }
}

static void
take_hops (HlHeadScores *s, const HlSessionResult *result)
{
  const HlTensor *strength = get_array (result, "hop_strength", 3, s);
  const HlTensor *mass = get_array (result, "hop_mass", 3, s);
  const HlSessionArray *uniform = hl_session_result_get_array (result, "hop_uniform");
  const HlSessionArray *first = hl_session_result_get_array (result, "hop_first");
  if (strength == NULL || mass == NULL || uniform == NULL || first == NULL)
    return;
  gint64 n = strength->shape.dim[2], H = most_heads (s);
  if (mass->shape.dim[2] != n || hl_tensor_count (uniform->tensor) != n ||
      hl_tensor_count (first->tensor) != n || n > 4096 ||
      uniform->tensor->dtype != HL_DTYPE_F64 || first->tensor->dtype != HL_DTYPE_F64)
    return;
  s->n_hops = (int) n;
  s->n_hop_inputs = 1;
  s->hops = g_new0 (double, (gsize) (s->n_heads * n) + 1);
  s->hop_mass = g_new0 (double, (gsize) (s->n_heads * n) + 1);
  s->hop_uniform = g_memdup2 (uniform->tensor->data, (gsize) n * sizeof (double));
  s->hop_edges = g_new0 (int, (gsize) n + 1);
  for (gint64 i = 0; i < n; i++)
    s->hop_edges[i] = (int) CLAMP (((double *) first->tensor->data)[i], 0, G_MAXINT / 2);
  s->hop_edges[n] = s->hop_edges[n - 1] + 1;
  for (int l = 0; l < s->n_layers; l++)
    for (int h = 0; h < n_heads_of (s, l); h++)
      for (gint64 i = 0; i < n; i++)
        {
          gint64 to = (s->first[l] + h) * n + i, from = (l * H + h) * n + i;
          s->hops[to] = ((double *) strength->data)[from];
          s->hop_mass[to] = ((double *) mass->data)[from];
        }
}

HlHeadScores *
hl_scores_from_result (const HlSessionResult *result,
                       const HlStack *stack,
                       GError **error)
{
  static const char *const known[] = { HL_RESULT_IMPORTANCE, HL_RESULT_STRENGTH,
                                       HL_RESULT_PROBE, NULL };
  if (!g_strv_contains (known, result->id))
    {
      g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                   "result \"%s\": scores of heads expected", result->id);
      return NULL;
    }
  HlHeadScores *s = hl_head_scores_new (stack);
  json_t *params = hl_json_load_bytes (result->params_json, strlen (result->params_json),
                                       "parameters", NULL, NULL);
  take_inputs (s, result, json_object_get (params, "inputs"));
  take_hops (s, result);
  s->is_partial = json_is_true (json_object_get (params, "partial"));
  const json_t *skipped = json_object_get (params, "skipped");
  for (size_t i = 0; i < json_array_size (skipped); i++)
    {
      const char *why = json_string_value (json_array_get (skipped, i));
      hl_head_scores_skip (s, why != NULL ? why : "");
    }
  json_decref (params);
  return s;
}

/* ---- a table -------------------------------------------------------------------------
 */

char *
hl_scores_to_csv (const HlHeadScores *s)
{
  GString *out = g_string_new ("layer,head");
  gboolean has_intervals = hl_head_scores_get_n_inputs (s) > 1;
  for (int k = 0; k < HL_N_SCORES; k++)
    if (hl_head_scores_has (s, (HlScore) k))
      {
        const char *name = hl_score_get_info ((HlScore) k)->name;
        g_string_append_printf (out, ",%s", name);
        if (has_intervals)
          g_string_append_printf (out, ",%s_low,%s_high", name, name);
      }
  for (int l = 0; l < s->n_layers; l++)
    for (int h = 0; h < n_heads_of (s, l); h++)
      {
        g_string_append_printf (out, "\n%d,%d", l, h);
        for (int k = 0; k < HL_N_SCORES; k++)
          {
            if (!hl_head_scores_has (s, (HlScore) k))
              continue;
            HlInterval x = hl_head_scores_interval (s, (HlScore) k, l, h);
            hl_csv_append_number (out, x.mean, 0);
            if (has_intervals)
              {
                hl_csv_append_number (out, x.low, 0);
                hl_csv_append_number (out, x.high, 0);
              }
          }
      }
  g_string_append_c (out, '\n');
  return g_string_free (out, FALSE);
}

HlInterval
hl_scores_agreement (const HlHeadScores *s, HlScore a, HlScore b)
{
  g_autofree double *x = hl_head_scores_mean (s, a), *y = hl_head_scores_mean (s, b);
  return hl_spearman (x, y, (gsize) s->n_heads, SEED);
}
