#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The list of models in the window, through accessibility and a keyboard.

test-model-dialog.py WINDOW_PROGRAM COMMAND_PROGRAM TESTS_FOLDER; prints TAP.
"""

import json
import os
import shutil
import subprocess
import sys

from window_home import start_inside

WINDOW, COMMAND, TESTS = sys.argv[1:4]
WATCHDOG_S = 240 * float(os.environ.get("HEADLIGHT_TEST_SLOWER", "1"))
TITLE = "Choose a Model"
cases = []

if "HEADLIGHT_TEST_HOME" not in os.environ:
    start_inside("headlight-models-")

from fake_cache import MAIN, FakeCache  # noqa: E402
import window_cases  # noqa: E402
from window_driver import Atspi, Window, wait_for, walk  # noqa: E402

HOME = os.environ["HEADLIGHT_TEST_HOME"]
CACHE = os.path.join(HOME, "huggingface", "hub")  # in XDG_CACHE_HOME


class Shared:
    window = None
    good = []


def case(function):
    cases.append(function)
    return function


def focus(title):
    subprocess.run(["xdotool", "search", "--sync", "--onlyvisible", "--limit", "1", "--name",
                    title, "windowfocus", "--sync"], check=True, timeout=30)


def keys(*names, title=TITLE):
    focus(title)
    subprocess.run(["xdotool", "key", "--clearmodifiers", *names], check=True)


def type_words(words):
    focus(TITLE)
    subprocess.run(["xdotool", "type", "--delay", "40", "--", words], check=True)


def ask():
    """The dialog, as Ctrl+O opens it."""
    keys("ctrl+o", title="Headlight")
    return Shared.window.dialog(TITLE)


def rows(dialog):
    """What a screen reader says of the rows that are seen, from top to bottom."""
    return [node.get_name() for node in walk(dialog, True)
            if node.get_role_name() == "list item"
            and node.get_state_set().contains(Atspi.StateType.VISIBLE)]


def wait_rows(dialog, what, judge):
    try:
        wait_for(what, lambda: judge(rows(dialog)))
    except Exception as error:
        raise AssertionError(f"{error}: {rows(dialog)}") from error


def focused(dialog):
    return next((node.get_name() for node in walk(dialog, True)
                 if node.get_state_set().contains(Atspi.StateType.FOCUSED)), None)


@case
def an_empty_cache_says_where_it_looked():
    Shared.window = Window(WINDOW)
    dialog = ask()
    Shared.window.wait("label", "No Models Found", dialog)
    words = Shared.window.wait("label", "Headlight looked in .*", dialog).get_name()
    assert CACHE in words and "HF_HUB_CACHE" in words, words
    Shared.window.wait("push button", "Open a Folder…", dialog)
    keys("Escape")
    Shared.window.wait_alone()


@case
def lists_what_can_be_opened_first():
    cache = FakeCache(CACHE, os.path.join(TESTS, "golden", "models"))
    Shared.good = cache.fill()
    dialog = ask()
    wait_rows(dialog, "rows", lambda r: len(r) > len(Shared.good))
    found = rows(dialog)
    names = [row.split(",")[0] for row in found]
    good = [name for name, row in zip(names, found) if "cannot be opened" not in row]
    assert sorted(set(good)) == sorted(Shared.good), good
    assert names[:len(good)] == good, f"those that can be opened first: {names}"
    assert f"GPT-2 · main {MAIN[:7]}" in found[names.index("gpt2")], found
    pickle = found[names.index("microsoft/DialoGPT-small")]
    assert "cannot be opened: only PyTorch pickles" in pickle, pickle
    for name in ("Downloaded models", "Downloaded models that cannot be opened"):
        Shared.window.wait("list", name, dialog)
    Shared.window.wait("text|entry", "Search models", dialog)


@case
def typing_searches():
    dialog = Shared.window.dialog(TITLE)
    type_words("llama")
    wait_rows(dialog, "the Llamas", lambda r: len(r) == 4 and r[0].startswith("meta-llama/"))
    type_words(" zebra")
    Shared.window.wait("label", "No Model Matches", dialog)
    keys("ctrl+a", "BackSpace")
    wait_rows(dialog, "all again", lambda r: len(r) > 4)


@case
def arrows_walk_from_list_to_list():
    dialog = Shared.window.dialog(TITLE)
    type_words("llama")
    wait_rows(dialog, "the Llamas", lambda r: len(r) == 4)
    found = rows(dialog)
    for row in found[:2]:  # the second is in the other list
        keys("Down")
        wait_for(row, lambda row=row: focused(dialog) == row)
    keys("Up")
    wait_for(found[0], lambda: focused(dialog) == found[0])
    keys("Up")
    wait_for("the entry", lambda: focused(dialog) not in found)
    # Letters are searched for wherever the focus is, and the row it was on may go.
    keys("Down")
    wait_for(found[0], lambda: focused(dialog) == found[0])
    type_words("-2")
    wait_rows(dialog, "the others", lambda r: len(r) == 2 and found[0] not in r)
    keys("Down")
    wait_for("the first of them", lambda: focused(dialog) == rows(dialog)[0])
    keys("Up")
    wait_for("the entry again", lambda: focused(dialog) not in rows(dialog))


@case
def one_that_cannot_be_opened_says_why():
    dialog = Shared.window.dialog(TITLE)
    keys("ctrl+a", "BackSpace")
    type_words("dialogpt")
    wait_rows(dialog, "DialoGPT", lambda r: len(r) == 1)
    keys("Return")
    why = wait_for("the reason", lambda: next(
        (node for window in range(Shared.window.app.get_child_count())
         for node in walk(Shared.window.app.get_child_at_index(window))
         if "can run any code" in (node.get_name() or "")), None))
    assert "pytorch_model.bin" in why.get_name()
    keys("Escape", title="")
    wait_for("the reason to go", lambda: Shared.window.app.get_child_count() == 2)


@case
def return_opens_the_first_that_can_be_opened():
    dialog = Shared.window.dialog(TITLE)
    keys("ctrl+a", "BackSpace")
    type_words("vit base")
    wait_rows(dialog, "the ViT", lambda r: len(r) == 1)
    keys("Return")
    Shared.window.wait_alone()
    Shared.window.wait("label", "Opened google/vit-base-patch16-224")
    wait_for("its title", lambda: Shared.window.frame.get_name() ==
             "google/vit-base-patch16-224 – Headlight")


@case
def it_is_among_those_opened_lately():
    dialog = ask()
    Shared.window.wait("label", "Opened Lately", dialog)
    name = "google/vit-base-patch16-224"
    wait_rows(dialog, "it twice", lambda r: r and r[0].startswith(name)
              and sum(row.startswith(name) for row in r) == 2)
    # A folder that is gone is no longer listed; the dialog looks anew each time.
    keys("Escape")
    Shared.window.wait_alone()
    shutil.rmtree(os.path.join(CACHE, "models--google--vit-base-patch16-224"))
    dialog = ask()
    wait_rows(dialog, "it no more", lambda r: r and not any(row.startswith(name) for row in r))
    keys("Escape")
    Shared.window.wait_alone()


def models():
    """All that the command lists; those opened lately are gone from it."""
    done = subprocess.run([COMMAND, "models", "--json"], capture_output=True, check=True)
    return json.loads(done.stdout)["models"]


@case
def of_many_some_are_listed():
    cache = FakeCache(CACHE, os.path.join(TESTS, "golden", "models"))
    for i in range(260):
        cache.add(f"many/model-{i:03}", {"config.json": b"{}"})
    cache.add_golden("zzz/last", "vit-tiny")
    dialog = ask()
    wait_rows(dialog, "some rows", lambda r: len(r) > 190)
    listed = rows(dialog)
    assert sum(row.startswith("zzz/last") for row in listed) == 1, "those to be opened first"
    left = Shared.window.wait("label", r"\d+ more: search .*", dialog).get_name()
    assert len(listed) + int(left.split()[0]) == len(models()), (left, len(listed))
    type_words("model-259")
    wait_rows(dialog, "the one", lambda r: len(r) == 1)
    keys("Escape")
    Shared.window.wait_alone()


@case
def a_name_opens_the_window_on_a_model():
    Shared.window.kill()
    Shared.window = Window(WINDOW, "--model", "openai-community/gpt2")
    Shared.window.wait("label", "Opened openai-community/gpt2")


@case
def nothing_was_complained_of():
    Shared.window.kill()
    window_cases.nothing_was_complained_of()


def end():
    if Shared.window is not None:
        Shared.window.kill()


window_cases.run_cases([(f.__name__.replace("_", " "), f) for f in cases], WATCHDOG_S, end)
