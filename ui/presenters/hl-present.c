/* SPDX-License-Identifier: MIT
 * From what is known of a trace to scenes: ranges, grid, tokens, predictions. */
#include "config.h"

#include "presenters/hl-present.h"

#include "text/hl-word-breaks.h"
#include "trace/hl-word-trace.h"

#include <glib/gi18n-lib.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Logarithmic colours begin at a power of ten, this many below the maximum's own. */
#define LOG_DECADES 4

static const char *const range_names[HL_N_RANGES] = { "shared", "per-head", "percentile",
                                                      "log" };

const char *
hl_range_mode_name (HlRangeMode mode)
{
  g_return_val_if_fail (mode < HL_N_RANGES, NULL);
  return range_names[mode];
}

gboolean
hl_range_mode_from_name (const char *name, HlRangeMode *mode)
{
  for (int i = 0; i < HL_N_RANGES; i++)
    if (g_strcmp0 (range_names[i], name) == 0)
      {
        *mode = (HlRangeMode) i;
        return TRUE;
      }
  return FALSE;
}

static const HlHeadPicture *
picture_of (const HlHeadSummary *head, const HlViewOptions *options)
{
  return options->leave_out_special ? &head->patches : &head->whole;
}

HlScale
hl_present_scale (const HlTraceSummary *summary,
                  const HlHeadSummary *head,
                  const HlViewOptions *options)
{
  double shared = hl_trace_summary_max (summary, options->leave_out_special);
  HlScale scale = { .colormap = options->colormap, .mode = options->range };
  scale.high = shared > 0 ? shared : 1;
  const HlHeadPicture *picture = head != NULL ? picture_of (head, options) : NULL;
  switch (options->range)
    {
    case HL_RANGE_SHARED:
    case HL_N_RANGES:
      break;
    case HL_RANGE_PER_HEAD:
      if (picture != NULL && picture->max > 0)
        scale.high = picture->max;
      break;
    case HL_RANGE_PERCENTILE:
      if (picture != NULL && picture->p99 > 0)
        {
          scale.high = picture->p99;
          scale.clips_high = picture->max > picture->p99;
        }
      break;
    case HL_RANGE_LOG:
      scale.is_log = TRUE;
      scale.low = pow (10, floor (log10 (scale.high)) - LOG_DECADES);
      break;
    }
  return scale;
}

static char *
left_out_caption (const HlTrace *trace, int stack, const HlViewOptions *options)
{
  const HlTokenTable *tokens = hl_trace_get_tokens (trace, stack);
  int n = 0;
  for (int i = 0; tokens != NULL && i < tokens->n_tokens; i++)
    n += hl_token_is_left_out (tokens, i);
  if (n == 0)
    return g_strdup ("");
  if (!options->leave_out_special)
    return g_strdup (_ (" Special tokens shown."));
  return g_strdup (_ (" Special tokens left out, rows not renormalised."));
}

const char *
hl_present_words (const HlTrace *trace, int stack)
{
  gboolean queries = hl_trace_get_words (trace, stack) != NULL;
  gboolean keys = hl_trace_get_key_words (trace, stack) != NULL;
  if (queries && keys)
    return _ (" Tokens joined into words: keys summed, queries averaged.");
  if (queries)
    return _ (" Queries joined into words: averaged.");
  return keys ? _ (" Keys joined into words: summed.") : "";
}

static void
fill_thumb (HlThumb *thumb, const HlHeadPicture *picture)
{
  gsize n = (gsize) picture->n_rows * (gsize) picture->n_columns;
  thumb->n_rows = picture->n_rows;
  thumb->n_columns = picture->n_columns;
  thumb->values =
      picture->values != NULL ? g_memdup2 (picture->values, n * sizeof (float)) : NULL;
  thumb->max = picture->max;
}

