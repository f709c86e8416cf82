#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""PyTorch on the GPU that is here, in the shapes of bench-gpu: eager attention with every
map returned, and scaled_dot_product_attention without maps. One line a row:

    peer-gpu.py

    ViT-B/16, batch 64, float32, eager with maps    12.345 ms

Random weights; times by CUDA events: warm-up, then the median of 20. Prints why it was
skipped where torch, transformers or a GPU is not there.
"""

import statistics
import sys

ROUNDS, WARM = 20, 3


def skip(reason):
    print(f"  peer: skipped: {reason}")
    sys.exit(0)


def time_ms(torch, once):
    times = []
    for i in range(WARM + ROUNDS):
        first, second = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        first.record()
        once()
        second.record()
        torch.cuda.synchronize()
        if i >= WARM:
            times.append(first.elapsed_time(second))
    return statistics.median(times)


def row(what, ms):
    print(f"  {what:<56} {ms:10.3f} ms", flush=True)


def models(torch, transformers, dtype, implementation):
    """(name, function that runs it once) of every shape; maps where they are returned."""
    eager = implementation == "eager"
    torch.manual_seed(1)
    config = transformers.ViTConfig(num_labels=1000, attn_implementation=implementation)
    vit = transformers.ViTForImageClassification(config).to("cuda", dtype).eval()
    for batch in (1, 64):
        pixels = torch.randn(batch, 3, 224, 224, device="cuda", dtype=dtype)
        yield (f"ViT-B/16, batch {batch}",
               lambda p=pixels: vit(pixel_values=p, output_attentions=eager))
    config = transformers.GPT2Config(attn_implementation=implementation)
    gpt2 = transformers.GPT2LMHeadModel(config).to("cuda", dtype).eval()
    ids = torch.randint(0, 50257, (1, 1024), device="cuda")
    yield "GPT-2 (small), 1,024 tokens", lambda: gpt2(input_ids=ids, output_attentions=eager)
    if dtype != torch.bfloat16:
        return
    config = transformers.LlamaConfig(
        hidden_size=4096, intermediate_size=14336, num_hidden_layers=8,
        num_attention_heads=32, num_key_value_heads=8, vocab_size=50257,
        max_position_embeddings=8192, attn_implementation=implementation)
    llama = transformers.LlamaForCausalLM(config).to("cuda", dtype).eval()
    long = torch.randint(0, 50257, (1, 4096), device="cuda")
    yield ("8 of 32 layers of Llama-8B's shape, 4,096 tokens",
           lambda: llama(input_ids=long, output_attentions=eager, logits_to_keep=1))


def attention(torch, dtype):
    for width in (64, 128):
        q, k, v = (torch.randn(1, 16, 8192, width, device="cuda", dtype=dtype)
                   for _ in range(3))
        for causal in (False, True):
            name = f"SDPA, T = 8192, K = {width}{', causal' if causal else ''}"
            yield name, lambda c=causal: torch.nn.functional.scaled_dot_product_attention(
                q, k, v, is_causal=c)


def importance(torch, transformers):
    """A plain loop with hooks: every head of every layer zeroed, one picture."""
    config = transformers.ViTConfig(num_labels=1000, attn_implementation="sdpa")
    vit = transformers.ViTForImageClassification(config).to("cuda").eval()
    pixels = torch.randn(1, 3, 224, 224, device="cuda")
    layers, heads, width = 12, 12, 64

    def once():
        for layer in range(layers):
            dense = vit.vit.encoder.layer[layer].attention.output.dense
            for head in range(heads):
                def zero(module, inputs, h=head):
                    z = inputs[0].clone()
                    z[..., h * width:(h + 1) * width] = 0
                    return (z,)
                handle = dense.register_forward_pre_hook(zero)
                vit(pixel_values=pixels)
                handle.remove()
    return once


def main():
    try:
        import torch
        import transformers
    except ImportError as error:
        skip(f"{error.name} is not installed")
    if not torch.cuda.is_available():
        skip("PyTorch finds no GPU")
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    print(f"\nPyTorch {torch.__version__}, transformers {transformers.__version__}, "
          f"{torch.cuda.get_device_name(0)}")
    with torch.inference_mode():
        for dtype in (torch.float32, torch.bfloat16, torch.float16):
            name = str(dtype).removeprefix("torch.")
            for implementation, words in (("eager", "eager with maps"),
                                          ("sdpa", "without maps")):
                for what, once in models(torch, transformers, dtype, implementation):
                    row(f"{what}, {name}, {words}", time_ms(torch, once))
            for what, once in attention(torch, dtype):
                row(f"{what}, {name}", time_ms(torch, once))
        row("every head of ViT-B/16 pruned, one picture, float32",
            time_ms(torch, importance(torch, transformers)))


main()
