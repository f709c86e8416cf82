/* SPDX-License-Identifier: MIT
 * Draws thumbnails by the thousand with OpenGL. */
#include "config.h"

#include "gl/hl-atlas-renderer.h"
#include "gl/hl-gl.h"

#include <epoxy/gl.h>
#include <float.h>
#include <math.h>

/* 1024 layers of 64 x 64 halves are 8 MiB: drivers allow 2048 layers and dislike single
 * textures of hundreds of megabytes. */
#define LAYERS_A_PAGE 1024

/* What the vertex shader gets for each thumbnail; floats only, in this order. */
typedef struct
{
  float place[4];  /* x, y, width, height in device pixels from the upper left */
  float slot;      /* layer of the array; -1 for a thumbnail that is not known */
  float n_columns; /* cells */
  float n_rows;
  float unused;
  float range[2]; /* ends of the scale, logarithms if it is one */
  float factor;   /* a texel times this is the value */
} Instance;

struct _HlAtlasRenderer
{
  guint program;
  guint vertices;
  guint buffer;
  guint colors;
  GArray *pages;     /* of guint: texture names, 0 while not needed */
  GArray *offsets;   /* of guint: index of a layer's first head */
  GArray *factors;   /* of float: by index; 0 while not uploaded */
  GArray *pools;     /* of guint8: by index: how far it was pooled for its upload */
  GArray *instances; /* of Instance */
  guint n_heads;
  gboolean is_stale; /* pages belong to another scene */
  guint n_uploads;
  guint n_draws;
};

static const char vertex_shader[] =
    "layout (location = 0) in vec4 a_place;\n"
    "layout (location = 1) in vec4 a_cells;\n" /* slot, columns, rows, unused */
    "layout (location = 2) in vec3 a_scale;\n" /* low, high, factor */
    "uniform vec2 u_area;\n"
    "out vec2 v_cell;\n"
    "out vec2 v_pixel;\n"
    "flat out vec4 v_cells;\n"
    "flat out vec3 v_scale;\n"
    "flat out float v_width;\n"
    "void main ()\n"
    "{\n"
    "  vec2 t = vec2 (float (gl_VertexID & 1), float (gl_VertexID >> 1));\n"
    "  vec2 at = a_place.xy + t * a_place.zw;\n"
    "  v_cell = t * a_cells.yz;\n"
    "  v_pixel = t * a_place.zw;\n"
    "  v_cells = a_cells;\n"
    "  v_scale = a_scale;\n"
    "  v_width = a_place.z;\n"
    "  gl_Position = vec4 (2.0 * at.x / u_area.x - 1.0, 1.0 - 2.0 * at.y / u_area.y,\n"
    "                      0.0, 1.0);\n"
    "}\n";

static const char fetch_shader[] =
    "uniform sampler2DArray u_page;\n"
    "flat in vec4 v_cells;\n"
    "flat in vec3 v_scale;\n"
    "float fetch (ivec2 at)\n"
    "{ return texelFetch (u_page, ivec3 (at, int (v_cells.x)), 0).r * v_scale.z; }\n";

static const char fragment_shader[] =
    "uniform vec3 u_faint;\n"
    "in vec2 v_cell;\n"
    "in vec2 v_pixel;\n"
    "flat in float v_width;\n"
    "out vec4 o_color;\n"
    "void main ()\n"
    "{\n"
    "  if (v_cells.x < 0.0)\n"
    "    {\n"
    "      float apart = max (v_width / 6.0, 4.0);\n"
    "      float off = mod (v_pixel.x + v_pixel.y + apart / 2.0, apart);\n"
    "      float alpha = abs (off - apart / 2.0) < 0.75 ? 0.8 : 0.3;\n"
    "      o_color = vec4 (u_faint * alpha, alpha);\n"
    "      return;\n"
    "    }\n"
    "  float value = joined (v_cell, vec2 (0.0), ivec2 (v_cells.yz));\n"
    "  o_color = vec4 (color_of (value, v_scale.xy), 1.0);\n"
    "}\n";

