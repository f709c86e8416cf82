/* SPDX-License-Identifier: MIT
 * Byte pair encoding: what reading and running share. Private to hl-bpe*.c. */
#pragma once

#include "text/hl-token-model.h"

G_BEGIN_DECLS

/* Characters with a place in the table of units; others are looked up. */
#define HL_BPE_DIRECT_UNITS 0x10000
#define HL_BPE_JUNCTION_BITS (1u << 20)

typedef struct
{
  guint64 pair; /* left id, right id; G_MAXUINT64 free */
  guint32 rank;
  gint32 id;
} HlMerge;

typedef struct
{
  HlVocabulary *vocabulary;
  gint32 unknown; /* -1 for none */
  gboolean fuses_unknown;
  gboolean has_byte_fallback;
  gboolean ignores_merges;
  gboolean is_byte_level;
  char *prefix;    /* of units that are not a word's first; NULL for none */
  char *suffix;    /* of a word's last unit; NULL for none */
  HlMerge *merges; /* by hash; a power of two */
  gsize merges_mask;
  gint32 *units;  /* id of each byte, or of each character below HL_BPE_DIRECT_UNITS */
  guint8 *joined; /* bits: units that some merge joins, left and right */
  gint32 byte_tokens[256]; /* <0xE4>; -1 */
} HlBpe;

/** hl_bpe_read, hl_bpe_free: of hl_bpe_kind. Refused: dropout, merges of tokens that are
 * not there. */
gpointer hl_bpe_read (const json_t *model,
                      gboolean is_byte_level,
                      const char *where,
                      GError **error);
void hl_bpe_free (gpointer bpe);

static inline gsize
hl_bpe_pair_hash (guint64 pair)
{
  pair *= 0x9e3779b97f4a7c15u;
  return (gsize) (pair ^ pair >> 32);
}

/** hl_bpe_find_merge: (nullable): what joins the two. */
static inline const HlMerge *
hl_bpe_find_merge (const HlBpe *bpe, gint32 left, gint32 right)
{
  guint64 pair = (guint64) (guint32) left << 32 | (guint32) right;
  gsize slot = hl_bpe_pair_hash (pair) & bpe->merges_mask;
  for (; bpe->merges[slot].pair != G_MAXUINT64; slot = (slot + 1) & bpe->merges_mask)
    if (bpe->merges[slot].pair == pair)
      return &bpe->merges[slot];
  return NULL;
}

static inline guint
hl_bpe_junction (gunichar left, gunichar right)
{
  return (guint) hl_bpe_pair_hash ((guint64) left << 32 | right) % HL_BPE_JUNCTION_BITS;
}

/** hl_bpe_may_join: FALSE where no merge can ever reach across the two units, so that a
 * word may be cut there without changing its tokens. */
static inline gboolean
hl_bpe_may_join (const HlBpe *bpe, gunichar left, gunichar right)
{
  guint bit = hl_bpe_junction (left, right);
  return bpe->joined[bit / 8] >> bit % 8 & 1;
}

G_END_DECLS
