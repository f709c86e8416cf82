# SPDX-License-Identifier: MIT
"""The rules of the house that are read off built libraries and programs, with objdump.

Every check_* function returns a list of problems, each one line of text.
"""

import re
import subprocess

TOOLKIT = r"gtk_|gdk_(?!pixbuf_|colorspace_)|gsk_|adw_|epoxy_|graphene_"
FORBIDDEN = {
    "compute": TOOLKIT + r"|cairo_|pango_|gl[A-Z]",
    "draw": TOOLKIT,
    "presenters": TOOLKIT,
    "widgets": r"adw_",
}
LEAVES = {"exit", "_exit", "_Exit", "quick_exit", "abort", "__assert_fail"}
# What GLib's own macros keep: type ids, parent classes, quarks, signals, properties.
KEPT_BY_GLIB = re.compile(
    r"(static_g_define_\w+|\w+_type_id|\w+_parent_class|\w+_private_offset"
    r"|q|\w*quark\w*|signals|\w+_signals|props|\w+_props|properties|\w+_properties"
    r"|once|\w+_once|initiali[sz]ed|static_resource|__asan\w*|__odr_asan\S*|__ubsan\w*"
    r"|__gcov\S*|__sancov\S*)(\.\d+)*(\.lto_priv\.\d+)?")
# Sections a program may write to; .data.rel.ro is only written while it is loaded.
WRITABLE = re.compile(r"\.(data(?!\.rel\.ro)|bss|tdata|tbss)|\*COM\*")
LINE = re.compile(r"^[0-9a-f]+ (.{7}) (\S+)\t[0-9a-f]+\s+"
                  r"(?:\.(?:hidden|internal|protected) )?(\S+)$")


def symbols(path):
    """Yields (object file, flags, section, name) of every symbol of a library."""
    text = subprocess.run(["objdump", "-t", path], check=True, capture_output=True,
                          text=True, errors="replace").stdout
    member = path
    for line in text.splitlines():
        if ": " in line and "file format" in line:
            member = line.split(":", 1)[0].rsplit("/", 1)[-1]
        match = LINE.match(line)
        if match:
            yield (member, *match.groups())


def check_references(path, room):
    """A library names nothing of the layers it may not know."""
    forbidden = re.compile(FORBIDDEN[room])
    return sorted({f"{member}: needs {name}, which {room} may not know"
                   for member, _, section, name in symbols(path)
                   if section == "*UND*" and forbidden.match(name)})


def check_leaves(path):
    """A library does not end the program it is part of."""
    return sorted({f"{member}: calls {name}; a library returns an error instead"
                   for member, _, section, name in symbols(path)
                   if section == "*UND*" and name in LEAVES})


def is_variable(flags, section):
    """objdump marks variables with O, except those of a thread: they have no mark."""
    return flags[6] == "O" or (section.startswith(".t") and flags[5:] == "  ")


def check_globals(path):
    """A library keeps no state of its own."""
    return sorted({f"{member}: {name} is a writable global ({section})"
                   for member, flags, section, name in symbols(path)
                   if is_variable(flags, section) and WRITABLE.match(section)
                   and not KEPT_BY_GLIB.fullmatch(name)})


def check_needed(path):
    """A program without a toolkit lists none among the libraries it needs."""
    text = subprocess.run(["objdump", "-p", path], check=True, capture_output=True,
                          text=True, errors="replace").stdout
    needed = re.findall(r"^\s*NEEDED\s+(\S+)", text, flags=re.M)
    return [f"{path.rsplit('/', 1)[-1]}: is linked with {name}" for name in needed
            if re.match(r"lib(gtk|adwaita|epoxy|gdk-[0-9x])", name)]
