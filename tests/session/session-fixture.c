/* SPDX-License-Identifier: MIT
 * A small session made up for the tests. */
#include "session-fixture.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

char *
fixture_folder_new (void)
{
  g_autoptr (GError) error = NULL;
  char *folder = g_dir_make_tmp ("hl-session-XXXXXX", &error);
  g_assert_no_error (error);
  return folder;
}

void
fixture_folder_free (char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);
      g_unlink (path);
    }
  g_rmdir (folder);
  g_free (folder);
}

static void
set_string (char **field, const char *value)
{
  g_free (*field);
  *field = g_strdup (value);
}

static HlTensor *
numbers_new (HlShape shape, int seed)
{
  HlTensor *tensor = hl_tensor_new (HL_DTYPE_F32, shape, NULL);
  float *data = tensor->data;
  for (gint64 i = 0; i < hl_tensor_count (tensor); i++)
    data[i] = (float) sin (0.37 * (double) (i + 1) + seed);
  return tensor;
}

static HlModelInfo *
model_new (const char *identity, int n_layers, int n_heads)
{
  static const char *const labels[] = { "Hemd", "Schuh", "Straße", NULL };
  HlModelInfo *info = hl_model_info_new ();
  set_string (&info->path, "/models/vit");
  set_string (&info->name, "vit");
  set_string (&info->identity, identity);
  set_string (&info->revision, "607a30d783dfa663caf39e06633721c8d4cfcd7e");
  set_string (&info->family, "vit");
  set_string (&info->family_title, "ViT");
  set_string (&info->dtype, "float16");
  set_string (&info->config_json, "{\"hidden_size\": 192}");
  info->n_params = G_GINT64_CONSTANT (86567656000);
  info->width = 192;
  info->labels = g_strdupv ((char **) labels);
  HlStack *stack = hl_model_info_add_stack (info, "", n_layers);
  for (int l = 0; l < n_layers; l++)
    stack->layers[l] = (HlLayerInfo){ .kind = HL_ATTENTION_SELF,
                                      .n_heads = n_heads,
                                      .n_kv_heads = n_heads,
                                      .head_width = 64,
                                      .is_causal = l == 1 };
  return info;
}

static void
fill_strings (HlTrace *trace)
{
  set_string (&trace->input_kind, "image");
  set_string (&trace->input_name, "Schuh.png");
  set_string (&trace->input_path, "/tmp/Schuh.png");
  set_string (&trace->input_hash, "1234");
  set_string (&trace->backend, "cpu");
  set_string (&trace->precision, "float32");
  set_string (&trace->created, "2026-11-23T12:00:00Z");
  set_string (&trace->hash, "5678");
  trace->duration_ms = 12.625;
  g_ptr_array_add (trace->interventions, g_strdup ("0.1 scaled by 0"));
  g_ptr_array_add (trace->interventions, g_strdup ("1.2 masked"));
}

static void
add_site (HlTrace *trace, const char *name, HlShape shape, int seed)
{
  g_autoptr (HlTensor) tensor = numbers_new (shape, seed);
  hl_trace_set_site (trace, name, tensor);
}

static HlTokenTable *
tokens_new (void)
{
  static const char *const special[] = { "CLS" };
  HlTokenTable *table = hl_token_table_new_patches (special, 1, 2, 2);
  table->tokens[0].bytes = g_bytes_new ("\xff\x00z", 3);
  table->tokens[2].bytes = g_bytes_new (NULL, 0);
  table->tokens[3].bytes = g_bytes_new ("ab", 2);
  table->tokens[3].start = 1.5;
  table->tokens[3].end = 2.25;
  table->tokens[4].segment = 1;
  set_string (&table->tokens[4].text, "Größe ✓");
  return table;
}

