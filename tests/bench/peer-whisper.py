#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Time PyTorch on Whisper and a recording of 16 kHz, one channel, 16 bits.

    python3 peer-whisper.py MODEL RECORDING.WAV N_THREADS encode|token

encode: the encoder and the decoder's first two tokens; token: one of 64, greedy, with a
cache. In float32, with the library's own attention. One line on standard output:

    peer pytorch ms=<median> min=<..> n=<..> version=<..> threads=<..>
    peer: skipped: <reason>
"""

import statistics
import sys
import time
import wave

N_ROUNDS = 7
N_TOKENS = 64


def main():
    if len(sys.argv) != 5:
        sys.exit("usage: peer-whisper.py MODEL RECORDING.WAV N_THREADS encode|token")
    folder, recording, n_threads, part = sys.argv[1:]
    try:
        import numpy
        import torch
        import transformers
    except ImportError as error:
        print(f"peer: skipped: {error.name} is not installed")
        return
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(int(n_threads))
    with wave.open(recording) as file:
        data = file.readframes(file.getnframes())
    samples = numpy.frombuffer(data, "<i2").astype(numpy.float32) / 32768
    extractor = transformers.WhisperFeatureExtractor()
    features = extractor(samples, sampling_rate=16000, return_tensors="pt").input_features
    model = transformers.WhisperForConditionalGeneration.from_pretrained(
        folder, dtype=torch.float32).eval()
    start = torch.tensor([[model.config.decoder_start_token_id, 50362]])
    times_ms = []
    with torch.inference_mode():
        for _ in range(N_ROUNDS + 1):
            began = time.perf_counter()
            out = model(input_features=features, decoder_input_ids=start, use_cache=True)
            if part == "token":
                began = time.perf_counter()
                for _ in range(N_TOKENS - 1):
                    last = out.logits[:, -1:].argmax(-1)
                    out = model(encoder_outputs=(out.encoder_last_hidden_state,),
                                decoder_input_ids=last, use_cache=True,
                                past_key_values=out.past_key_values)
            ms = (time.perf_counter() - began) * 1e3
            times_ms.append(ms / (N_TOKENS - 1) if part == "token" else ms)
    times_ms = times_ms[1:]  # the first one warms up
    print(f"peer pytorch ms={statistics.median(times_ms):.2f} min={min(times_ms):.2f} "
          f"n={N_ROUNDS} version={torch.__version__} threads={n_threads}")


if __name__ == "__main__":
    main()
