/* SPDX-License-Identifier: MIT
 * Encoders of pictures: from patches to a head. */
#include "model/hl-vision-encoder.h"

#include "base/hl-error.h"
#include "model/hl-text-embedding.h"
#include "model/vit-positions.h"

#include <string.h>

void
hl_vision_encoder_free (gpointer data)
{
  HlVisionEncoder *e = data;
  hl_tower_clear (&e->tower);
  g_clear_pointer (&e->processor, hl_image_processor_unref);
  g_free (e);
}

/* ---- loading -------------------------------------------------------------------------
 */

void
hl_vision_encoder_read_size (HlVisionEncoder *e, HlLoading *l, int image, int patch)
{
  hl_loading_pair (l, "image_size", image, e->image);
  hl_loading_pair (l, "patch_size", patch, e->patch);
  e->n_channels = hl_loading_int (l, "num_channels", 3, 1, 3);
  for (int i = 0; i < 2; i++)
    hl_loading_divides (l, "image_size", (int) e->image[i], "patch_size",
                        (int) e->patch[i]);
}

static HlParam *
load_optional (HlLoading *l, HlShape shape, const char *name)
{
  return name != NULL ? hl_loading_param (l, shape, name) : NULL;
}

/* Tokens that have places in the table of positions, before those of the patches. */
static int
n_placed (const HlVisionEncoder *e)
{
  return (e->cls != NULL) + (e->distillation != NULL);
}

static int
n_registers (const HlVisionEncoder *e)
{
  return e->registers != NULL ? (int) e->registers->stored->shape.dim[1] : 0;
}

void
hl_vision_encoder_load_embedding (HlVisionEncoder *e,
                                  HlLoading *l,
                                  const HlVisionNames *names)
{
  gint64 D = e->D, n = (e->image[0] / e->patch[0]) * (e->image[1] / e->patch[1]);
  /* CLIP has it as a vector, and its table of positions without a batch. */
  gboolean is_plain =
      names->positions != NULL && strstr (names->positions, "weight") != NULL;
  HlShape token = is_plain ? HL_SHAPE (D) : HL_SHAPE (1, 1, D);
  e->cls = load_optional (l, token, names->cls);
  e->distillation = load_optional (l, token, names->distillation);
  if (names->registers != NULL && hl_loading_has (l, names->registers))
    e->registers = hl_loading_param (l, HL_SHAPE (1, -1, D), names->registers);
  if (n_registers (e) > HL_VISION_MAX_SPECIALS)
    hl_loading_refuse (l, "weight \"%s\": at most %d registers expected, %d found",
                       names->registers, HL_VISION_MAX_SPECIALS, n_registers (e));
  n += n_placed (e);
  e->positions = load_optional (l, is_plain ? HL_SHAPE (n, D) : HL_SHAPE (1, n, D),
                                names->positions);
  e->patch_weight = load_optional (
      l, HL_SHAPE (D, e->n_channels, e->patch[0], e->patch[1]), names->patch_weight);
  e->patch_bias = load_optional (l, HL_SHAPE (D), names->patch_bias);
}

void
hl_vision_encoder_load_classifier (HlVisionEncoder *e, HlLoading *l, gint64 width)
{
  const char *prefix = l->prefix, *name = hl_loading_architecture (l);
  gboolean is_tower = name != NULL && !g_str_has_suffix (name, "ForImageClassification");
  l->prefix = "";
  if (!is_tower || hl_loading_has (l, "classifier.weight"))
    hl_loading_dense (l, &e->classifier, -1, width, TRUE, "classifier");
  l->prefix = prefix;
}

gboolean
hl_vision_encoder_finish (HlVisionEncoder *e,
                          HlLoading *l,
                          HlLoader *loader,
                          GError **error)
{
  if (!hl_loading_finish (l, error))
    return FALSE;
  e->processor = hl_image_processor_open (loader->folder, (int) e->image[0],
                                          (int) e->image[1], error);
  if (e->processor == NULL)
    return FALSE;
  loader->info->width = e->D;
  if (e->classifier.weight != NULL)
    loader->info->n_classes = (int) e->classifier.weight->stored->shape.dim[0];
  hl_tower_describe (&e->tower, loader->info, "");
  return TRUE;
}

/* ---- from a picture to tokens --------------------------------------------------------
 */

