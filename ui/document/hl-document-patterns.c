/* SPDX-License-Identifier: MIT
 * The work of a document: summaries of attention patterns, trained in the engine's last
 * queue; where the current input's heads lie in them; the map somebody looks at. */
#include "config.h"

#include "analysis/hl-patterns-result.h"
#include "document/hl-document-private.h"
#include "trace/hl-head-mask.h"

#include <glib/gi18n.h>
#include <string.h>

/* What a job takes along; every field is its own reference. */
typedef struct
{
  HlDocument *document; /* only touched on the main thread */
  guint epoch, spot_epoch;
  HlModel *model;
  HlInput *input;
  HlDataset *dataset;
  GPtrArray *interventions;
  GPtrArray *resume;
  HlPatternChoices choices;
  HlPatterns *patterns; /* of spots and of a look */
  HlAttentionSource *source;
  int map_index;
} Job;

static void
job_free (Job *job)
{
  g_object_unref (job->document);
  g_clear_pointer (&job->model, hl_model_unref);
  g_clear_pointer (&job->input, hl_input_unref);
  g_clear_pointer (&job->dataset, hl_dataset_unref);
  g_clear_pointer (&job->interventions, g_ptr_array_unref);
  g_clear_pointer (&job->resume, g_ptr_array_unref);
  g_clear_pointer (&job->patterns, hl_patterns_unref);
  g_clear_pointer (&job->source, hl_attention_source_unref);
  g_free (job);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Job, job_free)

static Job *
job_new (HlDocument *self)
{
  Job *job = g_new0 (Job, 1);
  job->document = g_object_ref (self);
  job->epoch = self->patterns.epoch;
  job->spot_epoch = self->patterns.spot_epoch;
  return job;
}

/* ---- state ---------------------------------------------------------------------------
 */

static void
look_free (HlPatternLook *look)
{
  g_free (look->map);
  g_free (look->rebuilt);
  g_free (look);
}

void
hl_document_init_patterns (HlDocument *self)
{
  self->patterns.cancellable = g_cancellable_new ();
  self->patterns.losses = g_array_new (FALSE, FALSE, sizeof (HlPatternLoss));
  self->patterns.wanted_map = -1;
}

static void
clear_spots (HlDocument *self)
{
  for (int k = 0; k < HL_N_PATTERNS; k++)
    {
      g_clear_pointer (&self->patterns.spots[k], hl_pattern_spots_free);
      self->patterns.wants_spots[k] = FALSE;
    }
  self->patterns.spot_epoch++;
}

static void
clear_all (HlDocument *self)
{
  for (int k = 0; k < HL_N_PATTERNS; k++)
    g_clear_pointer (&self->patterns.all[k], hl_patterns_unref);
  g_clear_pointer (&self->patterns.look, look_free);
  self->patterns.wanted_map = -1;
  clear_spots (self);
}

void
hl_document_clear_patterns (HlDocument *self)
{
  clear_all (self);
  g_cancellable_cancel (self->patterns.cancellable);
  g_clear_object (&self->patterns.cancellable);
  g_clear_pointer (&self->patterns.losses, g_array_unref);
}

void
hl_document_stop_patterns (HlDocument *self)
{
  g_cancellable_cancel (self->patterns.cancellable);
  g_object_unref (self->patterns.cancellable);
  self->patterns.cancellable = g_cancellable_new ();
}

void
hl_document_forget_patterns (HlDocument *self)
{
  self->patterns.epoch++;
  hl_document_stop_patterns (self);
  clear_all (self);
  g_array_set_size (self->patterns.losses, 0);
  self->patterns.choices = (HlPatternChoices){ 0 };
  hl_document_emit (self, HL_DOCUMENT_PATTERNS);
}

void
hl_document_forget_spots (HlDocument *self)
{
  clear_spots (self);
  hl_document_emit (self, HL_DOCUMENT_PATTERNS);
}

const HlPatternChoices *
hl_document_get_pattern_choices (HlDocument *self)
{
  return &self->patterns.choices;
}

void
hl_document_set_pattern_choices (HlDocument *self, const HlPatternChoices *choices)
{
  self->patterns.choices = *choices;
}

HlPatterns *
hl_document_get_patterns (HlDocument *self, HlPatternKind kind)
{
  return self->patterns.all[kind];
}

