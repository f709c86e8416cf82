/* SPDX-License-Identifier: MIT
 * Rotary positions: reading their settings, frequencies, tables.
 * Formulas: RoFormer (arXiv 2104.09864), YaRN (arXiv 2309.00071, section 3.4), LongRoPE
 * (arXiv 2402.13753); details that papers leave open as the Hugging Face library has
 * them, among them that frequencies and angles are float32. */
#include "model/hl-rope.h"

#include "base/hl-error.h"

#include <math.h>

#define WHERE "config.json"

/* Where the settings lie: a sub-object of new files, spread over two places in old ones.
 */
typedef struct
{
  const json_t *config;
  const json_t *scaling; /* (nullable) */
} Settings;

void
hl_rope_free (HlRope *rope)
{
  if (rope == NULL)
    return;
  g_free (rope->short_factors);
  g_free (rope->long_factors);
  g_free (rope);
}

static gboolean
number (const Settings *s,
        const char *field,
        gboolean required,
        double fallback,
        double *out,
        GError **error)
{
  return hl_json_get_double (s->scaling, field, required, fallback, 1e-9, 1e12, WHERE,
                             out, error);
}

static gboolean
read_kind (const char *name, HlRopeKind *kind, GError **error)
{
  static const char *const names[] = { "default", "linear", "dynamic",
                                       "yarn",    "llama3", "longrope" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_str_equal (name, names[i]))
      {
        *kind = (HlRopeKind) i;
        return TRUE;
      }
  if (g_str_equal (name, "su")) /* what LongRoPE was called at first */
    {
      *kind = HL_ROPE_LONG;
      return TRUE;
    }
  g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
               WHERE ": field \"rope_type\": default, linear, dynamic, yarn, llama3 or "
                     "longrope expected, \"%s\" found",
               name);
  return FALSE;
}

static double *
read_factors (const Settings *s, const char *field, int n, GError **error)
{
  g_autofree double *factors = g_new0 (double, (gsize) n);
  int found = 0;
  if (!hl_json_get_doubles (s->scaling, field, TRUE, n, WHERE, factors, &found, error))
    return NULL;
  if (found != n)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_SHAPE,
                   WHERE ": field \"%s\": %d numbers expected, %d found", field, n,
                   found);
      return NULL;
    }
  return g_steal_pointer (&factors);
}

/* How much longer than the training's the texts are meant to be. */
static gboolean
read_lengths (HlRope *rope, const Settings *s, GError **error)
{
  /* Some files have the trained length beside the settings and not among them. */
  const json_t *holder = s->config;
  if (json_object_get (s->config, "original_max_position_embeddings") == NULL)
    holder = s->scaling;
  gint64 original = rope->context;
  if (!hl_json_get_int (holder, "original_max_position_embeddings", FALSE, rope->context,
                        1, G_MAXINT32, WHERE, &original, error))
    return FALSE;
  rope->original_context = original;
  double implied = (double) rope->context / (double) original;
  gboolean may_be_implied = rope->kind == HL_ROPE_YARN || rope->kind == HL_ROPE_LONG;
  return number (s, "factor", !may_be_implied, implied, &rope->factor, error);
}

static double
yarn_scale (double factor, double weight)
{
  return factor <= 1 ? 1 : 0.1 * weight * log (factor) + 1;
}

static gboolean
read_yarn (HlRope *rope, const Settings *s, GError **error)
{
  double mscale = 0, mscale_all = 0;
  if (!number (s, "beta_fast", FALSE, 32, &rope->beta_fast, error) ||
      !number (s, "beta_slow", FALSE, 1, &rope->beta_slow, error) ||
      !hl_json_get_bool (s->scaling, "truncate", FALSE, TRUE, WHERE, &rope->is_truncated,
                         error) ||
      !hl_json_get_double (s->scaling, "mscale", FALSE, 0, 0, 1e6, WHERE, &mscale,
                           error) ||
      !hl_json_get_double (s->scaling, "mscale_all_dim", FALSE, 0, 0, 1e6, WHERE,
                           &mscale_all, error))
    return FALSE;
  double implied = yarn_scale (rope->factor, 1);
  if (mscale > 0 && mscale_all > 0)
    implied = yarn_scale (rope->factor, mscale) / yarn_scale (rope->factor, mscale_all);
  return number (s, "attention_factor", FALSE, implied, &rope->attention_factor, error);
}