static void
fill_trace (HlTrace *trace, int seed)
{
  const gint64 H = FIXTURE_HEADS, T = FIXTURE_TOKENS;
  static const guint8 pixels[2 * 4 * 3] = { 1, 2, 3, 250, 251, 252 };
  fill_strings (trace);
  g_ptr_array_add (trace->tokens, tokens_new ());
  trace->pixels = hl_tensor_new_copy (HL_DTYPE_U8, HL_SHAPE (2, 4, 3), pixels);
  trace->logits = numbers_new (HL_SHAPE (3), seed + 7);
  add_site (trace, "blocks.0.attn.hook_pattern", HL_SHAPE (H, T, T), seed);
  add_site (trace, "blocks.1.attn.hook_pattern", HL_SHAPE (H, T, T), seed + 1);
  add_site (trace, "blocks.1.attn.hook_q", HL_SHAPE (T, H, 64), seed + 2);
  add_site (trace, "blocks.1.attn.hook_k", HL_SHAPE (T, H, 64), seed + 3);
  add_site (trace, "blocks.1.attn.hook_lse", HL_SHAPE (H, T), seed + 4);
  add_site (trace, "blocks.1.hook_resid_post", HL_SHAPE (T, 192), seed + 5);
  g_autoptr (HlTensor) mask = numbers_new (HL_SHAPE (1, T, T), seed + 8);
  g_autoptr (HlTensor) replacement = numbers_new (HL_SHAPE (H, T, T), seed + 9);
  g_autoptr (HlTensor) bias = numbers_new (HL_SHAPE (H, 2 * T - 1), seed + 10);
  HlRecipe plain = { .rule = { .scale = 0.125, .soft_cap = 2.5 }, .bias = bias };
  HlRecipe changed = { .rule = { .scale = 0.1, .is_causal = TRUE, .window = 7 },
                       .mask = mask,
                       .replacement = replacement };
  hl_trace_set_recipe (trace, "blocks.0.attn", &plain);
  hl_trace_set_recipe (trace, "blocks.1.attn", &changed);
}

static void
add_results (HlSession *session)
{
  static const char *const axes[] = { "layer", "head", NULL };
  static const double doubles[] = { 0.1, -0.2, 1e300, 0, 5, 6 };
  static const gint64 integers[] = { G_MAXINT64, -1 };
  g_autoptr (HlTensor) table =
      hl_tensor_new_copy (HL_DTYPE_F64, HL_SHAPE (2, 3), doubles);
  g_autoptr (HlTensor) list = hl_tensor_new_copy (HL_DTYPE_I64, HL_SHAPE (2), integers);
  g_autoptr (HlSessionResult) first =
      hl_session_result_new ("entropy", "{\"base\": 2}", "{\"traces\": [\"5678\"]}");
  g_autoptr (HlSessionResult) second = hl_session_result_new ("empty", "{}", "{}");
  hl_session_result_add_array (first, "mean", table, axes, "nat");
  hl_session_result_add_array (first, "order", list, NULL, NULL);
  g_assert_cmpuint (hl_session_add_result (session, first), ==, 0);
  g_assert_cmpuint (hl_session_add_result (session, second), ==, 1);
}

HlSession *
fixture_session_new (int seed)
{
  HlSession *session = hl_session_new ();
  g_autoptr (HlModelInfo) model = model_new ("c0ffee", FIXTURE_LAYERS, FIXTURE_HEADS);
  g_autoptr (HlTrace) trace = hl_trace_new (model);
  g_autofree char *notes = g_strdup_printf ("Notizen für %d\nzweite Zeile", seed);
  fill_trace (trace, seed);
  hl_session_add_trace (session, trace);
  add_results (session);
  hl_session_set_notes (session, notes);
  hl_session_set_view (session, "colour-map", g_variant_new_string ("magma"));
  hl_session_set_view (session, "zoom", g_variant_new_double (0.1));
  hl_session_set_view (session, "layer", g_variant_new_int64 (-5));
  return session;
}

