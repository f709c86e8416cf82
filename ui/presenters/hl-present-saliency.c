/* SPDX-License-Identifier: MIT
 * Results of saliency as scenes. */
#include "config.h"

#include "presenters/hl-present-saliency.h"

#include "analysis/hl-result-reader.h"
#include "analysis/hl-saliency.h"
#include "presenters/hl-saliency-words.h"

#include <glib/gi18n-lib.h>
#include <math.h>

char **
hl_present_labels (const json_t *list, const char *field, gint64 n)
{
  if ((gint64) json_array_size (list) != n)
    return NULL;
  char **labels = g_new0 (char *, (gsize) n + 1);
  for (gint64 i = 0; i < n; i++)
    {
      const json_t *item = json_array_get (list, (gsize) i);
      const char *text =
          json_string_value (field != NULL ? json_object_get (item, field) : item);
      labels[i] = g_utf8_make_valid (text != NULL ? text : "", -1);
    }
  return labels;
}

static void
fill_values (HlMatrixScene *scene, const HlTensor *numbers)
{
  gint64 n = hl_tensor_count (numbers);
  const double *x = (const double *) numbers->data;
  double most = 0;
  gboolean is_signed = FALSE;
  scene->n_values_rows = numbers->shape.dim[0];
  scene->n_values_columns = numbers->shape.dim[1];
  scene->values = g_new (float, (gsize) n + 1);
  for (gint64 i = 0; i < n; i++)
    {
      scene->values[i] = isfinite (x[i]) ? (float) x[i] : NAN;
      if (!isfinite (x[i]))
        continue;
      most = fmax (most, fabs (x[i]));
      is_signed |= x[i] < 0;
    }
  scene->scale.mode = HL_RANGE_OWN;
  scene->scale.high = most > 0 ? most : 1;
  if (is_signed)
    {
      scene->scale.colormap = HL_COLORMAP_DIVERGING;
      scene->scale.low = -scene->scale.high;
    }
}

gboolean
hl_present_is_by_norm (const json_t *params)
{
  return g_strcmp0 (hl_result_get_string (params, "weights"), "norm") == 0;
}

static char *
caption_of (const json_t *params, const char *array)
{
  if (g_str_equal (array, "attention") && hl_present_is_by_norm (params))
    return g_strdup (_ ("Attention by what it carries, the norm of A v W_O summed over "
                        "heads, the mean of all layers: rows are what is explained, "
                        "columns tokens."));
  if (g_str_equal (array, "attention"))
    return g_strdup (_ ("Attention, the mean of all heads: rows are what is explained, "
                        "columns tokens."));
  gboolean is_size =
      g_str_equal (hl_result_get_string (params, "saliency"), "by its size");
  gboolean is_whole = json_is_object (json_object_get (params, "spes"));
  g_autofree char *method = hl_saliency_describe_params (params);
  return g_strdup_printf (
      is_whole  ? _ ("Saliency by %s: rows are what is explained (a distribution), "
                      "columns tokens.")
      : is_size ? _ ("Size of saliency by %s: rows are what is explained (a logit), "
                     "columns tokens.")
                : _ ("Saliency by %s: rows are what is explained (a logit), columns "
                     "tokens."),
      method);
}

HlMatrixScene *
hl_present_saliency (const HlSessionResult *result,
                     const char *array,
                     const HlViewOptions *options,
                     GError **error)
{
  HlResultReader reader;
  g_autoptr (HlMatrixScene) scene = NULL;
  hl_result_reader_init (&reader, result);
  const HlTensor *numbers =
      hl_result_reader_get (&reader, array, HL_DTYPE_F64, 2, -1, -1);
  if (numbers != NULL)
    {
      const gint64 *dim = numbers->shape.dim;
      scene = hl_matrix_scene_new ();
      scene->title =
          g_strdup (g_str_equal (array, "attention") ? _ ("Attention") : _ ("Saliency"));
      scene->scale.colormap = options->colormap;
      scene->rows =
          (HlAxis){ .title = g_strdup (_ ("explained")),
                    .n = dim[0],
                    .labels = hl_present_labels (
                        json_object_get (reader.params, "targets"), "name", dim[0]) };
      scene->columns =
          (HlAxis){ .title = g_strdup (_ ("token")),
                    .n = dim[1],
                    .labels = hl_present_labels (
                        json_object_get (reader.params, "tokens"), NULL, dim[1]) };
      scene->selected_row = scene->selected_column = -1;
      scene->pool_is_max = TRUE;
      fill_values (scene, numbers);
      scene->caption = caption_of (reader.params, array);
    }
  return hl_result_reader_end (&reader, error) ? g_steal_pointer (&scene) : NULL;
}

HlMatrixScene *
hl_present_agreement (const HlSessionResult *result, GError **error)
{
  HlResultReader reader;
  g_autoptr (HlMatrixScene) scene = NULL;
  hl_result_reader_init (&reader, result);
  const HlTensor *numbers =
      hl_result_reader_get (&reader, "pearson", HL_DTYPE_F64, 2, -1, -1);
  const HlTensor *all =
      hl_result_reader_get (&reader, "pearson_all", HL_DTYPE_F64, 1, 1, -1);
  if (numbers != NULL && all != NULL)
    {
      char r[G_ASCII_DTOSTR_BUF_SIZE];
      scene = hl_matrix_scene_new ();
      scene->title = g_strdup (_ ("Attention beside saliency"));
      scene->rows =
          (HlAxis){ .title = g_strdup (_ ("layer")), .n = numbers->shape.dim[0] };
      scene->columns =
          (HlAxis){ .title = g_strdup (_ ("head")), .n = numbers->shape.dim[1] };
      scene->selected_row = scene->selected_column = -1;
      fill_values (scene, numbers);
      scene->scale.colormap = HL_COLORMAP_DIVERGING;
      scene->scale.low = -1;
      scene->scale.high = 1;
      g_ascii_formatd (r, sizeof r, "%.3f", *(const double *) all->data);
      g_autofree char *method = hl_saliency_describe_params (reader.params);
      scene->caption = g_strdup_printf (
          hl_present_is_by_norm (reader.params)
              ? _ ("Pearson's r between what a head carries, the norm of A v W_O, and "
                   "saliency by %s, maps %s; of the mean of all layers %s.")
              : _ ("Pearson's r between a head's attention and saliency by %s, maps %s; "
                   "of the mean map of all heads %s."),
          method, hl_result_get_string (reader.params, "maps"), r);
    }
  return hl_result_reader_end (&reader, error) ? g_steal_pointer (&scene) : NULL;
}
