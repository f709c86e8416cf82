#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes hl-colormap-data.h: run once by hand, never by the build.

viridis, magma and cividis are read from an installed matplotlib, whose tables for these
three are dedicated to the public domain (CC0). The grey map and the diverging map are
computed here. Needs numpy and matplotlib:  make-colormaps.py > hl-colormap-data.h
"""
import numpy as np
import matplotlib

N = 256


def lab_to_srgb(lab):
    """CIE L*a*b* (D65, 2 degrees) to sRGB in 0..1, not clipped."""
    lightness, a, b = lab.T
    fy = (lightness + 16) / 116
    f = np.stack([fy + a / 500, fy, fy - b / 200])
    xyz = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29))
    xyz *= np.array([[0.95047], [1.0], [1.08883]])
    matrix = np.array(
        [
            [3.2404542, -1.5371385, -0.4985314],
            [-0.9692660, 1.8760108, 0.0415560],
            [0.0556434, -0.2040259, 1.0572252],
        ]
    )
    linear = matrix @ xyz
    safe = np.maximum(linear, 0.0031308)
    rgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * safe ** (1 / 2.4) - 0.055)
    return rgb.T


def arm(hue_degrees, chroma_end, lightness_end, lightness_middle):
    """From the neutral middle to one end, in 4096 fine steps of L*a*b*."""
    t = np.linspace(0, 1, 4096)
    lightness = lightness_middle + (lightness_end - lightness_middle) * t
    # Chroma leaves zero at once and flattens towards the end, so that small values of
    # either sign already have a hue.
    chroma = chroma_end * np.sin(t * np.pi / 2) ** 0.9
    hue = np.deg2rad(hue_degrees)
    return np.stack([lightness, chroma * np.cos(hue), chroma * np.sin(hue)], axis=1)


def even(path, n):
    """Resamples a path so that neighbours are equally far apart (CIE76)."""
    step = np.linalg.norm(np.diff(path, axis=0), axis=1)
    length = np.concatenate([[0], np.cumsum(step)])
    want = np.linspace(0, length[-1], n)
    return np.stack([np.interp(want, length, path[:, i]) for i in range(3)], axis=1)


def diverging():
    """Blue - near-white - orange; both arms equally long in lightness and chroma."""
    half = N // 2
    # 2 * half - 1 points an arm, of which every second is used, puts the middle between
    # the entries 127 and 128, so that the two are mirror images.
    low = even(arm(275, 50, 48, 96), 2 * half)[1::2]
    high = even(arm(58, 58, 48, 96), 2 * half)[1::2]
    rgb = lab_to_srgb(np.concatenate([low[::-1], high]))
    if rgb.min() < -0.002 or rgb.max() > 1.002:
        raise SystemExit(f"diverging map leaves sRGB: {rgb.min():.3f} {rgb.max():.3f}")
    return np.clip(rgb, 0, 1)


def write(name, rgb):
    values = np.floor(np.asarray(rgb) * 255 + 0.5).astype(int).ravel()
    print(f"static const guint8 {name}_table[HL_COLORMAP_SIZE * 3] = {{")
    for start in range(0, len(values), 21):
        print("  " + "".join(f"{v}," for v in values[start : start + 21]))
    print("};\n")


def main():
    print("/* SPDX-License-Identifier: MIT")
    print(" * Colour map tables, written by make-colormaps.py. viridis, magma and cividis")
    print(" * are matplotlib's, which are CC0. */")
    print("#pragma once\n\n/* clang-format off */")
    for name in ("viridis", "magma", "cividis"):
        write(name, matplotlib.colormaps[name].colors)
    write("grey", np.repeat(np.linspace(0, 1, N)[:, None], 3, axis=1))
    write("diverging", diverging())
    print("/* clang-format on */")


if __name__ == "__main__":
    main()
