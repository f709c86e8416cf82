/* SPDX-License-Identifier: MIT
 * The session: one HDF5 document with traces, results, notes and the state of the window.
 *
 * Layout of the file, schema 1. Every number lies in the file in the type that is named
 * here, little-endian; strings are UTF-8 of variable length.
 *
 *  1. /                   attributes headlight_schema (int32, 1), headlight_version,
 *                         created (ISO 8601, UTC)
 *  2. /models/<n>         attributes path, identity, name, family, family_title, dtype,
 *                         config (JSON), n_params, width, n_vocab, n_context (int64),
 *                         input_kind ("image", "text", "audio"), predicts ("", "next",
 *                         "own"), readout_stack (int64); revision (a commit's hash; "" or
 *                         missing where it is not known);
 *                         labels (strings), where the model has classes
 *  3. /models/<n>/stacks/<s>  attributes name, n_layers, and where they are missing as
 * for a stack by itself tower, is_cross, key_stack (int64); kind ("none", "self",
 * "cross"), n_heads, n_kv_heads, head_width, window (int32), is_causal (uint8): one entry
 * a layer
 *  4. /traces/<n>         attributes model (int64, index into /models), input_kind,
 *                         input_name, input_path, input_hash, backend, precision,
 *                         created, duration_ms (float64), hash, interventions (strings),
 *                         captured (strings: the sites that must be there)
 *  5. /traces/<n>/tokens  text (T strings); role (strings); id, row, column, segment
 *                         (int32, -1 for none);
 *                         start, end (float64); bytes (uint8, all tokens end to end) with
 *                         bytes_offset (int64, -1 for none) and bytes_length (int64);
 *                         attributes n_rows, n_columns. A named stack has the same in
 *                         tokens/<stack>
 *  6. /traces/<n>/logits  (V) float32
 *     /traces/<n>/predictions  of a text: next_id, next_rank (T) int32, next_log_prob,
 *                         entropy (T) float32, top_id (T, k) int32, top_log_prob (T, k)
 *                         float32; text_id (int32) and text (strings): of the tokens in
 *                         top_id; attribute is_own (int64); see hl-predictions.h
 *  7. /traces/<n>/input/pixels  (height, width, 3) uint8; text, target (of a decoder), a
 *                         string each; features (n_mels, frames) float32, and attribute
 *                         n_real_frames
 *  8. /traces/<n>/sites/<site>  float32, or float16 for maps when that was chosen; (H,
 * Tq, Tk) for blocks.<l>.attn.hook_pattern. Attribute precision where the numbers were
 * once rounded to less than the file's type
 *  9. /traces/<n>/recipes/<layer key>  attributes scale (float64), is_causal, is_rotary
 *                         (int64: q and k are hook_rot_q and hook_rot_k), window (int64)
 *                         and soft_cap (float64), 0 for none; bias (H, 2 Tk - 1), mask
 *                         and replacement (1 or H, Tq, Tk) float32; see hl-trace.h
 * 10. /traces/<n>/axes    dimension scales: head, query, key, token, head_width, class,
 *                         row, column, channel, distance; <axis>_<size> for a second size
 * 11. /results/<n>        attributes id, analysis (the same), params (JSON), provenance
 *                         (JSON), precision ("float32"); arrays in any type of HlDtype
 *                         but bfloat16, with axis names; axes as in 10
 * 12. /notes              one string
 * 13. /view               attributes: strings, float64 and int64
 *
 * Groups, arrays and attributes beside these survive loading and saving.
 *
 * A foreign session needs only headlight_schema = 1, /traces/0/tokens/text and
 * /traces/0/sites/blocks.<l>.attn.hook_pattern (float16, float32 or float64) for l = 0 to
 * L - 1; tokens/row, tokens/column, input/pixels and the attribute /model_name are read
 * where they are there. What the model was is then derived from the shapes.
 *
 * Threads: a session belongs to the main thread. Functions that take a path call HDF5:
 * io thread only, one at a time; give them a hl_session_copy(). */
#pragma once

#include "base/hl-progress.h"
#include "trace/hl-trace.h"

G_BEGIN_DECLS

/** HL_SESSION_SCHEMA: the newest layout that this program reads; it writes this one. */
#define HL_SESSION_SCHEMA 1

typedef struct _HlSession HlSession;

/**
 * HlSessionArray:
 * @name: no "/", not "axes"
 * @tensor: any dtype; bfloat16 is stored as float32
 * @axes: (nullable): one name per dimension, NULL-terminated
 * @unit: "" where there is none
 */
typedef struct
{
  char *name;
  HlTensor *tensor;
  char **axes;
  char *unit;
} HlSessionArray;

/**
 * HlSessionResult: what an analysis found, as a session keeps it.
 * @id: of the analysis
 * @params_json, @provenance_json: JSON text; kept as it is, never parsed here
 * @precision: of the arithmetic behind it: "float32", which it is when it is made
 * @arrays: of HlSessionArray *
 * Filled by its maker, immutable once added; atomic reference count.
 */
typedef struct
{
  gatomicrefcount refs;
  char *id;
  char *params_json;
  char *provenance_json;
  char *precision;
  GPtrArray *arrays;
} HlSessionResult;

/**
 * HlSessionOptions:
 * @half_maps: attention maps as float16: half the size, values rounded by up to 2^-12 of
 *   themselves. Everything else stays float32
 */
