# SPDX-License-Identifier: MIT
"""Writes tests/io/fixtures: pictures, and what PIL and transformers make of them.

Run by hand when a case is added; the results are committed, so that neither the build
nor the tests need Python. Needs numpy, Pillow and transformers:

    python3 tests/io/make-fixtures.py
"""
import hashlib
import json
import os

import numpy as np
import PIL
import transformers
from PIL import Image
from transformers.models.deit.image_processing_pil_deit import DeiTImageProcessorPil
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fixtures")
IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}


def picture(width, height, seed, noise):
    """Gradients, an edge, and some noise: what filters treat differently."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(float)
    planes = [255 * x / max(width - 1, 1), 255 * y / max(height - 1, 1), 128 + 0 * x]
    data = np.stack(planes, axis=-1)
    data[(x + y) % 23 < 3] = [250, 5, 60]
    data += rng.integers(-noise, noise + 1, data.shape)
    return Image.fromarray(np.clip(data, 0, 255).astype(np.uint8), "RGB")


def write_pictures():
    sources = {
        "37x53.png": picture(37, 53, 1, 60),
        "64x48.png": picture(64, 48, 2, 30),
        "5x5.png": picture(5, 5, 3, 100),
        "1x1.png": picture(1, 1, 4, 0),
        "300x200.png": picture(300, 200, 5, 0),
    }
    for name, image in sources.items():
        image.save(os.path.join(FOLDER, name), optimize=True)
    rgba = picture(9, 7, 6, 80).convert("RGBA")
    rgba.putalpha(Image.fromarray(np.arange(63, dtype=np.uint8).reshape(7, 9) * 4, "L"))
    others = {
        "alpha.png": rgba,
        "palette.png": picture(16, 12, 7, 20).quantize(32),
        "grey.png": picture(11, 6, 8, 90).convert("L"),
    }
    for name, image in others.items():
        image.save(os.path.join(FOLDER, name))
    jpeg = picture(64, 48, 9, 10)
    jpeg.save(os.path.join(FOLDER, "baseline.jpg"), quality=85)
    jpeg.save(os.path.join(FOLDER, "progressive.jpg"), quality=85, progressive=True)
    picture(16, 12, 10, 30).save(os.path.join(FOLDER, "still.gif"))
    picture(16, 12, 10, 30).save(os.path.join(FOLDER, "plain.bmp"))
    return list(sources) + list(others) + [
        "baseline.jpg", "progressive.jpg", "still.gif", "plain.bmp"]


def load(name):
    return Image.open(os.path.join(FOLDER, name)).convert("RGB")


def main():
    os.makedirs(FOLDER, exist_ok=True)
    blob = bytearray()
    index = {
        "made_by": f"Pillow {PIL.__version__}, transformers {transformers.__version__}",
        "decode": [], "resample": [], "process": [],
    }

    for name in write_pictures():
        image = load(name)
        index["decode"].append({
            "source": name, "height": image.height, "width": image.width,
            "rgb": hashlib.sha256(image.tobytes()).hexdigest(),
            "grey": hashlib.sha256(image.convert("L").tobytes()).hexdigest(),
        })

    resizes = [
        ("37x53.png", False, [(20, 30), (61, 70), (7, 9), (53, 20), (90, 37), (1, 1),
                            (28, 27), (33, 27)]),
        ("64x48.png", True, [(24, 24), (20, 100), (97, 13)]),
        ("5x5.png", False, [(13, 11), (2, 3), (5, 1), (32, 32)]),
        ("1x1.png", False, [(4, 3)]),
        ("300x200.png", False, [(28, 28), (14, 20), (3, 301)]),
    ]
    for source, grey, sizes in resizes:
        image = load(source).convert("L") if grey else load(source)
        for height, width in sizes:
            for resample in range(6):
                out = image.resize((width, height), resample=resample).tobytes()
                index["resample"].append({
                    "source": source, "grey": grey, "filter": resample,
                    "height": height, "width": width, "offset": len(blob)})
                blob += out

    vit, deit = ViTImageProcessorPil, DeiTImageProcessorPil
    runs = [
        ("vit", vit, "37x53.png", 3, {"size": {"height": 24, "width": 32}}),
        ("vit up", vit, "5x5.png", 3, {"size": {"height": 28, "width": 28}}),
        ("deit", deit, "37x53.png", 3, {
            "size": {"height": 40, "width": 40}, "crop_size": {"height": 32, "width": 32},
            **IMAGENET}),
        ("deit odd crop", deit, "64x48.png", 3, {
            "size": 31, "crop_size": {"height": 24, "width": 18}, **IMAGENET}),
        ("shortest edge", vit, "37x53.png", 3, {
            "size": {"shortest_edge": 20}, "resample": 3}),
        ("shortest edge, wide", vit, "300x200.png", 3, {
            "size": {"shortest_edge": 17}, "resample": 1, "do_center_crop": True,
            "crop_size": 16}),
        ("longest edge", vit, "300x200.png", 3, {
            "size": {"shortest_edge": 40, "longest_edge": 33}}),
        ("crop larger", vit, "5x5.png", 3, {
            "do_resize": False, "do_center_crop": True,
            "crop_size": {"height": 8, "width": 10}}),
        ("crop larger one way", vit, "37x53.png", 3, {
            "do_resize": False, "do_center_crop": True,
            "crop_size": {"height": 30, "width": 44}}),
        ("no rescale", vit, "64x48.png", 3, {
            "size": {"height": 16, "width": 16}, "do_rescale": False,
            "image_mean": [127.5, 120.0, 110.0], "image_std": [60.0, 61.0, 62.5]}),
        ("no normalise", vit, "64x48.png", 3, {
            "size": {"height": 16, "width": 16}, "do_normalize": False,
            "rescale_factor": 0.0078431}),
        ("neither", vit, "5x5.png", 3, {
            "size": {"height": 5, "width": 5}, "do_normalize": False,
            "do_rescale": False}),
        ("grey", vit, "64x48.png", 1, {
            "size": {"height": 14, "width": 18}, "image_mean": [0.2861],
            "image_std": [0.353]}),
        ("nearest", vit, "37x53.png", 3, {"size": 28, "resample": 0, **IMAGENET}),
        ("box", vit, "300x200.png", 3, {
            "size": [20, 30], "resample": 4, "image_mean": 0.5, "image_std": 0.25}),
    ]
    for title, kind, source, n_channels, config in runs:
        config = dict(config)
        image = load(source) if n_channels == 3 else load(source).convert("L")
        values = kind(**config)(image, return_tensors="np")["pixel_values"]
        values = np.ascontiguousarray(values, dtype="<f4")
        plain = dict(config, do_rescale=False, do_normalize=False)
        shown = kind(**plain)(image, return_tensors="np")["pixel_values"][0]
        shown = np.ascontiguousarray(np.moveaxis(shown, 0, -1)).astype(np.uint8)
        shown = np.broadcast_to(shown, shown.shape[:2] + (3,))
        blob += b"\0" * (-len(blob) % 4)
        config["image_processor_type"] = kind.__name__.removesuffix("Pil")
        index["process"].append({
            "title": title, "source": source, "n_channels": n_channels,
            "config": config, "shape": list(values.shape), "offset": len(blob),
            "shown": hashlib.sha256(shown.tobytes()).hexdigest()})
        blob += values.tobytes()

    with open(os.path.join(FOLDER, "expected.bin"), "wb") as file:
        file.write(blob)
    with open(os.path.join(FOLDER, "expected.json"), "w", encoding="utf-8") as file:
        json.dump(index, file, indent=1)
        file.write("\n")
    print(f"{len(index['resample'])} resizes, {len(runs)} runs, {len(blob)} bytes")


main()