/* A convolution whose stride is its size is a product with each patch's numbers. */
static HlTensor *
embed_patches (const HlVisionEncoder *e, HlRun *run, const HlInput *input)
{
  HlExec *x = &run->exec;
  g_autoptr (HlTensor) pixels = hl_exec_upload (x, input->pixel_values);
  g_autoptr (HlTensor) cut =
      hl_patchify (x, pixels, (int) e->patch[0], (int) e->patch[1]);
  g_autoptr (HlTensor) kernel = hl_param_get (e->patch_weight, x);
  g_autoptr (HlTensor) bias = hl_param_get (e->patch_bias, x);
  if (kernel == NULL)
    return NULL;
  gint64 D = e->D, n = hl_tensor_count (kernel) / D;
  g_autoptr (HlTensor) flat = hl_tensor_view (kernel, 0, HL_SHAPE (D, n), NULL);
  return hl_linear (x, cut, flat, bias); /* (B, P, D) */
}

/* @token's D numbers before @rest, which they replace. */
static void
put_before (const HlVisionEncoder *e, HlExec *x, HlParam *token, HlTensor **rest)
{
  if (token == NULL)
    return;
  g_autoptr (HlTensor) numbers = hl_param_get (token, x);
  g_autoptr (HlTensor) row =
      numbers != NULL ? hl_tensor_view (numbers, 0, HL_SHAPE (1, 1, e->D), NULL) : NULL;
  g_autoptr (HlTensor) behind = g_steal_pointer (rest);
  *rest = hl_concat (x, row, behind);
}

static HlTensor *
positions_for (const HlVisionEncoder *e, HlExec *x, const gint64 *size)
{
  g_autoptr (HlTensor) trained = hl_param_get (e->positions, x);
  if (trained == NULL)
    return NULL;
  gint64 n = hl_tensor_count (trained) / e->D;
  g_autoptr (HlTensor) table = hl_tensor_view (trained, 0, HL_SHAPE (1, n, e->D), NULL);
  const HlVitGrid grid = { .n_before = n_placed (e),
                           .rows = e->image[0] / e->patch[0],
                           .columns = e->image[1] / e->patch[1],
                           .new_rows = size[2] / e->patch[0],
                           .new_columns = size[3] / e->patch[1],
                           .is_antialiased = e->is_antialiased };
  return hl_vit_positions (x, table, &grid);
}

/* Behind CLS, without a position. */
static HlTensor *
with_registers (const HlVisionEncoder *e, HlExec *x, HlTensor *tokens)
{
  if (e->registers == NULL || tokens == NULL)
    return tokens != NULL ? hl_tensor_ref (tokens) : NULL;
  g_autoptr (HlTensor) registers = hl_param_get (e->registers, x);
  g_autoptr (HlTensor) cls = hl_slice (x, tokens, 0, 1);
  g_autoptr (HlTensor) rest = hl_slice (x, tokens, 1, tokens->shape.dim[1] - 1);
  g_autoptr (HlTensor) both = hl_concat (x, registers, rest);
  return hl_concat (x, cls, both);
}

static HlTensor *
embed (const HlVisionEncoder *e, HlRun *run, const HlInput *input)
{
  HlExec *x = &run->exec;
  g_autoptr (HlTensor) tokens = embed_patches (e, run, input);
  put_before (e, x, e->distillation, &tokens);
  put_before (e, x, e->cls, &tokens);
  tokens = hl_run_site (run, HL_SITE_EMBED, 0, 0, g_steal_pointer (&tokens));
  g_autoptr (HlTensor) positions = hl_run_site (
      run, HL_SITE_POS_EMBED, 0, 0, positions_for (e, x, input->pixel_values->shape.dim));
  g_autoptr (HlTensor) placed = hl_add (x, tokens, positions);
  g_autoptr (HlTensor) all = with_registers (e, x, placed);
  return hl_norm_forward (&e->pre_norm, run, all);
}

/* ---- from the last block to a head ---------------------------------------------------
 */

