/* SPDX-License-Identifier: MIT
 * Plays a part of a recording. */
#include "config.h"

#include "window/hl-sound.h"

#include <glib/gi18n.h>
#include <math.h>

/* How often it is looked where the sound is. */
#define TICK_MS 40

struct _HlSound
{
  GObject parent_instance;
  GtkMediaStream *stream;
  char *path;
  double from_s;
  double to_s;
  guint tick;
};

G_DEFINE_FINAL_TYPE (HlSound, hl_sound, G_TYPE_OBJECT)

static void
end (HlSound *self)
{
  g_clear_handle_id (&self->tick, g_source_remove);
  if (self->stream != NULL)
    gtk_media_stream_pause (self->stream);
  g_signal_emit_by_name (self, "moved", NAN);
}

void
hl_sound_stop (HlSound *self)
{
  g_return_if_fail (HL_IS_SOUND (self));
  if (self->tick != 0)
    end (self);
}

static void
fail (HlSound *self, const char *message)
{
  hl_sound_stop (self);
  g_signal_emit_by_name (self, "failed", message);
}

static gboolean
tick_cb (gpointer user_data)
{
  HlSound *self = user_data;
  double at_s = (double) gtk_media_stream_get_timestamp (self->stream) / G_USEC_PER_SEC;
  if (gtk_media_stream_get_ended (self->stream) || at_s >= self->to_s)
    {
      self->tick = 0;
      end (self);
      return G_SOURCE_REMOVE;
    }
  /* Before it has gone there it is where it was. */
  g_signal_emit_by_name (self, "moved", fmax (at_s, self->from_s));
  return G_SOURCE_CONTINUE;
}

/* What was asked for before the file was known. */
static void
prepared_cb (HlSound *self)
{
  if (!gtk_media_stream_is_prepared (self->stream) || self->tick == 0)
    return;
  gtk_media_stream_seek (self->stream, (gint64) (self->from_s * G_USEC_PER_SEC));
  gtk_media_stream_play (self->stream);
}

static void
error_cb (HlSound *self)
{
  const GError *error = gtk_media_stream_get_error (self->stream);
  if (error != NULL)
    fail (self, error->message);
}

static void
open_file (HlSound *self, const char *path)
{
  g_clear_object (&self->stream);
  g_free (self->path);
  self->path = g_strdup (path);
  self->stream = gtk_media_file_new_for_filename (path);
  g_signal_connect_object (self->stream, "notify::prepared", G_CALLBACK (prepared_cb),
                           self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->stream, "notify::error", G_CALLBACK (error_cb), self,
                           G_CONNECT_SWAPPED);
}

void
hl_sound_play (HlSound *self, const char *path, double from_s, double to_s)
{
  g_return_if_fail (HL_IS_SOUND (self));
  gboolean is_new = self->stream == NULL || g_strcmp0 (path, self->path) != 0 ||
                    gtk_media_stream_get_error (self->stream) != NULL;
  hl_sound_stop (self);
  if (!g_file_test (path, G_FILE_TEST_IS_REGULAR))
    {
      g_autofree char *message = g_strdup_printf (_ ("%s is not there any more"), path);
      fail (self, message);
      return;
    }
  self->from_s = from_s;
  self->to_s = to_s;
  if (is_new)
    open_file (self, path);
  if (gtk_media_stream_get_error (self->stream) != NULL)
    {
      error_cb (self);
      return;
    }
  self->tick = g_timeout_add (TICK_MS, tick_cb, self);
  prepared_cb (self);
}

static void
hl_sound_dispose (GObject *object)
{
  HlSound *self = HL_SOUND (object);
  g_clear_handle_id (&self->tick, g_source_remove);
  if (self->stream != NULL)
    gtk_media_stream_pause (self->stream);
  g_clear_object (&self->stream);
  g_clear_pointer (&self->path, g_free);
  G_OBJECT_CLASS (hl_sound_parent_class)->dispose (object);
}

static void
hl_sound_class_init (HlSoundClass *klass)
{
  GType type = G_TYPE_FROM_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = hl_sound_dispose;
  g_signal_new ("moved", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1,
                G_TYPE_DOUBLE);
  g_signal_new ("failed", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1,
                G_TYPE_STRING);
}

static void
hl_sound_init (HlSound *self)
{
}

HlSound *
hl_sound_new (void)
{
  return g_object_new (HL_TYPE_SOUND, NULL);
}
