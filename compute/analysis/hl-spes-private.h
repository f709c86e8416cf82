/* SPDX-License-Identifier: MIT
 * The inside of SPES, shared by its files. */
#pragma once

#include "analysis/hl-saliency-private.h"
#include "analysis/hl-spes.h"

G_BEGIN_DECLS

/**
 * HlSpesUnits: what masks hide. A cell is a pixel, or a frame in a band; of a text a
 * token.
 * @n_rows, @n_columns: of cells: 1 by T of a text
 * @labels: of each granularity: (n_rows, n_columns): a cell's unit; -1 where it has none
 * @token_of: (n_rows, n_columns): the token that a cell lies in; -1
 * @are_tokens: @own and @other are (T, D) float64; else (1, C, H, W), or (1, n_mels,
 *   frames), which begin with the cells, float32
 */
typedef struct
{
  int n_granularities;
  int asked[HL_SPES_MAX_GRANULARITIES], n[HL_SPES_MAX_GRANULARITIES];
  gint32 *labels[HL_SPES_MAX_GRANULARITIES];
  gint64 n_rows, n_columns;
  gint32 *token_of;
  gboolean are_tokens;
  HlTensor *own, *other;
} HlSpesUnits;

/** hl_spes_has_cells: it is a picture or recording that is hidden, not its tokens. */
gboolean hl_spes_has_cells (const HlModel *model,
                            const HlInput *input,
                            const HlSaliencyOptions *options);

/** hl_spes_units_init: @tokens: of the first stack; hl_spes_units_clear() either way. */
gboolean hl_spes_units_init (HlSpesUnits *units,
                             const HlSaliencyWork *work,
                             const HlTokenTable *tokens,
                             GError **error);
void hl_spes_units_clear (HlSpesUnits *units);

/** HlSpesMask: of @granularity: whether unit u is hidden. */
typedef struct
{
  int granularity;
  guint8 *hides;
} HlSpesMask;

/** hl_spes_units_hide: (transfer full): (B, T, D), (B, C, H, W) or (B, n_mels, frames).
 */
HlTensor *
hl_spes_units_hide (const HlSpesUnits *units, const HlSpesMask *masks, gint64 B);

/** hl_spes_cells_init: of a picture or recording. */
gboolean hl_spes_cells_init (HlSpesUnits *units,
                             const HlSaliencyWork *work,
                             const HlTokenTable *tokens,
                             GError **error);

/** hl_spes_cells_hide: of one example: @to has @units' own numbers. */
void hl_spes_cells_hide (const HlSpesUnits *units, const HlSpesMask *mask, float *to);

/**
 * HlSpes:
 * @tokens: of the whole input; @work's is the part that targets depend on
 * @reference: (rows, V) float32: logits of each target's row, nothing hidden; @lse of
 * them
 * @difference: of each target's logit, where all is hidden
 * @keys: (nullable): at the encoder's output, four tensors (1, S, H, K) a layer: keys and
 *   values of the tokens as they are, and of what stands behind them; @memory: (1, S, D)
 */
struct _HlSpes
{
  HlSaliencyOptions options;
  GPtrArray *interventions;
  GArray *targets;
  GPtrArray *names;
  HlTokenTable *tokens;
  HlSaliencyWork work;
  HlSpesUnits units;
  HlTensor *reference;
  double *lse, *z, *difference;
  GPtrArray *keys;
  HlTensor *memory;
  HlSpesMaps *maps;
  gboolean is_stable;
};

static inline const HlSaliencyTarget *
hl_spes_target (const HlSpes *spes, int k)
{
  return &g_array_index (spes->targets, HlSaliencyTarget, k);
}

/** hl_spes_read_cells: of target @k by half @half's masks, or both's, -1. @to: (cells).
 */
void hl_spes_read_cells (const HlSpes *spes, int k, int half, double *to);

/** hl_spes_read_tokens: likewise: (tokens); @cells: (cells) numbers of room. */
void hl_spes_read_tokens (const HlSpes *spes, int k, int half, double *cells, double *to);

/** hl_spes_measure: how well both halves of @maps agree. FALSE with @error when
 * cancelled. */
gboolean hl_spes_measure (const HlSpes *spes,
                          HlSpesMaps *maps,
                          const HlProgress *progress,
                          GError **error);

/** hl_spes_put_tokens: @embeds (B, T, D) stand where @run comes by @spes' tokens. */
void hl_spes_put_tokens (const HlSpes *spes, HlRun *run, HlTensor *embeds);

/** hl_spes_take_keys: makes @spes' keys, where it may. */
gboolean hl_spes_take_keys (HlSpes *spes, GError **error);

/** hl_spes_hide_keys: (transfer full): for a run, which with it neither comes by the
 * encoder nor projects what it gives; the exec knows of failures. */
HlKvCache *
hl_spes_hide_keys (const HlSpes *spes, HlExec *exec, const HlSpesMask *masks, gint64 B);

/** hl_spes_run_masks: (transfer full): logits (B, V), or (B, T, V) where several rows are
 * read: float32, host; NULL with @error. */
HlTensor *
hl_spes_run_masks (const HlSpes *spes, const HlSpesMask *masks, gint64 B, GError **error);

/** hl_spes_judge: (transfer full): (B, targets): KL of what is predicted and @logits. */
double *hl_spes_judge (const HlSpes *spes, const HlTensor *logits, GError **error);

/** hl_spes_take_reference: what is predicted with nothing hidden, and with all. */
gboolean hl_spes_take_reference (HlSpes *spes, GError **error);

/** hl_spes_is_stable: @spes' reliability, as it was measured last, is enough. */
gboolean hl_spes_is_stable (const HlSpes *spes);

G_END_DECLS
