/* SPDX-License-Identifier: MIT
 * Pictures: decoded to 8-bit RGB, with their size checked before anything is allocated.
 */
#include "io/hl-image.h"

#include "base/hl-error.h"

#include <errno.h>
#include <gdk-pixbuf/gdk-pixbuf.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

/* Bytes given to the decoder at a time: its size check runs after the first piece. */
#define PIECE_BYTES 65536

static const guint8 png_signature[8] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n' };

/* One decoding in progress. */
typedef struct
{
  const char *name;
  int top; /* rows that have arrived: from top to bottom, from either end */
  int bottom;
  GError *refusal;
} Decoding;

static gboolean
check_size (const char *name, gint64 width, gint64 height, GError **error)
{
  if (width >= 1 && height >= 1 && width <= HL_IMAGE_MAX_SIDE &&
      height <= HL_IMAGE_MAX_SIDE && width * height <= HL_IMAGE_MAX_PIXELS)
    return TRUE;
  g_set_error (
      error, HL_ERROR, HL_ERROR_RANGE,
      "%s: a picture of 1 to %d pixels a side and at most %d megapixels expected, "
      "%" G_GINT64_FORMAT " x %" G_GINT64_FORMAT " found",
      name, HL_IMAGE_MAX_SIDE, HL_IMAGE_MAX_PIXELS / 1000000, width, height);
  return FALSE;
}

static guint32
read_be32 (const guint8 *data)
{
  return (guint32) data[0] << 24 | (guint32) data[1] << 16 | (guint32) data[2] << 8 |
         data[3];
}

static gboolean
is_png (const guint8 *data, gsize size)
{
  return size >= sizeof png_signature &&
         memcmp (data, png_signature, sizeof png_signature) == 0;
}

/* Formats that tell their size at a fixed place are asked here, because their decoders
 * answer an impossible one with words of their own, or after allocating. */
static gboolean
check_header_size (const guint8 *data, gsize size, const char *name, GError **error)
{
  if (is_png (data, size) && size >= 24)
    return check_size (name, read_be32 (data + 16), read_be32 (data + 20), error);
  if (size >= 10 && memcmp (data, "GIF8", 4) == 0)
    return check_size (name, data[6] | data[7] << 8, data[8] | data[9] << 8, error);
  if (size >= 26 && memcmp (data, "BM", 2) == 0)
    {
      gint32 width, height; /* a negative height means top row first */
      memcpy (&width, data + 18, sizeof width);
      memcpy (&height, data + 22, sizeof height);
      guint32 header = data[14] | data[15] << 8;
      if (header >= 40)
        return check_size (name, GINT32_FROM_LE (width),
                           ABS ((gint64) GINT32_FROM_LE (height)), error);
    }
  return TRUE;
}

static gboolean
is_jpeg (const guint8 *data, gsize size)
{
  return size >= 3 && memcmp (data, "\xff\xd8\xff", 3) == 0;
}

/* Walks the chunks of a PNG to the last. */
static gboolean
png_is_whole (const guint8 *data, gsize size)
{
  gsize at = sizeof png_signature;
  while (size - at >= 12)
    {
      guint64 chunk = (guint64) read_be32 (data + at) + 12;
      if (chunk > size - at)
        break;
      if (memcmp (data + at + 4, "IEND", 4) == 0)
        return TRUE;
      at += (gsize) chunk;
    }
  return FALSE;
}

/* The place of the next marker of a JPEG after coded data that starts at @at: an 0xff
 * which neither stands for itself nor restarts the coder. */
static gsize
skip_jpeg_scan (const guint8 *data, gsize size, gsize at)
{
  while (at + 1 < size)
    {
      guint8 next = data[at + 1];
      gboolean is_data = next == 0 || next == 0xff || (next >= 0xd0 && next <= 0xd7);
      if (data[at] == 0xff && !is_data)
        return at;
      at++;
    }
  return size;
}

/* Walks the segments of a JPEG to its end marker; previews inside a segment do not
 * count. */
static gboolean
jpeg_is_whole (const guint8 *data, gsize size)
{
  gsize at = 2;
  while (size - at >= 2)
    {
      guint8 marker = data[at + 1];
      if (data[at] != 0xff)
        return FALSE;
      if (marker == 0xd9)
        return TRUE;
      if (marker == 0xff) /* filling */
        {
          at++;
          continue;
        }
      if (size - at < 4)
        return FALSE;
      gsize length = 2 + ((gsize) data[at + 2] << 8 | data[at + 3]);
      if (length > size - at)
        return FALSE;
      at += length;
      if (marker == 0xda)
        at = skip_jpeg_scan (data, size, at);
    }
  return FALSE;
}