/* <s>, "a", the two bytes of "é", and a token that was generated. */
static HlTokenTable *
text_tokens_new (void)
{
  static const struct
  {
    int id;
    const char *text, *bytes;
    HlTokenRole role;
    double start, end;
  } rows[FIXTURE_TEXT_TOKENS] = {
    { 1, "<s>", "<s>", HL_ROLE_SPECIAL, -1, -1 },
    { 260, "a", "a", HL_ROLE_PROMPT, 0, 1 },
    { 198, "\\xC3", "\xc3", HL_ROLE_PROMPT, 1, 2 },
    { 172, "\\xA9", "\xa9", HL_ROLE_PROMPT, 1, 2 },
    { 263, "␣ab", " ab", HL_ROLE_GENERATED, -1, -1 },
  };
  HlTokenTable *table = hl_token_table_new (FIXTURE_TEXT_TOKENS);
  for (int i = 0; i < FIXTURE_TEXT_TOKENS; i++)
    {
      HlToken *token = &table->tokens[i];
      token->id = rows[i].id;
      token->text = g_strdup (rows[i].text);
      token->bytes = g_bytes_new (rows[i].bytes, strlen (rows[i].bytes));
      token->role = rows[i].role;
      token->start = rows[i].start;
      token->end = rows[i].end;
    }
  return table;
}

static HlPredictions *
predictions_new (const HlTokenTable *tokens)
{
  gint32 ids[FIXTURE_TEXT_TOKENS];
  for (int i = 0; i < FIXTURE_TEXT_TOKENS; i++)
    ids[i] = tokens->tokens[i].id;
  HlPredictions *p = hl_predictions_new (ids, FIXTURE_TEXT_TOKENS, 3, TRUE, NULL);
  for (int i = 0; i < FIXTURE_TEXT_TOKENS; i++)
    {
      gboolean is_known = i + 1 < FIXTURE_TEXT_TOKENS;
      ((float *) p->entropies->data)[i] = 0.5F + (float) i;
      ((float *) p->next_log_probs->data)[i] = is_known ? -1.25F * (float) i : NAN;
      ((gint32 *) p->next_ranks->data)[i] = is_known ? 7 * i : -1;
      for (int k = 0; k < 3; k++)
        {
          ((gint32 *) p->top_ids->data)[3 * i + k] = 260 + k;
          ((float *) p->top_log_probs->data)[3 * i + k] = -0.25F * (float) (k + i);
        }
    }
  hl_predictions_set_text (p, 260, "a");
  hl_predictions_set_text (p, 261, "␣b");
  hl_predictions_set_text (p, 262, "\\xC3");
  return p;
}

HlSession *
fixture_text_session_new (void)
{
  const gint64 H = 2, K = 4, T = FIXTURE_TEXT_TOKENS;
  HlSession *session = hl_session_new ();
  g_autoptr (HlModelInfo) model = model_new ("7e87", 2, (int) H);
  set_string (&model->input_kind, "text");
  model->n_vocab = 264;
  model->n_context = 64;
  model->predicts = HL_PREDICTS_OWN;
  g_autoptr (HlTrace) trace = hl_trace_new (model);
  fill_strings (trace);
  set_string (&trace->input_kind, "text");
  set_string (&trace->text, "aé");
  g_ptr_array_add (trace->tokens, text_tokens_new ());
  trace->predictions = predictions_new (hl_trace_get_tokens (trace, 0));
  add_site (trace, "blocks.0.attn.hook_pattern", HL_SHAPE (H, T, T), 1);
  add_site (trace, "blocks.1.attn.hook_rot_q", HL_SHAPE (T, H, K), 2);
  add_site (trace, "blocks.1.attn.hook_rot_k", HL_SHAPE (T, 1, K), 3);
  add_site (trace, "blocks.1.attn.hook_lse", HL_SHAPE (H, T), 4);
  const HlRecipe rotary = { .rule = { .scale = 0.5, .is_causal = TRUE },
                            .is_rotary = TRUE };
  hl_trace_set_recipe (trace, "blocks.0.attn", &rotary);
  hl_trace_set_recipe (trace, "blocks.1.attn", &rotary);
  hl_session_add_trace (session, trace);
  return session;
}

