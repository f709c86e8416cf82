/* SPDX-License-Identifier: MIT
 * Sessions: what is saved comes back, exactly. */
#include "session-fixture.h"

#include "base/hl-error.h"

#include <glib/gstdio.h>
#include <hdf5.h>
#include <string.h>

static HlSession *
save_and_load (HlSession *session, const char *path, const HlSessionOptions *options)
{
  g_autoptr (GError) error = NULL;
  hl_session_save_with_options (session, path, options, NULL, &error);
  g_assert_no_error (error);
  HlSession *loaded = hl_session_load_guarded (path, CHECK_SESSION, NULL, &error);
  g_assert_no_error (error);
  return loaded;
}

static void
assert_equal_results (HlSession *loaded)
{
  g_assert_cmpuint (hl_session_get_n_results (loaded), ==, 2);
  HlSessionResult *result = hl_session_get_result (loaded, 0);
  g_assert_cmpstr (result->id, ==, "entropy");
  g_assert_cmpstr (result->params_json, ==, "{\"base\": 2}");
  g_assert_cmpstr (result->provenance_json, ==, "{\"traces\": [\"5678\"]}");
  const HlSessionArray *mean = hl_session_result_get_array (result, "mean");
  g_assert_nonnull (mean);
  g_assert_cmpint (mean->tensor->dtype, ==, HL_DTYPE_F64);
  g_assert_cmpfloat (((double *) mean->tensor->data)[0], ==, 0.1);
  g_assert_cmpfloat (((double *) mean->tensor->data)[2], ==, 1e300);
  g_assert_cmpstr (mean->axes[0], ==, "layer");
  g_assert_cmpstr (mean->axes[1], ==, "head");
  g_assert_cmpstr (mean->unit, ==, "nat");
  const HlSessionArray *order = hl_session_result_get_array (result, "order");
  g_assert_cmpint (((gint64 *) order->tensor->data)[0], ==, G_MAXINT64);
  g_assert_null (order->axes);
  g_assert_cmpuint (hl_session_get_result (loaded, 1)->arrays->len, ==, 0);
}

static void
test_round_trip (void)
{
  char *folder = fixture_folder_new ();
  g_autofree char *path = g_build_filename (folder, "ä b.h5", NULL);
  g_autoptr (HlSession) session = fixture_session_new (1);
  g_autoptr (HlSession) copy = hl_session_copy (session);
  hl_session_set_notes (session, "changed after the copy");
  hl_session_set_view (session, "zoom", NULL);
  g_autoptr (HlSession) loaded = save_and_load (copy, path, NULL);
  g_assert_cmpstr (hl_session_get_path (loaded), ==, path);
  g_assert_cmpuint (hl_session_get_n_traces (loaded), ==, 1);
  fixture_assert_equal_trace (hl_session_get_trace (session, 0),
                              hl_session_get_trace (loaded, 0));
  assert_equal_results (loaded);
  g_assert_cmpstr (hl_session_get_notes (loaded), ==, "Notizen für 1\nzweite Zeile");
  g_assert_cmpstr (
      g_variant_get_string (hl_session_get_view (loaded, "colour-map"), NULL), ==,
      "magma");
  g_assert_cmpfloat (g_variant_get_double (hl_session_get_view (loaded, "zoom")), ==,
                     0.1);
  g_assert_cmpint (g_variant_get_int64 (hl_session_get_view (loaded, "layer")), ==, -5);
  g_assert_null (hl_session_get_view (loaded, "other"));
  fixture_folder_free (folder);
}

static void
test_several (void)
{
  char *folder = fixture_folder_new ();
  g_autofree char *path = g_build_filename (folder, "s.h5", NULL);
  g_autoptr (HlSession) one = fixture_session_new (1);
  g_autoptr (HlSession) two = fixture_session_new (2);
  g_autoptr (HlSession) big = fixture_big_session_new (1 << 16, 3);
  g_autoptr (HlSession) session = hl_session_new ();
  hl_session_add_trace (session, hl_session_get_trace (one, 0));
  hl_session_add_trace (session, hl_session_get_trace (big, 0));
  hl_session_add_trace (session, hl_session_get_trace (two, 0));
  g_autoptr (HlSession) loaded = save_and_load (session, path, NULL);
  g_assert_cmpuint (hl_session_get_n_traces (loaded), ==, 3);
  fixture_assert_equal_trace (hl_session_get_trace (two, 0),
                              hl_session_get_trace (loaded, 2));
  hl_session_remove_trace (loaded, 1);
  g_autoptr (HlSession) again = save_and_load (loaded, path, NULL);
  g_assert_cmpuint (hl_session_get_n_traces (again), ==, 2);
  fixture_assert_equal_trace (hl_session_get_trace (two, 0),
                              hl_session_get_trace (again, 1));
  fixture_folder_free (folder);
}

