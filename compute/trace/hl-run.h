/* SPDX-License-Identifier: MIT
 * A run: one forward pass in the making. It knows what to capture and what to change at
 * each site, and from which block to start; a family's forward pass hands it the value
 * of every site it comes by. Thread: engine. */
#pragma once

#include "model/hl-model-info.h"
#include "ops/hl-exec.h"
#include "trace/hl-kv-cache.h"
#include "trace/hl-predictions.h"

G_BEGIN_DECLS

typedef enum
{
#define HL_SITE(ENUM, suffix, per_block, axes) HL_SITE_##ENUM,
#include "trace/hl-site-table.def"
#undef HL_SITE
  HL_N_SITES,
} HlSite;

/** hl_site_suffix: "attn.hook_pattern". */
const char *hl_site_suffix (HlSite site);

/** hl_site_axes: names of the axes without the batch, joined by commas. */
const char *hl_site_axes (HlSite site);

/** hl_site_is_per_block: FALSE for the sites before the first block. */
gboolean hl_site_is_per_block (HlSite site);

/** hl_site_name: (transfer full): "blocks.3.attn.hook_pattern", "hook_embed". */
char *hl_site_name (const HlModelInfo *model, HlSite site, int stack, int layer);

/** hl_site_from_suffix: HL_N_SITES for an unknown one. */
HlSite hl_site_from_suffix (const char *suffix);

typedef enum
{
  HL_INTERVENTION_NONE,
  HL_INTERVENTION_GATE,    /* z[b,t,h,:] *= @value[b,h]: scale or prune heads */
  HL_INTERVENTION_BLEND,   /* x + mask * (value - x), value 0 where it is NULL */
  HL_INTERVENTION_REPLACE, /* x = value, of the same shape (batch may be 1) */
} HlInterventionKind;

/**
 * HlIntervention: what a run changes at one site. Plain data; immutable once shared.
 * @site: GATE acts at HL_SITE_Z whatever this says
 * @mask: (nullable): BLEND; of the site's rank with the batch, sizes equal or 1
 * @value: see the kinds; host float32
 * @words: for people and provenance: "prune head 5.2"
 */
typedef struct
{
  gatomicrefcount refs;
  HlInterventionKind kind;
  HlSite site;
  int stack;
  int layer;
  HlTensor *mask;
  HlTensor *value;
  char *words;
} HlIntervention;

/** hl_intervention_new: (transfer full): takes references to the tensors. */
HlIntervention *hl_intervention_new (HlInterventionKind kind,
                                     HlSite site,
                                     int stack,
                                     int layer,
                                     HlTensor *mask,
                                     HlTensor *value,
                                     const char *words);

/** hl_intervention_new_scale_head: (transfer full): 0 prunes it. */
HlIntervention *hl_intervention_new_scale_head (
    const HlModelInfo *model, int stack, int layer, int head, double factor);

/** hl_interventions_describe: (transfer full): words of (nullable) (element-type
 * HlIntervention), "; " between them; "" for none. */
char *hl_interventions_describe (const GPtrArray *interventions);

/**
 * hl_intervention_parse_pruned_head:
 * @words: of an intervention, as a trace keeps them
 * @stack: where the head is to be
 * Returns: TRUE where they say that one of its heads was set to zero, which then are
 *   @layer and @head
 */
gboolean hl_intervention_parse_pruned_head (const char *words,
                                            const HlStack *stack,
                                            int *layer,
                                            int *head);

HlIntervention *hl_intervention_ref (HlIntervention *intervention);
void hl_intervention_unref (HlIntervention *intervention);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlIntervention, hl_intervention_unref)

