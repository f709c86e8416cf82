/* SPDX-License-Identifier: MIT
 * A tokenizer's parts. Private to hl-tokenizer*.c. */
#pragma once

#include "text/hl-added-tokens.h"
#include "text/hl-decoder.h"
#include "text/hl-normalizer.h"
#include "text/hl-post-processor.h"
#include "text/hl-pre-tokenizer.h"
#include "text/hl-token-model.h"
#include "text/hl-tokenizer.h"

G_BEGIN_DECLS

struct _HlTokenizer
{
  gatomicrefcount refs;
  HlNormalizer *normalizer;
  HlPreTokenizer *pre;
  HlTokenModel *model;
  HlAddedTokens *added;
  HlPostProcessor *post;
  HlDecoder *decoder;
  GArray *specials; /* gint32 */
  gint32 n_ids;
  gsize n_tokens;
  gint32 bos;
  gint32 eos;
  gint32 unk;
  gint32 mask;
  gint32 pad;
  char *chat_template;
};

G_END_DECLS
