/* SPDX-License-Identifier: MIT
 * From a model and an input to a trace. */
#include "config.h"

#include "trace/hl-tracer.h"

#include "base/hl-error.h"
#include "base/hl-hash.h"
#include "model/hl-model-text.h"
#include "model/hl-readout.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

gsize
hl_memory_available (void)
{
  g_autofree char *text = NULL;
  if (!g_file_get_contents ("/proc/meminfo", &text, NULL, NULL))
    return G_MAXSIZE;
  const char *line = strstr (text, "MemAvailable:");
  guint64 kib = 0;
  if (line == NULL || sscanf (line, "MemAvailable: %" G_GUINT64_FORMAT, &kib) != 1)
    return G_MAXSIZE;
  return (gsize) kib << 10;
}

gsize
hl_memory_resident (void)
{
  g_autofree char *text = NULL;
  unsigned long all, resident;
  if (!g_file_get_contents ("/proc/self/statm", &text, NULL, NULL) ||
      sscanf (text, "%lu %lu", &all, &resident) != 2)
    return 0;
  return (gsize) resident * (gsize) sysconf (_SC_PAGESIZE);
}

/* Tokens that ask in each stack, and that are asked. */
typedef struct
{
  gsize Tq, Tk;
} Sides;

/* (transfer full): one a stack. */
static Sides *
sides_of (const HlModel *model, const HlInput *input)
{
  const HlModelInfo *info = hl_model_get_info (model);
  guint n = info->stacks->len;
  Sides *sides = g_new0 (Sides, n + 1);
  for (guint s = 0; s < n; s++)
    {
      g_autoptr (HlTokenTable) tokens = hl_model_get_tokens (model, input, (int) s);
      sides[s].Tq = tokens != NULL ? (gsize) tokens->n_tokens : 0;
    }
  for (guint s = 0; s < n; s++)
    sides[s].Tk = sides[hl_model_info_get_stack (info, (int) s)->key_stack].Tq;
  return sides;
}

static gsize
maps_bytes (const HlModelInfo *info, const Sides *sides, gboolean is_stored)
{
  gsize bytes = 0;
  for (guint s = 0; s < info->stacks->len; s++)
    {
      const HlStack *stack = hl_model_info_get_stack (info, (int) s);
      gsize Tq = sides[s].Tq, Tk = sides[s].Tk;
      for (int l = 0; l < stack->n_layers; l++)
        {
          const HlLayerInfo *layer = &stack->layers[l];
          gsize H = (gsize) layer->n_heads, K = (gsize) layer->head_width;
          bytes += is_stored ? H * Tq * Tk * sizeof (float)
                             : (Tq * H * (K + 1) + Tk * K * (gsize) layer->n_kv_heads) *
                                   sizeof (float);
        }
    }
  return bytes;
}

/* Scores and maps of one layer, where they are the largest. */
static gsize
widest_maps (const HlModelInfo *info, const Sides *sides)
{
  gsize most = 0;
  for (guint s = 0; s < info->stacks->len; s++)
    {
      const HlStack *stack = hl_model_info_get_stack (info, (int) s);
      for (int l = 0; l < stack->n_layers; l++)
        most = MAX (most, (gsize) stack->layers[l].n_heads * sides[s].Tq * sides[s].Tk);
    }
  return most;
}

static gboolean
has_predictions (const HlModelInfo *info,
                 const HlInput *input,
                 const HlTraceOptions *options)
{
  return input->ids != NULL && info->predicts != HL_PREDICTS_NOTHING &&
         !options->no_predictions;
}

