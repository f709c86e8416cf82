/* SPDX-License-Identifier: MIT
 * The work of a document: saliency, and what attention has to do with it. */
#include "config.h"

#include "analysis/hl-alignment.h"
#include "document/hl-document-private.h"
#include "trace/hl-head-mask.h"

#include <glib/gi18n.h>
#include <math.h>

/* What a job takes along; every field is its own reference. */
typedef struct
{
  HlDocument *document; /* only touched on the main thread */
  guint epoch;
  HlModel *model;
  HlInput *input;
  HlAttentionSource *source;
  GPtrArray *interventions;
  HlSaliencyChoices choices;
  int target;
  gint64 position;
  int stack;
  HlCrossResult *known;
  GArray *heads;
} Job;

static void
job_free (Job *job)
{
  g_object_unref (job->document);
  hl_model_unref (job->model);
  hl_input_unref (job->input);
  hl_attention_source_unref (job->source);
  g_clear_pointer (&job->interventions, g_ptr_array_unref);
  hl_cross_result_unref (job->known);
  g_clear_pointer (&job->heads, g_array_unref);
  g_free (job);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Job, job_free)

/* ---- state ---------------------------------------------------------------------------
 */

static void
clear_all (HlDocument *self)
{
  HlDocumentSaliency *s = &self->saliency;
  g_clear_pointer (&s->made, hl_cross_result_unref);
  g_clear_pointer (&s->map, hl_cross_map_free);
  g_clear_pointer (&s->interventions, g_ptr_array_unref);
}

void
hl_document_init_saliency (HlDocument *self)
{
  HlDocumentSaliency *s = &self->saliency;
  s->cancellable = g_cancellable_new ();
  s->choices = (HlSaliencyChoices){ .target = HL_TARGET_AUTO, .against = -1 };
}

void
hl_document_clear_saliency (HlDocument *self)
{
  clear_all (self);
  g_cancellable_cancel (self->saliency.cancellable);
  g_clear_object (&self->saliency.cancellable);
}

void
hl_document_stop_saliency (HlDocument *self)
{
  g_cancellable_cancel (self->saliency.cancellable);
  g_object_unref (self->saliency.cancellable);
  self->saliency.cancellable = g_cancellable_new ();
}

void
hl_document_forget_saliency (HlDocument *self)
{
  self->saliency.epoch++;
  self->saliency.map_epoch++;
  hl_document_stop_saliency (self);
  clear_all (self);
  hl_document_emit (self, HL_DOCUMENT_SALIENCY);
}

const HlSaliencyChoices *
hl_document_get_saliency_choices (HlDocument *self)
{
  return &self->saliency.choices;
}

void
hl_document_set_saliency_choices (HlDocument *self, const HlSaliencyChoices *choices)
{
  self->saliency.choices = *choices;
}

HlCrossResult *
hl_document_get_cross (HlDocument *self)
{
  return self->saliency.made;
}

char *
hl_document_dup_cross_csv (HlDocument *self)
{
  const HlCrossResult *made = self->saliency.made;
  return made != NULL ? hl_cross_comparison_to_csv (made->comparison) : NULL;
}

/* ---- results in the session ----------------------------------------------------------
 */

/* Of the maps that are there, whatever a file says. */
static gboolean
fits (HlDocument *self, const HlCrossResult *made)
{
  const HlCrossComparison *c = made->comparison;
  const HlStack *stack = hl_model_info_get_stack (self->trace->model, c->stack);
  HlHeadKey first = { c->stack, 0, 0 };
  gint64 Tq = 0, Tk = 0;
  if (stack == NULL || stack->n_layers != c->n_layers || c->n_layers < 1 ||
      !hl_attention_source_get_size (self->source, first, &Tq, &Tk) || Tk != c->n_keys)
    return FALSE;
  for (int i = 0; i < c->n_targets; i++)
    if (made->query[i] >= Tq)
      return FALSE;
  return c->n_targets > 0;
}

