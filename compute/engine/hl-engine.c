/* SPDX-License-Identifier: MIT
 * The engine: one thread, four queues, and the backend. */
#include "engine/hl-engine.h"

#include "base/hl-error.h"

#include <sys/resource.h>

/* Of the engine's thread, and of the pool that it starts: enough for the main loop to be
 * let in first on a machine with few cores; an idle one computes as fast as ever. */
#define NICENESS 5

typedef struct
{
  HlJobKind kind;
  HlJobFunc func;
  gpointer data;
  GDestroyNotify data_free;
  GDestroyNotify result_free;
  HlProgressFunc on_progress;
  gpointer progress_data;
  GMainContext *context;
  /* The latest progress on its way to the context. */
  GMutex lock;
  gboolean is_pending;
  gboolean is_over;
  double fraction;
  char *what;
} Job;

struct _HlEngine
{
  GObject parent_instance;
  GThread *thread;
  gboolean has_backend;
  HlBackend *backend; /* the thread's own */
  int depth;          /* jobs in hand: others run while one gives way */
  GMutex lock;        /* guards what follows */
  char *backend_id;
  char *precision;
  gboolean gives_in;
  gboolean is_chosen_anew;
  const char *used_id; /* of the latest job */
  HlDtype used_dtype;
  GCond wake;
  GQueue queues[HL_N_JOB_KINDS]; /* of GTask * */
  int n_waiting;
  gboolean stop;
};

G_DEFINE_FINAL_TYPE (HlEngine, hl_engine, G_TYPE_OBJECT)

static void
job_drop_data (Job *job)
{
  if (job->data_free != NULL)
    job->data_free (job->data);
  job->data_free = NULL;
}

static void
job_free (gpointer data)
{
  Job *job = data;
  job_drop_data (job);
  g_main_context_unref (job->context);
  g_mutex_clear (&job->lock);
  g_free (job->what);
  g_free (job);
}

/* Delivers the latest figure on the submitter's context. */
static gboolean
deliver_progress_cb (gpointer data)
{
  Job *job = g_task_get_task_data (data);
  g_mutex_lock (&job->lock);
  job->is_pending = FALSE;
  gboolean is_over = job->is_over;
  double fraction = job->fraction;
  g_autofree char *what = g_strdup (job->what);
  g_mutex_unlock (&job->lock);
  if (!is_over)
    job->on_progress (fraction, what, job->progress_data);
  return G_SOURCE_REMOVE;
}

static void
note_progress (double fraction, const char *what, gpointer user_data)
{
  GTask *task = user_data;
  Job *job = g_task_get_task_data (task);
  if (job->on_progress == NULL)
    return;
  g_mutex_lock (&job->lock);
  job->fraction = fraction;
  g_free (job->what);
  job->what = g_strdup (what);
  gboolean is_first = !job->is_pending;
  job->is_pending = TRUE;
  g_mutex_unlock (&job->lock);
  if (!is_first)
    return;
  /* Not g_main_context_invoke(): that calls here and now while nobody runs the context.
   */
  g_autoptr (GSource) source = g_idle_source_new ();
  g_source_set_callback (source, deliver_progress_cb, g_object_ref (task),
                         g_object_unref);
  g_source_attach (source, job->context);
}

static GTask *
pop_locked (HlEngine *self, HlJobKind last)
{
  for (int kind = 0; kind <= (int) last; kind++)
    if (!g_queue_is_empty (&self->queues[kind]))
      return g_queue_pop_head (&self->queues[kind]);
  return NULL;
}

static void run_task (HlEngine *self, GTask *task);

static void
give_way_to (HlEngine *self, HlJobKind last)
{
  while (TRUE)
    {
      g_mutex_lock (&self->lock);
      GTask *urgent = self->stop ? NULL : pop_locked (self, last);
      g_mutex_unlock (&self->lock);
      if (urgent == NULL)
        return;
      run_task (self, urgent);
    }
}

/* Work comes by here between its steps: what is more urgent goes first. */
static void
long_work_gives_way (gpointer user_data)
{
  give_way_to (user_data, HL_JOB_REFINE);
}

static void
analysis_gives_way (gpointer user_data)
{
  give_way_to (user_data, HL_JOB_BACKGROUND);
}

