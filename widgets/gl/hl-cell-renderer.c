/* SPDX-License-Identifier: MIT
 * Draws the cells of a map with OpenGL. */
#include "config.h"

#include "gl/hl-cell-renderer.h"
#include "gl/hl-gl.h"

#include <epoxy/gl.h>
#include <math.h>

struct _HlCellRenderer
{
  guint program;
  guint vertices; /* empty: corners come from gl_VertexID; core GL wants one bound */
  guint colors;
  guint n_uploads;
  guint n_draws;
};

static const char vertex_shader[] =
    "uniform vec4 u_place;\n" /* x0, y0, x1, y1 in clip coordinates */
    "uniform vec4 u_cells;\n" /* the same corners in cells of the tile */
    "out vec2 v_cell;\n"
    "void main ()\n"
    "{\n"
    "  vec2 t = vec2 (float (gl_VertexID & 1), float (gl_VertexID >> 1));\n"
    "  v_cell = mix (u_cells.xy, u_cells.zw, t);\n"
    "  gl_Position = vec4 (mix (u_place.xy, u_place.zw, t), 0.0, 1.0);\n"
    "}\n";

static const char fetch_shader[] =
    "uniform sampler2D u_tile;\n"
    "float fetch (ivec2 at) { return texelFetch (u_tile, at, 0).r; }\n";

static const char fragment_shader[] = "uniform ivec2 u_size;\n"
                                      "uniform vec2 u_footprint;\n"
                                      "uniform vec2 u_range;\n"
                                      "in vec2 v_cell;\n"
                                      "out vec4 o_color;\n"
                                      "void main ()\n"
                                      "{ o_color = vec4 (color_of (joined (v_cell, "
                                      "u_footprint, u_size), u_range), 1.0); }\n";

HlCellRenderer *
hl_cell_renderer_new (gboolean is_es, GError **error)
{
  guint program =
      hl_gl_program_new (is_es, vertex_shader, fragment_shader, fetch_shader, error);
  if (program == 0)
    return NULL;
  HlCellRenderer *self = g_new0 (HlCellRenderer, 1);
  self->program = program;
  glGenVertexArrays (1, &self->vertices);
  self->colors = hl_gl_colormaps_new ();
  return self;
}

void
hl_cell_renderer_free (HlCellRenderer *self)
{
  if (self == NULL)
    return;
  glDeleteProgram (self->program);
  glDeleteVertexArrays (1, &self->vertices);
  glDeleteTextures (1, &self->colors);
  g_free (self);
}

guint
hl_cell_renderer_count_uploads (const HlCellRenderer *self)
{
  return self->n_uploads;
}

guint
hl_cell_renderer_count_draws (const HlCellRenderer *self)
{
  return self->n_draws;
}

void
hl_cell_renderer_delete_dead (HlTileCache *cache)
{
  g_autoptr (GArray) dead = hl_tile_cache_take_dead_textures (cache);
  if (dead->len > 0)
    glDeleteTextures ((GLsizei) dead->len, (const guint *) (void *) dead->data);
}

static void
upload (HlCellRenderer *self, HlCachedTile *cached, gboolean is_max)
{
  HlTile *tile = cached->tile;
  glGenTextures (1, &cached->texture);
  glBindTexture (GL_TEXTURE_2D, cached->texture);
  glTexParameteri (GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
  glTexParameteri (GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, GL_NEAREST);
  glTexParameteri (GL_TEXTURE_2D, GL_TEXTURE_MAX_LEVEL, 0);
  glPixelStorei (GL_UNPACK_ALIGNMENT, 4);
  glTexImage2D (GL_TEXTURE_2D, 0, GL_R32F, tile->n_columns, tile->n_rows, 0, GL_RED,
                GL_FLOAT, is_max ? tile->max : tile->mean);
  self->n_uploads++;
}

static void
draw_piece (HlCellRenderer *self,
            const HlTilePiece *piece,
            const HlView *view,
            int unit,
            int width_px,
            int height_px)
{
  const HlTile *tile = piece->cached->tile;
  double side = ldexp (unit, tile->level); /* entries a cell */
  double view_width = view->x1 - view->x0, view_height = view->y1 - view->y0;
  double first_x = (double) tile->column * HL_TILE_SIDE;
  double first_y = (double) tile->row * HL_TILE_SIDE;
  glUniform4f (glGetUniformLocation (self->program, "u_place"),
               (float) (2 * (piece->part.x0 - view->x0) / view_width - 1),
               (float) (1 - 2 * (piece->part.y0 - view->y0) / view_height),
               (float) (2 * (piece->part.x1 - view->x0) / view_width - 1),
               (float) (1 - 2 * (piece->part.y1 - view->y0) / view_height));
  glUniform4f (glGetUniformLocation (self->program, "u_cells"),
               (float) (piece->part.x0 / side - first_x),
               (float) (piece->part.y0 / side - first_y),
               (float) (piece->part.x1 / side - first_x),
               (float) (piece->part.y1 / side - first_y));
  glUniform2i (glGetUniformLocation (self->program, "u_size"), tile->n_columns,
               tile->n_rows);
  glUniform2f (glGetUniformLocation (self->program, "u_footprint"),
               (float) (view_width / side / width_px),
               (float) (view_height / side / height_px));
  glBindTexture (GL_TEXTURE_2D, piece->cached->texture);
  glDrawArrays (GL_TRIANGLE_STRIP, 0, 4);
}

void
hl_cell_renderer_draw (HlCellRenderer *self,
                       HlTileCache *cache,
                       GArray *pieces,
                       const HlView *view,
                       int width_px,
                       int height_px,
                       const HlScale *scale,
                       gboolean is_max)
{
  self->n_draws++;
  hl_cell_renderer_delete_dead (cache);
  glDisable (GL_BLEND);
  glDisable (GL_DEPTH_TEST);
  glViewport (0, 0, width_px, height_px);
  glClearColor (0, 0, 0, 0);
  glClear (GL_COLOR_BUFFER_BIT);
  glUseProgram (self->program);
  glBindVertexArray (self->vertices);
  glActiveTexture (GL_TEXTURE1);
  glBindTexture (GL_TEXTURE_2D, self->colors);
  glActiveTexture (GL_TEXTURE0);
  hl_gl_set_scale (self->program, scale, is_max);
  float range[2];
  hl_gl_range (scale, range);
  glUniform2fv (glGetUniformLocation (self->program, "u_range"), 1, range);
  glUniform1i (glGetUniformLocation (self->program, "u_tile"), 0);
  for (guint i = 0; i < pieces->len; i++)
    {
      HlTilePiece *piece = &g_array_index (pieces, HlTilePiece, i);
      if (piece->cached->texture == 0)
        upload (self, piece->cached, is_max);
      draw_piece (self, piece, view, hl_tile_cache_get_unit (cache), width_px, height_px);
    }
  glBindVertexArray (0);
  glUseProgram (0);
}
