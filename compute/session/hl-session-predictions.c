/* SPDX-License-Identifier: MIT
 * The session: what each position of a text predicts, to HDF5 and back. */
#include "session/hl-session-private.h"

/* The parts of HlPredictions by their names in the file. */
typedef struct
{
  const char *name;
  gsize offset;
  HlDtype dtype;
  gboolean has_rank_axis;
  const char *unit;
} Part;

static const Part parts[] = {
  { "next_id", G_STRUCT_OFFSET (HlPredictions, next_ids), HL_DTYPE_I32, FALSE, NULL },
  { "next_log_prob", G_STRUCT_OFFSET (HlPredictions, next_log_probs), HL_DTYPE_F32, FALSE,
    "nats" },
  { "next_rank", G_STRUCT_OFFSET (HlPredictions, next_ranks), HL_DTYPE_I32, FALSE, NULL },
  { "entropy", G_STRUCT_OFFSET (HlPredictions, entropies), HL_DTYPE_F32, FALSE, "nats" },
  { "top_id", G_STRUCT_OFFSET (HlPredictions, top_ids), HL_DTYPE_I32, TRUE, NULL },
  { "top_log_prob", G_STRUCT_OFFSET (HlPredictions, top_log_probs), HL_DTYPE_F32, TRUE,
    "nats" },
};

static HlTensor **
tensor_of (HlPredictions *predictions, const Part *part)
{
  return G_STRUCT_MEMBER_P (predictions, part->offset);
}

/* The texts of predicted tokens: their ids, and beside them the strings. */
static gboolean
write_texts (hid_t place, const HlPredictions *predictions, GError **error)
{
  gsize n = g_hash_table_size (predictions->texts), i = 0;
  g_autofree gint32 *ids = g_new (gint32, n + 1);
  g_autofree const char **texts = g_new0 (const char *, n + 1);
  GHashTableIter iter;
  gpointer id, text;
  g_hash_table_iter_init (&iter, predictions->texts);
  for (; g_hash_table_iter_next (&iter, &id, &text); i++)
    {
      ids[i] = GPOINTER_TO_INT (id);
      texts[i] = text;
    }
  return n == 0 ||
         (hl_h5_write_array (place, "text_id", HL_DTYPE_I32, n, ids, NULL, NULL, error) &&
          hl_h5_write_strings (place, "text", texts, n, FALSE, NULL, NULL, error));
}

static gboolean
read_texts (HlH5Reader *reader, hid_t place, HlPredictions *predictions, GError **error)
{
  GError *local = NULL;
  gsize n = 0;
  g_auto (GStrv) texts = hl_h5_read_strings (reader, place, "text",
                                             hl_h5_has (place, "text_id"), &n, &local);
  g_autofree gint64 *ids =
      texts != NULL ? hl_h5_read_ints (reader, place, "text_id", n, TRUE, &local) : NULL;
  if (local != NULL)
    {
      g_propagate_error (error, local);
      return FALSE;
    }
  for (gsize i = 0; ids != NULL && i < n; i++)
    if (ids[i] >= 0 && ids[i] <= G_MAXINT32)
      hl_predictions_set_text (predictions, (gint32) ids[i], texts[i]);
  return TRUE;
}

gboolean
hl_session_write_predictions (hid_t group,
                              HlPredictions *predictions,
                              HlH5Axes *axes,
                              GError **error)
{
  static const char *const names[] = { "token", "prediction" };
  if (predictions == NULL)
    return TRUE;
  HL_H5_AUTO hid_t place = hl_h5_create_group (group, "predictions", error);
  if (place < 0)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    if (!hl_h5_write_tensor (place, parts[i].name, *tensor_of (predictions, &parts[i]),
                             HL_DTYPE_INVALID, axes, names, parts[i].unit, error))
      return FALSE;
  return hl_h5_write_attr_int (place, "is_own", predictions->is_own, error) &&
         write_texts (place, predictions, error);
}

static gboolean
check_part (
    hid_t place, const Part *part, const HlTensor *tensor, gint64 T, GError **error)
{
  gint64 k = tensor->shape.n_dims == 2 ? tensor->shape.dim[1] : 1;
  if (tensor->dtype == part->dtype &&
      tensor->shape.n_dims == (part->has_rank_axis ? 2 : 1) &&
      tensor->shape.dim[0] == T && k > 0 && k <= HL_PREDICTIONS_K)
    return TRUE;
  g_autofree char *found = hl_shape_to_string (&tensor->shape);
  g_autofree char *path = hl_h5_path (place);
  return hl_h5_fail (error, HL_ERROR_SHAPE,
                     "%s/%s: %s, %" G_GINT64_FORMAT " tokens%s expected, %s of shape %s "
                     "found",
                     path, part->name, hl_dtype_name (part->dtype), T,
                     part->has_rank_axis ? " by 1 to 10" : "",
                     hl_dtype_name (tensor->dtype), found);
}

gboolean
hl_session_read_predictions (HlH5Reader *reader,
                             hid_t group,
                             HlTrace *trace,
                             GError **error)
{
  GError *local = NULL;
  const char *links[G_N_ELEMENTS (parts) + 3] = { NULL };
  HL_H5_AUTO hid_t place = hl_h5_open_group (group, "predictions", FALSE, &local);
  if (local != NULL)
    g_propagate_error (error, local);
  if (place < 0)
    return local == NULL;
  const HlTokenTable *tokens = hl_trace_get_tokens (trace, trace->model->readout_stack);
  gint64 T = tokens != NULL ? tokens->n_tokens : 0;
  HlPredictions *predictions = hl_predictions_new (NULL, 0, 1, FALSE, error);
  if (predictions == NULL)
    return FALSE;
  trace->predictions = predictions;
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    {
      HlTensor *tensor = hl_h5_read_tensor (reader, place, parts[i].name,
                                            HL_DTYPE_INVALID, TRUE, NULL, error);
      if (tensor == NULL)
        return FALSE;
      HlTensor **slot = tensor_of (predictions, &parts[i]);
      hl_tensor_unref (*slot);
      *slot = tensor;
      if (!check_part (place, &parts[i], tensor, T, error))
        return FALSE;
      links[i] = parts[i].name;
    }
  if (predictions->top_ids->shape.dim[1] != predictions->top_log_probs->shape.dim[1])
    return hl_h5_fail (error, HL_ERROR_SHAPE,
                       "predictions: top_id and top_log_prob differ in width");
  links[G_N_ELEMENTS (parts)] = "text";
  links[G_N_ELEMENTS (parts) + 1] = "text_id";
  static const char *const attrs[] = { "is_own", NULL };
  gint64 is_own = 0;
  if (!hl_h5_read_attr_int (place, "is_own", &is_own, error))
    return FALSE;
  predictions->is_own = is_own != 0;
  return read_texts (reader, place, predictions, error) &&
         hl_h5_stash_unknown (reader, place, links, attrs, FALSE, error);
}