static void
refinement_gives_way (gpointer user_data)
{
  give_way_to (user_data, HL_JOB_FOREGROUND);
}

static void (*const gives_way[HL_N_JOB_KINDS]) (gpointer) = {
  [HL_JOB_REFINE] = refinement_gives_way,
  [HL_JOB_BACKGROUND] = long_work_gives_way,
  [HL_JOB_ANALYSIS] = analysis_gives_way,
};

/* Not while a job that gave way holds on to the one there is. */
static void
drop_backend_of_old (HlEngine *self)
{
  g_mutex_lock (&self->lock);
  gboolean drops = self->is_chosen_anew && self->depth == 1;
  if (drops)
    self->is_chosen_anew = FALSE;
  g_mutex_unlock (&self->lock);
  if (drops)
    g_clear_pointer (&self->backend, hl_backend_unref);
}

static gboolean
ensure_backend (HlEngine *self, GError **error)
{
  if (!self->has_backend)
    return TRUE;
  drop_backend_of_old (self);
  if (self->backend != NULL)
    return TRUE;
  g_mutex_lock (&self->lock);
  g_autofree char *id = g_strdup (self->backend_id);
  g_autofree char *precision = g_strdup (self->precision);
  const HlBackendChoice choice = { id, precision, self->gives_in };
  g_mutex_unlock (&self->lock);
  self->backend = hl_backend_open (&choice, error);
  if (self->backend == NULL)
    return FALSE;
  g_mutex_lock (&self->lock);
  self->used_id = self->backend->klass->id;
  self->used_dtype = self->backend->dtype;
  g_mutex_unlock (&self->lock);
  return TRUE;
}

/* A device that failed takes its job with it, and the CPU its place. */
static void
look_after_backend (HlEngine *self, GError **error)
{
  if (self->depth > 1 || self->backend == NULL || !hl_backend_is_lost (self->backend))
    return;
  const HlBackendChoice cpu = { .id = "cpu" };
  hl_engine_set_backend (self, &cpu);
  if (*error == NULL)
    return;
  GError *told =
      g_error_new ((*error)->domain, (*error)->code,
                   "%s. What is asked for next runs on the CPU", (*error)->message);
  g_clear_error (error);
  *error = told;
}

static void
run_task (HlEngine *self, GTask *task)
{
  Job *job = g_task_get_task_data (task);
  GError *error = NULL;
  gpointer result = NULL;
  HlProgress progress = { .func = note_progress,
                          .func_data = task,
                          .yield = gives_way[job->kind],
                          .yield_data = self,
                          .cancellable = g_task_get_cancellable (task) };
  self->depth++;
  if (!g_cancellable_set_error_if_cancelled (progress.cancellable, &error) &&
      ensure_backend (self, &error))
    result = job->func (job->data, self->backend, &progress, &error);
  look_after_backend (self, &error);
  self->depth--;
  /* Here and not with the task, whose last reference may go on another thread. */
  job_drop_data (job);
  g_mutex_lock (&job->lock);
  job->is_over = TRUE;
  g_mutex_unlock (&job->lock);
  g_mutex_lock (&self->lock);
  self->n_waiting--;
  g_mutex_unlock (&self->lock);
  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_pointer (task, result, job->result_free);
  g_object_unref (task);
}

static gpointer
thread_main (gpointer data)
{
  HlEngine *self = data;
  setpriority (PRIO_PROCESS, 0, NICENESS); /* Linux: of this thread alone */
  while (TRUE)
    {
      GTask *task = NULL;
      g_mutex_lock (&self->lock);
      while (!self->stop && (task = pop_locked (self, HL_JOB_ANALYSIS)) == NULL)
        g_cond_wait (&self->wake, &self->lock);
      g_mutex_unlock (&self->lock);
      if (task == NULL)
        break;
      run_task (self, task);
    }
  g_clear_pointer (&self->backend, hl_backend_unref);
  return NULL;
}

