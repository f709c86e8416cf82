/* SPDX-License-Identifier: MIT
 * For the tests: saves made-up sessions, or says what a session holds.
 *   save-session write PATH        one with every field, float32
 *   save-session half PATH         the same, maps as float16
 *   save-session text PATH         one of a text, with predictions
 *   save-session loop PATH BYTES   big ones, one after the other, until it is killed
 *   save-session show PATH         one line a trace */
#include "session-fixture.h"

#include <stdio.h>

static int
report (GError *error)
{
  if (error == NULL)
    return 0;
  fprintf (stderr, "%s\n", error->message);
  return 1;
}

static int
loop (const char *path, gsize n_bytes)
{
  for (int seed = 1;; seed++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (HlSession) session = fixture_big_session_new (n_bytes, seed);
      if (!hl_session_save (session, path, NULL, &error))
        return report (error);
    }
}

static int
show (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlSession) session = hl_session_load (path, NULL, &error);
  if (session == NULL)
    return report (error);
  for (guint i = 0; i < hl_session_get_n_traces (session); i++)
    {
      const HlTrace *trace = hl_session_get_trace (session, i);
      const HlStack *stack = hl_model_info_get_stack (trace->model, 0);
      const HlTokenTable *tokens = hl_trace_get_tokens (trace, 0);
      const HlTensor *map = hl_trace_get_site (trace, "blocks.0.attn.hook_pattern");
      printf ("%s family='%s' layers=%d heads=%d tokens=%d grid=%dx%d first='%s' "
              "role=%s A001=%.9g pixels=%d kind=%s\n",
              trace->model->name, trace->model->family, stack->n_layers,
              stack->layers[0].n_heads, tokens->n_tokens, tokens->n_rows,
              tokens->n_columns, tokens->tokens[0].text,
              hl_token_role_name (tokens->tokens[0].role), hl_tensor_f32 (map)[1],
              trace->pixels != NULL, trace->input_kind);
    }
  return 0;
}

int
main (int argc, char **argv)
{
  if (argc == 4 && g_str_equal (argv[1], "loop"))
    return loop (argv[2], (gsize) g_ascii_strtoull (argv[3], NULL, 10));
  if (argc == 3 && g_str_equal (argv[1], "show"))
    return show (argv[2]);
  if (argc != 3)
    return 2;
  g_autoptr (GError) error = NULL;
  g_autoptr (HlSession) session = g_str_equal (argv[1], "text")
                                      ? fixture_text_session_new ()
                                      : fixture_session_new (1);
  HlSessionOptions options = { .half_maps = g_str_equal (argv[1], "half") };
  hl_session_save_with_options (session, argv[2], &options, NULL, &error);
  return report (error);
}
