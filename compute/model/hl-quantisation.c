/* SPDX-License-Identifier: MIT
 * Checkpoints whose weights are quantised. */
#include "model/hl-quantisation.h"

#include "base/hl-error.h"

#include <string.h>

#define ADVICE                                                                           \
  "quantised weights are not supported; open the model it was made from, whose "         \
  "weights are float32, float16 or bfloat16"

static const struct
{
  const char *method;
  const char *words;
} methods[] = {
  { "aqlm", "AQLM" },
  { "auto-round", "AutoRound" },
  { "awq", "AWQ" },
  { "bitnet", "BitNet" },
  { "bitsandbytes", "bitsandbytes" },
  { "compressed-tensors", "compressed-tensors" },
  { "eetq", "EETQ" },
  { "fbgemm_fp8", "float8 (FBGEMM)" },
  { "fp8", "float8" },
  { "gptq", "GPTQ" },
  { "hqq", "HQQ" },
  { "modelopt", "ModelOpt" },
  { "mxfp4", "MXFP4" },
  { "quanto", "quanto" },
  { "quark", "Quark" },
  { "torchao", "torchao" },
};

/* "_" and "-" are written either way. */
static gboolean
is_method (const char *text, const char *method)
{
  for (; *text != '\0' && *method != '\0'; text++, method++)
    if (g_ascii_tolower (*text) != *method &&
        !((*text == '_' || *text == '-') && (*method == '_' || *method == '-')))
      return FALSE;
  return *text == *method;
}

/* Of @quantisation, where it is said; 0 else. */
static int
count_bits (const json_t *quantisation)
{
  static const char *const fields[] = { "bits", "w_bit", "weight_bits", "wbits", NULL };
  if (json_is_true (json_object_get (quantisation, "load_in_4bit")))
    return 4;
  if (json_is_true (json_object_get (quantisation, "load_in_8bit")))
    return 8;
  for (int i = 0; fields[i] != NULL; i++)
    {
      const json_t *bits = json_object_get (quantisation, fields[i]);
      if (json_is_integer (bits) && json_integer_value (bits) > 0 &&
          json_integer_value (bits) < 32)
        return (int) json_integer_value (bits);
    }
  return 0;
}

static char *
describe (const json_t *quantisation)
{
  const json_t *field = json_object_get (quantisation, "quant_method");
  const char *method = json_string_value (field);
  const char *words = NULL;
  gboolean loads_4 = json_is_true (json_object_get (quantisation, "load_in_4bit"));
  gboolean loads_8 = json_is_true (json_object_get (quantisation, "load_in_8bit"));
  if (method != NULL && is_method (method, "bitsandbytes") && !loads_4 && !loads_8)
    return NULL; /* asked for nothing: the weights are as they were */
  for (gsize i = 0; method != NULL && i < G_N_ELEMENTS (methods); i++)
    if (is_method (method, methods[i].method))
      words = methods[i].words;
  if (words == NULL && (loads_4 || loads_8))
    words = "bitsandbytes";
  g_autofree char *quoted = words == NULL ? hl_json_describe (field) : NULL;
  g_autofree char *unknown =
      quoted != NULL ? g_strdup_printf ("the method %s",
                                        field != NULL ? quoted : "that is not named")
                     : NULL;
  int bits = count_bits (quantisation);
  if (words == NULL)
    words = unknown;
  return bits > 0 ? g_strdup_printf ("%s of %d bits", words, bits) : g_strdup (words);
}

char *
hl_quantisation_of_config (const json_t *config)
{
  static const char *const fields[] = { "quantization_config", "compression_config",
                                        NULL };
  const json_t *places[] = { config, json_object_get (config, "text_config") };
  for (gsize p = 0; p < G_N_ELEMENTS (places); p++)
    for (int i = 0; fields[i] != NULL; i++)
      {
        const json_t *found = json_object_get (places[p], fields[i]);
        char *words = json_object_size (found) > 0 ? describe (found) : NULL;
        if (words != NULL)
          return words;
      }
  return NULL;
}

static gboolean
is_one_of (const char *text, const char *const *list)
{
  for (int i = 0; list[i] != NULL; i++)
    if (g_str_equal (text, list[i]))
      return TRUE;
  return FALSE;
}

/* Masks and counters are integers too: only what is called a weight counts. */
static gboolean
is_weight (const char *name)
{
  static const char *const ends[] = { "weight", "qweight", "weight_packed", "_blocks",
                                      NULL };
  for (int i = 0; ends[i] != NULL; i++)
    if (g_str_has_suffix (name, ends[i]))
      return TRUE;
  return FALSE;
}

char *
hl_quantisation_of_weights (const HlSafetensors *st, const HlTensorInfo **tensor)
{
  static const char *const whole[] = { "I8", "U8", "I32", "U32", "I16", "U16", NULL };
  for (guint i = 0; i < hl_safetensors_get_n_tensors (st); i++)
    {
      const HlTensorInfo *info = hl_safetensors_get_nth (st, i);
      const char *type = info->file_dtype;
      gboolean is_small =
          type[0] == 'F' && strchr ("468", type[1]) != NULL && !g_str_equal (type, "F64");
      gboolean is_whole = is_one_of (type, whole);
      if (!is_weight (info->name) || (!is_small && !is_whole))
        continue;
      if (tensor != NULL)
        *tensor = info;
      if (is_small)
        return g_strdup_printf ("float%c (%s)", type[1], type);
      /* Four bits lie in pairs or eights in what the file calls a whole number. */
      return g_strdup_printf ("whole numbers of %s bits, or packed smaller ones (%s)",
                              type + 1, type);
    }
  return NULL;
}

gboolean
hl_quantisation_check (const json_t *config, const HlSafetensors *st, GError **error)
{
  g_autofree char *said = hl_quantisation_of_config (config);
  if (said != NULL)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                   "config.json: field \"quantization_config\": nothing expected, %s "
                   "found: %s",
                   said, ADVICE);
      return FALSE;
    }
  const HlTensorInfo *tensor = NULL;
  g_autofree char *found = st != NULL ? hl_quantisation_of_weights (st, &tensor) : NULL;
  if (found == NULL)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
               "%s: tensor \"%s\": float32, float16 or bfloat16 expected, %s found: %s",
               tensor->file, tensor->name, found, ADVICE);
  return FALSE;
}