GPtrArray *
hl_document_get_all_patterns (HlDocument *self)
{
  GPtrArray *all = g_ptr_array_new_with_free_func ((GDestroyNotify) hl_patterns_unref);
  for (int k = 0; k < HL_N_PATTERNS; k++)
    if (self->patterns.all[k] != NULL)
      g_ptr_array_add (all, hl_patterns_ref (self->patterns.all[k]));
  return all;
}

const HlPatternLoss *
hl_document_get_pattern_losses (HlDocument *self, HlPatternKind *kind, int *n)
{
  *kind = self->patterns.training;
  *n = (int) self->patterns.losses->len;
  return *n > 0 ? (const HlPatternLoss *) (gpointer) self->patterns.losses->data : NULL;
}

/* ---- results in the session ----------------------------------------------------------
 */

/* One result of a kind; without an @origin it has the older one's. */
static void
keep_result (HlDocument *self, const HlPatterns *p, const char *origin)
{
  g_autofree char *mark =
      g_strdup_printf ("\"kind\":\"%s\"", hl_pattern_kind_id (p->kind));
  g_autofree char *kept = g_strdup (origin);
  for (guint i = 0; kept == NULL && i < hl_session_get_n_results (self->session); i++)
    {
      const HlSessionResult *old = hl_session_get_result (self->session, i);
      if (g_str_equal (old->id, HL_RESULT_PATTERNS) &&
          strstr (old->params_json, mark) != NULL)
        kept = g_strdup (old->provenance_json);
    }
  hl_document_keep_result (
      self, hl_patterns_to_result (p, NULL, kept != NULL ? kept : "{}"), mark);
}

void
hl_document_take_patterns (HlDocument *self)
{
  const HlStack *stack = hl_model_info_get_stack (self->trace->model, 0);
  for (guint i = 0; i < hl_session_get_n_results (self->session); i++)
    {
      const HlSessionResult *result = hl_session_get_result (self->session, i);
      g_autoptr (GError) error = NULL;
      if (!g_str_equal (result->id, HL_RESULT_PATTERNS))
        continue;
      HlPatterns *p = hl_patterns_from_result (result, stack, &error);
      if (p == NULL)
        {
          hl_document_fail (self, _ ("A result of this session could not be read"),
                            error);
          continue;
        }
      g_clear_pointer (&self->patterns.all[p->kind], hl_patterns_unref);
      self->patterns.all[p->kind] = p;
    }
  hl_document_emit (self, HL_DOCUMENT_PATTERNS);
}

void
hl_document_rename_pattern (HlDocument *self,
                            HlPatternKind kind,
                            int cluster,
                            const char *name)
{
  HlPatterns **place = &self->patterns.all[kind];
  if (*place == NULL || cluster < 0 || cluster >= (int) (*place)->clusters->len ||
      g_str_equal (hl_patterns_get_cluster (*place, cluster)->name, name))
    return;
  g_autoptr (HlPatterns) before = g_steal_pointer (place);
  *place = hl_patterns_rename (before, cluster, name);
  keep_result (self, *place, NULL);
  hl_document_emit (self, HL_DOCUMENT_PATTERNS);
  hl_document_emit (self, HL_DOCUMENT_SESSION);
}

/* ---- training ------------------------------------------------------------------------
 */

static void
progress_cb (double fraction, const char *what, gpointer data)
{
  gboolean has_words = what != NULL && what[0] != '\0';
  hl_document_step_analysis (((Job *) data)->document, fraction,
                             has_words ? g_strdup_printf (_ ("Patterns: %s"), what)
                                       : NULL);
}

/* Losses on their way to the main thread. */
typedef struct
{
  HlDocument *document;
  guint epoch;
  HlPatternKind kind;
  GArray *losses;
} Known;

static void
known_free (gpointer data)
{
  Known *known = data;
  g_array_unref (known->losses);
  g_object_unref (known->document);
  g_free (known);
}

static gboolean
known_cb (gpointer data)
{
  Known *known = data;
  HlDocumentPatterns *p = &known->document->patterns;
  if (known->epoch != p->epoch)
    return G_SOURCE_REMOVE;
  g_array_unref (p->losses);
  p->losses = g_array_ref (known->losses);
  p->training = known->kind;
  hl_document_emit (known->document, HL_DOCUMENT_PATTERNS);
  return G_SOURCE_REMOVE;
}

