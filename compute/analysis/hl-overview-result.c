/* SPDX-License-Identifier: MIT
 * An overview of a data set as a session keeps it, and as a table. */
#include "analysis/hl-overview-result.h"

#include "analysis/hl-result-reader.h"
#include "analysis/hl-tsne.h"
#include "io/hl-csv.h"

#include <math.h>
#include <string.h>

/* Of an embedding, and of classes, in a file. */
#define MAX_DIM (1 << 20)
#define MAX_CLASS (1 << 30)

/* ---- to a result ---------------------------------------------------------------------
 */

static char *
make_params (const HlOverview *o)
{
  json_t *inputs = json_array (), *classes = json_array ();
  for (int i = 0; i < hl_overview_get_n (o); i++)
    {
      const HlOverviewInput *x = hl_overview_get_input (o, i);
      json_array_append_new (inputs,
                             json_pack ("{s:s, s:s}", "name", x->name, "path", x->path));
    }
  for (guint k = 0; k < o->classes->len; k++)
    {
      const HlOverviewClass *c = hl_overview_get_class (o, (int) k);
      json_array_append_new (
          classes, json_pack ("{s:i, s:s}", "index", c->index, "name", c->name));
    }
  HlInterval accuracy = hl_overview_get_accuracy (o);
  json_t *params =
      json_pack ("{s:I, s:i, s:f, s:b, s:b, s:o, s:o, s:o, s:o, s:i, s:s}", "seed",
                 (json_int_t) o->seed, "n_wanted", o->n_wanted, "perplexity",
                 hl_tsne_perplexity (hl_overview_get_n (o)), "partial", o->is_partial,
                 "has_tsne", o->layout != NULL, "inputs", inputs, "classes", classes,
                 "skipped", hl_result_strings (o->skipped), "accuracy",
                 hl_result_real (accuracy.mean), "n_labelled", accuracy.n, "site",
                 "residual stream behind the last block, at the readout token");
  char *text = json_dumps (params, JSON_COMPACT);
  json_decref (params);
  return text;
}

static void
add_inputs (HlSessionResult *result, const HlOverview *o)
{
  gint64 n = hl_overview_get_n (o);
  g_autofree gint32 *label = g_new (gint32, (gsize) n + 1);
  g_autofree gint32 *predicted = g_new (gint32, (gsize) n + 1);
  g_autofree double *prob = g_new (double, (gsize) n + 1);
  g_autofree double *loss = g_new (double, (gsize) n + 1);
  for (int i = 0; i < n; i++)
    {
      const HlOverviewInput *x = hl_overview_get_input (o, i);
      label[i] = x->label;
      predicted[i] = x->predicted;
      prob[i] = x->prob;
      loss[i] = x->loss;
    }
  HlShape shape = HL_SHAPE (n);
  hl_result_add_array (result, "label", HL_DTYPE_I32, shape, label, "input", NULL);
  hl_result_add_array (result, "predicted", HL_DTYPE_I32, shape, predicted, "input",
                       NULL);
  hl_result_add_array (result, "probability", HL_DTYPE_F64, shape, prob, "input", NULL);
  hl_result_add_array (result, "loss", HL_DTYPE_F64, shape, loss, "input", NULL);
}

HlSessionResult *
hl_overview_to_result (const HlOverview *o, const char *provenance)
{
  char *params = make_params (o);
  HlSessionResult *result =
      hl_session_result_new (HL_RESULT_OVERVIEW, params, provenance);
  gint64 n = hl_overview_get_n (o), k = o->classes->len;
  g_autofree gint32 *confusion = hl_overview_confusion (o);
  free (params);
  hl_result_add_array (result, "embedding", HL_DTYPE_F32, HL_SHAPE (n, o->dim),
                       o->embedding->data, "input", "width");
  hl_result_add_array (result, "layout", HL_DTYPE_F32, HL_SHAPE (n, 2),
                       hl_overview_get_layout (o, FALSE), "input", "xy");
  hl_result_add_array (result, "components", HL_DTYPE_F32, HL_SHAPE (n, 2),
                       o->components->data, "input", "xy");
  add_inputs (result, o);
  if (k > 0)
    hl_result_add_array (result, "confusion", HL_DTYPE_I32, HL_SHAPE (k, k), confusion,
                         "label", "predicted");
  return result;
}

/* ---- from a result -------------------------------------------------------------------
 */

static void
read_inputs (HlResultReader *r, HlOverview *o, gint64 n)
{
  const json_t *names = json_object_get (r->params, "inputs");
  g_autoptr (GArray) label = hl_result_reader_take (r, "label", HL_DTYPE_I32, 1, n, -1);
  g_autoptr (GArray) predicted =
      hl_result_reader_take (r, "predicted", HL_DTYPE_I32, 1, n, -1);
  g_autoptr (GArray) prob =
      hl_result_reader_take (r, "probability", HL_DTYPE_F64, 1, n, -1);
  g_autoptr (GArray) loss = hl_result_reader_take (r, "loss", HL_DTYPE_F64, 1, n, -1);
  if ((gint64) json_array_size (names) != n)
    hl_result_reader_complain (r, "inputs", "a name an input");
  for (gint64 i = 0; i < n && r->error == NULL; i++)
    {
      const json_t *about = json_array_get (names, (size_t) i);
      HlOverviewInput *x = hl_overview_add (o, hl_result_get_string (about, "name"),
                                            hl_result_get_string (about, "path"));
      x->label = CLAMP (g_array_index (label, gint32, i), -1, MAX_CLASS);
      x->predicted = CLAMP (g_array_index (predicted, gint32, i), -1, MAX_CLASS);
      x->prob = g_array_index (prob, double, i);
      x->loss = g_array_index (loss, double, i);
    }
}