HlGridScene *
hl_present_grid (const HlTraceSummary *summary, const HlViewOptions *options)
{
  HlGridScene *scene = hl_grid_scene_new ();
  const HlStack *stack = hl_model_info_get_stack (summary->trace->model, summary->stack);
  int pool = 1, row_pool = 1;
  scene->title = g_strdup (_ ("Heads"));
  scene->scale = hl_present_scale (summary, NULL, options);
  for (int l = 0; l < summary->n_layers; l++)
    {
      g_autofree char *label = g_strdup_printf ("%d", l);
      HlGridLayer *layer =
          hl_grid_scene_add_layer (scene, label, stack->layers[l].n_heads);
      const HlLayerInfo *info = &stack->layers[l];
      if (info->n_kv_heads > 0 && info->n_kv_heads < info->n_heads)
        layer->n_per_group = info->n_heads / info->n_kv_heads;
      for (int h = 0; h < layer->n_heads; h++)
        {
          const HlHeadSummary *head = hl_trace_summary_get_head (summary, l, h);
          if (head == NULL)
            continue;
          fill_thumb (&layer->thumbs[h], picture_of (head, options));
          pool = MAX (pool, picture_of (head, options)->pool);
          row_pool = MAX (row_pool, picture_of (head, options)->row_pool);
        }
    }
  /* A percentile belongs to one head; side by side, each by its own maximum is what
   * comes nearest to it. */
  if (options->range == HL_RANGE_PERCENTILE)
    scene->scale.mode = HL_RANGE_PER_HEAD;
  g_autofree char *range = hl_scale_describe (&scene->scale);
  g_autofree char *left_out = left_out_caption (summary->trace, summary->stack, options);
  g_autofree char *pooled =
      pool > 1
          ? g_strdup_printf (_ (" Maximum over %d×%d entries a pixel."), row_pool, pool)
          : g_strdup ("");
  scene->caption = g_strdup_printf (
      _ ("Attention of every head, layers downwards; rows are queries, columns keys; "
         "%s.%s%s%s"),
      range, pooled, left_out, hl_present_words (summary->trace, summary->stack));
  if (stack->name[0] != '\0')
    {
      const char *name = hl_present_stack_name (summary->trace, summary->stack);
      char *caption = g_strdup_printf ("%s: %s", name, scene->caption);
      g_free (scene->title);
      g_free (scene->caption);
      scene->title = g_strdup (name);
      scene->caption = caption;
    }
  return scene;
}

char *
hl_present_stack_prefix (const HlTrace *trace, int stack)
{
  const HlStack *tower = hl_model_info_get_stack (trace->model, stack);
  return tower != NULL && tower->name[0] != '\0' ? g_strconcat (tower->name, " ", NULL)
                                                 : g_strdup ("");
}

gboolean
hl_present_reads_out (const HlTrace *trace, int stack)
{
  const HlStack *asked = hl_model_info_get_stack (trace->model, stack);
  const HlStack *read =
      hl_model_info_get_stack (trace->model, trace->model->readout_stack);
  return asked != NULL && read != NULL && g_str_equal (asked->tower, read->tower);
}

const char *
hl_present_stack_name (const HlTrace *trace, int stack)
{
  const HlStack *tower = hl_model_info_get_stack (trace->model, stack);
  const char *name = tower != NULL ? tower->name : "";
  if (g_str_equal (name, "encoder"))
    return _ ("Encoder");
  if (g_str_equal (name, "decoder"))
    return _ ("Decoder");
  return g_str_equal (name, "cross") ? _ ("Cross-attention") : name;
}

char *
hl_present_head_title (const HlTrace *trace, HlHeadKey head)
{
  const char *name = hl_present_stack_name (trace, head.stack);
  g_autofree char *title =
      g_strdup_printf (_ ("Layer %d · head %d"), head.layer, head.head);
  return name[0] != '\0' ? g_strdup_printf ("%s · %s", name, title)
                         : g_steal_pointer (&title);
}

