/* SPDX-License-Identifier: MIT
 * The tokens of one side of an attention map: what each is, and where in the input it
 * lies. Immutable once shared; atomic reference count. */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

typedef enum
{
  HL_ROLE_NONE,
  HL_ROLE_SPECIAL, /* CLS, registers, separators, BOS */
  HL_ROLE_PROMPT,
  HL_ROLE_GENERATED,
  HL_ROLE_IMAGE, /* a patch */
  HL_ROLE_PADDING,
} HlTokenRole;

/**
 * HlToken:
 * @text: for display, valid UTF-8: "CLS", "(8, 4)", "the"
 * @id: in the model's vocabulary; -1 where there is none
 * @bytes: (nullable): what it stands for in the input; need not be UTF-8
 * @row, @column: of a patch in its grid; -1 for anything else
 * @start, @end: characters of the input, or seconds; -1 when it has none
 * @segment: 0, or 1 for the second text of a pair
 */
typedef struct
{
  char *text;
  int id;
  GBytes *bytes;
  HlTokenRole role;
  int row;
  int column;
  double start;
  double end;
  int segment;
} HlToken;

/** HlTokenTable: @n_rows and @n_columns give the patch grid, 0 where there is none.
 * @is_words: pieces of words were joined (hl-words.h) */
typedef struct
{
  gatomicrefcount refs;
  int n_tokens;
  HlToken *tokens;
  int n_rows;
  int n_columns;
  gboolean is_words;
} HlTokenTable;

/** hl_token_table_new: (transfer full): every token empty, role NONE, id and
 * positions -1. */
HlTokenTable *hl_token_table_new (int n_tokens);

/** hl_token_table_new_patches: (transfer full): @n_special tokens (named by
 * @special_names) and then a grid of patches, row by row. */
HlTokenTable *hl_token_table_new_patches (const char *const *special_names,
                                          int n_special,
                                          int n_rows,
                                          int n_columns);

HlTokenTable *hl_token_table_ref (HlTokenTable *table);
void hl_token_table_unref (HlTokenTable *table);

/** hl_token_copy: into an empty token, with its own text. */
void hl_token_copy (HlToken *to, const HlToken *from);

/** hl_token_table_find_patch: index of the token at a grid place, -1 for none. */
int hl_token_table_find_patch (const HlTokenTable *table, int row, int column);

/** hl_token_role_name: "special", "prompt", ...; the words used in sessions. */
const char *hl_token_role_name (HlTokenRole role);

/** hl_token_role_from_name: HL_ROLE_NONE for an unknown word. */
HlTokenRole hl_token_role_from_name (const char *name);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlTokenTable, hl_token_table_unref)

G_END_DECLS
