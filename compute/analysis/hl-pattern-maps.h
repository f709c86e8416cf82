/* SPDX-License-Identifier: MIT
 * Attention maps of many heads and inputs as pictures of one size, for a summary.
 *
 * A map is never resized as a picture: neighbours on a grid are not neighbours in a row
 * of it.
 *
 * PATCHES: the block between patches, special tokens left out and rows not renormalised.
 * A grid with more than @side rows or columns is pooled in four dimensions (row and
 * column of the query, row and column of the key), by area: the picture has a row a cell
 * of queries and a column a cell of keys.
 * CLS: what the first token attends to, as the grid of patches; what it gives itself is
 * one number beside (@n_side 1).
 * TEXT: three pictures side by side, a row of each standing for 1/32 of the queries: a
 * band of 32 offsets at full resolution (0 to 31 back; of maps that are not causal 16 on
 * to 15 back), a map of 32 x 32 cells, and the first token's column. A cell is the mean
 * over the pairs that the head may see; what there is none of is 0.
 *
 * Numbers are ln (1 + A Tk) / ln (1 + Tk), within 0 and 1: a uniform map is constant
 * (Li et al. 2023 do not say; this is a choice of ours). */
#pragma once

#include "trace/hl-attention-source.h"

G_BEGIN_DECLS

typedef enum
{
  HL_PATTERN_PATCHES,
  HL_PATTERN_CLS,
  HL_PATTERN_TEXT,
  HL_N_PATTERNS,
} HlPatternKind;

/** HL_PATTERN_SIDE: rows and columns of a grid that are kept at most, unless told. */
#define HL_PATTERN_SIDE 14
#define HL_PATTERN_TEXT_ROWS 32
#define HL_PATTERN_TEXT_BAND 32

/** HL_PATTERN_MAX_BYTES: of all pictures of a kind. */
#define HL_PATTERN_MAX_BYTES ((gsize) 2 << 30)

/** HlPatternTrait: what names of patterns are told by; shares of a row, means over rows.
 * Of the maps as they are, before any pooling. */
typedef enum
{
  HL_TRAIT_SELF,        /* A[i,i]; of CLS: A[0,0] */
  HL_TRAIT_NEIGHBOURS,  /* patches one hop away; of a text 1 to 4 tokens before */
  HL_TRAIT_ROW,         /* patches of the same row of the grid, itself among them */
  HL_TRAIT_COLUMN,      /* likewise */
  HL_TRAIT_PREVIOUS,    /* A[i,i-1] */
  HL_TRAIT_FIRST,       /* A[i,0] */
  HL_TRAIT_TOP_KEY,     /* the key most attended to, on average; of CLS: the top patch */
  HL_TRAIT_TOP_TENTH,   /* the tenth of the keys most attended to, on average */
  HL_TRAIT_ROW_ENTROPY, /* H_i / ln (keys that the row may see) */
  HL_N_TRAITS,
} HlPatternTrait;

/** HlPatternPlace: which head of which input; @head counts over all layers; @n_keys: Tk
 * of the map. */
typedef struct
{
  int input;
  int head;
  int n_keys;
} HlPatternPlace;

/**
 * HlPatternMaps: filled by its maker, immutable once shared.
 * @height, @width, @n_side: of each picture and the numbers beside it; all are 0 until
 *   the first map was added
 * @grid_rows, @grid_columns: of the pooled grid; 0 of texts
 * @places: (element-type HlPatternPlace), one a map
 * @numbers: (maps, height * width + n_side) float
 * @traits: (maps, HL_N_TRAITS) float; NaN where there is none
 */
typedef struct
{
  gatomicrefcount refs;
  HlPatternKind kind;
  int side;
  int height;
  int width;
  int n_side;
  int grid_rows;
  int grid_columns;
  GArray *places;
  GArray *numbers;
  GArray *traits;
} HlPatternMaps;

/** hl_pattern_maps_new: (transfer full) */
HlPatternMaps *hl_pattern_maps_new (HlPatternKind kind, int side);
HlPatternMaps *hl_pattern_maps_ref (HlPatternMaps *maps);
void hl_pattern_maps_unref (HlPatternMaps *maps);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlPatternMaps, hl_pattern_maps_unref)

int hl_pattern_maps_get_n (const HlPatternMaps *maps);

/** hl_pattern_maps_get_size: numbers a map. */
int hl_pattern_maps_get_size (const HlPatternMaps *maps);

/** hl_pattern_maps_get: (transfer none): the numbers of one map. */
const float *hl_pattern_maps_get (const HlPatternMaps *maps, int i);

/**
 * hl_pattern_maps_add:
 * @input: index of the input @source is of
 * @first: (n_layers + 1): index of a layer's first head
 * Adds every head of stack 0 that has a square map over the trace's tokens.
 * Thread: the backend's. Returns: FALSE with @error (HL_ERROR_SHAPE where the grid is
 *   another than that of earlier maps, HL_ERROR_MEMORY, ...) and nothing added
 */
gboolean hl_pattern_maps_add (HlPatternMaps *maps,
                              const HlAttentionSource *source,
                              HlBackend *backend,
                              int input,
                              const int *first,
                              const HlProgress *progress,
                              GError **error);

/** hl_pattern_maps_drop_input: takes the maps of @input, the latest, back. */
void hl_pattern_maps_drop_input (HlPatternMaps *maps, int input);

/** hl_pattern_kinds_of: which kinds maps over @tokens have: bits 1 << kind. */
guint hl_pattern_kinds_of (const HlTokenTable *tokens);

/** hl_pattern_kind_id: "patches", "cls", "text". */
const char *hl_pattern_kind_id (HlPatternKind kind);

/** hl_pattern_to_attention: a picture's number as attention to each key. */
double hl_pattern_to_attention (double number, gint64 n_keys);

G_END_DECLS
