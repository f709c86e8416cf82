#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Let each format's own tool judge the files of this folder (standard library only).

Prints TAP, one case a tool; a tool that is not installed is a skip that says so. A file
is also damaged on purpose, to see that its tool would have noticed.
"""

import argparse
import glob
import os
import re
import shutil
import subprocess
import tempfile


def output_of(*command):
    """Exit status and all that a tool said."""
    environment = dict(os.environ, LC_ALL="C.UTF-8", MANWIDTH="80")
    done = subprocess.run(command, capture_output=True, text=True, errors="replace",
                          env=environment, timeout=60)
    return done.returncode, done.stdout + done.stderr


def check_desktop(path):
    status, said = output_of("desktop-file-validate", path)
    return said if status != 0 or "error:" in said else ""


def check_metainfo(path):
    _, said = output_of("appstreamcli", "validate", "--no-net", "--explain", path)
    return said if re.search(r"^\s*E:", said, re.M) else ""


def check_schemas(folder):
    status, said = output_of("glib-compile-schemas", "--strict", "--dry-run", folder)
    return said if status != 0 else ""


def check_man(path):
    _, said = output_of("man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", path)
    # -Z gives the page in troff's own language; what groff complains of names the file.
    return "\n".join(l for l in said.splitlines() if re.search(r"\b(warning|error)\b.*:", l)
                     and re.search(r"^(\S*troff|man|\S*groff)\S*:", l))


def damaged(path, old, new, folder):
    """A copy in which one thing is wrong; returns what to give to the check."""
    source = path
    if os.path.isdir(path):
        source = glob.glob(os.path.join(path, "*.gschema.xml"))[0]
    with open(source, encoding="utf-8") as f:
        text = f.read()
    if old not in text:
        raise SystemExit(f"Bail out! {source}: {old!r} is not in it any more")
    copy = os.path.join(folder, os.path.basename(source))
    with open(copy, "w", encoding="utf-8") as f:
        f.write(text.replace(old, new, 1))
    return folder if os.path.isdir(path) else copy


# (option, tool, check, what is damaged)
CASES = [
    ("desktop", "desktop-file-validate", check_desktop, ("Terminal=false", "Terminal=no")),
    ("metainfo", "appstreamcli", check_metainfo, ("<name>", "<nome>")),
    ("schemas", "glib-compile-schemas", check_schemas, ("<range min=", "<rang min=")),
    ("man", "man", check_man, (".TH HEADLIGHT", ".tl HEADLIGHT\n.nonsense\n.TH HEADLIGHT")),
]


def main():
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for option, *_ in CASES:
        args.add_argument("--" + option)
    given = vars(args.parse_args())
    print(f"1..{2 * len(CASES)}")
    for i, (option, tool, check, damage) in enumerate(CASES):
        names = [f"{2 * i + 1} - {tool} accepts the {option} file",
                 f"{2 * i + 2} - {tool} notices damage to it"]
        why = ("not built in this configuration" if given[option] is None else
               f"{tool} is not installed" if shutil.which(tool) is None else "")
        if why:
            for name in names:
                print(f"ok {name} # SKIP {why}")
            continue
        problems = check(given[option])
        for line in problems.splitlines():
            print("# " + line)
        print(("not ok " if problems else "ok ") + names[0])
        with tempfile.TemporaryDirectory() as folder:
            found = check(damaged(given[option], *damage, folder))
        print(("ok " if found else "not ok ") + names[1])


if __name__ == "__main__":
    main()
