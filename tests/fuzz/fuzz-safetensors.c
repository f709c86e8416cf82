/* SPDX-License-Identifier: MIT
 * Fuzz target: a safetensors file of any bytes is read or refused with a message, and
 * every tensor that is given out lies inside the file. */
#include "fuzz.h"

#include "base/hl-error.h"
#include "io/hl-safetensors.h"

#include <string.h>

/* Touches every byte that a tensor claims to have. */
static void
read_tensor (HlSafetensors *st, const HlTensorInfo *info)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlTensor) tensor = hl_safetensors_get (st, info->name, &error);
  if (tensor == NULL)
    {
      g_assert_error (error, HL_ERROR, HL_ERROR_DTYPE);
      g_assert_cmpint (info->dtype, ==, HL_DTYPE_INVALID);
      return;
    }
  const guint8 *data = tensor->data;
  gsize size = hl_tensor_size_bytes (tensor);
  volatile guint8 sum = 0;
  for (gsize i = 0; i < size; i++)
    sum = (guint8) (sum + data[i]);
  g_assert_true (hl_tensor_is_contiguous (tensor));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = g_bytes_new_static (data, size);
  g_autoptr (HlSafetensors) st = hl_safetensors_new_from_bytes (bytes, "fuzz", &error);
  if (st == NULL)
    {
      g_assert_true (error != NULL && error->domain == HL_ERROR);
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
      g_assert_true (g_str_has_prefix (error->message, "fuzz"));
      return 0;
    }
  g_assert_no_error (error);
  for (guint i = 0; i < hl_safetensors_get_n_tensors (st); i++)
    read_tensor (st, hl_safetensors_get_nth (st, i));
  /* What was accepted covers the data behind the header exactly. */
  guint64 header = 0;
  memcpy (&header, data, sizeof header);
  g_assert_cmpuint (hl_safetensors_get_size_bytes (st) + GUINT64_FROM_LE (header) + 8, ==,
                    size);
  g_assert_cmpint (hl_safetensors_get_n_parameters (st), <=, (gint64) size * 2);
  g_autofree char *identity = hl_safetensors_identity (st);
  g_assert_cmpuint (strlen (identity), ==, 64);
  return 0;
}

static void
add_seed (GPtrArray *seeds, const char *json, gsize n_data)
{
  GByteArray *out = g_byte_array_new ();
  guint64 length = GUINT64_TO_LE ((guint64) strlen (json));
  g_byte_array_append (out, (const guint8 *) &length, sizeof length);
  g_byte_array_append (out, (const guint8 *) json, (guint) strlen (json));
  g_byte_array_set_size (out, out->len + (guint) n_data);
  memset (out->data + out->len - n_data, 0x3c, n_data);
  g_ptr_array_add (seeds, g_byte_array_free_to_bytes (out));
}

GPtrArray *
fuzz_seeds (void)
{
  GPtrArray *seeds = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  add_seed (seeds, "{}", 0);
  add_seed (seeds, "{\"w\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]}}",
            24);
  add_seed (seeds,
            "{\"__metadata__\":{\"format\":\"pt\"},"
            "\"a\":{\"dtype\":\"F16\",\"shape\":[1,2,1,2,1],\"data_offsets\":[0,8]},"
            "\"b\":{\"dtype\":\"BF16\",\"shape\":[],\"data_offsets\":[8,10]},"
            "\"c\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[10,13]},"
            "\"d\":{\"dtype\":\"I64\",\"shape\":[2],\"data_offsets\":[13,29]},"
            "\"e\":{\"dtype\":\"F64\",\"shape\":[0,5],\"data_offsets\":[29,29]}}   ",
            29);
  add_seed (seeds,
            "{\"f8\":{\"dtype\":\"F8_E4M3\",\"shape\":[4],\"data_offsets\":[0,4]},"
            "\"f4\":{\"dtype\":\"F4\",\"shape\":[2,4],\"data_offsets\":[4,8]},"
            "\"ok\":{\"dtype\":\"I32\",\"shape\":[1],\"data_offsets\":[8,12]}}",
            12);
  return seeds;
}
