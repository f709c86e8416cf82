/* SPDX-License-Identifier: MIT
 * The work of a document: saliency, and what attention has to do with it. */
#include "config.h"

#include "analysis/hl-result-reader.h"
#include "analysis/hl-saliency-read.h"
#include "analysis/hl-spes.h"
#include "document/hl-document-private.h"
#include "io/hl-json.h"
#include "presenters/hl-present-compare.h"
#include "presenters/hl-present.h"
#include "presenters/hl-saliency-words.h"
#include "trace/hl-head-mask.h"

#include <glib/gi18n.h>
#include <string.h>

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
  gboolean goes_on; /* from what is known */
  HlCrossResult *known;
  HlSessionResult *kept;
  HlFaithfulnessMetric metric;
  char *other; /* (nullable): of the other tower, and what it is opened as */
  HlPair *pair;
  HlCrossMap *map; /* (nullable): whose attention deletion is of, and their names */
  char *heads;
  HlSaliencySet *given;  /* (nullable): saliency that a session has */
  HlSessionResult *bare; /* (nullable): what that was read from */
} Job;

static void
job_free (Job *job)
{
  g_object_unref (job->document);
  hl_model_unref (job->model);
  hl_input_unref (job->input);
  hl_attention_source_unref (job->source);
  g_free (job->other);
  hl_pair_free (job->pair);
  hl_cross_map_free (job->map);
  g_free (job->heads);
  g_clear_pointer (&job->interventions, g_ptr_array_unref);
  hl_cross_result_unref (job->known);
  g_clear_pointer (&job->kept, hl_session_result_unref);
  hl_saliency_set_free (job->given);
  g_clear_pointer (&job->bare, hl_session_result_unref);
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
  g_clear_pointer (&s->kept, hl_session_result_unref);
  g_clear_pointer (&s->checks, g_array_unref);
  g_clear_pointer (&s->map, hl_cross_map_free);
  g_clear_pointer (&s->map_heads, g_array_unref);
  g_clear_pointer (&s->asked_heads, g_array_unref);
  s->is_reading = FALSE;
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
  g_clear_pointer (&self->saliency.pair, g_free);
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

HlSessionResult *
hl_document_get_cross_kept (HlDocument *self)
{
  return self->saliency.kept;
}

char *
hl_document_dup_cross_csv (HlDocument *self)
{
  const HlCrossResult *made = self->saliency.made;
  return made != NULL ? hl_cross_comparison_to_csv (made->comparison, NULL) : NULL;
}

/* ---- what is in force -----------------------------------------------------------------
 */

void
hl_document_check_saliency (HlDocument *self)
{
  const HlCrossResult *made = self->saliency.made;
  if (made != NULL && !hl_trace_has_interventions (self->trace, made->interventions))
    hl_document_forget_saliency (self);
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

static GPtrArray *
list_interventions (HlDocument *self)
{
  guint n;
  const HlHeadKey *ablated = hl_selection_get_ablated (self->selection, &n);
  return hl_head_mask_interventions (hl_model_get_info (self->model), ablated, n);
}

gboolean
hl_document_can_compare (HlDocument *self)
{
  if (self->model == NULL || self->input == NULL || self->source == NULL ||
      (self->trace->logits == NULL && hl_document_get_saliency_pair (self) == NULL) ||
      g_strcmp0 (self->trace->input_hash, self->input->hash) != 0)
    return FALSE;
  g_autoptr (GPtrArray) interventions = list_interventions (self);
  g_autofree char *words = hl_interventions_describe (interventions);
  return hl_trace_has_interventions (self->trace, words);
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
    {
      job->known = hl_cross_result_ref (s->made);
      job->kept = hl_session_result_ref (s->kept);
    }
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

/* How good the map of a run is by now, on its way to the main thread. */
typedef struct
{
  HlDocument *document;
  guint epoch;
  GArray *checks;
} Checked;

static void
checked_free (gpointer data)
{
  Checked *checked = data;
  g_object_unref (checked->document);
  g_array_unref (checked->checks);
  g_free (checked);
}

static gboolean
checked_cb (gpointer data)
{
  Checked *checked = data;
  HlDocumentSaliency *s = &checked->document->saliency;
  if (checked->epoch != s->epoch)
    return G_SOURCE_REMOVE;
  g_clear_pointer (&s->checks, g_array_unref);
  s->checks = g_array_ref (checked->checks);
  hl_document_emit (checked->document, HL_DOCUMENT_BUSY);
  return G_SOURCE_REMOVE;
}

/* On the engine's thread. */
static void
tell_checks (const HlSpes *spes, gpointer data)
{
  Job *job = data;
  Checked *checked = g_new0 (Checked, 1);
  *checked = (Checked){ g_object_ref (job->document), job->epoch,
                        g_array_copy (hl_spes_get_maps (spes)->checks) };
  g_idle_add_full (G_PRIORITY_DEFAULT, checked_cb, checked, checked_free);
}

/* (transfer full): what there is when somebody stops it, too. */
static HlSaliencySet *
score_by_masks (Job *job, HlBackend *backend, const HlProgress *progress, GError **error)
{
  g_autoptr (GError) stop = NULL;
  HlSaliencyOptions *options = &job->choices.options;
  options->spes.checked = tell_checks;
  options->spes.checked_data = job;
  g_autoptr (HlSpes) spes =
      hl_spes_new (job->model, job->input, backend, job->target, job->choices.against,
                   job->position, options, progress, error);
  if (spes == NULL || (job->goes_on && !hl_spes_resume (spes, job->kept, error)))
    return NULL;
  gboolean has_some = hl_spes_run (spes, 0, progress, &stop) ||
                      (g_error_matches (stop, G_IO_ERROR, G_IO_ERROR_CANCELLED) &&
                       hl_spes_get_n_done (spes) > 0);
  if (!has_some)
    g_propagate_error (error, g_steal_pointer (&stop));
  return has_some ? hl_spes_to_set (spes) : NULL;
}

/* With a pair nothing else is a target. */
static gboolean
take_pair (Job *job, HlBackend *backend, const HlProgress *progress, GError **error)
{
  if (job->other == NULL)
    return TRUE;
  job->pair = hl_document_open_pair (job->model, job->other, backend, progress, error);
  job->choices.options.pair = job->pair;
  job->target = job->choices.against = -1;
  job->position = -1;
  return job->pair != NULL;
}

/* (transfer none) (nullable): rows of what is shown, as it was computed likewise: where
 * it was stopped it goes on. */
static const GPtrArray *
find_known (const Job *job)
{
  const HlCrossResult *known = job->known;
  return known != NULL && known->n_masks == 0 && known->pair == NULL &&
                 !known->options.by_norm &&
                 !known->options.keeps_special == !job->choices.cross.keeps_special &&
                 hl_saliency_set_is_like (known->set, &job->choices.options)
             ? known->set->rows
             : NULL;
}

static gpointer
compare_job (gpointer data,
             HlBackend *backend,
             const HlProgress *progress,
             GError **error)
{
  Job *job = data;
  g_autoptr (Compared) both = g_new0 (Compared, 1);
  if (!take_pair (job, backend, progress, error))
    return NULL;
  job->choices.options.interventions = job->interventions;
  job->choices.options.known = find_known (job);
  HlProgressPart scoring = { progress, 0, 0.9 }, comparing = { progress, 0.9, 1 };
  const HlProgress first = hl_progress_part (&scoring);
  HlProgress then = hl_progress_part (&comparing);
  both->set = job->given != NULL ? g_steal_pointer (&job->given)
              : hl_saliency_is_of_sets (job->choices.options.method)
                  ? score_by_masks (job, backend, &first, error)
                  : hl_saliency_set_score (job->model, job->input, backend, job->target,
                                           job->choices.against, job->position,
                                           &job->choices.options, &first, error);
  /* What was done is not lost by a stop; what is looked at still goes before. */
  if (both->set != NULL && (both->set->spes != NULL || both->set->is_partial))
    then.cancellable = NULL;
  if (both->set != NULL)
    both->cross = hl_cross_compare (job->source, backend, job->stack, both->set,
                                    &job->choices.cross, &then, error);
  return both->cross != NULL ? g_steal_pointer (&both) : NULL;
}

/* Into the session, and from there what is shown: so that both are the same; @result
 * (transfer full). */
static void
keep (HlDocument *self, HlSessionResult *result)
{
  g_autoptr (GError) error = NULL;
  HlCrossResult *made = hl_cross_result_read (result, &error);
  g_return_if_fail (made != NULL);
  g_clear_pointer (&self->saliency.made, hl_cross_result_unref);
  g_clear_pointer (&self->saliency.map, hl_cross_map_free);
  self->saliency.made = made;
  g_clear_pointer (&self->saliency.kept, hl_session_result_unref);
  self->saliency.kept = hl_session_result_ref (result);
  self->saliency.map_epoch++;
  hl_document_keep_result (self, result, NULL);
  hl_document_set_cross_heads (self, self->saliency.heads);
}

/* What a session brought is of what it says. */
static char *
describe_origin (HlDocument *self, const Job *job)
{
  if (job->bare != NULL)
    return g_strdup (job->bare->provenance_json);
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
  if (job->epoch == self->saliency.epoch)
    g_clear_pointer (&self->saliency.checks, g_array_unref);
  if (both != NULL)
    {
      g_autofree char *origin = describe_origin (self, job);
      int n = both->cross->n_targets;
      g_clear_pointer (&self->saliency.interventions, g_ptr_array_unref);
      self->saliency.interventions = g_steal_pointer (&job->interventions);
      HlSessionResult *made = hl_cross_comparison_to_result (both->cross, both->set,
                                                             &job->choices.cross, origin);
      if (job->bare != NULL)
        hl_cross_result_take_masks (made, job->bare);
      keep (self, made);
      hl_document_set_status (
          self,
          both->set->is_partial
              ? g_strdup_printf (ngettext ("Stopped at %d output; Compute goes on",
                                           "Stopped at %d outputs; Compute goes on", n),
                                 n)
              : g_strdup_printf (ngettext ("Explained %d output by %s",
                                           "Explained %d outputs by %s", n),
                                 n, hl_saliency_title (both->set->options.method)));
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

/* (transfer full) @job */
static void
begin_comparing (Job *job, int stack)
{
  HlDocument *self = job->document;
  self->saliency.epoch++;
  hl_document_stop_saliency (self);
  g_clear_pointer (&self->saliency.checks, g_array_unref);
  job->epoch = self->saliency.epoch;
  job->stack = stack;
  hl_document_begin_analysis (self, _ ("Computing saliency"));
  hl_engine_submit (self->engine, HL_JOB_ANALYSIS, compare_job, job, NULL,
                    (GDestroyNotify) compared_free, self->saliency.cancellable,
                    progress_cb, job, compared_cb, job);
  hl_document_emit (self, HL_DOCUMENT_SALIENCY);
}

/* Of the tower that predicts; -1 for none. */
static gint64
chosen_token (HlDocument *self)
{
  const HlPlace *place = hl_selection_get_place (self->selection);
  return hl_present_reads_out (self->trace, place->stack) && self->shown == self->trace
             ? place->query
             : -1;
}

gboolean
hl_document_check_saliency_choices (HlDocument *self, GError **error)
{
  const HlSaliencyChoices *choices = &self->saliency.choices;
  if (self->model == NULL || self->input == NULL)
    return TRUE;
  gint64 row = choices->at_token && self->trace != NULL ? chosen_token (self) : -1;
  return hl_saliency_check (self->model, self->input, row, &choices->options, error);
}

void
hl_document_compare (HlDocument *self)
{
  if (!hl_document_can_compare (self))
    return;
  Job *job = job_new (self);
  job->interventions = list_interventions (self);
  job->other = g_strdup (hl_document_get_saliency_pair (self));
  job->target = choose_target (self);
  if (self->saliency.choices.at_token)
    job->position = chosen_token (self);
  if (self->saliency.choices.at_token && job->position < 0)
    {
      hl_document_set_status (
          self, g_strdup (_ ("Choose a token of what the model says first, in tokens and "
                             "not in words")));
      job_free (job);
      return;
    }
  begin_comparing (job, compared_stack (hl_model_get_info (self->model)));
}

/* ---- going on ------------------------------------------------------------------------
 */

gboolean
hl_document_can_go_on (HlDocument *self)
{
  const HlCrossResult *made = self->saliency.made;
  return hl_document_can_compare (self) && made != NULL && made->n_masks > 0 &&
         !made->options.by_norm && made->pair == NULL;
}

/* One target, or every one: what is known says which. */
void
hl_document_go_on (HlDocument *self)
{
  if (!hl_document_can_go_on (self))
    return;
  Job *job = job_new (self);
  const HlCrossResult *made = self->saliency.made;
  const HlSaliencyRow *first = g_ptr_array_index (made->set->rows, 0);
  int n_masks = self->saliency.choices.options.spes.n_masks;
  job->goes_on = TRUE;
  job->interventions = list_interventions (self);
  job->choices.options = made->set->options;
  /* Who asks for more has more, however stable it is. */
  job->choices.options.spes.stable_at = 0;
  job->choices.options.spes.n_masks =
      made->n_masks + (n_masks > 0 ? n_masks : HL_SPES_MASKS);
  job->choices.cross = made->options;
  job->choices.against = -1;
  job->target = made->comparison->n_targets > 1 ? HL_TARGET_EVERY : first->target.index;
  job->position = job->target == HL_TARGET_EVERY ? -1 : first->target.row;
  begin_comparing (job, compared_stack (hl_model_get_info (self->model)));
}

const GArray *
hl_document_get_checks (HlDocument *self)
{
  return self->saliency.checks;
}

/* ---- sessions ------------------------------------------------------------------------
 */

/* The session's saliency that attention was not compared with, of this input; NULL. */
static HlSessionResult *
find_bare (HlDocument *self)
{
  for (guint i = hl_session_get_n_results (self->session); i > 0; i--)
    {
      const HlSessionResult *result = hl_session_get_result (self->session, i - 1);
      if (g_str_equal (result->id, HL_RESULT_SALIENCY) &&
          hl_result_is_of_trace (result, self->trace))
        return (HlSessionResult *) result;
    }
  return NULL;
}

/* What a command computed is held against attention as soon as it is opened. */
static void
compare_bare (HlDocument *self)
{
  HlSessionResult *bare = self->source != NULL ? find_bare (self) : NULL;
  if (bare == NULL || self->saliency.made != NULL)
    return;
  int stack = compared_stack (self->trace->model);
  g_autoptr (GError) error = NULL;
  g_autoptr (HlSaliencySet) set = hl_saliency_set_from_result (
      bare, hl_trace_get_key_tokens (self->trace, stack), &error);
  if (set == NULL || !hl_trace_has_interventions (self->trace, set->interventions))
    {
      hl_document_set_status (
          self, g_strdup (error != NULL ? error->message
                                        : _ ("The session's saliency is of other pruned "
                                             "heads than its maps")));
      return;
    }
  Job *job = job_new (self);
  job->given = g_steal_pointer (&set);
  job->bare = hl_session_result_ref (bare);
  begin_comparing (job, stack);
}

void
hl_document_take_saliency (HlDocument *self)
{
  for (guint i = 0; i < hl_session_get_n_results (self->session); i++)
    {
      const HlSessionResult *result = hl_session_get_result (self->session, i);
      g_autoptr (GError) error = NULL;
      if (!g_str_equal (result->id, HL_RESULT_CROSS) ||
          !hl_result_is_of_trace (result, self->trace))
        continue;
      g_autoptr (HlCrossResult) made = hl_cross_result_read (result, &error);
      if (made == NULL)
        hl_document_fail (self, _ ("A result of this session could not be read"), error);
      else if (hl_cross_result_fits (made, self->source))
        {
          clear_all (self);
          self->saliency.made = g_steal_pointer (&made);
          self->saliency.kept = hl_session_result_ref ((HlSessionResult *) result);
        }
    }
  hl_document_set_cross_heads (self, self->saliency.heads);
  compare_bare (self);
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
  HlSaliencySet with = *set;
  with.options = options;
  const HlFaithfulnessOptions by = {
    .seed = options.seed, .metric = job->metric, .map = job->map, .heads = job->heads
  };
  return hl_faithfulness_measure_by (job->model, job->input, backend, &with,
                                     job->known->comparison, &by, progress, error);
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
      keep (self, hl_cross_result_add_faithfulness (job->kept, made, origin));
      hl_document_set_status (self, g_strdup (_ ("Measured deletion and insertion")));
    }
  tell (self);
}

gboolean
hl_document_can_delete (HlDocument *self)
{
  const HlCrossResult *made = self->saliency.made;
  return made != NULL && made->pair == NULL && hl_document_can_compare (self) &&
         self->trace->logits != NULL;
}

/* Of the heads whose attention is shown. */
static void
take_map (Job *job)
{
  const HlDocumentSaliency *s = &job->document->saliency;
  if (s->map == NULL)
    return;
  job->map = hl_cross_map_copy (s->map);
  job->heads = hl_compare_list_heads ((const HlHeadKey *) (gpointer) s->map_heads->data,
                                      s->map_heads->len);
}

void
hl_document_delete (HlDocument *self, HlFaithfulnessMetric metric)
{
  if (!hl_document_can_delete (self))
    return;
  hl_document_stop_saliency (self);
  Job *job = job_new (self);
  job->metric = metric;
  take_map (job);
  job->interventions = self->saliency.interventions != NULL
                           ? g_ptr_array_ref (self->saliency.interventions)
                           : list_interventions (self);
  hl_document_begin_analysis (self, _ ("Taking tokens away"));
  hl_engine_submit (self->engine, HL_JOB_ANALYSIS, delete_job, job, NULL,
                    (GDestroyNotify) hl_faithfulness_free, self->saliency.cancellable,
                    progress_cb, job, deleted_cb, job);
  hl_document_emit (self, HL_DOCUMENT_SALIENCY);
}