/* The decoders of these formats fill up with grey when a file ends early. */
static gboolean
check_end (const guint8 *data, gsize size, const char *name, GError **error)
{
  gboolean png = is_png (data, size), jpeg = is_jpeg (data, size);
  if ((!png || png_is_whole (data, size)) && (!jpeg || jpeg_is_whole (data, size)))
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_FORMAT,
               "%s: a whole %s picture expected, one that ends early or is damaged found "
               "(%zu bytes)",
               name, png ? "PNG" : "JPEG", size);
  return FALSE;
}

static void
size_prepared_cb (GdkPixbufLoader *loader, int width, int height, gpointer user_data)
{
  Decoding *decoding = user_data;
  /* A size of nothing is how decoders are told to stop before they allocate. */
  if (decoding->refusal == NULL &&
      !check_size (decoding->name, width, height, &decoding->refusal))
    gdk_pixbuf_loader_set_size (loader, 0, 0);
}

static void
area_updated_cb (
    GdkPixbufLoader *loader, int x, int y, int width, int height, gpointer user_data)
{
  Decoding *decoding = user_data;
  decoding->top = MIN (decoding->top, y);
  decoding->bottom = MAX (decoding->bottom, y + height);
}

/* Feeds the decoder piece by piece; FALSE with @cause when it does not like them. */
static gboolean
feed (GdkPixbufLoader *loader,
      const guint8 *data,
      gsize size,
      Decoding *decoding,
      GError **cause)
{
  for (gsize at = 0; at < size; at += PIECE_BYTES)
    {
      gboolean is_good = gdk_pixbuf_loader_write (loader, data + at,
                                                  MIN (PIECE_BYTES, size - at), cause);
      if (!is_good || decoding->refusal != NULL)
        {
          gdk_pixbuf_loader_close (loader, NULL);
          return FALSE;
        }
    }
  return gdk_pixbuf_loader_close (loader, cause) && decoding->refusal == NULL;
}

/* Drops alpha and the padding of rows. */
static HlTensor *
pixbuf_to_rgb (const GdkPixbuf *pixbuf, const char *name, GError **error)
{
  int width = gdk_pixbuf_get_width (pixbuf), height = gdk_pixbuf_get_height (pixbuf);
  int n_channels = gdk_pixbuf_get_n_channels (pixbuf);
  int row_bytes = gdk_pixbuf_get_rowstride (pixbuf);
  const guint8 *pixels = gdk_pixbuf_read_pixels (pixbuf);
  HlTensor *rgb = hl_tensor_new (HL_DTYPE_U8, HL_SHAPE (height, width, 3), error);
  if (rgb == NULL)
    {
      g_prefix_error (error, "%s: ", name);
      return NULL;
    }
  guint8 *out = rgb->data;
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++, out += 3)
      memcpy (out, pixels + (gsize) y * (gsize) row_bytes + (gsize) (x * n_channels), 3);
  return rgb;
}

HlTensor *
hl_image_load_bytes (const guint8 *data,
                     gsize size_bytes,
                     const char *name,
                     GError **error)
{
  if (size_bytes == 0)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_FORMAT,
                   "%s: a picture expected, an empty file found", name);
      return NULL;
    }
  if (!check_header_size (data, size_bytes, name, error) ||
      !check_end (data, size_bytes, name, error))
    return NULL;
  g_autoptr (GdkPixbufLoader) loader = gdk_pixbuf_loader_new ();
  Decoding decoding = { .name = name, .top = G_MAXINT };
  g_signal_connect (loader, "size-prepared", G_CALLBACK (size_prepared_cb), &decoding);
  g_signal_connect (loader, "area-updated", G_CALLBACK (area_updated_cb), &decoding);
  g_autoptr (GError) cause = NULL;
  gboolean is_good = feed (loader, data, size_bytes, &decoding, &cause);
  if (decoding.refusal != NULL)
    {
      g_propagate_error (error, decoding.refusal);
      return NULL;
    }
  GdkPixbuf *pixbuf = gdk_pixbuf_loader_get_pixbuf (loader);
  if (!is_good || pixbuf == NULL)
    {
      gboolean is_memory =
          g_error_matches (cause, GDK_PIXBUF_ERROR, GDK_PIXBUF_ERROR_INSUFFICIENT_MEMORY);
      g_set_error (error, HL_ERROR, is_memory ? HL_ERROR_MEMORY : HL_ERROR_FORMAT,
                   "%s: a picture expected, cannot be decoded: %s", name,
                   cause != NULL ? cause->message : "no picture found in it");
      return NULL;
    }
  int n_rows = decoding.bottom > 0 ? decoding.bottom - decoding.top : 0;
  if (n_rows < gdk_pixbuf_get_height (pixbuf))
    {
      g_set_error (error, HL_ERROR, HL_ERROR_FORMAT,
                   "%s: %d rows of a picture expected, %d found: it was cut short", name,
                   gdk_pixbuf_get_height (pixbuf), n_rows);
      return NULL;
    }
  return pixbuf_to_rgb (pixbuf, name, error);
}