static gboolean
read_long (HlRope *rope, const Settings *s, GError **error)
{
  int half = rope->n_turned / 2;
  double implied =
      rope->factor <= 1
          ? 1
          : sqrt (1 + log (rope->factor) / log ((double) rope->original_context));
  rope->short_factors = read_factors (s, "short_factor", half, error);
  if (rope->short_factors == NULL)
    return FALSE;
  rope->long_factors = read_factors (s, "long_factor", half, error);
  return rope->long_factors != NULL &&
         number (s, "attention_factor", FALSE, implied, &rope->attention_factor, error);
}

static gboolean
read_variant (HlRope *rope, const Settings *s, GError **error)
{
  if (rope->kind == HL_ROPE_PLAIN)
    return TRUE;
  if (!read_lengths (rope, s, error))
    return FALSE;
  switch (rope->kind)
    {
    case HL_ROPE_YARN:
      return read_yarn (rope, s, error);
    case HL_ROPE_LONG:
      return read_long (rope, s, error);
    case HL_ROPE_LLAMA3:
      return number (s, "low_freq_factor", TRUE, 1, &rope->low_freq_factor, error) &&
             number (s, "high_freq_factor", TRUE, 4, &rope->high_freq_factor, error);
    case HL_ROPE_PLAIN:
    case HL_ROPE_LINEAR:
    case HL_ROPE_DYNAMIC:
      break;
    }
  return TRUE;
}

HlRope *
hl_rope_read (const json_t *config, int n_turned, gint64 context, GError **error)
{
  Settings s = { .config = config };
  const json_t *parameters = json_object_get (config, "rope_parameters");
  if (!json_is_object (parameters))
    parameters = json_object_get (config, "rope_scaling");
  if (json_is_object (parameters))
    s.scaling = parameters;
  const json_t *base_holder =
      s.scaling != NULL && json_object_get (s.scaling, "rope_theta") != NULL ? s.scaling
                                                                             : config;
  g_autoptr (HlRope) rope = g_new0 (HlRope, 1);
  rope->n_turned = n_turned;
  rope->context = rope->original_context = context;
  rope->factor = rope->attention_factor = 1;
  const char *kind = NULL, *old_kind = NULL;
  if (!hl_json_get_double (base_holder, "rope_theta", FALSE, 10000, 1, 1e12, WHERE,
                           &rope->base, error))
    return NULL;
  if (s.scaling == NULL)
    return g_steal_pointer (&rope);
  if (!hl_json_get_string (s.scaling, "type", FALSE, "default", WHERE, &old_kind,
                           error) ||
      !hl_json_get_string (s.scaling, "rope_type", FALSE, old_kind, WHERE, &kind,
                           error) ||
      !read_kind (kind, &rope->kind, error) || !read_variant (rope, &s, error))
    return NULL;
  return g_steal_pointer (&rope);
}

/* Which frequency makes @turns whole turns over the trained length (YaRN, equation 17).
 */
static double
yarn_index (const HlRope *rope, double turns)
{
  return rope->n_turned * log ((double) rope->original_context / (turns * 2 * G_PI)) /
         (2 * log (rope->base));
}

static double
yarn_frequency (const HlRope *rope, int i, double plain)
{
  double low = yarn_index (rope, rope->beta_fast);
  double high = yarn_index (rope, rope->beta_slow);
  if (rope->is_truncated)
    {
      low = floor (low);
      high = ceil (high);
    }
  low = MAX (low, 0);
  high = MIN (high, rope->n_turned - 1);
  if (low == high)
    high += 0.001;
  double stretched = CLAMP ((i - low) / (high - low), 0, 1);
  return plain / rope->factor * stretched + plain * (1 - stretched);
}

