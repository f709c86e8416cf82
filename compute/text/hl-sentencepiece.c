/* SPDX-License-Identifier: MIT
 * The model file of sentencepiece, read. */
#include "text/hl-sentencepiece.h"

#include "base/hl-error.h"

#include <math.h>
#include <string.h>

/* A message that is being read, and whether it broke the rules. */
typedef struct
{
  const guint8 *at;
  const guint8 *end;
  const guint8 *start; /* of the file, for errors */
  const char *problem;
} Wire;

/* One field: a number, or bytes. */
typedef struct
{
  guint32 number;
  guint type;
  guint64 value;
  const guint8 *bytes;
  gsize length;
} Field;

enum
{
  WIRE_VARINT = 0,
  WIRE_64 = 1,
  WIRE_BYTES = 2,
  WIRE_32 = 5,
};

/* ---- the wire ------------------------------------------------------------------------
 */

static gboolean
stop (Wire *wire, const char *problem)
{
  wire->problem = problem;
  return FALSE;
}

static gboolean
read_varint (Wire *wire, guint64 *value)
{
  *value = 0;
  for (guint shift = 0; shift < 64; shift += 7)
    {
      if (wire->at == wire->end)
        return stop (wire, "a number that goes on behind the end");
      guint8 byte = *wire->at++;
      *value |= (guint64) (byte & 0x7f) << shift;
      if (byte < 0x80)
        return TRUE;
    }
  return stop (wire, "a number of more than 10 bytes");
}

static gboolean
read_fixed (Wire *wire, gsize n, guint64 *value)
{
  if ((gsize) (wire->end - wire->at) < n)
    return stop (wire, "a number that goes on behind the end");
  *value = 0;
  for (gsize i = 0; i < n; i++)
    *value |= (guint64) wire->at[i] << 8 * i;
  wire->at += n;
  return TRUE;
}

/* The next field of the message; FALSE at its end, or with a problem. */
static gboolean
next_field (Wire *wire, Field *field)
{
  guint64 key = 0;
  if (wire->at == wire->end || !read_varint (wire, &key))
    return FALSE;
  *field = (Field){ .number = (guint32) (key >> 3), .type = (guint) (key & 7) };
  if (key >> 3 == 0 || key >> 3 > (1u << 29) - 1)
    return stop (wire, "a field without a number");
  switch (field->type)
    {
    case WIRE_VARINT:
      return read_varint (wire, &field->value);
    case WIRE_64:
      return read_fixed (wire, 8, &field->value);
    case WIRE_32:
      return read_fixed (wire, 4, &field->value);
    case WIRE_BYTES:
      if (!read_varint (wire, &field->value))
        return FALSE;
      if (field->value > (guint64) (wire->end - wire->at))
        return stop (wire, "a field that goes on behind the end");
      field->bytes = wire->at;
      field->length = (gsize) field->value;
      wire->at += field->length;
      return TRUE;
    default:
      return stop (wire, "a field of a type that there is not");
    }
}

/* The message within a field. */
static Wire
open_message (const Wire *wire, const Field *field)
{
  return (Wire){ field->bytes, field->bytes + field->length, wire->start, NULL };
}

static gboolean
check_wire (const Wire *wire, const char *where, GError **error)
{
  if (wire->problem == NULL)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_FORMAT,
               "%s: a sentencepiece model expected, %s found at byte %" G_GSIZE_FORMAT,
               where, wire->problem, (gsize) (wire->at - wire->start));
  return FALSE;
}

/* ---- messages ------------------------------------------------------------------------
 */

static void
clear_piece (gpointer data)
{
  g_free (((HlSentencepiecePiece *) data)->text);
}

static gboolean
set_text (HlSentencepiecePiece *piece,
          const Field *field,
          guint index,
          const char *where,
          GError **error)
{
  if (field->length > HL_SENTENCEPIECE_MAX_PIECE_BYTES)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                   "%s: piece %u: at most %d bytes expected, %" G_GSIZE_FORMAT " found",
                   where, index, HL_SENTENCEPIECE_MAX_PIECE_BYTES, field->length);
      return FALSE;
    }
  if (!g_utf8_validate_len ((const char *) field->bytes, field->length, NULL))
    {
      g_set_error (error, HL_ERROR, HL_ERROR_FORMAT,
                   "%s: piece %u: UTF-8 without a zero expected, other bytes found",
                   where, index);
      return FALSE;
    }
  g_free (piece->text);
  piece->text = g_strndup ((const char *) field->bytes, field->length);
  return TRUE;
}

