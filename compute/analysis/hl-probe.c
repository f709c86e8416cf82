/* SPDX-License-Identifier: MIT
 * Which kind of head: random tokens twice over. */
#include "analysis/hl-probe.h"

#include "analysis/hl-copying.h"
#include "base/hl-error.h"
#include "model/hl-model-text.h"
#include "trace/hl-attention-source.h"
#include "trace/hl-tracer.h"

#include <math.h>

#define N_TOKENS 64
#define N_SEQUENCES 16

typedef struct
{
  const HlModel *model;
  HlBackend *backend;
  gint32 bos;  /* -1 for none */
  int n;       /* tokens before they are repeated */
  GArray *ids; /* to draw from */
} Probe;

/* The token that begins a text, whether the tokenizer puts it there or not: heads rest on
 * it. */
static gint32
find_bos (const HlModel *model)
{
  HlTokenizer *tokenizer = hl_model_get_tokenizer (model, NULL);
  gint32 bos = tokenizer != NULL ? hl_tokenizer_get_bos (tokenizer) : -1;
  return bos < hl_model_get_info (model)->n_vocab ? bos : -1;
}

/* (transfer full): every token that is not special. */
static GArray *
list_ids (const HlModel *model)
{
  HlTokenizer *tokenizer = hl_model_get_tokenizer (model, NULL);
  gint32 V = hl_model_get_info (model)->n_vocab;
  GArray *ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  for (gint32 id = 0; id < V; id++)
    if (tokenizer == NULL || !hl_tokenizer_is_special (tokenizer, id))
      g_array_append_val (ids, id);
  return ids;
}

static HlInput *
draw (const Probe *p, GRand *rand, GError **error)
{
  int start = p->bos >= 0;
  g_autofree gint32 *ids = g_new (gint32, (gsize) (start + 2 * p->n));
  ids[0] = p->bos;
  for (int i = 0; i < p->n; i++)
    ids[start + i] = ids[start + p->n + i] =
        g_array_index (p->ids, gint32, g_rand_int_range (rand, 0, (gint32) p->ids->len));
  return hl_model_open_ids (p->model, ids, start + 2 * p->n, error);
}

/* The second copy begins at @second; T is the number of tokens. */
static void
score_map (HlHeadScores *scores, const float *map, gint64 T, int n, int l, int h)
{
  double previous = 0, duplicate = 0, induction = 0;
  gint64 second = T - n;
  for (gint64 i = 1; i < T; i++)
    previous += (double) map[i * T + i - 1];
  for (gint64 i = second; i < T; i++)
    duplicate += (double) map[i * T + i - n];
  for (gint64 i = second + 1; i < T; i++)
    induction += (double) map[i * T + i - n + 1];
  hl_head_scores_set (scores, HL_SCORE_PREVIOUS, l, h, previous / (double) (T - 1));
  hl_head_scores_set (scores, HL_SCORE_DUPLICATE, l, h, duplicate / n);
  hl_head_scores_set (scores, HL_SCORE_INDUCTION, l, h, induction / (n - 1));
}

static gboolean
score_sequence (const Probe *p,
                HlHeadScores *scores,
                HlInput *input,
                const HlProgress *progress,
                GError **error)
{
  const HlTraceOptions options = { .maps = HL_MAPS_STORED, .no_predictions = TRUE };
  g_autoptr (HlTrace) trace =
      hl_tracer_run (p->model, input, p->backend, &options, progress, error);
  if (trace == NULL)
    return FALSE;
  hl_head_scores_begin_input (scores, input->name, "");
  for (int l = 0; l < scores->n_layers; l++)
    {
      g_autofree char *site = hl_site_name (trace->model, HL_SITE_PATTERN, 0, l);
      HlTensor *maps = hl_trace_get_site (trace, site); /* (H, T, T) */
      gint64 T = maps != NULL ? maps->shape.dim[1] : 0;
      for (int h = 0; h < scores->first[l + 1] - scores->first[l] && maps != NULL; h++)
        score_map (scores, hl_tensor_f32 (maps) + h * T * T, T, p->n, l, h);
    }
  return TRUE;
}

/* As many tokens as asked for, or as the context holds. */
static gboolean
fit (Probe *p, const HlProbeOptions *options, GError **error)
{
  const HlModelInfo *info = hl_model_get_info (p->model);
  int most = info->n_context > 0 ? (info->n_context - (p->bos >= 0)) / 2 : G_MAXINT;
  if (!g_str_equal (info->input_kind, "text"))
    {
      g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                   "%s takes no text: random tokens are for language models", info->name);
      return FALSE;
    }
  p->n = MIN (options->n_tokens > 0 ? options->n_tokens : N_TOKENS, most);
  if (p->n >= 2 && p->ids->len > 0)
    return TRUE;
  g_set_error (
      error, HL_ERROR, HL_ERROR_RANGE,
      "random tokens twice over: a context of 5 tokens or more expected, %d found",
      info->n_context);
  return FALSE;
}

HlHeadScores *
hl_probe_scores (const HlModel *model,
                 HlBackend *backend,
                 const HlProbeOptions *options,
                 const HlProgress *progress,
                 GError **error)
{
  const HlProbeOptions defaults = { 0 };
  const HlProbeOptions *o = options != NULL ? options : &defaults;
  int n = o->n_sequences > 0 ? o->n_sequences : N_SEQUENCES;
  if (!hl_model_info_check_one_tower (hl_model_get_info (model), "probe", error))
    return NULL;
  HlProgress quiet = progress != NULL ? *progress : (HlProgress){ 0 };
  quiet.func = NULL;
  g_autoptr (GArray) ids = list_ids (model);
  Probe p = { model, backend, o->no_bos ? -1 : find_bos (model), 0, ids };
  if (!fit (&p, o, error))
    return NULL;
  g_autoptr (HlHeadScores) scores =
      hl_head_scores_new (hl_model_info_get_stack (hl_model_get_info (model), 0));
  GRand *rand = g_rand_new_with_seed (o->seed);
  gboolean ok = TRUE;
  for (int i = 0; i < n && ok; i++)
    {
      g_autoptr (HlInput) input = draw (&p, rand, error);
      ok = input != NULL && hl_progress_step (progress, (double) i / n, NULL, error) &&
           score_sequence (&p, scores, input, &quiet, error) &&
           (i > 0 || hl_copying_score (scores, model, backend, &quiet, error));
    }
  g_rand_free (rand);
  return ok ? g_steal_pointer (&scores) : NULL;
}
