/* SPDX-License-Identifier: MIT
 * Gradients of whole models: against the reference framework's (make-gradients.py), and
 * in double against central differences with respect to the heads' gates. */
#include "backend/cpu/hl-cpu.h"
#include "golden-model.h"
#include "ops/hl-tape.h"

#include <math.h>
#include <string.h>

#define LIMIT 1e-5 /* relative to the largest number of the tensor */
#define STEP 1e-4

typedef struct
{
  HlModel *model;
  HlInput *input;
  HlSafetensors *expected;
  HlBackend *backend;
} Golden;

static void
golden_open (Golden *g, const char *name, HlDtype dtype)
{
  golden_open_model (name, &g->model, &g->input);
  g->expected = golden_open_file (name, "gradients.safetensors");
  g->backend = hl_cpu_backend_new (dtype, 2);
}

static void
golden_clear (Golden *g)
{
  hl_model_unref (g->model);
  hl_input_unref (g->input);
  hl_safetensors_unref (g->expected);
  hl_backend_unref (g->backend);
}

/* cos (i) for logit i: what is differentiated is the sum of both. */
static HlTensor *
seed_of (HlDtype dtype, const HlTensor *logits)
{
  g_autoptr (HlTensor) seed = hl_tensor_new (HL_DTYPE_F64, logits->shape, NULL);
  for (gint64 i = 0; i < hl_tensor_count (logits); i++)
    ((double *) seed->data)[i] = cos ((double) i);
  return hl_tensor_convert (seed, dtype, NULL);
}

/* Both are differentiated: with maps made apart, and (where no map is watched) fused. */
static void
compare (const Golden *g, const char *name, HlTensor *grad)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlTensor) wanted = hl_safetensors_get (g->expected, name, &error);
  g_assert_no_error (error);
  g_assert_nonnull (grad);
  g_assert_cmpint (hl_tensor_count (grad), ==, hl_tensor_count (wanted));
  const float *x = hl_tensor_f32 (grad), *y = hl_tensor_f32 (wanted);
  double most = 0, off = 0;
  for (gint64 i = 0; i < hl_tensor_count (wanted); i++)
    {
      most = fmax (most, fabs ((double) y[i]));
      off = fmax (off, fabs ((double) x[i] - (double) y[i]));
    }
  g_assert_cmpfloat (most, >, 0);
  if (!(off <= LIMIT * most))
    g_error ("%s: off by %g of %g", name, off, most);
}

static void
check_against_reference (const char *name, gboolean watches_maps)
{
  Golden g;
  golden_open (&g, name, HL_DTYPE_F32);
  HlRun run;
  g_autoptr (HlTape) tape = hl_tape_new ();
  hl_run_init (&run, g.backend, hl_model_get_info (g.model), NULL);
  run.exec.tape = tape;
  hl_run_watch (&run, "blocks.0.hook_resid_pre");
  if (watches_maps)
    hl_run_watch (&run, "blocks.*.attn.hook_pattern");
  g_autoptr (HlTensor) logits = hl_model_forward (g.model, &run, g.input);
  g_assert_no_error (run.exec.error);
  g_autoptr (HlTensor) seed = seed_of (HL_DTYPE_F32, logits);
  g_assert_true (hl_tape_backward (tape, &run.exec, logits, seed));
  HlTensor *resid = g_hash_table_lookup (run.watched, "blocks.0.hook_resid_pre");
  g_autoptr (HlTensor) grad = hl_tape_get_grad (tape, resid);
  compare (&g, "hidden_states.0", grad);
  int n_layers = hl_model_info_get_stack (hl_model_get_info (g.model), 0)->n_layers;
  for (int l = 0; l < n_layers && watches_maps; l++)
    {
      g_autofree char *site = g_strdup_printf ("blocks.%d.attn.hook_pattern", l);
      g_autofree char *key = g_strdup_printf ("attentions.%d", l);
      g_autoptr (HlTensor) of_map =
          hl_tape_get_grad (tape, g_hash_table_lookup (run.watched, site));
      compare (&g, key, of_map);
    }
  hl_run_clear (&run);
  golden_clear (&g);
}

