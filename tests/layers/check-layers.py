#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The layers test: the rules of the house, as TAP, and proof that each of them can fail.

    check-layers.py --source ROOT [--compute LIB]... [--draw LIB]... [--widgets LIB]...
                    [--presenters LIB]... [--program headlight]

Needs the standard library, and binutils and a C compiler for the rules on symbols.
"""

import argparse
import os
import shutil
import sys

sys.dont_write_bytecode = True

import layer_rules  # noqa: E402
import layer_selftest  # noqa: E402
import layer_symbols  # noqa: E402

ROOMS = ("compute", "draw", "presenters", "widgets")


class Tap:
    """Collects cases; each is a name and either problems or the reason of a skip."""

    def __init__(self):
        self.n_cases = 0
        self.n_failed = 0

    def case(self, name, problems):
        self.n_cases += 1
        self.n_failed += bool(problems)
        print(f"{'not ok' if problems else 'ok'} {self.n_cases} - {name}")
        for problem in problems:
            print("# " + problem.replace("\n", " "))

    def skip(self, name, reason):
        self.n_cases += 1
        print(f"ok {self.n_cases} - {name} # SKIP {reason}")


def check_library(tap, room, libraries):
    names = {"references": f"{room} names nothing it may not know",
             "leaves": f"{room} never ends the program",
             "globals": f"{room} keeps no writable globals"}
    if not libraries:
        tap.skip(f"symbols of {room}", f"no {room} library in this build")
        return
    tap.case(names["references"], [p for lib in libraries
                                   for p in layer_symbols.check_references(lib, room)])
    tap.case(names["leaves"], [p for lib in libraries
                               for p in layer_symbols.check_leaves(lib)])
    tap.case(names["globals"], [p for lib in libraries
                                for p in layer_symbols.check_globals(lib)])


def check_built(tap, options):
    for room in ROOMS:
        check_library(tap, room, getattr(options, room))
    name = "headlight is linked with no toolkit"
    if options.program and os.path.exists(options.program):
        tap.case(name, layer_symbols.check_needed(options.program))
    else:
        tap.skip(name, "the program is not in this build")


def selftest_built(tap):
    cases = [("self-test: references, exits, globals", layer_selftest.symbol_selftest),
             ("self-test: linked libraries", layer_selftest.needed_selftest)]
    cc = layer_selftest.find_compiler()
    for name, selftest in cases:
        if cc and shutil.which("ar"):
            tap.case(name, selftest(cc))
        else:
            tap.skip(name, "no C compiler to build the planted violations with")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--source", required=True)
    for room in ROOMS:
        parser.add_argument("--" + room, action="append", default=[])
    parser.add_argument("--program")
    options = parser.parse_args()
    tap = Tap()
    for name, check in layer_rules.SOURCE_CHECKS:
        tap.case(name, check(options.source))
        tap.case("self-test: " + name, layer_selftest.source_selftest(check))
    if shutil.which("objdump"):
        check_built(tap, options)
        selftest_built(tap)
    else:
        tap.skip("rules on symbols", "objdump (binutils) is not installed")
    print(f"1..{tap.n_cases}")
    return 1 if tap.n_failed else 0


if __name__ == "__main__":
    sys.exit(main())
