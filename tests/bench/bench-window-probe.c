/* SPDX-License-Identifier: MIT
 * The window inside the bench, and clocks on it. */
#include "config.h"

#include "bench-window-probe.h"

#define TICK_MS 5

static GtkWidget *
find_widget (GtkWidget *widget, GType type)
{
  if (G_TYPE_CHECK_INSTANCE_TYPE (widget, type))
    return widget;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    {
      GtkWidget *found = find_widget (child, type);
      if (found != NULL)
        return found;
    }
  return NULL;
}

static void
after_paint_cb (GdkFrameClock *clock, Probe *probe)
{
  gint64 now = g_get_monotonic_time ();
  probe->n_paints++;
  if (probe->first_paint_us == 0)
    probe->first_paint_us = now;
  if (probe->has_map && probe->head_paint_us == 0)
    probe->head_paint_us = now;
}

/* A map is in the view, under the name of the head that is selected. */
static void
shown_cb (GtkWidget *panel, Probe *probe)
{
  HlSelection *selection = hl_document_get_selection (probe->document);
  const HlPlace *place = hl_selection_get_place (selection);
  HlMatrixScene *scene = hl_heatmap_view_get_scene (probe->map);
  g_autofree char *name =
      g_strdup_printf ("Layer %d · head %d", place->layer, place->head);
  if (scene != NULL && scene->title != NULL && g_str_has_prefix (scene->title, name))
    probe->has_map = TRUE;
}

static gboolean
tick_cb (gpointer data)
{
  Probe *probe = data;
  gint64 now = g_get_monotonic_time ();
  double late = (double) (now - probe->last_tick_us) / 1e3 - TICK_MS;
  if (probe->last_tick_us != 0)
    probe->longest_stall_ms = MAX (probe->longest_stall_ms, late);
  probe->last_tick_us = now;
  return G_SOURCE_CONTINUE;
}

void
probe_open (Probe *probe)
{
  g_autoptr (GError) error = NULL;
  *probe = (Probe){ .application = adw_application_new (NULL, G_APPLICATION_NON_UNIQUE) };
  if (!g_application_register (G_APPLICATION (probe->application), NULL, &error))
    bench_fail (error);
  hl_window_choose_renderer ();
  probe->window = hl_window_new (probe->application);
  probe->document = hl_window_get_document (HL_WINDOW (probe->window));
  probe->grid = HL_HEAD_GRID (find_widget (probe->window, HL_TYPE_HEAD_GRID));
  /* Pages have maps too: the head's own is meant. */
  GtkWidget *panel = find_widget (probe->window, g_type_from_name ("HlHeadPanel"));
  probe->map = HL_HEATMAP_VIEW (find_widget (panel, HL_TYPE_HEATMAP_VIEW));
  g_signal_connect (panel, "shown", G_CALLBACK (shown_cb), probe);
  gtk_window_set_default_size (GTK_WINDOW (probe->window), 1440, 900);
  gtk_widget_realize (probe->window);
  g_signal_connect (gtk_widget_get_frame_clock (probe->window), "after-paint",
                    G_CALLBACK (after_paint_cb), probe);
  gtk_window_present (GTK_WINDOW (probe->window));
  probe->timer = g_timeout_add_full (G_PRIORITY_HIGH, TICK_MS, tick_cb, probe, NULL);
}

void
probe_close (Probe *probe)
{
  g_source_remove (probe->timer);
  hl_document_stop (probe->document);
  gtk_window_destroy (GTK_WINDOW (probe->window));
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_object_unref (probe->application);
}

void
probe_wait_paint (Probe *probe)
{
  while (probe->first_paint_us == 0)
    g_main_context_iteration (NULL, TRUE);
}

gboolean
probe_wait_head (Probe *probe, double patience_ms)
{
  double end = bench_now_ms () + patience_ms;
  while (probe->head_paint_us == 0 && bench_now_ms () < end)
    g_main_context_iteration (NULL, TRUE);
  return probe->head_paint_us != 0;
}

void
probe_forget_head (Probe *probe)
{
  probe->has_map = FALSE;
  probe->head_paint_us = 0;
}

void
probe_wait_idle (Probe *probe)
{
  double quiet = bench_now_ms ();
  while (bench_now_ms () - quiet < 200)
    {
      g_main_context_iteration (NULL, TRUE);
      if (hl_document_is_busy (probe->document))
        quiet = bench_now_ms ();
    }
}

double
probe_take_stall (Probe *probe)
{
  double longest = probe->longest_stall_ms;
  probe->longest_stall_ms = 0;
  return longest;
}
