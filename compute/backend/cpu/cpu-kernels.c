/* SPDX-License-Identifier: MIT
 * The table of one variant's kernels, made from the op table. */
#include "config.h"

#include "backend/cpu/cpu-kernels.h"

const CpuKernelTable K (kernels) = { {
#define HL_OP(ENUM, name, ...) [HL_OP_##ENUM] = K (name),
#include "ops/hl-op-table.def"
#undef HL_OP
} };
