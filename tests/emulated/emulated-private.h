/* SPDX-License-Identifier: MIT
 * Between the emulated device's threads and its memory. */
#pragma once

#include "cuda_runtime.h"

/* Device memory can be reached between these two. FALSE when the device is lost. */
bool emulated_begin_launch (void);
void emulated_end_launch (cudaError_t error);