HlAtlasRenderer *
hl_atlas_renderer_new (gboolean is_es, GError **error)
{
  guint program =
      hl_gl_program_new (is_es, vertex_shader, fragment_shader, fetch_shader, error);
  if (program == 0)
    return NULL;
  HlAtlasRenderer *self = g_new0 (HlAtlasRenderer, 1);
  self->program = program;
  glGenVertexArrays (1, &self->vertices);
  glGenBuffers (1, &self->buffer);
  self->colors = hl_gl_colormaps_new ();
  self->pages = g_array_new (FALSE, TRUE, sizeof (guint));
  self->offsets = g_array_new (FALSE, TRUE, sizeof (guint));
  self->factors = g_array_new (FALSE, TRUE, sizeof (float));
  self->pools = g_array_new (FALSE, TRUE, sizeof (guint8));
  self->instances = g_array_new (FALSE, FALSE, sizeof (Instance));
  return self;
}

static void
delete_pages (HlAtlasRenderer *self)
{
  if (self->pages->len > 0)
    glDeleteTextures ((GLsizei) self->pages->len,
                      (const guint *) (void *) self->pages->data);
  g_array_set_size (self->pages, 0);
}

void
hl_atlas_renderer_free (HlAtlasRenderer *self)
{
  if (self == NULL)
    return;
  delete_pages (self);
  glDeleteProgram (self->program);
  glDeleteVertexArrays (1, &self->vertices);
  glDeleteBuffers (1, &self->buffer);
  glDeleteTextures (1, &self->colors);
  g_array_unref (self->pages);
  g_array_unref (self->offsets);
  g_array_unref (self->factors);
  g_array_unref (self->pools);
  g_array_unref (self->instances);
  g_free (self);
}

guint
hl_atlas_renderer_count_uploads (const HlAtlasRenderer *self)
{
  return self->n_uploads;
}

guint
hl_atlas_renderer_count_draws (const HlAtlasRenderer *self)
{
  return self->n_draws;
}

void
hl_atlas_renderer_reset (HlAtlasRenderer *self, const HlGridScene *scene)
{
  guint n_heads = 0;
  g_array_set_size (self->offsets, 0);
  for (guint l = 0; l < scene->layers->len; l++)
    {
      g_array_append_val (self->offsets, n_heads);
      n_heads += (guint) ((HlGridLayer *) g_ptr_array_index (scene->layers, l))->n_heads;
    }
  /* Pages of the same number of heads serve again. */
  self->is_stale = self->is_stale || n_heads != self->n_heads;
  self->n_heads = n_heads;
  g_array_set_size (self->factors, 0);
  g_array_set_size (self->factors, n_heads);
  g_array_set_size (self->pools, n_heads);
}

void
hl_atlas_renderer_invalidate (HlAtlasRenderer *self, int layer, int head)
{
  if (layer < 0 || layer >= (int) self->offsets->len || head < 0)
    return;
  guint index = g_array_index (self->offsets, guint, layer) + (guint) head;
  if (index < self->factors->len)
    g_array_index (self->factors, float, index) = 0;
}

static gboolean
is_known (const HlThumb *thumb)
{
  return thumb->values != NULL && thumb->n_rows > 0 && thumb->n_columns > 0 &&
         thumb->n_rows <= HL_THUMB_SIDE_MAX && thumb->n_columns <= HL_THUMB_SIDE_MAX;
}