char *
hl_present_token (const HlTrace *trace, int stack, gint64 index)
{
  const HlTokenTable *tokens = hl_trace_get_tokens (trace, stack);
  if (tokens == NULL || index < 0 || index >= tokens->n_tokens)
    return g_strdup_printf ("%d", (int) index);
  const HlToken *token = &tokens->tokens[index];
  if (token->role == HL_ROLE_IMAGE && token->row >= 0)
    return g_strdup_printf (_ ("patch (%d, %d)"), token->row, token->column);
  return g_strdup (token->text != NULL ? token->text : "");
}

gint64
hl_present_parse_token (const HlTrace *trace, int stack, const char *text)
{
  const HlTokenTable *tokens = hl_trace_get_tokens (trace, stack);
  int row, column, n = 0;
  if (tokens == NULL)
    return -1;
  g_autofree char *plain = g_strstrip (g_strdup (text));
  if ((sscanf (plain, "(%d ,%d )%n", &row, &column, &n) == 2 && n > 0 &&
       plain[n] == '\0') ||
      (sscanf (plain, "%d ,%d%n", &row, &column, &n) == 2 && n > 0 && plain[n] == '\0'))
    return row >= 0 && column >= 0 ? hl_token_table_find_patch (tokens, row, column) : -1;
  char *end = NULL;
  gint64 index = g_ascii_strtoll (plain, &end, 10);
  if (end != plain && *end == '\0')
    return index >= 0 && index < tokens->n_tokens ? index : -1;
  for (int i = 0; i < tokens->n_tokens; i++)
    if (tokens->tokens[i].text != NULL &&
        g_ascii_strcasecmp (tokens->tokens[i].text, plain) == 0)
      return i;
  for (int i = 0; i < tokens->n_tokens; i++) /* as it is typed, without its space */
    if (tokens->tokens[i].text != NULL &&
        g_str_has_prefix (tokens->tokens[i].text, "␣") &&
        g_ascii_strcasecmp (tokens->tokens[i].text + strlen ("␣"), plain) == 0)
      return i;
  return -1;
}

char *
hl_present_number (double x, const char *format)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  return isnan (x) ? g_strdup ("–")
                   : g_strdup (g_ascii_formatd (text, sizeof text, format, x));
}

void
hl_present_name_head (HlOverlayScene *scene, HlHeadKey head, gboolean is_from)
{
  /* Short: several stand side by side; the caption says of which patch. */
  char *title =
      g_strdup_printf (is_from ? _ ("%d.%d attended from") : _ ("%d.%d attends to"),
                       head.layer, head.head);
  char *caption = g_strdup_printf (_ ("Head %d.%d: %s"), head.layer, head.head,
                                   scene->caption != NULL ? scene->caption : "");
  g_free (scene->title);
  g_free (scene->caption);
  scene->title = title;
  scene->caption = caption;
}

static void
prediction_free (gpointer data)
{
  HlPrediction *prediction = data;
  g_free (prediction->label);
  g_free (prediction);
}

static int
by_logit (gconstpointer a, gconstpointer b)
{
  const HlPrediction *x = *(HlPrediction *const *) a, *y = *(HlPrediction *const *) b;
  if (x->logit != y->logit)
    return x->logit > y->logit ? -1 : 1;
  return x->index - y->index;
}

static char *
label_of (const HlTrace *trace, guint n_labels, gint32 index)
{
  if ((guint) index < n_labels)
    return g_strdup (trace->model->labels[index]);
  const char *text = trace->predictions != NULL
                         ? hl_predictions_get_text (trace->predictions, index)
                         : NULL;
  if (text != NULL)
    return g_strdup (text);
  return trace->predictions != NULL ? g_strdup_printf (_ ("token %d"), index)
                                    : g_strdup_printf (_ ("class %d"), index);
}

