/* SPDX-License-Identifier: MIT
 * What computes: which there are, and which is chosen. */
#include "config.h"

#include "document/hl-document-private.h"

#include <glib/gi18n.h>

static void
list_free (gpointer list)
{
  g_ptr_array_unref (list);
}

static gpointer
list_job (gpointer data, HlBackend *backend, const HlProgress *progress, GError **error)
{
  return hl_backend_list ();
}

/* Foreground: somebody has opened the menu. A device is opened for a moment, on the
 * thread that owns devices. */
void
hl_document_list_backends (HlDocument *self,
                           GAsyncReadyCallback callback,
                           gpointer user_data)
{
  hl_engine_submit (self->engine, HL_JOB_FOREGROUND, list_job, NULL, NULL, list_free,
                    NULL, NULL, NULL, callback, user_data);
}

GPtrArray *
hl_document_list_backends_finish (GObject *source, GAsyncResult *result)
{
  return hl_engine_finish (HL_ENGINE (source), result, NULL);
}

void
hl_document_set_backend (HlDocument *self, const char *id, const char *precision)
{
  const HlBackendChoice choice = { id, precision, TRUE };
  gboolean runs = self->trace != NULL && self->model != NULL && self->input != NULL;
  hl_engine_set_backend (self->engine, &choice);
  if (runs && hl_document_can_run (self))
    hl_document_run (self);
}