/* Mean of tokens @first and on: (B, 1, D). Seen as a map with one query. */
static HlTensor *
mean_from (HlExec *x, HlTensor *tokens, gint64 first)
{
  g_autoptr (HlTensor) part =
      tokens != NULL ? hl_slice (x, tokens, first, tokens->shape.dim[1] - first) : NULL;
  if (part == NULL)
    return NULL;
  gint64 B = part->shape.dim[0], T = part->shape.dim[1], D = part->shape.dim[2];
  g_autoptr (HlTensor) host = hl_tensor_new (HL_DTYPE_F64, HL_SHAPE (1, 1, 1, T), NULL);
  for (gint64 t = 0; t < T; t++)
    ((double *) host->data)[t] = 1 / (double) T;
  g_autoptr (HlTensor) even = hl_exec_upload (x, host);
  g_autoptr (HlTensor) v = hl_tensor_view (part, 0, HL_SHAPE (B, 1, T, D), NULL);
  g_autoptr (HlTensor) z = hl_mix (x, even, v, NULL); /* (B, 1, 1, D) */
  return z != NULL ? hl_tensor_view (z, 0, HL_SHAPE (B, 1, D), NULL) : NULL;
}

/* (B, V) of (B, 1, V). */
static HlTensor *
flat (HlTensor *x)
{
  return x != NULL
             ? hl_tensor_view (x, 0, HL_SHAPE (x->shape.dim[0], x->shape.dim[2]), NULL)
             : NULL;
}

/* What is pooled of the tower, for who wants it: (B, D or that of the projection). */
static void
offer_pooled (const HlVisionEncoder *e, HlRun *run, HlTensor *features)
{
  if (!hl_run_wants (run, HL_SITE_POOLED, 0, 0) || features == NULL)
    return;
  HlExec *x = &run->exec;
  g_autoptr (HlTensor) first = NULL;
  if (e->pool.probe != NULL)
    first = hl_attention_pool_forward (&e->pool, run, features);
  else
    first = hl_slice (x, features, 0, 1);
  if (e->norms_pooled_only)
    {
      g_autoptr (HlTensor) plain = g_steal_pointer (&first);
      first = hl_norm_forward (&e->final_norm, run, plain);
    }
  if (e->projection.weight != NULL && first != NULL)
    {
      g_autoptr (HlTensor) plain = g_steal_pointer (&first);
      first = hl_dense_forward (&e->projection, run, plain);
    }
  g_autoptr (HlTensor) pooled = hl_run_site (run, HL_SITE_POOLED, 0, 0, flat (first));
}

/* What both heads say of their tokens, in the middle. */
static HlTensor *
read_both (const HlVisionEncoder *e, HlRun *run, HlTensor *features)
{
  HlExec *x = &run->exec;
  g_autoptr (HlTensor) cls = hl_slice (x, features, 0, 1);
  g_autoptr (HlTensor) distilled = hl_slice (x, features, 1, 1);
  g_autoptr (HlTensor) a = hl_dense_forward (&e->classifier, run, cls);
  g_autoptr (HlTensor) b = hl_dense_forward (&e->second, run, distilled);
  g_autoptr (HlTensor) sum = hl_add (x, a, b);
  return hl_scale (x, sum, 0.5);
}

/* A product with two vectors side by side is the sum of two products. */
static HlTensor *
read_first_and_mean (const HlVisionEncoder *e, HlRun *run, HlTensor *features)
{
  HlExec *x = &run->exec;
  g_autoptr (HlTensor) cls = hl_slice (x, features, 0, 1);
  g_autoptr (HlTensor) mean = mean_from (x, features, n_placed (e) + n_registers (e));
  if (cls == NULL || mean == NULL)
    return NULL;
  gint64 B = cls->shape.dim[0], D = e->D;
  g_autoptr (HlTensor) above = hl_tensor_view (cls, 0, HL_SHAPE (B, 1, D), NULL);
  g_autoptr (HlTensor) rows = hl_concat (x, above, mean); /* (B, 2, D) */
  g_autoptr (HlTensor) wide =
      rows != NULL ? hl_tensor_view (rows, 0, HL_SHAPE (B, 1, 2 * D), NULL) : NULL;
  return wide != NULL ? hl_dense_forward (&e->classifier, run, wide) : NULL;
}

static HlTensor *
classify (const HlVisionEncoder *e, HlRun *run, HlTensor *features)
{
  HlExec *x = &run->exec;
  if (e->classifier.weight == NULL || features == NULL)
    return NULL;
  switch (e->reads)
    {
    case HL_VISION_READS_BOTH:
      return read_both (e, run, features);
    case HL_VISION_READS_FIRST_AND_MEAN:
      return read_first_and_mean (e, run, features);
    case HL_VISION_READS_MEAN:
    case HL_VISION_READS_FIRST:
      break;
    }
  g_autoptr (HlTensor) row = e->reads == HL_VISION_READS_FIRST
                                 ? hl_slice (x, features, 0, 1)
                                 : mean_from (x, features, 0);
  return row != NULL ? hl_dense_forward (&e->classifier, run, row) : NULL;
}