HlTraceCost
hl_tracer_cost (const HlModel *model, const HlInput *input, const HlTraceOptions *options)
{
  static const HlTraceOptions plain = { 0 };
  if (options == NULL)
    options = &plain;
  const HlModelInfo *info = hl_model_get_info (model);
  g_autofree Sides *sides = sides_of (model, input);
  gsize T = 0, D = (gsize) info->width;
  for (guint s = 0; s < info->stacks->len; s++)
    T = MAX (T, sides[s].Tq);
  gsize budget =
      options->maps_budget_bytes > 0 ? options->maps_budget_bytes : HL_MAPS_BUDGET_BYTES;
  HlTraceCost cost = { .weights = hl_model_weights_bytes (model) };
  cost.is_stored =
      options->maps == HL_MAPS_STORED ||
      (options->maps == HL_MAPS_AUTO && maps_bytes (info, sides, TRUE) <= budget);
  if (options->maps != HL_MAPS_NONE)
    cost.maps = maps_bytes (info, sides, cost.is_stored);
  /* Residual stream, norm, q, k, v, z and the MLP (four times as wide as a rule) live at
   * once; so do the scores and maps of one layer where maps are made at all. */
  cost.activations = T * D * 16 * sizeof (float);
  if (cost.is_stored)
    cost.activations += 2 * widest_maps (info, sides) * sizeof (float);
  /* What the blocks used is kept for the next run, so this comes on top. */
  if (has_predictions (info, input, options))
    cost.activations +=
        2 * sizeof (float) * (gsize) info->n_vocab *
        (gsize) hl_readout_band (hl_tensor_count (input->ids), info->n_vocab);
  return cost;
}

static gboolean
check_memory (const HlModel *model,
              const HlInput *input,
              const HlTraceOptions *options,
              const HlTraceCost *cost,
              GError **error)
{
  gsize limit = options->memory_limit_bytes > 0 ? options->memory_limit_bytes
                                                : hl_memory_available ();
  gsize need = cost->weights + cost->activations + cost->maps;
  if (need <= limit)
    return TRUE;
  HlTraceOptions leaner = *options;
  leaner.maps = HL_MAPS_RECOMPUTED;
  HlTraceCost less = hl_tracer_cost (model, input, &leaner);
  gsize least = less.weights + less.activations + less.maps;
  g_autofree char *advice = NULL;
  if (least < need && least <= limit)
    advice = g_strdup_printf ("; keeping Q and K instead of maps would need %.3f GB",
                              (double) least / 1e9);
  g_set_error (error, HL_ERROR, HL_ERROR_MEMORY,
               "this run needs %.3f GB (weights %.3f, activations %.3f, maps %.3f), "
               "%.3f GB are available%s",
               (double) need / 1e9, (double) cost->weights / 1e9,
               (double) cost->activations / 1e9, (double) cost->maps / 1e9,
               (double) limit / 1e9, advice != NULL ? advice : "");
  return FALSE;
}

/* Maps go to the host as they are made: one layer of them counts as activations. */
static gboolean
check_device_memory (const HlModel *model,
                     HlBackend *backend,
                     const HlTraceCost *cost,
                     GError **error)
{
  const HlDeviceClass *device = backend->klass->device;
  gsize free_bytes = 0, all_bytes = 0;
  if (device == NULL)
    return TRUE;
  device->get_memory (backend, &free_bytes, &all_bytes);
  gsize weights = hl_model_upload_bytes (model, backend);
  gsize activations = cost->activations * hl_dtype_size (backend->dtype) / sizeof (float);
  if (weights + activations <= free_bytes)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_MEMORY,
               "this run needs %.3f GB on the device (weights %.3f, activations %.3f), "
               "%.3f of its %.3f GB are free; --backend cpu runs it in the machine's "
               "memory",
               (double) (weights + activations) / 1e9, (double) weights / 1e9,
               (double) activations / 1e9, (double) free_bytes / 1e9,
               (double) all_bytes / 1e9);
  return FALSE;
}

static void
set (char **field, char *value)
{
  g_free (*field);
  *field = value;
}

/* Without the batch dimension, contiguous, float32. */
static HlTensor *
without_batch (HlTensor *tensor, GError **error)
{
  g_autoptr (HlTensor) plain = hl_tensor_convert (tensor, HL_DTYPE_F32, error);
  if (plain == NULL || plain->shape.n_dims < 2 || plain->shape.dim[0] != 1)
    return g_steal_pointer (&plain);
  HlShape shape = { .n_dims = plain->shape.n_dims - 1 };
  memcpy (shape.dim, plain->shape.dim + 1, sizeof shape.dim[0] * (gsize) shape.n_dims);
  return hl_tensor_view (plain, 0, shape, NULL);
}

