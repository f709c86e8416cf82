/* SPDX-License-Identifier: MIT
 * The text towers of CLIP (causal; pooled at the end-of-text token) and SigLIP (every
 * token sees every other; pooled at the last one, which may be padding). */
#include "model/clip-text.h"
#include "model/hl-text-embedding.h"

typedef struct
{
  HlTextEmbedding embedding;
  HlTower tower;
  HlNorm final_norm;
  HlDense projection; /* of what is pooled, where the file has one */
  gboolean is_causal;
  int end_id; /* of CLIP; 2 in old configs, which stands for the highest id */
} ClipText;

static void
clip_text_free (gpointer data)
{
  ClipText *text = data;
  hl_tower_clear (&text->tower);
  g_free (text);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ClipText, clip_text_free)

static void
load_embedding (HlTextEmbedding *e, HlLoading *l, gint64 D, int context)
{
  e->n_context = hl_loading_int (l, "max_position_embeddings", context, 1, 1 << 24);
  e->tokens = hl_loading_param (l, HL_SHAPE (-1, D), "embeddings.token_embedding.weight");
  e->positions = hl_loading_param (l, HL_SHAPE (e->n_context, D),
                                   "embeddings.position_embedding.weight");
  e->pad_id = -1;
}

static ClipText *
load (HlLoader *loader, HlLoading *l, gboolean is_clip)
{
  static const HlClipDefaults defaults[] = {
    { 512, 2048, 12, 8, "quick_gelu", 1e-5 },
    { 768, 3072, 12, 12, "gelu_pytorch_tanh", 1e-6 },
  };
  static const char *const prefixes[] = { "text_model.", "", NULL };
  g_autoptr (ClipText) text = g_new0 (ClipText, 1);
  if (json_object_get (l->config, "text_config") != NULL)
    hl_loading_enter (l, "text_config");
  HlTowerPlan plan = hl_clip_read_plan (l, &defaults[is_clip ? 0 : 1]);
  plan.is_causal = text->is_causal = is_clip;
  text->end_id = hl_loading_int (l, "eos_token_id", 49407, -1, G_MAXINT32);
  l->prefix = hl_loading_find_prefix (l, prefixes, "embeddings.token_embedding.weight");
  hl_tower_plan_check (&plan, l);
  load_embedding (&text->embedding, l, plan.D, is_clip ? 77 : 64);
  hl_tower_load (&text->tower, &plan, l);
  hl_loading_norm (l, &text->final_norm, plan.D, plan.eps, "final_layer_norm");
  if (!is_clip)
    hl_loading_dense (l, &text->projection, -1, plan.D, TRUE, "head");
  l->prefix = "";
  if (is_clip && hl_loading_has (l, "text_projection.weight"))
    hl_loading_dense (l, &text->projection, -1, plan.D, FALSE, "text_projection");
  if (l->error != NULL)
    return NULL;
  loader->info->width = plan.D;
  loader->info->n_context = text->embedding.n_context;
  loader->info->n_vocab = (int) text->embedding.tokens->stored->shape.dim[0];
  hl_tower_describe (&text->tower, loader->info, "");
  return g_steal_pointer (&text);
}

static gpointer
clip_text_load (HlLoader *loader, GError **error)
{
  HlLoading l;
  hl_loading_init (&l, loader);
  g_autoptr (ClipText) text = load (loader, &l, TRUE);
  return hl_loading_finish (&l, error) ? g_steal_pointer (&text) : NULL;
}

static gpointer
siglip_text_load (HlLoader *loader, GError **error)
{
  HlLoading l;
  hl_loading_init (&l, loader);
  g_autoptr (ClipText) text = load (loader, &l, FALSE);
  return hl_loading_finish (&l, error) ? g_steal_pointer (&text) : NULL;
}

static gint64
pooled_row (const ClipText *text, const HlInput *input)
{
  gint64 T = input->ids->shape.dim[1], highest = 0;
  const gint32 *ids = input->ids->data;
  if (!text->is_causal)
    return T - 1;
  for (gint64 t = 0; t < T && text->end_id != 2; t++)
    if (ids[t] == text->end_id)
      return t;
  for (gint64 t = 1; t < T && text->end_id == 2; t++)
    if (ids[t] > ids[highest])
      highest = t;
  return highest;
}

static gint64
clip_text_readout_row (gpointer data, const HlInput *input)
{
  return pooled_row (data, input);
}

static HlTensor *
clip_text_forward (gpointer data, HlRun *run, const HlInput *input)
{
  const ClipText *text = data;
  HlExec *exec = &run->exec;
  g_autoptr (HlTensor) x =
      run->start_resid != NULL
          ? hl_exec_upload (exec, run->start_resid)
          : hl_text_embedding_forward (&text->embedding, run, 0, input); /* (B, T, D) */
  g_autoptr (HlTensor) last = hl_tower_forward (&text->tower, run, 0, x);
  g_autoptr (HlTensor) features = hl_run_site (
      run, HL_SITE_FEATURES, 0, 0, hl_norm_forward (&text->final_norm, run, last));
  if (features == NULL || !hl_run_wants (run, HL_SITE_POOLED, 0, 0))
    return NULL;
  gint64 row = features->shape.dim[1] > 1 ? pooled_row (text, input) : 0;
  g_autoptr (HlTensor) one = hl_slice (exec, features, row, 1); /* (B, 1, D) */
  if (text->projection.weight != NULL && one != NULL)
    {
      g_autoptr (HlTensor) plain = g_steal_pointer (&one);
      one = hl_dense_forward (&text->projection, run, plain);
    }
  if (one == NULL)
    return NULL;
  HlShape shape = HL_SHAPE (one->shape.dim[0], one->shape.dim[2]);
  g_autoptr (HlTensor) pooled =
      hl_run_site (run, HL_SITE_POOLED, 0, 0, hl_tensor_view (one, 0, shape, NULL));
  return NULL;
}

static const HlBlock *
clip_text_get_block (gpointer data, int stack, int layer)
{
  const ClipText *text = data;
  return hl_tower_get_block (&text->tower, layer);
}

static const char *const clip_types[] = { "clip", "clip_text_model", NULL };
static const char *const siglip_types[] = { "siglip", "siglip_text_model", NULL };

const HlFamily hl_family_clip_text = {
  .id = "clip-text",
  .title = "CLIP, texts",
  .model_types = clip_types,
  .input_kind = "text",
  .readout_row = clip_text_readout_row,
  .load = clip_text_load,
  .free_data = clip_text_free,
  .forward = clip_text_forward,
  .tokens = hl_input_dup_tokens,
  .get_block = clip_text_get_block,
};

const HlFamily hl_family_siglip_text = {
  .id = "siglip-text",
  .title = "SigLIP, texts",
  .model_types = siglip_types,
  .input_kind = "text",
  .readout_row = clip_text_readout_row,
  .load = siglip_text_load,
  .free_data = clip_text_free,
  .forward = clip_text_forward,
  .tokens = hl_input_dup_tokens,
  .get_block = clip_text_get_block,
};
