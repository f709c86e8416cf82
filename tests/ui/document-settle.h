/* SPDX-License-Identifier: MIT
 * Waiting for a document's jobs in a test. */
#pragma once

#include "document/hl-document.h"

#define PATIENCE_MS 30000

/* Runs the main loop until @document is done and everybody was told. */
static inline void
document_settle (HlDocument *document)
{
  gint64 end = g_get_monotonic_time () + PATIENCE_MS * 1000;
  double fraction;
  while (hl_document_is_busy (document) ||
         hl_document_get_analysis (document, &fraction) != NULL)
    {
      if (!g_main_context_iteration (NULL, FALSE))
        g_usleep (500);
      g_assert_cmpint (g_get_monotonic_time (), <, end);
    }
  while (g_main_context_iteration (NULL, FALSE))
    ;
}
