#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Count test cases, not programs, over the JUnit files that meson test writes."""
import sys
import xml.etree.ElementTree as tree

passed = failed = skipped = 0
for path in sys.argv[1:]:
    for suite in tree.parse(path).getroot().iter("testsuite"):
        cases = list(suite.iter("testcase"))
        broken = 0
        for case in cases:
            name = f"{suite.get('name')} {case.get('name')}"
            skip = case.find("skipped")
            if case.find("failure") is not None or case.find("error") is not None:
                broken += 1
                print(f"FAILED {name}")
            elif skip is not None:
                skipped += 1
                print(f"skipped {name}: {skip.get('message') or 'see its log'}")
            else:
                passed += 1
        # A program that stops half-way reports no failed case of its own.
        counted = int(suite.get("errors", 0)) + int(suite.get("failures", 0))
        failed += max(broken, min(counted, 1))
        if counted and not broken:
            print(f"FAILED {suite.get('name')}: ended before its last case")
print(f"{passed} passed, {failed} failed, {skipped} skipped")
sys.exit(1 if failed or not passed else 0)
