/* SPDX-License-Identifier: MIT
 * Which backends there are. CUDA is a module that is opened when somebody asks: what it
 * needs of the machine is looked for by it. */
#include "config.h"

#include "backend/hl-backend-list.h"

#include "backend/cpu/hl-cpu.h"
#include "backend/cuda/hl-cuda.h"
#include "base/hl-error.h"
#include "base/hl-paths.h"

#include <gmodule.h>

#define MODULE_NAME "headlight-cuda.so"

/* ---- the module ----------------------------------------------------------------------
 */

static gboolean
check_module (const HlCudaModule *cuda, const char *path, GError **error)
{
  if (g_str_equal (cuda->version, HL_VERSION) && cuda->layout == HL_CUDA_LAYOUT)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
               "%s belongs to another build of Headlight (%s)", path, cuda->version);
  return FALSE;
}

/* It stays in memory: tensors of it may outlive every backend. */
static const HlCudaModule *
open_module (GError **error)
{
  gpointer symbol = NULL;
  g_autofree char *path = hl_path_module (MODULE_NAME);
  if (path == NULL)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                   "no module %s: it is built where nvcc is", MODULE_NAME);
      return NULL;
    }
  GModule *module = g_module_open (path, G_MODULE_BIND_LAZY | G_MODULE_BIND_LOCAL);
  if (module == NULL || !g_module_symbol (module, HL_CUDA_MODULE_SYMBOL, &symbol))
    {
      g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED, "%s could not be opened: %s",
                   path, g_module_error ());
      return NULL;
    }
  g_module_make_resident (module);
  const HlCudaModule *cuda = ((HlCudaModuleGet) symbol) ();
  return check_module (cuda, path, error) ? cuda : NULL;
}

/* (transfer full) (nullable): ops whose kernels have never run on a GPU. */
static char **
list_unproven (void)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  int n = 0;
  for (int op = 0; op < HL_N_OPS; op++)
    if (!hl_op_get_info ((HlOp) op)->is_proven_on_cuda)
      {
        g_strv_builder_add (names, hl_op_get_info ((HlOp) op)->name);
        n++;
      }
  return n > 0 ? g_strv_builder_end (names) : NULL;
}

/* ---- the list ------------------------------------------------------------------------
 */

static void
status_free (gpointer data)
{
  HlBackendStatus *status = data;
  g_free (status->text);
  g_strfreev (status->unproven);
  g_free (status);
}

static HlBackendStatus *
cuda_status (void)
{
  g_autoptr (GError) error = NULL;
  HlBackendStatus *status = g_new0 (HlBackendStatus, 1);
  const HlCudaModule *cuda = open_module (&error);
  g_autofree char *words = cuda != NULL ? cuda->describe (&error) : NULL;
  status->id = "cuda";
  status->is_available = words != NULL;
  status->unproven = list_unproven ();
  status->is_automatic = status->is_available && status->unproven == NULL;
  if (words == NULL)
    status->text = g_strdup (error->message);
  else if (status->unproven == NULL)
    status->text = g_steal_pointer (&words);
  else
    status->text = g_strdup_printf (
        "%s; %u of %d kernels have never run on a GPU: used only when asked for", words,
        g_strv_length (status->unproven), HL_N_OPS);
  return status;
}

static HlBackendStatus *
cpu_status (gboolean is_automatic)
{
  HlBackendStatus *status = g_new0 (HlBackendStatus, 1);
  g_autoptr (HlBackend) cpu = hl_cpu_backend_new (HL_DTYPE_F32, 0);
  status->id = "cpu";
  status->is_available = TRUE;
  status->is_automatic = is_automatic;
  status->text = cpu->klass->describe (cpu);
  return status;
}

GPtrArray *
hl_backend_list (void)
{
  GPtrArray *list = g_ptr_array_new_with_free_func (status_free);
  HlBackendStatus *cuda = cuda_status ();
  g_ptr_array_add (list, cpu_status (!cuda->is_automatic));
  g_ptr_array_add (list, cuda);
  return list;
}

/* ---- opening -------------------------------------------------------------------------
 */

static gboolean
parse_precision (const char *text, HlDtype *dtype, GError **error)
{
  static const struct
  {
    const char *name;
    HlDtype dtype;
  } names[] = { { "f32", HL_DTYPE_F32 },       { "bf16", HL_DTYPE_BF16 },
                { "f16", HL_DTYPE_F16 },       { "float32", HL_DTYPE_F32 },
                { "bfloat16", HL_DTYPE_BF16 }, { "float16", HL_DTYPE_F16 } };
  *dtype = HL_DTYPE_F32;
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (text == NULL || g_str_equal (text, names[i].name))
      {
        *dtype = text != NULL ? names[i].dtype : HL_DTYPE_F32;
        return TRUE;
      }
  g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
               "precision: f32, bf16 or f16 expected, \"%s\" found", text);
  return FALSE;
}

static HlBackend *
open_cpu (HlDtype dtype, GError **error)
{
  if (dtype == HL_DTYPE_F32)
    return hl_cpu_backend_new (HL_DTYPE_F32, 0);
  g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
               "precision %s: the CPU computes in float32; it needs --backend cuda",
               hl_dtype_name (dtype));
  return NULL;
}

static HlBackend *
open_cuda (HlDtype dtype, GError **error)
{
  GError *reason = NULL;
  const HlCudaModule *cuda = open_module (&reason);
  HlBackend *backend = cuda != NULL ? cuda->open (dtype, &reason) : NULL;
  if (backend == NULL)
    g_propagate_prefixed_error (error, reason, "backend cuda cannot be used here: ");
  return backend;
}

/* The GPU where every kernel was seen to work on one, and where there is one. */
static HlBackend *
open_best (HlDtype dtype, GError **error)
{
  g_auto (GStrv) unproven = list_unproven ();
  HlBackend *cuda = unproven == NULL ? open_cuda (dtype, NULL) : NULL;
  return cuda != NULL ? cuda : open_cpu (dtype, error);
}

static HlBackend *
open_chosen (const HlBackendChoice *choice, GError **error)
{
  const char *id = choice->id;
  HlDtype dtype;
  if (!parse_precision (choice->precision, &dtype, error))
    return NULL;
  if (id == NULL || g_str_equal (id, "auto"))
    return open_best (dtype, error);
  if (g_str_equal (id, "cpu"))
    return open_cpu (dtype, error);
  if (g_str_equal (id, "cuda"))
    return open_cuda (dtype, error);
  g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
               "backend: cpu, cuda or auto expected, \"%s\" found", id);
  return NULL;
}

HlBackend *
hl_backend_open (const HlBackendChoice *choice, GError **error)
{
  static const HlBackendChoice best = { NULL };
  if (choice == NULL)
    choice = &best;
  if (!choice->gives_in)
    return open_chosen (choice, error);
  HlBackend *backend = open_chosen (choice, NULL);
  return backend != NULL ? backend : open_cpu (HL_DTYPE_F32, error);
}