/**
 * HlRun:
 * @exec: what ops are run with
 * @model: labels and shapes
 * @patterns: (element-type GPatternSpec): sites whose name matches one are captured
 * @interventions: (element-type HlIntervention)
 * @start_block, @start_resid: begin at this block of the first tower with this residual
 *   stream (B or 1, T, D) instead of with the input; 0 and NULL for a whole pass
 * @only_row: a token, or -1: of the last block of the tower that is read nothing but this
 * token's row is wanted (and the keys and values of all): a pass then gives (B, 1, D)
 * behind it. Where that block is causal it is the last token
 * @reads_all: of a text: the logits of every position are given, (B, T, V), where
 *   @only_row is -1
 * @query_row: what the block in hand is to make of its rows: @only_row in the last one,
 *   else -1
 * @first_position: of the first token given: 0 unless a cache holds earlier ones
 * @cache: (nullable): keys and values of earlier tokens, read and extended; borrowed
 * @memory: (nullable): what a decoder attends to across: the encoder's features, (B, S,
 * D); owned by the pass, while it goes on
 * @predictions: (nullable): to fill with what each position predicts; borrowed
 * @tables: what is made once a run, by the address of what it was made for
 * @captured: site name -> HlTensor *, with the batch; each site once: in the backend's
 *   memory, or with @captures_to_host on the host, on its way while the pass goes on:
 *   hl_backend_finish() waits for all of them
 * @captured_bytes: of them
 * @watch_patterns: (element-type GPatternSpec): sites whose gradient is wanted, where the
 *   exec has a tape; @watched: site name -> HlTensor *, the value itself
 * @recomputes: where the exec has a tape and there is no cache: the tape keeps of a block
 *   what goes in and what comes out, and hl_tape_backward() runs it again, for which the
 *   run and the model must be there still. The same numbers in less memory and more time;
 *   @watched is filled on the way back, as far as a gradient comes
 */
typedef struct
{
  HlExec exec;
  const HlModelInfo *model;
  GPtrArray *patterns;
  GPtrArray *interventions;
  int start_block;
  HlTensor *start_resid;
  gint64 only_row;
  gboolean reads_all;
  gint64 query_row;
  gint64 first_position;
  HlKvCache *cache;
  HlTensor *memory;
  HlPredictions *predictions;
  GHashTable *tables;
  GHashTable *captured;
  gsize captured_bytes;
  GPtrArray *watch_patterns;
  GHashTable *watched;
  gboolean recomputes;
  gboolean captures_to_host;
} HlRun;

void hl_run_init (HlRun *run,
                  HlBackend *backend,
                  const HlModelInfo *model,
                  const HlProgress *progress);
void hl_run_clear (HlRun *run);

/** hl_run_capture: adds a glob such as "blocks.*.attn.hook_pattern". */
void hl_run_capture (HlRun *run, const char *pattern);

/** hl_run_watch: adds a glob of sites whose gradients the exec's tape is to keep:
 * hl_tape_get_grad() of the values in @watched. */
void hl_run_watch (HlRun *run, const char *pattern);

/**
 * hl_run_tape_bytes:
 * @T: tokens
 * About how much a tape keeps of the blocks of one pass, batch 1, when they are not
 * recomputed: values of width D, Q, K, V and z, the MLP (four times as wide as a rule),
 * and scores and maps (H, T, T) of the layers where they are wanted.
 * Returns: bytes
 */
gsize hl_run_tape_bytes (HlRun *run, gint64 T);

/** hl_run_add_intervention: takes a reference. */
void hl_run_add_intervention (HlRun *run, HlIntervention *intervention);

/** hl_run_start_at: takes a reference to @resid, a host or captured tensor. */
void hl_run_start_at (HlRun *run, int block, HlTensor *resid);

/** hl_run_changes: whether an intervention acts at a site. */
gboolean hl_run_changes (HlRun *run, HlSite site, int stack, int layer);

/** hl_run_wants: whether something is captured or changed at a site; a pass may take a
 * shorter way past one that nobody wants. */
gboolean hl_run_wants (HlRun *run, HlSite site, int stack, int layer);

/**
 * hl_run_site:
 * @value: (transfer full) (nullable): NULL after a failure
 * Applies the interventions of this site, captures it, and gives the value to go on with.
 * Returns: (transfer full) (nullable)
 */
HlTensor *hl_run_site (HlRun *run, HlSite site, int stack, int layer, HlTensor *value);

G_END_DECLS
