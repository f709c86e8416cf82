/* SPDX-License-Identifier: MIT
 * A thin layer over HDF5 for the session: exact types only, links that stay in the file,
 * sizes checked against the file before anything is allocated, errors as GError.
 * Private to this room. io thread. */
#pragma once

#include "base/hl-error.h"
#include "base/hl-progress.h"
#include "tensor/hl-tensor.h"

#include <hdf5.h>

/** HL_H5_AUTO: an identifier of any kind that is given back at the end of its scope. */
#define HL_H5_AUTO __attribute__ ((cleanup (hl_h5_close)))

static inline void
hl_h5_close (hid_t *id)
{
  if (*id >= 0)
    H5Idec_ref (*id);
}

/**
 * HlH5Reader: a file that is being read.
 * @size_bytes: of the file; no array may claim to be larger than it could hold
 * @stash: an in-memory file with what is not in the layout; -1 until it is needed
 * @n_links: seen so far by the check
 */
typedef struct
{
  const char *path;
  hid_t file;
  guint64 size_bytes;
  hid_t stash;
  guint64 n_links;
  const HlProgress *progress;
} HlH5Reader;

/** hl_h5_quiet: stops this thread's HDF5 from printing its errors. */
void hl_h5_quiet (void);

/** hl_h5_fail: sets @error to the message and HDF5's own innermost words, where it has
 * any. Returns: FALSE */
