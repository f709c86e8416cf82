/* SPDX-License-Identifier: MIT
 * The tokens of one side of an attention map. */
#include "trace/hl-token-table.h"

static const char *const role_names[] = { "none",      "special", "prompt",
                                          "generated", "image",   "padding" };

HlTokenTable *
hl_token_table_new (int n_tokens)
{
  HlTokenTable *table = g_new0 (HlTokenTable, 1);
  g_atomic_ref_count_init (&table->refs);
  table->n_tokens = n_tokens;
  table->tokens = g_new0 (HlToken, (gsize) MAX (n_tokens, 1));
  for (int i = 0; i < n_tokens; i++)
    {
      HlToken *token = &table->tokens[i];
      token->id = token->row = token->column = -1;
      token->start = token->end = -1;
    }
  return table;
}

HlTokenTable *
hl_token_table_new_patches (const char *const *special_names,
                            int n_special,
                            int n_rows,
                            int n_columns)
{
  HlTokenTable *table = hl_token_table_new (n_special + n_rows * n_columns);
  table->n_rows = n_rows;
  table->n_columns = n_columns;
  for (int i = 0; i < n_special; i++)
    {
      table->tokens[i].text = g_strdup (special_names[i]);
      table->tokens[i].role = HL_ROLE_SPECIAL;
    }
  for (int i = 0; i < n_rows * n_columns; i++)
    {
      HlToken *token = &table->tokens[n_special + i];
      token->row = i / n_columns;
      token->column = i % n_columns;
      token->text = g_strdup_printf ("(%d, %d)", token->row, token->column);
      token->role = HL_ROLE_IMAGE;
    }
  return table;
}

HlTokenTable *
hl_token_table_ref (HlTokenTable *table)
{
  g_atomic_ref_count_inc (&table->refs);
  return table;
}

void
hl_token_table_unref (HlTokenTable *table)
{
  if (table == NULL || !g_atomic_ref_count_dec (&table->refs))
    return;
  for (int i = 0; i < table->n_tokens; i++)
    {
      g_free (table->tokens[i].text);
      g_clear_pointer (&table->tokens[i].bytes, g_bytes_unref);
    }
  g_free (table->tokens);
  g_free (table);
}

void
hl_token_copy (HlToken *to, const HlToken *from)
{
  *to = *from;
  to->text = g_strdup (from->text);
  to->bytes = from->bytes != NULL ? g_bytes_ref (from->bytes) : NULL;
}

int
hl_token_table_find_patch (const HlTokenTable *table, int row, int column)
{
  for (int i = 0; i < table->n_tokens; i++)
    if (table->tokens[i].row == row && table->tokens[i].column == column)
      return i;
  return -1;
}

const char *
hl_token_role_name (HlTokenRole role)
{
  g_return_val_if_fail (role <= HL_ROLE_PADDING, role_names[0]);
  return role_names[role];
}

HlTokenRole
hl_token_role_from_name (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (role_names); i++)
    if (g_strcmp0 (role_names[i], name) == 0)
      return (HlTokenRole) i;
  return HL_ROLE_NONE;
}
