/* SPDX-License-Identifier: MIT
 * Identities by SHA-256. */
#include "base/hl-hash.h"

#include <string.h>

char *
hl_hash_strings (const char *first, ...)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  va_list args;
  va_start (args, first);
  for (const char *s = first; s != NULL; s = va_arg (args, const char *))
    {
      guint64 size = GUINT64_TO_LE ((guint64) strlen (s));
      g_checksum_update (sum, (const guchar *) &size, sizeof size);
      g_checksum_update (sum, (const guchar *) s, (gssize) strlen (s));
    }
  va_end (args);
  return g_strdup (g_checksum_get_string (sum));
}

char *
hl_hash_bytes (gconstpointer data, gsize size_bytes)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  const guchar *at = data;
  /* g_checksum_update takes a signed size: feed large blocks in pieces. */
  while (size_bytes > 0)
    {
      gsize piece = MIN (size_bytes, (gsize) 1 << 30);
      g_checksum_update (sum, at, (gssize) piece);
      at += piece;
      size_bytes -= piece;
    }
  return g_strdup (g_checksum_get_string (sum));
}
