# SPDX-License-Identifier: MIT
"""Muon: momentum whose updates are made orthogonal (K. Jordan, 2024), for the matrices of
a transformer's blocks. The language model and the encoder-decoder that ship are trained
with it; the first keeps Q, K and V in one matrix and has a step of its own."""

import torch


def orthogonal(g):
    """The nearest matrix with orthonormal rows or columns, roughly: five steps of a
    Newton-Schulz iteration."""
    x = g
    is_tall = x.shape[0] > x.shape[1]
    if is_tall:
        x = x.T
    x = x / (x.norm() + 1e-7)
    for _ in range(5):
        a = x @ x.T
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
    return x.T if is_tall else x


class Muon:
    """@parameters: matrices as (out, in)."""

    def __init__(self, parameters, decay):
        self.parameters = parameters
        self.decay = decay
        self.momentum = [torch.zeros_like(p) for p in parameters]

    @torch.no_grad()
    def step(self, lr):
        for p, m in zip(self.parameters, self.momentum):
            m.mul_(0.95).add_(p.grad)
            update = orthogonal(p.grad + 0.95 * m) * max(1, p.shape[0] / p.shape[1]) ** 0.5
            p.mul_(1 - lr * self.decay).add_(update, alpha=-lr)
