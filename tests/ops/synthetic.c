/* SPDX-License-Identifier: MIT
 * Traces made up for the tests. Nothing here calls what is tested. */
#include "synthetic.h"

#include <math.h>

HlTokenTable *
synthetic_cls_and_grid (int n_rows, int n_columns)
{
  static const char *const special[] = { "CLS" };
  return hl_token_table_new_patches (special, 1, n_rows, n_columns);
}

HlTokenTable *
synthetic_text (int n)
{
  HlTokenTable *tokens = hl_token_table_new (n);
  for (int i = 0; i < n; i++)
    {
      g_free (tokens->tokens[i].text);
      tokens->tokens[i].text = g_strdup_printf ("w%d", i);
      tokens->tokens[i].role = HL_ROLE_PROMPT;
    }
  return tokens;
}

HlTrace *
synthetic_trace_new (int n_layers, int n_heads, gboolean is_causal, HlTokenTable *tokens)
{
  g_autoptr (HlModelInfo) model = hl_model_info_new ();
  g_free (model->name);
  model->name = g_strdup ("made-up");
  HlStack *stack = hl_model_info_add_stack (model, "", n_layers);
  for (int l = 0; l < n_layers; l++)
    stack->layers[l] = (HlLayerInfo){ .kind = HL_ATTENTION_SELF,
                                      .n_heads = n_heads,
                                      .n_kv_heads = n_heads,
                                      .head_width = 4,
                                      .is_causal = is_causal };
  HlTrace *trace = hl_trace_new (model);
  if (tokens != NULL)
    g_ptr_array_add (trace->tokens, tokens);
  return trace;
}

void
synthetic_trace_set_maps (
    HlTrace *trace, int layer, int n_heads, gint64 Tq, gint64 Tk, const float *maps)
{
  g_autofree char *site = g_strdup_printf ("blocks.%d.attn.hook_pattern", layer);
  g_autoptr (HlTensor) t =
      hl_tensor_new_copy (HL_DTYPE_F32, HL_SHAPE (n_heads, Tq, Tk), maps);
  hl_trace_set_site (trace, site, t);
}

/* Pseudo-random numbers of -1..1, the same on every machine. */
static float
next_number (guint32 *state)
{
  *state = *state * 1664525u + 1013904223u;
  return (float) ((double) (*state >> 8) / (double) (1 << 23) - 1);
}

static HlTensor *
numbers_new (HlShape shape, double size, guint32 *state)
{
  HlTensor *t = hl_tensor_new (HL_DTYPE_F32, shape, NULL);
  float *x = t->data;
  for (gint64 i = 0; i < hl_tensor_count (t); i++)
    x[i] = (float) size * next_number (state);
  return t;
}

/* One row of the map and its log-sum-exp: the softmax of the formula, in double. */
static double
fill_row (const SyntheticShape *s,
          const float *q,
          const float *k,
          double scale,
          gint64 head,
          gint64 query,
          double *row)
{
  gint64 K = s->head_width, kv = head / (s->n_heads / s->n_kv_heads);
  gint64 n = s->is_causal ? query + s->Tk - s->Tq + 1 : s->Tk;
  double sum = 0;
  for (gint64 j = 0; j < s->Tk; j++)
    {
      double score = 0;
      for (gint64 c = 0; c < K; c++)
        score += (double) q[(query * s->n_heads + head) * K + c] *
                 (double) k[(j * s->n_kv_heads + kv) * K + c];
      row[j] = j < n ? exp (scale * score) : 0;
      sum += row[j];
    }
  for (gint64 j = 0; j < s->Tk; j++)
    row[j] /= sum;
  return log (sum);
}

/* Half of the entries of every other key go to what @replacement says. */
static void
apply_mask (const SyntheticShape *s, HlRecipe *recipe, double *maps, guint32 *state)
{
  recipe->mask = hl_tensor_new (HL_DTYPE_F32, HL_SHAPE (1, s->Tq, s->Tk), NULL);
  recipe->replacement = numbers_new (HL_SHAPE (s->n_heads, s->Tq, s->Tk), 0.5, state);
  float *mask = recipe->mask->data;
  for (gint64 i = 0; i < s->Tq * s->Tk; i++)
    mask[i] = i % 2 == 0 ? 0 : i % 3 == 0 ? 1 : 0.5f;
  const float *replacement = hl_tensor_f32 (recipe->replacement);
  for (gint64 i = 0; i < s->n_heads * s->Tq * s->Tk; i++)
    maps[i] += (double) mask[i % (s->Tq * s->Tk)] * ((double) replacement[i] - maps[i]);
}

void
synthetic_init (Synthetic *self, const SyntheticShape *s)
{
  guint32 state = (guint32) (s->Tq * 31 + s->Tk * 7 + s->n_heads);
  gint64 H = s->n_heads, Tq = s->Tq, Tk = s->Tk;
  gsize n = (gsize) (H * Tq * Tk);
  g_autoptr (HlTensor) q = numbers_new (HL_SHAPE (Tq, H, s->head_width), 2, &state);
  g_autoptr (HlTensor) k =
      numbers_new (HL_SHAPE (Tk, s->n_kv_heads, s->head_width), 2, &state);
  g_autoptr (HlTensor) lse = hl_tensor_new (HL_DTYPE_F32, HL_SHAPE (H, Tq), NULL);
  HlRecipe recipe = { .rule = { .scale = 1 / sqrt (s->head_width),
                                .is_causal = s->is_causal } };
  self->shape = s;
  self->maps = g_new (double, n);
  for (gint64 row = 0; row < H * Tq; row++)
    ((float *) lse->data)[row] =
        (float) fill_row (s, hl_tensor_f32 (q), hl_tensor_f32 (k), recipe.rule.scale,
                          row / Tq, row % Tq, self->maps + row * Tk);
  if (s->has_mask)
    apply_mask (s, &recipe, self->maps, &state);
  g_autofree float *maps = g_new (float, n);
  for (gsize i = 0; i < n; i++)
    maps[i] = (float) self->maps[i];
  self->stored = synthetic_trace_new (1, s->n_heads, s->is_causal, NULL);
  synthetic_trace_set_maps (self->stored, 0, s->n_heads, Tq, Tk, maps);
  self->recomputed = synthetic_trace_new (1, s->n_heads, s->is_causal, NULL);
  hl_trace_set_site (self->recomputed, "blocks.0.attn.hook_q", q);
  hl_trace_set_site (self->recomputed, "blocks.0.attn.hook_k", k);
  hl_trace_set_site (self->recomputed, "blocks.0.attn.hook_lse", lse);
  hl_trace_set_recipe (self->recomputed, "blocks.0.attn", &recipe);
  hl_tensor_unref (recipe.mask);
  hl_tensor_unref (recipe.replacement);
}

void
synthetic_clear (Synthetic *self)
{
  g_free (self->maps);
  hl_trace_unref (self->stored);
  hl_trace_unref (self->recomputed);
}