static void
test_reference (gconstpointer name)
{
  check_against_reference (name, TRUE);
  check_against_reference (name, FALSE);
}

/* ---- gates ---------------------------------------------------------------------------
 */

/* The explained sum with these gates in one layer; where @tape is given, the gradient of
 * the gates goes to @grad. */
static double
explained (const Golden *g, int layer, HlTensor *gates, HlTape *tape, double *grad)
{
  HlRun run;
  hl_run_init (&run, g->backend, hl_model_get_info (g->model), NULL);
  run.exec.tape = tape;
  if (tape != NULL)
    hl_tape_watch (tape, gates);
  g_autoptr (HlIntervention) gate = hl_intervention_new (HL_INTERVENTION_GATE, HL_SITE_Z,
                                                         0, layer, NULL, gates, "gates");
  hl_run_add_intervention (&run, gate);
  g_autoptr (HlTensor) logits = hl_model_forward (g->model, &run, g->input);
  g_assert_no_error (run.exec.error);
  g_autoptr (HlTensor) seed = seed_of (HL_DTYPE_F64, logits);
  double sum = 0;
  for (gint64 i = 0; i < hl_tensor_count (logits); i++)
    sum += ((double *) logits->data)[i] * ((double *) seed->data)[i];
  if (tape != NULL)
    {
      g_assert_true (hl_tape_backward (tape, &run.exec, logits, seed));
      g_autoptr (HlTensor) found = hl_tape_get_grad (tape, gates);
      memcpy (grad, found->data, hl_tensor_size_bytes (found));
    }
  hl_run_clear (&run);
  return sum;
}

static void
test_gates (gconstpointer name)
{
  Golden g;
  golden_open (&g, name, HL_DTYPE_F64);
  const HlStack *stack = hl_model_info_get_stack (hl_model_get_info (g.model), 0);
  for (int l = 0; l < stack->n_layers; l++)
    {
      gint64 H = stack->layers[l].n_heads;
      g_autofree double *ones = g_new (double, (gsize) H);
      g_autofree double *grad = g_new (double, (gsize) H);
      for (gint64 h = 0; h < H; h++)
        ones[h] = 1;
      g_autoptr (HlTape) tape = hl_tape_new ();
      g_autoptr (HlTensor) gates =
          hl_tensor_new_copy (HL_DTYPE_F64, HL_SHAPE (1, H), ones);
      explained (&g, l, gates, tape, grad);
      for (gint64 h = 0; h < H; h++)
        {
          double *values = gates->data;
          values[h] = 1 + STEP;
          double above = explained (&g, l, gates, NULL, NULL);
          values[h] = 1 - STEP;
          double below = explained (&g, l, gates, NULL, NULL);
          values[h] = 1;
          double wanted = (above - below) / (2 * STEP);
          g_assert_cmpfloat_with_epsilon (grad[h], wanted, 1e-6 * (1 + fabs (wanted)));
        }
    }
  golden_clear (&g);
}

int
main (int argc, char **argv)
{
  static const char *const names[] = {
    "vit-tiny",   "vit-grey-gelu-new", "vit-grey-relu", "vit-nonsquare",
    "deit-tiny",  "gpt2-tiny",         "gpt2-untied",   "llama-tiny",
    "llama-gqa2", "llama-gqa4",        "llama-gqa8",    "llama-linear",
  };
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *reference = g_strdup_printf ("/gradients/reference/%s", names[i]);
      g_autofree char *gates = g_strdup_printf ("/gradients/gates/%s", names[i]);
      g_test_add_data_func (reference, names[i], test_reference);
      g_test_add_data_func (gates, names[i], test_gates);
    }
  return g_test_run ();
}