static void
test_named_stacks (void)
{
  char *folder = fixture_folder_new ();
  g_autofree char *path = g_build_filename (folder, "s.h5", NULL);
  g_autoptr (HlModelInfo) model = hl_model_info_new ();
  const char *const names[] = { "encoder", "decoder" };
  for (int s = 0; s < 2; s++)
    {
      HlStack *stack = hl_model_info_add_stack (model, names[s], 1);
      stack->layers[0] = (HlLayerInfo){ HL_ATTENTION_SELF, 1, 1, 8, s == 1 };
    }
  g_autoptr (HlTrace) trace = hl_trace_new (model);
  for (int s = 0; s < 2; s++)
    {
      float zeros[9] = { 0.5f };
      gint64 T = 3 - s;
      g_autoptr (HlTensor) map =
          hl_tensor_new_copy (HL_DTYPE_F32, HL_SHAPE (1, T, T), zeros);
      g_autofree char *site = hl_trace_site_name (model, s, 0, "attn.hook_pattern");
      hl_trace_set_site (trace, site, map);
      HlTokenTable *tokens = hl_token_table_new ((int) T);
      for (int i = 0; i < (int) T; i++)
        tokens->tokens[i].text = g_strdup (names[s]);
      g_ptr_array_add (trace->tokens, tokens);
    }
  g_autoptr (HlSession) session = hl_session_new ();
  hl_session_add_trace (session, trace);
  g_autoptr (HlSession) loaded = save_and_load (session, path, NULL);
  fixture_assert_equal_trace (trace, hl_session_get_trace (loaded, 0));
  fixture_folder_free (folder);
}

/* The library's own conversion stores {6e-8, 0.5, 0.0625} for these three. */
static const float half_case[] = { 3e-8f, 0.999815f, 0.124997f, 1.0f / 3,
                                   6e-5f, 0,         1,         0.5f };

static void
set_half_case (HlSession *session)
{
  HlTensor *map =
      hl_trace_get_site (hl_session_get_trace (session, 0), "blocks.0.attn.hook_pattern");
  memcpy (map->data, half_case, sizeof half_case);
}

/* What lies in the file, bit by bit, without any conversion. */
static void
read_raw (const char *path, gsize value_size, gpointer out)
{
  hid_t file = H5Fopen (path, H5F_ACC_RDONLY, H5P_DEFAULT);
  hid_t map = H5Dopen2 (file, "/traces/0/sites/blocks.0.attn.hook_pattern", H5P_DEFAULT);
  hid_t type = H5Dget_type (map);
  g_assert_cmpuint (H5Tget_size (type), ==, value_size);
  g_assert_cmpint (H5Dread (map, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, out), >=, 0);
  H5Tclose (type);
  H5Dclose (map);
  H5Fclose (file);
}

static void
test_half_exact (void)
{
  char *folder = fixture_folder_new ();
  g_autofree char *path = g_build_filename (folder, "s.h5", NULL);
  g_autoptr (HlSession) session = fixture_session_new (1);
  HlSessionOptions options = { .half_maps = TRUE };
  guint16 bits[FIXTURE_HEADS * FIXTURE_TOKENS * FIXTURE_TOKENS];
  float full[FIXTURE_HEADS * FIXTURE_TOKENS * FIXTURE_TOKENS];
  set_half_case (session);
  g_autoptr (HlSession) loaded = save_and_load (session, path, &options);
  const float *map = hl_tensor_f32 (
      hl_trace_get_site (hl_session_get_trace (loaded, 0), "blocks.0.attn.hook_pattern"));
  read_raw (path, 2, bits);
  /* Worked out by hand: 3e-8 is nearest to the subnormal 2^-24, 0.999815 to 1 - 2^-11 or
   * 1: 1 is nearer; 0.124997 to 0.125. */
  g_assert_cmphex (bits[0], ==, 0x0001);
  g_assert_cmphex (bits[1], ==, 0x3c00);
  g_assert_cmphex (bits[2], ==, 0x3000);
  g_assert_cmphex (bits[3], ==, 0x3555);
  g_assert_cmpfloat (map[0], ==, 5.9604644775390625e-08f);
  g_assert_cmpfloat (map[1], ==, 1);
  g_assert_cmpfloat (map[2], ==, 0.125f);
  g_assert_cmpint (
      hl_session_get_site_precision (loaded, 0, "blocks.0.attn.hook_pattern"), ==,
      HL_DTYPE_F16);
  g_assert_cmpint (hl_session_get_site_precision (loaded, 0, "blocks.1.attn.hook_q"), ==,
                   HL_DTYPE_F32);
  /* Saved again in full, the numbers still say that they were once half. */
  g_autoptr (HlSession) again = save_and_load (loaded, path, NULL);
  g_assert_cmpint (hl_session_get_site_precision (again, 0, "blocks.0.attn.hook_pattern"),
                   ==, HL_DTYPE_F16);
  set_half_case (session);
  g_autoptr (HlSession) exact = save_and_load (session, path, NULL);
  read_raw (path, 4, full);
  g_assert_cmpmem (full, sizeof half_case, half_case, sizeof half_case);
  fixture_folder_free (folder);
}

