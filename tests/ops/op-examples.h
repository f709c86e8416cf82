/* SPDX-License-Identifier: MIT
 * Random calls of every op of the table, for conformance tests and benchmarks. */
#pragma once

#include "ops/hl-op.h"

/**
 * op_example_new:
 * @size: 0 for odd little shapes, 1 for the shapes of a ViT-B/16 block
 * Returns: a call with double inputs; free with op_example_clear().
 */
HlOpCall op_example_new (HlOp op, GRand *rand, int size);

/** op_example_convert: the same call with inputs in another type; views stay views. */
HlOpCall op_example_convert (const HlOpCall *call, HlDtype dtype);

void op_example_clear (HlOpCall *call);