static gboolean
read_piece (HlSentencepiece *model, Wire wire, const char *where, GError **error)
{
  Field field;
  guint index = model->pieces->len;
  HlSentencepiecePiece *piece;
  if (index >= HL_SENTENCEPIECE_MAX_PIECES)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                   "%s: at most %u pieces expected, more found", where,
                   HL_SENTENCEPIECE_MAX_PIECES);
      return FALSE;
    }
  g_array_set_size (model->pieces, index + 1);
  piece = &g_array_index (model->pieces, HlSentencepiecePiece, index);
  piece->type = HL_PIECE_NORMAL;
  while (next_field (&wire, &field))
    if (field.number == 1 && field.type == WIRE_BYTES)
      {
        if (!set_text (piece, &field, index, where, error))
          return FALSE;
      }
    else if (field.number == 2 && field.type == WIRE_32)
      {
        guint32 bits = (guint32) field.value;
        memcpy (&piece->score, &bits, sizeof bits);
      }
    else if (field.number == 3 && field.type == WIRE_VARINT)
      piece->type = (guint32) MIN (field.value, G_MAXUINT32);
  if (piece->text == NULL)
    piece->text = g_strdup ("");
  if (isfinite (piece->score))
    return check_wire (&wire, where, error);
  g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
               "%s: piece %u: a finite score expected, %g found", where, index,
               (double) piece->score);
  return FALSE;
}

/* Ids are 32 bits with a sign; negative ones are none. */
static gint32
id_of (const Field *field)
{
  gint64 id = (gint64) field->value;
  return id >= 0 && id <= G_MAXINT32 ? (gint32) id : -1;
}

static gboolean
read_trainer (HlSentencepiece *model, Wire wire, const char *where, GError **error)
{
  Field field;
  guint64 kind = 1;
  while (next_field (&wire, &field))
    {
      if (field.type != WIRE_VARINT)
        continue;
      if (field.number == 3)
        kind = field.value;
      else if (field.number == 35)
        model->has_byte_fallback = field.value != 0;
      else if (field.number == 40)
        model->unk_id = id_of (&field);
      else if (field.number == 41)
        model->bos_id = id_of (&field);
      else if (field.number == 42)
        model->eos_id = id_of (&field);
      else if (field.number == 43)
        model->pad_id = id_of (&field);
    }
  if (!check_wire (&wire, where, error))
    return FALSE;
  model->is_bpe = kind == 2;
  if (kind == 1 || kind == 2)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
               "%s: a model of kind 1 (Unigram) or 2 (BPE) expected, %" G_GUINT64_FORMAT
               " found, which is not supported",
               where, kind);
  return FALSE;
}

static gboolean
read_normalizer (HlSentencepiece *model, Wire wire, const char *where, GError **error)
{
  Field field;
  while (next_field (&wire, &field))
    if (field.number == 2 && field.type == WIRE_BYTES)
      {
        g_clear_pointer (&model->charsmap, g_bytes_unref);
        if (field.length > 0)
          model->charsmap = g_bytes_new (field.bytes, field.length);
      }
    else if (field.number == 3 && field.type == WIRE_VARINT)
      model->adds_dummy_prefix = field.value != 0;
    else if (field.number == 4 && field.type == WIRE_VARINT)
      model->removes_extra_whitespaces = field.value != 0;
  return check_wire (&wire, where, error);
}

HlSentencepiece *
hl_sentencepiece_parse (const guint8 *data,
                        gsize size_bytes,
                        const char *where,
                        GError **error)
{
  Field field;
  Wire wire = { data, data + size_bytes, data, NULL };
  g_autoptr (HlSentencepiece) model = g_new0 (HlSentencepiece, 1);
  model->pieces = g_array_new (FALSE, TRUE, sizeof (HlSentencepiecePiece));
  g_array_set_clear_func (model->pieces, clear_piece);
  model->bos_id = 1;
  model->eos_id = 2;
  model->pad_id = -1;
  model->adds_dummy_prefix = TRUE;
  model->removes_extra_whitespaces = TRUE;
  while (next_field (&wire, &field))
    {
      gboolean is_good = TRUE;
      if (field.type != WIRE_BYTES)
        continue;
      Wire inner = open_message (&wire, &field);
      if (field.number == 1)
        is_good = read_piece (model, inner, where, error);
      else if (field.number == 2)
        is_good = read_trainer (model, inner, where, error);
      else if (field.number == 3)
        is_good = read_normalizer (model, inner, where, error);
      if (!is_good)
        return NULL;
    }
  if (!check_wire (&wire, where, error))
    return NULL;
  if (model->pieces->len > 0)
    return g_steal_pointer (&model);
  g_set_error (error, HL_ERROR, HL_ERROR_FORMAT,
               "%s: a sentencepiece model expected, one without pieces found", where);
  return NULL;
}

void
hl_sentencepiece_free (HlSentencepiece *model)
{
  if (model == NULL)
    return;
  g_array_unref (model->pieces);
  g_clear_pointer (&model->charsmap, g_bytes_unref);
  g_free (model);
}