/* On the engine's thread. */
static void
epoch_cb (HlPatternKind kind, const HlPatternLoss *losses, int n, gpointer data)
{
  Job *job = data;
  Known *known = g_new0 (Known, 1);
  GArray *copy = g_array_new (FALSE, FALSE, sizeof (HlPatternLoss));
  g_array_append_vals (copy, losses, (guint) n);
  *known = (Known){ g_object_ref (job->document), job->epoch, kind, copy };
  g_idle_add_full (G_PRIORITY_DEFAULT, known_cb, known, known_free);
}

static gpointer
find_job (gpointer data, HlBackend *backend, const HlProgress *progress, GError **error)
{
  Job *job = data;
  HlPatternOptions options = { .epochs = job->choices.epochs,
                               .n_clusters = job->choices.n_clusters,
                               .side = job->choices.side,
                               .resume = job->resume,
                               .epoch_done = epoch_cb,
                               .epoch_data = job };
  if (job->resume != NULL)
    {
      const HlPatterns *old = g_ptr_array_index (job->resume, 0);
      int more = options.epochs > 0 ? options.epochs : HL_PATTERN_EPOCHS;
      options.epochs = (int) old->losses->len + more;
    }
  return hl_pattern_survey (job->model, job->dataset, job->input, job->interventions,
                            backend, &options, progress, error);
}

static void
take_found (HlDocument *self, const Job *job, GPtrArray *found)
{
  g_autofree char *origin =
      hl_document_describe_origin (self, job->model, job->input, job->dataset);
  const HlPatterns *first = g_ptr_array_index (found, 0);
  clear_all (self);
  for (guint i = 0; i < found->len; i++)
    {
      HlPatterns *p = g_ptr_array_index (found, i);
      self->patterns.all[p->kind] = hl_patterns_ref (p);
      keep_result (self, p, origin);
    }
  hl_document_set_status (
      self, first->is_partial
                ? g_strdup_printf (_ ("Stopped: patterns of %d maps after %u epochs"),
                                   hl_patterns_get_n (first), first->losses->len)
            : first->skipped->len > 0
                ? g_strdup_printf (_ ("Patterns of %u inputs; %u could not be read: %s"),
                                   first->inputs->len, first->skipped->len,
                                   (char *) g_ptr_array_index (first->skipped, 0))
                : g_strdup_printf (_ ("Patterns of %d maps"), hl_patterns_get_n (first)));
}

static void
found_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (Job) job = data;
  HlDocument *self = job->document;
  gboolean is_wanted = job->epoch == self->patterns.epoch;
  g_autoptr (GPtrArray) found = hl_document_end_analysis (
      self, result, is_wanted, (GDestroyNotify) g_ptr_array_unref,
      _ ("Patterns could not be found"));
  if (is_wanted)
    g_array_set_size (self->patterns.losses, 0);
  if (found != NULL)
    take_found (self, job, found);
  hl_document_emit (self, HL_DOCUMENT_PATTERNS);
  hl_document_emit (self, HL_DOCUMENT_BUSY);
  hl_document_emit (self, HL_DOCUMENT_SESSION);
}

void
hl_document_find_patterns (HlDocument *self, HlScoreScope scope, gboolean resumes)
{
  guint n;
  const HlHeadKey *ablated = hl_selection_get_ablated (self->selection, &n);
  if (scope == HL_SCOPE_PROBE || !hl_document_can_score (self, scope))
    return;
  self->patterns.epoch++;
  hl_document_stop_patterns (self);
  Job *job = job_new (self);
  job->model = hl_model_ref (self->model);
  job->interventions =
      hl_head_mask_interventions (hl_model_get_info (self->model), ablated, n);
  job->choices = self->patterns.choices;
  if (scope == HL_SCOPE_INPUT)
    job->input = hl_input_ref (self->input);
  else
    job->dataset =
        hl_dataset_sample (self->analyses.dataset, self->analyses.choices.n_inputs, 0);
  g_autoptr (GPtrArray) all = hl_document_get_all_patterns (self);
  if (resumes && all->len > 0)
    job->resume = g_steal_pointer (&all);
  hl_document_begin_analysis (self, _ ("Finding patterns"));
  g_array_set_size (self->patterns.losses, 0);
  hl_engine_submit (self->engine, HL_JOB_ANALYSIS, find_job, job, NULL,
                    (GDestroyNotify) g_ptr_array_unref, self->patterns.cancellable,
                    progress_cb, job, found_cb, job);
  hl_document_emit (self, HL_DOCUMENT_PATTERNS);
  hl_document_emit (self, HL_DOCUMENT_BUSY);
}

/* ---- spots ---------------------------------------------------------------------------
 */

