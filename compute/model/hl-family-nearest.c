/* SPDX-License-Identifier: MIT
 * Of a family that is not known: which known one is nearest. */
#include "model/hl-family-nearest.h"

#include "base/hl-error.h"
#include "model/hl-family.h"

#include <string.h>

#define NAME_MAX_BYTES 64
/* Below this two names have little in common. */
#define NAME_LIKENESS_MIN 0.55
/* So many tensors that are called and shaped alike are no chance. */
#define TENSORS_MIN 4

/* Fields that say how a model is built; those that others leave out, mostly. */
static const struct
{
  const char *field;
  const char *words;
} marks[] = {
  { "num_experts", "a mixture of experts" },
  { "num_local_experts", "a mixture of experts" },
  { "n_routed_experts", "a mixture of experts" },
  { "kv_lora_rank", "latent attention" },
  { "state_size", "a state space" },
  { "ssm_cfg", "a state space" },
  { "mamba_d_state", "a state space" },
  { "attn_logit_softcapping", "capped scores" },
  { "sliding_window", "a sliding window" },
  { "window_size", "windows" },
  { "depths", "stages" },
  { "alibi", "ALiBi" },
  { "use_parallel_residual", "parallel residuals" },
  { "parallel_attn", "parallel residuals" },
  { "rotary_pct", "partly rotary" },
  { "partial_rotary_factor", "partly rotary" },
  { "relative_attention_num_buckets", "relative positions" },
  { "vision_config", "a tower for pictures" },
  { "audio_config", "a tower for sound" },
  { "text_config", "a tower for text" },
  { "is_encoder_decoder", "an encoder and a decoder" },
};

/* Letters to add, leave out or change, from one name to the other. */
static int
edit_distance (const char *a, const char *b)
{
  int row[NAME_MAX_BYTES + 1];
  int n_a = (int) strnlen (a, NAME_MAX_BYTES), n_b = (int) strnlen (b, NAME_MAX_BYTES);
  for (int j = 0; j <= n_b; j++)
    row[j] = j;
  for (int i = 1; i <= n_a; i++)
    {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= n_b; j++)
        {
          int changed =
              diagonal + (g_ascii_tolower (a[i - 1]) != g_ascii_tolower (b[j - 1]));
          diagonal = row[j];
          row[j] = MIN (changed, MIN (row[j], row[j - 1]) + 1);
        }
    }
  return row[n_b];
}

/* 0..1; a name that goes on where the other ends is a variant of it. */
static double
name_likeness (const char *a, const char *b)
{
  gsize n_a = strnlen (a, NAME_MAX_BYTES), n_b = strnlen (b, NAME_MAX_BYTES);
  gsize longest = MAX (n_a, n_b), shortest = MIN (n_a, n_b);
  if (shortest == 0)
    return 0;
  double likeness = 1 - (double) edit_distance (a, b) / (double) longest;
  gboolean goes_on = shortest >= 3 && g_ascii_strncasecmp (a, b, shortest) == 0;
  return goes_on ? MAX (likeness, 0.6 + 0.4 * likeness) : likeness;
}

/* The family's own name for it that is likest. */
static const char *
likest_type (const HlFamily *family, const char *model_type, double *likeness)
{
  const char *best = family->model_types[0];
  *likeness = 0;
  for (int i = 0; family->model_types[i] != NULL; i++)
    {
      double found = name_likeness (family->model_types[i], model_type);
      if (found > *likeness)
        {
          *likeness = found;
          best = family->model_types[i];
        }
    }
  return best;
}

/* A known family as a guess. */
typedef struct
{
  const HlFamily *family;
  const char *type;
  double score;
  double likeness; /* of the name */
  guint n_used;    /* tensors that it found, called and shaped as it wants them */
  gboolean loads;
  char *differs; /* (nullable) */
} Guess;

static void
guess_clear (Guess *guess)
{
  g_free (guess->differs);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Guess, guess_clear)