static void
read_places (HlResultReader *r, HlOverview *o, gint64 n)
{
  g_array_unref (o->embedding);
  g_array_unref (o->components);
  o->embedding = hl_result_reader_take (r, "embedding", HL_DTYPE_F32, 2, n, o->dim);
  o->components = hl_result_reader_take (r, "components", HL_DTYPE_F32, 2, n, 2);
  hl_result_reader_check_finite (r, "components", o->components);
  if (!json_is_true (json_object_get (r->params, "has_tsne")))
    return;
  o->layout = hl_result_reader_take (r, "layout", HL_DTYPE_F32, 2, n, 2);
  hl_result_reader_check_finite (r, "layout", o->layout);
}

/* (transfer full): as the parameters have it, else its number. */
static char *
name_of (int index, gpointer data)
{
  const json_t *classes = data;
  for (size_t k = 0; k < json_array_size (classes); k++)
    {
      const json_t *about = json_array_get (classes, k);
      if (hl_result_get_int (about, "index", MAX_CLASS) == index)
        return g_strdup (hl_result_get_string (about, "name"));
    }
  return g_strdup_printf ("%d", index);
}

HlOverview *
hl_overview_from_result (const HlSessionResult *result, GError **error)
{
  HlResultReader r;
  const HlSessionArray *embedding = hl_session_result_get_array (result, "embedding");
  const HlTensor *t = embedding != NULL ? embedding->tensor : NULL;
  gboolean fits = g_str_equal (result->id, HL_RESULT_OVERVIEW) && t != NULL &&
                  t->shape.n_dims == 2 && t->shape.dim[0] > 0 && t->shape.dim[1] > 0 &&
                  t->shape.dim[0] <= HL_DATASET_MAX_ITEMS && t->shape.dim[1] <= MAX_DIM;
  gint64 n = fits ? t->shape.dim[0] : 0;
  HlOverview *o = hl_overview_new (fits ? (int) t->shape.dim[1] : 0);
  hl_result_reader_init (&r, result);
  if (!fits || r.params == NULL)
    hl_result_reader_complain (&r, "result", "an overview of at least one input");
  if (r.error == NULL)
    {
      const json_t *skipped = json_object_get (r.params, "skipped");
      read_inputs (&r, o, n);
      read_places (&r, o, n);
      for (size_t i = 0; i < json_array_size (skipped); i++)
        {
          const char *why = json_string_value (json_array_get (skipped, i));
          g_ptr_array_add (o->skipped, g_strdup (why != NULL ? why : ""));
        }
      o->seed = (guint32) MAX (hl_result_get_int (r.params, "seed", G_MAXUINT32), 0);
      o->n_wanted = (int) MAX (hl_result_get_int (r.params, "n_wanted", G_MAXINT), n);
      o->is_partial = json_is_true (json_object_get (r.params, "partial"));
      hl_overview_count (o, name_of, json_object_get (r.params, "classes"));
    }
  if (!hl_result_reader_end (&r, error))
    g_clear_pointer (&o, hl_overview_unref);
  return o;
}

/* ---- a table -------------------------------------------------------------------------
 */

static void
append_class (GString *out, const HlOverview *o, int index)
{
  const HlOverviewClass *c = hl_overview_get_class (o, hl_overview_find_class (o, index));
  g_string_append_c (out, ',');
  if (c != NULL)
    hl_csv_append_text (out, c->name);
}

char *
hl_overview_to_csv (const HlOverview *o)
{
  GString *out = g_string_new ("input,file,label,predicted,right,probability,loss,x,y\n");
  const float *layout = hl_overview_get_layout (o, FALSE);
  for (int i = 0; i < hl_overview_get_n (o); i++)
    {
      const HlOverviewInput *x = hl_overview_get_input (o, i);
      hl_csv_append_text (out, x->name);
      g_string_append_c (out, ',');
      hl_csv_append_text (out, x->path);
      append_class (out, o, x->label);
      append_class (out, o, x->predicted);
      if (x->label >= 0 && x->predicted >= 0)
        g_string_append_printf (out, ",%d", x->label == x->predicted);
      else
        g_string_append_c (out, ',');
      hl_csv_append_number (out, x->prob, 8);
      hl_csv_append_number (out, x->loss, 8);
      hl_csv_append_number (out, (double) layout[2 * i], 8);
      hl_csv_append_number (out, (double) layout[2 * i + 1], 8);
      g_string_append_c (out, '\n');
    }
  return g_string_free (out, FALSE);
}
