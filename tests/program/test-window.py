#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The whole program through accessibility: open, look at heads, export, save, reopen.

test-window.py WINDOW_PROGRAM COMMAND_PROGRAM DATA_FOLDER; prints TAP. What the window says
is compared with what the command computes from the same model and picture; statistics are
worked out here from the exported maps.
"""

import json
import math
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as tree

from window_home import start_inside

WINDOW, COMMAND, DATA = sys.argv[1:4]
MODEL = os.path.join(DATA, "models", "vit-fashion")
PICTURE = os.path.join(DATA, "samples", "ankle-boot-01.png")
T, SIDE = 197, 14
WATCHDOG_S = 360 * float(os.environ.get("HEADLIGHT_TEST_SLOWER", "1"))
SVG = "{http://www.w3.org/2000/svg}"
cases = []


if "HEADLIGHT_TEST_HOME" not in os.environ:
    start_inside("headlight-window-")

import window_cases  # noqa: E402
from window_driver import PATIENCE_S, Atspi, Window, number, wait_for, walk  # noqa: E402

HOME = os.environ["HEADLIGHT_TEST_HOME"]


class Shared:
    """What one case leaves to the next."""
    window = None
    maps = {}
    query = ""


def case(function):
    cases.append(function)
    return function


def at(name):
    return os.path.join(HOME, name)


def same(found, expected, what):
    assert found == expected, f"{what}: {expected!r} expected, {found!r} found"


# ---- what the command says ------------------------------------------------------------


def command(*arguments):
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    done = subprocess.run([COMMAND, *map(str, arguments)], capture_output=True,
                          timeout=WATCHDOG_S / 4, env=environment)
    assert done.returncode == 0, f"headlight {arguments}: {done.stderr.decode()}"
    return done.stdout.decode()


def trace(name, *more):
    """A session that the command made; once."""
    if not os.path.exists(at(name)):
        command("trace", MODEL, "--image", PICTURE, "-o", at(name), *more)
    return at(name)


def exported(session, site):
    """The values of a site, in the file's order."""
    command("export", session, "--site", site, "--csv", at("export.csv"))
    with open(at("export.csv"), newline="") as f:
        return [float(line.rsplit(",", 1)[1]) for line in f.readlines()[1:]]


def head_map(layer, head, session=None):
    """The rows of one map."""
    key = (session or trace("command.h5"), layer)
    if key not in Shared.maps:
        values = exported(key[0], f"blocks.{layer}.attn.hook_pattern")
        rows = [values[i:i + T] for i in range(0, len(values), T)]
        Shared.maps[key] = [rows[i:i + T] for i in range(0, len(rows), T)]
    return Shared.maps[key][head]


def probabilities(session):
    logits = exported(session, "logits")
    weights = [math.exp(logit - max(logits)) for logit in logits]
    return sorted((w / sum(weights) for w in weights), reverse=True)


