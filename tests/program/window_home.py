# SPDX-License-Identifier: MIT
"""A home, a bus and a display of its own for a test of the window."""

import os
import re
import shutil
import subprocess
import sys
import tempfile


def skip(reason):
    print(f"1..0 # SKIP {reason}")
    sys.exit(0)


def start_inside(prefix):
    """Starts the test again with a bus and a display of its own, and a home to fill."""
    for tool, package in (("dbus-run-session", "dbus-daemon"), ("xvfb-run", "xvfb"),
                          ("xdotool", "xdotool")):
        if shutil.which(tool) is None:
            skip(f"{tool} is not installed (package {package})")
    try:
        import gi
        gi.require_version("Atspi", "2.0")
    except (ImportError, ValueError) as error:
        skip(f"no AT-SPI for Python (python3-gi, gir1.2-atspi-2.0): {error}")
    home = tempfile.mkdtemp(prefix=prefix)
    environment = {**os.environ, "HEADLIGHT_TEST_HOME": home, "HOME": home,
                   "GSETTINGS_BACKEND": "memory", "GDK_BACKEND": "x11"}
    for name in ("CONFIG", "DATA", "CACHE", "RUNTIME"):
        environment[f"XDG_{name}_{'DIR' if name == 'RUNTIME' else 'HOME'}"] = home
    os.chmod(home, 0o700)
    for name in ("WAYLAND_DISPLAY", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME"):
        environment.pop(name, None)
    # AT-SPI's library and GTK 4.8's file chooser under it warn: no warning may be fatal.
    # The last case reads what the program said.
    environment.pop("G_DEBUG", None)
    inside = subprocess.Popen(["dbus-run-session", "--", "xvfb-run", "-a", "-s",
                               "-screen 0 1440x900x24", sys.executable, *sys.argv],
                              env=environment, stdout=subprocess.PIPE, text=True)
    for line in inside.stdout:  # the bus prints there too
        if re.match(r"(not )?ok |1\.\.|#|Bail out!", line):
            print(line, end="", flush=True)
    shutil.rmtree(home, ignore_errors=True)
    sys.exit(inside.wait())
