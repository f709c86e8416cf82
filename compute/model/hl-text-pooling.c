/* SPDX-License-Identifier: MIT
 * From the features of a text's tokens to one vector. Formulas: Reimers and Gurevych,
 * arXiv 1908.10084, section 3, and the sentence-transformers library's modules. */
#include "model/hl-text-pooling.h"

#include "base/hl-error.h"
#include "io/hl-json.h"
#include "io/hl-safetensors.h"

#include <math.h>
#include <string.h>

#define MODULES_MAX 16

/* Ways of pooling by their fields of 1_Pooling/config.json; several are put side by side,
 * in this order. */
typedef enum
{
  MODE_CLS,
  MODE_MAX,
  MODE_MEAN,
  MODE_MEAN_SQRT,
  MODE_WEIGHTED,
  MODE_LAST,
  N_MODES,
} Mode;

static const struct
{
  const char *field, *name, *words;
} modes[N_MODES] = {
  { "pooling_mode_cls_token", "cls", "the first token" },
  { "pooling_mode_max_tokens", "max", "maximum of the tokens" },
  { "pooling_mode_mean_tokens", "mean", "mean of the tokens" },
  { "pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len_tokens",
    "sum of the tokens over the root of their number" },
  { "pooling_mode_weightedmean_tokens", "weightedmean",
    "mean of the tokens, later more" },
  { "pooling_mode_lasttoken", "lasttoken", "the last token" },
};

typedef struct
{
  gint64 n_in, n_out;
  double *weight; /* (n_out, n_in) */
  double *bias;   /* (nullable) */
  gboolean is_tanh;
} Dense;

struct _HlTextPooling
{
  gboolean has[N_MODES];
  GPtrArray *dense; /* Dense */
  gboolean is_normalised;
  int max_tokens;
  char *words;
};

static void
dense_free (gpointer data)
{
  Dense *dense = data;
  g_free (dense->weight);
  g_free (dense->bias);
  g_free (dense);
}

void
hl_text_pooling_free (HlTextPooling *pooling)
{
  if (pooling == NULL)
    return;
  g_ptr_array_unref (pooling->dense);
  g_free (pooling->words);
  g_free (pooling);
}

/* ---- reading -------------------------------------------------------------------------
 */

static json_t *
load (const char *folder, const char *path, const char *file, GError **error)
{
  g_autofree char *full = g_build_filename (folder, path, file, NULL);
  return hl_json_load_file (full, error);
}

static gboolean
read_modes (HlTextPooling *p, const char *folder, const char *path, GError **error)
{
  g_autoptr (json_t) config = load (folder, path, "config.json", error);
  const char *name = NULL;
  int n = 0;
  if (config == NULL ||
      !hl_json_get_string (config, "pooling_mode", FALSE, NULL, path, &name, error))
    return FALSE;
  for (int m = 0; m < N_MODES; m++)
    {
      p->has[m] = FALSE;
      if (!hl_json_get_bool (config, modes[m].field, FALSE,
                             g_strcmp0 (name, modes[m].name) == 0, path, &p->has[m],
                             error))
        return FALSE;
      n += p->has[m];
    }
  if (n > 0)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
               "%s/config.json: a way of pooling that is known expected, %s found", path,
               name != NULL ? name : "none");
  return FALSE;
}

/* (transfer full) (nullable): numbers of a tensor of a module. */
static double *
read_numbers (HlSafetensors *st, const char *name, gint64 n, GError **error)
{
  g_autoptr (HlTensor) stored = hl_safetensors_get (st, name, error);
  g_autoptr (HlTensor) wide =
      stored != NULL ? hl_tensor_convert (stored, HL_DTYPE_F64, error) : NULL;
  if (wide == NULL)
    return NULL;
  if (hl_tensor_count (wide) == n)
    return g_memdup2 (wide->data, sizeof (double) * (gsize) n);
  g_set_error (error, HL_ERROR, HL_ERROR_SHAPE, "%s: %d numbers expected, %d found", name,
               (int) n, (int) hl_tensor_count (wide));
  return NULL;
}