HlTensor *
hl_image_load (const char *path, GError **error)
{
  g_autofree char *name = g_path_get_basename (path);
  GStatBuf info;
  if (g_stat (path, &info) != 0)
    {
      int code = errno;
      g_set_error (error, HL_ERROR, code == ENOENT ? HL_ERROR_MISSING : HL_ERROR_IO,
                   "%s: a picture expected, %s", path, g_strerror (code));
      return NULL;
    }
  if (!S_ISREG (info.st_mode))
    {
      g_set_error (error, HL_ERROR, HL_ERROR_IO, "%s: a picture expected, %s found", path,
                   S_ISDIR (info.st_mode) ? "a folder" : "a device or a pipe");
      return NULL;
    }
  g_autoptr (GError) cause = NULL;
  g_autoptr (GMappedFile) map = g_mapped_file_new (path, FALSE, &cause);
  if (map == NULL)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_IO, "%s: cannot be read: %s", name,
                   cause->message);
      return NULL;
    }
  return hl_image_load_bytes ((const guint8 *) g_mapped_file_get_contents (map),
                              g_mapped_file_get_length (map), name, error);
}

static gboolean
check_channels (const HlTensor *image, gboolean allow_grey, GError **error)
{
  gint64 n_channels = image->shape.n_dims == 3 ? image->shape.dim[2] : 0;
  if (image->dtype == HL_DTYPE_U8 && hl_tensor_is_contiguous (image) &&
      (n_channels == 3 || (allow_grey && n_channels == 1)))
    return TRUE;
  g_autofree char *shape = hl_shape_to_string (&image->shape);
  g_set_error (error, HL_ERROR, HL_ERROR_SHAPE,
               "picture: (height, width, %s) uint8 expected, %s %s found",
               allow_grey ? "1 or 3" : "3", shape, hl_dtype_name (image->dtype));
  return FALSE;
}

HlTensor *
hl_image_to_grey (HlTensor *rgb, GError **error)
{
  if (!check_channels (rgb, FALSE, error))
    return NULL;
  HlShape shape = HL_SHAPE (rgb->shape.dim[0], rgb->shape.dim[1], 1);
  HlTensor *grey = hl_tensor_new (HL_DTYPE_U8, shape, error);
  if (grey == NULL)
    return NULL;
  const guint8 *in = rgb->data;
  guint8 *out = grey->data;
  gint64 n = hl_shape_count (&shape);
  /* ITU-R 601 weights in 16 bits, which sum to 65536, as PIL rounds them. */
  for (gint64 i = 0; i < n; i++, in += 3)
    out[i] = (guint8) ((in[0] * 19595u + in[1] * 38470u + in[2] * 7471u + 0x8000u) >> 16);
  return grey;
}

HlTensor *
hl_image_to_rgb (HlTensor *image, GError **error)
{
  if (!check_channels (image, TRUE, error))
    return NULL;
  if (image->shape.dim[2] == 3)
    return hl_tensor_ref (image);
  HlShape shape = HL_SHAPE (image->shape.dim[0], image->shape.dim[1], 3);
  HlTensor *rgb = hl_tensor_new (HL_DTYPE_U8, shape, error);
  if (rgb == NULL)
    return NULL;
  const guint8 *in = image->data;
  guint8 *out = rgb->data;
  gint64 n = hl_tensor_count (image);
  for (gint64 i = 0; i < n; i++, out += 3)
    out[0] = out[1] = out[2] = in[i];
  return rgb;
}
