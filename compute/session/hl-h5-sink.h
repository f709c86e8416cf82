/* SPDX-License-Identifier: MIT
 * Where a session is written: an HDF5 file driver that never fails. Release 1.10 crashes,
 * then or at the program's exit, when a write fails below it; this one remembers the
 * system's error and takes what follows into memory, until the caller gives up. */
#pragma once

#include <glib.h>
#include <hdf5.h>

/**
 * HlH5Sink:
 * @fd: open for reading and writing; stays the caller's
 * @error: errno of the first write that failed; 0 while all is well
 * @patches: metadata that could not be written, so that it can still be read back
 * @driver: registered for this sink alone
 */
typedef struct
{
  int fd;
  int error;
  GPtrArray *patches;
  hid_t driver;
} HlH5Sink;

void hl_h5_sink_init (HlH5Sink *sink, int fd);
/** hl_h5_sink_clear: only after its file was closed. */
void hl_h5_sink_clear (HlH5Sink *sink);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (HlH5Sink, hl_h5_sink_clear)

/** hl_h5_sink_create_file: an empty HDF5 file in @sink, which must outlive it; -1 with
 * HDF5's error stack. */
hid_t hl_h5_sink_create_file (HlH5Sink *sink);