static gboolean
read_dense (HlTextPooling *p, const char *folder, const char *path, GError **error)
{
  g_autoptr (json_t) config = load (folder, path, "config.json", error);
  const char *activation = NULL;
  gboolean has_bias = TRUE;
  gint64 n_in = 0, n_out = 0;
  if (config == NULL ||
      !hl_json_get_int (config, "in_features", TRUE, 0, 1, 1 << 17, path, &n_in, error) ||
      !hl_json_get_int (config, "out_features", TRUE, 0, 1, 1 << 17, path, &n_out,
                        error) ||
      !hl_json_get_bool (config, "bias", FALSE, TRUE, path, &has_bias, error) ||
      !hl_json_get_string (config, "activation_function", FALSE, "Tanh", path,
                           &activation, error))
    return FALSE;
  gboolean is_tanh = g_str_has_suffix (activation, "Tanh");
  if (!is_tanh && !g_str_has_suffix (activation, "Identity"))
    {
      g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                   "%s/config.json: field \"activation_function\": Tanh or Identity "
                   "expected, %s found",
                   path, activation);
      return FALSE;
    }
  g_autofree char *file = g_build_filename (folder, path, NULL);
  g_autoptr (HlSafetensors) st = hl_safetensors_open (file, error);
  if (st == NULL)
    return FALSE;
  Dense *dense = g_new0 (Dense, 1);
  g_ptr_array_add (p->dense, dense);
  *dense = (Dense){ .n_in = n_in, .n_out = n_out, .is_tanh = is_tanh };
  dense->weight = read_numbers (st, "linear.weight", n_in * n_out, error);
  if (dense->weight != NULL && has_bias)
    dense->bias = read_numbers (st, "linear.bias", n_out, error);
  return dense->weight != NULL && (!has_bias || dense->bias != NULL);
}

static gboolean
read_module (HlTextPooling *p, const char *folder, const json_t *module, GError **error)
{
  const char *type = json_string_value (json_object_get (module, "type"));
  const char *path = json_string_value (json_object_get (module, "path"));
  const char *dot = type != NULL ? strrchr (type, '.') : NULL;
  const char *kind = dot != NULL ? dot + 1 : type;
  if (kind == NULL || path == NULL || strstr (path, "..") != NULL || path[0] == '/')
    {
      g_set_error (error, HL_ERROR, HL_ERROR_FORMAT,
                   "modules.json: a type, and a path below its folder, expected");
      return FALSE;
    }
  if (g_str_equal (kind, "Transformer"))
    return TRUE;
  if (g_str_equal (kind, "Pooling"))
    return read_modes (p, folder, path, error);
  if (g_str_equal (kind, "Dense"))
    return read_dense (p, folder, path, error);
  if (g_str_equal (kind, "Normalize"))
    {
      p->is_normalised = TRUE;
      return TRUE;
    }
  g_set_error (
      error, HL_ERROR, HL_ERROR_UNSUPPORTED,
      "modules.json: Transformer, Pooling, Dense or Normalize expected, %s found", kind);
  return FALSE;
}

static char *
describe (const HlTextPooling *p)
{
  GString *words = g_string_new (NULL);
  for (int m = 0; m < N_MODES; m++)
    if (p->has[m])
      g_string_append_printf (words, "%s%s", words->len > 0 ? " beside " : "",
                              modes[m].words);
  if (p->dense->len > 0)
    g_string_append_printf (words, ", %u dense layers", p->dense->len);
  g_string_append (words, p->is_normalised ? ", normalised" : "");
  return g_string_free (words, FALSE);
}

static void
read_max_tokens (HlTextPooling *p, const char *folder)
{
  g_autoptr (json_t) config = load (folder, ".", "sentence_bert_config.json", NULL);
  json_int_t n = json_integer_value (json_object_get (config, "max_seq_length"));
  p->max_tokens = n > 0 && n < G_MAXINT32 ? (int) n : 0;
}

HlTextPooling *
hl_text_pooling_open (const char *folder, gboolean *found, GError **error)
{
  g_autoptr (HlTextPooling) p = g_new0 (HlTextPooling, 1);
  g_autofree char *path = g_build_filename (folder, "modules.json", NULL);
  p->dense = g_ptr_array_new_with_free_func (dense_free);
  p->has[MODE_MEAN] = TRUE;
  *found = g_file_test (path, G_FILE_TEST_EXISTS);
  g_autofree char *text = NULL;
  gsize size = 0;
  if (*found && !g_file_get_contents (path, &text, &size, error))
    return NULL;
  /* A list at the top: hl_json_load_bytes() takes objects. */
  g_autofree char *wrapped = *found ? g_strdup_printf ("{\"modules\": %s}", text) : NULL;
  g_autoptr (json_t) root =
      *found ? hl_json_load_bytes (wrapped, strlen (wrapped), "modules.json", NULL, error)
             : NULL;
  if (*found && root == NULL)
    return NULL;
  const json_t *modules = json_object_get (root, "modules");
  for (gsize i = 0; i < json_array_size (modules) && i < MODULES_MAX; i++)
    if (!read_module (p, folder, json_array_get (modules, i), error))
      return NULL;
  read_max_tokens (p, folder);
  p->words = describe (p);
  return g_steal_pointer (&p);
}

