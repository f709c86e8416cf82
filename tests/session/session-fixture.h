/* SPDX-License-Identifier: MIT
 * A small session made up for the tests, and a folder to put files in. */
#pragma once

#include "session/hl-session.h"

#define FIXTURE_LAYERS 2
#define FIXTURE_HEADS 3
#define FIXTURE_TOKENS 5

/** fixture_folder_new: (transfer full): an empty folder in the temporary one. */
char *fixture_folder_new (void);

/** fixture_folder_free: removes the folder and the files in it. */
void fixture_folder_free (char *folder);

/** fixture_session_new: (transfer full): one trace with every field filled, two results,
 * notes and view. @seed makes the numbers and the notes differ. */
HlSession *fixture_session_new (int seed);

#define FIXTURE_TEXT_TOKENS 5

/** fixture_text_session_new: (transfer full): one trace of a text: "aé" and a token that
 * was generated, with predictions; layer 0's map is stored, layer 1's recomputed from
 * queries and keys after rotation. */
HlSession *fixture_text_session_new (void);

/** fixture_big_session_new: (transfer full): one trace of @n_bytes of maps. */
HlSession *fixture_big_session_new (gsize n_bytes, int seed);

/** fixture_assert_equal_trace: every field. */
void fixture_assert_equal_trace (const HlTrace *a, const HlTrace *b);