/* Lets the family load the weights as if they were its own. */
static void
try_load (Guess *guess, const json_t *config, HlSafetensors *st)
{
  g_autoptr (json_t) copy = json_copy ((json_t *) config);
  json_object_set_new (copy, "model_type", json_string (guess->type));
  g_autoptr (HlModelInfo) info = hl_model_info_new ();
  g_autoptr (HlWeights) weights = hl_weights_new (st, 0);
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = g_path_get_dirname (hl_safetensors_get_path (st));
  HlLoader loader = { copy, weights, info, folder };
  gpointer data = guess->family->load (&loader, &error);
  guess->loads = data != NULL;
  if (data != NULL)
    guess->family->free_data (data);
  const char *unused = NULL;
  guint n_unused = hl_weights_count_unused (weights, &unused);
  guess->n_used = hl_safetensors_get_n_tensors (st) - n_unused;
  if (error != NULL)
    guess->differs = g_strdup (error->message);
  else if (n_unused > 0)
    guess->differs = g_strdup_printf (
        "%u of its tensors have no place in that, the first is %s", n_unused, unused);
}

static void
judge (Guess *guess, const char *model_type, const json_t *config, HlSafetensors *st)
{
  guess->type = likest_type (guess->family, model_type, &guess->likeness);
  if (st != NULL && config != NULL)
    try_load (guess, config, st);
  guess->score = guess->likeness;
  if (guess->loads)
    guess->score +=
        (double) guess->n_used / (double) MAX (hl_safetensors_get_n_tensors (st), 1);
  else
    guess->score += MIN (0.4, 0.02 * (double) guess->n_used);
}

static void
add_marks (GString *words, const json_t *config)
{
  int n = 0;
  for (gsize i = 0; i < G_N_ELEMENTS (marks) && n < 3; i++)
    {
      const json_t *value = json_object_get (config, marks[i].field);
      if (value == NULL || json_is_null (value) || json_is_false (value))
        continue;
      g_autofree char *text = hl_json_describe (value);
      gboolean is_short = json_is_number (value);
      g_string_append_printf (words, "%s%s%s%s (%s)", n == 0 ? "; it has " : ", ",
                              marks[i].field, is_short ? " " : "", is_short ? text : "",
                              marks[i].words);
      n++;
    }
}

char *
hl_family_describe_nearest (const char *model_type,
                            const json_t *config,
                            HlSafetensors *st)
{
  g_auto (Guess) best = { 0 };
  const HlFamily *family;
  for (guint i = 0; (family = hl_family_get_nth (i)) != NULL; i++)
    {
      g_auto (Guess) guess = { .family = family };
      judge (&guess, model_type, config, st);
      if (guess.score <= best.score)
        continue;
      guess_clear (&best);
      best = guess;
      guess.differs = NULL; /* went with it */
    }
  gboolean is_near =
      best.likeness >= NAME_LIKENESS_MIN || best.loads || best.n_used >= TENSORS_MIN;
  if (best.family == NULL || !is_near)
    return NULL;
  GString *words = g_string_new (NULL);
  g_string_append_printf (words, "nearest is %s (%s)", best.type, best.family->title);
  add_marks (words, config);
  if (best.differs != NULL)
    g_string_append_printf (words, "; as %s: %s", best.type, best.differs);
  else if (best.loads)
    g_string_append (words, "; its tensors are called and shaped as there");
  return g_string_free (words, FALSE);
}

const char *
hl_family_nearest_name (const char *model_type)
{
  const char *best = NULL;
  double most = NAME_LIKENESS_MIN;
  const HlFamily *family;
  for (guint i = 0; (family = hl_family_get_nth (i)) != NULL; i++)
    {
      double likeness;
      const char *type = likest_type (family, model_type, &likeness);
      if (likeness < most)
        continue;
      most = likeness;
      best = type;
    }
  return best;
}

void
hl_family_refuse (const char *model_type,
                  const json_t *config,
                  HlSafetensors *st,
                  GError **error)
{
  g_autoptr (GError) unknown = NULL;
  hl_family_find (model_type, NULL, &unknown);
  g_autofree char *nearest = hl_family_describe_nearest (model_type, config, st);
  g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED, "%s%s%s",
               unknown != NULL ? unknown->message : model_type,
               nearest != NULL ? "; " : "", nearest != NULL ? nearest : "");
}
