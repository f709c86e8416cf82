/* SPDX-License-Identifier: MIT
 * Whole models on the emulated CUDA device; running out of its memory, and losing it. */
#include "backend/cpu/hl-cpu.h"
#include "backend/cuda/hl-cuda.h"
#include "base/hl-error.h"
#include "device-suite.h"
#include "golden-model.h"
#include "trace/hl-tracer.h"

#include <cuda_runtime_api.h>

static HlBackend *
open_emulated (HlDtype dtype, GError **error)
{
  return hl_cuda_open (dtype, 0, FALSE, error);
}

static HlTrace *
trace (HlModel *model, HlInput *input, HlBackend *backend, GError **error)
{
  const HlTraceOptions options = { .maps = HL_MAPS_STORED };
  return hl_tracer_run (model, input, backend, &options, NULL, error);
}

/* Whatever allocation fails, the run ends with an error that says so, nothing is left
 * behind, and the next one works. */
static void
test_out_of_memory (void)
{
  g_autoptr (GError) opening = NULL;
  g_autoptr (HlModel) model = NULL;
  g_autoptr (HlInput) input = NULL;
  g_autoptr (HlTrace) whole = NULL;
  golden_open_model ("gpt2-tiny", &model, &input);
  g_autoptr (HlBackend) backend = hl_cuda_open (HL_DTYPE_F32, 0, TRUE, &opening);
  g_assert_no_error (opening);
  size_t empty = emulated_used ();
  int n_failures = 0;
  for (int n = 1; whole == NULL; n += 5)
    {
      g_autoptr (GError) error = NULL;
      emulated_fill_memory (n);
      whole = trace (model, input, backend, &error);
      emulated_fill_memory (0);
      hl_model_leave_device (model);
      g_assert_cmpuint (emulated_used (), ==, empty);
      if (whole != NULL)
        continue;
      g_assert_error (error, HL_ERROR, HL_ERROR_MEMORY);
      g_assert_nonnull (strstr (error->message, "MB for a tensor of shape"));
      g_assert_false (hl_backend_is_lost (backend));
      n_failures++;
    }
  g_assert_cmpint (n_failures, >, 10);
}

/* From any launch on everything fails: the run ends with an error, and so does the next;
 * another backend is not concerned. */
static void
test_lost_device (void)
{
  g_autoptr (HlModel) model = NULL;
  g_autoptr (HlInput) input = NULL;
  golden_open_model ("vit-tiny", &model, &input);
  int n_failures = 0;
  for (int n = 1, n_launches = 100; n < n_launches; n += 7)
    {
      g_autoptr (GError) error = NULL, again = NULL, none = NULL;
      g_autoptr (HlBackend) backend = hl_cuda_open (HL_DTYPE_F32, 0, TRUE, &error);
      g_assert_no_error (error);
      long before = emulated_launches ();
      emulated_lose_device (n);
      g_autoptr (HlTrace) first = trace (model, input, backend, &error);
      n_launches = (int) (emulated_launches () - before);
      if (n_launches < n) /* all of it went through */
        {
          emulated_lose_device (0);
          break;
        }
      n_failures++;
      g_assert_error (error, HL_ERROR, HL_ERROR_DEVICE);
      g_assert_true (hl_backend_is_lost (backend));
      g_autoptr (HlTrace) second = trace (model, input, backend, &again);
      g_assert_error (again, HL_ERROR, HL_ERROR_DEVICE);
      g_assert_true (first == NULL && second == NULL);
      emulated_lose_device (0);
      hl_model_leave_device (model);
      g_autoptr (HlBackend) cpu = hl_cpu_backend_new (HL_DTYPE_F32, 1);
      g_autoptr (HlTrace) third = trace (model, input, cpu, &none);
      g_assert_no_error (none);
      n_launches = 100;
    }
  g_assert_cmpint (n_failures, >, 4);
}

/* Said before anything is uploaded. */
static void
test_too_large (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlModel) model = NULL;
  g_autoptr (HlInput) input = NULL;
  golden_open_model ("gpt2-tiny", &model, &input);
  g_autoptr (HlBackend) backend = hl_cuda_open (HL_DTYPE_F32, 4096, TRUE, &error);
  long launches = emulated_launches ();
  g_autoptr (HlTrace) none = trace (model, input, backend, &error);
  g_assert_error (error, HL_ERROR, HL_ERROR_MEMORY);
  g_assert_nonnull (strstr (error->message, "--backend cpu"));
  g_assert_cmpint (emulated_launches (), ==, launches);
}

/* Weights are uploaded once, and given up with the model. */
static void
test_weights_stay (void)
{
  g_autoptr (GError) error = NULL;
  HlModel *model = NULL;
  g_autoptr (HlInput) input = NULL;
  golden_open_model ("vit-tiny", &model, &input);
  g_autoptr (HlBackend) backend = hl_cuda_open (HL_DTYPE_F32, 0, TRUE, &error);
  size_t empty = emulated_used ();
  g_autoptr (HlTrace) first = trace (model, input, backend, &error);
  size_t loaded = emulated_used ();
  g_assert_cmpuint (loaded, >, empty);
  g_autoptr (HlTrace) second = trace (model, input, backend, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (emulated_used (), ==, loaded);
  hl_model_unref (model);
  g_assert_cmpuint (emulated_used (), ==, empty);
}

/* No driver, no device: a reason in one line. */
static void
test_no_device (void)
{
  const cudaError_t errors[] = { cudaErrorInsufficientDriver, cudaErrorNoDevice };
  const char *const words[] = { "driver", "device" };
  for (gsize i = 0; i < G_N_ELEMENTS (errors); i++)
    {
      g_autoptr (GError) error = NULL;
      emulated_set_devices (0, errors[i]);
      g_assert_null (hl_cuda_describe (&error));
      g_assert_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED);
      g_assert_nonnull (strstr (error->message, words[i]));
      g_assert_null (strchr (error->message, '\n'));
    }
  emulated_set_devices (1, cudaSuccess);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  device_suite_add ("emulated-cuda", open_emulated);
  g_test_add_func ("/device/emulated-cuda/out-of-memory", test_out_of_memory);
  g_test_add_func ("/device/emulated-cuda/lost", test_lost_device);
  g_test_add_func ("/device/emulated-cuda/too-large", test_too_large);
  g_test_add_func ("/device/emulated-cuda/weights-stay", test_weights_stay);
  g_test_add_func ("/device/emulated-cuda/no-device", test_no_device);
  return g_test_run ();
}
