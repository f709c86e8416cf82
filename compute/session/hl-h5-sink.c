/* SPDX-License-Identifier: MIT
 * Where a session is written: an HDF5 file driver that never fails. */
#include "session/hl-h5-sink.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* A write that did not reach the file. */
typedef struct
{
  haddr_t address;
  gsize size;
  guint8 bytes[];
} Patch;

/* The driver's view of the file; pub must come first. */
typedef struct
{
  H5FD_t pub;
  HlH5Sink *sink;
  haddr_t eoa; /* end of what HDF5 has allotted */
  haddr_t eof; /* end of what it has written */
} SinkFile;

void
hl_h5_sink_init (HlH5Sink *sink, int fd)
{
  sink->fd = fd;
  sink->error = 0;
  sink->patches = g_ptr_array_new_with_free_func (g_free);
  sink->driver = H5I_INVALID_HID;
}

void
hl_h5_sink_clear (HlH5Sink *sink)
{
  g_clear_pointer (&sink->patches, g_ptr_array_unref);
  /* Not sooner: closing a file reads its driver's class after the last reference. */
  if (sink->driver >= 0)
    H5FDunregister (sink->driver);
  sink->driver = H5I_INVALID_HID;
}

static H5FD_t *
sink_open (const char *name, unsigned flags, hid_t fapl, haddr_t maxaddr)
{
  HlH5Sink *const *info = H5Pget_driver_info (fapl);
  if (info == NULL)
    return NULL;
  SinkFile *file = g_new0 (SinkFile, 1);
  file->sink = *info;
  return &file->pub;
}

static herr_t
sink_close (H5FD_t *pub)
{
  g_free (pub);
  return 0;
}

static herr_t
sink_query (const H5FD_t *pub, unsigned long *flags)
{
  *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA |
           H5FD_FEAT_DATA_SIEVE | H5FD_FEAT_AGGREGATE_SMALLDATA |
           H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
  return 0;
}

static haddr_t
sink_get_eoa (const H5FD_t *pub, H5FD_mem_t type)
{
  return ((const SinkFile *) pub)->eoa;
}

static herr_t
sink_set_eoa (H5FD_t *pub, H5FD_mem_t type, haddr_t address)
{
  ((SinkFile *) pub)->eoa = address;
  return 0;
}

static haddr_t
sink_get_eof (const H5FD_t *pub, H5FD_mem_t type)
{
  return ((const SinkFile *) pub)->eof;
}

static void
apply_patch (const Patch *patch, haddr_t address, gsize size, guint8 *out)
{
  haddr_t from = MAX (patch->address, address);
  haddr_t to = MIN (patch->address + patch->size, address + size);
  if (from < to)
    memcpy (out + (from - address), patch->bytes + (from - patch->address), to - from);
}

static herr_t
sink_read (
    H5FD_t *pub, H5FD_mem_t type, hid_t dxpl, haddr_t address, size_t size, void *buffer)
{
  const HlH5Sink *sink = ((SinkFile *) pub)->sink;
  guint8 *out = buffer;
  gsize n_read = 0;
  while (n_read < size)
    {
      ssize_t n =
          pread (sink->fd, out + n_read, size - n_read, (off_t) (address + n_read));
      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        break;
      n_read += (gsize) n;
    }
  /* What was never written reads as zeros, as in any file with holes. */
  memset (out + n_read, 0, size - n_read);
  for (guint i = 0; i < sink->patches->len; i++)
    apply_patch (g_ptr_array_index (sink->patches, i), address, size, out);
  return 0;
}

static herr_t
sink_write (H5FD_t *pub,
            H5FD_mem_t type,
            hid_t dxpl,
            haddr_t address,
            size_t size,
            const void *buffer)
{
  SinkFile *file = (SinkFile *) pub;
  HlH5Sink *sink = file->sink;
  const guint8 *bytes = buffer;
  gsize n_written = 0;
  file->eof = MAX (file->eof, address + size);
  while (n_written < size && sink->error == 0)
    {
      ssize_t n = pwrite (sink->fd, bytes + n_written, size - n_written,
                          (off_t) (address + n_written));
      if (n >= 0)
        n_written += (gsize) n;
      else if (errno != EINTR)
        sink->error = errno;
    }
  /* The file is lost. Its numbers are not read again; its structure may be. */
  if (n_written < size && type != H5FD_MEM_DRAW)
    {
      Patch *patch = g_malloc (sizeof *patch + size);
      patch->address = address;
      patch->size = size;
      memcpy (patch->bytes, bytes, size);
      g_ptr_array_add (sink->patches, patch);
    }
  return 0;
}

static herr_t
sink_truncate (H5FD_t *pub, hid_t dxpl, hbool_t closing)
{
  SinkFile *file = (SinkFile *) pub;
  if (file->sink->error == 0 && ftruncate (file->sink->fd, (off_t) file->eoa) != 0)
    file->sink->error = errno;
  file->eof = file->eoa;
  return 0;
}

static const H5FD_class_t sink_class = {
#ifdef H5FD_CLASS_VERSION
  .version = H5FD_CLASS_VERSION,
  .value = H5_VFD_RESERVED + 77,
#endif
  .name = "headlight-sink",
  .maxaddr = G_MAXINT64,
  .fc_degree = H5F_CLOSE_STRONG,
  .fapl_size = sizeof (HlH5Sink *),
  .open = sink_open,
  .close = sink_close,
  .query = sink_query,
  .get_eoa = sink_get_eoa,
  .set_eoa = sink_set_eoa,
  .get_eof = sink_get_eof,
  .read = sink_read,
  .write = sink_write,
  .truncate = sink_truncate,
  .fl_map = H5FD_FLMAP_DICHOTOMY,
};

hid_t
hl_h5_sink_create_file (HlH5Sink *sink)
{
  hid_t file = H5I_INVALID_HID;
  hid_t access = H5Pcreate (H5P_FILE_ACCESS);
  sink->driver = H5FDregister (&sink_class);
  H5Pset_libver_bounds (access, H5F_LIBVER_V18, H5F_LIBVER_V18);
  H5Pset_fclose_degree (access, H5F_CLOSE_STRONG);
  if (sink->driver >= 0 && H5Pset_driver (access, sink->driver, &sink) >= 0)
    file = H5Fcreate ("headlight-sink", H5F_ACC_TRUNC, H5P_DEFAULT, access);
  H5Pclose (access);
  return file;
}