void
hl_document_take_saliency (HlDocument *self)
{
  for (guint i = 0; i < hl_session_get_n_results (self->session); i++)
    {
      const HlSessionResult *result = hl_session_get_result (self->session, i);
      g_autoptr (GError) error = NULL;
      if (!g_str_equal (result->id, HL_RESULT_CROSS) ||
          !hl_document_is_of_input (self, result))
        continue;
      g_autoptr (HlCrossResult) made = hl_cross_result_read (result, &error);
      if (made == NULL)
        hl_document_fail (self, _ ("A result of this session could not be read"), error);
      else if (fits (self, made))
        {
          clear_all (self);
          self->saliency.made = g_steal_pointer (&made);
        }
    }
  hl_document_emit (self, HL_DOCUMENT_SALIENCY);
}

/* ---- jobs ----------------------------------------------------------------------------
 */

static void
progress_cb (double fraction, const char *what, gpointer data)
{
  hl_document_step_analysis (((Job *) data)->document, fraction, NULL);
}

static int
compared_stack (const HlModelInfo *info)
{
  return info->readout_stack > 0 ? info->readout_stack + 1 : 0;
}

gboolean
hl_document_can_compare (HlDocument *self)
{
  return self->model != NULL && self->input != NULL && self->source != NULL &&
         self->trace->logits != NULL &&
         g_strcmp0 (self->trace->input_hash, self->input->hash) == 0;
}

static GPtrArray *
list_interventions (HlDocument *self)
{
  guint n;
  const HlHeadKey *ablated = hl_selection_get_ablated (self->selection, &n);
  return hl_head_mask_interventions (hl_model_get_info (self->model), ablated, n);
}

static Job *
job_new (HlDocument *self)
{
  HlDocumentSaliency *s = &self->saliency;
  Job *job = g_new0 (Job, 1);
  job->document = g_object_ref (self);
  job->epoch = s->epoch;
  job->choices = s->choices;
  job->position = -1;
  job->source = hl_attention_source_ref (self->source);
  if (s->made != NULL)
    job->known = hl_cross_result_ref (s->made);
  if (self->model == NULL)
    return job;
  job->model = hl_model_ref (self->model);
  if (self->input != NULL)
    job->input = hl_input_ref (self->input);
  return job;
}

/* ---- comparing -----------------------------------------------------------------------
 */

typedef struct
{
  HlSaliencySet *set;
  HlCrossComparison *cross;
} Compared;

static void
compared_free (Compared *both)
{
  if (both == NULL)
    return;
  hl_saliency_set_free (both->set);
  hl_cross_comparison_free (both->cross);
  g_free (both);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Compared, compared_free)

static gpointer
compare_job (gpointer data,
             HlBackend *backend,
             const HlProgress *progress,
             GError **error)
{
  Job *job = data;
  g_autoptr (Compared) both = g_new0 (Compared, 1);
  job->choices.options.interventions = job->interventions;
  both->set = hl_saliency_set_score (job->model, job->input, backend, job->target,
                                     job->choices.against, job->position,
                                     &job->choices.options, progress, error);
  if (both->set != NULL)
    both->cross = hl_cross_compare (job->source, backend, job->stack, both->set,
                                    &job->choices.cross, progress, error);
  return both->cross != NULL ? g_steal_pointer (&both) : NULL;
}

/* Into the session, and from there what is shown: so that both are the same. */
static void
keep (HlDocument *self, HlSessionResult *result)
{
  g_autoptr (GError) error = NULL;
  HlCrossResult *made = hl_cross_result_read (result, &error);
  g_return_if_fail (made != NULL);
  g_clear_pointer (&self->saliency.made, hl_cross_result_unref);
  g_clear_pointer (&self->saliency.map, hl_cross_map_free);
  self->saliency.made = made;
  self->saliency.map_epoch++;
  hl_document_keep_result (self, result, NULL);
  hl_document_set_cross_heads (self, self->saliency.heads);
}

static char *
describe_origin (HlDocument *self, const Job *job)
{
  return hl_document_describe_origin (self, job->model, job->input, NULL);
}

static void
tell (HlDocument *self)
{
  hl_document_emit (self, HL_DOCUMENT_SALIENCY);
  hl_document_emit (self, HL_DOCUMENT_BUSY);
  hl_document_emit (self, HL_DOCUMENT_SESSION);
}

