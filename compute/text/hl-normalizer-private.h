/* SPDX-License-Identifier: MIT
 * Steps of a normalizer: what reading and running share. Private to hl-normalizer*.c. */
#pragma once

#include "text/hl-charsmap.h"
#include "text/hl-normalizer.h"
#include "text/hl-regex.h"

G_BEGIN_DECLS

typedef struct _HlNormalizerStep HlNormalizerStep;

/** HlNormalizerRun: writes bytes [start, end) of the old text. @scan: of the step's
 * pattern; NULL where it has none. FALSE with @error (RANGE). */
typedef gboolean (*HlNormalizerRun) (const HlNormalizerStep *step,
                                     HlRewrite *rewrite,
                                     HlRegexScan *scan,
                                     gsize start,
                                     gsize end,
                                     GError **error);

/** HL_CHAR_GONE: what a map of characters gives for one that is left out. */
#define HL_CHAR_GONE G_MAXUINT32

struct _HlNormalizerStep
{
  HlNormalizerRun run;
  char *text; /* prepended, or put instead */
  HlRegex *pattern;
  HlCharsmap *charsmap;
  HlUnicodeForm form;
  gunichar (*map) (gunichar c);
  gboolean strips_left;
  gboolean strips_right;
};

/** HlNormalizerRead: adds the steps of one entry of the file; a row of the table in
 * hl-normalizer.c. */
typedef gboolean (*HlNormalizerRead) (GPtrArray *steps,
                                      const json_t *json,
                                      const char *type,
                                      const char *where,
                                      GError **error);

/** hl_normalizer_add: (transfer none): a new step at the end. */
HlNormalizerStep *hl_normalizer_add (GPtrArray *steps, HlNormalizerRun run);

/** hl_normalizer_add_map: a step that puts @map of each character instead of it. */
void hl_normalizer_add_map (GPtrArray *steps, gunichar (*map) (gunichar c));
void hl_normalizer_add_form (GPtrArray *steps, HlUnicodeForm form);
void hl_normalizer_add_lowercase (GPtrArray *steps);

gboolean hl_normalizer_read_bert (GPtrArray *steps,
                                  const json_t *json,
                                  const char *type,
                                  const char *where,
                                  GError **error);
gboolean hl_normalizer_read_charsmap (GPtrArray *steps,
                                      const json_t *json,
                                      const char *type,
                                      const char *where,
                                      GError **error);
gboolean hl_normalizer_read_form (GPtrArray *steps,
                                  const json_t *json,
                                  const char *type,
                                  const char *where,
                                  GError **error);
gboolean hl_normalizer_read_lowercase (GPtrArray *steps,
                                       const json_t *json,
                                       const char *type,
                                       const char *where,
                                       GError **error);
gboolean hl_normalizer_read_nmt (GPtrArray *steps,
                                 const json_t *json,
                                 const char *type,
                                 const char *where,
                                 GError **error);
gboolean hl_normalizer_read_prepend (GPtrArray *steps,
                                     const json_t *json,
                                     const char *type,
                                     const char *where,
                                     GError **error);
gboolean hl_normalizer_read_replace (GPtrArray *steps,
                                     const json_t *json,
                                     const char *type,
                                     const char *where,
                                     GError **error);
gboolean hl_normalizer_read_strip (GPtrArray *steps,
                                   const json_t *json,
                                   const char *type,
                                   const char *where,
                                   GError **error);
gboolean hl_normalizer_read_strip_accents (GPtrArray *steps,
                                           const json_t *json,
                                           const char *type,
                                           const char *where,
                                           GError **error);

G_END_DECLS