static double
llama3_frequency (const HlRope *rope, double plain)
{
  double wave = 2 * G_PI / plain, length = (double) rope->original_context;
  if (wave < length / rope->high_freq_factor)
    return plain;
  if (wave > length / rope->low_freq_factor)
    return plain / rope->factor;
  double smooth = (length / wave - rope->low_freq_factor) /
                  (rope->high_freq_factor - rope->low_freq_factor);
  return (1 - smooth) * plain / rope->factor + smooth * plain;
}

static double
grown_base (const HlRope *rope, gint64 n_tokens)
{
  double R = rope->n_turned, context = (double) rope->context;
  double length = MAX ((double) n_tokens, context);
  return rope->base *
         pow (rope->factor * length / context - (rope->factor - 1), R / (R - 2));
}

void
hl_rope_frequencies (const HlRope *rope, gint64 n_tokens, double *out)
{
  double base = rope->kind == HL_ROPE_DYNAMIC ? grown_base (rope, n_tokens) : rope->base;
  const double *factors =
      n_tokens > rope->original_context ? rope->long_factors : rope->short_factors;
  for (int i = 0; i < rope->n_turned / 2; i++)
    {
      double plain = pow (base, -2.0 * i / rope->n_turned);
      switch (rope->kind)
        {
        case HL_ROPE_LINEAR:
          plain /= rope->factor;
          break;
        case HL_ROPE_YARN:
          plain = yarn_frequency (rope, i, plain);
          break;
        case HL_ROPE_LLAMA3:
          plain = llama3_frequency (rope, plain);
          break;
        case HL_ROPE_LONG:
          plain /= factors[i];
          break;
        case HL_ROPE_PLAIN:
        case HL_ROPE_DYNAMIC:
          break;
        }
      out[i] = (double) (float) plain;
    }
}

/* Cosines and sines of the run's positions, (2, T, R/2) in the backend's type. */
static HlTensor *
make_tables (const HlRope *rope, HlRun *run, gint64 T)
{
  gint64 half = rope->n_turned / 2;
  g_autofree double *frequency = g_new (double, (gsize) half);
  hl_rope_frequencies (rope, run->first_position + T, frequency);
  g_autoptr (HlTensor) both =
      hl_tensor_new (HL_DTYPE_F64, HL_SHAPE (2, T, half), &run->exec.error);
  if (both == NULL)
    return NULL;
  double *cosines = both->data, *sines = cosines + T * half;
  for (gint64 t = 0; t < T; t++)
    for (gint64 i = 0; i < half; i++)
      {
        float angle = (float) ((double) (run->first_position + t) * frequency[i]);
        *cosines++ = rope->attention_factor * cos ((double) angle);
        *sines++ = rope->attention_factor * sin ((double) angle);
      }
  return hl_exec_upload (&run->exec, both);
}

HlTensor *
hl_rope_forward (const HlRope *rope, HlRun *run, HlTensor *x, gint64 first)
{
  if (x == NULL || !hl_exec_ok (&run->exec))
    return NULL;
  gint64 T = x->shape.dim[1], half = rope->n_turned / 2;
  HlTensor *tables = g_hash_table_lookup (run->tables, rope);
  if (tables == NULL || tables->shape.dim[1] < first + T)
    {
      tables = make_tables (rope, run, first + T);
      if (tables == NULL)
        return NULL;
      g_hash_table_insert (run->tables, (gpointer) rope, tables);
    }
  gint64 all = tables->shape.dim[1];
  g_autoptr (HlTensor) cosines =
      hl_tensor_view (tables, first * half, HL_SHAPE (T, half), NULL);
  g_autoptr (HlTensor) sines =
      hl_tensor_view (tables, (all + first) * half, HL_SHAPE (T, half), NULL);
  return hl_rope (&run->exec, x, cosines, sines, rope->is_interleaved);
}
