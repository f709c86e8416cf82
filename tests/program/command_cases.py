# SPDX-License-Identifier: MIT
"""What the tests of commands share: running one, judging it, cases that print TAP."""

import os
import shutil
import subprocess
import sys
import tempfile

PROGRAM, SOURCE = sys.argv[1:3]
WORK = tempfile.mkdtemp(prefix="headlight-commands-")
ENV = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
TIMEOUT_S = 60 * float(os.environ.get("HEADLIGHT_TEST_SLOWER", "1"))
cases = []


def case(function):
    cases.append(function)
    return function


class Skip(Exception):
    pass


def run(*arguments, env=None):
    words = [a if isinstance(a, bytes) else str(a) for a in arguments]
    result = subprocess.run([PROGRAM, *words], env={**ENV, **(env or {})},
                            capture_output=True, timeout=TIMEOUT_S)
    return result.returncode, result.stdout.decode(), result.stderr.decode()


def good(*arguments, **more):
    code, out, err = run(*arguments, **more)
    assert code == 0, f"{arguments}: {code}: {err}"
    return out


def fails(status, *arguments, says=()):
    code, _, err = run(*arguments)
    assert code == status, f"{arguments}: status {status} expected, {code} found: {err}"
    assert err.count("\n") == 1, f"{arguments}: one line on stderr expected: {err!r}"
    for words in says:
        assert words in err, f"{words!r} expected in {err!r}"


def at(name):
    return os.path.join(WORK, name)


def main():
    print(f"1..{len(cases)}")
    for number, function in enumerate(cases, 1):
        name = function.__name__.replace("_", " ")
        try:
            function()
            print(f"ok {number} - {name}", flush=True)
        except Skip as reason:
            print(f"ok {number} - {name} # SKIP {reason}", flush=True)
        except Exception as error:  # a case that breaks is a case that failed
            print(f"not ok {number} - {name}", flush=True)
            print(f"# {type(error).__name__}: {error}", flush=True)
    shutil.rmtree(WORK)