static void
compared_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (Job) job = data;
  HlDocument *self = job->document;
  g_autoptr (Compared) both = hl_document_end_analysis (
      self, result, job->epoch == self->saliency.epoch, (GDestroyNotify) compared_free,
      _ ("Saliency could not be computed"));
  if (both != NULL)
    {
      g_autofree char *origin = describe_origin (self, job);
      int n = both->cross->n_targets;
      g_clear_pointer (&self->saliency.interventions, g_ptr_array_unref);
      self->saliency.interventions = g_steal_pointer (&job->interventions);
      keep (self, hl_cross_comparison_to_result (both->cross, both->set,
                                                 &job->choices.cross, origin));
      hl_document_set_status (
          self, g_strdup_printf (ngettext ("Explained %d output by %s",
                                           "Explained %d outputs by %s", n),
                                 n, hl_saliency_name (job->choices.options.method)));
    }
  tell (self);
}

/* What nobody names is every token where the model says several. */
static int
choose_target (HlDocument *self)
{
  const HlModelInfo *info = hl_model_get_info (self->model);
  int target = self->saliency.choices.target;
  if (self->saliency.choices.at_token && target == HL_TARGET_AUTO)
    return HL_TARGET_PREDICTED;
  if (target != HL_TARGET_AUTO)
    return target;
  return info->predicts == HL_PREDICTS_NEXT && self->input->ids != NULL &&
                 self->input->ids->shape.dim[1] > 1
             ? HL_TARGET_EVERY
             : HL_TARGET_PREDICTED;
}

void
hl_document_compare (HlDocument *self)
{
  if (!hl_document_can_compare (self))
    return;
  self->saliency.epoch++;
  hl_document_stop_saliency (self);
  Job *job = job_new (self);
  const HlPlace *place = hl_selection_get_place (self->selection);
  job->interventions = list_interventions (self);
  job->stack = compared_stack (hl_model_get_info (self->model));
  job->target = choose_target (self);
  if (self->saliency.choices.at_token && !self->view.by_words)
    job->position = place->query;
  hl_document_begin_analysis (self, _ ("Computing saliency"));
  hl_engine_submit (self->engine, HL_JOB_ANALYSIS, compare_job, job, NULL,
                    (GDestroyNotify) compared_free, self->saliency.cancellable,
                    progress_cb, job, compared_cb, job);
  hl_document_emit (self, HL_DOCUMENT_SALIENCY);
}

/* ---- deletion ------------------------------------------------------------------------
 */

static gpointer
delete_job (gpointer data, HlBackend *backend, const HlProgress *progress, GError **error)
{
  Job *job = data;
  HlSaliencySet *set = job->known->set;
  HlSaliencyOptions options = set->options;
  options.interventions = job->interventions;
  HlSaliencySet with = { options, set->rows, set->tokens, set->names };
  return hl_faithfulness_measure (job->model, job->input, backend, &with,
                                  job->known->comparison, options.seed, progress, error);
}

static void
deleted_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (Job) job = data;
  HlDocument *self = job->document;
  g_autoptr (HlFaithfulness) made = hl_document_end_analysis (
      self, result, job->known == self->saliency.made,
      (GDestroyNotify) hl_faithfulness_free, _ ("Deletion could not be measured"));
  if (made != NULL)
    {
      g_autofree char *origin = describe_origin (self, job);
      HlSessionResult *kept = hl_cross_comparison_to_result (
          job->known->comparison, job->known->set, &job->known->options, origin);
      hl_faithfulness_add_to (made, kept);
      keep (self, kept);
      hl_document_set_status (self, g_strdup (_ ("Measured deletion and insertion")));
    }
  tell (self);
}

void
hl_document_delete (HlDocument *self)
{
  if (!hl_document_can_compare (self) || self->saliency.made == NULL)
    return;
  hl_document_stop_saliency (self);
  Job *job = job_new (self);
  job->interventions = self->saliency.interventions != NULL
                           ? g_ptr_array_ref (self->saliency.interventions)
                           : list_interventions (self);
  hl_document_begin_analysis (self, _ ("Taking tokens away"));
  hl_engine_submit (self->engine, HL_JOB_ANALYSIS, delete_job, job, NULL,
                    (GDestroyNotify) hl_faithfulness_free, self->saliency.cancellable,
                    progress_cb, job, deleted_cb, job);
  hl_document_emit (self, HL_DOCUMENT_SALIENCY);
}

