/* SPDX-License-Identifier: MIT
 * From Oniguruma's patterns (Ruby's rules) to PCRE2's: \s, \w, \h, \v, \b, \u, scripts
 * and
 * {,n} mean other things there; what cannot be written is refused by name. */
#include "text/hl-regex.h"

#include "base/hl-error.h"

#include <string.h>

/* Inside brackets. PCRE2's \s has U+180E too, which is no white space any more; there \w
 * has marks, letters in circles, and the six small numbers of Latin-1. */
#define SPACES                                                                           \
  "\\x09-\\x0d\\x20\\x85\\xa0\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}"             \
  "\\x{202f}\\x{205f}\\x{3000}"
#define WORDS                                                                            \
  "\\p{L}\\p{M}\\p{Nd}\\p{Nl}\\p{Pc}\\x{24b6}-\\x{24e9}\\x{1f130}-\\x{1f149}"            \
  "\\x{1f150}-\\x{1f169}\\x{1f170}-\\x{1f189}\\xb2\\xb3\\xb9\\xbc-\\xbe"

typedef struct
{
  const char *pattern;
  const char *where;
  gsize at;
  GString *out;
  gboolean is_class;
  GError **error;
} Translation;

static gboolean
refuse (Translation *t, const char *what)
{
  g_set_error (t->error, HL_ERROR, HL_ERROR_UNSUPPORTED,
               "%s: regular expression \"%.200s\": %s at byte %" G_GSIZE_FORMAT
               " is not supported",
               t->where, t->pattern, what, t->at);
  return FALSE;
}

static gboolean
put (Translation *t, const char *text, gsize n_read)
{
  g_string_append (t->out, text);
  t->at += n_read;
  return TRUE;
}

/* Copies a class of characters, with brackets where there are none around it. */
static gboolean
put_class (Translation *t, const char *inside, gboolean is_negative)
{
  if (t->is_class)
    g_string_append (t->out, inside);
  else
    g_string_append_printf (t->out, "[%s%s]", is_negative ? "^" : "", inside);
  t->at += 2;
  return TRUE;
}

/* General categories go by their short names in PCRE2. */
static const char *
category_name (const char *name)
{
  static const char *const names[][2] = {
    { "letter", "L" },
    { "lowercaseletter", "Ll" },
    { "uppercaseletter", "Lu" },
    { "titlecaseletter", "Lt" },
    { "modifierletter", "Lm" },
    { "otherletter", "Lo" },
    { "mark", "M" },
    { "nonspacingmark", "Mn" },
    { "spacingmark", "Mc" },
    { "enclosingmark", "Me" },
    { "number", "N" },
    { "decimalnumber", "Nd" },
    { "letternumber", "Nl" },
    { "othernumber", "No" },
    { "punctuation", "P" },
    { "symbol", "S" },
    { "separator", "Z" },
    { "digit", "Nd" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_ascii_strcasecmp (name, names[i][0]) == 0)
      return names[i][1];
  return NULL;
}

/* What Oniguruma knows as classes and PCRE2 has no property for. */
static gboolean
is_bracket_name (const char *name)
{
  static const char *const names[] = { "alpha", "alnum", "ascii", "blank", "cntrl",
                                       "graph", "lower", "print", "punct", "space",
                                       "upper", "word",  "xdigit" };
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_ascii_strcasecmp (name, names[i]) == 0)
      return TRUE;
  return FALSE;
}

/* \p{Name}, \P{Name}, \p{^Name}; a name longer than a category's is a script. */
static gboolean
put_property (Translation *t)
{
  const char *from = t->pattern + t->at;
  const char *close = from[2] == '{' ? strchr (from, '}') : NULL;
  if (close == NULL)
    return refuse (t, "a property without {Name}");
  gboolean is_negative = from[1] == 'P';
  const char *start = from + 3;
  if (*start == '^')
    {
      is_negative = !is_negative;
      start++;
    }
  GString *name = g_string_new (NULL);
  for (const char *c = start; c < close; c++)
    if (!strchr (" _-", *c))
      g_string_append_c (name, *c);
  g_autofree char *plain = g_string_free (name, FALSE);
  gboolean is_word = *plain != '\0';
  for (const char *c = plain; *c != '\0'; c++)
    is_word = is_word && g_ascii_isalpha (*c);
  if (!is_word || is_bracket_name (plain))
    return refuse (t, "this property");
  const char *category = category_name (plain);
  const char *prefix = "";
  if (category == NULL && strlen (plain) > 2 && g_ascii_strcasecmp (plain, "Any") != 0)
    prefix = "sc:";
  g_string_append_printf (t->out, "\\%c{%s%s}", is_negative ? 'P' : 'p', prefix,
                          category != NULL ? category : plain);
  t->at += (gsize) (close - from) + 1;
  return TRUE;
}

static gboolean
put_hex (Translation *t)
{
  const char *from = t->pattern + t->at;
  for (int i = 2; i < 6; i++)
    if (!g_ascii_isxdigit (from[i]))
      return refuse (t, "\\u without four hexadecimal digits");
  g_string_append_printf (t->out, "\\x{%.4s}", from + 2);
  t->at += 6;
  return TRUE;
}

/* \xHH above 7f is a byte there and a character here. */
static gboolean
put_byte (Translation *t)
{
  const char *from = t->pattern + t->at;
  if (from[2] == '{' || !g_ascii_isxdigit (from[2]) || !g_ascii_isxdigit (from[3]) ||
      g_ascii_xdigit_value (from[2]) < 8)
    return put (t, "\\x", 2);
  return refuse (t, "\\x of half a character");
}

