# SPDX-License-Identifier: MIT
"""Drives headlight-window as a screen reader sees it: finds by role and name, reads, clicks."""

import os
import re
import signal
import subprocess
import time
import warnings

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, GLib  # noqa: E402  (the version comes first)

warnings.simplefilter("ignore", DeprecationWarning)
PATIENCE_S = 30 * float(os.environ.get("HEADLIGHT_TEST_SLOWER", "1"))


class Missing(Exception):
    pass


def wait_for(what, ask, patience_s=PATIENCE_S):
    """Asks until the answer is true; what is on the bus may go away while it is read."""
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        try:
            answer = ask()
        except GLib.Error:
            answer = None
        if answer:
            return answer
        time.sleep(0.05)
    raise Missing(f"waited {patience_s:.0f} s for {what}")


def children(node):
    for i in range(node.get_child_count()):
        child = node.get_child_at_index(i)
        if child is not None:
            yield child


def walk(node, into_tables=False):
    """The tree below a node. Each step is a question on the bus: long tables are left out
    unless asked for."""
    yield node
    for child in children(node):
        if into_tables or child.get_role_name() != "table row":
            yield from walk(child, into_tables)
        else:
            return


def plain(name):
    """Without mnemonics and marks of direction. GTK 4.8 says a button's label twice, once
    with them."""
    name = re.sub("[_\u2068\u2069]", "", name or "")
    half = len(name) // 2
    return name[:half] if name[half:] == " " + name[:half] else name


def number(text):
    """The first number of a label, whatever the locale's decimal point is."""
    found = re.search(r"-?\d+(?:[.,]\d+)?", text)
    return float(found.group().replace(",", ".")) if found else None


class Window:
    """One run of the program; `frame` is its main window, LOG where it complains."""

    LOG = os.path.join(os.environ.get("HEADLIGHT_TEST_HOME", "."), "window.log")

    @classmethod
    def launch(cls, program, *arguments):
        """The program's process, for who opens several: it starts while others are read."""
        environment = {**os.environ, "GTK_A11Y": "atspi", "LANGUAGE": "en"}
        with open(cls.LOG, "a") as log:
            return subprocess.Popen([program, *map(str, arguments)], env=environment,
                                    stderr=log)

    def __init__(self, program, *arguments, process=None):
        self.process = process or self.launch(program, *arguments)
        self.app = wait_for("the program on the accessibility bus", self._find_app)
        self.frame = wait_for("its window", lambda: self.find("frame", under=self.app))

    def _find_app(self):
        if self.process.poll() is not None:
            raise Missing(f"the program ended with {self.process.returncode}")
        for app in children(Atspi.get_desktop(0)):
            if app.get_process_id() == self.process.pid:
                return app
        return None

    def wait_alone(self):
        """Waits until dialogs are gone: GTK 4.8 crashes when one that is on its way is asked
        for. Their number may be asked."""
        wait_for("dialogs to go", lambda: self.app.get_child_count() == 1)

    def find_all(self, role, name=None, under=None):
        """Those in the main window, or @under, with the role and a name that matches."""
        for node in walk(under or self.frame):
            if not re.fullmatch(role, node.get_role_name()):
                continue
            if name is None or re.fullmatch(name, plain(node.get_name())):
                yield node

    def find(self, role, name=None, under=None):
        return next(self.find_all(role, name, under), None)

    def wait(self, role, name=None, under=None):
        return wait_for(f"{role} {name!r}", lambda: self.find(role, name, under))

    def dialog(self, name):
        """Another window of the program, whatever role it is given."""
        return wait_for(f"window {name!r}", lambda: next(
            (node for node in children(self.app) if node.get_name() == name), None))

    def press(self, name, under=None):
        button = self.wait("push button", name, under)
        wait_for(f"{name!r} to be sensitive",
                 lambda: button.get_state_set().contains(Atspi.StateType.SENSITIVE))
        Atspi.Action.do_action(button, 0)

    def act(self, node, action):
        for i in range(Atspi.Action.get_n_actions(node)):
            if Atspi.Action.get_action_name(node, i) == action:
                return Atspi.Action.do_action(node, i)
        raise Missing(f"{node.get_name()!r} has no action {action}")

    def type_into(self, entry, text):
        Atspi.EditableText.set_text_contents(entry, text)

    def label(self, pattern, under=None):
        return self.wait("label", pattern, under).get_name()

    def labels(self, into_tables=False):
        return [node.get_name() for node in walk(self.frame, into_tables)
                if node.get_role_name() == "label"]

    def values(self, names):
        """What stands beside each of the names."""
        labels = self.labels()
        return [labels[labels.index(name) + 1] for name in names]

    def close(self):
        try:
            self.act(self.frame, "window.close")
        except GLib.Error:
            pass  # it was gone before it could answer
        self.process.wait(PATIENCE_S)
        return self.process.returncode

    def kill(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