/* ---- heads ---------------------------------------------------------------------------
 */

HlCrossHeads
hl_document_get_cross_heads (HlDocument *self)
{
  return self->saliency.heads;
}

static void
append_best (const HlCrossComparison *c, GArray *heads)
{
  int n = c->n_layers * c->n_heads, best = -1;
  for (int i = 0; i < n; i++)
    if (!isnan (c->pearson[i]) && (best < 0 || c->pearson[i] > c->pearson[best]))
      best = i;
  HlHeadKey key = { c->stack, best / c->n_heads, best % c->n_heads };
  if (best >= 0)
    g_array_append_val (heads, key);
}

GArray *
hl_document_list_cross_heads (HlDocument *self, HlCrossHeads which)
{
  guint n_pinned;
  const HlHeadKey *pinned = hl_selection_get_pinned (self->selection, &n_pinned);
  const HlCrossResult *made = self->saliency.made;
  HlHeadKey looked_at = hl_selection_get_head (self->selection);
  if (which == HL_CROSS_HEADS_ALIGNMENT && made != NULL && self->model != NULL)
    return hl_alignment_list_named (self->model, made->comparison->stack);
  GArray *heads = g_array_new (FALSE, FALSE, sizeof (HlHeadKey));
  if (made == NULL)
    return heads;
  int stack = made->comparison->stack;
  if (which == HL_CROSS_HEADS_SELECTED && looked_at.stack == stack)
    g_array_append_val (heads, looked_at);
  for (guint i = 0; which == HL_CROSS_HEADS_PINNED && i < n_pinned; i++)
    if (pinned[i].stack == stack)
      g_array_append_val (heads, pinned[i]);
  if (which == HL_CROSS_HEADS_BEST)
    append_best (made->comparison, heads);
  return heads;
}

static gpointer
map_job (gpointer data, HlBackend *backend, const HlProgress *progress, GError **error)
{
  Job *job = data;
  HlCrossRows rows = hl_cross_result_get_rows (job->known, job->source, backend);
  return hl_cross_map_make (&rows, (const HlHeadKey *) (gpointer) job->heads->data,
                            job->heads->len, progress, error);
}

static void
map_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (Job) job = data;
  HlDocument *self = job->document;
  g_autoptr (GError) error = NULL;
  HlCrossMap *map = hl_engine_finish (self->engine, result, &error);
  if (job->epoch != self->saliency.map_epoch)
    {
      hl_cross_map_free (map);
      return;
    }
  if (map == NULL)
    hl_document_set_status (self, g_strdup (error->message));
  g_clear_pointer (&self->saliency.map, hl_cross_map_free);
  self->saliency.map = map;
  hl_document_emit (self, HL_DOCUMENT_SALIENCY);
}

/* What was shown stays until the other map is there, so that nothing flickers. */
void
hl_document_set_cross_heads (HlDocument *self, HlCrossHeads which)
{
  HlDocumentSaliency *s = &self->saliency;
  s->heads = which;
  s->map_epoch++;
  g_autoptr (GArray) heads = hl_document_list_cross_heads (self, which);
  if (which == HL_CROSS_HEADS_ALL || heads->len == 0 || s->made == NULL ||
      self->source == NULL)
    {
      g_clear_pointer (&s->map, hl_cross_map_free);
      hl_document_emit (self, HL_DOCUMENT_SALIENCY);
      return;
    }
  Job *job = job_new (self);
  job->epoch = s->map_epoch;
  job->heads = g_steal_pointer (&heads);
  hl_engine_submit (self->engine, HL_JOB_FOREGROUND, map_job, job, NULL,
                    (GDestroyNotify) hl_cross_map_free, NULL, NULL, NULL, map_cb, job);
}

const HlCrossMap *
hl_document_get_cross_map (HlDocument *self)
{
  return self->saliency.map;
}
