#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Time PyTorch on the bench's model: each head pruned by a hook, a whole pass a head.

    python3 peer-importance.py MODEL_FOLDER N_THREADS

One line on standard output:

    peer pytorch ms=<median, all heads> min=<..> n=<..> version=<..> threads=<..>
    peer: skipped: <reason>

A plain loop, as most people write it: SDPA attention, no maps returned, the input of a
layer's output projection zeroed where the head lies. One head of every layer is timed,
three times; the median is multiplied by the number of heads.
"""

import os
import statistics
import sys
import time


def skip(reason):
    print(f"peer: skipped: {reason}")
    sys.exit(0)


def projections(model):
    found = [m for n, m in model.named_modules()
             if n.endswith(("attention.output.dense", "attention.o_proj"))]
    if len(found) != model.config.num_hidden_layers:
        skip("this transformers names its projections otherwise")
    return found


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: peer-importance.py MODEL_FOLDER N_THREADS")
    folder, n_threads = sys.argv[1], int(sys.argv[2])
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("OMP_NUM_THREADS", str(n_threads))
    try:
        import torch
        import transformers
    except ImportError as error:
        skip(f"{error.name} is not installed")
    torch.set_num_threads(n_threads)
    try:
        model = transformers.ViTForImageClassification.from_pretrained(
            folder, attn_implementation="sdpa", local_files_only=True).float().eval()
    except (OSError, ValueError, RuntimeError) as error:
        skip("transformers does not load the model: " + str(error).split("\n")[0])
    config = model.config
    size, heads = config.image_size, config.num_attention_heads
    width = config.hidden_size // heads
    pixels = torch.randn(1, config.num_channels, size, size,
                         generator=torch.Generator().manual_seed(1))
    times_ms = []
    with torch.inference_mode():
        model(pixel_values=pixels)
        for _ in range(3):
            for layer, projection in enumerate(projections(model)):
                head = layer % heads

                def prune(module, args, head=head):
                    z = args[0].clone()
                    z[..., head * width:(head + 1) * width] = 0
                    return (z, *args[1:])

                hook = projection.register_forward_pre_hook(prune)
                start = time.perf_counter()
                torch.log_softmax(model(pixel_values=pixels).logits, -1)
                times_ms.append(1000 * (time.perf_counter() - start))
                hook.remove()
    n = config.num_hidden_layers * heads
    print(f"peer pytorch ms={n * statistics.median(times_ms):.2f} "
          f"min={n * min(times_ms):.2f} n={len(times_ms)} version={torch.__version__} "
          f"threads={n_threads}")


if __name__ == "__main__":
    main()
