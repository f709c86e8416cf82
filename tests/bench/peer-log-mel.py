#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Time transformers' WhisperFeatureExtractor on a WAV of 16 kHz, one channel, 16 bits.

    python3 peer-log-mel.py FILE.WAV

One line on standard output:

    peer log-mel ms=<median> min=<..> n=<..> with=<torch or numpy> version=<..>
    peer: skipped: <reason>
"""

import statistics
import sys
import time
import wave

N_ROUNDS = 11


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: peer-log-mel.py FILE.WAV")
    try:
        import numpy
        import transformers
        from transformers.utils import is_torch_available
    except ImportError as error:
        print(f"peer: skipped: {error.name} is not installed")
        return
    with wave.open(sys.argv[1]) as file:
        data = file.readframes(file.getnframes())
    samples = numpy.frombuffer(data, "<i2").astype(numpy.float32) / 32768
    extractor = transformers.WhisperFeatureExtractor()
    times_ms = []
    for _ in range(N_ROUNDS + 1):
        start = time.perf_counter()
        extractor(samples, sampling_rate=16000, return_tensors="np")
        times_ms.append((time.perf_counter() - start) * 1e3)
    times_ms = times_ms[1:]  # the first one warms up
    print(f"peer log-mel ms={statistics.median(times_ms):.2f} min={min(times_ms):.2f} "
          f"n={N_ROUNDS} with={'torch' if is_torch_available() else 'numpy'} "
          f"version={transformers.__version__}")


if __name__ == "__main__":
    main()
