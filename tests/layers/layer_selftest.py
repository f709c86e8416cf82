# SPDX-License-Identifier: MIT
"""Shows that each rule can fail: a clean tree passes, one planted violation is found."""

import os
import shutil
import subprocess
import tempfile

import layer_rules as rules
import layer_symbols as syms

MARK = "/* SPDX-License-Identifier: MIT */\n"
CLEAN = {
    "compute/io/a.c": MARK + '#include "io/a.h"\n#include <gdk-pixbuf/gdk-pixbuf.h>\n'
                             "#include <sndfile.h>\n"
                             '/* #include <gtk/gtk.h> in a comment, _ ("no string") */\n',
    "compute/io/a.h": MARK + "#pragma once\n",
    "widgets/scene/s.c": MARK + '#include "scene/s.h"\nchar *f (void)\n{\n'
                                '  return _ ("text");\n}\n',
    "widgets/draw/d.c": MARK + '#include <cairo.h>\n#define _(s) gettext (s)\n',
    "widgets/gl/g.c": MARK + "#include <gtk/gtk.h>\n#include <epoxy/gl.h>\n",
    "ui/presenters/p.c": MARK + '#include "trace/t.h"\n#include "scene/s.h"\n',
    "ui/w.ui": '<property name="label" translatable="yes">text</property>\n',
    "app/cli/c.c": MARK + '#include "trace/t.h"\nconst char *p = "${X}/tmp/a";\n',
    "tests/meson.build": "# a test() is\ntest('t', exe, args: [files('t.py')], suite: 't')\n",
    "tests/t.c": MARK + 'const char *p = "/' + 'tmp/a";\n',
    "po/POTFILES.in": "# files\nui/w.ui\nwidgets/scene/s.c\n",
}
# (rule, file, text put there, what the problem must say)
LONG = "int f (void)\n{\n" + "  g ();\n" * 119 + "}\n"
PLANTED = [
    (rules.check_includes, "compute/io/a.c", "#include <gtk/gtk.h>\n", "gtk/gtk.h"),
    (rules.check_includes, "compute/io/a.c", "# include <cairo/cairo.h>\n", "cairo"),
    (rules.check_includes, "compute/io/a.c", '#include "scene/s.h"\n', "scene/s.h"),
    (rules.check_includes, "compute/io/a.h", '#include "../../ui/w.h"\n', "upward"),
    (rules.check_includes, "widgets/gl/g.c", '#include "trace/hl-trace.h"\n', "trace"),
    (rules.check_includes, "widgets/gl/g.c", '#include "app/main.h"\n', "upward"),
    (rules.check_includes, "widgets/scene/s.c", "#include <gdk/gdk.h>\n", "gdk"),
    (rules.check_includes, "widgets/draw/d.c", "#include <gtk/gtk.h>\n", "gtk"),
    (rules.check_includes, "ui/presenters/p.c", "#include <adwaita.h>\n", "adwaita"),
    (rules.check_includes, "app/cli/c.c", "#include <gtk/gtk.h>\n", "gtk"),
    (rules.check_includes, "app/cli/c.c", "#include <sndfile.h>\n", "compute/io"),
    (rules.check_includes, "compute/model/m.c", "#include <samplerate.h>\n", "compute/io"),
    (rules.check_sizes, "compute/io/a.c", MARK + "\n" * 700, "701 lines"),
    (rules.check_sizes, "compute/io/a.h", MARK + "\n" * 250, "251 lines"),
    (rules.check_sizes, "ui/l.c", MARK + LONG, "121 lines in one function"),
    (rules.check_sizes, "ui/l.c", MARK + "/* " + "x" * 98, "101 columns"),
    (rules.check_spdx, "compute/io/a.c", "\n\n\n" + MARK, "compute/io/a.c"),
    (rules.check_spdx, "tests/run.sh", "#!/bin/sh\n", "tests/run.sh"),
    (rules.check_spdx, "tests/x.py", "#!/usr/bin/env python3\n", "tests/x.py"),
    (rules.check_potfiles, "ui/new.c", MARK + 'g (_("text"));\n', "ui/new.c"),
    (rules.check_potfiles, "ui/new.c", MARK + 'g (C_ ("where", "text"));\n', "ui/new.c"),
    (rules.check_potfiles, "ui/new.c", MARK + 'ngettext ("a", "b", n);\n', "ui/new.c"),
    (rules.check_potfiles, "ui/new.ui", CLEAN["ui/w.ui"], "ui/new.ui"),
    (rules.check_potfiles, "po/POTFILES.in",
     CLEAN["po/POTFILES.in"] + "ui/gone.c\n", "ui/gone.c: no such file"),
    (rules.check_paths, "compute/io/a.c", 'f ("/' + 'tmp/x");\n', "tmp"),
    (rules.check_paths, "app/cli/c.c", 'f ("/' + 'home/me/x");\n', "home"),
    (rules.check_suites, "tests/meson.build",
     "test('t', exe, args: [f (x)], env: e)\n# suite: 't'\n", "meson.build:1"),
    (rules.check_paths, "tests/t.c", 'f ("/' + 'root/x");\n', "root"),
]

