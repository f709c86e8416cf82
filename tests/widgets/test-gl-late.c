/* SPDX-License-Identifier: MIT
 * A tile source that answers only when it is told to. */
#include "config.h"

#include "test-gl-late.h"

#include "gl/hl-memory-tiles.h"

typedef struct
{
  int level;
  int row;
  int column;
} Place;

struct _Late
{
  GObject parent;

  HlTileSource *tiles;
  GHashTable *known;
  GArray *asked; /* of Place */
};

static void late_iface_init (HlTileSourceInterface *iface);
G_DEFINE_FINAL_TYPE_WITH_CODE (Late,
                               late,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (HL_TYPE_TILE_SOURCE,
                                                      late_iface_init))

static void
late_get_size (HlTileSource *source, gint64 *n_rows, gint64 *n_columns)
{
  hl_tile_source_get_size (TEST_LATE (source)->tiles, n_rows, n_columns);
}

static int
late_get_max_level (HlTileSource *source)
{
  return 3;
}

static HlTile *
late_get_tile (HlTileSource *source, int level, int row, int column)
{
  Late *self = TEST_LATE (source);
  Place place = { level, row, column };
  gpointer key = GINT_TO_POINTER (level << 20 | row << 10 | column);
  if (g_hash_table_contains (self->known, key))
    return hl_tile_source_get_tile (self->tiles, level, row, column);
  for (guint i = 0; i < self->asked->len; i++)
    if (memcmp (&g_array_index (self->asked, Place, i), &place, sizeof place) == 0)
      return NULL;
  g_array_append_val (self->asked, place);
  return NULL;
}

static void
late_iface_init (HlTileSourceInterface *iface)
{
  iface->get_size = late_get_size;
  iface->get_max_level = late_get_max_level;
  iface->get_tile = late_get_tile;
}

static void
late_finalize (GObject *object)
{
  Late *self = TEST_LATE (object);
  g_object_unref (self->tiles);
  g_hash_table_unref (self->known);
  g_array_unref (self->asked);
  G_OBJECT_CLASS (late_parent_class)->finalize (object);
}

static void
late_class_init (LateClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = late_finalize;
}

static void
late_init (Late *self)
{
  self->known = g_hash_table_new (NULL, NULL);
  self->asked = g_array_new (FALSE, FALSE, sizeof (Place));
}

Late *
late_new (HlMatrixScene *scene)
{
  Late *self = g_object_new (TEST_TYPE_LATE, NULL);
  self->tiles = hl_memory_tiles_new (scene);
  return self;
}

guint
late_answer (Late *self)
{
  guint n = self->asked->len;
  for (guint i = 0; i < n; i++)
    {
      Place at = g_array_index (self->asked, Place, i);
      g_hash_table_add (self->known,
                        GINT_TO_POINTER (at.level << 20 | at.row << 10 | at.column));
      hl_tile_source_emit_ready (HL_TILE_SOURCE (self), at.level, at.row, at.column);
    }
  g_array_set_size (self->asked, 0);
  return n;
}
