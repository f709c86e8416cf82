/* SPDX-License-Identifier: MIT
 * What every OpenGL part here needs. */
#include "config.h"

#include "gl/hl-gl.h"

#include "draw/hl-colormap.h"

#include <epoxy/gl.h>
#include <math.h>
#include <string.h>

/* NaN is told by its bits: isnan() may be optimised away by a driver. Positions follow
 * hl_scale_position() and entries hl_colormap_index(). A pixel that covers several cells
 * looks at up to 8 x 8 of them, so that a thin line does not fall between samples. */
static const char value_shader[] =
    "uniform sampler2D u_colors;\n"
    "uniform int u_map;\n"
    "uniform int u_is_log;\n"
    "uniform int u_join;\n" /* 0 mean, 1 maximum, 2 farthest from zero */
    "uniform vec3 u_na;\n"
    "bool is_na (float v)\n"
    "{ return (floatBitsToUint (v) & 0x7fffffffu) > 0x7f800000u; }\n"
    "vec3 color_of (float v, vec2 range)\n"
    "{\n"
    "  if (is_na (v)) return u_na;\n"
    "  if (u_is_log == 1)\n"
    "    v = v > 0.0 ? log (v) * 0.43429448190325176 : range.x;\n"
    "  float p = range.y > range.x ? (v - range.x) / (range.y - range.x) : 0.0;\n"
    "  int i = int (floor (clamp (p, 0.0, 1.0) * 255.0 + 0.5));\n"
    "  return texelFetch (u_colors, ivec2 (i, u_map), 0).rgb;\n"
    "}\n"
    "float joined (vec2 at, vec2 footprint, ivec2 size)\n"
    "{\n"
    "  ivec2 n = clamp (ivec2 (ceil (footprint - 0.01)), ivec2 (1), ivec2 (8));\n"
    "  float count = 0.0, sum = 0.0, far = 0.0;\n"
    "  for (int i = 0; i < n.x * n.y; i++)\n"
    "    {\n"
    "      vec2 k = vec2 (float (i % n.x) + 0.5, float (i / n.x) + 0.5);\n"
    "      vec2 step = n.x * n.y == 1 ? vec2 (0.0) : footprint * (k / vec2 (n) - 0.5);\n"
    "      ivec2 cell = clamp (ivec2 (floor (at + step)), ivec2 (0), size - 1);\n"
    "      float v = fetch (cell);\n"
    "      if (is_na (v)) continue;\n"
    "      if (count == 0.0 || (u_join == 2 ? abs (v) > abs (far) : v > far)) far = v;\n"
    "      sum += v;\n"
    "      count += 1.0;\n"
    "    }\n"
    "  if (count == 0.0) return uintBitsToFloat (0x7fc00000u);\n"
    "  return u_join == 0 ? sum / count : far;\n"
    "}\n";

static const char head_gl[] = "#version 330 core\n";
static const char head_es[] = "#version 300 es\n"
                              "precision highp float;\n"
                              "precision highp int;\n"
                              "precision highp sampler2D;\n"
                              "precision highp sampler2DArray;\n";

gboolean
hl_gl_is_software (GdkDisplay *display)
{
  static const char *const names[] = { "llvmpipe", "softpipe", "swrast", "SwiftShader" };
  g_autoptr (GdkGLContext) context = gdk_display_create_gl_context (display, NULL);
  if (context == NULL || !gdk_gl_context_realize (context, NULL))
    return FALSE;
  gdk_gl_context_make_current (context);
  const char *renderer = (const char *) glGetString (GL_RENDERER);
  gboolean is_software = FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (names) && renderer != NULL; i++)
    is_software = is_software || strstr (renderer, names[i]) != NULL;
  gdk_gl_context_clear_current ();
  return is_software;
}

static GdkGLContext *
try_context (GdkSurface *surface, GdkGLAPI api, int major, int minor, GError **error)
{
  g_autoptr (GdkGLContext) context = gdk_surface_create_gl_context (surface, error);
  if (context == NULL)
    return NULL;
  gdk_gl_context_set_allowed_apis (context, api);
  gdk_gl_context_set_required_version (context, major, minor);
  if (!gdk_gl_context_realize (context, error))
    return NULL;
  return g_steal_pointer (&context);
}

static GdkGLContext *
create_context_cb (GtkGLArea *area, gpointer user_data)
{
  GdkSurface *surface =
      gtk_native_get_surface (gtk_widget_get_native (GTK_WIDGET (area)));
  g_autoptr (GError) error = NULL;
  GdkGLContext *context = try_context (surface, GDK_GL_API_GL, 3, 3, &error);
  if (context == NULL)
    context = try_context (surface, GDK_GL_API_GLES, 3, 0, NULL);
  if (context == NULL)
    gtk_gl_area_set_error (area, error);
  return context;
}