static gboolean
put_boundary (Translation *t, gboolean is_negative)
{
  if (t->is_class)
    return is_negative ? refuse (t, "\\B in brackets") : put (t, "\\x08", 2);
  return put (t,
              is_negative
                  ? "(?:(?<=[" WORDS "])(?=[" WORDS "])|(?<![" WORDS "])(?![" WORDS "]))"
                  : "(?:(?<=[" WORDS "])(?![" WORDS "])|(?<![" WORDS "])(?=[" WORDS "]))",
              2);
}

static gboolean
put_escape (Translation *t)
{
  char kind = t->pattern[t->at + 1];
  switch (kind)
    {
    case 's':
      return put_class (t, SPACES, FALSE);
    case 'S':
      return t->is_class ? put (t, "\\S\\x{180e}", 2) : put_class (t, SPACES, TRUE);
    case 'w':
      return put_class (t, WORDS, FALSE);
    case 'W':
      return t->is_class ? refuse (t, "\\W in brackets") : put_class (t, WORDS, TRUE);
    case 'h':
      return put_class (t, "0-9a-fA-F", FALSE);
    case 'H':
      return t->is_class ? refuse (t, "\\H in brackets")
                         : put_class (t, "0-9a-fA-F", TRUE);
    case 'v':
      return put (t, "\\x0b", 2);
    case 'p':
    case 'P':
      return put_property (t);
    case 'u':
      return put_hex (t);
    case 'x':
      return put_byte (t);
    case 'b':
    case 'B':
      return put_boundary (t, kind == 'B');
    case '\0':
      return refuse (t, "a backslash at the end");
    default:
      break;
    }
  if (g_ascii_isalpha (kind) && strchr ("dDnrtfaeAzZRX", kind) == NULL)
    return refuse (t, "this escape");
  if (g_ascii_isdigit (kind) && (t->is_class || kind == '0'))
    return refuse (t, "an octal number");
  g_string_append_len (t->out, t->pattern + t->at, 2);
  t->at += 2;
  return TRUE;
}

/* (?i), (?i:, (?-i:, lookaround, (?:, (?>, comments; Ruby's m and x mean other things. */
static gboolean
put_group (Translation *t)
{
  const char *from = t->pattern + t->at;
  if (from[1] != '?')
    return from[1] == '*' ? refuse (t, "a group that begins with *") : put (t, "(", 1);
  static const char *const good[] = { "(?:",  "(?=",  "(?!",  "(?>",
                                      "(?<=", "(?<!", "(?i:", "(?-i:" };
  /* Further on, (?i) ends there at another place than here. */
  if (t->at == 0 && g_str_has_prefix (from, "(?i)"))
    return put (t, "(?i)", 4);
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    if (g_str_has_prefix (from, good[i]))
      return put (t, good[i], strlen (good[i]));
  return refuse (t, "this kind of group");
}

/* {,n} is {0,n} there; {n,m}+ repeats, where PCRE2 would not give back. */
static gboolean
put_braces (Translation *t)
{
  const char *from = t->pattern + t->at;
  gsize n = 1;
  while (g_ascii_isdigit (from[n]) || from[n] == ',')
    n++;
  if (from[n] != '}' || n == 1)
    return put (t, "\\{", 1);
  if (from[n + 1] == '+')
    return refuse (t, "a + behind {n,m}");
  if (from[1] == ',')
    {
      if (n == 2)
        return put (t, "\\{", 1);
      g_string_append (t->out, "{0");
    }
  else
    g_string_append_c (t->out, '{');
  g_string_append_len (t->out, from + 1, (gssize) n);
  t->at += n + 1;
  return TRUE;
}

static gboolean
put_in_class (Translation *t, gboolean is_first)
{
  const char *from = t->pattern + t->at;
  if (*from == '[')
    return refuse (t, "brackets in brackets");
  if (g_str_has_prefix (from, "&&"))
    return refuse (t, "an intersection");
  if (*from == ']')
    {
      t->is_class = is_first;
      return is_first ? refuse (t, "an empty pair of brackets") : put (t, "]", 1);
    }
  g_string_append_c (t->out, *from);
  t->at++;
  return TRUE;
}

static gboolean
put_outside (Translation *t)
{
  const char *from = t->pattern + t->at;
  switch (*from)
    {
    case '(':
      return put_group (t);
    case '{':
      return put_braces (t);
    case '[':
      t->is_class = TRUE;
      return from[1] == '^' ? put (t, "[^", 2) : put (t, "[", 1);
    default:
      g_string_append_c (t->out, *from);
      t->at++;
      return TRUE;
    }
}

char *
hl_regex_translate (const char *pattern, const char *where, GError **error)
{
  g_autoptr (GString) out = g_string_new (NULL);
  Translation t = { pattern, where, 0, out, FALSE, error };
  gsize class_start = 0;
  while (pattern[t.at] != '\0')
    {
      gboolean was_class = t.is_class, is_good;
      if (pattern[t.at] == '\\')
        is_good = put_escape (&t);
      else if (t.is_class)
        is_good = put_in_class (&t, t.at == class_start);
      else
        is_good = put_outside (&t);
      if (!is_good)
        return NULL;
      if (t.is_class && !was_class)
        class_start = t.at;
    }
  return g_strdup (out->str);
}
