#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Take the sample pictures out of Fashion-MNIST's test set (standard library only).

    apt install dataset-fashion-mnist
    python3 extract.py [FOLDER WITH t10k-*.gz]

Writes 28x28 8-bit grey PNG files and samples.csv beside this script.
"""

import gzip
import os
import struct
import sys
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
CLASSES = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
           "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]
# (place in the test set, the class it is easily taken for)
CHOSEN = [(35, ""), (121, ""), (2, ""), (97, ""), (1, ""), (74, "Coat"), (13, ""),
          (182, "Shirt"), (6, ""), (17, ""), (11, ""), (82, ""), (4, ""), (7, "Coat"),
          (26, "Coat"), (40, "T-shirt/top"), (89, "Pullover"), (36, ""),
          (43, "Ankle boot"), (30, ""), (53, "Shirt"), (0, ""), (23, ""),
          (441, "Sneaker")]


def read_idx(path):
    """Returns (sizes, bytes) of a file of unsigned bytes in the IDX format."""
    with gzip.open(path, "rb") as f:
        raw = f.read()
    zeros, kind, n_dims = struct.unpack(">HBB", raw[:4])
    sizes = struct.unpack(f">{n_dims}I", raw[4:4 + 4 * n_dims])
    if zeros != 0 or kind != 8:
        sys.exit(f"{path}: IDX file of unsigned bytes expected")
    return sizes, raw[4 + 4 * n_dims:]


def png_grey(width, height, pixels):
    def chunk(kind, data):
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)
    rows = b"".join(b"\0" + pixels[y * width:(y + 1) * width] for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
            + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b""))


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else "/usr/share/datasets/fashion-mnist"
    (_, height, width), pixels = read_idx(folder + "/t10k-images-idx3-ubyte.gz")
    _, labels = read_idx(folder + "/t10k-labels-idx1-ubyte.gz")
    counts = [0] * len(CLASSES)
    size = width * height
    with open(os.path.join(HERE, "samples.csv"), "w", encoding="utf-8") as table:
        table.write("file,label,test_index,looks_like\n")
        for index, looks_like in CHOSEN:
            label = labels[index]
            counts[label] += 1
            stem = CLASSES[label].split("/")[0].lower().replace(" ", "-")
            name = f"{stem}-{counts[label]:02d}.png"
            with open(os.path.join(HERE, name), "wb") as f:
                f.write(png_grey(width, height, pixels[index * size:(index + 1) * size]))
            table.write(f"{name},{CLASSES[label]},{index},{looks_like}\n")


if __name__ == "__main__":
    main()
