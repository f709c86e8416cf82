/* SPDX-License-Identifier: MIT
 * What a picture and a text are worth together, against both towers of the reference
 * library run at once (make-pair.py). */
#include "analysis/hl-saliency-set.h"
#include "backend/cpu/hl-cpu.h"
#include "base/hl-error.h"
#include "golden-model.h"
#include "io/hl-json.h"

#include <math.h>

#define LIMIT 1e-5

typedef struct
{
  HlModel *model;
  HlInput *input;
  HlPair *pair; /* what the other one is explained with */
} Tower;

typedef struct
{
  const json_t *about;
  HlBackend *backend;
  Tower image, text;
} Case;

static json_t *reference;

static void
tower_init (Case *c, Tower *tower, const char *suffix)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *name =
      g_strconcat (json_string_value (json_object_get (c->about, "model")), suffix, NULL);
  golden_open_model (name, &tower->model, &tower->input);
  tower->pair = hl_pair_new (tower->model, tower->input, NULL, c->backend, NULL, &error);
  g_assert_no_error (error);
}

static void
case_init (Case *c, gsize index)
{
  *c = (Case){ .about = json_array_get (reference, index),
               .backend = hl_cpu_backend_new (HL_DTYPE_F64, 2) };
  tower_init (c, &c->image, "");
  tower_init (c, &c->text, "#text");
}

static void
tower_clear (Tower *tower)
{
  hl_model_unref (tower->model);
  hl_input_unref (tower->input);
  hl_pair_free (tower->pair);
}

static void
case_clear (Case *c)
{
  tower_clear (&c->image);
  tower_clear (&c->text);
  hl_backend_unref (c->backend);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Case, case_clear)

static double
number_of (const json_t *about, const char *name)
{
  return json_number_value (json_object_get (about, name));
}

static HlSaliencySet *
explain (const Case *c, const char *which, HlSaliencyOptions options, GError **error)
{
  gboolean is_image = g_str_equal (which, "image");
  const Tower *own = is_image ? &c->image : &c->text;
  options.pair = is_image ? c->text.pair : c->image.pair;
  return hl_saliency_set_score (own->model, own->input, c->backend, -1, -1, -1, &options,
                                NULL, error);
}

static void
check_method (const Case *c, const char *which, HlSaliencyMethod method)
{
  g_autoptr (GError) error = NULL;
  const json_t *list =
      json_object_get (json_object_get (c->about, which), hl_saliency_name (method));
  const HlSaliencyOptions options = { .method = method };
  g_autoptr (HlSaliencySet) set = explain (c, which, options, &error);
  double most = 0;
  if (list == NULL) /* the tower pools by an attention of its own */
    {
      g_assert_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED);
      return;
    }
  g_assert_no_error (error);
  const HlSaliencyRow *row = g_ptr_array_index (set->rows, 0);
  g_assert_cmpint (row->n_tokens, ==, (int) json_array_size (list));
  g_assert_cmpfloat_with_epsilon (row->z, number_of (c->about, "z"), LIMIT);
  for (int i = 0; i < row->n_tokens; i++)
    most = fmax (most, fabs (json_number_value (json_array_get (list, (gsize) i))));
  g_assert_cmpfloat (most, >, 1e-6);
  for (int i = 0; i < row->n_tokens; i++)
    {
      double wanted = json_number_value (json_array_get (list, (gsize) i));
      /* What comes behind the end of a text that is read forwards is nothing to it. */
      double found = isnan (row->scores[i]) ? 0 : row->scores[i];
      if (!(fabs (found - wanted) <= LIMIT * fmin (most, 1)))
        g_error ("%s of %s, token %d: %.9g expected, %.9g found",
                 hl_saliency_name (method), which, i, wanted, found);
    }
}

static void
test_towers (gconstpointer data)
{
  g_auto (Case) c = { 0 };
  case_init (&c, GPOINTER_TO_UINT (data));
  static const HlSaliencyMethod methods[] = { HL_SALIENCY_GRADIENT_INPUT,
                                              HL_SALIENCY_RELEVANCE,
                                              HL_SALIENCY_ATTENTION_GRADIENT };
  for (guint m = 0; m < G_N_ELEMENTS (methods); m++)
    {
      check_method (&c, "image", methods[m]);
      check_method (&c, "text", methods[m]);
    }
}

