# SPDX-License-Identifier: MIT
"""Runs the cases of a test with a window and prints TAP."""

import os
import threading

from window_driver import Window


def nothing_was_complained_of():
    """GTK's own complaint about an object path is not ours."""
    with open(Window.LOG, encoding="utf-8") as f:
        lines = [line.strip() for line in f if "WARNING" in line or "CRITICAL" in line]
    ours = [line for line in lines if "g_variant_is_object_path" not in line]
    assert not ours, f"{len(ours)} lines: " + " | ".join(ours[:3])


def run_cases(cases, watchdog_s, end):
    """@cases: (name, function); @end kills what is open, also when the time is up."""
    def give_up():
        print(f"Bail out! not done after {watchdog_s} s", flush=True)
        end()
        os._exit(1)

    watchdog = threading.Timer(watchdog_s, give_up)
    watchdog.daemon = True
    watchdog.start()
    print(f"1..{len(cases)}")
    for index, (name, function) in enumerate(cases, 1):
        try:
            function()
            print(f"ok {index} - {name}", flush=True)
        except Exception as error:  # a case that breaks is a case that failed
            print(f"not ok {index} - {name}", flush=True)
            print(f"# {type(error).__name__}: {error}".replace("\n", " "), flush=True)
    end()
    watchdog.cancel()
