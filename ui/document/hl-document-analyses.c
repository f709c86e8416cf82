/* SPDX-License-Identifier: MIT
 * What the analyses of a document share: they are counted, told and ended alike, and what
 * they found goes into the session. */
#include "config.h"

#include "document/hl-document-private.h"
#include "io/hl-json.h"

#include <math.h>
#include <string.h>

void
hl_document_begin_analysis (HlDocument *self, const char *what)
{
  self->analyses.n_jobs++;
  self->analyses.fraction = 0;
  self->analyses.began_us = 0;
  g_free (self->analyses.what);
  self->analyses.what = g_strdup (what);
  hl_document_emit (self, HL_DOCUMENT_BUSY);
}

/* After some seconds and some of the work, or it would jump about. */
double
hl_document_get_remaining_s (HlDocument *self)
{
  const HlDocumentScores *a = &self->analyses;
  double passed_s = (double) (g_get_monotonic_time () - a->began_us) / G_USEC_PER_SEC;
  double done = a->fraction - a->began_fraction;
  if (a->n_jobs == 0 || a->began_us == 0 || passed_s < 3 || done < 0.02 ||
      a->fraction > 1)
    return NAN;
  return passed_s * (1 - a->fraction) / done;
}

void
hl_document_step_analysis (HlDocument *self, double fraction, char *what)
{
  HlDocumentScores *a = &self->analyses;
  /* Work that goes on begins where it was; another part of it begins anew. */
  if (a->began_us == 0 || fraction < a->fraction)
    {
      a->began_us = g_get_monotonic_time ();
      a->began_fraction = fraction;
    }
  a->fraction = fraction;
  if (what != NULL)
    {
      g_free (self->analyses.what);
      self->analyses.what = what;
    }
  hl_document_emit (self, HL_DOCUMENT_BUSY);
}

gpointer
hl_document_end_analysis (HlDocument *self,
                          GAsyncResult *result,
                          gboolean is_wanted,
                          GDestroyNotify result_free,
                          const char *failure)
{
  g_autoptr (GError) error = NULL;
  gpointer value = hl_engine_finish (self->engine, result, &error);
  self->analyses.n_jobs--;
  if (!is_wanted && value != NULL)
    g_clear_pointer (&value, result_free);
  else if (is_wanted && value == NULL)
    hl_document_fail (self, failure, error);
  return value;
}

void
hl_document_keep_result (HlDocument *self, HlSessionResult *made, const char *mark)
{
  g_autoptr (HlSessionResult) result = made;
  for (guint i = hl_session_get_n_results (self->session); i > 0; i--)
    {
      const HlSessionResult *old = hl_session_get_result (self->session, i - 1);
      if (g_str_equal (old->id, made->id) &&
          (mark == NULL || strstr (old->params_json, mark) != NULL))
        hl_session_remove_result (self->session, i - 1);
    }
  hl_session_add_result (self->session, result);
  hl_document_touch (self);
}