static void
test_scale (gconstpointer data)
{
  g_auto (Case) c = { 0 };
  case_init (&c, GPOINTER_TO_UINT (data));
  g_assert_cmpfloat_with_epsilon (c.text.pair->scale, number_of (c.about, "scale"), 1e-6);
  g_assert_cmpfloat_with_epsilon (c.image.pair->offset, number_of (c.about, "offset"),
                                  1e-6);
  double z = number_of (c.about, "z");
  g_assert_cmpfloat_with_epsilon (hl_pair_cosine (c.text.pair, z),
                                  number_of (c.about, "cosine"), 1e-6);
}

/* Sums of integrated gradients are the difference of what the pair is worth. */
static void
test_complete (gconstpointer data)
{
  g_auto (Case) c = { 0 };
  g_autoptr (GError) error = NULL;
  case_init (&c, GPOINTER_TO_UINT (data));
  for (int which = 0; which < 2; which++)
    {
      const HlSaliencyOptions options = { .method = HL_SALIENCY_INTEGRATED,
                                          .baseline = HL_BASELINE_MEAN };
      g_autoptr (HlSaliencySet) set =
          explain (&c, which == 0 ? "image" : "text", options, &error);
      g_assert_no_error (error);
      const HlSaliencyRow *row = g_ptr_array_index (set->rows, 0);
      double sum = 0;
      for (int i = 0; i < row->n_tokens; i++)
        sum += isnan (row->scores[i]) ? 0 : row->scores[i];
      g_assert_cmpfloat (fabs (row->difference), >, 1e-6);
      g_assert_cmpfloat (fabs (sum - row->difference), <=,
                         0.011 * fabs (row->difference));
    }
}

/* By central differences; the sign of a cosine, and of a pair that looks away. */
static void
test_value (void)
{
  double toward[] = { 3, 0, 4 }, p[] = { 0.5, -1, 2 }, slope[3];
  const HlPair pair = { NULL, toward, 3, 2, 0.25 };
  double z = hl_pair_value (&pair, p, slope);
  g_assert_cmpfloat_with_epsilon (z, 2 * 9.5 / (5 * sqrt (5.25)) + 0.25, 1e-12);
  g_assert_cmpfloat_with_epsilon (hl_pair_cosine (&pair, z), 9.5 / (5 * sqrt (5.25)),
                                  1e-12);
  for (int i = 0; i < 3; i++)
    {
      double more[] = { p[0], p[1], p[2] }, less[] = { p[0], p[1], p[2] };
      more[i] += 1e-5;
      less[i] -= 1e-5;
      double wanted =
          (hl_pair_value (&pair, more, NULL) - hl_pair_value (&pair, less, NULL)) / 2e-5;
      g_assert_cmpfloat_with_epsilon (slope[i], wanted, 1e-8);
    }
}

static void
test_refused (void)
{
  g_auto (Case) c = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (HlModel) other = NULL;
  g_autoptr (HlInput) input = NULL;
  case_init (&c, 0);
  c.text.pair->width--;
  HlSaliencyOptions options = { .method = HL_SALIENCY_RELEVANCE };
  g_assert_null (explain (&c, "image", options, &error));
  g_assert_error (error, HL_ERROR, HL_ERROR_SHAPE);
  g_clear_error (&error);
  golden_open_model ("gpt2-tiny", &other, &input);
  options.pair = c.text.pair;
  g_assert_null (hl_saliency_set_score (other, input, c.backend, -1, -1, -1, &options,
                                        NULL, &error));
  g_assert_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED);
  g_clear_error (&error);
  g_assert_null (hl_pair_new (other, input, NULL, c.backend, NULL, &error));
  g_assert_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_autofree char *path =
      g_test_build_filename (G_TEST_DIST, "golden", "pair.json", NULL);
  reference = json_load_file (path, 0, NULL);
  g_assert_true (json_is_array (reference));
  for (gsize i = 0; i < json_array_size (reference); i++)
    {
      const char *name =
          json_string_value (json_object_get (json_array_get (reference, i), "model"));
      g_autofree char *towers = g_strdup_printf ("/pair/towers/%s", name);
      g_autofree char *scale = g_strdup_printf ("/pair/scale/%s", name);
      g_autofree char *complete = g_strdup_printf ("/pair/complete/%s", name);
      g_test_add_data_func (towers, GUINT_TO_POINTER ((guint) i), test_towers);
      g_test_add_data_func (scale, GUINT_TO_POINTER ((guint) i), test_scale);
      g_test_add_data_func (complete, GUINT_TO_POINTER ((guint) i), test_complete);
    }
  g_test_add_func ("/pair/value", test_value);
  g_test_add_func ("/pair/refused", test_refused);
  int status = g_test_run ();
  json_decref (reference);
  return status;
}
