/* SPDX-License-Identifier: MIT
 * An overview of a data set, as data. */
#include "analysis/hl-overview.h"

#include <math.h>

static void
input_clear (gpointer data)
{
  HlOverviewInput *input = data;
  g_free (input->name);
  g_free (input->path);
}

static void
class_clear (gpointer data)
{
  g_free (((HlOverviewClass *) data)->name);
}

HlOverview *
hl_overview_new (int dim)
{
  HlOverview *o = g_new0 (HlOverview, 1);
  g_atomic_ref_count_init (&o->refs);
  o->dim = dim;
  o->inputs = g_array_new (FALSE, FALSE, sizeof (HlOverviewInput));
  g_array_set_clear_func (o->inputs, input_clear);
  o->classes = g_array_new (FALSE, FALSE, sizeof (HlOverviewClass));
  g_array_set_clear_func (o->classes, class_clear);
  o->embedding = g_array_new (FALSE, FALSE, sizeof (float));
  o->components = g_array_new (FALSE, TRUE, sizeof (float));
  o->skipped = g_ptr_array_new_with_free_func (g_free);
  return o;
}

HlOverview *
hl_overview_ref (HlOverview *overview)
{
  g_atomic_ref_count_inc (&overview->refs);
  return overview;
}

void
hl_overview_unref (HlOverview *o)
{
  if (o == NULL || !g_atomic_ref_count_dec (&o->refs))
    return;
  g_array_unref (o->inputs);
  g_array_unref (o->classes);
  g_array_unref (o->embedding);
  g_array_unref (o->components);
  g_clear_pointer (&o->layout, g_array_unref);
  g_ptr_array_unref (o->skipped);
  g_free (o);
}

HlOverviewInput *
hl_overview_add (HlOverview *overview, const char *name, const char *path)
{
  const HlOverviewInput input = { g_strdup (name), g_strdup (path), -1, -1, NAN, NAN };
  g_array_append_val (overview->inputs, input);
  return &g_array_index (overview->inputs, HlOverviewInput, overview->inputs->len - 1);
}

void
hl_overview_take_inputs (HlOverview *overview, GArray *inputs)
{
  g_array_unref (overview->inputs);
  overview->inputs = inputs;
  g_array_set_clear_func (inputs, input_clear);
}

int
hl_overview_get_n (const HlOverview *overview)
{
  return (int) overview->inputs->len;
}

const HlOverviewInput *
hl_overview_get_input (const HlOverview *overview, int i)
{
  return &g_array_index (overview->inputs, HlOverviewInput, i);
}

/* ---- classes -------------------------------------------------------------------------
 */

const HlOverviewClass *
hl_overview_get_class (const HlOverview *overview, int k)
{
  return k >= 0 && k < (int) overview->classes->len
             ? &g_array_index (overview->classes, HlOverviewClass, k)
             : NULL;
}

static int
by_index (gconstpointer a, gconstpointer b)
{
  int x = ((const HlOverviewClass *) a)->index, y = ((const HlOverviewClass *) b)->index;
  return (x > y) - (x < y);
}

int
hl_overview_find_class (const HlOverview *overview, int index)
{
  const HlOverviewClass wanted = { .index = index };
  guint found;
  return g_array_binary_search (overview->classes, &wanted, by_index, &found)
             ? (int) found
             : -1;
}

/* Every class that occurs, once, without numbers. */
static void
list_classes (HlOverview *o)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);
  for (int i = 0; i < hl_overview_get_n (o); i++)
    {
      const HlOverviewInput *input = hl_overview_get_input (o, i);
      const int both[] = { input->label, input->predicted };
      for (int b = 0; b < 2; b++)
        if (both[b] >= 0 && g_hash_table_add (seen, GINT_TO_POINTER (both[b] + 1)))
          {
            const HlOverviewClass one = { .index = both[b] };
            g_array_append_val (o->classes, one);
          }
    }
  g_array_sort (o->classes, by_index);
}

void
hl_overview_count (HlOverview *o,
                   char *(*name_of) (int index, gpointer data),
                   gpointer data)
{
  g_array_set_size (o->classes, 0);
  list_classes (o);
  for (guint k = 0; k < o->classes->len; k++)
    {
      HlOverviewClass *c = &g_array_index (o->classes, HlOverviewClass, k);
      c->name = name_of (c->index, data);
    }
  for (int i = 0; i < hl_overview_get_n (o); i++)
    {
      const HlOverviewInput *input = hl_overview_get_input (o, i);
      int label = hl_overview_find_class (o, input->label);
      int predicted = hl_overview_find_class (o, input->predicted);
      if (label >= 0)
        {
          HlOverviewClass *c = &g_array_index (o->classes, HlOverviewClass, label);
          c->n_inputs++;
          c->n_right += label == predicted;
        }
      if (predicted >= 0)
        g_array_index (o->classes, HlOverviewClass, predicted).n_predicted++;
    }
}

gboolean
hl_overview_is_wrong (const HlOverview *overview, int i)
{
  const HlOverviewInput *input = hl_overview_get_input (overview, i);
  return input->label >= 0 && input->predicted >= 0 && input->label != input->predicted;
}

HlInterval
hl_overview_get_accuracy (const HlOverview *overview)
{
  int n = 0, n_right = 0;
  for (int i = 0; i < hl_overview_get_n (overview); i++)
    {
      const HlOverviewInput *input = hl_overview_get_input (overview, i);
      n += input->label >= 0 && input->predicted >= 0;
      n_right += input->label >= 0 && input->label == input->predicted;
    }
  return hl_wilson (n_right, n);
}

int *
hl_overview_confusion (const HlOverview *overview)
{
  int k = (int) overview->classes->len;
  int *counts = g_new0 (int, (gsize) k *(gsize) k + 1);
  for (int i = 0; i < hl_overview_get_n (overview); i++)
    {
      const HlOverviewInput *input = hl_overview_get_input (overview, i);
      int label = hl_overview_find_class (overview, input->label);
      int predicted = hl_overview_find_class (overview, input->predicted);
      if (label >= 0 && predicted >= 0)
        counts[label * k + predicted]++;
    }
  return counts;
}

const float *
hl_overview_get_layout (const HlOverview *overview, gboolean principal)
{
  const GArray *chosen =
      overview->layout != NULL && !principal ? overview->layout : overview->components;
  return (const float *) (gpointer) chosen->data;
}