gboolean hl_h5_fail (GError **error, HlErrorCode code, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

/** hl_h5_path: (transfer full): "/traces/0/sites" of an open object. */
char *hl_h5_path (hid_t object);

/** hl_h5_list: (transfer full): names of the links of @group, sorted; or of the
 * attributes of an object. NULL with @error */
GPtrArray *hl_h5_list_links (hid_t group, GError **error);
GPtrArray *hl_h5_list_attrs (hid_t object, GError **error);

/** hl_h5_list_numbered: (transfer full): the names that are plain numbers, as int,
 * ascending. */
GArray *hl_h5_list_numbered (hid_t group, GError **error);

/** hl_h5_is_number: "0", "17"; not "01", not more than six digits. */
gboolean hl_h5_is_number (const char *name);

/** hl_h5_has: a link of that name, of whatever kind. */
gboolean hl_h5_has (hid_t group, const char *name);

/**
 * hl_h5_open_group, hl_h5_open_dataset:
 * @name: one step, no "/"; soft and external links are refused
 * @is_required: an absent object is an error; else it gives -1 and no error
 */
hid_t
hl_h5_open_group (hid_t parent, const char *name, gboolean is_required, GError **error);
hid_t
hl_h5_open_dataset (hid_t parent, const char *name, gboolean is_required, GError **error);

/** hl_h5_create_group: -1 with @error; HL_ERROR_RANGE for a name with "/" or without
 * letters. */
hid_t hl_h5_create_group (hid_t parent, const char *name, GError **error);

/* Types. What H5Tequal does not find among these is not read. */

/** hl_h5_type_new: the file and memory type of a dtype; give back. */
hid_t hl_h5_type_new (HlDtype dtype);
/** hl_h5_string_type_new: UTF-8 of variable length; give back. */
hid_t hl_h5_string_type_new (void);
/** hl_h5_type_dtype: HL_DTYPE_INVALID for any other type, big-endian ones among them. */
HlDtype hl_h5_type_dtype (hid_t type);
/** hl_h5_type_describe: (transfer full): "big-endian 4-byte float", "compound". */
char *hl_h5_type_describe (hid_t type);

/* Attributes. A reader leaves @out alone where there is no such attribute; FALSE with
 * @error where it has another type. Strings are made valid UTF-8. */

gboolean hl_h5_read_attr_string (hid_t object, const char *name, char **out, GError **);
gboolean hl_h5_read_attr_int (hid_t object, const char *name, gint64 *out, GError **);
gboolean hl_h5_read_attr_double (hid_t object, const char *name, double *out, GError **);
gboolean hl_h5_read_attr_strv (hid_t object, const char *name, char ***out, GError **);
gboolean
hl_h5_write_attr_string (hid_t object, const char *name, const char *, GError **);
gboolean hl_h5_write_attr_int (hid_t object, const char *name, gint64 value, GError **);
gboolean hl_h5_write_attr_int32 (hid_t object, const char *name, gint32 value, GError **);
gboolean
hl_h5_write_attr_double (hid_t object, const char *name, double value, GError **);
gboolean hl_h5_write_attr_strv (hid_t object,
                                const char *name,
                                const char *const *values,
                                gsize n_values,
                                GError **error);

/* Arrays */

/** hl_h5_check_dataset: layout, storage, filters and size against the file's; FALSE with
 * @error. */
gboolean hl_h5_check_dataset (HlH5Reader *reader, hid_t dataset, GError **error);

/**
 * hl_h5_read_tensor:
 * @want: HL_DTYPE_F32 or F64 to convert after reading; HL_DTYPE_INVALID for as it lies
 * @stored: (nullable) (out): the type in the file
 * Returns: (transfer full): NULL with @error; absent and not required: NULL without
 */
HlTensor *hl_h5_read_tensor (HlH5Reader *reader,
                             hid_t parent,
                             const char *name,
                             HlDtype want,
                             gboolean is_required,
                             HlDtype *stored,
                             GError **error);

/** hl_h5_read_ints: (transfer full): one int32 or int64 or uint8 per entry, exactly
 * @n; NULL as above, without @error where it is absent. */
gint64 *hl_h5_read_ints (HlH5Reader *reader,
                         hid_t parent,
                         const char *name,
                         gsize n,
                         gboolean is_required,
                         GError **error);

/** hl_h5_read_strings: (transfer full): a list of strings or one; *@n_out its length. */
char **hl_h5_read_strings (HlH5Reader *reader,
                           hid_t parent,
                           const char *name,
                           gboolean is_required,
                           gsize *n_out,
                           GError **error);

/** HlH5Axes: the dimension scales of one group, made when they are first used. */
typedef struct
{
  hid_t group;
  GHashTable *sizes; /* axis name -> gint64 *, of the scale that has the bare name */
} HlH5Axes;

void hl_h5_axes_init (HlH5Axes *axes, hid_t group);
void hl_h5_axes_clear (HlH5Axes *axes);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (HlH5Axes, hl_h5_axes_clear)

/**
 * hl_h5_write_tensor:
 * @dtype: F16, F32 for float tensors; HL_DTYPE_INVALID for the tensor's own
 * @axes: (nullable): with @axis_names, one name per dimension
 * @unit: (nullable)
 */
gboolean hl_h5_write_tensor (hid_t parent,
                             const char *name,
                             HlTensor *tensor,
                             HlDtype dtype,
                             HlH5Axes *axes,
                             const char *const *axis_names,
                             const char *unit,
                             GError **error);

/** hl_h5_write_array: @data contiguous in @dtype, one dimension. */
gboolean hl_h5_write_array (hid_t parent,
                            const char *name,
                            HlDtype dtype,
                            gsize n,
                            gconstpointer data,
                            HlH5Axes *axes,
                            const char *axis_name,
                            GError **error);

/** hl_h5_write_strings: @n strings; a scalar where @is_scalar. */
gboolean hl_h5_write_strings (hid_t parent,
                              const char *name,
                              const char *const *strings,
                              gsize n,
                              gboolean is_scalar,
                              HlH5Axes *axes,
                              const char *axis_name,
                              GError **error);

/* The check and the stash */

/** hl_h5_scan: walks every object of the file and refuses what is not wanted in a
 * session. Returns: FALSE with @error (HL_ERROR_UNSUPPORTED, HL_ERROR_FORMAT) */
gboolean hl_h5_scan (HlH5Reader *reader, GError **error);

/**
 * hl_h5_stash_unknown:
 * @links, @attrs: NULL-terminated names that belong to the layout
 * @is_numbered: links that are numbers belong to the layout too
 * Copies every other link and attribute of @group to the same path in the stash.
 */
gboolean hl_h5_stash_unknown (HlH5Reader *reader,
                              hid_t group,
                              const char *const *links,
                              const char *const *attrs,
                              gboolean is_numbered,
                              GError **error);

/** hl_h5_stash_take: (transfer full) (nullable): closes the stash and gives its image;
 * NULL without @error where nothing was stashed. */
GBytes *hl_h5_stash_take (HlH5Reader *reader, GError **error);

/** hl_h5_stash_open: -1 with @error; the file of an image. */
hid_t hl_h5_stash_open (GBytes *image, GError **error);

/** hl_h5_stash_merge: copies into @group what @stash holds at @path, beside what is
 * there, but not the links in @skip (nullable) nor, with @is_numbered, the numbered ones.
 * An absent @path and a @stash of -1 are fine. */
gboolean hl_h5_stash_merge (hid_t stash,
                            const char *path,
                            hid_t group,
                            const char *const *skip,
                            gboolean is_numbered,
                            GError **error);
