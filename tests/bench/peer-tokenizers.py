#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Time the tokenizers library on the bench's tokenizer and text, on one thread.

    python3 peer-tokenizers.py TOKENIZER.JSON TEXT_FILE

One line on standard output:

    peer tokenizers load_ms=<..> ms=<median> min=<..> n=<..> tokens=<..> version=<..>
    peer: skipped: <reason>
"""

import os
import statistics
import sys
import time

N_ROUNDS = 5


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: peer-tokenizers.py TOKENIZER.JSON TEXT_FILE")
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    try:
        import tokenizers
    except ImportError as error:
        print(f"peer: skipped: {error.name} is not installed")
        return
    with open(sys.argv[2], encoding="utf-8", newline="") as f:
        text = f.read()
    start = time.perf_counter()
    tokenizer = tokenizers.Tokenizer.from_file(sys.argv[1])
    load_ms = (time.perf_counter() - start) * 1e3
    times_ms = []
    for _ in range(N_ROUNDS):
        start = time.perf_counter()
        n_tokens = len(tokenizer.encode(text).ids)
        times_ms.append((time.perf_counter() - start) * 1e3)
    print(f"peer tokenizers load_ms={load_ms:.1f} ms={statistics.median(times_ms):.2f} "
          f"min={min(times_ms):.2f} n={N_ROUNDS} tokens={n_tokens} "
          f"version={tokenizers.__version__}")


if __name__ == "__main__":
    main()
