/* SPDX-License-Identifier: MIT
 * Ways to compute saliency, in words. */
#include "config.h"

#include "presenters/hl-saliency-words.h"

#include "analysis/hl-result-reader.h"

#include <glib/gi18n-lib.h>

static const struct
{
  const char *id;
  const char *words;
  const char *formula;
} methods[] = {
  { "gradient-input", N_ ("Gradient × input"),
    N_ ("sum over the width of (x − x0) dz/dx, x the token's embedding, x0 the "
        "baseline's, z the logit before the softmax") },
  { "integrated-gradients", N_ ("Integrated gradients"),
    N_ ("(x − x0) times the mean of dz/dx between x0 and x; steps double until the sum "
        "is "
        "within a hundredth of z(x) − z(x0) (Sundararajan et al., arXiv 1703.01365)") },
  { "smoothgrad", N_ ("SmoothGrad"),
    N_ ("(x − x0) times the mean of dz/dx at x and normal noise (Smilkov et al., arXiv "
        "1706.03825)") },
  { "occlusion", N_ ("Occlusion"),
    N_ ("z(x) less z with the token's embedding replaced by the baseline's") },
  { "attention-gradient", N_ ("Attention × gradient"),
    N_ ("sum over layers of the mean over heads of relu (A dz/dA), the row that is "
        "read") },
  { "rollout", N_ ("Attention rollout"),
    N_ ("the product over layers of maps, half of each the identity (Abnar and Zuidema, "
        "arXiv 2005.00928); it knows the output by its row alone") },
  { "flow", N_ ("Attention flow"),
    N_ ("the greatest flow through the maps of all layers (Abnar and Zuidema, arXiv "
        "2005.00928); it knows the output by its row alone") },
  { "relevance", N_ ("Relevance (Chefer)"),
    N_ ("the rules of Chefer et al. (arXiv 2103.15679) from relu (A dz/dA) of each "
        "layer") },
  { "norm-attention", N_ ("Norm-based attention"),
    N_ ("the norm of what the heads of a layer carry, of the sum of A v W_O, mean over "
        "layers (Kobayashi et al., arXiv 2004.10102); it knows the output by its row "
        "alone") },
  { "spes", N_ ("SPES (masked runs)"),
    N_ ("how far the whole distribution is from itself, in nats (KL), where the part is "
        "hidden among others hidden at random, mean over masks (Fucci et al., arXiv "
        "2411.01710); what is not read has the masks' mean and not 0") },
};

/* As captions have them. */
static const char *const baselines[HL_N_BASELINES] = { N_ ("zero"),  N_ ("mean"),
                                                       N_ ("mask"),  N_ ("padding"),
                                                       N_ ("black"), N_ ("blur") };

static int
find_method (HlSaliencyMethod method)
{
  for (guint i = 0; i < G_N_ELEMENTS (methods); i++)
    if (g_str_equal (methods[i].id, hl_saliency_name (method)))
      return (int) i;
  return -1;
}

const char *
hl_saliency_title (HlSaliencyMethod method)
{
  int i = find_method (method);
  return i >= 0 ? _ (methods[i].words) : hl_saliency_name (method);
}

const char *
hl_saliency_explain (HlSaliencyMethod method)
{
  int i = find_method (method);
  return i >= 0 ? _ (methods[i].formula) : "";
}

char *
hl_saliency_describe (const HlSaliencyOptions *o)
{
  if (!hl_saliency_has_baseline (o->method))
    return g_strdup (hl_saliency_title (o->method));
  return g_strdup_printf (o->at_features ? _ ("%s, baseline %s, at the encoder's output")
                                         : _ ("%s, baseline %s"),
                          hl_saliency_title (o->method), _ (baselines[o->baseline]));
}

char *
hl_saliency_of (const char *described, gboolean is_size)
{
  return g_strdup_printf (is_size ? _ ("the size of saliency (%s)") : _ ("saliency (%s)"),
                          described);
}

char *
hl_saliency_describe_params (const json_t *params)
{
  const char *method = hl_result_get_string (params, "method");
  HlSaliencyOptions o = { .at_features =
                              json_is_true (json_object_get (params, "at_encoder")) };
  hl_baseline_from_name (hl_result_get_string (params, "baseline"), &o.baseline);
  return hl_saliency_from_name (method, &o.method) ? hl_saliency_describe (&o)
                                                   : g_utf8_make_valid (method, -1);
}