HlTensor *
hl_vision_encoder_forward (gpointer data, HlRun *run, const HlInput *input)
{
  const HlVisionEncoder *e = data;
  g_autoptr (HlTensor) x = run->start_resid != NULL
                               ? hl_exec_upload (&run->exec, run->start_resid)
                               : embed (e, run, input); /* (B, T, D) */
  g_autoptr (HlTensor) last = hl_tower_forward (&e->tower, run, 0, x);
  gboolean wants_all = hl_run_wants (run, HL_SITE_FEATURES, 0, 0) ||
                       hl_run_wants (run, HL_SITE_POOLED, 0, 0) ||
                       e->reads != HL_VISION_READS_FIRST;
  if (!wants_all && last != NULL && e->classifier.weight != NULL)
    {
      g_autoptr (HlTensor) all = g_steal_pointer (&last);
      last = hl_slice (&run->exec, all, 0, 1);
    }
  g_autoptr (HlTensor) features = e->norms_pooled_only
                                      ? g_steal_pointer (&last)
                                      : hl_norm_forward (&e->final_norm, run, last);
  features = hl_run_site (run, HL_SITE_FEATURES, 0, 0, g_steal_pointer (&features));
  offer_pooled (e, run, features);
  g_autoptr (HlTensor) logits = classify (e, run, features);
  return flat (logits);
}

gint64
hl_vision_encoder_readout_row (gpointer data, const HlInput *input)
{
  const HlVisionEncoder *e = data;
  return e->reads == HL_VISION_READS_FIRST && e->cls != NULL ? 0 : -1;
}

const HlBlock *
hl_vision_encoder_get_block (gpointer data, int stack, int layer)
{
  const HlVisionEncoder *e = data;
  return hl_tower_get_block (&e->tower, layer);
}

/* ---- pictures ------------------------------------------------------------------------
 */

HlInput *
hl_vision_encoder_process_image (
    gpointer data, const char *path, HlTensor *rgb, int height, int width, GError **error)
{
  const HlVisionEncoder *e = data;
  if (height % (int) e->patch[0] != 0 || width % (int) e->patch[1] != 0)
    {
      g_set_error (
          error, HL_ERROR, HL_ERROR_RANGE,
          "picture size: multiples of the patch, %d x %d, expected, %d x %d found",
          (int) e->patch[0], (int) e->patch[1], height, width);
      return NULL;
    }
  g_autoptr (HlImageProcessor) processor =
      height > 0 && width > 0
          ? hl_image_processor_new_with_size (e->processor, height, width)
          : hl_image_processor_ref (e->processor);
  g_autoptr (HlTensor) pixels = NULL, shown = NULL;
  if (!hl_image_processor_run (processor, rgb, e->n_channels, &pixels, &shown, error))
    return NULL;
  const gint64 *dim = pixels->shape.dim;
  if (dim[2] % e->patch[0] != 0 || dim[3] % e->patch[1] != 0)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                   "preprocessor_config.json makes a picture of %d x %d; multiples of "
                   "the patch, %d x %d, expected",
                   (int) dim[2], (int) dim[3], (int) e->patch[0], (int) e->patch[1]);
      return NULL;
    }
  return hl_input_new_image (path, pixels, shown);
}

HlTokenTable *
hl_vision_encoder_tokens (gpointer data, const HlInput *input, int stack)
{
  const HlVisionEncoder *e = data;
  const gint64 *size = input->pixel_values->shape.dim;
  g_auto (GStrv) names = g_new0 (char *, HL_VISION_MAX_SPECIALS + 3);
  int n = 0;
  if (e->cls != NULL)
    names[n++] = g_strdup ("CLS");
  if (e->distillation != NULL)
    names[n++] = g_strdup ("DIST");
  for (int i = 0; i < n_registers (e); i++)
    names[n++] = g_strdup_printf ("REG%d", i);
  return hl_token_table_new_patches ((const char *const *) names, n,
                                     (int) (size[2] / e->patch[0]),
                                     (int) (size[3] / e->patch[1]));
}