static gboolean
take_captured (HlTrace *trace, HlRun *run, GError **error)
{
  GHashTableIter iter;
  gpointer name, tensor;
  g_hash_table_iter_init (&iter, run->captured);
  while (g_hash_table_iter_next (&iter, &name, &tensor))
    {
      g_autoptr (HlTensor) kept = without_batch (tensor, error);
      if (kept == NULL)
        return FALSE;
      hl_trace_set_site (trace, name, kept);
    }
  return TRUE;
}

/* The map intervention that a recomputed source has to repeat after the softmax. More
 * than one on a layer cannot be folded into one mask and replacement. */
static gboolean
fold_map_interventions (
    const HlTraceOptions *options, int stack, int layer, HlRecipe *recipe, GError **error)
{
  int n = 0;
  for (guint i = 0; options->interventions != NULL && i < options->interventions->len;
       i++)
    {
      const HlIntervention *what = g_ptr_array_index (options->interventions, i);
      if (what->stack != stack || what->layer != layer ||
          (what->site != HL_SITE_PATTERN && what->site != HL_SITE_ATTN_SCORES))
        continue;
      n++;
      if (what->site == HL_SITE_PATTERN && what->kind == HL_INTERVENTION_BLEND && n == 1)
        {
          recipe->mask = what->mask;
          recipe->replacement = what->value;
          continue;
        }
      g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                   "%s: layer %d: maps with this intervention have to be stored; they "
                   "cannot be recomputed from Q and K",
                   what->words, layer);
      return FALSE;
    }
  return TRUE;
}

/* A tensor of (1, ...) seen without its batch. */
static HlTensor *
strip_batch (HlTensor *tensor)
{
  GError *none = NULL;
  HlTensor *view = tensor != NULL ? without_batch (tensor, &none) : NULL;
  g_clear_error (&none);
  return view;
}

static gboolean
add_recipes (HlTrace *trace,
             const HlModel *model,
             const HlTraceOptions *options,
             GError **error)
{
  const HlModelInfo *info = trace->model;
  for (guint s = 0; s < info->stacks->len; s++)
    for (int l = 0; l < hl_model_info_get_stack (info, (int) s)->n_layers; l++)
      {
        HlRecipe recipe = { 0 };
        gint64 n_keys = hl_trace_get_key_tokens (trace, (int) s)->n_tokens;
        if (!hl_model_get_recipe (model, (int) s, l, n_keys, &recipe))
          {
            g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                         "layer %d: its maps do not follow from Q and K", l);
            return FALSE;
          }
        if (!fold_map_interventions (options, (int) s, l, &recipe, error))
          return FALSE;
        g_autoptr (HlTensor) bias = recipe.bias;
        g_autoptr (HlTensor) mask = strip_batch (recipe.mask);
        g_autoptr (HlTensor) replacement = strip_batch (recipe.replacement);
        recipe.mask = mask;
        recipe.replacement = replacement;
        g_autofree char *key = hl_trace_site_name (info, (int) s, l, "attn");
        hl_trace_set_recipe (trace, key, &recipe);
      }
  return TRUE;
}

static void
describe (HlTrace *trace,
          const HlInput *input,
          HlBackend *backend,
          const HlTraceOptions *options)
{
  set (&trace->input_kind, g_strdup (input->kind));
  set (&trace->input_name, g_strdup (input->name));
  set (&trace->input_path, g_strdup (input->path));
  set (&trace->input_hash, g_strdup (input->hash));
  if (input->shown != NULL)
    trace->pixels = hl_tensor_ref (input->shown);
  trace->text = g_strdup (input->text);
  trace->target_text = g_strdup (input->target_text);
  if (input->features != NULL)
    trace->features = strip_batch (input->features);
  trace->n_real_frames = input->n_real_frames;
  set (&trace->backend, g_strdup (backend->klass->id));
  set (&trace->precision, g_strdup (hl_dtype_name (backend->dtype)));
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  set (&trace->created, g_date_time_format_iso8601 (now));
  g_autoptr (GString) words = g_string_new (NULL);
  for (guint i = 0; options->interventions != NULL && i < options->interventions->len;
       i++)
    {
      const HlIntervention *what = g_ptr_array_index (options->interventions, i);
      g_ptr_array_add (trace->interventions, g_strdup (what->words));
      g_string_append_printf (words, "%s\n", what->words);
    }
  set (&trace->hash, hl_hash_strings (trace->model->identity, input->hash, words->str,
                                      trace->precision, NULL));
}

