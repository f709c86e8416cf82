#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Time PyTorch training the same autoencoder: five steps of Adam on 32 pictures.

    python3 peer-patterns.py SIDE N_THREADS

One line on standard output:

    peer pytorch ms=<median> min=<..> n=<..> version=<..> threads=<..>
    peer: skipped: <reason>
"""

import os
import statistics
import sys
import time

BATCH, STEPS, LATENT, CHANNELS = 32, 5, 32, [1, 16, 32, 64, 128]


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: peer-patterns.py SIDE N_THREADS")
    side, n_threads = int(sys.argv[1]), int(sys.argv[2])
    os.environ.setdefault("OMP_NUM_THREADS", str(n_threads))
    try:
        import torch
        from torch import nn
    except ImportError as error:
        print(f"peer: skipped: {error.name} is not installed")
        return
    torch.set_num_threads(n_threads)
    sizes = [side]
    for _ in range(4):
        sizes.append((sizes[-1] - 1) // 2 + 1)
    pairs = list(zip(CHANNELS, CHANNELS[1:]))
    n = sizes[-1] ** 2 * CHANNELS[-1]
    encoder = [layer for a, b in pairs for layer in (nn.Conv2d(a, b, 3, 2, 1), nn.ReLU())]
    decoder = []
    for i in reversed(range(4)):
        spare = (sizes[i] - 1) % 2  # what stride 2 leaves open
        decoder += [nn.ConvTranspose2d(CHANNELS[i + 1], CHANNELS[i], 3, 2, 1, spare), nn.ReLU()]
    net = nn.Sequential(*encoder, nn.Flatten(), nn.Linear(n, LATENT), nn.Linear(LATENT, n),
                        nn.ReLU(), nn.Unflatten(1, (CHANNELS[-1], sizes[-1], sizes[-1])),
                        *decoder[:-1])
    adam = torch.optim.Adam(net.parameters(), lr=1e-3)
    x = torch.rand(BATCH, 1, side, side, generator=torch.Generator().manual_seed(1))
    times_ms = []
    for round_ in range(6):
        start = time.perf_counter()
        for _ in range(STEPS):
            loss = nn.functional.mse_loss(net(x), x)
            adam.zero_grad()
            loss.backward()
            adam.step()
        if round_:
            times_ms.append(1000 * (time.perf_counter() - start))
    print(f"peer pytorch ms={statistics.median(times_ms):.1f} min={min(times_ms):.1f} "
          f"n={len(times_ms)} version={torch.__version__} threads={n_threads}")


main()
