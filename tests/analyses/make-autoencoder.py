#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""An autoencoder of the shape the program trains, in the reference framework: what it
makes of a batch, and three steps of Adam.

    python3 make-autoencoder.py

writes fixtures/autoencoder.safetensors, float32: the weights as drawn and after three
steps in the program's layout, x, latent, y and the loss before each step. Computed in
float64; layers are the framework's own convolutions.
"""

import os

import torch
from safetensors.torch import save_file
from torch import nn

HERE = os.path.dirname(os.path.abspath(__file__))
HEIGHT, WIDTH, SIDE, BATCH, LATENT = 9, 14, 1, 5, 32
CHANNELS = [1, 16, 32, 64, 128]


def halves(n):
    sizes = [n]
    for _ in CHANNELS[1:]:
        sizes.append((sizes[-1] - 1) // 2 + 1)
    return sizes


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.heights, self.widths = halves(HEIGHT), halves(WIDTH)
        n = self.heights[-1] * self.widths[-1] * CHANNELS[-1]
        pairs = list(zip(CHANNELS, CHANNELS[1:]))
        self.encoder = nn.ModuleList(nn.Conv2d(a, b, 3, 2, 1) for a, b in pairs)
        self.decoder = nn.ModuleList(nn.ConvTranspose2d(b, a, 3, 2, 1) for a, b in pairs)
        self.to_latent, self.from_latent = nn.Linear(n, LATENT), nn.Linear(LATENT, n)
        self.side_in = nn.Linear(SIDE, LATENT, bias=False)
        self.side_out = nn.Linear(LATENT, SIDE)

    def encode(self, x):
        y = x[:, :HEIGHT * WIDTH].view(-1, 1, HEIGHT, WIDTH)
        for layer in self.encoder:
            y = torch.relu(layer(y))
        flat = y.permute(0, 2, 3, 1).flatten(1)
        return self.to_latent(flat) + self.side_in(x[:, HEIGHT * WIDTH:])

    def decode(self, latent):
        y = torch.relu(self.from_latent(latent))
        y = y.view(-1, self.heights[-1], self.widths[-1], CHANNELS[-1]).permute(0, 3, 1, 2)
        for i in reversed(range(4)):
            y = self.decoder[i](y, output_size=(self.heights[i], self.widths[i]))
            y = torch.relu(y) if i else y
        return torch.cat([y.flatten(1), self.side_out(latent)], 1)


def weights(net, prefix):
    found = {}
    for i in range(4):
        e, d = net.encoder[i], net.decoder[i]
        found[f"encoder.{i}.weight"] = e.weight.permute(0, 2, 3, 1).flatten(1)
        found[f"encoder.{i}.bias"] = e.bias
        found[f"decoder.{i}.weight"] = d.weight.permute(2, 3, 1, 0).flatten(0, 2)
        found[f"decoder.{i}.bias"] = d.bias.view(1, 1, 1, -1)
    for name, layer in ("encoder.dense", net.to_latent), ("decoder.dense", net.from_latent), (
            "encoder.side", net.side_in), ("decoder.side", net.side_out):
        found[f"{name}.weight"] = layer.weight
        if layer.bias is not None:
            found[f"{name}.bias"] = layer.bias
    return {prefix + k: v.detach().float().contiguous().clone() for k, v in found.items()}


def main():
    torch.manual_seed(3)
    net = Net().double()
    for p in net.parameters():
        p.data = p.data.float().double()
    x = torch.rand(BATCH, HEIGHT * WIDTH + SIDE).double().float().double()
    out = weights(net, "before.")
    out["x"] = x.float()
    out["latent"] = net.encode(x).detach().float().contiguous()
    out["y"] = net.decode(net.encode(x)).detach().float().contiguous()
    adam = torch.optim.Adam(net.parameters(), lr=1e-3)
    losses = []
    for _ in range(3):
        loss = nn.functional.mse_loss(net.decode(net.encode(x)), x)
        losses.append(loss.item())
        adam.zero_grad()
        loss.backward()
        adam.step()
    out["loss"] = torch.tensor(losses)
    # The largest ones are only looked at in part.
    out.update({k: v[:8].contiguous() for k, v in weights(net, "after.").items()})
    save_file(out, os.path.join(HERE, "fixtures", "autoencoder.safetensors"))


main()
