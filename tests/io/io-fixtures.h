/* SPDX-License-Identifier: MIT
 * The fixtures that make-fixtures.py wrote: expected.json says what lies where in
 * expected.bin. */
#pragma once

#include "base/hl-hash.h"
#include "io-test.h"
#include "io/hl-image.h"
#include "io/hl-json.h"

typedef struct
{
  json_t *index;
  guint8 *blob;
  gsize blob_size;
} Fixtures;

static inline void
fixtures_open (Fixtures *fixtures)
{
  GError *error = NULL;
  g_autofree char *json =
      g_test_build_filename (G_TEST_DIST, "io", "fixtures", "expected.json", NULL);
  g_autofree char *blob =
      g_test_build_filename (G_TEST_DIST, "io", "fixtures", "expected.bin", NULL);
  fixtures->index = hl_json_load_file (json, &error);
  g_assert_no_error (error);
  g_file_get_contents (blob, (char **) &fixtures->blob, &fixtures->blob_size, &error);
  g_assert_no_error (error);
}

static inline void
fixtures_close (Fixtures *fixtures)
{
  json_decref (fixtures->index);
  g_free (fixtures->blob);
}

static inline int
fixture_int (const json_t *item, const char *field)
{
  const json_t *value = json_object_get (item, field);
  g_assert_true (json_is_integer (value));
  return (int) json_integer_value (value);
}

static inline const char *
fixture_text (const json_t *item, const char *field)
{
  const char *text = json_string_value (json_object_get (item, field));
  g_assert_nonnull (text);
  return text;
}

/** fixture_expected: @size bytes of expected.bin, from the item's offset. */
static inline const guint8 *
fixture_expected (const Fixtures *fixtures, const json_t *item, gsize size)
{
  gsize offset = (gsize) fixture_int (item, "offset");
  g_assert_cmpuint (offset + size, <=, fixtures->blob_size);
  return fixtures->blob + offset;
}

/** fixture_path: (transfer full): of a picture. */
static inline char *
fixture_path (const char *name)
{
  return g_test_build_filename (G_TEST_DIST, "io", "fixtures", name, NULL);
}

static inline HlTensor *
fixture_picture (const char *name)
{
  GError *error = NULL;
  g_autofree char *path = fixture_path (name);
  HlTensor *rgb = hl_image_load (path, &error);
  g_assert_no_error (error);
  return rgb;
}

static inline void
fixture_assert_hash (const HlTensor *tensor, const json_t *item, const char *field)
{
  g_autofree char *hash = hl_hash_bytes (tensor->data, hl_tensor_size_bytes (tensor));
  g_assert_cmpstr (hash, ==, fixture_text (item, field));
}