CLEAN_C = """
#include <stddef.h>
static unsigned q; static size_t static_g_define_type_id; static void *x_parent_class;
int gdk_pixbuf_get_width (void *); double cairo (double);
static const char *const names[] = { "a", "b" };
static const int numbers[] = { 1, 2 };
const char *f (int i)
{
  q++; static_g_define_type_id++; x_parent_class = &q;
  return names[i] + numbers[i] + gdk_pixbuf_get_width (0);
}
"""
# (what the C code does wrong, its text, the check, what the problem must say)
PLANTED_C = [
    ("a toolkit's function", "void gtk_init (void); void f (void) { gtk_init (); }",
     lambda lib: syms.check_references(lib, "compute"), "gtk_init"),
    ("a drawing function",
     "void cairo_fill (void *); void f (void) { cairo_fill (0); }",
     lambda lib: syms.check_references(lib, "compute"), "cairo_fill"),
    ("a toolkit's function in draw",
     "void adw_init (void); void f (void) { adw_init (); }",
     lambda lib: syms.check_references(lib, "draw"), "adw_init"),
    ("exit", "void exit (int); void f (void) { exit (1); }", syms.check_leaves, "exit"),
    ("abort", "void abort (void); void f (void) { abort (); }", syms.check_leaves, "abort"),
    ("a global with a value", "int counter = 1;", syms.check_globals, "counter"),
    ("a static", "static int n; int f (void) { return n++; }", syms.check_globals, "n "),
    ("a static in a function", "int f (void) { static int n = 3; return n++; }",
     syms.check_globals, "n."),
    ("a table that is not const", 'const char *t[] = { "a", "b" };',
     syms.check_globals, "t "),
    ("a global of a thread", "_Thread_local int here;", syms.check_globals, "here"),
]


def plant(root, files):
    for path, text in files.items():
        full = os.path.join(root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as f:
            f.write(text)


def source_selftest(check):
    """Problems with the checker itself: a clean tree accused, a violation missed."""
    problems = []
    cases = [("", "", None)] + [c[1:] for c in PLANTED if c[0] is check]
    for path, text, expected in cases:
        with tempfile.TemporaryDirectory() as root:
            plant(root, {**CLEAN, **({path: text} if path else {})})
            found = check(root)
        if expected is None:
            problems += [f"a clean tree is accused: {p}" for p in found]
        elif len(found) != 1 or expected not in found[0]:
            problems.append(f"{path}: planted {text[-60:]!r}, found {found}")
    return problems


def compile_library(cc, folder, text):
    source, built = os.path.join(folder, "x.c"), os.path.join(folder, "x.o")
    archive = os.path.join(folder, "libx.a")
    with open(source, "w", encoding="utf-8") as f:
        f.write(text)
    subprocess.run([cc, "-O0", "-fPIC", "-fno-builtin", "-w", "-c", source, "-o", built],
                   check=True)
    subprocess.run(["ar", "rcs", archive, built], check=True)
    return archive


def symbol_selftest(cc):
    problems = []
    with tempfile.TemporaryDirectory() as folder:
        clean = compile_library(cc, folder, CLEAN_C)
        found = (syms.check_references(clean, "compute") + syms.check_leaves(clean)
                 + syms.check_globals(clean))
        problems += [f"a clean library is accused: {p}" for p in found]
        os.remove(clean)
        for what, text, check, expected in PLANTED_C:
            found = check(compile_library(cc, folder, text))
            if len(found) != 1 or expected not in found[0]:
                problems.append(f"planted {what}, found {found}")
    return problems


def needed_selftest(cc):
    """A program linked with a library that only has the toolkit's name."""
    with tempfile.TemporaryDirectory() as folder:
        source, library = os.path.join(folder, "x.c"), os.path.join(folder, "libx.so")
        with open(source, "w", encoding="utf-8") as f:
            f.write("int main (void) { return 0; }\n")
        subprocess.run([cc, "-shared", "-fPIC", "-Wl,-soname,libgtk-4.so.1", source,
                        "-o", library], check=True)
        problems = []
        for extra, n_expected in (([], 0), (["-Wl,--no-as-needed", library], 1)):
            program = os.path.join(folder, "x")
            subprocess.run([cc, source, *extra, "-o", program], check=True)
            found = syms.check_needed(program)
            if len(found) != n_expected:
                problems.append(f"{n_expected} problems expected, found {found}")
        return problems


def find_compiler():
    return next((c for c in ("cc", "gcc", "clang") if shutil.which(c)), None)
