# SPDX-License-Identifier: MIT
"""The rules of the house that can be read off the sources (standard library only).

Every check_* function takes the folder of a source tree and returns a list of problems,
each one line of text; an empty list means the rule is kept.
"""

import os
import re

ROOMS = ("app", "compute", "data", "po", "resources", "tests", "ui", "widgets")
# Tables that a script wrote: no limits on their size.
GENERATED = {"widgets/draw/hl-colormap-data.h"}
MAX_C_LINES, MAX_H_LINES, MAX_FUNCTION_LINES, MAX_COLUMNS = 700, 250, 120, 100

TOOLKIT = r"(gtk|gdk(?!-pixbuf)|gsk|adwaita|libadwaita|epoxy|graphene|GL/|GLES|EGL)"
DRAWING = r"(cairo|pango)"
RECORDINGS = r"((sndfile|samplerate)\.h|kissfft/)"
NOT_IO = tuple("compute/" + room for room in (
    "analysis", "backend", "base", "engine", "model", "ops", "session", "tensor", "text",
    "trace"))
COMPUTE_ROOMS = (r"(compute|base|tensor|ops|backend|engine|io|text|model|trace|analysis"
                 r"|session)/")
WIDGET_ROOMS = r"(widgets|scene|draw|gl)/"
UPWARD = r"(ui|app|presenters|cli)/"
# (folder, what an include there may not begin with, in words)
INCLUDE_RULES = [
    ("compute", rf"({TOOLKIT}|{DRAWING})", "compute knows no toolkit and no drawing"),
    ("compute", WIDGET_ROOMS, "compute and widgets do not include each other"),
    ("compute", UPWARD, "nothing includes upward"),
    ("widgets", COMPUTE_ROOMS, "compute and widgets do not include each other"),
    ("widgets", UPWARD, "nothing includes upward"),
    ("widgets/scene", TOOLKIT, "scenes know no toolkit"),
    ("widgets/draw", TOOLKIT, "painters know no toolkit"),
    ("ui/presenters", TOOLKIT, "presenters know no toolkit"),
    ("ui/presenters", r"(app|cli)/", "nothing includes upward"),
    ("ui", r"(app|cli)/", "nothing includes upward"),
    ("app/cli", TOOLKIT, "headlight links no toolkit"),
] + [(room, RECORDINGS, "recordings are read in compute/io")
     for room in ("app", "ui", "widgets") + NOT_IO]


def walk(root, suffixes, top=ROOMS):
    """Yields 'room/..../file' for every file with one of the suffixes, sorted."""
    found = []
    for room in top:
        for folder, folders, files in os.walk(os.path.join(root, room)):
            folders[:] = [f for f in folders if f[0] not in "._"]
            found += [os.path.relpath(os.path.join(folder, f), root)
                      for f in files if f.endswith(suffixes)]
    return sorted(found)


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as f:
        return f.read()


def without_comments(text):
    """C text with its comments blanked, lines kept, strings left alone."""
    def blank(match):
        found = match.group(0)
        return found if found[0] in "\"'" else re.sub(r"[^\n]", " ", found)
    pattern = r'"(?:\\.|[^"\\\n])*"' + r"|'(?:\\.|[^'\\\n])*'|/\*.*?\*/|//[^\n]*"
    return re.sub(pattern, blank, text, flags=re.S)


def check_includes(root):
    problems = []
    include = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.M)
    for path in walk(root, (".c", ".h", ".cu", ".cuh")):
        rules = [r for r in INCLUDE_RULES if path.startswith(r[0] + "/")]
        text = without_comments(read(root, path)) if rules else ""
        for match in include.finditer(text):
            name = re.sub(r"^(\.\.?/)+", "", match.group(1))
            line = text.count("\n", 0, match.start(1)) + 1
            problems += [f"{path}:{line}: includes {match.group(1)}: {why}"
                         for _, forbidden, why in rules if re.match(forbidden, name)]
    return problems


def function_lengths(lines):
    """(first line, number of lines) of every block from a '{' to a '}' in column 1."""
    start = None
    for number, line in enumerate(lines, 1):
        if start is None and line.startswith("{"):
            start = number
        elif start is not None and line.startswith("}"):
            yield start, number - start + 1
            start = None