static void
put_attr (hid_t file, const char *object, const char *name, int value)
{
  hid_t place = H5Oopen (file, object, H5P_DEFAULT);
  hid_t space = H5Screate (H5S_SCALAR);
  hid_t attr = H5Acreate2 (place, name, H5T_STD_U16BE, space, H5P_DEFAULT, H5P_DEFAULT);
  g_assert_cmpint (H5Awrite (attr, H5T_NATIVE_INT, &value), >=, 0);
  H5Aclose (attr);
  H5Sclose (space);
  H5Oclose (place);
}

static int
get_attr (hid_t file, const char *object, const char *name)
{
  int value = -1;
  hid_t attr = H5Aopen_by_name (file, object, name, H5P_DEFAULT, H5P_DEFAULT);
  g_assert_cmpint (attr, >=, 0);
  g_assert_cmpint (H5Aread (attr, H5T_NATIVE_INT, &value), >=, 0);
  H5Aclose (attr);
  return value;
}

static const char *const unknown_groups[] = { "/future",
                                              "/future/deep",
                                              "/models/0/lens",
                                              "/models/0/stacks/0/extra",
                                              "/traces/0/sae",
                                              "/traces/0/tokens/pos",
                                              "/traces/0/sites/more",
                                              "/traces/0/input/audio",
                                              "/traces/0/recipes/blocks.0.attn/why",
                                              "/traces/index",
                                              "/results/0/plots",
                                              "/view/panes" };

static void
test_unknown_survives (void)
{
  char *folder = fixture_folder_new ();
  g_autofree char *path = g_build_filename (folder, "s.h5", NULL);
  g_autofree char *second = g_build_filename (folder, "t.h5", NULL);
  g_autoptr (HlSession) session = fixture_session_new (1);
  g_autoptr (GError) error = NULL;
  hl_session_save (session, path, NULL, &error);
  g_assert_no_error (error);
  hid_t file = H5Fopen (path, H5F_ACC_RDWR, H5P_DEFAULT);
  for (guint i = 0; i < G_N_ELEMENTS (unknown_groups); i++)
    {
      H5Gclose (
          H5Gcreate2 (file, unknown_groups[i], H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
      put_attr (file, unknown_groups[i], "mark", 1000 + (int) i);
    }
  put_attr (file, "/", "future_attr", 7);
  put_attr (file, "/traces/0", "future_attr", 8);
  H5Lcreate_soft ("/traces/0", file, "/latest", H5P_DEFAULT, H5P_DEFAULT);
  H5Fclose (file);
  g_autoptr (HlSession) loaded =
      hl_session_load_guarded (path, CHECK_SESSION, NULL, &error);
  g_assert_no_error (error);
  /* The old file is not needed any more, and a new first trace moves the old one. */
  g_unlink (path);
  hl_session_remove_result (loaded, 1);
  g_autoptr (HlSession) again = save_and_load (loaded, second, NULL);
  g_autoptr (HlSession) third = save_and_load (again, path, NULL);
  file = H5Fopen (path, H5F_ACC_RDONLY, H5P_DEFAULT);
  for (guint i = 0; i < G_N_ELEMENTS (unknown_groups); i++)
    g_assert_cmpint (get_attr (file, unknown_groups[i], "mark"), ==, 1000 + (int) i);
  g_assert_cmpint (get_attr (file, "/", "future_attr"), ==, 7);
  g_assert_cmpint (get_attr (file, "/traces/0", "future_attr"), ==, 8);
  g_assert_cmpint (get_attr (file, "/latest/sae", "mark"), ==, 1004);
  H5Fclose (file);
  fixture_assert_equal_trace (hl_session_get_trace (session, 0),
                              hl_session_get_trace (third, 0));
  fixture_folder_free (folder);
}

static void
test_bad_names (void)
{
  char *folder = fixture_folder_new ();
  g_autofree char *path = g_build_filename (folder, "s.h5", NULL);
  g_autoptr (HlSession) session = fixture_session_new (1);
  g_autoptr (HlSessionResult) result = hl_session_result_new ("r", "{}", "{}");
  g_autoptr (HlTensor) one =
      hl_tensor_new_copy (HL_DTYPE_F32, HL_SHAPE (1), &(float){ 1 });
  g_autoptr (GError) error = NULL;
  hl_session_result_add_array (result, "a/b", one, NULL, NULL);
  hl_session_add_result (session, result);
  g_assert_false (hl_session_save (session, path, NULL, &error));
  g_assert_error (error, HL_ERROR, HL_ERROR_RANGE);
  g_assert_nonnull (strstr (error->message, "a/b"));
  /* Neither the session nor a temporary file was left. */
  g_assert_cmpint (g_rmdir (folder), ==, 0);
  g_free (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/session/round-trip", test_round_trip);
  g_test_add_func ("/session/several", test_several);
  g_test_add_func ("/session/named-stacks", test_named_stacks);
  g_test_add_func ("/session/half-exact", test_half_exact);
  g_test_add_func ("/session/unknown-survives", test_unknown_survives);
  g_test_add_func ("/session/bad-names", test_bad_names);
  return g_test_run ();
}