GtkWidget *
hl_gl_area_new (void)
{
  GtkWidget *area = gtk_gl_area_new ();
  gtk_gl_area_set_auto_render (GTK_GL_AREA (area), FALSE);
  gtk_widget_set_can_target (area, FALSE);
  g_signal_connect (area, "create-context", G_CALLBACK (create_context_cb), NULL);
  return area;
}

void
hl_gl_prepare (GtkWidget *canvas)
{
  for (GtkWidget *child = gtk_widget_get_first_child (canvas); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    if (GTK_IS_GL_AREA (child))
      gtk_widget_realize (child);
}

static guint
compile (GLenum kind, const char *const *texts, int n_texts, GError **error)
{
  guint shader = glCreateShader (kind);
  glShaderSource (shader, n_texts, texts, NULL);
  glCompileShader (shader);
  GLint is_compiled = GL_FALSE;
  glGetShaderiv (shader, GL_COMPILE_STATUS, &is_compiled);
  if (is_compiled)
    return shader;
  char log[1024] = "";
  glGetShaderInfoLog (shader, sizeof log, NULL, log);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "the driver refused a shader: %s",
               log);
  glDeleteShader (shader);
  return 0;
}

static guint
link_program (guint vertex, guint fragment, GError **error)
{
  guint program = glCreateProgram ();
  glAttachShader (program, vertex);
  glAttachShader (program, fragment);
  glLinkProgram (program);
  GLint is_linked = GL_FALSE;
  glGetProgramiv (program, GL_LINK_STATUS, &is_linked);
  if (is_linked)
    return program;
  char log[1024] = "";
  glGetProgramInfoLog (program, sizeof log, NULL, log);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED,
               "the driver refused to link a program: %s", log);
  glDeleteProgram (program);
  return 0;
}

guint
hl_gl_program_new (gboolean is_es,
                   const char *vertex,
                   const char *fragment,
                   const char *fetch,
                   GError **error)
{
  const char *head = is_es ? head_es : head_gl;
  const char *vertex_texts[] = { head, vertex };
  const char *fragment_texts[] = { head, fetch, value_shader, fragment };
  guint v = compile (GL_VERTEX_SHADER, vertex_texts, 2, error);
  if (v == 0)
    return 0;
  guint f = compile (GL_FRAGMENT_SHADER, fragment_texts, 4, error);
  guint program = f != 0 ? link_program (v, f, error) : 0;
  glDeleteShader (v);
  if (f != 0)
    glDeleteShader (f);
  return program;
}

guint
hl_gl_colormaps_new (void)
{
  guint8 pixels[HL_N_COLORMAPS][HL_COLORMAP_SIZE][4];
  for (int map = 0; map < HL_N_COLORMAPS; map++)
    {
      const guint8 *table = hl_colormap_table (map);
      for (int i = 0; i < HL_COLORMAP_SIZE; i++)
        {
          pixels[map][i][0] = table[i * 3];
          pixels[map][i][1] = table[i * 3 + 1];
          pixels[map][i][2] = table[i * 3 + 2];
          pixels[map][i][3] = 255;
        }
    }
  guint texture = 0;
  glGenTextures (1, &texture);
  glBindTexture (GL_TEXTURE_2D, texture);
  glTexParameteri (GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
  glTexParameteri (GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, GL_NEAREST);
  glTexParameteri (GL_TEXTURE_2D, GL_TEXTURE_MAX_LEVEL, 0);
  glTexImage2D (GL_TEXTURE_2D, 0, GL_RGBA8, HL_COLORMAP_SIZE, HL_N_COLORMAPS, 0, GL_RGBA,
                GL_UNSIGNED_BYTE, pixels);
  return texture;
}

void
hl_gl_range (const HlScale *scale, float range[2])
{
  range[0] = (float) (scale->is_log ? log10 (scale->low) : scale->low);
  range[1] = (float) (scale->is_log ? log10 (scale->high) : scale->high);
}

void
hl_gl_set_scale (guint program, const HlScale *scale, gboolean is_max)
{
  guint8 na[3];
  hl_colormap_na (scale->colormap, na);
  int join = !is_max ? 0 : scale->low < 0 ? 2 : 1;
  glUniform1i (glGetUniformLocation (program, "u_colors"), 1);
  glUniform1i (glGetUniformLocation (program, "u_map"), (int) scale->colormap);
  glUniform1i (glGetUniformLocation (program, "u_is_log"), scale->is_log ? 1 : 0);
  glUniform1i (glGetUniformLocation (program, "u_join"), join);
  glUniform3f (glGetUniformLocation (program, "u_na"), na[0] / 255.0f, na[1] / 255.0f,
               na[2] / 255.0f);
}