GPtrArray *
hl_present_predictions (const HlTrace *trace, int n)
{
  GPtrArray *list = g_ptr_array_new_with_free_func (prediction_free);
  if (trace->logits == NULL || trace->logits->shape.n_dims != 1)
    return list;
  gint64 V = trace->logits->shape.dim[0];
  const float *logits = hl_tensor_f32 (trace->logits);
  guint n_labels =
      trace->model->labels != NULL ? g_strv_length (trace->model->labels) : 0;
  double max = -INFINITY, sum = 0;
  for (gint64 i = 0; i < V; i++)
    max = fmax (max, (double) logits[i]);
  for (gint64 i = 0; i < V; i++)
    sum += exp ((double) logits[i] - max);
  for (gint64 i = 0; i < V; i++)
    {
      HlPrediction *p = g_new0 (HlPrediction, 1);
      p->index = (int) i;
      p->logit = (double) logits[i];
      p->prob = exp (p->logit - max) / sum;
      g_ptr_array_add (list, p);
    }
  g_ptr_array_sort (list, by_logit);
  if (n >= 0 && (guint) n < list->len)
    g_ptr_array_set_size (list, n);
  for (guint i = 0; i < list->len; i++)
    {
      HlPrediction *p = g_ptr_array_index (list, i);
      p->label = label_of (trace, n_labels, p->index);
    }
  return list;
}

GPtrArray *
hl_present_next_tokens (const HlTrace *trace, gint64 position, int n)
{
  GPtrArray *list = g_ptr_array_new_with_free_func (prediction_free);
  const HlPredictions *p = trace->predictions;
  if (p == NULL || position < 0 || position >= hl_predictions_get_length (p))
    return list;
  int k = hl_predictions_get_k (p);
  for (int i = 0; i < k && (n < 0 || i < n); i++)
    {
      gint32 id = ((const gint32 *) p->top_ids->data)[position * k + i];
      if (id < 0)
        break; /* of a word of several masked tokens nothing is said */
      HlPrediction *next = g_new0 (HlPrediction, 1);
      next->index = id;
      next->prob = exp ((double) hl_tensor_f32 (p->top_log_probs)[position * k + i]);
      next->logit = NAN;
      next->label = label_of (trace, 0, next->index);
      g_ptr_array_add (list, next);
    }
  return list;
}

static void
add_parameters (HlFigure *figure, const HlTrace *trace, const HlViewOptions *options)
{
  g_autofree char *words = trace->pieces != NULL
                               ? g_strdup_printf (" words=%s", hl_word_breaks_name ())
                               : g_strdup ("");
  g_autofree char *parameters = g_strdup_printf (
      "range=%s leave-out-special=%s%s", hl_range_mode_name (options->range),
      options->leave_out_special ? "yes" : "no", words);
  hl_figure_add_provenance (figure, "parameters", parameters);
}

void
hl_present_provenance (HlFigure *figure,
                       const HlTrace *trace,
                       const HlViewOptions *options)
{
  const HlModelInfo *model = trace->model;
  hl_figure_add_provenance (figure, "program", "Headlight " HL_VERSION);
  hl_figure_add_provenance (figure, "model", model->name);
  hl_figure_add_provenance (figure, "model-identity", model->identity);
  if (model->revision[0] != '\0')
    hl_figure_add_provenance (figure, "model-revision", model->revision);
  hl_figure_add_provenance (figure, "model-family", model->family);
  hl_figure_add_provenance (figure, "model-dtype", model->dtype);
  hl_figure_add_provenance (figure, "input", trace->input_name);
  hl_figure_add_provenance (figure, "input-hash", trace->input_hash);
  hl_figure_add_provenance (figure, "backend", trace->backend);
  hl_figure_add_provenance (figure, "precision", trace->precision);
  hl_figure_add_provenance (figure, "trace-created", trace->created);
  hl_figure_add_provenance (figure, "trace-hash", trace->hash);
  if (options != NULL)
    add_parameters (figure, trace, options);
  g_autoptr (GString) changed = g_string_new (NULL);
  for (guint i = 0; i < trace->interventions->len; i++)
    g_string_append_printf (changed, "%s%s", i > 0 ? "; " : "",
                            (const char *) g_ptr_array_index (trace->interventions, i));
  if (changed->len > 0)
    hl_figure_add_provenance (figure, "interventions", changed->str);
}
