/* SPDX-License-Identifier: MIT
 * Draws clouds of dots with OpenGL. */
#include "config.h"

#include "gl/hl-point-renderer.h"

#include "gl/hl-gl.h"

#include <epoxy/gl.h>
#include <math.h>

struct _HlPointRenderer
{
  gboolean is_es;
  guint program;
  guint vertices;
  guint places;
  guint colors;
  int n;
  double radius; /* user units */
  guint n_draws;
};

/* Places in the units of the axes; u_range is what they show. */
static const char vertex_shader[] =
    "layout (location = 0) in vec2 a_place;\n"
    "layout (location = 1) in vec4 a_color;\n"
    "uniform vec4 u_range;\n" /* x low, y low, x high, y high */
    "uniform float u_size;\n"
    "out vec4 v_color;\n"
    "void main ()\n"
    "{\n"
    "  vec2 t = (a_place - u_range.xy) / (u_range.zw - u_range.xy);\n"
    "  gl_Position = vec4 (2.0 * t - 1.0, 0.0, 1.0);\n"
    "  gl_PointSize = u_size;\n"
    "  v_color = a_color;\n"
    "}\n";

/* A disc with a soft edge of one pixel, premultiplied. */
static const char fragment_shader[] =
    "uniform float u_size;\n"
    "in vec4 v_color;\n"
    "out vec4 o_color;\n"
    "void main ()\n"
    "{\n"
    "  float r = length (gl_PointCoord - 0.5) * u_size;\n"
    "  float a = v_color.a * clamp (u_size * 0.5 - r, 0.0, 1.0);\n"
    "  o_color = vec4 (v_color.rgb * a, a);\n"
    "}\n";

static const char fetch_shader[] = "float fetch (ivec2 at) { return 0.0; }\n";

HlPointRenderer *
hl_point_renderer_new (gboolean is_es, GError **error)
{
  guint program =
      hl_gl_program_new (is_es, vertex_shader, fragment_shader, fetch_shader, error);
  if (program == 0)
    return NULL;
  HlPointRenderer *self = g_new0 (HlPointRenderer, 1);
  self->is_es = is_es;
  self->program = program;
  glGenVertexArrays (1, &self->vertices);
  glGenBuffers (1, &self->places);
  glGenBuffers (1, &self->colors);
  return self;
}

void
hl_point_renderer_free (HlPointRenderer *self)
{
  if (self == NULL)
    return;
  glDeleteProgram (self->program);
  glDeleteVertexArrays (1, &self->vertices);
  glDeleteBuffers (1, &self->places);
  glDeleteBuffers (1, &self->colors);
  g_free (self);
}

guint
hl_point_renderer_count_draws (const HlPointRenderer *self)
{
  return self->n_draws;
}

static guint8
to_byte (double x)
{
  return (guint8) floor (CLAMP (x, 0, 1) * 255 + 0.5);
}

/* Appends a series' places and colours; @at is its first dot among those of all clouds.
 */
static void
append (const HlChartScene *scene,
        const HlChartSeries *s,
        const HlTheme *theme,
        const guint8 *marked,
        GArray *places,
        GArray *colors,
        gsize at)
{
  for (int i = 0; i < s->n; i++, at++)
    {
      HlColor c = hl_chart_series_color (scene, s, theme, i);
      double alpha = HL_CHART_CLOUD_ALPHA;
      if (marked != NULL)
        alpha = marked[at] ? 1 : 0.12;
      const float place[2] = { (float) s->x[i], (float) s->y[i] };
      const guint8 color[4] = { to_byte (c.red), to_byte (c.green), to_byte (c.blue),
                                to_byte (alpha) };
      g_array_append_vals (places, place, 2);
      g_array_append_vals (colors, color, 4);
    }
}

static gsize
count_dots (const HlChartScene *scene)
{
  gsize n = 0;
  for (guint k = 0; scene != NULL && k < scene->series->len; k++)
    {
      const HlChartSeries *s = hl_chart_scene_get (scene, k);
      n += s->is_cloud ? (gsize) s->n : 0;
    }
  return n;
}

void
hl_point_renderer_set (HlPointRenderer *self,
                       const HlChartScene *scene,
                       const HlTheme *theme,
                       const guint8 *marked)
{
  g_autoptr (GArray) places = g_array_new (FALSE, FALSE, sizeof (float));
  g_autoptr (GArray) colors = g_array_new (FALSE, FALSE, 1);
  gsize at = count_dots (scene);
  self->n = (int) at;
  self->radius = scene != NULL ? hl_chart_cloud_radius (scene, theme) : 0;
  /* The first series lies on top, as the painter has it. */
  for (guint k = scene != NULL ? scene->series->len : 0; k > 0; k--)
    {
      const HlChartSeries *s = hl_chart_scene_get (scene, k - 1);
      if (!s->is_cloud)
        continue;
      at -= (gsize) s->n;
      append (scene, s, theme, marked, places, colors, at);
    }
  glBindVertexArray (self->vertices);
  glBindBuffer (GL_ARRAY_BUFFER, self->places);
  glBufferData (GL_ARRAY_BUFFER, (GLsizeiptr) (places->len * sizeof (float)),
                places->data, GL_STATIC_DRAW);
  glEnableVertexAttribArray (0);
  glVertexAttribPointer (0, 2, GL_FLOAT, GL_FALSE, 0, NULL);
  glBindBuffer (GL_ARRAY_BUFFER, self->colors);
  glBufferData (GL_ARRAY_BUFFER, (GLsizeiptr) colors->len, colors->data, GL_STATIC_DRAW);
  glEnableVertexAttribArray (1);
  glVertexAttribPointer (1, 4, GL_UNSIGNED_BYTE, GL_TRUE, 0, NULL);
  glBindBuffer (GL_ARRAY_BUFFER, 0);
  glBindVertexArray (0);
}

void
hl_point_renderer_draw (HlPointRenderer *self,
                        const HlChartLayout *layout,
                        int width_px,
                        int height_px,
                        double scale)
{
  self->n_draws++;
  glViewport (0, 0, width_px, height_px);
  glClearColor (0, 0, 0, 0);
  glClear (GL_COLOR_BUFFER_BIT);
  if (self->n == 0)
    return;
  glDisable (GL_DEPTH_TEST);
  glEnable (GL_BLEND);
  glBlendFunc (GL_ONE, GL_ONE_MINUS_SRC_ALPHA);
  if (!self->is_es)
    glEnable (GL_PROGRAM_POINT_SIZE);
  glUseProgram (self->program);
  glUniform4f (glGetUniformLocation (self->program, "u_range"), (float) layout->x_low,
               (float) layout->y_low, (float) layout->x_high, (float) layout->y_high);
  glUniform1f (glGetUniformLocation (self->program, "u_size"),
               (float) (2 * self->radius * scale + 1));
  glBindVertexArray (self->vertices);
  glDrawArrays (GL_POINTS, 0, self->n);
  glBindVertexArray (0);
  glUseProgram (0);
  glDisable (GL_BLEND);
}