void
hl_engine_stop (HlEngine *self)
{
  g_mutex_lock (&self->lock);
  self->stop = TRUE;
  g_cond_broadcast (&self->wake);
  g_mutex_unlock (&self->lock);
  if (self->thread == NULL)
    return;
  g_thread_join (g_steal_pointer (&self->thread));
  GTask *task;
  while ((task = pop_locked (self, HL_JOB_ANALYSIS)) != NULL)
    {
      self->n_waiting--;
      g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_CANCELLED,
                               "the program is closing");
      g_object_unref (task);
    }
}

static void
hl_engine_dispose (GObject *object)
{
  hl_engine_stop (HL_ENGINE (object));
  G_OBJECT_CLASS (hl_engine_parent_class)->dispose (object);
}

static void
hl_engine_finalize (GObject *object)
{
  HlEngine *self = HL_ENGINE (object);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->wake);
  g_free (self->backend_id);
  g_free (self->precision);
  G_OBJECT_CLASS (hl_engine_parent_class)->finalize (object);
}

static void
hl_engine_class_init (HlEngineClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = hl_engine_dispose;
  G_OBJECT_CLASS (klass)->finalize = hl_engine_finalize;
}

static void
hl_engine_init (HlEngine *self)
{
  g_mutex_init (&self->lock);
  g_cond_init (&self->wake);
  for (int i = 0; i < HL_N_JOB_KINDS; i++)
    g_queue_init (&self->queues[i]);
}

HlEngine *
hl_engine_new (const char *name)
{
  HlEngine *self = g_object_new (HL_TYPE_ENGINE, NULL);
  self->has_backend = TRUE;
  self->thread = g_thread_new (name, thread_main, self);
  return self;
}

HlEngine *
hl_engine_new_io (void)
{
  HlEngine *self = g_object_new (HL_TYPE_ENGINE, NULL);
  self->thread = g_thread_new ("io", thread_main, self);
  return self;
}

void
hl_engine_set_backend (HlEngine *self, const HlBackendChoice *choice)
{
  g_mutex_lock (&self->lock);
  g_free (self->backend_id);
  g_free (self->precision);
  self->backend_id = g_strdup (choice->id);
  self->precision = g_strdup (choice->precision);
  self->gives_in = choice->gives_in;
  self->is_chosen_anew = TRUE;
  g_mutex_unlock (&self->lock);
}

const char *
hl_engine_get_backend (HlEngine *self, const char **precision)
{
  g_mutex_lock (&self->lock);
  const char *id = self->used_id != NULL ? self->used_id : "";
  *precision = self->used_id != NULL ? hl_dtype_name (self->used_dtype) : "";
  g_mutex_unlock (&self->lock);
  return id;
}

void
hl_engine_submit (HlEngine *self,
                  HlJobKind kind,
                  HlJobFunc func,
                  gpointer data,
                  GDestroyNotify data_free,
                  GDestroyNotify result_free,
                  GCancellable *cancellable,
                  HlProgressFunc on_progress,
                  gpointer progress_data,
                  GAsyncReadyCallback callback,
                  gpointer user_data)
{
  Job *job = g_new0 (Job, 1);
  job->kind = kind;
  job->func = func;
  job->data = data;
  job->data_free = data_free;
  job->result_free = result_free;
  job->on_progress = on_progress;
  job->progress_data = progress_data;
  job->context = g_main_context_ref_thread_default ();
  g_mutex_init (&job->lock);
  /* The task holds no reference to the engine: a job must not keep alive, and so end on
   * its own thread, what joins that thread. */
  GTask *task = g_task_new (NULL, cancellable, callback, user_data);
  g_task_set_task_data (task, job, job_free);
  g_task_set_source_tag (task, hl_engine_submit);
  /* Results of cancelled jobs are errors, also when the work was done just in time; but
   * an analysis that is stopped gives what it has. */
  g_task_set_check_cancellable (task, kind != HL_JOB_ANALYSIS);
  g_mutex_lock (&self->lock);
  self->n_waiting++;
  g_queue_push_tail (&self->queues[kind], task);
  g_cond_broadcast (&self->wake);
  g_mutex_unlock (&self->lock);
}

gpointer
hl_engine_finish (HlEngine *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}

int
hl_engine_get_n_waiting (HlEngine *self)
{
  g_mutex_lock (&self->lock);
  int n = self->n_waiting;
  g_mutex_unlock (&self->lock);
  return n;
}
