/* SPDX-License-Identifier: MIT
 * What the files of this room share about a session: its fields, and the words of the
 * layout. */
#pragma once

#include "session/hl-h5.h"
#include "session/hl-session.h"

/* The number that a thing had in the file it was loaded from, so that what the file held
 * beside it is found again in the stash; -1 for what was made since. */
typedef struct
{
  HlModelInfo *info;
  int origin;
} HlSessionModel;

/* precision: (nullable): site name -> HlDtype as pointer, where it is not float32 */
typedef struct
{
  HlTrace *trace;
  int origin;
  GHashTable *precision;
} HlSessionTrace;

typedef struct
{
  HlSessionResult *result;
  int origin;
} HlSessionEntry;

/* stash: (nullable): image of an HDF5 file with all that the loaded file held beside the
 * layout, under its own paths */
struct _HlSession
{
  gatomicrefcount refs;
  char *path;
  char *notes;
  char *created;
  GPtrArray *models;
  GPtrArray *traces;
  GPtrArray *results;
  GHashTable *view;
  GBytes *stash;
};

extern const char *const hl_session_root_links[];
extern const char *const hl_session_root_attrs[];
extern const char *const hl_session_kind_names[3];

void hl_session_append_model (HlSession *session, HlModelInfo *info, int origin);
void hl_session_append_trace (HlSession *session,
                              HlTrace *trace,
                              int origin,
                              GHashTable *precision);
void hl_session_append_result (HlSession *session, HlSessionResult *result, int origin);

/** hl_session_find_model: index of @info, or of one with the same identity; -1. */
int hl_session_find_model (const HlSession *session, const HlModelInfo *info);

/** hl_session_read_models: fills session->models from /models; an absent group is fine.
 */
gboolean hl_session_read_models (HlH5Reader *reader, HlSession *session, GError **error);

/** hl_session_read_traces: fills session->traces from /traces. */
gboolean hl_session_read_traces (HlH5Reader *reader, HlSession *session, GError **error);

/** hl_session_read_tokens: (transfer full): the table in the group @tokens. */
HlTokenTable *hl_session_read_tokens (HlH5Reader *reader, hid_t tokens, GError **error);

/**
 * hl_session_derive_model:
 * @sites: site name -> HlTensor *, of a foreign trace
 * Returns: (transfer full): one unnamed stack with as many layers as there are maps; NULL
 *   with @error naming the layer that is missing or the map of the wrong shape
 */
HlModelInfo *hl_session_derive_model (const char *sites_path,
                                      GHashTable *sites,
                                      const char *name,
                                      GError **error);

/** hl_session_check_maps: shapes of the maps against the tokens and the model. */
gboolean
hl_session_check_maps (const char *sites_path, const HlTrace *trace, GError **error);

/** hl_session_write_model: fills the empty group @group. */
gboolean hl_session_write_model (hid_t group, const HlModelInfo *info, GError **error);

/** hl_session_write_tokens: fills the empty group @group. */
gboolean hl_session_write_tokens (hid_t group,
                                  const HlTokenTable *table,
                                  HlH5Axes *axes,
                                  GError **error);

/** hl_session_write_predictions: makes the group of a trace's predictions; none is fine.
 */
gboolean hl_session_write_predictions (hid_t group,
                                       HlPredictions *predictions,
                                       HlH5Axes *axes,
                                       GError **error);

/** hl_session_read_predictions: into a trace whose tokens are there; none is fine. */
gboolean hl_session_read_predictions (HlH5Reader *reader,
                                      hid_t group,
                                      HlTrace *trace,
                                      GError **error);

/** hl_session_write_trace: fills the empty group @group. */
gboolean hl_session_write_trace (hid_t group,
                                 const HlSession *session,
                                 const HlSessionTrace *entry,
                                 const HlSessionOptions *options,
                                 const HlProgress *progress,
                                 GError **error);