static void
ensure_page (HlAtlasRenderer *self, guint page)
{
  guint *texture = &g_array_index (self->pages, guint, page);
  if (*texture == 0)
    {
      guint n_layers = MIN (LAYERS_A_PAGE, self->n_heads - page * LAYERS_A_PAGE);
      glGenTextures (1, texture);
      glBindTexture (GL_TEXTURE_2D_ARRAY, *texture);
      glTexParameteri (GL_TEXTURE_2D_ARRAY, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
      glTexParameteri (GL_TEXTURE_2D_ARRAY, GL_TEXTURE_MAG_FILTER, GL_NEAREST);
      glTexParameteri (GL_TEXTURE_2D_ARRAY, GL_TEXTURE_MAX_LEVEL, 0);
      glTexImage3D (GL_TEXTURE_2D_ARRAY, 0, GL_R16F, HL_THUMB_SIDE_MAX, HL_THUMB_SIDE_MAX,
                    (GLsizei) n_layers, 0, GL_RED, GL_FLOAT, NULL);
    }
  glBindTexture (GL_TEXTURE_2D_ARRAY, *texture);
}

/* The value of a pooled cell: the farthest from zero, so that a thin line stays. */
static float
pooled_value (const HlThumb *thumb, int pool, int row, int column)
{
  float found = NAN;
  for (int r = row * pool; r < MIN ((row + 1) * pool, thumb->n_rows); r++)
    for (int c = column * pool; c < MIN ((column + 1) * pool, thumb->n_columns); c++)
      {
        float value = thumb->values[r * thumb->n_columns + c];
        if (!isnan (value) && !(fabsf (value) <= fabsf (found)))
          found = value;
      }
  return found;
}

/* Pooled here and not in the shader: 5,120 thumbnails of a dozen pixels a side took
 * twenty-five look-ups a pixel, 400 ms a frame under llvmpipe.
 * Halves have 11 bits wherever they are normal: divided by the thumbnail's largest
 * magnitude the error stays below 1/4000 of its range, and small attention values do not
 * fall among the subnormals. Returns that magnitude. */
static float
upload (HlAtlasRenderer *self, const HlThumb *thumb, int pool, guint slot)
{
  float buffer[HL_THUMB_SIDE_MAX * HL_THUMB_SIDE_MAX];
  int n_rows = (thumb->n_rows + pool - 1) / pool;
  int n_columns = (thumb->n_columns + pool - 1) / pool;
  float factor = 0;
  for (int i = 0; i < n_rows * n_columns; i++)
    {
      buffer[i] = pooled_value (thumb, pool, i / n_columns, i % n_columns);
      if (isfinite (buffer[i]))
        factor = MAX (factor, fabsf (buffer[i]));
    }
  if (factor < FLT_MIN)
    factor = 1;
  for (int i = 0; i < n_rows * n_columns; i++)
    buffer[i] /= factor;
  glPixelStorei (GL_UNPACK_ALIGNMENT, 4);
  glTexSubImage3D (GL_TEXTURE_2D_ARRAY, 0, 0, 0, (GLint) slot, n_columns, n_rows, 1,
                   GL_RED, GL_FLOAT, buffer);
  self->n_uploads++;
  return factor;
}

/* Edges on whole pixels, so that neighbours have the same crisp gap. */
static void
place_instance (Instance *instance,
                const HlGridLayout *layout,
                const HlRect *visible,
                double scale_factor,
                int layer,
                int head)
{
  HlRect cell = hl_grid_layout_cell (layout, layer, head);
  double x0 = round ((cell.x - visible->x) * scale_factor);
  double y0 = round ((cell.y - visible->y) * scale_factor);
  double x1 = round ((cell.x + cell.width - visible->x) * scale_factor);
  double y1 = round ((cell.y + cell.height - visible->y) * scale_factor);
  instance->place[0] = (float) x0;
  instance->place[1] = (float) y0;
  instance->place[2] = (float) (x1 - x0);
  instance->place[3] = (float) (y1 - y0);
}

static void
add_instance (HlAtlasRenderer *self,
              const HlGridScene *scene,
              const HlGridLayout *layout,
              const HlRect *visible,
              double scale_factor,
              guint index,
              int layer,
              int head)
{
  const HlGridLayer *row = g_ptr_array_index (scene->layers, (guint) layer);
  const HlThumb *thumb = &row->thumbs[head];
  Instance instance = { .slot = -1, .n_columns = 1, .n_rows = 1 };
  place_instance (&instance, layout, visible, scale_factor, layer, head);
  if (is_known (thumb))
    {
      float *factor = &g_array_index (self->factors, float, index);
      guint8 *pooled = &g_array_index (self->pools, guint8, index);
      HlScale scale = hl_grid_thumb_scale (scene, thumb);
      double side_px = MAX (layout->cell * scale_factor, 1);
      int most = MAX (thumb->n_rows, thumb->n_columns);
      int pool = MAX ((int) ceil (most / side_px - 1e-3), 1);
      if (*factor == 0 || *pooled != pool)
        *factor = upload (self, thumb, pool, index % LAYERS_A_PAGE);
      *pooled = (guint8) pool;
      instance.slot = (float) (index % LAYERS_A_PAGE);
      instance.n_columns = (float) ((thumb->n_columns + pool - 1) / pool);
      instance.n_rows = (float) ((thumb->n_rows + pool - 1) / pool);
      instance.factor = *factor;
      hl_gl_range (&scale, instance.range);
    }
  g_array_append_val (self->instances, instance);
}

static void
draw_instances (HlAtlasRenderer *self)
{
  if (self->instances->len == 0)
    return;
  GLsizei stride = (GLsizei) sizeof (Instance);
  glBindBuffer (GL_ARRAY_BUFFER, self->buffer);
  glBufferData (GL_ARRAY_BUFFER, (GLsizeiptr) (self->instances->len * sizeof (Instance)),
                self->instances->data, GL_STREAM_DRAW);
  static const gsize starts[] = { G_STRUCT_OFFSET (Instance, place),
                                  G_STRUCT_OFFSET (Instance, slot),
                                  G_STRUCT_OFFSET (Instance, range) };
  static const GLint sizes[] = { 4, 4, 3 };
  for (guint i = 0; i < G_N_ELEMENTS (starts); i++)
    {
      glEnableVertexAttribArray (i);
      glVertexAttribPointer (i, sizes[i], GL_FLOAT, GL_FALSE, stride,
                             GSIZE_TO_POINTER (starts[i]));
      glVertexAttribDivisor (i, 1);
    }
  glDrawArraysInstanced (GL_TRIANGLE_STRIP, 0, 4, (GLsizei) self->instances->len);
  glBindBuffer (GL_ARRAY_BUFFER, 0);
}

/* The heads in sight whose thumbnails lie in @page. */
static void
draw_page (HlAtlasRenderer *self,
           const HlGridScene *scene,
           const HlGridLayout *layout,
           const HlRect *visible,
           double scale_factor,
           guint page)
{
  int l0, l1, h0, h1;
  hl_grid_layout_visible (layout, visible, &l0, &l1, &h0, &h1);
  g_array_set_size (self->instances, 0);
  for (int l = l0; l < l1; l++)
    {
      const HlGridLayer *row = g_ptr_array_index (scene->layers, (guint) l);
      guint first = g_array_index (self->offsets, guint, l);
      for (int h = h0; h < MIN (h1, row->n_heads); h++)
        {
          guint index = first + (guint) h;
          if (index / LAYERS_A_PAGE != page)
            continue;
          if (self->instances->len == 0)
            ensure_page (self, page);
          add_instance (self, scene, layout, visible, scale_factor, index, l, h);
        }
    }
  draw_instances (self);
}

void
hl_atlas_renderer_draw (HlAtlasRenderer *self,
                        const HlGridScene *scene,
                        const HlGridLayout *layout,
                        const HlRect *visible,
                        int width_px,
                        int height_px,
                        const HlTheme *theme)
{
  self->n_draws++;
  if (self->is_stale)
    delete_pages (self);
  self->is_stale = FALSE;
  g_array_set_size (self->pages, (self->n_heads + LAYERS_A_PAGE - 1) / LAYERS_A_PAGE);
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
  hl_gl_set_scale (self->program, &scene->scale, TRUE);
  glUniform1i (glGetUniformLocation (self->program, "u_page"), 0);
  glUniform2f (glGetUniformLocation (self->program, "u_area"), (float) width_px,
               (float) height_px);
  glUniform3f (glGetUniformLocation (self->program, "u_faint"), (float) theme->faint.red,
               (float) theme->faint.green, (float) theme->faint.blue);
  for (guint page = 0; page < self->pages->len; page++)
    draw_page (self, scene, layout, visible, width_px / MAX (visible->width, 1), page);
  glBindVertexArray (0);
  glUseProgram (0);
}
