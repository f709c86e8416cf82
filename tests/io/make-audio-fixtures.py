# SPDX-License-Identifier: MIT
"""Writes tests/io/audio: recordings, and what the reference libraries make of them.

Run by hand when a case is added; the results are committed, so that neither the build nor
the tests need Python. Needs numpy, scipy, soundfile, torch and transformers:

    HEADLIGHT_TEST_DATA=FOLDER python3 tests/io/make-audio-fixtures.py

Features are those of transformers' WhisperFeatureExtractor in float64 (its path without
PyTorch); beside them stands how far its float32 path (PyTorch) is from them. FOLDER holds
audio/jfk.wav, of which only features are kept; without it that case is left out.
"""
import json
import os

import numpy as np
import scipy
import scipy.signal
import soundfile
import transformers
from transformers.models.whisper import feature_extraction_whisper as whisper

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(HERE, "audio")
RATE = 16000


def chirp(seconds, rate, low, high):
    t = np.arange(int(seconds * rate)) / rate
    return np.sin(2 * np.pi * (low * t + (high - low) * t * t / (2 * seconds)))


def clicks(seconds, rate, rng):
    """Pulses 8 ms apart through two resonances, in syllables: somewhat like a voice."""
    n = int(seconds * rate)
    pulses = np.zeros(n)
    pulses[:: rate // 125] = 1
    voice = pulses + 0.02 * rng.standard_normal(n)
    for hz in (500, 1500):
        b, a = scipy.signal.iirpeak(hz, 8, fs=rate)
        voice = scipy.signal.lfilter(b, a, voice) + 0.2 * voice
    syllables = np.maximum(0, np.sin(2 * np.pi * 3 * np.arange(n) / rate))
    return voice * syllables / np.abs(voice).max()


def tones(seconds, rate, hz):
    t = np.arange(int(seconds * rate)) / rate
    return sum(np.sin(2 * np.pi * f * t + i) for i, f in enumerate(hz)) / (1 + len(hz))


def write_recordings():
    rng = np.random.default_rng(11)
    stereo = np.stack([tones(0.4, 44100, (310, 1234.5, 4100)),
                       0.5 * chirp(0.4, 44100, 200, 5500)], axis=1)
    long = np.zeros(31 * RATE)
    long[RATE // 2:RATE] = 0.8 * chirp(0.5, RATE, 300, 3000)
    long[30 * RATE - 2000:30 * RATE + 4000] = 0.05 * tones(0.375, RATE, (700,))
    for name, data, rate, kind in [
            ("chirp.wav", 0.99 * chirp(1.0, RATE, 100, 7000), RATE, "PCM_16"),
            ("noise.flac", 0.3 * rng.standard_normal(6000).clip(-3, 3), RATE, "PCM_24"),
            ("silence.wav", np.zeros(2000), RATE, "PCM_16"),
            ("clicks.flac", 0.7 * clicks(1.2, RATE, rng), RATE, "PCM_16"),
            ("clicks.ogg", 0.7 * clicks(3.0, RATE, rng), RATE, "VORBIS"),
            ("clicks.opus.ogg", 0.7 * clicks(0.5, RATE, rng), RATE, "OPUS"),
            ("clicks.mp3", 0.7 * clicks(0.5, RATE, rng), RATE, "MPEG_LAYER_III"),
            ("tones.aiff", tones(0.2, RATE, (440, 3000)), RATE, "PCM_24"),
            ("tones-f64.wav", tones(0.15, RATE, (100, 7500)), RATE, "DOUBLE"),
            ("stereo-44100.wav", stereo, 44100, "PCM_16"),
            ("tones-8000.wav", tones(0.5, 8000, (250, 1000, 2900)), 8000, "PCM_16"),
            ("ulaw-8000.wav", tones(0.1, 8000, (250, 1000)), 8000, "ULAW"),
            ("tones-48000.flac", tones(0.25, 48000, (60, 2000, 6100)), 48000, "PCM_16"),
            ("long.flac", long, RATE, "PCM_16")]:
        kinds = {"aiff": "AIFF", "ogg": "OGG", "flac": "FLAC", "wav": "WAV", "mp3": "MP3"}
        soundfile.write(os.path.join(FOLDER, name), data, rate, subtype=kind,
                        format=kinds[name.rsplit(".", 1)[1]])


class Blob:
    def __init__(self):
        self.bytes = bytearray()

    def add(self, array):
        offset = len(self.bytes)
        self.bytes += np.ascontiguousarray(array, dtype="<f4").tobytes()
        return offset


def read_mono(path):
    data, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return data.astype(np.float64).mean(axis=1).astype(np.float32), rate, data.shape[1]


def features(config, samples, window, with_torch):
    extractor = whisper.WhisperFeatureExtractor(**config)
    part = samples[window * extractor.n_samples:(window + 1) * extractor.n_samples]
    whisper.is_torch_available = lambda: with_torch
    out = extractor(part, sampling_rate=extractor.sampling_rate, return_tensors="np",
                    return_attention_mask=True)
    return out["input_features"][0], int(out["attention_mask"][0].sum())


def feature_case(blob, name, samples, config, window=0, step=1):
    """Frames 0, step, 2 step, ...; those of the end that are all alike are one number."""
    exact, n_real = features(config, samples, window, False)
    rounded, _ = features(config, samples, window, True)
    alike = np.all(exact == exact[-1, -1], axis=0)
    n_stored = len(alike) - int(np.argmin(alike[::-1])) if not alike.all() else 0
    stored = exact[:, :n_stored:step].T  # (frames, mels)
    return {"source": name, "config": config, "window": window, "step": step,
            "n_mels": exact.shape[0], "n_frames": exact.shape[1], "n_real": n_real,
            "n_stored": stored.shape[0], "n_not_alike": n_stored,
            "tail": float(exact[-1, -1]), "offset": blob.add(stored),
            "reference_float32_is_off": float(np.abs(exact - rounded).max())}


def all_feature_cases(blob):
    cases = []
    other = {"feature_size": 40, "n_fft": 512, "hop_length": 128, "chunk_length": 2}
    for name, config in [("chirp.wav", {}), ("noise.flac", {}), ("silence.wav", {}),
                         ("clicks.flac", {}), ("tones.aiff", {}), ("tones-f64.wav", {}),
                         ("clicks.flac", {"feature_size": 128}), ("chirp.wav", other),
                         ("chirp.wav", {"chunk_length": 1}),  # to the window's end
                         ("noise.flac", {"padding_value": 0.25, "chunk_length": 1}),
                         ("noise.flac", {"n_fft": 300, "hop_length": 210,
                                         "chunk_length": 1, "sampling_rate": 16000})]:
        samples, _, _ = read_mono(os.path.join(FOLDER, name))
        step = 1 if name == "chirp.wav" or len(samples) < 4000 else 3
        cases.append(feature_case(blob, name, samples, config, step=step))
    samples, _, _ = read_mono(os.path.join(FOLDER, "long.flac"))
    cases.append(feature_case(blob, "long.flac", samples, {}, 0, 61))
    cases.append(feature_case(blob, "long.flac", samples, {}, 1, 1))
    jfk = os.path.join(os.environ.get("HEADLIGHT_TEST_DATA", ""), "audio", "jfk.wav")
    if os.path.exists(jfk):
        samples, _, _ = read_mono(jfk)
        cases.append({**feature_case(blob, "jfk.wav", samples, {}, 0, 50),
                      "is_test_data": True})
    return cases


def decode_cases(blob):
    """What soundfile reads; samples of the lossless ones."""
    cases = []
    for name in sorted(os.listdir(FOLDER)):
        if name.startswith("expected"):
            continue
        samples, rate, n_channels = read_mono(os.path.join(FOLDER, name))
        info = soundfile.info(os.path.join(FOLDER, name))
        n_stored = min(len(samples), 500)
        cases.append({"source": name, "rate": rate, "n_channels": n_channels,
                      "n": len(samples), "format": info.format, "subtype": info.subtype,
                      "is_lossy": info.subtype in ("VORBIS", "OPUS", "MPEG_LAYER_III"),
                      "n_stored": n_stored, "offset": blob.add(samples[:n_stored])})
    return cases


def rate_cases(blob):
    """resample_poly with a long window: flat below 6.5 kHz, 100 dB down above 8 kHz."""
    cases = []
    for name, up, down in [("stereo-44100.wav", 160, 441), ("tones-8000.wav", 2, 1),
                           ("tones-48000.flac", 1, 3)]:
        samples, rate, _ = read_mono(os.path.join(FOLDER, name))
        half = 64 * max(up, down)
        window = scipy.signal.firwin(2 * half + 1, 0.95 / max(up, down),
                                     window=("kaiser", 12.0))
        out = scipy.signal.resample_poly(samples.astype(np.float64), up, down,
                                         window=window)
        assert len(out) == -(-len(samples) * up // down)
        cases.append({"source": name, "rate": rate, "n": len(out),
                      "offset": blob.add(out)})
    return cases


def main():
    os.makedirs(FOLDER, exist_ok=True)
    write_recordings()
    blob = Blob()
    index = {"made_by": f"transformers {transformers.__version__}, soundfile "
                        f"{soundfile.__version__}, scipy {scipy.__version__}",
             "decode": decode_cases(blob), "rate": rate_cases(blob),
             "features": all_feature_cases(blob)}
    with open(os.path.join(FOLDER, "expected.bin"), "wb") as f:
        f.write(blob.bytes)
    with open(os.path.join(FOLDER, "expected.json"), "w", encoding="utf-8") as f:
        json.dump(index, f, indent=1)
        f.write("\n")


if __name__ == "__main__":
    main()