def check_sizes(root):
    problems = []
    for path in walk(root, (".c", ".h", ".cu", ".cuh", ".py")):
        if path in GENERATED:
            continue
        lines = read(root, path).splitlines()
        limit = MAX_H_LINES if path.endswith((".h", ".cuh")) else MAX_C_LINES
        if len(lines) > limit:
            problems.append(f"{path}: {len(lines)} lines, at most {limit} allowed")
        problems += [f"{path}:{n}: {len(line)} columns, at most {MAX_COLUMNS} allowed"
                     for n, line in enumerate(lines, 1) if len(line) > MAX_COLUMNS]
        if path.endswith(".py"):
            continue
        problems += [f"{path}:{start}: {length} lines in one function, at most "
                     f"{MAX_FUNCTION_LINES} allowed"
                     for start, length in function_lengths(lines)
                     if length > MAX_FUNCTION_LINES]
    return problems


def check_spdx(root):
    return [f"{path}: no SPDX-License-Identifier in its first three lines"
            for path in walk(root, (".c", ".h", ".cu", ".cuh", ".py", ".sh"))
            if "SPDX-License-Identifier:"
            not in "\n".join(read(root, path).splitlines()[:3])]


def has_translatable(root, path):
    text = read(root, path)
    if path.endswith((".c", ".h")):
        # A call with a string, not the macro's own definition.
        call = (r"(?<!\w)(_|N_|C_|NC_|Q_|ngettext|g_dngettext|g_dpgettext2)"
                r"\s*\(\s*[\"\w]")
        text = re.sub(r"^\s*#\s*define[^\n]*", "", without_comments(text), flags=re.M)
        return re.search(call, text) is not None
    if path.endswith(".ui"):
        return re.search(r"translatable=[\"'](yes|true|1)[\"']", text) is not None
    return True  # .desktop.in and .metainfo.xml.in are there to be translated


def check_potfiles(root):
    path = os.path.join(root, "po", "POTFILES.in")
    if not os.path.exists(path):
        return ["po/POTFILES.in: missing"]
    lines = [line.strip() for line in read(root, "po/POTFILES.in").splitlines()]
    listed = [line for line in lines if line and not line.startswith("#")]
    kinds = (".c", ".h", ".ui", ".desktop.in", ".metainfo.xml.in")
    rooms = ("app", "compute", "data", "resources", "ui", "widgets")
    problems = [f"po/POTFILES.in: {name}: no such file" for name in listed
                if not os.path.isfile(os.path.join(root, name))]
    problems += [f"po/POTFILES.in: {name}: listed twice"
                 for name in sorted(set(listed)) if listed.count(name) > 1]
    problems += [f"{name}: has strings to translate, is not in po/POTFILES.in"
                 for name in walk(root, kinds, rooms)
                 if name not in listed and has_translatable(root, name)]
    return problems


def check_paths(root):
    """No folder of one machine in the code; tests may name /tmp and /home."""
    # Put together here so that this file keeps its own rule.
    never, only_tests = ("root", "work"), ("home", "tmp")
    problems = []
    suffixes = (".c", ".h", ".cu", ".cuh", ".py", ".sh", ".build", ".in", ".ui", ".glsl")
    for path in walk(root, suffixes):
        words = never if path.startswith("tests/") else never + only_tests
        # After a letter or '}' it is the tail of a longer, relative path.
        pattern = re.compile(r"(?<![\w.\-})*])/(" + "|".join(words) + r")/")
        for number, line in enumerate(read(root, path).splitlines(), 1):
            match = pattern.search(line)
            if match:
                problems.append(f"{path}:{number}: names {match.group(0)}")
    return problems


def check_suites(root):
    """Passes by suite, as ./dev makes them, leave out a test that names none."""
    problems = []
    for path in walk(root, ("meson.build",)):
        text = re.sub(r"#[^\n]*", "", read(root, path))
        for match in re.finditer(r"(?<![\w.])test\s*\(", text):
            end, depth = match.end(), 1
            while end < len(text) and depth:
                depth += {"(": 1, ")": -1}.get(text[end], 0)
                end += 1
            if not re.search(r"\bsuite\s*:", text[match.end():end]):
                line = text.count("\n", 0, match.start()) + 1
                problems.append(f"{path}:{line}: a test without a suite")
    return problems


SOURCE_CHECKS = [("includes stay in their rooms", check_includes),
                 ("files, functions and lines are within their sizes", check_sizes),
                 ("every source starts with its licence", check_spdx),
                 ("POTFILES.in is complete", check_potfiles),
                 ("no machine's paths", check_paths),
                 ("every test has a suite", check_suites)]
