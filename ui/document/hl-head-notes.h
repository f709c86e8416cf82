/* SPDX-License-Identifier: MIT
 * What a person wrote of single heads: tags and a note each. As a session keeps it: JSON
 * text, {"5.1": {"tags": ["induction"], "note": "follows names"}}; "2:5.1" of
 * the third stack. Thread: one at a time.
 */
#pragma once

#include "trace/hl-attention-source.h"

G_BEGIN_DECLS

/** HL_NOTE_MAX: characters of a note, and of all tags of a head; more are cut. */
#define HL_NOTE_MAX 10000

/** HlHeadNote: @tags: (NULL-terminated), without "#"; @text: "" for none. */
typedef struct
{
  char **tags;
  char *text;
} HlHeadNote;

typedef struct _HlHeadNotes HlHeadNotes;

HlHeadNotes *hl_head_notes_new (void);
void hl_head_notes_free (HlHeadNotes *notes);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlHeadNotes, hl_head_notes_free)

/** hl_head_notes_get: (transfer none) (nullable): NULL for a head of which nothing is
 * written. */
const HlHeadNote *hl_head_notes_get (const HlHeadNotes *notes, HlHeadKey head);

/**
 * hl_head_notes_set:
 * @tags: words separated by commas or blanks, with or without "#"; each is kept once
 * @text: the note; blanks around it are left out
 * Returns: whether anything changed
 */
gboolean hl_head_notes_set (HlHeadNotes *notes,
                            HlHeadKey head,
                            const char *tags,
                            const char *text);

gboolean hl_head_notes_is_empty (const HlHeadNotes *notes);

/** hl_head_notes_list_tags: (transfer full) (element-type char *): every tag there is, by
 * the alphabet. */
GPtrArray *hl_head_notes_list_tags (const HlHeadNotes *notes);

/** hl_head_note_join: (transfer full): "#induction #names"; "" for none. @note (nullable)
 */
char *hl_head_note_join (const HlHeadNote *note);

/** hl_head_notes_to_json: (transfer full) */
char *hl_head_notes_to_json (const HlHeadNotes *notes);

/** hl_head_notes_take_json: in place of what there was; what is not as it should be is
 * left out. */
void hl_head_notes_take_json (HlHeadNotes *notes, const char *text);

G_END_DECLS