HlSession *
fixture_big_session_new (gsize n_bytes, int seed)
{
  HlSession *session = hl_session_new ();
  const gint64 H = 4;
  gint64 T = (gint64) sqrt ((double) n_bytes / 4 / (double) H);
  g_autoptr (HlModelInfo) model = model_new ("beef", 1, (int) H);
  g_autoptr (HlTrace) trace = hl_trace_new (model);
  g_autofree char *notes = g_strdup_printf ("%d", seed);
  g_ptr_array_add (trace->tokens, hl_token_table_new ((int) T));
  g_autoptr (HlTensor) map = hl_tensor_new (HL_DTYPE_F32, HL_SHAPE (H, T, T), NULL);
  for (gint64 i = 0; i < hl_tensor_count (map); i++)
    ((float *) map->data)[i] = (float) seed;
  hl_trace_set_site (trace, "blocks.0.attn.hook_pattern", map);
  hl_session_add_trace (session, trace);
  hl_session_set_notes (session, notes);
  return session;
}

static void
assert_equal_tensor (const HlTensor *a, const HlTensor *b)
{
  g_assert_true ((a == NULL) == (b == NULL));
  if (a == NULL)
    return;
  g_assert_cmpint (a->dtype, ==, b->dtype);
  g_assert_true (hl_shape_equal (&a->shape, &b->shape));
  g_assert_cmpmem (a->data, hl_tensor_size_bytes (a), b->data, hl_tensor_size_bytes (b));
}

static void
assert_equal_tokens (const HlTokenTable *a, const HlTokenTable *b)
{
  g_assert_cmpint (a->n_tokens, ==, b->n_tokens);
  g_assert_cmpint (a->n_rows, ==, b->n_rows);
  g_assert_cmpint (a->n_columns, ==, b->n_columns);
  for (int i = 0; i < a->n_tokens; i++)
    {
      const HlToken *x = &a->tokens[i], *y = &b->tokens[i];
      g_assert_cmpstr (x->text, ==, y->text);
      g_assert_cmpint (x->id, ==, y->id);
      g_assert_cmpint (x->role, ==, y->role);
      g_assert_cmpint (x->row, ==, y->row);
      g_assert_cmpint (x->column, ==, y->column);
      g_assert_cmpint (x->segment, ==, y->segment);
      g_assert_cmpfloat (x->start, ==, y->start);
      g_assert_cmpfloat (x->end, ==, y->end);
      g_assert_true ((x->bytes == NULL) == (y->bytes == NULL));
      if (x->bytes != NULL)
        g_assert_true (g_bytes_equal (x->bytes, y->bytes));
    }
}

static void
assert_equal_model (const HlModelInfo *a, const HlModelInfo *b)
{
  g_assert_cmpstr (a->path, ==, b->path);
  g_assert_cmpstr (a->name, ==, b->name);
  g_assert_cmpstr (a->identity, ==, b->identity);
  g_assert_cmpstr (a->revision, ==, b->revision);
  g_assert_cmpstr (a->family, ==, b->family);
  g_assert_cmpstr (a->family_title, ==, b->family_title);
  g_assert_cmpstr (a->dtype, ==, b->dtype);
  g_assert_cmpstr (a->config_json, ==, b->config_json);
  g_assert_cmpint (a->n_params, ==, b->n_params);
  g_assert_cmpint (a->width, ==, b->width);
  g_assert_cmpint (a->n_vocab, ==, b->n_vocab);
  g_assert_cmpint (a->n_context, ==, b->n_context);
  g_assert_cmpint (a->predicts, ==, b->predicts);
  g_assert_cmpstr (a->input_kind, ==, b->input_kind);
  g_assert_cmpstrv (a->labels, b->labels);
  g_assert_cmpuint (a->stacks->len, ==, b->stacks->len);
  for (guint s = 0; s < a->stacks->len; s++)
    {
      const HlStack *x = hl_model_info_get_stack (a, (int) s);
      const HlStack *y = hl_model_info_get_stack (b, (int) s);
      g_assert_cmpstr (x->name, ==, y->name);
      g_assert_cmpstr (x->tower, ==, y->tower);
      g_assert_cmpint (x->is_cross, ==, y->is_cross);
      g_assert_cmpint (x->key_stack, ==, y->key_stack);
      g_assert_cmpint (x->n_layers, ==, y->n_layers);
      g_assert_cmpmem (x->layers, sizeof (HlLayerInfo) * (gsize) x->n_layers, y->layers,
                       sizeof (HlLayerInfo) * (gsize) y->n_layers);
    }
}