/* Q, K and log-sum-exp of every layer that has a recipe. */
static void
capture_parts (HlRun *run, const HlTrace *trace)
{
  GHashTableIter iter;
  gpointer key, value;
  g_hash_table_iter_init (&iter, trace->recipes);
  while (g_hash_table_iter_next (&iter, &key, &value))
    {
      const char *suffixes[] = { hl_recipe_q_suffix (value), hl_recipe_k_suffix (value),
                                 "attn.hook_lse" };
      for (guint i = 0; i < G_N_ELEMENTS (suffixes); i++)
        {
          g_autofree char *name = g_strconcat (key, suffixes[i] + strlen ("attn"), NULL);
          hl_run_capture (run, name);
        }
    }
}

static void
prepare_run (HlRun *run,
             const HlTraceOptions *options,
             const HlTraceCost *cost,
             const HlTrace *trace)
{
  if (options->maps != HL_MAPS_NONE && cost->is_stored)
    hl_run_capture (run, "*attn.hook_pattern");
  else if (options->maps != HL_MAPS_NONE)
    capture_parts (run, trace);
  run->predictions = trace->predictions;
  run->captures_to_host = TRUE;
  for (int i = 0; options->capture != NULL && options->capture[i] != NULL; i++)
    hl_run_capture (run, options->capture[i]);
  for (guint i = 0; options->interventions != NULL && i < options->interventions->len;
       i++)
    hl_run_add_intervention (run, g_ptr_array_index (options->interventions, i));
}

HlTrace *
hl_tracer_run (const HlModel *model,
               const HlInput *input,
               HlBackend *backend,
               const HlTraceOptions *options,
               const HlProgress *progress,
               GError **error)
{
  static const HlTraceOptions plain = { 0 };
  if (options == NULL)
    options = &plain;
  HlTraceCost cost = hl_tracer_cost (model, input, options);
  if (!check_memory (model, input, options, &cost, error) ||
      !check_device_memory (model, backend, &cost, error))
    return NULL;
  HlModelInfo *info = hl_model_get_info (model);
  g_autoptr (HlTrace) trace = hl_trace_new (info);
  for (guint s = 0; s < info->stacks->len; s++)
    g_ptr_array_add (trace->tokens, hl_model_get_tokens (model, input, (int) s));
  describe (trace, input, backend, options);
  if (options->maps != HL_MAPS_NONE && !cost.is_stored &&
      !add_recipes (trace, model, options, error))
    return NULL;

  if (has_predictions (info, input, options))
    {
      trace->predictions =
          hl_predictions_new (input->ids->data, input->ids->shape.dim[1], info->n_vocab,
                              info->predicts == HL_PREDICTS_OWN, error);
      if (trace->predictions == NULL)
        return NULL;
    }

  gint64 began_us = g_get_monotonic_time ();
  HlRun run;
  hl_run_init (&run, backend, info, progress);
  prepare_run (&run, options, &cost, trace);
  g_autoptr (HlTensor) logits = hl_model_forward (model, &run, input);
  /* After a failure too: what is on its way then holds memory of the device. */
  gboolean ok = hl_exec_ok (&run.exec);
  ok = hl_backend_finish (backend, ok ? &run.exec.error : NULL) && ok &&
       take_captured (trace, &run, &run.exec.error);
  if (ok && logits != NULL)
    trace->logits = without_batch (logits, &run.exec.error);
  if (!hl_exec_ok (&run.exec))
    {
      g_propagate_error (error, g_steal_pointer (&run.exec.error));
      ok = FALSE;
    }
  hl_run_clear (&run);
  if (ok && trace->predictions != NULL)
    hl_model_name_predictions (model, trace->predictions);
  trace->duration_ms = (double) (g_get_monotonic_time () - began_us) / 1e3;
  return ok ? g_steal_pointer (&trace) : NULL;
}