typedef struct
{
  gboolean half_maps;
} HlSessionOptions;

/** hl_session_result_new: (transfer full): no arrays yet. */
HlSessionResult *hl_session_result_new (const char *id,
                                        const char *params_json,
                                        const char *provenance_json);
HlSessionResult *hl_session_result_ref (HlSessionResult *result);
void hl_session_result_unref (HlSessionResult *result);

/** hl_session_result_add_array: while being filled; copies the strings, refs @tensor. */
void hl_session_result_add_array (HlSessionResult *result,
                                  const char *name,
                                  HlTensor *tensor,
                                  const char *const *axes,
                                  const char *unit);

/** hl_session_result_get_array: (transfer none) (nullable) */
const HlSessionArray *hl_session_result_get_array (const HlSessionResult *result,
                                                   const char *name);

/** hl_session_new: (transfer full): empty. The count of references is atomic, the
 * contents are not: see Threads above. */
HlSession *hl_session_new (void);
HlSession *hl_session_ref (HlSession *session);
void hl_session_unref (HlSession *session);

/** hl_session_copy: (transfer full): shares the immutable parts, so it is cheap; what the
 * io thread saves while the main thread goes on changing @session. */
HlSession *hl_session_copy (const HlSession *session);

/** hl_session_get_path: (nullable): where it was loaded from, or last set. */
const char *hl_session_get_path (const HlSession *session);
void hl_session_set_path (HlSession *session, const char *path);

guint hl_session_get_n_traces (const HlSession *session);

/** hl_session_get_trace: (transfer none) (nullable) */
HlTrace *hl_session_get_trace (const HlSession *session, guint index);

/** hl_session_add_trace: takes a reference. Returns: its index */
guint hl_session_add_trace (HlSession *session, HlTrace *trace);
void hl_session_remove_trace (HlSession *session, guint index);

/** hl_session_get_site_precision: the type that a site's numbers were stored in before
 * they became float32; HL_DTYPE_F32 for traces made in this run. */
HlDtype
hl_session_get_site_precision (const HlSession *session, guint trace, const char *site);

guint hl_session_get_n_results (const HlSession *session);

/** hl_session_get_result: (transfer none) (nullable) */
HlSessionResult *hl_session_get_result (const HlSession *session, guint index);

/** hl_session_add_result: takes a reference. Returns: its index */
guint hl_session_add_result (HlSession *session, HlSessionResult *result);
void hl_session_remove_result (HlSession *session, guint index);

/** hl_session_get_notes: what the person wrote; "" for nothing. */
const char *hl_session_get_notes (const HlSession *session);
void hl_session_set_notes (HlSession *session, const char *notes);

/**
 * hl_session_set_view:
 * @key: not empty
 * @value: (nullable): string "s", double "d" or int64 "x"; a floating one is sunk; NULL
 *   removes @key
 */
void hl_session_set_view (HlSession *session, const char *key, GVariant *value);

/** hl_session_get_view: (transfer none) (nullable) */
GVariant *hl_session_get_view (const HlSession *session, const char *key);

/**
 * hl_session_save:
 * @session: unchanged
 * Writes a temporary file beside @path, syncs it and renames it over @path: whatever goes
 * wrong, @path is the old session or the new one, whole.
 * Returns: FALSE with @error (HL_ERROR_IO, HL_ERROR_MEMORY, HL_ERROR_RANGE for a name
 * that cannot be stored, G_IO_ERROR_CANCELLED)
 */
gboolean hl_session_save (const HlSession *session,
                          const char *path,
                          const HlProgress *progress,
                          GError **error);

/** hl_session_save_with_options: @options (nullable): the defaults. */
gboolean hl_session_save_with_options (const HlSession *session,
                                       const char *path,
                                       const HlSessionOptions *options,
                                       const HlProgress *progress,
                                       GError **error);

/**
 * hl_session_load:
 * Checks the whole file and reads it. Only for files that this program wrote just now, or
 * inside the checking child: libhdf5 crashes on some damaged files; a person's file goes
 * through hl_session_load_guarded().
 * Returns: (transfer full): NULL with @error (HL_ERROR_*, each message with the path of
 *   the object; G_IO_ERROR_CANCELLED)
 */
HlSession *hl_session_load (const char *path, const HlProgress *progress, GError **error);

/** hl_session_check_file: reads as hl_session_load() does and keeps nothing. */
gboolean hl_session_check_file (const char *path, GError **error);

/**
 * hl_session_load_guarded:
 * @checker_program: run as `checker_program check-session PATH`; its main calls
 *   hl_session_check_main()
 * Lets the child read @path whole, under limits of time and memory, and loads it only
 * when the child came through.
 */
HlSession *hl_session_load_guarded (const char *path,
                                    const char *checker_program,
                                    const HlProgress *progress,
                                    GError **error);

/**
 * hl_session_check_main:
 * @argv: program, "check-session", PATH
 * The child's side: limits its own memory and time, checks PATH, and says on stderr, in
 * one line with the error's code first, what is wrong.
 * Returns: the exit status: 0 good, 1 refused, 2 usage
 */
int hl_session_check_main (int argc, char **argv);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlSession, hl_session_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlSessionResult, hl_session_result_unref)

G_END_DECLS