const char *
hl_text_pooling_get_words (const HlTextPooling *pooling)
{
  return pooling->words;
}

int
hl_text_pooling_get_max_tokens (const HlTextPooling *pooling)
{
  return pooling->max_tokens;
}

/* ---- pooling -------------------------------------------------------------------------
 */

/* One way, of rows @x (n, D) at @place: @out (D). */
static void
pool (Mode mode, const float *x, const gint64 *place, gint64 n, gint64 D, double *out)
{
  double total = 0;
  for (gint64 i = 0; i < n; i++)
    {
      const float *row = x + place[i] * D;
      double w = mode == MODE_WEIGHTED ? (double) (i + 1) : 1;
      if ((mode == MODE_CLS && i > 0) || (mode == MODE_LAST && i < n - 1))
        continue;
      for (gint64 d = 0; d < D; d++)
        {
          double v = (double) row[d];
          out[d] = mode != MODE_MAX ? out[d] + w * v : i == 0 ? v : fmax (out[d], v);
        }
      total += w;
    }
  double by = mode == MODE_MAX ? 1 : mode == MODE_MEAN_SQRT ? sqrt (total) : total;
  for (gint64 d = 0; d < D; d++)
    out[d] /= by;
}

static double *
apply_dense (const Dense *dense, const double *x)
{
  double *out = g_new (double, (gsize) dense->n_out);
  for (gint64 o = 0; o < dense->n_out; o++)
    {
      double sum = dense->bias != NULL ? dense->bias[o] : 0;
      for (gint64 i = 0; i < dense->n_in; i++)
        sum += dense->weight[o * dense->n_in + i] * x[i];
      out[o] = dense->is_tanh ? tanh (sum) : sum;
    }
  return out;
}

static void
normalise (double *x, gint64 n)
{
  double squares = 0;
  for (gint64 i = 0; i < n; i++)
    squares += x[i] * x[i];
  for (gint64 i = 0; i < n && squares > 0; i++)
    x[i] /= sqrt (squares);
}

/* Places of the tokens that count. */
static GArray *
places_of (const HlTokenTable *tokens, gint64 T)
{
  GArray *places = g_array_new (FALSE, FALSE, sizeof (gint64));
  for (gint64 t = 0; t < T; t++)
    if (tokens == NULL || t >= tokens->n_tokens ||
        tokens->tokens[t].role != HL_ROLE_PADDING)
      g_array_append_val (places, t);
  return places;
}

HlTensor *
hl_text_pooling_run (const HlTextPooling *p,
                     const HlTensor *features,
                     const HlTokenTable *tokens,
                     GError **error)
{
  gint64 T = features->shape.dim[0], D = features->shape.dim[1], E = 0;
  g_autoptr (GArray) places = places_of (tokens, T);
  g_autofree double *x = g_new0 (double, (gsize) (D * N_MODES));
  for (int m = 0; m < N_MODES; m++)
    if (p->has[m] && places->len > 0)
      {
        pool ((Mode) m, hl_tensor_f32 (features), (gint64 *) (gpointer) places->data,
              places->len, D, x + E);
        E += D;
      }
  for (guint i = 0; i < p->dense->len; i++)
    {
      const Dense *dense = g_ptr_array_index (p->dense, i);
      if (dense->n_in != E)
        {
          g_set_error (error, HL_ERROR, HL_ERROR_SHAPE,
                       "dense layer %u: %d numbers expected, %d found", i,
                       (int) dense->n_in, (int) E);
          return NULL;
        }
      double *next = apply_dense (dense, x);
      g_free (x);
      x = next;
      E = dense->n_out;
    }
  if (p->is_normalised)
    normalise (x, E);
  HlTensor *out = hl_tensor_new (HL_DTYPE_F32, HL_SHAPE (E), error);
  for (gint64 i = 0; out != NULL && i < E; i++)
    ((float *) out->data)[i] = (float) x[i];
  return out;
}
