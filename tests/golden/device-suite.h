/* SPDX-License-Identifier: MIT
 * Whole models on a backend whose memory is its own, against the CPU: what runs there is
 * all of the engine, from uploads to analyses. */
#pragma once

#include "backend/hl-backend.h"

/** DeviceOpen: (transfer full): NULL with @error where there is none: then cases skip. */
typedef HlBackend *(*DeviceOpen) (HlDtype dtype, GError **error);

/** device_suite_add: adds the cases, "/device/@name/trace/vit-tiny" among them. */
void device_suite_add (const char *name, DeviceOpen open);