def statistics(rows):
    """Entropy, distance, first token and largest, in the definitions of the tooltips."""
    entropy = sum(-sum(a * math.log(a) for a in row if a > 0) for row in rows)
    places = [(p // SIDE, p % SIDE) for p in range(T - 1)]
    distance = 0
    for (y, x), row in zip(places, rows[1:]):
        patches = row[1:]
        distance += sum(a * math.hypot(y - v, x - u)
                        for a, (v, u) in zip(patches, places)) / sum(patches)
    return (entropy / T / math.log(T), distance / (T - 1),
            sum(row[0] for row in rows[1:]) / (T - 1), max(map(max, rows)))


def shown_as(text, expected, n_digits, what):
    """A label with that many digits rounds the number; float sums may round the other way."""
    assert text is not None and number(text) is not None, f"{what}: no number in {text!r}"
    away = abs(number(text) - expected)
    assert away <= 0.51 * 10 ** -n_digits, f"{what}: {expected} expected, {text} shown"


# ---- what the window says -------------------------------------------------------------


def focus(title):
    """Waits for a window and gives it the focus, as a window manager does."""
    subprocess.run(["xdotool", "search", "--sync", "--onlyvisible", "--limit", "1", "--name",
                    title, "windowfocus", "--sync"], check=True, timeout=30)


def keys(*names):
    """Presses keys as a keyboard does."""
    focus("– Headlight")
    subprocess.run(["xdotool", "key", "--clearmodifiers", *names], check=True)


def click(node, x=0.5, y=0.5):
    """Presses the pointer's button there; x and y are parts of the width and height."""
    place = node.get_extents(Atspi.CoordType.WINDOW)
    subprocess.run(["xdotool", "mousemove", str(place.x + int(x * place.width)),
                    str(place.y + int(y * place.height)), "click", "1"], check=True)


def wait_for_head(layer, head):
    """The panel's title says so, the grid too, and the map in the view is this head's."""
    window = Shared.window
    name = f"Layer {layer} · head {head}"
    window.wait("label", name)
    window.wait("image", name)
    wait_for("the grid to follow", lambda: any(
        f"layer {layer}, head {head}:" in node.get_description()
        for node in window.find_all("image")))


def check_head_numbers(layer, head, session=None):
    names = ("Row entropy", "Mean distance", "First token", "Largest entry")
    expected = statistics(head_map(layer, head, session))
    window = Shared.window
    wait_for("the head's numbers",
             lambda: None not in map(number, window.values(names)))
    for name, text, value, n_digits in zip(names, window.values(names), expected,
                                           (3, 2, 3, 4)):
        shown_as(text, value, n_digits, f"{name} of {layer}.{head}")


def map_words():
    return Shared.window.wait("image", r"Layer \d+ · head \d+").get_description()


def check_entry_words():
    """(the map's words, (query, key)), after their number was compared with the map's."""
    def place(row, column):
        return 1 + int(row) * SIDE + int(column)
    words, patch = map_words(), r"patch \((\d+), (\d+)\)"
    found = re.fullmatch(rf".*{patch}, .*{patch}: ([\d.,e-]+)", words)
    assert found, f"two patches and a number expected: {words!r}"
    query, key = place(*found.groups()[:2]), place(*found.groups()[2:4])
    expected, shown = head_map(5, 1)[query][key], float(found[5].replace(",", "."))
    assert math.isclose(expected, shown, rel_tol=1e-3), f"{words!r}: {expected} expected"
    return words, (query, key)


def prediction():
    """(label, probability) of the most probable class; an ablated one is behind an arrow."""
    names = Shared.window.labels()
    begin = names.index("Prediction")
    return names[begin + 1], names[begin + 2]


def choose_file(title, path, button):
    """Writes into the file chooser as a person does, and presses its button."""
    window = Shared.window
    focus(title)
    dialog = window.wait("filler", title, window.app)
    window.type_into(window.wait("text", "Name:?", dialog), path)
    window.press(button, dialog)
    window.wait_alone()


# ---- the cases, in this order ---------------------------------------------------------


@case
def starts_on_nothing_and_says_what_it_needs():
    Shared.window = Window(WINDOW)
    for name in ("Open a Model", "No model"):
        Shared.window.wait("label", name)
    Shared.window.wait("push button", "Open Model")
    Shared.window.wait("push button", "Main menu")


@case
def opens_the_model_that_ships_and_runs_it():
    Shared.window.press("Look at the Shipped Model")
    Shared.window.wait("label", r"Trace done in .*")
    Shared.window.wait("label", r"ViT · 6 layers × 6 heads · 197 tokens")
    Shared.window.wait("label", "vit-fashion")
    for name in ("Input picture with its patches", "Where the chosen patches look",
                 "Who looks at the chosen patches"):
        Shared.window.wait("image", name)


@case
def the_prediction_is_the_commands():
    label, shown = prediction()
    same(label, "Ankle boot", "class")
    shown_as(shown, probabilities(trace("command.h5"))[0], 3, "probability")


@case
def typing_into_go_to_shows_that_head():
    entry = Shared.window.wait("text", "Go to head")
    Shared.window.type_into(entry, "5.1")
    wait_for_head(5, 1)
    check_head_numbers(5, 1)


@case
def the_head_finder_has_the_same_numbers():
    names = Shared.window.labels(into_tables=True)
    names = names[names.index("Largest"):]
    for head in range(6):
        at_row = names.index(f"5.{head}")
        expected = statistics(head_map(5, head))
        for text, value, n_digits in zip(names[at_row + 1:at_row + 5], expected,
                                         (3, 2, 3, 3)):
            shown_as(text, value, n_digits, f"row 5.{head}")


@case
def the_keyboard_goes_to_a_head_and_to_the_next_layer():
    Shared.window.act(Shared.window.wait("text", "Go to head"), "activate")
    keys("3", "period", "4", "Return")
    wait_for_head(3, 4)
    check_head_numbers(3, 4)
    keys("bracketright")
    wait_for_head(4, 4)
    check_head_numbers(4, 4)


@case
def a_row_of_the_head_finder_shows_that_head():
    # The one above the selected row, which was scrolled into sight.
    click(next(node for node in walk(Shared.window.frame, into_tables=True)
               if node.get_role_name() == "label" and node.get_name() == "4.3"))
    wait_for_head(4, 3)


@case
def the_map_says_the_number_of_its_entry():
    window = Shared.window
    keys("5", "period", "1", "Return")
    wait_for_head(5, 1)
    click(window.wait("image", "Layer 5 · head 1"), 0.4, 0.5)
    first = check_entry_words()
    keys("Right", "Down")
    second = wait_for("another entry", lambda: map_words() != first[0]
                      and check_entry_words())
    same(second[1], (first[1][0] + 1, first[1][1] + 1), "the entry right below")


@case
def zooms_the_map_and_shows_all_of_it_again():
    def entry_there():
        click(Shared.window.wait("image", "Layer 5 · head 1"), 0.25, 0.3)
        time.sleep(0.3)  # so that it is no double click
        return wait_for("an entry", check_entry_words)[1]
    whole = entry_there()
    for key in ("f", "ctrl+0"):
        keys("plus", "plus")
        assert entry_there() != whole, "the map was not zoomed"
        keys(key)
        same(entry_there(), whole, f"entry after {key}")


def table_rows():
    """(token, attends to, attended from) of the rows in sight."""
    names = Shared.window.labels(into_tables=True)
    title = next(i for i, n in enumerate(names) if re.match(r"Head 5\.1, row and column", n))
    found = []
    for i in range(title, len(names) - 3):
        if re.fullmatch(r"\d+", names[i]) and re.match(r"CLS|patch", names[i + 1]):
            found.append((int(names[i]), *(number(n) for n in names[i + 2:i + 4])))
    return found


@case
def the_table_has_the_numbers_of_the_map():
    window = Shared.window
    click(window.wait("image", "Layer 5 · head 1"), 0.4, 0.5)
    query = check_entry_words()[1][0]
    keys("t")
    window.wait("label", rf"Head 5\.1, row and column of token {query} · .*")
    rows = wait_for("numbers in the table", lambda: (
        found := table_rows(), len(found) > 10 and None not in found[0] and found)[1])
    attention = head_map(5, 1)
    for token, to, back in rows:
        assert abs(to - attention[query][token]) < 6e-6, f"to {token}: {to}"
        assert abs(back - attention[token][query]) < 6e-6, f"from {token}: {back}"
    keys("t")
    window.wait("image", "Layer 5 · head 1")


@case
def ablating_changes_the_prediction_and_undo_takes_it_back():
    before = prediction()
    keys("a")
    pruned = probabilities(trace("pruned.h5", "--prune", "5.1"))[0]
    window = Shared.window
    window.wait("label", r"head 5\.1 set to zero")
    both = wait_for("the new prediction", lambda: next(
        (n for n in window.labels() if "→" in n and n[0].isdigit()), None))
    shown_as(both.split("→")[1], pruned, 3, "probability without 5.1")
    keys("ctrl+z")
    wait_for("the old prediction", lambda: prediction() == before)
    check_head_numbers(5, 1)


@case
def the_importance_page_has_the_commands_numbers():
    window = Shared.window
    keys("alt+2")
    window.press("Ablate Each Head")
    window.wait("label", "Scored 36 heads on 1 input")
    found = json.loads(command("analyze", "importance", MODEL, "--image", PICTURE, "--json"))
    head = next(h for h in found["heads"] if (h["layer"], h["head"]) == (5, 1))
    said = window.label(r"5\.1: .* · -ln p.* without the head.*")
    shown = said.split(" ")[1].replace("\u2212", "-")
    assert abs(float(shown) - head["loss_change"]) <= 0.006 * abs(head["loss_change"]), (
        f"{head['loss_change']} expected, {said!r} found")
    r = window.label(r"Spearman .* over 36 heads")
    agreed = re.search(r"Spearman (-?[\d.]+)", r.replace("\u2212", "-")).group(1)
    assert -1 <= float(agreed) <= 1, r
    window.press("Prune Parts of 5.1")
    chart = window.wait("image", "Parts of head 5.1 pruned")
    assert chart is not None
    keys("alt+3")
    window.wait("image", "Head 5.1 by distance")
    keys("alt+1")
    window.wait("text", "Go to head")


@case
def the_patterns_page_has_the_commands_numbers():
    window = Shared.window
    keys("alt+4")
    window.press("Find Patterns")  # two nets are trained: on a busy machine that takes long
    wait_for("the patterns", lambda: window.find("label", "Patterns of 36 maps"),
             4 * PATIENCE_S)
    found = json.loads(command("analyze", "patterns", MODEL, "--image", PICTURE, "--json"))
    patches = found["summaries"][0]
    said = window.label(r"5\.1: .*, error .*reconstruction.*")
    assert re.search(r"error [\d.]+", said), said
    names = window.labels()
    for cluster in patches["clusters"]:
        assert any(f"{cluster['maps']} maps, " in n for n in names), (cluster, names)
    keys("alt+1")
    window.wait("text", "Go to head")


@case
def tags_are_written_and_filtered_by():
    window = Shared.window
    keys("n")
    tags = window.wait("text", "Tags", window.app)
    window.type_into(tags, "seams, edges")
    window.label("#seams #edges")
    keys("Escape")
    entry = window.wait("text", "Filter the head finder")
    window.type_into(entry, "#seams")
    table = window.wait("table|tree table|list", "Head finder")

    def rows():
        found = [n.get_name() for n in walk(table, True) if n.get_role_name() == "label"]
        return [t for t in found if re.fullmatch(r"\d+\.\d+", t) and len(t) == 3]
    wait_for("only the tagged head", lambda: set(rows()) == {"5.1"})
    window.type_into(entry, "")
    wait_for("all heads", lambda: len(set(rows())) > 6)


def export_figure(window, name):
    """What is exported unless another is chosen: its root, and its texts."""
    window.press("Export")
    focus("Export a Figure")
    window.press("Export…", window.dialog("Export a Figure"))
    choose_file("Export the Figure", at(name), "Export")
    window.wait("label", "Wrote " + re.escape(name))
    root = tree.parse(at(name)).getroot()
    return root, " ".join("".join(node.itertext()) for node in root.iter(SVG + "text"))


@case
def exports_a_figure_as_svg():
    root, texts = export_figure(Shared.window, "figure.svg")
    for words in ("key patch", "query patch", "head 5.1", "ankle-boot-01.png"):
        assert words in texts, f"{words!r} expected in {texts!r}"
    entries = {e.get("key"): e.text
               for e in root.iter("{urn:headlight:figure}entry")}
    same(entries.get("model"), "vit-fashion", "provenance")
    assert entries.get("model-identity"), f"no identity in {entries}"


@case
def saves_the_session():
    window = Shared.window
    window.act(window.frame, "win.switch-special")  # two options of the view at once
    window.act(window.frame, "win.cycle-range")
    window.wait("label", "0 to each head's own maximum.*")
    window.act(window.frame, "win.save-as")
    choose_file("Save the Session", at("looked.h5"), "Save")
    window.wait("label", r"ankle-boot-01\.png · looked\.h5")
    assert os.path.exists(at("looked.h5"))
    mine, theirs = head_map(5, 1, at("looked.h5")), head_map(5, 1)
    assert mine == theirs, "the saved map is not the command's"


@case
def quits():
    Shared.query = Shared.window.label(r"Query: patch .*")
    same(Shared.window.close(), 0, "status")


@case
def the_data_set_page_has_the_commands_numbers():
    samples = os.path.join(DATA, "samples", "samples.csv")
    found = json.loads(command("analyze", "overview", MODEL, "--dataset", samples, "--json"))
    window = Shared.window = Window(WINDOW, "--model", MODEL, "--input", PICTURE, "--dataset",
                                    samples)
    window.wait("label", r".*ankle-boot-01\.png.*")
    focus("vit-fashion.*")
    keys("alt+6")
    window.wait("label", r"samples\.csv: 24 inputs")
    window.press("Make Overview")
    said = window.label(r"[\d.]+ % right .*")
    same(said.split(" ")[0], f"{100 * found['accuracy']:.1f}", "accuracy")
    table = window.wait("table|tree table|list", "Inputs of the data set")
    texts = [node.get_name() for node in walk(table, True) if node.get_role_name() == "label"]
    worst = max(found["inputs"], key=lambda x: x["loss"])
    assert worst["name"] in texts, (worst, texts[:20])
    window.act(window.frame, "window.close")  # what was found is not saved
    dialog = window.wait("label", "Discard the session\\?", window.app)
    assert dialog is not None and window.process.poll() is None
    window.press("Discard", window.app)
    wait_for("the window to go", lambda: window.process.poll() is not None)
    same(window.process.returncode, 0, "status")


@case
def the_saliency_page_has_the_commands_numbers():
    model = os.path.join(DATA, "models", "g2p-cmu")
    with open(at("word.txt"), "w") as f:
        f.write("headlight")
    found = json.loads(command("analyze", "cross-attention", model, "--text", "headlight",
                               "--baseline", "mean", "--json"))
    window = Shared.window = Window(WINDOW, "--model", model, "--input", at("word.txt"))
    window.wait("label", r".*word\.txt.*")
    focus("g2p-cmu.*")
    keys("alt+5")
    window.press("Compute Saliency")
    said = window.label(r"Of all outputs: attention, mean of all 12 heads, .*")
    r = re.search(r" r (-?\d+[.,]\d+), r² (-?\d+[.,]\d+)", said)
    shown_as(r[1], found["pearson_all"], 3, "r of all rows")
    shown_as(r[2], found["pearson_all"] ** 2, 3, "r²")
    assert "1 special token is left out" in said, said
    both = window.wait(".*", "Attention and saliency on the input")
    keys("b")
    wait_for("one map alone", lambda: both.get_description() == "Attention alone")
    keys("b")
    wait_for("the other", lambda: both.get_description() == "Saliency alone")
    keys("Escape")
    wait_for("both", lambda: re.fullmatch(r"parted at \d+ %", both.get_description()))
    _, words = export_figure(window, "both.svg")
    for part in ("What all outputs rest on", "mean of all 12 heads", f"r {r[1].replace(',', '.')}"):
        assert part in words, f"{part!r} expected in {words!r}"
    window.act(window.frame, "window.close")
    window.press("Discard", window.app)
    wait_for("the window to go", lambda: window.process.poll() is not None)


@case
def reopens_with_the_same_head_and_numbers():
    Shared.window = Window(WINDOW, at("looked.h5"))
    wait_for_head(5, 1)
    check_head_numbers(5, 1, at("looked.h5"))
    label, shown = prediction()
    same(label, "Ankle boot", "class")
    shown_as(shown, probabilities(trace("command.h5"))[0], 3, "probability")
    same(Shared.window.label(r"Query: .*"), Shared.query, "chosen patch")
    Shared.window.wait("label", "0 to each head's own maximum.*")
    toggle = Shared.window.wait("push button|toggle button", "Leave out CLS")
    assert toggle.get_state_set().contains(Atspi.StateType.PRESSED), "leaves out CLS"


@case
def refuses_a_wrong_file_in_words():
    same(Shared.window.close(), 0, "status")
    with open(at("text.h5"), "w") as f:
        f.write("no session\n")
    Shared.window = Window(WINDOW, at("text.h5"))
    Shared.window.press("Details")
    focus("session|Session")
    Shared.window.wait("label", r".*text\.h5.*", Shared.window.app)


@case
def a_text_stays_in_sight_after_a_tooltip():
    Shared.window.kill()
    text = os.path.join(DATA, "samples", "ecclesiastes-1.txt")
    Shared.window = Window(WINDOW, "--model", os.path.join(DATA, "models", "gpt-kjv"),
                           "--input", text)
    Shared.window.wait("label", r"Trace done in .*")
    strip = Shared.window.wait("image", "Tokens")
    focus("– Headlight")
    place = strip.get_extents(Atspi.CoordType.WINDOW)
    for step in range(3):  # the tooltip shows once the pointer has moved and rests
        subprocess.run(["xdotool", "mousemove", str(place.x + 60 + step),
                        str(place.y + 20)], check=True)
        time.sleep(0.3)
    wait_for("a token", lambda: strip.get_description().startswith("token"))
    time.sleep(1)
    click(Shared.window.wait("push button|toggle button", "Arcs"))
    time.sleep(0.5)
    before = strip.get_description()
    click(strip, 0.5, 0.3)
    wait_for("another token", lambda: strip.get_description() != before)


@case
def another_backend_computes_the_same():
    # The emulated device: the same model and picture are run again as soon as it is chosen.
    Shared.window.kill()
    if not os.path.exists(os.path.join(os.environ.get("HEADLIGHT_MODULES", ""),
                                       "headlight-cuda.so")):
        return
    window = Shared.window = Window(WINDOW, "--model", MODEL, "--input", PICTURE)
    wait_for("the CPU", lambda: window.find("label", "CPU · .*"))
    before = prediction()
    focus("vit-fashion.*")
    button = list(window.find_all("push button", "What computes"))[-1]
    window.act(button, "click")
    window.wait("label", "CUDA · emulated device.*never run on a GPU.*")
    keys("alt+d")
    wait_for("a run on it", lambda: window.find("label", "CUDA · emulated device, 4 GB"))
    wait_for("the same prediction", lambda: prediction() == before)


@case
def nothing_was_complained_of():
    Shared.window.kill()
    window_cases.nothing_was_complained_of()


def end():
    if Shared.window is not None:
        Shared.window.kill()


window_cases.run_cases([(f.__name__.replace("_", " "), f) for f in cases], WATCHDOG_S, end)