static void
assert_equal_predictions (const HlPredictions *a, const HlPredictions *b)
{
  GHashTableIter iter;
  gpointer id, text;
  g_assert_true ((a == NULL) == (b == NULL));
  if (a == NULL)
    return;
  assert_equal_tensor (a->next_ids, b->next_ids);
  assert_equal_tensor (a->top_ids, b->top_ids);
  assert_equal_tensor (a->top_log_probs, b->top_log_probs);
  assert_equal_tensor (a->next_log_probs, b->next_log_probs);
  assert_equal_tensor (a->next_ranks, b->next_ranks);
  assert_equal_tensor (a->entropies, b->entropies);
  g_assert_cmpuint (g_hash_table_size (a->texts), ==, g_hash_table_size (b->texts));
  g_hash_table_iter_init (&iter, a->texts);
  while (g_hash_table_iter_next (&iter, &id, &text))
    g_assert_cmpstr (hl_predictions_get_text (b, GPOINTER_TO_INT (id)), ==, text);
}

void
fixture_assert_equal_trace (const HlTrace *a, const HlTrace *b)
{
  GHashTableIter iter;
  gpointer key, value;
  assert_equal_model (a->model, b->model);
  g_assert_cmpstr (a->input_kind, ==, b->input_kind);
  g_assert_cmpstr (a->input_name, ==, b->input_name);
  g_assert_cmpstr (a->input_path, ==, b->input_path);
  g_assert_cmpstr (a->input_hash, ==, b->input_hash);
  g_assert_cmpstr (a->backend, ==, b->backend);
  g_assert_cmpstr (a->precision, ==, b->precision);
  g_assert_cmpstr (a->created, ==, b->created);
  g_assert_cmpstr (a->hash, ==, b->hash);
  g_assert_cmpfloat (a->duration_ms, ==, b->duration_ms);
  g_assert_cmpuint (a->interventions->len, ==, b->interventions->len);
  for (guint i = 0; i < a->interventions->len; i++)
    g_assert_cmpstr (a->interventions->pdata[i], ==, b->interventions->pdata[i]);
  assert_equal_tensor (a->pixels, b->pixels);
  assert_equal_tensor (a->logits, b->logits);
  assert_equal_predictions (a->predictions, b->predictions);
  g_assert_cmpstr (a->text, ==, b->text);
  g_assert_cmpuint (a->tokens->len, ==, b->tokens->len);
  for (guint s = 0; s < a->tokens->len; s++)
    assert_equal_tokens (a->tokens->pdata[s], b->tokens->pdata[s]);
  g_assert_cmpstr (a->text, ==, b->text);
  g_assert_cmpstr (a->target_text, ==, b->target_text);
  assert_equal_tensor (a->features, b->features);
  g_assert_cmpint (a->n_real_frames, ==, b->n_real_frames);
  g_assert_cmpuint (g_hash_table_size (a->sites), ==, g_hash_table_size (b->sites));
  g_hash_table_iter_init (&iter, a->sites);
  while (g_hash_table_iter_next (&iter, &key, &value))
    assert_equal_tensor (value, hl_trace_get_site (b, key));
  g_assert_cmpuint (g_hash_table_size (a->recipes), ==, g_hash_table_size (b->recipes));
  g_hash_table_iter_init (&iter, a->recipes);
  while (g_hash_table_iter_next (&iter, &key, &value))
    {
      const HlRecipe *x = value, *y = hl_trace_get_recipe (b, key);
      g_assert_nonnull (y);
      g_assert_cmpfloat (x->rule.scale, ==, y->rule.scale);
      g_assert_cmpfloat (x->rule.soft_cap, ==, y->rule.soft_cap);
      g_assert_cmpint (x->rule.is_causal, ==, y->rule.is_causal);
      g_assert_cmpint (x->rule.window, ==, y->rule.window);
      assert_equal_tensor (x->bias, y->bias);
      g_assert_cmpint (x->is_rotary, ==, y->is_rotary);
      assert_equal_tensor (x->mask, y->mask);
      assert_equal_tensor (x->replacement, y->replacement);
    }
}