static gpointer
spots_job (gpointer data, HlBackend *backend, const HlProgress *progress, GError **error)
{
  Job *job = data;
  HlPatternMaps *maps = hl_pattern_maps_of_trace (
      job->source, job->patterns->kind, job->patterns->side, backend, progress, error);
  return maps != NULL ? hl_patterns_place (job->patterns, maps, backend, progress, error)
                      : NULL;
}

static void
spots_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (Job) job = data;
  HlDocument *self = job->document;
  g_autoptr (GError) error = NULL;
  HlPatternKind kind = job->patterns->kind;
  g_autoptr (HlPatternSpots) spots = hl_engine_finish (self->engine, result, &error);
  if (job->spot_epoch != self->patterns.spot_epoch)
    return;
  if (spots == NULL)
    hl_document_set_status (self, g_strdup (error->message));
  self->patterns.spots[kind] = g_steal_pointer (&spots);
  hl_document_emit (self, HL_DOCUMENT_PATTERNS);
}

HlPatternSpots *
hl_document_get_pattern_spots (HlDocument *self, HlPatternKind kind)
{
  HlDocumentPatterns *p = &self->patterns;
  if (p->spots[kind] != NULL || p->wants_spots[kind] || p->all[kind] == NULL ||
      self->source == NULL ||
      !(hl_pattern_kinds_of (hl_trace_get_tokens (self->trace, 0)) & 1u << kind))
    return p->spots[kind];
  p->wants_spots[kind] = TRUE;
  Job *job = job_new (self);
  job->patterns = hl_patterns_ref (p->all[kind]);
  job->source = hl_attention_source_ref (self->source);
  hl_engine_submit (self->engine, HL_JOB_BACKGROUND, spots_job, job, NULL,
                    (GDestroyNotify) hl_pattern_spots_free, NULL, NULL, NULL, spots_cb,
                    job);
  return NULL;
}

/* ---- a look --------------------------------------------------------------------------
 */

static gpointer
look_job (gpointer data, HlBackend *backend, const HlProgress *progress, GError **error)
{
  Job *job = data;
  const HlPatterns *p = job->patterns;
  g_autofree float *rebuilt = hl_patterns_rebuild (p, job->map_index, backend, error);
  if (rebuilt == NULL)
    return NULL;
  HlPatternLook *look = g_new0 (HlPatternLook, 1);
  look->kind = p->kind;
  look->map_index = job->map_index;
  look->rebuilt = g_steal_pointer (&rebuilt);
  if (p->maps != NULL)
    look->map = g_memdup2 (hl_pattern_maps_get (p->maps, job->map_index),
                           sizeof (float) * (gsize) hl_pattern_maps_get_size (p->maps));
  return look;
}

static void
look_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (Job) job = data;
  HlDocument *self = job->document;
  g_autoptr (GError) error = NULL;
  HlPatternLook *look = hl_engine_finish (self->engine, result, &error);
  gboolean is_wanted = job->spot_epoch == self->patterns.spot_epoch &&
                       job->map_index == self->patterns.wanted_map;
  if (look == NULL && is_wanted)
    hl_document_set_status (self, g_strdup (error->message));
  if (look == NULL || !is_wanted)
    {
      g_clear_pointer (&look, look_free);
      return;
    }
  g_clear_pointer (&self->patterns.look, look_free);
  self->patterns.look = look;
  hl_document_emit (self, HL_DOCUMENT_PATTERNS);
}

void
hl_document_look_at_pattern (HlDocument *self, HlPatternKind kind, int map_index)
{
  HlPatterns *p = self->patterns.all[kind];
  self->patterns.wanted_map = map_index;
  if (p == NULL || map_index < 0 || map_index >= hl_patterns_get_n (p))
    {
      self->patterns.wanted_map = -1;
      if (self->patterns.look != NULL)
        {
          g_clear_pointer (&self->patterns.look, look_free);
          hl_document_emit (self, HL_DOCUMENT_PATTERNS);
        }
      return;
    }
  Job *job = job_new (self);
  job->patterns = hl_patterns_ref (p);
  job->map_index = map_index;
  hl_engine_submit (self->engine, HL_JOB_FOREGROUND, look_job, job, NULL,
                    (GDestroyNotify) look_free, NULL, NULL, NULL, look_cb, job);
}

const HlPatternLook *
hl_document_get_pattern_look (HlDocument *self)
{
  return self->patterns.look;
}
